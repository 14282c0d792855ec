// An observer beside the people (their network, or their guardian) sees that a wallet sends something, not what. With
// the public feed beside it: whose was this release, this end, this answer? This is what holds are for.
#ifndef OYEZ_TESTS_PRIVACY_DELAY_H
#define OYEZ_TESTS_PRIVACY_DELAY_H

#include "attack.h"

// Names the caller of releases by the moments of sending alone, or with the clues of `attacker` (may be NULL).
struct precision delay_release(const struct people *people, const struct outcome *outcome,
                               const struct attacker *attacker, unsigned clues, uint32_t tries_max);
// Names the sender of answers to vendors (and likewise of withdrawals), which leave at the first tick after a hold of
// this mean.
struct precision delay_answer(const struct people *people, const struct outcome *outcome, double hold_ms,
                              uint64_t tick_ms, uint32_t tries_max, uint64_t seed);

#endif
