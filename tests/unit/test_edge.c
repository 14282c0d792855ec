// The edge's parts that need no socket: connections and their limits, events between threads, the metrics' text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "broker/edge/events.h"
#include "broker/edge/metrics.h"
#include "broker/edge/pipes.h"
#include "proto/frame.h"

static void test_pipes_come_and_go(void **state)
{
	(void)state;
	struct pipes *pipes = pipes_new();
	for (uint32_t id = 1; id <= 10000; id++)
		pipes_add(pipes, id * 4096, id % 2, id); // all in one bucket
	assert_int_equal(pipes_count(pipes), 10000);
	assert_true(pipes_find(pipes, 3 * 4096)->from_ipc);
	assert_null(pipes_find(pipes, 5));
	pipes_remove(pipes, pipes_find(pipes, 3 * 4096));
	assert_null(pipes_find(pipes, 3 * 4096));
	assert_int_equal(pipes_count(pipes), 9999);
	pipes_free(pipes);
}

static void test_the_idlest_gives_way(void **state)
{
	(void)state;
	struct pipes *pipes = pipes_new();
	struct pipe *first = pipes_add(pipes, 1, false, 1000);
	pipes_add(pipes, 2, false, 2000);
	assert_null(pipes_idlest(pipes, 2500, 5000)); // nobody idle long enough
	assert_int_equal(pipes_idlest(pipes, 9000, 5000)->id, 1);
	first->exchanges = (struct exchange *)pipes; // something in flight
	assert_int_equal(pipes_idlest(pipes, 9000, 5000)->id, 2);
	pipes_free(pipes);
}

static void test_limits_of_one_pipe(void **state)
{
	(void)state;
	struct pipe pipe = {.outstanding = REQUESTS_PER_PIPE_MAX - 1};
	assert_int_equal(pipe_admit(&pipe, false), PIPE_TAKE);
	pipe.outstanding++;
	assert_int_equal(pipe_admit(&pipe, false), PIPE_BUSY);
	pipe.busy = 400; // asked to hold on 400 times, and read none of it
	assert_int_equal(pipe_admit(&pipe, false), PIPE_BUSY);
	assert_int_equal(pipe_admit(&pipe, true), PIPE_CLOSE);
	pipe.busy = 512;
	assert_int_equal(pipe_admit(&pipe, false), PIPE_CLOSE);
	pipe.outstanding = 0; // and a place of its own is always its own
	assert_int_equal(pipe_admit(&pipe, true), PIPE_TAKE);
}

// ---- events

enum { EVENTS = 50000 };

struct counter {
	struct edge_events events;
	uint64_t next; // events of one thread arrive in its order
};

static void on_wake(uv_async_t *wake)
{
	struct counter *counter = wake->data;
	const struct event *events;
	size_t count = edge_events_take(&counter->events, &events);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(events[i].number, counter->next);
		counter->next++;
		free(events[i].bytes);
	}
	if (counter->next == EVENTS)
		edge_events_close(&counter->events);
}

static void add_events(void *argument)
{
	struct counter *counter = argument;
	for (uint64_t i = 0; i < EVENTS; i++)
		edge_events_add(&counter->events, (struct event){.kind = EVENT_REPLY, .number = i, .bytes = malloc(8), .count = 8});
}

static void test_events_arrive_in_order(void **state)
{
	(void)state;
	uv_loop_t loop;
	uv_thread_t thread;
	struct counter counter = {.next = 0};
	uv_loop_init(&loop);
	edge_events_init(&counter.events, &loop, on_wake, &counter);
	uv_thread_create(&thread, add_events, &counter);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_thread_join(&thread);
	assert_int_equal(counter.next, EVENTS);
	edge_events_add(&counter.events, (struct event){.bytes = malloc(8)}); // after the close: freed, not kept
	edge_events_fini(&counter.events);
	uv_loop_close(&loop);
}

// ---- metrics

static void test_metrics_text(void **state)
{
	(void)state;
	static struct metrics metrics;
	static struct service_numbers numbers = {.feed_length = 7, .countersigned = 2};
	numbers.commands[COMMAND_READ_MAILBOX] = 3;
	metrics.connections = 5;
	metrics.frame_errors[ERR_BAD_FRAME] = 4;

	Oyez__Error error = OYEZ__ERROR__INIT;
	error.code = ERR_BAD_VERSION;
	char name[] = "bad_version";
	error.name = name;
	uint8_t *frame;
	size_t count;
	assert_int_equal(codec_encode_frame(&error.base, FRAME_ERROR, &frame, &count), ERR_OK);
	metrics_count_error_frame(&metrics, frame, count);
	metrics_count_error_frame(&metrics, frame, 3); // cut short: not counted, not read beyond
	free(frame);

	char *text;
	metrics_text(&metrics, &numbers, "1.2.3", &text, &count);
	assert_int_equal(strlen(text), count);
	const char *const lines[] = {
		"oyez_build_info{version=\"1.2.3\"} 1\n",
		"# TYPE oyez_feed_length gauge\noyez_feed_length 7\n",
		"oyez_commands_total{kind=\"read_mailbox\"} 3\n",
		"oyez_refusals_total{kind=\"post\"} 0\n",
		"oyez_connections 5\n",
		"oyez_request_errors_total{code=\"bad_frame\"} 4\n",
		"oyez_request_errors_total{code=\"bad_version\"} 1\n",
		"oyez_deals_total{state=\"countersigned\"} 2\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("missing: %s", lines[i]);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipes_come_and_go),      cmocka_unit_test(test_the_idlest_gives_way),
		cmocka_unit_test(test_limits_of_one_pipe),     cmocka_unit_test(test_events_arrive_in_order),
		cmocka_unit_test(test_metrics_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
