// Stamps: proof of work over a key for brokers without accounts (PROTOCOL.md §13.4). SHA-256, leading zero bits.
#ifndef OYEZ_PROTO_STAMP_H
#define OYEZ_PROTO_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "limits.h"

enum { STAMP_BYTES = 4 + 8 };

// Works until it has one: about 2^bits hashes. `stop` (may be NULL) ends it early when it returns true; then false.
bool stamp_make(const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES], uint32_t epoch, uint32_t bits,
                bool (*stop)(void *context), void *context, uint8_t stamp[STAMP_BYTES]);
// ERR_STAMP_BAD: missing, too small, or not of the present or the previous epoch.
enum err stamp_check(const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES], uint32_t epoch_now,
                     uint32_t bits, const uint8_t *stamp, size_t stamp_bytes);

#endif
