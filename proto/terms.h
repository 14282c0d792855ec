// The roster of personal agreements: what people may ask of vendors who learn who they are.
// Texts are our own, in plain words, French and English, compiled in from proto/terms/.
#ifndef OYEZ_PROTO_TERMS_H
#define OYEZ_PROTO_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "limits.h"

struct terms {
	const char *id;  // "SD-BASE"
	const char *iri; // https://w3id.org/dpv/standards/ieee/7012#SD-BASE
	uint32_t version;
	uint32_t retention_days; // how long the vendor may keep the card after the deal
	const char *summary_en, *summary_fr; // one sentence each
	const char *text_en, *text_fr;
};

size_t terms_count(void);
// NULL past the end. The index is stable within a build and serves as the core's number for the terms.
const struct terms *terms_at(size_t index);
// -1 if there is none.
int terms_find(const char *id);
// SHA-256 over id, version and both texts, each length-prefixed (PROTOCOL.md §8).
void terms_hash(const struct terms *terms, uint8_t out[HASH_BYTES]);

#endif
