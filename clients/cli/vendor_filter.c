// A vendor's filter from the flags of `vendor subscribe` and `bot run`, and back into words.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/lib/view.h"
#include "proto/region.h"
#include "proto/taxonomy.h"
#include "proto/terms.h"
#include "proto/values.h"

static int too_many(struct cli *cli, const char *option, size_t max)
{
	return cli_usage(cli, cli->command, cli_word(cli, "%s: at most %zu", "%s : au plus %zu"), option, max);
}

static int add(struct cli *cli, const char **list, size_t *count, size_t max, const char *option, const char *value)
{
	if (*count == max)
		return too_many(cli, option, max);
	list[(*count)++] = value;
	return EXIT_DONE;
}

static int bad_word(struct cli *cli, enum err code, const char *value, size_t count, const char *const *suggestions)
{
	char detail[256];
	size_t used = (size_t)snprintf(detail, sizeof(detail), "%.80s", value);

	for (size_t i = 0; i < count && used < sizeof(detail); i++)
		used += (size_t)snprintf(detail + used, sizeof(detail) - used, "%s%s", i ? ", " : "; ", suggestions[i]);
	return cli_fail_code(cli, code, detail);
}

static int add_region(struct cli *cli, struct filter_flags *flags, const char *value)
{
	const char *suggestions[3];
	char *code = flags->region_codes[flags->region_count < FILTER_NODES_MAX ? flags->region_count : 0];

	if (flags->region_count == FILTER_NODES_MAX)
		return too_many(cli, "--region", FILTER_NODES_MAX);
	snprintf(code, sizeof(flags->region_codes[0]), "%s", value);
	for (char *at = code; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	if (region_find(code) == TREE_NONE)
		return bad_word(cli, ERR_UNKNOWN_REGION, value, region_suggest(value, suggestions), suggestions);
	flags->regions[flags->region_count++] = code;
	return EXIT_DONE;
}

static int add_terms(struct cli *cli, struct filter_flags *flags, const char *value)
{
	const char *known[3];
	size_t count = 0;

	if (terms_find(value) >= 0)
		return add(cli, flags->terms, &flags->term_count, TERMS_MAX, "--terms", value);
	count = terms_suggest(value, known);
	return bad_word(cli, ERR_UNKNOWN_TERMS, value, count, known);
}

static int quantity_range(struct cli *cli, struct filter_flags *flags, const char *value)
{
	char first[16] = "", *dash = strchr(value, '-');
	const char *last = dash ? dash + 1 : value;

	snprintf(first, sizeof(first), "%.*s", dash ? (int)(dash - value) : (int)strlen(value), value);
	if (*first && !cli_number_parse(cli, "--quantity", first, 1, 1000000, &flags->quantity_min))
		return EXIT_USAGE;
	if (*last && !cli_number_parse(cli, "--quantity", last, 1, 1000000, &flags->quantity_max))
		return EXIT_USAGE;
	if (flags->quantity_max && flags->quantity_min > flags->quantity_max)
		return cli_usage(cli, cli->command, "--quantity %s", value);
	return EXIT_DONE;
}

static int word_error(struct cli *cli, const char *option, const char *value, const char *words)
{
	return cli_usage(cli, cli->command, cli_word(cli, "%s takes %s, not \"%s\"", "%s prend %s, pas « %s »"), option,
	                 words, value);
}

static int budget_flag(struct cli *cli, struct filter_flags *flags, const char *value)
{
	if (amount_range_parse(value, &flags->budget_min_e4, &flags->budget_max_e4))
		return cli_fail_code(cli, ERR_BAD_AMOUNT, value);
	if (flags->budget_max_e4 && flags->budget_min_e4 > flags->budget_max_e4)
		return cli_fail_code(
		    cli, ERR_BAD_VALUE,
		    cli_word(cli, "budget: the first amount is the lower one", "budget : le premier montant est le plus bas"));
	return EXIT_DONE;
}

int filter_flag(struct cli *cli, struct filter_flags *flags, int option, const char *value)
{
	switch (option) {
	case FILTER_CATEGORY:
		return add(cli, flags->categories, &flags->category_count, FILTER_NODES_MAX, "--category", value);
	case FILTER_NOT_CATEGORY:
		return add(cli, flags->not_categories, &flags->not_category_count, FILTER_NODES_MAX, "--not-category", value);
	case FILTER_REGION:
		return add_region(cli, flags, value);
	case FILTER_TERMS:
		return add_terms(cli, flags, value);
	case FILTER_BUDGET:
		return budget_flag(cli, flags, value);
	case FILTER_CURRENCY:
		flags->currency = value;
		return currency_find(value) ? EXIT_DONE : cli_fail_code(cli, ERR_UNKNOWN_CURRENCY, value);
	case FILTER_NEEDED_BY:
		return day_parse(value, &flags->needed_by_day) ? cli_fail_code(cli, ERR_BAD_DATE, value) : EXIT_DONE;
	case FILTER_CONDITION:
		return condition_parse(value, &flags->condition) ? EXIT_DONE
		                                                 : word_error(cli, "--condition", value, "new|used|any");
	case FILTER_FULFILMENT:
		return fulfilment_parse(value, &flags->fulfilment)
		           ? EXIT_DONE
		           : word_error(cli, "--fulfilment", value, "delivery|pickup|onsite|any");
	case FILTER_QUANTITY:
		return quantity_range(cli, flags, value);
	case FILTER_LANGUAGE:
		flags->language = value;
		return strlen(value) == 2 ? EXIT_DONE : word_error(cli, "--language", value, "fr|en|...");
	case FILTER_MIN_CROWD:
		return cli_number_parse(cli, "--min-crowd", value, 1, CROWD_WISH_MAX, &flags->crowd_min) ? EXIT_DONE
		                                                                                         : EXIT_USAGE;
	default:
		flags->exact = option == FILTER_EXACT;
		return EXIT_DONE;
	}
}

// Brokers may carry another taxonomy than ours, so an unknown id is refused here only when it looks like one of ours
// gone wrong: the broker has the last word on all others.
static int check_categories(struct cli *cli, const char *const *ids, size_t count)
{
	const struct taxonomy *taxonomy = taxonomy_builtin();
	const char *suggestions[3];

	for (size_t i = 0; i < count; i++) {
		if (taxonomy_find(taxonomy, ids[i]) != TREE_NONE)
			continue;
		size_t found = taxonomy_suggest(taxonomy, ids[i], suggestions);

		if (found > 0 && !isdigit((unsigned char)*ids[i]))
			return bad_word(cli, ERR_UNKNOWN_CATEGORY, ids[i], found, suggestions);
	}
	return EXIT_DONE;
}

int filter_of_flags(struct cli *cli, struct filter_flags *flags, Oyez__Filter *out)
{
	int code = check_categories(cli, flags->categories, flags->category_count);

	if (code == EXIT_DONE)
		code = check_categories(cli, flags->not_categories, flags->not_category_count);
	if (code != EXIT_DONE)
		return code;
	oyez__filter__init(out);
	out->categories = (char **)flags->categories;
	out->n_categories = flags->category_count;
	out->not_categories = (char **)flags->not_categories;
	out->n_not_categories = flags->not_category_count;
	out->regions = (char **)flags->regions;
	out->n_regions = flags->region_count;
	out->terms = (char **)flags->terms;
	out->n_terms = flags->term_count;
	if (flags->budget_min_e4 || flags->budget_max_e4) {
		if (!flags->currency)
			flags->currency = region_currency(flags->region_count ? region_find(flags->regions[0]) : region_find("FR"));
		oyez__budget__init(&flags->budget);
		flags->budget.min_e4 = flags->budget_min_e4;
		flags->budget.max_e4 = flags->budget_max_e4;
		flags->budget.currency = (char *)flags->currency;
		out->budget = &flags->budget;
	}
	if (flags->currency)
		out->currency = (char *)flags->currency;
	if (flags->language)
		out->language = (char *)flags->language;
	out->needed_by_day = flags->needed_by_day;
	out->condition = flags->condition;
	out->fulfilment = flags->fulfilment;
	out->quantity_min = (uint32_t)flags->quantity_min;
	out->quantity_max = (uint32_t)flags->quantity_max;
	out->crowd_min = (uint32_t)flags->crowd_min;
	out->exact = flags->exact;
	return EXIT_DONE;
}

// ---- back into words

static void add_list(json_t *object, const char *name, char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(list[i]));
	if (count > 0)
		json_object_set(object, name, array);
	json_decref(array);
}

static void add_text(json_t *object, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(object, name, json_text(text));
}

static void add_budget(json_t *object, const Oyez__Budget *budget)
{
	char min[32], max[32];
	json_t *range = json_object();

	amount_format(budget->min_e4, budget->currency, min);
	amount_format(budget->max_e4, budget->currency, max);
	if (budget->min_e4)
		add_text(range, "min", min);
	if (budget->max_e4)
		add_text(range, "max", max);
	add_text(range, "currency", budget->currency);
	json_object_set_new(object, "budget", range);
}

json_t *filter_json(const Oyez__Filter *filter)
{
	json_t *object = json_object();
	char day[16];

	add_list(object, "category", filter->categories, filter->n_categories);
	add_list(object, "not_category", filter->not_categories, filter->n_not_categories);
	add_list(object, "region", filter->regions, filter->n_regions);
	if (filter->budget)
		add_budget(object, filter->budget);
	else
		add_text(object, "currency", filter->currency);
	if (filter->needed_by_day) {
		day_format(filter->needed_by_day, day);
		add_text(object, "needed_by", day);
	}
	add_text(object, "condition", condition_word(filter->condition));
	if (filter->quantity_min)
		json_object_set_new(object, "quantity_min", json_integer(filter->quantity_min));
	if (filter->quantity_max)
		json_object_set_new(object, "quantity_max", json_integer(filter->quantity_max));
	add_text(object, "fulfilment", fulfilment_word(filter->fulfilment));
	add_text(object, "language", filter->language);
	add_list(object, "terms", filter->terms, filter->n_terms);
	if (filter->crowd_min)
		json_object_set_new(object, "min_crowd", json_integer(filter->crowd_min));
	json_object_set_new(object, "match", json_string(filter->exact ? "exact" : "maybe"));
	return object;
}
