// The service's frame and intents: posting, repeats, expiry, commits that fail, the clock, vendors and the operator.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_service.h"

static int setup(void **state)
{
	struct support_service *support = calloc(1, sizeof *support);
	support_service_open(support);
	*state = support;
	return 0;
}

static int teardown(void **state)
{
	support_service_close(*state);
	free(*state);
	return 0;
}

// ---- helpers

static const Oyez__CustomerReply *post(struct support_service *support, unsigned customer, Oyez__Post *message)
{
	return support_customer(support, customer, COMMAND_POST, &message->base);
}

static const Oyez__CustomerReply *status(struct support_service *support, unsigned customer)
{
	Oyez__ReadStatus message = OYEZ__READ_STATUS__INIT;
	return support_customer(support, customer, COMMAND_READ_STATUS, &message.base);
}

static enum err withdraw(struct support_service *support, unsigned customer)
{
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	return support_customer_error(support_customer(support, customer, COMMAND_WITHDRAW, &message.base));
}

// ---- posts

static void test_post_is_acknowledged_and_repeated(void **state)
{
	struct support_service *support = *state;
	const Oyez__CustomerReply *reply = post(support, 1, support_post(support));
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->status->state, OYEZ__INTENT_STATE__INTENT_WAITING);
	assert_int_equal(reply->status->crowd_want, 1);
	struct command first = support->last;
	support_service_restart(support);
	support_service_wait(support, HOUR_MS);
	reply = support_send(support, &first); // old by now, but known
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->status->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	struct command other = first;
	other.record_hash.bytes[0] ^= 1;
	assert_customer_error(support_send(support, &other), ERR_CONFLICT);
	assert_int_equal(withdraw(support, 1), ERR_OK);
	assert_customer_error(support_send(support, &first), ERR_GONE);
	assert_customer_error(support_send(support, &other), ERR_CONFLICT);
}

static void test_stale_records_are_refused_when_new(void **state)
{
	struct support_service *support = *state;
	struct support_service ahead = *support;
	Oyez__Post *message = support_post(support);
	assert_customer_error(post(support, 1, message), ERR_OK);
	support->last.sender = support_customer_id(2);
	support->last.made_at_ms = ahead.now_ms - RECORD_AGE_MS_MAX - 1;
	assert_customer_error(support_send(support, &support->last), ERR_STALE);
	support->last.made_at_ms = ahead.now_ms + RECORD_AGE_MS_MAX + 1;
	assert_customer_error(support_send(support, &support->last), ERR_STALE);
	support->last.made_at_ms = ahead.now_ms - RECORD_AGE_MS_MAX;
	assert_customer_error(support_send(support, &support->last), ERR_OK);
}

static void expect_refusal(struct support_service *support, Oyez__Post *message, enum err code, const char *detail)
{
	const Oyez__CustomerReply *reply = post(support, 9, message);
	assert_customer_error(reply, code);
	if (detail && !strstr(reply->error->detail, detail))
		fail_msg("the detail \"%s\" does not say \"%s\"", reply->error->detail, detail);
}

static void test_posts_are_validated(void **state)
{
	struct support_service *support = *state;
	Oyez__Post *message = support_post(support);
	message->facets->category = TEXT("home.kitchen.cofee-machine");
	expect_refusal(support, message, ERR_UNKNOWN_CATEGORY, "home.kitchen.coffee-machine");
	message = support_post(support);
	message->facets->region = TEXT("FR-5");
	expect_refusal(support, message, ERR_UNKNOWN_REGION, "FR-5");
	message = support_post(support);
	message->facets->budget->currency = TEXT("EUX");
	expect_refusal(support, message, ERR_UNKNOWN_CURRENCY, NULL);
	message = support_post(support);
	message->facets->terms = TEXT("SD-NOTHING");
	expect_refusal(support, message, ERR_UNKNOWN_TERMS, "SD-BASE");
	message = support_post(support);
	message->facets->category = TEXT("");
	expect_refusal(support, message, ERR_MISSING_FIELD, "category");
	message = support_post(support);
	message->expires_at_ms = support->now_ms;
	expect_refusal(support, message, ERR_PAST_DATE, "expires");
	message->expires_at_ms = support->now_ms + 500;
	expect_refusal(support, message, ERR_BAD_VALUE, "1s");
	message->expires_at_ms = support->now_ms + 91 * DAY_MS;
	expect_refusal(support, message, ERR_BAD_VALUE, "90d");
	message = support_post(support);
	message->needed_by_day = (uint32_t)(support->now_ms / DAY_MS) - 1;
	expect_refusal(support, message, ERR_PAST_DATE, "needed_by");
	message = support_post(support);
	message->facets->budget->min_e4 = 300 * 10000;
	expect_refusal(support, message, ERR_BAD_VALUE, "budget");
}

// Looking for suggestions is slow: a flood of mistyped words must not hold up the state thread.
static void test_a_batch_has_few_suggestions(void **state)
{
	struct support_service *support = *state;
	Oyez__Post *message = support_post(support);
	message->facets->category = TEXT("home.kitchen.cofee-machine");
	expect_refusal(support, message, ERR_UNKNOWN_CATEGORY, "home.kitchen.coffee-machine");
	service_begin(support->service, support->now_ms);
	struct command again = support->last;
	for (again.origin = 1000; again.origin < 1020; again.origin++)
		service_apply(support->service, &again);
	assert_int_equal(service_commit(support->service), ERR_OK);
	int suggested = 0, plain = 0;
	struct effect effect;
	while (service_effect_next(support->service, &effect)) {
		Oyez__CustomerReply *reply = oyez__customer_reply__unpack(NULL, effect.count, effect.bytes);
		assert_int_equal(reply->error->code, ERR_UNKNOWN_CATEGORY);
		if (strcmp(reply->error->detail, "category") == 0)
			plain++;
		else
			suggested++;
		oyez__customer_reply__free_unpacked(reply, NULL);
	}
	assert_int_equal(suggested, 4);
	assert_int_equal(plain, 16);
}

static void test_budget_is_banded_by_the_broker(void **state)
{
	struct support_service *support = *state;
	Oyez__Post *message = support_post(support);
	message->facets->budget->min_e4 = 1890000;
	message->facets->budget->max_e4 = 2500000;
	support_release(support, 1, message);
	const Oyez__Status *now = status(support, 1)->status;
	const Oyez__Release *release =
	    wire_unpack(&support->arena, &oyez__release__descriptor, now->release.data, now->release.len);
	assert_int_equal(release->facets->budget->min_e4, 1000000);
	assert_int_equal(release->facets->budget->max_e4, 5000000);
	assert_int_equal(release->crowd, 1);
	assert_int_equal(release->expires, OYEZ__EXPIRY_BAND__EXPIRY_7D);
	struct codec_detail detail;
	assert_int_equal(codec_check(&release->base, &detail), ERR_OK);
}

static void test_estimate_counts_published_releases(void **state)
{
	struct support_service *support = *state;
	assert_int_equal(post(support, 1, support_post(support))->status->crowd_estimate, 0);
	assert_int_equal(post(support, 2, support_post(support))->status->crowd_estimate, 0); // 1 waits: not told
	support_service_wait(support, support->config.tick_ms);
	assert_int_equal(post(support, 3, support_post(support))->status->crowd_estimate, 2);
	Oyez__Post *elsewhere = support_post(support);
	elsewhere->facets->region = TEXT("DE");
	assert_int_equal(post(support, 4, elsewhere)->status->crowd_estimate, 0);
	support_service_restart(support);
	assert_int_equal(post(support, 5, support_post(support))->status->crowd_estimate, 2);
	support_service_wait(support, 25 * HOUR_MS);
	assert_int_equal(post(support, 6, support_post(support))->status->crowd_estimate, 0);
}

// ---- ends

static void test_expiry(void **state)
{
	struct support_service *support = *state;
	Oyez__Post *message = support_post(support);
	message->expires_at_ms = support->now_ms + HOUR_MS;
	support_vendor_join(support, 1);
	struct release_id release = support_release(support, 1, message);
	support_offer(support, 1, &release);
	support_service_wait(support, HOUR_MS);
	assert_int_equal(status(support, 1)->status->state, OYEZ__INTENT_STATE__INTENT_EXPIRED);
	assert_int_equal(status(support, 1)->status->release.len, 0);
	assert_int_equal(support_inbox(support, 1, 0)->items[0]->gone, OYEZ__GONE_REASON__GONE_EXPIRED);
	assert_int_equal(withdraw(support, 1), ERR_GONE);
	support_service_wait(support, support->config.retention_ms);
	assert_customer_error(status(support, 1), ERR_NOT_FOUND);
}

static void test_withdrawn_content_is_unreadable(void **state)
{
	struct support_service *support = *state;
	struct intent row;
	struct bytes bytes;
	struct id id = support_customer_id(1);
	post(support, 1, support_post(support));
	assert_int_equal(withdraw(support, 1), ERR_OK);
	store_begin(support->store);
	assert_true(store_intent_find(support->store, &id, &row));
	assert_false(store_intent_post(support->store, &row, &support->arena, &bytes));
	store_abort(support->store);
	support_service_wait(support, support->config.tick_ms);
	assert_int_equal(status(support, 1)->status->state, OYEZ__INTENT_STATE__INTENT_WITHDRAWN);
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	assert_customer_error(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base), ERR_GONE);
	assert_int_equal(withdraw(support, 2), ERR_NOT_FOUND);
}

// ---- commits and the clock

static void test_failed_commit_undoes_everything(void **state)
{
	struct support_service *support = *state;
	struct service_numbers before, after;
	service_numbers(support->service, &before);
	store_fail_commits(support->store, ERR_STORAGE_FULL);
	assert_customer_error(post(support, 1, support_post(support)), ERR_STORAGE_FULL);
	store_fail_commits(support->store, ERR_OK);
	service_numbers(support->service, &after);
	assert_int_equal(after.intents_waiting, 0);
	assert_int_equal(after.posts, before.posts);
	assert_int_equal(after.commit_failures, 1);
	assert_customer_error(support_send(support, &support->last), ERR_OK); // the same bytes, later
	service_numbers(support->service, &after);
	assert_int_equal(after.intents_waiting + after.intents_released, 1);
}

static void test_failed_commit_answers_parked_requests(void **state)
{
	struct support_service *support = *state;
	post(support, 1, support_post(support));
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	read.wait_ms = 10000;
	assert_null(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base));
	uint64_t origin = support->last_origin;
	store_fail_commits(support->store, ERR_UNAVAILABLE);
	support_batch(support);
	store_fail_commits(support->store, ERR_OK);
	assert_customer_error(support_parked_reply(support, origin), ERR_UNAVAILABLE);
}

static void test_clock_jump_holds_expiry(void **state)
{
	struct support_service *support = *state;
	struct service_numbers numbers;
	Oyez__Post *message = support_post(support);
	message->expires_at_ms = support->now_ms + DAY_MS;
	support_release(support, 1, message);
	support->now_ms += 2 * DAY_MS; // somebody set the clock
	support_batch(support);
	service_numbers(support->service, &numbers);
	assert_true(numbers.clock_held);
	assert_int_equal(status(support, 1)->status->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	Oyez__AdminConfirmClock confirm = OYEZ__ADMIN_CONFIRM_CLOCK__INIT;
	assert_int_equal(support_admin(support, COMMAND_ADMIN_CONFIRM_CLOCK, &confirm.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_ACK);
	assert_int_equal(status(support, 1)->status->state, OYEZ__INTENT_STATE__INTENT_EXPIRED);
}

static void test_slow_tick_is_no_jump(void **state)
{
	struct support_service *support = *state;
	support->config.tick_ms = 5 * HOUR_MS;
	service_reconfigure(support->service, &support->config);
	for (int i = 0; i < 200; i++) {
		support->now_ms = service_next_ms(support->service);
		support_batch(support);
	}
	struct service_numbers numbers;
	service_numbers(support->service, &numbers);
	assert_false(numbers.clock_held);
}

static void test_clock_never_goes_back(void **state)
{
	struct support_service *support = *state;
	uint64_t later = support->now_ms + 30 * MINUTE_MS;
	support->now_ms = later;
	assert_customer_error(post(support, 1, support_post(support)), ERR_OK);
	support->now_ms = later - 20 * MINUTE_MS;
	support_service_restart(support);
	support->last.sender = support_customer_id(2);
	support->last.made_at_ms = later - 15 * MINUTE_MS; // fresh by the clock, stale by the time already seen
	assert_customer_error(support_send(support, &support->last), ERR_STALE);
}

static void test_downtime_is_no_jump(void **state)
{
	struct support_service *support = *state;
	struct service_numbers numbers;
	support_release(support, 1, support_post(support));
	support->now_ms += 3 * DAY_MS;
	support_service_restart(support);
	support_batch(support);
	service_numbers(support->service, &numbers);
	assert_false(numbers.clock_held);
}

// ---- long polls of customers

static void test_mailbox_waits(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct release_id release = support_release(support, 1, support_post(support));
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	read.wait_ms = 20000;
	assert_null(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base));
	uint64_t origin = support->last_origin;
	struct service_numbers numbers;
	service_numbers(support->service, &numbers);
	assert_int_equal(numbers.parked, 1);
	// The offer's own reply is taken by support_offer; both come in one batch, so look at them by hand.
	Oyez__SendOffer offer = OYEZ__SEND_OFFER__INIT;
	offer.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	offer.offer_id = support_fresh(support, ID_BYTES);
	offer.expires_at_ms = support->now_ms + DAY_MS;
	offer.sealed = support_fresh(support, 562);
	struct command command = {.kind = COMMAND_OFFER, .origin = 0, .now_ms = support->now_ms};
	command.made_at_ms = support->now_ms;
	command.sender = support_vendor_id(1);
	command.payload = &offer.base;
	service_begin(support->service, support->now_ms);
	service_apply(support->service, &command);
	service_commit(support->service);
	const Oyez__CustomerReply *reply = support_parked_reply(support, origin);
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->mailbox->n_items, 1);
	assert_int_equal(reply->mailbox->next, 1);

	read.after = 1;
	assert_null(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base));
	origin = support->last_origin;
	support->now_ms += 19999;
	support_batch(support);
	assert_null(support_parked_reply(support, origin));
	support->now_ms += 1;
	support_batch(support);
	reply = support_parked_reply(support, origin);
	assert_customer_error(reply, ERR_OK);
	assert_int_equal(reply->mailbox->n_items, 0);
	assert_int_equal(reply->mailbox->next, 1);
}

static void test_parked_requests_are_bounded_and_cancelled(void **state)
{
	struct support_service *support = *state;
	struct service_numbers numbers;
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	read.wait_ms = 20000;
	post(support, 1, support_post(support));
	for (uint32_t i = 0; i < support->config.parked_max; i++)
		assert_null(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base));
	assert_customer_error(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base), ERR_BUSY);
	service_cancel(support->service, support->last_origin - 2); // the one parked last: each request takes two numbers
	service_numbers(support->service, &numbers);
	assert_int_equal(numbers.parked, support->config.parked_max - 1);
	service_unpark_all(support->service);
	struct effect effect;
	uint32_t answered = 0;
	while (service_effect_next(support->service, &effect))
		answered++;
	assert_int_equal(answered, support->config.parked_max - 1);
}

static void test_mailbox_reply_fits_a_cell(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	support_vendor_join(support, 2);
	struct release_id release = support_release(support, 1, support_post(support));
	for (unsigned i = 0; i < 6; i++) {
		Oyez__SendQuestion question = OYEZ__SEND_QUESTION__INIT;
		question.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
		question.question_id = support_fresh(support, ID_BYTES);
		question.sealed = support_fresh(support, SEALED_BYTES_MAX);
		assert_vendor_error(support_vendor(support, 1 + i % 2, COMMAND_QUESTION, &question.base), ERR_OK);
	}
	uint64_t after = 0;
	for (unsigned i = 0; i < 6; i++) {
		const Oyez__Mailbox *mailbox = support_mailbox(support, 1, after);
		assert_int_equal(mailbox->n_items, 1); // two of this size do not fit
		assert_int_equal(mailbox->more, i < 5);
		assert_true(oyez__mailbox__get_packed_size(mailbox) < 8192 - 52 - 8);
		after = mailbox->next;
	}
}

// ---- vendors

static void test_vendors_wait_for_approval(void **state)
{
	struct support_service *support = *state;
	support->config.vendors_open = false;
	service_reconfigure(support->service, &support->config);
	struct id subscription = support_vendor_join(support, 1), vendor = support_vendor_id(1);
	Oyez__FetchPair pair = OYEZ__FETCH_PAIR__INIT, *pairs[] = {&pair};
	Oyez__Fetch fetch = OYEZ__FETCH__INIT;
	pair.subscription_id = wire_id(&subscription);
	fetch.pairs = pairs;
	fetch.n_pairs = 1;
	assert_vendor_error(support_vendor(support, 1, COMMAND_FETCH, &fetch.base), ERR_VENDOR_PENDING);
	assert_vendor_error(support_vendor(support, 2, COMMAND_FETCH, &fetch.base), ERR_VENDOR_UNKNOWN);
	Oyez__AdminApprove approve = OYEZ__ADMIN_APPROVE__INIT;
	approve.vendor_id = wire_id(&vendor);
	assert_int_equal(support_admin(support, COMMAND_ADMIN_APPROVE, &approve.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_ACK);
	assert_vendor_error(support_vendor(support, 1, COMMAND_FETCH, &fetch.base), ERR_OK);
	Oyez__AdminSuspend suspend = OYEZ__ADMIN_SUSPEND__INIT;
	suspend.vendor_id = wire_id(&vendor);
	suspend.reason = TEXT("spam");
	support_admin(support, COMMAND_ADMIN_SUSPEND, &suspend.base);
	assert_vendor_error(support_vendor(support, 1, COMMAND_FETCH, &fetch.base), ERR_VENDOR_SUSPENDED);
	support_service_wait(support, MINUTE_MS);
	// A new listing does not lift a suspension (the subscription that support_vendor_join adds is refused).
	Oyez__ShowVendor show = OYEZ__SHOW_VENDOR__INIT;
	const Oyez__Reply *reply = support_vendor(support, 1, COMMAND_SHOW_VENDOR, &show.base);
	assert_int_equal(reply->vendor->status, OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED);
	assert_non_null(reply->vendor->listing);
}

static void test_limits_on_answers(void **state)
{
	struct support_service *support = *state;
	for (unsigned vendor = 1; vendor <= 4; vendor++)
		support_vendor_join(support, vendor);
	struct release_id release = support_release(support, 1, support_post(support));
	struct id first = support_offer(support, 1, &release);
	support_offer(support, 2, &release);
	support_offer(support, 3, &release);
	Oyez__SendOffer *offer = arena_alloc(&support->arena, sizeof *offer);
	oyez__send_offer__init(offer);
	offer->release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	offer->offer_id = support_fresh(support, ID_BYTES);
	offer->expires_at_ms = support->now_ms + DAY_MS;
	offer->sealed = support_fresh(support, 562);
	assert_vendor_error(support_vendor(support, 4, COMMAND_OFFER, &offer->base), ERR_VENDOR_LIMIT);
	struct id newer = support_offer(support, 1, &release); // replaces: takes no further place
	Oyez__Decline decline = OYEZ__DECLINE__INIT;
	decline.offer_id = wire_id(&first);
	decline.reason = TEXT("price");
	assert_customer_error(support_customer(support, 1, COMMAND_DECLINE, &decline.base), ERR_OFFER_REPLACED);
	decline.offer_id = wire_id(&newer);
	assert_customer_error(support_customer(support, 1, COMMAND_DECLINE, &decline.base), ERR_OK);
	assert_int_equal(support_inbox(support, 1, 0)->items[0]->body_case, OYEZ__INBOX_ITEM__BODY_DECLINED);
	support_offer(support, 4, &release); // the declined vendor's place
	const Oyez__Mailbox *mailbox = support_mailbox(support, 1, 0);
	assert_int_equal(mailbox->n_items, 3);
}

static void test_late_older_offer_gives_way(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct release_id release = support_release(support, 1, support_post(support));
	struct id offer = support_offer(support, 1, &release);
	struct command newer = support->last;
	Oyez__SendOffer late = *(const Oyez__SendOffer *)newer.payload;
	late.offer_id = support_fresh(support, ID_BYTES);
	newer.payload = &late.base;
	newer.record_hash.bytes[0] ^= 1;
	newer.made_at_ms -= 1000;
	assert_vendor_error(support_send(support, &newer), ERR_OK);
	const Oyez__Mailbox *mailbox = support_mailbox(support, 1, 0);
	assert_int_equal(mailbox->n_items, 1);
	assert_memory_equal(mailbox->items[0]->offer->id.data, offer.bytes, ID_BYTES);
}

static void test_named_lists_drop_in_silence(void **state)
{
	struct support_service *support = *state;
	struct id blocked = support_vendor_id(2);
	struct id subscription = support_vendor_join(support, 2);
	support_vendor_join(support, 1);
	Oyez__Post *message = support_post(support);
	ProtobufCBinaryData block[] = {wire_id(&blocked)};
	message->block = block;
	message->n_block = 1;
	struct release_id release = support_release(support, 1, message);
	assert_int_equal(support_fetch(support, 2, &subscription, (ProtobufCBinaryData){0})->n_items, 1);
	support_offer(support, 2, &release); // acknowledged as usual
	assert_int_equal(support_mailbox(support, 1, 0)->n_items, 0);
	support_offer(support, 1, &release);
	assert_int_equal(support_mailbox(support, 1, 0)->n_items, 1);
	assert_int_equal(withdraw(support, 1), ERR_OK);
	assert_int_equal(support_inbox(support, 2, 0)->items[0]->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
}

static void test_rules_and_terms(void **state)
{
	struct support_service *support = *state;
	char *countries[] = {TEXT("DE")};
	Oyez__VendorRules rules = OYEZ__VENDOR_RULES__INIT;
	rules.countries = countries;
	rules.n_countries = 1;
	struct id subscription = support_vendor_join(support, 1);
	Oyez__Post *message = support_post(support);
	message->facets->rules = &rules;
	struct release_id release = support_release(support, 1, message);
	assert_int_equal(support_fetch(support, 1, &subscription, (ProtobufCBinaryData){0})->n_items, 0);
	Oyez__SendQuestion question = OYEZ__SEND_QUESTION__INIT;
	question.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	question.question_id = support_fresh(support, ID_BYTES);
	question.sealed = support_fresh(support, 562);
	assert_vendor_error(support_vendor(support, 1, COMMAND_QUESTION, &question.base), ERR_RULES_REFUSED);
	question.release_id.data[0] ^= 1;
	assert_vendor_error(support_vendor(support, 1, COMMAND_QUESTION, &question.base), ERR_NOT_FOUND);
}

static void test_question_and_answer(void **state)
{
	struct support_service *support = *state;
	support_vendor_join(support, 1);
	struct release_id release = support_release(support, 1, support_post(support));
	Oyez__SendQuestion question = OYEZ__SEND_QUESTION__INIT;
	question.release_id = wire_bytes(release.bytes, RELEASE_ID_BYTES);
	question.sealed = support_fresh(support, 562);
	for (int i = 0; i < QUESTIONS_PER_VENDOR_MAX; i++) {
		question.question_id = support_fresh(support, ID_BYTES);
		assert_vendor_error(support_vendor(support, 1, COMMAND_QUESTION, &question.base), ERR_OK);
	}
	Oyez__Answer answer = OYEZ__ANSWER__INIT;
	answer.question_id = question.question_id;
	answer.sealed = support_fresh(support, 562);
	question.question_id = support_fresh(support, ID_BYTES);
	assert_vendor_error(support_vendor(support, 1, COMMAND_QUESTION, &question.base), ERR_QUESTION_LIMIT);
	assert_customer_error(support_customer(support, 1, COMMAND_ANSWER, &answer.base), ERR_OK);
	assert_customer_error(support_send(support, &support->last), ERR_OK);
	assert_customer_error(support_customer(support, 1, COMMAND_ANSWER, &answer.base), ERR_CONFLICT);
	const Oyez__Inbox *inbox = support_inbox(support, 1, 0);
	assert_int_equal(inbox->n_items, 1);
	assert_memory_equal(inbox->items[0]->answer->question_id.data, answer.question_id.data, ID_BYTES);
	assert_memory_equal(inbox->items[0]->release_id.data, release.bytes, RELEASE_ID_BYTES);
}

static void test_admin_status_and_vendors(void **state)
{
	struct support_service *support = *state;
	for (unsigned vendor = 1; vendor <= 3; vendor++)
		support_vendor_join(support, vendor);
	post(support, 1, support_post(support));
	Oyez__AdminStatus status_message = OYEZ__ADMIN_STATUS__INIT;
	const Oyez__StatusReport *report = support_admin(support, COMMAND_ADMIN_STATUS, &status_message.base)->status;
	assert_int_equal(report->vendors, 3);
	assert_int_equal(report->subscriptions, 3);
	assert_int_equal(report->intents_waiting, 1);
	assert_string_equal(report->version, "test");
	Oyez__AdminVendors vendors = OYEZ__ADMIN_VENDORS__INIT;
	const Oyez__VendorList *list = support_admin(support, COMMAND_ADMIN_VENDORS, &vendors.base)->vendors;
	assert_int_equal(list->n_items, 3);
	assert_false(list->more);
	Oyez__AdminCompact compact = OYEZ__ADMIN_COMPACT__INIT;
	assert_int_equal(support_admin(support, COMMAND_ADMIN_COMPACT, &compact.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_ACK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_post_is_acknowledged_and_repeated),
	    TEST(test_stale_records_are_refused_when_new),
	    TEST(test_posts_are_validated),
	    TEST(test_a_batch_has_few_suggestions),
	    TEST(test_budget_is_banded_by_the_broker),
	    TEST(test_estimate_counts_published_releases),
	    TEST(test_expiry),
	    TEST(test_withdrawn_content_is_unreadable),
	    TEST(test_failed_commit_undoes_everything),
	    TEST(test_failed_commit_answers_parked_requests),
	    TEST(test_clock_jump_holds_expiry),
	    TEST(test_slow_tick_is_no_jump),
	    TEST(test_clock_never_goes_back),
	    TEST(test_downtime_is_no_jump),
	    TEST(test_mailbox_waits),
	    TEST(test_parked_requests_are_bounded_and_cancelled),
	    TEST(test_mailbox_reply_fits_a_cell),
	    TEST(test_vendors_wait_for_approval),
	    TEST(test_limits_on_answers),
	    TEST(test_late_older_offer_gives_way),
	    TEST(test_named_lists_drop_in_silence),
	    TEST(test_rules_and_terms),
	    TEST(test_question_and_answer),
	    TEST(test_admin_status_and_vendors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
