// How the attacker learns and names. It is given more than a vendor would have: every post of the first half exactly as
// the person wrote it, with the name. From it come, for each wallet and each field, smoothed frequencies
//   P(v | wallet) = (n(v, wallet) + a P(v)) / (n(wallet) + a),
// where a node of a tree counts all that lies below it, so that a coarse release is compared with fine knowledge. `a`
// is chosen for each field by leaving one post out (likelihood). A release then scores, over its fields that are not
// unknown, the sum of log P(v | wallet) + log of the wallet's share of all posts.
#include "attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/release.h"
#include "field.h"

enum { VALUES_MAX = 4096, HOUR_BINS = FIELD_HOUR_BINS };

struct field {
	uint32_t values; // how many are known
	uint64_t *names; // of values that are not numbers already, by value
	float *count;    // [value][wallet]; after learning: log P
	float *total;    // [wallet]
	const struct tree *tree;
};

struct attacker {
	uint32_t wallets;
	struct trees trees;
	struct field fields[FIELDS];
	float *prior;
	uint64_t *seen_ms; // while learning: a wallet's release before
};

// ---- values as small numbers

// A small number for a value, TREE_NONE if it is new and `learn` is not set. Trees' nodes and hours are numbers.
static uint32_t value_number(struct field *field, unsigned which, uint64_t raw, bool learn)
{
	if (which == FIELD_CATEGORY || which == FIELD_REGION || which == FIELD_HOUR || which == FIELD_WEEKDAY ||
	    raw == FIELD_ABSENT)
		return (uint32_t)raw;
	for (uint32_t i = 0; i < field->values; i++)
		if (field->names[i] == raw)
			return i;
	if (!learn || field->values == VALUES_MAX)
		return FIELD_ABSENT;
	field->names[field->values] = raw;
	return field->values++;
}

// ---- learning

static void field_room(struct field *field, uint32_t values, uint32_t wallets)
{
	field->count = calloc((size_t)values * wallets, sizeof *field->count);
	field->total = calloc(wallets, sizeof *field->total);
	if (!field->count || !field->total)
		abort();
}

static void count_value(struct field *field, unsigned which, uint32_t value, uint32_t wallet, uint32_t wallets)
{
	static const float NEAR[] = {0.40f, 0.24f, 0.06f}; // half-hours around a moment count too
	field->total[wallet] += 1;
	if (field->tree) {
		for (; value != TREE_NONE; value = field->tree->parent[value])
			field->count[(size_t)value * wallets + wallet] += 1;
	} else if (which == FIELD_HOUR) {
		uint32_t half = value / HOUR_BINS * HOUR_BINS, bin = value % HOUR_BINS;
		for (int off = -2; off <= 2; off++) {
			uint32_t near = half + (bin + HOUR_BINS + (uint32_t)off) % HOUR_BINS;
			field->count[(size_t)near * wallets + wallet] += NEAR[abs(off)];
		}
	} else {
		field->count[(size_t)value * wallets + wallet] += 1;
	}
}

// The log-likelihood of each counted value when it is left out of the counts. Trees: of the finest nodes only.
static double leave_one_out(const struct field *field, unsigned which, const float *share, uint32_t wallets, float a)
{
	float own = which == FIELD_HOUR ? 0.4f : 1;
	double sum = 0;
	for (uint32_t value = 0; value < field->values; value++) {
		if (field->tree && field->tree->last[value] != value)
			continue;
		const float *row = &field->count[(size_t)value * wallets];
		for (uint32_t wallet = 0; wallet < wallets; wallet++)
			if (row[wallet] >= own)
				sum += row[wallet] * logf((row[wallet] - own + a * share[value]) / (field->total[wallet] - own + a));
	}
	return sum;
}

static void field_finish(struct field *field, unsigned which, uint32_t wallets)
{
	static const float STRENGTHS[] = {0.5f, 2, 8, 32, 128, 512};
	float *share = calloc(field->values + 1, sizeof *share), all = 0, best_strength = 1;
	double best = -INFINITY;
	for (uint32_t wallet = 0; wallet < wallets; wallet++)
		all += field->total[wallet];
	for (uint32_t value = 0; value < field->values; value++) {
		for (uint32_t wallet = 0; wallet < wallets; wallet++)
			share[value] += field->count[(size_t)value * wallets + wallet];
		share[value] = (share[value] + 0.1f) / (all + 1);
	}
	for (size_t i = 0; i < sizeof STRENGTHS / sizeof *STRENGTHS; i++) {
		double fit = leave_one_out(field, which, share, wallets, STRENGTHS[i]);
		if (fit > best) {
			best = fit;
			best_strength = STRENGTHS[i];
		}
	}
	for (uint32_t value = 0; value < field->values; value++)
		for (uint32_t wallet = 0; wallet < wallets; wallet++) {
			float *count = &field->count[(size_t)value * wallets + wallet];
			*count = logf((*count + best_strength * share[value]) / (field->total[wallet] + best_strength));
		}
	free(share);
}

// What one known post teaches: its fields as posted, and, if it was released by then, its step and the moment.
// Two posts of one sitting are one sign of habit, not two.
static void learn(struct attacker *attacker, const struct post *post, const struct release *release)
{
	struct facets posted;
	uint64_t *seen_ms = &attacker->seen_ms[post->wallet];
	bool fresh = release && (release->at_ms > *seen_ms + HOUR_MS / 2 || release->at_ms + HOUR_MS / 2 < *seen_ms);
	release_class(&post->intent, 0, post->intent.posted_at_ms, &attacker->trees, &posted);
	for (unsigned which = 0; which < FIELDS; which++) {
		if (which >= FIELD_STEP && !(which == FIELD_STEP ? release != NULL : fresh))
			continue;
		struct field *field = &attacker->fields[which];
		uint64_t raw =
		    field_value(which, &posted, release ? release->step : 0, release ? release->at_ms : WORLD_START_MS);
		uint32_t value = value_number(field, which, raw, true);
		if (value != FIELD_ABSENT)
			count_value(field, which, value, post->wallet, attacker->wallets);
	}
	if (release)
		*seen_ms = release->at_ms;
}

struct attacker *attacker_new(const struct people *people, const struct outcome *outcome)
{
	struct attacker *attacker = calloc(1, sizeof *attacker);
	uint64_t half_ms = people_half_ms(people);
	uint32_t wallets = people->habits.wallets;
	attacker->wallets = wallets;
	attacker->trees = people->trees;
	attacker->fields[FIELD_CATEGORY].tree = people->trees.categories;
	attacker->fields[FIELD_REGION].tree = people->trees.regions;
	for (unsigned which = 0; which < FIELDS; which++) {
		struct field *field = &attacker->fields[which];
		uint32_t values = field->tree              ? field->tree->count
		                  : which == FIELD_HOUR    ? 2 * HOUR_BINS
		                  : which == FIELD_WEEKDAY ? 7
		                  : which == FIELD_BUDGET  ? VALUES_MAX
		                                           : 64;
		field_room(field, values, wallets);
		field->values = field->tree || which == FIELD_HOUR || which == FIELD_WEEKDAY ? values : 0;
		field->names = calloc(VALUES_MAX, sizeof *field->names);
	}
	attacker->prior = calloc(wallets, sizeof *attacker->prior);
	attacker->seen_ms = calloc(wallets, sizeof *attacker->seen_ms);
	for (uint32_t i = 0; i < people->post_count && people->posts[i].intent.posted_at_ms < half_ms; i++) {
		uint32_t at = outcome->release_of[i];
		bool released = at != UINT32_MAX && outcome->releases[at].at_ms < half_ms;
		learn(attacker, &people->posts[i], released ? &outcome->releases[at] : NULL);
		if (released)
			attacker->prior[people->posts[i].wallet] += 1;
	}
	for (uint32_t wallet = 0; wallet < wallets; wallet++)
		attacker->prior[wallet] = logf(attacker->prior[wallet] + 0.3f);
	for (unsigned which = 0; which < FIELDS; which++)
		field_finish(&attacker->fields[which], which, wallets);
	return attacker;
}

void attacker_free(struct attacker *attacker)
{
	for (unsigned which = 0; which < FIELDS; which++) {
		free(attacker->fields[which].names);
		free(attacker->fields[which].count);
		free(attacker->fields[which].total);
	}
	free(attacker->prior);
	free(attacker->seen_ms);
	free(attacker);
}

// ---- naming

void attacker_score(const struct attacker *attacker, const struct release *release, unsigned clues, float *scores)
{
	unsigned from = clues & CLUE_CLASS ? 0 : FIELDS_OF_CLASS, to = clues & CLUE_TIMES ? FIELDS : FIELDS_OF_CLASS;
	for (unsigned which = from; which < to; which++) {
		const struct field *field = &attacker->fields[which];
		uint64_t raw = field_value(which, &release->facets, release->step, release->at_ms);
		uint32_t value = value_number((struct field *)field, which, raw, false);
		if (value == FIELD_ABSENT || value >= field->values)
			continue;
		const float *row = &field->count[(size_t)value * attacker->wallets];
		for (uint32_t wallet = 0; wallet < attacker->wallets; wallet++)
			scores[wallet] += row[wallet];
	}
}

const float *attacker_prior(const struct attacker *attacker)
{
	return attacker->prior;
}

void precision_add(struct precision *precision, const float *scores, uint32_t count, uint32_t right)
{
	double better = 0, equal = 0; // `right` is one of the equal
	for (uint32_t i = 0; i < count; i++) {
		better += scores[i] > scores[right];
		equal += scores[i] == scores[right];
	}
	if (better < 1)
		precision->named += 1 / equal; // a guess among those that look alike
	if (better < 10)
		precision->in_ten += fmin(1, (10 - better) / equal);
	precision->tried++;
}

void precision_close(struct precision *precision)
{
	if (precision->tried == 0)
		return;
	precision->named /= precision->tried;
	precision->in_ten /= precision->tried;
	precision->most_active /= precision->tried;
}

struct sample sample_second_half(const struct people *people, const struct outcome *outcome, uint32_t wanted)
{
	uint64_t half_ms = people_half_ms(people);
	uint32_t first = 0;
	while (first < outcome->release_count && outcome->releases[first].at_ms < half_ms)
		first++;
	uint32_t there = outcome->release_count - first, count = there < wanted ? there : wanted;
	return (struct sample){first, count, count ? (double)there / count : 1};
}

uint32_t sample_at(const struct sample *sample, uint32_t index)
{
	return sample->first + (uint32_t)(index * sample->stride);
}

struct precision attack_name(const struct people *people, const struct outcome *outcome,
                             const struct attacker *attacker, unsigned clues, uint32_t tries_max)
{
	struct precision precision = {0};
	uint32_t wallets = attacker->wallets, active = 0;
	float *scores = malloc(wallets * sizeof *scores);
	struct sample sample = sample_second_half(people, outcome, tries_max);
	for (uint32_t wallet = 1; wallet < wallets; wallet++)
		if (attacker->prior[wallet] > attacker->prior[active])
			active = wallet;
	for (uint32_t i = 0; i < sample.count; i++) {
		const struct release *release = &outcome->releases[sample_at(&sample, i)];
		uint32_t right = people->posts[release->post].wallet;
		memcpy(scores, attacker->prior, wallets * sizeof *scores);
		attacker_score(attacker, release, clues, scores);
		precision_add(&precision, scores, wallets, right);
		precision.most_active += right == active;
	}
	precision_close(&precision);
	free(scores);
	return precision;
}
