// Before a person's text leaves: names what in it tells who they are, and asks.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/customer_cli.h"
#include "proto/scrub.h"

static void note_names(struct cli *cli)
{
	cli_note(cli, "Rules cannot find names of people: check for names yourself.",
	         "Aucune règle ne trouve les noms de personnes : vérifiez vous-même qu'il n'y en a pas.");
}

// Line and column, in characters from 1, as editors count.
static void place_of(const char *text, size_t at, unsigned *line, unsigned *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at && text[i]; i++) {
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)text[i + 1] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

static void note_finds(struct cli *cli, const char *text, const json_t *found)
{
	size_t i;
	json_t *find;
	cli_note(cli, "This in your text tells who you are:", "Ceci dans votre texte dit qui vous êtes :");
	json_array_foreach((json_t *)found, i, find)
	{
		unsigned line, column;
		place_of(text, (size_t)json_integer_value(json_object_get(find, "at")), &line, &column);
		char *clean = cli_clean(json_string_value(json_object_get(find, "text")));
		const char *kind = scrub_kind_word(json_string_value(json_object_get(find, "kind")), cli->french);
		cli_note(cli, "  %s: %s (line %u, column %u)", "  %s : %s (ligne %u, colonne %u)", kind, clean, line, column);
		free(clean);
	}
}

// What the person decides; OYEZ_PII_REFUSE: stop, or nobody to ask.
static enum oyez_pii ask(struct cli *cli)
{
	FILE *terminal = !cli->json && isatty(STDIN_FILENO) ? fopen("/dev/tty", "r") : NULL;
	char line[64] = "";
	if (!terminal)
		return OYEZ_PII_REFUSE;
	fprintf(stderr, "%s ",
	        cli_word(cli, "Mask it (m), send it as it is (s), or stop (Enter)?",
	                 "Le masquer (m), l'envoyer tel quel (e), ou arrêter (Entrée) ?"));
	fflush(stderr);
	if (!fgets(line, sizeof(line), terminal))
		line[0] = 0;
	fclose(terminal);
	switch (line[0]) {
	case 'm':
	case 'M':
		return OYEZ_PII_MASK;
	case 's':
	case 'S':
	case 'e':
	case 'E':
		return OYEZ_PII_ALLOW;
	default:
		return OYEZ_PII_REFUSE;
	}
}

static int refuse(struct cli *cli, json_t *found)
{
	struct oyez_error error = {.code = ERR_PII_FOUND};
	size_t i, used = 0;
	json_t *find;
	json_array_foreach(found, i, find)
	{
		const char *kind = json_string_value(json_object_get(find, "kind"));
		if (!strstr(error.detail, kind) && used < sizeof(error.detail))
			used += (size_t)snprintf(error.detail + used, sizeof(error.detail) - used, "%s%s", used ? ", " : "", kind);
	}
	if (!cli->json) {
		json_decref(found);
		return cli_fail(cli, &error);
	}
	cli_object(cli, json_pack("{s:o, s:o}", "error", cli_error_json(cli, &error), "found", found));
	return EXIT_REFUSED;
}

int scrub_before_sending(struct cli *cli, const char *text, enum oyez_pii *pii)
{
	json_t *found = NULL;
	if (!text || !*text)
		return EXIT_DONE;
	enum err err = oyez_scrub(text, &found);
	if (err)
		return cli_fail_code(cli, err, NULL);
	if (json_array_size(found)) {
		note_finds(cli, text, found);
		if (*pii == OYEZ_PII_REFUSE)
			*pii = ask(cli);
	}
	note_names(cli);
	if (json_array_size(found) && *pii == OYEZ_PII_REFUSE)
		return refuse(cli, found);
	if (json_array_size(found) && *pii == OYEZ_PII_MASK)
		cli_note(cli, "It is sent masked.", "C'est envoyé masqué.");
	else if (json_array_size(found))
		cli_note(cli, "It is sent as it is.", "C'est envoyé tel quel.");
	json_decref(found);
	return EXIT_DONE;
}

void scrub_note(struct cli *cli, const char *text)
{
	json_t *found = NULL;
	if (!text || !*text || oyez_scrub(text, &found))
		return;
	if (json_array_size(found))
		note_finds(cli, text, found);
	note_names(cli);
	json_decref(found);
}
