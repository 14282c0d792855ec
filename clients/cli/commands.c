// The list of commands. "oyez help" is printed from it, in this order; without a summary a command is not shown there.
#include "clients/cli/commands.h"
#include "clients/cli/vendor_commands.h"

#define WANT_FLAGS                                                                                                     \
	"[--budget MIN-MAX] [--currency EUR] [--needed-by DATE] [--quantity N] [--condition new|used|any] "                \
	"[--fulfilment delivery|pickup|onsite|any] [--language fr] [--terms ID] [--reach region|country|world] "           \
	"[--crowd K] [--waive-crowd] [--coarsest STEP] [--patience 10m] [--expires 7d] [--deals-max N] "                   \
	"[--vendor-country CC]... [--min-rating R] [--allow|--block VENDOR]... [--share-details ask|auto|never] "          \
	"[--share-max N] [--details FILE] [--mask-pii | --allow-pii]"

int command_not_here(struct cli *cli, int argc, char **argv)
{
	(void)argc, (void)argv;
	return cli_usage(cli, NULL,
	                 cli_word(cli, "\"oyez %s\" is not in this version", "« oyez %s » n'est pas dans cette version"),
	                 cli->command->words);
}

// clang-format off
const struct cli_command cli_commands[] = {
	{"wallet init", command_wallet_init, "", "make a wallet in --home", "faire un portefeuille dans --home"},
	{"wallet backup", command_wallet_backup, "FILE", "copy the wallet, encrypted, to FILE", "copier le portefeuille, chiffré, dans FICHIER"},
	{"wallet restore", command_wallet_restore, "FILE", "bring a backup back", "reprendre une sauvegarde"},
	{"wallet alias", command_wallet_alias, "[PATTERN | --clear]", "give each deal an e-mail address of its own, such as *@me.example", "donner à chaque accord sa propre adresse électronique, comme *@moi.example"},
	{"wallet wipe", command_wallet_wipe, "[--yes]", "overwrite and remove the wallet; says what others still hold", "écraser et supprimer le portefeuille ; dit ce que d'autres détiennent encore"},
	{"want", command_want, "TEXT --category ID --region CODE " WANT_FLAGS " [--preview]", "call what you want, without your name", "crier ce que vous voulez, sans votre nom"},
	{"intents", command_intents, "", "your intents", "vos intentions"},
	{"show", command_show, "INTENT", "one intent, and what vendors see of it", "une intention, et ce que les vendeurs en voient"},
	{"explain", command_explain, "INTENT", "who can see what of it, now", "qui peut en voir quoi, maintenant"},
	{"offers", command_offers, "INTENT [--wait S] [--sort price|delivery|rating|co2] [--max N]", "offers that came, or wait for them", "les offres venues, ou les attendre"},
	{"questions", command_questions, "INTENT [--wait S] [--max N]", "vendors' questions that wait for you", "les questions des vendeurs qui vous attendent"},
	{"answer", command_answer, "QUESTION [TEXT] [--mask-pii | --allow-pii]", "answer one; without TEXT give the stored details", "y répondre ; sans TEXTE, donner les détails conservés"},
	{"accept", command_accept, "OFFER --card FILE [--fields name,email,...] [--terms ID] [--plain-email] [--wait S] [--countersign-within 24h] [--reveal-within 7d]", "accept an offer; your card leaves once both have signed", "accepter une offre ; votre fiche part quand les deux ont signé"},
	{"decline", command_decline, "OFFER [--reason CODE]", "decline an offer", "refuser une offre"},
	{"withdraw", command_withdraw, "INTENT", "withdraw an intent", "retirer une intention"},
	{"terms", command_terms, "[ID]", "the agreements you can ask for; with ID, the whole text", "les accords que vous pouvez demander ; avec ID, le texte entier"},
	{"deals", command_deals, "", "your deals", "vos accords"},
	{"message", command_message, "DEAL TEXT [--mask-pii | --allow-pii]", "write to the vendor of a deal, sealed, without an e-mail address", "écrire au vendeur d'un accord, scellé, sans adresse électronique"},
	{"messages", command_messages, "DEAL [--wait S]", "what you and the vendor wrote about a deal, or wait for more", "ce que vous et le vendeur avez écrit sur un accord, ou attendre la suite"},
	{"erase", command_erase, "DEAL [--within 30d]", "ask the vendor to delete what it holds of you", "demander au vendeur d'effacer ce qu'il détient de vous"},
	{"rate", command_rate, "DEAL --stars N", "rate a concluded deal, 1 to 5, once", "noter un accord conclu, de 1 à 5, une fois"},
	{"ledger", command_ledger, "[--who ALIAS | --export FILE [--format oyez|iso27560]]", "who received what from you, when, until when; whose an alias is", "qui a reçu quoi de vous, quand, jusqu'à quand ; à qui est un alias"},
	{"notices", command_notices, "", "the brokers' public notices, and what of yours they touch", "les avis publics des courtiers, et ce qui de vous y touche"},
	{"export", command_export, "[FILE]", "everything your wallet knows, as readable JSON", "tout ce que sait votre portefeuille, en JSON lisible"},
	{"verify", command_verify, "FILE [--key BROKERKEY]", "check an exported ledger, receipt or notice without anybody's help", "vérifier sans l'aide de personne un registre, un reçu ou un avis exporté"},
	{"agent", command_agent, "[--wait S]", "stay connected: answer by your rules, finish deals", "rester connecté : répondre selon vos règles, finir les accords"},
	{"import", command_import, "FILE [--post] [--category ID] [--region CODE] " WANT_FLAGS, "an intent from a schema.org, Beckn or UBL file", "une intention à partir d'un fichier schema.org, Beckn ou UBL"},
	{"account open", command_account_open, "[--invite CODE]", "open an account at the guardian, with a code or by proof of work", "ouvrir un compte chez le gardien, avec un code ou par preuve de travail"},
	{"account show", command_account_show, "", "what the account may still do, the tokens left, the home brokers", "ce que le compte permet encore, les jetons restants, les courtiers d'attache"},
	{"account top-up", command_account_top_up, "", "ask for more tokens, ahead of the posts that need them", "demander d'autres jetons, avant les annonces qui en ont besoin"},
	VENDOR_COMMANDS,
	BOT_COMMANDS,
	{"admin status", command_admin_status, "[--data DIR]", "how the broker is", "comment va le courtier"},
	{"admin vendors", command_admin_vendors, "[--data DIR]", "the vendors registered", "les vendeurs inscrits"},
	{"admin approve", command_admin_approve, "VENDOR [--data DIR]", "let a vendor in", "admettre un vendeur"},
	{"admin suspend", command_admin_suspend, "VENDOR --reason R [--data DIR]", "shut a vendor out", "exclure un vendeur"},
	{"admin confirm-clock", command_admin_confirm_clock, "[--data DIR]", "say that the clock is right after it jumped; expiry goes on", "dire que l'horloge est juste après son saut ; les échéances reprennent"},
	{"admin accounts", command_admin_accounts, "[--data DIR]", "the accounts this guardian has", "les comptes de ce gardien"},
	{"admin invite", command_admin_invite, "[--count N] [--valid 30d] [--data DIR]", "make invitation codes, each good for one account", "faire des codes d'invitation, chacun pour un compte"},
	{"admin notice", command_admin_notice, "TEXT [--vendor VENDOR] [--from DATE] [--to DATE] [--fields name,email,...] | TEXT --deals FILE [--data DIR]", "publish a signed notice that every wallet reads and matches with its own ledger", "publier un avis signé, que chaque portefeuille lit et compare à son propre registre"},
	{"admin compact", command_admin_compact, "[--data DIR]", "rewrite the store without what was deleted", "réécrire la base sans ce qui fut effacé"},
	// Names of the contract that this version does not have: said plainly, not taken for a typing error.
	{"admin peers", command_not_here, "", NULL, NULL},
	{"admin peer", command_not_here, "", NULL, NULL},
	{"admin backup", command_not_here, "DIR", NULL, NULL},
	{"admin doctor", command_not_here, "", NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};
// clang-format on
