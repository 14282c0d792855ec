// Where an intent's state and its deal counters change. Not here: who may ask for it, what it does to the store.
//
//              RELEASE
//   WAITING ------------> RELEASED --- CONCLUDE --> CONCLUDED
//      |                   |   |
//      |     WITHDRAW      |   |
//      +---------+---------+   |         WITHDRAW only while no deal is bound
//      |         v             |
//      |     WITHDRAWN         |
//      |       EXPIRE          |
//      +---------+-------------+
//                v
//             EXPIRED
//
// Invariant: deals_open + deals_done <= deals_max (invariant 3 of the design), deals_done <= deals_bound <=
// deals_open + deals_done. The counters also move after the intent's end: a countersigned deal outlives its intent.
#include "intent.h"

#include <assert.h>

enum { STATE_COUNT = INTENT_CONCLUDED + 1, EVENT_COUNT = INTENT_CONCLUDE + 1 };

struct transition {
	uint8_t next; // 0: refused
	enum err refusal;
};

// clang-format off
#define REFUSE_ALL(code) { \
	[INTENT_RELEASE] = {0, code}, [INTENT_WITHDRAW] = {0, code}, \
	[INTENT_EXPIRE] = {0, code}, [INTENT_CONCLUDE] = {0, code}, \
}
static const struct transition TRANSITIONS[STATE_COUNT][EVENT_COUNT] = {
	[INTENT_WAITING] = {
		[INTENT_RELEASE]  = {INTENT_RELEASED, ERR_OK},
		[INTENT_WITHDRAW] = {INTENT_WITHDRAWN, ERR_OK},
		[INTENT_EXPIRE]   = {INTENT_EXPIRED, ERR_OK},
		[INTENT_CONCLUDE] = {0, ERR_NOT_RELEASED},
	},
	[INTENT_RELEASED] = {
		[INTENT_RELEASE]  = {0, ERR_CONFLICT}, // nothing is released twice
		[INTENT_WITHDRAW] = {INTENT_WITHDRAWN, ERR_OK},
		[INTENT_EXPIRE]   = {INTENT_EXPIRED, ERR_OK},
		[INTENT_CONCLUDE] = {INTENT_CONCLUDED, ERR_OK},
	},
	[INTENT_WITHDRAWN] = REFUSE_ALL(ERR_GONE),
	[INTENT_EXPIRED]   = REFUSE_ALL(ERR_GONE),
	[INTENT_CONCLUDED] = REFUSE_ALL(ERR_GONE),
};
// clang-format on

enum err intent_apply(struct intent *intent, enum intent_event event, uint64_t now_ms)
{
	assert(intent->state >= INTENT_WAITING && intent->state <= INTENT_CONCLUDED);
	assert(event <= INTENT_CONCLUDE);
	const struct transition *transition = &TRANSITIONS[intent->state][event];
	if (!transition->next)
		return transition->refusal;
	// Concluded deals stand on their own: only one that is under way holds the intent.
	if (event == INTENT_WITHDRAW && intent->deals_bound > intent->deals_done)
		return ERR_DEAL_OPEN;
	intent->state = transition->next;
	if (transition->next == INTENT_RELEASED)
		intent->released_at_ms = now_ms;
	else
		intent->ended_at_ms = now_ms;
	return ERR_OK;
}

static void check_counters(const struct intent *intent)
{
	// Sums in 64 bits, so that a damaged row cannot wrap around and pass.
	uint64_t taken = (uint64_t)intent->deals_open + intent->deals_done;
	assert(taken <= intent->deals_max);
	assert(intent->deals_done <= intent->deals_bound && intent->deals_bound <= taken);
}

// A counter at zero stays there: wrapping around to four billion would open the gate it guards.
static void decrease(uint32_t *counter)
{
	assert(*counter > 0);
	if (*counter > 0)
		(*counter)--;
}

enum err intent_deal_open(struct intent *intent)
{
	if ((uint64_t)intent->deals_open + intent->deals_done >= intent->deals_max)
		return ERR_DEAL_LIMIT;
	intent->deals_open++;
	check_counters(intent);
	return ERR_OK;
}

void intent_deal_bind(struct intent *intent)
{
	intent->deals_bound++;
	check_counters(intent);
}

void intent_deal_lapse(struct intent *intent, bool was_bound)
{
	decrease(&intent->deals_open);
	if (was_bound)
		decrease(&intent->deals_bound);
	check_counters(intent);
}

void intent_deal_conclude(struct intent *intent)
{
	decrease(&intent->deals_open);
	intent->deals_done++;
	check_counters(intent);
}

bool intent_taken(const struct intent *intent)
{
	return intent->deals_bound >= intent->deals_max;
}
