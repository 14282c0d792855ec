// Subscriptions: filters stored at the broker, with this home's places in what they give.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"

static ProtobufCBinaryData pack_filter(const Oyez__Filter *filter)
{
	ProtobufCBinaryData out;

	out.data = malloc(oyez__filter__get_packed_size(filter) + 1);
	if (out.data == NULL)
		abort();
	out.len = oyez__filter__pack(filter, out.data);
	return out;
}

bool oyez_vendor_find_subscription(const struct oyez_vendor *vendor, const Oyez__Filter *filter, bool for_bot,
                                   struct id *out)
{
	const Oyez__VendorHome *state = vendor->home->state;
	ProtobufCBinaryData wanted = pack_filter(filter);
	bool found = false;

	for (size_t i = 0; i < state->n_subscriptions && !found; i++) {
		const Oyez__HomeSubscription *subscription = state->subscriptions[i];

		found = subscription->acknowledged && subscription->for_bot == for_bot &&
		        subscription->filter.len == wanted.len &&
		        (wanted.len == 0 || memcmp(subscription->filter.data, wanted.data, wanted.len) == 0);
		if (found)
			*out = home_id(&subscription->id);
	}
	free(wanted.data);
	return found;
}

static void store(Oyez__VendorHome *state, const struct id *id, const Oyez__Filter *filter, bool for_bot,
                  uint64_t now_ms)
{
	Oyez__HomeSubscription *subscription = home_add_subscription(state);
	ProtobufCBinaryData packed = pack_filter(filter);

	home_set_bytes(&subscription->id, id->bytes, ID_BYTES);
	home_set_bytes(&subscription->filter, packed.data, packed.len);
	free(packed.data);
	subscription->made_at_ms = now_ms;
	subscription->for_bot = for_bot;
}

enum err oyez_vendor_subscribe(struct oyez_vendor *vendor, const Oyez__Filter *filter, bool for_bot, struct id *out,
                               struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__Subscribe subscribe = OYEZ__SUBSCRIBE__INIT;
	struct id temporary = {{0}};
	uint8_t random[16];
	Oyez__HomePending *pending;
	Oyez__Signed *wrapped;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err == ERR_OK)
		err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	randombytes_buf(random, sizeof(random));
	subscribe.filter = (Oyez__Filter *)filter;
	subscribe.random = (ProtobufCBinaryData){sizeof(random), random};
	body.body_case = OYEZ__VENDOR_RECORD__BODY_SUBSCRIBE;
	body.subscribe = &subscribe;
	// Its id is the hash of the signed record, so it is known only now.
	err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_SUBSCRIBE, &temporary, error);
	if (err != ERR_OK) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	pending = home_pending(vendor->home->state, OYEZ__HOME_PENDING_KIND__HOME_PENDING_SUBSCRIBE, &temporary);
	wrapped = outbox_signed(pending);
	if (wrapped == NULL)
		abort();
	*out = signed_id_of(TAG_RECORD_ID, wrapped);
	oyez__signed__free_unpacked(wrapped, NULL);
	home_set_bytes(&pending->object_id, out->bytes, ID_BYTES);
	store(vendor->home->state, out, filter, for_bot, transport_now_ms(vendor->transport));
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_SUBSCRIBE, out, error);
}

enum err oyez_vendor_unsubscribe(struct oyez_vendor *vendor, const struct id *id, struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__Unsubscribe unsubscribe = OYEZ__UNSUBSCRIBE__INIT;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err == ERR_OK)
		err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	unsubscribe.subscription_id = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)id->bytes};
	body.body_case = OYEZ__VENDOR_RECORD__BODY_UNSUBSCRIBE;
	body.unsubscribe = &unsubscribe;
	err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_UNSUBSCRIBE, id, error);
	if (err != ERR_OK) {
		vendor_home_abandon(vendor->home);
		return err;
	}
	return outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_UNSUBSCRIBE, id, error);
}

enum err oyez_vendor_subscriptions(struct oyez_vendor *vendor,
                                   void (*each)(const Oyez__Subscription *subscription, void *context), void *context,
                                   struct oyez_error *error)
{
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	Oyez__ListSubscriptions list = OYEZ__LIST_SUBSCRIPTIONS__INIT;
	bool more = true;

	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_LIST_SUBSCRIPTIONS;
	body.list_subscriptions = &list;
	while (more) {
		Oyez__Reply *reply;
		enum err err = vendor_read(vendor, &body, VENDOR_TIMEOUT_MS, &reply, error);

		if (err != ERR_OK)
			return err;
		if (reply->body_case != OYEZ__REPLY__BODY_SUBSCRIPTIONS) {
			oyez__reply__free_unpacked(reply, NULL);
			return vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
		}
		for (size_t i = 0; i < reply->subscriptions->n_items; i++)
			each(reply->subscriptions->items[i], context);
		list.offset += (uint32_t)reply->subscriptions->n_items;
		more = reply->subscriptions->more && reply->subscriptions->n_items > 0;
		oyez__reply__free_unpacked(reply, NULL);
	}
	return ERR_OK;
}

// ---- ids as people type them

enum { PREFIX_DIGITS_MIN = 6 };

static bool is_hex(const char *text)
{
	return text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

// Does `id` begin with the hex digits of `text`?
static bool begins_with(const ProtobufCBinaryData *id, const char *text)
{
	char hex[2 * ID_BYTES + 1];

	if (id->len == 0 || id->len > ID_BYTES)
		return false;
	hex_encode(id->data, id->len, hex);
	return strncasecmp(hex, text, strlen(text)) == 0;
}

enum err oyez_vendor_resolve(struct oyez_vendor *vendor, enum oyez_thing thing, const char *text, void *id,
                             struct oyez_error *error)
{
	const size_t id_bytes = thing == OYEZ_THING_RELEASE ? RELEASE_ID_BYTES : ID_BYTES;
	enum err err = vendor_home_refresh(vendor->home, error);
	const Oyez__VendorHome *state = vendor->home->state;
	const ProtobufCBinaryData *found = NULL;
	size_t matches = 0;

	if (err != ERR_OK)
		return err;
	if (strlen(text) < PREFIX_DIGITS_MIN || strlen(text) > 2 * id_bytes || !is_hex(text))
		return vendor_fail(error, ERR_BAD_VALUE, "an id is hex digits, at least the first six");
#define LOOK(list)                                                                                                     \
	for (size_t i = 0; i < state->n_##list; i++) {                                                                     \
		if (begins_with(&state->list[i]->id, text)) {                                                                  \
			found = &state->list[i]->id;                                                                               \
			matches++;                                                                                                 \
		}                                                                                                              \
	}
	if (thing == OYEZ_THING_SUBSCRIPTION)
		LOOK(subscriptions)
	else if (thing == OYEZ_THING_OFFER)
		LOOK(offers)
	else if (thing == OYEZ_THING_DEAL)
		LOOK(deals)
	else
		LOOK(releases)
#undef LOOK
	if (matches > 1)
		return vendor_fail(error, ERR_AMBIGUOUS, text);
	if (matches == 1)
		memcpy(id, found->data, id_bytes);
	// A whole id may name what this home does not hold: the broker knows better.
	else if (strlen(text) == 2 * id_bytes)
		hex_decode(text, id, id_bytes);
	else
		return vendor_fail(error, ERR_NOT_FOUND, text);
	return ERR_OK;
}
