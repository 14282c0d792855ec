// Sealed messages between one customer and one vendor (PROTOCOL.md §8):
// suite (2, big-endian) ‖ enc (32) ‖ HPKE ciphertext of the plaintext padded to a size bucket.
// The clear header is the aad; the sender's signature is inside the plaintext.
#ifndef OYEZ_PROTO_SEAL_H
#define OYEZ_PROTO_SEAL_H

#include "hpke.h"
#include "id.h"

// HPKE info strings: one per kind, so that no sealed message opens as another kind.
#define SEAL_OFFER "oyez/1 seal offer"
#define SEAL_QUESTION "oyez/1 seal question"
#define SEAL_ANSWER "oyez/1 seal answer"
#define SEAL_AGREEMENT "oyez/1 seal agreement"
#define SEAL_REVEAL "oyez/1 seal reveal"
#define SEAL_SESSION "oyez/1 seal session"
#define SEAL_MESSAGE "oyez/1 seal message"
#define SEAL_ERASURE "oyez/1 seal erasure"

// The clear header of a sealed message, encoded as fixed-size fields into the aad:
// suite (2) ‖ from (32) ‖ release id (16) ‖ object id (32) ‖ expires_at_ms (8, big-endian, 0 if none).
// `from`: vendor id for offers and questions, intent id for answers, agreements and reveals.
// Object: offer id, question id, or deal id. A session's header has from = vendor id, the rest zero.
struct seal_header {
	struct id from;
	struct release_id release;
	struct id object;
	uint64_t expires_at_ms;
};

enum { SEAL_OVERHEAD_BYTES = 2 + HPKE_ENC_BYTES + HPKE_TAG_BYTES };
// Is this the size of a sealed message, that is one of the buckets 512, 1024, 2048, 4096, 5120 plus the overhead?
bool sealed_size_valid(size_t sealed_bytes);

// *out is malloc'd; at most SEALED_BYTES_MAX. ERR_TOO_LARGE, ERR_BAD_KEY.
enum err seal_message(const char *info, const uint8_t public_key[KEY_BYTES], const struct seal_header *header,
                      const uint8_t *plain, size_t plain_bytes, uint8_t **out, size_t *out_bytes);
// *plain is malloc'd, padding removed. ERR_SEALED, ERR_BAD_MESSAGE for an unknown suite or padding.
enum err open_message(const char *info, const struct hpke_pair *pair, const struct seal_header *header,
                      const uint8_t *sealed, size_t sealed_bytes, uint8_t **plain, size_t *plain_bytes);

#endif
