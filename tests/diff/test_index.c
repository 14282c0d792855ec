// The index against the naive matcher: random trees, filters and releases, with filters coming and going in any order.
// Every check compares hits, their maybe bits and that each comes once. A failure prints how to replay it:
// OYEZ_SEED=... (the first seed), OYEZ_ROUNDS=... (how many seeds from there; 2,000 and more for a night).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/index.h"
#include "random.h"

enum { SUBSCRIPTIONS_MAX = 1500, STEPS = 60 };

static uint64_t seed;

static void fail(const char *what, uint32_t number)
{
	fprintf(stderr, "index differs: %s, subscription %" PRIu32 "\nreplay: OYEZ_SEED=%" PRIu64 " OYEZ_ROUNDS=1\n", what,
	        number, seed);
	exit(1);
}

// One seed: trees, a style, and what is in the index.
struct round {
	struct random_tree categories, regions;
	struct trees trees;
	enum style style;
	uint32_t room; // subscription numbers are below
	struct stored_filter stored[SUBSCRIPTIONS_MAX];
	struct index *index;
	struct index_hits hits;
};

static size_t checks, matches;

static void compare(struct round *round, const struct match_header *header)
{
	static uint8_t seen[SUBSCRIPTIONS_MAX];
	memset(seen, 0, sizeof seen);
	size_t count = index_match(round->index, header, &round->hits);
	for (size_t i = 0; i < count; i++) {
		uint32_t number = round->hits.items[i].number, maybe;
		if (number >= round->room || !round->stored[number].present)
			fail("a hit that is not in the index", number);
		if (seen[number]++)
			fail("a hit given twice", number);
		if (!filter_match(&round->stored[number].filter, header, &round->trees, &maybe, NULL))
			fail("a hit that does not match", number);
		if (maybe != round->hits.items[i].maybe)
			fail("other maybe bits", number);
	}
	for (uint32_t number = 0; number < round->room; number++) {
		uint32_t maybe;
		if (!round->stored[number].present)
			continue;
		checks++;
		matches += seen[number];
		if (!seen[number] && filter_match(&round->stored[number].filter, header, &round->trees, &maybe, NULL))
			fail("a match that was not found", number);
	}
}

static bool equal_nodes(const uint32_t *a, const uint32_t *b, size_t count)
{
	return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool equal_filters(const struct filter *a, const struct filter *b)
{
	return a->category_count == b->category_count && a->not_category_count == b->not_category_count &&
	       a->region_count == b->region_count && equal_nodes(a->categories, b->categories, a->category_count) &&
	       equal_nodes(a->not_categories, b->not_categories, a->not_category_count) &&
	       equal_nodes(a->regions, b->regions, a->region_count) && a->terms_mask == b->terms_mask &&
	       a->currency == b->currency && a->has_budget == b->has_budget && a->exact == b->exact &&
	       a->budget_min_e4 == b->budget_min_e4 && a->budget_max_e4 == b->budget_max_e4 &&
	       a->needed_by_day == b->needed_by_day && a->quantity_min == b->quantity_min &&
	       a->quantity_max == b->quantity_max && a->language == b->language && a->condition == b->condition &&
	       a->fulfilment == b->fulfilment && a->crowd_min == b->crowd_min;
}

static void check_book_keeping(const struct round *round)
{
	size_t present = 0;
	for (uint32_t number = 0; number < round->room; number++) {
		struct filter kept;
		bool found = index_filter(round->index, number, &kept);
		present += round->stored[number].present;
		if (found != round->stored[number].present)
			fail("index_filter and insertions differ", number);
		if (found && !equal_filters(&kept, &round->stored[number].filter))
			fail("index_filter gives another filter", number);
	}
	if (index_count(round->index) != present)
		fail("wrong count", (uint32_t)present);
}

// ---- changes

// The index gets a copy whose arrays are overwritten afterwards: it must have made its own.
static void insert(struct round *round, uint32_t number)
{
	struct stored_filter copy;
	random_filter(&round->stored[number], &round->trees, round->style);
	round->stored[number].present = true;
	copy = round->stored[number];
	stored_filter_link(&copy);
	index_insert(round->index, number, &copy.filter);
	memset(&copy, 0xa5, sizeof copy);
}

static void change(struct round *round, bool shrinking)
{
	uint32_t number = random_below(round->room);
	if (round->stored[number].present && (shrinking || one_in(3))) {
		index_remove(round->index, number);
		round->stored[number].present = false;
	} else if (!round->stored[number].present && (!shrinking || one_in(4))) {
		insert(round, number);
	}
}

static void remove_rest(struct round *round)
{
	for (uint32_t number = 0; number < round->room; number++)
		if (round->stored[number].present)
			index_remove(round->index, number);
	if (index_count(round->index) != 0)
		fail("not empty at the end", 0);
	struct match_header header;
	random_header(&header, &round->trees, round->style);
	if (index_match(round->index, &header, &round->hits) != 0)
		fail("a hit in an empty index", round->hits.items[0].number);
}

// Rounds that grow, then shrink, grow and shrink again, so that lists empty and fill again.
static void one_round(void)
{
	static struct round round;
	memset(&round, 0, sizeof round);
	random_seed(seed);
	round.style = (enum style)(seed % STYLES);
	random_tree(&round.categories, (enum tree_shape)random_below(TREE_SHAPES));
	random_tree(&round.regions, (enum tree_shape)random_below(TREE_SHAPES));
	round.trees = (struct trees){&round.categories.tree, &round.regions.tree};
	round.room = round.style == STYLE_CROWDED ? SUBSCRIPTIONS_MAX : 300;
	round.index = index_new(&round.trees);
	for (int step = 0; step < STEPS; step++) {
		bool shrinking = step / (STEPS / 4) % 2 == 1;
		for (uint32_t changes = random_below(round.room / 6); changes > 0; changes--)
			change(&round, shrinking);
		for (int i = 0; i < 4; i++) {
			struct match_header header;
			random_header(&header, &round.trees, round.style);
			compare(&round, &header);
		}
		check_book_keeping(&round);
	}
	remove_rest(&round);
	index_free(round.index);
	index_hits_fini(&round.hits);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
	enum { DEFAULT_ROUNDS = 150 };
	uint64_t first = number_from("OYEZ_SEED", 1), rounds = number_from("OYEZ_ROUNDS", DEFAULT_ROUNDS);
	for (seed = first; seed < first + rounds; seed++)
		one_round();
	printf("%zu checks, %zu matches, seeds %" PRIu64 " to %" PRIu64 "\n", checks, matches, first, first + rounds - 1);
	if (rounds >= DEFAULT_ROUNDS && (checks < 3000000 || matches < checks / 100)) {
		fprintf(stderr, "the random input does not exercise the index\n");
		return 1;
	}
	return 0;
}
