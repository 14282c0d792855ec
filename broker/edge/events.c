// Two arrays that change places: one fills while the other is handled. What can be queued is bounded by the exchanges
// and connections, which are bounded.
#include "events.h"

#include <stdlib.h>

void edge_events_init(struct edge_events *events, uv_loop_t *loop, uv_poll_cb wake, void *data)
{
	*events = (struct edge_events){0};
	uv_mutex_init(&events->mutex);
	wake_init(&events->wake);
	uv_poll_init(loop, &events->poll, events->wake.fd);
	uv_poll_start(&events->poll, UV_READABLE, wake);
	events->poll.data = data;
}

void edge_events_add(struct edge_events *events, struct event event)
{
	uv_mutex_lock(&events->mutex);
	if (events->closed) {
		uv_mutex_unlock(&events->mutex);
		free(event.bytes);
		shared_bytes_drop(event.shared);
		return;
	}
	if (events->queued == events->room) {
		events->room = events->room ? 2 * events->room : 256;
		events->queue = realloc(events->queue, events->room * sizeof(*events->queue));
		if (!events->queue)
			abort();
	}
	events->queue[events->queued++] = event;
	uv_mutex_unlock(&events->mutex);
	wake_send(&events->wake);
}

size_t edge_events_take(struct edge_events *events, const struct event **out)
{
	wake_clear(&events->wake);
	uv_mutex_lock(&events->mutex);
	struct event *filled = events->queue;
	size_t count = events->queued, room = events->room;
	events->queue = events->taken;
	events->room = events->taken_room;
	events->queued = 0;
	uv_mutex_unlock(&events->mutex);
	events->taken = filled;
	events->taken_room = room;
	*out = filled;
	return count;
}

void edge_events_close(struct edge_events *events)
{
	uv_mutex_lock(&events->mutex);
	events->closed = true;
	uv_mutex_unlock(&events->mutex);
	uv_close((uv_handle_t *)&events->poll, NULL);
}

void edge_events_fini(struct edge_events *events)
{
	for (size_t i = 0; i < events->queued; i++) {
		free(events->queue[i].bytes);
		shared_bytes_drop(events->queue[i].shared);
	}
	free(events->queue);
	free(events->taken);
	uv_mutex_destroy(&events->mutex);
	wake_fini(&events->wake);
}
