// What the home broker sees of a person's presence, and how far that names or links.
#ifndef OYEZ_TESTS_PRIVACY_PRESENCE_H
#define OYEZ_TESTS_PRIVACY_PRESENCE_H

#include "attack.h"

enum network {
	NETWORK_DIRECT,      // the wallet asks the home broker for each of its intents whenever it is on line
	NETWORK_TWO_BROKERS, // the home broker pushes a cell on the fixed schedule of each intent's box, whatever happens
};

// From when to when an intent is seen, and the moments at which something is to be seen of it, in order.
struct sight {
	uint64_t from_ms, to_ms;
};
struct sight presence_sight(const struct people *people, const struct outcome *outcome, uint32_t release,
                            enum network network);
// Writes at most `room` moments within [from, to); returns how many.
uint32_t presence_moments(const struct people *people, const struct outcome *outcome, uint32_t release,
                          enum network network, uint64_t from_ms, uint64_t to_ms, uint64_t *moments, uint32_t room);
// Share of the moments of one that are moments of the other too (within 2 s), where both are seen; -1 if they are never
// seen together, or nothing happens then.
double presence_together(const struct people *people, const struct outcome *outcome, uint32_t one, uint32_t other,
                         enum network network);

// Learns each wallet's hours on line from the first half; names the callers of the second half by presence and the
// clues of `attacker` given.
struct precision presence_name(const struct people *people, const struct outcome *outcome,
                               const struct attacker *attacker, enum network network, unsigned clues,
                               uint32_t tries_max);

#endif
