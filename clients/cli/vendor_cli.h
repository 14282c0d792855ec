// What the vendor's commands share: opening the home, ids as people type them, filters from flags, events in words.
#ifndef OYEZ_CLI_VENDOR_CLI_H
#define OYEZ_CLI_VENDOR_CLI_H

#include "clients/cli/cli.h"
#include "clients/lib/oyez_vendor.h"

// The vendor of --home with --broker. NULL after the error was printed, the exit code in *code.
struct oyez_vendor *vendor_open(struct cli *cli, int *code);

// Exactly `count` words that are no options stand in argv (after getopt moved them to the end); else a usage error.
bool vendor_words(struct cli *cli, int argc, int count);

// The flags of `vendor subscribe` and `bot run`. Zero it; the strings point into argv.
struct filter_flags {
	const char *categories[FILTER_NODES_MAX], *not_categories[FILTER_NODES_MAX], *regions[FILTER_NODES_MAX];
	const char *terms[TERMS_MAX];
	size_t category_count, not_category_count, region_count, term_count;
	char region_codes[FILTER_NODES_MAX][REGION_BYTES_MAX + 2];
	int64_t budget_min_e4, budget_max_e4;
	const char *currency, *language;
	uint32_t needed_by_day;
	Oyez__Condition condition;
	Oyez__Fulfilment fulfilment;
	uint64_t quantity_min, quantity_max, crowd_min;
	bool exact;
	Oyez__Budget budget; // storage for the filter
};
// For the options' table: FILTER_OPTIONS inside, values from FILTER_FIRST on.
enum {
	FILTER_FIRST = 0x200,
	FILTER_CATEGORY = FILTER_FIRST,
	FILTER_NOT_CATEGORY,
	FILTER_REGION,
	FILTER_BUDGET,
	FILTER_CURRENCY,
	FILTER_NEEDED_BY,
	FILTER_CONDITION,
	FILTER_QUANTITY,
	FILTER_FULFILMENT,
	FILTER_LANGUAGE,
	FILTER_TERMS,
	FILTER_MIN_CROWD,
	FILTER_EXACT,
	FILTER_MAYBE,
	FILTER_END,
};
#define FILTER_OPTIONS                                                                                                 \
	{"category", required_argument, NULL, FILTER_CATEGORY},                                                            \
	    {"not-category", required_argument, NULL, FILTER_NOT_CATEGORY},                                                \
	    {"region", required_argument, NULL, FILTER_REGION}, {"budget", required_argument, NULL, FILTER_BUDGET},        \
	    {"currency", required_argument, NULL, FILTER_CURRENCY},                                                        \
	    {"needed-by", required_argument, NULL, FILTER_NEEDED_BY},                                                      \
	    {"condition", required_argument, NULL, FILTER_CONDITION},                                                      \
	    {"quantity", required_argument, NULL, FILTER_QUANTITY},                                                        \
	    {"fulfilment", required_argument, NULL, FILTER_FULFILMENT},                                                    \
	    {"language", required_argument, NULL, FILTER_LANGUAGE}, {"terms", required_argument, NULL, FILTER_TERMS},      \
	    {"min-crowd", required_argument, NULL, FILTER_MIN_CROWD}, {"exact", no_argument, NULL, FILTER_EXACT},          \
	{                                                                                                                  \
		"maybe", no_argument, NULL, FILTER_MAYBE                                                                       \
	}
// One option. EXIT_DONE, or the exit code after the error was printed.
int filter_flag(struct cli *cli, struct filter_flags *flags, int option, const char *value);
// The filter they make; it points into `flags`. EXIT_DONE or an exit code.
int filter_of_flags(struct cli *cli, struct filter_flags *flags, Oyez__Filter *out);
// A filter in the words of the flags, for listings.
json_t *filter_json(const Oyez__Filter *filter);

// An event: the JSON object with --json, else one line in words. Flushes stdout; false if it could not be written.
bool vendor_say_event(struct cli *cli, const struct oyez_event *event);
// Facets of a release in a few words. malloc'd.
char *vendor_release_words(const struct cli *cli, const Oyez__Release *release);

#endif
