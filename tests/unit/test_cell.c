// Frames and cells: sizes, keys, who can read what.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cell.h"
#include "proto/frame.h"

static const uint64_t now_ms = UINT64_C(1790000000000);
static struct gateway_key keys[2];
static uint8_t cell[CELL_BYTES], reply[CELL_BYTES];
static uint8_t plain[CELL_BYTES];
static uint8_t message[CELL_BYTES];

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		hpke_pair_new(&keys[i].pair);
		gateway_key_id_of(keys[i].pair.public_key, keys[i].id);
		keys[i].accepted_until_ms = now_ms + (i == 0 ? 0 : DAY_MS);
	}
	randombytes_buf(message, sizeof(message));
	return 0;
}

static enum err open_cell(const uint8_t *bytes, size_t count, uint64_t at_ms, struct cell_exchange *exchange)
{
	const uint8_t *out;
	size_t out_bytes;
	return cell_open_request(keys, 2, at_ms, bytes, count, plain, &out, &out_bytes, exchange);
}

static void test_round_trip(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 4000, CELL_REQUEST_MESSAGE_BYTES_MAX};
	for (size_t i = 0; i < 4; i++) {
		struct cell_exchange customer, broker;
		const uint8_t *out;
		size_t out_bytes;
		assert_int_equal(cell_seal_request(keys[i % 2].pair.public_key, message, sizes[i], cell, &customer), ERR_OK);
		assert_int_equal(cell_open_request(keys, 2, now_ms, cell, CELL_BYTES, plain, &out, &out_bytes, &broker),
		                 ERR_OK);
		assert_int_equal(out_bytes, sizes[i]);
		assert_memory_equal(out, message, out_bytes);
		assert_memory_equal(&customer, &broker, sizeof(customer));

		size_t reply_bytes = sizes[i] == CELL_REQUEST_MESSAGE_BYTES_MAX ? CELL_REPLY_MESSAGE_BYTES_MAX : sizes[i];
		assert_int_equal(cell_seal_reply(&broker, message, reply_bytes, reply), ERR_OK);
		assert_int_equal(cell_open_reply(&customer, reply, CELL_BYTES, plain, &out, &out_bytes), ERR_OK);
		assert_int_equal(out_bytes, reply_bytes);
		assert_memory_equal(out, message, out_bytes);
		cell_exchange_wipe(&customer);
		assert_true(sodium_is_zero((const uint8_t *)&customer, sizeof(customer)));
	}
}

static void test_too_large(void **state)
{
	(void)state;
	struct cell_exchange exchange = {{0}, {0}};
	assert_int_equal(
	    cell_seal_request(keys[0].pair.public_key, message, CELL_REQUEST_MESSAGE_BYTES_MAX + 1, cell, &exchange),
	    ERR_TOO_LARGE);
	assert_int_equal(cell_seal_reply(&exchange, message, CELL_REPLY_MESSAGE_BYTES_MAX + 1, reply), ERR_TOO_LARGE);
}

static void test_key_by_id_and_age(void **state)
{
	(void)state;
	struct cell_exchange exchange;
	struct hpke_pair unknown;
	hpke_pair_new(&unknown);
	assert_int_equal(cell_seal_request(unknown.public_key, message, 10, cell, &exchange), ERR_OK);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_CELL_SEALED);
	assert_int_equal(cell_seal_request(keys[0].pair.public_key, message, 10, cell, &exchange), ERR_OK);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_OK);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms + 1, &exchange), ERR_CELL_SEALED); // its 48 h are over
	// Under the other key's id.
	memcpy(cell + FRAME_HEADER_BYTES, keys[1].id, GATEWAY_KEY_ID_BYTES);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_CELL_SEALED);
	uint8_t zero[KEY_BYTES] = {0};
	assert_int_equal(cell_seal_request(zero, message, 10, cell, &exchange), ERR_BAD_KEY);
}

static void test_every_changed_byte(void **state)
{
	(void)state;
	struct cell_exchange exchange;
	assert_int_equal(cell_seal_request(keys[1].pair.public_key, message, 10, cell, &exchange), ERR_OK);
	for (size_t i = 0; i < CELL_BYTES; i += i < 100 ? 1 : 61) {
		cell[i] ^= 0x20;
		assert_int_not_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_OK);
		cell[i] ^= 0x20;
	}
	for (size_t i = FRAME_HEADER_BYTES; i < CELL_BYTES; i += 127) {
		cell[i] ^= 0x20;
		assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_CELL_SEALED);
		cell[i] ^= 0x20;
	}
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_OK);
}

static void test_wrong_sizes_and_kinds(void **state)
{
	(void)state;
	struct cell_exchange exchange;
	assert_int_equal(cell_seal_request(keys[1].pair.public_key, message, 10, cell, &exchange), ERR_OK);
	for (size_t count = 0; count < CELL_BYTES; count += count < 60 ? 1 : 509) {
		uint8_t *cut = malloc(count + 1);
		memcpy(cut, cell, count);
		assert_int_equal(open_cell(cut, count, now_ms, &exchange), ERR_BAD_FRAME);
		free(cut);
	}
	assert_int_equal(open_cell(cell, CELL_BYTES + 1, now_ms, &exchange), ERR_BAD_FRAME);
	frame_header(cell, FRAME_REQUEST);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_BAD_FRAME);
	frame_header(cell, FRAME_CELL_REPLY);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_BAD_FRAME);
	cell[2] = PROTOCOL_VERSION + 1;
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), ERR_BAD_VERSION);
}

static void test_reply_is_for_one_exchange(void **state)
{
	(void)state;
	struct cell_exchange mine, theirs, broker;
	const uint8_t *out;
	size_t out_bytes;
	assert_int_equal(cell_seal_request(keys[1].pair.public_key, message, 10, cell, &mine), ERR_OK);
	assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &broker), ERR_OK);
	assert_int_equal(cell_seal_request(keys[1].pair.public_key, message, 10, cell, &theirs), ERR_OK);
	assert_int_equal(cell_seal_reply(&broker, message, 10, reply), ERR_OK);
	assert_int_equal(cell_open_reply(&theirs, reply, CELL_BYTES, plain, &out, &out_bytes), ERR_CELL_SEALED);
	assert_int_equal(cell_open_reply(&mine, reply, CELL_BYTES, plain, &out, &out_bytes), ERR_OK);
	// A request cell is no reply; a cut reply is none either.
	assert_int_equal(cell_open_reply(&mine, cell, CELL_BYTES, plain, &out, &out_bytes), ERR_BAD_FRAME);
	assert_int_equal(cell_open_reply(&mine, reply, CELL_BYTES - 1, plain, &out, &out_bytes), ERR_BAD_FRAME);
	for (size_t i = FRAME_HEADER_BYTES; i < CELL_BYTES; i += i < 60 ? 1 : 97) {
		reply[i] ^= 1;
		assert_int_equal(cell_open_reply(&mine, reply, CELL_BYTES, plain, &out, &out_bytes), ERR_CELL_SEALED);
		reply[i] ^= 1;
	}
}

// Two replies to one request share no key: a parked request may be answered, lost, and answered again.
static void test_two_replies_differ(void **state)
{
	(void)state;
	static uint8_t again[CELL_BYTES];
	struct cell_exchange mine;
	const uint8_t *out;
	size_t out_bytes, equal = 0;
	assert_int_equal(cell_seal_request(keys[1].pair.public_key, message, 10, cell, &mine), ERR_OK);
	assert_int_equal(cell_seal_reply(&mine, message, 10, reply), ERR_OK);
	assert_int_equal(cell_seal_reply(&mine, message, 10, again), ERR_OK);
	for (size_t i = FRAME_HEADER_BYTES; i < CELL_BYTES; i++)
		equal += reply[i] == again[i];
	assert_true(equal < CELL_BYTES / 64);
	assert_int_equal(cell_open_reply(&mine, again, CELL_BYTES, plain, &out, &out_bytes), ERR_OK);
}

// A stranger pads as it likes; built with HPKE alone, by the layout in PROTOCOL.md §4.
static void test_padding(void **state)
{
	(void)state;
	static uint8_t padded[CELL_REQUEST_PLAIN_BYTES];
	for (int round = 0; round < 3; round++) {
		struct hpke_context context;
		struct cell_exchange exchange;
		memset(padded, 0, sizeof(padded));
		padded[3] = 1;
		if (round == 1)
			padded[sizeof(padded) - 1] = 1;
		if (round == 2)
			padded[0] = 1;
		memcpy(cell, "OY\1\2", 4);
		memcpy(cell + 4, keys[1].id, 8);
		assert_int_equal(hpke_setup_sender(&context, keys[1].pair.public_key, "oyez/1 cell", 12, NULL, cell + 12),
		                 ERR_OK);
		hpke_seal(&context, cell, 12, padded, sizeof(padded), cell + 44);
		assert_int_equal(open_cell(cell, CELL_BYTES, now_ms, &exchange), round == 0 ? ERR_OK : ERR_BAD_FRAME);
	}
}

static void test_frames(void **state)
{
	(void)state;
	for (int kind = 0; kind < 256; kind++) {
		enum frame_kind found;
		uint8_t frame[4];
		bool known = (kind >= FRAME_REQUEST && kind <= FRAME_ENVELOPE) ||
		             (kind >= FRAME_ERROR && kind <= FRAME_ENVELOPE_REPLY);
		frame_header(frame, (enum frame_kind)kind);
		assert_int_equal(frame_kind_of(frame, 4, &found), known ? ERR_OK : ERR_UNKNOWN_MESSAGE);
		if (known)
			assert_int_equal(found, kind);
	}
	enum frame_kind found;
	for (size_t count = 0; count < 4; count++)
		assert_int_equal(frame_kind_of((const uint8_t *)"OY\1\1", count, &found), ERR_BAD_FRAME);
	assert_int_equal(frame_kind_of((const uint8_t *)"GET ", 4, &found), ERR_BAD_FRAME);
	assert_int_equal(frame_kind_of((const uint8_t *)"OX\1\1", 4, &found), ERR_BAD_FRAME);
	assert_int_equal(frame_kind_of((const uint8_t *)"OY\2\1", 4, &found), ERR_BAD_VERSION);
	assert_int_equal(frame_kind_of((const uint8_t *)"OY\0\1", 4, &found), ERR_BAD_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_key_by_id_and_age),
	    cmocka_unit_test(test_every_changed_byte),
	    cmocka_unit_test(test_wrong_sizes_and_kinds),
	    cmocka_unit_test(test_reply_is_for_one_exchange),
	    cmocka_unit_test(test_two_replies_differ),
	    cmocka_unit_test(test_padding),
	    cmocka_unit_test(test_frames),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, NULL);
}
