// How many past releases a filter would have matched, for this vendor: both halves of the match, counted by category
// and region. Nothing else leaves: no id, no time of a single one, whether it still stands. Releases that are gone
// count too; every vendor whose filter fitted has seen their facets, and classes are as large as the crowd they left
// in.
#include "internal.h"

#include "proto/region.h"

enum { COUNT_WAIT_MS = 10 * 1000 }; // a broker so busy that this is not enough has no time for statistics

static bool counts_already(const struct service *service, const struct id *vendor)
{
	for (const struct parked *parked = service->parking.all; parked; parked = parked->next)
		if (parked->kind == PARKED_COUNT && id_equal(&parked->sender, vendor))
			return true;
	return false;
}

enum err handle_would_match(struct service *service, const struct command *command, const Oyez__WouldMatch *message)
{
	struct filter filter;
	enum err err =
	    filter_of_words(service->config.taxonomy, message->filter, &service->arena, &filter, &service->detail);
	if (err)
		return err;
	if (counts_already(service, &command->sender))
		return ERR_BUSY; // one at a time: the readers are for everybody
	struct parked request = {
	    .kind = PARKED_COUNT,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + COUNT_WAIT_MS,
	};
	err = parking_add(service, &request);
	if (err)
		return err;
	struct scan *scan = scan_new(SCAN_COUNT, service->store, &service->trees, &service->vendor.facts, 1);
	struct scan_pair *pair = scan_add_pair(scan, &filter);
	pair->after = store_feed_first(service->store) - 1;
	scan->since_ms = message->since_ms;
	scan_start(service, service->parking.all, scan);
	return ERR_OK;
}

bool would_match_resume(struct service *service, struct parked *parked, bool final)
{
	if (!final)
		return false; // woken by something else; the scan's end brings the answer
	reply_error(service, parked->origin, REPLY_VENDOR, ERR_BUSY, NULL);
	return true;
}

static void fill_rows(struct service *service, const struct scan *scan, Oyez__WouldMatchReply *out)
{
	out->n_rows = scan->top_count;
	out->rows = arena_alloc(&service->arena, out->n_rows * sizeof *out->rows);
	for (size_t i = 0; i < out->n_rows; i++) {
		Oyez__WouldMatchRow *row = arena_alloc(&service->arena, sizeof *row);
		oyez__would_match_row__init(row);
		const char *category = taxonomy_id(service->config.taxonomy, scan->top[i].category);
		const char *region = region_code(scan->top[i].region);
		row->category = (char *)(category ? category : "");
		row->region = (char *)(region ? region : "");
		row->count = scan->top[i].count;
		out->rows[i] = row;
	}
}

void would_match_scanned(struct service *service, struct parked *parked, const struct scan *scan)
{
	if (scan->failed || !scan->done) {
		reply_error(service, parked->origin, REPLY_VENDOR, ERR_UNAVAILABLE, NULL);
		return;
	}
	Oyez__WouldMatchReply count = OYEZ__WOULD_MATCH_REPLY__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	count.count = scan->count;
	count.certain = scan->certain;
	count.scanned = scan->looked;
	count.from_ms = scan->from_ms;
	fill_rows(service, scan, &count);
	reply.body_case = OYEZ__REPLY__BODY_WOULD_MATCH;
	reply.would_match = &count;
	reply_vendor(service, parked->origin, &reply);
}
