// Between admin*.c: the operator's socket, and one question over it.
#ifndef OYEZ_CLI_ADMIN_H
#define OYEZ_CLI_ADMIN_H

#include "clients/cli/commands.h"

struct admin {
	struct cli *cli;
	const char *data, *reason, *count, *valid; // options; NULL if not given
	const char *vendor, *from, *to, *fields, *deals;
	struct transport *transport;
	char url[512];
};

// Reads the options and opens the socket. EXIT_DONE, or the exit code after the error was printed.
int admin_open(struct cli *cli, int argc, char **argv, int words, struct admin *admin);
// EXIT_DONE and a reply of the kind expected, or the exit code after the error was printed.
int admin_ask(struct admin *admin, const Oyez__AdminRequest *request, int expected, Oyez__AdminReply **reply);

// The vendor whose id begins with these digits. EXIT_DONE, or the exit code after the error was printed.
int admin_vendor_find(struct admin *admin, const char *text, struct id *id);

#endif
