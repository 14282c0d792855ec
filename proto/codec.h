// Bytes to messages and back. Every decode unpacks *and* validates: UTF-8, zero bytes inside strings, required
// submessages and oneofs, lengths, ranges, key validity (PROTOCOL.md §2). protobuf-c checks none of these.
// The rules stand in one table in codec_rules.c, walked by descriptor; a message without a row does not decode.
#ifndef OYEZ_PROTO_CODEC_H
#define OYEZ_PROTO_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "admin.pb-c.h"
#include "common.pb-c.h"
#include "customer.pb-c.h"
#include "err.h"
#include "guardian.pb-c.h"
#include "record.pb-c.h"
#include "sealed.pb-c.h"
#include "vendor.pb-c.h"

// Longest detail text: names a field and its limit, never its content.
enum { CODEC_DETAIL_BYTES = 96 };
struct codec_detail {
	char text[CODEC_DETAIL_BYTES];
};

// Unpacks and validates a message of `descriptor`. *out is freed with protobuf_c_message_free_unpacked
// (allocator as given, NULL for malloc). On error *out is NULL and `detail` (may be NULL) names the field.
enum err codec_decode(const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator,
                      const uint8_t *bytes, size_t count, ProtobufCMessage **out, struct codec_detail *detail);
// The same checks on a message built in memory: senders call it before signing.
enum err codec_check(const ProtobufCMessage *message, struct codec_detail *detail);
// Serialised bytes; *out is malloc'd.
enum err codec_encode(const ProtobufCMessage *message, uint8_t **out, size_t *out_bytes);
// The same with a frame header in front.
enum err codec_encode_frame(const ProtobufCMessage *message, int frame_kind, uint8_t **out, size_t *out_bytes);

// Typed forms: CODEC_DECODE(offer, Oyez__Offer) gives `codec_decode_offer`.
#define CODEC_DECODE(name, type)                                                                                   \
	static inline enum err codec_decode_##name(ProtobufCAllocator *allocator, const uint8_t *bytes, size_t count,  \
	                                           type **out, struct codec_detail *detail)                            \
	{                                                                                                              \
		return codec_decode(&oyez__##name##__descriptor, allocator, bytes, count, (ProtobufCMessage **)out,        \
		                    detail);                                                                               \
	}
CODEC_DECODE(request, Oyez__Request)
CODEC_DECODE(reply, Oyez__Reply)
CODEC_DECODE(cell_body, Oyez__CellBody)
CODEC_DECODE(customer_record, Oyez__CustomerRecord)
CODEC_DECODE(customer_reply, Oyez__CustomerReply)
CODEC_DECODE(vendor_record, Oyez__VendorRecord)
CODEC_DECODE(vendor_read_body, Oyez__VendorReadBody)
CODEC_DECODE(admin_request, Oyez__AdminRequest)
CODEC_DECODE(admin_reply, Oyez__AdminReply)
CODEC_DECODE(envelope_body, Oyez__EnvelopeBody)
CODEC_DECODE(account_record, Oyez__AccountRecord)
CODEC_DECODE(guardian_reply, Oyez__GuardianReply)
CODEC_DECODE(voucher, Oyez__Voucher)
CODEC_DECODE(push_batch, Oyez__PushBatch)
CODEC_DECODE(box_plain, Oyez__BoxPlain)
CODEC_DECODE(signed, Oyez__Signed)
CODEC_DECODE(error, Oyez__Error)
CODEC_DECODE(config, Oyez__Config)
CODEC_DECODE(deal_record, Oyez__DealRecord)
CODEC_DECODE(deal_text, Oyez__DealText)
CODEC_DECODE(erasure_receipt, Oyez__ErasureReceipt)
CODEC_DECODE(standing, Oyez__Standing)
CODEC_DECODE(withdrawal_receipt, Oyez__WithdrawalReceipt)
CODEC_DECODE(notice, Oyez__Notice)
CODEC_DECODE(listing, Oyez__Listing)
CODEC_DECODE(release, Oyez__Release)
CODEC_DECODE(question, Oyez__Question)
CODEC_DECODE(offer, Oyez__Offer)
CODEC_DECODE(answer_text, Oyez__AnswerText)
CODEC_DECODE(agreement, Oyez__Agreement)
CODEC_DECODE(card, Oyez__Card)
CODEC_DECODE(outcome, Oyez__Outcome)
CODEC_DECODE(filter, Oyez__Filter)
CODEC_DECODE(post, Oyez__Post)

#endif
