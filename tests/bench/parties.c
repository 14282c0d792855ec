#include "parties.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "broker/base/clock.h"
#include "proto/err.h"
#include "proto/seal.h"

static void must(enum err err, const char *what)
{
	if (err)
		give_up("%s: %s", what, err_name(err));
}

static struct frame frame_of(const ProtobufCMessage *message, int kind)
{
	struct frame frame;
	must(codec_encode_frame(message, kind, &frame.bytes, &frame.count), message->descriptor->name);
	return frame;
}

// A Signed, unpacked; freed with oyez__signed__free_unpacked.
static Oyez__Signed *signed_of(const struct sign_pair *pair, const char *tag, const ProtobufCMessage *message)
{
	uint8_t *record, *wrapped;
	size_t record_bytes, wrapped_bytes;
	must(codec_encode(message, &record, &record_bytes), message->descriptor->name);
	must(sign_wrap(pair, tag, record, record_bytes, &wrapped, &wrapped_bytes), "signing");
	Oyez__Signed *out = oyez__signed__unpack(NULL, wrapped_bytes, wrapped);
	free(record);
	free(wrapped);
	if (!out)
		give_up("no memory");
	return out;
}

Oyez__Reply *reply_open(const uint8_t *frame, size_t count, Oyez__Reply__BodyCase expected)
{
	enum frame_kind kind;
	Oyez__Reply *reply = NULL;
	must(frame_kind_of(frame, count, &kind), "a reply's frame");
	if (kind != FRAME_REPLY)
		give_up("a reply frame of kind %d", kind);
	must(codec_decode_reply(NULL, frame + FRAME_HEADER_BYTES, count - FRAME_HEADER_BYTES, &reply, NULL), "a reply");
	if (reply->body_case == OYEZ__REPLY__BODY_ERROR && expected != OYEZ__REPLY__BODY_ERROR)
		give_up("the broker refuses: %s %s", reply->error->name, reply->error->detail);
	if (reply->body_case != expected)
		give_up("a reply of another kind (%d) came", (int)reply->body_case);
	return reply;
}

static Oyez__Reply *ask(struct wire *wire, size_t connection, const Oyez__Request *request,
                        Oyez__Reply__BodyCase expected)
{
	struct frame frame = frame_of(&request->base, FRAME_REQUEST);
	size_t count;
	const uint8_t *reply = wire_ask(wire, connection, frame.bytes, frame.count, &count);
	free(frame.bytes);
	return reply_open(reply, count, expected);
}

void broker_ask_keys(struct wire *wire, size_t connection, struct broker_keys *keys)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__GetConfig get = OYEZ__GET_CONFIG__INIT;
	Oyez__Config *config = NULL;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get;
	Oyez__Reply *reply = ask(wire, connection, &request, OYEZ__REPLY__BODY_CONFIG);
	must(sign_open(reply->config, TAG_CONFIG), "the configuration");
	must(codec_decode_config(NULL, reply->config->record.data, reply->config->record.len, &config, NULL), "config");
	memset(keys, 0, sizeof *keys);
	memcpy(keys->id, config->broker_id.data, KEY_BYTES);
	memcpy(keys->gateway, config->gateway_keys[0]->key.data, KEY_BYTES);
	memcpy(keys->gateway_id, config->gateway_keys[0]->id.data, GATEWAY_KEY_ID_BYTES);
	if (config->n_token_keys) {
		memcpy(keys->token_key, config->token_keys[0]->key.data, ELEMENT_BYTES);
		keys->epoch = config->token_keys[0]->epoch;
	}
	oyez__config__free_unpacked(config, NULL);
	oyez__reply__free_unpacked(reply, NULL);
}

// ---- vendors

static Oyez__VendorRecord vendor_record(const struct broker_keys *keys, Oyez__VendorRecord__BodyCase kind)
{
	Oyez__VendorRecord record = OYEZ__VENDOR_RECORD__INIT;
	record.broker_id = bytes_of(keys->id, KEY_BYTES);
	record.made_at_ms = clock_now_ms();
	record.body_case = kind;
	return record;
}

static Oyez__Reply *ask_signed(struct wire *wire, size_t connection, const struct stall *stall,
                               const Oyez__VendorRecord *record, Oyez__Reply__BodyCase expected)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = signed_of(&stall->pair, TAG_VENDOR, &record->base);
	Oyez__Reply *reply = ask(wire, connection, &request, expected);
	oyez__signed__free_unpacked(request.vendor, NULL);
	return reply;
}

static void join(struct wire *wire, size_t connection, const struct broker_keys *keys, const struct stall *stall)
{
	char *terms[] = {WORDS("SD-BASE")};
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	listing.vendor_key = bytes_of(stall->pair.public_key, KEY_BYTES);
	listing.name = WORDS("A stall");
	listing.url = WORDS("https://stall.invalid/");
	listing.country = WORDS("FR");
	listing.terms = terms;
	listing.n_terms = 1;
	listing.made_at_ms = clock_now_ms();
	Oyez__VendorRecord record = vendor_record(keys, OYEZ__VENDOR_RECORD__BODY_REGISTER);
	record.register_ = signed_of(&stall->pair, TAG_LISTING, &listing.base);
	oyez__reply__free_unpacked(ask_signed(wire, connection, stall, &record, OYEZ__REPLY__BODY_VENDOR), NULL);
	oyez__signed__free_unpacked(record.register_, NULL);
}

void stall_open_session(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall)
{
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__GetChallenge get = OYEZ__GET_CHALLENGE__INIT;
	Oyez__OpenSession open = OYEZ__OPEN_SESSION__INIT;
	struct seal_header header = {.from = stall->id};
	request.body_case = OYEZ__REQUEST__BODY_GET_CHALLENGE;
	request.get_challenge = &get;
	Oyez__Reply *challenge = ask(wire, connection, &request, OYEZ__REPLY__BODY_CHALLENGE);
	randombytes_buf(stall->session_key, sizeof stall->session_key);
	must(seal_message(SEAL_SESSION, keys->gateway, &header, stall->session_key, sizeof stall->session_key,
	                  &open.sealed_key.data, &open.sealed_key.len),
	     "sealing a session's key");
	open.challenge = challenge->challenge;
	open.gateway_key_id = bytes_of(keys->gateway_id, GATEWAY_KEY_ID_BYTES);
	Oyez__VendorRecord record = vendor_record(keys, OYEZ__VENDOR_RECORD__BODY_OPEN_SESSION);
	record.open_session = &open;
	Oyez__Reply *reply = ask_signed(wire, connection, stall, &record, OYEZ__REPLY__BODY_SESSION);
	memcpy(stall->session, reply->session->session_id.data, SESSION_ID_BYTES);
	oyez__reply__free_unpacked(reply, NULL);
	oyez__reply__free_unpacked(challenge, NULL);
	free(open.sealed_key.data);
}

void stall_subscribe(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall,
                     Oyez__Filter *filter)
{
	Oyez__Subscribe subscribe = OYEZ__SUBSCRIBE__INIT;
	uint8_t random[SUBSCRIBE_RANDOM_BYTES];
	randombytes_buf(random, sizeof random);
	subscribe.filter = filter;
	subscribe.random = bytes_of(random, sizeof random);
	Oyez__VendorRecord record = vendor_record(keys, OYEZ__VENDOR_RECORD__BODY_SUBSCRIBE);
	record.subscribe = &subscribe;
	Oyez__Reply *reply = ask_signed(wire, connection, stall, &record, OYEZ__REPLY__BODY_ACK);
	memcpy(stall->subscription, reply->ack->id.data, ID_BYTES);
	memcpy(stall->cursor, reply->ack->cursor.data, CURSOR_BYTES);
	oyez__reply__free_unpacked(reply, NULL);
}

void stall_open(struct wire *wire, size_t connection, const struct broker_keys *keys, struct stall *stall,
                Oyez__Filter *filter)
{
	sign_pair_new(&stall->pair);
	stall->id = vendor_id_of(stall->pair.public_key);
	join(wire, connection, keys, stall);
	stall_open_session(wire, connection, keys, stall);
	if (filter)
		stall_subscribe(wire, connection, keys, stall, filter);
}

struct frame stall_read_frame(const struct stall *stall, Oyez__VendorReadBody *body)
{
	crypto_auth_hmacsha512256_state state;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	Oyez__VendorRead read = OYEZ__VENDOR_READ__INIT;
	uint8_t packed[1024], mac[MAC_BYTES];
	body->sent_at_ms = clock_now_ms();
	if (oyez__vendor_read_body__get_packed_size(body) > sizeof packed)
		give_up("a read too large to be made here");
	size_t count = oyez__vendor_read_body__pack(body, packed);
	crypto_auth_hmacsha512256_init(&state, stall->session_key, sizeof stall->session_key);
	crypto_auth_hmacsha512256_update(&state, (const uint8_t *)TAG_READ, strlen(TAG_READ) + 1);
	crypto_auth_hmacsha512256_update(&state, packed, count);
	crypto_auth_hmacsha512256_final(&state, mac);
	read.session_id = bytes_of(stall->session, SESSION_ID_BYTES);
	read.body = bytes_of(packed, count);
	read.mac = bytes_of(mac, sizeof mac);
	request.body_case = OYEZ__REQUEST__BODY_READ;
	request.read = &read;
	return frame_of(&request.base, FRAME_REQUEST);
}

struct frame stall_fetch_frame(const struct stall *stall, uint32_t wait_ms, uint32_t max)
{
	Oyez__FetchPair pair = OYEZ__FETCH_PAIR__INIT, *pairs[] = {&pair};
	Oyez__Fetch fetch = OYEZ__FETCH__INIT;
	Oyez__VendorReadBody body = OYEZ__VENDOR_READ_BODY__INIT;
	pair.subscription_id = bytes_of(stall->subscription, ID_BYTES);
	pair.after = bytes_of(stall->cursor, CURSOR_BYTES);
	fetch.pairs = pairs;
	fetch.n_pairs = 1;
	fetch.wait_ms = wait_ms;
	fetch.max = max;
	body.body_case = OYEZ__VENDOR_READ_BODY__BODY_FETCH;
	body.fetch = &fetch;
	return stall_read_frame(stall, &body);
}

struct frame stall_offer_frame(const struct broker_keys *keys, const struct stall *stall,
                               const struct release_id *release)
{
	uint8_t id[ID_BYTES], sealed[512 + SEAL_OVERHEAD_BYTES] = {0, SUITE_X25519_CHACHA};
	Oyez__SendOffer offer = OYEZ__SEND_OFFER__INIT;
	randombytes_buf(id, sizeof id);
	randombytes_buf(sealed + 2, sizeof sealed - 2); // the broker cannot open it, so it may be anything
	offer.release_id = bytes_of(release->bytes, RELEASE_ID_BYTES);
	offer.offer_id = bytes_of(id, sizeof id);
	offer.expires_at_ms = clock_now_ms() + HOUR_MS;
	offer.sealed = bytes_of(sealed, sizeof sealed);
	Oyez__VendorRecord record = vendor_record(keys, OYEZ__VENDOR_RECORD__BODY_OFFER);
	record.offer = &offer;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	request.body_case = OYEZ__REQUEST__BODY_VENDOR;
	request.vendor = signed_of(&stall->pair, TAG_VENDOR, &record.base);
	struct frame frame = frame_of(&request.base, FRAME_REQUEST);
	oyez__signed__free_unpacked(request.vendor, NULL);
	return frame;
}

// ---- fetch replies, walked where they lie: a decoder would cost more than all the rest

struct field {
	uint32_t number;
	uint64_t value; // of a varint
	const uint8_t *at;
	size_t count; // of bytes
};

static uint64_t varint(const uint8_t **at, const uint8_t *end)
{
	uint64_t value = 0;
	for (int shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	give_up("a fetch reply is cut off");
}

static bool next_field(const uint8_t **at, const uint8_t *end, struct field *field)
{
	if (*at == end)
		return false;
	uint64_t tag = varint(at, end);
	field->number = (uint32_t)(tag >> 3);
	field->value = varint(at, end);
	if ((tag & 7) == 2) {
		field->at = *at;
		field->count = field->value;
		if (field->count > (size_t)(end - *at))
			give_up("a fetch reply is cut off");
		*at += field->count;
	} else if ((tag & 7) != 0) {
		give_up("a field of an unknown kind in a fetch reply");
	}
	return true;
}

static void take_item(const struct field *item, fetched_fn *each, void *context)
{
	const uint8_t *at = item->at, *end = item->at + item->count;
	struct fetched fetched = {0};
	struct field field;
	while (next_field(&at, end, &field)) {
		if (field.number == 4 && field.count == RELEASE_ID_BYTES)
			fetched.release_id = field.at;
		else if (field.number == 5)
			fetched.release = field.at, fetched.release_bytes = field.count;
	}
	if (!fetched.release_id)
		give_up("an item without its release's id");
	each(context, &fetched);
}

size_t stall_take_fetched(struct stall *stall, const uint8_t *frame, size_t count, fetched_fn *each, void *context,
                          bool *more)
{
	const uint8_t *at = frame + FRAME_HEADER_BYTES, *end = frame + count;
	struct field field;
	size_t items = 0;
	if (more)
		*more = false;
	if (count <= FRAME_HEADER_BYTES || !next_field(&at, end, &field) || field.number != OYEZ__REPLY__BODY_FETCH) {
		reply_open(frame, count, OYEZ__REPLY__BODY_FETCH); // says what it is
		give_up("no fetch reply");
	}
	at = field.at, end = field.at + field.count;
	while (next_field(&at, end, &field)) {
		if (field.number == 1) {
			items++;
			if (each)
				take_item(&field, each, context);
		} else if (field.number == 2 && field.count == CURSOR_BYTES) {
			memcpy(stall->cursor, field.at, CURSOR_BYTES);
		} else if (field.number == 3 && more) {
			*more = field.value;
		}
	}
	return items;
}

// ---- customers

static void cell_of(const struct broker_keys *keys, Oyez__CellBody *body, uint8_t cell[CELL_BYTES],
                    struct cell_exchange *exchange)
{
	uint8_t *plain;
	size_t count;
	body->sent_at_ms = clock_now_ms();
	must(codec_encode(&body->base, &plain, &count), "a cell's body");
	must(cell_seal_request(keys->gateway, plain, count, cell, exchange), "sealing a cell");
	free(plain);
}

static void record_cell(const struct broker_keys *keys, const struct caller *caller, Oyez__CustomerRecord *record,
                        uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	record->broker_id = bytes_of(keys->id, KEY_BYTES);
	record->made_at_ms = clock_now_ms();
	body.body_case = OYEZ__CELL_BODY__BODY_CUSTOMER;
	body.customer = signed_of(&caller->pair, TAG_CUSTOMER, &record->base);
	cell_of(keys, &body, cell, exchange);
	oyez__signed__free_unpacked(body.customer, NULL);
}

Oyez__CustomerReply *caller_reply(const struct cell_exchange *exchange, const uint8_t *frame, size_t count,
                                  Oyez__CustomerReply__BodyCase expected)
{
	uint8_t plain[CELL_REPLY_PLAIN_BYTES];
	const uint8_t *message;
	size_t message_bytes;
	Oyez__CustomerReply *reply = NULL;
	if (count != CELL_BYTES)
		give_up("a reply of %zu bytes to a cell", count);
	must(cell_open_reply(exchange, frame, count, plain, &message, &message_bytes), "a reply's cell");
	must(codec_decode_customer_reply(NULL, message, message_bytes, &reply, NULL), "a customer's reply");
	if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_ERROR && expected != OYEZ__CUSTOMER_REPLY__BODY_ERROR)
		give_up("the broker refuses: %s %s", reply->error->name, reply->error->detail);
	if (reply->body_case != expected)
		give_up("a customer's reply of another kind (%d) came", (int)reply->body_case);
	return reply;
}

static void issue(struct wire *wire, size_t connection, const struct broker_keys *keys,
                  const struct sign_pair *guardian, struct caller *callers, size_t count)
{
	uint8_t cell[CELL_BYTES], voucher_id[VOUCHER_ID_BYTES], evaluated[VOUCHER_TOKENS][ELEMENT_BYTES];
	struct token_request requests[VOUCHER_TOKENS];
	uint8_t tokens[VOUCHER_TOKENS][TOKEN_BYTES];
	ProtobufCBinaryData blinded[VOUCHER_TOKENS];
	struct cell_exchange exchange;
	Oyez__Voucher voucher = OYEZ__VOUCHER__INIT;
	Oyez__IssueTokens message = OYEZ__ISSUE_TOKENS__INIT;
	Oyez__CellBody body = OYEZ__CELL_BODY__INIT;
	randombytes_buf(voucher_id, sizeof voucher_id);
	voucher.guardian_id = bytes_of(guardian->public_key, KEY_BYTES);
	voucher.voucher_id = bytes_of(voucher_id, sizeof voucher_id);
	voucher.home_id = bytes_of(keys->id, KEY_BYTES);
	voucher.epoch = keys->epoch;
	voucher.count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		must(token_request_new(keys->id, keys->token_key, callers[i].pair.public_key, &requests[i]), "a token");
		blinded[i] = bytes_of(requests[i].blinded, ELEMENT_BYTES);
	}
	message.broker_id = bytes_of(keys->id, KEY_BYTES);
	message.voucher = signed_of(guardian, TAG_VOUCHER, &voucher.base);
	message.blinded = blinded;
	message.n_blinded = count;
	body.body_case = OYEZ__CELL_BODY__BODY_ISSUE;
	body.issue = &message;
	cell_of(keys, &body, cell, &exchange);
	oyez__signed__free_unpacked(message.voucher, NULL);
	size_t reply_bytes;
	const uint8_t *frame = wire_ask(wire, connection, cell, CELL_BYTES, &reply_bytes);
	Oyez__CustomerReply *reply = caller_reply(&exchange, frame, reply_bytes, OYEZ__CUSTOMER_REPLY__BODY_TOKENS);
	if (reply->tokens->n_evaluated != count)
		give_up("%zu tokens of %zu", reply->tokens->n_evaluated, count);
	for (size_t i = 0; i < count; i++)
		memcpy(evaluated[i], reply->tokens->evaluated[i].data, ELEMENT_BYTES);
	must(tokens_finish(keys->token_key, count, requests, (const uint8_t(*)[ELEMENT_BYTES])evaluated,
	                   reply->tokens->proof.data, tokens),
	     "finishing tokens");
	for (size_t i = 0; i < count; i++)
		memcpy(callers[i].token, tokens[i], TOKEN_BYTES);
	oyez__customer_reply__free_unpacked(reply, NULL);
}

void callers_new(struct wire *wire, size_t connection, const struct broker_keys *keys, const struct sign_pair *guardian,
                 struct caller *callers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sign_pair_new(&callers[i].pair);
		callers[i].id = intent_id_of(callers[i].pair.public_key);
	}
	for (size_t i = 0; guardian && i < count; i += VOUCHER_TOKENS)
		issue(wire, connection, keys, guardian, callers + i, count - i < VOUCHER_TOKENS ? count - i : VOUCHER_TOKENS);
}

void caller_post_cell(const struct broker_keys *keys, const struct caller *caller, bool with_token,
                      uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	Oyez__Post post = OYEZ__POST__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	Oyez__Budget budget = OYEZ__BUDGET__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	struct hpke_pair reply_key;
	hpke_pair_new(&reply_key);
	budget.max_e4 = 2000000;
	budget.currency = WORDS("EUR");
	facets.category = WORDS("home.kitchen.coffee-machine");
	facets.region = WORDS("FR-56");
	facets.terms = WORDS("SD-BASE");
	facets.language = WORDS("fr");
	facets.budget = &budget;
	post.suite = SUITE_X25519_CHACHA;
	post.reply_key = bytes_of(reply_key.public_key, KEY_BYTES);
	post.facets = &facets;
	post.expires_at_ms = clock_now_ms() + 7 * DAY_MS;
	post.deals_max = 1;
	if (with_token)
		post.token = bytes_of(caller->token, TOKEN_BYTES);
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_POST;
	record.post = &post;
	record_cell(keys, caller, &record, cell, exchange);
}

void caller_status_cell(const struct broker_keys *keys, const struct caller *caller, uint8_t cell[CELL_BYTES],
                        struct cell_exchange *exchange)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_STATUS;
	record.read_status = &read;
	record_cell(keys, caller, &record, cell, exchange);
}

void caller_mailbox_cell(const struct broker_keys *keys, const struct caller *caller, uint64_t after, uint32_t wait_ms,
                         uint8_t cell[CELL_BYTES], struct cell_exchange *exchange)
{
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	Oyez__CustomerRecord record = OYEZ__CUSTOMER_RECORD__INIT;
	read.after = after;
	read.max = 1;
	read.wait_ms = wait_ms;
	record.body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_MAILBOX;
	record.read_mailbox = &read;
	record_cell(keys, caller, &record, cell, exchange);
}

// ---- the operator

Oyez__AdminReply *operator_status(const char *ipc)
{
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	Oyez__AdminStatus status = OYEZ__ADMIN_STATUS__INIT;
	Oyez__AdminReply *reply = NULL;
	size_t count;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_STATUS;
	request.status = &status;
	struct wire *wire = wire_new(ipc);
	wire_connect(wire, 1);
	struct frame frame = frame_of(&request.base, FRAME_ADMIN);
	const uint8_t *answer = wire_ask(wire, 0, frame.bytes, frame.count, &count);
	must(codec_decode_admin_reply(NULL, answer + FRAME_HEADER_BYTES, count - FRAME_HEADER_BYTES, &reply, NULL),
	     "the operator's status");
	if (reply->body_case != OYEZ__ADMIN_REPLY__BODY_STATUS)
		give_up("no status");
	free(frame.bytes);
	wire_free(wire);
	return reply;
}
