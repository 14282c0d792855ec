// What the files of service/ share. Each group of functions stands in the file named above it.
//
// Everything in `struct service` but the store, the parked requests and the counters is derived: derived.c loads it
// from the store, at the start and after a failed commit.
#ifndef OYEZ_SERVICE_INTERNAL_H
#define OYEZ_SERVICE_INTERNAL_H

#include "boxes.h"
#include "broker/core/index.h"
#include "estimate.h"
#include "facet_map.h"
#include "feed_tail.h"
#include "guardian.h"
#include "id_map.h"
#include "outbox.h"
#include "parking.h"
#include "scan.h"
#include "service.h"
#include "url_check.h"
#include "waiting.h"
#include "wire.h"

// A subscription in memory. Positions are sequence numbers of the feed.
enum { HITS_MAX = 8 }; // a power of two; who has more is served from the tail
struct listener {
	struct id id, vendor;
	uint64_t made_at_ms;
	uint64_t start_seq;      // events after it concern this subscription
	uint64_t confirmed_seq;  // the highest position its vendor gave
	uint64_t sent_seq;       // answered up to here by this process, 0 = nothing yet
	uint64_t received_seq;   // releases up to here may have reached the vendor
	uint64_t hits_after;     // all matches after this position are in `hits`
	uint64_t hits[HITS_MAX]; // the latest matches, ascending from hit_first on, around the end
	uint64_t woken;          // parking.generation when its waiting requests were woken last
	uint32_t hit_first, hit_count;
	bool used;
	bool unwritten; // confirmed_seq is not in the row yet
	bool indexed;   // false: its filter means nothing under the present taxonomy
};

// Listeners whose confirmed_seq is to be written (confirmed.c).
struct confirmed {
	uint32_t *numbers;
	size_t count, room;
	uint64_t due_ms;
};

// A vendor in memory: what is not worth a row.
struct vendor_note {
	struct id id;
	uint32_t subscription_count;
	uint64_t inbox_sent_seq;
	// The standing as signed last, made when first needed. It lags behind by a minute at most.
	Oyez__Signed *standing; // NULL: none; protobuf-c's own memory
	uint64_t standing_at_ms;
	bool standing_changed;
	bool checking;         // its address is being looked at
	uint64_t check_due_ms; // when it is looked at again; 0: not known yet
};

struct service {
	struct service_config config;
	struct service_signer signer;
	struct store *store;
	struct trees trees;
	uint32_t incarnation; // of the feed's positions; cursors carry it
	uint64_t start_ms;

	// Time. `held_at_ms` stands still while the clock is held.
	uint64_t now_ms, held_at_ms, jump_ms_max, next_tick_ms, next_timer_ms, next_trim_ms;
	uint32_t next_trim_vendor;
	bool clock_held;

	// The running batch.
	bool in_batch, wrote;
	uint64_t compact_origin; // of an operator's request to compact, to be done after the commit
	bool compact;
	struct arena arena;   // decoded rows, messages, replies; reset by service_begin
	struct detail detail; // of the error about to be returned
	struct vendor vendor; // the sender of a vendor's command
	struct outbox outbox;

	// Derived.
	struct index *index;
	struct index_hits hits;                                // of the latest event,
	struct match_header hits_of;                           // which is this one; kind 0: they are out of date
	struct listener *listeners;                            // numbered as in the index
	uint32_t listener_count, listener_room, listener_free; // free ones are looked for from listener_free on
	struct id_map listener_numbers;
	struct confirmed confirmed;
	struct vendor_note *vendors;
	uint32_t vendor_count, vendor_room;
	struct id_map vendor_numbers;
	struct waiting_set waiting;
	struct estimate estimate;
	struct feed_tail tail;

	struct guardian guardian;

	struct parking parking;
	struct relay_limits *relay_limits; // NULL until somebody relays
	struct boxes boxes;
	uint32_t brokers_in_conflict;
	atomic_size_t batches_under_way; // push batches somebody holds
	struct url_checks url_checks;
	struct scan *scans, **scans_end; // asked for and not taken yet, in order
	struct fetch_cache *fetch_cache;
	struct service_numbers numbers, numbers_before; // before: as of service_begin, for a failed commit
};

// Subscriptions removed stay as rows for a day, so that a late duplicate does not bring them back.
#define SUBSCRIPTION_REMOVED UINT64_MAX // as start_seq
#define SUBSCRIPTION_FORGET_MS DAY_MS

// A record seen for the first time must be fresh; repeats are recognised before this is asked. ERR_STALE.
enum err check_fresh(const struct service *service, const struct command *command);
// The time that deadlines are held against: stands still while the clock is held.
uint64_t due_now_ms(const struct service *service);

// ---- derived.c
enum err derived_load(struct service *service);
void derived_unload(struct service *service);
struct listener *listener_find(struct service *service, const struct id *id);
struct listener *listener_add(struct service *service, const struct subscription *row);
// For loading: room for `count` in all, and one whose filter was read already; NULL if it means nothing.
void listeners_reserve(struct service *service, size_t count);
struct listener *listener_load(struct service *service, const struct subscription *row, const struct filter *filter);
void listener_remove(struct service *service, struct listener *listener);
struct vendor_note *vendor_note_of(struct service *service, const struct id *id); // made when missing

// ---- intents.c
// Finds an intent and ends it first if its time is over.
bool intent_load(struct service *service, const struct id *id, struct intent *out);
bool intent_load_released(struct service *service, const struct release_id *release, struct intent *out);
// Its mailbox and post can still be read.
bool intent_readable(const struct intent *intent);
// Ends a live intent: stops delivery, tells those who should know, wipes what may be wiped, stores the row.
// ERR_GONE, ERR_DEAL_OPEN: nothing happened.
enum err intent_end(struct service *service, struct intent *intent, enum intent_event event);
// After a deal of the intent ended: concludes it, wipes it if it ended before; stores the row.
void intent_after_deal(struct service *service, struct intent *intent);
// Tells vendors with open offers that the places are taken; ends the release in the feed.
void intent_became_taken(struct service *service, struct intent *intent);
// The customer's named lists keep this vendor out.
bool vendor_excluded(struct service *service, const struct intent *intent, const struct id *vendor);
// Tells vendors with open offers that it is over.
void tell_losers(struct service *service, const struct intent *intent, Oyez__GoneReason reason);
void reply_status(struct service *service, const struct command *command, const struct intent *intent);
// The Status as a box tells it: without an estimate, which changes all the time.
ProtobufCBinaryData status_bytes(struct service *service, const struct intent *intent);

// ---- answers.c
// May the sending vendor answer this release now, by an offer or a question? Loads the intent. *excluded: the message
// is to be acknowledged and dropped. ERR_NOT_FOUND, ERR_NOT_RELEASED, ERR_GONE, ERR_TERMS_REFUSED, ERR_RULES_REFUSED,
// ERR_VENDOR_LIMIT.
enum err answer_check(struct service *service, const struct release_id *release, struct intent *intent, bool *excluded);
struct question_list {
	struct question *items;
	size_t count;
};
struct question_list questions_of(struct service *service, const struct id *intent);
// The message as it goes into the customer's mailbox.
void answer_deliver(struct service *service, struct intent *intent, bool offer, Oyez__VendorMessage *message,
                    uint64_t *mailbox_seq);

// ---- tokens.c
// May this post be stored, by its token or stamp? ERR_TOKEN_MISSING, ERR_TOKEN_BAD, ERR_TOKEN_EXPIRED, ERR_TOKEN_SPENT,
// ERR_STAMP_BAD.
enum err right_check(struct service *service, const struct command *command);
void issued_trim(struct service *service);

// ---- offers.c
struct offer_list {
	struct offer *items;
	size_t count;
};
struct offer_list offers_of(struct service *service, const struct id *intent);
bool offer_open(const struct service *service, const struct offer *offer);
// The deal on it lapsed: it may be accepted again, unless it is too old or the vendor has sent a newer one.
void offer_reopen(struct service *service, const struct id *id);

// ---- deals.c
struct deal_list {
	struct deal *items;
	size_t count;
};
struct deal_list deals_of(struct service *service, const struct id *intent);
// The customer withdrew before the countersignature. Stores the deal, not the intent.
void deal_cancel(struct service *service, struct intent *intent, struct deal *deal);
void deal_timeout(struct service *service, const struct id *id);
// Before its intent is forgotten: concluded deals stay, for what may come after them.
void deals_outlive(struct service *service, const struct intent *intent);

// ---- deal_records.c: what the parties say to each other after the deal
// The deal of a deal record, sent by who holds its agreement key. ERR_NOT_FOUND, ERR_NOT_YOURS.
enum err deal_of_customer(struct service *service, const struct command *command, struct deal *deal);
// The deal a vendor's record names. ERR_NOT_FOUND, ERR_NOT_YOURS.
enum err deal_of_vendor(struct service *service, const struct command *command, ProtobufCBinaryData id,
                        struct deal *deal);
// An inbox item about it; names the release as long as the intent is known.
Oyez__InboxItem deal_inbox_item(struct service *service, const struct deal *deal);
// Appends to the deal's box and wakes the reader. `after` is the caller's to store.
uint64_t deal_box_add(struct service *service, struct deal_after *after, const Oyez__DealItem *item);
bool deal_box_resume(struct service *service, struct parked *parked, bool final);
void deal_forget(struct service *service, const struct id *id);

// ---- suspensions.c
// Tells the customers of live intents that have an open deal or offer of this vendor.
void suspension_tell(struct service *service, const struct id *vendor, const char *reason);

// ---- erasures.c
void erasure_overdue(struct service *service, const struct id *deal);

// ---- standing.c
// One more of what `member` counts, such as offsetof(struct standing, offers).
void standing_count(struct service *service, const struct id *vendor, size_t member);
#define STANDING_COUNT(service, vendor, member) standing_count(service, vendor, offsetof(struct standing, member))
// A rating for a concluded deal.
void standing_rate(struct service *service, const struct id *vendor, uint32_t stars);
// As shown to people; good until the next call for this vendor. NULL if out of memory.
Oyez__Signed *standing_signed(struct service *service, const struct id *vendor);
void standing_forget(struct vendor_note *note);
// What the vendor's own site said of it (UrlCheck), or that nobody has asked the present one yet.
void standing_checked(struct service *service, const struct id *vendor, uint8_t check, uint64_t at_ms);

// ---- url_checks.c
bool url_check_resume(struct service *service, struct parked *parked, bool final);
// ---- relay.c
// What an account may ask of others costs it: ERR_BUSY when it asked too much lately.
enum err relay_spend(struct service *service, const struct id *account);

// ---- release_message.c
// What a release shows, as a message in the arena. `keys`: with intent and reply key (a tombstone goes without).
Oyez__Release *release_message(struct service *service, const struct intent *intent, bool keys);
void release_header(const struct intent *intent, struct match_header *header);

// ---- confirmed.c
void confirmed_note(struct service *service, struct listener *listener, uint64_t seq);
uint64_t confirmed_next_ms(const struct service *service); // UINT64_MAX: never
void confirmed_write_due(struct service *service);         // a bounded slice
void confirmed_write_all(struct service *service);
void confirmed_forget(struct service *service);

// ---- feed.c
// Publishes it: sets release_seq.
void feed_release(struct service *service, struct intent *intent);
// A record just appended: remembers it, finds whom it reaches, wakes them.
void feed_announce(struct service *service, const struct match_header *header, uint64_t seq, struct bytes bytes);
// Ends it: release_seq becomes 0, since nothing of it stands in the feed any more. Once per release.
void feed_tombstone(struct service *service, struct intent *intent, enum _Oyez__GoneReason reason);
// Nothing of the release at `seq` is delivered any more; its header stays.
void feed_purge(struct service *service, uint64_t seq, enum _Oyez__GoneReason reason);
// The tombstone alone, from what vendors know of the release: with nothing left of it in the feed.
void feed_tombstone_append(struct service *service, const struct match_header *release_header,
                           const Oyez__Release *release, enum _Oyez__GoneReason reason);
// A tombstone's own bytes: when it was made and which release it ends.
bool feed_tombstone_read(struct service *service, struct bytes bytes, uint64_t *at_ms, Oyez__Release **release);
void feed_trim(struct service *service);    // a bounded slice
void inboxes_trim(struct service *service); // a bounded slice
// Numbers every header anew after a change of the taxonomy.
void feed_renumber(struct service *service);

// ---- fetch.c
void cursor_encode(const struct service *service, uint64_t seq, uint8_t out[CURSOR_BYTES]);
bool fetch_resume(struct service *service, struct parked *parked, bool final);
// Its scan is over. True if it was answered.
bool fetch_scanned(struct service *service, struct parked *parked, const struct scan *scan);

// ---- fetch_reply.c: the answer to a fetch, made once for all who get the same
struct pick {
	uint64_t seq;
	struct tail_item item;
	uint32_t pair, maybe;
};
// A FeedItem as it stands in every answer: without `pair` and `maybe`. In the arena; false if the row is damaged.
bool feed_item_encode(struct service *service, uint64_t seq, const struct match_header *header, struct bytes bytes,
                      struct tail_item *out);
void reply_fetch(struct service *service, uint64_t origin, const struct pick *picks, size_t count,
                 const struct fetch_pair *pairs, size_t pair_count, bool more);
void fetch_cache_free(struct fetch_cache *cache);

// ---- scans.c: between the handlers and those who run scans
// `parked` waits for it from now on; the scan is let out after the commit.
void scan_start(struct service *service, struct parked *parked, struct scan *scan);
// The commit failed or the service ends.
void scans_drop(struct service *service);

// ---- would_match.c
bool would_match_resume(struct service *service, struct parked *parked, bool final);
void would_match_scanned(struct service *service, struct parked *parked, const struct scan *scan);

// ---- mailbox.c, inbox.c
// Appends and wakes the reader. The intent's row is the caller's to store.
uint64_t mailbox_add(struct service *service, struct intent *intent, const Oyez__MailboxItem *item);
bool mailbox_resume(struct service *service, struct parked *parked, bool final);
void inbox_add(struct service *service, const struct id *vendor, const Oyez__InboxItem *item);
bool inbox_resume(struct service *service, struct parked *parked, bool final);

// ---- guardian*.c
bool account_known(struct service *service, const struct id *account);
void account_forget(struct service *service, const struct id *id); // if it was not used for a year
uint32_t vouchers_today(const struct service *service, const struct account_note *account);
void vouchers_trim(struct service *service); // of days before; a bounded slice
void box_store(struct service *service, const struct box_note *box);
// At the end of its time. How many cells went with it.
uint32_t box_forget(struct service *service, const struct id *id, uint64_t at_ms);
bool boxes_resume(struct service *service, struct parked *parked, bool final);

// ---- boxes.c: filled as a home
// Of a post. ERR_BAD_VALUE, ERR_GUARDIAN_UNKNOWN.
enum err box_check(struct service *service, const Oyez__Post *post);
void box_keep(struct service *service, const struct intent *intent, const Oyez__Post *post);
// Its schedule begins; or never does, since the intent ended unreleased.
void box_release(struct service *service, const struct intent *intent);
void box_drop(struct service *service, const struct intent *intent);
void boxes_run(struct service *service); // a bounded slice
uint64_t boxes_next_ms(const struct service *service);
uint64_t boxes_bytes_per_intent_day(const struct service *service);
void boxes_load(struct service *service);
void boxes_unload(struct service *service);

// ---- box_stream.c
// The next BoxPlain, serialised; its size.
size_t box_fill(struct service *service, struct pushed_box *box, uint8_t message[BOX_MESSAGE_BYTES_MAX]);

// ---- relay.c
void relay_limits_free(struct relay_limits *limits);

// ---- vendors.c
Oyez__VouchedListing *vouched_listing(struct service *service, const struct vendor *vendor);
Oyez__Signed *sign_message(struct service *service, const char *tag, const ProtobufCMessage *message);

// ---- derived.c: a release for the estimate; the waived who left alone count for nobody
void estimate_release(struct service *service, const struct facets *facets, uint32_t crowd, uint64_t at_ms);

// ---- tick.c, timers.c
void tick_run(struct service *service);
uint64_t tick_after(const struct service *service, uint64_t now_ms);
void timers_run(struct service *service); // a bounded slice

// Handlers: one per line of COMMAND_LIST. They return an error, or reply, or park the request.
#define X(KIND, handler, type, form)                                                                                   \
	enum err handler(struct service *service, const struct command *command, const type *message);
COMMAND_LIST(X)
#undef X

#endif
