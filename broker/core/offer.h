// An offer's life: open -> replaced | withdrawn | declined | expired | accepted; accepted -> open again when its
// deal lapses before it expired.
#ifndef OYEZ_CORE_OFFER_H
#define OYEZ_CORE_OFFER_H

#include "proto/err.h"
#include "proto/id.h"

enum offer_state { OFFER_OPEN = 1, OFFER_REPLACED, OFFER_WITHDRAWN, OFFER_DECLINED, OFFER_EXPIRED, OFFER_ACCEPTED };
enum offer_event { OFFER_REPLACE, OFFER_WITHDRAW, OFFER_DECLINE, OFFER_EXPIRE, OFFER_ACCEPT, OFFER_REOPEN };

struct offer {
	struct id id, intent, vendor;
	struct id record_hash; // of the signed SendOffer
	uint8_t state;
	uint8_t dropped; // sender is excluded by the customer's lists: acknowledged, never delivered
	uint64_t made_at_ms, expires_at_ms;
	uint64_t mailbox_seq; // where it stands in the customer's mailbox
};

// ERR_OFFER_REPLACED, ERR_OFFER_WITHDRAWN, ERR_OFFER_DECLINED, ERR_OFFER_EXPIRED, ERR_OFFER_ACCEPTED by the state it is
// in. An offer at or past expires_at_ms counts as expired whatever its stored state says: OFFER_EXPIRE of an open offer
// and OFFER_REOPEN of an accepted one make it OFFER_EXPIRED, everything else is ERR_OFFER_EXPIRED. OFFER_EXPIRE is the
// caller's word and works before that time too. OFFER_REOPEN of an open offer is ERR_CONFLICT.
enum err offer_apply(struct offer *offer, enum offer_event event, uint64_t now_ms);

#endif
