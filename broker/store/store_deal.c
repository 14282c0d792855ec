// Deals: one row each, by id, and a link from their intent.
#include "store_internal.h"

_Static_assert(sizeof(struct deal) == 344, "deal_fields lists every field of struct deal");

static void deal_fields(struct row *row, void *value)
{
	struct deal *deal = value;
	row_id(row, &deal->intent);
	row_id(row, &deal->offer);
	row_id(row, &deal->vendor);
	row_id(row, &deal->accept_hash);
	row_raw(row, deal->agreement_key, KEY_BYTES);
	row_raw(row, deal->signature_hash, HASH_BYTES);
	row_u8(row, &deal->state);
	row_u8(row, &deal->lapsed_from);
	row_u64(row, &deal->accepted_at_ms);
	row_u64(row, &deal->countersign_by_ms);
	row_u64(row, &deal->reveal_by_ms);
	row_u64(row, &deal->countersigned_at_ms);
	row_u64(row, &deal->revealed_at_ms);
	row_u64(row, &deal->ended_at_ms);
	row_id(row, &deal->countersign_hash);
	row_id(row, &deal->reveal_hash);
}

bool store_deal_find(struct store *store, const struct id *id, struct deal *out)
{
	*out = (struct deal){.id = *id};
	return store_row_find(store, KV_DEAL, id, deal_fields, out);
}

void store_deal_put(struct store *store, const struct deal *deal)
{
	struct deal copy = *deal;
	store_row_put(store, KV_DEAL, &deal->id, deal_fields, &copy, ROW_BYTES_MAX);
	store_link_put(store, &deal->intent, LINK_DEAL, &deal->id);
}

struct deal_each {
	bool (*each)(void *context, const struct deal *deal);
	void *context;
};

static bool deal_visit(struct store *store, const struct id *id, void *context)
{
	const struct deal_each *visit = context;
	struct deal deal;
	if (store_deal_find(store, id, &deal))
		return visit->each(visit->context, &deal);
	store_damaged(store, KV_DEAL); // a link leads nowhere
	return false;
}

void store_deal_each(struct store *store, const struct id *intent, bool (*each)(void *context, const struct deal *deal),
                     void *context)
{
	struct deal_each visit = {each, context};
	store_link_each(store, intent, LINK_DEAL, deal_visit, &visit);
}

void store_deal_unlink(struct store *store, const struct deal *deal)
{
	store_link_remove(store, &deal->intent, LINK_DEAL, &deal->id);
}

void store_deal_delete(struct store *store, const struct id *id)
{
	struct deal deal;
	if (!store_deal_find(store, id, &deal))
		return;
	store_deal_unlink(store, &deal);
	store_after_delete_all(store, id);
	kv_del(store->kv, KV_DEAL, (struct bytes){id->bytes, ID_BYTES});
}
