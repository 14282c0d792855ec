// Who the simulated people are: where they live, what they want, when they are awake. No network here.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clients/bot/crowd.h"
#include "proto/region.h"
#include "proto/taxonomy.h"

// ---- randomness

static uint64_t dice_next(struct dice *dice)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return dice->state * UINT64_C(0x2545f4914f6cdd1d);
}

double dice_unit(struct dice *dice)
{
	return (double)(dice_next(dice) >> 11) / 9007199254740992.0;
}

size_t dice_below(struct dice *dice, size_t count)
{
	return (size_t)(dice_unit(dice) * (double)count);
}

bool dice_chance(struct dice *dice, double probability)
{
	return dice_unit(dice) < probability;
}

double dice_exponential(struct dice *dice, double mean)
{
	return -log(1.0 - dice_unit(dice)) * mean;
}

// ---- places: départements with their inhabitants in ten thousands, roughly

static const struct weighted DEPARTEMENTS[] = {
    {"FR-01", 66},  {"FR-02", 53},  {"FR-03", 34},  {"FR-04", 17},  {"FR-05", 14},  {"FR-06", 110}, {"FR-07", 33},
    {"FR-08", 27},  {"FR-09", 15},  {"FR-10", 31},  {"FR-11", 38},  {"FR-12", 28},  {"FR-13", 205}, {"FR-14", 70},
    {"FR-15", 14},  {"FR-16", 35},  {"FR-17", 66},  {"FR-18", 30},  {"FR-19", 24},  {"FR-21", 53},  {"FR-22", 60},
    {"FR-23", 12},  {"FR-24", 41},  {"FR-25", 55},  {"FR-26", 52},  {"FR-27", 60},  {"FR-28", 43},  {"FR-29", 92},
    {"FR-2A", 16},  {"FR-2B", 18},  {"FR-30", 75},  {"FR-31", 143}, {"FR-32", 19},  {"FR-33", 165}, {"FR-34", 120},
    {"FR-35", 110}, {"FR-36", 22},  {"FR-37", 61},  {"FR-38", 128}, {"FR-39", 26},  {"FR-40", 42},  {"FR-41", 33},
    {"FR-42", 77},  {"FR-43", 23},  {"FR-44", 146}, {"FR-45", 68},  {"FR-46", 17},  {"FR-47", 33},  {"FR-48", 8},
    {"FR-49", 82},  {"FR-50", 49},  {"FR-51", 56},  {"FR-52", 17},  {"FR-53", 31},  {"FR-54", 73},  {"FR-55", 18},
    {"FR-56", 77},  {"FR-57", 105}, {"FR-58", 20},  {"FR-59", 261}, {"FR-60", 83},  {"FR-61", 28},  {"FR-62", 146},
    {"FR-63", 66},  {"FR-64", 69},  {"FR-65", 23},  {"FR-66", 49},  {"FR-67", 115}, {"FR-68", 77},  {"FR-69", 189},
    {"FR-70", 23},  {"FR-71", 55},  {"FR-72", 57},  {"FR-73", 44},  {"FR-74", 84},  {"FR-75", 213}, {"FR-76", 125},
    {"FR-77", 144}, {"FR-78", 146}, {"FR-79", 37},  {"FR-80", 57},  {"FR-81", 39},  {"FR-82", 26},  {"FR-83", 110},
    {"FR-84", 56},  {"FR-85", 69},  {"FR-86", 44},  {"FR-87", 37},  {"FR-88", 36},  {"FR-89", 33},  {"FR-90", 14},
    {"FR-91", 131}, {"FR-92", 163}, {"FR-93", 168}, {"FR-94", 142}, {"FR-95", 127}};

static bool sensitive(const struct tree *tree, uint32_t node)
{
	for (; node != TREE_NONE; node = tree->parent[node])
		if (tree->flags[node] & TREE_SENSITIVE)
			return true;
	return false;
}

static void add(struct weighted *items, size_t *count, double *sum, const char *name, double weight)
{
	if (*count == CROWD_PLACES_MAX)
		return;
	items[(*count)++] = (struct weighted){name, weight};
	*sum += weight;
}

static void add_category(struct people *people, const char *name)
{
	add(people->categories, &people->category_count, &people->category_sum, name,
	    1.0 / (double)(people->category_count + 1));
}

// Which leaf is the most popular is the seed's choice.
static void all_categories(struct people *people, struct dice *dice)
{
	const struct taxonomy *taxonomy = taxonomy_builtin();
	const struct tree *tree = taxonomy_tree(taxonomy);
	uint32_t leaves[CROWD_PLACES_MAX];
	size_t count = 0;
	for (uint32_t node = 0; node < tree->count && count < CROWD_PLACES_MAX; node++)
		if (tree->last[node] == node && !sensitive(tree, node))
			leaves[count++] = node;
	for (size_t i = count; i > 1; i--) {
		size_t j = dice_below(dice, i);
		uint32_t swap = leaves[i - 1];
		leaves[i - 1] = leaves[j];
		leaves[j] = swap;
	}
	for (size_t i = 0; i < count; i++)
		add_category(people, taxonomy_id(taxonomy, leaves[i]));
}

const char *people_init(struct people *people, const char *const *categories, size_t category_count,
                        const char *const *regions, size_t region_count, struct dice *dice)
{
	memset(people, 0, sizeof *people);
	for (size_t i = 0; i < category_count; i++)
		add_category(people, categories[i]); // the broker knows which exist
	if (category_count == 0)
		all_categories(people, dice);
	for (size_t i = 0; i < region_count; i++) {
		if (region_find(regions[i]) == TREE_NONE)
			return regions[i];
		add(people->regions, &people->region_count, &people->region_sum, regions[i], 1);
	}
	for (size_t i = 0; region_count == 0 && i < sizeof DEPARTEMENTS / sizeof *DEPARTEMENTS; i++)
		if (region_find(DEPARTEMENTS[i].name) != TREE_NONE)
			add(people->regions, &people->region_count, &people->region_sum, DEPARTEMENTS[i].name,
			    DEPARTEMENTS[i].weight);
	return NULL;
}

static const char *draw(const struct weighted *items, size_t count, double sum, struct dice *dice)
{
	double at = dice_unit(dice) * sum;
	for (size_t i = 0; i + 1 < count; i++) {
		at -= items[i].weight;
		if (at < 0)
			return items[i].name;
	}
	return items[count - 1].name;
}

// ---- wants

static void budget(struct dice *dice, struct oyez_want *want)
{
	// Most things cost tens to hundreds; people name a range around a round sum.
	double middle = exp(4.6 + 1.1 * (dice_unit(dice) + dice_unit(dice) + dice_unit(dice) - 1.5));
	want->has_budget = true;
	want->budget_min_e4 = (int64_t)(middle * 0.7) * 10000;
	want->budget_max_e4 = (int64_t)(middle * 1.5 + 1) * 10000;
}

void people_want(const struct people *people, struct dice *dice, struct oyez_want *want)
{
	static const char *const TEXTS[] = {"simple and solid",  "not too heavy",          "as new if possible",
	                                    "plutôt silencieux", "pour un petit logement", "with a guarantee"};
	oyez_want_init(want);
	want->category = draw(people->categories, people->category_count, people->category_sum, dice);
	want->region = draw(people->regions, people->region_count, people->region_sum, dice);
	want->text = TEXTS[dice_below(dice, sizeof TEXTS / sizeof *TEXTS)];
	if (dice_chance(dice, 0.7))
		budget(dice, want);
	if (dice_chance(dice, 0.4))
		want->condition = dice_chance(dice, 0.5) ? "new" : "used";
	if (dice_chance(dice, 0.3))
		want->fulfilment = dice_chance(dice, 0.5) ? "delivery" : "pickup";
	if (dice_chance(dice, 0.1))
		want->quantity = 2;
}

// Nearly nobody at night, a hill before noon, a higher one in the evening.
double people_liveliness(double hour)
{
	static const double HOURS[24] = {0.3, 0.15, 0.1, 0.05, 0.05, 0.1, 0.3, 0.7, 1.0, 1.2, 1.3, 1.3,
	                                 1.4, 1.3,  1.2, 1.2,  1.3,  1.5, 1.7, 1.9, 2.1, 2.0, 1.3, 0.55};
	return HOURS[(size_t)hour % 24];
}

const char *people_card(struct dice *dice)
{
	static const char *const FIRST[] = {"Alix", "Camille", "Dominique", "Lou", "Maxime", "Sacha"};
	static const char *const LAST[] = {"Exemple", "Fictif", "Imaginaire", "Personne"};
	static char card[256];
	unsigned number = (unsigned)dice_below(dice, 100000);
	snprintf(card, sizeof card,
	         "{\"name\":\"%s %s\",\"email\":\"simulated.%05u@example.org\",\"address\":{\"street\":\"%u rue "
	         "Imaginaire\",\"postcode\":\"00000\",\"city\":\"Nulle-Part\",\"country\":\"FR\"}}",
	         FIRST[dice_below(dice, 6)], LAST[dice_below(dice, 4)], number, number % 90 + 1);
	return card;
}
