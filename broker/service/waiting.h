// The intents that wait for their release: of each what the tick looks at, found by release id. Everything else stands
// in the store until it leaves.
#ifndef OYEZ_SERVICE_WAITING_H
#define OYEZ_SERVICE_WAITING_H

#include "broker/core/intent.h"
#include "broker/core/release.h"

struct waiting_item {
	struct release_id release;
	struct waiting_intent intent;
};

// Start from a zeroed struct. Memory that cannot be had ends the process: what is kept here is derived.
struct waiting_set {
	struct waiting_item *items; // in no order; an item moves when another leaves
	uint32_t count, room;
	uint32_t *places;     // open addressing: number of an item + 1, 0 is free
	uint32_t place_count; // a power of two; 0 while empty
};

void waiting_add(struct waiting_set *set, const struct intent *intent);
// Nothing happens if it does not wait.
void waiting_remove(struct waiting_set *set, const struct release_id *release);
// Empty again, and usable.
void waiting_clear(struct waiting_set *set);

#endif
