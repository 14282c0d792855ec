// The subscriptions, and which lists each is posted in. What is in a list is posting.h's, how it is searched
// index_match.c's. Not the definition of a match: that is filter.c's, and what postings cannot decide is put to it.
//
// A filter of two categories and one region makes two pairs; a maybe filter also stands in the lists by which coarser
// releases find it (index_internal.h). Nothing points from a filter to its postings, and a removal leaves them where
// they are: they carry a number of the index's own, which no longer has a name, and answers leave such out. When a
// third as many are dead as alive, all that lives is moved into a new pool, one list after the other: a few
// nanoseconds a posting instead of several cache misses, and nothing is ever fragmented.
#include "index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "index_internal.h"
#include "packed_filter.h"

// Fewer dead than this are left alone.
enum { DEAD_MIN = 256, DEAD_SHARE = 3 };

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
	free(index->places);
	free(index->names);
	free(index->filters);
	free(index->spots);
	free(index->runs.items);
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
	if (number >= index->place_room || index->places[number] == 0)
		return false;
	packed_filter_get(&index->pool, index->filters[index->places[number] - 1], filter);
	return true;
}

// ---- insert

static uint32_t room_beyond(uint32_t room, uint32_t number)
{
	room = room ? room : 64;
	while (room <= number)
		room = room > UINT32_MAX / 3 * 2 ? UINT32_MAX : room + room / 2;
	return room;
}

static void make_place(struct index *index, uint32_t number)
{
	if (number < index->place_room)
		return;
	uint32_t room = room_beyond(index->place_room, number);
	index->places = memory_resize(index->places, room, sizeof *index->places);
	memset(index->places + index->place_room, 0, (size_t)(room - index->place_room) * sizeof *index->places);
	index->place_room = room;
}

static uint32_t own_number(struct index *index)
{
	uint32_t own = index->own_count;
	if (index->spare != 0) {
		own = index->spare - 1;
		index->spare = index->filters[own];
		return own;
	}
	if (own >= index->own_room) {
		index->own_room = room_beyond(index->own_room, own);
		index->names = memory_resize(index->names, index->own_room, sizeof *index->names);
		index->filters = memory_resize(index->filters, index->own_room, sizeof *index->filters);
	}
	index->own_count++;
	return own;
}

// At a million subscriptions nearly every slot and block of a change is a cache miss. Asked for ahead and together,
// they come in the time of a few: first the slots and the heads of lists, then the blocks that those name.
static void fetch_slots(struct index *index)
{
	const struct keys *categories = &index->plan.categories, *regions = &index->plan.regions;
	const struct keys *above = &index->plan.above;
	uint32_t count = categories->count * regions->count, at = 0;
	for (uint32_t i = 0; i < above->count; i++)
		__builtin_prefetch(&index->above[above->items[i]]);
	pairs_reserve(&index->pairs, count);
	if (count > index->spot_room) {
		index->spot_room = room_beyond(index->spot_room, count);
		index->spots = memory_resize(index->spots, index->spot_room, sizeof *index->spots);
	}
	for (uint32_t j = 0; j < regions->count; j++)
		for (uint32_t i = 0; i < categories->count; i++)
			index->spots[at++] = pairs_spot(&index->pairs, categories->items[i], regions->items[j]);
}

static void fetch_lists(struct index *index, const struct runs *lists, const struct keys *categories)
{
	const struct keys *regions = &index->plan.regions;
	keys_reserve(&index->runs, index->runs.count + categories->count * regions->count);
	for (uint32_t j = 0; j < regions->count; j++)
		for (uint32_t i = 0; i < categories->count; i++)
			index->runs.items[index->runs.count++] =
			    runs_fetch(&lists[categories->items[i]], &index->pool, true, regions->items[j]);
}

static void fetch_pairs(struct index *index)
{
	const struct keys *categories = &index->plan.categories, *regions = &index->plan.regions;
	struct pair_spot *spot = index->spots;
	for (uint32_t j = 0; j < regions->count; j++)
		for (uint32_t i = 0; i < categories->count; i++)
			pairs_fetch_block(&index->pairs, &index->pool, categories->items[i], regions->items[j], spot++);
}

static void insert_pairs(struct index *index)
{
	const struct keys *categories = &index->plan.categories, *regions = &index->plan.regions;
	const struct pair_spot *spot = index->spots;
	for (uint32_t j = 0; j < regions->count; j++)
		for (uint32_t i = 0; i < categories->count; i++)
			pairs_insert(&index->pairs, &index->pool, categories->items[i], regions->items[j], &index->plan.posting,
			             *spot++);
}

// `at`: what fetch_lists noted. Returns its end.
static const uint32_t *insert_by_region(struct index *index, struct runs *lists, const struct keys *categories,
                                        const uint32_t *at)
{
	const struct keys *regions = &index->plan.regions;
	struct posting posting = index->plan.posting;
	for (uint32_t j = 0; j < regions->count; j++) {
		posting.region = regions->items[j];
		posting.before = j ? regions->items[j - 1] : 0;
		for (uint32_t i = 0; i < categories->count; i++)
			runs_insert(&lists[categories->items[i]], &index->pool, true, &posting, *at++);
	}
	return at;
}

static void insert_postings(struct index *index, bool exact)
{
	const struct plan *plan = &index->plan;
	bool by_category = !exact, by_region = !exact && plan->regions.items[0] != 0;
	index->runs.count = 0;
	if (by_category)
		fetch_lists(index, index->above, &plan->above);
	if (by_region)
		fetch_lists(index, index->inside, &plan->categories);
	fetch_pairs(index);
	const uint32_t *at = index->runs.items;
	if (by_category)
		at = insert_by_region(index, index->above, &plan->above, at);
	if (by_region)
		insert_by_region(index, index->inside, &plan->categories, at);
	insert_pairs(index);
}

void index_insert(struct index *index, uint32_t number, const struct filter *filter)
{
	assert(number != NAME_NONE);
	make_place(index, number);
	assert(index->places[number] == 0);
	plan_nodes(&index->plan, &index->trees, filter);
	fetch_slots(index);
	uint32_t own = own_number(index);
	plan_posting(&index->plan, &index->trees, own, filter);
	index->filters[own] = packed_filter_new(&index->pool, filter);
	index->names[own] = number;
	index->places[number] = own + 1;
	index->renamed |= own != number;
	index->count++;
	insert_postings(index, filter->exact);
}

// ---- remove

// With the last one everything goes.
static void clear(struct index *index)
{
	for (size_t key = 0; key < category_keys(index); key++) {
		runs_fini(&index->inside[key]);
		runs_fini(&index->above[key]);
	}
	pairs_fini(&index->pairs);
	pool_reset(&index->pool);
	index->own_count = index->spare = 0;
	index->dead = 0;
	index->renamed = false;
}

static void keep_filters(struct index *index, struct pool *to)
{
	index->spare = 0;
	index->renamed = false;
	while (index->own_count > 0 && index->names[index->own_count - 1] == NAME_NONE)
		index->own_count--;
	for (uint32_t own = index->own_count; own-- > 0;) {
		if (index->names[own] == NAME_NONE) {
			index->filters[own] = index->spare;
			index->spare = own + 1;
			continue;
		}
		index->filters[own] = packed_filter_move(&index->pool, to, index->filters[own]);
		index->renamed |= index->names[own] != own;
	}
}

static uint64_t *find_living(const struct index *index)
{
	enum { WORD_BITS = 64 };
	uint64_t *alive = memory_zeroed(index->own_count / WORD_BITS + 1, sizeof *alive);
	for (uint32_t own = 0; own < index->own_count;) {
		uint32_t left = index->own_count - own, count = left < WORD_BITS ? left : WORD_BITS;
		uint64_t word = 0;
		for (uint32_t i = 0; i < count; i++)
			word |= (uint64_t)(index->names[own + i] != NAME_NONE) << i;
		alive[own / WORD_BITS] = word;
		own += count;
	}
	return alive;
}

static void keep_living(struct index *index)
{
	struct pool to = {0};
	uint64_t *alive = find_living(index);
	pairs_keep(&index->pairs, &index->pool, &to, alive);
	for (size_t key = 0; key < category_keys(index); key++) {
		runs_keep(&index->inside[key], &index->pool, &to, true, alive);
		runs_keep(&index->above[key], &index->pool, &to, true, alive);
	}
	keep_filters(index, &to);
	pool_reset(&index->pool);
	index->pool = to;
	index->dead = 0;
	free(alive);
}

void index_remove(struct index *index, uint32_t number)
{
	assert(number < index->place_room && index->places[number] != 0);
	index->names[index->places[number] - 1] = NAME_NONE;
	index->places[number] = 0;
	index->renamed = true;
	index->count--;
	index->dead++;
	if (index->count == 0)
		clear(index);
	else if (index->dead > DEAD_MIN && index->dead > index->count / DEAD_SHARE)
		keep_living(index);
}
