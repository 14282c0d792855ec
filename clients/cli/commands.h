// Handlers of all commands. A new command is a line here, a line in commands.c, and its handler.
#ifndef OYEZ_CLI_COMMANDS_H
#define OYEZ_CLI_COMMANDS_H

#include "clients/cli/cli.h"

#define CLI_HANDLER(name) int name(struct cli *cli, int argc, char **argv);

// customers
CLI_HANDLER(command_wallet_init)
CLI_HANDLER(command_wallet_backup)
CLI_HANDLER(command_wallet_restore)
CLI_HANDLER(command_wallet_alias)
CLI_HANDLER(command_wallet_wipe)
CLI_HANDLER(command_want)
CLI_HANDLER(command_intents)
CLI_HANDLER(command_show)
CLI_HANDLER(command_explain)
CLI_HANDLER(command_offers)
CLI_HANDLER(command_questions)
CLI_HANDLER(command_answer)
CLI_HANDLER(command_agent)
CLI_HANDLER(command_accept)
CLI_HANDLER(command_decline)
CLI_HANDLER(command_withdraw)
CLI_HANDLER(command_deals)
CLI_HANDLER(command_terms)
CLI_HANDLER(command_ledger)
CLI_HANDLER(command_message)
CLI_HANDLER(command_messages)
CLI_HANDLER(command_erase)
CLI_HANDLER(command_rate)
CLI_HANDLER(command_notices)
CLI_HANDLER(command_export)
CLI_HANDLER(command_verify)
CLI_HANDLER(command_import)
CLI_HANDLER(command_account_open)
CLI_HANDLER(command_account_show)
CLI_HANDLER(command_account_top_up)
CLI_HANDLER(command_not_here)

// vendors

// operators
CLI_HANDLER(command_admin_status)
CLI_HANDLER(command_admin_vendors)
CLI_HANDLER(command_admin_approve)
CLI_HANDLER(command_admin_suspend)
CLI_HANDLER(command_admin_compact)
CLI_HANDLER(command_admin_accounts)
CLI_HANDLER(command_admin_invite)
CLI_HANDLER(command_admin_notice)
CLI_HANDLER(command_admin_confirm_clock)

#endif
