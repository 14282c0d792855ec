// UBL 2.1 RequestForQuotation. Names are local ones: prefixes are the writer's choice, other namespaces are unknown.
#include <string.h>

#include "clients/lib/import_draft.h"

static void map_item(struct import_draft *draft, struct import_node *line, struct import_node *item)
{
	struct import_node *note = node_child(line, "Note");
	for (; note; note = node_again(note)) {
		draft_text(draft, note, DRAFT_NOTE_BYTES_MAX);
		draft_category_hint(draft, note);
	}
	struct import_node *name = node_at(item, "Name"), *description = node_child(item, "Description");
	draft_text(draft, name, DRAFT_NAME_BYTES_MAX);
	draft_category_hint(draft, name);
	for (; description; description = node_again(description)) {
		draft_text(draft, description, DRAFT_NAME_BYTES_MAX);
		draft_category_hint(draft, description);
	}
	draft_text(draft, node_at(item, "BrandName"), DRAFT_NOTE_BYTES_MAX);
	draft_text(draft, node_at(item, "ModelName"), DRAFT_NOTE_BYTES_MAX);
}

// Classifications are codes of lists we do not have; where they come with their name, the name is tried.
static void map_classification(struct import_draft *draft, struct import_node *item)
{
	struct import_node *at = node_child(item, "CommodityClassification");
	for (; at; at = node_again(at)) {
		draft_category(draft, node_at(at, "ItemClassificationCode/@name"));
		draft_category(draft, node_at(at, "CommodityCode/@name"));
		draft_category(draft, node_at(at, "ItemClassificationCode"));
	}
}

static void map_delivery(struct import_draft *draft, struct import_node *delivery)
{
	static const char *const countries[] = {"DeliveryAddress/Country/IdentificationCode",
	                                        "DeliveryLocation/Address/Country/IdentificationCode"};
	static const char *const parts[] = {"DeliveryAddress/CountrySubentityCode",
	                                    "DeliveryLocation/Address/CountrySubentityCode"};
	for (; delivery; delivery = node_again(delivery)) {
		for (size_t i = 0; i < sizeof countries / sizeof *countries; i++) {
			struct import_node *country = node_at(delivery, countries[i]);
			draft_region(draft, country, NULL);
			draft_region(draft, node_at(delivery, parts[i]), country);
		}
		if (!draft_needed_by(draft, node_at(delivery, "RequestedDeliveryPeriod/EndDate")))
			draft_needed_by(draft, node_at(delivery, "RequestedDeliveryPeriod/StartDate"));
		draft_needed_by(draft, node_at(delivery, "LatestDeliveryDate"));
		if (!draft->fulfilment && (node_child(delivery, "DeliveryAddress") || node_child(delivery, "DeliveryLocation")))
			draft_fulfilment_is(draft, "delivery");
	}
}

// One line: its quantity is the intent's. Several: each says its own in the text.
static void map_quantity(struct import_draft *draft, struct import_node *quantity)
{
	struct import_node *unit = node_at(quantity, "@unitCode");
	if (!quantity)
		return;
	if (draft->several && unit_is_piece(unit)) {
		if (draft_pieces_text(draft, quantity) && unit)
			unit->claim = CLAIM_USED;
		return;
	}
	draft_measure(draft, quantity, unit);
}

static void map_line(struct import_draft *draft, struct import_node *line)
{
	struct import_node *line_item = node_at(line, "LineItem"), *item = node_at(line_item, "Item");
	map_classification(draft, item);
	map_item(draft, line, item);
	struct import_node *note = node_child(line_item, "Note");
	for (; note; note = node_again(note))
		draft_text(draft, note, DRAFT_NOTE_BYTES_MAX);
	map_quantity(draft, node_at(line_item, "Quantity"));
	draft_new_line(draft);
	map_delivery(draft, node_child(line_item, "Delivery"));
	struct import_node *price = node_at(line_item, "Price/PriceAmount");
	draft_currency(draft, node_at(price, "@currencyID"));
	draft_unit_price(draft, price, node_at(line_item, "Quantity"), node_at(line_item, "Price/BaseQuantity"));
}

static void map_amount(struct import_draft *draft, struct import_node *amount,
                       bool (*set)(struct import_draft *, struct import_node *))
{
	if (amount && set(draft, amount))
		draft_currency(draft, node_at(amount, "@currencyID"));
}

static void map_budget(struct import_draft *draft, struct import_node *root)
{
	static const char *const maxima[] = {"MaximumAmount", "EstimatedOverallContractAmount", "TotalAmount",
	                                     "AverageAmount"};
	draft_currency(draft, node_at(root, "PricingCurrencyCode"));
	draft_currency(draft, node_at(root, "DocumentCurrencyCode"));
	map_amount(draft, node_search(root, NULL, "MinimumAmount"), draft_budget_min);
	for (size_t i = 0; i < sizeof maxima / sizeof *maxima; i++)
		map_amount(draft, node_search(root, NULL, maxima[i]), draft_budget_max);
}

bool import_ubl(struct import_draft *draft)
{
	static const char *const buyers[] = {
	    "OriginatorCustomerParty/Party/PostalAddress/Country/IdentificationCode",
	    "BuyerCustomerParty/Party/PostalAddress/Country/IdentificationCode",
	};
	struct import_node *root = draft->doc->root, *line;
	if (strcmp(root->key, "RequestForQuotation") != 0)
		return false;
	draft->vendor_names = true;
	line = node_child(root, "RequestForQuotationLine");
	draft->several = node_again(line) != NULL;
	map_budget(draft, root);
	map_delivery(draft, node_child(root, "Delivery"));
	struct import_node *terms = node_child(root, "DeliveryTerms");
	for (; terms; terms = node_again(terms))
		draft_fulfilment(draft, node_at(terms, "ID"));
	for (; line; line = node_again(line))
		map_line(draft, line);
	for (size_t i = 0; i < sizeof buyers / sizeof *buyers && draft->region == TREE_NONE; i++)
		draft_region(draft, node_at(root, buyers[i]), NULL);
	return true;
}
