// From frame bytes to a verified command. What is refused here never reaches the state thread; nothing here is logged.
// Not here: anything that depends on what is stored.
#include "verify.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/seal.h"
#include "proto/sign.h"
#include "replay.h"
#include "session.h"
#include "verify_internal.h"
#include "wire.h"

enum {
	SESSIONS_MAX = 16384,
	CELLS_REMEMBERED_MAX = 1 << 20,
};

// ---- life

struct verifier *verifier_new(const uint8_t broker_key[KEY_BYTES])
{
	struct verifier *verifier = calloc(1, sizeof *verifier);
	if (!verifier)
		return NULL;
	pthread_mutex_init(&verifier->mutex, NULL);
	memcpy(verifier->broker_key, broker_key, KEY_BYTES);
	verifier->sessions = sessions_new(SESSIONS_MAX);
	verifier->replay = replay_new(CELLS_REMEMBERED_MAX);
	verifier->homes = homes_new();
	if (verifier->sessions && verifier->replay && verifier->homes)
		return verifier;
	verifier_free(verifier);
	return NULL;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	sessions_free(verifier->sessions);
	replay_free(verifier->replay);
	homes_free(verifier->homes);
	pthread_mutex_destroy(&verifier->mutex);
	free(verifier->config);
	sodium_memzero(verifier, sizeof *verifier);
	free(verifier);
}

void verifier_set_keys(struct verifier *verifier, const struct gateway_key *keys, size_t key_count)
{
	pthread_mutex_lock(&verifier->mutex);
	verifier->key_count = key_count < GATEWAY_KEYS_MAX ? key_count : GATEWAY_KEYS_MAX;
	sodium_memzero(verifier->keys, sizeof verifier->keys);
	if (verifier->key_count)
		memcpy(verifier->keys, keys, verifier->key_count * sizeof *keys);
	pthread_mutex_unlock(&verifier->mutex);
}

void verifier_set_config(struct verifier *verifier, const uint8_t *signed_config, size_t count)
{
	uint8_t *copy = malloc(count ? count : 1);
	if (!copy)
		abort();
	if (count)
		memcpy(copy, signed_config, count);
	pthread_mutex_lock(&verifier->mutex);
	free(verifier->config);
	verifier->config = copy;
	verifier->config_bytes = count;
	pthread_mutex_unlock(&verifier->mutex);
}

struct homes *verifier_homes(struct verifier *verifier)
{
	return verifier->homes;
}

void request_fini(struct request *request)
{
	cell_exchange_wipe(&request->exchange);
	arena_fini(&request->arena);
	*request = (struct request){0};
}

void verifier_keys_copy(struct verifier *verifier, struct keys *keys)
{
	pthread_mutex_lock(&verifier->mutex);
	memcpy(keys->items, verifier->keys, sizeof keys->items);
	keys->count = verifier->key_count;
	pthread_mutex_unlock(&verifier->mutex);
}

// ---- pieces

bool times_within(uint64_t a, uint64_t b, uint64_t span)
{
	return (a > b ? a - b : b - a) <= span;
}

enum err check_broker(const struct verifier *verifier, ProtobufCBinaryData broker_id)
{
	bool ours = broker_id.len == KEY_BYTES && memcmp(broker_id.data, verifier->broker_key, KEY_BYTES) == 0;
	return ours ? ERR_OK : ERR_WRONG_BROKER;
}

// Who sent a signed record, and which record it is.
static void put_sender(struct command *command, const Oyez__Signed *record, bool customer)
{
	memcpy(command->sender_key, record->key.data, KEY_BYTES);
	command->sender = customer ? intent_id_of(record->key.data) : vendor_id_of(record->key.data);
	command->record_hash = signed_id_of(TAG_RECORD_ID, record);
}

// ---- customers

static enum err open_cell(struct verifier *verifier, struct request *request, const uint8_t **message,
                          size_t *message_bytes)
{
	struct keys keys;
	uint8_t *plain = arena_alloc(&request->arena, CELL_REQUEST_PLAIN_BYTES);
	verifier_keys_copy(verifier, &keys);
	enum err err = cell_open_request(keys.items, keys.count, request->now_ms, request->frame, request->frame_bytes,
	                                 plain, message, message_bytes, &request->exchange);
	sodium_memzero(&keys, sizeof keys);
	request->is_cell = !err;
	return err;
}

static enum err read_record(struct verifier *verifier, struct request *request, const Oyez__Signed *signed_record,
                            struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__CustomerRecord *record;
	enum err err;
	if ((err = sign_open(signed_record, TAG_CUSTOMER)) ||
	    (err = codec_decode_customer_record(&allocator, signed_record->record.data, signed_record->record.len, &record,
	                                        detail)) ||
	    (err = check_broker(verifier, record->broker_id)))
		return err;
	put_sender(&request->command, signed_record, true);
	request->command.made_at_ms = record->made_at_ms;
	if (!command_of_customer(record, &request->command))
		return ERR_UNKNOWN_MESSAGE;
	if (request->command.kind == COMMAND_POST) {
		ProtobufCBinaryData post = wire_pack(&request->arena, request->command.payload);
		request->command.payload_bytes = (struct bytes_view){.at = post.data, .count = post.len};
		read_right(verifier, request, (const Oyez__Post *)request->command.payload);
	}
	return ERR_OK;
}

// Whether the key is that of the deal is the handler's question.
static enum err read_deal_record(struct verifier *verifier, struct request *request, const Oyez__Signed *signed_record,
                                 struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	struct command *command = &request->command;
	Oyez__DealRecord *record;
	enum err err;
	if ((err = sign_open(signed_record, TAG_DEAL_RECORD)) ||
	    (err = codec_decode_deal_record(&allocator, signed_record->record.data, signed_record->record.len, &record,
	                                    detail)) ||
	    (err = check_broker(verifier, record->broker_id)))
		return err;
	memcpy(command->sender_key, signed_record->key.data, KEY_BYTES);
	command->sender = id_of_wire(record->deal_id);
	command->record_hash = signed_id_of(TAG_RECORD_ID, signed_record);
	command->made_at_ms = record->made_at_ms;
	if (!command_of_deal(record, command))
		return ERR_UNKNOWN_MESSAGE;
	if (command->kind == COMMAND_ERASE) {
		ProtobufCBinaryData bytes = wire_pack(&request->arena, &signed_record->base);
		command->payload_bytes = (struct bytes_view){.at = bytes.data, .count = bytes.len};
	}
	return ERR_OK;
}

static enum err read_notices(struct verifier *verifier, struct request *request, const Oyez__GetNotices *notices)
{
	request->command.kind = COMMAND_GET_NOTICES;
	request->command.payload = &notices->base;
	return check_broker(verifier, notices->broker_id);
}

static enum err read_customer(struct verifier *verifier, struct request *request, const uint8_t *message,
                              size_t message_bytes, struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__CellBody *body;
	enum err err = codec_decode_cell_body(&allocator, message, message_bytes, &body, detail);
	if (err)
		return err;
	if (!times_within(body->sent_at_ms, request->now_ms, CELL_AGE_MS_MAX))
		return ERR_CELL_STALE;
	err = replay_check(verifier->replay, request->frame, request->frame_bytes, request->now_ms);
	if (err)
		return err;
	switch (body->body_case) {
	case OYEZ__CELL_BODY__BODY_CUSTOMER:
		return read_record(verifier, request, body->customer, detail);
	case OYEZ__CELL_BODY__BODY_ISSUE:
		return read_issue(verifier, request, body->issue, detail);
	case OYEZ__CELL_BODY__BODY_DEAL:
		return read_deal_record(verifier, request, body->deal, detail);
	case OYEZ__CELL_BODY__BODY_NOTICES:
		return read_notices(verifier, request, body->notices);
	default:
		return ERR_UNKNOWN_MESSAGE;
	}
}

// ---- vendors

static enum err open_session(struct verifier *verifier, struct request *request, const Oyez__OpenSession *message,
                             uint8_t session_key[SESSION_KEY_BYTES])
{
	struct keys keys;
	struct seal_header header = {.from = request->command.sender};
	uint8_t *plain;
	size_t plain_bytes;
	enum err err = ERR_CELL_SEALED; // no current gateway key: the same remedy as for a cell
	if (!times_within(request->command.made_at_ms, request->now_ms, RECORD_AGE_MS_MAX) ||
	    !challenge_check(verifier->sessions, request->now_ms, message->challenge.data, message->challenge.len))
		return ERR_STALE;
	verifier_keys_copy(verifier, &keys);
	for (size_t i = 0; i < keys.count; i++) {
		const struct gateway_key *key = &keys.items[i];
		if (message->gateway_key_id.len != GATEWAY_KEY_ID_BYTES || key->accepted_until_ms < request->now_ms ||
		    memcmp(key->id, message->gateway_key_id.data, GATEWAY_KEY_ID_BYTES) != 0)
			continue;
		err = open_message(SEAL_SESSION, &key->pair, &header, message->sealed_key.data, message->sealed_key.len, &plain,
		                   &plain_bytes);
		break;
	}
	sodium_memzero(&keys, sizeof keys);
	if (err)
		return err;
	if (plain_bytes == SESSION_KEY_BYTES)
		memcpy(session_key, plain, SESSION_KEY_BYTES);
	else
		err = ERR_BAD_MESSAGE;
	sodium_memzero(plain, plain_bytes);
	free(plain);
	return err;
}

static enum err answer_session(struct verifier *verifier, struct request *request, const Oyez__OpenSession *message,
                               Oyez__Reply *reply)
{
	uint8_t key[SESSION_KEY_BYTES];
	struct session session;
	enum err err = open_session(verifier, request, message, key);
	if (err)
		return err;
	sessions_open(verifier->sessions, request->command.sender_key, key, request->now_ms, &session);
	Oyez__SessionOpened *opened = arena_alloc(&request->arena, sizeof *opened);
	oyez__session_opened__init(opened);
	opened->session_id = wire_bytes(arena_copy(&request->arena, session.id, SESSION_ID_BYTES), SESSION_ID_BYTES);
	opened->valid_until_ms = session.valid_until_ms;
	reply->body_case = OYEZ__REPLY__BODY_SESSION;
	reply->session = opened;
	sodium_memzero(key, sizeof key);
	sodium_memzero(&session, sizeof session);
	return ERR_OK;
}

// Either a command, or *reply is filled (its body case says so).
static enum err read_vendor(struct verifier *verifier, struct request *request, const Oyez__Signed *signed_record,
                            Oyez__Reply *reply, struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__VendorRecord *record;
	enum err err = sign_open(signed_record, TAG_VENDOR);
	if (!err)
		err = codec_decode_vendor_record(&allocator, signed_record->record.data, signed_record->record.len, &record,
		                                 detail);
	if (!err)
		err = check_broker(verifier, record->broker_id);
	if (err)
		return err;
	put_sender(&request->command, signed_record, false);
	request->command.made_at_ms = record->made_at_ms;
	if (record->body_case == OYEZ__VENDOR_RECORD__BODY_OPEN_SESSION)
		return answer_session(verifier, request, record->open_session, reply);
	if (record->body_case == OYEZ__VENDOR_RECORD__BODY_REGISTER) {
		err = sign_open(record->register_, TAG_LISTING);
		if (err)
			return err;
	}
	return command_of_vendor(record, &request->command) ? ERR_OK : ERR_UNKNOWN_MESSAGE;
}

static bool mac_fits(struct request *request, const Oyez__VendorRead *read, const uint8_t key[SESSION_KEY_BYTES])
{
	size_t tag_bytes = sizeof TAG_READ; // with its zero byte
	uint8_t *bytes = arena_alloc(&request->arena, tag_bytes + read->body.len);
	memcpy(bytes, TAG_READ, tag_bytes);
	if (read->body.len)
		memcpy(bytes + tag_bytes, read->body.data, read->body.len);
	return read->mac.len == crypto_auth_BYTES &&
	       crypto_auth_verify(read->mac.data, bytes, tag_bytes + read->body.len, key) == 0;
}

static enum err read_read(struct verifier *verifier, struct request *request, const Oyez__VendorRead *read,
                          struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__VendorReadBody *body;
	struct session session;
	if (!sessions_find(verifier->sessions, read->session_id.data, read->session_id.len, request->now_ms, &session))
		return ERR_SESSION_UNKNOWN;
	bool fits = mac_fits(request, read, session.key);
	sodium_memzero(session.key, sizeof session.key);
	if (!fits)
		return ERR_BAD_SIGNATURE;
	enum err err = codec_decode_vendor_read_body(&allocator, read->body.data, read->body.len, &body, detail);
	if (err)
		return err;
	if (!times_within(body->sent_at_ms, request->now_ms, RECORD_AGE_MS_MAX))
		return ERR_STALE;
	memcpy(request->command.sender_key, session.vendor_key, KEY_BYTES);
	request->command.sender = vendor_id_of(session.vendor_key);
	return command_of_read(body, &request->command) ? ERR_OK : ERR_UNKNOWN_MESSAGE;
}

// ---- public questions

static enum err answer_config(struct verifier *verifier, struct request *request, Oyez__Reply *reply)
{
	pthread_mutex_lock(&verifier->mutex);
	reply->config = verifier->config ? wire_unpack(&request->arena, &oyez__signed__descriptor, verifier->config,
	                                               verifier->config_bytes)
	                                 : NULL;
	pthread_mutex_unlock(&verifier->mutex);
	if (!reply->config)
		return ERR_UNAVAILABLE;
	reply->body_case = OYEZ__REPLY__BODY_CONFIG;
	reply->now_ms = request->now_ms;
	return ERR_OK;
}

static enum err answer_challenge(struct verifier *verifier, struct request *request, Oyez__Reply *reply)
{
	uint8_t *challenge = arena_alloc(&request->arena, CHALLENGE_BYTES);
	challenge_make(verifier->sessions, request->now_ms, challenge);
	reply->body_case = OYEZ__REPLY__BODY_CHALLENGE;
	reply->challenge = wire_bytes(challenge, CHALLENGE_BYTES);
	return ERR_OK;
}

// ---- frames

static enum err read_request(struct verifier *verifier, struct request *request, Oyez__Reply *reply,
                             struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__Request *message;
	enum err err = codec_decode_request(&allocator, request->frame + FRAME_HEADER_BYTES,
	                                    request->frame_bytes - FRAME_HEADER_BYTES, &message, detail);
	if (err)
		return err;
	switch (message->body_case) {
	case OYEZ__REQUEST__BODY_GET_CONFIG:
		return answer_config(verifier, request, reply);
	case OYEZ__REQUEST__BODY_GET_CHALLENGE:
		return answer_challenge(verifier, request, reply);
	case OYEZ__REQUEST__BODY_VENDOR:
		return read_vendor(verifier, request, message->vendor, reply, detail);
	case OYEZ__REQUEST__BODY_READ:
		return read_read(verifier, request, message->read, detail);
	case OYEZ__REQUEST__BODY_PUSH:
		return read_push(verifier, request, message->push, detail);
	default:
		return ERR_UNKNOWN_MESSAGE;
	}
}

static enum err read_admin(struct request *request, struct codec_detail *detail)
{
	ProtobufCAllocator allocator = wire_allocator(&request->arena);
	Oyez__AdminRequest *message;
	if (!request->from_ipc)
		return ERR_ADMIN_ONLY;
	enum err err = codec_decode_admin_request(&allocator, request->frame + FRAME_HEADER_BYTES,
	                                          request->frame_bytes - FRAME_HEADER_BYTES, &message, detail);
	if (err)
		return err;
	return command_of_admin(message, &request->command) ? ERR_OK : ERR_UNKNOWN_MESSAGE;
}

static enum err read_frame(struct verifier *verifier, struct request *request, Oyez__Reply *reply,
                           Oyez__GuardianReply *guardian_reply, struct codec_detail *detail)
{
	enum frame_kind kind;
	const uint8_t *message;
	size_t message_bytes;
	enum err err = frame_kind_of(request->frame, request->frame_bytes, &kind);
	if (err)
		return err;
	switch (kind) {
	case FRAME_CELL:
		err = open_cell(verifier, request, &message, &message_bytes);
		return err ? err : read_customer(verifier, request, message, message_bytes, detail);
	case FRAME_ENVELOPE:
		return read_envelope(verifier, request, guardian_reply, detail);
	case FRAME_REQUEST:
		return read_request(verifier, request, reply, detail);
	case FRAME_ADMIN:
		return read_admin(request, detail);
	default:
		return ERR_UNKNOWN_MESSAGE;
	}
}

enum verify_verdict verify_request(struct verifier *verifier, struct request *request, uint8_t **answer,
                                   size_t *answer_bytes)
{
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	Oyez__GuardianReply guardian_reply = OYEZ__GUARDIAN_REPLY__INIT;
	struct codec_detail detail = {0};
	arena_init_small(&request->arena); // a request that waits for news keeps it
	request->command.now_ms = request->now_ms;
	request->verifier = verifier;
	enum err err = read_frame(verifier, request, &reply, &guardian_reply, &detail);
	if (err) {
		verify_error_frame(request, err, detail.text, answer, answer_bytes);
		return VERIFY_ANSWER;
	}
	if (guardian_reply.body_case != OYEZ__GUARDIAN_REPLY__BODY__NOT_SET) {
		guardian_frame(request, &guardian_reply, answer, answer_bytes);
		return VERIFY_ANSWER;
	}
	if (reply.body_case == OYEZ__REPLY__BODY__NOT_SET)
		return VERIFY_COMMAND;
	if (codec_encode_frame(&reply.base, FRAME_REPLY, answer, answer_bytes))
		abort();
	return VERIFY_ANSWER;
}

// ---- replies

static uint8_t *frame_of(enum frame_kind kind, const uint8_t *payload, size_t count)
{
	uint8_t *frame = malloc(FRAME_HEADER_BYTES + count);
	if (!frame)
		abort();
	frame_header(frame, kind);
	if (count)
		memcpy(frame + FRAME_HEADER_BYTES, payload, count);
	return frame;
}

static void cell_of(const struct request *request, const uint8_t *reply, size_t count, uint8_t **frame,
                    size_t *frame_bytes)
{
	uint8_t *cell = malloc(CELL_BYTES);
	if (!cell)
		abort();
	if (cell_seal_reply(&request->exchange, reply, count, cell)) {
		free(cell);
		verify_error_frame(request, ERR_INTERNAL, "", frame, frame_bytes); // too large, a mistake of ours
		return;
	}
	*frame = cell;
	*frame_bytes = CELL_BYTES;
}

void verify_reply_frame(const struct request *request, enum reply_form form, const uint8_t *reply, size_t count,
                        uint8_t **frame, size_t *frame_bytes)
{
	if (request->is_cell) {
		uint8_t *issued = NULL;
		size_t issued_bytes;
		if (issue_reply(request, reply, count, &issued, &issued_bytes))
			cell_of(request, issued, issued_bytes, frame, frame_bytes);
		else
			cell_of(request, reply, count, frame, frame_bytes);
		free(issued);
		return;
	}
	if (request->is_envelope) {
		if (envelope_of(request, reply, count, frame, frame_bytes))
			verify_error_frame(request, ERR_INTERNAL, "", frame, frame_bytes);
		return;
	}
	*frame = frame_of(form == REPLY_ADMIN ? FRAME_ADMIN_REPLY : FRAME_REPLY, reply, count);
	*frame_bytes = FRAME_HEADER_BYTES + count;
}

static void encode_frame(const ProtobufCMessage *message, enum frame_kind kind, uint8_t **frame, size_t *frame_bytes)
{
	if (codec_encode_frame(message, kind, frame, frame_bytes))
		abort();
}

static void sealed_error_frame(const struct request *request, Oyez__Error *error, uint8_t **frame, size_t *frame_bytes)
{
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	uint8_t *bytes;
	size_t count;
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
	reply.error = error;
	if (codec_encode(&reply.base, &bytes, &count))
		abort();
	cell_of(request, bytes, count, frame, frame_bytes);
	free(bytes);
}

void verify_error_frame(const struct request *request, enum err err, const char *detail, uint8_t **frame,
                        size_t *frame_bytes)
{
	Oyez__Error error = OYEZ__ERROR__INIT;
	enum frame_kind kind = FRAME_ERROR;
	error.code = (uint32_t)err;
	error.name = (char *)err_name(err);
	error.detail = (char *)(detail ? detail : "");
	if (request->is_cell) {
		sealed_error_frame(request, &error, frame, frame_bytes);
		return;
	}
	if (request->is_envelope) {
		guardian_error_frame(request, &error, frame, frame_bytes);
		return;
	}
	if (frame_kind_of(request->frame, request->frame_bytes, &kind) != ERR_OK)
		kind = FRAME_ERROR;
	if (kind == FRAME_REQUEST) {
		Oyez__Reply reply = OYEZ__REPLY__INIT;
		reply.body_case = OYEZ__REPLY__BODY_ERROR;
		reply.error = &error;
		encode_frame(&reply.base, FRAME_REPLY, frame, frame_bytes);
	} else if (kind == FRAME_ADMIN && request->from_ipc) {
		Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
		reply.body_case = OYEZ__ADMIN_REPLY__BODY_ERROR;
		reply.error = &error;
		encode_frame(&reply.base, FRAME_ADMIN_REPLY, frame, frame_bytes);
	} else {
		encode_frame(&error.base, FRAME_ERROR, frame, frame_bytes);
	}
}
