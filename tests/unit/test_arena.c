// The arena: alignment, zeroing, reuse, big blocks, copies.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/arena.h"

static void blocks_are_aligned_and_zeroed(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	for (int round = 0; round < 3; round++) {
		for (size_t bytes = 0; bytes < 3000; bytes += 7) {
			uint8_t *at = arena_alloc(&arena, bytes);
			assert_non_null(at);
			assert_int_equal((uintptr_t)at % 16, 0);
			for (size_t i = 0; i < bytes; i++)
				assert_int_equal(at[i], 0);
			memset(at, 0xa5, bytes);
		}
		assert_true(arena.used > 0);
		arena_reset(&arena);
		assert_int_equal(arena.used, 0);
	}
	arena_fini(&arena);
}

static void blocks_do_not_overlap(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	uint8_t *blocks[600];
	size_t sizes[600];
	for (size_t i = 0; i < 600; i++) {
		sizes[i] = i % 50 == 0 ? 100000 : 1 + i * 13 % 900; // big ones in between
		blocks[i] = arena_alloc(&arena, sizes[i]);
		memset(blocks[i], (int)(i & 0xff), sizes[i]);
	}
	for (size_t i = 0; i < 600; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(blocks[i][j], i & 0xff);
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, 5 * 1024 * 1024));
	arena_fini(&arena);
}

static void a_big_block_does_not_retire_the_chunk(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	uint8_t *before = arena_alloc(&arena, 16);
	arena_alloc(&arena, 1024 * 1024);
	uint8_t *after = arena_alloc(&arena, 16);
	assert_ptr_equal(after, before + 16);
	arena_fini(&arena);
}

// Its first chunk is small, what does not fit goes elsewhere, and later chunks are as large as any arena's.
static void a_small_arena_grows(void **state)
{
	(void)state;
	struct arena arena;
	arena_init_small(&arena);
	uint8_t *blocks[2000];
	for (size_t i = 0; i < 2000; i++) {
		size_t bytes = i % 100 == 3 ? 20000 : 100;
		blocks[i] = arena_alloc(&arena, bytes);
		memset(blocks[i], (int)(i & 0xff), bytes);
	}
	for (size_t i = 0; i < 2000; i++)
		for (size_t j = 0; j < (i % 100 == 3 ? 20000 : 100); j++)
			assert_int_equal(blocks[i][j], i & 0xff);
	assert_int_equal(arena.next_bytes, 0);
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, 100));
	arena_fini(&arena);
}

static void copies_are_equal(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	assert_memory_equal(arena_copy(&arena, "hear ye", 8), "hear ye", 8);
	assert_non_null(arena_copy(&arena, NULL, 0));
	arena_fini(&arena);
	arena_reset(&arena); // empty again, still usable
	assert_non_null(arena_alloc(&arena, 1));
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_are_aligned_and_zeroed),
	    cmocka_unit_test(blocks_do_not_overlap),
	    cmocka_unit_test(a_big_block_does_not_retire_the_chunk),
	    cmocka_unit_test(a_small_arena_grows),
	    cmocka_unit_test(copies_are_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
