// Vendors: their rows, with the signed listing as it came. Their inbox counter has a row of its own (store_inbox.c),
// so that an item does not rewrite a listing.
#include "store_internal.h"

_Static_assert(sizeof(struct vendor_facts) == 6, "vendor_fields lists every field of struct vendor_facts");

static void vendor_fields(struct row *row, void *value)
{
	struct vendor *vendor = value;
	row_raw(row, vendor->key, KEY_BYTES);
	row_u8(row, &vendor->status);
	row_u64(row, &vendor->registered_at_ms);
	row_u64(row, &vendor->listing_made_at_ms);
	row_u16(row, &vendor->facts.country);
	row_u16(row, &vendor->facts.terms_mask);
	row_u8(row, &vendor->facts.rating_band);
	row_bytes(row, &vendor->listing);
	row_bytes(row, &vendor->suspend_reason);
}

bool store_vendor_find(struct store *store, const struct id *id, struct arena *arena, struct vendor *out)
{
	*out = (struct vendor){.id = *id};
	if (!store_row_find(store, KV_VENDOR, id, vendor_fields, out))
		return false;
	out->listing = store_copy(arena, out->listing);
	out->suspend_reason = store_copy(arena, out->suspend_reason);
	out->inbox_next = store_inbox_end(store, id);
	return !store->kv->error;
}

void store_vendor_put(struct store *store, const struct vendor *vendor)
{
	struct vendor copy = *vendor;
	store_row_put(store, KV_VENDOR, &vendor->id, vendor_fields, &copy,
	              ROW_BYTES_MAX + vendor->listing.count + vendor->suspend_reason.count);
}

void store_vendor_each(struct store *store, bool (*each)(void *context, const struct vendor *vendor), void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_VENDOR, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct vendor vendor = {0};
		if (!store_key_id(store, KV_VENDOR, cursor.key, &vendor.id))
			break;
		if (!row_read(cursor.value, ROW_VERSION, vendor_fields, &vendor)) {
			store_damaged(store, KV_VENDOR);
			break;
		}
		vendor.listing = store_keep(store, KV_VENDOR, vendor.listing);
		vendor.suspend_reason = store_keep(store, KV_VENDOR, vendor.suspend_reason);
		vendor.inbox_next = store_inbox_end(store, &vendor.id);
		if (store->kv->error || !each(context, &vendor))
			break;
	}
	kv_stop(&cursor);
}
