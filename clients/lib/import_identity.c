// What tells who somebody is: found by the names of fields and of what surrounds them, then by the look of values.
// Works on what the mappers left unclaimed; it decides nothing about the draft but which texts may not be repeated.
#include <string.h>

#include "clients/lib/import_draft.h"
#include "clients/lib/import_text.h"

enum { KEY_BYTES = 64 };

struct key_kind {
	const char *key, *kind;
};

// Fields that tell something wherever they stand. Keys are folded: lower case, letters and digits only.
static const struct key_kind field_kinds[] = {
	{"email", "email"}, {"mail", "email"}, {"electronicmail", "email"}, {"emailaddress", "email"},
	{"telephone", "phone"}, {"phone", "phone"}, {"mobile", "phone"}, {"tel", "phone"}, {"fax", "phone"},
	{"telefax", "phone"}, {"faxnumber", "phone"}, {"phonenumber", "phone"}, {"mobilenumber", "phone"},
	{"givenname", "name"}, {"familyname", "name"}, {"additionalname", "name"}, {"firstname", "name"},
	{"lastname", "name"}, {"middlename", "name"}, {"fullname", "name"}, {"displayname", "name"},
	{"legalname", "name"}, {"registrationname", "name"}, {"honorificprefix", "name"}, {"honorificsuffix", "name"},
	{"nickname", "name"}, {"username", "name"}, {"contactname", "name"}, {"surname", "name"}, {"jobtitle", "person"},
	{"streetaddress", "address"}, {"postalcode", "address"}, {"addresslocality", "address"},
	{"addressregion", "address"}, {"postofficeboxnumber", "address"}, {"streetname", "address"},
	{"additionalstreetname", "address"}, {"buildingnumber", "address"}, {"buildingname", "address"},
	{"cityname", "address"}, {"postalzone", "address"}, {"citysubdivisionname", "address"}, {"areacode", "address"},
	{"pincode", "address"}, {"zip", "address"}, {"zipcode", "address"}, {"postcode", "address"}, {"door", "address"},
	{"street", "address"}, {"locality", "address"}, {"landmark", "address"}, {"address", "address"},
	{"addressline", "address"}, {"city", "address"}, {"postbox", "address"}, {"housenumber", "address"},
	{"deliveryaddress", "address"}, {"postaladdress", "address"},
	{"gps", "location"}, {"latitude", "location"}, {"longitude", "location"}, {"lat", "location"}, {"lon", "location"},
	{"lng", "location"}, {"coordinates", "location"}, {"polygon", "location"}, {"geojson", "location"},
	{"mapurl", "location"}, {"latitudedegreesmeasure", "location"}, {"longitudedegreesmeasure", "location"},
	{"taxid", "tax_id"}, {"vatid", "tax_id"}, {"companyid", "tax_id"}, {"gstin", "tax_id"}, {"taxnumber", "tax_id"},
	{"taxidentificationnumber", "tax_id"}, {"pan", "tax_id"}, {"duns", "tax_id"}, {"leicode", "tax_id"},
	{"iso6523code", "tax_id"}, {"siret", "tax_id"}, {"siren", "tax_id"}, {"globallocationnumber", "tax_id"},
	{"iban", "account"}, {"bic", "account"}, {"accountnumber", "account"}, {"bankaccountnumber", "account"},
	{"virtualpaymentaddress", "account"}, {"vpa", "account"}, {"bankcode", "account"}, {"ifsc", "account"},
	{"cardnumber", "account"}, {"customerassignedaccountid", "account"}, {"supplierassignedaccountid", "account"},
	{"accountid", "account"}, {"bankname", "account"},
	{"bapuri", "endpoint"}, {"bppuri", "endpoint"}, {"bapid", "endpoint"}, {"bppid", "endpoint"},
	{"endpointid", "endpoint"}, {"subscriberid", "endpoint"}, {"subscriberurl", "endpoint"}, {"websiteuri", "endpoint"},
	{"website", "endpoint"}, {"url", "endpoint"}, {"uri", "endpoint"}, {"sameas", "endpoint"}, {"ip", "endpoint"},
	{"ipaddress", "endpoint"}, {"useragent", "endpoint"}, {"logouri", "endpoint"},
	{"registration", "id"}, {"registrationnumber", "id"}, {"licenseplate", "id"}, {"vehiclenumber", "id"}, {"vin", "id"},
	{"ordereditem", "id"}, {"items", "id"}, {"uuid", "id"}, {"key", "id"}, {"token", "id"}, {"authorization", "id"}, {"identifier", "id"},
	{"seller", "party"}, {"buyer", "name"}, {"customer", "name"}, {"provider", "party"}, {"person", "name"},
	{"birthdate", "person"}, {"dob", "person"}, {"dateofbirth", "person"}, {"age", "person"}, {"gender", "person"},
	{"nationality", "person"}, {"birthplace", "person"}, {"nationalityid", "person"}, {"creds", "person"},
};

// Whatever is below one of these tells something; the field's own kind comes first, then the nearest of these.
static const struct key_kind subtree_kinds[] = {
	{"seller", "party"}, {"buyer", "party"}, {"customer", "party"}, {"person", "person"}, {"agent", "party"},
	{"provider", "party"}, {"contact", "party"}, {"contactpoint", "party"}, {"billing", "party"},
	{"offeredby", "party"}, {"participant", "party"}, {"author", "party"}, {"creator", "party"}, {"broker", "party"},
	{"sender", "party"}, {"recipient", "party"}, {"organization", "party"}, {"organisation", "party"},
	{"employee", "person"}, {"member", "person"}, {"owner", "party"}, {"user", "party"}, {"subscriber", "party"},
	{"signature", "party"}, {"signatory", "party"}, {"accountablepeople", "party"}, {"publisher", "party"},
	{"instructor", "person"}, {"consumer", "party"}, {"xinput", "party"}, {"cred", "person"},
	{"address", "address"}, {"location", "location"}, {"geo", "location"}, {"circle", "location"},
	{"spatial", "location"}, {"geomidpoint", "location"}, {"geolocation", "location"}, {"locationcoordinate", "location"},
	{"bankaccount", "account"}, {"paymentmeans", "account"}, {"settlementdetails", "account"},
};

// Ends of keys in UBL and elsewhere: OriginatorCustomerParty, DeliveryAddress, PayeeFinancialAccount.
static const struct key_kind subtree_endings[] = {
	{"party", "party"}, {"contact", "party"}, {"person", "person"}, {"address", "address"}, {"account", "account"},
	{"location", "location"}, {"customer", "party"},
};

// Types of objects that tell something under whatever name they stand, in @graph for instance.
static const struct key_kind type_kinds[] = {
	{"Person", "person"}, {"Patient", "person"}, {"Organization", "party"}, {"LocalBusiness", "party"},
	{"Corporation", "party"}, {"Buyer", "party"}, {"Customer", "party"}, {"ContactPoint", "party"},
	{"NGO", "party"}, {"Store", "party"}, {"PostalAddress", "address"}, {"Place", "location"},
	{"GeoCoordinates", "location"}, {"GeoCircle", "location"}, {"GeoShape", "location"}, {"BankAccount", "account"},
};

// Product and classification codes are no identity although they are called ids.
static const char *const product_contexts[] = {"standarditemidentification", "sellersitemidentification",
                                               "manufacturersitemidentification", "catalogueitemidentification",
                                               "commodityclassification", "taxscheme", "taxcategory",
                                               "classifiedtaxcategory"};
static const char *const format_ids[] = {"profileid", "customizationid", "ublversionid", "productid",
                                         "profileexecutionid", "@currencyid"};
// Attributes that only say which code list a value is from.
static const char *const form_attributes[] = {
	"@schemeID",     "@schemeName",       "@schemeAgencyID", "@schemeAgencyName", "@schemeVersionID", "@schemeURI",
	"@schemeDataURI", "@listID",          "@listName",       "@listAgencyID",     "@listAgencyName",  "@listVersionID",
	"@listURI",      "@listSchemeURI",    "@languageID",     "@schemaLocation",
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

static const char *find_kind(const struct key_kind *kinds, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(kinds[i].key, key) == 0)
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
		if (ends_with(key, subtree_endings[i].key))
			kind = subtree_endings[i].kind;
	return kind;
}

static const char *type_kind(const struct import_node *node)
{
	const char *kind = NULL;
	for (const struct import_node *at = node->first; at && !kind; at = at->next) {
		if (!at->text || strcmp(at->key, "@type") != 0)
			continue;
		const char *end = strrchr(at->text, '/'), *colon = strrchr(at->text, ':');
		kind = find_kind(type_kinds, sizeof type_kinds / sizeof *type_kinds,
		                 end ? end + 1 : colon ? colon + 1 : at->text);
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
	return named && !is_numbering(text) &&
	               !is_one_of(format_ids, sizeof format_ids / sizeof *format_ids, key)
	           ? "id"
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
