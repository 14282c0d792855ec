// A broker whose feed is filled behind service/: the real store, service, sequencer, verifier and edge in a process of
// their own, but releases come from here instead of from posts. So what is measured is delivery, not signatures.
#ifndef OYEZ_TESTS_BENCH_INJECTOR_H
#define OYEZ_TESTS_BENCH_INJECTOR_H

#include <stdint.h>
#include <sys/types.h>

enum {
	INJECTED_BYTES = 400,     // of each release
	INJECTED_STAMP_BYTES = 8, // its last ones: seconds_now() * 1e9 at the beginning of its tick, little-endian
};

struct injector {
	pid_t pid;
	int control;
	char url[64];
};
// `connections` beside some spare ones.
void injector_start(struct injector *injector, const char *folder, uint32_t connections);
// One tick of so many releases, numbered on from 1 in the first bytes of their ids (little-endian). Does not wait.
void injector_publish(struct injector *injector, uint32_t count);
void injector_stop(struct injector *injector);

#endif
