// The attacker's posts go through the same release code as everybody's.
#include "tokens.h"

#include <stdlib.h>

enum { AIM_EVERY = 47, TOPS_MAX = 4096 };

static void count_target(struct crowd_left *left, const struct release *release)
{
	left->honest += release->honest;
	left->alone += release->honest == 1;
	left->targets++;
}

static void close_count(struct crowd_left *left)
{
	if (left->targets == 0)
		return;
	left->honest /= left->targets;
	left->alone /= left->targets;
}

struct crowd_left crowd_left_aimed(struct people *people, const struct protection *protection, uint32_t fakes,
                                   uint64_t seed)
{
	struct intruder intruder = {.aim_every = AIM_EVERY, .fakes = fakes};
	struct crowd_left left = {.tokens = fakes};
	struct outcome outcome;
	market_run(people, protection, &intruder, seed, &outcome);
	for (uint32_t i = 0; i < outcome.release_count; i++)
		if (outcome.releases[i].post % AIM_EVERY == 0)
			count_target(&left, &outcome.releases[i]);
	outcome_fini(&outcome);
	close_count(&left);
	return left;
}

static uint32_t busiest_top(const struct people *people)
{
	uint32_t *counts = calloc(TOPS_MAX, sizeof *counts), best = 0;
	for (uint32_t i = 0; i < people->post_count; i++) {
		uint32_t top = tree_climb(people->trees.categories, people->posts[i].intent.facets.category, 1);
		if (top < TOPS_MAX && ++counts[top] > counts[best])
			best = top;
	}
	free(counts);
	return best;
}

struct crowd_left crowd_left_standing(struct people *people, const struct protection *protection, uint32_t fakes,
                                      uint64_t seed)
{
	struct intruder intruder = {.standing = fakes, .standing_top = busiest_top(people)};
	struct crowd_left left = {0};
	struct outcome outcome;
	market_run(people, protection, &intruder, seed, &outcome);
	for (uint32_t i = 0; i < outcome.release_count; i++) {
		const struct facets *facets = &outcome.releases[i].facets;
		if (facets->category == intruder.standing_top && people->trees.regions->depth[facets->region] == 1 &&
		    facets->terms == 1 && facets->rating_band == 0 && facets->country_count == 0 && facets->expires == 3)
			count_target(&left, &outcome.releases[i]);
	}
	left.tokens = (double)outcome.tokens / people->habits.days;
	outcome_fini(&outcome);
	close_count(&left);
	return left;
}
