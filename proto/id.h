// Ids: hashes of what they name, so the same bytes always have the same id (PROTOCOL.md §3).
#ifndef OYEZ_PROTO_ID_H
#define OYEZ_PROTO_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "limits.h"

struct id {
	uint8_t bytes[ID_BYTES];
};
struct release_id {
	uint8_t bytes[RELEASE_ID_BYTES];
};

static inline bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, ID_BYTES) == 0;
}
static inline bool release_id_equal(const struct release_id *a, const struct release_id *b)
{
	return memcmp(a->bytes, b->bytes, RELEASE_ID_BYTES) == 0;
}

#endif
