// The codec against its own table: for every message and every field, one valid form and each way of being wrong.
// The wire bytes are written here by hand, so that forms protobuf-c would never write can be tried.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec_rules.h"
#include "proto/hpke.h"
#include "proto/limits.h"
#include "proto/seal.h"
#include "proto/sign.h"
#include "proto/utf8.h"

// ---- writing wire bytes

struct wire {
	uint8_t *bytes;
	size_t count, room;
};

static void put(struct wire *wire, const void *bytes, size_t count)
{
	while (wire->count + count > wire->room) {
		wire->room = 2 * wire->room + 1024;
		wire->bytes = realloc(wire->bytes, wire->room);
	}
	if (count > 0)
		memcpy(wire->bytes + wire->count, bytes, count);
	wire->count += count;
}

static void put_varint(struct wire *wire, uint64_t value)
{
	do {
		uint8_t byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		put(wire, &byte, 1);
		value >>= 7;
	} while (value > 0);
}

static void put_number(struct wire *wire, uint32_t field, uint64_t value)
{
	put_varint(wire, (uint64_t)field << 3);
	put_varint(wire, value);
}

static void put_bytes(struct wire *wire, uint32_t field, const void *bytes, size_t count)
{
	put_varint(wire, (uint64_t)field << 3 | 2);
	put_varint(wire, count);
	put(wire, bytes, count);
}

// ---- one valid form of any message, or the same with one field of it changed

enum change {
	VALID,
	ABSENT,
	LONGEST, // valid as well: exactly at the limit
	TOO_LONG,
	TOO_SHORT,
	NOT_UTF8,
	ZERO_BYTE,
	CONTROL,
	NON_ASCII,
	TOO_BIG,
	NEGATIVE,
	CUT_TO_32_BITS,
	NO_SUCH_CHOICE,
	SMALL_ORDER,
	WRONG_TYPE,
	TWICE,
	AT_COUNT, // valid: as many as allowed
	TOO_MANY,
	CHANGES,
};
static const char *const change_names[] = {
    "valid",          "absent",      "longest",    "too long", "too short", "not utf8",
    "zero byte",      "control",     "non ascii",  "too big",  "negative",  "cut to 32 bits",
    "no such choice", "small order", "wrong type", "twice",    "at count",  "too many",
};

struct form {
	const ProtobufCMessageDescriptor *message; // whose field is changed
	size_t field;
	enum change change;
};

static struct sign_pair sign_key;
static struct hpke_pair seal_key;

static void put_message(struct wire *wire, const ProtobufCMessageDescriptor *descriptor, const struct form *form,
                        bool top);

static bool is_text(enum rule_kind kind)
{
	return kind == RULE_TEXT || kind == RULE_LINE || kind == RULE_WORD;
}

static void put_text(struct wire *wire, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                     enum change change, size_t index)
{
	size_t count = rule->min > 0 ? (size_t)rule->min : 1;
	if (change == LONGEST)
		count = (size_t)rule->max;
	else if (change == TOO_LONG)
		count = (size_t)rule->max + 1;
	else if (change == TOO_SHORT)
		count = (size_t)rule->min - 1;
	uint8_t *text = malloc(count + 2);
	memset(text, 'a', count);
	if (count >= 2) { // different and ascending from one element to the next
		text[0] = (uint8_t)('a' + index / 26 % 26);
		text[1] = (uint8_t)('a' + index % 26);
	}
	if (change == NOT_UTF8)
		text[count - 1] = 0xff;
	else if (change == ZERO_BYTE)
		text[count - 1] = 0;
	else if (change == CONTROL)
		text[count - 1] = 0x1b;
	else if (change == NON_ASCII && rule->max >= 2) {
		count = count < 2 ? 2 : count;
		memcpy(text + count - 2, "\xc3\xa9", 2);
	}
	put_bytes(wire, field->id, text, count);
	free(text);
}

static void put_binary(struct wire *wire, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                       enum change change)
{
	static uint8_t bytes[REQUEST_BYTES_MAX];
	size_t count = rule->kind == RULE_SEALED                       ? 512 + SEAL_OVERHEAD_BYTES
	               : rule->kind == RULE_BYTES && change != LONGEST ? (size_t)(rule->min > 0 ? rule->min : 1)
	                                                               : (size_t)rule->max;
	if (change == TOO_LONG)
		count = (size_t)rule->max + 1;
	else if (change == TOO_SHORT)
		count = rule->kind == RULE_BYTES ? (size_t)rule->min - 1 : count - 1;
	memset(bytes, 0, count);
	if (change == SMALL_ORDER)
		bytes[0] = 1;
	else if (rule->kind == RULE_SIGN_KEY)
		memcpy(bytes, sign_key.public_key, KEY_BYTES);
	else if (rule->kind == RULE_SEAL_KEY)
		memcpy(bytes, seal_key.public_key, KEY_BYTES);
	put_bytes(wire, field->id, bytes, count);
}

static uint64_t number_of(const struct field_rule *rule, enum change change)
{
	switch (change) {
	case NO_SUCH_CHOICE:
		return 99;
	case LONGEST:
		return (uint64_t)rule->max;
	case TOO_BIG:
		return (uint64_t)rule->max + 1;
	case NEGATIVE:
		return UINT64_MAX;
	case CUT_TO_32_BITS:
		return (UINT64_C(1) << 32) + 1;
	default:
		return rule->kind != RULE_NUMBER || rule->min < 1 ? 1 : (uint64_t)rule->min;
	}
}

static void put_one(struct wire *wire, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                    const struct form *form, enum change change, size_t index)
{
	bool is_bytes = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES ||
	                field->type == PROTOBUF_C_TYPE_MESSAGE;
	if (change == WRONG_TYPE) {
		if (is_bytes)
			put_number(wire, field->id, 1);
		else
			put_bytes(wire, field->id, "x", 1);
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		put_text(wire, field, rule, change, index);
	} else if (field->type == PROTOBUF_C_TYPE_BYTES) {
		put_binary(wire, field, rule, change);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		struct wire part = {0};
		put_message(&part, field->descriptor, form, false);
		put_bytes(wire, field->id, part.bytes, part.count);
		free(part.bytes);
	} else {
		put_number(wire, field->id, number_of(rule, change));
	}
}

static void put_field(struct wire *wire, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                      const struct form *form, enum change change)
{
	size_t count = change == ABSENT ? 0 : 1;
	if (change == TWICE)
		count = 2;
	else if (change == AT_COUNT)
		count = rule->count_max;
	else if (change == TOO_MANY)
		count = rule->count_max + 1;
	for (size_t i = 0; i < count; i++)
		put_one(wire, field, rule, form, change, i);
}

static void put_message(struct wire *wire, const ProtobufCMessageDescriptor *descriptor, const struct form *form,
                        bool top)
{
	const struct message_rule *rules = codec_rule_of(descriptor);
	const ProtobufCFieldDescriptor *changed = top && form ? &descriptor->fields[form->field] : NULL;
	bool body_put = changed && (changed->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
	assert_non_null(rules);
	for (size_t i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		if (field == changed) {
			put_field(wire, field, &rules->fields[i], form, form->change);
			continue;
		}
		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			if (body_put)
				continue;
			body_put = true;
		}
		put_field(wire, field, &rules->fields[i], NULL, VALID);
	}
}

// ---- decoding what was written

static enum err decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t count,
                       struct codec_detail *detail)
{
	ProtobufCMessage *message;
	uint8_t *exact = malloc(count + 1); // a block of its own: reading past it shows under ASan
	if (count > 0)
		memcpy(exact, bytes, count);
	enum err err = codec_decode(descriptor, NULL, exact, count, &message, detail);
	free(exact);
	if (err)
		assert_null(message);
	else
		protobuf_c_message_free_unpacked(message, NULL);
	return err;
}

static enum err decode_form(const ProtobufCMessageDescriptor *descriptor, const struct form *form,
                            struct codec_detail *detail)
{
	struct wire wire = {0};
	put_message(&wire, descriptor, form, true);
	enum err err = decode(descriptor, wire.bytes, wire.count, detail);
	free(wire.bytes);
	return err;
}

static void expect(const ProtobufCMessageDescriptor *descriptor, size_t field, enum change change, enum err expected)
{
	struct codec_detail detail;
	const char *name = descriptor->fields[field].name;
	enum err err = decode_form(descriptor, &(struct form){descriptor, field, change}, &detail);
	if (err != expected)
		fail_msg("%s.%s %s: %s, not %s (%s)", descriptor->short_name, name, change_names[change], err_name(err),
		         err_name(expected), detail.text);
	// The detail names the field, unless the whole message is too large or the oneof was left empty.
	if (err && err != ERR_UNKNOWN_MESSAGE && !strstr(detail.text, name) && !strstr(detail.text, descriptor->short_name))
		fail_msg("%s.%s %s: the detail names another field: %s", descriptor->short_name, name, change_names[change],
		         detail.text);
}

// ---- the tests

// Every message of the five files has its row, its row has a line for every field in order, and no row is left over.
static void test_table_is_whole(void **state)
{
	(void)state;
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessageDescriptor *descriptor = rules[i].descriptor;
		assert_int_equal(rules[i].field_count, descriptor->n_fields);
		assert_true(rules[i].bytes_max > 0);
		for (size_t j = 0; j < descriptor->n_fields; j++) {
			const ProtobufCFieldDescriptor *field = &descriptor->fields[j];
			const struct field_rule *rule = &rules[i].fields[j];
			assert_string_equal(rule->name, field->name);
			assert_int_equal(rule->count_max > 0, field->label == PROTOBUF_C_LABEL_REPEATED);
			assert_int_equal(is_text(rule->kind), field->type == PROTOBUF_C_TYPE_STRING);
			assert_int_equal(rule->kind == RULE_PART, field->type == PROTOBUF_C_TYPE_MESSAGE);
			assert_int_equal(rule->kind == RULE_FLAG, field->type == PROTOBUF_C_TYPE_BOOL);
			assert_int_equal(rule->kind == RULE_CHOICE || rule->kind == RULE_OPEN, field->type == PROTOBUF_C_TYPE_ENUM);
			assert_int_equal(rule->kind == RULE_NUMBER, field->type == PROTOBUF_C_TYPE_UINT32 ||
			                                                field->type == PROTOBUF_C_TYPE_UINT64 ||
			                                                field->type == PROTOBUF_C_TYPE_INT64);
			if (field->type == PROTOBUF_C_TYPE_ENUM) { // the scan takes no negative values
				const ProtobufCEnumDescriptor *choices = field->descriptor;
				for (unsigned k = 0; k < choices->n_values; k++)
					assert_true(choices->values[k].value >= 0);
			}
		}
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(rules[j].descriptor, descriptor);
	}
}

static bool has_rule(const char *short_name)
{
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rules[i].descriptor->short_name, short_name) == 0)
			return true;
	}
	return false;
}

static void test_every_message_of_the_schemas_has_a_row(void **state)
{
	(void)state;
	static const char *const files[] = {"common", "customer", "vendor", "sealed", "guardian", "record", "admin"};
	const char *source = getenv("OYEZ_SOURCE_DIR");
	if (!source)
		skip();
	const struct message_rule *rules;
	size_t seen = 0, count = codec_rules(&rules);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[1024], line[512], name[128];
		snprintf(path, sizeof(path), "%s/proto/%s.proto", source, files[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		while (fgets(line, sizeof(line), file)) {
			if (sscanf(line, "message %127[A-Za-z0-9]", name) != 1)
				continue;
			seen++;
			if (!has_rule(name))
				fail_msg("message %s has no row in codec_rules.c", name);
		}
		fclose(file);
	}
	assert_int_equal(seen, count);
}

static void test_valid_forms_decode(void **state)
{
	(void)state;
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; i < count; i++) {
		struct codec_detail detail;
		enum err err = decode_form(rules[i].descriptor, NULL, &detail);
		if (err)
			fail_msg("%s: %s (%s)", rules[i].descriptor->short_name, err_name(err), detail.text);
	}
}

static void expect_text_changes(const ProtobufCMessageDescriptor *message, size_t i, const struct field_rule *rule)
{
	expect(message, i, LONGEST, ERR_OK);
	expect(message, i, TOO_LONG, ERR_TOO_LARGE);
	expect(message, i, NOT_UTF8, ERR_BAD_UTF8);
	expect(message, i, ZERO_BYTE, ERR_BAD_UTF8);
	expect(message, i, CONTROL, ERR_BAD_VALUE);
	if (rule->max >= 2)
		expect(message, i, NON_ASCII, rule->kind == RULE_WORD ? ERR_BAD_VALUE : ERR_OK);
	if (rule->min > 1)
		expect(message, i, TOO_SHORT, ERR_BAD_VALUE);
}

static void expect_binary_changes(const ProtobufCMessageDescriptor *message, size_t i, const struct field_rule *rule)
{
	bool is_exact = rule->kind == RULE_EXACT || rule->kind == RULE_SIGN_KEY || rule->kind == RULE_SEAL_KEY;
	expect(message, i, TOO_LONG, is_exact ? ERR_BAD_VALUE : ERR_TOO_LARGE);
	if (rule->kind != RULE_SEALED)
		expect(message, i, LONGEST, ERR_OK);
	if (is_exact || rule->kind == RULE_SEALED)
		expect(message, i, TOO_SHORT, ERR_BAD_VALUE);
	if (rule->kind == RULE_SIGN_KEY || rule->kind == RULE_SEAL_KEY)
		expect(message, i, SMALL_ORDER, ERR_BAD_KEY);
}

static void expect_number_changes(const ProtobufCMessageDescriptor *message, size_t i,
                                  const ProtobufCFieldDescriptor *field, const struct field_rule *rule)
{
	if (rule->kind == RULE_NUMBER) {
		expect(message, i, LONGEST, ERR_OK);
		if (rule->max < UINT32_MAX || field->type != PROTOBUF_C_TYPE_UINT32)
			expect(message, i, TOO_BIG, ERR_BAD_VALUE);
		expect(message, i, NEGATIVE, ERR_BAD_VALUE);
	}
	if (field->type != PROTOBUF_C_TYPE_UINT64 && field->type != PROTOBUF_C_TYPE_INT64)
		expect(message, i, CUT_TO_32_BITS, ERR_BAD_VALUE);
	if (rule->kind == RULE_CHOICE || rule->kind == RULE_OPEN)
		expect(message, i, NO_SUCH_CHOICE, rule->kind == RULE_OPEN ? ERR_OK : ERR_BAD_VALUE);
}

static void expect_presence_changes(const ProtobufCMessageDescriptor *message, size_t i,
                                    const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                                    bool body_required)
{
	struct codec_detail detail;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		// As many as allowed, unless the message as a whole has the tighter limit.
		if (decode_form(message, &(struct form){message, i, AT_COUNT}, &detail) != ERR_OK)
			assert_non_null(strstr(detail.text, " bytes"));
		expect(message, i, TOO_MANY, ERR_TOO_LARGE);
	} else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		expect(message, i, TWICE, ERR_BAD_MESSAGE);
		expect(message, i, ABSENT, body_required ? ERR_UNKNOWN_MESSAGE : ERR_OK);
	} else {
		expect(message, i, TWICE, ERR_BAD_MESSAGE);
		if (rule->min > 0)
			expect(message, i, ABSENT, ERR_MISSING_FIELD);
		else if (message != &oyez__budget__descriptor && message != &oyez__filter__descriptor)
			expect(message, i, ABSENT, ERR_OK); // those two have ends that must fit each other
	}
}

static void test_every_change_of_every_field(void **state)
{
	(void)state;
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t m = 0; m < count; m++) {
		const ProtobufCMessageDescriptor *message = rules[m].descriptor;
		for (size_t i = 0; i < message->n_fields; i++) {
			const ProtobufCFieldDescriptor *field = &message->fields[i];
			const struct field_rule *rule = &rules[m].fields[i];
			// Their neighbours must stay above or below: tried in test_fields_that_must_fit.
			bool is_end =
			    strcmp(rule->name, "min_e4") == 0 || strcmp(rule->name, "quantity_min") == 0 ||
			    (strcmp(rule->name, "countersign_by_ms") == 0 && message != &oyez__inbox_agreement__descriptor);
			expect(message, i, WRONG_TYPE, ERR_BAD_MESSAGE);
			if (is_end)
				continue;
			expect_presence_changes(message, i, field, rule, rules[m].body_required);
			if (field->type == PROTOBUF_C_TYPE_STRING)
				expect_text_changes(message, i, rule);
			else if (field->type == PROTOBUF_C_TYPE_BYTES)
				expect_binary_changes(message, i, rule);
			else if (field->type != PROTOBUF_C_TYPE_MESSAGE)
				expect_number_changes(message, i, field, rule);
		}
	}
}

static void test_fields_that_must_fit(void **state)
{
	(void)state;
	struct codec_detail detail;
	Oyez__Budget budget = OYEZ__BUDGET__INIT;
	budget.currency = (char *)"EUR";
	budget.min_e4 = 5;
	assert_int_equal(codec_check(&budget.base, &detail), ERR_OK); // open above
	budget.max_e4 = 4;
	assert_int_equal(codec_check(&budget.base, &detail), ERR_BAD_VALUE);
	assert_non_null(strstr(detail.text, "max_e4"));
	budget.min_e4 = -1;
	assert_int_equal(codec_check(&budget.base, &detail), ERR_BAD_VALUE);

	Oyez__Filter filter = OYEZ__FILTER__INIT;
	filter.quantity_min = 3;
	assert_int_equal(codec_check(&filter.base, &detail), ERR_OK);
	filter.quantity_max = 2;
	assert_int_equal(codec_check(&filter.base, &detail), ERR_BAD_VALUE);

	Oyez__VendorRules rules = OYEZ__VENDOR_RULES__INIT;
	char *unsorted[] = {(char *)"FR", (char *)"DE"}, *twice[] = {(char *)"FR", (char *)"FR"};
	rules.n_countries = 2;
	rules.countries = unsorted;
	assert_int_equal(codec_check(&rules.base, &detail), ERR_BAD_VALUE);
	rules.countries = twice;
	assert_int_equal(codec_check(&rules.base, &detail), ERR_BAD_VALUE);

	Oyez__Fetch fetch = OYEZ__FETCH__INIT;
	assert_int_equal(codec_check(&fetch.base, &detail), ERR_BAD_VALUE);
}

// The corners of the table of well-formed sequences.
static void test_utf8(void **state)
{
	(void)state;
	static const char *const good[] = {"",
	                                   "a",
	                                   "\x7f",
	                                   "\xc2\x80",
	                                   "\xdf\xbf",
	                                   "\xe0\xa0\x80",
	                                   "\xed\x9f\xbf",
	                                   "\xee\x80\x80",
	                                   "\xef\xbf\xbf",
	                                   "\xf0\x90\x80\x80",
	                                   "\xf4\x8f\xbf\xbf",
	                                   "d\xc3\xa9j\xc3\xa0 vu"};
	static const char *const bad[] = {"\x80",
	                                  "\xbf",
	                                  "\xc0\x80",
	                                  "\xc1\xbf",
	                                  "\xc2",
	                                  "\xc2\x7f",
	                                  "\xe0\x9f\xbf",
	                                  "\xe0\xa0",
	                                  "\xed\xa0\x80",
	                                  "\xf0\x8f\xbf\xbf",
	                                  "\xf0\x90\x80",
	                                  "\xf4\x90\x80\x80",
	                                  "\xf5\x80\x80\x80",
	                                  "\xff",
	                                  "a\xe2\x82\x28"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid((const uint8_t *)good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid((const uint8_t *)bad[i], strlen(bad[i])));
}

// Every prefix of every message: refused, or (cut between two optional fields) taken; never a crash.
static void test_cut_at_every_length(void **state)
{
	(void)state;
	const struct message_rule *rules;
	size_t count = codec_rules(&rules);
	for (size_t i = 0; i < count; i++) {
		struct wire wire = {0};
		put_message(&wire, rules[i].descriptor, NULL, true);
		size_t step = wire.count > 2048 ? 7 : 1;
		for (size_t cut = 0; cut < wire.count; cut += step)
			decode(rules[i].descriptor, wire.bytes, cut, NULL);
		free(wire.bytes);
	}
	// Where everything is required, every cut is refused.
	struct wire wire = {0};
	put_message(&wire, &oyez__signed__descriptor, NULL, true);
	for (size_t cut = 0; cut < wire.count; cut++)
		assert_int_not_equal(decode(&oyez__signed__descriptor, wire.bytes, cut, NULL), ERR_OK);
	free(wire.bytes);
}

static void test_unknown_fields(void **state)
{
	(void)state;
	struct wire wire = {0};
	put_message(&wire, &oyez__offer__descriptor, NULL, true);
	put_number(&wire, 1000, 5);
	put_bytes(&wire, 536870911, "of a later version", 18);
	put_varint(&wire, 1001 << 3 | 1);
	put(&wire, "12345678", 8);
	put_varint(&wire, 1002 << 3 | 5);
	put(&wire, "1234", 4);
	assert_int_equal(decode(&oyez__offer__descriptor, wire.bytes, wire.count, NULL), ERR_OK);
	for (int i = 4; i < CODEC_UNKNOWN_FIELDS_MAX; i++)
		put_number(&wire, 1000, 5);
	assert_int_equal(decode(&oyez__offer__descriptor, wire.bytes, wire.count, NULL), ERR_OK);
	put_number(&wire, 1000, 5);
	assert_int_equal(decode(&oyez__offer__descriptor, wire.bytes, wire.count, NULL), ERR_TOO_LARGE);
	free(wire.bytes);

	// A body of a later version is an unknown message, whatever stands in it.
	wire = (struct wire){0};
	put_bytes(&wire, 29, "?", 1);
	assert_int_equal(decode(&oyez__request__descriptor, wire.bytes, wire.count, NULL), ERR_UNKNOWN_MESSAGE);
	free(wire.bytes);
}

static void test_garbled_wire(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t count;
	} cases[] = {
	    {"\x00\x01", 2},                                          // field number 0
	    {"\x08", 1},                                              // a number without its value
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, // a number of 11 bytes
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},     // a number of 65 bits
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", 11},     // a field number of more than 29 bits
	    {"\x0b\x0c", 2},                                          // a group
	    {"\x0f\x00", 2},                                          // a wire type that does not exist
	    {"\x1a\x05"
	     "abcd",
	     6},                                                  // longer than the message
	    {"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, // a length of 2^64 - 1
	    {"\x1a\xff\xff\xff\xff\x0f", 6},                      // a length of 2^32 - 1
	    {"\xa1\x3e"
	     "1234567",
	     9}, // seven of eight bytes
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(decode(&oyez__error__descriptor, (const uint8_t *)cases[i].bytes, cases[i].count, NULL),
		                 ERR_BAD_MESSAGE);
}

static void test_two_bodies(void **state)
{
	(void)state;
	struct wire wire = {0};
	put_bytes(&wire, 1, "", 0); // get_config
	assert_int_equal(decode(&oyez__request__descriptor, wire.bytes, wire.count, NULL), ERR_OK);
	put_bytes(&wire, 2, "", 0); // get_challenge
	assert_int_equal(decode(&oyez__request__descriptor, wire.bytes, wire.count, NULL), ERR_BAD_MESSAGE);
	free(wire.bytes);
}

// Counts what protobuf-c asks for: small requests must not become large memory.
static size_t allocated_bytes;
static void *count_alloc(void *context, size_t bytes)
{
	(void)context;
	allocated_bytes += bytes;
	return malloc(bytes);
}
static void count_free(void *context, void *pointer)
{
	(void)context;
	free(pointer);
}

static size_t memory_for(const ProtobufCMessageDescriptor *descriptor, const struct wire *wire, enum err *err)
{
	ProtobufCAllocator allocator = {count_alloc, count_free, NULL};
	ProtobufCMessage *message;
	allocated_bytes = 0;
	*err = codec_decode(descriptor, &allocator, wire->bytes, wire->count, &message, NULL);
	if (!*err)
		protobuf_c_message_free_unpacked(message, &allocator);
	return allocated_bytes;
}

static void test_memory_is_bounded(void **state)
{
	(void)state;
	enum err err;
	struct wire wire = {0};
	while (wire.count + 2 < REPLY_BYTES_MAX) // half a million empty items, 2 bytes each
		put_bytes(&wire, 1, "", 0);
	assert_int_equal(memory_for(&oyez__fetch_reply__descriptor, &wire, &err), 0);
	assert_int_equal(err, ERR_TOO_LARGE);
	wire.count = 0;
	while (wire.count + 3 < REQUEST_BYTES_MAX)
		put_number(&wire, 99, 1);
	assert_int_equal(memory_for(&oyez__request__descriptor, &wire, &err), 0);
	assert_int_equal(err, ERR_TOO_LARGE);
	wire.count = 0;
	for (size_t i = 0; i < REQUEST_BYTES_MAX + 1; i++)
		put(&wire, "", 1);
	assert_int_equal(memory_for(&oyez__request__descriptor, &wire, &err), 0);
	assert_int_equal(err, ERR_TOO_LARGE);
	free(wire.bytes);
}

static void test_detail_names_the_path(void **state)
{
	(void)state;
	struct codec_detail detail;
	Oyez__Signed signed_record = OYEZ__SIGNED__INIT;
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	body.sent_at_ms = 1;
	assert_int_equal(codec_check(&body.base, &detail), ERR_UNKNOWN_MESSAGE); // no body
	body.body_case = OYEZ__CELL_BODY__BODY_CUSTOMER;
	body.customer = &signed_record;
	assert_int_equal(codec_check(&body.base, &detail), ERR_MISSING_FIELD);
	assert_string_equal(detail.text, "customer.record: required");

	uint8_t *bytes;
	size_t count;
	assert_int_equal(codec_encode(&body.base, &bytes, &count), ERR_OK);
	Oyez__CellBody *decoded;
	assert_int_equal(codec_decode_cell_body(NULL, bytes, count, &decoded, &detail), ERR_MISSING_FIELD);
	assert_string_equal(detail.text, "customer.record: required");
	assert_null(decoded);
	free(bytes);
}

static void test_encode_and_frame(void **state)
{
	(void)state;
	Oyez__GetConfig get_config = OYEZ__GET_CONFIG__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT, *decoded;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get_config;
	uint8_t *bytes;
	size_t count;
	assert_int_equal(codec_check(&request.base, NULL), ERR_OK);
	assert_int_equal(codec_encode_frame(&request.base, FRAME_HEADER_BYTES - 3, &bytes, &count), ERR_OK);
	assert_int_equal(count, 6);
	assert_memory_equal(bytes, "OY\1\1\x0a\0", 6);
	assert_int_equal(codec_decode_request(NULL, bytes + 4, count - 4, &decoded, NULL), ERR_OK);
	assert_int_equal(decoded->body_case, OYEZ__REQUEST__BODY_GET_CONFIG);
	oyez__request__free_unpacked(decoded, NULL);
	free(bytes);
	// Nothing at all is a message without a body.
	assert_int_equal(codec_decode_request(NULL, NULL, 0, &decoded, NULL), ERR_UNKNOWN_MESSAGE);
}

// The largest texts the limits allow still fit where they travel.
static void test_largest_fit(void **state)
{
	(void)state;
	static char text[DETAILS_BYTES_MAX + 1];
	static uint8_t thirty_two[32], json[CARD_BYTES_MAX];
	memset(text, 'x', DETAILS_BYTES_MAX);
	ProtobufCBinaryData id = {32, thirty_two}, key = {32, sign_key.public_key};
	Oyez__AnswerText answer = OYEZ__ANSWER_TEXT__INIT;
	answer.question_id = answer.vendor_id = id;
	answer.intent_key = key;
	answer.made_at_ms = UINT64_C(253402300799999);
	answer.details = 1;
	answer.text = text;
	Oyez__Card card = OYEZ__CARD__INIT;
	card.deal_id = card.vendor_id = card.secret = id;
	card.card = (ProtobufCBinaryData){sizeof(json), json};
	const ProtobufCMessage *messages[] = {&answer.base, &card.base};
	for (int i = 0; i < 2; i++) {
		uint8_t *record, *wrapped, *sealed;
		size_t record_bytes, wrapped_bytes, sealed_bytes;
		struct seal_header header = {.expires_at_ms = 0};
		assert_int_equal(codec_check(messages[i], NULL), ERR_OK);
		assert_int_equal(codec_encode(messages[i], &record, &record_bytes), ERR_OK);
		assert_int_equal(sign_wrap(&sign_key, TAG_ANSWER, record, record_bytes, &wrapped, &wrapped_bytes), ERR_OK);
		assert_int_equal(
		    seal_message(SEAL_ANSWER, seal_key.public_key, &header, wrapped, wrapped_bytes, &sealed, &sealed_bytes),
		    ERR_OK);
		free(record);
		free(wrapped);
		free(sealed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_is_whole),       cmocka_unit_test(test_every_message_of_the_schemas_has_a_row),
	    cmocka_unit_test(test_valid_forms_decode),   cmocka_unit_test(test_every_change_of_every_field),
	    cmocka_unit_test(test_fields_that_must_fit), cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_cut_at_every_length),  cmocka_unit_test(test_unknown_fields),
	    cmocka_unit_test(test_garbled_wire),         cmocka_unit_test(test_two_bodies),
	    cmocka_unit_test(test_memory_is_bounded),    cmocka_unit_test(test_detail_names_the_path),
	    cmocka_unit_test(test_encode_and_frame),     cmocka_unit_test(test_largest_fit),
	};
	if (sodium_init() < 0)
		return 1;
	sign_pair_new(&sign_key);
	hpke_pair_new(&seal_key);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
