// Read sessions: a vendor's signed challenge buys a day of cheap reads under a shared key. In memory only: after a
// restart `session_unknown` makes the vendor's library open a new one.
#ifndef OYEZ_SERVICE_SESSION_H
#define OYEZ_SERVICE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

struct sessions; // thread-safe

// A challenge: issued at (8, big-endian) ‖ MAC of that under a secret of this process. Nothing is stored for it.
enum { CHALLENGE_BYTES = 8 + MAC_BYTES, SESSION_KEY_BYTES = 32 };

struct session {
	uint8_t id[SESSION_ID_BYTES];
	uint8_t vendor_key[KEY_BYTES];
	uint8_t key[SESSION_KEY_BYTES];
	uint64_t valid_until_ms;
};

// At most `max` sessions; the one unused for longest makes room. NULL without memory.
struct sessions *sessions_new(size_t max);
void sessions_free(struct sessions *sessions);

void challenge_make(const struct sessions *sessions, uint64_t now_ms, uint8_t challenge[CHALLENGE_BYTES]);
bool challenge_check(const struct sessions *sessions, uint64_t now_ms, const uint8_t *challenge, size_t count);

// A new session with a random id.
void sessions_open(struct sessions *sessions, const uint8_t vendor_key[KEY_BYTES], const uint8_t key[SESSION_KEY_BYTES],
                   uint64_t now_ms, struct session *out);
// A copy of the session; false if there is none or it has ended. Wipe the copy's key after use.
bool sessions_find(struct sessions *sessions, const uint8_t *id, size_t id_bytes, uint64_t now_ms, struct session *out);

#endif
