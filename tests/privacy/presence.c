// In direct mode the home broker sees, under each intent key, when its wallet asks: the hours of a person. The attacker
// takes a Poisson rate for each wallet and half-hour (weekday or weekend), smoothed towards everybody's.
// With two brokers it sees its own schedule (DESIGN: every 10 s for 10 min, every minute for a day, every 10 min until
// the expiry band ends). The same attacker is let loose on both.
#include "presence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"

enum { BINS = 2 * FIELD_HOUR_BINS, MOMENTS_MAX = 20000 };
#define SMOOTHING_HOURS 20.0

static const uint32_t BAND_DAYS[] = {0, 1, 3, 7, 30, 90};

struct sight presence_sight(const struct people *people, const struct outcome *outcome, uint32_t number,
                            enum network network)
{
	const struct release *release = &outcome->releases[number];
	const struct post *post = &people->posts[release->post];
	struct sight sight = {post->intent.posted_at_ms, post->ended_ms};
	if (network == NETWORK_TWO_BROKERS)
		sight = (struct sight){release->at_ms, release->at_ms + BAND_DAYS[release->facets.expires] * DAY_MS};
	if (sight.to_ms > outcome->end_ms)
		sight.to_ms = outcome->end_ms;
	return sight;
}

static uint32_t online_from(const struct people *people, uint32_t wallet, uint64_t from_ms)
{
	uint32_t low = people->online_first[wallet], high = people->online_first[wallet + 1];
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (people->online[middle].start_ms < from_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t next_push(uint64_t released_ms, uint64_t last_ms)
{
	uint64_t age_ms = last_ms - released_ms;
	return last_ms + (age_ms < 10 * MINUTE_MS ? 10 * SECOND_MS : age_ms < DAY_MS ? MINUTE_MS : 10 * MINUTE_MS);
}

uint32_t presence_moments(const struct people *people, const struct outcome *outcome, uint32_t number,
                          enum network network, uint64_t from_ms, uint64_t to_ms, uint64_t *moments, uint32_t room)
{
	const struct release *release = &outcome->releases[number];
	uint32_t wallet = people->posts[release->post].wallet, count = 0;
	if (network == NETWORK_DIRECT) {
		for (uint32_t i = online_from(people, wallet, from_ms); i < people->online_first[wallet + 1]; i++) {
			if (people->online[i].start_ms >= to_ms || count == room)
				break;
			moments[count++] = people->online[i].start_ms;
		}
		return count;
	}
	for (uint64_t at_ms = release->at_ms; at_ms < to_ms && count < room; at_ms = next_push(release->at_ms, at_ms))
		if (at_ms >= from_ms)
			moments[count++] = at_ms;
	return count;
}

double presence_together(const struct people *people, const struct outcome *outcome, uint32_t one, uint32_t other,
                         enum network network)
{
	static uint64_t mine[MOMENTS_MAX], yours[MOMENTS_MAX];
	struct sight a = presence_sight(people, outcome, one, network);
	struct sight b = presence_sight(people, outcome, other, network);
	uint64_t from_ms = a.from_ms > b.from_ms ? a.from_ms : b.from_ms;
	uint64_t to_ms = a.to_ms < b.to_ms ? a.to_ms : b.to_ms;
	if (from_ms >= to_ms)
		return -1;
	uint32_t mine_count = presence_moments(people, outcome, one, network, from_ms, to_ms, mine, MOMENTS_MAX);
	uint32_t yours_count = presence_moments(people, outcome, other, network, from_ms, to_ms, yours, MOMENTS_MAX);
	uint32_t together = 0, at = 0;
	for (uint32_t i = 0; i < mine_count; i++) {
		while (at < yours_count && yours[at] + 2 * SECOND_MS < mine[i])
			at++;
		together += at < yours_count && yours[at] <= mine[i] + 2 * SECOND_MS;
	}
	uint32_t most = mine_count > yours_count ? mine_count : yours_count;
	return most ? (double)together / most : -1;
}

// ---- naming

struct sighting {
	float count[BINS];
	float hours[BINS]; // for how long each bin was in sight
};

static unsigned bin_of(uint64_t at_ms)
{
	return (unsigned)field_value(FIELD_HOUR, &(struct facets){0}, 0, at_ms);
}

static void observe(const struct people *people, const struct outcome *outcome, uint32_t release, enum network network,
                    struct sighting *sighting)
{
	static uint64_t moments[MOMENTS_MAX];
	struct sight sight = presence_sight(people, outcome, release, network);
	uint32_t count =
	    presence_moments(people, outcome, release, network, sight.from_ms, sight.to_ms, moments, MOMENTS_MAX);
	for (uint32_t i = 0; i < count; i++)
		sighting->count[bin_of(moments[i])] += 1;
	for (uint64_t at_ms = sight.from_ms; at_ms < sight.to_ms; at_ms += HOUR_MS / 2)
		sighting->hours[bin_of(at_ms)] += 0.5f;
}

// Rates by [bin][wallet], from the releases of the first half.
static void learn_rates(const struct people *people, const struct outcome *outcome, enum network network, float *rate)
{
	uint32_t wallets = people->habits.wallets;
	struct sighting *seen = calloc(wallets, sizeof *seen), all = {0};
	for (uint32_t i = 0; i < outcome->release_count && outcome->releases[i].at_ms < people_half_ms(people); i++)
		observe(people, outcome, i, network, &seen[people->posts[outcome->releases[i].post].wallet]);
	for (uint32_t wallet = 0; wallet < wallets; wallet++)
		for (unsigned bin = 0; bin < BINS; bin++) {
			all.count[bin] += seen[wallet].count[bin];
			all.hours[bin] += seen[wallet].hours[bin];
		}
	for (unsigned bin = 0; bin < BINS; bin++) {
		double usual = (all.count[bin] + 0.01) / (all.hours[bin] + 1);
		for (uint32_t wallet = 0; wallet < wallets; wallet++)
			rate[bin * wallets + wallet] = (float)((seen[wallet].count[bin] + SMOOTHING_HOURS * usual) /
			                                       (seen[wallet].hours[bin] + SMOOTHING_HOURS));
	}
	free(seen);
}

struct precision presence_name(const struct people *people, const struct outcome *outcome,
                               const struct attacker *attacker, enum network network, unsigned clues,
                               uint32_t tries_max)
{
	uint32_t wallets = people->habits.wallets;
	float *rate = malloc(BINS * wallets * sizeof *rate), *scores = malloc(wallets * sizeof *scores);
	struct precision precision = {0};
	struct sample sample = sample_second_half(people, outcome, tries_max);
	learn_rates(people, outcome, network, rate);
	for (uint32_t i = 0; i < sample.count; i++) {
		uint32_t number = sample_at(&sample, i);
		struct sighting sighting = {0};
		observe(people, outcome, number, network, &sighting);
		memcpy(scores, attacker_prior(attacker), wallets * sizeof *scores);
		for (unsigned bin = 0; bin < BINS; bin++) {
			const float *row = &rate[bin * wallets];
			for (uint32_t wallet = 0; wallet < wallets && sighting.hours[bin] > 0; wallet++)
				scores[wallet] += sighting.count[bin] * logf(row[wallet]) - sighting.hours[bin] * row[wallet];
		}
		if (clues)
			attacker_score(attacker, &outcome->releases[number], clues, scores);
		precision_add(&precision, scores, wallets, people->posts[outcome->releases[number].post].wallet);
	}
	precision_close(&precision);
	free(scores);
	free(rate);
	return precision;
}
