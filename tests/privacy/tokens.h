// How many honest posts are left in a crowd when an attacker fills it up, and what that costs in tokens.
#ifndef OYEZ_TESTS_PRIVACY_TOKENS_H
#define OYEZ_TESTS_PRIVACY_TOKENS_H

#include "measure.h"

struct crowd_left {
	double honest; // mean honest posts in the target's class, the target included
	double alone;  // share of targets that are the only honest one
	double tokens; // spent for each target; standing fakes: for each day
	uint32_t targets;
};

// The worst case: the attacker knows the target's whole class, and when it posts; `fakes` copies of it wait with it,
// climb with it, and are taken back when it has gone.
struct crowd_left crowd_left_aimed(struct people *people, const struct protection *protection, uint32_t fakes,
                                   uint64_t seed);
// Knowing less: `fakes` always wait in the last step's class of the busiest top category, with everybody's defaults;
// who is used up is replaced. The targets are all who leave in that class.
struct crowd_left crowd_left_standing(struct people *people, const struct protection *protection, uint32_t fakes,
                                      uint64_t seed);

#endif
