// A scan: what has to walk the past feed and must not do so on the state thread. The service describes it, somebody
// runs it over snapshots of the store (scan_run, any thread), the service takes the result back as part of a batch.
// It is a function of its description and of what is committed; it changes nothing.
//
//   service_apply ... service_commit -> service_scan_next -> scan_run until it says done -> service_scan_done in a
//   batch
//
// Two kinds: a fetch looks for a vendor's next events behind what the service remembers; a count says how many past
// releases a filter would have matched.
#ifndef OYEZ_SERVICE_SCAN_H
#define OYEZ_SERVICE_SCAN_H

#include "broker/core/sieve.h"
#include "broker/store/store.h"
#include "proto/id.h"

enum {
	SCAN_HEADERS_PER_STEP = 4096,
	SCAN_HEADERS_MAX = 4 * 1024 * 1024, // of one fetch; it goes on with the next
	SCAN_DENSE_MAX = 8 * 1024 * 1024,   // places; only those touched take memory
};

enum scan_kind { SCAN_FETCH, SCAN_COUNT };

struct scan_hit {
	uint32_t pair;
	uint64_t seq;
};

// One subscription of a fetch, or the filter of a count.
struct scan_pair {
	struct id subscription;
	uint32_t pair;         // of the fetch
	struct filter *filter; // its own copy
	uint64_t from_seq;     // began behind it
	uint64_t after;        // looked at up to here
	uint64_t start_seq;    // tombstones of releases up to here are not for it
	uint64_t received_seq; // as of the beginning: releases up to here may be with the vendor
	uint64_t held_seq;     // the same, with those found since
	bool done;             // looked at everything the last snapshot had
};

struct scan_count {
	uint32_t category, region;
	uint64_t count;
};

struct parked;
struct scan {
	enum scan_kind kind;
	struct scan *next;      // of the service's lists
	struct parked *waiting; // the service's: who gets the result; NULL once it went away
	uint64_t origin;        // of the request it is for
	struct store *store;
	struct trees trees;
	struct vendor_facts facts;
	struct scan_pair *pairs;
	size_t pair_count, pair_at;
	struct sieve *sieve; // of the pair at work
	uint64_t headers;    // looked at
	uint32_t step;       // headers between two questions to go_on
	bool done;
	bool failed; // no snapshot could be had
	// of a fetch:
	size_t hits_max, hit_count;
	struct scan_hit *hits;
	// of a count:
	uint64_t since_ms, from_ms, count, certain, looked;
	uint32_t *dense;           // a table of all categories and regions, where that is not too large; else
	struct scan_count *counts; // a hash table, `count` 0: free
	size_t count_used, count_room;
	struct scan_count top[WOULD_MATCH_ROWS_MAX]; // once done: the most frequent, in order
	size_t top_count;
};

// For the service. `filter` is copied.
struct scan *scan_new(enum scan_kind kind, struct store *store, const struct trees *trees,
                      const struct vendor_facts *facts, size_t pairs_max);
struct scan_pair *scan_add_pair(struct scan *scan, const struct filter *filter);
void scan_free(struct scan *scan);

// One slice, in a snapshot of its own: goes on until the scan is done or `go_on` says no (asked every few thousand
// headers; NULL: until it is done). True when it is done. From any thread if store_reads_beside, else between batches.
bool scan_run(struct scan *scan, bool (*go_on)(void *context), void *context);

#endif
