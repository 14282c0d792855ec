// A filter boiled down to a few small numbers, and blocks of such postings laid out column by column, so that eight of
// them are compared at once. What a posting says "no" to does not match; what it cannot decide it says so of.
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
	uint32_t number;         // of the subscription
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

// A narrow block is sorted by number, a wide one by region, then number.
struct block {
	uint32_t at; // in the pool, 0 when the count is 0
	uint32_t count;
};
enum { BLOCK_POSTINGS_MAX = 128 };

// Columns of one block.
struct columns {
	uint32_t *number, *region, *before; // the latter two of wide blocks only
	int16_t *low, *high;
	uint16_t *terms, *traits, *excluded;
};
uint32_t block_bytes(bool wide, uint32_t count);
struct columns block_columns(const struct pool *pool, bool wide, struct block block);

// The first place whose key is not below (region, number); region is 0 for narrow blocks.
uint32_t block_find(const struct pool *pool, bool wide, struct block block, uint32_t region, uint32_t number);
// The block must have less than BLOCK_POSTINGS_MAX postings.
void block_insert(struct pool *pool, bool wide, struct block *block, uint32_t place, const struct posting *posting);
void block_remove(struct pool *pool, bool wide, struct block *block, uint32_t place);
// Moves all postings from `place` on into a new block.
struct block block_split(struct pool *pool, bool wide, struct block *block, uint32_t place);
// Appends all of `tail`, whose keys are higher, and frees it.
void block_join(struct pool *pool, bool wide, struct block *block, struct block tail);
// The same block in another pool.
struct block block_move(const struct pool *from, struct pool *to, bool wide, struct block block);

#endif
