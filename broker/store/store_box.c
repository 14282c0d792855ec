// A guardian's boxes, and the cells that home brokers push into them.
//
// Cells are most of what a guardian writes, and their boxes are scattered. So they are appended in the order they
// arrive, all boxes mixed; which box has which is kept in the service's memory. The key holds all that is needed to
// know it again at the start, so that opening reads no cell. It also holds a cell's first 40 bytes: the other 4056 and
// the version byte then fill one page, where a whole cell would take two.
#include <string.h>

#include "store_internal.h"

_Static_assert(sizeof(struct box) == 104, "box_fields lists every field of struct box");

enum { CELL_BODY_BYTES = BOX_CELL_BYTES - CELL_HEAD_BYTES, CELL_ROW_BYTES = 1 + CELL_BODY_BYTES };

static void box_fields(struct row *row, void *value)
{
	struct box *box = value;
	row_id(row, &box->id);
	row_raw(row, box->home, KEY_BYTES);
	row_u64(row, &box->account);
	row_u32(row, &box->keep_until_day);
	row_u64(row, &box->next);
	row_u64(row, &box->last_print);
}

void store_box_create(struct store *store, struct box *box)
{
	box->number = store_number_last(store, KV_BOX) + 1;
	store_box_put(store, box);
}

void store_box_put(struct store *store, const struct box *box)
{
	struct box copy = *box;
	store_numbered_put(store, KV_BOX, box->number, box_fields, &copy);
}

void store_box_delete(struct store *store, uint64_t number)
{
	struct key key = key_number(number);
	kv_del(store->kv, KV_BOX, key_bytes(&key));
}

void store_box_each(struct store *store, bool (*each)(void *context, const struct box *box), void *context)
{
	struct kv_cursor cursor;
	struct box box = {0};
	for (bool on = kv_seek(store->kv, KV_BOX, kv_start, &cursor);
	     on && store_numbered_read(store, KV_BOX, &cursor, box_fields, &box, &box.number); on = kv_next(&cursor))
		if (!each(context, &box))
			break;
	kv_stop(&cursor);
}

// ---- cells

static bool place_read(struct store *store, struct bytes key, struct cell_place *place)
{
	struct reader reader;
	reader_init(&reader, key.at, key.count);
	place->arrival = reader_u64(&reader);
	place->box = reader_u64(&reader);
	place->number = reader_u64(&reader);
	reader_bytes(&reader, place->head, CELL_HEAD_BYTES);
	if (!reader.failed && reader_left(&reader) == 0)
		return true;
	store_damaged(store, KV_CELL);
	return false;
}

uint64_t store_cell_append(struct store *store, uint64_t box, uint64_t number, const uint8_t cell[BOX_CELL_BYTES])
{
	struct cell_place place = {store_number_last(store, KV_CELL) + 1, box, number, {0}};
	uint8_t row[CELL_ROW_BYTES] = {ROW_VERSION};
	memcpy(place.head, cell, CELL_HEAD_BYTES);
	memcpy(row + 1, cell + CELL_HEAD_BYTES, CELL_BODY_BYTES);
	struct key key = key_cell(&place);
	kv_append(store->kv, KV_CELL, key_bytes(&key), (struct bytes){row, sizeof(row)});
	return place.arrival;
}

// Places the cursor on the cell that arrived as this one. The caller stops it if there is one.
static bool cell_seek(struct store *store, uint64_t arrival, struct kv_cursor *cursor)
{
	struct key prefix = key_number(arrival);
	if (!kv_seek(store->kv, KV_CELL, key_bytes(&prefix), cursor))
		return false;
	if (bytes_start_with(cursor->key, prefix.bytes, prefix.count))
		return true;
	kv_stop(cursor);
	return false;
}

uint8_t *store_cell_get(struct store *store, uint64_t arrival, struct arena *arena)
{
	struct kv_cursor cursor;
	struct cell_place place;
	uint8_t *cell = NULL;
	if (!cell_seek(store, arrival, &cursor))
		return NULL;
	if (place_read(store, cursor.key, &place)) {
		if (cursor.value.count == CELL_ROW_BYTES && cursor.value.at[0] == ROW_VERSION) {
			cell = arena_alloc(arena, BOX_CELL_BYTES);
			memcpy(cell, place.head, CELL_HEAD_BYTES);
			memcpy(cell + CELL_HEAD_BYTES, cursor.value.at + 1, CELL_BODY_BYTES);
		} else {
			store_damaged(store, KV_CELL);
		}
	}
	kv_stop(&cursor);
	return cell;
}

void store_cell_delete(struct store *store, uint64_t arrival)
{
	struct kv_cursor cursor;
	if (!cell_seek(store, arrival, &cursor))
		return;
	kv_del(store->kv, KV_CELL, (struct bytes){cursor.at, cursor.at_count});
	kv_stop(&cursor);
}

void store_cell_each(struct store *store, bool (*each)(void *context, const struct cell_place *place), void *context)
{
	struct kv_cursor cursor;
	struct cell_place place;
	for (bool on = kv_seek(store->kv, KV_CELL, kv_start, &cursor); on && place_read(store, cursor.key, &place);
	     on = kv_next(&cursor))
		if (!each(context, &place))
			break;
	kv_stop(&cursor);
}
