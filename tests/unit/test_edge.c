// The edge's parts that need no socket: the wire, events between threads, the metrics' text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "broker/edge/events.h"
#include "broker/edge/metrics.h"
#include "broker/edge/sp.h"
#include "proto/frame.h"

// ---- the wire

static void test_greeting(void **state)
{
	(void)state;
	assert_true(sp_hello_fits((const uint8_t *)"\0SP\0\0\x30\0\0"));
	assert_false(sp_hello_fits((const uint8_t *)"\0SP\0\0\x31\0\0")); // a REP itself
	assert_false(sp_hello_fits((const uint8_t *)"\0SP\1\0\x30\0\0")); // another version
	assert_false(sp_hello_fits((const uint8_t *)"GET / HT"));
}

// Every cut of a message says how much more it wants, and never too much.
static void check_message(bool ipc, size_t hops, size_t body_bytes)
{
	uint8_t route[SP_ROUTE_BYTES_MAX] = {0}, wire[200], body[100];
	memset(body, 0xab, sizeof(body));
	route[4 * hops - 4] = 0x80;
	size_t head = sp_write_head(wire, ipc, route, 4 * hops, body_bytes);
	memcpy(wire + head, body, body_bytes);
	struct sp_message message;
	size_t need;
	for (size_t count = 0; count < head + body_bytes; count++) {
		assert_int_equal(sp_parse(wire, count, ipc, 100, &message, &need), SP_MORE);
		assert_in_range(need, count + 1, head + body_bytes);
	}
	assert_int_equal(sp_parse(wire, sizeof(wire), ipc, 100, &message, &need), SP_MESSAGE);
	assert_int_equal(message.total, head + body_bytes);
	assert_int_equal(message.route_bytes, 4 * hops);
	assert_memory_equal(message.route, route, 4 * hops);
	assert_int_equal(message.body_bytes, body_bytes);
	assert_memory_equal(message.body, body, body_bytes);
}

static void test_messages(void **state)
{
	(void)state;
	for (size_t hops = 1; hops <= 8; hops++)
		for (size_t body_bytes = 4; body_bytes <= 100; body_bytes += 48)
			for (int ipc = 0; ipc < 2; ipc++)
				check_message(ipc, hops, body_bytes);
}

static void test_wrong_messages(void **state)
{
	(void)state;
	struct sp_message message;
	size_t need;
	uint8_t wire[64] = {0, 0, 0, 0, 0, 0, 0, 104, 0x80, 0, 0, 1};
	assert_int_equal(sp_parse(wire, 12, false, 100, &message, &need), SP_MORE);
	wire[7]++; // one more than the body may have
	assert_int_equal(sp_parse(wire, 12, false, 100, &message, &need), SP_TOO_LARGE);
	assert_int_equal(message.total, 8 + 105);
	assert_int_equal(message.route_bytes, 4);
	memset(wire, 0xff, 8); // a length that no machine has
	assert_int_equal(sp_parse(wire, 12, false, 100, &message, &need), SP_GARBAGE);
	memset(wire, 0, sizeof(wire));
	wire[7] = 3; // no room for a request id
	assert_int_equal(sp_parse(wire, 12, false, 100, &message, &need), SP_GARBAGE);
	wire[7] = 50; // more devices in between than anybody has
	assert_int_equal(sp_parse(wire, 64, false, 100, &message, &need), SP_GARBAGE);
	wire[0] = 2; // over ipc only type 1 is known
	assert_int_equal(sp_parse(wire, 64, true, 100, &message, &need), SP_GARBAGE);
}

// ---- events

enum { EVENTS = 50000 };

struct counter {
	struct edge_events events;
	uint64_t next; // events of one thread arrive in its order
};

static void on_wake(uv_poll_t *poll, int status, int readable)
{
	struct counter *counter = poll->data;
	const struct event *events;
	(void)status, (void)readable;
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
		edge_events_add(&counter->events,
		                (struct event){.kind = EVENT_REPLY, .number = i, .bytes = malloc(8), .count = 8});
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
	    cmocka_unit_test(test_greeting),       cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_wrong_messages), cmocka_unit_test(test_events_arrive_in_order),
	    cmocka_unit_test(test_metrics_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
