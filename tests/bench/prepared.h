// Stores filled through the store's own verbs, so that a broker with a million intents need not take a million posts.
#ifndef OYEZ_TESTS_BENCH_PREPARED_H
#define OYEZ_TESTS_BENCH_PREPARED_H

#include "broker/store/store.h"

// The store of an oyezd that is not running.
struct store *prepared_open(const char *folder);
// Makes a folder in which oyezd has started once, so that its keys are there.
const char *prepared_folder(void);

// Live intents, with posts, timers and what is in the feed of them; `released` or waiting.
void prepared_intents(struct store *store, size_t count, bool released);
// Vendors with so many subscriptions in all, each for one or two categories, often with a region or a budget.
void prepared_subscriptions(struct store *store, size_t count);
// Releases that are gone from the intents but stand in the feed. Every `each`-th is of `category`, the others of a
// category elsewhere. The feed begins empty.
void prepared_feed(struct store *store, size_t count, size_t each, const char *category);

#endif
