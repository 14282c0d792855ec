// Deals through the service: the whole way, and each way out of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_service.h"

// ---- helpers

static enum err reveal(struct support_service *support, unsigned customer, const struct id *deal)
{
	Oyez__Reveal message = OYEZ__REVEAL__INIT;
	message.deal_id = wire_id(deal);
	message.sealed = support_fresh(support, 562);
	return support_customer_error(support_customer(support, customer, COMMAND_REVEAL, &message.base));
}

static enum err receipt(struct support_service *support, unsigned vendor, const struct id *deal)
{
	Oyez__Receipt message = OYEZ__RECEIPT__INIT;
	message.deal_id = wire_id(deal);
	return support_vendor_error(support_vendor(support, vendor, COMMAND_RECEIPT, &message.base));
}

static enum err countersign(struct support_service *support, unsigned vendor, const struct id *deal)
{
	Oyez__Countersign *message = support_countersign_message(support, deal);
	return support_vendor_error(support_vendor(support, vendor, COMMAND_COUNTERSIGN, &message->base));
}

static enum err withdraw(struct support_service *support, unsigned customer)
{
	Oyez__Withdraw message = OYEZ__WITHDRAW__INIT;
	return support_customer_error(support_customer(support, customer, COMMAND_WITHDRAW, &message.base));
}

static const Oyez__Status *status(struct support_service *support, unsigned customer)
{
	Oyez__ReadStatus message = OYEZ__READ_STATUS__INIT;
	const Oyez__CustomerReply *reply = support_customer(support, customer, COMMAND_READ_STATUS, &message.base);
	assert_customer_error(reply, ERR_OK);
	return reply->status;
}

static const Oyez__InboxItem *last_inbox_item(struct support_service *support, unsigned vendor)
{
	const Oyez__Inbox *inbox = support_inbox(support, vendor, 0);
	assert_true(inbox->n_items > 0);
	return inbox->items[inbox->n_items - 1];
}

static Oyez__OutcomeResult outcome_in(struct support_service *support, const Oyez__Signed *outcome)
{
	const Oyez__Outcome *message =
	    wire_unpack(&support->arena, &oyez__outcome__descriptor, outcome->record.data, outcome->record.len);
	assert_non_null(message);
	return message->result;
}

struct scene {
	struct support_service support;
	struct release_id release;
	struct id subscription, offer, other_offer;
};

// Customer 1 has offers of vendors 1 and 2.
static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	support_service_open(&scene->support);
	scene->subscription = support_vendor_join(&scene->support, 1);
	support_vendor_join(&scene->support, 2);
	scene->release = support_release(&scene->support, 1, support_post(&scene->support));
	scene->offer = support_offer(&scene->support, 1, &scene->release);
	scene->other_offer = support_offer(&scene->support, 2, &scene->release);
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

// ---- tests

static void test_whole_deal(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	const Oyez__Mailbox *mailbox = support_mailbox(support, 1, 0);
	assert_int_equal(mailbox->n_items, 2);
	assert_int_equal(mailbox->items[0]->body_case, OYEZ__MAILBOX_ITEM__BODY_OFFER);
	assert_memory_equal(mailbox->items[0]->offer->id.data, scene->offer.bytes, ID_BYTES);
	assert_non_null(mailbox->items[0]->offer->listing);

	struct id deal = support_accept(support, 1, &scene->offer);
	const Oyez__InboxItem *item = last_inbox_item(support, 1);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_AGREEMENT);
	assert_memory_equal(item->deal_id.data, deal.bytes, ID_BYTES);
	assert_int_equal(support_inbox(support, 2, 0)->n_items, 0); // accepting publishes nothing

	assert_int_equal(reveal(support, 1, &deal), ERR_NOT_COUNTERSIGNED);
	assert_int_equal(countersign(support, 2, &deal), ERR_NOT_YOURS);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	item = last_inbox_item(support, 1);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_OUTCOME);
	assert_int_equal(outcome_in(support, item->outcome), OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED);
	item = last_inbox_item(support, 2);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_GONE);
	assert_int_equal(item->gone, OYEZ__GONE_REASON__GONE_TAKEN);
	mailbox = support_mailbox(support, 1, mailbox->next);
	assert_int_equal(mailbox->n_items, 1);
	assert_int_equal(mailbox->items[0]->body_case, OYEZ__MAILBOX_ITEM__BODY_COUNTERSIGNED);
	assert_int_equal(withdraw(support, 1), ERR_DEAL_OPEN);

	assert_int_equal(receipt(support, 1, &deal), ERR_NOT_REVEALED);
	assert_int_equal(reveal(support, 1, &deal), ERR_OK);
	item = last_inbox_item(support, 1);
	assert_int_equal(item->body_case, OYEZ__INBOX_ITEM__BODY_REVEAL);
	assert_int_equal(reveal(support, 1, &deal), ERR_CONFLICT); // another record for the same deal
	assert_int_equal(receipt(support, 2, &deal), ERR_NOT_YOURS);
	assert_int_equal(receipt(support, 1, &deal), ERR_OK);
	assert_int_equal(receipt(support, 1, &deal), ERR_OK);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_CONCLUDED);
	assert_int_equal(status(support, 1)->deals[0]->state, OYEZ__DEAL_STATE__DEAL_CONCLUDED);
	assert_int_equal(last_inbox_item(support, 2)->gone, OYEZ__GONE_REASON__GONE_TAKEN);
	assert_int_equal(support_inbox(support, 2, 0)->n_items, 1); // told once
}

static void test_repeats_give_the_same_answer(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	struct command accept = support->last;
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	struct command sign = support->last;
	support_service_wait(support, HOUR_MS); // older than a first-seen record may be
	for (int i = 0; i < 2; i++) {
		assert_customer_error(support_send(support, &accept), ERR_OK);
		assert_vendor_error(support_send(support, &sign), ERR_OK);
		support_service_restart(support);
	}
	accept.record_hash.bytes[0] ^= 1;
	sign.record_hash.bytes[0] ^= 1;
	assert_customer_error(support_send(support, &accept), ERR_CONFLICT);
	assert_vendor_error(support_send(support, &sign), ERR_STALE);
	sign.made_at_ms = support->now_ms;
	assert_vendor_error(support_send(support, &sign), ERR_CONFLICT);
	assert_int_equal(status(support, 1)->n_deals, 1);
}

static void test_lapse_reopens_the_offer(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	Oyez__Accept *again = support_accept_message(support, &scene->other_offer);
	assert_customer_error(support_customer(support, 1, COMMAND_ACCEPT, &again->base), ERR_DEAL_LIMIT);
	support_service_wait(support, COUNTERSIGN_MS_DEFAULT);
	assert_int_equal(status(support, 1)->deals[0]->state, OYEZ__DEAL_STATE__DEAL_LAPSED);
	assert_int_equal(countersign(support, 1, &deal), ERR_LAPSED);
	const Oyez__InboxItem *item = last_inbox_item(support, 1);
	assert_int_equal(outcome_in(support, item->outcome), OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED);
	const Oyez__Mailbox *mailbox = support_mailbox(support, 1, 2);
	assert_int_equal(mailbox->items[0]->body_case, OYEZ__MAILBOX_ITEM__BODY_OUTCOME);
	assert_int_equal(support_inbox(support, 2, 0)->n_items, 0);
	struct id second = support_accept(support, 1, &scene->offer);
	assert_int_equal(countersign(support, 1, &second), ERR_OK);
}

static void test_countersigned_deal_lapses_without_reveal(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	support_service_wait(support, 6 * DAY_MS);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	support_service_wait(support, DAY_MS + HOUR_MS); // past both the intent's end and the reveal's deadline
	assert_int_equal(reveal(support, 1, &deal), ERR_LAPSED);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_EXPIRED);
	assert_int_equal(status(support, 1)->deals[0]->state, OYEZ__DEAL_STATE__DEAL_LAPSED);
}

static void test_deal_outlives_its_intent(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	support_service_wait(support, 2 * DAY_MS);
	struct id offer = support_offer(support, 1, &scene->release);
	support_service_wait(support, 2 * DAY_MS);
	struct id deal = support_accept(support, 1, &offer);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	support_service_wait(support, 4 * DAY_MS);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_EXPIRED);
	assert_true(support_mailbox(support, 1, 0)->n_items > 0); // kept until the deal ends
	assert_int_equal(reveal(support, 1, &deal), ERR_OK);
	assert_int_equal(receipt(support, 1, &deal), ERR_OK);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_EXPIRED);
	assert_int_equal(status(support, 1)->deals[0]->state, OYEZ__DEAL_STATE__DEAL_CONCLUDED);
	Oyez__ReadMailbox read = OYEZ__READ_MAILBOX__INIT;
	assert_customer_error(support_customer(support, 1, COMMAND_READ_MAILBOX, &read.base), ERR_GONE);
}

static void test_withdraw_cancels_what_is_not_bound(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	assert_int_equal(withdraw(support, 1), ERR_OK);
	assert_int_equal(withdraw(support, 1), ERR_OK);
	assert_int_equal(countersign(support, 1, &deal), ERR_LAPSED);
	const Oyez__InboxItem *item = last_inbox_item(support, 2);
	assert_int_equal(item->gone, OYEZ__GONE_REASON__GONE_WITHDRAWN);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_WITHDRAWN);
	Oyez__Accept *again = support_accept_message(support, &scene->other_offer);
	assert_customer_error(support_customer(support, 1, COMMAND_ACCEPT, &again->base), ERR_GONE);
}

static void test_concludes_without_receipt(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	assert_int_equal(reveal(support, 1, &deal), ERR_OK);
	support_service_wait(support, CONCLUDE_AFTER_REVEAL_MS);
	assert_int_equal(status(support, 1)->state, OYEZ__INTENT_STATE__INTENT_CONCLUDED);
	assert_int_equal(receipt(support, 1, &deal), ERR_OK); // late, and harmless
}

static void test_two_deals(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	Oyez__Post *post = support_post(support);
	post->deals_max = 2;
	struct release_id release = support_release(support, 2, post);
	struct id first = support_offer(support, 1, &release), second = support_offer(support, 2, &release);
	struct id deal = support_accept(support, 2, &first), other = support_accept(support, 2, &second);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	assert_int_equal(reveal(support, 2, &deal), ERR_OK);
	assert_int_equal(receipt(support, 1, &deal), ERR_OK);
	assert_int_equal(status(support, 2)->state, OYEZ__INTENT_STATE__INTENT_RELEASED);
	assert_int_equal(countersign(support, 2, &other), ERR_OK);
	assert_int_equal(reveal(support, 2, &other), ERR_OK);
	assert_int_equal(receipt(support, 2, &other), ERR_OK);
	assert_int_equal(status(support, 2)->state, OYEZ__INTENT_STATE__INTENT_CONCLUDED);
}

static void test_suspended_vendor_gets_no_card(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer), vendor = support_vendor_id(1);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
	Oyez__AdminSuspend suspend = OYEZ__ADMIN_SUSPEND__INIT;
	suspend.vendor_id = wire_id(&vendor);
	suspend.reason = TEXT("fraud");
	assert_int_equal(support_admin(support, COMMAND_ADMIN_SUSPEND, &suspend.base)->body_case,
	                 OYEZ__ADMIN_REPLY__BODY_ACK);
	assert_int_equal(reveal(support, 1, &deal), ERR_VENDOR_SUSPENDED);
}

static void test_junk_countersignature(void **state)
{
	struct scene *scene = *state;
	struct support_service *support = &scene->support;
	struct id deal = support_accept(support, 1, &scene->offer);
	Oyez__Countersign *junk = support_countersign_message(support, &deal);
	junk->signature.data[0] = 'x';
	assert_vendor_error(support_vendor(support, 1, COMMAND_COUNTERSIGN, &junk->base), ERR_BAD_COUNTERSIGNATURE);
	junk = support_countersign_message(support, &deal);
	junk->signature_hash.data[0] ^= 1;
	assert_vendor_error(support_vendor(support, 1, COMMAND_COUNTERSIGN, &junk->base), ERR_BAD_COUNTERSIGNATURE);
	assert_int_equal(countersign(support, 1, &deal), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_whole_deal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_repeats_give_the_same_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lapse_reopens_the_offer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_countersigned_deal_lapses_without_reveal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_deal_outlives_its_intent, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_withdraw_cancels_what_is_not_bound, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_concludes_without_receipt, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_two_deals, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_suspended_vendor_gets_no_card, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_junk_countersignature, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
