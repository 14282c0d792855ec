// The words for facets' enumerations, as the command line, JSON and the importers write them.
#include <string.h>

#include "values.h"
#include "vendor.pb-c.h"

#define WORD_COUNT(words) (sizeof(words) / sizeof *(words))

static const char *word_at(const char *const *words, size_t count, int value)
{
	return value >= 0 && (size_t)value < count ? words[value] : NULL;
}

// The number of the word, 0 (which is "unknown" in every enumeration) if there is none.
static int word_find(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return 0;
}

static const char *const condition_words[] = {
    [OYEZ__CONDITION__CONDITION_NEW] = "new",
    [OYEZ__CONDITION__CONDITION_USED] = "used",
    [OYEZ__CONDITION__CONDITION_ANY] = "any",
};

const char *condition_word(Oyez__Condition value)
{
	return word_at(condition_words, WORD_COUNT(condition_words), (int)value);
}

bool condition_parse(const char *word, Oyez__Condition *value)
{
	int found = word_find(condition_words, WORD_COUNT(condition_words), word);
	if (found)
		*value = (Oyez__Condition)found;
	return found != 0;
}

static const char *const fulfilment_words[] = {
    [OYEZ__FULFILMENT__FULFILMENT_DELIVERY] = "delivery",
    [OYEZ__FULFILMENT__FULFILMENT_PICKUP] = "pickup",
    [OYEZ__FULFILMENT__FULFILMENT_ONSITE] = "onsite",
    [OYEZ__FULFILMENT__FULFILMENT_ANY] = "any",
};

const char *fulfilment_word(Oyez__Fulfilment value)
{
	return word_at(fulfilment_words, WORD_COUNT(fulfilment_words), (int)value);
}

bool fulfilment_parse(const char *word, Oyez__Fulfilment *value)
{
	int found = word_find(fulfilment_words, WORD_COUNT(fulfilment_words), word);
	if (found)
		*value = (Oyez__Fulfilment)found;
	return found != 0;
}

static const char *const reach_words[] = {
    [OYEZ__REACH__REACH_REGION] = "region",
    [OYEZ__REACH__REACH_COUNTRY] = "country",
    [OYEZ__REACH__REACH_WORLD] = "world",
};

const char *reach_word(Oyez__Reach value)
{
	return word_at(reach_words, WORD_COUNT(reach_words), (int)value);
}

bool reach_parse(const char *word, Oyez__Reach *value)
{
	int found = word_find(reach_words, WORD_COUNT(reach_words), word);
	if (found)
		*value = (Oyez__Reach)found;
	return found != 0;
}

static const char *const quantity_words[] = {
    [OYEZ__QUANTITY_BAND__QUANTITY_1] = "1",
    [OYEZ__QUANTITY_BAND__QUANTITY_2_5] = "2-5",
    [OYEZ__QUANTITY_BAND__QUANTITY_6_20] = "6-20",
    [OYEZ__QUANTITY_BAND__QUANTITY_MORE] = "21+",
};

const char *quantity_band_word(Oyez__QuantityBand value)
{
	return word_at(quantity_words, WORD_COUNT(quantity_words), (int)value);
}

Oyez__QuantityBand quantity_band_of(uint32_t quantity)
{
	if (quantity == 0)
		return OYEZ__QUANTITY_BAND__QUANTITY_UNKNOWN;
	if (quantity == 1)
		return OYEZ__QUANTITY_BAND__QUANTITY_1;
	if (quantity <= 5)
		return OYEZ__QUANTITY_BAND__QUANTITY_2_5;
	return quantity <= 20 ? OYEZ__QUANTITY_BAND__QUANTITY_6_20 : OYEZ__QUANTITY_BAND__QUANTITY_MORE;
}

const char *needed_band_word(Oyez__NeededBand value)
{
	static const char *const words[] = {
	    [OYEZ__NEEDED_BAND__NEEDED_3D] = "3d",
	    [OYEZ__NEEDED_BAND__NEEDED_7D] = "7d",
	    [OYEZ__NEEDED_BAND__NEEDED_30D] = "30d",
	    [OYEZ__NEEDED_BAND__NEEDED_LATER] = "later",
	};
	return word_at(words, WORD_COUNT(words), (int)value);
}

const char *expiry_band_word(Oyez__ExpiryBand value)
{
	static const char *const words[] = {
	    [OYEZ__EXPIRY_BAND__EXPIRY_1D] = "1d",       [OYEZ__EXPIRY_BAND__EXPIRY_3D] = "3d",
	    [OYEZ__EXPIRY_BAND__EXPIRY_7D] = "7d",       [OYEZ__EXPIRY_BAND__EXPIRY_30D] = "30d",
	    [OYEZ__EXPIRY_BAND__EXPIRY_LATER] = "later",
	};
	return word_at(words, WORD_COUNT(words), (int)value);
}

const char *gone_reason_word(int gone_reason)
{
	static const char *const words[] = {
	    [OYEZ__GONE_REASON__GONE_WITHDRAWN] = "withdrawn",
	    [OYEZ__GONE_REASON__GONE_EXPIRED] = "expired",
	    [OYEZ__GONE_REASON__GONE_TAKEN] = "taken",
	};
	return word_at(words, WORD_COUNT(words), gone_reason);
}
