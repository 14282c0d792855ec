// One pass over the bytes, by the table of well-formed sequences in the Unicode standard (§3.9, table 3-7).
#include "utf8.h"

// How many bytes the sequence at `at` has, 0 if it is not well-formed.
static size_t sequence_bytes(const uint8_t *at, size_t left)
{
	uint8_t lead = at[0], low = 0x80, high = 0xbf; // bounds of the second byte
	size_t count;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf) {
		count = 2;
	} else if (lead >= 0xe0 && lead <= 0xef) {
		count = 3;
		low = lead == 0xe0 ? 0xa0 : low;
		high = lead == 0xed ? 0x9f : high;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		count = 4;
		low = lead == 0xf0 ? 0x90 : low;
		high = lead == 0xf4 ? 0x8f : high;
	} else {
		return 0;
	}
	if (left < count || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < count; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return count;
}

bool utf8_valid(const uint8_t *bytes, size_t count)
{
	for (size_t at = 0; at < count;) {
		size_t step = sequence_bytes(bytes + at, count - at);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}
