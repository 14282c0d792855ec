// Words of the JSON contract as people read them, in English and French. The contract's own words never change.
#include <string.h>

#include "cli.h"

struct word {
	const char *word, *english, *french;
};

// Names of fields.
static const struct word LABELS[] = {
    {"accepted_at", "accepted at", "accepté le"},
    {"added", "added", "ajoutés"},
    {"accounts", "accounts", "comptes"},
    {"alias", "alias", "alias"},
    {"answer_by", "to be answered by", "à répondre avant"},
    {"answered_at", "answered at", "répondu le"},
    {"ask", "ask", "demander"},
    {"asked_at", "asked at", "demandé le"},
    {"at", "at", "le"},
    {"availability", "availability", "disponibilité"},
    {"box_bytes_per_intent_day", "box bytes per intent and day", "octets de boîte par intention et jour"},
    {"boxes_kept", "boxes kept", "boîtes gardées"},
    {"boxes_open", "boxes open", "boîtes ouvertes"},
    {"boxes_pushed", "boxes filled", "boîtes remplies"},
    {"broadcast", "broadcast", "diffusé"},
    {"broker", "broker", "courtier"},
    {"brokers_in_conflict", "brokers in conflict", "courtiers en conflit"},
    {"budget", "budget", "budget"},
    {"category", "category", "catégorie"},
    {"clock_held", "clock held", "horloge retenue"},
    {"condition", "condition", "état du bien"},
    {"checked_at", "looked at", "vérifié le"},
    {"counter_terms", "other terms", "autres conditions"},
    {"countersign_by", "countersign by", "à contresigner avant"},
    {"country", "country", "pays"},
    {"crowd", "crowd", "foule"},
    {"currency", "currency", "monnaie"},
    {"deal", "deal", "accord"},
    {"deals", "deals", "accords"},
    {"deals_open", "deals open", "accords ouverts"},
    {"demo", "demonstration (some callers are simulated)", "démonstration (certains appelants sont simulés)"},
    {"details", "details", "détails"},
    {"estimate", "estimate", "estimation"},
    {"expires", "expires", "fin"},
    {"expires_at", "expires at", "fin le"},
    {"feed_length", "feed length", "longueur du flux"},
    {"fields", "fields", "champs"},
    {"fulfilment", "fulfilment", "remise"},
    {"given", "given", "donné"},
    {"guardian", "guardian", "gardien"},
    {"guardian_key", "guardian's key", "clé du gardien"},
    {"homes", "home brokers", "courtiers d'attache"},
    {"intent", "intent", "intention"},
    {"intents_released", "intents released", "intentions publiées"},
    {"intents_waiting", "intents waiting", "intentions en attente"},
    {"invite", "invitation", "invitation"},
    {"language", "language", "langue"},
    {"listing", "listing", "inscription"},
    {"made_at", "made at", "fait le"},
    {"max", "max", "max"},
    {"min", "min", "min"},
    {"mode", "mode", "mode"},
    {"min_rating", "lowest rating", "note minimale"},
    {"name", "name", "nom"},
    {"needed", "needed", "demandés"},
    {"needed_by", "needed by", "pour le"},
    {"needed_by_band", "needed within", "besoin d'ici"},
    {"offer", "offer", "offre"},
    {"offers", "offers", "offres"},
    {"open", "open", "ouvert"},
    {"opened_at", "opened at", "ouvert le"},
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
    {"tokens", "tokens left", "jetons restants"},
    {"total", "total", "total"},
    {"up", "up", "depuis"},
    {"valid_until", "valid until", "valable jusqu'au"},
    {"vendor", "vendor", "vendeur"},
    {"vendor_checked", "vendor's address is", "l'adresse du vendeur est"},
    {"vendor_country", "vendor's country", "pays du vendeur"},
    {"vendor_name", "vendor's name", "nom du vendeur"},
    {"vendor_url", "vendor's address", "adresse du vendeur"},
    {"vendors", "vendors", "vendeurs"},
    {"version", "version", "version"},
    {"vouchers_given", "vouchers given", "bons donnés"},
    {"vouchers_left", "vouchers left today", "bons restants aujourd'hui"},
    {"vouchers_per_day", "vouchers a day", "bons par jour"},
    {"wallet", "wallet", "portefeuille"},
    {"want", "wanted", "voulue"},
};

// Values out of closed lists, under these fields only: a person's own text is never translated.
static const char *const CLOSED_FIELDS[] = {"status",  "condition",     "fulfilment", "availability",
                                            "privacy", "share_details", "reach",      "mode",
                                            "vendor_checked", "what"};
static const struct word VALUES[] = {
    {"accepted", "accepted", "accepté"},
    {"any", "any", "indifférent"},
    {"answer", "answer", "réponse"},
    {"asked", "asked", "demandé"},
    {"card", "card", "fiche"},
    {"approved", "approved", "admis"},
    {"ask", "ask", "demander"},
    {"auto", "automatically", "automatiquement"},
    {"concluded", "concluded", "conclu"},
    {"confirmed", "confirmed by its site", "confirmée par son site"},
    {"countersigned", "countersigned", "contresigné"},
    {"country", "country", "pays"},
    {"delivery", "delivery", "livraison"},
    {"denies", "NOT this vendor's", "PAS celle du vendeur"},
    {"direct", "direct: one broker", "direct : un seul courtier"},
    {"details", "details", "détails"},
    {"erased", "erased, the vendor signed", "effacé, a signé le vendeur"},
    {"expired", "expired", "échu"},
    {"in_stock", "in stock", "en stock"},
    {"lapsed", "lapsed", "caduc"},
    {"made_to_order", "made to order", "sur commande"},
    {"never", "never", "jamais"},
    {"new", "new", "neuf"},
    {"onsite", "on site", "sur place"},
    {"out_of_stock", "out of stock", "épuisé"},
    {"overdue", "overdue: no answer in time", "en retard : pas de réponse à temps"},
    {"pending", "pending", "à envoyer"},
    {"pickup", "pick-up", "à retirer"},
    {"pre_order", "pre-order", "en précommande"},
    {"reduced", "reduced", "réduite"},
    {"refused", "refused", "refusé"},
    {"region", "region", "région"},
    {"released", "released", "publié"},
    {"revealed", "revealed", "révélé"},
    {"separated", "separated: no broker knows both who and what", "séparée : aucun courtier ne sait à la fois qui et quoi"},
    {"silent", "not confirmed", "non confirmée"},
    {"suspended", "suspended", "suspendu"},
    {"two_brokers", "two brokers", "deux courtiers"},
    {"unchecked", "not confirmed", "non confirmée"},
    {"used", "used", "d'occasion"},
    {"waiting", "waiting", "en attente"},
    {"withdrawn", "withdrawn", "retiré"},
    {"world", "world", "monde"},
};

// What `oyez explain` says each party sees.
static const struct word PHRASES[] = {
    {"network address", "network address", "adresse réseau"},
    {"facets", "facets", "facettes"},
    {"needed_by day", "the exact day it is needed by", "le jour exact voulu"},
    {"expiry time", "expiry time", "heure de fin"},
    {"vendors allowed or blocked", "vendors allowed or blocked", "vendeurs admis ou exclus"},
    {"who offers, when, and how large the sealed messages are",
     "who offers, when, and how large the sealed messages are",
     "qui offre, quand, et la taille des messages scellés"},
    {"this wallet's account", "this wallet's account", "le compte de ce portefeuille"},
    {"when and how many tokens are asked for, not which are used",
     "when and how many tokens are asked for, not which are used",
     "quand et combien de jetons sont demandés, non lesquels servent"},
    {"how many boxes are open, and until when", "how many boxes are open, and until when",
     "combien de boîtes sont ouvertes, et jusqu'à quand"},
    {"when sealed messages pass, not what they say", "when sealed messages pass, not what they say",
     "quand passent des messages scellés, non ce qu'ils disent"},
    {"the addresses of vendors that get details or whose offers are accepted",
     "the addresses of vendors that get details or whose offers are accepted",
     "les adresses des vendeurs qui reçoivent des détails ou dont une offre est acceptée"},
    {"name and address", "name and address", "nom et adresse"},
    {"details text", "details text", "texte des détails"},
    {"the vendor signed that it erased; this proves the promise, not the deletion",
     "The vendor signed that it erased. This proves the promise, not the deletion.",
     "Le vendeur a signé qu'il a effacé. Cela prouve la promesse, non l'effacement."},
    {"the vendor signed that a law makes it keep the data, and which; whether it does can be asked of the data protection "
     "authority",
     "The vendor signed that a law makes it keep the data, and which one. Ask the data protection authority whether it does.",
     "Le vendeur a signé qu'une loi l'oblige à garder les données, et laquelle. L'autorité de protection des données peut "
     "dire si c'est vrai."},
    {"the random part was made for this deal and given to this vendor alone, so a message to it comes from this vendor or "
     "from whoever had it from this vendor; it does not prove which of them",
     "The random part was made for this deal and given to this vendor alone. So a message to it comes from this vendor, or "
     "from somebody who had it from this vendor; which of them it does not prove.",
     "La partie au hasard fut faite pour cet accord et donnée à ce seul vendeur. Un message qui l'emploie vient donc de ce "
     "vendeur, ou de qui l'a eue de lui ; lequel des deux, cela ne le prouve pas."},
    {"nothing: this alias never left the wallet", "It proves nothing: this alias never left the wallet.",
     "Cela ne prouve rien : cet alias n'a jamais quitté le portefeuille."},
    {"exact budget", "exact budget", "budget exact"},
    {"exact quantity", "exact quantity", "quantité exacte"},
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

const char *cli_phrase(const struct cli *cli, const char *phrase)
{
	return look_up(cli, PHRASES, sizeof(PHRASES) / sizeof(*PHRASES), phrase);
}
