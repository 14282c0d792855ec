// Sealing between a customer and one vendor: size bucket, HPKE, header as aad (PROTOCOL.md §8).
// Not here: signatures. HPKE base mode authenticates nobody, so what is sealed is always a Signed record.
#include "seal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "padding.h"

enum { SUITE_BYTES = 2, SEAL_AAD_BYTES = SUITE_BYTES + ID_BYTES + RELEASE_ID_BYTES + ID_BYTES + 8 };

static const size_t buckets[] = {512, 1024, 2048, 4096, SEALED_PLAIN_BYTES_MAX};
enum { BUCKET_COUNT = sizeof(buckets) / sizeof(buckets[0]) };

static size_t bucket_for(size_t plain_bytes)
{
	for (size_t i = 0; i < BUCKET_COUNT; i++) {
		if (plain_bytes <= buckets[i] - PADDING_PREFIX_BYTES)
			return buckets[i];
	}
	return 0;
}

bool sealed_size_valid(size_t sealed_bytes)
{
	for (size_t i = 0; i < BUCKET_COUNT; i++) {
		if (sealed_bytes == buckets[i] + SEAL_OVERHEAD_BYTES)
			return true;
	}
	return false;
}

// The suite stands in front of the ciphertext in clear, so it is under the aad as well.
static void aad_of(const struct seal_header *header, uint8_t aad[SEAL_AAD_BYTES])
{
	uint8_t *at = aad;
	*at++ = SUITE_X25519_CHACHA >> 8;
	*at++ = SUITE_X25519_CHACHA & 0xff;
	memcpy(at, header->from.bytes, ID_BYTES);
	at += ID_BYTES;
	memcpy(at, header->release.bytes, RELEASE_ID_BYTES);
	at += RELEASE_ID_BYTES;
	memcpy(at, header->object.bytes, ID_BYTES);
	at += ID_BYTES;
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(header->expires_at_ms >> shift);
	assert(at == aad + SEAL_AAD_BYTES);
}

enum err seal_message(const char *info, const uint8_t public_key[KEY_BYTES], const struct seal_header *header,
                      const uint8_t *plain, size_t plain_bytes, uint8_t **out, size_t *out_bytes)
{
	*out = NULL;
	*out_bytes = 0;
	size_t bucket = bucket_for(plain_bytes);
	if (bucket == 0)
		return ERR_TOO_LARGE;

	struct hpke_context context;
	uint8_t enc[HPKE_ENC_BYTES], aad[SEAL_AAD_BYTES], padded[SEALED_PLAIN_BYTES_MAX];
	enum err err = hpke_setup_sender(&context, public_key, info, strlen(info) + 1, NULL, enc);
	if (err)
		return err;
	uint8_t *sealed = malloc(bucket + SEAL_OVERHEAD_BYTES);
	if (!sealed) {
		hpke_context_wipe(&context);
		return ERR_NO_MEMORY;
	}
	sealed[0] = SUITE_X25519_CHACHA >> 8;
	sealed[1] = SUITE_X25519_CHACHA & 0xff;
	memcpy(sealed + SUITE_BYTES, enc, HPKE_ENC_BYTES);
	aad_of(header, aad);
	padding_add(plain, plain_bytes, padded, bucket);
	hpke_seal(&context, aad, sizeof(aad), padded, bucket, sealed + SUITE_BYTES + HPKE_ENC_BYTES);
	sodium_memzero(padded, sizeof(padded));
	hpke_context_wipe(&context);
	*out = sealed;
	*out_bytes = bucket + SEAL_OVERHEAD_BYTES;
	return ERR_OK;
}

// Opens into `padded`, which has room for the bucket.
static enum err open_padded(const char *info, const struct hpke_pair *pair, const struct seal_header *header,
                            const uint8_t *sealed, size_t sealed_bytes, uint8_t *padded)
{
	struct hpke_context context;
	uint8_t aad[SEAL_AAD_BYTES];
	if (hpke_setup_receiver(&context, pair, info, strlen(info) + 1, sealed + SUITE_BYTES) != ERR_OK)
		return ERR_SEALED;
	aad_of(header, aad);
	enum err err = hpke_open(&context, aad, sizeof(aad), sealed + SUITE_BYTES + HPKE_ENC_BYTES,
	                         sealed_bytes - SUITE_BYTES - HPKE_ENC_BYTES, padded);
	hpke_context_wipe(&context);
	return err;
}

enum err open_message(const char *info, const struct hpke_pair *pair, const struct seal_header *header,
                      const uint8_t *sealed, size_t sealed_bytes, uint8_t **plain, size_t *plain_bytes)
{
	*plain = NULL;
	*plain_bytes = 0;
	if (sealed_bytes < SUITE_BYTES || (sealed[0] << 8 | sealed[1]) != SUITE_X25519_CHACHA)
		return ERR_BAD_MESSAGE;
	if (!sealed_size_valid(sealed_bytes))
		return ERR_SEALED;

	uint8_t padded[SEALED_PLAIN_BYTES_MAX];
	const uint8_t *message;
	size_t bucket = sealed_bytes - SEAL_OVERHEAD_BYTES;
	enum err err = open_padded(info, pair, header, sealed, sealed_bytes, padded);
	if (!err && !padding_remove(padded, bucket, &message, plain_bytes))
		err = ERR_BAD_MESSAGE;
	if (!err && !(*plain = malloc(*plain_bytes + 1)))
		err = ERR_NO_MEMORY;
	if (err)
		*plain_bytes = 0;
	else
		memcpy(*plain, message, *plain_bytes);
	sodium_memzero(padded, sizeof(padded));
	return err;
}
