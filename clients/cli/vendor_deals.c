// oyez vendor countersign, deals; and the names of commands that a later version brings.
#include <stdio.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

int vendor_countersign_run(struct cli *cli, int argc, char **argv)
{
	struct oyez_error error = {0};
	struct id id;
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	if (oyez_vendor_resolve(vendor, OYEZ_THING_DEAL, argv[optind], &id, &error) ||
	    oyez_vendor_countersign(vendor, &id, &error)) {
		code = cli_fail(cli, &error);
	} else {
		cli_object(cli, json_pack("{s:o, s:s}", "deal", json_hex(id.bytes, ID_BYTES), "status", "countersigned"));
		cli_say(cli, "The customer's card comes next: oyez vendor inbox --wait 60",
		        "La fiche du client suit : oyez vendor inbox --wait 60");
	}
	oyez_vendor_close(vendor);
	return code;
}

static void say_deal(const struct oyez_deal *deal, void *context)
{
	struct cli *cli = context;
	json_t *object = json_object();

	json_object_set_new(object, "deal", json_hex(deal->id.bytes, ID_BYTES));
	json_object_set_new(object, "status", json_string(deal->state));
	json_object_set_new(object, "release", json_hex(deal->release.bytes, RELEASE_ID_BYTES));
	json_object_set_new(object, "offer", json_hex(deal->offer.bytes, ID_BYTES));
	if (deal->price_e4 > 0)
		json_object_set_new(object, "price", json_money(deal->price_e4, deal->currency));
	json_object_set_new(object, "at", json_time(deal->at_ms));
	json_object_set_new(object, "countersign_by", json_time(deal->countersign_by_ms));
	json_object_set_new(object, "reveal_by", json_time(deal->reveal_by_ms));
	json_object_set_new(object, "terms", json_text(deal->terms));
	json_object_set(object, "card", deal->card ? deal->card : json_null());
	if (deal->card && deal->retention_days)
		json_object_set_new(object, "keep_until", json_time(deal->at_ms + deal->retention_days * DAY_MS));
	cli_object(cli, object);
	if (!cli->json)
		putchar('\n');
}

int vendor_deals_run(struct cli *cli, int argc, char **argv)
{
	struct oyez_error error = {0};
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	if (oyez_vendor_deals(vendor, say_deal, cli, &error))
		code = cli_fail(cli, &error);
	oyez_vendor_close(vendor);
	return code;
}

int vendor_later_run(struct cli *cli, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return cli_usage(cli, NULL, cli_word(cli, "\"%s\" is not in this version", "« %s » n'est pas dans cette version"),
	                 cli->command->words);
}
