// One request's way: send, wait, and again with the same inner bytes where that helps; call_seal.c wraps and opens.
// nng's threads only set a flag and write to the event descriptor; all else happens on the thread that waits.
#include "clients/lib/call.h"

#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

enum {
	CONNECT_LOCAL_MS = 3000,
	CONNECT_REMOTE_MS = 10000,
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 5000,
	REFRESHES_MAX = 3, // new configurations for one request: more means it will not get better
	REPLAYS_MAX = 5,
	HOME_TRIES_MAX = 6, // some 5 s
};

uint64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_aio(void *context)
{
	struct transport_call *call = context;
	atomic_store(&call->event, true);
	eventfd_write(call->transport->event_fd, 1);
}

static void call_close(struct transport_call *call)
{
	if (call->context_open)
		nng_ctx_close(call->context);
	call->context_open = false;
	if (call->aio) {
		nng_aio_stop(call->aio);
		nng_msg *message = nng_aio_get_msg(call->aio);
		if (message && nng_aio_result(call->aio) == 0 && call->state == CALL_RECEIVING)
			nng_msg_free(message);
		else if (message && nng_aio_result(call->aio) != 0 && call->state == CALL_SENDING)
			nng_msg_free(message); // nng did not take it
		nng_aio_free(call->aio);
	}
	call->aio = NULL;
}

static void call_done(struct transport_call *call, enum err code, const char *detail)
{
	call_close(call);
	call->state = CALL_DONE;
	call->error.code = code;
	snprintf(call->error.detail, sizeof(call->error.detail), "%.255s", detail ? detail : "");
}

// Exponential with jitter: many clients that were turned away together do not come back together.
static void call_pause(struct transport_call *call)
{
	call_close(call);
	unsigned shift = call->tries < 6 ? call->tries : 6;
	uint32_t span_ms = BACKOFF_MIN_MS << shift;
	if (span_ms > BACKOFF_MAX_MS)
		span_ms = BACKOFF_MAX_MS;
	call->tries++;
	call->resume_ms = monotonic_ms() + span_ms / 2 + randombytes_uniform(span_ms / 2 + 1);
	call->state = CALL_PAUSED;
}

// ---- out

static void call_send(struct transport_call *call)
{
	nng_msg *message;
	enum err err = call_fill(call, &message);
	if (err) {
		call_done(call, err, NULL);
		return;
	}
	atomic_store(&call->event, false);
	if (nng_ctx_open(&call->context, call->transport->socket) != 0) {
		nng_msg_free(message);
		call_done(call, ERR_NO_MEMORY, NULL);
		return;
	}
	call->context_open = true;
	nng_ctx_set_ms(call->context, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	if (nng_aio_alloc(&call->aio, on_aio, call) != 0) {
		nng_msg_free(message);
		call_done(call, ERR_NO_MEMORY, NULL);
		return;
	}
	nng_aio_set_msg(call->aio, message);
	call->state = CALL_SENDING;
	nng_ctx_send(call->context, call->aio);
}

// ---- in

// New keys and a new idea of the time, then another try. Of two layers the one that refused is asked anew.
static void call_refresh(struct transport_call *call)
{
	struct oyez_error refusal = call->error, problem = {0};
	if (call->refreshes++ >= REFRESHES_MAX) {
		call_done(call, refusal.code, refusal.detail);
		return;
	}
	call_drop_replies(call);
	call_pause(call);
	bool two = call->home != call->transport;
	enum err err = ERR_OK;
	if (!two || call->layer != LAYER_NONE)
		err = transport_refresh(call->transport, &problem);
	if (!err && two && call->layer != LAYER_GUARDIAN)
		err = transport_refresh(call->home, &problem);
	if (err)
		call_done(call, problem.code, problem.detail);
}

// The one place that decides what is worth another try.
static void call_judge(struct transport_call *call)
{
	struct oyez_error refusal = call->error;
	switch (refusal.code) {
	case ERR_OK:
		call_done(call, ERR_OK, NULL);
		return;
	case ERR_BUSY:
	case ERR_STOPPING:
	case ERR_UNAVAILABLE:
		break;
	case ERR_HOME_UNREACHABLE: // as long as one waits for a broker of one's own
		if (call->tries < HOME_TRIES_MAX)
			break;
		call_done(call, refusal.code, refusal.detail);
		return;
	case ERR_CELL_REPLAYED: // nng sent the same cell again over a new connection
		if (call->tries < REPLAYS_MAX)
			break;
		call_done(call, refusal.code, refusal.detail);
		return;
	case ERR_CELL_STALE:
	case ERR_CELL_SEALED:
		call_refresh(call);
		return;
	case ERR_STALE: // of the guardian: its records are made anew for each try; a customer's own are not
		if (call->layer == LAYER_GUARDIAN)
			call_refresh(call);
		else
			call_done(call, refusal.code, refusal.detail);
		return;
	default:
		call_done(call, refusal.code, refusal.detail);
		return;
	}
	call_drop_replies(call);
	call_pause(call);
}

static void call_receive(struct transport_call *call)
{
	nng_msg *message = nng_aio_get_msg(call->aio);
	nng_aio_set_msg(call->aio, NULL);
	call->error = (struct oyez_error){.code = ERR_OK};
	enum err err = call_open_frame(call, nng_msg_body(message), nng_msg_len(message));
	nng_msg_free(message);
	if (err)
		call_done(call, err, "the broker's reply");
	else
		call_judge(call);
}

static void call_event(struct transport_call *call)
{
	int nng_err = nng_aio_result(call->aio);
	if (nng_err) {
		if (nng_err == NNG_EMSGSIZE || nng_err == NNG_ENOTSUP)
			call_done(call, ERR_INTERNAL, nng_strerror(nng_err));
		else
			call_pause(call);
	} else if (call->state == CALL_SENDING) {
		call->state = CALL_RECEIVING;
		nng_aio_set_msg(call->aio, NULL);
		nng_ctx_recv(call->context, call->aio);
	} else {
		call_receive(call);
	}
}

static void call_give_up(struct transport_call *call)
{
	struct oyez_error last = call->error;
	if (last.code)
		call_done(call, last.code, last.detail);
	else
		call_done(call, ERR_UNREACHABLE, call->transport->url.address);
}

// When this call wants to be looked at again without an event.
static uint64_t call_due_ms(const struct transport_call *call)
{
	uint64_t due_ms = call->deadline_ms;
	if (call->state == CALL_PAUSED && call->resume_ms < due_ms)
		due_ms = call->resume_ms;
	bool connecting = !atomic_load(&call->transport->was_connected);
	if (connecting && call->connect_by_ms < due_ms)
		due_ms = call->connect_by_ms;
	return due_ms;
}

static void call_step(struct transport_call *call)
{
	uint64_t now_ms = monotonic_ms();
	if (call->state == CALL_DONE)
		return;
	if (call->aio && atomic_exchange(&call->event, false))
		call_event(call);
	else if (now_ms >= call->deadline_ms)
		call_give_up(call);
	else if (!atomic_load(&call->transport->was_connected) && now_ms >= call->connect_by_ms)
		call_done(call, ERR_UNREACHABLE, call->transport->url.address);
	else if (call->state == CALL_PAUSED && now_ms >= call->resume_ms)
		call_send(call);
}

void calls_run(struct transport *transport, uint64_t until_ms)
{
	eventfd_t unused;
	eventfd_read(transport->event_fd, &unused);
	for (struct transport_call *call = transport->calls, *next; call; call = next) {
		next = call->next;
		call_step(call);
	}
	uint64_t due_ms = until_ms;
	for (struct transport_call *call = transport->calls; call; call = call->next) {
		if (call->state == CALL_DONE)
			due_ms = 0;
		else if (call_due_ms(call) < due_ms)
			due_ms = call_due_ms(call);
	}
	uint64_t now_ms = monotonic_ms();
	if (due_ms > now_ms) {
		uint64_t wait_ms = due_ms - now_ms < INT32_MAX ? due_ms - now_ms : INT32_MAX;
		struct pollfd fd = {.fd = transport->event_fd, .events = POLLIN};
		poll(&fd, 1, (int)wait_ms);
	}
}

enum err call_start(struct transport *transport, enum frame_kind kind, enum call_content content, uint8_t *inner,
                    size_t inner_bytes, uint64_t timeout_ms, void *tag, struct transport_call **out)
{
	struct transport *carrier = transport->through ? transport->through : transport;
	struct oyez_error problem = {0};
	enum err err = transport_dial(carrier, &problem);
	if (!err && content != CONTENT_FRAME)
		err = transport_config(carrier, NULL, &problem);
	if (!err && content != CONTENT_FRAME && carrier != transport)
		err = transport_config(transport, NULL, &problem);
	struct transport_call *call = err ? NULL : calloc(1, sizeof(*call));
	if (!call) {
		sodium_memzero(inner, inner_bytes);
		free(inner);
		return err ? err : ERR_NO_MEMORY;
	}
	call->transport = carrier;
	call->home = transport;
	call->kind = kind;
	call->content = content;
	call->inner = inner;
	call->inner_bytes = inner_bytes;
	call->deadline_ms = monotonic_ms() + timeout_ms;
	call->connect_by_ms = monotonic_ms() + (carrier->url.is_local ? CONNECT_LOCAL_MS : CONNECT_REMOTE_MS);
	call->tag = tag;
	call->next = carrier->calls;
	carrier->calls = call;
	call_send(call);
	*out = call;
	return ERR_OK;
}

void call_complete(struct transport_call *call)
{
	while (call->state != CALL_DONE)
		calls_run(call->transport, UINT64_MAX);
}

void call_free(struct transport_call *call)
{
	struct transport_call **link = &call->transport->calls;
	while (*link && *link != call)
		link = &(*link)->next;
	if (*link)
		*link = call->next;
	call_close(call);
	call_drop_replies(call);
	cell_exchange_wipe(&call->exchange);
	cell_exchange_wipe(&call->envelope);
	if (call->inner)
		sodium_memzero(call->inner, call->inner_bytes);
	free(call->inner);
	free(call);
}

void calls_free_of(struct transport *carrier, const struct transport *home)
{
	for (struct transport_call *call = carrier->calls, *next; call; call = next) {
		next = call->next;
		if (call->home == home)
			call_free(call);
	}
}

void transport_call_cancel(struct transport_call *call)
{
	if (call)
		call_free(call);
}

void *transport_call_tag(const struct transport_call *call)
{
	return call->tag;
}

enum err transport_call_finish(struct transport_call *call, Oyez__CustomerReply **customer_reply, Oyez__Reply **reply,
                               struct oyez_error *error)
{
	enum err err = call->error.code;
	if (error)
		*error = call->error;
	if (!err && customer_reply) {
		*customer_reply = call->customer_reply;
		call->customer_reply = NULL;
	}
	if (!err && reply) {
		*reply = call->reply;
		call->reply = NULL;
	}
	call_free(call);
	return err;
}
