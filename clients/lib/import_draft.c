// Values of the draft: strict forms in, closed words and numbers out. The free text is in import_draft_text.c.
#include "clients/lib/import_draft.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/region.h"
#include "proto/suggest.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

// Guesses look at the whole taxonomy, and a file may hold thousands of names: the first ones decide.
enum { QUANTITY_MAX = 1000000, GUESSES_MAX = 100 };

void draft_init(struct import_draft *draft, struct import_doc *doc, uint32_t today)
{
	*draft = (struct import_draft){.doc = doc, .today = today, .category = TREE_NONE, .region = TREE_NONE};
}

static bool use(struct import_node *node)
{
	node->claim = CLAIM_USED;
	return true;
}

static void copy_upper(char *out, size_t out_bytes, const char *text)
{
	size_t at = 0;
	for (; text[at] && at + 1 < out_bytes; at++)
		out[at] = (char)(text[at] >= 'a' && text[at] <= 'z' ? text[at] - 32 : text[at]);
	out[at] = '\0';
}

static uint32_t region_of_text(const char *text, const char *country)
{
	char code[16];
	if (strlen(text) > 6)
		return TREE_NONE;
	copy_upper(code, sizeof code, text);
	uint32_t found = region_find(code);
	if (found == TREE_NONE && strlen(code) == 3)
		found = region_find_alpha3(code);
	if (found == TREE_NONE && country && strlen(code) <= 3) {
		char whole[16];
		uint32_t above = region_of_text(country, NULL);
		if (above == TREE_NONE)
			return TREE_NONE;
		strcpy(whole, region_code(above));
		strcat(whole, "-");
		strcat(whole, code);
		found = region_find(whole);
	}
	return found;
}

// A finer region replaces the coarser one it lies in; any other second region is not taken.
static bool take_region(struct import_draft *draft, struct import_node *node, uint32_t region)
{
	if (region == TREE_NONE)
		return false;
	if (draft->region == TREE_NONE || tree_contains(region_tree(), draft->region, region))
		draft->region = region;
	else if (!tree_contains(region_tree(), region, draft->region))
		return false;
	return use(node);
}

bool draft_region(struct import_draft *draft, struct import_node *node, struct import_node *country)
{
	node = node_value(node);
	country = node_value(country);
	return node && take_region(draft, node, region_of_text(node->text, country ? country->text : NULL));
}

bool draft_country_name(struct import_draft *draft, struct import_node *node)
{
	struct folded wanted, name;
	node = node_value(node);
	if (!node || !text_fold(&wanted, node->text, strlen(node->text)))
		return false;
	const struct tree *tree = region_tree();
	for (uint32_t country = 0; country < tree->count; country = tree->last[country] + 1)
		for (int french = 0; french < 2; french++) {
			const char *text = region_name(country, french);
			if (text_fold(&name, text, strlen(text)) && strcmp(name.text, wanted.text) == 0)
				return take_region(draft, node, country);
		}
	return false;
}

bool draft_currency(struct import_draft *draft, struct import_node *node)
{
	node = node_value(node);
	char code[8];
	if (!node || strlen(node->text) != 3)
		return false;
	copy_upper(code, sizeof code, node->text);
	if (!currency_find(code) || (draft->currency[0] && strcmp(draft->currency, code) != 0))
		return false;
	memcpy(draft->currency, code, sizeof draft->currency);
	return use(node);
}

// "45.00000" is a plain amount too: zeros beyond the fourth decimal are dropped.
static bool read_amount(const struct import_node *node, int64_t *amount_e4)
{
	char text[40];
	if (!node || strlen(node->text) >= sizeof text)
		return false;
	strcpy(text, node->text);
	char *dot = strchr(text, '.');
	if (dot)
		for (size_t end = strlen(text); end > (size_t)(dot - text) + 5 && text[end - 1] == '0'; end--)
			text[end - 1] = '\0';
	return amount_parse(text, amount_e4) == ERR_OK && *amount_e4 > 0;
}

bool draft_budget_min(struct import_draft *draft, struct import_node *node)
{
	int64_t amount;
	node = node_value(node);
	if (draft->budget_min_e4 || !read_amount(node, &amount) || (draft->budget_max_e4 && amount > draft->budget_max_e4))
		return false;
	draft->budget_min_e4 = amount;
	return use(node);
}

bool draft_budget_max(struct import_draft *draft, struct import_node *node)
{
	int64_t amount;
	node = node_value(node);
	if (draft->budget_max_e4 || !read_amount(node, &amount) || amount < draft->budget_min_e4)
		return false;
	draft->budget_max_e4 = amount;
	return use(node);
}

bool draft_unit_price(struct import_draft *draft, struct import_node *price, struct import_node *quantity,
                      struct import_node *per)
{
	int64_t price_e4, quantity_e4 = 10000, per_e4 = 10000, total_e4;
	price = node_value(price);
	quantity = node_value(quantity);
	per = node_value(per);
	if (draft->several || draft->budget_max_e4 || !read_amount(price, &price_e4) ||
	    (quantity && !read_amount(quantity, &quantity_e4)) || (per && !read_amount(per, &per_e4)))
		return false;
	if (__builtin_mul_overflow(price_e4, quantity_e4, &total_e4))
		return false;
	total_e4 = total_e4 / per_e4 + (total_e4 % per_e4 != 0);
	if (total_e4 > AMOUNT_E4_MAX || total_e4 < draft->budget_min_e4)
		return false;
	draft->budget_max_e4 = total_e4;
	if (per)
		use(per);
	return use(price);
}

static bool take_day(struct import_draft *draft, struct import_node *node, uint64_t day)
{
	if (day < draft->today || day > UINT32_MAX)
		return false;
	if (draft->needed_by == 0 || day < draft->needed_by)
		draft->needed_by = (uint32_t)day;
	return use(node);
}

bool draft_needed_by(struct import_draft *draft, struct import_node *node)
{
	char text[11];
	uint32_t day;
	node = node_value(node);
	if (!node || strlen(node->text) < 10 || (node->text[10] && !strchr("TtZ+- ", node->text[10])))
		return false;
	memcpy(text, node->text, 10);
	text[10] = '\0';
	return day_parse(text, &day) == ERR_OK && take_day(draft, node, day);
}

static bool text_is_one_of(const char *text, const char *const *words)
{
	struct folded folded;
	if (!text_fold(&folded, text, strlen(text)))
		return false;
	while (*words && strcmp(*words, folded.text) != 0)
		words++;
	return *words != NULL;
}

bool draft_needed_in(struct import_draft *draft, struct import_node *value, struct import_node *unit)
{
	static const struct {
		const char *words[8];
		uint64_t hours;
	} units[] = {
	    {{"hur", "hour", "hours", "h", "heure", "heures"}, 1},
	    {{"day", "days", "d", "jour", "jours"}, 24},
	    {{"wee", "week", "weeks", "semaine", "semaines"}, 7 * 24},
	    {{"mon", "month", "months", "mois"}, 30 * 24},
	};
	int64_t amount;
	value = node_value(value);
	unit = node_value(unit);
	if (!unit || !read_amount(value, &amount) || amount > (int64_t)QUANTITY_MAX * 10000)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (text_is_one_of(unit->text, units[i].words))
			return take_day(draft, value, draft->today + (uint64_t)amount * units[i].hours / 10000 / 24) && use(unit);
	return false;
}

// Enumerations come as words or links: "NewCondition", "https://schema.org/NewCondition". Only the end counts.
static const char *word_of(const char *text)
{
	const char *word = text;
	for (; *text; text++)
		if (strchr("/#:", *text) && text[1])
			word = text + 1;
	return word;
}

struct word_map {
	const char *word, *value;
};

// The node of an enumeration: its text or what it refers to.
static struct import_node *enumeration(struct import_node *node)
{
	struct import_node *value = node_value(node);
	return value ? value : node_value(node_child(node, "@id"));
}

static const char *map_word(const struct word_map *map, const char *text)
{
	struct folded folded;
	text = word_of(text);
	if (!text_fold(&folded, text, strlen(text)))
		return NULL;
	while (map->word && strcmp(map->word, folded.text) != 0)
		map++;
	return map->value;
}

bool draft_condition(struct import_draft *draft, struct import_node *node)
{
	static const struct word_map map[] = {
	    {"newcondition", "new"},
	    {"new", "new"},
	    {"usedcondition", "used"},
	    {"used", "used"},
	    {"secondhand", "used"},
	    {"refurbishedcondition", "used"},
	    {"refurbished", "used"},
	    {"damagedcondition", "used"},
	    {"any", "any"},
	    {NULL, NULL},
	};
	node = enumeration(node);
	const char *value = node ? map_word(map, node->text) : NULL;
	if (!value)
		return false;
	if (draft->condition && strcmp(draft->condition, value) != 0)
		value = "any"; // both are welcome
	draft->condition = value;
	return use(node);
}

void draft_fulfilment_is(struct import_draft *draft, const char *word)
{
	draft->fulfilment = draft->fulfilment && strcmp(draft->fulfilment, word) != 0 ? "any" : word;
}

bool draft_fulfilment(struct import_draft *draft, struct import_node *node)
{
	static const struct word_map map[] = {
	    {"delivery", "delivery"},
	    {"home delivery", "delivery"},
	    {"parcelservice", "delivery"},
	    {"lockerdelivery", "delivery"},
	    {"deliverymodemail", "delivery"},
	    {"deliverymodefreight", "delivery"},
	    {"deliverymodeownfleet", "delivery"},
	    {"dhl", "delivery"},
	    {"ups", "delivery"},
	    {"federalexpress", "delivery"},
	    {"onsitepickup", "pickup"},
	    {"deliverymodepickup", "pickup"},
	    {"pickup", "pickup"},
	    {"self pickup", "pickup"},
	    {"selfpickup", "pickup"},
	    {"buyer fulfilled", "pickup"},
	    {"store pickup", "pickup"},
	    {"in store", "pickup"},
	    {"onsite", "onsite"},
	    {"on site", "onsite"},
	    {"at home", "onsite"},
	    {"home service", "onsite"},
	    {"exw", "pickup"},
	    {"fca", "pickup"},
	    {"dap", "delivery"},
	    {"ddp", "delivery"},
	    {"dpu", "delivery"},
	    {"cpt", "delivery"},
	    {"cip", "delivery"},
	    {NULL, NULL},
	};
	node = enumeration(node);
	const char *value = node ? map_word(map, node->text) : NULL;
	if (!value)
		return false;
	draft_fulfilment_is(draft, value);
	return use(node);
}

bool draft_quantity(struct import_draft *draft, struct import_node *value)
{
	int64_t amount;
	value = node_value(value);
	if (!read_amount(value, &amount) || amount % 10000 != 0 || amount / 10000 > QUANTITY_MAX)
		return false;
	draft->quantity = (uint32_t)(amount / 10000);
	return use(value);
}

bool unit_is_piece(struct import_node *unit)
{
	static const char *const words[] = {"niu",   "c62",    "h87",  "ea",    "each",   "pce",   "pcs", "piece", "pieces",
	                                    "unit",  "units",  "nar",  "pr",    "set",    "count", "pk",  "un",    "stk",
	                                    "unite", "unites", "item", "items", "number", "nos",   "xpp", NULL};
	unit = node_value(unit);
	return !unit || text_is_one_of(unit->text, words);
}

bool draft_category(struct import_draft *draft, struct import_node *node)
{
	uint32_t before = draft->category;
	node = node_value(node);
	draft_category_hint(draft, node);
	return draft->category != before && use(node);
}

void draft_category_hint(struct import_draft *draft, struct import_node *node)
{
	const struct taxonomy *taxonomy = taxonomy_builtin();
	node = node_value(node);
	if (!node || strlen(node->text) > 1000 || draft->guesses++ >= GUESSES_MAX)
		return;
	uint32_t found = taxonomy_find(taxonomy, node->text);
	if (found == TREE_NONE)
		found = taxonomy_guess(taxonomy, node->text);
	if (found == TREE_NONE)
		return;
	// A later word may only say more exactly what an earlier one said.
	if (draft->category == TREE_NONE || tree_contains(taxonomy_tree(taxonomy), draft->category, found))
		draft->category = found;
}

static json_t *amount_json(int64_t amount_e4, const char *currency)
{
	char text[32];
	amount_format(amount_e4, currency, text);
	return json_string(text);
}

static void set_budget(const struct import_draft *draft, json_t *out)
{
	if (!draft->budget_min_e4 && !draft->budget_max_e4) {
		if (draft->currency[0])
			json_object_set_new(out, "currency", json_string(draft->currency));
		return;
	}
	json_t *budget = json_object();
	if (draft->budget_min_e4)
		json_object_set_new(budget, "min", amount_json(draft->budget_min_e4, draft->currency));
	if (draft->budget_max_e4)
		json_object_set_new(budget, "max", amount_json(draft->budget_max_e4, draft->currency));
	if (draft->currency[0])
		json_object_set_new(budget, "currency", json_string(draft->currency));
	json_object_set_new(out, "budget", budget);
}

json_t *draft_json(const struct import_draft *draft)
{
	json_t *out = json_object();
	char *text = draft_lines(draft);
	if (text)
		json_object_set_new(out, "text", json_string(text));
	free(text);
	if (draft->category != TREE_NONE)
		json_object_set_new(out, "category", json_string(taxonomy_id(taxonomy_builtin(), draft->category)));
	if (draft->region != TREE_NONE)
		json_object_set_new(out, "region", json_string(region_code(draft->region)));
	set_budget(draft, out);
	if (draft->needed_by) {
		char day[16];
		day_format(draft->needed_by, day);
		json_object_set_new(out, "needed_by", json_string(day));
	}
	if (draft->quantity)
		json_object_set_new(out, "quantity", json_integer(draft->quantity));
	if (draft->condition)
		json_object_set_new(out, "condition", json_string(draft->condition));
	if (draft->fulfilment)
		json_object_set_new(out, "fulfilment", json_string(draft->fulfilment));
	return out;
}
