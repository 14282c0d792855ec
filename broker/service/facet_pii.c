// Facets are words of closed lists, so nobody's identity can be among them. A word that is in no list is refused for
// that; here the refusal says more when the word tells who somebody is: a wallet whose check failed should know.
#include "proto/scrub.h"

#include <stdio.h>
#include <string.h>

#include "facet_map.h"

static bool tells(const char *word)
{
	return word && *word && scrub_has_any(word, strlen(word));
}

static const char *telling_field(const Oyez__Facets *words)
{
	if (tells(words->category))
		return "post.facets.category";
	if (tells(words->region))
		return "post.facets.region";
	if (tells(words->language))
		return "post.facets.language";
	if (tells(words->terms))
		return "post.facets.terms";
	if (words->budget && tells(words->budget->currency))
		return "post.facets.budget.currency";
	for (size_t i = 0; words->rules && i < words->rules->n_countries; i++) {
		if (tells(words->rules->countries[i]))
			return "post.facets.rules.countries";
	}
	return NULL;
}

enum err facets_refused(enum err err, const Oyez__Facets *words, struct detail *detail)
{
	const char *field = telling_field(words);
	if (!field)
		return err;
	snprintf(detail->text, sizeof detail->text, "%s", field); // never the word itself
	return ERR_PII_FOUND;
}
