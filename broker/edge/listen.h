// Listeners: tcp, tls+tcp and ipc, as byte streams (nng's nng_stream). Each accepts one connection at a time and tells
// the edge loop by an event.
#ifndef OYEZ_EDGE_LISTEN_H
#define OYEZ_EDGE_LISTEN_H

#include <nng/nng.h>
#include <stdbool.h>

#include "events.h"

struct listen_tls {
	const char *certificate, *key; // PEM files; NULL or empty without tls+tcp listeners
};

struct listener {
	nng_stream_listener *listener;
	nng_aio *accept;
	struct edge_events *events;
	char url[300]; // as it came out: a port 0 replaced by the real one
	bool ipc;
	bool accepting; // an EVENT_ACCEPTED will come
	bool closed;
};

// Starts listening. 0 or an nng error; `reason` (at least 200 bytes) says in words what failed and what to do.
int listen_start(struct listener *listener, const char *url, const struct listen_tls *tls, struct edge_events *events,
                 char *reason);
// Asks for the next connection.
void listen_accept(struct listener *listener);
// At EVENT_ACCEPTED: the connection, NULL with the nng error in *rv if there is none.
nng_stream *listen_accepted(struct listener *listener, int *rv);
// No new connections; an EVENT_ACCEPTED may still come.
void listen_stop(struct listener *listener);
void listen_free(struct listener *listener);

#endif
