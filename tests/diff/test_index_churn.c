// Filters that come and go for long must not make the index grow or answer otherwise. argv[1]: how many there are,
// argv[2]: how many times as many changes.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/core/index.h"
#include "random.h"

enum { COUNT = 4000, TIMES = 10, GROWTH_MAX_PERCENT = 200, RELEASES = 60 };

static struct random_tree categories, regions;
static const struct trees TREES = {&categories.tree, &regions.tree};

// 0 where malloc is another's, as under a sanitizer.
static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void insert(struct index *index, struct stored_filter *stored, uint32_t number)
{
	random_filter(&stored[number], &TREES, STYLE_PLAIN);
	stored_filter_link(&stored[number]);
	stored[number].present = true;
	index_insert(index, number, &stored[number].filter);
}

static void check_answers(const struct index *index, const struct stored_filter *stored, uint32_t count)
{
	struct index_hits hits = {0};
	uint32_t *maybes = malloc(count * sizeof *maybes);
	for (int i = 0; maybes && i < RELEASES; i++) {
		struct match_header header;
		size_t expected = 0;
		random_header(&header, &TREES, STYLE_PLAIN);
		for (uint32_t number = 0; number < count; number++) {
			bool matches =
			    stored[number].present && filter_match(&stored[number].filter, &header, &TREES, &maybes[number], NULL);
			if (!matches)
				maybes[number] = UINT32_MAX;
			expected += matches;
		}
		bool same = index_match(index, &header, &hits) == expected;
		for (size_t hit = 0; same && hit < hits.count; hit++) {
			uint32_t number = hits.items[hit].number;
			same = number < count && maybes[number] == hits.items[hit].maybe;
			if (same)
				maybes[number] = UINT32_MAX; // each once
		}
		if (!same) {
			fprintf(stderr, "other answers than the naive matcher's after so many changes\n");
			exit(1);
		}
	}
	free(maybes);
	index_hits_fini(&hits);
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT;
	uint32_t times = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : TIMES;
	struct stored_filter *stored = calloc(count, sizeof *stored);
	if (!stored || count == 0)
		return 1;
	random_seed(1);
	random_tree(&categories, TREE_MIXED);
	random_tree(&regions, TREE_BUSHY);
	size_t before = allocated();
	struct index *index = index_new(&TREES);
	for (uint32_t number = 0; number < count; number++)
		insert(index, stored, number);
	size_t filled = allocated() - before, most = filled;
	for (uint64_t change = 0; change < (uint64_t)count * times; change++) {
		uint32_t number = random_below(count);
		index_remove(index, number);
		insert(index, stored, number);
		size_t now = change % 64 ? 0 : allocated() - before;
		most = now > most ? now : most;
	}
	check_answers(index, stored, count);
	printf("%u filters: %zu bytes each, %zu at most amid %u times as many changes\n", (unsigned)count, filled / count,
	       most / count, (unsigned)times);
	index_free(index);
	free(stored);
	if (filled > 0 && most > filled / 100 * GROWTH_MAX_PERCENT) {
		fprintf(stderr, "the index grows with the changes\n");
		return 1;
	}
	return 0;
}
