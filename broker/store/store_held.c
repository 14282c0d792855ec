// What vendors see only after a hold: the key says when, what kind and about what; the bytes are the service's own.
#include <string.h>

#include "store_internal.h"

void store_held_put(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id, const void *bytes,
                    size_t count)
{
	uint8_t *row = arena_alloc(&store->arena, 1 + count);
	row[0] = ROW_VERSION;
	if (count > 0)
		memcpy(row + 1, bytes, count);
	struct key key = key_timer(at_ms, (uint8_t)kind, id);
	kv_put(store->kv, KV_HELD, key_bytes(&key), (struct bytes){row, 1 + count});
}

static bool held_read(struct store *store, struct bytes row, struct arena *arena, struct bytes *out)
{
	if (row.count < 1 || row.at[0] != ROW_VERSION) {
		store_damaged(store, KV_HELD);
		return false;
	}
	*out = store_copy(arena, (struct bytes){row.at + 1, row.count - 1});
	return true;
}

bool store_held_find(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id, struct arena *arena,
                     struct bytes *out)
{
	struct key key = key_timer(at_ms, (uint8_t)kind, id);
	struct bytes row;
	return kv_get(store->kv, KV_HELD, key_bytes(&key), &row) && held_read(store, row, arena, out);
}

static bool key_read(struct store *store, struct bytes key, uint64_t *at_ms, enum held_kind *kind, struct id *id)
{
	struct reader reader;
	reader_init(&reader, key.at, key.count);
	*at_ms = reader_u64(&reader);
	*kind = (enum held_kind)reader_u8(&reader);
	reader_bytes(&reader, id->bytes, ID_BYTES);
	if (!reader.failed && reader_left(&reader) == 0)
		return true;
	store_damaged(store, KV_HELD);
	return false;
}

bool store_held_first(struct store *store, uint64_t *at_ms, enum held_kind *kind, struct id *id, struct arena *arena,
                      struct bytes *out)
{
	struct kv_cursor cursor;
	if (!kv_seek(store->kv, KV_HELD, kv_start, &cursor))
		return false;
	bool sound = key_read(store, cursor.key, at_ms, kind, id) && held_read(store, cursor.value, arena, out);
	kv_stop(&cursor);
	return sound;
}

void store_held_each(struct store *store,
                     bool (*each)(void *context, uint64_t at_ms, enum held_kind kind, const struct id *id),
                     void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_HELD, kv_start, &cursor); on; on = kv_next(&cursor)) {
		uint64_t at_ms;
		enum held_kind kind;
		struct id id;
		if (!key_read(store, cursor.key, &at_ms, &kind, &id) || !each(context, at_ms, kind, &id))
			break;
	}
	kv_stop(&cursor);
}

void store_held_remove(struct store *store, uint64_t at_ms, enum held_kind kind, const struct id *id)
{
	struct key key = key_timer(at_ms, (uint8_t)kind, id);
	kv_del(store->kv, KV_HELD, key_bytes(&key));
}
