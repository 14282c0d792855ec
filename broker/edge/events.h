// What other threads tell the edge loop: nng's callbacks, workers and the state thread put an event here and wake it.
#ifndef OYEZ_EDGE_EVENTS_H
#define OYEZ_EDGE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "broker/base/shared_bytes.h"
#include "broker/base/wake.h"

struct event {
	enum event_kind {
		EVENT_ACCEPTED, // `subject` is a listener whose accept ended
		EVENT_RECEIVED, // `subject` is a pipe whose receive ended
		EVENT_SENT,     // `subject` is a pipe whose send ended
		EVENT_CHECKED,  // `subject` is an exchange whose request was checked
		EVENT_SEALED,   // `subject` is an exchange whose reply is ready
		EVENT_REPLY,    // `number` is the origin, `flag` the form; `bytes` (malloc'd) the reply, NULL if cancelled
	} kind;
	int flag;
	void *subject;
	uint64_t number;
	uint8_t *bytes;
	size_t count;
	struct shared_bytes *shared; // the reply in place of `bytes`: one share of it
};

struct edge_events {
	uv_mutex_t mutex;
	struct wake wake;
	uv_poll_t poll;
	bool closed;
	struct event *queue, *taken; // filled by other threads; being handled by the loop
	size_t queued, room, taken_room;
};

void edge_events_init(struct edge_events *events, uv_loop_t *loop, uv_poll_cb wake, void *data);
// From any thread. Takes over `event.bytes`.
void edge_events_add(struct edge_events *events, struct event event);
// Everything there is, in order; valid until the next call. On the loop only.
size_t edge_events_take(struct edge_events *events, const struct event **out);
// Nothing is taken from now on; edge_events_fini, once the loop closed the handle, frees what is still queued.
void edge_events_close(struct edge_events *events);
void edge_events_fini(struct edge_events *events);

#endif
