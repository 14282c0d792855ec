// Cells: every customer request and its reply have one size and reveal nothing but the gateway key used
// (PROTOCOL.md §4). Not here: what a CellBody says, its age, and the cache of cells already seen.
#include "cell.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "frame.h"
#include "hkdf.h"
#include "padding.h"
#include "sign.h"

enum {
	REQUEST_AAD_BYTES = FRAME_HEADER_BYTES + GATEWAY_KEY_ID_BYTES,
	REQUEST_CLEAR_BYTES = REQUEST_AAD_BYTES + HPKE_ENC_BYTES,
	REPLY_NONCE_BYTES = 32, // RFC 9458 §4.4: max(Nn, Nk)
	REPLY_CLEAR_BYTES = FRAME_HEADER_BYTES + REPLY_NONCE_BYTES,
};
_Static_assert(REQUEST_CLEAR_BYTES + CELL_REQUEST_PLAIN_BYTES + HPKE_TAG_BYTES == CELL_BYTES, "request cell size");
_Static_assert(REPLY_CLEAR_BYTES + CELL_REPLY_PLAIN_BYTES + HPKE_TAG_BYTES == CELL_BYTES, "reply cell size");

#define EXPORT_LABEL "oyez/1 cell reply"

void gateway_key_id_of(const uint8_t public_key[KEY_BYTES], uint8_t id[GATEWAY_KEY_ID_BYTES])
{
	struct id hash = id_of(TAG_GATEWAY_KEY, public_key, KEY_BYTES);
	memcpy(id, hash.bytes, GATEWAY_KEY_ID_BYTES);
}

// What ties a reply to its request on both sides.
static void exchange_of(const struct hpke_context *context, const uint8_t enc[HPKE_ENC_BYTES],
                        struct cell_exchange *exchange)
{
	memcpy(exchange->enc, enc, HPKE_ENC_BYTES);
	hpke_export(context, EXPORT_LABEL, sizeof(EXPORT_LABEL), exchange->secret, sizeof(exchange->secret));
}

enum err cell_seal_request(const uint8_t gateway_public_key[KEY_BYTES], const uint8_t *message, size_t message_bytes,
                           uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	if (message_bytes > CELL_REQUEST_MESSAGE_BYTES_MAX)
		return ERR_TOO_LARGE;
	struct hpke_context context;
	uint8_t enc[HPKE_ENC_BYTES], plain[CELL_REQUEST_PLAIN_BYTES];
	enum err err = hpke_setup_sender(&context, gateway_public_key, CELL_INFO, sizeof(CELL_INFO), NULL, enc);
	if (err)
		return err;
	frame_header(cell, FRAME_CELL);
	gateway_key_id_of(gateway_public_key, cell + FRAME_HEADER_BYTES);
	memcpy(cell + REQUEST_AAD_BYTES, enc, HPKE_ENC_BYTES);
	padding_add(message, message_bytes, plain, sizeof(plain));
	hpke_seal(&context, cell, REQUEST_AAD_BYTES, plain, sizeof(plain), cell + REQUEST_CLEAR_BYTES);
	exchange_of(&context, enc, exchange);
	sodium_memzero(plain, sizeof(plain));
	hpke_context_wipe(&context);
	return ERR_OK;
}

static const struct gateway_key *key_find(const struct gateway_key *keys, size_t key_count, uint64_t now_ms,
                                          const uint8_t id[GATEWAY_KEY_ID_BYTES])
{
	for (size_t i = 0; i < key_count; i++) {
		if (memcmp(keys[i].id, id, GATEWAY_KEY_ID_BYTES) == 0)
			return now_ms <= keys[i].accepted_until_ms ? &keys[i] : NULL;
	}
	return NULL;
}

enum err cell_open_request(const struct gateway_key *keys, size_t key_count, uint64_t now_ms, const uint8_t *cell,
                           size_t cell_bytes, uint8_t *plain, const uint8_t **message, size_t *message_bytes,
                           struct cell_exchange *exchange)
{
	enum frame_kind kind;
	enum err err = frame_kind_of(cell, cell_bytes, &kind);
	if (err)
		return err;
	if (kind != FRAME_CELL || cell_bytes != CELL_BYTES)
		return ERR_BAD_FRAME;
	const struct gateway_key *key = key_find(keys, key_count, now_ms, cell + FRAME_HEADER_BYTES);
	if (!key)
		return ERR_CELL_SEALED;

	struct hpke_context context;
	const uint8_t *enc = cell + REQUEST_AAD_BYTES;
	if (hpke_setup_receiver(&context, &key->pair, CELL_INFO, sizeof(CELL_INFO), enc) != ERR_OK)
		return ERR_CELL_SEALED;
	err = hpke_open(&context, cell, REQUEST_AAD_BYTES, cell + REQUEST_CLEAR_BYTES, CELL_BYTES - REQUEST_CLEAR_BYTES,
	                plain);
	if (err)
		err = ERR_CELL_SEALED;
	else if (!padding_remove(plain, CELL_REQUEST_PLAIN_BYTES, message, message_bytes))
		err = ERR_BAD_FRAME;
	else
		exchange_of(&context, enc, exchange);
	hpke_context_wipe(&context);
	return err;
}

// RFC 9458 §4.4 with our exporter secret: salt = enc ‖ nonce; key and AEAD nonce expand from it.
static void reply_keys(const struct cell_exchange *exchange, const uint8_t nonce[REPLY_NONCE_BYTES], uint8_t key[32],
                       uint8_t aead_nonce[12])
{
	uint8_t salt[HPKE_ENC_BYTES + REPLY_NONCE_BYTES], prk[HKDF_HASH_BYTES];
	memcpy(salt, exchange->enc, HPKE_ENC_BYTES);
	memcpy(salt + HPKE_ENC_BYTES, nonce, REPLY_NONCE_BYTES);
	hkdf_extract(salt, sizeof(salt), &(struct hkdf_part){exchange->secret, sizeof(exchange->secret)}, 1, prk);
	hkdf_expand(prk, &(struct hkdf_part){"key", 3}, 1, key, 32);
	hkdf_expand(prk, &(struct hkdf_part){"nonce", 5}, 1, aead_nonce, 12);
	sodium_memzero(prk, sizeof(prk));
}

enum err cell_seal_reply(const struct cell_exchange *exchange, const uint8_t *message, size_t message_bytes,
                         uint8_t cell[CELL_BYTES])
{
	if (message_bytes > CELL_REPLY_MESSAGE_BYTES_MAX)
		return ERR_TOO_LARGE;
	uint8_t key[32], aead_nonce[12], plain[CELL_REPLY_PLAIN_BYTES];
	frame_header(cell, FRAME_CELL_REPLY);
	randombytes_buf(cell + FRAME_HEADER_BYTES, REPLY_NONCE_BYTES);
	reply_keys(exchange, cell + FRAME_HEADER_BYTES, key, aead_nonce);
	padding_add(message, message_bytes, plain, sizeof(plain));
	crypto_aead_chacha20poly1305_ietf_encrypt(cell + REPLY_CLEAR_BYTES, NULL, plain, sizeof(plain), cell,
	                                          FRAME_HEADER_BYTES, NULL, aead_nonce, key);
	sodium_memzero(plain, sizeof(plain));
	sodium_memzero(key, sizeof(key));
	return ERR_OK;
}

enum err cell_open_reply(const struct cell_exchange *exchange, const uint8_t *cell, size_t cell_bytes, uint8_t *plain,
                         const uint8_t **message, size_t *message_bytes)
{
	enum frame_kind kind;
	enum err err = frame_kind_of(cell, cell_bytes, &kind);
	if (err)
		return err;
	if (kind != FRAME_CELL_REPLY || cell_bytes != CELL_BYTES)
		return ERR_BAD_FRAME;
	uint8_t key[32], aead_nonce[12];
	reply_keys(exchange, cell + FRAME_HEADER_BYTES, key, aead_nonce);
	int bad = crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, cell + REPLY_CLEAR_BYTES,
	                                                    CELL_BYTES - REPLY_CLEAR_BYTES, cell, FRAME_HEADER_BYTES,
	                                                    aead_nonce, key);
	sodium_memzero(key, sizeof(key));
	if (bad)
		return ERR_CELL_SEALED;
	return padding_remove(plain, CELL_REPLY_PLAIN_BYTES, message, message_bytes) ? ERR_OK : ERR_BAD_FRAME;
}

void cell_exchange_wipe(struct cell_exchange *exchange)
{
	sodium_memzero(exchange, sizeof(*exchange));
}
