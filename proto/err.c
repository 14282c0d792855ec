// Looks error codes up in the one list (err_list.h). No state, no formatting.
#include "err.h"

#include <stddef.h>
#include <string.h>

struct err_entry {
	enum err err;
	const char *name, *message, *hint, *message_fr, *hint_fr;
};

static const struct err_entry entries[] = {
#define X(constant, number, name, message, hint, message_fr, hint_fr)                                                  \
	{constant, name, message, hint, message_fr, hint_fr},
    ERR_LIST(X)
#undef X
};

enum { ENTRY_COUNT = sizeof(entries) / sizeof(entries[0]) };

// The last entry of the list is "unknown_error": it stands for every number this build does not know.
static const struct err_entry *entry_of(enum err err)
{
	for (size_t i = 0; i < ENTRY_COUNT; i++) {
		if (entries[i].err == err)
			return &entries[i];
	}
	return &entries[ENTRY_COUNT - 1];
}

const char *err_name(enum err err)
{
	return entry_of(err)->name;
}

enum err err_from_name(const char *name)
{
	for (size_t i = 0; i < ENTRY_COUNT; i++) {
		if (strcmp(entries[i].name, name) == 0)
			return entries[i].err;
	}
	return ERR_UNKNOWN_ERROR;
}

const char *err_message(enum err err, int french)
{
	const struct err_entry *entry = entry_of(err);
	return french ? entry->message_fr : entry->message;
}

const char *err_hint(enum err err, int french)
{
	const struct err_entry *entry = entry_of(err);
	return french ? entry->hint_fr : entry->hint;
}
