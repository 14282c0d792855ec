// Catching up for real: a store on disk, the state thread, readers beside it, and a feed that grows meanwhile. Several
// readers far behind must get every event once and in order, with commits and compactions in between.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>

#include "broker/base/clock.h"
#include "broker/sequencer/local.h"
#include "broker/service/internal.h"
#include "proto/region.h"
#include "support_service.h"
#include "support_store.h"

enum { BEFORE = 12000, ROUNDS = 40, PER_ROUND = 100, ALL = BEFORE + ROUNDS * PER_ROUND, EACH = 4, READER_COUNT = 6 };

struct set {
	struct support_service support; // its service is the sequencer's
	char directory[128];
	struct sequencer *sequencer;
	uint32_t published;
};

// One vendor's run from the start to the end of the feed.
struct run {
	struct set *set;
	struct command command;
	Oyez__Fetch fetch;
	Oyez__FetchPair pair, *pairs[1];
	struct id subscription;
	uint8_t cursor[CURSOR_BYTES];
	uint32_t next;
	atomic_bool failed, done;
};

static void stub_sign(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                      uint8_t signature[SIGNATURE_BYTES])
{
	(void)context, (void)tag, (void)record, (void)record_bytes;
	memset(signature, 0, SIGNATURE_BYTES);
}

static enum err stub_countersign_check(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                                       const uint8_t signature_hash[HASH_BYTES], const uint8_t *signature)
{
	(void)context, (void)vendor_key, (void)deal, (void)signature_hash, (void)signature;
	return ERR_OK;
}

static void open_on_disk(struct set *set)
{
	struct service_signer signer = {.sign = stub_sign, .countersign_check = stub_countersign_check};
	support_service_open(&set->support);
	service_free(set->support.service);
	store_close(set->support.store);
	memset(signer.broker_key, 'B', KEY_BYTES);
	support_directory_new(set->directory);
	assert_int_equal(store_open(set->directory, 0, &set->support.store), ERR_OK);
	set->support.now_ms = clock_now_ms();
	set->support.config.parked_max = 100;
	set->support.config.tail_records = 256;
	assert_int_equal(
	    service_new(&set->support.config, &signer, set->support.store, set->support.now_ms, &set->support.service),
	    ERR_OK);
}

static void send(struct run *run)
{
	if (sequencer_submit(run->set->sequencer, &run->command) != ERR_OK)
		run->failed = run->done = true;
}

static bool take(struct run *run, const struct effect *effect)
{
	Oyez__Reply *reply;
	bool good = effect->bytes && codec_decode_reply(NULL, effect->bytes, effect->count, &reply, NULL) == ERR_OK;
	if (!good)
		return false;
	good = reply->body_case == OYEZ__REPLY__BODY_FETCH;
	for (size_t i = 0; good && i < reply->fetch->n_items; i++, run->next += EACH) {
		uint32_t number;
		memcpy(&number, reply->fetch->items[i]->release_id.data, sizeof number);
		good = number == run->next;
	}
	if (good)
		memcpy(run->cursor, reply->fetch->scanned[0].data, CURSOR_BYTES);
	oyez__reply__free_unpacked(reply, NULL);
	return good;
}

// On the state thread.
static void on_reply(void *context, const struct effect *effect)
{
	struct run *run = (struct run *)context + (effect->origin - 1);
	if (!take(run, effect)) {
		run->failed = run->done = true;
		return;
	}
	run->pair.after = wire_bytes(run->cursor, CURSOR_BYTES);
	if (run->next >= ALL)
		run->done = true;
	else
		send(run);
}

static void publish(struct set *set, struct service *service, uint32_t count)
{
	uint8_t seed[32] = {'f'};
	struct sign_pair pair;
	sign_pair_from_seed(&pair, seed);
	service_begin(service, clock_now_ms());
	for (uint32_t end = set->published + count; set->published < end; set->published++) {
		struct intent intent = {.state = INTENT_RELEASED, .crowd = 1, .suite = SUITE_X25519_CHACHA};
		bool coffee = set->published % EACH == 0;
		memcpy(intent.key, pair.public_key, KEY_BYTES);
		memset(intent.reply_key, 0x21, KEY_BYTES);
		memcpy(intent.release_id.bytes, &set->published, sizeof set->published);
		intent.facets.category =
		    taxonomy_find(set->support.config.taxonomy, coffee ? "home.kitchen.coffee-machine" : "mobility.bicycles");
		intent.facets.region = region_find("FR-56");
		intent.facets.expires = 1;
		intent.released_at_ms = clock_now_ms();
		feed_release(service, &intent);
	}
	service_commit(service);
}

// Between batches; every tenth time the files are swapped under the readers.
static void publish_some(void *context, struct service *service)
{
	struct set *set = context;
	publish(set, service, PER_ROUND);
	if (set->published / PER_ROUND % 10 == 0)
		store_compact(set->support.store);
}

static struct id subscribe(struct set *set)
{
	char *categories[] = {TEXT("home.kitchen")};
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Subscribe message = OYEZ__SUBSCRIBE__INIT;
	filter.categories = categories;
	filter.n_categories = 1;
	message.filter = &filter;
	message.random = support_fresh(&set->support, 16);
	const Oyez__Reply *reply = support_vendor(&set->support, 1, COMMAND_SUBSCRIBE, &message.base);
	assert_vendor_error(reply, ERR_OK);
	return id_of_wire(reply->ack->id);
}

static void run_prepare(struct run *run, struct set *set, uint64_t origin)
{
	*run = (struct run){.set = set, .fetch = OYEZ__FETCH__INIT, .pair = OYEZ__FETCH_PAIR__INIT};
	run->subscription = subscribe(set);
	run->pair.subscription_id = wire_id(&run->subscription);
	run->pairs[0] = &run->pair;
	run->fetch.pairs = run->pairs;
	run->fetch.n_pairs = 1;
	run->fetch.wait_ms = 20000;
	run->command = (struct command){
	    .kind = COMMAND_FETCH, .origin = origin, .sender = support_vendor_id(1), .payload = &run->fetch.base};
}

static void test_readers_far_behind(void **state)
{
	(void)state;
	static struct set set;
	static struct run runs[READER_COUNT];
	open_on_disk(&set);
	support_vendor_join(&set.support, 1);
	for (uint64_t i = 0; i < READER_COUNT; i++)
		run_prepare(&runs[i], &set, i + 1);
	publish(&set, set.support.service, BEFORE);
	assert_int_equal(sequencer_start(set.support.service, on_reply, runs, &set.sequencer), ERR_OK);
	for (int i = 0; i < READER_COUNT; i++)
		send(&runs[i]);
	for (int round = 0; round < ROUNDS; round++)
		sequencer_call(set.sequencer, publish_some, &set);
	for (int i = 0; i < READER_COUNT; i++)
		while (!runs[i].done)
			sched_yield(); // ctest's time-out is the deadline
	sequencer_stop(set.sequencer);
	for (int i = 0; i < READER_COUNT; i++) {
		assert_false(runs[i].failed);
		assert_int_equal(runs[i].next, ALL);
	}
	sequencer_free(set.sequencer);
	support_service_close(&set.support);
	support_directory_remove(set.directory);
}

int main(void)
{
	clock_init();
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_far_behind)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
