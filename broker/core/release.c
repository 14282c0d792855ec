// What an intent shows at each step: bands, the fixed order of steps, when a step opens.
// Not here: who leaves at a tick (release_tick.c); ids, keys, storing or publishing the release.
//
// THE ORDER OF STEPS is fixed and public, so that a step tells nothing about who took it:
//   0  as posted (leaf category, subdivision; dates as bands)
//   1  reach dropped            5  quantity dropped            8  subdivision -> region
//   2  fulfilment dropped       6  needed-by dropped           9  leaf -> mid category
//   3  language dropped         7  budget dropped             10  region -> country
//   4  condition dropped                                      11  mid -> top category
// What vendors price with goes last. Terms, expiry and the vendor rules are never dropped: they say what a vendor
// must agree to and whether it may answer at all. A facet that is already absent, or a node that is already as coarse,
// makes the step an empty one (a country without regions passes through 8 unchanged).
// Step i opens for an intent i * patience / RELEASE_STEPS after it became ready (its post, or the end of its hold), up
// to its own coarsest_step: an intent that comes out of a long hold must not find all steps open at once, since in one
// tick nearly everybody would climb to the top. A sensitive category has the last step only, whatever coarsest_step
// says.
//
#include "release.h"

#include <assert.h>
#include <string.h>

enum {
	STEP_REACH = 1,
	STEP_FULFILMENT,
	STEP_LANGUAGE,
	STEP_CONDITION,
	STEP_QUANTITY,
	STEP_NEEDED_BY,
	STEP_BUDGET,
	STEP_REGION,
	STEP_MID,
	STEP_COUNTRY,
	STEP_TOP,
};
_Static_assert(STEP_TOP == RELEASE_STEPS - 1, "the last step is (top, country)");

enum { DEPTH_TOP = 1, DEPTH_MID = 2, DEPTH_COUNTRY = 1, DEPTH_REGION = 2 };

// The last days of the bands, the numbers of proto/common.proto counting from 1.
static const uint32_t NEEDED_DAYS[] = {3, 7, 30};
static const uint32_t EXPIRY_DAYS[] = {1, 3, 7, 30};

uint8_t release_needed_band(uint32_t needed_by_day, uint64_t tick_ms)
{
	enum { COUNT = sizeof NEEDED_DAYS / sizeof *NEEDED_DAYS };
	uint64_t today = tick_ms / DAY_MS;
	uint8_t band = 1;
	if (needed_by_day == 0)
		return 0;
	while (band <= COUNT && needed_by_day > today + NEEDED_DAYS[band - 1])
		band++;
	return band;
}

uint8_t release_expiry_band(uint64_t expires_at_ms, uint64_t tick_ms)
{
	enum { COUNT = sizeof EXPIRY_DAYS / sizeof *EXPIRY_DAYS };
	uint8_t band = 1;
	while (band <= COUNT && expires_at_ms > tick_ms + EXPIRY_DAYS[band - 1] * DAY_MS)
		band++;
	return band;
}

// ---- classes

static bool sensitive(const struct tree *categories, uint32_t category)
{
	for (uint32_t up = category; up != TREE_NONE; up = categories->parent[up]) {
		if (categories->flags[up] & TREE_SENSITIVE)
			return true;
	}
	return false;
}

static bool drop(uint8_t *facet)
{
	bool was_there = *facet != 0;
	*facet = 0;
	return was_there;
}

static bool drop_language(struct facets *facets)
{
	bool was_there = facets->language != 0;
	facets->language = 0;
	return was_there;
}

static bool drop_budget(struct facets *facets)
{
	bool was_there = facets->currency != 0 || facets->budget_min_e4 != 0 || facets->budget_max_e4 != 0;
	facets->currency = 0;
	facets->budget_min_e4 = facets->budget_max_e4 = 0;
	return was_there;
}

static bool climb(const struct tree *tree, uint32_t *node, unsigned depth)
{
	uint32_t before = *node;
	if (before != TREE_NONE)
		*node = tree_climb(tree, before, depth);
	return *node != before;
}

bool release_coarsen(struct facets *facets, unsigned step, const struct trees *trees)
{
	switch (step) {
	case STEP_REACH:
		return drop(&facets->reach);
	case STEP_FULFILMENT:
		return drop(&facets->fulfilment);
	case STEP_LANGUAGE:
		return drop_language(facets);
	case STEP_CONDITION:
		return drop(&facets->condition);
	case STEP_QUANTITY:
		return drop(&facets->quantity);
	case STEP_NEEDED_BY:
		return drop(&facets->needed_by);
	case STEP_BUDGET:
		return drop_budget(facets);
	case STEP_REGION:
		return climb(trees->regions, &facets->region, DEPTH_REGION);
	case STEP_MID:
		return climb(trees->categories, &facets->category, DEPTH_MID);
	case STEP_COUNTRY:
		return climb(trees->regions, &facets->region, DEPTH_COUNTRY);
	case STEP_TOP:
		return climb(trees->categories, &facets->category, DEPTH_TOP);
	default:
		return false;
	}
}

void release_class(const struct waiting_intent *intent, unsigned step, uint64_t tick_ms, const struct trees *trees,
                   struct facets *out)
{
	assert(step < RELEASE_STEPS);
	*out = intent->facets;
	out->needed_by = release_needed_band(intent->needed_by_day, tick_ms);
	out->expires = release_expiry_band(intent->expires_at_ms, tick_ms);
	for (unsigned taken = 1; taken <= step; taken++)
		release_coarsen(out, taken, trees);
}

void release_open_steps(const struct waiting_intent *intent, uint64_t tick_ms, const struct trees *trees, unsigned *finest,
                        unsigned *coarsest)
{
	*finest = 0;
	*coarsest = intent->coarsest_step < RELEASE_STEPS ? intent->coarsest_step : RELEASE_STEPS - 1;
	if (sensitive(trees->categories, intent->facets.category)) {
		*finest = *coarsest = RELEASE_STEPS - 1;
		return;
	}
	uint64_t dwell_ms = intent->patience_ms / RELEASE_STEPS;
	uint64_t ready_ms = release_ready_ms(intent);
	uint64_t waited_ms = tick_ms > ready_ms ? tick_ms - ready_ms : 0;
	if (dwell_ms > 0 && waited_ms / dwell_ms < *coarsest)
		*coarsest = (unsigned)(waited_ms / dwell_ms);
}
