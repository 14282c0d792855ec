// Walks an unpacked (or built) message by its descriptor and judges every field by its row in codec_rules.c.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec_rules.h"
#include "key_check.h"
#include "seal.h"
#include "utf8.h"

struct check {
	struct codec_path path;
	struct codec_detail *detail;
};

enum err codec_fail(enum err err, const struct codec_path *path, const char *field, const char *words,
                    struct codec_detail *detail)
{
	if (!detail)
		return err;
	size_t at = 0;
	for (size_t i = 0; i < path->depth && at < sizeof(detail->text); i++)
		at += (size_t)snprintf(detail->text + at, sizeof(detail->text) - at, "%s.", path->names[i]);
	if (at < sizeof(detail->text))
		snprintf(detail->text + at, sizeof(detail->text) - at, "%s: %s", field, words);
	return err;
}

__attribute__((format(printf, 4, 5))) static enum err fail(struct check *check, enum err err, const char *field,
                                                           const char *format, ...)
{
	char words[64];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	return codec_fail(err, &check->path, field, words, check->detail);
}

// ---- lengths and contents

static enum err check_length(struct check *check, const struct field_rule *rule, size_t count)
{
	if (count == 0)
		return rule->min > 0 ? fail(check, ERR_MISSING_FIELD, rule->name, "required") : ERR_OK;
	if (rule->kind == RULE_EXACT && count != (size_t)rule->max)
		return fail(check, ERR_BAD_VALUE, rule->name, "must be %" PRId64 " bytes", rule->max);
	if (count > (size_t)rule->max)
		return fail(check, ERR_TOO_LARGE, rule->name, "at most %" PRId64 " bytes", rule->max);
	if (count < (size_t)rule->min)
		return fail(check, ERR_BAD_VALUE, rule->name, "at least %" PRId64 " bytes", rule->min);
	return ERR_OK;
}

static bool byte_allowed(enum rule_kind kind, uint8_t byte)
{
	if (kind == RULE_WORD)
		return byte > ' ' && byte < 0x7f;
	if (kind == RULE_TEXT && (byte == '\n' || byte == '\t'))
		return true;
	return byte >= ' ' && byte != 0x7f;
}

static enum err check_text(struct check *check, const struct field_rule *rule, const char *text)
{
	size_t count = text ? strlen(text) : 0;
	enum err err = check_length(check, rule, count);
	if (err || count == 0)
		return err;
	if (!utf8_valid((const uint8_t *)text, count))
		return fail(check, ERR_BAD_UTF8, rule->name, "not UTF-8");
	for (size_t i = 0; i < count; i++) {
		if (!byte_allowed(rule->kind, (uint8_t)text[i]))
			return fail(check, ERR_BAD_VALUE, rule->name, "holds a character not allowed here");
	}
	return ERR_OK;
}

static enum err check_bytes(struct check *check, const struct field_rule *rule, const ProtobufCBinaryData *value)
{
	if (rule->kind == RULE_BYTES || rule->kind == RULE_EXACT)
		return check_length(check, rule, value->len);
	if (value->len == 0)
		return fail(check, ERR_MISSING_FIELD, rule->name, "required");
	if (rule->kind == RULE_SEALED) {
		if (!sealed_size_valid(value->len))
			return fail(check, value->len > SEALED_BYTES_MAX ? ERR_TOO_LARGE : ERR_BAD_VALUE, rule->name,
			            "not a sealed message's size");
		return ERR_OK;
	}
	if (value->len != KEY_BYTES)
		return fail(check, ERR_BAD_VALUE, rule->name, "must be %d bytes", KEY_BYTES);
	bool valid = rule->kind == RULE_SIGN_KEY ? sign_key_valid(value->data) : hpke_key_valid(value->data);
	return valid ? ERR_OK : fail(check, ERR_BAD_KEY, rule->name, "not a usable public key");
}

// ---- numbers

// `is_signed`: `value` holds an int64. Zero is how proto3 says "absent".
static enum err check_number(struct check *check, const struct field_rule *rule, uint64_t value, bool is_signed)
{
	if (value == 0 && rule->min > 0)
		return fail(check, ERR_MISSING_FIELD, rule->name, "required");
	bool above_int64 = value > INT64_MAX; // negative, if it is signed
	if ((above_int64 && !is_signed) || (int64_t)value < rule->min || (int64_t)value > rule->max)
		return fail(check, ERR_BAD_VALUE, rule->name, "from %" PRId64 " to %" PRId64, rule->min, rule->max);
	return ERR_OK;
}

static enum err check_choice(struct check *check, const struct field_rule *rule, const ProtobufCEnumDescriptor *choices,
                             int value)
{
	if (rule->kind == RULE_OPEN)
		return ERR_OK;
	if (value == 0 && rule->min > 0)
		return fail(check, ERR_MISSING_FIELD, rule->name, "required");
	if (!protobuf_c_enum_descriptor_get_value(choices, value))
		return fail(check, ERR_BAD_VALUE, rule->name, "%d is not one of its values", value);
	return ERR_OK;
}

// ---- the walk

static enum err check_message(struct check *check, const ProtobufCMessage *message);

static enum err check_part(struct check *check, const struct field_rule *rule, const ProtobufCMessage *part)
{
	if (!part)
		return rule->min > 0 ? fail(check, ERR_MISSING_FIELD, rule->name, "required") : ERR_OK;
	if (check->path.depth == CODEC_DEPTH_MAX)
		return fail(check, ERR_TOO_LARGE, rule->name, "nested too deeply");
	check->path.names[check->path.depth++] = rule->name;
	enum err err = check_message(check, part);
	check->path.depth--;
	return err;
}

// One value of a field, at `member`.
static enum err check_value(struct check *check, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                            const void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return check_text(check, rule, *(char *const *)member);
	case PROTOBUF_C_TYPE_BYTES:
		return check_bytes(check, rule, member);
	case PROTOBUF_C_TYPE_MESSAGE:
		return check_part(check, rule, *(ProtobufCMessage *const *)member);
	case PROTOBUF_C_TYPE_UINT32:
		return check_number(check, rule, *(const uint32_t *)member, false);
	case PROTOBUF_C_TYPE_UINT64:
		return check_number(check, rule, *(const uint64_t *)member, false);
	case PROTOBUF_C_TYPE_INT64:
		return check_number(check, rule, (uint64_t) * (const int64_t *)member, true);
	case PROTOBUF_C_TYPE_ENUM:
		return check_choice(check, rule, field->descriptor, *(const int *)member);
	case PROTOBUF_C_TYPE_BOOL:
		return ERR_OK;
	default:
		return fail(check, ERR_INTERNAL, rule->name, "of a type without rules");
	}
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
}

static enum err check_repeated(struct check *check, const ProtobufCFieldDescriptor *field,
                               const struct field_rule *rule, const uint8_t *message)
{
	size_t count = *(const size_t *)(message + field->quantifier_offset);
	const uint8_t *elements = *(uint8_t *const *)(message + field->offset);
	// Scalars would need their own element sizes; the schema has none, and this keeps it so.
	if (field->type != PROTOBUF_C_TYPE_BYTES && field->type != PROTOBUF_C_TYPE_STRING &&
	    field->type != PROTOBUF_C_TYPE_MESSAGE)
		return fail(check, ERR_INTERNAL, rule->name, "of a type without rules");
	if (count > rule->count_max)
		return fail(check, ERR_TOO_LARGE, rule->name, "more than %" PRIu32 " of them", rule->count_max);
	for (size_t i = 0; i < count; i++) {
		enum err err = check_value(check, field, rule, elements + i * element_bytes(field));
		if (err)
			return err;
	}
	return ERR_OK;
}

static bool in_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static enum err check_field(struct check *check, const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
                            const uint8_t *message, bool *body_set)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return check_repeated(check, field, rule, message);
	if (in_oneof(field)) {
		if (*(const uint32_t *)(message + field->quantifier_offset) != field->id)
			return ERR_OK; // another member, or none
		*body_set = true;
	}
	return check_value(check, field, rule, message + field->offset);
}

static enum err check_message(struct check *check, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	const struct message_rule *rules = codec_rule_of(descriptor);
	if (!rules || rules->field_count != descriptor->n_fields)
		return fail(check, ERR_INTERNAL, descriptor->short_name, "has no rules");
	bool body_set = false;
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		enum err err =
		    check_field(check, &descriptor->fields[i], &rules->fields[i], (const uint8_t *)message, &body_set);
		if (err)
			return err;
	}
	if (rules->body_required && !body_set)
		return fail(check, ERR_UNKNOWN_MESSAGE, descriptor->short_name, "no body known here");
	const char *wrong = rules->also ? rules->also(message) : NULL;
	if (wrong)
		return fail(check, ERR_BAD_VALUE, wrong, "does not fit the other fields");
	return ERR_OK;
}

enum err codec_check(const ProtobufCMessage *message, struct codec_detail *detail)
{
	struct check check = {.detail = detail};
	if (detail)
		detail->text[0] = '\0';
	enum err err = check_message(&check, message);
	if (err)
		return err;
	const struct message_rule *rules = codec_rule_of(message->descriptor);
	if (protobuf_c_message_get_packed_size(message) > rules->bytes_max)
		return fail(&check, ERR_TOO_LARGE, message->descriptor->short_name, "more than %zu bytes", rules->bytes_max);
	return ERR_OK;
}
