// After a deal, the wallet's side: aliases nobody guesses, what a deal's box may bring and what it may not, receipts
// for other requests, notices out of their order, records of other vendors.
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
#include "proto/seal.h"

#define NOW_MS UINT64_C(1900000000000)

static struct world {
	char home[64];
	struct oyez_customer *customer;
	struct sign_pair broker, vendor, other;
	struct deal_keys keys;
	struct id request, last_notice;
	char last_event[32];
	size_t events;
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

static Oyez__Signed *wrap(const struct sign_pair *pair, const char *tag, const ProtobufCMessage *message,
                          uint8_t **bytes, size_t *bytes_count)
{
	uint8_t *record;
	size_t count;
	Oyez__Signed *result;
	assert_int_equal(codec_encode(message, &record, &count), ERR_OK);
	assert_int_equal(sign_wrap(pair, tag, record, count, bytes, bytes_count), ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, *bytes, *bytes_count, &result, NULL), ERR_OK);
	free(record);
	return result;
}

static void store_deal(void)
{
	uint8_t *bytes;
	size_t count;
	Oyez__Erase erase = OYEZ__ERASE__INIT;
	erase.answer_by_ms = NOW_MS + DAY_MS;
	Oyez__DealRecord record = OYEZ__DEAL_RECORD__INIT;
	record.body_case = OYEZ__DEAL_RECORD__BODY_ERASE;
	record.erase = &erase;
	assert_int_equal(deal_record_sign(&world.keys, NOW_MS, &record, &bytes, &count), ERR_OK);
	Oyez__Signed *request;
	assert_int_equal(codec_decode_signed(NULL, bytes, count, &request, NULL), ERR_OK);
	world.request = signed_id_of(TAG_RECORD_ID, request);
	oyez__signed__free_unpacked(request, NULL);

	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	Oyez__Wallet__Deal *deal = wallet_add_deal(world.customer->wallet);
	field_set_id(&deal->id, &world.keys.id);
	field_set_id(&deal->intent_id, &world.keys.intent);
	field_set_id(&deal->vendor_id, &world.keys.vendor);
	field_set(&deal->vendor_key, world.keys.vendor_key, KEY_BYTES);
	field_set(&deal->agreement_seed, world.keys.pair.secret_key, crypto_sign_SEEDBYTES);
	field_set(&deal->box_secret, world.keys.box.secret_key, KEY_BYTES);
	field_set(&deal->erase, bytes, count);
	field_set_text(&deal->alias, "ann+7k2mq0xvzd@example.org");
	deal->fields = wallet_alloc(2 * sizeof(char *));
	field_set_text(&deal->fields[0], "name");
	field_set_text(&deal->fields[1], "email");
	deal->n_fields = 2;
	deal->erase_by_ms = NOW_MS + DAY_MS;
	deal->revealed_at_ms = NOW_MS;
	deal->ended_at_ms = NOW_MS;
	deal->retention_days = 30;
	deal->state = OYEZ__DEAL_STATE__DEAL_CONCLUDED;
	Oyez__Wallet__Broker *broker = wallet_add_broker(world.customer->wallet);
	field_set(&broker->key, world.broker.public_key, KEY_BYTES);
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	free(bytes);
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	snprintf(world.home, sizeof(world.home), "/tmp/oyez-after-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(world.home) || oyez_wallet_create(world.home, "", NULL) ||
	    oyez_customer_open(world.home, "", NULL, &world.customer, NULL))
		return -1;
	oyez_customer_on_event(world.customer, on_event, NULL);
	sign_pair_new(&world.broker);
	sign_pair_new(&world.vendor);
	sign_pair_new(&world.other);
	sign_pair_new(&world.keys.pair);
	hpke_pair_new(&world.keys.box);
	randombytes_buf(world.keys.id.bytes, ID_BYTES);
	randombytes_buf(world.keys.intent.bytes, ID_BYTES);
	randombytes_buf(world.keys.release.bytes, RELEASE_ID_BYTES);
	memcpy(world.keys.vendor_key, world.vendor.public_key, KEY_BYTES);
	memcpy(world.keys.broker_key, world.broker.public_key, KEY_BYTES);
	world.keys.vendor = vendor_id_of(world.vendor.public_key);
	store_deal();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	oyez_customer_close(world.customer);
	if (oyez_wallet_wipe(world.home, NULL) != ERR_OK)
		return -1;
	return rmdir(world.home); // nothing of the wallet is left
}

static Oyez__Wallet__Deal *deal(void)
{
	return wallet_deal(world.customer->wallet, &world.keys.id);
}

// ---- aliases

static void test_alias_patterns(void **state)
{
	(void)state;
	static const char *const good[] = {"*@me.example", "ann+*@example.org", "a.*.b@x-y.example"};
	static const char *const bad[] = {"",
	                                  "*",
	                                  "me@example.org",
	                                  "*@localhost",
	                                  "**@me.example",
	                                  "*@me.example@x.example",
	                                  "a@*.example",
	                                  "a b*@me.example",
	                                  ".*@me.example",
	                                  "*@-me.example",
	                                  "*@me..example",
	                                  "\"*\"@me.example",
	                                  "*@me.example\n"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(alias_pattern_check(good[i], NULL), ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(alias_pattern_check(bad[i], NULL), ERR_BAD_VALUE);
}

// At least 40 random bits: each of the ten places takes all 32 letters.
static void test_alias_letters(void **state)
{
	(void)state;
	uint32_t seen[ALIAS_RANDOM_LETTERS] = {0};
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	for (int round = 0; round < 2000; round++) {
		char alias[ALIAS_BYTES_MAX + 1];
		alias_make("Ann+*@Example.org", alias);
		assert_int_equal(strlen(alias), 4 + ALIAS_RANDOM_LETTERS + 12);
		assert_memory_equal(alias, "ann+", 4);
		assert_string_equal(alias + 4 + ALIAS_RANDOM_LETTERS, "@example.org");
		for (int i = 0; i < ALIAS_RANDOM_LETTERS; i++) {
			const char *at = strchr(letters, alias[4 + i]);
			assert_non_null(at);
			seen[i] |= UINT32_C(1) << (at - letters);
		}
	}
	for (int i = 0; i < ALIAS_RANDOM_LETTERS; i++)
		assert_int_equal(seen[i], UINT32_MAX);
}

static bool card_has(const char *card, const char *fields, bool needs_email)
{
	char *needs[] = {(char *)"name", (char *)"email"}, *out = NULL, *out_fields = NULL;
	bool used = false;
	assert_int_equal(
	    alias_into_card(card, fields, needs, needs_email ? 2 : 1, "x@y.example", &out, &out_fields, &used, NULL),
	    ERR_OK);
	assert_true(!used || (strstr(out, "\"email\":\"x@y.example\"") && !strstr(out, "private")));
	assert_true(!used || !fields || strstr(out_fields, "alias"));
	free(out);
	free(out_fields);
	return used;
}

static void test_alias_in_card(void **state)
{
	(void)state;
	assert_true(card_has("{\"name\":\"Ann\",\"email\":\"private@home.example\"}", NULL, false));
	assert_true(card_has("{\"name\":\"Ann\"}", NULL, true));
	assert_false(card_has("{\"name\":\"Ann\"}", NULL, false)); // nobody asks for one
	assert_true(card_has("{\"name\":\"Ann\",\"email\":\"private@home.example\"}", "name,email", true));
	assert_false(card_has("{\"name\":\"Ann\",\"email\":\"private@home.example\"}", "name", true));
	assert_false(card_has("no card", NULL, true));
}

static void test_who(void **state)
{
	(void)state;
	static const char *const mine[] = {"ann+7k2mq0xvzd@example.org", "ANN+7K2MQ0XVZD@Example.ORG", "ann+7k2mq0xvzd",
	                                   " <ann+7k2mq0xvzd@example.org> ", "mailto:ann+7k2mq0xvzd@example.org"};
	static const char *const others[] = {"", "ann", "ann+7k2mq0xvz", "ann+7k2mq0xvzd@example.com",
	                                     "7k2mq0xvzd@example.org"};
	json_t *found;
	for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++) {
		assert_int_equal(oyez_who(world.customer, mine[i], &found, NULL), ERR_OK);
		assert_true(json_is_true(json_object_get(found, "given")));
		json_decref(found);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(oyez_who(world.customer, others[i], &found, NULL), ERR_NOT_FOUND);
}

// ---- the deal's box

static enum err take(const Oyez__DealItem *item)
{
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	enum err err = deal_item_take(world.customer, deal(), &world.keys, item);
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	return err;
}

static enum err hear(const struct sign_pair *signer, const struct id *about, bool from_vendor, const char *info)
{
	Oyez__DealText text = OYEZ__DEAL_TEXT__INIT;
	text.deal_id = view(about->bytes, ID_BYTES);
	text.made_at_ms = NOW_MS;
	text.from_vendor = from_vendor;
	text.text = (char *)"Tuesday at ten";
	uint8_t *plain, *sealed;
	size_t count, sealed_count;
	oyez__signed__free_unpacked(wrap(signer, TAG_MESSAGE, &text.base, &plain, &count), NULL);
	struct seal_header header = {.from = world.keys.vendor, .release = world.keys.release, .object = world.keys.id};
	assert_int_equal(seal_message(info, world.keys.box.public_key, &header, plain, count, &sealed, &sealed_count),
	                 ERR_OK);
	Oyez__DealItem item;
	oyez__deal_item__init(&item);
	item.seq = 1;
	item.at_ms = NOW_MS;
	item.body_case = OYEZ__DEAL_ITEM__BODY_MESSAGE;
	item.message = view(sealed, sealed_count);
	enum err err = take(&item);
	free(plain);
	free(sealed);
	return err;
}

static void test_messages(void **state)
{
	(void)state;
	struct id other = {{1}};
	assert_int_equal(hear(&world.other, &world.keys.id, true, SEAL_MESSAGE), ERR_BAD_SIGNATURE);
	assert_int_equal(hear(&world.vendor, &other, true, SEAL_MESSAGE), ERR_BAD_SIGNATURE);
	assert_int_equal(hear(&world.vendor, &world.keys.id, false, SEAL_MESSAGE), ERR_BAD_SIGNATURE);
	assert_int_equal(hear(&world.vendor, &world.keys.id, true, SEAL_ERASURE), ERR_SEALED);
	assert_int_equal(deal()->n_messages, 0);
	assert_int_equal(hear(&world.vendor, &world.keys.id, true, SEAL_MESSAGE), ERR_OK);
	assert_string_equal(world.last_event, "message");
	assert_int_equal(hear(&world.vendor, &world.keys.id, true, SEAL_MESSAGE), ERR_OK); // heard twice
	assert_int_equal(deal()->n_messages, 1);
	assert_string_equal(deal()->messages[0]->text, "Tuesday at ten");
}

static enum err receipt(const struct sign_pair *signer, const struct id *about, const struct id *request,
                        Oyez__ErasureResult inside, Oyez__ErasureResult outside)
{
	struct id vendor = vendor_id_of(signer->public_key);
	Oyez__ErasureReceipt message = OYEZ__ERASURE_RECEIPT__INIT;
	message.deal_id = view(about->bytes, ID_BYTES);
	message.vendor_id = view(vendor.bytes, ID_BYTES);
	message.request_hash = view(request->bytes, ID_BYTES);
	message.result = inside;
	message.at_ms = NOW_MS;
	uint8_t *plain, *sealed;
	size_t count, sealed_count;
	oyez__signed__free_unpacked(wrap(signer, TAG_ERASURE, &message.base, &plain, &count), NULL);
	struct seal_header header = {.from = world.keys.vendor, .release = world.keys.release, .object = world.keys.id};
	assert_int_equal(
	    seal_message(SEAL_ERASURE, world.keys.box.public_key, &header, plain, count, &sealed, &sealed_count), ERR_OK);
	Oyez__ErasureAnswer answer = OYEZ__ERASURE_ANSWER__INIT;
	answer.result = outside;
	answer.sealed = view(sealed, sealed_count);
	Oyez__DealItem item;
	oyez__deal_item__init(&item);
	item.seq = 1;
	item.at_ms = NOW_MS + HOUR_MS;
	item.body_case = OYEZ__DEAL_ITEM__BODY_ERASURE;
	item.erasure = &answer;
	enum err err = take(&item);
	free(plain);
	free(sealed);
	return err;
}

static void test_receipts(void **state)
{
	(void)state;
	const Oyez__ErasureResult erased = OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	struct id other = {{1}};
	assert_int_equal(receipt(&world.other, &world.keys.id, &world.request, erased, erased), ERR_BAD_SIGNATURE);
	assert_int_equal(receipt(&world.vendor, &other, &world.request, erased, erased), ERR_RECEIPT_MISMATCH);
	assert_int_equal(receipt(&world.vendor, &world.keys.id, &other, erased, erased), ERR_RECEIPT_MISMATCH);
	assert_int_equal(
	    receipt(&world.vendor, &world.keys.id, &world.request, OYEZ__ERASURE_RESULT__ERASURE_REFUSED, erased),
	    ERR_RECEIPT_MISMATCH);
	assert_int_equal(deal()->erase_answered_at_ms, 0);
	assert_int_equal(receipt(&world.vendor, &world.keys.id, &world.request, erased, erased), ERR_OK);
	json_t *shown = erasure_json(deal(), NOW_MS + 2 * DAY_MS);
	assert_string_equal(json_string_value(json_object_get(shown, "status")), "erased");
	assert_true(json_is_true(json_object_get(shown, "in_time")));
	json_decref(shown);
}

static void test_keys_wait_for_an_answer(void **state)
{
	(void)state;
	assert_false(keys_retire(world.customer, NOW_MS + 59 * DAY_MS, false));
	assert_true(keys_retire(world.customer, NOW_MS + 61 * DAY_MS, false));
	deal()->erase_by_ms = NOW_MS + 60 * DAY_MS; // asked late, not answered yet
	assert_false(keys_retire(world.customer, NOW_MS + 89 * DAY_MS, false));
	assert_true(keys_retire(world.customer, NOW_MS + 91 * DAY_MS, true));
	assert_int_equal(deal()->box_secret.len, 0);
	assert_int_equal(deal()->agreement_seed.len, 0);
}

// ---- notices

struct notice_of { // what a test can break
	uint64_t number;
	const struct id *previous;
	const struct sign_pair *signer;
	const struct id *vendor;
	const char *field, *text;
};

static enum err notice(struct notice_of of)
{
	char *fields[] = {(char *)of.field};
	Oyez__Notice message = OYEZ__NOTICE__INIT;
	message.number = of.number;
	if (of.previous)
		message.previous = view(of.previous->bytes, ID_BYTES);
	message.broker_id = view(world.broker.public_key, KEY_BYTES);
	message.at_ms = NOW_MS;
	message.text = (char *)(of.text ? of.text : "a breach");
	if (of.vendor)
		message.vendor_id = view(of.vendor->bytes, ID_BYTES);
	if (of.field) {
		message.fields = fields;
		message.n_fields = 1;
	}
	uint8_t *bytes;
	size_t count;
	Oyez__Signed *signed_notice =
	    wrap(of.signer ? of.signer : &world.broker, TAG_NOTICE, &message.base, &bytes, &count);
	Oyez__Notices notices = OYEZ__NOTICES__INIT;
	notices.items = &signed_notice;
	notices.n_items = 1;
	assert_int_equal(wallet_begin(world.customer->wallet, NULL), ERR_OK);
	enum err err =
	    notices_take(world.customer, wallet_broker_by_key(world.customer->wallet, world.broker.public_key), &notices);
	assert_int_equal(wallet_commit(world.customer->wallet, NULL), ERR_OK);
	if (!err)
		world.last_notice = signed_id_of(TAG_RECORD_ID, signed_notice);
	oyez__signed__free_unpacked(signed_notice, NULL);
	free(bytes);
	return err;
}

static void test_notice_chain(void **state)
{
	(void)state;
	struct id wrong = {{1}};
	assert_int_equal(notice((struct notice_of){.number = 2, .previous = &wrong}), ERR_NOTICE_CHAIN); // not the first
	assert_int_equal(notice((struct notice_of){.number = 1, .signer = &world.other}), ERR_BAD_SIGNATURE);
	assert_int_equal(notice((struct notice_of){.number = 1}), ERR_OK);
	struct id first = world.last_notice;
	assert_int_equal(notice((struct notice_of){.number = 1}), ERR_OK); // the same again
	assert_int_equal(notice((struct notice_of){.number = 1, .text = "nothing happened"}), ERR_NOTICE_CHAIN);
	assert_int_equal(notice((struct notice_of){.number = 2, .previous = &wrong}), ERR_NOTICE_CHAIN);
	assert_int_equal(notice((struct notice_of){.number = 3, .previous = &first}), ERR_NOTICE_CHAIN); // 2 left out
	assert_int_equal(notice((struct notice_of){.number = 2, .previous = &first}), ERR_OK);
	Oyez__Notices none = OYEZ__NOTICES__INIT; // taken back: the last known one is asked for as well
	assert_int_equal(
	    notices_take(world.customer, wallet_broker_by_key(world.customer->wallet, world.broker.public_key), &none),
	    ERR_NOTICE_CHAIN);
}

static void test_notice_touches(void **state)
{
	(void)state;
	struct id other = vendor_id_of(world.other.public_key);
	assert_int_equal(notice((struct notice_of){.number = 1, .vendor = &other}), ERR_OK);
	assert_int_equal(world.events, 0); // somebody else's vendor
	assert_int_equal(notice((struct notice_of){
	                     .number = 2, .previous = &world.last_notice, .vendor = &world.keys.vendor, .field = "phone"}),
	                 ERR_OK);
	assert_int_equal(world.events, 0); // a field that was not given
	struct notice_of touching = {
	    .number = 3, .previous = &world.last_notice, .vendor = &world.keys.vendor, .field = "email"};
	assert_int_equal(notice(touching), ERR_OK);
	assert_int_equal(world.events, 1);
	assert_string_equal(world.last_event, "notice");
	json_t *touches = notices_touching(world.customer, deal(), &world.keys.vendor, NOW_MS);
	assert_int_equal(json_array_size(touches), 1);
	json_decref(touches);
}

// ---- standing

static void test_standing(void **state)
{
	(void)state;
	Oyez__Standing standing = OYEZ__STANDING__INIT;
	standing.vendor_id = view(world.keys.vendor.bytes, ID_BYTES);
	standing.broker_id = view(world.broker.public_key, KEY_BYTES);
	standing.at_ms = NOW_MS;
	standing.ratings = 4; // fewer than a broker may publish count as none
	standing.stars = 20;
	assert_true(standing_rating(&standing) == 0);
	standing.ratings = 5;
	assert_true(standing_rating(&standing) == 4);
	uint8_t *bytes;
	size_t count;
	struct id other = vendor_id_of(world.other.public_key);
	Oyez__Signed *message = wrap(&world.broker, TAG_STANDING, &standing.base, &bytes, &count);
	assert_int_equal(standing_verify(world.broker.public_key, &world.keys.vendor, message), ERR_OK);
	assert_int_equal(standing_verify(world.broker.public_key, &other, message), ERR_BAD_SIGNATURE);
	assert_int_equal(standing_verify(world.other.public_key, &world.keys.vendor, message), ERR_BAD_SIGNATURE);
	oyez__signed__free_unpacked(message, NULL);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alias_patterns),
	    cmocka_unit_test(test_alias_letters),
	    cmocka_unit_test(test_alias_in_card),
	    cmocka_unit_test_setup_teardown(test_who, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_messages, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_receipts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_keys_wait_for_an_answer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_notice_chain, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_notice_touches, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_standing, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
