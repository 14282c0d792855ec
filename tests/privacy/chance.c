// SplitMix64 (Steele, Lea, Flood 2014) and the few distributions the simulated people need.
#include "chance.h"

#include <math.h>

struct chance chance_of(uint64_t seed, uint64_t purpose)
{
	struct chance chance = {seed * UINT64_C(0x9e3779b97f4a7c15) ^ purpose * UINT64_C(0xd1342543de82ef95)};
	chance_bits(&chance);
	return chance;
}

uint64_t chance_bits(struct chance *chance)
{
	uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

double chance_unit(struct chance *chance)
{
	return ((double)(chance_bits(chance) >> 12) + 0.5) / 4503599627370496.0; // 2^52
}

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
	return (uint32_t)(chance_unit(chance) * limit);
}

double chance_exponential(struct chance *chance, double mean)
{
	return -mean * log(chance_unit(chance));
}

double chance_normal(struct chance *chance)
{
	double radius = sqrt(-2 * log(chance_unit(chance)));
	return radius * cos(6.283185307179586 * chance_unit(chance));
}

uint32_t chance_poisson(struct chance *chance, double mean)
{
	double limit = exp(-mean), product = chance_unit(chance);
	uint32_t count = 0;
	for (; product > limit; count++)
		product *= chance_unit(chance);
	return count;
}

uint32_t chance_pick(struct chance *chance, const double *running, uint32_t count)
{
	double at = chance_unit(chance) * running[count - 1];
	uint32_t low = 0, high = count - 1;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (running[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void chance_running(double *weights, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		weights[i] += weights[i - 1];
}
