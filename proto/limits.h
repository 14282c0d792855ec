// Every bound of the protocol in one place (PROTOCOL.md §2). Units stand last in the name.
#ifndef OYEZ_PROTO_LIMITS_H
#define OYEZ_PROTO_LIMITS_H

enum {
	PROTOCOL_VERSION = 1,
	SUITE_X25519_CHACHA = 1, // DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; Ed25519

	FRAME_HEADER_BYTES = 4,
	CELL_BYTES = 8192,              // one customer frame, header included, either direction
	ENVELOPE_BYTES = 9216,          // one frame between wallet and guardian: room for a cell, or two box cells
	REQUEST_BYTES_MAX = 64 * 1024,  // what a listener takes
	REPLY_BYTES_MAX = 1024 * 1024,  // what a client takes
	RECORD_BYTES_MAX = 32 * 1024,   // one signed record

	KEY_BYTES = 32,
	ID_BYTES = 32,
	RELEASE_ID_BYTES = 16,
	SESSION_ID_BYTES = 16,
	SIGNATURE_BYTES = 64,
	HASH_BYTES = 32,
	RANDOM_BYTES = 32,
	CURSOR_BYTES = 12, // incarnation (4) then sequence number (8), big-endian
	GATEWAY_KEY_ID_BYTES = 8,

	SEALED_PLAIN_BYTES_MAX = 5120, // the largest size bucket
	SEALED_BYTES_MAX = SEALED_PLAIN_BYTES_MAX + 2 + 32 + 16,

	CATEGORY_BYTES_MAX = 64,
	REGION_BYTES_MAX = 6,
	TERMS_BYTES_MAX = 24,
	TERMS_MAX = 16,
	NAME_BYTES_MAX = 100,
	URL_BYTES_MAX = 200,
	DETAILS_BYTES_MAX = 4096,
	CARD_BYTES_MAX = 4096,
	QUESTION_BYTES_MAX = 1024,
	NOTE_BYTES_MAX = 512,
	REASON_BYTES_MAX = 32,
	NEEDS_MAX = 16,
	FIELD_NAME_BYTES_MAX = 32,
	COUNTRIES_MAX = 8,
	VENDOR_LIST_MAX = 64, // named allow or block
	FILTER_NODES_MAX = 64, // categories, excluded categories or regions of one filter
	CURRENCY_BYTES = 3,
	COUNTRY_BYTES = 2,
	LANGUAGE_BYTES = 2,
	RATING_BAND_MAX = 10, // half stars
	FACETS_BYTES_MAX = 512,
	RELEASE_BYTES_MAX = 1024,
	LISTING_BYTES_MAX = 1024, // it travels beside every offer, in one cell
	GATEWAY_KEYS_MAX = 8,
	ERROR_NAME_BYTES_MAX = 64,
	ERROR_DETAIL_BYTES_MAX = 1024,
	TOKEN_BYTES_MAX = 256,
	STAMP_BYTES_MAX = 64,
	CHALLENGE_BYTES_MAX = 128,
	SUBSCRIBE_RANDOM_BYTES = 16,
	MAC_BYTES = 32,
	STEP_MAX = 15, // of coarsest_step
	STATUS_DEALS_MAX = 128,
	CARD_FIELDS_MAX = 32,
	FAILED_MAX = 32, // conditions named in an explanation
	VENDOR_LIST_ITEMS_MAX = 256,
	DAYS_PLUS_ONE_MAX = 36501,  // a hundred years
	MONTHS_PLUS_ONE_MAX = 1201,
	DAY_MAX = 2932896, // 9999-12-31, in days since 1970-01-01

	FETCH_PAIRS_MAX = 256,
	FETCH_ITEMS_MAX = 1024,
	FETCH_ITEMS_BYTES_MAX = 512 * 1024, // of their encoding
	WOULD_MATCH_ROWS_MAX = 64,
	MAILBOX_ITEMS_MAX = 64,
	CROWD_WISH_MAX = 1000,
	DEALS_MAX = 100,
	WAIT_MS_MAX = 25 * 1000,
	SUBSCRIPTIONS_PER_VENDOR_MAX = 256,
	QUESTIONS_PER_VENDOR_MAX = 4, // for one intent
	REQUESTS_PER_PIPE_MAX = 32,   // parked or unsent

	VOUCHER_ID_BYTES = 16,
	VOUCHER_TOKENS = 16,     // elements of one voucher
	ELEMENT_BYTES = 32,      // ristretto255, encoded
	PROOF_BYTES = 64,        // DLEQ
	TOKEN_KEYS_MAX = 2,      // current and previous epoch
	STAMP_BITS_MAX = 40,
	INVITE_BYTES_MAX = 64,
	INVITES_MAX = 100,       // made by one command
	HOMES_MAX = 8,           // a guardian relays to
	GUARDIANS_MAX = 16,      // a home trusts
	ACCOUNT_LIST_ITEMS_MAX = 256,
	VOUCHERS_PER_DAY_MAX = 1000,
	BOX_ID_BYTES = 32,
	BOX_CELL_BYTES = 4096,
	BOX_CELLS_MAX = 128,     // kept for one box: older ones go
	BOX_READ_CELLS_MAX = 2,  // in one envelope
	BOXES_PER_ACCOUNT_MAX = 256,
	PUSH_CELLS_MAX = 7,      // in one batch between brokers

	MESSAGE_BYTES_MAX = 2048,       // a text about a deal
	MESSAGES_PER_DEAL_MAX = 64,     // each way, kept
	GROUND_BYTES_MAX = 512,
	PURPOSES_MAX = 8,
	RECIPIENTS_MAX = 8,
	STARS_MAX = 5,
	RATINGS_PUBLISHED_MIN = 5,      // aggregates grow by at least so many
	NOTICE_TEXT_BYTES_MAX = 2000,
	NOTICE_FIELDS_MAX = 32,
	NOTICE_DEALS_MAX = 150,
	NOTICE_BYTES_MAX = 7680,        // signed, so that each fits a cell
	NOTICES_MAX = 64,               // in one reply
};

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

#define RECORD_AGE_MS_MAX (10 * MINUTE_MS) // of a signed record when first seen, either way
#define CELL_AGE_MS_MAX (5 * MINUTE_MS)
#define CHALLENGE_AGE_MS_MAX (1 * MINUTE_MS)
#define SESSION_MS (24 * HOUR_MS)
#define GATEWAY_KEY_ROTATE_MS (1 * DAY_MS)
#define GATEWAY_KEY_ACCEPT_MS (2 * DAY_MS)
#define ERASURE_ANSWER_MS (30 * DAY_MS) // time a vendor has; the wallet may ask for less, not for less than a day
#define DEAL_KEEP_MS (400 * DAY_MS)         // a concluded deal and its box, from its end
#define FAULT_MS_MIN (1 * HOUR_MS)          // given less to countersign, a vendor is not at fault
#define TOKEN_EPOCH_MS (7 * DAY_MS)
// The fixed public schedule of a box, counted from its intent's release tick (PROTOCOL.md §12): every 10 s for 10 min,
// every minute for a day, every 10 min until the expiry band ends.
#define BOX_FAST_EVERY_MS (10 * SECOND_MS)
#define BOX_FAST_UNTIL_MS (10 * MINUTE_MS)
#define BOX_STEADY_EVERY_MS (1 * MINUTE_MS)
#define BOX_STEADY_UNTIL_MS (1 * DAY_MS)
#define BOX_SLOW_EVERY_MS (10 * MINUTE_MS)
#define BOX_KEEP_MS_MAX (120 * DAY_MS) // from its opening: the latest expiry, and time for a deal to end
#define EXPIRES_MS_MIN (1 * SECOND_MS)
#define EXPIRES_MS_MAX (90 * DAY_MS)
#define COUNTERSIGN_MS_DEFAULT (24 * HOUR_MS)
#define REVEAL_MS_DEFAULT (7 * DAY_MS)
#define CONCLUDE_AFTER_REVEAL_MS (72 * HOUR_MS)
#define RETENTION_MS_DEFAULT (30 * DAY_MS)
#define TIME_MS_MAX UINT64_C(253402300799999) // 9999-12-31, the last millisecond
#define AMOUNT_E4_MAX INT64_C(9999999999999999) // 999,999,999,999.9999

#endif
