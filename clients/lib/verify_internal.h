// One document under verification: what its two files share. verify_records.c checks records, verify_document.c finds
// them, and compares what is written beside them.
#ifndef OYEZ_CLIENT_VERIFY_INTERNAL_H
#define OYEZ_CLIENT_VERIFY_INTERNAL_H

#include "clients/lib/verify_records.h"
#include "proto/agreement.h"

// A record as it came out of the document; checked one by one, in the light of the others.
struct proof {
	const json_t *json; // borrowed
	const char *type;   // "" if it has none
	const char *tag;    // NULL: an unknown type, or a countersignature
	Oyez__Signed *message;
	ProtobufCMessage *inside; // what was signed
	struct id id;             // record id; of an agreement the deal id
	enum err err;             // OK once bytes, signature and meaning hold
};

struct document {
	struct proof *proofs;
	size_t count, room;
	bool has_key;
	uint8_t key[KEY_BYTES]; // the broker's, known from elsewhere
};

// Decodes and checks the signature; what it means together with others: proof_judge.
void proof_open(struct proof *proof, const json_t *record);
void proof_close(struct proof *proof);
enum err proof_judge(const struct document *document, const struct proof *proof);
const struct proof *agreement_proof(const struct document *document, const struct id *deal); // NULL if not here
// Standard base64 without anything else in it; *out is malloc'd. False for text that has two ways to be written.
bool base64_decode(const char *text, uint8_t **out, size_t *count);

#endif
