// A connection to one broker: dialling, its configuration and its time. How one request travels stands in call.c.
#include "clients/lib/transport.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "clients/lib/call.h"
#include "proto/sign.h"

enum {
	RECONNECT_MIN_MS = 50,
	RECONNECT_MAX_MS = 2000,
	TIMEOUT_DEFAULT_MS = 30000,
};

static enum err fail(struct oyez_error *error, enum err code, const char *detail)
{
	if (error) {
		error->code = code;
		snprintf(error->detail, sizeof(error->detail), "%.255s", detail ? detail : "");
	}
	return code;
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
	(void)pipe;
	struct transport *transport = context;
	if (event == NNG_PIPE_EV_ADD_POST)
		atomic_store(&transport->was_connected, true);
}

enum err transport_open(const char *url, const uint8_t *pinned, struct transport **out, struct oyez_error *error)
{
	*out = NULL;
	if (sodium_init() < 0)
		return fail(error, ERR_INTERNAL, "libsodium does not start");
	struct transport *transport = calloc(1, sizeof(*transport));
	if (!transport)
		return fail(error, ERR_NO_MEMORY, NULL);
	transport->event_fd = -1;

	const char *why = NULL;
	enum err err = broker_url_parse(url, &transport->url, &why);
	if (err) {
		fail(error, err, why);
		goto failed;
	}
	// A key given with the address is the person's own word: it stands above what was remembered.
	if (!transport->url.has_key && pinned) {
		memcpy(transport->url.key, pinned, KEY_BYTES);
		transport->url.has_key = true;
	}
	transport->pinned = transport->url.has_key;

	transport->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (transport->event_fd < 0) {
		err = fail(error, ERR_IO, strerror(errno));
		goto failed;
	}
	int nng_err = nng_req0_open(&transport->socket);
	if (nng_err) {
		err = fail(error, ERR_INTERNAL, nng_strerror(nng_err));
		goto failed;
	}
	// nng's own resending would repeat a cell byte for byte after a minute; we seal anew instead.
	nng_socket_set_ms(transport->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	nng_socket_set_size(transport->socket, NNG_OPT_RECVMAXSZ, REPLY_BYTES_MAX);
	nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
	nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
	nng_pipe_notify(transport->socket, NNG_PIPE_EV_ADD_POST, on_pipe, transport);
	*out = transport;
	return ERR_OK;

failed:
	if (transport->event_fd >= 0)
		close(transport->event_fd);
	free(transport);
	return err;
}

void transport_close(struct transport *transport)
{
	if (!transport)
		return;
	while (transport->calls)
		call_free(transport->calls);
	if (transport->through) {
		calls_free_of(transport->through, transport);
	} else {
		nng_close(transport->socket);
		close(transport->event_fd);
	}
	sodium_memzero(&transport->account, sizeof(transport->account));
	if (transport->config)
		oyez__config__free_unpacked(transport->config, NULL);
	free(transport->config_signed);
	free(transport);
}

// The broker proves itself by its signed configuration, and customers' cells are sealed to a key in it; so without a
// CA file TLS only hides the traffic, and with one it checks the name as well.
static int dialer_use_tls(nng_dialer dialer)
{
	const char *ca_file = getenv("OYEZ_TLS_CA");
	if (!ca_file || !*ca_file)
		return nng_dialer_set_int(dialer, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_NONE);
	int err = nng_dialer_set_string(dialer, NNG_OPT_TLS_CA_FILE, ca_file);
	return err ? err : nng_dialer_set_int(dialer, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_REQUIRED);
}

enum err transport_dial(struct transport *transport, struct oyez_error *error)
{
	if (transport->dialing)
		return ERR_OK;
	nng_dialer dialer;
	int nng_err = nng_dialer_create(&dialer, transport->socket, transport->url.address);
	if (!nng_err && transport->url.is_tls)
		nng_err = dialer_use_tls(dialer);
	if (!nng_err)
		nng_err = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
	if (nng_err)
		return fail(error, ERR_UNREACHABLE, nng_strerror(nng_err));
	transport->dialing = true;
	return ERR_OK;
}

uint64_t transport_now_ms(struct transport *transport)
{
	if (transport->through) // a home's own time would have to come from the home
		return transport_now_ms(transport->through);
	return (uint64_t)((int64_t)clock_now_ms() + transport->clock_offset_ms);
}

enum err config_compare(const uint8_t *before, size_t before_bytes, const uint8_t *now, size_t now_bytes)
{
	enum err err = ERR_OK;
	Oyez__Signed *signed_before = NULL, *signed_now = NULL;
	Oyez__Config *old = NULL, *new = NULL;
	if (codec_decode_signed(NULL, before, before_bytes, &signed_before, NULL) ||
	    codec_decode_signed(NULL, now, now_bytes, &signed_now, NULL))
		goto out;
	ProtobufCBinaryData a = signed_before->record, b = signed_now->record;
	if (codec_decode_config(NULL, a.data, a.len, &old, NULL) || codec_decode_config(NULL, b.data, b.len, &new, NULL))
		goto out;
	bool same_broker = memcmp(old->broker_id.data, new->broker_id.data, KEY_BYTES) == 0;
	if (same_broker && old->number == new->number && (a.len != b.len || memcmp(a.data, b.data, a.len) != 0))
		err = ERR_CONFIG_CONFLICT;
out:
	if (old)
		oyez__config__free_unpacked(old, NULL);
	if (new)
		oyez__config__free_unpacked(new, NULL);
	if (signed_before)
		oyez__signed__free_unpacked(signed_before, NULL);
	if (signed_now)
		oyez__signed__free_unpacked(signed_now, NULL);
	return err;
}

enum err transport_adopt_config(struct transport *transport, const Oyez__Signed *signed_config,
                                struct oyez_error *error)
{
	enum err err = sign_open(signed_config, TAG_CONFIG);
	if (err)
		return fail(error, err, "configuration");
	struct codec_detail detail = {0};
	Oyez__Config *config;
	err = codec_decode_config(NULL, signed_config->record.data, signed_config->record.len, &config, &detail);
	if (err)
		return fail(error, err, detail.text);

	uint8_t *bytes = NULL;
	size_t count = 0;
	if (memcmp(config->broker_id.data, signed_config->key.data, KEY_BYTES) != 0)
		err = fail(error, ERR_BAD_SIGNATURE, "the configuration is not signed by the broker it names");
	else if (transport->url.has_key && memcmp(config->broker_id.data, transport->url.key, KEY_BYTES) != 0)
		err = fail(error, ERR_BROKER_CHANGED, transport->url.address);
	else if (config->n_gateway_keys == 0)
		err = fail(error, ERR_MISSING_FIELD, "config.gateway_keys");
	else
		err = codec_encode(&signed_config->base, &bytes, &count);
	if (!err && transport->config_signed &&
	    config_compare(transport->config_signed, transport->config_signed_bytes, bytes, count))
		err = fail(error, ERR_CONFIG_CONFLICT, transport->url.address);
	if (err) {
		oyez__config__free_unpacked(config, NULL);
		free(bytes);
		return err;
	}
	memcpy(transport->url.key, config->broker_id.data, KEY_BYTES);
	transport->url.has_key = true;
	if (transport->config)
		oyez__config__free_unpacked(transport->config, NULL);
	free(transport->config_signed);
	transport->config = config;
	transport->config_signed = bytes;
	transport->config_signed_bytes = count;
	transport->config_at_ms = transport_now_ms(transport);
	return ERR_OK;
}

enum err transport_refresh(struct transport *transport, struct oyez_error *error)
{
	if (transport->refreshing)
		return ERR_OK;
	transport->refreshing = true;
	if (transport->through) {
		enum err home_err = transport_refresh_home(transport, error);
		transport->refreshing = false;
		return home_err;
	}
	Oyez__GetConfig get = OYEZ__GET_CONFIG__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get;
	Oyez__Reply *reply = NULL;
	enum err err = transport_request(transport, &request, 0, &reply, error);
	if (!err && reply->body_case != OYEZ__REPLY__BODY_CONFIG)
		err = fail(error, ERR_BAD_MESSAGE, "configuration expected");
	if (!err)
		err = transport_adopt_config(transport, reply->config, error);
	if (!err && transport->url.is_local && reply->now_ms)
		transport->clock_offset_ms = (int64_t)reply->now_ms - (int64_t)clock_now_ms();
	if (reply)
		oyez__reply__free_unpacked(reply, NULL);
	transport->refreshing = false;
	return err;
}

enum err transport_config(struct transport *transport, const Oyez__Config **config, struct oyez_error *error)
{
	enum err err = transport->config ? ERR_OK : transport_refresh(transport, error);
	if (!err && config)
		*config = transport->config;
	return err;
}

bool transport_config_record(struct transport *transport, const uint8_t **record, size_t *record_bytes)
{
	*record = transport->config_signed;
	*record_bytes = transport->config_signed_bytes;
	return transport->config_signed != NULL;
}

static uint64_t timeout_or_default(uint64_t timeout_ms)
{
	return timeout_ms ? timeout_ms : TIMEOUT_DEFAULT_MS;
}

enum err transport_customer_start(struct transport *transport, const uint8_t *customer, size_t customer_bytes,
                                  uint64_t timeout_ms, void *tag, struct transport_call **out)
{
	*out = NULL;
	uint8_t *inner = malloc(customer_bytes ? customer_bytes : 1);
	if (!inner)
		return ERR_NO_MEMORY;
	memcpy(inner, customer, customer_bytes);
	return call_start(transport, transport->through ? FRAME_ENVELOPE : FRAME_CELL, CONTENT_CUSTOMER, inner,
	                  customer_bytes, timeout_or_default(timeout_ms), tag, out);
}

enum err transport_request_start(struct transport *transport, const Oyez__Request *request, uint64_t timeout_ms,
                                 void *tag, struct transport_call **out)
{
	*out = NULL;
	uint8_t *frame;
	size_t frame_bytes;
	enum err err = codec_encode_frame(&request->base, FRAME_REQUEST, &frame, &frame_bytes);
	if (err)
		return err;
	return call_start(transport, FRAME_REQUEST, CONTENT_FRAME, frame, frame_bytes, timeout_or_default(timeout_ms), tag,
	                  out);
}

enum err transport_customer(struct transport *transport, const uint8_t *customer, size_t customer_bytes,
                            uint64_t timeout_ms, Oyez__CustomerReply **reply, struct oyez_error *error)
{
	*reply = NULL;
	enum err err = transport_config(transport, NULL, error);
	if (err)
		return err;
	struct transport_call *call;
	err = transport_customer_start(transport, customer, customer_bytes, timeout_ms, NULL, &call);
	if (err)
		return fail(error, err, NULL);
	call_complete(call);
	return transport_call_finish(call, reply, NULL, error);
}

enum err transport_request(struct transport *transport, const Oyez__Request *request, uint64_t timeout_ms,
                           Oyez__Reply **reply, struct oyez_error *error)
{
	*reply = NULL;
	struct transport_call *call;
	enum err err = transport_request_start(transport, request, timeout_ms, NULL, &call);
	if (err)
		return fail(error, err, NULL);
	call_complete(call);
	return transport_call_finish(call, NULL, reply, error);
}

enum err transport_admin(struct transport *transport, const Oyez__AdminRequest *request, Oyez__AdminReply **reply,
                         struct oyez_error *error)
{
	*reply = NULL;
	uint8_t *frame;
	size_t frame_bytes;
	enum err err = codec_encode_frame(&request->base, FRAME_ADMIN, &frame, &frame_bytes);
	struct transport_call *call = NULL;
	if (!err)
		err = call_start(transport, FRAME_ADMIN, CONTENT_FRAME, frame, frame_bytes, TIMEOUT_DEFAULT_MS, NULL, &call);
	if (err)
		return fail(error, err, NULL);
	call_complete(call);
	*reply = call->admin_reply;
	call->admin_reply = NULL;
	return transport_call_finish(call, NULL, NULL, error);
}

struct transport_call *transport_wait(struct transport *transport, uint64_t timeout_ms)
{
	if (transport->through)
		transport = transport->through;
	uint64_t until_ms = monotonic_ms() + timeout_ms;
	for (;;) {
		calls_run(transport, 0);
		for (struct transport_call *call = transport->calls; call; call = call->next) {
			if (call->state == CALL_DONE)
				return call;
		}
		if (atomic_exchange(&transport->woken, false) || monotonic_ms() >= until_ms)
			return NULL;
		calls_run(transport, until_ms);
	}
}

int transport_fd(struct transport *transport)
{
	return transport->through ? transport->through->event_fd : transport->event_fd;
}

void transport_wake(struct transport *transport)
{
	int saved = errno; // may run in a signal handler
	if (transport->through)
		transport = transport->through;
	atomic_store(&transport->woken, true);
	eventfd_write(transport->event_fd, 1);
	errno = saved;
}
