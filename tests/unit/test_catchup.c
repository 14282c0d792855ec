// Vendors who come back: scans beside the state thread, their joins with what is released meanwhile, and counts over
// the past. The feed is filled behind the service's commands: feed_release publishes any intent.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/service/internal.h"
#include "proto/region.h"
#include "support_service.h"

static const ProtobufCBinaryData NO_CURSOR;

static int setup(void **state)
{
	struct support_service *support = calloc(1, sizeof *support);
	support_service_open(support);
	support->config.tail_records = 64; // so that a few hundred events are far behind
	support_service_restart(support);
	*state = support;
	return 0;
}

static int teardown(void **state)
{
	support_service_close(*state);
	free(*state);
	return 0;
}

// ---- the feed, behind the commands

// Release number n: its id begins with n.
static struct intent intent_number(const struct support_service *support, uint32_t number, const char *category)
{
	struct intent intent = {.state = INTENT_RELEASED, .crowd = 1, .suite = SUITE_X25519_CHACHA};
	struct sign_pair pair;
	uint8_t seed[32] = {'f'};
	sign_pair_from_seed(&pair, seed);
	memcpy(intent.key, pair.public_key, KEY_BYTES);
	memset(intent.reply_key, 0x21, KEY_BYTES);
	memcpy(intent.release_id.bytes, &number, sizeof number);
	intent.facets.category = taxonomy_find(support->config.taxonomy, category);
	intent.facets.region = region_find("FR-56");
	intent.facets.expires = 1;
	intent.released_at_ms = support->now_ms;
	return intent;
}

static uint32_t number_of(const Oyez__FeedItem *item)
{
	uint32_t number;
	assert_int_equal(item->release_id.len, RELEASE_ID_BYTES);
	memcpy(&number, item->release_id.data, sizeof number);
	return number;
}

// `each`-th ones are coffee machines, the others bicycles.
static void publish(struct support_service *support, uint32_t first, uint32_t count, uint32_t each)
{
	service_begin(support->service, support->now_ms);
	for (uint32_t i = first; i < first + count; i++) {
		bool coffee = i % each == 0;
		struct intent intent = intent_number(support, i, coffee ? "home.kitchen.coffee-machine" : "mobility.bicycles");
		feed_release(support->service, &intent);
	}
	assert_int_equal(service_commit(support->service), ERR_OK);
}

// Like the others, but as large as a release may be.
static void publish_large(struct support_service *support, uint32_t count)
{
	uint8_t bytes[RELEASE_BYTES_MAX];
	service_begin(support->service, support->now_ms);
	for (uint32_t i = 0; i < count; i++) {
		struct intent intent = intent_number(support, i, "home.kitchen.coffee-machine");
		struct match_header header = {.facets = intent.facets, .crowd = 1, .kind = FEED_RELEASE};
		header.released_at_ms = support->now_ms;
		ProtobufCBinaryData release =
		    wire_pack(&support->service->arena, &release_message(support->service, &intent, true)->base);
		size_t filler = sizeof bytes - release.len - 3; // a field that readers skip
		memcpy(bytes, release.data, release.len);
		memcpy(bytes + release.len, (uint8_t[]){15 << 3 | 2, (uint8_t)(filler | 0x80), (uint8_t)(filler >> 7)}, 3);
		memset(bytes + release.len + 3, 7, filler);
		header.release_seq = store_feed_last(support->store) + 1;
		uint64_t seq = store_feed_append(support->store, &header, bytes, sizeof bytes);
		feed_announce(support->service, &header, seq, (struct bytes){bytes, sizeof bytes});
	}
	assert_int_equal(service_commit(support->service), ERR_OK);
}

static void end(struct support_service *support, uint64_t seq, uint32_t number)
{
	struct intent intent = intent_number(support, number, "home.kitchen.coffee-machine");
	intent.release_seq = seq;
	service_begin(support->service, support->now_ms);
	feed_tombstone(support->service, &intent, OYEZ__GONE_REASON__GONE_WITHDRAWN);
	assert_int_equal(service_commit(support->service), ERR_OK);
}

static struct id subscribe(struct support_service *support, const char *category)
{
	char *categories[] = {TEXT(category)};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Subscribe message = OYEZ__SUBSCRIBE__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	message.filter = &filter;
	message.random = support_fresh(support, 16);
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_SUBSCRIBE, &message.base);
	assert_vendor_error(reply, ERR_OK);
	return id_of_wire(reply->ack->id);
}

// Asks without running the scan; the request's origin.
static uint64_t ask(struct support_service *support, const struct id *subscription, ProtobufCBinaryData after,
                    uint32_t wait_ms)
{
	Oyez__FetchPair pair = OYEZ__FETCH_PAIR__INIT, *pairs[] = {&pair};
	Oyez__Fetch message = OYEZ__FETCH__INIT;
	struct effect effect;
	pair.subscription_id = wire_id(subscription);
	pair.after = after;
	message.pairs = pairs;
	message.n_pairs = 1;
	message.wait_ms = wait_ms;
	struct command command = {
	    .kind = COMMAND_FETCH,
	    .origin = ++support->records,
	    .sender = support_vendor_id(1),
	    .payload = &message.base,
	    .now_ms = support->now_ms,
	};
	service_begin(support->service, support->now_ms);
	service_apply(support->service, &command);
	assert_int_equal(service_commit(support->service), ERR_OK);
	assert_false(service_effect_next(support->service, &effect)); // it waits
	return command.origin;
}

static ProtobufCBinaryData keep(struct support_service *support, ProtobufCBinaryData bytes)
{
	return wire_bytes(arena_copy(&support->arena, bytes.data, bytes.len), bytes.len);
}

// ---- tests

// Everything that matches, in order, once, while more is being released between any two answers.
static void test_a_returning_vendor_gets_all_in_order(void **state)
{
	enum { BEFORE = 20000, EACH = 3, MORE = 700 };
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, BEFORE, EACH);
	uint32_t next = 0, published = BEFORE;
	ProtobufCBinaryData after = NO_CURSOR;
	for (bool more = true; more || next < published; published += published < BEFORE + 20 * MORE ? MORE : 0) {
		if (published < BEFORE + 20 * MORE)
			publish(support, published, MORE, EACH);
		const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, after);
		for (size_t i = 0; i < reply->n_items; i++, next += EACH)
			assert_int_equal(number_of(reply->items[i]), next);
		after = keep(support, reply->scanned[0]);
		more = reply->more;
		if (!more && published >= BEFORE + 20 * MORE)
			break;
	}
	assert_in_range(next, published - EACH + 1, published + EACH - 1);
}

// However many are asked for.
static void test_an_answer_has_its_size(void **state)
{
	enum { LARGE = 2 * FETCH_ITEMS_MAX };
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish_large(support, LARGE);
	ProtobufCBinaryData after = NO_CURSOR;
	uint32_t next = 0, answers = 0;
	for (bool more = true; more; answers++) {
		const Oyez__FetchReply *reply = support_fetch(support, 1, &subscription, after);
		assert_true(reply->n_items > 0);
		assert_true(oyez__fetch_reply__get_packed_size(reply) <= FETCH_ITEMS_BYTES_MAX + 64);
		for (size_t i = 0; i < reply->n_items; i++)
			assert_int_equal(number_of(reply->items[i]), next++);
		after = keep(support, reply->scanned[0]);
		more = reply->more;
	}
	assert_int_equal(next, LARGE);
	assert_int_equal(answers, LARGE * (RELEASE_BYTES_MAX + 64) / FETCH_ITEMS_BYTES_MAX + 1);
}

// What was found for one release holds for the next of its class, but not across a change of the subscriptions.
static void test_equal_releases_around_a_subscription(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id first = subscribe(support, "home.kitchen");
	publish(support, 0, 1, 1);
	struct id second = subscribe(support, "home.kitchen");
	publish(support, 1, 1, 1); // the same millisecond
	assert_int_equal(support_fetch(support, 1, &first, NO_CURSOR)->n_items, 2);
	const Oyez__FetchReply *reply = support_fetch(support, 1, &second, NO_CURSOR);
	assert_int_equal(reply->n_items, 1);
	assert_int_equal(number_of(reply->items[0]), 1);
}

// Nor from one filter to another of the same request: what the first looked at last is what the second looks at first.
static void test_two_filters_over_the_same_records(void **state)
{
	enum { EACH = 20 }; // more than a ring holds
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id ids[] = {subscribe(support, "home.kitchen"), subscribe(support, "mobility.bicycles")};
	publish(support, 0, 1, 1);           // coffee
	publish(support, 1, EACH, 1000);     // bicycles
	publish(support, 1 + EACH, EACH, 1); // coffee
	Oyez__FetchPair pairs[] = {OYEZ__FETCH_PAIR__INIT, OYEZ__FETCH_PAIR__INIT}, *both[] = {&pairs[0], &pairs[1]};
	Oyez__Fetch message = OYEZ__FETCH__INIT;
	for (int i = 0; i < 2; i++)
		pairs[i].subscription_id = wire_id(&ids[i]);
	message.pairs = both;
	message.n_pairs = 2;
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_FETCH, &message.base);
	assert_vendor_error(reply, ERR_OK);
	size_t counts[2] = {0};
	for (size_t i = 0; i < reply->fetch->n_items; i++) {
		const Oyez__FeedItem *item = reply->fetch->items[i];
		bool bicycle = number_of(item) >= 1 && number_of(item) <= EACH;
		assert_int_equal(item->pair, bicycle);
		counts[item->pair]++;
	}
	assert_int_equal(counts[0], 1 + EACH);
	assert_int_equal(counts[1], EACH);
}

// What the scan saw may have gone, and more may have come, before its result is given back.
static void test_the_join_with_what_happened_meanwhile(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, 200, 1);
	uint64_t origin = ask(support, &subscription, NO_CURSOR, 0);
	struct scan *scan = service_scan_next(support->service);
	assert_non_null(scan);
	assert_true(scan_run(scan, NULL, NULL));
	assert_int_equal(scan->hit_count, 200);
	end(support, 10, 9);          // seen by the scan, gone since
	publish(support, 200, 20, 1); // after the scan, within the tail
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan);
	service_commit(support->service);
	const Oyez__Reply *reply = support_parked_reply(support, origin);
	assert_vendor_error(reply, ERR_OK);
	uint32_t number = 0;
	size_t gone = 0;
	for (size_t i = 0; i < reply->fetch->n_items; i++) {
		if (reply->fetch->items[i]->gone) {
			gone++; // it may name a release not received
			continue;
		}
		number += number == 9;
		assert_int_equal(number_of(reply->fetch->items[i]), number++);
	}
	assert_int_equal(number, 220);
	assert_true(gone <= 1);
	assert_false(reply->fetch->more);
}

// More has come meanwhile than the tail holds: the answer ends where the scan did, and says so.
static void test_the_tail_moved_on(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, 200, 1);
	uint64_t origin = ask(support, &subscription, NO_CURSOR, 0);
	struct scan *scan = service_scan_next(support->service);
	assert_true(scan_run(scan, NULL, NULL));
	publish(support, 200, 200, 1);
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan);
	service_commit(support->service);
	const Oyez__Reply *reply = support_parked_reply(support, origin);
	assert_int_equal(reply->fetch->n_items, 200);
	assert_true(reply->fetch->more);
	const Oyez__FetchReply *rest = support_fetch(support, 1, &subscription, reply->fetch->scanned[0]);
	assert_int_equal(rest->n_items, 200);
	assert_int_equal(number_of(rest->items[0]), 200);
}

// A tombstone is due when another request brought the release while this one was being scanned.
static void test_a_tombstone_for_what_came_by_another_way(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, 100, 1);
	uint8_t start[CURSOR_BYTES];
	cursor_encode(support->service, 0, start);
	uint64_t slow = ask(support, &subscription, wire_bytes(start, sizeof start), 0);
	struct scan *scan = service_scan_next(support->service);
	const Oyez__FetchReply *quick = support_fetch(support, 1, &subscription, wire_bytes(start, sizeof start));
	assert_int_equal(quick->n_items, 100);
	end(support, 50, 49);
	publish(support, 100, 100, 1);
	assert_true(scan_run(scan, NULL, NULL));
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan);
	service_commit(support->service);
	const Oyez__Reply *reply = support_parked_reply(support, slow);
	assert_vendor_error(reply, ERR_OK);
	bool told = false;
	ProtobufCBinaryData after = keep(support, reply->fetch->scanned[0]);
	for (size_t i = 0; i < reply->fetch->n_items; i++)
		told |= reply->fetch->items[i]->gone && number_of(reply->fetch->items[i]) == 49;
	while (!told) {
		const Oyez__FetchReply *rest = support_fetch(support, 1, &subscription, after);
		for (size_t i = 0; i < rest->n_items; i++)
			told |= rest->items[i]->gone && number_of(rest->items[i]) == 49;
		after = keep(support, rest->scanned[0]);
		assert_true(told || rest->more);
	}
}

// Nobody waits for ever: the deadline answers with the cursor unmoved.
static void test_a_scan_that_does_not_come_back(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, 200, 1);
	uint64_t origin = ask(support, &subscription, NO_CURSOR, 1000);
	struct scan *scan = service_scan_next(support->service);
	support->now_ms += 2000;
	support_batch(support);
	assert_null(support_parked_reply(support, origin));
	support->now_ms += 15000;
	support_batch(support);
	const Oyez__Reply *reply = support_parked_reply(support, origin);
	assert_vendor_error(reply, ERR_OK);
	assert_int_equal(reply->fetch->n_items, 0);
	assert_true(reply->fetch->more);
	assert_int_equal(reply->fetch->scanned[0].data[CURSOR_BYTES - 1], 0);
	scan_run(scan, NULL, NULL);
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan); // late: harmless
	service_commit(support->service);
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 200);
}

static void test_going_away_and_failing_commits(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct id subscription = subscribe(support, "home.kitchen");
	publish(support, 0, 200, 1);
	uint64_t origin = ask(support, &subscription, NO_CURSOR, 1000);
	struct scan *scan = service_scan_next(support->service);
	service_cancel(support->service, origin);
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan);
	service_commit(support->service);
	assert_null(support_parked_reply(support, origin));

	origin = ask(support, &subscription, NO_CURSOR, 1000);
	scan = service_scan_next(support->service);
	store_fail_commits(support->store, ERR_STORAGE_FULL);
	support_batch(support);
	service_begin(support->service, support->now_ms);
	Oyez__WouldMatch count = OYEZ__WOULD_MATCH__INIT;
	(void)count;
	assert_int_equal(service_commit(support->service), ERR_STORAGE_FULL);
	store_fail_commits(support->store, ERR_OK);
	service_begin(support->service, support->now_ms);
	service_scan_done(support->service, scan);
	service_commit(support->service);
	assert_int_equal(support_fetch(support, 1, &subscription, NO_CURSOR)->n_items, 200);
}

// Many who get the same share one answer; a `maybe` or another subscription of the pair does not.
static void test_equal_answers_are_one(void **state)
{
	struct support_service *support = *state;
	struct id subscriptions[3];
	uint64_t origins[3];
	struct effect effects[3];
	support_vendor_join(support, 1);
	for (int i = 0; i < 3; i++)
		subscriptions[i] = subscribe(support, i < 2 ? "home.kitchen" : "home.kitchen.coffee-machine");
	for (int i = 0; i < 3; i++)
		origins[i] = ask(support, &subscriptions[i], NO_CURSOR, 20000);
	service_begin(support->service, support->now_ms);
	for (uint32_t i = 0; i < 40; i++) {
		struct intent intent = intent_number(support, i, i % 2 ? "home.kitchen.coffee-machine" : "home.kitchen");
		feed_release(support->service, &intent);
	}
	service_commit(support->service);
	size_t count = 0;
	struct effect effect;
	while (service_effect_next(support->service, &effect))
		for (int i = 0; i < 3; i++)
			if (effect.origin == origins[i]) {
				effects[i] = effect;
				count++;
			}
	assert_int_equal(count, 3);
	assert_non_null(effects[0].shared);
	assert_ptr_equal(effects[0].shared, effects[1].shared);
	assert_ptr_not_equal(effects[0].shared, effects[2].shared);
	const ProtobufCMessage *message;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(codec_decode(&oyez__reply__descriptor, NULL, effects[i].bytes, effects[i].count,
		                              (ProtobufCMessage **)&message, NULL),
		                 ERR_OK);
		const Oyez__FetchReply *fetch = ((const Oyez__Reply *)message)->fetch;
		assert_int_equal(fetch->n_items, 40);
		for (uint32_t item = 0; item < 40; item++) {
			assert_int_equal(number_of(fetch->items[item]), item);
			assert_int_equal(fetch->items[item]->maybe, i == 2 && item % 2 == 0 ? FACET_CATEGORY : 0);
		}
		protobuf_c_message_free_unpacked((ProtobufCMessage *)message, NULL);
	}
}

// ---- counts

static const Oyez__WouldMatchReply *would_match(struct support_service *support, unsigned vendor, const char *category,
                                                uint64_t since_ms, enum err expected)
{
	char *categories[] = {TEXT(category)};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__WouldMatch message = OYEZ__WOULD_MATCH__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	filter.exact = true;
	message.filter = &filter;
	message.since_ms = since_ms;
	const Oyez__Reply *reply = support_vendor(support, vendor, COMMAND_WOULD_MATCH, &message.base);
	assert_vendor_error(reply, expected);
	return expected ? NULL : reply->would_match;
}

static void test_would_match(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	publish(support, 0, 300, 3);
	uint64_t since_ms = support->now_ms += HOUR_MS / 2;
	publish(support, 300, 30, 2);
	end(support, 1, 0); // what is gone counts, its tombstone does not
	const Oyez__WouldMatchReply *found = would_match(support, 1, "home", 0, ERR_OK);
	assert_int_equal(found->count, 115);
	assert_int_equal(found->certain, 115);
	assert_int_equal(found->scanned, 330);
	assert_int_equal(found->n_rows, 1);
	assert_string_equal(found->rows[0]->category, "home.kitchen.coffee-machine");
	assert_string_equal(found->rows[0]->region, "FR-56");
	assert_int_equal(found->rows[0]->count, 115);
	found = would_match(support, 1, "mobility", since_ms, ERR_OK);
	assert_int_equal(found->count, 15);
	assert_int_equal(found->scanned, 30);
	assert_int_equal(found->from_ms, since_ms);
	assert_int_equal(would_match(support, 1, "mobility", support->now_ms + 1, ERR_OK)->scanned, 0);
	would_match(support, 1, "mobilty", 0, ERR_UNKNOWN_CATEGORY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_an_answer_has_its_size),
	    TEST(test_equal_releases_around_a_subscription),
	    TEST(test_two_filters_over_the_same_records),
	    TEST(test_a_returning_vendor_gets_all_in_order),
	    TEST(test_the_join_with_what_happened_meanwhile),
	    TEST(test_the_tail_moved_on),
	    TEST(test_a_tombstone_for_what_came_by_another_way),
	    TEST(test_a_scan_that_does_not_come_back),
	    TEST(test_going_away_and_failing_commits),
	    TEST(test_equal_answers_are_one),
	    TEST(test_would_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
