// The test's own little world around a service. A countersignature counts as good when it begins with 'g'.
#include "support_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/service/scan.h"
#include "proto/region.h"

// ---- stubs

static void stub_sign(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                      uint8_t signature[SIGNATURE_BYTES])
{
	(void)context;
	memset(signature, 0, SIGNATURE_BYTES);
	struct hash_part part = {record, record_bytes};
	hash_parts(tag, &part, 1, signature);
}

static enum err stub_countersign_check(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                                       const uint8_t signature_hash[HASH_BYTES], const uint8_t *signature)
{
	(void)context, (void)vendor_key, (void)deal, (void)signature_hash;
	return signature[0] == 'g' ? ERR_OK : ERR_BAD_SIGNATURE;
}

static struct service_signer stub_signer(void)
{
	struct service_signer signer = {.sign = stub_sign, .countersign_check = stub_countersign_check};
	memset(signer.broker_key, 'B', KEY_BYTES);
	return signer;
}

// ---- life

static void start(struct support_service *support)
{
	struct service_signer signer = stub_signer();
	assert_int_equal(service_new(&support->config, &signer, support->store, support->now_ms, &support->service),
	                 ERR_OK);
}

void support_service_open(struct support_service *support)
{
	*support = (struct support_service){
	    .config =
	        {
	            .crowd = 1,
	            .tick_ms = 1000,
	            .retention_ms = 30 * DAY_MS,
	            .vendors_per_intent_max = 3,
	            .offers_per_intent_max = 4,
	            .parked_max = 4,
	            .accounts_max = 100,
	            .accounts_by_stamp = true,
	            .account_stamp_bits = 4,
	            .vouchers_per_day = 2,
	            .vendors_open = true,
	            .region = "FR",
	            .taxonomy = taxonomy_builtin(),
	            .version = "test",
	        },
	    .now_ms = UINT64_C(1800000000000),
	};
	arena_init(&support->arena);
	for (unsigned home = 1; home <= 2; home++)
		support_home_key(home, support->homes[home - 1]);
	support->config.homes = (const uint8_t(*)[KEY_BYTES])support->homes;
	support->config.home_count = 2;
	support->store = store_open_memory();
	start(support);
}

void support_service_close(struct support_service *support)
{
	service_free(support->service);
	store_close(support->store);
	arena_fini(&support->arena);
}

void support_service_restart(struct support_service *support)
{
	service_free(support->service);
	store_crash(support->store);
	start(support);
}

// ---- batches

static const uint8_t TICK_RANDOM[16];

void support_batch(struct support_service *support)
{
	service_begin(support->service, support->now_ms);
	service_advance(support->service, TICK_RANDOM);
	service_commit(support->service);
}

void support_service_wait(struct support_service *support, uint64_t ms)
{
	while (ms > 0) {
		uint64_t step = ms < HOUR_MS / 2 ? ms : HOUR_MS / 2;
		support->now_ms += step;
		ms -= step;
		support_batch(support);
	}
}

static const void *unpack(struct support_service *support, const struct effect *effect)
{
	static const ProtobufCMessageDescriptor *const descriptors[] = {
	    [REPLY_CUSTOMER] = &oyez__customer_reply__descriptor,
	    [REPLY_VENDOR] = &oyez__reply__descriptor,
	    [REPLY_ADMIN] = &oyez__admin_reply__descriptor,
	    [REPLY_GUARDIAN] = &oyez__guardian_reply__descriptor,
	};
	ProtobufCAllocator allocator = wire_allocator(&support->arena);
	ProtobufCMessage *reply;
	struct codec_detail detail;
	enum err err = codec_decode(descriptors[effect->form], &allocator, effect->bytes, effect->count, &reply, &detail);
	if (err)
		fail_msg("the service's reply does not decode: %s (%s)", err_name(err), detail.text);
	return reply;
}

const void *support_parked_reply(struct support_service *support, uint64_t origin)
{
	struct effect effect;
	const void *reply = NULL;
	while (service_effect_next(support->service, &effect))
		if (effect.origin == origin)
			reply = unpack(support, &effect);
	return reply;
}

const void *support_send(struct support_service *support, const struct command *command)
{
	struct command copy = *command;
	copy.now_ms = support->now_ms;
	copy.origin = support->last_origin = ++support->records;
	service_begin(support->service, support->now_ms);
	service_apply(support->service, &copy);
	service_advance(support->service, TICK_RANDOM);
	service_commit(support->service);
	const void *reply = support_parked_reply(support, copy.origin);
	return reply ? reply : support_run_scans(support, copy.origin);
}

const void *support_run_scans(struct support_service *support, uint64_t origin)
{
	const void *reply = NULL;
	struct scan *scan;
	while (!reply && (scan = service_scan_next(support->service))) {
		scan_run(scan, NULL, NULL);
		service_begin(support->service, support->now_ms);
		service_scan_done(support->service, scan);
		service_commit(support->service);
		reply = support_parked_reply(support, origin);
	}
	return reply;
}

// Real keys: the codec refuses what is none.
static void key_of(unsigned who, uint8_t kind, uint8_t key[KEY_BYTES])
{
	uint8_t seed[32] = {kind, (uint8_t)who, (uint8_t)(who >> 8)};
	struct sign_pair pair;
	sign_pair_from_seed(&pair, seed);
	memcpy(key, pair.public_key, KEY_BYTES);
}

struct id support_customer_id(unsigned customer)
{
	uint8_t key[KEY_BYTES];
	key_of(customer, 'c', key);
	return intent_id_of(key);
}

struct id support_vendor_id(unsigned vendor)
{
	uint8_t key[KEY_BYTES];
	key_of(vendor, 'v', key);
	return vendor_id_of(key);
}

void support_account_key(unsigned account, uint8_t key[KEY_BYTES])
{
	key_of(account, 'a', key);
}

void support_home_key(unsigned home, uint8_t key[KEY_BYTES])
{
	key_of(home, 'h', key);
}

ProtobufCBinaryData support_fresh(struct support_service *support, size_t count)
{
	uint8_t *bytes = arena_alloc(&support->arena, count);
	uint64_t number = ++support->records;
	struct id id = id_of("test fresh", &number, sizeof number);
	for (size_t i = 0; i < count; i++)
		bytes[i] = id.bytes[i % ID_BYTES];
	return wire_bytes(bytes, count);
}

static void prepare(struct support_service *support, enum command_kind kind, const ProtobufCMessage *payload)
{
	uint64_t number = ++support->records;
	struct id random = id_of("test random", &number, sizeof number);
	support->last = (struct command){
	    .kind = kind,
	    .made_at_ms = support->now_ms,
	    .record_hash = id_of("test record", &number, sizeof number),
	    .payload = payload,
	};
	memcpy(support->last.random, random.bytes, sizeof support->last.random);
	if (kind == COMMAND_POST) {
		ProtobufCBinaryData bytes = wire_pack(&support->arena, payload);
		support->last.payload_bytes = (struct bytes_view){bytes.data, bytes.len};
	}
}

const Oyez__CustomerReply *support_customer(struct support_service *support, unsigned customer, enum command_kind kind,
                                            const ProtobufCMessage *payload)
{
	prepare(support, kind, payload);
	key_of(customer, 'c', support->last.sender_key);
	support->last.sender = support_customer_id(customer);
	return support_send(support, &support->last);
}

const Oyez__Reply *support_vendor(struct support_service *support, unsigned vendor, enum command_kind kind,
                                  const ProtobufCMessage *payload)
{
	prepare(support, kind, payload);
	key_of(vendor, 'v', support->last.sender_key);
	support->last.sender = support_vendor_id(vendor);
	return support_send(support, &support->last);
}

const Oyez__GuardianReply *support_account(struct support_service *support, unsigned account, enum command_kind kind,
                                           const ProtobufCMessage *payload)
{
	prepare(support, kind, payload);
	support_account_key(account, support->last.sender_key);
	support->last.sender = id_of(TAG_ACCOUNT_ID, support->last.sender_key, KEY_BYTES);
	return support_send(support, &support->last);
}

const Oyez__Reply *support_push(struct support_service *support, unsigned home, const Oyez__PushBatch *batch)
{
	prepare(support, COMMAND_PUSH, &batch->base);
	support_home_key(home, support->last.sender_key);
	memcpy(support->last.sender.bytes, support->last.sender_key, KEY_BYTES);
	return support_send(support, &support->last);
}

const Oyez__AdminReply *support_admin(struct support_service *support, enum command_kind kind,
                                      const ProtobufCMessage *payload)
{
	prepare(support, kind, payload);
	return support_send(support, &support->last);
}

enum err support_customer_error(const Oyez__CustomerReply *reply)
{
	assert_non_null(reply);
	return reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_ERROR ? (enum err)reply->error->code : ERR_OK;
}

enum err support_account_error(const Oyez__GuardianReply *reply)
{
	assert_non_null(reply);
	return reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_ERROR ? (enum err)reply->error->code : ERR_OK;
}

enum err support_vendor_error(const Oyez__Reply *reply)
{
	assert_non_null(reply);
	return reply->body_case == OYEZ__REPLY__BODY_ERROR ? (enum err)reply->error->code : ERR_OK;
}

// ---- messages

static ProtobufCBinaryData keep_id(struct support_service *support, const struct id *id)
{
	return wire_bytes(arena_copy(&support->arena, id->bytes, ID_BYTES), ID_BYTES);
}

static ProtobufCBinaryData sealed(struct support_service *support)
{
	return support_fresh(support, 512 + 2 + 32 + 16);
}

Oyez__Post *support_post(struct support_service *support)
{
	Oyez__Post *post = arena_alloc(&support->arena, sizeof *post);
	oyez__post__init(post);
	post->suite = SUITE_X25519_CHACHA;
	post->reply_key = support_fresh(support, KEY_BYTES);
	post->reply_key.data[31] &= 0x3f;
	post->facets = arena_alloc(&support->arena, sizeof *post->facets);
	oyez__facets__init(post->facets);
	post->facets->category = TEXT("home.kitchen.coffee-machine");
	post->facets->region = TEXT("FR-56");
	post->facets->budget = arena_alloc(&support->arena, sizeof *post->facets->budget);
	oyez__budget__init(post->facets->budget);
	post->facets->budget->max_e4 = 200 * 10000;
	post->facets->budget->currency = TEXT("EUR");
	post->facets->terms = TEXT("SD-BASE");
	post->facets->language = TEXT("fr");
	post->expires_at_ms = support->now_ms + 7 * DAY_MS;
	post->deals_max = 1;
	return post;
}

struct id support_vendor_join(struct support_service *support, unsigned vendor)
{
	char *terms[] = {TEXT("SD-BASE")};
	uint8_t key[KEY_BYTES];
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	key_of(vendor, 'v', key);
	listing.vendor_key = wire_bytes(key, KEY_BYTES);
	listing.name = TEXT("Vendor");
	listing.url = TEXT("https://vendor.example");
	listing.country = TEXT("FR");
	listing.terms = terms;
	listing.n_terms = 1;
	listing.made_at_ms = support->now_ms;
	Oyez__Signed *message = arena_alloc(&support->arena, sizeof *message);
	oyez__signed__init(message);
	message->record = wire_pack(&support->arena, &listing.base);
	message->key = wire_bytes(arena_copy(&support->arena, key, KEY_BYTES), KEY_BYTES);
	message->signature = support_fresh(support, SIGNATURE_BYTES);
	assert_vendor_error(support_vendor(support, vendor, COMMAND_REGISTER, &message->base), ERR_OK);

	Oyez__Filter *filter = arena_alloc(&support->arena, sizeof *filter);
	oyez__filter__init(filter);
	Oyez__Subscribe *subscribe = arena_alloc(&support->arena, sizeof *subscribe);
	oyez__subscribe__init(subscribe);
	subscribe->filter = filter;
	subscribe->random = support_fresh(support, 16);
	const Oyez__Reply *reply = support_vendor(support, vendor, COMMAND_SUBSCRIBE, &subscribe->base);
	assert_vendor_error(reply, ERR_OK);
	return id_of_wire(reply->ack->id);
}

struct release_id support_release(struct support_service *support, unsigned customer, Oyez__Post *post)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	assert_customer_error(support_customer(support, customer, COMMAND_POST, &post->base), ERR_OK);
	support_service_wait(support, support->config.tick_ms);
	const Oyez__CustomerReply *reply = support_customer(support, customer, COMMAND_READ_STATUS, &read.base);
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->status->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	const Oyez__Release *release = wire_unpack(&support->arena, &oyez__release__descriptor, reply->status->release.data,
	                                           reply->status->release.len);
	assert_non_null(release);
	return release_id_of_wire(release->release_id);
}

struct id support_offer(struct support_service *support, unsigned vendor, const struct release_id *release)
{
	Oyez__SendOffer *message = arena_alloc(&support->arena, sizeof *message);
	oyez__send_offer__init(message);
	message->release_id = wire_bytes(arena_copy(&support->arena, release->bytes, RELEASE_ID_BYTES), RELEASE_ID_BYTES);
	message->offer_id = support_fresh(support, ID_BYTES);
	message->expires_at_ms = support->now_ms + 3 * DAY_MS;
	message->sealed = sealed(support);
	assert_vendor_error(support_vendor(support, vendor, COMMAND_OFFER, &message->base), ERR_OK);
	return id_of_wire(message->offer_id);
}

Oyez__Accept *support_accept_message(struct support_service *support, const struct id *offer)
{
	Oyez__Accept *message = arena_alloc(&support->arena, sizeof *message);
	oyez__accept__init(message);
	message->offer_id = keep_id(support, offer);
	message->deal_id = support_fresh(support, ID_BYTES);
	message->agreement_key = support_fresh(support, KEY_BYTES);
	// The stub ties signature hash and deal together: a countersign can be made from the deal's id alone.
	message->signature_hash = message->deal_id;
	message->countersign_by_ms = support->now_ms + COUNTERSIGN_MS_DEFAULT;
	message->reveal_by_ms = support->now_ms + REVEAL_MS_DEFAULT;
	message->sealed = sealed(support);
	return message;
}

struct id support_accept(struct support_service *support, unsigned customer, const struct id *offer)
{
	Oyez__Accept *message = support_accept_message(support, offer);
	assert_customer_error(support_customer(support, customer, COMMAND_ACCEPT, &message->base), ERR_OK);
	return id_of_wire(message->deal_id);
}

Oyez__Countersign *support_countersign_message(struct support_service *support, const struct id *deal)
{
	Oyez__Countersign *message = arena_alloc(&support->arena, sizeof *message);
	oyez__countersign__init(message);
	message->deal_id = keep_id(support, deal);
	message->signature_hash = keep_id(support, deal);
	message->signature = support_fresh(support, SIGNATURE_BYTES);
	message->signature.data[0] = 'g';
	return message;
}

const Oyez__FetchReply *support_fetch(struct support_service *support, unsigned vendor, const struct id *subscription,
                                      ProtobufCBinaryData after)
{
	Oyez__FetchPair pair = OYEZ__FETCH_PAIR__INIT, *pairs[] = {&pair};
	Oyez__Fetch fetch = OYEZ__FETCH__INIT;
	pair.subscription_id = wire_id(subscription);
	pair.after = after;
	fetch.pairs = pairs;
	fetch.n_pairs = 1;
	const Oyez__Reply *reply = support_vendor(support, vendor, COMMAND_FETCH, &fetch.base);
	assert_vendor_error(reply, ERR_OK);
	return reply->fetch;
}

const Oyez__Inbox *support_inbox(struct support_service *support, unsigned vendor, uint64_t after)
{
	Oyez__ReadInbox read = OYEZ__READ_INBOX__INIT;
	read.after = after;
	read.from_start = after == 0;
	const Oyez__Reply *reply = support_vendor(support, vendor, COMMAND_READ_INBOX, &read.base);
	assert_vendor_error(reply, ERR_OK);
	return reply->inbox;
}

const Oyez__Mailbox *support_mailbox(struct support_service *support, unsigned customer, uint64_t after)
{
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	read.after = after;
	const Oyez__CustomerReply *reply = support_customer(support, customer, COMMAND_READ_MAILBOX, &read.base);
	assert_customer_error(reply, ERR_OK);
	return reply->mailbox;
}
