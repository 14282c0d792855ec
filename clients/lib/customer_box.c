// Boxes: what a home broker pushes for an intent, read at the guardian. The wallet asks for all its boxes at once and
// over one connection, so neither broker sees which intent somebody is looking at (PROTOCOL.md §12.4).
//
// Every cell is opened with its intent's reply key; its parts go into the wallet until an item is whole. Cells are
// named to the guardian as seen only after that is on disk. Lost, doubled and reordered cells heal: the home repeats.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "proto/box.h"

enum {
	ITEMS_OPEN_MAX = 16,         // unfinished items of one box
	ITEM_BYTES_MAX = CELL_BYTES, // a whole item fits a mailbox reply
	ITEM_NUMBER_MAX = 1 << 16,   // of one intent: the bits kept stay small
	READS_MAX = 1000,            // in one go
	POLL_GRACE_MS = 15000,
	GUARDIANS_AT_ONCE_MAX = 4,
};
#define EXPIRED_GRACE_MS (15 * MINUTE_MS) // a release may be on its way
#define SCHEDULE_GRACE_MS (30 * MINUTE_MS)
#define FALLBACK_EVERY_MS (20 * MINUTE_MS)

// ---- opening a box

static enum err ask_open(struct connection *guardian, const struct intent_keys *keys,
                         const Oyez__Wallet__Intent *intent, struct oyez_error *error)
{
	Oyez__OpenBox open = OYEZ__OPEN_BOX__INIT;
	open.box_id = intent->box_id;
	open.home_id = (ProtobufCBinaryData){.data = (uint8_t *)keys->broker_key, .len = KEY_BYTES};
	open.keep_until_ms = intent->box_keep_until_ms;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_OPEN_BOX;
	record.open_box = &open;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian->transport, &record, 0, &reply, error);
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

enum err box_ensure(struct oyez_customer *customer, const struct intent_keys *keys, struct oyez_error *error)
{
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &keys->id);
	if (!keys->two_brokers || !intent || intent->box_opened || !intent->box_id.len)
		return ERR_OK;
	struct connection *guardian;
	enum err err = guardian_for(customer, keys, &guardian, error);
	intent = wallet_intent(customer->wallet, &keys->id);
	if (!err && intent)
		err = ask_open(guardian, keys, intent, error);
	if (!err)
		err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Intent *record = wallet_intent(customer->wallet, &keys->id);
	if (record)
		record->box_opened = true;
	return wallet_commit(customer->wallet, error);
}

// ---- parts into items

static bool bit_is_set(const ProtobufCBinaryData *bits, uint64_t at)
{
	return at / 8 < bits->len && bits->data[at / 8] >> at % 8 & 1;
}

static void bit_set(ProtobufCBinaryData *bits, uint64_t at)
{
	if (at / 8 >= bits->len) {
		uint8_t *grown = wallet_alloc(at / 8 + 1);
		if (bits->len)
			memcpy(grown, bits->data, bits->len);
		field_set(bits, grown, at / 8 + 1);
		free(grown);
	}
	bits->data[at / 8] |= (uint8_t)(1 << at % 8);
}

static bool item_is_whole(const Oyez__Wallet__BoxItem *item)
{
	for (size_t i = 0; i < item->bytes.len; i++) {
		if (!bit_is_set(&item->have, i))
			return false;
	}
	return true;
}

static bool part_is_new(const Oyez__Wallet__Intent *intent, const Oyez__BoxPart *part)
{
	if (part->item == 0) // the version is kept plus one
		return part->version >= intent->box_status && part->version < UINT32_MAX;
	return part->item < ITEM_NUMBER_MAX && !bit_is_set(&intent->box_taken, part->item);
}

// The unfinished item a part belongs to, made if there is none. NULL if the part has no place.
static Oyez__Wallet__BoxItem *item_for(Oyez__Wallet__Intent *intent, const Oyez__BoxPart *part)
{
	for (size_t i = 0; i < intent->n_box_items; i++) {
		Oyez__Wallet__BoxItem *item = intent->box_items[i];
		if (item->item != part->item)
			continue;
		if (part->item == 0 && item->item_version < part->version) {
			wallet_remove_box_item(intent, i);
			break;
		}
		bool fits = item->bytes.len == part->total && (part->item != 0 || item->item_version == part->version);
		return fits ? item : NULL;
	}
	if (intent->n_box_items >= ITEMS_OPEN_MAX)
		return NULL;
	uint8_t *zeros = wallet_alloc(part->total);
	Oyez__Wallet__BoxItem *item = wallet_add_box_item(intent);
	item->item = part->item;
	item->item_version = part->version;
	field_set(&item->bytes, zeros, part->total);
	field_set(&item->have, zeros, (part->total + 7) / 8);
	free(zeros);
	return item;
}

static void take_part(Oyez__Wallet__Intent *intent, const Oyez__BoxPart *part)
{
	if (!part_is_new(intent, part) || part->total == 0 || part->total > ITEM_BYTES_MAX || part->bytes.len == 0 ||
	    part->offset > part->total || part->bytes.len > part->total - part->offset)
		return;
	Oyez__Wallet__BoxItem *item = item_for(intent, part);
	if (!item)
		return;
	memcpy(item->bytes.data + part->offset, part->bytes.data, part->bytes.len);
	for (size_t i = 0; i < part->bytes.len; i++)
		bit_set(&item->have, part->offset + i);
}

// ---- items into the wallet

static void take_status(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                        const Oyez__Wallet__BoxItem *item, uint64_t now_ms)
{
	ProtobufCMessage *message = NULL;
	enum err err = codec_decode(&oyez__status__descriptor, NULL, item->bytes.data, item->bytes.len, &message, NULL);
	if (!err) {
		const Oyez__Status *status = (const Oyez__Status *)message;
		uint32_t estimate = intent->crowd_estimate, want = intent->crowd_want;
		err = field_is_id(&status->intent_id, &keys->id) ? apply_status(customer, intent, status, now_ms)
		                                                 : ERR_BINDING_MISMATCH;
		intent->crowd_estimate = estimate; // of which a box says nothing
		intent->crowd_want = want;
	}
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	if (err)
		customer_problem(customer, &keys->id, err, "status");
}

static void take_item(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                      const Oyez__Wallet__BoxItem *item, uint64_t now_ms)
{
	ProtobufCMessage *message = NULL;
	enum err err =
	    codec_decode(&oyez__mailbox_item__descriptor, NULL, item->bytes.data, item->bytes.len, &message, NULL);
	if (!err && ((const Oyez__MailboxItem *)message)->seq != item->item)
		err = ERR_BAD_VALUE;
	if (err)
		customer_problem(customer, &keys->id, err, "box");
	else
		mailbox_take(customer, intent, keys, (const Oyez__MailboxItem *)message, now_ms);
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
}

// The whole one with the lowest number, `count` if there is none.
static size_t next_whole(const Oyez__Wallet__Intent *intent, bool status)
{
	size_t best = intent->n_box_items;
	for (size_t i = 0; i < intent->n_box_items; i++) {
		const Oyez__Wallet__BoxItem *item = intent->box_items[i];
		if ((item->item == 0) != status || !item_is_whole(item))
			continue;
		if (best == intent->n_box_items || item->item < intent->box_items[best]->item)
			best = i;
	}
	return best;
}

// Whole items are applied in the order of their numbers. Numbers have gaps (what was withdrawn unread is never sent),
// so nothing waits for the ones before. Offers are bound to the release: they wait for the status that shows it.
static void apply_whole(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, struct intent_keys *keys,
                        uint64_t now_ms)
{
	size_t at = next_whole(intent, true);
	if (at < intent->n_box_items) {
		take_status(customer, intent, keys, intent->box_items[at], now_ms);
		intent->box_status = intent->box_items[at]->item_version + 1;
		wallet_remove_box_item(intent, at);
		struct id id = keys->id;
		intent_keys_load(customer, &id, keys, NULL);
	}
	if (!keys->alive || !keys->released)
		return;
	while ((at = next_whole(intent, false)) < intent->n_box_items) {
		take_item(customer, intent, keys, intent->box_items[at], now_ms);
		bit_set(&intent->box_taken, intent->box_items[at]->item);
		wallet_remove_box_item(intent, at);
	}
	answers_by_policy(customer, intent, keys, now_ms);
}

// ---- cells

static Oyez__Wallet__Intent *intent_of_box(struct oyez_customer *customer, const ProtobufCBinaryData *box_id)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		const ProtobufCBinaryData *own = &file->intents[i]->box_id;
		if (own->len == BOX_ID_BYTES && own->len == box_id->len && memcmp(own->data, box_id->data, own->len) == 0)
			return file->intents[i];
	}
	return NULL;
}

static enum err open_cell(const struct intent_keys *keys, const Oyez__BoxCell *cell, Oyez__BoxPlain **out)
{
	uint8_t plain[BOX_PLAIN_BYTES];
	const uint8_t *message;
	size_t count;
	if (cell->cell.len != BOX_CELL_BYTES || cell->box_id.len != BOX_ID_BYTES)
		return ERR_BAD_VALUE;
	enum err err = box_open(&keys->reply, keys->broker_key, cell->box_id.data, cell->cell.data, plain, &message, &count);
	if (!err)
		err = codec_decode_box_plain(NULL, message, count, out, NULL);
	sodium_memzero(plain, sizeof(plain));
	return err;
}

// Of an intent whose keys are gone the cells are let go of; a cell that does not open says nothing.
static void take_cell(struct oyez_customer *customer, const Oyez__BoxCell *cell, uint64_t now_ms)
{
	Oyez__Wallet__Intent *intent = intent_of_box(customer, &cell->box_id);
	struct intent_keys keys;
	Oyez__BoxPlain *plain = NULL;
	if (!intent)
		return;
	struct id id = field_id(&intent->id);
	if (intent_keys_load(customer, &id, &keys, NULL) || !keys.alive) {
		intent_keys_wipe(&keys);
		return;
	}
	enum err err = open_cell(&keys, cell, &plain);
	if (err)
		customer_problem(customer, &id, err, "box");
	for (size_t i = 0; plain && i < plain->n_parts; i++)
		take_part(intent, plain->parts[i]);
	if (plain && plain->n_parts)
		apply_whole(customer, intent, &keys, now_ms);
	if (plain)
		oyez__box_plain__free_unpacked(plain, NULL);
	intent_keys_wipe(&keys);
}

// ---- reading

// What was read and is on disk: box and highest number.
struct seen {
	Oyez__BoxSeen entries[BOX_READ_CELLS_MAX], *pointers[BOX_READ_CELLS_MAX];
	uint8_t ids[BOX_READ_CELLS_MAX][BOX_ID_BYTES];
	size_t count;
};

static void seen_fill(struct seen *seen, const Oyez__BoxCells *cells)
{
	seen->count = 0;
	for (size_t i = 0; i < cells->n_items && i < BOX_READ_CELLS_MAX; i++) {
		const Oyez__BoxCell *cell = cells->items[i];
		if (cell->box_id.len != BOX_ID_BYTES)
			continue;
		size_t at = 0;
		while (at < seen->count && memcmp(seen->ids[at], cell->box_id.data, BOX_ID_BYTES) != 0)
			at++;
		if (at == seen->count) {
			oyez__box_seen__init(&seen->entries[at]);
			memcpy(seen->ids[at], cell->box_id.data, BOX_ID_BYTES);
			seen->entries[at].box_id = (ProtobufCBinaryData){.data = seen->ids[at], .len = BOX_ID_BYTES};
			seen->pointers[at] = &seen->entries[at];
			seen->count++;
		}
		if (cell->number > seen->entries[at].number)
			seen->entries[at].number = cell->number;
	}
}

static enum err take_cells(struct oyez_customer *customer, const Oyez__BoxCells *cells, uint64_t now_ms,
                           struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	for (size_t i = 0; i < cells->n_items; i++)
		take_cell(customer, cells->items[i], now_ms);
	return wallet_commit(customer->wallet, error);
}

static void read_body(Oyez__AccountRecord *record, Oyez__ReadBoxes *read, struct seen *seen, uint32_t wait_ms)
{
	oyez__account_record__init(record);
	oyez__read_boxes__init(read);
	if (seen) {
		read->seen = seen->pointers;
		read->n_seen = seen->count;
	}
	read->wait_ms = wait_ms;
	record->body_case = OYEZ__ACCOUNT_RECORD__BODY_READ_BOXES;
	record->read_boxes = read;
}

// Until the guardian has no more. The last question, answered with nothing, has told what was seen.
static enum err read_all(struct oyez_customer *customer, struct connection *guardian, struct oyez_error *error)
{
	struct seen seen = {.count = 0};
	enum err err = ERR_OK;
	bool more = true;
	for (int i = 0; !err && more && i < READS_MAX && !customer->woken; i++) {
		Oyez__AccountRecord record;
		Oyez__ReadBoxes read;
		Oyez__GuardianReply *reply = NULL;
		read_body(&record, &read, &seen, 0);
		err = transport_account(guardian->transport, &record, 0, &reply, error);
		if (!err && reply->body_case != OYEZ__GUARDIAN_REPLY__BODY_CELLS)
			err = oyez_error_set(error, ERR_BAD_MESSAGE, "cells of boxes expected");
		if (!err) {
			more = reply->cells->n_items > 0;
			seen_fill(&seen, reply->cells);
			if (more)
				err = take_cells(customer, reply->cells, transport_now_ms(guardian->transport), error);
		}
		if (reply)
			oyez__guardian_reply__free_unpacked(reply, NULL);
	}
	return err;
}

enum err boxes_poll(struct oyez_customer *customer, struct connection *guardian, uint32_t wait_ms,
                    struct transport_call **out, struct oyez_error *error)
{
	(void)customer;
	Oyez__AccountRecord record;
	Oyez__ReadBoxes read;
	read_body(&record, &read, NULL, wait_ms);
	enum err err = transport_account_start(guardian->transport, &record, wait_ms + POLL_GRACE_MS, NULL, out);
	return err ? oyez_error_set(error, err, NULL) : ERR_OK;
}

// An intent that was never released gets no cells: it ends by our own clock. To ask the home broker would tell it when
// this wallet is awake.
static void end_unreleased(struct oyez_customer *customer, const struct id *id)
{
	const Oyez__Wallet__Intent *seen = wallet_intent(customer->wallet, id);
	if (!seen || seen->release.len || seen->status != OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING)
		return;
	Oyez__Post *post = intent_post(seen);
	uint64_t now_ms = customer_now_ms(customer);
	bool over = post && now_ms > post->expires_at_ms + EXPIRED_GRACE_MS;
	if (post)
		oyez__post__free_unpacked(post, NULL);
	if (!over || wallet_begin(customer->wallet, NULL))
		return;
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, id);
	if (intent && !intent->release.len && intent->status == OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING)
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_EXPIRED, now_ms);
	wallet_commit(customer->wallet, NULL);
}

enum err boxes_sync(struct oyez_customer *customer, const struct id *intents, size_t count, const struct id *only,
                    struct oyez_error *error)
{
	struct connection *done[GUARDIANS_AT_ONCE_MAX];
	size_t done_count = 0;
	struct oyez_error first = {0};
	for (size_t i = 0; i < count; i++) {
		struct intent_keys keys;
		struct connection *guardian = NULL;
		struct oyez_error problem = {0};
		enum err err = intent_keys_load(customer, &intents[i], &keys, &problem);
		if (!err)
			err = guardian_for(customer, &keys, &guardian, &problem);
		intent_keys_wipe(&keys);
		bool again = false;
		for (size_t j = 0; j < done_count; j++)
			again = again || done[j] == guardian;
		if (!err && !again) {
			err = read_all(customer, guardian, &problem);
			if (done_count < GUARDIANS_AT_ONCE_MAX)
				done[done_count++] = guardian;
		}
		if (err && !first.code && (!only || id_equal(only, &intents[i]))) {
			first = problem;
			first.code = err;
		}
		end_unreleased(customer, &intents[i]);
	}
	if (first.code && error)
		*error = first;
	return first.code;
}

// ---- after the schedule

bool box_is_over(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, uint64_t now_ms)
{
	Oyez__Release *release = NULL;
	if (!intent->guardian_key.len || !intent->release.len || !intent_has_open_deal(customer, intent) ||
	    now_ms < intent->box_fallback_at_ms ||
	    codec_decode_release(NULL, intent->release.data, intent->release.len, &release, NULL))
		return false;
	uint64_t end_ms = box_over_ms(release->released_at_ms, (uint8_t)release->expires);
	oyez__release__free_unpacked(release, NULL);
	return now_ms > end_ms + SCHEDULE_GRACE_MS;
}

void box_fallback_later(struct oyez_customer *customer, const struct id *id, uint64_t now_ms)
{
	if (wallet_begin(customer->wallet, NULL))
		return;
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, id);
	if (intent)
		intent->box_fallback_at_ms = now_ms + FALLBACK_EVERY_MS / 2 + randombytes_uniform((uint32_t)FALLBACK_EVERY_MS);
	wallet_commit(customer->wallet, NULL);
}
