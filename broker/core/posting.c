// Blocks hold as many postings as their count rounded up to the next of a few sizes, so the size needs no field.
// Layout of a block with room for r postings (offsets in bytes):
//   narrow  number 0   low 4r   high 6r   terms 8r   traits 10r   excluded 12r
//   wide    number 0   region 4r   before 8r   low 12r   high 14r   terms 16r   traits 18r   excluded 20r
#include "posting.h"

#include <assert.h>
#include <string.h>

enum { E4 = 10000, SIGNIFICANT_BITS = 12, EXPONENT_MAX = 30, NARROW_BYTES = 14, WIDE_BYTES = 22 };

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

static uint32_t room_for(uint32_t count)
{
	static const uint8_t ROOMS[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128};
	if (count <= 4)
		return count;
	unsigned i = 4;
	while (ROOMS[i] < count)
		i++;
	return ROOMS[i];
}
_Static_assert(BLOCK_POSTINGS_MAX == 128, "the last of ROOMS");

static uint32_t words_for(bool wide, uint32_t room)
{
	return (room * (wide ? WIDE_BYTES : NARROW_BYTES) + 3) / 4;
}

static struct columns columns_at(const struct pool *pool, bool wide, uint32_t at, uint32_t room)
{
	uint32_t *words = pool_at(pool, at);
	uint16_t *small = (uint16_t *)(words + (wide ? 3 * room : room));
	return (struct columns){
	    .number = words,
	    .region = words + (wide ? room : 0),
	    .before = words + (wide ? 2 * room : 0),
	    .low = (int16_t *)small,
	    .high = (int16_t *)(small + room),
	    .terms = small + 2 * room,
	    .traits = small + 3 * room,
	    .excluded = small + 4 * room,
	};
}

uint32_t block_bytes(bool wide, uint32_t count)
{
	return room_for(count) * (wide ? WIDE_BYTES : NARROW_BYTES);
}

struct columns block_columns(const struct pool *pool, bool wide, struct block block)
{
	return columns_at(pool, wide, block.at, room_for(block.count));
}

uint32_t block_find(const struct pool *pool, bool wide, struct block block, uint32_t region, uint32_t number)
{
	struct columns columns = block_columns(pool, wide, block);
	uint32_t first = 0, count = block.count;
	while (count > 0) {
		uint32_t half = count / 2, middle = first + half;
		uint32_t its_region = wide ? columns.region[middle] : 0;
		if (its_region < region || (its_region == region && columns.number[middle] < number)) {
			first = middle + 1;
			count -= half + 1;
		} else {
			count = half;
		}
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
	uint32_t old_room = block->count ? room_for(block->count) : 0, room = room_for(block->count + 1);
	uint32_t at = block->at;
	if (room != old_room)
		at = pool_take(pool, words_for(wide, room));
	struct columns to = columns_at(pool, wide, at, room);
	if (block->count > 0) {
		struct columns from = columns_at(pool, wide, block->at, old_room);
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
	uint32_t old_room = room_for(block->count), room = count ? room_for(count) : 0;
	uint32_t at = block->at;
	if (room != old_room) {
		at = room ? pool_take(pool, words_for(wide, room)) : 0;
		struct columns from = columns_at(pool, wide, block->at, old_room);
		struct columns to = columns_at(pool, wide, at, room);
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
	struct block tail = {.at = pool_take(pool, words_for(wide, room_for(count))), .count = count};
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
	pool_give(pool, tail.at, words_for(wide, room_for(tail.count)));
}

struct block block_move(const struct pool *from, struct pool *to, bool wide, struct block block)
{
	uint32_t words = words_for(wide, room_for(block.count));
	struct block moved = {.at = pool_take(to, words), .count = block.count};
	memcpy(pool_at(to, moved.at), pool_at(from, block.at), words * sizeof *from->words);
	return moved;
}
