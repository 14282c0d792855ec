// Several things at once on one connection: a long poll of the feed, one of the inbox, and messages on their way.
// The loop that uses it is clients/bot/bot_run.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"

static void forget_call(struct oyez_vendor *vendor, struct vendor_call *call)
{
	struct vendor_call **link = &vendor->calls;

	while (*link != NULL && *link != call)
		link = &(*link)->next;
	if (*link != NULL)
		*link = call->next;
	free(call);
}

static struct vendor_call *new_call(struct oyez_vendor *vendor)
{
	struct vendor_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->vendor = vendor;
	call->next = vendor->calls;
	vendor->calls = call;
	return call;
}

// ---- starting

static enum err start_body(struct oyez_vendor *vendor, struct vendor_call *call, Oyez__VendorReadBody *body,
                           uint64_t wait_ms, struct oyez_error *error)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__VendorRead read = OYEZ__VENDOR_READ__INIT;
	struct transport_call *started;
	uint8_t mac[32], *bytes = NULL;
	enum err err = vendor_session_ensure(vendor, error);

	if (err != ERR_OK)
		return err;
	err = vendor_read_request(vendor, body, &read, mac, &bytes);
	if (err == ERR_OK) {
		request.body_case = OYEZ__REQUEST__BODY_READ;
		request.read = &read;
		err = transport_request_start(vendor->transport, &request, wait_ms + VENDOR_WAIT_MARGIN_MS, call, &started);
	}
	free(bytes);
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, NULL);
}

static enum err start_read(struct oyez_vendor *vendor, struct vendor_call *call, struct oyez_error *error)
{
	Oyez__VendorReadBody body;
	Oyez__ReadInbox inbox;
	Oyez__Fetch fetch;
	Oyez__FetchPair pair, *pairs[1] = {&pair};
	uint8_t cursor[CURSOR_BYTES];
	enum err err;

	if (call->kind == VENDOR_CALL_INBOX) {
		err = inbox_request(call->after, call->max, call->wait_ms, &body, &inbox, error);
	} else {
		err = feed_request(vendor, &call->subscription, call->after, call->max, call->wait_ms, &body, &fetch, &pair,
		                   cursor, error);
		fetch.pairs = pairs;
	}
	return err == ERR_OK ? start_body(vendor, call, &body, call->wait_ms, error) : err;
}

static enum err start(struct oyez_vendor *vendor, struct vendor_call *call, const char *after, uint32_t max,
                      uint64_t wait_ms, struct oyez_error *error)
{
	enum err err;

	snprintf(call->after, sizeof(call->after), "%s", after);
	call->max = max;
	call->wait_ms = wait_ms;
	err = start_read(vendor, call, error);
	if (err != ERR_OK)
		forget_call(vendor, call);
	return err;
}

enum err oyez_vendor_fetch_start(struct oyez_vendor *vendor, const struct id *subscription, const char *after,
                                 uint32_t max, uint64_t wait_ms, struct oyez_error *error)
{
	struct vendor_call *call = new_call(vendor);

	call->kind = VENDOR_CALL_FETCH;
	call->subscription = *subscription;
	return start(vendor, call, after, max, wait_ms, error);
}

enum err oyez_vendor_inbox_start(struct oyez_vendor *vendor, const char *after, uint32_t max, uint64_t wait_ms,
                                 struct oyez_error *error)
{
	struct vendor_call *call = new_call(vendor);

	call->kind = VENDOR_CALL_INBOX;
	return start(vendor, call, after, max, wait_ms, error);
}

static bool under_way(const struct oyez_vendor *vendor, const Oyez__HomePending *pending)
{
	for (const struct vendor_call *call = vendor->calls; call != NULL; call = call->next) {
		if (call->kind == VENDOR_CALL_PENDING && call->pending == pending->kind &&
		    home_is_id(&pending->object_id, &call->object))
			return true;
	}
	return false;
}

static enum err send_one(struct oyez_vendor *vendor, const Oyez__HomePending *pending, bool again,
                         struct oyez_error *error)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	struct vendor_call *call;
	struct transport_call *started;
	enum err err;

	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = outbox_signed(pending);
	if (request.vendor == NULL)
		return vendor_fail(error, ERR_WALLET_DAMAGED, "a pending record");
	call = new_call(vendor);
	call->kind = VENDOR_CALL_PENDING;
	call->pending = pending->kind;
	call->object = home_id(&pending->object_id);
	call->again = again;
	err = transport_request_start(vendor->transport, &request, VENDOR_TIMEOUT_MS, call, &started);
	oyez__signed__free_unpacked(request.vendor, NULL);
	if (err == ERR_OK)
		return ERR_OK;
	forget_call(vendor, call);
	return vendor_fail(error, err, NULL);
}

enum err oyez_vendor_send_start(struct oyez_vendor *vendor, struct oyez_error *error)
{
	enum err err = vendor->home->locked ? vendor_home_commit(vendor->home, error) : ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < vendor->home->state->n_pending; i++) {
		const Oyez__HomePending *pending = vendor->home->state->pending[i];

		if (!under_way(vendor, pending))
			err = send_one(vendor, pending, false, error);
	}
	return err;
}

// ---- finishing

static enum oyez_done_kind done_kind(Oyez__HomePendingKind kind)
{
	switch (kind) {
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER:
		return OYEZ_DONE_OFFER;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_QUESTION:
		return OYEZ_DONE_QUESTION;
	case OYEZ__HOME_PENDING_KIND__HOME_PENDING_COUNTERSIGN:
		return OYEZ_DONE_COUNTERSIGN;
	default:
		return OYEZ_DONE_OTHER;
	}
}

// A read whose session is unknown is started once more. True if it is under way again.
static bool read_again(struct oyez_vendor *vendor, struct vendor_call *call, struct oyez_done *done)
{
	if (done->result != ERR_SESSION_UNKNOWN || call->again)
		return false;
	call->again = true;
	vendor_session_drop(vendor);
	done->result = start_read(vendor, call, &done->error);
	return done->result == ERR_OK;
}

// An old record the broker never saw is signed anew and started once more.
static bool record_again(struct oyez_vendor *vendor, struct vendor_call *call, struct oyez_done *done)
{
	const Oyez__HomePending *pending;
	struct oyez_error error;

	if (done->result != ERR_STALE || call->again)
		return false;
	if (outbox_renew(vendor, call->pending, &call->object, &error) != ERR_OK)
		return false;
	pending = home_pending(vendor->home->state, call->pending, &call->object);
	return pending != NULL && send_one(vendor, pending, true, &error) == ERR_OK;
}

static void take_read(struct oyez_vendor *vendor, const struct vendor_call *call, const Oyez__Reply *reply,
                      struct oyez_done *done)
{
	if (call->kind == VENDOR_CALL_FETCH && reply->body_case == OYEZ__REPLY__BODY_FETCH)
		done->result = feed_take(vendor, reply->fetch, call->after, &done->events, &done->error);
	else if (call->kind == VENDOR_CALL_INBOX && reply->body_case == OYEZ__REPLY__BODY_INBOX)
		done->result = inbox_take(vendor, reply->inbox, call->after, &done->events, &done->error);
	else
		done->result = vendor_fail(&done->error, ERR_BAD_MESSAGE, "an answer of another kind");
}

// True if `done` is to be told.
static bool finish(struct oyez_vendor *vendor, struct transport_call *finished, struct oyez_done *done)
{
	struct vendor_call *call = transport_call_tag(finished);
	Oyez__Reply *reply = NULL;
	struct oyez_error storing;
	bool again;

	memset(done, 0, sizeof(*done));
	done->result = transport_call_finish(finished, NULL, &reply, &done->error);
	done->subscription = call->subscription;
	done->object = call->object;
	if (call->kind == VENDOR_CALL_PENDING) {
		done->kind = done_kind(call->pending);
		again = record_again(vendor, call, done);
		if (!again && outbox_note(vendor, call->pending, &call->object, done->result, NULL, &storing) != ERR_OK &&
		    done->result == ERR_OK) {
			done->result = storing.code;
			done->error = storing;
		}
	} else {
		done->kind = call->kind == VENDOR_CALL_FETCH ? OYEZ_DONE_FETCH : OYEZ_DONE_INBOX;
		again = read_again(vendor, call, done);
		if (!again && done->result == ERR_OK)
			take_read(vendor, call, reply, done);
	}
	if (reply != NULL)
		oyez__reply__free_unpacked(reply, NULL);
	// A read that goes on keeps its call; a record was given a new one.
	if (!again || call->kind == VENDOR_CALL_PENDING)
		forget_call(vendor, call);
	return !again;
}

void oyez_vendor_wait(struct oyez_vendor *vendor, uint64_t timeout_ms, struct oyez_done *done)
{
	for (;;) {
		struct transport_call *finished = transport_wait(vendor->transport, timeout_ms);

		if (finished == NULL) {
			// Many answers, one write. A failed one leaves the records pending: they are sent again.
			struct oyez_error ignored;

			if (vendor->home->locked)
				(void)vendor_home_commit(vendor->home, &ignored);
			memset(done, 0, sizeof(*done));
			return;
		}
		if (finish(vendor, finished, done))
			return;
	}
}
