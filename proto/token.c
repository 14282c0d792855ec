// Tokens as bytes: what is evaluated, how a wallet makes a batch, how a broker tells a good one. Not here: vouchers,
// which tokens were spent, when a wallet asks.
#include "token.h"

#include <sodium.h>
#include <string.h>

#include "sign.h"

enum {
	NONCE_AT = 2,
	DIGEST_AT = NONCE_AT + HASH_BYTES,
	KEY_ID_AT = DIGEST_AT + HASH_BYTES,
};

uint32_t token_epoch_of(uint64_t now_ms)
{
	return (uint32_t)(now_ms / TOKEN_EPOCH_MS);
}

uint64_t token_redeem_until_ms(uint32_t epoch)
{
	return (epoch + UINT64_C(2)) * TOKEN_EPOCH_MS;
}

// SHA-256 of the TokenChallenge (RFC 9577 §2.1): token_type ‖ issuer_name ‖ redemption_context ‖ origin_info, the issuer
// being the broker's key in hex, the other two empty.
static void challenge_digest(const uint8_t broker_key[KEY_BYTES], uint8_t digest[HASH_BYTES])
{
	uint8_t challenge[2 + 2 + 2 * KEY_BYTES + 1 + 2] = {TOKEN_TYPE >> 8, TOKEN_TYPE & 0xff, 0, 2 * KEY_BYTES};
	char name[2 * KEY_BYTES + 1];
	hex_encode(broker_key, KEY_BYTES, name);
	memcpy(challenge + 4, name, 2 * KEY_BYTES);
	crypto_hash_sha256(digest, challenge, sizeof challenge);
}

static void fill_input(const uint8_t broker_key[KEY_BYTES], const uint8_t token_key[ELEMENT_BYTES],
                       const struct id *intent, uint8_t input[TOKEN_INPUT_BYTES])
{
	input[0] = TOKEN_TYPE >> 8;
	input[1] = TOKEN_TYPE & 0xff;
	memcpy(input + NONCE_AT, intent->bytes, ID_BYTES);
	challenge_digest(broker_key, input + DIGEST_AT);
	crypto_hash_sha256(input + KEY_ID_AT, token_key, ELEMENT_BYTES); // RFC 9578 §5.1: token_key_id
}

void token_input(const uint8_t broker_key[KEY_BYTES], const uint8_t token_key[ELEMENT_BYTES],
                 const uint8_t intent_key[KEY_BYTES], uint8_t input[TOKEN_INPUT_BYTES])
{
	struct id intent = intent_id_of(intent_key);
	fill_input(broker_key, token_key, &intent, input);
}

// ---- wallet

enum err token_request_new(const uint8_t broker_key[KEY_BYTES], const uint8_t token_key[ELEMENT_BYTES],
                           const uint8_t intent_key[KEY_BYTES], struct token_request *request)
{
	token_input(broker_key, token_key, intent_key, request->input);
	return voprf_blind(request->input, TOKEN_INPUT_BYTES, request->blind, request->blinded);
}

enum err tokens_finish(const uint8_t token_key[ELEMENT_BYTES], size_t count, const struct token_request *requests,
                       const uint8_t (*evaluated)[ELEMENT_BYTES], const uint8_t proof[PROOF_BYTES],
                       uint8_t (*tokens)[TOKEN_BYTES])
{
	uint8_t blinded[VOPRF_BATCH_MAX][ELEMENT_BYTES];
	if (count == 0 || count > VOPRF_BATCH_MAX)
		return ERR_BAD_VALUE;
	for (size_t i = 0; i < count; i++)
		memcpy(blinded[i], requests[i].blinded, ELEMENT_BYTES);
	enum err err = voprf_verify(token_key, count, (const uint8_t(*)[ELEMENT_BYTES])blinded, evaluated, proof);
	for (size_t i = 0; i < count && !err; i++) {
		memcpy(tokens[i], requests[i].input, TOKEN_INPUT_BYTES);
		err = voprf_finalize(requests[i].input, TOKEN_INPUT_BYTES, requests[i].blind, evaluated[i],
		                     tokens[i] + TOKEN_INPUT_BYTES);
	}
	if (err)
		sodium_memzero(tokens, count * sizeof *tokens);
	return err;
}

// ---- home broker

enum err token_check(const struct token_key *keys, size_t key_count, uint64_t now_ms,
                     const uint8_t broker_key[KEY_BYTES], const uint8_t *token, size_t token_bytes, uint32_t *epoch,
                     struct id *intent)
{
	static const uint8_t any_key[ELEMENT_BYTES];
	uint8_t input[TOKEN_INPUT_BYTES], authenticator[VOPRF_OUTPUT_BYTES];
	if (token_bytes == 0)
		return ERR_TOKEN_MISSING;
	if (token_bytes != TOKEN_BYTES)
		return ERR_TOKEN_BAD;
	memcpy(intent->bytes, token + NONCE_AT, ID_BYTES);
	for (size_t i = 0; i < key_count; i++) {
		fill_input(broker_key, keys[i].pair.public_key, intent, input);
		if (memcmp(input, token, TOKEN_INPUT_BYTES) != 0)
			continue;
		if (now_ms >= keys[i].redeem_until_ms)
			return ERR_TOKEN_EXPIRED;
		if (voprf_evaluate(&keys[i].pair, input, sizeof input, authenticator) ||
		    sodium_memcmp(authenticator, token + TOKEN_INPUT_BYTES, sizeof authenticator) != 0)
			return ERR_TOKEN_BAD;
		*epoch = keys[i].epoch;
		return ERR_OK;
	}
	// Right in form but by a key that is no longer here: keys of past epochs are destroyed, so all that can be said is
	// whether everything but the key fits.
	fill_input(broker_key, any_key, intent, input);
	return memcmp(input, token, KEY_ID_AT) == 0 ? ERR_TOKEN_EXPIRED : ERR_TOKEN_BAD;
}
