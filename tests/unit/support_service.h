// A service over the in-memory store, with stubbed signatures: commands in as messages, replies out as messages.
// People are numbers: customer 1, vendor 2. Each request is a batch of its own.
#ifndef OYEZ_TESTS_SUPPORT_SERVICE_H
#define OYEZ_TESTS_SUPPORT_SERVICE_H

#include "broker/service/service.h"
#include "broker/service/wire.h"

// Generated messages have no const texts.
#define TEXT(text) ((char *)(text))

struct support_service {
	struct store *store;
	struct service *service;
	struct service_config config;
	uint8_t homes[2][KEY_BYTES];
	uint64_t now_ms;
	uint64_t records;   // commands made so far
	struct arena arena; // everything handed out below, until support_service_close
	uint64_t last_origin;
	struct command last; // the command sent last, to be sent again
};

void support_service_open(struct support_service *support);
void support_service_close(struct support_service *support);
// Loses the process, keeps what was committed.
void support_service_restart(struct support_service *support);
// Time passes in steps no longer than half an hour, with a batch after each.
void support_service_wait(struct support_service *support, uint64_t ms);

// One command and its reply; NULL when the request is parked. With the sender's next record, made now.
const Oyez__CustomerReply *support_customer(struct support_service *support, unsigned customer, enum command_kind kind,
                                            const ProtobufCMessage *payload);
const Oyez__Reply *support_vendor(struct support_service *support, unsigned vendor, enum command_kind kind,
                                  const ProtobufCMessage *payload);
// As a guardian: by an account, and cells pushed by a home broker (1 and 2 are known, others are not).
const Oyez__GuardianReply *support_account(struct support_service *support, unsigned account, enum command_kind kind,
                                           const ProtobufCMessage *payload);
const Oyez__Reply *support_push(struct support_service *support, unsigned home, const Oyez__PushBatch *batch);
const Oyez__AdminReply *support_admin(struct support_service *support, enum command_kind kind,
                                      const ProtobufCMessage *payload);
// The last command, or any, as it is.
const void *support_send(struct support_service *support, const struct command *command);
// Runs the scans that were asked for and gives them back, until the request of `origin` is answered; NULL if it is not.
const void *support_run_scans(struct support_service *support, uint64_t origin);
// The reply to a parked request, if it came with the last batch; NULL otherwise.
const void *support_parked_reply(struct support_service *support, uint64_t origin);
// An empty batch: timers, tick, parked requests.
void support_batch(struct support_service *support);

// The error code of a reply, ERR_OK if it is none.
enum err support_customer_error(const Oyez__CustomerReply *reply);
enum err support_vendor_error(const Oyez__Reply *reply);
enum err support_account_error(const Oyez__GuardianReply *reply);
#define assert_account_error(reply, code) assert_int_equal(support_account_error(reply), code)
#define assert_customer_error(reply, code) assert_int_equal(support_customer_error(reply), code)
#define assert_vendor_error(reply, code) assert_int_equal(support_vendor_error(reply), code)

struct id support_customer_id(unsigned customer);
struct id support_vendor_id(unsigned vendor);
void support_account_key(unsigned account, uint8_t key[KEY_BYTES]);
void support_home_key(unsigned home, uint8_t key[KEY_BYTES]);
// A fresh 32-byte value, in the arena.
ProtobufCBinaryData support_fresh(struct support_service *support, size_t count);

// A post that is fine: coffee machine in FR-56, up to 200 EUR, SD-BASE, for a week. Change what you test.
Oyez__Post *support_post(struct support_service *support);
// Registers a vendor in FR that agrees to SD-BASE and subscribes it to everything. The subscription's id.
struct id support_vendor_join(struct support_service *support, unsigned vendor);
// Posts and waits for the release. The release's id as published.
struct release_id support_release(struct support_service *support, unsigned customer, Oyez__Post *post);
// An offer by `vendor` on the release. Its id.
struct id support_offer(struct support_service *support, unsigned vendor, const struct release_id *release);
// An accept of the offer by the customer. The deal's id and its signature hash.
struct id support_accept(struct support_service *support, unsigned customer, const struct id *offer);
Oyez__Accept *support_accept_message(struct support_service *support, const struct id *offer);
Oyez__Countersign *support_countersign_message(struct support_service *support, const struct id *deal);
const Oyez__FetchReply *support_fetch(struct support_service *support, unsigned vendor, const struct id *subscription,
                                      ProtobufCBinaryData after);
const Oyez__Inbox *support_inbox(struct support_service *support, unsigned vendor, uint64_t after);
const Oyez__Mailbox *support_mailbox(struct support_service *support, unsigned customer, uint64_t after);

#endif
