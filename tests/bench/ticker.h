// The injector's ticks: releases that are appended to the feed and announced as those of intents are.
#ifndef OYEZ_TESTS_BENCH_TICKER_H
#define OYEZ_TESTS_BENCH_TICKER_H

#include "broker/core/filter.h"
#include "injector.h"

struct ticker {
	uint64_t number; // of the last release
	uint32_t count;  // of the next tick
	struct match_header header;
	uint8_t release[INJECTED_BYTES];
};
void ticker_init(struct ticker *ticker, const uint8_t broker_key[KEY_BYTES]);
// A sequencer_call_fn.
struct service;
void ticker_tick(void *context, struct service *service);

#endif
