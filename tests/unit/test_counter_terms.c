// Counter-offers of terms as a wallet judges them, and a vendor's address by what home and guardian say: with vendors
// that do not keep to the rules, which the real program does not let anybody make.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"

static struct sign_pair roy, other;

static ProtobufCBinaryData packed(const ProtobufCMessage *message)
{
	ProtobufCBinaryData out = {.len = protobuf_c_message_get_packed_size(message)};
	out.data = malloc(out.len + 1);
	assert_non_null(out.data);
	protobuf_c_message_pack(message, out.data);
	return out;
}

// ---- an intent with SD-BASE, a listing, offers

static uint8_t asked_hash[HASH_BYTES];
static Oyez__Wallet__Offer stored;
static Oyez__Wallet__Offer *offers[] = {&stored};

static Oyez__Wallet__Intent intent_new(void)
{
	static ProtobufCBinaryData post;
	Oyez__Wallet__Intent intent = OYEZ__WALLET__INTENT__INIT;
	Oyez__Post draft = OYEZ__POST__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	struct hpke_pair reply;
	hpke_pair_new(&reply);
	draft.suite = SUITE_X25519_CHACHA;
	draft.reply_key = (ProtobufCBinaryData){.data = reply.public_key, .len = KEY_BYTES};
	draft.expires_at_ms = 1790000000000;
	draft.deals_max = 1;
	terms_hash(terms_at(0), asked_hash);
	facets.category = (char *)"home.kitchen.coffee-machine";
	facets.region = (char *)"FR-56";
	facets.terms = (char *)"SD-BASE";
	draft.facets = &facets;
	free(post.data);
	post = packed(&draft.base);
	intent.post = post;
	intent.terms_hash = (ProtobufCBinaryData){.data = asked_hash, .len = HASH_BYTES};
	intent.terms_version = 1;
	return intent;
}

static Oyez__Offer bare(const char *counter)
{
	static uint8_t bytes[32] = {7};
	static Oyez__Binding binding;
	static struct hpke_pair sealing;
	hpke_pair_new(&sealing);
	Oyez__Offer offer = OYEZ__OFFER__INIT;
	oyez__binding__init(&binding);
	binding.release_id = (ProtobufCBinaryData){.data = bytes, .len = RELEASE_ID_BYTES};
	binding.intent_key = binding.terms_hash = (ProtobufCBinaryData){.data = roy.public_key, .len = 32};
	binding.reply_key = (ProtobufCBinaryData){.data = sealing.public_key, .len = 32};
	offer.binding = &binding;
	offer.vendor_id = offer.random = (ProtobufCBinaryData){.data = bytes, .len = 32};
	offer.offer_key = binding.reply_key;
	offer.made_at_ms = offer.valid_until_ms = 1790000000000;
	offer.price_e4 = 10000;
	offer.currency = (char *)"EUR";
	offer.counter_terms = (char *)counter;
	return offer;
}

// An offer that came before.
static void store(const struct sign_pair *vendor, const char *counter)
{
	static ProtobufCBinaryData bytes;
	Oyez__Offer offer = bare(counter);
	ProtobufCBinaryData record = packed(&offer.base);
	uint8_t *wrapped;
	size_t count;
	assert_int_equal(sign_wrap(vendor, TAG_OFFER, record.data, record.len, &wrapped, &count), ERR_OK);
	free(bytes.data);
	bytes = (ProtobufCBinaryData){.data = wrapped, .len = count};
	free(record.data);
	oyez__wallet__offer__init(&stored);
	stored.signed_ = bytes;
	stored.vendor_key = (ProtobufCBinaryData){.data = (uint8_t *)vendor->public_key, .len = KEY_BYTES};
}

static Oyez__Listing listing_of_terms(char **terms, size_t count)
{
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	listing.terms = terms;
	listing.n_terms = count;
	return listing;
}

static enum err check(Oyez__Wallet__Intent *intent, Oyez__Listing *listing, const char *counter)
{
	Oyez__Offer offer = bare(counter);
	struct vendor_note note = {.offer = &offer, .listing = listing};
	memcpy(note.vendor_key, roy.public_key, KEY_BYTES);
	return counter_check(intent, &note);
}

static void test_only_what_the_listing_agrees_to(void **state)
{
	(void)state;
	char *terms[] = {(char *)"SD-BASE", (char *)"SD-BASE-A"};
	Oyez__Listing listing = listing_of_terms(terms, 2);
	Oyez__Wallet__Intent intent = intent_new();
	assert_int_equal(check(&intent, &listing, ""), ERR_OK);
	assert_int_equal(check(&intent, &listing, "SD-BASE"), ERR_OK); // no other terms at all
	assert_int_equal(check(&intent, &listing, "SD-BASE-A"), ERR_OK);
	assert_int_equal(check(&intent, &listing, "PDC-AI"), ERR_TERMS_REFUSED);
	assert_int_equal(check(&intent, &listing, "SELL-ALL"), ERR_UNKNOWN_TERMS);
	assert_int_equal(check(&intent, &listing, "sd-base-a"), ERR_UNKNOWN_TERMS);
}

static void test_one_counter_offer_a_vendor(void **state)
{
	(void)state;
	char *terms[] = {(char *)"SD-BASE", (char *)"SD-BASE-A", (char *)"PDC-AI"};
	Oyez__Listing listing = listing_of_terms(terms, 3);
	Oyez__Wallet__Intent intent = intent_new();
	intent.offers = offers;
	intent.n_offers = 1;
	store(&roy, "SD-BASE-A");
	assert_int_equal(check(&intent, &listing, "SD-BASE-A"), ERR_OK);
	assert_int_equal(check(&intent, &listing, ""), ERR_OK);
	assert_int_equal(check(&intent, &listing, "PDC-AI"), ERR_TERMS_COUNTERED);
	// Also after it was replaced, declined or accepted.
	for (int status = 0; status <= OYEZ__WALLET__OFFER_STATUS__OFFER_ACCEPTED; status++) {
		stored.status = (Oyez__Wallet__OfferStatus)status;
		assert_int_equal(check(&intent, &listing, "PDC-AI"), ERR_TERMS_COUNTERED);
	}
	store(&other, "SD-BASE-A"); // another vendor's does not count
	assert_int_equal(check(&intent, &listing, "PDC-AI"), ERR_OK);
	store(&roy, ""); // and neither does an offer under the terms asked for
	assert_int_equal(check(&intent, &listing, "PDC-AI"), ERR_OK);
}

static enum err accept_under(const Oyez__Wallet__Intent *intent, Oyez__Listing *listing, const char *counter,
                             const char *named, const char **got)
{
	struct oyez_error error = {0};
	const struct terms *terms = NULL;
	Oyez__Offer offer = bare(counter);
	enum err err = acceptance_terms(intent, &offer, listing, named, &terms, &error);
	*got = terms ? terms->id : "";
	return err;
}

static void test_accepting(void **state)
{
	(void)state;
	const char *got;
	char *terms[] = {(char *)"SD-BASE", (char *)"SD-BASE-A"};
	Oyez__Listing listing = listing_of_terms(terms, 2);
	Oyez__Wallet__Intent intent = intent_new();
	assert_int_equal(accept_under(&intent, &listing, "", NULL, &got), ERR_OK);
	assert_string_equal(got, "SD-BASE");
	assert_int_equal(accept_under(&intent, &listing, "", "SD-BASE", &got), ERR_OK);
	assert_int_equal(accept_under(&intent, &listing, "", "SD-BASE-A", &got), ERR_TERMS_REFUSED);
	assert_int_equal(accept_under(&intent, &listing, "", "SD-BAS", &got), ERR_UNKNOWN_TERMS);
	assert_int_equal(accept_under(&intent, &listing, "SD-BASE-A", NULL, &got), ERR_TERMS_COUNTERED);
	assert_int_equal(accept_under(&intent, &listing, "SD-BASE-A", "SD-BASE", &got), ERR_TERMS_COUNTERED);
	assert_int_equal(accept_under(&intent, &listing, "SD-BASE-A", "SD-BASE-A", &got), ERR_OK);
	assert_string_equal(got, "SD-BASE-A");
	// A listing that agrees to neither, or a text nobody has.
	listing.n_terms = 1;
	assert_int_equal(accept_under(&intent, &listing, "SD-BASE-A", "SD-BASE-A", &got), ERR_TERMS_REFUSED);
	assert_int_equal(accept_under(&intent, &listing, "SELL-ALL", "SELL-ALL", &got), ERR_UNKNOWN_TERMS);
	assert_int_equal(accept_under(&intent, &listing, "SELL-ALL", NULL, &got), ERR_UNKNOWN_TERMS);
}

static void test_what_differs(void **state)
{
	(void)state;
	Oyez__Wallet__Intent intent = intent_new();
	Oyez__Offer offer = bare("PDC-GOOD");
	json_t *counter = counter_json(&intent, &offer);
	assert_string_equal(json_string_value(json_object_get(counter, "asked")), "SD-BASE");
	assert_string_equal(json_string_value(json_array_get(json_object_get(counter, "purposes_more"), 0)), "public_good");
	assert_string_equal(json_string_value(json_array_get(json_object_get(counter, "recipients_more"), 0)),
	                    "public_good_research");
	assert_int_equal(json_array_size(json_object_get(counter, "purposes_less")), 0);
	assert_int_equal(json_integer_value(json_object_get(counter, "retention_days")), 365);
	json_decref(counter);
	offer.counter_terms = (char *)"";
	counter = counter_json(&intent, &offer);
	assert_true(json_is_null(counter));
}

// ---- who a vendor is

static ProtobufCBinaryData standing_with(Oyez__UrlCheck check)
{
	static ProtobufCBinaryData bytes;
	uint8_t id[ID_BYTES] = {1}, *wrapped;
	size_t count;
	Oyez__Standing standing = OYEZ__STANDING__INIT;
	standing.vendor_id = standing.broker_id = (ProtobufCBinaryData){.data = id, .len = ID_BYTES};
	standing.at_ms = 1790000000000;
	standing.url_check = check;
	ProtobufCBinaryData record = packed(&standing.base);
	assert_int_equal(sign_wrap(&other, TAG_STANDING, record.data, record.len, &wrapped, &count), ERR_OK);
	free(record.data);
	free(bytes.data);
	bytes = (ProtobufCBinaryData){.data = wrapped, .len = count};
	return bytes;
}

static void test_two_words_about_an_address(void **state)
{
	(void)state;
	enum { UNCHECKED, CONFIRMED, SILENT, DENIES };
	static const uint8_t expected[4][5] = {
	    // the guardian: not asked, unchecked, confirmed, silent, denies
	    [UNCHECKED] = {UNCHECKED, UNCHECKED, UNCHECKED, SILENT, DENIES},
	    [CONFIRMED] = {CONFIRMED, UNCHECKED, CONFIRMED, SILENT, DENIES},
	    [SILENT] = {SILENT, SILENT, SILENT, SILENT, DENIES},
	    [DENIES] = {DENIES, DENIES, DENIES, DENIES, DENIES},
	};
	for (int home = UNCHECKED; home <= DENIES; home++) {
		ProtobufCBinaryData standing = standing_with((Oyez__UrlCheck)home);
		for (uint32_t guardian = 0; guardian <= DENIES + 1; guardian++)
			assert_int_equal(vendor_checked(&standing, guardian), expected[home][guardian]);
	}
	ProtobufCBinaryData none = {0};
	assert_int_equal(vendor_checked(&none, 0), UNCHECKED);
	assert_int_equal(vendor_checked(&none, DENIES + 1), DENIES);
}

static void test_details_wait_for_the_guardian(void **state)
{
	(void)state;
	Oyez__Wallet__Intent intent = OYEZ__WALLET__INTENT__INIT;
	Oyez__Wallet__Question question = OYEZ__WALLET__QUESTION__INIT;
	assert_true(vendor_may_have_details(&intent, &question)); // one broker, which says nothing
	question.standing = standing_with(OYEZ__URL_CHECK__URL_DENIES);
	assert_false(vendor_may_have_details(&intent, &question));
	intent.guardian_key = (ProtobufCBinaryData){.data = roy.public_key, .len = KEY_BYTES};
	question.standing = standing_with(OYEZ__URL_CHECK__URL_CONFIRMED);
	assert_false(vendor_may_have_details(&intent, &question)); // not asked yet
	question.guardian_check = OYEZ__URL_CHECK__URL_SILENT + 1;
	assert_true(vendor_may_have_details(&intent, &question));
	question.guardian_check = OYEZ__URL_CHECK__URL_DENIES + 1;
	assert_false(vendor_may_have_details(&intent, &question));
}

int main(void)
{
	sign_pair_new(&roy);
	sign_pair_new(&other);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_what_the_listing_agrees_to),
	    cmocka_unit_test(test_one_counter_offer_a_vendor),
	    cmocka_unit_test(test_accepting),
	    cmocka_unit_test(test_what_differs),
	    cmocka_unit_test(test_two_words_about_an_address),
	    cmocka_unit_test(test_details_wait_for_the_guardian),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
