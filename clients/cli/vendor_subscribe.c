// oyez vendor subscribe, subscriptions, unsubscribe.
#include <stdio.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"
#include "proto/sign.h"

static int subscribe(struct cli *cli, const Oyez__Filter *filter)
{
	struct oyez_error error = {0};
	struct id id;
	int code = EXIT_DONE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);

	if (!vendor)
		return code;
	if (oyez_vendor_subscribe(vendor, filter, false, &id, &error)) {
		code = cli_fail(cli, &error);
	} else {
		char hex[2 * ID_BYTES + 1];

		hex_encode(id.bytes, ID_BYTES, hex);
		cli_object(cli, json_pack("{s:s}", "subscription", hex));
		cli_say(cli, "Next: oyez vendor watch %.12s", "Ensuite : oyez vendor watch %.12s", hex);
	}
	oyez_vendor_close(vendor);
	return code;
}

int vendor_subscribe_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {FILTER_OPTIONS, {NULL, 0, NULL, 0}};
	struct filter_flags flags = {0};
	Oyez__Filter filter;
	int option, code;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		code = filter_flag(cli, &flags, option, optarg);
		if (code != EXIT_DONE)
			return code;
	}
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	code = filter_of_flags(cli, &flags, &filter);
	return code == EXIT_DONE ? subscribe(cli, &filter) : code;
}

static void say_subscription(const Oyez__Subscription *subscription, void *context)
{
	struct cli *cli = context;
	json_t *object = json_object(), *filter = filter_json(subscription->filter);

	json_object_set_new(object, "subscription", json_binary(&subscription->id));
	json_object_set_new(object, "since", json_time(subscription->made_at_ms));
	json_object_update(object, filter);
	json_decref(filter);
	cli_object(cli, object);
	if (!cli->json)
		putchar('\n');
}

int vendor_subscriptions_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct oyez_error error = {0};
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	if (oyez_vendor_subscriptions(vendor, say_subscription, cli, &error))
		code = cli_fail(cli, &error);
	oyez_vendor_close(vendor);
	return code;
}

int vendor_unsubscribe_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct oyez_error error = {0};
	struct id id;
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	if (oyez_vendor_resolve(vendor, OYEZ_THING_SUBSCRIPTION, argv[optind], &id, &error) ||
	    oyez_vendor_unsubscribe(vendor, &id, &error))
		code = cli_fail(cli, &error);
	else
		cli_object(cli, json_pack("{s:o, s:s}", "subscription", json_hex(id.bytes, ID_BYTES), "status", "removed"));
	oyez_vendor_close(vendor);
	return code;
}
