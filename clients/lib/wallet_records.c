// Finding, adding and removing records of the wallet, and their fields. Nothing here reads or writes files.
#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/wallet.h"
#include "clients/lib/wallet_file.h"
#include "proto/sign.h"

enum { RECORD_VERSION = 1, PREFIX_DIGITS_MIN = 6 };

// ---- fields

void field_wipe(ProtobufCBinaryData *field)
{
	if (field->data)
		wallet_allocator.free(NULL, field->data);
	field->data = NULL;
	field->len = 0;
}

void field_set(ProtobufCBinaryData *field, const void *bytes, size_t count)
{
	uint8_t *copy = wallet_alloc(count);
	if (count)
		memcpy(copy, bytes, count);
	field_wipe(field);
	field->data = copy;
	field->len = count;
}

void field_set_id(ProtobufCBinaryData *field, const struct id *id)
{
	field_set(field, id->bytes, ID_BYTES);
}

void field_set_signed(ProtobufCBinaryData *field, const Oyez__Signed *message)
{
	if (!message)
		return;
	size_t count = oyez__signed__get_packed_size(message);
	uint8_t *bytes = wallet_alloc(count);
	oyez__signed__pack(message, bytes);
	field_set(field, bytes, count);
	wallet_allocator.free(NULL, bytes);
}

void field_set_text(char **field, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = wallet_alloc(bytes);
	memcpy(copy, text, bytes);
	if (*field && *field != protobuf_c_empty_string)
		wallet_allocator.free(NULL, *field);
	*field = copy;
}

struct id field_id(const ProtobufCBinaryData *field)
{
	struct id id = {0};
	if (field->len == ID_BYTES)
		memcpy(id.bytes, field->data, ID_BYTES);
	return id;
}

bool field_is_id(const ProtobufCBinaryData *field, const struct id *id)
{
	return field->len == ID_BYTES && memcmp(field->data, id->bytes, ID_BYTES) == 0;
}

// ---- lists: protobuf-c's arrays of pointers, grown by one

static void *list_add(void *items, size_t *count, void *item)
{
	void **grown = wallet_alloc((*count + 1) * sizeof(void *));
	void **old = *(void ***)items;
	if (*count)
		memcpy(grown, old, *count * sizeof(void *));
	free(old);
	grown[(*count)++] = item;
	*(void ***)items = grown;
	return item;
}

static void list_remove(void **items, size_t *count, size_t at)
{
	memmove(items + at, items + at + 1, (*count - at - 1) * sizeof(void *));
	(*count)--;
}

#define NEW_RECORD(name, type, init)                                                                                   \
	type *name = wallet_alloc(sizeof(*name));                                                                          \
	*name = (type)init;                                                                                                \
	name->version = RECORD_VERSION

Oyez__Wallet__Intent *wallet_add_intent(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(intent, Oyez__Wallet__Intent, OYEZ__WALLET__INTENT__INIT);
	return list_add(&file->intents, &file->n_intents, intent);
}

Oyez__Wallet__Deal *wallet_add_deal(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(deal, Oyez__Wallet__Deal, OYEZ__WALLET__DEAL__INIT);
	return list_add(&file->deals, &file->n_deals, deal);
}

Oyez__Wallet__Broker *wallet_add_broker(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(broker, Oyez__Wallet__Broker, OYEZ__WALLET__BROKER__INIT);
	return list_add(&file->brokers, &file->n_brokers, broker);
}

Oyez__Wallet__Pending *wallet_add_pending(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(pending, Oyez__Wallet__Pending, OYEZ__WALLET__PENDING__INIT);
	return list_add(&file->pending, &file->n_pending, pending);
}

Oyez__Wallet__Offer *wallet_add_offer(Oyez__Wallet__Intent *intent)
{
	NEW_RECORD(offer, Oyez__Wallet__Offer, OYEZ__WALLET__OFFER__INIT);
	return list_add(&intent->offers, &intent->n_offers, offer);
}

Oyez__Wallet__Question *wallet_add_question(Oyez__Wallet__Intent *intent)
{
	NEW_RECORD(question, Oyez__Wallet__Question, OYEZ__WALLET__QUESTION__INIT);
	return list_add(&intent->questions, &intent->n_questions, question);
}

Oyez__Wallet__Account *wallet_add_account(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(account, Oyez__Wallet__Account, OYEZ__WALLET__ACCOUNT__INIT);
	return list_add(&file->accounts, &file->n_accounts, account);
}

Oyez__Wallet__Token *wallet_add_token(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(token, Oyez__Wallet__Token, OYEZ__WALLET__TOKEN__INIT);
	return list_add(&file->tokens, &file->n_tokens, token);
}

Oyez__Wallet__Batch *wallet_add_batch(struct wallet *wallet)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	NEW_RECORD(batch, Oyez__Wallet__Batch, OYEZ__WALLET__BATCH__INIT);
	return list_add(&file->batches, &file->n_batches, batch);
}

Oyez__Wallet__BatchToken *wallet_add_batch_token(Oyez__Wallet__Batch *batch)
{
	NEW_RECORD(token, Oyez__Wallet__BatchToken, OYEZ__WALLET__BATCH_TOKEN__INIT);
	return list_add(&batch->tokens, &batch->n_tokens, token);
}

Oyez__Wallet__BoxItem *wallet_add_box_item(Oyez__Wallet__Intent *intent)
{
	NEW_RECORD(item, Oyez__Wallet__BoxItem, OYEZ__WALLET__BOX_ITEM__INIT);
	return list_add(&intent->box_items, &intent->n_box_items, item);
}

Oyez__Wallet__Message *wallet_add_message(Oyez__Wallet__Deal *deal)
{
	NEW_RECORD(message, Oyez__Wallet__Message, OYEZ__WALLET__MESSAGE__INIT);
	return list_add(&deal->messages, &deal->n_messages, message);
}

Oyez__Wallet__DealOut *wallet_add_deal_out(Oyez__Wallet__Deal *deal)
{
	NEW_RECORD(out, Oyez__Wallet__DealOut, OYEZ__WALLET__DEAL_OUT__INIT);
	return list_add(&deal->out, &deal->n_out, out);
}

Oyez__Wallet__Notice *wallet_add_notice(Oyez__Wallet__Broker *broker)
{
	NEW_RECORD(notice, Oyez__Wallet__Notice, OYEZ__WALLET__NOTICE__INIT);
	return list_add(&broker->notices, &broker->n_notices, notice);
}

void wallet_remove_deal_out(Oyez__Wallet__Deal *deal, const struct id *id)
{
	for (size_t i = 0; i < deal->n_out; i++) {
		Oyez__Wallet__DealOut *out = deal->out[i];
		if (!field_is_id(&out->id, id))
			continue;
		list_remove((void **)deal->out, &deal->n_out, i);
		oyez__wallet__deal_out__free_unpacked(out, &wallet_allocator);
		return;
	}
}

void wallet_remove_notice(Oyez__Wallet__Broker *broker, size_t index)
{
	Oyez__Wallet__Notice *notice = broker->notices[index];
	list_remove((void **)broker->notices, &broker->n_notices, index);
	oyez__wallet__notice__free_unpacked(notice, &wallet_allocator);
}

void wallet_remove_token(struct wallet *wallet, size_t index)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	Oyez__Wallet__Token *token = file->tokens[index];
	list_remove((void **)file->tokens, &file->n_tokens, index);
	oyez__wallet__token__free_unpacked(token, &wallet_allocator);
}

void wallet_remove_batch(struct wallet *wallet, size_t index)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	Oyez__Wallet__Batch *batch = file->batches[index];
	list_remove((void **)file->batches, &file->n_batches, index);
	oyez__wallet__batch__free_unpacked(batch, &wallet_allocator);
}

void wallet_remove_box_item(Oyez__Wallet__Intent *intent, size_t index)
{
	Oyez__Wallet__BoxItem *item = intent->box_items[index];
	list_remove((void **)intent->box_items, &intent->n_box_items, index);
	oyez__wallet__box_item__free_unpacked(item, &wallet_allocator);
}

void wallet_remove_pending(struct wallet *wallet, Oyez__Wallet__Pending *pending)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_pending; i++) {
		if (file->pending[i] == pending) {
			list_remove((void **)file->pending, &file->n_pending, i);
			oyez__wallet__pending__free_unpacked(pending, &wallet_allocator);
			return;
		}
	}
}

void wallet_remove_intent(struct wallet *wallet, const struct id *id)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = file->n_pending; i-- > 0;) {
		if (field_is_id(&file->pending[i]->intent_id, id))
			wallet_remove_pending(wallet, file->pending[i]);
	}
	for (size_t i = file->n_deals; i-- > 0;) {
		Oyez__Wallet__Deal *deal = file->deals[i];
		if (field_is_id(&deal->intent_id, id)) {
			list_remove((void **)file->deals, &file->n_deals, i);
			oyez__wallet__deal__free_unpacked(deal, &wallet_allocator);
		}
	}
	for (size_t i = file->n_intents; i-- > 0;) {
		Oyez__Wallet__Intent *intent = file->intents[i];
		if (field_is_id(&intent->id, id)) {
			list_remove((void **)file->intents, &file->n_intents, i);
			oyez__wallet__intent__free_unpacked(intent, &wallet_allocator);
		}
	}
}

// ---- finding

Oyez__Wallet__Intent *wallet_intent(struct wallet *wallet, const struct id *id)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		if (field_is_id(&file->intents[i]->id, id))
			return file->intents[i];
	}
	return NULL;
}

Oyez__Wallet__Deal *wallet_deal(struct wallet *wallet, const struct id *id)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_deals; i++) {
		if (field_is_id(&file->deals[i]->id, id))
			return file->deals[i];
	}
	return NULL;
}

Oyez__Wallet__Offer *wallet_offer(struct wallet *wallet, const struct id *id, Oyez__Wallet__Intent **owner)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		Oyez__Wallet__Intent *intent = file->intents[i];
		for (size_t j = 0; j < intent->n_offers; j++) {
			if (!field_is_id(&intent->offers[j]->id, id))
				continue;
			if (owner)
				*owner = intent;
			return intent->offers[j];
		}
	}
	return NULL;
}

Oyez__Wallet__Question *wallet_question(struct wallet *wallet, const struct id *id, Oyez__Wallet__Intent **owner)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		Oyez__Wallet__Intent *intent = file->intents[i];
		for (size_t j = 0; j < intent->n_questions; j++) {
			if (!field_is_id(&intent->questions[j]->id, id))
				continue;
			if (owner)
				*owner = intent;
			return intent->questions[j];
		}
	}
	return NULL;
}

Oyez__Wallet__Broker *wallet_broker_by_key(struct wallet *wallet, const uint8_t *key)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_brokers; i++) {
		if (file->brokers[i]->key.len == KEY_BYTES && memcmp(file->brokers[i]->key.data, key, KEY_BYTES) == 0)
			return file->brokers[i];
	}
	return NULL;
}

Oyez__Wallet__Broker *wallet_broker_by_url(struct wallet *wallet, const char *url)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_brokers; i++) {
		if (file->brokers[i]->key.len == KEY_BYTES && strcmp(file->brokers[i]->url, url) == 0)
			return file->brokers[i];
	}
	return NULL;
}

Oyez__Wallet__Account *wallet_account(struct wallet *wallet, const uint8_t *guardian_key)
{
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_accounts; i++) {
		const ProtobufCBinaryData *key = &file->accounts[i]->guardian_key;
		if (key->len == KEY_BYTES && memcmp(key->data, guardian_key, KEY_BYTES) == 0)
			return file->accounts[i];
	}
	return NULL;
}

// ---- ids as people type them

struct search {
	char prefix[2 * ID_BYTES + 1];
	size_t digits, found;
	struct id id;
};

static void search_try(struct search *search, const ProtobufCBinaryData *field)
{
	char hex[2 * ID_BYTES + 1];
	if (field->len != ID_BYTES)
		return;
	hex_encode(field->data, ID_BYTES, hex);
	if (strncmp(hex, search->prefix, search->digits) != 0)
		return;
	struct id id = field_id(field);
	if (search->found && id_equal(&id, &search->id))
		return;
	search->id = id;
	search->found++;
}

static void search_intent(struct search *search, enum wallet_kind kind, const Oyez__Wallet__Intent *intent)
{
	if (kind == WALLET_INTENT)
		search_try(search, &intent->id);
	for (size_t i = 0; kind == WALLET_OFFER && i < intent->n_offers; i++)
		search_try(search, &intent->offers[i]->id);
	for (size_t i = 0; kind == WALLET_QUESTION && i < intent->n_questions; i++)
		search_try(search, &intent->questions[i]->id);
}

enum err wallet_resolve(struct wallet *wallet, enum wallet_kind kind, const char *text, struct id *id,
                        struct oyez_error *error)
{
	static const char *const names[] = {"intent", "offer", "question", "deal"};
	struct search search = {.digits = strlen(text)};
	bool hex = search.digits >= PREFIX_DIGITS_MIN && search.digits <= 2 * ID_BYTES;
	for (size_t i = 0; hex && i < search.digits; i++) {
		search.prefix[i] = (char)tolower((unsigned char)text[i]);
		hex = isxdigit((unsigned char)text[i]);
	}
	if (!hex)
		return oyez_error_set(error, ERR_NOT_FOUND, "%s %.70s", names[kind], text);
	Oyez__Wallet__File *file = wallet_records(wallet);
	for (size_t i = 0; i < file->n_intents; i++)
		search_intent(&search, kind, file->intents[i]);
	for (size_t i = 0; kind == WALLET_DEAL && i < file->n_deals; i++)
		search_try(&search, &file->deals[i]->id);
	if (search.found != 1)
		return oyez_error_set(error, search.found ? ERR_AMBIGUOUS : ERR_NOT_FOUND, "%s %.70s", names[kind], text);
	*id = search.id;
	return ERR_OK;
}
