// What a pattern cannot say: check digits, the case of letters, words nearby. PROTOCOL.md §15.3.
#include <stdlib.h>
#include <string.h>

#include "proto/scrub_tables.h"

enum { COMPACT_MAX = 64 };

// The letters and digits of a range, without what stands between them.
struct compact {
	uint8_t chars[COMPACT_MAX];
	size_t ends[COMPACT_MAX]; // in the folded text, behind each
	size_t count;
};

static void compact(const struct scrub_folded *text, size_t start, size_t end, struct compact *out)
{
	out->count = 0;
	for (size_t at = start; at < end && out->count < COMPACT_MAX; at++) {
		if (scrub_is_alnum(text->chars[at])) {
			out->chars[out->count] = text->chars[at];
			out->ends[out->count++] = at + 1;
		}
	}
}

static bool is_digit(uint8_t folded)
{
	return folded >= '0' && folded <= '9';
}

// Does a number or code end here, not in the middle of a longer one?
static bool ends_here(const struct scrub_folded *text, size_t end)
{
	return end >= text->count || !scrub_is_alnum(text->chars[end]);
}

// ---- IBAN

static bool form_holds(const char *form, const struct compact *code, size_t *length)
{
	size_t at = 4;
	while (*form) {
		char class = *form;
		size_t count = strtoul(form + 1, (char **)&form, 10);
		for (size_t end = at + count; at < end; at++) {
			if (at >= code->count)
				return false;
			bool digit = is_digit(code->chars[at]), letter = code->chars[at] >= 'a' && code->chars[at] <= 'z';
			if (class == 'n' ? !digit : class == 'a' ? !letter : !digit && !letter)
				return false;
		}
	}
	*length = at;
	return true;
}

// ISO 7064: the first four moved behind, letters as 10 to 35, is 1 modulo 97.
static bool mod97_holds(const struct compact *code, size_t length)
{
	unsigned rest = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t at = code->chars[(i + 4) % length];
		rest = is_digit(at) ? rest * 10 + (at - '0') : rest * 100 + (at - 'a') + 10u;
		rest %= 97;
	}
	return rest == 1;
}

static size_t check_iban(const struct scrub_folded *text, size_t start, size_t end)
{
	struct compact code;
	compact(text, start, end, &code);
	for (size_t i = 0; i < scrub_ibans_count; i++) {
		size_t length;
		if (code.count < 5 || memcmp(scrub_ibans[i].country, code.chars, 2) != 0)
			continue;
		if (!form_holds(scrub_ibans[i].form, &code, &length) || !mod97_holds(&code, length))
			return SIZE_MAX;
		return ends_here(text, code.ends[length - 1]) ? code.ends[length - 1] : SIZE_MAX;
	}
	return SIZE_MAX;
}

// ---- payment cards

static bool luhn_holds(const struct compact *code, size_t length)
{
	unsigned sum = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = code->chars[length - 1 - i] - '0';
		if (i % 2)
			digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
		sum += digit;
	}
	return sum % 10 == 0;
}

static bool issuer_known(const struct compact *code, size_t length)
{
	for (size_t i = 0; i < scrub_cards_count; i++) {
		const struct scrub_card *card = &scrub_cards[i];
		size_t digits = strlen(card->first);
		if (length >= card->digits_min && length <= card->digits_max &&
		    memcmp(code->chars, card->first, digits) >= 0 && memcmp(code->chars, card->last, digits) <= 0)
			return true;
	}
	return false;
}

// The longest number that holds: a card's may be followed by its expiry.
static size_t check_card(const struct scrub_folded *text, size_t start, size_t end)
{
	struct compact code;
	compact(text, start, end, &code);
	for (size_t length = code.count; length >= 12; length--) {
		if (ends_here(text, code.ends[length - 1]) && issuer_known(&code, length) && luhn_holds(&code, length))
			return code.ends[length - 1];
	}
	return SIZE_MAX;
}

// ---- the French social security number: key = 97 - number mod 97, 2A counting as 19 and 2B as 18

static size_t check_nir(const struct scrub_folded *text, size_t start, size_t end)
{
	struct compact code;
	compact(text, start, end, &code);
	if (code.count != 15)
		return SIZE_MAX;
	uint64_t number = 0;
	for (size_t i = 0; i < 13; i++) {
		uint8_t at = code.chars[i];
		unsigned digit = is_digit(at) ? at - '0' : at == 'a' ? 9 : 8;
		if (i == 5 && !is_digit(code.chars[6]))
			digit = 1;
		number = number * 10 + digit;
	}
	unsigned key = (unsigned)(code.chars[13] - '0') * 10 + (code.chars[14] - '0');
	return 97 - number % 97 == key ? end : SIZE_MAX;
}

// ---- IPv6

// Groups of up to four hex digits, eight of them, or fewer with one "::"; a dotted tail counts as two.
static size_t check_ipv6(const struct scrub_folded *text, size_t start, size_t end)
{
	while (end > start && (text->chars[end - 1] == '.' || (text->chars[end - 1] == ':' && end - start > 1 &&
	                                                       text->chars[end - 2] != ':')))
		end--;
	size_t groups = 0, digits = 0, longest = 0, gaps = 0, dots = 0;
	for (size_t at = start; at <= end; at++) {
		uint8_t folded = at < end ? text->chars[at] : ':';
		if (folded == '.') {
			dots++;
			digits = 0;
		} else if (folded != ':') {
			if (++digits > 4)
				return SIZE_MAX;
			longest = digits > longest ? digits : longest;
		} else {
			groups += digits > 0;
			digits = 0;
			if (at + 1 < end && text->chars[at + 1] == ':')
				gaps++;
		}
	}
	groups += dots == 3;
	if (gaps > 1 || (dots != 0 && dots != 3))
		return SIZE_MAX;
	// "::" stands in programs too, and times and ratios have colons: short ones need a long group.
	bool holds = gaps == 0 ? groups == 8 && longest > 1 : groups <= 7 && groups >= 2 && (longest >= 3 || groups >= 4);
	return holds ? end : SIZE_MAX;
}

size_t scrub_check_apply(enum scrub_check check, const struct scrub_folded *text, size_t start, size_t end)
{
	switch (check) {
	case SCRUB_MOD97:
		return check_iban(text, start, end);
	case SCRUB_LUHN:
		return check_card(text, start, end);
	case SCRUB_NIR_KEY:
		return check_nir(text, start, end);
	case SCRUB_IPV6:
		return check_ipv6(text, start, end);
	case SCRUB_NONE:
		break;
	}
	return end;
}

// ---- case

static bool all_upper(const struct scrub_folded *text, size_t start, size_t end)
{
	for (size_t at = start; at < end; at++) {
		if (scrub_is_letter(text->chars[at]) && !text->upper[at])
			return false;
	}
	return true;
}

// Does the last run of letters begin with an upper-case one?
static bool last_is_capital(const struct scrub_folded *text, size_t start, size_t end)
{
	size_t at = end;
	while (at > start && !scrub_is_letter(text->chars[at - 1]))
		at--;
	while (at > start && scrub_is_letter(text->chars[at - 1]))
		at--;
	return at < end && text->upper[at];
}

// Does every word begin with an upper-case letter?
static bool all_capital(const struct scrub_folded *text, size_t start, size_t end)
{
	for (size_t at = start; at < end; at++) {
		bool begins = scrub_is_letter(text->chars[at]) &&
		              (at == start || (!scrub_is_alnum(text->chars[at - 1]) && text->chars[at - 1] != '\''));
		if (begins && !text->upper[at])
			return false;
	}
	return true;
}

// "velo.De" is the end of one sentence and the beginning of another, no address on the web.
static bool no_sentence_end(const struct scrub_folded *text, size_t start, size_t end)
{
	for (size_t at = start + 1; at + 2 < end + 1 && at + 1 < end; at++) {
		if (text->chars[at] == '.' && !text->upper[at - 1] && text->upper[at + 1] &&
		    !(at + 2 < end && text->upper[at + 2]))
			return false;
	}
	return true;
}

bool scrub_case_holds(enum scrub_case letters, const struct scrub_folded *text, size_t start, size_t end)
{
	switch (letters) {
	case SCRUB_UPPER:
		return all_upper(text, start, end);
	case SCRUB_CAPITAL:
		return last_is_capital(text, start, end);
	case SCRUB_TITLE:
		return all_capital(text, start, end);
	case SCRUB_DOMAIN:
		return no_sentence_end(text, start, end);
	case SCRUB_ANY:
		break;
	}
	return true;
}

// ---- words nearby

// Is the word [start, end) one of the list? "mobil*" stands for all that begin so.
static bool listed(const char *words, const uint8_t *word, size_t count)
{
	while (*words) {
		words += strspn(words, " ");
		size_t length = strcspn(words, " ");
		bool open = length && words[length - 1] == '*';
		if (open ? count >= length - 1 && memcmp(words, word, length - 1) == 0
		         : count == length && length && memcmp(words, word, length) == 0)
			return true;
		words += length;
	}
	return false;
}

static bool any_listed(const char *words, const struct scrub_folded *text, size_t start, size_t end)
{
	for (size_t at = start; at < end;) {
		size_t word = at;
		while (at < end && scrub_is_letter(text->chars[at]))
			at++;
		bool whole = (word == 0 || !scrub_is_letter(text->chars[word - 1])) &&
		             (at >= text->count || !scrub_is_letter(text->chars[at]));
		if (at > word && whole && listed(words, text->chars + word, at - word))
			return true;
		if (at == word)
			at++;
	}
	return false;
}

bool scrub_words_near(const struct scrub_words *words, const struct scrub_folded *text, size_t start, size_t end)
{
	size_t first = start > words->before ? start - words->before : 0;
	size_t last = text->count - end > words->after ? end + words->after : text->count;
	return any_listed(words->words, text, first, start) || any_listed(words->words, text, end, last);
}
