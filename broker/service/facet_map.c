// Words to numbers and back. Not here: what matches (core/filter.c), what is published (core/release.c).
#include "facet_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/region.h"
#include "proto/terms.h"
#include "proto/values.h"

// ---- errors with suggestions

static enum err suggest(enum err err, const char *const *words, size_t count, struct detail *detail)
{
	detail->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(detail->text);
		snprintf(detail->text + used, sizeof detail->text - used, "%s%s", i ? ", " : "", words[i]);
	}
	return err;
}

static enum err fault(enum err err, const char *field, struct detail *detail)
{
	snprintf(detail->text, sizeof detail->text, "%s", field);
	return err;
}

// ---- single words

static enum err category_of(const struct taxonomy *taxonomy, const char *word, uint32_t *node, struct detail *detail)
{
	const char *near[3];
	*node = taxonomy_find(taxonomy, word);
	if (*node != TREE_NONE)
		return ERR_OK;
	if (detail->suggestions_left-- <= 0)
		return fault(ERR_UNKNOWN_CATEGORY, "category", detail);
	return suggest(ERR_UNKNOWN_CATEGORY, near, taxonomy_suggest(taxonomy, word, near), detail);
}

static enum err region_of(const char *word, uint32_t *node, struct detail *detail)
{
	const char *near[3];
	*node = region_find(word);
	if (*node != TREE_NONE)
		return ERR_OK;
	if (detail->suggestions_left-- <= 0)
		return fault(ERR_UNKNOWN_REGION, "region", detail);
	return suggest(ERR_UNKNOWN_REGION, near, region_suggest(word, near), detail);
}

static uint16_t letters(const char *two)
{
	return (uint16_t)((uint8_t)two[0] << 8 | (uint8_t)two[1]);
}

static const char *letters_word(uint16_t number, struct arena *arena)
{
	char word[3] = {(char)(number >> 8), (char)(number & 0xff), '\0'};
	return arena_copy(arena, word, sizeof word);
}

static enum err country_of(const char *word, uint16_t *number, struct detail *detail)
{
	uint32_t node;
	if (strlen(word) != 2)
		return suggest(ERR_UNKNOWN_REGION, NULL, 0, detail);
	enum err err = region_of(word, &node, detail);
	if (!err)
		*number = letters(region_code(node));
	return err;
}

static enum err language_of(const char *word, uint16_t *number, struct detail *detail)
{
	*number = 0;
	if (!word[0])
		return ERR_OK;
	bool fine = strlen(word) == 2 && word[0] >= 'a' && word[0] <= 'z' && word[1] >= 'a' && word[1] <= 'z';
	if (!fine)
		return fault(ERR_BAD_VALUE, "language", detail);
	*number = letters(word);
	return ERR_OK;
}

static enum err terms_of(const char *word, size_t *index, struct detail *detail)
{
	const char *near[3];
	int found = terms_find(word);
	size_t count = 0;
	if (found >= 0 && found < TERMS_MAX) {
		*index = (size_t)found;
		return ERR_OK;
	}
	count = terms_suggest(word, near);
	return suggest(ERR_UNKNOWN_TERMS, near, count, detail);
}

static enum err terms_mask_of(char *const *words, size_t count, uint16_t *mask, struct detail *detail)
{
	*mask = 0;
	for (size_t i = 0; i < count; i++) {
		size_t index = 0;
		enum err err = terms_of(words[i], &index, detail);
		if (err)
			return err;
		*mask |= (uint16_t)(1u << index);
	}
	return ERR_OK;
}

static enum err currency_of(const char *word, uint16_t *number, struct detail *detail)
{
	*number = currency_find(word);
	return *number ? ERR_OK : fault(ERR_UNKNOWN_CURRENCY, "currency", detail);
}

// ---- facets

// No upper end is 0 in messages and the largest amount here.
static enum err budget_of(const Oyez__Budget *budget, struct facets *out, struct detail *detail)
{
	if (!budget)
		return ERR_OK;
	enum err err = currency_of(budget->currency, &out->currency, detail);
	if (err)
		return err;
	if (budget->min_e4 < 0 || budget->max_e4 < 0 || budget->min_e4 > AMOUNT_E4_MAX || budget->max_e4 > AMOUNT_E4_MAX ||
	    (budget->max_e4 > 0 && budget->max_e4 < budget->min_e4))
		return fault(ERR_BAD_VALUE, "budget", detail);
	out->budget_min_e4 = amount_band_down(budget->min_e4);
	out->budget_max_e4 = budget->max_e4 > 0 ? amount_band_up(budget->max_e4) : AMOUNT_E4_MAX;
	return ERR_OK;
}

static int compare_u16(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static enum err rules_of(const Oyez__VendorRules *rules, struct facets *out, struct detail *detail)
{
	uint16_t countries[COUNTRIES_MAX];
	if (!rules)
		return ERR_OK;
	if (rules->n_countries > COUNTRIES_MAX)
		return fault(ERR_TOO_LARGE, "rules.countries", detail);
	if (rules->rating_band > 10)
		return fault(ERR_BAD_VALUE, "rules.rating_band", detail);
	for (size_t i = 0; i < rules->n_countries; i++) {
		enum err err = country_of(rules->countries[i], &countries[i], detail);
		if (err)
			return err;
	}
	qsort(countries, rules->n_countries, sizeof *countries, compare_u16);
	for (size_t i = 0; i < rules->n_countries; i++)
		if (i == 0 || countries[i] != countries[i - 1])
			out->countries[out->country_count++] = countries[i];
	out->rating_band = (uint8_t)rules->rating_band;
	return ERR_OK;
}

enum err facets_of_words(const struct taxonomy *taxonomy, const Oyez__Facets *words, struct facets *out,
                         struct detail *detail)
{
	size_t terms = 0;
	enum err err;
	*out = (struct facets){.category = TREE_NONE, .region = TREE_NONE};
	if (!words->category[0])
		return fault(ERR_MISSING_FIELD, "category", detail);
	if (!words->region[0])
		return fault(ERR_MISSING_FIELD, "region", detail);
	if ((err = category_of(taxonomy, words->category, &out->category, detail)) ||
	    (err = region_of(words->region, &out->region, detail)) || (err = budget_of(words->budget, out, detail)) ||
	    (err = language_of(words->language, &out->language, detail)) || (err = rules_of(words->rules, out, detail)))
		return err;
	if (words->terms[0]) {
		if ((err = terms_of(words->terms, &terms, detail)))
			return err;
		out->terms = (uint16_t)(terms + 1);
	}
	out->condition = (uint8_t)words->condition;
	out->quantity = (uint8_t)words->quantity;
	out->fulfilment = (uint8_t)words->fulfilment;
	out->reach = (uint8_t)words->reach;
	return ERR_OK;
}

struct facets facets_of_release(const struct taxonomy *taxonomy, const Oyez__Release *release)
{
	struct facets facets;
	struct detail detail = {.suggestions_left = 0};
	Oyez__Facets words = *release->facets;
	const struct tree *categories = taxonomy_tree(taxonomy);
	bool category_known = taxonomy_find(taxonomy, words.category) != TREE_NONE;
	bool region_known = region_find(words.region) != TREE_NONE;
	// Stand-ins for what is not known, taken out again below.
	if (!category_known)
		words.category = categories->count ? (char *)taxonomy_id(taxonomy, 0) : words.category;
	if (!region_known)
		words.region = (char *)region_code(0);
	if (facets_of_words(taxonomy, &words, &facets, &detail) != ERR_OK)
		facets = (struct facets){0};
	if (!category_known)
		facets.category = TREE_NONE;
	if (!region_known)
		facets.region = TREE_NONE;
	facets.needed_by = (uint8_t)release->needed_by;
	facets.expires = (uint8_t)release->expires;
	return facets;
}

static Oyez__Budget *budget_to_words(const struct facets *facets, struct arena *arena)
{
	if (!facets->currency)
		return NULL;
	Oyez__Budget *budget = arena_alloc(arena, sizeof *budget);
	oyez__budget__init(budget);
	budget->min_e4 = facets->budget_min_e4;
	budget->max_e4 = facets->budget_max_e4 == AMOUNT_E4_MAX ? 0 : facets->budget_max_e4;
	budget->currency = (char *)currency_code(facets->currency);
	return budget;
}

static Oyez__VendorRules *rules_to_words(const struct facets *facets, struct arena *arena)
{
	if (!facets->country_count && !facets->rating_band)
		return NULL;
	Oyez__VendorRules *rules = arena_alloc(arena, sizeof *rules);
	oyez__vendor_rules__init(rules);
	rules->rating_band = facets->rating_band;
	rules->n_countries = facets->country_count;
	rules->countries = arena_alloc(arena, facets->country_count * sizeof *rules->countries);
	for (size_t i = 0; i < facets->country_count; i++)
		rules->countries[i] = (char *)letters_word(facets->countries[i], arena);
	return rules;
}

Oyez__Facets *facets_to_words(const struct taxonomy *taxonomy, const struct facets *facets, struct arena *arena)
{
	Oyez__Facets *words = arena_alloc(arena, sizeof *words);
	oyez__facets__init(words);
	if (facets->category != TREE_NONE)
		words->category = (char *)taxonomy_id(taxonomy, facets->category);
	if (facets->region != TREE_NONE)
		words->region = (char *)region_code(facets->region);
	if (facets->language)
		words->language = (char *)letters_word(facets->language, arena);
	if (facets->terms && terms_at(facets->terms - 1u))
		words->terms = (char *)terms_at(facets->terms - 1u)->id;
	words->budget = budget_to_words(facets, arena);
	words->rules = rules_to_words(facets, arena);
	words->condition = (Oyez__Condition)facets->condition;
	words->quantity = (Oyez__QuantityBand)facets->quantity;
	words->fulfilment = (Oyez__Fulfilment)facets->fulfilment;
	words->reach = (Oyez__Reach)facets->reach;
	return words;
}

// ---- filters

static enum err categories_of(const struct taxonomy *taxonomy, char *const *words, size_t count, struct arena *arena,
                              const uint32_t **nodes, uint16_t *node_count, struct detail *detail)
{
	uint32_t *list = arena_alloc(arena, count * sizeof *list);
	*nodes = list;
	for (*node_count = 0; *node_count < count; (*node_count)++) {
		enum err err = category_of(taxonomy, words[*node_count], &list[*node_count], detail);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err regions_of(char *const *words, size_t count, struct arena *arena, struct filter *out,
                           struct detail *detail)
{
	uint32_t *list = arena_alloc(arena, count * sizeof *list);
	out->regions = list;
	for (out->region_count = 0; out->region_count < count; out->region_count++) {
		enum err err = region_of(words[out->region_count], &list[out->region_count], detail);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err filter_budget_of(const Oyez__Filter *words, struct filter *out, struct detail *detail)
{
	const Oyez__Budget *budget = words->budget;
	const char *currency = words->currency;
	if (budget && budget->currency[0]) {
		if (currency[0] && strcmp(currency, budget->currency) != 0)
			return fault(ERR_BAD_VALUE, "currency", detail);
		currency = budget->currency;
	}
	if (currency[0]) {
		enum err err = currency_of(currency, &out->currency, detail);
		if (err)
			return err;
	}
	if (!budget || (!budget->min_e4 && !budget->max_e4))
		return ERR_OK;
	if (!out->currency)
		return fault(ERR_MISSING_FIELD, "currency", detail);
	out->has_budget = true;
	out->budget_min_e4 = budget->min_e4;
	out->budget_max_e4 = budget->max_e4 > 0 ? budget->max_e4 : AMOUNT_E4_MAX;
	if (out->budget_min_e4 < 0 || out->budget_max_e4 < out->budget_min_e4)
		return fault(ERR_BAD_VALUE, "budget", detail);
	return ERR_OK;
}

enum err filter_of_words(const struct taxonomy *taxonomy, const Oyez__Filter *words, struct arena *arena,
                         struct filter *out, struct detail *detail)
{
	enum err err;
	*out = (struct filter){0};
	if (words->n_categories > FILTER_NODES_MAX || words->n_not_categories > FILTER_NODES_MAX ||
	    words->n_regions > FILTER_NODES_MAX)
		return fault(ERR_TOO_LARGE, "filter", detail);
	if ((err = categories_of(taxonomy, words->categories, words->n_categories, arena, &out->categories,
	                         &out->category_count, detail)) ||
	    (err = categories_of(taxonomy, words->not_categories, words->n_not_categories, arena, &out->not_categories,
	                         &out->not_category_count, detail)) ||
	    (err = regions_of(words->regions, words->n_regions, arena, out, detail)) ||
	    (err = filter_budget_of(words, out, detail)) || (err = language_of(words->language, &out->language, detail)) ||
	    (err = terms_mask_of(words->terms, words->n_terms, &out->terms_mask, detail)))
		return err;
	if (words->quantity_max && words->quantity_max < words->quantity_min)
		return fault(ERR_BAD_VALUE, "quantity_max", detail);
	out->exact = words->exact;
	out->needed_by_day = words->needed_by_day;
	out->quantity_min = words->quantity_min;
	out->quantity_max = words->quantity_max;
	out->condition = (uint8_t)words->condition;
	out->fulfilment = (uint8_t)words->fulfilment;
	out->crowd_min = words->crowd_min;
	return ERR_OK;
}

enum err vendor_facts_of_listing(const Oyez__Listing *listing, struct vendor_facts *out, struct detail *detail)
{
	*out = (struct vendor_facts){0};
	enum err err = country_of(listing->country, &out->country, detail);
	return err ? err : terms_mask_of(listing->terms, listing->n_terms, &out->terms_mask, detail);
}

size_t facet_names(uint32_t bits, const char *names[FACET_NAMES_MAX])
{
	static const struct {
		uint32_t bit;
		const char *name;
	} table[] = {
	    {FACET_CATEGORY, "category"},
	    {FACET_REGION, "region"},
	    {FACET_BUDGET, "budget"},
	    {FACET_NEEDED_BY, "needed_by"},
	    {FACET_CONDITION, "condition"},
	    {FACET_QUANTITY, "quantity"},
	    {FACET_FULFILMENT, "fulfilment"},
	    {FACET_LANGUAGE, "language"},
	    {FACET_TERMS, "terms"},
	    {FACET_CROWD, "crowd"},
	    {FACET_VENDOR_COUNTRY, "vendor_country"},
	    {FACET_VENDOR_TERMS, "vendor_terms"},
	    {FACET_VENDOR_RATING, "vendor_rating"},
	};
	size_t count = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (bits & table[i].bit)
			names[count++] = table[i].name;
	return count;
}
