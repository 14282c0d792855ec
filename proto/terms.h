// The roster of personal agreements: what people may ask of vendors who learn who they are.
// Texts are our own, in plain words, French and English, compiled in from proto/terms/.
#ifndef OYEZ_PROTO_TERMS_H
#define OYEZ_PROTO_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "limits.h"

enum { TERMS_WORDS_MAX = 8 };

struct terms {
	const char *id;  // "SD-BASE"
	const char *iri; // https://w3id.org/dpv/standards/ieee/7012#SD-BASE
	uint32_t version;
	uint32_t retention_days; // how long the vendor may keep the card after the deal
	// Short stable words, NULL-ended; an agreement carries them: what the data are for, and who gets any of it.
	const char *purposes[TERMS_WORDS_MAX + 1], *recipients[TERMS_WORDS_MAX + 1];
	const char *summary_en, *summary_fr; // one sentence each
	const char *text_en, *text_fr;
};

size_t terms_count(void);
// NULL past the end. The index is stable within a build and serves as the core's number for the terms.
const struct terms *terms_at(size_t index);
// -1 if there is none.
int terms_find(const char *id);
// -1 if there is none.
int terms_find_iri(const char *iri);
// The three ids nearest to an unknown one, best first; how many.
size_t terms_suggest(const char *id, const char *found[3]);
// How many words a list holds.
size_t terms_words(const char *const list[TERMS_WORDS_MAX + 1]);
// SHA-256 over id, version and both texts, each length-prefixed (PROTOCOL.md §8).
void terms_hash(const struct terms *terms, uint8_t out[HASH_BYTES]);

#endif
