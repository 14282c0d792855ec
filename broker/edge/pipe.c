// Buffers, the queue of replies, and nng_stream calls. After pipe_close no stream call is made: a receive begun on a
// closed stream would never end.
#include "pipe.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

enum {
	GREETING_MS_MAX = 10 * 1000,
	SEND_MS_MAX = 60 * 1000, // without a byte taken
	IN_ROOM_FIRST = 1024, // most connections wait: this is theirs all the time
	IN_ROOM_BUSY = 4096,
	OUT_COUNT_CLOGGED = 2 * REQUESTS_PER_PIPE_MAX,
	SEND_PIECES_MAX = 8,               // of one call
	SKIP_BYTES_MAX = 16 * 1024 * 1024, // more is no honest mistake
};

struct outgoing {
	struct outgoing *next;
	bool counted;
	size_t count, sent;          // of both parts together
	struct shared_bytes *shared; // the second part, NULL if there is none
	size_t own;                  // bytes of the first
	uint8_t bytes[];
};

static void on_received(void *argument)
{
	struct pipe *pipe = argument;
	edge_events_add(pipe->events, (struct event){.kind = EVENT_RECEIVED, .subject = pipe});
}

static void on_sent(void *argument)
{
	struct pipe *pipe = argument;
	edge_events_add(pipe->events, (struct event){.kind = EVENT_SENT, .subject = pipe});
}

static void send_more(struct pipe *pipe);

static void outgoing_free(struct outgoing *outgoing)
{
	shared_bytes_drop(outgoing->shared);
	free(outgoing);
}

// `shared` may be NULL.
static void queue(struct pipe *pipe, const uint8_t *head, size_t head_bytes, const uint8_t *body, size_t body_bytes,
                  struct shared_bytes *shared, bool counted)
{
	struct outgoing *outgoing = malloc(sizeof(*outgoing) + head_bytes + body_bytes);
	if (!outgoing)
		abort();
	*outgoing = (struct outgoing){.counted = counted,
	                              .count = head_bytes + body_bytes + (shared ? shared->count : 0),
	                              .shared = shared,
	                              .own = head_bytes + body_bytes};
	memcpy(outgoing->bytes, head, head_bytes);
	if (body_bytes)
		memcpy(outgoing->bytes + head_bytes, body, body_bytes);
	if (pipe->out_last)
		pipe->out_last->next = outgoing;
	else
		pipe->out_first = outgoing;
	pipe->out_last = outgoing;
	pipe->out_count++;
	send_more(pipe);
}

struct pipe *pipe_new(nng_stream *stream, bool ipc, struct edge_events *events, uint64_t now_ms)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	uint8_t *in = malloc(IN_ROOM_FIRST);
	if (!pipe || !in || nng_aio_alloc(&pipe->rx, on_received, pipe) != 0 ||
	    nng_aio_alloc(&pipe->tx, on_sent, pipe) != 0) {
		if (pipe && pipe->rx)
			nng_aio_free(pipe->rx);
		free(in);
		free(pipe);
		nng_stream_free(stream);
		return NULL;
	}
	pipe->stream = stream;
	pipe->ipc = ipc;
	pipe->events = events;
	pipe->in = in;
	pipe->in_room = IN_ROOM_FIRST;
	pipe->active_at_ms = now_ms;
	nng_aio_set_timeout(pipe->rx, GREETING_MS_MAX);
	nng_aio_set_timeout(pipe->tx, SEND_MS_MAX);
	queue(pipe, sp_hello, SP_HELLO_BYTES, NULL, 0, NULL, false);
	pipe_receive(pipe);
	return pipe;
}

void pipe_free(struct pipe *pipe)
{
	nng_stream_free(pipe->stream);
	nng_aio_free(pipe->rx);
	nng_aio_free(pipe->tx);
	while (pipe->out_first) {
		struct outgoing *next = pipe->out_first->next;
		outgoing_free(pipe->out_first);
		pipe->out_first = next;
	}
	free(pipe->in);
	free(pipe);
}

bool pipe_idle(const struct pipe *pipe)
{
	return !pipe->exchanges && !pipe->out_first;
}

void pipe_close(struct pipe *pipe)
{
	if (pipe->closed)
		return;
	pipe->closed = true;
	nng_stream_close(pipe->stream);
	nng_aio_cancel(pipe->rx);
	nng_aio_cancel(pipe->tx);
}

bool pipe_ended(const struct pipe *pipe)
{
	return pipe->closed && !pipe->rx_pending && !pipe->tx_pending && !pipe->exchanges;
}

// ---- in

bool pipe_clogged(const struct pipe *pipe)
{
	return pipe->out_count >= OUT_COUNT_CLOGGED;
}

static void take_in(struct pipe *pipe, size_t count)
{
	pipe->in_count -= count;
	memmove(pipe->in, pipe->in + count, pipe->in_count);
}

// Room for `need` bytes in all, of which fewer are there; back to the usual size when a large message has gone.
static void make_room(struct pipe *pipe, size_t need)
{
	size_t room = pipe->in_full ? IN_ROOM_BUSY : IN_ROOM_FIRST;
	if (need > room)
		room = need;
	if (room == pipe->in_room)
		return;
	uint8_t *in = realloc(pipe->in, room);
	if (!in)
		abort();
	pipe->in = in;
	pipe->in_room = room;
}

void pipe_receive(struct pipe *pipe)
{
	if (pipe->closed || pipe->rx_pending || pipe_clogged(pipe) || pipe->in_count == pipe->in_room)
		return;
	nng_iov space = {pipe->in + pipe->in_count, pipe->in_room - pipe->in_count};
	nng_aio_set_iov(pipe->rx, 1, &space);
	pipe->rx_pending = true;
	nng_stream_recv(pipe->stream, pipe->rx);
}

int pipe_received(struct pipe *pipe)
{
	pipe->rx_pending = false;
	int rv = nng_aio_result(pipe->rx);
	if (rv != 0 || pipe->closed)
		return rv ? rv : NNG_ECLOSED;
	pipe->in_count += nng_aio_count(pipe->rx);
	pipe->in_full = pipe->in_count == pipe->in_room;
	if (!pipe->greeted && pipe->in_count >= SP_HELLO_BYTES) {
		if (!sp_hello_fits(pipe->in))
			return NNG_EPROTO;
		take_in(pipe, SP_HELLO_BYTES);
		pipe->greeted = true;
		nng_aio_set_timeout(pipe->rx, NNG_DURATION_INFINITE);
	}
	return 0;
}

static bool skip(struct pipe *pipe)
{
	size_t now = pipe->skip < pipe->in_count ? (size_t)pipe->skip : pipe->in_count;
	take_in(pipe, now);
	pipe->skip -= now;
	return pipe->skip == 0;
}

enum sp_verdict pipe_next(struct pipe *pipe, struct sp_message *out)
{
	// The message handed out last is taken from the buffer here, so that it stayed valid until now.
	size_t need;
	if (!skip(pipe) || !pipe->greeted)
		return SP_MORE;
	enum sp_verdict verdict = sp_parse(pipe->in, pipe->in_count, pipe->ipc, REQUEST_BYTES_MAX, out, &need);
	if (verdict == SP_MORE)
		make_room(pipe, need);
	else if (verdict == SP_TOO_LARGE && out->total > SKIP_BYTES_MAX)
		return SP_GARBAGE;
	else
		pipe->skip = out->total;
	if (verdict == SP_MESSAGE)
		pipe->requests++;
	return verdict;
}

// ---- out

static void send_more(struct pipe *pipe)
{
	if (pipe->closed || pipe->tx_pending || !pipe->out_first)
		return;
	nng_iov pieces[SEND_PIECES_MAX];
	unsigned count = 0;
	for (struct outgoing *each = pipe->out_first; each && count + 2 <= SEND_PIECES_MAX; each = each->next) {
		size_t sent_shared = each->sent > each->own ? each->sent - each->own : 0;
		if (each->sent < each->own)
			pieces[count++] = (nng_iov){each->bytes + each->sent, each->own - each->sent};
		if (each->shared)
			pieces[count++] = (nng_iov){each->shared->bytes + sent_shared, each->shared->count - sent_shared};
	}
	nng_aio_set_iov(pipe->tx, count, pieces);
	pipe->tx_pending = true;
	nng_stream_send(pipe->stream, pipe->tx);
}

void pipe_send(struct pipe *pipe, const uint8_t *route, size_t route_bytes, const uint8_t *body, size_t body_bytes,
               bool counted)
{
	uint8_t head[SP_PREFIX_BYTES_MAX + SP_ROUTE_BYTES_MAX];
	size_t head_bytes = sp_write_head(head, pipe->ipc, route, route_bytes, body_bytes);
	queue(pipe, head, head_bytes, body, body_bytes, NULL, counted);
}

void pipe_send_shared(struct pipe *pipe, const uint8_t *route, size_t route_bytes, const uint8_t *front,
                      size_t front_bytes, struct shared_bytes *body, bool counted)
{
	uint8_t head[SP_PREFIX_BYTES_MAX + SP_ROUTE_BYTES_MAX];
	size_t head_bytes = sp_write_head(head, pipe->ipc, route, route_bytes, front_bytes + body->count);
	queue(pipe, head, head_bytes, front, front_bytes, body, counted);
}

int pipe_sent(struct pipe *pipe, uint64_t now_ms, size_t *sent)
{
	pipe->tx_pending = false;
	*sent = 0;
	int rv = nng_aio_result(pipe->tx);
	if (rv != 0 || pipe->closed)
		return rv ? rv : NNG_ECLOSED;
	size_t count = nng_aio_count(pipe->tx);
	while (pipe->out_first && count >= pipe->out_first->count - pipe->out_first->sent) {
		struct outgoing *first = pipe->out_first;
		count -= first->count - first->sent;
		pipe->out_first = first->next;
		if (!pipe->out_first)
			pipe->out_last = NULL;
		pipe->out_count--;
		pipe->active_at_ms = now_ms;
		if (first->counted) {
			pipe->outstanding--;
			(*sent)++;
		}
		outgoing_free(first);
	}
	if (pipe->out_first)
		pipe->out_first->sent += count;
	send_more(pipe);
	return 0;
}
