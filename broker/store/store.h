// What the broker keeps, in words of its field. Two back ends: LMDB on disk, and memory for tests and the simulator.
// One writer at a time: begin, verbs, commit. Within a transaction the first error sticks and commit returns it.
// Rows are versioned; keys and values are described with hex examples in store/README.md.
//
// Mailbox contents and posts are encrypted under a key per intent that lives outside the database, in the slot
// file: wiping the slot makes them unreadable at once (invariant 6).
#ifndef OYEZ_STORE_STORE_H
#define OYEZ_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/base/arena.h"
#include "broker/core/deal.h"
#include "broker/core/filter.h"
#include "broker/core/intent.h"
#include "broker/core/offer.h"

struct store;

// Creates the directory and the files when missing. `map_bytes` is the LMDB map (sparse), 0 for 1 TiB. ERR_UNAVAILABLE:
// another process has it open. ERR_IO: cannot be read, or the files do not belong together. ERR_INTERNAL: a row is
// damaged. ERR_STORAGE_FULL. *out is NULL then.
enum err store_open(const char *directory, uint64_t map_bytes, struct store **out);
// In memory. Survives store_crash, which drops what was not committed: the simulator's power cut.
struct store *store_open_memory(void);
void store_crash(struct store *store);
// Makes the next commits fail with this error until set back to ERR_OK; memory store only.
void store_fail_commits(struct store *store, enum err err);
void store_close(struct store *store);

// ---- transactions (the state thread)
void store_begin(struct store *store);
// Durable when it returns ERR_OK: database first, then slot keys wiped in this transaction are overwritten and synced
// (a crash in between is made good at the next open). ERR_STORAGE_FULL, ERR_UNAVAILABLE, or the transaction's first
// error: nothing changed. One exception: when only the overwriting failed, the database has the transaction all the
// same; so after any error read again what you keep of the store. Transactions fail until the keys are overwritten.
enum err store_commit(struct store *store);
void store_abort(struct store *store);
// The first error of the running transaction, ERR_OK so far.
enum err store_error(const struct store *store);

// Views handed out below point into the transaction's memory or `arena`, valid until commit or abort.
struct bytes {
	const uint8_t *at;
	size_t count;
};

// ---- the broker itself
// Small named values: "identity" (Ed25519 seed), "incarnation" (u32), "taxonomy" (hash), "config", "now_ms"...
bool store_meta_get(struct store *store, const char *name, struct arena *arena, struct bytes *out);
void store_meta_put(struct store *store, const char *name, const void *bytes, size_t count);

// ---- intents. Find returns false if there is none.
bool store_intent_find(struct store *store, const struct id *id, struct intent *out);
bool store_intent_find_released(struct store *store, const struct release_id *release, struct id *id);
// New intent with its post (the Post message's bytes, kept encrypted): takes a mailbox key slot, sets mailbox_slot
// (from 1) and mailbox_next. Creating an id twice, or putting one never created, fails with ERR_INTERNAL.
void store_intent_create(struct store *store, struct intent *intent, const void *post, size_t post_bytes);
void store_intent_put(struct store *store, const struct intent *intent);
// The Post's bytes; false once its key was wiped.
bool store_intent_post(struct store *store, const struct intent *intent, struct arena *arena, struct bytes *out);
// Wipes the mailbox key and deletes the post and the mailbox; in the row and in *intent, mailbox_slot becomes 0 and
// what the post said (facets, needed-by day, wish...) is zeroed. The row stays: it answers late duplicates. Whatever
// would be sealed under the wiped key afterwards fails with ERR_INTERNAL; reading it finds nothing.
void store_intent_wipe(struct store *store, struct intent *intent);
// Forgets the row as well (long after its end), with the offers, questions and deals that hang on it (not those
// unlinked: store_deal_unlink).
void store_intent_delete(struct store *store, const struct intent *intent);
// Calls `each` for every intent until it returns false.
void store_intent_each(struct store *store, bool (*each)(void *context, const struct intent *intent), void *context);
// The same for a walk that needs what the customer said (the facets and all else that ends with the key) only of
// intents in the state `whole`: of others these fields are zero. Opening their seals would cost more than the walk.
void store_intent_each_sealed(struct store *store, uint8_t whole,
                              bool (*each)(void *context, const struct intent *intent), void *context);

struct intent_totals {
	uint64_t released, deals_open;
};
// What all rows say in sum, and each intent that waits for its release, by number. The first time after opening the
// store only the rows of these are read again; once intents were written, or the second time, it is a walk as above.
void store_intent_each_waiting(struct store *store, struct intent_totals *totals,
                               void (*each)(void *context, const struct intent *intent), void *context);

// ---- a customer's mailbox: items by sequence number. Appending advances intent->mailbox_next (put it afterwards).
uint64_t store_mailbox_append(struct store *store, struct intent *intent, uint64_t at_ms, const void *item,
                              size_t item_bytes);
// The first item after `after`; false if none. Bytes are a MailboxItem without seq and at_ms.
bool store_mailbox_next(struct store *store, const struct intent *intent, uint64_t after, struct arena *arena,
                        uint64_t *seq, uint64_t *at_ms, struct bytes *item);
// Removes one item (an offer replaced or withdrawn before it was read leaves its successor).
void store_mailbox_remove(struct store *store, const struct intent *intent, uint64_t seq);

// ---- offers and questions: their intent must exist (ERR_INTERNAL)
bool store_offer_find(struct store *store, const struct id *id, struct offer *out);
// All offers of all intents, by id: for what an operator asks once in a while. Do not put offers meanwhile.
void store_offer_scan(struct store *store, bool (*each)(void *context, const struct offer *offer), void *context);
void store_offer_put(struct store *store, const struct offer *offer);
// Every offer of an intent, in no particular order.
void store_offer_each(struct store *store, const struct id *intent,
                      bool (*each)(void *context, const struct offer *offer), void *context);
struct question {
	struct id id, intent, vendor, record_hash;
	struct id answer_hash; // of the signed Answer; zero until answered
	uint64_t asked_at_ms;
	uint8_t dropped;
};
bool store_question_find(struct store *store, const struct id *id, struct question *out);
void store_question_put(struct store *store, const struct question *question);
void store_question_each(struct store *store, const struct id *intent,
                         bool (*each)(void *context, const struct question *question), void *context);

// ---- deals
bool store_deal_find(struct store *store, const struct id *id, struct deal *out);
void store_deal_put(struct store *store, const struct deal *deal);
void store_deal_each(struct store *store, const struct id *intent,
                     bool (*each)(void *context, const struct deal *deal), void *context);
// It outlives its intent from now on: store_intent_delete leaves it.
void store_deal_unlink(struct store *store, const struct deal *deal);
// With everything that came after it.
void store_deal_delete(struct store *store, const struct id *id);

// ---- what came after a deal: a row made when the first of it comes
struct deal_after {
	struct id deal;
	struct id erase_hash, erase_answer_hash; // of the signed records; zero before
	uint64_t erase_asked_ms, erase_by_ms, erase_answered_ms;
	uint8_t erase_result; // ErasureResult of proto/customer.proto, 0 while it is open
	uint8_t erase_counted; // in the vendor's standing
	struct id rate_hash;
	uint8_t stars;
	uint64_t box_next; // number of the next item in the deal's box, from 1
};
// False, and all zero but the deal and box_next, if nothing came yet.
bool store_after_find(struct store *store, const struct id *deal, struct deal_after *out);
void store_after_put(struct store *store, const struct deal_after *after);
// Messages that came lately, by the record's hash: a repeat is recognised, and they can be counted.
struct deal_word {
	struct id hash;
	uint64_t at_ms;
	uint64_t box_seq; // of one by the vendor; 0 for one by the customer
};
bool store_word_find(struct store *store, const struct id *deal, const struct id *hash, struct deal_word *out);
void store_word_put(struct store *store, const struct id *deal, const struct deal_word *word);
void store_word_delete(struct store *store, const struct id *deal, const struct id *hash);
void store_word_each(struct store *store, const struct id *deal,
                     bool (*each)(void *context, const struct deal_word *word), void *context);
// The deal's box, for the customer. Appending advances after->box_next (put it afterwards).
uint64_t store_deal_box_append(struct store *store, struct deal_after *after, uint64_t at_ms, const void *item,
                               size_t item_bytes);
bool store_deal_box_next(struct store *store, const struct id *deal, uint64_t seq_after, struct arena *arena,
                         uint64_t *seq, uint64_t *at_ms, struct bytes *item);
void store_deal_box_remove(struct store *store, const struct id *deal, uint64_t seq);

// ---- the broker's notices, numbered from 1: each a Signed, serialised
uint64_t store_notice_last(struct store *store); // 0: none
void store_notice_append(struct store *store, uint64_t number, const void *bytes, size_t count);
bool store_notice_get(struct store *store, uint64_t number, struct arena *arena, struct bytes *out);

// ---- vendors
struct vendor {
	struct id id;
	uint8_t key[KEY_BYTES];
	uint8_t status; // VendorStatus of proto/vendor.proto
	uint64_t registered_at_ms, listing_made_at_ms;
	uint64_t inbox_next; // from 1; found, not put: only store_inbox_append advances it
	struct vendor_facts facts;
	struct bytes listing;       // Signed Listing, serialised
	struct bytes suspend_reason; // UTF-8, empty unless suspended
};
bool store_vendor_find(struct store *store, const struct id *id, struct arena *arena, struct vendor *out);
void store_vendor_put(struct store *store, const struct vendor *vendor);
void store_vendor_each(struct store *store, bool (*each)(void *context, const struct vendor *vendor), void *context);

// What a vendor was seen to do. A row of its own, so that an offer does not rewrite a listing.
struct standing {
	struct id vendor;
	uint32_t offers, accepted, concluded, lapsed_by_fault;
	uint32_t erasures_asked, erasures_in_time, erasures_late;
	uint32_t ratings, stars;                     // all there are
	uint32_t ratings_published, stars_published; // as of the last time there were enough new ones
	uint8_t url_check;                           // UrlCheck of proto/record.proto
	uint64_t url_checked_at_ms;
};
// All zero but the vendor if there is none yet.
void store_standing_find(struct store *store, const struct id *vendor, struct standing *out);
void store_standing_put(struct store *store, const struct standing *standing);

// A vendor's inbox: an ordered log; `inbox_next` advances (kept with the vendor by this verb itself).
uint64_t store_inbox_append(struct store *store, const struct id *vendor, uint64_t at_ms, const void *item,
                            size_t item_bytes);
bool store_inbox_next(struct store *store, const struct id *vendor, uint64_t after, struct arena *arena,
                      uint64_t *seq, uint64_t *at_ms, struct bytes *item);
// Removes items older than `before_ms`, at most `max` of them; how many.
size_t store_inbox_trim(struct store *store, const struct id *vendor, uint64_t before_ms, size_t max);

// ---- subscriptions
struct subscription {
	struct id id, vendor, record_hash;
	uint64_t made_at_ms;
	uint64_t start_seq;    // feed position when it was made
	uint64_t confirmed_seq; // highest `after` its vendor gave, up to a second ago
	struct bytes filter;    // Filter message
};
bool store_subscription_find(struct store *store, const struct id *id, struct arena *arena, struct subscription *out);
void store_subscription_put(struct store *store, const struct subscription *subscription);
void store_subscription_delete(struct store *store, const struct id *id);
size_t store_subscription_count(struct store *store); // rows, the removed ones too
void store_subscription_each(struct store *store,
                             bool (*each)(void *context, const struct subscription *subscription), void *context);

// ---- the feed: records in order, numbered from 1
uint64_t store_feed_append(struct store *store, struct match_header *header, const void *release, size_t bytes);
uint64_t store_feed_last(struct store *store);  // 0 when empty
uint64_t store_feed_first(struct store *store); // of what is kept; last + 1 when empty
// Turns a release that is gone into FEED_PURGED: header kept, bytes dropped.
void store_feed_purge(struct store *store, uint64_t seq, uint8_t gone_reason);
bool store_feed_get(struct store *store, uint64_t seq, struct match_header *header, struct bytes *release);
// Removes records from the front, at most `max`, up to the first whose released_at_ms is not before `before_ms`.
size_t store_feed_trim(struct store *store, uint64_t before_ms, size_t max);
// Walks headers after `after` in order until `each` returns false. Reads committed and own uncommitted records.
void store_feed_scan(struct store *store, uint64_t after,
                     bool (*each)(void *context, uint64_t seq, const struct match_header *header,
                                  struct bytes release),
                     void *context);
// Headers alone, which costs far less.
void store_feed_scan_headers(struct store *store, bool (*each)(void *context, const struct match_header *header),
                             void *context);
// The same headers stand in blocks, which a scan walks at memory speed; so readers beside the writer see headers only.
// A snapshot of what is committed: for one thread at a time, at most a few at once, each for milliseconds. On disk it
// may be read from any thread while a transaction runs; in memory (store_reads_beside is false) only between them.
enum { FEED_BLOCK_HEADERS = 50 };
struct store_reader;
bool store_reads_beside(const struct store *store);
struct store_reader *store_read_begin(struct store *store); // NULL: none can be had now
void store_read_end(struct store_reader *reader);
uint64_t store_read_last(const struct store_reader *reader); // the feed's, as of the snapshot; 0 when empty
// The headers that follow `after`, as many as lie together: headers[0] is that of *first. Those with kind 0 are trimmed.
// 0 at the end. Valid until store_read_end.
size_t store_read_headers(struct store_reader *reader, uint64_t after, uint64_t *first,
                          const struct match_header **headers);
// Every subscription until `each` returns false; the filters last until store_read_end. With nothing else of the same
// reader in between. False: a row is damaged, and logged.
bool store_read_subscriptions(struct store_reader *reader,
                              bool (*each)(void *context, const struct subscription *subscription), void *context);
// Brings a record's bytes into memory, so that the state thread need not wait for the disk.
void store_read_warm(struct store_reader *reader, uint64_t seq);
// Rewrites a header in place (a new taxonomy renumbers nodes).
void store_feed_renumber(struct store *store, uint64_t seq, const struct match_header *header);

// ---- a guardian's accounts. Rows are appended under numbers from 1; who is whose stands in the service's memory.
struct account {
	uint64_t number; // given by store_account_create
	struct id id;
	uint32_t opened_day;
	uint32_t used_month; // of 30 days: when it was last used, no finer
	uint32_t voucher_day, voucher_count; // how many were given on that day
	uint8_t by_invite;
};
void store_account_create(struct store *store, struct account *account);
void store_account_put(struct store *store, const struct account *account);
void store_account_delete(struct store *store, uint64_t number);
void store_account_each(struct store *store, bool (*each)(void *context, const struct account *account), void *context);

// Invitation codes not used yet, by their hash.
void store_invite_put(struct store *store, const struct id *code_hash, uint64_t valid_until_ms);
bool store_invite_find(struct store *store, const struct id *code_hash, uint64_t *valid_until_ms);
void store_invite_delete(struct store *store, const struct id *code_hash);

// Vouchers given today: only until the day is over, so that asking again counts once.
struct voucher {
	uint32_t day;
	uint8_t id[VOUCHER_ID_BYTES];
	uint64_t account; // its number
	uint8_t home[KEY_BYTES];
	uint32_t epoch;
};
bool store_voucher_find(struct store *store, uint32_t day, const uint8_t id[VOUCHER_ID_BYTES], struct voucher *out);
void store_voucher_put(struct store *store, const struct voucher *voucher);
// Removes those of days before this one, at most `max`; how many.
size_t store_voucher_trim(struct store *store, uint32_t before_day, size_t max);

// ---- a guardian's boxes and the cells in them
struct box {
	uint64_t number; // given by store_box_create
	struct id id;
	uint8_t home[KEY_BYTES];
	uint64_t account; // its number
	uint32_t keep_until_day;
	// As of the last time the box became empty; while there are cells, they tell.
	uint64_t next;       // number of the next cell, from 1
	uint64_t last_print; // fingerprint of the latest cell
};
void store_box_create(struct store *store, struct box *box);
void store_box_put(struct store *store, const struct box *box);
void store_box_delete(struct store *store, uint64_t number); // the cells are the caller's to delete
void store_box_each(struct store *store, bool (*each)(void *context, const struct box *box), void *context);
// Cells of all boxes, appended in the order they arrive.
enum { CELL_HEAD_BYTES = 40 }; // a box cell's `enc` and sequence: different in every cell
struct cell_place {
	uint64_t arrival, box, number;
	uint8_t head[CELL_HEAD_BYTES];
};
uint64_t store_cell_append(struct store *store, uint64_t box, uint64_t number, const uint8_t cell[BOX_CELL_BYTES]);
// BOX_CELL_BYTES in the arena; NULL if there is none.
uint8_t *store_cell_get(struct store *store, uint64_t arrival, struct arena *arena);
void store_cell_delete(struct store *store, uint64_t arrival);
// By arrival, without reading the cells' pages.
void store_cell_each(struct store *store, bool (*each)(void *context, const struct cell_place *place), void *context);

// ---- vouchers taken for tokens, by the epoch they are good in
// For which elements (their hash); false if it was not taken.
bool store_issued_find(struct store *store, uint32_t epoch, const struct id *voucher, struct id *elements);
void store_issued_put(struct store *store, uint32_t epoch, const struct id *voucher, const struct id *elements);
// Forgets those of epochs before this one, at most `max`; how many.
size_t store_issued_trim(struct store *store, uint32_t before_epoch, size_t max);

// ---- timers that survive a restart, ordered by time
enum timer_kind {
	TIMER_INTENT_EXPIRE = 1,
	TIMER_DEAL = 2,
	TIMER_INTENT_FORGET = 3,
	TIMER_SUBSCRIPTION_FORGET = 4,
	TIMER_DEAL_FORGET = 5,
	TIMER_ERASURE = 6, // the time to answer one is over
	TIMER_BOX_FORGET = 16,
	TIMER_INVITE_FORGET = 17,
	TIMER_ACCOUNT_FORGET = 18,
};
void store_timer_add(struct store *store, uint64_t at_ms, enum timer_kind kind, const struct id *id);
// The earliest timer; false if there is none. Removing is the caller's.
bool store_timer_first(struct store *store, uint64_t *at_ms, enum timer_kind *kind, struct id *id);
void store_timer_remove(struct store *store, uint64_t at_ms, enum timer_kind kind, const struct id *id);

// ---- what vendors see after a hold, ordered by time; the bytes are the service's own (service/hold.c)
enum held_kind { HELD_GONE = 1, HELD_ANSWER = 2, HELD_DECLINED = 3 };
void store_held_put(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id, const void *bytes,
                    size_t count);
bool store_held_find(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id, struct arena *arena,
                     struct bytes *out);
// The earliest; false if there is none. Removing is the caller's.
bool store_held_first(struct store *store, uint64_t *at_ms, enum held_kind *kind, struct id *id, struct arena *arena,
                      struct bytes *out);
// For every row until `each` returns false.
void store_held_each(struct store *store,
                     bool (*each)(void *context, uint64_t at_ms, enum held_kind kind, const struct id *id),
                     void *context);
void store_held_remove(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id);

// ---- boxes that this broker fills as a home, by intent
struct push {
	struct id intent;
	uint8_t box_id[BOX_ID_BYTES], guardian[KEY_BYTES], reply_key[KEY_BYTES];
	uint64_t released_at_ms; // 0 while the intent waits
	uint8_t expiry_band;     // as released
};
bool store_push_find(struct store *store, const struct id *intent, struct push *out);
void store_push_put(struct store *store, const struct push *push);
void store_push_delete(struct store *store, const struct id *intent);
void store_push_each(struct store *store, bool (*each)(void *context, const struct push *push), void *context);

// ---- upkeep
// Rewrites the files without deleted content and swaps them in; no transaction may run. ERR_STORAGE_FULL, ERR_IO.
enum err store_compact(struct store *store);
uint64_t store_bytes_used(struct store *store);

#endif
