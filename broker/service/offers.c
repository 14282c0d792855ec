// Offers: made, replaced, withdrawn, declined. Accepting one opens a deal and stands in deals.c.
#include "hold.h"
#include "internal.h"

// Rows one vendor may cause for one intent, replaced offers included.
enum { OFFERS_PER_VENDOR_MAX = 32 };

bool offer_open(const struct service *service, const struct offer *offer)
{
	return offer->state == OFFER_OPEN && offer->expires_at_ms > due_now_ms(service);
}

static enum err check_offer(struct service *service, const Oyez__SendOffer *message, const struct offer_list *offers)
{
	size_t standing = 0, own = 0;
	bool own_standing = false;
	if (message->expires_at_ms <= service->now_ms)
		return ERR_OFFER_EXPIRED;
	if (message->expires_at_ms > service->now_ms + EXPIRES_MS_MAX + RECORD_AGE_MS_MAX)
		return ERR_BAD_VALUE;
	for (size_t i = 0; i < offers->count; i++) {
		const struct offer *offer = &offers->items[i];
		bool mine = id_equal(&offer->vendor, &service->vendor.id);
		bool stands = offer_open(service, offer) || offer->state == OFFER_ACCEPTED;
		own += mine;
		own_standing |= mine && offer_open(service, offer);
		standing += stands && (mine || !offer->dropped);
	}
	// One that replaces its predecessor adds nothing.
	if (own >= OFFERS_PER_VENDOR_MAX || (!own_standing && standing >= service->config.offers_per_intent_max))
		return ERR_OFFER_LIMIT;
	return ERR_OK;
}

// The vendor's standing offers give way to the new one. If one of them was made later, the new one came late and
// gives way itself.
static void replace_older(struct service *service, const struct intent *intent, const struct offer_list *offers,
                          struct offer *new_offer)
{
	for (size_t i = 0; i < offers->count; i++) {
		struct offer *old = &offers->items[i];
		if (!offer_open(service, old) || !id_equal(&old->vendor, &new_offer->vendor))
			continue;
		if (old->made_at_ms > new_offer->made_at_ms) {
			new_offer->state = OFFER_REPLACED;
			continue;
		}
		if (offer_apply(old, OFFER_REPLACE, due_now_ms(service)) != ERR_OK)
			continue;
		if (!old->dropped)
			store_mailbox_remove(service->store, intent, old->mailbox_seq);
		store_offer_put(service->store, old);
	}
}

static void deliver(struct service *service, struct intent *intent, const Oyez__SendOffer *message, struct offer *offer)
{
	Oyez__VendorMessage delivered = OYEZ__VENDOR_MESSAGE__INIT;
	delivered.id = message->offer_id;
	delivered.expires_at_ms = message->expires_at_ms;
	delivered.sealed = message->sealed;
	answer_deliver(service, intent, true, &delivered, &offer->mailbox_seq);
}

static bool offered_before(const struct offer_list *offers, const struct id *vendor)
{
	for (size_t i = 0; i < offers->count; i++)
		if (id_equal(&offers->items[i].vendor, vendor))
			return true;
	return false;
}

static enum err offer_new(struct service *service, const struct command *command, const Oyez__SendOffer *message)
{
	struct intent intent;
	bool excluded;
	struct release_id release = release_id_of_wire(message->release_id);
	enum err err = check_fresh(service, command);
	if (!err)
		err = answer_check(service, &release, &intent, &excluded);
	if (err)
		return err;
	struct offer_list offers = offers_of(service, &intent.id);
	err = check_offer(service, message, &offers);
	if (err)
		return err;
	// Before the delivery, which shows it. An intent counts once, and so does one whose customer excludes the vendor.
	if (!offered_before(&offers, &service->vendor.id))
		STANDING_COUNT(service, &service->vendor.id, offers);
	struct offer offer = {
	    .id = id_of_wire(message->offer_id),
	    .intent = intent.id,
	    .vendor = service->vendor.id,
	    .record_hash = command->record_hash,
	    .state = OFFER_OPEN,
	    .dropped = excluded,
	    .made_at_ms = command->made_at_ms,
	    .expires_at_ms = message->expires_at_ms,
	};
	replace_older(service, &intent, &offers, &offer);
	if (!excluded && offer.state == OFFER_OPEN)
		deliver(service, &intent, message, &offer);
	store_offer_put(service->store, &offer);
	service->wrote = true;
	service->numbers.offers++;
	return ERR_OK;
}

enum err handle_offer(struct service *service, const struct command *command, const Oyez__SendOffer *message)
{
	struct id id = id_of_wire(message->offer_id);
	struct offer known;
	if (store_offer_find(service->store, &id, &known)) {
		if (!id_equal(&known.record_hash, &command->record_hash))
			return ERR_CONFLICT;
	} else {
		enum err err = offer_new(service, command, message);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

static void deliver_withdrawal(struct service *service, const struct offer *offer)
{
	struct intent intent;
	if (offer->dropped || !store_intent_find(service->store, &offer->intent, &intent) || !intent_readable(&intent))
		return;
	store_mailbox_remove(service->store, &intent, offer->mailbox_seq);
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	item.body_case = OYEZ__MAILBOX_ITEM__BODY_OFFER_WITHDRAWN;
	item.offer_withdrawn = wire_id(&offer->id);
	mailbox_add(service, &intent, &item);
	store_intent_put(service->store, &intent);
}

enum err handle_withdraw_offer(struct service *service, const struct command *command,
                               const Oyez__WithdrawOffer *message)
{
	struct id id = id_of_wire(message->offer_id);
	struct offer offer;
	if (!store_offer_find(service->store, &id, &offer))
		return ERR_NOT_FOUND;
	if (!id_equal(&offer.vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (offer.state != OFFER_WITHDRAWN) {
		enum err err = check_fresh(service, command);
		if (!err)
			err = offer_apply(&offer, OFFER_WITHDRAW, due_now_ms(service));
		if (err)
			return err;
		store_offer_put(service->store, &offer);
		deliver_withdrawal(service, &offer);
		service->wrote = true;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

static void tell_declined(struct service *service, const struct intent *intent, const struct offer *offer,
                          const char *reason)
{
	Oyez__InboxDeclined declined = OYEZ__INBOX_DECLINED__INIT;
	declined.offer_id = wire_id(&offer->id);
	declined.reason = (char *)reason;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	item.release_id = wire_bytes(intent->release_id.bytes, RELEASE_ID_BYTES);
	item.body_case = OYEZ__INBOX_ITEM__BODY_DECLINED;
	item.declined = &declined;
	hold_item(service, intent, HELD_DECLINED, &offer->id, &offer->vendor, &item);
}

enum err handle_decline(struct service *service, const struct command *command, const Oyez__Decline *message)
{
	struct id id = id_of_wire(message->offer_id);
	struct intent intent;
	struct offer offer;
	if (!intent_load(service, &command->sender, &intent) || !store_offer_find(service->store, &id, &offer) ||
	    offer.dropped)
		return ERR_NOT_FOUND;
	if (!id_equal(&offer.intent, &intent.id))
		return ERR_NOT_YOURS;
	if (offer.state != OFFER_DECLINED) {
		enum err err = check_fresh(service, command);
		if (!err && !intent_live(&intent))
			err = ERR_GONE;
		if (!err)
			err = offer_apply(&offer, OFFER_DECLINE, due_now_ms(service));
		if (err)
			return err;
		store_offer_put(service->store, &offer);
		store_mailbox_remove(service->store, &intent, offer.mailbox_seq);
		tell_declined(service, &intent, &offer, message->reason);
		service->wrote = true;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

void offer_reopen(struct service *service, const struct id *id)
{
	struct offer offer;
	if (!store_offer_find(service->store, id, &offer) || offer.state != OFFER_ACCEPTED)
		return;
	offer_apply(&offer, OFFER_REOPEN, due_now_ms(service));
	struct offer_list offers = offers_of(service, &offer.intent);
	for (size_t i = 0; i < offers.count; i++) {
		const struct offer *other = &offers.items[i];
		if (offer_open(service, &offer) && offer_open(service, other) && id_equal(&other->vendor, &offer.vendor))
			offer_apply(&offer, OFFER_REPLACE, due_now_ms(service));
	}
	store_offer_put(service->store, &offer);
}
