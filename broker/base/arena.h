// Memory for one batch of work: allocate freely, free all at once.
#ifndef OYEZ_BASE_ARENA_H
#define OYEZ_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used;       // bytes handed out since the last reset
	size_t next_bytes; // of the next chunk; 0: the usual
};

void arena_init(struct arena *arena);
// The same with a small first chunk, for one of very many that are kept for long; later ones grow to the usual size.
void arena_init_small(struct arena *arena);
// 16-byte aligned, zeroed. Never NULL: a broker out of memory aborts (its state is on disk).
void *arena_alloc(struct arena *arena, size_t bytes);
// The same with whatever lay there: for what is filled at once.
void *arena_take(struct arena *arena, size_t bytes);
void *arena_copy(struct arena *arena, const void *bytes, size_t count);
// Everything allocated before is invalid (and poisoned under ASan); memory is kept for reuse up to a bound.
void arena_reset(struct arena *arena);
void arena_fini(struct arena *arena);

#endif
