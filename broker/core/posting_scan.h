// A release boiled down to what postings are compared with, and the comparison of a stretch of a block with it.
// The hot loop of the broker: eight postings at a time, no branch that depends on one of them.
#ifndef OYEZ_CORE_POSTING_SCAN_H
#define OYEZ_CORE_POSTING_SCAN_H

#include "index.h"
#include "posting.h"

enum { SCAN_LANES = 8 };
typedef int16_t lanes __attribute__((vector_size(SCAN_LANES * sizeof(int16_t))));

// In `maybe` of a hit: only the whole filter can tell. Beyond all facet bits.
enum { HIT_CHECK = TRAIT_CHECK };

// A node, those above it, then "any": keys, lowest first.
enum { DEPTH_MAX = 255 };
struct chain {
	uint32_t keys[DEPTH_MAX + 1];
	uint32_t count;
};

// Vectors hold the same value eight times.
struct question {
	lanes budget_min, budget_max, inexact;
	lanes terms;    // the release's; all when unknown
	lanes refused;  // traits that refuse its condition
	lanes currency; // the release's, where `currency_mask` lets any through
	lanes currency_mask;
	lanes below_first, below_last; // keys strictly below its category, as unsigned; none: first > last
	lanes unknown_budget, unknown_terms, unknown_condition; // the facet's bit where the release does not show it
	bool unknown;                                           // one of those is not 0
	bool below;                                             // something is below its category
	bool odd;                        // has values that postings know nothing of: every candidate is checked in full
	lanes categories[DEPTH_MAX + 1]; // keys of its category and the nodes above, lowest first
};

struct stretch {
	const struct pool *pool;
	struct block block;
	uint32_t first, last; // of wide blocks: only postings with region keys from here to here,
	uint32_t after;       // whose `before` does not lie above this one
	uint32_t maybe;       // certain to be uncertain
	uint32_t excludable;  // so many of the question's categories may be excluded by a posting
	bool wide;
};

static inline lanes lanes_of(uint16_t value)
{
	int16_t same = (int16_t)value;
	return (lanes){same, same, same, same, same, same, same, same};
}

// `chain` is that of the release's category, which must be known.
void question_of(struct question *question, const struct match_header *header, const struct chain *chain,
                 const struct tree *categories);
// Appends the postings that pass. True if one of them carries HIT_CHECK.
bool posting_scan(const struct question *question, const struct stretch *stretch, struct index_hits *hits);
void index_hits_add(struct index_hits *hits, struct index_hit hit);

#endif
