// Release by crowd size: bands, classes, the fixed order of steps, and which waiting intents leave at a tick.
#ifndef OYEZ_CORE_RELEASE_H
#define OYEZ_CORE_RELEASE_H

#include <stddef.h>

#include "filter.h"
#include "proto/id.h"

// What decides when an intent leaves and as what: all that is kept in memory of one that waits. As in struct intent.
struct waiting_intent {
	struct facets facets; // as posted
	uint64_t posted_at_ms, expires_at_ms, patience_ms;
	uint64_t ready_at_ms; // no release before it; 0 = no hold
	uint32_t crowd_wish;
	uint32_t needed_by_day;
	uint8_t crowd_waived;
	uint8_t coarsest_step;
};

// Bands are counted from the tick.
uint8_t release_needed_band(uint32_t needed_by_day, uint64_t tick_ms);
uint8_t release_expiry_band(uint64_t expires_at_ms, uint64_t tick_ms);

// The public order of steps: optional facets dropped one by one, then category and region climb. The table stands in
// release.c.
enum { RELEASE_STEPS = 12 };
// From when on it may leave: the end of its hold, or its post.
static inline uint64_t release_ready_ms(const struct waiting_intent *intent)
{
	return intent->ready_at_ms > intent->posted_at_ms ? intent->ready_at_ms : intent->posted_at_ms;
}
// The steps open for a waiting intent at this tick, both ends included. A sensitive category has the last one only.
void release_open_steps(const struct waiting_intent *intent, uint64_t tick_ms, const struct trees *trees,
                        unsigned *finest, unsigned *coarsest);
// The facets of an intent at a step, banded for this tick: the class key. Step 0 = as posted.
void release_class(const struct waiting_intent *intent, unsigned step, uint64_t tick_ms, const struct trees *trees,
                   struct facets *out);

// One step's change of the class; false if there was nothing to change.
bool release_coarsen(struct facets *facets, unsigned step, const struct trees *trees);

// ---- release_tick.c
struct waiting {
	struct release_id release; // ascending order is the order of release
	const struct waiting_intent *intent;
	struct facets class_facets; // out
	uint32_t crowd;             // out; 0 = stays
};
// Decides who leaves at this tick. `k` is the broker's crowd size. Sets crowd and class_facets of those who leave.
// Scratch memory is taken from `scratch`, aligned as malloc does, at least release_scratch_bytes(count). Expired
// intents and those in their hold stay. Afterwards the array is sorted by release id: publish in its order. Returns how
// many leave.
size_t release_tick(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees,
                    void *scratch);
size_t release_scratch_bytes(size_t count);

#endif
