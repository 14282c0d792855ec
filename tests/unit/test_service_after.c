// What comes after a deal, through the service: messages, erasure, ratings, standing, withdrawal, suspension, notices.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sign.h"
#include "support_service.h"

struct scene {
	struct support_service support;
	struct release_id release;
	struct id offer, deal;
	uint8_t key[KEY_BYTES]; // of the agreement
};

// ---- helpers

// One record about the deal, signed by `key`.
static const Oyez__CustomerReply *say(struct scene *scene, const struct id *deal, const uint8_t key[KEY_BYTES],
                                      enum command_kind kind, const ProtobufCMessage *payload)
{
	struct support_service *support = &scene->support;
	uint64_t number = ++support->records;
	Oyez__Signed wrapped = OYEZ__SIGNED__INIT;
	struct command command = {
	    .kind = kind,
	    .made_at_ms = support->now_ms,
	    .sender = *deal,
	    .record_hash = id_of("test record", &number, sizeof number),
	    .payload = payload,
	};
	memcpy(command.sender_key, key, KEY_BYTES);
	uint8_t real[KEY_BYTES];
	support_account_key(1, real); // the codec refuses what is no key
	wrapped.record = support_fresh(support, 40);
	wrapped.key = wire_bytes(arena_copy(&support->arena, real, KEY_BYTES), KEY_BYTES);
	wrapped.signature = support_fresh(support, SIGNATURE_BYTES);
	ProtobufCBinaryData bytes = wire_pack(&support->arena, &wrapped.base);
	command.payload_bytes = (struct bytes_view){bytes.data, bytes.len};
	support->last = command;
	return support_send(support, &command);
}

static enum err message(struct scene *scene)
{
	Oyez__DealMessage *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__deal_message__init(body);
	body->random = support_fresh(&scene->support, 16);
	body->sealed = support_fresh(&scene->support, 562);
	return support_customer_error(say(scene, &scene->deal, scene->key, COMMAND_DEAL_MESSAGE, &body->base));
}

static enum err vendor_message(struct scene *scene, unsigned vendor)
{
	Oyez__SendMessage *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__send_message__init(body);
	body->deal_id = wire_id(&scene->deal);
	body->random = support_fresh(&scene->support, 16);
	body->sealed = support_fresh(&scene->support, 562);
	return support_vendor_error(support_vendor(&scene->support, vendor, COMMAND_SEND_MESSAGE, &body->base));
}

static const Oyez__CustomerReply *erase_reply(struct scene *scene, uint64_t within_ms)
{
	Oyez__Erase *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__erase__init(body);
	body->answer_by_ms = scene->support.now_ms + within_ms;
	return say(scene, &scene->deal, scene->key, COMMAND_ERASE, &body->base);
}

static enum err erase(struct scene *scene, uint64_t within_ms)
{
	return support_customer_error(erase_reply(scene, within_ms));
}

static enum err answer_erasure(struct scene *scene, unsigned vendor, const struct id *request)
{
	Oyez__AnswerErasure *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__answer_erasure__init(body);
	body->deal_id = wire_id(&scene->deal);
	body->request_hash = wire_id(request);
	body->result = OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	body->sealed = support_fresh(&scene->support, 562);
	return support_vendor_error(support_vendor(&scene->support, vendor, COMMAND_ANSWER_ERASURE, &body->base));
}

static enum err rate(struct scene *scene, uint32_t stars)
{
	Oyez__Rate *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__rate__init(body);
	body->stars = stars;
	return support_customer_error(say(scene, &scene->deal, scene->key, COMMAND_RATE, &body->base));
}

static const Oyez__CustomerReply *read_box(struct scene *scene, uint64_t after, uint32_t wait_ms)
{
	Oyez__ReadDeal *body = arena_alloc(&scene->support.arena, sizeof *body);
	oyez__read_deal__init(body);
	body->after = after;
	body->wait_ms = wait_ms;
	return say(scene, &scene->deal, scene->key, COMMAND_READ_DEAL, &body->base);
}

static const Oyez__DealBox *box(struct scene *scene)
{
	const Oyez__CustomerReply *reply = read_box(scene, 0, 0);
	assert_customer_error(reply, ERR_OK);
	return reply->deal_box;
}

static enum err countersign(struct scene *scene)
{
	Oyez__Countersign *body = support_countersign_message(&scene->support, &scene->deal);
	return support_vendor_error(support_vendor(&scene->support, 1, COMMAND_COUNTERSIGN, &body->base));
}

static enum err reveal(struct scene *scene, unsigned customer)
{
	Oyez__Reveal body = OYEZ__REVEAL__INIT;
	body.deal_id = wire_id(&scene->deal);
	body.sealed = support_fresh(&scene->support, 562);
	return support_customer_error(support_customer(&scene->support, customer, COMMAND_REVEAL, &body.base));
}

static enum err receipt(struct scene *scene)
{
	Oyez__Receipt body = OYEZ__RECEIPT__INIT;
	body.deal_id = wire_id(&scene->deal);
	return support_vendor_error(support_vendor(&scene->support, 1, COMMAND_RECEIPT, &body.base));
}

static void accept_within(struct scene *scene, unsigned customer, uint64_t within_ms)
{
	Oyez__Accept *body = support_accept_message(&scene->support, &scene->offer);
	body->countersign_by_ms = scene->support.now_ms + within_ms;
	assert_customer_error(support_customer(&scene->support, customer, COMMAND_ACCEPT, &body->base), ERR_OK);
	scene->deal = id_of_wire(body->deal_id);
	memcpy(scene->key, body->agreement_key.data, KEY_BYTES);
}

// A new intent of this customer, vendor 1's offer accepted.
static void deal_with(struct scene *scene, unsigned customer)
{
	scene->release = support_release(&scene->support, customer, support_post(&scene->support));
	scene->offer = support_offer(&scene->support, 1, &scene->release);
	accept_within(scene, customer, COUNTERSIGN_MS_DEFAULT);
}

static void conclude(struct scene *scene, unsigned customer)
{
	assert_int_equal(countersign(scene), ERR_OK);
	assert_int_equal(reveal(scene, customer), ERR_OK);
	assert_int_equal(receipt(scene), ERR_OK);
}

static const Oyez__Standing *standing_in(struct scene *scene, const Oyez__Signed *wrapped)
{
	assert_non_null(wrapped);
	const Oyez__Standing *standing =
	    wire_unpack(&scene->support.arena, &oyez__standing__descriptor, wrapped->record.data, wrapped->record.len);
	assert_non_null(standing);
	return standing;
}

// Waits as long as the broker may take to sign it anew.
static const Oyez__Standing *standing(struct scene *scene)
{
	Oyez__ShowVendor show = OYEZ__SHOW_VENDOR__INIT;
	support_service_wait(&scene->support, MINUTE_MS);
	const Oyez__Reply *reply = support_vendor(&scene->support, 1, COMMAND_SHOW_VENDOR, &show.base);
	assert_vendor_error(reply, ERR_OK);
	return standing_in(scene, reply->vendor->standing);
}

static const Oyez__InboxItem *last_inbox_item(struct scene *scene)
{
	const Oyez__Inbox *inbox = support_inbox(&scene->support, 1, 0);
	assert_true(inbox->n_items > 0);
	return inbox->items[inbox->n_items - 1];
}

static void suspend(struct scene *scene)
{
	struct id vendor = support_vendor_id(1);
	Oyez__AdminSuspend body = OYEZ__ADMIN_SUSPEND__INIT;
	body.vendor_id = wire_id(&vendor);
	body.reason = TEXT("fraud");
	assert_int_equal(support_admin(&scene->support, COMMAND_ADMIN_SUSPEND, &body.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_ACK);
}

// Customer 1 accepted an offer of vendor 1; vendor 2 looks on.
static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	support_service_open(&scene->support);
	support_vendor_join(&scene->support, 1);
	support_vendor_join(&scene->support, 2);
	deal_with(scene, 1);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;
	support_service_close(&scene->support);
	free(scene);
	return 0;
}

// ---- messages

static void test_messages_both_ways(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(message(scene), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(vendor_message(scene, 1), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(countersign(scene), ERR_OK);
	assert_int_equal(message(scene), ERR_OK);
	struct command sent = support->last;
	const Oyez__InboxItem *item = last_inbox_item(scene);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_MESSAGE);
	assert_memory_equal(item->deal_id.data, scene->deal.bytes, ID_BYTES);
	assert_memory_equal(item->release_id.data, scene->release.bytes, RELEASE_ID_BYTES);
	size_t items = support_inbox(support, 1, 0)->n_items;
	const Oyez__CustomerReply *again = support_send(support, &sent);
	assert_customer_error(again, ERR_OK);
	assert_memory_equal(again->ack->id.data, sent.record_hash.bytes, ID_BYTES);
	assert_int_equal(support_inbox(support, 1, 0)->n_items, items); // once

	assert_int_equal(vendor_message(scene, 2), ERR_NOT_YOURS);
	assert_int_equal(vendor_message(scene, 1), ERR_OK);
	struct command back = support->last;
	assert_vendor_error(support_send(support, &back), ERR_OK);
	support_service_restart(support);
	assert_vendor_error(support_send(support, &back), ERR_OK);
	assert_int_equal(box(scene)->n_items, 1);
	assert_int_equal(box(scene)->items[0]->body_case, OYEZ__DEAL_ITEM__BODY_MESSAGE);
	assert_int_equal(box(scene)->next, 1);
}

static void test_strangers_are_refused(void **state)
{
	struct scene *scene = *state;
	struct id nowhere = {{1}};
	uint8_t key[KEY_BYTES] = {1};
	conclude(scene, 1);
	static const enum command_kind kinds[] = {COMMAND_DEAL_MESSAGE, COMMAND_ERASE, COMMAND_RATE, COMMAND_READ_DEAL};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		Oyez__DealMessage text = OYEZ__DEAL_MESSAGE__INIT;
		Oyez__Erase wish = OYEZ__ERASE__INIT;
		Oyez__Rate stars = OYEZ__RATE__INIT;
		Oyez__ReadDeal read = OYEZ__READ_DEAL__INIT;
		const ProtobufCMessage *bodies[] = {&text.base, &wish.base, &stars.base, &read.base};
		assert_customer_error(say(scene, &scene->deal, key, kinds[i], bodies[i]), ERR_NOT_YOURS);
		assert_customer_error(say(scene, &nowhere, scene->key, kinds[i], bodies[i]), ERR_NOT_FOUND);
	}
	const Oyez__Standing *after = standing(scene);
	assert_int_equal(after->erasures_asked, 0);
}

static void test_messages_are_bounded(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(countersign(scene), ERR_OK);
	assert_int_equal(reveal(scene, 1), ERR_OK);
	for (int i = 0; i < MESSAGES_PER_DEAL_MAX; i++) {
		assert_int_equal(message(scene), ERR_OK);
		assert_int_equal(vendor_message(scene, 1), ERR_OK);
	}
	assert_int_equal(message(scene), ERR_BUSY);
	assert_int_equal(vendor_message(scene, 1), ERR_BUSY);
	support_service_wait(&scene->support, 31 * DAY_MS); // the intent is forgotten by now, the deal is not
	assert_int_equal(message(scene), ERR_OK);
	assert_int_equal(vendor_message(scene, 1), ERR_OK);
	assert_int_equal(box(scene)->n_items, 1); // what is old made room
	assert_int_equal(last_inbox_item(scene)->body_case, OYEZ__INBOX_ITEM__BODY_MESSAGE);
}

static void test_the_box_is_waited_for(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	conclude(scene, 1);
	assert_null(read_box(scene, 0, 20000));
	uint64_t origin = support->last_origin;
	support_service_wait(support, 1000);
	Oyez__SendMessage body = OYEZ__SEND_MESSAGE__INIT;
	body.deal_id = wire_id(&scene->deal);
	body.random = support_fresh(support, 16);
	body.sealed = support_fresh(support, 562);
	struct command command = {.kind = COMMAND_SEND_MESSAGE,
	                          .made_at_ms = support->now_ms,
	                          .now_ms = support->now_ms,
	                          .sender = support_vendor_id(1),
	                          .record_hash = {{7}},
	                          .payload = &body.base};
	service_begin(support->service, support->now_ms);
	service_apply(support->service, &command);
	service_commit(support->service);
	const Oyez__CustomerReply *reply = support_parked_reply(support, origin);
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->deal_box->n_items, 1);
	assert_null(read_box(scene, 1, 5000));
	origin = support->last_origin;
	support->now_ms += 5000;
	support_batch(support);
	reply = support_parked_reply(support, origin);
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->deal_box->n_items, 0);
}

// ---- erasure

static void test_erasure_in_time(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(erase(scene, 7 * DAY_MS), ERR_NOT_REVEALED);
	conclude(scene, 1);
	assert_int_equal(erase(scene, DAY_MS / 2), ERR_BAD_VALUE);
	assert_int_equal(erase(scene, 31 * DAY_MS), ERR_BAD_VALUE);
	struct id nothing = {{3}};
	assert_int_equal(answer_erasure(scene, 1, &nothing), ERR_ERASURE_UNKNOWN);
	assert_int_equal(erase(scene, 7 * DAY_MS), ERR_OK);
	struct command asked = support->last;
	const Oyez__InboxItem *item = last_inbox_item(scene);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_ERASURE);
	ProtobufCBinaryData proof = wire_pack(&support->arena, &item->erasure->base);
	assert_int_equal(proof.len, asked.payload_bytes.count);
	assert_memory_equal(proof.data, asked.payload_bytes.at, proof.len); // as it came
	// Another request while this one is open is this one.
	const Oyez__CustomerReply *other = erase_reply(scene, 8 * DAY_MS);
	assert_customer_error(other, ERR_OK);
	assert_memory_equal(other->ack->id.data, asked.record_hash.bytes, ID_BYTES);

	assert_int_equal(answer_erasure(scene, 2, &asked.record_hash), ERR_NOT_YOURS);
	assert_int_equal(answer_erasure(scene, 1, &nothing), ERR_ERASURE_UNKNOWN); // a receipt for another request
	assert_int_equal(answer_erasure(scene, 1, &asked.record_hash), ERR_OK);
	struct command answered = support->last;
	assert_vendor_error(support_send(support, &answered), ERR_OK);
	assert_int_equal(answer_erasure(scene, 1, &asked.record_hash), ERR_ERASURE_ANSWERED);
	assert_int_equal(erase(scene, 7 * DAY_MS), ERR_ERASURE_ANSWERED);
	assert_customer_error(support_send(support, &asked), ERR_OK);
	assert_int_equal(box(scene)->n_items, 1);
	assert_int_equal(box(scene)->items[0]->erasure->result, OYEZ__ERASURE_RESULT__ERASURE_ERASED);
	support_service_wait(support, 8 * DAY_MS);
	const Oyez__Standing *after = standing(scene);
	assert_int_equal(after->erasures_asked, 1);
	assert_int_equal(after->erasures_in_time, 1);
	assert_int_equal(after->erasures_late, 0);
}

static void test_erasure_not_answered(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	conclude(scene, 1);
	assert_int_equal(erase(scene, 2 * DAY_MS), ERR_OK);
	struct id request = support->last.record_hash;
	support_service_wait(support, 2 * DAY_MS + HOUR_MS);
	assert_int_equal(standing(scene)->erasures_late, 1); // nobody had to say so
	assert_int_equal(answer_erasure(scene, 1, &request), ERR_OK);
	const Oyez__Standing *after = standing(scene);
	assert_int_equal(after->erasures_late, 1); // once
	assert_int_equal(after->erasures_in_time, 0);
}

static void test_a_deal_outlives_its_intent_by_far(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	conclude(scene, 1);
	support_service_wait(support, 399 * DAY_MS);
	assert_int_equal(erase(scene, 20 * DAY_MS), ERR_OK);
	struct id request = support->last.record_hash;
	assert_int_equal(last_inbox_item(scene)->release_id.len, 0); // the intent is forgotten
	support_service_wait(support, 10 * DAY_MS);
	assert_int_equal(answer_erasure(scene, 1, &request), ERR_OK); // waited for
	assert_int_equal(box(scene)->n_items, 1);
	support_service_wait(support, 12 * DAY_MS);
	assert_customer_error(read_box(scene, 0, 0), ERR_NOT_FOUND);
	struct deal deal;
	struct deal_after after;
	struct arena arena;
	uint64_t seq, at_ms;
	struct bytes item;
	arena_init(&arena);
	store_begin(support->store);
	assert_false(store_deal_find(support->store, &scene->deal, &deal));
	assert_false(store_after_find(support->store, &scene->deal, &after));
	assert_false(store_deal_box_next(support->store, &scene->deal, 0, &arena, &seq, &at_ms, &item));
	store_abort(support->store);
	arena_fini(&arena);
}

static void test_lapsed_deals_go_with_their_intent(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(countersign(scene), ERR_OK);
	assert_int_equal(vendor_message(scene, 1), ERR_OK);
	support_service_wait(support, 8 * DAY_MS); // never revealed
	assert_int_equal(message(scene), ERR_LAPSED);
	assert_int_equal(erase(scene, 2 * DAY_MS), ERR_NOT_REVEALED);
	assert_int_equal(rate(scene, 1), ERR_NOT_CONCLUDED);
	assert_int_equal(box(scene)->n_items, 1);
	support_service_wait(support, 31 * DAY_MS);
	assert_customer_error(read_box(scene, 0, 0), ERR_NOT_FOUND);
}

// ---- standing and ratings

static void test_standing_counts_facts(void **state)
{
	struct scene *scene = *state;
	const Oyez__Standing *now = standing(scene);
	assert_int_equal(now->offers, 1);
	assert_int_equal(now->accepted, 1);
	conclude(scene, 1);
	deal_with(scene, 2);
	support_offer(&scene->support, 1, &scene->release); // another price for the same intent
	support_service_wait(&scene->support, COUNTERSIGN_MS_DEFAULT);
	now = standing(scene);
	assert_int_equal(now->offers, 2);
	assert_int_equal(now->accepted, 2);
	assert_int_equal(now->concluded, 1);
	assert_int_equal(now->lapsed_by_fault, 1);
	support_service_restart(&scene->support);
	assert_int_equal(standing(scene)->concluded, 1);
}

static void test_lapses_without_fault(void **state)
{
	struct scene *scene = *state;
	Oyez__Withdraw withdraw = OYEZ__WITHDRAW__INIT;
	assert_customer_error(support_customer(&scene->support, 1, COMMAND_WITHDRAW, &withdraw.base), ERR_OK);
	scene->release = support_release(&scene->support, 2, support_post(&scene->support));
	scene->offer = support_offer(&scene->support, 1, &scene->release);
	accept_within(scene, 2, MINUTE_MS); // a trap
	support_service_wait(&scene->support, HOUR_MS);
	assert_int_equal(message(scene), ERR_LAPSED);
	deal_with(scene, 3);
	assert_int_equal(countersign(scene), ERR_OK);
	support_service_wait(&scene->support, 8 * DAY_MS); // the customer did not reveal
	assert_int_equal(standing(scene)->lapsed_by_fault, 0);
}

static void test_offers_show_the_standing(void **state)
{
	struct scene *scene = *state;
	const Oyez__Mailbox *mailbox = support_mailbox(&scene->support, 1, 0);
	const Oyez__Standing *shown = standing_in(scene, mailbox->items[0]->offer->standing);
	struct id vendor = support_vendor_id(1);
	assert_memory_equal(shown->vendor_id.data, vendor.bytes, ID_BYTES);
	// Signed once a minute at most: what changed since is not in the next one yet.
	deal_with(scene, 2);
	mailbox = support_mailbox(&scene->support, 2, 0);
	const Oyez__Standing *next = standing_in(scene, mailbox->items[0]->offer->standing);
	assert_int_equal(next->at_ms, shown->at_ms);
	support_service_wait(&scene->support, MINUTE_MS);
	deal_with(scene, 3);
	mailbox = support_mailbox(&scene->support, 3, 0);
	next = standing_in(scene, mailbox->items[0]->offer->standing);
	assert_int_equal(next->offers, 3);
	assert_true(next->at_ms > shown->at_ms);
}

static void test_ratings_come_out_in_fives(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(rate(scene, 5), ERR_NOT_CONCLUDED);
	conclude(scene, 1);
	for (unsigned customer = 2; customer < 12; customer++) {
		assert_int_equal(rate(scene, customer < 7 ? 4 : 5), ERR_OK);
		struct command rated = support->last;
		assert_customer_error(support_send(support, &rated), ERR_OK);
		assert_int_equal(rate(scene, 1), ERR_ALREADY_RATED);
		const Oyez__Standing *now = standing(scene);
		unsigned published = (customer - 1) / 5 * 5;
		assert_int_equal(now->ratings, published);
		assert_int_equal(now->stars, published == 0 ? 0 : published == 5 ? 20 : 45);
		deal_with(scene, customer);
		conclude(scene, customer);
	}
	// min-rating rules go by it: 4.5 of 5 is 9 half stars.
	for (uint32_t band = 9; band <= 10; band++) {
		Oyez__Post *post = support_post(support);
		post->facets->rules = arena_alloc(&support->arena, sizeof *post->facets->rules);
		oyez__vendor_rules__init(post->facets->rules);
		post->facets->rules->rating_band = band;
		scene->release = support_release(support, 20 + band, post);
		Oyez__SendOffer offer = OYEZ__SEND_OFFER__INIT;
		offer.release_id = wire_bytes(scene->release.bytes, RELEASE_ID_BYTES);
		offer.offer_id = support_fresh(support, ID_BYTES);
		offer.expires_at_ms = support->now_ms + DAY_MS;
		offer.sealed = support_fresh(support, 562);
		assert_vendor_error(support_vendor(support, 2, COMMAND_OFFER, &offer.base), ERR_RULES_REFUSED); // no ratings
		assert_vendor_error(support_vendor(support, 1, COMMAND_OFFER, &offer.base),
		                    band == 9 ? ERR_OK : ERR_RULES_REFUSED);
	}
}

// ---- withdrawal, suspension

static void test_withdrawal_has_a_receipt(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	Oyez__Withdraw withdraw = OYEZ__WITHDRAW__INIT;
	const Oyez__CustomerReply *first = support_customer(support, 1, COMMAND_WITHDRAW, &withdraw.base);
	assert_customer_error(first, ERR_OK);
	const Oyez__Signed *proof = first->ack->proof;
	assert_non_null(proof);
	const Oyez__WithdrawalReceipt *receipt =
	    wire_unpack(&support->arena, &oyez__withdrawal_receipt__descriptor, proof->record.data, proof->record.len);
	struct id intent = support_customer_id(1);
	assert_memory_equal(receipt->intent_id.data, intent.bytes, ID_BYTES);
	assert_int_equal(receipt->at_ms, support->now_ms);
	support_service_wait(support, DAY_MS);
	support_service_restart(support);
	const Oyez__CustomerReply *again = support_customer(support, 1, COMMAND_WITHDRAW, &withdraw.base);
	assert_customer_error(again, ERR_OK);
	assert_int_equal(again->ack->proof->record.len, proof->record.len);
	assert_memory_equal(again->ack->proof->record.data, proof->record.data, proof->record.len);
	assert_memory_equal(again->ack->proof->signature.data, proof->signature.data, SIGNATURE_BYTES);
}

static size_t suspensions_in(struct scene *scene, unsigned customer)
{
	const Oyez__Mailbox *mailbox = support_mailbox(&scene->support, customer, 0);
	size_t count = 0;
	for (size_t i = 0; i < mailbox->n_items; i++)
		if (mailbox->items[i]->body_case == OYEZ__MAILBOX_ITEM__BODY_SUSPENDED) {
			assert_string_equal(mailbox->items[i]->suspended->reason, "fraud");
			count++;
		}
	return count;
}

static void test_suspension_reaches_those_it_concerns(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(countersign(scene), ERR_OK); // customer 1: an open deal
	struct release_id release = support_release(support, 2, support_post(support));
	support_offer(support, 1, &release); // customer 2: an open offer
	release = support_release(support, 3, support_post(support));
	support_offer(support, 2, &release); // customer 3: nothing of vendor 1
	assert_false(box(scene)->vendor_suspended);
	suspend(scene);
	suspend(scene); // again says nothing new
	assert_int_equal(suspensions_in(scene, 1), 1);
	assert_int_equal(suspensions_in(scene, 2), 1);
	assert_int_equal(suspensions_in(scene, 3), 0);
	assert_true(box(scene)->vendor_suspended);
	assert_int_equal(message(scene), ERR_VENDOR_SUSPENDED);
	assert_int_equal(vendor_message(scene, 1), ERR_VENDOR_SUSPENDED);
}

static void test_suspended_vendors_may_still_erase(void **state)
{
	struct scene *scene = *state;
	conclude(scene, 1);
	assert_int_equal(erase(scene, 7 * DAY_MS), ERR_OK);
	struct id request = scene->support.last.record_hash;
	suspend(scene);
	assert_int_equal(answer_erasure(scene, 1, &request), ERR_OK);
	assert_int_equal(rate(scene, 1), ERR_OK);
}

// ---- notices

static const Oyez__Notices *notices(struct scene *scene, uint64_t after)
{
	Oyez__GetNotices body = OYEZ__GET_NOTICES__INIT;
	body.after = after;
	struct command command = {.kind = COMMAND_GET_NOTICES, .payload = &body.base};
	const Oyez__CustomerReply *reply = support_send(&scene->support, &command);
	assert_customer_error(reply, ERR_OK);
	return reply->notices;
}

static const Oyez__AdminReply *publish(struct scene *scene, const char *text, size_t deal_count)
{
	Oyez__AdminNotice body = OYEZ__ADMIN_NOTICE__INIT;
	body.text = TEXT(text);
	body.n_deals = deal_count;
	body.deals = arena_alloc(&scene->support.arena, (deal_count + 1) * sizeof *body.deals);
	for (size_t i = 0; i < deal_count; i++)
		body.deals[i] = support_fresh(&scene->support, ID_BYTES);
	return support_admin(&scene->support, COMMAND_ADMIN_NOTICE, &body.base);
}

static void test_notices_form_a_chain(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	assert_int_equal(notices(scene, 0)->n_items, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(publish(scene, "a breach", i * 37 % 150)->body_case, OYEZ__ADMIN_REPLY__BODY_NOTICE);
		support_service_restart(support);
	}
	uint64_t after = 0, seen = 0;
	struct id previous = {{0}};
	bool more = true;
	while (more) {
		const Oyez__Notices *page = notices(scene, after);
		assert_true(page->n_items > 0);
		for (size_t i = 0; i < page->n_items; i++) {
			const Oyez__Signed *item = page->items[i];
			const Oyez__Notice *notice =
			    wire_unpack(&support->arena, &oyez__notice__descriptor, item->record.data, item->record.len);
			assert_int_equal(notice->number, ++seen);
			if (seen == 1)
				assert_int_equal(notice->previous.len, 0);
			else
				assert_memory_equal(notice->previous.data, previous.bytes, ID_BYTES);
			previous = signed_id_of(TAG_RECORD_ID, item);
			after = notice->number;
		}
		more = page->more;
	}
	assert_int_equal(seen, 5);
	assert_int_equal(notices(scene, 5)->n_items, 0);
}

static void test_notices_refused(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	Oyez__AdminNotice body = OYEZ__ADMIN_NOTICE__INIT;
	struct id vendor = support_vendor_id(1);
	ProtobufCBinaryData deal = wire_id(&scene->deal);
	body.text = TEXT("a breach");
	body.from_ms = support->now_ms;
	body.to_ms = support->now_ms - 1;
	const Oyez__AdminReply *reply = support_admin(support, COMMAND_ADMIN_NOTICE, &body.base);
	assert_int_equal(reply->error->code, ERR_BAD_VALUE);
	body.from_ms = body.to_ms = 0;
	body.vendor_id = wire_id(&vendor);
	body.deals = &deal;
	body.n_deals = 1;
	reply = support_admin(support, COMMAND_ADMIN_NOTICE, &body.base);
	assert_int_equal(reply->error->code, ERR_BAD_VALUE);
	char *text = arena_alloc(&support->arena, NOTICE_TEXT_BYTES_MAX + 1), *names[NOTICE_FIELDS_MAX];
	memset(text, 'x', NOTICE_TEXT_BYTES_MAX);
	text[NOTICE_TEXT_BYTES_MAX] = 0;
	Oyez__AdminNotice large = OYEZ__ADMIN_NOTICE__INIT;
	large.text = text;
	for (size_t i = 0; i < NOTICE_FIELDS_MAX; i++)
		names[i] = TEXT("a_name_of_thirty_bytes_________");
	large.fields = names;
	large.n_fields = NOTICE_FIELDS_MAX;
	large.n_deals = NOTICE_DEALS_MAX;
	large.deals = arena_alloc(&support->arena, NOTICE_DEALS_MAX * sizeof *large.deals);
	for (size_t i = 0; i < NOTICE_DEALS_MAX; i++)
		large.deals[i] = support_fresh(support, ID_BYTES);
	reply = support_admin(support, COMMAND_ADMIN_NOTICE, &large.base);
	assert_int_equal(reply->error->code, ERR_TOO_LARGE);
	large.n_fields = 0;
	assert_int_equal(support_admin(support, COMMAND_ADMIN_NOTICE, &large.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_NOTICE);
	assert_int_equal(notices(scene, 0)->n_items, 1); // the largest fits a cell
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_messages_both_ways, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_strangers_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_messages_are_bounded, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_the_box_is_waited_for, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_erasure_in_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_erasure_not_answered, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_deal_outlives_its_intent_by_far, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lapsed_deals_go_with_their_intent, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_standing_counts_facts, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lapses_without_fault, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_offers_show_the_standing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ratings_come_out_in_fives, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_withdrawal_has_a_receipt, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_suspension_reaches_those_it_concerns, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_suspended_vendors_may_still_erase, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_notices_form_a_chain, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_notices_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
