// oyez vendor countersign, deals, message, erased, refuse-erasure: what a vendor does about a deal.
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

static json_t *erasure_json(const struct oyez_deal *deal)
{
	if (!deal->erasure)
		return json_null();
	json_t *object = json_pack("{s:s, s:o}", "status", deal->erasure, "answer_by", json_time(deal->erasure_by_ms));

	if (deal->erasure_at_ms)
		json_object_set_new(object, "answered_at", json_time(deal->erasure_at_ms));
	return object;
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
	json_t *alias = json_object_get(deal->card, "alias");
	json_object_set(object, "card", deal->card ? deal->card : json_null());
	json_object_set(object, "alias", json_is_string(alias) ? alias : json_null());
	json_object_set_new(object, "erasure", erasure_json(deal));
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

// ---- after a deal

// What to do about the deal named by the first word.
typedef enum err deal_action(struct oyez_vendor *vendor, const struct id *deal, const char *text,
                             struct oyez_error *error);

static int act(struct cli *cli, const char *deal_text, deal_action *action, const char *text, const char *status)
{
	struct oyez_error error = {0};
	struct id id;
	int code = EXIT_DONE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);

	if (!vendor)
		return code;
	if (oyez_vendor_resolve(vendor, OYEZ_THING_DEAL, deal_text, &id, &error) || action(vendor, &id, text, &error))
		code = cli_fail(cli, &error);
	else
		cli_object(cli, json_pack("{s:o, s:s}", "deal", json_hex(id.bytes, ID_BYTES), "status", status));
	oyez_vendor_close(vendor);
	return code;
}

int vendor_message_run(struct cli *cli, int argc, char **argv)
{
	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 2))
		return EXIT_USAGE;
	return act(cli, argv[optind], oyez_vendor_message, argv[optind + 1], "sent");
}

int vendor_erased_run(struct cli *cli, int argc, char **argv)
{
	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	int code = act(cli, argv[optind], oyez_vendor_answer_erasure, NULL, "erased");
	if (code == EXIT_DONE)
		cli_say(cli, "Deleted from this home, and the customer has your receipt. What you copied elsewhere is yours to delete.",
		        "Effacé de ce dossier, et le client a votre reçu. Ce que vous avez copié ailleurs, effacez-le aussi.");
	return code;
}

int vendor_refuse_erasure_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"ground", required_argument, NULL, 'g'}, {NULL, 0, NULL, 0}};
	const char *ground = NULL;
	int option;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		ground = optarg;
	}
	if (!vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	if (!ground || !*ground)
		return cli_usage(cli, cli->command, "%s",
		                 cli_word(cli, "--ground is needed: which law forbids deleting it",
		                          "--ground est nécessaire : quelle loi défend de l'effacer"));
	return act(cli, argv[optind], oyez_vendor_answer_erasure, ground, "refused");
}
