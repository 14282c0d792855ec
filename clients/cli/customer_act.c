// The customer's commands that act: answer, accept, decline, withdraw, agent.
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"
#include "proto/limits.h"
#include "proto/values.h"

enum { ACT_CARD = 0x500, ACT_FIELDS, ACT_WAIT, ACT_REASON, ACT_COUNTERSIGN, ACT_REVEAL, ACT_MASK_PII, ACT_ALLOW_PII, ACT_TERMS, ACT_PLAIN };
enum {
	CARD_FILE_BYTES_MAX = 16 * CARD_BYTES_MAX,
	AGENT_TURN_MS = 25000,
	AGENT_END_S = 1, // after a signal
};

struct act_flags {
	const char *card, *fields, *reason, *terms;
	bool has_wait;
	uint64_t wait_ms;
	struct oyez_deadlines deadlines;
	enum oyez_pii pii;
	bool plain_email;
};

static bool deadline(struct cli *cli, const char *text, uint64_t *ms)
{
	if (duration_parse(text, ms) == ERR_OK && *ms)
		return true;
	cli_fail_code(cli, ERR_BAD_DATE, text);
	return false;
}

// EXIT_DONE, or the exit code after the error was printed.
static int act_flags(struct cli *cli, int argc, char **argv, const struct option *options, struct act_flags *flags)
{
	memset(flags, 0, sizeof(*flags));
	optind = 0;
	int option;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		switch (option) {
		case ACT_CARD:
			flags->card = optarg;
			break;
		case ACT_FIELDS:
			flags->fields = optarg;
			break;
		case ACT_PLAIN:
			flags->plain_email = true;
			break;
		case ACT_TERMS:
			flags->terms = optarg;
			break;
		case ACT_REASON:
			flags->reason = optarg;
			break;
		case ACT_MASK_PII:
			flags->pii = OYEZ_PII_MASK;
			break;
		case ACT_ALLOW_PII:
			flags->pii = OYEZ_PII_ALLOW;
			break;
		case ACT_WAIT:
			flags->has_wait = true;
			if (!cli_wait_parse(cli, optarg, &flags->wait_ms))
				return EXIT_USAGE;
			break;
		case ACT_COUNTERSIGN:
			if (!deadline(cli, optarg, &flags->deadlines.countersign_in_ms))
				return EXIT_REFUSED;
			break;
		case ACT_REVEAL:
			if (!deadline(cli, optarg, &flags->deadlines.reveal_in_ms))
				return EXIT_REFUSED;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

// ---- accept

static bool word_is(const json_t *object, const char *name, const char *word)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value && strcmp(value, word) == 0;
}

// Follows the deal until the card was sent. *deal is replaced by what is known last.
static int follow_deal(struct cli *cli, struct oyez_customer *customer, json_t **deal, uint64_t wait_ms)
{
	char id[2 * ID_BYTES + 1], intent[2 * ID_BYTES + 1];
	snprintf(id, sizeof(id), "%s", text_of(*deal, "deal"));
	snprintf(intent, sizeof(intent), "%s", text_of(*deal, "intent"));
	uint64_t until_ms = steady_ms() + wait_ms;
	uint64_t left_ms = 0;
	for (;;) {
		struct oyez_error error = {0};
		enum err err = oyez_sync(customer, intent, left_ms, NULL, &error);
		json_t *now = NULL;
		if (oyez_deal(customer, id, &now, NULL) == ERR_OK) {
			json_decref(*deal);
			*deal = now;
		}
		if (word_is(*deal, "status", "revealed") || word_is(*deal, "status", "concluded"))
			return EXIT_DONE;
		if (word_is(*deal, "status", "lapsed"))
			return cli_fail_code(cli, ERR_LAPSED, id);
		if (word_is(*deal, "status", "refused"))
			return cli_fail_code(cli, err_from_name(text_of(*deal, "refusal")), id);
		if (err)
			return cli_fail(cli, &error);
		uint64_t now_ms = steady_ms();
		if (now_ms >= until_ms)
			return EXIT_WAITED;
		left_ms = until_ms - now_ms;
	}
}

// A card can hold more than the vendor asks for: said while the card has not left yet.
static void note_not_needed(struct cli *cli, const json_t *names)
{
	char list[512] = "";
	size_t i;
	json_t *name;
	json_array_foreach((json_t *)names, i, name)
	{
		size_t used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", json_string_value(name));
	}
	if (*list)
		cli_note(cli, "the vendor does not ask for: %s. With --fields you choose what is given.",
		         "le vendeur ne demande pas : %s. Avec --fields vous choisissez ce qui est donné.", list);
}

static int accept_follow(struct cli *cli, struct oyez_customer *customer, const struct act_flags *flags, json_t *result)
{
	note_not_needed(cli, json_object_get(result, "not_needed"));
	int code = flags->has_wait ? follow_deal(cli, customer, &result, flags->wait_ms) : EXIT_DONE;
	if (code == EXIT_DONE || code == EXIT_WAITED) {
		if (cli->json) {
			json_t *line = json_pack("{s:O, s:O}", "deal", json_object_get(result, "deal"), "status",
			                         json_object_get(result, "status"));
			if (json_object_get(result, "alias"))
				json_object_set(line, "alias", json_object_get(result, "alias"));
			cli_object(cli, line);
		}
		cli_say(cli, "Deal %s: %s.", "Accord %s : %s.", short_id(result, "deal"),
		        cli_value_word(cli, "status", text_of(result, "status")));
		if (code == EXIT_WAITED || !flags->has_wait)
			cli_say(cli,
			        "Your card leaves when the vendor has countersigned; any later command, or oyez agent, sees to it.",
			        "Votre fiche part quand le vendeur aura contresigné ; toute commande suivante, ou oyez agent, s'en "
			        "charge.");
	}
	json_decref(result);
	return code;
}

static char *read_card(struct cli *cli, const char *path, int *code)
{
	struct oyez_error error = {0};
	char *card;
	size_t bytes;
	if (cli_read_file(path, CARD_FILE_BYTES_MAX, &card, &bytes, &error)) {
		*code = cli_fail(cli, &error);
		return NULL;
	}
	if (strlen(card) != bytes) {
		sodium_memzero(card, bytes);
		free(card);
		*code = cli_fail_code(cli, ERR_BAD_CARD, "a zero byte");
		return NULL;
	}
	return card;
}

int command_accept(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"card", required_argument, NULL, ACT_CARD},
	                                        {"fields", required_argument, NULL, ACT_FIELDS},
	                                        {"terms", required_argument, NULL, ACT_TERMS},
	                                        {"plain-email", no_argument, NULL, ACT_PLAIN},
	                                        {"wait", required_argument, NULL, ACT_WAIT},
	                                        {"countersign-within", required_argument, NULL, ACT_COUNTERSIGN},
	                                        {"reveal-within", required_argument, NULL, ACT_REVEAL},
	                                        {NULL, 0, NULL, 0}};
	struct act_flags flags;
	int code = act_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	if (!flags.card)
		return cli_usage(cli, cli->command, "%s", cli_word(cli, "--card FILE is missing", "il manque --card FICHIER"));
	char *card = read_card(cli, flags.card, &code);
	if (!card)
		return code;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (customer) {
		oyez_customer_plain_email(customer, flags.plain_email);
		json_t *result = NULL;
		struct oyez_error error = {0};
		enum err err = oyez_accept_under(customer, argv[optind], card, flags.fields, flags.terms, &flags.deadlines,
		                                 &result, &error);
		code = err ? customer_finish(cli, err, &error, result) : accept_follow(cli, customer, &flags, result);
		oyez_customer_close(customer);
	}
	sodium_memzero(card, strlen(card));
	free(card);
	return code;
}

// ---- answer, decline, withdraw

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

int command_answer(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"mask-pii", no_argument, NULL, ACT_MASK_PII},
	                                        {"allow-pii", no_argument, NULL, ACT_ALLOW_PII},
	                                        {NULL, 0, NULL, 0}};
	struct act_flags flags;
	int code = act_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	bool has_text = argc - optind == 2;
	if (!has_text && !cli_words(cli, argc, 1))
		return EXIT_USAGE;
	const char *text = has_text ? argv[optind + 1] : NULL;
	code = scrub_before_sending(cli, text, &flags.pii);
	if (code != EXIT_DONE)
		return code;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_answer_with(customer, argv[optind], text, flags.pii, &result, &error);
	code = customer_finish(cli, err, &error, result);
	oyez_customer_close(customer);
	return code;
}

int command_decline(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"reason", required_argument, NULL, ACT_REASON}, {NULL, 0, NULL, 0}};
	struct act_flags flags;
	int code = act_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_decline(customer, argv[optind], flags.reason, &result, &error);
	code = customer_finish(cli, err, &error, result);
	oyez_customer_close(customer);
	return code;
}

int command_withdraw(struct cli *cli, int argc, char **argv)
{
	struct act_flags flags;
	int code = act_flags(cli, argc, argv, no_options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	json_t *result = NULL;
	struct oyez_error error = {0};
	enum err err = oyez_withdraw(customer, argv[optind], &result, &error);
	code = customer_finish(cli, err, &error, result);
	oyez_customer_close(customer);
	return code;
}

// ---- agent

static struct oyez_customer *agent;
static volatile sig_atomic_t stopping;

// A request to a broker that went away may take half a minute to give up. Nothing is lost by not waiting for it: what
// was begun is in the wallet, and the next command goes on with it.
static void on_patience_end(int number)
{
	(void)number;
	_exit(EXIT_DONE);
}

static void on_stop(int number)
{
	(void)number;
	stopping = 1;
	oyez_customer_wake(agent);
	alarm(AGENT_END_S);
}

int command_agent(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"wait", required_argument, NULL, ACT_WAIT}, {NULL, 0, NULL, 0}};
	struct act_flags flags;
	int code = act_flags(cli, argc, argv, options, &flags);
	if (code != EXIT_DONE)
		return code;
	if (!cli_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_customer *customer = customer_open(cli, &code);
	if (!customer)
		return code;
	agent = customer;
	struct sigaction action = {.sa_handler = on_stop};
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_patience_end}, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	oyez_customer_on_event(customer, customer_print_event, cli);
	cli_note(cli, "Watching over your intents; Ctrl-C ends it.", "Je veille sur vos intentions ; Ctrl-C pour finir.");
	uint64_t until_ms = steady_ms() + flags.wait_ms;
	code = EXIT_DONE;
	while (!stopping && (!flags.has_wait || steady_ms() < until_ms)) {
		uint64_t turn_ms = AGENT_TURN_MS;
		if (flags.has_wait && until_ms - steady_ms() < turn_ms)
			turn_ms = until_ms - steady_ms();
		struct oyez_error error = {0};
		if (oyez_agent_step(customer, turn_ms, &error)) {
			code = cli_fail(cli, &error);
			break;
		}
	}
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	oyez_customer_close(customer);
	return code;
}
