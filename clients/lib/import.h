// Intents from other systems: schema.org Demand (JSON-LD), Beckn search and select, UBL 2.1 RequestForQuotation.
//
// Only what stands on a short list of known paths can enter the draft, and most of it only as a word of a closed list
// (category, region, currency, condition) or a number. What is left, names of products and short notes, is searched for
// anything that looks like identity or repeats what the rest of the file says about people, and left out if so.
// So a file never seen before may give a poor draft, but not one that tells who wrote it.
#ifndef OYEZ_CLIENT_IMPORT_H
#define OYEZ_CLIENT_IMPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/lib/error.h"

enum { IMPORT_BYTES_MAX = 1024 * 1024, IMPORT_DEPTH_MAX = 64, IMPORT_NODES_MAX = 20000 };

// *result is the caller's:
//   {"intent_draft": {"text","category","region","budget":{"min","max","currency"},"needed_by","quantity",
//                     "condition","fulfilment"},
//    "identity_found": [{"path","kind"}],    paths only, never what stands there
//    "not_understood": [path, ...]}
// Absent in the draft is what the file does not say. Amounts are decimal strings, `quantity` is an integer; a currency
// without any amount stands as "currency". Dates before today are not taken over (they are in not_understood).
// Kinds: name, email, phone, address, location, tax_id, account, id, endpoint, party, person.
// ERR_NOT_UNDERSTOOD (none of the formats, not JSON or XML, nested too deeply, with a DTD), ERR_TOO_LARGE, ERR_IO.
enum err import_file(const char *path, json_t **result, struct oyez_error *error);
// The same from memory; `today` in days since 1970-01-01.
enum err import_bytes(const char *bytes, size_t count, uint32_t today, json_t **result, struct oyez_error *error);

#endif
