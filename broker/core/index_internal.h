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

enum { NAME_NONE = UINT32_MAX };

struct index {
	struct trees trees;
	struct pool pool;
	struct pairs pairs;
	struct runs *inside, *above; // wide; by category key
	uint32_t *places;            // by the caller's number: the index's own + 1, 0 where there is none
	uint32_t place_room;
	// By own number. A removed subscription has no name from then on; its number is spare when its postings are gone.
	uint32_t *names;   // the caller's number, NAME_NONE for none
	uint32_t *filters; // packed; of a spare number the next spare one + 1, 0 for none
	uint32_t own_count, own_room, spare;
	bool renamed; // own numbers and the caller's differ, or removed ones may be found
	size_t count, dead;
	// For the change at hand.
	struct plan plan;
	struct pair_spot *spots; // a spot for each pair
	struct keys runs;        // of the lists above, then inside: the run where it goes
	uint32_t spot_room;
};

#endif
