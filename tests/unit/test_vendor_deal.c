// What a vendor must not believe: agreements, outcomes and cards that were forged, swapped or never agreed upon. Each
// is tried against a home with one true offer; the true ones pass, and a card leaves a receipt to be sent.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/lib/vendor_internal.h"
#include "proto/agreement.h"
#include "proto/seal.h"
#include "proto/terms.h"

#define CARD "{\"name\":\"Alice\"}"

static struct sign_pair intent, agreement_key, broker, stranger;
static struct hpke_pair reply, offer_key, box;
static struct release_id release_id = {{1, 2, 3}};
static struct id offer_id = {{4, 5, 6}};
static uint8_t secret[RANDOM_BYTES], terms[HASH_BYTES], random_bytes[RANDOM_BYTES];

// One deal as the customer makes it; tests spoil one thing each.
struct deal {
	Oyez__Agreement agreement;
	Oyez__InboxAgreement clear;
	Oyez__InboxItem item;
	uint8_t commitment[HASH_BYTES];
	struct id id;
	Oyez__Signed *signed_agreement;
	const struct sign_pair *signer;
};

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){count, (uint8_t *)bytes};
}

static struct oyez_vendor *vendor_new(void)
{
	struct oyez_vendor *vendor = calloc(1, sizeof(*vendor));
	struct oyez_error error;

	vendor->home = calloc(1, sizeof(*vendor->home));
	vendor->home->state = calloc(1, sizeof(*vendor->home->state));
	oyez__vendor_home__init(vendor->home->state);
	Oyez__VendorHome *state = vendor->home->state;
	sign_pair_new(&vendor->identity);
	vendor->id = vendor_id_of(vendor->identity.public_key);
	assert_int_equal(transport_open("tcp://127.0.0.1:1", NULL, &vendor->transport, &error), ERR_OK);
	home_set_bytes(&state->broker_id, broker.public_key, KEY_BYTES);
	state->n_terms = 1;
	state->terms = calloc(1, sizeof(*state->terms));
	state->terms[0] = strdup("SD-BASE");

	Oyez__Release release = OYEZ__RELEASE__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	uint8_t *bytes;
	size_t count;
	facets.category = (char *)"home.kitchen.kettle";
	facets.region = (char *)"FR";
	facets.terms = (char *)"SD-BASE";
	release.release_id = view(release_id.bytes, RELEASE_ID_BYTES);
	release.suite = SUITE_X25519_CHACHA;
	release.intent_key = view(intent.public_key, KEY_BYTES);
	release.reply_key = view(reply.public_key, KEY_BYTES);
	release.facets = &facets;
	release.expires = OYEZ__EXPIRY_BAND__EXPIRY_7D;
	release.crowd = 1;
	release.released_at_ms = UINT64_C(1790000000000);
	release.home_broker = view(broker.public_key, KEY_BYTES);
	assert_int_equal(codec_encode(&release.base, &bytes, &count), ERR_OK);
	Oyez__HomeRelease *stored = home_add_release(state);
	home_set_bytes(&stored->id, release_id.bytes, RELEASE_ID_BYTES);
	home_set_bytes(&stored->release, bytes, count);
	free(bytes);

	Oyez__HomeOffer *offer = home_add_offer(state);
	home_set_bytes(&offer->id, offer_id.bytes, ID_BYTES);
	home_set_bytes(&offer->release_id, release_id.bytes, RELEASE_ID_BYTES);
	home_set_bytes(&offer->terms_hash, terms, HASH_BYTES);
	home_set_pair(&offer->offer_key, &offer_key);
	return vendor;
}

static void vendor_free(struct oyez_vendor *vendor)
{
	transport_close(vendor->transport);
	oyez__vendor_home__free_unpacked(vendor->home->state, NULL);
	free(vendor->home);
	free(vendor);
}

static void deal_fill(struct deal *deal, const struct oyez_vendor *vendor)
{
	const struct terms *roster = terms_at((size_t)terms_find("SD-BASE"));

	memset(deal, 0, sizeof(*deal));
	oyez__agreement__init(&deal->agreement);
	oyez__inbox_agreement__init(&deal->clear);
	oyez__inbox_item__init(&deal->item);
	card_commitment(secret, (const uint8_t *)CARD, strlen(CARD), deal->commitment);
	deal->agreement.offer_id = view(offer_id.bytes, ID_BYTES);
	deal->agreement.vendor_id = view(vendor->id.bytes, ID_BYTES);
	deal->agreement.intent_key = view(intent.public_key, KEY_BYTES);
	deal->agreement.agreement_key = view(agreement_key.public_key, KEY_BYTES);
	deal->agreement.terms_iri = (char *)roster->iri;
	deal->agreement.terms_version = roster->version;
	deal->agreement.terms_hash = view(terms, HASH_BYTES);
	deal->agreement.countersign_by_ms = UINT64_C(4000000000000);
	deal->agreement.reveal_by_ms = UINT64_C(4000000001000);
	deal->agreement.random = view(random_bytes, RANDOM_BYTES);
	deal->agreement.card_commitment = view(deal->commitment, HASH_BYTES);
	deal->agreement.retention_days = roster->retention_days;
	deal->agreement.purposes = (char **)roster->purposes;
	deal->agreement.n_purposes = terms_words(roster->purposes);
	deal->agreement.recipients = (char **)roster->recipients;
	deal->agreement.n_recipients = terms_words(roster->recipients);
	deal->clear.offer_id = view(offer_id.bytes, ID_BYTES);
	deal->clear.agreement_key = view(agreement_key.public_key, KEY_BYTES);
	deal->clear.countersign_by_ms = deal->agreement.countersign_by_ms;
	deal->clear.reveal_by_ms = deal->agreement.reveal_by_ms;
	deal->signer = &intent;
}

static Oyez__Signed *sign(const ProtobufCMessage *message, const struct sign_pair *pair, const char *tag)
{
	uint8_t *record, *wrapped;
	size_t record_bytes, wrapped_bytes;

	assert_int_equal(codec_encode(message, &record, &record_bytes), ERR_OK);
	assert_int_equal(sign_wrap(pair, tag, record, record_bytes, &wrapped, &wrapped_bytes), ERR_OK);
	Oyez__Signed *parsed = oyez__signed__unpack(NULL, wrapped_bytes, wrapped);
	free(record);
	free(wrapped);
	return parsed;
}

static ProtobufCBinaryData seal(const char *info, const Oyez__Signed *message, const struct id *object)
{
	struct seal_header header = {.from = intent_id_of(intent.public_key), .release = release_id, .object = *object};
	uint8_t *bytes = malloc(oyez__signed__get_packed_size(message));
	ProtobufCBinaryData sealed;
	size_t count = oyez__signed__pack(message, bytes);

	assert_int_equal(seal_message(info, offer_key.public_key, &header, bytes, count, &sealed.data, &sealed.len),
	                 ERR_OK);
	free(bytes);
	return sealed;
}

static void deal_sign(struct deal *deal)
{
	deal->signed_agreement = sign(&deal->agreement.base, deal->signer, TAG_AGREEMENT);
	deal->id = signed_id_of(TAG_DEAL, deal->signed_agreement);
	deal->clear.sealed = seal(SEAL_AGREEMENT, deal->signed_agreement, &deal->id);
	deal->item.release_id = view(release_id.bytes, RELEASE_ID_BYTES);
	deal->item.deal_id = view(deal->id.bytes, ID_BYTES);
	deal->item.body_case = OYEZ__INBOX_ITEM__BODY_AGREEMENT;
	deal->item.agreement = &deal->clear;
}

static void deal_fini(struct deal *deal)
{
	oyez__signed__free_unpacked(deal->signed_agreement, NULL);
	free(deal->clear.sealed.data);
}

// Takes the agreement; a problem's code, or ERR_OK and the deal is in the home.
static enum err take_agreement(struct oyez_vendor *vendor, struct deal *deal)
{
	struct oyez_event event = {0};

	deal_take_agreement(vendor, &deal->item, &event);
	enum err code = event.kind == OYEZ_EVENT_PROBLEM ? event.problem.code : ERR_OK;
	assert_int_equal(home_deal(vendor->home->state, &deal->id) != NULL, code == ERR_OK);
	event_fini(&event);
	return code;
}

static enum err take_outcome(struct oyez_vendor *vendor, const struct deal *deal, const struct sign_pair *signer,
                             Oyez__OutcomeResult result)
{
	Oyez__Outcome outcome = OYEZ__OUTCOME__INIT;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	struct oyez_event event = {0};
	bool silent;

	outcome.deal_id = view(deal->id.bytes, ID_BYTES);
	outcome.result = result;
	outcome.at_ms = UINT64_C(1790000000000);
	outcome.broker_id = view(broker.public_key, KEY_BYTES);
	item.deal_id = outcome.deal_id;
	item.body_case = OYEZ__INBOX_ITEM__BODY_OUTCOME;
	item.outcome = sign(&outcome.base, signer, TAG_OUTCOME);
	deal_take_outcome(vendor, &item, &event, &silent);
	oyez__signed__free_unpacked(item.outcome, NULL);
	enum err code = event.kind == OYEZ_EVENT_PROBLEM ? event.problem.code : ERR_OK;
	event_fini(&event);
	return code;
}

static enum err take_card(struct oyez_vendor *vendor, const struct deal *deal, const struct sign_pair *signer,
                          const char *text, const uint8_t with_secret[RANDOM_BYTES])
{
	Oyez__Card card = OYEZ__CARD__INIT;
	Oyez__InboxReveal reveal = OYEZ__INBOX_REVEAL__INIT;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	struct oyez_event event = {0};

	card.deal_id = view(deal->id.bytes, ID_BYTES);
	card.vendor_id = view(vendor->id.bytes, ID_BYTES);
	card.secret = view(with_secret, RANDOM_BYTES);
	card.card = view(text, strlen(text));
	Oyez__Signed *message = sign(&card.base, signer, TAG_REVEAL);
	reveal.offer_id = view(offer_id.bytes, ID_BYTES);
	reveal.sealed = seal(SEAL_REVEAL, message, &deal->id);
	item.deal_id = card.deal_id;
	item.body_case = OYEZ__INBOX_ITEM__BODY_REVEAL;
	item.reveal = &reveal;
	bool silent;
	deal_take_reveal(vendor, &item, &event, &silent);
	oyez__signed__free_unpacked(message, NULL);
	free(reveal.sealed.data);
	if (silent)
		return ERR_GONE;
	enum err code = event.kind == OYEZ_EVENT_PROBLEM ? event.problem.code : ERR_OK;
	if (code == ERR_OK)
		assert_string_equal(json_string_value(json_object_get(event.card, "name")), "Alice");
	event_fini(&event);
	return code;
}

static bool receipt_waits(const struct oyez_vendor *vendor, const struct deal *deal)
{
	return home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_RECEIPT, &deal->id) != NULL;
}

// ---- tests

static void a_true_deal_goes_through_and_may_be_read_again(void **state)
{
	struct oyez_vendor *vendor = vendor_new();
	struct deal deal;

	(void)state;
	deal_fill(&deal, vendor);
	deal_sign(&deal);
	for (int i = 0; i < 2; i++)
		assert_int_equal(take_agreement(vendor, &deal), ERR_OK);
	assert_int_equal(vendor->home->state->n_deals, 1);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_NOT_COUNTERSIGNED);
	assert_false(receipt_waits(vendor, &deal));
	assert_int_equal(take_outcome(vendor, &deal, &broker, OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED), ERR_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_OK);
	assert_true(receipt_waits(vendor, &deal));
	assert_int_equal(vendor->home->state->n_pending, 1);
	deal_fini(&deal);
	vendor_free(vendor);
}

static void agreements_that_are_not_this_customers_are_refused(void **state)
{
	struct oyez_vendor *vendor = vendor_new();
	struct id other = {{9}};
	uint8_t other_hash[HASH_BYTES] = {9};
	struct deal deal;

	(void)state;
	char *more[TERMS_WORDS_MAX + 1];
	for (int spoiled = 0; spoiled < 17; spoiled++) {
		enum err expected = ERR_BINDING_MISMATCH;

		deal_fill(&deal, vendor);
		switch (spoiled) {
		case 0:
			deal.signer = &stranger;
			break;
		case 1:
			deal.agreement.intent_key = view(stranger.public_key, KEY_BYTES);
			break;
		case 2:
			deal.agreement.offer_id = view(other.bytes, ID_BYTES);
			break;
		case 3:
			deal.clear.offer_id = view(other.bytes, ID_BYTES);
			expected = ERR_NOT_FOUND;
			break;
		case 4:
			deal.agreement.vendor_id = view(other.bytes, ID_BYTES);
			break;
		case 5:
			deal.clear.agreement_key = view(stranger.public_key, KEY_BYTES);
			break;
		case 6:
			deal.clear.countersign_by_ms++;
			break;
		case 7:
			deal.clear.reveal_by_ms++;
			break;
		case 8:
			deal.agreement.terms_hash = view(other_hash, HASH_BYTES);
			break;
		case 9:
			deal.agreement.terms_iri = (char *)"https://terms.example/everything";
			break;
		case 10:
			deal.agreement.terms_version++;
			break;
		case 12:
			deal.agreement.n_purposes--;
			break;
		case 13: // as if the customer had agreed to more
			memcpy(more, deal.agreement.purposes, deal.agreement.n_purposes * sizeof(*more));
			more[deal.agreement.n_purposes++] = (char *)"ai_training";
			deal.agreement.purposes = more;
			break;
		case 14:
			more[0] = (char *)"vendor";
			more[1] = (char *)"everybody";
			deal.agreement.recipients = more;
			deal.agreement.n_recipients = 2;
			break;
		case 15:
			deal.agreement.n_recipients = 0;
			break;
		case 16:
			deal.agreement.retention_days++;
			break;
		default:
			break; // the signature, below
		}
		deal_sign(&deal);
		if (spoiled == 11) {
			free(deal.clear.sealed.data);
			deal.signed_agreement->signature.data[5] ^= 1;
			deal.id = signed_id_of(TAG_DEAL, deal.signed_agreement);
			deal.clear.sealed = seal(SEAL_AGREEMENT, deal.signed_agreement, &deal.id);
			expected = ERR_BAD_SIGNATURE;
		}
		assert_int_equal(take_agreement(vendor, &deal), expected);
		deal_fini(&deal);
	}
	assert_int_equal(vendor->home->state->n_deals, 0);
	vendor_free(vendor);
}

static void a_deal_id_that_is_not_the_agreements_does_not_open(void **state)
{
	struct oyez_vendor *vendor = vendor_new();
	struct deal deal;

	(void)state;
	deal_fill(&deal, vendor);
	deal_sign(&deal);
	deal.id.bytes[0] ^= 1;
	assert_int_equal(take_agreement(vendor, &deal), ERR_SEALED);
	// Sealed for the other id as well: opened, but the id is not the hash.
	free(deal.clear.sealed.data);
	deal.clear.sealed = seal(SEAL_AGREEMENT, deal.signed_agreement, &deal.id);
	assert_int_equal(take_agreement(vendor, &deal), ERR_BINDING_MISMATCH);
	deal_fini(&deal);
	vendor_free(vendor);
}

static void only_the_pinned_broker_gives_outcomes(void **state)
{
	struct oyez_vendor *vendor = vendor_new();
	struct deal deal;

	(void)state;
	deal_fill(&deal, vendor);
	deal_sign(&deal);
	assert_int_equal(take_agreement(vendor, &deal), ERR_OK);
	assert_int_equal(take_outcome(vendor, &deal, &stranger, OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED),
	                 ERR_BAD_SIGNATURE);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(take_outcome(vendor, &deal, &broker, OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED), ERR_OK);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(home_deal(vendor->home->state, &deal.id)->state, OYEZ__HOME_DEAL_STATE__HOME_DEAL_LAPSED);
	deal_fini(&deal);
	vendor_free(vendor);
}

static void cards_other_than_the_one_agreed_upon_are_refused(void **state)
{
	struct oyez_vendor *vendor = vendor_new();
	uint8_t other_secret[RANDOM_BYTES] = {7};
	struct deal deal;

	(void)state;
	deal_fill(&deal, vendor);
	deal_sign(&deal);
	assert_int_equal(take_agreement(vendor, &deal), ERR_OK);
	assert_int_equal(take_outcome(vendor, &deal, &broker, OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED), ERR_OK);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, "{\"name\":\"Mallory\"}", secret), ERR_CARD_MISMATCH);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, other_secret), ERR_CARD_MISMATCH);
	assert_int_equal(take_card(vendor, &deal, &stranger, CARD, secret), ERR_BAD_SIGNATURE);
	assert_false(receipt_waits(vendor, &deal));
	assert_int_equal(home_deal(vendor->home->state, &deal.id)->card.len, 0);
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_OK);
	deal_fini(&deal);
	vendor_free(vendor);
}

// ---- after a deal

// A home with a deal whose card has come; its agreement names a box.
static struct oyez_vendor *vendor_with_card(struct deal *deal)
{
	struct oyez_vendor *vendor = vendor_new();

	deal_fill(deal, vendor);
	deal->agreement.box_key = view(box.public_key, KEY_BYTES);
	deal_sign(deal);
	assert_int_equal(take_agreement(vendor, deal), ERR_OK);
	assert_int_equal(take_outcome(vendor, deal, &broker, OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED), ERR_OK);
	assert_int_equal(take_card(vendor, deal, &agreement_key, CARD, secret), ERR_OK);
	return vendor;
}

static enum err take_message(struct oyez_vendor *vendor, const struct deal *deal, const struct sign_pair *signer,
                             const struct id *about, bool from_vendor)
{
	Oyez__DealText text = OYEZ__DEAL_TEXT__INIT;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	struct oyez_event event = {0};

	text.deal_id = view(about->bytes, ID_BYTES);
	text.made_at_ms = UINT64_C(1790000000000);
	text.from_vendor = from_vendor;
	text.text = (char *)"when does it come?";
	Oyez__Signed *message = sign(&text.base, signer, TAG_MESSAGE);
	item.deal_id = view(deal->id.bytes, ID_BYTES);
	item.body_case = OYEZ__INBOX_ITEM__BODY_MESSAGE;
	item.message = seal(SEAL_MESSAGE, message, &deal->id);
	after_take_message(vendor, &item, &event);
	oyez__signed__free_unpacked(message, NULL);
	free(item.message.data);
	enum err code = event.kind == OYEZ_EVENT_PROBLEM ? event.problem.code : ERR_OK;
	if (code == ERR_OK)
		assert_string_equal(event.text, "when does it come?");
	assert_true(event.has_release_id && release_id_equal(&event.release_id, &release_id));
	event_fini(&event);
	return code;
}

static enum err take_erasure(struct oyez_vendor *vendor, const struct deal *deal, const struct sign_pair *signer,
                             const struct id *about, const struct sign_pair *home_broker, struct id *request)
{
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	Oyez__Erase erase = OYEZ__ERASE__INIT;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	struct oyez_event event = {0};

	erase.answer_by_ms = UINT64_C(1790600000000);
	record.broker_id = view(home_broker->public_key, KEY_BYTES);
	record.made_at_ms = UINT64_C(1790000000000);
	record.deal_id = view(about->bytes, ID_BYTES);
	record.body_case = OYEZ__DEAL_RECORD__BODY_ERASE;
	record.erase = &erase;
	item.deal_id = view(deal->id.bytes, ID_BYTES);
	item.body_case = OYEZ__INBOX_ITEM__BODY_ERASURE;
	item.erasure = sign(&record.base, signer, TAG_DEAL_RECORD);
	*request = signed_id_of(TAG_RECORD_ID, item.erasure);
	after_take_erasure(vendor, &item, &event);
	oyez__signed__free_unpacked(item.erasure, NULL);
	enum err code = event.kind == OYEZ_EVENT_PROBLEM ? event.problem.code : ERR_OK;
	if (code == ERR_OK)
		assert_true(event.answer_by_ms == erase.answer_by_ms);
	event_fini(&event);
	return code;
}

static void words_of_strangers_are_not_shown(void **state)
{
	struct deal deal;
	struct oyez_vendor *vendor = vendor_with_card(&deal);
	struct id other = {{9}}, request;

	(void)state;
	assert_int_equal(take_message(vendor, &deal, &agreement_key, &deal.id, false), ERR_OK);
	assert_int_equal(take_message(vendor, &deal, &stranger, &deal.id, false), ERR_BINDING_MISMATCH);
	assert_int_equal(take_message(vendor, &deal, &intent, &deal.id, false), ERR_BINDING_MISMATCH);
	assert_int_equal(take_message(vendor, &deal, &agreement_key, &other, false), ERR_BINDING_MISMATCH);
	assert_int_equal(take_message(vendor, &deal, &agreement_key, &deal.id, true), ERR_BINDING_MISMATCH);
	assert_int_equal(take_erasure(vendor, &deal, &stranger, &deal.id, &broker, &request), ERR_BINDING_MISMATCH);
	assert_int_equal(take_erasure(vendor, &deal, &agreement_key, &other, &broker, &request), ERR_BINDING_MISMATCH);
	assert_int_equal(take_erasure(vendor, &deal, &agreement_key, &deal.id, &stranger, &request), ERR_BINDING_MISMATCH);
	assert_int_equal(home_deal(vendor->home->state, &deal.id)->erasure_request.len, 0);
	deal_fini(&deal);
	vendor_free(vendor);
}

// Opens, as the customer does, what waits to be sent. Its signer is the vendor.
static Oyez__ErasureReceipt *receipt_sent(const struct oyez_vendor *vendor, const struct deal *deal)
{
	const Oyez__HomePending *pending =
	    home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_ERASURE, &deal->id);
	struct seal_header header = {.from = vendor->id, .release = release_id, .object = deal->id};
	uint8_t *plain;
	size_t plain_bytes;

	assert_non_null(pending);
	Oyez__Signed *wrapped = outbox_signed(pending), *inner;
	assert_int_equal(sign_open(wrapped, TAG_VENDOR), ERR_OK);
	Oyez__VendorRecord *record = oyez__vendor_record__unpack(NULL, wrapped->record.len, wrapped->record.data);
	assert_int_equal(open_message(SEAL_ERASURE, &box, &header, record->erasure->sealed.data,
	                              record->erasure->sealed.len, &plain, &plain_bytes),
	                 ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, plain, plain_bytes, &inner, NULL), ERR_OK);
	assert_int_equal(sign_open(inner, TAG_ERASURE), ERR_OK);
	assert_memory_equal(inner->key.data, vendor->identity.public_key, KEY_BYTES);
	Oyez__ErasureReceipt *receipt;
	assert_int_equal(codec_decode_erasure_receipt(NULL, inner->record.data, inner->record.len, &receipt, NULL), ERR_OK);
	assert_int_equal(receipt->result, record->erasure->result);
	free(plain);
	oyez__signed__free_unpacked(inner, NULL);
	oyez__signed__free_unpacked(wrapped, NULL);
	oyez__vendor_record__free_unpacked(record, NULL);
	return receipt;
}

static void a_refusal_names_the_law_and_deletes_nothing(void **state)
{
	struct deal deal;
	struct oyez_vendor *vendor = vendor_with_card(&deal);
	struct oyez_error error;
	struct id request;
	bool known;

	(void)state;
	vendor->home->locked = true; // this home has no file
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, "law", &known, &error), ERR_ERASURE_UNKNOWN);
	assert_int_equal(take_erasure(vendor, &deal, &agreement_key, &deal.id, &broker, &request), ERR_OK);
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, "L123-22", &known, &error), ERR_OK);
	Oyez__ErasureReceipt *receipt = receipt_sent(vendor, &deal);
	assert_int_equal(receipt->result, OYEZ__ERASURE_RESULT__ERASURE_REFUSED);
	assert_string_equal(receipt->ground, "L123-22");
	assert_memory_equal(receipt->request_hash.data, request.bytes, ID_BYTES);
	oyez__erasure_receipt__free_unpacked(receipt, NULL);
	assert_true(home_deal(vendor->home->state, &deal.id)->card.len > 0);
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, NULL, &known, &error), ERR_ERASURE_ANSWERED);
	deal_fini(&deal);
	vendor_free(vendor);
}

// The state of a fixture in a real home.
static void settle(struct oyez_vendor *vendor, const char *folder)
{
	Oyez__VendorHome *state = vendor->home->state;
	struct oyez_error error;

	home_set_bytes(&state->seed, random_bytes, 32);
	home_set_bytes(&state->listing, random_bytes, 32);
	assert_int_equal(vendor_home_create(folder, "", state, &error), ERR_OK);
	oyez__vendor_home__free_unpacked(state, NULL);
	free(vendor->home);
	assert_int_equal(vendor_home_open(folder, "", &vendor->home, &error), ERR_OK);
}

static void erased_is_gone_from_the_home(void **state)
{
	char folder[] = "/tmp/oyez-test-XXXXXX", path[64];
	struct deal deal;
	struct oyez_vendor *vendor = vendor_with_card(&deal);
	struct oyez_error error;
	struct id request;
	bool known;

	(void)state;
	Oyez__HomeQuestion *question = home_add_question(vendor->home->state);
	home_set_bytes(&question->release_id, release_id.bytes, RELEASE_ID_BYTES);
	home_set_text(&question->answer, "I am Alice's neighbour");
	assert_int_equal(take_erasure(vendor, &deal, &agreement_key, &deal.id, &broker, &request), ERR_OK);
	assert_non_null(mkdtemp(folder));
	settle(vendor, folder);
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, NULL, &known, &error), ERR_OK);
	assert_int_equal(vendor_home_commit(vendor->home, &error), ERR_OK);
	Oyez__ErasureReceipt *receipt = receipt_sent(vendor, &deal);
	assert_int_equal(receipt->result, OYEZ__ERASURE_RESULT__ERASURE_ERASED);
	assert_memory_equal(receipt->request_hash.data, request.bytes, ID_BYTES);
	oyez__erasure_receipt__free_unpacked(receipt, NULL);

	vendor_home_close(vendor->home);
	assert_int_equal(vendor_home_open(folder, "", &vendor->home, &error), ERR_OK);
	size_t count = oyez__vendor_home__get_packed_size(vendor->home->state);
	uint8_t *bytes = malloc(count);
	oyez__vendor_home__pack(vendor->home->state, bytes);
	for (size_t i = 0; i + 5 <= count; i++)
		assert_memory_not_equal(bytes + i, "Alice", 5);
	free(bytes);
	const Oyez__HomeDeal *kept = home_deal(vendor->home->state, &deal.id);
	assert_true(kept->erasure_receipt.len > 0 && kept->erasure_request.len > 0 && kept->agreement.len > 0);
	// The broker may still have it: it is not taken again, nor can it be opened.
	assert_int_equal(take_card(vendor, &deal, &agreement_key, CARD, secret), ERR_GONE);
	assert_int_equal(take_message(vendor, &deal, &agreement_key, &deal.id, false), ERR_SEALED);
	// Again is harmless; another answer is not given.
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, NULL, &known, &error), ERR_OK);
	assert_int_equal(oyez_vendor_answer_erasure_queue(vendor, &deal.id, "law", &known, &error), ERR_ERASURE_ANSWERED);
	vendor_home_abandon(vendor->home);
	vendor_home_close(vendor->home);
	transport_close(vendor->transport);
	free(vendor);
	deal_fini(&deal);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/vendor%s", folder, i ? ".lock" : "");
		unlink(path);
	}
	rmdir(folder);
}

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return 1;
	sign_pair_new(&intent);
	sign_pair_new(&agreement_key);
	sign_pair_new(&broker);
	sign_pair_new(&stranger);
	hpke_pair_new(&reply);
	hpke_pair_new(&offer_key);
	hpke_pair_new(&box);
	randombytes_buf(secret, sizeof(secret));
	randombytes_buf(random_bytes, sizeof(random_bytes));
	terms_hash(terms_at((size_t)terms_find("SD-BASE")), terms);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_true_deal_goes_through_and_may_be_read_again),
	    cmocka_unit_test(agreements_that_are_not_this_customers_are_refused),
	    cmocka_unit_test(a_deal_id_that_is_not_the_agreements_does_not_open),
	    cmocka_unit_test(only_the_pinned_broker_gives_outcomes),
	    cmocka_unit_test(cards_other_than_the_one_agreed_upon_are_refused),
	    cmocka_unit_test(words_of_strangers_are_not_shown),
	    cmocka_unit_test(a_refusal_names_the_law_and_deletes_nothing),
	    cmocka_unit_test(erased_is_gone_from_the_home),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
