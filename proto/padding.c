// Padding to a fixed size; which sizes there are is decided by cell.c and seal.c.
#include "padding.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

void padding_add(const uint8_t *message, size_t message_bytes, uint8_t *padded, size_t padded_bytes)
{
	assert(padded_bytes >= PADDING_PREFIX_BYTES && message_bytes <= padded_bytes - PADDING_PREFIX_BYTES);
	for (int i = 0; i < PADDING_PREFIX_BYTES; i++)
		padded[i] = (uint8_t)(message_bytes >> (8 * (PADDING_PREFIX_BYTES - 1 - i)));
	if (message_bytes > 0)
		memcpy(padded + PADDING_PREFIX_BYTES, message, message_bytes);
	memset(padded + PADDING_PREFIX_BYTES + message_bytes, 0, padded_bytes - PADDING_PREFIX_BYTES - message_bytes);
}

bool padding_remove(const uint8_t *padded, size_t padded_bytes, const uint8_t **message, size_t *message_bytes)
{
	if (padded_bytes < PADDING_PREFIX_BYTES)
		return false;
	size_t count = (size_t)padded[0] << 24 | (size_t)padded[1] << 16 | (size_t)padded[2] << 8 | padded[3];
	if (count > padded_bytes - PADDING_PREFIX_BYTES)
		return false;
	const uint8_t *zeros = padded + PADDING_PREFIX_BYTES + count;
	if (!sodium_is_zero(zeros, padded_bytes - PADDING_PREFIX_BYTES - count))
		return false;
	*message = padded + PADDING_PREFIX_BYTES;
	*message_bytes = count;
	return true;
}
