// Scalability Protocols REQ on many connections, one request under way on each. The other side is oyezd or nng.
#ifndef OYEZ_TESTS_BENCH_WIRE_H
#define OYEZ_TESTS_BENCH_WIRE_H

#include "net.h"

struct wire;

// The reply's body, valid during the call, which may send the next request.
typedef void wire_reply_fn(void *context, size_t connection, const uint8_t *body, size_t count);

struct wire *wire_new(const char *url);
void wire_free(struct wire *wire);
// So many more connections, with greetings exchanged. The first one's number.
size_t wire_connect(struct wire *wire, size_t count);
void wire_on_reply(struct wire *wire, wire_reply_fn *reply, void *context);
void wire_send(struct wire *wire, size_t connection, const void *body, size_t count);
bool wire_poll(struct wire *wire, int timeout_ms);
// Sends and waits for the reply, valid until the next call. Gives up after a minute.
const uint8_t *wire_ask(struct wire *wire, size_t connection, const void *body, size_t count, size_t *reply_bytes);

#endif
