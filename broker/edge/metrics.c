// Writes /metrics. One line a number; the list of commands gives the labels.
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "proto/frame.h"

void metrics_count_error_frame(struct metrics *metrics, const uint8_t *frame, size_t frame_bytes)
{
	enum frame_kind kind;
	if (frame_kind_of(frame, frame_bytes, &kind) != ERR_OK)
		return;
	uint32_t code = 0;
	if (kind == FRAME_ERROR) {
		Oyez__Error *error = oyez__error__unpack(NULL, frame_bytes - FRAME_HEADER_BYTES, frame + FRAME_HEADER_BYTES);
		code = error ? error->code : 0;
		oyez__error__free_unpacked(error, NULL);
	} else if (kind == FRAME_REPLY) {
		Oyez__Reply *reply = oyez__reply__unpack(NULL, frame_bytes - FRAME_HEADER_BYTES, frame + FRAME_HEADER_BYTES);
		if (reply && reply->body_case == OYEZ__REPLY__BODY_ERROR)
			code = reply->error->code;
		oyez__reply__free_unpacked(reply, NULL);
	}
	if (code > 0 && code < METRICS_ERRORS_MAX)
		metrics->frame_errors[code]++;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP oyez_%s %s\n# TYPE oyez_%s %s\n", name, help, name, type);
}

static void number(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "oyez_%s %" PRIu64 "\n", name, value);
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long total, resident = 0;
	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_edge(FILE *out, const struct metrics *metrics)
{
	number(out, "connections", "gauge", "connections open", metrics->connections);
	number(out, "connections_accepted_total", "counter", "connections taken", metrics->connections_accepted);
	number(out, "connections_refused_total", "counter", "connections beyond the limit", metrics->connections_refused);
	head(out, "connections_closed_total", "counter", "connections ended, by reason");
	fprintf(out, "oyez_connections_closed_total{reason=\"idle\"} %" PRIu64 "\n", (uint64_t)metrics->closed_idle);
	fprintf(out, "oyez_connections_closed_total{reason=\"slow\"} %" PRIu64 "\n", (uint64_t)metrics->closed_slow);
	fprintf(out, "oyez_connections_closed_total{reason=\"garbage\"} %" PRIu64 "\n", (uint64_t)metrics->closed_garbage);
	number(out, "requests_total", "counter", "requests received", metrics->requests);
	number(out, "replies_total", "counter", "replies handed to their connection", metrics->replies);
	number(out, "requests_busy_total", "counter", "requests answered with busy by the edge", metrics->busy);
	number(out, "requests_cancelled_total", "counter", "requests whose sender went away", metrics->cancelled);
	number(out, "requests_in_flight", "gauge", "requests not answered yet", metrics->in_flight);
	head(out, "request_errors_total", "counter", "requests refused before the service, by code");
	for (int code = 1; code < METRICS_ERRORS_MAX; code++)
		if (metrics->frame_errors[code])
			fprintf(out, "oyez_request_errors_total{code=\"%s\"} %" PRIu64 "\n", err_name((enum err)code),
			        (uint64_t)metrics->frame_errors[code]);
}

static const char *const command_names[COMMAND_COUNT] = {
#define X(KIND, handler, type, form) #KIND,
    COMMAND_LIST(X)
#undef X
};

static void write_commands(FILE *out, const char *name, const char *help, const uint64_t counts[COMMAND_COUNT])
{
	head(out, name, "counter", help);
	for (int kind = 0; kind < COMMAND_COUNT; kind++) {
		fprintf(out, "oyez_%s{kind=\"", name);
		for (const char *at = command_names[kind]; *at; at++)
			fputc(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at, out);
		fprintf(out, "\"} %" PRIu64 "\n", counts[kind]);
	}
}

static void write_links(FILE *out, const struct links_numbers *links)
{
	number(out, "links", "gauge", "other brokers this one works with", links->brokers);
	number(out, "links_connected", "gauge", "those of them that can be reached", links->connected);
	number(out, "links_in_conflict", "gauge", "brokers that showed two configurations under one number", links->conflicts);
	number(out, "cells_relayed_total", "counter", "cells carried to a home and back", links->relayed);
	number(out, "relay_errors_total", "counter", "cells without a reply cell", links->relay_errors);
	number(out, "pushes_total", "counter", "batches of box cells that a guardian took", links->pushed);
	number(out, "pushes_refused_total", "counter", "batches that a guardian refused", links->push_errors);
	number(out, "pushes_dropped_total", "counter", "batches for a guardian out of reach", links->push_dropped);
}

static void write_service(FILE *out, const struct service_numbers *numbers)
{
	write_commands(out, "commands_total", "commands applied, by kind", numbers->commands);
	write_commands(out, "refusals_total", "commands refused, by kind", numbers->refusals);
	number(out, "intents_waiting", "gauge", "intents not released yet", numbers->intents_waiting);
	number(out, "intents_released", "gauge", "intents in the market", numbers->intents_released);
	number(out, "vendors", "gauge", "vendors registered", numbers->vendors);
	number(out, "subscriptions", "gauge", "filters stored", numbers->subscriptions);
	number(out, "deals_open", "gauge", "deals accepted and not ended", numbers->deals_open);
	number(out, "feed_length", "gauge", "records in the feed", numbers->feed_length);
	number(out, "parked", "gauge", "long polls waiting", numbers->parked);
	number(out, "accounts", "gauge", "accounts at this guardian", numbers->accounts);
	number(out, "boxes_kept", "gauge", "boxes kept as a guardian", numbers->boxes_kept);
	number(out, "cells_kept", "gauge", "cells in these boxes", numbers->cells_kept);
	number(out, "vouchers_given_total", "counter", "vouchers given to accounts", numbers->vouchers_given);
	number(out, "cells_taken_total", "counter", "cells that home brokers pushed", numbers->cells_taken);
	number(out, "cells_missed_total", "counter", "cells that gave way to newer ones unread", numbers->cells_missed);
	number(out, "boxes_pushed", "gauge", "intents whose box schedule runs here", numbers->boxes_pushed);
	number(out, "box_cells_total", "counter", "cells made for boxes", numbers->box_cells);
	number(out, "posts_total", "counter", "intents posted", numbers->posts);
	number(out, "releases_total", "counter", "intents released", numbers->releases);
	number(out, "offers_total", "counter", "offers taken", numbers->offers);
	number(out, "accepts_total", "counter", "offers accepted", numbers->accepts);
	number(out, "withdrawn_total", "counter", "intents withdrawn", numbers->withdrawn);
	number(out, "expired_total", "counter", "intents expired", numbers->expired);
	head(out, "deals_total", "counter", "deals that reached a state");
	fprintf(out, "oyez_deals_total{state=\"countersigned\"} %" PRIu64 "\n", numbers->countersigned);
	fprintf(out, "oyez_deals_total{state=\"revealed\"} %" PRIu64 "\n", numbers->revealed);
	fprintf(out, "oyez_deals_total{state=\"concluded\"} %" PRIu64 "\n", numbers->concluded);
	fprintf(out, "oyez_deals_total{state=\"lapsed\"} %" PRIu64 "\n", numbers->lapsed);
	number(out, "commits_total", "counter", "transactions committed", numbers->commits);
	number(out, "commit_failures_total", "counter", "transactions that failed", numbers->commit_failures);
	number(out, "clock_held", "gauge", "1 while a jump of the clock stops expiry", numbers->clock_held);
}

void metrics_text(const struct metrics *metrics, const struct service_numbers *numbers, const char *version, char **out,
                  size_t *out_bytes)
{
	FILE *file = open_memstream(out, out_bytes);
	if (!file)
		abort();
	head(file, "build_info", "gauge", "the version that runs");
	fprintf(file, "oyez_build_info{version=\"%s\"} 1\n", version);
	number(file, "up_seconds", "gauge", "since the start, by the broker's clock",
	       (clock_now_ms() - metrics->started_at_ms) / 1000);
	number(file, "resident_memory_bytes", "gauge", "memory in use", resident_bytes());
	write_edge(file, metrics);
	write_links(file, &metrics->links);
	write_service(file, numbers);
	fclose(file);
}
