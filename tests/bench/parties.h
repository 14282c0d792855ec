// Vendors and customers as programs that only make and read frames: what is prepared beforehand costs nothing while
// something is measured. Errors of the broker end the benchmark.
#ifndef OYEZ_TESTS_BENCH_PARTIES_H
#define OYEZ_TESTS_BENCH_PARTIES_H

#include "proto/cell.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/sign.h"
#include "proto/token.h"
#include "wire.h"

struct frame {
	uint8_t *bytes; // malloc'd
	size_t count;
};

// What a broker says about itself.
struct broker_keys {
	uint8_t id[KEY_BYTES], gateway[KEY_BYTES], gateway_id[GATEWAY_KEY_ID_BYTES];
	uint8_t token_key[ELEMENT_BYTES];
	uint32_t epoch;
};
void broker_ask_keys(struct wire *wire, size_t connection, struct broker_keys *keys);

static inline ProtobufCBinaryData bytes_of(const void *at, size_t count)
{
	return (ProtobufCBinaryData){.len = count, .data = (uint8_t *)(uintptr_t)at};
}
#define WORDS(text) ((char *)(uintptr_t)(text)) // generated messages have no const texts

// ---- vendors
struct stall {
	struct sign_pair pair;
	struct id id;
	uint8_t session[SESSION_ID_BYTES], session_key[32];
	uint8_t subscription[ID_BYTES], cursor[CURSOR_BYTES]; // of its one subscription: where it starts, then where it is
};
// Registers, opens a session; subscribes unless `filter` is NULL.
void stall_open(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall,
                Oyez__Filter *filter);
// Another session of the same vendor (after the broker was started again).
void stall_open_session(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall);
void stall_subscribe(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall,
                     Oyez__Filter *filter);
// A read under its session: `kind` and the union's member are set in *body.
struct frame stall_read_frame(const struct stall *stall, Oyez__VendorReadBody *body);
struct frame stall_fetch_frame(const struct stall *stall, uint32_t wait_ms, uint32_t max);
struct frame stall_offer_frame(const struct broker_keys *keys, const struct stall *stall,
                               const struct release_id *release);

// One item of a fetch's reply, where it lies.
struct fetched {
	const uint8_t *release_id, *release;
	size_t release_bytes;
};
typedef void fetched_fn(void *context, const struct fetched *item);
// Walks a FetchReply frame; `each` may be NULL. Takes the cursor over. Gives up on an error. Returns the items' count;
// *more (may be NULL): something is left.
size_t stall_take_fetched(struct stall *stall, const uint8_t *frame, size_t count, fetched_fn *each, void *context,
                          bool *more);

// The reply in a frame, which must be of this kind; freed with oyez__reply__free_unpacked.
Oyez__Reply *reply_open(const uint8_t *frame, size_t count, Oyez__Reply__BodyCase expected);

// ---- customers
struct caller {
	struct sign_pair pair;
	struct id id;
	struct token_request asked;
	uint8_t token[TOKEN_BYTES];
};
// A key each; and a token each, where `guardian` (may be NULL) vouches for them.
void callers_new(struct wire *wire, size_t connection, const struct broker_keys *keys, const struct sign_pair *guardian,
                 struct caller *callers, size_t count);
// A signed record in a cell. `with_token`: of a post.
void caller_post_cell(const struct broker_keys *keys, const struct caller *caller, bool with_token,
                      uint8_t cell[CELL_BYTES], struct cell_exchange *exchange);
void caller_status_cell(const struct broker_keys *keys, const struct caller *caller, uint8_t cell[CELL_BYTES],
                        struct cell_exchange *exchange);
void caller_mailbox_cell(const struct broker_keys *keys, const struct caller *caller, uint64_t after, uint32_t wait_ms,
                         uint8_t cell[CELL_BYTES], struct cell_exchange *exchange);
// Freed with oyez__customer_reply__free_unpacked.
Oyez__CustomerReply *caller_reply(const struct cell_exchange *exchange, const uint8_t *frame, size_t count,
                                  Oyez__CustomerReply__BodyCase expected);

// The operator's status, over ipc.
Oyez__AdminReply *operator_status(const char *ipc);

#endif
