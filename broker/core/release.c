// Which waiting intents leave at a tick, and how coarse. Not here: ids, keys, storing or publishing the release.
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
// Step i opens for an intent i * patience / RELEASE_STEPS after its post, up to its own coarsest_step. A sensitive
// category has the last step only, whatever coarsest_step says.
//
// A TICK goes through the steps from the finest. At step s every intent that has not left shows its class at s, or at
// its nearest open step (an intent whose steps end at 3 still shows class 3 at s = 8: the company is welcome). Those
// with equal classes are a group. Its wishes, sorted ascending w[1..n], release the largest j >= k with w[j] <= j;
// these j leave with crowd j, the others go on to the next step. A waived intent wishes for no more than k; the waived
// who are left when all steps are done leave alone at their finest open step with crowd 1.
//
//   k = 3. Class X at step 0: A, B, C, D, with wishes 3, 3, 3, 10, and E in class Y, which is X after step 4.
//   s = 0: group X, wishes 3 3 3 10: j = 4 fails (10 > 4), j = 3 holds: A, B, C leave, crowd 3. D and E stay.
//   s = 4, open for E: D shows X, E shows X too, wishes 3 10: no j >= 3. Both wait for the next tick.
//   Had D waived: it wishes for 3, so at s = 0 j = 4 holds and all four leave with crowd 4.
//
// Two things make "nothing is released twice or finer later" hold by construction: an intent leaves this file once
// (the caller moves it to INTENT_RELEASED), and a crowd is only counted among intents leaving in this very tick.
#include "release.h"

#include <assert.h>
#include <stdlib.h>
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

static uint32_t climb(const struct tree *tree, uint32_t node, unsigned depth)
{
	return node == TREE_NONE ? TREE_NONE : tree_climb(tree, node, depth);
}

static bool sensitive(const struct tree *categories, uint32_t category)
{
	for (uint32_t up = category; up != TREE_NONE; up = categories->parent[up]) {
		if (categories->flags[up] & TREE_SENSITIVE)
			return true;
	}
	return false;
}

static void coarsen(struct facets *facets, unsigned step, const struct trees *trees)
{
	switch (step) {
	case STEP_REACH:
		facets->reach = 0;
		break;
	case STEP_FULFILMENT:
		facets->fulfilment = 0;
		break;
	case STEP_LANGUAGE:
		facets->language = 0;
		break;
	case STEP_CONDITION:
		facets->condition = 0;
		break;
	case STEP_QUANTITY:
		facets->quantity = 0;
		break;
	case STEP_NEEDED_BY:
		facets->needed_by = 0;
		break;
	case STEP_BUDGET:
		facets->currency = 0;
		facets->budget_min_e4 = facets->budget_max_e4 = 0;
		break;
	case STEP_REGION:
		facets->region = climb(trees->regions, facets->region, DEPTH_REGION);
		break;
	case STEP_MID:
		facets->category = climb(trees->categories, facets->category, DEPTH_MID);
		break;
	case STEP_COUNTRY:
		facets->region = climb(trees->regions, facets->region, DEPTH_COUNTRY);
		break;
	case STEP_TOP:
		facets->category = climb(trees->categories, facets->category, DEPTH_TOP);
		break;
	}
}

void release_class(const struct intent *intent, unsigned step, uint64_t tick_ms, const struct trees *trees,
                   struct facets *out)
{
	assert(step < RELEASE_STEPS);
	*out = intent->facets;
	out->needed_by = release_needed_band(intent->needed_by_day, tick_ms);
	out->expires = release_expiry_band(intent->expires_at_ms, tick_ms);
	for (unsigned taken = 1; taken <= step; taken++)
		coarsen(out, taken, trees);
}

void release_open_steps(const struct intent *intent, uint64_t tick_ms, const struct trees *trees, unsigned *finest,
                        unsigned *coarsest)
{
	*finest = 0;
	*coarsest = intent->coarsest_step < RELEASE_STEPS ? intent->coarsest_step : RELEASE_STEPS - 1;
	if (sensitive(trees->categories, intent->facets.category)) {
		*finest = *coarsest = RELEASE_STEPS - 1;
		return;
	}
	uint64_t dwell_ms = intent->patience_ms / RELEASE_STEPS;
	uint64_t waited_ms = tick_ms > intent->posted_at_ms ? tick_ms - intent->posted_at_ms : 0;
	if (dwell_ms > 0 && waited_ms / dwell_ms < *coarsest)
		*coarsest = (unsigned)(waited_ms / dwell_ms);
}

// ---- a tick

struct candidate {
	struct facets class_facets;
	uint32_t wish;
	uint32_t at;              // in the caller's array
	uint8_t finest, coarsest; // open steps
};

size_t release_scratch_bytes(size_t count)
{
	return count * sizeof(struct candidate);
}

static int compare_class_then_wish(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = memcmp(&a->class_facets, &b->class_facets, sizeof a->class_facets);
	return order ? order : (a->wish > b->wish) - (a->wish < b->wish);
}

static int compare_release_id(const void *left, const void *right)
{
	const struct waiting *a = left, *b = right;
	return memcmp(a->release.bytes, b->release.bytes, RELEASE_ID_BYTES);
}

static uint32_t wish_of(const struct intent *intent, uint32_t k)
{
	return intent->crowd_waived || intent->crowd_wish < k ? k : intent->crowd_wish;
}

static size_t gather(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees,
                     struct candidate *candidates)
{
	size_t gathered = 0;
	for (size_t i = 0; i < count; i++) {
		const struct intent *intent = waiting[i].intent;
		unsigned finest, coarsest;
		waiting[i].crowd = 0;
		if (intent->expires_at_ms <= tick_ms)
			continue;
		release_open_steps(intent, tick_ms, trees, &finest, &coarsest);
		struct candidate *candidate = &candidates[gathered++];
		memset(candidate, 0, sizeof *candidate);
		candidate->at = (uint32_t)i;
		candidate->wish = wish_of(intent, k);
		candidate->finest = (uint8_t)finest;
		candidate->coarsest = (uint8_t)coarsest;
		release_class(intent, finest, tick_ms, trees, &candidate->class_facets);
	}
	return gathered;
}

// Takes each candidate to `step` where it is open. False if no class changed: then the groups are as they were.
static bool climb_to(struct candidate *candidates, size_t count, unsigned step, const struct trees *trees)
{
	bool changed = false;
	for (size_t i = 0; i < count; i++) {
		struct candidate *candidate = &candidates[i];
		if (step <= candidate->finest || step > candidate->coarsest)
			continue;
		struct facets before = candidate->class_facets;
		coarsen(&candidate->class_facets, step, trees);
		changed |= memcmp(&before, &candidate->class_facets, sizeof before) != 0;
	}
	return changed;
}

static void leave(struct waiting *waiting, const struct candidate *candidate, uint32_t crowd)
{
	waiting[candidate->at].class_facets = candidate->class_facets;
	waiting[candidate->at].crowd = crowd;
}

// How many of the group may leave: wishes ascend, so the first j are those with the j smallest. Equal wishes are
// never split, since w[j+1] = w[j] <= j would allow j + 1 too.
static size_t largest_crowd(const struct candidate *group, size_t count, uint32_t k)
{
	for (size_t j = count; j >= k; j--) {
		if (group[j - 1].wish <= j)
			return j;
	}
	return 0;
}

// Releases what can leave, group by group; moves those who stay to the front and returns how many they are.
static size_t release_groups(struct waiting *waiting, struct candidate *candidates, size_t count, uint32_t k)
{
	size_t staying = 0;
	qsort(candidates, count, sizeof *candidates, compare_class_then_wish);
	for (size_t start = 0, end; start < count; start = end) {
		const struct facets *shared = &candidates[start].class_facets;
		for (end = start + 1; end < count; end++) {
			if (memcmp(shared, &candidates[end].class_facets, sizeof *shared) != 0)
				break;
		}
		size_t crowd = largest_crowd(&candidates[start], end - start, k);
		for (size_t i = start; i < start + crowd; i++)
			leave(waiting, &candidates[i], (uint32_t)crowd);
		memmove(&candidates[staying], &candidates[start + crowd], (end - start - crowd) * sizeof *candidates);
		staying += end - start - crowd;
	}
	return staying;
}

size_t release_tick(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees,
                    void *scratch)
{
	struct candidate *candidates = scratch;
	assert(count < UINT32_MAX);
	if (k == 0)
		k = 1;
	size_t gathered = gather(waiting, count, k, tick_ms, trees, candidates);
	size_t staying = release_groups(waiting, candidates, gathered, k);
	for (unsigned step = 1; step < RELEASE_STEPS && staying > 0; step++) {
		if (climb_to(candidates, staying, step, trees))
			staying = release_groups(waiting, candidates, staying, k);
	}
	size_t leaving = gathered - staying;
	for (size_t i = 0; i < staying; i++) {
		struct waiting *left = &waiting[candidates[i].at];
		if (!left->intent->crowd_waived)
			continue;
		release_class(left->intent, candidates[i].finest, tick_ms, trees, &left->class_facets);
		left->crowd = 1;
		leaving++;
	}
	qsort(waiting, count, sizeof *waiting, compare_release_id);
	return leaving;
}
