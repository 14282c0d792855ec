// Rows of what comes after a deal, once on disk and once in memory; what a kept deal costs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

static void reopen(void)
{
	assert_int_equal(store_commit(support.store), ERR_OK);
	support_store_reopen(&support);
	store_begin(support.store);
}

static struct deal deal_put(uint64_t number, const struct intent *intent)
{
	struct deal deal = {.id = support_id(number), .intent = intent->id, .vendor = support_id(1), .state = 4};
	store_deal_put(support.store, &deal);
	return deal;
}

static void add_everything(const struct deal *deal)
{
	struct deal_after after;
	assert_false(store_after_find(support.store, &deal->id, &after));
	assert_int_equal(after.box_next, 1);
	after.erase_hash = support_id(50);
	after.erase_result = 2;
	after.stars = 3;
	assert_int_equal(store_deal_box_append(support.store, &after, 10, "one", 3), 1);
	assert_int_equal(store_deal_box_append(support.store, &after, 11, "two", 3), 2);
	store_after_put(support.store, &after);
	for (uint64_t i = 0; i < 3; i++) {
		struct deal_word word = {.hash = support_id(60 + i), .at_ms = 100 + i, .box_seq = i};
		store_word_put(support.store, &deal->id, &word);
	}
}

static bool count_word(void *context, const struct deal_word *word)
{
	*(uint64_t *)context += word->at_ms;
	return true;
}

static uint64_t word_sum(const struct deal *deal)
{
	uint64_t sum = 0;
	store_word_each(support.store, &deal->id, count_word, &sum);
	return sum;
}

static bool box_has(const struct deal *deal, uint64_t after, uint64_t expected, const char *text)
{
	uint64_t seq, at_ms;
	struct bytes item;
	return store_deal_box_next(support.store, &deal->id, after, &arena, &seq, &at_ms, &item) && seq == expected &&
	       item.count == strlen(text) && memcmp(item.at, text, item.count) == 0;
}

static void test_rows(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	struct deal_after after;
	struct deal_word word;
	struct id hash = support_id(61), other_id;
	store_begin(support.store);
	store_intent_create(support.store, &intent, "post", 4);
	struct deal deal = deal_put(20, &intent), other = deal_put(21, &intent);
	other_id = other.id;
	add_everything(&deal);
	add_everything(&other);
	reopen();
	assert_true(store_after_find(support.store, &deal.id, &after));
	assert_true(after.erase_result == 2 && after.stars == 3 && after.box_next == 3);
	assert_true(store_word_find(support.store, &deal.id, &hash, &word) && word.at_ms == 101);
	assert_int_equal(word_sum(&deal), 303);
	store_word_delete(support.store, &deal.id, &hash);
	assert_int_equal(word_sum(&deal), 202);
	assert_true(box_has(&deal, 0, 1, "one") && box_has(&deal, 1, 2, "two") && !box_has(&deal, 2, 3, ""));
	store_deal_box_remove(support.store, &deal.id, 1);
	assert_true(box_has(&deal, 0, 2, "two"));

	// One outlives the intent, the other goes with it and with all that hangs on it.
	store_deal_unlink(support.store, &deal);
	store_intent_delete(support.store, &intent);
	reopen();
	assert_true(store_deal_find(support.store, &deal.id, &deal) && box_has(&deal, 0, 2, "two"));
	assert_false(store_deal_find(support.store, &other_id, &other));
	assert_false(store_after_find(support.store, &other_id, &after));
	assert_false(box_has(&other, 0, 1, "one"));
	assert_int_equal(word_sum(&other), 0);
	store_deal_delete(support.store, &deal.id);
	assert_false(store_deal_find(support.store, &deal.id, &other));
	assert_int_equal(word_sum(&deal), 0);
	assert_false(box_has(&deal, 0, 2, "two"));
	reopen();
	store_abort(support.store);
}

// A deal forgotten before its intent leaves no link that leads nowhere.
static void test_deleted_before_its_intent(void **state)
{
	(void)state;
	struct intent intent = support_intent(1);
	store_begin(support.store);
	store_intent_create(support.store, &intent, "post", 4);
	struct deal deal = deal_put(20, &intent);
	store_deal_delete(support.store, &deal.id);
	store_intent_delete(support.store, &intent);
	assert_int_equal(store_commit(support.store), ERR_OK);
}

static void test_standing_and_notices(void **state)
{
	(void)state;
	struct id vendor = support_id(5);
	struct standing standing;
	struct bytes bytes;
	store_begin(support.store);
	store_standing_find(support.store, &vendor, &standing);
	assert_true(id_equal(&standing.vendor, &vendor) && standing.offers == 0);
	standing.offers = 7;
	standing.stars_published = 9;
	standing.url_checked_at_ms = 11;
	store_standing_put(support.store, &standing);
	assert_int_equal(store_notice_last(support.store), 0);
	store_notice_append(support.store, 1, "first", 5);
	store_notice_append(support.store, 2, "second", 6);
	reopen();
	store_standing_find(support.store, &vendor, &standing);
	assert_true(standing.offers == 7 && standing.stars_published == 9 && standing.url_checked_at_ms == 11);
	assert_int_equal(store_notice_last(support.store), 2);
	assert_true(store_notice_get(support.store, 2, &arena, &bytes) && bytes.count == 6);
	assert_memory_equal(bytes.at, "second", 6);
	assert_false(store_notice_get(support.store, 3, &arena, &bytes));
	store_abort(support.store);
}

static void test_cost_of_a_kept_deal(void **state)
{
	(void)state;
	enum { DEALS = 20000, PER_COMMIT = 500 };
	struct intent intent = support_intent(1);
	store_begin(support.store);
	store_intent_create(support.store, &intent, "post", 4);
	assert_int_equal(store_commit(support.store), ERR_OK);
	uint64_t before = store_bytes_used(support.store);
	for (uint64_t i = 0; i < DEALS; i += PER_COMMIT) {
		store_begin(support.store);
		for (uint64_t j = 0; j < PER_COMMIT; j++) {
			struct deal deal = deal_put(1000 + i + j, &intent);
			store_deal_unlink(support.store, &deal);
			store_timer_add(support.store, 1000000 + i + j, TIMER_DEAL_FORGET, &deal.id);
		}
		assert_int_equal(store_commit(support.store), ERR_OK);
	}
	uint64_t each = (store_bytes_used(support.store) - before) / DEALS;
	assert_int_equal(store_compact(support.store), ERR_OK);
	uint64_t compact = (store_bytes_used(support.store) - before) / DEALS;
	print_message("a kept deal takes %llu bytes, its timer included; %llu after a compaction\n",
	              (unsigned long long)each, (unsigned long long)compact);
	assert_true(each < 1536 && compact < 768);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_rows, open_disk, close_store),
	    cmocka_unit_test_setup_teardown(test_rows, open_memory, close_store),
	    cmocka_unit_test_setup_teardown(test_deleted_before_its_intent, open_disk, close_store),
	    cmocka_unit_test_setup_teardown(test_deleted_before_its_intent, open_memory, close_store),
	    cmocka_unit_test_setup_teardown(test_standing_and_notices, open_disk, close_store),
	    cmocka_unit_test_setup_teardown(test_standing_and_notices, open_memory, close_store),
	    cmocka_unit_test_setup_teardown(test_cost_of_a_kept_deal, open_disk, close_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
