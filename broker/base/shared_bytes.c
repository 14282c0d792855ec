// Counted by an atomic; nothing else is shared.
#include "shared_bytes.h"

#include <stdlib.h>

struct shared_bytes *shared_bytes_new(size_t count)
{
	struct shared_bytes *shared = malloc(sizeof(*shared) + count);
	if (!shared)
		abort();
	atomic_init(&shared->owners, 1);
	shared->count = count;
	return shared;
}

struct shared_bytes *shared_bytes_hold(struct shared_bytes *shared)
{
	atomic_fetch_add_explicit(&shared->owners, 1, memory_order_relaxed);
	return shared;
}

void shared_bytes_drop(struct shared_bytes *shared)
{
	if (shared && atomic_fetch_sub_explicit(&shared->owners, 1, memory_order_acq_rel) == 1)
		free(shared);
}
