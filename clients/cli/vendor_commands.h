// The vendor's commands as rows for the table in commands.c: put VENDOR_COMMANDS and BOT_COMMANDS inside it.
// What each does stands in vendor_*.c and in clients/bot/.
#ifndef OYEZ_CLI_VENDOR_COMMANDS_H
#define OYEZ_CLI_VENDOR_COMMANDS_H

#include "cli.h"

int vendor_init_run(struct cli *cli, int argc, char **argv);
int vendor_register_run(struct cli *cli, int argc, char **argv);
int vendor_show_run(struct cli *cli, int argc, char **argv);
int vendor_well_known_run(struct cli *cli, int argc, char **argv);
int vendor_subscribe_run(struct cli *cli, int argc, char **argv);
int vendor_subscriptions_run(struct cli *cli, int argc, char **argv);
int vendor_would_match_run(struct cli *cli, int argc, char **argv);
int vendor_unsubscribe_run(struct cli *cli, int argc, char **argv);
int vendor_watch_run(struct cli *cli, int argc, char **argv);
int vendor_offer_run(struct cli *cli, int argc, char **argv);
int vendor_details_run(struct cli *cli, int argc, char **argv);
int vendor_ask_run(struct cli *cli, int argc, char **argv);
int vendor_withdraw_offer_run(struct cli *cli, int argc, char **argv);
int vendor_inbox_run(struct cli *cli, int argc, char **argv);
int vendor_countersign_run(struct cli *cli, int argc, char **argv);
int vendor_deals_run(struct cli *cli, int argc, char **argv);
int vendor_message_run(struct cli *cli, int argc, char **argv);
int vendor_erased_run(struct cli *cli, int argc, char **argv);
int vendor_refuse_erasure_run(struct cli *cli, int argc, char **argv);
int bot_run_run(struct cli *cli, int argc, char **argv);
int bot_test_run(struct cli *cli, int argc, char **argv);
int bot_init_run(struct cli *cli, int argc, char **argv);

#define SUBSCRIBE_USAGE                                                                                                \
	"[--category ID]... [--not-category ID]... [--region CODE]... [--budget MIN-MAX] [--currency C] "                  \
	"[--needed-by DATE] [--condition C] [--quantity MIN-MAX] [--fulfilment F] [--language L] [--terms ID]... "         \
	"[--min-crowd K] [--exact|--maybe]"

// clang-format off
#define VENDOR_COMMANDS \
	{"vendor init", vendor_init_run, "--name N --url U --country CC [--terms ID]...", "make a vendor's identity and listing in --home", "créer l'identité et la fiche d'un vendeur dans --home"}, \
	{"vendor register", vendor_register_run, "", "register the listing with the broker", "inscrire la fiche chez le courtier"}, \
	{"vendor well-known", vendor_well_known_run, "", "the page that proves that your address is yours", "la page qui prouve que votre adresse est à vous"}, \
	{"vendor show", vendor_show_run, "", "the listing, and what the broker says of it", "la fiche, et ce qu'en dit le courtier"}, \
	{"vendor subscribe", vendor_subscribe_run, SUBSCRIBE_USAGE, "store a filter; `watch` then shows what matches", "enregistrer un filtre ; `watch` montre ensuite ce qui convient"}, \
	{"vendor subscriptions", vendor_subscriptions_run, "", "the filters stored at the broker", "les filtres enregistrés chez le courtier"}, \
	{"vendor unsubscribe", vendor_unsubscribe_run, "SUBSCRIPTION", "remove a filter", "retirer un filtre"}, \
	{"vendor would-match", vendor_would_match_run, "[--since 7d] " SUBSCRIBE_USAGE, "how many past releases a filter would have matched", "combien de demandes passées un filtre aurait trouvées"}, \
	{"vendor watch", vendor_watch_run, "SUBSCRIPTION [--after CURSOR] [--max N] [--wait S] [--trace FILE] | SUBSCRIPTION --why RELEASE", "releases that match, and those that ended", "les demandes qui conviennent, et celles qui ont pris fin"}, \
	{"vendor offer", vendor_offer_run, "RELEASE --price 189.00 --currency EUR [--total T] [--availability in_stock|made_to_order|...] [--delivery-days N] [--origin CC] [--co2-g N] [--warranty-months N] [--returns-days N] [--valid 3d] [--needs name,address] [--note TEXT] [--terms ID]", "make an offer; with --terms, under other terms than asked for", "faire une offre ; avec --terms, sous d'autres conditions que celles demandées"}, \
	{"vendor details", vendor_details_run, "RELEASE", "ask for an intent's details", "demander les détails d'une demande"}, \
	{"vendor ask", vendor_ask_run, "RELEASE TEXT", "ask a free question", "poser une question libre"}, \
	{"vendor withdraw-offer", vendor_withdraw_offer_run, "OFFER", "withdraw an offer", "retirer une offre"}, \
	{"vendor inbox", vendor_inbox_run, "[--after CURSOR] [--max N] [--wait S]", "answers, agreements to countersign, revealed cards, messages, erasures", "réponses, accords à contresigner, fiches révélées, messages, effacements"}, \
	{"vendor countersign", vendor_countersign_run, "DEAL", "sign the agreement a customer signed", "signer l'accord qu'un client a signé"}, \
	{"vendor deals", vendor_deals_run, "", "deals, with the cards held", "les accords, avec les fiches détenues"}, \
	{"vendor message", vendor_message_run, "DEAL TEXT", "write to the customer of a deal", "écrire au client d'un accord"}, \
	{"vendor erased", vendor_erased_run, "DEAL", "delete what is held of a deal's customer, and sign that it is gone", "effacer ce qui est détenu du client d'un accord, et signer que c'est fait"}, \
	{"vendor refuse-erasure", vendor_refuse_erasure_run, "DEAL --ground TEXT", "refuse an erasure, naming the law", "refuser un effacement, en nommant la loi"}

#define BOT_COMMANDS \
	{"bot run", bot_run_run, SUBSCRIBE_USAGE " --exec CMD [--countersign auto|ask] [--erase auto|ask] [--answer-timeout 60s]", "run a program of yours as a vendor's bot", "faire tourner votre programme comme robot de vendeur"}, \
	{"bot init", bot_init_run, "DIR [--language sh|python|node]", "write a sample bot ready to edit", "écrire un robot d'exemple à modifier"}, \
	{"bot test", bot_test_run, "--replay FILE --exec CMD [--answer-timeout 10s]", "try a bot on a trace, without a broker", "essayer un robot sur une trace, sans courtier"}
// clang-format on

#endif
