// Where a deal's state changes. Not here: signatures, the outcome's wording, the intent's counters (intent.c).
//
//              COUNTERSIGN                REVEAL              RECEIVE, or TIMEOUT
//   ACCEPTED ---------------> COUNTERSIGNED ----> REVEALED -----------------------> CONCLUDED
//      |                           |              (72 h after the reveal)
//      | TIMEOUT (countersign_by)  | TIMEOUT (reveal_by)
//      | CANCEL                    |
//      +------------+--------------+
//                   v
//                 LAPSED (lapsed_from tells from where)
//
// Invariant: a deal never goes back, and the card's state, REVEALED, has one way in: a countersigned deal before
// reveal_by. Deadlines count by the clock of the command, not by when the time-out is handled: from its deadline on,
// a deal that was not revealed is answered as lapsed.
#include "deal.h"

#include <assert.h>
#include <stdbool.h>

enum { STATE_COUNT = DEAL_LAPSED + 1, EVENT_COUNT = DEAL_CANCEL + 1 };

enum when {
	ALWAYS,
	IN_TIME, // before the present state's deadline; from then on ERR_LAPSED
	WHEN_DUE // from the deadline on; before it nothing happens
};

struct transition {
	uint8_t next; // 0: refused; the present state: nothing happens
	enum err refusal;
	enum when when;
};

// clang-format off
static const struct transition TRANSITIONS[STATE_COUNT][EVENT_COUNT] = {
	[DEAL_ACCEPTED] = {
		[DEAL_COUNTERSIGN] = {DEAL_COUNTERSIGNED, ERR_OK, IN_TIME},
		[DEAL_REVEAL]      = {0, ERR_NOT_COUNTERSIGNED, IN_TIME},
		[DEAL_RECEIVE]     = {0, ERR_NOT_COUNTERSIGNED, IN_TIME},
		[DEAL_TIMEOUT]     = {DEAL_LAPSED, ERR_OK, WHEN_DUE},
		[DEAL_CANCEL]      = {DEAL_LAPSED, ERR_OK, ALWAYS},
	},
	[DEAL_COUNTERSIGNED] = {
		[DEAL_COUNTERSIGN] = {0, ERR_CONFLICT, IN_TIME},
		[DEAL_REVEAL]      = {DEAL_REVEALED, ERR_OK, IN_TIME},
		[DEAL_RECEIVE]     = {0, ERR_NOT_REVEALED, IN_TIME},
		[DEAL_TIMEOUT]     = {DEAL_LAPSED, ERR_OK, WHEN_DUE},
		[DEAL_CANCEL]      = {0, ERR_DEAL_OPEN, ALWAYS},
	},
	[DEAL_REVEALED] = {
		[DEAL_COUNTERSIGN] = {0, ERR_CONFLICT, ALWAYS},
		[DEAL_REVEAL]      = {0, ERR_CONFLICT, ALWAYS},
		[DEAL_RECEIVE]     = {DEAL_CONCLUDED, ERR_OK, ALWAYS},
		[DEAL_TIMEOUT]     = {DEAL_CONCLUDED, ERR_OK, WHEN_DUE},
		[DEAL_CANCEL]      = {0, ERR_DEAL_OPEN, ALWAYS},
	},
	[DEAL_CONCLUDED] = {
		[DEAL_COUNTERSIGN] = {0, ERR_DEAL_CLOSED, ALWAYS},
		[DEAL_REVEAL]      = {0, ERR_DEAL_CLOSED, ALWAYS},
		// A receipt says the same each time, and may come after the deal concluded without it.
		[DEAL_RECEIVE]     = {DEAL_CONCLUDED, ERR_OK, ALWAYS},
		[DEAL_TIMEOUT]     = {DEAL_CONCLUDED, ERR_OK, WHEN_DUE},
		[DEAL_CANCEL]      = {0, ERR_DEAL_CLOSED, ALWAYS},
	},
	[DEAL_LAPSED] = {
		[DEAL_COUNTERSIGN] = {0, ERR_LAPSED, ALWAYS},
		[DEAL_REVEAL]      = {0, ERR_LAPSED, ALWAYS},
		[DEAL_RECEIVE]     = {0, ERR_LAPSED, ALWAYS},
		[DEAL_TIMEOUT]     = {DEAL_LAPSED, ERR_OK, WHEN_DUE},
		[DEAL_CANCEL]      = {0, ERR_LAPSED, ALWAYS},
	},
};
// clang-format on

uint64_t deal_deadline_ms(const struct deal *deal)
{
	switch ((enum deal_state)deal->state) {
	case DEAL_ACCEPTED:
		return deal->countersign_by_ms;
	case DEAL_COUNTERSIGNED:
		return deal->reveal_by_ms;
	case DEAL_REVEALED:
		return deal->revealed_at_ms + CONCLUDE_AFTER_REVEAL_MS;
	case DEAL_CONCLUDED:
	case DEAL_LAPSED:
		break;
	}
	return UINT64_MAX;
}

static void enter(struct deal *deal, uint8_t next, uint64_t now_ms)
{
	if (next == DEAL_COUNTERSIGNED)
		deal->countersigned_at_ms = now_ms;
	else if (next == DEAL_REVEALED)
		deal->revealed_at_ms = now_ms;
	else
		deal->ended_at_ms = now_ms;
	if (next == DEAL_LAPSED)
		deal->lapsed_from = deal->state;
	deal->state = next;
}

enum err deal_apply(struct deal *deal, enum deal_event event, uint64_t now_ms, int *changed)
{
	assert(deal->state >= DEAL_ACCEPTED && deal->state <= DEAL_LAPSED);
	assert(event <= DEAL_CANCEL);
	*changed = 0;
	const struct transition *transition = &TRANSITIONS[deal->state][event];
	bool due = now_ms >= deal_deadline_ms(deal);
	if (transition->when == IN_TIME && due)
		return ERR_LAPSED;
	if (!transition->next)
		return transition->refusal;
	if (transition->next == deal->state || (transition->when == WHEN_DUE && !due))
		return ERR_OK;
	enter(deal, transition->next, now_ms);
	*changed = 1;
	return ERR_OK;
}
