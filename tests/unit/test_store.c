// Every verb of the store, once on disk and once in memory: the two must not differ.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/store/store_internal.h"
#include "support_store.h"

static struct support_store support;
static struct arena arena;

static int open_disk(void **state)
{
	(void)state;
	arena_init(&arena);
	support_store_open(&support, false);
	return 0;
}

static int open_memory(void **state)
{
	(void)state;
	arena_init(&arena);
	support_store_open(&support, true);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	support_store_close(&support);
	arena_fini(&arena);
	return 0;
}

static void begin(void)
{
	store_begin(support.store);
}

static void commit(void)
{
	assert_int_equal(store_commit(support.store), ERR_OK);
}

// Commits, closes, opens: what comes after sees only what lasts.
static void commit_and_reopen(void)
{
	commit();
	support_store_reopen(&support);
	begin();
}

static void assert_bytes(struct bytes bytes, const char *text)
{
	assert_int_equal(bytes.count, strlen(text));
	assert_memory_equal(bytes.at, text, bytes.count);
}

static void meta_values(void **state)
{
	(void)state;
	struct bytes found;
	begin();
	assert_false(store_meta_get(support.store, "identity", &arena, &found));
	assert_int_equal(found.count, 0);
	store_meta_put(support.store, "identity", "seed", 4);
	store_meta_put(support.store, "empty", NULL, 0);
	store_meta_put(support.store, "config", "one", 3);
	store_meta_put(support.store, "config", "three", 5);
	commit_and_reopen();
	assert_true(store_meta_get(support.store, "identity", &arena, &found));
	assert_bytes(found, "seed");
	assert_true(store_meta_get(support.store, "config", &arena, &found));
	assert_bytes(found, "three");
	assert_true(store_meta_get(support.store, "empty", &arena, &found));
	assert_int_equal(found.count, 0);
	commit();
}

static bool count_intent(void *context, const struct intent *intent)
{
	(void)intent;
	return --*(int *)context != 0;
}

struct walked {
	struct intent whole, bare;
	int count;
};

static bool check_walked(void *context, const struct intent *intent)
{
	struct walked *walked = context;
	const struct intent *expected = intent->state == INTENT_WAITING ? &walked->whole : &walked->bare;
	assert_memory_equal(intent, expected, sizeof(*intent));
	walked->count++;
	return true;
}

static void intents_are_kept_whole(void **state)
{
	(void)state;
	struct intent intent = support_intent(1), other = support_intent(2), found;
	struct bytes post;
	struct id id;
	begin();
	assert_false(store_intent_find(support.store, &intent.id, &found));
	store_intent_create(support.store, &intent, "the post", 8);
	assert_true(intent.mailbox_slot != SLOT_NONE);
	store_intent_create(support.store, &other, "another", 7);
	assert_int_not_equal(other.mailbox_slot, intent.mailbox_slot);
	commit_and_reopen();
	memset(&found, 0xff, sizeof(found));
	assert_true(store_intent_find(support.store, &intent.id, &found));
	assert_memory_equal(&found, &intent, sizeof(found));
	assert_true(store_intent_post(support.store, &found, &arena, &post));
	assert_bytes(post, "the post");
	assert_true(store_intent_find_released(support.store, &other.release_id, &id));
	assert_true(id_equal(&id, &other.id));
	assert_false(store_intent_find_released(support.store, &(struct release_id){{0}}, &id));

	found.state = INTENT_RELEASED;
	found.facets.category = 77;
	found.crowd = 12;
	store_intent_put(support.store, &found);
	struct intent again;
	assert_true(store_intent_find(support.store, &intent.id, &again));
	assert_memory_equal(&found, &again, sizeof(found));
	int left = 100;
	store_intent_each(support.store, count_intent, &left);
	assert_int_equal(left, 98);
	left = 1;
	store_intent_each(support.store, count_intent, &left);
	assert_int_equal(left, 0); // stopped at the first
	// Of one that does not wait the content is left sealed, and only that.
	struct walked walked = {.whole = other, .bare = found};
	walked.bare.needed_by_day = walked.bare.crowd_wish = 0;
	walked.bare.patience_ms = walked.bare.ready_at_ms = 0;
	walked.bare.crowd_waived = walked.bare.coarsest_step = walked.bare.has_lists = walked.bare.held = 0;
	memset(walked.bare.hold_key, 0, sizeof(walked.bare.hold_key));
	memset(&walked.bare.facets, 0, sizeof(walked.bare.facets));
	store_intent_each_sealed(support.store, INTENT_WAITING, check_walked, &walked);
	assert_int_equal(walked.count, 2);
	commit();
}

struct waiting_seen {
	uint64_t count;
	uint8_t posted; // all of them, as bits by posted_at_ms
};

static void see_waiting(void *context, const struct intent *intent)
{
	struct waiting_seen *seen = context;
	assert_int_equal(intent->state, INTENT_WAITING);
	assert_int_equal(intent->facets.category, 7); // its content was opened
	seen->count++;
	seen->posted |= (uint8_t)(1u << intent->posted_at_ms);
}

static void check_waiting(uint64_t count, uint8_t posted, uint64_t released, uint64_t deals_open)
{
	struct waiting_seen seen = {0};
	struct intent_totals totals;
	store_intent_each_waiting(support.store, &totals, see_waiting, &seen);
	assert_int_equal(seen.count, count);
	assert_int_equal(seen.posted, posted);
	assert_int_equal(totals.released, released);
	assert_int_equal(totals.deals_open, deals_open);
}

static void waiting_intents_and_totals(void **state)
{
	static const uint8_t states[] = {INTENT_WAITING, INTENT_RELEASED, INTENT_CONCLUDED, INTENT_WAITING,
	                                 INTENT_RELEASED};
	struct intent intents[5];
	(void)state;
	begin();
	for (uint32_t i = 0; i < 5; i++) {
		intents[i] = support_intent(i + 1);
		intents[i].state = states[i];
		intents[i].deals_open = 100 * i;
		intents[i].posted_at_ms = i;
		intents[i].facets.category = 7;
		store_intent_create(support.store, &intents[i], "post", 4);
	}
	check_waiting(2, 1 | 8, 2, 1000);
	commit_and_reopen();
	check_waiting(2, 1 | 8, 2, 1000); // as seen at the opening
	check_waiting(2, 1 | 8, 2, 1000); // by walking
	commit_and_reopen();
	intents[0].state = INTENT_RELEASED;
	intents[0].deals_open = 1;
	store_intent_put(support.store, &intents[0]);
	check_waiting(1, 8, 3, 1001);
	commit_and_reopen();
	store_intent_delete(support.store, &intents[3]);
	check_waiting(0, 0, 3, 701);
	commit_and_reopen();
	check_waiting(0, 0, 3, 701);
	commit();
}

static void an_intent_without_release_id(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	struct release_id named = intent.release_id;
	struct id id;
	memset(&intent.release_id, 0, sizeof(intent.release_id));
	begin();
	store_intent_create(support.store, &intent, "p", 1);
	assert_false(store_intent_find_released(support.store, &intent.release_id, &id));
	intent.release_id = named;
	store_intent_put(support.store, &intent);
	assert_true(store_intent_find_released(support.store, &named, &id));
	commit();
}

static void a_wipe_leaves_what_late_duplicates_need(void **state)
{
	(void)state;
	static const struct facets nothing;
	struct intent intent = support_intent(1), found;
	struct bytes bytes;
	uint64_t seq, at_ms;
	struct id id;
	begin();
	store_intent_create(support.store, &intent, "secret", 6);
	store_mailbox_append(support.store, &intent, 5, "item", 4);
	store_intent_put(support.store, &intent);
	commit_and_reopen();
	uint32_t slot = intent.mailbox_slot;
	intent.state = INTENT_WITHDRAWN;
	store_intent_wipe(support.store, &intent);
	store_intent_put(support.store, &intent); // as a caller may
	store_intent_wipe(support.store, &intent);
	assert_false(store_intent_post(support.store, &intent, &arena, &bytes));
	commit_and_reopen();
	assert_true(store_intent_find(support.store, &intent.id, &found));
	assert_memory_equal(&found, &intent, sizeof(found));
	assert_int_equal(found.state, INTENT_WITHDRAWN);
	assert_int_equal(found.mailbox_slot, SLOT_NONE);
	assert_int_equal(found.needed_by_day, 0);
	assert_memory_equal(&found.facets, &nothing, sizeof(nothing));
	assert_true(id_equal(&found.post_hash, &(struct id){0}) == false);
	assert_false(store_intent_post(support.store, &found, &arena, &bytes));
	assert_false(store_mailbox_next(support.store, &found, 0, &arena, &seq, &at_ms, &bytes));
	assert_true(store_intent_find_released(support.store, &found.release_id, &id));
	// The slot is given to somebody else; the old one's bytes are not found under it.
	struct intent next = support_intent(2);
	store_intent_create(support.store, &next, "other", 5);
	assert_int_equal(next.mailbox_slot, slot);
	assert_true(store_intent_post(support.store, &next, &arena, &bytes));
	assert_bytes(bytes, "other");
	assert_false(store_mailbox_next(support.store, &next, 0, &arena, &seq, &at_ms, &bytes));
	commit();
}

static void sealing_after_the_wipe_is_an_error(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	begin();
	store_intent_create(support.store, &intent, "secret", 6);
	struct intent stale = intent;
	store_intent_wipe(support.store, &intent);
	store_intent_put(support.store, &stale);
	assert_int_equal(store_error(support.store), ERR_INTERNAL);
	assert_int_equal(store_commit(support.store), ERR_INTERNAL);
	begin();
	assert_false(store_intent_find(support.store, &intent.id, &intent));
	store_intent_create(support.store, &stale, "a", 1);
	store_intent_create(support.store, &stale, "b", 1); // the same id twice
	assert_int_equal(store_commit(support.store), ERR_INTERNAL);
}

static void a_mailbox_is_in_order(void **state)
{
	(void)state;
	struct intent intent = support_intent(1), other = support_intent(2);
	struct bytes item;
	uint64_t seq, at_ms;
	begin();
	store_intent_create(support.store, &intent, "post", 4);
	store_intent_create(support.store, &other, "post", 4);
	assert_int_equal(store_mailbox_append(support.store, &intent, 100, "one", 3), 1);
	assert_int_equal(store_mailbox_append(support.store, &other, 101, "others", 6), 1);
	assert_int_equal(store_mailbox_append(support.store, &intent, 102, "two", 3), 2);
	assert_int_equal(store_mailbox_append(support.store, &intent, 103, "", 0), 3);
	assert_int_equal(intent.mailbox_next, 4);
	store_intent_put(support.store, &intent);
	store_intent_put(support.store, &other);
	commit_and_reopen();
	assert_true(store_intent_find(support.store, &intent.id, &intent));
	assert_int_equal(intent.mailbox_next, 4);
	assert_true(store_mailbox_next(support.store, &intent, 0, &arena, &seq, &at_ms, &item));
	assert_int_equal(seq, 1);
	assert_int_equal(at_ms, 100);
	assert_bytes(item, "one");
	store_mailbox_remove(support.store, &intent, 2);
	store_mailbox_remove(support.store, &intent, 2);
	store_mailbox_remove(support.store, &intent, 0); // the post is no item
	assert_true(store_mailbox_next(support.store, &intent, 1, &arena, &seq, &at_ms, &item));
	assert_int_equal(seq, 3);
	assert_int_equal(item.count, 0);
	assert_false(store_mailbox_next(support.store, &intent, 3, &arena, &seq, &at_ms, &item));
	assert_false(store_mailbox_next(support.store, &intent, UINT64_MAX, &arena, &seq, &at_ms, &item));
	assert_true(store_intent_post(support.store, &intent, &arena, &item));
	commit();
}

struct collected {
	struct id ids[8];
	size_t count, stop_at;
};

static bool collect(struct collected *collected, const struct id *id)
{
	collected->ids[collected->count++] = *id;
	return collected->count != collected->stop_at;
}

static bool collect_offer(void *context, const struct offer *offer)
{
	struct offer changed = *offer; // writing the table that is being walked
	changed.state = OFFER_EXPIRED;
	store_offer_put(support.store, &changed);
	return collect(context, &offer->id);
}

static bool collect_question(void *context, const struct question *question)
{
	return collect(context, &question->id);
}

static bool collect_deal(void *context, const struct deal *deal)
{
	return collect(context, &deal->id);
}

static void fill(void *record, size_t count, uint64_t number, const struct id *id, const struct id *intent)
{
	support_bytes(number, record, count);
	memcpy(record, id, sizeof(*id)); // id, then intent, stand first in all of them
	memcpy((uint8_t *)record + sizeof(*id), intent, sizeof(*intent));
}

static void what_hangs_on_an_intent(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	struct intent other = support_intent(99);
	struct id nobody = support_id(98);
	struct offer offers[3], offer;
	struct question question, question_found;
	struct deal deal, deal_found;
	memset(&question, 0, sizeof(question));
	begin();
	store_intent_create(support.store, &intent, "p", 1);
	store_intent_create(support.store, &other, "p", 1);
	for (size_t i = 0; i < 3; i++) {
		struct id id = support_id(10 + i);
		fill(&offers[i], sizeof(offers[i]), 10 + i, &id, i < 2 ? &intent.id : &other.id);
		store_offer_put(support.store, &offers[i]);
	}
	struct id id = support_id(20);
	fill(&question, sizeof(question), 20, &id, &intent.id);
	store_question_put(support.store, &question);
	store_question_put(support.store, &question);
	id = support_id(30);
	fill(&deal, sizeof(deal), 30, &id, &intent.id);
	store_deal_put(support.store, &deal);
	commit_and_reopen();

	assert_true(store_offer_find(support.store, &offers[1].id, &offer));
	assert_memory_equal(&offer.vendor, &offers[1].vendor, 2 * sizeof(struct id) + 2);
	assert_true(offer.made_at_ms == offers[1].made_at_ms && offer.expires_at_ms == offers[1].expires_at_ms);
	assert_true(offer.mailbox_seq == offers[1].mailbox_seq);
	assert_true(store_question_find(support.store, &question.id, &question_found));
	assert_memory_equal(&question_found, &question, offsetof(struct question, dropped) + 1);
	assert_true(store_deal_find(support.store, &deal.id, &deal_found));
	assert_memory_equal(&deal_found, &deal, offsetof(struct deal, lapsed_from) + 1);
	assert_memory_equal(&deal_found.accepted_at_ms, &deal.accepted_at_ms,
	                    sizeof(deal) - offsetof(struct deal, accepted_at_ms));
	assert_false(store_deal_find(support.store, &nobody, &deal_found));

	struct collected collected = {0};
	store_offer_each(support.store, &intent.id, collect_offer, &collected);
	assert_int_equal(collected.count, 2);
	assert_false(id_equal(&collected.ids[0], &collected.ids[1]));
	assert_true(store_offer_find(support.store, &offers[0].id, &offer));
	assert_int_equal(offer.state, OFFER_EXPIRED);
	collected = (struct collected){.stop_at = 1};
	store_offer_each(support.store, &intent.id, collect_offer, &collected);
	assert_int_equal(collected.count, 1);
	collected.count = 0;
	store_question_each(support.store, &intent.id, collect_question, &collected);
	assert_true(collected.count == 1 && id_equal(&collected.ids[0], &question.id));
	collected.count = 0;
	store_deal_each(support.store, &intent.id, collect_deal, &collected);
	assert_true(collected.count == 1 && id_equal(&collected.ids[0], &deal.id));

	store_intent_delete(support.store, &intent);
	commit_and_reopen();
	assert_false(store_intent_find(support.store, &intent.id, &intent));
	assert_false(store_intent_find_released(support.store, &intent.release_id, &id));
	assert_false(store_offer_find(support.store, &offers[0].id, &offer));
	assert_true(store_offer_find(support.store, &offers[2].id, &offer)); // of another intent
	assert_false(store_question_find(support.store, &question.id, &question_found));
	assert_false(store_deal_find(support.store, &deal.id, &deal_found));
	collected.count = 0;
	store_offer_each(support.store, &intent.id, collect_offer, &collected);
	assert_int_equal(collected.count, 0);
	commit();
}

static void what_hangs_on_nothing_is_an_error(void **state)
{
	(void)state;
	struct offer offer = {.id = support_id(1), .intent = support_id(2)};
	struct intent intent = support_intent(3);
	begin();
	store_offer_put(support.store, &offer);
	assert_int_equal(store_commit(support.store), ERR_INTERNAL);
	begin();
	store_intent_put(support.store, &intent);
	assert_int_equal(store_commit(support.store), ERR_INTERNAL);
	begin();
	assert_false(store_offer_find(support.store, &offer.id, &offer));
	store_intent_delete(support.store, &intent); // it is gone already
	commit();
}

static bool put_vendor_again(void *context, const struct vendor *vendor)
{
	struct vendor changed = *vendor;
	changed.status++;
	store_vendor_put(support.store, &changed);
	assert_bytes(vendor->listing, vendor->suspend_reason.count ? "the listing" : "a listing");
	++*(int *)context;
	return true;
}

static void vendors_and_their_inboxes(void **state)
{
	(void)state;
	struct vendor vendor = {.id = support_id(1),
	                        .status = 2,
	                        .registered_at_ms = 11,
	                        .listing_made_at_ms = 12,
	                        .facts = {.country = 0x6672, .terms_mask = 5, .rating_band = 9},
	                        .listing = {(const uint8_t *)"the listing", 11},
	                        .suspend_reason = {(const uint8_t *)"spam", 4}};
	memset(vendor.key, 7, KEY_BYTES);
	struct vendor other = vendor, found;
	other.id = support_id(2);
	other.listing = (struct bytes){(const uint8_t *)"a listing", 9};
	other.suspend_reason = (struct bytes){0};
	uint64_t seq, at_ms;
	struct bytes item;
	begin();
	store_vendor_put(support.store, &vendor);
	store_vendor_put(support.store, &other);
	for (uint64_t i = 1; i <= 5; i++)
		assert_int_equal(store_inbox_append(support.store, &vendor.id, 100 * i, "item", i - 1), i);
	assert_int_equal(store_inbox_append(support.store, &other.id, 150, "others", 6), 1);
	commit_and_reopen();
	assert_true(store_vendor_find(support.store, &vendor.id, &arena, &found));
	assert_memory_equal(found.key, vendor.key, KEY_BYTES);
	assert_int_equal(found.status, 2);
	assert_true(found.registered_at_ms == 11 && found.listing_made_at_ms == 12 && found.inbox_next == 6);
	assert_true(found.facts.country == 0x6672 && found.facts.terms_mask == 5 && found.facts.rating_band == 9);
	assert_bytes(found.listing, "the listing");
	assert_bytes(found.suspend_reason, "spam");
	assert_false(store_vendor_find(support.store, &(struct id){0}, &arena, &found));
	store_vendor_put(support.store, &vendor); // with inbox_next 0: the counter is not the caller's
	int count = 0;
	store_vendor_each(support.store, put_vendor_again, &count);
	assert_int_equal(count, 2);
	assert_true(store_vendor_find(support.store, &vendor.id, &arena, &found));
	assert_true(found.status == 3 && found.inbox_next == 6);

	assert_true(store_inbox_next(support.store, &vendor.id, 2, &arena, &seq, &at_ms, &item));
	assert_true(seq == 3 && at_ms == 300);
	assert_bytes(item, "it");
	assert_false(store_inbox_next(support.store, &vendor.id, 5, &arena, &seq, &at_ms, &item));
	assert_int_equal(store_inbox_trim(support.store, &vendor.id, 400, 2), 2);
	assert_int_equal(store_inbox_trim(support.store, &vendor.id, 400, 2), 1);
	assert_int_equal(store_inbox_trim(support.store, &vendor.id, 1000, 100), 2);
	assert_true(store_inbox_next(support.store, &other.id, 0, &arena, &seq, &at_ms, &item));
	commit_and_reopen();
	assert_false(store_inbox_next(support.store, &vendor.id, 0, &arena, &seq, &at_ms, &item));
	assert_int_equal(store_inbox_append(support.store, &vendor.id, 1, "x", 1), 6);
	commit();
}

static bool count_subscription(void *context, const struct subscription *subscription)
{
	assert_bytes(subscription->filter, "filter");
	++*(int *)context;
	return true;
}

static void subscriptions(void **state)
{
	(void)state;
	struct subscription one = {.id = support_id(1),
	                           .vendor = support_id(2),
	                           .record_hash = support_id(3),
	                           .made_at_ms = 4,
	                           .start_seq = 5,
	                           .confirmed_seq = 6,
	                           .filter = {(const uint8_t *)"filter", 6}};
	struct subscription two = one, found;
	two.id = support_id(7);
	begin();
	store_subscription_put(support.store, &one);
	store_subscription_put(support.store, &two);
	commit_and_reopen();
	assert_true(store_subscription_find(support.store, &one.id, &arena, &found));
	assert_true(id_equal(&found.vendor, &one.vendor) && id_equal(&found.record_hash, &one.record_hash));
	assert_true(found.made_at_ms == 4 && found.start_seq == 5 && found.confirmed_seq == 6);
	assert_bytes(found.filter, "filter");
	int count = 0;
	store_subscription_each(support.store, count_subscription, &count);
	assert_int_equal(count, 2);
	store_subscription_delete(support.store, &one.id);
	store_subscription_delete(support.store, &one.id);
	assert_false(store_subscription_find(support.store, &one.id, &arena, &found));
	count = 0;
	store_subscription_each(support.store, count_subscription, &count);
	assert_int_equal(count, 1);
	commit();
}

static struct match_header header_of(uint64_t number)
{
	struct match_header header;
	support_bytes(number, (uint8_t *)&header, sizeof(header));
	header.kind = number % 3 == 0 ? FEED_TOMBSTONE : FEED_RELEASE;
	header.released_at_ms = number * 10;
	return header;
}

struct scanned {
	uint64_t expected, stop_at;
	struct bytes views[64];
};

static bool check_scanned(void *context, uint64_t seq, const struct match_header *header, struct bytes release)
{
	struct scanned *scanned = context;
	assert_int_equal(seq, scanned->expected);
	struct match_header expected = header_of(seq);
	if (expected.kind == FEED_RELEASE)
		expected.release_seq = seq;
	assert_memory_equal(header, &expected, sizeof(expected));
	scanned->views[seq] = release;
	scanned->expected++;
	return seq != scanned->stop_at;
}

static bool check_header(void *context, const struct match_header *header)
{
	struct scanned *scanned = context;
	struct match_header expected = header_of(scanned->expected);
	if (expected.kind == FEED_RELEASE)
		expected.release_seq = scanned->expected;
	assert_memory_equal(header, &expected, sizeof(expected));
	return scanned->expected++ != scanned->stop_at;
}

static void assert_release(uint64_t seq, struct bytes release)
{
	uint8_t bytes[64];
	support_bytes(seq, bytes, sizeof(bytes));
	assert_int_equal(release.count, seq);
	assert_memory_equal(release.at, bytes, seq);
}

static void the_feed(void **state)
{
	(void)state;
	uint8_t bytes[64];
	struct match_header header;
	struct bytes release;
	begin();
	assert_true(store_feed_first(support.store) == 1 && store_feed_last(support.store) == 0);
	assert_int_equal(store_feed_trim(support.store, UINT64_MAX, 10), 0);
	for (uint64_t i = 1; i <= 40; i++) {
		header = header_of(i);
		support_bytes(i, bytes, sizeof(bytes));
		assert_int_equal(store_feed_append(support.store, &header, bytes, i), i);
		assert_true(header.kind != FEED_RELEASE || header.release_seq == i);
	}
	// Own records not committed yet are seen, too; their views last until the end.
	struct scanned scanned = {.expected = 1};
	store_feed_scan(support.store, 0, check_scanned, &scanned);
	assert_int_equal(scanned.expected, 41);
	struct scanned headers = {.expected = 1};
	store_feed_scan_headers(support.store, check_header, &headers);
	assert_int_equal(headers.expected, 41);
	for (uint64_t i = 41; i <= 50; i++) {
		header = header_of(i);
		support_bytes(i, bytes, sizeof(bytes));
		store_feed_append(support.store, &header, bytes, i);
	}
	for (uint64_t i = 1; i <= 40; i++)
		assert_release(i, scanned.views[i]);
	commit_and_reopen();
	scanned = (struct scanned){.expected = 8, .stop_at = 45};
	store_feed_scan(support.store, 7, check_scanned, &scanned);
	assert_int_equal(scanned.expected, 46);
	headers = (struct scanned){.expected = 1, .stop_at = 45};
	store_feed_scan_headers(support.store, check_header, &headers);
	assert_int_equal(headers.expected, 46);
	assert_true(store_feed_first(support.store) == 1 && store_feed_last(support.store) == 50);

	assert_true(store_feed_get(support.store, 7, &header, &release));
	assert_release(7, release);
	store_feed_purge(support.store, 8, 3);
	assert_true(store_feed_get(support.store, 8, &header, &release));
	assert_true(header.kind == FEED_PURGED && header.gone_reason == 3 && header.release_seq == 8);
	assert_int_equal(release.count, 0);
	header = header_of(900);
	store_feed_renumber(support.store, 9, &header);
	struct match_header found;
	assert_true(store_feed_get(support.store, 9, &found, &release));
	assert_memory_equal(&found, &header, sizeof(found));
	assert_release(9, release);
	// Views taken before the purge, from pages that were not written then.
	for (uint64_t i = 8; i <= 45; i++)
		assert_release(i, scanned.views[i]);

	assert_int_equal(store_feed_trim(support.store, 60, 3), 3);
	assert_int_equal(store_feed_trim(support.store, 60, 100), 2);
	assert_int_equal(store_feed_first(support.store), 6);
	assert_false(store_feed_get(support.store, 5, &header, &release));
	store_feed_purge(support.store, 5, 1);
	store_feed_renumber(support.store, 5, &header);
	assert_false(store_feed_get(support.store, 5, &header, &release));
	commit_and_reopen();
	assert_true(store_feed_first(support.store) == 6 && store_feed_last(support.store) == 50);
	assert_int_equal(store_feed_trim(support.store, UINT64_MAX, 1000), 45);
	assert_true(store_feed_first(support.store) == 51 && store_feed_last(support.store) == 50);
	commit_and_reopen();
	assert_true(store_feed_first(support.store) == 51 && store_feed_last(support.store) == 50);
	header = header_of(51);
	assert_int_equal(store_feed_append(support.store, &header, "", 0), 51);
	commit_and_reopen();
	assert_true(store_feed_first(support.store) == 51 && store_feed_last(support.store) == 51);
	commit();
}

static void timers_come_in_order_of_time(void **state)
{
	(void)state;
	uint64_t at_ms;
	enum timer_kind kind;
	struct id id, one = support_id(1), two = support_id(2);
	begin();
	assert_false(store_timer_first(support.store, &at_ms, &kind, &id));
	store_timer_add(support.store, 300, TIMER_DEAL, &one);
	store_timer_add(support.store, 256, TIMER_INTENT_FORGET, &two);
	store_timer_add(support.store, 255, TIMER_INTENT_EXPIRE, &one);
	store_timer_add(support.store, 255, TIMER_INTENT_EXPIRE, &one);
	commit_and_reopen();
	assert_true(store_timer_first(support.store, &at_ms, &kind, &id));
	assert_true(at_ms == 255 && kind == TIMER_INTENT_EXPIRE && id_equal(&id, &one));
	store_timer_remove(support.store, at_ms, kind, &id);
	store_timer_remove(support.store, at_ms, kind, &id);
	assert_true(store_timer_first(support.store, &at_ms, &kind, &id));
	assert_true(at_ms == 256 && kind == TIMER_INTENT_FORGET && id_equal(&id, &two));
	store_timer_remove(support.store, at_ms, kind, &id);
	assert_true(store_timer_first(support.store, &at_ms, &kind, &id));
	assert_true(at_ms == 300 && kind == TIMER_DEAL && id_equal(&id, &one));
	commit();
}

// One of everything.
static void write_all(struct intent *intent)
{
	struct match_header header = header_of(1);
	struct id id = intent->id;
	struct offer offer = {.id = id, .intent = id};
	struct question question = {.id = id, .intent = id};
	struct deal deal = {.id = id, .intent = id};
	struct vendor vendor = {.id = id};
	struct subscription subscription = {.id = id};
	store_meta_put(support.store, "name", "value", 5);
	store_intent_create(support.store, intent, "post", 4);
	store_mailbox_append(support.store, intent, 1, "item", 4);
	store_intent_put(support.store, intent);
	store_offer_put(support.store, &offer);
	store_question_put(support.store, &question);
	store_deal_put(support.store, &deal);
	store_vendor_put(support.store, &vendor);
	store_inbox_append(support.store, &id, 1, "item", 4);
	store_subscription_put(support.store, &subscription);
	store_feed_append(support.store, &header, "release", 7);
	store_timer_add(support.store, 1, TIMER_DEAL, &id);
}

static void assert_nothing_there(const struct id *id)
{
	struct intent intent;
	struct offer offer;
	struct question question;
	struct deal deal;
	struct vendor vendor;
	struct subscription subscription;
	struct match_header header;
	struct bytes bytes;
	uint64_t number;
	enum timer_kind kind;
	struct id found;
	begin();
	assert_false(store_meta_get(support.store, "name", &arena, &bytes));
	assert_false(store_intent_find(support.store, id, &intent));
	struct release_id release = support_intent(1).release_id;
	assert_false(store_intent_find_released(support.store, &release, &found));
	assert_false(store_offer_find(support.store, id, &offer));
	assert_false(store_question_find(support.store, id, &question));
	assert_false(store_deal_find(support.store, id, &deal));
	assert_false(store_vendor_find(support.store, id, &arena, &vendor));
	assert_false(store_inbox_next(support.store, id, 0, &arena, &number, &number, &bytes));
	assert_false(store_subscription_find(support.store, id, &arena, &subscription));
	assert_false(store_feed_get(support.store, 1, &header, &bytes));
	assert_true(store_feed_first(support.store) == 1 && store_feed_last(support.store) == 0);
	assert_false(store_timer_first(support.store, &number, &kind, &found));
	for (enum kv_table table = 0; table < KV_TABLE_COUNT; table++) {
		struct kv_cursor cursor;
		assert_false(table != KV_META && kv_seek(support.store->kv, table, kv_start, &cursor));
	}
	assert_int_equal(store_inbox_append(support.store, id, 1, "", 0), 1);
	store_abort(support.store);
}

static void an_abort_leaves_nothing(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	begin();
	write_all(&intent);
	uint32_t slot = intent.mailbox_slot;
	store_abort(support.store);
	assert_nothing_there(&intent.id);
	support_store_reopen(&support);
	assert_nothing_there(&intent.id);

	intent = support_intent(1);
	begin();
	write_all(&intent);
	assert_int_equal(intent.mailbox_slot, slot); // given back by the abort
	commit();
	// The other way: giving up deletions and a wipe leaves everything.
	begin();
	struct intent doomed = intent;
	store_intent_delete(support.store, &doomed);
	store_feed_trim(support.store, UINT64_MAX, 10);
	store_timer_remove(support.store, 1, TIMER_DEAL, &intent.id);
	store_abort(support.store);
	begin();
	struct bytes post, item;
	uint64_t seq, at_ms;
	struct offer offer;
	assert_true(store_intent_find(support.store, &intent.id, &doomed));
	assert_memory_equal(&doomed, &intent, sizeof(intent));
	assert_true(store_intent_post(support.store, &intent, &arena, &post));
	assert_bytes(post, "post");
	assert_true(store_mailbox_next(support.store, &intent, 0, &arena, &seq, &at_ms, &item));
	assert_true(store_offer_find(support.store, &intent.id, &offer));
	assert_true(store_feed_first(support.store) == 1 && store_feed_last(support.store) == 1);
	commit();
}

static void a_crash_forgets_the_open_transaction(void **state)
{
	(void)state;
	struct intent intent = support_intent(1), found;
	begin();
	write_all(&intent);
	support_store_reopen(&support);
	assert_nothing_there(&intent.id);
	intent = support_intent(1);
	begin();
	write_all(&intent);
	commit();
	begin();
	store_intent_wipe(support.store, &intent);
	support_store_reopen(&support);
	begin();
	struct bytes post;
	assert_true(store_intent_find(support.store, &intent.id, &found));
	assert_true(store_intent_post(support.store, &found, &arena, &post));
	assert_bytes(post, "post");
	commit();
}

static void the_first_error_sticks(void **state)
{
	(void)state;
	struct intent intent = support_intent(1), found;
	struct bytes bytes;
	begin();
	store_intent_create(support.store, &intent, "post", 4);
	uint8_t *large = test_calloc(1, KV_VALUE_BYTES_MAX + 1);
	store_meta_put(support.store, "large", large, KV_VALUE_BYTES_MAX + 1);
	test_free(large);
	assert_int_equal(store_error(support.store), ERR_TOO_LARGE);
	assert_false(store_intent_find(support.store, &intent.id, &found));
	assert_false(store_intent_post(support.store, &intent, &arena, &bytes));
	store_meta_put(support.store, "", "x", 1); // another error, which does not show
	struct intent second = support_intent(2);
	store_intent_create(support.store, &second, "post", 4);
	assert_int_equal(store_commit(support.store), ERR_TOO_LARGE);
	begin();
	assert_int_equal(store_error(support.store), ERR_OK);
	assert_false(store_intent_find(support.store, &intent.id, &found));
	store_meta_put(support.store, "", "x", 1);
	assert_int_equal(store_commit(support.store), ERR_INTERNAL);
	begin();
	write_all(&second);
	commit();
}

// Every row of every table, replaced by something else: an error that names the table, never a crash.
static void damaged_rows_are_refused(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	begin();
	write_all(&intent);
	commit();
	log_set_level((enum log_level)(LOG_ERROR + 1)); // hundreds of lines, all expected
	static const enum kv_table tables[] = {KV_INTENT, KV_MAILBOX,      KV_OFFER, KV_QUESTION,  KV_DEAL,
	                                       KV_VENDOR, KV_SUBSCRIPTION, KV_FEED,  KV_INBOX_END, KV_INBOX};
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (int kind = 0; kind < 4; kind++) {
			begin();
			struct kv_cursor cursor;
			assert_true(kv_seek(support.store->kv, tables[i], kv_start, &cursor));
			uint8_t row[512];
			size_t count = cursor.value.count;
			assert_true(count <= sizeof(row) - 1);
			memcpy(row, cursor.value.at, count);
			row[0] ^= kind == 0 ? 0xff : 0;                                 // another version
			row[count - 1] ^= kind == 3 ? 0x01 : 0;                         // one bit
			size_t damaged = kind == 1 ? count - 1 : kind == 2 ? 0 : count; // too short, empty
			kv_put(support.store->kv, tables[i], (struct bytes){cursor.at, cursor.at_count},
			       (struct bytes){row, damaged});
			kv_stop(&cursor);
			struct intent found;
			struct id id = intent.id;
			struct offer offer;
			struct question question;
			struct deal deal;
			struct vendor vendor;
			struct subscription subscription;
			struct match_header header;
			struct bytes bytes;
			uint64_t number;
			bool all =
			    store_intent_find_released(support.store, &intent.release_id, &id) &&
			    store_intent_find(support.store, &intent.id, &found) &&
			    store_intent_post(support.store, &intent, &arena, &bytes) &&
			    store_offer_find(support.store, &id, &offer) && store_question_find(support.store, &id, &question) &&
			    store_deal_find(support.store, &id, &deal) && store_vendor_find(support.store, &id, &arena, &vendor) &&
			    store_subscription_find(support.store, &id, &arena, &subscription) &&
			    store_inbox_next(support.store, &id, 0, &arena, &number, &number, &bytes) &&
			    store_feed_get(support.store, 1, &header, &bytes);
			// A changed bit shows only where a row is sealed; a shorter one where its length is known.
			bool tells = kind == 0 || kind == 2 || (kind == 1 && tables[i] != KV_FEED && tables[i] != KV_INBOX) ||
			             (kind == 3 && (tables[i] == KV_INTENT || tables[i] == KV_MAILBOX));
			if (tells) {
				assert_false(all);
				assert_int_equal(store_error(support.store), ERR_INTERNAL);
			}
			store_abort(support.store);
		}
	}
	log_set_level(LOG_INFO);
}

static void commits_can_be_made_to_fail(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	store_fail_commits(support.store, ERR_STORAGE_FULL);
	for (int round = 0; round < 2; round++) {
		intent = support_intent(1);
		begin();
		write_all(&intent);
		assert_int_equal(store_commit(support.store), ERR_STORAGE_FULL);
		assert_nothing_there(&intent.id);
	}
	store_fail_commits(support.store, ERR_OK);
	intent = support_intent(1);
	begin();
	write_all(&intent);
	commit();
}

static void slots_of_wiped_intents_are_used_again(void **state)
{
	(void)state;
	uint32_t highest = 0;
	for (uint64_t round = 0; round < 200; round++) {
		struct intent intents[10];
		begin();
		for (uint64_t i = 0; i < 10; i++) {
			intents[i] = support_intent(1 + round * 10 + i);
			store_intent_create(support.store, &intents[i], "post", 4);
			highest = intents[i].mailbox_slot > highest ? intents[i].mailbox_slot : highest;
		}
		if (round % 2) { // or all in one transaction
			commit();
			begin();
		}
		for (size_t i = 0; i < 10; i++)
			store_intent_wipe(support.store, &intents[i]);
		commit();
	}
	assert_true(highest <= 40);
}

static void compacting_keeps_everything(void **state)
{
	(void)state;
	struct intent intent = support_intent(1), found;
	struct bytes bytes;
	begin();
	write_all(&intent);
	assert_int_equal(store_compact(support.store), ERR_INTERNAL); // not within a transaction
	commit();
	assert_int_equal(store_compact(support.store), ERR_OK);
	for (int round = 0; round < 2; round++) {
		begin();
		assert_true(store_intent_find(support.store, &intent.id, &found));
		assert_memory_equal(&found, &intent, sizeof(found));
		assert_true(store_intent_post(support.store, &found, &arena, &bytes));
		assert_true(store_meta_get(support.store, "name", &arena, &bytes));
		assert_int_equal(store_feed_last(support.store), 1);
		commit();
		support_store_reopen(&support);
	}
	assert_true(store_bytes_used(support.store) > 0);
}

#define EVERYWHERE(X)                                                                                                  \
	X(meta_values)                                                                                                     \
	X(intents_are_kept_whole)                                                                                          \
	X(waiting_intents_and_totals)                                                                                      \
	X(an_intent_without_release_id)                                                                                    \
	X(a_wipe_leaves_what_late_duplicates_need)                                                                         \
	X(sealing_after_the_wipe_is_an_error)                                                                              \
	X(a_mailbox_is_in_order)                                                                                           \
	X(what_hangs_on_an_intent)                                                                                         \
	X(what_hangs_on_nothing_is_an_error)                                                                               \
	X(vendors_and_their_inboxes)                                                                                       \
	X(subscriptions)                                                                                                   \
	X(the_feed)                                                                                                        \
	X(timers_come_in_order_of_time)                                                                                    \
	X(an_abort_leaves_nothing)                                                                                         \
	X(a_crash_forgets_the_open_transaction)                                                                            \
	X(the_first_error_sticks)                                                                                          \
	X(damaged_rows_are_refused)                                                                                        \
	X(slots_of_wiped_intents_are_used_again)                                                                           \
	X(compacting_keeps_everything)

int main(void)
{
	const struct CMUnitTest tests[] = {
#define X(test)                                                                                                        \
	{"disk: " #test, test, open_disk, close_store, NULL}, {"memory: " #test, test, open_memory, close_store, NULL},
	    EVERYWHERE(X)
#undef X
	        cmocka_unit_test_setup_teardown(commits_can_be_made_to_fail, open_memory, close_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
