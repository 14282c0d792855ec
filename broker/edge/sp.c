// SP framing, by the public mapping texts (sp-tcp-mapping-01, sp-ipc-mapping-01, sp-request-reply-01).
#include "sp.h"

#include <string.h>

#include "broker/base/cursor.h"

enum {
	PROTOCOL_REQ = 0x30,
	PROTOCOL_REP = 0x31,
	IPC_MESSAGE = 1,
	WORD_BYTES = 4,
	LENGTH_BYTES = 8,
};

const uint8_t sp_hello[SP_HELLO_BYTES] = {0, 'S', 'P', 0, 0, PROTOCOL_REP, 0, 0};

bool sp_hello_fits(const uint8_t bytes[SP_HELLO_BYTES])
{
	static const uint8_t expected[SP_HELLO_BYTES] = {0, 'S', 'P', 0, 0, PROTOCOL_REQ, 0, 0};
	return memcmp(bytes, expected, SP_HELLO_BYTES) == 0;
}

// The route ends with the word whose top bit is set.
static enum sp_verdict parse_route(const uint8_t *at, size_t there, uint64_t length, struct sp_message *out)
{
	for (size_t end = WORD_BYTES; end <= SP_ROUTE_BYTES_MAX; end += WORD_BYTES) {
		if (end > length)
			return SP_GARBAGE;
		out->route_bytes = end;
		if (end > there)
			return SP_MORE;
		if (at[end - WORD_BYTES] & 0x80)
			return SP_MESSAGE;
	}
	return SP_GARBAGE;
}

enum sp_verdict sp_parse(const uint8_t *bytes, size_t count, bool ipc, size_t body_bytes_max, struct sp_message *out,
                         size_t *need)
{
	size_t prefix = LENGTH_BYTES + ipc;
	*out = (struct sp_message){0};
	*need = prefix + WORD_BYTES;
	if (count < prefix)
		return SP_MORE;
	struct reader reader;
	reader_init(&reader, bytes, count);
	if (ipc && reader_u8(&reader) != IPC_MESSAGE)
		return SP_GARBAGE;
	uint64_t length = reader_u64(&reader);
	if (length > UINT64_MAX - prefix)
		return SP_GARBAGE;
	out->total = prefix + length;
	out->route = bytes + prefix;
	enum sp_verdict verdict = parse_route(out->route, count - prefix, length, out);
	if (verdict != SP_MESSAGE) {
		*need = prefix + out->route_bytes;
		return verdict;
	}
	if (length - out->route_bytes > body_bytes_max)
		return SP_TOO_LARGE;
	*need = (size_t)out->total;
	if (count < out->total)
		return SP_MORE;
	out->body = out->route + out->route_bytes;
	out->body_bytes = (size_t)length - out->route_bytes;
	return SP_MESSAGE;
}

size_t sp_write_head(uint8_t *out, bool ipc, const uint8_t *route, size_t route_bytes, size_t body_bytes)
{
	struct writer writer;
	writer_init(&writer, out, SP_PREFIX_BYTES_MAX + SP_ROUTE_BYTES_MAX);
	if (ipc)
		writer_u8(&writer, IPC_MESSAGE);
	writer_u64(&writer, route_bytes + body_bytes);
	writer_bytes(&writer, route, route_bytes);
	return writer_count(&writer);
}
