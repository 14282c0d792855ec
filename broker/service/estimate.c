// A day's releases in a ring, and a count for each (top category, country).
#include "estimate.h"

#include <stdlib.h>

struct estimate_event {
	uint64_t at_ms;
	uint32_t cell;
};

static uint32_t *rank_tops(const struct tree *tree, uint32_t *count)
{
	uint32_t *ranks = calloc((size_t)tree->count + 1, sizeof *ranks);
	if (!ranks)
		abort();
	*count = 0;
	for (uint32_t node = 0; node < tree->count; node++)
		if (tree->parent[node] == TREE_NONE)
			ranks[node] = (*count)++;
	return ranks;
}

// Unknown nodes share a row or column of their own, the last.
static uint32_t rank_of(const struct tree *tree, const uint32_t *ranks, uint32_t count, uint32_t node)
{
	return node == TREE_NONE ? count : ranks[tree_climb(tree, node, 1)];
}

static uint32_t cell_of(const struct estimate *estimate, const struct trees *trees, const struct facets *facets)
{
	uint32_t row = rank_of(trees->categories, estimate->category_ranks, estimate->category_count, facets->category);
	uint32_t column = rank_of(trees->regions, estimate->region_ranks, estimate->country_count, facets->region);
	return row * (estimate->country_count + 1) + column;
}

void estimate_init(struct estimate *estimate, const struct trees *trees)
{
	*estimate = (struct estimate){0};
	estimate->category_ranks = rank_tops(trees->categories, &estimate->category_count);
	estimate->region_ranks = rank_tops(trees->regions, &estimate->country_count);
	estimate->counts =
	    calloc(((size_t)estimate->category_count + 1) * (estimate->country_count + 1), sizeof *estimate->counts);
	if (!estimate->counts)
		abort();
}

void estimate_fini(struct estimate *estimate)
{
	free(estimate->ring);
	free(estimate->counts);
	free(estimate->category_ranks);
	free(estimate->region_ranks);
	*estimate = (struct estimate){0};
}

static void grow(struct estimate *estimate)
{
	size_t room = estimate->room ? estimate->room * 2 : 256;
	struct estimate_event *ring = malloc(room * sizeof *ring);
	if (!ring)
		abort();
	for (size_t i = 0; i < estimate->count; i++)
		ring[i] = estimate->ring[(estimate->first + i) % estimate->room];
	free(estimate->ring);
	estimate->ring = ring;
	estimate->room = room;
	estimate->first = 0;
}

static void forget_old(struct estimate *estimate, uint64_t now_ms)
{
	while (estimate->count > estimate->unsure && estimate->ring[estimate->first].at_ms + DAY_MS <= now_ms) {
		estimate->counts[estimate->ring[estimate->first].cell]--;
		estimate->first = (estimate->first + 1) % estimate->room;
		estimate->count--;
	}
}

void estimate_add(struct estimate *estimate, const struct trees *trees, const struct facets *facets, uint64_t at_ms)
{
	forget_old(estimate, at_ms);
	if (estimate->count == estimate->room)
		grow(estimate);
	uint32_t cell = cell_of(estimate, trees, facets);
	estimate->ring[(estimate->first + estimate->count++) % estimate->room] =
	    (struct estimate_event){.at_ms = at_ms, .cell = cell};
	estimate->counts[cell]++;
	estimate->unsure++;
}

uint32_t estimate_of(struct estimate *estimate, const struct trees *trees, const struct facets *facets, uint64_t now_ms)
{
	forget_old(estimate, now_ms);
	return estimate->counts[cell_of(estimate, trees, facets)];
}

void estimate_commit(struct estimate *estimate)
{
	estimate->unsure = 0;
}

void estimate_abort(struct estimate *estimate)
{
	for (; estimate->unsure > 0; estimate->unsure--) {
		estimate->count--;
		estimate->counts[estimate->ring[(estimate->first + estimate->count) % estimate->room].cell]--;
	}
}
