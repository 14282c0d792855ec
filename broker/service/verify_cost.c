// Which requests and replies are worth a worker. Waking one and being woken back costs some tens of microseconds on an
// idle machine; one keyed hash or a symmetric cipher over a cell costs less than ten.
#include "verify.h"

// A Request whose only field is a question that needs no public key.
static bool is_light(const uint8_t *message, size_t count)
{
	enum { LENGTH_BITS = 7, LENGTH_BYTES_MAX = 3, WIRE_BYTES = 2 };
	static const uint8_t tags[] = {
	    OYEZ__REQUEST__BODY_GET_CONFIG << 3 | WIRE_BYTES,
	    OYEZ__REQUEST__BODY_GET_CHALLENGE << 3 | WIRE_BYTES,
	    OYEZ__REQUEST__BODY_READ << 3 | WIRE_BYTES,
	};
	size_t length = 0, at = 1;
	if (count < 2 || !memchr(tags, message[0], sizeof tags))
		return false;
	for (unsigned i = 0; at < count && i < LENGTH_BYTES_MAX; i++) {
		length |= (size_t)(message[at] & 0x7f) << i * LENGTH_BITS;
		if (!(message[at++] & 0x80))
			return length == count - at;
	}
	return false;
}

bool verify_request_takes_long(const struct request *request)
{
	enum frame_kind kind;
	return frame_kind_of(request->frame, request->frame_bytes, &kind) == ERR_OK &&
	       (kind != FRAME_REQUEST ||
	        !is_light(request->frame + FRAME_HEADER_BYTES, request->frame_bytes - FRAME_HEADER_BYTES));
}

bool verify_reply_takes_long(const struct request *request)
{
	return request->is_envelope || (request->is_cell && request->command.kind == COMMAND_ISSUE);
}
