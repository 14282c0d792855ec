// What holds the core together with the rest: its numbers are the protocol's, its fixed-size records have no holes,
// trees answer as they should, and the index's edges.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "broker/core/deal.h"
#include "broker/core/index.h"
#include "broker/core/intent.h"
#include "broker/core/release.h"
#include "common.pb-c.h"
#include "customer.pb-c.h"
#include "support_trees.h"

static void states_are_the_protocols(void **state)
{
	(void)state;
	assert_int_equal(INTENT_WAITING, OYEZ__INTENT_STATE__INTENT_WAITING);
	assert_int_equal(INTENT_RELEASED, OYEZ__INTENT_STATE__INTENT_RELEASED);
	assert_int_equal(INTENT_WITHDRAWN, OYEZ__INTENT_STATE__INTENT_WITHDRAWN);
	assert_int_equal(INTENT_EXPIRED, OYEZ__INTENT_STATE__INTENT_EXPIRED);
	assert_int_equal(INTENT_CONCLUDED, OYEZ__INTENT_STATE__INTENT_CONCLUDED);
	assert_int_equal(DEAL_ACCEPTED, OYEZ__DEAL_STATE__DEAL_ACCEPTED);
	assert_int_equal(DEAL_COUNTERSIGNED, OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED);
	assert_int_equal(DEAL_REVEALED, OYEZ__DEAL_STATE__DEAL_REVEALED);
	assert_int_equal(DEAL_CONCLUDED, OYEZ__DEAL_STATE__DEAL_CONCLUDED);
	assert_int_equal(DEAL_LAPSED, OYEZ__DEAL_STATE__DEAL_LAPSED);
}

static void bands_are_the_protocols(void **state)
{
	(void)state;
	const uint64_t tick_ms = 1000 * DAY_MS;
	assert_int_equal(release_needed_band(0, tick_ms), OYEZ__NEEDED_BAND__NEEDED_UNKNOWN);
	assert_int_equal(release_needed_band(1003, tick_ms), OYEZ__NEEDED_BAND__NEEDED_3D);
	assert_int_equal(release_needed_band(1007, tick_ms), OYEZ__NEEDED_BAND__NEEDED_7D);
	assert_int_equal(release_needed_band(1030, tick_ms), OYEZ__NEEDED_BAND__NEEDED_30D);
	assert_int_equal(release_needed_band(1031, tick_ms), OYEZ__NEEDED_BAND__NEEDED_LATER);
	assert_int_equal(release_expiry_band(1001 * DAY_MS, tick_ms), OYEZ__EXPIRY_BAND__EXPIRY_1D);
	assert_int_equal(release_expiry_band(1003 * DAY_MS, tick_ms), OYEZ__EXPIRY_BAND__EXPIRY_3D);
	assert_int_equal(release_expiry_band(1007 * DAY_MS, tick_ms), OYEZ__EXPIRY_BAND__EXPIRY_7D);
	assert_int_equal(release_expiry_band(1030 * DAY_MS, tick_ms), OYEZ__EXPIRY_BAND__EXPIRY_30D);
	assert_int_equal(release_expiry_band(1031 * DAY_MS, tick_ms), OYEZ__EXPIRY_BAND__EXPIRY_LATER);
}

static bool matches(struct filter filter, struct facets facets)
{
	struct match_header header = {.facets = facets};
	uint32_t maybe;
	filter.exact = true;
	return filter_match(&filter, &header, &TREES, &maybe, NULL);
}

static void choices_are_the_protocols(void **state)
{
	(void)state;
	struct filter used = {.condition = OYEZ__CONDITION__CONDITION_USED};
	assert_true(matches(used, (struct facets){.condition = OYEZ__CONDITION__CONDITION_ANY}));
	assert_false(matches(used, (struct facets){.condition = OYEZ__CONDITION__CONDITION_NEW}));
	struct filter pickup = {.fulfilment = OYEZ__FULFILMENT__FULFILMENT_PICKUP};
	assert_true(matches(pickup, (struct facets){.fulfilment = OYEZ__FULFILMENT__FULFILMENT_ANY}));
	assert_false(matches(pickup, (struct facets){.fulfilment = OYEZ__FULFILMENT__FULFILMENT_ONSITE}));
	static const struct {
		uint32_t low, high;
		uint8_t band;
	} quantities[] = {{1, 1, OYEZ__QUANTITY_BAND__QUANTITY_1},
	                  {2, 5, OYEZ__QUANTITY_BAND__QUANTITY_2_5},
	                  {6, 20, OYEZ__QUANTITY_BAND__QUANTITY_6_20},
	                  {21, 1000000, OYEZ__QUANTITY_BAND__QUANTITY_MORE}};
	for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
		for (size_t j = 0; j < sizeof quantities / sizeof *quantities; j++) {
			struct facets facets = {.quantity = quantities[j].band};
			struct filter low = {.quantity_min = quantities[i].low, .quantity_max = quantities[i].low};
			struct filter high = {.quantity_min = quantities[i].high, .quantity_max = quantities[i].high};
			assert_int_equal(matches(low, facets), i == j);
			assert_int_equal(matches(high, facets), i == j);
		}
	}
}

// Every byte of the class key belongs to a field: equal fields are equal bytes.
static void facets_have_no_holes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct facets), 2 * 8 + 2 * 4 + 3 * 2 + 8 + COUNTRIES_MAX * 2 + 2);
	assert_int_equal(sizeof(struct match_header), sizeof(struct facets) + 2 * 8 + 4 + 2 + 2);
}

static void trees_know_what_lies_below(void **state)
{
	(void)state;
	for (uint32_t ancestor = 0; ancestor < CATEGORY_COUNT; ancestor++) {
		for (uint32_t node = 0; node < CATEGORY_COUNT; node++) {
			uint32_t up = node;
			while (up != TREE_NONE && up != ancestor)
				up = TREES.categories->parent[up];
			assert_int_equal(tree_contains(TREES.categories, ancestor, node), up == ancestor);
		}
	}
	assert_int_equal(tree_climb(TREES.categories, COFFEE, 3), COFFEE);
	assert_int_equal(tree_climb(TREES.categories, COFFEE, 2), KITCHEN);
	assert_int_equal(tree_climb(TREES.categories, COFFEE, 1), HOME);
	assert_int_equal(tree_climb(TREES.categories, HOME, 2), HOME);
}

static void index_edges(void **state)
{
	(void)state;
	index_free(NULL);
	struct index *index = index_new(&TREES);
	const struct match_header header = {.facets = {.category = COFFEE, .region = FR}, .crowd = 1};
	struct index_hits hits = {0};
	struct filter kept;
	assert_int_equal(index_match(index, &header, &hits), 0);
	assert_false(index_filter(index, 0, &kept));
	assert_false(index_filter(index, UINT32_MAX, &kept));

	const uint32_t nested[] = {COFFEE, KITCHEN, COFFEE, HOME}; // repeated and inside each other
	const struct filter filter = {.categories = nested, .category_count = 4, .exact = true};
	index_insert(index, 100000, &filter);
	index_insert(index, 7, &(struct filter){0});
	assert_int_equal(index_count(index), 2);
	assert_int_equal(index_match(index, &header, &hits), 2);
	assert_true(index_filter(index, 100000, &kept));
	assert_memory_equal(kept.categories, nested, sizeof nested);
	assert_ptr_not_equal(kept.categories, nested);
	index_remove(index, 100000);
	assert_false(index_filter(index, 100000, &kept));
	assert_int_equal(index_match(index, &header, &hits), 1);
	assert_int_equal(hits.items[0].number, 7);
	index_insert(index, 100000, &filter); // a number can be used again
	assert_int_equal(index_match(index, &header, &hits), 2);
	index_hits_fini(&hits);
	index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(states_are_the_protocols),   cmocka_unit_test(bands_are_the_protocols),
	    cmocka_unit_test(choices_are_the_protocols),  cmocka_unit_test(facets_have_no_holes),
	    cmocka_unit_test(trees_know_what_lies_below), cmocka_unit_test(index_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
