// The running broker: puts the parts together, serves until told to stop, drains.
#ifndef OYEZ_BROKER_DAEMON_H
#define OYEZ_BROKER_DAEMON_H

#include "config.h"

// Serves with this configuration until SIGTERM or SIGINT; argc and argv are read again at SIGHUP. Takes `config` over.
// Returns the process's exit code; whatever keeps it from starting is in one log line with a hint.
int daemon_run(struct config *config, int argc, char **argv, const char *version);

// Prints the identity key in hex, making one in the data folder if there is none, so that two brokers can be told of each
// other before either runs. Serves nothing. Returns the exit code.
int daemon_print_key(const struct config *config);

#endif
