// An intent after its post: its end in all its forms, withdrawal, status, the customer's named lists.
#include "broker/core/hold.h"
#include "hold.h"
#include "internal.h"

bool intent_readable(const struct intent *intent)
{
	return intent_live(intent) || intent->deals_open > 0;
}

bool intent_load(struct service *service, const struct id *id, struct intent *out)
{
	if (!store_intent_find(service->store, id, out))
		return false;
	if (intent_live(out) && out->expires_at_ms <= due_now_ms(service))
		intent_end(service, out, INTENT_EXPIRE);
	return true;
}

bool intent_load_released(struct service *service, const struct release_id *release, struct intent *out)
{
	struct id id;
	return store_intent_find_released(service->store, release, &id) && intent_load(service, &id, out);
}

// ---- the end

static bool has_deal(const struct offer_list *offers, const struct id *vendor)
{
	for (size_t i = 0; i < offers->count; i++)
		if (offers->items[i].state == OFFER_ACCEPTED && id_equal(&offers->items[i].vendor, vendor))
			return true;
	return false;
}

void tell_losers(struct service *service, const struct intent *intent, Oyez__GoneReason reason)
{
	struct offer_list offers = offers_of(service, &intent->id);
	for (size_t i = 0; i < offers.count; i++) {
		const struct offer *offer = &offers.items[i];
		if (!offer_open(service, offer) || has_deal(&offers, &offer->vendor))
			continue;
		Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
		item.release_id = wire_bytes(intent->release_id.bytes, RELEASE_ID_BYTES);
		item.body_case = OYEZ__INBOX_ITEM__BODY_GONE;
		item.gone = reason;
		inbox_add(service, &offer->vendor, &item);
	}
}

void intent_became_taken(struct service *service, struct intent *intent)
{
	if (intent->held) {
		hold_gone(service, intent, OYEZ__GONE_REASON__GONE_TAKEN, HOLD_GONE_MEAN_MS);
		return;
	}
	tell_losers(service, intent, OYEZ__GONE_REASON__GONE_TAKEN);
	if (intent->release_seq)
		feed_tombstone(service, intent, OYEZ__GONE_REASON__GONE_TAKEN);
}

static Oyez__GoneReason gone_reason_of(enum intent_event event)
{
	switch (event) {
	case INTENT_WITHDRAW:
		return OYEZ__GONE_REASON__GONE_WITHDRAWN;
	case INTENT_EXPIRE:
		return OYEZ__GONE_REASON__GONE_EXPIRED;
	case INTENT_CONCLUDE:
		return OYEZ__GONE_REASON__GONE_TAKEN;
	case INTENT_RELEASE:
		break;
	}
	return OYEZ__GONE_REASON__GONE_UNKNOWN;
}

static void count_end(struct service *service, enum intent_event event, bool was_released)
{
	service->numbers.intents_released -= was_released;
	service->numbers.withdrawn += event == INTENT_WITHDRAW;
	service->numbers.expired += event == INTENT_EXPIRE;
}

static void cancel_deals(struct service *service, struct intent *intent)
{
	struct deal_list deals = deals_of(service, &intent->id);
	for (size_t i = 0; i < deals.count; i++)
		if (deals.items[i].state == DEAL_ACCEPTED)
			deal_cancel(service, intent, &deals.items[i]);
}

// Those who wait for mail get what came with the end, then the mailbox goes; whoever still waits is told so.
static void close_mailbox(struct service *service, struct intent *intent)
{
	parking_flush(service, &intent->id);
	if (!intent_readable(intent))
		store_intent_wipe(service->store, intent);
	store_intent_put(service->store, intent);
	parking_flush(service, &intent->id);
}

enum err intent_end(struct service *service, struct intent *intent, enum intent_event event)
{
	bool was_released = intent->state == INTENT_RELEASED, was_taken = intent_taken(intent);
	enum err err = intent_apply(intent, event, due_now_ms(service));
	if (err)
		return err;
	count_end(service, event, was_released);
	waiting_remove(&service->waiting, &intent->release_id);
	store_timer_remove(service->store, intent->expires_at_ms, TIMER_INTENT_EXPIRE, &intent->id);
	if (event == INTENT_WITHDRAW)
		cancel_deals(service, intent);
	if (!was_released)
		box_drop(service, intent);
	if (was_released && intent->held) {
		if (!was_taken)
			hold_gone(service, intent, gone_reason_of(event),
			          event == INTENT_EXPIRE ? HOLD_EXPIRED_MEAN_MS : HOLD_GONE_MEAN_MS);
	} else if (was_released) {
		if (!was_taken) // else they were told when it was taken
			tell_losers(service, intent, gone_reason_of(event));
		if (intent->release_seq)
			feed_tombstone(service, intent, gone_reason_of(event));
	}
	// The row stays long enough that no copy of the post is fresh any more.
	uint64_t kept_ms = service->config.retention_ms > HOUR_MS ? service->config.retention_ms : HOUR_MS;
	store_timer_add(service->store, service->now_ms + kept_ms, TIMER_INTENT_FORGET, &intent->id);
	close_mailbox(service, intent);
	service->wrote = true;
	return ERR_OK;
}

void intent_after_deal(struct service *service, struct intent *intent)
{
	if (intent_live(intent) && intent->deals_done >= intent->deals_max) {
		enum err err = intent_end(service, intent, INTENT_CONCLUDE);
		assert(!err);
		(void)err;
	} else if (!intent_live(intent)) {
		close_mailbox(service, intent);
	} else {
		store_intent_put(service->store, intent);
	}
}

// ---- the customer's commands

// The receipt has the same bytes each time: its time is the intent's end.
static void reply_withdrawn(struct service *service, const struct command *command, const struct intent *intent)
{
	Oyez__WithdrawalReceipt receipt = OYEZ__WITHDRAWAL_RECEIPT__INIT;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	Oyez__Ack ack = OYEZ__ACK__INIT;
	receipt.intent_id = wire_id(&intent->id);
	receipt.broker_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	receipt.at_ms = intent->ended_at_ms;
	ack.id = wire_id(&intent->id);
	ack.proof = sign_message(service, TAG_WITHDRAWAL, &receipt.base);
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ACK;
	reply.ack = &ack;
	reply_customer(service, command->origin, &reply);
}

enum err handle_withdraw(struct service *service, const struct command *command, const Oyez__Withdraw *withdraw)
{
	struct intent intent;
	(void)withdraw;
	if (!intent_load(service, &command->sender, &intent))
		return ERR_NOT_FOUND;
	if (intent.state != INTENT_WITHDRAWN) {
		enum err err = check_fresh(service, command);
		if (!err)
			err = intent_end(service, &intent, INTENT_WITHDRAW);
		if (err)
			return err;
	}
	reply_withdrawn(service, command, &intent);
	return ERR_OK;
}

// More than STATUS_DEALS_MAX only happen to those who accept and let lapse again and again.
static void put_deals(struct service *service, const struct intent *intent, Oyez__Status *status)
{
	struct deal_list deals = deals_of(service, &intent->id);
	size_t skipped = deals.count > STATUS_DEALS_MAX ? deals.count - STATUS_DEALS_MAX : 0;
	status->deals = arena_alloc(&service->arena, deals.count * sizeof *status->deals);
	for (size_t i = 0; i < deals.count; i++) {
		if (skipped > 0 && deals.items[i].state == DEAL_LAPSED) {
			skipped--;
			continue;
		}
		Oyez__DealStatus *deal = arena_alloc(&service->arena, sizeof *deal);
		oyez__deal_status__init(deal);
		deal->deal_id = wire_id(&deals.items[i].id);
		deal->state = (Oyez__DealState)deals.items[i].state;
		status->deals[status->n_deals++] = deal;
	}
}

static void put_status(struct service *service, const struct intent *intent, bool estimate, Oyez__Status *out)
{
	Oyez__Status status = OYEZ__STATUS__INIT;
	status.intent_id = wire_id(&intent->id);
	status.state = (Oyez__IntentState)intent->state;
	if (intent_live(intent) && estimate) {
		status.crowd_want = intent->crowd_wish > service->config.crowd ? intent->crowd_wish : service->config.crowd;
		status.crowd_estimate = estimate_of(&service->estimate, &service->trees, &intent->facets, service->now_ms);
	}
	if (intent->state == INTENT_RELEASED)
		status.release = wire_pack(&service->arena, &release_message(service, intent, true)->base);
	put_deals(service, intent, &status);
	*out = status;
}

ProtobufCBinaryData status_bytes(struct service *service, const struct intent *intent)
{
	Oyez__Status status;
	put_status(service, intent, false, &status);
	return wire_pack(&service->arena, &status.base);
}

void reply_status(struct service *service, const struct command *command, const struct intent *intent)
{
	Oyez__Status status;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	put_status(service, intent, true, &status);
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_STATUS;
	reply.status = &status;
	reply_customer(service, command->origin, &reply);
}

enum err handle_read_status(struct service *service, const struct command *command, const Oyez__ReadStatus *read)
{
	struct intent intent;
	(void)read;
	if (!intent_load(service, &command->sender, &intent))
		return ERR_NOT_FOUND;
	reply_status(service, command, &intent);
	return ERR_OK;
}

// ---- named lists

static bool in_list(const ProtobufCBinaryData *list, size_t count, const struct id *vendor)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].len == ID_BYTES && memcmp(list[i].data, vendor->bytes, ID_BYTES) == 0)
			return true;
	return false;
}

bool vendor_excluded(struct service *service, const struct intent *intent, const struct id *vendor)
{
	struct bytes bytes;
	if (!intent->has_lists || !store_intent_post(service->store, intent, &service->arena, &bytes))
		return false;
	const Oyez__Post *post = wire_unpack(&service->arena, &oyez__post__descriptor, bytes.at, bytes.count);
	if (!post)
		return true;
	return in_list(post->block, post->n_block, vendor) ||
	       (post->n_allow > 0 && !in_list(post->allow, post->n_allow, vendor));
}
