// A hash table from ids to small numbers. Ids are hashes already, so their first bytes serve as the hash.
// Nothing is said about order: whoever needs one sorts.
#ifndef OYEZ_SERVICE_ID_MAP_H
#define OYEZ_SERVICE_ID_MAP_H

#include "proto/id.h"

struct id_slot;
struct id_map {
	struct id_slot *slots; // open addressing, linear probing; NULL while empty
	size_t capacity;       // a power of two
	size_t count;
};

// Start from a zeroed struct. Memory that cannot be had ends the process: what is kept here is derived.
bool id_map_find(const struct id_map *map, const struct id *id, uint32_t *number);
// Asks memory for where the id stands, so that looking for it or putting it soon afterwards need not wait.
void id_map_fetch(const struct id_map *map, const struct id *id);
// Room for `count` ids in all, so that adding them never moves the table.
void id_map_reserve(struct id_map *map, size_t count);
// Adds or replaces.
void id_map_put(struct id_map *map, const struct id *id, uint32_t number);
void id_map_remove(struct id_map *map, const struct id *id);
// Empty again, and usable.
void id_map_clear(struct id_map *map);

#endif
