// The feed: releases that match a subscription and tombstones of those that ended. A release is kept in the home before
// anybody sees it, since an offer is bound to the keys it came with.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/values.h"

bool cursor_from_hex(const char *text, uint8_t cursor[CURSOR_BYTES])
{
	return strlen(text) == 2 * CURSOR_BYTES && hex_decode(text, cursor, CURSOR_BYTES);
}

// What the broker chose stands as it is; empty means "from the start".
static void cursor_to_hex(const ProtobufCBinaryData *cursor, char out[40])
{
	out[0] = '\0';
	if (cursor->len == CURSOR_BYTES)
		hex_encode(cursor->data, CURSOR_BYTES, out);
}

enum err feed_request(struct oyez_vendor *vendor, const struct id *subscription, const char *after, uint32_t max,
                      uint64_t wait_ms, Oyez__VendorReadBody *body, Oyez__Fetch *fetch, Oyez__FetchPair *pair,
                      uint8_t cursor[CURSOR_BYTES], struct oyez_error *error)
{
	(void)vendor;
	oyez__vendor_read_body__init(body);
	oyez__fetch__init(fetch);
	oyez__fetch_pair__init(pair);
	pair->subscription_id.data = (uint8_t *)subscription->bytes;
	pair->subscription_id.len = ID_BYTES;
	if (after[0] != '\0') {
		if (!cursor_from_hex(after, cursor))
			return vendor_fail(error, ERR_CURSOR_BAD, after);
		pair->after.data = cursor;
		pair->after.len = CURSOR_BYTES;
	}
	fetch->n_pairs = 1;
	fetch->wait_ms = (uint32_t)(wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
	fetch->max = max > 0 && max < FETCH_ITEMS_MAX ? max : FETCH_ITEMS_MAX;
	body->body_case = OYEZ__VENDOR_READ_BODY__BODY_FETCH;
	body->fetch = fetch;
	return ERR_OK;
}

static void remember_release(Oyez__VendorHome *state, const Oyez__FeedItem *item)
{
	struct release_id id = home_release_id(&item->release_id);
	Oyez__HomeRelease *release = home_release(state, &id);

	if (release != NULL)
		return;
	release = home_add_release(state);
	home_set_bytes(&release->id, id.bytes, RELEASE_ID_BYTES);
	home_set_bytes(&release->release, item->release.data, item->release.len);
	release->at_ms = item->at_ms;
}

static void remember_gone(Oyez__VendorHome *state, const Oyez__FeedItem *item)
{
	struct release_id id = home_release_id(&item->release_id);
	Oyez__HomeRelease *release = home_release(state, &id);

	if (release != NULL)
		release->gone = item->gone;
}

static void take_item(struct oyez_vendor *vendor, const Oyez__FeedItem *item, struct oyez_event *event)
{
	event->at_ms = item->at_ms;
	event->release_id = home_release_id(&item->release_id);
	event->has_release_id = true;
	cursor_to_hex(&item->cursor, event->cursor);
	if (item->release.len == 0) {
		event->kind = OYEZ_EVENT_GONE;
		event->reason = gone_reason_word(item->gone);
		remember_gone(vendor->home->state, item);
		return;
	}
	if (codec_decode_release(NULL, item->release.data, item->release.len, &event->release, NULL) != ERR_OK ||
	    event->release->release_id.len != RELEASE_ID_BYTES ||
	    memcmp(event->release->release_id.data, event->release_id.bytes, RELEASE_ID_BYTES) != 0) {
		event_problem(event, ERR_BAD_MESSAGE, "a release that cannot be read");
		return;
	}
	event->kind = OYEZ_EVENT_RELEASE;
	event->maybe = item->maybe;
	const Oyez__Config *config;
	event->demo = transport_config(vendor->transport, &config, NULL) == ERR_OK && config->demo;
	remember_release(vendor->home->state, item);
}

enum err feed_take(struct oyez_vendor *vendor, const Oyez__FetchReply *reply, const char *after,
                   struct oyez_events *out, struct oyez_error *error)
{
	enum err err;

	out->more = reply->more;
	snprintf(out->position, sizeof(out->position), "%s", after);
	if (reply->n_items == 0) {
		if (reply->n_scanned > 0)
			cursor_to_hex(&reply->scanned[0], out->position);
		return ERR_OK;
	}
	err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < reply->n_items; i++)
		take_item(vendor, reply->items[i], events_add(out));
	snprintf(out->position, sizeof(out->position), "%s", out->items[out->count - 1].cursor);
	vendor_home_prune(vendor->home->state, transport_now_ms(vendor->transport));
	err = vendor_home_commit(vendor->home, error);
	if (err != ERR_OK)
		oyez_events_free(out);
	return err;
}

enum err oyez_vendor_fetch(struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                           const char *after, uint32_t max, uint64_t wait_ms, struct oyez_events *out,
                           struct oyez_error *error)
{
	Oyez__VendorReadBody body;
	Oyez__Fetch fetch;
	Oyez__FetchPair pair, *pairs[1] = {&pair};
	uint8_t cursor[CURSOR_BYTES];
	char stored[40];
	Oyez__Reply *reply;
	enum err err;

	memset(out, 0, sizeof(*out));
	if (after == NULL) {
		err = vendor_home_refresh(vendor->home, error);
		if (err != ERR_OK)
			return err;
		oyez_vendor_cursor(vendor, reader, subscription, stored);
		after = stored;
	}
	err = feed_request(vendor, subscription, after, max, wait_ms, &body, &fetch, &pair, cursor, error);
	if (err != ERR_OK)
		return err;
	fetch.pairs = pairs;
	err = vendor_read(vendor, &body, fetch.wait_ms + VENDOR_WAIT_MARGIN_MS, &reply, error);
	if (err != ERR_OK)
		return err;
	if (reply->body_case != OYEZ__REPLY__BODY_FETCH)
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	else
		err = feed_take(vendor, reply->fetch, after, out, error);
	oyez__reply__free_unpacked(reply, NULL);
	return err;
}

// ---- places

void oyez_vendor_cursor(const struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                        char out[40])
{
	const Oyez__VendorHome *state = vendor->home->state;
	const Oyez__HomeSubscription *found;
	const ProtobufCBinaryData *cursor;

	out[0] = '\0';
	if (subscription == NULL) {
		snprintf(out, 40, "%llu",
		         (unsigned long long)(reader == OYEZ_READER_BOT ? state->bot_cursor : state->inbox_cursor));
		return;
	}
	found = home_subscription(state, subscription);
	if (found == NULL)
		return;
	cursor = reader == OYEZ_READER_BOT ? &found->bot_cursor : &found->watch_cursor;
	cursor_to_hex(cursor->len > 0 ? cursor : &found->start, out);
}

enum err oyez_vendor_confirm(struct oyez_vendor *vendor, enum oyez_reader reader, const struct id *subscription,
                             const char *cursor, struct oyez_error *error)
{
	Oyez__VendorHome *state;
	Oyez__HomeSubscription *found = NULL;
	uint8_t bytes[CURSOR_BYTES];
	enum err err;

	if (subscription != NULL && !cursor_from_hex(cursor, bytes))
		return vendor_fail(error, ERR_CURSOR_BAD, cursor);
	err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	state = vendor->home->state;
	if (subscription == NULL) {
		*(reader == OYEZ_READER_BOT ? &state->bot_cursor : &state->inbox_cursor) = strtoull(cursor, NULL, 10);
	} else {
		found = home_subscription(state, subscription);
		if (found != NULL)
			home_set_bytes(reader == OYEZ_READER_BOT ? &found->bot_cursor : &found->watch_cursor, bytes, CURSOR_BYTES);
	}
	return vendor_home_commit(vendor->home, error);
}

bool oyez_vendor_release_state(const struct oyez_vendor *vendor, const struct release_id *release, int *gone)
{
	const Oyez__HomeRelease *found = home_release(vendor->home->state, release);

	*gone = found != NULL ? (int)found->gone : 0;
	return found != NULL;
}

enum err oyez_vendor_explain(struct oyez_vendor *vendor, const struct id *subscription,
                             const struct release_id *release, Oyez__Explanation **out, struct oyez_error *error)
{
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	Oyez__ExplainRelease explain = OYEZ__EXPLAIN_RELEASE__INIT;
	Oyez__Reply *reply;
	enum err err;

	*out = NULL;
	explain.subscription_id.data = (uint8_t *)subscription->bytes;
	explain.subscription_id.len = ID_BYTES;
	explain.release_id.data = (uint8_t *)release->bytes;
	explain.release_id.len = RELEASE_ID_BYTES;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_EXPLAIN;
	body.explain = &explain;
	err = vendor_read(vendor, &body, VENDOR_TIMEOUT_MS, &reply, error);
	if (err != ERR_OK)
		return err;
	if (reply->body_case != OYEZ__REPLY__BODY_EXPLANATION) {
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	} else {
		*out = reply->explanation;
		reply->body_case = OYEZ__REPLY__BODY__NOT_SET;
		reply->explanation = NULL;
	}
	oyez__reply__free_unpacked(reply, NULL);
	return err;
}

enum err oyez_vendor_would_match(struct oyez_vendor *vendor, const Oyez__Filter *filter, uint64_t since_ms,
                                 Oyez__WouldMatchReply **out, struct oyez_error *error)
{
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	Oyez__WouldMatch would_match = OYEZ__WOULD_MATCH__INIT;
	Oyez__Reply *reply;
	enum err err;

	*out = NULL;
	would_match.filter = (Oyez__Filter *)filter;
	would_match.since_ms = since_ms;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_WOULD_MATCH;
	body.would_match = &would_match;
	err = vendor_read(vendor, &body, VENDOR_TIMEOUT_MS, &reply, error);
	if (err != ERR_OK)
		return err;
	if (reply->body_case != OYEZ__REPLY__BODY_WOULD_MATCH) {
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	} else {
		*out = reply->would_match;
		reply->body_case = OYEZ__REPLY__BODY__NOT_SET;
		reply->would_match = NULL;
	}
	oyez__reply__free_unpacked(reply, NULL);
	return err;
}
