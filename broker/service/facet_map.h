// Words to numbers and back: what messages say as ids and codes, the core computes with as facets and filters.
#ifndef OYEZ_SERVICE_FACET_MAP_H
#define OYEZ_SERVICE_FACET_MAP_H

#include "broker/base/arena.h"
#include "broker/core/filter.h"
#include "proto/codec.h"
#include "proto/taxonomy.h"

enum { DETAIL_BYTES = 256, FACET_NAMES_MAX = 16 };

// Says what exactly was wrong: a field's name, or up to three suggestions "a, b, c".
// Suggestions take a millisecond or more each, so a batch has only a few of them to give.
struct detail {
	char text[DETAIL_BYTES];
	int suggestions_left;
};

// Facets as posted. Budgets are widened to bands, countries sorted; needed_by and expires stay 0 (the tick sets them).
// ERR_MISSING_FIELD, ERR_UNKNOWN_CATEGORY, ERR_UNKNOWN_REGION, ERR_UNKNOWN_CURRENCY, ERR_UNKNOWN_TERMS, ERR_BAD_VALUE.
enum err facets_of_words(const struct taxonomy *taxonomy, const Oyez__Facets *words, struct facets *out,
                         struct detail *detail);
// facet_pii.c: what to answer instead of an error of facets_of_words: ERR_PII_FOUND when a word tells who somebody is.
enum err facets_refused(enum err err, const Oyez__Facets *words, struct detail *detail);
// The same of a release that was published before, perhaps under another taxonomy: what is not known is unknown.
struct facets facets_of_release(const struct taxonomy *taxonomy, const Oyez__Release *release);
// The other way; the message lives in the arena.
Oyez__Facets *facets_to_words(const struct taxonomy *taxonomy, const struct facets *facets, struct arena *arena);

// A vendor's filter. Its node lists live in the arena. Errors as above.
enum err filter_of_words(const struct taxonomy *taxonomy, const Oyez__Filter *words, struct arena *arena,
                         struct filter *out, struct detail *detail);
// What the matcher needs to know of a vendor; the rating is not in the listing and stays 0.
enum err vendor_facts_of_listing(const Oyez__Listing *listing, struct vendor_facts *out, struct detail *detail);

// Names of facet bits, for explanations. How many were written.
size_t facet_names(uint32_t bits, const char *names[FACET_NAMES_MAX]);

#endif
