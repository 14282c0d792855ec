// The edge for bots, command lines and brokers: the REP side of nng's REQ/REP over tcp, tls+tcp and ipc.
// Bytes in, bytes out: what a request means is the verifier's and the service's.
#ifndef OYEZ_EDGE_NNG_H
#define OYEZ_EDGE_NNG_H

#include <uv.h>

#include "broker/peer/links.h"
#include "broker/sequencer/local.h"
#include "broker/service/verify.h"
#include "listen.h"
#include "metrics.h"

struct edge;

struct edge_options {
	uv_loop_t *loop;
	struct verifier *verifier;
	struct metrics *metrics;
	struct links *links; // to other brokers, for relayed cells; NULL: there are none
	char *const *urls;
	size_t url_count;
	struct listen_tls tls;
	uint32_t connections_max; // local (ipc) ones are not counted
};

// Opens the listeners; requests wait until edge_serve. On error (ERR_IO) *failed is the address and `reason` (200
// bytes) says why and what to do.
enum err edge_open(const struct edge_options *options, struct edge **out, const char **failed, char *reason);
size_t edge_url_count(const struct edge *edge);
const char *edge_url(const struct edge *edge, size_t index);
void edge_serve(struct edge *edge, struct sequencer *sequencer);
// The sequencer_reply_fn; `context` is the edge.
void edge_reply(void *context, const struct effect *effect);

// Draining. First no new connections, and requests that come now are answered `stopping`; then, after sequencer_stop,
// edge_drain calls `done` when every reply was handed over, or after a few seconds.
void edge_stop_listening(struct edge *edge);
void edge_drain(struct edge *edge, void (*done)(void *context), void *context);
// Closes connections and handles; run the loop until it is empty, then edge_free.
void edge_close(struct edge *edge);
void edge_free(struct edge *edge);

#endif
