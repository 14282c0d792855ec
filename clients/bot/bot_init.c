// oyez bot init: a sample bot with its catalogue, an example trace and a README, ready to edit.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/bot/bot_sample.h"
#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"

static const struct language {
	const char *name, *bot, *catalogue, *category;
} languages[] = {
    {"python", "bot.py", "bicycles.json", "mobility.bicycles"},
    {"sh", "bot.sh", "kitchen.json", "home.kitchen"},
    {"node", "bot.mjs", "plumber.json", "services.home.plumbing"},
};

static const char readme[] =
    "# A vendor's bot\n"
    "\n"
    "`%s` reads one event a line (JSON) and writes one answer a line. `catalogue.json` is what you sell.\n"
    "\n"
    "Try it without a broker, on a few example events:\n"
    "\n"
    "    oyez bot test --replay example.jsonl --exec ./%s\n"
    "\n"
    "Then for real (once: `oyez vendor init --name NAME --url URL --country FR`):\n"
    "\n"
    "    oyez bot run --category %s --region FR --exec ./%s\n"
    "\n"
    "Events are the objects of `oyez vendor watch` and `oyez vendor inbox`: `release` (somebody wants something),\n"
    "`details` and `answer` (with `text`), `declined` (with `reason`), `agreement`, `reveal` (with `card`), `message` (with `text`), `erasure` (with `answer_by`), `gone`.\n"
    "New types may come: ignore what you do not know.\n"
    "\n"
    "Answers, each with the event's `release`:\n"
    "\n"
    "    "
    "{\"type\":\"offer\",\"release\":\"..\",\"price\":\"189.00\",\"currency\":\"EUR\",\"delivery_days\":3,\"needs\":["
    "\"name\"]}\n"
    "    {\"type\":\"details\",\"release\":\"..\"}                 ask for the wish's details\n"
    "    {\"type\":\"ask\",\"release\":\"..\",\"text\":\"..\"}         ask something else\n"
    "    {\"type\":\"pass\",\"release\":\"..\",\"reason\":\"..\"}      not for us\n"
    "\n"
    "An offer may also say `total`, `availability`, `origin`, `co2_g`, `warranty_months`, `returns_days`, `valid`\n"
    "(\"3d\"), `note` and `terms`. Answer within a minute; flush every line. What was not answered when the program ends is\n"
    "given to it again. Write diagnostics to stderr.\n"
    "\n"
    "Record your own trace with `oyez vendor watch SUBSCRIPTION --trace FILE`.\n";

static const struct bot_sample *sample_find(const char *name)
{
	for (const struct bot_sample *sample = bot_samples; sample->name; sample++) {
		if (strcmp(sample->name, name) == 0)
			return sample;
	}
	abort();
}

// All or nothing: no sample beside files that are somebody's own.
static int check_free(struct cli *cli, const char *folder, const char *const *names, size_t count)
{
	char path[4096], detail[256];

	for (size_t i = 0; i < count; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) < (int)sizeof(path) && access(path, F_OK) != 0)
			continue;
		snprintf(detail, sizeof(detail), "%.180s: %s", path, strerror(EEXIST));
		return cli_fail_code(cli, ERR_IO, detail);
	}
	return EXIT_DONE;
}

static int write_file(struct cli *cli, const char *folder, const char *name, const void *bytes, size_t count,
                      mode_t mode)
{
	char path[4096], detail[256];
	int fd = -1;
	bool good = snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path);

	if (good)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	good = fd >= 0 && write(fd, bytes, count) == (ssize_t)count;
	if (fd >= 0 && close(fd) != 0)
		good = false;
	if (good)
		return EXIT_DONE;
	snprintf(detail, sizeof(detail), "%.180s: %s", path, strerror(errno));
	return cli_fail_code(cli, ERR_IO, detail);
}

static int write_sample(struct cli *cli, const char *folder, const char *from, const char *name, mode_t mode)
{
	const struct bot_sample *sample = sample_find(from);

	return write_file(cli, folder, name, sample->bytes, sample->count, mode);
}

static int make(struct cli *cli, const char *folder, const struct language *language)
{
	char text[sizeof(readme) + 256], detail[256];
	int count = snprintf(text, sizeof(text), readme, language->bot, language->bot, language->category, language->bot);
	int code;

	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		snprintf(detail, sizeof(detail), "%.180s: %s", folder, strerror(errno));
		return cli_fail_code(cli, ERR_IO, detail);
	}
	const char *const names[] = {language->bot, "catalogue.json", "example.jsonl", "README.md"};
	code = check_free(cli, folder, names, sizeof(names) / sizeof(*names));
	if (code == EXIT_DONE)
		code = write_sample(cli, folder, language->bot, language->bot, 0777);
	if (code == EXIT_DONE)
		code = write_sample(cli, folder, language->catalogue, "catalogue.json", 0666);
	if (code == EXIT_DONE)
		code = write_sample(cli, folder, "example.jsonl", "example.jsonl", 0666);
	if (code == EXIT_DONE)
		code = write_file(cli, folder, "README.md", text, (size_t)count, 0666);
	if (code != EXIT_DONE)
		return code;
	cli_object(cli, json_pack("{s:o, s:s, s:[s,s,s,s]}", "folder", json_text(folder), "bot", language->bot, "files",
	                          language->bot, "catalogue.json", "example.jsonl", "README.md"));
	cli_say(cli, "Next: oyez bot test --replay %s/example.jsonl --exec %s/%s",
	        "Ensuite : oyez bot test --replay %s/example.jsonl --exec %s/%s", folder, folder, language->bot);
	return EXIT_DONE;
}

int bot_init_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"language", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
	const struct language *language = &languages[0];
	int option;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		language = NULL;
		for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
			if (strcmp(languages[i].name, optarg) == 0)
				language = &languages[i];
		}
		if (!language)
			return cli_usage(cli, cli->command, "--language sh|python|node");
	}
	if (!vendor_words(cli, argc, 1))
		return EXIT_USAGE;
	return make(cli, argv[optind], language);
}
