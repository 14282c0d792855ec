// Boxes that this broker, as a home, pushes to: one row each, by intent. It outlives the intent's content: the schedule
// goes on whatever becomes of the intent.
#include "store_internal.h"

_Static_assert(sizeof(struct push) == 144, "push_fields lists every field of struct push");

static void push_fields(struct row *row, void *value)
{
	struct push *push = value;
	row_raw(row, push->box_id, BOX_ID_BYTES);
	row_raw(row, push->guardian, KEY_BYTES);
	row_raw(row, push->reply_key, KEY_BYTES);
	row_u64(row, &push->released_at_ms);
	row_u8(row, &push->expiry_band);
}

bool store_push_find(struct store *store, const struct id *intent, struct push *out)
{
	*out = (struct push){.intent = *intent};
	return store_row_find(store, KV_PUSH, intent, push_fields, out);
}

void store_push_put(struct store *store, const struct push *push)
{
	struct push copy = *push;
	store_row_put(store, KV_PUSH, &push->intent, push_fields, &copy, ROW_BYTES_MAX);
}

void store_push_delete(struct store *store, const struct id *intent)
{
	struct key key = key_id(intent);
	kv_del(store->kv, KV_PUSH, key_bytes(&key));
}

void store_push_each(struct store *store, bool (*each)(void *context, const struct push *push), void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_PUSH, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct push push = {.released_at_ms = 0};
		if (!store_key_id(store, KV_PUSH, cursor.key, &push.intent))
			break;
		if (!row_read(cursor.value, ROW_VERSION, push_fields, &push)) {
			store_damaged(store, KV_PUSH);
			break;
		}
		if (!each(context, &push))
			break;
	}
	kv_stop(&cursor);
}
