// The table behind id_map.h. Removal moves later entries back instead of leaving marks, so it never degrades.
#include "id_map.h"

#include <stdlib.h>

#include "broker/base/large.h"

enum { CAPACITY_MIN = 64 };

struct id_slot {
	struct id id;
	uint32_t number;
	bool used;
};

static size_t home_of(const struct id_map *map, const struct id *id)
{
	uint64_t hash;
	memcpy(&hash, id->bytes, sizeof hash);
	return (size_t)hash & (map->capacity - 1);
}

// The slot of the id, or the free one where it belongs.
static struct id_slot *slot_of(const struct id_map *map, const struct id *id)
{
	size_t at = home_of(map, id);
	while (map->slots[at].used && !id_equal(&map->slots[at].id, id))
		at = (at + 1) & (map->capacity - 1);
	return &map->slots[at];
}

static void resize(struct id_map *map, size_t capacity)
{
	struct id_map bigger = {.capacity = capacity};
	bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
	if (!bigger.slots)
		abort();
	large_advise(bigger.slots, bigger.capacity * sizeof *bigger.slots);
	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].used)
			*slot_of(&bigger, &map->slots[i].id) = map->slots[i];
	bigger.count = map->count;
	free(map->slots);
	*map = bigger;
}

void id_map_reserve(struct id_map *map, size_t count)
{
	size_t capacity = map->capacity ? map->capacity : CAPACITY_MIN;
	// Adding the last one looks for room beside those before it.
	while (count > 0 && (count - 1) * 2 >= capacity)
		capacity *= 2;
	if (capacity > map->capacity)
		resize(map, capacity);
}

bool id_map_find(const struct id_map *map, const struct id *id, uint32_t *number)
{
	if (map->count == 0)
		return false;
	const struct id_slot *slot = slot_of(map, id);
	if (slot->used)
		*number = slot->number;
	return slot->used;
}

void id_map_fetch(const struct id_map *map, const struct id *id)
{
	if (map->capacity > 0)
		__builtin_prefetch(&map->slots[home_of(map, id)], 1);
}

void id_map_put(struct id_map *map, const struct id *id, uint32_t number)
{
	if (map->count * 2 >= map->capacity)
		resize(map, map->capacity ? map->capacity * 2 : CAPACITY_MIN);
	struct id_slot *slot = slot_of(map, id);
	map->count += !slot->used;
	*slot = (struct id_slot){.id = *id, .number = number, .used = true};
}

void id_map_remove(struct id_map *map, const struct id *id)
{
	if (map->count == 0)
		return;
	struct id_slot *gap = slot_of(map, id);
	if (!gap->used)
		return;
	size_t mask = map->capacity - 1, hole = (size_t)(gap - map->slots);
	for (size_t at = (hole + 1) & mask; map->slots[at].used; at = (at + 1) & mask) {
		size_t home = home_of(map, &map->slots[at].id);
		// May this entry stand in the hole? Only if its home is not between the hole and itself.
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].used = false;
	map->count--;
}

void id_map_clear(struct id_map *map)
{
	free(map->slots);
	*map = (struct id_map){0};
}
