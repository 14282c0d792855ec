// What the customer's commands share: opening the wallet, ending an action, waiting.
#ifndef OYEZ_CLI_CUSTOMER_CLI_H
#define OYEZ_CLI_CUSTOMER_CLI_H

#include "clients/cli/cli.h"
#include "clients/lib/oyez.h"

// The wallet of --home with --broker, the passphrase asked for only when needed. NULL after the error was printed, the
// exit code in *code. Says the privacy remark.
struct oyez_customer *customer_open(struct cli *cli, int *code);
// Catches up with the brokers before showing what the wallet knows; being offline is only remarked.
void customer_catch_up(struct cli *cli, struct oyez_customer *customer, const char *intent);

// Ends an action: prints `result` (taken over), with the error inside when it is still pending; or the error alone.
int customer_finish(struct cli *cli, enum err err, const struct oyez_error *error, json_t *result);

// The flags of `want`, also understood by `import --post`. Zero it through want_args_init; strings point into argv.
struct want_args {
	struct oyez_want want;
	const char *details_file;
	char *details; // malloc'd: what the file holds
	const char *countries[64], *allow[64], *block[64];
	bool preview, post;
};
void want_args_init(struct want_args *args);
void want_args_free(struct want_args *args);
// One option of WANT_OPTIONS. EXIT_DONE or the exit code after the error was printed.
int want_flag(struct cli *cli, struct want_args *args, int option, const char *value);
extern const struct option want_options[];
// --details FILE and TEXT made one text. EXIT_DONE or an exit code.
int want_details(struct cli *cli, struct want_args *args, const char *text);
// scrub.c: names what in the text tells who the person is, says that names of people cannot be found, and decides by
// *pii, or by asking when it is OYEZ_PII_REFUSE. EXIT_DONE: go on with *pii; else an exit code after `pii_found` was
// printed. Call it before anything is sent.
int scrub_before_sending(struct cli *cli, const char *text, enum oyez_pii *pii);
// The same naming without a decision, for previews.
void scrub_note(struct cli *cli, const char *text);

// A word of the roster (a purpose, a recipient) as people read it.
const char *cli_term_word(const struct cli *cli, const char *word);
// Other terms than asked for: what differs. `counter` as in an offer's "counter_terms".
void counter_say(struct cli *cli, const json_t *counter);
// Says what should be known of these offers before the table; gives them back.
json_t *offers_noted(struct cli *cli, json_t *offers);

// customer_after.c: a notice in words, with what it touches.
void notice_say(struct cli *cli, const json_t *notice);
// customer_data.c: to a file of mode 0600. An exit code, the error printed.
int write_document(struct cli *cli, const json_t *document, const char *path);

// Says so if the object is from a demonstration ("demo":true).
void demo_say(struct cli *cli, const json_t *object);

// An intent posted, in words.
void want_say(struct cli *cli, const json_t *result);

// A short form of an id for people: what may be typed for it.
const char *short_id(const json_t *object, const char *name);
// The text of a string, or of money, "" when absent; valid until the next four calls.
const char *text_of(const json_t *object, const char *name);
// Milliseconds of a clock that nobody sets, for waiting.
uint64_t steady_ms(void);

// One event of oyez_customer_on_event: a JSON line, or a line for people. `context` is the struct cli.
void customer_print_event(void *context, const json_t *event);

#endif
