// The table of what every field of every message may hold: the limits of PROTOCOL.md §2 as data. Rows stand in the
// order of field numbers, tables in the order of the .proto files. To add a field: its line in the .proto, its row
// here, its line in PROTOCOL.md; the tests say so if one is missing.
#include "codec_rules.h"

#include <string.h>

#include "cell.h"
#include "limits.h"

// ---- words for rows

#define TEXT(name, min, max) {name, RULE_TEXT, min, max, 0}
#define LINE(name, min, max) {name, RULE_LINE, min, max, 0}
#define LINES(name, max, count) {name, RULE_LINE, 1, max, count}
#define WORD(name, min, max) {name, RULE_WORD, min, max, 0}
#define WORDS(name, min, max, count) {name, RULE_WORD, min, max, count}
#define BYTES(name, min, max) {name, RULE_BYTES, min, max, 0}
#define EXACT(name, bytes) {name, RULE_EXACT, bytes, bytes, 0}
#define EXACT_OR_NONE(name, bytes) {name, RULE_EXACT, 0, bytes, 0}
#define EXACTS(name, bytes, count) {name, RULE_EXACT, bytes, bytes, count}
#define SIGN_KEY(name) {name, RULE_SIGN_KEY, 1, KEY_BYTES, 0}
#define SEAL_KEY(name) {name, RULE_SEAL_KEY, 1, KEY_BYTES, 0}
#define SEALED(name) {name, RULE_SEALED, 1, SEALED_BYTES_MAX, 0}
#define NUMBER(name, min, max) {name, RULE_NUMBER, min, max, 0}
#define AMOUNT(name) {name, RULE_NUMBER, 0, AMOUNT_E4_MAX, 0}
#define TIME(name) {name, RULE_NUMBER, 1, TIME_MS_MAX, 0}
#define TIME_OR_NONE(name) {name, RULE_NUMBER, 0, TIME_MS_MAX, 0}
#define COUNT(name) {name, RULE_NUMBER, 0, UINT32_MAX, 0}
#define SEQUENCE(name) {name, RULE_NUMBER, 0, INT64_MAX, 0}
#define FLAG(name) {name, RULE_FLAG, 0, 1, 0}
#define CHOICE(name) {name, RULE_CHOICE, 1, 0, 0}
#define CHOICE_OR_NONE(name) {name, RULE_CHOICE, 0, 0, 0}
#define OPEN(name) {name, RULE_OPEN, 0, 0, 0}
#define PART(name) {name, RULE_PART, 1, 0, 0}
#define PART_OR_NONE(name) {name, RULE_PART, 0, 0, 0}
#define PARTS(name, count) {name, RULE_PART, 1, 0, count}

#define FIELDS(message) static const struct field_rule message##_fields[]

// ---- common.proto

FIELDS(signed) = {BYTES("record", 1, RECORD_BYTES_MAX), SIGN_KEY("key"), EXACT("signature", SIGNATURE_BYTES)};
FIELDS(budget) = {AMOUNT("min_e4"), AMOUNT("max_e4"), WORD("currency", 1, CURRENCY_BYTES)};
FIELDS(vendor_rules) = {
	WORDS("countries", COUNTRY_BYTES, COUNTRY_BYTES, COUNTRIES_MAX),
	NUMBER("rating_band", 0, RATING_BAND_MAX),
};
FIELDS(facets) = {
	LINE("category", 1, CATEGORY_BYTES_MAX),
	LINE("region", 1, REGION_BYTES_MAX),
	PART_OR_NONE("budget"),
	CHOICE_OR_NONE("condition"),
	CHOICE_OR_NONE("quantity"),
	CHOICE_OR_NONE("fulfilment"),
	WORD("language", 0, LANGUAGE_BYTES),
	LINE("terms", 0, TERMS_BYTES_MAX),
	CHOICE_OR_NONE("reach"),
	PART_OR_NONE("rules"),
};
FIELDS(release) = {
	EXACT("release_id", RELEASE_ID_BYTES),
	NUMBER("suite", SUITE_X25519_CHACHA, SUITE_X25519_CHACHA),
	SIGN_KEY("intent_key"),
	SEAL_KEY("reply_key"),
	PART("facets"),
	CHOICE_OR_NONE("needed_by"),
	CHOICE("expires"),
	NUMBER("crowd", 1, UINT32_MAX),
	TIME("released_at_ms"),
	SIGN_KEY("home_broker"),
};
FIELDS(listing) = {
	SIGN_KEY("vendor_key"),
	LINE("name", 1, NAME_BYTES_MAX),
	LINE("url", 1, URL_BYTES_MAX),
	WORD("country", COUNTRY_BYTES, COUNTRY_BYTES),
	LINES("terms", TERMS_BYTES_MAX, TERMS_MAX),
	TIME("made_at_ms"),
};
FIELDS(vouched_listing) = {PART("listing"), EXACT("broker_signature", SIGNATURE_BYTES)};
FIELDS(gateway_key) = {EXACT("id", GATEWAY_KEY_ID_BYTES), SEAL_KEY("key"), TIME("accepted_until_ms")};
FIELDS(token_key) = {COUNT("epoch"), EXACT("key", ELEMENT_BYTES), TIME("redeem_until_ms")};
FIELDS(config) = {
	NUMBER("number", 1, INT64_MAX),
	SIGN_KEY("broker_id"),
	TIME("made_at_ms"),
	PARTS("gateway_keys", GATEWAY_KEYS_MAX),
	LINE("region", 0, REGION_BYTES_MAX),
	COUNT("crowd"),
	TIME_OR_NONE("tick_ms"),
	FLAG("vendors_open"),
	COUNT("vendors_per_intent_max"),
	COUNT("offers_per_intent_max"),
	LINES("terms", TERMS_BYTES_MAX, TERMS_MAX),
	EXACT_OR_NONE("taxonomy_hash", HASH_BYTES),
	TIME_OR_NONE("retention_ms"),
	FLAG("demo"),
	CHOICE_OR_NONE("posting"),
	NUMBER("stamp_bits", 0, STAMP_BITS_MAX),
	PARTS("token_keys", TOKEN_KEYS_MAX),
	EXACTS("guardians", KEY_BYTES, GUARDIANS_MAX),
	FLAG("accounts_by_stamp"),
	NUMBER("account_stamp_bits", 0, STAMP_BITS_MAX),
	NUMBER("vouchers_per_day", 0, VOUCHERS_PER_DAY_MAX),
	FLAG("hold"),
};
FIELDS(error) = {NUMBER("code", 1, UINT16_MAX), WORD("name", 1, ERROR_NAME_BYTES_MAX),
                 TEXT("detail", 0, ERROR_DETAIL_BYTES_MAX)};
FIELDS(ack) = {BYTES("id", 0, ID_BYTES), EXACT_OR_NONE("cursor", CURSOR_BYTES),
               PART_OR_NONE("proof")};

// ---- customer.proto

FIELDS(cell_body) = {TIME("sent_at_ms"), PART("customer"), PART("issue"), PART("deal"), PART("notices")};
FIELDS(deal_record) = {
	EXACT("broker_id", KEY_BYTES), TIME("made_at_ms"), EXACT("deal_id", ID_BYTES),
	PART("message"),               PART("erase"),      PART("rate"), PART("read"),
};
FIELDS(deal_message) = {EXACT("random", SUBSCRIBE_RANDOM_BYTES), SEALED("sealed")};
FIELDS(erase) = {TIME("answer_by_ms")};
FIELDS(rate) = {NUMBER("stars", 1, STARS_MAX)};
FIELDS(read_deal) = {SEQUENCE("after"), NUMBER("wait_ms", 0, WAIT_MS_MAX)};
FIELDS(deal_box) = {PARTS("items", MAILBOX_ITEMS_MAX), SEQUENCE("next"), FLAG("more"), FLAG("vendor_suspended")};
FIELDS(deal_item) = {SEQUENCE("seq"), TIME_OR_NONE("at_ms"), SEALED("message"), PART("erasure")};
FIELDS(erasure_answer) = {CHOICE("result"), SEALED("sealed")};
FIELDS(get_notices) = {EXACT("broker_id", KEY_BYTES), SEQUENCE("after")};
FIELDS(notices) = {PARTS("items", NOTICES_MAX), FLAG("more")};
FIELDS(issue_tokens) = {EXACT("broker_id", KEY_BYTES), PART("voucher"), EXACTS("blinded", ELEMENT_BYTES, VOUCHER_TOKENS)};
FIELDS(tokens_issued) = {COUNT("epoch"), EXACTS("evaluated", ELEMENT_BYTES, VOUCHER_TOKENS), EXACT("proof", PROOF_BYTES)};
FIELDS(customer_record) = {
	EXACT("broker_id", KEY_BYTES), TIME("made_at_ms"), PART("post"),   PART("withdraw"),     PART("decline"),
	PART("answer"),                PART("accept"),     PART("reveal"), PART("read_mailbox"), PART("read_status"),
};
FIELDS(post) = {
	NUMBER("suite", SUITE_X25519_CHACHA, SUITE_X25519_CHACHA),
	SEAL_KEY("reply_key"),
	PART("facets"),
	NUMBER("needed_by_day", 0, DAY_MAX),
	TIME("expires_at_ms"),
	NUMBER("deals_max", 1, DEALS_MAX),
	NUMBER("crowd_wish", 0, CROWD_WISH_MAX),
	FLAG("crowd_waived"),
	NUMBER("coarsest_step", 0, STEP_MAX),
	NUMBER("patience_ms", 0, EXPIRES_MS_MAX),
	EXACTS("allow", ID_BYTES, VENDOR_LIST_MAX),
	EXACTS("block", ID_BYTES, VENDOR_LIST_MAX),
	BYTES("token", 0, TOKEN_BYTES_MAX),
	BYTES("stamp", 0, STAMP_BYTES_MAX),
	EXACT_OR_NONE("box_id", BOX_ID_BYTES),
	EXACT_OR_NONE("guardian_id", KEY_BYTES),
};
FIELDS(decline) = {EXACT("offer_id", ID_BYTES), WORD("reason", 0, REASON_BYTES_MAX)};
FIELDS(answer) = {EXACT("question_id", ID_BYTES), SEALED("sealed")};
FIELDS(accept) = {
	EXACT("offer_id", ID_BYTES),         EXACT("deal_id", ID_BYTES), SIGN_KEY("agreement_key"),
	EXACT("signature_hash", HASH_BYTES), TIME("countersign_by_ms"),  TIME("reveal_by_ms"),
	SEALED("sealed"),
};
FIELDS(reveal) = {EXACT("deal_id", ID_BYTES), SEALED("sealed")};
FIELDS(read_mailbox) = {SEQUENCE("after"), NUMBER("max", 0, MAILBOX_ITEMS_MAX), NUMBER("wait_ms", 0, WAIT_MS_MAX)};
FIELDS(customer_reply) = {PART("error"), PART("ack"), PART("status"), PART("mailbox"), PART("tokens"),
                          PART("deal_box"), PART("notices")};
FIELDS(status) = {
	EXACT("intent_id", ID_BYTES), OPEN("state"),           COUNT("crowd_estimate"), COUNT("crowd_want"),
	BYTES("release", 0, RELEASE_BYTES_MAX), PARTS("deals", STATUS_DEALS_MAX),
};
FIELDS(deal_status) = {EXACT("deal_id", ID_BYTES), OPEN("state")};
FIELDS(mailbox) = {PARTS("items", MAILBOX_ITEMS_MAX), SEQUENCE("next"), FLAG("more")};
FIELDS(mailbox_item) = {
	SEQUENCE("seq"),  TIME_OR_NONE("at_ms"), PART("offer"),         PART("question"), EXACT("offer_withdrawn", ID_BYTES),
	PART("outcome"), PART("countersigned"), EXACT("receipt", ID_BYTES), PART("suspended"),
};
FIELDS(vendor_suspended) = {EXACT("vendor_id", ID_BYTES), TEXT("reason", 0, NOTE_BYTES_MAX)};
FIELDS(vendor_message) = {
	EXACT("id", ID_BYTES), EXACT("release_id", RELEASE_ID_BYTES), TIME_OR_NONE("expires_at_ms"),
	SEALED("sealed"),      PART("listing"),                       PART_OR_NONE("standing"),
};
FIELDS(countersigned) = {EXACT("deal_id", ID_BYTES), EXACT("signature", SIGNATURE_BYTES), PART("outcome")};

// ---- vendor.proto

FIELDS(request) = {PART("get_config"), PART("get_challenge"), PART("vendor"), PART("read"), PART("push")};
FIELDS(vendor_record) = {
	EXACT("broker_id", KEY_BYTES), TIME("made_at_ms"), PART("open_session"), PART("register"),
	PART("subscribe"),             PART("unsubscribe"), PART("question"),    PART("offer"),
	PART("withdraw_offer"),        PART("countersign"), PART("receipt"),     PART("message"),
	PART("erasure"),
};
FIELDS(send_message) = {EXACT("deal_id", ID_BYTES), EXACT("random", SUBSCRIBE_RANDOM_BYTES), SEALED("sealed")};
FIELDS(answer_erasure) = {EXACT("deal_id", ID_BYTES), EXACT("request_hash", HASH_BYTES), CHOICE("result"),
                          SEALED("sealed")};
FIELDS(open_session) = {
	BYTES("challenge", 1, CHALLENGE_BYTES_MAX),
	SEALED("sealed_key"),
	EXACT("gateway_key_id", GATEWAY_KEY_ID_BYTES),
};
FIELDS(filter) = {
	LINES("categories", CATEGORY_BYTES_MAX, FILTER_NODES_MAX),
	LINES("not_categories", CATEGORY_BYTES_MAX, FILTER_NODES_MAX),
	LINES("regions", REGION_BYTES_MAX, FILTER_NODES_MAX),
	PART_OR_NONE("budget"),
	WORD("currency", 0, CURRENCY_BYTES),
	NUMBER("needed_by_day", 0, DAY_MAX),
	CHOICE_OR_NONE("condition"),
	COUNT("quantity_min"),
	COUNT("quantity_max"),
	CHOICE_OR_NONE("fulfilment"),
	WORD("language", 0, LANGUAGE_BYTES),
	LINES("terms", TERMS_BYTES_MAX, TERMS_MAX),
	COUNT("crowd_min"),
	FLAG("exact"),
};
FIELDS(subscribe) = {PART("filter"), EXACT("random", SUBSCRIBE_RANDOM_BYTES)};
FIELDS(unsubscribe) = {EXACT("subscription_id", ID_BYTES)};
FIELDS(send_question) = {EXACT("release_id", RELEASE_ID_BYTES), EXACT("question_id", ID_BYTES), SEALED("sealed")};
FIELDS(send_offer) = {EXACT("release_id", RELEASE_ID_BYTES), EXACT("offer_id", ID_BYTES), TIME("expires_at_ms"),
                      SEALED("sealed")};
FIELDS(withdraw_offer) = {EXACT("offer_id", ID_BYTES)};
FIELDS(countersign) = {EXACT("deal_id", ID_BYTES), EXACT("signature_hash", HASH_BYTES),
                       EXACT("signature", SIGNATURE_BYTES)};
FIELDS(receipt) = {EXACT("deal_id", ID_BYTES)};
FIELDS(vendor_read) = {EXACT("session_id", SESSION_ID_BYTES), BYTES("body", 1, RECORD_BYTES_MAX),
                       EXACT("mac", MAC_BYTES)};
FIELDS(vendor_read_body) = {
	TIME("sent_at_ms"), PART("fetch"), PART("read_inbox"), PART("list_subscriptions"), PART("show_vendor"),
	PART("explain"), PART("would_match"),
};
FIELDS(fetch_pair) = {EXACT("subscription_id", ID_BYTES), EXACT_OR_NONE("after", CURSOR_BYTES)};
FIELDS(fetch) = {PARTS("pairs", FETCH_PAIRS_MAX), NUMBER("wait_ms", 0, WAIT_MS_MAX),
                 NUMBER("max", 0, FETCH_ITEMS_MAX)};
FIELDS(read_inbox) = {SEQUENCE("after"), FLAG("from_start"), NUMBER("wait_ms", 0, WAIT_MS_MAX),
                      NUMBER("max", 0, FETCH_ITEMS_MAX)};
FIELDS(list_subscriptions) = {COUNT("offset")};
FIELDS(explain_release) = {EXACT("subscription_id", ID_BYTES), EXACT("release_id", RELEASE_ID_BYTES)};
FIELDS(reply) = {
	PART("error"),   PART("ack"),   PART("config"),        BYTES("challenge", 1, CHALLENGE_BYTES_MAX),
	PART("session"), PART("fetch"), PART("inbox"),         PART("subscriptions"),
	PART("vendor"),  PART("explanation"), PART("would_match"), TIME_OR_NONE("now_ms"),
};
FIELDS(session_opened) = {EXACT("session_id", SESSION_ID_BYTES), TIME("valid_until_ms")};
FIELDS(feed_item) = {
	NUMBER("pair", 0, FETCH_PAIRS_MAX - 1),
	EXACT("cursor", CURSOR_BYTES),
	TIME_OR_NONE("at_ms"),
	EXACT("release_id", RELEASE_ID_BYTES),
	BYTES("release", 0, RELEASE_BYTES_MAX),
	OPEN("gone"),
	COUNT("maybe"),
};
FIELDS(fetch_reply) = {PARTS("items", FETCH_ITEMS_MAX), EXACTS("scanned", CURSOR_BYTES, FETCH_PAIRS_MAX),
                       FLAG("more")};
FIELDS(subscriptions) = {PARTS("items", SUBSCRIPTIONS_PER_VENDOR_MAX), FLAG("more")};
FIELDS(subscription) = {EXACT("id", ID_BYTES), PART("filter"), TIME_OR_NONE("made_at_ms")};
FIELDS(vendor_state) = {EXACT("vendor_id", ID_BYTES), OPEN("status"), PART_OR_NONE("listing"),
                        PART_OR_NONE("standing")};
FIELDS(explanation) = {FLAG("matches"), WORDS("failed", 1, REASON_BYTES_MAX, FAILED_MAX), COUNT("maybe")};
FIELDS(would_match) = {PART("filter"), TIME_OR_NONE("since_ms")};
FIELDS(would_match_reply) = {SEQUENCE("count"), SEQUENCE("certain"), PARTS("rows", WOULD_MATCH_ROWS_MAX),
                             SEQUENCE("scanned"), TIME_OR_NONE("from_ms")};
FIELDS(would_match_row) = {LINE("category", 0, CATEGORY_BYTES_MAX), LINE("region", 0, REGION_BYTES_MAX),
                           SEQUENCE("count")};
FIELDS(inbox) = {PARTS("items", FETCH_ITEMS_MAX), SEQUENCE("next"), FLAG("more")};
FIELDS(inbox_item) = {
	SEQUENCE("seq"), TIME_OR_NONE("at_ms"), EXACT_OR_NONE("release_id", RELEASE_ID_BYTES),
	EXACT_OR_NONE("deal_id", ID_BYTES), PART("answer"), PART("declined"), PART("agreement"), PART("outcome"),
	PART("reveal"), OPEN("gone"), SEALED("message"), PART("erasure"),
};
FIELDS(inbox_answer) = {EXACT("question_id", ID_BYTES), SEALED("sealed")};
FIELDS(inbox_declined) = {EXACT("offer_id", ID_BYTES), WORD("reason", 0, REASON_BYTES_MAX)};
FIELDS(inbox_agreement) = {EXACT("offer_id", ID_BYTES), SIGN_KEY("agreement_key"), TIME("countersign_by_ms"),
                           TIME("reveal_by_ms"), SEALED("sealed")};
FIELDS(inbox_reveal) = {EXACT("offer_id", ID_BYTES), SEALED("sealed")};

// ---- sealed.proto

FIELDS(binding) = {EXACT("release_id", RELEASE_ID_BYTES), SIGN_KEY("intent_key"), SEAL_KEY("reply_key"),
                   EXACT("terms_hash", HASH_BYTES)};
FIELDS(question) = {
	PART("binding"), EXACT("vendor_id", ID_BYTES), TIME("made_at_ms"), SEAL_KEY("answer_key"),
	EXACT("random", RANDOM_BYTES), FLAG("details"), TEXT("text", 0, QUESTION_BYTES_MAX),
};
FIELDS(offer) = {
	PART("binding"),
	EXACT("vendor_id", ID_BYTES),
	TIME("made_at_ms"),
	SEAL_KEY("offer_key"),
	EXACT("random", RANDOM_BYTES),
	AMOUNT("price_e4"),
	AMOUNT("total_e4"),
	WORD("currency", CURRENCY_BYTES, CURRENCY_BYTES),
	WORD("availability", 0, REASON_BYTES_MAX),
	NUMBER("delivery_days", 0, DAYS_PLUS_ONE_MAX),
	WORD("origin", 0, COUNTRY_BYTES),
	COUNT("co2_g"),
	NUMBER("warranty_months", 0, MONTHS_PLUS_ONE_MAX),
	NUMBER("returns_days", 0, DAYS_PLUS_ONE_MAX),
	TIME("valid_until_ms"),
	WORDS("needs", 1, FIELD_NAME_BYTES_MAX, NEEDS_MAX),
	TEXT("note", 0, NOTE_BYTES_MAX),
	LINE("counter_terms", 0, TERMS_BYTES_MAX),
};
FIELDS(answer_text) = {
	EXACT("question_id", ID_BYTES), EXACT("vendor_id", ID_BYTES), SIGN_KEY("intent_key"), TIME("made_at_ms"),
	FLAG("details"), TEXT("text", 0, DETAILS_BYTES_MAX),
};
FIELDS(agreement) = {
	EXACT("offer_id", ID_BYTES),
	EXACT("vendor_id", ID_BYTES),
	SIGN_KEY("intent_key"),
	SIGN_KEY("agreement_key"),
	LINE("terms_iri", 1, URL_BYTES_MAX),
	NUMBER("terms_version", 1, UINT32_MAX),
	EXACT("terms_hash", HASH_BYTES),
	TIME("countersign_by_ms"),
	TIME("reveal_by_ms"),
	EXACT("random", RANDOM_BYTES),
	EXACT("card_commitment", HASH_BYTES),
	LINES("fields", FIELD_NAME_BYTES_MAX, CARD_FIELDS_MAX),
	NUMBER("retention_days", 0, DAYS_PLUS_ONE_MAX),
	WORDS("purposes", 1, REASON_BYTES_MAX, PURPOSES_MAX),
	WORDS("recipients", 1, REASON_BYTES_MAX, RECIPIENTS_MAX),
	EXACT_OR_NONE("box_key", KEY_BYTES), // sealing to it checks it
};
FIELDS(deal_text) = {EXACT("deal_id", ID_BYTES), TIME("made_at_ms"), FLAG("from_vendor"),
                     TEXT("text", 1, MESSAGE_BYTES_MAX)};
FIELDS(erasure_receipt) = {
	EXACT("deal_id", ID_BYTES), EXACT("vendor_id", ID_BYTES), EXACT("request_hash", HASH_BYTES),
	CHOICE("result"),           TIME("at_ms"),                TEXT("ground", 0, GROUND_BYTES_MAX),
};
FIELDS(card) = {EXACT("deal_id", ID_BYTES), EXACT("vendor_id", ID_BYTES), EXACT("secret", RANDOM_BYTES),
                BYTES("card", 1, CARD_BYTES_MAX)};
FIELDS(outcome) = {EXACT("deal_id", ID_BYTES), CHOICE("result"), TIME("at_ms"), EXACT("broker_id", KEY_BYTES)};

// ---- guardian.proto

FIELDS(envelope_body) = {TIME("sent_at_ms"), PART("account")};
FIELDS(account_record) = {
	EXACT("guardian_id", KEY_BYTES), TIME("made_at_ms"),  PART("open"),  PART("voucher"),  PART("open_box"),
	PART("close_box"),               PART("read_boxes"), PART("relay"), PART("get_home"), PART("show"),
	PART("check_vendor"),
};
FIELDS(check_vendor) = {LINE("url", 1, URL_BYTES_MAX), SIGN_KEY("vendor_key")};
FIELDS(vendor_check) = {OPEN("check"), TIME_OR_NONE("at_ms")};
FIELDS(open_account) = {WORD("invite", 0, INVITE_BYTES_MAX), BYTES("stamp", 0, STAMP_BYTES_MAX)};
FIELDS(ask_voucher) = {EXACT("voucher_id", VOUCHER_ID_BYTES), EXACT("home_id", KEY_BYTES), COUNT("epoch")};
FIELDS(voucher) = {
	EXACT("guardian_id", KEY_BYTES), EXACT("voucher_id", VOUCHER_ID_BYTES), EXACT("home_id", KEY_BYTES),
	COUNT("epoch"), NUMBER("count", 1, VOUCHER_TOKENS),
};
FIELDS(open_box) = {EXACT("box_id", BOX_ID_BYTES), EXACT("home_id", KEY_BYTES), TIME("keep_until_ms")};
FIELDS(close_box) = {EXACT("box_id", BOX_ID_BYTES)};
FIELDS(read_boxes) = {PARTS("seen", BOXES_PER_ACCOUNT_MAX), NUMBER("wait_ms", 0, WAIT_MS_MAX)};
FIELDS(box_seen) = {EXACT("box_id", BOX_ID_BYTES), SEQUENCE("number")};
FIELDS(relay_cell) = {EXACT("home_id", KEY_BYTES), EXACT("cell", CELL_BYTES)};
FIELDS(get_home) = {EXACT_OR_NONE("home_id", KEY_BYTES)};
FIELDS(guardian_reply) = {
	PART("error"), PART("ack"), PART("voucher"), PART("cells"), EXACT("relayed", CELL_BYTES), PART("homes"),
	PART("account"), PART("vendor_check"), TIME_OR_NONE("now_ms"),
};
FIELDS(box_cells) = {PARTS("items", BOX_READ_CELLS_MAX), FLAG("more")};
FIELDS(box_cell) = {EXACT("box_id", BOX_ID_BYTES), SEQUENCE("number"), EXACT("cell", BOX_CELL_BYTES)};
FIELDS(homes) = {PARTS("items", HOMES_MAX)};
FIELDS(home) = {EXACT("home_id", KEY_BYTES), LINE("url", 0, URL_BYTES_MAX), PART_OR_NONE("config")};
FIELDS(account_state) = {TIME_OR_NONE("opened_at_ms"), COUNT("vouchers_left"), COUNT("vouchers_per_day"),
                         COUNT("boxes_open")};
FIELDS(push_batch) = {EXACT("guardian_id", KEY_BYTES), TIME("made_at_ms"), PARTS("cells", PUSH_CELLS_MAX)};
FIELDS(box_plain) = {PARTS("parts", MAILBOX_ITEMS_MAX)};
FIELDS(box_part) = {SEQUENCE("item"), COUNT("version"), COUNT("offset"), COUNT("total"),
                    BYTES("bytes", 1, BOX_CELL_BYTES)};

// ---- record.proto

FIELDS(standing) = {
	EXACT("vendor_id", ID_BYTES), EXACT("broker_id", KEY_BYTES), TIME("at_ms"), COUNT("offers"), COUNT("accepted"),
	COUNT("concluded"), COUNT("lapsed_by_fault"), COUNT("erasures_asked"), COUNT("erasures_in_time"),
	COUNT("erasures_late"), COUNT("ratings"), COUNT("stars"), OPEN("url_check"), TIME_OR_NONE("url_checked_at_ms"),
};
FIELDS(withdrawal_receipt) = {EXACT("intent_id", ID_BYTES), EXACT("broker_id", KEY_BYTES), TIME("at_ms")};
FIELDS(notice) = {
	NUMBER("number", 1, INT64_MAX), EXACT_OR_NONE("previous", HASH_BYTES), EXACT("broker_id", KEY_BYTES),
	TIME("at_ms"), TEXT("text", 1, NOTICE_TEXT_BYTES_MAX), EXACT_OR_NONE("vendor_id", ID_BYTES),
	TIME_OR_NONE("from_ms"), TIME_OR_NONE("to_ms"), LINES("fields", FIELD_NAME_BYTES_MAX, NOTICE_FIELDS_MAX),
	EXACTS("deals", ID_BYTES, NOTICE_DEALS_MAX),
};

// ---- admin.proto

FIELDS(admin_request) = {PART("status"), PART("vendors"), PART("approve"), PART("suspend"), PART("compact"),
                         PART("confirm_clock"), PART("accounts"), PART("invite"), PART("notice")};
FIELDS(admin_notice) = {
	TEXT("text", 1, NOTICE_TEXT_BYTES_MAX), EXACT_OR_NONE("vendor_id", ID_BYTES), TIME_OR_NONE("from_ms"),
	TIME_OR_NONE("to_ms"), LINES("fields", FIELD_NAME_BYTES_MAX, NOTICE_FIELDS_MAX),
	EXACTS("deals", ID_BYTES, NOTICE_DEALS_MAX),
};
FIELDS(admin_accounts) = {COUNT("offset")};
FIELDS(admin_invite) = {NUMBER("count", 0, INVITES_MAX), NUMBER("valid_ms", 0, EXPIRES_MS_MAX)};
FIELDS(admin_vendors) = {COUNT("offset")};
FIELDS(admin_approve) = {EXACT("vendor_id", ID_BYTES)};
FIELDS(admin_suspend) = {EXACT("vendor_id", ID_BYTES), TEXT("reason", 0, NOTE_BYTES_MAX)};
FIELDS(admin_reply) = {PART("error"), PART("ack"), PART("status"), PART("vendors"), PART("accounts"), PART("invites"),
                       PART("notice")};
FIELDS(account_list) = {PARTS("items", ACCOUNT_LIST_ITEMS_MAX), FLAG("more")};
FIELDS(account_item) = {EXACT("account_id", ID_BYTES), TIME_OR_NONE("opened_at_ms"), FLAG("by_invite"),
                        COUNT("vouchers_today"), COUNT("boxes_open")};
FIELDS(invite_list) = {WORDS("codes", 1, INVITE_BYTES_MAX, INVITES_MAX), TIME_OR_NONE("valid_until_ms")};
FIELDS(status_report) = {
	EXACT("broker_id", KEY_BYTES),   LINE("version", 0, REASON_BYTES_MAX), SEQUENCE("up_ms"),
	LINE("region", 0, REGION_BYTES_MAX), COUNT("crowd"),                   SEQUENCE("tick_ms"),
	SEQUENCE("intents_waiting"),     SEQUENCE("intents_released"),         SEQUENCE("vendors"),
	SEQUENCE("subscriptions"),       SEQUENCE("deals_open"),               SEQUENCE("feed_length"),
	SEQUENCE("parked"),              SEQUENCE("store_bytes"),              FLAG("clock_held"),
	SEQUENCE("accounts"),            SEQUENCE("vouchers_given"),           SEQUENCE("boxes_kept"),
	SEQUENCE("boxes_pushed"),        SEQUENCE("box_bytes_per_intent_day"), SEQUENCE("tokens_issued"),
	SEQUENCE("tokens_spent"),        COUNT("brokers_in_conflict"),
};
FIELDS(vendor_list) = {PARTS("items", VENDOR_LIST_ITEMS_MAX), FLAG("more")};

// ---- what concerns several fields of one message

static const char *also_budget(const ProtobufCMessage *message)
{
	const Oyez__Budget *budget = (const Oyez__Budget *)message;
	return budget->max_e4 > 0 && budget->min_e4 > budget->max_e4 ? "max_e4" : NULL;
}

// Sorted and without repeats: equal rules are equal bytes, which the classes of a release need.
static const char *also_vendor_rules(const ProtobufCMessage *message)
{
	const Oyez__VendorRules *rules = (const Oyez__VendorRules *)message;
	for (size_t i = 1; i < rules->n_countries; i++) {
		if (strcmp(rules->countries[i - 1], rules->countries[i]) >= 0)
			return "countries";
	}
	return NULL;
}

static const char *also_config(const ProtobufCMessage *message)
{
	return ((const Oyez__Config *)message)->n_gateway_keys == 0 ? "gateway_keys" : NULL;
}

static const char *also_issue_tokens(const ProtobufCMessage *message)
{
	return ((const Oyez__IssueTokens *)message)->n_blinded == 0 ? "blinded" : NULL;
}

static const char *also_filter(const ProtobufCMessage *message)
{
	const Oyez__Filter *filter = (const Oyez__Filter *)message;
	return filter->quantity_max > 0 && filter->quantity_min > filter->quantity_max ? "quantity_max" : NULL;
}

static const char *also_fetch(const ProtobufCMessage *message)
{
	return ((const Oyez__Fetch *)message)->n_pairs == 0 ? "pairs" : NULL;
}

static const char *also_accept(const ProtobufCMessage *message)
{
	const Oyez__Accept *accept = (const Oyez__Accept *)message;
	return accept->reveal_by_ms < accept->countersign_by_ms ? "reveal_by_ms" : NULL;
}

static const char *also_agreement(const ProtobufCMessage *message)
{
	const Oyez__Agreement *agreement = (const Oyez__Agreement *)message;
	return agreement->reveal_by_ms < agreement->countersign_by_ms ? "reveal_by_ms" : NULL;
}

static const char *also_question(const ProtobufCMessage *message)
{
	const Oyez__Question *question = (const Oyez__Question *)message;
	return !question->details && (!question->text || !question->text[0]) ? "text" : NULL;
}

// ---- the table

#define ROW(name, bytes_max, body, also)                                                                               \
	{                                                                                                                  \
		&oyez__##name##__descriptor, bytes_max, body, also, name##_fields,                                             \
			sizeof(name##_fields) / sizeof(name##_fields[0])                                                           \
	}
#define EMPTY(name)                                                                                                    \
	{                                                                                                                  \
		&oyez__##name##__descriptor, RECORD_BYTES_MAX, false, NULL, NULL, 0                                            \
	}
// Most messages are bounded by their fields and by what they travel in.
#define PLAIN(name) ROW(name, RECORD_BYTES_MAX, false, NULL)

static const struct message_rule table[] = {
	// common.proto
	ROW(signed, RECORD_BYTES_MAX + 128, false, NULL),
	ROW(budget, RECORD_BYTES_MAX, false, also_budget),
	ROW(vendor_rules, RECORD_BYTES_MAX, false, also_vendor_rules),
	ROW(facets, FACETS_BYTES_MAX, false, NULL),
	ROW(release, RELEASE_BYTES_MAX, false, NULL),
	ROW(listing, LISTING_BYTES_MAX, false, NULL),
	PLAIN(vouched_listing),
	PLAIN(gateway_key),
	PLAIN(token_key),
	ROW(config, RECORD_BYTES_MAX, false, also_config),
	PLAIN(error),
	PLAIN(ack),
	// customer.proto
	ROW(cell_body, CELL_REQUEST_MESSAGE_BYTES_MAX, true, NULL),
	ROW(issue_tokens, RECORD_BYTES_MAX, false, also_issue_tokens),
	PLAIN(tokens_issued),
	ROW(deal_record, CELL_REQUEST_MESSAGE_BYTES_MAX, true, NULL),
	PLAIN(deal_message),
	PLAIN(erase),
	PLAIN(rate),
	PLAIN(read_deal),
	ROW(deal_box, CELL_REPLY_MESSAGE_BYTES_MAX, false, NULL),
	PLAIN(deal_item), // without a body: of a later version, to be skipped
	PLAIN(erasure_answer),
	PLAIN(get_notices),
	ROW(notices, CELL_REPLY_MESSAGE_BYTES_MAX, false, NULL),
	ROW(customer_record, CELL_REQUEST_MESSAGE_BYTES_MAX, true, NULL),
	PLAIN(post),
	EMPTY(withdraw),
	PLAIN(decline),
	PLAIN(answer),
	ROW(accept, RECORD_BYTES_MAX, false, also_accept),
	PLAIN(reveal),
	PLAIN(read_mailbox),
	EMPTY(read_status),
	ROW(customer_reply, CELL_REPLY_MESSAGE_BYTES_MAX, true, NULL),
	PLAIN(status),
	PLAIN(deal_status),
	ROW(mailbox, CELL_REPLY_MESSAGE_BYTES_MAX, false, NULL),
	PLAIN(mailbox_item), // without a body: of a later version, to be skipped
	PLAIN(vendor_suspended),
	PLAIN(vendor_message),
	PLAIN(countersigned),
	// vendor.proto
	ROW(request, REQUEST_BYTES_MAX, true, NULL),
	EMPTY(get_config),
	EMPTY(get_challenge),
	ROW(vendor_record, RECORD_BYTES_MAX, true, NULL),
	PLAIN(open_session),
	ROW(filter, RECORD_BYTES_MAX, false, also_filter),
	PLAIN(subscribe),
	PLAIN(unsubscribe),
	PLAIN(send_question),
	PLAIN(send_offer),
	PLAIN(withdraw_offer),
	PLAIN(countersign),
	PLAIN(receipt),
	PLAIN(send_message),
	PLAIN(answer_erasure),
	ROW(vendor_read, REQUEST_BYTES_MAX, false, NULL),
	ROW(vendor_read_body, RECORD_BYTES_MAX, true, NULL),
	PLAIN(fetch_pair),
	ROW(fetch, RECORD_BYTES_MAX, false, also_fetch),
	PLAIN(read_inbox),
	PLAIN(list_subscriptions),
	EMPTY(show_vendor),
	PLAIN(explain_release),
	ROW(reply, REPLY_BYTES_MAX, true, NULL),
	PLAIN(session_opened),
	PLAIN(feed_item),
	ROW(fetch_reply, REPLY_BYTES_MAX, false, NULL),
	ROW(subscriptions, REPLY_BYTES_MAX, false, NULL),
	PLAIN(subscription),
	PLAIN(vendor_state),
	PLAIN(explanation),
	PLAIN(would_match),
	PLAIN(would_match_reply),
	PLAIN(would_match_row),
	ROW(inbox, REPLY_BYTES_MAX, false, NULL),
	PLAIN(inbox_item), // without a body: of a later version, to be skipped
	PLAIN(inbox_answer),
	PLAIN(inbox_declined),
	PLAIN(inbox_agreement),
	PLAIN(inbox_reveal),
	// sealed.proto
	PLAIN(binding),
	ROW(question, SEALED_PLAIN_BYTES_MAX, false, also_question),
	ROW(offer, SEALED_PLAIN_BYTES_MAX, false, NULL),
	ROW(answer_text, SEALED_PLAIN_BYTES_MAX, false, NULL),
	ROW(agreement, SEALED_PLAIN_BYTES_MAX, false, also_agreement),
	ROW(card, SEALED_PLAIN_BYTES_MAX, false, NULL),
	ROW(deal_text, SEALED_PLAIN_BYTES_MAX, false, NULL),
	ROW(erasure_receipt, SEALED_PLAIN_BYTES_MAX, false, NULL),
	PLAIN(outcome),
	// guardian.proto
	ROW(envelope_body, ENVELOPE_REQUEST_MESSAGE_BYTES_MAX, false, NULL),
	ROW(account_record, RECORD_BYTES_MAX, true, NULL),
	PLAIN(open_account),
	PLAIN(ask_voucher),
	PLAIN(voucher),
	PLAIN(open_box),
	PLAIN(close_box),
	PLAIN(read_boxes),
	PLAIN(box_seen),
	PLAIN(relay_cell),
	PLAIN(get_home),
	EMPTY(show_account),
	ROW(guardian_reply, RECORD_BYTES_MAX, true, NULL),
	PLAIN(box_cells),
	PLAIN(box_cell),
	PLAIN(homes),
	PLAIN(home),
	PLAIN(account_state),
	PLAIN(check_vendor),
	PLAIN(vendor_check),
	PLAIN(push_batch),
	ROW(box_plain, BOX_CELL_BYTES, false, NULL),
	PLAIN(box_part),
	// record.proto
	PLAIN(standing),
	PLAIN(withdrawal_receipt),
	ROW(notice, NOTICE_BYTES_MAX, false, NULL),
	// admin.proto
	ROW(admin_request, REQUEST_BYTES_MAX, true, NULL),
	EMPTY(admin_status),
	PLAIN(admin_vendors),
	PLAIN(admin_approve),
	PLAIN(admin_suspend),
	EMPTY(admin_compact),
	EMPTY(admin_confirm_clock),
	PLAIN(admin_accounts),
	PLAIN(admin_invite),
	PLAIN(admin_notice),
	ROW(admin_reply, REPLY_BYTES_MAX, true, NULL),
	PLAIN(status_report),
	ROW(vendor_list, REPLY_BYTES_MAX, false, NULL),
	ROW(account_list, REPLY_BYTES_MAX, false, NULL),
	PLAIN(account_item),
	PLAIN(invite_list),
};

const struct message_rule *codec_rule_of(const ProtobufCMessageDescriptor *descriptor)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].descriptor == descriptor)
			return &table[i];
	}
	return NULL;
}

size_t codec_rules(const struct message_rule **rules)
{
	*rules = table;
	return sizeof(table) / sizeof(table[0]);
}
