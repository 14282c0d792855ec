// HPKE base mode, RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, on libsodium.
// Single-shot messages (sequence number 0) and the exporter; nothing else of the RFC is used.
#ifndef OYEZ_PROTO_HPKE_H
#define OYEZ_PROTO_HPKE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "limits.h"

enum { HPKE_ENC_BYTES = 32, HPKE_TAG_BYTES = 16 };

struct hpke_pair {
	uint8_t public_key[KEY_BYTES];
	uint8_t secret_key[KEY_BYTES];
};

// RFC 9180 §5.1: what both sides hold after the key schedule. Wipe it with hpke_context_wipe.
struct hpke_context {
	uint8_t key[32];
	uint8_t base_nonce[12];
	uint8_t exporter_secret[32];
	uint64_t sequence;
};

void hpke_pair_new(struct hpke_pair *pair);
// RFC 9180 §7.1.3 DeriveKeyPair. The tests against the RFC's vectors need it; so do wallets from a seed.
void hpke_pair_derive(struct hpke_pair *pair, const uint8_t *ikm, size_t ikm_bytes);

// SetupBaseS. `ephemeral` is NULL in use, given in tests. ERR_BAD_KEY for a small-order key.
enum err hpke_setup_sender(struct hpke_context *context, const uint8_t public_key[KEY_BYTES], const void *info,
                           size_t info_bytes, const struct hpke_pair *ephemeral, uint8_t enc[HPKE_ENC_BYTES]);
// SetupBaseR. ERR_BAD_KEY for a small-order `enc`.
enum err hpke_setup_receiver(struct hpke_context *context, const struct hpke_pair *pair, const void *info,
                             size_t info_bytes, const uint8_t enc[HPKE_ENC_BYTES]);
// `out` has room for plain_bytes + HPKE_TAG_BYTES. Advances the sequence.
void hpke_seal(struct hpke_context *context, const void *aad, size_t aad_bytes, const uint8_t *plain,
               size_t plain_bytes, uint8_t *out);
// `out` has room for sealed_bytes - HPKE_TAG_BYTES. ERR_SEALED if it does not open.
enum err hpke_open(struct hpke_context *context, const void *aad, size_t aad_bytes, const uint8_t *sealed,
                   size_t sealed_bytes, uint8_t *out);
// RFC 9180 §5.3.
void hpke_export(const struct hpke_context *context, const void *exporter_context, size_t exporter_context_bytes,
                 uint8_t *out, size_t out_bytes);
void hpke_context_wipe(struct hpke_context *context);

#endif
