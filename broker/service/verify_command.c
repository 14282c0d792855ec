// The tables from message bodies to commands. A new command is one line here and one in COMMAND_LIST.
#include "verify_internal.h"

static bool put(struct command *command, enum command_kind kind, const ProtobufCMessage *payload)
{
	command->kind = kind;
	command->payload = payload;
	return true;
}

#define CASE(MESSAGE, CONSTANT, member, COMMAND)                                                                       \
	case OYEZ__##MESSAGE##__BODY_##CONSTANT:                                                                           \
		return put(command, COMMAND_##COMMAND, &(member)->base)

bool command_of_customer(const Oyez__CustomerRecord *record, struct command *command)
{
	switch (record->body_case) {
		CASE(CUSTOMER_RECORD, POST, record->post, POST);
		CASE(CUSTOMER_RECORD, WITHDRAW, record->withdraw, WITHDRAW);
		CASE(CUSTOMER_RECORD, DECLINE, record->decline, DECLINE);
		CASE(CUSTOMER_RECORD, ANSWER, record->answer, ANSWER);
		CASE(CUSTOMER_RECORD, ACCEPT, record->accept, ACCEPT);
		CASE(CUSTOMER_RECORD, REVEAL, record->reveal, REVEAL);
		CASE(CUSTOMER_RECORD, READ_MAILBOX, record->read_mailbox, READ_MAILBOX);
		CASE(CUSTOMER_RECORD, READ_STATUS, record->read_status, READ_STATUS);
	default:
		return false;
	}
}

bool command_of_deal(const Oyez__DealRecord *record, struct command *command)
{
	switch (record->body_case) {
		CASE(DEAL_RECORD, MESSAGE, record->message, DEAL_MESSAGE);
		CASE(DEAL_RECORD, ERASE, record->erase, ERASE);
		CASE(DEAL_RECORD, RATE, record->rate, RATE);
		CASE(DEAL_RECORD, READ, record->read, READ_DEAL);
	default:
		return false;
	}
}

bool command_of_vendor(const Oyez__VendorRecord *record, struct command *command)
{
	switch (record->body_case) {
		CASE(VENDOR_RECORD, REGISTER, record->register_, REGISTER);
		CASE(VENDOR_RECORD, SUBSCRIBE, record->subscribe, SUBSCRIBE);
		CASE(VENDOR_RECORD, UNSUBSCRIBE, record->unsubscribe, UNSUBSCRIBE);
		CASE(VENDOR_RECORD, QUESTION, record->question, QUESTION);
		CASE(VENDOR_RECORD, OFFER, record->offer, OFFER);
		CASE(VENDOR_RECORD, WITHDRAW_OFFER, record->withdraw_offer, WITHDRAW_OFFER);
		CASE(VENDOR_RECORD, COUNTERSIGN, record->countersign, COUNTERSIGN);
		CASE(VENDOR_RECORD, RECEIPT, record->receipt, RECEIPT);
		CASE(VENDOR_RECORD, MESSAGE, record->message, SEND_MESSAGE);
		CASE(VENDOR_RECORD, ERASURE, record->erasure, ANSWER_ERASURE);
	default:
		return false;
	}
}

bool command_of_read(const Oyez__VendorReadBody *body, struct command *command)
{
	switch (body->body_case) {
		CASE(VENDOR_READ_BODY, FETCH, body->fetch, FETCH);
		CASE(VENDOR_READ_BODY, READ_INBOX, body->read_inbox, READ_INBOX);
		CASE(VENDOR_READ_BODY, LIST_SUBSCRIPTIONS, body->list_subscriptions, LIST_SUBSCRIPTIONS);
		CASE(VENDOR_READ_BODY, SHOW_VENDOR, body->show_vendor, SHOW_VENDOR);
		CASE(VENDOR_READ_BODY, EXPLAIN, body->explain, EXPLAIN);
		CASE(VENDOR_READ_BODY, WOULD_MATCH, body->would_match, WOULD_MATCH);
	default:
		return false;
	}
}

bool command_of_account(const Oyez__AccountRecord *record, struct command *command)
{
	switch (record->body_case) {
		CASE(ACCOUNT_RECORD, OPEN, record->open, OPEN_ACCOUNT);
		CASE(ACCOUNT_RECORD, SHOW, record->show, SHOW_ACCOUNT);
		CASE(ACCOUNT_RECORD, VOUCHER, record->voucher, ASK_VOUCHER);
		CASE(ACCOUNT_RECORD, OPEN_BOX, record->open_box, OPEN_BOX);
		CASE(ACCOUNT_RECORD, CLOSE_BOX, record->close_box, CLOSE_BOX);
		CASE(ACCOUNT_RECORD, READ_BOXES, record->read_boxes, READ_BOXES);
		CASE(ACCOUNT_RECORD, RELAY, record->relay, RELAY);
		CASE(ACCOUNT_RECORD, CHECK_VENDOR, record->check_vendor, CHECK_VENDOR);
	default:
		return false;
	}
}

bool command_of_admin(const Oyez__AdminRequest *request, struct command *command)
{
	switch (request->body_case) {
		CASE(ADMIN_REQUEST, STATUS, request->status, ADMIN_STATUS);
		CASE(ADMIN_REQUEST, VENDORS, request->vendors, ADMIN_VENDORS);
		CASE(ADMIN_REQUEST, APPROVE, request->approve, ADMIN_APPROVE);
		CASE(ADMIN_REQUEST, SUSPEND, request->suspend, ADMIN_SUSPEND);
		CASE(ADMIN_REQUEST, COMPACT, request->compact, ADMIN_COMPACT);
		CASE(ADMIN_REQUEST, CONFIRM_CLOCK, request->confirm_clock, ADMIN_CONFIRM_CLOCK);
		CASE(ADMIN_REQUEST, ACCOUNTS, request->accounts, ADMIN_ACCOUNTS);
		CASE(ADMIN_REQUEST, INVITE, request->invite, ADMIN_INVITE);
		CASE(ADMIN_REQUEST, NOTICE, request->notice, ADMIN_NOTICE);
	default:
		return false;
	}
}
