// The customer's side from the inside: what its files share. The public face is oyez.h.
#ifndef OYEZ_CLIENT_CUSTOMER_H
#define OYEZ_CLIENT_CUSTOMER_H

#include "clients/lib/oyez.h"
#include "clients/lib/transport.h"
#include "clients/lib/wallet.h"
#include "clients/lib/wallet_file.h"
#include "proto/hpke.h"
#include "proto/sign.h"
#include "proto/terms.h"

// A broker this program talks to.
struct connection {
	struct connection *next;
	struct connection *guardian; // a home broker: who carries it; NULL: talked to directly
	struct transport *transport;
	char *url;              // without "#KEY"
	uint8_t key[KEY_BYTES]; // once met
	bool met;
	uint64_t down_until_ms; // monotonic: not tried again before
	struct oyez_error down;
};

struct oyez_customer {
	struct wallet *wallet;
	char *broker;   // as given, with "#KEY"; NULL if it was not
	char *guardian; // the same; NULL: direct mode
	struct connection *connections;
	bool plain_email; // acceptances give the card's own e-mail, whatever the alias pattern
	bool patient;     // an agent: comes back to unreachable brokers
	enum err trouble; // what an agent told last
	volatile bool woken;
	bool changed; // something came in this sync
	// Through a guardian one intent's records leave at a time: two that left together would be seen together.
	const struct id *focus; // the one somebody waits for
	struct id relayed;      // whose left last
	uint64_t relay_after_ms; // monotonic: before that, no other's
	oyez_handler handler;
	void *handler_context;
};

// ---- customer.c
// An event for the handler; the object is taken over.
void customer_event(struct oyez_customer *customer, const char *type, const struct id *intent, json_t *event);
// {"type":"problem"}: something was refused as not genuine, and skipped.
void customer_problem(struct oyez_customer *customer, const struct id *intent, enum err code, const char *what);

// An intent's keys, copied out of the wallet so that they outlive its reloads. Wipe with intent_keys_wipe.
struct intent_keys {
	struct id id;
	struct sign_pair pair;
	struct hpke_pair reply;
	char broker_url[512];
	uint8_t broker_key[KEY_BYTES];
	bool broker_known, alive; // alive: the keys are still there
	bool two_brokers; // only ever reached through its guardian
	char guardian_url[512];
	uint8_t guardian_key[KEY_BYTES];
	struct release_id release;
	bool released;
	uint8_t terms_hash[HASH_BYTES];
};
enum err intent_keys_load(struct oyez_customer *customer, const struct id *id, struct intent_keys *keys,
                          struct oyez_error *error);
void intent_keys_wipe(struct intent_keys *keys);
// The roster's terms of an intent; NULL if this build does not carry them.
const struct terms *intent_terms(const Oyez__Wallet__Intent *intent);
Oyez__Post *intent_post(const Oyez__Wallet__Intent *intent); // free with oyez__post__free_unpacked; NULL if damaged
bool intent_is_open(const Oyez__Wallet__Intent *intent);

// The time of a broker that was met, else this machine's.
uint64_t customer_now_ms(struct oyez_customer *customer);

// ---- customer_demo.c
// "demo":true if the intent's broker says so.
void json_add_demo(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, json_t *object);

// ---- customer_connect.c
// The broker that new intents go to, met (configuration verified, identity pinned).
enum err connection_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error);
enum err connection_for(struct oyez_customer *customer, const struct intent_keys *keys, struct connection **out,
                        struct oyez_error *error);
// The address and, if known, the key of the broker for new intents, without talking to it.
void connection_default_known(struct oyez_customer *customer, char url[512], uint8_t key[KEY_BYTES], bool *known);
void connections_close(struct oyez_customer *customer);
// Errors after which the same bytes may still succeed later.
bool error_is_passing(enum err code);

// A broker at this address, met. `pinned` (may be NULL) is the key it must show unless `url` names one.
enum err connection_at(struct oyez_customer *customer, const char *url, const uint8_t *pinned, struct connection **out,
                       struct oyez_error *error);
// Fetches the configuration unless that was done, checks and remembers the identity.
enum err connection_meet(struct oyez_customer *customer, struct connection *connection, struct oyez_error *error);
void url_without_key(const char *text, char url[512]);

// ---- customer_guardian.c: two brokers
// The guardian given, met. ERR_USAGE in direct mode.
enum err guardian_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error);
// The guardian of an intent.
enum err guardian_for(struct oyez_customer *customer, const struct intent_keys *keys, struct connection **out,
                      struct oyez_error *error);
// A home broker behind a guardian. ERR_USAGE when both are one broker.
enum err connection_through(struct oyez_customer *customer, struct connection *guardian,
                            const uint8_t home_key[KEY_BYTES], struct connection **out, struct oyez_error *error);
// connection_default and connection_default_known with a guardian.
enum err home_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error);
void home_default_known(struct oyez_customer *customer, char url[512], uint8_t key[KEY_BYTES], bool *known);
// Who vouches, keeps the account: the guardian, in direct mode the broker itself.
struct connection *guardian_of(struct connection *home);

// ---- customer_account.c
// Gives the guardian's transport this wallet's account key, made and stored at the first time.
enum err account_ensure(struct oyez_customer *customer, struct connection *guardian, struct oyez_error *error);
// Opens the account unless it is open: with `invite`, or (NULL) by a stamp where the guardian takes those.
// ERR_ACCOUNT_UNKNOWN when only an invitation will do.
enum err account_open(struct oyez_customer *customer, struct connection *guardian, const char *invite,
                      struct oyez_error *error);
// Remembers the home used through a guardian last.
enum err account_note_home(struct oyez_customer *customer, const struct connection *guardian,
                           const uint8_t home_key[KEY_BYTES], struct oyez_error *error);
// A stamp, told as {"type":"working"}; ERR_TIMEOUT when woken.
enum err stamp_work(struct oyez_customer *customer, const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES],
                    uint64_t now_ms, uint32_t bits, uint8_t stamp[12], struct oyez_error *error);

// ---- customer_token.c
enum { TOKENS_FEW = 8 }; // with fewer usable ones, more are asked for
#define CORRECTION_MS (15 * MINUTE_MS) // how long a refused post's token waits for the corrected one
size_t tokens_usable(struct oyez_customer *customer, const uint8_t home_key[KEY_BYTES], uint64_t now_ms);
// Asks for one more batch, or goes on with the one begun.
enum err tokens_top_up(struct oyez_customer *customer, struct connection *home, struct oyez_error *error);
// Tokens past their time, of withdrawn keys, or of a refused post not corrected soon: dropped with their keys.
void tokens_drop(struct oyez_customer *customer, struct connection *home);
// Tops up where few are left, at a moment chosen at random before: by agents and other syncs.
void tokens_consider(struct oyez_customer *customer);

// ---- customer_right.c: what a post brings along: a token with its key, a stamp, a box
struct post_right {
	bool two_brokers, tokens_fresh; // fresh: asked for just now, so the post can be linked to the asking by time
	uint8_t guardian_key[KEY_BYTES];
	char guardian_url[512];
	bool with_token;
	uint8_t token[256], stamp[12], box_id[BOX_ID_BYTES];
	size_t token_bytes;
	uint64_t keep_until_ms;
};
// Before a post is written: account, tokens. Talks to the brokers.
enum err post_right_prepare(struct oyez_customer *customer, uint64_t now_ms, struct post_right *right,
                            struct oyez_error *error);
// The intent's key pair into keys->pair, and all that the post must bring into `post`, pointing into `right`.
enum err post_right_keys(struct oyez_customer *customer, struct post_right *right, struct intent_keys *keys,
                         Oyez__Post *post, uint64_t now_ms, struct oyez_error *error);
// Within begin and commit: takes the token out of the wallet and writes guardian and box into the intent. ERR_BUSY when
// another program took that token in between.
enum err post_right_take(struct oyez_customer *customer, const struct post_right *right, Oyez__Wallet__Intent *intent,
                         struct oyez_error *error);
// Within begin and commit, when a post was refused: a token that was not spent goes back with its key.
void post_right_give_back(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, enum err code,
                          uint64_t now_ms);
void post_right_wipe(struct post_right *right);
// "reduced" or "separated".
const char *privacy_word(const Oyez__Wallet__Intent *intent);

// ---- customer_box.c
// Opens an intent's box at its guardian, unless that was done.
enum err box_ensure(struct oyez_customer *customer, const struct intent_keys *keys, struct oyez_error *error);
// Reads all boxes at the guardians of these intents until there is nothing more, without waiting.
enum err boxes_sync(struct oyez_customer *customer, const struct id *intents, size_t count, const struct id *only,
                    struct oyez_error *error);
// Starts a long poll for all boxes at one guardian.
enum err boxes_poll(struct oyez_customer *customer, struct connection *guardian, uint32_t wait_ms,
                    struct transport_call **out, struct oyez_error *error);
// The schedule of an intent's box is over and a deal still open: its mailbox is read through the relay, now and then.
bool box_is_over(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, uint64_t now_ms);
// Chooses when that is done next.
void box_fallback_later(struct oyez_customer *customer, const struct id *id, uint64_t now_ms);

// ---- customer_pending.c
// Signs a record for a broker at a time: the Signed's bytes, malloc'd.
enum err record_sign(const struct sign_pair *pair, const uint8_t broker_key[KEY_BYTES], uint64_t now_ms,
                     Oyez__CustomerRecord *record, uint8_t **out, size_t *out_bytes);
// Adds a record to be sent, within wallet_begin and commit; signed at once when the broker is known.
enum err pending_add(struct oyez_customer *customer, const struct intent_keys *keys, const struct id *ref,
                     Oyez__CustomerRecord *record, uint64_t now_ms, struct id *pending_id);
// Sends everything pending in order, going on where one broker does not answer. With `watch` (may be NULL) only that
// record's passing error comes back, and *refused (may be NULL) gets what the broker said about it; else the first.
enum err pending_flush(struct oyez_customer *customer, const struct id *watch, struct oyez_error *refused,
                       struct oyez_error *error);
bool pending_has(struct oyez_customer *customer, const struct id *ref_or_intent);
// Through a guardian: must this intent's record wait, because another intent's left just now? What a person does or
// waits for (`urgent`) does not. Always false in direct mode.
bool relay_must_wait(struct oyez_customer *customer, const struct id *intent, bool urgent);

// ---- customer_action.c: something the person decides about an intent, as one record to be acknowledged
struct action {
	struct intent_keys keys;
	uint64_t now_ms;
	struct id pending;  // of the record added between begin and commit
	bool pending_still; // after a commit that failed in passing: it will be sent again
};
// Loads the keys (ERR_GONE when they are destroyed), takes the broker's time if it can, begins a change of the wallet.
enum err action_begin(struct oyez_customer *customer, const struct id *intent, struct action *action,
                      struct oyez_error *error);
void action_cancel(struct oyez_customer *customer, struct action *action);
// Commits, sends, and gives the broker's answer. Wipes the keys.
enum err action_commit(struct oyez_customer *customer, struct action *action, struct oyez_error *error);

// ---- customer_status.c: what acknowledgements, refusals and the broker's status mean for the records. Within
// wallet_begin and commit.
void apply_acknowledged(struct oyez_customer *customer, const Oyez__Wallet__Pending *pending,
                        const Oyez__CustomerReply *reply, uint64_t now_ms);
void apply_refused(struct oyez_customer *customer, const Oyez__Wallet__Pending *pending, enum err code,
                   uint64_t now_ms);
// ERR_BINDING_MISMATCH when the release shown is not this intent's.
enum err apply_status(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const Oyez__Status *status,
                      uint64_t now_ms);
// Ends it: status, time, keys destroyed unless a deal still needs them.
void customer_intent_end(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                         Oyez__Wallet__IntentStatus status, uint64_t now_ms);
bool deal_is_open(const Oyez__Wallet__Deal *deal);
bool intent_has_open_deal(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent);
void deal_set_state(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, Oyez__DealState state, uint64_t now_ms);
// Is anything past its time: keys of ended intents, and of deals whose retention and 30 days are over? With `destroy`
// (within begin and commit) destroys it.
bool keys_retire(struct oyez_customer *customer, uint64_t now_ms, bool destroy);

// ---- customer_verify.c: is a vendor's message what it claims to be?
struct vendor_note { // an opened and verified message of a vendor
	struct id id, vendor_id;
	uint8_t vendor_key[KEY_BYTES];
	uint8_t *signed_bytes; // the Signed, malloc'd
	size_t signed_count;
	Oyez__Offer *offer; // or
	Oyez__Question *question;
	Oyez__Listing *listing;
	const Oyez__Signed *standing; // verified; borrowed from the message; NULL: none
	enum err standing_err;        // why not, when there was one
};
enum err verify_vendor_message(const struct intent_keys *keys, const Oyez__VendorMessage *message, bool is_offer,
                               struct vendor_note *note);
void vendor_note_free(struct vendor_note *note);
enum err verify_listing(const uint8_t broker_key[KEY_BYTES], const Oyez__VouchedListing *vouched,
                        Oyez__Listing **listing);
enum err verify_outcome(const uint8_t broker_key[KEY_BYTES], const Oyez__Signed *signed_outcome, const struct id *deal,
                        Oyez__OutcomeResult *result, uint64_t *at_ms);
enum err verify_release(const struct intent_keys *keys, const uint8_t *bytes, size_t count, Oyez__Release **release);

// ---- customer_mailbox.c
// One mailbox reply into the wallet, with the answers and reveals that follow from it among what is pending.
enum err mailbox_apply(struct oyez_customer *customer, const struct intent_keys *keys, const Oyez__Mailbox *mailbox,
                       uint64_t now_ms, struct oyez_error *error);

// One item, verified; what does not verify is told as a problem. Within begin and commit.
void mailbox_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                  const Oyez__MailboxItem *item, uint64_t now_ms);

// ---- customer_answer.c
// Answers waiting details requests by policy. Within wallet_begin and commit.
void answers_by_policy(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                       uint64_t now_ms);

// Would the policy give this vendor the details, whatever is known of its address?
bool answer_is_wanted(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *question);

// ---- customer_deal.c
// The countersignature and its outcome verified: puts the sealed card among what is pending. Within begin and commit.
enum err deal_countersigned(struct oyez_customer *customer, const struct intent_keys *keys,
                            const Oyez__Countersigned *countersigned, uint64_t now_ms);
void deal_lapsed(struct oyez_customer *customer, const struct intent_keys *keys, const Oyez__Signed *outcome,
                 uint64_t now_ms);

// ---- customer_terms.c
bool listing_agrees(const Oyez__Listing *listing, const struct terms *terms);
// The terms a vendor offers instead of those asked for; NULL if it does not, or names none we know.
const struct terms *offer_counter(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer);
// May this offer's counter-offer of terms count? ERR_UNKNOWN_TERMS, ERR_TERMS_REFUSED (its listing does not agree to
// them), ERR_TERMS_COUNTERED (a second one, with others than the first).
enum err counter_check(const Oyez__Wallet__Intent *intent, const struct vendor_note *note);
// What differs from what was asked: for people to compare. null without a counter-offer.
json_t *counter_json(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer);
// Under which terms an acceptance would be. A counter-offer has to be `named`: ERR_TERMS_COUNTERED.
enum err acceptance_terms(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer, const Oyez__Listing *listing,
                          const char *named, const struct terms **out, struct oyez_error *error);

// ---- customer_alias.c: an e-mail address of its own for each deal
enum { ALIAS_RANDOM_LETTERS = 10, ALIAS_BYTES_MAX = 254 }; // 32 letters: 50 bits
enum err alias_pattern_check(const char *pattern, struct oyez_error *error);
void alias_make(const char *pattern, char out[ALIAS_BYTES_MAX + 1]);
// The card's text with `alias` as "email" (where an e-mail is in it, is needed, or is named in `fields`, or nothing was
// chosen), and as "alias". *out is malloc'd: wipe and free it. *used tells whether it is in. ERR_BAD_CARD.
enum err alias_into_card(const char *card, const char *fields, char *const *needs, size_t need_count,
                         const char *alias, char **out, char **out_fields, bool *used, struct oyez_error *error);

// ---- customer_after.c: what is said after a deal, signed by its agreement key
struct deal_keys { // copied out of the wallet; wipe with deal_keys_wipe
	struct id id, intent, vendor;
	struct release_id release;
	struct sign_pair pair; // agreement
	struct hpke_pair box;
	uint8_t vendor_key[KEY_BYTES], offer_key[KEY_BYTES], broker_key[KEY_BYTES];
};
// ERR_GONE when the keys were destroyed, ERR_NOT_FOUND.
enum err deal_keys_load(struct oyez_customer *customer, const struct id *id, struct deal_keys *keys,
                        struct oyez_error *error);
void deal_keys_wipe(struct deal_keys *keys);
enum err deal_connection(struct oyez_customer *customer, const struct id *intent, struct connection **out,
                         struct oyez_error *error);
enum err deal_record_sign(const struct deal_keys *keys, uint64_t now_ms, Oyez__DealRecord *record, uint8_t **out,
                          size_t *out_bytes);
// As pending_flush, for the records of all deals.
enum err deals_flush(struct oyez_customer *customer, const struct id *watch, struct oyez_error *refused,
                     struct oyez_error *error);

// ---- customer_deal_box.c: what the vendor says after a deal
enum { DEAL_POLLS_MAX = 8 };
// Reads the whole box of one deal into the wallet.
enum err deal_box_read(struct oyez_customer *customer, const struct id *deal, struct oyez_error *error);
// Those that are read at every look, newest first: directly reached, and not long over. How many.
size_t deals_polled(struct oyez_customer *customer, const struct id *intent, struct id ids[DEAL_POLLS_MAX]);
enum err deal_poll_start(struct oyez_customer *customer, const struct id *deal, uint32_t wait_ms,
                         struct connection **connection, struct transport_call **out);
// Reads the boxes of an intent's deals (NULL: all): those above, and one of those behind a guardian if it is due.
// Tells of retention that is over.
void deals_sync(struct oyez_customer *customer, const struct id *intent);
// One item of a box. Within begin and commit.
enum err deal_item_take(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                        const Oyez__DealItem *item);

// ---- customer_erasure.c
json_t *erasure_json(const Oyez__Wallet__Deal *deal, uint64_t now_ms); // null if none was asked for
enum err erasure_take(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                      const Oyez__DealItem *item);

// ---- customer_notices.c
// Of the brokers dealt with. Without `now` only of those over which something was given, and only where the last look
// was long ago.
void notices_sync(struct oyez_customer *customer, bool now);
// One reply of a broker, in the order asked. ERR_NOTICE_CHAIN. Within begin and commit.
enum err notices_take(struct oyez_customer *customer, Oyez__Wallet__Broker *broker, const Oyez__Notices *notices);
// Those that touch an entry of the ledger: [{"broker","number","at","text"}].
json_t *notices_touching(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal, const struct id *vendor,
                         uint64_t given_at_ms);
json_t *notice_json(struct oyez_customer *customer, const Oyez__Wallet__Broker *broker,
                    const Oyez__Wallet__Notice *record);

// ---- customer_standing.c: a vendor's public record
// Of this vendor, by this broker? ERR_BAD_SIGNATURE.
enum err standing_verify(const uint8_t broker_key[KEY_BYTES], const struct id *vendor, const Oyez__Signed *standing);
Oyez__Standing *standing_of(const ProtobufCBinaryData *signed_standing); // NULL if there is none
double standing_rating(const Oyez__Standing *standing); // stars; 0 with fewer than five ratings
// "rating", "vendor_record", "vendor_checked".
void json_add_standing(json_t *object, const ProtobufCBinaryData *signed_standing);
const char *url_check_word(Oyez__UrlCheck check);
void vendor_suspended_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                           const Oyez__VendorSuspended *suspended);

// ---- customer_withdrawal.c
void withdrawal_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const Oyez__Signed *proof);

// ---- customer_ledger.c, customer_records.c
json_t *ledger_of(struct oyez_customer *customer, const struct id *only);
Oyez__Agreement *agreement_of(const Oyez__Wallet__Deal *deal); // NULL if damaged
json_t *json_base64(const uint8_t *bytes, size_t count);
// All signed evidence in the wallet, for verify.h.
json_t *records_json(struct oyez_customer *customer);
json_t *brokers_json(struct oyez_customer *customer);

// ---- customer_vendor.c: is a vendor who its address says?
// The home's word and the guardian's together (guardian_check as stored: UrlCheck + 1, 0 if it was not asked).
Oyez__UrlCheck vendor_checked(const ProtobufCBinaryData *signed_standing, uint32_t guardian_check);
// Before something is given to who made an offer or a question: asks the guardian, if there is one. Not within begin and
// commit; the records may have been read anew afterwards. ERR_VENDOR_MISMATCH.
enum err vendor_verify_offer(struct oyez_customer *customer, const struct id *offer, struct oyez_error *error);
enum err vendor_verify_question(struct oyez_customer *customer, const struct id *question, struct oyez_error *error);
// For answers by policy: false while the guardian was not asked yet.
bool vendor_may_have_details(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *question);
// Asks guardians about vendors whose questions are answered by policy, and answers those.
void vendors_look_up(struct oyez_customer *customer);

// ---- scrub.c
// Applies a policy to a text (may be NULL). *masked is the text to send instead, malloc'd, or NULL: as it is.
// ERR_PII_FOUND with the kinds as detail.
enum err text_scrub(const char *text, enum oyez_pii pii, bool french, char **masked, struct oyez_error *error);
void text_masked_free(char *masked); // wipes

// ---- customer_post.c
// Facets as they would be broadcast at a tick now.
json_t *broadcast_json(const Oyez__Post *post, uint64_t now_ms);

// ---- customer_view.c
const char *intent_status_word(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent);
const char *deal_status_word(const Oyez__Wallet__Deal *deal);
json_t *intent_json(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent);
json_t *deal_json(const Oyez__Wallet__Deal *deal, uint64_t now_ms);
Oyez__Listing *listing_of(const ProtobufCBinaryData *vouched); // NULL if damaged
json_t *offer_json(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Offer *offer);
json_t *question_json(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *question);

// ---- card.c
// A card chosen from its file's text: compact JSON with only the fields named (NULL: all of them, and those of
// `needs` must be there). *card is malloc'd: wipe and free it. *names is a malloc'd array of malloc'd strings.
// ERR_BAD_CARD, ERR_TOO_LARGE, ERR_BAD_UTF8.
enum err card_select(const char *text, const char *fields, char *const *needs, size_t need_count, char **card,
                     char ***names, size_t *name_count, struct oyez_error *error);

#endif
