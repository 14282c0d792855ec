// Which subscriptions a release reaches. Returns ids and sends nothing; checks filters only, no rights.
//
// Threads: an index that nobody changes may be asked by any number of threads at once, each with hits of its own; so a
// batch of releases can be shared out among readers. Inserting and removing need the index alone.
#ifndef OYEZ_CORE_INDEX_H
#define OYEZ_CORE_INDEX_H

#include <stddef.h>

#include "filter.h"

struct index;

// `trees` must outlive the index.
struct index *index_new(const struct trees *trees);
void index_free(struct index *index);
// `number` is the caller's dense number for the subscription, not in the index yet. The filter is copied.
void index_insert(struct index *index, uint32_t number, const struct filter *filter);
void index_remove(struct index *index, uint32_t number);
size_t index_count(const struct index *index);

struct index_hit {
	uint32_t number;
	uint32_t maybe;
};
// Where the answers go; {0} to begin with, reused from call to call, given back with index_hits_fini.
struct index_hits {
	struct index_hit *items;
	size_t count, room;
};
void index_hits_fini(struct index_hits *hits);

// Replaces what *hits held by all hits, in no particular order, each once. Returns their count.
size_t index_match(const struct index *index, const struct match_header *header, struct index_hits *hits);
// The filter of a subscription in the index, false if it is not there. Its node lists are the index's, valid until the
// next insertion or removal.
bool index_filter(const struct index *index, uint32_t number, struct filter *filter);

#endif
