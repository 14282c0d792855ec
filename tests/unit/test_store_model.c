// Random verbs against a naive model: arrays, copied whole at the beginning of a transaction and put back when it is
// given up. After every transaction everything in the store is compared with everything in the model.
// OYEZ_TEST_SEED=n replays one seed; without it a fixed few run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/store/store.h"
#include "support_store.h"

enum { INTENTS = 24, ITEMS = 12, OFFERS = 40, DEALS = 20, FEED = 400, TIMERS = 40, VENDORS = 4, INBOX = 60, SUBS = 6 };
enum { TRANSACTIONS = 700, VERBS_MAX = 12, CONTENT_BYTES_MAX = 3000 };

// Content is remembered by number; support_bytes makes the bytes.
struct content {
	uint64_t number;
	size_t count;
};
struct item {
	uint64_t seq, at_ms;
	struct content content;
	bool there;
};
struct model {
	struct {
		bool there;
		struct intent intent;
		struct content post;
		struct item items[ITEMS];
	} intents[INTENTS];
	struct {
		bool there;
		struct offer offer;
	} offers[OFFERS];
	struct {
		bool there;
		struct deal deal;
	} deals[DEALS];
	struct {
		struct match_header header;
		struct content content;
	} feed[FEED + 1];
	uint64_t feed_first, feed_last;
	struct {
		bool there;
		uint64_t at_ms;
		enum timer_kind kind;
		struct id id;
	} timers[TIMERS];
	struct {
		bool there;
		struct vendor vendor; // without its bytes
		struct content listing;
		struct item items[INBOX];
		uint64_t next;
	} vendors[VENDORS];
	struct {
		bool there;
		struct subscription subscription;
		struct content filter;
	} subs[SUBS];
};

static struct support_store support;
static struct store *store;
static struct arena arena;
static struct model model, before;
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t mixed = random_state;
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return (mixed ^ mixed >> 31) % below;
}

static struct content draw_content(void)
{
	size_t bounds[] = {1, 40, 600, CONTENT_BYTES_MAX};
	return (struct content){draw(UINT64_MAX), draw(bounds[draw(4)])};
}

static uint8_t *content_bytes(struct content content)
{
	static uint8_t bytes[CONTENT_BYTES_MAX];
	support_bytes(content.number, bytes, content.count);
	return bytes;
}

static void assert_content(struct content content, struct bytes found)
{
	assert_int_equal(found.count, content.count);
	if (content.count > 0)
		assert_memory_equal(found.at, content_bytes(content), content.count);
}

// ---- verbs, each done to both

static void do_intent(void)
{
	size_t i = draw(INTENTS);
	if (!model.intents[i].there) {
		struct intent intent = support_intent(draw(1000000) * INTENTS + i);
		model.intents[i].there = true;
		model.intents[i].post = draw_content();
		memset(model.intents[i].items, 0, sizeof(model.intents[i].items));
		store_intent_create(store, &intent, content_bytes(model.intents[i].post), model.intents[i].post.count);
		model.intents[i].intent = intent;
		return;
	}
	struct intent *intent = &model.intents[i].intent;
	switch (draw(4)) {
	case 0:
		intent->state = INTENT_WITHDRAWN;
		store_intent_wipe(store, intent);
		memset(model.intents[i].items, 0, sizeof(model.intents[i].items));
		break;
	case 1:
		if (draw(2))
			return; // deleted less often than the rest
		store_intent_delete(store, intent);
		model.intents[i].there = false;
		for (size_t j = 0; j < OFFERS; j++)
			model.offers[j].there &= !id_equal(&model.offers[j].offer.intent, &intent->id);
		for (size_t j = 0; j < DEALS; j++)
			model.deals[j].there &= !id_equal(&model.deals[j].deal.intent, &intent->id);
		break;
	default:
		intent->offer_count++;
		if (intent->mailbox_slot)
			intent->facets.category++;
		store_intent_put(store, intent);
	}
}

static void do_mailbox(void)
{
	size_t i = draw(INTENTS);
	struct intent *intent = &model.intents[i].intent;
	if (!model.intents[i].there || !intent->mailbox_slot)
		return;
	struct item *item = &model.intents[i].items[draw(ITEMS)];
	if (item->there) {
		store_mailbox_remove(store, intent, item->seq);
		item->there = false;
		return;
	}
	*item = (struct item){.at_ms = draw(1000), .content = draw_content(), .there = true};
	item->seq = store_mailbox_append(store, intent, item->at_ms, content_bytes(item->content), item->content.count);
	store_intent_put(store, intent);
}

static void do_offer_or_deal(void)
{
	size_t i = draw(INTENTS);
	if (!model.intents[i].there)
		return;
	size_t j = draw(OFFERS);
	struct offer *offer = &model.offers[j].offer;
	if (!model.offers[j].there) {
		memset(offer, 0, sizeof(*offer));
		offer->id = support_id(draw(UINT64_MAX));
		offer->intent = model.intents[i].intent.id;
		model.offers[j].there = true;
	}
	offer->state = (uint8_t)draw(7);
	offer->expires_at_ms = draw(1000);
	store_offer_put(store, offer);
	j = draw(DEALS);
	struct deal *deal = &model.deals[j].deal;
	if (!model.deals[j].there) {
		memset(deal, 0, sizeof(*deal));
		deal->id = support_id(draw(UINT64_MAX));
		deal->intent = model.intents[i].intent.id;
		model.deals[j].there = true;
	}
	deal->reveal_hash = support_id(draw(10));
	deal->state = (uint8_t)draw(6);
	store_deal_put(store, deal);
}

static void do_feed(void)
{
	if (draw(20) == 0) {
		uint64_t before_ms = model.feed_last > 10 ? (model.feed_last - draw(10)) * 10 : 0;
		size_t max = draw(30), count = 0;
		for (; count < max && model.feed_first <= model.feed_last &&
		       model.feed[model.feed_first].header.released_at_ms < before_ms;
		     count++)
			model.feed_first++;
		assert_int_equal(store_feed_trim(store, before_ms, max), count);
	} else if (draw(4) == 0 && model.feed_last > 0) {
		uint64_t seq = 1 + draw(model.feed_last);
		store_feed_purge(store, seq, 2);
		model.feed[seq].header.kind = FEED_PURGED;
		model.feed[seq].header.gone_reason = 2;
		model.feed[seq].content.count = 0;
	} else if (model.feed_last < FEED) {
		uint64_t seq = ++model.feed_last;
		struct match_header *header = &model.feed[seq].header;
		support_bytes(draw(UINT64_MAX), (uint8_t *)header, sizeof(*header));
		header->kind = FEED_RELEASE;
		header->released_at_ms = seq * 10;
		model.feed[seq].content = draw_content();
		struct content content = model.feed[seq].content;
		assert_int_equal(store_feed_append(store, header, content_bytes(content), content.count), seq);
	}
}

static void do_timer(void)
{
	size_t i = draw(TIMERS);
	if (model.timers[i].there) {
		store_timer_remove(store, model.timers[i].at_ms, model.timers[i].kind, &model.timers[i].id);
	} else {
		model.timers[i].at_ms = draw(UINT64_MAX) >> draw(60);
		model.timers[i].kind = (enum timer_kind)(1 + draw(3));
		model.timers[i].id = support_id(draw(UINT64_MAX));
		store_timer_add(store, model.timers[i].at_ms, model.timers[i].kind, &model.timers[i].id);
	}
	model.timers[i].there = !model.timers[i].there;
}

static void do_vendor(void)
{
	size_t i = draw(VENDORS);
	struct vendor *vendor = &model.vendors[i].vendor;
	if (!model.vendors[i].there || draw(6) == 0) {
		vendor->id = support_id(i + 77);
		vendor->status = (uint8_t)draw(4);
		model.vendors[i].listing = draw_content();
		model.vendors[i].there = true;
		struct vendor whole = *vendor;
		whole.listing = (struct bytes){content_bytes(model.vendors[i].listing), model.vendors[i].listing.count};
		store_vendor_put(store, &whole);
		return;
	}
	if (draw(6) == 0) {
		uint64_t before_ms = draw(20), end = 0;
		size_t count = 0;
		for (size_t j = 0; j < INBOX; j++, end++)
			if (model.vendors[i].items[j].there && model.vendors[i].items[j].at_ms >= before_ms)
				break;
		for (size_t j = 0; j < end; j++) {
			count += model.vendors[i].items[j].there;
			model.vendors[i].items[j].there = false;
		}
		assert_int_equal(store_inbox_trim(store, &vendor->id, before_ms, 1000), count);
		return;
	}
	if (model.vendors[i].next == INBOX)
		return;
	struct item *item = &model.vendors[i].items[model.vendors[i].next];
	*item = (struct item){++model.vendors[i].next, draw(20), draw_content(), true};
	uint64_t seq =
	    store_inbox_append(store, &vendor->id, item->at_ms, content_bytes(item->content), item->content.count);
	assert_int_equal(seq, item->seq);
}

static void do_subscription(void)
{
	size_t i = draw(SUBS);
	struct subscription *subscription = &model.subs[i].subscription;
	if (model.subs[i].there && draw(2)) {
		store_subscription_delete(store, &subscription->id);
		model.subs[i].there = false;
		return;
	}
	subscription->id = support_id(i + 177);
	subscription->confirmed_seq = draw(1000);
	model.subs[i].there = true;
	model.subs[i].filter = draw_content();
	struct subscription whole = *subscription;
	whole.filter = (struct bytes){content_bytes(model.subs[i].filter), model.subs[i].filter.count};
	store_subscription_put(store, &whole);
}

// ---- comparing

// The items stand in any order in the model: the next one is the least above `after`.
static struct item *next_item(struct item *items, size_t count, uint64_t after)
{
	struct item *next = NULL;
	for (size_t i = 0; i < count; i++)
		if (items[i].there && items[i].seq > after && (!next || items[i].seq < next->seq))
			next = &items[i];
	return next;
}

static bool count_one(void *context, const struct intent *intent)
{
	(void)intent;
	++*(size_t *)context;
	return true;
}

static bool count_offer(void *context, const struct offer *offer)
{
	(void)offer;
	++*(size_t *)context;
	return true;
}

static bool count_deal(void *context, const struct deal *deal)
{
	(void)deal;
	++*(size_t *)context;
	return true;
}

static void check_intents(void)
{
	struct bytes bytes;
	uint64_t seq, at_ms;
	size_t there = 0, each = 0;
	for (size_t i = 0; i < INTENTS; i++) {
		const struct intent *intent = &model.intents[i].intent;
		struct intent found;
		struct id id;
		assert_int_equal(store_intent_find(store, &intent->id, &found), model.intents[i].there);
		assert_int_equal(store_intent_find_released(store, &intent->release_id, &id), model.intents[i].there);
		if (!model.intents[i].there)
			continue;
		there++;
		assert_memory_equal(&found, intent, sizeof(found));
		assert_true(id_equal(&id, &intent->id));
		bool live = intent->mailbox_slot != 0;
		assert_int_equal(store_intent_post(store, intent, &arena, &bytes), live);
		if (live)
			assert_content(model.intents[i].post, bytes);
		struct item *item;
		for (uint64_t after = 0; (item = next_item(model.intents[i].items, ITEMS, after)); after = item->seq) {
			assert_true(store_mailbox_next(store, intent, after, &arena, &seq, &at_ms, &bytes));
			assert_true(seq == item->seq && at_ms == item->at_ms);
			assert_content(item->content, bytes);
		}
		assert_false(store_mailbox_next(store, intent, intent->mailbox_next - 1, &arena, &seq, &at_ms, &bytes));
	}
	store_intent_each(store, count_one, &each);
	assert_int_equal(each, there);
}

static void check_offers_and_deals(void)
{
	size_t offers = 0, deals = 0, each_offer = 0, each_deal = 0;
	for (size_t i = 0; i < OFFERS; i++) {
		struct offer found;
		assert_int_equal(store_offer_find(store, &model.offers[i].offer.id, &found), model.offers[i].there);
		if (model.offers[i].there)
			assert_memory_equal(&found, &model.offers[i].offer, sizeof(found));
		offers += model.offers[i].there;
	}
	for (size_t i = 0; i < DEALS; i++) {
		struct deal found;
		assert_int_equal(store_deal_find(store, &model.deals[i].deal.id, &found), model.deals[i].there);
		if (model.deals[i].there)
			assert_memory_equal(&found, &model.deals[i].deal, sizeof(found));
		deals += model.deals[i].there;
	}
	for (size_t i = 0; i < INTENTS; i++) {
		store_offer_each(store, &model.intents[i].intent.id, count_offer, &each_offer);
		store_deal_each(store, &model.intents[i].intent.id, count_deal, &each_deal);
	}
	assert_int_equal(each_offer, offers);
	assert_int_equal(each_deal, deals);
}

static bool check_record(void *context, uint64_t seq, const struct match_header *header, struct bytes release)
{
	uint64_t *expected = context;
	assert_int_equal(seq, *expected);
	assert_memory_equal(header, &model.feed[seq].header, sizeof(*header));
	assert_content(model.feed[seq].content, release);
	++*expected;
	return true;
}

static void check_feed(void)
{
	assert_int_equal(store_feed_first(store), model.feed_first);
	assert_int_equal(store_feed_last(store), model.feed_last);
	uint64_t expected = model.feed_first;
	store_feed_scan(store, 0, check_record, &expected);
	assert_int_equal(expected, model.feed_last + 1);
}

static void check_timer(void)
{
	size_t first = TIMERS;
	for (size_t i = 0; i < TIMERS; i++)
		if (model.timers[i].there && (first == TIMERS || model.timers[i].at_ms < model.timers[first].at_ms))
			first = i;
	uint64_t at_ms;
	enum timer_kind kind;
	struct id id;
	assert_int_equal(store_timer_first(store, &at_ms, &kind, &id), first < TIMERS);
	if (first < TIMERS)
		assert_true(at_ms == model.timers[first].at_ms);
}

static void check_vendors(void)
{
	for (size_t i = 0; i < VENDORS; i++) {
		struct vendor found;
		struct id id = support_id(i + 77);
		assert_int_equal(store_vendor_find(store, &id, &arena, &found), model.vendors[i].there);
		if (!model.vendors[i].there)
			continue;
		assert_int_equal(found.status, model.vendors[i].vendor.status);
		assert_int_equal(found.inbox_next, model.vendors[i].next + 1);
		assert_content(model.vendors[i].listing, found.listing);
		uint64_t after = 0, seq, at_ms;
		struct bytes bytes;
		for (struct item *item; (item = next_item(model.vendors[i].items, INBOX, after)); after = item->seq) {
			assert_true(store_inbox_next(store, &id, after, &arena, &seq, &at_ms, &bytes));
			assert_true(seq == item->seq && at_ms == item->at_ms);
			assert_content(item->content, bytes);
		}
		assert_false(store_inbox_next(store, &id, after, &arena, &seq, &at_ms, &bytes));
	}
	for (size_t i = 0; i < SUBS; i++) {
		struct subscription found;
		struct id id = support_id(i + 177);
		assert_int_equal(store_subscription_find(store, &id, &arena, &found), model.subs[i].there);
		if (!model.subs[i].there)
			continue;
		assert_int_equal(found.confirmed_seq, model.subs[i].subscription.confirmed_seq);
		assert_content(model.subs[i].filter, found.filter);
	}
}

static void check(void)
{
	check_intents();
	check_offers_and_deals();
	check_feed();
	check_timer();
	check_vendors();
	assert_int_equal(store_error(store), ERR_OK);
	arena_reset(&arena);
}

// ---- running

static void run_transaction(void)
{
	static void (*const verbs[])(void) = {do_intent, do_intent, do_mailbox, do_mailbox,     do_offer_or_deal,
	                                      do_feed,   do_timer,  do_vendor,  do_subscription};
	store_begin(store);
	before = model;
	for (uint64_t left = draw(VERBS_MAX); left > 0; left--)
		verbs[draw(sizeof(verbs) / sizeof(*verbs))]();
	if (draw(4) == 0)
		check(); // own writes are seen before they are committed
	switch (draw(10)) {
	case 0:
		store_abort(store);
		model = before;
		break;
	case 1:
		support_store_reopen(&support); // in the middle of the transaction
		store = support.store;
		model = before;
		break;
	case 2:
		if (support.in_memory) {
			store_fail_commits(store, ERR_UNAVAILABLE);
			assert_int_equal(store_commit(store), ERR_UNAVAILABLE);
			store_fail_commits(store, ERR_OK);
			model = before;
			break;
		} // fall through
	default:
		assert_int_equal(store_commit(store), ERR_OK);
	}
}

static void run_seed(uint64_t seed, bool memory)
{
	random_state = seed;
	memset(&model, 0, sizeof(model));
	model.feed_first = 1;
	support_store_open(&support, memory);
	store = support.store;
	arena_init(&arena);
	for (int i = 0; i < TRANSACTIONS; i++) {
		run_transaction();
		if (draw(20) == 0) {
			support_store_reopen(&support);
			store = support.store;
		}
		if (draw(40) == 0)
			assert_int_equal(store_compact(store), ERR_OK);
		store_begin(store);
		check();
		assert_int_equal(store_commit(store), ERR_OK);
	}
	arena_fini(&arena);
	support_store_close(&support);
}

static void run_seeds(bool memory)
{
	const char *given = getenv("OYEZ_TEST_SEED");
	uint64_t first = given ? strtoull(given, NULL, 10) : 1, count = given ? 1 : memory ? 6 : 2;
	for (uint64_t seed = first; seed < first + count; seed++) {
		print_message("replay with OYEZ_TEST_SEED=%llu\n", (unsigned long long)seed);
		run_seed(seed, memory);
	}
}

static void on_disk(void **state)
{
	(void)state;
	run_seeds(false);
}

static void in_memory(void **state)
{
	(void)state;
	run_seeds(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_memory),
	    cmocka_unit_test(on_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
