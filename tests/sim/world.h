// The simulated world: one broker (the real service over the in-memory store, signatures stubbed), customers, vendors,
// a network that loses, delays, repeats and reorders, a clock that jumps, a machine that crashes, a disk that refuses.
//
//   actions (support_actions.c)   people make records: commands built directly, as verify would
//   network (support_network.c)   records reach the broker in batches, or not; replies reach people, or not
//   model   (support_model.c)     a dumb second broker in plain arrays says what each answer has to be
//   checks  (support_check.c)     compare: replies, mailboxes, inboxes, the feed, the rows in the store
//
// Everything follows from the seed. The model shares no code with core/ or service/.
#ifndef OYEZ_SIM_WORLD_H
#define OYEZ_SIM_WORLD_H

#include "broker/service/scan.h"
#include "broker/service/service.h"
#include "broker/service/wire.h"

enum {
	INTENTS_MAX = 256,
	OFFERS_MAX = 1024,
	QUESTIONS_MAX = 512,
	DEALS_MAX_SIM = 512,
	VENDORS = 4,
	SUBSCRIPTIONS_MAX = 64,
	RECORDS_MAX = 1 << 15,
	BATCH_MAX = 8,
	PARKED_MAX_SIM = 6,
	SCANS_MAX_SIM = 64,
	SCAN_WAIT_MS_SIM = 10 * 1000, // as in fetch.c
	FEED_MAX = 4096,
	MAIL_MAX = 160,
	INBOX_MAX = 4096,
	VENDORS_PER_INTENT = 3,
	OFFERS_PER_INTENT = 3,
	STEPS_LOGGED = 24,
	HELD_MAX = 1024,
};

// ---- what people can name

struct words {
	int category, region; // into tables of support_match.c, -1 = unknown
	bool terms;           // SD-BASE
	bool only_france;     // vendor rule
	bool euros;           // a budget in euros, up to max_e4
	int64_t max_e4;
};

enum mail_kind { MAIL_OFFER, MAIL_QUESTION, MAIL_OFFER_WITHDRAWN, MAIL_LAPSED, MAIL_COUNTERSIGNED, MAIL_RECEIPT, MAIL_SUSPENDED };
struct mail {
	enum mail_kind kind;
	int what; // offer, question or deal
	bool removed;
};

enum inbox_kind {
	INBOX_ANSWER,
	INBOX_DECLINED,
	INBOX_AGREEMENT,
	INBOX_COUNTERSIGNED,
	INBOX_LAPSED,
	INBOX_REVEAL,
	INBOX_GONE
};
struct inbox_entry {
	enum inbox_kind kind;
	int what;  // question, offer, deal or intent
	int event; // entries of one event may stand in any order
	uint64_t at_ms;
};

struct sim_intent {
	struct id id;
	uint8_t key[KEY_BYTES], reply_key[KEY_BYTES];
	struct release_id release;
	struct words words;
	uint64_t expires_ms;
	uint32_t deals_max, wish;
	bool waived;
	unsigned allow, block; // bits of vendors
	Oyez__Post *post;
	// The model's:
	bool known, forgotten;
	int state; // as INTENT_*
	int post_bytes;
	uint32_t open, done, bound;
	uint64_t release_seq, forget_ms, released_ms;
	struct words shown; // as released
	uint32_t crowd;
	bool standing;       // its release is in the feed and not ended
	bool held;           // what vendors see of it is held back
	bool gone_pending;   // its end has not reached the vendors yet
	uint64_t posted_ms, ready_ms; // ready: as the broker drew it
	int withdrawn_batch; // its wallet was told so in, 0 = not yet
	struct mail mail[MAIL_MAX];
	int mail_count;
	// The wallet's:
	uint64_t mail_read;
	bool released_seen;
};

struct sim_offer {
	struct id id;
	int intent, vendor, bytes;
	uint64_t made_ms, expires_ms;
	bool known, dropped;
	int state; // as OFFER_*
	int mail;  // index, -1 if never delivered
	bool seen; // by the customer
};

struct sim_question {
	struct id id;
	int intent, vendor, bytes, answered_bytes;
	bool known, dropped, seen;
};

struct sim_deal {
	struct id id;
	int intent, offer, vendor, bytes, countersign_bytes, reveal_bytes;
	uint64_t accepted_ms, countersign_by_ms, reveal_by_ms, revealed_ms;
	bool known;
	int state; // as DEAL_*
	int lapsed_from;
	bool agreement_seen, outcome_seen, card_seen; // by the vendor, the customer, the vendor
	// From what the signer was asked to sign in batches that were committed: not from the model.
	bool signed_countersigned, signed_lapsed;
};

struct sim_vendor {
	struct id id;
	uint8_t key[KEY_BYTES];
	bool registered, suspended;
	bool france, terms; // of the present listing
	uint64_t listing_ms;
	int listing_bytes;
	int changed_batch; // when status or listing changed last
	struct inbox_entry inbox[INBOX_MAX];
	int inbox_count;
	uint64_t inbox_read, inbox_sent;
	bool got_card[DEALS_MAX_SIM];
	uint32_t offers, accepted, concluded, at_fault; // its standing, from the facts
};

struct sim_subscription {
	struct id id;
	int vendor;
	int category, region; // -1 = any
	bool exact, euros;
	int64_t min_e4;
	uint32_t crowd_min;
	bool terms;
	Oyez__Filter *filter;
	// The model's:
	bool known, removed;
	uint64_t forget_ms;
	uint64_t start_seq, confirmed_seq, sent_seq, sent_seq_before;
	uint64_t written_seq, confirmed_at_ms; // confirmed that is on disk for certain; when what goes beyond it began
	// The vendor's:
	bool acked;
	uint64_t processed_seq;
	uint64_t held[FEED_MAX / 64 + 1]; // releases received, bits by position
};

// What vendors shall see later: when is for the broker to draw, that and in which order is for the model to know.
struct sim_held {
	enum held_kind kind;
	int what; // intent, question or offer
	int reason;
	bool tombstone;
	uint64_t made_ms, due_ms; // due 0: not looked up yet
};

enum feed_entry_kind { FEED_ENTRY_RELEASE, FEED_ENTRY_GONE };
struct feed_entry {
	enum feed_entry_kind kind;
	int intent;
	int reason;
	uint64_t at_ms;
	int ended_batch; // of a release: when it was ended, INT_MAX while it stands
};

// ---- records and their way

struct record {
	struct command command; // as the broker gets it, but for origin, time and randomness
	int bytes;              // equal bytes, equal number
	int intent, offer, question, deal, vendor, subscription;
	bool junk;        // a countersignature that does not verify
	bool from_cursor; // a fetch with a cursor
	uint64_t after;   // cursor, or position in mailbox or inbox
	bool from_start;
	uint32_t max, wait_ms;
	uint64_t made_ms;
	bool listing_france, listing_terms;
	uint64_t listing_ms;
	int listing_bytes;
	bool acked; // its sender has had an answer
};

// A request under way: in the batch, or parked.
struct flight {
	int record;
	uint64_t origin;
	bool answered;
	enum err expected;
	bool parkable;
	// What the answer has to cover, as of when it was applied:
	uint64_t after, feed_last, items; // items: in the mailbox or inbox
	uint64_t deadline_ms;
	int expected_state; // of status replies
	int batch;          // it was applied in
};

struct world {
	uint64_t seed, random[2];
	int step, steps;
	bool verbose, failed;
	struct arena arena;   // records: for the whole run
	struct arena scratch; // replies: for one batch
	struct store *store;
	struct service *service;
	struct service_config config;
	uint64_t now_ms;

	struct sim_intent *intents;
	struct sim_offer *offers;
	struct sim_question *questions;
	struct sim_deal *deals;
	struct sim_vendor *vendors;
	struct sim_subscription *subscriptions;
	int intent_count, offer_count, question_count, deal_count, subscription_count;
	struct record *records;
	int record_count, bytes_count;
	struct feed_entry *feed; // model; position 1 at index 0
	uint64_t feed_count, feed_first;

	struct sim_held held_back[HELD_MAX];
	int held_count;

	// The model's clock.
	uint64_t seen_ms, held_at_ms, next_tick_ms;
	bool held;
	int event, batch;

	struct flight flights[BATCH_MAX];
	int flight_count;
	struct flight parked[PARKED_MAX_SIM + BATCH_MAX];
	int parked_count;
	uint64_t origins;
	int parked_before; // the running batch began
	struct scan *scans[SCANS_MAX_SIM]; // asked for by the broker, run and given back at random times
	int scan_count;

	// Outcomes signed in the running batch, taken over when it is committed.
	int signed_deals[64], signed_results[64];
	int signed_count;

	char log[STEPS_LOGGED][160];
	int logged;
	struct totals *totals;
};

struct totals {
	uint64_t seeds, steps, commands, batches, crashes, failed_commits, posts, releases, offers, accepts, countersigned,
	    revealed, concluded, lapsed, withdrawn, expired, deliveries, tombstones, refusals, conflicts, repeats, jumps,
	    holds, parked, held_back, let_out, scans, scans_late;
};

// ---- support_world.c
void world_run(uint64_t seed, int steps, bool verbose, struct totals *totals);
void world_log(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Says what is wrong, how it came to it and how to run it again; ends the process.
_Noreturn void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t random_u64(struct world *world);
uint32_t random_below(struct world *world, uint32_t n);
bool random_chance(struct world *world, uint32_t percent);
struct id random_id(struct world *world);

// ---- support_actions.c
// One random step of somebody; gives the record to send, or -1.
int action_random(struct world *world);

// ---- support_network.c
void network_step(struct world *world);
void network_flush(struct world *world); // applies and commits what is under way
void network_crash(struct world *world);
void broker_start(struct world *world);
bool network_scans_for(const struct world *world, uint64_t origin); // the request waits for a scan

// ---- support_match.c
extern const char *const CATEGORY_WORDS[], *const REGION_WORDS[];
enum { CATEGORY_WORD_COUNT = 6, REGION_WORD_COUNT = 5 };
int category_of_word(const char *word);
int region_of_word(const char *word);
bool category_below(int ancestor, int category); // or equal
bool region_below(int ancestor, int region);
bool event_matches(const struct world *world, const struct sim_subscription *subscription, int intent);
bool vendor_may(const struct sim_vendor *vendor, const struct words *words);

// ---- support_model.c
// Applies the flight's record to the model; fills in what to expect.
void model_apply(struct world *world, struct flight *flight);
void model_timers(struct world *world);
// What the broker drew for what the model holds back since the last batch; what is due is let out at a tick.
void model_look_up_holds(struct world *world);
void model_let_out(struct world *world);
bool model_tick_due(const struct world *world);
void model_released(struct world *world, int intent, const Oyez__Release *release, uint64_t seq);
bool intent_is_live(const struct sim_intent *intent);
bool intent_has_mailbox(const struct sim_intent *intent);
uint64_t model_due_ms(const struct world *world);

// ---- support_check.c
void check_new_feed(struct world *world, bool ticked);
void check_effect(struct world *world, struct flight *flight, const struct effect *effect, bool delivered);
void check_parked(struct world *world);
void check_rows(struct world *world, bool all);
void check_end(struct world *world);

#endif
