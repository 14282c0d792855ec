// The arena: a list of chunks handed out from the front. Not a general allocator: nothing is freed singly.
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, count) ((void)(at), (void)(count))
#define ASAN_UNPOISON_MEMORY_REGION(at, count) ((void)(at), (void)(count))
#endif

enum {
	CHUNK_BYTES = 64 * 1024,
	SMALL_CHUNK_BYTES = 1024, // the first of a small arena; each further one is CHUNK_GROWTH times as large
	CHUNK_GROWTH = 4,
	KEPT_BYTES_MAX = 1024 * 1024, // after a reset: enough for a busy batch, little for an idle process
	ALIGNMENT = 16,
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	bool alone; // made for one big block
	alignas(ALIGNMENT) uint8_t memory[];
};

static struct arena_chunk *chunk_new(size_t usual, size_t bytes)
{
	size_t size = bytes > usual ? bytes : usual;
	if (size > SIZE_MAX - sizeof(struct arena_chunk))
		abort();
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		abort();
	chunk->next = NULL;
	chunk->size = size;
	chunk->used = 0;
	chunk->alone = bytes > usual;
	ASAN_POISON_MEMORY_REGION(chunk->memory, chunk->size);
	return chunk;
}

static void chunk_free(struct arena_chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk->memory, chunk->size);
	free(chunk);
}

// The first chunk from `current` on with room, or a new one put behind it.
static struct arena_chunk *arena_room(struct arena *arena, size_t bytes)
{
	for (struct arena_chunk *chunk = arena->current; chunk; chunk = chunk->next)
		if (chunk->size - chunk->used >= bytes)
			return chunk;
	size_t usual = arena->next_bytes ? arena->next_bytes : CHUNK_BYTES;
	struct arena_chunk *chunk = chunk_new(usual, bytes);
	if (!chunk->alone && arena->next_bytes)
		arena->next_bytes = usual < CHUNK_BYTES / CHUNK_GROWTH ? usual * CHUNK_GROWTH : 0;
	if (arena->current) {
		chunk->next = arena->current->next;
		arena->current->next = chunk;
	} else {
		arena->first = chunk;
	}
	return chunk;
}

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_init_small(struct arena *arena)
{
	*arena = (struct arena){.next_bytes = SMALL_CHUNK_BYTES};
}

void *arena_take(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX - ALIGNMENT)
		abort();
	size_t rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct arena_chunk *chunk = arena_room(arena, rounded);
	// A big block in a chunk of its own must not retire a half-empty chunk.
	if (!arena->current || !chunk->alone)
		arena->current = chunk;
	void *at = chunk->memory + chunk->used;
	chunk->used += rounded;
	arena->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(at, bytes);
	return at;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	return memset(arena_take(arena, bytes), 0, bytes);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t count)
{
	void *copy = arena_take(arena, count);
	if (count > 0)
		memcpy(copy, bytes, count);
	return copy;
}

void arena_reset(struct arena *arena)
{
	size_t kept = 0;
	struct arena_chunk **link = &arena->first;
	while (*link) {
		struct arena_chunk *chunk = *link;
		if (kept + chunk->size > KEPT_BYTES_MAX) {
			*link = chunk->next;
			chunk_free(chunk);
			continue;
		}
		kept += chunk->size;
		chunk->used = 0;
		ASAN_POISON_MEMORY_REGION(chunk->memory, chunk->size);
		link = &chunk->next;
	}
	arena->current = arena->first;
	arena->used = 0;
}

void arena_fini(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
		next = chunk->next;
		chunk_free(chunk);
	}
	*arena = (struct arena){0};
}
