// A list of postings of any length by region: blocks one after the other, found by their lowest region; within a block
// there is no order. An insertion costs a binary search and one append, a full block is split.
#ifndef OYEZ_CORE_RUNS_H
#define OYEZ_CORE_RUNS_H

#include "posting.h"

struct run {
	uint32_t region;    // from here on, to below that of the next run; if that is the same: only this region
	struct block block; // never empty
};

struct runs {
	struct run *items;
	uint32_t count, room;
};

// `wide`: by region; without, all regions count as 0. The same in every call for one list. `at`: what runs_fetch said
// about the region; a guess, other insertions may have come between.
void runs_insert(struct runs *runs, struct pool *pool, bool wide, const struct posting *posting, uint32_t at);
// The first run that may hold the region or a higher one.
uint32_t runs_first(const struct runs *runs, uint32_t region);
// Asks ahead for what an insertion would touch, and says where that is.
uint32_t runs_fetch(const struct runs *runs, const struct pool *pool, bool wide, uint32_t region);
// Moves the postings of the living (block_keep) into another pool. Returns their count.
uint32_t runs_keep(struct runs *runs, struct pool *from, struct pool *to, bool wide, const uint64_t *alive);
// Frees the list of runs, not the blocks.
void runs_fini(struct runs *runs);

#endif
