// The newest records of the feed in memory, headers and encoded items: who is near the end is served from here and asks
// the store nothing. Bounded in records and in bytes, whoever reads or does not read. Derived: after a failed commit
// and at the start it is empty, and those behind it are served by scans.
#ifndef OYEZ_SERVICE_FEED_TAIL_H
#define OYEZ_SERVICE_FEED_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/core/filter.h"

enum { TAIL_RECORDS_MAX = 65536, TAIL_BYTES_MAX = 32 * 1024 * 1024 };

struct tail_item {
	uint8_t *bytes; // a FeedItem without `pair` and `maybe`, the same for everybody; NULL once the release is gone
	uint32_t count;
};

struct feed_tail {
	uint64_t after;                    // records after it are here, up to the feed's last
	uint32_t count, room, records_max; // room: a power of two, or 0
	size_t bytes;
	struct match_header *headers; // by position modulo room
	struct tail_item *items;
};

// At most `records_max` records; 0: TAIL_RECORDS_MAX.
void feed_tail_init(struct feed_tail *tail, uint32_t records_max);
void feed_tail_fini(struct feed_tail *tail);
// Empties it: the next record comes after `last`.
void feed_tail_reset(struct feed_tail *tail, uint64_t last);
// The next record. The item's bytes are copied.
void feed_tail_add(struct feed_tail *tail, uint64_t seq, const struct match_header *header, const void *item,
                   size_t count);
// The release at `seq` is gone; nothing happens if it is not here.
void feed_tail_purge(struct feed_tail *tail, uint64_t seq, uint8_t gone_reason);

static inline bool feed_tail_has(const struct feed_tail *tail, uint64_t seq)
{
	return seq > tail->after && seq <= tail->after + tail->count;
}
// Of a record that is here.
static inline const struct match_header *feed_tail_header(const struct feed_tail *tail, uint64_t seq)
{
	return &tail->headers[seq & (tail->room - 1)];
}
static inline const struct tail_item *feed_tail_item(const struct feed_tail *tail, uint64_t seq)
{
	return &tail->items[seq & (tail->room - 1)];
}

#endif
