// Timers: the key says everything (time, kind, whose), and their order is the order of time.
#include "store_internal.h"

void store_timer_add(struct store *store, uint64_t at_ms, enum timer_kind kind, const struct id *id)
{
	struct key key = key_timer(at_ms, (uint8_t)kind, id);
	kv_put(store->kv, KV_TIMER, key_bytes(&key), (struct bytes){0});
}

bool store_timer_first(struct store *store, uint64_t *at_ms, enum timer_kind *kind, struct id *id)
{
	struct kv_cursor cursor;
	if (!kv_seek(store->kv, KV_TIMER, kv_start, &cursor))
		return false;
	struct reader reader;
	reader_init(&reader, cursor.key.at, cursor.key.count);
	*at_ms = reader_u64(&reader);
	*kind = (enum timer_kind)reader_u8(&reader);
	reader_bytes(&reader, id->bytes, ID_BYTES);
	bool sound = !reader.failed && reader_left(&reader) == 0;
	kv_stop(&cursor);
	if (!sound)
		store_damaged(store, KV_TIMER);
	return sound;
}

void store_timer_remove(struct store *store, uint64_t at_ms, enum timer_kind kind, const struct id *id)
{
	struct key key = key_timer(at_ms, (uint8_t)kind, id);
	kv_del(store->kv, KV_TIMER, key_bytes(&key));
}
