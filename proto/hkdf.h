// HKDF-SHA256 (RFC 5869) over parts, so that callers need not join labels and inputs in buffers of their own.
// libsodium 1.0.18 has HMAC-SHA256 but no HKDF.
#ifndef OYEZ_PROTO_HKDF_H
#define OYEZ_PROTO_HKDF_H

#include <stddef.h>
#include <stdint.h>

enum { HKDF_HASH_BYTES = 32 };

struct hkdf_part {
	const void *bytes;
	size_t count;
};

// RFC 5869 §2.2. The input keying material is the parts in order.
void hkdf_extract(const void *salt, size_t salt_bytes, const struct hkdf_part *ikm, size_t part_count,
                  uint8_t prk[HKDF_HASH_BYTES]);
// RFC 5869 §2.3. The info is the parts in order; out_bytes is at most 255 * 32.
void hkdf_expand(const uint8_t prk[HKDF_HASH_BYTES], const struct hkdf_part *info, size_t part_count, uint8_t *out,
                 size_t out_bytes);

#endif
