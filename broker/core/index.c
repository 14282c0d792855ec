// The subscriptions, and which lists each is posted in. What is in a list is posting.h's, how it is searched
// index_match.c's. Not the definition of a match: that is filter.c's, and what postings cannot decide is put to it.
//
// A filter of two categories and one region makes two pairs; a maybe filter also stands in the lists by which coarser
// releases find it (index_internal.h). Nothing points from a filter to its postings: they are made anew from the filter
// when it is removed, and found by its number, in whose order all lists are.
#include "index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "index_internal.h"
#include "packed_filter.h"

// A pool of which more than three quarters are free is packed anew, but not for less than this.
enum { REPACK_WORDS_MIN = 1 << 16 };

static size_t category_keys(const struct index *index)
{
	return (size_t)index->trees.categories->count + 1;
}

struct index *index_new(const struct trees *trees)
{
	struct index *index = memory_zeroed(1, sizeof *index);
	index->trees = *trees;
	index->inside = memory_zeroed(category_keys(index), sizeof *index->inside);
	index->above = memory_zeroed(category_keys(index), sizeof *index->above);
	index->category_counts = memory_zeroed(category_keys(index), sizeof *index->category_counts);
	index->region_counts = memory_zeroed((size_t)trees->regions->count + 1, sizeof *index->region_counts);
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	for (size_t key = 0; key < category_keys(index); key++) {
		runs_fini(&index->inside[key]);
		runs_fini(&index->above[key]);
	}
	free(index->inside);
	free(index->above);
	free(index->category_counts);
	free(index->region_counts);
	free(index->filters);
	pairs_fini(&index->pairs);
	plan_fini(&index->plan);
	pool_reset(&index->pool);
	free(index);
}

size_t index_count(const struct index *index)
{
	return index->count;
}

bool index_filter(const struct index *index, uint32_t number, struct filter *filter)
{
	if (number >= index->filter_room || index->filters[number] == 0)
		return false;
	packed_filter_get(&index->pool, index->filters[number], filter);
	return true;
}

// ---- insert

static void make_room(struct index *index, uint32_t number)
{
	if (number < index->filter_room)
		return;
	uint32_t room = index->filter_room ? index->filter_room : 64;
	while (room <= number)
		room = room > UINT32_MAX / 3 * 2 ? UINT32_MAX : room + room / 2;
	index->filters = memory_resize(index->filters, room, sizeof *index->filters);
	memset(index->filters + index->filter_room, 0, (size_t)(room - index->filter_room) * sizeof *index->filters);
	index->filter_room = room;
}

// At a million subscriptions nearly every slot and block of a change is a cache miss. Asked for ahead and together,
// they come in the time of a few.
static void fetch_lists(const struct index *index, const struct runs *lists, const struct keys *categories)
{
	const struct keys *regions = &index->plan.regions;
	uint32_t number = index->plan.posting.number;
	for (uint32_t i = 0; i < categories->count; i++) {
		const struct runs *runs = &lists[categories->items[i]];
		for (uint32_t j = 0; runs->count > 0 && j < regions->count; j++)
			block_fetch(&index->pool, true, runs->items[runs_find(runs, regions->items[j], number)].block);
	}
}

static void fetch_places(const struct index *index)
{
	const struct plan *plan = &index->plan;
	const struct pairs *pairs = &index->pairs;
	if (pairs->room == 0)
		return;
	for (uint32_t i = 0; i < plan->categories.count; i++)
		for (uint32_t j = 0; j < plan->regions.count; j++)
			__builtin_prefetch(&pairs->slots[pairs_home(pairs, plan->categories.items[i], plan->regions.items[j])]);
	fetch_lists(index, index->above, &plan->above);
	if (!(plan->posting.traits & TRAIT_EXACT))
		fetch_lists(index, index->inside, &plan->categories);
	for (uint32_t i = 0; i < plan->categories.count; i++) {
		for (uint32_t j = 0; j < plan->regions.count; j++) {
			const struct pair *pair = pairs_find(pairs, plan->categories.items[i], plan->regions.items[j]);
			if (!pair)
				continue;
			if (!pair_is_long(pair)) {
				block_fetch(&index->pool, false, pair->block);
				continue;
			}
			const struct runs *runs = &pairs->longs[pair->block.at];
			block_fetch(&index->pool, false, runs->items[runs_find(runs, 0, plan->posting.number)].block);
		}
	}
}

static void insert_pairs(struct index *index)
{
	const struct plan *plan = &index->plan;
	for (uint32_t i = 0; i < plan->categories.count; i++) {
		for (uint32_t j = 0; j < plan->regions.count; j++) {
			uint32_t category = plan->categories.items[i], region = plan->regions.items[j];
			pairs_insert(&index->pairs, &index->pool, category, region, &plan->posting);
			index->category_counts[category]++;
			index->region_counts[region]++;
		}
	}
}

static void insert_by_region(struct index *index, struct runs *lists, const struct keys *categories)
{
	const struct keys *regions = &index->plan.regions;
	struct posting posting = index->plan.posting;
	for (uint32_t j = 0; j < regions->count; j++) {
		posting.region = regions->items[j];
		posting.before = j ? regions->items[j - 1] : 0;
		for (uint32_t i = 0; i < categories->count; i++)
			runs_insert(&lists[categories->items[i]], &index->pool, true, &posting);
	}
}

void index_insert(struct index *index, uint32_t number, const struct filter *filter)
{
	assert(number != UINT32_MAX);
	make_room(index, number);
	assert(index->filters[number] == 0);
	plan_make(&index->plan, &index->trees, number, filter);
	fetch_places(index);
	insert_pairs(index);
	if (!filter->exact) {
		insert_by_region(index, index->above, &index->plan.above);
		if (index->plan.regions.items[0] != 0)
			insert_by_region(index, index->inside, &index->plan.categories);
	}
	index->filters[number] = packed_filter_new(&index->pool, filter);
	index->count++;
}

// ---- remove

static void repack_runs(struct runs *runs, const struct pool *from, struct pool *to, bool wide)
{
	for (uint32_t i = 0; i < runs->count; i++)
		runs->items[i].block = block_move(from, to, wide, runs->items[i].block);
}

static void repack(struct index *index)
{
	struct pool to = {0};
	const struct pool *from = &index->pool;
	for (uint32_t slot = 0; slot < index->pairs.room; slot++) {
		struct pair *pair = &index->pairs.slots[slot];
		if (pair_is_long(pair))
			repack_runs(&index->pairs.longs[pair->block.at], from, &to, false);
		else if (pair->block.count > 0)
			pair->block = block_move(from, &to, false, pair->block);
	}
	for (size_t key = 0; key < category_keys(index); key++) {
		repack_runs(&index->inside[key], from, &to, true);
		repack_runs(&index->above[key], from, &to, true);
	}
	for (uint32_t number = 0; number < index->filter_room; number++)
		if (index->filters[number] != 0)
			index->filters[number] = packed_filter_move(from, &to, index->filters[number]);
	pool_reset(&index->pool);
	index->pool = to;
}

static void remove_pairs(struct index *index, uint32_t number)
{
	const struct plan *plan = &index->plan;
	for (uint32_t i = 0; i < plan->categories.count; i++) {
		for (uint32_t j = 0; j < plan->regions.count; j++) {
			uint32_t category = plan->categories.items[i], region = plan->regions.items[j];
			pairs_remove(&index->pairs, &index->pool, category, region, number);
			index->category_counts[category]--;
			index->region_counts[region]--;
		}
	}
}

static void remove_by_region(struct index *index, struct runs *lists, const struct keys *categories, uint32_t number)
{
	const struct keys *regions = &index->plan.regions;
	for (uint32_t j = 0; j < regions->count; j++)
		for (uint32_t i = 0; i < categories->count; i++)
			runs_remove(&lists[categories->items[i]], &index->pool, true, regions->items[j], number);
}

void index_remove(struct index *index, uint32_t number)
{
	struct filter filter;
	bool found = index_filter(index, number, &filter);
	assert(found);
	(void)found;
	plan_make(&index->plan, &index->trees, number, &filter);
	fetch_places(index);
	remove_pairs(index, number);
	if (!filter.exact) {
		remove_by_region(index, index->above, &index->plan.above, number);
		if (index->plan.regions.items[0] != 0)
			remove_by_region(index, index->inside, &index->plan.categories, number);
	}
	packed_filter_free(&index->pool, index->filters[number]);
	index->filters[number] = 0;
	index->count--;
	if (index->pool.free_words > REPACK_WORDS_MIN && index->pool.free_words > index->pool.used / 4 * 3)
		repack(index);
}
