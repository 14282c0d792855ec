// The sieve against the definition of a match: random filters, every kind of header. It must never put aside what
// matches, and where it is complete it must say exactly what filter_match says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/sieve.h"
#include "proto/region.h"
#include "proto/taxonomy.h"

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

static size_t some_nodes(const struct tree *tree, uint32_t nodes[3])
{
	size_t count = below(4);
	for (size_t i = 0; i < count; i++) {
		nodes[i] = below(tree->count);
		while (below(2) && tree->parent[nodes[i]] != TREE_NONE)
			nodes[i] = tree->parent[nodes[i]]; // shallow ones meet more
	}
	return count;
}

static uint32_t some_node(const struct tree *tree)
{
	uint32_t nodes[3];
	return some_nodes(tree, nodes) ? nodes[0] : TREE_NONE;
}

static void test_against_the_definition(void **unused)
{
	(void)unused;
	struct trees trees = {.categories = taxonomy_tree(taxonomy_builtin()), .regions = region_tree()};
	size_t passed = 0, complete = 0;
	for (int i = 0; i < 3000; i++) {
		uint32_t categories[3], not_categories[3], regions[3];
		struct filter filter = {.categories = categories, .not_categories = not_categories, .regions = regions};
		filter.category_count = (uint16_t)some_nodes(trees.categories, categories);
		filter.not_category_count = below(2) ? (uint16_t)some_nodes(trees.categories, not_categories) : 0;
		filter.region_count = (uint16_t)some_nodes(trees.regions, regions);
		filter.exact = below(2);
		filter.condition = below(3) == 0 ? 1 : 0;
		filter.crowd_min = below(4) == 0 ? 3 : 0;
		struct sieve *sieve = sieve_new(&filter, &trees);
		complete += sieve->complete;
		for (int j = 0; j < 100; j++) {
			struct match_header header = {.crowd = below(6), .kind = FEED_RELEASE};
			header.facets.category = some_node(trees.categories);
			header.facets.region = some_node(trees.regions);
			header.facets.condition = (uint8_t)below(4);
			uint32_t maybe;
			bool matches = filter_match(&filter, &header, &trees, &maybe, NULL);
			unsigned sieved = sieve_look(sieve, &header.facets);
			if (matches)
				assert_true(sieved & SIEVE_PASSES);
			if (matches && maybe == 0)
				assert_true(sieved & SIEVE_CERTAIN);
			if (sieve->complete) {
				assert_int_equal(sieved != 0, matches);
				if (matches)
					assert_int_equal((sieved & SIEVE_CERTAIN) != 0, maybe == 0);
			}
			passed += matches;
		}
		sieve_free(sieve);
	}
	assert_true(passed > 20000 && complete > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_the_definition)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
