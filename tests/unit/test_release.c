// Release by crowd size: bands, steps, wishes and waivers by example, then the properties on random crowds.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/release.h"
#include "support_trees.h"

#define TICK_MS (20000 * DAY_MS + 7 * HOUR_MS)
#define TODAY 20000u
enum { LAST_STEP = RELEASE_STEPS - 1, CROWD_MAX = 400 };

// ---- bands

static void needed_bands(void **state)
{
	static const struct {
		uint32_t day;
		uint8_t band;
	} cases[] = {{0, 0},         {TODAY - 1, 1}, {TODAY, 1},      {TODAY + 3, 1},  {TODAY + 4, 2},
	             {TODAY + 7, 2}, {TODAY + 8, 3}, {TODAY + 30, 3}, {TODAY + 31, 4}, {UINT32_MAX, 4}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(release_needed_band(cases[i].day, TICK_MS), cases[i].band);
}

static void expiry_bands(void **state)
{
	static const struct {
		uint64_t left_ms;
		uint8_t band;
	} cases[] = {{1, 1},          {DAY_MS, 1},         {DAY_MS + 1, 2},  {3 * DAY_MS, 2},      {3 * DAY_MS + 1, 3},
	             {7 * DAY_MS, 3}, {7 * DAY_MS + 1, 4}, {30 * DAY_MS, 4}, {30 * DAY_MS + 1, 5}, {90 * DAY_MS, 5}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(release_expiry_band(TICK_MS + cases[i].left_ms, TICK_MS), cases[i].band);
}

// ---- steps

static struct waiting_intent full_intent(void)
{
	return (struct waiting_intent){
	    .coarsest_step = LAST_STEP,
	    .needed_by_day = TODAY + 5,
	    .posted_at_ms = TICK_MS,
	    .expires_at_ms = TICK_MS + 7 * DAY_MS,
	    .patience_ms = RELEASE_STEPS * MINUTE_MS,
	    .facets = {.category = COFFEE,
	               .region = FR_56,
	               .budget_min_e4 = 1000000,
	               .budget_max_e4 = 2000000,
	               .currency = 978,
	               .language = 0x6672,
	               .terms = 1,
	               .condition = 1,
	               .quantity = 2,
	               .fulfilment = 1,
	               .reach = 2,
	               .rating_band = 6,
	               .country_count = 1,
	               .countries = {0x4652}},
	};
}

static void each_step_drops_one_thing_more(void **state)
{
	(void)state;
	struct waiting_intent intent = full_intent();
	struct facets expected = intent.facets, shown;
	expected.needed_by = 2;
	expected.expires = 3;
	for (unsigned step = 0; step < RELEASE_STEPS; step++) {
		switch (step) {
		case 1:
			expected.reach = 0;
			break;
		case 2:
			expected.fulfilment = 0;
			break;
		case 3:
			expected.language = 0;
			break;
		case 4:
			expected.condition = 0;
			break;
		case 5:
			expected.quantity = 0;
			break;
		case 6:
			expected.needed_by = 0;
			break;
		case 7:
			expected.currency = 0;
			expected.budget_min_e4 = expected.budget_max_e4 = 0;
			break;
		case 8:
			expected.region = FR_BRE;
			break;
		case 9:
			expected.category = KITCHEN;
			break;
		case 10:
			expected.region = FR;
			break;
		case 11:
			expected.category = HOME;
			break;
		}
		release_class(&intent, step, TICK_MS, &TREES, &shown);
		assert_memory_equal(&shown, &expected, sizeof shown);
	}
	// What says how to answer, and who may, is never dropped.
	assert_int_equal(shown.terms, 1);
	assert_int_equal(shown.rating_band, 6);
	assert_int_equal(shown.country_count, 1);
}

static void country_without_regions_skips_that_level(void **state)
{
	(void)state;
	struct waiting_intent intent = full_intent();
	struct facets shown;
	intent.facets.region = DE_BY;
	release_class(&intent, 9, TICK_MS, &TREES, &shown);
	assert_int_equal(shown.region, DE_BY);
	release_class(&intent, 10, TICK_MS, &TREES, &shown);
	assert_int_equal(shown.region, DE);
	intent.facets.region = intent.facets.category = TREE_NONE;
	release_class(&intent, 11, TICK_MS, &TREES, &shown);
	assert_int_equal(shown.region, TREE_NONE);
	assert_int_equal(shown.category, TREE_NONE);
}

static unsigned coarsest_open(const struct waiting_intent *intent, uint64_t tick_ms)
{
	unsigned finest, coarsest;
	release_open_steps(intent, tick_ms, &TREES, &finest, &coarsest);
	assert_int_equal(finest, 0);
	return coarsest;
}

static void steps_open_with_time(void **state)
{
	(void)state;
	struct waiting_intent intent = full_intent();
	assert_int_equal(coarsest_open(&intent, TICK_MS - 1), 0); // a clock that went back opens nothing
	assert_int_equal(coarsest_open(&intent, TICK_MS), 0);
	assert_int_equal(coarsest_open(&intent, TICK_MS + MINUTE_MS - 1), 0);
	assert_int_equal(coarsest_open(&intent, TICK_MS + MINUTE_MS), 1);
	assert_int_equal(coarsest_open(&intent, TICK_MS + 4 * MINUTE_MS), 4);
	assert_int_equal(coarsest_open(&intent, TICK_MS + 900 * MINUTE_MS), LAST_STEP);
	intent.coarsest_step = 3;
	assert_int_equal(coarsest_open(&intent, TICK_MS + 900 * MINUTE_MS), 3);
	intent.coarsest_step = 255;
	assert_int_equal(coarsest_open(&intent, TICK_MS + 900 * MINUTE_MS), LAST_STEP);
	intent.patience_ms = 0; // none: all at once
	assert_int_equal(coarsest_open(&intent, TICK_MS), LAST_STEP);
}

static void sensitive_categories_have_the_top_step_only(void **state)
{
	(void)state;
	struct waiting_intent intent = full_intent();
	intent.coarsest_step = 2;
	for (uint32_t category = HEALTH; category <= TEST_KIT; category++) {
		unsigned finest, coarsest;
		intent.facets.category = category;
		release_open_steps(&intent, TICK_MS, &TREES, &finest, &coarsest);
		assert_int_equal(finest, LAST_STEP);
		assert_int_equal(coarsest, LAST_STEP);
	}
}

// ---- ticks

struct crowd {
	struct waiting_intent intents[CROWD_MAX];
	struct waiting waiting[CROWD_MAX];
	size_t count;
};

// Adds n copies with the given wish; returns the first.
static struct waiting_intent *add(struct crowd *crowd, struct waiting_intent intent, size_t n, uint32_t wish)
{
	struct waiting_intent *first = &crowd->intents[crowd->count];
	intent.crowd_wish = wish;
	for (size_t i = 0; i < n; i++) {
		assert_true(crowd->count < CROWD_MAX);
		crowd->intents[crowd->count++] = intent;
	}
	return first;
}

// Release ids follow the intents' order backwards, so that sorting has something to do.
static size_t tick(struct crowd *crowd, uint32_t k, uint64_t tick_ms)
{
	for (size_t i = 0; i < crowd->count; i++) {
		crowd->waiting[i] = (struct waiting){.intent = &crowd->intents[i], .crowd = 77};
		uint32_t order = (uint32_t)(crowd->count - i);
		crowd->waiting[i].release.bytes[0] = (uint8_t)(order >> 8);
		crowd->waiting[i].release.bytes[1] = (uint8_t)order;
	}
	void *scratch = malloc(release_scratch_bytes(crowd->count) + 1);
	size_t left = release_tick(crowd->waiting, crowd->count, k, tick_ms, &TREES, scratch);
	free(scratch);
	return left;
}

static const struct waiting *find(const struct crowd *crowd, const struct waiting_intent *intent)
{
	for (size_t i = 0; i < crowd->count; i++) {
		if (crowd->waiting[i].intent == intent)
			return &crowd->waiting[i];
	}
	fail();
	return NULL;
}

static uint32_t crowd_of(const struct crowd *crowd, const struct waiting_intent *intent)
{
	return find(crowd, intent)->crowd;
}

static void nobody_waits(void **state)
{
	(void)state;
	struct crowd crowd = {.count = 0};
	assert_int_equal(tick(&crowd, 5, TICK_MS), 0);
}

static void k_of_one_releases_everything_at_once_with_real_crowds(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	struct waiting_intent other = full_intent(), gone = full_intent(), sensitive = full_intent();
	other.facets.category = MOWER;
	gone.expires_at_ms = TICK_MS;
	sensitive.facets.category = TEST_KIT;
	struct waiting_intent *three = add(&crowd, full_intent(), 3, 0), *one = add(&crowd, other, 1, 0);
	struct waiting_intent *expired = add(&crowd, gone, 1, 0), *health = add(&crowd, sensitive, 2, 0);
	assert_int_equal(tick(&crowd, 1, TICK_MS), 6);
	assert_int_equal(crowd_of(&crowd, three), 3);
	assert_int_equal(crowd_of(&crowd, three + 2), 3);
	assert_int_equal(crowd_of(&crowd, one), 1);
	assert_int_equal(crowd_of(&crowd, expired), 0);
	assert_int_equal(crowd_of(&crowd, health), 2);
	assert_int_equal(find(&crowd, three)->class_facets.category, COFFEE);
	assert_int_equal(find(&crowd, health)->class_facets.category, HEALTH);
	assert_int_equal(find(&crowd, health)->class_facets.region, FR);
	for (size_t i = 1; i < crowd.count; i++) // ascending release ids
		assert_true(memcmp(&crowd.waiting[i - 1].release, &crowd.waiting[i].release, RELEASE_ID_BYTES) < 0);
	crowd.count = 0;
	struct waiting_intent *alone = add(&crowd, full_intent(), 1, 0);
	assert_int_equal(tick(&crowd, 0, TICK_MS), 1); // a k of 0 is a k of 1
	assert_int_equal(crowd_of(&crowd, alone), 1);
}

static void too_few_wait(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	add(&crowd, full_intent(), 4, 0);
	assert_int_equal(tick(&crowd, 5, TICK_MS + DAY_MS), 0);
	struct waiting_intent *fifth = add(&crowd, full_intent(), 1, 0);
	assert_int_equal(tick(&crowd, 5, TICK_MS + DAY_MS), 5);
	assert_int_equal(crowd_of(&crowd, fifth), 5);
}

// The worked example at the top of release.c.
static void worked_example(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	struct waiting_intent x = full_intent(), y = full_intent();
	x.facets.condition = 0;
	x.facets.language = x.facets.fulfilment = x.facets.reach = 0;
	y.facets.language = y.facets.fulfilment = y.facets.reach = 0;
	y.posted_at_ms -= 4 * MINUTE_MS; // step 4, condition dropped, is open
	struct waiting_intent *abc = add(&crowd, x, 3, 3), *d = add(&crowd, x, 1, 10), *e = add(&crowd, y, 1, 3);
	assert_int_equal(tick(&crowd, 3, TICK_MS), 3);
	assert_int_equal(crowd_of(&crowd, abc), 3);
	assert_int_equal(crowd_of(&crowd, d), 0);
	assert_int_equal(crowd_of(&crowd, e), 0);
	d->crowd_waived = 1;
	assert_int_equal(tick(&crowd, 3, TICK_MS), 4);
	assert_int_equal(crowd_of(&crowd, abc), 4);
	assert_int_equal(crowd_of(&crowd, d), 4);
	// With two of E's kind and one A less, step 4 brings together what step 0 could not.
	crowd.count = 0;
	struct waiting_intent *ab = add(&crowd, x, 2, 0), *ee = add(&crowd, y, 2, 0);
	assert_int_equal(tick(&crowd, 3, TICK_MS), 4);
	assert_int_equal(crowd_of(&crowd, ab), 4);
	assert_int_equal(crowd_of(&crowd, ee), 4);
	assert_int_equal(find(&crowd, ee)->class_facets.condition, 0);
}

static void wishes(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	struct waiting_intent *small = add(&crowd, full_intent(), 5, 0), *large = add(&crowd, full_intent(), 4, 10);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 5); // nine: the wish for ten is not met
	assert_int_equal(crowd_of(&crowd, small), 5);
	assert_int_equal(crowd_of(&crowd, large), 0);
	add(&crowd, full_intent(), 1, 7);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 10); // ten: everybody's is
	assert_int_equal(crowd_of(&crowd, large), 10);
	assert_int_equal(crowd_of(&crowd, small), 10);
	crowd.count = 0;
	add(&crowd, full_intent(), 3, 3);
	add(&crowd, full_intent(), 2, 2); // below k: counts as k
	assert_int_equal(tick(&crowd, 5, TICK_MS), 5);
}

static void the_waived_leave_alone_and_count_for_nobody(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	struct waiting_intent waived = full_intent();
	waived.crowd_waived = 1;
	struct waiting_intent *ordinary = add(&crowd, full_intent(), 3, 0), *alone = add(&crowd, waived, 1, 500);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 1);
	assert_int_equal(crowd_of(&crowd, alone), 1);
	assert_int_equal(crowd_of(&crowd, ordinary), 0);
	assert_int_equal(find(&crowd, alone)->class_facets.category, COFFEE);
	// After a long wait as well: it goes out as posted, since alone a coarser class helps nobody.
	assert_int_equal(tick(&crowd, 5, TICK_MS + HOUR_MS), 1);
	assert_int_equal(find(&crowd, alone)->class_facets.category, COFFEE);
	// With one more the waived one is an ordinary member.
	add(&crowd, full_intent(), 1, 0);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 5);
	assert_int_equal(crowd_of(&crowd, alone), 5);
	assert_int_equal(crowd_of(&crowd, ordinary), 5);
	// Sensitive stays at top even alone.
	crowd.count = 0;
	waived.facets.category = CARE;
	alone = add(&crowd, waived, 1, 0);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 1);
	assert_int_equal(find(&crowd, alone)->class_facets.category, HEALTH);
}

static void the_finest_crowd_is_taken(void **state)
{
	(void)state;
	static struct crowd crowd;
	crowd.count = 0;
	struct waiting_intent old = full_intent(), kettle = full_intent();
	old.posted_at_ms -= DAY_MS; // every step is open
	kettle.posted_at_ms -= DAY_MS;
	kettle.facets.category = KETTLE;
	struct waiting_intent *coffees = add(&crowd, old, 5, 0), *kettles = add(&crowd, kettle, 3, 0);
	assert_int_equal(tick(&crowd, 5, TICK_MS), 5);
	assert_int_equal(find(&crowd, coffees)->class_facets.category, COFFEE);
	assert_int_equal(crowd_of(&crowd, kettles), 0);
	add(&crowd, kettle, 1, 0);
	crowd.intents[0].facets.category = KETTLE; // four coffees, five kettles
	assert_int_equal(tick(&crowd, 5, TICK_MS), 5);
	crowd.count--; // four of each: only as kitchen things are they a crowd
	assert_int_equal(tick(&crowd, 5, TICK_MS), 8);
	assert_int_equal(crowd_of(&crowd, kettles), 8);
	assert_int_equal(find(&crowd, kettles)->class_facets.category, KITCHEN);
	assert_int_equal(find(&crowd, kettles)->class_facets.region, FR_BRE); // (mid, region), not coarser
}

// ---- the plain way: all classes sorted anew at each step. Slow, short, and what release_tick must agree with.

struct candidate {
	struct facets class_facets;
	uint32_t wish;
	uint32_t at;              // in the caller's array
	uint8_t finest, coarsest; // open steps
};

static int compare_class_then_wish(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = memcmp(&a->class_facets, &b->class_facets, sizeof a->class_facets);
	return order ? order : (a->wish > b->wish) - (a->wish < b->wish);
}

static uint32_t wish_of(const struct waiting_intent *intent, uint32_t k)
{
	return intent->crowd_waived || intent->crowd_wish < k ? k : intent->crowd_wish;
}

static size_t gather(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees,
                     struct candidate *candidates)
{
	size_t gathered = 0;
	for (size_t i = 0; i < count; i++) {
		const struct waiting_intent *intent = waiting[i].intent;
		unsigned finest, coarsest;
		waiting[i].crowd = 0;
		if (intent->expires_at_ms <= tick_ms || intent->ready_at_ms > tick_ms)
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
		release_coarsen(&candidate->class_facets, step, trees);
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

static size_t plain_tick(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees)
{
	static struct candidate candidates[CROWD_MAX];
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
	return leaving;
}

static void check_the_plain_way_agrees(const struct crowd *crowd, uint32_t k, uint64_t tick_ms, size_t left)
{
	static struct waiting plain[CROWD_MAX];
	memcpy(plain, crowd->waiting, crowd->count * sizeof *plain);
	assert_int_equal(plain_tick(plain, crowd->count, k, tick_ms, &TREES), left);
	for (size_t i = 0; i < crowd->count; i++) {
		assert_int_equal(plain[i].crowd, crowd->waiting[i].crowd);
		if (plain[i].crowd)
			assert_memory_equal(&plain[i].class_facets, &crowd->waiting[i].class_facets, sizeof plain[i].class_facets);
	}
}

// ---- properties

static uint32_t random_below(uint32_t limit)
{
	static uint64_t random_state = 42;
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % limit;
}

static struct waiting_intent random_intent(void)
{
	static const uint32_t categories[] = {COFFEE, COFFEE, COFFEE, KETTLE, KITCHEN, MOWER, TEST_KIT, CARE, TREE_NONE};
	static const uint32_t regions[] = {FR_56, FR_56, FR_29, FR_75, FR, DE_BY, DE_BE, TREE_NONE};
	struct waiting_intent intent = full_intent();
	struct facets *facets = &intent.facets;
	facets->category = categories[random_below(sizeof categories / sizeof *categories)];
	facets->region = regions[random_below(sizeof regions / sizeof *regions)];
	facets->condition = (uint8_t)random_below(2);
	facets->quantity = (uint8_t)random_below(2);
	facets->language = (uint16_t)random_below(2);
	facets->budget_min_e4 += random_below(2);
	facets->rating_band = random_below(6) ? 6 : 0;
	intent.needed_by_day = TODAY + random_below(12);
	intent.posted_at_ms -= random_below(14) * MINUTE_MS;
	intent.patience_ms = random_below(5) ? RELEASE_STEPS * MINUTE_MS : random_below(2) * 40;
	intent.expires_at_ms = TICK_MS + random_below(4 * DAY_MS);
	intent.coarsest_step = (uint8_t)(random_below(3) ? LAST_STEP : random_below(RELEASE_STEPS));
	intent.crowd_wish = random_below(4) ? 0 : random_below(30);
	intent.crowd_waived = random_below(15) == 0;
	intent.ready_at_ms = random_below(4) ? 0 : TICK_MS + 3 * MINUTE_MS - random_below(12) * MINUTE_MS;
	return intent;
}

static bool is_sensitive(const struct waiting_intent *intent)
{
	return intent->facets.category != TREE_NONE && intent->facets.category >= HEALTH;
}

// The step it left at; fails if its class is none of its open steps'.
static unsigned step_of(const struct waiting *left, uint64_t tick_ms)
{
	unsigned finest, coarsest;
	release_open_steps(left->intent, tick_ms, &TREES, &finest, &coarsest);
	if (!is_sensitive(left->intent))
		assert_true(coarsest <= left->intent->coarsest_step);
	for (unsigned step = finest; step <= coarsest; step++) {
		struct facets facets;
		release_class(left->intent, step, tick_ms, &TREES, &facets);
		if (memcmp(&facets, &left->class_facets, sizeof facets) == 0)
			return step;
	}
	fail_msg("a class that is none of the intent's open steps");
	return 0;
}

static bool same_class(const struct waiting *a, const struct waiting *b)
{
	return memcmp(&a->class_facets, &b->class_facets, sizeof a->class_facets) == 0;
}

static void check_properties(const struct crowd *crowd, uint32_t k, uint64_t tick_ms, size_t left)
{
	size_t counted = 0;
	for (size_t i = 0; i < crowd->count; i++) {
		const struct waiting *one = &crowd->waiting[i];
		if (!one->crowd)
			continue;
		counted++;
		assert_true(one->intent->expires_at_ms > tick_ms);
		assert_true(one->intent->ready_at_ms <= tick_ms);
		step_of(one, tick_ms);
		if (is_sensitive(one->intent))
			assert_int_equal(one->class_facets.category, HEALTH);
		if (one->crowd < k) {
			assert_true(one->intent->crowd_waived);
			assert_int_equal(one->crowd, 1);
			continue;
		}
		size_t company = 0; // of equals in every field vendors see, the crowd included
		for (size_t j = 0; j < crowd->count; j++)
			company += crowd->waiting[j].crowd == one->crowd && same_class(one, &crowd->waiting[j]);
		assert_true(company >= one->crowd);
		assert_int_equal(company % one->crowd, 0);
		assert_true(company >= k);
		if (!one->intent->crowd_waived)
			assert_true(one->intent->crowd_wish <= one->crowd);
	}
	assert_int_equal(counted, left);
}

// Nobody stays who could have left: no group of stayers that an open step makes equal has its wishes met.
static void check_nobody_was_forgotten(const struct crowd *crowd, uint32_t k, uint64_t tick_ms)
{
	for (size_t i = 0; i < crowd->count; i++) {
		const struct waiting_intent *intent = crowd->waiting[i].intent;
		if (crowd->waiting[i].crowd || intent->expires_at_ms <= tick_ms || intent->ready_at_ms > tick_ms)
			continue;
		assert_false(intent->crowd_waived);
		unsigned finest, coarsest;
		struct facets mine;
		release_open_steps(intent, tick_ms, &TREES, &finest, &coarsest);
		release_class(intent, coarsest, tick_ms, &TREES, &mine);
		uint32_t alike = 0, wish = intent->crowd_wish;
		for (size_t j = 0; j < crowd->count; j++) {
			const struct waiting_intent *other = crowd->waiting[j].intent;
			if (crowd->waiting[j].crowd || other->expires_at_ms <= tick_ms || other->ready_at_ms > tick_ms ||
			    other->crowd_wish > wish)
				continue;
			struct facets theirs;
			release_open_steps(other, tick_ms, &TREES, &finest, &coarsest);
			release_class(other, coarsest, tick_ms, &TREES, &theirs);
			alike += memcmp(&mine, &theirs, sizeof mine) == 0;
		}
		assert_true(alike < k || alike < wish);
	}
}

static void check_order_does_not_matter(struct crowd *crowd, uint32_t k, uint64_t tick_ms)
{
	static struct waiting before[CROWD_MAX];
	memcpy(before, crowd->waiting, crowd->count * sizeof *before);
	for (size_t i = crowd->count - 1; i > 0; i--) {
		size_t j = random_below((uint32_t)i + 1);
		struct waiting swap = crowd->waiting[i];
		crowd->waiting[i] = crowd->waiting[j];
		crowd->waiting[j] = swap;
	}
	void *scratch = malloc(release_scratch_bytes(crowd->count));
	release_tick(crowd->waiting, crowd->count, k, tick_ms, &TREES, scratch);
	free(scratch);
	for (size_t i = 0; i < crowd->count; i++) { // both are sorted by release id
		assert_ptr_equal(before[i].intent, crowd->waiting[i].intent);
		assert_int_equal(before[i].crowd, crowd->waiting[i].crowd);
		if (before[i].crowd)
			assert_true(same_class(&before[i], &crowd->waiting[i]));
	}
}

static void properties_of_random_crowds(void **state)
{
	static struct crowd crowd;
	size_t left_total = 0, coarse_total = 0;
	(void)state;
	for (int round = 0; round < 300; round++) {
		uint32_t k = 1 + random_below(8);
		crowd.count = 0;
		for (size_t n = 1 + random_below(CROWD_MAX - 1); n > 0; n--) {
			struct waiting_intent intent = random_intent();
			add(&crowd, intent, 1, intent.crowd_wish);
		}
		size_t left = tick(&crowd, k, TICK_MS);
		check_properties(&crowd, k, TICK_MS, left);
		check_nobody_was_forgotten(&crowd, k, TICK_MS);
		check_the_plain_way_agrees(&crowd, k, TICK_MS, left);
		for (size_t i = 0; i < crowd.count; i++)
			coarse_total += crowd.waiting[i].crowd && step_of(&crowd.waiting[i], TICK_MS) > 0;
		check_order_does_not_matter(&crowd, k, TICK_MS);
		left_total += left;
	}
	assert_true(left_total > 10000); // else the crowds are too thin to show anything
	assert_true(coarse_total > 1000);
}

// Tick after tick: who left stays away, everybody else gets a chance at coarser steps, nobody leaves twice.
static void a_crowd_over_time(void **state)
{
	static struct crowd crowd;
	static size_t left_at[RELEASE_STEPS + 3];
	(void)state;
	crowd.count = 0;
	for (size_t n = 0; n < CROWD_MAX; n++) {
		struct waiting_intent intent = random_intent();
		intent.posted_at_ms = TICK_MS;
		intent.ready_at_ms = 0;
		intent.patience_ms = RELEASE_STEPS * MINUTE_MS;
		intent.expires_at_ms = TICK_MS + 2 * DAY_MS;
		add(&crowd, intent, 1, intent.crowd_wish);
	}
	size_t total = 0;
	for (unsigned minute = 0; minute < RELEASE_STEPS + 3; minute++) {
		uint64_t now_ms = TICK_MS + minute * MINUTE_MS;
		size_t left = tick(&crowd, 5, now_ms), kept = 0;
		check_properties(&crowd, 5, now_ms, left);
		left_at[minute] = left;
		total += left;
		static struct waiting_intent staying[CROWD_MAX];
		for (size_t i = 0; i < crowd.count; i++) {
			if (!crowd.waiting[i].crowd)
				staying[kept++] = *crowd.waiting[i].intent;
		}
		memcpy(crowd.intents, staying, kept * sizeof *staying);
		assert_int_equal(kept, crowd.count - left);
		crowd.count = kept;
	}
	assert_true(left_at[0] > 0 && total > left_at[0]);
	assert_int_equal(left_at[RELEASE_STEPS] + left_at[RELEASE_STEPS + 1], 0); // nothing opens any more
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(needed_bands),
	    cmocka_unit_test(expiry_bands),
	    cmocka_unit_test(each_step_drops_one_thing_more),
	    cmocka_unit_test(country_without_regions_skips_that_level),
	    cmocka_unit_test(steps_open_with_time),
	    cmocka_unit_test(sensitive_categories_have_the_top_step_only),
	    cmocka_unit_test(nobody_waits),
	    cmocka_unit_test(k_of_one_releases_everything_at_once_with_real_crowds),
	    cmocka_unit_test(too_few_wait),
	    cmocka_unit_test(worked_example),
	    cmocka_unit_test(wishes),
	    cmocka_unit_test(the_waived_leave_alone_and_count_for_nobody),
	    cmocka_unit_test(the_finest_crowd_is_taken),
	    cmocka_unit_test(properties_of_random_crowds),
	    cmocka_unit_test(a_crowd_over_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
