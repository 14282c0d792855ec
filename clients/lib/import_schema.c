// schema.org Demand in JSON-LD: alone, in a list, in @graph, or sought by somebody ("seeks"). Values may stand in full
// or be referred to by @id.
#include <string.h>

#include "clients/lib/import_draft.h"

static bool has_type(struct import_node *node, const char *type)
{
	for (struct import_node *at = node_child(node, "@type"); at; at = node_again(at)) {
		const char *text = at->text ? at->text : "";
		const char *end = strrchr(text, '/');
		const char *colon = strrchr(text, ':');
		text = end ? end + 1 : colon ? colon + 1 : text;
		if (strcmp(text, type) == 0)
			return true;
	}
	return false;
}

static struct import_node *find_demand(struct import_node *root)
{
	struct import_node *node = root;
	while (node && !has_type(node, "Demand"))
		node = node_walk(root, node);
	return node;
}

// {"@id": "#coffee"} and nothing else: the object of that id elsewhere in the file.
static struct import_node *resolve(struct import_draft *draft, struct import_node *node)
{
	struct import_node *id = node ? node_child(node, "@id") : NULL;
	if (!id || !id->text || node->first != node->last)
		return node;
	for (struct import_node *at = draft->doc->root; at; at = node_walk(draft->doc->root, at)) {
		struct import_node *other = at != node ? node_child(at, "@id") : NULL;
		if (other && other->text && at->first != at->last && strcmp(other->text, id->text) == 0)
			return at;
	}
	return node;
}

// Also an AdministrativeArea or Country with a code, or a country's plain name; anything finer is a place somebody is.
static void map_region(struct import_draft *draft, struct import_node *area)
{
	static const char *const codes[] = {"identifier", "addressCountry", "isoCode", "name"};
	for (; area; area = node_again(area)) {
		struct import_node *at = resolve(draft, area);
		if (draft_region(draft, at, NULL) || draft_country_name(draft, at))
			continue;
		for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
			draft_region(draft, node_at(at, codes[i]), NULL);
		if (draft->region == TREE_NONE)
			draft_country_name(draft, node_at(at, "name"));
		draft_region(draft, node_at(at, "identifier/value"), NULL);
		draft_region(draft, node_at(at, "address/addressCountry"), NULL);
	}
}

static void map_price(struct import_draft *draft, struct import_node *price)
{
	for (; price; price = node_again(price)) {
		struct import_node *at = resolve(draft, price);
		if (!draft_currency(draft, node_at(at, "priceCurrency")))
			draft_currency(draft, node_at(at, "currency"));
		if (!unit_is_piece(node_at(at, "unitCode")))
			continue; // by the hour or by weight: no budget for the whole
		draft_budget_min(draft, node_at(at, "minPrice"));
		draft_budget_max(draft, node_at(at, "maxPrice"));
		draft_budget_max(draft, node_at(at, "price"));
		draft_budget_min(draft, node_at(at, "minValue"));
		draft_budget_max(draft, node_at(at, "maxValue"));
		map_price(draft, node_at(at, "priceComponent"));
	}
}

static void map_quantity(struct import_draft *draft, struct import_node *quantity)
{
	if (!quantity)
		return;
	if (draft_quantity(draft, quantity))
		return;
	struct import_node *unit =
	    node_at(quantity, "unitCode") ? node_at(quantity, "unitCode") : node_at(quantity, "unitText");
	struct import_node *value = node_at(quantity, "value");
	draft_measure(draft, value ? value : node_at(quantity, "minValue"), unit);
}

static void map_category(struct import_draft *draft, struct import_node *category)
{
	static const char *const names[] = {"name", "codeValue", "termCode"};
	for (; category; category = node_again(category)) {
		struct import_node *at = resolve(draft, category);
		if (draft_category(draft, at))
			continue;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			draft_category(draft, node_at(at, names[i]));
	}
}

static void map_item(struct import_draft *draft, struct import_node *item)
{
	static const char *const texts[] = {"brand", "model", "color", "size", "material"};
	item = resolve(draft, item);
	struct import_node *name = node_value(item) ? item : node_at(item, "name");
	if (!name)
		name = node_at(item, "serviceType");
	draft_text(draft, name, DRAFT_NAME_BYTES_MAX);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct import_node *at = node_at(item, texts[i]);
		draft_text(draft, node_value(at) ? at : node_at(at, "name"), DRAFT_NOTE_BYTES_MAX);
	}
	map_category(draft, node_at(item, "category"));
	map_category(draft, node_at(item, "serviceType"));
	draft_category_hint(draft, name);
	draft_condition(draft, node_at(item, "itemCondition"));
	map_region(draft, node_at(item, "areaServed"));
	draft_new_line(draft);
}

static void map_items(struct import_draft *draft, struct import_node *demand)
{
	struct import_node *at = node_child(demand, "itemOffered");
	for (; at; at = node_again(at))
		map_item(draft, at);
	for (at = node_child(demand, "includesObject"); at; at = node_again(at)) {
		map_item(draft, node_at(at, "typeOfGood"));
		draft_measure(draft, node_at(at, "amountOfThisGood"), node_at(at, "unitCode"));
	}
	map_category(draft, node_at(demand, "category"));
	if (draft->piece_count == 0)
		map_item(draft, demand); // no item: the demand's own name is the product's
}

// The day until which the thing is of use: said, or counted from today, or else when the demand itself ends.
static void map_dates(struct import_draft *draft, struct import_node *demand)
{
	struct import_node *lead = node_at(demand, "deliveryLeadTime");
	struct import_node *unit = node_at(lead, "unitCode") ? node_at(lead, "unitCode") : node_at(lead, "unitText");
	draft_needed_by(draft, node_at(demand, "availabilityEnds"));
	struct import_node *value = node_at(lead, "maxValue") ? node_at(lead, "maxValue") : node_at(lead, "value");
	draft_needed_in(draft, value, unit);
	if (!draft->needed_by)
		draft_needed_by(draft, node_at(demand, "validThrough"));
}

bool import_schema(struct import_draft *draft)
{
	static const char *const areas[] = {"eligibleRegion", "areaServed", "availableAtOrFrom"};
	static const char *const people[] = {"seller/address/addressCountry", "buyer/address/addressCountry",
	                                     "offeredBy/address/addressCountry", "customer/address/addressCountry"};
	struct import_node *demand = find_demand(draft->doc->root);
	if (!demand)
		return false;
	map_items(draft, demand);
	for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
		map_region(draft, node_child(demand, areas[i]));
	for (size_t i = 0; i < sizeof people / sizeof *people && draft->region == TREE_NONE; i++)
		draft_region(draft, node_at(demand, people[i]), NULL);
	map_price(draft, node_child(demand, "priceSpecification"));
	draft_currency(draft, node_at(demand, "priceCurrency"));
	draft_budget_max(draft, node_at(demand, "price"));
	struct import_node *condition = node_child(demand, "itemCondition");
	for (; condition; condition = node_again(condition))
		draft_condition(draft, condition);
	struct import_node *method = node_child(demand, "availableDeliveryMethod");
	for (; method; method = node_again(method))
		draft_fulfilment(draft, method);
	map_quantity(draft, node_child(demand, "eligibleQuantity"));
	map_dates(draft, demand);
	return true;
}
