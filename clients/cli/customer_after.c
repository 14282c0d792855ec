// The customer's commands for the time after a deal: message, messages, erase, rate, notices.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"
#include "proto/limits.h"
#include "proto/values.h"

enum { AFTER_WITHIN = 0x600, AFTER_STARS, AFTER_WAIT, AFTER_MASK_PII, AFTER_ALLOW_PII };

struct after_flags {
	uint64_t within_ms, stars, wait_ms;
	bool has_wait;
	enum oyez_pii pii;
};

static int after_flags(struct cli *cli, int argc, char **argv, const struct option *options, int words,
                       struct after_flags *flags)
{
	memset(flags, 0, sizeof(*flags));
	optind = 0;
	int option;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		switch (option) {
		case AFTER_WITHIN:
			if (duration_parse(optarg, &flags->within_ms) || !flags->within_ms)
				return cli_fail_code(cli, ERR_BAD_DATE, optarg);
			break;
		case AFTER_STARS:
			if (!cli_number_parse(cli, "--stars", optarg, 1, STARS_MAX, &flags->stars))
				return EXIT_USAGE;
			break;
		case AFTER_WAIT:
			flags->has_wait = true;
			if (!cli_wait_parse(cli, optarg, &flags->wait_ms))
				return EXIT_USAGE;
			break;
		case AFTER_MASK_PII:
			flags->pii = OYEZ_PII_MASK;
			break;
		case AFTER_ALLOW_PII:
			flags->pii = OYEZ_PII_ALLOW;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return cli_words(cli, argc, words) ? EXIT_DONE : EXIT_USAGE;
}

// ---- message, messages

int command_message(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"mask-pii", no_argument, NULL, AFTER_MASK_PII},
	                                        {"allow-pii", no_argument, NULL, AFTER_ALLOW_PII},
	                                        {NULL, 0, NULL, 0}};
	struct after_flags flags;
	int code = after_flags(cli, argc, argv, options, 2, &flags);
	if (code == EXIT_DONE)
		code = scrub_before_sending(cli, argv[optind + 1], &flags.pii);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	customer_catch_up(cli, customer, NULL);
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_message(customer, argv[optind], argv[optind + 1], flags.pii, &result, &error);
	code = customer_finish(cli, err, &error, result);
	oyez_customer_close(customer);
	return code;
}

static void say_messages(struct cli *cli, const json_t *messages)
{
	size_t i;
	json_t *message;
	if (json_array_size(messages) == 0)
		cli_say(cli, "Nothing was written yet.", "Rien n'a encore été écrit.");
	json_array_foreach((json_t *)messages, i, message)
	{
		bool vendor = strcmp(text_of(message, "from"), "vendor") == 0;
		char *name = cli_clean(vendor ? text_of(message, "vendor_name") : cli_word(cli, "you", "vous"));
		char *text = cli_clean(json_string_value(json_object_get(message, "text")));
		printf("%s  %s: %s%s\n", text_of(message, "at"), name, text,
		       strcmp(text_of(message, "status"), "pending") == 0
		           ? cli_word(cli, "  (not sent yet)", "  (pas encore envoyé)")
		           : "");
		free(name);
		free(text);
	}
	fflush(stdout);
}

int command_messages(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"wait", required_argument, NULL, AFTER_WAIT}, {NULL, 0, NULL, 0}};
	struct after_flags flags;
	int code = after_flags(cli, argc, argv, options, 1, &flags);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	struct oyez_error error = {0};
	json_t *messages = NULL;
	bool changed = false;
	size_t before = 0;
	if (!oyez_messages(customer, argv[optind], &messages, &error))
		before = json_array_size(messages);
	json_decref(messages);
	messages = NULL;
	enum err err = oyez_deal_sync(customer, argv[optind], flags.wait_ms, &changed, &error);
	if (err && err != ERR_NOT_FOUND && err != ERR_AMBIGUOUS && !flags.has_wait) {
		cli_note(cli, "(%s: this is what the wallet knows)", "(%s : voici ce que sait le portefeuille)",
		         err_message(err, cli->french));
		err = ERR_OK;
	}
	if (!err)
		err = oyez_messages(customer, argv[optind], &messages, &error);
	if (err) {
		code = cli_fail(cli, &error);
	} else if (flags.has_wait && json_array_size(messages) == before && before == 0) {
		code = EXIT_WAITED;
		cli_note(cli, "Nothing came in the time given.", "Rien n'est venu dans le temps donné.");
	} else if (cli->json) {
		size_t i;
		json_t *message;
		json_array_foreach(messages, i, message) cli_object(cli, json_incref(message));
	} else {
		say_messages(cli, messages);
	}
	if (!err && flags.has_wait && json_array_size(messages) == before)
		code = EXIT_WAITED;
	json_decref(messages);
	oyez_customer_close(customer);
	return code;
}

// ---- erase, rate

static void say_erasure(struct cli *cli, const json_t *result)
{
	const char *status = text_of(result, "status");
	cli_say(cli, "Erasure: %s.", "Effacement : %s.", cli_value_word(cli, "status", status));
	if (strcmp(status, "asked") == 0)
		cli_say(cli, "The vendor has to answer by %s; its public record counts whether it does.",
		        "Le vendeur doit répondre avant le %s ; sa fiche publique retient s'il le fait.",
		        text_of(result, "answer_by"));
	const char *proves = text_of(result, "proves");
	if (*proves)
		cli_say(cli, "%s", "%s", cli_phrase(cli, proves));
}

static int act(struct cli *cli, const char *deal, const struct after_flags *flags, bool erase)
{
	int code = EXIT_DONE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	customer_catch_up(cli, customer, NULL);
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = erase ? oyez_erase(customer, deal, flags->within_ms, &result, &error)
	                     : oyez_rate(customer, deal, (unsigned)flags->stars, &result, &error);
	if (erase && !err && !cli->json) {
		say_erasure(cli, result);
		json_decref(result);
	} else {
		code = customer_finish(cli, err, &error, result);
	}
	oyez_customer_close(customer);
	return code;
}

int command_erase(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"within", required_argument, NULL, AFTER_WITHIN}, {NULL, 0, NULL, 0}};
	struct after_flags flags;
	int code = after_flags(cli, argc, argv, options, 1, &flags);
	return code == EXIT_DONE ? act(cli, argv[optind], &flags, true) : code;
}

int command_rate(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"stars", required_argument, NULL, AFTER_STARS}, {NULL, 0, NULL, 0}};
	struct after_flags flags;
	int code = after_flags(cli, argc, argv, options, 1, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!flags.stars)
		return cli_usage(cli, cli->command, "%s", cli_word(cli, "--stars N is missing", "il manque --stars N"));
	return act(cli, argv[optind], &flags, false);
}

// ---- notices

static void say_touched(struct cli *cli, const json_t *touched)
{
	size_t i, j;
	json_t *one, *field;
	json_array_foreach((json_t *)touched, i, one)
	{
		char fields[512] = "";
		json_array_foreach(json_object_get(one, "fields"), j, field)
		{
			size_t used = strlen(fields);
			snprintf(fields + used, sizeof(fields) - used, "%s%s", j ? ", " : "", json_string_value(field));
		}
		char *clean = cli_clean(fields), *vendor = cli_clean(text_of(one, "vendor_name"));
		cli_say(cli, "  -> this touches you: %s, given to %s on %s", "  -> ceci vous touche : %s, donné à %s le %s",
		        clean, vendor, text_of(one, "given_at"));
		if (json_object_get(one, "deal"))
			cli_say(cli, "     Ask for erasure: oyez erase %s. Be wary of messages that use what was touched.",
			        "     Demander l'effacement : oyez erase %s. Méfiez-vous des messages qui s'en servent.",
			        short_id(one, "deal"));
		if (json_object_get(one, "alias"))
			cli_say(cli, "     Mail to %s can come from others now.",
			        "     Du courrier à %s peut venir d'autres, désormais.", text_of(one, "alias"));
		free(clean);
		free(vendor);
	}
}

void notice_say(struct cli *cli, const json_t *notice)
{
	char *text = cli_clean(json_string_value(json_object_get(notice, "text")));
	cli_say(cli, "Notice %s, %s: %s", "Avis %s, %s : %s", text_of(notice, "number"), text_of(notice, "at"), text);
	free(text);
	say_touched(cli, json_object_get(notice, "touched"));
}

// What does not follow is said, whatever the command shows besides.
static void note_problem(void *context, const json_t *event)
{
	struct cli *cli = context;
	enum err code = err_from_name(text_of(event, "code"));
	if (strcmp(text_of(event, "type"), "problem") == 0 && strcmp(text_of(event, "what"), "notices") == 0) {
		cli_fail_code(cli, code, text_of(event, "what"));
		cli->failed = EXIT_REFUSED;
	}
}

int command_notices(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct after_flags flags;
	int code = after_flags(cli, argc, argv, options, 0, &flags);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	customer_catch_up(cli, customer, NULL);
	struct oyez_error error = {0};
	json_t *notices = NULL;
	oyez_customer_on_event(customer, note_problem, cli);
	enum err err = oyez_notices_fetch(customer, &error);
	if (!err)
		err = oyez_notices(customer, &notices, &error);
	if (err) {
		code = cli_fail(cli, &error);
	} else {
		size_t i;
		json_t *notice;
		if (json_array_size(notices) == 0)
			cli_say(cli, "No notices.", "Aucun avis.");
		json_array_foreach(notices, i, notice)
		{
			if (cli->json)
				cli_object(cli, json_incref(notice));
			else
				notice_say(cli, notice);
		}
		code = cli->failed;
	}
	json_decref(notices);
	oyez_customer_close(customer);
	return code;
}
