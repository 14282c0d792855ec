// Pre-order numbers make "at this node or below it" one run of bytes.
#include "sieve.h"

#include <stdlib.h>
#include <string.h>

static void set_below(uint8_t *passes, const struct tree *tree, uint32_t node, uint8_t value)
{
	memset(passes + node, value, tree->last[node] - node + 1);
}

enum { CERTAIN = SIEVE_PASSES | SIEVE_CERTAIN };

static void fill(uint8_t *bytes, const struct tree *tree, const uint32_t *nodes, size_t count, bool exact)
{
	if (count == 0) {
		memset(bytes, CERTAIN, tree->count + 1);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		set_below(bytes, tree, nodes[i], CERTAIN);
		for (uint32_t up = tree->parent[nodes[i]]; !exact && up != TREE_NONE; up = tree->parent[up])
			bytes[up] |= SIEVE_PASSES;
	}
	bytes[tree->count] = exact ? 0 : SIEVE_PASSES;
}

// Below an excluded node: out. Above one, it may be of it or not: passes as uncertain. Unknown: the same, but for exact
// filters it is out.
static void take_out(uint8_t *bytes, const struct tree *tree, const struct filter *filter)
{
	for (size_t i = 0; i < filter->not_category_count; i++) {
		set_below(bytes, tree, filter->not_categories[i], 0);
		for (uint32_t up = tree->parent[filter->not_categories[i]]; up != TREE_NONE; up = tree->parent[up])
			bytes[up] &= SIEVE_PASSES;
		bytes[tree->count] &= filter->exact ? 0 : SIEVE_PASSES;
	}
}

// `any` as in proto/common.proto counts as no condition, but is rare enough to be left to filter_match.
static bool asks_nothing_else(const struct filter *filter)
{
	return !filter->has_budget && filter->currency == 0 && filter->needed_by_day == 0 && filter->condition == 0 &&
	       filter->quantity_min == 0 && filter->quantity_max == 0 && filter->fulfilment == 0 && filter->language == 0 &&
	       filter->terms_mask == 0 && filter->crowd_min == 0;
}

struct sieve *sieve_new(const struct filter *filter, const struct trees *trees)
{
	const struct tree *categories = trees->categories, *regions = trees->regions;
	struct sieve *sieve = calloc(1, sizeof *sieve + categories->count + regions->count + 2);
	if (!sieve)
		abort();
	uint8_t *by_category = sieve->bytes, *by_region = sieve->bytes + categories->count + 1;
	*sieve = (struct sieve){.category_count = categories->count,
	                        .region_count = regions->count,
	                        .complete = asks_nothing_else(filter),
	                        .categories = by_category,
	                        .regions = by_region};
	fill(by_category, categories, filter->categories, filter->category_count, filter->exact);
	fill(by_region, regions, filter->regions, filter->region_count, filter->exact);
	take_out(by_category, categories, filter);
	return sieve;
}

void sieve_free(struct sieve *sieve)
{
	free(sieve);
}
