// Any bytes may be given to the importer. Whatever it takes must be a draft of the promised form: known fields, closed
// words, plain amounts, no address or number in the text; and reports that name paths and kinds.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/import.h"
#include "proto/region.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static bool is_amount(const json_t *value)
{
	int64_t amount;
	return json_is_string(value) && amount_parse(json_string_value(value), &amount) == ERR_OK;
}

static void check_budget(const json_t *budget)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)budget, key, value)
	    expect(strcmp(key, "currency") == 0 ? currency_find(json_string_value(value)) != 0 : is_amount(value));
}

static void check_field(const char *key, const json_t *value)
{
	const char *text = json_string_value(value);
	Oyez__Condition condition;
	Oyez__Fulfilment fulfilment;
	uint32_t day;
	if (strcmp(key, "text") == 0)
		expect(text && !strchr(text, '@') && !strstr(text, "://") && strlen(text) <= 2000);
	else if (strcmp(key, "category") == 0)
		expect(taxonomy_find(taxonomy_builtin(), text) != TREE_NONE);
	else if (strcmp(key, "region") == 0)
		expect(region_find(text) != TREE_NONE);
	else if (strcmp(key, "currency") == 0)
		expect(currency_find(text) != 0);
	else if (strcmp(key, "budget") == 0)
		check_budget(value);
	else if (strcmp(key, "needed_by") == 0)
		expect(day_parse(text, &day) == ERR_OK);
	else if (strcmp(key, "quantity") == 0)
		expect(json_integer_value(value) >= 1 && json_integer_value(value) <= 1000000);
	else if (strcmp(key, "condition") == 0)
		expect(condition_parse(text, &condition));
	else if (strcmp(key, "fulfilment") == 0)
		expect(fulfilment_parse(text, &fulfilment));
	else
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *result = NULL, *value;
	struct oyez_error error = {0};
	const char *key;
	size_t i;
	enum err err = import_bytes((const char *)data, size, 19700, &result, &error);
	if (err) {
		expect(!result && error.code == err);
		return 0;
	}
	json_object_foreach(json_object_get(result, "intent_draft"), key, value) check_field(key, value);
	json_array_foreach(json_object_get(result, "identity_found"), i, value)
	    expect(json_string_value(json_object_get(value, "path")) && json_string_value(json_object_get(value, "kind")) &&
	           json_object_size(value) == 2);
	json_array_foreach(json_object_get(result, "not_understood"), i, value) expect(json_is_string(value));
	json_decref(result);
	return 0;
}
