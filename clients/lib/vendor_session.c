// Reads: a 24 h session opened by a signed challenge, then a MAC on every read (PROTOCOL.md §7). Sessions live in the
// home, so that a command a second later needs no new one; `session_unknown` is cured here and never seen outside.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/seal.h"

// Not used in its last minute: it could end on the way.
#define SESSION_MARGIN_MS MINUTE_MS

static enum err unexpected(struct oyez_error *error)
{
	return vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
}

static enum err get_challenge(struct oyez_vendor *vendor, Oyez__Reply **out, struct oyez_error *error)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__GetChallenge get = OYEZ__GET_CHALLENGE__INIT;
	enum err err;

	request.body_case = OYEZ__REQUEST__BODY_GET_CHALLENGE;
	request.get_challenge = &get;
	err = transport_request(vendor->transport, &request, VENDOR_TIMEOUT_MS, out, error);
	if (err == ERR_OK && (*out)->body_case != OYEZ__REPLY__BODY_CHALLENGE) {
		oyez__reply__free_unpacked(*out, NULL);
		err = unexpected(error);
	}
	return err;
}

// The signed OpenSession as a Request's bytes. *wrapped is the caller's.
static enum err make_opening(struct oyez_vendor *vendor, const ProtobufCBinaryData *challenge, const uint8_t key[32],
                             uint8_t **wrapped, size_t *wrapped_bytes, struct oyez_error *error)
{
	const Oyez__Config *config;
	Oyez__VendorRecord body = OYEZ__VENDOR_RECORD__INIT;
	Oyez__OpenSession open = OYEZ__OPEN_SESSION__INIT;
	struct seal_header header = {.from = vendor->id};
	uint8_t *record = NULL;
	size_t record_bytes;
	enum err err = transport_config(vendor->transport, &config, error);

	if (err != ERR_OK)
		return err;
	if (config->n_gateway_keys == 0)
		return vendor_fail(error, ERR_BAD_MESSAGE, "no gateway key");
	err = seal_message(SEAL_SESSION, config->gateway_keys[0]->key.data, &header, key, 32, &open.sealed_key.data,
	                   &open.sealed_key.len);
	if (err != ERR_OK)
		return vendor_fail(error, err, NULL);
	open.challenge = *challenge;
	open.gateway_key_id = config->gateway_keys[0]->id;
	body.broker_id = config->broker_id;
	body.made_at_ms = transport_now_ms(vendor->transport);
	body.body_case = OYEZ__VENDOR_RECORD__BODY_OPEN_SESSION;
	body.open_session = &open;
	err = codec_encode(&body.base, &record, &record_bytes);
	if (err == ERR_OK)
		err = sign_wrap(&vendor->identity, TAG_VENDOR, record, record_bytes, wrapped, wrapped_bytes);
	free(record);
	free(open.sealed_key.data);
	return err == ERR_OK ? ERR_OK : vendor_fail(error, err, NULL);
}

static enum err store_session(struct oyez_vendor *vendor, const Oyez__SessionOpened *opened, const uint8_t key[32],
                              struct oyez_error *error)
{
	Oyez__VendorHome *state;
	enum err err = vendor_home_begin(vendor->home, error);

	if (err != ERR_OK)
		return err;
	state = vendor->home->state;
	if (state->session == NULL) {
		state->session = malloc(sizeof(*state->session));
		if (state->session == NULL)
			abort();
		oyez__home_session__init(state->session);
	}
	home_set_bytes(&state->session->id, opened->session_id.data, opened->session_id.len);
	home_set_bytes(&state->session->key, key, 32);
	state->session->valid_until_ms = opened->valid_until_ms;
	return vendor_home_commit(vendor->home, error);
}

static enum err open_once(struct oyez_vendor *vendor, struct oyez_error *error)
{
	Oyez__Reply *challenge, *reply = NULL;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	uint8_t key[32], *wrapped = NULL;
	size_t wrapped_bytes = 0;
	enum err err = get_challenge(vendor, &challenge, error);

	if (err != ERR_OK)
		return err;
	randombytes_buf(key, sizeof(key));
	err = make_opening(vendor, &challenge->challenge, key, &wrapped, &wrapped_bytes, error);
	oyez__reply__free_unpacked(challenge, NULL);
	if (err != ERR_OK)
		return err;
	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = oyez__signed__unpack(NULL, wrapped_bytes, wrapped);
	free(wrapped);
	if (request.vendor == NULL)
		return vendor_fail(error, ERR_NO_MEMORY, NULL);
	err = transport_request(vendor->transport, &request, VENDOR_TIMEOUT_MS, &reply, error);
	oyez__signed__free_unpacked(request.vendor, NULL);
	if (err == ERR_OK && reply->body_case != OYEZ__REPLY__BODY_SESSION)
		err = unexpected(error);
	if (err == ERR_OK)
		err = store_session(vendor, reply->session, key, error);
	if (reply != NULL)
		oyez__reply__free_unpacked(reply, NULL);
	sodium_memzero(key, sizeof(key));
	return err;
}

static bool session_usable(struct oyez_vendor *vendor)
{
	const Oyez__HomeSession *session = vendor->home->state->session;

	return session != NULL && session->id.len == SESSION_ID_BYTES && session->key.len == 32 &&
	       transport_now_ms(vendor->transport) + SESSION_MARGIN_MS < session->valid_until_ms;
}

enum err vendor_session_ensure(struct oyez_vendor *vendor, struct oyez_error *error)
{
	enum err err = oyez_vendor_connect(vendor, error);

	if (err != ERR_OK || session_usable(vendor))
		return err;
	err = vendor_home_refresh(vendor->home, error);
	if (err != ERR_OK || session_usable(vendor))
		return err;
	err = open_once(vendor, error);
	// The gateway key was replaced while this program ran; the transport has read the new configuration by now.
	if (err == ERR_CELL_SEALED)
		err = open_once(vendor, error);
	return err;
}

void vendor_session_drop(struct oyez_vendor *vendor)
{
	const Oyez__HomeSession *session = vendor->home->state->session;
	struct oyez_error ignored;
	uint8_t used[SESSION_ID_BYTES] = {0};

	if (session != NULL && session->id.len == SESSION_ID_BYTES)
		memcpy(used, session->id.data, SESSION_ID_BYTES);
	if (vendor_home_refresh(vendor->home, &ignored) != ERR_OK)
		return;
	session = vendor->home->state->session;
	// In memory only: the next opening overwrites the stored one.
	if (session != NULL && session->id.len == SESSION_ID_BYTES && memcmp(session->id.data, used, SESSION_ID_BYTES) == 0)
		vendor->home->state->session->valid_until_ms = 0;
}

enum err vendor_read_request(struct oyez_vendor *vendor, Oyez__VendorReadBody *body, Oyez__VendorRead *read,
                             uint8_t mac[32], uint8_t **bytes)
{
	const Oyez__HomeSession *session = vendor->home->state->session;
	crypto_auth_hmacsha512256_state state;
	size_t count;
	enum err err;

	body->sent_at_ms = transport_now_ms(vendor->transport);
	err = codec_encode(&body->base, bytes, &count);
	if (err != ERR_OK)
		return err;
	crypto_auth_hmacsha512256_init(&state, session->key.data, session->key.len);
	crypto_auth_hmacsha512256_update(&state, (const uint8_t *)TAG_READ, strlen(TAG_READ) + 1);
	crypto_auth_hmacsha512256_update(&state, *bytes, count);
	crypto_auth_hmacsha512256_final(&state, mac);
	read->session_id = session->id;
	read->body.data = *bytes;
	read->body.len = count;
	read->mac.data = mac;
	read->mac.len = 32;
	return ERR_OK;
}

static enum err read_once(struct oyez_vendor *vendor, Oyez__VendorReadBody *body, uint64_t timeout_ms,
                          Oyez__Reply **reply, struct oyez_error *error)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__VendorRead read = OYEZ__VENDOR_READ__INIT;
	uint8_t mac[32], *bytes = NULL;
	enum err err = vendor_session_ensure(vendor, error);

	if (err != ERR_OK)
		return err;
	err = vendor_read_request(vendor, body, &read, mac, &bytes);
	if (err != ERR_OK)
		return vendor_fail(error, err, NULL);
	request.body_case = OYEZ__REQUEST__BODY_READ;
	request.read = &read;
	err = transport_request(vendor->transport, &request, timeout_ms, reply, error);
	free(bytes);
	return err;
}

enum err vendor_read(struct oyez_vendor *vendor, Oyez__VendorReadBody *body, uint64_t timeout_ms, Oyez__Reply **reply,
                     struct oyez_error *error)
{
	enum err err = ERR_SESSION_UNKNOWN;

	// Another program may have stored a session that is as old; a machine that slept on the way has a new time.
	for (int tries = 0; tries < 3 && (err == ERR_SESSION_UNKNOWN || err == ERR_STALE); tries++) {
		*reply = NULL;
		err = read_once(vendor, body, timeout_ms, reply, error);
		if (err == ERR_SESSION_UNKNOWN)
			vendor_session_drop(vendor);
	}
	return err;
}
