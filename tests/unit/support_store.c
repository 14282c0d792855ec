// Helpers of the store's tests; see support_store.h.
#include "support_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

void support_directory_new(char path[128])
{
	const char *parent = getenv("TMPDIR");
	snprintf(path, 128, "%s/oyez-test-XXXXXX", parent && strlen(parent) < 100 ? parent : "/tmp");
	assert_non_null(mkdtemp(path));
}

void support_directory_remove(const char *path)
{
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));)
		unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	rmdir(path);
}

void support_store_open(struct support_store *support, bool in_memory)
{
	*support = (struct support_store){.in_memory = in_memory};
	if (in_memory) {
		support->store = store_open_memory();
		return;
	}
	support_directory_new(support->directory);
	assert_int_equal(store_open(support->directory, 0, &support->store), ERR_OK);
}

void support_store_reopen(struct support_store *support)
{
	if (support->in_memory) {
		store_crash(support->store);
		return;
	}
	store_close(support->store);
	support->store = NULL;
	assert_int_equal(store_open(support->directory, 0, &support->store), ERR_OK);
}

void support_store_close(struct support_store *support)
{
	store_close(support->store);
	support->store = NULL;
	if (!support->in_memory)
		support_directory_remove(support->directory);
}

void support_bytes(uint64_t number, uint8_t *out, size_t count)
{
	uint64_t mixed = 0;
	for (size_t i = 0; i < count; i++) {
		if (i % 8 == 0) { // splitmix64
			mixed = number * UINT64_C(0x9e3779b97f4a7c15) + (i + 1) * UINT64_C(0xd1b54a32d192ed03);
			mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
			mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
			mixed ^= mixed >> 31;
		}
		out[i] = (uint8_t)(mixed >> 8 * (i % 8));
	}
}

struct id support_id(uint64_t number)
{
	struct id id;
	support_bytes(number, id.bytes, sizeof(id.bytes));
	return id;
}

struct intent support_intent(uint64_t number)
{
	struct intent intent;
	memset(&intent, 0, sizeof(intent)); // padding too, so that whole structures can be compared
	intent.id = support_id(number);
	support_bytes(number + 1000001, intent.key, KEY_BYTES);
	support_bytes(number + 2000001, intent.reply_key, KEY_BYTES);
	intent.post_hash = support_id(number + 3000001);
	support_bytes(number + 4000001, intent.release_id.bytes, RELEASE_ID_BYTES);
	intent.state = INTENT_WAITING;
	intent.crowd_waived = 1;
	intent.coarsest_step = 7;
	intent.has_lists = 1;
	intent.suite = SUITE_X25519_CHACHA;
	intent.crowd_wish = 20;
	intent.needed_by_day = 20850;
	intent.deals_max = 3;
	intent.deals_open = 2;
	intent.deals_done = 1;
	intent.deals_bound = 2;
	intent.vendor_count = 5;
	intent.offer_count = 6;
	intent.mailbox_next = 1;
	intent.posted_at_ms = UINT64_C(1801440000000) + number;
	intent.expires_at_ms = intent.posted_at_ms + DAY_MS;
	intent.released_at_ms = intent.posted_at_ms + 5000;
	intent.ended_at_ms = intent.posted_at_ms + 6000;
	intent.patience_ms = 123456;
	intent.release_seq = number;
	intent.crowd = 9;
	support_bytes(number + 5000001, (uint8_t *)&intent.facets, sizeof(intent.facets));
	return intent;
}
