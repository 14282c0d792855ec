// What a release shows, field by field, as plain numbers: what the attackers count and compare.
#ifndef OYEZ_TESTS_PRIVACY_FIELD_H
#define OYEZ_TESTS_PRIVACY_FIELD_H

#include "market.h"

enum field_name {
	FIELD_CATEGORY,
	FIELD_REGION,
	FIELD_BUDGET,
	FIELD_LANGUAGE,
	FIELD_TERMS,
	FIELD_CONDITION,
	FIELD_QUANTITY,
	FIELD_FULFILMENT,
	FIELD_REACH,
	FIELD_NEEDED_BY,
	FIELD_EXPIRES,
	FIELD_RATING,
	FIELD_COUNTRIES,
	FIELD_STEP,
	FIELDS_OF_CLASS,
	FIELD_HOUR = FIELDS_OF_CLASS, // half-hours of a weekday, then of a weekend day
	FIELD_WEEKDAY,
	FIELDS
};
enum { FIELD_HOUR_BINS = 48 };
#define FIELD_ABSENT UINT32_MAX

uint64_t field_value(enum field_name field, const struct facets *facets, uint8_t step, uint64_t at_ms);

#endif
