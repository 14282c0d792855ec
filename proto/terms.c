// The roster as a table compiled in from proto/terms/ (terms.cmake). Order and numbers come from the files.
#include "terms.h"

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
