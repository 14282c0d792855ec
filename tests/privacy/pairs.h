// Linking without names: given a release, which of a hundred others is by the same person?
#ifndef OYEZ_TESTS_PRIVACY_PAIRS_H
#define OYEZ_TESTS_PRIVACY_PAIRS_H

#include "presence.h"

enum { PAIR_CHOICES = 100 };

// The share picked rightly; by chance it is 1 / PAIR_CHOICES. The attacker learned from the first half how releases of
// one wallet and of two resemble each other. With CLUE_PRESENCE all hundred are seen at the same time as the given one.
struct precision pairs_link(const struct people *people, const struct outcome *outcome, unsigned clues,
                            enum network network, uint32_t tries_max, uint64_t seed);

#endif
