// Commands in, effects out. Owns what is derived from the store (index, waiting intents, parked requests) and
// rebuilds it from there; the store is the truth. Runs on one thread and knows no sockets.
//
//   service_begin(s, now)  -> service_apply(s, command)*  -> service_commit(s)  -> service_effect_next(s, ...)*
//
// Nothing is let out before the commit. When the commit fails, every request of the batch is answered with the
// error instead, and the derived state is rebuilt.
#ifndef OYEZ_SERVICE_SERVICE_H
#define OYEZ_SERVICE_SERVICE_H

#include "broker/base/shared_bytes.h"
#include "broker/store/store.h"
#include "command.h"
#include "proto/sign.h"
#include "proto/taxonomy.h"

enum service_hold { HOLD_OFF, HOLD_BOXES /* intents that name a box */, HOLD_ALL /* tests */ };

struct service_config {
	enum service_hold hold;
	uint32_t crowd;   // k
	uint64_t tick_ms; // how often releases leave
	uint64_t retention_ms;
	uint32_t vendors_per_intent_max, offers_per_intent_max;
	uint32_t parked_max; // over all connections
	uint32_t accounts_max, account_stamp_bits, vouchers_per_day; // as a guardian
	bool accounts_by_stamp;
	uint32_t tail_records; // of the feed kept in memory, 0: as many as usual
	bool vendors_open;
	bool url_checks; // somebody looks at vendors' addresses (service_url_check_next)
	enum _Oyez__Posting posting; // what a post must bring; 0 is nothing
	// Identity keys: the brokers it relays to as a guardian; the guardians it works with as a home broker.
	const uint8_t (*homes)[KEY_BYTES];
	const uint8_t (*guardians)[KEY_BYTES];
	size_t home_count, guardian_count;
	const char *region;
	const struct taxonomy *taxonomy;
	const char *version;
};

// The broker's signature, so that the simulator can stub it.
struct service_signer {
	void *context;
	void (*sign)(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
	             uint8_t signature[SIGNATURE_BYTES]);
	enum err (*countersign_check)(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
	                              const uint8_t signature_hash[HASH_BYTES], const uint8_t *signature);
	uint8_t broker_key[KEY_BYTES];
};

struct service;

// Copies the config. Loads the derived state from the store at `now_ms`.
enum err service_new(const struct service_config *config, const struct service_signer *signer, struct store *store,
                     uint64_t now_ms, struct service **out);
void service_free(struct service *service);
// A changed config at SIGHUP; taxonomy and region stay as they were.
void service_reconfigure(struct service *service, const struct service_config *config);

void service_begin(struct service *service, uint64_t now_ms);
// Never fails: a refused command has an error for its reply.
void service_apply(struct service *service, const struct command *command);
// Due timers, the release tick, overdue parked requests: a bounded slice. Call once a batch, before the commit.
// `random` seeds what the tick needs.
void service_advance(struct service *service, const uint8_t random[16]);
enum err service_commit(struct service *service);

// One reply at a time, in order; false when there is none left. Bytes are the serialised CustomerReply, Reply or
// AdminReply by form, valid until the next service_begin.
struct effect {
	uint64_t origin;
	enum reply_form form;
	const uint8_t *bytes;
	size_t count;
	struct shared_bytes *shared; // if not NULL, owns `bytes`; hold it to keep them longer
};
bool service_effect_next(struct service *service, struct effect *effect);

// Work for readers beside the state thread (scan.h): what the batch asked for, after its commit, in order; NULL when
// there is none left. The caller runs it and gives it back in a later batch, or frees it once the service is no more.
struct scan;
struct scan *service_scan_next(struct service *service);
// Part of a batch. Takes the scan over, done or given up.
void service_scan_done(struct service *service, struct scan *scan);

// Box cells of the batch, after its commit: one lot for one guardian at a time, NULL when there is none left. The
// caller frees it (push.h), before the service goes.
struct push_batch;
struct push_batch *service_push_next(struct service *service);

// Vendors' addresses to look at, after the commit. The caller sets the result and gives it back in a later batch, or
// frees it once the service is no more.
struct url_check;
struct url_check *service_url_check_next(struct service *service);
// Part of a batch. Takes the check over.
void service_url_check_done(struct service *service, struct url_check *check);

// The requester went away: forget its parked request.
void service_cancel(struct service *service, uint64_t origin);
// When service_advance next has something to do: at the next tick or in a minute at the latest.
uint64_t service_next_ms(const struct service *service);
// Answers every parked request with what there is (drain).
void service_unpark_all(struct service *service);
// How many of the brokers it works with showed two configurations under one number.
void service_note_conflicts(struct service *service, uint32_t count);
// The operator confirmed the clock after a jump of more than an hour.
void service_confirm_clock(struct service *service);

// Numbers for metrics; no labels that name anything of an intent.
struct service_numbers {
	uint64_t intents_waiting, intents_released, vendors, subscriptions, deals_open, feed_length, parked;
	uint64_t commands[COMMAND_COUNT], refusals[COMMAND_COUNT];
	uint64_t posts, releases, offers, accepts, countersigned, revealed, concluded, lapsed, withdrawn, expired;
	uint64_t accounts, boxes_kept, cells_kept;
	uint64_t vouchers_given, cells_taken, cells_missed; // missed: the box was full
	uint64_t commits, commit_failures;
	uint64_t relayed, boxes_pushed, box_cells; // pushed: schedules that run; cells: filled for them
	uint64_t tokens_issued, tokens_spent;
	bool clock_held;
};
void service_numbers(const struct service *service, struct service_numbers *out);

#endif
