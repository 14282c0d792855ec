// One number for each field; budgets and country lists are folded into one.
#include "field.h"

static uint64_t given_or_absent(uint64_t value)
{
	return value ? value : FIELD_ABSENT;
}

static uint64_t fold_countries(const struct facets *facets)
{
	uint64_t folded = 0;
	for (unsigned i = 0; i < COUNTRIES_MAX; i++)
		folded = folded * 65599u + facets->countries[i];
	return folded;
}

uint64_t field_value(enum field_name field, const struct facets *facets, uint8_t step, uint64_t at_ms)
{
	uint64_t into_ms = at_ms - WORLD_START_MS;
	switch (field) {
	case FIELD_CATEGORY:
		return facets->category;
	case FIELD_REGION:
		return facets->region;
	case FIELD_BUDGET:
		return given_or_absent((uint64_t)facets->budget_max_e4 * 1000003u + (uint64_t)facets->budget_min_e4);
	case FIELD_LANGUAGE:
		return given_or_absent(facets->language);
	case FIELD_TERMS:
		return facets->terms;
	case FIELD_CONDITION:
		return given_or_absent(facets->condition);
	case FIELD_QUANTITY:
		return given_or_absent(facets->quantity);
	case FIELD_FULFILMENT:
		return given_or_absent(facets->fulfilment);
	case FIELD_REACH:
		return given_or_absent(facets->reach);
	case FIELD_NEEDED_BY:
		return given_or_absent(facets->needed_by);
	case FIELD_EXPIRES:
		return facets->expires;
	case FIELD_RATING:
		return facets->rating_band;
	case FIELD_COUNTRIES:
		return fold_countries(facets);
	case FIELD_STEP:
		return step;
	case FIELD_HOUR:
		return into_ms % DAY_MS / (DAY_MS / FIELD_HOUR_BINS) + (into_ms / DAY_MS % 7 >= 5 ? FIELD_HOUR_BINS : 0);
	case FIELD_WEEKDAY:
	default:
		return into_ms / DAY_MS % 7;
	}
}
