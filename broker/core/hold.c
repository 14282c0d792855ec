// An exponential time by integers: -ln(u) * mean for u = random / 2^64, the logarithm bit by bit. Not here: where the
// random bits come from and what is held (service/hold.c).
//
//   u = 1/2:  -log2(u) = 1,  * ln 2 = 0.693,  * mean 600,000 ms = 415,888 ms (the median)
#include "hold.h"

#include <assert.h>

enum { FRACTION_BITS = 16, LN_2 = 45426 /* ln 2 * 2^16 */ };

// log2(value) * 2^16, rounded down. Squaring a number doubles its logarithm: each square that reaches 2 gives a bit.
static uint64_t log2_fixed(uint64_t value)
{
	unsigned whole = 63;
	while (!(value >> 63)) {
		value <<= 1;
		whole--;
	}
	uint64_t mantissa = value >> 32, result = whole; // 1.0 is 2^31
	for (int bit = 0; bit < FRACTION_BITS; bit++) {
		mantissa = mantissa * mantissa >> 31;
		uint64_t carry = mantissa >> 32;
		mantissa >>= carry;
		result = result << 1 | carry;
	}
	return result;
}

uint64_t hold_exponential_ms(uint64_t random, uint64_t mean_ms)
{
	assert(mean_ms <= DAY_MS);
	uint64_t bits = ((uint64_t)64 << FRACTION_BITS) - log2_fixed(random | 1);
	uint64_t ms = (bits * LN_2 >> FRACTION_BITS) * mean_ms >> FRACTION_BITS;
	uint64_t most = HOLD_MEANS_MAX * mean_ms;
	return ms < 1 ? 1 : ms < most ? ms : most;
}
