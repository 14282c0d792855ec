// Listeners of a socket: tcp, tls+tcp and ipc, with the limits every one of them gets.
#ifndef OYEZ_EDGE_LISTEN_H
#define OYEZ_EDGE_LISTEN_H

#include <nng/nng.h>
#include <stdbool.h>

struct listen_tls {
	const char *certificate, *key; // PEM files; NULL or empty without tls+tcp listeners
};

struct listener {
	nng_listener listener;
	char url[300]; // as it came out: a port 0 replaced by the real one
	bool ipc;
};

// Starts listening. 0 or an nng error; `reason` (at least 200 bytes) says in words what failed and what to do.
int listen_start(nng_socket socket, const char *url, const struct listen_tls *tls, struct listener *out,
                 char *reason);

#endif
