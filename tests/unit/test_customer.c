// What the customer's side must not believe: vendors' messages bound elsewhere or changed, releases with swapped keys,
// listings nobody vouched for, outcomes and countersignatures that are not what they should be. And what it destroys.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/lib/customer.h"
#include "proto/agreement.h"
#include "proto/seal.h"

#define NOW_MS UINT64_C(1900000000000)

// ---- a customer, a broker and a vendor

static struct world {
	char home[64];
	struct oyez_customer *customer;
	struct sign_pair broker, vendor, other;
	struct intent_keys keys;
	struct id deal;
	uint8_t signature_hash[HASH_BYTES];
	size_t events;
	char last_event[32];
} world;

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes, .len = count};
}

static void on_event(void *context, const json_t *event)
{
	(void)context;
	world.events++;
	snprintf(world.last_event, sizeof(world.last_event), "%s", json_string_value(json_object_get(event, "type")));
}

static Oyez__Signed *wrap(const struct sign_pair *pair, const char *tag, const ProtobufCMessage *message)
{
	uint8_t *record, *wrapped;
	size_t count, wrapped_count;
	Oyez__Signed *result;
	assert_int_equal(codec_encode(message, &record, &count), ERR_OK);
	assert_int_equal(sign_wrap(pair, tag, record, count, &wrapped, &wrapped_count), ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, wrapped, wrapped_count, &result, NULL), ERR_OK);
	free(record);
	free(wrapped);
	return result;
}

static void store_intent(void)
{
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	Oyez__Wallet__Intent *intent = wallet_add_intent(world.customer->wallet);
	field_set_id(&intent->id, &world.keys.id);
	field_set(&intent->seed, world.keys.pair.secret_key, crypto_sign_SEEDBYTES);
	field_set(&intent->reply_key, world.keys.reply.public_key, KEY_BYTES);
	field_set(&intent->reply_secret, world.keys.reply.secret_key, KEY_BYTES);
	field_set(&intent->broker_key, world.broker.public_key, KEY_BYTES);
	field_set(&intent->terms_hash, world.keys.terms_hash, HASH_BYTES);
	intent->status = OYEZ__WALLET__INTENT_STATUS__INTENT_RELEASED;
	Oyez__Wallet__Deal *deal = wallet_add_deal(world.customer->wallet);
	field_set_id(&deal->id, &world.deal);
	field_set_id(&deal->intent_id, &world.keys.id);
	field_set(&deal->vendor_key, world.vendor.public_key, KEY_BYTES);
	field_set(&deal->signature_hash, world.signature_hash, HASH_BYTES);
	// A sealed card: long enough to be one.
	uint8_t sealed[SEALED_BYTES_MAX] = {0, SUITE_X25519_CHACHA};
	field_set(&deal->reveal, sealed, sizeof(sealed));
	field_set(&deal->agreement_seed, world.keys.pair.secret_key, crypto_sign_SEEDBYTES);
	deal->state = OYEZ__DEAL_STATE__DEAL_ACCEPTED;
	deal->acknowledged = true;
	deal->reveal_by_ms = NOW_MS + DAY_MS;
	deal->retention_days = 30;
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	snprintf(world.home, sizeof(world.home), "/tmp/oyez-customer-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(world.home) || oyez_wallet_create(world.home, "", NULL) ||
	    oyez_customer_open(world.home, "", NULL, &world.customer, NULL))
		return -1;
	oyez_customer_on_event(world.customer, on_event, NULL);
	sign_pair_new(&world.broker);
	sign_pair_new(&world.vendor);
	sign_pair_new(&world.other);
	sign_pair_new(&world.keys.pair);
	hpke_pair_new(&world.keys.reply);
	world.keys.id = intent_id_of(world.keys.pair.public_key);
	memcpy(world.keys.broker_key, world.broker.public_key, KEY_BYTES);
	world.keys.broker_known = world.keys.alive = world.keys.released = true;
	randombytes_buf(world.keys.release.bytes, RELEASE_ID_BYTES);
	randombytes_buf(world.keys.terms_hash, HASH_BYTES);
	randombytes_buf(world.deal.bytes, ID_BYTES);
	randombytes_buf(world.signature_hash, HASH_BYTES);
	store_intent();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	oyez_customer_close(world.customer);
	char path[160];
	static const char *const names[] = {"wallet", "wallet.lock", "wallet.new"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.home, names[i]);
		unlink(path);
	}
	return rmdir(world.home);
}

// ---- offers

// An offer as it should be, and the places where a test can break it.
struct forgery {
	const struct sign_pair *signer, *listed, *voucher, *listing_signer;
	const uint8_t *intent_key, *reply_key, *terms_hash, *release_id;
	const char *tag;
	uint64_t header_expires_ms, inside_expires_ms;
	struct id vendor_inside;
	bool wrong_id, wrong_from, wrong_release_header;
	const char *info;
};

static struct forgery honest(void)
{
	return (struct forgery){.signer = &world.vendor,
	                        .listed = &world.vendor,
	                        .listing_signer = &world.vendor,
	                        .voucher = &world.broker,
	                        .intent_key = world.keys.pair.public_key,
	                        .reply_key = world.keys.reply.public_key,
	                        .terms_hash = world.keys.terms_hash,
	                        .release_id = world.keys.release.bytes,
	                        .tag = TAG_OFFER,
	                        .header_expires_ms = NOW_MS + DAY_MS,
	                        .inside_expires_ms = NOW_MS + DAY_MS,
	                        .vendor_inside = vendor_id_of(world.vendor.public_key),
	                        .info = SEAL_OFFER};
}

static Oyez__Signed *make_listing(const struct forgery *forgery, uint8_t vouch[SIGNATURE_BYTES])
{
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	listing.vendor_key = view(forgery->listed->public_key, KEY_BYTES);
	listing.name = (char *)"Shop";
	listing.url = (char *)"https://shop.example";
	listing.country = (char *)"FR";
	listing.made_at_ms = 1;
	Oyez__Signed *signed_listing = wrap(forgery->listing_signer, TAG_LISTING, &listing.base);
	sign_bytes(forgery->voucher, TAG_VOUCH, signed_listing->record.data, signed_listing->record.len, vouch);
	return signed_listing;
}

static Oyez__Signed *make_offer(const struct forgery *forgery)
{
	uint8_t random[RANDOM_BYTES] = {1};
	struct hpke_pair offer_pair;
	hpke_pair_new(&offer_pair);
	Oyez__Binding binding = OYEZ__BINDING__INIT;
	binding.release_id = view(forgery->release_id, RELEASE_ID_BYTES);
	binding.intent_key = view(forgery->intent_key, KEY_BYTES);
	binding.reply_key = view(forgery->reply_key, KEY_BYTES);
	binding.terms_hash = view(forgery->terms_hash, HASH_BYTES);
	Oyez__Offer offer = OYEZ__OFFER__INIT;
	offer.binding = &binding;
	offer.vendor_id = view(forgery->vendor_inside.bytes, ID_BYTES);
	offer.made_at_ms = NOW_MS;
	offer.offer_key = view(offer_pair.public_key, KEY_BYTES);
	offer.random = view(random, sizeof(random));
	offer.price_e4 = 1890000;
	offer.currency = (char *)"EUR";
	offer.valid_until_ms = forgery->inside_expires_ms;
	return wrap(forgery->signer, forgery->tag, &offer.base);
}

static enum err judge(const struct forgery *forgery)
{
	uint8_t vouch[SIGNATURE_BYTES], header_release[RELEASE_ID_BYTES];
	Oyez__Signed *listing = make_listing(forgery, vouch), *offer = make_offer(forgery);
	struct id id = signed_id_of(TAG_RECORD_ID, offer), from = vendor_id_of(forgery->listed->public_key);
	memcpy(header_release, forgery->release_id, RELEASE_ID_BYTES);
	if (forgery->wrong_id)
		id.bytes[0] ^= 1;
	struct seal_header header = {.from = from, .object = id, .expires_at_ms = forgery->header_expires_ms};
	memcpy(header.release.bytes, header_release, RELEASE_ID_BYTES);
	if (forgery->wrong_from)
		header.from.bytes[0] ^= 1;
	size_t count = oyez__signed__get_packed_size(offer), sealed_count;
	uint8_t *plain = malloc(count), *sealed;
	oyez__signed__pack(offer, plain);
	assert_int_equal(
	    seal_message(forgery->info, world.keys.reply.public_key, &header, plain, count, &sealed, &sealed_count),
	    ERR_OK);
	Oyez__VouchedListing vouched = OYEZ__VOUCHED_LISTING__INIT;
	vouched.listing = listing;
	vouched.broker_signature = view(vouch, sizeof(vouch));
	Oyez__VendorMessage message = OYEZ__VENDOR_MESSAGE__INIT;
	message.id = view(id.bytes, ID_BYTES);
	if (forgery->wrong_release_header)
		header_release[0] ^= 1;
	message.release_id = view(header_release, RELEASE_ID_BYTES);
	message.expires_at_ms = forgery->header_expires_ms;
	message.sealed = view(sealed, sealed_count);
	message.listing = &vouched;

	struct vendor_note note;
	enum err err = verify_vendor_message(&world.keys, &message, true, &note);
	if (!err) {
		assert_int_equal(note.offer->price_e4, 1890000);
		vendor_note_free(&note);
	}
	oyez__signed__free_unpacked(listing, NULL);
	oyez__signed__free_unpacked(offer, NULL);
	free(plain);
	free(sealed);
	return err;
}

static void test_honest_offer(void **state)
{
	(void)state;
	struct forgery forgery = honest();
	assert_int_equal(judge(&forgery), ERR_OK);
}

// A broker that shows vendors other keys than the wallet's gets offers bound to those: found out here.
static void test_swapped_keys(void **state)
{
	(void)state;
	struct hpke_pair swapped;
	uint8_t other_hash[HASH_BYTES] = {1}, other_release[RELEASE_ID_BYTES] = {1};
	hpke_pair_new(&swapped);
	struct forgery forgery = honest();
	forgery.reply_key = swapped.public_key;
	assert_int_equal(judge(&forgery), ERR_BINDING_MISMATCH);
	forgery = honest();
	forgery.intent_key = world.other.public_key;
	assert_int_equal(judge(&forgery), ERR_BINDING_MISMATCH);
	forgery = honest();
	forgery.terms_hash = other_hash;
	assert_int_equal(judge(&forgery), ERR_BINDING_MISMATCH);
	forgery = honest();
	forgery.release_id = other_release;
	assert_int_equal(judge(&forgery), ERR_BINDING_MISMATCH);
}

static void test_false_offers(void **state)
{
	(void)state;
	struct forgery forgery = honest();
	forgery.signer = &world.other; // somebody else's signature under this vendor's listing
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.tag = TAG_QUESTION; // a signature made for something else
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.vendor_inside = vendor_id_of(world.other.public_key);
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.header_expires_ms += DAY_MS; // the broker stretches the offer
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.wrong_id = true;
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.wrong_from = true;
	assert_int_equal(judge(&forgery), ERR_SEALED);
	forgery = honest();
	forgery.wrong_release_header = true;
	assert_int_equal(judge(&forgery), ERR_SEALED);
	forgery = honest();
	forgery.info = SEAL_QUESTION;
	assert_int_equal(judge(&forgery), ERR_SEALED);
}

static void test_false_listings(void **state)
{
	(void)state;
	struct forgery forgery = honest();
	forgery.voucher = &world.other; // another broker's word
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
	forgery = honest();
	forgery.listing_signer = &world.other; // a listing about somebody else
	assert_int_equal(judge(&forgery), ERR_BAD_SIGNATURE);
}

// ---- releases

static void test_own_release(void **state)
{
	(void)state;
	struct hpke_pair swapped;
	hpke_pair_new(&swapped);
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	facets.category = (char *)"home";
	facets.region = (char *)"FR";
	Oyez__Release release = OYEZ__RELEASE__INIT, *opened;
	release.release_id = view(world.keys.release.bytes, RELEASE_ID_BYTES);
	release.suite = SUITE_X25519_CHACHA;
	release.intent_key = view(world.keys.pair.public_key, KEY_BYTES);
	release.reply_key = view(world.keys.reply.public_key, KEY_BYTES);
	release.facets = &facets;
	release.expires = OYEZ__EXPIRY_BAND__EXPIRY_7D;
	release.crowd = 1;
	release.released_at_ms = NOW_MS;
	release.home_broker = view(world.broker.public_key, KEY_BYTES);
	const uint8_t *swaps[3][2] = {{world.keys.pair.public_key, world.other.public_key},
	                              {world.keys.reply.public_key, swapped.public_key},
	                              {world.broker.public_key, world.other.public_key}};
	ProtobufCBinaryData *fields[3] = {&release.intent_key, &release.reply_key, &release.home_broker};
	for (int i = -1; i < 3; i++) {
		uint8_t *bytes;
		size_t count;
		if (i >= 0)
			*fields[i] = view(swaps[i][1], KEY_BYTES);
		assert_int_equal(codec_encode(&release.base, &bytes, &count), ERR_OK);
		enum err err = verify_release(&world.keys, bytes, count, &opened);
		assert_int_equal(err, i < 0 ? ERR_OK : ERR_BINDING_MISMATCH);
		if (!err)
			oyez__release__free_unpacked(opened, NULL);
		if (i >= 0)
			*fields[i] = view(swaps[i][0], KEY_BYTES);
		free(bytes);
	}
}

// ---- deals

static Oyez__Signed *make_outcome(const struct sign_pair *signer, const struct id *deal, Oyez__OutcomeResult result,
                                  const uint8_t *broker_inside)
{
	Oyez__Outcome outcome = OYEZ__OUTCOME__INIT;
	outcome.deal_id = view(deal->bytes, ID_BYTES);
	outcome.result = result;
	outcome.at_ms = NOW_MS;
	outcome.broker_id = view(broker_inside, KEY_BYTES);
	return wrap(signer, TAG_OUTCOME, &outcome.base);
}

static enum err hear_countersigned(const struct sign_pair *vendor, Oyez__Signed *outcome)
{
	uint8_t signature[SIGNATURE_BYTES];
	countersign(vendor, &world.deal, world.signature_hash, signature);
	Oyez__Countersigned countersigned = OYEZ__COUNTERSIGNED__INIT;
	countersigned.deal_id = view(world.deal.bytes, ID_BYTES);
	countersigned.signature = view(signature, sizeof(signature));
	countersigned.outcome = outcome;
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	enum err err = deal_countersigned(world.customer, &world.keys, &countersigned, NOW_MS);
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	oyez__signed__free_unpacked(outcome, NULL);
	return err;
}

static uint32_t deal_state(void)
{
	return wallet_deal(world.customer->wallet, &world.deal)->state;
}

static size_t pending_count(void)
{
	return wallet_records(world.customer->wallet)->n_pending;
}

// The card leaves on two signatures, the vendor's and the broker's, each over this very deal; on nothing less.
static void test_reveal_needs_both_signatures(void **state)
{
	(void)state;
	const Oyez__OutcomeResult yes = OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED;
	const uint8_t *broker = world.broker.public_key;
	struct id other_deal = {{1}};
	assert_int_equal(hear_countersigned(&world.other, make_outcome(&world.broker, &world.deal, yes, broker)),
	                 ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.other, &world.deal, yes, broker)),
	                 ERR_BAD_SIGNATURE);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.vendor, &world.deal, yes, broker)),
	                 ERR_BAD_SIGNATURE);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &other_deal, yes, broker)),
	                 ERR_BAD_SIGNATURE);
	assert_int_equal(
	    hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal, yes, world.other.public_key)),
	    ERR_BAD_SIGNATURE);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal,
	                                                                OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED, broker)),
	                 ERR_NOT_COUNTERSIGNED);
	assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_ACCEPTED);
	assert_int_equal(pending_count(), 0);

	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal, yes, broker)), ERR_OK);
	assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED);
	assert_int_equal(pending_count(), 1);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal, yes, broker)), ERR_OK);
	assert_int_equal(pending_count(), 1); // heard twice, revealed once
}

static void test_too_late_to_reveal(void **state)
{
	(void)state;
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	wallet_deal(world.customer->wallet, &world.deal)->reveal_by_ms = NOW_MS;
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal,
	                                                                OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED,
	                                                                world.broker.public_key)),
	                 ERR_LAPSED);
	assert_int_equal(pending_count(), 0);
}

static void hear_lapsed(const struct sign_pair *signer)
{
	Oyez__Signed *outcome =
	    make_outcome(signer, &world.deal, OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED, world.broker.public_key);
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	deal_lapsed(world.customer, &world.keys, outcome, NOW_MS);
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	oyez__signed__free_unpacked(outcome, NULL);
}

static void test_lapsing(void **state)
{
	(void)state;
	hear_lapsed(&world.vendor);
	assert_string_equal(world.last_event, "problem");
	assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_ACCEPTED);
	hear_lapsed(&world.broker);
	assert_string_equal(world.last_event, "lapsed");
	assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_LAPSED);
	assert_int_equal(wallet_deal(world.customer->wallet, &world.deal)->reveal.len, 0);
	// A countersignature after that changes nothing.
	assert_int_equal(hear_countersigned(&world.vendor, make_outcome(&world.broker, &world.deal,
	                                                                OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED,
	                                                                world.broker.public_key)),
	                 ERR_OK);
	assert_int_equal(pending_count(), 0);
	assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_LAPSED);
}

// The broker's status alone never makes a deal countersigned: only the signatures do.
static void test_status_is_not_a_signature(void **state)
{
	(void)state;
	Oyez__DealStatus deal = OYEZ__DEAL_STATUS__INIT, *deals[] = {&deal};
	deal.deal_id = view(world.deal.bytes, ID_BYTES);
	Oyez__Status status = OYEZ__STATUS__INIT;
	status.intent_id = view(world.keys.id.bytes, ID_BYTES);
	status.state = OYEZ__INTENT_STATE__INTENT_RELEASED;
	status.deals = deals;
	status.n_deals = 1;
	static const Oyez__DealState states[] = {OYEZ__DEAL_STATE__DEAL_COUNTERSIGNED, OYEZ__DEAL_STATE__DEAL_REVEALED,
	                                         OYEZ__DEAL_STATE__DEAL_CONCLUDED};
	for (size_t i = 0; i < 3; i++) {
		deal.state = states[i];
		assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
		assert_int_equal(
		    apply_status(world.customer, wallet_intent(world.customer->wallet, &world.keys.id), &status, NOW_MS),
		    ERR_OK);
		assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
		assert_int_equal(deal_state(), OYEZ__DEAL_STATE__DEAL_ACCEPTED);
	}
	assert_int_equal(pending_count(), 0);
}

static void test_keys_are_destroyed(void **state)
{
	(void)state;
	struct wallet *wallet = world.customer->wallet;
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	Oyez__Wallet__Intent *intent = wallet_intent(wallet, &world.keys.id);
	Oyez__Wallet__Deal *deal = wallet_deal(wallet, &world.deal);
	// With an open deal the intent's keys stay: the card may still have to be sent.
	customer_intent_end(world.customer, intent, OYEZ__WALLET__INTENT_STATUS__INTENT_EXPIRED, NOW_MS);
	assert_int_equal(intent->seed.len, crypto_sign_SEEDBYTES);
	deal_set_state(world.customer, deal, OYEZ__DEAL_STATE__DEAL_LAPSED, NOW_MS);
	assert_true(keys_retire(world.customer, NOW_MS, false));
	assert_true(keys_retire(world.customer, NOW_MS, true));
	assert_int_equal(intent->seed.len, 0);
	assert_int_equal(intent->reply_secret.len, 0);
	// The agreement's key stays for the vendor's retention and thirty days.
	assert_int_equal(deal->agreement_seed.len, crypto_sign_SEEDBYTES);
	assert_false(keys_retire(world.customer, NOW_MS + 60 * DAY_MS, true));
	assert_true(keys_retire(world.customer, NOW_MS + 60 * DAY_MS + 1, true));
	assert_int_equal(deal->agreement_seed.len, 0);
	wallet_abort(wallet);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_honest_offer),       TEST(test_swapped_keys), TEST(test_false_offers),
	    TEST(test_false_listings),     TEST(test_own_release),  TEST(test_reveal_needs_both_signatures),
	    TEST(test_too_late_to_reveal), TEST(test_lapsing),      TEST(test_status_is_not_a_signature),
	    TEST(test_keys_are_destroyed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
