// Sizes of blocks and what changes them. The layout itself stands in posting.h.
#include "posting.h"

#include <assert.h>
#include <string.h>

enum { E4 = 10000, SIGNIFICANT_BITS = 12, EXPONENT_MAX = 30 };

const uint8_t BLOCK_ROOMS[BLOCK_POSTINGS_MAX + 1] = {
    0,  1,  2,  4,  4,  8,  8,  8,  8,  12, 12, 12, 12, 16, 16, 16, 16, 24, 24, 24, 24, 24,
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

static uint32_t words_for(bool wide, uint32_t room)
{
	return (room * (wide ? POSTING_WIDE_BYTES : POSTING_NARROW_BYTES) + 3) / 4;
}

// No branch depends on a key but the first: what is inserted mostly has the highest number so far.
uint32_t block_find(const struct pool *pool, bool wide, struct block block, uint32_t region, uint32_t number)
{
	const struct columns columns = block_columns(pool, wide, block);
	const uint32_t *numbers = columns.number, *regions = columns.region;
	uint32_t first = 0, count = block.count;
	if (count == 0 || (!wide && numbers[count - 1] < number))
		return count;
	while (count > 0) {
		uint32_t half = count / 2, middle = first + half;
		bool below = wide ? regions[middle] < region || (regions[middle] == region && numbers[middle] < number)
		                  : numbers[middle] < number;
		first = below ? middle + 1 : first;
		count = below ? count - half - 1 : half;
	}
	return first;
}

// Copies `count` postings; source and target may be the same block.
static void copy(bool wide, const struct columns *to, uint32_t to_place, const struct columns *from,
                 uint32_t from_place, uint32_t count)
{
	if (count == 0)
		return;
#define COPY(column) memmove(to->column + to_place, from->column + from_place, count * sizeof *to->column)
	COPY(number);
	if (wide) {
		COPY(region);
		COPY(before);
	}
	COPY(low);
	COPY(high);
	COPY(terms);
	COPY(traits);
	COPY(excluded);
#undef COPY
}

void block_insert(struct pool *pool, bool wide, struct block *block, uint32_t place, const struct posting *posting)
{
	uint32_t old_room = BLOCK_ROOMS[block->count], room = BLOCK_ROOMS[block->count + 1];
	uint32_t at = block->at;
	if (room != old_room)
		at = pool_take(pool, words_for(wide, room));
	struct columns to = block_columns_at(pool, wide, at, room);
	if (block->count > 0) {
		struct columns from = block_columns_at(pool, wide, block->at, old_room);
		copy(wide, &to, place + 1, &from, place, block->count - place);
		if (room != old_room) {
			copy(wide, &to, 0, &from, 0, place);
			pool_give(pool, block->at, words_for(wide, old_room));
		}
	}
	to.number[place] = posting->number;
	if (wide) {
		to.region[place] = posting->region;
		to.before[place] = posting->before;
	}
	to.low[place] = posting->low;
	to.high[place] = posting->high;
	to.terms[place] = posting->terms;
	to.traits[place] = posting->traits;
	to.excluded[place] = posting->excluded;
	*block = (struct block){.at = at, .count = block->count + 1};
}

// Into a block of its own when the count has another room.
static void resize(struct pool *pool, bool wide, struct block *block, uint32_t count)
{
	uint32_t old_room = BLOCK_ROOMS[block->count], room = BLOCK_ROOMS[count];
	uint32_t at = block->at;
	if (room != old_room) {
		at = room ? pool_take(pool, words_for(wide, room)) : 0;
		struct columns from = block_columns_at(pool, wide, block->at, old_room);
		struct columns to = block_columns_at(pool, wide, at, room);
		copy(wide, &to, 0, &from, 0, count < block->count ? count : block->count);
		pool_give(pool, block->at, words_for(wide, old_room));
	}
	*block = (struct block){.at = at, .count = count};
}

void block_remove(struct pool *pool, bool wide, struct block *block, uint32_t place)
{
	assert(place < block->count);
	struct columns columns = block_columns(pool, wide, *block);
	copy(wide, &columns, place, &columns, place + 1, block->count - place - 1);
	resize(pool, wide, block, block->count - 1);
}

struct block block_split(struct pool *pool, bool wide, struct block *block, uint32_t place)
{
	uint32_t count = block->count - place;
	struct block tail = {.at = pool_take(pool, words_for(wide, BLOCK_ROOMS[count])), .count = count};
	struct columns from = block_columns(pool, wide, *block), to = block_columns(pool, wide, tail);
	copy(wide, &to, 0, &from, place, count);
	resize(pool, wide, block, place);
	return tail;
}

void block_join(struct pool *pool, bool wide, struct block *block, struct block tail)
{
	uint32_t count = block->count;
	assert(count + tail.count <= BLOCK_POSTINGS_MAX);
	resize(pool, wide, block, count + tail.count);
	struct columns from = block_columns(pool, wide, tail), to = block_columns(pool, wide, *block);
	copy(wide, &to, count, &from, 0, tail.count);
	pool_give(pool, tail.at, words_for(wide, BLOCK_ROOMS[tail.count]));
}

struct block block_move(const struct pool *from, struct pool *to, bool wide, struct block block)
{
	uint32_t words = words_for(wide, BLOCK_ROOMS[block.count]);
	struct block moved = {.at = pool_take(to, words), .count = block.count};
	memcpy(pool_at(to, moved.at), pool_at(from, block.at), words * sizeof *from->words);
	return moved;
}
