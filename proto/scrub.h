// Finds in free text what tells who somebody is: e-mail and postal addresses, telephone numbers, accounts, cards and
// the like. By rules (data/scrub.json, PROTOCOL.md §15), shared with the browser. It cannot find names of people, nor
// an address told in words: who uses it says so.
#ifndef OYEZ_PROTO_SCRUB_H
#define OYEZ_PROTO_SCRUB_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/err.h"

struct scrub_find {
	const char *kind; // "email", "phone", "iban", "card", "ip", "url", "nir", "plate", "address", "handle"; static
	const char *rule; // which rule of scrub.json; static
	size_t at, bytes; // of the text
};
struct scrub_finds {
	struct scrub_find *items; // in the order of the text, never overlapping
	size_t count;
};

// Works on any bytes; time and memory grow with their number only. ERR_NO_MEMORY. Free with scrub_finds_free.
enum err scrub_text(const char *text, size_t bytes, struct scrub_finds *out);
void scrub_finds_free(struct scrub_finds *finds);
// Anything at all? (Also true without memory: nothing leaves unchecked.)
bool scrub_has_any(const char *text, size_t bytes);

// What people call a kind: "e-mail address", "adresse électronique".
const char *scrub_kind_word(const char *kind, bool french);
// The text with each find replaced by its kind in brackets: malloc'd, NULL without memory.
char *scrub_mask(const char *text, const struct scrub_finds *finds, bool french);

#endif
