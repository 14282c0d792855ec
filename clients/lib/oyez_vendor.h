// The vendor's side of Oyez: hear what people want, make offers, close deals. Public header of liboyez.
//
// A vendor is a home folder with one file: identity key, listing, subscriptions, cursors, offers with their keys,
// deals with the cards revealed. One home belongs to one broker. Several programs may use one home at once.
//
//   oyez_vendor_init -> oyez_vendor_open -> register -> subscribe -> loop {
//       fetch releases -> offer / details / ask;   inbox -> countersign;   confirm what was processed }
//
// Promises: what is signed is on disk before it is first sent, and is resent byte for byte until the broker answered;
// an event comes again until it was confirmed; a card is on disk before its receipt leaves.
//
// Rules for callers: a handle is used by one thread at a time. Functions return ERR_OK or fill `error` (never NULL).
// Times are milliseconds since 1970, amounts ten-thousandths of the currency's unit. Ids are raw bytes; hex is for
// people. Functions block for at most 30 s unless they say otherwise.
#ifndef OYEZ_VENDOR_H
#define OYEZ_VENDOR_H

#include <jansson.h>

#include "proto/codec.h"
#include "proto/id.h"
#include "transport.h"

struct oyez_vendor;

struct oyez_vendor_options {
	const char *home;       // folder
	const char *broker;     // nng address, "#KEY" to pin its identity
	const char *passphrase; // NULL or "": the file is protected by its rights (0600) alone
};

// What the listing says, signed by the vendor and shown to customers.
struct oyez_vendor_profile {
	const char *name, *url;
	const char *country;      // ISO 3166-1 alpha-2
	const char *const *terms; // roster ids the vendor agrees to
	size_t term_count;
};

// Makes identity and listing. ERR_VENDOR_EXISTS, or what is wrong with the profile (ERR_BAD_VALUE, ERR_UNKNOWN_TERMS).
enum err oyez_vendor_init(const struct oyez_vendor_options *options, const struct oyez_vendor_profile *profile,
                          struct oyez_error *error);
// Reads the home; does not connect yet. ERR_VENDOR_MISSING, ERR_WALLET_LOCKED.
enum err oyez_vendor_open(const struct oyez_vendor_options *options, struct oyez_vendor **out,
                          struct oyez_error *error);
void oyez_vendor_close(struct oyez_vendor *vendor);

struct id oyez_vendor_identity(const struct oyez_vendor *vendor);
// The page that says at the vendor's own address who it is (PROTOCOL.md §14.5): {"oyez":1,"vendors":[...]}.
json_t *oyez_vendor_well_known(const struct oyez_vendor *vendor);
// The strings are the handle's; good until the next call with it.
struct oyez_vendor_profile oyez_vendor_profile(const struct oyez_vendor *vendor);

// Fetches and checks the broker's configuration (pinning its identity at first contact), then sends what earlier runs
// could not. The functions below do it by themselves. ERR_UNREACHABLE, ERR_BROKER_CHANGED, ERR_CONFIG_CONFLICT.
enum err oyez_vendor_connect(struct oyez_vendor *vendor, struct oyez_error *error);
uint64_t oyez_vendor_now_ms(struct oyez_vendor *vendor);
const char *oyez_vendor_broker_hex(struct oyez_vendor *vendor); // "" before first contact

// Registers the listing; again is harmless. *status is what the broker says of this vendor.
enum err oyez_vendor_register(struct oyez_vendor *vendor, Oyez__VendorStatus *status, struct oyez_error *error);
// ERR_VENDOR_UNKNOWN before registration.
enum err oyez_vendor_status(struct oyez_vendor *vendor, Oyez__VendorStatus *status, struct oyez_error *error);

// The same with the broker's word on what it saw this vendor do, its signature checked. *standing is freed with
// oyez__standing__free_unpacked; NULL if the broker gave none.
enum err oyez_vendor_show(struct oyez_vendor *vendor, Oyez__VendorStatus *status, Oyez__Standing **standing,
                          struct oyez_error *error);

// A new subscription with this filter. The events begin at its creation.
enum err oyez_vendor_subscribe(struct oyez_vendor *vendor, const Oyez__Filter *filter, bool for_bot, struct id *out,
                               struct oyez_error *error);
// A subscription made before with the same filter and `for_bot`; false if there is none.
bool oyez_vendor_find_subscription(const struct oyez_vendor *vendor, const Oyez__Filter *filter, bool for_bot,
                                   struct id *out);
enum err oyez_vendor_unsubscribe(struct oyez_vendor *vendor, const struct id *subscription, struct oyez_error *error);
// What the broker holds: calls `each` for every one.
enum err oyez_vendor_subscriptions(struct oyez_vendor *vendor,
                                   void (*each)(const Oyez__Subscription *subscription, void *context), void *context,
                                   struct oyez_error *error);

enum oyez_event_kind {
	OYEZ_EVENT_RELEASE,   // feed: somebody wants something
	OYEZ_EVENT_GONE,      // feed or inbox: withdrawn, expired, taken, or a deal lapsed
	OYEZ_EVENT_ANSWER,    // inbox: to a question
	OYEZ_EVENT_DETAILS,   // inbox: to a details request
	OYEZ_EVENT_DECLINED,  // inbox: an offer of ours
	OYEZ_EVENT_AGREEMENT, // inbox: signed by the customer, checked, to be countersigned
	OYEZ_EVENT_REVEAL,    // inbox: the card, checked and on disk
	OYEZ_EVENT_PROBLEM,   // a message that failed its checks: `problem` says why
	OYEZ_EVENT_MESSAGE,   // inbox: a word of the customer about a deal
	OYEZ_EVENT_ERASURE,   // inbox: delete what you hold of this deal, and sign that you did
};

struct oyez_event {
	enum oyez_event_kind kind;
	char cursor[40]; // where it stands in its stream
	uint64_t at_ms;
	struct release_id release_id;
	bool has_release_id;
	Oyez__Release *release;          // RELEASE; owned
	uint32_t maybe;                  // RELEASE: bits of facets that match only as unknown
	bool demo;                       // RELEASE: from a demonstration, where some callers are simulated
	const char *reason;              // GONE: static word
	struct id question, offer, deal; // as they apply
	bool has_question, has_offer, has_deal;
	char *text;                               // ANSWER, DETAILS, MESSAGE; DECLINED: the customer's reason; owned
	uint64_t answer_by_ms;                    // ERASURE
	uint64_t countersign_by_ms, reveal_by_ms; // AGREEMENT
	json_t *fields;                           // AGREEMENT: names of the card fields to come; owned
	char terms[24 + 1];                       // AGREEMENT
	uint32_t retention_days;                  // AGREEMENT, REVEAL: how long the card may be kept
	json_t *card;                             // REVEAL; owned
	struct oyez_error problem;                // PROBLEM
};
struct oyez_events {
	struct oyez_event *items;
	size_t count;
	bool more;         // ask again at once
	char position[40]; // cursor past which to go on; "" if it did not move
};
void oyez_events_free(struct oyez_events *events); // and zeroes
// The object that watch, inbox and bots see. The caller owns it.
json_t *oyez_event_json(const struct oyez_event *event);

// Each reader keeps its own place in every stream.
enum oyez_reader { OYEZ_READER_PERSON, OYEZ_READER_BOT };

// What matches a subscription, past cursor `after` (NULL: past what this reader confirmed). Waits up to wait_ms.
// Nothing there is ERR_OK with count 0. ERR_CURSOR_EXPIRED names the earliest cursor in the detail.
enum err oyez_vendor_fetch(struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                           const char *after, uint32_t max, uint64_t wait_ms, struct oyez_events *out,
                           struct oyez_error *error);
// The inbox, in order.
enum err oyez_vendor_inbox(struct oyez_vendor *vendor, enum oyez_reader reader, const char *after, uint32_t max,
                           uint64_t wait_ms, struct oyez_events *out, struct oyez_error *error);
// Everything up to `cursor` was processed: the next run goes on behind it. subscription NULL: the inbox.
enum err oyez_vendor_confirm(struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                             const char *cursor, struct oyez_error *error);
// How many past releases since then the filter would have matched. *out is freed with
// oyez__would_match_reply__free_unpacked.
enum err oyez_vendor_would_match(struct oyez_vendor *vendor, const Oyez__Filter *filter, uint64_t since_ms,
                                 Oyez__WouldMatchReply **out, struct oyez_error *error);
// Which conditions kept a release from a subscription; `failed` and `maybe` as bits have names in oyez_facet_bit_name.
enum err oyez_vendor_explain(struct oyez_vendor *vendor, const struct id *subscription,
                             const struct release_id *release, Oyez__Explanation **out, struct oyez_error *error);
const char *oyez_facet_bit_name(unsigned bit); // "category", ..; NULL past the last

// What an offer says. Numbers of -1 and NULL strings are "not said".
struct oyez_offer {
	int64_t price_e4, total_e4; // total 0: as the price
	const char *currency;       // NULL: the release's, else the usual one of the vendor's country
	const char *availability;   // "in_stock" and so on: oyez_availability_known
	int32_t delivery_days, co2_g, warranty_months, returns_days;
	const char *origin;    // ISO 3166-1
	uint64_t valid_ms;     // 0: three days
	const char *needs[16]; // card fields needed
	size_t need_count;
	const char *note;
	const char *terms; // other ones than asked for, a counter-offer; NULL: those
};
bool oyez_availability_known(const char *word);

// An offer for a release this home has seen. The same offer again, while it stands, is the same offer (same id).
// A different one replaces the older. ERR_NOT_FOUND, ERR_GONE, ERR_TERMS_REFUSED, ERR_VENDOR_LIMIT, ...
enum err oyez_vendor_offer(struct oyez_vendor *vendor, const struct release_id *release, const struct oyez_offer *offer,
                           struct id *out, struct oyez_error *error);
// A details request (text NULL) or a free question. A second details request for a release is the first one.
enum err oyez_vendor_ask(struct oyez_vendor *vendor, const struct release_id *release, const char *text, struct id *out,
                         struct oyez_error *error);
enum err oyez_vendor_withdraw_offer(struct oyez_vendor *vendor, const struct id *offer, struct oyez_error *error);
// Never after countersign_by (ERR_LAPSED). Again is harmless.
enum err oyez_vendor_countersign(struct oyez_vendor *vendor, const struct id *deal, struct oyez_error *error);

// What comes after a deal. A word to the customer, sealed to the box of the agreement. ERR_NOT_COUNTERSIGNED, ERR_BUSY.
enum err oyez_vendor_message(struct oyez_vendor *vendor, const struct id *deal, const char *text,
                             struct oyez_error *error);
// Answers an erasure. `ground` NULL: the card and everything else of the person is deleted from this home first, for
// good; then a receipt is signed and sent. Else it is refused, and `ground` names the law. Again is harmless.
// ERR_ERASURE_UNKNOWN, ERR_ERASURE_ANSWERED (the other way).
enum err oyez_vendor_answer_erasure(struct oyez_vendor *vendor, const struct id *deal, const char *ground,
                                    struct oyez_error *error);
// The same without sending: oyez_vendor_send_start does.
enum err oyez_vendor_answer_erasure_queue(struct oyez_vendor *vendor, const struct id *deal, const char *ground,
                                          bool *known, struct oyez_error *error);

struct oyez_deal {
	struct id id, offer;
	struct release_id release;
	const char *state; // "agreement" "countersigned" "revealed" "concluded" "lapsed"
	uint64_t at_ms, countersign_by_ms, reveal_by_ms;
	int64_t price_e4;
	const char *currency;
	json_t *card; // borrowed; NULL before the reveal
	char terms[24 + 1];
	uint32_t retention_days;
	const char *erasure; // "asked" "erased" "refused"; NULL if nobody asked
	uint64_t erasure_by_ms, erasure_at_ms; // at: of the answer, 0 before
};
enum err oyez_vendor_deals(struct oyez_vendor *vendor, void (*each)(const struct oyez_deal *deal, void *context),
                           void *context, struct oyez_error *error);

// The full id of something in this home from its first digits (at least six). ERR_NOT_FOUND, ERR_AMBIGUOUS,
// ERR_BAD_VALUE.
enum oyez_thing { OYEZ_THING_SUBSCRIPTION, OYEZ_THING_OFFER, OYEZ_THING_DEAL, OYEZ_THING_RELEASE };
enum err oyez_vendor_resolve(struct oyez_vendor *vendor, enum oyez_thing thing, const char *text, void *id,
                             struct oyez_error *error);

// Without waiting, for programs that do several things at once (clients/bot/ is the example): one fetch per
// subscription, one inbox read and any number of messages may be under way. Answers come through oyez_vendor_wait.
enum err oyez_vendor_fetch_start(struct oyez_vendor *vendor, const struct id *subscription, const char *after,
                                 uint32_t max, uint64_t wait_ms, struct oyez_error *error);
enum err oyez_vendor_inbox_start(struct oyez_vendor *vendor, const char *after, uint32_t max, uint64_t wait_ms,
                                 struct oyez_error *error);
// Queues only: nothing is on disk or sent before oyez_vendor_send_start, so many cost one write.
// *known: it was there already, and nothing needs to be sent.
enum err oyez_vendor_offer_queue(struct oyez_vendor *vendor, const struct release_id *release,
                                 const struct oyez_offer *offer, struct id *out, bool *known, struct oyez_error *error);
enum err oyez_vendor_ask_queue(struct oyez_vendor *vendor, const struct release_id *release, const char *text,
                               struct id *out, bool *known, struct oyez_error *error);
enum err oyez_vendor_countersign_queue(struct oyez_vendor *vendor, const struct id *deal, bool *known,
                                       struct oyez_error *error);
// Writes the home and sends everything queued and not under way.
enum err oyez_vendor_send_start(struct oyez_vendor *vendor, struct oyez_error *error);

enum oyez_done_kind {
	OYEZ_DONE_NOTHING, // time-out or woken
	OYEZ_DONE_FETCH,   // events of `subscription`
	OYEZ_DONE_INBOX,   // events
	OYEZ_DONE_OFFER,
	OYEZ_DONE_QUESTION,
	OYEZ_DONE_COUNTERSIGN,
	OYEZ_DONE_OTHER, // `object`: its id
};
struct oyez_done {
	enum oyez_done_kind kind;
	enum err result;
	struct oyez_error error;   // when result is not ERR_OK
	struct oyez_events events; // the caller's: oyez_events_free
	struct id subscription;
	struct id object;
};
// The next thing done, or OYEZ_DONE_NOTHING after timeout_ms. Call it until it says so: that is when the home is
// written.
void oyez_vendor_wait(struct oyez_vendor *vendor, uint64_t timeout_ms, struct oyez_done *done);
// Readable when oyez_vendor_wait has something to do. For poll only: do not read from it.
int oyez_vendor_fd(struct oyez_vendor *vendor);
// The cursor a reader goes on from; subscription NULL: the inbox.
void oyez_vendor_cursor(const struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                        char out[40]);
// What this home knows of a release: OYEZ__GONE_REASON__..., 0 while it stands; false if it was never seen.
bool oyez_vendor_release_state(const struct oyez_vendor *vendor, const struct release_id *release, int *gone);

#endif
