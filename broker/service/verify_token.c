// The right to post, as far as it shows without the state: is this token or stamp genuine, may these elements be
// evaluated, and the evaluation itself once the voucher was taken. Which intent or voucher was here before: tokens.c.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sign.h"
#include "proto/stamp.h"
#include "verify_internal.h"
#include "wire.h"

void verifier_set_rights(struct verifier *verifier, const struct rights *rights)
{
	pthread_mutex_lock(&verifier->mutex);
	verifier->rights = *rights;
	pthread_mutex_unlock(&verifier->mutex);
}

static void rights_copy(struct verifier *verifier, struct rights *rights)
{
	pthread_mutex_lock(&verifier->mutex);
	*rights = verifier->rights;
	pthread_mutex_unlock(&verifier->mutex);
}

void read_right(struct verifier *verifier, struct request *request, const Oyez__Post *post)
{
	struct rights rights;
	struct right *right = &request->command.right;
	rights_copy(verifier, &rights);
	right->token = token_check(rights.keys, rights.key_count, request->now_ms, verifier->broker_key, post->token.data,
	                           post->token.len, &right->epoch, &right->intent);
	right->stamp = ERR_STAMP_BAD;
	if (post->stamp.len > 0)
		right->stamp = stamp_check(request->command.sender_key, verifier->broker_key, token_epoch_of(request->now_ms),
		                           rights.stamp_bits, post->stamp.data, post->stamp.len);
	sodium_memzero(&rights, sizeof rights);
}

// ---- issuing

static bool guardian_trusted(const struct verifier *verifier, const struct rights *rights, const uint8_t *key)
{
	if (memcmp(key, verifier->broker_key, KEY_BYTES) == 0)
		return true; // direct mode: this broker is its customers' guardian as well
	for (size_t i = 0; i < rights->guardian_count; i++)
		if (memcmp(key, rights->guardians[i], KEY_BYTES) == 0)
			return true;
	return false;
}

static enum err check_voucher(const struct verifier *verifier, const struct rights *rights, const Oyez__Signed *record,
                              const Oyez__Voucher *voucher, size_t elements)
{
	bool fits = rights->key_count > 0 && voucher->epoch == rights->keys[0].epoch && voucher->count >= elements &&
	            memcmp(voucher->home_id.data, verifier->broker_key, KEY_BYTES) == 0 &&
	            memcmp(voucher->guardian_id.data, record->key.data, KEY_BYTES) == 0 &&
	            guardian_trusted(verifier, rights, record->key.data);
	return fits ? ERR_OK : ERR_VOUCHER_BAD;
}

// What the voucher is to be spent on. Elements that are none are refused before that.
static enum err hash_elements(const Oyez__IssueTokens *issue, struct id *hash)
{
	struct hash_part parts[VOUCHER_TOKENS];
	for (size_t i = 0; i < issue->n_blinded; i++) {
		if (crypto_core_ristretto255_is_valid_point(issue->blinded[i].data) != 1 ||
		    sodium_is_zero(issue->blinded[i].data, ELEMENT_BYTES))
			return ERR_BAD_KEY;
		parts[i] = (struct hash_part){issue->blinded[i].data, ELEMENT_BYTES};
	}
	hash_parts(TAG_RECORD_ID, parts, issue->n_blinded, hash->bytes);
	return ERR_OK;
}

enum err read_issue(struct verifier *verifier, struct request *request, const Oyez__IssueTokens *issue,
                    struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	struct command *command = &request->command;
	struct rights rights;
	Oyez__Voucher *voucher;
	enum err err = check_broker(verifier, issue->broker_id);
	if (!err && sign_open(issue->voucher, TAG_VOUCHER))
		err = ERR_VOUCHER_BAD;
	if (!err)
		err = codec_decode_voucher(&allocator, issue->voucher->record.data, issue->voucher->record.len, &voucher, detail);
	if (err)
		return err;
	rights_copy(verifier, &rights);
	err = check_voucher(verifier, &rights, issue->voucher, voucher, issue->n_blinded);
	sodium_memzero(&rights, sizeof rights);
	if (!err)
		err = hash_elements(issue, &command->record_hash);
	if (err)
		return err;
	// A voucher's id is its guardian's choice of wallet's bytes: two guardians' ids do not meet.
	struct hash_part parts[] = {{voucher->guardian_id.data, KEY_BYTES}, {voucher->voucher_id.data, VOUCHER_ID_BYTES}};
	hash_parts(TAG_VOUCHER, parts, 2, command->sender.bytes);
	command->kind = COMMAND_ISSUE;
	command->payload = &issue->base;
	command->right.epoch = voucher->epoch;
	return ERR_OK;
}

// Scalar multiplications take their time, so they happen here, in the pool, and not on the state thread.
bool issue_reply(const struct request *request, const uint8_t *reply, size_t count, uint8_t **out, size_t *out_bytes)
{
	if (request->command.kind != COMMAND_ISSUE || !request->verifier)
		return false;
	Oyez__CustomerReply *taken = oyez__customer_reply__unpack(NULL, count, reply);
	bool accepted = taken && taken->body_case == OYEZ__CUSTOMER_REPLY__BODY_TOKENS;
	oyez__customer_reply__free_unpacked(taken, NULL);
	if (!accepted)
		return false;

	const Oyez__IssueTokens *issue = (const Oyez__IssueTokens *)request->command.payload;
	uint8_t blinded[VOUCHER_TOKENS][ELEMENT_BYTES], evaluated[VOUCHER_TOKENS][ELEMENT_BYTES], proof[PROOF_BYTES];
	ProtobufCBinaryData list[VOUCHER_TOKENS];
	struct rights rights;
	enum err err = ERR_UNAVAILABLE; // the epoch ended on the way
	for (size_t i = 0; i < issue->n_blinded; i++) {
		memcpy(blinded[i], issue->blinded[i].data, ELEMENT_BYTES);
		list[i] = (ProtobufCBinaryData){.data = evaluated[i], .len = ELEMENT_BYTES};
	}
	rights_copy(request->verifier, &rights);
	for (size_t i = 0; i < rights.key_count; i++)
		if (rights.keys[i].epoch == request->command.right.epoch)
			err = voprf_evaluate_batch(&rights.keys[i].pair, issue->n_blinded, (const uint8_t(*)[ELEMENT_BYTES])blinded,
			                           evaluated, proof);
	sodium_memzero(&rights, sizeof rights);

	Oyez__Error error = OYEZ__ERROR__INIT;
	Oyez__TokensIssued tokens = OYEZ__TOKENS_ISSUED__INIT;
	Oyez__CustomerReply message = OYEZ__CUSTOMER_REPLY__INIT;
	if (err) {
		error.code = (uint32_t)err;
		error.name = (char *)err_name(err);
		message.body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
		message.error = &error;
	} else {
		tokens.epoch = request->command.right.epoch;
		tokens.evaluated = list;
		tokens.n_evaluated = issue->n_blinded;
		tokens.proof = (ProtobufCBinaryData){.data = proof, .len = PROOF_BYTES};
		message.body_case = OYEZ__CUSTOMER_REPLY__BODY_TOKENS;
		message.tokens = &tokens;
	}
	if (codec_encode(&message.base, out, out_bytes))
		abort();
	return true;
}
