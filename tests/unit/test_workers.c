// Threads for jobs, and the wake of a loop: nothing added is lost, nothing runs twice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "broker/base/wake.h"
#include "broker/base/workers.h"

enum { JOBS = 20000, ROUNDS = 20000, WAIT_MS_MAX = 10000 };

struct counted {
	struct job job;
	atomic_uint runs;
};

static void count(struct job *job)
{
	atomic_fetch_add(&((struct counted *)job)->runs, 1);
}

static void test_every_job_runs_once(void **state)
{
	(void)state;
	struct counted *jobs = calloc(JOBS, sizeof *jobs);
	struct workers *workers = workers_new(3);
	assert_non_null(workers);
	for (int i = 0; i < JOBS; i++) {
		jobs[i].job.run = count;
		workers_add(workers, &jobs[i].job);
	}
	workers_free(workers); // runs what is queued
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(jobs[i].runs, 1);
	free(jobs);
}

struct ordered {
	struct job job;
	int *next, number;
};

static void check_order(struct job *job)
{
	struct ordered *ordered = (struct ordered *)job;
	assert_int_equal(*ordered->next, ordered->number);
	++*ordered->next;
}

static void test_one_worker_keeps_the_order(void **state)
{
	(void)state;
	int next = 0;
	struct ordered jobs[100];
	struct workers *workers = workers_new(1);
	for (int i = 0; i < 100; i++) {
		jobs[i] = (struct ordered){.job.run = check_order, .next = &next, .number = i};
		workers_add(workers, &jobs[i].job);
	}
	workers_free(workers);
	assert_int_equal(next, 100);
}

struct talk {
	struct wake wake;
	atomic_uint said, heard;
};

static void *speak(void *context)
{
	struct talk *talk = context;
	for (unsigned i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&talk->said, 1);
		wake_send(&talk->wake);
		if (i % 3 == 0)
			while (atomic_load(&talk->heard) <= i)
				; // the next one comes right when the loop has looked
	}
	return NULL;
}

static bool readable(const struct wake *wake, int wait_ms)
{
	struct pollfd fd = {.fd = wake->fd, .events = POLLIN};
	return poll(&fd, 1, wait_ms) == 1;
}

// Whoever polls and then looks sees everything that was said, however the two threads meet.
static void test_no_wake_is_lost(void **state)
{
	(void)state;
	struct talk talk = {.said = 0};
	pthread_t thread;
	wake_init(&talk.wake);
	assert_false(readable(&talk.wake, 0));
	assert_int_equal(pthread_create(&thread, NULL, speak, &talk), 0);
	while (atomic_load(&talk.heard) < ROUNDS) {
		assert_true(readable(&talk.wake, WAIT_MS_MAX));
		wake_clear(&talk.wake);
		atomic_store(&talk.heard, atomic_load(&talk.said));
	}
	pthread_join(thread, NULL);
	wake_clear(&talk.wake);
	assert_false(readable(&talk.wake, 0));
	wake_fini(&talk.wake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_job_runs_once),
	    cmocka_unit_test(test_one_worker_keeps_the_order),
	    cmocka_unit_test(test_no_wake_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
