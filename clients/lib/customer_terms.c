// Under which terms an offer stands: those the intent asked for, or the one counter-offer of terms a vendor may make.
// Says what differs and refuses what the vendor's own listing does not agree to; who accepts it is the person.
#include <stdio.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

static Oyez__Offer *offer_of(const Oyez__Wallet__Offer *record)
{
	Oyez__Signed *signed_offer;
	Oyez__Offer *offer = NULL;
	if (codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &signed_offer, NULL))
		return NULL;
	codec_decode_offer(NULL, signed_offer->record.data, signed_offer->record.len, &offer, NULL);
	oyez__signed__free_unpacked(signed_offer, NULL);
	return offer;
}

bool listing_agrees(const Oyez__Listing *listing, const struct terms *terms)
{
	for (size_t i = 0; i < listing->n_terms; i++) {
		if (strcmp(listing->terms[i], terms->id) == 0)
			return true;
	}
	return false;
}

// NULL: no counter-offer, since none is named or the same terms are.
static const char *counter_id(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer)
{
	const struct terms *asked = intent_terms(intent);
	if (!*offer->counter_terms || (asked && strcmp(asked->id, offer->counter_terms) == 0))
		return NULL;
	return offer->counter_terms;
}

const struct terms *offer_counter(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer)
{
	const char *id = counter_id(intent, offer);
	int index = id ? terms_find(id) : -1;
	return index < 0 ? NULL : terms_at((size_t)index);
}

enum err counter_check(const Oyez__Wallet__Intent *intent, const struct vendor_note *note)
{
	const char *id = counter_id(intent, note->offer);
	if (!id)
		return ERR_OK;
	const struct terms *counter = offer_counter(intent, note->offer);
	if (!counter)
		return ERR_UNKNOWN_TERMS;
	if (!listing_agrees(note->listing, counter))
		return ERR_TERMS_REFUSED;
	for (size_t i = 0; i < intent->n_offers; i++) {
		const Oyez__Wallet__Offer *older = intent->offers[i];
		if (older->vendor_key.len != KEY_BYTES || memcmp(older->vendor_key.data, note->vendor_key, KEY_BYTES) != 0)
			continue;
		Oyez__Offer *offer = offer_of(older);
		const char *before = offer ? counter_id(intent, offer) : NULL;
		bool another = before && strcmp(before, id) != 0;
		if (offer)
			oyez__offer__free_unpacked(offer, NULL);
		if (another)
			return ERR_TERMS_COUNTERED;
	}
	return ERR_OK;
}

// ---- what differs

static bool has_word(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

static json_t *words_missing(const char *const *from, const char *const *in)
{
	json_t *words = json_array();
	for (; *from; from++) {
		if (!has_word(in, *from))
			json_array_append_new(words, json_string(*from));
	}
	return words;
}

json_t *counter_json(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer)
{
	static const struct terms none;
	const struct terms *asked = intent_terms(intent), *counter = offer_counter(intent, offer);
	if (!counter)
		return json_null();
	if (!asked)
		asked = &none;
	json_t *object =
	    json_pack("{s:s, s:s, s:i, s:i}", "terms", counter->id, "asked", asked->id ? asked->id : "", "retention_days",
	              (int)counter->retention_days, "retention_days_asked", (int)asked->retention_days);
	json_object_set_new(object, "purposes_more", words_missing(counter->purposes, asked->purposes));
	json_object_set_new(object, "purposes_less", words_missing(asked->purposes, counter->purposes));
	json_object_set_new(object, "recipients_more", words_missing(counter->recipients, asked->recipients));
	json_object_set_new(object, "recipients_less", words_missing(asked->recipients, counter->recipients));
	json_object_set_new(object, "summary_en", json_text(counter->summary_en));
	json_object_set_new(object, "summary_fr", json_text(counter->summary_fr));
	return object;
}

// ---- accepting

enum err acceptance_terms(const Oyez__Wallet__Intent *intent, const Oyez__Offer *offer, const Oyez__Listing *listing,
                          const char *named, const struct terms **out, struct oyez_error *error)
{
	const struct terms *asked = intent_terms(intent), *counter = offer_counter(intent, offer);
	*out = counter ? counter : asked;
	if (!*out || (!counter && counter_id(intent, offer)))
		return oyez_error_set(error, ERR_UNKNOWN_TERMS, "of this offer");
	if (!listing_agrees(listing, *out))
		return oyez_error_set(error, ERR_TERMS_REFUSED, "%s", (*out)->id);
	if (named && terms_find(named) < 0) {
		const char *near[3];
		size_t count = terms_suggest(named, near);
		return oyez_error_set(error, ERR_UNKNOWN_TERMS, "%.40s: %s, %s", named, near[0], near[count > 1]);
	}
	if (named && strcmp(named, (*out)->id) == 0)
		return ERR_OK;
	if (counter)
		return oyez_error_set(error, ERR_TERMS_COUNTERED, "%s (%u d) instead of %s (%u d)", counter->id,
		                      counter->retention_days, asked ? asked->id : "none", asked ? asked->retention_days : 0);
	if (named)
		return oyez_error_set(error, ERR_TERMS_REFUSED, "%s: this offer stands under %s", named, (*out)->id);
	return ERR_OK;
}
