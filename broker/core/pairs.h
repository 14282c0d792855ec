// (category, region) to the postings of the filters that want this pair: a hash table with the short lists' blocks in
// its slots. Keys are node numbers + 1, 0 for "any". Not here: which pairs a filter is posted under.
#ifndef OYEZ_CORE_PAIRS_H
#define OYEZ_CORE_PAIRS_H

#include "runs.h"

struct pair {
	uint32_t category, region;
	struct block block; // count 0: free slot. More than BLOCK_POSTINGS_MAX: `at` is a number of `longs`
};

struct pairs {
	struct pair *slots;
	uint16_t *marks; // bits for each slot, by more of the hash: what finds none set is not there
	uint32_t room, used;
	struct runs *longs; // free ones hang together by `room` as the next one's number + 1, items NULL, count 0
	uint32_t long_count, long_room, long_free;
};

// Where an insertion begins to look, so that what is found for fetching ahead is not searched for again.
struct pair_spot {
	uint32_t hash, slot;
};

// Room for so many new pairs: until they are in, spots stay good.
void pairs_reserve(struct pairs *pairs, uint32_t count);
// Two steps of asking ahead for what an insertion would touch: the slot, then, as that has come, what is behind it.
struct pair_spot pairs_spot(const struct pairs *pairs, uint32_t category, uint32_t region);
void pairs_fetch_block(const struct pairs *pairs, const struct pool *pool, uint32_t category, uint32_t region,
                       struct pair_spot *spot);
void pairs_insert(struct pairs *pairs, struct pool *pool, uint32_t category, uint32_t region,
                  const struct posting *posting, struct pair_spot spot);
// Moves the postings of the living (block_keep) into another pool and forgets pairs of which none is left.
void pairs_keep(struct pairs *pairs, struct pool *from, struct pool *to, const uint64_t *alive);
void pairs_fini(struct pairs *pairs);

static inline uint32_t pairs_hash(uint32_t category, uint32_t region)
{
	uint64_t key = (uint64_t)category << 32 | region;
	key *= UINT64_C(0x9e3779b97f4a7c15);
	key ^= key >> 32;
	key *= UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(key >> 32);
}

// The slot where the search for a pair begins.
static inline uint32_t pairs_home(const struct pairs *pairs, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * pairs->room >> 32);
}

static inline void pairs_fetch(const struct pairs *pairs, uint32_t hash)
{
	if (pairs->room > 0)
		__builtin_prefetch(&pairs->slots[pairs_home(pairs, hash)]);
}

enum { MARK_BITS = 16, MARK_BITS_LOG2 = 4 };

static inline uint64_t pairs_mark(const struct pairs *pairs, uint32_t hash)
{
	return (uint64_t)hash * pairs->room >> (32 - MARK_BITS_LOG2);
}

// False for nearly all pairs that are not there, without a look at the slots. There must be any room.
static inline bool pairs_may_have(const struct pairs *pairs, uint32_t hash)
{
	uint64_t mark = pairs_mark(pairs, hash);
	return pairs->marks[mark / MARK_BITS] >> mark % MARK_BITS & 1;
}

// NULL if nothing is posted there.
static inline const struct pair *pairs_find(const struct pairs *pairs, uint32_t hash, uint32_t category,
                                            uint32_t region)
{
	if (pairs->room == 0)
		return NULL;
	for (uint32_t slot = pairs_home(pairs, hash);; slot = slot + 1 == pairs->room ? 0 : slot + 1) {
		const struct pair *pair = &pairs->slots[slot];
		if (pair->block.count == 0)
			return NULL;
		if (pair->category == category && pair->region == region)
			return pair;
	}
}

static inline bool pair_is_long(const struct pair *pair)
{
	return pair->block.count > BLOCK_POSTINGS_MAX;
}

#endif
