// The intent draft while it is filled. Every setter reads one value of the file, takes it only in its strict form, and
// then claims the value's node as used; what it does not take stays unclaimed. NULL nodes are "not there".
// Internal to the importer.
#ifndef OYEZ_CLIENT_IMPORT_DRAFT_H
#define OYEZ_CLIENT_IMPORT_DRAFT_H

#include <stdint.h>

#include "clients/lib/import_doc.h"
#include "proto/tree.h"

enum { DRAFT_PIECES_MAX = 48, DRAFT_NAME_BYTES_MAX = 200, DRAFT_NOTE_BYTES_MAX = 80, DRAFT_TEXT_BYTES_MAX = 2000 };

// A part of the text. Parts of one line stand on one line.
struct draft_piece {
	const char *text;
	struct import_node *from; // whose claim is taken back if the piece turns out to tell something
	unsigned line;
};

struct import_draft {
	struct import_doc *doc;
	uint32_t today;
	bool several;                         // the file asks for more than one kind of thing
	bool vendor_names;                    // the format names a chosen vendor apart from the buyer (all but schema.org)
	uint32_t category, region;            // TREE_NONE
	int64_t budget_min_e4, budget_max_e4; // 0: none
	char currency[4];                     // "": none
	uint32_t needed_by;                   // 0: none
	uint32_t quantity;                    // 0: none
	const char *condition, *fulfilment;   // NULL: none
	struct draft_piece pieces[DRAFT_PIECES_MAX];
	size_t piece_count;
	unsigned line;
	unsigned guesses;
};

void draft_init(struct import_draft *draft, struct import_doc *doc, uint32_t today);

// ISO 3166 codes ("FR", "FRA", "FR-56"); with `country` (may be NULL) also the part behind it ("56").
bool draft_region(struct import_draft *draft, struct import_node *node, struct import_node *country);
// A country by its name in English or French.
bool draft_country_name(struct import_draft *draft, struct import_node *node);
bool draft_currency(struct import_draft *draft, struct import_node *node);
bool draft_budget_min(struct import_draft *draft, struct import_node *node);
bool draft_budget_max(struct import_draft *draft, struct import_node *node);
// The price of `per` (NULL: one) times the quantity, as the upper end, unless the file asks for several things.
bool draft_unit_price(struct import_draft *draft, struct import_node *price, struct import_node *quantity,
                      struct import_node *per);
// A date or date and time, today or later. The earliest of several.
bool draft_needed_by(struct import_draft *draft, struct import_node *node);
// So many units from today; unit codes of UN/ECE (DAY, WEE, MON, HUR) or words.
bool draft_needed_in(struct import_draft *draft, struct import_node *value, struct import_node *unit);
bool draft_condition(struct import_draft *draft, struct import_node *node);
bool draft_fulfilment(struct import_draft *draft, struct import_node *node);
void draft_fulfilment_is(struct import_draft *draft, const char *word);

// The number of pieces asked for (1 to 1,000,000).
bool draft_quantity(struct import_draft *draft, struct import_node *value);
// A measured amount ("2.5", "KWH") goes into the text; pieces ("35", "NIU") are a quantity, and 0 pieces nothing.
// `unit` may be NULL (pieces, if it is a whole number).
bool draft_measure(struct import_draft *draft, struct import_node *value, struct import_node *unit);
// "35 pieces" in the text, where a file asks for several things.
bool draft_pieces_text(struct import_draft *draft, struct import_node *value);
// Does the unit count pieces?
bool unit_is_piece(struct import_node *unit);

// A name (of a product) or a note of at most `bytes_max`. Checked for identity at the end, by draft_check_text.
bool draft_text(struct import_draft *draft, struct import_node *node, size_t bytes_max);
void draft_new_line(struct import_draft *draft);

// The category that the text (a path, name or id of another system) means. Claims nothing when it means none we know.
bool draft_category(struct import_draft *draft, struct import_node *node);
// The same for words that stay (or do not) in the text: a guess that does not claim.
void draft_category_hint(struct import_draft *draft, struct import_node *node);

// Takes out pieces that tell something about somebody. Identity nodes must have been claimed before.
void draft_check_text(struct import_draft *draft);
// The text as it stands: lines of pieces; without any, the category's name; malloc'd, NULL if there is nothing to say.
char *draft_lines(const struct import_draft *draft);
json_t *draft_json(const struct import_draft *draft);

// import_identity.c: claims every value still unclaimed that tells who or where somebody is.
void identity_sweep(struct import_draft *draft);

// import_schema.c, import_beckn.c, import_ubl.c: false if the document is of another format.
bool import_schema(struct import_draft *draft);
bool import_beckn(struct import_draft *draft);
bool import_ubl(struct import_draft *draft);

#endif
