// The ledger as consent records of ISO/IEC TS 27560:2023, in JSON-LD with terms of the W3C Data Privacy Vocabulary and
// as its guide for that standard arranges them: one receipt around one record for each card given. Which fields are
// filled and which cannot be: clients/README.md.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

static const char RECORD_PROFILE[] = "https://w3id.org/dpv/schema/dpv-27560#record";
static const char RECEIPT_PROFILE[] = "https://w3id.org/dpv/schema/dpv-27560#receipt";

struct mapping {
	const char *word, *term;
};

// Words of cards and of the roster, where the vocabulary has a term for them; others stay text.
static const struct mapping FIELDS[] = {
    {"name", "pd:Name"},          {"email", "pd:EmailAddress"},      {"phone", "pd:TelephoneNumber"},
    {"alias", "pd:EmailAddress"}, {"address", "pd:PhysicalAddress"},
};
static const struct mapping PURPOSES[] = {
    {"service_delivery", "dpv:ServiceProvision"},
    {"guarantee", "dpv:CustomerClaimsManagement"},
    {"own_statistics", "dpv:ServiceUsageAnalytics"},
    {"own_tracking", "dpv:Personalisation"},
    {"further_offers", "dpv:DirectMarketing"},
    {"data_portability", "dpv:RightsFulfilment"},
    {"public_good", "dpv:PublicBenefit"},
};

static json_t *mapped(const struct mapping *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].word, word) == 0)
			return json_pack("{s:s, s:s}", "@id", list[i].term, "dct:title", word);
	}
	return json_pack("{s:o}", "dct:title", json_text(word));
}

#define MAPPED(list, word) mapped(list, sizeof(list) / sizeof(*(list)), word)

static json_t *context(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "dpv", "https://w3id.org/dpv#", "pd", "https://w3id.org/dpv/pd#",
	                 "loc", "https://w3id.org/dpv/loc#", "dct", "http://purl.org/dc/terms/", "ieee7012",
	                 "https://w3id.org/dpv/standards/ieee/7012#", "schema", "https://schema.org/");
}

static json_t *urn(const char *kind, const ProtobufCBinaryData *bytes)
{
	char *hex = wallet_alloc(2 * bytes->len + 1), *text = NULL;
	hex_encode(bytes->data, bytes->len, hex);
	if (asprintf(&text, "urn:oyez:%s:%s", kind, hex) < 0)
		abort();
	json_t *value = json_string(text);
	free(text);
	free(hex);
	return value;
}

static json_t *controller(const Oyez__Wallet__Deal *deal)
{
	Oyez__Listing *listing = listing_of(&deal->listing);
	json_t *object = json_object();
	json_object_set_new(object, "@id", urn("vendor", &deal->vendor_id));
	json_object_set_new(object, "@type", json_string("dpv:DataController"));
	json_object_set_new(object, "dct:identifier", json_binary(&deal->vendor_id));
	json_object_set_new(object, "dpv:hasName", json_text(deal->vendor_name));
	json_object_set_new(object, "dpv:hasContact", json_text(deal->vendor_url));
	// An address of the street is not in a listing: the country is what the vendor signed.
	json_object_set_new(object, "dpv:hasAddress", json_text(listing ? listing->country : ""));
	if (listing)
		oyez__listing__free_unpacked(listing, NULL);
	return object;
}

static json_t *processing(const Oyez__Wallet__Deal *deal, const Oyez__Agreement *agreement)
{
	json_t *purposes = json_array(), *recipients = json_array(), *data = json_array();
	char duration[24];
	for (size_t i = 0; agreement && i < agreement->n_purposes; i++)
		json_array_append_new(purposes, MAPPED(PURPOSES, agreement->purposes[i]));
	for (size_t i = 0; agreement && i < agreement->n_recipients; i++)
		json_array_append_new(recipients, json_pack("{s:s, s:o}", "@type", "dpv:Recipient", "dct:title",
		                                            json_text(agreement->recipients[i])));
	for (size_t i = 0; i < deal->n_fields; i++)
		json_array_append_new(data, MAPPED(FIELDS, deal->fields[i]));
	snprintf(duration, sizeof(duration), "P%uD", deal->retention_days);
	return json_pack("{s:s, s:o, s:o, s:o, s:{s:s, s:s}, s:s, s:[{s:s, s:s}]}", "@type", "dpv:Process",
	                 "dpv:hasPurpose", purposes, "dpv:hasPersonalData", data, "dpv:hasRecipient", recipients,
	                 "dpv:hasDataSource", "@id", "dpv:DataSubject", "dct:title", "given by the person",
	                 "dpv:hasProcessing", "@id", "dpv:Collect", "dpv:hasStorageCondition", "@type",
	                 "dpv:StorageDuration", "dpv:hasDuration", duration);
}

// The events of the record, in their order: given, and what ended it.
static json_t *events(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	json_t *list = json_array();
	json_array_append_new(list,
	                      json_pack("{s:[s,s], s:s, s:s, s:o, s:o}", "@type", "dpv:ConsentGiven",
	                                "dpv:ExpressedConsent", "dpv:isIndicatedBy", "dpv:DataSubject",
	                                "dpv:hasIndicationMethod", "signed agreement, revealed after countersignature",
	                                "dpv:isIndicatedAtTime", json_time(deal->revealed_at_ms), "dct:valid",
	                                json_time(deal->revealed_at_ms + deal->retention_days * DAY_MS)));
	if (deal->erase_at_ms)
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:s, s:o}", "@type", "dpv:ConsentWithdrawn", "dpv:isIndicatedBy",
		                                "dpv:DataSubject", "dpv:hasIndicationMethod", "signed request to erase",
		                                "dpv:isIndicatedAtTime", json_time(deal->erase_at_ms)));
	else if (now_ms >= deal->revealed_at_ms + deal->retention_days * DAY_MS)
		json_array_append_new(list, json_pack("{s:s, s:o}", "@type", "dpv:ConsentExpired", "dpv:isIndicatedAtTime",
		                                      json_time(deal->revealed_at_ms + deal->retention_days * DAY_MS)));
	return list;
}

static json_t *consent_record(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	Oyez__Agreement *agreement = agreement_of(deal);
	struct id intent_id = field_id(&deal->intent_id);
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &intent_id);
	Oyez__Post *post = intent ? intent_post(intent) : NULL;
	Oyez__Listing *listing = listing_of(&deal->listing);
	char place[16];
	snprintf(place, sizeof(place), "loc:%.2s", listing ? listing->country : "");
	json_t *record = json_object();
	json_object_set_new(record, "@id", urn("deal", &deal->id));
	json_object_set_new(record, "@type", json_string("dpv:ConsentRecord"));
	json_object_set_new(record, "dct:conformsTo", json_string(RECORD_PROFILE));
	json_object_set_new(record, "dct:identifier", json_binary(&deal->id));
	// The person stands behind a key made for this deal alone.
	json_object_set_new(record, "dpv:hasDataSubject",
	                    json_pack("{s:o, s:s, s:o}", "@id", urn("agreement-key", &deal->agreement_key), "@type",
	                              "dpv:DataSubject", "dct:identifier", json_binary(&deal->agreement_key)));
	json_object_set_new(record, "dpv:hasDataController", controller(deal));
	json_object_set_new(record, "dpv:hasLegalBasis", json_pack("{s:s}", "@id", "dpv:Consent"));
	json_object_set_new(record, "dpv:hasJurisdiction", json_pack("{s:s}", "@id", place));
	json_object_set_new(record, "dpv:hasProcess", processing(deal, agreement));
	json_object_set_new(record, "dpv:hasNotice",
	                    json_pack("{s:o, s:s, s:o, s:i, s:o}", "@id", json_text(agreement ? agreement->terms_iri : ""),
	                              "@type", "dpv:ConsentNotice", "dct:title", json_text(deal->terms), "dct:hasVersion",
	                              (int)deal->terms_version, "dct:language",
	                              json_text(post && *post->facets->language ? post->facets->language : "en")));
	json_object_set_new(
	    record, "dpv:hasConsentControl",
	    json_pack("{s:s, s:s}", "@type", "dpv:WithdrawConsent", "dpv:isExercisedAt", "oyez erase DEAL"));
	json_object_set_new(record, "dpv:hasConsentStatus", events(deal, now_ms));
	if (listing)
		oyez__listing__free_unpacked(listing, NULL);
	if (post)
		oyez__post__free_unpacked(post, NULL);
	if (agreement)
		oyez__agreement__free_unpacked(agreement, NULL);
	return record;
}

enum err oyez_ledger_iso27560(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	uint64_t now_ms = customer_now_ms(customer);
	json_t *receipts = json_array();
	for (size_t i = 0; i < file->n_deals; i++) {
		const Oyez__Wallet__Deal *deal = file->deals[i];
		if (!deal->revealed_at_ms)
			continue;
		json_array_append_new(
		    receipts, json_pack("{s:o, s:s, s:o, s:s, s:o, s:s, s:o}", "@id", urn("receipt", &deal->id), "@type",
		                        "dpv:ConsentReceipt", "dct:identifier", json_binary(&deal->id), "dct:conformsTo",
		                        RECEIPT_PROFILE, "dct:created", json_time(now_ms), "schema:recipient",
		                        "dpv:DataSubject", "dpv:hasRecordOfActivity", consent_record(customer, deal, now_ms)));
	}
	*out = json_pack("{s:o, s:o}", "@context", context(), "@graph", receipts);
	return ERR_OK;
}
