// Ed25519 over tagged records, and the hashes that make ids. Tags keep a signature for one purpose from
// being shown as one for another. Not here: what the records mean, and whose key is expected.
#include "sign.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "key_check.h"

void sign_pair_new(struct sign_pair *pair)
{
	crypto_sign_keypair(pair->public_key, pair->secret_key);
}

void sign_pair_from_seed(struct sign_pair *pair, const uint8_t seed[32])
{
	crypto_sign_seed_keypair(pair->public_key, pair->secret_key, seed);
}

// Tag, zero byte, record: in one piece, since Ed25519 hashes its input twice; wiped after use, since a record may be
// somebody's card. Small inputs use the caller's buffer; NULL when there is no memory.
enum { INPUT_SMALL_BYTES = 4096 };
static uint8_t *signed_input(const char *tag, const uint8_t *record, size_t record_bytes,
                             uint8_t small[INPUT_SMALL_BYTES], size_t *count)
{
	size_t tag_bytes = strlen(tag) + 1;
	*count = tag_bytes + record_bytes;
	uint8_t *input = *count <= INPUT_SMALL_BYTES ? small : malloc(*count);
	if (!input)
		return NULL;
	memcpy(input, tag, tag_bytes);
	if (record_bytes > 0)
		memcpy(input + tag_bytes, record, record_bytes);
	return input;
}

static void signed_input_free(uint8_t *input, size_t count, const uint8_t *small)
{
	sodium_memzero(input, count);
	if (input != small)
		free(input);
}

void sign_bytes(const struct sign_pair *pair, const char *tag, const uint8_t *record, size_t record_bytes,
                uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t small[INPUT_SMALL_BYTES];
	size_t count;
	uint8_t *input = signed_input(tag, record, record_bytes, small, &count);
	if (!input)
		abort(); // records are at most RECORD_BYTES_MAX: a program without 32 KiB cannot go on
	crypto_sign_detached(signature, NULL, input, count, pair->secret_key);
	signed_input_free(input, count, small);
}

enum err sign_check(const uint8_t key[KEY_BYTES], const char *tag, const uint8_t *record, size_t record_bytes,
                    const uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t small[INPUT_SMALL_BYTES];
	size_t count;
	uint8_t *input = signed_input(tag, record, record_bytes, small, &count);
	if (!input)
		return ERR_NO_MEMORY;
	int bad = crypto_sign_verify_detached(signature, input, count, key);
	signed_input_free(input, count, small);
	if (!bad)
		return ERR_OK;
	// libsodium refuses small-order and non-canonical keys, but does not say that this was the reason.
	return sign_key_valid(key) ? ERR_BAD_SIGNATURE : ERR_BAD_KEY;
}

enum err sign_wrap(const struct sign_pair *pair, const char *tag, const uint8_t *record, size_t record_bytes,
                   uint8_t **out, size_t *out_bytes)
{
	*out = NULL;
	*out_bytes = 0;
	if (record_bytes > RECORD_BYTES_MAX)
		return ERR_TOO_LARGE;
	uint8_t signature[SIGNATURE_BYTES];
	sign_bytes(pair, tag, record, record_bytes, signature);
	Oyez__Signed message = OYEZ__SIGNED__INIT;
	message.record = (ProtobufCBinaryData){record_bytes, (uint8_t *)record};
	message.key = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)pair->public_key};
	message.signature = (ProtobufCBinaryData){SIGNATURE_BYTES, signature};
	return codec_encode(&message.base, out, out_bytes);
}

enum err sign_open(const Oyez__Signed *signed_record, const char *tag)
{
	if (signed_record->record.len > RECORD_BYTES_MAX)
		return ERR_TOO_LARGE;
	if (signed_record->key.len != KEY_BYTES)
		return ERR_BAD_KEY;
	if (signed_record->signature.len != SIGNATURE_BYTES)
		return ERR_BAD_SIGNATURE;
	return sign_check(signed_record->key.data, tag, signed_record->record.data, signed_record->record.len,
	                  signed_record->signature.data);
}

void hash_parts(const char *tag, const struct hash_part *parts, size_t part_count, uint8_t out[HASH_BYTES])
{
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)tag, strlen(tag) + 1);
	for (size_t i = 0; i < part_count; i++)
		crypto_hash_sha256_update(&state, parts[i].bytes, parts[i].count);
	crypto_hash_sha256_final(&state, out);
	sodium_memzero(&state, sizeof(state)); // a part may be the secret of a card's commitment
}

struct id id_of(const char *tag, const void *bytes, size_t count)
{
	struct id id;
	hash_parts(tag, &(struct hash_part){bytes, count}, 1, id.bytes);
	return id;
}

struct id intent_id_of(const uint8_t intent_key[KEY_BYTES])
{
	return id_of(TAG_INTENT_ID, intent_key, KEY_BYTES);
}

struct id vendor_id_of(const uint8_t vendor_key[KEY_BYTES])
{
	return id_of(TAG_VENDOR_ID, vendor_key, KEY_BYTES);
}

struct id signed_id_of(const char *tag, const Oyez__Signed *signed_record)
{
	// Without lengths: the signature has one size, so the two parts cannot be cut elsewhere.
	const struct hash_part parts[] = {
	    {signed_record->record.data, signed_record->record.len},
	    {signed_record->signature.data, signed_record->signature.len},
	};
	struct id id;
	hash_parts(tag, parts, 2, id.bytes);
	return id;
}

void hex_encode(const uint8_t *bytes, size_t count, char *out)
{
	sodium_bin2hex(out, 2 * count + 1, bytes, count);
}

bool hex_decode(const char *text, uint8_t *out, size_t count)
{
	size_t decoded;
	const char *end;
	if (strlen(text) != 2 * count)
		return false;
	return sodium_hex2bin(out, count, text, 2 * count, NULL, &decoded, &end) == 0 && decoded == count && *end == '\0';
}
