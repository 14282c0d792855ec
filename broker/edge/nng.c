// One request on its way is an exchange; the connection it came on is a pipe.
//
//   checking (worker) -> waiting (sequencer) -> sealing (worker) -> the pipe's queue of replies
//                                       \-> relaying (links) -/
//
// Everything here runs on the edge loop, but for the callbacks that put an event (events.h) and the two functions that
// workers run. What takes less than waking a worker is done on the loop at once: reads of vendors' sessions are checked
// and most replies sealed there.
//
// Bounds: REQUESTS_PER_PIPE_MAX in flight per connection (more is answered `busy`; who does not read is not read from),
// so many connections (idle ones give way), so many requests being checked at once, so long for a reply to be taken.
#include "nng.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/workers.h"
#include "events.h"
#include "pipe.h"
#include "proto/frame.h"

enum {
	CHECKING_MAX = 8192, // requests whose signatures wait for a processor
	IDLE_MS_MAX = 5 * 60 * 1000,
	IDLE_MS_GIVE_WAY = 10 * 1000, // when others want in
	MUTE_MS_GIVE_WAY = 2 * 1000,  // the same for those that have not said what they are
	SWEEP_MS = 5 * 1000,
	ACCEPT_RETRY_MS = 100, // no file descriptors, no memory
	DRAIN_MS_MAX = 5 * 1000,
	DRAIN_LOOK_MS = 20,
	CLOSE_MS_MAX = 5 * 1000,
	LISTENERS_MAX = 16,
	WORKERS_MIN = 2,
};

enum stage { STAGE_FREE, STAGE_CHECKING, STAGE_WAITING, STAGE_RELAYING, STAGE_SEALING };

struct exchange {
	struct edge *edge;
	enum stage stage;
	uint32_t index, generation; // together the origin of its command: an answer to an earlier use is known as such
	struct pipe *pipe;
	struct exchange *next, *prev; // of its pipe, or next of the free ones
	uint8_t route[SP_ROUTE_BYTES_MAX];
	size_t route_bytes;
	uint8_t *bytes; // the request frame; `request` points into it
	struct request request;
	enum verify_verdict verdict;
	enum err refused;   // by the sequencer
	struct event early; // a reply that overtook EVENT_CHECKED
	enum reply_form form; // REPLY_RELAY: `reply` is a home's reply cell
	enum err relay_err;   // in place of it
	uint8_t *reply;       // the service's, on its way to be sealed
	size_t reply_bytes;
	uint8_t *frame; // what goes out
	size_t frame_bytes;
	struct job job; // of checking, then of sealing
};

struct edge {
	struct edge_options options;
	struct sequencer *sequencer;
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct edge_events events;
	struct workers *workers;
	uv_timer_t sweep, retry, drain;
	struct pipe *pipes;
	size_t pipe_count; // remote ones, which are limited

	struct exchange **exchanges; // by index
	size_t exchange_count, exchange_room;
	struct exchange *free;
	size_t checking, in_flight;

	bool stopping, closing, closed;
	void (*drained)(void *context);
	void *drained_context;
	uint64_t until_ms; // of draining, then of closing
};

// From the state thread.
void edge_reply(void *context, const struct effect *effect)
{
	struct edge *edge = context;
	struct event event = {.kind = EVENT_REPLY, .number = effect->origin, .flag = effect->form, .count = effect->count};
	if (effect->shared) {
		event.shared = shared_bytes_hold(effect->shared);
	} else if (effect->bytes) {
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
	struct exchange *exchange = edge->free;
	if (exchange) {
		edge->free = exchange->next;
		return exchange;
	}
	if (edge->exchange_count == edge->exchange_room) {
		edge->exchange_room = edge->exchange_room ? 2 * edge->exchange_room : 64;
		edge->exchanges = realloc(edge->exchanges, edge->exchange_room * sizeof(*edge->exchanges));
	}
	exchange = calloc(1, sizeof(*exchange));
	if (!edge->exchanges || !exchange)
		abort();
	exchange->edge = edge;
	exchange->index = (uint32_t)edge->exchange_count;
	exchange->generation = 1; // no origin is 0
	edge->exchanges[edge->exchange_count++] = exchange;
	return exchange;
}

static void attach(struct exchange *exchange, struct pipe *pipe)
{
	exchange->pipe = pipe;
	exchange->prev = NULL;
	exchange->next = pipe->exchanges;
	if (pipe->exchanges)
		pipe->exchanges->prev = exchange;
	pipe->exchanges = exchange;
	pipe->outstanding++; // until its reply is sent
	exchange->edge->in_flight++;
	exchange->edge->options.metrics->in_flight++;
}

static void end_if_over(struct edge *edge, struct pipe *pipe);

static void exchange_free(struct exchange *exchange)
{
	struct edge *edge = exchange->edge;
	struct pipe *pipe = exchange->pipe;
	if (exchange->prev)
		exchange->prev->next = exchange->next;
	else
		pipe->exchanges = exchange->next;
	if (exchange->next)
		exchange->next->prev = exchange->prev;
	request_fini(&exchange->request);
	free(exchange->bytes);
	free(exchange->reply);
	free(exchange->frame);
	exchange->bytes = exchange->reply = exchange->frame = NULL;
	exchange->generation++;
	exchange->stage = STAGE_FREE;
	exchange->relay_err = ERR_OK;
	exchange->pipe = NULL;
	exchange->prev = NULL;
	exchange->next = edge->free;
	edge->free = exchange;
	edge->in_flight--;
	edge->options.metrics->in_flight--;
	end_if_over(edge, pipe);
}

// ---- connections

static bool over(const struct edge *edge)
{
	bool accepting = false;
	for (size_t i = 0; i < edge->listener_count; i++)
		accepting |= edge->listeners[i].accepting;
	return !edge->pipes && !accepting;
}

static void close_handles(struct edge *edge)
{
	if (edge->closed)
		return;
	edge->closed = true;
	edge_events_close(&edge->events);
	uv_close((uv_handle_t *)&edge->sweep, NULL);
	uv_close((uv_handle_t *)&edge->retry, NULL);
	uv_close((uv_handle_t *)&edge->drain, NULL);
}

static void end_if_over(struct edge *edge, struct pipe *pipe)
{
	if (!pipe_ended(pipe))
		return;
	if (pipe->prev)
		pipe->prev->next = pipe->next;
	else
		edge->pipes = pipe->next;
	if (pipe->next)
		pipe->next->prev = pipe->prev;
	if (!pipe->ipc)
		edge->pipe_count--;
	edge->options.metrics->connections--;
	pipe_free(pipe);
	if (edge->closing && over(edge))
		close_handles(edge);
}

// Its parked requests are cancelled; the pipe goes when nothing of it is on its way any more, perhaps at once.
static void close_pipe(struct edge *edge, struct pipe *pipe)
{
	if (pipe->closed)
		return;
	pipe_close(pipe);
	for (struct exchange *exchange = pipe->exchanges; exchange; exchange = exchange->next)
		if (exchange->stage == STAGE_WAITING)
			sequencer_cancel(edge->sequencer, origin_of(exchange));
	end_if_over(edge, pipe);
}

// The remote one without anything in flight that is idle longest, if long enough to go for others.
static struct pipe *find_idlest(struct edge *edge, uint64_t idle_ms, uint64_t mute_ms)
{
	struct pipe *idlest = NULL;
	uint64_t now_ms = uv_now(edge->options.loop);
	for (struct pipe *pipe = edge->pipes; pipe; pipe = pipe->next) {
		uint64_t least_ms = pipe->greeted ? idle_ms : mute_ms;
		if (pipe->closed || pipe->ipc || !pipe_idle(pipe) || now_ms - pipe->active_at_ms < least_ms)
			continue;
		if (!idlest || pipe->active_at_ms < idlest->active_at_ms)
			idlest = pipe;
	}
	return idlest;
}

static bool close_idlest(struct edge *edge, uint64_t idle_ms, uint64_t mute_ms)
{
	struct pipe *pipe = find_idlest(edge, idle_ms, mute_ms);
	if (!pipe)
		return false;
	edge->options.metrics->closed_idle++;
	close_pipe(edge, pipe);
	return true;
}

static void on_sweep(uv_timer_t *timer)
{
	while (close_idlest(timer->data, IDLE_MS_MAX, IDLE_MS_MAX))
		;
}

static void on_retry(uv_timer_t *timer)
{
	struct edge *edge = timer->data;
	for (size_t i = 0; i < edge->listener_count; i++)
		listen_accept(&edge->listeners[i]);
}

static void add_pipe(struct edge *edge, nng_stream *stream, bool ipc)
{
	struct metrics *metrics = edge->options.metrics;
	if (!ipc && edge->pipe_count >= edge->options.connections_max) {
		close_idlest(edge, IDLE_MS_GIVE_WAY, MUTE_MS_GIVE_WAY); // its place is free for the next one
		metrics->connections_refused++;
		nng_stream_free(stream);
		return;
	}
	struct pipe *pipe = pipe_new(stream, ipc, &edge->events, uv_now(edge->options.loop));
	if (!pipe)
		return;
	pipe->next = edge->pipes;
	if (edge->pipes)
		edge->pipes->prev = pipe;
	edge->pipes = pipe;
	if (!ipc)
		edge->pipe_count++;
	metrics->connections++;
	metrics->connections_accepted++;
}

static void on_accepted(struct edge *edge, struct listener *listener)
{
	int rv;
	nng_stream *stream = listen_accepted(listener, &rv);
	if (stream && edge->stopping)
		nng_stream_free(stream);
	else if (stream)
		add_pipe(edge, stream, listener->ipc);
	if (edge->closing && over(edge))
		close_handles(edge);
	else if (rv == 0 || rv == NNG_ECONNABORTED || rv == NNG_ECONNRESET)
		listen_accept(listener);
	else if (!listener->closed)
		uv_timer_start(&edge->retry, on_retry, ACCEPT_RETRY_MS, 0);
}

// ---- replies

static void send_frame(struct exchange *exchange)
{
	pipe_send(exchange->pipe, exchange->route, exchange->route_bytes, exchange->frame, exchange->frame_bytes, true);
	exchange_free(exchange);
}

static void send_error(struct exchange *exchange, enum err err)
{
	exchange->edge->options.metrics->frame_errors[err]++;
	verify_error_frame(&exchange->request, err, NULL, &exchange->frame, &exchange->frame_bytes);
	send_frame(exchange);
}

// For requests that do not become an exchange.
static void refuse(struct edge *edge, struct pipe *pipe, const struct sp_message *message, enum err err,
                   const char *detail)
{
	struct request request = {.from_ipc = pipe->ipc};
	uint8_t *frame;
	size_t count;
	edge->options.metrics->frame_errors[err]++;
	verify_error_frame(&request, err, detail, &frame, &count);
	pipe_send(pipe, message->route, message->route_bytes, frame, count, false);
	free(frame);
}

static struct exchange *exchange_of(struct job *job)
{
	return (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
}

static void seal(struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	if (exchange->relay_err)
		verify_error_frame(request, exchange->relay_err, NULL, &exchange->frame, &exchange->frame_bytes);
	else if (exchange->form == REPLY_RELAY)
		verify_relayed_frame(request, exchange->reply, &exchange->frame, &exchange->frame_bytes);
	else
		verify_reply_frame(request, exchange->form, exchange->reply, exchange->reply_bytes, &exchange->frame,
		                   &exchange->frame_bytes);
}

// In a worker.
static void seal_job(struct job *job)
{
	struct exchange *exchange = exchange_of(job);
	seal(exchange);
	edge_events_add(&exchange->edge->events, (struct event){.kind = EVENT_SEALED, .subject = exchange});
}

static void on_sealed(struct exchange *exchange)
{
	if (exchange->pipe->closed)
		exchange_free(exchange);
	else
		send_frame(exchange);
}

static void start_sealing(struct exchange *exchange)
{
	exchange->stage = STAGE_SEALING;
	if (verify_reply_takes_long(&exchange->request)) {
		exchange->job.run = seal_job;
		workers_add(exchange->edge->workers, &exchange->job);
		return;
	}
	seal(exchange);
	send_frame(exchange);
}

static void drop_reply(const struct event *event)
{
	free(event->bytes);
	shared_bytes_drop(event->shared);
}

// What several get is never sealed: only customers' and guardians' replies are.
static void send_shared(struct exchange *exchange, const struct event *event)
{
	uint8_t front[FRAME_HEADER_BYTES];
	frame_header(front, FRAME_REPLY);
	pipe_send_shared(exchange->pipe, exchange->route, exchange->route_bytes, front, sizeof(front), event->shared, true);
	exchange_free(exchange);
}

static struct exchange *exchange_find(struct edge *edge, uint64_t origin)
{
	uint32_t index = (uint32_t)origin;
	struct exchange *exchange = index < edge->exchange_count ? edge->exchanges[index] : NULL;
	return exchange && origin_of(exchange) == origin ? exchange : NULL;
}

// ---- relayed cells: nothing of the wallet's request goes on but the cell's bytes

static void end_relay(struct exchange *exchange, enum err err)
{
	exchange->relay_err = err;
	if (err)
		exchange->edge->options.metrics->frame_errors[(int)err < METRICS_ERRORS_MAX ? err : ERR_UNKNOWN_ERROR]++;
	start_sealing(exchange);
}

static void on_relayed(void *context, uint64_t origin, enum err err, const uint8_t *cell)
{
	struct exchange *exchange = exchange_find(context, origin);
	if (!exchange || exchange->stage != STAGE_RELAYING)
		return;
	if (exchange->pipe->closed) {
		exchange_free(exchange);
		return;
	}
	if (!err) {
		exchange->reply = malloc(CELL_BYTES);
		if (!exchange->reply)
			abort();
		memcpy(exchange->reply, cell, CELL_BYTES);
		exchange->reply_bytes = CELL_BYTES;
	}
	end_relay(exchange, err);
}

static void start_relay(struct exchange *exchange, const struct event *event)
{
	struct edge *edge = exchange->edge;
	struct id account;
	memcpy(account.bytes, event->bytes + KEY_BYTES, ID_BYTES);
	exchange->form = REPLY_RELAY;
	exchange->stage = STAGE_RELAYING;
	enum err err = ERR_HOME_UNREACHABLE;
	if (edge->options.links)
		err = links_relay(edge->options.links, event->bytes, &account, event->bytes + KEY_BYTES + ID_BYTES, on_relayed,
		                  edge, event->number);
	free(event->bytes);
	if (err)
		end_relay(exchange, err);
}

static void on_reply(struct edge *edge, const struct event *event)
{
	struct exchange *exchange = exchange_find(edge, event->number);
	if (exchange && exchange->stage == STAGE_CHECKING) {
		exchange->early = *event;
		return;
	}
	if (!exchange || exchange->stage != STAGE_WAITING) {
		drop_reply(event);
		return;
	}
	if ((!event->bytes && !event->shared) || exchange->pipe->closed) {
		edge->options.metrics->cancelled++;
		drop_reply(event);
		exchange_free(exchange);
		return;
	}
	if (event->shared) {
		send_shared(exchange, event);
		return;
	}
	if (event->flag == REPLY_RELAY) {
		start_relay(exchange, event);
		return;
	}
	exchange->form = event->flag;
	exchange->reply = event->bytes;
	exchange->reply_bytes = event->count;
	start_sealing(exchange);
}

// ---- requests

// What is found right goes on from here, in whichever thread this is: by way of the loop it would wait for that to wake.
static void check(struct exchange *exchange)
{
	struct edge *edge = exchange->edge;
	exchange->verdict =
	    verify_request(edge->options.verifier, &exchange->request, &exchange->frame, &exchange->frame_bytes);
	if (exchange->verdict != VERIFY_COMMAND)
		return;
	exchange->request.command.origin = origin_of(exchange);
	exchange->refused = sequencer_submit(edge->sequencer, &exchange->request.command);
}

// In a worker.
static void check_job(struct job *job)
{
	struct exchange *exchange = exchange_of(job);
	check(exchange);
	edge_events_add(&exchange->edge->events, (struct event){.kind = EVENT_CHECKED, .subject = exchange});
}

static void start_waiting(struct exchange *exchange)
{
	struct event early = exchange->early;
	exchange->stage = STAGE_WAITING;
	exchange->early = (struct event){0};
	if (early.number)
		on_reply(exchange->edge, &early);
	else if (exchange->pipe->closed)
		sequencer_cancel(exchange->edge->sequencer, origin_of(exchange));
}

static void on_checked(struct exchange *exchange)
{
	struct edge *edge = exchange->edge;
	edge->checking--;
	bool submitted = exchange->verdict == VERIFY_COMMAND && exchange->refused == ERR_OK;
	if (submitted) {
		start_waiting(exchange);
	} else if (exchange->pipe->closed) {
		exchange_free(exchange);
	} else if (exchange->verdict == VERIFY_COMMAND) {
		send_error(exchange, exchange->refused);
	} else {
		metrics_count_error_frame(edge->options.metrics, exchange->frame, exchange->frame_bytes);
		send_frame(exchange);
	}
}

static void take_request(struct edge *edge, struct pipe *pipe, const struct sp_message *message)
{
	struct exchange *exchange = exchange_new(edge);
	attach(exchange, pipe);
	memcpy(exchange->route, message->route, message->route_bytes);
	exchange->route_bytes = message->route_bytes;
	exchange->bytes = malloc(message->body_bytes + 1);
	if (!exchange->bytes)
		abort();
	memcpy(exchange->bytes, message->body, message->body_bytes);
	exchange->request = (struct request){
	    .frame = exchange->bytes,
	    .frame_bytes = message->body_bytes,
	    .from_ipc = pipe->ipc,
	    .now_ms = clock_now_ms(),
	};
	exchange->stage = STAGE_CHECKING;
	edge->checking++;
	if (verify_request_takes_long(&exchange->request)) {
		exchange->job.run = check_job;
		workers_add(edge->workers, &exchange->job);
		return;
	}
	check(exchange);
	on_checked(exchange);
}

static void on_message(struct edge *edge, struct pipe *pipe, const struct sp_message *message)
{
	edge->options.metrics->requests++;
	pipe->active_at_ms = uv_now(edge->options.loop);
	if (edge->stopping) {
		refuse(edge, pipe, message, ERR_STOPPING, NULL);
	} else if (pipe->outstanding >= REQUESTS_PER_PIPE_MAX || edge->checking >= CHECKING_MAX) {
		edge->options.metrics->busy++;
		refuse(edge, pipe, message, ERR_BUSY, NULL);
	} else {
		take_request(edge, pipe, message);
	}
}

// Looks at what came, as long as the other side reads its replies.
static void read_on(struct edge *edge, struct pipe *pipe)
{
	struct sp_message message;
	enum sp_verdict verdict = SP_MORE;
	while (!pipe->closed && !pipe_clogged(pipe) && (verdict = pipe_next(pipe, &message)) != SP_MORE) {
		if (verdict == SP_GARBAGE) {
			edge->options.metrics->closed_garbage++;
			close_pipe(edge, pipe);
			return;
		}
		if (verdict == SP_TOO_LARGE)
			refuse(edge, pipe, &message, ERR_TOO_LARGE, "a request has at most 65536 bytes");
		else
			on_message(edge, pipe, &message);
	}
	pipe_receive(pipe);
}

static void on_received(struct edge *edge, struct pipe *pipe)
{
	int rv = pipe_received(pipe);
	if (rv == 0) {
		read_on(edge, pipe);
		return;
	}
	if (!pipe->closed && (rv == NNG_EPROTO || rv == NNG_ETIMEDOUT))
		edge->options.metrics->closed_garbage++;
	if (pipe->closed)
		end_if_over(edge, pipe);
	else
		close_pipe(edge, pipe);
}

static void on_sent(struct edge *edge, struct pipe *pipe)
{
	size_t sent;
	int rv = pipe_sent(pipe, uv_now(edge->options.loop), &sent);
	edge->options.metrics->replies += sent;
	if (rv == 0) {
		if (!pipe->rx_pending && !pipe_clogged(pipe))
			read_on(edge, pipe);
		return;
	}
	if (!pipe->closed && rv == NNG_ETIMEDOUT)
		edge->options.metrics->closed_slow++;
	if (pipe->closed)
		end_if_over(edge, pipe);
	else
		close_pipe(edge, pipe);
}

static void on_wake(uv_poll_t *poll, int status, int readable)
{
	struct edge *edge = poll->data;
	const struct event *events;
	(void)status, (void)readable;
	size_t count = edge_events_take(&edge->events, &events);
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		switch (event->kind) {
		case EVENT_ACCEPTED:
			on_accepted(edge, event->subject);
			break;
		case EVENT_RECEIVED:
			on_received(edge, event->subject);
			break;
		case EVENT_SENT:
			on_sent(edge, event->subject);
			break;
		case EVENT_CHECKED:
			on_checked(event->subject);
			break;
		case EVENT_SEALED:
			on_sealed(event->subject);
			break;
		case EVENT_REPLY:
			on_reply(edge, event);
			break;
		}
	}
}

// ---- opening and closing

enum err edge_open(const struct edge_options *options, struct edge **out, const char **failed, char *reason)
{
	struct edge *edge = calloc(1, sizeof(*edge));
	if (!edge)
		return ERR_NO_MEMORY;
	*out = edge;
	edge->options = *options;
	edge_events_init(&edge->events, options->loop, on_wake, edge);
	edge->workers = workers_new(uv_available_parallelism() > WORKERS_MIN ? uv_available_parallelism() : WORKERS_MIN);
	if (!edge->workers)
		abort();
	uv_timer_init(options->loop, &edge->sweep);
	uv_timer_init(options->loop, &edge->retry);
	uv_timer_init(options->loop, &edge->drain);
	edge->sweep.data = edge->retry.data = edge->drain.data = edge;
	for (size_t i = 0; i < options->url_count; i++) {
		*failed = options->urls[i];
		if (i == LISTENERS_MAX ||
		    listen_start(&edge->listeners[i], options->urls[i], &options->tls, &edge->events, reason) != 0)
			return ERR_IO;
		edge->listener_count++;
	}
	return ERR_OK;
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
	on_retry(&edge->retry);
}

void edge_stop_listening(struct edge *edge)
{
	edge->stopping = true;
	uv_timer_stop(&edge->retry);
	for (size_t i = 0; i < edge->listener_count; i++)
		listen_stop(&edge->listeners[i]);
}

// Requests without their reply sent.
static size_t unanswered(const struct edge *edge)
{
	size_t count = 0;
	for (const struct pipe *pipe = edge->pipes; pipe; pipe = pipe->next)
		count += pipe->closed ? 0 : pipe->outstanding;
	return count;
}

static void on_drain(uv_timer_t *timer)
{
	struct edge *edge = timer->data;
	size_t left = unanswered(edge);
	if (left > 0 && uv_now(edge->options.loop) < edge->until_ms)
		return;
	if (left > 0)
		log_event(LOG_WARN, "replies_unsent", LOG_NUMBER("count", left));
	uv_timer_stop(&edge->drain);
	edge->drained(edge->drained_context);
}

void edge_drain(struct edge *edge, void (*done)(void *context), void *context)
{
	edge->drained = done;
	edge->drained_context = context;
	uv_update_time(edge->options.loop);
	edge->until_ms = uv_now(edge->options.loop) + DRAIN_MS_MAX;
	uv_timer_start(&edge->drain, on_drain, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
}

// A callback of nng's that never comes must not keep the process from ending.
static void on_overdue(uv_timer_t *timer)
{
	log_event(LOG_WARN, "connections_left");
	close_handles(timer->data);
}

void edge_close(struct edge *edge)
{
	edge_stop_listening(edge);
	edge->closing = true;
	uv_timer_start(&edge->drain, on_overdue, CLOSE_MS_MAX, 0);
	for (struct pipe *pipe = edge->pipes, *next; pipe; pipe = next) {
		next = pipe->next;
		close_pipe(edge, pipe);
	}
	if (over(edge))
		close_handles(edge);
}

void edge_free(struct edge *edge)
{
	workers_free(edge->workers); // they submit to the sequencer, which goes next
	if (!over(edge))
		return; // overdue: nng may still call back
	for (size_t i = 0; i < edge->listener_count; i++)
		listen_free(&edge->listeners[i]);
	for (size_t i = 0; i < edge->exchange_count; i++)
		free(edge->exchanges[i]);
	edge_events_fini(&edge->events);
	free(edge->exchanges);
	free(edge);
}
