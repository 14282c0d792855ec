// Addresses of brokers: an nng address, and after "#" the identity key the broker must show. Internal to liboyez.
#ifndef OYEZ_CLIENT_URL_H
#define OYEZ_CLIENT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum { BROKER_URL_BYTES_MAX = 512 };

struct broker_url {
	char address[BROKER_URL_BYTES_MAX]; // without "#..."
	uint8_t key[KEY_BYTES];
	bool has_key;
	bool is_local; // loopback, ipc or within the process: on this machine, so with this machine's time
	bool is_ipc, is_tls;
};

// ERR_USAGE when it is no address of a broker; `why` (may be NULL) then says what is wrong.
enum err broker_url_parse(const char *text, struct broker_url *out, const char **why);

#endif
