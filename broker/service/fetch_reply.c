// Answers to fetches as bytes. At a tick a thousand vendors may get the same few hundred releases, so an item is
// encoded once (it lies in the tail, equal for everybody but for `pair` and `maybe`), an answer is put together by
// copying items, and an answer equal to one of the last is not put together at all: it has several owners
// (shared_bytes.h).
//
// Written by hand because protobuf-c knows no items that are encoded already. The numbers are those of vendor.proto;
// test_service_feed reads every answer back with the decoder.
#include "internal.h"

#include <stdlib.h>

enum {
	TAG_REPLY_FETCH = 6 << 3 | 2,
	TAG_FETCH_ITEMS = 1 << 3 | 2,
	TAG_FETCH_SCANNED = 2 << 3 | 2,
	TAG_FETCH_MORE = 3 << 3,
	TAG_ITEM_PAIR = 1 << 3,
	TAG_ITEM_CURSOR = 2 << 3 | 2,
	TAG_ITEM_AT = 3 << 3,
	TAG_ITEM_RELEASE_ID = 4 << 3 | 2,
	TAG_ITEM_RELEASE = 5 << 3 | 2,
	TAG_ITEM_GONE = 6 << 3,
	TAG_ITEM_MAYBE = 7 << 3,
	TAG_RELEASE_ID = 1 << 3 | 2,
	ITEM_SMALL_BYTES_MAX = 2 + CURSOR_BYTES + 11 + 4 + 4 + 6, // all but the id's and the release's own bytes
	CACHE_PLACES = 32,
	CACHE_PICKS_MIN = 4, // less is made as fast as it is found
};
_Static_assert((int)OYEZ__REPLY__BODY_FETCH == TAG_REPLY_FETCH >> 3, "the number of Reply.fetch");

struct cached {
	uint64_t hash;
	uint64_t *key;
	size_t key_count;
	struct shared_bytes *reply;
};

struct fetch_cache {
	struct cached places[CACHE_PLACES];
	uint32_t next;
};

// ---- protobuf's numbers

static size_t varint_bytes(uint64_t value)
{
	size_t count = 1;
	while (value >>= 7)
		count++;
	return count;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

// ---- items

// Of a packed Release. Those in the feed were packed here, the id in front: found without taking the rest apart.
static bool release_id_in(struct service *service, struct bytes bytes, ProtobufCBinaryData *id)
{
	if (bytes.count > 2 + RELEASE_ID_BYTES && bytes.at[0] == TAG_RELEASE_ID && bytes.at[1] == RELEASE_ID_BYTES) {
		*id = wire_bytes(bytes.at + 2, RELEASE_ID_BYTES);
		return true;
	}
	Oyez__Release *release = wire_unpack(&service->arena, &oyez__release__descriptor, bytes.at, bytes.count);
	if (release)
		*id = release->release_id;
	return release != NULL;
}

// FeedItem's fields from `cursor` to `gone`; release_id and release may be empty.
static struct tail_item encode_item(struct service *service, uint64_t seq, uint64_t at_ms, ProtobufCBinaryData id,
                                    struct bytes release, enum _Oyez__GoneReason gone)
{
	size_t room = ITEM_SMALL_BYTES_MAX + id.len + release.count;
	uint8_t *bytes = arena_take(&service->arena, room), *at = bytes;
	*at++ = TAG_ITEM_CURSOR;
	*at++ = CURSOR_BYTES;
	cursor_encode(service, seq, at);
	at += CURSOR_BYTES;
	*at++ = TAG_ITEM_AT;
	at = put_varint(at, at_ms);
	*at++ = TAG_ITEM_RELEASE_ID;
	at = put_varint(at, id.len);
	memcpy(at, id.data, id.len);
	at += id.len;
	if (release.count) {
		*at++ = TAG_ITEM_RELEASE;
		at = put_varint(at, release.count);
		memcpy(at, release.at, release.count);
		at += release.count;
	}
	if (gone) {
		*at++ = TAG_ITEM_GONE;
		at = put_varint(at, gone);
	}
	assert((size_t)(at - bytes) <= room);
	return (struct tail_item){.bytes = bytes, .count = (uint32_t)(at - bytes)};
}

bool feed_item_encode(struct service *service, uint64_t seq, const struct match_header *header, struct bytes bytes,
                      struct tail_item *out)
{
	Oyez__Release *release;
	ProtobufCBinaryData id;
	uint64_t at_ms;
	if (header->kind == FEED_TOMBSTONE) {
		if (!feed_tombstone_read(service, bytes, &at_ms, &release))
			return false;
		*out = encode_item(service, seq, at_ms, release->release_id, (struct bytes){0},
		                   (enum _Oyez__GoneReason)header->gone_reason);
	} else {
		if (!release_id_in(service, bytes, &id))
			return false;
		*out = encode_item(service, seq, header->released_at_ms, id, bytes, OYEZ__GONE_REASON__GONE_UNKNOWN);
	}
	return true;
}

static size_t item_bytes(const struct pick *pick)
{
	return pick->item.count + (pick->pair ? 1 + varint_bytes(pick->pair) : 0) +
	       (pick->maybe ? 1 + varint_bytes(pick->maybe) : 0);
}

static uint8_t *put_item(uint8_t *at, const struct pick *pick)
{
	*at++ = TAG_FETCH_ITEMS;
	at = put_varint(at, item_bytes(pick));
	if (pick->pair) {
		*at++ = TAG_ITEM_PAIR;
		at = put_varint(at, pick->pair);
	}
	memcpy(at, pick->item.bytes, pick->item.count);
	at += pick->item.count;
	if (pick->maybe) {
		*at++ = TAG_ITEM_MAYBE;
		at = put_varint(at, pick->maybe);
	}
	return at;
}

static struct shared_bytes *encode(struct service *service, const struct pick *picks, size_t count,
                                   const struct fetch_pair *pairs, size_t pair_count, bool more)
{
	size_t bytes = pair_count * (2 + CURSOR_BYTES) + (more ? 2 : 0);
	for (size_t i = 0; i < count; i++) {
		size_t item = item_bytes(&picks[i]);
		bytes += 1 + varint_bytes(item) + item;
	}
	struct shared_bytes *reply = shared_bytes_new(1 + varint_bytes(bytes) + bytes);
	uint8_t *at = reply->bytes;
	*at++ = TAG_REPLY_FETCH;
	at = put_varint(at, bytes);
	for (size_t i = 0; i < count; i++)
		at = put_item(at, &picks[i]);
	for (size_t i = 0; i < pair_count; i++) {
		*at++ = TAG_FETCH_SCANNED;
		*at++ = CURSOR_BYTES;
		cursor_encode(service, pairs[i].after, at);
		at += CURSOR_BYTES;
	}
	if (more) {
		*at++ = TAG_FETCH_MORE;
		*at++ = 1;
	}
	assert((size_t)(at - reply->bytes) == reply->count);
	return reply;
}

// ---- the last answers

// Everything an answer to one pair depends on. Positions name records, and a record's item never changes.
static uint64_t *key_of(struct service *service, const struct pick *picks, size_t count, const struct fetch_pair *pair,
                        bool more, size_t *key_count)
{
	uint64_t *key = arena_take(&service->arena, (count * 2 + 2) * sizeof *key), *at = key;
	*at++ = pair->after;
	*at++ = more;
	for (size_t i = 0; i < count; i++) {
		*at++ = picks[i].seq;
		*at++ = picks[i].maybe;
	}
	*key_count = (size_t)(at - key);
	return key;
}

static uint64_t hash_of(const uint64_t *key, size_t count)
{
	uint64_t hash = count;
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
	return hash;
}

static void forget(struct cached *cached)
{
	free(cached->key);
	shared_bytes_drop(cached->reply);
	*cached = (struct cached){0};
}

static struct cached *cache_find(struct fetch_cache *cache, uint64_t hash, const uint64_t *key, size_t count)
{
	for (size_t i = 0; i < CACHE_PLACES; i++) {
		struct cached *cached = &cache->places[i];
		if (cached->reply && cached->hash == hash && cached->key_count == count &&
		    memcmp(cached->key, key, count * sizeof *key) == 0)
			return cached;
	}
	return NULL;
}

static struct cached *cache_take_place(struct fetch_cache *cache, uint64_t hash, const uint64_t *key, size_t count)
{
	struct cached *cached = &cache->places[cache->next++ % CACHE_PLACES];
	forget(cached);
	cached->hash = hash;
	cached->key = malloc(count * sizeof *key);
	if (!cached->key)
		abort();
	memcpy(cached->key, key, count * sizeof *key);
	cached->key_count = count;
	return cached;
}

void fetch_cache_free(struct fetch_cache *cache)
{
	for (size_t i = 0; cache && i < CACHE_PLACES; i++)
		forget(&cache->places[i]);
	free(cache);
}

void reply_fetch(struct service *service, uint64_t origin, const struct pick *picks, size_t count,
                 const struct fetch_pair *pairs, size_t pair_count, bool more)
{
	if (pair_count != 1 || count < CACHE_PICKS_MIN) {
		reply_shared(service, origin, encode(service, picks, count, pairs, pair_count, more));
		return;
	}
	if (!service->fetch_cache && !(service->fetch_cache = calloc(1, sizeof *service->fetch_cache)))
		abort();
	size_t key_count;
	const uint64_t *key = key_of(service, picks, count, pairs, more, &key_count);
	uint64_t hash = hash_of(key, key_count);
	struct cached *cached = cache_find(service->fetch_cache, hash, key, key_count);
	if (!cached) {
		cached = cache_take_place(service->fetch_cache, hash, key, key_count);
		cached->reply = encode(service, picks, count, pairs, pair_count, more);
	}
	reply_shared(service, origin, shared_bytes_hold(cached->reply));
}
