// What the benchmarks of oyez-bench share: the table of them, time, memory and the way to give up.
#ifndef OYEZ_TESTS_BENCH_H
#define OYEZ_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

// One subcommand: bench_NAME.c defines `run`, main.c lists it. Returns the exit code; argv[0] is the subcommand.
struct bench {
	const char *name, *usage;
	int (*run)(int argc, char **argv);
};

int bench_match(int argc, char **argv);
int bench_tick(int argc, char **argv);
int bench_fanout(int argc, char **argv);
int bench_memory(int argc, char **argv);
int bench_restart(int argc, char **argv);
int bench_catchup(int argc, char **argv);
int bench_latency(int argc, char **argv);
int bench_post(int argc, char **argv);
int bench_token(int argc, char **argv);

// A benchmark whose answers are wrong or whose input is bad prints no speed.
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

double seconds_now(void); // monotonic
// Anonymous memory of this process now, in bytes, after malloc gave back what it could.
size_t memory_resident(void);
// What malloc has handed out, mapped memory that was never touched included.
size_t memory_allocated(void);

#endif
