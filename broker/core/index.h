// Which subscriptions a release reaches. Returns ids and sends nothing; checks filters only, no rights.
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
// All hits, in no particular order, each once. *hits points into memory of the index, valid until its next call.
size_t index_match(struct index *index, const struct match_header *header, const struct index_hit **hits);
// The filter of a subscription in the index, NULL if it is not there. Valid until it is removed.
const struct filter *index_filter(const struct index *index, uint32_t number);

#endif
