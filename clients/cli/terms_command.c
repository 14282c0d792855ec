// oyez terms: the roster of agreements a person can ask for, and each one's full text. Needs no wallet and no broker:
// the texts are part of the program, and their hashes say that everybody has the same.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"
#include "clients/lib/view.h"
#include "proto/id.h"
#include "proto/terms.h"

// The roster's stable words, as people read them.
static const struct {
	const char *word, *english, *french;
} WORDS[] = {
    {"service_delivery", "delivering what was asked for", "fournir ce qui est demandé"},
    {"guarantee", "the guarantee", "la garantie"},
    {"data_portability", "a copy of the data for the person", "une copie des données pour la personne"},
    {"own_statistics", "the vendor's own statistics", "les statistiques du vendeur lui-même"},
    {"own_tracking", "knowing the person again at the vendor's", "reconnaître la personne chez le vendeur"},
    {"further_offers", "further offers by the vendor", "d'autres offres du vendeur"},
    {"ai_training", "teaching the vendor's machines", "instruire les machines du vendeur"},
    {"ai_operation", "running the vendor's machines", "faire marcher les machines du vendeur"},
    {"public_good", "research that serves everybody", "une recherche utile à tous"},
    {"vendor", "the vendor", "le vendeur"},
    {"delivery_partner", "who helps deliver, for their part", "qui aide à livrer, pour sa part"},
    {"public_good_research", "researchers, without name and contacts", "des chercheurs, sans nom ni coordonnées"},
};

const char *cli_term_word(const struct cli *cli, const char *word)
{
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		if (strcmp(WORDS[i].word, word) == 0)
			return cli->french ? WORDS[i].french : WORDS[i].english;
	}
	return word;
}

static json_t *words_json(const char *const *list)
{
	json_t *words = json_array();
	for (; *list; list++)
		json_array_append_new(words, json_string(*list));
	return words;
}

static json_t *terms_json(const struct cli *cli, const struct terms *terms)
{
	uint8_t hash[HASH_BYTES];
	terms_hash(terms, hash);
	json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:s}", "terms", terms->id, "iri", terms->iri, "version",
	                           (int)terms->version, "retention_days", (int)terms->retention_days, "summary",
	                           cli->french ? terms->summary_fr : terms->summary_en);
	json_object_set_new(object, "purposes", words_json(terms->purposes));
	json_object_set_new(object, "recipients", words_json(terms->recipients));
	json_object_set_new(object, "hash", json_hex(hash, sizeof(hash)));
	return object;
}

static void say_list(struct cli *cli, const char *label, const char *const *list)
{
	printf("%s%s ", label, cli_word(cli, ":", " :"));
	for (size_t i = 0; list[i]; i++)
		printf("%s%s", i ? "; " : "", cli_term_word(cli, list[i]));
	printf("\n");
}

static int show_all(struct cli *cli)
{
	for (size_t i = 0; i < terms_count(); i++) {
		const struct terms *terms = terms_at(i);
		if (cli->json) {
			cli_object(cli, terms_json(cli, terms));
			continue;
		}
		printf("%-11s %s\n", terms->id, cli->french ? terms->summary_fr : terms->summary_en);
		printf(cli_word(cli, "            kept at most %u days after the deal\n",
		                "            gardées au plus %u jours après l'affaire\n"),
		       terms->retention_days);
	}
	cli_say(cli, "\nThe whole text: oyez terms ID. To ask for it: oyez want ... --terms ID.",
	        "\nLe texte entier : oyez terms ID. Pour le demander : oyez want ... --terms ID.");
	return EXIT_DONE;
}

static int show_one(struct cli *cli, const struct terms *terms)
{
	uint8_t hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];
	if (cli->json) {
		json_t *object = terms_json(cli, terms);
		json_object_set_new(object, "text_en", json_text(terms->text_en));
		json_object_set_new(object, "text_fr", json_text(terms->text_fr));
		cli_object(cli, object);
		return EXIT_DONE;
	}
	terms_hash(terms, hash);
	hex_encode(hash, sizeof(hash), hex);
	printf("%s\n", cli->french ? terms->text_fr : terms->text_en);
	say_list(cli, cli_word(cli, "for", "pour"), terms->purposes);
	say_list(cli, cli_word(cli, "who gets any of it", "qui en reçoit"), terms->recipients);
	printf(cli_word(cli, "kept at most: %u days after the deal\n", "gardées au plus : %u jours après l'affaire\n"),
	       terms->retention_days);
	printf("%s\n%s %s\n", terms->iri, cli_word(cli, "text hash:", "empreinte du texte :"), hex);
	return EXIT_DONE;
}

int command_terms(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	optind = 0;
	if (cli_getopt(cli, argc, argv, options) != -1)
		return EXIT_USAGE;
	if (argc == optind)
		return show_all(cli);
	if (!cli_words(cli, argc, 1))
		return EXIT_USAGE;
	int index = terms_find(argv[optind]);
	if (index >= 0)
		return show_one(cli, terms_at((size_t)index));
	const char *near[3];
	char detail[160];
	terms_suggest(argv[optind], near);
	snprintf(detail, sizeof(detail), "%.40s: %s, %s, %s", argv[optind], near[0], near[1], near[2]);
	return cli_fail_code(cli, ERR_UNKNOWN_TERMS, detail);
}
