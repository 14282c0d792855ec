// Every cell of the deal's table, before, at and after the deadline of the state.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "broker/core/deal.h"

#define ACCEPTED_AT_MS UINT64_C(1000)
#define COUNTERSIGN_BY_MS UINT64_C(5000)
#define REVEAL_BY_MS UINT64_C(9000)
#define REVEALED_AT_MS UINT64_C(4000)

enum { STATE_COUNT = 5, EVENT_COUNT = 5 };

// A deal as it stands in `state` after an ordinary past.
static struct deal deal_in(enum deal_state state)
{
	struct deal deal = {.state = (uint8_t)state,
	                    .accepted_at_ms = ACCEPTED_AT_MS,
	                    .countersign_by_ms = COUNTERSIGN_BY_MS,
	                    .reveal_by_ms = REVEAL_BY_MS};
	if (state == DEAL_COUNTERSIGNED || state == DEAL_REVEALED || state == DEAL_CONCLUDED)
		deal.countersigned_at_ms = 3000;
	if (state == DEAL_REVEALED || state == DEAL_CONCLUDED)
		deal.revealed_at_ms = REVEALED_AT_MS;
	if (state == DEAL_CONCLUDED || state == DEAL_LAPSED)
		deal.ended_at_ms = 4500;
	return deal;
}

struct cell {
	enum err err;
	uint8_t to; // 0: the deal stays as it was
};

// Rows: accepted ... lapsed. Columns: countersign, reveal, receive, timeout, cancel.
static void check(const struct cell cells[STATE_COUNT][EVENT_COUNT], const uint64_t now_ms[STATE_COUNT])
{
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int e = 0; e < EVENT_COUNT; e++) {
			struct deal expected = deal_in((enum deal_state)(s + 1)), deal = expected;
			uint8_t to = cells[s][e].to;
			if (to) {
				expected.state = to;
				if (to == DEAL_LAPSED)
					expected.lapsed_from = deal.state;
				if (to == DEAL_COUNTERSIGNED)
					expected.countersigned_at_ms = now_ms[s];
				else if (to == DEAL_REVEALED)
					expected.revealed_at_ms = now_ms[s];
				else
					expected.ended_at_ms = now_ms[s];
			}
			int changed = 99;
			assert_int_equal(deal_apply(&deal, (enum deal_event)e, now_ms[s], &changed), cells[s][e].err);
			assert_int_equal(changed, to != 0);
			assert_memory_equal(&deal, &expected, sizeof deal);
		}
	}
}

static void every_cell_in_time(void **state)
{
	static const struct cell cells[STATE_COUNT][EVENT_COUNT] = {
	    {{ERR_OK, DEAL_COUNTERSIGNED},
	     {ERR_NOT_COUNTERSIGNED, 0},
	     {ERR_NOT_COUNTERSIGNED, 0},
	     {ERR_OK, 0},
	     {ERR_OK, DEAL_LAPSED}},
	    {{ERR_CONFLICT, 0}, {ERR_OK, DEAL_REVEALED}, {ERR_NOT_REVEALED, 0}, {ERR_OK, 0}, {ERR_DEAL_OPEN, 0}},
	    {{ERR_CONFLICT, 0}, {ERR_CONFLICT, 0}, {ERR_OK, DEAL_CONCLUDED}, {ERR_OK, 0}, {ERR_DEAL_OPEN, 0}},
	    {{ERR_DEAL_CLOSED, 0}, {ERR_DEAL_CLOSED, 0}, {ERR_OK, 0}, {ERR_OK, 0}, {ERR_DEAL_CLOSED, 0}},
	    {{ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_OK, 0}, {ERR_LAPSED, 0}},
	};
	static const uint64_t early[STATE_COUNT] = {0, 0, 0, 0, 0};
	static const uint64_t last_moment[STATE_COUNT] = {COUNTERSIGN_BY_MS - 1, REVEAL_BY_MS - 1,
	                                                  REVEALED_AT_MS + CONCLUDE_AFTER_REVEAL_MS - 1, UINT64_MAX - 1,
	                                                  UINT64_MAX - 1};
	(void)state;
	check(cells, early);
	check(cells, last_moment);
}

static void every_cell_past_the_deadline(void **state)
{
	static const struct cell cells[STATE_COUNT][EVENT_COUNT] = {
	    {{ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_OK, DEAL_LAPSED}, {ERR_OK, DEAL_LAPSED}},
	    {{ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_OK, DEAL_LAPSED}, {ERR_DEAL_OPEN, 0}},
	    {{ERR_CONFLICT, 0}, {ERR_CONFLICT, 0}, {ERR_OK, DEAL_CONCLUDED}, {ERR_OK, DEAL_CONCLUDED}, {ERR_DEAL_OPEN, 0}},
	    {{ERR_DEAL_CLOSED, 0}, {ERR_DEAL_CLOSED, 0}, {ERR_OK, 0}, {ERR_OK, 0}, {ERR_DEAL_CLOSED, 0}},
	    {{ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_LAPSED, 0}, {ERR_OK, 0}, {ERR_LAPSED, 0}},
	};
	static const uint64_t at_deadline[STATE_COUNT] = {
	    COUNTERSIGN_BY_MS, REVEAL_BY_MS, REVEALED_AT_MS + CONCLUDE_AFTER_REVEAL_MS, UINT64_MAX, UINT64_MAX};
	static const uint64_t late[STATE_COUNT] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	(void)state;
	check(cells, at_deadline);
	check(cells, late);
}

static void deadlines(void **state)
{
	(void)state;
	static const uint64_t expected[] = {COUNTERSIGN_BY_MS, REVEAL_BY_MS, REVEALED_AT_MS + CONCLUDE_AFTER_REVEAL_MS,
	                                    UINT64_MAX, UINT64_MAX};
	for (int s = 0; s < STATE_COUNT; s++) {
		struct deal deal = deal_in((enum deal_state)(s + 1));
		assert_true(deal_deadline_ms(&deal) == expected[s]);
	}
}

static void whole_life(void **state)
{
	(void)state;
	struct deal deal = deal_in(DEAL_ACCEPTED);
	int changed;
	assert_int_equal(deal_apply(&deal, DEAL_COUNTERSIGN, 2000, &changed), ERR_OK);
	// Past countersign_by, which no longer matters.
	assert_int_equal(deal_apply(&deal, DEAL_TIMEOUT, 6000, &changed), ERR_OK);
	assert_int_equal(deal.state, DEAL_COUNTERSIGNED);
	assert_int_equal(deal_apply(&deal, DEAL_REVEAL, 7000, &changed), ERR_OK);
	assert_int_equal(deal_apply(&deal, DEAL_TIMEOUT, 7000 + CONCLUDE_AFTER_REVEAL_MS, &changed), ERR_OK);
	assert_int_equal(deal.state, DEAL_CONCLUDED);
	assert_int_equal(deal.lapsed_from, 0);
	// The receipt that came too late to conclude is still good, and so is its repeat.
	assert_int_equal(deal_apply(&deal, DEAL_RECEIVE, 8000 + CONCLUDE_AFTER_REVEAL_MS, &changed), ERR_OK);
	assert_int_equal(changed, 0);
	assert_true(deal.ended_at_ms == 7000 + CONCLUDE_AFTER_REVEAL_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_in_time),
	    cmocka_unit_test(every_cell_past_the_deadline),
	    cmocka_unit_test(deadlines),
	    cmocka_unit_test(whole_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
