// The process's one clock. Never goes back; runs faster under OYEZ_TEST_CLOCK_RATE (refused unless every listener is
// on loopback or ipc).
//
//   OYEZ_TEST_CLOCK_RATE=1000                 1000 times as fast, counted from this process's start
//   OYEZ_TEST_CLOCK_RATE=1000@1893456000000   the same, counted from that moment (milliseconds since 1970)
//
// now = base + (real - base) * rate. Processes started at different times agree only when they share a base: the
// second form. With the first, a process started ten seconds after another is 10 s * (rate - 1) behind it.
#ifndef OYEZ_BASE_CLOCK_H
#define OYEZ_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// Reads OYEZ_TEST_CLOCK_RATE; without it the clock is the system's. False if it is set and its rate is not a plain
// decimal number from 1 to 1000000, or its base not a whole number of milliseconds.
bool clock_init(void);
double clock_rate(void);
// Milliseconds since 1970; thread-safe; never decreases within the process.
uint64_t clock_now_ms(void);
// How long to really wait for `ms` of this clock: ms / rate, at least 1 if ms > 0.
uint64_t clock_real_ms(uint64_t ms);

#endif
