// Tokens: the right to post one intent (PROTOCOL.md §13; RFC 9578 token type 0x0005, RFC 9577 §2.1 challenge). The nonce
// is the intent's id.
//   token_type (2) ‖ nonce (32) ‖ challenge_digest (32) ‖ token_key_id (32) ‖ authenticator (64)
#ifndef OYEZ_PROTO_TOKEN_H
#define OYEZ_PROTO_TOKEN_H

#include "id.h"
#include "voprf.h"

enum {
	TOKEN_TYPE = 0x0005,
	TOKEN_INPUT_BYTES = 2 + 32 + 32 + 32,
	TOKEN_BYTES = TOKEN_INPUT_BYTES + VOPRF_OUTPUT_BYTES,
};

// The epoch's number: whole TOKEN_EPOCH_MS since 1970-01-01.
uint32_t token_epoch_of(uint64_t now_ms);
// When tokens of an epoch can no longer be redeemed: the end of the epoch after it.
uint64_t token_redeem_until_ms(uint32_t epoch);

// The first 98 bytes: all that the VOPRF is evaluated on.
void token_input(const uint8_t broker_key[KEY_BYTES], const uint8_t token_key[ELEMENT_BYTES],
                 const uint8_t intent_key[KEY_BYTES], uint8_t input[TOKEN_INPUT_BYTES]);

// ---- wallet: one token being asked for
struct token_request {
	uint8_t input[TOKEN_INPUT_BYTES];
	uint8_t blind[VOPRF_SCALAR_BYTES]; // secret until the token is made
	uint8_t blinded[ELEMENT_BYTES];
};
enum err token_request_new(const uint8_t broker_key[KEY_BYTES], const uint8_t token_key[ELEMENT_BYTES],
                           const uint8_t intent_key[KEY_BYTES], struct token_request *request);
// Checks the proof over the batch, then makes all tokens. ERR_BAD_SIGNATURE, ERR_BAD_KEY: none is made.
enum err tokens_finish(const uint8_t token_key[ELEMENT_BYTES], size_t count, const struct token_request *requests,
                       const uint8_t (*evaluated)[ELEMENT_BYTES], const uint8_t proof[PROOF_BYTES],
                       uint8_t (*tokens)[TOKEN_BYTES]);

// ---- home broker
struct token_key {
	uint32_t epoch;
	struct voprf_key pair;
	uint64_t redeem_until_ms;
};
// Is this a token by one of these keys? *epoch gets the key's epoch, *intent the intent it is for: whether that is the
// one posted is the caller's to see. ERR_TOKEN_MISSING (empty), ERR_TOKEN_BAD, ERR_TOKEN_EXPIRED.
// Costs one group operation, and only when everything else fits.
enum err token_check(const struct token_key *keys, size_t key_count, uint64_t now_ms,
                     const uint8_t broker_key[KEY_BYTES], const uint8_t *token, size_t token_bytes, uint32_t *epoch,
                     struct id *intent);

#endif
