// HKDF-SHA256, RFC 5869, on libsodium's HMAC.
#include "hkdf.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static void update_parts(crypto_auth_hmacsha256_state *state, const struct hkdf_part *parts, size_t part_count)
{
	for (size_t i = 0; i < part_count; i++)
		crypto_auth_hmacsha256_update(state, parts[i].bytes, parts[i].count);
}

void hkdf_extract(const void *salt, size_t salt_bytes, const struct hkdf_part *ikm, size_t part_count,
                  uint8_t prk[HKDF_HASH_BYTES])
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, salt, salt_bytes);
	update_parts(&state, ikm, part_count);
	crypto_auth_hmacsha256_final(&state, prk);
	sodium_memzero(&state, sizeof(state));
}

void hkdf_expand(const uint8_t prk[HKDF_HASH_BYTES], const struct hkdf_part *info, size_t part_count, uint8_t *out,
                 size_t out_bytes)
{
	assert(out_bytes <= 255 * HKDF_HASH_BYTES);
	uint8_t block[HKDF_HASH_BYTES];
	size_t previous_bytes = 0; // T(0) is empty
	uint8_t counter = 0;
	for (size_t done = 0; done < out_bytes;) {
		crypto_auth_hmacsha256_state state;
		crypto_auth_hmacsha256_init(&state, prk, HKDF_HASH_BYTES);
		crypto_auth_hmacsha256_update(&state, block, previous_bytes);
		update_parts(&state, info, part_count);
		counter++;
		crypto_auth_hmacsha256_update(&state, &counter, 1);
		crypto_auth_hmacsha256_final(&state, block);
		sodium_memzero(&state, sizeof(state));
		previous_bytes = sizeof(block);
		size_t take = out_bytes - done < sizeof(block) ? out_bytes - done : sizeof(block);
		memcpy(out + done, block, take);
		done += take;
	}
	sodium_memzero(block, sizeof(block));
}
