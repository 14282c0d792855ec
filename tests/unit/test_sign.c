// Signed records, tags and ids. Ed25519 itself is libsodium's; one vector of RFC 8032 shows how the tag stands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/key_check.h"
#include "proto/sign.h"

static const uint8_t record[] = "what was said";

static struct sign_pair pair_of_seed(uint8_t fill)
{
	uint8_t seed[32];
	struct sign_pair pair;
	memset(seed, fill, sizeof(seed));
	sign_pair_from_seed(&pair, seed);
	return pair;
}

// RFC 8032 §7.1 TEST 1: the key pair of its seed.
static void test_key_of_seed(void **state)
{
	(void)state;
	uint8_t seed[32], expected[32];
	struct sign_pair pair;
	assert_true(hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32));
	assert_true(hex_decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", expected, 32));
	sign_pair_from_seed(&pair, seed);
	assert_memory_equal(pair.public_key, expected, 32);
}

// What is signed is the tag, a zero byte and the record: shown with libsodium alone.
static void test_input_layout(void **state)
{
	(void)state;
	struct sign_pair pair = pair_of_seed(1);
	uint8_t signature[SIGNATURE_BYTES], expected[SIGNATURE_BYTES];
	static const char input[] = "oyez/1 offer\0abc";
	sign_bytes(&pair, TAG_OFFER, (const uint8_t *)"abc", 3, signature);
	crypto_sign_detached(expected, NULL, (const uint8_t *)input, sizeof(input) - 1, pair.secret_key);
	assert_memory_equal(signature, expected, SIGNATURE_BYTES);
}

static void test_tags_keep_purposes_apart(void **state)
{
	(void)state;
	struct sign_pair pair = pair_of_seed(1);
	uint8_t signature[SIGNATURE_BYTES];
	sign_bytes(&pair, TAG_OFFER, record, sizeof(record), signature);
	assert_int_equal(sign_check(pair.public_key, TAG_OFFER, record, sizeof(record), signature), ERR_OK);
	assert_int_equal(sign_check(pair.public_key, TAG_QUESTION, record, sizeof(record), signature), ERR_BAD_SIGNATURE);
	struct sign_pair other = pair_of_seed(2);
	assert_int_equal(sign_check(other.public_key, TAG_OFFER, record, sizeof(record), signature), ERR_BAD_SIGNATURE);
}

static void test_large_record(void **state)
{
	(void)state;
	struct sign_pair pair = pair_of_seed(1);
	uint8_t *large = calloc(1, RECORD_BYTES_MAX + 1), *out;
	size_t out_bytes;
	assert_int_equal(sign_wrap(&pair, TAG_OFFER, large, RECORD_BYTES_MAX + 1, &out, &out_bytes), ERR_TOO_LARGE);
	assert_null(out);
	assert_int_equal(sign_wrap(&pair, TAG_OFFER, large, RECORD_BYTES_MAX, &out, &out_bytes), ERR_OK);
	Oyez__Signed *message;
	assert_int_equal(codec_decode_signed(NULL, out, out_bytes, &message, NULL), ERR_OK);
	assert_int_equal(sign_open(message, TAG_OFFER), ERR_OK);
	oyez__signed__free_unpacked(message, NULL);
	free(out);
	free(large);
}

// Every single byte of a serialised Signed changed in every bit: it is refused, or it was not read at all.
static void test_every_changed_byte(void **state)
{
	(void)state;
	struct sign_pair pair = pair_of_seed(1);
	uint8_t *bytes;
	size_t count, opened = 0;
	assert_int_equal(sign_wrap(&pair, TAG_AGREEMENT, record, sizeof(record), &bytes, &count), ERR_OK);
	for (size_t i = 0; i < 8 * count; i++) {
		Oyez__Signed *message;
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		if (codec_decode_signed(NULL, bytes, count, &message, NULL) == ERR_OK) {
			opened += sign_open(message, TAG_AGREEMENT) == ERR_OK;
			oyez__signed__free_unpacked(message, NULL);
		}
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(opened, 0);
	free(bytes);
}

static void test_wrong_lengths(void **state)
{
	(void)state;
	uint8_t bytes[SIGNATURE_BYTES] = {9};
	Oyez__Signed message = OYEZ__SIGNED__INIT;
	assert_int_equal(sign_open(&message, TAG_OFFER), ERR_BAD_KEY);
	message.key = (ProtobufCBinaryData){KEY_BYTES, bytes};
	assert_int_equal(sign_open(&message, TAG_OFFER), ERR_BAD_SIGNATURE);
	message.signature = (ProtobufCBinaryData){SIGNATURE_BYTES - 1, bytes};
	assert_int_equal(sign_open(&message, TAG_OFFER), ERR_BAD_SIGNATURE);
	message.record = (ProtobufCBinaryData){RECORD_BYTES_MAX + 1, bytes};
	assert_int_equal(sign_open(&message, TAG_OFFER), ERR_TOO_LARGE);
}

// The points of order 1, 2, 4 and 8 with both signs of x; libsodium's subgroup check is the oracle.
static void test_small_order_keys(void **state)
{
	(void)state;
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	};
	for (size_t i = 0; i < 2 * sizeof(points) / sizeof(points[0]); i++) {
		uint8_t key[KEY_BYTES], sum[KEY_BYTES];
		assert_true(hex_decode(points[i / 2], key, KEY_BYTES));
		key[31] |= i % 2 ? 0x80 : 0;
		assert_false(sign_key_valid(key));
		assert_int_equal(crypto_core_ed25519_is_valid_point(key), 0);
		// R = identity, S = 0 verifies under the identity for naive verifiers.
		uint8_t signature[SIGNATURE_BYTES] = {1};
		assert_int_equal(sign_check(key, TAG_OFFER, record, sizeof(record), signature), ERR_BAD_KEY);
		// Eight times the point is the identity, where it is on the curve.
		if (crypto_core_ed25519_add(sum, key, key) != 0)
			continue;
		crypto_core_ed25519_add(sum, sum, sum);
		crypto_core_ed25519_add(sum, sum, sum);
		static const uint8_t identity[KEY_BYTES] = {1};
		assert_memory_equal(sum, identity, KEY_BYTES);
	}
}

static void test_other_encodings_of_a_key(void **state)
{
	(void)state;
	uint8_t key[KEY_BYTES];
	memset(key, 0xff, sizeof(key));
	assert_false(sign_key_valid(key));
	key[0] = 0xed; // p itself, with and without sign
	assert_false(sign_key_valid(key));
	key[31] = 0x7f;
	assert_false(sign_key_valid(key));
	struct sign_pair pair;
	for (int i = 0; i < 100; i++) {
		sign_pair_new(&pair);
		assert_true(sign_key_valid(pair.public_key));
	}
}

// RFC 8032 §5.1.7: S must be below the group order, or a signature would have a second form.
static void test_malleable_signature(void **state)
{
	(void)state;
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
	                                  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	struct sign_pair pair = pair_of_seed(1);
	uint8_t signature[SIGNATURE_BYTES];
	sign_bytes(&pair, TAG_OFFER, record, sizeof(record), signature);
	sodium_add(signature + 32, order, 32);
	assert_int_equal(sign_check(pair.public_key, TAG_OFFER, record, sizeof(record), signature), ERR_BAD_SIGNATURE);
}

static void test_ids(void **state)
{
	(void)state;
	struct sign_pair pair = pair_of_seed(1);
	uint8_t expected[HASH_BYTES], input[64] = "oyez/1 intent id";
	memcpy(input + 17, pair.public_key, KEY_BYTES);
	crypto_hash_sha256(expected, input, 17 + KEY_BYTES);
	struct id intent = intent_id_of(pair.public_key), vendor = vendor_id_of(pair.public_key);
	assert_memory_equal(intent.bytes, expected, ID_BYTES);
	assert_false(id_equal(&intent, &vendor));

	uint8_t signature[SIGNATURE_BYTES] = {7}, joined[sizeof(record) + SIGNATURE_BYTES];
	Oyez__Signed message = OYEZ__SIGNED__INIT;
	message.record = (ProtobufCBinaryData){sizeof(record), (uint8_t *)record};
	message.signature = (ProtobufCBinaryData){sizeof(signature), signature};
	memcpy(joined, record, sizeof(record));
	memcpy(joined + sizeof(record), signature, sizeof(signature));
	struct id id = signed_id_of(TAG_RECORD_ID, &message), same = id_of(TAG_RECORD_ID, joined, sizeof(joined));
	struct id deal = signed_id_of(TAG_DEAL, &message);
	assert_true(id_equal(&id, &same));
	assert_false(id_equal(&id, &deal));
	signature[0]++;
	same = signed_id_of(TAG_RECORD_ID, &message);
	assert_false(id_equal(&id, &same));
}

static void test_hex(void **state)
{
	(void)state;
	uint8_t bytes[3];
	char text[7];
	assert_true(hex_decode("00fFa9", bytes, 3));
	hex_encode(bytes, 3, text);
	assert_string_equal(text, "00ffa9");
	static const char *const bad[] = {"", "00ff", "00ffa", "00ffa9b", "00ffa900", "00ffg9", "00 ff9", "00ffa "};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(hex_decode(bad[i], bytes, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key_of_seed),
	    cmocka_unit_test(test_input_layout),
	    cmocka_unit_test(test_tags_keep_purposes_apart),
	    cmocka_unit_test(test_large_record),
	    cmocka_unit_test(test_every_changed_byte),
	    cmocka_unit_test(test_wrong_lengths),
	    cmocka_unit_test(test_small_order_keys),
	    cmocka_unit_test(test_other_encodings_of_a_key),
	    cmocka_unit_test(test_malleable_signature),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_hex),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
