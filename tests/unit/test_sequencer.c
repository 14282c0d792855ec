// The sequencer with a service made of counters: order, groups, nothing out before the commit, draining.
// The fake functions below stand in for the service's; only the sequencer is the real one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/base/clock.h"

// The sequencer's source with the fakes in place of the service, which other tests of this build link.
#define service_begin fake_begin
#define service_apply fake_apply
#define service_advance fake_advance
#define service_commit fake_commit
#define service_effect_next fake_effect_next
#define service_cancel fake_cancel
#define service_next_ms fake_next_ms
#define service_unpark_all fake_unpark_all
#define service_scan_next fake_scan_next
#define service_scan_done fake_scan_done
#define service_push_next fake_push_next
#define service_url_check_next fake_url_check_next
#define service_url_check_done fake_url_check_done
#define scan_run fake_scan_run
#define scan_free fake_scan_free
#define store_reads_beside fake_reads_beside
#define service_numbers(...) fake_numbers(__VA_ARGS__) // the struct keeps its name
#include "broker/sequencer/local.c"

enum { COMMANDS = 40000, THREADS = 4 }; // more than two full inboxes

struct scan *fake_scan_next(struct service *service);
void fake_scan_done(struct service *service, struct scan *scan);
bool fake_scan_run(struct scan *scan, bool (*go_on)(void *context), void *context);
void fake_scan_free(struct scan *scan);
bool fake_reads_beside(const struct store *store);

struct service {
	bool in_batch;
	uint64_t outbox[COMMANDS + 16];
	size_t out_count, out_at;
	uint64_t parked; // origin of one request that waits for ever
	uint64_t cancelled;
	size_t batches, applied;
	uint64_t next_ms;
	int rearms; // times the service has more to do soon after what was due
	enum err commit_err;
	uint8_t last_random[16];
	sem_t *gate; // the first commit waits for it: a slow disk
};

void service_begin(struct service *service, uint64_t now_ms)
{
	assert_true(now_ms > 0);
	assert_false(service->in_batch);
	service->in_batch = true;
	service->out_count = service->out_at = 0;
	service->batches++;
}

void service_apply(struct service *service, const struct command *command)
{
	assert_true(service->in_batch);
	assert_true(command->now_ms > 0);
	assert_memory_not_equal(command->random, service->last_random, 16);
	memcpy(service->last_random, command->random, 16);
	service->applied++;
	if (command->kind == COMMAND_FETCH)
		service->parked = command->origin;
	else
		service->outbox[service->out_count++] = command->origin;
}

void service_advance(struct service *service, const uint8_t random[16])
{
	(void)random;
	assert_true(service->in_batch);
	if (service->next_ms <= clock_now_ms())
		service->next_ms = service->rearms-- > 0 ? clock_now_ms() + 20 : UINT64_MAX;
}

enum err service_commit(struct service *service)
{
	service->in_batch = false;
	if (service->gate) {
		sem_wait(service->gate);
		service->gate = NULL;
	}
	return service->commit_err;
}

bool service_effect_next(struct service *service, struct effect *effect)
{
	assert_false(service->in_batch);
	if (service->out_at == service->out_count)
		return false;
	*effect =
	    (struct effect){.origin = service->outbox[service->out_at++], .bytes = (const uint8_t *)"done", .count = 4};
	return true;
}

void service_cancel(struct service *service, uint64_t origin)
{
	service->cancelled = origin;
	if (service->parked == origin)
		service->parked = 0;
}

uint64_t service_next_ms(const struct service *service)
{
	return service->next_ms;
}

void service_unpark_all(struct service *service)
{
	assert_true(service->in_batch);
	if (service->parked)
		service->outbox[service->out_count++] = service->parked;
	service->parked = 0;
}

void service_numbers(const struct service *service, struct service_numbers *out)
{
	*out = (struct service_numbers){.commits = service->batches, .posts = service->applied};
}

// Neither boxes nor addresses: their own tests have them.
struct push_batch *service_push_next(struct service *service)
{
	(void)service;
	return NULL;
}

struct url_check *service_url_check_next(struct service *service)
{
	(void)service;
	return NULL;
}

void service_url_check_done(struct service *service, struct url_check *check)
{
	(void)service;
	(void)check;
}

// ---- scans: each is done after `slices` turns

static struct scan scans[4];
static atomic_int slices_left[4], scans_running, scans_done, scans_freed;
static bool beside;
static int scans_given;
enum { SCANS = sizeof scans / sizeof scans[0] };

struct scan *fake_scan_next(struct service *service)
{
	assert_false(service->in_batch);
	return scans_given > 0 ? &scans[--scans_given] : NULL;
}

void fake_scan_done(struct service *service, struct scan *scan)
{
	assert_true(service->in_batch);
	assert_true(scan->done);
	scan->done = false;
	scans_done++;
}

bool fake_scan_run(struct scan *scan, bool (*go_on)(void *context), void *context)
{
	assert_true(++scans_running <= (beside ? READERS : 1));
	scan->done = --slices_left[scan - scans] <= 0;
	if (!scan->done && go_on)
		while (go_on(context))
			;
	scans_running--;
	return scan->done;
}

void fake_scan_free(struct scan *scan)
{
	(void)scan;
	scans_freed++;
}

bool fake_reads_beside(const struct store *store)
{
	(void)store;
	return beside;
}

// ---- what comes out

struct replies {
	pthread_mutex_t mutex;
	pthread_cond_t more;
	size_t count, ended;
	uint64_t last;
};

static void on_reply(void *context, const struct effect *effect)
{
	struct replies *replies = context;
	pthread_mutex_lock(&replies->mutex);
	if (effect->bytes)
		replies->count++;
	else
		replies->ended++;
	replies->last = effect->origin;
	pthread_cond_signal(&replies->more);
	pthread_mutex_unlock(&replies->mutex);
}

static void wait_replies(struct replies *replies, size_t count, size_t ended)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&replies->mutex);
	while (replies->count < count || replies->ended < ended)
		if (pthread_cond_timedwait(&replies->more, &replies->mutex, &until) != 0)
			break;
	assert_int_equal(replies->count, count);
	assert_int_equal(replies->ended, ended);
	pthread_mutex_unlock(&replies->mutex);
}

struct set {
	struct service service;
	struct replies replies;
	struct sequencer *sequencer;
	struct command *commands;
};

static int set_up(void **state)
{
	struct set *set = calloc(1, sizeof(*set));
	set->service.next_ms = UINT64_MAX;
	pthread_mutex_init(&set->replies.mutex, NULL);
	pthread_cond_init(&set->replies.more, NULL);
	set->commands = calloc(COMMANDS, sizeof(*set->commands));
	for (size_t i = 0; i < COMMANDS; i++)
		set->commands[i].origin = i + 1;
	*state = set;
	return sequencer_start(&set->service, on_reply, &set->replies, &set->sequencer);
}

static int tear_down(void **state)
{
	struct set *set = *state;
	sequencer_free(set->sequencer);
	free(set->commands);
	free(set);
	return 0;
}

struct submitter {
	struct set *set;
	size_t from, to, refused;
};

static void *submit(void *argument)
{
	struct submitter *submitter = argument;
	for (size_t i = submitter->from; i < submitter->to; i++)
		while (sequencer_submit(submitter->set->sequencer, &submitter->set->commands[i]) == ERR_BUSY)
			submitter->refused++; // the inbox is bounded: the sender tries again
	return NULL;
}

static void test_every_command_once(void **state)
{
	struct set *set = *state;
	pthread_t threads[THREADS];
	struct submitter submitters[THREADS];
	for (size_t i = 0; i < THREADS; i++) {
		submitters[i] = (struct submitter){set, i * COMMANDS / THREADS, (i + 1) * COMMANDS / THREADS, 0};
		pthread_create(&threads[i], NULL, submit, &submitters[i]);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	wait_replies(&set->replies, COMMANDS, 0);
	sequencer_stop(set->sequencer);
	assert_int_equal(set->service.applied, COMMANDS);
	struct service_numbers numbers;
	sequencer_numbers(set->sequencer, &numbers);
	assert_int_equal(numbers.posts, COMMANDS);
}

// While one commit takes its time, all that comes makes the next one.
static void test_group_commit(void **state)
{
	struct set *set = *state;
	sem_t gate;
	sem_init(&gate, 0, 0);
	set->service.gate = &gate;
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[0]), ERR_OK);
	struct service_numbers numbers = {0};
	for (size_t i = 1; i < 1000; i++)
		assert_int_equal(sequencer_submit(set->sequencer, &set->commands[i]), ERR_OK);
	sequencer_numbers(set->sequencer, &numbers); // answers although the state thread stands still
	assert_int_equal(set->replies.count, 0);     // nothing before the commit
	sem_post(&gate);
	wait_replies(&set->replies, 1000, 0);
	assert_int_equal(set->replies.last, 1000);
	sequencer_stop(set->sequencer);
	assert_in_range(set->service.batches, 2, 4);
	sem_destroy(&gate);
}

static void test_full_inbox(void **state)
{
	struct set *set = *state;
	sem_t gate;
	sem_init(&gate, 0, 0);
	set->service.gate = &gate;
	size_t taken = 0;
	enum err err = ERR_OK;
	while (taken < COMMANDS && (err = sequencer_submit(set->sequencer, &set->commands[taken])) == ERR_OK)
		taken++;
	assert_int_equal(err, ERR_BUSY);
	sem_post(&gate);
	wait_replies(&set->replies, taken, 0);
	sequencer_stop(set->sequencer);
	sem_destroy(&gate);
}

static void test_cancel(void **state)
{
	struct set *set = *state;
	set->commands[0].kind = COMMAND_FETCH;
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[0]), ERR_OK);
	sequencer_cancel(set->sequencer, 1);
	wait_replies(&set->replies, 0, 1); // told that no reply will come
	assert_int_equal(set->replies.last, 1);
	sequencer_stop(set->sequencer);
	assert_int_equal(set->service.cancelled, 1);
	assert_int_equal(set->replies.count, 0);
}

static void test_drain_answers_parked(void **state)
{
	struct set *set = *state;
	set->commands[0].kind = COMMAND_FETCH;
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[0]), ERR_OK);
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[1]), ERR_OK);
	sequencer_stop(set->sequencer);
	assert_int_equal(set->replies.count, 2);
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[2]), ERR_STOPPING);
	assert_false(sequencer_post(set->sequencer, NULL, NULL));
	sequencer_cancel(set->sequencer, 2); // harmless
}

static void test_timer(void **state)
{
	struct set *set = *state;
	// Any batch makes it look at the time again. On a busy machine the command's own batch may find the first time due
	// already; the one set then is the timer's alone.
	set->service.next_ms = clock_now_ms() + 50;
	set->service.rearms = 1;
	assert_int_equal(sequencer_submit(set->sequencer, &set->commands[0]), ERR_OK);
	struct service_numbers numbers;
	do
		sequencer_numbers(set->sequencer, &numbers);
	while (numbers.commits < 2); // ctest's time-out is the deadline
	sequencer_stop(set->sequencer);
}

static void check_between_batches(void *context, struct service *service)
{
	assert_false(service->in_batch);
	atomic_fetch_add((atomic_int *)context, 1);
}

static void test_calls(void **state)
{
	struct set *set = *state;
	atomic_int calls = 0;
	sequencer_call(set->sequencer, check_between_batches, &calls);
	assert_int_equal(calls, 1);
	assert_true(sequencer_post(set->sequencer, check_between_batches, &calls));
	sequencer_stop(set->sequencer); // runs what was posted before
	assert_int_equal(calls, 2);
}

static void give_scans(void *context, struct service *service)
{
	(void)service;
	for (int i = 0; i < SCANS; i++)
		slices_left[i] = *(int *)context;
	scans_given = SCANS;
	scans_done = scans_freed = 0;
}

static void run_scans(struct set *set, bool on_disk, int slices)
{
	beside = on_disk;
	sequencer_call(set->sequencer, give_scans, &slices);
	sequencer_submit(set->sequencer, &set->commands[0]); // a batch, which lets them out
}

// Slices of a few milliseconds in several turns each, given back in a batch.
static void test_scans_on_readers(void **state)
{
	struct set *set = *state;
	run_scans(set, true, 2 * SLICES_PER_TURN + 1);
	while (scans_done < SCANS)
		sched_yield(); // ctest's time-out is the deadline
	sequencer_stop(set->sequencer);
	assert_int_equal(scans_freed, 0);
}

// A store that nobody else may read meanwhile.
static void test_scans_on_the_state_thread(void **state)
{
	struct set *set = *state;
	run_scans(set, false, 1);
	while (scans_done < SCANS)
		sched_yield();
	sequencer_stop(set->sequencer);
	assert_int_equal(scans_freed, 0);
}

static void test_scans_at_the_end(void **state)
{
	struct set *set = *state;
	run_scans(set, true, 1000000);
	while (scans_running == 0)
		sched_yield();
	sequencer_stop(set->sequencer); // waits for a turn, not for the scan
	assert_int_equal(scans_running, 0);
	assert_int_equal(scans_freed + scans_done, SCANS);
}

int main(void)
{
	clock_init();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_every_command_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_group_commit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_full_inbox, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_drain_answers_parked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_timer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_scans_on_readers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_scans_on_the_state_thread, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_scans_at_the_end, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
