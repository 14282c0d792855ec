// A post whose facets hold identity is refused for that, and the refusal repeats nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "broker/service/facet_map.h"

static enum err refused_with(const char *category, const char *region, const char *country, struct detail *detail)
{
	Oyez__VendorRules rules = OYEZ__VENDOR_RULES__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	char *countries[] = {(char *)country};
	facets.category = (char *)category;
	facets.region = (char *)region;
	facets.rules = &rules;
	rules.n_countries = country ? 1 : 0;
	rules.countries = countries;
	snprintf(detail->text, sizeof(detail->text), "home.kitchen");
	return facets_refused(ERR_UNKNOWN_CATEGORY, &facets, detail);
}

static void test_identity_in_facets(void **state)
{
	(void)state;
	struct detail detail;
	assert_int_equal(refused_with("jo@exemple.fr", "FR", NULL, &detail), ERR_PII_FOUND);
	assert_string_equal(detail.text, "post.facets.category");
	assert_int_equal(refused_with("call-0639981234", "FR", NULL, &detail), ERR_PII_FOUND);
	assert_int_equal(refused_with("FR7630006000011234567890189", "FR", NULL, &detail), ERR_PII_FOUND);
	assert_int_equal(refused_with("home", "AB-123-CD", NULL, &detail), ERR_PII_FOUND);
	assert_string_equal(detail.text, "post.facets.region");
	assert_int_equal(refused_with("home", "FR", "203.0.113.9", &detail), ERR_PII_FOUND);
	assert_string_equal(detail.text, "post.facets.rules.countries");
}

static void test_other_errors_stay(void **state)
{
	(void)state;
	struct detail detail;
	assert_int_equal(refused_with("home.kitchen.cofee-machine", "FR-56", "FR", &detail), ERR_UNKNOWN_CATEGORY);
	assert_string_equal(detail.text, "home.kitchen"); // the suggestions
	assert_int_equal(refused_with("", "", NULL, &detail), ERR_UNKNOWN_CATEGORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_identity_in_facets),
	    cmocka_unit_test(test_other_errors_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
