// A guardian's rows, on disk and in memory: accounts, invitations, vouchers, boxes and cells; after a crash, and what is
// left of them in the file after a compaction.
#define _GNU_SOURCE // memmem
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void commit_and_reopen(void)
{
	assert_int_equal(store_commit(support.store), ERR_OK);
	support_store_reopen(&support);
	store_begin(support.store);
}

// ---- accounts

struct found_accounts {
	struct account items[8];
	size_t count;
};

static bool find_account(void *context, const struct account *account)
{
	struct found_accounts *found = context;
	found->items[found->count++] = *account;
	return true;
}

static struct found_accounts accounts(void)
{
	struct found_accounts found = {0};
	store_account_each(support.store, find_account, &found);
	return found;
}

static struct account an_account(uint64_t number)
{
	return (struct account){.id = support_id(number), .opened_day = 20000, .used_month = 666, .voucher_day = 20010,
	                        .voucher_count = (uint32_t)number, .by_invite = number % 2};
}

static void test_accounts(void **state)
{
	(void)state;
	store_begin(support.store);
	for (uint64_t i = 1; i <= 3; i++) {
		struct account account = an_account(i);
		store_account_create(support.store, &account);
		assert_int_equal(account.number, i);
	}
	commit_and_reopen();
	struct found_accounts found = accounts();
	assert_int_equal(found.count, 3);
	for (uint64_t i = 1; i <= 3; i++) {
		struct account expected = an_account(i);
		expected.number = i;
		assert_true(id_equal(&found.items[i - 1].id, &expected.id));
		assert_int_equal(found.items[i - 1].number, i);
		assert_int_equal(found.items[i - 1].opened_day, 20000);
		assert_int_equal(found.items[i - 1].used_month, 666);
		assert_int_equal(found.items[i - 1].voucher_day, 20010);
		assert_int_equal(found.items[i - 1].voucher_count, i);
		assert_int_equal(found.items[i - 1].by_invite, i % 2);
	}
	found.items[0].voucher_count = 77;
	store_account_put(support.store, &found.items[0]);
	store_account_delete(support.store, 2);
	struct account account = an_account(4);
	store_account_create(support.store, &account);
	commit_and_reopen();
	found = accounts();
	assert_int_equal(found.count, 3);
	assert_int_equal(found.items[0].voucher_count, 77);
	assert_int_equal(found.items[1].number, 3);
	assert_int_equal(found.items[2].number, 4);
	assert_int_equal(store_commit(support.store), ERR_OK);
}

static void test_invites(void **state)
{
	(void)state;
	struct id one = support_id(1), two = support_id(2);
	uint64_t until_ms;
	store_begin(support.store);
	store_invite_put(support.store, &one, 12345);
	commit_and_reopen();
	assert_true(store_invite_find(support.store, &one, &until_ms));
	assert_int_equal(until_ms, 12345);
	assert_false(store_invite_find(support.store, &two, &until_ms));
	store_invite_delete(support.store, &one);
	store_invite_delete(support.store, &two);
	assert_false(store_invite_find(support.store, &one, &until_ms));
	assert_int_equal(store_commit(support.store), ERR_OK);
}

static struct voucher a_voucher(uint32_t day, uint8_t number)
{
	struct voucher voucher = {.day = day, .account = 5 + number, .epoch = 2900};
	memset(voucher.id, number, sizeof(voucher.id));
	memset(voucher.home, 'h', sizeof(voucher.home));
	return voucher;
}

static void test_vouchers(void **state)
{
	(void)state;
	store_begin(support.store);
	for (uint32_t day = 100; day < 103; day++)
		for (uint8_t number = 0; number < 4; number++) {
			struct voucher voucher = a_voucher(day, number);
			store_voucher_put(support.store, &voucher);
		}
	commit_and_reopen();
	struct voucher expected = a_voucher(101, 3), found;
	assert_true(store_voucher_find(support.store, 101, expected.id, &found));
	assert_int_equal(found.day, 101);
	assert_int_equal(found.account, 8);
	assert_int_equal(found.epoch, 2900);
	assert_memory_equal(found.home, expected.home, KEY_BYTES);
	assert_memory_equal(found.id, expected.id, VOUCHER_ID_BYTES);
	assert_false(store_voucher_find(support.store, 103, expected.id, &found));
	assert_int_equal(store_voucher_trim(support.store, 102, 3), 3);
	assert_int_equal(store_voucher_trim(support.store, 102, 100), 5);
	assert_int_equal(store_voucher_trim(support.store, 102, 100), 0);
	assert_false(store_voucher_find(support.store, 101, expected.id, &found));
	assert_true(store_voucher_find(support.store, 102, expected.id, &found));
	assert_int_equal(store_commit(support.store), ERR_OK);
}

// ---- boxes and cells

struct found_boxes {
	struct box items[8];
	size_t count;
};

static bool find_box(void *context, const struct box *box)
{
	struct found_boxes *found = context;
	found->items[found->count++] = *box;
	return true;
}

static void test_boxes(void **state)
{
	(void)state;
	store_begin(support.store);
	for (uint64_t i = 1; i <= 3; i++) {
		struct box box = {.id = support_id(i), .account = 10 + i, .keep_until_day = 20030, .next = 1};
		memset(box.home, (int)i, KEY_BYTES);
		store_box_create(support.store, &box);
		assert_int_equal(box.number, i);
	}
	commit_and_reopen();
	struct found_boxes found = {0};
	store_box_each(support.store, find_box, &found);
	assert_int_equal(found.count, 3);
	struct id second = support_id(2);
	assert_true(id_equal(&found.items[1].id, &second));
	assert_int_equal(found.items[1].account, 12);
	assert_int_equal(found.items[1].home[31], 2);
	assert_int_equal(found.items[1].keep_until_day, 20030);
	found.items[1].next = 9;
	found.items[1].last_print = 99;
	store_box_put(support.store, &found.items[1]);
	store_box_delete(support.store, 1);
	commit_and_reopen();
	found.count = 0;
	store_box_each(support.store, find_box, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.items[0].next, 9);
	assert_int_equal(found.items[0].last_print, 99);
	assert_int_equal(store_commit(support.store), ERR_OK);
}

static void cell_of(uint64_t number, uint8_t cell[BOX_CELL_BYTES])
{
	support_bytes(number, cell, BOX_CELL_BYTES);
}

struct found_cells {
	struct cell_place items[64];
	size_t count;
};

static bool find_cell(void *context, const struct cell_place *place)
{
	struct found_cells *found = context;
	if (found->count < 64)
		found->items[found->count] = *place;
	found->count++;
	return true;
}

static void test_cells(void **state)
{
	(void)state;
	uint8_t cell[BOX_CELL_BYTES];
	store_begin(support.store);
	for (uint64_t i = 1; i <= 20; i++) {
		cell_of(i, cell);
		assert_int_equal(store_cell_append(support.store, 7 + i % 2, i, cell), i);
	}
	commit_and_reopen();
	cell_of(5, cell);
	assert_memory_equal(store_cell_get(support.store, 5, &arena), cell, BOX_CELL_BYTES);
	assert_null(store_cell_get(support.store, 21, &arena));
	store_cell_delete(support.store, 5);
	store_cell_delete(support.store, 5);
	assert_null(store_cell_get(support.store, 5, &arena));
	struct found_cells found = {0};
	store_cell_each(support.store, find_cell, &found);
	assert_int_equal(found.count, 19);
	assert_int_equal(found.items[4].arrival, 6);
	assert_int_equal(found.items[4].box, 7);
	assert_int_equal(found.items[4].number, 6);
	cell_of(6, cell);
	assert_memory_equal(found.items[4].head, cell, CELL_HEAD_BYTES);
	// What is not committed is gone, and its place is taken again.
	assert_int_equal(store_cell_append(support.store, 7, 21, cell), 21);
	support_store_reopen(&support);
	store_begin(support.store);
	assert_memory_equal(store_cell_get(support.store, 6, &arena), cell, BOX_CELL_BYTES);
	assert_null(store_cell_get(support.store, 21, &arena));
	cell_of(5, cell);
	assert_memory_equal(store_cell_get(support.store, 5, &arena), cell, BOX_CELL_BYTES);
	assert_int_equal(store_cell_append(support.store, 7, 21, cell), 21);
	assert_int_equal(store_commit(support.store), ERR_OK);
}

// Random appends and deletes against a list, with crashes.
static void test_cells_model(void **state)
{
	(void)state;
	enum { STEPS = 2000, MAX = 400 };
	struct {
		uint64_t arrival, content;
	} kept[MAX], before[MAX];
	size_t count = 0, count_before = 0;
	uint64_t random = 12345, contents = 0;
	uint8_t cell[BOX_CELL_BYTES];
	store_begin(support.store);
	for (int step = 0; step < STEPS; step++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint64_t choice = random >> 33;
		if (count < MAX && choice % 5 < 3) {
			kept[count].content = ++contents;
			cell_of(contents, cell);
			kept[count++].arrival = store_cell_append(support.store, contents % 9, contents, cell);
		} else if (count > 0) {
			size_t at = (choice >> 4) % count;
			store_cell_delete(support.store, kept[at].arrival);
			memmove(kept + at, kept + at + 1, (--count - at) * sizeof(*kept));
		}
		if (choice % 97 == 1) {
			assert_int_equal(store_commit(support.store), ERR_OK);
			memcpy(before, kept, sizeof(kept));
			count_before = count;
			store_begin(support.store);
		} else if (choice % 97 == 2) {
			support_store_reopen(&support);
			memcpy(kept, before, sizeof(kept));
			count = count_before;
			store_begin(support.store);
		}
	}
	struct found_cells found = {0};
	store_cell_each(support.store, find_cell, &found);
	assert_int_equal(found.count, count);
	for (size_t i = 0; i < count; i++) {
		cell_of(kept[i].content, cell);
		assert_memory_equal(store_cell_get(support.store, kept[i].arrival, &arena), cell, BOX_CELL_BYTES);
	}
	assert_int_equal(store_commit(support.store), ERR_OK);
}

// ---- the file

static bool file_has(const void *bytes, size_t count)
{
	char path[192];
	snprintf(path, sizeof(path), "%s/data.mdb", support.directory);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size_t size = (size_t)ftell(file);
	rewind(file);
	uint8_t *all = malloc(size);
	assert_non_null(all);
	assert_int_equal(fread(all, 1, size, file), size);
	fclose(file);
	bool has = memmem(all, size, bytes, count) != NULL;
	free(all);
	return has;
}

static void test_gone_after_compaction(void **state)
{
	(void)state;
	uint8_t cell[BOX_CELL_BYTES], kept[BOX_CELL_BYTES];
	struct voucher voucher = a_voucher(100, 0);
	support_bytes(4001, voucher.id, sizeof(voucher.id));
	struct account account = an_account(4002);
	struct box box = {.id = support_id(4003), .account = 1, .keep_until_day = 20030, .next = 1};
	cell_of(4004, cell);
	cell_of(4005, kept);
	store_begin(support.store);
	store_account_create(support.store, &account);
	store_voucher_put(support.store, &voucher);
	store_box_create(support.store, &box);
	uint64_t arrival = store_cell_append(support.store, box.number, 1, cell);
	store_cell_append(support.store, box.number, 2, kept);
	assert_int_equal(store_commit(support.store), ERR_OK);
	assert_true(file_has(voucher.id, sizeof(voucher.id)));
	assert_true(file_has(cell + CELL_HEAD_BYTES, 64));
	store_begin(support.store);
	store_voucher_trim(support.store, 101, 10);
	store_cell_delete(support.store, arrival);
	store_box_delete(support.store, box.number);
	store_account_delete(support.store, account.number);
	assert_int_equal(store_commit(support.store), ERR_OK);
	assert_int_equal(store_compact(support.store), ERR_OK);
	assert_false(file_has(voucher.id, sizeof(voucher.id)));
	assert_false(file_has(cell, 16));
	assert_false(file_has(cell + CELL_HEAD_BYTES, 16));
	assert_false(file_has(cell + BOX_CELL_BYTES - 16, 16));
	assert_false(file_has(box.id.bytes, ID_BYTES));
	assert_false(file_has(account.id.bytes, ID_BYTES));
	assert_true(file_has(kept + CELL_HEAD_BYTES, 64));
}

int main(void)
{
#define BOTH(function)                                                                                                 \
	cmocka_unit_test_setup_teardown(function, open_disk, close_store),                                                 \
	    cmocka_unit_test_setup_teardown(function, open_memory, close_store)
	const struct CMUnitTest tests[] = {
	    BOTH(test_accounts),
	    BOTH(test_invites),
	    BOTH(test_vouchers),
	    BOTH(test_boxes),
	    BOTH(test_cells),
	    BOTH(test_cells_model),
	    cmocka_unit_test_setup_teardown(test_gone_after_compaction, open_disk, close_store),
	};
#undef BOTH
	return cmocka_run_group_tests(tests, NULL, NULL);
}
