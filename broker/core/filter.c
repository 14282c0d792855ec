// The naive matcher: what "this release matches this filter" means, one condition after the other, no index and no
// early way out, so that an explanation can name everything that failed. index.c must agree with it on every input.
//
// Each condition gives one of three verdicts. UNCERTAIN is a facet that was not published, or was published at a
// coarser level than the filter asks for: an exact filter refuses it, a maybe filter passes it and says so.
// One case passes in both modes and is still listed: a release above an excluded category may be of it or not.
#include "filter.h"

#include <stddef.h>

enum verdict { NO, UNCERTAIN, YES };

// Equal to or below one of the nodes: YES. Above one of them, or unknown: UNCERTAIN.
static enum verdict nodes_match(const struct tree *tree, const uint32_t *nodes, size_t count, uint32_t node)
{
	if (count == 0)
		return YES;
	if (node == TREE_NONE)
		return UNCERTAIN;
	enum verdict verdict = NO;
	for (size_t i = 0; i < count; i++) {
		if (tree_contains(tree, nodes[i], node))
			return YES;
		if (tree_contains(tree, node, nodes[i]))
			verdict = UNCERTAIN;
	}
	return verdict;
}

static enum verdict excluded_match(const struct filter *filter, const struct tree *categories, uint32_t category)
{
	if (filter->not_category_count == 0)
		return NO;
	return nodes_match(categories, filter->not_categories, filter->not_category_count, category);
}

static enum verdict budget_match(const struct filter *filter, const struct facets *facets)
{
	if (!filter->has_budget && filter->currency == 0)
		return YES;
	if (facets->currency == 0)
		return UNCERTAIN;
	if (filter->currency != 0 && filter->currency != facets->currency)
		return NO;
	if (!filter->has_budget)
		return YES;
	bool overlap = filter->budget_min_e4 <= facets->budget_max_e4 && facets->budget_min_e4 <= filter->budget_max_e4;
	return overlap ? YES : NO;
}

// The customer needs it within the band; a vendor who can deliver by `day` is in time if the band reaches that far.
static enum verdict needed_by_match(uint32_t day, uint8_t band, uint64_t released_at_ms)
{
	static const uint32_t LAST_DAY[] = {0, 3, 7, 30}; // of bands 1 to 3, from the tick; band 4 has none
	if (day == 0)
		return YES;
	if (band == 0)
		return UNCERTAIN;
	if (band >= sizeof LAST_DAY / sizeof *LAST_DAY)
		return YES;
	return released_at_ms / DAY_MS + LAST_DAY[band] >= day ? YES : NO;
}

// A filter's max of 0 is "no upper end".
static enum verdict quantity_match(uint32_t min, uint32_t max, uint8_t band)
{
	static const uint32_t LOW[] = {0, 1, 2, 6, 21}, HIGH[] = {0, 1, 5, 20, UINT32_MAX};
	if (min == 0 && max == 0)
		return YES;
	if (band == 0 || band >= sizeof LOW / sizeof *LOW)
		return UNCERTAIN;
	return min <= HIGH[band] && (max == 0 || LOW[band] <= max) ? YES : NO;
}

// For enumerations; `any` on either side fits all.
static enum verdict choice_match(uint32_t wanted, uint32_t shown, uint32_t any)
{
	if (wanted == 0 || wanted == any)
		return YES;
	if (shown == 0)
		return UNCERTAIN;
	return shown == any || shown == wanted ? YES : NO;
}

// `terms` is a roster index + 1.
static bool mask_has(uint16_t mask, uint16_t terms)
{
	return terms >= 1 && terms <= TERMS_MAX && (mask >> (terms - 1) & 1);
}

static enum verdict terms_match(uint16_t mask, uint16_t terms)
{
	if (mask == 0)
		return YES;
	if (terms == 0)
		return UNCERTAIN;
	return mask_has(mask, terms) ? YES : NO;
}

bool filter_match(const struct filter *filter, const struct match_header *header, const struct trees *trees,
                  uint32_t *maybe, uint32_t *failed)
{
	const struct facets *facets = &header->facets;
	uint32_t no = 0, uncertain = 0;
	const struct {
		uint32_t bit;
		enum verdict verdict;
	} conditions[] = {
	    {FACET_CATEGORY, nodes_match(trees->categories, filter->categories, filter->category_count, facets->category)},
	    {FACET_REGION, nodes_match(trees->regions, filter->regions, filter->region_count, facets->region)},
	    {FACET_BUDGET, budget_match(filter, facets)},
	    {FACET_NEEDED_BY, needed_by_match(filter->needed_by_day, facets->needed_by, header->released_at_ms)},
	    {FACET_CONDITION, choice_match(filter->condition, facets->condition, CONDITION_ANY)},
	    {FACET_QUANTITY, quantity_match(filter->quantity_min, filter->quantity_max, facets->quantity)},
	    {FACET_FULFILMENT, choice_match(filter->fulfilment, facets->fulfilment, FULFILMENT_ANY)},
	    {FACET_LANGUAGE, choice_match(filter->language, facets->language, 0)},
	    {FACET_TERMS, terms_match(filter->terms_mask, facets->terms)},
	    {FACET_CROWD, header->crowd >= filter->crowd_min ? YES : NO},
	};
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		if (conditions[i].verdict == NO)
			no |= conditions[i].bit;
		if (conditions[i].verdict == UNCERTAIN)
			uncertain |= conditions[i].bit;
	}
	if (filter->exact)
		no |= uncertain;

	// Unknown is not known to be outside; merely above an excluded node passes even an exact filter.
	enum verdict excluded = excluded_match(filter, trees->categories, facets->category);
	if (excluded == YES || (excluded == UNCERTAIN && filter->exact && facets->category == TREE_NONE))
		no |= FACET_CATEGORY;
	if (excluded == UNCERTAIN)
		uncertain |= FACET_CATEGORY;

	*maybe = uncertain;
	if (failed)
		*failed = no;
	return no == 0;
}

bool rules_match(const struct facets *facets, const struct vendor_facts *vendor, uint32_t *failed)
{
	uint32_t no = 0;
	bool country = facets->country_count == 0;
	for (size_t i = 0; i < facets->country_count && i < COUNTRIES_MAX; i++)
		country |= facets->countries[i] == vendor->country;
	if (!country)
		no |= FACET_VENDOR_COUNTRY;
	if (facets->terms != 0 && !mask_has(vendor->terms_mask, facets->terms))
		no |= FACET_VENDOR_TERMS;
	if (vendor->rating_band < facets->rating_band) // no rating yet is below every wish
		no |= FACET_VENDOR_RATING;
	if (failed)
		*failed = no;
	return no == 0;
}
