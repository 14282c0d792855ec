// A matcher workload read from files: trees.json, subscriptions.jsonl and releases.jsonl.
//
//   trees.json      {"categories": [PATH...], "regions": [PATH...]}; paths are dotted, root first
//   subscriptions   {"id", "mode": "exact" | "maybe", "categories", "regions": [PATH...], "budget": [MIN, MAX] in
//   euros,
//                   "terms": [NAME...], "condition": "new" | "used", "not_categories": [PATH...]}, one a line
//   releases        {"id", "category", "region", "budget", "terms": NAME, "condition": "new" | "used" | "any"}
// Absent is "any" for a subscription, "unknown" for a release. A path above those of trees.json is a node too; any
// other path that is not there is an error, but for not_categories: nothing can lie there, so nothing is excluded.
#ifndef OYEZ_TESTS_BENCH_WORKLOAD_H
#define OYEZ_TESTS_BENCH_WORKLOAD_H

#include "broker/core/filter.h"
#include "paths.h"

struct workload {
	struct paths categories, regions;
	struct trees trees;
	struct filter *filters;
	int64_t *filter_ids;
	size_t filter_count, filter_room;
	struct match_header *headers;
	int64_t *header_ids;
	size_t header_count, header_room;
	uint32_t *nodes; // all lists of the filters
	size_t node_count, node_room;
	char terms[TERMS_MAX][64]; // the roster, in the order seen
	size_t terms_count;
};

// Gives up with file and line on bad input.
void workload_load(struct workload *workload, const char *dir);
void workload_fini(struct workload *workload);

#endif
