// Answering a release: which stretches of which lists it looks at (index_internal.h says which and why), and the full
// check of what the postings could not decide. Reads the index only.
//
// Pairs are looked up in passes, each fetching ahead for the next, since at a million subscriptions nearly every slot
// and every block is a cache miss: marks, then the slots of those that have one, then all blocks found, then the
// comparisons.
#include <assert.h>
#include <stdlib.h>

#include "index_internal.h"
#include "packed_filter.h"
#include "posting_scan.h"

enum { FOUND_MAX = 64 };

struct match {
	const struct index *index;
	const struct match_header *header;
	struct index_hits *hits;
	struct question question;
	struct chain categories, regions;
};

void index_hits_fini(struct index_hits *hits)
{
	free(hits->items);
	*hits = (struct index_hits){0};
}

static void chain_of(struct chain *chain, const struct tree *tree, uint32_t node)
{
	chain->count = 0;
	for (; node != TREE_NONE; node = tree->parent[node]) {
		assert(chain->count < DEPTH_MAX);
		chain->keys[chain->count++] = node + 1;
	}
	chain->keys[chain->count++] = 0;
}

// ---- one stretch

// Puts the hits since `from` that need it to the whole filter.
static void check_hits(const struct match *match, size_t from)
{
	struct index_hits *hits = match->hits;
	size_t kept = from;
	for (size_t i = from; i < hits->count; i++) {
		struct index_hit hit = hits->items[i];
		if (hit.maybe & HIT_CHECK || match->question.odd) {
			struct filter filter;
			packed_filter_get(&match->index->pool, match->index->filters[hit.number], &filter);
			if (!filter_match(&filter, match->header, &match->index->trees, &hit.maybe, NULL))
				continue;
		}
		hits->items[kept++] = hit;
	}
	hits->count = kept;
}

static void try_stretch(const struct match *match, const struct stretch *stretch)
{
	size_t from = match->hits->count;
	if (posting_scan(&match->question, stretch, match->hits) || match->question.odd)
		check_hits(match, from);
}

// ---- pairs

struct found {
	const struct pair *pair;
	uint32_t depth; // of its category in the chain: so many nodes lie below it
};

static void try_block(const struct match *match, struct block block, uint32_t excludable)
{
	const struct stretch stretch = {.pool = &match->index->pool, .block = block, .excludable = excludable};
	try_stretch(match, &stretch);
}

static void try_long(const struct match *match, const struct runs *runs, uint32_t excludable)
{
	const struct pool *pool = &match->index->pool;
	for (uint32_t i = 0; i < runs->count; i++) {
		if (i + 1 < runs->count)
			block_fetch(pool, false, runs->items[i + 1].block);
		try_block(match, runs->items[i].block, excludable);
	}
}

static void try_found(const struct match *match, const struct found *found, uint32_t count)
{
	const struct index *index = match->index;
	for (uint32_t i = 0; i < count; i++) {
		const struct pair *pair = found[i].pair;
		if (pair_is_long(pair))
			try_long(match, &index->pairs.longs[pair->block.at], found[i].depth);
		else
			try_block(match, pair->block, found[i].depth);
	}
}

struct candidate {
	uint32_t hash;
	uint32_t category_place, region; // place in the chain, key
};

static void try_candidates(const struct match *match, const struct candidate *candidates, uint32_t count)
{
	const struct index *index = match->index;
	struct found found[FOUND_MAX];
	uint32_t found_count = 0;
	for (uint32_t i = 0; i < count; i++)
		pairs_fetch(&index->pairs, candidates[i].hash);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t depth = candidates[i].category_place, category = match->categories.keys[depth];
		const struct pair *pair = pairs_find(&index->pairs, candidates[i].hash, category, candidates[i].region);
		if (!pair)
			continue;
		if (!pair_is_long(pair))
			block_fetch(&index->pool, false, pair->block);
		found[found_count++] = (struct found){.pair = pair, .depth = depth};
	}
	try_found(match, found, found_count);
}

static void try_pairs(const struct match *match)
{
	const struct pairs *pairs = &match->index->pairs;
	const struct chain *categories = &match->categories, *regions = &match->regions;
	struct candidate candidates[FOUND_MAX];
	uint32_t count = 0;
	for (uint32_t i = 0; i < categories->count; i++) {
		for (uint32_t j = 0; j < regions->count; j++) {
			uint32_t hash = pairs_hash(categories->keys[i], regions->keys[j]);
			candidates[count] = (struct candidate){.hash = hash, .category_place = i, .region = regions->keys[j]};
			count += pairs_may_have(pairs, hash); // no branch: there is no telling
			if (count == FOUND_MAX) {
				try_candidates(match, candidates, count);
				count = 0;
			}
		}
	}
	try_candidates(match, candidates, count);
}

// ---- lists by region

// Postings with region keys from `first` to `last`. Of a filter with several there, only the lowest counts, so that it
// is found once.
static void try_regions(const struct match *match, const struct runs *runs, uint32_t first, uint32_t last,
                        uint32_t maybe, uint32_t excludable)
{
	const struct pool *pool = &match->index->pool;
	if (first > last)
		return;
	for (uint32_t i = runs_first(runs, first); i < runs->count && runs->items[i].region <= last; i++) {
		if (i + 1 < runs->count)
			block_fetch(pool, true, runs->items[i + 1].block);
		const struct stretch stretch = {
		    .pool = pool,
		    .block = runs->items[i].block,
		    .first = first,
		    .last = last,
		    .after = first - 1,
		    .maybe = maybe,
		    .excludable = excludable,
		    .wide = true,
		};
		try_stretch(match, &stretch);
	}
}

// A release at C is above what above[C] holds, so nothing excluded holds it; regions can be certain or not.
static void try_above(const struct match *match, uint32_t region_first, uint32_t region_last)
{
	const struct runs *above = &match->index->above[match->categories.keys[0]];
	for (uint32_t j = 0; j < match->regions.count; j++) {
		uint32_t region = match->regions.keys[j];
		try_regions(match, above, region, region, FACET_CATEGORY, 0);
	}
	try_regions(match, above, region_first, region_last, FACET_CATEGORY | FACET_REGION, 0);
}

// ---- the whole

// An unknown category lies above all others: every maybe filter may match it. It comes from feeds whose taxonomy has
// lost a node, never from a new post.
static void try_all(const struct match *match)
{
	const struct index *index = match->index;
	for (uint32_t number = 0; number < index->own_count; number++) {
		struct filter filter;
		uint32_t maybe;
		if (index->names[number] == NAME_NONE)
			continue;
		packed_filter_get(&index->pool, index->filters[number], &filter);
		if (filter_match(&filter, match->header, &index->trees, &maybe, NULL))
			index_hits_add(match->hits, (struct index_hit){.number = number, .maybe = maybe});
	}
}

// From the index's numbers to the caller's, without those that were removed.
static void name_hits(const struct index *index, struct index_hits *hits)
{
	size_t kept = 0;
	for (size_t i = 0; i < hits->count; i++) {
		struct index_hit hit = hits->items[i];
		hit.number = index->names[hit.number];
		hits->items[kept] = hit;
		kept += hit.number != NAME_NONE;
	}
	hits->count = kept;
}

static void try_lists(struct match *match)
{
	const struct index *index = match->index;
	const struct facets *facets = &match->header->facets;
	chain_of(&match->categories, index->trees.categories, facets->category);
	chain_of(&match->regions, index->trees.regions, facets->region);
	question_of(&match->question, match->header, &match->categories, index->trees.categories);
	try_pairs(match);
	uint32_t first = match->regions.keys[0] + 1, last = index->trees.regions->count;
	if (facets->region != TREE_NONE)
		last = index->trees.regions->last[facets->region] + 1;
	for (uint32_t i = 0; first <= last && i < match->categories.count; i++)
		try_regions(match, &index->inside[match->categories.keys[i]], first, last, FACET_REGION, i);
	if (index->above[match->categories.keys[0]].count > 0)
		try_above(match, first, last);
}

size_t index_match(const struct index *index, const struct match_header *header, struct index_hits *hits)
{
	struct match match;
	match.index = index;
	match.header = header;
	match.hits = hits;
	hits->count = 0;
	if (index->count == 0)
		return 0;
	if (header->facets.category == TREE_NONE)
		try_all(&match);
	else
		try_lists(&match);
	if (index->renamed)
		name_hits(index, hits);
	return hits->count;
}
