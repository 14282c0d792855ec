// Does a free text tell who somebody is? By its look (an e-mail address, a telephone number), or because it repeats
// what is known to be identity. Errs on the side of yes. Internal to the importer.
#ifndef OYEZ_CLIENT_IMPORT_TEXT_H
#define OYEZ_CLIENT_IMPORT_TEXT_H

#include <stdbool.h>

// What the text looks like ("email", "phone", "account", "id", "endpoint", "address", "name"); NULL: like nothing of
// the kind. Also "text" for what is not clean UTF-8.
const char *text_identity_kind(const char *text);

// Only by its characters: addresses, numbers and codes, no words. For names of fields.
const char *text_contact_kind(const char *text);

// Lower case, no accents, all scripts' digits and letters, each run of others one space, a space at both ends:
// "Le-Goff, AWA" is " le goff awa ". malloc'd; NULL for what is not UTF-8.
char *text_normalise(const char *text);
// Does `text` (both normalised) hold `identity`, as words or written together? Pieces too short to tell are ignored.
bool text_repeats(const char *text, const char *identity);
// Does `text` hold one of the words of a person's or party's name (both normalised)? Words that name goods do not
// count: "computer" in "Computer Shop".
bool text_repeats_name(const char *text, const char *name);

#endif
