// Reading a bot's answers; the forms stand in vendor_answer.h.
#include "clients/lib/vendor_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/region.h"
#include "proto/values.h"

static enum err field_error(struct oyez_error *error, enum err code, const char *name, const char *what)
{
	char detail[200];

	snprintf(detail, sizeof(detail), "%s: %s", name, what);
	return vendor_fail(error, code, detail);
}

// ---- amounts

// A JSON number has at most four decimals, or it is not an amount.
static enum err amount_of_real(double value, int64_t *out)
{
	if (!(value >= 0) || value > (double)(AMOUNT_E4_MAX / 10000))
		return ERR_BAD_AMOUNT;
	*out = (int64_t)(value * 10000.0 + 0.5);
	double off = value * 10000.0 - (double)*out;
	return off < 1e-3 && off > -1e-3 ? ERR_OK : ERR_BAD_AMOUNT;
}

static enum err amount_of(json_t *value, const char *name, int64_t *out, const char **currency,
                          struct oyez_error *error)
{
	enum err err = ERR_BAD_AMOUNT;

	if (json_is_object(value)) {
		const char *own = json_string_value(json_object_get(value, "currency"));

		if (own && *currency && strcmp(own, *currency) != 0)
			return field_error(error, ERR_BAD_VALUE, name, "another currency than the offer's");
		*currency = own ? own : *currency;
		value = json_object_get(value, "amount");
	}
	if (json_is_string(value))
		err = amount_parse(json_string_value(value), out);
	else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	         json_integer_value(value) <= AMOUNT_E4_MAX / 10000)
		err = (*out = json_integer_value(value) * 10000, ERR_OK);
	else if (json_is_real(value))
		err = amount_of_real(json_real_value(value), out);
	return err ? field_error(error, err, name, "write it as \"189.00\"") : ERR_OK;
}

// ---- other fields

// A text, NULL when absent.
static enum err text_of(json_t *object, const char *name, size_t bytes_max, const char **out, struct oyez_error *error)
{
	json_t *value = json_object_get(object, name);

	*out = NULL;
	if (!value || json_is_null(value))
		return ERR_OK;
	if (!json_is_string(value))
		return field_error(error, ERR_BAD_VALUE, name, "must be a text");
	if (json_string_length(value) > bytes_max)
		return field_error(error, ERR_TOO_LARGE, name, "too long");
	enum err err = text_check(json_string_value(value), json_string_length(value), bytes_max);
	if (err)
		return field_error(error, err, name, "not a clean text");
	*out = json_string_value(value);
	return ERR_OK;
}

// A whole number, -1 when absent.
static enum err number_of(json_t *object, const char *name, json_int_t max, int32_t *out, struct oyez_error *error)
{
	json_t *value = json_object_get(object, name);
	json_int_t number = -1;

	*out = -1;
	if (!value || json_is_null(value))
		return ERR_OK;
	if (json_is_integer(value))
		number = json_integer_value(value);
	else if (json_is_real(value) && json_real_value(value) >= 0 && json_real_value(value) <= (double)max &&
	         json_real_value(value) == (double)(json_int_t)json_real_value(value))
		number = (json_int_t)json_real_value(value);
	if (number < 0 || number > max) {
		char what[64];

		snprintf(what, sizeof(what), "a whole number from 0 to %lld", (long long)max);
		return field_error(error, ERR_BAD_VALUE, name, what);
	}
	*out = (int32_t)number;
	return ERR_OK;
}

static bool is_field_name(const char *name)
{
	size_t count = strlen(name);

	return count > 0 && count <= FIELD_NAME_BYTES_MAX &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

// "name,address" becomes ["name","address"] in the object, which then owns the strings.
static void split_needs(json_t *object)
{
	json_t *list = json_array();
	char *copy = strdup(json_string_value(json_object_get(object, "needs"))), *rest = NULL;

	if (!list || !copy)
		abort();
	for (char *word = strtok_r(copy, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
		json_array_append_new(list, json_string(word));
	free(copy);
	json_object_set_new(object, "needs", list);
}

static enum err needs_of(json_t *object, struct oyez_offer *out, struct oyez_error *error)
{
	size_t i;
	json_t *value;

	if (json_is_string(json_object_get(object, "needs")))
		split_needs(object);
	json_t *list = json_object_get(object, "needs");
	if (!list || json_is_null(list))
		return ERR_OK;
	if (!json_is_array(list) || json_array_size(list) > sizeof(out->needs) / sizeof(*out->needs))
		return field_error(error, ERR_BAD_VALUE, "needs", "a list of at most 16 card fields");
	json_array_foreach(list, i, value)
	{
		if (!json_is_string(value) || !is_field_name(json_string_value(value)))
			return field_error(error, ERR_BAD_VALUE, "needs", "field names such as name, address, email");
		out->needs[out->need_count++] = json_string_value(value);
	}
	return ERR_OK;
}

static enum err valid_of(json_t *object, struct oyez_offer *out, struct oyez_error *error)
{
	const char *text;
	enum err err = text_of(object, "valid", 32, &text, error);

	if (err || !text)
		return err;
	if (duration_parse(text, &out->valid_ms) || out->valid_ms < SECOND_MS || out->valid_ms > EXPIRES_MS_MAX)
		return field_error(error, ERR_BAD_DATE, "valid", "a duration such as 3d, from 1s to 90d");
	return ERR_OK;
}

static enum err check_words(const struct oyez_offer *offer, struct oyez_error *error)
{
	if (offer->currency && currency_find(offer->currency) == 0)
		return field_error(error, ERR_UNKNOWN_CURRENCY, "currency", offer->currency);
	if (offer->availability && !oyez_availability_known(offer->availability))
		return field_error(error, ERR_BAD_VALUE, "availability", "in_stock, made_to_order, pre_order, back_order, ...");
	if (offer->origin && (strlen(offer->origin) != 2 || region_find(offer->origin) == TREE_NONE))
		return field_error(error, ERR_UNKNOWN_REGION, "origin", "a country code such as FR");
	return ERR_OK;
}

enum err offer_from_json(json_t *object, struct oyez_offer *out, struct oyez_error *error)
{
	json_t *price = json_object_get(object, "price"), *total = json_object_get(object, "total");

	memset(out, 0, sizeof(*out));
	if (!price)
		return field_error(error, ERR_MISSING_FIELD, "price", "an offer needs one");
	enum err err = text_of(object, "currency", 3, &out->currency, error);
	if (!err)
		err = amount_of(price, "price", &out->price_e4, &out->currency, error);
	if (!err && out->price_e4 <= 0)
		err = field_error(error, ERR_BAD_AMOUNT, "price", "must be more than nothing");
	if (!err && total && !json_is_null(total))
		err = amount_of(total, "total", &out->total_e4, &out->currency, error);
	if (!err && out->total_e4 && out->total_e4 < out->price_e4)
		err = field_error(error, ERR_BAD_VALUE, "total", "less than the price");
	err = err ? err : text_of(object, "availability", REASON_BYTES_MAX, &out->availability, error);
	err = err ? err : text_of(object, "origin", 2, &out->origin, error);
	err = err ? err : text_of(object, "note", NOTE_BYTES_MAX, &out->note, error);
	err = err ? err : text_of(object, "terms", TERMS_BYTES_MAX, &out->terms, error);
	err = err ? err : number_of(object, "delivery_days", 3650, &out->delivery_days, error);
	err = err ? err : number_of(object, "co2_g", 1000000000, &out->co2_g, error);
	err = err ? err : number_of(object, "warranty_months", 1200, &out->warranty_months, error);
	err = err ? err : number_of(object, "returns_days", 3650, &out->returns_days, error);
	err = err ? err : valid_of(object, out, error);
	err = err ? err : needs_of(object, out, error);
	return err ? err : check_words(out, error);
}

// ---- the line

// The first field of the object that no answer has.
static const char *unknown_field(json_t *object)
{
	static const char *const known[] = {"type",         "release",         "deal",   "price",         "currency",
	                                    "total",        "availability",    "origin", "delivery_days", "co2_g",
	                                    "returns_days", "warranty_months", "valid",  "needs",         "note",
	                                    "text",         "reason",          "terms"};
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < sizeof(known) / sizeof(*known) && strcmp(known[i], key) != 0)
			i++;
		if (i == sizeof(known) / sizeof(*known))
			return key;
	}
	return NULL;
}

static enum err kind_of(json_t *object, enum answer_kind *kind, struct oyez_error *error)
{
	static const char *const types[] = {"offer", "details", "ask", "pass", "countersign"};
	const char *type = json_string_value(json_object_get(object, "type"));

	if (!type)
		return field_error(error, ERR_MISSING_FIELD, "type", "offer, details, ask, pass or countersign");
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(type, types[i]) == 0) {
			*kind = (enum answer_kind)i;
			return ERR_OK;
		}
	}
	return field_error(error, ERR_BAD_VALUE, "type", "offer, details, ask, pass or countersign");
}

static enum err id_of_field(json_t *object, const char *name, uint8_t *out, size_t bytes, struct oyez_error *error)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text)
		return field_error(error, ERR_MISSING_FIELD, name, "copy it from the event");
	if (!hex_decode(text, out, bytes))
		return field_error(error, ERR_BAD_VALUE, name, "copy the whole id from the event");
	return ERR_OK;
}

static enum err fill(struct answer *out, struct oyez_error *error)
{
	enum err err = kind_of(out->json, &out->kind, error);

	if (err)
		return err;
	if (out->kind == ANSWER_COUNTERSIGN)
		return id_of_field(out->json, "deal", out->deal.bytes, ID_BYTES, error);
	err = id_of_field(out->json, "release", out->release.bytes, RELEASE_ID_BYTES, error);
	if (err)
		return err;
	switch (out->kind) {
	case ANSWER_OFFER:
		return offer_from_json(out->json, &out->offer, error);
	case ANSWER_ASK:
		err = text_of(out->json, "text", QUESTION_BYTES_MAX, &out->text, error);
		if (!err && (!out->text || !*out->text))
			err = field_error(error, ERR_MISSING_FIELD, "text", "the question");
		return err;
	case ANSWER_PASS:
		err = text_of(out->json, "reason", QUESTION_BYTES_MAX, &out->text, error);
		if (!out->text)
			out->text = "";
		return err;
	default:
		return ERR_OK;
	}
}

enum err answer_parse(const char *line, size_t bytes, struct answer *out, struct oyez_error *error)
{
	json_error_t where;

	memset(out, 0, sizeof(*out));
	out->json = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(out->json)) {
		json_decref(out->json);
		out->json = NULL;
		return vendor_fail(error, ERR_BAD_MESSAGE, "not a JSON object");
	}
	enum err err = fill(out, error);
	if (err)
		answer_fini(out);
	else
		out->unknown = unknown_field(out->json);
	return err;
}

void answer_fini(struct answer *answer)
{
	json_decref(answer->json);
	memset(answer, 0, sizeof(*answer));
}
