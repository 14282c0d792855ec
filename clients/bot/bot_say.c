// What the runner tells: its deeds on stdout, complaints on stderr. Cards and details never: they are for the program
// and for `oyez vendor deals`, not for a log.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "clients/bot/bot.h"

enum { COMPLAINTS_PER_WINDOW = 20, WINDOW_MS = 5000, LINE_SHOWN_BYTES = 120 };

static const char *did_word(const struct cli *cli, const char *did)
{
	static const char *const words[][3] = {
	    {"ready", "ready", "prêt"},
	    {"received", "received", "reçu"},
	    {"offer", "offered", "offre faite"},
	    {"details", "asked for details", "détails demandés"},
	    {"ask", "asked", "question posée"},
	    {"pass", "passed", "passe"},
	    {"countersign", "countersigned", "contresigné"},
	    {"erased", "erased", "effacé"},
	    {"refused", "refused", "refusé"},
	    {"waiting", "waiting for you", "vous attend"},
	    {"start", "program started", "programme lancé"},
	    {"end", "program ended", "programme terminé"},
	    {"stop", "stopped", "arrêté"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i][0], did) == 0)
			return words[i][cli->french ? 2 : 1];
	}
	return did;
}

static void print_value(const char *key, const json_t *value)
{
	char *text = NULL;

	if (json_is_object(value) && json_is_string(json_object_get(value, "amount"))) {
		printf("  %s %s", json_string_value(json_object_get(value, "amount")),
		       json_string_value(json_object_get(value, "currency")));
		return;
	}
	text =
	    json_is_string(value) ? cli_clean(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	// Long ids are cut for the eye; --json has them whole.
	bool id = text && strlen(text) >= 32 && text[strspn(text, "0123456789abcdef")] == '\0';
	if (id)
		strcmp(key, "release") == 0 ? printf("  %.12s", text) : printf("  (%s %.12s)", key, text);
	else
		printf("  %s", text ? text : "");
	free(text);
}

void bot_did(struct cli *cli, const char *did, json_t *object)
{
	if (cli->json) {
		json_t *line = json_pack("{s:s}", "did", did);

		json_object_update(line, object);
		json_decref(object);
		cli_object(cli, line);
		return;
	}
	const char *key;
	json_t *value;

	printf("%-18s", did_word(cli, did));
	if (json_object_get(object, "release"))
		print_value("release", json_object_get(object, "release"));
	json_object_foreach(object, key, value)
	{
		if (strcmp(key, "release") != 0)
			print_value(key, value);
	}
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

// The beginning of what a program wrote, whatever bytes it is made of.
static void show_line(const char *line)
{
	char *clean = cli_clean(line);
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)clean;

	fputs(": ", stderr);
	while (*at && at - (const utf8proc_uint8_t *)clean < LINE_SHOWN_BYTES) {
		utf8proc_int32_t point;
		utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &point);

		if (bytes > 0)
			fwrite(at, 1, (size_t)bytes, stderr);
		else
			fputc('?', stderr);
		at += bytes > 0 ? bytes : 1;
	}
	if (*at)
		fputs("...", stderr);
	free(clean);
}

void bot_complain(struct cli *cli, const char *line, const char *format, ...)
{
	static uint64_t window_ms;
	static unsigned count;
	uint64_t now = bot_now_ms();
	va_list args;

	if (now - window_ms > WINDOW_MS) {
		if (count > COMPLAINTS_PER_WINDOW)
			fprintf(stderr, cli_word(cli, "oyez bot: (and %u more like these)\n", "oyez bot : (et %u autres)\n"),
			        count - COMPLAINTS_PER_WINDOW);
		window_ms = now;
		count = 0;
	}
	if (++count > COMPLAINTS_PER_WINDOW)
		return;
	fputs("oyez bot: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (line && *line)
		show_line(line);
	fputc('\n', stderr);
}
