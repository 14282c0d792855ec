// oyez vendor would-match: what a filter would have found, before anybody subscribes with it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"
#include "proto/values.h"

enum { OPTION_SINCE = FILTER_END, BAR_CELLS = 24 };
#define SINCE_DEFAULT "7d"

// One full block for the most frequent row times BAR_CELLS, eighths of a block at the end.
static void bar(uint64_t count, uint64_t most, char out[3 * BAR_CELLS + 4])
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	uint64_t eighths = most ? (count * BAR_CELLS * 8 + most - 1) / most : 0;
	char *at = out;

	for (; eighths >= 8; eighths -= 8) {
		memcpy(at, "█", 3);
		at += 3;
	}
	strcpy(at, parts[eighths]);
}

static void print_table(struct cli *cli, const Oyez__WouldMatchReply *found)
{
	const char *titles[] = {cli_label(cli, "category"), cli_label(cli, "region"), cli_word(cli, "releases", "demandes"),
	                        ""};
	struct cli_table *table = cli_table_new(cli, 4, titles);
	uint64_t shown = 0;

	for (size_t i = 0; i < found->n_rows; i++) {
		const Oyez__WouldMatchRow *row = found->rows[i];
		char count[24], picture[3 * BAR_CELLS + 4];

		snprintf(count, sizeof(count), "%llu", (unsigned long long)row->count);
		bar(row->count, found->rows[0]->count, picture);
		cli_table_row(table, (const char *const[]){*row->category ? row->category : "?",
		                                           *row->region ? row->region : "?", count, picture});
		shown += row->count;
	}
	cli_table_print(table);
	if (shown < found->count)
		cli_say(cli, "and %llu in other categories and regions", "et %llu dans d'autres catégories et régions",
		        (unsigned long long)(found->count - shown));
}

static void print_words(struct cli *cli, const Oyez__WouldMatchReply *found, const char *since)
{
	if (found->scanned == 0) {
		cli_say(cli, "Nothing was released here in the last %s.", "Rien n'a été publié ici en %s.", since);
		return;
	}
	cli_say(cli, "%llu of %llu releases of the last %s would have matched, %llu of them for certain.",
	        "%llu des %llu demandes publiées en %s auraient convenu, dont %llu avec certitude.",
	        (unsigned long long)found->count, (unsigned long long)found->scanned, since,
	        (unsigned long long)found->certain);
	if (found->n_rows > 0)
		print_table(cli, found);
}

static json_t *found_json(const Oyez__WouldMatchReply *found, uint64_t since_ms)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < found->n_rows; i++) {
		const Oyez__WouldMatchRow *row = found->rows[i];

		json_array_append_new(rows, json_pack("{s:o, s:o, s:I}", "category", json_text(row->category), "region",
		                                      json_text(row->region), "count", (json_int_t)row->count));
	}
	json_t *object =
	    json_pack("{s:I, s:I, s:I, s:o}", "count", (json_int_t)found->count, "certain", (json_int_t)found->certain,
	              "scanned", (json_int_t)found->scanned, "since", json_time(since_ms));
	if (found->from_ms)
		json_object_set_new(object, "from", json_time(found->from_ms));
	json_object_set_new(object, "rows", rows);
	return object;
}

static int count(struct cli *cli, const Oyez__Filter *filter, const char *since, uint64_t span_ms)
{
	struct oyez_error error = {0};
	Oyez__WouldMatchReply *found;
	int code = EXIT_DONE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);

	if (!vendor)
		return code;
	uint64_t now_ms = oyez_vendor_now_ms(vendor), since_ms = span_ms < now_ms ? now_ms - span_ms : 0;
	if (oyez_vendor_would_match(vendor, filter, since_ms, &found, &error)) {
		code = cli_fail(cli, &error);
	} else {
		if (cli->json)
			cli_object(cli, found_json(found, since_ms));
		else
			print_words(cli, found, since);
		oyez__would_match_reply__free_unpacked(found, NULL);
	}
	oyez_vendor_close(vendor);
	return code;
}

int vendor_would_match_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    FILTER_OPTIONS, {"since", required_argument, NULL, OPTION_SINCE}, {NULL, 0, NULL, 0}};
	struct filter_flags flags = {0};
	Oyez__Filter filter;
	const char *since = SINCE_DEFAULT;
	uint64_t span_ms;
	int option, code;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		if (option == OPTION_SINCE) {
			since = optarg;
			continue;
		}
		code = filter_flag(cli, &flags, option, optarg);
		if (code != EXIT_DONE)
			return code;
	}
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	if (duration_parse(since, &span_ms) != ERR_OK || span_ms == 0)
		return cli_usage(cli, cli->command, "--since: %s", err_hint(ERR_BAD_DATE, cli->french));
	code = filter_of_flags(cli, &flags, &filter);
	return code == EXIT_DONE ? count(cli, &filter, since, span_ms) : code;
}
