// How many releases like this one were published in the last 24 hours: what a waiting wallet is told.
// "Like": the same top category in the same country. Counts published releases only, never those that wait.
#ifndef OYEZ_SERVICE_ESTIMATE_H
#define OYEZ_SERVICE_ESTIMATE_H

#include <stddef.h>

#include "broker/core/filter.h"

struct estimate_event;
struct estimate {
	struct estimate_event *ring; // the last day's releases, oldest at `first`
	size_t room, first, count;
	size_t unsure;                           // youngest of them: added since the last commit
	uint32_t *counts;                        // by top category and country
	uint32_t *category_ranks, *region_ranks; // of top nodes, counted from 0, by node number
	uint32_t category_count, country_count;  // how many top nodes
};

void estimate_init(struct estimate *estimate, const struct trees *trees);
void estimate_fini(struct estimate *estimate);
void estimate_add(struct estimate *estimate, const struct trees *trees, const struct facets *facets, uint64_t at_ms);
uint32_t estimate_of(struct estimate *estimate, const struct trees *trees, const struct facets *facets,
                     uint64_t now_ms);
// The batch was committed, or none of it happened.
void estimate_commit(struct estimate *estimate);
void estimate_abort(struct estimate *estimate);

#endif
