// An intent's life: waiting -> released -> withdrawn | expired | concluded. Pure: no clock, no storage.
#ifndef OYEZ_CORE_INTENT_H
#define OYEZ_CORE_INTENT_H

#include <stdbool.h>

#include "facets.h"
#include "proto/err.h"
#include "proto/id.h"

// Numbers as in proto/customer.proto (IntentState).
enum intent_state { INTENT_WAITING = 1, INTENT_RELEASED, INTENT_WITHDRAWN, INTENT_EXPIRED, INTENT_CONCLUDED };
enum intent_event { INTENT_RELEASE, INTENT_WITHDRAW, INTENT_EXPIRE, INTENT_CONCLUDE };

enum { HOLD_KEY_BYTES = 16 };
struct intent {
	struct id id;
	uint8_t key[KEY_BYTES], reply_key[KEY_BYTES];
	struct id post_hash; // of the signed post: same id and other bytes is a conflict
	struct release_id release_id;
	uint8_t state; // enum intent_state
	uint8_t crowd_waived;
	uint8_t coarsest_step;
	uint8_t has_lists; // named allow or block stand in the stored post
	uint32_t suite;
	uint32_t crowd_wish;
	uint32_t needed_by_day;
	uint32_t deals_max, deals_open, deals_done; // open: accepted, countersigned or revealed; done: concluded
	uint32_t deals_bound;                       // countersigned, revealed or concluded; those not concluded refuse a withdrawal
	uint32_t vendor_count, offer_count;
	uint32_t mailbox_slot; // of its key in the slot file
	uint64_t mailbox_next; // sequence number of the next mailbox item, from 1
	uint64_t posted_at_ms, expires_at_ms, released_at_ms, ended_at_ms, patience_ms;
	uint64_t release_seq; // feed position, 0 while waiting
	// Holds (service/hold.c). A held intent's release, end and answers reach vendors after random times.
	uint8_t held;
	uint8_t hold_key[HOLD_KEY_BYTES]; // secret: what the times are drawn from
	uint64_t ready_at_ms;             // no release before it; 0 = no hold
	uint64_t gone_at_ms;              // its end leaves at the first tick from then on; 0 = none is on its way
	uint32_t crowd;       // as released
	struct facets facets; // as posted; as released after the release
};

// Moves the intent, or says why not: ERR_GONE from an ended state, ERR_DEAL_OPEN for a withdrawal with a bound deal,
// ERR_NOT_RELEASED for concluding a waiting one, ERR_CONFLICT for a second release. Sets released_at_ms or ended_at_ms.
enum err intent_apply(struct intent *intent, enum intent_event event, uint64_t now_ms);
static inline bool intent_live(const struct intent *intent)
{
	return intent->state == INTENT_WAITING || intent->state == INTENT_RELEASED;
}
// May one more deal open? ERR_DEAL_LIMIT. And the counters' changes, which keep invariant 3.
enum err intent_deal_open(struct intent *intent);
void intent_deal_bind(struct intent *intent);
void intent_deal_lapse(struct intent *intent, bool was_bound);
// After this, an intent whose deals_done reached deals_max is to be concluded.
void intent_deal_conclude(struct intent *intent);
// All places taken by bound deals: other vendors get `gone`.
bool intent_taken(const struct intent *intent);

#endif
