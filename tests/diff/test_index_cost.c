// Filters that a release cannot reach must not slow it down. argv[1]: how many of those, for counting instructions.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "broker/core/index.h"

enum { NEAR_COUNT = 20, ROUNDS = 5000 };

// Two tops with one child each: near is under the first, far under the second.
static const uint32_t PARENT[] = {TREE_NONE, 0, TREE_NONE, 2}, LAST[] = {1, 1, 3, 3};
static const uint8_t DEPTH[] = {1, 2, 1, 2}, FLAGS[4];
static const struct tree TREE = {4, PARENT, LAST, DEPTH, FLAGS};
static const struct trees TREES = {&TREE, &TREE};
static const uint32_t NEAR = 1, FAR = 3;

static double seconds_per_match(const struct index *index)
{
	const struct match_header header = {.facets = {.category = NEAR, .region = NEAR}, .crowd = 1};
	struct index_hits hits = {0};
	double best = 1e9;
	for (int attempt = 0; attempt < 5; attempt++) {
		struct timespec start, end;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		for (int i = 0; i < ROUNDS; i++)
			if (index_match(index, &header, &hits) != NEAR_COUNT)
				exit(1);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
		best = seconds < best ? seconds : best;
	}
	index_hits_fini(&hits);
	return best / ROUNDS;
}

int main(int argc, char **argv)
{
	const uint32_t far_count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 50000;
	const struct filter wanted = {.categories = &NEAR, .category_count = 1};
	struct index *index = index_new(&TREES);
	for (uint32_t number = 0; number < NEAR_COUNT; number++)
		index_insert(index, number, &wanted);
	double before = seconds_per_match(index);
	for (uint32_t number = NEAR_COUNT; number < NEAR_COUNT + far_count; number++) {
		struct filter elsewhere = {.exact = number % 2};
		if (number % 3) {
			elsewhere.categories = &FAR;
			elsewhere.category_count = 1;
		} else {
			elsewhere.regions = &FAR;
			elsewhere.region_count = 1;
		}
		index_insert(index, number, &elsewhere);
	}
	double after = seconds_per_match(index);
	printf("a match with %d hits: %.0f ns; with %u filters out of reach: %.0f ns\n", NEAR_COUNT, before * 1e9,
	       far_count, after * 1e9);
	index_free(index);
	if (after > before * 5) { // generous: looking at them would cost a thousand times as much
		fprintf(stderr, "filters out of reach slow a match down\n");
		return 1;
	}
	return 0;
}
