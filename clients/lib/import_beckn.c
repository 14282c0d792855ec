// Beckn messages that say what somebody wants: search, discover and select, core 0.9 to 1.1 (message.intent,
// message.order) and 2.0 (the same with "beckn:" names).
#include <stdio.h>
#include <string.h>

#include "clients/lib/import_draft.h"
#include "proto/limits.h"
#include "proto/taxonomy.h"

// The domain is a few words with ':' between, such as "beckn.one:deg:ev-charging:*": the last that means something.
static void map_domain(struct import_draft *draft, struct import_node *domain)
{
	if (!domain || !domain->text || strlen(domain->text) > 200)
		return;
	char words[201];
	strcpy(words, domain->text);
	domain->claim = CLAIM_USED;
	while (draft->category == TREE_NONE) {
		char *colon = strrchr(words, ':');
		const char *word = colon ? colon + 1 : words;
		if (strpbrk(word, "abcdefghijklmnopqrstuvwxyz"))
			draft->category = taxonomy_guess(taxonomy_builtin(), word);
		if (!colon)
			return;
		*colon = '\0';
	}
}

static void hint_descriptor(struct import_draft *draft, struct import_node *descriptor)
{
	draft_category_hint(draft, node_at(descriptor, "name"));
	draft_category_hint(draft, node_at(descriptor, "code"));
}

static void text_descriptor(struct import_draft *draft, struct import_node *descriptor)
{
	if (!draft_text(draft, node_at(descriptor, "name"), DRAFT_NAME_BYTES_MAX))
		draft_text(draft, node_at(descriptor, "code"), DRAFT_NOTE_BYTES_MAX);
}

// A category is a name or code of the network's own; its id is only tried as one of ours.
static void hint_category(struct import_draft *draft, struct import_node *category)
{
	draft_category(draft, node_at(category, "id"));
	hint_descriptor(draft, node_at(category, "descriptor"));
}

// Code and text of a unit say the same: one is used, the other needs no report.
static void claim_unit(struct import_node *quantity)
{
	static const char *const names[] = {"unitCode", "unitText"};
	for (size_t i = 0; i < 2; i++) {
		struct import_node *unit = node_value(node_child(quantity, names[i]));
		if (unit)
			unit->claim = CLAIM_USED;
	}
}

static void map_amount(struct import_draft *draft, struct import_node *amount)
{
	struct import_node *measure = node_at(amount, "measure");
	if (measure)
		draft_measure(draft, node_at(measure, "value"), node_at(measure, "unit"));
	draft_quantity(draft, node_at(amount, "count"));
}

static void map_quantity(struct import_draft *draft, struct import_node *quantity)
{
	static const char *const ways[] = {"selected", "available", "minimum", "maximum"};
	if (!quantity)
		return;
	if (node_value(quantity)) {
		draft_quantity(draft, quantity);
		return;
	}
	map_amount(draft, quantity);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		map_amount(draft, node_at(quantity, ways[i]));
	struct import_node *unit =
	    node_at(quantity, "unitCode") ? node_at(quantity, "unitCode") : node_at(quantity, "unitText");
	if (draft_measure(draft, node_at(quantity, "unitQuantity"), unit))
		claim_unit(quantity);
}

static void map_price(struct import_draft *draft, struct import_node *price)
{
	draft_currency(draft, node_at(price, "currency"));
	draft_budget_min(draft, node_at(price, "minimum_value"));
	draft_budget_max(draft, node_at(price, "maximum_value"));
	draft_budget_max(draft, node_at(price, "value"));
	draft_budget_max(draft, node_at(price, "estimated_value"));
	draft_budget_max(draft, node_at(price, "offered_value"));
}

// Of where, only the codes of a country and a state. gps, address, city and area codes tell where somebody is.
static void map_location(struct import_draft *draft, struct import_node *location)
{
	struct import_node *country = node_at(location, "country/code");
	draft_region(draft, country, NULL);
	draft_region(draft, node_at(location, "state/code"), country);
	draft_region(draft, node_at(location, "address/country"), NULL);
}

static void map_stop(struct import_draft *draft, struct import_node *stop)
{
	map_location(draft, node_at(stop, "location"));
	if (!draft_needed_by(draft, node_at(stop, "time/range/end")))
		draft_needed_by(draft, node_at(stop, "time/timestamp"));
}

static void map_fulfilment(struct import_draft *draft, struct import_node *fulfilment)
{
	for (; fulfilment; fulfilment = node_again(fulfilment)) {
		draft_fulfilment(draft, node_at(fulfilment, "type"));
		map_stop(draft, node_at(fulfilment, "end"));
		struct import_node *stop = node_child(fulfilment, "stops");
		for (; stop; stop = node_again(stop))
			map_stop(draft, stop);
	}
}

static void map_item(struct import_draft *draft, struct import_node *item)
{
	hint_category(draft, node_at(item, "category"));
	draft_category(draft, node_at(item, "category_id"));
	hint_descriptor(draft, node_at(item, "descriptor"));
	text_descriptor(draft, node_at(item, "descriptor"));
	text_descriptor(draft, node_at(item, "category/descriptor"));
	map_quantity(draft, node_at(item, "quantity"));
	map_price(draft, node_at(item, "price"));
	map_fulfilment(draft, node_child(item, "fulfillment"));
	draft_new_line(draft);
}

// Version 2: what was chosen. Its price times its quantity is what the person would pay.
static void map_order_item(struct import_draft *draft, struct import_node *item)
{
	struct import_node *offer = node_at(item, "acceptedOffer");
	hint_descriptor(draft, node_at(offer, "descriptor"));
	text_descriptor(draft, node_at(offer, "descriptor"));
	map_quantity(draft, node_at(item, "quantity"));
	draft_currency(draft, node_at(offer, "price/currency"));
	struct import_node *per = node_at(offer, "price/applicableQuantity");
	if (draft_unit_price(draft, node_at(offer, "price/value"), node_at(item, "quantity/unitQuantity"),
	                     node_at(per, "unitQuantity")))
		claim_unit(per);
	draft_new_line(draft);
}

static void map_order(struct import_draft *draft, struct import_node *order)
{
	struct import_node *item = node_child(order, "items");
	for (; item; item = node_again(item))
		map_item(draft, item);
	size_t count = 0;
	for (item = node_child(order, "orderItems"); item; item = node_again(item))
		count++;
	draft->several = count > 1;
	for (item = node_child(order, "orderItems"); item; item = node_again(item))
		map_order_item(draft, item);
	map_price(draft, node_at(order, "orderValue"));
	map_price(draft, node_at(order, "quote/price"));
	map_fulfilment(draft, node_child(order, "fulfillments"));
	map_fulfilment(draft, node_child(order, "fulfillment"));
	struct import_node *wishes = node_at(order, "orderAttributes/preferences");
	if (!draft_needed_by(draft, node_at(wishes, "endTime")))
		draft_needed_by(draft, node_at(wishes, "startTime"));
}

static void map_intent(struct import_draft *draft, struct import_node *intent)
{
	if (!intent)
		return;
	// The category's words decide first, since they are broader; the item's stand first in the text.
	hint_category(draft, node_at(intent, "category"));
	struct import_node *item = node_child(intent, "item") ? node_child(intent, "item") : node_child(intent, "items");
	for (; item; item = node_again(item))
		map_item(draft, item);
	hint_descriptor(draft, node_at(intent, "descriptor"));
	text_descriptor(draft, node_at(intent, "descriptor"));
	text_descriptor(draft, node_at(intent, "category/descriptor"));
	map_fulfilment(draft, node_child(intent, "fulfillment"));
	map_fulfilment(draft, node_child(intent, "fulfillments"));
	map_price(draft, node_at(intent, "price"));
	// Versions before 1.0 say it flat.
	draft_text(draft, node_at(intent, "query_string"), DRAFT_NAME_BYTES_MAX);
	draft_category_hint(draft, node_at(intent, "query_string"));
	draft_category(draft, node_at(intent, "category_id"));
}

bool import_beckn(struct import_draft *draft)
{
	struct import_node *context = node_child(draft->doc->root, "context");
	struct import_node *message = node_child(draft->doc->root, "message");
	struct import_node *action = node_at(context, "action");
	if (!message ||
	    (!node_text_is(action, "search") && !node_text_is(action, "select") && !node_text_is(action, "discover")))
		return false;
	draft->vendor_names = true;
	action->claim = CLAIM_USED;
	struct import_node *version = node_at(context, "version");
	if (!version)
		version = node_at(context, "core_version");
	if (version)
		version->claim = CLAIM_USED;
	map_domain(draft, node_at(context, "domain"));
	map_intent(draft, node_at(message, "intent"));
	if (node_child(message, "order"))
		map_order(draft, node_child(message, "order"));
	draft_text(draft, node_at(message, "text_search"), DRAFT_NAME_BYTES_MAX);
	draft_category_hint(draft, node_at(message, "text_search"));
	// Where the network is: counts if the message does not say where the thing is wanted.
	map_location(draft, node_at(context, "location"));
	draft_region(draft, node_at(context, "country"), NULL);
	return true;
}
