// One listener at a time: options before the start, since nng takes most of them only then.
#include "listen.h"

#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REASON_BYTES = 200,
	PEM_BYTES_MAX = 256 * 1024,
};

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	char *text = malloc(PEM_BYTES_MAX + 1);
	size_t count = text ? fread(text, 1, PEM_BYTES_MAX + 1, file) : 0;
	fclose(file);
	if (count == 0 || count > PEM_BYTES_MAX) {
		free(text);
		return NULL;
	}
	text[count] = 0;
	return text;
}

static int set_tls(nng_stream_listener *listener, const struct listen_tls *tls, char *reason)
{
	char *certificate = read_file(tls->certificate), *key = read_file(tls->key);
	nng_tls_config *config = NULL;
	int rv = certificate && key ? nng_tls_config_alloc(&config, NNG_TLS_MODE_SERVER) : NNG_ENOENT;
	if (rv == 0)
		rv = nng_tls_config_own_cert(config, certificate, key, NULL);
	if (rv == 0)
		rv = nng_stream_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, config);
	if (rv != 0)
		snprintf(reason, REASON_BYTES,
		         "the TLS certificate or key cannot be used (%s): give PEM files that belong together",
		         nng_strerror(rv));
	if (config)
		nng_tls_config_free(config); // the listener holds its own reference
	free(certificate);
	free(key);
	return rv;
}

static int set_options(struct listener *listener, const char *url, const struct listen_tls *tls, char *reason)
{
	int rv;
	if (listener->ipc) {
		rv = nng_stream_listener_set_int(listener->listener, NNG_OPT_IPC_PERMISSIONS, 0600);
	} else {
		rv = nng_stream_listener_set_bool(listener->listener, NNG_OPT_TCP_KEEPALIVE, true);
		if (rv == 0)
			rv = nng_stream_listener_set_bool(listener->listener, NNG_OPT_TCP_NODELAY, true);
	}
	if (rv != 0) {
		snprintf(reason, REASON_BYTES, "the address cannot be used (%s)", nng_strerror(rv));
		return rv;
	}
	return strncmp(url, "tls+tcp://", 10) == 0 ? set_tls(listener->listener, tls, reason) : 0;
}

// Port 0 means "any free one": say which it became.
static void set_url(struct listener *listener, const char *url)
{
	nng_sockaddr address;
	snprintf(listener->url, sizeof(listener->url), "%s", url);
	char *colon = strrchr(listener->url, ':');
	if (listener->ipc || strcmp(colon, ":0") != 0 ||
	    nng_stream_listener_get_addr(listener->listener, NNG_OPT_LOCADDR, &address) != 0)
		return;
	uint16_t port = address.s_family == NNG_AF_INET6 ? address.s_in6.sa_port : address.s_in.sa_port;
	const uint8_t *bytes = (const uint8_t *)&port; // network byte order
	snprintf(colon, sizeof(listener->url) - (size_t)(colon - listener->url), ":%u", bytes[0] * 256u + bytes[1]);
}

static void explain(int rv, char *reason)
{
	if (rv == NNG_EADDRINUSE)
		snprintf(reason, REASON_BYTES, "another program listens there already: stop it, or choose another address");
	else if (rv == NNG_EPERM)
		snprintf(reason, REASON_BYTES, "not permitted: ports below 1024 need root, ipc paths a writable folder");
	else
		snprintf(reason, REASON_BYTES, "listening there failed (%s)", nng_strerror(rv));
}

static void on_accept(void *argument)
{
	struct listener *listener = argument;
	edge_events_add(listener->events, (struct event){.kind = EVENT_ACCEPTED, .subject = listener});
}

int listen_start(struct listener *listener, const char *url, const struct listen_tls *tls, struct edge_events *events,
                 char *reason)
{
	*listener = (struct listener){.ipc = strncmp(url, "ipc://", 6) == 0, .events = events};
	int rv = nng_stream_listener_alloc(&listener->listener, url);
	if (rv == 0)
		rv = nng_aio_alloc(&listener->accept, on_accept, listener);
	if (rv != 0) {
		snprintf(reason, REASON_BYTES, "the address cannot be used (%s)", nng_strerror(rv));
	} else {
		rv = set_options(listener, url, tls, reason);
		if (rv == 0 && (rv = nng_stream_listener_listen(listener->listener)) != 0)
			explain(rv, reason);
	}
	if (rv != 0) {
		listen_free(listener);
		return rv;
	}
	set_url(listener, url);
	return 0;
}

void listen_accept(struct listener *listener)
{
	if (listener->closed || listener->accepting)
		return;
	listener->accepting = true;
	nng_stream_listener_accept(listener->listener, listener->accept);
}

nng_stream *listen_accepted(struct listener *listener, int *rv)
{
	listener->accepting = false;
	*rv = nng_aio_result(listener->accept);
	return *rv == 0 ? nng_aio_get_output(listener->accept, 0) : NULL;
}

void listen_stop(struct listener *listener)
{
	if (listener->closed)
		return;
	listener->closed = true;
	nng_stream_listener_close(listener->listener);
	nng_aio_cancel(listener->accept);
}

void listen_free(struct listener *listener)
{
	if (listener->accept)
		nng_aio_free(listener->accept);
	if (listener->listener)
		nng_stream_listener_free(listener->listener);
	listener->accept = NULL;
	listener->listener = NULL;
}
