// Is a vendor who its address says? The home broker's word came with the message, signed (Standing). With two brokers
// the guardian is asked as well, only when something is about to be given: so one lying broker is not enough to pass
// somebody off as somebody else, and the guardian learns of no vendor but those a person deals with.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"

enum { LOOK_WAIT_MS = 30000 }; // a guardian looks for 20 s at most

// What is stored: 0 is not asked, else UrlCheck + 1.
static uint32_t stored(Oyez__UrlCheck check)
{
	return (uint32_t)check + 1;
}

Oyez__UrlCheck vendor_checked(const ProtobufCBinaryData *signed_standing, uint32_t guardian_check)
{
	Oyez__Standing *standing = standing_of(signed_standing);
	Oyez__UrlCheck home = standing ? standing->url_check : OYEZ__URL_CHECK__URL_UNCHECKED;
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
	if (!guardian_check)
		return home;
	Oyez__UrlCheck guardian = (Oyez__UrlCheck)(guardian_check - 1);
	if (home == OYEZ__URL_CHECK__URL_DENIES || guardian == OYEZ__URL_CHECK__URL_DENIES)
		return OYEZ__URL_CHECK__URL_DENIES;
	if (home == OYEZ__URL_CHECK__URL_CONFIRMED && guardian == OYEZ__URL_CHECK__URL_CONFIRMED)
		return OYEZ__URL_CHECK__URL_CONFIRMED;
	if (home == OYEZ__URL_CHECK__URL_SILENT || guardian == OYEZ__URL_CHECK__URL_SILENT)
		return OYEZ__URL_CHECK__URL_SILENT;
	return OYEZ__URL_CHECK__URL_UNCHECKED;
}

// The guardian's word on a listing; URL_UNCHECKED when it has none to give.
static Oyez__UrlCheck ask_guardian(struct oyez_customer *customer, const struct intent_keys *keys,
                                   const Oyez__Listing *listing)
{
	struct connection *guardian;
	Oyez__UrlCheck check = OYEZ__URL_CHECK__URL_UNCHECKED;
	if (guardian_for(customer, keys, &guardian, NULL))
		return check;
	Oyez__CheckVendor ask = OYEZ__CHECK_VENDOR__INIT;
	ask.url = listing->url;
	ask.vendor_key = listing->vendor_key;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_CHECK_VENDOR;
	record.check_vendor = &ask;
	Oyez__GuardianReply *reply = NULL;
	if (transport_account(guardian->transport, &record, LOOK_WAIT_MS, &reply, NULL) == ERR_OK &&
	    reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_VENDOR_CHECK)
		check = reply->vendor_check->check;
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return check <= OYEZ__URL_CHECK__URL_DENIES ? check : OYEZ__URL_CHECK__URL_UNCHECKED;
}

// ---- an offer or a question, found again after the wallet may have been read anew

struct about {
	struct id id;
	bool is_offer;
};

struct parts {
	Oyez__Wallet__Intent *intent;
	const ProtobufCBinaryData *listing, *standing, *vendor_key;
	uint32_t *guardian_check;
};

static bool parts_of(struct oyez_customer *customer, const struct about *about, struct parts *parts)
{
	if (about->is_offer) {
		Oyez__Wallet__Offer *offer = wallet_offer(customer->wallet, &about->id, &parts->intent);
		if (offer)
			*parts = (struct parts){parts->intent, &offer->listing, &offer->standing, &offer->vendor_key,
			                        &offer->guardian_check};
		return offer != NULL;
	}
	Oyez__Wallet__Question *question = wallet_question(customer->wallet, &about->id, &parts->intent);
	if (question)
		*parts = (struct parts){parts->intent, &question->listing, &question->standing, &question->vendor_key,
		                        &question->guardian_check};
	return question != NULL;
}

static void keep(struct oyez_customer *customer, const struct about *about, Oyez__UrlCheck check)
{
	struct parts parts;
	if (wallet_begin(customer->wallet, NULL))
		return;
	if (parts_of(customer, about, &parts))
		*parts.guardian_check = stored(check);
	wallet_commit(customer->wallet, NULL);
}

// Asks the guardian where there is one, and judges by all that is known then.
static enum err verify(struct oyez_customer *customer, const struct about *about, struct oyez_error *error)
{
	struct parts parts;
	struct intent_keys keys;
	if (!parts_of(customer, about, &parts))
		return oyez_error_set(error, ERR_NOT_FOUND, NULL);
	Oyez__Listing *listing = listing_of(parts.listing);
	if (!listing)
		return oyez_error_set(error, ERR_WALLET_DAMAGED, "listing");
	enum err err = ERR_OK;
	if (parts.vendor_key->len != KEY_BYTES || listing->vendor_key.len != KEY_BYTES ||
	    memcmp(parts.vendor_key->data, listing->vendor_key.data, KEY_BYTES) != 0)
		err = ERR_VENDOR_MISMATCH;
	bool home_denies = vendor_checked(parts.standing, 0) == OYEZ__URL_CHECK__URL_DENIES;
	struct id intent = field_id(&parts.intent->id);
	if (!err && !home_denies && parts.intent->guardian_key.len &&
	    intent_keys_load(customer, &intent, &keys, NULL) == ERR_OK) {
		keep(customer, about, ask_guardian(customer, &keys, listing));
		intent_keys_wipe(&keys);
	}
	if (!err && (!parts_of(customer, about, &parts) ||
	             vendor_checked(parts.standing, *parts.guardian_check) == OYEZ__URL_CHECK__URL_DENIES))
		err = ERR_VENDOR_MISMATCH;
	if (err)
		oyez_error_set(error, err, "%.160s", listing->url);
	oyez__listing__free_unpacked(listing, NULL);
	return err;
}

enum err vendor_verify_offer(struct oyez_customer *customer, const struct id *offer, struct oyez_error *error)
{
	return verify(customer, &(struct about){*offer, true}, error);
}

enum err vendor_verify_question(struct oyez_customer *customer, const struct id *question, struct oyez_error *error)
{
	return verify(customer, &(struct about){*question, false}, error);
}

// ---- by policy

bool vendor_may_have_details(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *question)
{
	if (intent->guardian_key.len && !question->guardian_check)
		return false; // first the guardian is asked
	return vendor_checked(&question->standing, question->guardian_check) != OYEZ__URL_CHECK__URL_DENIES;
}

// The next waiting question whose vendor the guardian was not asked about; false if there is none.
static bool next_unasked(struct oyez_customer *customer, struct about *about, struct id *intent_id)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		const Oyez__Wallet__Intent *intent = file->intents[i];
		if (!intent->guardian_key.len || !intent->seed.len)
			continue;
		for (size_t j = 0; j < intent->n_questions; j++) {
			const Oyez__Wallet__Question *question = intent->questions[j];
			if (!question->guardian_check && answer_is_wanted(intent, question)) {
				*about = (struct about){.id = field_id(&question->id)};
				*intent_id = field_id(&intent->id);
				return true;
			}
		}
	}
	return false;
}

static void answer_now(struct oyez_customer *customer, const struct id *intent_id)
{
	struct intent_keys keys;
	if (wallet_begin(customer->wallet, NULL))
		return;
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, intent_id);
	if (intent && intent_keys_load(customer, intent_id, &keys, NULL) == ERR_OK) {
		if (keys.alive && keys.released)
			answers_by_policy(customer, intent, &keys, customer_now_ms(customer));
		intent_keys_wipe(&keys);
	}
	wallet_commit(customer->wallet, NULL);
}

void vendors_look_up(struct oyez_customer *customer)
{
	enum { ONE_GO_MAX = 64 };
	struct about about;
	struct id intent;
	for (int i = 0; i < ONE_GO_MAX && next_unasked(customer, &about, &intent); i++) {
		enum err err = verify(customer, &about, NULL);
		struct parts parts;
		if (err)
			customer_problem(customer, &intent, err, "question");
		// A home that denies, or records that cannot be read: not asked again at each look.
		if (parts_of(customer, &about, &parts) && !*parts.guardian_check)
			keep(customer, &about, OYEZ__URL_CHECK__URL_UNCHECKED);
		if (!err)
			answer_now(customer, &intent);
	}
}
