// The categories nearest to what a person typed, and the one that a path of another taxonomy means.
#include <string.h>

#include "suggest.h"
#include "taxonomy_draft.h"

size_t taxonomy_suggest(const struct taxonomy *taxonomy, const char *text, const char *out[3])
{
	struct suggest_query query;
	if (!suggest_query_init(&query, text))
		return 0;
	for (uint32_t node = 0; node < taxonomy->tree.count; node++) {
		const struct taxonomy_node *it = &taxonomy->nodes[node];
		const char *dot = strrchr(it->id, '.');
		suggest_query_offer(&query, node, it->id);
		if (dot)
			suggest_query_offer(&query, node, dot + 1);
		suggest_query_offer(&query, node, it->name);
		if (it->name_fr)
			suggest_query_offer(&query, node, it->name_fr);
		for (const char *const *also = it->also; also && *also; also++)
			suggest_query_offer(&query, node, *also);
	}
	uint32_t nodes[SUGGESTIONS_MAX];
	size_t count = suggest_query_finish(&query, nodes);
	for (size_t i = 0; i < count; i++)
		out[i] = taxonomy->nodes[nodes[i]].id;
	return count;
}

// A foreign path in parts. A part such as "Coffee Makers & Espresso Machines" is tried whole and by its halves.
enum { GUESS_PARTS_MAX = 16, GUESS_HALVES_MAX = 4, GUESS_COST_ACCEPTED = 150, GUESS_ANCESTOR_BONUS = 40 };
struct guess_part {
	struct folded forms[1 + GUESS_HALVES_MAX];
	size_t form_count;
};
struct guess {
	struct guess_part parts[GUESS_PARTS_MAX];
	size_t count;
};

static void part_add(struct guess_part *part, const char *text, size_t bytes)
{
	if (part->form_count < 1 + GUESS_HALVES_MAX && text_fold(&part->forms[part->form_count], text, bytes))
		part->form_count++;
}

static void part_read(struct guess_part *part, const char *text, size_t bytes)
{
	part->form_count = 0;
	part_add(part, text, bytes);
	size_t start = 0;
	for (size_t at = 0; at <= bytes; at++) {
		bool ends = at == bytes || text[at] == '&' || text[at] == ',' || text[at] == '/';
		if (ends && (start > 0 || at < bytes))
			part_add(part, text + start, at - start);
		if (ends)
			start = at + 1;
	}
}

static void guess_read(struct guess *guess, const char *path)
{
	const char *end = path + strlen(path);
	guess->count = 0;
	while (guess->count < GUESS_PARTS_MAX) {
		const char *stop = memchr(path, '>', (size_t)(end - path));
		part_read(&guess->parts[guess->count], path, (size_t)((stop ? stop : end) - path));
		if (guess->parts[guess->count].form_count > 0)
			guess->count++;
		if (!stop)
			return;
		path = stop + 1;
	}
}

static unsigned text_part_cost(const char *text, const struct guess_part *part)
{
	struct folded folded;
	unsigned best = SUGGEST_COST_MAX;
	if (!text || !text_fold(&folded, text, strlen(text)))
		return best;
	for (size_t i = 0; i < part->form_count; i++) {
		// A half says less than the whole, so it must fit better.
		unsigned cost = text_words_cost(&part->forms[i], &folded) + (i > 0 ? 10 : 0);
		best = cost < best ? cost : best;
	}
	return best;
}

static unsigned node_part_cost(const struct taxonomy_node *node, const struct guess_part *part)
{
	unsigned best = text_part_cost(node->name, part), french = text_part_cost(node->name_fr, part);
	best = french < best ? french : best;
	for (const char *const *also = node->also; also && *also; also++) {
		unsigned cost = text_part_cost(*also, part);
		best = cost < best ? cost : best;
	}
	return best;
}

// How many of the earlier parts are found among the node's ancestors.
static unsigned ancestors_matched(const struct taxonomy *taxonomy, uint32_t node, const struct guess *guess,
                                  size_t part_count)
{
	unsigned matched = 0;
	for (size_t i = 0; i < part_count; i++) {
		bool found = false;
		for (uint32_t at = taxonomy->parent[node]; at != TREE_NONE && !found; at = taxonomy->parent[at])
			found = node_part_cost(&taxonomy->nodes[at], &guess->parts[i]) <= 2 * GUESS_COST_ACCEPTED;
		matched += found;
	}
	return matched;
}

uint32_t taxonomy_guess(const struct taxonomy *taxonomy, const char *path)
{
	struct guess guess;
	guess_read(&guess, path);
	while (guess.count-- > 0) {
		uint32_t best_node = TREE_NONE;
		long best = SUGGEST_COST_MAX;
		for (uint32_t node = 0; node < taxonomy->tree.count; node++) {
			long cost = node_part_cost(&taxonomy->nodes[node], &guess.parts[guess.count]);
			if (cost > GUESS_COST_ACCEPTED)
				continue;
			cost -= (long)ancestors_matched(taxonomy, node, &guess, guess.count) * GUESS_ANCESTOR_BONUS;
			if (cost < best) {
				best = cost;
				best_node = node;
			}
		}
		if (best_node != TREE_NONE)
			return best_node;
	}
	return TREE_NONE;
}
