// The connection to a broker, against a broker of a few lines that says what a test wants: retries with fresh cells,
// identities, configurations, and how little an unsealed error may decide.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/transport.h"
#include "clients/lib/url.h"
#include "proto/frame.h"
#include "proto/sign.h"

// What the broker does with the next customer request.
enum deed { ACKNOWLEDGE, SAY_SEALED, SAY_CLEAR, ROTATE_KEY };
struct step {
	enum deed deed;
	enum err err;
};

static struct fake {
	nng_socket socket;
	pthread_t thread;
	char url[64];
	struct sign_pair identity;
	struct gateway_key gateway;
	uint64_t config_number;
	uint32_t config_crowd; // something to make another content
	uint64_t now_ms;
	bool sign_wrongly;
	struct step steps[16];
	size_t step_count, step;
	size_t cells, repeated_cells, different_inner;
	uint8_t last_cell[CELL_BYTES];
	uint8_t inner[4096];
	size_t inner_bytes;
} fake;

static void reply_frame(nng_msg *message, const uint8_t *frame, size_t count)
{
	nng_msg_clear(message);
	nng_msg_append(message, frame, count);
}

static void reply_message(nng_msg *message, const ProtobufCMessage *reply, enum frame_kind kind)
{
	uint8_t *frame;
	size_t count;
	assert_int_equal(codec_encode_frame(reply, kind, &frame, &count), ERR_OK);
	reply_frame(message, frame, count);
	free(frame);
}

static void answer_config(nng_msg *message)
{
	Oyez__GatewayKey key = OYEZ__GATEWAY_KEY__INIT, *keys[] = {&key};
	key.id = (ProtobufCBinaryData){.data = fake.gateway.id, .len = GATEWAY_KEY_ID_BYTES};
	key.key = (ProtobufCBinaryData){.data = fake.gateway.pair.public_key, .len = KEY_BYTES};
	key.accepted_until_ms = fake.now_ms + DAY_MS;
	Oyez__Config config = OYEZ__CONFIG__INIT;
	config.number = fake.config_number;
	config.broker_id = (ProtobufCBinaryData){.data = fake.identity.public_key, .len = KEY_BYTES};
	config.made_at_ms = 1;
	config.gateway_keys = keys;
	config.n_gateway_keys = 1;
	config.crowd = fake.config_crowd;
	uint8_t *record, *wrapped;
	size_t count, wrapped_count;
	assert_int_equal(codec_encode(&config.base, &record, &count), ERR_OK);
	assert_int_equal(
	    sign_wrap(&fake.identity, fake.sign_wrongly ? TAG_OFFER : TAG_CONFIG, record, count, &wrapped, &wrapped_count),
	    ERR_OK);
	Oyez__Signed *signed_config;
	assert_int_equal(codec_decode_signed(NULL, wrapped, wrapped_count, &signed_config, NULL), ERR_OK);
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_CONFIG;
	reply.config = signed_config;
	reply.now_ms = fake.now_ms;
	reply_message(message, &reply.base, FRAME_REPLY);
	oyez__signed__free_unpacked(signed_config, NULL);
	free(record);
	free(wrapped);
}

// Counts cells that came twice, and inner records that are not the same as before.
static void note_cell(const uint8_t *cell, const uint8_t *message, size_t count)
{
	fake.cells++;
	fake.repeated_cells += memcmp(cell, fake.last_cell, CELL_BYTES) == 0;
	memcpy(fake.last_cell, cell, CELL_BYTES);
	Oyez__CellBody *body;
	assert_int_equal(codec_decode_cell_body(NULL, message, count, &body, NULL), ERR_OK);
	size_t inner_bytes = oyez__signed__get_packed_size(body->customer);
	uint8_t inner[4096];
	assert_true(inner_bytes <= sizeof(inner));
	oyez__signed__pack(body->customer, inner);
	fake.different_inner +=
	    fake.inner_bytes && (fake.inner_bytes != inner_bytes || memcmp(fake.inner, inner, inner_bytes) != 0);
	memcpy(fake.inner, inner, inner_bytes);
	fake.inner_bytes = inner_bytes;
	oyez__cell_body__free_unpacked(body, NULL);
}

static void answer_error(nng_msg *message, enum err err)
{
	Oyez__Error error = OYEZ__ERROR__INIT;
	error.code = err;
	error.name = (char *)err_name(err);
	reply_message(message, &error.base, FRAME_ERROR);
}

static void answer_cell(nng_msg *message)
{
	uint8_t plain[CELL_REQUEST_PLAIN_BYTES], cell[CELL_BYTES];
	const uint8_t *inside;
	size_t count;
	struct cell_exchange exchange;
	struct step step = fake.step < fake.step_count ? fake.steps[fake.step++] : (struct step){ACKNOWLEDGE, ERR_OK};
	if (step.deed == ROTATE_KEY) {
		hpke_pair_new(&fake.gateway.pair);
		gateway_key_id_of(fake.gateway.pair.public_key, fake.gateway.id);
		fake.config_number++;
	}
	if (cell_open_request(&fake.gateway, 1, fake.now_ms, nng_msg_body(message), nng_msg_len(message), plain, &inside,
	                      &count, &exchange)) {
		answer_error(message, ERR_CELL_SEALED);
		return;
	}
	note_cell(nng_msg_body(message), inside, count);
	if (step.deed == SAY_CLEAR) {
		answer_error(message, step.err);
		return;
	}
	Oyez__Ack ack = OYEZ__ACK__INIT;
	Oyez__Error error = OYEZ__ERROR__INIT;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ACK;
	reply.ack = &ack;
	if (step.deed == SAY_SEALED) {
		error.code = step.err;
		error.name = (char *)err_name(step.err);
		reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
		reply.error = &error;
	}
	uint8_t *bytes;
	size_t bytes_count;
	assert_int_equal(codec_encode(&reply.base, &bytes, &bytes_count), ERR_OK);
	assert_int_equal(cell_seal_reply(&exchange, bytes, bytes_count, cell), ERR_OK);
	free(bytes);
	reply_frame(message, cell, CELL_BYTES);
}

static void *serve(void *unused)
{
	(void)unused;
	nng_msg *message;
	while (nng_recvmsg(fake.socket, &message, 0) == 0) {
		enum frame_kind kind;
		if (frame_kind_of(nng_msg_body(message), nng_msg_len(message), &kind))
			answer_error(message, ERR_BAD_FRAME);
		else if (kind == FRAME_CELL)
			answer_cell(message);
		else
			answer_config(message);
		if (nng_sendmsg(fake.socket, message, 0) != 0)
			nng_msg_free(message);
	}
	return NULL;
}

static int set_up(void **state)
{
	static int number;
	(void)state;
	memset(&fake, 0, sizeof(fake));
	if (sodium_init() < 0 || !clock_init())
		return -1;
	sign_pair_new(&fake.identity);
	hpke_pair_new(&fake.gateway.pair);
	gateway_key_id_of(fake.gateway.pair.public_key, fake.gateway.id);
	fake.gateway.accepted_until_ms = UINT64_MAX;
	fake.config_number = 1;
	fake.now_ms = 1900000000000;
	snprintf(fake.url, sizeof(fake.url), "inproc://fake-%d", number++);
	if (nng_rep0_open(&fake.socket) || nng_listen(fake.socket, fake.url, NULL, 0))
		return -1;
	return pthread_create(&fake.thread, NULL, serve, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	nng_close(fake.socket);
	return pthread_join(fake.thread, NULL);
}

static struct transport *open_transport(void)
{
	struct transport *transport;
	assert_int_equal(transport_open(fake.url, NULL, &transport, NULL), ERR_OK);
	return transport;
}

static enum err send_record(struct transport *transport, uint64_t timeout_ms)
{
	struct sign_pair pair;
	uint8_t *wrapped;
	size_t count;
	sign_pair_new(&pair);
	assert_int_equal(sign_wrap(&pair, TAG_CUSTOMER, (const uint8_t *)"record", 6, &wrapped, &count), ERR_OK);
	Oyez__CustomerReply *reply;
	struct oyez_error error = {0};
	enum err err = transport_customer(transport, wrapped, count, timeout_ms, &reply, &error);
	assert_int_equal(err, error.code);
	assert_true((reply != NULL) == (err == ERR_OK));
	if (reply)
		oyez__customer_reply__free_unpacked(reply, NULL);
	free(wrapped);
	return err;
}

static void script(const struct step *steps, size_t count)
{
	memcpy(fake.steps, steps, count * sizeof(*steps));
	fake.step_count = count;
	fake.step = 0;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct transport *transport = open_transport();
	const Oyez__Config *config;
	assert_int_equal(transport_config(transport, &config, NULL), ERR_OK);
	assert_memory_equal(config->broker_id.data, fake.identity.public_key, KEY_BYTES);
	assert_int_equal(send_record(transport, 0), ERR_OK);
	// A broker in reach of nobody else has its time adopted.
	assert_true(transport_now_ms(transport) >= fake.now_ms && transport_now_ms(transport) < fake.now_ms + HOUR_MS);
	transport_close(transport);
}

static void test_retries_are_fresh_cells_of_the_same_bytes(void **state)
{
	(void)state;
	struct transport *transport = open_transport();
	script((struct step[]){{SAY_SEALED, ERR_BUSY},
	                       {SAY_CLEAR, ERR_UNAVAILABLE},
	                       {SAY_SEALED, ERR_STOPPING},
	                       {SAY_SEALED, ERR_CELL_REPLAYED},
	                       {SAY_SEALED, ERR_CELL_STALE}},
	       5);
	assert_int_equal(send_record(transport, 0), ERR_OK);
	assert_int_equal(fake.cells, 6);
	assert_int_equal(fake.repeated_cells, 0);
	assert_int_equal(fake.different_inner, 0);
	transport_close(transport);
}

static void test_rotated_key(void **state)
{
	(void)state;
	struct transport *transport = open_transport();
	assert_int_equal(send_record(transport, 0), ERR_OK);
	fake.inner_bytes = 0;
	script((struct step[]){{ROTATE_KEY, ERR_OK}}, 1);
	assert_int_equal(send_record(transport, 0), ERR_OK);
	transport_close(transport);
}

static void test_busy_to_the_end(void **state)
{
	(void)state;
	struct transport *transport = open_transport();
	struct step steps[16];
	for (int i = 0; i < 16; i++)
		steps[i] = (struct step){SAY_SEALED, ERR_BUSY};
	script(steps, 16);
	assert_int_equal(send_record(transport, 400), ERR_BUSY);
	transport_close(transport);
}

// Whoever stands in between can write an unsealed error. It must not pass for the broker's word on a deal.
static void test_clear_errors_decide_nothing(void **state)
{
	(void)state;
	static const enum err words[] = {ERR_GONE, ERR_LAPSED, ERR_CONFLICT, ERR_NOT_FOUND, ERR_STALE, ERR_OFFER_EXPIRED};
	struct transport *transport = open_transport();
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		script((struct step[]){{SAY_CLEAR, words[i]}}, 1);
		fake.inner_bytes = 0;
		assert_int_equal(send_record(transport, 0), ERR_BAD_FRAME);
		script((struct step[]){{SAY_SEALED, words[i]}}, 1);
		fake.inner_bytes = 0;
		assert_int_equal(send_record(transport, 0), words[i]);
	}
	transport_close(transport);
}

static void test_identity(void **state)
{
	(void)state;
	struct transport *transport;
	struct oyez_error error = {0};
	uint8_t other[KEY_BYTES] = {1};
	char url[256], hex[2 * KEY_BYTES + 1];
	assert_int_equal(transport_open(fake.url, other, &transport, NULL), ERR_OK);
	assert_int_equal(transport_config(transport, NULL, &error), ERR_BROKER_CHANGED);
	transport_close(transport);

	// The key in the address stands above the one remembered.
	hex_encode(fake.identity.public_key, KEY_BYTES, hex);
	snprintf(url, sizeof(url), "%s#%s", fake.url, hex);
	assert_int_equal(transport_open(url, other, &transport, NULL), ERR_OK);
	assert_int_equal(transport_config(transport, NULL, &error), ERR_OK);
	transport_close(transport);

	fake.sign_wrongly = true;
	transport = open_transport();
	assert_int_equal(transport_config(transport, NULL, &error), ERR_BAD_SIGNATURE);
	transport_close(transport);
}

static void test_two_contents_of_one_number(void **state)
{
	(void)state;
	struct transport *first = open_transport(), *second = open_transport(), *third = open_transport();
	const uint8_t *a, *b, *c;
	size_t a_bytes, b_bytes, c_bytes;
	assert_false(transport_config_record(first, &a, &a_bytes));
	assert_int_equal(transport_config(first, NULL, NULL), ERR_OK);
	fake.config_crowd = 7;
	assert_int_equal(transport_config(second, NULL, NULL), ERR_OK);
	fake.config_number = 2;
	assert_int_equal(transport_config(third, NULL, NULL), ERR_OK);
	assert_true(transport_config_record(first, &a, &a_bytes) && transport_config_record(second, &b, &b_bytes) &&
	            transport_config_record(third, &c, &c_bytes));
	assert_int_equal(config_compare(a, a_bytes, b, b_bytes), ERR_CONFIG_CONFLICT);
	assert_int_equal(config_compare(a, a_bytes, a, a_bytes), ERR_OK);
	assert_int_equal(config_compare(b, b_bytes, c, c_bytes), ERR_OK);
	transport_close(first);
	transport_close(second);
	transport_close(third);
}

static void test_unreachable(void **state)
{
	(void)state;
	struct transport *transport;
	struct oyez_error error = {0};
	assert_int_equal(transport_open("tcp://127.0.0.1:1", NULL, &transport, NULL), ERR_OK);
	assert_int_equal(transport_config(transport, NULL, &error), ERR_UNREACHABLE);
	assert_string_equal(error.detail, "tcp://127.0.0.1:1");
	transport_close(transport);
}

static void *wake_soon(void *transport)
{
	nng_msleep(100);
	transport_wake(transport);
	return NULL;
}

static void test_waiting_and_waking(void **state)
{
	(void)state;
	struct transport *transport = open_transport();
	assert_null(transport_wait(transport, 10));
	pthread_t thread;
	pthread_create(&thread, NULL, wake_soon, transport);
	assert_null(transport_wait(transport, 60000));
	pthread_join(thread, NULL);

	Oyez__GetConfig get = OYEZ__GET_CONFIG__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get;
	struct transport_call *calls[3], *done;
	int tags[3] = {0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(transport_request_start(transport, &request, 5000, &tags[i], &calls[i]), ERR_OK);
	for (int i = 0; i < 2; i++) {
		assert_non_null(done = transport_wait(transport, 5000));
		++*(int *)transport_call_tag(done);
		Oyez__Reply *reply;
		assert_int_equal(transport_call_finish(done, NULL, &reply, NULL), ERR_OK);
		assert_int_equal(reply->body_case, OYEZ__REPLY__BODY_CONFIG);
		oyez__reply__free_unpacked(reply, NULL);
	}
	for (int i = 0; i < 3; i++) {
		if (!tags[i])
			transport_call_cancel(calls[i]);
	}
	transport_close(transport);
}

static void test_addresses(void **state)
{
	(void)state;
	struct broker_url url;
	const char *why;
	static const char *const bad[] = {"",       "tcp://",     "http://x:1",   "tcp://host",  "localhost:7710",
	                                  "ipc://", "tcp://h:1#", "tcp://h:1#12", "tcp://h:1#zz"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(broker_url_parse(bad[i], &url, &why), ERR_USAGE);
	assert_int_equal(broker_url_parse("tcp://127.0.0.1:7710", &url, NULL), ERR_OK);
	assert_true(url.is_local && !url.has_key);
	assert_int_equal(broker_url_parse("tls+tcp://example.org:7711", &url, NULL), ERR_OK);
	assert_true(url.is_tls && !url.is_local);
	assert_int_equal(broker_url_parse("tcp://127.example.org:1", &url, NULL), ERR_OK);
	assert_false(url.is_local);
	assert_int_equal(broker_url_parse("ipc:///tmp/x", &url, NULL), ERR_OK);
	assert_true(url.is_ipc && url.is_local);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_round_trip),
	    TEST(test_retries_are_fresh_cells_of_the_same_bytes),
	    TEST(test_rotated_key),
	    TEST(test_busy_to_the_end),
	    TEST(test_clear_errors_decide_nothing),
	    TEST(test_identity),
	    TEST(test_two_contents_of_one_number),
	    TEST(test_unreachable),
	    TEST(test_waiting_and_waking),
	    cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
