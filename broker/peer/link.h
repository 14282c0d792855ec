// A connection to another broker: frames out, the reply frames in, on one nng REQ socket with several requests under
// way at once. What the frames say is links.c's.
//
// Everything here is called on the loop, and calls back there.
#ifndef OYEZ_PEER_LINK_H
#define OYEZ_PEER_LINK_H

#include <uv.h>

#include "proto/err.h"
#include "proto/id.h"

enum {
	LINK_IN_FLIGHT_MAX = 24, // the other side takes REQUESTS_PER_PIPE_MAX
	LINK_QUEUE_MAX = 256,    // and behind those; beyond it, ERR_BUSY
	LINK_OWNER_MAX = 4,      // of one owner, so that no wallet holds a link up
};

struct link;

// The reply frame (valid during the call), or why there is none: ERR_HOME_UNREACHABLE, ERR_STOPPING.
typedef void link_done_fn(void *context, uint64_t number, enum err err, const uint8_t *frame, size_t count);

struct link_request {
	uint8_t *frame; // malloc'd; the link's from then on
	size_t count;
	struct id owner; // all zero: nobody's in particular
	link_done_fn *done;
	void *context;
	uint64_t number; // for `done`
};

struct link_options {
	uv_loop_t *loop;
	const char *url;                  // tcp://, tls+tcp:// or ipc://
	uint64_t timeout_ms;              // of a request, from link_ask on; 0: as usual. Real time
	void (*connected)(void *context); // after each time it came to a connection
	void *context;
};

// Dials until link_close. ERR_IO: the address is none; ERR_NO_MEMORY. Then, too, close and free *out unless it is NULL.
enum err link_open(const struct link_options *options, struct link **out);
// `done` is called once, later, unless this returns an error: ERR_BUSY (the queue, or the owner's share of it, is
// full), ERR_HOME_UNREACHABLE (no connection for some seconds). The frame is taken over in any case.
enum err link_ask(struct link *link, const struct link_request *request);
bool link_is_connected(const struct link *link);
// Answers what is under way with ERR_STOPPING and closes handles; run the loop until it is empty, then link_free, which
// takes at most two seconds.
void link_close(struct link *link);
void link_free(struct link *link);

#endif
