// Any bytes as any message. First byte: which row of the codec's table; the rest: its wire form. What decodes must
// check, encode and decode again to the same bytes.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec_rules.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void try_message(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t count)
{
	ProtobufCMessage *message, *again;
	struct codec_detail detail;
	enum err err = codec_decode(descriptor, NULL, bytes, count, &message, &detail);
	require(memchr(detail.text, 0, sizeof(detail.text)) != NULL);
	if (err) {
		require(message == NULL && err != ERR_INTERNAL);
		return;
	}
	uint8_t *first, *second;
	size_t first_bytes, second_bytes;
	require(codec_check(message, NULL) == ERR_OK);
	require(codec_encode(message, &first, &first_bytes) == ERR_OK);
	require(codec_decode(descriptor, NULL, first, first_bytes, &again, NULL) == ERR_OK);
	require(codec_encode(again, &second, &second_bytes) == ERR_OK);
	require(first_bytes == second_bytes && memcmp(first, second, first_bytes) == 0);
	protobuf_c_message_free_unpacked(message, NULL);
	protobuf_c_message_free_unpacked(again, NULL);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct message_rule *rules;
	enum frame_kind kind;
	size_t count = codec_rules(&rules);
	frame_kind_of(data, size, &kind);
	if (size > 0)
		try_message(rules[data[0] % count].descriptor, data + 1, size - 1);
	return 0;
}
