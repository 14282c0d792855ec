// HPKE base mode (RFC 9180) for one suite: KEM 0x0020, KDF 0x0001, AEAD 0x0003. Section numbers are the RFC's.
// Not here: PSK and auth modes, other suites, and who may seal what (seal.c, cell.c).
#include "hpke.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "hkdf.h"

enum { NONCE_BYTES = 12 };

struct suite {
	uint8_t bytes[10];
	size_t count;
};
// §4.1: "KEM" ‖ kem_id; §5.1: "HPKE" ‖ kem_id ‖ kdf_id ‖ aead_id.
static const struct suite kem_suite = {{'K', 'E', 'M', 0x00, 0x20}, 5};
static const struct suite hpke_suite = {{'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03}, 10};

static const char version_label[] = "HPKE-v1";

// §4: LabeledExtract. `salt` is NULL for the empty salt.
static void labeled_extract(const struct suite *suite, const uint8_t *salt, const char *label, const void *ikm,
                            size_t ikm_bytes, uint8_t prk[32])
{
	const struct hkdf_part parts[] = {
	    {version_label, strlen(version_label)},
	    {suite->bytes, suite->count},
	    {label, strlen(label)},
	    {ikm, ikm_bytes},
	};
	hkdf_extract(salt ? salt : (const uint8_t *)"", salt ? 32 : 0, parts, 4, prk);
}

// §4: LabeledExpand.
static void labeled_expand(const struct suite *suite, const uint8_t prk[32], const char *label, const void *info,
                           size_t info_bytes, uint8_t *out, size_t out_bytes)
{
	const uint8_t length[2] = {(uint8_t)(out_bytes >> 8), (uint8_t)out_bytes};
	const struct hkdf_part parts[] = {
	    {length, sizeof(length)},     {version_label, strlen(version_label)},
	    {suite->bytes, suite->count}, {label, strlen(label)},
	    {info, info_bytes},
	};
	hkdf_expand(prk, parts, 5, out, out_bytes);
}

void hpke_pair_new(struct hpke_pair *pair)
{
	randombytes_buf(pair->secret_key, sizeof(pair->secret_key));
	crypto_scalarmult_base(pair->public_key, pair->secret_key);
}

void hpke_pair_derive(struct hpke_pair *pair, const uint8_t *ikm, size_t ikm_bytes)
{
	uint8_t prk[32];
	labeled_extract(&kem_suite, NULL, "dkp_prk", ikm, ikm_bytes, prk);
	labeled_expand(&kem_suite, prk, "sk", "", 0, pair->secret_key, sizeof(pair->secret_key));
	crypto_scalarmult_base(pair->public_key, pair->secret_key);
	sodium_memzero(prk, sizeof(prk));
}

// §4.1: the shared secret from the DH result and both public keys. ERR_BAD_KEY for the all-zero result (§7.1.4).
static enum err kem_shared_secret(const uint8_t secret_key[KEY_BYTES], const uint8_t public_key[KEY_BYTES],
                                  const uint8_t enc[HPKE_ENC_BYTES], const uint8_t receiver[KEY_BYTES],
                                  uint8_t shared_secret[32])
{
	uint8_t dh[32], prk[32], kem_context[HPKE_ENC_BYTES + KEY_BYTES];
	if (crypto_scalarmult(dh, secret_key, public_key) != 0)
		return ERR_BAD_KEY;
	memcpy(kem_context, enc, HPKE_ENC_BYTES);
	memcpy(kem_context + HPKE_ENC_BYTES, receiver, KEY_BYTES);
	labeled_extract(&kem_suite, NULL, "eae_prk", dh, sizeof(dh), prk);
	labeled_expand(&kem_suite, prk, "shared_secret", kem_context, sizeof(kem_context), shared_secret, 32);
	sodium_memzero(dh, sizeof(dh));
	sodium_memzero(prk, sizeof(prk));
	return ERR_OK;
}

// §5.1: KeySchedule in base mode (mode 0, empty psk and psk_id).
static void key_schedule(struct hpke_context *context, const uint8_t shared_secret[32], const void *info,
                         size_t info_bytes)
{
	uint8_t schedule_context[1 + 32 + 32] = {0}, secret[32];
	labeled_extract(&hpke_suite, NULL, "psk_id_hash", "", 0, schedule_context + 1);
	labeled_extract(&hpke_suite, NULL, "info_hash", info, info_bytes, schedule_context + 33);
	labeled_extract(&hpke_suite, shared_secret, "secret", "", 0, secret);
	labeled_expand(&hpke_suite, secret, "key", schedule_context, sizeof(schedule_context), context->key,
	               sizeof(context->key));
	labeled_expand(&hpke_suite, secret, "base_nonce", schedule_context, sizeof(schedule_context), context->base_nonce,
	               sizeof(context->base_nonce));
	labeled_expand(&hpke_suite, secret, "exp", schedule_context, sizeof(schedule_context), context->exporter_secret,
	               sizeof(context->exporter_secret));
	context->sequence = 0;
	sodium_memzero(secret, sizeof(secret));
}

enum err hpke_setup_sender(struct hpke_context *context, const uint8_t public_key[KEY_BYTES], const void *info,
                           size_t info_bytes, const struct hpke_pair *ephemeral, uint8_t enc[HPKE_ENC_BYTES])
{
	struct hpke_pair fresh;
	uint8_t shared_secret[32];
	if (!ephemeral)
		hpke_pair_new(&fresh);
	else
		fresh = *ephemeral;
	memcpy(enc, fresh.public_key, HPKE_ENC_BYTES);
	enum err err = kem_shared_secret(fresh.secret_key, public_key, enc, public_key, shared_secret);
	if (!err)
		key_schedule(context, shared_secret, info, info_bytes);
	sodium_memzero(&fresh, sizeof(fresh));
	sodium_memzero(shared_secret, sizeof(shared_secret));
	return err;
}

enum err hpke_setup_receiver(struct hpke_context *context, const struct hpke_pair *pair, const void *info,
                             size_t info_bytes, const uint8_t enc[HPKE_ENC_BYTES])
{
	uint8_t shared_secret[32];
	enum err err = kem_shared_secret(pair->secret_key, enc, enc, pair->public_key, shared_secret);
	if (!err)
		key_schedule(context, shared_secret, info, info_bytes);
	sodium_memzero(shared_secret, sizeof(shared_secret));
	return err;
}

// §5.2: base_nonce XOR the sequence number, big-endian. 2^64 messages are never reached.
static void nonce_of(const struct hpke_context *context, uint8_t nonce[NONCE_BYTES])
{
	memcpy(nonce, context->base_nonce, NONCE_BYTES);
	for (int i = 0; i < 8; i++)
		nonce[NONCE_BYTES - 1 - i] ^= (uint8_t)(context->sequence >> (8 * i));
}

void hpke_seal(struct hpke_context *context, const void *aad, size_t aad_bytes, const uint8_t *plain,
               size_t plain_bytes, uint8_t *out)
{
	uint8_t nonce[NONCE_BYTES];
	nonce_of(context, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, plain_bytes, aad, aad_bytes, NULL, nonce, context->key);
	context->sequence++;
}

enum err hpke_open(struct hpke_context *context, const void *aad, size_t aad_bytes, const uint8_t *sealed,
                   size_t sealed_bytes, uint8_t *out)
{
	uint8_t nonce[NONCE_BYTES];
	if (sealed_bytes < HPKE_TAG_BYTES)
		return ERR_SEALED;
	nonce_of(context, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, sealed_bytes, aad, aad_bytes, nonce,
	                                              context->key) != 0)
		return ERR_SEALED;
	context->sequence++;
	return ERR_OK;
}

void hpke_export(const struct hpke_context *context, const void *exporter_context, size_t exporter_context_bytes,
                 uint8_t *out, size_t out_bytes)
{
	assert(out_bytes <= 255 * 32);
	labeled_expand(&hpke_suite, context->exporter_secret, "sec", exporter_context, exporter_context_bytes, out,
	               out_bytes);
}

void hpke_context_wipe(struct hpke_context *context)
{
	sodium_memzero(context, sizeof(*context));
}
