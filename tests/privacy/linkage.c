// The full measurement for one seed: every figure of RESULTS.md, one line each (measure.h). tests/privacy/run calls it
// for several seeds; linkage_check is the short version that tests itself.
// usage: linkage SEED
#include <stdio.h>
#include <stdlib.h>

#include "delay.h"
#include "measure.h"
#include "pairs.h"
#include "tokens.h"

enum { TRIES = 8000, TRIES_PRESENCE = 1000, TRIES_PAIRS = 3000, TRIES_SCHEDULE = 300, TRIES_DELAY = 3000 };
#define TICK_MS_DEFAULT (5 * SECOND_MS)
#define HOLD_DEFAULT (10.0 * MINUTE_MS)

struct run {
	struct heading heading;
	struct people people;
	struct outcome outcome;
	struct attacker *attacker;
};

static void run_begin(struct run *run, uint64_t seed, struct habits habits, uint32_t k, double hold_ms,
                      const char *variant)
{
	struct protection protection = {.k = k, .tick_ms = TICK_MS_DEFAULT, .hold_ms = hold_ms};
	run->heading = (struct heading){seed, "", habits, protection, variant};
	people_init(&run->people, &habits, seed);
	market_run(&run->people, &protection, NULL, seed, &run->outcome);
	run->attacker = attacker_new(&run->people, &run->outcome);
}

static void run_end(struct run *run)
{
	attacker_free(run->attacker);
	outcome_fini(&run->outcome);
	people_fini(&run->people);
}

static void print_names(struct run *run)
{
	static const char *const NAMES[] = {"", "class", "times", "class and times"};
	run->heading.table = "name";
	for (unsigned clues = CLUE_CLASS; clues <= (CLUE_CLASS | CLUE_TIMES); clues++) {
		struct precision found = attack_name(&run->people, &run->outcome, run->attacker, clues, TRIES);
		print_precision(&run->heading, NAMES[clues], &found);
		if (clues == CLUE_CLASS)
			print_figure(&run->heading, "most active", found.most_active);
	}
}

static void print_pairs(struct run *run, const char *name, unsigned clues, enum network network, uint32_t tries)
{
	run->heading.table = "link";
	struct precision found = pairs_link(&run->people, &run->outcome, clues, network, tries, run->heading.seed);
	print_precision(&run->heading, name, &found);
}

static void print_presence(struct run *run, enum network network)
{
	run->heading.table = "presence";
	struct precision found = presence_name(&run->people, &run->outcome, run->attacker, network, 0, TRIES_PRESENCE);
	print_precision(&run->heading, "named by presence", &found);
	print_pairs(run, "presence", CLUE_PRESENCE, network, network == NETWORK_DIRECT ? TRIES_PRESENCE : TRIES_SCHEDULE);
	if (network == NETWORK_DIRECT) {
		run->heading.table = "presence";
		found =
		    presence_name(&run->people, &run->outcome, run->attacker, network, CLUE_CLASS | CLUE_TIMES, TRIES_PRESENCE);
		print_precision(&run->heading, "named by all", &found);
		print_pairs(run, "all", CLUE_CLASS | CLUE_TIMES | CLUE_PRESENCE, network, TRIES_PRESENCE);
	}
}

static void print_delays(struct run *run)
{
	static const double ANSWER_HOLDS_MIN[] = {0, 1, 3, 10, 30};
	struct precision found;
	run->heading.table = "delay";
	found = delay_release(&run->people, &run->outcome, NULL, 0, TRIES_DELAY);
	print_precision(&run->heading, "release", &found);
	found = delay_release(&run->people, &run->outcome, run->attacker, CLUE_CLASS, TRIES_DELAY);
	print_precision(&run->heading, "release and class", &found);
	if (run->heading.protection.hold_ms != HOLD_DEFAULT)
		return;
	for (size_t i = 0; i < sizeof ANSWER_HOLDS_MIN / sizeof *ANSWER_HOLDS_MIN; i++) {
		struct heading heading = run->heading;
		heading.protection.hold_ms = ANSWER_HOLDS_MIN[i] * MINUTE_MS;
		found = delay_answer(&run->people, &run->outcome, heading.protection.hold_ms, TICK_MS_DEFAULT, TRIES_DELAY,
		                     heading.seed);
		print_precision(&heading, "answer", &found);
	}
}

enum part { PART_CROWDS = 1, PART_NAMES = 2, PART_PAIRS = 4, PART_DIRECT = 8, PART_BOXES = 16, PART_DELAYS = 32 };

static void measure(uint64_t seed, struct habits habits, uint32_t k, double hold_ms, const char *variant,
                    unsigned parts)
{
	struct run run;
	run_begin(&run, seed, habits, k, hold_ms, variant);
	run.heading.table = "crowd";
	if (parts & PART_CROWDS)
		print_crowds(&run.heading, &run.people, &run.outcome);
	if (parts & PART_NAMES)
		print_names(&run);
	if (parts & PART_PAIRS) {
		print_pairs(&run, "class", CLUE_CLASS, NETWORK_DIRECT, TRIES_PAIRS);
		print_pairs(&run, "times", CLUE_TIMES, NETWORK_DIRECT, TRIES_PAIRS);
		print_pairs(&run, "class and times", CLUE_CLASS | CLUE_TIMES, NETWORK_DIRECT, TRIES_PAIRS);
	}
	if (parts & PART_DIRECT)
		print_presence(&run, NETWORK_DIRECT);
	if (parts & PART_BOXES)
		print_presence(&run, NETWORK_TWO_BROKERS);
	if (parts & PART_DELAYS)
		print_delays(&run);
	run_end(&run);
}

static struct habits habits_patient(double load, uint32_t days, double patience_min)
{
	struct habits habits = habits_ordinary(load, days);
	habits.patience_ms = (uint64_t)(patience_min * MINUTE_MS);
	return habits;
}

// How long each kind of run lasts: waiting and expiry need weeks, the rest can do with less where there is more to see.
struct spans {
	double load;
	uint32_t main_days, direct_days, short_days;
};

static void measure_load(uint64_t seed, struct spans spans)
{
	static const double HOLDS_MIN[] = {1, 30, 60};
	const unsigned all = PART_CROWDS | PART_NAMES | PART_PAIRS;
	const double load = spans.load;
	const uint32_t days = spans.short_days;
	measure(seed, habits_ordinary(load, spans.direct_days), 1, 0, "off", all | PART_DELAYS);
	measure(seed, habits_ordinary(load, spans.direct_days), 5, 0, "direct", all | PART_DIRECT | PART_DELAYS);
	measure(seed, habits_ordinary(load, spans.main_days), 5, HOLD_DEFAULT, "two", all | PART_BOXES | PART_DELAYS);
	for (double patience_min = 60; patience_min <= 360; patience_min *= 6)
		measure(seed, habits_patient(load, days, patience_min), 5, HOLD_DEFAULT, "two", PART_CROWDS | PART_NAMES);
	for (uint32_t k = 10; k <= 20; k += 10)
		measure(seed, habits_ordinary(load, days), k, HOLD_DEFAULT, "two", PART_CROWDS | PART_NAMES);
	for (size_t i = 0; i < sizeof HOLDS_MIN / sizeof *HOLDS_MIN; i++)
		measure(seed, habits_ordinary(load, days), 5, HOLDS_MIN[i] * MINUTE_MS, "two", PART_DELAYS);
}

static void measure_assumptions(uint64_t seed)
{
	struct habits habits = habits_ordinary(2000, 6);
	const unsigned parts = PART_CROWDS | PART_NAMES | PART_PAIRS;
	measure(seed, habits, 5, HOLD_DEFAULT, "as assumed", parts);
#define WITH(field, value, variant)                                                                                    \
	do {                                                                                                               \
		struct habits changed = habits;                                                                                \
		changed.field = value;                                                                                         \
		measure(seed, changed, 5, HOLD_DEFAULT, variant, parts);                                                       \
	} while (0)
	WITH(habit, 0.2, "weak habits (0.2)");
	WITH(habit, 0.9, "strong habits (0.9)");
	WITH(zipf, 0.7, "flatter categories (Zipf 0.7)");
	WITH(zipf, 1.3, "steeper categories (Zipf 1.3)");
	WITH(flat_regions, true, "departments all alike");
	WITH(one_size, true, "nobody changes defaults");
	WITH(optional_share, 0, "no optional facets");
	WITH(wallets, 500, "500 wallets");
	WITH(wallets, 8000, "8,000 wallets");
	WITH(waived_share, 0.05, "1 in 20 waives the crowd");
#undef WITH
}

static void print_crowd_left(const struct heading *heading, uint32_t fakes, const struct crowd_left *left)
{
	char name[40];
	snprintf(name, sizeof name, "honest, %u fakes", fakes);
	print_figure(heading, name, left->honest);
	snprintf(name, sizeof name, "alone, %u fakes", fakes);
	print_figure(heading, name, left->alone);
	snprintf(name, sizeof name, "tokens, %u fakes", fakes);
	print_figure(heading, name, left->tokens);
	snprintf(name, sizeof name, "targets, %u fakes", fakes);
	print_figure(heading, name, left->targets);
}

static void measure_tokens(uint64_t seed)
{
	struct habits habits = habits_ordinary(2000, 4);
	struct people people;
	people_init(&people, &habits, seed);
	for (uint32_t k = 5; k <= 20; k *= 2) {
		struct protection protection = {.k = k, .tick_ms = TICK_MS_DEFAULT, .hold_ms = HOLD_DEFAULT};
		struct heading heading = {seed, "tokens", habits, protection, "aimed"};
		for (uint32_t fakes = 0; fakes <= k; fakes += k == 5 ? 1 : k / 2 - fakes / (k / 2)) {
			struct crowd_left left = crowd_left_aimed(&people, &protection, fakes, seed);
			print_crowd_left(&heading, fakes, &left);
		}
		heading.variant = "standing";
		for (uint32_t fakes = 0; fakes <= k; fakes += k - 1) {
			struct crowd_left left = crowd_left_standing(&people, &protection, fakes, seed);
			print_crowd_left(&heading, fakes, &left);
		}
	}
	people_fini(&people);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: linkage SEED\n");
		return 2;
	}
	uint64_t seed = strtoull(argv[1], NULL, 10);
	measure_tokens(seed);
	measure_load(seed, (struct spans){500, 28, 28, 14});
	measure_load(seed, (struct spans){2000, 14, 14, 6});
	measure_assumptions(seed);
	measure_load(seed, (struct spans){10000, 6, 4, 2});
	return 0;
}
