// What hangs on an intent: its offers, questions and deals, each found by a link row "number of the intent, kind, id".
// By number, so that the links of intents posted together stand together.
#include <string.h>

#include "store_internal.h"

enum { NUMBER_BYTES = 8, LINK_KEY_BYTES = NUMBER_BYTES + 1 + ID_BYTES };

static enum kv_table link_table(uint8_t kind)
{
	return kind == LINK_OFFER ? KV_OFFER : kind == LINK_QUESTION ? KV_QUESTION : KV_DEAL;
}

void store_link_put(struct store *store, const struct id *intent, enum link_kind kind, const struct id *id)
{
	uint64_t number = store_intent_number(store, intent);
	if (!number && !store->kv->error)
		store_misused(store, "linked_to_no_intent");
	struct key key = key_link(number, (uint8_t)kind, id);
	struct bytes found;
	if (!kv_get(store->kv, KV_LINK, key_bytes(&key), &found))
		kv_put(store->kv, KV_LINK, key_bytes(&key), (struct bytes){0});
}

// The link the cursor stands on, if it begins with `prefix`.
static bool link_read(struct store *store, const struct kv_cursor *cursor, struct bytes prefix, uint8_t *kind,
                      struct id *id)
{
	if (!bytes_start_with(cursor->key, prefix.at, prefix.count))
		return false;
	struct reader reader;
	reader_init(&reader, cursor->key.at, cursor->key.count);
	reader_u64(&reader);
	*kind = reader_u8(&reader);
	reader_bytes(&reader, id->bytes, ID_BYTES);
	if (cursor->key.count == LINK_KEY_BYTES && *kind >= LINK_OFFER && *kind <= LINK_DEAL)
		return true;
	store_damaged(store, KV_LINK);
	return false;
}

void store_link_each(struct store *store, const struct id *intent, enum link_kind kind,
                     bool (*each)(struct store *store, const struct id *id, void *context), void *context)
{
	static const struct id zero;
	struct key from = key_link(store_intent_number(store, intent), (uint8_t)kind, &zero);
	struct bytes prefix = {from.bytes, NUMBER_BYTES + 1};
	struct kv_cursor cursor;
	uint8_t found;
	struct id id;
	for (bool on = kv_seek(store->kv, KV_LINK, key_bytes(&from), &cursor);
	     on && link_read(store, &cursor, prefix, &found, &id); on = kv_next(&cursor))
		if (!each(store, &id, context))
			break;
	kv_stop(&cursor);
}

void store_link_remove(struct store *store, const struct id *intent, enum link_kind kind, const struct id *id)
{
	uint64_t number = store_intent_number(store, intent);
	struct key key = key_link(number, (uint8_t)kind, id);
	if (number)
		kv_del(store->kv, KV_LINK, key_bytes(&key));
}

void store_link_delete_all(struct store *store, const struct id *intent)
{
	struct key from = key_number(store_intent_number(store, intent));
	struct bytes prefix = key_bytes(&from);
	struct kv_cursor cursor;
	uint8_t kind;
	struct id id;
	for (bool on = kv_seek(store->kv, KV_LINK, prefix, &cursor); on && link_read(store, &cursor, prefix, &kind, &id);
	     on = kv_next(&cursor)) {
		kv_del(store->kv, link_table(kind), (struct bytes){id.bytes, ID_BYTES});
		if (kind == LINK_DEAL)
			store_after_delete_all(store, &id);
		kv_del(store->kv, KV_LINK, (struct bytes){cursor.at, cursor.at_count});
	}
	kv_stop(&cursor);
}
