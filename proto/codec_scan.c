// Walks the wire form of a message next to its descriptor, allocating nothing. It finds what protobuf-c hides:
// zero bytes in strings, a singular field given twice (the last would win, other languages may differ), numbers cut
// to their field's size, and masses of tiny submessages. Values are judged later, in codec_check.c.
#include <stdio.h>
#include <string.h>

#include "codec_rules.h"

struct wire {
	const uint8_t *at, *end;
};
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct scan {
	struct codec_path path;
	struct codec_detail *detail;
};

static enum err scan_message(struct scan *scan, const ProtobufCMessageDescriptor *descriptor, struct wire wire);

static bool read_varint(struct wire *wire, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 70 && wire->at < wire->end; shift += 7) {
		uint8_t byte = *wire->at++;
		if (shift == 63 && byte > 1)
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

// One field: its number, wire type, and value (of varints) or bytes (of the rest).
struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;
	struct wire bytes;
};

static bool read_field(struct wire *wire, struct wire_field *field)
{
	uint64_t tag, count;
	if (!read_varint(wire, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	field->number = (uint32_t)(tag >> 3);
	field->type = (enum wire_type)(tag & 7);
	switch (field->type) {
	case WIRE_VARINT:
		return read_varint(wire, &field->value);
	case WIRE_FIXED64:
		count = 8;
		break;
	case WIRE_FIXED32:
		count = 4;
		break;
	case WIRE_BYTES:
		if (!read_varint(wire, &count))
			return false;
		break;
	default:
		return false; // groups
	}
	if (count > (uint64_t)(wire->end - wire->at))
		return false;
	field->bytes = (struct wire){wire->at, wire->at + count};
	wire->at += count;
	return true;
}

// The largest value a varint field keeps whole.
static uint64_t varint_max(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return 1;
	case PROTOBUF_C_TYPE_UINT32:
		return UINT32_MAX;
	case PROTOBUF_C_TYPE_ENUM:
		return INT32_MAX; // no enumeration here has negative values
	default:
		return UINT64_MAX;
	}
}

static enum err scan_value(struct scan *scan, const ProtobufCFieldDescriptor *field, const struct wire_field *value)
{
	enum wire_type wanted = WIRE_VARINT;
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		wanted = WIRE_BYTES;
	if (value->type != wanted)
		return codec_fail(ERR_BAD_MESSAGE, &scan->path, field->name, "of another type", scan->detail);
	if (wanted == WIRE_VARINT && value->value > varint_max(field))
		return codec_fail(ERR_BAD_VALUE, &scan->path, field->name, "out of range", scan->detail);

	size_t count = wanted == WIRE_BYTES ? (size_t)(value->bytes.end - value->bytes.at) : 0;
	if (field->type == PROTOBUF_C_TYPE_STRING && count > 0 && memchr(value->bytes.at, 0, count))
		return codec_fail(ERR_BAD_UTF8, &scan->path, field->name, "holds a zero byte", scan->detail);
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return ERR_OK;
	if (scan->path.depth == CODEC_DEPTH_MAX)
		return codec_fail(ERR_TOO_LARGE, &scan->path, field->name, "nested too deeply", scan->detail);
	scan->path.names[scan->path.depth++] = field->name;
	enum err err = scan_message(scan, field->descriptor, value->bytes);
	scan->path.depth--;
	return err;
}

// How often each field was seen in one message instance, by index in its descriptor.
enum { FIELDS_MAX = 32 };

// Counts one more of a field; refuses a singular field or a oneof's second member, and a list beyond its limit.
static enum err count_field(struct scan *scan, const ProtobufCMessageDescriptor *descriptor,
                            const struct field_rule *rule, size_t index, uint32_t seen[FIELDS_MAX])
{
	const ProtobufCFieldDescriptor *field = &descriptor->fields[index];
	seen[index]++;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		char words[48];
		if (seen[index] <= rule->count_max)
			return ERR_OK;
		snprintf(words, sizeof(words), "more than %u of them", rule->count_max);
		return codec_fail(ERR_TOO_LARGE, &scan->path, field->name, words, scan->detail);
	}
	if (seen[index] > 1)
		return codec_fail(ERR_BAD_MESSAGE, &scan->path, field->name, "given twice", scan->detail);
	if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return ERR_OK;
	for (size_t i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &descriptor->fields[i];
		if (i != index && seen[i] > 0 && (other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    other->quantifier_offset == field->quantifier_offset)
			return codec_fail(ERR_BAD_MESSAGE, &scan->path, field->name, "beside another body", scan->detail);
	}
	return ERR_OK;
}

static enum err scan_message(struct scan *scan, const ProtobufCMessageDescriptor *descriptor, struct wire wire)
{
	const struct message_rule *rule = codec_rule_of(descriptor);
	if (!rule || descriptor->n_fields > FIELDS_MAX)
		return codec_fail(ERR_INTERNAL, &scan->path, descriptor->short_name, "has no rules", scan->detail);
	if ((size_t)(wire.end - wire.at) > rule->bytes_max) {
		char words[48];
		snprintf(words, sizeof(words), "more than %zu bytes", rule->bytes_max);
		return codec_fail(ERR_TOO_LARGE, &scan->path, descriptor->short_name, words, scan->detail);
	}
	uint32_t seen[FIELDS_MAX] = {0}, unknown = 0;
	while (wire.at < wire.end) {
		struct wire_field value;
		if (!read_field(&wire, &value))
			return codec_fail(ERR_BAD_MESSAGE, &scan->path, descriptor->short_name, "cut or garbled", scan->detail);
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, value.number);
		if (!field) {
			if (++unknown > CODEC_UNKNOWN_FIELDS_MAX)
				return codec_fail(ERR_TOO_LARGE, &scan->path, descriptor->short_name, "too many unknown fields",
				                  scan->detail);
			continue;
		}
		size_t index = (size_t)(field - descriptor->fields);
		enum err err = count_field(scan, descriptor, &rule->fields[index], index, seen);
		if (!err)
			err = scan_value(scan, field, &value);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err codec_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t count,
                    struct codec_detail *detail)
{
	struct scan scan = {.detail = detail};
	return scan_message(&scan, descriptor, (struct wire){bytes, bytes + count});
}
