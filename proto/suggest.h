// "Did you mean": ranks candidates by how near their texts are to what a person typed. Knows no trees and no tables;
// taxonomy and region offer their ids and names to it.
#ifndef OYEZ_PROTO_SUGGEST_H
#define OYEZ_PROTO_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SUGGESTIONS_MAX = 3, FOLDED_BYTES = 128, FOLDED_WORDS_MAX = 12 };

// Costs run from 0 (equal) to SUGGEST_COST_MAX (nothing in common).
enum { SUGGEST_COST_MAX = 1000, SUGGEST_COST_ACCEPTED = 600 };

// A text without case, accents and punctuation, cut into words: "Machine à café" is "machine a cafe".
struct folded {
	char text[FOLDED_BYTES]; // words with one space between them; what is longer is cut off
	size_t bytes;
	uint32_t letters; // which letters occur, as bits: tells quickly that two texts are far apart
	size_t word_count;
	struct folded_word {
		uint8_t start, bytes;
		uint32_t letters;
	} words[FOLDED_WORDS_MAX];
};

// False if the text is not UTF-8 or has no letter or digit.
bool text_fold(struct folded *out, const char *text, size_t bytes);
// How far `query` is from `candidate`; costs above `cost_max` are not worked out and come back as SUGGEST_COST_MAX.
unsigned text_cost(const struct folded *query, const struct folded *candidate, unsigned cost_max);
// Only by words: how much of `query` is not in `candidate`.
unsigned text_words_cost(const struct folded *query, const struct folded *candidate);

// The best three of all candidates offered. One node may be offered under several texts.
struct suggest_query {
	struct folded text;
	size_t count;
	struct {
		unsigned cost;
		uint32_t node;
	} best[SUGGESTIONS_MAX];
};
// False if nothing can be near `text`.
bool suggest_query_init(struct suggest_query *query, const char *text);
void suggest_query_offer(struct suggest_query *query, uint32_t node, const char *text);
// The nodes, best first; how many.
size_t suggest_query_finish(const struct suggest_query *query, uint32_t nodes[SUGGESTIONS_MAX]);

#endif
