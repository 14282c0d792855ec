// The observer sees every cell that a wallet sends up: posts, answers, withdrawals and acceptances look alike. For an
// event in public at time t it weighs each earlier cell by how often such a delay occurs (for releases learned from the
// first half, by how coarse the release is; for answers the hold's own distribution) and names the wallet whose cells
// weigh most.
#include "delay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"

enum { ANSWERS_PER_POST = 2, LOOKS_UNTIL_ANSWER = 6, COARSENESS = 3, DELAY_BINS = 80, DRAW_CELLS = 55, DRAW_HOLD };

struct cell_sent {
	uint64_t at_ms;
	uint32_t wallet;
	bool answer;
};

struct cells {
	struct cell_sent *sent;
	uint32_t count;
};

static int compare_cells(const void *left, const void *right)
{
	const struct cell_sent *a = left, *b = right;
	return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

// The post, two answers at moments when the person is on line anyway, and the end if the person brings it about.
static struct cells cells_of(const struct people *people, uint64_t seed)
{
	struct cells cells = {malloc((size_t)people->post_count * (2 + ANSWERS_PER_POST) * sizeof *cells.sent), 0};
	struct chance chance = chance_of(seed, DRAW_CELLS);
	uint32_t *look = malloc(people->habits.wallets * sizeof *look);
	memcpy(look, people->online_first, people->habits.wallets * sizeof *look);
	for (uint32_t i = 0; i < people->post_count; i++) {
		const struct post *post = &people->posts[i];
		uint32_t *next = &look[post->wallet], last = people->online_first[post->wallet + 1];
		cells.sent[cells.count++] = (struct cell_sent){post->intent.posted_at_ms, post->wallet, false};
		while (*next < last && people->online[*next].start_ms <= post->intent.posted_at_ms)
			++*next;
		for (unsigned answer = 0; answer < ANSWERS_PER_POST; answer++) {
			uint32_t at = *next + chance_below(&chance, LOOKS_UNTIL_ANSWER);
			if (at >= last)
				continue;
			const struct online *online = &people->online[at];
			uint64_t into_ms = (uint64_t)(chance_unit(&chance) * (double)(online->end_ms - online->start_ms));
			cells.sent[cells.count++] = (struct cell_sent){online->start_ms + into_ms, post->wallet, true};
		}
		if (post->ended_ms < post->intent.expires_at_ms)
			cells.sent[cells.count++] = (struct cell_sent){post->ended_ms, post->wallet, false};
	}
	free(look);
	qsort(cells.sent, cells.count, sizeof *cells.sent, compare_cells);
	return cells;
}

// The first cell after this moment.
static uint32_t cell_after(const struct cells *cells, uint64_t at_ms)
{
	uint32_t low = 0, high = cells->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (cells->sent[middle].at_ms <= at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// ---- releases

struct delays {
	double density[COARSENESS][DELAY_BINS]; // per second
	uint64_t longest_ms;                    // longer ones are not looked for
};

static unsigned coarseness_of(uint8_t step)
{
	return step >= 11 ? 2 : step >= 8 ? 1 : 0;
}

static unsigned delay_bin(uint64_t delay_ms)
{
	return (unsigned)fmin(DELAY_BINS - 1, 4 * log2(1 + (double)delay_ms / (5 * SECOND_MS)));
}

static double bin_seconds(unsigned bin)
{
	return 5 * (exp2((bin + 1) / 4.0) - exp2(bin / 4.0));
}

static void learn_delays(const struct people *people, const struct outcome *outcome, struct delays *delays)
{
	double count[COARSENESS] = {0};
	uint32_t all[DELAY_BINS] = {0}, seen = 0, up_to = 0;
	unsigned longest = 0;
	memset(delays, 0, sizeof *delays);
	for (uint32_t i = 0; i < outcome->release_count && outcome->releases[i].at_ms < people_half_ms(people); i++) {
		const struct release *release = &outcome->releases[i];
		unsigned bin = delay_bin(release->at_ms - people->posts[release->post].intent.posted_at_ms);
		delays->density[coarseness_of(release->step)][bin]++;
		count[coarseness_of(release->step)]++;
		all[bin]++;
		seen++;
	}
	for (unsigned coarse = 0; coarse < COARSENESS; coarse++)
		for (unsigned bin = 0; bin < DELAY_BINS; bin++)
			delays->density[coarse][bin] =
			    (delays->density[coarse][bin] + 0.05) / (count[coarse] + 0.05 * DELAY_BINS) / bin_seconds(bin);
	while (longest < DELAY_BINS && up_to + all[longest] <= 0.97 * seen)
		up_to += all[longest++];
	delays->longest_ms = (uint64_t)(5000 * exp2((longest + 1) / 4.0));
	if (delays->longest_ms > DAY_MS)
		delays->longest_ms = DAY_MS;
}

struct precision delay_release(const struct people *people, const struct outcome *outcome,
                               const struct attacker *attacker, unsigned clues, uint32_t tries_max)
{
	uint32_t wallets = people->habits.wallets;
	struct cells cells = cells_of(people, 1);
	struct delays delays;
	struct precision precision = {0};
	struct sample sample = sample_second_half(people, outcome, tries_max);
	float *scores = malloc(wallets * sizeof *scores), *known = calloc(wallets, sizeof *known);
	learn_delays(people, outcome, &delays);
	for (uint32_t i = 0; i < sample.count; i++) {
		const struct release *release = &outcome->releases[sample_at(&sample, i)];
		const double *density = delays.density[coarseness_of(release->step)];
		memset(scores, 0, wallets * sizeof *scores);
		memset(known, 0, wallets * sizeof *known);
		for (uint32_t at = cell_after(&cells, release->at_ms); at > 0; at--) {
			const struct cell_sent *cell = &cells.sent[at - 1];
			if (cell->at_ms + delays.longest_ms < release->at_ms)
				break;
			scores[cell->wallet] += (float)density[delay_bin(release->at_ms - cell->at_ms)];
		}
		if (attacker)
			attacker_score(attacker, release, clues, known);
		for (uint32_t wallet = 0; wallet < wallets; wallet++)
			scores[wallet] = logf(scores[wallet] + 1e-9f) + known[wallet];
		precision_add(&precision, scores, wallets, people->posts[release->post].wallet);
	}
	precision_close(&precision);
	free(scores);
	free(known);
	free(cells.sent);
	return precision;
}

// ---- answers

struct precision delay_answer(const struct people *people, const struct outcome *outcome, double hold_ms,
                              uint64_t tick_ms, uint32_t tries_max, uint64_t seed)
{
	uint32_t wallets = people->habits.wallets;
	struct cells cells = cells_of(people, seed);
	struct chance chance = chance_of(seed, DRAW_HOLD);
	struct precision precision = {0};
	float *scores = malloc(wallets * sizeof *scores);
	double mean_ms = hold_ms + (double)tick_ms, longest_ms = 12 * mean_ms;
	uint32_t stride = cells.count / 2 / tries_max + 1;
	for (uint32_t i = cells.count / 2; i < cells.count; i += stride) {
		while (i < cells.count && !cells.sent[i].answer)
			i++;
		if (i == cells.count || cells.sent[i].at_ms >= outcome->end_ms)
			break;
		uint64_t held_ms = hold_ms > 0 ? (uint64_t)chance_exponential(&chance, hold_ms) : 0;
		uint64_t at_ms = (cells.sent[i].at_ms + held_ms + tick_ms - 1) / tick_ms * tick_ms;
		memset(scores, 0, wallets * sizeof *scores);
		for (uint32_t at = cell_after(&cells, at_ms); at > 0; at--) {
			double delay_ms = (double)(at_ms - cells.sent[at - 1].at_ms);
			if (delay_ms > longest_ms)
				break;
			bool possible = hold_ms > 0 || delay_ms < (double)tick_ms;
			scores[cells.sent[at - 1].wallet] += possible ? (float)exp(-delay_ms / mean_ms) : 0;
		}
		precision_add(&precision, scores, wallets, cells.sent[i].wallet);
	}
	precision_close(&precision);
	free(scores);
	free(cells.sent);
	return precision;
}
