// The wire of nng's REQ/REP, as bytes: the greeting, messages with their length, the route back (request ids).
// Scalability Protocols over TCP and TLS: 8-byte length ‖ route ‖ body. Over ipc a byte 1 stands before the length.
// Pure: reads and writes buffers, knows no sockets.
#ifndef OYEZ_EDGE_SP_H
#define OYEZ_EDGE_SP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SP_HELLO_BYTES = 8,
	SP_PREFIX_BYTES_MAX = 9,
	SP_ROUTE_BYTES_MAX = 32, // a request id, and one word for each device in between
};

// What a REP side says first.
extern const uint8_t sp_hello[SP_HELLO_BYTES];
// Is this the greeting of a REQ side?
bool sp_hello_fits(const uint8_t bytes[SP_HELLO_BYTES]);

struct sp_message {
	const uint8_t *route, *body; // into the buffer given
	size_t route_bytes, body_bytes;
	uint64_t total; // of the whole message with its prefix: what to take from the buffer
};

enum sp_verdict {
	SP_MORE,      // *need bytes in all must be there
	SP_MESSAGE,   // *out is one
	SP_TOO_LARGE, // its body is larger than body_bytes_max: route and total are set
	SP_GARBAGE,
};
enum sp_verdict sp_parse(const uint8_t *bytes, size_t count, bool ipc, size_t body_bytes_max, struct sp_message *out,
                         size_t *need);
// Writes what stands before a body: prefix and route. Returns how many bytes; `out` has room for
// SP_PREFIX_BYTES_MAX + SP_ROUTE_BYTES_MAX.
size_t sp_write_head(uint8_t *out, bool ipc, const uint8_t *route, size_t route_bytes, size_t body_bytes);

#endif
