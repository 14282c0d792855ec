// The shape of the tables that proto/data/make_tables.py makes from iso-codes. Only region.c looks at them.
#ifndef OYEZ_PROTO_REGION_TABLES_H
#define OYEZ_PROTO_REGION_TABLES_H

#include <stdint.h>

#include "tree.h"

struct region_row {
	const char *code, *name, *name_fr;
	const char *currency, *language; // usual there
};
struct region_key {
	const char *code;
	uint32_t node;
};
struct currency_row {
	const char *code;
	uint16_t number;
	uint8_t decimals;
};

extern const struct tree region_table_tree;
extern const struct region_row region_table[]; // one row a node

// Sorted by code (strcmp).
extern const struct region_key region_table_by_code[];
extern const uint32_t region_table_by_code_count;
extern const struct region_key region_table_by_alpha3[];
extern const uint32_t region_table_by_alpha3_count;
extern const struct currency_row currency_table[];
extern const uint32_t currency_table_count;

#endif
