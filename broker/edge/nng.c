// One request on its way is an exchange: it owns an nng context, which remembers whom to answer.
//
//   receiving -> checking (pool) -> waiting (sequencer) -> sealing (pool) -> sending -> receiving
//
// Everything here runs on the edge loop, but for the callbacks that put an event (events.h) and the two functions that
// run in uv's pool. nng's cooked REP finishes a send when the connection took the message, so unsent replies are known
// and nothing is dropped silently; where a connection is gone it pretends success, which is right for us: we hear of
// the end by the pipe's own event.
//
// Bounds: REQUESTS_PER_PIPE_MAX in flight per connection (more is answered `busy`; who does not read those either is
// cut off), so many connections, so many requests being checked at once, so long for a reply to be taken.
#include "nng.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "events.h"
#include "pipes.h"

enum {
	RECEIVERS = 64,      // contexts waiting for a request
	CHECKING_MAX = 8192, // requests whose signatures wait for a processor
	SEND_MS_MAX = 60 * 1000,
	IDLE_MS_MAX = 5 * 60 * 1000,
	IDLE_MS_GIVE_WAY = 10 * 1000, // when others want in
	SWEEP_MS = 5 * 1000,
	DRAIN_MS_MAX = 5 * 1000,
	LINGER_MS = 100, // replies taken by a connection still have to reach the kernel
	LISTENERS_MAX = 16,
};

enum stage { STAGE_IDLE, STAGE_RECEIVING, STAGE_CHECKING, STAGE_WAITING, STAGE_SEALING, STAGE_SENDING };

struct exchange {
	struct edge *edge;
	enum stage stage;
	uint32_t index, generation; // together the origin of its command: an answer to an earlier use is known as such
	nng_ctx ctx;
	nng_aio *aio;
	struct pipe *pipe;             // NULL while receiving or idle
	struct exchange *next, *prev;  // of its pipe, or next of the idle ones
	bool is_busy;                  // it carries a busy answer; else it counts as outstanding
	nng_msg *message;              // the request; `request` points into it
	struct request request;
	enum verify_verdict verdict;
	enum reply_form form;
	uint8_t *reply; // the service's, on its way to be sealed
	size_t reply_bytes;
	uint8_t *frame; // what goes out
	size_t frame_bytes;
	uv_work_t work;
};

struct edge {
	struct edge_options options;
	struct sequencer *sequencer;
	nng_socket socket;
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct edge_events events;
	uv_timer_t sweep, drain;
	struct pipes *pipes;

	struct exchange **exchanges; // by index
	size_t exchange_count, exchange_max;
	struct exchange *idle;
	size_t receiving, checking, in_flight; // in_flight: with a request, whatever the stage

	bool stopping, closed;
	void (*drained)(void *context);
	void *drained_context;
	uint64_t drain_until_ms;
};

static void top_up(struct edge *edge);

// ---- from other threads

static void on_aio(void *argument)
{
	struct exchange *exchange = argument;
	edge_events_add(&exchange->edge->events, (struct event){.kind = EVENT_AIO, .subject = exchange});
}

static bool is_local(nng_pipe pipe)
{
	nng_sockaddr address;
	return nng_pipe_get_addr(pipe, NNG_OPT_LOCADDR, &address) == 0 && address.s_family == NNG_AF_IPC;
}

// nng calls this before the connection may carry anything, and after its end, refused ones included.
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
	struct edge *edge = argument;
	struct metrics *metrics = edge->options.metrics;
	uint64_t id = (uint64_t)nng_pipe_id(pipe);
	if (event == NNG_PIPE_EV_REM_POST) {
		metrics->connections--;
		edge_events_add(&edge->events, (struct event){.kind = EVENT_PIPE_REMOVED, .number = id});
		return;
	}
	bool local = is_local(pipe);
	if (metrics->connections++ >= edge->options.connections_max && !local) {
		metrics->connections_refused++;
		edge_events_add(&edge->events, (struct event){.kind = EVENT_PIPE_REFUSED});
		nng_pipe_close(pipe);
		return;
	}
	metrics->connections_accepted++;
	edge_events_add(&edge->events, (struct event){.kind = EVENT_PIPE_ADDED, .number = id, .flag = local});
}

void edge_reply(void *context, const struct effect *effect)
{
	struct edge *edge = context;
	struct event event = {.kind = EVENT_REPLY, .number = effect->origin, .flag = effect->form, .count = effect->count};
	if (effect->bytes) {
		event.bytes = malloc(effect->count ? effect->count : 1);
		if (!event.bytes)
			abort();
		memcpy(event.bytes, effect->bytes, effect->count);
	}
	edge_events_add(&edge->events, event);
}

// ---- exchanges

static uint64_t origin_of(const struct exchange *exchange)
{
	return (uint64_t)exchange->generation << 32 | exchange->index;
}

static struct exchange *exchange_new(struct edge *edge)
{
	if (edge->exchange_count == edge->exchange_max)
		return NULL;
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	*exchange = (struct exchange){.edge = edge, .index = (uint32_t)edge->exchange_count, .generation = 1};
	exchange->work.data = exchange;
	if (nng_ctx_open(&exchange->ctx, edge->socket) != 0) {
		free(exchange);
		return NULL;
	}
	if (nng_aio_alloc(&exchange->aio, on_aio, exchange) != 0) {
		nng_ctx_close(exchange->ctx);
		free(exchange);
		return NULL;
	}
	edge->exchanges[edge->exchange_count++] = exchange;
	return exchange;
}

static void receive(struct exchange *exchange)
{
	exchange->stage = STAGE_RECEIVING;
	exchange->edge->receiving++;
	nng_aio_set_timeout(exchange->aio, NNG_DURATION_INFINITE);
	nng_ctx_recv(exchange->ctx, exchange->aio);
}

static void attach(struct exchange *exchange, struct pipe *pipe)
{
	exchange->pipe = pipe;
	exchange->prev = NULL;
	exchange->next = pipe->exchanges;
	if (pipe->exchanges)
		pipe->exchanges->prev = exchange;
	pipe->exchanges = exchange;
}

static void detach(struct exchange *exchange)
{
	struct pipe *pipe = exchange->pipe;
	if (!pipe)
		return;
	if (exchange->prev)
		exchange->prev->next = exchange->next;
	else
		pipe->exchanges = exchange->next;
	if (exchange->next)
		exchange->next->prev = exchange->prev;
	if (exchange->is_busy)
		pipe->busy--;
	else
		pipe->outstanding--;
	pipe->active_at_ms = uv_now(exchange->edge->options.loop);
	exchange->pipe = NULL;
	exchange->next = exchange->prev = NULL;
	if (pipe->closed && !pipe->exchanges)
		pipes_remove(exchange->edge->pipes, pipe);
}

// Lets go of the request: a reply nobody reads must not hold more than itself.
static void drop_request(struct exchange *exchange)
{
	if (!exchange->message)
		return;
	request_fini(&exchange->request);
	nng_msg_free(exchange->message);
	exchange->message = NULL;
	free(exchange->reply);
	exchange->reply = NULL;
}

static void recycle(struct exchange *exchange)
{
	struct edge *edge = exchange->edge;
	if (exchange->message || exchange->pipe) {
		edge->in_flight--;
		edge->options.metrics->in_flight--;
	}
	drop_request(exchange);
	detach(exchange);
	free(exchange->frame);
	exchange->frame = NULL;
	exchange->is_busy = false;
	exchange->generation++;
	exchange->stage = STAGE_IDLE;
	exchange->next = edge->idle;
	edge->idle = exchange;
	top_up(edge);
}

static void top_up(struct edge *edge)
{
	while (edge->receiving < RECEIVERS && !edge->closed) {
		struct exchange *exchange = edge->idle;
		if (exchange) {
			edge->idle = exchange->next;
			exchange->next = NULL;
		} else {
			exchange = exchange_new(edge);
		}
		if (!exchange)
			return; // at the limit: clients wait in their connections
		receive(exchange);
	}
}

// ---- replies

static void send_frame(struct exchange *exchange)
{
	drop_request(exchange);
	nng_msg *message = NULL;
	if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, exchange->frame, exchange->frame_bytes) != 0)
		abort();
	free(exchange->frame);
	exchange->frame = NULL;
	exchange->stage = STAGE_SENDING;
	nng_aio_set_timeout(exchange->aio, SEND_MS_MAX);
	nng_aio_set_msg(exchange->aio, message);
	nng_ctx_send(exchange->ctx, exchange->aio);
}

static void send_error(struct exchange *exchange, enum err err, const char *detail)
{
	struct metrics *metrics = exchange->edge->options.metrics;
	metrics->frame_errors[err]++;
	verify_error_frame(&exchange->request, err, detail, &exchange->frame, &exchange->frame_bytes);
	send_frame(exchange);
}

// In the pool.
static void seal(uv_work_t *work)
{
	struct exchange *exchange = work->data;
	verify_reply_frame(&exchange->request, exchange->form, exchange->reply, exchange->reply_bytes, &exchange->frame,
	                   &exchange->frame_bytes);
}

static void sealed(uv_work_t *work, int status)
{
	struct exchange *exchange = work->data;
	(void)status;
	if (exchange->pipe->closed)
		recycle(exchange);
	else
		send_frame(exchange);
}

static void on_reply(struct edge *edge, const struct event *event)
{
	uint32_t index = (uint32_t)event->number;
	struct exchange *exchange = index < edge->exchange_count ? edge->exchanges[index] : NULL;
	if (!exchange || exchange->stage != STAGE_WAITING || origin_of(exchange) != event->number) {
		free(event->bytes);
		return;
	}
	if (!event->bytes || exchange->pipe->closed) {
		edge->options.metrics->cancelled++;
		free(event->bytes);
		recycle(exchange);
		return;
	}
	exchange->form = event->flag;
	exchange->reply = event->bytes;
	exchange->reply_bytes = event->count;
	exchange->stage = STAGE_SEALING;
	if (exchange->request.is_cell) {
		uv_queue_work(edge->options.loop, &exchange->work, seal, sealed);
		return;
	}
	seal(&exchange->work); // only copies
	send_frame(exchange);
}

// ---- connections

// Its parked requests are cancelled; the pipe goes when the last exchange let go of it.
static void forget_pipe(struct edge *edge, struct pipe *pipe)
{
	if (pipe->closed)
		return;
	pipe->closed = true;
	for (struct exchange *exchange = pipe->exchanges; exchange; exchange = exchange->next)
		if (exchange->stage == STAGE_WAITING)
			sequencer_cancel(edge->sequencer, origin_of(exchange));
	if (!pipe->exchanges)
		pipes_remove(edge->pipes, pipe);
}

static void close_pipe(struct edge *edge, struct pipe *pipe)
{
	nng_pipe_close((nng_pipe){.id = pipe->id});
	forget_pipe(edge, pipe);
}

static void on_pipe_removed(struct edge *edge, uint32_t id)
{
	struct pipe *pipe = pipes_find(edge->pipes, id);
	if (!pipe)
		return;
	if (pipe->requests == 0 && !pipe->closed)
		edge->options.metrics->closed_mute++;
	forget_pipe(edge, pipe);
}

static void close_idle(struct edge *edge, uint64_t idle_ms)
{
	struct pipe *pipe = pipes_idlest(edge->pipes, uv_now(edge->options.loop), idle_ms);
	if (!pipe)
		return;
	edge->options.metrics->closed_idle++;
	close_pipe(edge, pipe);
}

static void on_sweep(uv_timer_t *timer)
{
	struct edge *edge = timer->data;
	size_t before;
	do {
		before = pipes_count(edge->pipes);
		close_idle(edge, IDLE_MS_MAX);
	} while (pipes_count(edge->pipes) < before);
	top_up(edge); // in case memory was short
}

// ---- requests

// In the pool.
static void check(uv_work_t *work)
{
	struct exchange *exchange = work->data;
	exchange->verdict = verify_request(exchange->edge->options.verifier, &exchange->request, &exchange->frame,
	                                   &exchange->frame_bytes);
}

static void checked(uv_work_t *work, int status)
{
	struct exchange *exchange = work->data;
	struct edge *edge = exchange->edge;
	(void)status;
	edge->checking--;
	if (exchange->pipe->closed) {
		recycle(exchange);
		return;
	}
	if (exchange->verdict == VERIFY_ANSWER) {
		metrics_count_error_frame(edge->options.metrics, exchange->frame, exchange->frame_bytes);
		send_frame(exchange);
		return;
	}
	exchange->request.command.origin = origin_of(exchange);
	exchange->stage = STAGE_WAITING;
	enum err err = sequencer_submit(edge->sequencer, &exchange->request.command);
	if (err != ERR_OK)
		send_error(exchange, err, NULL);
}

// Taken, or answered at once with busy, or the connection is cut off.
static void admit(struct edge *edge, struct exchange *exchange)
{
	struct pipe *pipe = exchange->pipe;
	bool crowded = edge->in_flight > edge->exchange_max / 2;
	enum pipe_verdict verdict = pipe_admit(pipe, crowded);
	if (verdict == PIPE_TAKE && edge->checking >= CHECKING_MAX)
		verdict = PIPE_BUSY;
	exchange->is_busy = verdict != PIPE_TAKE;
	if (exchange->is_busy)
		pipe->busy++;
	else
		pipe->outstanding++;
	if (verdict == PIPE_CLOSE) {
		edge->options.metrics->closed_slow++;
		close_pipe(edge, pipe);
		recycle(exchange);
	} else if (verdict == PIPE_BUSY) {
		edge->options.metrics->busy++;
		send_error(exchange, ERR_BUSY, NULL);
	} else if (edge->stopping) {
		send_error(exchange, ERR_STOPPING, NULL);
	} else if (exchange->request.frame_bytes > REQUEST_BYTES_MAX) {
		send_error(exchange, ERR_TOO_LARGE, "a request has at most 65536 bytes");
	} else {
		exchange->stage = STAGE_CHECKING;
		edge->checking++;
		uv_queue_work(edge->options.loop, &exchange->work, check, checked);
	}
}

static void on_received(struct edge *edge, struct exchange *exchange)
{
	edge->receiving--;
	if (nng_aio_result(exchange->aio) != 0) {
		recycle(exchange);
		return;
	}
	nng_msg *message = nng_aio_get_msg(exchange->aio);
	nng_aio_set_msg(exchange->aio, NULL);
	struct pipe *pipe = pipes_find(edge->pipes, (uint32_t)nng_msg_get_pipe(message).id);
	if (!pipe || pipe->closed) {
		nng_msg_free(message);
		recycle(exchange);
		return;
	}
	edge->in_flight++;
	edge->options.metrics->in_flight++;
	edge->options.metrics->requests++;
	attach(exchange, pipe);
	pipe->requests++;
	pipe->active_at_ms = uv_now(edge->options.loop);
	exchange->message = message;
	exchange->request = (struct request){
		.frame = nng_msg_body(message),
		.frame_bytes = nng_msg_len(message),
		.from_ipc = pipe->from_ipc,
		.now_ms = clock_now_ms(),
	};
	admit(edge, exchange);
	top_up(edge);
}

static void on_sent(struct edge *edge, struct exchange *exchange)
{
	int rv = nng_aio_result(exchange->aio);
	if (rv == 0) {
		edge->options.metrics->replies++;
	} else {
		nng_msg_free(nng_aio_get_msg(exchange->aio));
		nng_aio_set_msg(exchange->aio, NULL);
		if (rv == NNG_ETIMEDOUT && !exchange->pipe->closed) {
			edge->options.metrics->closed_slow++;
			close_pipe(edge, exchange->pipe);
		}
	}
	recycle(exchange);
}

static void on_event(struct edge *edge, const struct event *event)
{
	struct exchange *exchange = event->subject;
	switch (event->kind) {
	case EVENT_AIO:
		if (exchange->stage == STAGE_RECEIVING)
			on_received(edge, exchange);
		else
			on_sent(edge, exchange);
		break;
	case EVENT_PIPE_ADDED:
		pipes_add(edge->pipes, (uint32_t)event->number, event->flag, uv_now(edge->options.loop));
		break;
	case EVENT_PIPE_REMOVED:
		on_pipe_removed(edge, (uint32_t)event->number);
		break;
	case EVENT_PIPE_REFUSED:
		close_idle(edge, IDLE_MS_GIVE_WAY);
		break;
	case EVENT_REPLY:
		on_reply(edge, event);
		break;
	}
}

static void on_wake(uv_async_t *wake)
{
	struct edge *edge = wake->data;
	const struct event *events;
	size_t count = edge_events_take(&edge->events, &events);
	for (size_t i = 0; i < count; i++)
		on_event(edge, &events[i]);
}

// ---- opening and closing

static bool listen_all(struct edge *edge, const char **failed, char *reason)
{
	for (size_t i = 0; i < edge->options.url_count; i++) {
		if (i == LISTENERS_MAX || listen_start(edge->socket, edge->options.urls[i], &edge->options.tls,
		                                       &edge->listeners[i], reason) != 0) {
			*failed = edge->options.urls[i];
			return false;
		}
		edge->listener_count++;
	}
	return true;
}

enum err edge_open(const struct edge_options *options, struct edge **out, const char **failed, char *reason)
{
	struct edge *edge = calloc(1, sizeof(*edge));
	if (!edge)
		return ERR_NO_MEMORY;
	edge->options = *options;
	edge->exchange_max = (size_t)options->connections_max * (REQUESTS_PER_PIPE_MAX + 1) + 16 * RECEIVERS;
	edge->exchanges = calloc(edge->exchange_max, sizeof(*edge->exchanges));
	if (!edge->exchanges || nng_rep0_open(&edge->socket) != 0) {
		free(edge->exchanges);
		free(edge);
		return ERR_NO_MEMORY;
	}
	edge->pipes = pipes_new();
	edge_events_init(&edge->events, options->loop, on_wake, edge);
	uv_timer_init(options->loop, &edge->sweep);
	uv_timer_init(options->loop, &edge->drain);
	edge->sweep.data = edge->drain.data = edge;
	nng_pipe_notify(edge->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, edge);
	nng_pipe_notify(edge->socket, NNG_PIPE_EV_REM_POST, on_pipe, edge);
	*out = edge;
	return listen_all(edge, failed, reason) ? ERR_OK : ERR_IO;
}

size_t edge_url_count(const struct edge *edge)
{
	return edge->listener_count;
}

const char *edge_url(const struct edge *edge, size_t index)
{
	return edge->listeners[index].url;
}

void edge_serve(struct edge *edge, struct sequencer *sequencer)
{
	edge->sequencer = sequencer;
	uv_timer_start(&edge->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	top_up(edge);
}

void edge_stop_listening(struct edge *edge)
{
	edge->stopping = true;
	for (size_t i = 0; i < edge->listener_count; i++)
		nng_listener_close(edge->listeners[i].listener);
}

static void on_drain(uv_timer_t *timer)
{
	struct edge *edge = timer->data;
	if (edge->in_flight > 0 && uv_now(edge->options.loop) < edge->drain_until_ms) {
		uv_timer_start(&edge->drain, on_drain, LINGER_MS, 0);
		return;
	}
	if (edge->in_flight > 0)
		log_event(LOG_WARN, "replies_unsent", LOG_NUMBER("count", edge->in_flight));
	edge->drained(edge->drained_context);
}

void edge_drain(struct edge *edge, void (*done)(void *context), void *context)
{
	edge->drained = done;
	edge->drained_context = context;
	uv_update_time(edge->options.loop);
	edge->drain_until_ms = uv_now(edge->options.loop) + DRAIN_MS_MAX;
	uv_timer_start(&edge->drain, on_drain, LINGER_MS, 0);
}

void edge_close(struct edge *edge)
{
	edge->closed = true;
	nng_close(edge->socket); // every aio ends; their events are not taken any more
	edge_events_close(&edge->events);
	uv_close((uv_handle_t *)&edge->sweep, NULL);
	uv_close((uv_handle_t *)&edge->drain, NULL);
}

void edge_free(struct edge *edge)
{
	for (size_t i = 0; i < edge->exchange_count; i++) {
		struct exchange *exchange = edge->exchanges[i];
		nng_aio_stop(exchange->aio);
		nng_msg *left = exchange->stage == STAGE_RECEIVING || exchange->stage == STAGE_SENDING
		                    ? nng_aio_get_msg(exchange->aio)
		                    : NULL;
		if (left)
			nng_msg_free(left);
		nng_aio_free(exchange->aio);
		drop_request(exchange);
		free(exchange->frame);
		free(exchange);
	}
	edge_events_fini(&edge->events);
	pipes_free(edge->pipes);
	free(edge->exchanges);
	free(edge);
}
