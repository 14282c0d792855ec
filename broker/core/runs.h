// A list of postings of any length in the order of (region, number): blocks one after the other, found by their first
// keys. Short lists are one block; long ones cost a binary search and one block's shift for each change.
#ifndef OYEZ_CORE_RUNS_H
#define OYEZ_CORE_RUNS_H

#include "posting.h"

struct run {
	uint32_t region, number; // not above the first posting's key, above the last one's of the run before
	struct block block;      // never empty
};

struct runs {
	struct run *items;
	uint32_t count, room;
};

// `wide`: ordered by region first; without, all regions count as 0. The same in every call for one list.
void runs_insert(struct runs *runs, struct pool *pool, bool wide, const struct posting *posting);
// The posting must be there.
void runs_remove(struct runs *runs, struct pool *pool, bool wide, uint32_t region, uint32_t number);
// The run in which (region, number) is or would be; 0 when it comes before all.
uint32_t runs_find(const struct runs *runs, uint32_t region, uint32_t number);
// Frees the list of runs, not the blocks.
void runs_fini(struct runs *runs);

#endif
