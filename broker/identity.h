// Who this broker is: its identity key, its gateway keys, its signed and numbered configuration record. All live in the
// store's named values and come into being at the first start.
#ifndef OYEZ_BROKER_IDENTITY_H
#define OYEZ_BROKER_IDENTITY_H

#include "broker/service/service.h"
#include "broker/service/verify.h"
#include "config.h"
#include "proto/cell.h"

enum { IDENTITY_GATEWAY_KEYS_MAX = 4 };

struct identity {
	struct sign_pair pair;
	struct gateway_key keys[IDENTITY_GATEWAY_KEYS_MAX]; // newest first
	uint64_t key_made_at_ms;                            // of the newest
	size_t key_count;
	struct token_key token_keys[TOKEN_KEYS_MAX]; // of the present epoch, then of the one before
	size_t token_key_count;
	struct rights rights; // for the verifier
	uint64_t number;      // of the configuration record
	uint8_t *record; // Signed Config, serialised
	size_t record_bytes;
};

// Reads or makes everything, in a transaction of its own. `taxonomy_hash` goes into the record.
enum err identity_load(struct identity *identity, struct store *store, const struct config *config,
                       const uint8_t taxonomy_hash[32], uint64_t now_ms);
// The same later, between batches on the state thread: makes a new gateway key when the newest is a day old, a token key
// when a new epoch began, and a new record when its content changed.
enum err identity_refresh(struct identity *identity, struct store *store, const struct config *config,
                          const uint8_t taxonomy_hash[32], uint64_t now_ms);
// When identity_refresh next has a key to make.
uint64_t identity_rotate_at_ms(const struct identity *identity);
// Hands keys and record to the verifier.
void identity_publish(const struct identity *identity, struct verifier *verifier);
// The signer for the service; `identity` must outlive it.
struct service_signer identity_signer(struct identity *identity);
void identity_wipe(struct identity *identity);

#endif
