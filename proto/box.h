// Box cells: what a home broker pushes to a guardian for one intent, of one size, at the times of one public schedule
// (PROTOCOL.md §12.4). What the plaintext says is BoxPlain's.
//   cell       enc (32) ‖ sequence (8) ‖ ciphertext (4056)
//   plaintext  length (4) ‖ signature (64) ‖ BoxPlain ‖ zeros
#ifndef OYEZ_PROTO_BOX_H
#define OYEZ_PROTO_BOX_H

#include "hpke.h"
#include "sign.h"

#define BOX_INFO "oyez/1 box"

enum {
	BOX_PLAIN_BYTES = BOX_CELL_BYTES - HPKE_ENC_BYTES - 8 - HPKE_TAG_BYTES,
	BOX_MESSAGE_BYTES_MAX = BOX_PLAIN_BYTES - 4 - SIGNATURE_BYTES,
};

// What a sender keeps of one box between cells. Wipe it with box_sender_wipe.
struct box_sender {
	uint8_t enc[HPKE_ENC_BYTES];
	uint8_t key[32], base_nonce[12];
	uint64_t sequence; // of the next cell
};

// ERR_BAD_KEY.
enum err box_begin(struct box_sender *sender, const uint8_t reply_key[KEY_BYTES]);
// The cell for sender->sequence, signed by the home broker; advancing it is the caller's, since copies may seal on other
// threads. `message` has at most BOX_MESSAGE_BYTES_MAX.
void box_seal(const struct box_sender *sender, const struct sign_pair *home, const uint8_t box_id[BOX_ID_BYTES],
              const uint8_t *message, size_t message_bytes, uint8_t cell[BOX_CELL_BYTES]);
void box_sender_wipe(struct box_sender *sender);
// *message points into `plain`. ERR_SEALED, ERR_BAD_FRAME, ERR_BAD_SIGNATURE (not by this home, or for another box).
enum err box_open(const struct hpke_pair *reply, const uint8_t home_key[KEY_BYTES], const uint8_t box_id[BOX_ID_BYTES],
                  const uint8_t cell[BOX_CELL_BYTES], uint8_t plain[BOX_PLAIN_BYTES], const uint8_t **message,
                  size_t *message_bytes);

// The schedule of a box released at `released_at_ms` in this expiry band (1 to 5): the first time later than
// `after_ms`, 0 when there is none. And the time when it is over.
uint64_t box_slot_after(uint64_t released_at_ms, uint8_t expiry_band, uint64_t after_ms);
uint64_t box_over_ms(uint64_t released_at_ms, uint8_t expiry_band);
// Cells from `from_ms` to `to_ms` after the release.
uint64_t box_slots_between(uint64_t from_ms, uint64_t to_ms);

#endif
