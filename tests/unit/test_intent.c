// Every cell of the intent's table, its guard, and its deal counters.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include "broker/core/intent.h"

enum { NOW_MS = 5000 };

static void every_cell(void **state)
{
	static const struct {
		enum intent_state from;
		enum intent_event event;
		enum err err;
		enum intent_state to;
	} cells[] = {
	    {INTENT_WAITING, INTENT_RELEASE, ERR_OK, INTENT_RELEASED},
	    {INTENT_WAITING, INTENT_WITHDRAW, ERR_OK, INTENT_WITHDRAWN},
	    {INTENT_WAITING, INTENT_EXPIRE, ERR_OK, INTENT_EXPIRED},
	    {INTENT_WAITING, INTENT_CONCLUDE, ERR_NOT_RELEASED, INTENT_WAITING},
	    {INTENT_RELEASED, INTENT_RELEASE, ERR_CONFLICT, INTENT_RELEASED},
	    {INTENT_RELEASED, INTENT_WITHDRAW, ERR_OK, INTENT_WITHDRAWN},
	    {INTENT_RELEASED, INTENT_EXPIRE, ERR_OK, INTENT_EXPIRED},
	    {INTENT_RELEASED, INTENT_CONCLUDE, ERR_OK, INTENT_CONCLUDED},
	    {INTENT_WITHDRAWN, INTENT_RELEASE, ERR_GONE, INTENT_WITHDRAWN},
	    {INTENT_WITHDRAWN, INTENT_WITHDRAW, ERR_GONE, INTENT_WITHDRAWN},
	    {INTENT_WITHDRAWN, INTENT_EXPIRE, ERR_GONE, INTENT_WITHDRAWN},
	    {INTENT_WITHDRAWN, INTENT_CONCLUDE, ERR_GONE, INTENT_WITHDRAWN},
	    {INTENT_EXPIRED, INTENT_RELEASE, ERR_GONE, INTENT_EXPIRED},
	    {INTENT_EXPIRED, INTENT_WITHDRAW, ERR_GONE, INTENT_EXPIRED},
	    {INTENT_EXPIRED, INTENT_EXPIRE, ERR_GONE, INTENT_EXPIRED},
	    {INTENT_EXPIRED, INTENT_CONCLUDE, ERR_GONE, INTENT_EXPIRED},
	    {INTENT_CONCLUDED, INTENT_RELEASE, ERR_GONE, INTENT_CONCLUDED},
	    {INTENT_CONCLUDED, INTENT_WITHDRAW, ERR_GONE, INTENT_CONCLUDED},
	    {INTENT_CONCLUDED, INTENT_EXPIRE, ERR_GONE, INTENT_CONCLUDED},
	    {INTENT_CONCLUDED, INTENT_CONCLUDE, ERR_GONE, INTENT_CONCLUDED},
	};
	(void)state;
	assert_int_equal(sizeof cells / sizeof *cells, 5 * 4);
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		struct intent before = {.state = cells[i].from, .deals_max = 1}, intent = before;
		assert_int_equal(intent_apply(&intent, cells[i].event, NOW_MS), cells[i].err);
		assert_int_equal(intent.state, cells[i].to);
		if (cells[i].err != ERR_OK) {
			assert_memory_equal(&intent, &before, sizeof intent);
			continue;
		}
		assert_int_equal(intent.released_at_ms, cells[i].to == INTENT_RELEASED ? NOW_MS : 0);
		assert_int_equal(intent.ended_at_ms, cells[i].to == INTENT_RELEASED ? 0 : NOW_MS);
	}
}

static void bound_deal_refuses_withdrawal_but_not_expiry(void **state)
{
	(void)state;
	struct intent intent = {.state = INTENT_RELEASED, .deals_max = 1};
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	intent_deal_bind(&intent);
	assert_int_equal(intent_apply(&intent, INTENT_WITHDRAW, NOW_MS), ERR_DEAL_OPEN);
	assert_int_equal(intent.state, INTENT_RELEASED);

	struct intent expired = intent;
	assert_int_equal(intent_apply(&expired, INTENT_EXPIRE, NOW_MS), ERR_OK);
	assert_int_equal(intent_apply(&expired, INTENT_WITHDRAW, NOW_MS), ERR_GONE);

	intent_deal_lapse(&intent, true);
	assert_int_equal(intent_apply(&intent, INTENT_WITHDRAW, NOW_MS), ERR_OK);
}

static void accepted_deal_does_not_refuse_withdrawal(void **state)
{
	(void)state;
	struct intent intent = {.state = INTENT_RELEASED, .deals_max = 1};
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	assert_int_equal(intent_apply(&intent, INTENT_WITHDRAW, NOW_MS), ERR_OK);
	intent_deal_lapse(&intent, false); // the service cancels it afterwards
	assert_int_equal(intent.deals_open, 0);
}

static void deals_max_holds(void **state)
{
	(void)state;
	struct intent intent = {.state = INTENT_RELEASED, .deals_max = 2};
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	assert_int_equal(intent_deal_open(&intent), ERR_DEAL_LIMIT);
	assert_false(intent_taken(&intent));
	intent_deal_bind(&intent);
	intent_deal_conclude(&intent);
	assert_int_equal(intent_deal_open(&intent), ERR_DEAL_LIMIT); // the concluded one keeps its place
	assert_false(intent_taken(&intent));
	intent_deal_bind(&intent);
	assert_true(intent_taken(&intent));
	intent_deal_lapse(&intent, true);
	assert_false(intent_taken(&intent));
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	assert_int_equal(intent.deals_open, 1);
	assert_int_equal(intent.deals_done, 1);
	assert_int_equal(intent.deals_bound, 1);
}

static void only_a_deal_under_way_refuses_a_withdrawal(void **state)
{
	(void)state;
	struct intent intent = {.state = INTENT_RELEASED, .deals_max = 3};
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	intent_deal_bind(&intent);
	intent_deal_conclude(&intent);
	assert_int_equal(intent_deal_open(&intent), ERR_OK);
	intent_deal_bind(&intent);
	assert_int_equal(intent_apply(&intent, INTENT_WITHDRAW, NOW_MS), ERR_DEAL_OPEN);
	intent_deal_conclude(&intent);
	assert_int_equal(intent_apply(&intent, INTENT_WITHDRAW, NOW_MS), ERR_OK);
}

static void no_deal_without_a_place(void **state)
{
	(void)state;
	struct intent none = {.state = INTENT_RELEASED, .deals_max = 0};
	assert_int_equal(intent_deal_open(&none), ERR_DEAL_LIMIT);
	struct intent damaged = {.state = INTENT_RELEASED, .deals_max = 5, .deals_open = UINT32_MAX, .deals_done = 6};
	assert_int_equal(intent_deal_open(&damaged), ERR_DEAL_LIMIT); // the sum must not wrap around
}

// A random walk of deals against counting them one by one.
static void counters_agree_with_counting(void **state)
{
	enum { FREE, ACCEPTED, BOUND, DONE, DEALS = 8 };
	(void)state;
	srand(7);
	for (int round = 0; round < 2000; round++) {
		struct intent intent = {.state = INTENT_RELEASED, .deals_max = (uint32_t)(1 + rand() % DEALS)};
		uint8_t deals[DEALS] = {0};
		for (int step = 0; step < 40; step++) {
			uint8_t *deal = &deals[rand() % DEALS];
			if (*deal == FREE) {
				uint32_t taken = 0;
				for (int i = 0; i < DEALS; i++)
					taken += deals[i] != FREE;
				enum err expected = taken < intent.deals_max ? ERR_OK : ERR_DEAL_LIMIT;
				assert_int_equal(intent_deal_open(&intent), expected);
				if (expected == ERR_OK)
					*deal = ACCEPTED;
			} else if (*deal == ACCEPTED && rand() % 2) {
				intent_deal_bind(&intent);
				*deal = BOUND;
			} else if (*deal == BOUND && rand() % 2) {
				intent_deal_conclude(&intent);
				*deal = DONE;
			} else if (*deal != DONE) {
				intent_deal_lapse(&intent, *deal == BOUND);
				*deal = FREE;
			}
			assert_true(intent.deals_open + intent.deals_done <= intent.deals_max);
		}
		uint32_t open = 0, bound = 0, done = 0;
		for (int i = 0; i < DEALS; i++) {
			open += deals[i] == ACCEPTED || deals[i] == BOUND;
			bound += deals[i] == BOUND || deals[i] == DONE;
			done += deals[i] == DONE;
		}
		assert_int_equal(intent.deals_open, open);
		assert_int_equal(intent.deals_bound, bound);
		assert_int_equal(intent.deals_done, done);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell),
	    cmocka_unit_test(bound_deal_refuses_withdrawal_but_not_expiry),
	    cmocka_unit_test(accepted_deal_does_not_refuse_withdrawal),
	    cmocka_unit_test(deals_max_holds),
	    cmocka_unit_test(only_a_deal_under_way_refuses_a_withdrawal),
	    cmocka_unit_test(no_deal_without_a_place),
	    cmocka_unit_test(counters_agree_with_counting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
