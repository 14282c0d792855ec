// Facets as numbers: what matching and classes work on. Words become numbers in service/facet_map.c.
#ifndef OYEZ_CORE_FACETS_H
#define OYEZ_CORE_FACETS_H

#include <stdint.h>

#include "proto/limits.h"
#include "proto/tree.h"

// 0 is "unknown" in every field but the tree nodes (TREE_NONE) and the budget (see below).
// No padding bytes and no pointers: two facets are equal when their bytes are (the class key relies on it).
struct facets {
	int64_t budget_min_e4; // budget unknown: currency 0 and both ends 0
	int64_t budget_max_e4;
	uint32_t category; // node of the category tree
	uint32_t region;   // node of the region tree
	uint16_t currency; // ISO 4217 number
	uint16_t language; // two ASCII letters, big-endian: "fr" = 0x6672
	uint16_t terms;    // roster index + 1
	uint8_t condition; // numbers as in proto/common.proto
	uint8_t quantity;
	uint8_t fulfilment;
	uint8_t reach;
	uint8_t needed_by;   // band, from the tick
	uint8_t expires;     // band, from the tick
	uint8_t rating_band; // of the vendor rules
	uint8_t country_count;
	uint16_t countries[COUNTRIES_MAX]; // vendor rules: two ASCII letters each, ascending, rest 0
	uint16_t reserved;                 // 0
};
_Static_assert(sizeof(struct facets) == 56, "facets must have no padding");

#endif
