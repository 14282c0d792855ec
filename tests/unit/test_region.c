// The tables made from iso-codes: the tree's shape, well-known places, currencies, suggestions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/region.h"

// Also used for the shape of any tree: pre-order, parents before children, `last` as the header says.
static void check_shape(const struct tree *tree)
{
	for (uint32_t node = 0; node < tree->count; node++) {
		uint32_t parent = tree->parent[node];
		assert_true(tree->last[node] >= node && tree->last[node] < tree->count);
		if (parent == TREE_NONE) {
			assert_int_equal(tree->depth[node], 1);
			continue;
		}
		assert_true(parent < node && tree->last[parent] >= tree->last[node]);
		assert_int_equal(tree->depth[node], tree->depth[parent] + 1);
	}
}

static void test_tree(void **state)
{
	(void)state;
	const struct tree *tree = region_tree();
	assert_true(tree->count > 5000);
	check_shape(tree);
	for (uint32_t node = 0; node < tree->count; node++) {
		assert_int_equal(region_find(region_code(node)), node);
		assert_true(strlen(region_code(node)) <= REGION_BYTES_MAX);
		assert_true(region_name(node, 0)[0] && region_name(node, 1)[0]);
		assert_int_not_equal(currency_find(region_currency(node)), 0);
		assert_int_equal(strlen(region_language(node)), 2);
	}
}

static void test_brittany(void **state)
{
	(void)state;
	const struct tree *tree = region_tree();
	uint32_t france = region_find("FR"), brittany = region_find("FR-BRE"), morbihan = region_find("FR-56");
	assert_int_equal(tree->parent[morbihan], brittany);
	assert_int_equal(tree->parent[brittany], france);
	assert_int_equal(tree->parent[france], TREE_NONE);
	assert_true(tree_contains(tree, france, morbihan));
	assert_false(tree_contains(tree, morbihan, france));
	assert_int_equal(tree_climb(tree, morbihan, 2), brittany);
	assert_string_equal(region_name(morbihan, 1), "Morbihan");
	assert_string_equal(region_name(region_find("DE"), 0), "Germany");
}

static void test_codes(void **state)
{
	(void)state;
	assert_int_equal(region_find("XX"), TREE_NONE);
	assert_int_equal(region_find(""), TREE_NONE);
	assert_int_equal(region_find("fr"), TREE_NONE);
	assert_null(region_code(TREE_NONE));
	assert_null(region_name(TREE_NONE, 0));
	assert_int_equal(region_find_alpha3("IND"), region_find("IN"));
	assert_int_equal(region_find_alpha3("FRA"), region_find("FR"));
	assert_int_equal(region_find_alpha3("XXX"), TREE_NONE);
	// Paris and the United Kingdom have two codes each, in whichever edition of the tables.
	assert_int_not_equal(region_find("FR-75"), TREE_NONE);
	assert_int_equal(region_find("FR-75C"), region_find("FR-75"));
	assert_int_equal(region_find("UK"), region_find("GB"));
}

static void test_usual(void **state)
{
	(void)state;
	assert_string_equal(region_currency(region_find("FR-56")), "EUR");
	assert_string_equal(region_language(region_find("FR-56")), "fr");
	assert_string_equal(region_currency(region_find("IN")), "INR");
	assert_string_equal(region_currency(region_find("CH-GE")), "CHF");
	assert_string_equal(region_language(region_find("CH-GE")), "fr");
	assert_string_equal(region_language(region_find("CH-ZH")), "de");
	assert_string_equal(region_language(region_find("CA-QC")), "fr");
	assert_string_equal(region_currency(region_find("AQ")), "EUR");
	assert_string_equal(region_language(region_find("AQ")), "en");
	assert_string_equal(region_currency(TREE_NONE), "EUR");
}

static void test_currencies(void **state)
{
	(void)state;
	assert_int_equal(currency_find("EUR"), 978);
	assert_string_equal(currency_code(978), "EUR");
	assert_int_equal(currency_find("eur"), 0);
	assert_int_equal(currency_find("QQQ"), 0);
	assert_int_equal(currency_find(""), 0);
	assert_null(currency_code(0));
	assert_int_equal(currency_decimals("EUR"), 2);
	assert_int_equal(currency_decimals("JPY"), 0);
	assert_int_equal(currency_decimals("TND"), 3);
	assert_int_equal(currency_decimals("UYW"), 4);
	assert_int_equal(currency_decimals("QQQ"), 2);
}

static void assert_suggests(const char *text, const char *wanted)
{
	const char *out[3];
	size_t count = region_suggest(text, out);
	for (size_t i = 0; i < count; i++)
		if (strcmp(out[i], wanted) == 0)
			return;
	fail_msg("%s does not suggest %s", text, wanted);
}

static void test_suggestions(void **state)
{
	(void)state;
	assert_suggests("Bretagne", "FR-BRE");
	assert_suggests("bretange", "FR-BRE");
	assert_suggests("france", "FR");
	assert_suggests("GERMANY", "DE");
	assert_suggests("fr-56", "FR-56");
	assert_suggests("cote d'ivoire", "CI");
	const char *out[3];
	assert_int_equal(region_suggest("FR-99", out), 3);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(out[i], "FR-", 3);
	assert_int_equal(region_suggest("", out), 0);
	assert_int_equal(region_suggest("---", out), 0);
	assert_int_equal(region_suggest("\xff\xff", out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tree),  cmocka_unit_test(test_brittany),   cmocka_unit_test(test_codes),
	    cmocka_unit_test(test_usual), cmocka_unit_test(test_currencies), cmocka_unit_test(test_suggestions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
