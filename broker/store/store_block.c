// The feed's match headers once more, fifty to a row: what scans read. A walk over the feed's own rows costs a step of
// a cursor and a cache miss for each record; here it runs along memory. Who changes a header goes through store_feed.c.
//
// Row: version | 15 zero bytes | 50 headers of 80 bytes, as they are in memory. That is 4016 bytes, so with LMDB's 16
// one page of its own, with headers aligned in it. Block n has the records 50 n + 1 to 50 n + 50.
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

enum {
	BLOCK_HEAD_BYTES = 16,
	BLOCK_BYTES = BLOCK_HEAD_BYTES + FEED_BLOCK_HEADERS * sizeof(struct match_header),
};
_Static_assert(BLOCK_BYTES <= 4096 - 16, "a block fits one page of LMDB");

static uint64_t block_of(uint64_t seq)
{
	return (seq - 1) / FEED_BLOCK_HEADERS;
}

// ---- writing

static bool block_empty(const struct feed_block *block)
{
	for (size_t i = 0; i < FEED_BLOCK_HEADERS; i++)
		if (block->headers[i].kind != 0)
			return false;
	return true;
}

static void block_put(struct store *store, struct feed_block *block)
{
	if (!block->dirty)
		return;
	block->dirty = false;
	struct key key = key_number(block->number);
	if (block_empty(block)) {
		kv_del(store->kv, KV_FEED_BLOCK, key_bytes(&key));
		return;
	}
	uint8_t row[BLOCK_BYTES] = {ROW_VERSION};
	memcpy(row + BLOCK_HEAD_BYTES, block->headers, sizeof(block->headers));
	kv_put(store->kv, KV_FEED_BLOCK, key_bytes(&key), (struct bytes){row, sizeof(row)});
}

static void block_load(struct store *store, struct feed_block *block, uint64_t number)
{
	struct key key = key_number(number);
	struct bytes row;
	block_put(store, block);
	block->number = number;
	block->loaded = true;
	memset(block->headers, 0, sizeof(block->headers));
	if (!kv_get(store->kv, KV_FEED_BLOCK, key_bytes(&key), &row))
		return;
	if (row.count != BLOCK_BYTES || row.at[0] != ROW_VERSION)
		store_damaged(store, KV_FEED_BLOCK);
	else
		memcpy(block->headers, row.at + BLOCK_HEAD_BYTES, sizeof(block->headers));
}

// The last block is appended to while older ones are changed, so each has its own place.
static struct feed_block *block_find(struct store *store, uint64_t number)
{
	struct feed_block *last = &store->block_last, *other = &store->block_other;
	if (last->loaded && last->number == number)
		return last;
	if (other->loaded && other->number == number)
		return other;
	struct feed_block *block = number == block_of(store->feed.last) ? last : other;
	block_load(store, block, number);
	return block;
}

void store_block_set(struct store *store, uint64_t seq, const struct match_header *header)
{
	struct feed_block *block = block_find(store, block_of(seq));
	block->headers[(seq - 1) % FEED_BLOCK_HEADERS] = header ? *header : (struct match_header){0};
	block->dirty = true;
}

void store_block_flush(struct store *store)
{
	block_put(store, &store->block_last);
	block_put(store, &store->block_other);
}

void store_block_forget(struct store *store)
{
	store->block_last.loaded = store->block_other.loaded = false;
	store->block_last.dirty = store->block_other.dirty = false;
}

// ---- reading as the writer

void store_feed_scan_headers(struct store *store, bool (*each)(void *context, const struct match_header *header),
                             void *context)
{
	struct kv_cursor cursor;
	bool on;
	store_block_flush(store);
	for (on = kv_seek(store->kv, KV_FEED_BLOCK, kv_start, &cursor); on; on = on && kv_next(&cursor)) {
		struct match_header headers[FEED_BLOCK_HEADERS];
		if (cursor.value.count != BLOCK_BYTES || cursor.value.at[0] != ROW_VERSION) {
			store_damaged(store, KV_FEED_BLOCK);
			break;
		}
		memcpy(headers, cursor.value.at + BLOCK_HEAD_BYTES, sizeof(headers));
		for (size_t i = 0; i < FEED_BLOCK_HEADERS && on; i++)
			on = headers[i].kind == 0 || each(context, &headers[i]);
	}
	kv_stop(&cursor);
}

// ---- reading beside the writer

static bool number_of(struct bytes key, uint64_t *number)
{
	struct reader reader;
	reader_init(&reader, key.at, key.count);
	*number = reader_u64(&reader);
	return !reader.failed && reader_left(&reader) == 0;
}

bool store_reads_beside(const struct store *store)
{
	return store->kv->ops->reads_beside;
}

struct store_reader *store_read_begin(struct store *store)
{
	struct bytes key, row;
	struct store_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		abort();
	if (!kv_read_begin(store->kv, &reader->kv)) {
		free(reader);
		return NULL;
	}
	if (store->kv->ops->read_seek(&reader->kv, KV_FEED, (struct bytes){0}, &key, &row) &&
	    !number_of(key, &reader->last))
		reader->last = 0; // the writer reports what is damaged
	return reader;
}

void store_read_end(struct store_reader *reader)
{
	kv_read_end(&reader->kv);
	free(reader);
}

uint64_t store_read_last(const struct store_reader *reader)
{
	return reader->last;
}

// The block with this number or the next one there is.
static bool seek_block(struct store_reader *reader, uint64_t wanted, struct bytes *row)
{
	const struct kv_ops *ops = reader->kv.kv->ops;
	struct bytes at;
	bool found;
	if (reader->placed && wanted == reader->number + 1) {
		found = ops->read_next(&reader->kv, &at, row);
	} else {
		struct key key = key_number(wanted);
		found = ops->read_seek(&reader->kv, KV_FEED_BLOCK, key_bytes(&key), &at, row);
	}
	reader->placed = found && number_of(at, &reader->number) && row->count == BLOCK_BYTES;
	return reader->placed;
}

size_t store_read_headers(struct store_reader *reader, uint64_t after, uint64_t *first,
                          const struct match_header **headers)
{
	struct bytes row;
	if (after >= reader->last || !seek_block(reader, block_of(after + 1), &row))
		return 0;
	uint64_t start = reader->number * FEED_BLOCK_HEADERS + 1;
	size_t skip = start <= after ? (size_t)(after + 1 - start) : 0, count = FEED_BLOCK_HEADERS;
	if (start > reader->last || skip >= count)
		return 0;
	if (start + count - 1 > reader->last)
		count = (size_t)(reader->last - start + 1);
	*first = start + skip;
	*headers = (const struct match_header *)(const void *)(row.at + BLOCK_HEAD_BYTES) + skip;
	return count - skip;
}

void store_read_warm(struct store_reader *reader, uint64_t seq)
{
	struct key key = key_number(seq);
	struct bytes row;
	if (!reader->kv.kv->ops->read_get(&reader->kv, KV_FEED, key_bytes(&key), &row))
		return;
	const volatile uint8_t *at = row.at;
	for (size_t i = 0; i < row.count; i += 4096)
		(void)at[i];
	if (row.count > 0)
		(void)at[row.count - 1];
}
