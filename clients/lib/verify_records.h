// Offline verification of exported evidence, for a third person: no wallet, no broker, public keys only.
//
// A document is an object with "records", one record, or several of either. A record is
//   {"type": T, "signed": base64 of a Signed, "deal": hex, ...}          with the tag that belongs to T, or
//   {"type": "countersignature", "deal", "key", "signature"}             over deal id and signature hash (PROTOCOL.md
//   §8.5)
#ifndef OYEZ_CLIENT_VERIFY_RECORDS_H
#define OYEZ_CLIENT_VERIFY_RECORDS_H

#include <jansson.h>

#include "clients/lib/error.h"

// Puts "content_hash" in: SHA-256 of the document without it, keys sorted, compact. It finds accidents; forgery is
// found by the signatures, and by comparing what is written beside them with what was signed.
void document_seal(json_t *document);

#endif
