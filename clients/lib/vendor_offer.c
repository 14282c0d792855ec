// Offers, questions and details requests: bound to the release they answer, sealed to its reply key, signed by the
// vendor. The key for what comes back is in the home before the message leaves.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/region.h"
#include "proto/seal.h"
#include "proto/terms.h"
#include "proto/values.h"

#define OFFER_VALID_MS_DEFAULT (3 * DAY_MS)

// schema.org ItemAvailability in snake case.
static const char *const availabilities[] = {
    "back_order",    "discontinued", "in_stock",     "in_store_only", "limited_availability",
    "made_to_order", "online_only",  "out_of_stock", "pre_order",     "pre_sale",
    "reserved",      "sold_out",
};

bool oyez_availability_known(const char *word)
{
	for (size_t i = 0; i < sizeof(availabilities) / sizeof(*availabilities); i++) {
		if (strcmp(word, availabilities[i]) == 0)
			return true;
	}
	return false;
}

enum err offer_terms_hash(const char *terms, uint8_t out[HASH_BYTES])
{
	int index;

	memset(out, 0, HASH_BYTES);
	if (terms == NULL || *terms == '\0')
		return ERR_OK;
	index = terms_find(terms);
	if (index < 0)
		return ERR_UNKNOWN_TERMS;
	terms_hash(terms_at((size_t)index), out);
	return ERR_OK;
}

enum err offer_release(struct oyez_vendor *vendor, const struct release_id *id, Oyez__Release **out,
                       struct oyez_error *error)
{
	const Oyez__HomeRelease *found = home_release(vendor->home->state, id);

	*out = NULL;
	if (found == NULL)
		return vendor_fail(error, ERR_NOT_FOUND, "this home has not seen the release: watch it first");
	if (codec_decode_release(NULL, found->release.data, found->release.len, out, NULL) != ERR_OK)
		return vendor_fail(error, ERR_WALLET_DAMAGED, "a stored release");
	return ERR_OK;
}

static bool agrees_to(const Oyez__VendorHome *state, const char *terms)
{
	for (size_t i = 0; i < state->n_terms; i++) {
		if (strcmp(state->terms[i], terms) == 0)
			return true;
	}
	return false;
}

// The release if it may still be answered.
static enum err open_release(struct oyez_vendor *vendor, const struct release_id *id, Oyez__Release **out,
                             struct oyez_error *error)
{
	const Oyez__VendorHome *state = vendor->home->state;
	const char *terms;
	enum err err = offer_release(vendor, id, out, error);

	if (err != ERR_OK)
		return err;
	terms = (*out)->facets != NULL ? (*out)->facets->terms : "";
	if (home_release(state, id)->gone != 0) {
		err = vendor_fail(error, ERR_GONE, gone_reason_word((int)home_release(state, id)->gone));
	} else if (*terms != '\0' && !agrees_to(state, terms)) {
		err = vendor_fail(error, ERR_TERMS_REFUSED, terms);
	}
	if (err != ERR_OK) {
		oyez__release__free_unpacked(*out, NULL);
		*out = NULL;
	}
	return err;
}

static enum err bind(const Oyez__Release *release, uint8_t hash[HASH_BYTES], Oyez__Binding *binding,
                     struct oyez_error *error)
{
	enum err err = offer_terms_hash(release->facets != NULL ? release->facets->terms : "", hash);

	oyez__binding__init(binding);
	binding->release_id = release->release_id;
	binding->intent_key = release->intent_key;
	binding->reply_key = release->reply_key;
	binding->terms_hash.data = hash;
	binding->terms_hash.len = HASH_BYTES;
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, release->facets->terms);
}

// Signs a message to a customer, derives its id, seals it. *sealed is malloc'd.
static enum err sign_and_seal(struct oyez_vendor *vendor, const ProtobufCMessage *message, const char *tag,
                              const char *info, const Oyez__Release *release, uint64_t expires_at_ms, struct id *id,
                              ProtobufCBinaryData *sealed, struct oyez_error *error)
{
	struct seal_header header = {.from = vendor->id, .expires_at_ms = expires_at_ms};
	struct codec_detail detail = {""};
	uint8_t *record = NULL, *wrapped = NULL;
	size_t record_bytes, wrapped_bytes;
	Oyez__Signed *parsed = NULL;
	enum err err = codec_check(message, &detail);

	if (err == ERR_OK)
		err = codec_encode(message, &record, &record_bytes);
	if (err == ERR_OK)
		err = sign_wrap(&vendor->identity, tag, record, record_bytes, &wrapped, &wrapped_bytes);
	if (err == ERR_OK) {
		parsed = oyez__signed__unpack(NULL, wrapped_bytes, wrapped);
		err = parsed != NULL ? ERR_OK : ERR_NO_MEMORY;
	}
	if (err == ERR_OK) {
		*id = signed_id_of(TAG_RECORD_ID, parsed);
		memcpy(header.release.bytes, release->release_id.data, RELEASE_ID_BYTES);
		header.object = *id;
		err = seal_message(info, release->reply_key.data, &header, wrapped, wrapped_bytes, &sealed->data, &sealed->len);
		oyez__signed__free_unpacked(parsed, NULL);
	}
	free(record);
	free(wrapped);
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, detail.text);
}

// ---- offers

static const char *default_currency(const struct oyez_vendor *vendor, const Oyez__Release *release)
{
	if (release->facets != NULL && release->facets->budget != NULL && *release->facets->budget->currency != '\0')
		return release->facets->budget->currency;
	return region_currency(region_find(vendor->home->state->country));
}

// Counts are carried as value + 1, so that 0 can mean "not said".
static uint32_t said(int32_t value)
{
	return value < 0 ? 0 : (uint32_t)value + 1;
}

// Other terms than those asked for: only what the listing agrees to.
static enum err fill_counter(const struct oyez_vendor *vendor, const Oyez__Release *release, const char *terms,
                             Oyez__Offer *out, struct oyez_error *error)
{
	const char *asked = release->facets != NULL ? release->facets->terms : "";
	const char *near[3];
	char detail[200];

	if (terms == NULL || strcmp(terms, asked) == 0)
		return ERR_OK;
	if (terms_find(terms) < 0) {
		size_t count = terms_suggest(terms, near);

		snprintf(detail, sizeof(detail), "%.40s: %s, %s", terms, near[0], near[count > 1]);
		return vendor_fail(error, ERR_UNKNOWN_TERMS, detail);
	}
	if (!agrees_to(vendor->home->state, terms))
		return vendor_fail(error, ERR_TERMS_REFUSED, terms);
	out->counter_terms = (char *)terms;
	return ERR_OK;
}

static enum err fill_offer(const struct oyez_vendor *vendor, const Oyez__Release *release,
                           const struct oyez_offer *offer, Oyez__Offer *out, struct oyez_error *error)
{
	const char *currency = offer->currency != NULL ? offer->currency : default_currency(vendor, release);

	if (offer->price_e4 <= 0)
		return vendor_fail(error, ERR_BAD_AMOUNT, "price");
	if (offer->total_e4 != 0 && offer->total_e4 < offer->price_e4)
		return vendor_fail(error, ERR_BAD_VALUE, "total: less than the price");
	if (currency_find(currency) == 0)
		return vendor_fail(error, ERR_UNKNOWN_CURRENCY, currency);
	if (offer->availability != NULL && !oyez_availability_known(offer->availability))
		return vendor_fail(error, ERR_BAD_VALUE, "availability: in_stock, made_to_order, pre_order, ...");
	if (offer->origin != NULL && (strlen(offer->origin) != 2 || region_find(offer->origin) == TREE_NONE))
		return vendor_fail(error, ERR_UNKNOWN_REGION, "origin");
	out->price_e4 = offer->price_e4;
	out->total_e4 = offer->total_e4;
	out->currency = (char *)currency;
	out->availability = (char *)(offer->availability != NULL ? offer->availability : "");
	out->delivery_days = said(offer->delivery_days);
	out->origin = (char *)(offer->origin != NULL ? offer->origin : "");
	out->co2_g = said(offer->co2_g);
	out->warranty_months = said(offer->warranty_months);
	out->returns_days = said(offer->returns_days);
	out->needs = (char **)offer->needs;
	out->n_needs = offer->need_count;
	out->note = (char *)(offer->note != NULL ? offer->note : "");
	return fill_counter(vendor, release, offer->terms, out, error);
}

// What makes two offers the same offer: all that the customer would compare, and how long it was to stand.
static void hash_content(const Oyez__Offer *offer, uint64_t valid_ms, uint8_t out[HASH_BYTES])
{
	Oyez__Offer bare = *offer;
	uint8_t *bytes;

	bare.binding = NULL;
	bare.made_at_ms = 0;
	bare.valid_until_ms = valid_ms;
	bytes = malloc(oyez__offer__get_packed_size(&bare) + 1);
	if (bytes == NULL)
		abort();
	crypto_hash_sha256(out, bytes, oyez__offer__pack(&bare, bytes));
	free(bytes);
}

static const Oyez__HomeOffer *standing_offer(const Oyez__VendorHome *state, const struct release_id *release,
                                             const uint8_t content[HASH_BYTES], uint64_t now_ms)
{
	for (size_t i = state->n_offers; i-- > 0;) {
		const Oyez__HomeOffer *offer = state->offers[i];
		struct release_id id = home_release_id(&offer->release_id);

		if (!release_id_equal(&id, release) || offer->end != OYEZ__HOME_OFFER_END__HOME_OFFER_OPEN)
			continue;
		// Only the newest counts: it replaced those before it.
		return now_ms < offer->valid_until_ms && offer->content.len == HASH_BYTES &&
		               memcmp(offer->content.data, content, HASH_BYTES) == 0
		           ? offer
		           : NULL;
	}
	return NULL;
}

static void store_offer(Oyez__VendorHome *state, const struct id *id, const struct release_id *release,
                        const Oyez__Offer *offer, const struct hpke_pair *pair, const uint8_t content[HASH_BYTES])
{
	Oyez__HomeOffer *stored = home_add_offer(state);

	home_set_bytes(&stored->id, id->bytes, ID_BYTES);
	home_set_bytes(&stored->release_id, release->bytes, RELEASE_ID_BYTES);
	home_set_pair(&stored->offer_key, pair);
	uint8_t terms[HASH_BYTES];

	if (*offer->counter_terms != '\0' && offer_terms_hash(offer->counter_terms, terms) == ERR_OK)
		home_set_bytes(&stored->terms_hash, terms, HASH_BYTES);
	else
		home_set_bytes(&stored->terms_hash, offer->binding->terms_hash.data, HASH_BYTES);
	home_set_bytes(&stored->content, content, HASH_BYTES);
	stored->made_at_ms = offer->made_at_ms;
	stored->valid_until_ms = offer->valid_until_ms;
	stored->price_e4 = offer->price_e4;
	home_set_text(&stored->currency, offer->currency);
}

static enum err make_offer(struct oyez_vendor *vendor, const struct release_id *release_id,
                           const Oyez__Release *release, Oyez__Offer *offer, const uint8_t content[HASH_BYTES],
                           struct id *out, struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__SendOffer send = OYEZ__SEND_OFFER__INIT;
	struct hpke_pair pair;
	uint8_t random[RANDOM_BYTES];
	enum err err;

	hpke_pair_new(&pair);
	randombytes_buf(random, sizeof(random));
	offer->vendor_id = (ProtobufCBinaryData){ID_BYTES, vendor->id.bytes};
	offer->offer_key = (ProtobufCBinaryData){KEY_BYTES, pair.public_key};
	offer->random = (ProtobufCBinaryData){RANDOM_BYTES, random};
	err = sign_and_seal(vendor, &offer->base, TAG_OFFER, SEAL_OFFER, release, offer->valid_until_ms, out, &send.sealed,
	                    error);
	if (err == ERR_OK) {
		send.release_id = release->release_id;
		send.offer_id = (ProtobufCBinaryData){ID_BYTES, out->bytes};
		send.expires_at_ms = offer->valid_until_ms;
		body.body_case = OYEZ__VENDOR_RECORD__BODY_OFFER;
		body.offer = &send;
		err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER, out, error);
	}
	if (err == ERR_OK)
		store_offer(vendor->home->state, out, release_id, offer, &pair, content);
	free(send.sealed.data);
	sodium_memzero(&pair, sizeof(pair));
	return err;
}

enum err oyez_vendor_offer_queue(struct oyez_vendor *vendor, const struct release_id *release_id,
                                 const struct oyez_offer *offer, struct id *out, bool *known, struct oyez_error *error)
{
	uint64_t now_ms, valid_ms = offer->valid_ms > 0 ? offer->valid_ms : OFFER_VALID_MS_DEFAULT;
	uint8_t content[HASH_BYTES], terms[HASH_BYTES];
	Oyez__Offer message = OYEZ__OFFER__INIT;
	Oyez__Binding binding;
	const Oyez__HomeOffer *standing;
	Oyez__Release *release;
	enum err err = vendor_home_begin(vendor->home, error);

	*known = false;
	if (err == ERR_OK)
		err = open_release(vendor, release_id, &release, error);
	if (err != ERR_OK)
		return err;
	now_ms = transport_now_ms(vendor->transport);
	err = bind(release, terms, &binding, error);
	if (err == ERR_OK)
		err = fill_offer(vendor, release, offer, &message, error);
	if (err == ERR_OK) {
		hash_content(&message, valid_ms, content);
		standing = standing_offer(vendor->home->state, release_id, content, now_ms);
		if (standing != NULL) {
			*out = home_id(&standing->id);
			*known = standing->sent;
		} else {
			message.binding = &binding;
			message.made_at_ms = now_ms;
			message.valid_until_ms = now_ms + valid_ms;
			err = make_offer(vendor, release_id, release, &message, content, out, error);
		}
	}
	oyez__release__free_unpacked(release, NULL);
	return err;
}

enum err oyez_vendor_offer(struct oyez_vendor *vendor, const struct release_id *release, const struct oyez_offer *offer,
                           struct id *out, struct oyez_error *error)
{
	bool known;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err != ERR_OK)
		return err;
	err = oyez_vendor_offer_queue(vendor, release, offer, out, &known, error);
	if (err != ERR_OK || known) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER, out, error);
}

enum err oyez_vendor_withdraw_offer(struct oyez_vendor *vendor, const struct id *offer, struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__WithdrawOffer withdraw = OYEZ__WITHDRAW_OFFER__INIT;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err == ERR_OK)
		err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	withdraw.offer_id = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)offer->bytes};
	body.body_case = OYEZ__VENDOR_RECORD__BODY_WITHDRAW_OFFER;
	body.withdraw_offer = &withdraw;
	if (home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_WITHDRAW, offer) == NULL)
		err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_WITHDRAW, offer, error);
	if (err != ERR_OK) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_WITHDRAW, offer, error);
}

// ---- questions

static const Oyez__HomeQuestion *asked_before(const Oyez__VendorHome *state, const struct release_id *release,
                                              const char *text)
{
	for (size_t i = state->n_questions; i-- > 0;) {
		const Oyez__HomeQuestion *question = state->questions[i];
		struct release_id id = home_release_id(&question->release_id);

		if (release_id_equal(&id, release) && question->details == (text == NULL) &&
		    (text == NULL || strcmp(question->text, text) == 0))
			return question;
	}
	return NULL;
}

static enum err make_question(struct oyez_vendor *vendor, const struct release_id *release_id,
                              const Oyez__Release *release, const char *text, struct id *out, struct oyez_error *error)
{
	Oyez__Question message = OYEZ__QUESTION__INIT;
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__SendQuestion send = OYEZ__SEND_QUESTION__INIT;
	Oyez__Binding binding;
	Oyez__HomeQuestion *stored;
	struct hpke_pair pair;
	uint8_t random[RANDOM_BYTES], terms[HASH_BYTES];
	enum err err = bind(release, terms, &binding, error);

	if (err != ERR_OK)
		return err;
	hpke_pair_new(&pair);
	randombytes_buf(random, sizeof(random));
	message.binding = &binding;
	message.vendor_id = (ProtobufCBinaryData){ID_BYTES, vendor->id.bytes};
	message.made_at_ms = transport_now_ms(vendor->transport);
	message.answer_key = (ProtobufCBinaryData){KEY_BYTES, pair.public_key};
	message.random = (ProtobufCBinaryData){RANDOM_BYTES, random};
	message.details = text == NULL;
	message.text = (char *)(text != NULL ? text : "");
	err = sign_and_seal(vendor, &message.base, TAG_QUESTION, SEAL_QUESTION, release, 0, out, &send.sealed, error);
	if (err == ERR_OK) {
		send.release_id = release->release_id;
		send.question_id = (ProtobufCBinaryData){ID_BYTES, out->bytes};
		body.body_case = OYEZ__VENDOR_RECORD__BODY_QUESTION;
		body.question = &send;
		err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_QUESTION, out, error);
	}
	if (err == ERR_OK) {
		stored = home_add_question(vendor->home->state);
		home_set_bytes(&stored->id, out->bytes, ID_BYTES);
		home_set_bytes(&stored->release_id, release_id->bytes, RELEASE_ID_BYTES);
		home_set_pair(&stored->answer_key, &pair);
		stored->details = text == NULL;
		home_set_text(&stored->text, message.text);
		stored->made_at_ms = message.made_at_ms;
	}
	free(send.sealed.data);
	sodium_memzero(&pair, sizeof(pair));
	return err;
}

enum err oyez_vendor_ask_queue(struct oyez_vendor *vendor, const struct release_id *release_id, const char *text,
                               struct id *out, bool *known, struct oyez_error *error)
{
	const Oyez__HomeQuestion *before;
	Oyez__Release *release;
	enum err err;

	*known = false;
	if (text != NULL && *text == '\0')
		return vendor_fail(error, ERR_MISSING_FIELD, "text");
	if (text != NULL && (err = text_check(text, strlen(text), QUESTION_BYTES_MAX)) != ERR_OK)
		return vendor_fail(error, err, "text: at most 1024 bytes");
	err = vendor_home_begin(vendor->home, error);
	if (err == ERR_OK)
		err = open_release(vendor, release_id, &release, error);
	if (err != ERR_OK)
		return err;
	before = asked_before(vendor->home->state, release_id, text);
	if (before != NULL) {
		*out = home_id(&before->id);
		*known = before->sent;
	} else {
		err = make_question(vendor, release_id, release, text, out, error);
	}
	oyez__release__free_unpacked(release, NULL);
	return err;
}

enum err oyez_vendor_ask(struct oyez_vendor *vendor, const struct release_id *release, const char *text, struct id *out,
                         struct oyez_error *error)
{
	bool known;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err != ERR_OK)
		return err;
	err = oyez_vendor_ask_queue(vendor, release, text, out, &known, error);
	if (err != ERR_OK || known) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_QUESTION, out, error);
}
