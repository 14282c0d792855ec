// The process's one clock. Never goes back; runs faster under OYEZ_TEST_CLOCK_RATE (a whole or decimal number,
// refused unless every listener is on loopback or ipc).
#ifndef OYEZ_BASE_CLOCK_H
#define OYEZ_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// Reads OYEZ_TEST_CLOCK_RATE. False if it is set and not a number from 1 to 1000000.
bool clock_init(void);
double clock_rate(void);
// Milliseconds since 1970; thread-safe; never decreases within the process.
uint64_t clock_now_ms(void);
// How long to really wait for `ms` of this clock: ms / rate, at least 1 if ms > 0.
uint64_t clock_real_ms(uint64_t ms);

#endif
