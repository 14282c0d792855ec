// The verifier: cells, signatures, sessions, the operator's frames; which error comes in which kind of frame.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/service/homes.h"
#include "broker/service/replay.h"
#include "broker/service/session.h"
#include "proto/seal.h"
#include "support_crypto.h"

static int setup(void **state)
{
	struct support_broker *broker = calloc(1, sizeof *broker);
	support_broker_open(broker);
	*state = broker;
	return 0;
}

static int teardown(void **state)
{
	support_broker_close(*state);
	free(*state);
	return 0;
}

// ---- helpers

static ProtobufCBinaryData status_record(struct support_broker *broker, const struct sign_pair *intent,
                                         uint64_t made_at_ms)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.made_at_ms = made_at_ms;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_STATUS;
	record.read_status = &read;
	return support_sign_customer(broker, intent, &record);
}

static enum err clear_error_of(struct support_broker *broker, struct support_frame frame)
{
	enum err err = ERR_OK;
	struct cell_exchange none = {0};
	assert_null(support_cell_open(broker, &none, frame, &err));
	return err;
}

static enum err read_error(struct support_broker *broker, const uint8_t *session_id, const uint8_t key[32],
                           uint64_t sent_at_ms)
{
	Oyez__ShowVendor show = OYEZ__SHOW_VENDOR__INIT;
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	Oyez__VendorRead read = OYEZ__VENDOR_READ__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	uint8_t mac[crypto_auth_BYTES], input[256] = TAG_READ;
	body.sent_at_ms = sent_at_ms;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_SHOW_VENDOR;
	body.show_vendor = &show;
	read.body = wire_pack(&broker->arena, &body.base);
	memcpy(input + sizeof TAG_READ, read.body.data, read.body.len);
	crypto_auth(mac, input, sizeof TAG_READ + read.body.len, key);
	read.session_id = wire_bytes(session_id, SESSION_ID_BYTES);
	read.mac = wire_bytes(mac, sizeof mac);
	request.body_case = OYEZ__REQUEST__BODY_READ;
	request.read = &read;
	return support_vendor_error(support_request(broker, &request));
}

static ProtobufCBinaryData challenge_of(struct support_broker *broker)
{
	Oyez__GetChallenge get = OYEZ__GET_CHALLENGE__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_GET_CHALLENGE;
	request.get_challenge = &get;
	const Oyez__Reply *reply = support_request(broker, &request);
	assert_int_equal(reply->body_case, OYEZ__REPLY__BODY_CHALLENGE);
	return reply->challenge;
}

static const Oyez__Reply *open_session(struct support_broker *broker, const struct sign_pair *vendor,
                                       ProtobufCBinaryData challenge, const struct id *sealed_as, const uint8_t key[32])
{
	struct seal_header header = {.from = *sealed_as};
	Oyez__OpenSession open = OYEZ__OPEN_SESSION__INIT;
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	uint8_t *sealed;
	size_t sealed_bytes;
	assert_int_equal(
	    seal_message(SEAL_SESSION, broker->gateway.pair.public_key, &header, key, 32, &sealed, &sealed_bytes), ERR_OK);
	open.challenge = challenge;
	open.sealed_key = wire_bytes(arena_copy(&broker->arena, sealed, sealed_bytes), sealed_bytes);
	free(sealed);
	open.gateway_key_id = wire_bytes(broker->gateway.id, GATEWAY_KEY_ID_BYTES);
	record.body_case = OYEZ__VENDOR_RECORD__BODY_OPEN_SESSION;
	record.open_session = &open;
	return support_vendor_request(broker, support_sign_vendor(broker, vendor, &record));
}

// ---- frames

static void test_frames_that_are_none(void **state)
{
	struct support_broker *broker = *state;
	uint8_t frame[CELL_BYTES] = {'O', 'Y', 1, FRAME_CELL};
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, 0, false)), ERR_BAD_FRAME);
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, 3, false)), ERR_BAD_FRAME);
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, CELL_BYTES, false)), ERR_CELL_SEALED);
	frame[2] = 9;
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, CELL_BYTES, false)), ERR_BAD_VERSION);
	frame[2] = 1;
	frame[3] = 77;
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, CELL_BYTES, false)), ERR_UNKNOWN_MESSAGE);
	frame[3] = FRAME_REPLY;
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, frame, CELL_BYTES, false)), ERR_UNKNOWN_MESSAGE);
}

static void test_junk_in_a_request_is_answered_as_a_reply(void **state)
{
	struct support_broker *broker = *state;
	ProtobufCAllocator allocator = wire_allocator(&broker->arena);
	uint8_t junk[] = {'O', 'Y', 1, FRAME_REQUEST, 0xff, 0xff, 0xff};
	struct support_frame frame = support_frame_ask(broker, junk, sizeof junk, false);
	enum frame_kind kind;
	Oyez__Reply *reply;
	assert_int_equal(frame_kind_of(frame.bytes, frame.count, &kind), ERR_OK);
	assert_int_equal(kind, FRAME_REPLY);
	assert_int_equal(codec_decode_reply(&allocator, frame.bytes + 4, frame.count - 4, &reply, NULL), ERR_OK);
	assert_vendor_error(reply, ERR_BAD_MESSAGE);
}

static void test_admin_only_over_ipc(void **state)
{
	struct support_broker *broker = *state;
	ProtobufCAllocator allocator = wire_allocator(&broker->arena);
	Oyez__AdminStatus status = OYEZ__ADMIN_STATUS__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	Oyez__AdminReply *reply;
	uint8_t *bytes;
	size_t count;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_STATUS;
	request.status = &status;
	assert_int_equal(codec_encode_frame(&request.base, FRAME_ADMIN, &bytes, &count), ERR_OK);
	assert_int_equal(clear_error_of(broker, support_frame_ask(broker, bytes, count, false)), ERR_ADMIN_ONLY);
	struct support_frame frame = support_frame_ask(broker, bytes, count, true);
	assert_int_equal(codec_decode_admin_reply(&allocator, frame.bytes + 4, frame.count - 4, &reply, NULL), ERR_OK);
	assert_int_equal(reply->body_case, OYEZ__ADMIN_REPLY__BODY_STATUS);
	free(bytes);
}

static void test_config_is_answered_without_the_service(void **state)
{
	struct support_broker *broker = *state;
	Oyez__GetConfig get = OYEZ__GET_CONFIG__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get;
	assert_vendor_error(support_request(broker, &request), ERR_UNAVAILABLE);
	Oyez__Ack anything = OYEZ__ACK__INIT;
	anything.id = wire_bytes(broker->identity.public_key, KEY_BYTES);
	ProtobufCBinaryData config = support_sign(broker, &broker->identity, TAG_CONFIG, &anything.base);
	verifier_set_config(broker->verifier, config.data, config.len);
	const Oyez__Reply *reply = support_request(broker, &request);
	assert_int_equal(reply->body_case, OYEZ__REPLY__BODY_CONFIG);
	assert_int_equal(reply->now_ms, broker->now_ms);
	assert_int_equal(sign_open(reply->config, TAG_CONFIG), ERR_OK);
}

// ---- cells

static void test_errors_in_an_opened_cell_are_sealed(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair intent;
	sign_pair_new(&intent);
	assert_customer_error(support_cell(broker, status_record(broker, &intent, broker->now_ms), NULL), ERR_NOT_FOUND);
	assert_customer_error(
	    support_cell(broker, status_record(broker, &intent, broker->now_ms - RECORD_AGE_MS_MAX - 1), NULL), ERR_STALE);
	ProtobufCBinaryData bad = status_record(broker, &intent, broker->now_ms);
	bad.data[bad.len - 1] ^= 1; // the signature stands last
	assert_customer_error(support_cell(broker, bad, NULL), ERR_BAD_SIGNATURE);
}

static void test_cell_age_and_replay(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair intent;
	uint8_t cell[CELL_BYTES];
	struct cell_exchange exchange;
	sign_pair_new(&intent);
	ProtobufCBinaryData record = status_record(broker, &intent, broker->now_ms);
	static const int64_t ages[] = {-(int64_t)CELL_AGE_MS_MAX - 1, (int64_t)CELL_AGE_MS_MAX + 1};
	for (size_t i = 0; i < 2; i++) {
		support_cell_make(broker, record, broker->now_ms - (uint64_t)ages[i], cell, &exchange);
		assert_customer_error(
		    support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), NULL),
		    ERR_CELL_STALE);
	}
	support_cell_make(broker, record, broker->now_ms, cell, &exchange);
	for (int i = 0; i < 3; i++)
		assert_customer_error(
		    support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), NULL),
		    i == 0 ? ERR_NOT_FOUND : ERR_CELL_REPLAYED);
	assert_customer_error(support_cell(broker, record, NULL), ERR_NOT_FOUND); // the same record in a new cell
}

static void test_gateway_keys_end(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair intent;
	enum err err = ERR_OK;
	sign_pair_new(&intent);
	struct gateway_key old = broker->gateway;
	old.accepted_until_ms = broker->now_ms - 1;
	verifier_set_keys(broker->verifier, &old, 1);
	assert_null(support_cell(broker, status_record(broker, &intent, broker->now_ms), &err));
	assert_int_equal(err, ERR_CELL_SEALED);
}

static void test_replay_cache_turns(void **state)
{
	(void)state;
	struct replay *replay = replay_new(1000);
	uint8_t cell[64] = {0};
	uint64_t now = 1000000;
	for (int i = 0; i < 600; i++) {
		memcpy(cell, &i, sizeof i);
		assert_int_equal(replay_check(replay, cell, sizeof cell, now), ERR_OK);
		assert_int_equal(replay_check(replay, cell, sizeof cell, now + 2 * CELL_AGE_MS_MAX - 1), ERR_CELL_REPLAYED);
	}
	// As long as its stamp can pass, a cell is known; long after, it is forgotten.
	assert_int_equal(replay_check(replay, cell, sizeof cell, now + 2 * CELL_AGE_MS_MAX + 1), ERR_CELL_REPLAYED);
	assert_int_equal(replay_check(replay, cell, sizeof cell, now + 9 * CELL_AGE_MS_MAX), ERR_OK);
	now += 20 * CELL_AGE_MS_MAX;
	enum err err = ERR_OK;
	int taken = 0;
	for (int i = 0; i < 1500 && !err; i++, taken++) {
		memcpy(cell, &i, sizeof i);
		err = replay_check(replay, cell, sizeof cell, now);
	}
	assert_int_equal(err, ERR_BUSY);
	assert_int_equal(taken, 1001);
	replay_free(replay);
}

// ---- sessions

static void test_session(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair vendor;
	uint8_t key[32], other[32];
	sign_pair_new(&vendor);
	randombytes_buf(key, sizeof key);
	randombytes_buf(other, sizeof other);
	struct id id = vendor_id_of(vendor.public_key);
	const Oyez__Reply *reply = open_session(broker, &vendor, challenge_of(broker), &id, key);
	assert_int_equal(reply->body_case, OYEZ__REPLY__BODY_SESSION);
	assert_int_equal(reply->session->valid_until_ms, broker->now_ms + SESSION_MS);
	const uint8_t *session = reply->session->session_id.data;
	assert_int_equal(read_error(broker, session, key, broker->now_ms), ERR_VENDOR_UNKNOWN); // not registered: opened
	assert_int_equal(read_error(broker, session, other, broker->now_ms), ERR_BAD_SIGNATURE);
	assert_int_equal(read_error(broker, session, key, broker->now_ms - RECORD_AGE_MS_MAX - 1), ERR_STALE);
	uint8_t unknown[SESSION_ID_BYTES];
	memcpy(unknown, session, sizeof unknown);
	unknown[0] ^= 1;
	assert_int_equal(read_error(broker, unknown, key, broker->now_ms), ERR_SESSION_UNKNOWN);
	broker->now_ms += SESSION_MS;
	assert_int_equal(read_error(broker, session, key, broker->now_ms), ERR_SESSION_UNKNOWN);
}

static void test_challenges(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair vendor;
	uint8_t key[32] = {1};
	sign_pair_new(&vendor);
	struct id id = vendor_id_of(vendor.public_key), wrong = id;
	ProtobufCBinaryData challenge = challenge_of(broker);
	wrong.bytes[0] ^= 1;
	// The key was sealed for somebody else's record.
	assert_vendor_error(open_session(broker, &vendor, challenge, &wrong, key), ERR_SEALED);
	broker->now_ms += CHALLENGE_AGE_MS_MAX + 1;
	assert_vendor_error(open_session(broker, &vendor, challenge, &id, key), ERR_STALE);
	challenge = challenge_of(broker);
	challenge.data[3] ^= 1;
	assert_vendor_error(open_session(broker, &vendor, challenge, &id, key), ERR_STALE);
}

static void test_sessions_are_bounded(void **state)
{
	(void)state;
	struct sessions *sessions = sessions_new(3);
	uint8_t vendor[KEY_BYTES] = {0}, key[32] = {0};
	struct session opened[5], found;
	for (int i = 0; i < 3; i++)
		sessions_open(sessions, vendor, key, 1000, &opened[i]);
	assert_true(sessions_find(sessions, opened[0].id, SESSION_ID_BYTES, 1000, &found)); // used just now
	for (int i = 3; i < 5; i++)
		sessions_open(sessions, vendor, key, 1000, &opened[i]);
	assert_true(sessions_find(sessions, opened[0].id, SESSION_ID_BYTES, 1000, &found));
	assert_false(sessions_find(sessions, opened[1].id, SESSION_ID_BYTES, 1000, &found));
	assert_false(sessions_find(sessions, opened[2].id, SESSION_ID_BYTES, 1000, &found));
	assert_true(sessions_find(sessions, opened[4].id, SESSION_ID_BYTES, 1000, &found));
	sessions_free(sessions);
}

// ---- envelopes and pushes

static void envelope_make(struct support_broker *broker, const struct sign_pair *account, Oyez__AccountRecord *record,
                          uint64_t sent_at_ms, uint8_t *envelope, struct cell_exchange *exchange)
{
	Oyez__EnvelopeBody body = OYEZ__ENVELOPE_BODY__INIT;
	if (record->guardian_id.len == 0)
		record->guardian_id = wire_bytes(broker->identity.public_key, KEY_BYTES);
	record->made_at_ms = broker->now_ms;
	ProtobufCBinaryData bytes = support_sign(broker, account, TAG_ACCOUNT, &record->base);
	body.sent_at_ms = sent_at_ms;
	body.account = wire_unpack(&broker->arena, &oyez__signed__descriptor, bytes.data, bytes.len);
	ProtobufCBinaryData plain = wire_pack(&broker->arena, &body.base);
	assert_int_equal(envelope_seal_request(broker->gateway.pair.public_key, plain.data, plain.len, envelope, exchange),
	                 ERR_OK);
}

// NULL and *clear_error for an error in clear.
static const Oyez__GuardianReply *envelope_open(struct support_broker *broker, const struct cell_exchange *exchange,
                                                struct support_frame frame, enum err *clear_error)
{
	ProtobufCAllocator allocator = wire_allocator(&broker->arena);
	Oyez__GuardianReply *reply;
	const uint8_t *message;
	size_t count;
	if (frame.count != ENVELOPE_BYTES) {
		*clear_error = clear_error_of(broker, frame);
		return NULL;
	}
	uint8_t *plain = arena_alloc(&broker->arena, ENVELOPE_REPLY_PLAIN_BYTES);
	assert_int_equal(envelope_open_reply(exchange, frame.bytes, frame.count, plain, &message, &count), ERR_OK);
	assert_int_equal(codec_decode_guardian_reply(&allocator, message, count, &reply, NULL), ERR_OK);
	assert_int_equal(reply->now_ms, broker->now_ms);
	return reply;
}

static enum err envelope_error(struct support_broker *broker, const struct sign_pair *account,
                               Oyez__AccountRecord *record, uint64_t sent_at_ms)
{
	uint8_t *envelope = arena_alloc(&broker->arena, ENVELOPE_BYTES);
	struct cell_exchange exchange;
	enum err err = ERR_OK;
	envelope_make(broker, account, record, sent_at_ms, envelope, &exchange);
	const Oyez__GuardianReply *reply =
	    envelope_open(broker, &exchange, support_frame_ask(broker, envelope, ENVELOPE_BYTES, false), &err);
	return !reply ? err : reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_ERROR ? (enum err)reply->error->code : ERR_OK;
}

static void test_envelopes(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair account;
	Oyez__ShowAccount show = OYEZ__SHOW_ACCOUNT__INIT;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	uint8_t envelope[ENVELOPE_BYTES];
	struct cell_exchange exchange;
	enum err err = ERR_OK;
	sign_pair_new(&account);
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_SHOW;
	record.show = &show;
	envelope_make(broker, &account, &record, broker->now_ms, envelope, &exchange);
	struct support_frame frame = support_frame_ask(broker, envelope, ENVELOPE_BYTES, false);
	const Oyez__GuardianReply *reply = envelope_open(broker, &exchange, frame, &err);
	assert_non_null(reply);
	assert_int_equal(reply->body_case, OYEZ__GUARDIAN_REPLY__BODY_ERROR);
	assert_int_equal(reply->error->code, ERR_ACCOUNT_UNKNOWN);
	reply = envelope_open(broker, &exchange, support_frame_ask(broker, envelope, ENVELOPE_BYTES, false), &err);
	assert_int_equal(reply->error->code, ERR_CELL_REPLAYED);
	envelope[ENVELOPE_BYTES - 1] ^= 1;
	assert_null(envelope_open(broker, &exchange, support_frame_ask(broker, envelope, ENVELOPE_BYTES, false), &err));
	assert_int_equal(err, ERR_CELL_SEALED);
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms - CELL_AGE_MS_MAX - 1), ERR_CELL_STALE);
	uint8_t other[KEY_BYTES] = {1};
	record.guardian_id = wire_bytes(other, KEY_BYTES);
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms), ERR_WRONG_BROKER);
}

static void test_homes_as_every_wallet_sees_them(void **state)
{
	struct support_broker *broker = *state;
	struct sign_pair account, home;
	Oyez__GetHome get = OYEZ__GET_HOME__INIT;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	sign_pair_new(&account);
	sign_pair_new(&home);
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_GET_HOME;
	record.get_home = &get;
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms), ERR_OK);
	get.home_id = wire_bytes(home.public_key, KEY_BYTES);
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms), ERR_HOME_UNKNOWN);
	struct home shown = {.url = "tcp://127.0.0.1:1", .err = ERR_CONFIG_CONFLICT};
	memcpy(shown.key, home.public_key, KEY_BYTES);
	homes_put(verifier_homes(broker->verifier), &shown);
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms), ERR_CONFIG_CONFLICT);
	ProtobufCBinaryData config = support_sign(broker, &home, TAG_CONFIG, &get.base);
	shown.err = ERR_OK;
	shown.config = config.data;
	shown.config_bytes = config.len;
	homes_put(verifier_homes(broker->verifier), &shown);
	assert_int_equal(envelope_error(broker, &account, &record, broker->now_ms), ERR_OK);
}

static enum err push_error(struct support_broker *broker, const struct sign_pair *home, const uint8_t guardian[KEY_BYTES],
                           uint64_t made_at_ms, const char *tag)
{
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	batch.guardian_id = wire_bytes(guardian, KEY_BYTES);
	batch.made_at_ms = made_at_ms;
	ProtobufCBinaryData bytes = support_sign(broker, home, tag, &batch.base);
	request.body_case = OYEZ__REQUEST__BODY_PUSH;
	request.push = wire_unpack(&broker->arena, &oyez__signed__descriptor, bytes.data, bytes.len);
	return support_vendor_error(support_request(broker, &request));
}

static void test_pushes(void **state)
{
	struct support_broker *broker = *state;
	const uint8_t *us = broker->identity.public_key;
	struct sign_pair home;
	sign_pair_new(&home);
	assert_int_equal(push_error(broker, &home, us, broker->now_ms, TAG_PUSH), ERR_HOME_UNKNOWN);
	assert_int_equal(push_error(broker, &home, us, broker->now_ms - RECORD_AGE_MS_MAX - 1, TAG_PUSH), ERR_STALE);
	assert_int_equal(push_error(broker, &home, home.public_key, broker->now_ms, TAG_PUSH), ERR_WRONG_BROKER);
	assert_int_equal(push_error(broker, &home, us, broker->now_ms, TAG_VOUCHER), ERR_BAD_SIGNATURE);
	broker->config.homes = (const uint8_t(*)[KEY_BYTES])home.public_key;
	broker->config.home_count = 1;
	service_reconfigure(broker->service, &broker->config);
	assert_int_equal(push_error(broker, &home, us, broker->now_ms, TAG_PUSH), ERR_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_frames_that_are_none),
	    TEST(test_junk_in_a_request_is_answered_as_a_reply),
	    TEST(test_admin_only_over_ipc),
	    TEST(test_config_is_answered_without_the_service),
	    TEST(test_errors_in_an_opened_cell_are_sealed),
	    TEST(test_cell_age_and_replay),
	    TEST(test_gateway_keys_end),
	    cmocka_unit_test(test_replay_cache_turns),
	    TEST(test_session),
	    TEST(test_challenges),
	    cmocka_unit_test(test_sessions_are_bounded),
	    TEST(test_envelopes),
	    TEST(test_homes_as_every_wallet_sees_them),
	    TEST(test_pushes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
