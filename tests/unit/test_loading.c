// Subscriptions are loaded in two threads from a disk and one after the other from memory: the same comes of both.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/service/internal.h"
#include "broker/store/store_internal.h"
#include "support_store.h"

enum { ROWS = 3001, VENDORS = 7 }; // some blocks' worth, and a rest

static bool removed(uint64_t number)
{
	return number % 10 == 3;
}

static bool meaningless(uint64_t number)
{
	return number % 50 == 7;
}

static void put_row(struct store *store, struct arena *arena, uint64_t number)
{
	Oyez__Filter words = OYEZ__FILTER__INIT;
	const struct tree *categories = taxonomy_tree(taxonomy_builtin());
	const char *category = taxonomy_id(taxonomy_builtin(), (uint32_t)(number * 31 % categories->count));
	char *list[] = {meaningless(number) ? (char *)"no-such-thing" : (char *)(uintptr_t)category};
	words.categories = list;
	words.n_categories = 1;
	ProtobufCBinaryData packed = wire_pack(arena, &words.base);
	struct subscription row = {
	    .id = support_id(number),
	    .vendor = support_id(ROWS + 1 + number % VENDORS),
	    .made_at_ms = number + 1,
	    .start_seq = removed(number) ? SUBSCRIPTION_REMOVED : 0,
	    .filter = {packed.data, packed.len},
	};
	store_subscription_put(store, &row);
}

static void fill(struct store *store)
{
	struct arena arena;
	arena_init(&arena);
	store_begin(store);
	for (uint64_t number = 0; number < ROWS; number++)
		put_row(store, &arena, number);
	assert_int_equal(store_commit(store), ERR_OK);
	arena_fini(&arena);
}

static enum err start(struct store *store, struct service **service)
{
	const struct service_config config = {.taxonomy = taxonomy_builtin(), .region = "FR", .version = "0"};
	const struct service_signer signer = {0};
	return service_new(&config, &signer, store, 1000, service);
}

static void check_listener(struct service *service, uint64_t number)
{
	struct filter filter;
	struct id id = support_id(number);
	struct listener *listener = listener_find(service, &id);
	if (removed(number)) {
		assert_null(listener);
		return;
	}
	assert_non_null(listener);
	assert_true(listener->used && listener->made_at_ms == number + 1);
	assert_int_equal(listener->indexed, !meaningless(number));
	bool found = index_filter(service->index, (uint32_t)(listener - service->listeners), &filter);
	assert_int_equal(found, listener->indexed);
	if (!found)
		return;
	assert_int_equal(filter.category_count, 1);
	assert_int_equal(filter.categories[0], number * 31 % taxonomy_tree(taxonomy_builtin())->count);
}

static void test_the_same_from_both(void **state)
{
	struct support_store stores[2];
	struct service *services[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		support_store_open(&stores[i], i == 0);
		assert_int_equal(store_reads_beside(stores[i].store), i == 1);
		fill(stores[i].store);
		assert_int_equal(start(stores[i].store, &services[i]), ERR_OK);
		for (uint64_t number = 0; number < ROWS; number++)
			check_listener(services[i], number);
		assert_int_equal(services[i]->vendor_count, VENDORS);
	}
	assert_int_equal(services[0]->listener_count, services[1]->listener_count);
	for (uint32_t i = 0; i < services[0]->listener_count; i++)
		assert_true(id_equal(&services[0]->listeners[i].id, &services[1]->listeners[i].id));
	for (uint32_t i = 0; i < VENDORS; i++) {
		assert_true(id_equal(&services[0]->vendors[i].id, &services[1]->vendors[i].id));
		assert_int_equal(services[0]->vendors[i].subscription_count, services[1]->vendors[i].subscription_count);
	}
	for (int i = 0; i < 2; i++) {
		service_free(services[i]);
		support_store_close(&stores[i]);
	}
}

static void test_a_damaged_row_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct support_store store;
		struct service *service;
		support_store_open(&store, i == 0);
		fill(store.store);
		store_begin(store.store);
		struct id id = support_id(ROWS / 2);
		struct key key = key_id(&id);
		kv_put(store.store->kv, KV_SUBSCRIPTION, key_bytes(&key), (struct bytes){(const uint8_t *)"?", 1});
		assert_int_equal(store_commit(store.store), ERR_OK);
		assert_int_equal(start(store.store, &service), ERR_INTERNAL);
		assert_null(service);
		support_store_close(&store);
	}
}

static void test_none(void **state)
{
	struct support_store store;
	struct service *service;
	(void)state;
	support_store_open(&store, false);
	assert_int_equal(start(store.store, &service), ERR_OK);
	assert_int_equal(service->listener_count, 0);
	service_free(service);
	support_store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_same_from_both),
	    cmocka_unit_test(test_a_damaged_row_is_refused),
	    cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
