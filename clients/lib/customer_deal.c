// Sign first, reveal second. The agreement carries a commitment to the card; the card itself is sealed to the vendor
// at once, so that the wallet keeps no readable copy, but leaves only after two things were verified: the vendor's
// countersignature, and the broker's signed word that it came in time (PROTOCOL.md §8).
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/agreement.h"
#include "proto/seal.h"
#include "proto/values.h"

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes, .len = count};
}

// ---- what comes in

enum err deal_countersigned(struct oyez_customer *customer, const struct intent_keys *keys,
                            const Oyez__Countersigned *countersigned, uint64_t now_ms)
{
	struct id id = field_id(&countersigned->deal_id);
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &id);
	if (!deal || !field_is_id(&deal->intent_id, &keys->id))
		return ERR_NOT_FOUND;
	if (deal->state > OYEZ__DEAL_STATE__DEAL_ACCEPTED || deal->vendor_key.len != KEY_BYTES ||
	    deal->signature_hash.len != HASH_BYTES)
		return ERR_OK; // heard before
	Oyez__OutcomeResult result;
	uint64_t at_ms;
	enum err err = verify_outcome(keys->broker_key, countersigned->outcome, &id, &result, &at_ms);
	if (!err && result != OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED)
		err = ERR_NOT_COUNTERSIGNED;
	if (!err)
		err = countersign_check(deal->vendor_key.data, &id, deal->signature_hash.data, countersigned->signature.data);
	if (err)
		return err;

	size_t count = oyez__signed__get_packed_size(countersigned->outcome);
	uint8_t *outcome = wallet_alloc(count);
	oyez__signed__pack(countersigned->outcome, outcome);
	field_set(&deal->outcome, outcome, count);
	wallet_allocator.free(NULL, outcome);
	field_set(&deal->vendor_signature, countersigned->signature.data, countersigned->signature.len);
	deal->acknowledged = true;
	deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED, now_ms);
	if (now_ms >= deal->reveal_by_ms || deal->reveal.len == 0)
		return ERR_LAPSED;

	Oyez__Reveal reveal = OYEZ__REVEAL__INIT;
	reveal.deal_id = view(id.bytes, ID_BYTES);
	reveal.sealed = deal->reveal;
	Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
	body.body_case = OYEZ__CUSTOMER_RECORD__BODY_REVEAL;
	body.reveal = &reveal;
	return pending_add(customer, keys, &id, &body, now_ms, NULL);
}

void deal_lapsed(struct oyez_customer *customer, const struct intent_keys *keys, const Oyez__Signed *signed_outcome,
                 uint64_t now_ms)
{
	// The item names no deal outside the signed record: look inside before trusting it.
	Oyez__Outcome *outcome;
	if (codec_decode_outcome(NULL, signed_outcome->record.data, signed_outcome->record.len, &outcome, NULL))
		return;
	struct id id = field_id(&outcome->deal_id);
	oyez__outcome__free_unpacked(outcome, NULL);
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &id);
	Oyez__OutcomeResult result;
	uint64_t at_ms;
	enum err err = deal ? verify_outcome(keys->broker_key, signed_outcome, &id, &result, &at_ms) : ERR_NOT_FOUND;
	if (err)
		customer_problem(customer, &keys->id, err, "outcome");
	else if (result == OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED)
		deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_LAPSED, now_ms);
}

// ---- accepting

// Everything of one acceptance, from the offer to the records.
struct acceptance {
	struct id offer_id, intent_id, deal_id;
	struct release_id release;
	Oyez__Offer *offer;
	Oyez__Listing *listing;
	const struct terms *terms;
	uint8_t terms_hash[HASH_BYTES];
	char *card;
	char **fields;
	size_t field_count;
	struct sign_pair agreement_pair;
	struct hpke_pair box_pair; // where the vendor's later messages are sealed to
	char *alias;               // the e-mail address made for this deal; NULL: none
	uint8_t secret[RANDOM_BYTES];
	uint64_t countersign_by_ms, reveal_by_ms;
	uint8_t *agreement, *sealed_agreement, *sealed_reveal;
	size_t agreement_bytes, sealed_agreement_bytes, sealed_reveal_bytes;
	uint8_t signature_hash[HASH_BYTES];
};

static void acceptance_free(struct acceptance *acceptance)
{
	if (acceptance->offer)
		oyez__offer__free_unpacked(acceptance->offer, NULL);
	if (acceptance->listing)
		oyez__listing__free_unpacked(acceptance->listing, NULL);
	if (acceptance->card)
		sodium_memzero(acceptance->card, strlen(acceptance->card));
	free(acceptance->card);
	free(acceptance->alias);
	for (size_t i = 0; i < acceptance->field_count; i++)
		free(acceptance->fields[i]);
	free(acceptance->fields);
	free(acceptance->agreement);
	free(acceptance->sealed_agreement);
	free(acceptance->sealed_reveal);
	sodium_memzero(acceptance, sizeof(*acceptance));
}

static enum err offer_decode(const Oyez__Wallet__Offer *record, Oyez__Offer **offer)
{
	Oyez__Signed *signed_offer;
	enum err err = codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &signed_offer, NULL);
	if (err)
		return err;
	err = codec_decode_offer(NULL, signed_offer->record.data, signed_offer->record.len, offer, NULL);
	oyez__signed__free_unpacked(signed_offer, NULL);
	return err;
}

static enum err offer_acceptable(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent,
                                 const Oyez__Wallet__Offer *record, const Oyez__Offer *offer, uint64_t now_ms)
{
	switch (record->status) {
	case OYEZ__WALLET__OFFER_STATUS__OFFER_REPLACED:
		return ERR_OFFER_REPLACED;
	case OYEZ__WALLET__OFFER_STATUS__OFFER_WITHDRAWN:
		return ERR_OFFER_WITHDRAWN;
	case OYEZ__WALLET__OFFER_STATUS__OFFER_DECLINED:
		return ERR_OFFER_DECLINED;
	case OYEZ__WALLET__OFFER_STATUS__OFFER_ACCEPTED:
		return ERR_OFFER_ACCEPTED;
	default:
		break;
	}
	if (!intent_is_open(intent))
		return ERR_GONE;
	if (record->vendor_suspended)
		return ERR_VENDOR_SUSPENDED;
	if (now_ms >= offer->valid_until_ms)
		return ERR_OFFER_EXPIRED;

	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	struct id id = field_id(&intent->id);
	Oyez__Post *post = intent_post(intent);
	size_t taken = 0, allowed = post ? post->deals_max : 1;
	for (size_t i = 0; i < file->n_deals; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		bool counts = deal_is_open(deal) || deal->state == OYEZ__DEAL_STATE__DEAL_CONCLUDED;
		taken += field_is_id(&deal->intent_id, &id) && counts;
	}
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return taken >= allowed ? ERR_DEAL_LIMIT : ERR_OK;
}

// The card to be given, with an alias for its e-mail where the person has a pattern for such.
static enum err acceptance_card(struct oyez_customer *customer, const char *card, const char *fields,
                                struct acceptance *acceptance, struct oyez_error *error)
{
	const char *pattern = wallet_records(customer->wallet)->alias_pattern;
	char alias[ALIAS_BYTES_MAX + 1], *given = NULL, *given_fields = NULL;
	char *const *needs = acceptance->offer->needs;
	size_t need_count = acceptance->offer->n_needs;
	bool used = false;
	enum err err = ERR_OK;
	if (*pattern && !customer->plain_email) {
		alias_make(pattern, alias);
		err = alias_into_card(card, fields, needs, need_count, alias, &given, &given_fields, &used, error);
	}
	if (!err)
		err = card_select(used ? given : card, given_fields ? given_fields : fields, needs, need_count,
		                  &acceptance->card, &acceptance->fields, &acceptance->field_count, error);
	if (!err && used)
		acceptance->alias = strdup(alias);
	if (given)
		sodium_memzero(given, strlen(given));
	free(given);
	free(given_fields);
	return err;
}

// What of the offer can be checked and prepared before the keys are touched.
static enum err acceptance_prepare(struct oyez_customer *customer, const char *offer, const char *card,
                                   const char *fields, const char *terms, struct acceptance *acceptance,
                                   struct oyez_error *error)
{
	enum err err = wallet_resolve(customer->wallet, WALLET_OFFER, offer, &acceptance->offer_id, error);
	if (err)
		return err;
	Oyez__Wallet__Intent *intent;
	const Oyez__Wallet__Offer *record = wallet_offer(customer->wallet, &acceptance->offer_id, &intent);
	acceptance->intent_id = field_id(&intent->id);
	acceptance->listing = listing_of(&record->listing);
	err = offer_decode(record, &acceptance->offer);
	if (!err && !acceptance->listing)
		err = ERR_WALLET_DAMAGED;
	if (err)
		return oyez_error_set(error, err, "offer");
	err = acceptance_terms(intent, acceptance->offer, acceptance->listing, terms, &acceptance->terms, error);
	if (err)
		return err;
	terms_hash(acceptance->terms, acceptance->terms_hash);
	return acceptance_card(customer, card, fields, acceptance, error);
}

static enum err sign_agreement(struct acceptance *acceptance, const struct intent_keys *keys)
{
	uint8_t random[RANDOM_BYTES], commitment[HASH_BYTES];
	randombytes_buf(random, sizeof(random));
	card_commitment(acceptance->secret, (const uint8_t *)acceptance->card, strlen(acceptance->card), commitment);
	struct id vendor = vendor_id_of(acceptance->listing->vendor_key.data);

	Oyez__Agreement agreement = OYEZ__AGREEMENT__INIT;
	agreement.offer_id = view(acceptance->offer_id.bytes, ID_BYTES);
	agreement.vendor_id = view(vendor.bytes, ID_BYTES);
	agreement.intent_key = view(keys->pair.public_key, KEY_BYTES);
	agreement.agreement_key = view(acceptance->agreement_pair.public_key, KEY_BYTES);
	agreement.terms_iri = (char *)acceptance->terms->iri;
	agreement.terms_version = acceptance->terms->version;
	agreement.terms_hash = view(acceptance->terms_hash, HASH_BYTES);
	agreement.countersign_by_ms = acceptance->countersign_by_ms;
	agreement.reveal_by_ms = acceptance->reveal_by_ms;
	agreement.random = view(random, sizeof(random));
	agreement.card_commitment = view(commitment, sizeof(commitment));
	agreement.fields = acceptance->fields;
	agreement.n_fields = acceptance->field_count;
	agreement.retention_days = acceptance->terms->retention_days;
	agreement.box_key = view(acceptance->box_pair.public_key, KEY_BYTES);
	agreement.purposes = (char **)acceptance->terms->purposes;
	agreement.n_purposes = terms_words(acceptance->terms->purposes);
	agreement.recipients = (char **)acceptance->terms->recipients;
	agreement.n_recipients = terms_words(acceptance->terms->recipients);

	uint8_t *bytes = NULL;
	size_t count = 0;
	enum err err = codec_check(&agreement.base, NULL);
	if (!err)
		err = codec_encode(&agreement.base, &bytes, &count);
	if (!err)
		err = sign_wrap(&keys->pair, TAG_AGREEMENT, bytes, count, &acceptance->agreement, &acceptance->agreement_bytes);
	free(bytes);
	if (err)
		return err;
	Oyez__Signed *signed_agreement;
	err = codec_decode_signed(NULL, acceptance->agreement, acceptance->agreement_bytes, &signed_agreement, NULL);
	if (err)
		return err;
	acceptance->deal_id = signed_id_of(TAG_DEAL, signed_agreement);
	signature_hash(signed_agreement->signature.data, acceptance->signature_hash);
	oyez__signed__free_unpacked(signed_agreement, NULL);
	return ERR_OK;
}

static enum err seal_both(struct acceptance *acceptance, const struct intent_keys *keys)
{
	struct id vendor = vendor_id_of(acceptance->listing->vendor_key.data);
	struct seal_header header = {.from = keys->id, .release = keys->release, .object = acceptance->deal_id};
	const uint8_t *offer_key = acceptance->offer->offer_key.data;
	enum err err = seal_message(SEAL_AGREEMENT, offer_key, &header, acceptance->agreement, acceptance->agreement_bytes,
	                            &acceptance->sealed_agreement, &acceptance->sealed_agreement_bytes);
	if (err)
		return err;
	Oyez__Card card = OYEZ__CARD__INIT;
	card.deal_id = view(acceptance->deal_id.bytes, ID_BYTES);
	card.vendor_id = view(vendor.bytes, ID_BYTES);
	card.secret = view(acceptance->secret, sizeof(acceptance->secret));
	card.card = view(acceptance->card, strlen(acceptance->card));
	uint8_t *bytes = NULL, *wrapped = NULL;
	size_t count = 0, wrapped_count = 0;
	err = codec_encode(&card.base, &bytes, &count);
	if (!err)
		err = sign_wrap(&acceptance->agreement_pair, TAG_REVEAL, bytes, count, &wrapped, &wrapped_count);
	if (!err)
		err = seal_message(SEAL_REVEAL, offer_key, &header, wrapped, wrapped_count, &acceptance->sealed_reveal,
		                   &acceptance->sealed_reveal_bytes);
	if (bytes)
		sodium_memzero(bytes, count);
	if (wrapped)
		sodium_memzero(wrapped, wrapped_count);
	free(bytes);
	free(wrapped);
	return err;
}

// What messages, erasure and proofs need long after the intent's keys are gone.
static void deal_record_after(struct oyez_customer *customer, const struct acceptance *acceptance,
                              Oyez__Wallet__Deal *deal)
{
	Oyez__Wallet__Intent *intent;
	const Oyez__Wallet__Offer *record = wallet_offer(customer->wallet, &acceptance->offer_id, &intent);
	field_set(&deal->broker_key, intent->broker_key.data, intent->broker_key.len);
	field_set(&deal->release_id, acceptance->release.bytes, RELEASE_ID_BYTES);
	field_set(&deal->offer_key, acceptance->offer->offer_key.data, KEY_BYTES);
	field_set(&deal->box_key, acceptance->box_pair.public_key, KEY_BYTES);
	field_set(&deal->box_secret, acceptance->box_pair.secret_key, KEY_BYTES);
	field_set(&deal->listing, record->listing.data, record->listing.len);
	field_set(&deal->standing, record->standing.data, record->standing.len);
	if (acceptance->alias)
		field_set_text(&deal->alias, acceptance->alias);
}

static void deal_record(struct oyez_customer *customer, const struct acceptance *acceptance, uint64_t now_ms)
{
	const Oyez__Offer *offer = acceptance->offer;
	const Oyez__Listing *listing = acceptance->listing;
	struct id vendor = vendor_id_of(listing->vendor_key.data);
	Oyez__Wallet__Deal *deal = wallet_add_deal(customer->wallet);
	field_set_id(&deal->id, &acceptance->deal_id);
	field_set_id(&deal->intent_id, &acceptance->intent_id);
	field_set_id(&deal->offer_id, &acceptance->offer_id);
	field_set_id(&deal->vendor_id, &vendor);
	field_set(&deal->vendor_key, listing->vendor_key.data, KEY_BYTES);
	field_set_text(&deal->vendor_name, listing->name);
	field_set_text(&deal->vendor_url, listing->url);
	field_set(&deal->agreement_key, acceptance->agreement_pair.public_key, KEY_BYTES);
	field_set(&deal->agreement_seed, acceptance->agreement_pair.secret_key, crypto_sign_SEEDBYTES);
	field_set(&deal->agreement, acceptance->agreement, acceptance->agreement_bytes);
	field_set(&deal->signature_hash, acceptance->signature_hash, HASH_BYTES);
	field_set(&deal->reveal, acceptance->sealed_reveal, acceptance->sealed_reveal_bytes);
	deal->fields = wallet_alloc((acceptance->field_count + 1) * sizeof(char *));
	for (size_t i = 0; i < acceptance->field_count; i++)
		field_set_text(&deal->fields[i], acceptance->fields[i]);
	deal->n_fields = acceptance->field_count;
	deal->accepted_at_ms = now_ms;
	deal->countersign_by_ms = acceptance->countersign_by_ms;
	deal->reveal_by_ms = acceptance->reveal_by_ms;
	field_set_text(&deal->terms, acceptance->terms->id);
	deal->terms_version = acceptance->terms->version;
	deal->retention_days = acceptance->terms->retention_days;
	deal->price_e4 = offer->total_e4 ? offer->total_e4 : offer->price_e4;
	field_set_text(&deal->currency, offer->currency);
	deal_record_after(customer, acceptance, deal);
}

// Within begin and commit: checks once more on fresh records, then signs, seals and queues.
static enum err acceptance_make(struct oyez_customer *customer, struct acceptance *acceptance, struct action *action,
                                const struct oyez_deadlines *deadlines, struct oyez_error *error)
{
	Oyez__Wallet__Intent *intent;
	Oyez__Wallet__Offer *record = wallet_offer(customer->wallet, &acceptance->offer_id, &intent);
	enum err err =
	    record ? offer_acceptable(customer, intent, record, acceptance->offer, action->now_ms) : ERR_NOT_FOUND;
	if (!err && !action->keys.released)
		err = ERR_NOT_RELEASED;
	if (err)
		return oyez_error_set(error, err, "offer");
	uint64_t countersign_ms =
	    deadlines && deadlines->countersign_in_ms ? deadlines->countersign_in_ms : COUNTERSIGN_MS_DEFAULT;
	uint64_t reveal_ms = deadlines && deadlines->reveal_in_ms ? deadlines->reveal_in_ms : REVEAL_MS_DEFAULT;
	if (reveal_ms < countersign_ms)
		reveal_ms = countersign_ms;
	acceptance->countersign_by_ms = action->now_ms + countersign_ms;
	acceptance->reveal_by_ms = action->now_ms + reveal_ms;
	acceptance->release = action->keys.release;
	sign_pair_new(&acceptance->agreement_pair);
	hpke_pair_new(&acceptance->box_pair);
	randombytes_buf(acceptance->secret, sizeof(acceptance->secret));
	err = sign_agreement(acceptance, &action->keys);
	if (!err)
		err = seal_both(acceptance, &action->keys);

	Oyez__Accept accept = OYEZ__ACCEPT__INIT;
	accept.offer_id = view(acceptance->offer_id.bytes, ID_BYTES);
	accept.deal_id = view(acceptance->deal_id.bytes, ID_BYTES);
	accept.agreement_key = view(acceptance->agreement_pair.public_key, KEY_BYTES);
	accept.signature_hash = view(acceptance->signature_hash, HASH_BYTES);
	accept.countersign_by_ms = acceptance->countersign_by_ms;
	accept.reveal_by_ms = acceptance->reveal_by_ms;
	accept.sealed = view(acceptance->sealed_agreement, acceptance->sealed_agreement_bytes);
	Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
	body.body_case = OYEZ__CUSTOMER_RECORD__BODY_ACCEPT;
	body.accept = &accept;
	if (!err)
		err = pending_add(customer, &action->keys, &acceptance->deal_id, &body, action->now_ms, &action->pending);
	if (err)
		return oyez_error_set(error, err, "agreement");
	record->status = OYEZ__WALLET__OFFER_STATUS__OFFER_ACCEPTED;
	deal_record(customer, acceptance, action->now_ms);
	return ERR_OK;
}

// What is given without the vendor asking for it; nothing where the vendor does not say what it needs.
static json_t *fields_not_needed(const struct acceptance *acceptance)
{
	json_t *names = json_array();
	const Oyez__Offer *offer = acceptance->offer;
	for (size_t i = 0; offer->n_needs > 0 && i < acceptance->field_count; i++) {
		size_t need = 0;
		// An alias stands beside the e-mail it replaces.
		const char *field = strcmp(acceptance->fields[i], "alias") == 0 ? "email" : acceptance->fields[i];
		while (need < offer->n_needs && strcmp(offer->needs[need], field) != 0)
			need++;
		if (need == offer->n_needs)
			json_array_append_new(names, json_string(acceptance->fields[i]));
	}
	return names;
}

enum err oyez_accept_under(struct oyez_customer *customer, const char *offer, const char *card, const char *fields,
                           const char *terms, const struct oyez_deadlines *deadlines, json_t **out,
                           struct oyez_error *error)
{
	*out = NULL;
	struct acceptance acceptance = {0};
	struct action action;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = acceptance_prepare(customer, offer, card, fields, terms, &acceptance, error);
	if (!err)
		err = vendor_verify_offer(customer, &acceptance.offer_id, error);
	if (!err)
		err = action_begin(customer, &acceptance.intent_id, &action, error);
	if (!err) {
		err = acceptance_make(customer, &acceptance, &action, deadlines, error);
		if (err) {
			action_cancel(customer, &action);
		} else {
			err = action_commit(customer, &action, error);
			if (!err || action.pending_still)
				*out = json_pack("{s:o, s:s, s:o, s:o, s:o}", "deal", json_hex(acceptance.deal_id.bytes, ID_BYTES), "status",
				                 err ? "pending" : "accepted", "offer", json_hex(acceptance.offer_id.bytes, ID_BYTES),
				                 "intent", json_hex(acceptance.intent_id.bytes, ID_BYTES), "not_needed",
				                 fields_not_needed(&acceptance));
			if (*out && acceptance.alias)
				json_object_set_new(*out, "alias", json_text(acceptance.alias));
		}
	}
	acceptance_free(&acceptance);
	return err;
}

enum err oyez_accept(struct oyez_customer *customer, const char *offer, const char *card, const char *fields,
                     const struct oyez_deadlines *deadlines, json_t **out, struct oyez_error *error)
{
	return oyez_accept_under(customer, offer, card, fields, NULL, deadlines, out, error);
}

// ---- declining, withdrawing

enum err oyez_decline(struct oyez_customer *customer, const char *offer, const char *reason, json_t **out,
                      struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	struct action action;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_OFFER, offer, &id, error);
	if (err)
		return err;
	Oyez__Decline decline = OYEZ__DECLINE__INIT;
	decline.offer_id = view(id.bytes, ID_BYTES);
	if (reason)
		decline.reason = (char *)reason;
	struct codec_detail detail;
	err = codec_check(&decline.base, &detail);
	if (err)
		return oyez_error_set(error, err, "%s", detail.text);
	Oyez__Wallet__Intent *intent;
	wallet_offer(customer->wallet, &id, &intent);
	struct id intent_id = field_id(&intent->id);
	err = action_begin(customer, &intent_id, &action, error);
	if (err)
		return err;
	Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
	body.body_case = OYEZ__CUSTOMER_RECORD__BODY_DECLINE;
	body.decline = &decline;
	err = pending_add(customer, &action.keys, &id, &body, action.now_ms, &action.pending);
	if (err) {
		action_cancel(customer, &action);
		return oyez_error_set(error, err, NULL);
	}
	err = action_commit(customer, &action, error);
	if (!err || action.pending_still)
		*out = json_pack("{s:o, s:s}", "offer", json_hex(id.bytes, ID_BYTES), "status", err ? "pending" : "declined");
	return err;
}

enum err oyez_withdraw(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	struct action action;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_INTENT, text, &id, error);
	if (err)
		return err;
	// Withdrawing twice is the same as once.
	if (wallet_intent(customer->wallet, &id)->status == OYEZ__WALLET__INTENT_STATUS__INTENT_WITHDRAWN)
		goto done;
	err = action_begin(customer, &id, &action, error);
	if (err)
		return err;
	Oyez__Withdraw withdraw = OYEZ__WITHDRAW__INIT;
	Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
	body.body_case = OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW;
	body.withdraw = &withdraw;
	err = pending_add(customer, &action.keys, &id, &body, action.now_ms, &action.pending);
	if (err) {
		action_cancel(customer, &action);
		return oyez_error_set(error, err, NULL);
	}
	err = action_commit(customer, &action, error);
	if (err && !action.pending_still)
		return err;
done:
	*out = json_pack("{s:o, s:s}", "intent", json_hex(id.bytes, ID_BYTES), "status", err ? "pending" : "withdrawn");
	return err;
}
