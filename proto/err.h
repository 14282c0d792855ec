// Every way a request can be refused: stable number, stable name, message and hint in English and French.
// Numbers and names are part of the protocol (PROTOCOL.md §9): never reuse or renumber, only add.
#ifndef OYEZ_PROTO_ERR_H
#define OYEZ_PROTO_ERR_H

// X(constant, number, name, message, hint, message_fr, hint_fr)
#include "err_list.h"

enum err {
#define X(constant, number, ...) constant = number,
	ERR_LIST(X)
#undef X
};

// The stable name, "ok" for 0, "unknown_error" for numbers this build does not know. Never NULL.
const char *err_name(enum err err);
// The code with that name, ERR_UNKNOWN_ERROR if there is none.
enum err err_from_name(const char *name);
// Words for people. `french` picks the language.
const char *err_message(enum err err, int french);
const char *err_hint(enum err err, int french);

#endif
