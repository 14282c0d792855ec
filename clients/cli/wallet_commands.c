// `oyez wallet init | backup FILE | restore FILE`.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"

static void wipe(char *passphrase)
{
	sodium_memzero(passphrase, strlen(passphrase));
	free(passphrase);
}

static int no_options(struct cli *cli, int argc, char **argv, int words)
{
	static const struct option none[] = {{NULL, 0, NULL, 0}};
	optind = 0;
	if (cli_getopt(cli, argc, argv, none) != -1)
		return EXIT_USAGE;
	return cli_words(cli, argc, words) ? EXIT_DONE : EXIT_USAGE;
}

int command_wallet_init(struct cli *cli, int argc, char **argv)
{
	if (no_options(cli, argc, argv, 0))
		return EXIT_USAGE;
	struct oyez_error error = {0};
	char *passphrase = cli_passphrase(cli, true);
	bool protected = *passphrase != 0;
	enum err err = oyez_wallet_create(cli->home, passphrase, &error);
	wipe(passphrase);
	if (err)
		return cli_fail(cli, &error);
	if (cli->json) {
		cli_object(cli, json_pack("{s:s, s:b}", "wallet", cli->home, "passphrase", protected));
		return EXIT_DONE;
	}
	cli_say(cli, "A new wallet in %s.", "Un nouveau portefeuille dans %s.", cli->home);
	if (!protected)
		cli_say(cli, "It has no passphrase: who can read your files can read it.",
		        "Il n'a pas de phrase de passe : qui lit vos fichiers peut le lire.");
	cli_say(cli, "Next: oyez want \"a quiet coffee machine\" --category home.kitchen.coffee-machine --region FR-56",
	        "Ensuite : oyez want \"une cafetière silencieuse\" --category home.kitchen.coffee-machine --region FR-56");
	return EXIT_DONE;
}

int command_wallet_backup(struct cli *cli, int argc, char **argv)
{
	if (no_options(cli, argc, argv, 1))
		return EXIT_USAGE;
	struct oyez_error error = {0};
	char *passphrase = oyez_wallet_is_locked(cli->home) ? cli_passphrase(cli, false) : strdup("");
	enum err err = oyez_wallet_backup(cli->home, passphrase, argv[optind], &error);
	wipe(passphrase);
	if (err)
		return cli_fail(cli, &error);
	if (cli->json)
		cli_object(cli, json_pack("{s:s}", "backup", argv[optind]));
	cli_say(cli, "Backed up to %s, under the same passphrase.", "Sauvegardé dans %s, sous la même phrase de passe.",
	        argv[optind]);
	return EXIT_DONE;
}

int command_wallet_restore(struct cli *cli, int argc, char **argv)
{
	if (no_options(cli, argc, argv, 1))
		return EXIT_USAGE;
	struct oyez_error error = {0};
	char *passphrase = cli_passphrase(cli, false);
	enum err err = oyez_wallet_restore(cli->home, passphrase, argv[optind], &error);
	wipe(passphrase);
	if (err)
		return cli_fail(cli, &error);
	if (cli->json)
		cli_object(cli, json_pack("{s:s}", "wallet", cli->home));
	cli_say(cli, "The wallet is restored in %s.", "Le portefeuille est restauré dans %s.", cli->home);
	return EXIT_DONE;
}
