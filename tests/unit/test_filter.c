// What a match is, condition by condition: the tables here are the meaning of PROTOCOL.md's matching rules.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "support_trees.h"

#define TODAY 20000u
#define E4 INT64_C(10000)
enum { EUR = 978, USD = 840, FRENCH = 0x6672, GERMAN = 0x6465 };
enum { NEW = 1, USED = 2, ANY_CONDITION = 3, DELIVERY = 1, PICKUP = 2, ANY_FULFILMENT = 4 };

#define NODES(...)                                                                                                     \
	(const uint32_t[])                                                                                                 \
	{                                                                                                                  \
		__VA_ARGS__                                                                                                    \
	}

static struct match_header release_of_everything(void)
{
	return (struct match_header){
	    .facets = {.category = COFFEE,
	               .region = FR_56,
	               .currency = EUR,
	               .budget_min_e4 = 100 * E4,
	               .budget_max_e4 = 500 * E4,
	               .language = FRENCH,
	               .terms = 2,
	               .condition = NEW,
	               .quantity = 2,
	               .fulfilment = DELIVERY,
	               .needed_by = 2,
	               .expires = 3},
	    .released_at_ms = TODAY * DAY_MS + 5,
	    .crowd = 7,
	    .kind = FEED_RELEASE,
	};
}

static struct match_header release_of_nothing(void)
{
	return (struct match_header){
	    .facets = {.category = TREE_NONE, .region = TREE_NONE}, .released_at_ms = TODAY * DAY_MS, .crowd = 1};
}

enum verdict { NO, UNCERTAIN, YES };

// Tries the filter in both modes and checks match, maybe and failed bits for a verdict on the facet `bit`.
static void expect(struct filter filter, const struct match_header *header, uint32_t bit, enum verdict verdict)
{
	uint32_t maybe = 99, failed = 99;
	filter.exact = false;
	assert_int_equal(filter_match(&filter, header, &TREES, &maybe, &failed), verdict != NO);
	assert_int_equal(maybe, verdict == UNCERTAIN ? bit : 0);
	assert_int_equal(failed, verdict == NO ? bit : 0);
	filter.exact = true;
	assert_int_equal(filter_match(&filter, header, &TREES, &maybe, &failed), verdict == YES);
	assert_int_equal(failed, verdict == YES ? 0 : bit);
	assert_int_equal(filter_match(&filter, header, &TREES, &maybe, NULL), verdict == YES);
}

static void empty_filter_takes_everything(void **state)
{
	(void)state;
	struct match_header full = release_of_everything(), empty = release_of_nothing();
	expect((struct filter){0}, &full, 0, YES);
	expect((struct filter){0}, &empty, 0, YES);
}

static void categories(void **state)
{
	(void)state;
	static const struct {
		uint32_t wanted, shown;
		enum verdict verdict;
	} cases[] = {
	    {COFFEE, COFFEE, YES}, {KITCHEN, COFFEE, YES},       {HOME, COFFEE, YES},
	    {COFFEE, KETTLE, NO},  {COFFEE, KITCHEN, UNCERTAIN}, {COFFEE, HOME, UNCERTAIN},
	    {GARDEN, KITCHEN, NO}, {HOME, HEALTH, NO},           {COFFEE, TREE_NONE, UNCERTAIN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_header header = release_of_everything();
		header.facets.category = cases[i].shown;
		struct filter filter = {.categories = &cases[i].wanted, .category_count = 1};
		expect(filter, &header, FACET_CATEGORY, cases[i].verdict);
	}
	struct match_header header = release_of_everything();
	// Any of them: one certain node makes it certain, one possible node makes it possible.
	expect((struct filter){.categories = NODES(HEALTH, KITCHEN), .category_count = 2}, &header, FACET_CATEGORY, YES);
	header.facets.category = KITCHEN;
	expect((struct filter){.categories = NODES(COFFEE, KITCHEN), .category_count = 2}, &header, FACET_CATEGORY, YES);
	expect((struct filter){.categories = NODES(COFFEE, HEALTH), .category_count = 2}, &header, FACET_CATEGORY,
	       UNCERTAIN);
}

static void excluded_categories(void **state)
{
	(void)state;
	struct match_header header = release_of_everything();
	struct filter filter = {.categories = NODES(HOME), .category_count = 1, .not_category_count = 1};
	filter.not_categories = NODES(COFFEE);
	expect(filter, &header, FACET_CATEGORY, NO);
	filter.not_categories = NODES(KITCHEN);
	expect(filter, &header, FACET_CATEGORY, NO);
	filter.not_categories = NODES(KETTLE);
	expect(filter, &header, FACET_CATEGORY, YES);
	filter.not_categories = NODES(GARDEN, COFFEE);
	filter.not_category_count = 2;
	expect(filter, &header, FACET_CATEGORY, NO);
	// Without wanted categories the exclusion still holds.
	filter.category_count = 0;
	expect(filter, &header, FACET_CATEGORY, NO);
	header.facets.category = TREE_NONE;
	expect(filter, &header, FACET_CATEGORY, UNCERTAIN);
}

static void above_an_excluded_category_passes_and_says_so(void **state)
{
	(void)state;
	struct match_header header = release_of_everything();
	header.facets.category = KITCHEN;
	struct filter filter = {
	    .categories = NODES(HOME), .category_count = 1, .not_categories = NODES(COFFEE), .not_category_count = 1};
	for (int exact = 0; exact <= 1; exact++) {
		uint32_t maybe, failed;
		filter.exact = exact;
		assert_true(filter_match(&filter, &header, &TREES, &maybe, &failed));
		assert_int_equal(maybe, FACET_CATEGORY);
		assert_int_equal(failed, 0);
	}
}

static void regions(void **state)
{
	(void)state;
	static const struct {
		uint32_t wanted, shown;
		enum verdict verdict;
	} cases[] = {
	    {FR_56, FR_56, YES},        {FR_BRE, FR_56, YES},   {FR, FR_56, YES},       {FR_29, FR_56, NO},
	    {FR_56, FR_BRE, UNCERTAIN}, {FR_56, FR, UNCERTAIN}, {DE_BY, DE, UNCERTAIN}, {DE, FR, NO},
	    {FR, TREE_NONE, UNCERTAIN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_header header = release_of_everything();
		header.facets.region = cases[i].shown;
		expect((struct filter){.regions = &cases[i].wanted, .region_count = 1}, &header, FACET_REGION,
		       cases[i].verdict);
	}
}

static void budgets(void **state)
{
	(void)state;
	static const struct {
		int64_t min, max;
		uint16_t currency;
		enum verdict verdict;
	} cases[] = {
	    {200, 300, EUR, YES}, {0, 100, EUR, YES},  {0, 99, EUR, NO},    {500, 900, EUR, YES},
	    {501, 900, EUR, NO},  {0, 9999, EUR, YES}, {200, 300, USD, NO},
	};
	struct match_header header = release_of_everything(), empty = release_of_nothing();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter filter = {.has_budget = true,
		                        .currency = cases[i].currency,
		                        .budget_min_e4 = cases[i].min * E4,
		                        .budget_max_e4 = cases[i].max * E4};
		expect(filter, &header, FACET_BUDGET, cases[i].verdict);
		expect(filter, &empty, FACET_BUDGET, UNCERTAIN);
	}
	// A currency without a budget.
	expect((struct filter){.currency = EUR}, &header, FACET_BUDGET, YES);
	expect((struct filter){.currency = USD}, &header, FACET_BUDGET, NO);
	expect((struct filter){.currency = USD}, &empty, FACET_BUDGET, UNCERTAIN);
}

static void needed_by(void **state)
{
	(void)state;
	static const struct {
		uint32_t day;
		uint8_t band;
		enum verdict verdict;
	} cases[] = {
	    {TODAY, 1, YES},       {TODAY + 3, 1, YES},  {TODAY + 4, 1, NO},  {TODAY + 4, 2, YES},  {TODAY + 7, 2, YES},
	    {TODAY + 8, 2, NO},    {TODAY + 30, 3, YES}, {TODAY + 31, 3, NO}, {TODAY + 31, 4, YES}, {TODAY + 4000, 4, YES},
	    {TODAY, 0, UNCERTAIN}, {0, 1, YES},          {0, 0, YES},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_header header = release_of_everything();
		header.facets.needed_by = cases[i].band;
		expect((struct filter){.needed_by_day = cases[i].day}, &header, FACET_NEEDED_BY, cases[i].verdict);
	}
}

static void quantities(void **state)
{
	(void)state;
	static const struct {
		uint32_t min, max;
		uint8_t band;
		enum verdict verdict;
	} cases[] = {
	    {1, 1, 1, YES},       {1, 1, 2, NO},    {2, 2, 1, NO},   {1, 2, 2, YES},  {5, 6, 2, YES},   {5, 6, 3, YES},
	    {6, 9, 2, NO},        {20, 20, 3, YES}, {20, 20, 4, NO}, {1, 21, 4, YES}, {900, 0, 4, YES}, {21, 0, 3, NO},
	    {3, 4, 0, UNCERTAIN}, {0, 0, 0, YES},   {0, 5, 2, YES},  {0, 5, 3, NO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_header header = release_of_everything();
		header.facets.quantity = cases[i].band;
		expect((struct filter){.quantity_min = cases[i].min, .quantity_max = cases[i].max}, &header, FACET_QUANTITY,
		       cases[i].verdict);
	}
}

static void choices(void **state)
{
	(void)state;
	static const struct {
		uint8_t wanted, shown;
		enum verdict verdict;
	} conditions[] =
	    {
	        {NEW, NEW, YES},
	        {NEW, USED, NO},
	        {NEW, ANY_CONDITION, YES},
	        {ANY_CONDITION, USED, YES},
	        {NEW, 0, UNCERTAIN},
	        {ANY_CONDITION, 0, YES},
	        {0, USED, YES},
	    },
	  fulfilments[] = {
	      {DELIVERY, DELIVERY, YES},
	      {DELIVERY, PICKUP, NO},
	      {DELIVERY, ANY_FULFILMENT, YES},
	      {ANY_FULFILMENT, PICKUP, YES},
	      {DELIVERY, 0, UNCERTAIN},
	      {ANY_FULFILMENT, 0, YES},
	      {0, PICKUP, YES},
	  };
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		struct match_header header = release_of_everything();
		header.facets.condition = conditions[i].shown;
		expect((struct filter){.condition = conditions[i].wanted}, &header, FACET_CONDITION, conditions[i].verdict);
	}
	for (size_t i = 0; i < sizeof fulfilments / sizeof *fulfilments; i++) {
		struct match_header header = release_of_everything();
		header.facets.fulfilment = fulfilments[i].shown;
		expect((struct filter){.fulfilment = fulfilments[i].wanted}, &header, FACET_FULFILMENT, fulfilments[i].verdict);
	}
}

static void language_terms_and_crowd(void **state)
{
	(void)state;
	struct match_header full = release_of_everything(), empty = release_of_nothing();
	expect((struct filter){.language = FRENCH}, &full, FACET_LANGUAGE, YES);
	expect((struct filter){.language = GERMAN}, &full, FACET_LANGUAGE, NO);
	expect((struct filter){.language = FRENCH}, &empty, FACET_LANGUAGE, UNCERTAIN);

	expect((struct filter){.terms_mask = 1 << 1}, &full, FACET_TERMS, YES);
	expect((struct filter){.terms_mask = 0xffff}, &full, FACET_TERMS, YES);
	expect((struct filter){.terms_mask = 1 << 2 | 1}, &full, FACET_TERMS, NO);
	expect((struct filter){.terms_mask = 1 << 1}, &empty, FACET_TERMS, UNCERTAIN);
	full.facets.terms = TERMS_MAX + 1; // of a longer roster than this broker's
	expect((struct filter){.terms_mask = 0xffff}, &full, FACET_TERMS, NO);

	expect((struct filter){.crowd_min = 7}, &full, FACET_CROWD, YES);
	expect((struct filter){.crowd_min = 8}, &full, FACET_CROWD, NO);
}

static void everything_that_failed_is_named(void **state)
{
	(void)state;
	struct match_header header = release_of_everything();
	struct filter filter = {.categories = NODES(HEALTH),
	                        .category_count = 1,
	                        .regions = NODES(DE),
	                        .region_count = 1,
	                        .has_budget = true,
	                        .currency = USD,
	                        .budget_max_e4 = 1,
	                        .needed_by_day = TODAY + 100,
	                        .condition = USED,
	                        .quantity_min = 50,
	                        .quantity_max = 60,
	                        .fulfilment = PICKUP,
	                        .language = GERMAN,
	                        .terms_mask = 1,
	                        .crowd_min = 100};
	uint32_t maybe, failed;
	assert_false(filter_match(&filter, &header, &TREES, &maybe, &failed));
	assert_int_equal(failed, FACET_CROWD * 2 - 1); // all ten bits
	struct match_header empty = release_of_nothing();
	empty.crowd = 100;
	assert_true(filter_match(&filter, &empty, &TREES, &maybe, &failed));
	assert_int_equal(maybe, FACET_CROWD - 1); // all but the crowd, which is always known
	filter.exact = true;
	assert_false(filter_match(&filter, &empty, &TREES, &maybe, &failed));
	assert_int_equal(failed, FACET_CROWD - 1);
}

static void vendor_rules(void **state)
{
	enum { FRANCE = 0x4652, GERMANY = 0x4445, SPAIN = 0x4553 };
	(void)state;
	uint32_t failed;
	struct facets free_for_all = {0};
	struct vendor_facts newcomer = {.country = SPAIN};
	assert_true(rules_match(&free_for_all, &newcomer, &failed));
	assert_int_equal(failed, 0);

	struct facets rules = {.terms = 3, .rating_band = 8, .country_count = 2, .countries = {GERMANY, FRANCE}};
	struct vendor_facts good = {.country = FRANCE, .terms_mask = 1 << 2, .rating_band = 8};
	assert_true(rules_match(&rules, &good, NULL));
	assert_false(rules_match(&rules, &newcomer, &failed));
	assert_int_equal(failed, FACET_VENDOR_COUNTRY | FACET_VENDOR_TERMS | FACET_VENDOR_RATING);
	good.rating_band = 7;
	assert_false(rules_match(&rules, &good, &failed));
	assert_int_equal(failed, FACET_VENDOR_RATING);
	good.rating_band = 0; // no rating yet
	assert_false(rules_match(&rules, &good, &failed));
	assert_int_equal(failed, FACET_VENDOR_RATING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_filter_takes_everything),
	    cmocka_unit_test(categories),
	    cmocka_unit_test(excluded_categories),
	    cmocka_unit_test(above_an_excluded_category_passes_and_says_so),
	    cmocka_unit_test(regions),
	    cmocka_unit_test(budgets),
	    cmocka_unit_test(needed_by),
	    cmocka_unit_test(quantities),
	    cmocka_unit_test(choices),
	    cmocka_unit_test(language_terms_and_crowd),
	    cmocka_unit_test(everything_that_failed_is_named),
	    cmocka_unit_test(vendor_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
