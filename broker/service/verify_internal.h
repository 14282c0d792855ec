// Shared by verify*.c only: the verifier's own state, and which command a decoded message is.
#ifndef OYEZ_SERVICE_VERIFY_INTERNAL_H
#define OYEZ_SERVICE_VERIFY_INTERNAL_H

#include <pthread.h>

#include "homes.h"
#include "verify.h"

struct verifier {
	pthread_mutex_t mutex; // keys and config
	uint8_t broker_key[KEY_BYTES];
	struct gateway_key keys[GATEWAY_KEYS_MAX];
	size_t key_count;
	uint8_t *config; // Signed, serialised
	size_t config_bytes;
	struct sessions *sessions;
	struct replay *replay;
	struct homes *homes;
	struct rights rights;
};

// ---- verify_token.c
// Puts into the command what the post's token or stamp is worth.
void read_right(struct verifier *verifier, struct request *request, const Oyez__Post *post);
// A request for tokens becomes a command; its sender is the voucher. ERR_VOUCHER_BAD, ERR_WRONG_BROKER, ERR_BAD_KEY.
enum err read_issue(struct verifier *verifier, struct request *request, const Oyez__IssueTokens *issue,
                    struct codec_detail *detail);
// If `reply` takes a voucher, the reply with the evaluated elements (malloc'd) stands for it.
bool issue_reply(const struct request *request, const uint8_t *reply, size_t count, uint8_t **out, size_t *out_bytes);

// Keys in hand for one request, so that HPKE runs outside the lock. Wipe them.
struct keys {
	struct gateway_key items[GATEWAY_KEYS_MAX];
	size_t count;
};
void verifier_keys_copy(struct verifier *verifier, struct keys *keys);
// At most `span` apart, either way.
bool times_within(uint64_t a, uint64_t b, uint64_t span);
enum err check_broker(const struct verifier *verifier, ProtobufCBinaryData broker_id);

// ---- verify_guardian.c
// An envelope: either a command, or *reply is filled (its body case says so).
enum err read_envelope(struct verifier *verifier, struct request *request, Oyez__GuardianReply *reply,
                       struct codec_detail *detail);
// A batch of cells from a home broker.
enum err read_push(struct verifier *verifier, struct request *request, const Oyez__Signed *signed_batch,
                   struct codec_detail *detail);
// `reply` (of the form REPLY_GUARDIAN, serialised) in an envelope. ERR_TOO_LARGE.
enum err envelope_of(const struct request *request, const uint8_t *reply, size_t count, uint8_t **frame,
                     size_t *frame_bytes);
// The same for a message. What does not fit an envelope becomes ERR_INTERNAL, a mistake of ours.
void guardian_frame(const struct request *request, const Oyez__GuardianReply *reply, uint8_t **frame,
                    size_t *frame_bytes);
void guardian_error_frame(const struct request *request, const Oyez__Error *error, uint8_t **frame,
                          size_t *frame_bytes);

// ---- verify_command.c: each sets kind and payload; false for a body this build does not know.
bool command_of_customer(const Oyez__CustomerRecord *record, struct command *command);
bool command_of_deal(const Oyez__DealRecord *record, struct command *command);
bool command_of_vendor(const Oyez__VendorRecord *record, struct command *command);
bool command_of_read(const Oyez__VendorReadBody *body, struct command *command);
bool command_of_account(const Oyez__AccountRecord *record, struct command *command);
bool command_of_admin(const Oyez__AdminRequest *request, struct command *command);

#endif
