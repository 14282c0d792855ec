// The local sequencer: the inbox is the total order. Commands arrive from any thread; the state thread takes the whole
// inbox each turn and makes one transaction of it, so the slower the disk, the larger the groups. It decides nothing:
// what a command does is the service's.
//
// Scans (service/scan.h) run in uv's pool, a few at a time, in slices with a snapshot each and in turns, so that a long
// one neither holds pages for long nor keeps others waiting. Their results come through the inbox like everything else.
#include "local.h"

#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdlib.h>
#include <uv.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/wake.h"
#include "broker/service/push.h"
#include "broker/service/scan.h"
#include "broker/service/url_check.h"

enum {
	INBOX_COMMANDS_MAX = 16384, // beyond it, ERR_BUSY
	INBOX_ITEMS_FIRST = 256,
	COMMIT_RETRY_MS = 1000, // of real time: a full disk must not keep a processor busy
	READERS = 2,            // of the pool's four threads: the others check signatures
	SLICE_NS = 2 * 1000 * 1000,
	SLICES_PER_TURN = 8,
};

// One entry of the inbox: exactly one of command, origin (a cancellation), scan and check (results) and call is set.
struct item {
	struct url_check *check;
	struct scan *scan;
	struct command *command;
	uint64_t origin;
	sequencer_call_fn *call;
	void *call_context;
	sem_t *called; // posted when the call returned; NULL if nobody waits
};

struct inbox {
	struct item *items;
	size_t count, room;
};

struct reader {
	struct sequencer *sequencer;
	struct scan *scan; // NULL: idle
	uv_work_t work;
};

struct sequencer {
	struct service *service;
	sequencer_reply_fn *reply;
	void *context;

	pthread_t thread;
	uv_loop_t loop;
	struct wake wake;
	uv_poll_t poll; // of `wake`
	uv_timer_t timer;

	pthread_mutex_t mutex; // guards what follows
	struct inbox inbox;
	size_t inbox_commands;
	bool stopping;
	sequencer_push_fn *push;
	void *push_context;
	sequencer_check_fn *check;
	void *check_context;
	struct service_numbers numbers;

	struct inbox batch; // the state thread's own: what it took
	struct reader readers[READERS];
	struct scan *scans, **scans_end; // waiting for a reader
	bool stopped;
};

static void inbox_add(struct inbox *inbox, const struct item *item)
{
	if (inbox->count == inbox->room) {
		inbox->room = inbox->room ? 2 * inbox->room : INBOX_ITEMS_FIRST;
		inbox->items = realloc(inbox->items, inbox->room * sizeof(*inbox->items));
		if (!inbox->items)
			abort(); // the state is on disk
	}
	inbox->items[inbox->count++] = *item;
}

enum err sequencer_submit(struct sequencer *sequencer, struct command *command)
{
	enum err err = ERR_OK;
	pthread_mutex_lock(&sequencer->mutex);
	if (sequencer->stopping) {
		err = ERR_STOPPING;
	} else if (sequencer->inbox_commands == INBOX_COMMANDS_MAX) {
		err = ERR_BUSY;
	} else {
		inbox_add(&sequencer->inbox, &(struct item){.command = command});
		sequencer->inbox_commands++;
	}
	pthread_mutex_unlock(&sequencer->mutex);
	if (err == ERR_OK)
		wake_send(&sequencer->wake);
	return err;
}

// Cancellations and calls: as many as there are requests in flight and timers, so bounded by those.
static bool add(struct sequencer *sequencer, const struct item *item)
{
	pthread_mutex_lock(&sequencer->mutex);
	bool taken = !sequencer->stopping;
	if (taken)
		inbox_add(&sequencer->inbox, item);
	pthread_mutex_unlock(&sequencer->mutex);
	if (taken)
		wake_send(&sequencer->wake);
	return taken;
}

void sequencer_cancel(struct sequencer *sequencer, uint64_t origin)
{
	// While draining every request is answered anyway.
	add(sequencer, &(struct item){.origin = origin});
}

bool sequencer_post(struct sequencer *sequencer, sequencer_call_fn *call, void *context)
{
	return add(sequencer, &(struct item){.call = call, .call_context = context});
}

void sequencer_call(struct sequencer *sequencer, sequencer_call_fn *call, void *context)
{
	sem_t called;
	sem_init(&called, 0, 0);
	if (add(sequencer, &(struct item){.call = call, .call_context = context, .called = &called}))
		while (sem_wait(&called) != 0)
			;
	sem_destroy(&called);
}

void sequencer_numbers(struct sequencer *sequencer, struct service_numbers *out)
{
	pthread_mutex_lock(&sequencer->mutex);
	*out = sequencer->numbers;
	pthread_mutex_unlock(&sequencer->mutex);
}

// ---- the state thread

static bool take_inbox(struct sequencer *sequencer)
{
	wake_clear(&sequencer->wake);
	pthread_mutex_lock(&sequencer->mutex);
	struct inbox empty = sequencer->batch;
	empty.count = 0;
	sequencer->batch = sequencer->inbox;
	sequencer->inbox = empty;
	sequencer->inbox_commands = 0;
	bool stopping = sequencer->stopping;
	pthread_mutex_unlock(&sequencer->mutex);
	return stopping;
}

static void apply_batch(struct sequencer *sequencer, uint64_t now_ms)
{
	for (size_t i = 0; i < sequencer->batch.count; i++) {
		const struct item *item = &sequencer->batch.items[i];
		if (item->command) {
			item->command->now_ms = now_ms;
			randombytes_buf(item->command->random, sizeof(item->command->random));
			service_apply(sequencer->service, item->command);
		} else if (item->origin) {
			service_cancel(sequencer->service, item->origin);
		} else if (item->scan) {
			service_scan_done(sequencer->service, item->scan);
		} else if (item->check) {
			service_url_check_done(sequencer->service, item->check);
		}
	}
}

static void let_effects_out(struct sequencer *sequencer)
{
	struct effect effect;
	while (service_effect_next(sequencer->service, &effect))
		sequencer->reply(sequencer->context, &effect);
}

static void end_cancelled(struct sequencer *sequencer)
{
	for (size_t i = 0; i < sequencer->batch.count; i++) {
		struct effect ended = {.origin = sequencer->batch.items[i].origin};
		if (ended.origin)
			sequencer->reply(sequencer->context, &ended);
	}
}

static void run_calls(struct sequencer *sequencer)
{
	for (size_t i = 0; i < sequencer->batch.count; i++) {
		const struct item *item = &sequencer->batch.items[i];
		if (!item->call)
			continue;
		item->call(item->call_context, sequencer->service);
		if (item->called)
			sem_post(item->called);
	}
}

// ---- scans

static void scans_add(struct sequencer *sequencer, struct scan *scan)
{
	scan->next = NULL;
	if (!sequencer->scans)
		sequencer->scans_end = &sequencer->scans;
	*sequencer->scans_end = scan;
	sequencer->scans_end = &scan->next;
}

static struct scan *scans_take(struct sequencer *sequencer)
{
	struct scan *scan = sequencer->scans;
	if (scan)
		sequencer->scans = scan->next;
	return scan;
}

static void give_back(struct sequencer *sequencer, struct scan *scan)
{
	if (!add(sequencer, &(struct item){.scan = scan}))
		scan_free(scan); // its request was answered when the stopping began
}

static bool slice_goes_on(void *until_ns)
{
	return uv_hrtime() < *(uint64_t *)until_ns;
}

// In the pool.
static void read_turn(uv_work_t *work)
{
	struct reader *reader = work->data;
	for (int slice = 0; slice < SLICES_PER_TURN; slice++) {
		uint64_t until_ns = uv_hrtime() + SLICE_NS;
		if (scan_run(reader->scan, slice_goes_on, &until_ns))
			return;
	}
}

static void start_readers(struct sequencer *sequencer);

static void turn_read(uv_work_t *work, int status)
{
	struct reader *reader = work->data;
	struct sequencer *sequencer = reader->sequencer;
	struct scan *scan = reader->scan;
	(void)status;
	reader->scan = NULL;
	if (sequencer->stopped)
		scan_free(scan);
	else if (scan->done)
		give_back(sequencer, scan);
	else
		scans_add(sequencer, scan); // behind those that wait
	start_readers(sequencer);
}

static void start_readers(struct sequencer *sequencer)
{
	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &sequencer->readers[i];
		if (reader->scan || !(reader->scan = scans_take(sequencer)))
			continue;
		reader->sequencer = sequencer;
		reader->work.data = reader;
		uv_queue_work(&sequencer->loop, &reader->work, read_turn, turn_read);
	}
}

static void take_scans(struct sequencer *sequencer)
{
	struct scan *scan;
	while ((scan = service_scan_next(sequencer->service))) {
		if (store_reads_beside(scan->store)) {
			scans_add(sequencer, scan);
			continue;
		}
		scan_run(scan, NULL, NULL);
		give_back(sequencer, scan);
	}
	start_readers(sequencer);
}

static void drop_scans(struct sequencer *sequencer)
{
	struct scan *scan;
	while ((scan = scans_take(sequencer)) || (scan = service_scan_next(sequencer->service)))
		scan_free(scan);
}

void sequencer_push_to(struct sequencer *sequencer, sequencer_push_fn *push, void *context)
{
	pthread_mutex_lock(&sequencer->mutex);
	sequencer->push = push;
	sequencer->push_context = context;
	pthread_mutex_unlock(&sequencer->mutex);
}

static void let_cells_out(struct sequencer *sequencer)
{
	struct push_batch *batch;
	pthread_mutex_lock(&sequencer->mutex);
	sequencer_push_fn *push = sequencer->push;
	void *context = sequencer->push_context;
	pthread_mutex_unlock(&sequencer->mutex);
	while ((batch = service_push_next(sequencer->service))) {
		if (push)
			push(context, batch);
		else
			push_batch_free(batch);
	}
}

void sequencer_checks_to(struct sequencer *sequencer, sequencer_check_fn *check, void *context)
{
	pthread_mutex_lock(&sequencer->mutex);
	sequencer->check = check;
	sequencer->check_context = context;
	pthread_mutex_unlock(&sequencer->mutex);
}

void sequencer_url_checked(struct sequencer *sequencer, struct url_check *check)
{
	if (!add(sequencer, &(struct item){.check = check}))
		free(check);
}

static void let_checks_out(struct sequencer *sequencer)
{
	struct url_check *check;
	pthread_mutex_lock(&sequencer->mutex);
	sequencer_check_fn *give = sequencer->check;
	void *context = sequencer->check_context;
	pthread_mutex_unlock(&sequencer->mutex);
	while ((check = service_url_check_next(sequencer->service))) {
		if (give)
			give(context, check);
		else
			sequencer_url_checked(sequencer, check);
	}
}

static void publish_numbers(struct sequencer *sequencer)
{
	struct service_numbers numbers;
	service_numbers(sequencer->service, &numbers);
	pthread_mutex_lock(&sequencer->mutex);
	sequencer->numbers = numbers;
	pthread_mutex_unlock(&sequencer->mutex);
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct sequencer *sequencer, uint64_t least_ms)
{
	uint64_t next_ms = service_next_ms(sequencer->service);
	if (next_ms == UINT64_MAX) {
		uv_timer_stop(&sequencer->timer);
		return;
	}
	uint64_t now_ms = clock_now_ms();
	uint64_t wait_ms = next_ms > now_ms ? clock_real_ms(next_ms - now_ms) : 0;
	uv_update_time(&sequencer->loop);
	uv_timer_start(&sequencer->timer, on_timer, wait_ms > least_ms ? wait_ms : least_ms, 0);
}

// One turn: everything in the inbox, what is due, one commit, then the replies.
static void turn(struct sequencer *sequencer)
{
	if (sequencer->stopped)
		return;
	bool stopping = take_inbox(sequencer);
	uint64_t now_ms = clock_now_ms();
	uint8_t random[16];
	randombytes_buf(random, sizeof(random));

	service_begin(sequencer->service, now_ms);
	apply_batch(sequencer, now_ms);
	service_advance(sequencer->service, random);
	if (stopping)
		service_unpark_all(sequencer->service);
	enum err err = service_commit(sequencer->service);
	if (err != ERR_OK)
		log_event(LOG_ERROR, "commit_failed", LOG_TEXT("code", err_name(err)), LOG_TEXT("hint", err_hint(err, 0)));
	let_effects_out(sequencer);
	end_cancelled(sequencer);
	run_calls(sequencer);
	let_effects_out(sequencer); // of batches that calls made themselves
	let_cells_out(sequencer);
	let_checks_out(sequencer);
	publish_numbers(sequencer);

	if (!stopping) {
		take_scans(sequencer);
		set_timer(sequencer, err == ERR_OK ? 0 : COMMIT_RETRY_MS);
		return;
	}
	sequencer->stopped = true;
	drop_scans(sequencer); // those being run are freed when they come back
	uv_close((uv_handle_t *)&sequencer->timer, NULL);
	uv_close((uv_handle_t *)&sequencer->poll, NULL);
}

static void on_wake(uv_poll_t *poll, int status, int readable)
{
	(void)status, (void)readable;
	turn(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
	turn(timer->data);
}

static void *run(void *argument)
{
	struct sequencer *sequencer = argument;
	set_timer(sequencer, 0);
	uv_run(&sequencer->loop, UV_RUN_DEFAULT);
	return NULL;
}

enum err sequencer_start(struct service *service, sequencer_reply_fn *reply, void *context, struct sequencer **out)
{
	struct sequencer *sequencer = calloc(1, sizeof(*sequencer));
	if (!sequencer || uv_loop_init(&sequencer->loop) != 0) {
		free(sequencer);
		return ERR_NO_MEMORY;
	}
	sequencer->service = service;
	sequencer->reply = reply;
	sequencer->context = context;
	pthread_mutex_init(&sequencer->mutex, NULL);
	wake_init(&sequencer->wake);
	uv_poll_init(&sequencer->loop, &sequencer->poll, sequencer->wake.fd);
	uv_poll_start(&sequencer->poll, UV_READABLE, on_wake);
	uv_timer_init(&sequencer->loop, &sequencer->timer);
	sequencer->poll.data = sequencer->timer.data = sequencer;
	publish_numbers(sequencer);
	if (pthread_create(&sequencer->thread, NULL, run, sequencer) != 0) {
		sequencer->stopped = true;
		uv_close((uv_handle_t *)&sequencer->timer, NULL);
		uv_close((uv_handle_t *)&sequencer->poll, NULL);
		uv_run(&sequencer->loop, UV_RUN_DEFAULT);
		sequencer_free(sequencer);
		return ERR_NO_MEMORY;
	}
	*out = sequencer;
	return ERR_OK;
}

void sequencer_stop(struct sequencer *sequencer)
{
	pthread_mutex_lock(&sequencer->mutex);
	sequencer->stopping = true;
	pthread_mutex_unlock(&sequencer->mutex);
	wake_send(&sequencer->wake);
	pthread_join(sequencer->thread, NULL);
}

void sequencer_free(struct sequencer *sequencer)
{
	uv_loop_close(&sequencer->loop);
	wake_fini(&sequencer->wake);
	pthread_mutex_destroy(&sequencer->mutex);
	free(sequencer->inbox.items);
	free(sequencer->batch.items);
	free(sequencer);
}
