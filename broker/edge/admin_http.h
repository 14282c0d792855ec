// The operator's port: GET /healthz, /readyz, /metrics over HTTP (libwebsockets on the edge loop). Reads numbers and
// changes nothing; commands go over the ipc socket.
#ifndef OYEZ_EDGE_ADMIN_HTTP_H
#define OYEZ_EDGE_ADMIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "proto/err.h"

struct admin_http;

struct admin_http_source {
	void *context;
	// NULL when requests are served, else in a few words why not.
	const char *(*not_ready)(void *context);
	// *out is malloc'd.
	void (*metrics)(void *context, char **out, size_t *out_bytes);
};

// `host` and `port` (0: any free one). ERR_IO when the address cannot be listened on.
enum err admin_http_open(uv_loop_t *loop, const char *host, uint16_t port, const struct admin_http_source *source,
                         struct admin_http **out);
uint16_t admin_http_port(const struct admin_http *admin);
// Stops and closes; run the loop until it is empty, then admin_http_free.
void admin_http_close(struct admin_http *admin);
void admin_http_free(struct admin_http *admin);

#endif
