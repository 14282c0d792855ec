// What acknowledgements, refusals and the broker's status mean for the wallet's records, and when keys are destroyed.
//
//   intent:  pending -> waiting -> released -> concluded | withdrawn | expired;   pending -> refused
//   deal:    (sent) -> accepted -> countersigned -> revealed -> concluded;   lapsed or refused before the reveal
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

#define AGREEMENT_KEY_KEPT_DAYS 30

// ---- deals

bool deal_is_open(const Oyez__Wallet__Deal *deal)
{
	return deal->state < OYEZ__DEAL_STATE__DEAL_CONCLUDED && !*deal->refusal;
}

bool intent_has_open_deal(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	struct id id = field_id(&intent->id);
	for (size_t i = 0; i < file->n_deals; i++) {
		if (field_is_id(&file->deals[i]->intent_id, &id) && deal_is_open(file->deals[i]))
			return true;
	}
	return false;
}

static void set_offer_status(struct oyez_customer *customer, const ProtobufCBinaryData *offer_id,
                             Oyez__Wallet__OfferStatus status)
{
	struct id id = field_id(offer_id);
	Oyez__Wallet__Offer *offer = wallet_offer(customer->wallet, &id, NULL);
	if (offer)
		offer->status = status;
}

static void deal_event(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal, const char *type)
{
	struct id intent = field_id(&deal->intent_id);
	customer_event(customer, type, &intent,
	               json_pack("{s:o, s:o, s:o}", "deal", json_binary(&deal->id), "vendor", json_binary(&deal->vendor_id),
	                         "vendor_name", json_text(deal->vendor_name)));
}

void deal_set_state(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, Oyez__DealState state, uint64_t now_ms)
{
	if (!deal_is_open(deal) || deal->state >= (uint32_t)state)
		return;
	deal->state = state;
	switch (state) {
	case OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED:
		deal->countersigned_at_ms = now_ms;
		deal_event(customer, deal, "countersigned");
		break;
	case OYEZ__DEAL_STATE__DEAL_REVEALED:
		deal->revealed_at_ms = now_ms;
		field_wipe(&deal->reveal);
		deal_event(customer, deal, "revealed");
		break;
	case OYEZ__DEAL_STATE__DEAL_CONCLUDED:
		// The receipt may overtake the acknowledgement of the reveal.
		if (!deal->revealed_at_ms)
			deal->revealed_at_ms = now_ms;
		deal->ended_at_ms = now_ms;
		field_wipe(&deal->reveal);
		deal_event(customer, deal, "concluded");
		break;
	case OYEZ__DEAL_STATE__DEAL_LAPSED:
		deal->ended_at_ms = now_ms;
		field_wipe(&deal->reveal);
		set_offer_status(customer, &deal->offer_id, OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN);
		deal_event(customer, deal, "lapsed");
		break;
	default:
		break;
	}
}

static void deal_refused(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, enum err code, uint64_t now_ms)
{
	field_set_text(&deal->refusal, err_name(code));
	deal->ended_at_ms = now_ms;
	field_wipe(&deal->reveal);
	field_wipe(&deal->agreement_seed);
	field_wipe(&deal->box_secret);
	Oyez__Wallet__OfferStatus status = OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN;
	if (code == ERR_OFFER_REPLACED)
		status = OYEZ__WALLET__OFFER_STATUS__OFFER_REPLACED;
	else if (code == ERR_OFFER_WITHDRAWN)
		status = OYEZ__WALLET__OFFER_STATUS__OFFER_WITHDRAWN;
	else if (code == ERR_OFFER_DECLINED)
		status = OYEZ__WALLET__OFFER_STATUS__OFFER_DECLINED;
	set_offer_status(customer, &deal->offer_id, status);
	deal_event(customer, deal, "refused");
}

// ---- intents

static void destroy_keys(Oyez__Wallet__Intent *intent)
{
	field_wipe(&intent->seed);
	field_wipe(&intent->reply_secret);
}

void customer_intent_end(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                         Oyez__Wallet__IntentStatus status, uint64_t now_ms)
{
	if (intent->status != status) {
		struct id id = field_id(&intent->id);
		intent->status = status;
		intent->ended_at_ms = now_ms;
		customer_event(customer, status == OYEZ__WALLET__INTENT_STATUS__INTENT_REFUSED ? "refused" : "ended", &id,
		               json_pack("{s:s}", "status", intent_status_word(customer, intent)));
	}
	// An open deal still needs them, to reveal and to hear of the receipt.
	if (!intent_has_open_deal(customer, intent))
		destroy_keys(intent);
}

// Those of a deal open the answer to a request to erase: they stay while one is waited for.
static bool deal_keys_are_over(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	uint64_t until_ms = deal->ended_at_ms + (deal->retention_days + AGREEMENT_KEY_KEPT_DAYS) * DAY_MS;
	uint64_t answer_ms = deal->erase_by_ms + AGREEMENT_KEY_KEPT_DAYS * DAY_MS;
	if (deal->erase_by_ms && !deal->erase_answered_at_ms && answer_ms > until_ms)
		until_ms = answer_ms;
	return deal->agreement_seed.len && deal->ended_at_ms && now_ms > until_ms;
}

bool keys_retire(struct oyez_customer *customer, uint64_t now_ms, bool destroy)
{
	bool due = false;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_intents; i++) {
		Oyez__Wallet__Intent *intent = file->intents[i];
		bool ended = intent->status >= OYEZ__WALLET__INTENT_STATUS__INTENT_CONCLUDED;
		if (ended && intent->seed.len && !intent_has_open_deal(customer, intent)) {
			due = true;
			if (destroy)
				destroy_keys(intent);
		}
	}
	for (size_t i = 0; i < file->n_deals; i++) {
		Oyez__Wallet__Deal *deal = file->deals[i];
		if (deal_keys_are_over(deal, now_ms)) {
			due = true;
			if (destroy) {
				field_wipe(&deal->agreement_seed);
				field_wipe(&deal->box_secret);
			}
		}
	}
	return due;
}

// ---- the broker's status

static enum err apply_release(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                              const ProtobufCBinaryData *bytes)
{
	struct id id = field_id(&intent->id);
	struct intent_keys keys;
	enum err err = intent_keys_load(customer, &id, &keys, NULL);
	Oyez__Release *release = NULL;
	if (!err)
		err = verify_release(&keys, bytes->data, bytes->len, &release);
	intent_keys_wipe(&keys);
	if (err)
		return err;
	oyez__release__free_unpacked(release, NULL);
	field_set(&intent->release, bytes->data, bytes->len);
	return ERR_OK;
}

static void apply_deals(struct oyez_customer *customer, const Oyez__Status *status, uint64_t now_ms)
{
	for (size_t i = 0; i < status->n_deals; i++) {
		struct id id = field_id(&status->deals[i]->deal_id);
		Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &id);
		Oyez__DealState state = status->deals[i]->state;
		if (!deal)
			continue;
		// Countersigned only by the signatures themselves, from the mailbox. The rest follows from what we sent.
		bool revealed = deal->state >= OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED;
		if (state == OYEZ__DEAL_STATE__DEAL_LAPSED || (state == OYEZ__DEAL_STATE__DEAL_CONCLUDED && revealed) ||
		    (state == OYEZ__DEAL_STATE__DEAL_REVEALED && revealed))
			deal_set_state(customer, deal, state, now_ms);
	}
}

enum err apply_status(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const Oyez__Status *status,
                      uint64_t now_ms)
{
	struct id id = field_id(&intent->id);
	if (status->state == OYEZ__INTENT_STATE__INTENT_WAITING || status->state == OYEZ__INTENT_STATE__INTENT_RELEASED) {
		intent->crowd_estimate = status->crowd_estimate;
		intent->crowd_want = status->crowd_want;
	}
	if (status->release.len && !intent->release.len && intent->seed.len) {
		enum err err = apply_release(customer, intent, &status->release);
		if (err)
			return err;
		customer_event(customer, "released", &id, NULL);
	}
	apply_deals(customer, status, now_ms);
	switch (status->state) {
	case OYEZ__INTENT_STATE__INTENT_WAITING:
		intent->status = OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING;
		break;
	case OYEZ__INTENT_STATE__INTENT_RELEASED:
		intent->status = OYEZ__WALLET__INTENT_STATUS__INTENT_RELEASED;
		break;
	case OYEZ__INTENT_STATE__INTENT_WITHDRAWN:
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_WITHDRAWN, now_ms);
		break;
	case OYEZ__INTENT_STATE__INTENT_EXPIRED:
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_EXPIRED, now_ms);
		break;
	case OYEZ__INTENT_STATE__INTENT_CONCLUDED:
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_CONCLUDED, now_ms);
		break;
	default:
		break;
	}
	return ERR_OK;
}

// ---- answers to what was sent

static Oyez__CustomerRecord__BodyCase pending_kind(const Oyez__Wallet__Pending *pending)
{
	Oyez__CustomerRecord *record = oyez__customer_record__unpack(NULL, pending->body.len, pending->body.data);
	Oyez__CustomerRecord__BodyCase kind = record ? record->body_case : OYEZ__CUSTOMER_RECORD__BODY__NOT_SET;
	if (record)
		oyez__customer_record__free_unpacked(record, NULL);
	return kind;
}

void apply_acknowledged(struct oyez_customer *customer, const Oyez__Wallet__Pending *pending,
                        const Oyez__CustomerReply *reply, uint64_t now_ms)
{
	struct id intent_id = field_id(&pending->intent_id), ref = field_id(&pending->ref);
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &intent_id);
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &ref);
	Oyez__Wallet__Question *question = wallet_question(customer->wallet, &ref, NULL);
	Oyez__Wallet__Offer *offer = wallet_offer(customer->wallet, &ref, NULL);
	if (!intent)
		return;
	switch (pending_kind(pending)) {
	case OYEZ__CUSTOMER_RECORD__BODY_POST:
		intent->status = OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING;
		if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_STATUS)
			apply_status(customer, intent, reply->status, now_ms);
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW:
		if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_ACK && reply->ack->proof)
			withdrawal_take(customer, intent, reply->ack->proof);
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_WITHDRAWN, now_ms);
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_DECLINE:
		if (offer)
			offer->status = OYEZ__WALLET__OFFER_STATUS__OFFER_DECLINED;
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_ANSWER:
		if (question) {
			question->status = OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED;
			question->answered_at_ms = now_ms;
		}
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_ACCEPT:
		if (deal) {
			deal->acknowledged = true;
			deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_ACCEPTED, now_ms);
		}
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_REVEAL:
		if (deal)
			deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_REVEALED, now_ms);
		break;
	default:
		break;
	}
}

void apply_refused(struct oyez_customer *customer, const Oyez__Wallet__Pending *pending, enum err code, uint64_t now_ms)
{
	struct id intent_id = field_id(&pending->intent_id), ref = field_id(&pending->ref);
	Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &intent_id);
	Oyez__Wallet__Deal *deal = wallet_deal(customer->wallet, &ref);
	Oyez__Wallet__Question *question = wallet_question(customer->wallet, &ref, NULL);
	if (!intent)
		return;
	switch (pending_kind(pending)) {
	case OYEZ__CUSTOMER_RECORD__BODY_POST:
		field_set_text(&intent->refusal, err_name(code));
		post_right_give_back(customer, intent, code, now_ms);
		customer_intent_end(customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_REFUSED, now_ms);
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_ANSWER:
		if (question)
			question->status = OYEZ__WALLET__QUESTION_STATUS__QUESTION_REFUSED;
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_ACCEPT:
		if (deal)
			deal_refused(customer, deal, code, now_ms);
		break;
	case OYEZ__CUSTOMER_RECORD__BODY_REVEAL:
		if (deal && code == ERR_DEAL_CLOSED)
			deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_CONCLUDED, now_ms);
		else if (deal && code == ERR_LAPSED)
			deal_set_state(customer, deal, OYEZ__DEAL_STATE__DEAL_LAPSED, now_ms);
		else
			customer_problem(customer, &intent_id, code, "reveal");
		break;
	default: // a withdrawal or a decline refused changes nothing; its caller is told
		break;
	}
}
