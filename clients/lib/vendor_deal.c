// Deals as the vendor sees them. Nothing is taken on the broker's word alone: the agreement carries the customer's
// signature by the intent key the offer was bound to, the outcome the pinned broker's, the card the agreement key's,
// and the card must be the one committed to. What fails a check becomes an event of kind PROBLEM and changes nothing.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/agreement.h"
#include "proto/seal.h"
#include "proto/terms.h"

static bool bytes_equal(const ProtobufCBinaryData *a, const void *b, size_t count)
{
	return a->len == count && memcmp(a->data, b, count) == 0;
}

// Opens what a customer sealed to an offer key: a Signed. NULL if it does not open.
static Oyez__Signed *open_signed(const char *info, const Oyez__HomeOffer *offer, const Oyez__Release *release,
                                 const struct id *deal, const ProtobufCBinaryData *sealed, ProtobufCBinaryData *plain)
{
	struct seal_header header = {.object = *deal};
	struct hpke_pair pair;
	Oyez__Signed *parsed = NULL;

	header.from = intent_id_of(release->intent_key.data);
	header.release = home_release_id(&offer->release_id);
	plain->data = NULL;
	plain->len = 0;
	if (!home_get_pair(&offer->offer_key, &pair))
		return NULL;
	if (open_message(info, &pair, &header, sealed->data, sealed->len, &plain->data, &plain->len) == ERR_OK)
		(void)codec_decode_signed(NULL, plain->data, plain->len, &parsed, NULL);
	sodium_memzero(&pair, sizeof(pair));
	return parsed;
}

// Offer and release of a deal. False (and a problem told) if this home does not have them.
static bool find_offer(struct oyez_vendor *vendor, const ProtobufCBinaryData *offer_id, const Oyez__HomeOffer **offer,
                       Oyez__Release **release, struct oyez_event *event)
{
	struct id id = home_id(offer_id);
	struct release_id release_id;
	struct oyez_error error;

	*release = NULL;
	*offer = home_offer(vendor->home->state, &id);
	if (*offer == NULL) {
		event_problem(event, ERR_NOT_FOUND, "an offer this home did not make");
		return false;
	}
	release_id = home_release_id(&(*offer)->release_id);
	if (offer_release(vendor, &release_id, release, &error) != ERR_OK) {
		event_problem(event, error.code, error.detail);
		return false;
	}
	return true;
}

// ---- agreement

// The roster entry an agreement names; NULL if there is none or the vendor's listing does not agree to it.
static const struct terms *agreed_terms(const Oyez__VendorHome *state, const Oyez__Agreement *agreement)
{
	for (size_t i = 0; i < state->n_terms; i++) {
		int index = terms_find(state->terms[i]);
		const struct terms *terms = index >= 0 ? terms_at((size_t)index) : NULL;

		if (terms != NULL && strcmp(terms->iri, agreement->terms_iri) == 0)
			return terms;
	}
	return NULL;
}

// The agreement says what the terms say, in the roster's words.
static bool same_words(char *const *words, size_t count, const char *const *expected)
{
	if (count != terms_words(expected))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], expected[i]) != 0)
			return false;
	}
	return true;
}

static const char *check_terms(const Oyez__VendorHome *state, const Oyez__HomeOffer *offer,
                               const Oyez__Agreement *agreement)
{
	static const uint8_t unnamed[HASH_BYTES];
	const struct terms *terms = agreed_terms(state, agreement);
	uint8_t hash[HASH_BYTES];

	if (terms == NULL)
		return "terms this vendor did not agree to";
	terms_hash(terms, hash);
	if (agreement->terms_version != terms->version || !bytes_equal(&agreement->terms_hash, hash, HASH_BYTES))
		return "another text of the terms";
	// A release that had dropped its terms leaves them to the agreement.
	if (!bytes_equal(&offer->terms_hash, unnamed, HASH_BYTES) && !bytes_equal(&offer->terms_hash, hash, HASH_BYTES))
		return "other terms than the offer was made under";
	if (!same_words(agreement->purposes, agreement->n_purposes, terms->purposes))
		return "other purposes than the terms name";
	if (!same_words(agreement->recipients, agreement->n_recipients, terms->recipients))
		return "other recipients than the terms name";
	if (agreement->retention_days != terms->retention_days)
		return "another retention than the terms name";
	return NULL;
}

// NULL if all is well, else what is wrong.
static const char *check_agreement(struct oyez_vendor *vendor, const Oyez__InboxItem *item, const Oyez__Signed *wrapped,
                                   const Oyez__Agreement *agreement, const Oyez__HomeOffer *offer,
                                   const Oyez__Release *release)
{
	const Oyez__InboxAgreement *clear = item->agreement;
	struct id deal = signed_id_of(TAG_DEAL, wrapped);

	if (!bytes_equal(&item->deal_id, deal.bytes, ID_BYTES))
		return "another deal id";
	if (!bytes_equal(&wrapped->key, release->intent_key.data, KEY_BYTES) ||
	    !bytes_equal(&agreement->intent_key, release->intent_key.data, KEY_BYTES))
		return "another intent key";
	if (!bytes_equal(&agreement->offer_id, offer->id.data, ID_BYTES) ||
	    !bytes_equal(&clear->offer_id, offer->id.data, ID_BYTES))
		return "another offer";
	if (!bytes_equal(&agreement->vendor_id, vendor->id.bytes, ID_BYTES))
		return "another vendor";
	if (!bytes_equal(&agreement->agreement_key, clear->agreement_key.data, clear->agreement_key.len))
		return "another agreement key";
	if (agreement->countersign_by_ms != clear->countersign_by_ms || agreement->reveal_by_ms != clear->reveal_by_ms)
		return "other deadlines";
	return check_terms(vendor->home->state, offer, agreement);
}

static void store_agreement(struct oyez_vendor *vendor, const struct id *id, const Oyez__HomeOffer *offer,
                            const Oyez__Signed *wrapped, const ProtobufCBinaryData *plain,
                            const Oyez__Agreement *agreement, uint64_t at_ms)
{
	Oyez__HomeDeal *deal = home_add_deal(vendor->home->state);
	uint8_t hash[HASH_BYTES];

	signature_hash(wrapped->signature.data, hash);
	home_set_bytes(&deal->id, id->bytes, ID_BYTES);
	home_set_bytes(&deal->offer_id, offer->id.data, offer->id.len);
	home_set_bytes(&deal->release_id, offer->release_id.data, offer->release_id.len);
	home_set_bytes(&deal->agreement, plain->data, plain->len);
	home_set_bytes(&deal->signature_hash, hash, HASH_BYTES);
	deal->countersign_by_ms = agreement->countersign_by_ms;
	deal->reveal_by_ms = agreement->reveal_by_ms;
	deal->state = OYEZ__HOME_DEAL_STATE__HOME_DEAL_AGREEMENT;
	deal->at_ms = at_ms;
}

void deal_take_agreement(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	struct id id = home_id(&item->deal_id);
	const Oyez__HomeDeal *known = home_deal(vendor->home->state, &id);
	const Oyez__HomeOffer *offer;
	Oyez__Release *release;
	ProtobufCBinaryData plain = {0, NULL};
	Oyez__Signed *wrapped = NULL;
	Oyez__Agreement *agreement = NULL;
	const char *wrong = NULL;

	if (known != NULL) {
		deal_describe(known, event);
		return;
	}
	if (!find_offer(vendor, &item->agreement->offer_id, &offer, &release, event))
		return;
	wrapped = open_signed(SEAL_AGREEMENT, offer, release, &id, &item->agreement->sealed, &plain);
	if (wrapped == NULL) {
		event_problem(event, ERR_SEALED, "an agreement");
	} else if (sign_open(wrapped, TAG_AGREEMENT) != ERR_OK) {
		event_problem(event, ERR_BAD_SIGNATURE, "an agreement");
	} else if (codec_decode_agreement(NULL, wrapped->record.data, wrapped->record.len, &agreement, NULL) != ERR_OK) {
		event_problem(event, ERR_BAD_MESSAGE, "an agreement");
	} else if ((wrong = check_agreement(vendor, item, wrapped, agreement, offer, release)) != NULL) {
		event_problem(event, ERR_BINDING_MISMATCH, wrong);
	} else {
		store_agreement(vendor, &id, offer, wrapped, &plain, agreement, item->at_ms);
		deal_describe(home_deal(vendor->home->state, &id), event);
	}
	if (agreement != NULL)
		oyez__agreement__free_unpacked(agreement, NULL);
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	free(plain.data);
	oyez__release__free_unpacked(release, NULL);
}

static Oyez__Agreement *stored_agreement(const Oyez__HomeDeal *deal, Oyez__Signed **wrapped)
{
	Oyez__Agreement *agreement = NULL;

	*wrapped = oyez__signed__unpack(NULL, deal->agreement.len, deal->agreement.data);
	if (*wrapped != NULL)
		agreement = oyez__agreement__unpack(NULL, (*wrapped)->record.len, (*wrapped)->record.data);
	return agreement;
}

Oyez__Agreement *deal_agreement(const Oyez__HomeDeal *deal)
{
	Oyez__Signed *wrapped;
	Oyez__Agreement *agreement = stored_agreement(deal, &wrapped);

	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	return agreement;
}

enum err deal_open(struct oyez_vendor *vendor, const Oyez__HomeDeal *deal, const char *info,
                   const ProtobufCBinaryData *sealed, Oyez__Signed **wrapped, Oyez__Agreement **agreement)
{
	struct id id = home_id(&deal->id);
	const Oyez__HomeOffer *offer;
	Oyez__Release *release;
	struct oyez_event problem = {0};
	ProtobufCBinaryData plain;

	*wrapped = NULL;
	*agreement = NULL;
	if (!find_offer(vendor, &deal->offer_id, &offer, &release, &problem))
		return problem.problem.code;
	*wrapped = open_signed(info, offer, release, &id, sealed, &plain);
	*agreement = deal_agreement(deal);
	oyez__release__free_unpacked(release, NULL);
	if (plain.data != NULL)
		sodium_memzero(plain.data, plain.len);
	free(plain.data);
	if (*wrapped != NULL && *agreement != NULL)
		return ERR_OK;
	if (*wrapped != NULL)
		oyez__signed__free_unpacked(*wrapped, NULL);
	if (*agreement != NULL)
		oyez__agreement__free_unpacked(*agreement, NULL);
	return ERR_SEALED;
}

static const char *terms_id_of(const char *iri)
{
	int index = terms_find_iri(iri);

	return index < 0 ? "" : terms_at((size_t)index)->id;
}

void deal_describe(const Oyez__HomeDeal *deal, struct oyez_event *event)
{
	Oyez__Signed *wrapped;
	Oyez__Agreement *agreement = stored_agreement(deal, &wrapped);

	event->kind = OYEZ_EVENT_AGREEMENT;
	event->deal = home_id(&deal->id);
	event->offer = home_id(&deal->offer_id);
	event->release_id = home_release_id(&deal->release_id);
	event->has_deal = event->has_offer = event->has_release_id = true;
	event->countersign_by_ms = deal->countersign_by_ms;
	event->reveal_by_ms = deal->reveal_by_ms;
	if (agreement != NULL) {
		event->fields = json_array();
		for (size_t i = 0; i < agreement->n_fields; i++)
			json_array_append_new(event->fields, json_string(agreement->fields[i]));
		snprintf(event->terms, sizeof(event->terms), "%s", terms_id_of(agreement->terms_iri));
		event->retention_days = agreement->retention_days;
		oyez__agreement__free_unpacked(agreement, NULL);
	}
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
}

// ---- outcome

void deal_take_outcome(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event, bool *silent)
{
	const ProtobufCBinaryData *broker = &vendor->home->state->broker_id;
	const Oyez__Signed *wrapped = item->outcome;
	Oyez__Outcome *outcome = NULL;
	struct id id = home_id(&item->deal_id);
	Oyez__HomeDeal *deal = home_deal(vendor->home->state, &id);
	size_t count;
	uint8_t *packed;
	bool lapsed;

	*silent = false;
	if (!bytes_equal(&wrapped->key, broker->data, broker->len) || sign_open(wrapped, TAG_OUTCOME) != ERR_OK) {
		event_problem(event, ERR_BAD_SIGNATURE, "an outcome");
		return;
	}
	if (codec_decode_outcome(NULL, wrapped->record.data, wrapped->record.len, &outcome, NULL) != ERR_OK) {
		event_problem(event, ERR_BAD_MESSAGE, "an outcome");
		return;
	}
	if (!bytes_equal(&outcome->deal_id, id.bytes, ID_BYTES) ||
	    !bytes_equal(&outcome->broker_id, broker->data, broker->len)) {
		event_problem(event, ERR_BINDING_MISMATCH, "an outcome of another deal");
		oyez__outcome__free_unpacked(outcome, NULL);
		return;
	}
	lapsed = outcome->result == OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED;
	oyez__outcome__free_unpacked(outcome, NULL);
	event->kind = OYEZ_EVENT_GONE;
	event->reason = "lapsed";
	*silent = !lapsed;
	if (deal == NULL)
		return;
	count = oyez__signed__get_packed_size(wrapped);
	packed = malloc(count + 1);
	if (packed == NULL)
		abort();
	oyez__signed__pack(wrapped, packed);
	// A deal that lapsed after it was countersigned keeps the first word: it is what made the agreement stand.
	if (deal->outcome.len == 0)
		home_set_bytes(&deal->outcome, packed, count);
	free(packed);
	if (lapsed && deal->state < OYEZ__HOME_DEAL_STATE__HOME_DEAL_CONCLUDED)
		deal->state = OYEZ__HOME_DEAL_STATE__HOME_DEAL_LAPSED;
	else if (!lapsed && deal->state < OYEZ__HOME_DEAL_STATE__HOME_DEAL_COUNTERSIGNED)
		deal->state = OYEZ__HOME_DEAL_STATE__HOME_DEAL_COUNTERSIGNED;
	deal->at_ms = item->at_ms;
}

static bool stands(const Oyez__HomeDeal *deal)
{
	Oyez__Signed *wrapped = oyez__signed__unpack(NULL, deal->outcome.len, deal->outcome.data);
	Oyez__Outcome *outcome = NULL;
	bool countersigned = false;

	if (wrapped != NULL && deal->outcome.len > 0)
		outcome = oyez__outcome__unpack(NULL, wrapped->record.len, wrapped->record.data);
	if (outcome != NULL) {
		countersigned = outcome->result == OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED;
		oyez__outcome__free_unpacked(outcome, NULL);
	}
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	return countersigned;
}

// ---- reveal

static enum err check_card(const struct oyez_vendor *vendor, const Oyez__HomeDeal *deal, const Oyez__Signed *wrapped,
                           const Oyez__Card *card, const Oyez__Agreement *agreement)
{
	uint8_t commitment[HASH_BYTES];

	if (!bytes_equal(&wrapped->key, agreement->agreement_key.data, agreement->agreement_key.len))
		return ERR_BAD_SIGNATURE;
	if (!bytes_equal(&card->deal_id, deal->id.data, deal->id.len) ||
	    !bytes_equal(&card->vendor_id, vendor->id.bytes, ID_BYTES) || card->secret.len != RANDOM_BYTES)
		return ERR_CARD_MISMATCH;
	card_commitment(card->secret.data, card->card.data, card->card.len, commitment);
	return bytes_equal(&agreement->card_commitment, commitment, HASH_BYTES) ? ERR_OK : ERR_CARD_MISMATCH;
}

// The receipt is signed into the same write as the card, so it cannot leave before the card is on disk.
static void store_card(struct oyez_vendor *vendor, Oyez__HomeDeal *deal, const ProtobufCBinaryData *plain,
                       const ProtobufCBinaryData *card, uint64_t at_ms)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__Receipt receipt = OYEZ__RECEIPT__INIT;
	struct id id = home_id(&deal->id);
	struct oyez_error ignored;

	home_set_bytes(&deal->card_record, plain->data, plain->len);
	home_set_bytes(&deal->card, card->data, card->len);
	deal->state = OYEZ__HOME_DEAL_STATE__HOME_DEAL_REVEALED;
	deal->at_ms = at_ms;
	receipt.deal_id = deal->id;
	body.body_case = OYEZ__VENDOR_RECORD__BODY_RECEIPT;
	body.receipt = &receipt;
	// Without a receipt the broker concludes the deal by itself after 72 h.
	(void)outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_RECEIPT, &id, &ignored);
}

static void describe_card(const Oyez__HomeDeal *deal, struct oyez_event *event)
{
	json_t *card = json_loadb((const char *)deal->card.data, deal->card.len, JSON_REJECT_DUPLICATES, NULL);

	deal_describe(deal, event);
	event->kind = OYEZ_EVENT_REVEAL;
	event->card = card;
	if (!json_is_object(card))
		event_problem(event, ERR_BAD_CARD, NULL);
}

static enum err take_card(struct oyez_vendor *vendor, const Oyez__InboxItem *item, Oyez__HomeDeal *deal,
                          const Oyez__HomeOffer *offer, const Oyez__Release *release)
{
	struct id id = home_id(&deal->id);
	ProtobufCBinaryData plain = {0, NULL};
	Oyez__Signed *wrapped = open_signed(SEAL_REVEAL, offer, release, &id, &item->reveal->sealed, &plain);
	Oyez__Signed *agreement_wrapped = NULL;
	Oyez__Agreement *agreement = stored_agreement(deal, &agreement_wrapped);
	Oyez__Card *card = NULL;
	enum err err = ERR_OK;

	if (wrapped == NULL || agreement == NULL)
		err = ERR_SEALED;
	if (err == ERR_OK)
		err = sign_open(wrapped, TAG_REVEAL);
	if (err == ERR_OK)
		err = codec_decode_card(NULL, wrapped->record.data, wrapped->record.len, &card, NULL);
	if (err == ERR_OK)
		err = check_card(vendor, deal, wrapped, card, agreement);
	if (err == ERR_OK)
		store_card(vendor, deal, &plain, &card->card, item->at_ms);
	if (card != NULL)
		oyez__card__free_unpacked(card, NULL);
	if (agreement != NULL)
		oyez__agreement__free_unpacked(agreement, NULL);
	if (agreement_wrapped != NULL)
		oyez__signed__free_unpacked(agreement_wrapped, NULL);
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	if (plain.data != NULL)
		sodium_memzero(plain.data, plain.len);
	free(plain.data);
	return err;
}

void deal_take_reveal(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event, bool *silent)
{
	struct id id = home_id(&item->deal_id);
	Oyez__HomeDeal *deal = home_deal(vendor->home->state, &id);
	const Oyez__HomeOffer *offer;
	Oyez__Release *release;
	enum err err;

	*silent = false;
	if (deal == NULL) {
		event_problem(event, ERR_NOT_FOUND, "a deal this home does not know");
		return;
	}
	// Erased: it comes no second time, whatever the broker still has.
	*silent = deal->wiped_at_ms != 0;
	if (*silent)
		return;
	if (deal->card.len > 0) {
		describe_card(deal, event);
		return;
	}
	if (!stands(deal)) {
		event_problem(event, ERR_NOT_COUNTERSIGNED, "a card without the broker's outcome");
		return;
	}
	if (!find_offer(vendor, &deal->offer_id, &offer, &release, event))
		return;
	err = take_card(vendor, item, deal, offer, release);
	oyez__release__free_unpacked(release, NULL);
	if (err == ERR_OK)
		describe_card(deal, event);
	else
		event_problem(event, err, "a card");
}

// ---- countersign

enum err oyez_vendor_countersign_queue(struct oyez_vendor *vendor, const struct id *id, bool *known,
                                       struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__Countersign record = OYEZ__COUNTERSIGN__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	Oyez__HomeDeal *deal;
	enum err err = vendor_home_begin(vendor->home, error);

	*known = false;
	if (err != ERR_OK)
		return err;
	deal = home_deal(vendor->home->state, id);
	if (deal == NULL)
		return vendor_fail(error, ERR_NOT_FOUND, "no agreement of this deal has arrived: see oyez vendor inbox");
	if (deal->state == OYEZ__HOME_DEAL_STATE__HOME_DEAL_LAPSED)
		return vendor_fail(error, ERR_LAPSED, NULL);
	if (deal->state > OYEZ__HOME_DEAL_STATE__HOME_DEAL_AGREEMENT) {
		*known = true;
		return ERR_OK;
	}
	// Signed before: resending it is how its fate is learnt, whatever the time.
	if (home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_COUNTERSIGN, id) != NULL)
		return ERR_OK;
	if (transport_now_ms(vendor->transport) >= deal->countersign_by_ms)
		return vendor_fail(error, ERR_LAPSED, "the time to countersign is over");
	countersign(&vendor->identity, id, deal->signature_hash.data, signature);
	record.deal_id = deal->id;
	record.signature_hash = deal->signature_hash;
	record.signature = (ProtobufCBinaryData){SIGNATURE_BYTES, signature};
	body.body_case = OYEZ__VENDOR_RECORD__BODY_COUNTERSIGN;
	body.countersign = &record;
	return outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_COUNTERSIGN, id, error);
}

enum err oyez_vendor_countersign(struct oyez_vendor *vendor, const struct id *deal, struct oyez_error *error)
{
	bool known;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err != ERR_OK)
		return err;
	err = oyez_vendor_countersign_queue(vendor, deal, &known, error);
	if (err != ERR_OK || known) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_COUNTERSIGN, deal, error);
}

// ---- what is held

static const char *erasure_word(const Oyez__HomeDeal *deal)
{
	if (deal->erasure_request.len == 0)
		return NULL;
	if (deal->erasure_result == OYEZ__ERASURE_RESULT__ERASURE_ERASED)
		return "erased";
	return deal->erasure_result == OYEZ__ERASURE_RESULT__ERASURE_REFUSED ? "refused" : "asked";
}

static const char *state_word(Oyez__HomeDealState state)
{
	static const char *const words[] = {"none", "agreement", "countersigned", "revealed", "concluded", "lapsed"};

	return (size_t)state < sizeof(words) / sizeof(*words) ? words[state] : "none";
}

enum err oyez_vendor_deals(struct oyez_vendor *vendor, void (*each)(const struct oyez_deal *deal, void *context),
                           void *context, struct oyez_error *error)
{
	enum err err = vendor_home_refresh(vendor->home, error);

	for (size_t i = 0; err == ERR_OK && i < vendor->home->state->n_deals; i++) {
		const Oyez__HomeDeal *stored = vendor->home->state->deals[i];
		struct oyez_event described = {0};
		struct id offer_id = home_id(&stored->offer_id);
		const Oyez__HomeOffer *offer = home_offer(vendor->home->state, &offer_id);
		struct oyez_deal deal = {
		    .id = home_id(&stored->id),
		    .offer = offer_id,
		    .release = home_release_id(&stored->release_id),
		    .state = state_word(stored->state),
		    .at_ms = stored->at_ms,
		    .countersign_by_ms = stored->countersign_by_ms,
		    .reveal_by_ms = stored->reveal_by_ms,
		    .price_e4 = offer != NULL ? offer->price_e4 : 0,
		    .currency = offer != NULL ? offer->currency : "",
		    .erasure = erasure_word(stored),
		    .erasure_by_ms = stored->erasure_by_ms,
		    .erasure_at_ms = stored->erasure_at_ms,
		};

		deal_describe(stored, &described);
		snprintf(deal.terms, sizeof(deal.terms), "%s", described.terms);
		deal.retention_days = described.retention_days;
		if (stored->card.len > 0)
			deal.card = json_loadb((const char *)stored->card.data, stored->card.len, 0, NULL);
		each(&deal, context);
		json_decref(deal.card);
		event_fini(&described);
	}
	return err;
}
