// Holds: how long, what is held, what is not, and that a restart changes nothing.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <stdlib.h>

#include "broker/core/hold.h"
#include "support_service.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// Any key will do as the guardian's: boxes are pushed elsewhere.
static const uint8_t GUARDIAN[1][KEY_BYTES] = {{'G'}};

static int set_up(void **state)
{
	struct support_service *support = malloc(sizeof *support);
	if (!support)
		abort();
	support_service_open(support);
	support->config.hold = HOLD_BOXES;
	support->config.guardians = GUARDIAN;
	support->config.guardian_count = 1;
	service_reconfigure(support->service, &support->config);
	*state = support;
	return 0;
}

static int tear_down(void **state)
{
	support_service_close(*state);
	free(*state);
	return 0;
}

static Oyez__Post *boxed_post(struct support_service *support)
{
	Oyez__Post *post = support_post(support);
	post->box_id = support_fresh(support, BOX_ID_BYTES);
	post->guardian_id = wire_bytes(GUARDIAN[0], KEY_BYTES);
	return post;
}

static int state_of(struct support_service *support, unsigned customer)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	const Oyez__CustomerReply *reply = support_customer(support, customer, COMMAND_READ_STATUS, &read.base);
	assert_customer_error(reply, ERR_OK);
	return (int)reply->status->state;
}

// Ticks until the intent is released; how long that took.
static uint64_t wait_for_release(struct support_service *support, unsigned customer)
{
	uint64_t start = support->now_ms;
	while (state_of(support, customer) == INTENT_WAITING && support->now_ms < start + HOUR_MS)
		support_service_wait(support, SECOND_MS);
	return support->now_ms - start;
}

static struct release_id release_of(struct support_service *support, unsigned customer)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	const Oyez__CustomerReply *reply = support_customer(support, customer, COMMAND_READ_STATUS, &read.base);
	ProtobufCAllocator allocator = wire_allocator(&support->arena);
	Oyez__Release *release = oyez__release__unpack(&allocator, reply->status->release.len, reply->status->release.data);
	assert_non_null(release);
	return release_id_of_wire(release->release_id);
}

static struct release_id held_release(struct support_service *support, unsigned customer)
{
	assert_customer_error(support_customer(support, customer, COMMAND_POST, &boxed_post(support)->base), ERR_OK);
	wait_for_release(support, customer);
	return release_of(support, customer);
}

static size_t items_of(struct support_service *support, unsigned vendor, int kind)
{
	const Oyez__Inbox *inbox = support_inbox(support, vendor, 0);
	size_t count = 0;
	for (size_t i = 0; i < inbox->n_items; i++)
		count += (int)inbox->items[i]->body_case == kind;
	return count;
}

static void withdraw(struct support_service *support, unsigned customer)
{
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	assert_customer_error(support_customer(support, customer, COMMAND_WITHDRAW, &message.base), ERR_OK);
}

// ---- how long

static void exponential_by_integers(void **state)
{
	(void)state;
	assert_int_equal(hold_exponential_ms(UINT64_MAX, HOLD_RELEASE_MEAN_MS), 1);
	assert_int_equal(hold_exponential_ms(0, HOLD_RELEASE_MEAN_MS), HOLD_MEANS_MAX * HOLD_RELEASE_MEAN_MS);
	assert_int_equal(hold_exponential_ms(UINT64_C(1) << 63, 600000) / 1000, 415); // the median: ln 2 times the mean
	for (uint64_t random = 12345, i = 0; i < 100000; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		double expected = -log(((double)random + 1) / 18446744073709551616.0) * 600000;
		if (expected > 5 * 600000.0)
			expected = 5 * 600000.0;
		assert_true(fabs((double)hold_exponential_ms(random, 600000) - expected) < 60);
	}
}

static void times_of_many_intents(void **state)
{
	struct support_service *support = *state;
	enum { COUNT = 600 };
	double sum = 0;
	size_t below_median = 0;
	for (unsigned i = 0; i < COUNT; i++) {
		assert_customer_error(support_customer(support, 1000 + i, COMMAND_POST, &boxed_post(support)->base), ERR_OK);
		struct intent intent;
		struct id id = support_customer_id(1000 + i);
		store_begin(support->store);
		assert_true(store_intent_find(support->store, &id, &intent));
		store_abort(support->store);
		assert_true(intent.held && intent.ready_at_ms > intent.posted_at_ms);
		double hold = (double)(intent.ready_at_ms - intent.posted_at_ms);
		sum += hold;
		below_median += hold < 415888;
	}
	assert_in_range((uint64_t)(sum / COUNT), 520000, 680000); // 10 minutes, give or take three standard errors
	assert_in_range(below_median, COUNT / 2 - 40, COUNT / 2 + 40);
}

// ---- what

static void direct_intents_are_not_held(void **state)
{
	struct support_service *support = *state;
	assert_customer_error(support_customer(support, 1, COMMAND_POST, &support_post(support)->base), ERR_OK);
	support_service_wait(support, SECOND_MS);
	assert_int_equal(state_of(support, 1), INTENT_RELEASED);
	support->config.hold = HOLD_OFF;
	service_reconfigure(support->service, &support->config);
	assert_customer_error(support_customer(support, 2, COMMAND_POST, &boxed_post(support)->base), ERR_OK);
	support_service_wait(support, SECOND_MS);
	assert_int_equal(state_of(support, 2), INTENT_RELEASED);
}

static void a_release_waits_across_a_restart(void **state)
{
	struct support_service *support = *state;
	struct intent intent;
	struct id id = support_customer_id(1);
	support_vendor_join(support, 1);
	assert_customer_error(support_customer(support, 1, COMMAND_POST, &boxed_post(support)->base), ERR_OK);
	store_begin(support->store);
	assert_true(store_intent_find(support->store, &id, &intent));
	store_abort(support->store);
	support_service_restart(support);
	support_service_wait(support, intent.ready_at_ms - support->now_ms - 1);
	assert_int_equal(state_of(support, 1), INTENT_WAITING);
	support_service_wait(support, 2 * SECOND_MS);
	assert_int_equal(state_of(support, 1), INTENT_RELEASED);
}

static void a_withdrawal_acts_at_once_and_shows_later(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	support_vendor_join(support, 2);
	struct release_id release = held_release(support, 1);
	support_offer(support, 1, &release);
	const Oyez__FetchReply *fetch = support_fetch(support, 1, &subscription, (ProtobufCBinaryData){0});
	assert_int_equal(fetch->n_items, 1);
	ProtobufCBinaryData after = fetch->scanned[0];
	withdraw(support, 1);
	assert_int_equal(state_of(support, 1), INTENT_WITHDRAWN);
	// At once: nobody gets the release any more, the mailbox is gone.
	struct id late = support_vendor_join(support, 3);
	assert_int_equal(support_fetch(support, 3, &late, (ProtobufCBinaryData){0})->n_items, 0);
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	assert_customer_error(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base), ERR_GONE);
	// Vendors see no change: neither a tombstone nor a refusal.
	support_batch(support);
	assert_int_equal(support_fetch(support, 1, &subscription, after)->n_items, 0);
	assert_int_equal(items_of(support, 1, OYEZ__INBOX_ITEM__BODY_GONE), 0);
	support_offer(support, 2, &release); // acknowledged, goes nowhere
	support_service_restart(support);
	support_service_wait(support, 5 * MINUTE_MS + 2 * SECOND_MS);
	fetch = support_fetch(support, 1, &subscription, after);
	assert_int_equal(fetch->n_items, 1);
	assert_int_equal(fetch->items[0]->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
	assert_int_equal(items_of(support, 1, OYEZ__INBOX_ITEM__BODY_GONE), 1);
	assert_int_equal(items_of(support, 2, OYEZ__INBOX_ITEM__BODY_GONE), 1);
	Oyez__SendOffer offer = OYEZ__SEND_OFFER__INIT;
	offer.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	offer.offer_id = support_fresh(support, ID_BYTES);
	offer.expires_at_ms = support->now_ms + DAY_MS;
	offer.sealed = support_fresh(support, 512 + 2 + 32 + 16);
	assert_vendor_error(support_vendor(support, 2, COMMAND_OFFER, &offer.base), ERR_GONE);
}

static void decline(struct support_service *support, unsigned customer, struct id *offer)
{
	Oyez__Decline message = OYEZ__DECLINE__INIT;
	message.offer_id = wire_id(offer);
	message.reason = TEXT("price");
	assert_customer_error(support_customer(support, customer, COMMAND_DECLINE, &message.base), ERR_OK);
}

static void a_decline_waits_and_is_dropped_by_a_withdrawal(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	for (unsigned customer = 1; customer <= 2; customer++) {
		struct release_id release = held_release(support, customer);
		struct id offer = support_offer(support, 1, &release);
		decline(support, customer, &offer);
		assert_int_equal(items_of(support, 1, OYEZ__INBOX_ITEM__BODY_DECLINED), customer - 1);
		if (customer == 2)
			withdraw(support, customer);
		support_service_wait(support, 5 * MINUTE_MS + 2 * SECOND_MS);
		assert_int_equal(items_of(support, 1, OYEZ__INBOX_ITEM__BODY_DECLINED), 1);
	}
}

static void an_acceptance_goes_at_once(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct release_id release = held_release(support, 1);
	struct id offer = support_offer(support, 1, &release);
	support_accept(support, 1, &offer);
	assert_int_equal(items_of(support, 1, OYEZ__INBOX_ITEM__BODY_AGREEMENT), 1);
}

// A round life would tell the post's time: the end by expiry is blurred as much as the release.
static void an_expiry_is_blurred(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	uint64_t latest = 0;
	for (unsigned customer = 1; customer <= 12; customer++) {
		Oyez__Post *post = boxed_post(support);
		uint64_t expires_ms = post->expires_at_ms = support->now_ms + 2 * HOUR_MS;
		assert_customer_error(support_customer(support, customer, COMMAND_POST, &post->base), ERR_OK);
		wait_for_release(support, customer);
		ProtobufCBinaryData after = support_fetch(support, 1, &subscription, (ProtobufCBinaryData){0})->scanned[0];
		support_service_wait(support, expires_ms - support->now_ms);
		assert_int_equal(state_of(support, customer), INTENT_EXPIRED);
		while (support_fetch(support, 1, &subscription, after)->n_items == 0 && support->now_ms < expires_ms + HOUR_MS)
			support_service_wait(support, MINUTE_MS / 4);
		assert_true(support->now_ms <= expires_ms + 51 * MINUTE_MS);
		latest = support->now_ms - expires_ms > latest ? support->now_ms - expires_ms : latest;
	}
	assert_true(latest > 5 * MINUTE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exponential_by_integers),
	    TEST(times_of_many_intents),
	    TEST(direct_intents_are_not_held),
	    TEST(a_release_waits_across_a_restart),
	    TEST(a_withdrawal_acts_at_once_and_shows_later),
	    TEST(a_decline_waits_and_is_dropped_by_a_withdrawal),
	    TEST(an_acceptance_goes_at_once),
	    TEST(an_expiry_is_blurred),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
