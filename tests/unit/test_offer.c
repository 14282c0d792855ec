// Every cell of the offer's table, before and after the offer's expiry.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "broker/core/offer.h"

enum { EXPIRES_MS = 5000 };

static const uint8_t STATES[] = {OFFER_OPEN,     OFFER_REPLACED, OFFER_WITHDRAWN,
                                 OFFER_DECLINED, OFFER_EXPIRED,  OFFER_ACCEPTED};
static const uint8_t EVENTS[] = {OFFER_REPLACE, OFFER_WITHDRAW, OFFER_DECLINE,
                                 OFFER_EXPIRE,  OFFER_ACCEPT,   OFFER_REOPEN};
enum { STATE_COUNT = sizeof STATES, EVENT_COUNT = sizeof EVENTS };

struct cell {
	enum err err;
	uint8_t to; // when err is ERR_OK
};

static void check(const struct cell cells[STATE_COUNT][EVENT_COUNT], uint64_t now_ms)
{
	for (size_t s = 0; s < STATE_COUNT; s++) {
		for (size_t e = 0; e < EVENT_COUNT; e++) {
			struct offer before = {.state = STATES[s], .expires_at_ms = EXPIRES_MS, .mailbox_seq = 7}, offer = before;
			assert_int_equal(offer_apply(&offer, EVENTS[e], now_ms), cells[s][e].err);
			if (cells[s][e].err == ERR_OK)
				before.state = cells[s][e].to;
			assert_memory_equal(&offer, &before, sizeof offer);
		}
	}
}

#define R ERR_OFFER_REPLACED
#define W ERR_OFFER_WITHDRAWN
#define D ERR_OFFER_DECLINED
#define E ERR_OFFER_EXPIRED
#define A ERR_OFFER_ACCEPTED

// Columns: replace, withdraw, decline, expire, accept, reopen.
static void every_cell_in_time(void **state)
{
	static const struct cell cells[STATE_COUNT][EVENT_COUNT] = {
	    {{ERR_OK, OFFER_REPLACED},
	     {ERR_OK, OFFER_WITHDRAWN},
	     {ERR_OK, OFFER_DECLINED},
	     {ERR_OK, OFFER_EXPIRED},
	     {ERR_OK, OFFER_ACCEPTED},
	     {ERR_CONFLICT, 0}},
	    {{R, 0}, {R, 0}, {R, 0}, {R, 0}, {R, 0}, {R, 0}},
	    {{W, 0}, {W, 0}, {W, 0}, {W, 0}, {W, 0}, {W, 0}},
	    {{D, 0}, {D, 0}, {D, 0}, {D, 0}, {D, 0}, {D, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}},
	    {{A, 0}, {A, 0}, {A, 0}, {A, 0}, {A, 0}, {ERR_OK, OFFER_OPEN}},
	};
	(void)state;
	check(cells, 0);
	check(cells, EXPIRES_MS - 1);
}

static void every_cell_too_late(void **state)
{
	static const struct cell cells[STATE_COUNT][EVENT_COUNT] = {
	    {{E, 0}, {E, 0}, {E, 0}, {ERR_OK, OFFER_EXPIRED}, {E, 0}, {E, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}},
	    {{E, 0}, {E, 0}, {E, 0}, {E, 0}, {E, 0}, {ERR_OK, OFFER_EXPIRED}},
	};
	(void)state;
	check(cells, EXPIRES_MS);
	check(cells, UINT64_MAX);
}

static void lapsed_deal_gives_the_offer_back(void **state)
{
	(void)state;
	struct offer offer = {.state = OFFER_OPEN, .expires_at_ms = EXPIRES_MS};
	assert_int_equal(offer_apply(&offer, OFFER_ACCEPT, 1), ERR_OK);
	assert_int_equal(offer_apply(&offer, OFFER_ACCEPT, 2), ERR_OFFER_ACCEPTED);
	assert_int_equal(offer_apply(&offer, OFFER_REOPEN, 3), ERR_OK);
	assert_int_equal(offer_apply(&offer, OFFER_ACCEPT, 4), ERR_OK);
	assert_int_equal(offer_apply(&offer, OFFER_REOPEN, EXPIRES_MS), ERR_OK);
	assert_int_equal(offer.state, OFFER_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_in_time),
	    cmocka_unit_test(every_cell_too_late),
	    cmocka_unit_test(lapsed_deal_gives_the_offer_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
