// The log: every line is one JSON object whatever goes in. Lines are read back from a pipe put in place of stderr and
// parsed by jansson, not by eye.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/base/log.h"

static int saved, ends[2];

static void capture(void)
{
	assert_int_equal(pipe(ends), 0);
	saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
}

// What was logged since capture(), zero-terminated.
static size_t captured(char *out, size_t room)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	size_t count = 0;
	ssize_t got;
	while (count + 1 < room && (got = read(ends[0], out + count, room - 1 - count)) > 0)
		count += (size_t)got;
	close(ends[0]);
	out[count] = 0;
	return count;
}

static json_t *parse_line(const char *text, size_t count)
{
	assert_true(count > 1 && text[count - 1] == '\n');
	assert_ptr_equal(memchr(text, '\n', count), text + count - 1);
	json_error_t error;
	json_t *line = json_loadb(text, count - 1, JSON_REJECT_DUPLICATES, &error);
	if (!line)
		fail_msg("%s in %s", error.text, text);
	return line;
}

static void a_line_has_its_fields(void **state)
{
	(void)state;
	char text[4096];
	capture();
	log_event(LOG_WARN, "ready", LOG_TEXT("listen", "tcp://[::1]:1"), LOG_NUMBER("tick_ms", 5000),
	          LOG_NUMBER("least", INT64_MIN));
	json_t *line = parse_line(text, captured(text, sizeof(text)));
	assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
	assert_string_equal(json_string_value(json_object_get(line, "event")), "ready");
	assert_string_equal(json_string_value(json_object_get(line, "listen")), "tcp://[::1]:1");
	assert_int_equal(json_integer_value(json_object_get(line, "tick_ms")), 5000);
	assert_true(json_integer_value(json_object_get(line, "least")) == INT64_MIN);
	const char *at = json_string_value(json_object_get(line, "at"));
	assert_int_equal(strlen(at), strlen("2027-01-31T10:00:00.000Z"));
	assert_true(at[4] == '-' && at[10] == 'T' && at[19] == '.' && at[23] == 'Z');
	json_decref(line);
}

static void any_text_is_escaped(void **state)
{
	(void)state;
	char text[4096], all[256];
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = 0;
	const char *texts[] = {all,        "\"},{\"level\":\"error", "\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x94",
	                       "\xc0\x80", "\xed\xa0\x80",           "\xf5\x80\x80\x80",
	                       "\xe2\x82", "\xf4\x90\x80\x80",       "\n\t\\"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		capture();
		log_event(LOG_ERROR, "odd", LOG_TEXT("text", texts[i]));
		json_t *line = parse_line(text, captured(text, sizeof(text)));
		assert_int_equal(json_object_size(line), 4);
		if (i == 1 || i == 2 || i == 8)
			assert_string_equal(json_string_value(json_object_get(line, "text")), texts[i]);
		json_decref(line);
	}
}

static void a_long_line_is_cut_between_fields(void **state)
{
	(void)state;
	char text[8192], longest[6000];
	memset(longest, '"', sizeof(longest) - 1); // each needs six bytes
	longest[sizeof(longest) - 1] = 0;
	capture();
	log_event(LOG_INFO, "long", LOG_NUMBER("before", 1), LOG_TEXT("text", longest), LOG_NUMBER("after", 2));
	json_t *line = parse_line(text, captured(text, sizeof(text)));
	assert_int_equal(json_integer_value(json_object_get(line, "before")), 1);
	assert_null(json_object_get(line, "text"));
	assert_int_equal(json_integer_value(json_object_get(line, "cut")), 1);
	json_decref(line);
}

static void lower_levels_are_silent(void **state)
{
	(void)state;
	char text[4096];
	capture();
	log_event(LOG_DEBUG, "quiet");
	log_set_level(LOG_ERROR);
	log_event(LOG_WARN, "quiet");
	log_set_level(LOG_DEBUG);
	log_event(LOG_DEBUG, "heard");
	log_set_level(LOG_INFO);
	json_t *line = parse_line(text, captured(text, sizeof(text)));
	assert_string_equal(json_string_value(json_object_get(line, "event")), "heard");
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_its_fields),
	    cmocka_unit_test(any_text_is_escaped),
	    cmocka_unit_test(a_long_line_is_cut_between_fields),
	    cmocka_unit_test(lower_levels_are_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
