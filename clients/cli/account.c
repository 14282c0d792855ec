// `oyez account open [--invite CODE] | show | top-up`: this wallet at its guardian; without one, at a broker that asks
// for tokens.
#include <stdlib.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"

enum { ACCOUNT_INVITE = 0x600 };

static int account_end(struct cli *cli, struct oyez_customer *customer, enum err err, const struct oyez_error *error,
                       json_t *result)
{
	bool direct = !cli->guardian;
	int code = customer_finish(cli, err, error, result);
	if (!err && direct)
		cli_note(cli,
		         "Without a guardian this broker gives the tokens and takes the posts: they do not hide you from it.",
		         "Sans gardien, ce courtier donne les jetons et reçoit les annonces : ils ne vous cachent pas de lui.");
	oyez_customer_close(customer);
	return code;
}

int command_account_open(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"invite", required_argument, NULL, ACCOUNT_INVITE}, {NULL, 0, NULL, 0}};
	const char *invite = NULL;
	optind = 0;
	int option, code = EXIT_DONE;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option != ACCOUNT_INVITE)
			return EXIT_USAGE;
		invite = optarg;
	}
	if (!cli_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_account_open(customer, invite, &result, &error);
	return account_end(cli, customer, err, &error, result);
}

static int plain_command(struct cli *cli, int argc, char **argv,
                         enum err (*run)(struct oyez_customer *, json_t **, struct oyez_error *))
{
	static const struct option none[] = {{NULL, 0, NULL, 0}};
	int code = EXIT_DONE;
	optind = 0;
	if (cli_getopt(cli, argc, argv, none) != -1 || !cli_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = run(customer, &result, &error);
	return account_end(cli, customer, err, &error, result);
}

int command_account_show(struct cli *cli, int argc, char **argv)
{
	return plain_command(cli, argc, argv, oyez_account_show);
}

int command_account_top_up(struct cli *cli, int argc, char **argv)
{
	return plain_command(cli, argc, argv, oyez_account_top_up);
}
