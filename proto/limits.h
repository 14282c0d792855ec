// Every bound of the protocol in one place (PROTOCOL.md §2). Units stand last in the name.
#ifndef OYEZ_PROTO_LIMITS_H
#define OYEZ_PROTO_LIMITS_H

enum {
	PROTOCOL_VERSION = 1,
	SUITE_X25519_CHACHA = 1, // DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; Ed25519

	FRAME_HEADER_BYTES = 4,
	CELL_BYTES = 8192,              // one customer frame, header included, either direction
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
	FETCH_PAIRS_MAX = 256,
	FETCH_ITEMS_MAX = 256,
	MAILBOX_ITEMS_MAX = 64,
	CROWD_WISH_MAX = 1000,
	DEALS_MAX = 100,
	WAIT_MS_MAX = 25 * 1000,
	SUBSCRIPTIONS_PER_VENDOR_MAX = 256,
	QUESTIONS_PER_VENDOR_MAX = 4, // for one intent
	REQUESTS_PER_PIPE_MAX = 32,   // parked or unsent
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
#define EXPIRES_MS_MIN (1 * SECOND_MS)
#define EXPIRES_MS_MAX (90 * DAY_MS)
#define COUNTERSIGN_MS_DEFAULT (24 * HOUR_MS)
#define REVEAL_MS_DEFAULT (7 * DAY_MS)
#define CONCLUDE_AFTER_REVEAL_MS (72 * HOUR_MS)
#define RETENTION_MS_DEFAULT (30 * DAY_MS)
#define AMOUNT_E4_MAX INT64_C(9999999999999999) // 999,999,999,999.9999

#endif
