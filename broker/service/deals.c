// A deal: accepted, countersigned, revealed, concluded, or lapsed. The order of commands decides between a
// countersignature and its time-out, and between two accepts. The state's table stands in core/deal.c.
#include "internal.h"

// ---- shared steps

// Stores the deal and moves its timer to the deadline of the state it is in now.
static void deal_store(struct service *service, const struct deal *deal, uint64_t old_deadline_ms)
{
	uint64_t deadline_ms = deal_deadline_ms(deal);
	store_deal_put(service->store, deal);
	service->wrote = true;
	if (deadline_ms == old_deadline_ms)
		return;
	if (old_deadline_ms != UINT64_MAX)
		store_timer_remove(service->store, old_deadline_ms, TIMER_DEAL, &deal->id);
	if (deadline_ms != UINT64_MAX)
		store_timer_add(service->store, deadline_ms, TIMER_DEAL, &deal->id);
}

static Oyez__Signed *outcome_of(struct service *service, const struct deal *deal, Oyez__OutcomeResult result)
{
	Oyez__Outcome outcome = OYEZ__OUTCOME__INIT;
	outcome.deal_id = wire_id(&deal->id);
	outcome.result = result;
	outcome.at_ms = service->now_ms;
	outcome.broker_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	return sign_message(service, TAG_OUTCOME, &outcome.base);
}

static Oyez__InboxItem inbox_item_of(const struct intent *intent, const struct deal *deal)
{
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	item.release_id = wire_bytes(intent->release_id.bytes, RELEASE_ID_BYTES);
	item.deal_id = wire_id(&deal->id);
	return item;
}

static void tell_vendor_outcome(struct service *service, const struct intent *intent, const struct deal *deal,
                                Oyez__Signed *outcome)
{
	Oyez__InboxItem item = inbox_item_of(intent, deal);
	item.body_case = OYEZ__INBOX_ITEM__BODY_OUTCOME;
	item.outcome = outcome;
	inbox_add(service, &deal->vendor, &item);
}

// The deal moved to LAPSED. Counters, offer, and both sides' mail; the caller stores the intent.
static void lapsed(struct service *service, struct intent *intent, const struct deal *deal)
{
	Oyez__Signed *outcome = outcome_of(service, deal, OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED);
	tell_vendor_outcome(service, intent, deal, outcome);
	if (intent_readable(intent)) {
		Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
		item.body_case = OYEZ__MAILBOX_ITEM__BODY_OUTCOME;
		item.outcome = outcome;
		mailbox_add(service, intent, &item);
	}
	intent_deal_lapse(intent, deal->lapsed_from == DEAL_COUNTERSIGNED);
	offer_reopen(service, &deal->offer);
	service->numbers.deals_open--;
	service->numbers.lapsed++;
}

static void concluded(struct service *service, struct intent *intent, const struct deal *deal)
{
	intent_deal_conclude(intent);
	STANDING_COUNT(service, &deal->vendor, concluded);
	store_timer_add(service->store, deal->ended_at_ms + DEAL_KEEP_MS, TIMER_DEAL_FORGET, &deal->id);
	service->numbers.deals_open--;
	service->numbers.concluded++;
}

void deal_cancel(struct service *service, struct intent *intent, struct deal *deal)
{
	int changed;
	uint64_t old_deadline_ms = deal_deadline_ms(deal);
	if (deal_apply(deal, DEAL_CANCEL, due_now_ms(service), &changed) != ERR_OK || !changed)
		return;
	deal_store(service, deal, old_deadline_ms);
	lapsed(service, intent, deal);
}

// Accepted, and not countersigned in time; unless the time given was too short to hold it against anybody.
static bool lapsed_by_fault(const struct deal *deal)
{
	return deal->state == DEAL_LAPSED && deal->lapsed_from == DEAL_ACCEPTED &&
	       deal->countersign_by_ms - deal->accepted_at_ms >= FAULT_MS_MIN;
}

void deal_timeout(struct service *service, const struct id *id)
{
	struct deal deal;
	struct intent intent;
	int changed;
	if (!store_deal_find(service->store, id, &deal))
		return;
	uint64_t old_deadline_ms = deal_deadline_ms(&deal);
	enum err err = deal_apply(&deal, DEAL_TIMEOUT, due_now_ms(service), &changed);
	if (err || !changed || !store_intent_find(service->store, &deal.intent, &intent))
		return;
	deal_store(service, &deal, old_deadline_ms);
	if (lapsed_by_fault(&deal))
		STANDING_COUNT(service, &deal.vendor, lapsed_by_fault);
	if (deal.state == DEAL_LAPSED)
		lapsed(service, &intent, &deal);
	else
		concluded(service, &intent, &deal);
	intent_after_deal(service, &intent);
}

void deals_outlive(struct service *service, const struct intent *intent)
{
	struct deal_list deals = deals_of(service, &intent->id);
	for (size_t i = 0; i < deals.count; i++)
		if (deals.items[i].state == DEAL_CONCLUDED)
			store_deal_unlink(service->store, &deals.items[i]);
}

static enum err vendor_trusted(struct service *service, const struct id *id)
{
	struct vendor vendor;
	if (!store_vendor_find(service->store, id, &service->arena, &vendor))
		return ERR_VENDOR_UNKNOWN;
	return vendor.status == OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED ? ERR_VENDOR_SUSPENDED : ERR_OK;
}

// ---- accept

static enum err check_deadlines(const struct service *service, const Oyez__Accept *message)
{
	if (message->countersign_by_ms <= service->now_ms)
		return ERR_PAST_DATE;
	if (message->reveal_by_ms < message->countersign_by_ms ||
	    message->reveal_by_ms > service->now_ms + EXPIRES_MS_MAX + RECORD_AGE_MS_MAX)
		return ERR_BAD_VALUE;
	return ERR_OK;
}

static void tell_vendor_agreement(struct service *service, const struct intent *intent, const struct deal *deal,
                                  const Oyez__Accept *message)
{
	Oyez__InboxAgreement agreement = OYEZ__INBOX_AGREEMENT__INIT;
	agreement.offer_id = message->offer_id;
	agreement.agreement_key = message->agreement_key;
	agreement.countersign_by_ms = message->countersign_by_ms;
	agreement.reveal_by_ms = message->reveal_by_ms;
	agreement.sealed = message->sealed;
	Oyez__InboxItem item = inbox_item_of(intent, deal);
	item.body_case = OYEZ__INBOX_ITEM__BODY_AGREEMENT;
	item.agreement = &agreement;
	inbox_add(service, &deal->vendor, &item);
}

// Everything that may refuse an accept. Changes `intent` and `offer`, stores nothing.
static enum err accept_check(struct service *service, const struct command *command, const Oyez__Accept *message,
                             struct intent *intent, struct offer *offer)
{
	struct id offer_id = id_of_wire(message->offer_id);
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (!intent_live(intent))
		return ERR_GONE;
	if (intent->state == INTENT_WAITING)
		return ERR_NOT_RELEASED;
	if (!store_offer_find(service->store, &offer_id, offer) || offer->dropped)
		return ERR_NOT_FOUND;
	if (!id_equal(&offer->intent, &intent->id))
		return ERR_NOT_YOURS;
	if ((err = vendor_trusted(service, &offer->vendor)) || (err = check_deadlines(service, message)) ||
	    (err = offer_apply(offer, OFFER_ACCEPT, due_now_ms(service))))
		return err;
	return intent_deal_open(intent);
}

static enum err accept_new(struct service *service, const struct command *command, const Oyez__Accept *message)
{
	struct intent intent;
	struct offer offer;
	if (!intent_load(service, &command->sender, &intent))
		return ERR_NOT_FOUND;
	enum err err = accept_check(service, command, message, &intent, &offer);
	if (err)
		return err;
	struct deal deal = {
	    .id = id_of_wire(message->deal_id),
	    .intent = intent.id,
	    .offer = offer.id,
	    .vendor = offer.vendor,
	    .accept_hash = command->record_hash,
	    .state = DEAL_ACCEPTED,
	    .accepted_at_ms = service->now_ms,
	    .countersign_by_ms = message->countersign_by_ms,
	    .reveal_by_ms = message->reveal_by_ms,
	};
	memcpy(deal.agreement_key, message->agreement_key.data, KEY_BYTES);
	memcpy(deal.signature_hash, message->signature_hash.data, HASH_BYTES);
	deal_store(service, &deal, UINT64_MAX);
	store_offer_put(service->store, &offer);
	store_intent_put(service->store, &intent);
	tell_vendor_agreement(service, &intent, &deal, message);
	STANDING_COUNT(service, &deal.vendor, accepted);
	service->numbers.accepts++;
	service->numbers.deals_open++;
	return ERR_OK;
}

enum err handle_accept(struct service *service, const struct command *command, const Oyez__Accept *message)
{
	struct id id = id_of_wire(message->deal_id);
	struct deal known;
	if (store_deal_find(service->store, &id, &known)) {
		if (!id_equal(&known.accept_hash, &command->record_hash))
			return ERR_CONFLICT;
	} else {
		enum err err = accept_new(service, command, message);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

// ---- countersign

static enum err countersign_new(struct service *service, const struct command *command, struct deal *deal,
                                const Oyez__Countersign *message)
{
	int changed;
	struct intent intent;
	uint64_t old_deadline_ms = deal_deadline_ms(deal);
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (memcmp(message->signature_hash.data, deal->signature_hash, HASH_BYTES) != 0 ||
	    service->signer.countersign_check(service->signer.context, service->vendor.key, &deal->id, deal->signature_hash,
	                                      message->signature.data) != ERR_OK)
		return ERR_BAD_COUNTERSIGNATURE;
	err = deal_apply(deal, DEAL_COUNTERSIGN, due_now_ms(service), &changed);
	if (err)
		return err;
	if (!intent_load(service, &deal->intent, &intent))
		return ERR_GONE;
	deal->countersign_hash = command->record_hash;
	deal_store(service, deal, old_deadline_ms);
	intent_deal_bind(&intent);
	Oyez__Signed *outcome = outcome_of(service, deal, OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED);
	Oyez__Countersigned countersigned = OYEZ__COUNTERSIGNED__INIT;
	countersigned.deal_id = wire_id(&deal->id);
	countersigned.signature = message->signature;
	countersigned.outcome = outcome;
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	item.body_case = OYEZ__MAILBOX_ITEM__BODY_COUNTERSIGNED;
	item.countersigned = &countersigned;
	mailbox_add(service, &intent, &item);
	tell_vendor_outcome(service, &intent, deal, outcome);
	if (intent_live(&intent) && intent_taken(&intent))
		intent_became_taken(service, &intent);
	store_intent_put(service->store, &intent);
	service->numbers.countersigned++;
	return ERR_OK;
}

enum err handle_countersign(struct service *service, const struct command *command, const Oyez__Countersign *message)
{
	struct id id = id_of_wire(message->deal_id);
	struct deal deal;
	if (!store_deal_find(service->store, &id, &deal))
		return ERR_NOT_FOUND;
	if (!id_equal(&deal.vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (!id_equal(&deal.countersign_hash, &command->record_hash)) {
		enum err err = countersign_new(service, command, &deal, message);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

// ---- reveal and receipt

static enum err reveal_new(struct service *service, const struct command *command, struct deal *deal,
                           const Oyez__Reveal *message)
{
	int changed;
	struct intent intent;
	uint64_t old_deadline_ms = deal_deadline_ms(deal);
	enum err err = check_fresh(service, command);
	if (!err)
		err = vendor_trusted(service, &deal->vendor);
	if (!err)
		err = deal_apply(deal, DEAL_REVEAL, due_now_ms(service), &changed);
	if (err)
		return err;
	if (!intent_load(service, &deal->intent, &intent))
		return ERR_GONE;
	deal->reveal_hash = command->record_hash;
	deal_store(service, deal, old_deadline_ms);
	Oyez__InboxReveal reveal = OYEZ__INBOX_REVEAL__INIT;
	reveal.offer_id = wire_id(&deal->offer);
	reveal.sealed = message->sealed;
	Oyez__InboxItem item = inbox_item_of(&intent, deal);
	item.body_case = OYEZ__INBOX_ITEM__BODY_REVEAL;
	item.reveal = &reveal;
	inbox_add(service, &deal->vendor, &item);
	service->numbers.revealed++;
	return ERR_OK;
}

enum err handle_reveal(struct service *service, const struct command *command, const Oyez__Reveal *message)
{
	struct id id = id_of_wire(message->deal_id);
	struct deal deal;
	if (!store_deal_find(service->store, &id, &deal))
		return ERR_NOT_FOUND;
	if (!id_equal(&deal.intent, &command->sender))
		return ERR_NOT_YOURS;
	if (!id_equal(&deal.reveal_hash, &command->record_hash)) {
		enum err err = reveal_new(service, command, &deal, message);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

static enum err receipt_new(struct service *service, const struct command *command, struct deal *deal)
{
	int changed;
	struct intent intent;
	uint64_t old_deadline_ms = deal_deadline_ms(deal);
	enum err err = check_fresh(service, command);
	if (!err)
		err = deal_apply(deal, DEAL_RECEIVE, due_now_ms(service), &changed);
	if (err)
		return err;
	if (!intent_load(service, &deal->intent, &intent))
		return ERR_GONE;
	deal_store(service, deal, old_deadline_ms);
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	item.body_case = OYEZ__MAILBOX_ITEM__BODY_RECEIPT;
	item.receipt = wire_id(&deal->id);
	mailbox_add(service, &intent, &item);
	concluded(service, &intent, deal);
	intent_after_deal(service, &intent);
	return ERR_OK;
}

enum err handle_receipt(struct service *service, const struct command *command, const Oyez__Receipt *message)
{
	struct id id = id_of_wire(message->deal_id);
	struct deal deal;
	if (!store_deal_find(service->store, &id, &deal))
		return ERR_NOT_FOUND;
	if (!id_equal(&deal.vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (deal.state != DEAL_CONCLUDED) {
		enum err err = receipt_new(service, command, &deal);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}
