// The customer's commands that show: intents, show, explain, offers, questions, deals, ledger.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"

enum { LOOK_WAIT = 0x400, LOOK_SORT, LOOK_MAX, LOOK_EXPORT, LOOK_WHO, LOOK_FORMAT };

struct look_flags {
	bool has_wait;
	uint64_t wait_ms, max;
	const char *sort, *export_file, *who, *format;
};

static int look_flags(struct cli *cli, int argc, char **argv, const struct option *options, int words,
                      struct look_flags *flags)
{
	memset(flags, 0, sizeof(*flags));
	optind = 0;
	int option;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		switch (option) {
		case LOOK_WAIT:
			flags->has_wait = true;
			if (!cli_wait_parse(cli, optarg, &flags->wait_ms))
				return EXIT_USAGE;
			break;
		case LOOK_SORT:
			flags->sort = optarg;
			break;
		case LOOK_MAX:
			if (!cli_number_parse(cli, "--max", optarg, 1, 1000000, &flags->max))
				return EXIT_USAGE;
			break;
		case LOOK_EXPORT:
			flags->export_file = optarg;
			break;
		case LOOK_WHO:
			flags->who = optarg;
			break;
		case LOOK_FORMAT:
			flags->format = optarg;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return cli_words(cli, argc, words) ? EXIT_DONE : EXIT_USAGE;
}

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

// Prints each object of an array as a JSON line, at most `max` (0: all); drops the array.
static void print_lines(struct cli *cli, json_t *array, uint64_t max)
{
	size_t i;
	json_t *object;
	json_array_foreach(array, i, object)
	{
		if (max && i >= max)
			break;
		cli_object(cli, json_incref(object));
	}
	json_decref(array);
}

// 2027-01-31T10:00:00.123Z reads better as 2027-01-31 10:00.
static void shorten_time(char text[512])
{
	if (strlen(text) < 20 || text[4] != '-' || text[10] != 'T' || text[strlen(text) - 1] != 'Z')
		return;
	text[10] = ' ';
	text[16] = 0;
}

// A table of the named fields, ids shortened; drops the array.
static void print_table(struct cli *cli, json_t *array, uint64_t max, size_t columns, const char *const *fields,
                        const char *const *titles, const char *none, const char *none_fr)
{
	size_t i;
	json_t *object;
	if (json_array_size(array) == 0)
		cli_say(cli, "%s", "%s", cli_word(cli, none, none_fr));
	bool demo = false;
	struct cli_table *table = json_array_size(array) ? cli_table_new(cli, columns, titles) : NULL;
	json_array_foreach(array, i, object)
	{
		const char *cells[12];
		char copies[12][512];
		if (max && i >= max)
			break;
		for (size_t c = 0; c < columns; c++) {
			bool id = c == 0;
			snprintf(copies[c], sizeof(*copies), "%s",
			         id ? short_id(object, fields[c]) : cli_value_word(cli, fields[c], text_of(object, fields[c])));
			shorten_time(copies[c]);
			cells[c] = *copies[c] ? copies[c] : "-";
		}
		if (!demo)
			demo_say(cli, object);
		demo |= json_is_true(json_object_get(object, "demo"));
		cli_table_row(table, cells);
	}
	if (table)
		cli_table_print(table);
	json_decref(array);
}

// ---- intents, deals: what the wallet knows, after catching up

static int list_command(struct cli *cli, int argc, char **argv,
                        enum err (*get)(struct oyez_customer *, json_t **, struct oyez_error *), size_t columns,
                        const char *const *fields, const char *const *titles, const char *none, const char *none_fr)
{
	struct look_flags flags;
	int code = look_flags(cli, argc, argv, no_options, 0, &flags);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	customer_catch_up(cli, customer, NULL);
	json_t *array = NULL;
	struct oyez_error error = {0};
	if (get(customer, &array, &error))
		code = cli_fail(cli, &error);
	else if (cli->json)
		print_lines(cli, array, 0);
	else
		print_table(cli, array, 0, columns, fields, titles, none, none_fr);
	oyez_customer_close(customer);
	return code;
}

int command_intents(struct cli *cli, int argc, char **argv)
{
	static const char *const fields[] = {"intent", "status",    "category",   "region",
	                                     "offers", "questions", "expires_at", "mode"};
	static const char *const titles[] = {"INTENT", "STATUS",    "CATEGORY", "REGION",
	                                     "OFFERS", "QUESTIONS", "EXPIRES",  "MODE"};
	static const char *const titles_fr[] = {"INTENTION", "ÉTAT",      "CATÉGORIE", "RÉGION",
	                                        "OFFRES",    "QUESTIONS", "FIN",       "MODE"};
	return list_command(cli, argc, argv, oyez_intents, 8, fields, cli->french ? titles_fr : titles, "No intents yet.",
	                    "Pas encore d'intention.");
}

int command_deals(struct cli *cli, int argc, char **argv)
{
	static const char *const fields[] = {"deal",  "status", "vendor_name", "vendor_url",
	                                     "total", "terms",  "accepted_at"};
	static const char *const titles[] = {"DEAL", "STATUS", "VENDOR", "ADDRESS", "TOTAL", "TERMS", "ACCEPTED"};
	static const char *const titles_fr[] = {"ACCORD", "ÉTAT", "VENDEUR", "ADRESSE", "TOTAL", "CONDITIONS", "ACCEPTÉ"};
	return list_command(cli, argc, argv, oyez_deals, 7, fields, cli->french ? titles_fr : titles, "No deals yet.",
	                    "Pas encore d'accord.");
}

// ---- show, explain

static int one_command(struct cli *cli, int argc, char **argv,
                       enum err (*get)(struct oyez_customer *, const char *, json_t **, struct oyez_error *),
                       void (*say)(struct cli *, const json_t *))
{
	struct look_flags flags;
	int code = look_flags(cli, argc, argv, no_options, 1, &flags);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	customer_catch_up(cli, customer, argv[optind]);
	json_t *object = NULL;
	struct oyez_error error = {0};
	if (get(customer, argv[optind], &object, &error))
		code = cli_fail(cli, &error);
	else if (say && !cli->json)
		say(cli, object);
	else
		cli_object(cli, json_incref(object));
	json_decref(object);
	oyez_customer_close(customer);
	return code;
}

int command_show(struct cli *cli, int argc, char **argv)
{
	return one_command(cli, argc, argv, oyez_show, NULL);
}

static void say_words(struct cli *cli, const json_t *words)
{
	size_t i;
	json_t *word;
	json_array_foreach(words, i, word)
	{
		const char *phrase = cli_phrase(cli, json_string_value(word));
		cli_say(cli, "    %s", "    %s", phrase);
	}
}

static void say_explained(struct cli *cli, const json_t *explained)
{
	bool broadcast = json_is_true(json_object_get(explained, "broadcast"));
	cli_say(cli, "Intent %s is %s.", "L'intention %s : %s.", short_id(explained, "intent"),
	        cli_value_word(cli, "status", text_of(explained, "status")));
	cli_say(cli, "%s", "%s",
	        broadcast ? cli_word(cli, "Every vendor whose filter matches was shown this:",
	                             "Tout vendeur dont le filtre convient a vu ceci :")
	                  : cli_word(cli, "Not published yet; every vendor whose filter matches will be shown this:",
	                             "Pas encore publiée ; tout vendeur dont le filtre convient verra ceci :"));
	cli_object(cli, json_incref(json_object_get(explained, "vendors_see")));
	const json_t *guardian_sees = json_object_get(explained, "guardian_sees");
	cli_say(cli, "%s", "%s",
	        guardian_sees ? cli_word(cli, "The home broker sees as well, without your address or account:",
	                                 "Le courtier d'attache voit en outre, sans votre adresse ni votre compte :")
	                      : cli_word(cli, "The broker sees as well:", "Le courtier voit en outre :"));
	say_words(cli, json_object_get(explained, "broker_sees"));
	if (guardian_sees) {
		cli_say(cli,
		        "The guardian sees, and nothing of what you want:", "Le gardien voit, et rien de ce que vous voulez :");
		say_words(cli, guardian_sees);
	}
	const json_t *given = json_object_get(explained, "given");
	cli_say(cli, "%s", "%s",
	        json_array_size(given) ? cli_word(cli, "Given by you, sealed, to one vendor each:",
	                                          "Donné par vous, scellé, à un vendeur à la fois :")
	                               : cli_word(cli, "You have given nothing more to any vendor.",
	                                          "Vous n'avez rien donné de plus à aucun vendeur."));
	size_t i;
	json_t *entry;
	json_array_foreach(given, i, entry)
	{
		char *vendor = cli_clean(text_of(entry, "vendor_name"));
		cli_say(cli, "    %s: %s (%s), until %s", "    %s : %s (%s), jusqu'au %s", text_of(entry, "what"), vendor,
		        short_id(entry, "vendor"), text_of(entry, "until"));
		free(vendor);
	}
	cli_say(cli, "Nobody else sees:", "Personne d'autre ne voit :");
	say_words(cli, json_object_get(explained, "nobody_sees"));
}

int command_explain(struct cli *cli, int argc, char **argv)
{
	return one_command(cli, argc, argv, oyez_explain, say_explained);
}

// ---- offers, questions: wait until there is something

struct listing {
	struct oyez_customer *customer;
	const char *intent, *sort;
	bool questions;
};

static enum err listing_get(const struct listing *listing, json_t **array, struct oyez_error *error)
{
	return listing->questions ? oyez_questions(listing->customer, listing->intent, array, error)
	                          : oyez_offers(listing->customer, listing->intent, listing->sort, array, error);
}

// *array is empty when the time passed in vain.
static enum err listing_wait(const struct listing *listing, uint64_t wait_ms, json_t **array, struct oyez_error *error)
{
	uint64_t until_ms = steady_ms() + wait_ms;
	// A wrong id or word is told before anybody is asked to wait.
	enum err err = listing_get(listing, array, error);
	uint64_t left_ms = 0;
	while (!err) {
		json_decref(*array);
		err = oyez_sync(listing->customer, listing->intent, left_ms, NULL, error);
		if (!err)
			err = listing_get(listing, array, error);
		uint64_t now_ms = steady_ms();
		if (err || json_array_size(*array) || now_ms >= until_ms)
			break;
		uint64_t waited_before_ms = left_ms;
		left_ms = until_ms - now_ms;
		// The intent has ended: oyez_sync came back early with nothing, and would again.
		json_t *shown = NULL;
		if (waited_before_ms && !oyez_show(listing->customer, listing->intent, &shown, NULL)) {
			const char *status = text_of(shown, "status");
			bool ended = strcmp(status, "withdrawn") == 0 || strcmp(status, "expired") == 0 ||
			             strcmp(status, "concluded") == 0 || strcmp(status, "refused") == 0;
			json_decref(shown);
			if (ended)
				break;
		}
	}
	return err;
}

static const struct option wait_options[] = {
    {"wait", required_argument, NULL, LOOK_WAIT},
    {"sort", required_argument, NULL, LOOK_SORT},
    {"max", required_argument, NULL, LOOK_MAX},
    {NULL, 0, NULL, 0},
};

static int listing_command(struct cli *cli, int argc, char **argv, bool questions)
{
	static const char *const offer_fields[] = {"offer",           "vendor_name",   "total",
	                                           "availability",    "delivery_days", "origin",
	                                           "warranty_months", "valid_until",   "vendor_url",
	                                           "vendor_checked"};
	static const char *const offer_titles[] = {"OFFER",  "VENDOR",   "TOTAL",       "AVAILABLE", "DAYS",
	                                           "ORIGIN", "WARRANTY", "VALID UNTIL", "ADDRESS",
	                                           "ADDRESS IS"};
	static const char *const offer_titles_fr[] = {"OFFRE",   "VENDEUR",  "TOTAL",    "DISPO",  "JOURS",
	                                              "ORIGINE", "GARANTIE", "JUSQU'AU", "ADRESSE",
	                                              "ADRESSE"};
	static const char *const question_fields[] = {"question", "kind", "vendor_name", "vendor_url", "text"};
	static const char *const question_titles[] = {"QUESTION", "KIND", "VENDOR", "ADDRESS", "TEXT"};
	static const char *const question_titles_fr[] = {"QUESTION", "TYPE", "VENDEUR", "ADRESSE", "TEXTE"};
	struct look_flags flags;
	int code = look_flags(cli, argc, argv, wait_options, 1, &flags);
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	struct listing listing = {customer, argv[optind], flags.sort, questions};
	struct oyez_error error = {0};
	json_t *array = NULL;
	if (listing_wait(&listing, flags.wait_ms, &array, &error)) {
		code = cli_fail(cli, &error);
	} else {
		if (json_array_size(array) == 0 && flags.has_wait) {
			code = EXIT_WAITED;
			cli_note(cli, "Nothing came in the time given.", "Rien n'est venu dans le temps donné.");
		}
		if (cli->json || code == EXIT_WAITED)
			print_lines(cli, array, flags.max);
		else if (questions)
			print_table(cli, array, flags.max, 5, question_fields, cli->french ? question_titles_fr : question_titles,
			            "No questions wait for you.", "Aucune question ne vous attend.");
		else
			print_table(cli, offers_noted(cli, array), flags.max, 10, offer_fields, cli->french ? offer_titles_fr : offer_titles,
			            "No offers yet.", "Pas encore d'offre.");
	}
	oyez_customer_close(customer);
	return code;
}

int command_offers(struct cli *cli, int argc, char **argv)
{
	return listing_command(cli, argc, argv, false);
}

int command_questions(struct cli *cli, int argc, char **argv)
{
	return listing_command(cli, argc, argv, true);
}

// ---- ledger

static int export_ledger(struct cli *cli, struct oyez_customer *customer, const struct look_flags *flags)
{
	bool iso = flags->format && strcmp(flags->format, "iso27560") == 0;
	struct oyez_error error = {0};
	json_t *document = NULL;
	if (flags->format && !iso && strcmp(flags->format, "oyez") != 0)
		return cli_usage(cli, cli->command, "--format: oyez, iso27560");
	enum err err = iso ? oyez_ledger_iso27560(customer, &document, &error)
	                   : oyez_ledger_export(customer, &document, &error);
	if (err)
		return cli_fail(cli, &error);
	size_t entries = json_array_size(json_object_get(document, iso ? "@graph" : "entries"));
	size_t records = json_array_size(json_object_get(document, "records"));
	int code = write_document(cli, document, flags->export_file);
	json_decref(document);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		cli_object(cli, json_pack("{s:s, s:i, s:i}", "exported", flags->export_file, "entries", (int)entries, "records",
		                          (int)records));
	cli_say(cli, "%zu entries written to %s.", "%zu entrées écrites dans %s.", entries, flags->export_file);
	if (!iso)
		cli_say(cli, "Anybody can check them: oyez verify %s", "N'importe qui peut les vérifier : oyez verify %s",
		        flags->export_file);
	return EXIT_DONE;
}

static int who_was_it(struct cli *cli, struct oyez_customer *customer, const char *alias)
{
	struct oyez_error error = {0};
	json_t *found = NULL;
	if (oyez_who(customer, alias, &found, &error))
		return cli_fail(cli, &error);
	if (cli->json) {
		cli_object(cli, found);
		return EXIT_DONE;
	}
	char *vendor = cli_clean(text_of(found, "vendor_name")), *url = cli_clean(text_of(found, "vendor_url"));
	if (json_is_true(json_object_get(found, "given")))
		cli_say(cli, "%s was given to %s (%s), and to nobody else, on %s, under %s, until %s.",
		        "%s fut donné à %s (%s), et à personne d'autre, le %s, sous %s, jusqu'au %s.", text_of(found, "alias"),
		        vendor, url, text_of(found, "since"), text_of(found, "terms"), text_of(found, "until"));
	else
		cli_say(cli, "%s was made for a deal with %s (%s), and never left this wallet.",
		        "%s fut fait pour un accord avec %s (%s), et n'a jamais quitté ce portefeuille.", text_of(found, "alias"),
		        vendor, url);
	cli_say(cli, "%s", "%s", cli_phrase(cli, text_of(found, "proves")));
	free(vendor);
	free(url);
	json_decref(found);
	return EXIT_DONE;
}

// The marks beside a table: what is over, asked, touched.
static void say_marks(struct cli *cli, const json_t *ledger)
{
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)ledger, i, entry)
	{
		const json_t *erasure = json_object_get(entry, "erasure"), *notices = json_object_get(entry, "notices");
		char *vendor = cli_clean(text_of(entry, "vendor_name"));
		if (json_is_object(erasure)) {
			cli_say(cli, "%s: erasure %s", "%s : effacement %s", vendor,
			        cli_value_word(cli, "status", text_of(erasure, "status")));
			if (*text_of(erasure, "proves"))
				cli_say(cli, "    %s", "    %s", cli_phrase(cli, text_of(erasure, "proves")));
		} else if (json_is_true(json_object_get(entry, "due")) && json_object_get(entry, "deal")) {
			cli_say(cli, "%s: its time to keep this is over. Ask it to delete: oyez erase %s",
			        "%s : son délai de garde est passé. Demandez l'effacement : oyez erase %s", vendor,
			        short_id(entry, "deal"));
		}
		size_t j;
		json_t *notice;
		json_array_foreach((json_t *)notices, j, notice)
			cli_say(cli, "%s: notice %s touches this: oyez notices", "%s : l'avis %s y touche : oyez notices", vendor,
			        text_of(notice, "number"));
		free(vendor);
	}
}

int command_ledger(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"export", required_argument, NULL, LOOK_EXPORT},
	                                        {"who", required_argument, NULL, LOOK_WHO},
	                                        {"format", required_argument, NULL, LOOK_FORMAT},
	                                        {NULL, 0, NULL, 0}};
	static const char *const fields[] = {"intent", "what", "vendor_name", "vendor_url", "alias", "at", "terms", "until"};
	static const char *const titles[] = {"INTENT", "WHAT", "VENDOR", "ADDRESS", "ALIAS", "GIVEN", "TERMS", "UNTIL"};
	static const char *const titles_fr[] = {"INTENTION", "QUOI",  "VENDEUR",    "ADRESSE",
	                                        "ALIAS",     "DONNÉ", "CONDITIONS", "JUSQU'AU"};
	struct look_flags flags;
	int code = look_flags(cli, argc, argv, options, 0, &flags);
	if (code == EXIT_DONE && flags.format && !flags.export_file)
		return cli_usage(cli, cli->command, "--format: --export FILE");
	struct oyez_customer *customer = code == EXIT_DONE ? customer_open(cli, &code) : NULL;
	if (!customer)
		return code;
	json_t *ledger = NULL;
	struct oyez_error error = {0};
	if (!flags.who) {
		customer_catch_up(cli, customer, NULL);
		oyez_notices_fetch(customer, NULL);
	}
	if (flags.who) {
		code = who_was_it(cli, customer, flags.who);
	} else if (flags.export_file) {
		code = export_ledger(cli, customer, &flags);
	} else if (oyez_ledger(customer, &ledger, &error)) {
		code = cli_fail(cli, &error);
	} else if (cli->json) {
		print_lines(cli, ledger, 0);
	} else {
		json_incref(ledger);
		print_table(cli, ledger, 0, 8, fields, cli->french ? titles_fr : titles, "Nobody has received anything.",
		            "Personne n'a rien reçu.");
		say_marks(cli, ledger);
		json_decref(ledger);
	}
	oyez_customer_close(customer);
	return code;
}
