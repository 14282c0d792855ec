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
	bool broker_given;    // by flag or environment
	bool broker_flag;     // by flag
	bool guardian_flag;
	bool json, french, color;
	int failed; // the exit code for something told while the command went on; 0: nothing
	const char *passphrase; // OYEZ_PASSPHRASE, taken out of the environment at the start; NULL if it was not set
	const struct cli_command *command; // the one that runs, for cli_usage
};

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_WAITED = 4 };

// One line a command in commands.c: words after "oyez", handler, usage in English and French.
struct cli_command {
	const char *words;                                  // "vendor subscribe"
	int (*run)(struct cli *cli, int argc, char **argv); // argv[0] is the last word; returns an exit code
	const char *usage, *summary, *summary_fr;
};
extern const struct cli_command cli_commands[]; // ends with words == NULL

int cli_main(int argc, char **argv);

// Common options are accepted anywhere on the line: cli_main takes them out before `run` sees argv.
// For people (aligned text) or one JSON object a line with --json; `object` is taken over.
void cli_object(struct cli *cli, json_t *object);
// Prints the error in the form asked for and returns the exit code that belongs to it.
int cli_fail(struct cli *cli, const struct oyez_error *error);
int cli_fail_code(struct cli *cli, enum err code, const char *detail);
int cli_exit_code(enum err code);
// {"code","message","hint","detail"?} in the person's language.
json_t *cli_error_json(const struct cli *cli, const struct oyez_error *error);
// A usage error (`command` is mostly cli->command): says what is wrong with which word, shows the command's usage line.
int cli_usage(struct cli *cli, const struct cli_command *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A line for people only (nothing with --json). English and French given side by side.
void cli_say(struct cli *cli, const char *english, const char *french, ...) __attribute__((format(printf, 2, 4)));
// The same on stderr: remarks that are not the answer.
void cli_note(struct cli *cli, const char *english, const char *french, ...) __attribute__((format(printf, 2, 4)));
// Says who sees what: in direct mode that one broker sees the network address as well, else what each of the two sees.
void cli_note_privacy(struct cli *cli);
// One of two texts by the person's language.
const char *cli_word(const struct cli *cli, const char *english, const char *french);

// The language of the locale ("fr"), NULL for C and POSIX.
const char *cli_locale_language(void);

// getopt_long with errors told through cli_usage: -1 at the end, CLI_BAD_OPTION after a usage error was printed.
// Start with optind = 0.
enum { CLI_BAD_OPTION = -2 };
int cli_getopt(struct cli *cli, int argc, char **argv, const struct option *options);
// `--wait S`: seconds, decimals allowed, or a duration such as 200ms. False after a usage error was printed.
bool cli_wait_parse(struct cli *cli, const char *text, uint64_t *wait_ms);
// A whole number between min and max. False after a usage error was printed.
bool cli_number_parse(struct cli *cli, const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out);

// Exactly `count` words that are no options stand behind the options (getopt moved them to the end); else a usage
// error.
bool cli_words(struct cli *cli, int argc, int count);

// Reads a whole file of at most bytes_max ("-" is stdin); *text is malloc'd and ends with a zero byte beyond `bytes`.
// ERR_IO, ERR_TOO_LARGE.
enum err cli_read_file(const char *path, size_t bytes_max, char **text, size_t *bytes, struct oyez_error *error);

// A connection to --broker. `pinned` may be NULL. Prints the error and gives NULL with the exit code in *exit_code.
struct transport *cli_connect(struct cli *cli, const uint8_t *pinned, int *exit_code);
// The passphrase: OYEZ_PASSPHRASE, else asked for on the terminal without echo (twice when `new_one`), else "".
// The result is the caller's: wipe with sodium_memzero and free.
char *cli_passphrase(struct cli *cli, bool new_one);

// Text from elsewhere made safe for a terminal: control characters (escape sequences) become "?". malloc'd.
char *cli_clean(const char *text);

// words.c: a field's name, and a value out of a closed list, as people read them; what is not in the lists comes back as
// it is.
const char *cli_label(const struct cli *cli, const char *field);
const char *cli_value_word(const struct cli *cli, const char *field, const char *value);
// A phrase of `oyez explain`.
const char *cli_phrase(const struct cli *cli, const char *phrase);

// An aligned table for people: column titles, then rows; widths by what is in them (UTF-8 aware).
struct cli_table;
struct cli_table *cli_table_new(struct cli *cli, size_t columns, const char *const *titles);
void cli_table_row(struct cli_table *table, const char *const *cells); // copies
void cli_table_print(struct cli_table *table);                         // and frees
#endif
