// The agreement both sides sign, its commitment to the card, and the countersignature (PROTOCOL.md §8).
#ifndef OYEZ_PROTO_AGREEMENT_H
#define OYEZ_PROTO_AGREEMENT_H

#include "codec.h"
#include "sign.h"

// SHA-256(tag, 0, secret, card). The secret keeps a guessed card from being tried against it.
void card_commitment(const uint8_t secret[RANDOM_BYTES], const uint8_t *card, size_t card_bytes,
                     uint8_t out[HASH_BYTES]);
// SHA-256(tag, 0, the customer's signature), what Accept and Countersign carry.
void signature_hash(const uint8_t signature[SIGNATURE_BYTES], uint8_t out[HASH_BYTES]);
// The vendor's signature over deal id and signature hash.
void countersign(const struct sign_pair *vendor, const struct id *deal, const uint8_t signature_hash[HASH_BYTES],
                 uint8_t signature[SIGNATURE_BYTES]);
enum err countersign_check(const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                           const uint8_t signature_hash[HASH_BYTES], const uint8_t signature[SIGNATURE_BYTES]);

#endif
