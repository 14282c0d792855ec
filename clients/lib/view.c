// Facets, money, ids and times as JSON. No decisions here: what may be shown is decided by who calls.
#include "clients/lib/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sign.h"
#include "proto/values.h"

json_t *json_text(const char *text)
{
	json_t *value = json_string(text ? text : "");
	return value ? value : json_string("");
}

json_t *json_money(int64_t amount_e4, const char *currency)
{
	char amount[32];
	amount_format(amount_e4, currency, amount);
	return json_pack("{s:s, s:o}", "amount", amount, "currency", json_text(currency));
}

json_t *json_hex(const uint8_t *bytes, size_t count)
{
	char *hex = malloc(2 * count + 1);
	if (!hex)
		abort();
	hex_encode(bytes, count, hex);
	json_t *value = json_string(hex);
	free(hex);
	return value;
}

json_t *json_binary(const ProtobufCBinaryData *bytes)
{
	return json_hex(bytes->data, bytes->len);
}

json_t *json_time(uint64_t ms)
{
	char text[32];
	if (!ms)
		return json_null();
	time_format(ms, text);
	return json_string(text);
}

static void add_word(json_t *object, const char *name, const char *word)
{
	if (word && *word)
		json_object_set_new(object, name, json_text(word));
}

static json_t *budget_json(const Oyez__Budget *budget)
{
	char amount[32];
	json_t *object = json_object();
	if (budget->min_e4) {
		amount_format(budget->min_e4, budget->currency, amount);
		add_word(object, "min", amount);
	}
	if (budget->max_e4) {
		amount_format(budget->max_e4, budget->currency, amount);
		add_word(object, "max", amount);
	}
	add_word(object, "currency", budget->currency);
	return object;
}

static void add_rules(json_t *object, const Oyez__VendorRules *rules)
{
	if (rules->n_countries) {
		json_t *countries = json_array();
		for (size_t i = 0; i < rules->n_countries; i++)
			json_array_append_new(countries, json_text(rules->countries[i]));
		json_object_set_new(object, "vendor_country", countries);
	}
	if (rules->rating_band)
		json_object_set_new(object, "min_rating", json_real(rules->rating_band / 2.0));
}

static void add_needed_by(json_t *object, Oyez__NeededBand band, uint64_t tick_ms)
{
	static const uint32_t days[] = {
	    [OYEZ__NEEDED_BAND__NEEDED_3D] = 3, [OYEZ__NEEDED_BAND__NEEDED_7D] = 7, [OYEZ__NEEDED_BAND__NEEDED_30D] = 30};
	char day[16];
	if ((size_t)band < sizeof(days) / sizeof(*days) && days[band]) {
		day_format((uint32_t)(tick_ms / DAY_MS) + days[band], day);
		add_word(object, "needed_by", day);
	}
	add_word(object, "needed_by_band", needed_band_word(band));
}

void json_add_facets(json_t *object, const Oyez__Facets *facets, Oyez__NeededBand needed_by, Oyez__ExpiryBand expires,
                     uint64_t tick_ms)
{
	if (!facets)
		return;
	add_word(object, "category", facets->category);
	add_word(object, "region", facets->region);
	if (facets->budget)
		json_object_set_new(object, "budget", budget_json(facets->budget));
	if (needed_by)
		add_needed_by(object, needed_by, tick_ms);
	if (facets->quantity)
		add_word(object, "quantity", quantity_band_word(facets->quantity));
	if (facets->condition)
		add_word(object, "condition", condition_word(facets->condition));
	add_word(object, "language", facets->language);
	if (facets->fulfilment)
		add_word(object, "fulfilment", fulfilment_word(facets->fulfilment));
	add_word(object, "terms", facets->terms);
	if (facets->reach)
		add_word(object, "reach", reach_word(facets->reach));
	if (facets->rules)
		add_rules(object, facets->rules);
	if (expires)
		add_word(object, "expires", expiry_band_word(expires));
}

void json_add_release(json_t *object, const Oyez__Release *release)
{
	json_add_facets(object, release->facets, release->needed_by, release->expires, release->released_at_ms);
	json_object_set_new(object, "crowd", json_integer(release->crowd));
}

Oyez__NeededBand needed_band(uint32_t needed_by_day, uint64_t tick_ms)
{
	uint64_t today = tick_ms / DAY_MS;
	if (needed_by_day == 0)
		return OYEZ__NEEDED_BAND__NEEDED_UNKNOWN;
	if (needed_by_day <= today + 3)
		return OYEZ__NEEDED_BAND__NEEDED_3D;
	if (needed_by_day <= today + 7)
		return OYEZ__NEEDED_BAND__NEEDED_7D;
	return needed_by_day <= today + 30 ? OYEZ__NEEDED_BAND__NEEDED_30D : OYEZ__NEEDED_BAND__NEEDED_LATER;
}

Oyez__ExpiryBand expiry_band(uint64_t expires_at_ms, uint64_t tick_ms)
{
	static const struct {
		uint64_t days;
		Oyez__ExpiryBand band;
	} bands[] = {{1, OYEZ__EXPIRY_BAND__EXPIRY_1D},
	             {3, OYEZ__EXPIRY_BAND__EXPIRY_3D},
	             {7, OYEZ__EXPIRY_BAND__EXPIRY_7D},
	             {30, OYEZ__EXPIRY_BAND__EXPIRY_30D}};
	for (size_t i = 0; i < sizeof(bands) / sizeof(*bands); i++) {
		if (expires_at_ms <= tick_ms + bands[i].days * DAY_MS)
			return bands[i].band;
	}
	return OYEZ__EXPIRY_BAND__EXPIRY_LATER;
}
