// Intents: their rows, their posts, and the end of both. What the customer said (facets and the like) stands in the
// row only sealed under the mailbox key, so that wiping the key makes it unreadable wherever the file still has it.
// Rows are appended by number; the maps in memory tell which number an id or a release has.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

// A field added to one of these must be added to the row as well (and to intent_forget, if it tells of content).
_Static_assert(sizeof(struct intent) == 352, "intent_fields lists every field of struct intent");
_Static_assert(sizeof(struct facets) == 56, "facets_fields lists every field of struct facets");

enum { CONTENT_BYTES_MAX = 192 };

struct intent_row {
	struct intent *intent;
	struct bytes content; // sealed; empty after the wipe
};

// These stand at fixed places: opening the store reads only them from every row.
enum {
	SLOT_AT = 1,
	ID_AT = SLOT_AT + 4,
	RELEASE_AT = ID_AT + ID_BYTES,
	STATE_AT = RELEASE_AT + RELEASE_ID_BYTES + 2 * KEY_BYTES + ID_BYTES,
	DEALS_OPEN_AT = STATE_AT + 1 + 4 + 4,
	HEAD_BYTES = DEALS_OPEN_AT + 4,
};

static void intent_fields(struct row *row, void *value)
{
	struct intent_row *stored = value;
	struct intent *intent = stored->intent;
	row_u32(row, &intent->mailbox_slot);
	row_id(row, &intent->id);
	row_raw(row, intent->release_id.bytes, RELEASE_ID_BYTES);
	row_raw(row, intent->key, KEY_BYTES);
	row_raw(row, intent->reply_key, KEY_BYTES);
	row_id(row, &intent->post_hash);
	row_u8(row, &intent->state);
	row_u32(row, &intent->suite);
	row_u32(row, &intent->deals_max);
	row_u32(row, &intent->deals_open);
	row_u32(row, &intent->deals_done);
	row_u32(row, &intent->deals_bound);
	row_u32(row, &intent->vendor_count);
	row_u32(row, &intent->offer_count);
	row_u64(row, &intent->mailbox_next);
	row_u64(row, &intent->posted_at_ms);
	row_u64(row, &intent->expires_at_ms);
	row_u64(row, &intent->released_at_ms);
	row_u64(row, &intent->ended_at_ms);
	row_u64(row, &intent->release_seq);
	row_u32(row, &intent->crowd);
	row_u64(row, &intent->gone_at_ms);
	row_bytes(row, &stored->content);
}

static void facets_fields(struct row *row, struct facets *facets)
{
	row_i64(row, &facets->budget_min_e4);
	row_i64(row, &facets->budget_max_e4);
	row_u32(row, &facets->category);
	row_u32(row, &facets->region);
	row_u16(row, &facets->currency);
	row_u16(row, &facets->language);
	row_u16(row, &facets->terms);
	row_u8(row, &facets->condition);
	row_u8(row, &facets->quantity);
	row_u8(row, &facets->fulfilment);
	row_u8(row, &facets->reach);
	row_u8(row, &facets->needed_by);
	row_u8(row, &facets->expires);
	row_u8(row, &facets->rating_band);
	row_u8(row, &facets->country_count);
	for (size_t i = 0; i < COUNTRIES_MAX; i++)
		row_u16(row, &facets->countries[i]);
	row_u16(row, &facets->reserved);
}

static void content_fields(struct row *row, void *value)
{
	struct intent *intent = value;
	row_u32(row, &intent->needed_by_day);
	row_u32(row, &intent->crowd_wish);
	row_u64(row, &intent->patience_ms);
	row_u8(row, &intent->crowd_waived);
	row_u8(row, &intent->coarsest_step);
	row_u8(row, &intent->has_lists);
	row_u8(row, &intent->held);
	row_raw(row, intent->hold_key, HOLD_KEY_BYTES);
	row_u64(row, &intent->ready_at_ms);
	facets_fields(row, &intent->facets);
}

// What content_fields lists, gone.
static void intent_forget(struct intent *intent)
{
	intent->mailbox_slot = SLOT_NONE;
	intent->needed_by_day = intent->crowd_wish = 0;
	intent->patience_ms = 0;
	intent->crowd_waived = intent->coarsest_step = intent->has_lists = intent->held = 0;
	sodium_memzero(intent->hold_key, sizeof(intent->hold_key));
	intent->ready_at_ms = 0;
	sodium_memzero(&intent->facets, sizeof(intent->facets));
}

static struct seal_place content_place(const struct intent *intent)
{
	return (struct seal_place){.intent = &intent->id, .slot = intent->mailbox_slot, .seq = SEAL_SEQ_INTENT};
}

static bool content_open(struct store *store, struct intent *intent, struct bytes sealed)
{
	uint8_t plain[CONTENT_BYTES_MAX];
	if (sealed.count < SEAL_OVERHEAD_BYTES || sealed.count > sizeof(plain) + SEAL_OVERHEAD_BYTES)
		return false;
	struct seal_place place = content_place(intent);
	bool read =
	    store_open_sealed(store, &place, sealed, plain) &&
	    row_read((struct bytes){plain, sealed.count - SEAL_OVERHEAD_BYTES}, ROW_VERSION, content_fields, intent);
	sodium_memzero(plain, sizeof(plain));
	return read;
}

enum { EVERY_STATE = -1 };

// Of intents in another state than `whole` without the content.
static bool intent_read_some(struct store *store, struct bytes bytes, int whole, struct intent *out)
{
	memset(out, 0, sizeof(*out));
	struct intent_row row = {.intent = out};
	bool read = row_read(bytes, ROW_VERSION, intent_fields, &row);
	if (read && out->mailbox_slot != SLOT_NONE)
		read = (whole != EVERY_STATE && whole != out->state) || content_open(store, out, row.content);
	else if (read)
		read = row.content.count == 0;
	if (!read)
		store_damaged(store, KV_INTENT);
	return read;
}

static bool intent_read(struct store *store, struct bytes bytes, struct intent *out)
{
	return intent_read_some(store, bytes, EVERY_STATE, out);
}

// The row that has these bytes at this place, and its number; 0 if there is none.
static uint64_t row_find(struct store *store, const struct number_map *map, const uint8_t *id, size_t id_bytes,
                         size_t place, struct bytes *row)
{
	size_t at = SIZE_MAX;
	uint64_t number;
	while ((number = number_map_next(map, id, id_bytes, &at))) {
		struct key key = key_number(number);
		if (!kv_get(store->kv, KV_INTENT, key_bytes(&key), row) || row->count < HEAD_BYTES) {
			store_damaged(store, KV_INTENT);
			return 0;
		}
		if (memcmp(row->at + place, id, id_bytes) == 0)
			return number;
	}
	return 0;
}

static uint64_t row_find_id(struct store *store, const struct id *id, struct bytes *row)
{
	return row_find(store, &store->intents, id->bytes, ID_BYTES, ID_AT, row);
}

uint64_t store_intent_number(struct store *store, const struct id *id)
{
	struct bytes row;
	return row_find_id(store, id, &row);
}

bool store_intent_find(struct store *store, const struct id *id, struct intent *out)
{
	struct bytes row;
	return row_find_id(store, id, &row) && intent_read(store, row, out);
}

bool store_intent_find_released(struct store *store, const struct release_id *release, struct id *id)
{
	struct bytes row;
	if (!row_find(store, &store->releases, release->bytes, RELEASE_ID_BYTES, RELEASE_AT, &row))
		return false;
	memcpy(id->bytes, row.at + ID_AT, ID_BYTES);
	return true;
}

static bool release_named(const uint8_t *release)
{
	static const struct release_id none;
	return memcmp(release, none.bytes, RELEASE_ID_BYTES) != 0;
}

static void row_put(struct store *store, const struct intent *intent, uint64_t number)
{
	store_intent_opened_forget(store);
	struct intent copy = *intent;
	struct intent_row row = {.intent = &copy};
	uint8_t plain[CONTENT_BYTES_MAX], sealed[CONTENT_BYTES_MAX + SEAL_OVERHEAD_BYTES], buffer[ROW_BYTES_MAX];
	if (intent->mailbox_slot != SLOT_NONE) {
		struct bytes content = row_write(plain, sizeof(plain), ROW_VERSION, content_fields, &copy);
		struct seal_place place = content_place(intent);
		bool done = store_seal(store, &place, content.at, content.count, sealed);
		sodium_memzero(plain, sizeof(plain));
		if (!done)
			return;
		row.content = (struct bytes){sealed, content.count + SEAL_OVERHEAD_BYTES};
	}
	struct key key = key_number(number);
	struct bytes value = row_write(buffer, sizeof(buffer), ROW_VERSION, intent_fields, &row);
	if (number > store->intent_last_before)
		kv_append(store->kv, KV_INTENT, key_bytes(&key), value);
	else
		kv_put(store->kv, KV_INTENT, key_bytes(&key), value);
}

void store_intent_put(struct store *store, const struct intent *intent)
{
	struct bytes before;
	uint64_t number = row_find_id(store, &intent->id, &before);
	if (!number) {
		if (!store->kv->error)
			store_misused(store, "put_an_intent_never_created");
		return;
	}
	const uint8_t *release = intent->release_id.bytes;
	if (memcmp(before.at + RELEASE_AT, release, RELEASE_ID_BYTES) != 0) {
		if (release_named(before.at + RELEASE_AT))
			number_map_remove(&store->releases, before.at + RELEASE_AT, RELEASE_ID_BYTES, number);
		if (release_named(release))
			number_map_add(&store->releases, release, RELEASE_ID_BYTES, number);
	}
	row_put(store, intent, number);
}

void store_intent_create(struct store *store, struct intent *intent, const void *post, size_t post_bytes)
{
	if (store_intent_number(store, &intent->id)) {
		store_misused(store, "intent_created_twice");
		return;
	}
	if (store->kv->error)
		return;
	enum err err = slots_take(store->slots, &intent->mailbox_slot);
	if (err) {
		kv_fail(store->kv, err);
		return;
	}
	if (intent->mailbox_next == 0)
		intent->mailbox_next = 1;
	uint64_t number = ++store->intent_last;
	number_map_add(&store->intents, intent->id.bytes, ID_BYTES, number);
	if (release_named(intent->release_id.bytes))
		number_map_add(&store->releases, intent->release_id.bytes, RELEASE_ID_BYTES, number);
	row_put(store, intent, number);
	store_mailbox_put(store, intent, SEAL_SEQ_POST, 0, post, post_bytes);
}

bool store_intent_post(struct store *store, const struct intent *intent, struct arena *arena, struct bytes *out)
{
	uint64_t seq, at_ms;
	struct kv_cursor cursor;
	*out = (struct bytes){0};
	if (intent->mailbox_slot == SLOT_NONE)
		return false;
	struct key key = key_item(intent->mailbox_slot, SEAL_SEQ_POST);
	bool there = kv_seek(store->kv, KV_MAILBOX, key_bytes(&key), &cursor) &&
	             store_mailbox_get(store, intent, &cursor, arena, &seq, &at_ms, out) && seq == SEAL_SEQ_POST;
	kv_stop(&cursor);
	return there;
}

void store_intent_wipe(struct store *store, struct intent *intent)
{
	if (intent->mailbox_slot == SLOT_NONE || store->kv->error)
		return;
	uint32_t slot = intent->mailbox_slot;
	store_mailbox_delete_all(store, intent);
	if (slots_doom(store->slots, slot)) {
		store_misused(store, "wiped_twice");
		return;
	}
	struct key key = key_slot(slot);
	kv_append(store->kv, KV_WIPE, key_bytes(&key), (struct bytes){0});
	intent_forget(intent);
	store_intent_put(store, intent);
}

void store_intent_delete(struct store *store, const struct intent *intent)
{
	struct intent copy = *intent;
	store_intent_wipe(store, &copy);
	store_link_delete_all(store, &intent->id);
	store_intent_opened_forget(store);
	struct bytes row;
	uint64_t number = row_find_id(store, &intent->id, &row);
	if (!number)
		return;
	if (release_named(row.at + RELEASE_AT))
		number_map_remove(&store->releases, row.at + RELEASE_AT, RELEASE_ID_BYTES, number);
	number_map_remove(&store->intents, intent->id.bytes, ID_BYTES, number);
	struct key key = key_number(number);
	kv_del(store->kv, KV_INTENT, key_bytes(&key));
}

static void each_intent(struct store *store, int whole, bool (*each)(void *context, const struct intent *intent),
                        void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_INTENT, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct intent intent;
		if (!intent_read_some(store, cursor.value, whole, &intent) || !each(context, &intent))
			break;
	}
	kv_stop(&cursor);
}

void store_intent_each(struct store *store, bool (*each)(void *context, const struct intent *intent), void *context)
{
	each_intent(store, EVERY_STATE, each, context);
}

void store_intent_each_sealed(struct store *store, uint8_t whole,
                              bool (*each)(void *context, const struct intent *intent), void *context)
{
	each_intent(store, whole, each, context);
}

// ---- opening, and what it has seen

void store_intent_opened_forget(struct store *store)
{
	free(store->opened.waiting);
	store->opened = (struct intents_opened){0};
}

static void totals_add(struct intent_totals *totals, uint8_t state, uint32_t deals_open)
{
	totals->released += state == INTENT_RELEASED;
	totals->deals_open += deals_open;
}

static void opened_add(struct intents_opened *opened, const uint8_t *row, uint64_t number)
{
	struct reader reader;
	reader_init(&reader, row + DEALS_OPEN_AT, 4);
	totals_add(&opened->totals, row[STATE_AT], reader_u32(&reader));
	if (row[STATE_AT] != INTENT_WAITING)
		return;
	if (opened->count == opened->room) {
		opened->room = opened->room ? opened->room * 2 : 64;
		opened->waiting = realloc(opened->waiting, opened->room * sizeof(*opened->waiting));
		if (!opened->waiting)
			abort();
	}
	opened->waiting[opened->count++] = number;
}

void store_intent_each_waiting(struct store *store, struct intent_totals *totals,
                               void (*each)(void *context, const struct intent *intent), void *context)
{
	struct intent intent;
	struct kv_cursor cursor;
	struct intents_opened opened = store->opened;
	store->opened = (struct intents_opened){0};
	*totals = opened.totals;
	for (size_t i = 0; i < opened.count; i++) {
		struct key key = key_number(opened.waiting[i]);
		struct bytes row;
		if (kv_get(store->kv, KV_INTENT, key_bytes(&key), &row) && intent_read(store, row, &intent))
			each(context, &intent);
	}
	free(opened.waiting);
	if (opened.known)
		return;
	for (bool on = kv_seek(store->kv, KV_INTENT, kv_start, &cursor); on; on = kv_next(&cursor)) {
		if (!intent_read_some(store, cursor.value, INTENT_WAITING, &intent))
			break;
		totals_add(totals, intent.state, intent.deals_open);
		if (intent.state == INTENT_WAITING)
			each(context, &intent);
	}
	kv_stop(&cursor);
}

// Entries on their way into a map.
struct loading {
	struct number_map *map;
	size_t id_bytes, count;
	struct number_of_id items[NUMBERS_AT_ONCE_MAX];
};

static void loading_flush(struct loading *loading)
{
	number_map_load(loading->map, loading->items, loading->count, loading->id_bytes);
	loading->count = 0;
}

static void loading_add(struct loading *loading, const uint8_t *id, uint64_t number)
{
	if (loading->count == NUMBERS_AT_ONCE_MAX)
		loading_flush(loading);
	loading->items[loading->count++] = (struct number_of_id){id, number};
}

// What the head of the row at the cursor says goes into memory.
static bool row_load(struct store *store, const struct kv_cursor *cursor, struct loading *intents,
                     struct loading *releases)
{
	struct reader key, head;
	const uint8_t *row = cursor->value.at;
	reader_init(&key, cursor->key.at, cursor->key.count);
	uint64_t number = reader_u64(&key);
	if (key.failed || reader_left(&key) > 0 || number == 0 || cursor->value.count < HEAD_BYTES || row[0] != ROW_VERSION)
		return false;
	reader_init(&head, row + SLOT_AT, 4);
	uint32_t slot = reader_u32(&head);
	if (slot != SLOT_NONE && slots_use(store->slots, slot))
		return false;
	loading_add(intents, row + ID_AT, number);
	if (release_named(row + RELEASE_AT))
		loading_add(releases, row + RELEASE_AT, number);
	opened_add(&store->opened, row, number);
	store->intent_last = number;
	return true;
}

void store_intent_load(struct store *store)
{
	struct kv_cursor cursor;
	struct loading intents = {.map = &store->intents, .id_bytes = ID_BYTES};
	struct loading releases = {.map = &store->releases, .id_bytes = RELEASE_ID_BYTES};
	number_map_clear(&store->intents);
	number_map_clear(&store->releases);
	store_intent_opened_forget(store);
	size_t count = kv_count(store->kv, KV_INTENT);
	number_map_reserve(&store->intents, count);
	number_map_reserve(&store->releases, count);
	store->intent_last = store->intent_last_before = 0;
	for (bool on = kv_seek(store->kv, KV_INTENT, kv_start, &cursor); on; on = kv_next(&cursor)) {
		if (!row_load(store, &cursor, &intents, &releases)) {
			store_damaged(store, KV_INTENT);
			break;
		}
	}
	loading_flush(&intents);
	loading_flush(&releases);
	kv_stop(&cursor);
	store->opened.known = true;
}
