// What tells who somebody is: found by the names of fields and of what surrounds them, then by the look of values.
// Works on what the mappers left unclaimed; it decides nothing about the draft but which texts may not be repeated.
#include <stdio.h>
#include <string.h>

#include "clients/lib/import_draft.h"
#include "clients/lib/import_text.h"

enum { KEY_BYTES = 64 };

// Words of one kind, each with a space before and after it. Keys are compared folded: see fold_key.
struct kind_words {
	const char *kind, *words;
};

// Fields that tell something wherever they stand. Keys are folded: lower case, letters and digits only.
// clang-format off
static const struct kind_words field_kinds[] = {
	{"email",
	 " email mail electronicmail emailaddress "},
	{"phone",
	 " telephone phone mobile tel fax telefax faxnumber phonenumber mobilenumber "},
	{"name",
	 " givenname familyname additionalname firstname lastname middlename fullname displayname legalname "
	 " registrationname honorificprefix honorificsuffix nickname username contactname surname buyer customer "
	 " person "},
	{"person",
	 " jobtitle birthdate dob dateofbirth age gender nationality birthplace nationalityid creds "},
	{"address",
	 " streetaddress postalcode addresslocality addressregion postofficeboxnumber streetname additionalstreetname "
	 " buildingnumber buildingname cityname postalzone citysubdivisionname areacode pincode zip zipcode postcode "
	 " door street locality landmark address addressline city postbox housenumber deliveryaddress postaladdress "},
	{"location",
	 " gps latitude longitude lat lon lng coordinates polygon geojson mapurl latitudedegreesmeasure "
	 " longitudedegreesmeasure "},
	{"tax_id",
	 " taxid vatid companyid gstin taxnumber taxidentificationnumber pan duns leicode iso6523code siret siren "
	 " globallocationnumber "},
	{"account",
	 " iban bic accountnumber bankaccountnumber virtualpaymentaddress vpa bankcode ifsc cardnumber "
	 " customerassignedaccountid supplierassignedaccountid accountid bankname "},
	{"endpoint",
	 " bapuri bppuri bapid bppid endpointid subscriberid subscriberurl websiteuri website url uri sameas ip "
	 " ipaddress useragent logouri "},
	{"id",
	 " registration registrationnumber licenseplate vehiclenumber vin ordereditem items uuid key token "
	 " authorization identifier "},
	{"party",
	 " seller provider "},
};
// clang-format on

// Whatever is below one of these tells something; the field's own kind comes first, then the nearest of these.
// clang-format off
static const struct kind_words subtree_kinds[] = {
	{"party",
	 " seller buyer customer agent provider contact contactpoint billing offeredby participant author creator "
	 " broker sender recipient organization organisation owner user subscriber signature signatory "
	 " accountablepeople publisher consumer xinput "},
	{"person",
	 " person employee member instructor cred "},
	{"address",
	 " address "},
	{"location",
	 " location geo circle spatial geomidpoint geolocation locationcoordinate "},
	{"account",
	 " bankaccount paymentmeans settlementdetails "},
};
// clang-format on

// Ends of keys in UBL and elsewhere: OriginatorCustomerParty, DeliveryAddress, PayeeFinancialAccount.
static const struct {
	const char *ending, *kind;
} subtree_endings[] = {
    {"party", "party"},     {"contact", "party"},     {"person", "person"},  {"address", "address"},
    {"account", "account"}, {"location", "location"}, {"customer", "party"},
};

// Types of objects that tell something under whatever name they stand, in @graph for instance.
// clang-format off
static const struct kind_words type_kinds[] = {
	{"person",
	 " person patient "},
	{"party",
	 " organization localbusiness corporation buyer customer contactpoint ngo store "},
	{"address",
	 " postaladdress "},
	{"location",
	 " place geocoordinates geocircle geoshape "},
	{"account",
	 " bankaccount "},
};
// clang-format on

// Product and classification codes are no identity although they are called ids.
static const char *const product_contexts[] = {"standarditemidentification",
                                               "sellersitemidentification",
                                               "manufacturersitemidentification",
                                               "catalogueitemidentification",
                                               "commodityclassification",
                                               "taxscheme",
                                               "taxcategory",
                                               "classifiedtaxcategory"};
static const char *const format_ids[] = {"profileid", "customizationid",    "ublversionid",
                                         "productid", "profileexecutionid", "@currencyid"};
// Attributes that only say which code list a value is from.
static const char *const form_attributes[] = {
    "@schemeID",      "@schemeName",    "@schemeAgencyID", "@schemeAgencyName", "@schemeVersionID", "@schemeURI",
    "@schemeDataURI", "@listID",        "@listName",       "@listAgencyID",     "@listAgencyName",  "@listVersionID",
    "@listURI",       "@listSchemeURI", "@languageID",     "@schemaLocation",
};

static void fold_key(const char *name, char out[KEY_BYTES])
{
	size_t used = 0;
	const char *colon = strrchr(name, ':');
	for (name = colon ? colon + 1 : name; *name && used + 1 < KEY_BYTES; name++) {
		char byte = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
		if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || (byte == '@' && used == 0))
			out[used++] = byte;
	}
	out[used] = '\0';
}

static bool ends_with(const char *text, const char *ending)
{
	size_t bytes = strlen(text), ending_bytes = strlen(ending);
	return bytes >= ending_bytes && strcmp(text + bytes - ending_bytes, ending) == 0;
}

static const char *find_kind(const struct kind_words *kinds, size_t count, const char *key)
{
	char word[KEY_BYTES + 2];
	snprintf(word, sizeof word, " %s ", key);
	for (size_t i = 0; i < count && key[0]; i++)
		if (strstr(kinds[i].words, word))
			return kinds[i].kind;
	return NULL;
}

static bool is_one_of(const char *const *keys, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static const char *subtree_kind(const char *key)
{
	const char *kind = find_kind(subtree_kinds, sizeof subtree_kinds / sizeof *subtree_kinds, key);
	for (size_t i = 0; i < sizeof subtree_endings / sizeof *subtree_endings && !kind; i++)
		if (ends_with(key, subtree_endings[i].ending))
			kind = subtree_endings[i].kind;
	return kind;
}

static const char *type_kind(const struct import_node *node)
{
	const char *kind = NULL;
	char key[KEY_BYTES];
	for (const struct import_node *at = node->first; at && !kind; at = at->next) {
		if (!at->text || strcmp(at->key, "@type") != 0)
			continue;
		const char *end = strrchr(at->text, '/');
		fold_key(end ? end + 1 : at->text, key);
		kind = find_kind(type_kinds, sizeof type_kinds / sizeof *type_kinds, key);
	}
	return kind;
}

struct surroundings {
	const char *kind; // of the nearest subtree that tells something
	bool product;     // within product codes
};

static struct surroundings look_around(const struct import_node *node)
{
	struct surroundings around = {0};
	char key[KEY_BYTES];
	for (const struct import_node *at = node->parent; at; at = at->parent) {
		fold_key(at->name, key);
		if (!around.kind)
			around.kind = subtree_kind(key);
		if (!around.kind)
			around.kind = type_kind(at);
		around.product |= is_one_of(product_contexts, sizeof product_contexts / sizeof *product_contexts, key);
	}
	return around;
}

// Numbering such as "1" in a line's ID is no identity.
static bool is_numbering(const char *text)
{
	return strlen(text) <= 3 && strspn(text, "0123456789") == strlen(text);
}

static const char *id_kind(const char *key, const char *text)
{
	bool named = strcmp(key, "id") == 0 || strcmp(key, "@id") == 0 || ends_with(key, "id") || ends_with(key, "ids") ||
	             ends_with(key, "identifier") || ends_with(key, "reference");
	return named && !is_numbering(text) && !is_one_of(format_ids, sizeof format_ids / sizeof *format_ids, key) ? "id"
	                                                                                                           : NULL;
}

// Only what looks like nothing else: dates, numbers and product codes have many digits too.
static const char *value_kind(const struct import_node *node, const char *key, bool product)
{
	const char *text = node->text;
	size_t digits = strspn(text, "0123456789");
	bool date = strlen(text) >= 10 && digits == 4 && text[4] == '-' && text[7] == '-';
	bool time = strlen(text) >= 5 && digits == 2 && text[2] == ':';
	if (node->number || date || time || product || strncmp(key, "gtin", 4) == 0 || strcmp(key, "sku") == 0 ||
	    strcmp(key, "mpn") == 0 || strcmp(key, "productid") == 0 || key[0] == '@')
		return NULL;
	return text_identity_kind(text);
}

// Which kind of identity this value is, or NULL.
static const char *kind_of(const struct import_node *node)
{
	char key[KEY_BYTES];
	// JSON-LD's {"@value": ...} and the items of a list in a list are called by what holds them.
	const struct import_node *named = node;
	while (named->parent && (strcmp(named->name, "@value") == 0 || strcmp(named->name, "[]") == 0))
		named = named->parent;
	fold_key(named->name, key);
	struct surroundings around = look_around(named);
	if (around.product)
		return value_kind(node, key, true);
	const char *kind = find_kind(field_kinds, sizeof field_kinds / sizeof *field_kinds, key);
	if (kind)
		return kind;
	if (around.kind) {
		bool somebody = strcmp(around.kind, "party") == 0 || strcmp(around.kind, "person") == 0;
		if (ends_with(key, "name"))
			return somebody ? "name" : around.kind;
		if (key[0] == '@' && strcmp(key, "@id") != 0) // an attribute tells about the form of its element
			return NULL;
		kind = id_kind(key, node->text);
		return kind && somebody ? kind : around.kind;
	}
	if (subtree_kind(key) && !node->first)
		return subtree_kind(key); // "location": "12 rue du Port"
	kind = id_kind(key, node->text);
	return kind ? kind : value_kind(node, key, false);
}

// The format's own words: @context with all its prefixes, types, code lists.
static bool is_form(const struct import_node *node, bool xml)
{
	if (xml)
		return is_one_of(form_attributes, sizeof form_attributes / sizeof *form_attributes, node->name);
	bool form = strcmp(node->name, "@type") == 0;
	for (; node && !form; node = node->parent)
		form = strcmp(node->name, "@context") == 0;
	return form;
}

void identity_sweep(struct import_draft *draft)
{
	struct import_node *root = draft->doc->root;
	for (struct import_node *node = root; node; node = node_walk(root, node)) {
		if (!node->text || node->claim != CLAIM_NONE)
			continue;
		if (is_form(node, draft->doc->xml)) {
			node->claim = CLAIM_FORM;
			continue;
		}
		node->kind = kind_of(node);
		if (node->kind)
			node->claim = CLAIM_IDENTITY;
	}
}
