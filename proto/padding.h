// Padding of plaintexts to a fixed size: length (4, big-endian) ‖ message ‖ zeros (PROTOCOL.md §4, §8).
#ifndef OYEZ_PROTO_PADDING_H
#define OYEZ_PROTO_PADDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PADDING_PREFIX_BYTES = 4 };

// `padded_bytes` is at least message_bytes + PADDING_PREFIX_BYTES.
void padding_add(const uint8_t *message, size_t message_bytes, uint8_t *padded, size_t padded_bytes);
// False if the length does not fit or a padding byte is not zero (no room for a second channel, one encoding only).
bool padding_remove(const uint8_t *padded, size_t padded_bytes, const uint8_t **message, size_t *message_bytes);

#endif
