// Box cells and the times they leave at.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/box.h"

static const uint8_t BOX[BOX_ID_BYTES] = {1, 2, 3};
static struct sign_pair home;

static void test_cells_open_in_any_order(void **state)
{
	struct hpke_pair reply, other;
	struct box_sender sender;
	uint8_t cells[3][BOX_CELL_BYTES], plain[BOX_PLAIN_BYTES], message[BOX_MESSAGE_BYTES_MAX];
	static const size_t sizes[] = {0, 5, BOX_MESSAGE_BYTES_MAX};
	const uint8_t *opened;
	size_t count;
	(void)state;
	sign_pair_new(&home);
	hpke_pair_new(&reply);
	hpke_pair_new(&other);
	randombytes_buf(message, sizeof(message));
	assert_int_equal(box_begin(&sender, reply.public_key), ERR_OK);
	for (int i = 0; i < 3; i++, sender.sequence++)
		box_seal(&sender, &home, BOX, message, sizes[i], cells[i]);
	for (int i = 2; i >= 0; i--) {
		assert_int_equal(box_open(&reply, home.public_key, BOX, cells[i], plain, &opened, &count), ERR_OK);
		assert_int_equal(count, sizes[i]);
		assert_memory_equal(opened, message, count);
	}
	uint8_t wrong_box[BOX_ID_BYTES] = {1, 2, 4};
	assert_int_equal(box_open(&reply, home.public_key, wrong_box, cells[1], plain, &opened, &count), ERR_SEALED);
	assert_int_equal(box_open(&other, home.public_key, BOX, cells[1], plain, &opened, &count), ERR_SEALED);
	cells[1][HPKE_ENC_BYTES + 7] ^= 1; // another sequence
	assert_int_equal(box_open(&reply, home.public_key, BOX, cells[1], plain, &opened, &count), ERR_SEALED);
	memset(cells[2], 0, HPKE_ENC_BYTES);
	assert_int_equal(box_open(&reply, home.public_key, BOX, cells[2], plain, &opened, &count), ERR_SEALED);
	box_sender_wipe(&sender);
}

// A guardian that guesses whose box it is can seal to that reply key as well.
static void test_only_the_home_fills_a_box(void **state)
{
	struct hpke_pair reply;
	struct box_sender sender, again;
	struct sign_pair guardian;
	uint8_t cell[BOX_CELL_BYTES], plain[BOX_PLAIN_BYTES], message[8] = "gone";
	const uint8_t *opened;
	size_t count;
	(void)state;
	sign_pair_new(&home);
	sign_pair_new(&guardian);
	hpke_pair_new(&reply);
	assert_int_equal(box_begin(&sender, reply.public_key), ERR_OK);
	box_seal(&sender, &guardian, BOX, message, sizeof(message), cell);
	assert_int_equal(box_open(&reply, home.public_key, BOX, cell, plain, &opened, &count), ERR_BAD_SIGNATURE);
	// What the home once signed, in another place of the stream: taken out of its cell and sealed anew.
	box_seal(&sender, &home, BOX, message, sizeof(message), cell);
	assert_int_equal(box_open(&reply, home.public_key, BOX, cell, plain, &opened, &count), ERR_OK);
	struct hpke_context context = {.sequence = 7};
	assert_int_equal(box_begin(&again, reply.public_key), ERR_OK);
	memcpy(context.key, again.key, sizeof(context.key));
	memcpy(context.base_nonce, again.base_nonce, sizeof(context.base_nonce));
	memcpy(cell, again.enc, HPKE_ENC_BYTES);
	memset(cell + HPKE_ENC_BYTES, 0, 8);
	cell[HPKE_ENC_BYTES + 7] = 7;
	hpke_seal(&context, BOX, BOX_ID_BYTES, plain, sizeof(plain), cell + HPKE_ENC_BYTES + 8);
	assert_int_equal(box_open(&reply, home.public_key, BOX, cell, plain, &opened, &count), ERR_BAD_SIGNATURE);
}

static void test_two_starts_differ(void **state)
{
	struct hpke_pair reply;
	struct box_sender first, second;
	(void)state;
	hpke_pair_new(&reply);
	assert_int_equal(box_begin(&first, reply.public_key), ERR_OK);
	assert_int_equal(box_begin(&second, reply.public_key), ERR_OK);
	assert_memory_not_equal(first.enc, second.enc, sizeof(first.enc));
	uint8_t none[KEY_BYTES] = {0};
	assert_int_equal(box_begin(&first, none), ERR_BAD_KEY);
}

static void test_the_schedule(void **state)
{
	const uint64_t tick = UINT64_C(1800000000000);
	uint64_t at = tick - 1, count = 0;
	uint64_t of_first_ten_minutes = 0, of_first_day = 0;
	(void)state;
	assert_int_equal(box_slot_after(tick, 3, 0), tick);
	while ((at = box_slot_after(tick, 3, at))) {
		uint64_t age = at - tick;
		count++;
		of_first_ten_minutes += age < 10 * MINUTE_MS;
		of_first_day += age < DAY_MS;
		assert_true(age < 7 * DAY_MS);
		assert_int_equal(box_slots_between(0, age), count - 1);
	}
	assert_int_equal(of_first_ten_minutes, 60);
	assert_int_equal(of_first_day, 60 + 1430);
	assert_int_equal(count, 60 + 1430 + 6 * 144);
	assert_int_equal(box_slot_after(tick, 1, tick + DAY_MS - MINUTE_MS), 0);
	assert_int_equal(box_slot_after(tick, 2, tick + 1), tick + 10 * SECOND_MS);
	assert_int_equal(box_slot_after(tick, 2, tick + 10 * MINUTE_MS - 1), tick + 10 * MINUTE_MS);
	assert_int_equal(box_slot_after(tick, 2, tick + 10 * MINUTE_MS), tick + 11 * MINUTE_MS);
	assert_int_equal(box_slot_after(tick, 2, tick + DAY_MS), tick + DAY_MS + 10 * MINUTE_MS);
	assert_int_equal(box_over_ms(tick, 5), tick + 90 * DAY_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cells_open_in_any_order),
	    cmocka_unit_test(test_only_the_home_fills_a_box), cmocka_unit_test(test_two_starts_differ),
	    cmocka_unit_test(test_the_schedule),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
