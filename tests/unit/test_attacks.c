// Each attack that the design answers, with its error code, through verifier and service with real keys.
// A scene: customer with an intent out, two vendors with offers whose keys the test holds.
#define _GNU_SOURCE // memmem
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/agreement.h"
#include "proto/seal.h"
#include "proto/terms.h"
#include "support_crypto.h"

static const char CARD[] = "{\"name\":\"Ada\",\"email\":\"ada@example.org\"}";

struct seller {
	struct sign_pair key;
	struct hpke_pair offer_key;
	struct id id, offer;
	ProtobufCBinaryData offer_record;
};

struct scene {
	struct support_broker broker;
	struct sign_pair intent;
	struct hpke_pair reply_key;
	struct id intent_id;
	ProtobufCBinaryData post; // the signed record
	Oyez__Release *release;
	struct seller sellers[2];
};

// ---- the customer's side

static Oyez__Post *post_message(struct scene *scene)
{
	struct arena *arena = &scene->broker.arena;
	Oyez__Post *post = arena_alloc(arena, sizeof *post);
	oyez__post__init(post);
	post->suite = SUITE_X25519_CHACHA;
	post->reply_key = wire_bytes(scene->reply_key.public_key, KEY_BYTES);
	post->facets = arena_alloc(arena, sizeof *post->facets);
	oyez__facets__init(post->facets);
	post->facets->category = TEXT("home.kitchen.coffee-machine");
	post->facets->region = TEXT("FR-56");
	post->facets->terms = TEXT("SD-BASE");
	post->expires_at_ms = scene->broker.now_ms + 7 * DAY_MS;
	post->deals_max = 1;
	return post;
}

static ProtobufCBinaryData post_record(struct scene *scene, Oyez__Post *post)
{
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_POST;
	record.post = post;
	return support_sign_customer(&scene->broker, &scene->intent, &record);
}

static enum err send_cell(struct scene *scene, ProtobufCBinaryData signed_record)
{
	return support_customer_error(support_cell(&scene->broker, signed_record, NULL));
}

static enum err withdraw(struct scene *scene)
{
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW;
	record.withdraw = &message;
	return support_tell_customer(&scene->broker, &scene->intent, &record);
}

// An acceptance as the wallet makes it: the agreement signed, sealed to the offer key, its hash in clear.
struct acceptance {
	Oyez__Accept message;
	Oyez__Signed *agreement;
	struct id deal;
	uint8_t signature_hash[HASH_BYTES], commitment[HASH_BYTES], secret[RANDOM_BYTES];
	struct sign_pair agreement_key;
};

static ProtobufCBinaryData seal_to(struct scene *scene, const char *info, const uint8_t key[KEY_BYTES],
                                   const struct seal_header *header, ProtobufCBinaryData plain)
{
	uint8_t *sealed;
	size_t count;
	assert_int_equal(seal_message(info, key, header, plain.data, plain.len, &sealed, &count), ERR_OK);
	ProtobufCBinaryData kept = wire_bytes(arena_copy(&scene->broker.arena, sealed, count), count);
	free(sealed);
	return kept;
}

static void acceptance_make(struct scene *scene, const struct seller *seller, const struct sign_pair *signer,
                            struct acceptance *acceptance)
{
	struct support_broker *broker = &scene->broker;
	const struct terms *terms = terms_at((size_t)terms_find("SD-BASE"));
	uint8_t random[RANDOM_BYTES], hash[HASH_BYTES];
	Oyez__Agreement agreement = OYEZ__AGREEMENT__INIT;
	randombytes_buf(acceptance->secret, sizeof acceptance->secret);
	randombytes_buf(random, sizeof random);
	sign_pair_new(&acceptance->agreement_key);
	card_commitment(acceptance->secret, (const uint8_t *)CARD, sizeof CARD - 1, acceptance->commitment);
	terms_hash(terms, hash);
	agreement.offer_id = wire_id(&seller->offer);
	agreement.vendor_id = wire_id(&seller->id);
	agreement.intent_key = wire_bytes(scene->intent.public_key, KEY_BYTES);
	agreement.agreement_key = wire_bytes(acceptance->agreement_key.public_key, KEY_BYTES);
	agreement.terms_iri = (char *)terms->iri;
	agreement.terms_version = terms->version;
	agreement.terms_hash = wire_bytes(hash, HASH_BYTES);
	agreement.countersign_by_ms = broker->now_ms + COUNTERSIGN_MS_DEFAULT;
	agreement.reveal_by_ms = broker->now_ms + REVEAL_MS_DEFAULT;
	agreement.random = wire_bytes(random, RANDOM_BYTES);
	agreement.card_commitment = wire_bytes(acceptance->commitment, HASH_BYTES);
	ProtobufCBinaryData signed_agreement = support_sign(broker, signer, TAG_AGREEMENT, &agreement.base);
	acceptance->agreement =
	    wire_unpack(&broker->arena, &oyez__signed__descriptor, signed_agreement.data, signed_agreement.len);
	acceptance->deal = signed_id_of(TAG_DEAL, acceptance->agreement);
	signature_hash(acceptance->agreement->signature.data, acceptance->signature_hash);
	struct seal_header header = {.from = scene->intent_id, .object = acceptance->deal};
	memcpy(header.release.bytes, scene->release->release_id.data, RELEASE_ID_BYTES);
	oyez__accept__init(&acceptance->message);
	acceptance->message.offer_id = wire_id(&seller->offer);
	acceptance->message.deal_id = wire_id(&acceptance->deal);
	acceptance->message.agreement_key = wire_bytes(acceptance->agreement_key.public_key, KEY_BYTES);
	acceptance->message.signature_hash = wire_bytes(acceptance->signature_hash, HASH_BYTES);
	acceptance->message.countersign_by_ms = agreement.countersign_by_ms;
	acceptance->message.reveal_by_ms = agreement.reveal_by_ms;
	acceptance->message.sealed =
	    seal_to(scene, SEAL_AGREEMENT, seller->offer_key.public_key, &header, signed_agreement);
}

static ProtobufCBinaryData accept_record(struct scene *scene, const struct sign_pair *signer,
                                         struct acceptance *acceptance)
{
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_ACCEPT;
	record.accept = &acceptance->message;
	return support_sign_customer(&scene->broker, signer, &record);
}

static enum err accept_offer(struct scene *scene, const struct seller *seller, struct acceptance *acceptance)
{
	acceptance_make(scene, seller, &scene->intent, acceptance);
	return send_cell(scene, accept_record(scene, &scene->intent, acceptance));
}

static enum err reveal(struct scene *scene, const struct sign_pair *signer, const struct id *deal)
{
	uint8_t sealed[512 + SEAL_OVERHEAD_BYTES] = {0, SUITE_X25519_CHACHA};
	Oyez__Reveal message = OYEZ__REVEAL__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	message.deal_id = wire_id(deal);
	message.sealed = wire_bytes(sealed, sizeof sealed);
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_REVEAL;
	record.reveal = &message;
	return support_tell_customer(&scene->broker, signer, &record);
}

// ---- the vendors' side

static void register_seller(struct scene *scene, struct seller *seller)
{
	char *terms[] = {TEXT("SD-BASE")};
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	sign_pair_new(&seller->key);
	seller->id = vendor_id_of(seller->key.public_key);
	listing.vendor_key = wire_bytes(seller->key.public_key, KEY_BYTES);
	listing.name = TEXT("Seller");
	listing.url = TEXT("https://seller.example");
	listing.country = TEXT("FR");
	listing.terms = terms;
	listing.n_terms = 1;
	listing.made_at_ms = scene->broker.now_ms;
	ProtobufCBinaryData signed_listing = support_sign(&scene->broker, &seller->key, TAG_LISTING, &listing.base);
	record.body_case = OYEZ__VENDOR_RECORD__BODY_REGISTER;
	record.register_ =
	    wire_unpack(&scene->broker.arena, &oyez__signed__descriptor, signed_listing.data, signed_listing.len);
	assert_int_equal(support_tell_vendor(&scene->broker, &seller->key, &record), ERR_OK);
}

static Oyez__Binding binding_of(const Oyez__Release *release, const uint8_t terms[HASH_BYTES])
{
	Oyez__Binding binding = OYEZ__BINDING__INIT;
	binding.release_id = release->release_id;
	binding.intent_key = release->intent_key;
	binding.reply_key = release->reply_key;
	binding.terms_hash = wire_bytes(terms, HASH_BYTES);
	return binding;
}

static Oyez__Signed *offer_signed(struct scene *scene, struct seller *seller, const Oyez__Release *release)
{
	uint8_t random[RANDOM_BYTES], terms[HASH_BYTES];
	Oyez__Offer offer = OYEZ__OFFER__INIT;
	randombytes_buf(random, sizeof random);
	terms_hash(terms_at((size_t)terms_find("SD-BASE")), terms);
	Oyez__Binding binding = binding_of(release, terms);
	hpke_pair_new(&seller->offer_key);
	offer.binding = &binding;
	offer.vendor_id = wire_id(&seller->id);
	offer.made_at_ms = scene->broker.now_ms;
	offer.offer_key = wire_bytes(seller->offer_key.public_key, KEY_BYTES);
	offer.random = wire_bytes(random, RANDOM_BYTES);
	offer.price_e4 = 1890000;
	offer.currency = TEXT("EUR");
	offer.valid_until_ms = scene->broker.now_ms + 3 * DAY_MS;
	ProtobufCBinaryData bytes = support_sign(&scene->broker, &seller->key, TAG_OFFER, &offer.base);
	return wire_unpack(&scene->broker.arena, &oyez__signed__descriptor, bytes.data, bytes.len);
}

static enum err offer_send(struct scene *scene, struct seller *seller)
{
	Oyez__Signed *offer = offer_signed(scene, seller, scene->release);
	Oyez__SendOffer message = OYEZ__SEND_OFFER__INIT;
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	seller->offer = signed_id_of(TAG_RECORD_ID, offer);
	struct seal_header header = {.from = seller->id, .object = seller->offer};
	header.expires_at_ms = scene->broker.now_ms + 3 * DAY_MS;
	memcpy(header.release.bytes, scene->release->release_id.data, RELEASE_ID_BYTES);
	message.release_id = scene->release->release_id;
	message.offer_id = wire_id(&seller->offer);
	message.expires_at_ms = header.expires_at_ms;
	message.sealed =
	    seal_to(scene, SEAL_OFFER, scene->reply_key.public_key, &header, wire_pack(&scene->broker.arena, &offer->base));
	record.body_case = OYEZ__VENDOR_RECORD__BODY_OFFER;
	record.offer = &message;
	seller->offer_record = support_sign_vendor(&scene->broker, &seller->key, &record);
	return support_vendor_error(support_vendor_request(&scene->broker, seller->offer_record));
}

static enum err countersign_as(struct scene *scene, const struct sign_pair *sender, const struct sign_pair *signer,
                               const struct id *deal, const uint8_t hash[HASH_BYTES])
{
	uint8_t signature[SIGNATURE_BYTES];
	Oyez__Countersign message = OYEZ__COUNTERSIGN__INIT;
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	countersign(signer, deal, hash, signature);
	message.deal_id = wire_id(deal);
	message.signature_hash = wire_bytes(hash, HASH_BYTES);
	message.signature = wire_bytes(signature, SIGNATURE_BYTES);
	record.body_case = OYEZ__VENDOR_RECORD__BODY_COUNTERSIGN;
	record.countersign = &message;
	return support_tell_vendor(&scene->broker, sender, &record);
}

// ---- the scene

static Oyez__Release *release_of(struct scene *scene)
{
	Oyez__ReadStatus message = OYEZ__READ_STATUS__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_STATUS;
	record.read_status = &message;
	const Oyez__CustomerReply *reply =
	    support_cell(&scene->broker, support_sign_customer(&scene->broker, &scene->intent, &record), NULL);
	assert_customer_error(reply, ERR_OK);
	return wire_unpack(&scene->broker.arena, &oyez__release__descriptor, reply->status->release.data,
	                   reply->status->release.len);
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	support_broker_open(&scene->broker);
	sign_pair_new(&scene->intent);
	hpke_pair_new(&scene->reply_key);
	scene->intent_id = intent_id_of(scene->intent.public_key);
	scene->post = post_record(scene, post_message(scene));
	assert_int_equal(send_cell(scene, scene->post), ERR_OK);
	support_broker_wait(&scene->broker, 1000);
	scene->release = release_of(scene);
	for (int i = 0; i < 2; i++) {
		register_seller(scene, &scene->sellers[i]);
		assert_int_equal(offer_send(scene, &scene->sellers[i]), ERR_OK);
	}
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;
	support_broker_close(&scene->broker);
	free(scene);
	return 0;
}

// ---- attacks on the deal

// DESIGN §4.7: with a bare hash of the card, whoever sees the agreement could try cards until one fits.
static void test_guessing_a_bare_commitment(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	uint8_t guess[HASH_BYTES];
	static const uint8_t NO_SECRET[RANDOM_BYTES];
	acceptance_make(scene, &scene->sellers[0], &scene->intent, &acceptance);
	struct hash_part card = {CARD, sizeof CARD - 1};
	hash_parts(TAG_CARD, &card, 1, guess); // the right card, and yet
	assert_memory_not_equal(guess, acceptance.commitment, HASH_BYTES);
	card_commitment(NO_SECRET, (const uint8_t *)CARD, sizeof CARD - 1, guess);
	assert_memory_not_equal(guess, acceptance.commitment, HASH_BYTES);
	card_commitment(acceptance.secret, (const uint8_t *)CARD, sizeof CARD - 1, guess);
	assert_memory_equal(guess, acceptance.commitment, HASH_BYTES);
	// And the broker sees no commitment at all.
	ProtobufCBinaryData clear = wire_pack(&scene->broker.arena, &acceptance.message.base);
	assert_null(memmem(clear.data, clear.len, acceptance.commitment, HASH_BYTES));
}

static void test_forged_acceptance(void **state)
{
	struct scene *scene = *state;
	struct sign_pair forger;
	struct acceptance acceptance;
	sign_pair_new(&forger);
	acceptance_make(scene, &scene->sellers[0], &forger, &acceptance);
	// Under the forger's own key there is no such intent; under the customer's key the signature is missing.
	assert_int_equal(send_cell(scene, accept_record(scene, &forger, &acceptance)), ERR_NOT_FOUND);
	ProtobufCBinaryData record = accept_record(scene, &forger, &acceptance);
	Oyez__Signed *stolen = wire_unpack(&scene->broker.arena, &oyez__signed__descriptor, record.data, record.len);
	stolen->key = wire_bytes(scene->intent.public_key, KEY_BYTES);
	assert_int_equal(send_cell(scene, wire_pack(&scene->broker.arena, &stolen->base)), ERR_BAD_SIGNATURE);
	// A broker could make up an Accept; the agreement inside is what the vendor checks.
	assert_int_equal(sign_open(acceptance.agreement, TAG_AGREEMENT), ERR_OK);
	assert_memory_not_equal(acceptance.agreement->key.data, scene->release->intent_key.data, KEY_BYTES);
	acceptance.agreement->key = scene->release->intent_key;
	assert_int_equal(sign_open(acceptance.agreement, TAG_AGREEMENT), ERR_BAD_SIGNATURE);
}

static void test_junk_countersignature(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	const struct sign_pair *winner = &scene->sellers[0].key, *other = &scene->sellers[1].key;
	uint8_t wrong[HASH_BYTES];
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OK);
	memcpy(wrong, acceptance.signature_hash, HASH_BYTES);
	wrong[0] ^= 1;
	assert_int_equal(countersign_as(scene, winner, winner, &acceptance.deal, wrong), ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(countersign_as(scene, winner, other, &acceptance.deal, acceptance.signature_hash),
	                 ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(countersign_as(scene, other, other, &acceptance.deal, acceptance.signature_hash), ERR_NOT_YOURS);
	assert_int_equal(reveal(scene, &scene->intent, &acceptance.deal), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(countersign_as(scene, winner, winner, &acceptance.deal, acceptance.signature_hash), ERR_OK);
}

static void test_completing_a_lapsed_deal(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	const struct sign_pair *winner = &scene->sellers[0].key;
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OK);
	support_broker_wait(&scene->broker, COUNTERSIGN_MS_DEFAULT);
	assert_int_equal(countersign_as(scene, winner, winner, &acceptance.deal, acceptance.signature_hash), ERR_LAPSED);
	assert_int_equal(reveal(scene, &scene->intent, &acceptance.deal), ERR_LAPSED);
}

static void test_two_racing_accepts(void **state)
{
	struct scene *scene = *state;
	struct acceptance first, second, third;
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &first), ERR_OK);
	assert_int_equal(accept_offer(scene, &scene->sellers[1], &second), ERR_DEAL_LIMIT);
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &third), ERR_OFFER_ACCEPTED);
}

static void test_card_before_countersignature_or_for_another(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	struct sign_pair stranger;
	sign_pair_new(&stranger);
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OK);
	assert_int_equal(reveal(scene, &scene->intent, &acceptance.deal), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(countersign_as(scene, &scene->sellers[0].key, &scene->sellers[0].key, &acceptance.deal,
	                                acceptance.signature_hash),
	                 ERR_OK);
	assert_int_equal(reveal(scene, &stranger, &acceptance.deal), ERR_NOT_YOURS);
	assert_int_equal(withdraw(scene), ERR_DEAL_OPEN);
	assert_int_equal(reveal(scene, &scene->intent, &acceptance.deal), ERR_OK);
}

static void test_accept_of_a_replaced_offer(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	struct seller before = scene->sellers[0];
	assert_int_equal(offer_send(scene, &scene->sellers[0]), ERR_OK);
	assert_int_equal(accept_offer(scene, &before, &acceptance), ERR_OFFER_REPLACED);
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OK);
}

static void test_accept_after_expiry(void **state)
{
	struct scene *scene = *state;
	struct acceptance acceptance;
	support_broker_wait(&scene->broker, 3 * DAY_MS);
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OFFER_EXPIRED);
	support_broker_wait(&scene->broker, 4 * DAY_MS);
	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_GONE);
}

// DESIGN §4.3: the release carries both keys, and what a vendor signs binds to them.
static void test_reply_key_swapped_by_the_broker(void **state)
{
	struct scene *scene = *state;
	struct hpke_pair broker_own;
	assert_memory_equal(scene->release->reply_key.data, scene->reply_key.public_key, KEY_BYTES);
	assert_memory_equal(scene->release->intent_key.data, scene->intent.public_key, KEY_BYTES);
	hpke_pair_new(&broker_own);
	Oyez__Release swapped = *scene->release;
	swapped.reply_key = wire_bytes(broker_own.public_key, KEY_BYTES);
	Oyez__Signed *offer = offer_signed(scene, &scene->sellers[0], &swapped);
	const Oyez__Offer *content =
	    wire_unpack(&scene->broker.arena, &oyez__offer__descriptor, offer->record.data, offer->record.len);
	assert_int_equal(sign_open(offer, TAG_OFFER), ERR_OK); // honest vendor, and the wallet sees what it was shown
	assert_memory_not_equal(content->binding->reply_key.data, scene->reply_key.public_key, KEY_BYTES);
	// Putting the right key back breaks the vendor's signature.
	void *at = memmem(offer->record.data, offer->record.len, broker_own.public_key, KEY_BYTES);
	assert_non_null(at);
	memcpy(at, scene->reply_key.public_key, KEY_BYTES);
	assert_int_equal(sign_open(offer, TAG_OFFER), ERR_BAD_SIGNATURE);
}

// ---- attacks on records

static void test_same_id_other_bytes(void **state)
{
	struct scene *scene = *state;
	struct support_broker *broker = &scene->broker;
	struct acceptance acceptance;
	assert_int_equal(send_cell(scene, scene->post), ERR_OK);
	Oyez__Post *cheaper = post_message(scene);
	cheaper->deals_max = 5;
	assert_int_equal(send_cell(scene, post_record(scene, cheaper)), ERR_CONFLICT);

	assert_vendor_error(support_vendor_request(broker, scene->sellers[0].offer_record), ERR_OK);
	Oyez__Signed *sent = wire_unpack(&broker->arena, &oyez__signed__descriptor, scene->sellers[0].offer_record.data,
	                                 scene->sellers[0].offer_record.len);
	Oyez__VendorRecord *record =
	    wire_unpack(&broker->arena, &oyez__vendor_record__descriptor, sent->record.data, sent->record.len);
	record->offer->expires_at_ms += 1000;
	assert_int_equal(support_tell_vendor(broker, &scene->sellers[0].key, record), ERR_CONFLICT);

	assert_int_equal(accept_offer(scene, &scene->sellers[0], &acceptance), ERR_OK);
	acceptance.message.reveal_by_ms += 1000;
	assert_int_equal(send_cell(scene, accept_record(scene, &scene->intent, &acceptance)), ERR_CONFLICT);
}

static void test_late_duplicate_of_a_withdrawn_post(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(withdraw(scene), ERR_OK);
	assert_int_equal(send_cell(scene, scene->post), ERR_GONE);
	support_broker_wait(&scene->broker, DAY_MS);
	assert_int_equal(send_cell(scene, scene->post), ERR_GONE);
	support_broker_wait(&scene->broker, scene->broker.config.retention_ms); // its row is forgotten
	assert_int_equal(send_cell(scene, scene->post), ERR_STALE);
	assert_int_equal(offer_send(scene, &scene->sellers[1]), ERR_NOT_FOUND);
}

static void test_offer_after_withdrawal(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(withdraw(scene), ERR_OK);
	assert_int_equal(offer_send(scene, &scene->sellers[0]), ERR_GONE);
}

static void test_stale_record(void **state)
{
	struct scene *scene = *state;
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.made_at_ms = scene->broker.now_ms - RECORD_AGE_MS_MAX - 1;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW;
	record.withdraw = &message;
	assert_int_equal(support_tell_customer(&scene->broker, &scene->intent, &record), ERR_STALE);
}

static void test_record_for_another_broker(void **state)
{
	struct scene *scene = *state;
	struct sign_pair elsewhere;
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	sign_pair_new(&elsewhere);
	record.broker_id = wire_bytes(elsewhere.public_key, KEY_BYTES);
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW;
	record.withdraw = &message;
	assert_int_equal(support_tell_customer(&scene->broker, &scene->intent, &record), ERR_WRONG_BROKER);
	Oyez__Receipt receipt = OYEZ__RECEIPT__INIT;
	Oyez__VendorRecord vendor = OYEZ__VENDOR_RECORD__INIT;
	receipt.deal_id = wire_id(&scene->sellers[0].offer);
	vendor.broker_id = record.broker_id;
	vendor.body_case = OYEZ__VENDOR_RECORD__BODY_RECEIPT;
	vendor.receipt = &receipt;
	assert_int_equal(support_tell_vendor(&scene->broker, &scene->sellers[0].key, &vendor), ERR_WRONG_BROKER);
}

// A signature says what it is for: a vendor's record is no customer's.
static void test_signature_of_another_kind(void **state)
{
	struct scene *scene = *state;
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.broker_id = wire_bytes(scene->broker.identity.public_key, KEY_BYTES);
	record.made_at_ms = scene->broker.now_ms;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_WITHDRAW;
	record.withdraw = &message;
	ProtobufCBinaryData wrong = support_sign(&scene->broker, &scene->intent, TAG_VENDOR, &record.base);
	assert_int_equal(send_cell(scene, wrong), ERR_BAD_SIGNATURE);
}

static void test_replayed_and_old_cells(void **state)
{
	struct scene *scene = *state;
	struct support_broker *broker = &scene->broker;
	uint8_t cell[CELL_BYTES];
	struct cell_exchange exchange;
	support_cell_make(broker, scene->post, broker->now_ms, cell, &exchange);
	assert_customer_error(
	    support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), NULL), ERR_OK);
	assert_customer_error(
	    support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), NULL),
	    ERR_CELL_REPLAYED);
	support_cell_make(broker, scene->post, broker->now_ms - CELL_AGE_MS_MAX - 1, cell, &exchange);
	assert_customer_error(
	    support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), NULL), ERR_CELL_STALE);
}

static void test_changed_cell(void **state)
{
	struct scene *scene = *state;
	struct support_broker *broker = &scene->broker;
	uint8_t cell[CELL_BYTES];
	struct cell_exchange exchange;
	enum err err = ERR_OK;
	support_cell_make(broker, scene->post, broker->now_ms, cell, &exchange);
	cell[CELL_BYTES / 2] ^= 1;
	assert_null(support_cell_open(broker, &exchange, support_frame_ask(broker, cell, CELL_BYTES, false), &err));
	assert_int_equal(err, ERR_CELL_SEALED);
}

// ---- attacks on listings

static void test_listing_of_another(void **state)
{
	struct scene *scene = *state;
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	listing.vendor_key = wire_bytes(scene->sellers[0].key.public_key, KEY_BYTES);
	listing.name = TEXT("Not me");
	listing.url = TEXT("https://seller.example");
	listing.country = TEXT("FR");
	listing.made_at_ms = scene->broker.now_ms + 1;
	ProtobufCBinaryData own = support_sign(&scene->broker, &scene->sellers[1].key, TAG_LISTING, &listing.base);
	record.body_case = OYEZ__VENDOR_RECORD__BODY_REGISTER;
	record.register_ = wire_unpack(&scene->broker.arena, &oyez__signed__descriptor, own.data, own.len);
	assert_int_equal(support_tell_vendor(&scene->broker, &scene->sellers[1].key, &record), ERR_NOT_YOURS);
	record.register_->key = wire_bytes(scene->sellers[0].key.public_key, KEY_BYTES);
	assert_int_equal(support_tell_vendor(&scene->broker, &scene->sellers[1].key, &record), ERR_BAD_SIGNATURE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_guessing_a_bare_commitment),
	    TEST(test_forged_acceptance),
	    TEST(test_junk_countersignature),
	    TEST(test_completing_a_lapsed_deal),
	    TEST(test_two_racing_accepts),
	    TEST(test_card_before_countersignature_or_for_another),
	    TEST(test_accept_of_a_replaced_offer),
	    TEST(test_accept_after_expiry),
	    TEST(test_reply_key_swapped_by_the_broker),
	    TEST(test_same_id_other_bytes),
	    TEST(test_late_duplicate_of_a_withdrawn_post),
	    TEST(test_offer_after_withdrawal),
	    TEST(test_stale_record),
	    TEST(test_record_for_another_broker),
	    TEST(test_signature_of_another_kind),
	    TEST(test_replayed_and_old_cells),
	    TEST(test_changed_cell),
	    TEST(test_listing_of_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
