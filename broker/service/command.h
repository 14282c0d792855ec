// Commands: verified requests, in the one order that decides everything. Time and randomness come with them.
#ifndef OYEZ_SERVICE_COMMAND_H
#define OYEZ_SERVICE_COMMAND_H

#include "proto/codec.h"
#include "proto/id.h"

// X(KIND, handler, payload type): one line here plus a handler function is a new command.
// Sender: the intent of customer commands, the vendor of vendor commands.
#define COMMAND_LIST(X)                                                                                                \
	X(POST, handle_post, Oyez__Post)                                                                                   \
	X(WITHDRAW, handle_withdraw, Oyez__Withdraw)                                                                       \
	X(DECLINE, handle_decline, Oyez__Decline)                                                                          \
	X(ANSWER, handle_answer, Oyez__Answer)                                                                             \
	X(ACCEPT, handle_accept, Oyez__Accept)                                                                             \
	X(REVEAL, handle_reveal, Oyez__Reveal)                                                                             \
	X(READ_MAILBOX, handle_read_mailbox, Oyez__ReadMailbox)                                                            \
	X(READ_STATUS, handle_read_status, Oyez__ReadStatus)                                                               \
	X(REGISTER, handle_register, Oyez__Signed)                                                                         \
	X(SUBSCRIBE, handle_subscribe, Oyez__Subscribe)                                                                    \
	X(UNSUBSCRIBE, handle_unsubscribe, Oyez__Unsubscribe)                                                              \
	X(QUESTION, handle_question, Oyez__SendQuestion)                                                                   \
	X(OFFER, handle_offer, Oyez__SendOffer)                                                                            \
	X(WITHDRAW_OFFER, handle_withdraw_offer, Oyez__WithdrawOffer)                                                      \
	X(COUNTERSIGN, handle_countersign, Oyez__Countersign)                                                              \
	X(RECEIPT, handle_receipt, Oyez__Receipt)                                                                          \
	X(FETCH, handle_fetch, Oyez__Fetch)                                                                                \
	X(READ_INBOX, handle_read_inbox, Oyez__ReadInbox)                                                                  \
	X(LIST_SUBSCRIPTIONS, handle_list_subscriptions, Oyez__ListSubscriptions)                                          \
	X(SHOW_VENDOR, handle_show_vendor, Oyez__ShowVendor)                                                               \
	X(EXPLAIN, handle_explain, Oyez__ExplainRelease)                                                                   \
	X(ADMIN_STATUS, handle_admin_status, Oyez__AdminStatus)                                                            \
	X(ADMIN_VENDORS, handle_admin_vendors, Oyez__AdminVendors)                                                         \
	X(ADMIN_APPROVE, handle_admin_approve, Oyez__AdminApprove)                                                         \
	X(ADMIN_SUSPEND, handle_admin_suspend, Oyez__AdminSuspend)                                                         \
	X(ADMIN_COMPACT, handle_admin_compact, Oyez__AdminCompact)                                                     \
	X(ADMIN_CONFIRM_CLOCK, handle_admin_confirm_clock, Oyez__AdminConfirmClock)

enum command_kind {
#define X(KIND, handler, type) COMMAND_##KIND,
	COMMAND_LIST(X)
#undef X
	    COMMAND_COUNT
};

// Which reply message the sender expects.
enum reply_form { REPLY_CUSTOMER, REPLY_VENDOR, REPLY_ADMIN };
static inline enum reply_form command_reply_form(enum command_kind kind)
{
	return kind <= COMMAND_READ_STATUS ? REPLY_CUSTOMER : kind <= COMMAND_EXPLAIN ? REPLY_VENDOR : REPLY_ADMIN;
}

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
	} payload_bytes; // the payload's serialised form where the store keeps it (Post); empty otherwise
	// Attached by the sequencer:
	uint64_t now_ms;
	uint8_t random[16];
};

#endif
