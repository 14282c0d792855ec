// Cells: customer requests and replies of one fixed size, sealed to the gateway key (PROTOCOL.md §4). Envelopes are the
// same in a larger size, between wallet and guardian; they have room for a cell.
//   request: header (4) ‖ gateway key id (8) ‖ enc (32) ‖ ciphertext (size - 44)
//   reply:   header (4) ‖ response nonce (32) ‖ ciphertext (size - 36)
// Plaintexts: length (4, big-endian) ‖ message ‖ zeros. The reply's key comes from the request's HPKE
// exporter (RFC 9180 §9.8, in the way of RFC 9458 §4.4), so only the sender of the request reads it.
#ifndef OYEZ_PROTO_CELL_H
#define OYEZ_PROTO_CELL_H

#include "hpke.h"

#define CELL_INFO "oyez/1 cell"
#define ENVELOPE_INFO "oyez/1 envelope"

enum {
	CELL_REQUEST_PLAIN_BYTES = CELL_BYTES - FRAME_HEADER_BYTES - GATEWAY_KEY_ID_BYTES - 32 - 16,
	CELL_REQUEST_MESSAGE_BYTES_MAX = CELL_REQUEST_PLAIN_BYTES - 4,
	CELL_REPLY_PLAIN_BYTES = CELL_BYTES - FRAME_HEADER_BYTES - 32 - 16,
	CELL_REPLY_MESSAGE_BYTES_MAX = CELL_REPLY_PLAIN_BYTES - 4,

	ENVELOPE_REQUEST_PLAIN_BYTES = ENVELOPE_BYTES - CELL_BYTES + CELL_REQUEST_PLAIN_BYTES,
	ENVELOPE_REQUEST_MESSAGE_BYTES_MAX = ENVELOPE_REQUEST_PLAIN_BYTES - 4,
	ENVELOPE_REPLY_PLAIN_BYTES = ENVELOPE_BYTES - CELL_BYTES + CELL_REPLY_PLAIN_BYTES,
	ENVELOPE_REPLY_MESSAGE_BYTES_MAX = ENVELOPE_REPLY_PLAIN_BYTES - 4,
};

// What either side keeps between request and reply. Wipe with cell_exchange_wipe.
struct cell_exchange {
	uint8_t enc[HPKE_ENC_BYTES];
	uint8_t secret[32]; // exported
};

struct gateway_key {
	uint8_t id[GATEWAY_KEY_ID_BYTES];
	struct hpke_pair pair;
	uint64_t accepted_until_ms;
};
void gateway_key_id_of(const uint8_t public_key[KEY_BYTES], uint8_t id[GATEWAY_KEY_ID_BYTES]);

enum err cell_seal_request(const uint8_t gateway_public_key[KEY_BYTES], const uint8_t *message,
                           size_t message_bytes, uint8_t cell[CELL_BYTES], struct cell_exchange *exchange);
// Finds the key by its id among `keys` (refusing those past accepted_until_ms). *message points into
// `plain`, which the caller provides with CELL_REQUEST_PLAIN_BYTES. ERR_CELL_SEALED, ERR_BAD_FRAME.
enum err cell_open_request(const struct gateway_key *keys, size_t key_count, uint64_t now_ms, const uint8_t *cell,
                           size_t cell_bytes, uint8_t *plain, const uint8_t **message, size_t *message_bytes,
                           struct cell_exchange *exchange);
// ERR_TOO_LARGE. A fresh nonce each time, so sealing twice for one exchange is safe.
enum err cell_seal_reply(const struct cell_exchange *exchange, const uint8_t *message, size_t message_bytes,
                         uint8_t cell[CELL_BYTES]);
enum err cell_open_reply(const struct cell_exchange *exchange, const uint8_t *cell, size_t cell_bytes,
                         uint8_t *plain, const uint8_t **message, size_t *message_bytes);
// The same for envelopes: ENVELOPE_BYTES, and plaintexts of the envelopes' sizes.
enum err envelope_seal_request(const uint8_t gateway_public_key[KEY_BYTES], const uint8_t *message,
                               size_t message_bytes, uint8_t envelope[ENVELOPE_BYTES], struct cell_exchange *exchange);
enum err envelope_open_request(const struct gateway_key *keys, size_t key_count, uint64_t now_ms,
                               const uint8_t *envelope, size_t envelope_bytes, uint8_t *plain,
                               const uint8_t **message, size_t *message_bytes, struct cell_exchange *exchange);
enum err envelope_seal_reply(const struct cell_exchange *exchange, const uint8_t *message, size_t message_bytes,
                             uint8_t envelope[ENVELOPE_BYTES]);
enum err envelope_open_reply(const struct cell_exchange *exchange, const uint8_t *envelope, size_t envelope_bytes,
                             uint8_t *plain, const uint8_t **message, size_t *message_bytes);

void cell_exchange_wipe(struct cell_exchange *exchange);

#endif
