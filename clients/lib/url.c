// Takes addresses of brokers apart. Not a general URL parser: nng reads the address itself.
#include "clients/lib/url.h"

#include <string.h>

#include "proto/sign.h"

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool host_is_loopback(const char *host)
{
	// Digits and dots only: 127.example.org is somewhere else.
	bool numeric = starts(host, "127.") && host[strspn(host, "0123456789.")] == ':';
	return numeric || starts(host, "localhost:") || starts(host, "[::1]:");
}

enum err broker_url_parse(const char *text, struct broker_url *out, const char **why)
{
	const char *unused;
	if (!why)
		why = &unused;
	memset(out, 0, sizeof(*out));

	size_t address_bytes = strcspn(text, "#");
	if (address_bytes >= sizeof(out->address)) {
		*why = "the address is too long";
		return ERR_USAGE;
	}
	memcpy(out->address, text, address_bytes);
	if (text[address_bytes] == '#') {
		const char *hex = text + address_bytes + 1;
		if (strlen(hex) != 2 * KEY_BYTES || !hex_decode(hex, out->key, KEY_BYTES)) {
			*why = "after # stands the broker's key: 64 hex digits";
			return ERR_USAGE;
		}
		out->has_key = true;
	}

	const char *host = strstr(out->address, "://");
	out->is_ipc = starts(out->address, "ipc://");
	out->is_tls = starts(out->address, "tls+tcp://");
	bool is_tcp = starts(out->address, "tcp://");
	bool is_inside = starts(out->address, "inproc://");
	if (!host || !host[3] || !(out->is_ipc || out->is_tls || is_tcp || is_inside)) {
		*why = "write it as tcp://HOST:PORT, tls+tcp://HOST:PORT or ipc:///PATH";
		return ERR_USAGE;
	}
	if ((is_tcp || out->is_tls) && !strrchr(host + 3, ':')) {
		*why = "the port is missing: tcp://HOST:7710";
		return ERR_USAGE;
	}
	out->is_local = out->is_ipc || is_inside || host_is_loopback(host + 3);
	return ERR_OK;
}
