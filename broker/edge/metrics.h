// Counters of the edge and their Prometheus text. Numbers only: no label names anything of an intent (invariant 9).
#ifndef OYEZ_EDGE_METRICS_H
#define OYEZ_EDGE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "broker/peer/links.h"
#include "broker/service/service.h"

enum { METRICS_ERRORS_MAX = 500 }; // error codes are below

// Written from any thread, read at /metrics.
struct metrics {
	atomic_uint_fast64_t connections, connections_accepted, connections_refused; // refused: as many as allowed are open
	atomic_uint_fast64_t closed_idle, closed_slow, closed_garbage; // garbage: what came was not SP, or nothing came
	atomic_uint_fast64_t requests, replies, busy, cancelled;
	atomic_uint_fast64_t in_flight;
	atomic_uint_fast64_t frame_errors[METRICS_ERRORS_MAX]; // answered before or instead of the service, by code
	uint64_t started_at_ms;
	struct links_numbers links; // as of the last look at /metrics
};

// Counts a reply frame that carries an error in clear.
void metrics_count_error_frame(struct metrics *metrics, const uint8_t *frame, size_t frame_bytes);
// Prometheus text format 0.0.4. *out is malloc'd.
void metrics_text(const struct metrics *metrics, const struct service_numbers *numbers, const char *version, char **out,
                  size_t *out_bytes);

#endif
