// The feed's writing side: releases, tombstones, and who is to be woken. Reading it for a vendor stands in fetch.c.
//
// A tombstone's record: header of the release it ends (so that it matches the same filters), then
//   made at (8, big-endian) ‖ Release without its keys
// The words are the class facets, known to everybody who saw the release, and let a new taxonomy renumber them.
#include "broker/base/cursor.h"
#include "internal.h"

#include <stdlib.h>

enum { TRIM_PER_SLICE = 512, INBOXES_PER_SLICE = 64, INBOX_ITEMS_PER_SLICE = 256 };

static void remember_hit(struct listener *listener, uint64_t seq)
{
	if (listener->hit_count == HITS_MAX) {
		listener->hits_after = listener->hits[listener->hit_first];
		listener->hit_first = (listener->hit_first + 1) % HITS_MAX;
		listener->hit_count--;
	}
	listener->hits[(listener->hit_first + listener->hit_count++) % HITS_MAX] = seq;
}

void feed_announce(struct service *service, const struct match_header *header, uint64_t seq, struct bytes bytes)
{
	struct tail_item item;
	if (seq == 0)
		return; // the transaction has failed
	if (feed_item_encode(service, seq, header, bytes, &item))
		feed_tail_add(&service->tail, seq, header, item.bytes, item.count);
	else
		feed_tail_reset(&service->tail, seq);
	if (!service->hits_of.kind || !match_alike(header, &service->hits_of)) {
		index_match(service->index, header, &service->hits);
		service->hits_of = *header;
	}
	for (size_t i = 0; i < service->hits.count; i++) {
		struct listener *listener = &service->listeners[service->hits.items[i].number];
		remember_hit(listener, seq);
		if (listener->woken == service->parking.generation)
			continue; // everybody who waits for it has been woken
		listener->woken = service->parking.generation;
		parking_wake(service, &listener->id);
	}
	service->numbers.feed_length++;
	service->wrote = true;
}

void feed_release(struct service *service, struct intent *intent)
{
	struct match_header header;
	intent->release_seq = store_feed_last(service->store) + 1;
	release_header(intent, &header);
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &release_message(service, intent, true)->base);
	intent->release_seq = store_feed_append(service->store, &header, bytes.data, bytes.len);
	header.release_seq = intent->release_seq;
	feed_announce(service, &header, intent->release_seq, (struct bytes){bytes.data, bytes.len});
	estimate_release(service, &intent->facets, intent->crowd, intent->released_at_ms);
	service->numbers.releases++;
}

void feed_purge(struct service *service, uint64_t seq, enum _Oyez__GoneReason reason)
{
	store_feed_purge(service->store, seq, (uint8_t)reason);
	feed_tail_purge(&service->tail, seq, (uint8_t)reason);
}

void feed_tombstone(struct service *service, struct intent *intent, enum _Oyez__GoneReason reason)
{
	struct match_header header;
	if (intent->release_seq >= store_feed_first(service->store))
		feed_purge(service, intent->release_seq, reason);
	release_header(intent, &header);
	feed_tombstone_append(service, &header, release_message(service, intent, false), reason);
	intent->release_seq = 0;
}

void feed_tombstone_append(struct service *service, const struct match_header *release_header,
                           const Oyez__Release *message, enum _Oyez__GoneReason reason)
{
	struct match_header header = *release_header;
	header.kind = FEED_TOMBSTONE;
	header.gone_reason = (uint8_t)reason;
	const ProtobufCMessage *release = &message->base;
	size_t count = 8 + protobuf_c_message_get_packed_size(release);
	uint8_t *bytes = arena_alloc(&service->arena, count);
	struct writer writer;
	writer_init(&writer, bytes, count);
	writer_u64(&writer, service->now_ms);
	protobuf_c_message_pack(release, bytes + 8);
	uint64_t seq = store_feed_append(service->store, &header, bytes, count);
	feed_announce(service, &header, seq, (struct bytes){bytes, count});
}

bool feed_tombstone_read(struct service *service, struct bytes bytes, uint64_t *at_ms, Oyez__Release **release)
{
	struct reader reader;
	reader_init(&reader, bytes.at, bytes.count);
	*at_ms = reader_u64(&reader);
	if (reader.failed)
		return false;
	*release = wire_unpack(&service->arena, &oyez__release__descriptor, bytes.at + 8, bytes.count - 8);
	return *release != NULL;
}

// ---- upkeep

// A tombstone stands under its release's time but is kept from its own.
static uint64_t kept_from_ms(struct service *service, const struct match_header *header, struct bytes bytes)
{
	uint64_t at_ms;
	Oyez__Release *release;
	if (header->kind == FEED_TOMBSTONE && feed_tombstone_read(service, bytes, &at_ms, &release))
		return at_ms;
	return header->released_at_ms;
}

void feed_trim(struct service *service)
{
	struct match_header header;
	struct bytes bytes;
	if (service->now_ms < service->config.retention_ms)
		return;
	uint64_t before_ms = service->now_ms - service->config.retention_ms;
	for (int i = 0; i < TRIM_PER_SLICE; i++) {
		uint64_t first = store_feed_first(service->store);
		// The last record stays: positions go on from it.
		if (first >= store_feed_last(service->store) || !store_feed_get(service->store, first, &header, &bytes) ||
		    kept_from_ms(service, &header, bytes) >= before_ms || store_feed_trim(service->store, before_ms, 1) == 0)
			return;
		service->numbers.feed_length--;
		service->wrote = true;
	}
}

void inboxes_trim(struct service *service)
{
	if (service->vendor_count == 0 || service->now_ms < service->config.retention_ms)
		return;
	uint64_t before_ms = service->now_ms - service->config.retention_ms;
	for (uint32_t i = 0; i < INBOXES_PER_SLICE && i < service->vendor_count; i++) {
		uint32_t number = service->next_trim_vendor++ % service->vendor_count;
		if (store_inbox_trim(service->store, &service->vendors[number].id, before_ms, INBOX_ITEMS_PER_SLICE) > 0)
			service->wrote = true;
	}
}

// ---- a new taxonomy

static const Oyez__Release *words_of(struct service *service, const struct match_header *header, struct bytes bytes)
{
	uint64_t at_ms;
	Oyez__Release *release;
	if (header->kind == FEED_TOMBSTONE)
		return feed_tombstone_read(service, bytes, &at_ms, &release) ? release : NULL;
	if (header->kind == FEED_RELEASE)
		return wire_unpack(&service->arena, &oyez__release__descriptor, bytes.at, bytes.count);
	return NULL; // purged: never matched again
}

struct live_intents {
	struct intent *items;
	size_t count, room;
};

static bool collect_live(void *context, const struct intent *intent)
{
	struct live_intents *live = context;
	if (!intent_readable(intent))
		return true;
	if (live->count == live->room) {
		live->room = live->room ? live->room * 2 : 256;
		live->items = realloc(live->items, live->room * sizeof *live->items);
		if (!live->items)
			abort();
	}
	live->items[live->count++] = *intent;
	return true;
}

// A waiting intent's words stand in its post, a released one's in the feed: the post is finer than what was published.
static void renumber_intent(struct service *service, struct intent *intent)
{
	struct bytes bytes;
	struct match_header header;
	const Oyez__Release *release = NULL;
	Oyez__Release posted = OYEZ__RELEASE__INIT;
	if (intent->state == INTENT_WAITING && store_intent_post(service->store, intent, &service->arena, &bytes)) {
		Oyez__Post *post = wire_unpack(&service->arena, &oyez__post__descriptor, bytes.at, bytes.count);
		posted.facets = post ? post->facets : NULL;
		release = posted.facets ? &posted : NULL;
	} else if (intent->release_seq && store_feed_get(service->store, intent->release_seq, &header, &bytes)) {
		release = words_of(service, &header, bytes);
	}
	if (release) {
		intent->facets = facets_of_release(service->config.taxonomy, release);
	} else {
		intent->facets.category = TREE_NONE;
		intent->facets.region = TREE_NONE;
	}
	store_intent_put(service->store, intent);
}

void feed_renumber(struct service *service)
{
	struct match_header header;
	struct bytes bytes;
	uint64_t last = store_feed_last(service->store);
	for (uint64_t seq = store_feed_first(service->store); seq <= last; seq++) {
		const Oyez__Release *release;
		if (!store_feed_get(service->store, seq, &header, &bytes) || !(release = words_of(service, &header, bytes)))
			continue;
		header.facets = facets_of_release(service->config.taxonomy, release);
		store_feed_renumber(service->store, seq, &header);
	}
	struct live_intents live = {0};
	store_intent_each(service->store, collect_live, &live);
	for (size_t i = 0; i < live.count; i++)
		renumber_intent(service, &live.items[i]);
	free(live.items);
}
