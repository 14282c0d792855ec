// What a guardian is told: a wallet's envelopes, and batches of box cells from home brokers. As verify.c: everything
// that can be checked without the state, and nothing else.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sign.h"
#include "replay.h"
#include "verify_internal.h"
#include "wire.h"

// ---- envelopes

static enum err open_envelope(struct verifier *verifier, struct request *request, const uint8_t **message,
                              size_t *message_bytes)
{
	struct keys keys;
	uint8_t *plain = arena_alloc(&request->arena, ENVELOPE_REQUEST_PLAIN_BYTES);
	verifier_keys_copy(verifier, &keys);
	enum err err = envelope_open_request(keys.items, keys.count, request->now_ms, request->frame, request->frame_bytes,
	                                     plain, message, message_bytes, &request->exchange);
	sodium_memzero(&keys, sizeof keys);
	request->is_envelope = !err;
	return err;
}

static enum err read_account(struct verifier *verifier, struct request *request, const Oyez__Signed *account,
                             Oyez__AccountRecord **record, struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	struct command *command = &request->command;
	enum err err = sign_open(account, TAG_ACCOUNT);
	if (!err)
		err = codec_decode_account_record(&allocator, account->record.data, account->record.len, record, detail);
	if (!err)
		err = check_broker(verifier, (*record)->guardian_id);
	if (err)
		return err;
	memcpy(command->sender_key, account->key.data, KEY_BYTES);
	command->sender = id_of(TAG_ACCOUNT_ID, account->key.data, KEY_BYTES);
	command->record_hash = signed_id_of(TAG_RECORD_ID, account);
	command->made_at_ms = (*record)->made_at_ms;
	return ERR_OK;
}

enum err read_envelope(struct verifier *verifier, struct request *request, Oyez__GuardianReply *reply,
                       struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__EnvelopeBody *body;
	Oyez__AccountRecord *record;
	const uint8_t *message;
	size_t message_bytes;
	enum err err = open_envelope(verifier, request, &message, &message_bytes);
	if (!err)
		err = codec_decode_envelope_body(&allocator, message, message_bytes, &body, detail);
	if (err)
		return err;
	if (!times_within(body->sent_at_ms, request->now_ms, CELL_AGE_MS_MAX))
		return ERR_CELL_STALE;
	if ((err = replay_check(verifier->replay, request->frame, request->frame_bytes, request->now_ms)) ||
	    (err = read_account(verifier, request, body->account, &record, detail)))
		return err;
	if (record->body_case == OYEZ__ACCOUNT_RECORD__BODY_GET_HOME)
		return homes_answer(verifier->homes, record->get_home->home_id, &request->arena, reply);
	return command_of_account(record, &request->command) ? ERR_OK : ERR_UNKNOWN_MESSAGE;
}

enum err envelope_of(const struct request *request, const uint8_t *reply, size_t count, uint8_t **frame,
                     size_t *frame_bytes)
{
	uint8_t *envelope = malloc(ENVELOPE_BYTES);
	if (!envelope)
		abort();
	enum err err = envelope_seal_reply(&request->exchange, reply, count, envelope);
	if (err) {
		free(envelope);
		return err;
	}
	*frame = envelope;
	*frame_bytes = ENVELOPE_BYTES;
	return ERR_OK;
}

void guardian_frame(const struct request *request, const Oyez__GuardianReply *reply, uint8_t **frame,
                    size_t *frame_bytes)
{
	Oyez__GuardianReply stamped = *reply;
	uint8_t *bytes;
	size_t count;
	stamped.now_ms = request->now_ms;
	if (codec_encode(&stamped.base, &bytes, &count))
		abort();
	enum err err = envelope_of(request, bytes, count, frame, frame_bytes);
	free(bytes);
	if (err)
		verify_error_frame(request, ERR_INTERNAL, "", frame, frame_bytes);
}

void guardian_error_frame(const struct request *request, const Oyez__Error *error, uint8_t **frame, size_t *frame_bytes)
{
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ERROR;
	reply.error = (Oyez__Error *)(uintptr_t)error;
	guardian_frame(request, &reply, frame, frame_bytes);
}

void verify_relayed_frame(const struct request *request, const uint8_t cell[CELL_BYTES], uint8_t **frame,
                          size_t *frame_bytes)
{
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_RELAYED;
	reply.relayed = wire_bytes(cell, CELL_BYTES);
	guardian_frame(request, &reply, frame, frame_bytes);
}

// ---- batches of box cells

enum err read_push(struct verifier *verifier, struct request *request, const Oyez__Signed *signed_batch,
                   struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	struct command *command = &request->command;
	Oyez__PushBatch *batch;
	enum err err = sign_open(signed_batch, TAG_PUSH);
	if (!err)
		err = codec_decode_push_batch(&allocator, signed_batch->record.data, signed_batch->record.len, &batch, detail);
	if (!err)
		err = check_broker(verifier, batch->guardian_id);
	if (err)
		return err;
	if (!times_within(batch->made_at_ms, request->now_ms, RECORD_AGE_MS_MAX))
		return ERR_STALE;
	memcpy(command->sender_key, signed_batch->key.data, KEY_BYTES);
	memcpy(command->sender.bytes, signed_batch->key.data, KEY_BYTES); // brokers are named by their keys
	command->record_hash = signed_id_of(TAG_RECORD_ID, signed_batch);
	command->made_at_ms = batch->made_at_ms;
	command->kind = COMMAND_PUSH;
	command->payload = &batch->base;
	return ERR_OK;
}
