// Large tables that are hit all over: fewer and larger pages make finding their memory cheaper, the first time and
// every time. Only advice; small blocks and systems that do not know it are left as they are.
#ifndef OYEZ_BASE_LARGE_H
#define OYEZ_BASE_LARGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

// Of a block of malloc's, before it is written.
static inline void large_advise(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	enum { HUGE_BYTES = 2 * 1024 * 1024 };
	uintptr_t from = ((uintptr_t)block + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1);
	uintptr_t to = ((uintptr_t)block + bytes) & ~(uintptr_t)(HUGE_BYTES - 1);
	if (from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
	(void)block, (void)bytes;
#endif
}

#endif
