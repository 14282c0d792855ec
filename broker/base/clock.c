// The one clock: the system's time of day, sped up for tests, that never goes back. Not a timer; loops have theirs.
#include "clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double rate = 1;
static double base_ms; // where the fast clock and the real one agree
static _Atomic uint64_t latest_ms;

static double real_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// Digits with at most one point: strtod alone would take "inf", "nan", hexadecimals and signs.
static bool parse_decimal(const char *text, size_t count, double *out)
{
	char copy[32];
	if (count == 0 || count >= sizeof(copy) || strspn(text, "0123456789.") < count)
		return false;
	memcpy(copy, text, count);
	copy[count] = 0;
	const char *point = strchr(copy, '.');
	if (point && (point == copy || point[1] == 0 || strchr(point + 1, '.')))
		return false;
	// By hand rather than strtod, whose decimal point depends on the locale.
	double value = 0, scale = 0;
	for (const char *at = copy; *at; at++) {
		if (*at == '.') {
			scale = 1;
			continue;
		}
		value = value * 10 + (*at - '0');
		scale *= 10;
	}
	*out = scale > 0 ? value / scale : value;
	return true;
}

bool clock_init(void)
{
	rate = 1;
	base_ms = 0;
	const char *text = getenv("OYEZ_TEST_CLOCK_RATE");
	if (!text || !*text)
		return true;
	const char *at = strchr(text, '@');
	double wanted, base = real_now_ms();
	if (!parse_decimal(text, at ? (size_t)(at - text) : strlen(text), &wanted) || wanted < 1 || wanted > 1e6)
		return false;
	if (at && (!parse_decimal(at + 1, strlen(at + 1), &base) || strchr(at, '.') || base > 4e12))
		return false;
	rate = wanted;
	base_ms = base;
	return true;
}

double clock_rate(void)
{
	return rate;
}

uint64_t clock_now_ms(void)
{
	double real = real_now_ms();
	double fast = base_ms + (real - base_ms) * rate;
	uint64_t now = fast > 0 ? (uint64_t)fast : 0;
	uint64_t seen = atomic_load_explicit(&latest_ms, memory_order_relaxed);
	while (now > seen)
		if (atomic_compare_exchange_weak_explicit(&latest_ms, &seen, now, memory_order_relaxed, memory_order_relaxed))
			return now;
	return seen;
}

uint64_t clock_real_ms(uint64_t ms)
{
	if (ms == 0)
		return 0;
	double real = (double)ms / rate;
	return real < 1 ? 1 : (uint64_t)real;
}
