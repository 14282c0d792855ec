// From ids to the numbers under which rows are appended, in memory. A tree keyed by hashes would cost a page of the
// disk for every new row; this costs 16 bytes of memory, doubled when full, and is filled when the store is opened.
// It knows fingerprints only: who finds a number checks that the row has the id.
#ifndef OYEZ_STORE_NUMBER_MAP_H
#define OYEZ_STORE_NUMBER_MAP_H

#include <stddef.h>
#include <stdint.h>

struct number_map {
	struct number_entry {
		uint64_t print, number; // number 0: free
	} *entries;
	size_t count, room; // room: a power of two
	uint8_t key[16];    // of the fingerprint, random: nobody can choose ids that crowd together
	// What the running transaction did, to be undone when it is given up.
	struct number_change {
		uint64_t print, number;
		int added;
	} *changes;
	size_t change_count, change_room;
};

void number_map_init(struct number_map *map);
void number_map_fini(struct number_map *map);
// Empties it, for loading.
void number_map_clear(struct number_map *map);
// Room for `count` entries in all, so that adding them never moves the table.
void number_map_reserve(struct number_map *map, size_t count);

void number_map_add(struct number_map *map, const uint8_t *id, size_t id_bytes, uint64_t number);
void number_map_remove(struct number_map *map, const uint8_t *id, size_t id_bytes, uint64_t number);
// Adds many while loading, not to be undone: faster than one by one, since it waits for their places in memory at once.
struct number_of_id {
	const uint8_t *id;
	uint64_t number;
};
enum { NUMBERS_AT_ONCE_MAX = 64 };
void number_map_load(struct number_map *map, const struct number_of_id *items, size_t count, size_t id_bytes);
// Candidates one after the other, 0 after the last: start with *at = SIZE_MAX and leave it alone.
uint64_t number_map_next(const struct number_map *map, const uint8_t *id, size_t id_bytes, size_t *at);

void number_map_commit(struct number_map *map);
void number_map_abort(struct number_map *map);

#endif
