// Time passes here: posts wait out their hold, ticks come, those whom release_tick lets go are written down.
//
// A release_tick over all who wait at each of 17,280 ticks a day would take hours for the larger runs. Two shortcuts
// change nothing in the result: intents that differ in what no step drops (top category, country, terms, vendor rules)
// never share a class, so each such combination is a pen with calls of its own; and a pen is looked at only at ticks at
// which one of its intents arrived, reached a step that changes it, changed a band or expired, or a day began
// (needed-by bands count from it). `in_one_piece` does without both; linkage_check compares the two.
#include "market.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/release.h"
#include "chance.h"

enum { PENS_MAX = 8192, DRAW_RELEASE_ID = 77 };

struct event {
	uint64_t tick_ms;
	uint32_t number; // of the post
	bool arrival;
};

struct pen {
	struct facets shared; // what no step drops
	const struct post **posts;
	uint32_t count, room;
	bool due;
};

struct run {
	struct people *people;
	const struct protection *protection;
	const struct intruder *intruder;
	struct chance ids;
	struct pen pens[PENS_MAX];
	uint32_t pen_at[2 * PENS_MAX]; // a hash table of pen numbers + 1
	uint32_t pen_count;
	struct event *events; // a heap, the earliest on top
	uint32_t event_count, event_room;
	struct post **fakes; // numbered after the people's posts
	uint32_t fake_count, fake_room, standing_now;
	uint8_t *waits; // by number
	uint32_t waits_room;
	struct waiting *waiting;
	void *scratch;
	uint32_t waiting_room;
	struct outcome *out;
	uint32_t release_room;
};

static void *grow(void *old, uint32_t *room, uint32_t needed, size_t size)
{
	if (needed <= *room)
		return old;
	*room = needed * 2 + 64;
	void *grown = realloc(old, *room * size);
	if (!grown)
		abort();
	return grown;
}

// ---- events

static bool earlier(const struct event *a, const struct event *b)
{
	return a->tick_ms < b->tick_ms;
}

static void event_push(struct run *run, uint64_t at_ms, uint32_t number, bool arrival)
{
	uint64_t tick = run->protection->tick_ms;
	struct event event = {(at_ms + tick - 1) / tick * tick, number, arrival};
	run->events = grow(run->events, &run->event_room, run->event_count + 1, sizeof event);
	uint32_t at = run->event_count++;
	for (; at > 0 && earlier(&event, &run->events[(at - 1) / 2]); at = (at - 1) / 2)
		run->events[at] = run->events[(at - 1) / 2];
	run->events[at] = event;
}

static struct event event_pop(struct run *run)
{
	struct event top = run->events[0], last = run->events[--run->event_count];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= run->event_count)
			break;
		if (child + 1 < run->event_count && earlier(&run->events[child + 1], &run->events[child]))
			child++;
		if (!earlier(&run->events[child], &last))
			break;
		run->events[at] = run->events[child];
		at = child;
	}
	run->events[at] = last;
	return top;
}

// ---- who waits

static const struct post *post_by_number(const struct run *run, uint32_t number)
{
	uint32_t count = run->people->post_count;
	return number < count ? &run->people->posts[number] : run->fakes[number - count];
}

// What of an intent no step drops: its company for ever.
static struct facets never_dropped(const struct facets *facets, const struct trees *trees)
{
	struct facets shared = {
	    .category = tree_climb(trees->categories, facets->category, 1),
	    .region = tree_climb(trees->regions, facets->region, 1),
	    .terms = facets->terms,
	    .rating_band = facets->rating_band,
	    .country_count = facets->country_count,
	};
	memcpy(shared.countries, facets->countries, sizeof shared.countries);
	return shared;
}

static struct pen *pen_of(struct run *run, const struct post *post)
{
	struct facets shared = {0};
	uint32_t hash = 2166136261u;
	if (!run->protection->in_one_piece)
		shared = never_dropped(&post->intent.facets, &run->people->trees);
	for (size_t i = 0; i < sizeof shared; i++)
		hash = (hash ^ ((const uint8_t *)&shared)[i]) * 16777619u;
	for (uint32_t at = hash % (2 * PENS_MAX);; at = (at + 1) % (2 * PENS_MAX)) {
		if (run->pen_at[at] == 0) {
			if (run->pen_count == PENS_MAX)
				abort();
			run->pens[run->pen_count].shared = shared;
			run->pen_at[at] = ++run->pen_count;
		}
		struct pen *pen = &run->pens[run->pen_at[at] - 1];
		if (memcmp(&pen->shared, &shared, sizeof shared) == 0)
			return pen;
	}
}

static void enter(struct run *run, const struct post *post, uint64_t now_ms)
{
	static const uint32_t EXPIRY_BORDERS[] = {0, 1, 3, 7, 30};
	const struct waiting_intent *intent = &post->intent;
	struct pen *pen = pen_of(run, post);
	pen->posts = grow(pen->posts, &pen->room, pen->count + 1, sizeof *pen->posts);
	pen->posts[pen->count++] = post;
	pen->due = true;
	uint32_t room = run->waits_room;
	run->waits = grow(run->waits, &run->waits_room, post->number + 1, 1);
	memset(run->waits + room, 0, run->waits_room - room);
	run->waits[post->number] = 1;
	struct facets shown;
	release_class(intent, 0, now_ms, &run->people->trees, &shown);
	for (unsigned step = 1; step < RELEASE_STEPS && step <= intent->coarsest_step; step++) {
		uint64_t opens_ms = release_ready_ms(intent) + step * (intent->patience_ms / RELEASE_STEPS);
		if (release_coarsen(&shown, step, &run->people->trees) && opens_ms > now_ms)
			event_push(run, opens_ms, post->number, false);
	}
	for (unsigned i = 0; i < sizeof EXPIRY_BORDERS / sizeof *EXPIRY_BORDERS; i++) {
		uint64_t border_ms = intent->expires_at_ms - EXPIRY_BORDERS[i] * DAY_MS;
		if (border_ms > now_ms)
			event_push(run, border_ms, post->number, false);
	}
}

static void add_fake(struct run *run, const struct waiting_intent *like, uint32_t target, uint64_t now_ms)
{
	struct post *fake = calloc(1, sizeof *fake);
	run->fakes = grow(run->fakes, &run->fake_room, run->fake_count + 1, sizeof *run->fakes);
	fake->number = run->people->post_count + run->fake_count;
	fake->wallet = WALLET_FAKE;
	fake->target = target;
	fake->intent = *like;
	fake->intent.crowd_waived = 0;
	fake->intent.crowd_wish = 0;
	fake->intent.ready_at_ms = 0;
	fake->intent.posted_at_ms = now_ms;
	run->fakes[run->fake_count++] = fake;
	run->out->tokens++;
	enter(run, fake, now_ms);
}

static void arrive(struct run *run, const struct post *post, uint64_t now_ms)
{
	const struct intruder *intruder = run->intruder;
	enter(run, post, now_ms);
	if (intruder && intruder->aim_every > 0 && post->number % intruder->aim_every == 0) {
		for (uint32_t i = 0; i < intruder->fakes; i++)
			add_fake(run, &post->intent, post->number, now_ms);
	}
}

// The attacker's standing intents: what everybody's intent becomes at the last step, with everybody's defaults.
static void keep_standing(struct run *run, uint64_t now_ms)
{
	const struct intruder *intruder = run->intruder;
	if (!intruder || intruder->standing == 0)
		return;
	for (; run->standing_now < intruder->standing; run->standing_now++) {
		struct waiting_intent like = {.expires_at_ms = now_ms + 7 * DAY_MS};
		like.facets.category = intruder->standing_top;
		like.facets.region = tree_climb(run->people->trees.regions, run->people->posts[0].intent.facets.region, 1);
		like.facets.terms = 1;
		add_fake(run, &like, UINT32_MAX, now_ms);
	}
}

// ---- a tick

static uint8_t step_of(const struct waiting_intent *intent, const struct facets *shown, uint64_t tick_ms,
                       const struct trees *trees)
{
	struct facets class_facets;
	for (unsigned step = 0; step < RELEASE_STEPS; step++) {
		release_class(intent, step, tick_ms, trees, &class_facets);
		if (memcmp(&class_facets, shown, sizeof *shown) == 0)
			return (uint8_t)step;
	}
	abort();
}

static int compare_leaving(const void *left, const void *right)
{
	const struct waiting *a = left, *b = right;
	int order = memcmp(&a->class_facets, &b->class_facets, sizeof a->class_facets);
	return order ? order : (a->intent > b->intent) - (a->intent < b->intent);
}

// `group`: those who leave in one class. Counts the honest and the persons, writes down the honest.
static void publish(struct run *run, const struct waiting *group, uint32_t count, uint64_t tick_ms)
{
	struct outcome *out = run->out;
	uint32_t honest = 0, persons = 0, first = out->release_count;
	for (uint32_t i = 0; i < count; i++) {
		const struct post *post = (const void *)((const char *)group[i].intent - offsetof(struct post, intent));
		run->waits[post->number] = 0;
		if (post->wallet == WALLET_FAKE) {
			run->standing_now--;
			continue;
		}
		bool known = false;
		for (uint32_t other = first; other < out->release_count && !known; other++)
			known = run->people->posts[out->releases[other].post].wallet == post->wallet;
		honest++;
		persons += !known;
		out->releases = grow(out->releases, &run->release_room, out->release_count + 1, sizeof *out->releases);
		out->release_of[post->number] = out->release_count;
		out->releases[out->release_count++] = (struct release){
		    .post = post->number,
		    .at_ms = tick_ms,
		    .facets = group[i].class_facets,
		    .crowd = group[i].crowd,
		    .step = step_of(group[i].intent, &group[i].class_facets, tick_ms, &run->people->trees),
		};
	}
	for (uint32_t i = first; i < out->release_count; i++) {
		out->releases[i].honest = honest;
		out->releases[i].persons = persons;
	}
}

// A class by itself is a group, except that waived intents may share their facets with a crowd and not belong to it.
static void publish_groups(struct run *run, struct waiting *leaving, uint32_t count, uint64_t tick_ms)
{
	qsort(leaving, count, sizeof *leaving, compare_leaving);
	for (uint32_t start = 0, end; start < count; start = end) {
		const struct facets *shared = &leaving[start].class_facets;
		for (end = start + 1; end < count; end++)
			if (leaving[start].crowd == 1 || leaving[end].crowd != leaving[start].crowd ||
			    memcmp(shared, &leaving[end].class_facets, sizeof *shared) != 0)
				break;
		publish(run, &leaving[start], end - start, tick_ms);
	}
}

// Fakes aimed at a post are taken back when it has left.
static bool pointless(const struct run *run, const struct post *post)
{
	return post->wallet == WALLET_FAKE && post->target != UINT32_MAX && run->waits[post->target] == 0;
}

static void look_at(struct run *run, struct pen *pen, uint64_t tick_ms)
{
	uint32_t kept = 0, leaving = 0;
	if (pen->count > run->waiting_room) {
		run->waiting = grow(run->waiting, &run->waiting_room, pen->count, sizeof *run->waiting);
		free(run->scratch);
		run->scratch = malloc(release_scratch_bytes(run->waiting_room));
	}
	for (uint32_t i = 0; i < pen->count; i++) {
		run->waiting[i] = (struct waiting){.intent = &pen->posts[i]->intent};
		uint64_t id[2] = {chance_bits(&run->ids), chance_bits(&run->ids)};
		memcpy(run->waiting[i].release.bytes, id, sizeof id);
	}
	if (pen->count >= run->protection->k || run->people->habits.waived_share > 0)
		release_tick(run->waiting, pen->count, run->protection->k, tick_ms, &run->people->trees, run->scratch);
	for (uint32_t i = 0; i < pen->count; i++) // a pen of fewer than k is not even looked at: their crowd stays 0
		if (run->waiting[i].crowd > 0)
			run->waiting[leaving++] = run->waiting[i];
	publish_groups(run, run->waiting, leaving, tick_ms);
	for (uint32_t i = 0; i < pen->count; i++) {
		const struct post *post = pen->posts[i];
		if (run->waits[post->number] && (post->intent.expires_at_ms <= tick_ms || pointless(run, post))) {
			run->waits[post->number] = 0;
			if (post->wallet == WALLET_FAKE)
				run->standing_now--;
		}
		if (run->waits[post->number])
			pen->posts[kept++] = post;
	}
	pen->count = kept;
	pen->due = false;
}

static void tick(struct run *run, uint64_t tick_ms)
{
	bool all = run->protection->in_one_piece || tick_ms % DAY_MS == 0;
	for (uint32_t i = 0; i < run->pen_count; i++)
		if ((all || run->pens[i].due) && run->pens[i].count > 0)
			look_at(run, &run->pens[i], tick_ms);
	keep_standing(run, tick_ms);
}

static void take_events(struct run *run, uint64_t tick_ms)
{
	while (run->event_count > 0 && run->events[0].tick_ms <= tick_ms) {
		struct event event = event_pop(run);
		const struct post *post = post_by_number(run, event.number);
		if (event.arrival)
			arrive(run, post, tick_ms);
		else if (run->waits[event.number])
			pen_of(run, post)->due = true;
	}
}

void market_run(struct people *people, const struct protection *protection, const struct intruder *intruder,
                uint64_t seed, struct outcome *out)
{
	struct run *run = calloc(1, sizeof *run);
	uint64_t end_ms = WORLD_START_MS + people->habits.days * DAY_MS, next_day_ms = WORLD_START_MS + DAY_MS;
	memset(out, 0, sizeof *out);
	*run = (struct run){people, protection, intruder, chance_of(seed, DRAW_RELEASE_ID), .out = out};
	out->end_ms = end_ms;
	out->release_of = malloc(people->post_count * sizeof *out->release_of);
	memset(out->release_of, 0xff, people->post_count * sizeof *out->release_of);
	for (uint32_t i = 0; i < people->post_count; i++) {
		struct waiting_intent *intent = &people->posts[i].intent;
		uint64_t hold_ms = (uint64_t)(people->posts[i].hold_unit * protection->hold_ms);
		intent->ready_at_ms = hold_ms > 0 ? intent->posted_at_ms + hold_ms : 0;
		event_push(run, release_ready_ms(intent), i, true);
	}
	for (uint64_t now_ms = WORLD_START_MS; now_ms < end_ms;) {
		take_events(run, now_ms);
		tick(run, now_ms);
		uint64_t next_ms = run->event_count > 0 ? run->events[0].tick_ms : end_ms;
		next_ms = next_ms > next_day_ms ? next_day_ms : next_ms;
		if (protection->in_one_piece)
			next_ms = now_ms + protection->tick_ms;
		if (next_ms == next_day_ms)
			next_day_ms += DAY_MS;
		now_ms = next_ms;
	}
	for (uint32_t i = 0; i < run->fake_count; i++)
		free(run->fakes[i]);
	for (uint32_t i = 0; i < PENS_MAX; i++)
		free(run->pens[i].posts);
	free(run->fakes);
	free(run->events);
	free(run->waits);
	free(run->waiting);
	free(run->scratch);
	free(run);
}

void outcome_fini(struct outcome *outcome)
{
	free(outcome->releases);
	free(outcome->release_of);
}
