// `oyez admin accounts` and `oyez admin invite`: what an operator does for the guardian's side of a broker.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/admin.h"
#include "clients/lib/view.h"
#include "proto/values.h"

// ---- accounts

static json_t *account_json(const Oyez__AccountItem *account)
{
	return json_pack("{s:o, s:o, s:s, s:I, s:I}", "account", json_binary(&account->account_id), "opened",
	                 json_time(account->opened_at_ms), "by", account->by_invite ? "invite" : "stamp", "vouchers_today",
	                 (json_int_t)account->vouchers_today, "boxes_open", (json_int_t)account->boxes_open);
}

static void account_row(struct cli_table *table, const json_t *account)
{
	char id[13], vouchers[24], boxes[24], day[11];
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(account, "account")));
	snprintf(day, sizeof(day), "%s", json_string_value(json_object_get(account, "opened")));
	snprintf(vouchers, sizeof(vouchers), "%lld",
	         (long long)json_integer_value(json_object_get(account, "vouchers_today")));
	snprintf(boxes, sizeof(boxes), "%lld", (long long)json_integer_value(json_object_get(account, "boxes_open")));
	cli_table_row(table, (const char *const[]){id, day, json_string_value(json_object_get(account, "by")), vouchers,
	                                           boxes});
}

// One page. EXIT_DONE or an exit code; *more: ask again from *offset.
static int accounts_page(struct admin *admin, struct cli_table *table, uint32_t *offset, bool *more)
{
	Oyez__AdminAccounts accounts = OYEZ__ADMIN_ACCOUNTS__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	Oyez__AdminReply *reply = NULL;
	accounts.offset = *offset;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_ACCOUNTS;
	request.accounts = &accounts;
	int code = admin_ask(admin, &request, OYEZ__ADMIN_REPLY__BODY_ACCOUNTS, &reply);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; i < reply->accounts->n_items; i++) {
		json_t *account = account_json(reply->accounts->items[i]);
		if (table)
			account_row(table, account);
		else
			cli_object(admin->cli, json_incref(account));
		json_decref(account);
	}
	*offset += (uint32_t)reply->accounts->n_items;
	*more = reply->accounts->more && reply->accounts->n_items;
	oyez__admin_reply__free_unpacked(reply, NULL);
	return EXIT_DONE;
}

int command_admin_accounts(struct cli *cli, int argc, char **argv)
{
	static const char *const titles[] = {"ACCOUNT", "OPENED", "BY", "VOUCHERS TODAY", "BOXES"};
	static const char *const titles_fr[] = {"COMPTE", "OUVERT", "PAR", "BONS DU JOUR", "BOÎTES"};
	struct admin admin;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	struct cli_table *table = cli->json ? NULL : cli_table_new(cli, 5, cli->french ? titles_fr : titles);
	uint32_t offset = 0;
	for (bool more = true; more && code == EXIT_DONE;)
		code = accounts_page(&admin, table, &offset, &more);
	if (table)
		cli_table_print(table);
	transport_close(admin.transport);
	return code;
}

// ---- invite

static int invite_options(struct admin *admin, Oyez__AdminInvite *invite)
{
	char *end;
	if (admin->count) {
		unsigned long count = strtoul(admin->count, &end, 10);
		if (*admin->count < '1' || *admin->count > '9' || *end || count > INVITES_MAX)
			return cli_usage(admin->cli, admin->cli->command,
			                 cli_word(admin->cli, "--count %s: write a number from 1 to %d",
			                          "--count %s : écrivez un nombre de 1 à %d"),
			                 admin->count, INVITES_MAX);
		invite->count = (uint32_t)count;
	}
	if (admin->valid) {
		uint64_t valid_ms;
		if (duration_parse(admin->valid, &valid_ms) || valid_ms < MINUTE_MS || valid_ms > EXPIRES_MS_MAX)
			return cli_usage(admin->cli, admin->cli->command,
			                 cli_word(admin->cli, "--valid %s: write a duration from 1m to 90d",
			                          "--valid %s : écrivez une durée de 1m à 90d"),
			                 admin->valid);
		invite->valid_ms = valid_ms;
	}
	return EXIT_DONE;
}

static void print_invites(struct cli *cli, const Oyez__InviteList *invites)
{
	for (size_t i = 0; i < invites->n_codes; i++)
		cli_object(cli, json_pack("{s:o, s:o}", "invite", json_text(invites->codes[i]), "valid_until",
		                          json_time(invites->valid_until_ms)));
}

int command_admin_invite(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	Oyez__AdminInvite invite = OYEZ__ADMIN_INVITE__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	Oyez__AdminReply *reply = NULL;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	code = invite_options(&admin, &invite);
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_INVITE;
	request.invite = &invite;
	if (code == EXIT_DONE)
		code = admin_ask(&admin, &request, OYEZ__ADMIN_REPLY__BODY_INVITES, &reply);
	if (code == EXIT_DONE) {
		print_invites(cli, reply->invites);
		oyez__admin_reply__free_unpacked(reply, NULL);
	}
	transport_close(admin.transport);
	return code;
}
