// Linear probing without tombstones: a removal moves later slots of the cluster back.
#include "pairs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 64 };

static uint32_t next_slot(const struct pairs *pairs, uint32_t slot)
{
	return slot + 1 == pairs->room ? 0 : slot + 1;
}

// Where the pair is, or the free slot where it would be.
static struct pair *slot_for(const struct pairs *pairs, uint32_t category, uint32_t region)
{
	uint32_t slot = pairs_home(pairs, category, region);
	for (;;) {
		struct pair *pair = &pairs->slots[slot];
		if (pair->block.count == 0 || (pair->category == category && pair->region == region))
			return pair;
		slot = next_slot(pairs, slot);
	}
}

static void rehash(struct pairs *pairs, uint32_t room)
{
	struct pair *old = pairs->slots;
	uint32_t old_room = pairs->room;
	pairs->slots = memory_zeroed(room, sizeof *pairs->slots);
	pairs->room = room;
	for (uint32_t slot = 0; slot < old_room; slot++)
		if (old[slot].block.count > 0)
			*slot_for(pairs, old[slot].category, old[slot].region) = old[slot];
	free(old);
}

// ---- long lists

static struct runs *long_new(struct pairs *pairs, uint32_t *number)
{
	if (pairs->long_free != 0) {
		*number = pairs->long_free - 1;
		pairs->long_free = pairs->longs[*number].count;
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

static void make_long(struct pairs *pairs, const struct pool *pool, struct pair *pair)
{
	uint32_t number, first = block_columns(pool, false, pair->block).number[0];
	struct runs *runs = long_new(pairs, &number);
	runs->items = memory_resize(NULL, 2, sizeof *runs->items);
	runs->items[0] = (struct run){.number = first, .block = pair->block};
	runs->room = 2;
	runs->count = 1;
	pair->block.at = number;
}

static void make_short(struct pairs *pairs, struct pool *pool, struct pair *pair)
{
	uint32_t number = pair->block.at;
	struct runs *runs = &pairs->longs[number];
	struct block whole = runs->items[0].block;
	for (uint32_t i = 1; i < runs->count; i++)
		block_join(pool, false, &whole, runs->items[i].block);
	runs_fini(runs);
	runs->count = pairs->long_free;
	pairs->long_free = number + 1;
	pair->block = whole;
}

// ---- insert and remove

void pairs_insert(struct pairs *pairs, struct pool *pool, uint32_t category, uint32_t region,
                  const struct posting *posting)
{
	if (pairs->room == 0)
		rehash(pairs, ROOM_MIN);
	struct pair *pair = slot_for(pairs, category, region);
	struct block *block = &pair->block;
	if (block->count == 0) {
		if (pairs->used >= pairs->room / 4 * 3) {
			assert(pairs->room < UINT32_MAX / 2);
			rehash(pairs, pairs->room + pairs->room / 2);
			pair = slot_for(pairs, category, region);
			block = &pair->block;
		}
		pairs->used++;
		pair->category = category;
		pair->region = region;
		block_insert(pool, false, block, 0, posting);
		return;
	}
	if (block->count < BLOCK_POSTINGS_MAX) {
		block_insert(pool, false, block, block_find(pool, false, *block, 0, posting->number), posting);
		return;
	}
	if (block->count == BLOCK_POSTINGS_MAX)
		make_long(pairs, pool, pair);
	runs_insert(&pairs->longs[block->at], pool, false, posting);
	block->count++;
}

static void close_slot(struct pairs *pairs, uint32_t hole)
{
	pairs->slots[hole] = (struct pair){0};
	pairs->used--;
	for (uint32_t slot = next_slot(pairs, hole); pairs->slots[slot].block.count > 0; slot = next_slot(pairs, slot)) {
		uint32_t home = pairs_home(pairs, pairs->slots[slot].category, pairs->slots[slot].region);
		// It may move back to the hole unless its home lies after the hole on the way to it.
		bool stays = hole <= slot ? hole < home && home <= slot : hole < home || home <= slot;
		if (stays)
			continue;
		pairs->slots[hole] = pairs->slots[slot];
		pairs->slots[slot] = (struct pair){0};
		hole = slot;
	}
	if (pairs->room > ROOM_MIN && pairs->used < pairs->room / 8)
		rehash(pairs, pairs->room / 4 > ROOM_MIN ? pairs->room / 4 : ROOM_MIN);
}

void pairs_remove(struct pairs *pairs, struct pool *pool, uint32_t category, uint32_t region, uint32_t number)
{
	assert(pairs->room > 0);
	struct pair *pair = slot_for(pairs, category, region);
	struct block *block = &pair->block;
	if (pair_is_long(pair)) {
		runs_remove(&pairs->longs[block->at], pool, false, 0, number);
		if (--block->count == BLOCK_POSTINGS_MAX)
			make_short(pairs, pool, pair);
		return;
	}
	assert(block->count > 0);
	uint32_t place = block_find(pool, false, *block, 0, number);
	assert(place < block->count && block_columns(pool, false, *block).number[place] == number);
	block_remove(pool, false, block, place);
	if (block->count == 0)
		close_slot(pairs, (uint32_t)(pair - pairs->slots));
}

void pairs_fini(struct pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->long_count; i++)
		free(pairs->longs[i].items);
	free(pairs->longs);
	free(pairs->slots);
	*pairs = (struct pairs){0};
}
