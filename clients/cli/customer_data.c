// A person's own data in their hands: wallet alias, wallet wipe, export, verify.
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"

enum { DATA_CLEAR = 0x700, DATA_YES, DATA_KEY };
enum { DOCUMENT_BYTES_MAX = 64 * 1024 * 1024 };

struct data_flags {
	bool clear, yes;
	const char *key;
};

static int data_flags(struct cli *cli, int argc, char **argv, const struct option *options, struct data_flags *flags)
{
	memset(flags, 0, sizeof(*flags));
	optind = 0;
	int option;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == DATA_CLEAR)
			flags->clear = true;
		else if (option == DATA_YES)
			flags->yes = true;
		else if (option == DATA_KEY)
			flags->key = optarg;
		else
			return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int write_document(struct cli *cli, const json_t *document, const char *path)
{
	struct oyez_error error = {.code = ERR_IO};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool written = file && json_dumpf(document, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF;
	if (file && fclose(file) != 0)
		written = false;
	if (written)
		return EXIT_DONE;
	snprintf(error.detail, sizeof(error.detail), "%.180s: %s", path, strerror(errno));
	return cli_fail(cli, &error);
}

// ---- wallet alias

int command_wallet_alias(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"clear", no_argument, NULL, DATA_CLEAR}, {NULL, 0, NULL, 0}};
	struct data_flags flags;
	int code = data_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	bool given = argc - optind == 1;
	if ((given && flags.clear) || (!given && !cli_words(cli, argc, 0)))
		return given ? cli_usage(cli, cli->command, "%s", cli_word(cli, "PATTERN or --clear", "MOTIF ou --clear"))
		             : EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	struct oyez_error error = {0};
	json_t *result = NULL;
	enum err err = ERR_OK;
	if (given || flags.clear)
		err = oyez_alias_set_pattern(customer, given ? argv[optind] : "", &error);
	if (!err)
		err = oyez_alias_pattern(customer, &result, &error);
	if (err) {
		code = cli_fail(cli, &error);
	} else if (cli->json) {
		cli_object(cli, result);
	} else {
		const char *pattern = text_of(result, "pattern");
		if (*pattern)
			cli_say(cli, "Each deal gets an e-mail address of its own: %s, with 10 random letters for *.",
			        "Chaque accord reçoit sa propre adresse : %s, avec 10 lettres au hasard pour *.", pattern);
		else
			cli_say(
			    cli, "No alias pattern: cards give the e-mail that stands in them. Without one, use oyez message.",
			    "Pas de motif d'alias : les fiches donnent l'adresse qu'elles portent. Sans adresse : oyez message.");
		json_decref(result);
	}
	oyez_customer_close(customer);
	return code;
}

// ---- wallet wipe

// Who still holds what: wiping here takes nothing from them.
static void say_held(struct cli *cli, const json_t *ledger)
{
	size_t i;
	json_t *entry;
	if (json_array_size(ledger) == 0) {
		cli_say(cli, "No vendor has received anything from this wallet.",
		        "Aucun vendeur n'a rien reçu de ce portefeuille.");
		return;
	}
	cli_say(cli, "What others hold stays with them; without this wallet it cannot be asked for or proven:",
	        "Ce que d'autres détiennent leur reste ; sans ce portefeuille on ne peut plus le demander ni le prouver :");
	json_array_foreach((json_t *)ledger, i, entry)
	{
		char *vendor = cli_clean(text_of(entry, "vendor_name"));
		cli_say(cli, "  %s: %s, until %s", "  %s : %s, jusqu'au %s", vendor,
		        cli_value_word(cli, "what", text_of(entry, "what")), text_of(entry, "until"));
		free(vendor);
	}
}

static json_t *held(struct cli *cli)
{
	struct oyez_customer *customer = NULL;
	json_t *ledger = NULL;
	char *passphrase = oyez_wallet_is_locked(cli->home) ? cli_passphrase(cli, false) : strdup("");
	if (oyez_customer_open(cli->home, passphrase, NULL, &customer, NULL) == ERR_OK)
		oyez_ledger(customer, &ledger, NULL);
	oyez_customer_close(customer);
	sodium_memzero(passphrase, strlen(passphrase));
	free(passphrase);
	return ledger;
}

static bool confirmed(struct cli *cli)
{
	FILE *terminal = !cli->json && isatty(STDIN_FILENO) ? fopen("/dev/tty", "r") : NULL;
	char line[64] = "";
	if (!terminal)
		return false;
	fprintf(stderr, "%s ",
	        cli_word(cli, "Destroy this wallet for good? Type yes:",
	                 "Détruire ce portefeuille pour de bon ? Écrivez oui :"));
	if (!fgets(line, sizeof(line), terminal))
		line[0] = 0;
	fclose(terminal);
	line[strcspn(line, "\n")] = 0;
	return strcmp(line, "yes") == 0 || strcmp(line, "oui") == 0;
}

int command_wallet_wipe(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"yes", no_argument, NULL, DATA_YES}, {NULL, 0, NULL, 0}};
	struct data_flags flags;
	int code = data_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 0))
		return EXIT_USAGE;
	json_t *ledger = held(cli);
	if (ledger && !cli->json)
		say_held(cli, ledger);
	else if (!ledger)
		cli_note(cli, "(the wallet does not open: who holds what cannot be said)",
		         "(le portefeuille ne s'ouvre pas : impossible de dire qui détient quoi)");
	struct oyez_error error = {0};
	if (!flags.yes && !confirmed(cli)) {
		json_decref(ledger);
		return cli_usage(cli, cli->command, "%s",
		                 cli_word(cli, "not without your yes: --yes", "pas sans votre accord : --yes"));
	}
	if (oyez_wallet_wipe(cli->home, &error)) {
		json_decref(ledger);
		return cli_fail(cli, &error);
	}
	if (cli->json)
		cli_object(cli,
		           json_pack("{s:s, s:o}", "wiped", cli->home, "held", ledger ? json_incref(ledger) : json_null()));
	cli_say(
	    cli, "The wallet in %s is overwritten and removed. Backups and exports elsewhere are yours to remove.",
	    "Le portefeuille de %s est écrasé et supprimé. Sauvegardes et exports ailleurs restent à supprimer par vous.",
	    cli->home);
	json_decref(ledger);
	return EXIT_DONE;
}

// ---- export

int command_export(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct data_flags flags;
	int code = data_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	bool to_file = argc - optind == 1;
	if (!to_file && !cli_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	customer_catch_up(cli, customer, NULL);
	struct oyez_error error = {0};
	json_t *document = NULL;
	if (oyez_export(customer, &document, &error)) {
		code = cli_fail(cli, &error);
	} else if (!to_file) {
		json_dumpf(document, stdout, cli->json ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
		fflush(stdout);
	} else if ((code = write_document(cli, document, argv[optind])) == EXIT_DONE) {
		if (cli->json)
			cli_object(cli, json_pack("{s:s, s:i, s:i}", "exported", argv[optind], "intents",
			                          (int)json_array_size(json_object_get(document, "intents")), "deals",
			                          (int)json_array_size(json_object_get(document, "deals"))));
		cli_say(cli,
		        "Everything this wallet knows is in %s, but secret keys and tokens. Keep it where nobody reads it.",
		        "Tout ce que sait ce portefeuille est dans %s, sauf clés secrètes et jetons. Gardez-le à l'abri des "
		        "regards.",
		        argv[optind]);
	}
	json_decref(document);
	oyez_customer_close(customer);
	return code;
}

// ---- verify

static void say_line(struct cli *cli, const json_t *line)
{
	bool ok = json_is_true(json_object_get(line, "ok"));
	const char *why = text_of(line, "why");
	char *record = cli_clean(text_of(line, "record"));
	printf("%-6s %-17s %s%s%s\n", ok ? "ok" : cli_word(cli, "FAILS", "FAUX"), record,
	       json_object_get(line, "deal") ? short_id(line, "deal") : short_id(line, "signed_by"), *why ? "  " : "",
	       *why ? err_message(err_from_name(why), cli->french) : "");
	free(record);
}

int command_verify(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, DATA_KEY}, {NULL, 0, NULL, 0}};
	struct data_flags flags;
	int code = data_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	struct oyez_error error = {0};
	char *text;
	size_t bytes, i;
	if (cli_read_file(argv[optind], DOCUMENT_BYTES_MAX, &text, &bytes, &error))
		return cli_fail(cli, &error);
	json_t *lines = NULL, *line;
	bool all = false;
	if (oyez_verify(text, bytes, flags.key, &lines, &all, &error)) {
		free(text);
		return cli_fail(cli, &error);
	}
	free(text);
	json_array_foreach(lines, i, line)
	{
		if (cli->json)
			cli_object(cli, json_incref(line));
		else
			say_line(cli, line);
	}
	if (!flags.key)
		cli_note(
		    cli,
		    "The broker's key was taken from the file itself; with --key KEY it is compared with the one you know.",
		    "La clé du courtier vient du fichier lui-même ; avec --key CLÉ elle est comparée à celle que vous "
		    "connaissez.");
	cli_say(cli, "%s", "%s",
	        all ? cli_word(cli, "Everything holds.", "Tout est juste.")
	            : cli_word(cli, "Not everything holds: do not rely on this.",
	                       "Tout n'est pas juste : ne vous y fiez pas."));
	json_decref(lines);
	return all ? EXIT_DONE : EXIT_REFUSED;
}
