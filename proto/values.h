// Values as people write them: money, dates, durations, and the words for facets' enumerations.
// Used by the command line, the importers, the bots' JSON and the config.
#ifndef OYEZ_PROTO_VALUES_H
#define OYEZ_PROTO_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.pb-c.h"
#include "err.h"

// "189", "189.5", "189.0000" to ten-thousandths. No sign, exponent, space or more than four decimals. ERR_BAD_AMOUNT.
enum err amount_parse(const char *text, int64_t *amount_e4);
// "189.00": as many decimals as the currency has, more if needed. `out` has room for 32.
void amount_format(int64_t amount_e4, const char *currency, char out[32]);
// "100-250" (either end may be missing: "-250", "100-"; a missing end is 0). ERR_BAD_AMOUNT.
enum err amount_range_parse(const char *text, int64_t *min_e4, int64_t *max_e4);
// Widens to the 1-2-5 steps of PROTOCOL.md §6: 189 -> 100, 250 -> 500 for the upper end. 0 stays 0.
int64_t amount_band_down(int64_t amount_e4);
int64_t amount_band_up(int64_t amount_e4);

// "2027-01-31" to days since 1970-01-01, a day the calendar has, 1970 to 9999. ERR_BAD_DATE.
enum err day_parse(const char *text, uint32_t *day);
void day_format(uint32_t day, char out[16]);
// "200ms" "2s" "10m" "24h" "3d", at most DURATION_MS_MAX. ERR_BAD_DATE.
#define DURATION_MS_MAX (UINT64_C(3650) * 24 * 60 * 60 * 1000)
enum err duration_parse(const char *text, uint64_t *ms);
void duration_format(uint64_t ms, char out[24]);
// RFC 3339 UTC with milliseconds only where they are not zero: 2027-01-31T10:00:00Z.
void time_format(uint64_t ms, char out[32]);

// "new", "used", "any"...; NULL for unknown. The *_parse give false for words that do not exist.
const char *condition_word(Oyez__Condition value);
bool condition_parse(const char *word, Oyez__Condition *value);
const char *fulfilment_word(Oyez__Fulfilment value);
bool fulfilment_parse(const char *word, Oyez__Fulfilment *value);
const char *reach_word(Oyez__Reach value);
bool reach_parse(const char *word, Oyez__Reach *value);
const char *quantity_band_word(Oyez__QuantityBand value); // "1" "2-5" "6-20" "21+"
Oyez__QuantityBand quantity_band_of(uint32_t quantity);
const char *needed_band_word(Oyez__NeededBand value); // "3d" "7d" "30d" "later"
const char *expiry_band_word(Oyez__ExpiryBand value);
const char *gone_reason_word(int gone_reason); // "withdrawn" "expired" "taken"

// UTF-8 without zero bytes, control characters other than tab and newline, at most bytes_max.
// ERR_TOO_LARGE, ERR_BAD_UTF8 (zero bytes too), ERR_BAD_VALUE for control characters.
enum err text_check(const char *text, size_t bytes, size_t bytes_max);

#endif
