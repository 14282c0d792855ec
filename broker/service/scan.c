// Walking headers: for each pair in turn the sieve puts most of them aside, filter_match decides on the rest.
#include "scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);
	if (!memory)
		abort();
	return memory;
}

// ---- making one

static struct filter *filter_copy(const struct filter *filter)
{
	size_t count = (size_t)filter->category_count + filter->not_category_count + filter->region_count;
	struct filter *copy = zeroed(1, sizeof *copy + count * sizeof(uint32_t));
	uint32_t *nodes = (uint32_t *)(copy + 1);
	*copy = *filter;
	copy->categories = nodes;
	copy->not_categories = nodes + filter->category_count;
	copy->regions = copy->not_categories + filter->not_category_count;
	for (size_t i = 0; i < filter->category_count; i++)
		*nodes++ = filter->categories[i];
	for (size_t i = 0; i < filter->not_category_count; i++)
		*nodes++ = filter->not_categories[i];
	for (size_t i = 0; i < filter->region_count; i++)
		*nodes++ = filter->regions[i];
	return copy;
}

struct scan *scan_new(enum scan_kind kind, struct store *store, const struct trees *trees,
                      const struct vendor_facts *facts, size_t pairs_max)
{
	struct scan *scan = zeroed(1, sizeof *scan);
	scan->kind = kind;
	scan->store = store;
	scan->step = SCAN_HEADERS_PER_STEP;
	scan->trees = *trees;
	scan->facts = *facts;
	scan->pairs = zeroed(pairs_max, sizeof *scan->pairs);
	return scan;
}

struct scan_pair *scan_add_pair(struct scan *scan, const struct filter *filter)
{
	struct scan_pair *pair = &scan->pairs[scan->pair_count++];
	pair->filter = filter_copy(filter);
	return pair;
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	for (size_t i = 0; i < scan->pair_count; i++)
		free(scan->pairs[i].filter);
	sieve_free(scan->sieve);
	free(scan->pairs);
	free(scan->hits);
	free(scan->dense);
	free(scan->counts);
	free(scan);
}

// ---- counts by category and region

static struct scan_count *count_place(struct scan_count *counts, size_t room, uint32_t category, uint32_t region)
{
	size_t at = (size_t)((category * UINT64_C(0x9e3779b97f4a7c15) ^ region * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 20);
	while (counts[at & (room - 1)].count > 0 &&
	       (counts[at & (room - 1)].category != category || counts[at & (room - 1)].region != region))
		at++;
	return &counts[at & (room - 1)];
}

static void counts_grow(struct scan *scan)
{
	size_t room = scan->count_room ? scan->count_room * 2 : 64;
	struct scan_count *counts = zeroed(room, sizeof *counts);
	for (size_t i = 0; i < scan->count_room; i++) {
		const struct scan_count *old = &scan->counts[i];
		if (old->count > 0)
			*count_place(counts, room, old->category, old->region) = *old;
	}
	free(scan->counts);
	scan->counts = counts;
	scan->count_room = room;
}

static void hash_add(struct scan *scan, const struct facets *facets)
{
	if (2 * scan->count_used >= scan->count_room)
		counts_grow(scan);
	struct scan_count *count = count_place(scan->counts, scan->count_room, facets->category, facets->region);
	if (count->count == 0)
		*count = (struct scan_count){.category = facets->category, .region = facets->region};
	scan->count_used += count->count++ == 0;
}

// One row for each category and one more for "unknown", the same with columns for regions.
static void dense_begin(struct scan *scan)
{
	uint64_t places = ((uint64_t)scan->trees.categories->count + 1) * ((uint64_t)scan->trees.regions->count + 1);
	if (places <= SCAN_DENSE_MAX)
		scan->dense = zeroed((size_t)places, sizeof *scan->dense);
}

static uint32_t place_of(uint32_t node, const struct tree *tree)
{
	return node < tree->count ? node : tree->count;
}

static void count_add(struct scan *scan, const struct facets *facets)
{
	const struct tree *regions = scan->trees.regions;
	if (scan->count == 1)
		dense_begin(scan);
	if (scan->dense)
		scan->dense[(size_t)place_of(facets->category, scan->trees.categories) * (regions->count + 1) +
		            place_of(facets->region, regions)]++;
	else
		hash_add(scan, facets);
}

static bool before(const struct scan_count *left, const struct scan_count *right)
{
	if (left->count != right->count)
		return left->count > right->count;
	return left->category != right->category ? left->category < right->category : left->region < right->region;
}

// Into its place among the most frequent, if it is one of them.
static void top_add(struct scan *scan, const struct scan_count *count)
{
	size_t at = scan->top_count;
	if (at == WOULD_MATCH_ROWS_MAX && !before(count, &scan->top[at - 1]))
		return;
	at -= at == WOULD_MATCH_ROWS_MAX;
	scan->top_count = at + 1;
	for (; at > 0 && before(count, &scan->top[at - 1]); at--)
		scan->top[at] = scan->top[at - 1];
	scan->top[at] = *count;
}

static void find_top(struct scan *scan)
{
	const uint32_t categories = scan->trees.categories->count, regions = scan->trees.regions->count;
	const uint32_t *dense = scan->dense;
	for (uint32_t category = 0; dense && category <= categories; category++)
		for (uint32_t region = 0; region <= regions; region++, dense++)
			if (*dense > 0)
				top_add(scan, &(struct scan_count){.category = category < categories ? category : TREE_NONE,
				                                   .region = region < regions ? region : TREE_NONE,
				                                   .count = *dense});
	for (size_t i = 0; i < scan->count_room; i++)
		if (scan->counts[i].count > 0)
			top_add(scan, &scan->counts[i]);
}

// ---- one header

static bool matches(const struct scan *scan, const struct scan_pair *pair, const struct match_header *header,
                    bool *certain)
{
	unsigned sieved = sieve_look(scan->sieve, &header->facets);
	uint32_t maybe = 0;
	if (!sieved || (!scan->sieve->complete && !filter_match(pair->filter, header, &scan->trees, &maybe, NULL)))
		return false;
	*certain = sieved & SIEVE_CERTAIN && maybe == 0;
	return rules_match(&header->facets, &scan->facts, NULL);
}

// Releases that are gone count as well: their headers stay as long as the feed does.
static void look_to_count(struct scan *scan, const struct scan_pair *pair, const struct match_header *header)
{
	bool certain;
	if (header->kind == FEED_TOMBSTONE || header->released_at_ms < scan->since_ms)
		return;
	if (scan->looked++ == 0)
		scan->from_ms = header->released_at_ms;
	if (!matches(scan, pair, header, &certain))
		return;
	scan->count++;
	scan->certain += certain;
	count_add(scan, &header->facets);
}

// As in fetch.c, which looks at everything found here once more.
static void look_to_fetch(struct scan *scan, struct scan_pair *pair, uint64_t seq, const struct match_header *header,
                          struct store_reader *reader)
{
	bool certain;
	if (header->kind == FEED_PURGED)
		return;
	if (header->kind == FEED_TOMBSTONE &&
	    (header->release_seq <= pair->start_seq || header->release_seq > pair->held_seq))
		return;
	if (!matches(scan, pair, header, &certain))
		return;
	if (header->kind == FEED_RELEASE && seq > pair->held_seq)
		pair->held_seq = seq;
	if (!scan->hits)
		scan->hits = zeroed(scan->hits_max, sizeof *scan->hits);
	scan->hits[scan->hit_count++] = (struct scan_hit){.pair = pair->pair, .seq = seq};
	store_read_warm(reader, seq);
}

// ---- slices

static void step(struct scan *scan, struct scan_pair *pair, struct store_reader *reader)
{
	const struct match_header *headers;
	uint64_t first;
	uint32_t looked = 0;
	while (looked < scan->step && !scan->done) {
		size_t count = store_read_headers(reader, pair->after, &first, &headers);
		if (count == 0) {
			pair->after = store_read_last(reader) > pair->after ? store_read_last(reader) : pair->after;
			pair->done = true;
			break;
		}
		for (size_t i = 0; i < count && !scan->done; i++) {
			pair->after = first + i;
			if (headers[i].kind == 0)
				continue;
			if (scan->kind == SCAN_COUNT)
				look_to_count(scan, pair, &headers[i]);
			else
				look_to_fetch(scan, pair, first + i, &headers[i], reader);
			scan->done = scan->kind == SCAN_FETCH && scan->hit_count == scan->hits_max;
		}
		looked += (uint32_t)count;
	}
	scan->headers += looked;
	if (scan->kind == SCAN_FETCH && scan->headers >= SCAN_HEADERS_MAX)
		scan->done = true;
}

bool scan_run(struct scan *scan, bool (*go_on)(void *context), void *context)
{
	struct store_reader *reader = store_read_begin(scan->store);
	if (!reader)
		return scan->done = scan->failed = true;
	while (!scan->done) {
		struct scan_pair *pair = &scan->pairs[scan->pair_at];
		if (!scan->sieve)
			scan->sieve = sieve_new(pair->filter, &scan->trees);
		step(scan, pair, reader);
		if (pair->done && !scan->done) {
			sieve_free(scan->sieve);
			scan->sieve = NULL;
			scan->done = ++scan->pair_at == scan->pair_count;
			if (scan->done && scan->kind == SCAN_COUNT)
				find_top(scan);
		}
		if (!scan->done && go_on && !go_on(context))
			break;
	}
	store_read_end(reader);
	return scan->done;
}
