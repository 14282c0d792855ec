// The card's commitment, the hash of a signature, the countersignature.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agreement.h"

static const char card[] = "{\"name\":\"Anne Martin\",\"email\":\"anne@example.org\"}";

// A bare hash of a card could be found by trying names. With the secret, the same card has as many commitments as
// there are secrets, and a right guess of the card does not show as right.
static void test_guessing_a_commitment(void **state)
{
	(void)state;
	uint8_t secret[2][RANDOM_BYTES], commitment[2][HASH_BYTES], guess[HASH_BYTES];
	randombytes_buf(secret, sizeof(secret));
	for (int i = 0; i < 2; i++)
		card_commitment(secret[i], (const uint8_t *)card, sizeof(card) - 1, commitment[i]);
	assert_memory_not_equal(commitment[0], commitment[1], HASH_BYTES);

	crypto_hash_sha256(guess, (const uint8_t *)card, sizeof(card) - 1);
	assert_memory_not_equal(guess, commitment[0], HASH_BYTES);
	hash_parts(TAG_CARD, &(struct hash_part){card, sizeof(card) - 1}, 1, guess);
	assert_memory_not_equal(guess, commitment[0], HASH_BYTES);
	uint8_t zero[RANDOM_BYTES] = {0};
	card_commitment(zero, (const uint8_t *)card, sizeof(card) - 1, guess);
	assert_memory_not_equal(guess, commitment[0], HASH_BYTES);

	card_commitment(secret[0], (const uint8_t *)card, sizeof(card) - 1, guess);
	assert_memory_equal(guess, commitment[0], HASH_BYTES);
	card_commitment(secret[0], (const uint8_t *)card, sizeof(card) - 2, guess);
	assert_memory_not_equal(guess, commitment[0], HASH_BYTES);
}

static void test_commitment_layout(void **state)
{
	(void)state;
	uint8_t secret[RANDOM_BYTES] = {5}, commitment[HASH_BYTES], expected[HASH_BYTES], input[46] = "oyez/1 card";
	memcpy(input + 12, secret, RANDOM_BYTES);
	memcpy(input + 44, "{}", 2);
	crypto_hash_sha256(expected, input, sizeof(input));
	card_commitment(secret, (const uint8_t *)"{}", 2, commitment);
	assert_memory_equal(commitment, expected, HASH_BYTES);
}

static void test_countersignature(void **state)
{
	(void)state;
	struct sign_pair vendor, other;
	struct id deal = {{1}}, other_deal = {{2}};
	uint8_t customer_signature[SIGNATURE_BYTES] = {3}, hash[HASH_BYTES], other_hash[HASH_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
	sign_pair_new(&vendor);
	sign_pair_new(&other);
	signature_hash(customer_signature, hash);
	customer_signature[0]++;
	signature_hash(customer_signature, other_hash);
	assert_memory_not_equal(hash, other_hash, HASH_BYTES);

	countersign(&vendor, &deal, hash, signature);
	assert_int_equal(countersign_check(vendor.public_key, &deal, hash, signature), ERR_OK);
	assert_int_equal(countersign_check(other.public_key, &deal, hash, signature), ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(countersign_check(vendor.public_key, &other_deal, hash, signature), ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(countersign_check(vendor.public_key, &deal, other_hash, signature), ERR_BAD_COUNTERSIGNATURE);
	for (size_t i = 0; i < SIGNATURE_BYTES; i++) {
		signature[i] ^= 1;
		assert_int_equal(countersign_check(vendor.public_key, &deal, hash, signature), ERR_BAD_COUNTERSIGNATURE);
		signature[i] ^= 1;
	}
	uint8_t small_order[KEY_BYTES] = {1};
	assert_int_equal(countersign_check(small_order, &deal, hash, signature), ERR_BAD_KEY);

	// Signing the same bytes for another purpose gives no countersignature.
	uint8_t input[ID_BYTES + HASH_BYTES];
	memcpy(input, deal.bytes, ID_BYTES);
	memcpy(input + ID_BYTES, hash, HASH_BYTES);
	sign_bytes(&vendor, TAG_OFFER, input, sizeof(input), signature);
	assert_int_equal(countersign_check(vendor.public_key, &deal, hash, signature), ERR_BAD_COUNTERSIGNATURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_guessing_a_commitment),
	    cmocka_unit_test(test_commitment_layout),
	    cmocka_unit_test(test_countersignature),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
