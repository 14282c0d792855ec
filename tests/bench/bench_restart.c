// oyez-bench restart: oyezd with many live intents and subscriptions is killed and started again until it answers;
// against one walk of the same rows, already in memory, and inserting the filters into an index, in turn.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "broker/core/index.h"
#include "broker/service/facet_map.h"
#include "broker/service/wire.h"
#include "child.h"
#include "figures.h"
#include "parties.h"
#include "prepared.h"
#include "proto/region.h"

enum { ROUNDS_MAX = 99 };

struct filters {
	struct arena arena;
	struct filter *items;
	size_t count, room;
};

static bool keep_filter(void *context, const struct subscription *row)
{
	struct filters *filters = context;
	struct detail detail = {.suggestions_left = 0};
	if (filters->count == filters->room) {
		filters->room = filters->room ? 2 * filters->room : 1024;
		filters->items = realloc(filters->items, filters->room * sizeof *filters->items);
	}
	Oyez__Filter *words = wire_unpack(&filters->arena, &oyez__filter__descriptor, row->filter.at, row->filter.count);
	if (!filters->items || !words ||
	    filter_of_words(taxonomy_builtin(), words, &filters->arena, &filters->items[filters->count++], &detail))
		give_up("a filter that means nothing");
	return true;
}

static bool count_intent(void *context, const struct intent *intent)
{
	*(size_t *)context += intent->state == INTENT_RELEASED;
	return true;
}

static bool count_subscription(void *context, const struct subscription *row)
{
	*(size_t *)context += row->filter.count > 0;
	return true;
}

// In a process of its own, with a fresh heap, as oyezd has it. Seconds.
static double limit_run(const char *folder, size_t intents, size_t subscriptions)
{
	int told[2];
	double seconds;
	if (pipe(told) != 0)
		give_up("no pipe");
	pid_t pid = child_fork();
	if (pid == 0) {
		struct filters filters = {0};
		struct trees trees = {.categories = taxonomy_tree(taxonomy_builtin()), .regions = region_tree()};
		size_t intents_seen = 0, subscriptions_seen = 0;
		arena_init(&filters.arena);
		struct store *store = prepared_open(folder);
		store_begin(store);
		store_subscription_each(store, keep_filter, &filters);
		store_intent_each(store, count_intent, &intents_seen);
		intents_seen = 0;
		double start = seconds_now();
		store_intent_each_sealed(store, INTENT_WAITING, count_intent, &intents_seen);
		store_subscription_each(store, count_subscription, &subscriptions_seen);
		struct index *index = index_new(&trees);
		for (uint32_t i = 0; i < filters.count; i++)
			index_insert(index, i, &filters.items[i]);
		seconds = seconds_now() - start;
		if (intents_seen != intents || subscriptions_seen != subscriptions || index_count(index) != subscriptions)
			give_up("WRONG: the walk saw %zu intents and %zu subscriptions", intents_seen, subscriptions_seen);
		store_abort(store);
		store_close(store);
		_exit(write(told[1], &seconds, sizeof seconds) != sizeof seconds);
	}
	close(told[1]);
	if (read(told[0], &seconds, sizeof seconds) != sizeof seconds || child_end(pid, 0) != 0)
		give_up("the walk failed");
	close(told[0]);
	return seconds;
}

// Killed, and started again until it has answered. Seconds.
static double restart(struct oyezd *oyezd, const char *folder, const char *const *options, size_t intents,
                      size_t subscriptions)
{
	struct broker_keys keys;
	oyezd_kill(oyezd);
	double start = seconds_now();
	oyezd_start(oyezd, folder, options);
	struct wire *wire = wire_new(oyezd->url);
	wire_connect(wire, 1);
	broker_ask_keys(wire, 0, &keys);
	double seconds = seconds_now() - start;
	wire_free(wire);
	Oyez__AdminReply *reply = operator_status(oyezd->ipc);
	if (reply->status->intents_released != intents || reply->status->subscriptions != subscriptions)
		give_up("WRONG: %llu intents and %llu subscriptions after the restart",
		        (unsigned long long)reply->status->intents_released, (unsigned long long)reply->status->subscriptions);
	oyez__admin_reply__free_unpacked(reply, NULL);
	return seconds;
}

int bench_restart(int argc, char **argv)
{
	double intents = 1e6, subscriptions = 1e6, rounds = 3, ours[ROUNDS_MAX], limits[ROUNDS_MAX];
	bool json = false, spoil = false;
	struct oyezd oyezd;
	const char *const settings[] = {"--tick", "1h", NULL};
	const struct option_of options[] = {
	    {"intents", &intents, NULL}, {"subscriptions", &subscriptions, NULL},
	    {"rounds", &rounds, NULL},   {"json", NULL, &json},
	    {"spoil", NULL, &spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || intents < 1 || subscriptions < 1)
		return 2;
	const char *folder = prepared_folder();
	struct store *store = prepared_open(folder);
	prepared_intents(store, (size_t)intents, true);
	prepared_subscriptions(store, (size_t)subscriptions);
	store_close(store);
	for (size_t i = 0; i < (size_t)rounds; i++) {
		oyezd_start(&oyezd, folder, settings);
		ours[i] = restart(&oyezd, folder, settings, (size_t)intents + spoil, (size_t)subscriptions);
		oyezd_stop(&oyezd);
		limits[i] = limit_run(folder, (size_t)intents, (size_t)subscriptions);
	}
	figure_print(&(struct figure){.bench = "restart",
	                              .what = "from the start to the first answer",
	                              .size = intents + subscriptions,
	                              .size_of = "intents and subscriptions",
	                              .unit = "s",
	                              .ours = figure_median(ours, (size_t)rounds),
	                              .peer = figure_median(limits, (size_t)rounds),
	                              .peer_name = "a warm walk and inserting",
	                              .kind = RATIO_AT_MOST,
	                              .goal = 1.5},
	             json);
	return 0;
}
