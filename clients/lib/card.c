// Cards: what a person may reveal. Chooses the fields that are to be given and nothing else.
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "proto/values.h"

// A card given may hold more than is revealed; a file beyond this is no card.
enum { CARD_FILE_BYTES_MAX = 16 * CARD_BYTES_MAX };

static enum err check_string(const char *name, const json_t *value, struct oyez_error *error)
{
	if (!json_is_string(value))
		return oyez_error_set(error, ERR_BAD_CARD, "%.60s is not a string", name);
	enum err err = text_check(json_string_value(value), json_string_length(value), CARD_BYTES_MAX);
	return err ? oyez_error_set(error, err, "%.60s", name) : ERR_OK;
}

static enum err check_address(const json_t *address, struct oyez_error *error)
{
	const char *key;
	json_t *value;
	if (json_is_string(address))
		return check_string("address", address, error);
	if (!json_is_object(address))
		return oyez_error_set(error, ERR_BAD_CARD, "address is not an object");
	json_object_foreach((json_t *)address, key, value)
	{
		enum err err = check_string(key, value, error);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err check_card(const json_t *card, struct oyez_error *error)
{
	const char *key;
	json_t *value;
	if (!json_is_object(card))
		return oyez_error_set(error, ERR_BAD_CARD, "not a JSON object");
	json_object_foreach((json_t *)card, key, value)
	{
		if (!*key || strlen(key) > FIELD_NAME_BYTES_MAX || strpbrk(key, " ,\t\n"))
			return oyez_error_set(error, ERR_BAD_CARD, "a field's name: 1 to %d bytes without spaces and commas",
			                      FIELD_NAME_BYTES_MAX);
		enum err err = strcmp(key, "address") == 0 ? check_address(value, error) : check_string(key, value, error);
		if (err)
			return err;
	}
	return json_object_size(card) ? ERR_OK : oyez_error_set(error, ERR_BAD_CARD, "empty");
}

static enum err take_field(json_t *chosen, const json_t *card, const char *name, struct oyez_error *error)
{
	json_t *value = json_object_get(card, name);
	if (!value)
		return oyez_error_set(error, ERR_BAD_CARD, "no field \"%.60s\" in the card", name);
	json_object_set(chosen, name, value);
	return ERR_OK;
}

static enum err choose(json_t *chosen, json_t *card, const char *fields, char *const *needs, size_t need_count,
                       struct oyez_error *error)
{
	enum err err = ERR_OK;
	if (fields) {
		char *copy = strdup(fields), *rest = copy, *name;
		while (!err && (name = strsep(&rest, ","))) {
			if (*name)
				err = take_field(chosen, card, name, error);
		}
		free(copy);
	} else {
		for (size_t i = 0; !err && i < need_count; i++)
			if (!json_object_get(card, needs[i]))
				err = oyez_error_set(error, ERR_BAD_CARD, "the vendor needs \"%.60s\", which is not in the card", needs[i]);
		json_object_update(chosen, card);
	}
	if (!err && json_object_size(chosen) == 0)
		err = oyez_error_set(error, ERR_BAD_CARD, "no field chosen");
	return err;
}

static enum err write_out(const json_t *chosen, char **card, char ***names, size_t *name_count,
                          struct oyez_error *error)
{
	*card = json_dumps(chosen, JSON_COMPACT);
	if (!*card)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	if (strlen(*card) > CARD_BYTES_MAX) {
		sodium_memzero(*card, strlen(*card));
		free(*card);
		*card = NULL;
		return oyez_error_set(error, ERR_TOO_LARGE, "card: at most %d bytes", CARD_BYTES_MAX);
	}
	*names = calloc(json_object_size(chosen), sizeof(char *));
	*name_count = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)chosen, key, value)(*names)[(*name_count)++] = strdup(key);
	return ERR_OK;
}

enum err card_select(const char *text, const char *fields, char *const *needs, size_t need_count, char **card,
                     char ***names, size_t *name_count, struct oyez_error *error)
{
	*card = NULL;
	*names = NULL;
	*name_count = 0;
	if (strlen(text) > CARD_FILE_BYTES_MAX)
		return oyez_error_set(error, ERR_TOO_LARGE, "card: at most %d bytes", CARD_BYTES_MAX);
	json_error_t problem;
	json_t *parsed = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
	if (!parsed) {
		bool encoding = json_error_code(&problem) == json_error_invalid_utf8;
		return oyez_error_set(error, encoding ? ERR_BAD_UTF8 : ERR_BAD_CARD, "line %d: %s", problem.line,
		                      encoding ? "not UTF-8" : "not JSON");
	}
	json_t *chosen = json_object();
	enum err err = check_card(parsed, error);
	if (!err)
		err = choose(chosen, parsed, fields, needs, need_count, error);
	if (!err)
		err = write_out(chosen, card, names, name_count, error);
	json_decref(chosen);
	json_decref(parsed);
	return err;
}
