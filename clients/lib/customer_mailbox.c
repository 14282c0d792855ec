// What came into an intent's mailbox goes into the wallet, after it was verified. What does not verify is reported as
// a problem and skipped: one bad message must not hold up the others.
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

// A vendor's newer offer replaces its older ones. False when this is one of those, or known.
static bool offers_replaced(Oyez__Wallet__Intent *intent, const struct vendor_note *note, uint64_t at_ms)
{
	for (size_t i = 0; i < intent->n_offers; i++) {
		Oyez__Wallet__Offer *older = intent->offers[i];
		if (field_is_id(&older->id, &note->id))
			return false;
		bool same_vendor =
		    older->vendor_key.len == KEY_BYTES && memcmp(older->vendor_key.data, note->vendor_key, KEY_BYTES) == 0;
		if (same_vendor && older->at_ms > at_ms) // a box may deliver out of turn
			return false;
		if (same_vendor && older->status == OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN)
			older->status = OYEZ__WALLET__OFFER_STATUS__OFFER_REPLACED;
	}
	return true;
}

static void add_offer(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct vendor_note *note,
                      const uint8_t *listing, size_t listing_bytes, uint64_t at_ms)
{
	if (!offers_replaced(intent, note, at_ms))
		return;
	Oyez__Wallet__Offer *offer = wallet_add_offer(intent);
	field_set_id(&offer->id, &note->id);
	field_set(&offer->signed_, note->signed_bytes, note->signed_count);
	field_set(&offer->listing, listing, listing_bytes);
	field_set(&offer->vendor_key, note->vendor_key, KEY_BYTES);
	field_set_signed(&offer->standing, note->standing);
	offer->at_ms = at_ms;
	struct id id = field_id(&intent->id);
	customer_event(customer, "offer", &id, offer_json(intent, offer));
}

static void add_question(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct vendor_note *note,
                         const uint8_t *listing, size_t listing_bytes, uint64_t at_ms)
{
	for (size_t i = 0; i < intent->n_questions; i++) {
		if (field_is_id(&intent->questions[i]->id, &note->id))
			return;
	}
	Oyez__Wallet__Question *question = wallet_add_question(intent);
	field_set_id(&question->id, &note->id);
	field_set(&question->signed_, note->signed_bytes, note->signed_count);
	field_set(&question->listing, listing, listing_bytes);
	field_set(&question->vendor_key, note->vendor_key, KEY_BYTES);
	field_set_signed(&question->standing, note->standing);
	question->at_ms = at_ms;
	struct id id = field_id(&intent->id);
	customer_event(customer, "question", &id, question_json(intent, question));
}

static enum err take_message(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                             const struct intent_keys *keys, const Oyez__VendorMessage *message, bool is_offer,
                             uint64_t at_ms)
{
	struct vendor_note note;
	enum err err = verify_vendor_message(keys, message, is_offer, &note);
	if (err)
		return err;
	if (is_offer && (err = counter_check(intent, &note))) {
		// Hidden; and the broker holds it for the vendor's newest, so those before it are over as well.
		offers_replaced(intent, &note, at_ms);
		vendor_note_free(&note);
		return err;
	}
	if (note.standing_err) // the offer counts, the record beside it does not
		customer_problem(customer, &keys->id, note.standing_err, "standing");
	size_t count = oyez__vouched_listing__get_packed_size(message->listing);
	uint8_t *listing = wallet_alloc(count);
	oyez__vouched_listing__pack(message->listing, listing);
	if (is_offer)
		add_offer(customer, intent, &note, listing, count, at_ms);
	else
		add_question(customer, intent, &note, listing, count, at_ms);
	wallet_allocator.free(NULL, listing);
	vendor_note_free(&note);
	return ERR_OK;
}

static void take_withdrawn(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                           const ProtobufCBinaryData *offer_id)
{
	struct id id = field_id(offer_id), intent_id = field_id(&intent->id);
	Oyez__Wallet__Offer *offer = wallet_offer(customer->wallet, &id, NULL);
	if (!offer || offer->status != OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN)
		return;
	offer->status = OYEZ__WALLET__OFFER_STATUS__OFFER_WITHDRAWN;
	customer_event(customer, "withdrawn", &intent_id, json_pack("{s:o}", "offer", json_hex(id.bytes, ID_BYTES)));
}

static enum err take_receipt(struct oyez_customer *customer, const struct intent_keys *keys,
                             const ProtobufCBinaryData *deal_id, uint64_t now_ms)
{
	struct id id = field_id(deal_id);
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &id);
	if (!deal || !field_is_id(&deal->intent_id, &keys->id))
		return ERR_NOT_FOUND;
	if (deal->state < OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED)
		return ERR_NOT_COUNTERSIGNED;
	deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_CONCLUDED, now_ms);
	return ERR_OK;
}

void mailbox_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                  const Oyez__MailboxItem *item, uint64_t now_ms)
{
	enum err err = ERR_OK;
	const char *what = "";
	switch (item->body_case) {
	case OYEZ__MAILBOX_ITEM__BODY_OFFER:
		what = "offer";
		err = take_message(customer, intent, keys, item->offer, true, item->at_ms);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_QUESTION:
		what = "question";
		err = take_message(customer, intent, keys, item->question, false, item->at_ms);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_OFFER_WITHDRAWN:
		take_withdrawn(customer, intent, &item->offer_withdrawn);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_OUTCOME:
		deal_lapsed(customer, keys, item->outcome, now_ms);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_COUNTERSIGNED:
		what = "countersigned";
		err = deal_countersigned(customer, keys, item->countersigned, now_ms);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_SUSPENDED:
		vendor_suspended_take(customer, intent, item->suspended);
		break;
	case OYEZ__MAILBOX_ITEM__BODY_RECEIPT:
		what = "receipt";
		err = take_receipt(customer, keys, &item->receipt, now_ms);
		break;
	default: // of a later version
		break;
	}
	if (err)
		customer_problem(customer, &keys->id, err, what);
}

enum err mailbox_apply(struct oyez_customer *customer, const struct intent_keys *keys, const Oyez__Mailbox *mailbox,
                       uint64_t now_ms, struct oyez_error *error)
{
	const Oyez__Wallet__Intent *seen = wallet_intent(customer->wallet, &keys->id);
	if (!seen || (mailbox->n_items == 0 && mailbox->next <= seen->mailbox_after))
		return ERR_OK;
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &keys->id);
	if (!intent) {
		wallet_abort(customer->wallet);
		return ERR_OK;
	}
	for (size_t i = 0; i < mailbox->n_items; i++) {
		const Oyez__MailboxItem *item = mailbox->items[i];
		if (item->seq <= intent->mailbox_after) // another program was faster
			continue;
		mailbox_take(customer, intent, keys, item, now_ms);
		intent->mailbox_after = item->seq;
	}
	if (mailbox->next > intent->mailbox_after)
		intent->mailbox_after = mailbox->next;
	answers_by_policy(customer, intent, keys, now_ms);
	return wallet_commit(customer->wallet, error);
}
