// VOPRF against the vectors of RFC 9497 Appendix A.1.2 (ristretto255-SHA512, mode VOPRF), transcribed from
// https://www.rfc-editor.org/rfc/rfc9497#appendix-A.1.2; proofs, tokens and stamps that were tampered with.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "proto/sign.h"
#include "proto/stamp.h"
#include "proto/token.h"

static const char seed_hex[] = "a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3";
static const char info_hex[] = "74657374206b6579";
static const char secret_hex[] = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
static const char public_hex[] = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";

static const struct vector {
	size_t count;
	const char *input[2], *blind[2], *blinded[2], *evaluated[2], *output[2], *proof, *random;
} vectors[] = {
    {1, {"00"},
     {"64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"},
     {"863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"},
     {"aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"},
     {"b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"},
     "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
     "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"},
    {1, {"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"},
     {"64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"},
     {"cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"},
     {"60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"},
     {"8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"},
     "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
     "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"},
    {2, {"00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"},
     {"64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706", "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"},
     {"863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945", "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654"},
     {"aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e", "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a"},
     {"b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c", "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"},
     "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
     "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t count = strlen(hex) / 2;
	assert_true(hex_decode(hex, out, count));
	return count;
}

static void key_of_vectors(struct voprf_key *key)
{
	uint8_t seed[32], info[32];
	from_hex(seed_hex, seed);
	assert_int_equal(voprf_key_derive(key, seed, info, from_hex(info_hex, info)), ERR_OK);
}

static void test_derived_key(void **state)
{
	(void)state;
	struct voprf_key key, same;
	uint8_t expected[32];
	key_of_vectors(&key);
	from_hex(secret_hex, expected);
	assert_memory_equal(key.secret, expected, 32);
	from_hex(public_hex, expected);
	assert_memory_equal(key.public_key, expected, 32);
	assert_int_equal(voprf_key_from_secret(&same, key.secret), ERR_OK);
	assert_memory_equal(same.public_key, key.public_key, 32);
	memset(expected, 0, 32);
	assert_int_equal(voprf_key_from_secret(&same, expected), ERR_BAD_KEY);
	memset(expected, 0xff, 32);
	assert_int_equal(voprf_key_from_secret(&same, expected), ERR_BAD_KEY);
}

static void test_vectors(void **state)
{
	(void)state;
	struct voprf_key key;
	key_of_vectors(&key);
	for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
		const struct vector *vector = &vectors[v];
		uint8_t blinded[2][32], evaluated[2][32], expected[64], proof[64], expected_proof[64], random[32];
		uint8_t input[2][32], blind[2][32], output[64];
		size_t input_bytes[2];
		for (size_t i = 0; i < vector->count; i++) {
			input_bytes[i] = from_hex(vector->input[i], input[i]);
			from_hex(vector->blind[i], blind[i]);
			assert_int_equal(voprf_blind_with(input[i], input_bytes[i], blind[i], blinded[i]), ERR_OK);
			from_hex(vector->blinded[i], expected);
			assert_memory_equal(blinded[i], expected, 32);
		}
		from_hex(vector->random, random);
		const uint8_t(*given)[32] = (const uint8_t(*)[32])blinded;
		assert_int_equal(voprf_evaluate_batch_with(&key, vector->count, given, random, evaluated, proof), ERR_OK);
		from_hex(vector->proof, expected_proof);
		assert_memory_equal(proof, expected_proof, 64);
		assert_int_equal(
		    voprf_verify(key.public_key, vector->count, given, (const uint8_t(*)[32])evaluated, proof), ERR_OK);
		for (size_t i = 0; i < vector->count; i++) {
			from_hex(vector->evaluated[i], expected);
			assert_memory_equal(evaluated[i], expected, 32);
			from_hex(vector->output[i], expected);
			assert_int_equal(voprf_finalize(input[i], input_bytes[i], blind[i], evaluated[i], output), ERR_OK);
			assert_memory_equal(output, expected, 64);
			assert_int_equal(voprf_evaluate(&key, input[i], input_bytes[i], output), ERR_OK);
			assert_memory_equal(output, expected, 64);
		}
	}
}

// One batch of tokens asked for, evaluated and finished.
enum { BATCH = 16 };
static struct batch {
	uint8_t broker[32], intents[BATCH][32];
	struct token_key key;
	struct token_request requests[BATCH];
	uint8_t blinded[BATCH][32], evaluated[BATCH][32], proof[64], tokens[BATCH][TOKEN_BYTES];
} batch;

static enum err finish(void)
{
	return tokens_finish(batch.key.pair.public_key, BATCH, batch.requests, (const uint8_t(*)[32])batch.evaluated,
	                     batch.proof, batch.tokens);
}

static void make_batch(void)
{
	randombytes_buf(batch.broker, 32);
	voprf_key_new(&batch.key.pair);
	batch.key.epoch = 2900;
	batch.key.redeem_until_ms = token_redeem_until_ms(2900);
	for (size_t i = 0; i < BATCH; i++) {
		randombytes_buf(batch.intents[i], 32);
		assert_int_equal(token_request_new(batch.broker, batch.key.pair.public_key, batch.intents[i],
		                                   &batch.requests[i]),
		                 ERR_OK);
		memcpy(batch.blinded[i], batch.requests[i].blinded, 32);
	}
	assert_int_equal(voprf_evaluate_batch(&batch.key.pair, BATCH, (const uint8_t(*)[32])batch.blinded,
	                                      batch.evaluated, batch.proof),
	                 ERR_OK);
	assert_int_equal(finish(), ERR_OK);
}

static enum err check(const uint8_t *intent_key, const uint8_t *token, size_t count, uint64_t now_ms)
{
	uint32_t epoch = 0;
	struct id intent, expected = intent_id_of(intent_key);
	enum err err = token_check(&batch.key, 1, now_ms, batch.broker, token, count, &epoch, &intent);
	assert_int_equal(epoch, err ? 0 : 2900);
	if (!err)
		assert_memory_equal(intent.bytes, expected.bytes, ID_BYTES);
	return err;
}

static void test_tokens(void **state)
{
	(void)state;
	make_batch();
	uint64_t now_ms = 2900 * TOKEN_EPOCH_MS + 5;
	assert_int_equal(token_epoch_of(now_ms), 2900);
	for (size_t i = 0; i < BATCH; i++)
		assert_int_equal(check(batch.intents[i], batch.tokens[i], TOKEN_BYTES, now_ms), ERR_OK);
	uint8_t *token = batch.tokens[3];
	assert_int_equal(check(batch.intents[3], token, 0, now_ms), ERR_TOKEN_MISSING);
	assert_int_equal(check(batch.intents[3], token, TOKEN_BYTES - 1, now_ms), ERR_TOKEN_BAD);
	assert_int_equal(check(batch.intents[3], token, TOKEN_BYTES, batch.key.redeem_until_ms - 1), ERR_OK);
	assert_int_equal(check(batch.intents[3], token, TOKEN_BYTES, batch.key.redeem_until_ms), ERR_TOKEN_EXPIRED);
	for (size_t i = 0; i < TOKEN_BYTES; i++) {
		token[i] ^= 4;
		enum err expected = i >= 66 && i < 98 ? ERR_TOKEN_EXPIRED : ERR_TOKEN_BAD; // of a key nobody has any more
		assert_int_equal(check(batch.intents[3], token, TOKEN_BYTES, now_ms), expected);
		token[i] ^= 4;
	}
}

static void test_wrong_proofs(void **state)
{
	(void)state;
	make_batch();
	for (size_t i = 0; i < 64; i++) {
		batch.proof[i] ^= 1;
		assert_int_equal(finish(), ERR_BAD_SIGNATURE);
		assert_true(sodium_is_zero(batch.tokens[0], sizeof batch.tokens));
		batch.proof[i] ^= 1;
	}
	uint8_t swap[32];
	memcpy(swap, batch.evaluated[2], 32);
	memcpy(batch.evaluated[2], batch.evaluated[7], 32);
	memcpy(batch.evaluated[7], swap, 32);
	assert_int_equal(finish(), ERR_BAD_SIGNATURE);
	memset(batch.evaluated[2], 0, 32);
	assert_int_equal(finish(), ERR_BAD_KEY);
	memset(batch.evaluated[2], 0xff, 32);
	assert_int_equal(finish(), ERR_BAD_KEY);
	// A key of its own for one element would mark its wallet: the proof is over one key.
	make_batch();
	struct voprf_key other;
	uint8_t proof[64];
	voprf_key_new(&other);
	assert_int_equal(voprf_evaluate_batch(&other, 1, (const uint8_t(*)[32])&batch.blinded[5], &batch.evaluated[5], proof),
	                 ERR_OK);
	assert_int_equal(finish(), ERR_BAD_SIGNATURE);
	make_batch();
	assert_int_equal(voprf_evaluate_batch(&other, BATCH, (const uint8_t(*)[32])batch.blinded, batch.evaluated,
	                                      batch.proof),
	                 ERR_OK);
	assert_int_equal(finish(), ERR_BAD_SIGNATURE);
}

static void test_bad_elements_are_not_evaluated(void **state)
{
	(void)state;
	make_batch();
	uint8_t evaluated[BATCH][32], proof[64];
	static const uint8_t odd[3] = {0x00, 0xff, 0x01}; // identity, not canonical, no element
	for (size_t i = 0; i < sizeof odd; i++) {
		memset(batch.blinded[9], odd[i], 32);
		assert_int_equal(voprf_evaluate_batch(&batch.key.pair, BATCH, (const uint8_t(*)[32])batch.blinded, evaluated,
		                                      proof),
		                 ERR_BAD_KEY);
	}
	assert_int_equal(voprf_evaluate_batch(&batch.key.pair, 0, NULL, evaluated, proof), ERR_BAD_VALUE);
}

static bool at_once(void *context)
{
	(void)context;
	return true;
}

static void test_stamps(void **state)
{
	(void)state;
	uint8_t key[32], broker[32], stamp[STAMP_BYTES];
	randombytes_buf(key, 32);
	randombytes_buf(broker, 32);
	assert_true(stamp_make(key, broker, 2900, 12, NULL, NULL, stamp));
	assert_int_equal(stamp_check(key, broker, 2900, 12, stamp, STAMP_BYTES), ERR_OK);
	assert_int_equal(stamp_check(key, broker, 2901, 12, stamp, STAMP_BYTES), ERR_OK);
	assert_int_equal(stamp_check(key, broker, 2902, 12, stamp, STAMP_BYTES), ERR_STAMP_BAD);
	assert_int_equal(stamp_check(key, broker, 2899, 12, stamp, STAMP_BYTES), ERR_STAMP_BAD);
	assert_int_equal(stamp_check(key, broker, 2900, 12, stamp, 0), ERR_STAMP_BAD);
	assert_int_equal(stamp_check(key, broker, 2900, 60, stamp, STAMP_BYTES), ERR_STAMP_BAD);
	broker[0] ^= 1; // for another broker it is work not done, but for one time in 4,096
	size_t passed = 0;
	for (int i = 0; i < 64; i++, broker[1]++)
		passed += stamp_check(key, broker, 2900, 12, stamp, STAMP_BYTES) == ERR_OK;
	assert_true(passed < 8);
	assert_false(stamp_make(key, broker, 2900, 64, at_once, NULL, stamp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_derived_key),  cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_tokens),       cmocka_unit_test(test_wrong_proofs),
	    cmocka_unit_test(test_bad_elements_are_not_evaluated), cmocka_unit_test(test_stamps),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
