// The store on disk when things go wrong: killed at any moment, killed between the commit and the wipe, a full disk,
// the wrong files; and what can be found in its files by somebody who reads them raw.
#define _GNU_SOURCE // memmem
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/store/store_internal.h"
#include "support_store.h"

static char directory[128];
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	support_directory_new(directory);
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	support_directory_remove(directory);
	arena_fini(&arena);
	return 0;
}

static struct store *open_store(uint64_t map_bytes)
{
	struct store *store;
	assert_int_equal(store_open(directory, map_bytes, &store), ERR_OK);
	return store;
}

static size_t post_of(uint64_t number, uint8_t post[2048])
{
	size_t count = 1 + number * 37 % 2048;
	support_bytes(number + 9000001, post, count);
	return count;
}

static void create(struct store *store, uint64_t number)
{
	uint8_t post[2048];
	struct intent intent = support_intent(number);
	store_intent_create(store, &intent, post, post_of(number, post));
	store_mailbox_append(store, &intent, number, post, 100);
	store_intent_put(store, &intent);
	struct match_header header = {.released_at_ms = number, .kind = FEED_RELEASE};
	support_bytes(number, (uint8_t *)&header.facets, sizeof(header.facets));
	store_feed_append(store, &header, intent.key, KEY_BYTES);
	store_timer_add(store, number, TIMER_INTENT_EXPIRE, &intent.id);
}

// The intent with its content, or wiped, just as it was acknowledged.
static void check_intent(struct store *store, uint64_t number, bool wiped)
{
	uint8_t post[2048];
	struct intent expected = support_intent(number), found;
	struct bytes bytes;
	uint64_t seq, at_ms;
	assert_true(store_intent_find(store, &expected.id, &found));
	assert_memory_equal(found.key, expected.key, KEY_BYTES);
	assert_int_equal(store_intent_post(store, &found, &arena, &bytes), !wiped);
	if (!wiped) {
		assert_memory_equal(&found.facets, &expected.facets, sizeof(struct facets));
		assert_int_equal(bytes.count, post_of(number, post));
		assert_memory_equal(bytes.at, post, bytes.count);
		assert_true(store_mailbox_next(store, &found, 0, &arena, &seq, &at_ms, &bytes));
		assert_true(seq == 1 && at_ms == number && bytes.count == 100);
		assert_false(store_mailbox_next(store, &found, 1, &arena, &seq, &at_ms, &bytes));
	}
	arena_reset(&arena);
}

// ---- kill -9

enum { ROUNDS = 40, PER_ROUND_MAX = 100000 };

// What the child says after a commit: numbers up to `created` exist, and up to `wiped` (less than that) are wiped.
struct acknowledged {
	uint64_t created, wiped;
};

static void wipe(struct store *store, uint64_t number)
{
	struct intent intent = support_intent(number);
	if (store_intent_find(store, &intent.id, &intent))
		store_intent_wipe(store, &intent);
}

// Commits batches of changing size until it is killed; compacts now and then.
_Noreturn static void child_commits(int pipe_end, struct acknowledged from)
{
	struct store *store;
	if (store_open(directory, 0, &store))
		_exit(1);
	for (uint64_t batch = 1;; batch++) {
		uint64_t count = 1 + batch * 7 % 40;
		store_begin(store);
		for (uint64_t i = 0; i < count; i++)
			create(store, ++from.created);
		for (uint64_t i = 0; i < count / 2; i++)
			wipe(store, ++from.wiped);
		if (store_commit(store) || write(pipe_end, &from, sizeof(from)) != sizeof(from))
			_exit(2);
		if (batch % 16 == 0 && store_compact(store))
			_exit(3);
	}
}

static void spin(uint64_t ns)
{
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((uint64_t)(now.tv_sec - start.tv_sec) * 1000000000 + (uint64_t)now.tv_nsec - (uint64_t)start.tv_nsec < ns);
}

// Kills the child a random moment after a random number of acknowledgements; gives back the last one.
static struct acknowledged run_and_kill(struct acknowledged from)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		child_commits(ends[1], from);
	}
	close(ends[1]);
	struct acknowledged heard;
	for (int left = 1 + rand() % 25; left > 0; left--)
		assert_int_equal(read(ends[0], &heard, sizeof(heard)), sizeof(heard));
	spin((uint64_t)(rand() % 3000000)); // anywhere in the batches or the compaction that follow
	assert_int_equal(kill(child, SIGKILL), 0);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	struct acknowledged more;
	while (read(ends[0], &more, sizeof(more)) == sizeof(more))
		heard = more;
	close(ends[0]);
	return heard;
}

// A batch that was not acknowledged may be there, but then the whole of it: gives back what is really there.
static struct acknowledged check_after_kill(struct acknowledged heard)
{
	struct store *store = open_store(0);
	store_begin(store);
	struct kv_cursor cursor;
	assert_false(kv_seek(store->kv, KV_WIPE, kv_start, &cursor)); // made good at opening
	struct acknowledged there = {store_feed_last(store), 0};
	assert_in_range(there.created, heard.created, heard.created + 40);
	struct intent intent;
	for (there.wiped = heard.wiped;; there.wiped++) {
		intent = support_intent(there.wiped + 1);
		if (!store_intent_find(store, &intent.id, &intent) || intent.mailbox_slot != SLOT_NONE)
			break;
	}
	for (uint64_t i = 1; i <= there.created; i++)
		check_intent(store, i, i <= there.wiped);
	intent = support_intent(there.created + 1);
	assert_false(store_intent_find(store, &intent.id, &intent));
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
	return there;
}

static void nothing_acknowledged_is_lost_to_a_kill(void **state)
{
	(void)state;
	const char *seed = getenv("OYEZ_TEST_SEED");
	srand(seed ? (unsigned)atoi(seed) : (unsigned)time(NULL));
	struct acknowledged there = {0, 0};
	for (int round = 0; round < ROUNDS; round++)
		there = check_after_kill(run_and_kill(there));
	print_message("%llu intents, %llu wiped\n", (unsigned long long)there.created, (unsigned long long)there.wiped);
}

// ---- reading the files raw

static uint8_t *read_file(const char *name, size_t *count)
{
	char path[512];
	struct stat stat_of;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat_of), 0);
	*count = (size_t)stat_of.st_size;
	uint8_t *bytes = malloc(*count + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *count), *count);
	close(fd);
	return bytes;
}

static bool file_holds(const char *name, const void *wanted, size_t wanted_count)
{
	size_t count;
	uint8_t *bytes = read_file(name, &count);
	bool found = memmem(bytes, count, wanted, wanted_count) != NULL;
	free(bytes);
	return found;
}

static bool any_file_holds(const void *wanted, size_t count)
{
	bool found = false;
	DIR *files = opendir(directory);
	for (struct dirent *entry; (entry = readdir(files));)
		if (entry->d_name[0] != '.')
			found |= file_holds(entry->d_name, wanted, count);
	closedir(files);
	return found;
}

static void what_customers_say_is_never_in_clear(void **state)
{
	(void)state;
	static const char said[] = "a sentinel of the post, as a customer says it";
	static const char answered[] = "a sentinel of an item in the mailbox";
	struct store *store = open_store(0);
	struct intent intents[50];
	for (uint64_t i = 0; i < 50; i++) {
		store_begin(store);
		intents[i] = support_intent(i + 1);
		intents[i].needed_by_day = 0xabcdef12;
		intents[i].patience_ms = UINT64_C(0x1122334455667788);
		memset(&intents[i].facets, 0x5a, sizeof(struct facets));
		store_intent_create(store, &intents[i], said, sizeof(said));
		store_mailbox_append(store, &intents[i], 1, answered, sizeof(answered));
		store_intent_put(store, &intents[i]);
		assert_int_equal(store_commit(store), ERR_OK);
	}
	static const uint8_t wanted[][8] = {{0xab, 0xcd, 0xef, 0x12},
	                                    {0x12, 0xef, 0xcd, 0xab},
	                                    {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
	                                    {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11},
	                                    {0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a}};
	for (size_t i = 0; i < 5; i++)
		assert_false(any_file_holds(wanted[i], i < 2 ? 4 : 8));
	assert_false(any_file_holds("a sentinel", 10));
	assert_true(any_file_holds(intents[7].key, KEY_BYTES)); // the search itself works

	// After the wipe the key is nowhere, so what is left of the content in free pages is noise, before any compaction.
	uint8_t keys[50][SLOT_KEY_BYTES];
	for (size_t i = 0; i < 50; i++)
		memcpy(keys[i], slots_key(store->slots, intents[i].mailbox_slot), SLOT_KEY_BYTES);
	store_begin(store);
	for (size_t i = 0; i < 50; i += 2) {
		intents[i].state = INTENT_WITHDRAWN;
		store_intent_wipe(store, &intents[i]);
	}
	assert_int_equal(store_commit(store), ERR_OK);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(any_file_holds(keys[i], SLOT_KEY_BYTES), i % 2);
	store_close(store);
}

// Purges every other record, a few at a time, each time followed by values of more than half a page. Such a value has a
// page of its own, and what stands behind it there is what the page's buffer held before: records still to be
// purged. LMDB's own compacting copy keeps such pages as they are.
static void purge_half(struct store *store)
{
	static const uint8_t large[2600];
	char name[16];
	for (uint64_t i = 1; i <= 1000; i += 10) {
		store_begin(store);
		for (uint64_t j = 0; j < 10; j += 2)
			store_feed_purge(store, i + j, 1);
		assert_int_equal(store_commit(store), ERR_OK);
		store_begin(store);
		for (unsigned j = 0; j < 10; j++) {
			snprintf(name, sizeof(name), "large %u", (unsigned)i + j);
			store_meta_put(store, name, large, sizeof(large));
		}
		assert_int_equal(store_commit(store), ERR_OK);
	}
}

static void compaction_leaves_no_deleted_byte(void **state)
{
	(void)state;
	struct store *store = open_store(0);
	struct match_header header = {.kind = FEED_RELEASE};
	struct intent intent;
	char release[64];
	store_begin(store);
	for (uint64_t i = 1; i <= 1000; i++) {
		snprintf(release, sizeof(release), "release sentinel %04u of the feed", (unsigned)i);
		store_feed_append(store, &header, release, strlen(release));
	}
	for (uint64_t i = 1; i <= 2000; i++)
		create(store, i);
	store_meta_put(store, "name", "meta sentinel", 13);
	assert_int_equal(store_commit(store), ERR_OK);
	purge_half(store);
	store_begin(store);
	for (uint64_t i = 1; i <= 1990; i++) {
		intent = support_intent(i);
		assert_true(store_intent_find(store, &intent.id, &intent));
		store_intent_delete(store, &intent);
	}
	store_meta_put(store, "name", "", 0);
	assert_int_equal(store_commit(store), ERR_OK);

	size_t left = 0;
	for (unsigned i = 1; i <= 1000; i += 2) {
		snprintf(release, sizeof(release), "release sentinel %04u of the feed", i);
		left += file_holds("data.mdb", release, strlen(release));
	}
	assert_true(left > 0);
	uint64_t bytes_before = store_bytes_used(store);
	assert_int_equal(store_compact(store), ERR_OK);
	for (unsigned i = 1; i <= 1000; i++) {
		snprintf(release, sizeof(release), "release sentinel %04u of the feed", i);
		assert_int_equal(any_file_holds(release, strlen(release)), i % 2 == 0);
	}
	assert_false(any_file_holds("meta sentinel", 13));
	intent = support_intent(1);
	assert_false(any_file_holds(intent.reply_key, KEY_BYTES));
	assert_true(store_bytes_used(store) + 2 * 1024 * 1024 < bytes_before);
	store_begin(store);
	for (uint64_t i = 1991; i <= 2000; i++)
		check_intent(store, i, false);
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
}

// ---- between the database's commit and the wipe

static void exit_now(void)
{
	_exit(7);
}

static void a_wipe_cut_short_is_made_good(void **state)
{
	(void)state;
	struct store *store = open_store(0);
	store_begin(store);
	create(store, 1);
	create(store, 2);
	assert_int_equal(store_commit(store), ERR_OK);
	uint8_t keys[3][SLOT_KEY_BYTES];
	memcpy(keys[1], slots_key(store->slots, 1), SLOT_KEY_BYTES);
	memcpy(keys[2], slots_key(store->slots, 2), SLOT_KEY_BYTES);
	store_close(store);
	pid_t child = fork();
	if (child == 0) {
		if (store_open(directory, 0, &store))
			_exit(1);
		store->after_database = exit_now;
		store_begin(store);
		wipe(store, 1);
		store_commit(store);
		_exit(2);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_true(file_holds("mailbox.keys", keys[1], SLOT_KEY_BYTES)); // the crash came before the overwriting
	store = open_store(0);
	assert_false(file_holds("mailbox.keys", keys[1], SLOT_KEY_BYTES));
	assert_true(file_holds("mailbox.keys", keys[2], SLOT_KEY_BYTES));
	store_begin(store);
	check_intent(store, 1, true);
	check_intent(store, 2, false);
	struct kv_cursor cursor;
	assert_false(kv_seek(store->kv, KV_WIPE, kv_start, &cursor));
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
}

// ---- full

// Creates intents in batches of ten from `number` on until the store is full; the first number that is not there.
static uint64_t fill(struct store *store, uint64_t number)
{
	for (;; number += 10) {
		store_begin(store);
		for (uint64_t i = 0; i < 10; i++)
			create(store, number + i);
		enum err err = store_commit(store);
		if (err) {
			assert_int_equal(err, ERR_STORAGE_FULL);
			return number;
		}
		assert_true(number < PER_ROUND_MAX);
	}
}

static void check_full(struct store *store, uint64_t end)
{
	store_begin(store);
	for (uint64_t i = 1; i < end; i++)
		check_intent(store, i, false);
	struct intent intent = support_intent(end);
	assert_false(store_intent_find(store, &intent.id, &intent));
	assert_int_equal(store_feed_last(store), end - 1);
	assert_int_equal(store_commit(store), ERR_OK);
}

static void delete_half(struct store *store, uint64_t end)
{
	for (uint64_t i = 1; i < end / 2; i++) {
		store_begin(store);
		struct intent intent = support_intent(i);
		assert_true(store_intent_find(store, &intent.id, &intent));
		store_intent_delete(store, &intent);
		assert_int_equal(store_commit(store), ERR_OK);
	}
}

static void a_full_map_changes_nothing(void **state)
{
	(void)state;
	struct store *store = open_store(2 * 1024 * 1024);
	uint64_t end = fill(store, 1);
	assert_true(end > 100);
	check_full(store, end);
	store_close(store);
	store = open_store(2 * 1024 * 1024);
	check_full(store, end);
	assert_int_equal(fill(store, end), end); // still full
	delete_half(store, end);
	assert_true(fill(store, end) > end);
	store_close(store);
	store = open_store(0); // a larger map later
	store_begin(store);
	check_intent(store, end, false);
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
}

// The file cannot grow, as on a full disk: writes fail inside LMDB's commit.
static void a_full_disk_changes_nothing(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit;
	struct store *store = open_store(0);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 2 * 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	uint64_t end = fill(store, 1);
	assert_true(end > 100);
	check_full(store, end);
	assert_int_equal(fill(store, end), end);
	limit.rlim_cur = 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(store_compact(store), ERR_STORAGE_FULL);
	assert_int_equal(access(directory, F_OK), 0);
	check_full(store, end);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	store_begin(store);
	create(store, end);
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
	store = open_store(0);
	check_full(store, end + 1);
	store_close(store);
}

// ---- the wrong files

static void copy_file(const char *from, const char *to)
{
	char path[512];
	size_t count;
	uint8_t *bytes = read_file(from, &count);
	snprintf(path, sizeof(path), "%s/%s", directory, to);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
	free(bytes);
}

static void remove_file(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
}

static void files_of_other_stores_are_refused(void **state)
{
	(void)state;
	struct store *store = open_store(0);
	log_set_level((enum log_level)(LOG_ERROR + 1));
	store_begin(store);
	create(store, 1);
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
	copy_file("data.mdb", "kept.mdb");
	copy_file("mailbox.keys", "kept.keys");

	remove_file("mailbox.keys"); // lost: a new file must not be taken for the old one
	assert_int_equal(store_open(directory, 0, &store), ERR_IO);
	assert_int_equal(store_open(directory, 0, &store), ERR_IO);
	copy_file("kept.keys", "mailbox.keys");
	char path[512];
	snprintf(path, sizeof(path), "%s/mailbox.keys", directory);
	assert_int_equal(truncate(path, 40), 0); // cut: slot 1 is gone
	assert_int_equal(store_open(directory, 0, &store), ERR_INTERNAL);
	copy_file("kept.keys", "mailbox.keys");
	copy_file("mailbox.keys", "data.mdb"); // no database at all
	assert_int_equal(store_open(directory, 0, &store), ERR_IO);
	copy_file("kept.mdb", "data.mdb");
	store = open_store(0);
	store_begin(store);
	check_intent(store, 1, false);
	store_meta_put(store, "store.format", "\0\0\0\x63", 4); // of a later version
	assert_int_equal(store_commit(store), ERR_OK);
	store_close(store);
	assert_int_equal(store_open(directory, 0, &store), ERR_IO);
	assert_null(store);
	assert_int_equal(store_open("/nonexistent/directory", 0, &store), ERR_IO);
	log_set_level(LOG_INFO);
}

static void two_processes_do_not_share_a_directory(void **state)
{
	(void)state;
	struct store *store = open_store(0), *second;
	assert_int_equal(store_open(directory, 0, &second), ERR_UNAVAILABLE);
	pid_t child = fork();
	if (child == 0)
		_exit(store_open(directory, 0, &second) == ERR_UNAVAILABLE ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	store_close(store);
	store_close(open_store(0));
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_DIRECTORY(nothing_acknowledged_is_lost_to_a_kill),
	    WITH_DIRECTORY(what_customers_say_is_never_in_clear),
	    WITH_DIRECTORY(compaction_leaves_no_deleted_byte),
	    WITH_DIRECTORY(a_wipe_cut_short_is_made_good),
	    WITH_DIRECTORY(a_full_map_changes_nothing),
	    WITH_DIRECTORY(a_full_disk_changes_nothing),
	    WITH_DIRECTORY(files_of_other_stores_are_refused),
	    WITH_DIRECTORY(two_processes_do_not_share_a_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
