// Guardians: envelopes, and home brokers reached through one. A home's transport has no connection of its own: its
// calls are the guardian's (call.c), wrapped once more (call_seal.c).
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/call.h"

enum { TIMEOUT_DEFAULT_MS = 30000 };

static enum err fail(struct oyez_error *error, enum err code, const char *detail)
{
	if (error) {
		error->code = code;
		snprintf(error->detail, sizeof(error->detail), "%.255s", detail ? detail : "");
	}
	return code;
}

void transport_set_account(struct transport *guardian, const struct sign_pair *account)
{
	guardian->account = *account;
	guardian->has_account = true;
}

enum err transport_open_through(struct transport *guardian, const uint8_t home_key[KEY_BYTES], struct transport **out)
{
	struct transport *home = calloc(1, sizeof(*home));
	*out = home;
	if (!home)
		return ERR_NO_MEMORY;
	home->event_fd = -1;
	home->through = guardian;
	memcpy(home->url.key, home_key, KEY_BYTES);
	home->url.has_key = home->pinned = true;
	snprintf(home->url.address, sizeof(home->url.address), "%s", guardian->url.address);
	return ERR_OK;
}

const char *transport_home_url(const struct transport *home)
{
	return home->home_url;
}

// ---- asking the guardian

enum err transport_account_start(struct transport *guardian, const Oyez__AccountRecord *record, uint64_t timeout_ms,
                                 void *tag, struct transport_call **out)
{
	*out = NULL;
	size_t count = oyez__account_record__get_packed_size(record);
	uint8_t *inner = malloc(count ? count : 1);
	if (!inner)
		return ERR_NO_MEMORY;
	oyez__account_record__pack(record, inner);
	return call_start(guardian, FRAME_ENVELOPE, CONTENT_ACCOUNT, inner, count,
	                  timeout_ms ? timeout_ms : TIMEOUT_DEFAULT_MS, tag, out);
}

enum err transport_account_finish(struct transport_call *call, Oyez__GuardianReply **reply, struct oyez_error *error)
{
	*reply = NULL;
	if (!call->error.code) {
		*reply = call->guardian_reply;
		call->guardian_reply = NULL;
	}
	return transport_call_finish(call, NULL, NULL, error);
}

enum err transport_account(struct transport *guardian, const Oyez__AccountRecord *record, uint64_t timeout_ms,
                           Oyez__GuardianReply **reply, struct oyez_error *error)
{
	*reply = NULL;
	enum err err = transport_config(guardian, NULL, error);
	if (err)
		return err;
	struct transport_call *call;
	err = transport_account_start(guardian, record, timeout_ms, NULL, &call);
	if (err)
		return fail(error, err, NULL);
	call_complete(call);
	return transport_account_finish(call, reply, error);
}

// ---- what a home says of itself, through its guardian

static enum err take_home(struct transport *home, const Oyez__GuardianReply *reply, struct oyez_error *error)
{
	bool one = reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_HOMES && reply->homes->n_items == 1;
	const Oyez__Home *item = one ? reply->homes->items[0] : NULL;
	if (!item || !item->config || memcmp(item->home_id.data, home->url.key, KEY_BYTES) != 0)
		return fail(error, ERR_BAD_MESSAGE, "the home's configuration expected");
	enum err err = transport_adopt_config(home, item->config, error);
	if (!err)
		snprintf(home->home_url, sizeof(home->home_url), "%s", item->url);
	return err;
}

enum err transport_refresh_home(struct transport *home, struct oyez_error *error)
{
	struct transport *guardian = home->through;
	Oyez__GetHome get = OYEZ__GET_HOME__INIT;
	get.home_id = (ProtobufCBinaryData){.data = home->url.key, .len = KEY_BYTES};
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_GET_HOME;
	record.get_home = &get;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian, &record, 0, &reply, error);
	if (!err)
		err = take_home(home, reply, error);
	if (!err && guardian->url.is_local && reply->now_ms)
		guardian->clock_offset_ms = (int64_t)reply->now_ms - (int64_t)clock_now_ms();
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

// ---- tokens

enum err transport_issue(struct transport *transport, const Oyez__IssueTokens *issue, Oyez__CustomerReply **reply,
                         struct oyez_error *error)
{
	*reply = NULL;
	enum err err = transport_config(transport, NULL, error);
	if (err)
		return err;
	size_t count = oyez__issue_tokens__get_packed_size(issue);
	uint8_t *inner = malloc(count ? count : 1);
	if (!inner)
		return fail(error, ERR_NO_MEMORY, NULL);
	oyez__issue_tokens__pack(issue, inner);
	struct transport_call *call;
	err = call_start(transport, transport->through ? FRAME_ENVELOPE : FRAME_CELL, CONTENT_ISSUE, inner, count,
	                 TIMEOUT_DEFAULT_MS, NULL, &call);
	if (err)
		return fail(error, err, NULL);
	call_complete(call);
	return transport_call_finish(call, reply, NULL, error);
}
