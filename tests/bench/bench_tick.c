// A release tick over many waiting intents, against sorting their class keys once in the same run. Three loads: all
// leave at once (k = 1); many leave, all steps climbed (k = 5); nobody leaves, all steps climbed (k above the count).
// The intents differ in every facet, uniformly over taxonomy and regions: more distinct classes than any market has.
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "broker/core/release.h"
#include "proto/region.h"
#include "proto/taxonomy.h"

enum { ROUNDS = 9, COUNT_DEFAULT = 100000 };
#define TICK_MS (20000 * DAY_MS)

struct load {
	const char *name;
	uint32_t k;
	uint64_t waited_ms;
	// Out:
	double sort_s, tick_s;
	size_t left;
};

struct tick_bench {
	size_t count;
	struct trees trees;
	struct waiting_intent *intents;
	struct waiting *waiting, *before;
	struct facets *keys, *sorted;
	void *scratch;
	uint64_t random;
};

static uint32_t below(struct tick_bench *bench, uint32_t limit)
{
	bench->random = bench->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(bench->random >> 33) % limit;
}

static void *room(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);
	if (!memory)
		give_up("no memory");
	return memory;
}

static void intent_make(struct tick_bench *bench, struct waiting_intent *intent, uint64_t waited_ms)
{
	*intent = (struct waiting_intent){
	    .coarsest_step = RELEASE_STEPS - 1,
	    .needed_by_day = 20000 + below(bench, 60),
	    .posted_at_ms = TICK_MS - waited_ms,
	    .expires_at_ms = TICK_MS + DAY_MS * (1 + below(bench, 60)),
	    .patience_ms = 10 * MINUTE_MS,
	    .facets =
	        {
	            .category = below(bench, bench->trees.categories->count),
	            .region = below(bench, bench->trees.regions->count),
	            .budget_min_e4 = INT64_C(10000) << below(bench, 8),
	            .budget_max_e4 = INT64_C(100000000) << below(bench, 8),
	            .currency = 978,
	            .language = (uint16_t)below(bench, 3),
	            .terms = 1,
	            .condition = (uint8_t)below(bench, 4),
	            .quantity = (uint8_t)below(bench, 5),
	            .fulfilment = (uint8_t)below(bench, 5),
	            .reach = (uint8_t)below(bench, 4),
	            .rating_band = (uint8_t)below(bench, 11),
	        },
	};
}

static void prepare(struct tick_bench *bench, const struct load *load)
{
	for (size_t i = 0; i < bench->count; i++) {
		intent_make(bench, &bench->intents[i], load->waited_ms);
		bench->before[i] = (struct waiting){.intent = &bench->intents[i]};
		for (size_t byte = 0; byte < RELEASE_ID_BYTES; byte++)
			bench->before[i].release.bytes[byte] = (uint8_t)below(bench, 256);
		release_class(&bench->intents[i], 0, TICK_MS, &bench->trees, &bench->keys[i]);
	}
}

static int compare_keys(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct facets));
}

// Each released class has as many members as it says, at least k; and the releases are in order.
static void check(const struct tick_bench *bench, const struct load *load)
{
	struct facets *classes = bench->sorted;
	size_t left = 0, promised = 0;
	for (size_t i = 0; i < bench->count; i++) {
		const struct waiting *one = &bench->waiting[i];
		if (i > 0 && memcmp(&one[-1].release, &one->release, RELEASE_ID_BYTES) >= 0)
			give_up("tick: the releases are not in order");
		if (!one->crowd)
			continue;
		if (one->crowd < load->k)
			give_up("tick: a crowd of %u where k is %u", one->crowd, load->k);
		classes[left++] = one->class_facets;
	}
	if (left != load->left)
		give_up("tick: %zu left, %zu were told", left, load->left);
	qsort(classes, left, sizeof *classes, compare_keys);
	for (size_t i = 0; i < bench->count; i++) {
		const struct waiting *one = &bench->waiting[i];
		if (!one->crowd)
			continue;
		const struct facets *found = bsearch(&one->class_facets, classes, left, sizeof *classes, compare_keys);
		size_t first = (size_t)(found - classes), last = first;
		while (first > 0 && compare_keys(&classes[first - 1], found) == 0)
			first--;
		while (last + 1 < left && compare_keys(&classes[last + 1], found) == 0)
			last++;
		if (last - first + 1 < one->crowd)
			give_up("tick: a crowd of %u has %zu members", one->crowd, last - first + 1);
		promised++;
		if (promised > 2000)
			break; // enough to notice; large classes make this slow
	}
}

static int compare_seconds(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static void measure(struct tick_bench *bench, struct load *load)
{
	double sorts[ROUNDS], ticks[ROUNDS];
	prepare(bench, load);
	for (int round = 0; round < ROUNDS; round++) { // in turn, so that a busy machine slows both
		memcpy(bench->sorted, bench->keys, bench->count * sizeof *bench->keys);
		double start = seconds_now();
		qsort(bench->sorted, bench->count, sizeof *bench->sorted, compare_keys);
		sorts[round] = seconds_now() - start;
		memcpy(bench->waiting, bench->before, bench->count * sizeof *bench->before);
		start = seconds_now();
		load->left = release_tick(bench->waiting, bench->count, load->k, TICK_MS, &bench->trees, bench->scratch);
		ticks[round] = seconds_now() - start;
	}
	qsort(sorts, ROUNDS, sizeof *sorts, compare_seconds);
	qsort(ticks, ROUNDS, sizeof *ticks, compare_seconds);
	load->sort_s = sorts[ROUNDS / 2];
	load->tick_s = ticks[ROUNDS / 2];
	check(bench, load);
}

int bench_tick(int argc, char **argv)
{
	struct tick_bench bench = {
	    .count = COUNT_DEFAULT,
	    .trees = {.categories = taxonomy_tree(taxonomy_builtin()), .regions = region_tree()},
	    .random = 42,
	};
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			bench.count = strtoul(argv[++i], NULL, 10);
		else
			return 2;
	}
	if (bench.count == 0 || bench.count > 10000000)
		return 2;
	bench.intents = room(bench.count, sizeof *bench.intents);
	bench.waiting = room(bench.count, sizeof *bench.waiting);
	bench.before = room(bench.count, sizeof *bench.before);
	bench.keys = room(bench.count, sizeof *bench.keys);
	bench.sorted = room(bench.count, sizeof *bench.sorted);
	bench.scratch = room(1, release_scratch_bytes(bench.count));
	struct load loads[] = {
	    {.name = "all leave, k = 1", .k = 1},
	    {.name = "all steps, k = 5", .k = 5, .waited_ms = DAY_MS},
	    {.name = "all steps, nobody leaves", .k = (uint32_t)bench.count + 1, .waited_ms = DAY_MS},
	};
	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
		struct load *load = &loads[i];
		measure(&bench, load);
		if (json) {
			json_t *line =
			    json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f}", "bench", "tick", "load", load->name, "waiting",
			              (json_int_t)bench.count, "left", (json_int_t)load->left, "sort_ms", load->sort_s * 1e3,
			              "tick_ms", load->tick_s * 1e3, "ratio", load->tick_s / load->sort_s);
			json_dumpf(line, stdout, JSON_COMPACT);
			putchar('\n');
			json_decref(line);
		} else {
			printf("tick, %zu waiting, %s: one sort %.1f ms, tick %.1f ms, ratio %.2f (goal 3), %zu left\n",
			       bench.count, load->name, load->sort_s * 1e3, load->tick_s * 1e3, load->tick_s / load->sort_s,
			       load->left);
		}
	}
	free(bench.intents), free(bench.waiting), free(bench.before), free(bench.keys), free(bench.sorted);
	free(bench.scratch);
	return 0;
}
