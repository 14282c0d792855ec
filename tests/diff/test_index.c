// The index against the naive matcher: random trees, filters and releases, with filters coming and going in any order.
// Every check compares hits, their maybe bits and that each comes once. A failure prints how to replay it:
// OYEZ_SEED=... (the first seed), OYEZ_ROUNDS=... (how many seeds from there).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/core/index.h"

enum { NODES_MAX = 60, SUBSCRIPTIONS_MAX = 250, STEPS = 120, FILTER_NODES = 3 };

static uint64_t seed, random_state;

static uint32_t random_below(uint32_t limit)
{
	// splitmix64
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) >> 32) % limit;
}

static bool one_in(uint32_t n)
{
	return random_below(n) == 0;
}

static void fail(const char *what, uint32_t number)
{
	fprintf(stderr, "index differs: %s, subscription %" PRIu32 "\nreplay: OYEZ_SEED=%" PRIu64 " OYEZ_ROUNDS=1\n", what,
	        number, seed);
	exit(1);
}

// ---- random input

struct random_tree {
	uint32_t parent[NODES_MAX], last[NODES_MAX];
	uint8_t depth[NODES_MAX], flags[NODES_MAX];
	struct tree tree;
};

// Pre-order: each node is a child of the one before it or of one of that one's ancestors, or a new top.
static void make_tree(struct random_tree *random)
{
	uint32_t count = 1 + random_below(NODES_MAX);
	for (uint32_t node = 0; node < count; node++) {
		uint32_t parent = node == 0 ? TREE_NONE : node - 1;
		while (parent != TREE_NONE && one_in(2))
			parent = random->parent[parent];
		random->parent[node] = parent;
		random->depth[node] = parent == TREE_NONE ? 1 : random->depth[parent] + 1;
		random->flags[node] = 0;
		for (uint32_t up = node; up != TREE_NONE; up = random->parent[up])
			random->last[up] = node;
	}
	random->tree = (struct tree){
	    .count = count, .parent = random->parent, .last = random->last, .depth = random->depth, .flags = random->flags};
}

struct stored_filter {
	struct filter filter;
	uint32_t categories[FILTER_NODES], not_categories[FILTER_NODES], regions[FILTER_NODES];
	bool present;
};

static uint16_t pick_nodes(const struct tree *tree, uint32_t nodes[FILTER_NODES])
{
	uint32_t count = random_below(FILTER_NODES + 1);
	for (uint32_t i = 0; i < count; i++)
		nodes[i] = random_below(tree->count);
	return (uint16_t)count;
}

// Narrow ranges everywhere, so that values meet; repeated and nested nodes on purpose.
static void make_filter(const struct trees *trees, struct stored_filter *stored)
{
	struct filter *filter = &stored->filter;
	memset(filter, 0, sizeof *filter);
	filter->exact = one_in(2);
	filter->category_count = pick_nodes(trees->categories, stored->categories);
	filter->region_count = pick_nodes(trees->regions, stored->regions);
	if (one_in(4))
		filter->not_category_count = pick_nodes(trees->categories, stored->not_categories);
	if (one_in(3)) {
		filter->has_budget = true;
		filter->currency = (uint16_t)(1 + random_below(2));
		filter->budget_min_e4 = random_below(10);
		filter->budget_max_e4 = filter->budget_min_e4 + random_below(10);
	}
	if (one_in(8))
		filter->currency = (uint16_t)(1 + random_below(2));
	if (one_in(6))
		filter->needed_by_day = 100 + random_below(40);
	if (one_in(6))
		filter->condition = (uint8_t)random_below(4);
	if (one_in(6)) {
		filter->quantity_min = random_below(25);
		filter->quantity_max = one_in(4) ? 0 : filter->quantity_min + random_below(10);
	}
	if (one_in(6))
		filter->fulfilment = (uint8_t)random_below(5);
	if (one_in(6))
		filter->language = (uint16_t)random_below(3);
	if (one_in(4))
		filter->terms_mask = (uint16_t)random_below(16);
	if (one_in(8))
		filter->crowd_min = random_below(8);
}

// The index gets a copy whose arrays are overwritten afterwards: it must have made its own.
static void insert(struct index *index, uint32_t number, const struct stored_filter *stored)
{
	struct stored_filter copy = *stored;
	copy.filter.categories = copy.categories;
	copy.filter.not_categories = copy.not_categories;
	copy.filter.regions = copy.regions;
	index_insert(index, number, &copy.filter);
	memset(&copy, 0xa5, sizeof copy);
}

static uint32_t pick_shown(const struct tree *tree)
{
	return one_in(10) ? TREE_NONE : random_below(tree->count);
}

static void make_header(const struct trees *trees, struct match_header *header)
{
	memset(header, 0, sizeof *header);
	struct facets *facets = &header->facets;
	facets->category = pick_shown(trees->categories);
	facets->region = pick_shown(trees->regions);
	if (!one_in(4)) {
		facets->currency = (uint16_t)(1 + random_below(2));
		facets->budget_min_e4 = random_below(10);
		facets->budget_max_e4 = facets->budget_min_e4 + random_below(5);
	}
	facets->needed_by = (uint8_t)random_below(5);
	facets->condition = (uint8_t)random_below(4);
	facets->quantity = (uint8_t)random_below(5);
	facets->fulfilment = (uint8_t)random_below(5);
	facets->language = (uint16_t)random_below(3);
	facets->terms = (uint16_t)random_below(5);
	header->released_at_ms = (95 + random_below(10)) * DAY_MS;
	header->crowd = 1 + random_below(9);
	header->kind = FEED_RELEASE;
}

// ---- the comparison

static size_t checks, matches;

static void compare(struct index *index, const struct trees *trees, const struct stored_filter *stored,
                    const struct match_header *header)
{
	static uint8_t seen[SUBSCRIPTIONS_MAX];
	const struct index_hit *hits;
	memset(seen, 0, sizeof seen);
	size_t count = index_match(index, header, &hits);
	for (size_t i = 0; i < count; i++) {
		uint32_t number = hits[i].number, maybe;
		if (number >= SUBSCRIPTIONS_MAX || !stored[number].present)
			fail("a hit that is not in the index", number);
		if (seen[number]++)
			fail("a hit given twice", number);
		if (!filter_match(&stored[number].filter, header, trees, &maybe, NULL))
			fail("a hit that does not match", number);
		if (maybe != hits[i].maybe)
			fail("other maybe bits", number);
	}
	for (uint32_t number = 0; number < SUBSCRIPTIONS_MAX; number++) {
		uint32_t maybe;
		if (!stored[number].present)
			continue;
		checks++;
		matches += seen[number];
		if (!seen[number] && filter_match(&stored[number].filter, header, trees, &maybe, NULL))
			fail("a match that was not found", number);
	}
}

static void check_book_keeping(const struct index *index, const struct stored_filter *stored)
{
	size_t present = 0;
	for (uint32_t number = 0; number < SUBSCRIPTIONS_MAX; number++) {
		const struct filter *kept = index_filter(index, number);
		present += stored[number].present;
		if ((kept != NULL) != stored[number].present)
			fail("index_filter and insertions differ", number);
		if (kept && (kept->category_count != stored[number].filter.category_count ||
		             kept->budget_max_e4 != stored[number].filter.budget_max_e4))
			fail("index_filter gives another filter", number);
	}
	if (index_count(index) != present)
		fail("wrong count", (uint32_t)present);
}

static void one_round(void)
{
	static struct random_tree categories, regions;
	static struct stored_filter stored[SUBSCRIPTIONS_MAX];
	random_state = seed;
	make_tree(&categories);
	make_tree(&regions);
	struct trees trees = {&categories.tree, &regions.tree};
	struct index *index = index_new(&trees);
	memset(stored, 0, sizeof stored);
	for (int step = 0; step < STEPS; step++) {
		uint32_t changes = random_below(20);
		// Rounds that grow, then shrink, so that lists empty and fill again.
		bool shrinking = step > STEPS / 2;
		while (changes-- > 0) {
			uint32_t number = random_below(SUBSCRIPTIONS_MAX);
			struct stored_filter *one = &stored[number];
			if (one->present && (shrinking || one_in(3))) {
				index_remove(index, number);
				one->present = false;
			} else if (!one->present && (!shrinking || one_in(3))) {
				make_filter(&trees, one);
				one->filter.categories = one->categories;
				one->filter.not_categories = one->not_categories;
				one->filter.regions = one->regions;
				insert(index, number, one);
				one->present = true;
			}
		}
		struct match_header header;
		make_header(&trees, &header);
		compare(index, &trees, stored, &header);
		check_book_keeping(index, stored);
	}
	index_free(index);
}

// ---- cost: filters a release cannot reach must not slow it down

static double seconds_per_match(struct index *index, const struct match_header *header)
{
	enum { ROUNDS = 20000 };
	double best = 1e9;
	for (int attempt = 0; attempt < 5; attempt++) {
		const struct index_hit *hits;
		struct timespec start, end;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		for (int i = 0; i < ROUNDS; i++)
			index_match(index, header, &hits);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
		if (seconds < best)
			best = seconds;
	}
	return best / ROUNDS;
}

static void check_cost(void)
{
	enum { FAR = 50000 };
	// Two tops with one child each: near is under the first, far under the second.
	static const uint32_t parent[] = {TREE_NONE, 0, TREE_NONE, 2}, last[] = {1, 1, 3, 3};
	static const uint8_t depth[] = {1, 2, 1, 2}, flags[4];
	const struct tree tree = {4, parent, last, depth, flags};
	const struct trees trees = {&tree, &tree};
	const uint32_t near = 1, far = 3;
	const struct match_header header = {.facets = {.category = near, .region = near}, .crowd = 1};
	const struct filter wanted = {.categories = &near, .category_count = 1};
	struct index *index = index_new(&trees);
	for (uint32_t number = 0; number < 20; number++)
		index_insert(index, number, &wanted);
	double before = seconds_per_match(index, &header);
	for (uint32_t number = 20; number < 20 + FAR; number++) {
		struct filter elsewhere = {.exact = number % 2};
		if (number % 3) {
			elsewhere.categories = &far;
			elsewhere.category_count = 1;
		} else {
			elsewhere.regions = &far;
			elsewhere.region_count = 1;
		}
		index_insert(index, number, &elsewhere);
	}
	double after = seconds_per_match(index, &header);
	printf("a match with 20 hits: %.0f ns; with %d filters out of reach: %.0f ns\n", before * 1e9, FAR, after * 1e9);
	if (after > before * 5) { // generous: looking at them would cost a thousand times as much
		fprintf(stderr, "filters out of reach slow a match down\n");
		exit(1);
	}
	index_free(index);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
	uint64_t first = number_from("OYEZ_SEED", 1), rounds = number_from("OYEZ_ROUNDS", 60);
	for (seed = first; seed < first + rounds; seed++)
		one_round();
	printf("%zu checks, %zu matches, seeds %" PRIu64 " to %" PRIu64 "\n", checks, matches, first, first + rounds - 1);
	if (rounds >= 60 && (checks < 300000 || matches < checks / 100)) {
		fprintf(stderr, "the random input does not exercise the index\n");
		return 1;
	}
	check_cost();
	return 0;
}
