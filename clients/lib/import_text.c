// The look of e-mail addresses, telephone numbers, account numbers, links, postal addresses and names in free text.
#include "clients/lib/import_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/taxonomy.h"

enum {
	PHONE_DIGITS_MIN = 7,
	SEPARATORS_MAX = 3, // between two digits of one number
	CODE_BYTES_MIN = 8, // a word this long with this many digits is an id, not a model name
	CODE_DIGITS_MIN = 5,
	IBAN_BYTES_MAX = 34,
	REPEAT_LETTERS_MIN = 3,  // shorter pieces of identity ("15", "DK") are found in any text
	REPEAT_TOGETHER_MIN = 6, // written without spaces, by chance too
};

// Compatibility forms (full-width letters), case, accents and invisible characters gone; every script's digits as "0".
static char *text_plain(const char *text)
{
	utf8proc_uint8_t *mapped = NULL;
	if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &mapped,
	                 UTF8PROC_NULLTERM | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK |
	                     UTF8PROC_IGNORE) < 0)
		return NULL;
	return (char *)mapped;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return byte >= 'a' && byte <= 'z';
}

static bool is_word_byte(char byte)
{
	return is_digit(byte) || is_letter(byte) || (unsigned char)byte >= 0x80;
}

// Enough digits one after the other, whatever people put between them.
static bool looks_like_number(const char *text)
{
	unsigned digits = 0, between = 0;
	for (; *text; text++) {
		if (is_digit(*text)) {
			digits++;
			between = 0;
			if (digits >= PHONE_DIGITS_MIN)
				return true;
		} else if (strchr(" .-/()+_,:*", *text) && between < SEPARATORS_MAX) {
			between++;
		} else {
			digits = between = 0;
		}
	}
	return false;
}

static bool looks_like_code(const char *text)
{
	while (*text) {
		size_t bytes = 0, digits = 0;
		for (; is_word_byte(text[bytes]); bytes++)
			digits += is_digit(text[bytes]);
		if (bytes >= CODE_BYTES_MIN && digits >= CODE_DIGITS_MIN)
			return true;
		text += bytes ? bytes : 1;
	}
	return false;
}

// Two letters, two digits, then at least eleven letters or digits with many digits among them, spaces allowed.
static bool looks_like_iban(const char *text)
{
	for (; *text; text++) {
		if (!is_letter(text[0]) || !is_letter(text[1]) || !is_digit(text[2]) || !is_digit(text[3]))
			continue;
		unsigned count = 0, digits = 0;
		for (const char *at = text + 4; (is_digit(*at) || is_letter(*at) || *at == ' ') && count < IBAN_BYTES_MAX;
		     at++) {
			count += *at != ' ';
			digits += is_digit(*at);
		}
		if (count >= 11 && digits >= 8)
			return true;
	}
	return false;
}

static bool looks_like_link(const char *text)
{
	static const char *const endings[] = {".com", ".org", ".net", ".fr", ".de", ".dk",   ".eu", ".uk",  ".io",
	                                      ".in",  ".be",  ".ch",  ".it", ".es", ".info", ".me", ".app", ".example"};
	if (strstr(text, "://") || strstr(text, "www.") || strstr(text, "mailto:") || strstr(text, "tel:"))
		return true;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		for (const char *at = strstr(text, endings[i]); at; at = strstr(at + 1, endings[i]))
			if (at > text && is_word_byte(at[-1]) && !is_word_byte(at[strlen(endings[i])]))
				return true;
	return false;
}

static bool holds_word(const char *normal, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(normal, words[i]))
			return true;
	return false;
}

// A number and a word for a street.
static bool looks_like_address(const char *normal)
{
	static const char *const streets[] = {
	    " rue ",    " avenue ",   " boulevard ", " bd ",        " impasse ",  " chemin ", " allee ",  " quai ",
	    " street ", " st ",       " road ",      " rd ",        " lane ",     " ave ",    " drive ",  " strasse ",
	    " str ",    " vej ",      " gade ",      " via ",       " calle ",    " plaza ",  " straat ", " gata ",
	    " cedex ",  " postcode ", " zip ",       " apartment ", " batiment ",
	};
	return strpbrk(normal, "0123456789") && holds_word(normal, streets, sizeof streets / sizeof *streets);
}

static bool looks_like_name(const char *normal)
{
	static const char *const words[] = {
	    " mr ",      " mrs ",     " ms ",         " mme ",          " mlle ",      " monsieur ",   " madame ",
	    " herr ",    " frau ",    " fru ",        " att ",          " attn ",      " c o ",        " senor ",
	    " senora ",  " contact ", " contacter ",  " sr ",           " sra ",       " dhr ",        " mevr ",
	    " shri ",    " smt ",     " my name is ", " je m appelle ", " mon nom ",   " i am ",       " je suis ",
	    " call me ", " appelez ", " appeler ",    " rappeler ",     " my number ", " my address ",
	};
	return holds_word(normal, words, sizeof words / sizeof *words);
}

static const char *plain_kind(const char *plain)
{
	if (strchr(plain, '@') || strstr(plain, "(at)") || strstr(plain, "[at]") || strstr(plain, "{at}") ||
	    strstr(plain, " arobase "))
		return "email";
	if (looks_like_link(plain))
		return "endpoint";
	if (looks_like_iban(plain))
		return "account";
	if (looks_like_number(plain))
		return "phone";
	return looks_like_code(plain) ? "id" : NULL;
}

const char *text_contact_kind(const char *text)
{
	char *plain = text_plain(text);
	const char *kind = plain ? plain_kind(plain) : "text";
	free(plain);
	return kind;
}

const char *text_identity_kind(const char *text)
{
	char *plain = text_plain(text), *normal = text_normalise(text);
	const char *kind = "text";
	if (plain && normal) {
		kind = plain_kind(plain);
		if (!kind)
			kind = plain_kind(normal);
		if (!kind && looks_like_address(normal))
			kind = "address";
		if (!kind && looks_like_name(normal))
			kind = "name";
	}
	free(plain);
	free(normal);
	return kind;
}

char *text_normalise(const char *text)
{
	char *plain = text_plain(text);
	if (!plain)
		return NULL;
	size_t bytes = strlen(plain), used = 1;
	char *out = malloc(bytes + 3);
	if (out)
		out[0] = ' ';
	for (size_t at = 0; out && at < bytes;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t step =
		    utf8proc_iterate((const utf8proc_uint8_t *)plain + at, (utf8proc_ssize_t)(bytes - at), &point);
		if (step <= 0)
			break;
		utf8proc_category_t category = utf8proc_category(point);
		if (category == UTF8PROC_CATEGORY_ND && point >= 0x80) {
			out[used++] = '0';
		} else if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) {
			memcpy(out + used, plain + at, (size_t)step);
			used += (size_t)step;
		} else if (out[used - 1] != ' ') {
			out[used++] = ' ';
		}
		at += (size_t)step;
	}
	if (out) {
		if (out[used - 1] != ' ')
			out[used++] = ' ';
		out[used] = '\0';
	}
	free(plain);
	return out;
}

static size_t squeeze(const char *normal, char *out)
{
	size_t used = 0;
	for (; *normal; normal++)
		if (*normal != ' ')
			out[used++] = *normal;
	out[used] = '\0';
	return used;
}

bool text_repeats(const char *text, const char *identity)
{
	if (strlen(identity) < REPEAT_LETTERS_MIN + 2)
		return false;
	if (strstr(text, identity))
		return true;
	char *text_together = malloc(strlen(text) + 1), *identity_together = malloc(strlen(identity) + 1);
	bool repeats = true; // without memory nothing is let through
	if (text_together && identity_together) {
		squeeze(text, text_together);
		repeats = squeeze(identity, identity_together) >= REPEAT_TOGETHER_MIN &&
		          strstr(text_together, identity_together) != NULL;
	}
	free(text_together);
	free(identity_together);
	return repeats;
}

// " the " tells nobody.
static bool is_joining_word(const char *word)
{
	static const char *const words[] = {" the ", " and ",  " for ",  " with ", " des ", " les ",
	                                    " une ", " pour ", " avec ", " und ",  " der ", " die ",
	                                    " das ", " von ",  " van ",  " del ",  " dos ", " og "};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

bool text_repeats_name(const char *text, const char *name)
{
	char word[64];
	for (const char *start = name; *start == ' ' && start[1];) {
		const char *end = strchr(start + 1, ' ');
		size_t bytes = (size_t)(end - start) + 1; // with both spaces
		if (bytes >= REPEAT_LETTERS_MIN + 2 && bytes < sizeof word) {
			memcpy(word, start, bytes);
			word[bytes] = '\0';
			if (strstr(text, word) && !is_joining_word(word) && taxonomy_guess(taxonomy_builtin(), word) == TREE_NONE)
				return true;
		}
		start = end;
	}
	return false;
}
