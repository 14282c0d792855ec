// The slot file: a slot's life, what is on the disk at each point of it, and what a crash may leave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/store/slots.h"
#include "support_store.h"

static char directory[128], path[160];

static int setup(void **state)
{
	(void)state;
	support_directory_new(directory);
	snprintf(path, sizeof(path), "%s/mailbox.keys", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	support_directory_remove(directory);
	return 0;
}

// Opens with these slots in use.
static struct slots *open_with(const uint32_t *used, size_t count)
{
	struct slots *slots;
	assert_int_equal(slots_open(path, &slots), ERR_OK);
	slots_forget(slots);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(slots_use(slots, used[i]), ERR_OK);
	assert_int_equal(slots_ready(slots), ERR_OK);
	return slots;
}

static void read_key(uint32_t slot, uint8_t key[SLOT_KEY_BYTES])
{
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, key, SLOT_KEY_BYTES, (off_t)slot * SLOT_KEY_BYTES), SLOT_KEY_BYTES);
	close(fd);
}

static off_t file_bytes(void)
{
	struct stat stat_of;
	assert_int_equal(stat(path, &stat_of), 0);
	return stat_of.st_size;
}

static void fresh_slots_count_upwards_and_differ(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0);
	uint8_t last[SLOT_KEY_BYTES] = {0}, key[SLOT_KEY_BYTES];
	for (uint32_t i = 1; i <= SLOT_BATCH + 5; i++) {
		uint32_t slot;
		assert_null(slots_key(slots, i));
		assert_int_equal(slots_take(slots, &slot), ERR_OK);
		assert_int_equal(slot, i);
		assert_memory_not_equal(slots_key(slots, slot), last, SLOT_KEY_BYTES);
		memcpy(last, slots_key(slots, slot), SLOT_KEY_BYTES);
		read_key(slot, key);
		assert_memory_equal(key, last, SLOT_KEY_BYTES); // on disk before anything can refer to it
	}
	assert_int_equal(file_bytes(), (1 + 2 * SLOT_BATCH) * SLOT_KEY_BYTES);
	assert_int_equal(slots_bytes(slots), file_bytes());
	assert_null(slots_key(slots, SLOT_NONE));
	assert_null(slots_key(slots, UINT32_MAX));
	slots_close(slots);
	struct stat stat_of;
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void a_slots_life(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0);
	uint32_t one, two, three;
	uint8_t before[SLOT_KEY_BYTES], after[SLOT_KEY_BYTES];
	const uint32_t *wiped;
	slots_take(slots, &one);
	slots_take(slots, &two);
	assert_int_equal(slots_wipe(slots), ERR_OK); // nothing doomed: both stay
	read_key(one, before);
	assert_int_equal(slots_doom(slots, one), ERR_OK);
	assert_int_equal(slots_doom(slots, one), ERR_INTERNAL);
	assert_null(slots_key(slots, one));
	read_key(one, after);
	assert_memory_equal(before, after, SLOT_KEY_BYTES); // not before the database's commit
	slots_abort(slots);
	assert_memory_equal(slots_key(slots, one), before, SLOT_KEY_BYTES);

	assert_int_equal(slots_doom(slots, one), ERR_OK);
	assert_int_equal(slots_wipe(slots), ERR_OK);
	read_key(one, after);
	assert_memory_not_equal(before, after, SLOT_KEY_BYTES);
	assert_null(slots_key(slots, one));
	assert_int_equal(slots_wiped(slots, &wiped), 1);
	assert_int_equal(wiped[0], one);
	slots_take(slots, &three);
	assert_int_not_equal(three, one); // its pending row is still there
	slots_abort(slots);
	assert_int_equal(slots_wiped(slots, &wiped), 1);
	slots_retire(slots);
	assert_int_equal(slots_wiped(slots, &wiped), 0);
	slots_take(slots, &three);
	assert_int_equal(three, one);
	assert_memory_equal(slots_key(slots, three), after, SLOT_KEY_BYTES);
	assert_false(slots_overdue(slots));
	slots_close(slots);
}

static void taken_and_doomed_in_one_transaction(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0);
	uint32_t slot, again;
	const uint32_t *wiped;
	slots_take(slots, &slot);
	slots_doom(slots, slot);
	slots_abort(slots);
	slots_take(slots, &again);
	assert_int_equal(again, slot);
	slots_doom(slots, again);
	assert_int_equal(slots_wipe(slots), ERR_OK);
	assert_int_equal(slots_wiped(slots, &wiped), 1);
	slots_close(slots);
}

static void opening_keeps_used_keys_and_renews_the_rest(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0);
	uint8_t keys[6][SLOT_KEY_BYTES], id[SLOT_FILE_ID_BYTES];
	memcpy(id, slots_file_id(slots), sizeof(id));
	for (uint32_t i = 1; i <= 5; i++) {
		uint32_t slot;
		slots_take(slots, &slot);
		memcpy(keys[i], slots_key(slots, i), SLOT_KEY_BYTES);
	}
	slots_wipe(slots);
	slots_close(slots);
	// A crash may leave the end of the file half written: a torn key, zeros, whatever.
	assert_int_equal(truncate(path, 10000), 0);
	assert_int_equal(truncate(path, 70001), 0);
	const uint32_t used[] = {3, 1};
	slots = open_with(used, 2);
	assert_memory_equal(slots_file_id(slots), id, sizeof(id));
	assert_memory_equal(slots_key(slots, 1), keys[1], SLOT_KEY_BYTES);
	assert_memory_equal(slots_key(slots, 3), keys[3], SLOT_KEY_BYTES);
	uint32_t slot;
	slots_take(slots, &slot);
	assert_int_equal(slot, 2); // the hole first
	static const uint8_t zeros[SLOT_KEY_BYTES];
	for (uint32_t i = 4; i < 3000; i++) {
		slots_take(slots, &slot);
		assert_int_equal(slot, i);
		assert_memory_not_equal(slots_key(slots, slot), zeros, SLOT_KEY_BYTES);
	}
	slots_close(slots);
}

static void recovery_overwrites(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0);
	uint32_t slot;
	uint8_t before[SLOT_KEY_BYTES], after[SLOT_KEY_BYTES];
	slots_take(slots, &slot);
	slots_wipe(slots);
	read_key(slot, before);
	slots_close(slots);
	assert_int_equal(slots_open(path, &slots), ERR_OK);
	slots_forget(slots);
	const uint32_t nowhere[] = {0, SLOT_BATCH + 1, UINT32_MAX};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(slots_recover(slots, &nowhere[i], 1), ERR_INTERNAL);
		assert_int_equal(slots_use(slots, nowhere[i]), ERR_INTERNAL);
	}
	assert_int_equal(slots_recover(slots, &slot, 1), ERR_OK);
	assert_int_equal(slots_recover(slots, &slot, 1), ERR_OK);
	read_key(slot, after);
	assert_memory_not_equal(before, after, SLOT_KEY_BYTES);
	assert_int_equal(slots_use(slots, 1), ERR_OK);
	assert_int_equal(slots_use(slots, 1), ERR_INTERNAL);            // two intents with one slot
	assert_int_equal(slots_recover(slots, &slot, 1), ERR_INTERNAL); // pending, and in use
	slots_close(slots);
}

// No byte may be written from `bytes` on: what a full disk is to a growing file.
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_takes_nothing_back(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	struct slots *slots = open_with(NULL, 0);
	uint8_t before[SLOT_KEY_BYTES], after[SLOT_KEY_BYTES];
	uint32_t slot = 0;
	const uint32_t *wiped;
	for (int i = 0; i < SLOT_BATCH; i++)
		assert_int_equal(slots_take(slots, &slot), ERR_OK);
	slots_wipe(slots);
	limit_file_size(0);
	assert_int_equal(slots_take(slots, &slot), ERR_STORAGE_FULL);
	read_key(9, before);
	slots_doom(slots, 9);
	assert_int_equal(slots_wipe(slots), ERR_STORAGE_FULL);
	assert_true(slots_overdue(slots));
	assert_int_equal(slots_wiped(slots, &wiped), 0);
	slots_doom(slots, 10);
	slots_abort(slots); // of the next transaction: the overdue one stays doomed
	assert_null(slots_key(slots, 9));
	assert_non_null(slots_key(slots, 10));
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(slots_wipe(slots), ERR_OK);
	assert_false(slots_overdue(slots));
	assert_int_equal(slots_wiped(slots, &wiped), 1);
	read_key(9, after);
	assert_memory_not_equal(before, after, SLOT_KEY_BYTES);
	assert_int_equal(slots_take(slots, &slot), ERR_OK);
	assert_int_equal(slot, SLOT_BATCH + 1);
	slots_close(slots);
}

static void only_one_may_have_it_open(void **state)
{
	(void)state;
	struct slots *slots = open_with(NULL, 0), *second;
	assert_int_equal(slots_open(path, &second), ERR_UNAVAILABLE);
	slots_close(slots);
	slots_close(open_with(NULL, 0));
}

static void other_files_are_refused(void **state)
{
	(void)state;
	static const char *const contents[] = {"this is not a slot file, but it is long enough for a header",
	                                       "oyezkeys\0\0\0\2 of another version, long enough for a header"};
	struct slots *slots;
	for (size_t i = 0; i < 2; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(write(fd, contents[i], 50), 50);
		close(fd);
		assert_int_equal(slots_open(path, &slots), ERR_IO);
	}
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(slots_open(path, &slots), ERR_IO);
	unlink(path);
	assert_int_equal(slots_open("/nonexistent/keys", &slots), ERR_IO);
	// A header cut short was never referred to: it is written anew.
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, "oyez", 4), 4);
	close(fd);
	slots_close(open_with(NULL, 0));
}

static void in_memory_it_is_the_same(void **state)
{
	(void)state;
	struct slots *slots;
	assert_int_equal(slots_open(NULL, &slots), ERR_OK);
	slots_forget(slots);
	assert_int_equal(slots_ready(slots), ERR_OK);
	uint8_t before[SLOT_KEY_BYTES];
	for (uint32_t i = 1; i < 1000; i++) {
		uint32_t slot;
		assert_int_equal(slots_take(slots, &slot), ERR_OK);
		assert_int_equal(slot, i);
	}
	memcpy(before, slots_key(slots, 77), SLOT_KEY_BYTES);
	slots_wipe(slots);
	slots_forget(slots); // as after a crash
	assert_int_equal(slots_use(slots, 77), ERR_OK);
	assert_int_equal(slots_ready(slots), ERR_OK);
	assert_memory_equal(slots_key(slots, 77), before, SLOT_KEY_BYTES);
	slots_close(slots);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_FILE(fresh_slots_count_upwards_and_differ),
	    WITH_FILE(a_slots_life),
	    WITH_FILE(taken_and_doomed_in_one_transaction),
	    WITH_FILE(opening_keeps_used_keys_and_renews_the_rest),
	    WITH_FILE(recovery_overwrites),
	    WITH_FILE(a_full_disk_takes_nothing_back),
	    WITH_FILE(only_one_may_have_it_open),
	    WITH_FILE(other_files_are_refused),
	    cmocka_unit_test(in_memory_it_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
