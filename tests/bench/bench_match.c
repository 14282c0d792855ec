// oyez-bench match: inserts a workload's subscriptions, matches its releases, removes all, and says how fast.
// Before that it puts the same questions to the naive matcher, all of them when there are few, else a spread sample.
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "broker/core/index.h"
#include "workload.h"

enum { NAIVE_CHECKS = 40 * 1000 * 1000, NAIVE_RELEASES_MIN = 20, THREADS_MAX = 64 };

struct options {
	const char *dir, *dump;
	double seconds;
	int threads;
	bool json;
};

struct figures {
	double inserts_per_second, deletes_per_second, releases_per_second, matches_per_release;
	double bytes_each, allocated_each, threads_releases_per_second;
	size_t checked_releases;
};

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option LONG[] = {
	    {"dir", required_argument, NULL, 'd'},     {"dump", required_argument, NULL, 'o'},
	    {"seconds", required_argument, NULL, 's'}, {"threads", required_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},          {0},
	};
	*options = (struct options){.seconds = 2, .threads = 1};
	for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
		if (option == 'd')
			options->dir = optarg;
		else if (option == 'o')
			options->dump = optarg;
		else if (option == 's')
			options->seconds = strtod(optarg, NULL);
		else if (option == 't')
			options->threads = atoi(optarg);
		else if (option == 'j')
			options->json = true;
		else
			exit(2);
	}
	if (!options->dir || optind != argc || options->threads < 1 || options->threads > THREADS_MAX)
		give_up("match wants --dir DIR, and 1 to %d threads; see oyez-bench --help", THREADS_MAX);
}

// ---- answers

static int compare_hits(const void *a, const void *b)
{
	const struct index_hit *left = a, *right = b;
	return (left->number > right->number) - (left->number < right->number);
}

static void check_release(const struct workload *workload, const struct index *index, size_t at,
                          struct index_hits *hits)
{
	const struct match_header *header = &workload->headers[at];
	size_t next = 0;
	index_match(index, header, hits);
	qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
	for (uint32_t number = 0; number < workload->filter_count; number++) {
		uint32_t maybe;
		bool expected = filter_match(&workload->filters[number], header, &workload->trees, &maybe, NULL);
		bool found = next < hits->count && hits->items[next].number == number;
		if (found != expected || (found && hits->items[next].maybe != maybe))
			give_up("WRONG: release %" PRId64 " and subscription %" PRId64 ": the naive matcher says %s, the index %s",
			        workload->header_ids[at], workload->filter_ids[number], expected ? "yes" : "no",
			        found == expected ? "so too, with other maybe bits"
			        : found           ? "yes"
			                          : "no");
		next += found;
	}
	if (next != hits->count)
		give_up("WRONG: release %" PRId64 " has a hit twice or one that is no subscription", workload->header_ids[at]);
}

static size_t check_answers(const struct workload *workload, const struct index *index, struct index_hits *hits)
{
	size_t count = NAIVE_CHECKS / workload->filter_count;
	count = count < NAIVE_RELEASES_MIN ? NAIVE_RELEASES_MIN : count;
	count = count > workload->header_count ? workload->header_count : count;
	for (size_t i = 0; i < count; i++)
		check_release(workload, index, i * workload->header_count / count, hits);
	return count;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static void dump_answers(const struct workload *workload, const struct index *index, struct index_hits *hits,
                         const char *path)
{
	FILE *file = fopen(path, "w");
	int64_t *ids = malloc(workload->filter_count * sizeof *ids);
	if (!file || !ids)
		give_up("cannot write %s", path);
	for (size_t at = 0; at < workload->header_count; at++) {
		size_t count = index_match(index, &workload->headers[at], hits);
		for (size_t i = 0; i < count; i++)
			ids[i] = workload->filter_ids[hits->items[i].number];
		qsort(ids, count, sizeof *ids, compare_ids);
		fprintf(file, "%" PRId64 ":", workload->header_ids[at]);
		for (size_t i = 0; i < count; i++)
			fprintf(file, " %" PRId64, ids[i]);
		fputc('\n', file);
	}
	free(ids);
	if (ferror(file) | fclose(file))
		give_up("cannot write %s", path);
}

// ---- speed

static struct index *insert_all(const struct workload *workload, struct figures *figures)
{
	size_t resident = memory_resident(), allocated = memory_allocated();
	double start = seconds_now();
	struct index *index = index_new(&workload->trees);
	for (uint32_t number = 0; number < workload->filter_count; number++)
		index_insert(index, number, &workload->filters[number]);
	figures->inserts_per_second = (double)workload->filter_count / (seconds_now() - start);
	figures->bytes_each = (double)(memory_resident() - resident) / (double)workload->filter_count;
	figures->allocated_each = (double)(memory_allocated() - allocated) / (double)workload->filter_count;
	return index;
}

struct lookups {
	const struct workload *workload;
	const struct index *index;
	double seconds;
	size_t releases, matches;
	double elapsed;
};

static void *look_up(void *context)
{
	struct lookups *lookups = context;
	const struct workload *workload = lookups->workload;
	struct index_hits hits = {0};
	double start = seconds_now();
	lookups->releases = lookups->matches = 0;
	do {
		for (size_t at = 0; at < workload->header_count; at++)
			lookups->matches += index_match(lookups->index, &workload->headers[at], &hits);
		lookups->releases += workload->header_count;
		lookups->elapsed = seconds_now() - start;
	} while (lookups->elapsed < lookups->seconds);
	index_hits_fini(&hits);
	return NULL;
}

// Releases a second by so many threads at once, which share nothing but the index.
static double look_up_together(const struct lookups *one, int threads)
{
	struct lookups lookups[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	double rate = 0;
	for (int i = 0; i < threads; i++) {
		lookups[i] = *one;
		if (pthread_create(&ids[i], NULL, look_up, &lookups[i]) != 0)
			give_up("cannot start a thread");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		rate += (double)lookups[i].releases / lookups[i].elapsed;
	}
	return rate;
}

// In an order that has nothing to do with that of insertion, but is the same each time.
static uint32_t *shuffled(uint32_t count)
{
	uint32_t *numbers = malloc(count * sizeof *numbers);
	uint64_t state = 1;
	if (!numbers)
		give_up("no memory");
	for (uint32_t i = 0; i < count; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t other = (uint32_t)((state >> 33) % (i + 1));
		numbers[i] = numbers[other];
		numbers[other] = i;
	}
	return numbers;
}

static void delete_all(const struct workload *workload, struct index *index, struct index_hits *hits,
                       struct figures *figures)
{
	uint32_t count = (uint32_t)workload->filter_count, *numbers = shuffled(count);
	double start = seconds_now();
	for (uint32_t i = 0; i < count; i++)
		index_remove(index, numbers[i]);
	figures->deletes_per_second = count / (seconds_now() - start);
	free(numbers);
	for (size_t at = 0; at < workload->header_count; at++)
		if (index_count(index) != 0 || index_match(index, &workload->headers[at], hits) != 0)
			give_up("WRONG: something is left in the index after all was deleted");
}

// ---- the report

static void report(const struct workload *workload, const struct options *options, const struct figures *figures)
{
	double matches_per_second = figures->releases_per_second * figures->matches_per_release;
	printf("%zu releases checked against the naive matcher over all %zu subscriptions: no difference\n",
	       figures->checked_releases, workload->filter_count);
	printf(
	    "%zu subscriptions, %.0f inserts/s, %.0f deletes/s, %.0f bytes each (%.0f with what malloc holds in reserve)\n",
	    workload->filter_count, figures->inserts_per_second, figures->deletes_per_second, figures->bytes_each,
	    figures->allocated_each);
	printf("%.0f releases/s, %.1f matches each, %.1f M matches/s\n", figures->releases_per_second,
	       figures->matches_per_release, matches_per_second / 1e6);
	if (options->threads > 1)
		printf("%d threads: %.0f releases/s, %.1f M matches/s\n", options->threads,
		       figures->threads_releases_per_second,
		       figures->threads_releases_per_second * figures->matches_per_release / 1e6);
	if (options->json)
		printf("{\"releases_per_second\": %.1f, \"matches_per_second\": %.1f, \"matches_per_release\": %.3f, "
		       "\"inserts_per_second\": %.1f, \"deletes_per_second\": %.1f, \"bytes_per_subscription\": %.1f}\n",
		       figures->releases_per_second, matches_per_second, figures->matches_per_release,
		       figures->inserts_per_second, figures->deletes_per_second, figures->bytes_each);
}

int bench_match(int argc, char **argv)
{
	struct options options;
	struct workload workload;
	struct figures figures = {0};
	struct index_hits hits = {0};
	read_options(argc, argv, &options);
	workload_load(&workload, options.dir);
	struct index *index = insert_all(&workload, &figures);
	figures.checked_releases = check_answers(&workload, index, &hits);
	if (options.dump)
		dump_answers(&workload, index, &hits, options.dump);
	struct lookups lookups = {.workload = &workload, .index = index, .seconds = options.seconds};
	look_up(&lookups);
	figures.releases_per_second = (double)lookups.releases / lookups.elapsed;
	figures.matches_per_release = (double)lookups.matches / (double)lookups.releases;
	if (options.threads > 1)
		figures.threads_releases_per_second = look_up_together(&lookups, options.threads);
	delete_all(&workload, index, &hits, &figures);
	report(&workload, &options, &figures);
	index_free(index);
	index_hits_fini(&hits);
	workload_fini(&workload);
	return 0;
}
