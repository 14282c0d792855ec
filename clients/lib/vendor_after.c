// After a deal, as the vendor sees it: the customer's words and the vendor's, a request to erase and its answer. Who
// answers a request here has deleted first: the receipt is signed over a home that no longer has the card.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/seal.h"

static bool bytes_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

// ---- what comes

static Oyez__HomeDeal *deal_of_item(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	struct id id = home_id(&item->deal_id);
	Oyez__HomeDeal *deal = home_deal(vendor->home->state, &id);

	if (deal == NULL) {
		event_problem(event, ERR_NOT_FOUND, "a deal this home does not know");
		return NULL;
	}
	// The broker names the release only as long as it knows the intent.
	event->release_id = home_release_id(&deal->release_id);
	event->has_release_id = true;
	event->offer = home_id(&deal->offer_id);
	event->has_offer = true;
	return deal;
}

static enum err check_message(const Oyez__HomeDeal *deal, const Oyez__Signed *wrapped, const Oyez__Agreement *agreement,
                              char **text)
{
	Oyez__DealText *message = NULL;
	enum err err = sign_open(wrapped, TAG_MESSAGE);

	if (err == ERR_OK)
		err = codec_decode_deal_text(NULL, wrapped->record.data, wrapped->record.len, &message, NULL);
	if (err != ERR_OK)
		return err;
	if (!bytes_equal(&wrapped->key, &agreement->agreement_key) || !bytes_equal(&message->deal_id, &deal->id) ||
	    message->from_vendor)
		err = ERR_BINDING_MISMATCH;
	else
		*text = strdup(message->text);
	oyez__deal_text__free_unpacked(message, NULL);
	return err;
}

void after_take_message(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	const Oyez__HomeDeal *deal = deal_of_item(vendor, item, event);
	Oyez__Signed *wrapped;
	Oyez__Agreement *agreement;
	enum err err;

	if (deal == NULL)
		return;
	event->kind = OYEZ_EVENT_MESSAGE;
	err = deal_open(vendor, deal, SEAL_MESSAGE, &item->message, &wrapped, &agreement);
	if (err == ERR_OK) {
		err = check_message(deal, wrapped, agreement, &event->text);
		oyez__signed__free_unpacked(wrapped, NULL);
		oyez__agreement__free_unpacked(agreement, NULL);
	}
	if (err != ERR_OK)
		event_problem(event, err, deal->wiped_at_ms ? "a message of a deal that was erased here" : "a message");
}

// The request proves itself: it is kept as it came.
static const char *check_erasure(const struct oyez_vendor *vendor, const Oyez__HomeDeal *deal,
                                 const Oyez__Signed *wrapped, const Oyez__DealRecord *record)
{
	Oyez__Agreement *agreement = deal_agreement(deal);
	const char *wrong = NULL;

	if (agreement == NULL || !bytes_equal(&wrapped->key, &agreement->agreement_key))
		wrong = "a request by another key than the agreement's";
	else if (!bytes_equal(&record->deal_id, &deal->id) ||
	         !bytes_equal(&record->broker_id, &vendor->home->state->broker_id) ||
	         record->body_case != OYEZ__DEAL_RECORD__BODY_ERASE)
		wrong = "a request for another deal";
	if (agreement != NULL)
		oyez__agreement__free_unpacked(agreement, NULL);
	return wrong;
}

static void store_request(Oyez__HomeDeal *deal, const Oyez__Signed *wrapped, uint64_t answer_by_ms)
{
	size_t count = oyez__signed__get_packed_size(wrapped);
	uint8_t *packed = malloc(count + 1);

	if (packed == NULL)
		abort();
	oyez__signed__pack(wrapped, packed);
	home_set_bytes(&deal->erasure_request, packed, count);
	deal->erasure_by_ms = answer_by_ms;
	free(packed);
}

void after_take_erasure(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	Oyez__HomeDeal *deal = deal_of_item(vendor, item, event);
	const Oyez__Signed *wrapped = item->erasure;
	Oyez__DealRecord *record = NULL;
	const char *wrong;

	if (deal == NULL)
		return;
	if (sign_open(wrapped, TAG_DEAL_RECORD) != ERR_OK) {
		event_problem(event, ERR_BAD_SIGNATURE, "a request to erase");
		return;
	}
	if (codec_decode_deal_record(NULL, wrapped->record.data, wrapped->record.len, &record, NULL) != ERR_OK) {
		event_problem(event, ERR_BAD_MESSAGE, "a request to erase");
		return;
	}
	wrong = check_erasure(vendor, deal, wrapped, record);
	if (wrong != NULL) {
		event_problem(event, ERR_BINDING_MISMATCH, wrong);
	} else {
		event->kind = OYEZ_EVENT_ERASURE;
		event->answer_by_ms = record->erase->answer_by_ms;
		if (deal->erasure_request.len == 0)
			store_request(deal, wrapped, record->erase->answer_by_ms);
	}
	oyez__deal_record__free_unpacked(record, NULL);
}

// ---- what goes

// Signs a record and seals it to the customer's box. *sealed is the caller's to free. The Signed goes to `keep`, if that
// is not NULL.
static enum err seal_to_customer(struct oyez_vendor *vendor, const Oyez__HomeDeal *deal, const char *tag,
                                 const char *info, const ProtobufCMessage *message, ProtobufCBinaryData *keep,
                                 ProtobufCBinaryData *sealed, struct oyez_error *error)
{
	Oyez__Agreement *agreement = deal_agreement(deal);
	struct seal_header header = {
	    .from = vendor->id, .release = home_release_id(&deal->release_id), .object = home_id(&deal->id)};
	struct codec_detail detail = {""};
	uint8_t *record = NULL, *wrapped = NULL;
	size_t record_bytes, wrapped_bytes;
	enum err err = ERR_OK;

	sealed->data = NULL;
	if (agreement == NULL || agreement->box_key.len != KEY_BYTES)
		err = vendor_fail(error, ERR_MISSING_FIELD, "the customer's agreement names no box to write to");
	if (err == ERR_OK && (err = codec_check(message, &detail)) != ERR_OK)
		vendor_fail(error, err, detail.text);
	if (err == ERR_OK) {
		err = codec_encode(message, &record, &record_bytes);
		if (err == ERR_OK)
			err = sign_wrap(&vendor->identity, tag, record, record_bytes, &wrapped, &wrapped_bytes);
		if (err == ERR_OK)
			err = seal_message(info, agreement->box_key.data, &header, wrapped, wrapped_bytes, &sealed->data,
			                   &sealed->len);
		if (err != ERR_OK)
			vendor_fail(error, err, NULL);
	}
	if (err == ERR_OK && keep != NULL)
		home_set_bytes(keep, wrapped, wrapped_bytes);
	if (agreement != NULL)
		oyez__agreement__free_unpacked(agreement, NULL);
	free(record);
	free(wrapped);
	return err;
}

// Under the home's lock.
static enum err find_deal(struct oyez_vendor *vendor, const struct id *id, Oyez__HomeDeal **deal,
                          struct oyez_error *error)
{
	enum err err = vendor_home_begin(vendor->home, error);

	if (err != ERR_OK)
		return err;
	*deal = home_deal(vendor->home->state, id);
	return *deal != NULL ? ERR_OK
	                     : vendor_fail(error, ERR_NOT_FOUND, "no agreement of this deal has arrived: oyez vendor inbox");
}

static enum err message_queue(struct oyez_vendor *vendor, const struct id *id, const char *text, struct id *object,
                              struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__SendMessage record = OYEZ__SEND_MESSAGE__INIT;
	Oyez__DealText message = OYEZ__DEAL_TEXT__INIT;
	Oyez__HomeDeal *deal;
	enum err err = find_deal(vendor, id, &deal, error);

	if (err != ERR_OK)
		return err;
	message.deal_id = deal->id;
	message.made_at_ms = transport_now_ms(vendor->transport);
	message.from_vendor = true;
	message.text = (char *)text;
	err = seal_to_customer(vendor, deal, TAG_MESSAGE, SEAL_MESSAGE, &message.base, NULL, &record.sealed, error);
	if (err != ERR_OK)
		return err;
	randombytes_buf(object->bytes, ID_BYTES);
	record.deal_id = deal->id;
	record.random = (ProtobufCBinaryData){SUBSCRIBE_RANDOM_BYTES, object->bytes};
	body.body_case = OYEZ__VENDOR_RECORD__BODY_MESSAGE;
	body.message = &record;
	err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_MESSAGE, object, error);
	free(record.sealed.data);
	return err;
}

enum err oyez_vendor_message(struct oyez_vendor *vendor, const struct id *deal, const char *text,
                             struct oyez_error *error)
{
	struct id object;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err == ERR_OK && (err = message_queue(vendor, deal, text, &object, error)) != ERR_OK)
		vendor_home_abandon(vendor->home);
	return err == ERR_OK ? outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_MESSAGE, &object, error) : err;
}

// ---- erasure

static void wipe_bytes(ProtobufCBinaryData *field)
{
	if (field->len > 0)
		sodium_memzero(field->data, field->len);
	home_set_bytes(field, NULL, 0);
}

// The card, what the person said before it, and the keys that open the broker's copies. Agreement, outcome and request
// stay: they name nobody, and prove what was agreed and asked.
static void wipe_person(Oyez__VendorHome *state, Oyez__HomeDeal *deal, uint64_t now_ms)
{
	struct id offer_id = home_id(&deal->offer_id);
	Oyez__HomeOffer *offer = home_offer(state, &offer_id);

	wipe_bytes(&deal->card);
	wipe_bytes(&deal->card_record);
	if (offer != NULL)
		wipe_bytes(&offer->offer_key);
	for (size_t i = state->n_questions; i-- > 0;) {
		if (!bytes_equal(&state->questions[i]->release_id, &deal->release_id))
			continue;
		sodium_memzero(state->questions[i]->answer, strlen(state->questions[i]->answer));
		wipe_bytes(&state->questions[i]->answer_key);
		home_remove_question(state, state->questions[i]);
	}
	deal->wiped_at_ms = now_ms;
}

static struct id request_hash(const Oyez__HomeDeal *deal)
{
	Oyez__Signed *wrapped = oyez__signed__unpack(NULL, deal->erasure_request.len, deal->erasure_request.data);
	struct id id = {{0}};

	if (wrapped != NULL) {
		id = signed_id_of(TAG_RECORD_ID, wrapped);
		oyez__signed__free_unpacked(wrapped, NULL);
	}
	return id;
}

static enum err sign_answer(struct oyez_vendor *vendor, Oyez__HomeDeal *deal, const char *ground,
                            struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__AnswerErasure record = OYEZ__ANSWER_ERASURE__INIT;
	Oyez__ErasureReceipt receipt = OYEZ__ERASURE_RECEIPT__INIT;
	struct id hash = request_hash(deal), id = home_id(&deal->id);
	enum err err;

	receipt.deal_id = deal->id;
	receipt.vendor_id = (ProtobufCBinaryData){ID_BYTES, vendor->id.bytes};
	receipt.request_hash = (ProtobufCBinaryData){ID_BYTES, hash.bytes};
	receipt.result = ground ? OYEZ__ERASURE_RESULT__ERASURE_REFUSED : OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	receipt.at_ms = transport_now_ms(vendor->transport);
	if (ground)
		receipt.ground = (char *)ground;
	err = seal_to_customer(vendor, deal, TAG_ERASURE, SEAL_ERASURE, &receipt.base, &deal->erasure_receipt,
	                       &record.sealed, error);
	if (err != ERR_OK)
		return err;
	deal->erasure_result = receipt.result;
	deal->erasure_at_ms = receipt.at_ms;
	record.deal_id = deal->id;
	record.request_hash = receipt.request_hash;
	record.result = receipt.result;
	body.body_case = OYEZ__VENDOR_RECORD__BODY_ERASURE;
	body.erasure = &record;
	err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_ERASURE, &id, error);
	free(record.sealed.data);
	return err;
}

enum err oyez_vendor_answer_erasure_queue(struct oyez_vendor *vendor, const struct id *id, const char *ground,
                                          bool *known, struct oyez_error *error)
{
	Oyez__ErasureResult wanted = ground ? OYEZ__ERASURE_RESULT__ERASURE_REFUSED : OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	Oyez__HomeDeal *deal;
	enum err err = find_deal(vendor, id, &deal, error);

	*known = false;
	if (err != ERR_OK)
		return err;
	if (deal->erasure_request.len == 0)
		return vendor_fail(error, ERR_ERASURE_UNKNOWN, NULL);
	if (deal->erasure_result != 0) {
		if (deal->erasure_result != wanted)
			return vendor_fail(error, ERR_ERASURE_ANSWERED, NULL);
		*known = home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_ERASURE, id) == NULL;
		return ERR_OK;
	}
	if (!ground && deal->wiped_at_ms == 0) {
		wipe_person(vendor->home->state, deal, transport_now_ms(vendor->transport));
		err = vendor_home_commit_wiping(vendor->home, error);
		if (err == ERR_OK)
			err = find_deal(vendor, id, &deal, error);
		if (err != ERR_OK)
			return err;
	}
	return sign_answer(vendor, deal, ground, error);
}

enum err oyez_vendor_answer_erasure(struct oyez_vendor *vendor, const struct id *deal, const char *ground,
                                    struct oyez_error *error)
{
	bool known = false;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err != ERR_OK)
		return err;
	err = oyez_vendor_answer_erasure_queue(vendor, deal, ground, &known, error);
	if (err != ERR_OK || known) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_ERASURE, deal, error);
}
