// What a filter asks of category and region as two tables, one byte for each node: most headers of a long scan are put
// aside by two look-ups. Not the definition of a match: what passes is put to filter_match, unless the filter asks for
// nothing else (`complete`), where the tables say all there is to say. tests/unit/test_sieve.c holds both together.
#ifndef OYEZ_CORE_SIEVE_H
#define OYEZ_CORE_SIEVE_H

#include "filter.h"

struct sieve {
	uint32_t category_count, region_count; // also where the byte for "unknown" stands
	bool complete;                         // the filter has no other condition
	const uint8_t *categories, *regions;
	uint8_t bytes[];
};

// Nodes of the filter must be numbers of the trees.
struct sieve *sieve_new(const struct filter *filter, const struct trees *trees);
void sieve_free(struct sieve *sieve);

// 0: filter_match says no. SIEVE_PASSES: category and region pass; with SIEVE_CERTAIN neither is uncertain.
enum { SIEVE_PASSES = 1, SIEVE_CERTAIN = 2 };
static inline unsigned sieve_look(const struct sieve *sieve, const struct facets *facets)
{
	uint32_t category = facets->category, region = facets->region;
	category = category < sieve->category_count ? category : sieve->category_count;
	region = region < sieve->region_count ? region : sieve->region_count;
	unsigned both = sieve->categories[category] & sieve->regions[region];
	return both & SIEVE_PASSES ? both : 0;
}

#endif
