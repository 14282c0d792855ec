// Matching by words, written down a second time: paths of names, no trees, no numbers.
#include "world.h"

const char *const CATEGORY_WORDS[CATEGORY_WORD_COUNT] = {
    "home",     "home.kitchen",      "home.kitchen.coffee-machine",
    "mobility", "mobility.bicycles", "mobility.bicycles.city-bike",
};
const char *const REGION_WORDS[REGION_WORD_COUNT] = {"FR", "FR-BRE", "FR-56", "DE", "DE-BY"};
static const int REGION_PARENTS[REGION_WORD_COUNT] = {-1, 0, 1, -1, 3};

static int find(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

int category_of_word(const char *word)
{
	return find(CATEGORY_WORDS, CATEGORY_WORD_COUNT, word);
}

int region_of_word(const char *word)
{
	return find(REGION_WORDS, REGION_WORD_COUNT, word);
}

bool category_below(int ancestor, int category)
{
	size_t length = strlen(CATEGORY_WORDS[ancestor]);
	const char *word = CATEGORY_WORDS[category];
	return strncmp(word, CATEGORY_WORDS[ancestor], length) == 0 && (word[length] == '\0' || word[length] == '.');
}

bool region_below(int ancestor, int region)
{
	for (; region >= 0; region = REGION_PARENTS[region])
		if (region == ancestor)
			return true;
	return false;
}

enum fit { FIT_NO, FIT_UNSURE, FIT_YES };

static enum fit place_fit(int wanted, int shown, bool (*below)(int, int))
{
	if (wanted < 0)
		return FIT_YES;
	if (shown < 0)
		return FIT_UNSURE;
	if (below(wanted, shown))
		return FIT_YES;
	return below(shown, wanted) ? FIT_UNSURE : FIT_NO;
}

bool vendor_may(const struct sim_vendor *vendor, const struct words *words)
{
	return (!words->only_france || vendor->france) && (!words->terms || vendor->terms);
}

bool event_matches(const struct world *world, const struct sim_subscription *subscription, int number)
{
	const struct sim_intent *intent = &world->intents[number];
	const struct words *shown = &intent->shown;
	enum fit fits[] = {
	    place_fit(subscription->category, shown->category, category_below),
	    place_fit(subscription->region, shown->region, region_below),
	    !subscription->terms ? FIT_YES
	    : shown->terms       ? FIT_YES
	                         : FIT_UNSURE,
	    !subscription->euros                    ? FIT_YES
	    : !shown->euros                         ? FIT_UNSURE
	    : shown->max_e4 >= subscription->min_e4 ? FIT_YES
	                                            : FIT_NO,
	    intent->crowd >= subscription->crowd_min ? FIT_YES : FIT_NO,
	};
	for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
		if (fits[i] == FIT_NO || (fits[i] == FIT_UNSURE && subscription->exact))
			return false;
	return vendor_may(&world->vendors[subscription->vendor], shown);
}
