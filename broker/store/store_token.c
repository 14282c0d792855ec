// Vouchers taken: for which elements, so that a retry is evaluated again and nothing else is. A voucher is good in its
// epoch only, so the rows of past epochs go. Tokens have no rows: a stored intent is its token spent.
#include <string.h>

#include "store_internal.h"

static struct key key_issued(uint32_t epoch, const struct id *voucher)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u32(&writer, epoch);
	writer_bytes(&writer, voucher->bytes, ID_BYTES);
	key.count = writer_count(&writer);
	return key;
}

bool store_issued_find(struct store *store, uint32_t epoch, const struct id *voucher, struct id *elements)
{
	struct key key = key_issued(epoch, voucher);
	struct bytes value;
	if (!kv_get(store->kv, KV_ISSUED, key_bytes(&key), &value))
		return false;
	if (value.count != 1 + ID_BYTES || value.at[0] != ROW_VERSION) {
		store_damaged(store, KV_ISSUED);
		return false;
	}
	memcpy(elements->bytes, value.at + 1, ID_BYTES);
	return true;
}

void store_issued_put(struct store *store, uint32_t epoch, const struct id *voucher, const struct id *elements)
{
	struct key key = key_issued(epoch, voucher);
	uint8_t value[1 + ID_BYTES] = {ROW_VERSION};
	memcpy(value + 1, elements->bytes, ID_BYTES);
	kv_put(store->kv, KV_ISSUED, key_bytes(&key), (struct bytes){.at = value, .count = sizeof(value)});
}

size_t store_issued_trim(struct store *store, uint32_t before_epoch, size_t max)
{
	static const struct id none;
	struct key end = key_issued(before_epoch, &none);
	struct kv_cursor cursor;
	size_t removed = 0;
	for (bool on = kv_seek(store->kv, KV_ISSUED, kv_start, &cursor); on && removed < max; on = kv_next(&cursor)) {
		if (cursor.at_count != end.count || memcmp(cursor.at, end.bytes, end.count) >= 0)
			break;
		kv_del(store->kv, KV_ISSUED, (struct bytes){cursor.at, cursor.at_count});
		removed++;
	}
	kv_stop(&cursor);
	return removed;
}
