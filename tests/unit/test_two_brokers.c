// A wallet behind a guardian, against a guardian and a home of a few lines each that lose answers, lie and repeat:
// what is sent twice, what is believed, and whose word it is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"
#include "proto/box.h"
#include "proto/frame.h"
#include "proto/stamp.h"
#include "proto/token.h"

enum { CELLS_MAX = 16, BITS = 4 };

struct broker {
	struct sign_pair identity;
	struct gateway_key gateway;
	uint64_t number;
	uint32_t crowd; // something to make another content
};

static struct world {
	char home[64];
	struct oyez_customer *customer;
	nng_socket socket;
	pthread_t thread;
	char url[64];
	struct broker guardian, broker;
	struct voprf_key token_key, false_key;
	Oyez__Posting posting;
	// What the fakes do wrong next: answers lost after the deed was done, refusals.
	unsigned lose_voucher, lose_issue, lose_post;
	bool false_proof, open_box_seen;
	enum err guardian_says, home_says;
	// What they saw.
	unsigned direct_cells, opens, vouchers, issues, posts, posts_without_box;
	uint8_t voucher_id[VOUCHER_ID_BYTES], blinded[VOUCHER_TOKENS][ELEMENT_BYTES], intent_key[KEY_BYTES];
	bool other_voucher, other_blinded;
	uint8_t reply_key[KEY_BYTES], box_id[BOX_ID_BYTES];
	enum err token_verdict, stamp_verdict;
	// Cells that wait at the guardian, and up to which number they were named as seen.
	uint8_t cells[CELLS_MAX][BOX_CELL_BYTES];
	uint64_t cell_count, seen;
	// What the customer said.
	unsigned problems, events;
	char problem[32];
} world;

static ProtobufCBinaryData view(const void *bytes, size_t count)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes, .len = count};
}

static uint64_t now_ms(void)
{
	return clock_now_ms();
}

static void reply_message(nng_msg *message, const ProtobufCMessage *reply, enum frame_kind kind)
{
	uint8_t *frame;
	size_t count;
	assert_int_equal(codec_encode_frame(reply, kind, &frame, &count), ERR_OK);
	nng_msg_clear(message);
	nng_msg_append(message, frame, count);
	free(frame);
}

static void broker_init(struct broker *broker)
{
	sign_pair_new(&broker->identity);
	hpke_pair_new(&broker->gateway.pair);
	gateway_key_id_of(broker->gateway.pair.public_key, broker->gateway.id);
	broker->gateway.accepted_until_ms = UINT64_MAX;
	broker->number = 1;
}

// The Signed configuration, unpacked.
static Oyez__Signed *config_of(const struct broker *broker)
{
	Oyez__GatewayKey key = OYEZ__GATEWAY_KEY__INIT, *keys[] = {&key};
	key.id = view(broker->gateway.id, GATEWAY_KEY_ID_BYTES);
	key.key = view(broker->gateway.pair.public_key, KEY_BYTES);
	key.accepted_until_ms = TIME_MS_MAX; // one number, one content
	Oyez__TokenKey token_key = OYEZ__TOKEN_KEY__INIT, *token_keys[] = {&token_key};
	token_key.epoch = token_epoch_of(now_ms());
	token_key.key = view(world.token_key.public_key, ELEMENT_BYTES);
	token_key.redeem_until_ms = token_redeem_until_ms(token_key.epoch);
	Oyez__Config config = OYEZ__CONFIG__INIT;
	config.number = broker->number;
	config.broker_id = view(broker->identity.public_key, KEY_BYTES);
	config.made_at_ms = 1;
	config.gateway_keys = keys;
	config.n_gateway_keys = 1;
	config.crowd = broker->crowd;
	config.posting = world.posting;
	config.stamp_bits = BITS;
	config.token_keys = token_keys;
	config.n_token_keys = 1;
	config.accounts_by_stamp = true;
	config.account_stamp_bits = BITS;
	config.vouchers_per_day = 4;
	uint8_t *record, *wrapped;
	size_t count, wrapped_count;
	Oyez__Signed *result;
	assert_int_equal(codec_encode(&config.base, &record, &count), ERR_OK);
	assert_int_equal(sign_wrap(&broker->identity, TAG_CONFIG, record, count, &wrapped, &wrapped_count), ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, wrapped, wrapped_count, &result, NULL), ERR_OK);
	free(record);
	free(wrapped);
	return result;
}

static void answer_config(nng_msg *message)
{
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_CONFIG;
	reply.config = config_of(&world.guardian);
	reply.now_ms = now_ms();
	reply_message(message, &reply.base, FRAME_REPLY);
	oyez__signed__free_unpacked(reply.config, NULL);
}

// ---- the home

static void fill_error(Oyez__Error *error, enum err code)
{
	oyez__error__init(error);
	error->code = code;
	error->name = (char *)err_name(code);
}

static void home_issue(const Oyez__IssueTokens *issue, Oyez__CustomerReply *reply)
{
	static Oyez__TokensIssued issued;
	static Oyez__Error error;
	static uint8_t evaluated[VOUCHER_TOKENS][ELEMENT_BYTES], proof[PROOF_BYTES];
	static ProtobufCBinaryData fields[VOUCHER_TOKENS];
	uint8_t blinded[VOUCHER_TOKENS][ELEMENT_BYTES];
	assert_int_equal(issue->n_blinded, VOUCHER_TOKENS);
	for (size_t i = 0; i < VOUCHER_TOKENS; i++)
		memcpy(blinded[i], issue->blinded[i].data, ELEMENT_BYTES);
	world.other_blinded = world.other_blinded || (world.issues && memcmp(world.blinded, blinded, sizeof(blinded)) != 0);
	memcpy(world.blinded, blinded, sizeof(blinded));
	world.issues++;
	const struct voprf_key *key = world.false_proof ? &world.false_key : &world.token_key;
	assert_int_equal(
	    voprf_evaluate_batch(key, VOUCHER_TOKENS, (const uint8_t(*)[ELEMENT_BYTES])blinded, evaluated, proof), ERR_OK);
	if (world.lose_issue) {
		world.lose_issue--;
		fill_error(&error, ERR_UNAVAILABLE);
		reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
		reply->error = &error;
		return;
	}
	oyez__tokens_issued__init(&issued);
	issued.epoch = token_epoch_of(now_ms());
	for (size_t i = 0; i < VOUCHER_TOKENS; i++)
		fields[i] = view(evaluated[i], ELEMENT_BYTES);
	issued.evaluated = fields;
	issued.n_evaluated = VOUCHER_TOKENS;
	issued.proof = view(proof, PROOF_BYTES);
	reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_TOKENS;
	reply->tokens = &issued;
}

static void home_note_post(const Oyez__Signed *customer, const Oyez__Post *post)
{
	world.posts++;
	world.posts_without_box += !world.open_box_seen;
	memcpy(world.intent_key, customer->key.data, KEY_BYTES);
	memcpy(world.reply_key, post->reply_key.data, KEY_BYTES);
	if (post->box_id.len == BOX_ID_BYTES)
		memcpy(world.box_id, post->box_id.data, BOX_ID_BYTES);
	struct token_key key = {.epoch = token_epoch_of(now_ms()), .redeem_until_ms = UINT64_MAX};
	key.pair = world.token_key;
	uint32_t epoch;
	struct id bound_to, own = intent_id_of(customer->key.data);
	world.token_verdict = token_check(&key, 1, now_ms(), world.broker.identity.public_key, post->token.data,
	                                  post->token.len, &epoch, &bound_to);
	if (!world.token_verdict && !id_equal(&bound_to, &own))
		world.token_verdict = ERR_TOKEN_BAD;
	world.stamp_verdict = stamp_check(customer->key.data, world.broker.identity.public_key, token_epoch_of(now_ms()),
	                                  BITS, post->stamp.data, post->stamp.len);
	assert_memory_equal(post->guardian_id.data, world.guardian.identity.public_key, KEY_BYTES);
}

static void home_customer(const Oyez__Signed *customer, Oyez__CustomerReply *reply)
{
	static Oyez__Status status;
	static Oyez__Ack ack;
	static Oyez__Error error;
	static struct id id;
	Oyez__CustomerRecord *record;
	assert_int_equal(sign_open(customer, TAG_CUSTOMER), ERR_OK);
	assert_int_equal(codec_decode_customer_record(NULL, customer->record.data, customer->record.len, &record, NULL),
	                 ERR_OK);
	bool is_post = record->body_case == OYEZ__CUSTOMER_RECORD__BODY_POST;
	if (is_post)
		home_note_post(customer, record->post);
	oyez__customer_record__free_unpacked(record, NULL);
	enum err says = world.home_says;
	if (is_post && world.lose_post) {
		world.lose_post--;
		says = ERR_UNAVAILABLE;
	}
	if (says) {
		fill_error(&error, says);
		reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
		reply->error = &error;
	} else if (is_post) {
		id = intent_id_of(customer->key.data);
		oyez__status__init(&status);
		status.intent_id = view(id.bytes, ID_BYTES);
		status.state = OYEZ__INTENT_STATE__INTENT_WAITING;
		reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_STATUS;
		reply->status = &status;
	} else {
		oyez__ack__init(&ack);
		reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_ACK;
		reply->ack = &ack;
	}
}

// The home's reply cell.
// It has published none.
static void home_notices(Oyez__CustomerReply *reply)
{
	static Oyez__Notices none;
	oyez__notices__init(&none);
	reply->body_case = OYEZ__CUSTOMER_REPLY__BODY_NOTICES;
	reply->notices = &none;
}

static void home_answer(const uint8_t *request, uint8_t cell[CELL_BYTES])
{
	uint8_t plain[CELL_REQUEST_PLAIN_BYTES], *bytes;
	const uint8_t *inside;
	size_t count;
	struct cell_exchange exchange;
	assert_int_equal(
	    cell_open_request(&world.broker.gateway, 1, now_ms(), request, CELL_BYTES, plain, &inside, &count, &exchange),
	    ERR_OK);
	Oyez__CellBody *body;
	assert_int_equal(codec_decode_cell_body(NULL, inside, count, &body, NULL), ERR_OK);
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	if (body->body_case == OYEZ__CELL_BODY__BODY_ISSUE)
		home_issue(body->issue, &reply);
	else if (body->body_case == OYEZ__CELL_BODY__BODY_NOTICES)
		home_notices(&reply);
	else
		home_customer(body->customer, &reply);
	assert_int_equal(codec_encode(&reply.base, &bytes, &count), ERR_OK);
	assert_int_equal(cell_seal_reply(&exchange, bytes, count, cell), ERR_OK);
	free(bytes);
	oyez__cell_body__free_unpacked(body, NULL);
}

// ---- the guardian

struct answer { // what a reply points to
	Oyez__GuardianReply reply;
	Oyez__Error error;
	Oyez__Ack ack;
	Oyez__AccountState state;
	Oyez__Homes homes;
	Oyez__Home home, *home_list[1];
	Oyez__BoxCells box_cells;
	Oyez__BoxCell items[BOX_READ_CELLS_MAX], *item_list[BOX_READ_CELLS_MAX];
	Oyez__Signed *owned;
	uint8_t cell[CELL_BYTES];
};

static void say(struct answer *answer, enum err code)
{
	fill_error(&answer->error, code);
	answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ERROR;
	answer->reply.error = &answer->error;
}

static void give_home(struct answer *answer, bool with_config)
{
	oyez__homes__init(&answer->homes);
	oyez__home__init(&answer->home);
	answer->home.home_id = view(world.broker.identity.public_key, KEY_BYTES);
	answer->home.url = (char *)"tcp://home.example:7710";
	if (with_config)
		answer->home.config = answer->owned = config_of(&world.broker);
	answer->home_list[0] = &answer->home;
	answer->homes.items = answer->home_list;
	answer->homes.n_items = 1;
	answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_HOMES;
	answer->reply.homes = &answer->homes;
}

static void give_voucher(struct answer *answer, const Oyez__AskVoucher *ask)
{
	world.other_voucher = world.other_voucher ||
	                      (world.vouchers && memcmp(world.voucher_id, ask->voucher_id.data, VOUCHER_ID_BYTES) != 0);
	memcpy(world.voucher_id, ask->voucher_id.data, VOUCHER_ID_BYTES);
	world.vouchers++;
	if (world.lose_voucher) {
		world.lose_voucher--;
		say(answer, ERR_UNAVAILABLE);
		return;
	}
	Oyez__Voucher voucher = OYEZ__VOUCHER__INIT;
	voucher.guardian_id = view(world.guardian.identity.public_key, KEY_BYTES);
	voucher.voucher_id = ask->voucher_id;
	voucher.home_id = ask->home_id;
	voucher.epoch = ask->epoch;
	voucher.count = VOUCHER_TOKENS;
	uint8_t *record, *wrapped;
	size_t count, wrapped_count;
	assert_int_equal(codec_encode(&voucher.base, &record, &count), ERR_OK);
	assert_int_equal(sign_wrap(&world.guardian.identity, TAG_VOUCHER, record, count, &wrapped, &wrapped_count), ERR_OK);
	assert_int_equal(codec_decode_signed(NULL, wrapped, wrapped_count, &answer->owned, NULL), ERR_OK);
	free(record);
	free(wrapped);
	answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_VOUCHER;
	answer->reply.voucher = answer->owned;
}

static void give_cells(struct answer *answer, const Oyez__ReadBoxes *read)
{
	for (size_t i = 0; i < read->n_seen; i++) {
		if (read->seen[i]->number > world.seen)
			world.seen = read->seen[i]->number;
	}
	oyez__box_cells__init(&answer->box_cells);
	for (uint64_t number = world.seen + 1; number <= world.cell_count; number++) {
		size_t at = answer->box_cells.n_items;
		if (at == BOX_READ_CELLS_MAX)
			break;
		oyez__box_cell__init(&answer->items[at]);
		answer->items[at].box_id = view(world.box_id, BOX_ID_BYTES);
		answer->items[at].number = number;
		answer->items[at].cell = view(world.cells[number - 1], BOX_CELL_BYTES);
		answer->item_list[at] = &answer->items[at];
		answer->box_cells.n_items++;
	}
	answer->box_cells.items = answer->item_list;
	answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_CELLS;
	answer->reply.cells = &answer->box_cells;
}

static void guardian_answer(const Oyez__AccountRecord *record, const Oyez__Signed *account, struct answer *answer)
{
	switch (record->body_case) {
	case OYEZ__ACCOUNT_RECORD__BODY_OPEN:
		world.opens++;
		if (stamp_check(account->key.data, world.guardian.identity.public_key, token_epoch_of(now_ms()), BITS,
		                record->open->stamp.data, record->open->stamp.len)) {
			say(answer, ERR_STAMP_BAD);
			break;
		}
		oyez__account_state__init(&answer->state);
		answer->state.opened_at_ms = now_ms();
		answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ACCOUNT;
		answer->reply.account = &answer->state;
		break;
	case OYEZ__ACCOUNT_RECORD__BODY_GET_HOME:
		give_home(answer, record->get_home->home_id.len > 0);
		break;
	case OYEZ__ACCOUNT_RECORD__BODY_VOUCHER:
		give_voucher(answer, record->voucher);
		break;
	case OYEZ__ACCOUNT_RECORD__BODY_OPEN_BOX:
		world.open_box_seen = record->open_box->keep_until_ms % DAY_MS == 0;
		oyez__ack__init(&answer->ack);
		answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ACK;
		answer->reply.ack = &answer->ack;
		break;
	case OYEZ__ACCOUNT_RECORD__BODY_READ_BOXES:
		give_cells(answer, record->read_boxes);
		break;
	case OYEZ__ACCOUNT_RECORD__BODY_RELAY:
		if (world.guardian_says) {
			say(answer, world.guardian_says);
			break;
		}
		home_answer(record->relay->cell.data, answer->cell);
		answer->reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_RELAYED;
		answer->reply.relayed = view(answer->cell, CELL_BYTES);
		break;
	default:
		say(answer, ERR_UNKNOWN_MESSAGE);
		break;
	}
}

static void answer_envelope(nng_msg *message)
{
	uint8_t plain[ENVELOPE_REQUEST_PLAIN_BYTES], envelope[ENVELOPE_BYTES], *bytes;
	const uint8_t *inside;
	size_t count;
	struct cell_exchange exchange;
	assert_int_equal(envelope_open_request(&world.guardian.gateway, 1, now_ms(), nng_msg_body(message),
	                                       nng_msg_len(message), plain, &inside, &count, &exchange),
	                 ERR_OK);
	Oyez__EnvelopeBody *body;
	Oyez__AccountRecord *record;
	assert_int_equal(codec_decode_envelope_body(NULL, inside, count, &body, NULL), ERR_OK);
	assert_int_equal(sign_open(body->account, TAG_ACCOUNT), ERR_OK);
	assert_int_equal(
	    codec_decode_account_record(NULL, body->account->record.data, body->account->record.len, &record, NULL),
	    ERR_OK);
	assert_memory_equal(record->guardian_id.data, world.guardian.identity.public_key, KEY_BYTES);
	struct answer answer = {.owned = NULL};
	oyez__guardian_reply__init(&answer.reply);
	guardian_answer(record, body->account, &answer);
	assert_int_equal(codec_encode(&answer.reply.base, &bytes, &count), ERR_OK);
	assert_int_equal(envelope_seal_reply(&exchange, bytes, count, envelope), ERR_OK);
	nng_msg_clear(message);
	nng_msg_append(message, envelope, sizeof(envelope));
	free(bytes);
	if (answer.owned)
		oyez__signed__free_unpacked(answer.owned, NULL);
	oyez__account_record__free_unpacked(record, NULL);
	oyez__envelope_body__free_unpacked(body, NULL);
}

static void *serve(void *unused)
{
	(void)unused;
	nng_msg *message;
	while (nng_recvmsg(world.socket, &message, 0) == 0) {
		enum frame_kind kind = 0;
		frame_kind_of(nng_msg_body(message), nng_msg_len(message), &kind);
		world.direct_cells += kind == FRAME_CELL;
		if (kind == FRAME_ENVELOPE)
			answer_envelope(message);
		else
			answer_config(message);
		if (nng_sendmsg(world.socket, message, 0) != 0)
			nng_msg_free(message);
	}
	return NULL;
}

// ---- the customer

static void on_event(void *context, const json_t *event)
{
	(void)context;
	world.events++;
	if (strcmp(json_string_value(json_object_get(event, "type")), "problem") == 0) {
		world.problems++;
		snprintf(world.problem, sizeof(world.problem), "%s", json_string_value(json_object_get(event, "code")));
	}
}

static void open_customer(void)
{
	assert_int_equal(oyez_customer_open(world.home, "", NULL, &world.customer, NULL), ERR_OK);
	assert_int_equal(oyez_customer_set_guardian(world.customer, world.url, NULL), ERR_OK);
	oyez_customer_on_event(world.customer, on_event, NULL);
}

static int set_up(void **state)
{
	static int number;
	(void)state;
	memset(&world, 0, sizeof(world));
	snprintf(world.home, sizeof(world.home), "/tmp/oyez-two-XXXXXX");
	snprintf(world.url, sizeof(world.url), "inproc://two-%d", number++);
	if (sodium_init() < 0 || !clock_init() || !mkdtemp(world.home) || oyez_wallet_create(world.home, "", NULL))
		return -1;
	broker_init(&world.guardian);
	broker_init(&world.broker);
	voprf_key_new(&world.token_key);
	voprf_key_new(&world.false_key);
	world.posting = OYEZ__POSTING__POSTING_TOKEN;
	if (nng_rep0_open(&world.socket) || nng_listen(world.socket, world.url, NULL, 0) ||
	    pthread_create(&world.thread, NULL, serve, NULL))
		return -1;
	open_customer();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	oyez_customer_close(world.customer);
	nng_close(world.socket);
	pthread_join(world.thread, NULL);
	char path[160];
	static const char *const names[] = {"wallet", "wallet.lock", "wallet.new"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.home, names[i]);
		unlink(path);
	}
	return rmdir(world.home);
}

static size_t tokens_left(void)
{
	assert_int_equal(wallet_load(world.customer->wallet, NULL), ERR_OK);
	return tokens_usable(world.customer, world.broker.identity.public_key, now_ms());
}

static enum err post(json_t **result, struct oyez_error *error)
{
	struct oyez_want want;
	oyez_want_init(&want);
	want.category = "home.kitchen.coffee-machine";
	want.region = "FR-56";
	want.text = "quiet";
	*result = NULL;
	return oyez_post(world.customer, &want, result, error);
}

static void post_well(void)
{
	json_t *result;
	struct oyez_error error = {0};
	assert_int_equal(post(&result, &error), ERR_OK);
	json_decref(result);
}

static enum err account_opened(void)
{
	json_t *result = NULL;
	enum err err = oyez_account_open(world.customer, NULL, &result, NULL);
	json_decref(result);
	return err;
}

// ---- tests

static void test_post_goes_through_the_guardian(void **state)
{
	(void)state;
	assert_int_equal(account_opened(), ERR_OK);
	assert_int_equal(world.opens, 1);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS);
	post_well();
	assert_int_equal(world.posts, 1);
	assert_int_equal(world.token_verdict, ERR_OK); // good, and bound to the key that posted
	assert_int_equal(world.posts_without_box, 0);
	assert_int_equal(world.direct_cells, 0);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS - 1);
	uint8_t first[KEY_BYTES];
	memcpy(first, world.intent_key, KEY_BYTES);
	post_well();
	assert_memory_not_equal(first, world.intent_key, KEY_BYTES);
	assert_int_equal(world.vouchers, 1);
}

// What was asked and not answered is asked again with the same bytes, also by another run of the program.
static void test_lost_answers_cost_nothing(void **state)
{
	(void)state;
	world.lose_voucher = world.lose_issue = 2;
	assert_int_equal(account_opened(), ERR_OK);
	assert_int_equal(world.vouchers, 3);
	assert_int_equal(world.issues, 3);
	assert_false(world.other_voucher || world.other_blinded);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS);
	world.lose_post = 2;
	post_well();
	assert_int_equal(world.posts, 3);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS - 1);
	assert_int_equal(wallet_records(world.customer->wallet)->n_intents, 1);
}

static void test_wrong_proof(void **state)
{
	(void)state;
	world.false_proof = true;
	assert_int_equal(account_opened(), ERR_BAD_SIGNATURE);
	assert_int_equal(tokens_left(), 0);
	oyez_customer_close(world.customer);
	open_customer();
	world.false_proof = false;
	assert_int_equal(account_opened(), ERR_OK);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS);
	assert_int_equal(world.vouchers, 1);
	assert_false(world.other_blinded);
}

static void test_two_contents_of_one_number(void **state)
{
	(void)state;
	assert_int_equal(account_opened(), ERR_OK);
	oyez_customer_close(world.customer);
	open_customer();
	world.broker.crowd = 7;
	json_t *result;
	struct oyez_error error = {0};
	assert_int_equal(post(&result, &error), ERR_CONFIG_CONFLICT);
	assert_null(result);
	assert_int_equal(world.posts, 0);
	oyez_customer_close(world.customer);
	open_customer();
	world.broker.number = 2;
	post_well();
}

// What the guardian says of a relayed request decides nothing about the intent.
static void test_the_guardian_does_not_speak_for_the_home(void **state)
{
	(void)state;
	static const enum err words[] = {ERR_GONE, ERR_CONFLICT, ERR_TOKEN_SPENT, ERR_NOT_FOUND, ERR_LAPSED};
	assert_int_equal(account_opened(), ERR_OK);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		world.guardian_says = words[i];
		json_t *result;
		struct oyez_error error = {0};
		assert_int_equal(post(&result, &error), ERR_BAD_FRAME);
		assert_string_equal(json_string_value(json_object_get(result, "status")), "pending");
		json_decref(result);
	}
	world.guardian_says = ERR_OK;
	assert_int_equal(world.posts, 0);
	// What waits of several intents leaves one intent at a time.
	oyez_customer_close(world.customer);
	open_customer();
	assert_int_equal(oyez_sync(world.customer, NULL, 0, NULL, NULL), ERR_OK);
	assert_int_equal(world.posts, 1);
	assert_int_equal(oyez_sync(world.customer, NULL, 0, NULL, NULL), ERR_OK);
	assert_int_equal(world.posts, 1);
	world.customer->relay_after_ms = 0; // the time between has passed
	assert_int_equal(oyez_sync(world.customer, NULL, 0, NULL, NULL), ERR_OK);
	assert_int_equal(world.posts, 2);
	// What a person does goes at once.
	post_well();
	assert_int_equal(world.posts, 3);
}

static void test_refused_post_keeps_its_token(void **state)
{
	(void)state;
	json_t *result;
	struct oyez_error error = {0};
	uint8_t key[KEY_BYTES];
	assert_int_equal(account_opened(), ERR_OK);
	world.home_says = ERR_UNKNOWN_TERMS;
	assert_int_equal(post(&result, &error), ERR_UNKNOWN_TERMS);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS);
	memcpy(key, world.intent_key, KEY_BYTES);
	world.home_says = ERR_OK;
	post_well(); // corrected: the same key with its token
	assert_memory_equal(key, world.intent_key, KEY_BYTES);
	assert_int_equal(world.token_verdict, ERR_OK);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS - 1);
	world.home_says = ERR_TOKEN_SPENT;
	assert_int_equal(post(&result, &error), ERR_TOKEN_SPENT);
	assert_int_equal(tokens_left(), VOUCHER_TOKENS - 2);
}

static void test_stamps_and_open_posting(void **state)
{
	(void)state;
	world.posting = OYEZ__POSTING__POSTING_STAMP;
	post_well();
	assert_int_equal(world.stamp_verdict, ERR_OK);
	assert_int_equal(world.vouchers, 0);
	oyez_customer_close(world.customer);
	open_customer();
	world.posting = OYEZ__POSTING__POSTING_OPEN;
	world.broker.number++;
	world.guardian.number++;
	post_well();
	assert_int_equal(world.token_verdict, ERR_TOKEN_MISSING);
	assert_int_equal(world.vouchers, 0);
}

static void test_backup_has_no_tokens(void **state)
{
	(void)state;
	char path[160];
	struct wallet *copy;
	assert_int_equal(account_opened(), ERR_OK);
	world.false_proof = true; // and a batch under way
	assert_int_equal(oyez_account_top_up(world.customer, &(json_t *){NULL}, NULL), ERR_BAD_SIGNATURE);
	assert_int_equal(wallet_records(world.customer->wallet)->n_batches, 1);
	snprintf(path, sizeof(path), "%s/copy", world.home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/copy/wallet", world.home);
	assert_int_equal(oyez_wallet_backup(world.home, "", path, NULL), ERR_OK);
	snprintf(path, sizeof(path), "%s/copy", world.home);
	assert_int_equal(wallet_open(path, "", &copy, NULL), ERR_OK);
	assert_int_equal(wallet_records(copy)->n_tokens, 0);
	assert_int_equal(wallet_records(copy)->n_batches, 0);
	assert_int_equal(wallet_records(copy)->n_accounts, 1);
	wallet_close(copy);
	snprintf(path, sizeof(path), "%s/copy/wallet", world.home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/copy", world.home);
	rmdir(path);
}

// ---- boxes

static void push(const Oyez__BoxPlain *plain, bool tampered)
{
	static struct box_sender sender;
	static unsigned pushed;
	uint8_t *bytes;
	size_t count;
	if (pushed++ % 4 == 0 || world.cell_count == 0) // a restart now and then
		assert_int_equal(box_begin(&sender, world.reply_key), ERR_OK);
	assert_int_equal(codec_encode(&plain->base, &bytes, &count), ERR_OK);
	box_seal(&sender, &world.broker.identity, world.box_id, bytes, count, world.cells[world.cell_count]);
	if (tampered)
		world.cells[world.cell_count][100] ^= 1;
	sender.sequence++;
	world.cell_count++;
	free(bytes);
}

static void push_part(uint64_t item, uint32_t version, uint32_t offset, uint32_t total, const uint8_t *bytes,
                      size_t count, bool tampered)
{
	Oyez__BoxPlain plain = OYEZ__BOX_PLAIN__INIT;
	Oyez__BoxPart part = OYEZ__BOX_PART__INIT, *parts[] = {&part};
	part.item = item;
	part.version = version;
	part.offset = offset;
	part.total = total;
	part.bytes = view(bytes, count);
	plain.parts = parts;
	plain.n_parts = 1;
	push(&plain, tampered);
}

static uint8_t *released_status(size_t *count)
{
	static struct id id;
	uint8_t release_id[RELEASE_ID_BYTES] = {7}, *release_bytes, *bytes;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	facets.category = (char *)"home";
	facets.region = (char *)"FR";
	Oyez__Release release = OYEZ__RELEASE__INIT;
	release.release_id = view(release_id, sizeof(release_id));
	release.suite = SUITE_X25519_CHACHA;
	release.intent_key = view(world.intent_key, KEY_BYTES);
	release.reply_key = view(world.reply_key, KEY_BYTES);
	release.facets = &facets;
	release.expires = OYEZ__EXPIRY_BAND__EXPIRY_7D;
	release.crowd = 1;
	release.released_at_ms = now_ms();
	release.home_broker = view(world.broker.identity.public_key, KEY_BYTES);
	size_t release_count;
	assert_int_equal(codec_encode(&release.base, &release_bytes, &release_count), ERR_OK);
	id = intent_id_of(world.intent_key);
	Oyez__Status status = OYEZ__STATUS__INIT;
	status.intent_id = view(id.bytes, ID_BYTES);
	status.state = OYEZ__INTENT_STATE__INTENT_RELEASED;
	status.release = view(release_bytes, release_count);
	assert_int_equal(codec_encode(&status.base, &bytes, count), ERR_OK);
	free(release_bytes);
	return bytes;
}

static const Oyez__Wallet__Intent *the_intent(void)
{
	assert_int_equal(wallet_load(world.customer->wallet, NULL), ERR_OK);
	return wallet_records(world.customer->wallet)->intents[0];
}

static void sync_well(void)
{
	assert_int_equal(oyez_sync(world.customer, NULL, 0, NULL, NULL), ERR_OK);
	assert_int_equal(world.seen, world.cell_count);
}

static void test_boxes_put_items_together(void **state)
{
	(void)state;
	size_t count, item_count;
	post_well();
	uint8_t *status = released_status(&count), *item_bytes;
	// An item about a deal there is none of: told as a problem, once.
	uint8_t deal[ID_BYTES] = {9};
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	item.seq = 3;
	item.at_ms = now_ms();
	item.body_case = OYEZ__MAILBOX_ITEM__BODY_RECEIPT;
	item.receipt = view(deal, sizeof(deal));
	assert_int_equal(codec_encode(&item.base, &item_bytes, &item_count), ERR_OK);

	Oyez__BoxPlain empty = OYEZ__BOX_PLAIN__INIT;
	push(&empty, false);
	push_part(3, 0, 0, (uint32_t)item_count, item_bytes, item_count, false); // before the status
	push_part(0, 5, 40, (uint32_t)count, status + 40, count - 40, false);    // its second half first
	sync_well();
	assert_int_equal(the_intent()->status, OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING);
	assert_int_equal(world.problems, 0);
	push_part(0, 5, 0, (uint32_t)count + 1, status, 40, false); // wrong in size: no part of it
	push_part(0, 4, 0, (uint32_t)count, status, 40, false);     // of an older version
	sync_well();
	assert_int_equal(the_intent()->status, OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING);
	push_part(0, 5, 0, (uint32_t)count, status, 50, false); // overlaps: other cuts of the same
	// Another run of the program goes on with what was put together so far.
	oyez_customer_close(world.customer);
	open_customer();
	sync_well();
	assert_int_equal(the_intent()->status, OYEZ__WALLET__INTENT_STATUS__INTENT_RELEASED);
	assert_int_equal(world.problems, 1);
	assert_string_equal(world.problem, "not_found");
	assert_int_equal(the_intent()->n_box_items, 0);
	// Repeated, nothing happens again.
	push_part(3, 0, 0, (uint32_t)item_count, item_bytes, item_count, false);
	push_part(0, 5, 0, (uint32_t)count, status, count, false);
	sync_well();
	assert_int_equal(world.problems, 1);
	free(status);
	free(item_bytes);
}

static void test_false_cells(void **state)
{
	(void)state;
	size_t count;
	post_well();
	uint8_t *status = released_status(&count);
	push_part(0, 1, 0, (uint32_t)count, status, count, true);
	sync_well();
	assert_int_equal(world.problems, 1);
	assert_string_equal(world.problem, "sealed");
	// A release with other keys than this intent's.
	uint8_t own[KEY_BYTES];
	memcpy(own, world.reply_key, KEY_BYTES);
	struct hpke_pair other;
	hpke_pair_new(&other);
	free(status);
	memcpy(world.reply_key, other.public_key, KEY_BYTES);
	status = released_status(&count);
	memcpy(world.reply_key, own, KEY_BYTES);
	push_part(0, 2, 0, (uint32_t)count, status, count, false);
	sync_well();
	assert_int_equal(world.problems, 2);
	assert_string_equal(world.problem, "binding_mismatch");
	assert_int_equal(the_intent()->release.len, 0);
	// More unfinished items than there is room for: the wallet does not grow with them.
	uint8_t byte = 1;
	for (uint64_t item = 0; item < CELLS_MAX - 2; item++)
		push_part(1000 + item, 0, 0, item % 2 ? CELL_BYTES : CELL_BYTES + 1, &byte, 1, false);
	sync_well();
	assert_true(the_intent()->n_box_items <= 8);
	free(status);
}

static void test_one_broker_is_not_two(void **state)
{
	(void)state;
	char url[200], hex[2 * KEY_BYTES + 1];
	struct oyez_customer *customer;
	hex_encode(world.guardian.identity.public_key, KEY_BYTES, hex);
	snprintf(url, sizeof(url), "tcp://127.0.0.1:1#%s", hex);
	assert_int_equal(oyez_customer_open(world.home, "", url, &customer, NULL), ERR_OK);
	assert_int_equal(oyez_customer_set_guardian(customer, "tcp://127.0.0.1:1", NULL), ERR_USAGE);
	assert_int_equal(oyez_customer_set_guardian(customer, world.url, NULL), ERR_OK);
	json_t *result = NULL;
	struct oyez_error error = {0};
	assert_int_equal(oyez_account_open(customer, NULL, &result, &error), ERR_USAGE);
	oyez_customer_close(customer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_post_goes_through_the_guardian),
	    TEST(test_lost_answers_cost_nothing),
	    TEST(test_wrong_proof),
	    TEST(test_two_contents_of_one_number),
	    TEST(test_the_guardian_does_not_speak_for_the_home),
	    TEST(test_refused_post_keeps_its_token),
	    TEST(test_stamps_and_open_posting),
	    TEST(test_backup_has_no_tokens),
	    TEST(test_boxes_put_items_together),
	    TEST(test_false_cells),
	    TEST(test_one_broker_is_not_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
