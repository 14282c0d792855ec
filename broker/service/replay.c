// Two generations of hash sets. A cell passes the time check for at most 2 * CELL_AGE_MS_MAX after it was first seen
// (its stamp may lie that far ahead), so what the older generation holds when it is dropped has become stale.
#include "replay.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

#define SPAN_MS (2 * CELL_AGE_MS_MAX)

struct mark {
	uint8_t bytes[16]; // all zero: free
};

struct set {
	struct mark *marks;
	size_t capacity, count;
};

struct replay {
	pthread_mutex_t mutex;
	struct set young, old;
	uint64_t young_since_ms;
	size_t max;
};

struct replay *replay_new(size_t max)
{
	struct replay *replay = calloc(1, sizeof *replay);
	if (!replay)
		return NULL;
	pthread_mutex_init(&replay->mutex, NULL);
	replay->max = max;
	return replay;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	free(replay->young.marks);
	free(replay->old.marks);
	pthread_mutex_destroy(&replay->mutex);
	free(replay);
}

// The mark itself, or the free place where it belongs.
static struct mark *place_of(const struct set *set, const struct mark *mark)
{
	static const struct mark FREE;
	size_t at;
	memcpy(&at, mark->bytes, sizeof at);
	for (at &= set->capacity - 1; memcmp(&set->marks[at], &FREE, sizeof FREE) != 0; at = (at + 1) & (set->capacity - 1))
		if (memcmp(&set->marks[at], mark, sizeof *mark) == 0)
			break;
	return &set->marks[at];
}

static bool set_has(const struct set *set, const struct mark *mark)
{
	return set->count > 0 && memcmp(place_of(set, mark), mark, sizeof *mark) == 0;
}

static bool set_grow(struct set *set)
{
	struct set bigger = {.capacity = set->capacity ? set->capacity * 2 : 256, .count = set->count};
	bigger.marks = calloc(bigger.capacity, sizeof *bigger.marks);
	if (!bigger.marks)
		return false;
	static const struct mark FREE;
	for (size_t i = 0; i < set->capacity; i++)
		if (memcmp(&set->marks[i], &FREE, sizeof FREE) != 0)
			*place_of(&bigger, &set->marks[i]) = set->marks[i];
	free(set->marks);
	*set = bigger;
	return true;
}

static void turn(struct replay *replay, uint64_t now_ms)
{
	if (now_ms < replay->young_since_ms + SPAN_MS)
		return;
	free(replay->old.marks);
	replay->old = replay->young;
	replay->young = (struct set){0};
	if (now_ms >= replay->young_since_ms + 2 * SPAN_MS) {
		free(replay->old.marks);
		replay->old = (struct set){0};
	}
	replay->young_since_ms = now_ms;
}

static enum err remember(struct replay *replay, const struct mark *mark, uint64_t now_ms)
{
	turn(replay, now_ms);
	if (set_has(&replay->young, mark) || set_has(&replay->old, mark))
		return ERR_CELL_REPLAYED;
	struct set *young = &replay->young;
	if (young->count >= replay->max || (young->count * 2 >= young->capacity && !set_grow(young)))
		return ERR_BUSY;
	*place_of(young, mark) = *mark;
	young->count++;
	return ERR_OK;
}

enum err replay_check(struct replay *replay, const uint8_t *cell, size_t cell_bytes, uint64_t now_ms)
{
	struct mark mark;
	crypto_generichash(mark.bytes, sizeof mark.bytes, cell, cell_bytes, NULL, 0);
	pthread_mutex_lock(&replay->mutex);
	enum err err = remember(replay, &mark, now_ms);
	pthread_mutex_unlock(&replay->mutex);
	return err;
}
