// Exported evidence under verification: an honest document holds, and a change of any byte of any record in it is
// found. The cheats: a receipt for another deal, a countersignature by somebody else, notices out of their order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/verify_internal.h"
#include "proto/agreement.h"

#define NOW_MS UINT64_C(1900000000000)

static struct world {
	struct sign_pair broker, vendor, intent, agreement, other;
	struct id deal, vendor_id;
	uint8_t agreement_signature[SIGNATURE_BYTES];
	struct id erase_id, last_notice;
	json_t *records;
} world;

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes, .len = count};
}

static json_t *base64(const void *bytes, size_t count)
{
	return json_base64(bytes, count);
}

// Signs a message and adds it as a record; the Signed comes back for who needs it.
static Oyez__Signed *add(const struct sign_pair *pair, const char *tag, const char *type,
                         const ProtobufCMessage *message, const struct id *deal)
{
	uint8_t *record, *wrapped;
	size_t count, wrapped_count;
	Oyez__Signed *result;
	assert_int_equal(codec_check(message, NULL), ERR_OK);
	assert_int_equal(codec_encode(message, &record, &count), ERR_OK);
	assert_int_equal(sign_wrap(pair, tag, record, count, &wrapped, &wrapped_count), ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, wrapped, wrapped_count, &result, NULL), ERR_OK);
	json_t *object = json_pack("{s:s, s:o}", "type", type, "signed", base64(wrapped, wrapped_count));
	char hex[2 * ID_BYTES + 1];
	if (deal) {
		hex_encode(deal->bytes, ID_BYTES, hex);
		json_object_set_new(object, "deal", json_string(hex));
	}
	json_array_append_new(world.records, object);
	free(record);
	free(wrapped);
	return result;
}

static void add_and_drop(const struct sign_pair *pair, const char *tag, const char *type,
                         const ProtobufCMessage *message, const struct id *deal)
{
	oyez__signed__free_unpacked(add(pair, tag, type, message, deal), NULL);
}

static json_t *last_record(void)
{
	return json_array_get(world.records, json_array_size(world.records) - 1);
}

static void add_agreement(void)
{
	uint8_t random[RANDOM_BYTES] = {1}, commitment[HASH_BYTES] = {2}, hash[HASH_BYTES] = {3};
	struct id offer = {{4}};
	char *fields[] = {(char *)"name", (char *)"email"};
	struct hpke_pair box;
	hpke_pair_new(&box);
	Oyez__Agreement agreement = OYEZ__AGREEMENT__INIT;
	agreement.offer_id = view(offer.bytes, ID_BYTES);
	agreement.vendor_id = view(world.vendor_id.bytes, ID_BYTES);
	agreement.intent_key = view(world.intent.public_key, KEY_BYTES);
	agreement.agreement_key = view(world.agreement.public_key, KEY_BYTES);
	agreement.terms_iri = (char *)"https://example.org/terms#MINE";
	agreement.terms_version = 1;
	agreement.terms_hash = view(hash, sizeof(hash));
	agreement.countersign_by_ms = NOW_MS;
	agreement.reveal_by_ms = NOW_MS + DAY_MS;
	agreement.random = view(random, sizeof(random));
	agreement.card_commitment = view(commitment, sizeof(commitment));
	agreement.fields = fields;
	agreement.n_fields = 2;
	agreement.retention_days = 30;
	agreement.box_key = view(box.public_key, KEY_BYTES);
	Oyez__Signed *message = add(&world.intent, TAG_AGREEMENT, "agreement", &agreement.base, NULL);
	world.deal = signed_id_of(TAG_DEAL, message);
	memcpy(world.agreement_signature, message->signature.data, SIGNATURE_BYTES);
	oyez__signed__free_unpacked(message, NULL);
	char hex[2 * ID_BYTES + 1];
	hex_encode(world.deal.bytes, ID_BYTES, hex);
	json_object_set_new(last_record(), "deal", json_string(hex));
}

static void add_countersignature(const struct sign_pair *vendor)
{
	uint8_t hash[HASH_BYTES], signature[SIGNATURE_BYTES];
	char hex[2 * ID_BYTES + 1];
	signature_hash(world.agreement_signature, hash);
	countersign(vendor, &world.deal, hash, signature);
	hex_encode(world.deal.bytes, ID_BYTES, hex);
	json_array_append_new(world.records, json_pack("{s:s, s:s, s:o, s:o}", "type", "countersignature", "deal", hex,
	                                               "key", base64(vendor->public_key, KEY_BYTES), "signature",
	                                               base64(signature, sizeof(signature))));
}

static void add_listing(void)
{
	uint8_t vouch[SIGNATURE_BYTES];
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	listing.vendor_key = view(world.vendor.public_key, KEY_BYTES);
	listing.name = (char *)"Shop";
	listing.url = (char *)"https://shop.example";
	listing.country = (char *)"FR";
	listing.made_at_ms = NOW_MS;
	Oyez__Signed *message = add(&world.vendor, TAG_LISTING, "listing", &listing.base, &world.deal);
	sign_bytes(&world.broker, TAG_VOUCH, message->record.data, message->record.len, vouch);
	json_object_set_new(last_record(), "vouch", base64(vouch, sizeof(vouch)));
	oyez__signed__free_unpacked(message, NULL);
}

static void add_outcome(void)
{
	Oyez__Outcome outcome = OYEZ__OUTCOME__INIT;
	outcome.deal_id = view(world.deal.bytes, ID_BYTES);
	outcome.result = OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED;
	outcome.at_ms = NOW_MS;
	outcome.broker_id = view(world.broker.public_key, KEY_BYTES);
	add_and_drop(&world.broker, TAG_OUTCOME, "outcome", &outcome.base, &world.deal);
}

static void add_message(const struct sign_pair *pair, bool from_vendor)
{
	Oyez__DealText text = OYEZ__DEAL_TEXT__INIT;
	text.deal_id = view(world.deal.bytes, ID_BYTES);
	text.made_at_ms = NOW_MS;
	text.from_vendor = from_vendor;
	text.text = (char *)"Tuesday";
	add_and_drop(pair, TAG_MESSAGE, "message", &text.base, &world.deal);
}

static void add_erase(void)
{
	Oyez__Erase erase = OYEZ__ERASE__INIT;
	erase.answer_by_ms = NOW_MS + 7 * DAY_MS;
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	record.broker_id = view(world.broker.public_key, KEY_BYTES);
	record.made_at_ms = NOW_MS;
	record.deal_id = view(world.deal.bytes, ID_BYTES);
	record.body_case = OYEZ__DEAL_RECORD__BODY_ERASE;
	record.erase = &erase;
	Oyez__Signed *message = add(&world.agreement, TAG_DEAL_RECORD, "erase", &record.base, &world.deal);
	world.erase_id = signed_id_of(TAG_RECORD_ID, message);
	oyez__signed__free_unpacked(message, NULL);
}

static void add_receipt(const struct sign_pair *vendor, const struct id *deal, const struct id *request)
{
	struct id vendor_id = vendor_id_of(vendor->public_key);
	Oyez__ErasureReceipt receipt = OYEZ__ERASURE_RECEIPT__INIT;
	receipt.deal_id = view(deal->bytes, ID_BYTES);
	receipt.vendor_id = view(vendor_id.bytes, ID_BYTES);
	receipt.request_hash = view(request->bytes, ID_BYTES);
	receipt.result = OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	receipt.at_ms = NOW_MS;
	add_and_drop(vendor, TAG_ERASURE, "erasure_receipt", &receipt.base, deal);
}

static void add_standing(void)
{
	Oyez__Standing standing = OYEZ__STANDING__INIT;
	standing.vendor_id = view(world.vendor_id.bytes, ID_BYTES);
	standing.broker_id = view(world.broker.public_key, KEY_BYTES);
	standing.at_ms = NOW_MS;
	add_and_drop(&world.broker, TAG_STANDING, "standing", &standing.base, NULL);
}

static void add_withdrawal(void)
{
	struct id intent = intent_id_of(world.intent.public_key);
	Oyez__WithdrawalReceipt receipt = OYEZ__WITHDRAWAL_RECEIPT__INIT;
	receipt.intent_id = view(intent.bytes, ID_BYTES);
	receipt.broker_id = view(world.broker.public_key, KEY_BYTES);
	receipt.at_ms = NOW_MS;
	add_and_drop(&world.broker, TAG_WITHDRAWAL, "withdrawal", &receipt.base, NULL);
}

static void add_notice(uint64_t number, const struct id *previous)
{
	Oyez__Notice notice = OYEZ__NOTICE__INIT;
	notice.number = number;
	if (previous)
		notice.previous = view(previous->bytes, ID_BYTES);
	notice.broker_id = view(world.broker.public_key, KEY_BYTES);
	notice.at_ms = NOW_MS;
	notice.text = (char *)"a breach";
	Oyez__Signed *message = add(&world.broker, TAG_NOTICE, "notice", &notice.base, NULL);
	world.last_notice = signed_id_of(TAG_RECORD_ID, message);
	oyez__signed__free_unpacked(message, NULL);
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	if (sodium_init() < 0)
		return -1;
	sign_pair_new(&world.broker);
	sign_pair_new(&world.vendor);
	sign_pair_new(&world.intent);
	sign_pair_new(&world.agreement);
	sign_pair_new(&world.other);
	world.vendor_id = vendor_id_of(world.vendor.public_key);
	world.records = json_array();
	add_agreement();
	add_listing();
	add_countersignature(&world.vendor);
	add_outcome();
	add_message(&world.agreement, false);
	add_message(&world.vendor, true);
	add_erase();
	add_receipt(&world.vendor, &world.deal, &world.erase_id);
	add_standing();
	add_withdrawal();
	add_notice(1, NULL);
	struct id first = world.last_notice;
	add_notice(2, &first);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(world.records);
	return 0;
}

// Whether everything holds; `why` (may be NULL) gets the code of the last record that does not.
static bool holds(const char *why)
{
	char key[2 * KEY_BYTES + 1];
	json_t *document = json_pack("{s:s, s:O}", "oyez", "ledger", "records", world.records), *lines = NULL, *line;
	document_seal(document);
	char *text = json_dumps(document, JSON_COMPACT);
	bool all = false, found = why == NULL;
	size_t i;
	hex_encode(world.broker.public_key, KEY_BYTES, key);
	assert_int_equal(oyez_verify(text, strlen(text), key, &lines, &all, NULL), ERR_OK);
	json_array_foreach(lines, i, line)
	{
		const char *said = json_string_value(json_object_get(line, "why"));
		found = found || (said && strcmp(said, why) == 0);
	}
	assert_true(found || all);
	free(text);
	json_decref(lines);
	json_decref(document);
	return all;
}

static void test_honest(void **state)
{
	(void)state;
	assert_true(holds(NULL));
}

// Flips each byte of one field of a record, in turn.
static size_t flip(json_t *record, const char *field)
{
	uint8_t *bytes;
	size_t count = 0;
	const char *text = json_string_value(json_object_get(record, field));
	if (!text)
		return 0;
	json_t *before = json_incref(json_object_get(record, field));
	assert_true(base64_decode(text, &bytes, &count));
	for (size_t i = 0; i < count; i++) {
		uint8_t mask = (uint8_t)(1 + randombytes_uniform(255));
		bytes[i] ^= mask;
		json_object_set_new(record, field, base64(bytes, count));
		if (holds(NULL))
			fail_msg("%s: byte %zu of %s changed by %02x was not found",
			         json_string_value(json_object_get(record, "type")), i, field, mask);
		bytes[i] ^= mask;
	}
	json_object_set_new(record, field, before);
	free(bytes);
	return count;
}

static void test_each_byte(void **state)
{
	(void)state;
	size_t i, count = 0;
	json_t *record;
	json_array_foreach(world.records, i, record)
	{
		count += flip(record, "signed");
		count += flip(record, "signature");
		count += flip(record, "key");
		count += flip(record, "vouch");
	}
	assert_true(count > 2000);
	assert_true(holds(NULL));
	print_message("%zu bytes of %zu records\n", count, json_array_size(world.records));
}

static void test_cheats(void **state)
{
	(void)state;
	struct id other = {{9}};
	size_t honest = json_array_size(world.records);
	add_countersignature(&world.other); // by somebody who is not the vendor
	assert_false(holds("vendor_mismatch"));
	json_array_remove(world.records, honest);
	add_receipt(&world.vendor, &world.deal, &other); // for another request
	assert_false(holds("receipt_mismatch"));
	json_array_remove(world.records, honest);
	add_receipt(&world.other, &world.deal, &world.erase_id); // by another vendor
	assert_false(holds("vendor_mismatch"));
	json_array_remove(world.records, honest);
	add_message(&world.other, false);
	assert_false(holds("not_yours"));
	json_array_remove(world.records, honest);
	add_notice(4, &world.last_notice); // one left out
	assert_false(holds("notice_chain"));
	json_array_remove(world.records, honest);
	add_notice(2, NULL); // two contents under one number
	assert_false(holds("notice_chain"));
	json_array_remove(world.records, honest);
	assert_true(holds(NULL));
}

static void test_no_document(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "{}", "[]", "no JSON", "{\"records\":[]}", "{\"a\":1,\"a\":2}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *lines = NULL;
		bool all;
		assert_int_equal(oyez_verify(texts[i], strlen(texts[i]), NULL, &lines, &all, NULL), ERR_BAD_MESSAGE);
		assert_null(lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_honest, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_each_byte, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cheats, set_up, tear_down),
	    cmocka_unit_test(test_no_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
