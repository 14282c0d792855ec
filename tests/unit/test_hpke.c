// HPKE against the vectors of RFC 9180 Appendix A.2.1 (base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
// ChaCha20Poly1305), transcribed from https://www.rfc-editor.org/rfc/rfc9180#appendix-A.2.1, and HKDF against RFC 5869.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "proto/hkdf.h"
#include "proto/hpke.h"
#include "proto/key_check.h"
#include "proto/sign.h"

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char ikm_e_hex[] = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
static const char pk_e_hex[] = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char sk_e_hex[] = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
static const char ikm_r_hex[] = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
static const char pk_r_hex[] = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char sk_r_hex[] = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
static const char enc_hex[] = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char key_hex[] = "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91";
static const char base_nonce_hex[] = "5c4d98150661b848853b547f";
static const char exporter_secret_hex[] = "a3b010d4994890e2c6968a36f64470d3c824c8f5029942feb11e7a74b2921922";

static const struct encryption {
	unsigned sequence;
	const char *plain, *aad, *nonce, *sealed;
} encryptions[] = {
    {0, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d30", "5c4d98150661b848853b547f",
     "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"},
    {1, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d31", "5c4d98150661b848853b547e",
     "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c"},
    {2, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d32", "5c4d98150661b848853b547d",
     "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ecac6f48c32f878fae86b"},
    {4, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d34", "5c4d98150661b848853b547b",
     "63357a2aa291f5a4e5f27db6baa2af8cf77427c7c1a909e0b37214dd47db122bb153495ff0b02e9e54a50dbe16"},
    {255, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d323535",
     "5c4d98150661b848853b5480",
     "18ab939d63ddec9f6ac2b60d61d36a7375d2070c9b683861110757062c52b8880a5f6b3936da9cd6c23ef2a95c"},
    {256, "4265617574792069732074727574682c20747275746820626561757479", "436f756e742d323536",
     "5c4d98150661b848853b557f",
     "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed9e727a5b"},
};

static const struct export
{
	const char *context;
	const char *value; // 32 bytes
}
exports[] = {
    {"", "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"},
    {"00", "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"},
    {"54657374436f6e74657874", "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"},
};

static size_t from_hex(const char *hex, uint8_t *out, size_t room)
{
	size_t count = strlen(hex) / 2;
	assert_true(count <= room);
	assert_true(hex_decode(hex, out, count));
	return count;
}

static void assert_hex(const uint8_t *bytes, size_t count, const char *hex)
{
	uint8_t expected[256];
	assert_int_equal(from_hex(hex, expected, sizeof(expected)), count);
	assert_memory_equal(bytes, expected, count);
}

static void pair_of(struct hpke_pair *pair, const char *public_hex, const char *secret_hex)
{
	from_hex(public_hex, pair->public_key, KEY_BYTES);
	from_hex(secret_hex, pair->secret_key, KEY_BYTES);
}

// RFC 5869 Appendix A.1 and A.3 (HKDF-SHA256 with and without salt and info).
static void test_hkdf_rfc5869(void **state)
{
	(void)state;
	uint8_t ikm[22], salt[13], info[10], prk[32], okm[42];
	memset(ikm, 0x0b, sizeof(ikm));
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof(info); i++)
		info[i] = 0xf0 + i;
	// In two parts: they must count as one input.
	hkdf_extract(salt, sizeof(salt), (struct hkdf_part[]){{ikm, 10}, {ikm + 10, 12}}, 2, prk);
	assert_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	hkdf_expand(prk, (struct hkdf_part[]){{info, 3}, {info + 3, 7}}, 2, okm, sizeof(okm));
	assert_hex(okm, sizeof(okm),
	           "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	hkdf_extract("", 0, &(struct hkdf_part){ikm, sizeof(ikm)}, 1, prk);
	assert_hex(prk, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
	hkdf_expand(prk, NULL, 0, okm, sizeof(okm));
	assert_hex(okm, sizeof(okm),
	           "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void test_derive_key_pair(void **state)
{
	(void)state;
	struct hpke_pair pair;
	uint8_t ikm[32];
	hpke_pair_derive(&pair, ikm, from_hex(ikm_e_hex, ikm, sizeof(ikm)));
	assert_hex(pair.secret_key, KEY_BYTES, sk_e_hex);
	assert_hex(pair.public_key, KEY_BYTES, pk_e_hex);
	hpke_pair_derive(&pair, ikm, from_hex(ikm_r_hex, ikm, sizeof(ikm)));
	assert_hex(pair.secret_key, KEY_BYTES, sk_r_hex);
	assert_hex(pair.public_key, KEY_BYTES, pk_r_hex);
}

static void setup_both(struct hpke_context *sender, struct hpke_context *receiver)
{
	struct hpke_pair ephemeral, recipient;
	uint8_t info[64], enc[HPKE_ENC_BYTES];
	size_t info_bytes = from_hex(info_hex, info, sizeof(info));
	pair_of(&ephemeral, pk_e_hex, sk_e_hex);
	pair_of(&recipient, pk_r_hex, sk_r_hex);
	assert_int_equal(hpke_setup_sender(sender, recipient.public_key, info, info_bytes, &ephemeral, enc), ERR_OK);
	assert_hex(enc, sizeof(enc), enc_hex);
	assert_int_equal(hpke_setup_receiver(receiver, &recipient, info, info_bytes, enc), ERR_OK);
}

static void test_key_schedule(void **state)
{
	(void)state;
	struct hpke_context contexts[2];
	setup_both(&contexts[0], &contexts[1]);
	for (int i = 0; i < 2; i++) {
		assert_hex(contexts[i].key, 32, key_hex);
		assert_hex(contexts[i].base_nonce, 12, base_nonce_hex);
		assert_hex(contexts[i].exporter_secret, 32, exporter_secret_hex);
	}
}

// All encryptions, also the jumps to sequence numbers 4, 255 and 256 on the way through all between.
static void test_encryptions(void **state)
{
	(void)state;
	struct hpke_context sender, receiver;
	setup_both(&sender, &receiver);
	for (size_t i = 0; i < sizeof(encryptions) / sizeof(encryptions[0]); i++) {
		const struct encryption *vector = &encryptions[i];
		uint8_t plain[64], aad[32], sealed[64 + HPKE_TAG_BYTES], opened[64];
		size_t plain_bytes = from_hex(vector->plain, plain, sizeof(plain));
		size_t aad_bytes = from_hex(vector->aad, aad, sizeof(aad));
		while (sender.sequence < vector->sequence) {
			hpke_seal(&sender, NULL, 0, plain, plain_bytes, sealed);
			assert_int_equal(hpke_open(&receiver, NULL, 0, sealed, plain_bytes + HPKE_TAG_BYTES, opened), ERR_OK);
		}
		hpke_seal(&sender, aad, aad_bytes, plain, plain_bytes, sealed);
		assert_hex(sealed, plain_bytes + HPKE_TAG_BYTES, vector->sealed);
		assert_int_equal(hpke_open(&receiver, aad, aad_bytes, sealed, plain_bytes + HPKE_TAG_BYTES, opened), ERR_OK);
		assert_memory_equal(opened, plain, plain_bytes);

		uint8_t nonce[12];
		from_hex(vector->nonce, nonce, sizeof(nonce));
		for (int at = 0; at < 8; at++)
			nonce[11 - at] ^= (uint8_t)((uint64_t)vector->sequence >> (8 * at));
		assert_hex(nonce, 12, base_nonce_hex);
	}
}

static void test_exports(void **state)
{
	(void)state;
	struct hpke_context contexts[2];
	setup_both(&contexts[0], &contexts[1]);
	for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
		uint8_t context[32], value[32];
		size_t context_bytes = from_hex(exports[i].context, context, sizeof(context));
		for (int side = 0; side < 2; side++) {
			hpke_export(&contexts[side], context, context_bytes, value, sizeof(value));
			assert_hex(value, sizeof(value), exports[i].value);
		}
	}
}

static void test_every_changed_byte_is_refused(void **state)
{
	(void)state;
	struct hpke_context sender, receiver;
	setup_both(&sender, &receiver);
	uint8_t plain[] = "the buyer calls", sealed[sizeof(plain) + HPKE_TAG_BYTES], opened[sizeof(plain)];
	uint8_t aad[] = "header";
	hpke_seal(&sender, aad, sizeof(aad), plain, sizeof(plain), sealed);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(hpke_open(&receiver, aad, sizeof(aad), sealed, sizeof(sealed), opened), ERR_SEALED);
		sealed[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(aad); i++) {
		aad[i] ^= 1;
		assert_int_equal(hpke_open(&receiver, aad, sizeof(aad), sealed, sizeof(sealed), opened), ERR_SEALED);
		aad[i] ^= 1;
	}
	assert_int_equal(hpke_open(&receiver, aad, sizeof(aad), sealed, HPKE_TAG_BYTES - 1, opened), ERR_SEALED);
	// Refusals do not advance the sequence: the unchanged one still opens.
	assert_int_equal(hpke_open(&receiver, aad, sizeof(aad), sealed, sizeof(sealed), opened), ERR_OK);
}

// Points whose order divides 8 give the same "secret" to everybody. libsodium's own check is the oracle.
static void test_small_order_keys(void **state)
{
	(void)state;
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	};
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct hpke_pair pair;
		struct hpke_context context;
		uint8_t point[KEY_BYTES], shared[32], enc[HPKE_ENC_BYTES];
		hpke_pair_new(&pair);
		from_hex(points[i], point, KEY_BYTES);
		assert_int_not_equal(crypto_scalarmult(shared, pair.secret_key, point), 0);
		assert_false(hpke_key_valid(point));
		assert_int_equal(hpke_setup_sender(&context, point, "", 0, NULL, enc), ERR_BAD_KEY);
		assert_int_equal(hpke_setup_receiver(&context, &pair, "", 0, point), ERR_BAD_KEY);
		point[31] |= 0x80; // the bit X25519 ignores
		assert_false(hpke_key_valid(point));
	}
}

static void test_other_encodings_of_a_key(void **state)
{
	(void)state;
	struct hpke_pair pair;
	hpke_pair_new(&pair);
	assert_true(hpke_key_valid(pair.public_key));
	pair.public_key[31] |= 0x80;
	assert_false(hpke_key_valid(pair.public_key));
	uint8_t key[KEY_BYTES]; // p + 9: the base point once more
	from_hex("f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", key, KEY_BYTES);
	assert_false(hpke_key_valid(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hkdf_rfc5869),     cmocka_unit_test(test_derive_key_pair),
	    cmocka_unit_test(test_key_schedule),     cmocka_unit_test(test_encryptions),
	    cmocka_unit_test(test_exports),          cmocka_unit_test(test_every_changed_byte_is_refused),
	    cmocka_unit_test(test_small_order_keys), cmocka_unit_test(test_other_encodings_of_a_key),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
