// The scrub against its shared cases, its limits, and texts made to be slow.
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

#include "clients/lib/oyez.h"
#include "proto/scrub.h"
#include "proto/scrub_tables.h"

static const char *source_dir(void)
{
	const char *folder = getenv("OYEZ_SOURCE_DIR");
	return folder ? folder : ".";
}

static const char *words_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

// ---- the shared cases

static unsigned case_compare(const char *file, const json_t *one)
{
	const char *text = words_of(one, "text");
	const json_t *expected = json_object_get(one, "find");
	struct scrub_finds finds;
	assert_int_equal(scrub_text(text, strlen(text), &finds), ERR_OK);
	bool same = finds.count == json_array_size(expected);
	for (size_t i = 0; i < finds.count && same; i++) {
		const json_t *want = json_array_get(expected, i);
		same = strcmp(words_of(want, "kind"), finds.items[i].kind) == 0 &&
		       json_integer_value(json_object_get(want, "from")) == (json_int_t)finds.items[i].at &&
		       json_integer_value(json_object_get(want, "until")) ==
		           (json_int_t)(finds.items[i].at + finds.items[i].bytes);
	}
	if (!same) {
		print_message("%s: %s\n", file, text);
		for (size_t i = 0; i < finds.count; i++)
			print_message("   found %s by %s: %.*s\n", finds.items[i].kind, finds.items[i].rule,
			              (int)finds.items[i].bytes, text + finds.items[i].at);
	}
	scrub_finds_free(&finds);
	return !same;
}

static void run_cases(const char *file, size_t with_least, size_t without_least)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/unit/data/scrub/%s", source_dir(), file);
	json_error_t error;
	json_t *cases = json_load_file(path, 0, &error), *one;
	if (!cases)
		fail_msg("%s: %s", path, error.text);
	size_t i, with = 0, without = 0;
	unsigned wrong = 0;
	json_array_foreach(cases, i, one)
	{
		wrong += case_compare(file, one);
		*(json_array_size(json_object_get(one, "find")) ? &with : &without) += 1;
	}
	json_decref(cases);
	assert_int_equal(wrong, 0);
	assert_true(with >= with_least && without >= without_least);
}

static void test_cases(void **state)
{
	(void)state;
	run_cases("cases.json", 100, 140);
}

static void test_held_out(void **state)
{
	(void)state;
	run_cases("held_out.json", 70, 150);
	run_cases("held_out_long.json", 25, 55);
}

// ---- check digits: every wrong one is refused

static size_t count_of(const char *text)
{
	struct scrub_finds finds;
	assert_int_equal(scrub_text(text, strlen(text), &finds), ERR_OK);
	size_t count = finds.count;
	scrub_finds_free(&finds);
	return count;
}

static void test_wrong_digits(void **state)
{
	(void)state;
	static const char *const right[] = {"FR7630006000011234567890189", "4111111111111111", "185057800608491"};
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		char text[64];
		strcpy(text, right[i]);
		assert_int_equal(count_of(text), 1);
		for (size_t at = i == 0 ? 2 : 0; text[at]; at++) {
			for (char digit = '0'; digit <= '9'; digit++) {
				text[at] = digit;
				if (digit != right[i][at])
					assert_int_equal(count_of(text), 0);
			}
			text[at] = right[i][at];
		}
	}
}

// ---- masks

static void test_mask(void **state)
{
	(void)state;
	const char *text = "écrire à jean@exemple.fr ou au 06 39 98 12 34.";
	struct scrub_finds finds;
	assert_int_equal(scrub_text(text, strlen(text), &finds), ERR_OK);
	char *english = scrub_mask(text, &finds, false), *french = scrub_mask(text, &finds, true);
	assert_string_equal(english, "écrire à [e-mail] ou au [phone].");
	assert_string_equal(french, "écrire à [e-mail] ou au [téléphone].");
	assert_int_equal(count_of(english), 0);
	assert_int_equal(count_of(french), 0);
	free(english);
	free(french);
	scrub_finds_free(&finds);
}

// Every kind's mask is clean itself, next to any other.
static void test_masks_are_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < scrub_kinds_count; i++) {
		for (size_t j = 0; j < scrub_kinds_count; j++) {
			char text[400];
			snprintf(text, sizeof(text), "tel adresse [%s] [%s], voiture [%s]", scrub_kinds[i].english,
			         scrub_kinds[j].french, scrub_kinds[j].english);
			assert_int_equal(count_of(text), 0);
		}
	}
}

// ---- the library's face

static void test_library(void **state)
{
	(void)state;
	json_t *found;
	assert_int_equal(oyez_scrub("mail: jo@example.org", &found), ERR_OK);
	assert_int_equal(json_array_size(found), 1);
	assert_string_equal(words_of(json_array_get(found, 0), "kind"), "email");
	assert_string_equal(words_of(json_array_get(found, 0), "text"), "jo@example.org");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(found, 0), "at")), 6);
	json_decref(found);
	assert_int_equal(oyez_scrub("", &found), ERR_OK);
	assert_int_equal(json_array_size(found), 0);
	json_decref(found);
	struct oyez_want want;
	oyez_want_init(&want);
	assert_int_equal(want.pii, OYEZ_PII_REFUSE);
}

// ---- any bytes, and texts made to be slow

static void test_not_utf8(void **state)
{
	(void)state;
	const char text[] = "mail \xff\xfe jo@example.org \xc3";
	struct scrub_finds finds;
	assert_int_equal(scrub_text(text, sizeof(text) - 1, &finds), ERR_OK);
	assert_int_equal(finds.count, 1);
	assert_int_equal(finds.items[0].at, 8);
	scrub_finds_free(&finds);
}

static double seconds_for(const char *piece, size_t bytes)
{
	char *text = malloc(bytes + 64);
	size_t used = 0;
	while (used < bytes)
		used += (size_t)sprintf(text + used, "%s", piece);
	struct scrub_finds finds;
	clock_t before = clock();
	assert_int_equal(scrub_text(text, used, &finds), ERR_OK);
	double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
	scrub_finds_free(&finds);
	free(text);
	return seconds;
}

static void test_slow_texts(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", "1", "a.", "1 ", "aa point ", "rue ", "12 rue de la ", "a-", "zero ",
	                                     "de la ", "A1 ", "::", "1:", "a@", "@", "12 Rue A ", "+1", "0 ", "www.",
	                                     "place a, ", "tel 1 ", "adresse a a a ", "é", "un deux ", "https://", "/a",
	                                     "ab-12-", "12 A A St ", "\xef\xb7\xba"};
	double worst = 0;
	size_t slowest = 0;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		double seconds = seconds_for(pieces[i], 4096);
		if (seconds > worst) {
			worst = seconds;
			slowest = i;
		}
	}
	double longer = seconds_for(pieces[slowest], 4 * 4096);
	print_message("4 kB: at most %.1f ms (\"%s\"), 16 kB of it %.1f ms\n", worst * 1000, pieces[slowest],
	              longer * 1000);
	assert_true(worst < 2.0);           // a sanitized build on a busy machine
	assert_true(longer < 8 * worst + 0.2); // in proportion, not in squares
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),       cmocka_unit_test(test_held_out), cmocka_unit_test(test_wrong_digits),
	    cmocka_unit_test(test_mask),        cmocka_unit_test(test_masks_are_clean),
	    cmocka_unit_test(test_library),     cmocka_unit_test(test_not_utf8), cmocka_unit_test(test_slow_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
