// Intents: their rows, their posts, and the end of both. What the customer said (facets and the like) stands in the
// row only sealed under the mailbox key, so that wiping the key makes it unreadable wherever the file still has it.
#include <sodium.h>
#include <string.h>

#include "store_internal.h"

// A field added to one of these must be added to the row as well (and to intent_forget, if it tells of content).
_Static_assert(sizeof(struct intent) == 312, "intent_fields lists every field of struct intent");
_Static_assert(sizeof(struct facets) == 56, "facets_fields lists every field of struct facets");

enum { CONTENT_BYTES_MAX = 128 };

struct intent_row {
	struct intent *intent;
	struct bytes content; // sealed; empty after the wipe
};

// The slot comes first: opening the store reads it from every row.
static void intent_fields(struct row *row, void *value)
{
	struct intent_row *stored = value;
	struct intent *intent = stored->intent;
	row_u32(row, &intent->mailbox_slot);
	row_raw(row, intent->key, KEY_BYTES);
	row_raw(row, intent->reply_key, KEY_BYTES);
	row_id(row, &intent->post_hash);
	row_raw(row, intent->release_id.bytes, RELEASE_ID_BYTES);
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
	facets_fields(row, &intent->facets);
}

// What content_fields lists, gone.
static void intent_forget(struct intent *intent)
{
	intent->mailbox_slot = SLOT_NONE;
	intent->needed_by_day = intent->crowd_wish = 0;
	intent->patience_ms = 0;
	intent->crowd_waived = intent->coarsest_step = intent->has_lists = 0;
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

static bool intent_read(struct store *store, const struct id *id, struct bytes bytes, struct intent *out)
{
	struct id own = *id; // the caller may have given &out->id
	memset(out, 0, sizeof(*out));
	out->id = own;
	struct intent_row row = {.intent = out};
	bool read = row_read(bytes, ROW_VERSION, intent_fields, &row);
	if (read && out->mailbox_slot != SLOT_NONE)
		read = content_open(store, out, row.content);
	else if (read)
		read = row.content.count == 0;
	if (!read)
		store_damaged(store, KV_INTENT);
	return read;
}

bool store_intent_find(struct store *store, const struct id *id, struct intent *out)
{
	struct key key = key_id(id);
	struct bytes row;
	return kv_get(store->kv, KV_INTENT, key_bytes(&key), &row) && intent_read(store, id, row, out);
}

bool store_intent_find_released(struct store *store, const struct release_id *release, struct id *id)
{
	struct key key = key_release(release);
	struct bytes row;
	return kv_get(store->kv, KV_RELEASE, key_bytes(&key), &row) && store_key_id(store, KV_RELEASE, row, id);
}

static bool release_named(const struct intent *intent)
{
	static const struct release_id none;
	return !release_id_equal(&intent->release_id, &none);
}

void store_intent_put(struct store *store, const struct intent *intent)
{
	struct intent copy = *intent;
	struct intent_row row = {.intent = &copy};
	uint8_t plain[CONTENT_BYTES_MAX], sealed[CONTENT_BYTES_MAX + SEAL_OVERHEAD_BYTES];
	if (intent->mailbox_slot != SLOT_NONE) {
		struct bytes content = row_write(plain, sizeof(plain), ROW_VERSION, content_fields, &copy);
		struct seal_place place = content_place(intent);
		bool done = store_seal(store, &place, content.at, content.count, sealed);
		sodium_memzero(plain, sizeof(plain));
		if (!done)
			return;
		row.content = (struct bytes){sealed, content.count + SEAL_OVERHEAD_BYTES};
	}
	store_row_put(store, KV_INTENT, &intent->id, intent_fields, &row, ROW_BYTES_MAX);
	if (release_named(intent)) {
		struct key key = key_release(&intent->release_id);
		struct bytes found;
		if (!kv_get(store->kv, KV_RELEASE, key_bytes(&key), &found))
			kv_put(store->kv, KV_RELEASE, key_bytes(&key), (struct bytes){intent->id.bytes, ID_BYTES});
	}
}

void store_intent_create(struct store *store, struct intent *intent, const void *post, size_t post_bytes)
{
	struct key key = key_id(&intent->id);
	struct bytes found;
	if (kv_get(store->kv, KV_INTENT, key_bytes(&key), &found)) {
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
	store_mailbox_put(store, intent, SEAL_SEQ_POST, 0, post, post_bytes);
	store_intent_put(store, intent);
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
	if (release_named(intent)) {
		struct key key = key_release(&intent->release_id);
		kv_del(store->kv, KV_RELEASE, key_bytes(&key));
	}
	struct key key = key_id(&intent->id);
	kv_del(store->kv, KV_INTENT, key_bytes(&key));
}

void store_intent_each(struct store *store, bool (*each)(void *context, const struct intent *intent), void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_INTENT, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct intent intent;
		struct id id;
		if (!store_key_id(store, KV_INTENT, cursor.key, &id) || !intent_read(store, &id, cursor.value, &intent) ||
		    !each(context, &intent))
			break;
	}
	kv_stop(&cursor);
}

void store_intent_load(struct store *store)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_INTENT, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct reader reader;
		reader_init(&reader, cursor.value.at, cursor.value.count);
		bool known = reader_u8(&reader) == ROW_VERSION;
		uint32_t slot = reader_u32(&reader);
		if (!known || reader.failed || (slot != SLOT_NONE && slots_use(store->slots, slot))) {
			store_damaged(store, KV_INTENT);
			break;
		}
	}
	kv_stop(&cursor);
}
