// Signed records on their way to the broker. What is signed is stored before it is first sent and resent byte for byte;
// it leaves the home with the broker's answer, which also decides what becomes of the offer, question or deal it was
// for.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"

bool outbox_keeps(enum err result)
{
	switch (result) {
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_BUSY:
	case ERR_UNAVAILABLE:
	case ERR_STOPPING:
	case ERR_STORAGE_FULL:
	case ERR_INTERNAL:
	case ERR_BROKER_CHANGED:
	case ERR_NO_MEMORY:
	case ERR_BAD_FRAME:
		return true;
	default:
		return false;
	}
}

Oyez__Signed *outbox_signed(const Oyez__HomePending *pending)
{
	return oyez__signed__unpack(NULL, pending->record.len, pending->record.data);
}

static enum err sign_record(struct oyez_vendor *vendor, Oyez__VendorRecord *body, ProtobufCBinaryData *out,
                            struct oyez_error *error)
{
	struct codec_detail detail = {""};
	uint8_t *record = NULL, *wrapped = NULL;
	size_t record_bytes, wrapped_bytes;
	enum err err;

	body->broker_id = vendor->home->state->broker_id;
	body->made_at_ms = transport_now_ms(vendor->transport);
	err = codec_check(&body->base, &detail);
	if (err == ERR_OK)
		err = codec_encode(&body->base, &record, &record_bytes);
	if (err == ERR_OK)
		err = sign_wrap(&vendor->identity, TAG_VENDOR, record, record_bytes, &wrapped, &wrapped_bytes);
	if (err == ERR_OK)
		home_set_bytes(out, wrapped, wrapped_bytes);
	free(record);
	free(wrapped);
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, detail.text);
}

enum err outbox_add(struct oyez_vendor *vendor, Oyez__VendorRecord *body, Oyez__HomePendingKind kind,
                    const struct id *object, struct oyez_error *error)
{
	Oyez__VendorHome *state = vendor->home->state;
	Oyez__HomePending *pending = home_pending(state, kind, object);
	enum err err;

	if (pending == NULL)
		pending = home_add_pending(state);
	pending->kind = kind;
	home_set_bytes(&pending->object_id, object->bytes, ID_BYTES);
	pending->made_at_ms = transport_now_ms(vendor->transport);
	err = sign_record(vendor, body, &pending->record, error);
	if (err != ERR_OK)
		home_remove_pending(state, pending);
	return err;
}

enum err outbox_renew(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object,
                      struct oyez_error *error)
{
	Oyez__HomePending *pending;
	Oyez__Signed *wrapped = NULL;
	Oyez__VendorRecord *body = NULL;
	ProtobufCBinaryData own;
	enum err err = vendor_home_begin(vendor->home, error);

	if (err != ERR_OK)
		return err;
	pending = home_pending(vendor->home->state, kind, object);
	wrapped = pending != NULL ? outbox_signed(pending) : NULL;
	if (wrapped != NULL)
		body = oyez__vendor_record__unpack(NULL, wrapped->record.len, wrapped->record.data);
	if (body == NULL) {
		vendor_home_abandon(vendor->home);
		err = vendor_fail(error, ERR_NOT_FOUND, NULL);
	} else {
		own = body->broker_id;
		pending->made_at_ms = transport_now_ms(vendor->transport);
		err = sign_record(vendor, body, &pending->record, error);
		body->broker_id = own; // sign_record lent it the home's
		if (err == ERR_OK)
			err = vendor_home_commit(vendor->home, error);
		else
			vendor_home_abandon(vendor->home);
	}
	if (body != NULL)
		oyez__vendor_record__free_unpacked(body, NULL);
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	return err;
}

// ---- what the broker's answer means

static void apply_offer(Oyez__VendorHome *state, const struct id *id, enum err result)
{
	Oyez__HomeOffer *offer = home_offer(state, id);
	Oyez__HomeRelease *release;
	struct release_id release_id;

	if (offer == NULL)
		return;
	release_id = home_release_id(&offer->release_id);
	if (result != ERR_OK) {
		offer->end = OYEZ__HOME_OFFER_END__HOME_OFFER_REFUSED;
		home_set_text(&offer->reason, err_name(result));
		release = home_release(state, &release_id);
		if (release != NULL && result == ERR_GONE && release->gone == 0)
			release->gone = OYEZ__GONE_REASON__GONE_WITHDRAWN;
		return;
	}
	offer->sent = true;
	for (size_t i = 0; i < state->n_offers; i++) {
		Oyez__HomeOffer *other = state->offers[i];
		struct release_id other_release = home_release_id(&other->release_id);

		if (other != offer && other->end == OYEZ__HOME_OFFER_END__HOME_OFFER_OPEN &&
		    other->made_at_ms <= offer->made_at_ms && release_id_equal(&other_release, &release_id))
			other->end = OYEZ__HOME_OFFER_END__HOME_OFFER_REPLACED;
	}
}

static void apply_question(Oyez__VendorHome *state, const struct id *id, enum err result)
{
	Oyez__HomeQuestion *question = home_question(state, id);

	if (question == NULL)
		return;
	if (result == ERR_OK)
		question->sent = true;
	else
		home_remove_question(state, question);
}

static void apply_deal(Oyez__VendorHome *state, Oyez__HomePendingKind kind, const struct id *id, enum err result,
                       uint64_t now_ms)
{
	Oyez__HomeDeal *deal = home_deal(state, id);
	Oyez__HomeDealState next = OYEZ__HOME_DEAL_STATE__HOME_DEAL_NONE;

	if (deal == NULL)
		return;
	if (result == ERR_LAPSED)
		next = OYEZ__HOME_DEAL_STATE__HOME_DEAL_LAPSED;
	else if (kind == OYEZ__HOME_PENDING_KIND__HOME_PENDING_COUNTERSIGN && result == ERR_OK)
		next = OYEZ__HOME_DEAL_STATE__HOME_DEAL_COUNTERSIGNED;
	else if (kind == OYEZ__HOME_PENDING_KIND__HOME_PENDING_RECEIPT && (result == ERR_OK || result == ERR_DEAL_CLOSED))
		next = OYEZ__HOME_DEAL_STATE__HOME_DEAL_CONCLUDED;
	if (next > deal->state) {
		deal->state = next;
		deal->at_ms = now_ms;
	}
}

static void apply_subscription(Oyez__VendorHome *state, Oyez__HomePendingKind kind, const struct id *id,
                               enum err result, const ProtobufCBinaryData *start)
{
	Oyez__HomeSubscription *subscription = home_subscription(state, id);
	bool remove = kind == OYEZ__HOME_PENDING_KIND__HOME_PENDING_SUBSCRIBE ? result != ERR_OK
	                                                                      : result == ERR_OK || result == ERR_NOT_FOUND;

	if (subscription == NULL)
		return;
	if (remove) {
		home_remove_subscription(state, subscription);
		return;
	}
	subscription->acknowledged = true;
	// Kept with the acknowledgement: without a cursor of ours the broker goes on behind the highest it sent, which a reply
	// lost on the way would skip.
	if (start != NULL && start->len == CURSOR_BYTES)
		home_set_bytes(&subscription->start, start->data, start->len);
}

enum err outbox_note(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object, enum err result,
                     const ProtobufCBinaryData *start, struct oyez_error *error)
{
	Oyez__VendorHome *state;
	Oyez__HomePending *pending;
	Oyez__HomeOffer *offer;
	enum err err;

	if (outbox_keeps(result))
		return ERR_OK;
	err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	state = vendor->home->state;
	pending = home_pending(state, kind, object);
	switch (kind) {
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_REGISTER:
		state->registered = state->registered || result == ERR_OK;
		break;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_SUBSCRIBE:
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_UNSUBSCRIBE:
		apply_subscription(state, kind, object, result, start);
		break;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_QUESTION:
		apply_question(state, object, result);
		break;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER:
		apply_offer(state, object, result);
		break;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_WITHDRAW:
		offer = home_offer(state, object);
		if (offer != NULL && (result == ERR_OK || result == ERR_OFFER_WITHDRAWN))
			offer->end = OYEZ__HOME_OFFER_END__HOME_OFFER_WITHDRAWN;
		break;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_MESSAGE:
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_ERASURE:
		break; // the receipt stands in the home already
	default:
		apply_deal(state, kind, object, result, transport_now_ms(vendor->transport));
		break;
	}
	if (pending != NULL)
		home_remove_pending(state, pending);
	return ERR_OK;
}

enum err outbox_apply(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object, enum err result,
                      const ProtobufCBinaryData *start, struct oyez_error *error)
{
	enum err err = outbox_note(vendor, kind, object, result, start, error);

	return err == ERR_OK && vendor->home->locked ? vendor_home_commit(vendor->home, error) : err;
}

// ---- sending

// `start` points to room for CURSOR_BYTES: filled, and its length set, where the acknowledgement carries a cursor.
static enum err send_once(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object,
                          ProtobufCBinaryData *start, struct oyez_error *error)
{
	const Oyez__HomePending *pending = home_pending(vendor->home->state, kind, object);
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__Reply *reply = NULL;
	enum err err;

	if (pending == NULL)
		return vendor_fail(error, ERR_NOT_FOUND, NULL);
	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = outbox_signed(pending);
	if (request.vendor == NULL)
		return vendor_fail(error, ERR_WALLET_DAMAGED, "a pending record");
	err = transport_request(vendor->transport, &request, VENDOR_TIMEOUT_MS, &reply, error);
	oyez__signed__free_unpacked(request.vendor, NULL);
	// A registration is answered with the vendor's state.
	if (err == ERR_OK && reply->body_case != OYEZ__REPLY__BODY_ACK && reply->body_case != OYEZ__REPLY__BODY_VENDOR)
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	if (err == ERR_OK && reply->body_case == OYEZ__REPLY__BODY_ACK && reply->ack->cursor.len == CURSOR_BYTES) {
		memcpy(start->data, reply->ack->cursor.data, CURSOR_BYTES);
		start->len = CURSOR_BYTES;
	}
	if (reply != NULL)
		oyez__reply__free_unpacked(reply, NULL);
	return err;
}

enum err outbox_send(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object,
                     struct oyez_error *error)
{
	struct oyez_error storing;
	uint8_t cursor[CURSOR_BYTES];
	ProtobufCBinaryData start = {0, cursor};
	enum err err = vendor->home->locked ? vendor_home_commit(vendor->home, error) : ERR_OK;

	if (err != ERR_OK)
		return err;
	err = send_once(vendor, kind, object, &start, error);
	if (err == ERR_STALE && outbox_renew(vendor, kind, object, &storing) == ERR_OK)
		err = send_once(vendor, kind, object, &start, error);
	if (outbox_apply(vendor, kind, object, err, &start, &storing) != ERR_OK && err == ERR_OK) {
		*error = storing;
		return storing.code;
	}
	return err;
}

enum err outbox_flush(struct oyez_vendor *vendor, struct oyez_error *error)
{
	// Counted beforehand: what stays pending is looked at once.
	for (size_t left = vendor->home->state->n_pending, at = 0; left > 0; left--) {
		const Oyez__VendorHome *state = vendor->home->state;
		size_t before = state->n_pending;
		struct id object;
		enum err err;

		if (at >= before)
			break;
		object = home_id(&state->pending[at]->object_id);
		err = outbox_send(vendor, state->pending[at]->kind, &object, error);
		if (err == ERR_UNREACHABLE || err == ERR_IO || err == ERR_BROKER_CHANGED)
			return err;
		at += vendor->home->state->n_pending >= before;
	}
	return ERR_OK;
}
