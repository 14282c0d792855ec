// What vendors were seen to do, and the broker's notices.
#include "store_internal.h"

// ---- standings

static void standing_fields(struct row *row, void *value)
{
	struct standing *standing = value;
	row_u32(row, &standing->offers);
	row_u32(row, &standing->accepted);
	row_u32(row, &standing->concluded);
	row_u32(row, &standing->lapsed_by_fault);
	row_u32(row, &standing->erasures_asked);
	row_u32(row, &standing->erasures_in_time);
	row_u32(row, &standing->erasures_late);
	row_u32(row, &standing->ratings);
	row_u32(row, &standing->stars);
	row_u32(row, &standing->ratings_published);
	row_u32(row, &standing->stars_published);
	row_u8(row, &standing->url_check);
	row_u64(row, &standing->url_checked_at_ms);
}

void store_standing_find(struct store *store, const struct id *vendor, struct standing *out)
{
	*out = (struct standing){.vendor = *vendor};
	store_row_find(store, KV_STANDING, vendor, standing_fields, out);
}

void store_standing_put(struct store *store, const struct standing *standing)
{
	struct standing copy = *standing;
	store_row_put(store, KV_STANDING, &standing->vendor, standing_fields, &copy, ROW_BYTES_MAX);
}

// ---- notices

static void notice_fields(struct row *row, void *value)
{
	row_bytes(row, value);
}

uint64_t store_notice_last(struct store *store)
{
	return store_number_last(store, KV_NOTICE);
}

void store_notice_append(struct store *store, uint64_t number, const void *bytes, size_t count)
{
	struct key key = key_number(number);
	struct bytes value = {bytes, count};
	uint8_t *buffer = arena_alloc(&store->arena, ROW_BYTES_MAX + count);
	kv_append(store->kv, KV_NOTICE, key_bytes(&key),
	          row_write(buffer, ROW_BYTES_MAX + count, ROW_VERSION, notice_fields, &value));
}

bool store_notice_get(struct store *store, uint64_t number, struct arena *arena, struct bytes *out)
{
	struct key key = key_number(number);
	struct bytes row;
	if (!kv_get(store->kv, KV_NOTICE, key_bytes(&key), &row))
		return false;
	if (!row_read(row, ROW_VERSION, notice_fields, out)) {
		store_damaged(store, KV_NOTICE);
		return false;
	}
	*out = store_copy(arena, *out);
	return true;
}
