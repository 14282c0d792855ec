// `oyez import FILE [--post]`: an intent from another system's file; identity never enters the draft.
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"
#include "clients/lib/import.h"
#include "proto/values.h"

static const char *draft_text(const json_t *draft, const char *name)
{
	return json_string_value(json_object_get(draft, name));
}

static enum err draft_budget(const json_t *draft, struct oyez_want *want)
{
	const json_t *budget = json_object_get(draft, "budget");
	const char *min = draft_text(budget, "min"), *max = draft_text(budget, "max");
	if (!want->currency)
		want->currency =
		    draft_text(budget, "currency") ? draft_text(budget, "currency") : draft_text(draft, "currency");
	if (want->has_budget || (!min && !max))
		return ERR_OK;
	enum err err = min ? amount_parse(min, &want->budget_min_e4) : ERR_OK;
	if (!err && max)
		err = amount_parse(max, &want->budget_max_e4);
	want->has_budget = !err;
	return err;
}

// What the flags did not say comes from the draft; it must live as long as `want`.
static enum err draft_into_want(const json_t *draft, struct oyez_want *want, bool quantity_given)
{
	if (!want->category)
		want->category = draft_text(draft, "category");
	if (!want->region)
		want->region = draft_text(draft, "region");
	if (!want->condition)
		want->condition = draft_text(draft, "condition");
	if (!want->fulfilment)
		want->fulfilment = draft_text(draft, "fulfilment");
	if (!want->needed_by_day && draft_text(draft, "needed_by"))
		day_parse(draft_text(draft, "needed_by"), &want->needed_by_day);
	json_int_t quantity = json_integer_value(json_object_get(draft, "quantity"));
	if (!quantity_given && quantity > 0 && quantity <= UINT32_MAX)
		want->quantity = (uint32_t)quantity;
	return draft_budget(draft, want);
}

static int post_draft(struct cli *cli, struct want_args *args, json_t *result)
{
	json_t *draft = json_object_get(result, "intent_draft");
	enum err err = draft_into_want(draft, &args->want, args->want.quantity != 1);
	if (err)
		return cli_fail_code(cli, err, "budget");
	if (!args->want.category || !args->want.region)
		return cli_fail_code(cli, ERR_MISSING_FIELD,
		                     args->want.category ? "region: the file names none; add --region"
		                                         : "category: the file names none; add --category");
	int code = want_details(cli, args, draft_text(draft, "text"));
	if (code == EXIT_DONE)
		code = scrub_before_sending(cli, args->details, &args->want.pii);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	json_t *posted = NULL;
	struct oyez_error error = {0};
	err = oyez_post(customer, &args->want, &posted, &error);
	if (!err && !cli->json) {
		want_say(cli, posted);
	} else if (posted) {
		json_t *both = json_copy(result);
		json_object_update(both, posted);
		code = customer_finish(cli, err, &error, both);
	} else {
		code = cli_fail(cli, &error);
	}
	json_decref(posted);
	oyez_customer_close(customer);
	return code;
}

static void say_result(struct cli *cli, const json_t *result)
{
	const json_t *found = json_object_get(result, "identity_found");
	cli_say(cli, "The draft:", "Le brouillon :");
	cli_object(cli, json_incref(json_object_get(result, "intent_draft")));
	cli_say(cli, "Identity found and left out: %zu places.", "Identité trouvée et laissée de côté : %zu endroits.",
	        json_array_size(found));
	size_t i;
	json_t *place;
	json_array_foreach(found, i, place)
	    cli_say(cli, "  %s (%s)", "  %s (%s)", text_of(place, "path"), text_of(place, "kind"));
	cli_say(cli, "Not understood: %zu places.", "Non compris : %zu endroits.",
	        json_array_size(json_object_get(result, "not_understood")));
}

// The importer leaves out what looks like identity; what the rules still find in the text is named.
static void note_draft(struct cli *cli, json_t *result)
{
	const char *text = draft_text(json_object_get(result, "intent_draft"), "text");
	json_t *found = NULL;
	if (text && oyez_scrub(text, &found) == ERR_OK && json_array_size(found))
		json_object_set(result, "found", found);
	json_decref(found);
	scrub_note(cli, text);
}

int command_import(struct cli *cli, int argc, char **argv)
{
	struct want_args args;
	want_args_init(&args);
	int option, code = EXIT_DONE;
	optind = 0;
	while (code == EXIT_DONE && (option = cli_getopt(cli, argc, argv, want_options)) != -1)
		code = option == CLI_BAD_OPTION ? EXIT_USAGE : want_flag(cli, &args, option, optarg);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	json_t *result = NULL;
	struct oyez_error error = {0};
	if (import_file(argv[optind], &result, &error))
		return cli_fail(cli, &error);
	if (!cli->json)
		say_result(cli, result);
	if (!args.post)
		note_draft(cli, result);
	if (args.post)
		code = post_draft(cli, &args, result);
	else if (cli->json)
		cli_object(cli, json_incref(result));
	json_decref(result);
	want_args_free(&args);
	return code;
}
