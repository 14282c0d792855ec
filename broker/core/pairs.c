// Linear probing. Pairs go only when many go: then the table is made anew.
#include "pairs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 64 };

static uint32_t next_slot(const struct pairs *pairs, uint32_t slot)
{
	return slot + 1 == pairs->room ? 0 : slot + 1;
}

// Where the pair is, or the free slot where it would be, looking from `slot` on.
static uint32_t slot_for(const struct pairs *pairs, uint32_t slot, uint32_t category, uint32_t region)
{
	for (;;) {
		const struct pair *pair = &pairs->slots[slot];
		if (pair->block.count == 0 || (pair->category == category && pair->region == region))
			return slot;
		slot = next_slot(pairs, slot);
	}
}

static void mark(struct pairs *pairs, uint32_t hash)
{
	uint64_t at = pairs_mark(pairs, hash);
	pairs->marks[at / MARK_BITS] |= (uint16_t)(1u << at % MARK_BITS);
}

static void rehash(struct pairs *pairs, uint32_t room)
{
	struct pair *old = pairs->slots;
	uint32_t old_room = pairs->room;
	free(pairs->marks);
	pairs->slots = memory_zeroed(room, sizeof *pairs->slots);
	pairs->marks = memory_zeroed(room, sizeof *pairs->marks);
	pairs->room = room;
	for (uint32_t slot = 0; slot < old_room; slot++) {
		if (old[slot].block.count == 0)
			continue;
		uint32_t hash = pairs_hash(old[slot].category, old[slot].region);
		pairs->slots[slot_for(pairs, pairs_home(pairs, hash), old[slot].category, old[slot].region)] = old[slot];
		mark(pairs, hash);
	}
	free(old);
}

// ---- long lists

static struct runs *long_new(struct pairs *pairs, uint32_t *number)
{
	if (pairs->long_free != 0) {
		*number = pairs->long_free - 1;
		pairs->long_free = pairs->longs[*number].room;
		pairs->longs[*number] = (struct runs){0};
		return &pairs->longs[*number];
	}
	if (pairs->long_count == pairs->long_room) {
		pairs->long_room = pairs->long_room ? pairs->long_room * 2 : 16;
		pairs->longs = memory_resize(pairs->longs, pairs->long_room, sizeof *pairs->longs);
	}
	*number = pairs->long_count++;
	pairs->longs[*number] = (struct runs){0};
	return &pairs->longs[*number];
}

static void make_long(struct pairs *pairs, struct pair *pair)
{
	uint32_t number;
	struct runs *runs = long_new(pairs, &number);
	runs->items = memory_resize(NULL, 2, sizeof *runs->items);
	runs->items[0] = (struct run){.block = pair->block};
	runs->room = 2;
	runs->count = 1;
	pair->block.at = number;
}

static void make_short(struct pairs *pairs, struct pool *pool, struct pair *pair)
{
	uint32_t number = pair->block.at;
	struct runs *runs = &pairs->longs[number];
	struct block whole = {0};
	for (uint32_t i = 0; i < runs->count; i++)
		block_join(pool, false, &whole, runs->items[i].block);
	runs_fini(runs);
	runs->room = pairs->long_free;
	pairs->long_free = number + 1;
	pair->block = whole;
}

// ---- insert and keep

void pairs_reserve(struct pairs *pairs, uint32_t count)
{
	uint32_t room = pairs->room ? pairs->room : ROOM_MIN;
	while (pairs->used + count > room / 4 * 3) {
		assert(room < UINT32_MAX / 2);
		room += room / 2;
	}
	if (room != pairs->room)
		rehash(pairs, room);
}

struct pair_spot pairs_spot(const struct pairs *pairs, uint32_t category, uint32_t region)
{
	uint32_t hash = pairs_hash(category, region);
	pairs_fetch(pairs, hash);
	return (struct pair_spot){.hash = hash, .slot = pairs_home(pairs, hash)};
}

void pairs_fetch_block(const struct pairs *pairs, const struct pool *pool, uint32_t category, uint32_t region,
                       struct pair_spot *spot)
{
	spot->slot = slot_for(pairs, spot->slot, category, region);
	const struct pair *pair = &pairs->slots[spot->slot];
	if (pair->block.count == 0)
		__builtin_prefetch(&pairs->marks[pairs_mark(pairs, spot->hash) / MARK_BITS]);
	else if (pair_is_long(pair))
		runs_fetch(&pairs->longs[pair->block.at], pool, false, 0);
	else
		block_fetch_end(pool, false, pair->block);
}

void pairs_insert(struct pairs *pairs, struct pool *pool, uint32_t category, uint32_t region,
                  const struct posting *posting, struct pair_spot spot)
{
	struct pair *pair = &pairs->slots[slot_for(pairs, spot.slot, category, region)];
	if (pair->block.count == 0) {
		pairs->used++;
		mark(pairs, spot.hash);
		pair->category = category;
		pair->region = region;
	}
	if (pair->block.count < BLOCK_POSTINGS_MAX) {
		block_append(pool, false, &pair->block, posting);
		return;
	}
	if (pair->block.count == BLOCK_POSTINGS_MAX)
		make_long(pairs, pair);
	struct runs *runs = &pairs->longs[pair->block.at];
	runs_insert(runs, pool, false, posting, runs->count - 1);
	pair->block.count++;
}

static void keep_pair(struct pairs *pairs, struct pair *pair, struct pool *from, struct pool *to, const uint64_t *alive)
{
	if (!pair_is_long(pair)) {
		pair->block = block_keep(from, to, false, pair->block, alive);
		return;
	}
	uint32_t count = runs_keep(&pairs->longs[pair->block.at], from, to, false, alive);
	if (count <= BLOCK_POSTINGS_MAX)
		make_short(pairs, to, pair);
	else
		pair->block.count = count;
}

void pairs_keep(struct pairs *pairs, struct pool *from, struct pool *to, const uint64_t *alive)
{
	enum { AHEAD = 16 };
	uint32_t before = pairs->used;
	pairs->used = 0;
	for (uint32_t slot = 0; slot < pairs->room; slot++) {
		if (slot + AHEAD < pairs->room && !pair_is_long(&pairs->slots[slot + AHEAD]))
			__builtin_prefetch(pool_at(from, pairs->slots[slot + AHEAD].block.at));
		struct pair *pair = &pairs->slots[slot];
		if (pair->block.count == 0)
			continue;
		keep_pair(pairs, pair, from, to, alive);
		pairs->used += pair->block.count > 0;
	}
	if (pairs->used == before)
		return;
	uint32_t room = pairs->room;
	if (pairs->used < room / 3)
		room = pairs->used * 2 > ROOM_MIN ? pairs->used * 2 : ROOM_MIN;
	rehash(pairs, room);
}

void pairs_fini(struct pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->long_count; i++)
		free(pairs->longs[i].items);
	free(pairs->longs);
	free(pairs->slots);
	free(pairs->marks);
	*pairs = (struct pairs){0};
}
