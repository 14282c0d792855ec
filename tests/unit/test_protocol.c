// Holds PROTOCOL.md against the code: every error code, tag, limit and message, and every field's row in its
// message's table, with the rule that the codec really applies. With OYEZ_PRINT_TABLES set it prints the tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cell.h"
#include "proto/codec_rules.h"
#include "proto/err.h"
#include "proto/limits.h"
#include "proto/seal.h"
#include "proto/sign.h"

static char *page;

static char *read_text(const char *source, const char *name)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/proto/%s", source, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	size_t room = 1 << 20;
	char *text = malloc(room + 1);
	size_t count = fread(text, 1, room, file);
	text[count] = '\0';
	fclose(file);
	return text;
}

static int setup(void **state)
{
	(void)state;
	const char *source = getenv("OYEZ_SOURCE_DIR");
	page = source ? read_text(source, "PROTOCOL.md") : NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static void need_page(void)
{
	if (!page)
		skip(); // run without OYEZ_SOURCE_DIR
}

static void assert_in_page(const char *text)
{
	if (!strstr(page, text))
		fail_msg("PROTOCOL.md does not have: %s", text);
}

// ---- the tables

static void rule_of_number(const struct field_rule *rule, char *out, size_t room)
{
	if (rule->max == (int64_t)TIME_MS_MAX)
		snprintf(out, room, rule->min > 0 ? "required, a time" : "a time or 0");
	else if (rule->min == rule->max)
		snprintf(out, room, "required, %" PRId64, rule->min);
	else if (rule->max == INT64_MAX)
		snprintf(out, room, "%s%" PRId64 " to 2^63 - 1", rule->min > 0 ? "required, " : "", rule->min);
	else if (rule->max == UINT32_MAX)
		snprintf(out, room, "%s%" PRId64 " to 2^32 - 1", rule->min > 0 ? "required, " : "", rule->min);
	else
		snprintf(out, room, "%s%" PRId64 " to %" PRId64, rule->min > 0 ? "required, " : "", rule->min, rule->max);
}

static void rule_of_bytes(const struct field_rule *rule, const char *what, char *out, size_t room)
{
	if (rule->min == rule->max)
		snprintf(out, room, "required, %" PRId64 " %s", rule->max, what);
	else if (rule->min > 0)
		snprintf(out, room, "required, %" PRId64 " to %" PRId64 " %s", rule->min, rule->max, what);
	else if (rule->kind == RULE_EXACT)
		snprintf(out, room, "absent or %" PRId64 " %s", rule->max, what);
	else
		snprintf(out, room, "at most %" PRId64 " %s", rule->max, what);
}

static void rule_words(const struct field_rule *rule, char *out, size_t room)
{
	switch (rule->kind) {
	case RULE_TEXT:
		rule_of_bytes(rule, "bytes of text", out, room);
		break;
	case RULE_LINE:
		rule_of_bytes(rule, "bytes of one line", out, room);
		break;
	case RULE_WORD:
		rule_of_bytes(rule, "bytes of a word", out, room);
		break;
	case RULE_BYTES:
	case RULE_EXACT:
		rule_of_bytes(rule, "bytes", out, room);
		break;
	case RULE_SIGN_KEY:
		snprintf(out, room, "required, Ed25519 key");
		break;
	case RULE_SEAL_KEY:
		snprintf(out, room, "required, X25519 key");
		break;
	case RULE_SEALED:
		snprintf(out, room, "required, sealed (§8.1)");
		break;
	case RULE_NUMBER:
		rule_of_number(rule, out, room);
		break;
	case RULE_FLAG:
		snprintf(out, room, "true or false");
		break;
	case RULE_CHOICE:
		snprintf(out, room, rule->min > 0 ? "required, a known value" : "a known value or unknown");
		break;
	case RULE_OPEN:
		snprintf(out, room, "any value; later versions may add some");
		break;
	case RULE_PART:
		snprintf(out, room, rule->min > 0 ? "required" : "may be absent");
		break;
	}
}

static const char *type_words(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return "string";
	case PROTOBUF_C_TYPE_BYTES:
		return "bytes";
	case PROTOBUF_C_TYPE_BOOL:
		return "bool";
	case PROTOBUF_C_TYPE_UINT32:
		return "uint32";
	case PROTOBUF_C_TYPE_UINT64:
		return "uint64";
	case PROTOBUF_C_TYPE_INT64:
		return "int64";
	case PROTOBUF_C_TYPE_ENUM:
		return ((const ProtobufCEnumDescriptor *)field->descriptor)->short_name;
	case PROTOBUF_C_TYPE_MESSAGE:
		return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	default:
		return "?";
	}
}

static void row_of(const ProtobufCFieldDescriptor *field, const struct field_rule *rule, char *out, size_t room)
{
	char words[96], before[48] = "";
	rule_words(rule, words, sizeof(words));
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		snprintf(before, sizeof(before), "up to %" PRIu32 ", each: ", rule->count_max);
	else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		snprintf(before, sizeof(before), "body: ");
	// Of lists and bodies it goes without saying: each element, and the one that is set.
	const char *shown = before[0] && strncmp(words, "required", 8) == 0 ? words + strcspn(words, " ") : words;
	shown += before[0] && *shown == ' ';
	if (before[0] && strcmp(words, "required") == 0)
		shown = "valid by itself";
	snprintf(out, room, "| %" PRIu32 " | `%s` | %s | %s%s |", field->id, field->name, type_words(field), before, shown);
}

// The part of the page from a message's heading to the next heading.
static char *section_of(const char *message)
{
	char heading[128];
	snprintf(heading, sizeof(heading), "\n#### %s\n", message);
	const char *start = strstr(page, heading);
	if (!start)
		return NULL;
	const char *body = start + strlen(heading), *end = strstr(body, "\n#");
	return strndup(body, end ? (size_t)(end - body) : strlen(body));
}

static void check_message(const struct message_rule *rules)
{
	const ProtobufCMessageDescriptor *descriptor = rules->descriptor;
	char *section = section_of(descriptor->short_name);
	if (!section)
		fail_msg("PROTOCOL.md has no heading for message %s", descriptor->short_name);
	size_t rows = 0;
	for (size_t i = 0; i < descriptor->n_fields; i++) {
		char row[256];
		row_of(&descriptor->fields[i], &rules->fields[i], row, sizeof(row));
		if (!strstr(section, row))
			fail_msg("PROTOCOL.md, %s: no such row: %s", descriptor->short_name, row);
	}
	for (const char *at = section; (at = strstr(at, "\n| ")) != NULL; at++)
		rows += at[3] >= '0' && at[3] <= '9';
	assert_int_equal(rows, descriptor->n_fields);
	free(section);
}

static void print_table(const struct message_rule *rules)
{
	printf("@@%s\n", rules->descriptor->short_name);
	for (size_t i = 0; i < rules->field_count; i++) {
		char row[256];
		row_of(&rules->descriptor->fields[i], &rules->fields[i], row, sizeof(row));
		printf("%s\n", row);
	}
}

static void test_every_field_has_its_row(void **state)
{
	(void)state;
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; getenv("OYEZ_PRINT_TABLES") && i < count; i++)
		print_table(&rules[i]);
	need_page();
	for (size_t i = 0; i < count; i++)
		check_message(&rules[i]);
}

static void test_every_choice_is_named(void **state)
{
	(void)state;
	need_page();
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < rules[i].field_count; j++) {
			const ProtobufCFieldDescriptor *field = &rules[i].descriptor->fields[j];
			if (field->type != PROTOBUF_C_TYPE_ENUM)
				continue;
			const ProtobufCEnumDescriptor *choices = field->descriptor;
			for (unsigned k = 0; k < choices->n_values; k++) {
				char text[96];
				snprintf(text, sizeof(text), "`%s` = %d", choices->values[k].name, choices->values[k].value);
				assert_in_page(text);
			}
		}
	}
}

// ---- lists

static void test_every_error_code(void **state)
{
	(void)state;
	need_page();
	static const struct {
		int number;
		const char *name, *message;
	} codes[] = {
#define X(constant, number, name, message, ...) {number, name, message},
	    ERR_LIST(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char row[256];
		snprintf(row, sizeof(row), "| %d | `%s` | %s |", codes[i].number, codes[i].name, codes[i].message);
		assert_in_page(row);
	}
}

static void test_every_tag(void **state)
{
	(void)state;
	need_page();
	static const char *const tags[] = {
	    TAG_CONFIG,     TAG_CUSTOMER, TAG_VENDOR,      TAG_LISTING,     TAG_VOUCH,           TAG_QUESTION,
	    TAG_OFFER,      TAG_ANSWER,   TAG_AGREEMENT,   TAG_COUNTERSIGN, TAG_OUTCOME,         TAG_REVEAL,
	    TAG_READ,       TAG_CARD,     TAG_DEAL,        TAG_SIGNATURE,   TAG_INTENT_ID,       TAG_VENDOR_ID,
	    TAG_RECORD_ID,  TAG_TERMS,    TAG_GATEWAY_KEY, SEAL_OFFER,      SEAL_QUESTION,       SEAL_ANSWER,
	    SEAL_AGREEMENT, SEAL_REVEAL,  SEAL_SESSION,    CELL_INFO,       "oyez/1 cell reply",
	};
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "`%s`", tags[i]);
		assert_in_page(text);
	}
}

// Names at the beginning of a line of limits.h, in its enumeration and its macros.
static void test_every_limit(void **state)
{
	(void)state;
	need_page();
	char *limits = read_text(getenv("OYEZ_SOURCE_DIR"), "limits.h");
	assert_non_null(limits);
	size_t found = 0;
	for (char *line = strtok(limits, "\n"); line; line = strtok(NULL, "\n")) {
		char name[64], text[80];
		if (sscanf(line, "\t%63[A-Z0-9_] =", name) != 1 && sscanf(line, "#define %63[A-Z0-9_] ", name) != 1)
			continue;
		bool is_unit = strstr("SECOND_MS MINUTE_MS HOUR_MS DAY_MS", name) != NULL;
		if (is_unit || strcmp(name, "OYEZ_PROTO_LIMITS_H") == 0)
			continue;
		snprintf(text, sizeof(text), "`%s`", name);
		assert_in_page(text);
		found++;
	}
	assert_true(found > 60);
	free(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_field_has_its_row),
	    cmocka_unit_test(test_every_choice_is_named),
	    cmocka_unit_test(test_every_error_code),
	    cmocka_unit_test(test_every_tag),
	    cmocka_unit_test(test_every_limit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
