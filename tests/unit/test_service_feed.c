// The feed as vendors read it: cursors, catching up, tombstones, long polls, retention, another taxonomy.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_service.h"

static const ProtobufCBinaryData NO_CURSOR;

static int setup(void **state)
{
	struct support_service *support = calloc(1, sizeof *support);
	support_service_open(support);
	*state = support;
	return 0;
}

static int teardown(void **state)
{
	support_service_close(*state);
	free(*state);
	return 0;
}

// ---- helpers

static void withdraw(struct support_service *support, unsigned customer)
{
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	assert_customer_error(support_customer(support, customer, COMMAND_WITHDRAW, &message.base), ERR_OK);
}

static struct id subscribe(struct support_service *support, unsigned vendor, const char *category)
{
	char *categories[] = {TEXT(category)};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Subscribe message = OYEZ__SUBSCRIBE__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	message.filter = &filter;
	message.random = support_fresh(support, 16);
	const Oyez__Reply *reply = support_vendor(support, vendor, COMMAND_SUBSCRIBE, &message.base);
	assert_vendor_error(reply, ERR_OK);
	return id_of_wire(reply->ack->id);
}

static const Oyez__Reply *fetch(struct support_service *support, unsigned vendor, const struct id *subscription,
                                ProtobufCBinaryData after, uint32_t wait_ms)
{
	Oyez__FetchPair pair = OYEZ__FETCH_PAIR__INIT, *pairs[] = {&pair};
	Oyez__Fetch message = OYEZ__FETCH__INIT;
	pair.subscription_id = wire_id(subscription);
	pair.after = after;
	message.pairs = pairs;
	message.n_pairs = 1;
	message.wait_ms = wait_ms;
	return support_vendor(support, vendor, COMMAND_FETCH, &message.base);
}

static ProtobufCBinaryData cursor(struct support_service *support, uint32_t incarnation, uint64_t seq)
{
	uint8_t *bytes = arena_alloc(&support->arena, CURSOR_BYTES);
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(incarnation >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(seq >> (56 - 8 * i));
	return wire_bytes(bytes, CURSOR_BYTES);
}

// ---- tests

static void test_events_come_in_order_once(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	struct release_id first = support_release(support, 1, support_post(support));
	struct release_id second = support_release(support, 2, support_post(support));
	const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, NO_CURSOR);
	assert_int_equal(reply->n_items, 2);
	assert_memory_equal(reply->items[0]->release_id.data, first.bytes, RELEASE_ID_BYTES);
	assert_memory_equal(reply->items[1]->release_id.data, second.bytes, RELEASE_ID_BYTES);
	assert_false(reply->more);
	ProtobufCBinaryData after_first = reply->items[0]->cursor;
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 0); // sent before
	reply = support_fetch(support, 1, &subscription, after_first);
	assert_int_equal(reply->n_items, 1);
	support_service_wait(support, SECOND_MS);
	support_service_restart(support); // what was sent is forgotten, what was confirmed a second ago is not
	reply = support_fetch(support, 1, &subscription, NO_CURSOR);
	assert_int_equal(reply->n_items, 1);
	assert_memory_equal(reply->items[0]->release_id.data, second.bytes, RELEASE_ID_BYTES);
}

static void test_subscription_starts_at_its_creation(void **state)
{
	struct support_service *support = *state;
	support_release(support, 1, support_post(support));
	struct id subscription = support_vendor_join(support, 1);
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 0);
	assert_int_equal(support_fetch(support, 1, &subscription, cursor(support, 1, 0))->n_items, 0);
	withdraw(support, 1); // ends a release that was never for this subscription
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 0);
}

// A reply lost on the way counts as sent; the cursor given with the acknowledgement leads back to it.
static void test_a_subscription_comes_with_its_cursor(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	support_release(support, 1, support_post(support));
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Subscribe message = OYEZ__SUBSCRIBE__INIT;
	message.filter = &filter;
	message.random = support_fresh(support, 16);
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_SUBSCRIBE, &message.base);
	assert_vendor_error(reply, ERR_OK);
	struct id subscription = id_of_wire(reply->ack->id);
	ProtobufCBinaryData start = reply->ack->cursor;
	struct command subscribe = support->last;
	struct release_id release = support_release(support, 2, support_post(support));
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 1); // as if lost
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 0);
	const Oyez__FetchReply *again = support_fetch(support, 1, &subscription, start);
	assert_int_equal(again->n_items, 1);
	assert_memory_equal(again->items[0]->release_id.data, release.bytes, RELEASE_ID_BYTES);
	const Oyez__Reply *repeated = support_send(support, &subscribe);
	assert_int_equal(repeated->ack->cursor.len, start.len);
	assert_memory_equal(repeated->ack->cursor.data, start.data, start.len);
}

static void test_tombstones(void **state)
{
	struct support_service *support = *state;
	struct id all = support_vendor_join(support, 1), late = subscribe(support, 1, "home.kitchen");
	struct id other = subscribe(support, 1, "mobility");
	struct release_id release = support_release(support, 1, support_post(support));
	assert_int_equal(support_fetch(support, 1, &all, NO_CURSOR)->n_items, 1);
	withdraw(support, 1);
	const Oyez__FetchReply *reply = support_fetch(support, 1, &all, NO_CURSOR);
	assert_int_equal(reply->n_items, 1);
	assert_int_equal(reply->items[0]->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
	assert_int_equal(reply->items[0]->release.len, 0);
	assert_int_equal(reply->items[0]->at_ms, support->now_ms);
	assert_memory_equal(reply->items[0]->release_id.data, release.bytes, RELEASE_ID_BYTES);
	// Made before it, but never sent anything: skips both.
	assert_int_equal(support_fetch(support, 1, &other, NO_CURSOR)->n_items, 0);
	(void)late;
}

static void test_gone_release_is_skipped_with_its_tombstone(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	support_release(support, 1, support_post(support));
	withdraw(support, 1);
	struct release_id standing = support_release(support, 2, support_post(support));
	const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, NO_CURSOR);
	assert_int_equal(reply->n_items, 1);
	assert_memory_equal(reply->items[0]->release_id.data, standing.bytes, RELEASE_ID_BYTES);
}

static void test_after_a_restart_anything_may_have_been_sent(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	support_release(support, 1, support_post(support));
	support_fetch(support, 1, &subscription, NO_CURSOR); // sent, not confirmed
	support_service_restart(support);
	withdraw(support, 1);
	const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, NO_CURSOR);
	assert_int_equal(reply->n_items, 1);
	assert_int_equal(reply->items[0]->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
}

static void test_bad_cursors(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	support_vendor_join(support, 2);
	support_release(support, 1, support_post(support));
	assert_vendor_error(fetch(support, 1, &subscription, cursor(support, 1, 1), 0), ERR_OK);
	assert_vendor_error(fetch(support, 1, &subscription, cursor(support, 1, 2), 0), ERR_CURSOR_BAD);
	assert_vendor_error(fetch(support, 1, &subscription, cursor(support, 2, 1), 0), ERR_CURSOR_BAD);
	assert_vendor_error(fetch(support, 1, &subscription, support_fresh(support, 11), 0), ERR_CURSOR_BAD);
	assert_vendor_error(fetch(support, 2, &subscription, NO_CURSOR, 0), ERR_NOT_YOURS);
	struct id unknown = id_of_wire(support_fresh(support, ID_BYTES));
	assert_vendor_error(fetch(support, 1, &unknown, NO_CURSOR, 0), ERR_NOT_FOUND);
}

static void test_retention(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	for (unsigned customer = 1; customer <= 3; customer++)
		support_release(support, customer, support_post(support));
	support_service_wait(support, 8 * DAY_MS); // all expire
	support_service_wait(support, support->config.retention_ms - DAY_MS);
	support_release(support, 4, support_post(support));
	const Oyez__Reply *reply = fetch(support, 1, &subscription, cursor(support, 1, 1), 0);
	assert_vendor_error(reply, ERR_CURSOR_EXPIRED);
	uint8_t earliest[CURSOR_BYTES];
	assert_true(hex_decode(reply->error->detail, earliest, sizeof earliest));
	reply = fetch(support, 1, &subscription, wire_bytes(earliest, sizeof earliest), 0);
	assert_vendor_error(reply, ERR_OK);
	assert_true(reply->fetch->n_items >= 1);
}

static void test_fetch_waits_for_a_match(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	struct id bicycles = subscribe(support, 1, "mobility.bicycles");
	assert_null(fetch(support, 1, &subscription, NO_CURSOR, 20000));
	uint64_t origin = support->last_origin;
	assert_null(fetch(support, 1, &bicycles, NO_CURSOR, 5000));
	uint64_t bicycle_origin = support->last_origin;
	Oyez__Post *post = support_post(support);
	assert_customer_error(support_customer(support, 1, COMMAND_POST, &post->base), ERR_OK);
	support->now_ms += support->config.tick_ms;
	support_batch(support);
	const Oyez__Reply *reply = support_parked_reply(support, origin);
	assert_vendor_error(reply, ERR_OK);
	assert_int_equal(reply->fetch->n_items, 1);
	assert_null(support_parked_reply(support, bicycle_origin));
	support->now_ms += 5000;
	support_batch(support);
	reply = support_parked_reply(support, bicycle_origin);
	assert_vendor_error(reply, ERR_OK);
	assert_int_equal(reply->fetch->n_items, 0);
	assert_int_equal(reply->fetch->scanned[0].data[CURSOR_BYTES - 1], 1); // looked at, though nothing matched
}

static void test_unsubscribe(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	Oyez__Unsubscribe message = OYEZ__UNSUBSCRIBE__INIT;
	message.subscription_id = wire_id(&subscription);
	assert_vendor_error(support_vendor(support, 1, COMMAND_UNSUBSCRIBE, &message.base), ERR_OK);
	assert_vendor_error(support_vendor(support, 1, COMMAND_UNSUBSCRIBE, &message.base), ERR_OK);
	assert_vendor_error(fetch(support, 1, &subscription, NO_CURSOR, 0), ERR_NOT_FOUND);
	support_service_restart(support);
	assert_vendor_error(fetch(support, 1, &subscription, NO_CURSOR, 0), ERR_NOT_FOUND);
	Oyez__ListSubscriptions list = OYEZ__LIST_SUBSCRIPTIONS__INIT;
	assert_int_equal(support_vendor(support, 1, COMMAND_LIST_SUBSCRIPTIONS, &list.base)->subscriptions->n_items, 0);
}

static void test_late_copy_does_not_bring_a_subscription_back(void **state)
{
	struct support_service *support = *state;
	struct service_numbers numbers;
	struct id subscription = support_vendor_join(support, 1);
	struct command made = support->last;
	Oyez__Unsubscribe message = OYEZ__UNSUBSCRIBE__INIT;
	message.subscription_id = wire_id(&subscription);
	assert_vendor_error(support_vendor(support, 1, COMMAND_UNSUBSCRIBE, &message.base), ERR_OK);
	support_service_restart(support);
	assert_vendor_error(support_send(support, &made), ERR_OK);
	service_numbers(support->service, &numbers);
	assert_int_equal(numbers.subscriptions, 0);
	support_service_wait(support, DAY_MS + HOUR_MS);
	assert_vendor_error(support_send(support, &made), ERR_STALE);
}

static void test_list_subscriptions(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id second = subscribe(support, 1, "mobility");
	support_vendor_join(support, 2);
	Oyez__ListSubscriptions list = OYEZ__LIST_SUBSCRIPTIONS__INIT;
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_LIST_SUBSCRIPTIONS, &list.base);
	assert_int_equal(reply->subscriptions->n_items, 2);
	bool found = false;
	for (size_t i = 0; i < 2; i++)
		if (memcmp(reply->subscriptions->items[i]->id.data, second.bytes, ID_BYTES) == 0)
			found = strcmp(reply->subscriptions->items[i]->filter->categories[0], "mobility") == 0;
	assert_true(found);
}

static void test_filters_are_validated(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	char *categories[] = {TEXT("home.kitchn")};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Subscribe message = OYEZ__SUBSCRIBE__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	message.filter = &filter;
	message.random = support_fresh(support, 16);
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_SUBSCRIBE, &message.base);
	assert_vendor_error(reply, ERR_UNKNOWN_CATEGORY);
	assert_non_null(strstr(reply->error->detail, "home.kitchen"));
}

static void test_explain(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id bicycles = subscribe(support, 1, "mobility.bicycles"), kitchen = subscribe(support, 1, "home.kitchen");
	struct release_id release = support_release(support, 1, support_post(support));
	Oyez__ExplainRelease message = OYEZ__EXPLAIN_RELEASE__INIT;
	message.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	message.subscription_id = wire_id(&bicycles);
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_EXPLAIN, &message.base);
	assert_vendor_error(reply, ERR_OK);
	assert_false(reply->explanation->matches);
	assert_string_equal(reply->explanation->failed[0], "category");
	message.subscription_id = wire_id(&kitchen);
	reply = support_vendor(support, 1, COMMAND_EXPLAIN, &message.base);
	assert_true(reply->explanation->matches);
	withdraw(support, 1);
	assert_vendor_error(support_vendor(support, 1, COMMAND_EXPLAIN, &message.base), ERR_GONE);
}

static void test_many_pairs_and_little_room(void **state)
{
	struct support_service *support = *state;
	struct id subscriptions[3];
	support_vendor_join(support, 1);
	for (int i = 0; i < 3; i++)
		subscriptions[i] = subscribe(support, 1, i == 1 ? "mobility" : "home");
	for (unsigned customer = 1; customer <= 4; customer++)
		support_release(support, customer, support_post(support));
	Oyez__FetchPair pairs[3], *pointers[3];
	for (int i = 0; i < 3; i++) {
		oyez__fetch_pair__init(&pairs[i]);
		pairs[i].subscription_id = wire_id(&subscriptions[i]);
		pointers[i] = &pairs[i];
	}
	Oyez__Fetch message = OYEZ__FETCH__INIT;
	message.pairs = pointers;
	message.n_pairs = 3;
	message.max = 3;
	unsigned seen[3] = {0}, rounds = 0;
	for (bool more = true; more; rounds++) {
		const Oyez__FetchReply *reply = support_vendor(support, 1, COMMAND_FETCH, &message.base)->fetch;
		assert_true(reply->n_items <= 3);
		for (size_t i = 0; i < reply->n_items; i++)
			seen[reply->items[i]->pair]++;
		for (int i = 0; i < 3; i++)
			pairs[i].after = reply->scanned[i];
		more = reply->more;
	}
	assert_int_equal(seen[0], 4);
	assert_int_equal(seen[1], 0);
	assert_int_equal(seen[2], 4);
	assert_int_equal(rounds, 3);
}

// More matches than are remembered for a subscription: the rest is found by scanning.
static void test_falling_behind(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1);
	for (unsigned customer = 1; customer <= 40; customer++)
		support_release(support, customer, support_post(support));
	const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, NO_CURSOR);
	assert_int_equal(reply->n_items, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(reply->items[i]->cursor.data[CURSOR_BYTES - 1], i + 1);
}

static void test_suspension_ends_waiting(void **state)
{
	struct support_service *support = *state;
	struct id subscription = support_vendor_join(support, 1), vendor = support_vendor_id(1);
	assert_null(fetch(support, 1, &subscription, NO_CURSOR, 20000));
	uint64_t origin = support->last_origin;
	Oyez__AdminSuspend suspend = OYEZ__ADMIN_SUSPEND__INIT;
	struct command command = {.kind = COMMAND_ADMIN_SUSPEND, .payload = &suspend.base, .now_ms = support->now_ms};
	suspend.vendor_id = wire_id(&vendor);
	suspend.reason = TEXT("spam");
	service_begin(support->service, support->now_ms);
	service_apply(support->service, &command);
	service_commit(support->service);
	assert_vendor_error(support_parked_reply(support, origin), ERR_VENDOR_SUSPENDED);
}

// A taxonomy with other numbers: releases and filters keep their meaning.
static void test_new_taxonomy_renumbers(void **state)
{
	struct support_service *support = *state;
	char path[] = "/tmp/oyez-taxonomy-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	const char text[] = "1 - Animals\n2 - Animals > Cats\n";
	assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)(sizeof text - 1));
	close(fd);
	struct taxonomy *taxonomy;
	char error[200];
	assert_int_equal(taxonomy_load(path, &taxonomy, error, sizeof error), ERR_OK);
	unlink(path);

	struct id all = support_vendor_join(support, 1), kitchen = subscribe(support, 1, "home.kitchen");
	support_release(support, 1, support_post(support));
	const struct taxonomy *before = support->config.taxonomy;
	support->config.taxonomy = taxonomy;
	support_service_restart(support);
	// The category is unknown now: a filter for everything still gets it, the one for kitchens means nothing.
	assert_int_equal(support_fetch(support, 1, &all, NO_CURSOR)->n_items, 1);
	assert_int_equal(support_fetch(support, 1, &kitchen, NO_CURSOR)->n_items, 0);
	support->config.taxonomy = before;
	support_service_restart(support);
	taxonomy_free(taxonomy);
	const Oyez__FetchReply *reply = support_fetch(support, 1, &kitchen, cursor(support, 1, 0));
	assert_int_equal(reply->n_items, 1);
	assert_int_equal(reply->items[0]->maybe, 0);
	withdraw(support, 1);
	reply = support_fetch(support, 1, &kitchen, reply->items[0]->cursor);
	assert_int_equal(reply->n_items, 1);
	assert_int_equal(reply->items[0]->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_events_come_in_order_once),
	    TEST(test_subscription_starts_at_its_creation),
	    TEST(test_a_subscription_comes_with_its_cursor),
	    TEST(test_tombstones),
	    TEST(test_gone_release_is_skipped_with_its_tombstone),
	    TEST(test_after_a_restart_anything_may_have_been_sent),
	    TEST(test_bad_cursors),
	    TEST(test_retention),
	    TEST(test_fetch_waits_for_a_match),
	    TEST(test_unsubscribe),
	    TEST(test_late_copy_does_not_bring_a_subscription_back),
	    TEST(test_list_subscriptions),
	    TEST(test_filters_are_validated),
	    TEST(test_explain),
	    TEST(test_many_pairs_and_little_room),
	    TEST(test_falling_behind),
	    TEST(test_suspension_ends_waiting),
	    TEST(test_new_taxonomy_renumbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
