// What a person says after a deal: a message, a request to erase, a rating. Signed by the deal's agreement key, since
// the intent and its keys may be gone; on disk before it leaves, and sent again as the same bytes until the broker
// answers.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/seal.h"
#include "proto/values.h"

enum { RESIGNS_MAX = 2 };

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes, .len = count};
}

// ---- keys

enum err deal_keys_load(struct oyez_customer *customer, const struct id *id, struct deal_keys *keys,
                        struct oyez_error *error)
{
	memset(keys, 0, sizeof(*keys));
	const Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, id);
	if (!deal)
		return oyez_error_set(error, ERR_NOT_FOUND, "deal");
	if (deal->agreement_seed.len != crypto_sign_SEEDBYTES || deal->box_secret.len != KEY_BYTES ||
	    deal->offer_key.len != KEY_BYTES || deal->vendor_key.len != KEY_BYTES ||
	    deal->release_id.len != RELEASE_ID_BYTES || deal->broker_key.len != KEY_BYTES || deal->box_key.len != KEY_BYTES)
		return oyez_error_set(error, ERR_GONE, "the keys of this deal are destroyed");
	keys->id = *id;
	keys->intent = field_id(&deal->intent_id);
	keys->vendor = field_id(&deal->vendor_id);
	memcpy(keys->release.bytes, deal->release_id.data, RELEASE_ID_BYTES);
	sign_pair_from_seed(&keys->pair, deal->agreement_seed.data);
	memcpy(keys->box.public_key, deal->box_key.data, KEY_BYTES);
	memcpy(keys->box.secret_key, deal->box_secret.data, KEY_BYTES);
	memcpy(keys->vendor_key, deal->vendor_key.data, KEY_BYTES);
	memcpy(keys->offer_key, deal->offer_key.data, KEY_BYTES);
	memcpy(keys->broker_key, deal->broker_key.data, KEY_BYTES);
	return ERR_OK;
}

void deal_keys_wipe(struct deal_keys *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}

enum err deal_connection(struct oyez_customer *customer, const struct id *intent, struct connection **out,
                         struct oyez_error *error)
{
	struct intent_keys keys;
	enum err err = intent_keys_load(customer, intent, &keys, error);
	if (!err)
		err = connection_for(customer, &keys, out, error);
	intent_keys_wipe(&keys);
	return err;
}

enum err deal_record_sign(const struct deal_keys *keys, uint64_t now_ms, Oyez__DealRecord *record, uint8_t **out,
                          size_t *out_bytes)
{
	uint8_t *bytes;
	size_t count;
	record->broker_id = view(keys->broker_key, KEY_BYTES);
	record->deal_id = view(keys->id.bytes, ID_BYTES);
	record->made_at_ms = now_ms;
	enum err err = codec_check(&record->base, NULL);
	if (!err)
		err = codec_encode(&record->base, &bytes, &count);
	record->broker_id = record->deal_id = (ProtobufCBinaryData){0};
	if (err)
		return err;
	err = sign_wrap(&keys->pair, TAG_DEAL_RECORD, bytes, count, out, out_bytes);
	free(bytes);
	return err;
}

// ---- what is to be acknowledged

static enum err out_add(Oyez__Wallet__Deal *deal, const struct deal_keys *keys, Oyez__DealRecord *record,
                        const struct id *ref, uint64_t now_ms, struct id *out_id)
{
	size_t body_bytes = oyez__deal_record__get_packed_size(record), count;
	uint8_t *body = wallet_alloc(body_bytes), *signed_bytes;
	oyez__deal_record__pack(record, body);
	enum err err = deal_record_sign(keys, now_ms, record, &signed_bytes, &count);
	if (!err) {
		Oyez__Wallet__DealOut *out = wallet_add_deal_out(deal);
		randombytes_buf(out_id->bytes, ID_BYTES);
		field_set_id(&out->id, out_id);
		field_set(&out->signed_, signed_bytes, count);
		field_set(&out->body, body, body_bytes);
		field_set_id(&out->ref, ref);
		free(signed_bytes);
	}
	wallet_allocator.free(NULL, body);
	return err;
}

static Oyez__Wallet__DealOut *out_find(const Oyez__Wallet__Deal *deal, const struct id *id)
{
	for (size_t i = 0; deal && i < deal->n_out; i++) {
		if (field_is_id(&deal->out[i]->id, id))
			return deal->out[i];
	}
	return NULL;
}

static Oyez__DealRecord *out_record(const Oyez__Wallet__DealOut *out)
{
	return oyez__deal_record__unpack(NULL, out->body.len, out->body.data);
}

// The same content with a new time: the old bytes were never accepted. A request to erase is these bytes.
static enum err sign_anew(struct oyez_customer *customer, const struct deal_keys *keys, const struct id *id,
                          uint64_t now_ms, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &keys->id);
	Oyez__Wallet__DealOut *out = out_find(deal, id);
	Oyez__DealRecord *record = out ? out_record(out) : NULL;
	uint8_t *bytes = NULL;
	size_t count = 0;
	err = record ? deal_record_sign(keys, now_ms, record, &bytes, &count) : ERR_NOT_FOUND;
	if (!err) {
		field_set(&out->signed_, bytes, count);
		if (record->body_case == OYEZ__DEAL_RECORD__BODY_ERASE)
			field_set(&deal->erase, bytes, count);
	}
	free(bytes);
	if (record)
		oyez__deal_record__free_unpacked(record, NULL);
	if (err) {
		wallet_abort(customer->wallet);
		return oyez_error_set(error, err, "record of a deal");
	}
	return wallet_commit(customer->wallet, error);
}

static Oyez__Wallet__Message *message_find(const Oyez__Wallet__Deal *deal, const struct id *id)
{
	for (size_t i = 0; i < deal->n_messages; i++) {
		if (field_is_id(&deal->messages[i]->id, id))
			return deal->messages[i];
	}
	return NULL;
}

static void erase_drop(Oyez__Wallet__Deal *deal)
{
	field_wipe(&deal->erase);
	deal->erase_at_ms = deal->erase_by_ms = 0;
	deal->erase_acknowledged = false;
}

static void apply_answer(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const Oyez__Wallet__DealOut *out,
                         enum err answer)
{
	Oyez__DealRecord *record = out_record(out);
	struct id ref = field_id(&out->ref), intent = field_id(&deal->intent_id);
	Oyez__Wallet__Message *message = message_find(deal, &ref);
	switch (record ? record->body_case : OYEZ__DEAL_RECORD__BODY__NOT_SET) {
	case OYEZ__DEAL_RECORD__BODY_MESSAGE:
		if (message && !answer)
			message->acknowledged = true;
		break;
	case OYEZ__DEAL_RECORD__BODY_ERASE:
		if (!answer || answer == ERR_ERASURE_ANSWERED)
			deal->erase_acknowledged = true;
		else
			erase_drop(deal);
		break;
	case OYEZ__DEAL_RECORD__BODY_RATE:
		deal->rated = !answer || answer == ERR_ALREADY_RATED;
		if (!deal->rated)
			deal->stars = 0;
		break;
	default:
		break;
	}
	if (answer)
		customer_problem(customer, &intent, answer, "deal record");
	if (record)
		oyez__deal_record__free_unpacked(record, NULL);
}

static enum err settle(struct oyez_customer *customer, const struct deal_keys *keys, const struct id *id,
                       enum err answer, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &keys->id);
	Oyez__Wallet__DealOut *out = out_find(deal, id);
	if (!out) { // another program was faster
		wallet_abort(customer->wallet);
		return ERR_OK;
	}
	apply_answer(customer, deal, out, answer);
	wallet_remove_deal_out(deal, id);
	return wallet_commit(customer->wallet, error);
}

// Sends one record until it is settled. A passing error leaves it and comes back.
static enum err send_one(struct oyez_customer *customer, const struct id *deal_id, const struct id *id,
                         struct oyez_error *answer, struct oyez_error *error)
{
	struct deal_keys keys;
	struct connection *connection = NULL;
	enum err err = deal_keys_load(customer, deal_id, &keys, error);
	if (!err)
		err = deal_connection(customer, &keys.intent, &connection, error);
	for (unsigned attempt = 0; !err && attempt <= RESIGNS_MAX; attempt++) {
		if (attempt > 0)
			err = sign_anew(customer, &keys, id, transport_now_ms(connection->transport), error);
		const Oyez__Wallet__DealOut *out = err ? NULL : out_find(wallet_deal(customer->wallet, deal_id), id);
		if (!out)
			break;
		Oyez__CustomerReply *reply = NULL;
		struct oyez_error said = {0};
		enum err code = transport_deal(connection->transport, out->signed_.data, out->signed_.len, &reply, &said);
		if (reply)
			oyez__customer_reply__free_unpacked(reply, NULL);
		if (code == ERR_STALE && attempt < RESIGNS_MAX)
			continue;
		if (error_is_passing(code)) {
			if (error)
				*error = said;
			err = code;
			break;
		}
		*answer = said;
		err = settle(customer, &keys, id, code, error);
		break;
	}
	deal_keys_wipe(&keys);
	return err;
}

// What is to be sent, in order: ids first, since every settled record reloads the wallet.
struct queued {
	struct id deal, intent, out;
};

static struct queued *queue_list(struct oyez_customer *customer, size_t *count)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	size_t room = 1;
	for (size_t i = 0; i < file->n_deals; i++)
		room += file->deals[i]->n_out;
	struct queued *queue = wallet_alloc(room * sizeof(*queue));
	*count = 0;
	for (size_t i = 0; i < file->n_deals; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		for (size_t j = 0; j < deal->n_out; j++)
			queue[(*count)++] =
			    (struct queued){field_id(&deal->id), field_id(&deal->intent_id), field_id(&deal->out[j]->id)};
	}
	return queue;
}

enum err deals_flush(struct oyez_customer *customer, const struct id *watch, struct oyez_error *refused,
                     struct oyez_error *error)
{
	size_t count;
	struct queued *queue = queue_list(customer, &count);
	struct oyez_error first = {0}, own = {0};
	struct id stuck = {0};
	bool is_stuck = false;
	for (size_t i = 0; i < count; i++) {
		struct oyez_error problem = {0}, answer = {0};
		bool watched = watch && id_equal(watch, &queue[i].out);
		if (is_stuck && id_equal(&stuck, &queue[i].deal)) { // a deal's records stay in order
			if (watched)
				own = first;
			continue;
		}
		bool waits = relay_must_wait(customer, &queue[i].intent, watched);
		enum err err = waits ? ERR_OK : send_one(customer, &queue[i].deal, &queue[i].out, &answer, &problem);
		if (err && !problem.code)
			problem.code = err;
		if (err || waits) {
			stuck = queue[i].deal;
			is_stuck = true;
		}
		if (err && !first.code)
			first = problem;
		if (watched) {
			own = problem;
			if (refused)
				*refused = answer;
		}
	}
	free(queue);
	if (watch)
		first = own;
	if (first.code && error)
		*error = first;
	return first.code;
}

// ---- the frame of what a person does

struct deal_action {
	struct deal_keys keys;
	uint64_t now_ms;
	struct id out;
	bool pending;
};

static enum err deal_action_begin(struct oyez_customer *customer, const char *text, struct deal_action *action,
                                  struct oyez_error *error)
{
	struct id id;
	memset(action, 0, sizeof(*action));
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_DEAL, text, &id, error);
	if (!err)
		err = deal_keys_load(customer, &id, &action->keys, error);
	if (err)
		return err;
	// Without the broker the record is made all the same, and waits.
	struct connection *connection = NULL;
	struct oyez_error offline = {0};
	deal_connection(customer, &action->keys.intent, &connection, &offline);
	action->now_ms = connection ? transport_now_ms(connection->transport) : clock_now_ms();
	err = wallet_begin(customer->wallet, error);
	if (err)
		deal_keys_wipe(&action->keys);
	return err;
}

static enum err deal_action_end(struct oyez_customer *customer, struct deal_action *action, enum err err,
                                struct oyez_error *error)
{
	deal_keys_wipe(&action->keys);
	if (err) {
		wallet_abort(customer->wallet);
		return err;
	}
	err = wallet_commit(customer->wallet, error);
	if (err)
		return err;
	struct oyez_error refused = {0};
	err = deals_flush(customer, &action->out, &refused, error);
	action->pending = err != ERR_OK;
	if (!err && refused.code) {
		err = refused.code;
		if (error)
			*error = refused;
	}
	return err;
}

// ---- message

static enum err message_make(Oyez__Wallet__Deal *deal, struct deal_action *action, const char *text,
                             struct oyez_error *error)
{
	if (deal->state == OYEZ__DEAL_STATE__DEAL_LAPSED)
		return oyez_error_set(error, ERR_LAPSED, NULL);
	if (deal->state < OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED)
		return oyez_error_set(error, ERR_NOT_COUNTERSIGNED, NULL);
	if (deal->vendor_suspended)
		return oyez_error_set(error, ERR_VENDOR_SUSPENDED, "%.120s", deal->suspended_reason);
	const struct deal_keys *keys = &action->keys;
	uint8_t *bytes = NULL, *wrapped = NULL, *sealed = NULL;
	size_t count, wrapped_count, sealed_count;
	Oyez__DealText say = OYEZ__DEAL_TEXT__INIT;
	say.deal_id = view(keys->id.bytes, ID_BYTES);
	say.made_at_ms = action->now_ms;
	say.text = (char *)text;
	enum err err = codec_check(&say.base, NULL);
	if (!err)
		err = codec_encode(&say.base, &bytes, &count);
	if (!err)
		err = sign_wrap(&keys->pair, TAG_MESSAGE, bytes, count, &wrapped, &wrapped_count);
	struct seal_header header = {.from = keys->intent, .release = keys->release, .object = keys->id};
	if (!err)
		err = seal_message(SEAL_MESSAGE, keys->offer_key, &header, wrapped, wrapped_count, &sealed, &sealed_count);
	Oyez__Signed *signed_text = NULL;
	if (!err)
		err = codec_decode_signed(NULL, wrapped, wrapped_count, &signed_text, NULL);
	if (!err) {
		uint8_t random[16];
		randombytes_buf(random, sizeof(random));
		struct id id = signed_id_of(TAG_RECORD_ID, signed_text);
		Oyez__DealMessage message = OYEZ__DEAL_MESSAGE__INIT;
		message.random = view(random, sizeof(random));
		message.sealed = view(sealed, sealed_count);
		Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
		record.body_case = OYEZ__DEAL_RECORD__BODY_MESSAGE;
		record.message = &message;
		err = out_add(deal, keys, &record, &id, action->now_ms, &action->out);
		if (!err) {
			Oyez__Wallet__Message *kept = wallet_add_message(deal);
			field_set_id(&kept->id, &id);
			field_set(&kept->signed_, wrapped, wrapped_count);
			kept->at_ms = action->now_ms;
			field_set_text(&kept->text, text);
		}
		oyez__signed__free_unpacked(signed_text, NULL);
	}
	free(bytes);
	free(wrapped);
	free(sealed);
	return err ? oyez_error_set(error, err, "message") : ERR_OK;
}

static bool deal_is_french(struct oyez_customer *customer, const char *deal)
{
	struct id id;
	if (wallet_load(customer->wallet, NULL) || wallet_resolve(customer->wallet, WALLET_DEAL, deal, &id, NULL))
		return false;
	struct id intent_id = field_id(&wallet_deal(customer->wallet, &id)->intent_id);
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &intent_id);
	Oyez__Post *post = intent ? intent_post(intent) : NULL;
	bool french = post && strcmp(post->facets->language, "fr") == 0;
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return french;
}

static enum err message_send(struct oyez_customer *customer, const char *deal, const char *text, json_t **out,
                             struct oyez_error *error)
{
	struct deal_action action;
	enum err err = text_check(text, strlen(text), MESSAGE_BYTES_MAX);
	if (err || !*text)
		return oyez_error_set(error, err ? err : ERR_MISSING_FIELD, "TEXT: at most %d bytes", MESSAGE_BYTES_MAX);
	err = deal_action_begin(customer, deal, &action, error);
	if (err)
		return err;
	struct id id = action.keys.id;
	err = message_make(wallet_deal(customer->wallet, &id), &action, text, error);
	err = deal_action_end(customer, &action, err, error);
	if (!err || action.pending)
		*out = json_pack("{s:o, s:s}", "deal", json_hex(id.bytes, ID_BYTES), "status", err ? "pending" : "sent");
	return err;
}

enum err oyez_message(struct oyez_customer *customer, const char *deal, const char *text, enum oyez_pii pii,
                      json_t **out, struct oyez_error *error)
{
	*out = NULL;
	char *masked;
	enum err err = text_scrub(text, pii, pii == OYEZ_PII_MASK && deal_is_french(customer, deal), &masked, error);
	if (!err)
		err = message_send(customer, deal, masked ? masked : text, out, error);
	text_masked_free(masked);
	return err;
}

enum err oyez_messages(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_DEAL, text, &id, error);
	if (err)
		return err;
	const Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &id);
	*out = json_array();
	for (size_t i = 0; i < deal->n_messages; i++) {
		const Oyez__Wallet__Message *message = deal->messages[i];
		json_t *object = json_object();
		json_object_set_new(object, "deal", json_binary(&deal->id));
		json_object_set_new(object, "from", json_string(message->from_vendor ? "vendor" : "me"));
		json_object_set_new(object, "vendor_name", json_text(deal->vendor_name));
		json_object_set_new(object, "at", json_time(message->at_ms));
		json_object_set_new(object, "text", json_text(message->text));
		json_object_set_new(object, "status",
		                    json_string(message->from_vendor    ? "received"
		                                : message->acknowledged ? "sent"
		                                                        : "pending"));
		json_array_append_new(*out, object);
	}
	return ERR_OK;
}

// ---- erase

static uint64_t answer_by(uint64_t now_ms, uint64_t within_ms)
{
	// The broker counts by its own clock: at either end a little is left for the difference.
	uint64_t first = DAY_MS + RECORD_AGE_MS_MAX, last = ERASURE_ANSWER_MS - RECORD_AGE_MS_MAX;
	if (within_ms < first)
		within_ms = first;
	return now_ms + (within_ms > last ? last : within_ms);
}

static enum err erase_make(Oyez__Wallet__Deal *deal, struct deal_action *action, uint64_t within_ms,
                           struct oyez_error *error)
{
	if (!deal->revealed_at_ms)
		return oyez_error_set(error, ERR_NOT_REVEALED, NULL);
	if (deal->erase_answered_at_ms)
		return oyez_error_set(error, ERR_ERASURE_ANSWERED, NULL);
	for (size_t i = 0; deal->erase.len && i < deal->n_out; i++) { // not yet acknowledged: that one is sent again
		Oyez__DealRecord *record = out_record(deal->out[i]);
		bool same = record && record->body_case == OYEZ__DEAL_RECORD__BODY_ERASE;
		if (record)
			oyez__deal_record__free_unpacked(record, NULL);
		if (same) {
			action->out = field_id(&deal->out[i]->id);
			return ERR_OK;
		}
	}
	if (deal->erase.len) // stands, and waits for its answer
		return ERR_OK;
	Oyez__Erase erase = OYEZ__ERASE__INIT;
	erase.answer_by_ms = answer_by(action->now_ms, within_ms ? within_ms : ERASURE_ANSWER_MS);
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	record.body_case = OYEZ__DEAL_RECORD__BODY_ERASE;
	record.erase = &erase;
	enum err err = out_add(deal, &action->keys, &record, &action->keys.id, action->now_ms, &action->out);
	if (err)
		return oyez_error_set(error, err, "erasure");
	const Oyez__Wallet__DealOut *out = out_find(deal, &action->out);
	field_set(&deal->erase, out->signed_.data, out->signed_.len);
	deal->erase_at_ms = action->now_ms;
	deal->erase_by_ms = erase.answer_by_ms;
	return ERR_OK;
}

enum err oyez_erase(struct oyez_customer *customer, const char *deal, uint64_t within_ms, json_t **out,
                    struct oyez_error *error)
{
	*out = NULL;
	struct deal_action action;
	if (within_ms && (within_ms < DAY_MS || within_ms > ERASURE_ANSWER_MS))
		return oyez_error_set(error, ERR_BAD_VALUE, "within: from 1d to 30d");
	enum err err = deal_action_begin(customer, deal, &action, error);
	if (err)
		return err;
	struct id id = action.keys.id;
	err = erase_make(wallet_deal(customer->wallet, &id), &action, within_ms, error);
	err = deal_action_end(customer, &action, err, error);
	if (!err || action.pending) {
		*out = json_pack("{s:o}", "deal", json_hex(id.bytes, ID_BYTES));
		json_t *state = erasure_json(wallet_deal(customer->wallet, &id), action.now_ms);
		json_object_update(*out, state);
		json_decref(state);
	}
	return err;
}

// ---- rate

static enum err rate_make(Oyez__Wallet__Deal *deal, struct deal_action *action, uint32_t stars,
                          struct oyez_error *error)
{
	if (deal->state != OYEZ__DEAL_STATE__DEAL_CONCLUDED)
		return oyez_error_set(error, ERR_NOT_CONCLUDED, NULL);
	if (deal->rated || deal->stars)
		return oyez_error_set(error, ERR_ALREADY_RATED, NULL);
	Oyez__Rate rate = OYEZ__RATE__INIT;
	rate.stars = stars;
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	record.body_case = OYEZ__DEAL_RECORD__BODY_RATE;
	record.rate = &rate;
	enum err err = out_add(deal, &action->keys, &record, &action->keys.id, action->now_ms, &action->out);
	if (!err)
		deal->stars = stars;
	return err ? oyez_error_set(error, err, "rating") : ERR_OK;
}

enum err oyez_rate(struct oyez_customer *customer, const char *deal, unsigned stars, json_t **out,
                   struct oyez_error *error)
{
	*out = NULL;
	struct deal_action action;
	if (stars < 1 || stars > STARS_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "stars: from 1 to %d", STARS_MAX);
	enum err err = deal_action_begin(customer, deal, &action, error);
	if (err)
		return err;
	struct id id = action.keys.id;
	err = rate_make(wallet_deal(customer->wallet, &id), &action, stars, error);
	err = deal_action_end(customer, &action, err, error);
	if (!err || action.pending)
		*out = json_pack("{s:o, s:i, s:s}", "deal", json_hex(id.bytes, ID_BYTES), "stars", (int)stars, "status",
		                 err ? "pending" : "rated");
	return err;
}
