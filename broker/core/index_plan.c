// A wanted node that lies below another wanted one changes nothing, so lists are first cut down to nodes of which none
// lies above another. Then a release lies at or below at most one of them, or above some, never both: that is why no
// release finds a filter twice, without any book-keeping about who was found already.
#include "index_plan.h"

#include <stdlib.h>

// A filter with more pairs than this is posted under its categories and any region, to be checked in full.
enum { PAIRS_MAX = 256 };

void keys_reserve(struct keys *keys, size_t count)
{
	if (count <= keys->room)
		return;
	uint32_t room = keys->room ? keys->room : 8;
	while (room < count)
		room *= 2;
	keys->items = memory_resize(keys->items, room, sizeof *keys->items);
	keys->room = room;
}

static void add_key(struct keys *keys, uint32_t key)
{
	keys_reserve(keys, (size_t)keys->count + 1);
	keys->items[keys->count++] = key;
}

static int compare_keys(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

// Ascending; mostly they are that already.
static void list_keys(struct keys *keys, const uint32_t *nodes, uint32_t count)
{
	enum { FEW = 16 };
	keys_reserve(keys, count);
	uint32_t *items = keys->items;
	keys->count = count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t key = nodes[i] + 1, at = i;
		for (; count <= FEW && at > 0 && items[at - 1] > key; at--)
			items[at] = items[at - 1];
		items[at] = key;
	}
	if (count > FEW)
		qsort(items, count, sizeof *items, compare_keys);
}

static void cut_down(struct keys *keys, const struct tree *tree, const uint32_t *nodes, uint32_t count)
{
	list_keys(keys, nodes, count);
	uint32_t *items = keys->items, kept = 1, last = tree->last[items[0] - 1];
	for (uint32_t i = 1; i < count; i++) {
		if (items[i] - 1 <= last)
			continue;
		last = tree->last[items[i] - 1];
		items[kept++] = items[i];
	}
	keys->count = kept;
}

static inline void topmost(struct keys *keys, const struct tree *tree, const uint32_t *nodes, uint32_t count)
{
	keys->count = 0;
	if (count > 1)
		cut_down(keys, tree, nodes, count);
	else if (count == 1)
		add_key(keys, nodes[0] + 1);
}

// Pre-order: an ancestor lies above the node before too if its number is not higher, and then it is already listed.
static void nodes_above(struct keys *above, const struct tree *tree, const struct keys *keys)
{
	above->count = 0;
	for (uint32_t i = 0; i < keys->count && keys->items[i] != 0; i++) {
		uint32_t up = tree->parent[keys->items[i] - 1];
		for (; up != TREE_NONE && (i == 0 || up + 1 > keys->items[i - 1]); up = tree->parent[up])
			add_key(above, up + 1);
	}
}

void plan_nodes(struct plan *plan, const struct trees *trees, const struct filter *filter)
{
	topmost(&plan->categories, trees->categories, filter->categories, filter->category_count);
	topmost(&plan->regions, trees->regions, filter->regions, filter->region_count);
	if (plan->categories.count == 0)
		add_key(&plan->categories, 0);
	plan->regions_left_out = (uint64_t)plan->categories.count * plan->regions.count > PAIRS_MAX;
	if (plan->regions_left_out)
		plan->regions.count = 0;
	if (plan->regions.count == 0)
		add_key(&plan->regions, 0);
	plan->above.count = 0;
	if (!filter->exact)
		nodes_above(&plan->above, trees->categories, &plan->categories);
}

// ---- the posting

static void post_budget(struct posting *posting, const struct filter *filter)
{
	bool low_exact, high_exact;
	posting->low = INT16_MIN;
	posting->high = INT16_MAX;
	if (filter->currency > TRAIT_CURRENCY || (filter->has_budget && filter->currency == 0)) {
		posting->traits |= TRAIT_CHECK;
		return;
	}
	posting->traits |= filter->currency;
	if (!filter->has_budget)
		return;
	posting->low = budget_key(filter->budget_min_e4, &low_exact);
	posting->high = budget_key(filter->budget_max_e4, &high_exact);
	if (!low_exact || !high_exact)
		posting->traits |= TRAIT_INEXACT;
}

static void post_condition(struct posting *posting, uint8_t condition)
{
	if (condition == CONDITION_NEW)
		posting->traits |= TRAIT_NOT_USED;
	else if (condition == CONDITION_USED)
		posting->traits |= TRAIT_NOT_NEW;
	else if (condition != 0 && condition != CONDITION_ANY)
		posting->traits |= TRAIT_CHECK;
}

// An excluded node counts only where it cuts something out of a wanted one; one such node is put into the posting.
static void post_excluded(struct plan *plan, const struct tree *tree, const struct filter *filter)
{
	uint32_t cuts = 0;
	if (filter->not_category_count == 0)
		return;
	topmost(&plan->excluded, tree, filter->not_categories, filter->not_category_count);
	for (uint32_t i = 0; i < plan->excluded.count; i++) {
		uint32_t excluded = plan->excluded.items[i];
		bool below = false;
		for (uint32_t j = 0; j < plan->categories.count; j++) {
			uint32_t wanted = plan->categories.items[j];
			if (wanted == 0 || (wanted != excluded && tree_contains(tree, wanted - 1, excluded - 1)))
				below = true;
			else if (tree_contains(tree, excluded - 1, wanted - 1))
				plan->posting.traits |= TRAIT_CHECK;
		}
		if (!below)
			continue;
		if (++cuts == 1 && excluded < UINT16_MAX)
			plan->posting.excluded = (uint16_t)excluded;
		else
			plan->posting.traits |= TRAIT_CHECK;
	}
}

void plan_posting(struct plan *plan, const struct trees *trees, uint32_t number, const struct filter *filter)
{
	struct posting *posting = &plan->posting;
	*posting = (struct posting){.number = number};
	if (filter->exact)
		posting->traits |= TRAIT_EXACT;
	posting->terms = filter->terms_mask ? filter->terms_mask : TERMS_ANY;
	if (filter->terms_mask == TERMS_ANY || filter->needed_by_day || filter->quantity_min || filter->quantity_max ||
	    filter->fulfilment || filter->language || filter->crowd_min || plan->regions_left_out)
		posting->traits |= TRAIT_CHECK;
	post_budget(posting, filter);
	post_condition(posting, filter->condition);
	post_excluded(plan, trees->categories, filter);
}

void plan_fini(struct plan *plan)
{
	free(plan->categories.items);
	free(plan->regions.items);
	free(plan->above.items);
	free(plan->excluded.items);
}
