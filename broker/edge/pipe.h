// One connection: reads messages, writes replies in order, never more than its bounds. Runs on the edge loop; nng's
// callbacks only put events.
//
// nng's own SP sockets are not used on this side. In nng 1.5.2, closing a pipe whose peer is sending at that moment
// can leave its receive pending for ever; the one thread that frees pipes then waits for it for ever, no closed
// connection is freed any more, and closing the socket hangs. A client that floods and does not read brings that about
// at will. The streams below the sockets do not have it, and they let us stop reading where a client does not read.
#ifndef OYEZ_EDGE_PIPE_H
#define OYEZ_EDGE_PIPE_H

#include <nng/nng.h>

#include "events.h"
#include "sp.h"

struct exchange; // one request on its way; nng.c

struct outgoing; // one reply not sent yet

struct pipe {
	struct edge_events *events;
	nng_stream *stream;
	nng_aio *rx, *tx;
	bool rx_pending, tx_pending; // their events will come
	bool ipc, greeted, closed;
	bool in_full; // the last receive filled `in`: more was there
	uint8_t *in; // received and not parsed
	size_t in_count, in_room;
	uint64_t skip; // bytes of a message too large, to be dropped as they come
	struct outgoing *out_first, *out_last;
	size_t out_count;
	uint32_t outstanding;  // requests being checked, parked, or answered and unsent
	uint64_t requests;     // whole requests received
	uint64_t active_at_ms; // of the loop's clock: when it last took or gave something whole
	struct exchange *exchanges;
	struct pipe *next, *prev; // of all, for the owner
};

// Takes the stream over. NULL when memory is short (the stream is freed). The greeting begins at once.
struct pipe *pipe_new(nng_stream *stream, bool ipc, struct edge_events *events, uint64_t now_ms);
// Frees a closed pipe with nothing pending.
void pipe_free(struct pipe *pipe);
bool pipe_idle(const struct pipe *pipe); // nothing in flight, nothing to send
// Closes the connection; events of what is pending still come.
void pipe_close(struct pipe *pipe);
// Closed, and no event will come any more.
bool pipe_ended(const struct pipe *pipe);

// At EVENT_RECEIVED: 0, or why the connection is over (an nng error; NNG_EPROTO for what is not SP REQ).
int pipe_received(struct pipe *pipe);
// The next message; valid until the next call on this pipe. SP_MORE: none now. SP_TOO_LARGE: one is being skipped, its
// route is set. SP_GARBAGE: close the pipe.
enum sp_verdict pipe_next(struct pipe *pipe, struct sp_message *out);
// Asks for more bytes, unless replies wait to be read by the other side: then it waits as well.
void pipe_receive(struct pipe *pipe);
// So many replies wait that no more requests are looked at.
bool pipe_clogged(const struct pipe *pipe);

// Queues a reply. `counted`: it belongs to a request counted in `outstanding`, which ends when it is sent.
void pipe_send(struct pipe *pipe, const uint8_t *route, size_t route_bytes, const uint8_t *body, size_t body_bytes,
               bool counted);
// The same with a body that others may send as well, between `front` and the end; takes one share over.
void pipe_send_shared(struct pipe *pipe, const uint8_t *route, size_t route_bytes, const uint8_t *front,
                      size_t front_bytes, struct shared_bytes *body, bool counted);
// At EVENT_SENT: 0 or why the connection is over (NNG_ETIMEDOUT: the other side does not read). *sent counts replies.
int pipe_sent(struct pipe *pipe, uint64_t now_ms, size_t *sent);

#endif
