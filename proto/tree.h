// A tree of nodes numbered in pre-order, so that "below" is a comparison of two numbers.
// Categories and regions both are such trees. Plain data and inline functions: the core uses it too.
//
//   0 home          last 2        tree_contains(0, 2): 0 <= 2 <= last[0]
//   1   kitchen     last 2
//   2     coffee    last 2
#ifndef OYEZ_PROTO_TREE_H
#define OYEZ_PROTO_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define TREE_NONE UINT32_MAX // "no node": unknown, or the parent of a top node

enum { TREE_SENSITIVE = 1 }; // flags: an intent here starts at the top step

struct tree {
	uint32_t count;
	const uint32_t *parent; // TREE_NONE for top nodes
	const uint32_t *last;   // highest number below the node, itself included
	const uint8_t *depth;   // 1 for top nodes
	const uint8_t *flags;
};

// Is `node` equal to `ancestor` or below it? Both must be numbers of this tree.
static inline bool tree_contains(const struct tree *tree, uint32_t ancestor, uint32_t node)
{
	return ancestor <= node && node <= tree->last[ancestor];
}

// The node itself if it is at most `depth` deep, else its ancestor at that depth.
static inline uint32_t tree_climb(const struct tree *tree, uint32_t node, unsigned depth)
{
	while (tree->depth[node] > depth)
		node = tree->parent[node];
	return node;
}

#endif
