// The frame of the `oyez` command: common options, finding the command, help. Output stands in output.c.
#include "clients/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"

#define BROKER_DEFAULT "tcp://127.0.0.1:7710"

static const char *locale_value(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return value;
	}
	return "C";
}

const char *cli_locale_language(void)
{
	static char language[3];
	const char *value = locale_value();
	bool two_letters = islower((unsigned char)value[0]) && islower((unsigned char)value[1]) &&
	                   (value[2] == '_' || value[2] == '.' || value[2] == 0);
	if (!two_letters)
		return NULL;
	memcpy(language, value, 2);
	return language;
}

static const char *home_default(void)
{
	static char path[4096];
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data && *data == '/')
		snprintf(path, sizeof(path), "%s/oyez", data);
	else
		snprintf(path, sizeof(path), "%s/.local/share/oyez", home && *home ? home : ".");
	return path;
}

static const char *env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value && *value ? value : otherwise;
}

static void cli_init(struct cli *cli)
{
	memset(cli, 0, sizeof(*cli));
	cli->broker_given = env_or("OYEZ_BROKER", NULL) != NULL;
	cli->broker = env_or("OYEZ_BROKER", BROKER_DEFAULT);
	cli->guardian = env_or("OYEZ_GUARDIAN", NULL);
	cli->home = env_or("OYEZ_HOME", home_default());
	const char *json = env_or("OYEZ_JSON", "");
	cli->json = *json && strcmp(json, "0") != 0;
	cli->french = strncmp(locale_value(), "fr", 2) == 0;
	cli->color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	const char *passphrase = getenv("OYEZ_PASSPHRASE");
	if (passphrase)
		cli->passphrase = strdup(passphrase);
	// No program started from here on may find it in its environment, nor anybody in /proc.
	if (passphrase)
		sodium_memzero((char *)passphrase, strlen(passphrase));
	unsetenv("OYEZ_PASSPHRASE");
}

// Takes one common option out of the line at `at`. How many words it took, 0 if it is none, -1 if its value is missing.
static int common_option(struct cli *cli, int argc, char **argv, int at)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = {{"--broker", &cli->broker}, {"--guardian", &cli->guardian}, {"--home", &cli->home}};

	if (strcmp(argv[at], "--json") == 0) {
		cli->json = true;
		return 1;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		size_t length = strlen(options[i].name);
		if (strncmp(argv[at], options[i].name, length) != 0)
			continue;
		bool joined = argv[at][length] == '=';
		if (argv[at][length] && !joined)
			continue;
		if (!joined && at + 1 >= argc)
			return -1;
		*options[i].value = joined ? argv[at] + length + 1 : argv[at + 1];
		if (options[i].value == &cli->broker)
			cli->broker_given = cli->broker_flag = true;
		if (options[i].value == &cli->guardian)
			cli->guardian_flag = true;
		return joined ? 1 : 2;
	}
	return 0;
}

// Removes the common options from argv, up to "--". False if a value is missing.
static bool common_options(struct cli *cli, int *argc, char **argv)
{
	int kept = 1, at = 1;
	while (at < *argc && strcmp(argv[at], "--") != 0) {
		int taken = common_option(cli, *argc, argv, at);
		if (taken < 0) {
			cli_usage(cli, NULL, cli_word(cli, "%s needs a value", "%s demande une valeur"), argv[at]);
			return false;
		}
		if (taken == 0)
			argv[kept++] = argv[at++];
		else
			at += taken;
	}
	while (at < *argc)
		argv[kept++] = argv[at++];
	argv[kept] = NULL;
	*argc = kept;
	return true;
}

// How many of the words in argv are the command's; 0 if it is another command.
static int words_match(const char *words, int argc, char **argv)
{
	int count = 0;
	while (*words) {
		size_t length = strcspn(words, " ");
		if (count >= argc || strlen(argv[count]) != length || strncmp(argv[count], words, length) != 0)
			return 0;
		count++;
		words += length;
		words += *words == ' ';
	}
	return count;
}

static const struct cli_command *command_find(int argc, char **argv, int *words)
{
	const struct cli_command *best = NULL;
	*words = 0;
	for (const struct cli_command *command = cli_commands; command->words; command++) {
		int count = words_match(command->words, argc, argv);
		if (count > *words) {
			best = command;
			*words = count;
		}
	}
	return best;
}

static void help_one(struct cli *cli, const struct cli_command *command)
{
	printf("oyez %s%s%s\n    %s\n", command->words, command->usage && *command->usage ? " " : "",
	       command->usage ? command->usage : "", cli_word(cli, command->summary, command->summary_fr));
}

static int help_all(struct cli *cli)
{
	puts(cli_word(cli, "oyez: call what you want; the sellers answer.\n",
	              "oyez : criez ce que vous voulez ; les vendeurs répondent.\n"));
	for (const struct cli_command *command = cli_commands; command->words; command++) {
		if (command->summary)
			printf("  oyez %-26s %s\n", command->words, cli_word(cli, command->summary, command->summary_fr));
	}
	puts(
	    cli_word(cli,
	             "\nFor all: --broker URL[#KEY]  --home DIR  --json   (or OYEZ_BROKER, OYEZ_HOME, OYEZ_JSON)\n"
	             "Customers: --guardian URL[#KEY] (or OYEZ_GUARDIAN): a second broker, so that none knows both who and what\n"
	             "More about one command: oyez help COMMAND",
	             "\nPour toutes : --broker URL[#CLÉ]  --home DOSSIER  --json   (ou OYEZ_BROKER, OYEZ_HOME, OYEZ_JSON)\n"
	             "Clients : --guardian URL[#CLÉ] (ou OYEZ_GUARDIAN) : un second courtier ; aucun ne sait à la fois qui et quoi\n"
	             "Plus sur une commande : oyez help COMMANDE"));
	return EXIT_DONE;
}

// The words may be a command or the beginning of several ("vendor").
static int help(struct cli *cli, int argc, char **argv)
{
	if (argc == 0)
		return help_all(cli);
	int words;
	const struct cli_command *found = command_find(argc, argv, &words);
	if (found && words == argc) {
		help_one(cli, found);
		return EXIT_DONE;
	}
	size_t length = strlen(argv[0]);
	int shown = 0;
	for (const struct cli_command *command = cli_commands; command->words; command++) {
		if (command->summary && strncmp(command->words, argv[0], length) == 0 && command->words[length] == ' ') {
			help_one(cli, command);
			shown++;
		}
	}
	if (shown)
		return EXIT_DONE;
	return cli_usage(cli, NULL, cli_word(cli, "there is no command \"%s\"", "il n'y a pas de commande « %s »"),
	                 argv[0]);
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
	if (argc == 0)
		return help_all(cli), EXIT_USAGE;
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0) {
		puts("oyez " OYEZ_VERSION);
		return EXIT_DONE;
	}
	if (strcmp(argv[0], "help") == 0)
		return help(cli, argc - 1, argv + 1);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return help(cli, 0, NULL);

	int words;
	const struct cli_command *command = command_find(argc, argv, &words);
	if (!command) {
		if (argv[0][0] == '-')
			return cli_usage(cli, NULL, cli_word(cli, "unknown option %s", "option inconnue %s"), argv[0]);
		if (wants_help(argc, argv) || (argc == 1 && !cli->json))
			return help(cli, 1, argv) == EXIT_DONE && wants_help(argc, argv) ? EXIT_DONE : EXIT_USAGE;
		return cli_usage(cli, NULL,
		                 cli_word(cli, "there is no command \"%s%s%s\"", "il n'y a pas de commande « %s%s%s »"),
		                 argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	}
	if (wants_help(argc, argv)) {
		help_one(cli, command);
		return EXIT_DONE;
	}
	cli->command = command;
	bool for_customers = strncmp(command->words, "vendor", 6) != 0 && strncmp(command->words, "bot", 3) != 0 &&
	                     strncmp(command->words, "admin", 5) != 0;
	if (cli->guardian_flag && !for_customers)
		return cli_usage(cli, command, "%s",
		                 cli_word(cli, "--guardian is for customers' commands",
		                          "--guardian est pour les commandes des clients"));
	return command->run(cli, argc - words + 1, argv + words - 1);
}

int cli_main(int argc, char **argv)
{
	// Widths and UTF-8 only; numbers and dates never follow the locale.
	setlocale(LC_CTYPE, "");
	struct cli cli;
	cli_init(&cli);
	if (sodium_init() < 0 || !clock_init())
		return cli_usage(&cli, NULL, "OYEZ_TEST_CLOCK_RATE must be a number from 1 to 1000000");
	int code = EXIT_USAGE;
	if (common_options(&cli, &argc, argv))
		code = dispatch(&cli, argc - 1, argv + 1);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_REFUSED;
	if (cli.passphrase)
		sodium_memzero((char *)cli.passphrase, strlen(cli.passphrase));
	free((char *)cli.passphrase);
	return code;
}
