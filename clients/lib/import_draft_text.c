// The draft's free text: names of products, short notes, measured amounts. All of it is checked before it is shown.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/import_draft.h"
#include "clients/lib/import_text.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

// One line, no control characters, single spaces; NULL if nothing is left or it is longer than `bytes_max`.
static const char *tidy(struct import_doc *doc, const char *text, size_t bytes_max)
{
	size_t bytes = strlen(text), used = 0;
	if (bytes > 4 * bytes_max)
		return NULL;
	char *out = arena_alloc(&doc->arena, bytes + 1);
	for (size_t i = 0; i < bytes; i++) {
		bool blank = (unsigned char)text[i] <= ' ' || text[i] == 0x7f;
		if (!blank)
			out[used++] = text[i];
		else if (used > 0 && out[used - 1] != ' ')
			out[used++] = ' ';
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	return used > 0 && text_check(out, used, bytes_max) == ERR_OK ? out : NULL;
}

static bool add_piece(struct import_draft *draft, const char *text, struct import_node *from)
{
	for (size_t i = 0; i < draft->piece_count; i++)
		if (draft->pieces[i].line == draft->line && strcmp(draft->pieces[i].text, text) == 0) {
			from->claim = CLAIM_USED;
			return true;
		}
	if (draft->piece_count == DRAFT_PIECES_MAX)
		return false;
	draft->pieces[draft->piece_count++] = (struct draft_piece){text, from, draft->line};
	from->claim = CLAIM_USED;
	return true;
}

bool draft_text(struct import_draft *draft, struct import_node *node, size_t bytes_max)
{
	node = node_value(node);
	const char *text = node && !node->number ? tidy(draft->doc, node->text, bytes_max) : NULL;
	return text && add_piece(draft, text, node);
}

void draft_new_line(struct import_draft *draft)
{
	draft->line++;
}

static const char *unit_word(const char *unit)
{
	static const struct {
		const char *code, *word;
	} known[] = {{"KWH", "kWh"},    {"KGM", "kg"},    {"GRM", "g"},     {"TNE", "t"},  {"LTR", "l"},    {"MTR", "m"},
	             {"CMT", "cm"},     {"MTK", "m2"},    {"MTQ", "m3"},    {"HUR", "h"},  {"DAY", "d"},    {"MIN", "min"},
	             {"MON", "months"}, {"WEE", "weeks"}, {"ANN", "years"}, {"KMT", "km"}, {"DZN", "dozen"}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].code, unit) == 0)
			return known[i].word;
	return unit;
}

// Short and of letters only, so that it cannot tell more than a unit does.
static bool unit_is_plain(const char *unit)
{
	size_t bytes = strlen(unit);
	return bytes > 0 && bytes <= 16 && strspn(unit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ23 ") == bytes;
}

bool draft_measure(struct import_draft *draft, struct import_node *value, struct import_node *unit)
{
	value = node_value(value);
	unit = node_value(unit);
	if (!value)
		return false;
	if (unit_is_piece(unit) && draft_quantity(draft, value)) {
		if (unit)
			unit->claim = CLAIM_USED;
		return true;
	}
	size_t digits = strspn(value->text, "0123456789.");
	if (!unit || !unit_is_plain(unit->text) || value->text[digits] || digits == 0 || digits > 12)
		return false;
	char text[48];
	int bytes = snprintf(text, sizeof text, "%s %s", value->text, unit_word(unit->text));
	const char *copy = arena_copy(&draft->doc->arena, text, (size_t)bytes + 1);
	if (!add_piece(draft, copy, value))
		return false;
	unit->claim = CLAIM_USED;
	return true;
}

bool draft_pieces_text(struct import_draft *draft, struct import_node *value)
{
	value = node_value(value);
	if (!value || strlen(value->text) > 7 || value->text[strspn(value->text, "0123456789")])
		return false;
	char text[24];
	int bytes = snprintf(text, sizeof text, "%s pieces", value->text);
	return add_piece(draft, arena_copy(&draft->doc->arena, text, (size_t)bytes + 1), value);
}

// Names of a vendor that was chosen already may share words with products ("Dell"); only whole names count there.
static bool is_vendor_side(const struct import_node *node)
{
	for (; node; node = node->parent)
		if (strcmp(node->key, "SellerSupplierParty") == 0 || strcmp(node->key, "seller") == 0 ||
		    strcmp(node->key, "provider") == 0)
			return true;
	return false;
}

// The pieces while they are checked: normalised texts, and what each turned out to tell.
struct piece_check {
	char *normal;
	const char *kind;
};

static void check_against(const struct import_draft *draft, struct piece_check *checks, struct import_node *node)
{
	char *identity = text_normalise(node->text);
	bool name = strcmp(node->kind, "name") == 0 || strcmp(node->kind, "party") == 0;
	bool words = name && !(draft->vendor_names && is_vendor_side(node));
	for (size_t i = 0; i < draft->piece_count; i++) {
		struct piece_check *check = &checks[i];
		if (!check->kind && (!identity || text_repeats(check->normal, identity) ||
		                     (words && text_repeats_name(check->normal, identity))))
			check->kind = node->kind;
	}
	free(identity);
}

void draft_check_text(struct import_draft *draft)
{
	struct piece_check checks[DRAFT_PIECES_MAX] = {0};
	struct import_node *root = draft->doc->root;
	for (size_t i = 0; i < draft->piece_count; i++) {
		checks[i].kind = text_identity_kind(draft->pieces[i].text);
		checks[i].normal = text_normalise(draft->pieces[i].text);
		if (!checks[i].normal)
			checks[i].kind = "text";
	}
	for (struct import_node *node = root; node && draft->piece_count > 0; node = node_walk(root, node))
		if (node->claim == CLAIM_IDENTITY && node->text)
			check_against(draft, checks, node);
	size_t kept = 0;
	for (size_t i = 0; i < draft->piece_count; i++) {
		struct draft_piece *piece = &draft->pieces[i];
		free(checks[i].normal);
		if (checks[i].kind) {
			piece->from->claim = CLAIM_IDENTITY;
			piece->from->kind = checks[i].kind;
		} else {
			draft->pieces[kept++] = *piece;
		}
	}
	draft->piece_count = kept;
}

char *draft_lines(const struct import_draft *draft)
{
	char *out = malloc(DRAFT_TEXT_BYTES_MAX + 1);
	size_t used = 0;
	if (!out)
		return NULL;
	for (size_t i = 0; i < draft->piece_count; i++) {
		const struct draft_piece *piece = &draft->pieces[i];
		const char *joint = i == 0 ? "" : piece->line == draft->pieces[i - 1].line ? ", " : "\n";
		size_t bytes = strlen(joint) + strlen(piece->text);
		if (used + bytes > DRAFT_TEXT_BYTES_MAX)
			break;
		used += (size_t)sprintf(out + used, "%s%s", joint, piece->text);
	}
	if (used > 0)
		return out;
	free(out);
	const char *name = draft->category == TREE_NONE ? NULL : taxonomy_name(taxonomy_builtin(), draft->category, 0);
	return name ? strdup(name) : NULL;
}
