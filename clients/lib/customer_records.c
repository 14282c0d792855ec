// All signed evidence in a wallet, as a list that verify_records.c (or anybody's program) checks without the wallet:
// {"type", ids, "signed": base64 of the Signed}. And the documents made of it.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/verify_records.h"
#include "clients/lib/view.h"

json_t *json_base64(const uint8_t *bytes, size_t count)
{
	size_t room = sodium_base64_encoded_len(count, sodium_base64_VARIANT_ORIGINAL);
	char *text = wallet_alloc(room);
	sodium_bin2base64(text, room, bytes, count, sodium_base64_VARIANT_ORIGINAL);
	json_t *value = json_string(text);
	free(text);
	return value;
}

static json_t *record_new(const char *type, const ProtobufCBinaryData *signed_bytes)
{
	return json_pack("{s:s, s:o}", "type", type, "signed", json_base64(signed_bytes->data, signed_bytes->len));
}

static void add(json_t *records, const char *type, const ProtobufCBinaryData *signed_bytes,
                const ProtobufCBinaryData *deal)
{
	if (!signed_bytes->len)
		return;
	json_t *record = record_new(type, signed_bytes);
	if (deal)
		json_object_set_new(record, "deal", json_binary(deal));
	json_array_append_new(records, record);
}

// A listing carries two signatures: the vendor's, and its broker's word for it.
static void add_listing(json_t *records, const ProtobufCBinaryData *vouched, const ProtobufCBinaryData *deal)
{
	Oyez__VouchedListing *message = oyez__vouched_listing__unpack(NULL, vouched->len, vouched->data);
	if (message && message->listing) {
		ProtobufCBinaryData bytes = {0};
		uint8_t *packed;
		if (codec_encode(&message->listing->base, &packed, &bytes.len) == ERR_OK) {
			bytes.data = packed;
			json_t *record = record_new("listing", &bytes);
			json_object_set_new(record, "vouch",
			                    json_base64(message->broker_signature.data, message->broker_signature.len));
			if (deal)
				json_object_set_new(record, "deal", json_binary(deal));
			json_array_append_new(records, record);
			free(packed);
		}
	}
	if (message)
		oyez__vouched_listing__free_unpacked(message, NULL);
}

static void add_deal(struct oyez_customer *customer, json_t *records, const Oyez__Wallet__Deal *deal)
{
	struct id offer_id = field_id(&deal->offer_id);
	const Oyez__Wallet__Offer *offer = wallet_offer(customer->wallet, &offer_id, NULL);
	const ProtobufCBinaryData *id = &deal->id;
	add_listing(records, &deal->listing, id);
	add(records, "standing", &deal->standing, NULL);
	if (offer)
		add(records, "offer", &offer->signed_, NULL);
	add(records, "agreement", &deal->agreement, id);
	if (deal->vendor_signature.len)
		json_array_append_new(records,
		                      json_pack("{s:s, s:o, s:o, s:o}", "type", "countersignature", "deal", json_binary(id),
		                                "key", json_base64(deal->vendor_key.data, deal->vendor_key.len), "signature",
		                                json_base64(deal->vendor_signature.data, deal->vendor_signature.len)));
	add(records, "outcome", &deal->outcome, id);
	for (size_t i = 0; i < deal->n_messages; i++)
		add(records, "message", &deal->messages[i]->signed_, id);
	add(records, "erase", &deal->erase, id);
	add(records, "erasure_receipt", &deal->erase_receipt, id);
}

json_t *records_json(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *records = json_array();
	for (size_t i = 0; i < file->n_brokers; i++)
		add(records, "config", &file->brokers[i]->config, NULL);
	for (size_t i = 0; i < file->n_deals; i++)
		add_deal(customer, records, file->deals[i]);
	for (size_t i = 0; i < file->n_intents; i++)
		add(records, "withdrawal", &file->intents[i]->withdrawn_proof, NULL);
	for (size_t i = 0; i < file->n_brokers; i++) {
		for (size_t j = 0; j < file->brokers[i]->n_notices; j++)
			add(records, "notice", &file->brokers[i]->notices[j]->signed_, NULL);
	}
	return records;
}

json_t *brokers_json(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *brokers = json_array();
	for (size_t i = 0; i < file->n_brokers; i++)
		json_array_append_new(brokers, json_pack("{s:o, s:o}", "key", json_binary(&file->brokers[i]->key), "url",
		                                         json_text(file->brokers[i]->url)));
	return brokers;
}

enum err oyez_ledger_export(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	*out = json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "oyez", "ledger", "version", 1, "made_at",
	                 json_time(customer_now_ms(customer)), "brokers", brokers_json(customer), "entries",
	                 ledger_of(customer, NULL), "records", records_json(customer));
	document_seal(*out);
	return ERR_OK;
}

// ---- everything

static json_t *intents_json(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *intents = json_array();
	for (size_t i = 0; i < file->n_intents; i++) {
		const Oyez__Wallet__Intent *intent = file->intents[i];
		char id[2 * ID_BYTES + 1];
		json_t *shown = NULL;
		hex_encode(intent->id.data, intent->id.len == ID_BYTES ? ID_BYTES : 0, id);
		if (oyez_show(customer, id, &shown, NULL))
			continue;
		json_t *offers = json_array(), *questions = json_array();
		for (size_t j = 0; j < intent->n_offers; j++)
			json_array_append_new(offers, offer_json(intent, intent->offers[j]));
		for (size_t j = 0; j < intent->n_questions; j++) {
			json_t *question = question_json(intent, intent->questions[j]);
			json_object_set_new(question, "answer", json_text(intent->questions[j]->answer));
			json_array_append_new(questions, question);
		}
		json_object_set_new(shown, "offers", offers);
		json_object_set_new(shown, "questions", questions);
		json_object_del(shown, "deals");
		json_array_append_new(intents, shown);
	}
	return intents;
}

static json_t *deals_json(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *deals = json_array();
	for (size_t i = 0; i < file->n_deals; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		json_t *object = deal_json(deal, customer_now_ms(customer)), *messages = json_array();
		for (size_t j = 0; j < deal->n_messages; j++)
			json_array_append_new(
			    messages, json_pack("{s:s, s:o, s:o}", "from", deal->messages[j]->from_vendor ? "vendor" : "me", "at",
			                        json_time(deal->messages[j]->at_ms), "text", json_text(deal->messages[j]->text)));
		json_object_set_new(object, "messages", messages);
		json_array_append_new(deals, object);
	}
	return deals;
}

static json_t *accounts_json(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *accounts = json_array();
	for (size_t i = 0; i < file->n_accounts; i++)
		json_array_append_new(accounts, json_pack("{s:o, s:o, s:o}", "guardian_key",
		                                          json_binary(&file->accounts[i]->guardian_key), "guardian",
		                                          json_text(file->accounts[i]->guardian_url), "opened_at",
		                                          json_time(file->accounts[i]->opened_at_ms)));
	return accounts;
}

enum err oyez_export(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	json_t *notices;
	*out = NULL;
	enum err err = oyez_notices(customer, &notices, error);
	if (err)
		return err;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	*out = json_pack("{s:s, s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "oyez", "wallet", "version", 1,
	                 "made_at", json_time(customer_now_ms(customer)), "left_out",
	                 "secret keys, tokens, the passphrase, and cards: those are sealed and leave with the deal",
	                 "alias_pattern", *file->alias_pattern ? json_text(file->alias_pattern) : json_null(), "brokers",
	                 brokers_json(customer), "accounts", accounts_json(customer), "intents", intents_json(customer),
	                 "deals", deals_json(customer), "entries", ledger_of(customer, NULL), "notices", notices, "records",
	                 records_json(customer));
	document_seal(*out);
	return ERR_OK;
}
