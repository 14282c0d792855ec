// What the files of the vendor library share. Internal to liboyez; the public face is oyez_vendor.h.
//
//   vendor.c          open, connect, register         vendor_feed.c    releases and tombstones
//   vendor_session.c  reads that carry a MAC          vendor_inbox.c   what customers and the broker sent
//   vendor_outbox.c   signed records on their way     vendor_deal.c    agreement, outcome, reveal, countersign
//   vendor_offer.c    offers and questions            vendor_wait.c    several things at once
//   vendor_after.c    messages and erasure, once a deal stands
#ifndef OYEZ_CLIENT_VENDOR_INTERNAL_H
#define OYEZ_CLIENT_VENDOR_INTERNAL_H

#include "oyez_vendor.h"
#include "proto/sign.h"
#include "vendor_home.h"

enum {
	VENDOR_TIMEOUT_MS = 30 * 1000,     // of a request that needs no waiting
	VENDOR_WAIT_MARGIN_MS = 15 * 1000, // beyond what a long poll waits
};

// A request under way, started without waiting.
struct vendor_call {
	struct vendor_call *next;
	struct oyez_vendor *vendor;
	enum { VENDOR_CALL_FETCH, VENDOR_CALL_INBOX, VENDOR_CALL_PENDING } kind;
	struct id subscription; // FETCH
	char after[40];         // FETCH, INBOX
	uint32_t max;
	uint64_t wait_ms;
	bool again;                    // the session was renewed once for it
	Oyez__HomePendingKind pending; // PENDING
	struct id object;
};

struct oyez_vendor {
	struct vendor_home *home;
	struct transport *transport;
	struct sign_pair identity;
	struct id id;
	bool connected;
	struct vendor_call *calls;
	struct oyez_vendor_profile profile; // points into the home
};

// Sets code and detail, returns the code. `detail` may be NULL.
enum err vendor_fail(struct oyez_error *error, enum err code, const char *detail);

// ---- vendor_session.c
// One read and its reply; a lost session is opened again by itself. The caller frees the reply.
enum err vendor_read(struct oyez_vendor *vendor, Oyez__VendorReadBody *body, uint64_t timeout_ms, Oyez__Reply **reply,
                     struct oyez_error *error);
enum err vendor_session_ensure(struct oyez_vendor *vendor, struct oyez_error *error);
// Forgets the session in use, unless another program already replaced it.
void vendor_session_drop(struct oyez_vendor *vendor);
// Builds the request around `body`; *bytes holds what it points to and is the caller's to free.
enum err vendor_read_request(struct oyez_vendor *vendor, Oyez__VendorReadBody *body, Oyez__VendorRead *read,
                             uint8_t mac[32], uint8_t **bytes);

// ---- vendor_outbox.c
// Signs `body` (broker id and time are filled in) and puts it into the locked home.
enum err outbox_add(struct oyez_vendor *vendor, Oyez__VendorRecord *body, Oyez__HomePendingKind kind,
                    const struct id *object, struct oyez_error *error);
// Commits the home, sends that record, waits for the answer and applies it.
enum err outbox_send(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object,
                     struct oyez_error *error);
// Sends everything left from earlier. Refusals are applied silently; only an unreachable broker is an error.
enum err outbox_flush(struct oyez_vendor *vendor, struct oyez_error *error);
// The broker's answer to a pending record changes the home: noted under the lock, or written at once. An answer noted
// and then lost in a crash is asked for again by the same bytes. `start`: a new subscription's cursor, else NULL.
enum err outbox_note(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object, enum err result,
                     const ProtobufCBinaryData *start, struct oyez_error *error);
enum err outbox_apply(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object, enum err result,
                      const ProtobufCBinaryData *start, struct oyez_error *error);
// The broker refuses old records only when it never saw them: signs the same content anew, with the time of now.
enum err outbox_renew(struct oyez_vendor *vendor, Oyez__HomePendingKind kind, const struct id *object,
                      struct oyez_error *error);
// Is it worth sending the same bytes again later?
bool outbox_keeps(enum err result);
// Parses the Signed of a pending record for a Request. Free with oyez__signed__free_unpacked.
Oyez__Signed *outbox_signed(const Oyez__HomePending *pending);

// ---- vendor_feed.c
bool cursor_from_hex(const char *text, uint8_t cursor[CURSOR_BYTES]);
enum err feed_request(struct oyez_vendor *vendor, const struct id *subscription, const char *after, uint32_t max,
                      uint64_t wait_ms, Oyez__VendorReadBody *body, Oyez__Fetch *fetch, Oyez__FetchPair *pair,
                      uint8_t cursor[CURSOR_BYTES], struct oyez_error *error);
enum err feed_take(struct oyez_vendor *vendor, const Oyez__FetchReply *reply, const char *after,
                   struct oyez_events *out, struct oyez_error *error);

// ---- vendor_inbox.c
// Applies every item this home has not seen up to `until` (0: none needed), then the items of `reply`.
enum err inbox_request(const char *after, uint32_t max, uint64_t wait_ms, Oyez__VendorReadBody *body,
                       Oyez__ReadInbox *read, struct oyez_error *error);
enum err inbox_take(struct oyez_vendor *vendor, const Oyez__Inbox *inbox, const char *after, struct oyez_events *out,
                    struct oyez_error *error);

// ---- vendor_deal.c: each changes the locked home and fills the event; a failed check is an event of kind PROBLEM
void deal_take_agreement(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event);
void deal_take_outcome(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event, bool *silent);
void deal_take_reveal(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event, bool *silent);
// Opens what a customer sealed to the offer key of a deal, and gives the agreement with it. Free both. The error is a
// problem's code: nothing is handed out then.
enum err deal_open(struct oyez_vendor *vendor, const Oyez__HomeDeal *deal, const char *info,
                   const ProtobufCBinaryData *sealed, Oyez__Signed **wrapped, Oyez__Agreement **agreement);
Oyez__Agreement *deal_agreement(const Oyez__HomeDeal *deal);
// Fills the agreement's part of an event from a stored deal.
void deal_describe(const Oyez__HomeDeal *deal, struct oyez_event *event);

// ---- vendor_after.c: as in vendor_deal.c
void after_take_message(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event);
void after_take_erasure(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event);

// ---- vendor_event.c
// A zeroed event at the end of the list.
struct oyez_event *events_add(struct oyez_events *events);
void event_fini(struct oyez_event *event);
void event_problem(struct oyez_event *event, enum err code, const char *detail);

// ---- vendor_offer.c
enum err offer_release(struct oyez_vendor *vendor, const struct release_id *id, Oyez__Release **out,
                       struct oyez_error *error);
// The hash of the terms a release asks for; zeroes where it names none. ERR_UNKNOWN_TERMS.
enum err offer_terms_hash(const char *terms, uint8_t out[HASH_BYTES]);

#endif
