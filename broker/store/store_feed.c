// The feed: version | match header as it is in memory (80 bytes) | release bytes, by sequence number. A scan copies
// the header and unpacks nothing. Numbers are never given twice, even when everything was trimmed.
#include <string.h>

#include "store_internal.h"

// The header goes to disk and back in one copy, so its layout is the disk's: little-endian, no padding (README.md).
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "match headers are stored little-endian");
_Static_assert(sizeof(struct match_header) == 80 && offsetof(struct match_header, released_at_ms) == 56 &&
                   offsetof(struct match_header, release_seq) == 64 && offsetof(struct match_header, crowd) == 72 &&
                   offsetof(struct match_header, kind) == 76 && offsetof(struct match_header, gone_reason) == 77,
               "match headers are stored as they are");

enum { HEADER_BYTES = sizeof(struct match_header), HEAD_BYTES = 1 + HEADER_BYTES };
#define LAST_ROW "store.feed_last"

static void feed_put(struct store *store, uint64_t seq, const struct match_header *header, struct bytes release,
                     bool append)
{
	uint8_t *row = arena_take(&store->arena, HEAD_BYTES + release.count);
	row[0] = ROW_VERSION;
	memcpy(row + 1, header, HEADER_BYTES);
	if (release.count > 0)
		memcpy(row + HEAD_BYTES, release.at, release.count);
	struct key key = key_number(seq);
	struct bytes value = {row, HEAD_BYTES + release.count};
	if (append)
		kv_append(store->kv, KV_FEED, key_bytes(&key), value);
	else
		kv_put(store->kv, KV_FEED, key_bytes(&key), value);
	store_block_set(store, seq, header);
}

static bool feed_read(struct store *store, struct bytes row, struct match_header *header, struct bytes *release)
{
	if (row.count < HEAD_BYTES || row.at[0] != ROW_VERSION) {
		store_damaged(store, KV_FEED);
		return false;
	}
	memcpy(header, row.at + 1, HEADER_BYTES);
	*release = (struct bytes){row.at + HEAD_BYTES, row.count - HEAD_BYTES};
	return true;
}

static bool feed_read_seq(struct store *store, struct bytes key, uint64_t *seq)
{
	struct reader reader;
	reader_init(&reader, key.at, key.count);
	*seq = reader_u64(&reader);
	if (!reader.failed && reader_left(&reader) == 0)
		return true;
	store_damaged(store, KV_FEED);
	return false;
}

uint64_t store_feed_append(struct store *store, struct match_header *header, const void *release, size_t bytes)
{
	if (bytes > KV_VALUE_BYTES_MAX - HEAD_BYTES)
		kv_fail(store->kv, ERR_TOO_LARGE);
	if (store->kv->error)
		return 0;
	uint64_t seq = ++store->feed.last;
	if (header->kind == FEED_RELEASE)
		header->release_seq = seq;
	feed_put(store, seq, header, (struct bytes){release, bytes}, true);
	return seq;
}

uint64_t store_feed_last(struct store *store)
{
	return store->feed.last;
}

uint64_t store_feed_first(struct store *store)
{
	return store->feed.first;
}

bool store_feed_get(struct store *store, uint64_t seq, struct match_header *header, struct bytes *release)
{
	struct key key = key_number(seq);
	struct bytes row;
	if (!kv_get(store->kv, KV_FEED, key_bytes(&key), &row) || !feed_read(store, row, header, release))
		return false;
	*release = store_keep(store, KV_FEED, *release);
	return true;
}

void store_feed_purge(struct store *store, uint64_t seq, uint8_t gone_reason)
{
	struct match_header header;
	struct bytes release;
	if (!store_feed_get(store, seq, &header, &release))
		return;
	header.kind = FEED_PURGED;
	header.gone_reason = gone_reason;
	feed_put(store, seq, &header, (struct bytes){0}, false);
}

void store_feed_renumber(struct store *store, uint64_t seq, const struct match_header *header)
{
	struct match_header before;
	struct bytes release;
	if (store_feed_get(store, seq, &before, &release))
		feed_put(store, seq, header, release, false);
}

size_t store_feed_trim(struct store *store, uint64_t before_ms, size_t max)
{
	size_t count = 0;
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_FEED, kv_start, &cursor); on && count < max; on = kv_next(&cursor)) {
		struct match_header header;
		struct bytes release;
		uint64_t seq;
		if (!feed_read_seq(store, cursor.key, &seq) || !feed_read(store, cursor.value, &header, &release) ||
		    header.released_at_ms >= before_ms)
			break;
		kv_del(store->kv, KV_FEED, (struct bytes){cursor.at, cursor.at_count});
		store_block_set(store, seq, NULL);
		store->feed.first = seq + 1;
		count++;
	}
	kv_stop(&cursor);
	// With no record left the table cannot tell which number comes next.
	if (count > 0 && store->feed.first > store->feed.last) {
		struct key last = key_number(store->feed.last);
		store_meta_put(store, LAST_ROW, last.bytes, last.count);
	}
	return count;
}

void store_feed_scan(struct store *store, uint64_t after,
                     bool (*each)(void *context, uint64_t seq, const struct match_header *header, struct bytes release),
                     void *context)
{
	if (after == UINT64_MAX)
		return;
	struct key from = key_number(after + 1);
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_FEED, key_bytes(&from), &cursor); on; on = kv_next(&cursor)) {
		struct match_header header;
		struct bytes release;
		uint64_t seq;
		if (!feed_read_seq(store, cursor.key, &seq) || !feed_read(store, cursor.value, &header, &release) ||
		    !each(context, seq, &header, store_keep(store, KV_FEED, release)))
			break;
	}
	kv_stop(&cursor);
}

// A database written before there were blocks gets them when it is opened.
static void build_blocks(struct store *store)
{
	struct bytes key, row;
	struct kv_cursor cursor;
	if (kv_last(store->kv, KV_FEED_BLOCK, &key, &row))
		return;
	for (bool on = kv_seek(store->kv, KV_FEED, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct match_header header;
		struct bytes release;
		uint64_t seq;
		if (feed_read_seq(store, cursor.key, &seq) && feed_read(store, cursor.value, &header, &release))
			store_block_set(store, seq, &header);
	}
	kv_stop(&cursor);
	store_block_flush(store);
}

void store_feed_load(struct store *store)
{
	struct bytes key, row;
	struct kv_cursor cursor;
	store->feed = (struct feed_bounds){.first = 1, .last = 0};
	if (kv_last(store->kv, KV_FEED, &key, &row) && feed_read_seq(store, key, &store->feed.last) &&
	    kv_seek(store->kv, KV_FEED, kv_start, &cursor)) {
		feed_read_seq(store, cursor.key, &store->feed.first);
		kv_stop(&cursor);
		build_blocks(store);
	} else if (store_meta_get(store, LAST_ROW, &store->arena, &row) && feed_read_seq(store, row, &store->feed.last)) {
		store->feed.first = store->feed.last + 1;
	}
}
