// Vendors' inboxes: an ordered log each, and a counter that trimming does not set back.
#include <string.h>

#include "store_internal.h"

enum { HEAD_BYTES = 1 + 8 }; // version, at_ms

static void end_fields(struct row *row, void *value)
{
	row_u64(row, value);
}

uint64_t store_inbox_end(struct store *store, const struct id *vendor)
{
	uint64_t next = 1;
	store_row_find(store, KV_INBOX_END, vendor, end_fields, &next);
	return next;
}

uint64_t store_inbox_append(struct store *store, const struct id *vendor, uint64_t at_ms, const void *item,
                            size_t item_bytes)
{
	if (item_bytes > KV_VALUE_BYTES_MAX - HEAD_BYTES)
		kv_fail(store->kv, ERR_TOO_LARGE);
	uint64_t seq = store_inbox_end(store, vendor);
	if (store->kv->error)
		return 0;
	uint8_t *row = arena_alloc(&store->arena, HEAD_BYTES + item_bytes);
	struct writer writer;
	writer_init(&writer, row, HEAD_BYTES + item_bytes);
	writer_u8(&writer, ROW_VERSION);
	writer_u64(&writer, at_ms);
	writer_bytes(&writer, item, item_bytes);
	struct key key = key_id_number(vendor, seq);
	kv_put(store->kv, KV_INBOX, key_bytes(&key), (struct bytes){row, HEAD_BYTES + item_bytes});
	uint64_t next = seq + 1;
	store_row_put(store, KV_INBOX_END, vendor, end_fields, &next, ROW_BYTES_MAX);
	return seq;
}

// The item the cursor stands on, if it is one of this vendor. `item` is a view.
static bool inbox_read(struct store *store, const struct id *vendor, const struct kv_cursor *cursor, uint64_t *seq,
                       uint64_t *at_ms, struct bytes *item)
{
	if (!bytes_start_with(cursor->key, vendor->bytes, ID_BYTES))
		return false;
	struct reader key, row;
	reader_init(&key, cursor->key.at, cursor->key.count);
	reader_view(&key, ID_BYTES);
	*seq = reader_u64(&key);
	reader_init(&row, cursor->value.at, cursor->value.count);
	bool known = reader_u8(&row) == ROW_VERSION;
	*at_ms = reader_u64(&row);
	*item = (struct bytes){row.at, reader_left(&row)};
	if (known && !row.failed && !key.failed && reader_left(&key) == 0)
		return true;
	store_damaged(store, KV_INBOX);
	return false;
}

bool store_inbox_next(struct store *store, const struct id *vendor, uint64_t after, struct arena *arena, uint64_t *seq,
                      uint64_t *at_ms, struct bytes *item)
{
	if (after == UINT64_MAX)
		return false;
	struct kv_cursor cursor;
	struct key key = key_id_number(vendor, after + 1);
	struct bytes view;
	bool there =
	    kv_seek(store->kv, KV_INBOX, key_bytes(&key), &cursor) && inbox_read(store, vendor, &cursor, seq, at_ms, &view);
	if (there)
		*item = store_copy(arena, view);
	kv_stop(&cursor);
	return there;
}

size_t store_inbox_trim(struct store *store, const struct id *vendor, uint64_t before_ms, size_t max)
{
	size_t count = 0;
	struct key from = key_id_number(vendor, 0);
	struct kv_cursor cursor;
	uint64_t seq, at_ms;
	struct bytes item;
	for (bool on = kv_seek(store->kv, KV_INBOX, key_bytes(&from), &cursor);
	     on && count < max && inbox_read(store, vendor, &cursor, &seq, &at_ms, &item) && at_ms < before_ms;
	     on = kv_next(&cursor)) {
		kv_del(store->kv, KV_INBOX, (struct bytes){cursor.at, cursor.at_count});
		count++;
	}
	kv_stop(&cursor);
	return count;
}
