// Boxes as a home fills them: what a post may name, the schedule whatever becomes of the intent, what the cells say,
// and what it costs.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/service/push.h"
#include "support_service.h"

enum { BOXES_MAX = 64, ITEMS_MAX = 32 };

// What a wallet makes of one box's cells.
struct wallet_box {
	struct hpke_pair reply;
	uint8_t id[BOX_ID_BYTES];
	uint32_t cells;
	uint32_t version;
	struct {
		uint8_t bytes[8192];
		size_t count, total;
	} items[ITEMS_MAX];
};

struct scene {
	struct support_service support;
	uint8_t guardians[2][KEY_BYTES];
	struct wallet_box boxes[BOXES_MAX];
	uint32_t box_count;
	uint32_t order[4096], order_count; // boxes by their cells' order
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	support_service_open(&scene->support);
	memset(scene->guardians[0], 7, KEY_BYTES);
	memset(scene->guardians[1], 8, KEY_BYTES);
	scene->support.config.guardians = (const uint8_t(*)[KEY_BYTES])scene->guardians;
	scene->support.config.guardian_count = 2;
	service_reconfigure(scene->support.service, &scene->support.config);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	support_service_close(&scene->support);
	free(scene);
	return 0;
}

static Oyez__Post *boxed_post(struct scene *scene, struct wallet_box **out)
{
	struct wallet_box *box = &scene->boxes[scene->box_count++];
	Oyez__Post *post = support_post(&scene->support);
	hpke_pair_new(&box->reply);
	randombytes_buf(box->id, sizeof box->id);
	post->reply_key = wire_bytes(arena_copy(&scene->support.arena, box->reply.public_key, KEY_BYTES), KEY_BYTES);
	post->box_id = wire_bytes(arena_copy(&scene->support.arena, box->id, BOX_ID_BYTES), BOX_ID_BYTES);
	post->guardian_id = wire_bytes(scene->guardians[0], KEY_BYTES);
	if (out)
		*out = box;
	return post;
}

static void take_cell(struct scene *scene, const struct push_cell *cell)
{
	uint8_t bytes[BOX_CELL_BYTES], plain[BOX_PLAIN_BYTES];
	const uint8_t *message;
	size_t count;
	Oyez__BoxPlain *parts;
	ProtobufCAllocator allocator = wire_allocator(&scene->support.arena);
	uint32_t i = 0;
	while (i < scene->box_count && memcmp(scene->boxes[i].id, cell->box_id, BOX_ID_BYTES) != 0)
		i++;
	assert_true(i < scene->box_count);
	struct wallet_box *box = &scene->boxes[i];
	box->cells++;
	if (scene->order_count < sizeof scene->order / sizeof *scene->order)
		scene->order[scene->order_count++] = i;
	struct sign_pair home;
	sign_pair_new(&home);
	box_seal(&cell->sender, &home, cell->box_id, cell->message, cell->message_bytes, bytes);
	assert_int_equal(box_open(&box->reply, home.public_key, box->id, bytes, plain, &message, &count), ERR_OK);
	assert_int_equal(codec_decode_box_plain(&allocator, message, count, &parts, NULL), ERR_OK);
	for (size_t p = 0; p < parts->n_parts; p++) {
		const Oyez__BoxPart *part = parts->parts[p];
		assert_true(part->item < ITEMS_MAX && part->offset + part->bytes.len <= part->total && part->total <= 8192);
		if (part->item == 0 && part->version != box->version) {
			assert_true(part->version > box->version);
			box->version = part->version;
			box->items[0].count = 0;
		}
		box->items[part->item].total = part->total;
		memcpy(box->items[part->item].bytes + part->offset, part->bytes.data, part->bytes.len);
		if (part->offset == box->items[part->item].count)
			box->items[part->item].count += part->bytes.len;
	}
}

// The batches that are there now.
static void take_batches(struct scene *scene)
{
	struct push_batch *batch;
	while ((batch = service_push_next(scene->support.service))) {
		assert_true(batch->count >= 1 && batch->count <= PUSH_CELLS_MAX);
		assert_memory_equal(batch->guardian, scene->guardians[0], KEY_BYTES);
		for (size_t i = 0; i < batch->count; i++)
			take_cell(scene, &batch->cells[i]);
		push_batch_free(batch);
	}
}

static void wait(struct scene *scene, uint64_t ms, uint64_t step_ms)
{
	for (uint64_t at = 0; at < ms; at += step_ms) {
		support_service_wait(&scene->support, step_ms);
		take_batches(scene);
	}
}

static const Oyez__Status *status_of(struct scene *scene, struct wallet_box *box)
{
	assert_true(box->items[0].count > 0 && box->items[0].count == box->items[0].total);
	Oyez__Status *status =
	    wire_unpack(&scene->support.arena, &oyez__status__descriptor, box->items[0].bytes, box->items[0].count);
	assert_non_null(status);
	return status;
}

static const Oyez__MailboxItem *item_of(struct scene *scene, struct wallet_box *box, uint64_t number)
{
	if (box->items[number].total == 0 || box->items[number].count < box->items[number].total)
		return NULL;
	return wire_unpack(&scene->support.arena, &oyez__mailbox_item__descriptor, box->items[number].bytes,
	                   box->items[number].count);
}

// ----

static void test_a_post_names_both_or_none(void **state)
{
	struct scene *scene = *state;
	Oyez__Post *post = boxed_post(scene, NULL);
	ProtobufCBinaryData guardian = post->guardian_id;
	post->guardian_id = (ProtobufCBinaryData){0, NULL};
	assert_customer_error(support_customer(&scene->support, 1, COMMAND_POST, &post->base), ERR_BAD_VALUE);
	post->guardian_id = support_fresh(&scene->support, KEY_BYTES);
	assert_customer_error(support_customer(&scene->support, 1, COMMAND_POST, &post->base), ERR_GUARDIAN_UNKNOWN);
	post->guardian_id = guardian;
	assert_customer_error(support_customer(&scene->support, 1, COMMAND_POST, &post->base), ERR_OK);
}

static void test_the_schedule_goes_on_whatever_happens(void **state)
{
	struct scene *scene = *state;
	struct wallet_box *left, *withdrawn, *waiting;
	support_release(&scene->support, 1, boxed_post(scene, &left));
	take_batches(scene);
	assert_int_equal(left->cells, 1);
	support_release(&scene->support, 2, boxed_post(scene, &withdrawn));
	wait(scene, MINUTE_MS, SECOND_MS);
	Oyez__Withdraw withdraw = OYEZ__WITHDRAW__INIT;
	assert_customer_error(support_customer(&scene->support, 2, COMMAND_WITHDRAW, &withdraw.base), ERR_OK);
	wait(scene, 9 * MINUTE_MS - SECOND_MS, SECOND_MS);
	uint32_t so_far = withdrawn->cells;
	assert_in_range(left->cells, 59, 61); // the second release took a tick or two
	assert_in_range(withdrawn->cells, 59, 60);
	assert_int_equal(status_of(scene, withdrawn)->state, OYEZ__INTENT_STATE__INTENT_WITHDRAWN);
	assert_int_equal(status_of(scene, left)->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	assert_true(status_of(scene, left)->release.len > 0);

	support_service_restart(&scene->support); // with a new enc, and from the next slot on
	wait(scene, HOUR_MS, MINUTE_MS / 2);
	assert_in_range(withdrawn->cells - so_far, 59, 61);

	// Past everything: the band of a week from the tick.
	wait(scene, DAY_MS, MINUTE_MS);
	wait(scene, 7 * DAY_MS, 5 * MINUTE_MS);
	uint32_t all = 60 + 1430 + 6 * 144;
	assert_in_range(left->cells, all - 3, all);
	assert_in_range(withdrawn->cells, all - 3, all);
	struct service_numbers numbers;
	service_numbers(scene->support.service, &numbers);
	assert_int_equal(numbers.boxes_pushed, 0);

	// Never released, never pushed.
	Oyez__Post *post = boxed_post(scene, &waiting);
	post->crowd_wish = 9;
	assert_customer_error(support_customer(&scene->support, 3, COMMAND_POST, &post->base), ERR_OK);
	assert_customer_error(support_customer(&scene->support, 3, COMMAND_WITHDRAW, &withdraw.base), ERR_OK);
	wait(scene, HOUR_MS, MINUTE_MS);
	assert_int_equal(waiting->cells, 0);
}

static void test_offers_arrive_in_parts_and_again(void **state)
{
	struct scene *scene = *state;
	struct wallet_box *box;
	support_vendor_join(&scene->support, 11);
	support_vendor_join(&scene->support, 12);
	struct release_id release = support_release(&scene->support, 1, boxed_post(scene, &box));
	take_batches(scene);
	struct id first = support_offer(&scene->support, 11, &release);
	struct id second = support_offer(&scene->support, 12, &release);
	wait(scene, 30 * SECOND_MS, SECOND_MS);
	const Oyez__MailboxItem *item = item_of(scene, box, 1);
	assert_non_null(item);
	assert_int_equal(item->seq, 1);
	assert_true(item->at_ms > 0);
	assert_int_equal(item->body_case, OYEZ__MAILBOX_ITEM__BODY_OFFER);
	assert_memory_equal(item->offer->id.data, first.bytes, ID_BYTES);
	item = item_of(scene, box, 2);
	assert_non_null(item);
	assert_memory_equal(item->offer->id.data, second.bytes, ID_BYTES);

	// A wallet that lost everything gets it again.
	memset(box->items, 0, sizeof box->items);
	wait(scene, 2 * MINUTE_MS, SECOND_MS);
	assert_non_null(item_of(scene, box, 1));
	assert_non_null(item_of(scene, box, 2));
	status_of(scene, box);

	// And after a restart, once more; what the deal did is in the status.
	support_accept(&scene->support, 1, &first);
	support_service_restart(&scene->support);
	memset(box->items, 0, sizeof box->items);
	wait(scene, 2 * MINUTE_MS, SECOND_MS);
	assert_non_null(item_of(scene, box, 1));
	assert_int_equal(status_of(scene, box)->n_deals, 1);
}

// Boxes posted in order leave in another one, and in a new one each time.
static void test_order_says_nothing(void **state)
{
	struct scene *scene = *state;
	for (unsigned i = 0; i < 40; i++)
		assert_customer_error(support_customer(&scene->support, i + 1, COMMAND_POST, &boxed_post(scene, NULL)->base),
		                      ERR_OK);
	wait(scene, 31 * SECOND_MS, SECOND_MS);
	assert_true(scene->order_count >= 120 && scene->order_count % 40 == 0);
	uint32_t neighbours = 0, same = 0, rounds = scene->order_count / 40;
	for (uint32_t i = 0; i < scene->order_count; i++) {
		neighbours += i % 40 && scene->order[i] == scene->order[i - 1] + 1;
		same += i >= 40 && scene->order[i] == scene->order[i - 40];
	}
	assert_true(neighbours < 8 * rounds); // one is expected by chance
	assert_true(same < 8 * rounds);
}

// A guardian's link that takes nothing holds the filling of cells up, not the broker.
static void test_batches_under_way_are_bounded(void **state)
{
	struct scene *scene = *state;
	struct push_batch *held[256];
	size_t count = 0;
	scene->support.config.parked_max = 10;
	for (unsigned i = 0; i < 60; i++)
		assert_customer_error(support_customer(&scene->support, i + 1, COMMAND_POST, &boxed_post(scene, NULL)->base),
		                      ERR_OK);
	for (int i = 0; i < 40; i++) {
		support_service_wait(&scene->support, 10 * SECOND_MS);
		while ((held[count] = service_push_next(scene->support.service)))
			assert_true(++count < 256);
	}
	assert_in_range(count, 120, 140);
	while (count > 0)
		push_batch_free(held[--count]);
}

static void test_what_it_costs(void **state)
{
	struct scene *scene = *state;
	for (unsigned i = 0; i < 60; i++)
		assert_customer_error(support_customer(&scene->support, i + 1, COMMAND_POST, &boxed_post(scene, NULL)->base),
		                      ERR_OK);
	Oyez__AdminStatus ask = OYEZ__ADMIN_STATUS__INIT;
	wait(scene, 2 * SECOND_MS, SECOND_MS);
	const Oyez__AdminReply *reply = support_admin(&scene->support, COMMAND_ADMIN_STATUS, &ask.base);
	assert_int_equal(reply->status->boxes_pushed, 60);
	printf("bytes for one intent on its first day: %lu\n", (unsigned long)reply->status->box_bytes_per_intent_day);
	assert_in_range(reply->status->box_bytes_per_intent_day, 1490 * 4096, 1560 * 4200);
	wait(scene, 2 * DAY_MS, 10 * MINUTE_MS);
	reply = support_admin(&scene->support, COMMAND_ADMIN_STATUS, &ask.base);
	printf("bytes for one intent on its third day: %lu\n", (unsigned long)reply->status->box_bytes_per_intent_day);
	assert_in_range(reply->status->box_bytes_per_intent_day, 144 * 4096, 144 * 4300);

	// The real frame, against the figure above.
	struct sign_pair identity;
	atomic_size_t under_way = 0;
	struct push_batch *batch = push_batch_new(scene->guardians[0], &under_way);
	uint8_t *frame;
	size_t count;
	sign_pair_new(&identity);
	batch->count = PUSH_CELLS_MAX;
	for (size_t i = 0; i < batch->count; i++) {
		assert_int_equal(box_begin(&batch->cells[i].sender, scene->boxes[i].reply.public_key), ERR_OK);
		randombytes_buf(batch->cells[i].box_id, BOX_ID_BYTES);
	}
	push_frame(batch, &identity, scene->support.now_ms, &frame, &count);
	assert_in_range(count * 144 / PUSH_CELLS_MAX, reply->status->box_bytes_per_intent_day * 99 / 100,
	                reply->status->box_bytes_per_intent_day * 101 / 100);
	free(frame);
	push_batch_free(batch);
	assert_int_equal(under_way, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_post_names_both_or_none),        TEST(test_the_schedule_goes_on_whatever_happens),
	    TEST(test_offers_arrive_in_parts_and_again), TEST(test_order_says_nothing),
	    TEST(test_batches_under_way_are_bounded),    TEST(test_what_it_costs),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
