// What the customer's commands share.
#include "clients/cli/customer_cli.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHORT_DIGITS = 12 };

void demo_say(struct cli *cli, const json_t *object)
{
	if (json_is_true(json_object_get(object, "demo")))
		cli_say(cli, "%s", "%s",
		        cli_word(cli, "This broker is a demonstration: some callers are simulated.",
		                 "Ce courtier est une démonstration : certains appelants sont simulés."));
}

uint64_t steady_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Work of some seconds is announced; all else that happens is told by the command itself.
static void note_working(void *context, const json_t *event)
{
	struct cli *cli = context;
	if (strcmp(text_of(event, "type"), "working") == 0)
		cli_note(cli, "Proving work (%s bits); this takes a moment ...", "Preuve de travail (%s bits) ; un instant ...",
		         text_of(event, "bits"));
}

struct oyez_customer *customer_open(struct cli *cli, int *code)
{
	struct oyez_customer *customer = NULL;
	struct oyez_error error = {0};
	char *passphrase = oyez_wallet_is_locked(cli->home) ? cli_passphrase(cli, false) : strdup("");
	enum err err = oyez_customer_open(cli->home, passphrase, cli->broker_given ? cli->broker : NULL, &customer, &error);
	sodium_memzero(passphrase, strlen(passphrase));
	free(passphrase);
	if (!err && cli->guardian)
		err = oyez_customer_set_guardian(customer, cli->guardian, &error);
	if (err) {
		oyez_customer_close(customer);
		*code = cli_fail(cli, &error);
		return NULL;
	}
	oyez_customer_on_event(customer, note_working, cli);
	cli_note_privacy(cli);
	return customer;
}

void customer_catch_up(struct cli *cli, struct oyez_customer *customer, const char *intent)
{
	struct oyez_error error = {0};
	if (oyez_sync(customer, intent, 0, NULL, &error) && error.code != ERR_NOT_FOUND && error.code != ERR_AMBIGUOUS)
		cli_note(cli, "(%s: this is what the wallet knows)", "(%s : voici ce que sait le portefeuille)",
		         err_message(error.code, cli->french));
}

int customer_finish(struct cli *cli, enum err err, const struct oyez_error *error, json_t *result)
{
	if (err && (!result || !cli->json)) {
		if (result)
			cli_note(cli, "Stored here; the next command sends it.", "Conservé ici ; la prochaine commande l'enverra.");
		json_decref(result);
		return cli_fail(cli, error);
	}
	if (err)
		json_object_set_new(result, "error", cli_error_json(cli, error));
	cli_object(cli, result);
	return cli_exit_code(err);
}

const char *text_of(const json_t *object, const char *name)
{
	static char buffers[4][512];
	static unsigned turn;
	const json_t *value = json_object_get(object, name);
	char *buffer = buffers[turn++ % 4];
	if (json_is_string(value))
		snprintf(buffer, sizeof(*buffers), "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(buffer, sizeof(*buffers), "%lld", (long long)json_integer_value(value));
	else if (json_is_object(value) && json_object_get(value, "amount"))
		snprintf(buffer, sizeof(*buffers), "%s %s", json_string_value(json_object_get(value, "amount")),
		         json_string_value(json_object_get(value, "currency")));
	else
		buffer[0] = 0;
	return buffer;
}

const char *short_id(const json_t *object, const char *name)
{
	char *id = (char *)text_of(object, name);
	if (strlen(id) > SHORT_DIGITS)
		id[SHORT_DIGITS] = 0;
	return id;
}

// ---- events in words

static const struct {
	const char *type, *english, *french;
} event_words[] = {
    {"offer", "offer", "offre"},
    {"question", "question", "question"},
    {"answered", "details given by your rules", "détails donnés selon vos règles"},
    {"countersigned", "the vendor countersigned", "le vendeur a contresigné"},
    {"revealed", "your card was sent to the vendor", "votre fiche a été envoyée au vendeur"},
    {"concluded", "concluded: the vendor has your card", "conclu : le vendeur a votre fiche"},
    {"lapsed", "the deal lapsed; nothing was revealed", "l'accord est caduc ; rien n'a été révélé"},
    {"withdrawn", "an offer was withdrawn", "une offre a été retirée"},
    {"released", "published, without your name", "publiée, sans votre nom"},
    {"ended", "ended", "terminée"},
    {"refused", "refused", "refusée"},
    {"problem", "problem", "problème"},
    {"working", "proving work", "preuve de travail"},
    {"message", "the vendor wrote", "le vendeur a écrit"},
    {"erasure", "the vendor answered your request to erase", "le vendeur a répondu à votre demande d'effacement"},
    {"due", "the vendor's time to keep your card is over: oyez erase", "le délai de garde de votre fiche est passé : oyez erase"},
    {"notice", "a public notice", "un avis public"},
    {"vendor_suspended", "the operator shut this vendor out", "l'exploitant a exclu ce vendeur"},
};

void customer_print_event(void *context, const json_t *event)
{
	struct cli *cli = context;
	if (cli->json) {
		cli_object(cli, json_deep_copy(event));
		return;
	}
	const char *type = text_of(event, "type"), *words = type;
	if (strcmp(type, "notice") == 0) {
		notice_say(cli, event);
		return;
	}
	for (size_t i = 0; i < sizeof(event_words) / sizeof(*event_words); i++) {
		if (strcmp(event_words[i].type, type) == 0)
			words = cli_word(cli, event_words[i].english, event_words[i].french);
	}
	const char *object = json_object_get(event, "deal")       ? "deal"
	                     : json_object_get(event, "offer")    ? "offer"
	                     : json_object_get(event, "question") ? "question"
	                                                          : "intent";
	char *vendor = cli_clean(text_of(event, "vendor_name"));
	const char *money = text_of(event, "total");
	const char *code = json_object_get(event, "code") ? text_of(event, "code") : text_of(event, "status");
	bool with_code = strcmp(type, "problem") == 0 || strcmp(type, "ended") == 0 || strcmp(type, "refused") == 0 || strcmp(type, "erasure") == 0;
	printf("%s  %s%s%s%s%s%s%s\n", short_id(event, object), words, with_code ? ": " : "", with_code ? code : "",
	       *vendor ? "  " : "", vendor, *money ? "  " : "", money);
	const char *text = json_string_value(json_object_get(event, "text"));
	if (strcmp(type, "message") == 0 && text) {
		char *clean = cli_clean(text);
		printf("    %s\n", clean);
		free(clean);
	}
	fflush(stdout);
	free(vendor);
}
