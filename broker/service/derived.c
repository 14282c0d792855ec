// What the service keeps in memory beside the store: loaded at the start and after a failed commit, and kept in step
// by the handlers. The store is the truth; nothing here is written back.
#include "internal.h"

#include <stdlib.h>

#include "broker/base/large.h"
#include "loading.h"

static void *grown(void *items, uint32_t count, uint32_t *room, size_t item_bytes)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 64;
	items = realloc(items, *room * item_bytes);
	if (!items)
		abort();
	return items;
}

// ---- subscriptions

static uint32_t free_listener(struct service *service)
{
	uint32_t number = service->listener_free;
	while (number < service->listener_count && service->listeners[number].used)
		number++;
	service->listener_free = number + 1;
	if (number < service->listener_count)
		return number;
	service->listeners =
	    grown(service->listeners, service->listener_count, &service->listener_room, sizeof *service->listeners);
	return service->listener_count++;
}

struct listener *listener_find(struct service *service, const struct id *id)
{
	uint32_t number;
	return id_map_find(&service->listener_numbers, id, &number) ? &service->listeners[number] : NULL;
}

void listeners_reserve(struct service *service, size_t count)
{
	id_map_reserve(&service->listener_numbers, count);
	if (count <= service->listener_room || count > UINT32_MAX)
		return;
	service->listeners = realloc(service->listeners, count * sizeof *service->listeners);
	if (!service->listeners)
		abort();
	large_advise(service->listeners, count * sizeof *service->listeners);
	service->listener_room = (uint32_t)count;
}

struct listener *listener_load(struct service *service, const struct subscription *row, const struct filter *filter)
{
	uint32_t number = free_listener(service);
	struct listener *listener = &service->listeners[number];
	uint64_t last = store_feed_last(service->store);
	*listener = (struct listener){
	    .id = row->id,
	    .vendor = row->vendor,
	    .made_at_ms = row->made_at_ms,
	    .start_seq = row->start_seq,
	    .confirmed_seq = row->confirmed_seq,
	    // What an earlier process sent is not known: anything may have reached the vendor.
	    .received_seq = last,
	    .hits_after = last,
	    .used = true,
	    .indexed = filter != NULL,
	};
	id_map_put(&service->listener_numbers, &row->id, number);
	vendor_note_of(service, &row->vendor)->subscription_count++;
	if (filter)
		index_insert(service->index, number, filter);
	service->hits_of.kind = 0;
	return listener;
}

struct listener *listener_add(struct service *service, const struct subscription *row)
{
	struct filter filter;
	struct detail detail = {.suggestions_left = 0};
	Oyez__Filter *words = wire_unpack(&service->arena, &oyez__filter__descriptor, row->filter.at, row->filter.count);
	bool known = words && filter_of_words(service->config.taxonomy, words, &service->arena, &filter, &detail) == ERR_OK;
	return listener_load(service, row, known ? &filter : NULL);
}

void listener_remove(struct service *service, struct listener *listener)
{
	uint32_t number = (uint32_t)(listener - service->listeners);
	if (listener->indexed)
		index_remove(service->index, number);
	service->hits_of.kind = 0;
	id_map_remove(&service->listener_numbers, &listener->id);
	vendor_note_of(service, &listener->vendor)->subscription_count--;
	listener->used = false;
	if (number < service->listener_free)
		service->listener_free = number;
}

// ---- vendors

struct vendor_note *vendor_note_of(struct service *service, const struct id *id)
{
	uint32_t number;
	if (id_map_find(&service->vendor_numbers, id, &number))
		return &service->vendors[number];
	service->vendors = grown(service->vendors, service->vendor_count, &service->vendor_room, sizeof *service->vendors);
	number = service->vendor_count++;
	service->vendors[number] = (struct vendor_note){.id = *id};
	id_map_put(&service->vendor_numbers, id, number);
	return &service->vendors[number];
}

static bool load_vendor(void *context, const struct vendor *vendor)
{
	vendor_note_of(context, &vendor->id);
	return true;
}

// ---- intents

static void load_waiting(void *context, const struct intent *intent)
{
	struct service *service = context;
	waiting_add(&service->waiting, intent);
}

static void load_intents(struct service *service)
{
	struct intent_totals totals;
	store_intent_each_waiting(service->store, &totals, load_waiting, service);
	service->numbers.intents_released = totals.released;
	service->numbers.deals_open = totals.deals_open;
}

// ---- the feed

void estimate_release(struct service *service, const struct facets *facets, uint32_t crowd, uint64_t at_ms)
{
	if (crowd >= service->config.crowd)
		estimate_add(&service->estimate, &service->trees, facets, at_ms);
}

static bool load_release(void *context, const struct match_header *header)
{
	struct service *service = context;
	if (header->kind != FEED_TOMBSTONE && header->released_at_ms + DAY_MS > service->now_ms)
		estimate_release(service, &header->facets, header->crowd, header->released_at_ms);
	return true;
}

static void load_meta(struct service *service)
{
	struct bytes bytes;
	uint64_t seen_ms;
	service->incarnation = 1;
	if (store_meta_get(service->store, "incarnation", &service->arena, &bytes) && bytes.count == 4)
		memcpy(&service->incarnation, bytes.at, 4);
	else
		store_meta_put(service->store, "incarnation", &service->incarnation, 4);
	// A clock that stands before what was already promised is wrong; time does not run back.
	if (store_meta_get(service->store, "now_ms", &service->arena, &bytes) && bytes.count == sizeof seen_ms) {
		memcpy(&seen_ms, bytes.at, sizeof seen_ms);
		if (seen_ms > service->now_ms)
			service->now_ms = seen_ms;
	}
}

static void load_taxonomy(struct service *service)
{
	uint8_t hash[HASH_BYTES];
	struct bytes known;
	taxonomy_hash(service->config.taxonomy, hash);
	bool found = store_meta_get(service->store, "taxonomy", &service->arena, &known);
	if (found && known.count == sizeof hash && memcmp(known.at, hash, sizeof hash) == 0)
		return;
	if (found)
		feed_renumber(service);
	store_meta_put(service->store, "taxonomy", hash, sizeof hash);
}

enum err derived_load(struct service *service)
{
	bool first = service->numbers.commits == 0 && service->numbers.commit_failures == 0;
	service->index = index_new(&service->trees);
	store_begin(service->store);
	store_vendor_each(service->store, load_vendor, service);
	// From here to loading_end others are at work on the listeners, the index and the vendors.
	struct loading *loading = loading_begin(service);
	if (first) {
		load_meta(service);
		load_taxonomy(service);
		store_feed_scan_headers(service->store, load_release, service);
		estimate_commit(&service->estimate);
	}
	load_intents(service);
	boxes_load(service);
	bool all = guardian_load(service);
	if (!loading_end(loading) || !all) {
		store_abort(service->store);
		return ERR_INTERNAL;
	}
	uint64_t last = store_feed_last(service->store);
	feed_tail_reset(&service->tail, last);
	service->numbers.feed_length = last ? last - store_feed_first(service->store) + 1 : 0;
	if (first)
		return store_commit(service->store);
	enum err err = store_error(service->store);
	store_abort(service->store);
	return err;
}

void derived_unload(struct service *service)
{
	index_free(service->index);
	index_hits_fini(&service->hits);
	service->hits_of.kind = 0;
	service->index = NULL;
	// Answers kept may hold records that were never committed.
	fetch_cache_free(service->fetch_cache);
	service->fetch_cache = NULL;
	boxes_unload(service);
	for (uint32_t i = 0; i < service->vendor_count; i++)
		standing_forget(&service->vendors[i]);
	confirmed_forget(service);
	free(service->listeners);
	free(service->vendors);
	service->listeners = NULL;
	service->vendors = NULL;
	service->listener_count = service->listener_room = service->listener_free = 0;
	service->vendor_count = service->vendor_room = 0;
	id_map_clear(&service->listener_numbers);
	id_map_clear(&service->vendor_numbers);
	waiting_clear(&service->waiting);
	guardian_unload(service);
}
