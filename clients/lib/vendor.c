// A vendor's handle: making the home, opening it, meeting the broker, registering.
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/vendor_internal.h"
#include "proto/region.h"
#include "proto/terms.h"
#include "proto/values.h"

enum err vendor_fail(struct oyez_error *error, enum err code, const char *detail)
{
	error->code = code;
	snprintf(error->detail, sizeof(error->detail), "%s", detail != NULL ? detail : "");
	return code;
}

// ---- making

static enum err unknown_terms(const char *id, struct oyez_error *error)
{
	const char *near[3];
	char detail[160];

	terms_suggest(id, near);
	snprintf(detail, sizeof(detail), "%.40s: %s, %s, %s", id, near[0], near[1], near[2]);
	return vendor_fail(error, ERR_UNKNOWN_TERMS, detail);
}

static enum err check_profile(const struct oyez_vendor_profile *profile, struct oyez_error *error)
{
	if (strlen(profile->country) != 2 || region_find(profile->country) == TREE_NONE)
		return vendor_fail(error, ERR_UNKNOWN_REGION, profile->country);
	for (size_t i = 0; i < profile->term_count; i++) {
		if (terms_find(profile->terms[i]) < 0)
			return unknown_terms(profile->terms[i], error);
	}
	return ERR_OK;
}

// The Signed Listing: made once, since its bytes are what broker and customers compare.
static enum err make_listing(const struct sign_pair *identity, const struct oyez_vendor_profile *profile,
                             ProtobufCBinaryData *out, struct oyez_error *error)
{
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	struct codec_detail detail = {""};
	uint8_t *record = NULL, *wrapped = NULL;
	size_t record_bytes, wrapped_bytes;
	enum err err;

	listing.vendor_key.data = (uint8_t *)identity->public_key;
	listing.vendor_key.len = KEY_BYTES;
	listing.name = (char *)profile->name;
	listing.url = (char *)profile->url;
	listing.country = (char *)profile->country;
	listing.terms = (char **)profile->terms;
	listing.n_terms = profile->term_count;
	listing.made_at_ms = clock_now_ms();
	err = codec_check(&listing.base, &detail);
	if (err == ERR_OK)
		err = codec_encode(&listing.base, &record, &record_bytes);
	if (err == ERR_OK)
		err = sign_wrap(identity, TAG_LISTING, record, record_bytes, &wrapped, &wrapped_bytes);
	if (err == ERR_OK)
		home_set_bytes(out, wrapped, wrapped_bytes);
	free(record);
	free(wrapped);
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, detail.text);
}

enum err oyez_vendor_init(const struct oyez_vendor_options *options, const struct oyez_vendor_profile *profile,
                          struct oyez_error *error)
{
	Oyez__VendorHome *state;
	struct sign_pair identity;
	uint8_t seed[32];
	enum err err = check_profile(profile, error);

	if (err != ERR_OK)
		return err;
	state = calloc(1, sizeof(*state));
	if (state == NULL)
		return vendor_fail(error, ERR_NO_MEMORY, NULL);
	oyez__vendor_home__init(state);
	randombytes_buf(seed, sizeof(seed));
	sign_pair_from_seed(&identity, seed);
	state->version = VENDOR_HOME_VERSION;
	home_set_bytes(&state->seed, seed, sizeof(seed));
	home_set_text(&state->name, profile->name);
	home_set_text(&state->url, profile->url);
	home_set_text(&state->country, profile->country);
	state->terms = calloc(profile->term_count + 1, sizeof(*state->terms));
	assert(state->terms != NULL);
	state->n_terms = profile->term_count;
	for (size_t i = 0; i < profile->term_count; i++) {
		state->terms[i] = strdup(profile->terms[i]);
		assert(state->terms[i] != NULL);
	}
	err = make_listing(&identity, profile, &state->listing, error);
	if (err == ERR_OK)
		err = vendor_home_create(options->home, options->passphrase, state, error);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(&identity, sizeof(identity));
	oyez__vendor_home__free_unpacked(state, NULL);
	return err;
}

// ---- opening

enum err oyez_vendor_open(const struct oyez_vendor_options *options, struct oyez_vendor **out, struct oyez_error *error)
{
	struct oyez_vendor *vendor = calloc(1, sizeof(*vendor));
	const Oyez__VendorHome *state;
	enum err err;

	*out = NULL;
	if (vendor == NULL)
		return vendor_fail(error, ERR_NO_MEMORY, NULL);
	err = vendor_home_open(options->home, options->passphrase, &vendor->home, error);
	if (err != ERR_OK)
		goto failed;
	state = vendor->home->state;
	err = transport_open(options->broker, state->broker_id.len == KEY_BYTES ? state->broker_id.data : NULL,
	                     &vendor->transport, error);
	if (err != ERR_OK)
		goto failed;
	sign_pair_from_seed(&vendor->identity, state->seed.data);
	vendor->id = vendor_id_of(vendor->identity.public_key);
	*out = vendor;
	return ERR_OK;
failed:
	oyez_vendor_close(vendor);
	return err;
}

void oyez_vendor_close(struct oyez_vendor *vendor)
{
	if (vendor == NULL)
		return;
	while (vendor->calls != NULL) {
		struct vendor_call *next = vendor->calls->next;

		free(vendor->calls);
		vendor->calls = next;
	}
	if (vendor->transport != NULL)
		transport_close(vendor->transport);
	vendor_home_close(vendor->home);
	sodium_memzero(&vendor->identity, sizeof(vendor->identity));
	free(vendor);
}

json_t *oyez_vendor_well_known(const struct oyez_vendor *vendor)
{
	char key[2 * KEY_BYTES + 1];

	hex_encode(vendor->identity.public_key, KEY_BYTES, key);
	return json_pack("{s:i, s:[{s:s, s:s}]}", "oyez", 1, "vendors", "key", key, "name", vendor->home->state->name);
}

struct id oyez_vendor_identity(const struct oyez_vendor *vendor)
{
	return vendor->id;
}

struct oyez_vendor_profile oyez_vendor_profile(const struct oyez_vendor *vendor)
{
	const Oyez__VendorHome *state = vendor->home->state;

	return (struct oyez_vendor_profile){
	    .name = state->name,
	    .url = state->url,
	    .country = state->country,
	    .terms = (const char *const *)state->terms,
	    .term_count = state->n_terms,
	};
}

uint64_t oyez_vendor_now_ms(struct oyez_vendor *vendor)
{
	return transport_now_ms(vendor->transport);
}

int oyez_vendor_fd(struct oyez_vendor *vendor)
{
	return transport_fd(vendor->transport);
}

const char *oyez_vendor_broker_hex(struct oyez_vendor *vendor)
{
	static _Thread_local char hex[2 * KEY_BYTES + 1];
	const ProtobufCBinaryData *key = &vendor->home->state->broker_id;

	hex[0] = '\0';
	if (key->len == KEY_BYTES)
		hex_encode(key->data, KEY_BYTES, hex);
	return hex;
}

// ---- meeting the broker

// Another identity than the pinned one, which only URL#KEY lets through: what the old broker held means nothing to it.
static void forget_broker(Oyez__VendorHome *state)
{
	while (state->n_subscriptions > 0)
		home_remove_subscription(state, state->subscriptions[0]);
	while (state->n_pending > 0)
		home_remove_pending(state, state->pending[0]);
	if (state->session != NULL)
		oyez__home_session__free_unpacked(state->session, NULL);
	state->session = NULL;
	state->registered = false;
	state->inbox_seen = state->inbox_cursor = state->bot_cursor = 0;
}

static enum err remember_broker(struct oyez_vendor *vendor, const Oyez__Config *config, const uint8_t *record,
                                size_t record_bytes, struct oyez_error *error)
{
	Oyez__VendorHome *state;
	enum err err = vendor_home_begin(vendor->home, error);

	if (err != ERR_OK)
		return err;
	state = vendor->home->state;
	if (state->broker_id.len == KEY_BYTES && memcmp(state->broker_id.data, config->broker_id.data, KEY_BYTES) != 0)
		forget_broker(state);
	home_set_bytes(&state->broker_id, config->broker_id.data, config->broker_id.len);
	home_set_bytes(&state->config, record, record_bytes);
	return vendor_home_commit(vendor->home, error);
}

enum err oyez_vendor_connect(struct oyez_vendor *vendor, struct oyez_error *error)
{
	const Oyez__Config *config;
	const uint8_t *record = NULL;
	size_t record_bytes = 0;
	const ProtobufCBinaryData *before = &vendor->home->state->config;
	enum err err;

	if (vendor->connected)
		return ERR_OK;
	err = transport_config(vendor->transport, &config, error);
	if (err != ERR_OK)
		return err;
	transport_config_record(vendor->transport, &record, &record_bytes);
	if (before->len > 0 && config_compare(before->data, before->len, record, record_bytes) != ERR_OK)
		return vendor_fail(error, ERR_CONFIG_CONFLICT, NULL);
	if (before->len != record_bytes || memcmp(before->data, record, record_bytes) != 0)
		err = remember_broker(vendor, config, record, record_bytes, error);
	if (err != ERR_OK)
		return err;
	vendor->connected = true;
	return outbox_flush(vendor, error);
}

// ---- registering

enum err oyez_vendor_register(struct oyez_vendor *vendor, Oyez__VendorStatus *status, struct oyez_error *error)
{
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	enum err err = oyez_vendor_connect(vendor, error);

	if (err == ERR_OK)
		err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	body.body_case = OYEZ__VENDOR_RECORD__BODY_REGISTER;
	body.register_ = oyez__signed__unpack(NULL, vendor->home->state->listing.len, vendor->home->state->listing.data);
	if (body.register_ == NULL) {
		vendor_home_abandon(vendor->home);
		return vendor_fail(error, ERR_WALLET_DAMAGED, "the listing");
	}
	err = outbox_add(vendor, &body, OYEZ__HOME_PENDING_KIND__HOME_PENDING_REGISTER, &vendor->id, error);
	oyez__signed__free_unpacked(body.register_, NULL);
	if (err == ERR_OK)
		err = outbox_send(vendor, OYEZ__HOME_PENDING_KIND__HOME_PENDING_REGISTER, &vendor->id, error);
	else
		vendor_home_abandon(vendor->home);
	return err == ERR_OK ? oyez_vendor_status(vendor, status, error) : err;
}

// NULL unless it is the pinned broker's word on this very vendor.
static Oyez__Standing *check_standing(const struct oyez_vendor *vendor, const Oyez__Signed *wrapped)
{
	const ProtobufCBinaryData *broker = &vendor->home->state->broker_id;
	Oyez__Standing *standing = NULL;

	if (wrapped->key.len != broker->len || memcmp(wrapped->key.data, broker->data, broker->len) != 0 ||
	    sign_open(wrapped, TAG_STANDING) != ERR_OK ||
	    codec_decode_standing(NULL, wrapped->record.data, wrapped->record.len, &standing, NULL) != ERR_OK)
		return NULL;
	if (home_is_id(&standing->vendor_id, &vendor->id))
		return standing;
	oyez__standing__free_unpacked(standing, NULL);
	return NULL;
}

enum err oyez_vendor_show(struct oyez_vendor *vendor, Oyez__VendorStatus *status, Oyez__Standing **standing,
                          struct oyez_error *error)
{
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	Oyez__ShowVendor show = OYEZ__SHOW_VENDOR__INIT;
	Oyez__Reply *reply;
	enum err err;

	*status = OYEZ__VENDOR_STATUS__VENDOR_UNKNOWN;
	*standing = NULL;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_SHOW_VENDOR;
	body.show_vendor = &show;
	err = vendor_read(vendor, &body, VENDOR_TIMEOUT_MS, &reply, error);
	if (err != ERR_OK)
		return err;
	if (reply->body_case != OYEZ__REPLY__BODY_VENDOR)
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	else
		*status = reply->vendor->status;
	if (err == ERR_OK && reply->vendor->standing != NULL) {
		*standing = check_standing(vendor, reply->vendor->standing);
		if (*standing == NULL)
			err = vendor_fail(error, ERR_BAD_SIGNATURE, "the standing");
	}
	oyez__reply__free_unpacked(reply, NULL);
	return err;
}

enum err oyez_vendor_status(struct oyez_vendor *vendor, Oyez__VendorStatus *status, struct oyez_error *error)
{
	Oyez__Standing *standing;
	enum err err = oyez_vendor_show(vendor, status, &standing, error);

	if (standing != NULL)
		oyez__standing__free_unpacked(standing, NULL);
	return err;
}
