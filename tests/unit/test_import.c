// Messages of other systems become drafts, and nothing in a draft tells who wrote them. For each file the draft is
// compared as a whole, and every piece of identity in it, collected by hand, is searched for in the draft whatever its
// case, accents and spacing, and in the reports (which name paths, never values).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/lib/import.h"
#include "clients/lib/import_text.h"
#include "proto/limits.h"
#include "proto/values.h"

struct example {
	const char *file, *today, *draft;
	const char *identity[40]; // NULL at the end
	const char *listed[12];   // "kind path" that must be in identity_found
	const char *unknown[8];   // paths that must be in not_understood
};

static const struct example own_examples[] = {
    {
        "demand-graph.jsonld",
        "2024-01-01",
        "{\"text\":\"V\xc3\xa9lo de ville, green\",\"category\":\"mobility.bicycles.city-bike\",\"region\":\"FR\","
        "\"budget\":{\"max\":\"1200.00\",\"currency\":\"EUR\"},\"needed_by\":\"2024-01-11\",\"quantity\":2,"
        "\"condition\":\"any\",\"fulfilment\":\"pickup\"}",
        {"people.example", "Marie", "Kerbrat", "marie.kerbrat@mail.example", "1981-04-03", "venelle du Moulin", "29900",
         "Concarneau", "LC-5550-1234-99", "behind the mill"},
        {"name $.@graph[0].schema:name", "email $.@graph[0].schema:email.@value", "name $.@graph[2].schema:model",
         "person $.@graph[0].ex:loyaltyCard", "id $.@graph[0].@id",
         "address $.@graph[0].schema:address.schema:postalCode"},
        {"$.@graph[1].schema:description"},
    },
    {
        "demand-list.json",
        "2024-01-01",
        "{\"text\":\"Lave-vaisselle\",\"category\":\"home.kitchen.dishwasher\",\"region\":\"DE-BY\",\"currency\":"
        "\"EUR\","
        "\"needed_by\":\"2024-11-30\",\"quantity\":3}",
        {"Fast Freight", "FR40303265045", "889912", "06.12.34.56.78", "0612345678", "jean", "mail.example", "48.137",
         "11.575", "Le Braz", "@jlb", "33612345678"},
        {"name $[0].name", "tax_id $[0].vatID", "phone $[1].itemOffered[1]", "email $[1].itemOffered[2]",
         "location $[1].eligibleRegion[1].geoMidpoint.latitude", "name $[1].buyer.givenName", "name $[1].customer"},
        {"$[1].price", "$[1].availabilityEnds", "$[1].?"},
    },
    {
        "beckn-v1-retail-search.json",
        "2024-03-01",
        "{\"text\":\"Coffee beans\\nCoffee and tea\",\"category\":\"food.drinks.coffee-tea\",\"region\":\"IN-KL\","
        "\"budget\":{\"min\":\"500.00\",\"max\":\"1500.50\",\"currency\":\"INR\"},\"needed_by\":\"2024-03-05\","
        "\"quantity\":6,\"fulfilment\":\"delivery\"}",
        {"std:0484", "bap.shopper.example", "b4f2c0de", "MCowBQYDK2VuAyEAx7w", "Lakshmi", "Nair", "9840012345",
         "l.nair@mail.example", "9.9312", "76.2673", "7B", "Marine Heights", "Shanmugham", "682031", "112233445566",
         "okbank", "P-7781", "Malabar", "at home"},
        {"endpoint $.context.bap_id", "id $.context.transaction_id", "id $.context.key",
         "location $.message.intent.fulfillment.end.location.gps",
         "account $.message.intent.payment.params.bank_account_number", "email $.message.intent.tags[0].list[0].value",
         "name $.message.intent.fulfillment.customer.person.name"},
        {"$.message.intent.item.descriptor.short_desc", "$.message.intent.tags[0].list[1].value"},
    },
    {
        "beckn-v1-select.json",
        "2024-03-01",
        "{\"text\":\"Plumbing repair\",\"category\":\"services.home\",\"region\":\"FR\","
        "\"budget\":{\"max\":\"120.00\",\"currency\":\"EUR\"},\"needed_by\":\"2024-04-01\",\"quantity\":1,"
        "\"fulfilment\":\"onsite\"}",
        {"bap.example", "bpp.plumb.example", "std:029", "Quimper", "plumb-77", "Plomberie Le Goff", "Erwan", "Tanguy",
         "298001122", "2 98 00 11 22", "FR12345678901", "quai de l'Odet", "29000", "47.99", "4711"},
        {"name $.message.order.billing.name", "phone $.message.order.billing.phone",
         "tax_id $.message.order.billing.tax_id", "address $.message.order.billing.address",
         "location $.message.order.fulfillments[0].stops[0].location.gps"},
        {"$.message.order.fulfillments[0].stops[0].instructions.short_desc"},
    },
    {
        "beckn-v2-select.json",
        "2024-03-01",
        "{\"text\":\"Fast charging CCS2, 10.5 kWh\",\"category\":\"mobility.charging\","
        "\"budget\":{\"max\":\"210.00\",\"currency\":\"INR\"},\"needed_by\":\"2024-05-02\"}",
        {"aa11bb22", "bap.drive.example", "voltage", "user-777", "Asha", "Rao", "9812345678", "asha.rao",
         "GSTIN27ABCDE1234F1Z5", "cs-09", "offer-9", "MH 12 AB 4321"},
        {"name $.message.order.beckn:buyer.beckn:displayName", "tax_id $.message.order.beckn:buyer.beckn:taxID",
         "id $.message.order.beckn:orderItems[0].beckn:orderedItem",
         "id $.message.order.beckn:orderAttributes.vehicle.registration"},
        {"$.context.ttl"},
    },
    {
        "ubl-rfq-prefixes.xml",
        "2024-03-01",
        "{\"text\":\"Office chair, Ergonomic, "
        "black\",\"category\":\"office.furniture.office-chair\",\"region\":\"BE-WLG\","
        "\"budget\":{\"max\":\"4500.00\",\"currency\":\"EUR\"},\"needed_by\":\"2024-06-30\",\"quantity\":12,"
        "\"fulfilment\":\"delivery\"}",
        {"RFQ-2024-0815", "Fourchette", "Hermine", "4711-0815", "extension", "H\xc3\xa9l\xc3\xa8ne", "\xc3\x89tangs",
         "Li\xc3\xa8ge", "4000", "BE0428759497", "32 4 222 33 44", "erp.example", "BE68539007547034", "quai de Rome",
         "gate B", "ring twice"},
        {"name /RequestForQuotation/Note", "name /RequestForQuotation/OriginatorCustomerParty/Party/Contact/Name",
         "account /RequestForQuotation/PayeeParty/FinancialAccount/ID",
         "name /RequestForQuotation/RequestForQuotationLine/Note"},
        {"/RequestForQuotation/Item/Name", "/RequestForQuotation/DeliveryTerms/SpecialTerms"},
    },
};

// In the shared folder next to the project, where there is one.
static const struct example shared_examples[] = {
    {
        "schema-org-demand.jsonld",
        "2026-01-01",
        "{\"text\":\"Machine \xc3\xa0 expresso avec broyeur\",\"category\":\"home.kitchen.coffee-machine\","
        "\"region\":\"FR-56\",\"budget\":{\"min\":\"100.00\",\"max\":\"250.00\",\"currency\":\"EUR\"},"
        "\"needed_by\":\"2027-01-15\",\"quantity\":1,\"condition\":\"used\"}",
        {"Awa", "Le Goff", "awa.legoff@example.org", "612345678", "6 12 34 56 78", "rue du Port", "56000", "Vannes"},
        {"name $.seller.name", "email $.seller.email", "phone $.seller.telephone",
         "address $.seller.address.postalCode"},
        {"$.itemOffered.gtin13"},
    },
    {
        "beckn-v1-ev-charging-search.json",
        "2023-07-16",
        "{\"text\":\"energy, 4.0 kWH\\ngreen-tariff\",\"category\":\"mobility.charging\",\"region\":\"IN\"}",
        {"example-bap.com", "std:080", "6743e9e2", "12.423423", "77.325647"},
        {"endpoint $.context.bap_id", "endpoint $.context.bap_uri", "id $.context.transaction_id",
         "id $.context.message_id", "location $.context.location.city.code",
         "location $.message.intent.fulfillment.stops[0].location.circle.gps"},
        {"$.context.timestamp"},
    },
    {
        "beckn-v2-ev-charging-select.json",
        "2024-01-15",
        "{\"text\":\"Per-kWh Tariff - CCS2 60kW, 2.5 kWh\",\"category\":\"mobility.charging\","
        "\"budget\":{\"max\":\"112.50\",\"currency\":\"INR\"},\"needed_by\":\"2025-12-20\"}",
        {"bb9f86db", "2b4d69aa", "example-bap.com", "example-bpp.com", "ecopower", "user-123", "Ravi", "Kumar",
         "9876543210", "ravi.kumar@example.com", "GSTIN29ABCDE1234F1Z5", "cs-01", "offer-ccs2-60kw-kwh"},
        {"name $.message.order.beckn:buyer.beckn:displayName", "phone $.message.order.beckn:buyer.beckn:telephone",
         "email $.message.order.beckn:buyer.beckn:email", "tax_id $.message.order.beckn:buyer.beckn:taxID",
         "id $.message.order.beckn:buyer.beckn:id", "party $.message.order.beckn:seller"},
        {"$.context.ttl"},
    },
    {
        "ubl-request-for-quotation-2.1.xml",
        "2008-04-20",
        "{\"text\":\"Computer, Dell PrecisionTM T3400, Station\xc3\xa6r computer, 35 pieces\\n"
        "Sk\xc3\xa6rm, FP/BL 1908WFP, Fladsk\xc3\xa6rm, 35 pieces\\n"
        "Mus, Dell Quietkey USB-tastatur, sort - Dansk (QWERTY), 35 pieces\\n"
        "Tastatur, Dell Quietkey USB-tastatur, sort - Dansk (QWERTY), 35 pieces\","
        "\"category\":\"electronics.computers\",\"region\":\"DK\",\"currency\":\"DKK\",\"needed_by\":\"2008-05-10\","
        "\"fulfilment\":\"delivery\"}",
        {"G867B",
         "93T5G3G5",
         "5798000416604",
         "Gentofte",
         "Kommune",
         "Bernstorffsvej",
         "Charlottenlund",
         "2920",
         "DK12345678",
         "12345678",
         "Sille",
         "Schyberg",
         "LEV00123",
         "DK18296799",
         "18296799",
         "Delcomputer",
         "Arne Jacobsens",
         "2300",
         "K\xc3\xb8"
         "benhavn",
         "1. sal",
         "IT-afdelingen",
         "SKI123456",
         "SKI"},
        {"name /RequestForQuotation/OriginatorCustomerParty/Party/Contact/Name", "id /RequestForQuotation/UUID",
         "tax_id /RequestForQuotation/SellerSupplierParty/Party/PartyTaxScheme/CompanyID",
         "account /RequestForQuotation/SellerSupplierParty/CustomerAssignedAccountID",
         "endpoint /RequestForQuotation/OriginatorCustomerParty/Party/EndpointID",
         "address /RequestForQuotation/Delivery/DeliveryAddress/AddressLine[2]/Line",
         "id /RequestForQuotation/Contract/ContractDocumentReference/ID"},
        {"/RequestForQuotation/Note", "/RequestForQuotation/DeliveryTerms/SpecialTerms"},
    },
};

static uint32_t day(const char *text)
{
	uint32_t out = 0;
	assert_int_equal(day_parse(text, &out), ERR_OK);
	return out;
}

static void squeeze(char *text)
{
	char *out = text;
	for (; *text; text++)
		if (*text != ' ')
			*out++ = *text;
	*out = '\0';
}

// As words, or written together if it is long enough to be told from chance.
static bool holds(const char *text, const char *needle)
{
	char *normal = text_normalise(text), *wanted = text_normalise(needle);
	assert_non_null(normal);
	assert_non_null(wanted);
	bool found = strstr(normal, wanted) != NULL || strstr(text, needle) != NULL;
	squeeze(normal);
	squeeze(wanted);
	found = found || (strlen(wanted) >= 5 && strstr(normal, wanted));
	free(normal);
	free(wanted);
	return found;
}

static void assert_nothing_told(const json_t *result, const struct example *example)
{
	const json_t *draft = json_object_get(result, "intent_draft");
	char *draft_text = json_dumps(draft, JSON_COMPACT), *all = json_dumps(result, JSON_COMPACT);
	for (size_t i = 0; example->identity[i]; i++) {
		if (holds(draft_text, example->identity[i]))
			fail_msg("%s: the draft tells \"%s\": %s", example->file, example->identity[i], draft_text);
		if (strstr(all, example->identity[i]))
			fail_msg("%s: a report tells \"%s\"", example->file, example->identity[i]);
	}
	free(draft_text);
	free(all);
}

static bool lists(const json_t *array, const char *wanted)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
	{
		char line[512];
		if (json_is_string(item))
			snprintf(line, sizeof line, "%s", json_string_value(item));
		else
			snprintf(line, sizeof line, "%s %s", json_string_value(json_object_get(item, "kind")),
			         json_string_value(json_object_get(item, "path")));
		if (strcmp(line, wanted) == 0)
			return true;
	}
	return false;
}

static void check_bytes(const struct example *example, const char *bytes, size_t count)
{
	json_t *result;
	struct oyez_error error = {0};
	enum err err = import_bytes(bytes, count, day(example->today), &result, &error);
	if (err)
		fail_msg("%s: %s %s", example->file, err_name(err), error.detail);
	json_t *wanted = json_loads(example->draft, 0, NULL), *draft = json_object_get(result, "intent_draft");
	assert_non_null(wanted);
	if (!json_equal(wanted, draft)) {
		char *text = json_dumps(draft, JSON_COMPACT);
		fail_msg("%s: the draft is %s", example->file, text);
	}
	json_decref(wanted);
	assert_nothing_told(result, example);
	for (size_t i = 0; example->listed[i]; i++)
		if (!lists(json_object_get(result, "identity_found"), example->listed[i]))
			fail_msg("%s: identity_found lacks %s", example->file, example->listed[i]);
	for (size_t i = 0; example->unknown[i]; i++)
		if (!lists(json_object_get(result, "not_understood"), example->unknown[i]))
			fail_msg("%s: not_understood lacks %s", example->file, example->unknown[i]);
	json_decref(result);
}

static char *read_file(const char *path, size_t *count)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	char *bytes = malloc(IMPORT_BYTES_MAX);
	*count = fread(bytes, 1, IMPORT_BYTES_MAX, file);
	fclose(file);
	return bytes;
}

static void check_files(const struct example *examples, size_t example_count, const char *folder, const char *below)
{
	for (size_t i = 0; i < example_count; i++) {
		char path[1024];
		size_t count = 0;
		snprintf(path, sizeof path, "%s/%s/%s", folder, below, examples[i].file);
		char *bytes = read_file(path, &count);
		if (!bytes)
			fail_msg("%s is missing", path);
		check_bytes(&examples[i], bytes, count);
		free(bytes);
	}
}

static const char *source_dir(void)
{
	const char *folder = getenv("OYEZ_SOURCE_DIR");
	return folder ? folder : ".";
}

static void test_own_examples(void **state)
{
	(void)state;
	check_files(own_examples, sizeof own_examples / sizeof *own_examples, source_dir(), "tests/unit/data");
}

static void test_shared_examples(void **state)
{
	(void)state;
	char folder[1024], path[2048];
	const char *shared = getenv("OYEZ_SHARED_DIR");
	if (shared)
		snprintf(folder, sizeof folder, "%s", shared);
	else
		snprintf(folder, sizeof folder, "%s/../shared", source_dir());
	snprintf(path, sizeof path, "%s/examples/%s", folder, shared_examples[0].file);
	if (access(path, R_OK) != 0) {
		print_message("skipped: %s is not here\n", path);
		skip();
	}
	check_files(shared_examples, sizeof shared_examples / sizeof *shared_examples, folder, "examples");
}

static enum err import_text(const char *text, json_t **result)
{
	struct oyez_error error;
	return import_bytes(text, strlen(text), day("2024-01-01"), result, &error);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "",
	    "   \n",
	    "hello",
	    "{",
	    "[]",
	    "{}",
	    "[1,2,3]",
	    "{\"@type\":\"Offer\"}",
	    "{\"a\":1,\"a\":2}",
	    "{\"@type\":\"Demand\",\"name\":\"a\\u0000b\"}",
	    "{\"@type\":\"Demand\",\"name\":\"\xff\"}",
	    "{\"@type\":\"Demand\",\"price\":1e309}",
	    "{\"context\":{\"action\":\"on_search\"},\"message\":{}}",
	    "{\"context\":{\"action\":\"search\"}}",
	    "{\"context\":7,\"message\":7}",
	    "<a>",
	    "<a/>",
	    "<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\"/>",
	    "<RequestForQuotation xmlns=\"https://other.example\"/>",
	    "<RequestForQuotation/><x/>",
	    "<!DOCTYPE RequestForQuotation [<!ENTITY a \"b\">]><RequestForQuotation/>",
	    "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><RequestForQuotation>&x;</RequestForQuotation>",
	    "<RequestForQuotation>&x;</RequestForQuotation>",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		json_t *result = (json_t *)1;
		if (import_text(texts[i], &result) != ERR_NOT_UNDERSTOOD)
			fail_msg("taken: %s", texts[i]);
		assert_null(result);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	json_t *result;
	struct oyez_error error;
	char *bytes = malloc(IMPORT_BYTES_MAX + 1);
	memset(bytes, ' ', IMPORT_BYTES_MAX + 1);
	assert_int_equal(import_bytes(bytes, IMPORT_BYTES_MAX + 1, 0, &result, &error), ERR_TOO_LARGE);
	// Deep, in both formats.
	memset(bytes, '[', 1000);
	assert_int_equal(import_bytes(bytes, 1000, 0, &result, &error), ERR_NOT_UNDERSTOOD);
	for (size_t i = 0; i < 200; i++)
		memcpy(bytes + 5 * i, "{\"a\":", 5);
	bytes[1000] = '1';
	memset(bytes + 1001, '}', 200);
	assert_int_equal(import_bytes(bytes, 1201, 0, &result, &error), ERR_NOT_UNDERSTOOD);
	for (size_t i = 0; i < 1000; i++)
		memcpy(bytes + 3 * i, "<a>", 3);
	assert_int_equal(import_bytes(bytes, 3000, 0, &result, &error), ERR_NOT_UNDERSTOOD);
	// Wide.
	bytes[0] = '[';
	for (size_t i = 0; i < IMPORT_NODES_MAX + 10; i++)
		memcpy(bytes + 1 + 2 * i, "1,", 2);
	memcpy(bytes + 1 + 2 * (IMPORT_NODES_MAX + 10), "1]", 2);
	assert_int_equal(import_bytes(bytes, 1 + 2 * (IMPORT_NODES_MAX + 10) + 2, 0, &result, &error), ERR_TOO_LARGE);
	free(bytes);
	assert_int_equal(import_file("/nonexistent", &result, &error), ERR_IO);
	assert_int_equal(import_file("/", &result, NULL), ERR_IO);
}

static void assert_draft(const char *text, const char *wanted_text)
{
	json_t *result, *wanted = json_loads(wanted_text, 0, NULL);
	assert_non_null(wanted);
	enum err err = import_text(text, &result);
	if (err)
		fail_msg("%s: %s", err_name(err), text);
	json_t *draft = json_object_get(result, "intent_draft");
	if (!json_equal(draft, wanted)) {
		char *dump = json_dumps(draft, JSON_COMPACT);
		fail_msg("%s\nbecame %s", text, dump);
	}
	json_decref(result);
	json_decref(wanted);
}

// Small forms, one thing each.
static void test_forms(void **state)
{
	(void)state;
	assert_draft("{\"@type\":\"Demand\"}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"itemOffered\":\"Bouilloire\"}",
	             "{\"text\":\"Bouilloire\",\"category\":\"home.kitchen.kettle\"}");
	assert_draft("{\"@type\":\"https://schema.org/Demand\",\"https://schema.org/itemOffered\":\"Toaster\"}",
	             "{\"text\":\"Toaster\",\"category\":\"home.kitchen.toaster\"}");
	assert_draft(
	    "{\"@type\":\"Person\",\"name\":\"Zoe Quill\",\"seeks\":{\"@type\":\"Demand\",\"name\":\"Quill pen\"}}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"eligibleRegion\":\"france\"}", "{\"region\":\"FR\"}");
	assert_draft("{\"@type\":\"Demand\",\"eligibleRegion\":\"Vannes\"}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"eligibleRegion\":[\"FR\",\"FR-BRE\",\"DE\"]}", "{\"region\":\"FR-BRE\"}");
	assert_draft("{\"@type\":\"Demand\",\"price\":99.9,\"priceCurrency\":\"usd\"}",
	             "{\"budget\":{\"max\":\"99.90\",\"currency\":\"USD\"}}");
	assert_draft("{\"@type\":\"Demand\",\"price\":-5,\"priceCurrency\":\"FAKE\"}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"priceSpecification\":{\"minPrice\":200,\"maxPrice\":100}}",
	             "{\"budget\":{\"min\":\"200.00\"}}");
	assert_draft("{\"@type\":\"Demand\",\"availabilityEnds\":\"2023-12-31\"}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"availabilityEnds\":\"2024-01-01T10:00:00Z\"}",
	             "{\"needed_by\":\"2024-01-01\"}");
	assert_draft("{\"@type\":\"Demand\",\"eligibleQuantity\":{\"value\":2.5,\"unitCode\":\"KGM\"}}",
	             "{\"text\":\"2.5 kg\"}");
	assert_draft("{\"@type\":\"Demand\",\"eligibleQuantity\":1e30}", "{}");
	assert_draft("{\"@type\":\"Demand\",\"category\":\"home.kitchen.oven\"}",
	             "{\"text\":\"Oven\",\"category\":\"home.kitchen.oven\"}");
	assert_draft("{\"@type\":\"Demand\",\"itemCondition\":{\"@id\":\"https://schema.org/NewCondition\"}}",
	             "{\"condition\":\"new\"}");
	assert_draft(
	    "<RequestForQuotation><RequestForQuotationLine><LineItem><Quantity unitCode='KGM'>2.50</Quantity><Item>"
	    "<Name>Coffee beans</Name></Item></LineItem></RequestForQuotationLine></RequestForQuotation>",
	    "{\"text\":\"Coffee beans, 2.50 kg\",\"category\":\"food.drinks.coffee-tea\"}");
	assert_draft(
	    "{\"context\":{\"action\":\"search\",\"location\":{\"country\":{\"code\":\"FRA\"}}},\"message\":{\"intent\":"
	    "{\"item\":{\"descriptor\":{\"name\":\"Plombier\"}}}}}",
	    "{\"text\":\"Plombier\",\"category\":\"services.home.plumbing\",\"region\":\"FR\"}");
}

// What people write into names of products although it does not belong there.
static void test_texts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *kind;
	} cases[] = {
	    {"Machine à expresso avec broyeur", NULL},
	    {"Per-kWh Tariff - CCS2 60kW", NULL},
	    {"FP/BL 1908WFP, 24 inch", NULL},
	    {"Dell PrecisionTM  T3400", NULL},
	    {"iPhone 15 Pro, 256 GB", NULL},
	    {"Brother HL-L2350DW", NULL},
	    {"sofa awa@example.org", "email"},
	    {"sofa awa＠example．org", "email"}, // full-width
	    {"sofa awa (at) example dot org", "email"},
	    {"06 12 34 56 78", "phone"},
	    {"tel. +33-6-12-34-56-78", "phone"},
	    {"٠٦١٢٣٤٥٦٧٨", "phone"}, // Arabic-Indic digits
	    {"(0)6/12/34/56/78", "phone"},
	    {"0\xe2\x80\x8b"
	     "612\xe2\x80\x8b"
	     "345678",
	     "phone"}, // zero-width spaces
	    {"see https://me.example/x", "endpoint"},
	    {"see www.awa.bzh", "endpoint"},
	    {"see legoff.fr", "endpoint"},
	    {"FR76 3000 6000 0112 3456 7890 189", "account"},
	    {"GSTIN29ABCDE1234F1Z5", "id"},
	    {"12 rue du Port", "address"},
	    {"161 Bernstorffs vej", "address"},
	    {"pour Mme Le Goff", "name"},
	    {"please contact the owner", "name"},
	    {"\xff", "text"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *kind = text_identity_kind(cases[i].text);
		if (!cases[i].kind != !kind || (kind && strcmp(kind, cases[i].kind) != 0))
			fail_msg("\"%s\" looks like %s", cases[i].text, kind ? kind : "nothing");
	}
}

static void test_repeats(void **state)
{
	(void)state;
	static const struct {
		const char *text, *name;
		bool repeats;
	} cases[] = {
	    {"sofa for AWA", "Awa Le Goff", true},
	    {"sofa for le-goff", "Awa Le Goff", true},
	    {"Sofa", "Awa Le Goff", false},
	    {"Computer", "Computer Shop", false},
	    {"Fourchette en argent", "Hélène FOURCHETTE", true},
	    {"the sofa", "The Quill", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = text_normalise(cases[i].text), *name = text_normalise(cases[i].name);
		if ((text_repeats(text, name) || text_repeats_name(text, name)) != cases[i].repeats)
			fail_msg("\"%s\" and \"%s\"", cases[i].text, cases[i].name);
		free(text);
		free(name);
	}
	assert_true(text_repeats(" sofa awalegoff ", " awa le goff "));
	assert_false(text_repeats(" sofa 15 ", " 15 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_examples), cmocka_unit_test(test_shared_examples), cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_bounds),       cmocka_unit_test(test_forms),           cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_repeats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
