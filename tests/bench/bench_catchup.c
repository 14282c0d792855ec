// oyez-bench catchup: a vendor comes back to oyezd after many events of which few match, and asks how many would have
// matched a filter. Against reading the match headers alone from memory, in turn.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "child.h"
#include "figures.h"
#include "parties.h"
#include "prepared.h"

enum { ROUNDS_MAX = 99, EACH = 1000, WAIT_MS = 20000 };
#define CATEGORY "home.kitchen.coffee-machine"

struct catchup {
	struct wire *wire;
	struct stall stall;
	uint64_t count, expected; // events; number of the next release
	bool spoil;
};

static void take(void *context, const struct fetched *item)
{
	struct catchup *catchup = context;
	uint64_t number;
	memcpy(&number, item->release_id, sizeof number);
	if (catchup->spoil && number == 3 * EACH) {
		catchup->spoil = false;
		return;
	}
	if (number != catchup->expected)
		give_up("WRONG: release %llu came, %llu was next", (unsigned long long)number,
		        (unsigned long long)catchup->expected);
	catchup->expected += EACH;
}

// From the subscription's beginning to the end of the feed. Seconds.
static double fetch_all(struct catchup *catchup, const uint8_t beginning[CURSOR_BYTES])
{
	bool more = true;
	memcpy(catchup->stall.cursor, beginning, CURSOR_BYTES);
	catchup->expected = EACH;
	double start = seconds_now();
	while (more) {
		size_t count;
		struct frame frame = stall_fetch_frame(&catchup->stall, 0, FETCH_ITEMS_MAX);
		const uint8_t *reply = wire_ask(catchup->wire, 0, frame.bytes, frame.count, &count);
		stall_take_fetched(&catchup->stall, reply, count, take, catchup, &more);
		free(frame.bytes);
	}
	double seconds = seconds_now() - start;
	if (catchup->expected != (catchup->count / EACH + 1) * EACH)
		give_up("WRONG: the last release was %llu", (unsigned long long)(catchup->expected - EACH));
	return seconds;
}

static double would_match(struct catchup *catchup)
{
	char *categories[] = {WORDS(CATEGORY)};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__WouldMatch would = OYEZ__WOULD_MATCH__INIT;
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	would.filter = &filter;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_WOULD_MATCH;
	body.would_match = &would;
	struct frame frame = stall_read_frame(&catchup->stall, &body);
	size_t count;
	double start = seconds_now();
	const uint8_t *answer = wire_ask(catchup->wire, 0, frame.bytes, frame.count, &count);
	double seconds = seconds_now() - start;
	free(frame.bytes);
	Oyez__Reply *reply = reply_open(answer, count, OYEZ__REPLY__BODY_WOULD_MATCH);
	if (reply->would_match->count != catchup->count / EACH || reply->would_match->scanned != catchup->count)
		give_up("WRONG: %llu of %llu would have matched", (unsigned long long)reply->would_match->count,
		        (unsigned long long)reply->would_match->scanned);
	oyez__reply__free_unpacked(reply, NULL);
	return seconds;
}

// Reads so many headers that lie in memory. Seconds.
static double read_headers(const uint64_t *headers, size_t count)
{
	static volatile uint64_t sink;
	uint64_t sum = 0;
	double start = seconds_now();
	for (size_t i = 0; i < count * sizeof(struct match_header) / sizeof *headers; i++)
		sum += headers[i];
	sink = sum;
	(void)sink;
	return seconds_now() - start;
}

int bench_catchup(int argc, char **argv)
{
	double events = 1e6, rounds = 7, fetches[ROUNDS_MAX], counts[ROUNDS_MAX], limits[ROUNDS_MAX];
	bool json = false;
	struct catchup catchup = {0};
	struct oyezd oyezd;
	struct broker_keys keys;
	const struct option_of options[] = {
	    {"events", &events, NULL},
	    {"rounds", &rounds, NULL},
	    {"json", NULL, &json},
	    {"spoil", NULL, &catchup.spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || events < 4 * EACH)
		return 2;
	catchup.count = (uint64_t)events / EACH * EACH;
	const char *folder = folder_new();
	char *categories[] = {WORDS(CATEGORY)};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	oyezd_start(&oyezd, folder, NULL);
	catchup.wire = wire_new(oyezd.url);
	wire_connect(catchup.wire, 1);
	broker_ask_keys(catchup.wire, 0, &keys);
	stall_open(catchup.wire, 0, &keys, &catchup.stall, &filter);
	uint8_t beginning[CURSOR_BYTES];
	memcpy(beginning, catchup.stall.cursor, CURSOR_BYTES);
	wire_free(catchup.wire);
	oyezd_stop(&oyezd);
	struct store *store = prepared_open(folder);
	prepared_feed(store, catchup.count, EACH, CATEGORY);
	store_close(store);
	oyezd_start(&oyezd, folder, NULL);
	catchup.wire = wire_new(oyezd.url);
	wire_connect(catchup.wire, 1);
	stall_open_session(catchup.wire, 0, &keys, &catchup.stall);

	uint64_t *headers = malloc(catchup.count * sizeof(struct match_header));
	if (!headers)
		give_up("no memory");
	memset(headers, 1, catchup.count * sizeof(struct match_header));
	fetch_all(&catchup, beginning); // the files come into memory
	for (size_t i = 0; i < (size_t)rounds; i++) {
		fetches[i] = (double)catchup.count / fetch_all(&catchup, beginning) / 1e6;
		limits[i] = (double)catchup.count / read_headers(headers, catchup.count) / 1e6;
		counts[i] = would_match(&catchup) * 1e3;
	}
	wire_free(catchup.wire);
	oyezd_stop(&oyezd);
	free(headers);
	struct figure figure = {
	    .bench = "catchup",
	    .what = "scanned for a vendor",
	    .size = (double)catchup.count,
	    .size_of = "events",
	    .unit = "M events/s",
	    .ours = figure_median(fetches, (size_t)rounds),
	    .peer = figure_median(limits, (size_t)rounds),
	    .peer_name = "headers read from memory",
	    .kind = VALUE_AT_LEAST,
	    .goal = 5,
	};
	figure_print(&figure, json);
	figure.what = "would-match";
	figure.unit = "ms";
	figure.ours = figure_median(counts, (size_t)rounds);
	figure.peer = (double)catchup.count / figure.peer / 1e3;
	figure.kind = catchup.count <= 1000000 ? VALUE_AT_MOST : GOAL_NONE;
	figure.goal = 100;
	figure_print(&figure, json);
	return 0;
}
