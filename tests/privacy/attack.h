// An attacker who knows the past: for half of the time it saw whose every post was; then it names the caller of each
// new release, out of all wallets. A naive Bayes classifier with smoothing towards the population.
#ifndef OYEZ_TESTS_PRIVACY_ATTACK_H
#define OYEZ_TESTS_PRIVACY_ATTACK_H

#include "market.h"

// What it looks at. A bit each.
enum clue { CLUE_CLASS = 1, CLUE_TIMES = 2, CLUE_PRESENCE = 4, CLUE_DELAY = 8 };

struct precision {
	double named;       // share of tried releases whose caller it names rightly at the first guess
	double in_ten;      // ... whose caller is among its first ten guesses
	double most_active; // by naming the most active wallet of the first half each time
	uint32_t tried;
};

struct attacker; // learned from the first half
struct attacker *attacker_new(const struct people *people, const struct outcome *outcome);
void attacker_free(struct attacker *attacker);
// Adds log P(what the release shows | wallet) for every wallet. CLUE_CLASS and CLUE_TIMES only.
void attacker_score(const struct attacker *attacker, const struct release *release, unsigned clues, float *scores);
// How active each wallet was: log of the prior.
const float *attacker_prior(const struct attacker *attacker);

// Counts one try: is `right` the best, or among the ten best? Ties are guesses.
void precision_add(struct precision *precision, const float *scores, uint32_t count, uint32_t right);
void precision_close(struct precision *precision);

// Tries `clues` on up to `tries_max` releases of the second half.
struct precision attack_name(const struct people *people, const struct outcome *outcome,
                             const struct attacker *attacker, unsigned clues, uint32_t tries_max);

// Steps through the second half's releases so that about `wanted` are taken, evenly spread.
struct sample {
	uint32_t first, count;
	double stride;
};
struct sample sample_second_half(const struct people *people, const struct outcome *outcome, uint32_t wanted);
uint32_t sample_at(const struct sample *sample, uint32_t index);

#endif
