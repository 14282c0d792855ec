// Which 32 bytes are usable public keys: what a decoder refuses before anything is computed with them.
// The tests are comparisons, no curve arithmetic: every post and every release carries several keys.
#ifndef OYEZ_PROTO_KEY_CHECK_H
#define OYEZ_PROTO_KEY_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

// Ed25519: false for points of small order (any record would verify) and for y not below p = 2^255 - 19.
// Whether the point is on the curve shows when a signature is checked.
bool sign_key_valid(const uint8_t key[KEY_BYTES]);
// X25519: false for points of small order (the shared secret would be zero) and for encodings other than the one of
// RFC 7748 §5, which would let one key have several names.
bool hpke_key_valid(const uint8_t key[KEY_BYTES]);

#endif
