// Records to be acknowledged: signed, persisted, sent, and sent again as the same bytes until the broker answers.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/call.h"
#include "clients/lib/customer.h"

enum { PENDING_ID_BYTES = ID_BYTES, RESIGNS_MAX = 2 };
#define RELAY_APART_MS_MIN (5 * SECOND_MS)
#define RELAY_APART_MS_MORE (1 * MINUTE_MS)

enum err record_sign(const struct sign_pair *pair, const uint8_t broker_key[KEY_BYTES], uint64_t now_ms,
                     Oyez__CustomerRecord *record, uint8_t **out, size_t *out_bytes)
{
	uint8_t *bytes;
	size_t count;
	record->broker_id = (ProtobufCBinaryData){.data = (uint8_t *)broker_key, .len = KEY_BYTES};
	record->made_at_ms = now_ms;
	enum err err = codec_encode(&record->base, &bytes, &count);
	record->broker_id = (ProtobufCBinaryData){0};
	if (err)
		return err;
	err = sign_wrap(pair, TAG_CUSTOMER, bytes, count, out, out_bytes);
	sodium_memzero(bytes, count);
	free(bytes);
	return err;
}

enum err pending_add(struct oyez_customer *customer, const struct intent_keys *keys, const struct id *ref,
                     Oyez__CustomerRecord *record, uint64_t now_ms, struct id *pending_id)
{
	struct id id;
	randombytes_buf(id.bytes, sizeof(id.bytes));
	size_t count = oyez__customer_record__get_packed_size(record);
	uint8_t *body = wallet_alloc(count), *signed_bytes = NULL;
	size_t signed_count = 0;
	oyez__customer_record__pack(record, body);
	enum err err = ERR_OK;
	if (keys->broker_known)
		err = record_sign(&keys->pair, keys->broker_key, now_ms, record, &signed_bytes, &signed_count);
	if (!err) {
		Oyez__Wallet__Pending *pending = wallet_add_pending(customer->wallet);
		field_set_id(&pending->id, &id);
		field_set_id(&pending->intent_id, &keys->id);
		field_set_id(&pending->ref, ref);
		field_set(&pending->body, body, count);
		field_set(&pending->signed_, signed_bytes, signed_count);
		if (pending_id)
			*pending_id = id;
	}
	free(signed_bytes);
	sodium_memzero(body, count);
	free(body);
	return err;
}

bool pending_has(struct oyez_customer *customer, const struct id *ref_or_intent)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_pending; i++) {
		if (field_is_id(&file->pending[i]->ref, ref_or_intent) ||
		    field_is_id(&file->pending[i]->intent_id, ref_or_intent))
			return true;
	}
	return false;
}

static Oyez__Wallet__Pending *pending_find(struct oyez_customer *customer, const struct id *id)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_pending; i++) {
		if (field_is_id(&file->pending[i]->id, id))
			return file->pending[i];
	}
	return NULL;
}

// Gives a pending record its final bytes for this broker and this time, and puts them on disk.
static enum err sign_anew(struct oyez_customer *customer, const struct id *id, const struct intent_keys *keys,
                          const struct connection *connection, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Pending *pending = pending_find(customer, id);
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &keys->id);
	Oyez__CustomerRecord *record =
	    pending ? oyez__customer_record__unpack(NULL, pending->body.len, pending->body.data) : NULL;
	if (!record || !intent || !keys->alive) {
		if (record)
			oyez__customer_record__free_unpacked(record, NULL);
		wallet_abort(customer->wallet);
		return oyez_error_set(error, ERR_NOT_FOUND, "pending record");
	}
	uint8_t *bytes = NULL;
	size_t count = 0;
	free(record->broker_id.data);
	record->broker_id = (ProtobufCBinaryData){0};
	err = record_sign(&keys->pair, connection->key, transport_now_ms(connection->transport), record, &bytes, &count);
	oyez__customer_record__free_unpacked(record, NULL);
	if (err) {
		wallet_abort(customer->wallet);
		return oyez_error_set(error, err, NULL);
	}
	field_set(&pending->signed_, bytes, count);
	free(bytes);
	field_set(&intent->broker_key, connection->key, KEY_BYTES);
	field_set_text(&intent->broker_url, connection->url);
	return wallet_commit(customer->wallet, error);
}

// The broker's answer into the wallet, in one change with the record's removal.
static enum err settle(struct oyez_customer *customer, const struct id *id, enum err answer,
                       const Oyez__CustomerReply *reply, uint64_t now_ms, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Pending *pending = pending_find(customer, id);
	if (!pending) { // another program was faster
		wallet_abort(customer->wallet);
		return ERR_OK;
	}
	if (answer)
		apply_refused(customer, pending, answer, now_ms);
	else
		apply_acknowledged(customer, pending, reply, now_ms);
	pending = pending_find(customer, id); // gone with its intent, if that was forgotten
	if (pending)
		wallet_remove_pending(customer->wallet, pending);
	return wallet_commit(customer->wallet, error);
}

// Sends one record until it is settled. A passing error leaves it pending and comes back.
static enum err send_one(struct oyez_customer *customer, const struct id *id, const struct id *intent,
                         struct oyez_error *answer, struct oyez_error *error)
{
	struct intent_keys keys;
	enum err err = intent_keys_load(customer, intent, &keys, error);
	struct connection *connection = NULL;
	if (!err)
		err = connection_for(customer, &keys, &connection, error);
	if (!err)
		err = box_ensure(customer, &keys, error); // before the home hears of it
	for (unsigned attempt = 0; !err && attempt <= RESIGNS_MAX; attempt++) {
		const Oyez__Wallet__Pending *pending = pending_find(customer, id);
		if (!pending)
			break;
		if (attempt > 0 || pending->signed_.len == 0) {
			err = sign_anew(customer, id, &keys, connection, error);
			pending = err ? NULL : pending_find(customer, id);
		}
		if (!pending)
			break;
		Oyez__CustomerReply *reply = NULL;
		struct oyez_error said = {0};
		enum err code =
		    transport_customer(connection->transport, pending->signed_.data, pending->signed_.len, 0, &reply, &said);
		if (code == ERR_STALE && attempt < RESIGNS_MAX)
			continue; // never accepted before and now too old: the same content with a new time
		if (error_is_passing(code)) {
			if (error)
				*error = said;
			err = code;
			break;
		}
		*answer = said;
		err = settle(customer, id, code, reply, transport_now_ms(connection->transport), error);
		if (reply)
			oyez__customer_reply__free_unpacked(reply, NULL);
		break;
	}
	intent_keys_wipe(&keys);
	return err;
}

// What waits of several intents with a guardian (a reveal here, an answer there, after a night offline) must not arrive
// at the home in one burst. What a person does or waits for goes at once.
bool relay_must_wait(struct oyez_customer *customer, const struct id *intent, bool urgent)
{
	const Oyez__Wallet__Intent *record = wallet_intent(customer->wallet, intent);
	if (!record || !record->guardian_key.len || id_equal(intent, &customer->relayed))
		return false;
	bool focus = customer->focus && id_equal(customer->focus, intent);
	if (!urgent && !focus && monotonic_ms() < customer->relay_after_ms)
		return true;
	customer->relayed = *intent;
	customer->relay_after_ms =
	    monotonic_ms() + clock_real_ms(RELAY_APART_MS_MIN + randombytes_uniform((uint32_t)RELAY_APART_MS_MORE));
	return false;
}

static bool id_in(const struct id *list, size_t count, const struct id *id)
{
	for (size_t i = 0; i < count; i++) {
		if (id_equal(&list[i], id))
			return true;
	}
	return false;
}

enum err pending_flush(struct oyez_customer *customer, const struct id *watch, struct oyez_error *refused,
                       struct oyez_error *error)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	size_t count = file->n_pending, blocked_count = 0;
	if (count == 0)
		return ERR_OK;
	// Ids first: every settled record reloads the wallet. An intent whose record stays keeps its later ones waiting.
	struct id *ids = wallet_alloc(count * sizeof(*ids)), *intents = wallet_alloc(count * sizeof(*intents));
	struct id *blocked = wallet_alloc(count * sizeof(*blocked));
	for (size_t i = 0; i < count; i++) {
		ids[i] = field_id(&file->pending[i]->id);
		intents[i] = field_id(&file->pending[i]->intent_id);
	}
	struct oyez_error first = {0}, own = {0};
	for (size_t i = 0; i < count; i++) {
		struct oyez_error problem = {0}, answer = {0};
		bool watched = watch && id_equal(watch, &ids[i]);
		if (!id_in(blocked, blocked_count, &intents[i]) && relay_must_wait(customer, &intents[i], watched)) {
			blocked[blocked_count++] = intents[i];
			continue;
		}
		if (id_in(blocked, blocked_count, &intents[i])) {
			if (watched)
				own = first;
			continue;
		}
		if (send_one(customer, &ids[i], &intents[i], &answer, &problem)) {
			blocked[blocked_count++] = intents[i];
			if (!problem.code)
				problem.code = ERR_INTERNAL;
			if (!first.code)
				first = problem;
			if (watched)
				own = problem;
		}
		if (watched && refused)
			*refused = answer;
	}
	if (watch)
		first = own;
	free(ids);
	free(intents);
	free(blocked);
	if (first.code && error)
		*error = first;
	return first.code;
}
