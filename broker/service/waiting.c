// An array without gaps and a hash table of positions in it. The array grows by an eighth, for it may be large; the
// table removes by moving later entries back, so it never degrades.
#include "waiting.h"

#include <stdlib.h>

enum { ROOM_FIRST = 64, PLACES_FIRST = 128 };

// Release ids are random and not known before they are published: nobody can choose some that crowd together.
static uint32_t home_of(const struct waiting_set *set, const struct release_id *release)
{
	uint64_t parts[2];
	_Static_assert(sizeof parts == sizeof release->bytes, "a release id is two words");
	memcpy(parts, release->bytes, sizeof parts);
	return (uint32_t)((parts[0] ^ parts[1] * UINT64_C(0x9e3779b97f4a7c15)) & (set->place_count - 1));
}

// Where the id stands, or the free place where it belongs.
static uint32_t place_of(const struct waiting_set *set, const struct release_id *release)
{
	uint32_t at = home_of(set, release);
	while (set->places[at] && !release_id_equal(&set->items[set->places[at] - 1].release, release))
		at = (at + 1) & (set->place_count - 1);
	return at;
}

static void make_room(struct waiting_set *set)
{
	if (set->count < set->room)
		return;
	set->room += set->room < ROOM_FIRST ? ROOM_FIRST : set->room / 8;
	set->items = realloc(set->items, set->room * sizeof *set->items);
	if (!set->items)
		abort();
}

static void make_places(struct waiting_set *set)
{
	if (set->count + 1 <= set->place_count / 4 * 3)
		return;
	free(set->places);
	set->place_count = set->place_count ? 2 * set->place_count : PLACES_FIRST;
	set->places = calloc(set->place_count, sizeof *set->places);
	if (!set->places)
		abort();
	for (uint32_t i = 0; i < set->count; i++)
		set->places[place_of(set, &set->items[i].release)] = i + 1;
}

void waiting_add(struct waiting_set *set, const struct intent *intent)
{
	make_room(set);
	make_places(set);
	set->items[set->count] = (struct waiting_item){
	    .release = intent->release_id,
	    .intent = {.facets = intent->facets,
	               .posted_at_ms = intent->posted_at_ms,
	               .expires_at_ms = intent->expires_at_ms,
	               .patience_ms = intent->patience_ms,
	               .ready_at_ms = intent->ready_at_ms,
	               .crowd_wish = intent->crowd_wish,
	               .needed_by_day = intent->needed_by_day,
	               .crowd_waived = intent->crowd_waived,
	               .coarsest_step = intent->coarsest_step},
	};
	set->places[place_of(set, &intent->release_id)] = ++set->count;
}

static void free_place(struct waiting_set *set, uint32_t hole)
{
	uint32_t mask = set->place_count - 1;
	for (uint32_t at = (hole + 1) & mask; set->places[at]; at = (at + 1) & mask) {
		uint32_t home = home_of(set, &set->items[set->places[at] - 1].release);
		// May this entry stand in the hole? Only if its home is not between the hole and itself.
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			set->places[hole] = set->places[at];
			hole = at;
		}
	}
	set->places[hole] = 0;
}

void waiting_remove(struct waiting_set *set, const struct release_id *release)
{
	if (set->count == 0)
		return;
	uint32_t place = place_of(set, release);
	if (!set->places[place])
		return;
	uint32_t number = set->places[place] - 1, last = set->count - 1;
	free_place(set, place);
	if (number != last) {
		set->places[place_of(set, &set->items[last].release)] = number + 1;
		set->items[number] = set->items[last];
	}
	set->count--;
}

void waiting_clear(struct waiting_set *set)
{
	free(set->items);
	free(set->places);
	*set = (struct waiting_set){0};
}
