#include "runs.h"

#include <stdlib.h>
#include <string.h>

enum { JOINED_MAX = BLOCK_POSTINGS_MAX / 2 };

// The last run that begins at the region or before; 0 when all begin after it.
static uint32_t run_for(const struct runs *runs, uint32_t region)
{
	uint32_t first = 0, count = runs->count;
	while (count > 1) {
		uint32_t half = count / 2;
		bool above = runs->items[first + half].region > region;
		first += above ? 0 : half;
		count = above ? half : count - half;
	}
	return first;
}

uint32_t runs_first(const struct runs *runs, uint32_t region)
{
	if (runs->count == 0 || runs->items[0].region >= region)
		return 0;
	uint32_t at = run_for(runs, region - 1);
	bool next = at + 1 < runs->count && runs->items[at + 1].region == region;
	return next ? at + 1 : at;
}

// Without regions an insertion always goes to the last run.
uint32_t runs_fetch(const struct runs *runs, const struct pool *pool, bool wide, uint32_t region)
{
	if (runs->count == 0)
		return 0;
	uint32_t at = wide ? run_for(runs, region) : runs->count - 1;
	block_fetch_end(pool, wide, runs->items[at].block);
	return at;
}

static bool is_run_for(const struct runs *runs, uint32_t at, uint32_t region)
{
	return at < runs->count && runs->items[at].region <= region &&
	       (at + 1 == runs->count || runs->items[at + 1].region > region);
}

static struct block *open_run(struct runs *runs, uint32_t at, uint32_t region)
{
	if (runs->count == runs->room) {
		runs->room = runs->room ? runs->room + runs->room / 2 + 1 : 1;
		runs->items = memory_resize(runs->items, runs->room, sizeof *runs->items);
	}
	memmove(runs->items + at + 1, runs->items + at, (runs->count - at) * sizeof *runs->items);
	runs->items[at] = (struct run){.region = region};
	runs->count++;
	return &runs->items[at].block;
}

// ---- splitting

static uint32_t count_below(const int32_t *regions, int32_t region)
{
	int32_t below = 0;
	for (uint32_t i = 0; i < BLOCK_POSTINGS_MAX; i++)
		below += regions[i] < region;
	return (uint32_t)below;
}

// A region with about half of the postings below it, from a sample, and with at least one below if there is any such;
// otherwise the region that all of them have. *below gets how many.
static uint32_t middle_region(const int32_t *regions, uint32_t *below)
{
	enum { SAMPLE_STEP = 8, HALF = BLOCK_POSTINGS_MAX / 2 };
	uint32_t best_distance = HALF;
	int32_t best = 0;
	for (uint32_t i = 0; i < BLOCK_POSTINGS_MAX; i += SAMPLE_STEP) {
		uint32_t count = count_below(regions, regions[i]), distance = count < HALF ? HALF - count : count - HALF;
		if (distance < best_distance) {
			best = regions[i];
			*below = count;
			best_distance = distance;
		}
	}
	if (best_distance < HALF)
		return (uint32_t)best;
	for (uint32_t i = 0; i < BLOCK_POSTINGS_MAX; i++)
		best = regions[i] > best ? regions[i] : best;
	*below = count_below(regions, best);
	return (uint32_t)best;
}

// The full block's postings from the middle region on get a run of their own. False if they all have the same region.
static bool split_run(struct runs *runs, struct pool *pool, uint32_t at)
{
	int32_t regions[BLOCK_POSTINGS_MAX]; // keys are far below 2^31
	uint32_t below;
	block_regions(pool, runs->items[at].block, regions);
	uint32_t middle = middle_region(regions, &below);
	if (below == 0) {
		runs->items[at].region = middle;
		return false;
	}
	struct block high = block_split(pool, &runs->items[at].block, middle, below);
	*open_run(runs, at + 1, middle) = high;
	return true;
}

void runs_insert(struct runs *runs, struct pool *pool, bool wide, const struct posting *posting, uint32_t at)
{
	uint32_t region = wide ? posting->region : 0;
	if (!is_run_for(runs, at, region))
		at = run_for(runs, region);
	if (runs->count == 0 || region < runs->items[0].region) {
		// Before all others; into the first run if it may get a lower region.
		bool full = runs->count == 0 || runs->items[0].block.count == BLOCK_POSTINGS_MAX;
		bool fixed = runs->count > 1 && runs->items[1].region == runs->items[0].region;
		if (full || fixed)
			open_run(runs, 0, region);
		runs->items[0].region = region;
	} else if (runs->items[at].block.count == BLOCK_POSTINGS_MAX) {
		uint32_t from = runs->items[at].region;
		bool apart = wide && split_run(runs, pool, at);
		uint32_t middle = runs->items[apart ? at + 1 : at].region;
		if (apart)
			at += region >= middle;
		else if (region < middle)
			open_run(runs, at, from);
		else
			open_run(runs, ++at, region);
	}
	block_append(pool, wide, &runs->items[at].block, posting);
}

// ---- keeping what is left

static bool may_join(const struct runs *runs, uint32_t kept, uint32_t next, struct block block)
{
	if (kept == 0 || runs->items[kept - 1].block.count + block.count > JOINED_MAX)
		return false;
	return next == runs->count || runs->items[next].region != runs->items[next - 1].region;
}

uint32_t runs_keep(struct runs *runs, struct pool *from, struct pool *to, bool wide, const uint64_t *alive)
{
	uint32_t kept = 0, postings = 0;
	for (uint32_t i = 0; i < runs->count; i++) {
		if (i + 1 < runs->count)
			block_fetch(from, wide, runs->items[i + 1].block);
		struct block block = block_keep(from, to, wide, runs->items[i].block, alive);
		postings += block.count;
		if (block.count == 0)
			continue;
		if (may_join(runs, kept, i + 1, block))
			block_join(to, wide, &runs->items[kept - 1].block, block);
		else
			runs->items[kept++] = (struct run){.region = runs->items[i].region, .block = block};
	}
	runs->count = kept;
	if (kept == 0) {
		runs_fini(runs);
	} else if (kept < runs->room / 2) {
		runs->room = kept;
		runs->items = memory_resize(runs->items, kept, sizeof *runs->items);
	}
	return postings;
}

void runs_fini(struct runs *runs)
{
	free(runs->items);
	*runs = (struct runs){0};
}
