// Mailboxes: what waits for a customer, and the post itself as item 0. All of it sealed under the intent's key.
// Items are keyed by slot, not by intent: new slots count upwards, so new mailboxes are appended to the table.
#include <string.h>

#include "store_internal.h"

enum { HEAD_BYTES = 1 + 8 }; // version, at_ms

void store_mailbox_put(struct store *store, const struct intent *intent, uint64_t seq, uint64_t at_ms, const void *item,
                       size_t item_bytes)
{
	if (store->kv->error)
		return;
	if (item_bytes > KV_VALUE_BYTES_MAX - HEAD_BYTES - SEAL_OVERHEAD_BYTES) {
		kv_fail(store->kv, ERR_TOO_LARGE);
		return;
	}
	size_t count = HEAD_BYTES + item_bytes + SEAL_OVERHEAD_BYTES;
	uint8_t *row = arena_alloc(&store->arena, count);
	struct writer writer;
	writer_init(&writer, row, HEAD_BYTES);
	writer_u8(&writer, ROW_VERSION);
	writer_u64(&writer, at_ms);
	struct seal_place place = {&intent->id, intent->mailbox_slot, seq, at_ms};
	if (!store_seal(store, &place, item, item_bytes, row + HEAD_BYTES))
		return;
	struct key key = key_item(intent->mailbox_slot, seq);
	kv_append(store->kv, KV_MAILBOX, key_bytes(&key), (struct bytes){row, count});
}

// The item the cursor stands on, if it is one of this intent.
bool store_mailbox_get(struct store *store, const struct intent *intent, struct kv_cursor *cursor, struct arena *arena,
                       uint64_t *seq, uint64_t *at_ms, struct bytes *item)
{
	struct key prefix = key_slot(intent->mailbox_slot);
	if (!bytes_start_with(cursor->key, prefix.bytes, prefix.count))
		return false;
	struct reader key, row;
	reader_init(&key, cursor->key.at, cursor->key.count);
	reader_u32(&key);
	*seq = reader_u64(&key);
	reader_init(&row, cursor->value.at, cursor->value.count);
	bool known = reader_u8(&row) == ROW_VERSION;
	*at_ms = reader_u64(&row);
	struct bytes sealed = {row.at, reader_left(&row)};
	struct seal_place place = {&intent->id, intent->mailbox_slot, *seq, *at_ms};
	if (known && !key.failed && sealed.count >= SEAL_OVERHEAD_BYTES) {
		uint8_t *plain = arena_alloc(arena, sealed.count - SEAL_OVERHEAD_BYTES);
		if (store_open_sealed(store, &place, sealed, plain)) {
			*item = (struct bytes){plain, sealed.count - SEAL_OVERHEAD_BYTES};
			return true;
		}
	}
	store_damaged(store, KV_MAILBOX);
	return false;
}

uint64_t store_mailbox_append(struct store *store, struct intent *intent, uint64_t at_ms, const void *item,
                              size_t item_bytes)
{
	uint64_t seq = intent->mailbox_next > 0 ? intent->mailbox_next : 1;
	store_mailbox_put(store, intent, seq, at_ms, item, item_bytes);
	intent->mailbox_next = seq + 1;
	return seq;
}

bool store_mailbox_next(struct store *store, const struct intent *intent, uint64_t after, struct arena *arena,
                        uint64_t *seq, uint64_t *at_ms, struct bytes *item)
{
	struct kv_cursor cursor;
	if (intent->mailbox_slot == SLOT_NONE || after == UINT64_MAX)
		return false;
	struct key key = key_item(intent->mailbox_slot, after + 1);
	bool there = kv_seek(store->kv, KV_MAILBOX, key_bytes(&key), &cursor) &&
	             store_mailbox_get(store, intent, &cursor, arena, seq, at_ms, item);
	kv_stop(&cursor);
	return there;
}

void store_mailbox_remove(struct store *store, const struct intent *intent, uint64_t seq)
{
	if (intent->mailbox_slot == SLOT_NONE || seq == SEAL_SEQ_POST)
		return;
	struct key key = key_item(intent->mailbox_slot, seq);
	kv_del(store->kv, KV_MAILBOX, key_bytes(&key));
}

void store_mailbox_delete_all(struct store *store, const struct intent *intent)
{
	struct kv_cursor cursor;
	struct key from = key_item(intent->mailbox_slot, 0);
	struct key prefix = key_slot(intent->mailbox_slot);
	for (bool on = kv_seek(store->kv, KV_MAILBOX, key_bytes(&from), &cursor);
	     on && bytes_start_with(cursor.key, prefix.bytes, prefix.count); on = kv_next(&cursor))
		kv_del(store->kv, KV_MAILBOX, (struct bytes){cursor.at, cursor.at_count});
	kv_stop(&cursor);
}
