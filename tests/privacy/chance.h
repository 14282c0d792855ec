// Seeded randomness for the simulation: the same seed gives the same world on every machine. Not for keys.
#ifndef OYEZ_TESTS_PRIVACY_CHANCE_H
#define OYEZ_TESTS_PRIVACY_CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

// A stream of its own for each (seed, purpose): one purpose drawing more does not move another's numbers.
struct chance chance_of(uint64_t seed, uint64_t purpose);
uint64_t chance_bits(struct chance *chance);
double chance_unit(struct chance *chance);                    // (0, 1)
uint32_t chance_below(struct chance *chance, uint32_t limit); // [0, limit)
double chance_exponential(struct chance *chance, double mean);
double chance_normal(struct chance *chance);
uint32_t chance_poisson(struct chance *chance, double mean); // small means
// An index by weight; `running` holds the running sums of the weights.
uint32_t chance_pick(struct chance *chance, const double *running, uint32_t count);
// Replaces weights by their running sums.
void chance_running(double *weights, uint32_t count);

#endif
