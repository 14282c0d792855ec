// A hash table with linear probing; removal moves later entries up, so there are no tombstones to clean.
#include "number_map.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/large.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "fingerprints");

enum { ROOM_MIN = 64 };

static uint64_t print_of(const struct number_map *map, const uint8_t *id, size_t id_bytes)
{
	uint8_t bytes[crypto_shorthash_BYTES];
	uint64_t print;
	crypto_shorthash(bytes, id, id_bytes, map->key);
	memcpy(&print, bytes, sizeof(print));
	return print;
}

static struct number_entry *entries_new(size_t room)
{
	struct number_entry *entries = calloc(room, sizeof(*entries));
	if (!entries)
		abort();
	large_advise(entries, room * sizeof(*entries));
	return entries;
}

void number_map_init(struct number_map *map)
{
	*map = (struct number_map){.room = ROOM_MIN, .entries = entries_new(ROOM_MIN)};
	randombytes_buf(map->key, sizeof(map->key));
}

void number_map_fini(struct number_map *map)
{
	free(map->entries);
	free(map->changes);
	*map = (struct number_map){0};
}

void number_map_clear(struct number_map *map)
{
	memset(map->entries, 0, map->room * sizeof(*map->entries));
	map->count = map->change_count = 0;
}

static void insert(struct number_map *map, uint64_t print, uint64_t number)
{
	size_t at = (size_t)print & (map->room - 1);
	while (map->entries[at].number)
		at = (at + 1) & (map->room - 1);
	map->entries[at] = (struct number_entry){print, number};
	map->count++;
}

static bool has_room(size_t room, size_t count)
{
	return count < room / 4 * 3;
}

static void resize(struct number_map *map, size_t room)
{
	struct number_entry *before = map->entries;
	size_t room_before = map->room;
	map->room = room;
	map->entries = entries_new(room);
	map->count = 0;
	for (size_t i = 0; i < room_before; i++)
		if (before[i].number)
			insert(map, before[i].print, before[i].number);
	free(before);
}

void number_map_reserve(struct number_map *map, size_t count)
{
	size_t room = map->room;
	// Adding the last entry looks for room beside those before it.
	while (count > 0 && !has_room(room, count - 1))
		room *= 2;
	if (room > map->room)
		resize(map, room);
}

static void make_room(struct number_map *map)
{
	if (!has_room(map->room, map->count))
		resize(map, map->room * 2);
}

static void add(struct number_map *map, uint64_t print, uint64_t number)
{
	make_room(map);
	insert(map, print, number);
}

// Closes the gap at `at`: every entry that a search would no longer reach moves into it.
static void close_gap(struct number_map *map, size_t at)
{
	size_t mask = map->room - 1;
	for (size_t next = (at + 1) & mask; map->entries[next].number; next = (next + 1) & mask) {
		size_t home = (size_t)map->entries[next].print & mask;
		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		map->entries[at] = map->entries[next];
		at = next;
	}
	map->entries[at] = (struct number_entry){0};
	map->count--;
}

static void take_out(struct number_map *map, uint64_t print, uint64_t number)
{
	size_t mask = map->room - 1;
	for (size_t at = (size_t)print & mask; map->entries[at].number; at = (at + 1) & mask) {
		if (map->entries[at].print == print && map->entries[at].number == number) {
			close_gap(map, at);
			return;
		}
	}
}

static void remember(struct number_map *map, uint64_t print, uint64_t number, int added)
{
	if (map->change_count == map->change_room) {
		map->change_room = map->change_room ? map->change_room * 2 : 64;
		map->changes = realloc(map->changes, map->change_room * sizeof(*map->changes));
		if (!map->changes)
			abort();
	}
	map->changes[map->change_count++] = (struct number_change){print, number, added};
}

void number_map_add(struct number_map *map, const uint8_t *id, size_t id_bytes, uint64_t number)
{
	uint64_t print = print_of(map, id, id_bytes);
	add(map, print, number);
	remember(map, print, number, 1);
}

void number_map_remove(struct number_map *map, const uint8_t *id, size_t id_bytes, uint64_t number)
{
	uint64_t print = print_of(map, id, id_bytes);
	take_out(map, print, number);
	remember(map, print, number, 0);
}

void number_map_load(struct number_map *map, const struct number_of_id *items, size_t count, size_t id_bytes)
{
	uint64_t prints[NUMBERS_AT_ONCE_MAX];
	assert(count <= NUMBERS_AT_ONCE_MAX);
	number_map_reserve(map, map->count + count);
	for (size_t i = 0; i < count; i++) {
		prints[i] = print_of(map, items[i].id, id_bytes);
		__builtin_prefetch(&map->entries[(size_t)prints[i] & (map->room - 1)], 1);
	}
	for (size_t i = 0; i < count; i++)
		insert(map, prints[i], items[i].number);
}

uint64_t number_map_next(const struct number_map *map, const uint8_t *id, size_t id_bytes, size_t *at)
{
	uint64_t print = print_of(map, id, id_bytes);
	size_t mask = map->room - 1;
	for (*at = (*at == SIZE_MAX ? (size_t)print : *at + 1) & mask; map->entries[*at].number; *at = (*at + 1) & mask)
		if (map->entries[*at].print == print)
			return map->entries[*at].number;
	return 0;
}

void number_map_commit(struct number_map *map)
{
	map->change_count = 0;
}

void number_map_abort(struct number_map *map)
{
	while (map->change_count > 0) {
		const struct number_change *change = &map->changes[--map->change_count];
		if (change->added)
			take_out(map, change->print, change->number);
		else
			add(map, change->print, change->number);
	}
}
