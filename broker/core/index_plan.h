// Where a filter is posted and as what.
#ifndef OYEZ_CORE_INDEX_PLAN_H
#define OYEZ_CORE_INDEX_PLAN_H

#include <stddef.h>

#include "posting.h"

// Node numbers + 1; 0 stands for "any", above all nodes.
struct keys {
	uint32_t *items;
	uint32_t count, room;
};

// At least so many items have room then.
void keys_reserve(struct keys *keys, size_t count);

struct plan {
	struct keys categories, regions; // ascending, none above another; {0} for any
	struct keys above;               // of a maybe filter: all nodes above its categories, without "any"
	struct keys excluded;
	bool regions_left_out;  // too many: posted under any region, to be checked in full
	struct posting posting; // region and before not filled in
};

// First the nodes, then what is posted there. Reuses the lists of an earlier plan; {0} to begin with.
void plan_nodes(struct plan *plan, const struct trees *trees, const struct filter *filter);
void plan_posting(struct plan *plan, const struct trees *trees, uint32_t number, const struct filter *filter);
void plan_fini(struct plan *plan);

#endif
