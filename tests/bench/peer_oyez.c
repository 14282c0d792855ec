// Vendors, each with a connection, a session, a subscription that matches everything, and a parked fetch that gives the
// cursor it has processed.
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "child.h"
#include "injector.h"
#include "parties.h"
#include "peers.h"

enum { FETCH_WAIT_MS = 25000 };
_Static_assert((int)PEER_MESSAGE_BYTES == INJECTED_BYTES, "all peers carry the same");

struct market {
	struct delivery *delivery;
	struct injector injector;
	struct wire *wire;
	struct stall *stalls;
	size_t at; // whose reply is read
};

static void take_release(void *context, const struct fetched *item)
{
	struct market *market = context;
	uint64_t number;
	if (item->release_bytes != INJECTED_BYTES)
		give_up("a release of %zu bytes", item->release_bytes);
	memcpy(&number, item->release_id, sizeof number);
	delivery_take(market->delivery, market->at, number);
}

static void fetch(struct market *market, size_t number)
{
	struct frame frame = stall_fetch_frame(&market->stalls[number], FETCH_WAIT_MS, FETCH_ITEMS_MAX);
	wire_send(market->wire, number, frame.bytes, frame.count);
	free(frame.bytes);
}

static void take_reply(void *context, size_t connection, const uint8_t *frame, size_t count)
{
	struct market *market = context;
	market->at = connection;
	stall_take_fetched(&market->stalls[connection], frame, count, take_release, market, NULL);
	fetch(market, connection);
}

static void *market_open(struct delivery *delivery)
{
	struct market *market = calloc(1, sizeof *market);
	struct broker_keys keys;
	market->delivery = delivery;
	market->stalls = calloc(delivery->subscribers, sizeof *market->stalls);
	injector_start(&market->injector, folder_new(), (uint32_t)delivery->subscribers);
	market->wire = wire_new(market->injector.url);
	wire_connect(market->wire, delivery->subscribers);
	broker_ask_keys(market->wire, 0, &keys);
	for (size_t i = 0; i < delivery->subscribers; i++) {
		Oyez__Filter filter = OYEZ__FILTER__INIT;
		stall_open(market->wire, i, &keys, &market->stalls[i], &filter);
	}
	wire_on_reply(market->wire, take_reply, market);
	for (size_t i = 0; i < delivery->subscribers; i++)
		fetch(market, i);
	return market;
}

static void market_publish(void *peer, uint32_t count)
{
	injector_publish(&((struct market *)peer)->injector, count);
}

static bool market_poll(void *peer, int timeout_ms)
{
	return wire_poll(((struct market *)peer)->wire, timeout_ms);
}

static void market_close(void *peer)
{
	struct market *market = peer;
	wire_free(market->wire);
	injector_stop(&market->injector);
	free(market->stalls);
	free(market);
}

const struct peer peer_oyez = {
    "Oyez", NULL, 1024, 1, market_open, market_publish, market_poll, market_close,
};
