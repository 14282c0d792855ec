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
	struct transport *transport;
	char *url;              // without "#KEY"
	uint8_t key[KEY_BYTES]; // once met
	bool met;
	uint64_t down_until_ms; // monotonic: not tried again before
	struct oyez_error down;
};

struct oyez_customer {
	struct wallet *wallet;
	char *broker; // as given, with "#KEY"; NULL if it was not
	struct connection *connections;
	bool patient;     // an agent: comes back to unreachable brokers
	enum err trouble; // what an agent told last
	volatile bool woken;
	bool changed; // something came in this sync
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

// ---- customer_answer.c
// Answers waiting details requests by policy. Within wallet_begin and commit.
void answers_by_policy(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                       uint64_t now_ms);

// ---- customer_deal.c
// The countersignature and its outcome verified: puts the sealed card among what is pending. Within begin and commit.
enum err deal_countersigned(struct oyez_customer *customer, const struct intent_keys *keys,
                            const Oyez__Countersigned *countersigned, uint64_t now_ms);
void deal_lapsed(struct oyez_customer *customer, const struct intent_keys *keys, const Oyez__Signed *outcome,
                 uint64_t now_ms);

// ---- customer_post.c
// Facets as they would be broadcast at a tick now.
json_t *broadcast_json(const Oyez__Post *post, uint64_t now_ms);

// ---- customer_view.c
const char *intent_status_word(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent);
const char *deal_status_word(const Oyez__Wallet__Deal *deal);
json_t *intent_json(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent);
json_t *deal_json(const Oyez__Wallet__Deal *deal);
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
// ---- scrub.c
// Applies a policy to a text (may be NULL). *masked is the text to send instead, malloc'd, or NULL: as it is.
// ERR_PII_FOUND with the kinds as detail.
enum err text_scrub(const char *text, enum oyez_pii pii, bool french, char **masked, struct oyez_error *error);
void text_masked_free(char *masked); // wipes

