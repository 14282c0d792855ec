// Sizes of blocks and what changes them. The layout itself stands in posting.h.
#include "posting.h"

#include <assert.h>
#include <string.h>

enum { E4 = 10000, SIGNIFICANT_BITS = 12, EXPONENT_MAX = 30 };

const uint8_t BLOCK_ROOMS[BLOCK_POSTINGS_MAX + 1] = {
    0,  1,  2,  4,  4,  8,  8,  8,  8,  16, 16, 16, 16, 16, 16, 16, 16, 24, 24, 24, 24, 24,
    24, 24, 24, 32, 32, 32, 32, 32, 32, 32, 32, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48,
    48, 48, 48, 48, 48, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};

int16_t budget_key(int64_t amount_e4, bool *exact)
{
	if (amount_e4 < 0) {
		*exact = false;
		return INT16_MIN;
	}
	uint64_t units = (uint64_t)amount_e4 / E4;
	unsigned exponent = 0;
	if (units >> SIGNIFICANT_BITS != 0)
		exponent = 64 - (unsigned)__builtin_clzll(units) - SIGNIFICANT_BITS;
	if (exponent > EXPONENT_MAX) {
		*exact = false;
		return INT16_MAX - 1;
	}
	uint32_t key = (exponent << (SIGNIFICANT_BITS - 1)) + (uint32_t)(units >> exponent);
	*exact = amount_e4 % E4 == 0 && units >> exponent << exponent == units;
	if (key > UINT16_MAX - 1) {
		*exact = false;
		key = UINT16_MAX - 1;
	}
	return (int16_t)((int32_t)key + INT16_MIN);
}

// ---- blocks

enum { CACHE_LINE_BYTES = 64 };

static inline uint32_t block_words(bool wide, uint32_t room)
{
	uint32_t tile = tile_room(room);
	return tile ? room / tile * tile_words(wide, tile) : 0;
}

// The tile of a posting, and in *place its place there.
static inline struct columns tile_of(const struct pool *pool, bool wide, uint32_t at, uint32_t room, uint32_t *place)
{
	uint32_t tile = tile_room(room), number = *place / TILE_POSTINGS;
	*place %= TILE_POSTINGS;
	return tile_columns((uint32_t *)pool_at(pool, at) + number * tile_words(wide, tile), wide, tile);
}

static inline void put(bool wide, const struct columns *to, uint32_t place, const struct posting *posting)
{
	to->number[place] = posting->number;
	if (wide) {
		to->region[place] = posting->region;
		to->before[place] = posting->before;
	}
	to->low[place] = posting->low;
	to->high[place] = posting->high;
	to->terms[place] = posting->terms;
	to->traits[place] = posting->traits;
	to->excluded[place] = posting->excluded;
}

static inline void get(bool wide, const struct columns *from, uint32_t place, struct posting *posting)
{
	*posting = (struct posting){
	    .number = from->number[place],
	    .region = wide ? from->region[place] : 0,
	    .before = wide ? from->before[place] : 0,
	    .low = from->low[place],
	    .high = from->high[place],
	    .terms = from->terms[place],
	    .traits = from->traits[place],
	    .excluded = from->excluded[place],
	};
}

static void fetch(const void *memory, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes; at += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)memory + at);
	__builtin_prefetch((const char *)memory + bytes - 1);
}

void block_fetch(const struct pool *pool, bool wide, struct block block)
{
	fetch(pool_at(pool, block.at), block_words(wide, BLOCK_ROOMS[block.count]) * (uint32_t)sizeof *pool->words);
}

void block_fetch_end(const struct pool *pool, bool wide, struct block block)
{
	uint32_t room = BLOCK_ROOMS[block.count];
	if (block.count == room) {
		block_fetch(pool, wide, block);
		return;
	}
	uint32_t words = tile_words(wide, tile_room(room));
	fetch(pool->words + block.at + block.count / TILE_POSTINGS * words, words * (uint32_t)sizeof *pool->words);
}

void block_get(const struct pool *pool, bool wide, struct block block, uint32_t place, struct posting *posting)
{
	struct columns columns = tile_of(pool, wide, block.at, BLOCK_ROOMS[block.count], &place);
	get(wide, &columns, place, posting);
}

// All that `from` has room for, of a tile into a larger one. With constant sizes each column is a move or two.
static inline __attribute__((always_inline)) void copy_tile(uint32_t *to_words, uint32_t to_room, uint32_t *from_words,
                                                            uint32_t from_room, bool wide)
{
	struct columns to = tile_columns(to_words, wide, to_room), from = tile_columns(from_words, wide, from_room);
	memcpy(to.number, from.number, from_room * sizeof *to.number);
	if (wide) {
		memcpy(to.region, from.region, from_room * sizeof *to.region);
		memcpy(to.before, from.before, from_room * sizeof *to.before);
	}
	memcpy(to.low, from.low, from_room * sizeof *to.low);
	memcpy(to.high, from.high, from_room * sizeof *to.high);
	memcpy(to.terms, from.terms, from_room * sizeof *to.terms);
	memcpy(to.traits, from.traits, from_room * sizeof *to.traits);
	memcpy(to.excluded, from.excluded, from_room * sizeof *to.excluded);
}

// To the next larger room. Returns where.
static inline __attribute__((always_inline)) uint32_t grow(struct pool *pool, bool wide, const struct block *block)
{
	uint32_t old_room = BLOCK_ROOMS[block->count], room = BLOCK_ROOMS[block->count + 1];
	uint32_t at = pool_take(pool, block_words(wide, room));
	if (old_room == 0)
		return at;
	uint32_t old_words = block_words(wide, old_room), *to = pool_at(pool, at), *from = pool_at(pool, block->at);
	if (old_room == 1)
		copy_tile(to, 2, from, 1, wide);
	else if (old_room == 2)
		copy_tile(to, 4, from, 2, wide);
	else if (old_room == 4)
		copy_tile(to, 8, from, 4, wide);
	else
		memcpy(to, from, old_words * sizeof *from);
	pool_give(pool, block->at, old_words);
	return at;
}

// The block has room.
static inline __attribute__((always_inline)) void put_last(struct pool *pool, bool wide, struct block *block,
                                                           const struct posting *posting)
{
	uint32_t place = block->count;
	struct columns columns = tile_of(pool, wide, block->at, BLOCK_ROOMS[place + 1], &place);
	put(wide, &columns, place, posting);
	block->count++;
}

static __attribute__((noinline)) void grow_narrow(struct pool *pool, struct block *block, const struct posting *posting)
{
	block->at = grow(pool, false, block);
	put_last(pool, false, block, posting);
}

static __attribute__((noinline)) void grow_wide(struct pool *pool, struct block *block, const struct posting *posting)
{
	block->at = grow(pool, true, block);
	put_last(pool, true, block, posting);
}

// Each way on its own, so that the shortest saves no registers for the longest.
void block_append(struct pool *pool, bool wide, struct block *block, const struct posting *posting)
{
	bool has_room = BLOCK_ROOMS[block->count + 1] == BLOCK_ROOMS[block->count];
	if (has_room && wide)
		put_last(pool, true, block, posting);
	else if (has_room)
		put_last(pool, false, block, posting);
	else if (wide)
		grow_wide(pool, block, posting);
	else
		grow_narrow(pool, block, posting);
}

enum { FULL_TILES = BLOCK_POSTINGS_MAX / TILE_POSTINGS };

void block_regions(const struct pool *pool, struct block block, int32_t *regions)
{
	uint32_t *words = pool_at(pool, block.at), tile_size = tile_words(true, TILE_POSTINGS);
	for (uint32_t tile = 0; tile < FULL_TILES; tile++)
		memcpy(regions + tile * TILE_POSTINGS, tile_columns(words + tile * tile_size, true, TILE_POSTINGS).region,
		       TILE_POSTINGS * sizeof *regions);
}

// Into the place of a block with whole tiles.
static inline __attribute__((always_inline)) void put_wide(uint32_t *words, uint32_t place,
                                                           const struct posting *posting)
{
	words += place / TILE_POSTINGS * tile_words(true, TILE_POSTINGS);
	struct columns columns = tile_columns(words, true, TILE_POSTINGS);
	put(true, &columns, place % TILE_POSTINGS, posting);
}

// From one whole tile to a block that may have less.
static void put_few(const struct pool *pool, struct block block, uint32_t *words)
{
	uint32_t room = BLOCK_ROOMS[block.count];
	struct columns from = tile_columns(words, true, TILE_POSTINGS);
	struct columns to = tile_columns(pool_at(pool, block.at), true, room);
	for (uint32_t i = 0; i < block.count; i++) {
		struct posting posting;
		get(true, &from, i, &posting);
		put(true, &to, i, &posting);
	}
}

struct block block_split(struct pool *pool, struct block *block, uint32_t region, uint32_t below)
{
	uint32_t few[TILE_POSTINGS * POSTING_WIDE_BYTES / sizeof(uint32_t)], low_count = 0;
	const uint32_t tile_size = tile_words(true, TILE_POSTINGS), high_count = BLOCK_POSTINGS_MAX - below;
	struct block low = {pool_take(pool, block_words(true, BLOCK_ROOMS[below])), below};
	struct block high = {pool_take(pool, block_words(true, BLOCK_ROOMS[high_count])), high_count};
	uint32_t *low_words = BLOCK_ROOMS[below] < TILE_POSTINGS ? few : pool_at(pool, low.at);
	uint32_t *high_words = BLOCK_ROOMS[high_count] < TILE_POSTINGS ? few : pool_at(pool, high.at);
	uint32_t *words = pool_at(pool, block->at);
	for (uint32_t i = 0; i < BLOCK_POSTINGS_MAX; i++) {
		struct columns from = tile_columns(words + i / TILE_POSTINGS * tile_size, true, TILE_POSTINGS);
		struct posting posting;
		get(true, &from, i % TILE_POSTINGS, &posting);
		bool is_low = posting.region < region; // no branch: there is no telling
		put_wide(is_low ? low_words : high_words, is_low ? low_count : i - low_count, &posting);
		low_count += is_low;
	}
	if (low_words == few)
		put_few(pool, low, few);
	if (high_words == few)
		put_few(pool, high, few);
	pool_give(pool, block->at, block_words(true, BLOCK_POSTINGS_MAX));
	*block = low;
	return high;
}

void block_free(struct pool *pool, bool wide, struct block *block)
{
	if (block->count > 0)
		pool_give(pool, block->at, block_words(wide, BLOCK_ROOMS[block->count]));
	*block = (struct block){0};
}

void block_join(struct pool *pool, bool wide, struct block *block, struct block tail)
{
	assert(block->count + tail.count <= BLOCK_POSTINGS_MAX);
	for (uint32_t i = 0; i < tail.count; i++) {
		struct posting posting;
		block_get(pool, wide, tail, i, &posting);
		block_append(pool, wide, block, &posting);
	}
	block_free(pool, wide, &tail);
}

// Within the block, the living first. Returns their count.
static inline __attribute__((always_inline)) uint32_t close_ranks(uint32_t *words, bool wide, uint32_t room,
                                                                  uint32_t count, const uint64_t *alive)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct columns from = tile_columns(words + i / room * tile_words(wide, room), wide, room);
		struct columns to = tile_columns(words + kept / room * tile_words(wide, room), wide, room);
		struct posting posting;
		get(wide, &from, i % room, &posting);
		put(wide, &to, kept % room, &posting);
		kept += is_alive(alive, posting.number);
	}
	return kept;
}

static bool all_alive(const uint32_t *words, bool wide, uint32_t room, uint32_t count, const uint64_t *alive)
{
	bool all = true;
	for (uint32_t i = 0; i < count; i++)
		all &= is_alive(alive, words[i / room * tile_words(wide, room) + i % room]);
	return all;
}

static uint32_t keep_one(uint32_t *words, bool wide, uint32_t count, const uint64_t *alive)
{
	uint32_t room = BLOCK_ROOMS[count];
	if (room >= TILE_POSTINGS) {
		if (all_alive(words, wide, TILE_POSTINGS, count, alive))
			return count;
		return wide ? close_ranks(words, true, TILE_POSTINGS, count, alive)
		            : close_ranks(words, false, TILE_POSTINGS, count, alive);
	}
	if (count == 1)
		return is_alive(alive, *words);
	return close_ranks(words, wide, room, count, alive);
}

struct block block_keep(struct pool *from, struct pool *to, bool wide, struct block block, const uint64_t *alive)
{
	uint32_t *words = pool_at(from, block.at);
	struct block kept = {.count = keep_one(words, wide, block.count, alive)};
	if (kept.count == 0)
		return kept;
	uint32_t old_room = tile_room(BLOCK_ROOMS[block.count]), room = BLOCK_ROOMS[kept.count];
	uint32_t needed = block_words(wide, room);
	kept.at = pool_take(to, needed);
	if (tile_room(room) == old_room) {
		memcpy(pool_at(to, kept.at), words, needed * sizeof *words);
		return kept;
	}
	struct columns old_tile = tile_columns(words, wide, old_room);
	struct columns tile = tile_columns(pool_at(to, kept.at), wide, room);
	for (uint32_t i = 0; i < kept.count; i++) {
		struct posting posting;
		get(wide, &old_tile, i, &posting);
		put(wide, &tile, i, &posting);
	}
	return kept;
}
