// Real keys and real frames around a service in memory.
#include "support_crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/agreement.h"

static void sign(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                 uint8_t signature[SIGNATURE_BYTES])
{
	sign_bytes(context, tag, record, record_bytes, signature);
}

static enum err check(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                      const uint8_t hash[HASH_BYTES], const uint8_t *signature)
{
	(void)context;
	return countersign_check(vendor_key, deal, hash, signature);
}

void support_broker_open(struct support_broker *broker)
{
	*broker = (struct support_broker){.now_ms = UINT64_C(1800000000000)};
	broker->config = (struct service_config){
	    .crowd = 1,
	    .tick_ms = 1000,
	    .retention_ms = 2 * DAY_MS,
	    .vendors_per_intent_max = 10,
	    .offers_per_intent_max = 10,
	    .parked_max = 10,
	    .vendors_open = true,
	    .region = "FR",
	    .taxonomy = taxonomy_builtin(),
	    .version = "test",
	};
	arena_init(&broker->arena);
	sign_pair_new(&broker->identity);
	hpke_pair_new(&broker->gateway.pair);
	gateway_key_id_of(broker->gateway.pair.public_key, broker->gateway.id);
	broker->gateway.accepted_until_ms = UINT64_MAX;
	broker->verifier = verifier_new(broker->identity.public_key);
	verifier_set_keys(broker->verifier, &broker->gateway, 1);
	struct service_signer signer = {.context = &broker->identity, .sign = sign, .countersign_check = check};
	memcpy(signer.broker_key, broker->identity.public_key, KEY_BYTES);
	broker->store = store_open_memory();
	assert_int_equal(service_new(&broker->config, &signer, broker->store, broker->now_ms, &broker->service), ERR_OK);
}

void support_broker_close(struct support_broker *broker)
{
	service_free(broker->service);
	store_close(broker->store);
	verifier_free(broker->verifier);
	arena_fini(&broker->arena);
}

static const uint8_t TICK_RANDOM[16];

void support_broker_wait(struct support_broker *broker, uint64_t ms)
{
	while (ms > 0) {
		uint64_t step = ms < HOUR_MS / 2 ? ms : HOUR_MS / 2;
		broker->now_ms += step;
		ms -= step;
		service_begin(broker->service, broker->now_ms);
		service_advance(broker->service, TICK_RANDOM);
		assert_int_equal(service_commit(broker->service), ERR_OK);
	}
}

static struct support_frame keep(struct support_broker *broker, uint8_t *bytes, size_t count)
{
	struct support_frame frame = {arena_copy(&broker->arena, bytes, count), count};
	free(bytes);
	return frame;
}

struct support_frame support_frame_ask(struct support_broker *broker, const uint8_t *bytes, size_t count, bool from_ipc)
{
	struct request request = {.frame = bytes, .frame_bytes = count, .from_ipc = from_ipc, .now_ms = broker->now_ms};
	struct support_frame frame = {NULL, 0};
	struct effect effect;
	uint8_t *answer;
	size_t answer_bytes;
	if (verify_request(broker->verifier, &request, &answer, &answer_bytes) == VERIFY_ANSWER) {
		frame = keep(broker, answer, answer_bytes);
		request_fini(&request);
		return frame;
	}
	request.command.origin = ++broker->origins;
	memcpy(request.command.random, &broker->origins, sizeof broker->origins);
	service_begin(broker->service, broker->now_ms);
	service_apply(broker->service, &request.command);
	service_advance(broker->service, TICK_RANDOM);
	assert_int_equal(service_commit(broker->service), ERR_OK);
	while (service_effect_next(broker->service, &effect)) {
		if (effect.origin != request.command.origin)
			continue;
		verify_reply_frame(&request, effect.form, effect.bytes, effect.count, &answer, &answer_bytes);
		frame = keep(broker, answer, answer_bytes);
	}
	request_fini(&request);
	return frame;
}

// ---- records

ProtobufCBinaryData support_sign(struct support_broker *broker, const struct sign_pair *pair, const char *tag,
                                 const ProtobufCMessage *message)
{
	ProtobufCBinaryData record = wire_pack(&broker->arena, message);
	uint8_t *bytes;
	size_t count;
	assert_int_equal(sign_wrap(pair, tag, record.data, record.len, &bytes, &count), ERR_OK);
	struct support_frame kept = keep(broker, bytes, count);
	return wire_bytes(kept.bytes, kept.count);
}

ProtobufCBinaryData support_sign_customer(struct support_broker *broker, const struct sign_pair *intent,
                                          Oyez__CustomerRecord *record)
{
	if (record->broker_id.len == 0)
		record->broker_id = wire_bytes(broker->identity.public_key, KEY_BYTES);
	if (record->made_at_ms == 0)
		record->made_at_ms = broker->now_ms;
	return support_sign(broker, intent, TAG_CUSTOMER, &record->base);
}

ProtobufCBinaryData support_sign_vendor(struct support_broker *broker, const struct sign_pair *vendor,
                                        Oyez__VendorRecord *record)
{
	if (record->broker_id.len == 0)
		record->broker_id = wire_bytes(broker->identity.public_key, KEY_BYTES);
	if (record->made_at_ms == 0)
		record->made_at_ms = broker->now_ms;
	return support_sign(broker, vendor, TAG_VENDOR, &record->base);
}

// ---- cells

void support_cell_make(struct support_broker *broker, ProtobufCBinaryData signed_record, uint64_t sent_at_ms,
                       uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	body.sent_at_ms = sent_at_ms;
	body.body_case = OYEZ__CELL_BODY__BODY_CUSTOMER;
	body.customer = wire_unpack(&broker->arena, &oyez__signed__descriptor, signed_record.data, signed_record.len);
	ProtobufCBinaryData plain = wire_pack(&broker->arena, &body.base);
	assert_int_equal(cell_seal_request(broker->gateway.pair.public_key, plain.data, plain.len, cell, exchange), ERR_OK);
}

const Oyez__CustomerReply *support_cell_open(struct support_broker *broker, const struct cell_exchange *exchange,
                                             struct support_frame frame, enum err *clear_error)
{
	ProtobufCAllocator allocator = wire_allocator(&broker->arena);
	enum frame_kind kind;
	const uint8_t *message;
	size_t count;
	if (!frame.bytes)
		return NULL;
	assert_int_equal(frame_kind_of(frame.bytes, frame.count, &kind), ERR_OK);
	if (kind == FRAME_ERROR) {
		Oyez__Error *error;
		assert_int_equal(codec_decode_error(&allocator, frame.bytes + FRAME_HEADER_BYTES,
		                                    frame.count - FRAME_HEADER_BYTES, &error, NULL),
		                 ERR_OK);
		assert_non_null(clear_error);
		*clear_error = (enum err)error->code;
		return NULL;
	}
	assert_int_equal(kind, FRAME_CELL_REPLY);
	assert_int_equal(frame.count, CELL_BYTES);
	uint8_t *plain = arena_alloc(&broker->arena, CELL_REPLY_PLAIN_BYTES);
	assert_int_equal(cell_open_reply(exchange, frame.bytes, frame.count, plain, &message, &count), ERR_OK);
	Oyez__CustomerReply *reply;
	assert_int_equal(codec_decode_customer_reply(&allocator, message, count, &reply, NULL), ERR_OK);
	return reply;
}

const Oyez__CustomerReply *support_cell(struct support_broker *broker, ProtobufCBinaryData signed_record,
                                        enum err *clear_error)
{
	uint8_t *cell = arena_alloc(&broker->arena, CELL_BYTES);
	struct cell_exchange exchange;
	support_cell_make(broker, signed_record, broker->now_ms, cell, &exchange);
	return support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), clear_error);
}

// ---- vendors

const Oyez__Reply *support_request(struct support_broker *broker, const Oyez__Request *request)
{
	ProtobufCAllocator allocator = wire_allocator(&broker->arena);
	uint8_t *bytes;
	size_t count;
	enum frame_kind kind;
	Oyez__Reply *reply;
	assert_int_equal(codec_encode_frame(&request->base, FRAME_REQUEST, &bytes, &count), ERR_OK);
	struct support_frame sent = keep(broker, bytes, count);
	struct support_frame frame = support_frame_ask(broker, sent.bytes, sent.count, false);
	if (!frame.bytes)
		return NULL;
	assert_int_equal(frame_kind_of(frame.bytes, frame.count, &kind), ERR_OK);
	assert_int_equal(kind, FRAME_REPLY);
	assert_int_equal(codec_decode_reply(&allocator, frame.bytes + FRAME_HEADER_BYTES, frame.count - FRAME_HEADER_BYTES,
	                                    &reply, NULL),
	                 ERR_OK);
	return reply;
}

const Oyez__Reply *support_vendor_request(struct support_broker *broker, ProtobufCBinaryData signed_record)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = wire_unpack(&broker->arena, &oyez__signed__descriptor, signed_record.data, signed_record.len);
	return support_request(broker, &request);
}

enum err support_tell_customer(struct support_broker *broker, const struct sign_pair *intent,
                               Oyez__CustomerRecord *record)
{
	enum err clear = ERR_OK;
	const Oyez__CustomerReply *reply = support_cell(broker, support_sign_customer(broker, intent, record), &clear);
	return clear ? clear : support_customer_error(reply);
}

enum err support_tell_vendor(struct support_broker *broker, const struct sign_pair *vendor, Oyez__VendorRecord *record)
{
	return support_vendor_error(support_vendor_request(broker, support_sign_vendor(broker, vendor, record)));
}
