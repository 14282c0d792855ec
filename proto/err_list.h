// The one list of error codes; err.h says what the columns are. 1-99 form, 100-199 right and identity,
// 200-299 state, 300-399 limits and load, 400-499 met on the client's side.
#ifndef OYEZ_PROTO_ERR_LIST_H
#define OYEZ_PROTO_ERR_LIST_H

// clang-format off
#define ERR_LIST(X) \
X(ERR_OK, 0, "ok", "done", "", "fait", "") \
X(ERR_BAD_FRAME, 1, "bad_frame", "this is not an Oyez message", "check that both sides speak Oyez and that the address is the broker's", "ce n'est pas un message Oyez", "vérifiez que l'adresse est bien celle du courtier") \
X(ERR_BAD_VERSION, 2, "bad_version", "the other side speaks another version of the protocol", "update the older of the two programs", "l'autre côté parle une autre version du protocole", "mettez à jour le plus ancien des deux programmes") \
X(ERR_UNKNOWN_MESSAGE, 3, "unknown_message", "this message is not known here", "update the broker, or send only what its version knows", "ce message n'est pas connu ici", "mettez le courtier à jour") \
X(ERR_BAD_MESSAGE, 4, "bad_message", "the message cannot be read", "send it again; if it stays so, the sending program is at fault", "le message est illisible", "renvoyez-le ; si cela persiste, le programme qui l'envoie est en cause") \
X(ERR_BAD_UTF8, 5, "bad_utf8", "a text is not valid UTF-8 or holds a zero byte", "save the text as UTF-8 and try again", "un texte n'est pas de l'UTF-8 valide", "enregistrez le texte en UTF-8 et recommencez") \
X(ERR_TOO_LARGE, 6, "too_large", "this is larger than allowed", "shorten it; the limit is named in the details", "c'est plus grand que permis", "raccourcissez ; la limite est indiquée dans le détail") \
X(ERR_BAD_VALUE, 7, "bad_value", "a value is out of its range", "correct the value named in the details", "une valeur est hors de ses bornes", "corrigez la valeur indiquée dans le détail") \
X(ERR_MISSING_FIELD, 8, "missing_field", "something required is missing", "add the field named in the details", "un champ requis manque", "ajoutez le champ indiqué dans le détail") \
X(ERR_UNKNOWN_CATEGORY, 9, "unknown_category", "this category does not exist here", "use one of the suggestions", "cette catégorie n'existe pas ici", "prenez une des suggestions") \
X(ERR_UNKNOWN_REGION, 10, "unknown_region", "this region does not exist", "use an ISO 3166 code such as FR or FR-56, or one of the suggestions", "cette région n'existe pas", "prenez un code ISO 3166 comme FR ou FR-56, ou une des suggestions") \
X(ERR_UNKNOWN_CURRENCY, 11, "unknown_currency", "this currency does not exist", "use an ISO 4217 code such as EUR", "cette monnaie n'existe pas", "prenez un code ISO 4217 comme EUR") \
X(ERR_UNKNOWN_TERMS, 12, "unknown_terms", "these terms are not in the roster", "use one of the suggestions, such as SD-BASE", "ces conditions ne sont pas dans le répertoire", "prenez une des suggestions, comme SD-BASE") \
X(ERR_BAD_DATE, 13, "bad_date", "this is not a date", "write dates as 2027-01-31 and durations as 10m, 3d", "ce n'est pas une date", "écrivez les dates comme 2027-01-31 et les durées comme 10m, 3d") \
X(ERR_PAST_DATE, 14, "past_date", "this date is in the past", "choose a later date", "cette date est passée", "choisissez une date à venir") \
X(ERR_BAD_AMOUNT, 15, "bad_amount", "this is not an amount of money", "write amounts as 189.00, at most four decimals and twelve digits before them", "ce n'est pas un montant", "écrivez les montants comme 189.00") \
X(ERR_PII_FOUND, 16, "pii_found", "this tells who somebody is", "take it out, or add --mask-pii (replaced by its kind) or --allow-pii (sent as it is); rules cannot find names of people: check for names yourself", "cela dit qui est quelqu'un", "ôtez-le, ou ajoutez --mask-pii (remplacé par son genre) ou --allow-pii (envoyé tel quel) ; aucune règle ne trouve les noms de personnes : vérifiez-les vous-même") \
X(ERR_BAD_SIGNATURE, 100, "bad_signature", "a signature does not verify", "the message was changed on its way or signed by another key; do not trust it", "une signature ne se vérifie pas", "le message a été changé en route ou signé par une autre clé ; ne vous y fiez pas") \
X(ERR_BAD_KEY, 101, "bad_key", "this public key cannot be used", "make a new key", "cette clé publique est inutilisable", "faites une nouvelle clé") \
X(ERR_STALE, 102, "stale", "the request's time is too far from the broker's", "set this machine's clock and try again", "l'heure de la demande est trop loin de celle du courtier", "mettez l'horloge de cette machine à l'heure et recommencez") \
X(ERR_WRONG_BROKER, 103, "wrong_broker", "the request was made for another broker", "send it to the broker it was signed for", "la demande a été faite pour un autre courtier", "envoyez-la au courtier pour lequel elle a été signée") \
X(ERR_CELL_STALE, 104, "cell_stale", "the cell's time is too far from the broker's", "set this machine's clock and try again", "l'heure du pli est trop loin de celle du courtier", "mettez l'horloge de cette machine à l'heure et recommencez") \
X(ERR_CELL_REPLAYED, 105, "cell_replayed", "this very cell was received before", "seal the same record into a new cell", "ce même pli a déjà été reçu", "scellez le même enregistrement dans un nouveau pli") \
X(ERR_CELL_SEALED, 106, "cell_sealed", "the cell cannot be opened with any current gateway key", "fetch the broker's configuration and seal it again", "le pli ne s'ouvre avec aucune clé actuelle", "relisez la configuration du courtier et scellez à nouveau") \
X(ERR_SESSION_UNKNOWN, 107, "session_unknown", "the read session has ended", "open a new one", "la session de lecture est terminée", "ouvrez-en une nouvelle") \
X(ERR_VENDOR_UNKNOWN, 108, "vendor_unknown", "this vendor is not registered here", "run: oyez vendor register", "ce vendeur n'est pas inscrit ici", "lancez : oyez vendor register") \
X(ERR_VENDOR_PENDING, 109, "vendor_pending", "this vendor waits for the operator's approval", "wait, or ask the operator", "ce vendeur attend l'accord de l'exploitant", "attendez, ou demandez à l'exploitant") \
X(ERR_VENDOR_SUSPENDED, 110, "vendor_suspended", "this vendor is suspended", "ask the operator for the reason", "ce vendeur est suspendu", "demandez-en la raison à l'exploitant") \
X(ERR_NOT_YOURS, 111, "not_yours", "this belongs to somebody else", "use your own id", "cela appartient à quelqu'un d'autre", "prenez votre propre identifiant") \
X(ERR_ADMIN_ONLY, 112, "admin_only", "this is for the operator's socket", "use the ipc address of the data directory", "ceci est réservé à la prise de l'exploitant", "prenez l'adresse ipc du dossier de données") \
X(ERR_BAD_COUNTERSIGNATURE, 113, "bad_countersignature", "the countersignature does not fit this deal", "countersign the agreement received, with the registered key", "la contresignature ne correspond pas à cet accord", "contresignez l'accord reçu, avec la clé inscrite") \
X(ERR_TERMS_REFUSED, 114, "terms_refused", "the vendor's listing does not agree to the intent's terms", "register with these terms, or pass", "le vendeur n'a pas souscrit à ces conditions", "inscrivez-vous avec ces conditions, ou passez") \
X(ERR_RULES_REFUSED, 115, "rules_refused", "the customer's vendor rules do not let this vendor answer", "pass this one", "les règles de la personne excluent ce vendeur", "passez celle-ci") \
X(ERR_TOKEN_MISSING, 116, "token_missing", "this broker asks for a token with every post", "give a guardian (--guardian URL), or an account here: oyez account open", "ce courtier demande un jeton avec chaque annonce", "indiquez un gardien (--guardian URL), ou ouvrez un compte ici : oyez account open") \
X(ERR_TOKEN_BAD, 117, "token_bad", "this token was not made by this broker for this intent", "get new tokens: oyez account top-up", "ce jeton ne vient pas de ce courtier, ou n'est pas pour cette intention", "prenez de nouveaux jetons : oyez account top-up") \
X(ERR_TOKEN_EXPIRED, 118, "token_expired", "this token's time is over", "get new tokens: oyez account top-up", "ce jeton est périmé", "prenez de nouveaux jetons : oyez account top-up") \
X(ERR_TOKEN_SPENT, 119, "token_spent", "this token was spent before", "post again as a new intent: it takes another token", "ce jeton a déjà servi", "publiez à nouveau comme nouvelle intention : elle prendra un autre jeton") \
X(ERR_VOUCHER_BAD, 120, "voucher_bad", "this voucher is not from a guardian this broker trusts, or not for it", "ask a guardian that the broker's configuration names", "ce bon ne vient pas d'un gardien reconnu par ce courtier, ou n'est pas pour lui", "demandez à un gardien nommé dans la configuration du courtier") \
X(ERR_VOUCHER_SPENT, 121, "voucher_spent", "this voucher was already used for other tokens", "ask the guardian for a new one", "ce bon a déjà servi pour d'autres jetons", "demandez-en un nouveau au gardien") \
X(ERR_VOUCHER_LIMIT, 122, "voucher_limit", "as many vouchers as allowed were given to this account today", "wait until tomorrow (UTC), or use the tokens left", "ce compte a reçu aujourd'hui autant de bons que permis", "attendez demain (UTC), ou utilisez les jetons restants") \
X(ERR_ACCOUNT_UNKNOWN, 123, "account_unknown", "there is no such account at this guardian", "open one: oyez account open", "ce compte n'existe pas chez ce gardien", "ouvrez-en un : oyez account open") \
X(ERR_INVITE_BAD, 124, "invite_bad", "this invitation code is wrong, used or too old", "ask the operator for a new one", "ce code d'invitation est faux, déjà utilisé ou trop ancien", "demandez-en un nouveau à l'exploitant") \
X(ERR_STAMP_BAD, 125, "stamp_bad", "the proof of work is missing or too small", "make it again with the bits that the broker's configuration asks for", "la preuve de travail manque ou est trop faible", "refaites-la avec le nombre de bits que demande la configuration du courtier") \
X(ERR_GUARDIAN_UNKNOWN, 126, "guardian_unknown", "this broker does not work with that guardian", "choose a guardian that the broker's configuration names", "ce courtier ne travaille pas avec ce gardien", "choisissez un gardien nommé dans la configuration du courtier") \
X(ERR_HOME_UNKNOWN, 127, "home_unknown", "this guardian does not relay to that broker", "choose one of the homes the guardian lists: oyez account show", "ce gardien ne transmet pas à ce courtier", "choisissez un des courtiers de sa liste : oyez account show") \
X(ERR_BOX_UNKNOWN, 128, "box_unknown", "there is no such box", "open it before posting", "cette boîte n'existe pas", "ouvrez-la avant de publier") \
X(ERR_NOT_FOUND, 200, "not_found", "there is no such thing here", "check the id", "rien de tel ici", "vérifiez l'identifiant") \
X(ERR_CONFLICT, 201, "conflict", "the same id was used before with other content", "make a new one instead of changing the old", "le même identifiant a déjà servi avec un autre contenu", "faites-en un nouveau au lieu de changer l'ancien") \
X(ERR_GONE, 202, "gone", "it has ended: withdrawn, expired or taken", "nothing more to do here", "c'est terminé : retiré, échu ou pris", "il n'y a plus rien à faire ici") \
X(ERR_NOT_RELEASED, 203, "not_released", "the intent is not released yet", "wait for its release", "l'intention n'est pas encore publiée", "attendez sa publication") \
X(ERR_OFFER_REPLACED, 204, "offer_replaced", "a newer offer of this vendor replaces this one", "look at the offers again", "une offre plus récente de ce vendeur remplace celle-ci", "regardez à nouveau les offres") \
X(ERR_OFFER_EXPIRED, 205, "offer_expired", "the offer is no longer valid", "look at the offers again", "l'offre n'est plus valable", "regardez à nouveau les offres") \
X(ERR_OFFER_WITHDRAWN, 206, "offer_withdrawn", "the vendor withdrew this offer", "look at the offers again", "le vendeur a retiré cette offre", "regardez à nouveau les offres") \
X(ERR_OFFER_DECLINED, 207, "offer_declined", "this offer was declined", "look at the other offers", "cette offre a été refusée", "regardez les autres offres") \
X(ERR_OFFER_ACCEPTED, 208, "offer_accepted", "this offer was already accepted", "see: oyez deals", "cette offre est déjà acceptée", "voyez : oyez deals") \
X(ERR_DEAL_LIMIT, 209, "deal_limit", "this intent already has as many deals as it may", "wait until the open deal ends, or post a new intent", "cette intention a déjà autant d'accords que permis", "attendez la fin de l'accord ouvert, ou publiez une nouvelle intention") \
X(ERR_DEAL_OPEN, 210, "deal_open", "a countersigned deal is open", "finish the deal first", "un accord contresigné est en cours", "terminez d'abord l'accord") \
X(ERR_LAPSED, 211, "lapsed", "the deal has lapsed", "no agreement stands; accept another offer", "l'accord est caduc", "aucun accord ne tient ; acceptez une autre offre") \
X(ERR_NOT_COUNTERSIGNED, 212, "not_countersigned", "the deal is not countersigned", "wait for the countersignature and its outcome", "l'accord n'est pas contresigné", "attendez la contresignature et son constat") \
X(ERR_DEAL_CLOSED, 213, "deal_closed", "the deal is already concluded", "nothing more to do here", "l'accord est déjà conclu", "il n'y a plus rien à faire ici") \
X(ERR_CURSOR_EXPIRED, 214, "cursor_expired", "the cursor is older than what is kept", "go on from the earliest cursor, named in the details", "le curseur est plus ancien que ce qui est conservé", "reprenez au premier curseur, indiqué dans le détail") \
X(ERR_CURSOR_BAD, 215, "cursor_bad", "this cursor is not from this feed", "use a cursor as it was given, or none", "ce curseur n'est pas de ce flux", "prenez un curseur tel que reçu, ou aucun") \
X(ERR_NOT_REVEALED, 216, "not_revealed", "no card was revealed in this deal", "wait for the reveal", "aucune fiche n'a été révélée dans cet accord", "attendez la révélation") \
X(ERR_NOT_CONCLUDED, 217, "not_concluded", "the deal is not concluded", "wait until the vendor has confirmed", "l'accord n'est pas conclu", "attendez la confirmation du vendeur") \
X(ERR_ALREADY_RATED, 218, "already_rated", "this deal was rated before", "one rating counts per deal", "cet accord a déjà été noté", "une seule note compte par accord") \
X(ERR_ERASURE_UNKNOWN, 219, "erasure_unknown", "no erasure was asked for in this deal", "answer only what the inbox shows", "aucun effacement n'a été demandé dans cet accord", "ne répondez qu'à ce que montre la boîte de réception") \
X(ERR_ERASURE_ANSWERED, 220, "erasure_answered", "this erasure was answered before", "nothing more to do here", "cet effacement a déjà reçu une réponse", "il n'y a plus rien à faire ici") \
X(ERR_BUSY, 300, "busy", "too many requests at once", "wait a moment and try again", "trop de demandes à la fois", "attendez un instant et recommencez") \
X(ERR_UNAVAILABLE, 301, "unavailable", "the broker cannot do this now", "try again in a minute; nothing was stored", "le courtier ne peut pas le faire maintenant", "recommencez dans une minute ; rien n'a été enregistré") \
X(ERR_STOPPING, 302, "stopping", "the broker is stopping", "try again when it is back", "le courtier s'arrête", "recommencez à son retour") \
X(ERR_VENDOR_LIMIT, 303, "vendor_limit", "as many vendors as allowed have already answered", "pass this one", "autant de vendeurs que permis ont déjà répondu", "passez celle-ci") \
X(ERR_OFFER_LIMIT, 304, "offer_limit", "as many offers as allowed were already made", "pass this one", "autant d'offres que permis ont déjà été faites", "passez celle-ci") \
X(ERR_QUESTION_LIMIT, 305, "question_limit", "as many questions as allowed were already asked", "make an offer, or pass", "autant de questions que permis ont déjà été posées", "faites une offre, ou passez") \
X(ERR_SUBSCRIPTION_LIMIT, 306, "subscription_limit", "this vendor has as many subscriptions as allowed", "remove one first", "ce vendeur a autant d'abonnements que permis", "retirez-en un d'abord") \
X(ERR_STORAGE_FULL, 307, "storage_full", "the broker's disk is full", "try again later; nothing was stored", "le disque du courtier est plein", "recommencez plus tard ; rien n'a été enregistré") \
X(ERR_BOX_LIMIT, 308, "box_limit", "this account has as many open boxes as allowed", "wait until an intent ends", "ce compte a autant de boîtes ouvertes que permis", "attendez la fin d'une intention") \
X(ERR_HOME_UNREACHABLE, 309, "home_unreachable", "the guardian cannot reach the home broker now", "try again in a minute", "le gardien ne peut joindre le courtier en ce moment", "recommencez dans une minute") \
X(ERR_ACCOUNT_LIMIT, 310, "account_limit", "this guardian has as many accounts as it takes", "choose another guardian, or ask the operator", "ce gardien a autant de comptes qu'il en prend", "choisissez un autre gardien, ou demandez à l'exploitant") \
X(ERR_INTERNAL, 399, "internal", "the broker made a mistake", "tell its operator; nothing was stored", "le courtier s'est trompé", "prévenez son exploitant ; rien n'a été enregistré") \
X(ERR_UNREACHABLE, 400, "unreachable", "the broker cannot be reached", "check the address and that the broker runs", "le courtier ne répond pas", "vérifiez l'adresse et que le courtier tourne") \
X(ERR_TIMEOUT, 401, "timeout", "nothing came in the time given", "wait longer, or try again later", "rien n'est venu dans le temps donné", "attendez plus longtemps ou recommencez plus tard") \
X(ERR_USAGE, 402, "usage", "the command's words are off", "see: oyez help", "la commande est mal écrite", "voyez : oyez help") \
X(ERR_IO, 403, "io", "a file cannot be read or written", "check the path, the rights and the free space", "un fichier ne se lit ou ne s'écrit pas", "vérifiez le chemin, les droits et la place libre") \
X(ERR_WALLET_MISSING, 404, "wallet_missing", "there is no wallet here", "run: oyez wallet init", "il n'y a pas de portefeuille ici", "lancez : oyez wallet init") \
X(ERR_WALLET_LOCKED, 405, "wallet_locked", "the passphrase does not open the wallet", "check the passphrase", "la phrase de passe n'ouvre pas le portefeuille", "vérifiez la phrase de passe") \
X(ERR_WALLET_DAMAGED, 406, "wallet_damaged", "the wallet file is damaged", "restore a backup: oyez wallet restore FILE", "le fichier du portefeuille est abîmé", "restaurez une sauvegarde : oyez wallet restore FICHIER") \
X(ERR_WALLET_EXISTS, 407, "wallet_exists", "there is already a wallet here", "choose another --home, or move the old one away first", "il y a déjà un portefeuille ici", "choisissez un autre --home") \
X(ERR_BROKER_CHANGED, 408, "broker_changed", "this broker shows another identity than before", "ask its operator; if the change is right, pin the new key with URL#KEY", "ce courtier montre une autre identité qu'avant", "demandez à son exploitant ; si le changement est juste, épinglez la nouvelle clé avec URL#CLÉ") \
X(ERR_CONFIG_CONFLICT, 409, "config_conflict", "the broker showed two contents under one configuration number", "do not use this broker; keep both records as proof", "le courtier a montré deux contenus sous un même numéro", "n'utilisez pas ce courtier ; gardez les deux comme preuve") \
X(ERR_BINDING_MISMATCH, 410, "binding_mismatch", "a vendor's message is bound to keys that are not this intent's", "somebody changed the release on its way; do not use this broker", "le message d'un vendeur est lié à d'autres clés que celles de cette intention", "quelqu'un a changé la publication en route ; n'utilisez pas ce courtier") \
X(ERR_CARD_MISMATCH, 411, "card_mismatch", "the card is not the one agreed upon", "do not use it; tell the customer through the broker's operator", "la fiche n'est pas celle de l'accord", "ne l'utilisez pas") \
X(ERR_BAD_CARD, 412, "bad_card", "this is not a card", "a card is a JSON object with name, email, phone, address{street,postcode,city,country}, at most 4 kB", "ce n'est pas une fiche", "une fiche est un objet JSON : name, email, phone, address{street,postcode,city,country}, 4 ko au plus") \
X(ERR_SEALED, 413, "sealed", "a sealed message cannot be opened", "it was made for another key or changed on its way", "un message scellé ne s'ouvre pas", "il a été fait pour une autre clé ou changé en route") \
X(ERR_AMBIGUOUS, 414, "ambiguous", "several things begin with these letters", "write more of the id", "plusieurs choses commencent par ces lettres", "écrivez une plus grande partie de l'identifiant") \
X(ERR_NO_MEMORY, 415, "no_memory", "no memory left", "close other programs and try again", "plus de mémoire", "fermez d'autres programmes et recommencez") \
X(ERR_NOT_UNDERSTOOD, 416, "not_understood", "this file is none of the formats understood", "give a schema.org Demand, a Beckn search or select, or a UBL RequestForQuotation", "ce fichier n'est d'aucun format connu", "donnez un Demand schema.org, un search ou select Beckn, ou un RequestForQuotation UBL") \
X(ERR_VENDOR_MISMATCH, 417, "vendor_mismatch", "the vendor is not who its address says", "do not deal with it; tell the operator", "le vendeur n'est pas celui que dit son adresse", "ne traitez pas avec lui ; dites-le à l'exploitant") \
X(ERR_TERMS_COUNTERED, 418, "terms_countered", "this offer asks for other terms than yours", "read them (oyez terms ID), then accept with --terms ID, or decline", "cette offre demande d'autres conditions que les vôtres", "lisez-les (oyez terms ID), puis acceptez avec --terms ID, ou refusez") \
X(ERR_NOTICE_CHAIN, 419, "notice_chain", "the broker's notices do not follow one another", "one was changed, left out or put in; keep what you have and tell others", "les avis du courtier ne se suivent pas", "l'un d'eux a été changé, omis ou ajouté ; gardez ce que vous avez et dites-le") \
X(ERR_RECEIPT_MISMATCH, 422, "receipt_mismatch", "this receipt is not for this request", "do not rely on it; ask again", "ce reçu n'est pas pour cette demande", "ne vous y fiez pas ; demandez à nouveau") \
X(ERR_VENDOR_MISSING, 420, "vendor_missing", "there is no vendor here", "run: oyez vendor init --name NAME --url URL --country CC", "il n'y a pas de vendeur ici", "lancez : oyez vendor init --name NOM --url URL --country CC") \
X(ERR_VENDOR_EXISTS, 421, "vendor_exists", "there is already a vendor here", "choose another --home", "il y a déjà un vendeur ici", "choisissez un autre --home") \
X(ERR_UNKNOWN_ERROR, 499, "unknown_error", "an error this program does not know", "update this program", "une erreur que ce programme ne connaît pas", "mettez ce programme à jour")
// clang-format on

#endif
