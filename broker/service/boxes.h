// The boxes this broker fills as a home (PROTOCOL.md §12.4): which are due when, in memory. Derived: loaded from the
// store's rows. What a cell says stands in box_stream.c.
#ifndef OYEZ_SERVICE_BOXES_H
#define OYEZ_SERVICE_BOXES_H

#include "push.h"

// What was sent of one box by this process, and what comes next.
struct box_stream {
	uint64_t status_hash;   // of the Status as it was sent last
	uint32_t version;       // of it
	uint32_t status_offset; // bytes of it sent so far
	uint64_t item;          // the mailbox item being sent: all before it were; 0 before the first
	uint32_t item_offset;
	uint32_t cycle_offset; // where repeating stands
	uint64_t cycle_item;
};

struct pushed_box {
	struct id intent;
	uint8_t box_id[BOX_ID_BYTES], reply_key[KEY_BYTES];
	struct box_sender sender;
	struct box_stream stream;
	uint64_t released_at_ms;
	uint8_t guardian; // index into the configuration
	bool begun;       // `sender` is set up
	uint32_t next;    // of the free ones
};

// Boxes of one release tick and expiry band have the same times.
struct box_group {
	uint64_t released_at_ms, slot_ms; // the next time
	uint32_t *members;                // numbers of boxes
	uint32_t count, room;
	uint8_t expiry_band;
};

struct box_due {
	uint32_t box;
	bool last; // its schedule is over then
};

struct boxes {
	struct pushed_box *items;
	uint32_t count, room, free; // free: number + 1 of the first free one
	uint32_t running;
	struct box_group **groups; // a heap: the one with the earliest slot first
	uint32_t group_count, group_room;
	struct box_group *latest[8]; // by band: groups of the latest tick, which may still grow
	uint64_t latest_ms;
	struct box_due *due; // in random order; those before due_at are done
	uint32_t due_count, due_room, due_at;
	struct push_batch *open[GUARDIANS_MAX]; // being filled
	struct push_batch *ready, **ready_end;
};

#endif
