// A deal's box: what the vendor writes and answers after a deal. Read with the agreement key, each item verified with
// the vendor's identity key. Directly by long polls; through a guardian now and then, one deal at a time.
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/call.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/seal.h"

enum { BOX_READS_MAX = 100, POLL_GRACE_MS = 15000, RELAYED_LOOK_MS = 20000 };
#define READ_EVERY_MS HOUR_MS // through a guardian, in the mean
#define AFTER_RETENTION_MS (30 * DAY_MS)

// ---- one item

static enum err text_open(const struct deal_keys *keys, const ProtobufCBinaryData *sealed, uint8_t **plain,
                          size_t *count, Oyez__DealText **text, struct id *id)
{
	struct seal_header header = {.from = keys->vendor, .release = keys->release, .object = keys->id};
	Oyez__Signed *signed_text = NULL;
	enum err err = open_message(SEAL_MESSAGE, &keys->box, &header, sealed->data, sealed->len, plain, count);
	if (!err)
		err = codec_decode_signed(NULL, *plain, *count, &signed_text, NULL);
	if (!err)
		err = sign_open(signed_text, TAG_MESSAGE);
	if (!err && memcmp(signed_text->key.data, keys->vendor_key, KEY_BYTES) != 0)
		err = ERR_BAD_SIGNATURE;
	if (!err)
		err = codec_decode_deal_text(NULL, signed_text->record.data, signed_text->record.len, text, NULL);
	if (!err && (!field_is_id(&(*text)->deal_id, &keys->id) || !(*text)->from_vendor))
		err = ERR_BAD_SIGNATURE;
	if (!err)
		*id = signed_id_of(TAG_RECORD_ID, signed_text);
	if (signed_text)
		oyez__signed__free_unpacked(signed_text, NULL);
	return err;
}

static bool message_known(const Oyez__Wallet__Deal *deal, const struct id *id)
{
	for (size_t i = 0; i < deal->n_messages; i++) {
		if (field_is_id(&deal->messages[i]->id, id))
			return true;
	}
	return false;
}

static enum err message_take(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                             const Oyez__DealItem *item)
{
	uint8_t *plain = NULL;
	size_t count;
	Oyez__DealText *text = NULL;
	struct id id;
	enum err err = text_open(keys, &item->message, &plain, &count, &text, &id);
	if (!err && !message_known(deal, &id)) {
		Oyez__Wallet__Message *kept = wallet_add_message(deal);
		field_set_id(&kept->id, &id);
		field_set(&kept->signed_, plain, count);
		kept->from_vendor = true;
		kept->at_ms = item->at_ms;
		field_set_text(&kept->text, text->text);
		customer_event(customer, "message", &keys->intent,
		               json_pack("{s:o, s:o, s:o, s:o, s:o}", "deal", json_binary(&deal->id), "vendor",
		                         json_binary(&deal->vendor_id), "vendor_name", json_text(deal->vendor_name), "text",
		                         json_text(text->text), "at", json_time(item->at_ms)));
	}
	if (text)
		oyez__deal_text__free_unpacked(text, NULL);
	free(plain);
	return err;
}

enum err deal_item_take(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                        const Oyez__DealItem *item)
{
	switch (item->body_case) {
	case OYEZ__DEAL_ITEM__BODY_MESSAGE:
		return message_take(customer, deal, keys, item);
	case OYEZ__DEAL_ITEM__BODY_ERASURE:
		return erasure_take(customer, deal, keys, item);
	default: // of a later version
		return ERR_OK;
	}
}

// ---- the whole box

static enum err box_apply(struct oyez_customer *customer, const struct deal_keys *keys, const Oyez__DealBox *box,
                          struct oyez_error *error)
{
	const Oyez__Wallet__Deal *seen = wallet_deal(customer->wallet, &keys->id);
	if (!seen || (box->n_items == 0 && box->next <= seen->box_after && seen->vendor_suspended == box->vendor_suspended))
		return ERR_OK;
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &keys->id);
	for (size_t i = 0; deal && i < box->n_items; i++) {
		const Oyez__DealItem *item = box->items[i];
		if (item->seq <= deal->box_after)
			continue;
		err = deal_item_take(customer, deal, keys, item);
		if (err)
			customer_problem(customer, &keys->intent, err,
			                 item->body_case == OYEZ__DEAL_ITEM__BODY_ERASURE ? "erasure" : "message");
		deal->box_after = item->seq;
	}
	if (deal && box->next > deal->box_after)
		deal->box_after = box->next;
	if (deal && box->vendor_suspended && !deal->vendor_suspended)
		customer_event(customer, "vendor_suspended", &keys->intent,
		               json_pack("{s:o, s:o, s:o}", "deal", json_binary(&deal->id), "vendor",
		                         json_binary(&deal->vendor_id), "vendor_name", json_text(deal->vendor_name)));
	if (deal)
		deal->vendor_suspended = box->vendor_suspended;
	return wallet_commit(customer->wallet, error);
}

static enum err read_record(const struct deal_keys *keys, const struct connection *connection, uint64_t after,
                            uint32_t wait_ms, uint8_t **bytes, size_t *count)
{
	Oyez__ReadDeal read = OYEZ__READ_DEAL__INIT;
	read.after = after;
	read.wait_ms = wait_ms;
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	record.body_case = OYEZ__DEAL_RECORD__BODY_READ;
	record.read = &read;
	return deal_record_sign(keys, transport_now_ms(connection->transport), &record, bytes, count);
}

static enum err read_once(struct oyez_customer *customer, const struct deal_keys *keys,
                          const struct connection *connection, bool *more, struct oyez_error *error)
{
	uint8_t *bytes;
	size_t count;
	const Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &keys->id);
	enum err err = deal ? read_record(keys, connection, deal->box_after, 0, &bytes, &count) : ERR_NOT_FOUND;
	if (err)
		return oyez_error_set(error, err, NULL);
	Oyez__CustomerReply *reply = NULL;
	err = transport_deal(connection->transport, bytes, count, &reply, error);
	free(bytes);
	if (err)
		return err;
	*more = false;
	if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_DEAL_BOX) {
		*more = reply->deal_box->more;
		err = box_apply(customer, keys, reply->deal_box, error);
	} else {
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "deal box expected");
	}
	oyez__customer_reply__free_unpacked(reply, NULL);
	return err;
}

enum err deal_box_read(struct oyez_customer *customer, const struct id *id, struct oyez_error *error)
{
	struct deal_keys keys;
	struct connection *connection = NULL;
	enum err err = deal_keys_load(customer, id, &keys, error);
	if (!err)
		err = deal_connection(customer, &keys.intent, &connection, error);
	bool more = true;
	for (int i = 0; !err && more && i < BOX_READS_MAX; i++)
		err = read_once(customer, &keys, connection, &more, error);
	deal_keys_wipe(&keys);
	return err;
}

// ---- which, and when

static bool is_relayed(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal)
{
	struct id id = field_id(&deal->intent_id);
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &id);
	return intent && intent->guardian_key.len > 0;
}

// From the countersignature on, until nothing more is to come.
static bool is_live(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	if (deal->state < OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED || deal->state == OYEZ__DEAL_STATE__DEAL_LAPSED ||
	    !deal->box_secret.len || !deal->agreement_seed.len)
		return false;
	bool waits = deal->erase.len && !deal->erase_answered_at_ms;
	return waits || !deal->ended_at_ms ||
	       now_ms < deal->ended_at_ms + deal->retention_days * DAY_MS + AFTER_RETENTION_MS;
}

size_t deals_polled(struct oyez_customer *customer, const struct id *intent, struct id ids[DEAL_POLLS_MAX])
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	uint64_t now_ms = customer_now_ms(customer);
	size_t count = 0;
	for (size_t i = file->n_deals; i-- > 0 && count < DEAL_POLLS_MAX;) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		if (is_live(deal, now_ms) && !is_relayed(customer, deal) && (!intent || field_is_id(&deal->intent_id, intent)))
			ids[count++] = field_id(&deal->id);
	}
	return count;
}

enum err deal_poll_start(struct oyez_customer *customer, const struct id *id, uint32_t wait_ms,
                         struct connection **connection, struct transport_call **out)
{
	struct deal_keys keys;
	enum err err = deal_keys_load(customer, id, &keys, NULL);
	if (!err)
		err = deal_connection(customer, &keys.intent, connection, NULL);
	uint8_t *bytes = NULL;
	size_t count = 0;
	if (!err)
		err = read_record(&keys, *connection, wallet_deal(customer->wallet, id)->box_after, wait_ms, &bytes, &count);
	if (!err)
		err = transport_deal_start((*connection)->transport, bytes, count, wait_ms + POLL_GRACE_MS, out);
	free(bytes);
	deal_keys_wipe(&keys);
	return err;
}

static void read_later(struct oyez_customer *customer, const struct id *id, uint64_t now_ms)
{
	if (wallet_begin(customer->wallet, NULL))
		return;
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, id);
	if (!deal) {
		wallet_abort(customer->wallet);
		return;
	}
	deal->box_read_at_ms = now_ms + READ_EVERY_MS / 2 + randombytes_uniform((uint32_t)READ_EVERY_MS);
	wallet_commit(customer->wallet, NULL);
}

// Those that no poll looks after: behind a guardian, or older than the newest few. One a time: two boxes read together
// would be seen together.
static void read_due(struct oyez_customer *customer, const struct id *intent)
{
	struct id polled[DEAL_POLLS_MAX], due;
	size_t count = deals_polled(customer, intent, polled);
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	uint64_t now_ms = customer_now_ms(customer);
	bool found = false;
	for (size_t i = 0; i < file->n_deals && !found; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		due = field_id(&deal->id);
		found = is_live(deal, now_ms) && now_ms >= deal->box_read_at_ms &&
		        (!intent || field_is_id(&deal->intent_id, intent));
		for (size_t j = 0; found && j < count; j++)
			found = !id_equal(&polled[j], &due);
		struct id of = field_id(&deal->intent_id);
		found = found && !relay_must_wait(customer, &of, false);
	}
	if (!found)
		return;
	struct id of = field_id(&wallet_deal(customer->wallet, &due)->intent_id);
	struct oyez_error problem = {0};
	enum err err = deal_box_read(customer, &due, &problem);
	if (err && !error_is_passing(err))
		customer_problem(customer, &of, err, "deal box");
	read_later(customer, &due, now_ms);
}

// ---- retention that is over

static bool is_due(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	return deal->revealed_at_ms && !deal->due_told && deal->erase_result != OYEZ__ERASURE_RESULT__ERASURE_ERASED &&
	       now_ms >= deal->revealed_at_ms + deal->retention_days * DAY_MS;
}

static void tell_due(struct oyez_customer *customer)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	uint64_t now_ms = customer_now_ms(customer);
	bool any = false;
	for (size_t i = 0; i < file->n_deals; i++)
		any = any || is_due(file->deals[i], now_ms);
	if (!any || wallet_begin(customer->wallet, NULL))
		return;
	file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_deals; i++) {
		Oyez__Wallet__Deal *deal = file->deals[i];
		if (!is_due(deal, now_ms))
			continue;
		deal->due_told = true;
		struct id intent = field_id(&deal->intent_id);
		customer_event(customer, "due", &intent,
		               json_pack("{s:o, s:o, s:o, s:o}", "deal", json_binary(&deal->id), "vendor",
		                         json_binary(&deal->vendor_id), "vendor_name", json_text(deal->vendor_name), "until",
		                         json_time(deal->revealed_at_ms + deal->retention_days * DAY_MS)));
	}
	wallet_commit(customer->wallet, NULL);
}

void deals_sync(struct oyez_customer *customer, const struct id *intent)
{
	struct id ids[DEAL_POLLS_MAX];
	size_t count = deals_polled(customer, intent, ids);
	for (size_t i = 0; i < count; i++) {
		const Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &ids[i]);
		struct id of = deal ? field_id(&deal->intent_id) : (struct id){{0}};
		struct oyez_error problem = {0};
		enum err err = deal_box_read(customer, &ids[i], &problem);
		if (err && !error_is_passing(err) && err != ERR_NOT_FOUND)
			customer_problem(customer, &of, err, "deal box");
	}
	read_due(customer, intent);
	tell_due(customer);
}

// ---- when a person asks

// One long poll; through a guardian a pause instead, since the relay carries no waiting.
static void wait_a_turn(struct oyez_customer *customer, const struct id *id, bool relayed, uint64_t wait_ms)
{
	struct connection *connection = NULL;
	struct transport_call *call = NULL;
	uint32_t each_ms = wait_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (uint32_t)wait_ms;
	if (relayed || deal_poll_start(customer, id, each_ms, &connection, &call)) {
		uint64_t pause_ms = clock_real_ms(RELAYED_LOOK_MS / 2 + randombytes_uniform(RELAYED_LOOK_MS));
		poll(NULL, 0, (int)(pause_ms < wait_ms ? pause_ms : wait_ms));
		return;
	}
	transport_wait(connection->transport, wait_ms);
	transport_call_cancel(call);
}

enum err oyez_deal_sync(struct oyez_customer *customer, const char *text, uint64_t wait_ms, bool *changed,
                        struct oyez_error *error)
{
	struct id id;
	uint64_t until_ms = monotonic_ms() + wait_ms;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_DEAL, text, &id, error);
	if (!err)
		deals_flush(customer, NULL, NULL, NULL);
	const Oyez__Wallet__Deal *deal = err ? NULL : wallet_deal(customer->wallet, &id);
	if (deal && deal->state < OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED)
		err = oyez_error_set(error, ERR_NOT_COUNTERSIGNED, NULL);
	bool relayed = deal && is_relayed(customer, deal);
	customer->changed = false;
	customer->woken = false;
	while (!err) {
		err = deal_box_read(customer, &id, error);
		if (err || customer->changed || customer->woken || monotonic_ms() >= until_ms)
			break;
		wait_a_turn(customer, &id, relayed, until_ms - monotonic_ms());
	}
	if (changed)
		*changed = customer->changed;
	return err;
}
