// oyez-bench post: posts with tokens from many connections to oyezd, prepared beforehand, acknowledged after their
// commit; the processor time oyezd takes for each, against the bare cryptography of each on the same processors, in
// turn. At the end oyezd is killed, started again, and asked for every post it acknowledged.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "broker/base/clock.h"
#include "child.h"
#include "figures.h"
#include "parties.h"

enum { ROUNDS_MAX = 99, THREADS_MAX = 64, ANSWER_MS_MAX = 60000 };

struct posting {
	struct oyezd oyezd;
	struct wire *wire;
	struct broker_keys keys;
	struct caller *callers;
	uint8_t (*cells)[CELL_BYTES];
	struct cell_exchange *exchanges;
	size_t *of_connection; // which post is under way on it
	size_t count, connections, next, end, acknowledged;
	bool after_restart, spoil;
};

// ---- the bare cryptography: the same number of threads as processors, each with its share

struct bare {
	pthread_t thread;
	struct gateway_key gateway;
	struct token_key key;
	struct caller *callers;
	uint8_t (*cells)[CELL_BYTES];
	uint8_t (*records)[64]; // signed, one for each
	uint8_t (*signatures)[SIGNATURE_BYTES];
	const uint8_t *broker;
	size_t count;
	double seconds;
};

static void must(enum err err, const char *what)
{
	if (err)
		give_up("%s: %s", what, err_name(err));
}

static double thread_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *run_bare(void *context)
{
	struct bare *bare = context;
	uint8_t plain[CELL_REQUEST_PLAIN_BYTES];
	const uint8_t *message;
	size_t message_bytes;
	struct cell_exchange exchange;
	struct id intent;
	uint32_t epoch;
	double start = thread_seconds();
	for (size_t i = 0; i < bare->count; i++) {
		must(cell_open_request(&bare->gateway, 1, 0, bare->cells[i], CELL_BYTES, plain, &message, &message_bytes,
		                       &exchange),
		     "opening a cell");
		must(token_check(&bare->key, 1, 0, bare->broker, bare->callers[i].token, TOKEN_BYTES, &epoch, &intent),
		     "checking a token");
		must(sign_check(bare->callers[i].pair.public_key, TAG_CUSTOMER, bare->records[i], 64, bare->signatures[i]),
		     "checking a signature");
		if (!id_equal(&intent, &bare->callers[i].id))
			give_up("WRONG: a token for another intent");
	}
	bare->seconds = thread_seconds() - start;
	return NULL;
}

static void *room(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);
	if (!memory)
		give_up("no memory");
	return memory;
}

// Our own tokens: blind, evaluate, finish, as broker and wallet do.
static void bare_prepare(struct bare *bare, const uint8_t broker[KEY_BYTES], size_t count)
{
	bare->count = count;
	bare->broker = broker;
	bare->callers = room(count, sizeof *bare->callers);
	bare->cells = room(count, sizeof *bare->cells);
	bare->records = room(count, sizeof *bare->records);
	bare->signatures = room(count, sizeof *bare->signatures);
	hpke_pair_new(&bare->gateway.pair);
	gateway_key_id_of(bare->gateway.pair.public_key, bare->gateway.id);
	bare->gateway.accepted_until_ms = UINT64_MAX;
	voprf_key_new(&bare->key.pair);
	bare->key.redeem_until_ms = UINT64_MAX;
	struct broker_keys keys = {0};
	memcpy(keys.id, broker, KEY_BYTES);
	memcpy(keys.gateway, bare->gateway.pair.public_key, KEY_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct caller *caller = &bare->callers[i];
		struct cell_exchange exchange;
		uint8_t evaluated[1][ELEMENT_BYTES], proof[PROOF_BYTES];
		callers_new(NULL, 0, &keys, NULL, caller, 1);
		must(token_request_new(broker, bare->key.pair.public_key, caller->pair.public_key, &caller->asked), "a token");
		must(voprf_evaluate_batch(&bare->key.pair, 1, (const uint8_t(*)[ELEMENT_BYTES])caller->asked.blinded, evaluated,
		                          proof),
		     "evaluating");
		must(tokens_finish(bare->key.pair.public_key, 1, &caller->asked, (const uint8_t(*)[ELEMENT_BYTES])evaluated,
		                   proof, &caller->token),
		     "a token's end");
		caller_post_cell(&keys, caller, true, bare->cells[i], &exchange);
		memcpy(bare->records[i], caller->token, 64);
		sign_bytes(&caller->pair, TAG_CUSTOMER, bare->records[i], 64, bare->signatures[i]);
	}
}

// Processor seconds of each.
static double bare_run(struct bare *bare, size_t threads)
{
	double seconds = 0;
	size_t count = 0;
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&bare[i].thread, NULL, run_bare, &bare[i]) != 0)
			give_up("no thread");
	for (size_t i = 0; i < threads; i++) {
		pthread_join(bare[i].thread, NULL);
		seconds += bare[i].seconds;
		count += bare[i].count;
	}
	return seconds / (double)count;
}

// ---- the posts

static void send_next(struct posting *posting, size_t connection)
{
	if (posting->next == posting->end)
		return;
	size_t number = posting->next++;
	posting->of_connection[connection] = number;
	wire_send(posting->wire, connection, posting->cells[number], CELL_BYTES);
}

static void take_reply(void *context, size_t connection, const uint8_t *frame, size_t count)
{
	struct posting *posting = context;
	size_t number = posting->of_connection[connection];
	Oyez__CustomerReply *reply =
	    caller_reply(&posting->exchanges[number], frame, count, OYEZ__CUSTOMER_REPLY__BODY_STATUS);
	const Oyez__Status *status = reply->status;
	if (status->intent_id.len != ID_BYTES ||
	    memcmp(status->intent_id.data, &posting->callers[number].id, ID_BYTES) != 0)
		give_up("WRONG: post %zu got the status of another intent", number);
	if (status->state != OYEZ__INTENT_STATE__INTENT_WAITING && status->state != OYEZ__INTENT_STATE__INTENT_RELEASED)
		give_up("WRONG: post %zu is in state %d", number, (int)status->state);
	oyez__customer_reply__free_unpacked(reply, NULL);
	posting->acknowledged++;
	send_next(posting, connection);
}

// Sends those from `next` to `end`; all are answered when it returns. Seconds.
static double send_all(struct posting *posting)
{
	size_t wanted = posting->acknowledged + (posting->end - posting->next);
	double start = seconds_now();
	for (size_t i = 0; i < posting->connections; i++)
		send_next(posting, i);
	while (posting->acknowledged < wanted)
		if (!wire_poll(posting->wire, ANSWER_MS_MAX))
			give_up("WRONG: %zu of %zu are answered", posting->acknowledged, wanted);
	return seconds_now() - start;
}

static void connect_all(struct posting *posting)
{
	posting->wire = wire_new(posting->oyezd.url);
	wire_connect(posting->wire, posting->connections);
	wire_on_reply(posting->wire, take_reply, posting);
	broker_ask_keys(posting->wire, 0, &posting->keys);
}

static void ask_for_all(struct posting *posting, const char *const *options)
{
	oyezd_kill(&posting->oyezd);
	wire_free(posting->wire);
	oyezd_start(&posting->oyezd, posting->oyezd.folder, options);
	connect_all(posting);
	if (posting->spoil) // one the broker has never seen
		callers_new(NULL, 0, &posting->keys, NULL, &posting->callers[posting->count / 2], 1);
	for (size_t i = 0; i < posting->count; i++)
		caller_status_cell(&posting->keys, &posting->callers[i], posting->cells[i], &posting->exchanges[i]);
	posting->next = posting->acknowledged = 0;
	posting->end = posting->count;
	send_all(posting);
}

static void measure(struct posting *posting, size_t rounds, bool json)
{
	struct sign_pair guardian;
	struct bare bare[THREADS_MAX];
	size_t threads = (size_t)sysconf(_SC_NPROCESSORS_ONLN), each = posting->count / rounds;
	double ours[ROUNDS_MAX], limits[ROUNDS_MAX], rates[ROUNDS_MAX];
	char guardians[128] = "tcp://127.0.0.1:9#";
	threads = threads > THREADS_MAX ? THREADS_MAX : threads;
	sign_pair_new(&guardian);
	hex_encode(guardian.public_key, KEY_BYTES, guardians + strlen(guardians));
	const char *options[] = {"--posting", "token", "--guardians", guardians, "--tick", "1s", NULL};
	oyezd_start(&posting->oyezd, folder_new(), options);
	connect_all(posting);
	callers_new(posting->wire, 0, &posting->keys, &guardian, posting->callers, posting->count);
	for (size_t i = 0; i < threads; i++)
		bare_prepare(&bare[i], posting->keys.id, (each < 2000 ? each : 2000) / threads + 1);
	for (size_t round = 0; round < rounds; round++) {
		posting->end = posting->next + each;
		for (size_t i = posting->next; i < posting->end; i++)
			caller_post_cell(&posting->keys, &posting->callers[i], true, posting->cells[i], &posting->exchanges[i]);
		double cpu = child_cpu_seconds(posting->oyezd.pid);
		double seconds = send_all(posting);
		ours[round] = (child_cpu_seconds(posting->oyezd.pid) - cpu) / (double)each;
		rates[round] = (double)each / seconds;
		limits[round] = bare_run(bare, threads);
	}
	ask_for_all(posting, options);
	oyezd_stop(&posting->oyezd);
	struct figure figure = {
	    .bench = "post",
	    .what = "processor time of an acknowledged post",
	    .size = (double)posting->connections,
	    .size_of = "connections",
	    .unit = "us",
	    .ours = figure_median(ours, rounds) * 1e6,
	    .peer = figure_median(limits, rounds) * 1e6,
	    .peer_name = "cell, token and signature bare",
	    .kind = RATIO_AT_MOST,
	    .goal = 1.4,
	};
	figure_print(&figure, json);
	figure_print(&(struct figure){.bench = "post",
	                              .what = "acknowledged posts, all found after kill -9",
	                              .size = (double)posting->count,
	                              .size_of = "posts",
	                              .unit = "/s",
	                              .ours = figure_median(rates, rounds)},
	             json);
}

int bench_post(int argc, char **argv)
{
	double count = 20000, connections = 64, rounds = 5;
	bool json = false;
	struct posting posting = {0};
	const struct option_of options[] = {
	    {"posts", &count, NULL}, {"connections", &connections, NULL}, {"rounds", &rounds, NULL},
	    {"json", NULL, &json},   {"spoil", NULL, &posting.spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || count < rounds || connections < 1)
		return 2;
	posting.count = (size_t)count / (size_t)rounds * (size_t)rounds;
	posting.connections = (size_t)connections;
	posting.callers = room(posting.count, sizeof *posting.callers);
	posting.cells = room(posting.count, sizeof *posting.cells);
	posting.exchanges = room(posting.count, sizeof *posting.exchanges);
	posting.of_connection = room(posting.connections, sizeof *posting.of_connection);
	measure(&posting, (size_t)rounds, json);
	return 0;
}
