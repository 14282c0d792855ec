// A broker's public notices: all of them are fetched, so that the broker does not learn whom one touches. Each is
// checked against the one before; which entries of this wallet's ledger it touches is found out here.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

enum { FETCHES_MAX = 1000, NOTICES_KEPT_MAX = 1000 };
#define READ_EVERY_MS HOUR_MS // in the mean

static Oyez__Signed *signed_of(const Oyez__Wallet__Notice *record)
{
	Oyez__Signed *message = NULL;
	codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &message, NULL);
	return message;
}

static Oyez__Notice *notice_of(const Oyez__Wallet__Notice *record)
{
	Oyez__Signed *message = signed_of(record);
	Oyez__Notice *notice = NULL;
	if (message) {
		codec_decode_notice(NULL, message->record.data, message->record.len, &notice, NULL);
		oyez__signed__free_unpacked(message, NULL);
	}
	return notice;
}

static struct id notice_id(const Oyez__Wallet__Notice *record)
{
	Oyez__Signed *message = signed_of(record);
	struct id id = {0};
	if (message) {
		id = signed_id_of(TAG_RECORD_ID, message);
		oyez__signed__free_unpacked(message, NULL);
	}
	return id;
}

// ---- whom it touches

static bool in_time(const Oyez__Notice *notice, uint64_t given_at_ms)
{
	return given_at_ms >= notice->from_ms && (!notice->to_ms || given_at_ms <= notice->to_ms);
}

static bool names_field(const Oyez__Notice *notice, const char *field)
{
	for (size_t i = 0; i < notice->n_fields; i++) {
		if (strcmp(notice->fields[i], field) == 0)
			return true;
	}
	return notice->n_fields == 0;
}

// The fields of a deal's card that a notice is about; empty: it does not touch the deal.
static json_t *touched_fields(const Oyez__Notice *notice, const Oyez__Wallet__Deal *deal)
{
	json_t *fields = json_array();
	bool named = false;
	for (size_t i = 0; i < notice->n_deals && !named; i++) {
		struct id id = field_id(&notice->deals[i]);
		named = field_is_id(&deal->id, &id);
	}
	struct id vendor = field_id(&notice->vendor_id);
	bool of_vendor = notice->vendor_id.len && notice->n_deals == 0 && field_is_id(&deal->vendor_id, &vendor) &&
	                 in_time(notice, deal->revealed_at_ms);
	for (size_t i = 0; deal->revealed_at_ms && (named || of_vendor) && i < deal->n_fields; i++) {
		if (names_field(notice, deal->fields[i]))
			json_array_append_new(fields, json_text(deal->fields[i]));
	}
	return fields;
}

static bool touches_details(const Oyez__Notice *notice, const struct id *vendor, uint64_t given_at_ms)
{
	return notice->vendor_id.len && notice->n_deals == 0 && field_is_id(&notice->vendor_id, vendor) &&
	       in_time(notice, given_at_ms) && names_field(notice, "details");
}

static void add_touched_deals(struct oyez_customer *customer, const Oyez__Notice *notice, json_t *touched)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_deals; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		json_t *fields = touched_fields(notice, deal);
		if (json_array_size(fields) == 0) {
			json_decref(fields);
			continue;
		}
		json_t *one =
		    json_pack("{s:o, s:o, s:o, s:o}", "deal", json_binary(&deal->id), "vendor_name",
		              json_text(deal->vendor_name), "given_at", json_time(deal->revealed_at_ms), "fields", fields);
		if (*deal->alias)
			json_object_set_new(one, "alias", json_text(deal->alias));
		json_array_append_new(touched, one);
	}
}

static void add_touched_details(struct oyez_customer *customer, const Oyez__Notice *notice, json_t *touched)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		for (size_t j = 0; j < file->intents[i]->n_questions; j++) {
			const Oyez__Wallet__Question *record = file->intents[i]->questions[j];
			if (record->status != OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED ||
			    record->vendor_key.len != KEY_BYTES)
				continue;
			struct id vendor = vendor_id_of(record->vendor_key.data);
			if (!touches_details(notice, &vendor, record->answered_at_ms))
				continue;
			json_array_append_new(touched,
			                      json_pack("{s:o, s:o, s:[s]}", "intent", json_binary(&file->intents[i]->id),
			                                "given_at", json_time(record->answered_at_ms), "fields", "details"));
		}
	}
}

static json_t *touched_by(struct oyez_customer *customer, const Oyez__Notice *notice)
{
	json_t *touched = json_array();
	add_touched_deals(customer, notice, touched);
	add_touched_details(customer, notice, touched);
	return touched;
}

static json_t *fields_json(const Oyez__Notice *notice)
{
	json_t *fields = json_array();
	for (size_t i = 0; i < notice->n_fields; i++)
		json_array_append_new(fields, json_text(notice->fields[i]));
	return fields;
}

json_t *notice_json(struct oyez_customer *customer, const Oyez__Wallet__Broker *broker,
                    const Oyez__Wallet__Notice *record)
{
	Oyez__Notice *notice = notice_of(record);
	if (!notice)
		return NULL;
	json_t *object = json_object(), *touched = touched_by(customer, notice);
	json_object_set_new(object, "broker", json_binary(&broker->key));
	json_object_set_new(object, "number", json_integer((json_int_t)notice->number));
	json_object_set_new(object, "at", json_time(notice->at_ms));
	json_object_set_new(object, "text", json_text(notice->text));
	json_object_set_new(object, "vendor", notice->vendor_id.len ? json_binary(&notice->vendor_id) : json_null());
	json_object_set_new(object, "from", json_time(notice->from_ms));
	json_object_set_new(object, "to", json_time(notice->to_ms));
	json_object_set_new(object, "fields", fields_json(notice));
	json_object_set_new(object, "touches_you", json_boolean(json_array_size(touched) > 0));
	json_object_set_new(object, "touched", touched);
	json_object_set_new(
	    object, "record",
	    json_pack("{s:s, s:o}", "type", "notice", "signed", json_base64(record->signed_.data, record->signed_.len)));
	oyez__notice__free_unpacked(notice, NULL);
	return object;
}

json_t *notices_touching(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal, const struct id *vendor,
                         uint64_t given_at_ms)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *list = json_array();
	for (size_t i = 0; i < file->n_brokers; i++) {
		const Oyez__Wallet__Broker *broker = file->brokers[i];
		for (size_t j = 0; j < broker->n_notices; j++) {
			Oyez__Notice *notice = notice_of(broker->notices[j]);
			if (!notice)
				continue;
			json_t *fields = deal ? touched_fields(notice, deal) : json_array();
			bool touches = deal ? json_array_size(fields) > 0 : touches_details(notice, vendor, given_at_ms);
			if (touches)
				json_array_append_new(list,
				                      json_pack("{s:o, s:I, s:o, s:o, s:O}", "broker", json_binary(&broker->key),
				                                "number", (json_int_t)notice->number, "at", json_time(notice->at_ms),
				                                "text", json_text(notice->text), "fields", fields));
			json_decref(fields);
			oyez__notice__free_unpacked(notice, NULL);
		}
	}
	return list;
}

// ---- the chain

static enum err notice_check(const Oyez__Wallet__Broker *broker, const Oyez__Signed *message, Oyez__Notice **out)
{
	enum err err = sign_open(message, TAG_NOTICE);
	if (!err && (broker->key.len != KEY_BYTES || memcmp(message->key.data, broker->key.data, KEY_BYTES) != 0))
		err = ERR_BAD_SIGNATURE;
	if (!err)
		err = codec_decode_notice(NULL, message->record.data, message->record.len, out, NULL);
	if (!err && memcmp((*out)->broker_id.data, broker->key.data, KEY_BYTES) != 0)
		err = ERR_BAD_SIGNATURE;
	return err;
}

// Tells it once, when it touches something here or is about nobody in particular.
static void notice_tell(struct oyez_customer *customer, const Oyez__Wallet__Broker *broker, Oyez__Wallet__Notice *kept,
                        bool is_new)
{
	json_t *event = notice_json(customer, broker, kept);
	bool touches = json_is_true(json_object_get(event, "touches_you"));
	bool for_all = is_new && json_is_null(json_object_get(event, "vendor")) && !touches;
	if (event && ((touches && !kept->touches) || for_all)) {
		kept->touches = touches;
		struct id intent = {0};
		json_object_del(event, "record");
		customer_event(customer, "notice", &intent, event);
		return;
	}
	json_decref(event);
}

static void notices_trim(Oyez__Wallet__Broker *broker)
{
	for (size_t i = 0; broker->n_notices > NOTICES_KEPT_MAX && i < broker->n_notices; i++) {
		if (!broker->notices[i]->touches)
			wallet_remove_notice(broker, i--);
	}
}

// In order: the last known one first, if there is one.
static enum err notice_add(struct oyez_customer *customer, Oyez__Wallet__Broker *broker, const Oyez__Signed *message)
{
	const Oyez__Wallet__Notice *last = broker->n_notices ? broker->notices[broker->n_notices - 1] : NULL;
	struct id last_id = last ? notice_id(last) : (struct id){{0}}, id = signed_id_of(TAG_RECORD_ID, message);
	Oyez__Notice *notice = NULL;
	enum err err = notice_check(broker, message, &notice);
	if (!err && last && notice->number == last->number) {
		err = id_equal(&id, &last_id) ? ERR_OK : ERR_NOTICE_CHAIN;
	} else if (!err) {
		bool follows = notice->number == (last ? last->number + 1 : 1) &&
		               (last ? field_is_id(&notice->previous, &last_id) : notice->previous.len == 0);
		err = follows ? ERR_OK : ERR_NOTICE_CHAIN;
		if (!err) {
			Oyez__Wallet__Notice *kept = wallet_add_notice(broker);
			kept->number = notice->number;
			field_set_signed(&kept->signed_, message);
			notice_tell(customer, broker, kept, true);
		}
	}
	if (notice)
		oyez__notice__free_unpacked(notice, NULL);
	return err;
}

enum err notices_take(struct oyez_customer *customer, Oyez__Wallet__Broker *broker, const Oyez__Notices *notices)
{
	// The last known one is asked for again: gone or changed, the broker has taken something back.
	if (broker->n_notices && notices->n_items == 0)
		return ERR_NOTICE_CHAIN;
	enum err err = ERR_OK;
	for (size_t i = 0; !err && i < notices->n_items; i++)
		err = notice_add(customer, broker, notices->items[i]);
	notices_trim(broker);
	return err;
}

// ---- fetching

// What `after` to ask with, so that the last one known comes again. Also after what this very fetch has brought.
static uint64_t after_of(const Oyez__Wallet__Broker *broker)
{
	return broker->n_notices ? broker->notices[broker->n_notices - 1]->number - 1 : 0;
}

static enum err fetch_once(struct oyez_customer *customer, struct connection *connection, bool *more,
                           struct oyez_error *error)
{
	const Oyez__Wallet__Broker *broker = wallet_broker_by_key(customer->wallet, connection->key);
	Oyez__CustomerReply *reply = NULL;
	*more = false;
	if (!broker)
		return ERR_OK;
	enum err err = transport_notices(connection->transport, after_of(broker), &reply, error);
	if (err)
		return err;
	if (reply->body_case != OYEZ__CUSTOMER_REPLY__BODY_NOTICES) {
		oyez__customer_reply__free_unpacked(reply, NULL);
		return oyez_error_set(error, ERR_BAD_MESSAGE, "notices expected");
	}
	const Oyez__Notices *notices = reply->notices;
	size_t fresh = notices->n_items > (broker->n_notices ? 1 : 0);
	err = wallet_begin(customer->wallet, error);
	Oyez__Wallet__Broker *record = err ? NULL : wallet_broker_by_key(customer->wallet, connection->key);
	if (record) {
		err = notices_take(customer, record, notices);
		for (size_t i = 0; i < record->n_notices; i++) // a card that was given since then
			notice_tell(customer, record, record->notices[i], false);
		record->notices_read_at_ms =
		    customer_now_ms(customer) + READ_EVERY_MS / 2 + randombytes_uniform((uint32_t)READ_EVERY_MS);
		*more = !err && notices->more && fresh;
		// What was in its place stays, also when something after it was not.
		enum err commit_err = wallet_commit(customer->wallet, NULL);
		err = err ? err : commit_err;
	} else if (!err) {
		wallet_abort(customer->wallet);
	}
	oyez__customer_reply__free_unpacked(reply, NULL);
	return err ? oyez_error_set(error, err, "notices of %.200s", connection->url) : ERR_OK;
}

static void fetch(struct oyez_customer *customer, const struct id *intent)
{
	struct connection *connection = NULL;
	struct oyez_error problem = {0};
	bool more = true;
	enum err err = deal_connection(customer, intent, &connection, &problem);
	for (int i = 0; !err && more && i < FETCHES_MAX; i++)
		err = fetch_once(customer, connection, &more, &problem);
	if (err && !error_is_passing(err))
		customer_problem(customer, &(struct id){{0}}, err, "notices");
	else if (err == ERR_BAD_SIGNATURE)
		customer_problem(customer, &(struct id){{0}}, err, "notices");
}

// Has anything been given to a vendor over this intent?
static bool in_ledger(const Oyez__Wallet__File *file, const Oyez__Wallet__Intent *intent)
{
	struct id id = field_id(&intent->id);
	for (size_t i = 0; i < intent->n_questions; i++) {
		if (intent->questions[i]->status == OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED)
			return true;
	}
	for (size_t i = 0; i < file->n_deals; i++) {
		if (field_is_id(&file->deals[i]->intent_id, &id) && file->deals[i]->revealed_at_ms)
			return true;
	}
	return false;
}

// One intent for each broker, over which that broker is asked: unless a person asks, one with something in the ledger.
void notices_sync(struct oyez_customer *customer, bool now)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	uint64_t now_ms = customer_now_ms(customer);
	struct id *ask = wallet_alloc((file->n_brokers + 1) * sizeof(*ask));
	size_t count = 0;
	for (size_t i = 0; i < file->n_brokers; i++) {
		const Oyez__Wallet__Broker *broker = file->brokers[i];
		bool found = !now && now_ms < broker->notices_read_at_ms; // not due
		for (size_t j = file->n_intents; !found && j-- > 0;) {
			const Oyez__Wallet__Intent *intent = file->intents[j];
			struct id id = field_id(&intent->id);
			found = intent->broker_key.len == KEY_BYTES &&
			        memcmp(intent->broker_key.data, broker->key.data, KEY_BYTES) == 0 &&
			        (now || (in_ledger(file, intent) && !relay_must_wait(customer, &id, false)));
			if (found)
				ask[count++] = id;
		}
	}
	for (size_t i = 0; i < count; i++)
		fetch(customer, &ask[i]);
	free(ask);
}

enum err oyez_notices(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	*out = json_array();
	for (size_t i = 0; i < file->n_brokers; i++) {
		for (size_t j = 0; j < file->brokers[i]->n_notices; j++) {
			json_t *object = notice_json(customer, file->brokers[i], file->brokers[i]->notices[j]);
			if (object)
				json_array_append_new(*out, object);
		}
	}
	return ERR_OK;
}

enum err oyez_notices_fetch(struct oyez_customer *customer, struct oyez_error *error)
{
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		notices_sync(customer, true);
	return err;
}
