// The roster as a table compiled in from proto/terms/ (terms.cmake). Order and numbers come from the files.
#include "terms.h"

#include <ctype.h>
#include <string.h>

#include "sign.h"
#include "terms_table.h"

size_t terms_count(void)
{
	return terms_table_count;
}

const struct terms *terms_at(size_t index)
{
	return index < terms_table_count ? &terms_table[index] : NULL;
}

int terms_find(const char *id)
{
	for (size_t i = 0; i < terms_table_count; i++) {
		if (strcmp(terms_table[i].id, id) == 0)
			return (int)i;
	}
	return -1;
}

int terms_find_iri(const char *iri)
{
	for (size_t i = 0; i < terms_table_count; i++) {
		if (strcmp(terms_table[i].iri, iri) == 0)
			return (int)i;
	}
	return -1;
}

// Ids differ by a letter or two, so they are compared letter by letter and not by words; the most protective come first
// among equals, as in the roster.
static size_t distance(const char *a, const char *b)
{
	enum { LETTERS_MAX = 32 };
	size_t columns = strlen(b), row[LETTERS_MAX + 1];
	if (strlen(a) > LETTERS_MAX || columns > LETTERS_MAX)
		return LETTERS_MAX;
	for (size_t j = 0; j <= columns; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			size_t same = corner + (toupper((unsigned char)a[i - 1]) != b[j - 1]);
			size_t other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			corner = row[j];
			row[j] = same < other ? same : other;
		}
	}
	return row[columns];
}

size_t terms_suggest(const char *id, const char *found[3])
{
	size_t count = 0;
	for (size_t limit = 0; limit <= 64 && count < 3; limit++) {
		for (size_t i = 0; i < terms_table_count && count < 3; i++) {
			if (distance(id, terms_table[i].id) == limit)
				found[count++] = terms_table[i].id;
		}
	}
	return count;
}

size_t terms_words(const char *const list[TERMS_WORDS_MAX + 1])
{
	size_t count = 0;
	while (list[count])
		count++;
	return count;
}

static void put_u32(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

void terms_hash(const struct terms *terms, uint8_t out[HASH_BYTES])
{
	uint8_t version[4], id_bytes[4], en_bytes[4], fr_bytes[4];
	put_u32(version, terms->version);
	put_u32(id_bytes, (uint32_t)strlen(terms->id));
	put_u32(en_bytes, (uint32_t)strlen(terms->text_en));
	put_u32(fr_bytes, (uint32_t)strlen(terms->text_fr));
	const struct hash_part parts[] = {
	    {id_bytes, 4},
	    {terms->id, strlen(terms->id)},
	    {version, 4},
	    {en_bytes, 4},
	    {terms->text_en, strlen(terms->text_en)},
	    {fr_bytes, 4},
	    {terms->text_fr, strlen(terms->text_fr)},
	};
	hash_parts(TAG_TERMS, parts, sizeof(parts) / sizeof(parts[0]), out);
}
