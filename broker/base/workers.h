// A few threads that run jobs in the order they come: what takes a processor longer than handing it over does. How a
// job's end is told is the job's own affair; there is no loop here.
#ifndef OYEZ_BASE_WORKERS_H
#define OYEZ_BASE_WORKERS_H

struct job {
	struct job *next;
	void (*run)(struct job *job); // in a worker's thread; the job may be gone when it returns
};

struct workers;

// NULL without threads or memory.
struct workers *workers_new(unsigned count);
// Runs what is queued, then ends the threads. NULL is fine.
void workers_free(struct workers *workers);
// From any thread; the job is its owner's and stays where it is until it is run.
void workers_add(struct workers *workers, struct job *job);

#endif
