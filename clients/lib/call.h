// One request on its way: the inside of the transport, shared by transport.c and call.c only.
#ifndef OYEZ_CLIENT_CALL_H
#define OYEZ_CLIENT_CALL_H

#include <nng/nng.h>
#include <stdatomic.h>

#include "clients/lib/transport.h"
#include "clients/lib/url.h"
#include "proto/frame.h"
#include "proto/sign.h"

struct transport {
	struct broker_url url;
	bool pinned; // url.key must be the broker's identity
	nng_socket socket;
	bool dialing;
	atomic_bool was_connected;
	atomic_bool woken;
	int event_fd; // written by nng's threads and transport_wake, read by the thread that waits
	Oyez__Config *config;
	uint8_t *config_signed; // the Signed it came in
	size_t config_signed_bytes;
	uint64_t config_at_ms; // when it came
	bool refreshing;
	int64_t clock_offset_ms;
	struct transport_call *calls;
	bool has_account; // a guardian's: signs what is asked there
	struct sign_pair account;
	struct transport *through; // a home broker behind this guardian: no socket of its own, calls are the guardian's
	char home_url[URL_BYTES_MAX + 1]; // as the guardian lists it
};

// waiting for nng (sending, receiving) -> done, or -> paused -> sending with a new cell of the same inner bytes.
enum call_state { CALL_SENDING, CALL_RECEIVING, CALL_PAUSED, CALL_DONE };

// What `inner` holds, and so how it is wrapped for each try:
//   FRAME     the whole frame, as it is
//   CUSTOMER  a Signed CustomerRecord -> CellBody -> cell
//   ISSUE     IssueTokens             -> CellBody -> cell
//   DEAL      a Signed DealRecord     -> CellBody -> cell
//   NOTICES   GetNotices              -> CellBody -> cell
//   ACCOUNT   AccountRecord without guardian and time -> signed -> EnvelopeBody -> envelope
// A cell for a home behind a guardian goes on: RelayCell -> AccountRecord -> signed -> EnvelopeBody -> envelope.
enum call_content { CONTENT_FRAME, CONTENT_CUSTOMER, CONTENT_ISSUE, CONTENT_DEAL, CONTENT_NOTICES, CONTENT_ACCOUNT };

struct transport_call {
	struct transport *transport; // whose connection it takes
	struct transport *home;      // whose gateway key the cell is sealed to: `transport`, or a home behind it
	struct transport_call *next;
	enum call_state state;
	enum frame_kind kind; // of the frame on the wire
	enum call_content content;
	enum { LAYER_NONE, LAYER_GUARDIAN, LAYER_EITHER } layer; // who refused last, of a call with two sealed layers
	nng_ctx context;
	bool context_open;
	nng_aio *aio;
	atomic_bool event; // nng finished what it was asked; set by its thread
	uint8_t *inner;
	size_t inner_bytes;
	struct cell_exchange exchange, envelope;
	uint64_t deadline_ms, connect_by_ms, resume_ms; // monotonic
	unsigned tries, refreshes;
	void *tag;
	struct oyez_error error; // the result, or the last refusal that was worth another try
	Oyez__CustomerReply *customer_reply;
	Oyez__Reply *reply;
	Oyez__AdminReply *admin_reply;
	Oyez__GuardianReply *guardian_reply;
};

uint64_t monotonic_ms(void);
// What a started call sends. Takes `inner` over, also on failure. `transport` may be a home behind a guardian.
enum err call_start(struct transport *transport, enum frame_kind kind, enum call_content content, uint8_t *inner,
                    size_t inner_bytes, uint64_t timeout_ms, void *tag, struct transport_call **out);
// Moves every call on as far as it goes, then waits for the next event at most until `until_ms`.
void calls_run(struct transport *transport, uint64_t until_ms);
// Runs until this very call is done.
void call_complete(struct transport_call *call);
void call_free(struct transport_call *call);
// Those that a guardian carries for this home.
void calls_free_of(struct transport *carrier, const struct transport *home);
// ---- call_seal.c
// The frame of one try, sealed anew.
enum err call_fill(struct transport_call *call, nng_msg **out);
// Decodes the reply; a refusal ends in call->error and call->layer. Returns what is wrong with the frame itself.
enum err call_open_frame(struct transport_call *call, const uint8_t *frame, size_t frame_bytes);
void call_drop_replies(struct transport_call *call);

// ---- transport.c
// Dials in the background; repeats are harmless.
enum err transport_dial(struct transport *transport, struct oyez_error *error);
enum err transport_refresh(struct transport *transport, struct oyez_error *error);
// Takes a verified configuration over. The first one seen pins the identity for the life of this transport.
enum err transport_adopt_config(struct transport *transport, const Oyez__Signed *signed_config,
                                struct oyez_error *error);

// ---- transport_guardian.c
// A home's configuration, as its guardian shows it to everybody.
enum err transport_refresh_home(struct transport *home, struct oyez_error *error);

#endif
