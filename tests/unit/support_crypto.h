// A broker behind its verifier, with real keys: frames in, frames out, as the edge passes them.
#ifndef OYEZ_TESTS_SUPPORT_CRYPTO_H
#define OYEZ_TESTS_SUPPORT_CRYPTO_H

#include "broker/service/verify.h"
#include "support_service.h"

struct support_broker {
	struct sign_pair identity;
	struct gateway_key gateway;
	struct verifier *verifier;
	struct store *store;
	struct service *service;
	struct service_config config;
	uint64_t now_ms;
	uint64_t origins;
	struct arena arena; // everything handed out
};
void support_broker_open(struct support_broker *broker);
void support_broker_close(struct support_broker *broker);
void support_broker_wait(struct support_broker *broker, uint64_t ms);

// One frame through verifier and service. NULL when the request is parked.
struct support_frame {
	const uint8_t *bytes;
	size_t count;
};
struct support_frame support_frame_ask(struct support_broker *broker, const uint8_t *frame, size_t count,
                                       bool from_ipc);

// Records as senders make them: the serialised Signed. The record's body case and union must be set by the caller.
ProtobufCBinaryData support_sign_customer(struct support_broker *broker, const struct sign_pair *intent,
                                          Oyez__CustomerRecord *record);
ProtobufCBinaryData support_sign_vendor(struct support_broker *broker, const struct sign_pair *vendor,
                                        Oyez__VendorRecord *record);
ProtobufCBinaryData support_sign(struct support_broker *broker, const struct sign_pair *pair, const char *tag,
                                 const ProtobufCMessage *message);

// A signed customer record in a new cell. `clear_error` (may be NULL) gets the code of a FRAME_ERROR; else NULL is
// returned for none.
const Oyez__CustomerReply *support_cell(struct support_broker *broker, ProtobufCBinaryData signed_record,
                                        enum err *clear_error);
// The cell alone, to be sent by hand.
void support_cell_make(struct support_broker *broker, ProtobufCBinaryData signed_record, uint64_t sent_at_ms,
                       uint8_t cell[CELL_BYTES], struct cell_exchange *exchange);
const Oyez__CustomerReply *support_cell_open(struct support_broker *broker, const struct cell_exchange *exchange,
                                             struct support_frame frame, enum err *clear_error);
// A request frame in clear.
const Oyez__Reply *support_request(struct support_broker *broker, const Oyez__Request *request);
const Oyez__Reply *support_vendor_request(struct support_broker *broker, ProtobufCBinaryData signed_record);

// Short forms: record, sign, send. The reply's error code.
enum err support_tell_customer(struct support_broker *broker, const struct sign_pair *intent,
                               Oyez__CustomerRecord *record);
enum err support_tell_vendor(struct support_broker *broker, const struct sign_pair *vendor, Oyez__VendorRecord *record);

#endif
