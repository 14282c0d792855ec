// Regions (ISO 3166-1 and -2 with parents, French names), currencies (ISO 4217), countries: tables made at build
// time from the iso-codes package (proto/data/make_tables.py), so that slim images without it work.
#ifndef OYEZ_PROTO_REGION_H
#define OYEZ_PROTO_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "tree.h"

const struct tree *region_tree(void);
// TREE_NONE if there is none. Codes as in ISO 3166: "FR", "FR-BRE", "FR-56". A few have a second code (FR-75C, UK);
// region_code() of the result is the one to store and send.
uint32_t region_find(const char *code);
// The country of an ISO 3166-1 alpha-3 code ("FRA"), as other systems write them.
uint32_t region_find_alpha3(const char *code);
// NULL for numbers that are no node, as region_name.
const char *region_code(uint32_t node);
const char *region_name(uint32_t node, int french);
// Up to three codes nearest to a mistyped code or to a name in either language; how many were found. Static strings.
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
