// How one request is wrapped for each try, and what its reply says. Every try is sealed anew: a cell to the broker's
// gateway key; towards a guardian an envelope, and in it, for a home broker, a cell. When to try again: call.c.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"

// ---- out

static enum err seal_cell(struct transport_call *call, uint8_t cell[CELL_BYTES])
{
	Oyez__Signed *customer = NULL;
	Oyez__IssueTokens *issue = NULL;
	Oyez__GetNotices *notices = NULL;
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	body.sent_at_ms = transport_now_ms(call->home);
	enum err err = ERR_OK;
	if (call->content == CONTENT_CUSTOMER) {
		err = codec_decode_signed(NULL, call->inner, call->inner_bytes, &customer, NULL);
		body.body_case = OYEZ__CELL_BODY__BODY_CUSTOMER;
		body.customer = customer;
	} else if (call->content == CONTENT_DEAL) {
		err = codec_decode_signed(NULL, call->inner, call->inner_bytes, &customer, NULL);
		body.body_case = OYEZ__CELL_BODY__BODY_DEAL;
		body.deal = customer;
	} else if (call->content == CONTENT_NOTICES) {
		notices = oyez__get_notices__unpack(NULL, call->inner_bytes, call->inner);
		err = notices ? ERR_OK : ERR_BAD_MESSAGE;
		body.body_case = OYEZ__CELL_BODY__BODY_NOTICES;
		body.notices = notices;
	} else {
		issue = oyez__issue_tokens__unpack(NULL, call->inner_bytes, call->inner);
		err = issue ? ERR_OK : ERR_BAD_MESSAGE;
		body.body_case = OYEZ__CELL_BODY__BODY_ISSUE;
		body.issue = issue;
	}
	uint8_t *bytes = NULL;
	size_t count = 0;
	if (!err)
		err = codec_encode(&body.base, &bytes, &count);
	if (!err)
		err = cell_seal_request(call->home->config->gateway_keys[0]->key.data, bytes, count, cell, &call->exchange);
	if (bytes)
		sodium_memzero(bytes, count);
	free(bytes);
	if (customer)
		oyez__signed__free_unpacked(customer, NULL);
	if (issue)
		oyez__issue_tokens__free_unpacked(issue, NULL);
	if (notices)
		oyez__get_notices__free_unpacked(notices, NULL);
	return err;
}

// Signs the record with the account key and seals it. `record` gets guardian and time.
static enum err seal_record(struct transport_call *call, Oyez__AccountRecord *record, uint8_t envelope[ENVELOPE_BYTES])
{
	struct transport *guardian = call->transport;
	if (!guardian->has_account)
		return ERR_ACCOUNT_UNKNOWN;
	uint8_t *bytes = NULL, *wrapped = NULL;
	size_t count = 0, wrapped_count = 0;
	Oyez__Signed *account = NULL;
	record->guardian_id = guardian->config->broker_id;
	record->made_at_ms = transport_now_ms(guardian);
	enum err err = codec_encode(&record->base, &bytes, &count);
	record->guardian_id = (ProtobufCBinaryData){0};
	if (!err)
		err = sign_wrap(&guardian->account, TAG_ACCOUNT, bytes, count, &wrapped, &wrapped_count);
	free(bytes);
	bytes = NULL;
	if (!err)
		err = codec_decode_signed(NULL, wrapped, wrapped_count, &account, NULL);
	free(wrapped);
	if (!err) {
		Oyez__EnvelopeBody body = OYEZ__ENVELOPE_BODY__INIT;
		body.sent_at_ms = transport_now_ms(guardian);
		body.account = account;
		err = codec_encode(&body.base, &bytes, &count);
		oyez__signed__free_unpacked(account, NULL);
	}
	if (!err)
		err =
		    envelope_seal_request(guardian->config->gateway_keys[0]->key.data, bytes, count, envelope, &call->envelope);
	free(bytes);
	return err;
}

static enum err seal_account(struct transport_call *call, uint8_t envelope[ENVELOPE_BYTES])
{
	Oyez__AccountRecord *record = oyez__account_record__unpack(NULL, call->inner_bytes, call->inner);
	if (!record)
		return ERR_BAD_MESSAGE;
	enum err err = seal_record(call, record, envelope);
	oyez__account_record__free_unpacked(record, NULL);
	return err;
}

static enum err seal_relay(struct transport_call *call, uint8_t envelope[ENVELOPE_BYTES])
{
	uint8_t cell[CELL_BYTES];
	enum err err = seal_cell(call, cell);
	if (err)
		return err;
	Oyez__RelayCell relay = OYEZ__RELAY_CELL__INIT;
	relay.home_id = (ProtobufCBinaryData){.data = call->home->url.key, .len = KEY_BYTES};
	relay.cell = (ProtobufCBinaryData){.data = cell, .len = CELL_BYTES};
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_RELAY;
	record.relay = &relay;
	return seal_record(call, &record, envelope);
}

enum err call_fill(struct transport_call *call, nng_msg **out)
{
	uint8_t sealed[ENVELOPE_BYTES];
	_Static_assert(ENVELOPE_BYTES >= CELL_BYTES, "room for either");
	const uint8_t *frame = sealed;
	size_t frame_bytes = call->kind == FRAME_ENVELOPE ? ENVELOPE_BYTES : CELL_BYTES;
	enum err err = ERR_OK;
	if (call->content == CONTENT_ACCOUNT) {
		err = seal_account(call, sealed);
	} else if (call->content == CONTENT_FRAME) {
		frame = call->inner;
		frame_bytes = call->inner_bytes;
	} else {
		err = call->home == call->transport ? seal_cell(call, sealed) : seal_relay(call, sealed);
	}
	if (err)
		return err;
	if (nng_msg_alloc(out, frame_bytes) != 0)
		return ERR_NO_MEMORY;
	memcpy(nng_msg_body(*out), frame, frame_bytes);
	return ERR_OK;
}

// ---- in

static bool is_relayed(const struct transport_call *call)
{
	return call->home != call->transport;
}

// What a frame in clear may say about a sealed request: anybody on the way can write one, so it never decides more
// than whether and how to try again.
static bool clear_error_allowed(const struct transport_call *call, enum err code)
{
	if (call->kind != FRAME_CELL && call->kind != FRAME_ENVELOPE)
		return true;
	return code < ERR_UNKNOWN_CATEGORY || code == ERR_CELL_STALE || code == ERR_CELL_REPLAYED ||
	       code == ERR_CELL_SEALED || (code >= ERR_BUSY && code < ERR_UNREACHABLE);
}

// A guardian speaks of its own part only: it must not pass for the home's word on a post or a deal.
static bool guardian_error_allowed(const struct transport_call *call, enum err code)
{
	return !is_relayed(call) || clear_error_allowed(call, code) || code == ERR_ACCOUNT_UNKNOWN ||
	       code == ERR_HOME_UNKNOWN || code == ERR_STALE || code == ERR_WRONG_BROKER || code == ERR_CONFIG_CONFLICT;
}

static void take_error(struct transport_call *call, const Oyez__Error *error)
{
	enum err code = (enum err)error->code;
	// Codes of the client's own side, and those this build does not know, are no answer of a broker; but a guardian
	// reports what it saw of a home.
	bool own = code >= ERR_UNREACHABLE && !(call->kind == FRAME_ENVELOPE && code == ERR_CONFIG_CONFLICT);
	if (code == ERR_OK || own || strcmp(err_name(code), err_name(ERR_UNKNOWN_ERROR)) == 0) {
		call->error.code = ERR_UNKNOWN_ERROR;
		snprintf(call->error.detail, sizeof(call->error.detail), "%s", error->name ? error->name : "");
		return;
	}
	call->error.code = code;
	snprintf(call->error.detail, sizeof(call->error.detail), "%s", error->detail ? error->detail : "");
}

static enum err open_cell_reply(struct transport_call *call, const uint8_t *frame, size_t frame_bytes)
{
	uint8_t plain[CELL_REPLY_PLAIN_BYTES];
	const uint8_t *message;
	size_t message_bytes;
	enum err err = cell_open_reply(&call->exchange, frame, frame_bytes, plain, &message, &message_bytes);
	if (!err)
		err = codec_decode_customer_reply(NULL, message, message_bytes, &call->customer_reply, NULL);
	if (!err && call->customer_reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_ERROR)
		take_error(call, call->customer_reply->error);
	sodium_memzero(plain, sizeof(plain));
	return err;
}

// The guardian's refusal, or the home's reply cell that it carried.
static enum err open_relayed(struct transport_call *call)
{
	Oyez__GuardianReply *reply = call->guardian_reply;
	if (reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_RELAYED)
		return open_cell_reply(call, reply->relayed.data, reply->relayed.len);
	if (reply->body_case != OYEZ__GUARDIAN_REPLY__BODY_ERROR)
		return ERR_BAD_FRAME;
	take_error(call, reply->error);
	// An unsealed error of the home comes as the guardian's: about a cell it may be of either.
	enum err code = call->error.code;
	call->layer = code == ERR_CELL_STALE || code == ERR_CELL_SEALED ? LAYER_EITHER : LAYER_GUARDIAN;
	return guardian_error_allowed(call, code) ? ERR_OK : ERR_BAD_FRAME;
}

static enum err open_envelope_reply(struct transport_call *call, const uint8_t *frame, size_t frame_bytes)
{
	uint8_t plain[ENVELOPE_REPLY_PLAIN_BYTES];
	const uint8_t *message;
	size_t message_bytes;
	enum err err = envelope_open_reply(&call->envelope, frame, frame_bytes, plain, &message, &message_bytes);
	if (!err)
		err = codec_decode_guardian_reply(NULL, message, message_bytes, &call->guardian_reply, NULL);
	sodium_memzero(plain, sizeof(plain));
	if (err || !call->guardian_reply)
		return err;
	if (is_relayed(call) && call->content != CONTENT_ACCOUNT)
		return open_relayed(call);
	if (call->guardian_reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_ERROR) {
		take_error(call, call->guardian_reply->error);
		call->layer = LAYER_GUARDIAN;
	}
	return ERR_OK;
}

static enum err open_clear_error(struct transport_call *call, const uint8_t *payload, size_t payload_bytes)
{
	Oyez__Error *error;
	enum err err = codec_decode_error(NULL, payload, payload_bytes, &error, NULL);
	if (err)
		return err;
	take_error(call, error);
	oyez__error__free_unpacked(error, NULL);
	if (call->kind == FRAME_ENVELOPE)
		call->layer = LAYER_GUARDIAN;
	return clear_error_allowed(call, call->error.code) ? ERR_OK : ERR_BAD_FRAME;
}

enum err call_open_frame(struct transport_call *call, const uint8_t *frame, size_t frame_bytes)
{
	enum frame_kind kind;
	enum err err = frame_kind_of(frame, frame_bytes, &kind);
	if (err)
		return err;
	const uint8_t *payload = frame + FRAME_HEADER_BYTES;
	size_t payload_bytes = frame_bytes - FRAME_HEADER_BYTES;
	call->layer = LAYER_NONE;
	if (kind == FRAME_ERROR)
		return open_clear_error(call, payload, payload_bytes);
	if (call->kind == FRAME_CELL && kind == FRAME_CELL_REPLY)
		return open_cell_reply(call, frame, frame_bytes);
	if (call->kind == FRAME_ENVELOPE && kind == FRAME_ENVELOPE_REPLY)
		return open_envelope_reply(call, frame, frame_bytes);
	if (call->kind == FRAME_REQUEST && kind == FRAME_REPLY) {
		err = codec_decode_reply(NULL, payload, payload_bytes, &call->reply, NULL);
		if (!err && call->reply->body_case == OYEZ__REPLY__BODY_ERROR)
			take_error(call, call->reply->error);
		return err;
	}
	if (call->kind == FRAME_ADMIN && kind == FRAME_ADMIN_REPLY) {
		err = codec_decode_admin_reply(NULL, payload, payload_bytes, &call->admin_reply, NULL);
		if (!err && call->admin_reply->body_case == OYEZ__ADMIN_REPLY__BODY_ERROR)
			take_error(call, call->admin_reply->error);
		return err;
	}
	return ERR_BAD_FRAME;
}

void call_drop_replies(struct transport_call *call)
{
	if (call->customer_reply)
		oyez__customer_reply__free_unpacked(call->customer_reply, NULL);
	if (call->reply)
		oyez__reply__free_unpacked(call->reply, NULL);
	if (call->admin_reply)
		oyez__admin_reply__free_unpacked(call->admin_reply, NULL);
	if (call->guardian_reply)
		oyez__guardian_reply__free_unpacked(call->guardian_reply, NULL);
	call->customer_reply = NULL;
	call->reply = NULL;
	call->admin_reply = NULL;
	call->guardian_reply = NULL;
}
