// Processes that are measured: oyezd, peers, and forks of the harness itself; and folders that go away.
#ifndef OYEZ_TESTS_BENCH_CHILD_H
#define OYEZ_TESTS_BENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A new empty folder under TMPDIR or /var/tmp (a disk, unless TMPDIR says otherwise); removed at exit with all in it.
const char *folder_new(void);

// Starts a program with output to `log` (NULL: thrown away). It dies with the harness.
pid_t child_start(const char *const *arguments, const char *log);
// Runs `work` in a fork; 0 of `pid` is the child, which must not return from the benchmark.
pid_t child_fork(void);
// Ends it and waits. Any signal; 0: only waits. The exit status as of waitpid.
int child_end(pid_t pid, int signal);
double child_cpu_seconds(pid_t pid); // of all its threads, living and ended
size_t child_memory(pid_t pid);      // RssAnon, in bytes
// Is there such a program in PATH?
bool child_program(const char *name, char path[256]);

// oyezd on a data folder, ready to answer.
struct oyezd {
	pid_t pid;
	char folder[200], url[64], ipc[256];
	uint8_t key[32];
	double ready_after_s; // from its start
};
// `options`: more flags, ended by NULL.
void oyezd_start(struct oyezd *oyezd, const char *folder, const char *const *options);
void oyezd_stop(struct oyezd *oyezd);
void oyezd_kill(struct oyezd *oyezd); // kill -9

#endif
