// oyez vendor well-known: the page a vendor puts at its own address, so that brokers can see that the address is its
// own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"

int vendor_well_known_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	json_t *page = oyez_vendor_well_known(vendor);
	const char *url = oyez_vendor_profile(vendor).url;
	size_t bytes = strlen(url);

	while (bytes > 0 && url[bytes - 1] == '/')
		bytes--;
	// The page alone on standard output: it is piped into a file.
	char *text = json_dumps(page, cli->json ? JSON_COMPACT : JSON_INDENT(2));
	if (text)
		puts(text);
	free(text);
	json_decref(page);
	cli_note(cli, "Publish this as it is at %.*s/.well-known/oyez, then run: oyez vendor register",
	         "Publiez ceci tel quel à %.*s/.well-known/oyez, puis lancez : oyez vendor register", (int)bytes, url);
	oyez_vendor_close(vendor);
	return code;
}
