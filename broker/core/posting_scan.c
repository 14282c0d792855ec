// GCC's vectors, not a processor's: any compiler of the family makes SSE2, NEON or plain code of them. Comparisons give
// 0 or -1 in each lane. Lanes past the end of a stretch hold whatever lies there; they are computed and not appended.
#include "posting_scan.h"

#include <string.h>

typedef uint16_t unsigned_lanes __attribute__((vector_size(SCAN_LANES * sizeof(uint16_t))));

static void question_budget(struct question *question, const struct facets *facets)
{
	bool min_exact = true, max_exact = true;
	int16_t min = INT16_MIN, max = INT16_MAX; // unknown: nothing fails
	bool known = facets->currency != 0 && facets->currency <= TRAIT_CURRENCY;
	if (known) {
		min = budget_key(facets->budget_min_e4, &min_exact);
		max = budget_key(facets->budget_max_e4, &max_exact);
	}
	question->budget_min = lanes_of((uint16_t)min);
	question->budget_max = lanes_of((uint16_t)max);
	question->inexact = lanes_of(min_exact && max_exact ? 0 : TRAIT_INEXACT);
	question->currency = lanes_of(facets->currency);
	question->currency_mask = lanes_of(known ? TRAIT_CURRENCY : 0);
	question->unknown_budget = lanes_of(facets->currency == 0 ? FACET_BUDGET : 0);
}

static uint16_t refusing_traits(uint8_t condition)
{
	switch (condition) {
	case 0:
	case CONDITION_ANY:
		return 0;
	case CONDITION_NEW:
		return TRAIT_NOT_NEW;
	case CONDITION_USED:
		return TRAIT_NOT_USED;
	default:
		return TRAIT_NOT_NEW | TRAIT_NOT_USED;
	}
}

// Postings hold excluded nodes in 16 bits; a node beyond is never in one, and UINT16_MAX is none.
static uint16_t short_key(uint32_t key)
{
	return key < UINT16_MAX ? (uint16_t)key : UINT16_MAX;
}

static void question_categories(struct question *question, uint32_t category, const struct chain *chain,
                                const struct tree *categories)
{
	uint32_t first = category + 2, last = categories->last[category] + 1;
	for (uint32_t i = 0; i < chain->count; i++)
		question->categories[i] = lanes_of(short_key(chain->keys[i]));
	question->below = first <= last && first < UINT16_MAX;
	question->below_first = lanes_of(short_key(first));
	question->below_last = lanes_of(last < UINT16_MAX ? (uint16_t)last : UINT16_MAX - 1);
}

void question_of(struct question *question, const struct match_header *header, const struct chain *chain,
                 const struct tree *categories)
{
	const struct facets *facets = &header->facets;
	bool terms_known = facets->terms >= 1 && facets->terms <= TERMS_MAX;
	question_budget(question, facets);
	question->terms = lanes_of(terms_known ? (uint16_t)(1u << (facets->terms - 1)) : TERMS_ANY);
	question->unknown_terms = lanes_of(facets->terms == 0 ? FACET_TERMS : 0);
	question->refused = lanes_of(refusing_traits(facets->condition));
	question->unknown_condition = lanes_of(facets->condition == 0 ? FACET_CONDITION : 0);
	question->unknown = facets->currency == 0 || facets->terms == 0 || facets->condition == 0;
	question->odd = facets->currency > TRAIT_CURRENCY || facets->terms > TERMS_MAX;
	question_categories(question, facets->category, chain, categories);
}

static inline lanes load(const void *at)
{
	lanes value;
	memcpy(&value, at, sizeof value);
	return value;
}

// -1 where the posting does not match. *maybe gets the bits of each.
static inline __attribute__((always_inline)) lanes
refuse(const struct question *question, const struct columns *columns, uint32_t excludable, bool unknown, lanes *maybe)
{
	lanes low = load(columns->low), high = load(columns->high);
	lanes terms = load(columns->terms), traits = load(columns->traits);
	lanes no = (low > question->budget_max) | (question->budget_min > high);
	no |= (terms & question->terms) == 0;
	no |= (traits & question->refused) != 0;
	lanes currency = traits & question->currency_mask;
	no |= (currency != 0) & (currency != question->currency);
	if (excludable > 0) {
		lanes excluded = load(columns->excluded);
		for (uint32_t i = 0; i < excludable; i++)
			no |= excluded == question->categories[i];
	}
	lanes close = ((low == question->budget_max) | (high == question->budget_min)) & (traits | question->inexact);
	lanes check = (traits < 0) | ((close & TRAIT_INEXACT) != 0);
	lanes bits = check & lanes_of(HIT_CHECK);
	if (unknown) {
		lanes unsure = ((traits & TRAIT_CURRENCY) != 0) & question->unknown_budget;
		unsure |= (terms != lanes_of(TERMS_ANY)) & question->unknown_terms;
		unsure |= ((traits & (TRAIT_NOT_NEW | TRAIT_NOT_USED)) != 0) & question->unknown_condition;
		no |= (unsure != 0) & ((traits & TRAIT_EXACT) != 0);
		bits |= unsure;
	}
	if (question->below) {
		unsigned_lanes excluded = (unsigned_lanes)load(columns->excluded);
		lanes inside = (lanes)(excluded >= (unsigned_lanes)question->below_first) &
		               (lanes)(excluded <= (unsigned_lanes)question->below_last);
		bits |= inside & FACET_CATEGORY;
	}
	*maybe = bits;
	return no;
}

// Whether any of the tile's regions is one that the stretch asks for.
static inline bool any_region(const struct stretch *stretch, const struct columns *columns, uint32_t count)
{
	uint32_t width = stretch->last - stretch->first;
	bool any = false;
	for (uint32_t i = 0; i < count; i++)
		any |= columns->region[i] - stretch->first <= width;
	return any;
}

static inline __attribute__((always_inline)) size_t append(struct index_hit *items, const struct stretch *stretch,
                                                           const struct columns *columns, uint32_t count, bool wide,
                                                           lanes no, lanes maybe)
{
	lanes bits = maybe | lanes_of((uint16_t)stretch->maybe);
	int16_t refused[SCAN_LANES];
	uint16_t all_bits[SCAN_LANES];
	memcpy(refused, &no, sizeof refused);
	memcpy(all_bits, &bits, sizeof all_bits);
	size_t found = 0;
	for (uint32_t i = 0; i < count; i++) {
		items[found] = (struct index_hit){.number = columns->number[i], .maybe = all_bits[i]};
		size_t passes = (size_t)(1 + refused[i]);
		if (wide) {
			passes &= columns->region[i] - stretch->first <= stretch->last - stretch->first;
			passes &= columns->before[i] <= stretch->after;
		}
		found += passes;
	}
	return found;
}

// `room` is that of each tile; true if anything that passes may carry HIT_CHECK.
static inline __attribute__((always_inline)) bool scan_as(const struct question *question,
                                                          const struct stretch *stretch, uint32_t room, bool unknown,
                                                          bool wide, struct index_hits *hits)
{
	static const lanes PLACE = {0, 1, 2, 3, 4, 5, 6, 7};
	struct index_hit *items = hits->items + hits->count, *end = items;
	uint32_t *words = pool_at(stretch->pool, stretch->block.at);
	lanes maybe, any = {0};
	for (uint32_t left = stretch->block.count; left > 0; words += tile_words(wide, room)) {
		struct columns columns = tile_columns(words, wide, room);
		uint32_t count = left < room ? left : room;
		left -= count;
		if (wide && !any_region(stretch, &columns, count))
			continue;
		lanes no = refuse(question, &columns, stretch->excludable, unknown, &maybe);
		if (count == SCAN_LANES) {
			any |= maybe & ~no;
			end += append(end, stretch, &columns, SCAN_LANES, wide, no, maybe);
		} else {
			any |= maybe & ~no & (PLACE < lanes_of((uint16_t)count));
			end += append(end, stretch, &columns, count, wide, no, maybe);
		}
	}
	hits->count += (size_t)(end - items);
	uint64_t halves[2];
	any &= lanes_of(HIT_CHECK);
	memcpy(halves, &any, sizeof halves);
	return (halves[0] | halves[1]) != 0;
}

static void make_room(struct index_hits *hits, size_t more)
{
	if (hits->count + more <= hits->room)
		return;
	hits->room = (hits->count + more) * 2;
	hits->items = memory_resize(hits->items, hits->room, sizeof *hits->items);
}

bool posting_scan(const struct question *question, const struct stretch *stretch, struct index_hits *hits)
{
	uint32_t room = BLOCK_ROOMS[stretch->block.count];
	bool unknown = question->unknown;
	make_room(hits, stretch->block.count + SCAN_LANES);
	if (stretch->wide)
		return scan_as(question, stretch, tile_room(room), unknown, true, hits);
	if (unknown)
		return scan_as(question, stretch, tile_room(room), true, false, hits);
	if (room < TILE_POSTINGS)
		return scan_as(question, stretch, room, false, false, hits);
	return scan_as(question, stretch, TILE_POSTINGS, false, false, hits);
}

void index_hits_add(struct index_hits *hits, struct index_hit hit)
{
	make_room(hits, 1);
	hits->items[hits->count++] = hit;
}
