// What a bot's program writes: lines with a bound, answers as JSON, and everything that is neither.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_answer.h"
#include "clients/lib/vendor_lines.h"

#define RELEASE "\"release\":\"00112233445566778899aabbccddeeff\""

// ---- lines

struct seen {
	char text[64][80];
	bool too_long[64];
	size_t bytes[64], count;
};

static void note(void *context, const char *line, size_t bytes, bool too_long)
{
	struct seen *seen = context;

	assert_true(seen->count < 64);
	assert_int_equal(line[bytes], 0);
	snprintf(seen->text[seen->count], sizeof(seen->text[0]), "%.79s", line);
	seen->bytes[seen->count] = bytes;
	seen->too_long[seen->count++] = too_long;
}

static void feed(struct lines *lines, struct seen *seen, const char *text)
{
	lines_feed(lines, text, strlen(text), note, seen);
}

static void lines_come_whole_however_they_arrive(void **state)
{
	struct lines lines = {0};
	struct seen seen = {0};

	(void)state;
	feed(&lines, &seen, "on");
	feed(&lines, &seen, "e\ntwo\r\n\nth");
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.text[0], "one");
	assert_string_equal(seen.text[1], "two");
	assert_string_equal(seen.text[2], "");
	feed(&lines, &seen, "ree");
	lines_end(&lines, note, &seen);
	assert_int_equal(seen.count, 4);
	assert_string_equal(seen.text[3], "three");
	lines_end(&lines, note, &seen);
	assert_int_equal(seen.count, 4);
	lines_fini(&lines);
}

static void long_lines_are_told_once_and_skipped(void **state)
{
	struct lines lines = {0};
	struct seen seen = {0};
	char *long_text = malloc(3 * LINE_BYTES_MAX);

	(void)state;
	memset(long_text, 'x', 3 * LINE_BYTES_MAX);
	lines_feed(&lines, long_text, LINE_BYTES_MAX, note, &seen);
	assert_int_equal(seen.count, 0);
	feed(&lines, &seen, "\n");
	assert_int_equal(seen.count, 1);
	assert_false(seen.too_long[0]);
	assert_int_equal(seen.bytes[0], LINE_BYTES_MAX);
	lines_feed(&lines, long_text, 3 * LINE_BYTES_MAX, note, &seen);
	lines_feed(&lines, long_text, 3 * LINE_BYTES_MAX, note, &seen);
	feed(&lines, &seen, "\nshort\n");
	assert_int_equal(seen.count, 3);
	assert_true(seen.too_long[1]);
	assert_string_equal(seen.text[2], "short");
	free(long_text);
	lines_fini(&lines);
}

// ---- answers

static enum err parse(const char *line, struct answer *answer, struct oyez_error *error)
{
	return answer_parse(line, strlen(line), answer, error);
}

static void assert_refused(const char *line, enum err expected, const char *detail)
{
	struct answer answer;
	struct oyez_error error = {0};

	assert_int_equal(parse(line, &answer, &error), expected);
	if (!strstr(error.detail, detail))
		fail_msg("%s: \"%s\" does not tell of \"%s\"", line, error.detail, detail);
	assert_null(answer.json);
}

static void a_full_offer_is_read(void **state)
{
	struct answer answer;
	struct oyez_error error;
	const char *line = "{\"type\":\"offer\"," RELEASE ",\"price\":\"189.00\",\"currency\":\"EUR\",\"total\":199.5,"
	                   "\"availability\":\"in_stock\",\"delivery_days\":3,\"origin\":\"FR\",\"co2_g\":1200,"
	                   "\"warranty_months\":24.0,\"returns_days\":30,\"valid\":\"3d\",\"needs\":[\"name\",\"address\"],"
	                   "\"note\":\"à vous\"}";

	(void)state;
	assert_int_equal(parse(line, &answer, &error), ERR_OK);
	assert_int_equal(answer.kind, ANSWER_OFFER);
	assert_int_equal(answer.release.bytes[1], 0x11);
	assert_true(answer.offer.price_e4 == 1890000);
	assert_true(answer.offer.total_e4 == 1995000);
	assert_string_equal(answer.offer.currency, "EUR");
	assert_int_equal(answer.offer.delivery_days, 3);
	assert_int_equal(answer.offer.warranty_months, 24);
	assert_true(answer.offer.valid_ms == 3 * DAY_MS);
	assert_int_equal(answer.offer.need_count, 2);
	assert_string_equal(answer.offer.needs[1], "address");
	assert_null(answer.unknown);
	answer_fini(&answer);
}

static void amounts_have_three_forms(void **state)
{
	static const char *const same[] = {"\"42.50\"", "42.5", "{\"amount\":\"42.50\",\"currency\":\"EUR\"}"};
	struct answer answer;
	struct oyez_error error;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char line[256];

		snprintf(line, sizeof(line), "{\"type\":\"offer\"," RELEASE ",\"price\":%s}", same[i]);
		assert_int_equal(parse(line, &answer, &error), ERR_OK);
		assert_true(answer.offer.price_e4 == 425000);
		assert_int_equal(answer.offer.delivery_days, -1);
		assert_int_equal(answer.offer.need_count, 0);
		answer_fini(&answer);
	}
	assert_int_equal(parse("{\"type\":\"offer\"," RELEASE ",\"price\":7,\"needs\":\"name, email\"}", &answer, &error),
	                 0);
	assert_true(answer.offer.price_e4 == 70000);
	assert_string_equal(answer.offer.needs[1], "email");
	answer_fini(&answer);
}

static void other_answers_are_read(void **state)
{
	struct answer answer;
	struct oyez_error error;

	(void)state;
	assert_int_equal(parse("{\"type\":\"details\"," RELEASE "}", &answer, &error), ERR_OK);
	assert_int_equal(answer.kind, ANSWER_DETAILS);
	assert_null(answer.text);
	answer_fini(&answer);
	assert_int_equal(parse("{\"type\":\"ask\"," RELEASE ",\"text\":\"Which day?\"}", &answer, &error), ERR_OK);
	assert_string_equal(answer.text, "Which day?");
	answer_fini(&answer);
	assert_int_equal(parse("{\"type\":\"pass\"," RELEASE ",\"why\":1}", &answer, &error), ERR_OK);
	assert_string_equal(answer.text, "");
	assert_string_equal(answer.unknown, "why");
	answer_fini(&answer);
}

static void what_is_no_answer_is_refused(void **state)
{
	(void)state;
	assert_refused("hello", ERR_BAD_MESSAGE, "JSON");
	assert_refused("[1]", ERR_BAD_MESSAGE, "JSON");
	assert_refused("{\"type\":\"pass\"} x", ERR_BAD_MESSAGE, "JSON");
	assert_refused("{\"type\":\"pass\",\"type\":\"offer\"}", ERR_BAD_MESSAGE, "JSON");
	assert_refused("{}", ERR_MISSING_FIELD, "type");
	assert_refused("{\"type\":\"buy\"," RELEASE "}", ERR_BAD_VALUE, "type");
	assert_refused("{\"type\":\"pass\"}", ERR_MISSING_FIELD, "release");
	assert_refused("{\"type\":\"pass\",\"release\":\"abc\"}", ERR_BAD_VALUE, "release");
	assert_refused("{\"type\":\"ask\"," RELEASE "}", ERR_MISSING_FIELD, "text");
	assert_refused("{\"type\":\"countersign\"}", ERR_MISSING_FIELD, "deal");
}

static void offers_out_of_bounds_are_refused(void **state)
{
	static const struct {
		const char *fields;
		enum err expected;
		const char *detail;
	} cases[] = {
	    {"\"note\":\"no price\"", ERR_MISSING_FIELD, "price"},
	    {"\"price\":1e309", ERR_BAD_MESSAGE, "JSON"},
	    {"\"price\":1e300", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":-1", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":0", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":1.23456", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":\"1,5\"", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":true", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":9223372036854775807", ERR_BAD_AMOUNT, "price"},
	    {"\"price\":\"5\",\"total\":\"4\"", ERR_BAD_VALUE, "total"},
	    {"\"price\":{\"amount\":\"5\",\"currency\":\"EUR\"},\"currency\":\"USD\"", ERR_BAD_VALUE, "price"},
	    {"\"price\":\"5\",\"currency\":\"ZZZ\"", ERR_UNKNOWN_CURRENCY, "currency"},
	    {"\"price\":\"5\",\"availability\":\"maybe\"", ERR_BAD_VALUE, "availability"},
	    {"\"price\":\"5\",\"delivery_days\":-2", ERR_BAD_VALUE, "delivery_days"},
	    {"\"price\":\"5\",\"delivery_days\":\"soon\"", ERR_BAD_VALUE, "delivery_days"},
	    {"\"price\":\"5\",\"origin\":\"Mars\"", ERR_TOO_LARGE, "origin"},
	    {"\"price\":\"5\",\"origin\":\"XX\"", ERR_UNKNOWN_REGION, "origin"},
	    {"\"price\":\"5\",\"valid\":\"never\"", ERR_BAD_DATE, "valid"},
	    {"\"price\":\"5\",\"valid\":\"900d\"", ERR_BAD_DATE, "valid"},
	    {"\"price\":\"5\",\"needs\":[\"Full Name\"]", ERR_BAD_VALUE, "needs"},
	    {"\"price\":\"5\",\"needs\":{}", ERR_BAD_VALUE, "needs"},
	    {"\"price\":\"5\",\"note\":7", ERR_BAD_VALUE, "note"},
	};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(line, sizeof(line), "{\"type\":\"offer\"," RELEASE ",%s}", cases[i].fields);
		assert_refused(line, cases[i].expected, cases[i].detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_come_whole_however_they_arrive),
	    cmocka_unit_test(long_lines_are_told_once_and_skipped),
	    cmocka_unit_test(a_full_offer_is_read),
	    cmocka_unit_test(amounts_have_three_forms),
	    cmocka_unit_test(other_answers_are_read),
	    cmocka_unit_test(what_is_no_answer_is_refused),
	    cmocka_unit_test(offers_out_of_bounds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
