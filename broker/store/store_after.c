// What comes after a deal: one row of facts, the messages that came lately, and a box that the customer reads. All of
// it by the deal's id, and gone with the deal.
#include <string.h>

#include "store_internal.h"

enum { HEAD_BYTES = 1 + 8 }; // version, at_ms

// ---- the row

static void after_fields(struct row *row, void *value)
{
	struct deal_after *after = value;
	row_id(row, &after->erase_hash);
	row_id(row, &after->erase_answer_hash);
	row_u64(row, &after->erase_asked_ms);
	row_u64(row, &after->erase_by_ms);
	row_u64(row, &after->erase_answered_ms);
	row_u8(row, &after->erase_result);
	row_u8(row, &after->erase_counted);
	row_id(row, &after->rate_hash);
	row_u8(row, &after->stars);
	row_u64(row, &after->box_next);
}

bool store_after_find(struct store *store, const struct id *deal, struct deal_after *out)
{
	*out = (struct deal_after){.deal = *deal, .box_next = 1};
	return store_row_find(store, KV_AFTER, deal, after_fields, out);
}

void store_after_put(struct store *store, const struct deal_after *after)
{
	struct deal_after copy = *after;
	store_row_put(store, KV_AFTER, &after->deal, after_fields, &copy, ROW_BYTES_MAX);
}

// ---- messages that came lately

static void word_fields(struct row *row, void *value)
{
	struct deal_word *word = value;
	row_u64(row, &word->at_ms);
	row_u64(row, &word->box_seq);
}

bool store_word_find(struct store *store, const struct id *deal, const struct id *hash, struct deal_word *out)
{
	struct key key = key_pair(deal, hash);
	struct bytes row;
	*out = (struct deal_word){.hash = *hash};
	if (!kv_get(store->kv, KV_WORD, key_bytes(&key), &row))
		return false;
	if (row_read(row, ROW_VERSION, word_fields, out))
		return true;
	store_damaged(store, KV_WORD);
	return false;
}

void store_word_put(struct store *store, const struct id *deal, const struct deal_word *word)
{
	struct key key = key_pair(deal, &word->hash);
	struct deal_word copy = *word;
	uint8_t buffer[ROW_BYTES_MAX];
	kv_put(store->kv, KV_WORD, key_bytes(&key), row_write(buffer, sizeof(buffer), ROW_VERSION, word_fields, &copy));
}

void store_word_delete(struct store *store, const struct id *deal, const struct id *hash)
{
	struct key key = key_pair(deal, hash);
	kv_del(store->kv, KV_WORD, key_bytes(&key));
}

void store_word_each(struct store *store, const struct id *deal,
                     bool (*each)(void *context, const struct deal_word *word), void *context)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_WORD, (struct bytes){deal->bytes, ID_BYTES}, &cursor);
	     on && bytes_start_with(cursor.key, deal->bytes, ID_BYTES); on = kv_next(&cursor)) {
		struct deal_word word = {0};
		if (cursor.key.count != 2 * ID_BYTES || !row_read(cursor.value, ROW_VERSION, word_fields, &word)) {
			store_damaged(store, KV_WORD);
			break;
		}
		memcpy(word.hash.bytes, cursor.key.at + ID_BYTES, ID_BYTES);
		if (!each(context, &word))
			break;
	}
	kv_stop(&cursor);
}

// ---- the box

uint64_t store_deal_box_append(struct store *store, struct deal_after *after, uint64_t at_ms, const void *item,
                               size_t item_bytes)
{
	if (item_bytes > KV_VALUE_BYTES_MAX - HEAD_BYTES)
		kv_fail(store->kv, ERR_TOO_LARGE);
	if (store->kv->error)
		return 0;
	uint8_t *row = arena_alloc(&store->arena, HEAD_BYTES + item_bytes);
	struct writer writer;
	writer_init(&writer, row, HEAD_BYTES + item_bytes);
	writer_u8(&writer, ROW_VERSION);
	writer_u64(&writer, at_ms);
	writer_bytes(&writer, item, item_bytes);
	struct key key = key_id_number(&after->deal, after->box_next);
	kv_put(store->kv, KV_DEAL_BOX, key_bytes(&key), (struct bytes){row, HEAD_BYTES + item_bytes});
	return after->box_next++;
}

bool store_deal_box_next(struct store *store, const struct id *deal, uint64_t seq_after, struct arena *arena,
                         uint64_t *seq, uint64_t *at_ms, struct bytes *item)
{
	if (seq_after == UINT64_MAX)
		return false;
	struct kv_cursor cursor;
	struct key from = key_id_number(deal, seq_after + 1);
	bool there = kv_seek(store->kv, KV_DEAL_BOX, key_bytes(&from), &cursor) &&
	             bytes_start_with(cursor.key, deal->bytes, ID_BYTES);
	if (there) {
		struct reader key, row;
		reader_init(&key, cursor.key.at, cursor.key.count);
		reader_view(&key, ID_BYTES);
		*seq = reader_u64(&key);
		reader_init(&row, cursor.value.at, cursor.value.count);
		bool known = reader_u8(&row) == ROW_VERSION;
		*at_ms = reader_u64(&row);
		there = known && !row.failed && !key.failed && reader_left(&key) == 0;
		if (there)
			*item = store_copy(arena, (struct bytes){row.at, reader_left(&row)});
		else
			store_damaged(store, KV_DEAL_BOX);
	}
	kv_stop(&cursor);
	return there;
}

void store_deal_box_remove(struct store *store, const struct id *deal, uint64_t seq)
{
	struct key key = key_id_number(deal, seq);
	kv_del(store->kv, KV_DEAL_BOX, key_bytes(&key));
}

// ---- the end

static void delete_under(struct store *store, enum kv_table table, const struct id *deal)
{
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, table, (struct bytes){deal->bytes, ID_BYTES}, &cursor);
	     on && bytes_start_with(cursor.key, deal->bytes, ID_BYTES); on = kv_next(&cursor))
		kv_del(store->kv, table, (struct bytes){cursor.at, cursor.at_count});
	kv_stop(&cursor);
}

void store_after_delete_all(struct store *store, const struct id *deal)
{
	kv_del(store->kv, KV_AFTER, (struct bytes){deal->bytes, ID_BYTES});
	delete_under(store, KV_WORD, deal);
	delete_under(store, KV_DEAL_BOX, deal);
}
