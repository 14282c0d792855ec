// Erasure: asked for by the customer, answered by the vendor with a receipt or a refusal that the broker cannot read.
// It sees who asked whom, when, and whether the answer came in time. One request per deal.
#include <stdio.h>

#include "internal.h"

// ---- asking

static enum err erase_check(struct service *service, const struct command *command, const struct deal *deal,
                            const Oyez__Erase *erase)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (deal->state != DEAL_REVEALED && deal->state != DEAL_CONCLUDED)
		return ERR_NOT_REVEALED; // the vendor has nothing
	// The record may have waited in a queue on its way.
	if (erase->answer_by_ms + RECORD_AGE_MS_MAX < service->now_ms + DAY_MS ||
	    erase->answer_by_ms > service->now_ms + ERASURE_ANSWER_MS + RECORD_AGE_MS_MAX) {
		snprintf(service->detail.text, sizeof service->detail.text, "erase.answer_by_ms");
		return ERR_BAD_VALUE;
	}
	return ERR_OK;
}

static void tell_vendor(struct service *service, const struct command *command, const struct deal *deal)
{
	Oyez__InboxItem item = deal_inbox_item(service, deal);
	item.body_case = OYEZ__INBOX_ITEM__BODY_ERASURE;
	item.erasure = wire_unpack(&service->arena, &oyez__signed__descriptor, command->payload_bytes.at,
	                           command->payload_bytes.count);
	assert(item.erasure);
	inbox_add(service, &deal->vendor, &item);
}

static enum err erase_new(struct service *service, const struct command *command, const struct deal *deal,
                          struct deal_after *after, const Oyez__Erase *erase)
{
	enum err err = erase_check(service, command, deal, erase);
	if (err)
		return err;
	after->erase_hash = command->record_hash;
	after->erase_asked_ms = service->now_ms;
	after->erase_by_ms = erase->answer_by_ms;
	store_after_put(service->store, after);
	store_timer_add(service->store, after->erase_by_ms, TIMER_ERASURE, &deal->id);
	tell_vendor(service, command, deal);
	STANDING_COUNT(service, &deal->vendor, erasures_asked);
	return ERR_OK;
}

enum err handle_erase(struct service *service, const struct command *command, const Oyez__Erase *erase)
{
	struct deal deal;
	struct deal_after after;
	enum err err = deal_of_customer(service, command, &deal);
	if (err)
		return err;
	store_after_find(service->store, &deal.id, &after);
	if (!after.erase_asked_ms)
		err = erase_new(service, command, &deal, &after, erase);
	else if (after.erase_result && !id_equal(&after.erase_hash, &command->record_hash))
		err = ERR_ERASURE_ANSWERED;
	if (err)
		return err;
	// Of the request that stands: another one while it is open adds nothing.
	reply_ack(service, command, &after.erase_hash);
	return ERR_OK;
}

// ---- answering

// Late is counted once, whichever comes first: the answer or the end of the time.
static void count_answer(struct service *service, const struct id *vendor, struct deal_after *after)
{
	if (after->erase_counted)
		return;
	after->erase_counted = 1;
	if (after->erase_result && after->erase_answered_ms < after->erase_by_ms)
		STANDING_COUNT(service, vendor, erasures_in_time);
	else
		STANDING_COUNT(service, vendor, erasures_late);
}

static enum err answer_new(struct service *service, const struct command *command, const struct deal *deal,
                           struct deal_after *after, const Oyez__AnswerErasure *message)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (!after->erase_asked_ms || memcmp(after->erase_hash.bytes, message->request_hash.data, ID_BYTES) != 0)
		return ERR_ERASURE_UNKNOWN;
	if (after->erase_result)
		return ERR_ERASURE_ANSWERED;
	after->erase_result = (uint8_t)message->result;
	after->erase_answer_hash = command->record_hash;
	after->erase_answered_ms = due_now_ms(service);
	count_answer(service, &deal->vendor, after);
	store_timer_remove(service->store, after->erase_by_ms, TIMER_ERASURE, &deal->id);
	Oyez__ErasureAnswer answer = OYEZ__ERASURE_ANSWER__INIT;
	Oyez__DealItem item;
	oyez__deal_item__init(&item);
	answer.result = message->result;
	answer.sealed = message->sealed;
	item.body_case = OYEZ__DEAL_ITEM__BODY_ERASURE;
	item.erasure = &answer;
	deal_box_add(service, after, &item);
	store_after_put(service->store, after);
	return ERR_OK;
}

enum err handle_answer_erasure(struct service *service, const struct command *command,
                               const Oyez__AnswerErasure *message)
{
	struct deal deal;
	struct deal_after after;
	enum err err = deal_of_vendor(service, command, message->deal_id, &deal);
	if (err)
		return err;
	store_after_find(service->store, &deal.id, &after);
	if (!after.erase_result || !id_equal(&after.erase_answer_hash, &command->record_hash))
		err = answer_new(service, command, &deal, &after, message);
	if (err)
		return err;
	reply_ack(service, command, &deal.id);
	return ERR_OK;
}

void erasure_overdue(struct service *service, const struct id *id)
{
	struct deal deal;
	struct deal_after after;
	if (!store_deal_find(service->store, id, &deal) || !store_after_find(service->store, id, &after))
		return;
	count_answer(service, &deal.vendor, &after);
	store_after_put(service->store, &after);
}
