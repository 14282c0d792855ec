// Words of the JSON contract as people read them, in English and French. The contract's own words never change.
#include <string.h>

#include "cli.h"

struct word {
	const char *word, *english, *french;
};

// Names of fields.
static const struct word LABELS[] = {
    {"accepted_at", "accepted at", "accepté le"},
    {"ask", "ask", "demander"},
    {"at", "at", "le"},
    {"availability", "availability", "disponibilité"},
    {"broadcast", "broadcast", "diffusé"},
    {"broker", "broker", "courtier"},
    {"budget", "budget", "budget"},
    {"category", "category", "catégorie"},
    {"clock_held", "clock held", "horloge retenue"},
    {"condition", "condition", "état du bien"},
    {"countersign_by", "countersign by", "à contresigner avant"},
    {"country", "country", "pays"},
    {"crowd", "crowd", "foule"},
    {"currency", "currency", "monnaie"},
    {"deal", "deal", "accord"},
    {"deals", "deals", "accords"},
    {"deals_open", "deals open", "accords ouverts"},
    {"details", "details", "détails"},
    {"estimate", "estimate", "estimation"},
    {"expires", "expires", "fin"},
    {"expires_at", "expires at", "fin le"},
    {"feed_length", "feed length", "longueur du flux"},
    {"fields", "fields", "champs"},
    {"fulfilment", "fulfilment", "remise"},
    {"given", "given", "donné"},
    {"intent", "intent", "intention"},
    {"intents_released", "intents released", "intentions publiées"},
    {"intents_waiting", "intents waiting", "intentions en attente"},
    {"language", "language", "langue"},
    {"listing", "listing", "inscription"},
    {"made_at", "made at", "fait le"},
    {"max", "max", "max"},
    {"min", "min", "min"},
    {"min_rating", "lowest rating", "note minimale"},
    {"name", "name", "nom"},
    {"needed_by", "needed by", "pour le"},
    {"needed_by_band", "needed within", "besoin d'ici"},
    {"offer", "offer", "offre"},
    {"offers", "offers", "offres"},
    {"parked", "waiting requests", "demandes en attente"},
    {"privacy", "privacy", "confidentialité"},
    {"quantity", "quantity", "quantité"},
    {"questions", "questions", "questions"},
    {"reach", "reach", "portée"},
    {"region", "region", "région"},
    {"registered", "registered", "inscrit"},
    {"release", "release", "publication"},
    {"reveal_by", "reveal by", "à révéler avant"},
    {"share_details", "share details", "donner les détails"},
    {"status", "status", "état"},
    {"store_bytes", "bytes on disk", "octets sur disque"},
    {"subscription", "subscription", "abonnement"},
    {"subscriptions", "subscriptions", "abonnements"},
    {"terms", "terms", "conditions"},
    {"tick", "tick", "battement"},
    {"total", "total", "total"},
    {"up", "up", "depuis"},
    {"vendor", "vendor", "vendeur"},
    {"vendor_country", "vendor's country", "pays du vendeur"},
    {"vendor_name", "vendor's name", "nom du vendeur"},
    {"vendor_url", "vendor's address", "adresse du vendeur"},
    {"vendors", "vendors", "vendeurs"},
    {"version", "version", "version"},
    {"wallet", "wallet", "portefeuille"},
    {"want", "wanted", "voulue"},
};

// Values out of closed lists, under these fields only: a person's own text is never translated.
static const char *const CLOSED_FIELDS[] = {"status",  "condition",     "fulfilment", "availability",
                                            "privacy", "share_details", "reach"};
static const struct word VALUES[] = {
    {"accepted", "accepted", "accepté"},
    {"any", "any", "indifférent"},
    {"approved", "approved", "admis"},
    {"ask", "ask", "demander"},
    {"auto", "automatically", "automatiquement"},
    {"concluded", "concluded", "conclu"},
    {"countersigned", "countersigned", "contresigné"},
    {"country", "country", "pays"},
    {"delivery", "delivery", "livraison"},
    {"expired", "expired", "échu"},
    {"in_stock", "in stock", "en stock"},
    {"lapsed", "lapsed", "caduc"},
    {"made_to_order", "made to order", "sur commande"},
    {"never", "never", "jamais"},
    {"new", "new", "neuf"},
    {"onsite", "on site", "sur place"},
    {"out_of_stock", "out of stock", "épuisé"},
    {"pending", "pending", "à envoyer"},
    {"pickup", "pick-up", "à retirer"},
    {"pre_order", "pre-order", "en précommande"},
    {"reduced", "reduced", "réduite"},
    {"refused", "refused", "refusé"},
    {"region", "region", "région"},
    {"released", "released", "publié"},
    {"revealed", "revealed", "révélé"},
    {"suspended", "suspended", "suspendu"},
    {"used", "used", "d'occasion"},
    {"waiting", "waiting", "en attente"},
    {"withdrawn", "withdrawn", "retiré"},
    {"world", "world", "monde"},
};

static const char *look_up(const struct cli *cli, const struct word *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].word, word) == 0)
			return cli->french ? words[i].french : words[i].english;
	}
	return word;
}

const char *cli_label(const struct cli *cli, const char *field)
{
	return look_up(cli, LABELS, sizeof(LABELS) / sizeof(*LABELS), field);
}

const char *cli_value_word(const struct cli *cli, const char *field, const char *value)
{
	for (size_t i = 0; i < sizeof(CLOSED_FIELDS) / sizeof(*CLOSED_FIELDS); i++) {
		if (strcmp(CLOSED_FIELDS[i], field) == 0)
			return look_up(cli, VALUES, sizeof(VALUES) / sizeof(*VALUES), value);
	}
	return value;
}
