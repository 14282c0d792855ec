// Memory for very many small things that move: blocks named by 32-bit offsets instead of pointers, without a header
// each. The owner remembers a block's size and gives it back with it. Not thread-safe, and not for anything but memory.
#ifndef OYEZ_CORE_POOL_H
#define OYEZ_CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_CLASSES = 256 };

struct pool {
	uint32_t *words;
	uint32_t used, room;               // in words
	uint32_t free_words;               // given back and not taken again
	uint32_t free_heads[POOL_CLASSES]; // 0 = none
};

// 0 is no block. Taking may move all blocks: addresses hold until the next pool_take.
uint32_t pool_take(struct pool *pool, uint32_t words);
// `words` as it was taken.
void pool_give(struct pool *pool, uint32_t at, uint32_t words);
// Forgets every block.
void pool_reset(struct pool *pool);

// Readers may look a little past the end of a block, never act on what they saw there.
enum { POOL_SLACK_BYTES = 64 };

static inline void *pool_at(const struct pool *pool, uint32_t at)
{
	return pool->words + at;
}

// What is derived from the store is rebuilt from it, and nothing works without: no memory ends the process.
void *memory_resize(void *memory, size_t count, size_t item_bytes);
void *memory_zeroed(size_t count, size_t item_bytes);

#endif
