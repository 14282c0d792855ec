// What the vendor's commands share; the header says what.
#include "clients/cli/vendor_cli.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err open_with(struct cli *cli, const char *passphrase, struct oyez_vendor **out, struct oyez_error *error)
{
	const struct oyez_vendor_options options = {.home = cli->home, .broker = cli->broker, .passphrase = passphrase};

	return oyez_vendor_open(&options, out, error);
}

struct oyez_vendor *vendor_open(struct cli *cli, int *code)
{
	struct oyez_vendor *vendor;
	struct oyez_error error = {0};
	enum err err = open_with(cli, cli->passphrase, &vendor, &error);

	// Asked for only when the file has one.
	if (err == ERR_WALLET_LOCKED && !cli->passphrase) {
		char *passphrase = cli_passphrase(cli, false);

		err = open_with(cli, passphrase, &vendor, &error);
		sodium_memzero(passphrase, strlen(passphrase));
		free(passphrase);
	}
	if (err == ERR_OK)
		return vendor;
	*code =
	    err == ERR_USAGE ? cli_usage(cli, NULL, "--broker %s: %s", cli->broker, error.detail) : cli_fail(cli, &error);
	return NULL;
}

bool vendor_words(struct cli *cli, int argc, int count)
{
	if (argc - optind == count)
		return true;
	cli_usage(cli, cli->command,
	          cli_word(cli, "%d word(s) expected here, %d given", "%d mot(s) attendu(s) ici, %d donné(s)"), count,
	          argc - optind);
	return false;
}
