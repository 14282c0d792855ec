// Record linkage in the manner of Fellegi and Sunter (1969): each field of a pair is put into a bin (differs; equal and
// how rare; compatible; one is unknown), and a bin weighs log P(bin | same wallet) - log P(bin | two wallets), both
// counted on pairs of the first half.
#include "pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "field.h"

enum { PAIR_FIELDS = FIELD_COUNTRIES + 1 + 3, PAIR_APART = FIELD_COUNTRIES + 1, PAIR_HOURS, PAIR_TOGETHER };
enum { PAIR_BINS = 32, LEARN_PAIRS = 40000, LEARN_TOGETHER = 4000, TRIES_PER_CHOICE = 400, DRAW_PAIRS = 99 };

struct mates { // releases by wallet, each wallet's in order of time
	uint32_t *releases, *first;
};

struct linker {
	const struct people *people;
	const struct outcome *outcome;
	unsigned clues;
	enum network network;
	struct mates mates;
	struct share {
		uint64_t key;
		float count;
	} * shares; // a hash table: how common a value is
	uint32_t shares_mask;
	float total[FIELDS];
	float weight[PAIR_FIELDS][PAIR_BINS];
	uint32_t border; // the first release of the second half
};

// ---- how common is a value?

static struct share *share_of(struct linker *linker, unsigned field, uint64_t value)
{
	uint64_t key = (value * 32 + field + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	uint32_t at = (uint32_t)(key >> 40) & linker->shares_mask;
	while (linker->shares[at].key != 0 && linker->shares[at].key != key)
		at = (at + 1) & linker->shares_mask;
	linker->shares[at].key = key;
	return &linker->shares[at];
}

static void count_shares(struct linker *linker)
{
	linker->shares_mask = (1 << 16) - 1;
	linker->shares = calloc(linker->shares_mask + 1, sizeof *linker->shares);
	for (uint32_t i = 0; i < linker->border; i++)
		for (unsigned field = 0; field <= FIELD_COUNTRIES; field++) {
			uint64_t value = field_value(field, &linker->outcome->releases[i].facets, 0, WORLD_START_MS);
			share_of(linker, field, value)->count++;
			linker->total[field]++;
		}
}

// ---- bins of a pair

static unsigned bin_of_field(struct linker *linker, unsigned field, const struct facets *a, const struct facets *b)
{
	enum { UNKNOWN, DIFFERS, COMPATIBLE, EQUAL };
	uint64_t one = field_value(field, a, 0, WORLD_START_MS), other = field_value(field, b, 0, WORLD_START_MS);
	const struct tree *tree = field == FIELD_CATEGORY ? linker->people->trees.categories
	                          : field == FIELD_REGION ? linker->people->trees.regions
	                                                  : NULL;
	if (one == FIELD_ABSENT || other == FIELD_ABSENT)
		return UNKNOWN;
	if (one != other) {
		bool within = tree && (tree_contains(tree, (uint32_t)one, (uint32_t)other) ||
		                       tree_contains(tree, (uint32_t)other, (uint32_t)one));
		return within ? COMPATIBLE : DIFFERS;
	}
	double share = (share_of(linker, field, one)->count + 0.5) / (linker->total[field] + 1);
	return EQUAL + (unsigned)fmin(12, -log2(share));
}

static unsigned bin_of_time_apart(uint64_t a_ms, uint64_t b_ms)
{
	uint64_t apart_ms = a_ms > b_ms ? a_ms - b_ms : b_ms - a_ms;
	return (unsigned)fmin(PAIR_BINS - 1, 2 * log2(1 + (double)apart_ms / MINUTE_MS));
}

static unsigned bin_of_hours(uint64_t a_ms, uint64_t b_ms)
{
	uint64_t half = HOUR_MS / 2, a = a_ms % DAY_MS / half, b = b_ms % DAY_MS / half;
	unsigned apart = (unsigned)(a > b ? a - b : b - a);
	return apart > 24 ? 48 - apart : apart;
}

static void bins_of_pair(struct linker *linker, uint32_t one, uint32_t other, unsigned bins[PAIR_FIELDS])
{
	const struct release *a = &linker->outcome->releases[one], *b = &linker->outcome->releases[other];
	memset(bins, 0, PAIR_FIELDS * sizeof *bins);
	if (linker->clues & CLUE_CLASS)
		for (unsigned field = 0; field <= FIELD_COUNTRIES; field++)
			bins[field] = bin_of_field(linker, field, &a->facets, &b->facets);
	if (linker->clues & CLUE_TIMES) {
		bins[PAIR_APART] = bin_of_time_apart(a->at_ms, b->at_ms);
		bins[PAIR_HOURS] = bin_of_hours(a->at_ms, b->at_ms);
	}
	if (linker->clues & CLUE_PRESENCE) {
		double together = presence_together(linker->people, linker->outcome, one, other, linker->network);
		bins[PAIR_TOGETHER] = together < 0 ? 0 : 1 + (unsigned)(together * 10);
	}
}

// ---- pairs to learn from and to try

static bool seen_together(const struct linker *linker, uint32_t one, uint32_t other)
{
	struct sight a = presence_sight(linker->people, linker->outcome, one, linker->network);
	struct sight b = presence_sight(linker->people, linker->outcome, other, linker->network);
	return a.from_ms < b.to_ms && b.from_ms < a.to_ms && a.from_ms < a.to_ms && b.from_ms < b.to_ms;
}

static uint32_t wallet_of(const struct linker *linker, uint32_t release)
{
	return linker->people->posts[linker->outcome->releases[release].post].wallet;
}

// Another release within [from, to): by the same wallet or by another one. UINT32_MAX if none was found.
static uint32_t draw_other(const struct linker *linker, uint32_t release, bool same, uint32_t from, uint32_t to,
                           struct chance *chance)
{
	uint32_t wallet = wallet_of(linker, release), first = linker->mates.first[wallet];
	uint32_t count = linker->mates.first[wallet + 1] - first;
	for (unsigned tries = 0; tries < TRIES_PER_CHOICE; tries++) {
		uint32_t other =
		    same ? linker->mates.releases[first + chance_below(chance, count)] : from + chance_below(chance, to - from);
		if (other == release || other < from || other >= to || (wallet_of(linker, other) == wallet) != same)
			continue;
		if (!(linker->clues & CLUE_PRESENCE) || seen_together(linker, release, other))
			return other;
	}
	return UINT32_MAX;
}

static void learn_weights(struct linker *linker, struct chance *chance)
{
	float counts[2][PAIR_FIELDS][PAIR_BINS] = {0};
	uint32_t wanted = linker->clues & CLUE_PRESENCE ? LEARN_TOGETHER : LEARN_PAIRS;
	for (uint32_t i = 0; i < wanted && linker->border > 1; i++) {
		uint32_t one = chance_below(chance, linker->border);
		for (int same = 0; same < 2; same++) {
			unsigned bins[PAIR_FIELDS];
			uint32_t other = draw_other(linker, one, same, 0, linker->border, chance);
			if (other == UINT32_MAX)
				break;
			bins_of_pair(linker, one, other, bins);
			for (unsigned field = 0; field < PAIR_FIELDS; field++)
				counts[same][field][bins[field]]++;
		}
	}
	for (unsigned field = 0; field < PAIR_FIELDS; field++) {
		float sums[2] = {PAIR_BINS, PAIR_BINS};
		for (unsigned bin = 0; bin < PAIR_BINS; bin++)
			for (int same = 0; same < 2; same++)
				sums[same] += counts[same][field][bin];
		for (unsigned bin = 0; bin < PAIR_BINS; bin++)
			linker->weight[field][bin] =
			    logf((counts[1][field][bin] + 1) / sums[1]) - logf((counts[0][field][bin] + 1) / sums[0]);
	}
}

static void group_mates(struct linker *linker)
{
	uint32_t wallets = linker->people->habits.wallets, count = linker->outcome->release_count;
	linker->mates.first = calloc(wallets + 2, sizeof *linker->mates.first);
	linker->mates.releases = malloc((count + 1) * sizeof *linker->mates.releases);
	for (uint32_t i = 0; i < count; i++)
		linker->mates.first[wallet_of(linker, i) + 2]++;
	for (uint32_t wallet = 0; wallet < wallets; wallet++)
		linker->mates.first[wallet + 2] += linker->mates.first[wallet + 1];
	for (uint32_t i = 0; i < count; i++)
		linker->mates.releases[linker->mates.first[wallet_of(linker, i) + 1]++] = i;
}

static float score_pair(struct linker *linker, uint32_t one, uint32_t other)
{
	unsigned bins[PAIR_FIELDS];
	float score = 0;
	bins_of_pair(linker, one, other, bins);
	for (unsigned field = 0; field < PAIR_FIELDS; field++)
		score += linker->weight[field][bins[field]];
	return score;
}

struct precision pairs_link(const struct people *people, const struct outcome *outcome, unsigned clues,
                            enum network network, uint32_t tries_max, uint64_t seed)
{
	struct linker *linker = calloc(1, sizeof *linker);
	struct chance chance = chance_of(seed, DRAW_PAIRS);
	struct precision precision = {0};
	struct sample sample = sample_second_half(people, outcome, tries_max);
	linker->people = people;
	linker->outcome = outcome;
	linker->clues = clues;
	linker->network = network;
	linker->border = sample.first;
	group_mates(linker);
	count_shares(linker);
	learn_weights(linker, &chance);
	for (uint32_t i = 0; i < sample.count; i++) {
		uint32_t one = sample_at(&sample, i), choices = 1;
		float scores[PAIR_CHOICES];
		uint32_t other = draw_other(linker, one, true, sample.first, outcome->release_count, &chance);
		if (other == UINT32_MAX)
			continue; // the only one of its wallet
		scores[0] = score_pair(linker, one, other);
		for (; choices < PAIR_CHOICES; choices++) {
			other = draw_other(linker, one, false, sample.first, outcome->release_count, &chance);
			if (other == UINT32_MAX)
				break;
			scores[choices] = score_pair(linker, one, other);
		}
		if (choices == PAIR_CHOICES)
			precision_add(&precision, scores, PAIR_CHOICES, 0);
	}
	precision_close(&precision);
	free(linker->mates.first);
	free(linker->mates.releases);
	free(linker->shares);
	free(linker);
	return precision;
}
