// A filter boiled down to a few small numbers, and blocks of such postings, eight of which lie column by column so that
// they are compared at once. What a posting says "no" to does not match; what it cannot decide it says so of.
#ifndef OYEZ_CORE_POSTING_H
#define OYEZ_CORE_POSTING_H

#include <stdbool.h>

#include "filter.h"
#include "pool.h"

// Bits of `traits`. The low ten are the currency (ISO 4217 numbers are below 1,000), 0 = any.
enum {
	TRAIT_CURRENCY = 0x03ff,
	TRAIT_NOT_NEW = 1 << 10, // refuses condition "new"
	TRAIT_NOT_USED = 1 << 11,
	TRAIT_INEXACT = 1 << 12, // a budget end that 16 bits do not hold exactly
	TRAIT_EXACT = 1 << 13,   // an exact filter: refuses what is uncertain
	TRAIT_CHECK = 1 << 15,   // has conditions that only the whole filter can decide
};
enum { TERMS_ANY = 0xffff };

struct posting {
	uint32_t number;         // the index's for the subscription
	uint32_t region, before; // in wide blocks: key of its region; that of the filter's next lower region, or 0
	int16_t low, high;       // budget, see budget_key
	uint16_t terms;          // accepted, TERMS_ANY = all
	uint16_t traits;
	uint16_t excluded; // key of the excluded category, 0 = none
};

// Budgets as 16 bits in the order of the amounts: whole units exactly up to 4,096, then 12 significant bits.
// Never falls when the amount rises; *exact says whether equal keys mean equal amounts. INT16_MAX is never given.
int16_t budget_key(int64_t amount_e4, bool *exact);

// ---- blocks

// A bag of postings: appended to, and rebuilt without those that are gone.
struct block {
	uint32_t at; // in the pool, 0 when the count is 0
	uint32_t count;
};
enum { BLOCK_POSTINGS_MAX = 64, TILE_POSTINGS = 8 };

// Columns of one tile.
struct columns {
	uint32_t *number, *region, *before; // the latter two of wide blocks only
	int16_t *low, *high;
	uint16_t *terms, *traits, *excluded;
};

// Room for as many postings as the count rounded up to the next of a few sizes, so that the size needs no field.
extern const uint8_t BLOCK_ROOMS[BLOCK_POSTINGS_MAX + 1];

// A block is a row of tiles of TILE_POSTINGS, or one smaller tile. So a posting is appended to two or three cache
// lines, and a block grows by copying it as it is. Layout of a tile with room for r postings (offsets in bytes):
//   narrow  number 0   low 4r   high 6r   terms 8r   traits 10r   excluded 12r
//   wide    number 0   region 4r   before 8r   low 12r   high 14r   terms 16r   traits 18r   excluded 20r
enum { POSTING_NARROW_BYTES = 14, POSTING_WIDE_BYTES = 22 };

static inline uint32_t tile_room(uint32_t room)
{
	return room < TILE_POSTINGS ? room : TILE_POSTINGS;
}

static inline uint32_t tile_words(bool wide, uint32_t room)
{
	return (room * (wide ? POSTING_WIDE_BYTES : POSTING_NARROW_BYTES) + 3) / 4;
}

static inline struct columns tile_columns(uint32_t *words, bool wide, uint32_t room)
{
	uint16_t *halves = (uint16_t *)(words + (wide ? 3 * room : room));
	return (struct columns){
	    .number = words,
	    .region = wide ? words + room : words,
	    .before = wide ? words + 2 * room : words,
	    .low = (int16_t *)halves,
	    .high = (int16_t *)(halves + room),
	    .terms = halves + 2 * room,
	    .traits = halves + 3 * room,
	    .excluded = halves + 4 * room,
	};
}

// Asks for the block's memory ahead of its use: all of it, or what an append touches.
void block_fetch(const struct pool *pool, bool wide, struct block block);
void block_fetch_end(const struct pool *pool, bool wide, struct block block);

// The block must have less than BLOCK_POSTINGS_MAX postings.
void block_append(struct pool *pool, bool wide, struct block *block, const struct posting *posting);
void block_get(const struct pool *pool, bool wide, struct block block, uint32_t place, struct posting *posting);
void block_free(struct pool *pool, bool wide, struct block *block);
// Of a wide and full block: `regions` gets the region of each posting.
void block_regions(const struct pool *pool, struct block block, int32_t *regions);
// A wide and full block becomes two: *block keeps the postings below the region, so many, the rest is returned.
// Neither may be none.
struct block block_split(struct pool *pool, struct block *block, uint32_t region, uint32_t below);
// Appends all of `tail` and frees it.
void block_join(struct pool *pool, bool wide, struct block *block, struct block tail);
// Moves the living to another pool; the block itself is lost. `alive`: a bit for each number.
struct block block_keep(struct pool *from, struct pool *to, bool wide, struct block block, const uint64_t *alive);

static inline bool is_alive(const uint64_t *alive, uint32_t number)
{
	return alive[number / 64] >> number % 64 & 1;
}

#endif
