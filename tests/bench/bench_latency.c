// oyez-bench latency: how long a release takes from the beginning of its tick to each vendor, and an offer from the
// vendor to the customer's open long poll (direct mode), at 10 % and 50 % of the highest rate found in the same run.
// Against the least that must happen: one fdatasync and two hops of nng, each measured before and after.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "figures.h"
#include "injector.h"
#include "parties.h"

enum {
	ROUNDS_MAX = 99,
	TICK_RELEASES = 16,
	TICKS_AHEAD = 2, // while the highest rate is looked for
	TICKS_PER_PHASE_MAX = 20000,
	SYNCS = 200,
	SYNC_PAUSE_NS = 1000 * 1000,
	HOPS = 1000,
	QUIET_MS_MAX = 20000, // less than a long poll
	OFFERS_EACH = 30,     // that one vendor may make to one intent
};

// ---- samples

struct samples {
	double *seconds;
	size_t count, room;
};

static void sample(struct samples *samples, double seconds)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 4096;
		samples->seconds = realloc(samples->seconds, samples->room * sizeof *samples->seconds);
		if (!samples->seconds)
			give_up("no memory");
	}
	samples->seconds[samples->count++] = seconds;
}

// ---- the least

// A block is appended and made durable, again and again over a while: other programs use the same disk in bursts.
static double sync_seconds(const char *folder)
{
	char path[300];
	uint8_t block[4096] = {1};
	struct samples samples = {0};
	struct timespec pause = {.tv_nsec = SYNC_PAUSE_NS};
	snprintf(path, sizeof path, "%s/sync", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (int i = 0; i < SYNCS; i++) {
		double start = seconds_now();
		if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0)
			give_up("fdatasync: %s", strerror(errno));
		sample(&samples, seconds_now() - start);
		nanosleep(&pause, NULL);
	}
	close(fd);
	double median = figure_median(samples.seconds, samples.count);
	free(samples.seconds);
	return median;
}

static void nng_must(int rv)
{
	if (rv != 0)
		give_up("nng: %s", nng_strerror(rv));
}

static _Noreturn void echo(const char *url)
{
	nng_socket socket;
	nng_msg *message;
	nng_must(nng_rep0_open(&socket));
	nng_must(nng_listen(socket, url, NULL, 0));
	for (;;) {
		nng_must(nng_recvmsg(socket, &message, 0));
		nng_must(nng_sendmsg(socket, message, 0));
	}
}

// nng cannot be used on both sides of a fork, so the asking side is a process of its own as well.
static double ask_echo(const char *url)
{
	struct samples samples = {0};
	nng_socket socket;
	nng_msg *message;
	nng_must(nng_req0_open(&socket));
	nng_must(nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, 10));
	nng_must(nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK));
	for (int i = 0; i < HOPS; i++) {
		nng_must(nng_msg_alloc(&message, 512));
		double start = seconds_now();
		nng_must(nng_sendmsg(socket, message, 0));
		nng_must(nng_recvmsg(socket, &message, 0));
		if (i >= HOPS / 10)
			sample(&samples, seconds_now() - start);
		nng_msg_free(message);
	}
	return figure_median(samples.seconds, samples.count);
}

// There and back is two hops.
static double two_hops_seconds(void)
{
	char url[64];
	int told[2];
	double seconds;
	if (pipe(told) != 0)
		give_up("no pipe");
	snprintf(url, sizeof url, "tcp://127.0.0.1:%d", net_free_port());
	pid_t answering = child_fork();
	if (answering == 0)
		echo(url);
	pid_t asking = child_fork();
	if (asking == 0) {
		seconds = ask_echo(url);
		_exit(write(told[1], &seconds, sizeof seconds) != sizeof seconds);
	}
	close(told[1]);
	if (read(told[0], &seconds, sizeof seconds) != sizeof seconds)
		give_up("nng's hops could not be measured");
	close(told[0]);
	child_end(asking, 0);
	child_end(answering, SIGKILL);
	return seconds;
}

static double least_seconds(const char *folder)
{
	return sync_seconds(folder) + two_hops_seconds();
}

// ---- results of a phase: medians over the rounds

struct phase {
	double p50[ROUNDS_MAX], p99[ROUNDS_MAX];
};

static void phase_end(struct phase *phase, size_t round, struct samples *samples)
{
	phase->p50[round] = figure_quantile(samples->seconds, samples->count, 0.5);
	phase->p99[round] = figure_quantile(samples->seconds, samples->count, 0.99);
	free(samples->seconds);
	*samples = (struct samples){0};
}

static void phase_print(struct phase *phase, size_t rounds, const char *what, double share, double rate, double least,
                        bool json)
{
	char words[128];
	struct figure figure = {
	    .bench = "latency",
	    .what = words,
	    .size = rate,
	    .size_of = "a second",
	    .unit = "us",
	    .peer = least * 1e6,
	    .peer_name = "fdatasync and two nng hops",
	    .kind = RATIO_AT_MOST,
	};
	snprintf(words, sizeof words, "%s, %.0f %% of the highest rate, p50", what, share * 100);
	figure.ours = figure_median(phase->p50, rounds) * 1e6;
	figure.goal = 3;
	figure_print(&figure, json);
	snprintf(words, sizeof words, "%s, %.0f %% of the highest rate, p99", what, share * 100);
	figure.ours = figure_median(phase->p99, rounds) * 1e6;
	figure.goal = 15;
	figure_print(&figure, json);
}

// ---- tick to vendor

struct vendors {
	struct injector injector;
	struct wire *wire;
	struct stall *stalls;
	uint64_t *got;
	size_t count, at;
	size_t *answered, answered_count; // those that are to ask again
	uint64_t delivered;
	double now;
	struct samples samples;
	bool spoil;
};

static void take_release(void *context, const struct fetched *item)
{
	struct vendors *vendors = context;
	uint64_t number, stamp;
	memcpy(&number, item->release_id, sizeof number);
	memcpy(&stamp, item->release + item->release_bytes - INJECTED_STAMP_BYTES, sizeof stamp);
	if (vendors->spoil && number == 5) {
		vendors->spoil = false;
		return;
	}
	if (number != vendors->got[vendors->at] + 1)
		give_up("WRONG: vendor %zu got release %llu after %llu", vendors->at, (unsigned long long)number,
		        (unsigned long long)vendors->got[vendors->at]);
	vendors->got[vendors->at] = number;
	vendors->delivered++;
	sample(&vendors->samples, vendors->now - (double)stamp / 1e9);
}

static void fetch(struct vendors *vendors, size_t number)
{
	struct frame frame = stall_fetch_frame(&vendors->stalls[number], 25000, FETCH_ITEMS_MAX);
	wire_send(vendors->wire, number, frame.bytes, frame.count);
	free(frame.bytes);
}

static void take_fetched(void *context, size_t connection, const uint8_t *frame, size_t count)
{
	struct vendors *vendors = context;
	vendors->at = connection;
	vendors->now = seconds_now();
	stall_take_fetched(&vendors->stalls[connection], frame, count, take_release, vendors, NULL);
	vendors->answered[vendors->answered_count++] = connection;
}

static void vendors_open(struct vendors *vendors)
{
	struct broker_keys keys;
	vendors->stalls = calloc(vendors->count, sizeof *vendors->stalls);
	vendors->got = calloc(vendors->count, sizeof *vendors->got);
	vendors->answered = calloc(vendors->count, sizeof *vendors->answered);
	injector_start(&vendors->injector, folder_new(), (uint32_t)vendors->count);
	vendors->wire = wire_new(vendors->injector.url);
	wire_connect(vendors->wire, vendors->count);
	broker_ask_keys(vendors->wire, 0, &keys);
	wire_on_reply(vendors->wire, take_fetched, vendors);
	for (size_t i = 0; i < vendors->count; i++) {
		Oyez__Filter filter = OYEZ__FILTER__INIT;
		stall_open(vendors->wire, i, &keys, &vendors->stalls[i], &filter);
		fetch(vendors, i);
	}
}

static void vendors_close(struct vendors *vendors)
{
	wire_free(vendors->wire);
	injector_stop(&vendors->injector);
	free(vendors->stalls);
	free(vendors->got);
	free(vendors->answered);
}

// How long to sleep until something is due; the last part is spun away.
static int wait_before(double due, double now)
{
	int wait_ms = (int)ceil((due - now) * 1e3) - 1;
	return wait_ms < 0 ? 0 : wait_ms;
}

// Everything that has come is read before anybody asks again: vendors have machines of their own, and what one of them
// does then takes nothing from what another one is waiting for.
static void poll_or_fail(struct vendors *vendors, int timeout_ms)
{
	if (!wire_poll(vendors->wire, timeout_ms) && timeout_ms == QUIET_MS_MAX)
		give_up("WRONG: something was not delivered");
	while (vendors->answered_count > 0 && wire_poll(vendors->wire, 0))
		;
	while (vendors->answered_count > 0)
		fetch(vendors, vendors->answered[--vendors->answered_count]);
}

// Ticks a second, the next one as soon as one before is with everybody.
static double highest_ticks(struct vendors *vendors, double seconds)
{
	uint64_t begun = vendors->delivered, each = (uint64_t)TICK_RELEASES * vendors->count, ticks = 0;
	double start = seconds_now(), now = start;
	while (now - start < seconds || vendors->delivered - begun < ticks * each) {
		while (now - start < seconds && ticks - (vendors->delivered - begun) / each < TICKS_AHEAD) {
			injector_publish(&vendors->injector, TICK_RELEASES);
			ticks++;
		}
		poll_or_fail(vendors, QUIET_MS_MAX);
		now = seconds_now();
	}
	return (double)ticks / (now - start);
}

// Ticks at fixed times, whatever is still under way.
static void paced_ticks(struct vendors *vendors, double per_second, double seconds)
{
	uint64_t begun = vendors->delivered, ticks = 0, wanted = (uint64_t)(per_second * seconds) + 1;
	double start = seconds_now();
	while (vendors->delivered - begun < wanted * TICK_RELEASES * vendors->count) {
		double now = seconds_now(), next = start + (double)ticks / per_second;
		if (ticks < wanted && now >= next) {
			injector_publish(&vendors->injector, TICK_RELEASES);
			ticks++;
			continue;
		}
		poll_or_fail(vendors, ticks == wanted ? QUIET_MS_MAX : wait_before(next, now));
	}
}

static void measure_ticks(size_t count, double seconds, size_t rounds, bool json, bool spoil)
{
	static const double shares[] = {0.1, 0.5};
	struct phase phases[2];
	double rates[ROUNDS_MAX], least[2 * ROUNDS_MAX];
	struct vendors vendors = {.count = count, .spoil = spoil};
	const char *folder = folder_new();
	vendors_open(&vendors);
	for (size_t round = 0; round < rounds; round++) {
		least[2 * round] = least_seconds(folder);
		rates[round] = highest_ticks(&vendors, seconds);
		for (int i = 0; i < 2; i++) {
			vendors.samples.count = 0;
			paced_ticks(&vendors, rates[round] * shares[i], seconds);
			phase_end(&phases[i], round, &vendors.samples);
		}
		least[2 * round + 1] = least_seconds(folder);
	}
	vendors_close(&vendors);
	double rate = figure_median(rates, rounds) * TICK_RELEASES;
	for (int i = 0; i < 2; i++)
		phase_print(&phases[i], rounds, "tick to vendor", shares[i], rate * shares[i], figure_median(least, 2 * rounds),
		            json);
}

// ---- offer to customer

struct talks {
	struct oyezd oyezd;
	struct broker_keys keys;
	struct wire *wire; // the vendor's connections, then one for each customer
	size_t lines;      // of the vendor
	struct stall stall;
	struct caller *callers;
	struct release_id *releases;
	double *offered_at; // of the offer under way, 0: none
	uint64_t *seen;     // mailbox items so far
	struct cell_exchange *exchanges;
	struct frame *offers; // OFFERS_EACH for each customer
	uint8_t (*offer_ids)[ID_BYTES];
	size_t count, next, *idle, idle_count; // idle: connections of the vendor
	size_t delivered;
	struct samples samples;
	int quiet_ms; // so long nothing may come
	bool spoil;
};

static void listen_on(struct talks *talks, size_t customer)
{
	uint8_t cell[CELL_BYTES];
	caller_mailbox_cell(&talks->keys, &talks->callers[customer], talks->seen[customer], 25000, cell,
	                    &talks->exchanges[customer]);
	wire_send(talks->wire, talks->lines + customer, cell, sizeof cell);
}

static void take_mail(struct talks *talks, size_t customer, const uint8_t *frame, size_t count)
{
	double now = seconds_now();
	Oyez__CustomerReply *reply =
	    caller_reply(&talks->exchanges[customer], frame, count, OYEZ__CUSTOMER_REPLY__BODY_MAILBOX);
	for (size_t i = 0; i < reply->mailbox->n_items; i++) {
		const Oyez__MailboxItem *item = reply->mailbox->items[i];
		if (item->body_case != OYEZ__MAILBOX_ITEM__BODY_OFFER || talks->offered_at[customer] == 0 ||
		    memcmp(item->offer->release_id.data, talks->releases[customer].bytes, RELEASE_ID_BYTES) != 0)
			give_up("WRONG: customer %zu got what was not sent", customer);
		talks->delivered += !talks->spoil;
		talks->spoil = false;
		sample(&talks->samples, now - talks->offered_at[customer]);
		talks->offered_at[customer] = 0;
	}
	talks->seen[customer] = reply->mailbox->next;
	oyez__customer_reply__free_unpacked(reply, NULL);
	listen_on(talks, customer);
}

static void take_answer(void *context, size_t connection, const uint8_t *frame, size_t count)
{
	struct talks *talks = context;
	if (connection >= talks->lines) {
		take_mail(talks, connection - talks->lines, frame, count);
		return;
	}
	oyez__reply__free_unpacked(reply_open(frame, count, OYEZ__REPLY__BODY_ACK), NULL);
	talks->idle[talks->idle_count++] = connection;
}

static void read_release(struct talks *talks, size_t customer)
{
	uint8_t cell[CELL_BYTES];
	struct cell_exchange exchange;
	Oyez__Release *release = NULL;
	Oyez__CustomerReply *reply;
	size_t count;
	for (double start = seconds_now();;) {
		caller_status_cell(&talks->keys, &talks->callers[customer], cell, &exchange);
		const uint8_t *frame = wire_ask(talks->wire, talks->lines + customer, cell, sizeof cell, &count);
		reply = caller_reply(&exchange, frame, count, OYEZ__CUSTOMER_REPLY__BODY_STATUS);
		if (reply->status->release.len)
			break;
		oyez__customer_reply__free_unpacked(reply, NULL);
		if (seconds_now() - start > 30)
			give_up("WRONG: a post is not released");
		usleep(20000);
	}
	if (codec_decode_release(NULL, reply->status->release.data, reply->status->release.len, &release, NULL) != ERR_OK)
		give_up("a release cannot be read");
	memcpy(talks->releases[customer].bytes, release->release_id.data, RELEASE_ID_BYTES);
	oyez__release__free_unpacked(release, NULL);
	oyez__customer_reply__free_unpacked(reply, NULL);
}

static void talks_open(struct talks *talks, size_t lines)
{
	static const char *const options[] = {"--tick", "100ms", "--posting", "open", NULL};
	uint8_t cell[CELL_BYTES];
	struct cell_exchange exchange;
	size_t reply_bytes;
	oyezd_start(&talks->oyezd, folder_new(), options);
	talks->lines = lines;
	talks->wire = wire_new(talks->oyezd.url);
	wire_connect(talks->wire, lines + talks->count);
	broker_ask_keys(talks->wire, 0, &talks->keys);
	stall_open(talks->wire, 0, &talks->keys, &talks->stall, NULL);
	talks->callers = calloc(talks->count, sizeof *talks->callers);
	talks->releases = calloc(talks->count, sizeof *talks->releases);
	talks->offered_at = calloc(talks->count, sizeof *talks->offered_at);
	talks->seen = calloc(talks->count, sizeof *talks->seen);
	talks->exchanges = calloc(talks->count, sizeof *talks->exchanges);
	talks->offers = calloc(talks->count * OFFERS_EACH, sizeof *talks->offers);
	talks->idle = calloc(lines, sizeof *talks->idle);
	if (!talks->idle || !talks->offers)
		give_up("no memory");
	callers_new(NULL, 0, &talks->keys, NULL, talks->callers, talks->count);
	for (size_t i = 0; i < talks->count; i++) {
		caller_post_cell(&talks->keys, &talks->callers[i], false, cell, &exchange);
		const uint8_t *frame = wire_ask(talks->wire, talks->lines + i, cell, sizeof cell, &reply_bytes);
		oyez__customer_reply__free_unpacked(
		    caller_reply(&exchange, frame, reply_bytes, OYEZ__CUSTOMER_REPLY__BODY_STATUS), NULL);
	}
	for (size_t i = 0; i < talks->count; i++)
		read_release(talks, i);
	for (size_t i = 0; i < talks->count * OFFERS_EACH; i++)
		talks->offers[i] = stall_offer_frame(&talks->keys, &talks->stall, &talks->releases[i % talks->count]);
	wire_on_reply(talks->wire, take_answer, talks);
	for (size_t i = 0; i < lines; i++)
		talks->idle[talks->idle_count++] = i;
	for (size_t i = 0; i < talks->count; i++)
		listen_on(talks, i);
}

static void talks_close(struct talks *talks)
{
	wire_free(talks->wire);
	oyezd_stop(&talks->oyezd);
	for (size_t i = 0; i < talks->count * OFFERS_EACH; i++)
		free(talks->offers[i].bytes);
	free(talks->callers), free(talks->releases), free(talks->offered_at), free(talks->seen), free(talks->exchanges);
	free(talks->offers), free(talks->idle);
}

// The next customer in turn gets the next offer, unless the one before has not arrived. The clock runs from `due`.
static bool offer(struct talks *talks, double due)
{
	size_t customer = talks->next % talks->count;
	if (talks->idle_count == 0 || talks->offered_at[customer] != 0)
		return false;
	struct frame *frame = &talks->offers[talks->next++];
	talks->offered_at[customer] = due;
	wire_send(talks->wire, talks->idle[--talks->idle_count], frame->bytes, frame->count);
	return true;
}

// Offers `count`, so many a second (0: as fast as they are delivered, at most `ahead` under way). Seconds.
static double offer_all(struct talks *talks, size_t count, double per_second, size_t ahead)
{
	size_t begun = talks->delivered, sent = 0;
	double start = seconds_now(), now = start;
	while (talks->delivered - begun < count) {
		now = seconds_now();
		double due = per_second > 0 ? start + (double)sent / per_second : now;
		bool may = sent < count && (per_second > 0 || sent - (talks->delivered - begun) < ahead);
		if (may && now >= due && offer(talks, due)) {
			sent++;
			continue;
		}
		int wait_ms = may && now < due ? wait_before(due, now) : talks->quiet_ms;
		if (!wire_poll(talks->wire, wait_ms) && wait_ms == talks->quiet_ms)
			give_up("WRONG: %zu offers of %zu arrived", talks->delivered - begun, sent);
	}
	return now - start;
}

static void measure_offers(size_t count, size_t rounds, bool json, bool spoil)
{
	static const double shares[] = {0.1, 0.5};
	struct phase phases[2];
	double rates[ROUNDS_MAX], least[2 * ROUNDS_MAX];
	struct talks talks = {.count = count, .spoil = spoil, .quiet_ms = spoil ? 1000 : QUIET_MS_MAX};
	const char *folder = folder_new();
	size_t each = count * OFFERS_EACH / rounds / 3;
	talks_open(&talks, 64);
	for (size_t round = 0; round < rounds; round++) {
		least[2 * round] = least_seconds(folder);
		rates[round] = (double)each / offer_all(&talks, each, 0, 32);
		for (int i = 0; i < 2; i++) {
			talks.samples.count = 0;
			offer_all(&talks, each, rates[round] * shares[i], 0);
			phase_end(&phases[i], round, &talks.samples);
		}
		least[2 * round + 1] = least_seconds(folder);
	}
	talks_close(&talks);
	double rate = figure_median(rates, rounds);
	for (int i = 0; i < 2; i++)
		phase_print(&phases[i], rounds, "offer to customer", shares[i], rate * shares[i],
		            figure_median(least, 2 * rounds), json);
}

int bench_latency(int argc, char **argv)
{
	double vendors = 10, customers = 128, seconds = 1, rounds = 3;
	bool json = false, spoil = false;
	const struct option_of options[] = {
	    {"vendors", &vendors, NULL}, {"customers", &customers, NULL}, {"seconds", &seconds, NULL},
	    {"rounds", &rounds, NULL},   {"json", NULL, &json},           {"spoil", NULL, &spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || customers + vendors < 1 ||
	    (customers >= 1 && customers * OFFERS_EACH < rounds * 3))
		return 2;
	if (vendors >= 1)
		measure_ticks((size_t)vendors, seconds, (size_t)rounds, json, spoil);
	if (customers >= 1)
		measure_offers((size_t)customers, (size_t)rounds, json, spoil);
	return 0;
}
