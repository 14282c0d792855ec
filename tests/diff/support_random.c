// Narrow ranges everywhere, so that values meet; repeated and nested nodes on purpose.
#include "random.h"

#include <string.h>

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed;
}

uint32_t random_below(uint32_t limit)
{
	// splitmix64
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) >> 32) % limit;
}

bool one_in(uint32_t n)
{
	return random_below(n) == 0;
}

// ---- trees

// Pre-order: each node is a child of the one before it or of one of that one's ancestors, or a new top.
static uint32_t random_parent(const struct random_tree *random, uint32_t node, enum tree_shape shape)
{
	uint32_t parent = node - 1;
	if (shape == TREE_FLAT || node == 0)
		return TREE_NONE;
	if (shape == TREE_CHAIN)
		return one_in(20) ? TREE_NONE : parent;
	while (parent != TREE_NONE && (one_in(2) || (shape == TREE_BUSHY && random->depth[parent] >= 3)))
		parent = random->parent[parent];
	return parent;
}

void random_tree(struct random_tree *random, enum tree_shape shape)
{
	uint32_t count = shape == TREE_BUSHY ? 1 + random_below(NODES_MAX) : 1 + random_below(60);
	if (shape == TREE_SINGLE)
		count = 1;
	for (uint32_t node = 0; node < count; node++) {
		uint32_t parent = random_parent(random, node, shape);
		random->parent[node] = parent;
		random->depth[node] = parent == TREE_NONE ? 1 : random->depth[parent] + 1;
		random->flags[node] = 0;
		for (uint32_t up = node; up != TREE_NONE; up = random->parent[up])
			random->last[up] = node;
	}
	random->tree = (struct tree){
	    .count = count, .parent = random->parent, .last = random->last, .depth = random->depth, .flags = random->flags};
}

// ---- filters

static uint32_t random_node(const struct tree *tree, enum style style)
{
	if (style == STYLE_CROWDED && !one_in(8))
		return 0;
	return random_below(tree->count);
}

// A node near another one: itself, one above, one below, or any.
static uint32_t node_near(const struct tree *tree, uint32_t node)
{
	switch (random_below(4)) {
	case 0:
		return node;
	case 1:
		return tree->parent[node] == TREE_NONE ? node : tree->parent[node];
	case 2:
		return node + random_below(tree->last[node] - node + 1);
	default:
		return random_below(tree->count);
	}
}

static uint16_t random_nodes(const struct tree *tree, enum style style, uint32_t nodes[FILTER_NODES])
{
	uint32_t limit = style == STYLE_WIDE ? FILTER_NODES : style == STYLE_NESTED ? 8 : 3;
	uint32_t count = random_below(limit + 1);
	if (style == STYLE_CROWDED)
		count = one_in(6) ? count : 1;
	for (uint32_t i = 0; i < count; i++)
		nodes[i] = style == STYLE_NESTED && i > 0 ? node_near(tree, nodes[i - 1]) : random_node(tree, style);
	return (uint16_t)count;
}

static int64_t random_amount(enum style style)
{
	static const int64_t ODD[] = {INT64_MIN,
	                              -1,
	                              0,
	                              1,
	                              9999,
	                              10000,
	                              10001,
	                              INT64_C(40960000),
	                              INT64_C(40970000),
	                              INT64_C(81920000),
	                              INT64_C(81930000),
	                              INT64_C(1) << 56,
	                              INT64_MAX - 1,
	                              INT64_MAX};
	switch (style) {
	case STYLE_ODD:
		return ODD[random_below(sizeof ODD / sizeof *ODD)];
	case STYLE_NESTED:
		return INT64_C(10000) * (4090 + random_below(20)); // where 16 bits stop being exact
	case STYLE_WIDE:
		return INT64_C(10000) * random_below(100);
	default:
		return random_below(10);
	}
}

static void random_budget(struct filter *filter, enum style style)
{
	if (one_in(3)) {
		filter->has_budget = true;
		filter->currency = (uint16_t)(1 + random_below(2));
		filter->budget_min_e4 = random_amount(style);
		filter->budget_max_e4 = random_amount(style);
		if (style != STYLE_ODD && filter->budget_max_e4 < filter->budget_min_e4)
			filter->budget_max_e4 = filter->budget_min_e4 + random_below(3);
	}
	if (one_in(8))
		filter->currency = (uint16_t)(1 + random_below(2));
	if (style == STYLE_ODD && one_in(6))
		filter->currency = (uint16_t)(1022 + random_below(4));
	if (style == STYLE_ODD && one_in(6))
		filter->currency = 0; // also beside a budget
}

void stored_filter_link(struct stored_filter *stored)
{
	stored->filter.categories = stored->categories;
	stored->filter.not_categories = stored->not_categories;
	stored->filter.regions = stored->regions;
}

void random_filter(struct stored_filter *stored, const struct trees *trees, enum style style)
{
	struct filter *filter = &stored->filter;
	bool odd = style == STYLE_ODD;
	memset(filter, 0, sizeof *filter);
	filter->exact = one_in(2);
	filter->category_count = random_nodes(trees->categories, style, stored->categories);
	filter->region_count = random_nodes(trees->regions, style, stored->regions);
	if (one_in(style == STYLE_NESTED ? 2 : 4)) {
		filter->not_category_count = random_nodes(trees->categories, style, stored->not_categories);
		if (filter->not_category_count > 0 && filter->category_count > 0 && one_in(2))
			stored->not_categories[0] = node_near(trees->categories, stored->categories[0]);
	}
	random_budget(filter, style);
	if (one_in(6))
		filter->condition = (uint8_t)random_below(odd ? 6 : 4);
	if (one_in(4))
		filter->terms_mask = odd && one_in(2) ? UINT16_MAX : (uint16_t)random_below(16);
	if (one_in(style == STYLE_CROWDED ? 40 : 6)) {
		filter->needed_by_day = one_in(3) ? 100 + random_below(40) : 0;
		if (one_in(3)) {
			filter->quantity_min = random_below(25);
			filter->quantity_max = one_in(4) ? 0 : filter->quantity_min + random_below(10);
		}
		filter->fulfilment = one_in(3) ? (uint8_t)random_below(odd ? 7 : 5) : 0;
		filter->language = one_in(3) ? (uint16_t)random_below(3) : 0;
		filter->crowd_min = one_in(3) ? random_below(8) : 0;
	}
	stored_filter_link(stored);
}

// ---- releases

void random_header(struct match_header *header, const struct trees *trees, enum style style)
{
	memset(header, 0, sizeof *header);
	struct facets *facets = &header->facets;
	bool odd = style == STYLE_ODD;
	facets->category = one_in(20) ? TREE_NONE : random_below(trees->categories->count);
	facets->region = one_in(10) ? TREE_NONE : random_below(trees->regions->count);
	if (style == STYLE_CROWDED && one_in(2))
		facets->category = facets->region = 0;
	if (!one_in(4)) {
		facets->currency = (uint16_t)(1 + random_below(2));
		facets->budget_min_e4 = random_amount(style);
		facets->budget_max_e4 = random_amount(style);
		if (odd && one_in(4))
			facets->currency = (uint16_t)(1022 + random_below(4));
	}
	facets->needed_by = (uint8_t)random_below(odd ? 7 : 5);
	facets->condition = (uint8_t)random_below(odd ? 6 : 4);
	facets->quantity = (uint8_t)random_below(odd ? 7 : 5);
	facets->fulfilment = (uint8_t)random_below(odd ? 7 : 5);
	facets->language = (uint16_t)random_below(3);
	facets->terms = (uint16_t)random_below(odd ? 20 : 5);
	header->released_at_ms = (95 + random_below(10)) * DAY_MS;
	header->crowd = 1 + random_below(9);
	header->kind = FEED_RELEASE;
}
