// The right to post, as frames on the wire: vouchers become tokens once, tokens become intents once.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/stamp.h"
#include "support_crypto.h"

enum { BATCH = 4 };

static struct broker {
	struct support_broker base;
	struct rights rights;
	struct sign_pair guardian, intents[BATCH];
	struct token_request requests[BATCH];
	uint8_t tokens[BATCH][TOKEN_BYTES];
	uint32_t epoch;
} broker;

static int setup(void **state)
{
	(void)state;
	memset(&broker, 0, sizeof broker);
	support_broker_open(&broker.base);
	sign_pair_new(&broker.guardian);
	broker.epoch = token_epoch_of(broker.base.now_ms);
	broker.rights.key_count = 1;
	voprf_key_new(&broker.rights.keys[0].pair);
	broker.rights.keys[0].epoch = broker.epoch;
	broker.rights.keys[0].redeem_until_ms = token_redeem_until_ms(broker.epoch);
	memcpy(broker.rights.guardians[0], broker.guardian.public_key, KEY_BYTES);
	broker.rights.guardian_count = 1;
	broker.rights.stamp_bits = 8;
	verifier_set_rights(broker.base.verifier, &broker.rights);
	broker.base.config.posting = OYEZ__POSTING__POSTING_TOKEN;
	service_reconfigure(broker.base.service, &broker.base.config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	support_broker_close(&broker.base);
	return 0;
}

// ---- asking for tokens

static Oyez__Voucher voucher_of(uint8_t *id)
{
	Oyez__Voucher voucher = OYEZ__VOUCHER__INIT;
	voucher.guardian_id = wire_bytes(broker.guardian.public_key, KEY_BYTES);
	voucher.voucher_id = wire_bytes(id, VOUCHER_ID_BYTES);
	voucher.home_id = wire_bytes(broker.base.identity.public_key, KEY_BYTES);
	voucher.epoch = broker.epoch;
	voucher.count = BATCH;
	return voucher;
}

static const Oyez__CustomerReply *issue(const struct sign_pair *by, const Oyez__Voucher *voucher,
                                        const uint8_t (*elements)[ELEMENT_BYTES], size_t count)
{
	ProtobufCBinaryData list[VOUCHER_TOKENS], signed_voucher = support_sign(&broker.base, by, TAG_VOUCHER, &voucher->base);
	Oyez__IssueTokens message = OYEZ__ISSUE_TOKENS__INIT;
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	uint8_t *cell = arena_alloc(&broker.base.arena, CELL_BYTES);
	struct cell_exchange exchange;
	for (size_t i = 0; i < count; i++)
		list[i] = wire_bytes(elements[i], ELEMENT_BYTES);
	message.broker_id = wire_bytes(broker.base.identity.public_key, KEY_BYTES);
	message.voucher = wire_unpack(&broker.base.arena, &oyez__signed__descriptor, signed_voucher.data, signed_voucher.len);
	message.blinded = list;
	message.n_blinded = count;
	body.sent_at_ms = broker.base.now_ms;
	body.body_case = OYEZ__CELL_BODY__BODY_ISSUE;
	body.issue = &message;
	ProtobufCBinaryData bytes = wire_pack(&broker.base.arena, &body.base);
	assert_int_equal(
	    cell_seal_request(broker.base.gateway.pair.public_key, bytes.data, bytes.len, cell, &exchange), ERR_OK);
	return support_cell_open(&broker.base, &exchange, support_frame_ask(&broker.base, cell, CELL_BYTES, false), NULL);
}

static void blinded_of(uint8_t out[BATCH][ELEMENT_BYTES])
{
	for (size_t i = 0; i < BATCH; i++)
		memcpy(out[i], broker.requests[i].blinded, ELEMENT_BYTES);
}

static void ask(void)
{
	for (size_t i = 0; i < BATCH; i++) {
		sign_pair_new(&broker.intents[i]);
		assert_int_equal(token_request_new(broker.base.identity.public_key, broker.rights.keys[0].pair.public_key,
		                                   broker.intents[i].public_key, &broker.requests[i]),
		                 ERR_OK);
	}
}

static enum err take(const Oyez__CustomerReply *reply)
{
	uint8_t evaluated[BATCH][ELEMENT_BYTES];
	assert_int_equal(reply->body_case, OYEZ__CUSTOMER_REPLY__BODY_TOKENS);
	assert_int_equal(reply->tokens->n_evaluated, BATCH);
	assert_int_equal(reply->tokens->epoch, broker.epoch);
	for (size_t i = 0; i < BATCH; i++)
		memcpy(evaluated[i], reply->tokens->evaluated[i].data, ELEMENT_BYTES);
	return tokens_finish(broker.rights.keys[0].pair.public_key, BATCH, broker.requests,
	                     (const uint8_t(*)[ELEMENT_BYTES])evaluated, reply->tokens->proof.data, broker.tokens);
}

static void get_tokens(void)
{
	uint8_t id[VOUCHER_ID_BYTES], elements[BATCH][ELEMENT_BYTES];
	randombytes_buf(id, sizeof id);
	ask();
	blinded_of(elements);
	Oyez__Voucher voucher = voucher_of(id);
	assert_int_equal(take(issue(&broker.guardian, &voucher, (const uint8_t(*)[ELEMENT_BYTES])elements, BATCH)), ERR_OK);
}

static enum err issue_error(const struct sign_pair *by, const Oyez__Voucher *voucher,
                            const uint8_t (*elements)[ELEMENT_BYTES], size_t count)
{
	return support_customer_error(issue(by, voucher, elements, count));
}

// ---- posting

static ProtobufCBinaryData post_record(const struct sign_pair *intent, const uint8_t *token, size_t token_bytes,
                                       const uint8_t *stamp)
{
	struct hpke_pair *reply = arena_alloc(&broker.base.arena, sizeof *reply);
	Oyez__Post post = OYEZ__POST__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	hpke_pair_new(reply);
	facets.category = TEXT("home.kitchen.coffee-machine");
	facets.region = TEXT("FR-56");
	facets.terms = TEXT("SD-BASE");
	post.suite = SUITE_X25519_CHACHA;
	post.reply_key = wire_bytes(reply->public_key, KEY_BYTES);
	post.facets = &facets;
	post.expires_at_ms = broker.base.now_ms + DAY_MS;
	post.deals_max = 1;
	post.token = wire_bytes(token, token_bytes);
	post.stamp = wire_bytes(stamp, stamp ? STAMP_BYTES : 0);
	record.made_at_ms = broker.base.now_ms;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_POST;
	record.post = &post;
	return support_sign_customer(&broker.base, intent, &record);
}

static enum err send(ProtobufCBinaryData record)
{
	return support_customer_error(support_cell(&broker.base, record, NULL));
}

static void test_a_token_posts_once(void **state)
{
	(void)state;
	get_tokens();
	struct sign_pair stranger;
	sign_pair_new(&stranger);
	uint8_t *token = broker.tokens[0];
	assert_int_equal(send(post_record(&stranger, NULL, 0, NULL)), ERR_TOKEN_MISSING);
	assert_int_equal(send(post_record(&stranger, token, TOKEN_BYTES, NULL)), ERR_TOKEN_BAD); // of an intent not posted
	ProtobufCBinaryData record = post_record(&broker.intents[0], token, TOKEN_BYTES, NULL);
	assert_int_equal(send(record), ERR_OK);
	assert_int_equal(send(record), ERR_OK); // the same bytes again: the same answer, no second token
	assert_int_equal(send(post_record(&broker.intents[0], token, TOKEN_BYTES, NULL)), ERR_CONFLICT);
	assert_int_equal(send(post_record(&stranger, token, TOKEN_BYTES, NULL)), ERR_TOKEN_SPENT);
	token = broker.tokens[1];
	token[TOKEN_BYTES - 1] ^= 1;
	assert_int_equal(send(post_record(&broker.intents[1], token, TOKEN_BYTES, NULL)), ERR_TOKEN_BAD);
	token[TOKEN_BYTES - 1] ^= 1;
	assert_int_equal(send(post_record(&broker.intents[1], token, TOKEN_BYTES, NULL)), ERR_OK); // refusals cost nothing
}

static void test_a_token_ages(void **state)
{
	(void)state;
	get_tokens();
	uint64_t until_ms = token_redeem_until_ms(broker.epoch);
	support_broker_wait(&broker.base, until_ms - 1000 - broker.base.now_ms);
	broker.base.gateway.accepted_until_ms = until_ms + DAY_MS;
	verifier_set_keys(broker.base.verifier, &broker.base.gateway, 1);
	assert_int_equal(send(post_record(&broker.intents[0], broker.tokens[0], TOKEN_BYTES, NULL)), ERR_OK);
	support_broker_wait(&broker.base, 1000);
	assert_int_equal(send(post_record(&broker.intents[1], broker.tokens[1], TOKEN_BYTES, NULL)), ERR_TOKEN_EXPIRED);
	voprf_key_new(&broker.rights.keys[0].pair); // the key is gone
	verifier_set_rights(broker.base.verifier, &broker.rights);
	assert_int_equal(send(post_record(&broker.intents[2], broker.tokens[2], TOKEN_BYTES, NULL)), ERR_TOKEN_EXPIRED);
}

static void test_a_voucher_is_for_its_elements(void **state)
{
	(void)state;
	uint8_t id[VOUCHER_ID_BYTES] = {7}, elements[BATCH][ELEMENT_BYTES], others[BATCH][ELEMENT_BYTES];
	const uint8_t(*first)[ELEMENT_BYTES] = (const uint8_t(*)[ELEMENT_BYTES])elements;
	Oyez__Voucher voucher = voucher_of(id);
	ask();
	blinded_of(elements);
	assert_int_equal(take(issue(&broker.guardian, &voucher, first, BATCH)), ERR_OK);
	uint8_t before[TOKEN_BYTES];
	memcpy(before, broker.tokens[2], TOKEN_BYTES);
	assert_int_equal(take(issue(&broker.guardian, &voucher, first, BATCH)), ERR_OK); // a retry
	assert_memory_equal(before, broker.tokens[2], TOKEN_BYTES);
	memcpy(others, elements, sizeof others);
	ask();
	blinded_of(elements);
	assert_int_equal(issue_error(&broker.guardian, &voucher, first, BATCH), ERR_VOUCHER_SPENT);
	assert_int_equal(issue_error(&broker.guardian, &voucher, (const uint8_t(*)[ELEMENT_BYTES])others, BATCH - 1),
	                 ERR_VOUCHER_SPENT);
}

static void test_vouchers_that_are_none(void **state)
{
	(void)state;
	uint8_t id[VOUCHER_ID_BYTES] = {9}, elements[VOUCHER_TOKENS][ELEMENT_BYTES];
	const uint8_t(*list)[ELEMENT_BYTES] = (const uint8_t(*)[ELEMENT_BYTES])elements;
	struct sign_pair stranger;
	sign_pair_new(&stranger);
	ask();
	blinded_of(elements);
	Oyez__Voucher voucher = voucher_of(id);
	assert_int_equal(issue_error(&stranger, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	voucher.guardian_id = wire_bytes(stranger.public_key, KEY_BYTES);
	assert_int_equal(issue_error(&stranger, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	assert_int_equal(issue_error(&broker.guardian, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	voucher = voucher_of(id);
	voucher.home_id = wire_bytes(stranger.public_key, KEY_BYTES);
	assert_int_equal(issue_error(&broker.guardian, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	voucher = voucher_of(id);
	voucher.epoch++;
	assert_int_equal(issue_error(&broker.guardian, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	voucher = voucher_of(id);
	voucher.count = BATCH - 1;
	assert_int_equal(issue_error(&broker.guardian, &voucher, list, BATCH), ERR_VOUCHER_BAD);
	voucher = voucher_of(id);
	memset(elements[1], 0, ELEMENT_BYTES);
	assert_int_equal(issue_error(&broker.guardian, &voucher, list, BATCH), ERR_BAD_KEY);
	blinded_of(elements); // nothing of all that spent it; this broker's own word counts as well
	assert_int_equal(take(issue(&broker.guardian, &voucher, list, BATCH)), ERR_OK);
	voucher.guardian_id = wire_bytes(broker.base.identity.public_key, KEY_BYTES);
	assert_int_equal(take(issue(&broker.base.identity, &voucher, list, BATCH)), ERR_OK);
}

static void test_vouchers_of_past_epochs_are_forgotten(void **state)
{
	(void)state;
	uint8_t id[VOUCHER_ID_BYTES] = {3}, elements[BATCH][ELEMENT_BYTES];
	struct hash_part parts[] = {{broker.guardian.public_key, KEY_BYTES}, {id, VOUCHER_ID_BYTES}};
	struct id voucher_id, unused;
	hash_parts(TAG_VOUCHER, parts, 2, voucher_id.bytes);
	ask();
	blinded_of(elements);
	Oyez__Voucher voucher = voucher_of(id);
	assert_int_equal(take(issue(&broker.guardian, &voucher, (const uint8_t(*)[ELEMENT_BYTES])elements, BATCH)), ERR_OK);
	support_broker_wait(&broker.base, HOUR_MS);
	store_begin(broker.base.store);
	assert_true(store_issued_find(broker.base.store, broker.epoch, &voucher_id, &unused));
	store_abort(broker.base.store);
	support_broker_wait(&broker.base, TOKEN_EPOCH_MS);
	store_begin(broker.base.store);
	assert_false(store_issued_find(broker.base.store, broker.epoch, &voucher_id, &unused));
	store_abort(broker.base.store);
}

static void test_stamps(void **state)
{
	(void)state;
	uint8_t stamp[STAMP_BYTES];
	struct sign_pair intent, other;
	broker.base.config.posting = OYEZ__POSTING__POSTING_STAMP;
	service_reconfigure(broker.base.service, &broker.base.config);
	sign_pair_new(&intent);
	sign_pair_new(&other);
	assert_true(stamp_make(intent.public_key, broker.base.identity.public_key, broker.epoch, 16, NULL, NULL, stamp));
	assert_int_equal(send(post_record(&intent, NULL, 0, NULL)), ERR_STAMP_BAD);
	assert_int_equal(send(post_record(&intent, NULL, 0, stamp)), ERR_OK);
	stamp[0] ^= 1;
	assert_int_equal(send(post_record(&other, NULL, 0, stamp)), ERR_STAMP_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_a_token_posts_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_token_ages, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_voucher_is_for_its_elements, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_vouchers_that_are_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_vouchers_of_past_epochs_are_forgotten, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stamps, setup, teardown),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
