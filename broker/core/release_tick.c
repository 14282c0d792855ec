// Which waiting intents leave at a tick. What an intent shows at a step stands in release.c.
//
// A TICK goes through the steps from the finest. At step s every intent that has not left shows its class at s, or at
// its nearest open step (an intent whose steps end at 3 still shows class 3 at s = 8: the company is welcome). Those
// with equal classes are a group. Its wishes, sorted ascending w[1..n], release the largest j >= k with w[j] <= j;
// these j leave with crowd j, the others go on to the next step. A waived intent wishes for no more than k; the waived
// who are left when all steps are done leave alone at their finest open step with crowd 1.
//
//   k = 3. Class X at step 0: A, B, C, D, with wishes 3, 3, 3, 10, and E in class Y, which is X after step 4.
//   s = 0: group X, wishes 3 3 3 10: j = 4 fails (10 > 4), j = 3 holds: A, B, C leave, crowd 3. D and E stay.
//   s = 4, open for E: D shows X, E shows X too, wishes 3 10: no j >= 3. Both wait for the next tick.
//   Had D waived: it wishes for 3, so at s = 0 j = 4 holds and all four leave with crowd 4.
//
// Two things make "nothing is released twice or finer later" hold by construction: an intent leaves this file once
// (the caller moves it to INTENT_RELEASED), and a crowd is only counted among intents leaving in this very tick.
//
// Sorting all classes again at each step would be the plain way (and is the test's oracle). Here waiting intents that
// show the same class and may climb equally far are one COHORT, found by hashing: they go through all further steps as
// one, cohorts only ever merge, and a step costs as much as there are cohorts left. Nothing depends on the order of the
// table or of the list: a group leaves by its wishes alone. The hash is seeded from the release ids, which nobody knows
// before they are published, so that nobody can choose facets that collide.
#include "release.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX, LAST_STEP = RELEASE_STEPS - 1 };

struct cohort {
	struct facets class_facets;
	uint64_t hash;
	uint32_t first, last; // members, linked by tick.next
	uint32_t count;
	uint32_t wish_max;
	uint32_t next; // cohort of the same class
	uint8_t limit; // the last step it climbs to; 0 = it stays where it is
};

// A place of the table: a class's first cohort, how many members its cohorts have together and their largest wish, and
// bits of the hash. So most questions are answered without a look at the cohorts, which lie far apart.
struct place {
	uint32_t cohort;
	uint32_t tag;
	uint32_t count;
	uint32_t wish_max;
};

// For sorting: a release id's first bytes, and whose it is.
struct rank {
	uint32_t prefix;
	uint32_t at;
};

struct tick {
	struct waiting *waiting;
	const struct trees *trees;
	uint32_t k;
	uint64_t seed;
	// In the scratch memory:
	struct cohort *cohorts;
	uint32_t *next;   // of a member, by its place in `waiting`
	uint32_t *wishes; // of a member
	uint32_t *tally;  // counts of wishes, all 0 between groups
	struct place *table;
	uint32_t table_mask; // its size, a power of two, - 1
	size_t cohort_count, leaving;
};

static size_t table_size(size_t count)
{
	size_t size = 16;
	while (size < 2 * count)
		size *= 2;
	return size;
}

static size_t rank_bytes(size_t count)
{
	return 2 * count * sizeof(struct rank) + count * sizeof(struct waiting);
}

// The sorting at the end takes the place of all that came before it.
size_t release_scratch_bytes(size_t count)
{
	size_t bytes =
	    count * sizeof(struct cohort) + table_size(count) * sizeof(struct place) + (3 * count + 2) * sizeof(uint32_t);
	return bytes > rank_bytes(count) ? bytes : rank_bytes(count);
}

static void lay_out(struct tick *tick, void *scratch, size_t count)
{
	tick->cohorts = scratch;
	tick->table = (struct place *)(tick->cohorts + count);
	tick->next = (uint32_t *)(tick->table + table_size(count));
	tick->wishes = tick->next + count;
	tick->tally = tick->wishes + count;
	memset(tick->tally, 0, (count + 2) * sizeof *tick->tally);
}

// ---- classes, by hash

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Products of pairs, so that the processor can work on them at once.
static uint64_t hash_of(const struct facets *facets, uint64_t seed)
{
	uint64_t words[7];
	_Static_assert(sizeof words == sizeof *facets, "a class is seven words");
	memcpy(words, facets, sizeof words);
	uint64_t a = fold(words[0] ^ seed, words[1] ^ UINT64_C(0xa0761d6478bd642f));
	uint64_t b = fold(words[2] ^ seed, words[3] ^ UINT64_C(0xe7037ed1a0b428db));
	uint64_t c = fold(words[4] ^ seed, words[5] ^ UINT64_C(0x8ebc6af09c88c6e3));
	uint64_t d = fold(words[6] ^ seed, UINT64_C(0x589965cc75374cc3));
	return fold(a ^ (b << 32 | b >> 32) ^ UINT64_C(0x1d8e4e27c47d124f), c ^ (d << 16 | d >> 48) ^ seed);
}

static bool same_class(const struct cohort *a, const struct cohort *b)
{
	return a->hash == b->hash && memcmp(&a->class_facets, &b->class_facets, sizeof a->class_facets) == 0;
}

static struct place *first_place(const struct tick *tick, uint64_t hash)
{
	return &tick->table[(uint32_t)hash & tick->table_mask];
}

// Where the cohort's class stands in the table, or may stand.
static struct place *place_of(const struct tick *tick, const struct cohort *cohort)
{
	uint32_t tag = (uint32_t)(cohort->hash >> 32);
	struct place *place = first_place(tick, cohort->hash);
	while (place->cohort != NONE && (place->tag != tag || !same_class(&tick->cohorts[place->cohort], cohort)))
		place = place == &tick->table[tick->table_mask] ? tick->table : place + 1;
	return place;
}

static void table_clear(struct tick *tick, size_t count)
{
	// No larger than needed: later steps have few cohorts.
	tick->table_mask = (uint32_t)table_size(count) - 1;
	memset(tick->table, 0xff, ((size_t)tick->table_mask + 1) * sizeof *tick->table);
}

static void cohort_merge(struct tick *tick, struct cohort *into, const struct cohort *from)
{
	tick->next[into->last] = from->first;
	into->last = from->last;
	into->count += from->count;
	if (from->wish_max > into->wish_max)
		into->wish_max = from->wish_max;
}

// Adds a cohort behind the others, or to its like. `cohort` may be the place it is added to.
static void cohort_add(struct tick *tick, struct cohort *cohort)
{
	struct place *place = place_of(tick, cohort);
	uint32_t at = place->cohort;
	if (at == NONE)
		*place = (struct place){.cohort = NONE, .tag = (uint32_t)(cohort->hash >> 32)};
	place->count += cohort->count;
	if (cohort->wish_max > place->wish_max)
		place->wish_max = cohort->wish_max;
	while (at != NONE && tick->cohorts[at].limit != cohort->limit)
		at = tick->cohorts[at].next;
	if (at != NONE) {
		cohort_merge(tick, &tick->cohorts[at], cohort);
		return;
	}
	cohort->next = place->cohort;
	place->cohort = (uint32_t)tick->cohort_count;
	if (cohort != &tick->cohorts[tick->cohort_count])
		tick->cohorts[tick->cohort_count] = *cohort;
	tick->cohort_count++;
}

// ---- who is there

static uint32_t wish_of(const struct waiting_intent *intent, uint32_t k)
{
	return intent->crowd_waived || intent->crowd_wish < k ? k : intent->crowd_wish;
}

static uint64_t seed_of(const struct waiting *waiting, size_t count)
{
	uint64_t seed = count, part;
	for (size_t i = 0; i < count; i++) {
		memcpy(&part, waiting[i].release.bytes, sizeof part);
		seed ^= part;
	}
	return fold(seed, UINT64_C(0x9e3779b97f4a7c15));
}

// Each a cohort of its own at first; regroup brings them together.
static void gather(struct tick *tick, size_t count, uint64_t tick_ms)
{
	for (size_t i = 0; i < count; i++) {
		const struct waiting_intent *intent = tick->waiting[i].intent;
		tick->waiting[i].crowd = 0;
		if (intent->expires_at_ms <= tick_ms || release_ready_ms(intent) > tick_ms)
			continue;
		unsigned finest, coarsest;
		release_open_steps(intent, tick_ms, tick->trees, &finest, &coarsest);
		struct cohort *cohort = &tick->cohorts[tick->cohort_count++];
		release_class(intent, finest, tick_ms, tick->trees, &cohort->class_facets);
		cohort->hash = hash_of(&cohort->class_facets, tick->seed);
		cohort->first = cohort->last = (uint32_t)i;
		cohort->count = 1;
		cohort->wish_max = tick->wishes[i] = wish_of(intent, tick->k);
		cohort->limit = (uint8_t)(finest > 0 ? 0 : coarsest);
		tick->next[i] = NONE;
	}
}

// ---- who leaves

// The largest j >= k such that j of the group have wishes of at most j; 0 if there is none. They are the ones with the
// j smallest wishes: were there more of at most j, j + 1 would do as well.
static uint32_t largest_crowd(struct tick *tick, uint32_t head, uint32_t count)
{
	uint32_t crowd = 0, reached = 0;
	for (uint32_t at = head; at != NONE; at = tick->cohorts[at].next)
		for (uint32_t member = tick->cohorts[at].first; member != NONE; member = tick->next[member])
			tick->tally[tick->wishes[member] < count ? tick->wishes[member] : count + (tick->wishes[member] > count)]++;
	for (uint32_t j = 0; j <= count; j++) {
		reached += tick->tally[j];
		if (j >= tick->k && reached >= j)
			crowd = j;
		tick->tally[j] = 0;
	}
	tick->tally[count + 1] = 0;
	return crowd;
}

// Lets those of the cohort go whose wish is at most `crowd`.
static void cohort_release(struct tick *tick, struct cohort *cohort, uint32_t crowd)
{
	uint32_t member = cohort->first, after;
	cohort->first = cohort->last = NONE;
	cohort->count = cohort->wish_max = 0;
	for (; member != NONE; member = after) {
		after = tick->next[member];
		if (tick->wishes[member] <= crowd) {
			tick->waiting[member].class_facets = cohort->class_facets;
			tick->waiting[member].crowd = crowd;
			tick->leaving++;
			continue;
		}
		if (cohort->count++ == 0)
			cohort->first = member;
		else
			tick->next[cohort->last] = member;
		cohort->last = member;
		tick->next[member] = NONE;
		if (tick->wishes[member] > cohort->wish_max)
			cohort->wish_max = tick->wishes[member];
	}
}

static void release_groups(struct tick *tick)
{
	for (size_t i = 0; i <= tick->table_mask; i++) {
		const struct place *place = &tick->table[i];
		if (place->cohort == NONE || place->count < tick->k)
			continue;
		uint32_t crowd =
		    place->wish_max <= place->count ? place->count : largest_crowd(tick, place->cohort, place->count);
		for (uint32_t at = place->cohort; crowd > 0 && at != NONE; at = tick->cohorts[at].next)
			cohort_release(tick, &tick->cohorts[at], crowd);
	}
}

// Takes the cohort to `step` if that is open to it; false if its class stays.
static bool cohort_climb(struct tick *tick, struct cohort *cohort, unsigned step)
{
	if (step > cohort->limit || !release_coarsen(&cohort->class_facets, step, tick->trees))
		return false;
	cohort->hash = hash_of(&cohort->class_facets, tick->seed);
	return true;
}

// Takes all cohorts to `step` (0: where they are) and merges those that became alike. False if no class changed. In
// blocks, so that the table's memory, larger than the near caches, is on its way while the next classes are made.
static bool regroup(struct tick *tick, unsigned step)
{
	enum { BLOCK = 16 };
	bool changed = step == 0;
	size_t count = tick->cohort_count;
	tick->cohort_count = 0;
	table_clear(tick, count);
	for (size_t start = 0; start < count; start += BLOCK) {
		size_t end = start + BLOCK < count ? start + BLOCK : count;
		for (size_t i = start; i < end; i++) {
			changed |= step > 0 && cohort_climb(tick, &tick->cohorts[i], step);
			__builtin_prefetch(first_place(tick, tick->cohorts[i].hash), 1);
		}
		for (size_t i = start; i < end; i++)
			if (tick->cohorts[i].count > 0)
				cohort_add(tick, &tick->cohorts[i]);
	}
	return changed;
}

static bool anybody_climbs(const struct tick *tick, unsigned step)
{
	for (size_t i = 0; i < tick->cohort_count; i++)
		if (step <= tick->cohorts[i].limit)
			return true;
	return false;
}

// All steps are done: the waived leave alone.
static void release_waived(struct tick *tick, uint64_t tick_ms)
{
	for (size_t i = 0; i < tick->cohort_count; i++) {
		for (uint32_t member = tick->cohorts[i].first; member != NONE; member = tick->next[member]) {
			struct waiting *left = &tick->waiting[member];
			unsigned finest, coarsest;
			if (!left->intent->crowd_waived)
				continue;
			release_open_steps(left->intent, tick_ms, tick->trees, &finest, &coarsest);
			release_class(left->intent, finest, tick_ms, tick->trees, &left->class_facets);
			left->crowd = 1;
			tick->leaving++;
		}
	}
}

// ---- the order

static int compare_release_id(const void *left, const void *right)
{
	const struct waiting *a = left, *b = right;
	return memcmp(a->release.bytes, b->release.bytes, RELEASE_ID_BYTES);
}

// By the ids' first four bytes, eight bits at a time; ids that begin alike are rare, being random, and compared whole.
static void sort_by_release(struct waiting *waiting, size_t count, void *scratch)
{
	enum { DIGITS = 4, VALUES = 256 };
	struct waiting *copy = scratch;
	struct rank *ranks = (struct rank *)(copy + count), *other = ranks + count;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *id = waiting[i].release.bytes;
		uint32_t prefix = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
		ranks[i] = (struct rank){.prefix = prefix, .at = (uint32_t)i};
	}
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		uint32_t starts[VALUES] = {0}, sum = 0;
		for (size_t i = 0; i < count; i++)
			starts[ranks[i].prefix >> 8 * digit & 0xff]++;
		for (unsigned value = 0; value < VALUES; value++) {
			uint32_t here = starts[value];
			starts[value] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			other[starts[ranks[i].prefix >> 8 * digit & 0xff]++] = ranks[i];
		struct rank *swap = ranks;
		ranks = other;
		other = swap;
	}
	memcpy(copy, waiting, count * sizeof *waiting);
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start; end < count && ranks[end].prefix == ranks[start].prefix; end++)
			waiting[end] = copy[ranks[end].at];
		if (end - start > 1)
			qsort(&waiting[start], end - start, sizeof *waiting, compare_release_id);
	}
}

size_t release_tick(struct waiting *waiting, size_t count, uint32_t k, uint64_t tick_ms, const struct trees *trees,
                    void *scratch)
{
	struct tick tick = {.waiting = waiting, .trees = trees, .k = k ? k : 1, .seed = seed_of(waiting, count)};
	assert(count < UINT32_MAX / 4);
	if (count == 0)
		return 0;
	lay_out(&tick, scratch, count);
	gather(&tick, count, tick_ms);
	size_t gathered = tick.cohort_count;
	regroup(&tick, 0);
	release_groups(&tick);
	for (unsigned step = 1; step <= LAST_STEP && tick.leaving < gathered && anybody_climbs(&tick, step); step++)
		if (regroup(&tick, step))
			release_groups(&tick);
	release_waived(&tick, tick_ms);
	sort_by_release(waiting, count, scratch);
	return tick.leaving;
}
