// Where an offer's state changes. Not here: caps on offers, and deals, which have a life of their own (deal.c).
//
//                 REPLACE  --> REPLACED
//                 WITHDRAW --> WITHDRAWN
//   OPEN -------- DECLINE  --> DECLINED
//   |  ^          EXPIRE   --> EXPIRED
//   |  |                          ^
//   |  +--- REOPEN, still valid   |
//   v  |                          |
//   ACCEPTED ---- REOPEN, too late
//
// Invariant: only an open offer that has not expired can be accepted. Time counts more than the stored state: from
// expires_at_ms on, everything but EXPIRE of an open and REOPEN of an accepted offer is refused as expired, so no
// timer has to come first.
#include "offer.h"

#include <assert.h>
#include <stdbool.h>

enum { STATE_COUNT = OFFER_ACCEPTED + 1, EVENT_COUNT = OFFER_REOPEN + 1 };

struct transition {
	uint8_t next;      // 0: refused
	uint8_t late_next; // the same from expires_at_ms on; 0: refused with ERR_OFFER_EXPIRED
	enum err refusal;
};

// clang-format off
#define REFUSE_ALL(code) { \
	[OFFER_REPLACE] = {0, 0, code}, [OFFER_WITHDRAW] = {0, 0, code}, [OFFER_DECLINE] = {0, 0, code}, \
	[OFFER_EXPIRE] = {0, 0, code}, [OFFER_ACCEPT] = {0, 0, code}, [OFFER_REOPEN] = {0, 0, code}, \
}
static const struct transition TRANSITIONS[STATE_COUNT][EVENT_COUNT] = {
	[OFFER_OPEN] = {
		[OFFER_REPLACE]  = {OFFER_REPLACED, 0, ERR_OK},
		[OFFER_WITHDRAW] = {OFFER_WITHDRAWN, 0, ERR_OK},
		[OFFER_DECLINE]  = {OFFER_DECLINED, 0, ERR_OK},
		[OFFER_EXPIRE]   = {OFFER_EXPIRED, OFFER_EXPIRED, ERR_OK},
		[OFFER_ACCEPT]   = {OFFER_ACCEPTED, 0, ERR_OK},
		[OFFER_REOPEN]   = {0, 0, ERR_CONFLICT},
	},
	[OFFER_REPLACED]  = REFUSE_ALL(ERR_OFFER_REPLACED),
	[OFFER_WITHDRAWN] = REFUSE_ALL(ERR_OFFER_WITHDRAWN),
	[OFFER_DECLINED]  = REFUSE_ALL(ERR_OFFER_DECLINED),
	[OFFER_EXPIRED]   = REFUSE_ALL(ERR_OFFER_EXPIRED),
	[OFFER_ACCEPTED] = {
		[OFFER_REPLACE]  = {0, 0, ERR_OFFER_ACCEPTED},
		[OFFER_WITHDRAW] = {0, 0, ERR_OFFER_ACCEPTED},
		[OFFER_DECLINE]  = {0, 0, ERR_OFFER_ACCEPTED},
		[OFFER_EXPIRE]   = {0, 0, ERR_OFFER_ACCEPTED},
		[OFFER_ACCEPT]   = {0, 0, ERR_OFFER_ACCEPTED},
		[OFFER_REOPEN]   = {OFFER_OPEN, OFFER_EXPIRED, ERR_OK},
	},
};
// clang-format on

enum err offer_apply(struct offer *offer, enum offer_event event, uint64_t now_ms)
{
	assert(offer->state >= OFFER_OPEN && offer->state <= OFFER_ACCEPTED);
	assert(event <= OFFER_REOPEN);
	const struct transition *transition = &TRANSITIONS[offer->state][event];
	bool late = now_ms >= offer->expires_at_ms;
	uint8_t next = late ? transition->late_next : transition->next;
	if (!next)
		return late ? ERR_OFFER_EXPIRED : transition->refusal;
	offer->state = next;
	return ERR_OK;
}
