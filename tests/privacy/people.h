// Simulated people with habits, their posts, and the moments their wallets are on line. What is assumed about them
// stands in people.c and in `struct habits`; RESULTS.md lists it in words.
#ifndef OYEZ_TESTS_PRIVACY_PEOPLE_H
#define OYEZ_TESTS_PRIVACY_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/filter.h"
#include "broker/core/release.h"

enum { DEPARTMENT_COUNT = 96 };
struct department {
	const char *code;
	uint32_t thousands;
};
extern const struct department DEPARTMENTS[DEPARTMENT_COUNT];

// A Monday: weekdays are counted from here.
#define WORLD_START_MS (20003 * DAY_MS)

struct habits {
	uint32_t wallets, days;
	double posts_per_day;  // of all wallets together
	double habit;          // how often a person does as usual, 0 to 1
	double zipf;           // exponent of the categories' popularity
	double optional_share; // multiplies the chance that an optional facet is given
	bool flat_regions;     // every department alike, instead of by inhabitants
	bool one_size;         // nobody departs from the defaults for terms, vendor rules, expiry, wish, coarsest step
	double waived_share;
	uint64_t patience_ms;
};
struct habits habits_ordinary(double posts_per_day, uint32_t days);

struct post {
	uint32_t number; // in people.posts; beyond it for an intruder's
	uint32_t wallet; // WALLET_FAKE for an intruder's
	uint32_t target; // of a fake: the post it is aimed at, UINT32_MAX for none
	struct waiting_intent intent;
	double hold_unit;  // exponential of mean 1: times the hold's mean
	uint64_t ended_ms; // the person withdraws or accepts, or the intent expires
};
#define WALLET_FAKE UINT32_MAX

struct online {
	uint64_t start_ms, end_ms;
};

struct people {
	struct habits habits;
	struct trees trees;
	struct post *posts; // in order of time
	uint32_t post_count;
	struct online *online;  // by wallet, then in order of time; they do not overlap
	uint32_t *online_first; // wallets + 1 entries
};

void people_init(struct people *people, const struct habits *habits, uint64_t seed);
void people_fini(struct people *people);
// The end of the first half: an attacker learns before it and is tried after it.
static inline uint64_t people_half_ms(const struct people *people)
{
	return WORLD_START_MS + people->habits.days / 2 * DAY_MS;
}

#endif
