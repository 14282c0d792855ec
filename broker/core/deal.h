// A deal's life: accepted -> countersigned -> revealed -> concluded, or lapsed before the card was revealed.
#ifndef OYEZ_CORE_DEAL_H
#define OYEZ_CORE_DEAL_H

#include "proto/err.h"
#include "proto/id.h"

// Numbers as in proto/customer.proto (DealState).
enum deal_state { DEAL_ACCEPTED = 1, DEAL_COUNTERSIGNED, DEAL_REVEALED, DEAL_CONCLUDED, DEAL_LAPSED };
enum deal_event {
	DEAL_COUNTERSIGN, // by the vendor, before countersign_by
	DEAL_REVEAL,      // by the customer, before reveal_by
	DEAL_RECEIVE,     // the vendor's receipt
	DEAL_TIMEOUT,     // the clock passed the deadline of the present state
	DEAL_CANCEL,      // the intent was withdrawn before the countersignature
};

struct deal {
	struct id id, intent, offer, vendor;
	struct id accept_hash; // of the signed Accept
	uint8_t agreement_key[KEY_BYTES];
	uint8_t signature_hash[HASH_BYTES];
	uint8_t state;
	uint8_t lapsed_from; // state it lapsed from, 0 if it did not
	uint64_t accepted_at_ms, countersign_by_ms, reveal_by_ms;
	uint64_t countersigned_at_ms, revealed_at_ms, ended_at_ms;
	struct id countersign_hash, reveal_hash; // of the signed records, for repeats; zero before
};

// ERR_LAPSED, ERR_NOT_COUNTERSIGNED, ERR_NOT_REVEALED, ERR_DEAL_CLOSED, ERR_CONFLICT by the state it is in;
// ERR_DEAL_OPEN for a cancel of a countersigned or revealed deal. A receipt for a concluded deal is ERR_OK.
// A countersign or reveal at or after its deadline is ERR_LAPSED even before the time-out was applied.
// DEAL_TIMEOUT before the deadline is ERR_OK and changes nothing. *changed tells whether the state moved.
enum err deal_apply(struct deal *deal, enum deal_event event, uint64_t now_ms, int *changed);
// When DEAL_TIMEOUT is due in the present state; UINT64_MAX in an end state.
uint64_t deal_deadline_ms(const struct deal *deal);

#endif
