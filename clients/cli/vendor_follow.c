// oyez vendor watch and inbox: streams of events with a place kept in the home. A place moves only after its line went
// out of stdout, so a line may come twice but none is lost.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"

enum { POLL_MS = 25 * 1000, RETRY_MS = 1000 };

struct follow {
	struct cli *cli;
	struct oyez_vendor *vendor;
	const struct id *subscription; // NULL: the inbox
	const char *after;             // --after: once, at the start
	char position[40];             // where this run stands; "" before the first answer
	uint64_t max, wait_ms;
	bool has_wait, endless;
	FILE *trace;
	uint64_t printed, until_ms;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(unsigned ms)
{
	const struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&span, NULL);
}

static enum err read_some(struct follow *follow, struct oyez_events *events, struct oyez_error *error)
{
	const char *after = follow->position[0] ? follow->position : follow->after;
	uint64_t left = follow->max ? follow->max - follow->printed : UINT32_MAX;
	uint32_t max = (uint32_t)(left < UINT32_MAX ? left : UINT32_MAX);
	uint64_t now = now_ms(), wait_ms = POLL_MS;

	if (!follow->endless)
		wait_ms = follow->until_ms > now ? follow->until_ms - now : 0;
	if (wait_ms > POLL_MS)
		wait_ms = POLL_MS;
	return follow->subscription
	           ? oyez_vendor_fetch(follow->vendor, OYEZ_READER_PERSON, follow->subscription, after, max, wait_ms,
	                               events, error)
	           : oyez_vendor_inbox(follow->vendor, OYEZ_READER_PERSON, after, max, wait_ms, events, error);
}

static bool trace_event(struct follow *follow, const struct oyez_event *event)
{
	if (!follow->trace)
		return true;
	json_t *object = oyez_event_json(event);
	json_dumpf(object, follow->trace, JSON_COMPACT);
	json_decref(object);
	return putc('\n', follow->trace) != EOF && fflush(follow->trace) == 0;
}

// Prints them all, then moves the place. An exit code other than EXIT_DONE ends the run.
static int tell(struct follow *follow, const struct oyez_events *events)
{
	struct oyez_error error = {0};

	for (size_t i = 0; i < events->count; i++) {
		if (!trace_event(follow, &events->items[i]))
			return cli_fail_code(follow->cli, ERR_IO, "--trace");
		if (!vendor_say_event(follow->cli, &events->items[i]))
			return cli_fail_code(follow->cli, ERR_IO, "stdout");
		follow->printed++;
	}
	if (!events->position[0] || strcmp(events->position, follow->position) == 0)
		return EXIT_DONE;
	bool first = !follow->position[0];
	snprintf(follow->position, sizeof(follow->position), "%s", events->position);
	// At the start the broker's answer may be the place the home has already.
	if (first && events->count == 0 && !follow->after) {
		char stored[40];

		oyez_vendor_cursor(follow->vendor, OYEZ_READER_PERSON, follow->subscription, stored);
		if (strcmp(stored, events->position) == 0)
			return EXIT_DONE;
	}
	if (oyez_vendor_confirm(follow->vendor, OYEZ_READER_PERSON, follow->subscription, follow->position, &error))
		return cli_fail(follow->cli, &error);
	return EXIT_DONE;
}

// Worth going on after, in a run that has no end of its own.
static bool passes_by_itself(enum err err)
{
	return err == ERR_UNREACHABLE || err == ERR_BUSY || err == ERR_UNAVAILABLE || err == ERR_STOPPING ||
	       err == ERR_TIMEOUT;
}

static bool finished(const struct follow *follow, bool more)
{
	if (follow->max && follow->printed >= follow->max)
		return true;
	if (follow->endless || more)
		return false;
	// With both --max and --wait the run goes on for what is missing; else the first answer is the answer.
	if (follow->printed && !(follow->max && follow->has_wait))
		return true;
	return now_ms() >= follow->until_ms;
}

static int run(struct follow *follow)
{
	struct oyez_events events = {0};
	struct oyez_error error = {0};
	bool reached = false, told = false, more = false;

	follow->until_ms = now_ms() + follow->wait_ms;
	do {
		if (read_some(follow, &events, &error)) {
			if (!follow->endless || !reached || !passes_by_itself(error.code))
				return cli_fail(follow->cli, &error);
			if (!told)
				cli_note(follow->cli, "(%s; trying again)", "(%s ; nouvel essai)",
				         err_message(error.code, follow->cli->french));
			told = true;
			pause_ms(RETRY_MS);
			continue;
		}
		reached = true;
		told = false;
		more = events.more;
		int code = tell(follow, &events);

		oyez_events_free(&events);
		if (code != EXIT_DONE)
			return code;
	} while (!finished(follow, more));
	return follow->printed == 0 && follow->has_wait ? EXIT_WAITED : EXIT_DONE;
}

// ---- the commands

struct follow_flags {
	const char *after, *trace, *why;
	uint64_t max, wait_ms;
	bool has_wait;
};

static int read_flags(struct cli *cli, int argc, char **argv, const struct option *options, struct follow_flags *flags)
{
	int option;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		switch (option) {
		case 'a':
			flags->after = optarg;
			break;
		case 'm':
			if (!cli_number_parse(cli, "--max", optarg, 1, 1000000000, &flags->max))
				return EXIT_USAGE;
			break;
		case 'w':
			flags->has_wait = true;
			if (!cli_wait_parse(cli, optarg, &flags->wait_ms))
				return EXIT_USAGE;
			break;
		case 't':
			flags->trace = optarg;
			break;
		case 'y':
			flags->why = optarg;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

static json_t *bit_names(uint32_t bits)
{
	json_t *names = json_array();

	for (unsigned bit = 0; oyez_facet_bit_name(bit); bit++) {
		if (bits & (1u << bit))
			json_array_append_new(names, json_string(oyez_facet_bit_name(bit)));
	}
	return names;
}

// What each name of PROTOCOL.md §6.5 means to the person who wrote the filter.
static void say_why(struct cli *cli, const char *name)
{
	static const struct {
		const char *name, *english, *french;
	} REASONS[] = {
	    {"category", "its category is not one of yours, or one you exclude, or not known closely enough for --exact",
	     "sa catégorie n'est pas l'une des vôtres, ou en est exclue, ou n'est pas connue d'assez près pour --exact"},
	    {"region", "its region is not one of yours, or not known closely enough for --exact",
	     "sa région n'est pas l'une des vôtres, ou n'est pas connue d'assez près pour --exact"},
	    {"budget", "its budget does not meet your prices, or is in another currency",
	     "son budget ne rencontre pas vos prix, ou est dans une autre monnaie"},
	    {"needed_by", "it is needed before the date you gave", "il le faut avant la date que vous avez donnée"},
	    {"condition", "it asks for another condition (new, used)", "l'état demandé est autre (neuf, occasion)"},
	    {"quantity", "it asks for a quantity that you do not serve",
	     "la quantité demandée n'est pas de celles que vous servez"},
	    {"fulfilment", "it asks for another way of handing over", "le mode de remise demandé est autre"},
	    {"language", "it is in another language", "elle est dans une autre langue"},
	    {"terms", "it comes with other terms than the filter's",
	     "elle vient avec d'autres conditions que celles du filtre"},
	    {"crowd", "its crowd is smaller than --min-crowd", "sa foule est plus petite que --min-crowd"},
	    {"vendor_country", "the customer wants vendors of other countries only",
	     "le client ne veut que des vendeurs d'autres pays"},
	    {"vendor_terms", "your listing does not agree to the customer's terms",
	     "votre fiche n'accepte pas les conditions du client"},
	    {"vendor_rating", "the customer wants vendors with a better rating", "le client veut des vendeurs mieux notés"},
	    {"released_before", "it was released before this subscription was made",
	     "elle a été publiée avant cet abonnement"},
	};

	for (size_t i = 0; i < sizeof(REASONS) / sizeof(REASONS[0]); i++) {
		if (strcmp(REASONS[i].name, name) == 0) {
			cli_say(cli, "  %s: %s", "  %s : %s", cli_label(cli, name),
			        cli_word(cli, REASONS[i].english, REASONS[i].french));
			return;
		}
	}
	cli_say(cli, "  %s", "  %s", name);
}

static void say_explanation(struct cli *cli, const Oyez__Explanation *explanation)
{
	if (explanation->n_failed == 0)
		cli_say(cli, "This release matches the subscription.", "Cette demande convient à l'abonnement.");
	else
		cli_say(cli, "This release does not reach the subscription:", "Cette demande n'atteint pas l'abonnement :");
	for (size_t i = 0; i < explanation->n_failed; i++) {
		char *name = cli_clean(explanation->failed[i]);

		say_why(cli, name);
		free(name);
	}
	for (unsigned bit = 0; oyez_facet_bit_name(bit); bit++) {
		if (explanation->maybe & (1u << bit))
			cli_say(cli, "  uncertain: %s (not published, or coarser than asked)",
			        "  incertain : %s (non publié, ou plus large que demandé)",
			        cli_label(cli, oyez_facet_bit_name(bit)));
	}
}

static int explain(struct cli *cli, struct oyez_vendor *vendor, const struct id *subscription, const char *text)
{
	struct release_id release;
	struct oyez_error error = {0};
	Oyez__Explanation *explanation;

	if (oyez_vendor_resolve(vendor, OYEZ_THING_RELEASE, text, release.bytes, &error) ||
	    oyez_vendor_explain(vendor, subscription, &release, &explanation, &error))
		return cli_fail(cli, &error);
	json_t *failed = json_array();
	for (size_t i = 0; i < explanation->n_failed; i++)
		json_array_append_new(failed, json_text(explanation->failed[i]));
	if (!cli->json) {
		say_explanation(cli, explanation);
		json_decref(failed);
		oyez__explanation__free_unpacked(explanation, NULL);
		return EXIT_DONE;
	}
	cli_object(cli, json_pack("{s:o, s:o, s:b, s:o, s:o}", "release", json_hex(release.bytes, RELEASE_ID_BYTES),
	                          "subscription", json_hex(subscription->bytes, ID_BYTES), "matches", explanation->matches,
	                          "failed", failed, "maybe", bit_names(explanation->maybe)));
	oyez__explanation__free_unpacked(explanation, NULL);
	return EXIT_DONE;
}

static int watch(struct cli *cli, const char *subscription, const struct follow_flags *flags)
{
	struct id id;
	struct oyez_error error = {0};
	int code = EXIT_DONE;
	struct follow follow = {.cli = cli,
	                        .subscription = &id,
	                        .after = flags->after,
	                        .max = flags->max,
	                        .wait_ms = flags->wait_ms,
	                        .has_wait = flags->has_wait,
	                        .endless = !flags->has_wait,
	                        .vendor = vendor_open(cli, &code)};

	if (!follow.vendor)
		return code;
	if (oyez_vendor_resolve(follow.vendor, OYEZ_THING_SUBSCRIPTION, subscription, id.bytes, &error)) {
		code = cli_fail(cli, &error);
	} else if (flags->why) {
		code = explain(cli, follow.vendor, &id, flags->why);
	} else if (flags->trace && !(follow.trace = fopen(flags->trace, "we"))) {
		char detail[256];

		snprintf(detail, sizeof(detail), "%.180s: %s", flags->trace, strerror(errno));
		code = cli_fail_code(cli, ERR_IO, detail);
	} else {
		code = run(&follow);
	}
	if (follow.trace)
		fclose(follow.trace);
	oyez_vendor_close(follow.vendor);
	return code;
}

int vendor_watch_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    {"after", required_argument, NULL, 'a'}, {"max", required_argument, NULL, 'm'},
	    {"wait", required_argument, NULL, 'w'},  {"trace", required_argument, NULL, 't'},
	    {"why", required_argument, NULL, 'y'},   {NULL, 0, NULL, 0}};
	struct follow_flags flags = {0};
	int code = read_flags(cli, argc, argv, options, &flags);

	if (code != EXIT_DONE)
		return code;
	if (!vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	return watch(cli, argv[optind], &flags);
}

int vendor_inbox_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"after", required_argument, NULL, 'a'},
	                                        {"max", required_argument, NULL, 'm'},
	                                        {"wait", required_argument, NULL, 'w'},
	                                        {NULL, 0, NULL, 0}};
	struct follow_flags flags = {0};
	int code = read_flags(cli, argc, argv, options, &flags);

	if (code != EXIT_DONE)
		return code;
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct follow follow = {.cli = cli,
	                        .after = flags.after,
	                        .max = flags.max,
	                        .wait_ms = flags.wait_ms,
	                        .has_wait = flags.has_wait,
	                        .vendor = vendor_open(cli, &code)};
	if (!follow.vendor)
		return code;
	code = run(&follow);
	oyez_vendor_close(follow.vendor);
	return code;
}
