// How long something is held back: an exponential time, drawn from 64 random bits with integers alone, so that every
// machine that applies the same commands draws the same.
#ifndef OYEZ_CORE_HOLD_H
#define OYEZ_CORE_HOLD_H

#include <stdint.h>

#include "proto/limits.h"

#define HOLD_RELEASE_MEAN_MS (10 * MINUTE_MS)
#define HOLD_GONE_MEAN_MS (1 * MINUTE_MS)
#define HOLD_ANSWER_MEAN_MS (1 * MINUTE_MS)
// An intent's life is nearly always a round number of days: its expiry tells its post, so it is blurred as much.
#define HOLD_EXPIRED_MEAN_MS HOLD_RELEASE_MEAN_MS
enum { HOLD_MEANS_MAX = 5 }; // no hold is longer; without the limit 0.7 % would be

// 1 ms to HOLD_MEANS_MAX * mean_ms. Means up to a day.
uint64_t hold_exponential_ms(uint64_t random, uint64_t mean_ms);

#endif
