// One request on its way: the inside of the transport, shared by transport.c and call.c only.
#ifndef OYEZ_CLIENT_CALL_H
#define OYEZ_CLIENT_CALL_H

#include <nng/nng.h>
#include <stdatomic.h>

#include "clients/lib/transport.h"
#include "clients/lib/url.h"
#include "proto/frame.h"

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
	bool refreshing;
	int64_t clock_offset_ms;
	struct transport_call *calls;
};

// waiting for nng (sending, receiving) -> done, or -> paused -> sending with a new cell of the same inner bytes.
enum call_state { CALL_SENDING, CALL_RECEIVING, CALL_PAUSED, CALL_DONE };

struct transport_call {
	struct transport *transport;
	struct transport_call *next;
	enum call_state state;
	enum frame_kind kind;
	nng_ctx context;
	bool context_open;
	nng_aio *aio;
	atomic_bool event; // nng finished what it was asked; set by its thread
	uint8_t *inner;    // customer: the Signed; else the whole frame
	size_t inner_bytes;
	struct cell_exchange exchange;
	uint64_t deadline_ms, connect_by_ms, resume_ms; // monotonic
	unsigned tries, refreshes;
	void *tag;
	struct oyez_error error; // the result, or the last refusal that was worth another try
	Oyez__CustomerReply *customer_reply;
	Oyez__Reply *reply;
	Oyez__AdminReply *admin_reply;
};

uint64_t monotonic_ms(void);
// Takes `inner` over, also on failure.
enum err call_start(struct transport *transport, enum frame_kind kind, uint8_t *inner, size_t inner_bytes,
                    uint64_t timeout_ms, void *tag, struct transport_call **out);
// Moves every call on as far as it goes, then waits for the next event at most until `until_ms`.
void calls_run(struct transport *transport, uint64_t until_ms);
// Runs until this very call is done.
void call_complete(struct transport_call *call);
void call_free(struct transport_call *call);
// Dials in the background; repeats are harmless.
enum err transport_dial(struct transport *transport, struct oyez_error *error);
enum err transport_refresh(struct transport *transport, struct oyez_error *error);

#endif
