// Reads JSON into the importer's tree. jansson parses; duplicate keys, NUL and invalid UTF-8 are refused by it.
#include <stdio.h>
#include <string.h>

#include "clients/lib/import.h"
#include "clients/lib/import_doc.h"

// The name without the prefix of the vocabularies we know; NULL for names of other vocabularies ("gr:seller").
static const char *key_of(const char *name)
{
	static const char *const prefixes[] = {"https://schema.org/", "http://schema.org/", "schema:", "beckn:"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return strchr(name, ':') ? NULL : name;
}

static const char *shown_name(const char *name)
{
	const char *key = strstr(name, "://schema.org/") ? key_of(name) : NULL;
	return key ? key : name;
}

static void set_scalar(struct import_doc *doc, struct import_node *node, const json_t *value)
{
	char number[64];
	switch (json_typeof(value)) {
	case JSON_STRING:
		doc_set_text(doc, node, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		// 15 digits give back every decimal that a person wrote; 17 would show the binary fraction.
		snprintf(number, sizeof number, "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(number, sizeof number, "true");
		break;
	case JSON_FALSE:
		snprintf(number, sizeof number, "false");
		break;
	default:
		return;
	}
	node->number = json_is_number(value);
	doc_set_text(doc, node, number, strlen(number));
}

// Adds exactly one node, but for arrays in objects (in_array false): as many as they have items.
static enum err add_value(struct import_doc *doc, struct import_node *parent, const char *name, const json_t *value,
                          bool in_array, unsigned depth, struct oyez_error *error);

static enum err add_array(struct import_doc *doc, struct import_node *parent, const char *name, const json_t *array,
                          unsigned depth, struct oyez_error *error)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
	{
		enum err err = add_value(doc, parent, name, item, true, depth, error);
		if (err)
			return err;
		parent->last->index = i;
		parent->last->indexed = true;
	}
	return ERR_OK;
}

static enum err add_value(struct import_doc *doc, struct import_node *parent, const char *name, const json_t *value,
                          bool in_array, unsigned depth, struct oyez_error *error)
{
	if (depth > IMPORT_DEPTH_MAX)
		return import_fail(error, ERR_NOT_UNDERSTOOD, "nested deeper than %d levels", IMPORT_DEPTH_MAX);
	if (json_is_array(value) && !in_array)
		return add_array(doc, parent, name, value, depth + 1, error);
	struct import_node *node = doc_add(doc, parent, shown_name(name), key_of(name));
	if (!node)
		return import_fail(error, ERR_TOO_LARGE, "more than %d values", IMPORT_NODES_MAX);
	if (json_is_array(value))
		return add_array(doc, node, "[]", value, depth + 1, error);
	if (!json_is_object(value)) {
		set_scalar(doc, node, value);
		return ERR_OK;
	}
	const char *key;
	json_t *below;
	json_object_foreach((json_t *)value, key, below)
	{
		enum err err = add_value(doc, node, key, below, false, depth + 1, error);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err doc_read_json(struct import_doc *doc, const char *bytes, size_t count, struct oyez_error *error)
{
	json_error_t problem;
	json_t *json = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &problem);
	if (!json)
		return import_fail(error, ERR_NOT_UNDERSTOOD, "line %d: this is not JSON", problem.line);
	enum err err = add_value(doc, NULL, "$", json, true, 0, error);
	json_decref(json);
	return err;
}
