// A ring that doubles up to its bound and then lets go of the oldest.
#include "feed_tail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 256 };

void feed_tail_init(struct feed_tail *tail, uint32_t records_max)
{
	*tail = (struct feed_tail){.records_max = records_max ? records_max : TAIL_RECORDS_MAX};
}

static void drop_item(struct feed_tail *tail, struct tail_item *item)
{
	tail->bytes -= item->count;
	free(item->bytes);
	*item = (struct tail_item){0};
}

static void drop_oldest(struct feed_tail *tail)
{
	tail->after++;
	tail->count--;
	drop_item(tail, &tail->items[tail->after & (tail->room - 1)]);
}

void feed_tail_reset(struct feed_tail *tail, uint64_t last)
{
	while (tail->count > 0)
		drop_oldest(tail);
	tail->after = last;
}

void feed_tail_fini(struct feed_tail *tail)
{
	feed_tail_reset(tail, 0);
	free(tail->headers);
	free(tail->items);
	*tail = (struct feed_tail){0};
}

static void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);
	if (!memory)
		abort();
	return memory;
}

static void grow(struct feed_tail *tail)
{
	struct feed_tail larger = *tail;
	larger.room = tail->room ? tail->room * 2 : ROOM_FIRST;
	larger.headers = zeroed(larger.room, sizeof *larger.headers);
	larger.items = zeroed(larger.room, sizeof *larger.items);
	for (uint64_t seq = tail->after + 1; seq <= tail->after + tail->count; seq++) {
		larger.headers[seq & (larger.room - 1)] = *feed_tail_header(tail, seq);
		larger.items[seq & (larger.room - 1)] = *feed_tail_item(tail, seq);
	}
	free(tail->headers);
	free(tail->items);
	*tail = larger;
}

void feed_tail_add(struct feed_tail *tail, uint64_t seq, const struct match_header *header, const void *item,
                   size_t count)
{
	assert(seq == tail->after + tail->count + 1);
	while (tail->count > 0 && (tail->count >= tail->records_max || tail->bytes + count > TAIL_BYTES_MAX))
		drop_oldest(tail);
	if (tail->count == tail->room)
		grow(tail);
	struct tail_item *place = &tail->items[seq & (tail->room - 1)];
	place->bytes = malloc(count);
	if (!place->bytes)
		abort();
	place->count = (uint32_t)count;
	memcpy(place->bytes, item, count);
	tail->headers[seq & (tail->room - 1)] = *header;
	tail->bytes += count;
	tail->count++;
}

void feed_tail_purge(struct feed_tail *tail, uint64_t seq, uint8_t gone_reason)
{
	if (!feed_tail_has(tail, seq))
		return;
	struct match_header *header = &tail->headers[seq & (tail->room - 1)];
	header->kind = FEED_PURGED;
	header->gone_reason = gone_reason;
	drop_item(tail, &tail->items[seq & (tail->room - 1)]);
}
