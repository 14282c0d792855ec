// Counts over an outcome. Nothing here knows how a release was decided on: classes are counted anew from what is
// public.
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/release.h"

void print_figure(const struct heading *heading, const char *name, double value)
{
	printf("%u\t%s\t%.0f\t%.0f\t%u\t%g\t%s\t%s\t%.6g\n", (unsigned)heading->seed, heading->table,
	       heading->habits.posts_per_day, (double)heading->habits.patience_ms / MINUTE_MS, heading->protection.k,
	       heading->protection.hold_ms / MINUTE_MS, heading->variant, name, value);
	fflush(stdout);
}

void print_precision(const struct heading *heading, const char *name, const struct precision *precision)
{
	char line[80];
	print_figure(heading, name, precision->named);
	snprintf(line, sizeof line, "%s, in ten", name);
	print_figure(heading, line, precision->in_ten);
	snprintf(line, sizeof line, "%s, tried", name);
	print_figure(heading, line, precision->tried);
}

// ---- classes

struct shown {
	struct facets facets;
	uint64_t at_ms;
	uint32_t release;
};

static int compare_facets(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct facets));
}

static int compare_shown(const void *left, const void *right)
{
	const struct shown *a = left, *b = right;
	int order = memcmp(&a->facets, &b->facets, sizeof a->facets);
	return order ? order : (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

uint32_t count_below_k(const struct people *people, const struct outcome *outcome, uint32_t k)
{
	struct shown *all = malloc((outcome->release_count + 1) * sizeof *all);
	uint32_t count = 0, small = 0;
	for (uint32_t i = 0; i < outcome->release_count; i++) {
		const struct release *release = &outcome->releases[i];
		if (release->crowd == 1 && people->posts[release->post].intent.crowd_waived)
			continue; // alone by its owner's wish, and company for nobody
		all[count++] = (struct shown){release->facets, release->at_ms, i};
	}
	qsort(all, count, sizeof *all, compare_shown);
	for (uint32_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count && compare_shown(&all[start], &all[end]) == 0;)
			end++;
		for (uint32_t i = start; i < end; i++)
			small += end - start < k || outcome->releases[all[i].release].crowd != end - start;
	}
	free(all);
	return small;
}

static double share_alone(struct facets *all, uint32_t count)
{
	uint32_t alone = 0;
	qsort(all, count, sizeof *all, compare_facets);
	for (uint32_t i = 0; i < count; i++)
		alone += (i == 0 || compare_facets(&all[i - 1], &all[i]) != 0) &&
		         (i + 1 == count || compare_facets(&all[i], &all[i + 1]) != 0);
	return count ? (double)alone / count : 0;
}

double share_unique(const struct outcome *outcome)
{
	struct facets *all = malloc((outcome->release_count + 1) * sizeof *all);
	for (uint32_t i = 0; i < outcome->release_count; i++)
		all[i] = outcome->releases[i].facets;
	double share = share_alone(all, outcome->release_count);
	free(all);
	return share;
}

double share_unique_posts(const struct people *people)
{
	struct facets *all = malloc((people->post_count + 1) * sizeof *all);
	for (uint32_t i = 0; i < people->post_count; i++) {
		const struct waiting_intent *intent = &people->posts[i].intent;
		release_class(intent, 0, intent->posted_at_ms, &people->trees, &all[i]);
	}
	double share = share_alone(all, people->post_count);
	free(all);
	return share;
}

// ---- waiting

// Has this post's owner left everything at the defaults that no step drops or that bounds the steps?
static bool ordinary(const struct post *post)
{
	const struct waiting_intent *intent = &post->intent;
	return intent->facets.terms == 1 && intent->facets.rating_band == 0 && intent->facets.country_count == 0 &&
	       intent->crowd_wish == 0 && intent->coarsest_step == RELEASE_STEPS - 1 &&
	       intent->expires_at_ms - intent->posted_at_ms == 7 * DAY_MS;
}

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

struct fate {
	uint32_t known, released, patient;
};

// "Within a day" over the posts made at least a day before the run's end; "expired" over those whose last day lies
// within the run.
static void print_waiting(const struct heading *heading, const struct people *people, const struct outcome *outcome)
{
	uint64_t *waits = malloc((people->post_count + 1) * sizeof *waits);
	struct fate fates[2] = {0};
	uint32_t ended = 0, expired = 0, count = 0;
	for (uint32_t i = 0; i < people->post_count; i++) {
		const struct waiting_intent *intent = &people->posts[i].intent;
		uint32_t at = outcome->release_of[i];
		uint64_t waited_ms = at == UINT32_MAX ? UINT64_MAX : outcome->releases[at].at_ms - intent->posted_at_ms;
		ended += intent->expires_at_ms <= outcome->end_ms;
		expired += intent->expires_at_ms <= outcome->end_ms && at == UINT32_MAX;
		if (intent->posted_at_ms + DAY_MS > outcome->end_ms)
			continue;
		struct fate *fate = &fates[ordinary(&people->posts[i])];
		fate->known++;
		if (waited_ms > DAY_MS)
			continue;
		fate->released++;
		fate->patient += outcome->releases[at].at_ms <= release_ready_ms(intent) + intent->patience_ms;
		waits[count++] = waited_ms;
	}
	qsort(waits, count, sizeof *waits, compare_times);
	uint32_t known = fates[0].known + fates[1].known;
	if (known > 0 && count > 0) {
		print_figure(heading, "released within a day", (double)count / known);
		print_figure(heading, "released within patience", (double)(fates[0].patient + fates[1].patient) / known);
		print_figure(heading, "wait median, min", (double)waits[count / 2] / MINUTE_MS);
		print_figure(heading, "wait p90, min", (double)waits[(size_t)count * 9 / 10] / MINUTE_MS);
	}
	if (heading->habits.days >= 14 && ended > 0)
		print_figure(heading, "expired unreleased", (double)expired / ended);
	if (fates[0].known > 0 && fates[1].known > 0) {
		print_figure(heading, "share with all defaults", (double)fates[1].known / known);
		print_figure(heading, "within a day, all defaults", (double)fates[1].released / fates[1].known);
		print_figure(heading, "within a day, others", (double)fates[0].released / fates[0].known);
	}
	free(waits);
}

void print_crowds(const struct heading *heading, const struct people *people, const struct outcome *outcome)
{
	uint32_t steps[RELEASE_STEPS] = {0}, few = 0, lone = 0, count = outcome->release_count;
	double persons = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct release *release = &outcome->releases[i];
		steps[release->step]++;
		few += release->persons < heading->protection.k;
		lone += release->persons == 1;
		persons += release->persons;
	}
	print_figure(heading, "posts", people->post_count);
	print_figure(heading, "releases", count);
	print_figure(heading, "below k", count_below_k(people, outcome, heading->protection.k));
	print_figure(heading, "unique", share_unique(outcome));
	print_figure(heading, "unique as posted", share_unique_posts(people));
	if (count == 0)
		return;
	print_figure(heading, "fewer persons than k", (double)few / count);
	print_figure(heading, "one person only", (double)lone / count);
	print_figure(heading, "persons, mean", persons / count);
	for (unsigned step = 0; step < RELEASE_STEPS; step++) {
		char name[16];
		snprintf(name, sizeof name, "step %u", step);
		print_figure(heading, name, (double)steps[step] / count);
	}
	print_waiting(heading, people, outcome);
}
