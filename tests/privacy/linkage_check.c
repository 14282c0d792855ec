// The short measurement, which tests itself: the promises that must hold exactly, and that the attackers are good
// enough for the figures to mean anything. Prints what it found; fails when a border is crossed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delay.h"
#include "measure.h"
#include "pairs.h"
#include "tokens.h"

enum { SEED = 1, TRIES = 2000, TRIES_PRESENCE = 300, TRIES_SCHEDULE = 300 };
#define TICK_MS_DEFAULT (5 * SECOND_MS)
#define HOLD_DEFAULT (10.0 * MINUTE_MS)

static unsigned failures;

static void expect(bool holds, const char *what, double value)
{
	printf("%s  %-86s %.4g\n", holds ? "ok    " : "FAILED", what, value);
	fflush(stdout);
	failures += !holds;
}

static int compare_releases(const void *left, const void *right)
{
	const struct release *a = left, *b = right;
	return (a->post > b->post) - (a->post < b->post);
}

// The simulation's shortcuts (market.c) against one release_tick over everybody at each tick.
static void check_shortcuts(void)
{
	struct habits habits = habits_ordinary(1500, 1);
	struct protection fast = {.k = 4, .tick_ms = 20 * SECOND_MS, .hold_ms = MINUTE_MS}, slow = fast;
	struct people people;
	struct outcome one, other;
	habits.waived_share = 0.05;
	slow.in_one_piece = true;
	people_init(&people, &habits, SEED);
	market_run(&people, &fast, NULL, SEED, &one);
	market_run(&people, &slow, NULL, SEED, &other);
	expect(one.release_count > 0 && one.release_count == other.release_count, "shortcuts: as many releases",
	       one.release_count);
	qsort(one.releases, one.release_count, sizeof *one.releases, compare_releases);
	qsort(other.releases, other.release_count, sizeof *other.releases, compare_releases);
	uint32_t differ = 0;
	for (uint32_t i = 0; i < one.release_count && i < other.release_count; i++) {
		const struct release *a = &one.releases[i], *b = &other.releases[i];
		differ += a->post != b->post || a->at_ms != b->at_ms || a->crowd != b->crowd ||
		          memcmp(&a->facets, &b->facets, sizeof a->facets) != 0;
	}
	expect(differ == 0, "shortcuts: releases that differ", differ);
	outcome_fini(&one);
	outcome_fini(&other);
	people_fini(&people);
}

static void check_crowds(const struct people *people, struct outcome *outcome, uint32_t k)
{
	uint32_t small = count_below_k(people, outcome, k), middle = outcome->release_count / 2;
	expect(small == 0, "releases in a class smaller than k, or with a wrong crowd", small);
	double unique = share_unique(outcome);
	expect(unique == 0, "share of releases unique among all", unique);
	expect(share_unique_posts(people) > 0.5, "  the same for the posts as posted", share_unique_posts(people));
	// Could the count fail at all? One release a little finer than its crowd.
	struct facets kept = outcome->releases[middle].facets;
	outcome->releases[middle].facets.language ^= 0x0101;
	expect(count_below_k(people, outcome, k) > 0, "  a release shown finer than its crowd is noticed",
	       count_below_k(people, outcome, k));
	outcome->releases[middle].facets = kept;
}

static void check_waivers(void)
{
	struct habits habits = habits_ordinary(2000, 2);
	struct protection protection = {.k = 5, .tick_ms = TICK_MS_DEFAULT};
	struct people people;
	struct outcome outcome;
	uint32_t alone = 0;
	habits.waived_share = 0.1;
	people_init(&people, &habits, SEED);
	market_run(&people, &protection, NULL, SEED, &outcome);
	for (uint32_t i = 0; i < outcome.release_count; i++)
		alone += outcome.releases[i].crowd == 1;
	expect(alone > 0, "with waivers: releases alone, at their owner's wish", alone);
	expect(count_below_k(&people, &outcome, 5) == 0, "with waivers: others in a class smaller than k",
	       count_below_k(&people, &outcome, 5));
	outcome_fini(&outcome);
	people_fini(&people);
}

// Protections off: the attackers must find people, else what follows shows nothing.
static double check_attackers(struct people *people, double random)
{
	struct protection off = {.k = 1, .tick_ms = TICK_MS_DEFAULT};
	struct outcome outcome;
	market_run(people, &off, NULL, SEED, &outcome);
	struct attacker *attacker = attacker_new(people, &outcome);
	struct precision class = attack_name(people, &outcome, attacker, CLUE_CLASS, TRIES);
	struct precision times = attack_name(people, &outcome, attacker, CLUE_TIMES, TRIES);
	struct precision pairs = pairs_link(people, &outcome, CLUE_CLASS | CLUE_TIMES, NETWORK_DIRECT, TRIES, SEED);
	struct precision delay = delay_release(people, &outcome, NULL, 0, TRIES);
	expect(class.named > 400 * random, "protections off: caller named by the class (random: 0.0005)", class.named);
	expect(times.named > 6 * random, "protections off: caller named by the time (random: 0.0005)", times.named);
	expect(pairs.named > 0.4, "protections off: same caller picked out of 100", pairs.named);
	expect(delay.named > 0.5, "protections off: caller named by who was just sending", delay.named);
	attacker_free(attacker);
	outcome_fini(&outcome);
	return class.named;
}

static void check_direct(struct people *people)
{
	struct protection direct = {.k = 5, .tick_ms = TICK_MS_DEFAULT};
	struct outcome outcome;
	market_run(people, &direct, NULL, SEED, &outcome);
	struct precision seen = pairs_link(people, &outcome, CLUE_PRESENCE, NETWORK_DIRECT, TRIES_PRESENCE, SEED);
	expect(seen.named > 0.7, "direct: same caller picked out of 100 by presence (it links)", seen.named);
	outcome_fini(&outcome);
}

static void check_two_brokers(struct people *people, double random, double off)
{
	struct protection two = {.k = 5, .tick_ms = TICK_MS_DEFAULT, .hold_ms = HOLD_DEFAULT};
	struct outcome outcome;
	market_run(people, &two, NULL, SEED, &outcome);
	struct attacker *attacker = attacker_new(people, &outcome);
	check_crowds(people, &outcome, 5);
	struct precision class = attack_name(people, &outcome, attacker, CLUE_CLASS, TRIES);
	struct precision times = attack_name(people, &outcome, attacker, CLUE_TIMES, TRIES);
	expect(class.named < off / 4, "k = 5: caller named by the class", class.named);
	expect(times.named < 20 * random, "k = 5, hold 10 min: caller named by the time", times.named);
	struct precision named = presence_name(people, &outcome, attacker, NETWORK_TWO_BROKERS, 0, TRIES_SCHEDULE);
	struct precision seen = pairs_link(people, &outcome, CLUE_PRESENCE, NETWORK_TWO_BROKERS, TRIES_SCHEDULE, SEED);
	expect(named.named < 0.04, "two brokers: caller named by presence", named.named);
	expect(seen.named < 0.08, "two brokers: same caller picked out of 100 by presence (random: 0.01)", seen.named);
	struct precision delay = delay_release(people, &outcome, NULL, 0, TRIES);
	expect(delay.named < 0.15, "two brokers, hold 10 min: caller named by who was sending before", delay.named);
	attacker_free(attacker);
	outcome_fini(&outcome);
}

static void check_tokens(void)
{
	struct habits habits = habits_ordinary(2000, 2);
	struct protection protection = {.k = 5, .tick_ms = TICK_MS_DEFAULT};
	struct people people;
	people_init(&people, &habits, SEED);
	struct crowd_left none = crowd_left_aimed(&people, &protection, 0, SEED);
	struct crowd_left four = crowd_left_aimed(&people, &protection, 4, SEED);
	expect(none.honest >= 5, "no fakes: honest posts in a target's class", none.honest);
	expect(four.alone > 0.5, "4 fakes of its very class: targets alone (tokens do buy that)", four.alone);
	people_fini(&people);
}

int main(void)
{
	struct habits habits = habits_ordinary(2000, 8);
	struct people people;
	check_shortcuts();
	check_waivers();
	check_tokens();
	people_init(&people, &habits, SEED);
	double random = 1.0 / habits.wallets, off = check_attackers(&people, random);
	check_direct(&people);
	check_two_brokers(&people, random, off);
	people_fini(&people);
	printf("%s\n", failures ? "FAILED" : "all borders hold");
	return failures != 0;
}
