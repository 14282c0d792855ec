// Cells and envelopes: every request of a wallet and its reply have one size and reveal nothing but the gateway key used
// (PROTOCOL.md §4). Not here: what a body says, its age, and the cache of cells already seen.
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

// Sizes, kinds and labels are all that tells a cell from an envelope.
struct form {
	size_t bytes, request_plain_bytes, reply_plain_bytes;
	enum frame_kind request_kind, reply_kind;
	const char *info, *export_label;
	size_t info_bytes, export_label_bytes; // with their zero byte
};
#define CELL_EXPORT "oyez/1 cell reply"
#define ENVELOPE_EXPORT "oyez/1 envelope reply"
static const struct form cells = {CELL_BYTES,       CELL_REQUEST_PLAIN_BYTES, CELL_REPLY_PLAIN_BYTES,
                                  FRAME_CELL,       FRAME_CELL_REPLY,         CELL_INFO,
                                  CELL_EXPORT,      sizeof(CELL_INFO),        sizeof(CELL_EXPORT)};
static const struct form envelopes = {ENVELOPE_BYTES,  ENVELOPE_REQUEST_PLAIN_BYTES, ENVELOPE_REPLY_PLAIN_BYTES,
                                      FRAME_ENVELOPE,  FRAME_ENVELOPE_REPLY,         ENVELOPE_INFO,
                                      ENVELOPE_EXPORT, sizeof(ENVELOPE_INFO),        sizeof(ENVELOPE_EXPORT)};

void gateway_key_id_of(const uint8_t public_key[KEY_BYTES], uint8_t id[GATEWAY_KEY_ID_BYTES])
{
	struct id hash = id_of(TAG_GATEWAY_KEY, public_key, KEY_BYTES);
	memcpy(id, hash.bytes, GATEWAY_KEY_ID_BYTES);
}

// What ties a reply to its request on both sides.
static void exchange_of(const struct form *form, const struct hpke_context *context, const uint8_t enc[HPKE_ENC_BYTES],
                        struct cell_exchange *exchange)
{
	memcpy(exchange->enc, enc, HPKE_ENC_BYTES);
	hpke_export(context, form->export_label, form->export_label_bytes, exchange->secret, sizeof(exchange->secret));
}

static enum err seal_request(const struct form *form, const uint8_t gateway_public_key[KEY_BYTES],
                             const uint8_t *message, size_t message_bytes, uint8_t *cell,
                             struct cell_exchange *exchange)
{
	size_t plain_bytes = form->request_plain_bytes;
	if (message_bytes > plain_bytes - 4)
		return ERR_TOO_LARGE;
	struct hpke_context context;
	uint8_t enc[HPKE_ENC_BYTES], plain[ENVELOPE_REQUEST_PLAIN_BYTES];
	enum err err = hpke_setup_sender(&context, gateway_public_key, form->info, form->info_bytes, NULL, enc);
	if (err)
		return err;
	frame_header(cell, form->request_kind);
	gateway_key_id_of(gateway_public_key, cell + FRAME_HEADER_BYTES);
	memcpy(cell + REQUEST_AAD_BYTES, enc, HPKE_ENC_BYTES);
	padding_add(message, message_bytes, plain, plain_bytes);
	hpke_seal(&context, cell, REQUEST_AAD_BYTES, plain, plain_bytes, cell + REQUEST_CLEAR_BYTES);
	exchange_of(form, &context, enc, exchange);
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

static enum err open_request(const struct form *form, const struct gateway_key *keys, size_t key_count, uint64_t now_ms,
                             const uint8_t *cell, size_t cell_bytes, uint8_t *plain, const uint8_t **message,
                             size_t *message_bytes, struct cell_exchange *exchange)
{
	enum frame_kind kind;
	enum err err = frame_kind_of(cell, cell_bytes, &kind);
	if (err)
		return err;
	if (kind != form->request_kind || cell_bytes != form->bytes)
		return ERR_BAD_FRAME;
	const struct gateway_key *key = key_find(keys, key_count, now_ms, cell + FRAME_HEADER_BYTES);
	if (!key)
		return ERR_CELL_SEALED;

	struct hpke_context context;
	const uint8_t *enc = cell + REQUEST_AAD_BYTES;
	if (hpke_setup_receiver(&context, &key->pair, form->info, form->info_bytes, enc) != ERR_OK)
		return ERR_CELL_SEALED;
	err = hpke_open(&context, cell, REQUEST_AAD_BYTES, cell + REQUEST_CLEAR_BYTES,
	                form->bytes - REQUEST_CLEAR_BYTES, plain);
	if (err)
		err = ERR_CELL_SEALED;
	else if (!padding_remove(plain, form->request_plain_bytes, message, message_bytes))
		err = ERR_BAD_FRAME;
	else
		exchange_of(form, &context, enc, exchange);
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

static enum err seal_reply(const struct form *form, const struct cell_exchange *exchange, const uint8_t *message,
                           size_t message_bytes, uint8_t *cell)
{
	size_t plain_bytes = form->reply_plain_bytes;
	if (message_bytes > plain_bytes - 4)
		return ERR_TOO_LARGE;
	uint8_t key[32], aead_nonce[12], plain[ENVELOPE_REPLY_PLAIN_BYTES];
	frame_header(cell, form->reply_kind);
	randombytes_buf(cell + FRAME_HEADER_BYTES, REPLY_NONCE_BYTES);
	reply_keys(exchange, cell + FRAME_HEADER_BYTES, key, aead_nonce);
	padding_add(message, message_bytes, plain, plain_bytes);
	crypto_aead_chacha20poly1305_ietf_encrypt(cell + REPLY_CLEAR_BYTES, NULL, plain, plain_bytes, cell,
	                                          FRAME_HEADER_BYTES, NULL, aead_nonce, key);
	sodium_memzero(plain, sizeof(plain));
	sodium_memzero(key, sizeof(key));
	return ERR_OK;
}

static enum err open_reply(const struct form *form, const struct cell_exchange *exchange, const uint8_t *cell,
                           size_t cell_bytes, uint8_t *plain, const uint8_t **message, size_t *message_bytes)
{
	enum frame_kind kind;
	enum err err = frame_kind_of(cell, cell_bytes, &kind);
	if (err)
		return err;
	if (kind != form->reply_kind || cell_bytes != form->bytes)
		return ERR_BAD_FRAME;
	uint8_t key[32], aead_nonce[12];
	reply_keys(exchange, cell + FRAME_HEADER_BYTES, key, aead_nonce);
	int bad = crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, cell + REPLY_CLEAR_BYTES,
	                                                    form->bytes - REPLY_CLEAR_BYTES, cell, FRAME_HEADER_BYTES,
	                                                    aead_nonce, key);
	sodium_memzero(key, sizeof(key));
	if (bad)
		return ERR_CELL_SEALED;
	return padding_remove(plain, form->reply_plain_bytes, message, message_bytes) ? ERR_OK : ERR_BAD_FRAME;
}

// ---- the two forms

enum err cell_seal_request(const uint8_t gateway_public_key[KEY_BYTES], const uint8_t *message, size_t message_bytes,
                           uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	return seal_request(&cells, gateway_public_key, message, message_bytes, cell, exchange);
}

enum err cell_open_request(const struct gateway_key *keys, size_t key_count, uint64_t now_ms, const uint8_t *cell,
                           size_t cell_bytes, uint8_t *plain, const uint8_t **message, size_t *message_bytes,
                           struct cell_exchange *exchange)
{
	return open_request(&cells, keys, key_count, now_ms, cell, cell_bytes, plain, message, message_bytes, exchange);
}

enum err cell_seal_reply(const struct cell_exchange *exchange, const uint8_t *message, size_t message_bytes,
                         uint8_t cell[CELL_BYTES])
{
	return seal_reply(&cells, exchange, message, message_bytes, cell);
}

enum err cell_open_reply(const struct cell_exchange *exchange, const uint8_t *cell, size_t cell_bytes, uint8_t *plain,
                         const uint8_t **message, size_t *message_bytes)
{
	return open_reply(&cells, exchange, cell, cell_bytes, plain, message, message_bytes);
}

enum err envelope_seal_request(const uint8_t gateway_public_key[KEY_BYTES], const uint8_t *message,
                               size_t message_bytes, uint8_t envelope[ENVELOPE_BYTES], struct cell_exchange *exchange)
{
	return seal_request(&envelopes, gateway_public_key, message, message_bytes, envelope, exchange);
}

enum err envelope_open_request(const struct gateway_key *keys, size_t key_count, uint64_t now_ms,
                               const uint8_t *envelope, size_t envelope_bytes, uint8_t *plain,
                               const uint8_t **message, size_t *message_bytes, struct cell_exchange *exchange)
{
	return open_request(&envelopes, keys, key_count, now_ms, envelope, envelope_bytes, plain, message, message_bytes,
	                    exchange);
}

enum err envelope_seal_reply(const struct cell_exchange *exchange, const uint8_t *message, size_t message_bytes,
                             uint8_t envelope[ENVELOPE_BYTES])
{
	return seal_reply(&envelopes, exchange, message, message_bytes, envelope);
}

enum err envelope_open_reply(const struct cell_exchange *exchange, const uint8_t *envelope, size_t envelope_bytes,
                             uint8_t *plain, const uint8_t **message, size_t *message_bytes)
{
	return open_reply(&envelopes, exchange, envelope, envelope_bytes, plain, message, message_bytes);
}

void cell_exchange_wipe(struct cell_exchange *exchange)
{
	sodium_memzero(exchange, sizeof(*exchange));
}
