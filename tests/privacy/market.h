// Runs the broker's own release code (broker/core/release.c) over simulated posts and writes down what it publishes.
#ifndef OYEZ_TESTS_PRIVACY_MARKET_H
#define OYEZ_TESTS_PRIVACY_MARKET_H

#include "people.h"

// What the broker is set to.
struct protection {
	uint32_t k;
	uint64_t tick_ms;
	double hold_ms;    // mean; 0 = none
	bool in_one_piece; // one release_tick over everything at every tick: slow, to check the fast way against
};

// An attacker with tokens, who posts intents that nobody wants.
struct intruder {
	uint32_t aim_every; // aims at each n-th post: `fakes` that are its copies and climb with it, until its release
	uint32_t standing;  // or: keeps so many waiting in the last step's commonest class of the category below
	uint32_t fakes;
	uint32_t standing_top; // a category of depth 1
};

struct release {
	uint32_t post;
	uint64_t at_ms;
	struct facets facets;
	uint32_t crowd;   // as published
	uint32_t honest;  // of them not an intruder's
	uint32_t persons; // different wallets among these
	uint8_t step;     // the first whose class is this one
};

struct outcome {
	struct release *releases; // in order of time
	uint32_t release_count;
	uint32_t *release_of; // by post: its release, UINT32_MAX if it was never released
	uint64_t end_ms;      // nothing is known after it
	uint64_t tokens;      // spent by the intruder
};

// `intruder` may be NULL. Releases of fakes are not written down.
// Sets the posts' ends of hold.
void market_run(struct people *people, const struct protection *protection, const struct intruder *intruder,
                uint64_t seed, struct outcome *out);
void outcome_fini(struct outcome *outcome);

#endif
