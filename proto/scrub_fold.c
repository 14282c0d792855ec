// One spelling for many: compatibility forms, accents, upper case, digits of other scripts, invisible characters and
// runs of spaces all fold to plain ASCII, and each folded character remembers which bytes it came from.
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <utf8proc.h>

#include "proto/scrub_tables.h"

bool scrub_is_letter(uint8_t folded)
{
	return (folded >= 'a' && folded <= 'z') || folded == SCRUB_LETTER;
}

bool scrub_is_alnum(uint8_t folded)
{
	return scrub_is_letter(folded) || (folded >= '0' && folded <= '9');
}

struct fold {
	struct scrub_folded *out;
	size_t room;
};

static bool fold_grow(struct fold *fold)
{
	size_t room = fold->room ? 2 * fold->room : 256;
	struct scrub_folded next = {0}, *out = fold->out;
	next.chars = malloc(room);
	next.upper = malloc(room);
	next.from = malloc(room * sizeof(*next.from));
	next.until = malloc(room * sizeof(*next.until));
	next.count = out->count;
	if (!next.chars || !next.upper || !next.from || !next.until) {
		next.count = 0;
		scrub_folded_free(&next);
		return false;
	}
	if (out->count) {
		memcpy(next.chars, out->chars, out->count);
		memcpy(next.upper, out->upper, out->count);
		memcpy(next.from, out->from, out->count * sizeof(*next.from));
		memcpy(next.until, out->until, out->count * sizeof(*next.until));
	}
	scrub_folded_free(out);
	*out = next;
	fold->room = room;
	return true;
}

// Spaces that follow each other become one, a line break if one is among them.
static bool fold_add(struct fold *fold, uint8_t folded, bool upper, size_t from, size_t until)
{
	struct scrub_folded *out = fold->out;
	uint8_t *last = out->count ? &out->chars[out->count - 1] : NULL;
	if ((folded == ' ' || folded == '\n') && last && (*last == ' ' || *last == '\n')) {
		if (folded == '\n')
			*last = '\n';
		out->until[out->count - 1] = (uint32_t)until;
		return true;
	}
	if (out->count == fold->room && !fold_grow(fold))
		return false;
	out->chars[out->count] = folded;
	out->upper[out->count] = upper;
	out->from[out->count] = (uint32_t)from;
	out->until[out->count++] = (uint32_t)until;
	return true;
}

static bool is_dropped(uint32_t point)
{
	for (size_t i = 0; i < scrub_drops_count; i++) {
		if (point >= scrub_drops[i].first && point <= scrub_drops[i].last)
			return true;
	}
	return false;
}

static const char *mapped(uint32_t point)
{
	for (size_t i = 0; i < scrub_maps_count; i++) {
		if (scrub_maps[i].from == point)
			return scrub_maps[i].to;
	}
	return NULL;
}

static int digit_of(uint32_t point)
{
	for (size_t i = 0; i < scrub_zeros_count; i++) {
		if (point >= scrub_zeros[i] && point < scrub_zeros[i] + 10)
			return (int)(point - scrub_zeros[i]);
	}
	return -1;
}

static bool add_text(struct fold *fold, const char *text, size_t from, size_t until)
{
	for (; *text; text++) {
		if (!fold_add(fold, (uint8_t)*text, false, from, until))
			return false;
	}
	return true;
}

// A character that NFKD took apart as far as it goes.
static bool add_part(struct fold *fold, uint32_t point, size_t from, size_t until)
{
	if (point < 0x80) {
		bool upper = point >= 'A' && point <= 'Z';
		bool space = point == ' ' || point == '\t';
		bool line = point >= '\n' && point <= '\r';
		bool control = point < ' ' || point == 0x7f;
		uint8_t folded = upper     ? (uint8_t)(point + 32)
		                 : space   ? ' '
		                 : line    ? '\n'
		                 : control ? SCRUB_OTHER
		                           : (uint8_t)point;
		return fold_add(fold, folded, upper, from, until);
	}
	const char *text = mapped(point);
	if (text)
		return add_text(fold, text, from, until);
	int digit = digit_of(point);
	if (digit >= 0)
		return fold_add(fold, (uint8_t)('0' + digit), false, from, until);
	switch (utf8proc_category((utf8proc_int32_t)point)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return true;
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LT:
		return fold_add(fold, SCRUB_LETTER, true, from, until);
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return fold_add(fold, SCRUB_LETTER, false, from, until);
	case UTF8PROC_CATEGORY_ZS:
		return fold_add(fold, ' ', false, from, until);
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return fold_add(fold, '\n', false, from, until);
	case UTF8PROC_CATEGORY_PD:
		return fold_add(fold, '-', false, from, until);
	default:
		return fold_add(fold, SCRUB_OTHER, false, from, until);
	}
}

static bool add_point(struct fold *fold, utf8proc_int32_t point, size_t from, size_t until)
{
	utf8proc_int32_t parts[64]; // the longest is 18
	if (is_dropped((uint32_t)point))
		return true;
	if (point < 0x80 || mapped((uint32_t)point))
		return add_part(fold, (uint32_t)point, from, until);
	int boundary = 0;
	utf8proc_ssize_t count =
	    utf8proc_decompose_char(point, parts, 64, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
	for (utf8proc_ssize_t i = 0; i < count && i < 64; i++) {
		if (!add_part(fold, (uint32_t)parts[i], from, until))
			return false;
	}
	return true;
}

bool scrub_fold(const char *text, size_t bytes, struct scrub_folded *out)
{
	struct fold fold = {.out = out};
	*out = (struct scrub_folded){0};
	for (size_t at = 0; at < bytes;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used =
		    utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &point);
		bool added;
		if (used <= 0) {
			used = 1;
			added = fold_add(&fold, SCRUB_OTHER, false, at, at + 1);
		} else {
			added = add_point(&fold, point, at, at + (size_t)used);
		}
		if (!added) {
			scrub_folded_free(out);
			return false;
		}
		at += (size_t)used;
	}
	return true;
}

void scrub_folded_free(struct scrub_folded *folded)
{
	if (folded->chars)
		sodium_memzero(folded->chars, folded->count);
	free(folded->chars);
	free(folded->upper);
	free(folded->from);
	free(folded->until);
	*folded = (struct scrub_folded){0};
}
