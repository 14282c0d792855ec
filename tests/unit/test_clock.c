// The clock: its environment variable, its speed, a base shared by several processes, and that it never goes back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "broker/base/clock.h"

static uint64_t real_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// First, because the clock never goes back within a process: later tests run ahead of the real time.
static void without_the_variable_it_is_the_system_clock(void **state)
{
	(void)state;
	unsetenv("OYEZ_TEST_CLOCK_RATE");
	assert_true(clock_init());
	uint64_t before = real_ms(), now = clock_now_ms(), after = real_ms();
	assert_in_range(now, before, after);
	assert_true(clock_rate() == 1);
	assert_int_equal(clock_real_ms(0), 0);
	assert_int_equal(clock_real_ms(1500), 1500);
}

static void bad_values_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"0",    "0.5", "1000001", "-3",   "1e3",   "inf",   "nan",
	                     "0x10", " 2",  "2 ",      "2,5",  "1..5",  ".5",    "5.",
	                     "@5",   "5@",  "5@x",     "5@-1", "5@1.5", "5@5@5", "5@99999999999999999999"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		setenv("OYEZ_TEST_CLOCK_RATE", bad[i], 1);
		if (clock_init())
			fail_msg("taken: %s", bad[i]);
		assert_true(clock_rate() == 1);
	}
	const char *good[] = {"1", "1.5", "1000000", "0001", "720@1893456000000", ""};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		setenv("OYEZ_TEST_CLOCK_RATE", good[i], 1);
		assert_true(clock_init());
	}
}

static void it_runs_faster(void **state)
{
	(void)state;
	setenv("OYEZ_TEST_CLOCK_RATE", "1000", 1);
	assert_true(clock_init());
	assert_true(clock_rate() == 1000);
	assert_int_equal(clock_real_ms(5000), 5);
	assert_int_equal(clock_real_ms(1), 1);
	uint64_t real_start = real_ms(), start = clock_now_ms();
	while (real_ms() < real_start + 30)
		;
	uint64_t passed = clock_now_ms() - start, real_passed = real_ms() - real_start;
	assert_in_range(passed, 28000, (real_passed + 2) * 1000);
}

static void a_shared_base_gives_shared_time(void **state)
{
	(void)state;
	char text[64];
	uint64_t base = real_ms() - 3600 * 1000; // an hour ago, 2.5 times as fast: an hour and a half ahead
	snprintf(text, sizeof(text), "2.5@%llu", (unsigned long long)base);
	setenv("OYEZ_TEST_CLOCK_RATE", text, 1);
	assert_true(clock_init());
	uint64_t before = real_ms(), now = clock_now_ms(), after = real_ms();
	assert_in_range(now, base + (before - base) * 5 / 2, base + (after + 1 - base) * 5 / 2);
}

static void it_never_goes_back(void **state)
{
	(void)state;
	uint64_t ahead = clock_now_ms();
	unsetenv("OYEZ_TEST_CLOCK_RATE");
	assert_true(clock_init());
	assert_true(real_ms() < ahead);
	assert_true(clock_now_ms() >= ahead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_the_variable_it_is_the_system_clock),
	    cmocka_unit_test(bad_values_are_refused),
	    cmocka_unit_test(it_runs_faster),
	    cmocka_unit_test(a_shared_base_gives_shared_time),
	    cmocka_unit_test(it_never_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
