// The seeded simulator: thousands of random steps of customers, vendors, crashes and a bad network, for each of many
// seeds; after every batch everything is compared with a dumb model of the broker, and the design's invariants 1, 2,
// 3, 4, 6, 8 and 9 are checked (tests/sim/world.h says how).
//
//   test_sim                                     the default run
//   OYEZ_SIM_SEED=7 OYEZ_SIM_STEPS=2000 test_sim one seed again, with every step told (OYEZ_SIM_QUIET=1: without)
//   OYEZ_SIM_SEEDS=100000 test_sim               more seeds
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SEEDS = 250, STEPS = 2000 }; // each step takes several times as long
#else
enum { SEEDS = 1000, STEPS = 2000 };
#endif

static unsigned long long number_from(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

// Invariant 9: whatever the broker logs goes to stderr, and only a jump of the clock is worth a line here.
static FILE *catch_log(void)
{
	FILE *log = tmpfile();
	if (!log || dup2(fileno(log), STDERR_FILENO) < 0)
		abort();
	return log;
}

static int check_log(FILE *log)
{
	char line[512];
	rewind(log);
	while (fgets(line, sizeof line, log)) {
		if (strstr(line, "\"event\":\"clock_held\""))
			continue;
		printf("FAILED: the broker logged: %s\n", line);
		return 1;
	}
	return 0;
}

static void print_totals(const struct totals *totals, double seconds)
{
	printf("%llu seeds, %llu steps, %llu commands in %llu batches, %.1f s\n", (unsigned long long)totals->seeds,
	       (unsigned long long)totals->steps, (unsigned long long)totals->commands, (unsigned long long)totals->batches,
	       seconds);
#define PRINT(name) printf("  %-16s %llu\n", #name, (unsigned long long)totals->name)
	PRINT(posts);
	PRINT(releases);
	PRINT(offers);
	PRINT(accepts);
	PRINT(countersigned);
	PRINT(revealed);
	PRINT(concluded);
	PRINT(lapsed);
	PRINT(withdrawn);
	PRINT(expired);
	PRINT(deliveries);
	PRINT(tombstones);
	PRINT(parked);
	PRINT(held_back);
	PRINT(let_out);
	PRINT(refusals);
	PRINT(conflicts);
	PRINT(repeats);
	PRINT(crashes);
	PRINT(failed_commits);
	PRINT(jumps);
	PRINT(holds);
	PRINT(scans);
	PRINT(scans_late);
#undef PRINT
}

int main(void)
{
	struct totals totals = {0};
	int steps = (int)number_from("OYEZ_SIM_STEPS", STEPS);
	clock_t start = clock();
	FILE *log = catch_log();
	if (getenv("OYEZ_SIM_SEED")) {
		world_run(number_from("OYEZ_SIM_SEED", 1), steps, !getenv("OYEZ_SIM_QUIET"), &totals);
	} else {
		unsigned long long seeds = number_from("OYEZ_SIM_SEEDS", SEEDS), first = number_from("OYEZ_SIM_FIRST", 1);
		for (unsigned long long seed = first; seed < first + seeds; seed++)
			world_run(seed, steps, false, &totals);
	}
	print_totals(&totals, (double)(clock() - start) / CLOCKS_PER_SEC);
	return check_log(log);
}
