// oyez-crowd: ordinary simulated wallets, so that a demonstration has a crowd. Internal to its files.
//
//   crowd.c          flags, the refusal of brokers that are no demonstration, the clock of the run
//   crowd_people.c   who they are and what they want: a Zipf of categories, French regions, daily rhythms
//   crowd_wallets.c  their wallets: posting, reading offers, accepting, withdrawing, by liboyez like everybody
#ifndef OYEZ_BOT_CROWD_H
#define OYEZ_BOT_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/lib/oyez.h"

enum { CROWD_PLACES_MAX = 512, CROWD_WALLETS_MAX = 2000, CROWD_ADDRESS_MAX = 32 };

// ---- randomness, from the seed alone (xorshift64*): the same run twice wants the same things
struct dice {
	uint64_t state;
};
double dice_unit(struct dice *dice); // [0, 1)
size_t dice_below(struct dice *dice, size_t count);
bool dice_chance(struct dice *dice, double probability);
double dice_exponential(struct dice *dice, double mean);

// ---- crowd_people.c
struct weighted {
	const char *name;
	double weight;
};
struct people {
	struct weighted categories[CROWD_PLACES_MAX], regions[CROWD_PLACES_MAX];
	size_t category_count, region_count;
	double category_sum, region_sum;
};
// `categories` and `regions` given by the person (none: all leaves of the built-in taxonomy that are not sensitive, and
// the French départements by population). Zipf: the n-th category is wanted 1/n as often. NULL, or the unknown one.
const char *people_init(struct people *people, const char *const *categories, size_t category_count,
                        const char *const *regions, size_t region_count, struct dice *dice);
// What one of them wants next; strings live as long as `people`.
void people_want(const struct people *people, struct dice *dice, struct oyez_want *want);
// How lively an hour of the day is; 1 on average over the day.
double people_liveliness(double hour);
// A made-up card, as text; valid until the next call.
const char *people_card(struct dice *dice);

// ---- crowd_wallets.c
struct crowd_options {
	const char *broker, *guardian, *home;
	size_t wallets;
	double posts_per_minute, accept, withdraw; // the latter two: of their intents
	uint64_t seed, duration_ms, patience_ms, expires_ms;
	uint32_t coarsest;
	bool flat, json, has_coarsest;
};
struct crowd;
struct crowd_numbers {
	uint64_t posts, refused, offers_seen, accepted, withdrawn, problems;
};
// Opens the wallets in `home`, making those that are missing.
enum err crowd_new(const struct crowd_options *options, const struct people *people, struct dice *dice,
                   struct crowd **out, struct oyez_error *error);
void crowd_free(struct crowd *crowd);
// ERR_USAGE when the broker does not announce a demonstration.
enum err crowd_check_demo(struct crowd *crowd, struct oyez_error *error);
// One of them posts; another one looks at what came.
enum err crowd_post(struct crowd *crowd, struct oyez_error *error);
void crowd_look(struct crowd *crowd);
const struct crowd_numbers *crowd_numbers(const struct crowd *crowd);

#endif
