// The list of commands. "oyez help" is printed from it, in this order.
#include "clients/cli/commands.h"

const struct cli_command cli_commands[] = {
	{NULL, NULL, NULL, NULL, NULL},
};
