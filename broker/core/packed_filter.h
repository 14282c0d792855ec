// A filter in the fewest words, in a pool: what the index keeps of each subscription beside its postings.
#ifndef OYEZ_CORE_PACKED_FILTER_H
#define OYEZ_CORE_PACKED_FILTER_H

#include "filter.h"
#include "pool.h"

uint32_t packed_filter_new(struct pool *pool, const struct filter *filter);
// The node lists point into the pool.
void packed_filter_get(const struct pool *pool, uint32_t at, struct filter *filter);
void packed_filter_free(struct pool *pool, uint32_t at);
// The same in another pool.
uint32_t packed_filter_move(const struct pool *from, struct pool *to, uint32_t at);

#endif
