// Events for people: one line each, the id first so that it can be copied into the next command.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

enum { SHORT_ID_BYTES = 6 };

static void short_hex(const uint8_t *bytes, char out[2 * SHORT_ID_BYTES + 1])
{
	hex_encode(bytes, SHORT_ID_BYTES, out);
}

static void say_budget(FILE *out, const Oyez__Budget *budget)
{
	char min[32], max[32];

	amount_format(budget->min_e4, budget->currency, min);
	amount_format(budget->max_e4, budget->currency, max);
	if (budget->max_e4 == 0)
		fprintf(out, ", %s %s +", min, budget->currency);
	else
		fprintf(out, ", %s-%s %s", budget->min_e4 ? min : "", max, budget->currency);
}

char *vendor_release_words(const struct cli *cli, const Oyez__Release *release)
{
	const Oyez__Facets *facets = release->facets;
	const char *condition = facets ? condition_word(facets->condition) : NULL;
	char *words = NULL;
	size_t count;
	FILE *out = open_memstream(&words, &count);

	if (!out)
		abort();
	if (facets) {
		fprintf(out, "%s, %s", facets->category, facets->region);
		if (facets->budget)
			say_budget(out, facets->budget);
		if (condition && strcmp(condition, "any") != 0)
			fprintf(out, ", %s", condition);
		if (facets->quantity > OYEZ__QUANTITY_BAND__QUANTITY_1)
			fprintf(out, ", x%s", quantity_band_word(facets->quantity));
	}
	if (release->needed_by && release->needed_by != OYEZ__NEEDED_BAND__NEEDED_LATER)
		fprintf(out, cli_word(cli, ", within %s", ", d'ici %s"), needed_band_word(release->needed_by));
	fprintf(out, cli_word(cli, "  (crowd %u)", "  (foule %u)"), release->crowd);
	fclose(out);
	return words;
}

static void say_maybe(struct cli *cli, uint32_t maybe)
{
	if (!maybe)
		return;
	printf("%s", cli_word(cli, "  uncertain:", "  incertain :"));
	for (unsigned bit = 0; oyez_facet_bit_name(bit); bit++) {
		if (maybe & (1u << bit))
			printf(" %s", oyez_facet_bit_name(bit));
	}
}

static void say_text(const char *text)
{
	char *clean = cli_clean(text ? text : "");

	fputs(clean, stdout);
	free(clean);
}

static void say_card(const json_t *card)
{
	char *text = json_dumps(card, JSON_COMPACT | JSON_PRESERVE_ORDER);

	say_text(text);
	free(text);
}

static const char *event_word(const struct cli *cli, enum oyez_event_kind kind)
{
	static const char *const english[] = {"wanted",   "gone",      "answer", "details",
	                                      "declined", "agreement", "card",   "problem",
	                                      "message",  "erasure"};
	static const char *const french[] = {"demande", "fini",   "réponse", "détails",
	                                     "refusée", "accord", "fiche",   "problème",
	                                     "message", "effacer"};

	return cli_word(cli, english[kind], french[kind]);
}

static void say_event(struct cli *cli, const struct oyez_event *event)
{
	char release[2 * SHORT_ID_BYTES + 1] = "-", deal[2 * ID_BYTES + 1] = "", time[32];

	if (event->has_release_id)
		short_hex(event->release_id.bytes, release);
	if (event->has_deal)
		hex_encode(event->deal.bytes, SHORT_ID_BYTES, deal);
	time_format(event->at_ms / 1000 * 1000, time);
	printf("%s  %-12s  %-9s  ", time, release, event_word(cli, event->kind));
	switch (event->kind) {
	case OYEZ_EVENT_RELEASE: {
		char *words = vendor_release_words(cli, event->release);

		say_text(words);
		free(words);
		if (event->demo)
			printf("%s", cli_word(cli, "  demonstration: some callers are simulated",
			                      "  démonstration : certains appelants sont simulés"));
		say_maybe(cli, event->maybe);
		break;
	}
	case OYEZ_EVENT_GONE:
		printf("%s %s", event->reason ? event->reason : "", deal);
		break;
	case OYEZ_EVENT_AGREEMENT:
		time_format(event->countersign_by_ms, time);
		printf(cli_word(cli, "to countersign before %s: oyez vendor countersign %s",
		                "à contresigner avant %s : oyez vendor countersign %s"),
		       time, deal);
		break;
	case OYEZ_EVENT_ERASURE:
		time_format(event->answer_by_ms, time);
		printf(cli_word(cli, "to answer before %s: oyez vendor erased %s",
		                "à répondre avant %s : oyez vendor erased %s"),
		       time, deal);
		break;
	case OYEZ_EVENT_MESSAGE:
		printf("(%s) ", deal);
		say_text(event->text);
		break;
	case OYEZ_EVENT_REVEAL:
		say_card(event->card);
		break;
	case OYEZ_EVENT_PROBLEM:
		printf("%s: ", err_message(event->problem.code, cli->french));
		say_text(event->problem.detail);
		break;
	default:
		say_text(event->text);
		break;
	}
	putchar('\n');
}

bool vendor_say_event(struct cli *cli, const struct oyez_event *event)
{
	if (cli->json)
		cli_object(cli, oyez_event_json(event));
	else
		say_event(cli, event);
	return fflush(stdout) == 0 && !ferror(stdout);
}
