// The list of error codes: stable, whole, in both languages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/utf8.h"

static const enum err all[] = {
#define X(constant, number, ...) constant,
    ERR_LIST(X)
#undef X
};
enum { ALL = sizeof(all) / sizeof(all[0]) };

static void test_numbers_and_names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		for (size_t j = i + 1; j < ALL; j++) {
			assert_int_not_equal(all[i], all[j]);
			assert_string_not_equal(err_name(all[i]), err_name(all[j]));
		}
		assert_int_equal(err_from_name(err_name(all[i])), all[i]);
		assert_true(strspn(err_name(all[i]), "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(err_name(all[i])));
	}
}

static void test_every_code_has_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		for (int french = 0; french < 2; french++) {
			const char *message = err_message(all[i], french), *hint = err_hint(all[i], french);
			assert_true(strlen(message) > 0);
			assert_true(all[i] == ERR_OK || strlen(hint) > 0);
			assert_true(utf8_valid((const uint8_t *)message, strlen(message)));
			assert_true(utf8_valid((const uint8_t *)hint, strlen(hint)));
		}
	}
}

static void test_unknown_codes(void **state)
{
	(void)state;
	assert_string_equal(err_name((enum err)31999), "unknown_error");
	assert_string_equal(err_name((enum err) - 1), "unknown_error");
	assert_string_equal(err_message((enum err)31999, 0), err_message(ERR_UNKNOWN_ERROR, 0));
	assert_int_equal(err_from_name("no_such_code"), ERR_UNKNOWN_ERROR);
	assert_int_equal(err_from_name(""), ERR_UNKNOWN_ERROR);
}

// Some names are promised to other programs; their numbers never change.
static void test_promised_codes(void **state)
{
	(void)state;
	assert_int_equal(err_from_name("ok"), 0);
	assert_int_equal(err_from_name("conflict"), 201);
	assert_int_equal(err_from_name("gone"), 202);
	assert_int_equal(err_from_name("not_yours"), 111);
	assert_int_equal(err_from_name("deal_open"), 210);
	assert_int_equal(err_from_name("lapsed"), 211);
	assert_int_equal(err_from_name("cursor_expired"), 214);
	assert_int_equal(err_from_name("busy"), 300);
	assert_int_equal(err_from_name("broker_changed"), 408);
	assert_int_equal(err_from_name("card_mismatch"), 411);
	assert_int_equal(err_from_name("session_unknown"), 107);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers_and_names_are_unique),
	    cmocka_unit_test(test_every_code_has_words),
	    cmocka_unit_test(test_unknown_codes),
	    cmocka_unit_test(test_promised_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
