// Bytes with several owners, in several threads: an answer that many get is made once.
#ifndef OYEZ_BASE_SHARED_BYTES_H
#define OYEZ_BASE_SHARED_BYTES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct shared_bytes {
	atomic_uint owners;
	size_t count;
	uint8_t bytes[]; // not changed any more once somebody else owns them as well
};

// With one owner, the caller.
struct shared_bytes *shared_bytes_new(size_t count);
// One more owner; returns the same.
struct shared_bytes *shared_bytes_hold(struct shared_bytes *shared);
// The last owner's frees. NULL is fine.
void shared_bytes_drop(struct shared_bytes *shared);

#endif
