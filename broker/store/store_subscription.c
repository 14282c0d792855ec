// Subscriptions: rows by id; the service keeps which vendor has which, and the index.
#include <string.h>

#include "broker/base/log.h"
#include "store_internal.h"

static void subscription_fields(struct row *row, void *value)
{
	struct subscription *subscription = value;
	row_id(row, &subscription->vendor);
	row_id(row, &subscription->record_hash);
	row_u64(row, &subscription->made_at_ms);
	row_u64(row, &subscription->start_seq);
	row_u64(row, &subscription->confirmed_seq);
	row_bytes(row, &subscription->filter);
}

bool store_subscription_find(struct store *store, const struct id *id, struct arena *arena, struct subscription *out)
{
	*out = (struct subscription){.id = *id};
	if (!store_row_find(store, KV_SUBSCRIPTION, id, subscription_fields, out))
		return false;
	out->filter = store_copy(arena, out->filter);
	return true;
}

void store_subscription_put(struct store *store, const struct subscription *subscription)
{
	struct subscription copy = *subscription;
	store_row_put(store, KV_SUBSCRIPTION, &subscription->id, subscription_fields, &copy,
	              ROW_BYTES_MAX + subscription->filter.count);
}

void store_subscription_delete(struct store *store, const struct id *id)
{
	struct key key = key_id(id);
	kv_del(store->kv, KV_SUBSCRIPTION, key_bytes(&key));
}

size_t store_subscription_count(struct store *store)
{
	return kv_count(store->kv, KV_SUBSCRIPTION);
}

// Its filter is a view of the row.
static bool subscription_read(struct bytes key, struct bytes row, struct subscription *out)
{
	*out = (struct subscription){0};
	if (key.count != ID_BYTES)
		return false;
	memcpy(out->id.bytes, key.at, ID_BYTES);
	return row_read(row, ROW_VERSION, subscription_fields, out);
}

void store_subscription_each(struct store *store, bool (*each)(void *context, const struct subscription *subscription),
                             void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_SUBSCRIPTION, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct subscription subscription;
		if (!subscription_read(cursor.key, cursor.value, &subscription)) {
			store_damaged(store, KV_SUBSCRIPTION);
			break;
		}
		subscription.filter = store_keep(store, KV_SUBSCRIPTION, subscription.filter);
		if (!each(context, &subscription))
			break;
	}
	kv_stop(&cursor);
}

bool store_read_subscriptions(struct store_reader *reader,
                              bool (*each)(void *context, const struct subscription *subscription), void *context)
{
	const struct kv_ops *ops = reader->kv.kv->ops;
	struct bytes key, row;
	struct subscription subscription;
	bool on = ops->read_seek(&reader->kv, KV_SUBSCRIPTION, kv_start, &key, &row);
	for (; on; on = ops->read_next(&reader->kv, &key, &row)) {
		if (!subscription_read(key, row, &subscription)) {
			log_event(LOG_ERROR, "store_row_damaged", LOG_TEXT("table", kv_table_name(KV_SUBSCRIPTION)));
			return false;
		}
		if (!each(context, &subscription))
			break;
	}
	return true;
}
