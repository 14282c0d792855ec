// From frame bytes to a verified command: what can be checked without the state, so on any thread in parallel.
// Opens cells, checks signatures, MACs, ages, the broker id; decodes and validates.
#ifndef OYEZ_SERVICE_VERIFY_H
#define OYEZ_SERVICE_VERIFY_H

#include "broker/base/arena.h"
#include "command.h"
#include "proto/cell.h"
#include "proto/frame.h"
#include "proto/token.h"

struct verifier; // keys, sessions, replay cache, challenge secret; thread-safe

// `keys` as of now; verifier_set_keys swaps them (daily rotation). The config frame answers GetConfig.
struct verifier *verifier_new(const uint8_t broker_key[KEY_BYTES]);
void verifier_free(struct verifier *verifier);
void verifier_set_keys(struct verifier *verifier, const struct gateway_key *keys, size_t key_count);
void verifier_set_config(struct verifier *verifier, const uint8_t *signed_config, size_t count);
// The homes it shows to wallets; lives as long as the verifier.
struct homes *verifier_homes(struct verifier *verifier);

// What the right to post rests on: keys of the present and the previous epoch (that order), whose vouchers are taken.
struct rights {
	struct token_key keys[TOKEN_KEYS_MAX];
	size_t key_count;
	uint8_t guardians[GUARDIANS_MAX][KEY_BYTES];
	size_t guardian_count;
	uint32_t stamp_bits;
};
void verifier_set_rights(struct verifier *verifier, const struct rights *rights);

// One request on its way through. Zero it, set `frame`, `from_ipc` and `now_ms`, call verify_request.
struct request {
	const uint8_t *frame;
	size_t frame_bytes;
	bool from_ipc;
	uint64_t now_ms;
	// Out:
	struct verifier *verifier;
	struct arena arena;            // holds everything decoded; request_fini frees it
	struct command command;        // when the verdict is VERIFY_COMMAND
	struct cell_exchange exchange; // for the sealed reply
	bool is_cell, is_envelope;     // and so is the reply
};
enum verify_verdict {
	VERIFY_COMMAND, // give request->command to the sequencer
	VERIFY_ANSWER,  // *answer is the whole reply frame (config, challenge, session, errors)
};
// *answer is malloc'd. Repeats of old records whose age is over the limit still become commands with
// command.made_at_ms as signed: the handler looks the id up first and refuses with `stale` only what is new.
enum verify_verdict verify_request(struct verifier *verifier, struct request *request, uint8_t **answer,
                                   size_t *answer_bytes);
// Turns an effect into the reply frame for that request: seals it into a cell where the request came in one.
// *frame is malloc'd.
void verify_reply_frame(const struct request *request, enum reply_form form, const uint8_t *reply, size_t count,
                        uint8_t **frame, size_t *frame_bytes);
// A reply frame for an error met before or instead of the service.
void verify_error_frame(const struct request *request, enum err err, const char *detail, uint8_t **frame,
                        size_t *frame_bytes);
// The home's reply to a relayed cell, in the envelope of its request.
void verify_relayed_frame(const struct request *request, const uint8_t cell[CELL_BYTES], uint8_t **frame,
                          size_t *frame_bytes);
// Whether checking the request as it came, or making its reply, takes longer than waking another thread for it.
bool verify_request_takes_long(const struct request *request);
bool verify_reply_takes_long(const struct request *request);
void request_fini(struct request *request);

#endif
