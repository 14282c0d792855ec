// Reading the feed for a vendor: cursors, catching up, waiting for what is new.
//
// A subscription is served from a position on: every later event that its filter and the customer's rules let through.
// A tombstone is an event when the vendor may hold its release; a release that is gone is skipped.
//
// Three sources, the nearest first:
//   the listener's ring   the last few matches: for the many subscriptions that match little
//   the tail              the newest records in memory: for those that match more than the ring holds
//   a scan                everything older: on a reader beside the state thread (scan.h)
// A scan sees what was committed when it ran. What it found is looked at once more here (a release may have gone
// meanwhile), and ring or tail go on exactly where it stopped; if they do not reach back that far, the answer ends
// there and says that there is more.
#include "broker/base/cursor.h"
#include "internal.h"

enum {
	LOOKS_PER_COMMAND = 20000, // headers looked at here, so that one command takes less than a millisecond
	SIEVE_FROM = 64,           // records for which making a sieve pays
	SCAN_WAIT_MS = 10 * 1000,  // for a scan, beyond what the vendor waits anyway; its library allows for 15 s
};
enum { ITEM_FRAME_BYTES = 16 }; // around an item as the tail keeps it
_Static_assert(FETCH_ITEMS_BYTES_MAX + FETCH_PAIRS_MAX * (CURSOR_BYTES + 4) < REPLY_BYTES_MAX,
               "a full answer fits a reply");

// ---- cursors

void cursor_encode(const struct service *service, uint64_t seq, uint8_t out[CURSOR_BYTES])
{
	struct writer writer;
	writer_init(&writer, out, CURSOR_BYTES);
	writer_u32(&writer, service->incarnation);
	writer_u64(&writer, seq);
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
	bool full;          // something is left for the next request
	size_t bytes;       // of what was picked
	struct pick *picks; // NULL until there is one
	size_t count;
	// Of the pair at work:
	uint32_t pair;
	struct listener *listener;
	const struct filter *filter; // NULL if it means nothing under the present taxonomy
	struct filter indexed;
	uint64_t position;   // looked at up to here
	uint64_t held_seq;   // releases up to here may be with the vendor
	struct sieve *sieve; // while many records are looked at
	// What was last decided for the pair, and of which release (kind 0: none).
	struct match_header decided;
	bool passed;
	uint32_t maybe;
};

// Vendor's filter and customer's rules.
static bool passes(const struct collector *collector, const struct match_header *header, uint32_t *maybe)
{
	unsigned sieved = collector->sieve ? sieve_look(collector->sieve, &header->facets) : SIEVE_PASSES;
	*maybe = 0;
	if (!sieved)
		return false;
	bool sure = collector->sieve && collector->sieve->complete && sieved & SIEVE_CERTAIN;
	return (sure || filter_match(collector->filter, header, &collector->service->trees, maybe, NULL)) &&
	       rules_match(&header->facets, collector->facts, NULL);
}

// Is this record an event for the pair?
static bool wanted(struct collector *collector, const struct match_header *header, uint32_t *maybe)
{
	if (header->kind == FEED_PURGED)
		return false;
	if (header->kind == FEED_TOMBSTONE &&
	    (header->release_seq <= collector->listener->start_seq || header->release_seq > collector->held_seq))
		return false;
	if (!collector->decided.kind || !match_alike(header, &collector->decided)) {
		collector->passed = passes(collector, header, &collector->maybe);
		collector->decided = *header;
	}
	*maybe = collector->maybe;
	return collector->passed;
}

static void pick(struct collector *collector, const struct pick *one)
{
	// Most requests find nothing and wait: thousands of them in one batch must not take this room.
	if (!collector->picks)
		collector->picks = arena_take(&collector->service->arena, FETCH_ITEMS_MAX * sizeof *collector->picks);
	collector->picks[collector->count++] = *one;
	collector->bytes += one->item.count + ITEM_FRAME_BYTES;
}

// In the tail it is encoded already; `bytes` are the record's own, if it is not there.
static bool item_of(struct service *service, uint64_t seq, const struct match_header *header, struct bytes bytes,
                    struct tail_item *item)
{
	if (!feed_tail_has(&service->tail, seq))
		return feed_item_encode(service, seq, header, bytes, item);
	*item = *feed_tail_item(&service->tail, seq);
	return true;
}

static bool has_room(const struct collector *collector, const struct tail_item *item)
{
	return collector->count < collector->max &&
	       collector->bytes + item->count + ITEM_FRAME_BYTES <= FETCH_ITEMS_BYTES_MAX;
}

// One record. False when the reply is full before it.
static bool look(struct collector *collector, uint64_t seq, const struct match_header *header, struct bytes bytes)
{
	uint32_t maybe = 0;
	struct tail_item item;
	if (wanted(collector, header, &maybe) && item_of(collector->service, seq, header, bytes, &item)) {
		if (!has_room(collector, &item)) {
			collector->full = true;
			return false;
		}
		pick(collector, &(struct pick){.seq = seq, .item = item, .pair = collector->pair, .maybe = maybe});
		if (header->kind == FEED_RELEASE && seq > collector->held_seq)
			collector->held_seq = seq;
	}
	collector->position = seq;
	return true;
}

// A record that is known to be a candidate, wherever it is.
static bool look_at(struct collector *collector, uint64_t seq)
{
	struct service *service = collector->service;
	struct match_header header;
	struct bytes bytes = {0};
	if (feed_tail_has(&service->tail, seq))
		return look(collector, seq, feed_tail_header(&service->tail, seq), bytes);
	if (!store_feed_get(service->store, seq, &header, &bytes))
		return true; // trimmed
	return look(collector, seq, &header, bytes);
}

// All matches behind the position are in the ring.
static void look_at_ring(struct collector *collector)
{
	const struct listener *listener = collector->listener;
	for (uint32_t i = 0; i < listener->hit_count; i++) {
		uint64_t seq = listener->hits[(listener->hit_first + i) % HITS_MAX];
		if (seq > collector->position && !look_at(collector, seq))
			return;
	}
}

static void look_at_tail(struct collector *collector)
{
	const struct feed_tail *tail = &collector->service->tail;
	uint64_t last = tail->after + tail->count;
	if (last - collector->position >= SIEVE_FROM)
		collector->sieve = sieve_new(collector->filter, &collector->service->trees);
	for (uint64_t seq = collector->position + 1; seq <= last; seq++) {
		if (collector->budget == 0) {
			collector->full = true;
			break;
		}
		collector->budget--;
		if (!look(collector, seq, feed_tail_header(tail, seq), (struct bytes){0}))
			break;
	}
	sieve_free(collector->sieve);
	collector->sieve = NULL;
}

// Neither ring nor tail reach back to `after`: between it and them there are records to be looked at.
static bool behind(const struct service *service, const struct listener *listener, uint64_t after)
{
	return listener->indexed && after < listener->hits_after && after < service->tail.after;
}

static void pair_begin(struct collector *collector, uint32_t pair, struct listener *listener, uint64_t after)
{
	collector->pair = pair;
	collector->decided.kind = 0;
	collector->listener = listener;
	uint32_t number = (uint32_t)(listener - collector->service->listeners);
	collector->filter =
	    index_filter(collector->service->index, number, &collector->indexed) ? &collector->indexed : NULL;
	collector->position = after;
	collector->held_seq = listener->received_seq > after ? listener->received_seq : after;
}

static void pair_end(struct collector *collector, struct fetch_pair *pair)
{
	pair->after = collector->position;
	if (collector->held_seq > collector->listener->received_seq)
		collector->listener->received_seq = collector->held_seq;
}

// From the position on, to the feed's end if there is room.
static void collect_pair(struct collector *collector)
{
	struct service *service = collector->service;
	bool was_full = collector->full;
	collector->full = false;
	if (collector->filter && collector->position >= collector->listener->hits_after)
		look_at_ring(collector);
	else if (collector->filter && behind(service, collector->listener, collector->position))
		collector->full = true;
	else if (collector->filter)
		look_at_tail(collector);
	if (!collector->full)
		collector->position = store_feed_last(service->store);
	collector->full |= was_full;
}

// What the scan found for this pair, then what came since. True if nothing may have been missed.
static bool collect_scanned(struct collector *collector, const struct scan *scan, const struct scan_pair *found)
{
	// Another request has brought this vendor releases meanwhile, so tombstones may be due that the scan left out.
	if (collector->listener->received_seq != found->received_seq || collector->position != found->from_seq)
		return false;
	for (size_t i = 0; i < scan->hit_count; i++)
		if (scan->hits[i].pair == collector->pair && !look_at(collector, scan->hits[i].seq))
			return true; // the reply is full; the position is before this one
	collector->position = found->after;
	if (!found->done)
		return false;
	collect_pair(collector);
	return true;
}

static const struct scan_pair *scanned_pair(const struct scan *scan, uint32_t pair)
{
	for (size_t i = 0; scan && i < scan->pair_count; i++)
		if (scan->pairs[i].pair == pair)
			return &scan->pairs[i];
	return NULL;
}

// ERR_NOT_FOUND when a subscription has been removed meanwhile, ERR_CURSOR_EXPIRED when what it waited for was trimmed
// (a scan that took too long amid a jump of the clock). `scan` is NULL unless one was needed and is over.
static enum err collect(struct collector *collector, struct fetch_pair *pairs, size_t count, const struct scan *scan)
{
	uint64_t earliest = store_feed_first(collector->service->store) - 1;
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = listener_find(collector->service, &pairs[i].subscription);
		if (!listener)
			return ERR_NOT_FOUND;
		if (pairs[i].after < earliest)
			return cursor_expired(collector->service, earliest);
		const struct scan_pair *found = scanned_pair(scan, (uint32_t)i);
		pair_begin(collector, (uint32_t)i, listener, pairs[i].after);
		if (!found)
			collect_pair(collector);
		else if (!collect_scanned(collector, scan, found))
			collector->full = true;
		pair_end(collector, &pairs[i]);
	}
	return ERR_OK;
}

static void answer_fetch(struct collector *collector, uint64_t origin, const struct fetch_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = listener_find(collector->service, &pairs[i].subscription);
		if (listener && pairs[i].after > listener->sent_seq)
			listener->sent_seq = pairs[i].after;
	}
	reply_fetch(collector->service, origin, collector->picks, collector->count, pairs, count, collector->full);
}

// ---- the command

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
		confirmed_note(service, listener, pair->after);
	return ERR_OK;
}

static struct collector collector_of(struct service *service, const struct vendor_facts *facts, uint32_t max)
{
	return (struct collector){
	    .service = service,
	    .facts = facts,
	    .budget = LOOKS_PER_COMMAND,
	    .max = max && max < FETCH_ITEMS_MAX ? max : FETCH_ITEMS_MAX,
	};
}

// NULL if no pair needs one.
static struct scan *scan_for(struct service *service, const struct fetch_pair *pairs, size_t count, uint32_t max,
                             const struct vendor_facts *facts)
{
	struct scan *scan = NULL;
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = listener_find(service, &pairs[i].subscription);
		if (!listener || !behind(service, listener, pairs[i].after))
			continue;
		if (!scan) {
			scan = scan_new(SCAN_FETCH, service->store, &service->trees, facts, count);
			scan->hits_max = max && max < FETCH_ITEMS_MAX ? max : FETCH_ITEMS_MAX;
		}
		struct filter filter;
		index_filter(service->index, (uint32_t)(listener - service->listeners),
		             &filter); // `behind` saw that it is there
		struct scan_pair *pair = scan_add_pair(scan, &filter);
		pair->subscription = listener->id;
		pair->pair = (uint32_t)i;
		pair->after = pair->from_seq = pairs[i].after;
		pair->start_seq = listener->start_seq;
		pair->received_seq = listener->received_seq;
		pair->held_seq = listener->received_seq > pair->after ? listener->received_seq : pair->after;
	}
	return scan;
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
	uint32_t wait_ms = fetch->wait_ms < WAIT_MS_MAX ? fetch->wait_ms : WAIT_MS_MAX;
	struct parked request = {
	    .kind = PARKED_FETCH,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + wait_ms,
	    .wait_until_ms = service->now_ms + wait_ms,
	    .max = fetch->max,
	    .pairs = pairs,
	    .pair_count = count,
	};
	struct scan *scan = scan_for(service, pairs, count, fetch->max, &service->vendor.facts);
	if (scan) {
		request.deadline_ms += SCAN_WAIT_MS;
		err = parking_add(service, &request);
		if (err)
			scan_free(scan);
		else
			scan_start(service, service->parking.all, scan);
		return err;
	}
	struct collector collector = collector_of(service, &service->vendor.facts, fetch->max);
	err = collect(&collector, pairs, count, NULL);
	if (err)
		return err;
	if (collector.count == 0 && !collector.full && fetch->wait_ms > 0)
		return parking_add(service, &request);
	answer_fetch(&collector, command->origin, pairs, count);
	return ERR_OK;
}

static enum err check_vendor(struct service *service, const struct id *id, struct vendor *vendor)
{
	if (!store_vendor_find(service->store, id, &service->arena, vendor))
		return ERR_VENDOR_UNKNOWN;
	return vendor->status == OYEZ__VENDOR_STATUS__VENDOR_APPROVED ? ERR_OK : ERR_VENDOR_SUSPENDED;
}

// With `scan`, the one it waited for is over.
static bool resume(struct service *service, struct parked *parked, bool final, const struct scan *scan)
{
	struct vendor vendor;
	enum err err = check_vendor(service, &parked->sender, &vendor);
	struct collector collector = collector_of(service, &vendor.facts, parked->max);
	bool given_up = parked->scan && !scan; // the deadline came first
	service->detail.text[0] = '\0';
	if (!err && given_up)
		collector.full = true;
	else if (!err)
		err = collect(&collector, parked->pairs, parked->pair_count, scan);
	if (err)
		reply_error(service, parked->origin, REPLY_VENDOR, err, service->detail.text);
	else if (collector.count > 0 || collector.full || final)
		answer_fetch(&collector, parked->origin, parked->pairs, parked->pair_count);
	else
		return false;
	return true;
}

bool fetch_resume(struct service *service, struct parked *parked, bool final)
{
	if (parked->scan && !final)
		return false;
	struct vendor vendor;
	if (!final && check_vendor(service, &parked->sender, &vendor) == ERR_OK) {
		// More than ring and tail hold has come at once.
		struct scan *scan = scan_for(service, parked->pairs, parked->pair_count, parked->max, &vendor.facts);
		if (scan) {
			parking_set_deadline(service, parked, parked->wait_until_ms + SCAN_WAIT_MS);
			scan_start(service, parked, scan);
			return false;
		}
	}
	return resume(service, parked, final, NULL);
}

bool fetch_scanned(struct service *service, struct parked *parked, const struct scan *scan)
{
	if (resume(service, parked, service->now_ms >= parked->wait_until_ms, scan))
		return true;
	parking_set_deadline(service, parked, parked->wait_until_ms);
	return false;
}
