// Facets, money and ids as the JSON of the command line contract: one place, so that what a preview shows is what a
// vendor's watch shows.
#ifndef OYEZ_CLIENT_VIEW_H
#define OYEZ_CLIENT_VIEW_H

#include <jansson.h>

#include "proto/codec.h"
#include "proto/id.h"

// {"amount":"189.00","currency":"EUR"}
json_t *json_money(int64_t amount_e4, const char *currency);
// Lower-case hex.
json_t *json_hex(const uint8_t *bytes, size_t count);
json_t *json_binary(const ProtobufCBinaryData *bytes);
// RFC 3339 UTC; null for 0.
json_t *json_time(uint64_t ms);
// "" for NULL; never fails on text that is not UTF-8 (it becomes "").
json_t *json_text(const char *text);

// What is broadcast of an intent, flat: category, region, budget{min,max,currency}, needed_by, needed_by_band,
// quantity, condition, language, fulfilment, terms, reach, vendor_country[], min_rating, expires. Unknown facets are
// left out. `needed_by` is the last day of the band counted from `tick_ms`, the date that is safe to promise against;
// the last band has no such day.
void json_add_facets(json_t *object, const Oyez__Facets *facets, Oyez__NeededBand needed_by, Oyez__ExpiryBand expires,
                     uint64_t tick_ms);
void json_add_release(json_t *object, const Oyez__Release *release); // facets, crowd

// The bands as a broker counts them from a tick (PROTOCOL.md §6).
Oyez__NeededBand needed_band(uint32_t needed_by_day, uint64_t tick_ms);
Oyez__ExpiryBand expiry_band(uint64_t expires_at_ms, uint64_t tick_ms);

#endif
