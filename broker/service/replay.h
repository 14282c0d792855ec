// Cells seen lately, by hash: a byte-identical cell is refused as long as its time stamp could still pass.
#ifndef OYEZ_SERVICE_REPLAY_H
#define OYEZ_SERVICE_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

struct replay; // thread-safe

// At most `max` cells for each span of 2 * CELL_AGE_MS_MAX. NULL without memory.
struct replay *replay_new(size_t max);
void replay_free(struct replay *replay);
// Remembers the cell. ERR_CELL_REPLAYED if it was seen, ERR_BUSY when no more can be remembered.
enum err replay_check(struct replay *replay, const uint8_t *cell, size_t cell_bytes, uint64_t now_ms);

#endif
