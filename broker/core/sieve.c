// Pre-order numbers make "at this node or below it" one run of bytes.
#include "sieve.h"

#include <stdlib.h>
#include <string.h>

static void set_below(uint8_t *passes, const struct tree *tree, uint32_t node, uint8_t value)
{
	memset(passes + node, value, tree->last[node] - node + 1);
}

static void fill(uint8_t *passes, const struct tree *tree, const uint32_t *nodes, size_t count, bool exact)
{
	if (count == 0) {
		memset(passes, 1, tree->count + 1);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		set_below(passes, tree, nodes[i], 1);
		for (uint32_t up = tree->parent[nodes[i]]; !exact && up != TREE_NONE; up = tree->parent[up])
			passes[up] = 1;
	}
	passes[tree->count] = !exact;
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
	                        .categories = by_category,
	                        .regions = by_region};
	fill(by_category, categories, filter->categories, filter->category_count, filter->exact);
	fill(by_region, regions, filter->regions, filter->region_count, filter->exact);
	for (size_t i = 0; i < filter->not_category_count; i++)
		set_below(by_category, categories, filter->not_categories[i], 0);
	return sieve;
}

void sieve_free(struct sieve *sieve)
{
	free(sieve);
}
