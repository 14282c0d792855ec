// `oyez admin notice`: what people should know, such as a breach at a vendor. Every wallet reads every notice and looks
// in its own ledger, so nobody has to be named.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/admin.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

struct deals {
	ProtobufCBinaryData *items;
	size_t count;
};

// ---- options

static int bad_deal(struct cli *cli, const char *path, unsigned line)
{
	return cli_usage(cli, NULL,
	                 cli_word(cli, "--deals %s, line %u: a whole deal id of 64 hex digits is expected",
	                          "--deals %s, ligne %u : un identifiant d'accord entier, de 64 chiffres hexadécimaux"),
	                 path, line);
}

static int add_deal(struct deals *deals, const char *text)
{
	uint8_t *id = malloc(ID_BYTES);
	deals->items = realloc(deals->items, (deals->count + 1) * sizeof(*deals->items));
	if (!id || !deals->items)
		abort();
	deals->items[deals->count++] = (ProtobufCBinaryData){.len = ID_BYTES, .data = id};
	return hex_decode(text, id, ID_BYTES) ? EXIT_DONE : EXIT_USAGE;
}

// One id a line; empty lines and those that begin with # say nothing.
static int read_deals(struct cli *cli, const char *path, struct deals *deals)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t count;
	int code = EXIT_DONE;
	if (!file) {
		char detail[256];
		snprintf(detail, sizeof(detail), "%.180s: %s", path, strerror(errno));
		return cli_fail_code(cli, ERR_IO, detail);
	}
	for (unsigned number = 1; code == EXIT_DONE && (count = getline(&line, &room, file)) >= 0; number++) {
		while (count > 0 && strchr(" \t\r\n", line[count - 1]))
			line[--count] = '\0';
		if (count > 0 && line[0] != '#' && add_deal(deals, line) != EXIT_DONE)
			code = bad_deal(cli, path, number);
	}
	free(line);
	fclose(file);
	if (code == EXIT_DONE && deals->count == 0)
		code = cli_usage(cli, NULL, "--deals %s: %s", path,
		                 cli_word(cli, "no deal is named in it", "aucun accord n'y est nommé"));
	return code;
}

static void deals_fini(struct deals *deals)
{
	for (size_t i = 0; i < deals->count; i++)
		free(deals->items[i].data);
	free(deals->items);
}

// Days in UTC: --from at its beginning, --to at its end.
static int read_day(struct cli *cli, const char *option, const char *text, bool end, uint64_t *at_ms)
{
	uint32_t day;
	if (!text)
		return EXIT_DONE;
	if (day_parse(text, &day))
		return cli_usage(cli, cli->command,
		                 cli_word(cli, "%s %s: write a day as 2027-01-31", "%s %s : écrivez un jour comme 2027-01-31"),
		                 option, text);
	*at_ms = day * DAY_MS + (end ? DAY_MS - 1 : 0);
	return EXIT_DONE;
}

// `names` is cut into its words.
static int read_fields(struct cli *cli, char *names, Oyez__AdminNotice *notice)
{
	char *rest = NULL;
	for (char *name = strtok_r(names, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
		if (notice->n_fields == NOTICE_FIELDS_MAX || strlen(name) > FIELD_NAME_BYTES_MAX)
			return cli_usage(cli, cli->command, "--fields %s", name);
		notice->fields[notice->n_fields++] = name;
	}
	return EXIT_DONE;
}

// ---- publishing

static int say_notice(struct cli *cli, const Oyez__Signed *wrapped)
{
	Oyez__Notice *notice;
	if (codec_decode_notice(NULL, wrapped->record.data, wrapped->record.len, &notice, NULL))
		return cli_fail_code(cli, ERR_BAD_MESSAGE, "the notice");
	struct id id = signed_id_of(TAG_RECORD_ID, wrapped);
	cli_object(cli, json_pack("{s:I, s:o, s:o, s:o, s:I}", "notice", (json_int_t)notice->number, "id",
	                          json_hex(id.bytes, ID_BYTES), "at", json_time(notice->at_ms), "text",
	                          json_text(notice->text), "deals", (json_int_t)notice->n_deals));
	oyez__notice__free_unpacked(notice, NULL);
	return EXIT_DONE;
}

static int publish(struct admin *admin, Oyez__AdminNotice *notice)
{
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	Oyez__AdminReply *reply = NULL;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_NOTICE;
	request.notice = notice;
	int code = admin_ask(admin, &request, OYEZ__ADMIN_REPLY__BODY_NOTICE, &reply);
	if (code != EXIT_DONE)
		return code;
	code = say_notice(admin->cli, reply->notice);
	oyez__admin_reply__free_unpacked(reply, NULL);
	return code;
}

// A notice names so many deals at most; more make several.
static int publish_all(struct admin *admin, Oyez__AdminNotice *notice, const struct deals *deals)
{
	int code = EXIT_DONE;
	if (deals->count == 0)
		return publish(admin, notice);
	for (size_t at = 0; at < deals->count && code == EXIT_DONE; at += notice->n_deals) {
		notice->deals = deals->items + at;
		notice->n_deals = deals->count - at < NOTICE_DEALS_MAX ? deals->count - at : NOTICE_DEALS_MAX;
		code = publish(admin, notice);
	}
	return code;
}

static int run(struct admin *admin, const char *text, struct deals *deals)
{
	struct cli *cli = admin->cli;
	struct id vendor;
	char *names[NOTICE_FIELDS_MAX], *fields = strdup(admin->fields ? admin->fields : "");
	Oyez__AdminNotice notice = OYEZ__ADMIN_NOTICE__INIT;
	notice.text = (char *)text;
	notice.fields = names;
	int code = read_fields(cli, fields, &notice);
	if (code == EXIT_DONE)
		code = read_day(cli, "--from", admin->from, false, &notice.from_ms);
	if (code == EXIT_DONE)
		code = read_day(cli, "--to", admin->to, true, &notice.to_ms);
	if (code == EXIT_DONE && admin->deals)
		code = read_deals(cli, admin->deals, deals);
	if (code == EXIT_DONE && admin->vendor)
		code = admin_vendor_find(admin, admin->vendor, &vendor);
	if (admin->vendor)
		notice.vendor_id = (ProtobufCBinaryData){.len = ID_BYTES, .data = vendor.bytes};
	if (code == EXIT_DONE)
		code = publish_all(admin, &notice, deals);
	free(fields);
	return code;
}

int command_admin_notice(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	struct deals deals = {0};
	int code = admin_open(cli, argc, argv, 1, &admin);
	if (code != EXIT_DONE)
		return code;
	if (admin.deals && (admin.vendor || admin.from || admin.to))
		code = cli_usage(cli, cli->command, "%s",
		                 cli_word(cli, "give --deals, or --vendor with --from and --to, not both",
		                          "donnez --deals, ou --vendor avec --from et --to, pas les deux"));
	else
		code = run(&admin, argv[optind], &deals);
	deals_fini(&deals);
	transport_close(admin.transport);
	return code;
}
