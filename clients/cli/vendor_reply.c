// oyez vendor offer, details, ask, withdraw-offer: what a vendor says to one customer. Nothing is said to anybody else.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/vendor_answer.h"
#include "clients/lib/view.h"

// The flags become the object a bot would write, so that both are read by one piece of code.
static const struct option offer_options[] = {
    {"price", required_argument, NULL, 'o'},
    {"currency", required_argument, NULL, 'o'},
    {"total", required_argument, NULL, 'o'},
    {"availability", required_argument, NULL, 'o'},
    {"delivery-days", required_argument, NULL, 'n'},
    {"origin", required_argument, NULL, 'o'},
    {"co2-g", required_argument, NULL, 'n'},
    {"warranty-months", required_argument, NULL, 'n'},
    {"returns-days", required_argument, NULL, 'n'},
    {"valid", required_argument, NULL, 'o'},
    {"needs", required_argument, NULL, 'o'},
    {"note", required_argument, NULL, 'o'},
    {"terms", required_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

// "delivery-days" to "delivery_days". `out` has room for 32.
static void field_name(const char *option, char out[32])
{
	snprintf(out, 32, "%s", option);
	for (char *at = out; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

static int offer_flag(struct cli *cli, json_t *object, const char *name, const char *value, bool number)
{
	char field[32], option[40];
	uint64_t whole;

	field_name(name, field);
	snprintf(option, sizeof(option), "--%s", name);
	if (!number) {
		json_object_set_new(object, field, json_text(value));
		return EXIT_DONE;
	}
	if (!cli_number_parse(cli, option, value, 0, 1000000000, &whole))
		return EXIT_USAGE;
	json_object_set_new(object, field, json_integer((json_int_t)whole));
	return EXIT_DONE;
}

static int offer_flags(struct cli *cli, int argc, char **argv, json_t *object)
{
	struct option options[sizeof(offer_options) / sizeof(*offer_options)];
	int option, code;

	// Distinct values, so that the option read is known.
	memcpy(options, offer_options, sizeof(options));
	for (int i = 0; options[i].name; i++)
		options[i].val = 0x100 + i;
	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		const struct option *which = &offer_options[option - 0x100];

		code = offer_flag(cli, object, which->name, optarg, which->val == 'n');
		if (code != EXIT_DONE)
			return code;
	}
	return EXIT_DONE;
}

static int send_offer(struct cli *cli, const char *release_text, const struct oyez_offer *offer)
{
	struct oyez_error error = {0};
	struct release_id release;
	struct id id;
	int code = EXIT_DONE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);

	if (!vendor)
		return code;
	if (oyez_vendor_resolve(vendor, OYEZ_THING_RELEASE, release_text, release.bytes, &error) ||
	    oyez_vendor_offer(vendor, &release, offer, &id, &error))
		code = cli_fail(cli, &error);
	else
		cli_object(cli, json_pack("{s:o, s:o}", "offer", json_hex(id.bytes, ID_BYTES), "release",
		                          json_hex(release.bytes, RELEASE_ID_BYTES)));
	oyez_vendor_close(vendor);
	return code;
}

int vendor_offer_run(struct cli *cli, int argc, char **argv)
{
	json_t *object = json_object();
	struct oyez_offer offer;
	struct oyez_error error = {0};
	int code = offer_flags(cli, argc, argv, object);

	if (code == EXIT_DONE && !vendor_words(cli, argc, 1))
		code = EXIT_USAGE;
	else if (code == EXIT_DONE && !json_object_get(object, "price"))
		code = cli_usage(cli, cli->command, "%s", cli_word(cli, "--price is needed", "--price est nécessaire"));
	else if (code == EXIT_DONE)
		code = offer_from_json(object, &offer, &error) ? cli_fail(cli, &error) : send_offer(cli, argv[optind], &offer);
	json_decref(object);
	return code;
}

// ---- questions

static int ask(struct cli *cli, const char *release_text, const char *text)
{
	struct oyez_error error = {0};
	struct release_id release;
	struct id id;
	int code = EXIT_DONE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);

	if (!vendor)
		return code;
	if (oyez_vendor_resolve(vendor, OYEZ_THING_RELEASE, release_text, release.bytes, &error) ||
	    oyez_vendor_ask(vendor, &release, text, &id, &error))
		code = cli_fail(cli, &error);
	else
		cli_object(cli, json_pack("{s:o, s:o}", "question", json_hex(id.bytes, ID_BYTES), "release",
		                          json_hex(release.bytes, RELEASE_ID_BYTES)));
	oyez_vendor_close(vendor);
	return code;
}

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

int vendor_details_run(struct cli *cli, int argc, char **argv)
{
	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	return ask(cli, argv[optind], NULL);
}

int vendor_ask_run(struct cli *cli, int argc, char **argv)
{
	optind = 0;
	if (cli_getopt(cli, argc, argv, no_options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 2))
		return EXIT_USAGE;
	return ask(cli, argv[optind], argv[optind + 1]);
}

int vendor_withdraw_offer_run(struct cli *cli, int argc, char **argv)
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
	if (oyez_vendor_resolve(vendor, OYEZ_THING_OFFER, argv[optind], &id, &error) ||
	    oyez_vendor_withdraw_offer(vendor, &id, &error))
		code = cli_fail(cli, &error);
	else
		cli_object(cli, json_pack("{s:o, s:s}", "offer", json_hex(id.bytes, ID_BYTES), "status", "withdrawn"));
	oyez_vendor_close(vendor);
	return code;
}
