// The home brokers a guardian relays to, as it shows them to every wallet: the links (broker/peer) put in what they
// learnt, the verifier answers GetHome from here. Thread-safe.
#ifndef OYEZ_SERVICE_HOMES_H
#define OYEZ_SERVICE_HOMES_H

#include "broker/base/arena.h"
#include "proto/codec.h"
#include "proto/limits.h"

struct homes;

struct home {
	uint8_t key[KEY_BYTES];
	const char *url;
	// ERR_OK with its configuration; ERR_HOME_UNREACHABLE before there is one; ERR_CONFIG_CONFLICT: not to be used.
	enum err err;
	const uint8_t *config; // Signed, serialised
	size_t config_bytes;
};

struct homes *homes_new(void);
void homes_free(struct homes *homes);
// Copies. Adds the home, or replaces what was said of it. At most HOMES_MAX: further ones are left out.
void homes_put(struct homes *homes, const struct home *home);
// The reply to GetHome, in the arena: one home with its configuration, or all without (`home_id` empty).
enum err homes_answer(struct homes *homes, ProtobufCBinaryData home_id, struct arena *arena,
                      Oyez__GuardianReply *reply);

#endif
