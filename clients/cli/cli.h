// The frame of the `oyez` command: common options, a table of commands, output for people and for programs.
#ifndef OYEZ_CLI_H
#define OYEZ_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "clients/lib/transport.h"

struct cli {
	const char *broker;   // --broker, OYEZ_BROKER; default tcp://127.0.0.1:7710
	const char *guardian; // NULL: direct mode
	const char *home;     // --home, OYEZ_HOME; default $XDG_DATA_HOME/oyez
	bool json, french, color;
};

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_WAITED = 4 };

// One line a command in commands.c: words after "oyez", handler, usage in English and French.
struct cli_command {
	const char *words; // "vendor subscribe"
	int (*run)(struct cli *cli, int argc, char **argv); // argv[0] is the last word; returns an exit code
	const char *usage, *summary, *summary_fr;
};
extern const struct cli_command cli_commands[]; // ends with words == NULL

// Common options are accepted anywhere on the line: cli_main takes them out before `run` sees argv.
// For people (aligned text) or one JSON object a line with --json; `object` is taken over.
void cli_object(struct cli *cli, json_t *object);
// Prints the error in the form asked for and returns the exit code that belongs to it.
int cli_fail(struct cli *cli, const struct oyez_error *error);
int cli_fail_code(struct cli *cli, enum err code, const char *detail);
// A usage error: says what is wrong with which word, shows the command's usage line.
int cli_usage(struct cli *cli, const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// A line for people only (nothing with --json). English and French given side by side.
void cli_say(struct cli *cli, const char *english, const char *french, ...) __attribute__((format(printf, 2, 4)));

// An aligned table for people: column titles, then rows; widths by what is in them (UTF-8 aware).
struct cli_table;
struct cli_table *cli_table_new(struct cli *cli, size_t columns, const char *const *titles);
void cli_table_row(struct cli_table *table, const char *const *cells); // copies
void cli_table_print(struct cli_table *table);                         // and frees
#endif
