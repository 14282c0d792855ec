// What a benchmark says: one figure a line, for people or as JSON, with its peer or limit of the same run and the goal.
// And how it reads its options.
#ifndef OYEZ_TESTS_BENCH_FIGURES_H
#define OYEZ_TESTS_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

enum goal_kind {
	GOAL_NONE,
	RATIO_AT_LEAST, // ours / peer
	RATIO_AT_MOST,
	VALUE_AT_LEAST, // ours alone
	VALUE_AT_MOST,
};

struct figure {
	const char *bench, *what;
	double size; // how many of what `size_of` says; 0: none
	const char *size_of;
	const char *unit; // of ours and peer
	double ours, peer;
	const char *peer_name; // NULL: none
	enum goal_kind kind;
	double goal;
};
void figure_print(const struct figure *figure, bool json);

// Sorts them.
double figure_quantile(double *values, size_t count, double share);
static inline double figure_median(double *values, size_t count)
{
	return figure_quantile(values, count, 0.5);
}

// --name VALUE, and --name alone for flags.
struct option_of {
	const char *name;
	double *number;
	bool *flag;
};
// Ends the program with 2 for anything else.
void options_read(int argc, char **argv, const struct option_of *options, size_t count);

#endif
