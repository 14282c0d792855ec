// Reading the feed for a vendor: cursors, catching up, waiting for what is new, and why a release did not match.
//
// A subscription is served from a position on: every later event that its filter and the customer's rules let through.
// A tombstone is an event when the vendor may hold its release; a release that is gone is skipped.
#include "broker/base/cursor.h"
#include "internal.h"

enum {
	SCAN_PER_COMMAND = 20000,                       // headers looked at, so that one command takes about a millisecond
	ITEM_OVERHEAD_BYTES = 96,                       // of a FeedItem around its release
	REPLY_ROOM_BYTES = REPLY_BYTES_MAX - 64 * 1024, // the rest is for the cursors of all pairs
};

// ---- cursors

void cursor_encode(const struct service *service, uint64_t seq, uint8_t out[CURSOR_BYTES])
{
	struct writer writer;
	writer_init(&writer, out, CURSOR_BYTES);
	writer_u32(&writer, service->incarnation);
	writer_u64(&writer, seq);
}

static ProtobufCBinaryData cursor_of(struct service *service, uint64_t seq)
{
	uint8_t *cursor = arena_alloc(&service->arena, CURSOR_BYTES);
	cursor_encode(service, seq, cursor);
	return wire_bytes(cursor, CURSOR_BYTES);
}

static enum err cursor_decode(struct service *service, ProtobufCBinaryData cursor, uint64_t *seq)
{
	struct reader reader;
	reader_init(&reader, cursor.data, cursor.len);
	uint32_t incarnation = reader_u32(&reader);
	*seq = reader_u64(&reader);
	bool fits = !reader.failed && reader_left(&reader) == 0 && incarnation == service->incarnation &&
	            *seq <= store_feed_last(service->store);
	return fits ? ERR_OK : ERR_CURSOR_BAD;
}

static enum err cursor_expired(struct service *service, uint64_t earliest)
{
	uint8_t cursor[CURSOR_BYTES];
	cursor_encode(service, earliest, cursor);
	hex_encode(cursor, sizeof cursor, service->detail.text);
	return ERR_CURSOR_EXPIRED;
}

// ---- collecting

struct collector {
	struct service *service;
	const struct vendor_facts *facts;
	uint32_t budget, max;
	bool full; // something is left for the next request
	Oyez__FeedItem **items;
	size_t count, room, bytes;
	// Of the pair at work:
	uint32_t pair;
	struct listener *listener;
	const struct filter *filter;
	uint64_t position; // looked at up to here
	uint64_t held_seq; // releases up to here may be with the vendor
};

// Is this record an event for the pair?
static bool wanted(const struct collector *collector, const struct match_header *header, uint32_t *maybe)
{
	if (header->kind == FEED_PURGED)
		return false;
	if (header->kind == FEED_TOMBSTONE &&
	    (header->release_seq <= collector->listener->start_seq || header->release_seq > collector->held_seq))
		return false;
	return filter_match(collector->filter, header, &collector->service->trees, maybe, NULL) &&
	       rules_match(&header->facets, collector->facts, NULL);
}

static Oyez__FeedItem *item_new(struct collector *collector, uint64_t seq, const struct match_header *header,
                                uint32_t maybe, struct bytes bytes)
{
	struct service *service = collector->service;
	Oyez__FeedItem *item = arena_alloc(&service->arena, sizeof *item);
	oyez__feed_item__init(item);
	item->pair = collector->pair;
	item->cursor = cursor_of(service, seq);
	item->at_ms = header->released_at_ms;
	Oyez__Release *release;
	if (header->kind == FEED_TOMBSTONE) {
		if (!feed_tombstone_read(service, bytes, &item->at_ms, &release))
			return NULL;
		item->gone = (Oyez__GoneReason)header->gone_reason;
	} else {
		release = wire_unpack(&service->arena, &oyez__release__descriptor, bytes.at, bytes.count);
		if (!release)
			return NULL;
		item->release = wire_bytes(bytes.at, bytes.count);
		item->maybe = maybe;
	}
	item->release_id = release->release_id;
	return item;
}

static void add_item(struct collector *collector, Oyez__FeedItem *item)
{
	if (collector->count == collector->room) {
		size_t room = collector->room ? collector->room * 2 : 16;
		Oyez__FeedItem **items = arena_alloc(&collector->service->arena, room * sizeof *items);
		if (collector->count)
			memcpy(items, collector->items, collector->count * sizeof *items);
		collector->items = items;
		collector->room = room;
	}
	collector->items[collector->count++] = item;
	collector->bytes += item->release.len + ITEM_OVERHEAD_BYTES;
}

// One record. False when the reply or the slice is full before it.
static bool look(void *context, uint64_t seq, const struct match_header *header, struct bytes bytes)
{
	struct collector *collector = context;
	uint32_t maybe = 0;
	if (collector->budget == 0) {
		collector->full = true;
		return false;
	}
	collector->budget--;
	if (wanted(collector, header, &maybe)) {
		if (collector->count >= collector->max ||
		    collector->bytes + bytes.count + ITEM_OVERHEAD_BYTES > REPLY_ROOM_BYTES) {
			collector->full = true;
			return false;
		}
		Oyez__FeedItem *item = item_new(collector, seq, header, maybe, bytes);
		if (item) {
			add_item(collector, item);
			if (header->kind == FEED_RELEASE && seq > collector->held_seq)
				collector->held_seq = seq;
		}
	}
	collector->position = seq;
	return true;
}

// All matches behind the position are remembered: no need to scan.
static bool look_at_hits(struct collector *collector)
{
	const struct listener *listener = collector->listener;
	struct match_header header;
	struct bytes bytes;
	for (uint32_t i = 0; i < listener->hit_count; i++) {
		if (listener->hits[i] <= collector->position)
			continue;
		if (store_feed_get(collector->service->store, listener->hits[i], &header, &bytes) &&
		    !look(collector, listener->hits[i], &header, bytes))
			return false;
	}
	return true;
}

static void collect_pair(struct collector *collector, struct fetch_pair *pair, struct listener *listener)
{
	struct service *service = collector->service;
	uint64_t last = store_feed_last(service->store);
	uint64_t known = listener->received_seq > pair->after ? listener->received_seq : pair->after;
	collector->listener = listener;
	collector->filter = index_filter(service->index, (uint32_t)(listener - service->listeners));
	collector->position = pair->after;
	collector->held_seq = known;
	bool was_full = collector->full;
	collector->full = false;
	if (!collector->filter)
		collector->position = last;
	else if (pair->after >= listener->hits_after)
		look_at_hits(collector);
	else
		store_feed_scan(service->store, pair->after, look, collector);
	if (!collector->full)
		collector->position = last;
	collector->full |= was_full;
	pair->after = collector->position;
	if (collector->held_seq > listener->received_seq)
		listener->received_seq = collector->held_seq;
}

// ERR_NOT_FOUND when a subscription has been removed meanwhile.
static enum err collect(struct collector *collector, struct fetch_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = listener_find(collector->service, &pairs[i].subscription);
		if (!listener)
			return ERR_NOT_FOUND;
		collector->pair = (uint32_t)i;
		collect_pair(collector, &pairs[i], listener);
	}
	return ERR_OK;
}

static void reply_fetch(struct collector *collector, uint64_t origin, const struct fetch_pair *pairs, size_t count)
{
	struct service *service = collector->service;
	Oyez__FetchReply fetch = OYEZ__FETCH_REPLY__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	fetch.n_items = collector->count;
	fetch.items = collector->items;
	fetch.n_scanned = count;
	fetch.scanned = arena_alloc(&service->arena, count * sizeof *fetch.scanned);
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = listener_find(service, &pairs[i].subscription);
		fetch.scanned[i] = cursor_of(service, pairs[i].after);
		if (pairs[i].after > listener->sent_seq)
			listener->sent_seq = pairs[i].after;
	}
	fetch.more = collector->full;
	reply.body_case = OYEZ__REPLY__BODY_FETCH;
	reply.fetch = &fetch;
	reply_vendor(service, origin, &reply);
}

// ---- the command

static void confirm(struct service *service, struct listener *listener, uint64_t seq)
{
	struct subscription row;
	if (seq <= listener->confirmed_seq ||
	    !store_subscription_find(service->store, &listener->id, &service->arena, &row))
		return;
	row.confirmed_seq = listener->confirmed_seq = seq;
	store_subscription_put(service->store, &row);
	service->wrote = true;
}

// Where this pair goes on from.
static enum err resolve(struct service *service, const struct command *command, const Oyez__FetchPair *wanted_pair,
                        struct fetch_pair *pair)
{
	pair->subscription = id_of_wire(wanted_pair->subscription_id);
	struct listener *listener = listener_find(service, &pair->subscription);
	if (!listener)
		return ERR_NOT_FOUND;
	if (!id_equal(&listener->vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (wanted_pair->after.len > 0) {
		enum err err = cursor_decode(service, wanted_pair->after, &pair->after);
		if (err)
			return err;
	} else {
		pair->after = listener->sent_seq ? listener->sent_seq : listener->confirmed_seq;
	}
	if (pair->after < listener->start_seq)
		pair->after = listener->start_seq;
	uint64_t earliest = store_feed_first(service->store) - 1;
	if (pair->after < earliest)
		return cursor_expired(service, earliest);
	if (wanted_pair->after.len > 0)
		confirm(service, listener, pair->after);
	return ERR_OK;
}

static struct collector collector_of(struct service *service, const struct vendor_facts *facts, uint32_t max)
{
	return (struct collector){
	    .service = service,
	    .facts = facts,
	    .budget = SCAN_PER_COMMAND,
	    .max = max && max < FETCH_ITEMS_MAX ? max : FETCH_ITEMS_MAX,
	};
}

enum err handle_fetch(struct service *service, const struct command *command, const Oyez__Fetch *fetch)
{
	size_t count = fetch->n_pairs;
	if (count == 0 || count > FETCH_PAIRS_MAX)
		return ERR_BAD_VALUE;
	struct fetch_pair *pairs = arena_alloc(&service->arena, count * sizeof *pairs);
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && !err; i++)
		err = resolve(service, command, fetch->pairs[i], &pairs[i]);
	if (err)
		return err;
	struct collector collector = collector_of(service, &service->vendor.facts, fetch->max);
	err = collect(&collector, pairs, count);
	if (err)
		return err;
	if (collector.count > 0 || collector.full || fetch->wait_ms == 0) {
		reply_fetch(&collector, command->origin, pairs, count);
		return ERR_OK;
	}
	uint32_t wait_ms = fetch->wait_ms < WAIT_MS_MAX ? fetch->wait_ms : WAIT_MS_MAX;
	struct parked request = {
	    .kind = PARKED_FETCH,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + wait_ms,
	    .max = fetch->max,
	    .pairs = pairs,
	    .pair_count = count,
	};
	return parking_add(service, &request);
}

bool fetch_resume(struct service *service, struct parked *parked, bool final)
{
	struct vendor vendor;
	enum err err = ERR_OK;
	if (!store_vendor_find(service->store, &parked->sender, &service->arena, &vendor))
		err = ERR_VENDOR_UNKNOWN;
	else if (vendor.status != OYEZ__VENDOR_STATUS__VENDOR_APPROVED)
		err = ERR_VENDOR_SUSPENDED;
	struct collector collector = collector_of(service, &vendor.facts, parked->max);
	if (!err)
		err = collect(&collector, parked->pairs, parked->pair_count);
	if (err)
		reply_error(service, parked->origin, REPLY_VENDOR, err, NULL);
	else if (collector.count > 0 || collector.full || final)
		reply_fetch(&collector, parked->origin, parked->pairs, parked->pair_count);
	else
		return false;
	return true;
}

// ---- explanations

enum err handle_explain(struct service *service, const struct command *command, const Oyez__ExplainRelease *message)
{
	struct id id = id_of_wire(message->subscription_id);
	struct release_id release = release_id_of_wire(message->release_id);
	struct listener *listener = listener_find(service, &id);
	struct intent intent;
	if (!listener || !intent_load_released(service, &release, &intent))
		return ERR_NOT_FOUND;
	if (!id_equal(&listener->vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (intent.state != INTENT_RELEASED || !intent.release_seq)
		return intent.state == INTENT_WAITING ? ERR_NOT_FOUND : ERR_GONE;
	struct match_header header;
	uint32_t failed = 0, rules_failed = 0, maybe = 0;
	const struct filter *filter = index_filter(service->index, (uint32_t)(listener - service->listeners));
	release_header(&intent, &header);
	if (filter)
		filter_match(filter, &header, &service->trees, &maybe, &failed);
	else
		failed = FACET_CATEGORY;
	rules_match(&intent.facets, &service->vendor.facts, &rules_failed);
	const char *names[FACET_NAMES_MAX + 1];
	size_t count = facet_names(failed | rules_failed, names);
	if (intent.release_seq <= listener->start_seq)
		names[count++] = "released_before";
	Oyez__Explanation explanation = OYEZ__EXPLANATION__INIT;
	explanation.matches = count == 0;
	explanation.failed = (char **)names;
	explanation.n_failed = count;
	explanation.maybe = maybe;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_EXPLANATION;
	reply.explanation = &explanation;
	reply_vendor(service, command->origin, &reply);
	return ERR_OK;
}
