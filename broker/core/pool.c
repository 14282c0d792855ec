// Free blocks hang in one list for each size class; small sizes are classes of their own, larger ones are rounded up to
// eighths of a power of two. The pool never splits or joins blocks: owners rebuild into a new pool when too much is
// free.
#include "pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_WORDS = 32, FIRST_WORDS = 1 << 12 };

void *memory_resize(void *memory, size_t count, size_t item_bytes)
{
	if (item_bytes != 0 && count > SIZE_MAX / item_bytes)
		abort();
	void *resized = realloc(memory, count * item_bytes);
	if (!resized)
		abort();
	return resized;
}

void *memory_zeroed(size_t count, size_t item_bytes)
{
	void *memory = calloc(count ? count : 1, item_bytes);
	if (!memory)
		abort();
	return memory;
}

// The class, and in *rounded the size of its blocks.
static unsigned class_of(uint32_t words, uint32_t *rounded)
{
	assert(words > 0);
	*rounded = words;
	if (words <= EXACT_WORDS)
		return words - 1;
	unsigned shift = 31 - (unsigned)__builtin_clz(words - 1) - 3; // an eighth of the power of two below
	uint32_t eighths = ((words - 1) >> shift) + 1;                // 9 to 16
	*rounded = eighths << shift;
	return EXACT_WORDS + (shift - 2) * 8 + (eighths - 9);
}

static void make_room(struct pool *pool, uint32_t words)
{
	uint64_t needed = (uint64_t)pool->used + words + POOL_SLACK_BYTES / sizeof *pool->words;
	if (needed <= pool->room)
		return;
	uint64_t room = pool->room ? (uint64_t)pool->room + pool->room / 2 : FIRST_WORDS;
	room = room < needed ? needed : room;
	if (room > UINT32_MAX)
		room = UINT32_MAX;
	if (needed > room)
		abort();
	pool->words = memory_resize(pool->words, room, sizeof *pool->words);
	pool->room = (uint32_t)room;
}

uint32_t pool_take(struct pool *pool, uint32_t words)
{
	uint32_t rounded;
	unsigned class = class_of(words, &rounded);
	uint32_t at = pool->free_heads[class];
	if (at != 0) {
		pool->free_heads[class] = pool->words[at];
		pool->free_words -= rounded;
		return at;
	}
	if (pool->used == 0)
		pool->used = 1; // offset 0 is no block
	make_room(pool, rounded);
	at = pool->used;
	pool->used += rounded;
	return at;
}

void pool_give(struct pool *pool, uint32_t at, uint32_t words)
{
	uint32_t rounded;
	unsigned class = class_of(words, &rounded);
	assert(at != 0 && at + rounded <= pool->used);
	pool->words[at] = pool->free_heads[class];
	pool->free_heads[class] = at;
	pool->free_words += rounded;
}

void pool_reset(struct pool *pool)
{
	free(pool->words);
	memset(pool, 0, sizeof *pool);
}
