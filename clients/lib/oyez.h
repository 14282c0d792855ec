// liboyez, the customer's side: a wallet on disk, intents, offers, deals. (Vendors: oyez_vendor.h.)
//
//   oyez_wallet_create(home, "", &error);
//   oyez_customer_open(home, "", "tcp://127.0.0.1:7710", &customer, &error);
//   struct oyez_want want;
//   oyez_want_init(&want);
//   want.category = "home.kitchen.coffee-machine"; want.region = "FR-56"; want.text = "quiet, with a grinder";
//   oyez_post(customer, &want, &result, &error);                  // {"intent":..., "status":"waiting", ...}
//   oyez_sync(customer, NULL, 60000, &changed, &error);           // waits for offers, answers by policy, reveals
//   oyez_offers(customer, intent, "price", &offers, &error);      // [{"offer":..., "price":{...}, ...}]
//   oyez_accept(customer, offer, card, NULL, NULL, &result, &error);
//
// Every function returns 0 (ERR_OK) or an error code of proto/err.h, and then fills `error` (may be NULL) with its
// detail. Results are jansson objects or arrays in the form of the command line contract; they are the caller's, who
// drops them with json_decref. Strings given are copied when kept. Ids are lower-case hex; a beginning of at least six
// digits will do. Nothing is printed. Not thread-safe: one customer, one thread. Several programs may use the same
// home at once: every change is made under a lock on freshly read records.
//
// What is sent is on disk before it leaves. A request that was not acknowledged (ERR_UNREACHABLE and the like) stays
// pending, and every later call that talks to the broker sends the same bytes again first.
#ifndef OYEZ_H
#define OYEZ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/lib/error.h"

#define OYEZ_BROKER_DEFAULT "tcp://127.0.0.1:7710"

// ---- the wallet

// A new, empty wallet in `home` (made with mode 0700). An empty passphrase leaves the file unprotected but for its
// mode 0600. ERR_WALLET_EXISTS, ERR_IO.
enum err oyez_wallet_create(const char *home, const char *passphrase, struct oyez_error *error);
// Is there a wallet that needs a passphrase?
bool oyez_wallet_is_locked(const char *home);
// A copy in `file` (must not exist yet), encrypted with the same passphrase, without unused tokens and their keys.
enum err oyez_wallet_backup(const char *home, const char *passphrase, const char *file, struct oyez_error *error);
// Takes a backup into a home without a wallet. ERR_WALLET_EXISTS, ERR_WALLET_LOCKED, ERR_WALLET_DAMAGED.
enum err oyez_wallet_restore(const char *home, const char *passphrase, const char *file, struct oyez_error *error);

// ---- the customer

struct oyez_customer;

// Opens the wallet; connects to nobody yet. `broker` ("URL" or "URL#KEY") is where new intents go; NULL: the default.
// Intents that are under way stay with their own broker.
// ERR_WALLET_MISSING, ERR_WALLET_LOCKED, ERR_WALLET_DAMAGED, ERR_USAGE (no address).
enum err oyez_customer_open(const char *home, const char *passphrase, const char *broker, struct oyez_customer **out,
                            struct oyez_error *error);
// Two brokers: the guardian ("URL" or "URL#KEY") sees this machine's network address and an account, and carries what
// it cannot read; the home broker sees intents, and neither. New intents go through it; those under way stay with
// theirs. Without `broker` the guardian's only home is taken. ERR_USAGE: no address, or both are one broker.
enum err oyez_customer_set_guardian(struct oyez_customer *customer, const char *guardian, struct oyez_error *error);
// Does the broker for new intents say that it is a demonstration, where some callers are simulated? Asks it. What the
// functions below give of its intents then has "demo":true.
enum err oyez_demo(struct oyez_customer *customer, bool *demo, struct oyez_error *error);
void oyez_customer_close(struct oyez_customer *customer); // wipes keys from memory

// What happens while calls run: {"type":"offer"|"question"|"answered"|"countersigned"|"revealed"|"concluded"|
// "lapsed"|"withdrawn"|"released"|"ended"|"refused"|"problem"|"working"|"message"|"erasure"|"due"|"notice"|
// "vendor_suspended", "intent", ...}. `event` is borrowed.
typedef void (*oyez_handler)(void *context, const json_t *event);
void oyez_customer_on_event(struct oyez_customer *customer, oyez_handler handler, void *context);
// Makes a running oyez_sync return soon. May be called from a signal handler.
void oyez_customer_wake(struct oyez_customer *customer);

// ---- posting

enum oyez_share { OYEZ_SHARE_ASK, OYEZ_SHARE_AUTO, OYEZ_SHARE_NEVER };

// What to do when a free text holds what tells who somebody is (e-mail, telephone, account, address, ...).
enum oyez_pii {
	OYEZ_PII_REFUSE, // ERR_PII_FOUND, its detail naming the kinds; nothing leaves
	OYEZ_PII_MASK,   // each find replaced by its kind: "[e-mail]"
	OYEZ_PII_ALLOW,  // sent as it is: the person has seen the finds and wants it so
};
// What would be found: [{"kind","text","at"}], `at` in bytes. An empty array is no promise: rules cannot find names of
// people, nor an address told in words; show that to the person. ERR_NO_MEMORY.
enum err oyez_scrub(const char *text, json_t **found);

// What is wanted. oyez_want_init sets everything to "not said" and the defaults of the contract.
struct oyez_want {
	const char *text;              // details: given to chosen vendors only, never broadcast
	const char *category, *region; // required
	bool has_budget;
	int64_t budget_min_e4, budget_max_e4; // ten-thousandths; exact: only the 1-2-5 band around it is broadcast
	const char *currency;                 // NULL: the region's
	uint32_t needed_by_day;               // days since 1970-01-01, 0 = not said
	uint32_t quantity;                    // exact; only its band is broadcast
	const char *condition, *fulfilment;   // words of the contract, NULL = not said
	const char *language;                 // ISO 639-1, NULL: the region's
	const char *terms;                    // NULL: SD-BASE
	const char *reach;
	uint32_t crowd; // wished crowd, 0: the broker's
	bool waive_crowd;
	uint32_t coarsest_step;
	uint64_t patience_ms, expires_in_ms;
	uint32_t deals_max;
	const char *const *vendor_countries; // ISO 3166-1, any of
	size_t vendor_country_count;
	double min_rating;                       // stars, 0 = any
	const char *const *allow, *const *block; // vendor ids in hex; never published
	size_t allow_count, block_count;
	enum oyez_share share; // who gets the details without asking the person
	uint32_t share_max;    // of them, with OYEZ_SHARE_AUTO
	enum oyez_pii pii;     // identity found in `text`
};
void oyez_want_init(struct oyez_want *want);

// Exactly what vendors could see (of a sensitive category its top node and the country, nothing finer), without sending or storing anything. Needs no wallet: `customer` may be NULL.
enum err oyez_preview(struct oyez_customer *customer, const struct oyez_want *want, json_t **out,
                      struct oyez_error *error);
// {"intent","status","crowd":{"estimate","want"},"privacy":"reduced"|"separated"}, with
// "privacy_note":"tokens_just_issued" where its time links it to the asking for tokens. On ERR_UNREACHABLE and other errors that leave
// the intent pending *out is set as well, with "status":"pending"; on a refusal it is NULL and nothing is kept.
// ERR_UNKNOWN_CATEGORY and ERR_UNKNOWN_REGION carry three suggestions in the detail. ERR_PII_FOUND: want->pii.
enum err oyez_post(struct oyez_customer *customer, const struct oyez_want *want, json_t **out,
                   struct oyez_error *error);

// ---- the account at a guardian (without one: at a broker that asks for tokens)

// Opens it, with an invitation code or (NULL) by proof of work where the guardian takes that: then "working" is told as
// an event. Fetches a store of tokens where the home broker asks for them. An open account stays as it is.
// {"guardian","guardian_key","mode":"two_brokers"|"direct","open","opened_at","broker","tokens"}. ERR_INVITE_BAD,
// ERR_ACCOUNT_UNKNOWN (only an invitation will do).
enum err oyez_account_open(struct oyez_customer *customer, const char *invite, json_t **out, struct oyez_error *error);
// The same, with "vouchers_left", "vouchers_per_day", "boxes_open" and "homes":[{"broker","url"}]. Not open: "open":false.
enum err oyez_account_show(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// 16 more tokens for the home broker: the same, with "added" and "needed" (false: this broker asks for none).
// ERR_VOUCHER_LIMIT, ERR_VOUCHER_BAD, ...
enum err oyez_account_top_up(struct oyez_customer *customer, json_t **out, struct oyez_error *error);

// ---- staying in touch

// Sends what is pending, reads what came for one intent (NULL: all open ones), answers details requests by policy,
// reveals where a countersignature and its outcome are there. Waits up to wait_ms (real time) for something to come,
// and does the same for all other open intents while it waits; *changed (may be NULL) tells whether anything came.
enum err oyez_sync(struct oyez_customer *customer, const char *intent, uint64_t wait_ms, bool *changed,
                   struct oyez_error *error);
// One turn of an agent: oyez_sync over all open intents, with unreachable brokers reported as events and tried again.
enum err oyez_agent_step(struct oyez_customer *customer, uint64_t wait_ms, struct oyez_error *error);

// ---- looking: what the wallet knows, as of the last oyez_sync

enum err oyez_intents(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
enum err oyez_show(struct oyez_customer *customer, const char *intent, json_t **out, struct oyez_error *error);
// Who can see what of this intent, now.
enum err oyez_explain(struct oyez_customer *customer, const char *intent, json_t **out, struct oyez_error *error);
// `sort` is "price", "delivery", "rating", "co2" or NULL (as they came). Offers that can still be accepted or are.
enum err oyez_offers(struct oyez_customer *customer, const char *intent, const char *sort, json_t **out,
                     struct oyez_error *error);
// Details requests and free questions that wait for a person.
enum err oyez_questions(struct oyez_customer *customer, const char *intent, json_t **out, struct oyez_error *error);
enum err oyez_deals(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
enum err oyez_deal(struct oyez_customer *customer, const char *deal, json_t **out, struct oyez_error *error);
// Who received what, when, under which terms, for what, until when; what became of requests to erase; notices about it.
enum err oyez_ledger(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// The ledger as one document with all signed evidence, for oyez_verify.
enum err oyez_ledger_export(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// The same as JSON-LD: the fields of ISO/IEC TS 27560:2023 in terms of the Data Privacy Vocabulary.
enum err oyez_ledger_iso27560(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// Everything the wallet knows, but no secret keys and no tokens.
enum err oyez_export(struct oyez_customer *customer, json_t **out, struct oyez_error *error);

// ---- aliases: an e-mail address of its own for each deal

// {"pattern":"*@me.example"} or {"pattern":null}.
enum err oyez_alias_pattern(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// An address with one * before the @; "" takes it away. ERR_BAD_VALUE.
enum err oyez_alias_set_pattern(struct oyez_customer *customer, const char *pattern, struct oyez_error *error);
// True: acceptances give the card's own e-mail all the same.
void oyez_customer_plain_email(struct oyez_customer *customer, bool plain);
// Whose that alias is (the whole address, or its part before the @): {"alias","deal","vendor","vendor_name","since",
// "terms","given","proves",...}. ERR_NOT_FOUND.
enum err oyez_who(struct oyez_customer *customer, const char *alias, json_t **out, struct oyez_error *error);

// ---- after a deal

// A word to the vendor, by the deal's own sealed box: {"deal","status":"sent"|"pending"}. ERR_PII_FOUND: identity in
// `text`. ERR_NOT_COUNTERSIGNED, ERR_LAPSED, ERR_GONE (the deal's keys are destroyed), ERR_VENDOR_SUSPENDED, ERR_BUSY.
enum err oyez_message(struct oyez_customer *customer, const char *deal, const char *text, enum oyez_pii pii,
                      json_t **out, struct oyez_error *error);
// What was written, either way, as of the last look: [{"deal","from":"me"|"vendor","at","text","status"}].
enum err oyez_messages(struct oyez_customer *customer, const char *deal, json_t **out, struct oyez_error *error);
// Looks into the deal's box, and waits for something to come.
enum err oyez_deal_sync(struct oyez_customer *customer, const char *deal, uint64_t wait_ms, bool *changed,
                        struct oyez_error *error);
// Asks the vendor to delete, within 1 to 30 days (0: 30): {"deal","status":"asked"|"pending"|...}. While it is
// unanswered the same again is the same request. ERR_NOT_REVEALED, ERR_ERASURE_ANSWERED, ERR_BAD_VALUE.
enum err oyez_erase(struct oyez_customer *customer, const char *deal, uint64_t within_ms, json_t **out,
                    struct oyez_error *error);
// 1 to 5 stars, once. ERR_NOT_CONCLUDED, ERR_ALREADY_RATED.
enum err oyez_rate(struct oyez_customer *customer, const char *deal, unsigned stars, json_t **out,
                   struct oyez_error *error);
// The public notices of the brokers this wallet has dealt with, and what of its ledger each touches.
enum err oyez_notices(struct oyez_customer *customer, json_t **out, struct oyez_error *error);
// Asks for new ones now; what touches something, or does not verify, is told as an event.
enum err oyez_notices_fetch(struct oyez_customer *customer, struct oyez_error *error);

// ---- proofs, offline

// Checks all signed records in a document (an export, a receipt, a notice; its text): [{"record","ok","why",...}].
// `broker_key` (64 hex digits, may be NULL) is the broker's identity known from elsewhere; without it the one in the
// document is taken. *all tells whether there was something and every record holds. ERR_BAD_MESSAGE: no such document.
enum err oyez_verify(const char *text, size_t bytes, const char *broker_key, json_t **out, bool *all,
                     struct oyez_error *error);
// Overwrites and removes the wallet, its lock and its temporary file. ERR_WALLET_MISSING, ERR_IO.
enum err oyez_wallet_wipe(const char *home, struct oyez_error *error);

// ---- acting

// `text` NULL: the details stored with the intent (for a details request). ERR_PII_FOUND: identity in `text`.
enum err oyez_answer(struct oyez_customer *customer, const char *question, const char *text, json_t **out,
                     struct oyez_error *error);
// The same with another policy than OYEZ_PII_REFUSE for identity in `text`. Stored details were checked when posted.
enum err oyez_answer_with(struct oyez_customer *customer, const char *question, const char *text, enum oyez_pii pii,
                          json_t **out, struct oyez_error *error);
enum err oyez_decline(struct oyez_customer *customer, const char *offer, const char *reason, json_t **out,
                      struct oyez_error *error);
enum err oyez_withdraw(struct oyez_customer *customer, const char *intent, json_t **out, struct oyez_error *error);

// When a deal lapses by itself; 0: 24 h to countersign, 7 d to reveal.
struct oyez_deadlines {
	uint64_t countersign_in_ms, reveal_in_ms;
};
// Sign first, reveal second: sends the agreement with a commitment to the card. `card` is the JSON object's text;
// `fields` (comma-separated, NULL: all) limits what of it is given. The card leaves only after the vendor's
// countersignature and the broker's outcome were both verified, by a later oyez_sync.
// {"deal","status","offer","intent","not_needed"}: the last names fields given that the offer does not ask for;
//  ERR_BAD_CARD, ERR_OFFER_EXPIRED, ERR_OFFER_REPLACED, ERR_DEAL_LIMIT, ERR_TERMS_REFUSED, ...
enum err oyez_accept(struct oyez_customer *customer, const char *offer, const char *card, const char *fields,
                     const struct oyez_deadlines *deadlines, json_t **out, struct oyez_error *error);
// The same for an offer that asks for other terms: `terms` must name them, else ERR_TERMS_COUNTERED. NULL: those of the
// intent.
enum err oyez_accept_under(struct oyez_customer *customer, const char *offer, const char *card, const char *fields,
                           const char *terms, const struct oyez_deadlines *deadlines, json_t **out,
                           struct oyez_error *error);

// ---- the importer: import.h

#endif
