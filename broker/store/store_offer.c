// Offers: one row each, by id, and a link from their intent.
#include "store_internal.h"

_Static_assert(sizeof(struct offer) == 160, "offer_fields lists every field of struct offer");

static void offer_fields(struct row *row, void *value)
{
	struct offer *offer = value;
	row_id(row, &offer->intent);
	row_id(row, &offer->vendor);
	row_id(row, &offer->record_hash);
	row_u8(row, &offer->state);
	row_u8(row, &offer->dropped);
	row_u64(row, &offer->made_at_ms);
	row_u64(row, &offer->expires_at_ms);
	row_u64(row, &offer->mailbox_seq);
}

bool store_offer_find(struct store *store, const struct id *id, struct offer *out)
{
	*out = (struct offer){.id = *id};
	return store_row_find(store, KV_OFFER, id, offer_fields, out);
}

void store_offer_put(struct store *store, const struct offer *offer)
{
	struct offer copy = *offer;
	store_row_put(store, KV_OFFER, &offer->id, offer_fields, &copy, ROW_BYTES_MAX);
	store_link_put(store, &offer->intent, LINK_OFFER, &offer->id);
}

struct offer_each {
	bool (*each)(void *context, const struct offer *offer);
	void *context;
};

static bool offer_visit(struct store *store, const struct id *id, void *context)
{
	const struct offer_each *visit = context;
	struct offer offer;
	if (store_offer_find(store, id, &offer))
		return visit->each(visit->context, &offer);
	store_damaged(store, KV_OFFER); // a link leads nowhere
	return false;
}

void store_offer_each(struct store *store, const struct id *intent,
                      bool (*each)(void *context, const struct offer *offer), void *context)
{
	struct offer_each visit = {each, context};
	store_link_each(store, intent, LINK_OFFER, offer_visit, &visit);
}

void store_offer_scan(struct store *store, bool (*each)(void *context, const struct offer *offer), void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_OFFER, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct offer offer = {0};
		if (!store_key_id(store, KV_OFFER, cursor.key, &offer.id))
			break;
		if (!row_read(cursor.value, ROW_VERSION, offer_fields, &offer)) {
			store_damaged(store, KV_OFFER);
			break;
		}
		if (!each(context, &offer))
			break;
	}
	kv_stop(&cursor);
}
