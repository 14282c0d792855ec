// One context of the socket per request under way. nng's callbacks only say which slot has ended a step; the loop takes
// the next one.
//
//   queue -> SLOT_SENDING -> SLOT_RECEIVING -> done
//
// A request whose connection breaks is not sent again by nng: the other side would refuse the same cell twice. It is
// given up, and whoever asked decides.
#include "link.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

enum {
	TIMEOUT_MS = 10 * 1000,
	PATIENCE_MS = 3 * 1000, // so long without a connection, requests still wait for one
	RECONNECT_MIN_MS = 50,
	RECONNECT_MAX_MS = 5 * 1000,
	SWEEP_MS = 250,
	CLOSE_S_MAX = 2,
};

enum slot_state { SLOT_FREE, SLOT_SENDING, SLOT_RECEIVING };

struct slot {
	struct link *link;
	nng_ctx context;
	nng_aio *aio;
	enum slot_state state;
	bool ended;        // a step; guarded by the mutex
	struct slot *next; // among the ended ones
	struct link_request request;
	uint64_t deadline_ms;
};

struct waiting {
	struct link_request request;
	uint64_t deadline_ms;
};

struct link {
	struct link_options options;
	nng_socket socket;
	uv_async_t wake;
	uv_timer_t sweep;

	uv_mutex_t mutex; // guards what follows, which nng's threads write
	struct slot *ended;
	bool came, went, up; // connections since the loop last looked, and whether there is one now
	bool handles_closed;

	struct slot slots[LINK_IN_FLIGHT_MAX];
	size_t in_flight;
	struct waiting queue[LINK_QUEUE_MAX]; // a ring
	size_t queue_first, queue_count;
	bool connected, closing;
	uint64_t lost_at_ms; // since when there is no connection
};

// ---- nng's threads

static void on_step(void *context)
{
	struct slot *slot = context;
	struct link *link = slot->link;
	uv_mutex_lock(&link->mutex);
	slot->ended = true;
	slot->next = link->ended;
	link->ended = slot;
	if (!link->handles_closed)
		uv_async_send(&link->wake);
	uv_mutex_unlock(&link->mutex);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
	struct link *link = context;
	(void)pipe;
	uv_mutex_lock(&link->mutex);
	link->up = event == NNG_PIPE_EV_ADD_POST;
	link->came |= link->up;
	link->went |= !link->up;
	if (!link->handles_closed)
		uv_async_send(&link->wake);
	uv_mutex_unlock(&link->mutex);
}

// ---- the loop

static uint64_t now_of(struct link *link)
{
	uv_update_time(link->options.loop);
	return uv_now(link->options.loop);
}

static void end_request(struct link_request *request, enum err err, const uint8_t *frame, size_t count)
{
	struct link_request ended = *request;
	*request = (struct link_request){0};
	free(ended.frame);
	if (ended.done)
		ended.done(ended.context, ended.number, err, frame, count);
}

static void slot_free(struct slot *slot)
{
	slot->state = SLOT_FREE;
	slot->link->in_flight--;
}

static bool slot_send(struct slot *slot, struct waiting *waiting, uint64_t now_ms)
{
	nng_msg *message;
	if (nng_msg_alloc(&message, 0) != 0)
		return false;
	if (nng_msg_append(message, waiting->request.frame, waiting->request.count) != 0) {
		nng_msg_free(message);
		return false;
	}
	slot->request = waiting->request;
	free(slot->request.frame); // the message has it
	slot->request.frame = NULL;
	slot->deadline_ms = waiting->deadline_ms;
	slot->state = SLOT_SENDING;
	slot->link->in_flight++;
	nng_aio_set_msg(slot->aio, message);
	nng_aio_set_timeout(slot->aio, (nng_duration)(slot->deadline_ms - now_ms));
	nng_ctx_send(slot->context, slot->aio);
	return true;
}

static struct slot *free_slot(struct link *link)
{
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		if (link->slots[i].state == SLOT_FREE)
			return &link->slots[i];
	return NULL;
}

static struct waiting take_first(struct link *link)
{
	struct waiting first = link->queue[link->queue_first];
	link->queue_first = (link->queue_first + 1) % LINK_QUEUE_MAX;
	link->queue_count--;
	return first;
}

static void send_on(struct link *link)
{
	uint64_t now_ms = now_of(link);
	while (link->queue_count > 0 && link->connected && !link->closing) {
		struct slot *slot = free_slot(link);
		if (!slot)
			return;
		struct waiting waiting = take_first(link);
		if (waiting.deadline_ms <= now_ms || !slot_send(slot, &waiting, now_ms))
			end_request(&waiting.request, ERR_HOME_UNREACHABLE, NULL, 0);
	}
}

static void on_sent(struct slot *slot)
{
	uint64_t now_ms = now_of(slot->link);
	uint64_t left_ms = slot->deadline_ms > now_ms ? slot->deadline_ms - now_ms : 1;
	slot->state = SLOT_RECEIVING;
	nng_aio_set_timeout(slot->aio, (nng_duration)left_ms);
	nng_ctx_recv(slot->context, slot->aio);
}

static void on_ended(struct slot *slot)
{
	int rv = nng_aio_result(slot->aio);
	enum err given_up = slot->link->closing ? ERR_STOPPING : ERR_HOME_UNREACHABLE;
	if (slot->state == SLOT_SENDING && rv == 0 && !slot->link->closing) {
		on_sent(slot);
		return;
	}
	if (rv != 0 || slot->state == SLOT_SENDING) {
		if (slot->state == SLOT_SENDING && rv != 0)
			nng_msg_free(nng_aio_get_msg(slot->aio)); // not taken, so still ours
		slot_free(slot);
		end_request(&slot->request, given_up, NULL, 0);
		return;
	}
	nng_msg *message = nng_aio_get_msg(slot->aio);
	slot_free(slot);
	end_request(&slot->request, ERR_OK, nng_msg_body(message), nng_msg_len(message));
	nng_msg_free(message);
}

static void close_handles_if_over(struct link *link)
{
	if (!link->closing || link->in_flight > 0 || link->handles_closed)
		return;
	uv_mutex_lock(&link->mutex);
	link->handles_closed = true;
	uv_mutex_unlock(&link->mutex);
	uv_close((uv_handle_t *)&link->wake, NULL);
	uv_close((uv_handle_t *)&link->sweep, NULL);
}

static void cancel_all(struct link *link)
{
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		if (link->slots[i].state != SLOT_FREE)
			nng_aio_cancel(link->slots[i].aio);
}

static void on_wake(uv_async_t *wake)
{
	struct link *link = wake->data;
	uv_mutex_lock(&link->mutex);
	struct slot *slot = link->ended;
	bool came = link->came && link->up, went = link->went;
	link->ended = NULL;
	link->came = link->went = false;
	uv_mutex_unlock(&link->mutex);
	while (slot) {
		struct slot *next = slot->next;
		slot->ended = false;
		on_ended(slot);
		slot = next;
	}
	if (went && link->connected) {
		link->connected = false;
		link->lost_at_ms = now_of(link);
		cancel_all(link);
	}
	if (came && !link->closing) {
		link->connected = true;
		if (link->options.connected)
			link->options.connected(link->options.context);
	}
	send_on(link);
	close_handles_if_over(link);
}

static void on_sweep(uv_timer_t *timer)
{
	struct link *link = timer->data;
	uint64_t now_ms = now_of(link);
	while (link->queue_count > 0 && link->queue[link->queue_first].deadline_ms <= now_ms) {
		struct waiting waiting = take_first(link);
		end_request(&waiting.request, ERR_HOME_UNREACHABLE, NULL, 0);
	}
}

static size_t count_of(const struct link *link, const struct id *owner)
{
	size_t count = 0;
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		count += link->slots[i].state != SLOT_FREE && id_equal(&link->slots[i].request.owner, owner);
	for (size_t i = 0; i < link->queue_count; i++)
		count += id_equal(&link->queue[(link->queue_first + i) % LINK_QUEUE_MAX].request.owner, owner);
	return count;
}

static enum err may_ask(struct link *link, const struct id *owner, uint64_t now_ms)
{
	static const struct id nobody;
	if (link->closing)
		return ERR_STOPPING;
	if (!link->connected && now_ms - link->lost_at_ms > PATIENCE_MS)
		return ERR_HOME_UNREACHABLE;
	if (link->queue_count == LINK_QUEUE_MAX)
		return ERR_BUSY;
	return !id_equal(owner, &nobody) && count_of(link, owner) >= LINK_OWNER_MAX ? ERR_BUSY : ERR_OK;
}

enum err link_ask(struct link *link, const struct link_request *request)
{
	uint64_t now_ms = now_of(link);
	enum err err = may_ask(link, &request->owner, now_ms);
	if (err) {
		free(request->frame);
		return err;
	}
	link->queue[(link->queue_first + link->queue_count++) % LINK_QUEUE_MAX] =
	    (struct waiting){*request, now_ms + link->options.timeout_ms};
	uv_async_send(&link->wake); // not from within: `done` comes later
	return ERR_OK;
}

bool link_is_connected(const struct link *link)
{
	return link->connected;
}

// ---- opening and closing

// As clients do: brokers prove themselves by what they sign, and what matters is sealed; TLS hides the traffic.
static int dial(struct link *link)
{
	nng_dialer dialer;
	int rv = nng_dialer_create(&dialer, link->socket, link->options.url);
	if (!rv && strncmp(link->options.url, "tls+", 4) == 0)
		rv = nng_dialer_set_int(dialer, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_NONE);
	return rv ? rv : nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
}

static bool open_slots(struct link *link)
{
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++) {
		struct slot *slot = &link->slots[i];
		slot->link = link;
		if (nng_ctx_open(&slot->context, link->socket) != 0 || nng_aio_alloc(&slot->aio, on_step, slot) != 0)
			return false;
	}
	return true;
}

enum err link_open(const struct link_options *options, struct link **out)
{
	struct link *link = calloc(1, sizeof(*link));
	*out = NULL;
	if (!link)
		return ERR_NO_MEMORY;
	link->options = *options;
	if (!link->options.timeout_ms)
		link->options.timeout_ms = TIMEOUT_MS;
	if (nng_req0_open(&link->socket) != 0) {
		free(link);
		return ERR_NO_MEMORY;
	}
	uv_mutex_init(&link->mutex);
	uv_async_init(options->loop, &link->wake, on_wake);
	uv_timer_init(options->loop, &link->sweep);
	link->wake.data = link->sweep.data = link;
	link->lost_at_ms = now_of(link);
	*out = link;
	nng_socket_set_ms(link->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	nng_socket_set_size(link->socket, NNG_OPT_RECVMAXSZ, REPLY_BYTES_MAX);
	nng_socket_set_ms(link->socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
	nng_socket_set_ms(link->socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
	nng_pipe_notify(link->socket, NNG_PIPE_EV_ADD_POST, on_pipe, link);
	nng_pipe_notify(link->socket, NNG_PIPE_EV_REM_POST, on_pipe, link);
	uv_timer_start(&link->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	if (!open_slots(link))
		return ERR_NO_MEMORY;
	return dial(link) == 0 ? ERR_OK : ERR_IO;
}

void link_close(struct link *link)
{
	if (link->closing)
		return;
	link->closing = true;
	while (link->queue_count > 0) {
		struct waiting waiting = take_first(link);
		end_request(&waiting.request, ERR_STOPPING, NULL, 0);
	}
	cancel_all(link);
	uv_async_send(&link->wake);
}

static void *close_socket(void *argument)
{
	struct link *link = argument;
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		if (link->slots[i].aio)
			nng_aio_stop(link->slots[i].aio);
	nng_close(link->socket);
	return NULL;
}

// nng 1.5.2 may never return from closing a socket whose other side sends at that moment; then what it may still touch
// is left to the end of the process.
void link_free(struct link *link)
{
	pthread_t thread;
	struct timespec until;
	if (pthread_create(&thread, NULL, close_socket, link) != 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S_MAX;
	if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
		pthread_detach(thread);
		return;
	}
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		if (link->slots[i].aio)
			nng_aio_free(link->slots[i].aio);
	uv_mutex_destroy(&link->mutex);
	free(link);
}
