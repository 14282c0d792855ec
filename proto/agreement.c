// The three small computations around an agreement; its fields and meaning: PROTOCOL.md §8.
#include "agreement.h"

#include <string.h>

void card_commitment(const uint8_t secret[RANDOM_BYTES], const uint8_t *card, size_t card_bytes,
                     uint8_t out[HASH_BYTES])
{
	const struct hash_part parts[] = {{secret, RANDOM_BYTES}, {card, card_bytes}};
	hash_parts(TAG_CARD, parts, 2, out);
}

void signature_hash(const uint8_t signature[SIGNATURE_BYTES], uint8_t out[HASH_BYTES])
{
	hash_parts(TAG_SIGNATURE, &(struct hash_part){signature, SIGNATURE_BYTES}, 1, out);
}

enum { COUNTERSIGNED_BYTES = ID_BYTES + HASH_BYTES };

static void countersigned_bytes(const struct id *deal, const uint8_t hash[HASH_BYTES], uint8_t out[COUNTERSIGNED_BYTES])
{
	memcpy(out, deal->bytes, ID_BYTES);
	memcpy(out + ID_BYTES, hash, HASH_BYTES);
}

void countersign(const struct sign_pair *vendor, const struct id *deal, const uint8_t hash[HASH_BYTES],
                 uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t input[COUNTERSIGNED_BYTES];
	countersigned_bytes(deal, hash, input);
	sign_bytes(vendor, TAG_COUNTERSIGN, input, sizeof(input), signature);
}

enum err countersign_check(const uint8_t vendor_key[KEY_BYTES], const struct id *deal, const uint8_t hash[HASH_BYTES],
                           const uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t input[COUNTERSIGNED_BYTES];
	countersigned_bytes(deal, hash, input);
	enum err err = sign_check(vendor_key, TAG_COUNTERSIGN, input, sizeof(input), signature);
	return err == ERR_BAD_SIGNATURE ? ERR_BAD_COUNTERSIGNATURE : err;
}
