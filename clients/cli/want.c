// `oyez want`: from the flags to what is posted.
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"
#include "proto/limits.h"
#include "proto/values.h"

enum {
	WANT_CATEGORY = 0x300,
	WANT_REGION,
	WANT_BUDGET,
	WANT_CURRENCY,
	WANT_NEEDED_BY,
	WANT_QUANTITY,
	WANT_CONDITION,
	WANT_FULFILMENT,
	WANT_LANGUAGE,
	WANT_TERMS,
	WANT_REACH,
	WANT_CROWD,
	WANT_WAIVE_CROWD,
	WANT_COARSEST,
	WANT_PATIENCE,
	WANT_EXPIRES,
	WANT_DEALS_MAX,
	WANT_VENDOR_COUNTRY,
	WANT_MIN_RATING,
	WANT_ALLOW,
	WANT_BLOCK,
	WANT_SHARE,
	WANT_SHARE_MAX,
	WANT_DETAILS,
	WANT_PREVIEW,
	WANT_MASK_PII,
	WANT_ALLOW_PII,
	WANT_POST,
};

const struct option want_options[] = {
    {"category", required_argument, NULL, WANT_CATEGORY},
    {"region", required_argument, NULL, WANT_REGION},
    {"budget", required_argument, NULL, WANT_BUDGET},
    {"currency", required_argument, NULL, WANT_CURRENCY},
    {"needed-by", required_argument, NULL, WANT_NEEDED_BY},
    {"quantity", required_argument, NULL, WANT_QUANTITY},
    {"condition", required_argument, NULL, WANT_CONDITION},
    {"fulfilment", required_argument, NULL, WANT_FULFILMENT},
    {"language", required_argument, NULL, WANT_LANGUAGE},
    {"terms", required_argument, NULL, WANT_TERMS},
    {"reach", required_argument, NULL, WANT_REACH},
    {"crowd", required_argument, NULL, WANT_CROWD},
    {"waive-crowd", no_argument, NULL, WANT_WAIVE_CROWD},
    {"coarsest", required_argument, NULL, WANT_COARSEST},
    {"patience", required_argument, NULL, WANT_PATIENCE},
    {"expires", required_argument, NULL, WANT_EXPIRES},
    {"deals-max", required_argument, NULL, WANT_DEALS_MAX},
    {"vendor-country", required_argument, NULL, WANT_VENDOR_COUNTRY},
    {"min-rating", required_argument, NULL, WANT_MIN_RATING},
    {"allow", required_argument, NULL, WANT_ALLOW},
    {"block", required_argument, NULL, WANT_BLOCK},
    {"share-details", required_argument, NULL, WANT_SHARE},
    {"share-max", required_argument, NULL, WANT_SHARE_MAX},
    {"details", required_argument, NULL, WANT_DETAILS},
    {"preview", no_argument, NULL, WANT_PREVIEW},
    {"mask-pii", no_argument, NULL, WANT_MASK_PII},
    {"allow-pii", no_argument, NULL, WANT_ALLOW_PII},
    {"post", no_argument, NULL, WANT_POST},
    {NULL, 0, NULL, 0},
};

void want_args_init(struct want_args *args)
{
	memset(args, 0, sizeof(*args));
	oyez_want_init(&args->want);
	args->want.language = cli_locale_language();
	args->want.vendor_countries = args->countries;
	args->want.allow = args->allow;
	args->want.block = args->block;
}

void want_args_free(struct want_args *args)
{
	if (args->details)
		sodium_memzero(args->details, strlen(args->details));
	free(args->details);
}

// ---- values

static int bad(struct cli *cli, enum err code, const char *option, const char *value)
{
	char detail[200];
	snprintf(detail, sizeof(detail), "--%s %.120s", option, value);
	return cli_fail_code(cli, code, detail);
}

// A date, or how long from now.
static int needed_by(struct cli *cli, struct want_args *args, const char *value)
{
	uint64_t from_now_ms;
	uint64_t today = clock_now_ms() / DAY_MS;
	if (day_parse(value, &args->want.needed_by_day) == ERR_OK)
		return args->want.needed_by_day < today ? bad(cli, ERR_PAST_DATE, "needed-by", value) : EXIT_DONE;
	if (duration_parse(value, &from_now_ms) != ERR_OK)
		return bad(cli, ERR_BAD_DATE, "needed-by", value);
	args->want.needed_by_day = (uint32_t)((clock_now_ms() + from_now_ms) / DAY_MS);
	return EXIT_DONE;
}

static int duration(struct cli *cli, const char *option, const char *value, uint64_t *out)
{
	return duration_parse(value, out) == ERR_OK ? EXIT_DONE : bad(cli, ERR_BAD_DATE, option, value);
}

static int number(struct cli *cli, const char *option, const char *value, uint64_t min, uint64_t max, uint32_t *out)
{
	uint64_t parsed;
	if (!cli_number_parse(cli, option, value, min, max, &parsed))
		return EXIT_USAGE;
	*out = (uint32_t)parsed;
	return EXIT_DONE;
}

static int budget(struct cli *cli, struct want_args *args, const char *value)
{
	struct oyez_want *want = &args->want;
	if (amount_range_parse(value, &want->budget_min_e4, &want->budget_max_e4) != ERR_OK)
		return cli_fail_code(cli, ERR_BAD_AMOUNT, "--budget MIN-MAX, such as 100-250 or -250");
	want->has_budget = true;
	return EXIT_DONE;
}

static int rating(struct cli *cli, struct want_args *args, const char *value)
{
	char *end;
	double stars = strtod(value, &end);
	if (end == value || *end || !isfinite(stars) || stars < 0 || stars > 5)
		return bad(cli, ERR_BAD_VALUE, "min-rating", value);
	args->want.min_rating = stars;
	return EXIT_DONE;
}

static int share(struct cli *cli, struct want_args *args, const char *value)
{
	static const char *const words[] = {"ask", "auto", "never"};
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(value, words[i]) == 0) {
			args->want.share = (enum oyez_share)i;
			return EXIT_DONE;
		}
	}
	return cli_usage(cli, cli->command,
	                 cli_word(cli, "--share-details is ask, auto or never, not \"%s\"",
	                          "--share-details est ask, auto ou never, pas « %s »"),
	                 value);
}

static int append(struct cli *cli, const char *option, const char *value, const char **list, size_t *count)
{
	if (*count >= 64)
		return bad(cli, ERR_BAD_VALUE, option, value);
	list[(*count)++] = value;
	return EXIT_DONE;
}

int want_flag(struct cli *cli, struct want_args *args, int option, const char *value)
{
	struct oyez_want *want = &args->want;
	switch (option) {
	case WANT_CATEGORY:
		want->category = value;
		return EXIT_DONE;
	case WANT_REGION:
		want->region = value;
		return EXIT_DONE;
	case WANT_BUDGET:
		return budget(cli, args, value);
	case WANT_CURRENCY:
		want->currency = value;
		return EXIT_DONE;
	case WANT_NEEDED_BY:
		return needed_by(cli, args, value);
	case WANT_QUANTITY:
		return number(cli, "--quantity", value, 1, 1000000, &want->quantity);
	case WANT_CONDITION:
		want->condition = value;
		return EXIT_DONE;
	case WANT_FULFILMENT:
		want->fulfilment = value;
		return EXIT_DONE;
	case WANT_LANGUAGE:
		want->language = value;
		return EXIT_DONE;
	case WANT_TERMS:
		want->terms = value;
		return EXIT_DONE;
	case WANT_REACH:
		want->reach = value;
		return EXIT_DONE;
	case WANT_CROWD:
		return number(cli, "--crowd", value, 1, CROWD_WISH_MAX, &want->crowd);
	case WANT_WAIVE_CROWD:
		want->waive_crowd = true;
		return EXIT_DONE;
	case WANT_COARSEST:
		return number(cli, "--coarsest", value, 0, 11, &want->coarsest_step);
	case WANT_PATIENCE:
		return duration(cli, "patience", value, &want->patience_ms);
	case WANT_EXPIRES:
		return duration(cli, "expires", value, &want->expires_in_ms);
	case WANT_DEALS_MAX:
		return number(cli, "--deals-max", value, 1, DEALS_MAX, &want->deals_max);
	case WANT_VENDOR_COUNTRY:
		return append(cli, "vendor-country", value, args->countries, &want->vendor_country_count);
	case WANT_MIN_RATING:
		return rating(cli, args, value);
	case WANT_ALLOW:
		return append(cli, "allow", value, args->allow, &want->allow_count);
	case WANT_BLOCK:
		return append(cli, "block", value, args->block, &want->block_count);
	case WANT_SHARE:
		return share(cli, args, value);
	case WANT_SHARE_MAX:
		return number(cli, "--share-max", value, 0, 1000, &want->share_max);
	case WANT_DETAILS:
		args->details_file = value;
		return EXIT_DONE;
	case WANT_PREVIEW:
		args->preview = true;
		return EXIT_DONE;
	case WANT_MASK_PII:
		want->pii = OYEZ_PII_MASK;
		return EXIT_DONE;
	case WANT_ALLOW_PII:
		want->pii = OYEZ_PII_ALLOW;
		return EXIT_DONE;
	case WANT_POST:
		args->post = true;
		return EXIT_DONE;
	default:
		return EXIT_USAGE;
	}
}

int want_details(struct cli *cli, struct want_args *args, const char *text)
{
	struct oyez_error error = {0};
	char *file = NULL;
	size_t bytes = 0;
	if (args->details_file && cli_read_file(args->details_file, DETAILS_BYTES_MAX, &file, &bytes, &error))
		return cli_fail(cli, &error);
	if (file && text_check(file, bytes, DETAILS_BYTES_MAX)) {
		enum err err = text_check(file, bytes, DETAILS_BYTES_MAX);
		free(file);
		return cli_fail_code(cli, err, args->details_file);
	}
	if (asprintf(&args->details, "%s%s%s", text ? text : "", text && file ? "\n" : "", file ? file : "") < 0)
		abort();
	free(file);
	args->want.text = args->details;
	return EXIT_DONE;
}

// ---- the command

void want_say(struct cli *cli, const json_t *result)
{
	const char *id = short_id(result, "intent");
	const json_t *crowd = json_object_get(result, "crowd");
	cli_say(cli, "Called, without your name. Your intent: %s (%s)", "Crié, sans votre nom. Votre intention : %s (%s)",
	        id, cli_value_word(cli, "status", text_of(result, "status")));
	cli_say(cli, "Crowd: about %s like it in the last day, %s wanted.",
	        "Foule : environ %s semblables depuis un jour, %s demandées.", text_of(crowd, "estimate"),
	        text_of(crowd, "want"));
	demo_say(cli, result);
	if (json_object_get(result, "privacy_note"))
		cli_note(cli,
		         "no tokens were left, so new ones were asked for just now: by its time this post can be linked to that. "
		         "Ask ahead: oyez account top-up",
		         "plus de jetons : d'autres viennent d'être demandés ; l'heure permet de relier cette annonce à cette "
		         "demande. Demandez-en d'avance : oyez account top-up");
	cli_say(cli, "Next: oyez offers %s --wait 60", "Ensuite : oyez offers %s --wait 60", id);
}

static int preview(struct cli *cli, const struct want_args *args)
{
	json_t *shown;
	struct oyez_error error = {0};
	if (oyez_preview(NULL, &args->want, &shown, &error))
		return cli_fail(cli, &error);
	cli_say(cli, "This and nothing else could vendors see:", "Voici tout ce que les vendeurs pourraient voir :");
	if (!cli->json)
		json_object_del(shown, "found"); // told in words
	cli_object(cli, shown);
	scrub_note(cli, args->details);
	return EXIT_DONE;
}

static int post(struct cli *cli, const struct want_args *args)
{
	int code;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_post(customer, &args->want, &result, &error);
	if (!err && !cli->json) {
		want_say(cli, result);
		json_decref(result);
		code = EXIT_DONE;
	} else {
		code = customer_finish(cli, err, &error, result);
	}
	oyez_customer_close(customer);
	return code;
}

int command_want(struct cli *cli, int argc, char **argv)
{
	struct want_args args;
	want_args_init(&args);
	int option, code = EXIT_DONE;
	optind = 0;
	while (code == EXIT_DONE && (option = cli_getopt(cli, argc, argv, want_options)) != -1)
		code = option == CLI_BAD_OPTION ? EXIT_USAGE : want_flag(cli, &args, option, optarg);
	if (code != EXIT_DONE)
		return code;
	bool has_text = argc - optind == 1;
	if (!has_text && !(argc == optind && args.details_file))
		return cli_words(cli, argc, 1) ? EXIT_USAGE : EXIT_USAGE;
	if (!args.want.category || !args.want.region)
		return cli_usage(cli, cli->command, cli_word(cli, "%s is missing", "il manque %s"),
		                 args.want.category ? "--region CODE" : "--category ID");
	code = want_details(cli, &args, has_text ? argv[optind] : NULL);
	if (code == EXIT_DONE)
		code = args.preview ? EXIT_DONE : scrub_before_sending(cli, args.details, &args.want.pii);
	if (code == EXIT_DONE)
		code = args.preview ? preview(cli, &args) : post(cli, &args);
	want_args_free(&args);
	return code;
}
