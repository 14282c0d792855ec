#include "prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "broker/base/clock.h"
#include "child.h"
#include "proto/codec.h"
#include "proto/region.h"
#include "proto/sign.h"
#include "proto/taxonomy.h"

enum { PER_TRANSACTION = 10000, PATIENCE_MS = 600000 };

static uint64_t random_state = 42;

static uint32_t below(uint32_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % limit;
}

static void fill(void *out, size_t count)
{
	for (uint8_t *at = out; count--;)
		*at++ = (uint8_t)below(256);
}

struct store *prepared_open(const char *folder)
{
	char path[300];
	struct store *store;
	snprintf(path, sizeof path, "%s/data", folder);
	enum err err = store_open(path, 0, &store);
	if (err)
		give_up("the store in %s: %s", path, err_name(err));
	return store;
}

const char *prepared_folder(void)
{
	struct oyezd oyezd;
	const char *folder = folder_new();
	oyezd_start(&oyezd, folder, NULL);
	oyezd_stop(&oyezd);
	return folder;
}

static void begin_some(struct store *store, size_t number)
{
	if (number % PER_TRANSACTION == 0)
		store_begin(store);
}

static void commit_some(struct store *store, size_t number, size_t count)
{
	if ((number + 1) % PER_TRANSACTION != 0 && number + 1 != count)
		return;
	enum err err = store_commit(store);
	if (err)
		give_up("filling a store: %s", err_name(err));
}

// ---- words, as they stand in messages

static uint32_t any_category(void)
{
	return below(taxonomy_tree(taxonomy_builtin())->count);
}

static uint32_t any_region(void)
{
	static const char *const places[] = {"FR-56", "FR-29",  "FR-75",  "FR-13", "FR-33",
	                                     "FR-59", "FR-BRE", "FR-IDF", "FR"};
	return region_find(places[below(sizeof places / sizeof *places)]);
}

static char *words(const char *text)
{
	return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData view(const void *at, size_t count)
{
	return (ProtobufCBinaryData){.len = count, .data = (uint8_t *)(uintptr_t)at};
}

static struct facets any_facets(void)
{
	return (struct facets){
	    .category = any_category(),
	    .region = any_region(),
	    .currency = 978,
	    .budget_max_e4 = INT64_C(100000) << below(8),
	    .language = 'f' << 8 | 'r',
	    .terms = 1,
	    .expires = 3,
	};
}

static void words_of(const struct facets *facets, Oyez__Facets *out, Oyez__Budget *budget)
{
	oyez__facets__init(out);
	oyez__budget__init(budget);
	budget->max_e4 = facets->budget_max_e4;
	budget->currency = words("EUR");
	out->category = words(taxonomy_id(taxonomy_builtin(), facets->category));
	out->region = words(region_code(facets->region));
	out->budget = facets->currency ? budget : NULL;
	out->terms = words("SD-BASE");
	out->language = words("fr");
}

// ---- intents

static void append_release(struct store *store, struct intent *intent)
{
	uint8_t bytes[RELEASE_BYTES_MAX];
	Oyez__Release release = OYEZ__RELEASE__INIT;
	Oyez__Facets facets;
	Oyez__Budget budget;
	words_of(&intent->facets, &facets, &budget);
	release.release_id = view(intent->release_id.bytes, RELEASE_ID_BYTES);
	release.suite = intent->suite;
	release.intent_key = view(intent->key, KEY_BYTES);
	release.reply_key = view(intent->reply_key, KEY_BYTES);
	release.facets = &facets;
	release.crowd = intent->crowd;
	release.released_at_ms = intent->released_at_ms;
	release.home_broker = view(intent->reply_key, KEY_BYTES);
	struct match_header header = {
	    .facets = intent->facets,
	    .released_at_ms = intent->released_at_ms,
	    .release_seq = store_feed_last(store) + 1,
	    .crowd = intent->crowd,
	    .kind = FEED_RELEASE,
	};
	intent->release_seq = store_feed_append(store, &header, bytes, oyez__release__pack(&release, bytes));
}

static void create_intent(struct store *store, bool released)
{
	uint64_t now_ms = clock_now_ms();
	uint8_t packed[1024];
	Oyez__Post post = OYEZ__POST__INIT;
	Oyez__Facets facets;
	Oyez__Budget budget;
	struct intent intent = {
	    .state = INTENT_WAITING,
	    .suite = SUITE_X25519_CHACHA,
	    .deals_max = 1,
	    .mailbox_next = 1,
	    .posted_at_ms = now_ms,
	    .expires_at_ms = now_ms + 7 * DAY_MS,
	    .patience_ms = PATIENCE_MS,
	    .facets = any_facets(),
	};
	fill(intent.key, KEY_BYTES);
	fill(intent.reply_key, KEY_BYTES);
	fill(intent.post_hash.bytes, ID_BYTES);
	fill(intent.release_id.bytes, RELEASE_ID_BYTES);
	intent.id = intent_id_of(intent.key);
	words_of(&intent.facets, &facets, &budget);
	post.suite = intent.suite;
	post.reply_key = view(intent.reply_key, KEY_BYTES);
	post.facets = &facets;
	post.expires_at_ms = intent.expires_at_ms;
	post.deals_max = 1;
	store_intent_create(store, &intent, packed, oyez__post__pack(&post, packed));
	store_timer_add(store, intent.expires_at_ms, TIMER_INTENT_EXPIRE, &intent.id);
	if (!released)
		return;
	intent.state = INTENT_RELEASED;
	intent.released_at_ms = now_ms;
	intent.crowd = 1;
	append_release(store, &intent);
	store_intent_put(store, &intent);
}

void prepared_intents(struct store *store, size_t count, bool released)
{
	for (size_t i = 0; i < count; i++) {
		begin_some(store, i);
		create_intent(store, released);
		commit_some(store, i, count);
	}
}

// ---- subscriptions

static void put_vendor(struct store *store, struct vendor *vendor)
{
	static const uint8_t listing[] = {0};
	*vendor = (struct vendor){.status = OYEZ__VENDOR_STATUS__VENDOR_APPROVED, .registered_at_ms = 1, .inbox_next = 1};
	fill(vendor->key, KEY_BYTES);
	vendor->id = vendor_id_of(vendor->key);
	vendor->facts = (struct vendor_facts){.country = 'F' << 8 | 'R', .terms_mask = 1};
	vendor->listing = (struct bytes){listing, 0};
	store_vendor_put(store, vendor);
}

static void put_subscription(struct store *store, const struct id *vendor)
{
	uint8_t packed[1024];
	Oyez__Filter filter = OYEZ__FILTER__INIT;
	Oyez__Budget budget = OYEZ__BUDGET__INIT;
	char *categories[2], *regions[1];
	struct subscription row = {.vendor = *vendor, .made_at_ms = 1};
	fill(row.id.bytes, ID_BYTES);
	for (filter.n_categories = 0; filter.n_categories < 1 + below(2);)
		categories[filter.n_categories++] = words(taxonomy_id(taxonomy_builtin(), any_category()));
	regions[0] = words(region_code(any_region()));
	filter.categories = categories;
	filter.regions = regions;
	filter.n_regions = below(3) > 0;
	budget.min_e4 = 100000;
	budget.max_e4 = INT64_C(1000000) << below(6);
	budget.currency = words("EUR");
	if (below(2))
		filter.budget = &budget;
	row.filter = (struct bytes){packed, oyez__filter__pack(&filter, packed)};
	store_subscription_put(store, &row);
}

void prepared_subscriptions(struct store *store, size_t count)
{
	struct vendor vendor;
	for (size_t i = 0; i < count; i++) {
		begin_some(store, i);
		if (i % SUBSCRIPTIONS_PER_VENDOR_MAX == 0)
			put_vendor(store, &vendor);
		put_subscription(store, &vendor.id);
		commit_some(store, i, count);
	}
}

// ---- a feed

void prepared_feed(struct store *store, size_t count, size_t each, const char *category)
{
	const struct tree *categories = taxonomy_tree(taxonomy_builtin());
	uint32_t wanted = taxonomy_find(taxonomy_builtin(), category);
	uint64_t now_ms = clock_now_ms();
	for (size_t i = 0; i < count; i++) {
		struct intent intent = {
		    .suite = SUITE_X25519_CHACHA, .crowd = 5, .released_at_ms = now_ms, .facets = any_facets()};
		uint64_t number = i + 1;
		while (tree_contains(categories, wanted, intent.facets.category) ||
		       tree_contains(categories, intent.facets.category, wanted))
			intent.facets.category = any_category();
		if (number % each == 0)
			intent.facets.category = wanted;
		memcpy(intent.release_id.bytes, &number, sizeof number);
		begin_some(store, i);
		append_release(store, &intent);
		commit_some(store, i, count);
	}
}
