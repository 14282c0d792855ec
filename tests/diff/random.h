// Random trees, filters and releases for the comparison of the index with the naive matcher: everything from one seed.
#ifndef OYEZ_TESTS_DIFF_RANDOM_H
#define OYEZ_TESTS_DIFF_RANDOM_H

#include "broker/core/filter.h"

enum { NODES_MAX = 400, FILTER_NODES = 40 };

void random_seed(uint64_t seed);
uint32_t random_below(uint32_t limit);
bool one_in(uint32_t n);

enum tree_shape { TREE_MIXED, TREE_CHAIN, TREE_FLAT, TREE_BUSHY, TREE_SINGLE, TREE_SHAPES };

struct random_tree {
	uint32_t parent[NODES_MAX], last[NODES_MAX];
	uint8_t depth[NODES_MAX], flags[NODES_MAX];
	struct tree tree;
};
void random_tree(struct random_tree *random, enum tree_shape shape);

// How filters and releases are drawn.
enum style {
	STYLE_PLAIN,   // a few nodes, narrow ranges so that values meet
	STYLE_CROWDED, // nearly all want the same node: long lists
	STYLE_NESTED,  // many nodes above, below and equal to each other, much is excluded
	STYLE_WIDE,    // dozens of nodes on both sides
	STYLE_ODD,     // values at and beyond the ends of their ranges
	STYLES,
};

struct stored_filter {
	struct filter filter;
	uint32_t categories[FILTER_NODES], not_categories[FILTER_NODES], regions[FILTER_NODES];
	bool present;
};
void random_filter(struct stored_filter *stored, const struct trees *trees, enum style style);
// Points the filter's lists to those beside it: needed after a copy.
void stored_filter_link(struct stored_filter *stored);
void random_header(struct match_header *header, const struct trees *trees, enum style style);

#endif
