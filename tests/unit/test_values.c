// Amounts, dates, durations and words: what is taken, what is refused, and that writing gives back what was read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/values.h"
#include "vendor.pb-c.h"

static void test_amounts_taken(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t amount_e4;
	} cases[] = {
	    {"0", 0},
	    {"189", 1890000},
	    {"189.5", 1895000},
	    {"189.00", 1890000},
	    {"189.0001", 1890001},
	    {"0.1234", 1234},
	    {"007", 70000},
	    {"999999999999.9999", AMOUNT_E4_MAX},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t amount = -1;
		assert_int_equal(amount_parse(cases[i].text, &amount), ERR_OK);
		assert_true(amount == cases[i].amount_e4);
	}
}

static void test_amounts_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {"",      "1e309",   "1e3",           "-1",   "+1",   " 1",   "1 ",   "1 000",
	                                    "1,5",   "NaN",     "nan",           "inf",  "0x10", "1.",   ".5",   "1..5",
	                                    "1.2.3", "1.12345", "1234567890123", "1.5-", "١٢",   "1.-5", "1.+5", "1\n",
	                                    "1e"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t amount = 42;
		assert_int_equal(amount_parse(cases[i], &amount), ERR_BAD_AMOUNT);
		assert_int_equal(amount, 42);
	}
}

static void test_amounts_written(void **state)
{
	(void)state;
	static const struct {
		int64_t amount_e4;
		const char *currency, *text;
	} cases[] = {
	    {1890000, "EUR", "189.00"},   {1895000, "EUR", "189.50"}, {1890001, "EUR", "189.0001"},
	    {1890000, "JPY", "189"},      {1895000, "JPY", "189.5"},  {1890000, "TND", "189.000"},
	    {1890000, "CLF", "189.0000"}, {1890000, NULL, "189.00"},  {1890000, "XQX", "189.00"},
	    {0, "EUR", "0.00"},           {-15000, "EUR", "-1.50"},   {AMOUNT_E4_MAX, "EUR", "999999999999.9999"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[32];
		amount_format(cases[i].amount_e4, cases[i].currency, text);
		assert_string_equal(text, cases[i].text);
	}
	char text[32];
	amount_format(INT64_MIN, "EUR", text);
	assert_string_equal(text, "-922337203685477.5808");
}

static void test_ranges(void **state)
{
	(void)state;
	int64_t min, max;
	assert_int_equal(amount_range_parse("100-250", &min, &max), ERR_OK);
	assert_true(min == 1000000 && max == 2500000);
	assert_int_equal(amount_range_parse("-250.5", &min, &max), ERR_OK);
	assert_true(min == 0 && max == 2505000);
	assert_int_equal(amount_range_parse("100-", &min, &max), ERR_OK);
	assert_true(min == 1000000 && max == 0);
	assert_int_equal(amount_range_parse("7-7", &min, &max), ERR_OK);
	static const char *const bad[] = {"",      "-",   "100", "250-100", "100--250",  "a-b",
	                                  "1-2-3", "0-0", "-0",  "1e3-1e4", "100 - 250", "-1e309"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(amount_range_parse(bad[i], &min, &max), ERR_BAD_AMOUNT);
}

static void test_bands(void **state)
{
	(void)state;
	static const struct {
		int64_t amount_e4, down, up;
	} cases[] = {
	    {0, 0, 0},
	    {1, 1, 1},
	    {3, 2, 5},
	    {1890000, 1000000, 2000000},
	    {2500000, 2000000, 5000000},
	    {1000000, 1000000, 1000000},
	    {5000001, 5000000, 10000000},
	    {9999999, 5000000, 10000000},
	    {AMOUNT_E4_MAX, INT64_C(5000000000000000), AMOUNT_E4_MAX},
	    {INT64_C(5000000000000001), INT64_C(5000000000000000), AMOUNT_E4_MAX},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(amount_band_down(cases[i].amount_e4) == cases[i].down);
		assert_true(amount_band_up(cases[i].amount_e4) == cases[i].up);
		// A band's ends are their own bands, and never leave what can be sent.
		assert_true(amount_band_up(cases[i].up) == cases[i].up && cases[i].up <= AMOUNT_E4_MAX);
		assert_true(amount_band_down(cases[i].down) == cases[i].down);
	}
}

static void test_days(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t day;
	} cases[] = {
	    {"1970-01-01", 0}, {"1970-03-01", 59}, {"2000-02-29", 11016}, {"2027-01-31", 20849}, {"9999-12-31", 2932896}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t day = 1;
		char text[16];
		assert_int_equal(day_parse(cases[i].text, &day), ERR_OK);
		assert_int_equal(day, cases[i].day);
		day_format(day, text);
		assert_string_equal(text, cases[i].text);
	}
	static const char *const bad[] = {"",           "2027-1-31",  "2027-01-32",          "2027-02-29",  "2100-02-29",
	                                  "2027-13-01", "2027-00-10", "2027-01-00",          "1969-12-31",  "20270131",
	                                  "2027/01/31", "31-01-2027", " 2027-01-31",         "2027-01-31 ", "2027-01-3x",
	                                  "2027-04-31", "+027-01-01", "2027-01-31T00:00:00Z"};
	uint32_t day;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(day_parse(bad[i], &day), ERR_BAD_DATE);
}

// Every day of 400 years comes back, and the next day is the next number.
static void test_days_round(void **state)
{
	(void)state;
	for (uint32_t day = 0; day < 146097; day++) {
		char text[16];
		uint32_t back = 0;
		day_format(day, text);
		assert_int_equal(day_parse(text, &back), ERR_OK);
		assert_int_equal(back, day);
	}
	char text[16];
	day_format(UINT32_MAX, text); // no overflow
}

static void test_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
		const char *back;
	} cases[] = {{"200ms", 200, "200ms"}, {"2s", 2000, "2s"},         {"10m", 600000, "10m"},
	             {"24h", 86400000, "1d"}, {"3d", 259200000, "3d"},    {"0s", 0, "0s"},
	             {"90s", 90000, "90s"},   {"1500ms", 1500, "1500ms"}, {"3650d", DURATION_MS_MAX, "3650d"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t ms = 1;
		char text[24];
		assert_int_equal(duration_parse(cases[i].text, &ms), ERR_OK);
		assert_true(ms == cases[i].ms);
		duration_format(ms, text);
		assert_string_equal(text, cases[i].back);
	}
	static const char *const bad[] = {"",
	                                  "10",
	                                  "s",
	                                  "1.5s",
	                                  "-1s",
	                                  "+1s",
	                                  " 1s",
	                                  "1 s",
	                                  "1S",
	                                  "1w",
	                                  "1e3s",
	                                  "3651d",
	                                  "99999999999999999999s",
	                                  "999999999999999d",
	                                  "1ss",
	                                  "1h30m"};
	uint64_t ms;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(duration_parse(bad[i], &ms), ERR_BAD_DATE);
	char text[24];
	duration_format(UINT64_MAX, text);
	assert_string_equal(text, "18446744073709551615ms");
}

static void test_times(void **state)
{
	(void)state;
	char text[32];
	time_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	time_format(UINT64_C(1801389600000), text);
	assert_string_equal(text, "2027-01-31T10:00:00Z");
	time_format(UINT64_C(1801389600007), text);
	assert_string_equal(text, "2027-01-31T10:00:00.007Z");
	time_format(UINT64_MAX, text); // no overflow
}

static void test_words(void **state)
{
	(void)state;
	Oyez__Condition condition;
	Oyez__Fulfilment fulfilment;
	Oyez__Reach reach;
	for (int i = 1; i <= 3; i++) {
		assert_true(condition_parse(condition_word((Oyez__Condition)i), &condition));
		assert_int_equal(condition, i);
		assert_true(reach_parse(reach_word((Oyez__Reach)i), &reach));
		assert_int_equal(reach, i);
	}
	for (int i = 1; i <= 4; i++) {
		assert_true(fulfilment_parse(fulfilment_word((Oyez__Fulfilment)i), &fulfilment));
		assert_int_equal(fulfilment, i);
	}
	assert_null(condition_word(OYEZ__CONDITION__CONDITION_UNKNOWN));
	assert_null(condition_word((Oyez__Condition)4));
	assert_null(condition_word((Oyez__Condition)-1));
	assert_false(condition_parse("broken", &condition));
	assert_false(condition_parse("", &condition));
	assert_false(condition_parse("New", &condition));
	assert_string_equal(quantity_band_word(quantity_band_of(1)), "1");
	assert_string_equal(quantity_band_word(quantity_band_of(2)), "2-5");
	assert_string_equal(quantity_band_word(quantity_band_of(5)), "2-5");
	assert_string_equal(quantity_band_word(quantity_band_of(6)), "6-20");
	assert_string_equal(quantity_band_word(quantity_band_of(20)), "6-20");
	assert_string_equal(quantity_band_word(quantity_band_of(21)), "21+");
	assert_null(quantity_band_word(quantity_band_of(0)));
	assert_string_equal(needed_band_word(OYEZ__NEEDED_BAND__NEEDED_LATER), "later");
	assert_string_equal(expiry_band_word(OYEZ__EXPIRY_BAND__EXPIRY_7D), "7d");
	assert_string_equal(gone_reason_word(OYEZ__GONE_REASON__GONE_TAKEN), "taken");
	assert_null(gone_reason_word(99));
}

static void test_texts(void **state)
{
	(void)state;
	assert_int_equal(text_check("", 0, 10), ERR_OK);
	assert_int_equal(text_check("caf\xc3\xa9\tau\nlait", 13, 13), ERR_OK);
	assert_int_equal(text_check("abc", 3, 2), ERR_TOO_LARGE);
	assert_int_equal(text_check("a\0b", 3, 10), ERR_BAD_UTF8);
	assert_int_equal(text_check("\xc3", 1, 10), ERR_BAD_UTF8);
	assert_int_equal(text_check("\xc0\x80", 2, 10), ERR_BAD_UTF8);
	assert_int_equal(text_check("\xed\xa0\x80", 3, 10), ERR_BAD_UTF8);
	assert_int_equal(text_check("\xf4\x90\x80\x80", 4, 10), ERR_BAD_UTF8);
	assert_int_equal(text_check("a\x1b[31m", 6, 10), ERR_BAD_VALUE);
	assert_int_equal(text_check("a\r", 2, 10), ERR_BAD_VALUE);
	assert_int_equal(text_check("a\x7f", 2, 10), ERR_BAD_VALUE);
	assert_int_equal(text_check("a\xc2\x85", 3, 10), ERR_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_amounts_taken),   cmocka_unit_test(test_amounts_refused),
	    cmocka_unit_test(test_amounts_written), cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_bands),           cmocka_unit_test(test_days),
	    cmocka_unit_test(test_days_round),      cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_times),           cmocka_unit_test(test_words),
	    cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
