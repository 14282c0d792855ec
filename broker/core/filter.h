// The definition of a match: a vendor's filter against a release's facets, both sides (DESIGN: both must match).
// filter_match is the truth; index.h is tested against it.
#ifndef OYEZ_CORE_FILTER_H
#define OYEZ_CORE_FILTER_H

#include <stdbool.h>
#include <string.h>

#include "facets.h"

// Numbers as in proto/common.proto.
enum { CONDITION_NEW = 1, CONDITION_USED = 2, CONDITION_ANY = 3, FULFILMENT_ANY = 4 };

struct filter {
	const uint32_t *categories; // any of; empty = all
	const uint32_t *not_categories;
	const uint32_t *regions; // any of; empty = all
	uint16_t category_count, not_category_count, region_count;
	uint16_t terms_mask; // bit i = roster index i; 0 = any
	uint16_t currency;   // 0 = any; set when there is a budget
	bool has_budget, exact;
	int64_t budget_min_e4, budget_max_e4;
	uint32_t needed_by_day;              // 0 = any; the vendor can deliver by this day
	uint32_t quantity_min, quantity_max; // 0, 0 = any; max 0 = no upper end
	uint16_t language;
	uint8_t condition, fulfilment; // 0 or "any" = any
	uint32_t crowd_min;
};

// What a release shows, one fixed-size record: the match header of the feed.
struct match_header {
	struct facets facets;
	uint64_t released_at_ms;
	uint64_t release_seq; // feed position of the release (a tombstone names its release's)
	uint32_t crowd;
	uint8_t kind;        // enum feed_kind
	uint8_t gone_reason; // of a tombstone, or of a release since purged (then kind is FEED_PURGED)
	uint8_t reserved[2];
};
enum feed_kind { FEED_RELEASE = 1, FEED_TOMBSTONE = 2, FEED_PURGED = 3 };
_Static_assert(sizeof(struct match_header) == 80, "match headers are stored as they are");

// Bits of uncertain facets, in `maybe` of deliveries (PROTOCOL.md §6). Also names what failed in explanations.
enum facet_bit {
	FACET_CATEGORY = 1 << 0,
	FACET_REGION = 1 << 1,
	FACET_BUDGET = 1 << 2,
	FACET_NEEDED_BY = 1 << 3,
	FACET_CONDITION = 1 << 4,
	FACET_QUANTITY = 1 << 5,
	FACET_FULFILMENT = 1 << 6,
	FACET_LANGUAGE = 1 << 7,
	FACET_TERMS = 1 << 8,
	FACET_CROWD = 1 << 9,
	FACET_VENDOR_COUNTRY = 1 << 10, // the customer's rules against the vendor's listing
	FACET_VENDOR_TERMS = 1 << 11,
	FACET_VENDOR_RATING = 1 << 12,
};

struct trees {
	const struct tree *categories, *regions;
};

// True if the release passes every condition. *maybe gets the bits that passed only as unknown or as coarser than
// asked; also for an exact filter, when the release's category lies above an excluded one (it passes then).
// *failed (may be NULL) gets the bits that excluded it. Nodes of the filter must be numbers of the trees.
bool filter_match(const struct filter *filter, const struct match_header *header, const struct trees *trees,
                  uint32_t *maybe, uint32_t *failed);

// Whether no filter can tell two releases apart. Those of one class leave at the same tick, one behind the other, so
// that what was found for the first holds for all.
static inline bool match_alike(const struct match_header *a, const struct match_header *b)
{
	return a->crowd == b->crowd && a->released_at_ms == b->released_at_ms &&
	       memcmp(&a->facets, &b->facets, sizeof a->facets) == 0;
}

// The customer's half: may this vendor answer? Checked at delivery against the vendor's present record.
struct vendor_facts {
	uint16_t country;    // two letters
	uint16_t terms_mask; // roster indices the listing agrees to
	uint8_t rating_band; // half stars, 0 = no rating yet
};
bool rules_match(const struct facets *facets, const struct vendor_facts *vendor, uint32_t *failed);

#endif
