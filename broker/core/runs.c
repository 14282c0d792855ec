#include "runs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { JOIN_BELOW = BLOCK_POSTINGS_MAX / 4, JOINED_MAX = BLOCK_POSTINGS_MAX / 2 };

uint32_t runs_find(const struct runs *runs, uint32_t region, uint32_t number)
{
	uint32_t first = 0, count = runs->count;
	while (count > 1) { // the last run whose key is not above
		uint32_t half = count / 2;
		const struct run *run = &runs->items[first + half];
		bool above = run->region > region || (run->region == region && run->number > number);
		first += above ? 0 : half;
		count = above ? half : count - half;
	}
	return first;
}

static void open_run(struct runs *runs, uint32_t at, const struct run *run)
{
	if (runs->count == runs->room) {
		runs->room = runs->room ? runs->room + runs->room / 2 + 1 : 1;
		runs->items = memory_resize(runs->items, runs->room, sizeof *runs->items);
	}
	memmove(runs->items + at + 1, runs->items + at, (runs->count - at) * sizeof *runs->items);
	runs->items[at] = *run;
	runs->count++;
}

static void close_run(struct runs *runs, uint32_t at)
{
	runs->count--;
	memmove(runs->items + at, runs->items + at + 1, (runs->count - at) * sizeof *runs->items);
	if (runs->count == 0)
		runs_fini(runs);
	else if (runs->count < runs->room / 4) {
		runs->room = runs->room / 2;
		runs->items = memory_resize(runs->items, runs->room, sizeof *runs->items);
	}
}

// Numbers mostly come in ascending order: a full last run is then left full, not halved.
static void split_run(struct runs *runs, struct pool *pool, bool wide, uint32_t at, uint32_t place,
                      const struct posting *posting)
{
	struct run *run = &runs->items[at];
	uint32_t region = wide ? posting->region : 0;
	if (place == BLOCK_POSTINGS_MAX && at + 1 == runs->count) {
		struct run next = {.region = region, .number = posting->number};
		block_insert(pool, wide, &next.block, 0, posting);
		open_run(runs, at + 1, &next);
		return;
	}
	struct run tail = {.block = block_split(pool, wide, &run->block, BLOCK_POSTINGS_MAX / 2)};
	struct columns columns = block_columns(pool, wide, tail.block);
	tail.region = wide ? columns.region[0] : 0;
	tail.number = columns.number[0];
	if (place <= BLOCK_POSTINGS_MAX / 2)
		block_insert(pool, wide, &run->block, place, posting);
	else
		block_insert(pool, wide, &tail.block, place - BLOCK_POSTINGS_MAX / 2, posting);
	open_run(runs, at + 1, &tail);
}

void runs_insert(struct runs *runs, struct pool *pool, bool wide, const struct posting *posting)
{
	uint32_t region = wide ? posting->region : 0;
	if (runs->count == 0) {
		struct run first = {.region = region, .number = posting->number};
		block_insert(pool, wide, &first.block, 0, posting);
		open_run(runs, 0, &first);
		return;
	}
	uint32_t at = runs_find(runs, region, posting->number);
	struct run *run = &runs->items[at];
	uint32_t place = block_find(pool, wide, run->block, region, posting->number);
	if (at == 0 && place == 0) {
		run->region = region;
		run->number = posting->number;
	}
	if (run->block.count == BLOCK_POSTINGS_MAX)
		split_run(runs, pool, wide, at, place, posting);
	else
		block_insert(pool, wide, &run->block, place, posting);
}

static bool join_runs(struct runs *runs, struct pool *pool, bool wide, uint32_t at)
{
	if (at + 1 >= runs->count)
		return false;
	struct block tail = runs->items[at + 1].block;
	if (runs->items[at].block.count + tail.count > JOINED_MAX)
		return false;
	block_join(pool, wide, &runs->items[at].block, tail);
	close_run(runs, at + 1);
	return true;
}

void runs_remove(struct runs *runs, struct pool *pool, bool wide, uint32_t region, uint32_t number)
{
	assert(runs->count > 0);
	if (!wide)
		region = 0;
	uint32_t at = runs_find(runs, region, number);
	struct block *block = &runs->items[at].block;
	uint32_t place = block_find(pool, wide, *block, region, number);
	assert(place < block->count);
	struct columns columns = block_columns(pool, wide, *block);
	assert(columns.number[place] == number && (!wide || columns.region[place] == region));
	block_remove(pool, wide, block, place);
	if (block->count == 0)
		close_run(runs, at);
	else if (block->count < JOIN_BELOW && !join_runs(runs, pool, wide, at) && at > 0)
		join_runs(runs, pool, wide, at - 1);
}

void runs_fini(struct runs *runs)
{
	free(runs->items);
	*runs = (struct runs){0};
}
