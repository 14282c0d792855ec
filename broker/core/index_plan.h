// Where a filter is posted and as what: the same for its insertion and its removal.
#ifndef OYEZ_CORE_INDEX_PLAN_H
#define OYEZ_CORE_INDEX_PLAN_H

#include "posting.h"

// Node numbers + 1; 0 stands for "any", above all nodes.
struct keys {
	uint32_t *items;
	uint32_t count, room;
};

struct plan {
	struct keys categories, regions; // ascending, none above another; {0} for any
	struct keys above;               // of a maybe filter: all nodes above its categories, without "any"
	struct keys excluded;
	struct posting posting; // region and before not filled in
};

// Reuses the lists of an earlier plan; {0} to begin with.
void plan_make(struct plan *plan, const struct trees *trees, uint32_t number, const struct filter *filter);
void plan_fini(struct plan *plan);

#endif
