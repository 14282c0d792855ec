// Who the simulated people are. Each has a home, favourite categories, a language, a purse, a way of filling in the
// form, usual hours; `habit` says how often they keep to it. The numbers here are assumptions, not observations:
// nobody has a market of this kind to observe yet. RESULTS.md shows how the results move when they change.
#include "people.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/release.h"
#include "chance.h"
#include "proto/region.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

enum { FAVOURITES = 6, USUAL_MOMENTS = 3, WEEKDAYS = 7, LEAVES_MAX = 1024 };
enum { DRAW_MARKET = 1, DRAW_WALLET, DRAW_ONLINE };
#define HOME_SHARE 0.9 // of the posts; 7 in 100 go to a second place, 3 anywhere
#define SECOND_SHARE 0.97
#define MORE_AT_ONCE 0.2 // another post within minutes
#define EUR 978

struct wallet {
	double activity; // relative; the average is 1
	uint32_t home, second;
	uint32_t favourites[FAVOURITES];
	double purse;
	uint16_t language, terms;
	uint8_t rating_band, country_count;
	uint16_t countries[COUNTRIES_MAX];
	uint8_t coarsest_step;
	uint32_t crowd_wish;
	uint8_t condition, quantity, fulfilment, reach, needed, expires; // the usual choice
	double wake_h, sleep_h, weekend_later_h;
	double moments_h[USUAL_MOMENTS];
	double weekday[WEEKDAYS];
	double looks_per_day;
};

struct market {
	uint32_t leaves[LEAVES_MAX];
	double leaf_running[LEAVES_MAX];
	double price[LEAVES_MAX];
	uint32_t leaf_count;
	uint32_t regions[DEPARTMENT_COUNT];
	double region_running[DEPARTMENT_COUNT];
};

struct habits habits_ordinary(double posts_per_day, uint32_t days)
{
	return (struct habits){.wallets = 2000,
	                       .days = days,
	                       .posts_per_day = posts_per_day,
	                       .habit = 0.6,
	                       .zipf = 1.0,
	                       .optional_share = 1.0,
	                       .patience_ms = 10 * MINUTE_MS};
}

// ---- the market

static void market_init(struct market *market, const struct habits *habits, const struct trees *trees,
                        struct chance *chance)
{
	memset(market, 0, sizeof *market);
	for (uint32_t node = 0; node < trees->categories->count && market->leaf_count < LEAVES_MAX; node++)
		if (trees->categories->last[node] == node)
			market->leaves[market->leaf_count++] = node;
	for (uint32_t i = market->leaf_count; i > 1; i--) { // which category is how popular
		uint32_t other = chance_below(chance, i), kept = market->leaves[i - 1];
		market->leaves[i - 1] = market->leaves[other];
		market->leaves[other] = kept;
	}
	for (uint32_t i = 0; i < market->leaf_count; i++) {
		market->leaf_running[i] = pow(i + 1.0, -habits->zipf);
		market->price[i] = 60 * exp(1.3 * chance_normal(chance));
	}
	chance_running(market->leaf_running, market->leaf_count);
	for (uint32_t i = 0; i < DEPARTMENT_COUNT; i++) {
		market->regions[i] = region_find(DEPARTMENTS[i].code);
		market->region_running[i] = habits->flat_regions ? 1 : DEPARTMENTS[i].thousands;
	}
	chance_running(market->region_running, DEPARTMENT_COUNT);
}

static uint32_t any_region(const struct market *market, struct chance *chance)
{
	return market->regions[chance_pick(chance, market->region_running, DEPARTMENT_COUNT)];
}

// ---- a wallet

static const double CONDITION_WEIGHTS[] = {40, 25, 20, 15}; // not given, new, used, any
static const double QUANTITY_WEIGHTS[] = {20, 68, 9, 2, 1}; // not given, 1, 2-5, 6-20, more
static const double FULFILMENT_WEIGHTS[] = {40, 30, 12, 8, 10};
static const double REACH_WEIGHTS[] = {60, 18, 17, 5};
static const double NEEDED_WEIGHTS[] = {60, 10, 14, 11, 5};
static const double EXPIRES_WEIGHTS[] = {80, 7, 7, 6}; // 7 days (the default), 1, 3, 30
static const uint32_t EXPIRES_DAYS[] = {7, 1, 3, 30};

#define WEIGHTED(chance, table) by_weight(chance, table, sizeof(table) / sizeof *(table))

static uint8_t by_weight(struct chance *chance, const double *weights, uint32_t count)
{
	double running[8];
	memcpy(running, weights, count * sizeof *weights);
	chance_running(running, count);
	return (uint8_t)chance_pick(chance, running, count);
}

static uint16_t two_letters(const char *code)
{
	return (uint16_t)(code[0] << 8 | code[1]);
}

// What few people change, and what is never dropped from a release: it sets those who do apart.
static void choose_rules(struct wallet *wallet, struct chance *chance)
{
	static const double TERMS_WEIGHTS[] = {88, 5, 4, 3}, RATING_WEIGHTS[] = {90, 6, 4};
	static const double COARSEST_WEIGHTS[] = {96, 2, 2}, WISH_WEIGHTS[] = {96, 3, 1};
	static const uint8_t RATINGS[] = {0, 6, 8}, COARSEST[] = {RELEASE_STEPS - 1, 8, 10};
	static const uint32_t WISHES[] = {0, 10, 20};
	static const char *const NEAR[] = {"BE", "CH", "DE", "FR"};
	wallet->terms = (uint16_t)(1 + WEIGHTED(chance, TERMS_WEIGHTS));
	wallet->rating_band = RATINGS[WEIGHTED(chance, RATING_WEIGHTS)];
	double where = chance_unit(chance);
	if (where < 0.08) {
		wallet->country_count = 1;
		wallet->countries[0] = two_letters("FR");
	} else if (where < 0.11) {
		wallet->country_count = 4;
		for (unsigned i = 0; i < 4; i++)
			wallet->countries[i] = two_letters(NEAR[i]);
	}
	wallet->coarsest_step = COARSEST[WEIGHTED(chance, COARSEST_WEIGHTS)];
	wallet->crowd_wish = WISHES[WEIGHTED(chance, WISH_WEIGHTS)];
}

static void choose_hours(struct wallet *wallet, struct chance *chance)
{
	wallet->wake_h = 7 + 1.2 * chance_normal(chance);
	wallet->sleep_h = 23 + 1.0 * chance_normal(chance);
	wallet->weekend_later_h = fabs(1.2 * chance_normal(chance));
	double awake_h = wallet->sleep_h - wallet->wake_h;
	for (unsigned i = 0; i < USUAL_MOMENTS; i++)
		wallet->moments_h[i] = wallet->wake_h + awake_h * chance_unit(chance);
	for (unsigned day = 0; day < WEEKDAYS; day++)
		wallet->weekday[day] = (day >= 5 ? 1.3 : 1.0) * exp(0.5 * chance_normal(chance));
	wallet->looks_per_day = 6 * exp(0.4 * chance_normal(chance));
}

static void wallet_init(struct wallet *wallet, const struct market *market, const struct habits *habits,
                        struct chance *chance)
{
	static const double LANGUAGE_WEIGHTS[] = {90, 5, 2, 1, 1, 1};
	static const char *const LANGUAGES[] = {"fr", "en", "pt", "ar", "de", "es"};
	memset(wallet, 0, sizeof *wallet);
	wallet->activity = exp(0.7 * chance_normal(chance) - 0.245);
	wallet->home = any_region(market, chance);
	wallet->second = any_region(market, chance);
	for (unsigned i = 0; i < FAVOURITES; i++)
		wallet->favourites[i] = chance_pick(chance, market->leaf_running, market->leaf_count);
	wallet->purse = exp(0.6 * chance_normal(chance));
	wallet->language = two_letters(LANGUAGES[WEIGHTED(chance, LANGUAGE_WEIGHTS)]);
	choose_rules(wallet, chance);
	wallet->condition = WEIGHTED(chance, CONDITION_WEIGHTS);
	wallet->quantity = WEIGHTED(chance, QUANTITY_WEIGHTS);
	wallet->fulfilment = WEIGHTED(chance, FULFILMENT_WEIGHTS);
	wallet->reach = WEIGHTED(chance, REACH_WEIGHTS);
	wallet->needed = WEIGHTED(chance, NEEDED_WEIGHTS);
	wallet->expires = WEIGHTED(chance, EXPIRES_WEIGHTS);
	choose_hours(wallet, chance);
	if (habits->one_size) {
		wallet->terms = 1;
		wallet->rating_band = wallet->country_count = 0;
		memset(wallet->countries, 0, sizeof wallet->countries);
		wallet->coarsest_step = RELEASE_STEPS - 1;
		wallet->crowd_wish = 0;
		wallet->expires = 0;
	}
}

// A moment of this day when the person is awake: near a usual one, or any.
static uint64_t moment(const struct wallet *wallet, const struct habits *habits, uint32_t day, struct chance *chance)
{
	double later_h = day % WEEKDAYS >= 5 ? wallet->weekend_later_h : 0;
	double hour = wallet->wake_h + (wallet->sleep_h - wallet->wake_h) * chance_unit(chance);
	if (chance_unit(chance) < habits->habit)
		hour = wallet->moments_h[chance_below(chance, USUAL_MOMENTS)] + 0.75 * chance_normal(chance);
	return WORLD_START_MS + day * DAY_MS + (uint64_t)(fmax(0, hour + later_h) * HOUR_MS);
}

// ---- a post

#define USUALLY(usual, table) (chance_unit(chance) < habits->habit ? (usual) : WEIGHTED(chance, table))

static void choose_budget(struct facets *facets, const struct wallet *wallet, double price, const struct habits *habits,
                          struct chance *chance)
{
	if (chance_unit(chance) > 0.8 * habits->optional_share)
		return;
	double wanted = price * wallet->purse * exp(0.3 * chance_normal(chance));
	facets->currency = EUR;
	if (chance_unit(chance) < 0.6)
		facets->budget_min_e4 = amount_band_down((int64_t)(wanted * 0.7 * 10000));
	facets->budget_max_e4 = amount_band_up((int64_t)(wanted * 1.3 * 10000));
}

static uint32_t choose_needed_day(uint8_t usual, uint32_t today, const struct habits *habits, struct chance *chance)
{
	static const uint32_t FROM[] = {0, 1, 4, 8, 31}, DAYS[] = {1, 3, 4, 23, 60};
	uint8_t band = USUALLY(usual, NEEDED_WEIGHTS);
	if (band == 0 || chance_unit(chance) > habits->optional_share)
		return 0;
	return today + FROM[band] + chance_below(chance, DAYS[band]);
}

static void choose_facets(struct facets *facets, const struct wallet *wallet, const struct market *market,
                          const struct habits *habits, struct chance *chance)
{
	uint32_t leaf = chance_unit(chance) < habits->habit ? wallet->favourites[chance_below(chance, FAVOURITES)]
	                                                    : chance_pick(chance, market->leaf_running, market->leaf_count);
	double where = chance_unit(chance), given = habits->optional_share;
	facets->category = market->leaves[leaf];
	facets->region = where < HOME_SHARE     ? wallet->home
	                 : where < SECOND_SHARE ? wallet->second
	                                        : any_region(market, chance);
	choose_budget(facets, wallet, market->price[leaf], habits, chance);
	facets->language = chance_unit(chance) < 0.6 * given ? wallet->language : 0;
	facets->condition = chance_unit(chance) < given ? USUALLY(wallet->condition, CONDITION_WEIGHTS) : 0;
	facets->quantity = chance_unit(chance) < given ? USUALLY(wallet->quantity, QUANTITY_WEIGHTS) : 0;
	facets->fulfilment = chance_unit(chance) < given ? USUALLY(wallet->fulfilment, FULFILMENT_WEIGHTS) : 0;
	facets->reach = chance_unit(chance) < given ? USUALLY(wallet->reach, REACH_WEIGHTS) : 0;
	facets->terms = wallet->terms;
	facets->rating_band = wallet->rating_band;
	facets->country_count = wallet->country_count;
	memcpy(facets->countries, wallet->countries, sizeof facets->countries);
}

static void post_init(struct post *post, uint32_t number, uint64_t at_ms, const struct wallet *wallet,
                      const struct market *market, const struct people *people, struct chance *chance)
{
	const struct habits *habits = &people->habits;
	struct waiting_intent *intent = &post->intent;
	memset(post, 0, sizeof *post);
	post->wallet = number;
	intent->posted_at_ms = at_ms;
	intent->patience_ms = habits->patience_ms;
	intent->coarsest_step = wallet->coarsest_step;
	intent->crowd_wish = wallet->crowd_wish;
	intent->crowd_waived = chance_unit(chance) < habits->waived_share;
	choose_facets(&intent->facets, wallet, market, habits, chance);
	uint8_t expires = habits->one_size ? 0 : USUALLY(wallet->expires, EXPIRES_WEIGHTS);
	intent->expires_at_ms = at_ms + EXPIRES_DAYS[expires] * DAY_MS;
	intent->needed_by_day = choose_needed_day(wallet->needed, (uint32_t)(at_ms / DAY_MS), habits, chance);
	unsigned finest, coarsest;
	release_open_steps(intent, at_ms, &people->trees, &finest, &coarsest);
	if (finest == RELEASE_STEPS - 1) { // sensitive: wallets post the last step themselves (PROTOCOL.md §6.4)
		struct facets coarse;
		release_class(intent, finest, at_ms, &people->trees, &coarse);
		coarse.expires = 0;
		intent->facets = coarse;
		intent->needed_by_day = 0;
	}
	post->hold_unit = chance_exponential(chance, 1);
	post->ended_ms = at_ms + HOUR_MS + (uint64_t)chance_exponential(chance, 2 * DAY_MS);
	if (post->ended_ms > intent->expires_at_ms)
		post->ended_ms = intent->expires_at_ms;
}

// ---- everybody

static int compare_posts(const void *left, const void *right)
{
	const struct post *a = left, *b = right;
	return (a->intent.posted_at_ms > b->intent.posted_at_ms) - (a->intent.posted_at_ms < b->intent.posted_at_ms);
}

static int compare_online(const void *left, const void *right)
{
	const struct online *a = left, *b = right;
	return (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

// One person's days: sittings with one or more posts, and looks at what came. Returns the new number of posts.
static void live(struct people *people, uint32_t number, const struct wallet *wallet, const struct market *market,
                 double rate, struct chance *chance, struct chance *looks)
{
	const struct habits *habits = &people->habits;
	struct online *online = &people->online[people->online_first[number]];
	uint32_t count = 0, kept = 0;
	for (uint32_t day = 0; day < habits->days; day++) {
		uint32_t sittings = chance_poisson(chance, rate * wallet->activity * wallet->weekday[day % WEEKDAYS]);
		for (; sittings > 0; sittings--) {
			uint64_t at_ms = moment(wallet, habits, day, chance);
			uint64_t start_ms = at_ms - MINUTE_MS;
			do {
				post_init(&people->posts[people->post_count++], number, at_ms, wallet, market, people, chance);
				at_ms += MINUTE_MS + chance_below(chance, 3 * MINUTE_MS);
			} while (chance_unit(chance) < MORE_AT_ONCE);
			online[count++] = (struct online){start_ms, at_ms};
		}
		uint32_t visits = chance_poisson(looks, wallet->looks_per_day);
		for (; visits > 0; visits--) {
			uint64_t at_ms = moment(wallet, habits, day, looks);
			online[count++] = (struct online){at_ms, at_ms + (uint64_t)(4 * MINUTE_MS * exp(chance_normal(looks)))};
		}
	}
	qsort(online, count, sizeof *online, compare_online);
	for (uint32_t i = 0; i < count; i++) { // what overlaps is one stay
		if (kept > 0 && online[i].start_ms <= online[kept - 1].end_ms) {
			if (online[i].end_ms > online[kept - 1].end_ms)
				online[kept - 1].end_ms = online[i].end_ms;
		} else {
			online[kept++] = online[i];
		}
	}
	people->online_first[number + 1] = people->online_first[number] + kept;
}

void people_init(struct people *people, const struct habits *habits, uint64_t seed)
{
	struct market *market = malloc(sizeof *market);
	struct wallet *wallets = malloc(habits->wallets * sizeof *wallets);
	struct chance draw = chance_of(seed, DRAW_MARKET);
	double activity = 0;
	memset(people, 0, sizeof *people);
	people->habits = *habits;
	people->trees = (struct trees){taxonomy_tree(taxonomy_builtin()), region_tree()};
	market_init(market, habits, &people->trees, &draw);
	for (uint32_t i = 0; i < habits->wallets; i++) {
		struct chance chance = chance_of(seed, DRAW_WALLET << 24 | i);
		wallet_init(&wallets[i], market, habits, &chance);
		for (unsigned day = 0; day < WEEKDAYS; day++)
			activity += wallets[i].activity * wallets[i].weekday[day] / WEEKDAYS;
	}
	// Room for half as many again as expected is far beyond any Poisson draw of this size.
	people->posts = malloc((size_t)(habits->posts_per_day * habits->days * 1.5 + 1000) * sizeof *people->posts);
	people->online =
	    malloc((size_t)(habits->posts_per_day + habits->wallets * 10) * habits->days * 2 * sizeof *people->online);
	people->online_first = calloc(habits->wallets + 1, sizeof *people->online_first);
	double rate = habits->posts_per_day * (1 - MORE_AT_ONCE) / activity;
	for (uint32_t i = 0; i < habits->wallets; i++) {
		struct chance posts = chance_of(seed, DRAW_WALLET << 26 | i), looks = chance_of(seed, DRAW_ONLINE << 28 | i);
		live(people, i, &wallets[i], market, rate, &posts, &looks);
	}
	qsort(people->posts, people->post_count, sizeof *people->posts, compare_posts);
	for (uint32_t i = 0; i < people->post_count; i++)
		people->posts[i].number = i;
	free(wallets);
	free(market);
}

void people_fini(struct people *people)
{
	free(people->posts);
	free(people->online);
	free(people->online_first);
}
