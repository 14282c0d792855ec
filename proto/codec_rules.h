// What a field may hold, one row per field of every message; codec_rules.c has the table. Internal to the codec.
#ifndef OYEZ_PROTO_CODEC_RULES_H
#define OYEZ_PROTO_CODEC_RULES_H

#include <stdbool.h>

#include "codec.h"

enum rule_kind {
	RULE_TEXT,     // UTF-8 with line breaks and tabs; min..max bytes
	RULE_LINE,     // UTF-8 without control characters
	RULE_WORD,     // printable ASCII without spaces
	RULE_BYTES,    // min..max bytes; min 0: may be absent
	RULE_EXACT,    // exactly max bytes; min 0: or none
	RULE_SIGN_KEY, // Ed25519 public key, as sign_key_valid
	RULE_SEAL_KEY, // X25519 public key, as hpke_key_valid
	RULE_SEALED,   // a sealed message of a bucket's size
	RULE_NUMBER,   // min..max
	RULE_FLAG,
	RULE_CHOICE, // an enumeration's values; min 0: "unknown" is one of them
	RULE_OPEN,   // an enumeration in a reply: values of later versions pass
	RULE_PART,   // a message of its own; min 1: required
};

struct field_rule {
	const char *name; // as in the .proto: a test holds table and schema together
	enum rule_kind kind;
	int64_t min, max;
	uint32_t count_max; // of a repeated field; 0 for all others
};

struct message_rule {
	const ProtobufCMessageDescriptor *descriptor;
	size_t bytes_max;   // serialised
	bool body_required; // its oneof must be set
	// What no single field shows, such as min <= max. Names the field, NULL if all is well. May be NULL.
	const char *(*also)(const ProtobufCMessage *message);
	const struct field_rule *fields; // in the order of field numbers, as in the descriptor
	size_t field_count;
};

// NULL for a message that has no row: it does not decode.
const struct message_rule *codec_rule_of(const ProtobufCMessageDescriptor *descriptor);
// The whole table, for the tests.
size_t codec_rules(const struct message_rule **rules);

// Unknown fields are skipped so that later versions may add some, but not without end: protobuf-c copies each.
enum { CODEC_UNKNOWN_FIELDS_MAX = 32, CODEC_DEPTH_MAX = 8 };

// Where a walk is, for the detail of an error: "post.facets.budget.currency".
struct codec_path {
	const char *names[CODEC_DEPTH_MAX + 1];
	size_t depth;
};
// Fills `detail` (may be NULL) with the path, `field` and words about it; returns `err`.
enum err codec_fail(enum err err, const struct codec_path *path, const char *field, const char *words,
                    struct codec_detail *detail);

// Before unpacking: well-formed, within size, count and depth, no field twice, no zero byte in a text. What passes
// makes protobuf-c allocate memory in proportion to the limits, not to what a sender thinks up.
enum err codec_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t count,
                    struct codec_detail *detail);

#endif
