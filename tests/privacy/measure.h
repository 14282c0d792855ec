// What the figures of RESULTS.md are: counted over an outcome, printed as one line of tab-separated text each.
#ifndef OYEZ_TESTS_PRIVACY_MEASURE_H
#define OYEZ_TESTS_PRIVACY_MEASURE_H

#include "attack.h"

// Where a figure belongs. Printed in this order: seed, table, load, patience, k, hold, variant, name, value.
struct heading {
	uint64_t seed;
	const char *table;
	struct habits habits;
	struct protection protection;
	const char *variant;
};
void print_figure(const struct heading *heading, const char *name, double value);
void print_precision(const struct heading *heading, const char *name, const struct precision *precision);

// Releases that were not waived and whose class (equal facets, same tick), or whose printed crowd, is smaller than k;
// and releases whose printed crowd is not the size of their class. Both must be 0. Not for runs with an intruder.
uint32_t count_below_k(const struct people *people, const struct outcome *outcome, uint32_t k);
// Share of releases that nobody else's facets equal, in the whole time.
double share_unique(const struct outcome *outcome);
// The same for the posts as they were posted, in bands.
double share_unique_posts(const struct people *people);
// Everything about waiting, crowds and steps.
void print_crowds(const struct heading *heading, const struct people *people, const struct outcome *outcome);

#endif
