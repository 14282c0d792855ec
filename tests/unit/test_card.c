// Cards: which fields are taken, and what is no card.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"

static const char whole[] = "{\"name\":\"Ann\",\"email\":\"ann@example.org\",\"shoe_size\":\"42\","
                            "\"address\":{\"street\":\"1 rue\",\"city\":\"Vannes\"}}";

static enum err select_card(const char *text, const char *fields, const char *need, char *out, size_t out_bytes)
{
	char *card, **names, *needs[] = {(char *)need};
	size_t count;
	struct oyez_error error = {0};
	enum err err = card_select(text, fields, needs, need ? 1 : 0, &card, &names, &count, &error);
	assert_true(err == ERR_OK || *error.detail);
	if (err) {
		assert_null(card);
		return err;
	}
	if (out)
		snprintf(out, out_bytes, "%s", card);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(card);
	return ERR_OK;
}

static void test_selection(void **state)
{
	(void)state;
	char card[512];
	assert_int_equal(select_card(whole, NULL, NULL, card, sizeof(card)), ERR_OK);
	assert_string_equal(card, whole);
	assert_int_equal(select_card(whole, NULL, "email", card, sizeof(card)), ERR_OK);
	assert_string_equal(card, whole);
	assert_int_equal(select_card(whole, "name,address", "email", card, sizeof(card)), ERR_OK);
	assert_string_equal(card, "{\"name\":\"Ann\",\"address\":{\"street\":\"1 rue\",\"city\":\"Vannes\"}}");
	assert_int_equal(select_card(whole, NULL, "phone", NULL, 0), ERR_BAD_CARD);
	assert_int_equal(select_card(whole, "phone", NULL, NULL, 0), ERR_BAD_CARD);
	assert_int_equal(select_card(whole, ",", NULL, NULL, 0), ERR_BAD_CARD);
}

static void test_what_is_no_card(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err err;
	} cases[] = {
	    {"", ERR_BAD_CARD},
	    {"{", ERR_BAD_CARD},
	    {"{}", ERR_BAD_CARD},
	    {"[]", ERR_BAD_CARD},
	    {"\"x\"", ERR_BAD_CARD},
	    {"{\"name\":1}", ERR_BAD_CARD},
	    {"{\"name\":null}", ERR_BAD_CARD},
	    {"{\"name\":{\"first\":\"Ann\"}}", ERR_BAD_CARD},
	    {"{\"address\":[1]}", ERR_BAD_CARD},
	    {"{\"address\":{\"street\":1}}", ERR_BAD_CARD},
	    {"{\"name\":\"a\",\"name\":\"b\"}", ERR_BAD_CARD},
	    {"{\"na me\":\"a\"}", ERR_BAD_CARD},
	    {"{\"a,b\":\"a\"}", ERR_BAD_CARD},
	    {"{\"\":\"a\"}", ERR_BAD_CARD},
	    {"{\"abcdefghijklmnopqrstuvwxyz0123456\":\"a\"}", ERR_BAD_CARD},
	    {"{\"name\":\"\xff\"}", ERR_BAD_UTF8},
	    {"{\"name\":\"\xed\xa0\x80\"}", ERR_BAD_UTF8},
	    {"{\"name\":\"a\\u0000b\"}", ERR_BAD_CARD},
	    {"{\"name\":\"a\"} {}", ERR_BAD_CARD},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(select_card(cases[i].text, NULL, NULL, NULL, 0), cases[i].err);
}

static void test_size(void **state)
{
	(void)state;
	char text[CARD_BYTES_MAX + 64];
	// {"n":"xxx"} is 8 bytes more than its text.
	for (int over = -1; over <= 1; over++) {
		memcpy(text, "{\"n\":\"", 6);
		memset(text + 6, 'x', (size_t)(CARD_BYTES_MAX - 8 + over));
		strcpy(text + 6 + CARD_BYTES_MAX - 8 + over, "\"}");
		assert_int_equal(strlen(text), CARD_BYTES_MAX + over);
		assert_int_equal(select_card(text, NULL, NULL, NULL, 0), over > 0 ? ERR_TOO_LARGE : ERR_OK);
	}
	char *huge = malloc(10 * 1000 * 1000 + 1);
	memset(huge, ' ', 10 * 1000 * 1000);
	huge[10 * 1000 * 1000] = 0;
	assert_int_equal(select_card(huge, NULL, NULL, NULL, 0), ERR_TOO_LARGE);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_selection),
	    cmocka_unit_test(test_what_is_no_card),
	    cmocka_unit_test(test_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
