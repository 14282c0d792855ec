// Folding of texts and the distance between them. What a person may type is bounded (FOLDED_BYTES), so the cost of
// one comparison is too; the letter sets keep most comparisons from being made at all.
#include "suggest.h"

#include <string.h>
#include <utf8proc.h>

enum { WORD_COST_STEM = 20, WORD_COST_PREFIX = 200, SURPLUS_WORD_COST = 30, SURPLUS_COST_MAX = 180 };

// Letters that Unicode does not take apart although people write them both ways.
static const char *ligature(utf8proc_int32_t point)
{
	switch (point) {
	case 0x153: // oe
		return "oe";
	case 0xe6:
		return "ae";
	case 0xf8:
		return "o";
	case 0x142:
		return "l";
	case 0x111:
		return "d";
	default:
		return NULL;
	}
}

static void folded_add(struct folded *out, const char *bytes, size_t count)
{
	if (out->bytes + count >= FOLDED_BYTES)
		return;
	memcpy(out->text + out->bytes, bytes, count);
	out->bytes += count;
}

static void folded_space(struct folded *out)
{
	if (out->bytes > 0 && out->text[out->bytes - 1] != ' ')
		folded_add(out, " ", 1);
}

static void folded_point(struct folded *out, utf8proc_int32_t point)
{
	utf8proc_int32_t parts[16];
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(
	    point, parts, 16, UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_COMPAT, &boundary);
	for (utf8proc_ssize_t i = 0; i < count && i < 16; i++) {
		const char *letters = ligature(parts[i]);
		utf8proc_category_t category = utf8proc_category(parts[i]);
		utf8proc_uint8_t encoded[4];
		if (letters)
			folded_add(out, letters, strlen(letters));
		else if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
			folded_add(out, (char *)encoded, (size_t)utf8proc_encode_char(parts[i], encoded));
		else
			folded_space(out);
	}
}

// a to z, then the ten digits folded onto five bits, the rest on one.
static uint32_t letter_bit(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		return UINT32_C(1) << (letter - 'a');
	if (letter >= '0' && letter <= '9')
		return UINT32_C(1) << (26 + (letter - '0') / 2);
	return UINT32_C(1) << 31;
}

static void folded_cut_words(struct folded *out)
{
	while (out->bytes > 0 && out->text[out->bytes - 1] == ' ')
		out->bytes--;
	out->text[out->bytes] = '\0';
	out->letters = 0;
	out->word_count = 0;
	for (size_t at = 0; at < out->bytes && out->word_count < FOLDED_WORDS_MAX; at++) {
		struct folded_word *word = &out->words[out->word_count++];
		*word = (struct folded_word){.start = (uint8_t)at};
		for (; at < out->bytes && out->text[at] != ' '; at++)
			word->letters |= letter_bit(out->text[at]);
		word->bytes = (uint8_t)(at - word->start);
		out->letters |= word->letters;
	}
}

bool text_fold(struct folded *out, const char *text, size_t bytes)
{
	out->bytes = 0;
	for (size_t at = 0; at < bytes && out->bytes < FOLDED_BYTES - 1;) {
		unsigned char byte = (unsigned char)text[at];
		if (byte < 0x80) {
			char letter = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
			if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'))
				folded_add(out, &letter, 1);
			else
				folded_space(out);
			at++;
			continue;
		}
		utf8proc_int32_t point;
		utf8proc_ssize_t step =
		    utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &point);
		if (step <= 0)
			return false;
		folded_point(out, point);
		at += (size_t)step;
	}
	folded_cut_words(out);
	return out->word_count > 0;
}

static unsigned letters_apart(uint32_t a, uint32_t b)
{
	return (unsigned)__builtin_popcount(a ^ b);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

// Edits (insert, delete, replace, swap of neighbours) from a to b; anything above `max` is reported as max + 1.
static size_t edits(const char *a, size_t a_bytes, const char *b, size_t b_bytes, size_t max)
{
	uint8_t rows[3][FOLDED_BYTES + 1];
	if ((a_bytes > b_bytes ? a_bytes - b_bytes : b_bytes - a_bytes) > max)
		return max + 1;
	for (size_t j = 0; j <= b_bytes; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_bytes; i++) {
		uint8_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		size_t lowest = row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_bytes; j++) {
			size_t cost = min_size(min_size(above[j], row[j - 1]) + 1u, above[j - 1] + (size_t)(a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost = min_size(cost, two_above[j - 2] + 1u);
			row[j] = (uint8_t)cost;
			lowest = min_size(lowest, cost);
		}
		if (lowest > max)
			return max + 1;
	}
	return min_size(rows[a_bytes % 3][b_bytes], max + 1);
}

static bool ends_with(const char *word, size_t bytes, const char *ending)
{
	size_t ending_bytes = strlen(ending);
	return bytes > ending_bytes && memcmp(word + bytes - ending_bytes, ending, ending_bytes) == 0;
}

// Without the ending of the plural, as far as English and French have it in common: dress(es), phone(s), bureau(x).
static size_t stem_bytes(const char *word, size_t bytes)
{
	if (bytes <= 3 || ends_with(word, bytes, "ss"))
		return bytes;
	if (ends_with(word, bytes, "sses") || ends_with(word, bytes, "ches") || ends_with(word, bytes, "xes"))
		return bytes - 2;
	return word[bytes - 1] == 's' || word[bytes - 1] == 'x' ? bytes - 1 : bytes;
}

static unsigned word_cost(const char *a, const struct folded_word *a_word, const char *b,
                          const struct folded_word *b_word)
{
	a += a_word->start;
	b += b_word->start;
	if (a_word->bytes == b_word->bytes && memcmp(a, b, a_word->bytes) == 0)
		return 0;
	size_t a_stem = stem_bytes(a, a_word->bytes), b_stem = stem_bytes(b, b_word->bytes);
	size_t shorter = min_size(a_stem, b_stem), longer = a_stem + b_stem - shorter;
	if (shorter >= 3 && shorter == longer && memcmp(a, b, shorter) == 0)
		return WORD_COST_STEM;
	if (shorter >= 4 && memcmp(a, b, shorter) == 0)
		return WORD_COST_PREFIX;
	size_t max = shorter >= 7 ? 2 : shorter >= 4 ? 1 : 0;
	if (max == 0 || letters_apart(a_word->letters, b_word->letters) > 2 * max + 2)
		return SUGGEST_COST_MAX;
	size_t count = edits(a, a_stem, b, b_stem, max);
	return count <= max ? (unsigned)(count * SUGGEST_COST_MAX / longer) : SUGGEST_COST_MAX;
}

// Words that join others and tell nothing themselves.
static bool is_joining_word(const char *text, const struct folded_word *word)
{
	static const char *const joining[] = {"a",  "an",  "and", "au", "aux", "d",    "de",   "des",  "du",
	                                      "en", "et",  "for", "l",  "la",  "le",   "les",  "of",   "or",
	                                      "ou", "the", "to",  "un", "une", "with", "pour", "avec", "sur"};
	for (size_t i = 0; i < sizeof joining / sizeof *joining; i++)
		if (strlen(joining[i]) == word->bytes && memcmp(joining[i], text + word->start, word->bytes) == 0)
			return true;
	return false;
}

unsigned text_words_cost(const struct folded *query, const struct folded *candidate)
{
	unsigned sum = 0, counted = 0, matched = 0, surplus = 0;
	for (size_t i = 0; i < query->word_count; i++) {
		if (is_joining_word(query->text, &query->words[i]))
			continue;
		unsigned best = SUGGEST_COST_MAX;
		for (size_t j = 0; j < candidate->word_count && best > 0; j++) {
			unsigned cost = word_cost(query->text, &query->words[i], candidate->text, &candidate->words[j]);
			best = cost < best ? cost : best;
		}
		sum += best;
		matched += best < SUGGEST_COST_MAX;
		counted++;
	}
	if (matched == 0)
		return SUGGEST_COST_MAX;
	for (size_t j = 0; j < candidate->word_count; j++)
		surplus += !is_joining_word(candidate->text, &candidate->words[j]);
	unsigned extra = surplus > matched ? (surplus - matched) * SURPLUS_WORD_COST : 0;
	unsigned cost = sum / counted + (extra < SURPLUS_COST_MAX ? extra : SURPLUS_COST_MAX);
	return cost < SUGGEST_COST_MAX ? cost : SUGGEST_COST_MAX;
}

unsigned text_cost(const struct folded *query, const struct folded *candidate, unsigned cost_max)
{
	unsigned cost = text_words_cost(query, candidate);
	if (cost < cost_max)
		cost_max = cost;
	size_t longer = query->bytes > candidate->bytes ? query->bytes : candidate->bytes;
	size_t max = cost_max * longer / SUGGEST_COST_MAX;
	// One edit changes the set of letters by at most two.
	if (letters_apart(query->letters, candidate->letters) <= 2 * max) {
		size_t count = edits(query->text, query->bytes, candidate->text, candidate->bytes, max);
		unsigned whole = count <= max ? (unsigned)(count * SUGGEST_COST_MAX / longer) : SUGGEST_COST_MAX;
		cost = whole < cost ? whole : cost;
	}
	return cost <= cost_max ? cost : SUGGEST_COST_MAX;
}

bool suggest_query_init(struct suggest_query *query, const char *text)
{
	query->count = 0;
	return text_fold(&query->text, text, strlen(text));
}

// Of equally near ones those with the same beginning win: a wrong "FR-99" wants codes of France.
static unsigned beginning_cost(const struct folded *a, const struct folded *b)
{
	unsigned same = 0;
	while (same < 9 && same < a->bytes && same < b->bytes && a->text[same] == b->text[same])
		same++;
	return 9 - same;
}

void suggest_query_offer(struct suggest_query *query, uint32_t node, const char *text)
{
	struct folded candidate;
	if (!text_fold(&candidate, text, strlen(text)))
		return;
	unsigned limit =
	    query->count == SUGGESTIONS_MAX ? query->best[SUGGESTIONS_MAX - 1].cost / 10 : SUGGEST_COST_ACCEPTED;
	unsigned cost = text_cost(&query->text, &candidate, limit);
	if (cost > limit)
		return;
	cost = cost * 10 + beginning_cost(&query->text, &candidate);
	size_t at = 0; // where the node stands already, or the end
	while (at < query->count && query->best[at].node != node)
		at++;
	if (at < query->count) {
		if (query->best[at].cost <= cost)
			return;
	} else if (query->count < SUGGESTIONS_MAX) {
		query->count++;
	} else if (query->best[--at].cost <= cost) {
		return;
	}
	for (; at > 0 && query->best[at - 1].cost > cost; at--)
		query->best[at] = query->best[at - 1];
	query->best[at].cost = cost;
	query->best[at].node = node;
}

size_t suggest_query_finish(const struct suggest_query *query, uint32_t nodes[SUGGESTIONS_MAX])
{
	for (size_t i = 0; i < query->count; i++)
		nodes[i] = query->best[i].node;
	return query->count;
}
