// oyez-bench memory: anonymous memory of oyezd for each parked connection, live intent and subscription; and of nng
// alone for each parked connection.
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "figures.h"
#include "parties.h"
#include "prepared.h"

enum { WAIT_MS = 25000, QUIET_MS_MAX = 40000 };

// ---- connections

struct parked {
	struct stall stall;
	size_t answered, releases;
	bool spoil;
};

static void take(void *context, size_t connection, const uint8_t *frame, size_t count)
{
	struct parked *parked = context;
	(void)connection;
	parked->answered++;
	parked->releases += stall_take_fetched(&parked->stall, frame, count, NULL, NULL, NULL);
}

static uint64_t parked_now(const struct oyezd *oyezd)
{
	Oyez__AdminReply *status = operator_status(oyezd->ipc);
	uint64_t parked = status->status->parked;
	oyez__admin_reply__free_unpacked(status, NULL);
	return parked;
}

// All wait; then a release comes, and everybody must get it.
static double oyezd_connection_bytes(size_t count, bool spoil)
{
	struct oyezd oyezd;
	struct broker_keys keys;
	struct parked parked = {.spoil = spoil};
	struct caller caller;
	struct cell_exchange exchange;
	uint8_t cell[CELL_BYTES];
	char most[32];
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	snprintf(most, sizeof most, "%zu", count + 64);
	const char *options[] = {"--connections", most, "--tick", "200ms", "--posting", "open", NULL};
	oyezd_start(&oyezd, folder_new(), options);
	struct wire *wire = wire_new(oyezd.url);
	wire_connect(wire, 1);
	broker_ask_keys(wire, 0, &keys);
	stall_open(wire, 0, &keys, &parked.stall, &filter);
	size_t before = child_memory(oyezd.pid);
	wire_on_reply(wire, take, &parked);
	size_t first = wire_connect(wire, count);
	double start = seconds_now();
	for (size_t i = 0; i < count; i++) {
		struct frame frame = stall_fetch_frame(&parked.stall, WAIT_MS, 1);
		wire_send(wire, first + i, frame.bytes, frame.count);
		free(frame.bytes);
	}
	while (parked_now(&oyezd) < count && seconds_now() - start < WAIT_MS / 2e3)
		wire_poll(wire, 10);
	if (parked_now(&oyezd) != count)
		give_up("WRONG: %llu of %zu wait", (unsigned long long)parked_now(&oyezd), count);
	size_t after = child_memory(oyezd.pid);
	callers_new(wire, 0, &keys, NULL, &caller, 1);
	caller_post_cell(&keys, &caller, false, cell, &exchange);
	wire_connect(wire, 1);
	size_t reply_bytes;
	struct wire *other = wire_new(oyezd.url);
	wire_connect(other, 1);
	const uint8_t *reply = wire_ask(other, 0, cell, CELL_BYTES, &reply_bytes);
	oyez__customer_reply__free_unpacked(caller_reply(&exchange, reply, reply_bytes, OYEZ__CUSTOMER_REPLY__BODY_STATUS),
	                                    NULL);
	while (parked.answered < count)
		if (!wire_poll(wire, QUIET_MS_MAX))
			give_up("WRONG: %zu of %zu are answered", parked.answered, count);
	if (parked.releases != count + (size_t)parked.spoil)
		give_up("WRONG: %zu of %zu got the release", parked.releases, count);
	wire_free(other);
	wire_free(wire);
	oyezd_stop(&oyezd);
	return (double)(after - before) / (double)count;
}

static _Noreturn void nng_serve(const char *url, int told, size_t count)
{
	nng_socket socket;
	nng_msg **kept = calloc(count, sizeof *kept);
	struct rlimit files = {count + 300, count + 300};
	char byte = 0;
	setrlimit(RLIMIT_NOFILE, &files);
	if (!kept || nng_rep0_open_raw(&socket) != 0 || nng_listen(socket, url, NULL, 0) != 0 || write(told, &byte, 1) != 1)
		_exit(1);
	for (size_t i = 0; i < count; i++)
		if (nng_recvmsg(socket, &kept[i], 0) != 0)
			_exit(1);
	if (write(told, &byte, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void nobody_answers(void *context, size_t connection, const uint8_t *body, size_t count)
{
	(void)context, (void)connection, (void)body, (void)count;
	give_up("WRONG: an answer where none was to come");
}

static double nng_connection_bytes(size_t count)
{
	char url[64], byte;
	int told[2];
	uint8_t request[200] = {0}; // as long as a fetch
	if (pipe(told) != 0)
		give_up("no pipe");
	snprintf(url, sizeof url, "tcp://127.0.0.1:%d", net_free_port());
	pid_t pid = child_fork();
	if (pid == 0)
		nng_serve(url, told[1], count);
	if (read(told[0], &byte, 1) != 1)
		give_up("nng does not start");
	size_t before = child_memory(pid);
	struct wire *wire = wire_new(url);
	wire_connect(wire, count);
	wire_on_reply(wire, nobody_answers, NULL);
	for (size_t i = 0; i < count; i++)
		wire_send(wire, i, request, sizeof request);
	if (read(told[0], &byte, 1) != 1)
		give_up("WRONG: nng did not get all requests");
	size_t after = child_memory(pid);
	wire_free(wire);
	child_end(pid, SIGKILL);
	close(told[0]), close(told[1]);
	return (double)(after - before) / (double)count;
}

// ---- what is stored

// Memory of an oyezd just started on what `folder` holds; its numbers are checked.
static size_t memory_of(const char *folder, size_t released, size_t waiting, size_t subscriptions)
{
	struct oyezd oyezd;
	const char *options[] = {"--crowd", "1000", "--tick", "1h", NULL}; // nobody leaves
	oyezd_start(&oyezd, folder, options);
	Oyez__AdminReply *reply = operator_status(oyezd.ipc);
	const Oyez__StatusReport *status = reply->status;
	if (status->intents_released != released || status->intents_waiting != waiting ||
	    status->subscriptions != subscriptions)
		give_up("WRONG: %llu released, %llu waiting, %llu subscriptions", (unsigned long long)status->intents_released,
		        (unsigned long long)status->intents_waiting, (unsigned long long)status->subscriptions);
	oyez__admin_reply__free_unpacked(reply, NULL);
	size_t memory = child_memory(oyezd.pid);
	oyezd_stop(&oyezd);
	return memory;
}

enum what { RELEASED, WAITING, SUBSCRIPTIONS };

static double bytes_each(enum what what, size_t count, bool spoil)
{
	const char *folder = prepared_folder();
	size_t before = memory_of(folder, 0, 0, 0);
	struct store *store = prepared_open(folder);
	if (what == SUBSCRIPTIONS)
		prepared_subscriptions(store, count);
	else
		prepared_intents(store, count, what == RELEASED);
	store_close(store);
	size_t told = count + spoil;
	size_t after =
	    memory_of(folder, what == RELEASED ? told : 0, what == WAITING ? told : 0, what == SUBSCRIPTIONS ? told : 0);
	return ((double)after - (double)before) / (double)count;
}

int bench_memory(int argc, char **argv)
{
	double connections = 10000, intents = 1e6, waiting = 100000, subscriptions = 1e6;
	bool json = false, spoil = false;
	const struct option_of options[] = {
	    {"connections", &connections, NULL},     {"intents", &intents, NULL}, {"waiting", &waiting, NULL},
	    {"subscriptions", &subscriptions, NULL}, {"json", NULL, &json},       {"spoil", NULL, &spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	struct figure figure = {.bench = "memory", .unit = "bytes", .kind = VALUE_AT_MOST};
	if (connections >= 1) {
		figure.what = "parked connection";
		figure.size = connections;
		figure.size_of = "connections";
		figure.ours = oyezd_connection_bytes((size_t)connections, spoil);
		figure.peer = nng_connection_bytes((size_t)connections);
		figure.peer_name = "nng alone";
		figure.goal = 8192;
		figure_print(&figure, json);
	}
	figure.peer_name = NULL;
	figure.goal = 300;
	figure.size_of = "intents";
	if (intents >= 1) {
		figure.what = "released intent";
		figure.size = intents;
		figure.ours = bytes_each(RELEASED, (size_t)intents, spoil);
		figure_print(&figure, json);
	}
	if (waiting >= 1) {
		figure.what = "waiting intent";
		figure.size = waiting;
		figure.ours = bytes_each(WAITING, (size_t)waiting, spoil);
		figure_print(&figure, json);
	}
	if (subscriptions >= 1) {
		figure.what = "subscription, with its listener";
		figure.size_of = "subscriptions";
		figure.size = subscriptions;
		figure.kind = GOAL_NONE;
		figure.ours = bytes_each(SUBSCRIPTIONS, (size_t)subscriptions, spoil);
		figure_print(&figure, json);
	}
	return 0;
}
