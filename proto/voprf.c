// RFC 9497 (mode VOPRF, ristretto255-SHA512) on libsodium's group and hash. Names follow the RFC; comments cite it.
#include "voprf.h"

#include <sodium.h>
#include <string.h>

#define CONTEXT "OPRFV1-\x01-ristretto255-SHA512" // §3.1: "OPRFV1-" ‖ mode ‖ "-" ‖ identifier
#define TO_GROUP "HashToGroup-" CONTEXT
#define TO_SCALAR "HashToScalar-" CONTEXT
#define DERIVE "DeriveKeyPair" CONTEXT
#define SEED "Seed-" CONTEXT

enum { HASH_BLOCK_BYTES = 128, WIDE_BYTES = 64 };
_Static_assert(crypto_core_ristretto255_BYTES == ELEMENT_BYTES, "element size");
_Static_assert(crypto_hash_sha512_BYTES == VOPRF_OUTPUT_BYTES, "output size");

// ---- transcripts: fields with their length in front

static void put(crypto_hash_sha512_state *hash, const void *bytes, size_t count)
{
	crypto_hash_sha512_update(hash, bytes, count);
}

static void put_u16(crypto_hash_sha512_state *hash, size_t number)
{
	uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};
	put(hash, bytes, sizeof bytes);
}

static void put_field(crypto_hash_sha512_state *hash, const void *bytes, size_t count)
{
	put_u16(hash, count);
	put(hash, bytes, count);
}

// expand_message_xmd with SHA-512 for exactly one block of output (RFC 9380 §5.3.1). The message goes between begin
// and end.
static void expand_begin(crypto_hash_sha512_state *hash)
{
	static const uint8_t zeros[HASH_BLOCK_BYTES];
	crypto_hash_sha512_init(hash);
	put(hash, zeros, sizeof zeros);
}

static void expand_end(crypto_hash_sha512_state *hash, const char *tag, size_t tag_bytes, uint8_t out[WIDE_BYTES])
{
	static const uint8_t zero = 0, one = 1;
	uint8_t first[WIDE_BYTES], size = (uint8_t)tag_bytes;
	put_u16(hash, WIDE_BYTES);
	put(hash, &zero, 1);
	put(hash, tag, tag_bytes);
	put(hash, &size, 1);
	crypto_hash_sha512_final(hash, first);
	crypto_hash_sha512_init(hash);
	put(hash, first, sizeof first);
	put(hash, &one, 1);
	put(hash, tag, tag_bytes);
	put(hash, &size, 1);
	crypto_hash_sha512_final(hash, out);
}

static void expand_to_scalar(crypto_hash_sha512_state *hash, const char *tag, size_t tag_bytes,
                             uint8_t scalar[VOPRF_SCALAR_BYTES])
{
	uint8_t wide[WIDE_BYTES];
	expand_end(hash, tag, tag_bytes, wide);
	crypto_core_ristretto255_scalar_reduce(scalar, wide);
	sodium_memzero(wide, sizeof wide);
}

// §2.1 HashToGroup. False for the identity.
static bool hash_to_group(const uint8_t *input, size_t input_bytes, uint8_t element[ELEMENT_BYTES])
{
	crypto_hash_sha512_state hash;
	uint8_t wide[WIDE_BYTES];
	expand_begin(&hash);
	put(&hash, input, input_bytes);
	expand_end(&hash, TO_GROUP, sizeof(TO_GROUP) - 1, wide);
	crypto_core_ristretto255_from_hash(element, wide);
	return !sodium_is_zero(element, ELEMENT_BYTES);
}

// A canonical encoding, and not the identity.
static bool element_valid(const uint8_t element[ELEMENT_BYTES])
{
	return crypto_core_ristretto255_is_valid_point(element) == 1 && !sodium_is_zero(element, ELEMENT_BYTES);
}

static bool scalar_canonical(const uint8_t scalar[VOPRF_SCALAR_BYTES])
{
	uint8_t wide[WIDE_BYTES] = {0}, reduced[VOPRF_SCALAR_BYTES];
	memcpy(wide, scalar, VOPRF_SCALAR_BYTES);
	crypto_core_ristretto255_scalar_reduce(reduced, wide);
	bool same = sodium_memcmp(reduced, scalar, VOPRF_SCALAR_BYTES) == 0;
	sodium_memzero(wide, sizeof wide);
	return same;
}

// ---- keys

void voprf_key_new(struct voprf_key *key)
{
	crypto_core_ristretto255_scalar_random(key->secret);
	crypto_scalarmult_ristretto255_base(key->public_key, key->secret);
}

enum err voprf_key_from_secret(struct voprf_key *key, const uint8_t secret[VOPRF_SCALAR_BYTES])
{
	memmove(key->secret, secret, VOPRF_SCALAR_BYTES);
	if (!scalar_canonical(key->secret) || crypto_scalarmult_ristretto255_base(key->public_key, key->secret) != 0)
		return ERR_BAD_KEY; // the second fails for zero
	return ERR_OK;
}

enum err voprf_key_derive(struct voprf_key *key, const uint8_t seed[32], const uint8_t *info, size_t info_bytes)
{
	for (int i = 0; i < 256; i++) {
		crypto_hash_sha512_state hash;
		uint8_t counter = (uint8_t)i;
		expand_begin(&hash);
		put(&hash, seed, 32);
		put_field(&hash, info, info_bytes);
		put(&hash, &counter, 1);
		expand_to_scalar(&hash, DERIVE, sizeof(DERIVE) - 1, key->secret);
		if (crypto_scalarmult_ristretto255_base(key->public_key, key->secret) == 0)
			return ERR_OK;
	}
	return ERR_BAD_KEY;
}

// ---- proofs (§2.2)

// Both sums of §2.2.1 in one walk; `combined_evaluated` is not wanted where the secret gives it faster.
static enum err compute_composites(const uint8_t public_key[ELEMENT_BYTES], size_t count,
                                   const uint8_t (*blinded)[ELEMENT_BYTES], const uint8_t (*evaluated)[ELEMENT_BYTES],
                                   uint8_t combined[ELEMENT_BYTES], uint8_t *combined_evaluated)
{
	crypto_hash_sha512_state hash;
	uint8_t seed[VOPRF_OUTPUT_BYTES];
	crypto_hash_sha512_init(&hash);
	put_field(&hash, public_key, ELEMENT_BYTES);
	put_field(&hash, SEED, sizeof(SEED) - 1);
	crypto_hash_sha512_final(&hash, seed);

	memset(combined, 0, ELEMENT_BYTES); // the identity
	if (combined_evaluated)
		memset(combined_evaluated, 0, ELEMENT_BYTES);
	for (size_t i = 0; i < count; i++) {
		uint8_t weight[VOPRF_SCALAR_BYTES], part[ELEMENT_BYTES];
		expand_begin(&hash);
		put_field(&hash, seed, sizeof seed);
		put_u16(&hash, i);
		put_field(&hash, blinded[i], ELEMENT_BYTES);
		put_field(&hash, evaluated[i], ELEMENT_BYTES);
		put(&hash, "Composite", 9);
		expand_to_scalar(&hash, TO_SCALAR, sizeof(TO_SCALAR) - 1, weight);
		if (crypto_scalarmult_ristretto255(part, weight, blinded[i]) != 0 ||
		    crypto_core_ristretto255_add(combined, combined, part) != 0)
			return ERR_BAD_KEY;
		if (combined_evaluated && (crypto_scalarmult_ristretto255(part, weight, evaluated[i]) != 0 ||
		                           crypto_core_ristretto255_add(combined_evaluated, combined_evaluated, part) != 0))
			return ERR_BAD_KEY;
	}
	return ERR_OK;
}

static void challenge_of(const uint8_t public_key[ELEMENT_BYTES], const uint8_t combined[ELEMENT_BYTES],
                         const uint8_t combined_evaluated[ELEMENT_BYTES], const uint8_t t2[ELEMENT_BYTES],
                         const uint8_t t3[ELEMENT_BYTES], uint8_t challenge[VOPRF_SCALAR_BYTES])
{
	crypto_hash_sha512_state hash;
	expand_begin(&hash);
	put_field(&hash, public_key, ELEMENT_BYTES);
	put_field(&hash, combined, ELEMENT_BYTES);
	put_field(&hash, combined_evaluated, ELEMENT_BYTES);
	put_field(&hash, t2, ELEMENT_BYTES);
	put_field(&hash, t3, ELEMENT_BYTES);
	put(&hash, "Challenge", 9);
	expand_to_scalar(&hash, TO_SCALAR, sizeof(TO_SCALAR) - 1, challenge);
}

static enum err generate_proof(const struct voprf_key *key, size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                               const uint8_t (*evaluated)[ELEMENT_BYTES], const uint8_t random[VOPRF_SCALAR_BYTES],
                               uint8_t proof[PROOF_BYTES])
{
	uint8_t combined[ELEMENT_BYTES], combined_evaluated[ELEMENT_BYTES], t2[ELEMENT_BYTES], t3[ELEMENT_BYTES];
	uint8_t *challenge = proof, *answer = proof + VOPRF_SCALAR_BYTES, product[VOPRF_SCALAR_BYTES];
	enum err err = compute_composites(key->public_key, count, blinded, evaluated, combined, NULL);
	if (err)
		return err;
	if (crypto_scalarmult_ristretto255(combined_evaluated, key->secret, combined) != 0 ||
	    crypto_scalarmult_ristretto255_base(t2, random) != 0 || crypto_scalarmult_ristretto255(t3, random, combined) != 0)
		return ERR_BAD_KEY;
	challenge_of(key->public_key, combined, combined_evaluated, t2, t3, challenge);
	crypto_core_ristretto255_scalar_mul(product, challenge, key->secret);
	crypto_core_ristretto255_scalar_sub(answer, random, product);
	sodium_memzero(product, sizeof product);
	return ERR_OK;
}

// a * x + b * y, where a zero scalar or a sum at the identity is nothing special. `x` NULL is the generator.
static bool sum_of(const uint8_t *a, const uint8_t *x, const uint8_t *b, const uint8_t *y, uint8_t out[ELEMENT_BYTES])
{
	uint8_t left[ELEMENT_BYTES], right[ELEMENT_BYTES]; // libsodium sets them to the identity when it says so
	if (x)
		(void)!crypto_scalarmult_ristretto255(left, a, x);
	else
		(void)!crypto_scalarmult_ristretto255_base(left, a);
	(void)!crypto_scalarmult_ristretto255(right, b, y);
	return crypto_core_ristretto255_add(out, left, right) == 0;
}

enum err voprf_verify(const uint8_t public_key[ELEMENT_BYTES], size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                      const uint8_t (*evaluated)[ELEMENT_BYTES], const uint8_t proof[PROOF_BYTES])
{
	const uint8_t *challenge = proof, *answer = proof + VOPRF_SCALAR_BYTES;
	uint8_t combined[ELEMENT_BYTES], combined_evaluated[ELEMENT_BYTES], t2[ELEMENT_BYTES], t3[ELEMENT_BYTES];
	uint8_t expected[VOPRF_SCALAR_BYTES];
	if (count == 0 || count > VOPRF_BATCH_MAX)
		return ERR_BAD_VALUE;
	if (!element_valid(public_key))
		return ERR_BAD_KEY;
	for (size_t i = 0; i < count; i++)
		if (!element_valid(blinded[i]) || !element_valid(evaluated[i]))
			return ERR_BAD_KEY;
	if (!scalar_canonical(challenge) || !scalar_canonical(answer))
		return ERR_BAD_SIGNATURE;
	enum err err = compute_composites(public_key, count, blinded, evaluated, combined, combined_evaluated);
	if (err)
		return err;
	if (!sum_of(answer, NULL, challenge, public_key, t2) ||
	    !sum_of(answer, combined, challenge, combined_evaluated, t3))
		return ERR_BAD_SIGNATURE;
	challenge_of(public_key, combined, combined_evaluated, t2, t3, expected);
	return sodium_memcmp(expected, challenge, sizeof expected) == 0 ? ERR_OK : ERR_BAD_SIGNATURE;
}

// ---- client (§3.3.2)

enum err voprf_blind_with(const uint8_t *input, size_t input_bytes, const uint8_t blind[VOPRF_SCALAR_BYTES],
                          uint8_t blinded[ELEMENT_BYTES])
{
	uint8_t element[ELEMENT_BYTES];
	if (input_bytes > VOPRF_INPUT_BYTES_MAX || !hash_to_group(input, input_bytes, element))
		return ERR_BAD_VALUE;
	return crypto_scalarmult_ristretto255(blinded, blind, element) == 0 ? ERR_OK : ERR_BAD_VALUE;
}

enum err voprf_blind(const uint8_t *input, size_t input_bytes, uint8_t blind[VOPRF_SCALAR_BYTES],
                     uint8_t blinded[ELEMENT_BYTES])
{
	crypto_core_ristretto255_scalar_random(blind); // never zero
	return voprf_blind_with(input, input_bytes, blind, blinded);
}

static void finish(const uint8_t *input, size_t input_bytes, const uint8_t element[ELEMENT_BYTES],
                   uint8_t output[VOPRF_OUTPUT_BYTES])
{
	crypto_hash_sha512_state hash;
	crypto_hash_sha512_init(&hash);
	put_field(&hash, input, input_bytes);
	put_field(&hash, element, ELEMENT_BYTES);
	put(&hash, "Finalize", 8);
	crypto_hash_sha512_final(&hash, output);
}

enum err voprf_finalize(const uint8_t *input, size_t input_bytes, const uint8_t blind[VOPRF_SCALAR_BYTES],
                        const uint8_t evaluated[ELEMENT_BYTES], uint8_t output[VOPRF_OUTPUT_BYTES])
{
	uint8_t inverse[VOPRF_SCALAR_BYTES], element[ELEMENT_BYTES];
	int bad = crypto_core_ristretto255_scalar_invert(inverse, blind) != 0 ||
	          crypto_scalarmult_ristretto255(element, inverse, evaluated) != 0;
	sodium_memzero(inverse, sizeof inverse);
	if (bad)
		return ERR_BAD_KEY;
	finish(input, input_bytes, element, output);
	return ERR_OK;
}

// ---- server (§3.3.2)

enum err voprf_evaluate_batch_with(const struct voprf_key *key, size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                                   const uint8_t random[VOPRF_SCALAR_BYTES], uint8_t (*evaluated)[ELEMENT_BYTES],
                                   uint8_t proof[PROOF_BYTES])
{
	if (count == 0 || count > VOPRF_BATCH_MAX)
		return ERR_BAD_VALUE;
	for (size_t i = 0; i < count; i++) // decodes and refuses what is no element, and the identity
		if (crypto_scalarmult_ristretto255(evaluated[i], key->secret, blinded[i]) != 0)
			return ERR_BAD_KEY;
	return generate_proof(key, count, blinded, (const uint8_t(*)[ELEMENT_BYTES])evaluated, random, proof);
}

enum err voprf_evaluate_batch(const struct voprf_key *key, size_t count, const uint8_t (*blinded)[ELEMENT_BYTES],
                              uint8_t (*evaluated)[ELEMENT_BYTES], uint8_t proof[PROOF_BYTES])
{
	uint8_t random[VOPRF_SCALAR_BYTES];
	crypto_core_ristretto255_scalar_random(random);
	enum err err = voprf_evaluate_batch_with(key, count, blinded, random, evaluated, proof);
	sodium_memzero(random, sizeof random);
	return err;
}

enum err voprf_evaluate(const struct voprf_key *key, const uint8_t *input, size_t input_bytes,
                        uint8_t output[VOPRF_OUTPUT_BYTES])
{
	uint8_t element[ELEMENT_BYTES], evaluated[ELEMENT_BYTES];
	if (input_bytes > VOPRF_INPUT_BYTES_MAX || !hash_to_group(input, input_bytes, element))
		return ERR_BAD_VALUE;
	if (crypto_scalarmult_ristretto255(evaluated, key->secret, element) != 0)
		return ERR_BAD_KEY;
	finish(input, input_bytes, evaluated, output);
	return ERR_OK;
}
