// What index.c keeps and index_match.c reads. Nobody else includes this.
//
// Three kinds of lists (keys are node numbers + 1, 0 = any):
//   pairs          (category, region) as wanted: for releases at or below both.
//   inside[c]      maybe filters that want category c, by their regions: for releases at or below c, above a region.
//   above[c]       maybe filters that want something below c, by their regions: for releases at c itself.
// A release (category C, region R) therefore looks at
//   pairs          of C and the nodes above it with R and the nodes above it   certain
//   inside         of C and the nodes above it, regions strictly below R       region uncertain
//   above[C]       R and the nodes above it, regions strictly below R          category, or both, uncertain
#ifndef OYEZ_CORE_INDEX_INTERNAL_H
#define OYEZ_CORE_INDEX_INTERNAL_H

#include "index.h"
#include "index_plan.h"
#include "pairs.h"

struct index {
	struct trees trees;
	struct pool pool;
	struct pairs pairs;
	struct runs *inside, *above;               // wide; by category key
	uint32_t *category_counts, *region_counts; // postings in `pairs`, by key: 0 spares the look-up
	uint32_t *filters;                         // packed, by subscription number, 0 where there is none
	uint32_t filter_room;
	size_t count;
	struct plan plan; // for the change at hand
};

#endif
