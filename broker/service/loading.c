// One thread reads rows and turns their words into numbers, another makes listeners of them and puts them into the
// index: about the same work each, handed over in blocks that are used again. Not here: what a listener is (derived.c).
#include "loading.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "internal.h"

enum {
	BLOCK_ROWS = 1024,
	BLOCKS = 4,
	FETCH_AHEAD = 8,
};

struct block {
	struct arena arena; // what the filters point to
	struct loaded {
		struct subscription row;
		struct filter filter;
		bool known; // the filter means something
	} items[BLOCK_ROWS];
	size_t count;
	bool last;
};

struct loading {
	struct service *service;
	struct block blocks[BLOCKS]; // around the end
	struct block *filling;       // the reading thread's
	bool read;                   // all rows could be
	struct store_reader *reader; // NULL: the store's own transaction reads
	bool reading, taking;        // there is a thread for it
	pthread_t row_reader, taker;
	sem_t empty, filled; // how many blocks
};

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		; // a signal came in between
}

// ---- listeners and the index

static void take_block(struct service *service, const struct block *block)
{
	for (size_t i = 0; i < block->count && i < FETCH_AHEAD; i++)
		id_map_fetch(&service->listener_numbers, &block->items[i].row.id);
	for (size_t i = 0; i < block->count; i++) {
		const struct loaded *loaded = &block->items[i];
		if (i + FETCH_AHEAD < block->count) {
			const struct loaded *ahead = &block->items[i + FETCH_AHEAD];
			id_map_fetch(&service->listener_numbers, &ahead->row.id);
			__builtin_prefetch(ahead->filter.categories);
			__builtin_prefetch(ahead->filter.regions);
		}
		listener_load(service, &loaded->row, loaded->known ? &loaded->filter : NULL);
	}
}

static void *take_blocks(void *context)
{
	struct loading *loading = context;
	for (size_t number = 0;; number++) {
		struct block *block = &loading->blocks[number % BLOCKS];
		wait_for(&loading->filled);
		take_block(loading->service, block);
		if (block->last)
			return NULL;
		sem_post(&loading->empty);
	}
}

// ---- rows

// Hands over the block being filled, and goes on with the next one unless it was the last.
static void block_done(struct loading *loading)
{
	struct block *block = loading->filling;
	if (loading->taking) {
		sem_post(&loading->filled);
		if (block->last)
			return;
		wait_for(&loading->empty);
		block = ++loading->filling == loading->blocks + BLOCKS ? loading->blocks : loading->filling;
		loading->filling = block;
	} else {
		take_block(loading->service, block);
	}
	arena_reset(&block->arena);
	block->count = 0;
}

static bool read_row(void *context, const struct subscription *row)
{
	struct loading *loading = context;
	if (row->start_seq == SUBSCRIPTION_REMOVED)
		return true;
	if (loading->filling->count == BLOCK_ROWS)
		block_done(loading);
	struct block *block = loading->filling;
	struct loaded *loaded = &block->items[block->count++];
	struct detail detail = {.suggestions_left = 0};
	Oyez__Filter *words = wire_unpack(&block->arena, &oyez__filter__descriptor, row->filter.at, row->filter.count);
	loaded->row = *row;
	loaded->known = words && filter_of_words(loading->service->config.taxonomy, words, &block->arena, &loaded->filter,
	                                         &detail) == ERR_OK;
	return true;
}

static void *read_rows(void *context)
{
	struct loading *loading = context;
	loading->filling = loading->blocks;
	if (loading->reader)
		loading->read = store_read_subscriptions(loading->reader, read_row, loading);
	else
		store_subscription_each(loading->service->store, read_row, loading); // what fails sticks to the transaction
	loading->filling->last = true;
	block_done(loading);
	return NULL;
}

// ---- both

// With a thread less than wanted it goes on with those there are.
struct loading *loading_begin(struct service *service)
{
	struct loading *loading = calloc(1, sizeof *loading);
	if (!loading)
		abort();
	loading->service = service;
	loading->read = true;
	listeners_reserve(service, store_subscription_count(service->store));
	for (size_t i = 0; i < BLOCKS; i++)
		arena_init(&loading->blocks[i].arena);
	sem_init(&loading->filled, 0, 0);
	sem_init(&loading->empty, 0, BLOCKS - 1); // one is being filled
	loading->reader = store_reads_beside(service->store) ? store_read_begin(service->store) : NULL;
	loading->taking = loading->reader && pthread_create(&loading->taker, NULL, take_blocks, loading) == 0;
	loading->reading = loading->taking && pthread_create(&loading->row_reader, NULL, read_rows, loading) == 0;
	if (!loading->reading)
		read_rows(loading);
	return loading;
}

bool loading_end(struct loading *loading)
{
	if (loading->reading)
		pthread_join(loading->row_reader, NULL);
	if (loading->taking)
		pthread_join(loading->taker, NULL);
	if (loading->reader)
		store_read_end(loading->reader);
	bool read = loading->read;
	for (size_t i = 0; i < BLOCKS; i++)
		arena_fini(&loading->blocks[i].arena);
	sem_destroy(&loading->filled);
	sem_destroy(&loading->empty);
	free(loading);
	return read;
}
