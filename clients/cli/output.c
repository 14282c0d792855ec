// What `oyez` prints: objects, errors, remarks; for people or as one JSON object a line.
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/cli.h"

const char *cli_word(const struct cli *cli, const char *english, const char *french)
{
	return cli->french && french ? french : english;
}

char *cli_clean(const char *text)
{
	char *out = strdup(text);
	if (!out)
		abort();
	for (unsigned char *at = (unsigned char *)out; *at; at++) {
		// C0, DEL, and C1 in its UTF-8 form (C2 80 to C2 9F)
		if (*at < 0x20 || *at == 0x7f)
			*at = *at == '\n' || *at == '\t' ? ' ' : '?';
		else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
			at[0] = at[1] = '?';
	}
	return out;
}

// ---- objects for people: one line a value, names flattened with dots, values in one column

static bool is_money(const json_t *value)
{
	return json_is_object(value) && json_object_size(value) == 2 && json_is_string(json_object_get(value, "amount")) &&
	       json_is_string(json_object_get(value, "currency"));
}

// `field` tells which list of words a value belongs to; "" for none.
static char *scalar_text(const struct cli *cli, const char *field, const json_t *value)
{
	char *text = NULL;
	if (is_money(value)) {
		if (asprintf(&text, "%s %s", json_string_value(json_object_get(value, "amount")),
		             json_string_value(json_object_get(value, "currency"))) < 0)
			abort();
		return text;
	}
	if (json_is_string(value))
		return cli_clean(cli_value_word(cli, field, json_string_value(value)));
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? cli_word(cli, "yes", "oui") : cli_word(cli, "no", "non"));
	if (json_is_null(value))
		return strdup("-");
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static char *join_array(const struct cli *cli, const json_t *array)
{
	char *joined = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&joined, &count);
	if (!stream)
		abort();
	size_t i;
	json_t *value;
	json_array_foreach(array, i, value)
	{
		char *text = scalar_text(cli, "", value);
		fprintf(stream, "%s%s", i ? ", " : "", text);
		free(text);
	}
	fclose(stream);
	return joined;
}

static void object_rows(const struct cli *cli, struct cli_table *table, const char *prefix, const json_t *object);

// Objects in a list: one group of rows each, numbered from 1.
static bool list_rows(const struct cli *cli, struct cli_table *table, const char *name, const json_t *list)
{
	size_t i;
	json_t *item;
	if (!json_is_object(json_array_get(list, 0)))
		return false;
	json_array_foreach(list, i, item)
	{
		char below[300];
		snprintf(below, sizeof(below), "%.250s.%zu.", name, i + 1);
		object_rows(cli, table, below, item);
	}
	return true;
}

static void object_rows(const struct cli *cli, struct cli_table *table, const char *prefix, const json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
	{
		char name[256];
		snprintf(name, sizeof(name), "%s%s", prefix, cli_label(cli, key));
		if (json_is_object(value) && !is_money(value)) {
			char below[300];
			snprintf(below, sizeof(below), "%s.", name);
			object_rows(cli, table, below, value);
			continue;
		}
		if (json_is_array(value) && list_rows(cli, table, name, value))
			continue;
		char *text = json_is_array(value) ? join_array(cli, value) : scalar_text(cli, key, value);
		cli_table_row(table, (const char *const[]){name, text});
		free(text);
	}
}

void cli_object(struct cli *cli, json_t *object)
{
	if (cli->json) {
		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		struct cli_table *table = cli_table_new(cli, 2, NULL);
		object_rows(cli, table, "", object);
		cli_table_print(table);
	}
	fflush(stdout);
	json_decref(object);
}

// ---- errors

int cli_exit_code(enum err code)
{
	switch (code) {
	case ERR_OK:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_UNREACHABLE:
	case ERR_HOME_UNREACHABLE:
		return EXIT_UNREACHABLE;
	case ERR_TIMEOUT:
		return EXIT_WAITED;
	default:
		return EXIT_REFUSED;
	}
}

static void print_error(struct cli *cli, const char *name, const char *message, const char *detail, const char *hint)
{
	if (cli->json) {
		json_t *error = json_pack("{s:s, s:s, s:s}", "code", name, "message", message, "hint", hint);
		if (detail && *detail)
			json_object_set_new(error, "detail", json_string(detail) ?: json_string("?"));
		cli_object(cli, json_pack("{s:o}", "error", error));
		return;
	}
	fflush(stdout);
	char *clean = cli_clean(detail ? detail : "");
	fprintf(stderr, "oyez: %s%s%s\n", message, *clean ? ": " : "", clean);
	if (*hint)
		fprintf(stderr, "      -> %s\n", hint);
	free(clean);
}

json_t *cli_error_json(const struct cli *cli, const struct oyez_error *error)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "code", err_name(error->code), "message",
	                           err_message(error->code, cli->french), "hint", err_hint(error->code, cli->french));
	if (*error->detail)
		json_object_set_new(object, "detail", json_string(error->detail) ?: json_string("?"));
	return object;
}

int cli_fail(struct cli *cli, const struct oyez_error *error)
{
	const char *hint = err_hint(error->code, cli->french);
	print_error(cli, err_name(error->code), err_message(error->code, cli->french), error->detail, hint);
	return cli_exit_code(error->code);
}

int cli_fail_code(struct cli *cli, enum err code, const char *detail)
{
	struct oyez_error error = {.code = code};
	snprintf(error.detail, sizeof(error.detail), "%s", detail ? detail : "");
	return cli_fail(cli, &error);
}

int cli_usage(struct cli *cli, const struct cli_command *command, const char *format, ...)
{
	char detail[512], hint[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	if (command)
		snprintf(hint, sizeof(hint), "%s oyez %s %s", cli_word(cli, "usage:", "usage :"), command->words,
		         command->usage ? command->usage : "");
	else
		snprintf(hint, sizeof(hint), "%s", err_hint(ERR_USAGE, cli->french));
	print_error(cli, err_name(ERR_USAGE), err_message(ERR_USAGE, cli->french), detail, hint);
	return EXIT_USAGE;
}

// ---- remarks

static void remark(struct cli *cli, FILE *stream, const char *english, const char *french, va_list args)
{
	if (cli->json)
		return;
	vfprintf(stream, cli_word(cli, english, french), args);
	fputc('\n', stream);
	fflush(stream);
}

void cli_say(struct cli *cli, const char *english, const char *french, ...)
{
	va_list args;
	va_start(args, french);
	remark(cli, stdout, english, french, args);
	va_end(args);
}

void cli_note(struct cli *cli, const char *english, const char *french, ...)
{
	va_list args;
	va_start(args, french);
	remark(cli, stderr, english, french, args);
	va_end(args);
}

void cli_note_privacy(struct cli *cli)
{
	if (cli->guardian) {
		cli_note(cli,
		         "two brokers: the guardian sees your network address, not what you want; the home broker sees what you "
		         "want, not who or where you are",
		         "deux courtiers : le gardien voit votre adresse réseau, pas ce que vous voulez ; l'autre voit ce que vous "
		         "voulez, ni qui ni où vous êtes");
		return;
	}
	cli_note(cli, "reduced privacy: this broker also sees your network address",
	         "confidentialité réduite : ce courtier voit aussi votre adresse réseau");
}
