// From a release to the subscriptions it reaches, without looking at those it cannot reach. Not the definition of a
// match: every candidate is put to filter_match, which decides.
//
// Each filter is posted on the nodes of one tree: its categories, or without any its regions, or without either in a
// list of its own ("anywhere"). A release at `coffee` in  home > kitchen > coffee > machine  then looks at
//   - all filters posted at coffee, kitchen and home: they want it or something wider, and
//   - the maybe filters posted below coffee (machine): pre-order numbers make that one interval,
// the same with its region, and at "anywhere". Filters elsewhere in the trees cost it nothing.
//
// A filter with several nodes can be met more than once in a walk; a stamp on its entry keeps it to one hit.
// Postings know their place in the entry and entries theirs in the lists, so removing swaps in the last posting and
// costs what the filter's own nodes cost, however long the lists are.
#include "index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct posting {
	uint32_t number; // of the subscription
	uint32_t place;  // which of its entry's places points back here
};

struct list {
	struct posting *postings;
	uint32_t count, room;
};

// Two lists for each node: exact filters are of no interest to a release above them.
struct axis {
	const struct tree *tree; // NULL for "anywhere", which has a single node
	uint32_t node_count;
	struct list *exact, *maybe;
};

struct place {
	struct list *list;
	uint32_t at;
};

// One allocation: the entry, its places, then the nodes its filter points to.
struct entry {
	struct filter filter;
	uint64_t stamp; // of the last match that met it
	uint32_t place_count;
	struct place places[];
};

struct index {
	struct trees trees;
	struct axis categories, regions, anywhere;
	struct entry **entries; // by number, NULL where there is none
	uint32_t entry_room;
	size_t count;
	uint64_t stamp;
	struct index_hit *hits;
	size_t hit_count, hit_room;
};

// The index is rebuilt from the store and nothing works without it, so no memory ends the process.
static void *resize(void *memory, size_t count, size_t item_bytes)
{
	if (item_bytes != 0 && count > SIZE_MAX / item_bytes)
		abort();
	void *resized = realloc(memory, count * item_bytes);
	if (!resized)
		abort();
	return resized;
}

static void *zeroed(size_t count, size_t item_bytes)
{
	void *memory = calloc(count ? count : 1, item_bytes);
	if (!memory)
		abort();
	return memory;
}

static void axis_init(struct axis *axis, const struct tree *tree)
{
	axis->tree = tree;
	axis->node_count = tree ? tree->count : 1;
	axis->exact = zeroed(axis->node_count, sizeof *axis->exact);
	axis->maybe = zeroed(axis->node_count, sizeof *axis->maybe);
}

static void axis_fini(struct axis *axis)
{
	for (uint32_t node = 0; node < axis->node_count; node++) {
		free(axis->exact[node].postings);
		free(axis->maybe[node].postings);
	}
	free(axis->exact);
	free(axis->maybe);
}

struct index *index_new(const struct trees *trees)
{
	struct index *index = zeroed(1, sizeof *index);
	index->trees = *trees;
	axis_init(&index->categories, trees->categories);
	axis_init(&index->regions, trees->regions);
	axis_init(&index->anywhere, NULL);
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	axis_fini(&index->categories);
	axis_fini(&index->regions);
	axis_fini(&index->anywhere);
	for (uint32_t number = 0; number < index->entry_room; number++)
		free(index->entries[number]);
	free(index->entries);
	free(index->hits);
	free(index);
}

// ---- insert and remove

static const uint32_t *copy_nodes(uint32_t **to, const uint32_t *nodes, size_t count)
{
	uint32_t *copy = *to;
	if (count > 0)
		memcpy(copy, nodes, count * sizeof *nodes);
	*to += count;
	return copy;
}

static struct entry *entry_new(const struct filter *filter, uint32_t place_count)
{
	size_t node_count = (size_t)filter->category_count + filter->not_category_count + filter->region_count;
	struct entry *entry =
	    zeroed(1, sizeof *entry + place_count * sizeof *entry->places + node_count * sizeof(uint32_t));
	uint32_t *nodes = (uint32_t *)(entry->places + place_count);
	entry->place_count = place_count;
	entry->filter = *filter;
	entry->filter.categories = copy_nodes(&nodes, filter->categories, filter->category_count);
	entry->filter.not_categories = copy_nodes(&nodes, filter->not_categories, filter->not_category_count);
	entry->filter.regions = copy_nodes(&nodes, filter->regions, filter->region_count);
	return entry;
}

static void post(struct list *list, struct entry *entry, uint32_t number, uint32_t place)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 4;
		list->postings = resize(list->postings, list->room, sizeof *list->postings);
	}
	entry->places[place] = (struct place){.list = list, .at = list->count};
	list->postings[list->count++] = (struct posting){.number = number, .place = place};
}

static void unpost(struct index *index, const struct place *place)
{
	struct list *list = place->list;
	struct posting last = list->postings[--list->count];
	list->postings[place->at] = last;
	index->entries[last.number]->places[last.place].at = place->at;
	if (list->count == 0) {
		free(list->postings);
		*list = (struct list){0};
	}
}

static void make_room(struct index *index, uint32_t number)
{
	if (number < index->entry_room)
		return;
	uint32_t room = index->entry_room ? index->entry_room : 64;
	while (room <= number)
		room = room > UINT32_MAX / 2 ? UINT32_MAX : room * 2;
	index->entries = resize(index->entries, room, sizeof *index->entries);
	memset(index->entries + index->entry_room, 0, (room - index->entry_room) * sizeof *index->entries);
	index->entry_room = room;
}

void index_insert(struct index *index, uint32_t number, const struct filter *filter)
{
	static const uint32_t ONLY_NODE = 0;
	struct axis *axis = &index->anywhere;
	const uint32_t *nodes = &ONLY_NODE;
	uint32_t count = 1;
	if (filter->category_count > 0) {
		axis = &index->categories;
		nodes = filter->categories;
		count = filter->category_count;
	} else if (filter->region_count > 0) {
		axis = &index->regions;
		nodes = filter->regions;
		count = filter->region_count;
	}
	assert(number != UINT32_MAX);
	make_room(index, number);
	assert(!index->entries[number]);
	struct entry *entry = entry_new(filter, count);
	struct list *lists = filter->exact ? axis->exact : axis->maybe;
	for (uint32_t i = 0; i < count; i++) {
		assert(nodes[i] < axis->node_count);
		post(&lists[nodes[i]], entry, number, i);
	}
	index->entries[number] = entry;
	index->count++;
}

void index_remove(struct index *index, uint32_t number)
{
	assert(number < index->entry_room && index->entries[number]);
	struct entry *entry = index->entries[number];
	for (uint32_t i = 0; i < entry->place_count; i++)
		unpost(index, &entry->places[i]);
	index->entries[number] = NULL;
	free(entry);
	index->count--;
}

size_t index_count(const struct index *index)
{
	return index->count;
}

const struct filter *index_filter(const struct index *index, uint32_t number)
{
	if (number >= index->entry_room || !index->entries[number])
		return NULL;
	return &index->entries[number]->filter;
}

// ---- match

static void add_hit(struct index *index, uint32_t number, uint32_t maybe)
{
	if (index->hit_count == index->hit_room) {
		index->hit_room = index->hit_room ? index->hit_room * 2 : 64;
		index->hits = resize(index->hits, index->hit_room, sizeof *index->hits);
	}
	index->hits[index->hit_count++] = (struct index_hit){.number = number, .maybe = maybe};
}

static void try_list(struct index *index, const struct list *list, const struct match_header *header)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct entry *entry = index->entries[list->postings[i].number];
		uint32_t maybe;
		if (entry->stamp == index->stamp)
			continue;
		entry->stamp = index->stamp;
		if (filter_match(&entry->filter, header, &index->trees, &maybe, NULL))
			add_hit(index, list->postings[i].number, maybe);
	}
}

static void try_axis(struct index *index, const struct axis *axis, uint32_t node, const struct match_header *header)
{
	uint32_t first_below = 0, last_below = axis->node_count; // an unknown facet lies above everything
	if (node != TREE_NONE) {
		for (uint32_t up = node; up != TREE_NONE; up = axis->tree->parent[up]) {
			try_list(index, &axis->exact[up], header);
			try_list(index, &axis->maybe[up], header);
		}
		first_below = node + 1;
		last_below = axis->tree->last[node] + 1;
	}
	for (uint32_t below = first_below; below < last_below; below++)
		try_list(index, &axis->maybe[below], header);
}

size_t index_match(struct index *index, const struct match_header *header, const struct index_hit **hits)
{
	index->stamp++;
	index->hit_count = 0;
	try_axis(index, &index->categories, header->facets.category, header);
	try_axis(index, &index->regions, header->facets.region, header);
	try_list(index, &index->anywhere.exact[0], header);
	try_list(index, &index->anywhere.maybe[0], header);
	*hits = index->hits;
	return index->hit_count;
}
