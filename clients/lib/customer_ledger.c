// Who knows what about me: the ledger of what was given to whom, and the explanation of one intent.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

static json_t *entry(const char *what, const ProtobufCBinaryData *intent, uint64_t at_ms, const char *terms,
                     uint32_t terms_version, uint64_t until_ms)
{
	json_t *object = json_object();
	json_object_set_new(object, "what", json_string(what));
	json_object_set_new(object, "at", json_time(at_ms));
	json_object_set_new(object, "intent", json_binary(intent));
	json_object_set_new(object, "terms", json_text(terms));
	json_object_set_new(object, "terms_version", json_integer(terms_version));
	json_object_set_new(object, "until", json_time(until_ms));
	return object;
}

static void add_answers(struct oyez_customer *customer, json_t *ledger, const Oyez__Wallet__Intent *intent,
                        uint64_t now_ms)
{
	const struct terms *terms = intent_terms(intent);
	for (size_t i = 0; i < intent->n_questions; i++) {
		const Oyez__Wallet__Question *record = intent->questions[i];
		if (record->status != OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED)
			continue;
		json_t *question = question_json(intent, record);
		bool details = strcmp(json_string_value(json_object_get(question, "kind")), "details") == 0;
		uint64_t until_ms = record->answered_at_ms + (terms ? terms->retention_days : 0) * DAY_MS;
		json_t *object = entry(details ? "details" : "answer", &intent->id, record->answered_at_ms,
		                       terms ? terms->id : "", intent->terms_version, until_ms);
		json_object_set(object, "vendor", json_object_get(question, "vendor"));
		json_object_set(object, "vendor_name", json_object_get(question, "vendor_name"));
		json_object_set(object, "vendor_url", json_object_get(question, "vendor_url"));
		json_object_set_new(object, "automatic", json_boolean(record->automatic));
		json_object_set_new(object, "text", json_text(record->answer));
		json_object_set_new(object, "terms_iri", json_text(terms ? terms->iri : ""));
		json_object_set_new(object, "due", json_boolean(now_ms >= until_ms));
		struct id vendor = record->vendor_key.len == KEY_BYTES ? vendor_id_of(record->vendor_key.data) : (struct id){{0}};
		json_object_set_new(object, "notices", notices_touching(customer, NULL, &vendor, record->answered_at_ms));
		json_array_append_new(ledger, object);
		json_decref(question);
	}
}

static json_t *words(char *const *list, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(list[i]));
	return array;
}

Oyez__Agreement *agreement_of(const Oyez__Wallet__Deal *deal)
{
	Oyez__Signed *message;
	Oyez__Agreement *agreement = NULL;
	if (codec_decode_signed(NULL, deal->agreement.data, deal->agreement.len, &message, NULL))
		return NULL;
	codec_decode_agreement(NULL, message->record.data, message->record.len, &agreement, NULL);
	oyez__signed__free_unpacked(message, NULL);
	return agreement;
}

// What was signed about the card, and what became of it since.
static void add_after(struct oyez_customer *customer, json_t *object, const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	Oyez__Agreement *agreement = agreement_of(deal);
	struct id vendor = field_id(&deal->vendor_id);
	bool erased = deal->erase_result == OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	json_object_set_new(object, "alias", *deal->alias ? json_text(deal->alias) : json_null());
	if (agreement) {
		json_object_set_new(object, "terms_iri", json_text(agreement->terms_iri));
		json_object_set_new(object, "purposes", words(agreement->purposes, agreement->n_purposes));
		json_object_set_new(object, "recipients", words(agreement->recipients, agreement->n_recipients));
		oyez__agreement__free_unpacked(agreement, NULL);
	}
	json_object_set_new(object, "due",
	                    json_boolean(!erased && now_ms >= deal->revealed_at_ms + deal->retention_days * DAY_MS));
	json_object_set_new(object, "erasure", erasure_json(deal, now_ms));
	json_object_set_new(object, "notices", notices_touching(customer, deal, &vendor, deal->revealed_at_ms));
	if (deal->vendor_suspended)
		json_object_set_new(object, "vendor_suspended", json_text(deal->suspended_reason));
	json_t *standing = json_object();
	json_add_standing(standing, &deal->standing);
	json_object_set(object, "vendor_checked", json_object_get(standing, "vendor_checked"));
	json_decref(standing);
}

static void add_card(struct oyez_customer *customer, json_t *ledger, const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	if (!deal->revealed_at_ms)
		return;
	json_t *object = entry("card", &deal->intent_id, deal->revealed_at_ms, deal->terms, deal->terms_version,
	                       deal->revealed_at_ms + deal->retention_days * DAY_MS);
	json_object_set_new(object, "deal", json_binary(&deal->id));
	json_object_set_new(object, "vendor", json_binary(&deal->vendor_id));
	json_object_set_new(object, "vendor_name", json_text(deal->vendor_name));
	json_object_set_new(object, "vendor_url", json_text(deal->vendor_url));
	json_t *fields = json_array();
	for (size_t i = 0; i < deal->n_fields; i++)
		json_array_append_new(fields, json_text(deal->fields[i]));
	json_object_set_new(object, "fields", fields);
	add_after(customer, object, deal, now_ms);
	json_array_append_new(ledger, object);
}

json_t *ledger_of(struct oyez_customer *customer, const struct id *only)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *ledger = json_array();
	uint64_t now_ms = customer_now_ms(customer);
	for (size_t i = 0; i < file->n_intents; i++) {
		if (!only || field_is_id(&file->intents[i]->id, only))
			add_answers(customer, ledger, file->intents[i], now_ms);
	}
	for (size_t i = 0; i < file->n_deals; i++) {
		if (!only || field_is_id(&file->deals[i]->intent_id, only))
			add_card(customer, ledger, file->deals[i], now_ms);
	}
	return ledger;
}

enum err oyez_ledger(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		*out = ledger_of(customer, NULL);
	return err;
}

// ---- explain

// The names of what the broker holds beyond what is broadcast, as far as this intent says it.
static json_t *broker_sees(const Oyez__Wallet__Intent *intent)
{
	json_t *sees = json_array();
	if (!intent->guardian_key.len) // direct mode
		json_array_append_new(sees, json_string("network address"));
	json_array_append_new(sees, json_string("facets"));
	Oyez__Post *post = intent_post(intent);
	if (!post)
		return sees;
	if (post->needed_by_day)
		json_array_append_new(sees, json_string("needed_by day"));
	json_array_append_new(sees, json_string("expiry time"));
	if (post->n_allow || post->n_block)
		json_array_append_new(sees, json_string("vendors allowed or blocked"));
	json_array_append_new(sees, json_string("who offers, when, and how large the sealed messages are"));
	oyez__post__free_unpacked(post, NULL);
	return sees;
}

// With two brokers: of the account, never of the intent.
static json_t *guardian_sees(void)
{
	return json_pack("[s,s,s,s,s,s]", "network address", "this wallet's account",
	                 "when and how many tokens are asked for, not which are used", "how many boxes are open, and until when",
	                 "when sealed messages pass, not what they say",
	                 "the addresses of vendors that get details or whose offers are accepted");
}

enum err oyez_explain(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	json_t *shown;
	*out = NULL;
	enum err err = oyez_show(customer, text, &shown, error);
	if (err)
		return err;
	struct id id;
	wallet_resolve(customer->wallet, WALLET_INTENT, text, &id, NULL);
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &id);
	json_t *object = json_object();
	json_object_set(object, "intent", json_object_get(shown, "intent"));
	json_object_set(object, "status", json_object_get(shown, "status"));
	// Nobody but the broker sees anything before the release; afterwards every vendor whose filter matches.
	json_object_set_new(object, "broadcast", json_boolean(intent->release.len > 0));
	json_object_set(object, "vendors_see", json_object_get(shown, "broadcast"));
	json_object_set_new(object, "broker_sees", broker_sees(intent));
	if (intent->guardian_key.len)
		json_object_set_new(object, "guardian_sees", guardian_sees());
	json_object_set_new(object, "nobody_sees",
	                    json_pack("[s,s,s,s]", "name and address", "details text", "exact budget", "exact quantity"));
	json_object_set_new(object, "given", ledger_of(customer, &id));
	json_object_set_new(object, "privacy", json_string(privacy_word(intent)));
	json_decref(shown);
	*out = object;
	return ERR_OK;
}
