// Commands: verified requests, in the one order that decides everything. Time and randomness come with them.
#ifndef OYEZ_SERVICE_COMMAND_H
#define OYEZ_SERVICE_COMMAND_H

#include "proto/codec.h"
#include "proto/id.h"

// X(KIND, handler, payload type, form of the reply): one line here plus a handler function is a new command.
// Sender: the intent of customer commands, the deal of deal records (with the agreement key as sender_key), the vendor
// of vendor commands, the account of guardian commands.
#define COMMAND_LIST(X)                                                                                                \
	X(POST, handle_post, Oyez__Post, REPLY_CUSTOMER)                                                                   \
	X(WITHDRAW, handle_withdraw, Oyez__Withdraw, REPLY_CUSTOMER)                                                       \
	X(DECLINE, handle_decline, Oyez__Decline, REPLY_CUSTOMER)                                                          \
	X(ANSWER, handle_answer, Oyez__Answer, REPLY_CUSTOMER)                                                             \
	X(ACCEPT, handle_accept, Oyez__Accept, REPLY_CUSTOMER)                                                             \
	X(REVEAL, handle_reveal, Oyez__Reveal, REPLY_CUSTOMER)                                                             \
	X(READ_MAILBOX, handle_read_mailbox, Oyez__ReadMailbox, REPLY_CUSTOMER)                                            \
	X(ISSUE, handle_issue, Oyez__IssueTokens, REPLY_CUSTOMER)                                                          \
	X(READ_STATUS, handle_read_status, Oyez__ReadStatus, REPLY_CUSTOMER)                                               \
	X(DEAL_MESSAGE, handle_deal_message, Oyez__DealMessage, REPLY_CUSTOMER)                                            \
	X(ERASE, handle_erase, Oyez__Erase, REPLY_CUSTOMER)                                                                \
	X(RATE, handle_rate, Oyez__Rate, REPLY_CUSTOMER)                                                                   \
	X(READ_DEAL, handle_read_deal, Oyez__ReadDeal, REPLY_CUSTOMER)                                                     \
	X(GET_NOTICES, handle_get_notices, Oyez__GetNotices, REPLY_CUSTOMER)                                               \
	X(REGISTER, handle_register, Oyez__Signed, REPLY_VENDOR)                                                           \
	X(SUBSCRIBE, handle_subscribe, Oyez__Subscribe, REPLY_VENDOR)                                                      \
	X(UNSUBSCRIBE, handle_unsubscribe, Oyez__Unsubscribe, REPLY_VENDOR)                                                \
	X(QUESTION, handle_question, Oyez__SendQuestion, REPLY_VENDOR)                                                     \
	X(OFFER, handle_offer, Oyez__SendOffer, REPLY_VENDOR)                                                              \
	X(WITHDRAW_OFFER, handle_withdraw_offer, Oyez__WithdrawOffer, REPLY_VENDOR)                                        \
	X(COUNTERSIGN, handle_countersign, Oyez__Countersign, REPLY_VENDOR)                                                \
	X(RECEIPT, handle_receipt, Oyez__Receipt, REPLY_VENDOR)                                                            \
	X(SEND_MESSAGE, handle_send_message, Oyez__SendMessage, REPLY_VENDOR)                                              \
	X(ANSWER_ERASURE, handle_answer_erasure, Oyez__AnswerErasure, REPLY_VENDOR)                                        \
	X(FETCH, handle_fetch, Oyez__Fetch, REPLY_VENDOR)                                                                  \
	X(READ_INBOX, handle_read_inbox, Oyez__ReadInbox, REPLY_VENDOR)                                                    \
	X(LIST_SUBSCRIPTIONS, handle_list_subscriptions, Oyez__ListSubscriptions, REPLY_VENDOR)                            \
	X(SHOW_VENDOR, handle_show_vendor, Oyez__ShowVendor, REPLY_VENDOR)                                                 \
	X(EXPLAIN, handle_explain, Oyez__ExplainRelease, REPLY_VENDOR)                                                     \
	X(WOULD_MATCH, handle_would_match, Oyez__WouldMatch, REPLY_VENDOR)                                                 \
	X(CHECK_VENDOR, handle_check_vendor, Oyez__CheckVendor, REPLY_GUARDIAN)                                            \
	X(RELAY, handle_relay, Oyez__RelayCell, REPLY_GUARDIAN)                                                            \
	X(PUSH, handle_push, Oyez__PushBatch, REPLY_VENDOR)                                                                \
	X(OPEN_ACCOUNT, handle_open_account, Oyez__OpenAccount, REPLY_GUARDIAN)                                            \
	X(SHOW_ACCOUNT, handle_show_account, Oyez__ShowAccount, REPLY_GUARDIAN)                                            \
	X(ASK_VOUCHER, handle_ask_voucher, Oyez__AskVoucher, REPLY_GUARDIAN)                                               \
	X(OPEN_BOX, handle_open_box, Oyez__OpenBox, REPLY_GUARDIAN)                                                        \
	X(CLOSE_BOX, handle_close_box, Oyez__CloseBox, REPLY_GUARDIAN)                                                     \
	X(READ_BOXES, handle_read_boxes, Oyez__ReadBoxes, REPLY_GUARDIAN)                                                  \
	X(ADMIN_STATUS, handle_admin_status, Oyez__AdminStatus, REPLY_ADMIN)                                               \
	X(ADMIN_VENDORS, handle_admin_vendors, Oyez__AdminVendors, REPLY_ADMIN)                                            \
	X(ADMIN_APPROVE, handle_admin_approve, Oyez__AdminApprove, REPLY_ADMIN)                                            \
	X(ADMIN_SUSPEND, handle_admin_suspend, Oyez__AdminSuspend, REPLY_ADMIN)                                            \
	X(ADMIN_COMPACT, handle_admin_compact, Oyez__AdminCompact, REPLY_ADMIN)                                            \
	X(ADMIN_CONFIRM_CLOCK, handle_admin_confirm_clock, Oyez__AdminConfirmClock, REPLY_ADMIN)                           \
	X(ADMIN_ACCOUNTS, handle_admin_accounts, Oyez__AdminAccounts, REPLY_ADMIN)                                         \
	X(ADMIN_INVITE, handle_admin_invite, Oyez__AdminInvite, REPLY_ADMIN)                                               \
	X(ADMIN_NOTICE, handle_admin_notice, Oyez__AdminNotice, REPLY_ADMIN)

enum command_kind {
#define X(KIND, handler, type, form) COMMAND_##KIND,
	COMMAND_LIST(X)
#undef X
	    COMMAND_COUNT
};

// Which reply message the sender expects.
// REPLY_RELAY is none: its bytes are a home's key, the account's id and a cell, to be sent there; what comes back is.
enum { RELAY_BYTES = KEY_BYTES + ID_BYTES + CELL_BYTES };
enum reply_form { REPLY_CUSTOMER, REPLY_VENDOR, REPLY_ADMIN, REPLY_GUARDIAN, REPLY_RELAY };
static inline enum reply_form command_reply_form(enum command_kind kind)
{
	static const enum reply_form forms[] = {
#define X(KIND, handler, type, form) form,
	    COMMAND_LIST(X)
#undef X
	};
	return forms[kind];
}

// What a post brings, judged before it comes to the state: tokens.c decides.
struct right {
	enum err token, stamp; // ERR_OK, or why not
	uint32_t epoch;        // of the token; of an issue's voucher
	struct id intent;      // the one the token is for
};

struct command {
	enum command_kind kind;
	uint64_t origin;                 // where the reply goes; the edge's own number, 0 = nobody waits
	uint64_t made_at_ms;             // as signed; 0 for reads by session and admin commands
	uint8_t sender_key[KEY_BYTES];   // intent key or vendor identity key, already verified
	struct id sender;                // intent id or vendor id
	struct id record_hash;           // of the signed record: decides "same bytes"; signed_id_of(TAG_RECORD_ID)
	const ProtobufCMessage *payload; // of the type in the list
	struct bytes_view {
		const uint8_t *at;
		size_t count;
	} payload_bytes; // the payload's serialised form where the store keeps it (Post); of Erase the whole Signed; else empty
	struct right right; // of a post or an issue
	// Attached by the sequencer:
	uint64_t now_ms;
	uint8_t random[32]; // of a post: its release id, and the key its holds are drawn from
};

#endif
