// Words:  counts (categories, regions) | counts (excluded), currency | flags, terms | [language, condition, fulfilment]
//         [budget: two ends, in whole units or in e4] | [needed by, quantity min, max, crowd] | nodes
#include "packed_filter.h"

#include <string.h>

#define E4 INT64_C(10000)

enum {
	HAS_BUDGET = 1,
	BUDGET_IN_UNITS = 2, // both ends are whole units below 2^32
	EXACT = 4,
	HAS_CHOICES = 8,
	HAS_NUMBERS = 16,
};

struct head {
	uint16_t category_count, region_count;
	uint16_t not_category_count, currency;
	uint16_t flags, terms_mask;
};
struct choices {
	uint16_t language;
	uint8_t condition, fulfilment;
};
struct numbers {
	uint32_t needed_by_day, quantity_min, quantity_max, crowd_min;
};

static bool is_whole(int64_t amount_e4)
{
	return amount_e4 >= 0 && amount_e4 % E4 == 0 && amount_e4 / E4 <= UINT32_MAX;
}

static uint16_t flags_of(const struct filter *filter)
{
	uint16_t flags = 0;
	if (filter->has_budget) {
		flags |= HAS_BUDGET;
		if (is_whole(filter->budget_min_e4) && is_whole(filter->budget_max_e4))
			flags |= BUDGET_IN_UNITS;
	}
	if (filter->exact)
		flags |= EXACT;
	if (filter->language || filter->condition || filter->fulfilment)
		flags |= HAS_CHOICES;
	if (filter->needed_by_day || filter->quantity_min || filter->quantity_max || filter->crowd_min)
		flags |= HAS_NUMBERS;
	return flags;
}

static uint32_t words_of(const struct head *head)
{
	uint32_t bytes = sizeof *head;
	if (head->flags & HAS_CHOICES)
		bytes += sizeof(struct choices);
	if (head->flags & HAS_BUDGET)
		bytes += head->flags & BUDGET_IN_UNITS ? 2 * sizeof(uint32_t) : 2 * sizeof(int64_t);
	if (head->flags & HAS_NUMBERS)
		bytes += sizeof(struct numbers);
	return bytes / sizeof(uint32_t) + head->category_count + head->region_count + head->not_category_count;
}

static void put(uint8_t **at, const void *bytes, size_t count)
{
	memcpy(*at, bytes, count);
	*at += count;
}

// Mostly one or two: a call would cost more than they do.
static uint32_t *put_nodes(uint32_t *to, const uint32_t *nodes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = nodes[i];
	return to + count;
}

static void get(const uint8_t **at, void *bytes, size_t count)
{
	memcpy(bytes, *at, count);
	*at += count;
}

uint32_t packed_filter_new(struct pool *pool, const struct filter *filter)
{
	const struct head head = {
	    .category_count = filter->category_count,
	    .region_count = filter->region_count,
	    .not_category_count = filter->not_category_count,
	    .currency = filter->currency,
	    .flags = flags_of(filter),
	    .terms_mask = filter->terms_mask,
	};
	uint32_t place = pool_take(pool, words_of(&head));
	uint8_t *at = pool_at(pool, place);
	put(&at, &head, sizeof head);
	if (head.flags & HAS_CHOICES) {
		const struct choices choices = {filter->language, filter->condition, filter->fulfilment};
		put(&at, &choices, sizeof choices);
	}
	if (head.flags & BUDGET_IN_UNITS) {
		const uint32_t ends[] = {(uint32_t)(filter->budget_min_e4 / E4), (uint32_t)(filter->budget_max_e4 / E4)};
		put(&at, ends, sizeof ends);
	} else if (head.flags & HAS_BUDGET) {
		const int64_t ends[] = {filter->budget_min_e4, filter->budget_max_e4};
		put(&at, ends, sizeof ends);
	}
	if (head.flags & HAS_NUMBERS) {
		const struct numbers numbers = {filter->needed_by_day, filter->quantity_min, filter->quantity_max,
		                                filter->crowd_min};
		put(&at, &numbers, sizeof numbers);
	}
	uint32_t *nodes = (uint32_t *)at;
	nodes = put_nodes(nodes, filter->categories, filter->category_count);
	nodes = put_nodes(nodes, filter->not_categories, filter->not_category_count);
	put_nodes(nodes, filter->regions, filter->region_count);
	return place;
}

static void get_budget(const uint8_t **at, uint16_t flags, struct filter *filter)
{
	if (flags & BUDGET_IN_UNITS) {
		uint32_t ends[2];
		get(at, ends, sizeof ends);
		filter->budget_min_e4 = ends[0] * E4;
		filter->budget_max_e4 = ends[1] * E4;
	} else if (flags & HAS_BUDGET) {
		int64_t ends[2];
		get(at, ends, sizeof ends);
		filter->budget_min_e4 = ends[0];
		filter->budget_max_e4 = ends[1];
	}
}

void packed_filter_get(const struct pool *pool, uint32_t place, struct filter *filter)
{
	const uint8_t *at = pool_at(pool, place);
	struct head head;
	struct choices choices = {0};
	struct numbers numbers = {0};
	get(&at, &head, sizeof head);
	if (head.flags & HAS_CHOICES)
		get(&at, &choices, sizeof choices);
	*filter = (struct filter){
	    .category_count = head.category_count,
	    .not_category_count = head.not_category_count,
	    .region_count = head.region_count,
	    .terms_mask = head.terms_mask,
	    .currency = head.currency,
	    .has_budget = head.flags & HAS_BUDGET,
	    .exact = head.flags & EXACT,
	    .language = choices.language,
	    .condition = choices.condition,
	    .fulfilment = choices.fulfilment,
	};
	get_budget(&at, head.flags, filter);
	if (head.flags & HAS_NUMBERS) {
		get(&at, &numbers, sizeof numbers);
		filter->needed_by_day = numbers.needed_by_day;
		filter->quantity_min = numbers.quantity_min;
		filter->quantity_max = numbers.quantity_max;
		filter->crowd_min = numbers.crowd_min;
	}
	filter->categories = (const uint32_t *)at;
	filter->not_categories = filter->categories + head.category_count;
	filter->regions = filter->not_categories + head.not_category_count;
}

void packed_filter_free(struct pool *pool, uint32_t at)
{
	struct head head;
	memcpy(&head, pool_at(pool, at), sizeof head);
	pool_give(pool, at, words_of(&head));
}

uint32_t packed_filter_move(const struct pool *from, struct pool *to, uint32_t at)
{
	struct head head;
	memcpy(&head, pool_at(from, at), sizeof head);
	uint32_t words = words_of(&head), moved = pool_take(to, words);
	memcpy(pool_at(to, moved), pool_at(from, at), words * sizeof *from->words);
	return moved;
}
