// VOPRF of RFC 9497, mode 1, suite ristretto255-SHA512, with a DLEQ proof over a batch; on libsodium.
// Not here: what a token is (token.h), which key is current, who may ask.
#ifndef OYEZ_PROTO_VOPRF_H
#define OYEZ_PROTO_VOPRF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "limits.h"

enum {
	VOPRF_SCALAR_BYTES = 32,
	VOPRF_OUTPUT_BYTES = 64,
	VOPRF_INPUT_BYTES_MAX = 512, // of this implementation; the RFC allows 65535
	VOPRF_BATCH_MAX = 64,
};

struct voprf_key {
	uint8_t secret[VOPRF_SCALAR_BYTES];
	uint8_t public_key[ELEMENT_BYTES];
};

// A random key; or DeriveKeyPair (RFC 9497 §3.2.1): ERR_BAD_KEY if no counter gives one, which does not happen.
void voprf_key_new(struct voprf_key *key);
enum err voprf_key_derive(struct voprf_key *key, const uint8_t seed[32], const uint8_t *info, size_t info_bytes);
// The public key of a stored secret. ERR_BAD_KEY for zero or a non-canonical scalar.
enum err voprf_key_from_secret(struct voprf_key *key, const uint8_t secret[VOPRF_SCALAR_BYTES]);

// ---- client

// `blind` is an output: a fresh scalar. ERR_BAD_VALUE for an input that maps to the identity.
enum err voprf_blind(const uint8_t *input, size_t input_bytes, uint8_t blind[VOPRF_SCALAR_BYTES],
                     uint8_t blinded[ELEMENT_BYTES]);
// The same with a blind given, for test vectors.
enum err voprf_blind_with(const uint8_t *input, size_t input_bytes, const uint8_t blind[VOPRF_SCALAR_BYTES],
                          uint8_t blinded[ELEMENT_BYTES]);
// VerifyProof over the whole batch (RFC 9497 §2.2.2). ERR_BAD_KEY (an element or the key is no valid element),
// ERR_BAD_SIGNATURE (the proof is wrong). Call it before voprf_finalize.
enum err voprf_verify(const uint8_t public_key[ELEMENT_BYTES], size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                      const uint8_t (*evaluated)[ELEMENT_BYTES], const uint8_t proof[PROOF_BYTES]);
// Unblinds and hashes. ERR_BAD_KEY.
enum err voprf_finalize(const uint8_t *input, size_t input_bytes, const uint8_t blind[VOPRF_SCALAR_BYTES],
                        const uint8_t evaluated[ELEMENT_BYTES], uint8_t output[VOPRF_OUTPUT_BYTES]);

// ---- server

// BlindEvaluate over a batch of 1 to VOPRF_BATCH_MAX, and its proof. ERR_BAD_KEY for an element that is none or the
// identity, ERR_BAD_VALUE for the count; nothing is evaluated then.
enum err voprf_evaluate_batch(const struct voprf_key *key, size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                              uint8_t (*evaluated)[ELEMENT_BYTES], uint8_t proof[PROOF_BYTES]);
// The same with the proof's random scalar given, for test vectors.
enum err voprf_evaluate_batch_with(const struct voprf_key *key, size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                                   const uint8_t random[VOPRF_SCALAR_BYTES], uint8_t (*evaluated)[ELEMENT_BYTES],
                                   uint8_t proof[PROOF_BYTES]);
// What voprf_finalize gives for this input: the server redeems by comparing (RFC 9497 §3.3.2 Evaluate).
enum err voprf_evaluate(const struct voprf_key *key, const uint8_t *input, size_t input_bytes,
                        uint8_t output[VOPRF_OUTPUT_BYTES]);

#endif
