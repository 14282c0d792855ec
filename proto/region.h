// Regions (ISO 3166-1 and -2 with parents, French names), currencies (ISO 4217), countries: tables made at build
// time from the iso-codes package (proto/data/make_tables.py), so that slim images without it work.
#ifndef OYEZ_PROTO_REGION_H
#define OYEZ_PROTO_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "tree.h"

const struct tree *region_tree(void);
// TREE_NONE if there is none. Codes as in ISO 3166: "FR", "FR-BRE", "FR-56".
uint32_t region_find(const char *code);
const char *region_code(uint32_t node);
const char *region_name(uint32_t node, int french);
size_t region_suggest(const char *text, const char *out[3]);
// The currency usual in a country ("EUR" for FR), "EUR" where not known; the usual language ("fr").
const char *region_currency(uint32_t node);
const char *region_language(uint32_t node);

// ISO 4217: the numeric code, 0 if there is none, and back (NULL if there is none).
uint16_t currency_find(const char *code);
const char *currency_code(uint16_t number);
// Decimals people write: 2 for EUR, 0 for JPY, 3 for TND.
unsigned currency_decimals(const char *code);

#endif
