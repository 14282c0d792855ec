// The `oyez` command: nothing but the entry; cli.c is its frame and commands.c its list of commands.
#include "clients/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
