// Looks up regions and currencies in the tables made at build time.
#include "region.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "region_tables.h"
#include "suggest.h"

const struct tree *region_tree(void)
{
	return &region_table_tree;
}

static int compare_key(const void *code, const void *row)
{
	return strcmp(code, ((const struct region_key *)row)->code);
}

static uint32_t find_key(const struct region_key *rows, uint32_t count, const char *code)
{
	const struct region_key *row = bsearch(code, rows, count, sizeof *rows, compare_key);
	return row ? row->node : TREE_NONE;
}

uint32_t region_find(const char *code)
{
	return find_key(region_table_by_code, region_table_by_code_count, code);
}

uint32_t region_find_alpha3(const char *code)
{
	return find_key(region_table_by_alpha3, region_table_by_alpha3_count, code);
}

const char *region_code(uint32_t node)
{
	return node < region_table_tree.count ? region_table[node].code : NULL;
}

const char *region_name(uint32_t node, int french)
{
	if (node >= region_table_tree.count)
		return NULL;
	return french ? region_table[node].name_fr : region_table[node].name;
}

const char *region_currency(uint32_t node)
{
	return node < region_table_tree.count ? region_table[node].currency : "EUR";
}

const char *region_language(uint32_t node)
{
	return node < region_table_tree.count ? region_table[node].language : "en";
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

// "FR", "fr-99": then names have nothing to do with it, else codes have not.
static bool looks_like_code(const char *text)
{
	return is_letter(text[0]) && is_letter(text[1]) && (text[2] == '\0' || text[2] == '-');
}

size_t region_suggest(const char *text, const char *out[3])
{
	struct suggest_query query;
	if (!suggest_query_init(&query, text))
		return 0;
	bool codes = looks_like_code(text);
	for (uint32_t node = 0; node < region_table_tree.count; node++) {
		const struct region_row *row = &region_table[node];
		suggest_query_offer(&query, node, codes ? row->code : row->name);
		if (!codes && strcmp(row->name, row->name_fr) != 0)
			suggest_query_offer(&query, node, row->name_fr);
	}
	uint32_t nodes[SUGGESTIONS_MAX];
	size_t count = suggest_query_finish(&query, nodes);
	for (size_t i = 0; i < count; i++)
		out[i] = region_table[nodes[i]].code;
	return count;
}

static int compare_currency(const void *code, const void *row)
{
	return strcmp(code, ((const struct currency_row *)row)->code);
}

static const struct currency_row *currency_row(const char *code)
{
	return bsearch(code, currency_table, currency_table_count, sizeof *currency_table, compare_currency);
}

uint16_t currency_find(const char *code)
{
	const struct currency_row *row = currency_row(code);
	return row ? row->number : 0;
}

const char *currency_code(uint16_t number)
{
	for (uint32_t i = 0; i < currency_table_count; i++)
		if (currency_table[i].number == number)
			return currency_table[i].code;
	return NULL;
}

unsigned currency_decimals(const char *code)
{
	const struct currency_row *row = currency_row(code);
	return row ? row->decimals : 2;
}
