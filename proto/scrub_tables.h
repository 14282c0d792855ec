// The tables that data/make_scrub.py makes of data/scrub.json, and what the scrub's files share. Internal to proto/.
#ifndef OYEZ_PROTO_SCRUB_TABLES_H
#define OYEZ_PROTO_SCRUB_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- patterns

struct scrub_set { // of folded characters, 0 to 127
	uint64_t bits[2];
};
enum scrub_code { SCRUB_CHAR, SCRUB_SPLIT, SCRUB_JUMP, SCRUB_MATCH };
struct scrub_op {
	uint16_t code;
	uint16_t x, y; // a set; or where to go on, x before y
};
enum { SCRUB_OPS_MAX = 6000 }; // as in make_scrub.py
struct scrub_pattern {
	const struct scrub_op *ops;
	uint16_t count;
	struct scrub_set first; // what a match can begin with
};

// ---- rules

enum scrub_case { SCRUB_ANY, SCRUB_UPPER, SCRUB_CAPITAL, SCRUB_TITLE, SCRUB_DOMAIN };
enum scrub_check { SCRUB_NONE, SCRUB_MOD97, SCRUB_LUHN, SCRUB_NIR_KEY, SCRUB_IPV6 };
struct scrub_words {
	const char *words; // " tel mobil* ", NULL: no condition
	uint16_t before, after;
};
struct scrub_tail {
	const struct scrub_pattern *match;
	enum scrub_case letters;
	unsigned times;
};
enum { SCRUB_TAILS_MAX = 4 };
struct scrub_rule {
	const char *name;
	unsigned kind;
	const struct scrub_pattern *match, *not_before, *not_after, *except;
	enum scrub_case letters;
	enum scrub_check check;
	struct scrub_words near, far;
	struct scrub_tail tail[SCRUB_TAILS_MAX];
	size_t tail_count;
};

struct scrub_kind {
	const char *kind, *english, *french;
};
struct scrub_range {
	uint32_t first, last;
};
struct scrub_map {
	uint32_t from;
	const char *to;
};
struct scrub_iban {
	const char *country, *form; // "fr", "n10c11n2"
};
struct scrub_card {
	const char *first, *last; // of the beginnings, equally long
	unsigned digits_min, digits_max;
};

extern const struct scrub_set scrub_sets[];
extern const struct scrub_rule scrub_rules[];
extern const size_t scrub_rules_count;
extern const struct scrub_kind scrub_kinds[];
extern const size_t scrub_kinds_count;
extern const struct scrub_range scrub_drops[];
extern const size_t scrub_drops_count;
extern const uint32_t scrub_zeros[];
extern const size_t scrub_zeros_count;
extern const struct scrub_map scrub_maps[];
extern const size_t scrub_maps_count;
extern const struct scrub_iban scrub_ibans[];
extern const size_t scrub_ibans_count;
extern const struct scrub_card scrub_cards[];
extern const size_t scrub_cards_count;

// ---- folded text (scrub_fold.c)

enum { SCRUB_LETTER = 1, SCRUB_OTHER = 2 }; // what is neither ASCII nor folds to it

struct scrub_folded {
	uint8_t *chars;         // 0 to 127, lower case
	uint8_t *upper;         // was it an upper-case letter?
	uint32_t *from, *until; // the bytes of the text it stands for
	size_t count;
};
// False without memory. Free with scrub_folded_free.
bool scrub_fold(const char *text, size_t bytes, struct scrub_folded *out);
void scrub_folded_free(struct scrub_folded *folded); // and wipes
bool scrub_is_alnum(uint8_t folded);
bool scrub_is_letter(uint8_t folded);

// ---- matching (scrub_match.c)

struct scrub_matcher; // its working memory
struct scrub_matcher *scrub_matcher_new(void);
void scrub_matcher_free(struct scrub_matcher *matcher);
bool scrub_may_begin(const struct scrub_pattern *pattern, uint8_t folded);
// The end of the match that begins at `start`, as a backtracking matcher would choose it; SIZE_MAX: none.
// Reads no further than `limit`.
size_t scrub_match_at(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, const uint8_t *chars,
                      size_t start, size_t limit);
// Does the pattern match exactly [start, end), which is not empty?
bool scrub_match_all(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, const uint8_t *chars,
                     size_t start, size_t end);

// ---- checks (scrub_check.c)

bool scrub_case_holds(enum scrub_case letters, const struct scrub_folded *text, size_t start, size_t end);
// The end of what the check accepts, at most `end`; SIZE_MAX: nothing.
size_t scrub_check_apply(enum scrub_check check, const struct scrub_folded *text, size_t start, size_t end);
bool scrub_words_near(const struct scrub_words *words, const struct scrub_folded *text, size_t start, size_t end);

#endif
