// Hashcash: find a counter whose hash begins with enough zero bits.
#include "stamp.h"

#include <sodium.h>

#include "sign.h"

enum { LOOK_EVERY = 1 << 12 };

static uint32_t leading_zero_bits(const uint8_t hash[HASH_BYTES])
{
	uint32_t bits = 0;
	for (size_t i = 0; i < HASH_BYTES; i++) {
		if (hash[i] == 0) {
			bits += 8;
			continue;
		}
		return bits + (uint32_t)__builtin_clz(hash[i]) - 24;
	}
	return bits;
}

static void put_number(uint8_t *out, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
}

// The hash's state after everything but the stamp.
static void begin(crypto_hash_sha256_state *hash, const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES])
{
	crypto_hash_sha256_init(hash);
	crypto_hash_sha256_update(hash, (const uint8_t *)TAG_STAMP, sizeof(TAG_STAMP));
	crypto_hash_sha256_update(hash, key, KEY_BYTES);
	crypto_hash_sha256_update(hash, broker_key, KEY_BYTES);
}

static uint32_t work_of(const crypto_hash_sha256_state *begun, const uint8_t stamp[STAMP_BYTES])
{
	crypto_hash_sha256_state hash = *begun;
	uint8_t digest[HASH_BYTES];
	crypto_hash_sha256_update(&hash, stamp, STAMP_BYTES);
	crypto_hash_sha256_final(&hash, digest);
	return leading_zero_bits(digest);
}

bool stamp_make(const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES], uint32_t epoch, uint32_t bits,
                bool (*stop)(void *context), void *context, uint8_t stamp[STAMP_BYTES])
{
	crypto_hash_sha256_state begun;
	begin(&begun, key, broker_key);
	put_number(stamp, epoch, 4);
	for (uint64_t counter = 0;; counter++) {
		put_number(stamp + 4, counter, 8);
		if (work_of(&begun, stamp) >= bits)
			return true;
		if (stop && counter % LOOK_EVERY == 0 && stop(context))
			return false;
	}
}

enum err stamp_check(const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES], uint32_t epoch_now,
                     uint32_t bits, const uint8_t *stamp, size_t stamp_bytes)
{
	if (stamp_bytes != STAMP_BYTES)
		return ERR_STAMP_BAD;
	uint32_t epoch = (uint32_t)stamp[0] << 24 | (uint32_t)stamp[1] << 16 | (uint32_t)stamp[2] << 8 | stamp[3];
	if (epoch != epoch_now && epoch + 1 != epoch_now)
		return ERR_STAMP_BAD;
	crypto_hash_sha256_state begun;
	begin(&begun, key, broker_key);
	return work_of(&begun, stamp) >= bits ? ERR_OK : ERR_STAMP_BAD;
}
