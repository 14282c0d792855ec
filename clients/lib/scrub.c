// Free text before it leaves: what in it tells who somebody is, and what the caller decided about that.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "proto/scrub.h"

enum err oyez_scrub(const char *text, json_t **found)
{
	struct scrub_finds finds;
	enum err err = scrub_text(text, strlen(text), &finds);
	*found = NULL;
	if (err)
		return err;
	*found = json_array();
	for (size_t i = 0; i < finds.count; i++) {
		const struct scrub_find *find = &finds.items[i];
		json_t *words = json_stringn(text + find->at, find->bytes);
		json_array_append_new(*found, json_pack("{s:s, s:o, s:I}", "kind", find->kind, "text",
		                                        words ? words : json_string("?"), "at", (json_int_t)find->at));
	}
	scrub_finds_free(&finds);
	return ERR_OK;
}

// "email, phone": each kind once, in the order of the text.
static void kinds_list(const struct scrub_finds *finds, char *out, size_t room)
{
	size_t used = 0;
	*out = 0;
	for (size_t i = 0; i < finds->count; i++) {
		bool told = false;
		for (size_t j = 0; j < i && !told; j++)
			told = finds->items[j].kind == finds->items[i].kind;
		if (!told && used < room)
			used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", finds->items[i].kind);
	}
}

enum err text_scrub(const char *text, enum oyez_pii pii, bool french, char **masked, struct oyez_error *error)
{
	struct scrub_finds finds;
	*masked = NULL;
	if (!text || pii == OYEZ_PII_ALLOW)
		return ERR_OK;
	enum err err = scrub_text(text, strlen(text), &finds);
	if (err)
		return oyez_error_set(error, err, "scrub");
	if (finds.count && pii == OYEZ_PII_MASK) {
		*masked = scrub_mask(text, &finds, french);
		err = *masked ? ERR_OK : oyez_error_set(error, ERR_NO_MEMORY, "scrub");
	} else if (finds.count) {
		char kinds[160];
		kinds_list(&finds, kinds, sizeof(kinds));
		err = oyez_error_set(error, ERR_PII_FOUND, "%s", kinds);
	}
	scrub_finds_free(&finds);
	return err;
}

void text_masked_free(char *masked)
{
	if (masked)
		sodium_memzero(masked, strlen(masked));
	free(masked);
}
