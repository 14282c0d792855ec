// Who delivers messages to subscribers: Oyez and others, behind one door. Each message is `bytes` long and begins with
// its number (little-endian; from 1), which every subscriber must get in order, none missing, none twice.
#ifndef OYEZ_TESTS_BENCH_PEERS_H
#define OYEZ_TESTS_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery {
	size_t subscribers;
	uint64_t *got; // number of the last message, by subscriber
	uint64_t delivered;
	bool spoil; // lose one, to see that it is noticed
};
// Gives up when it is not the next one.
void delivery_take(struct delivery *delivery, size_t subscriber, uint64_t number);

struct peer {
	const char *name, *program; // program: NULL if it is part of the harness
	uint64_t window;            // messages published before those before are delivered
	double share;               // of the messages the others deliver; slow ones get fewer
	void *(*open)(struct delivery *delivery);
	void (*publish)(void *peer, uint32_t count);
	bool (*poll)(void *peer, int timeout_ms);
	void (*close)(void *peer);
};
enum { PEER_MESSAGE_BYTES = 400 };

extern const struct peer peer_oyez, peer_nats, peer_nng_64, peer_nng_256, peer_mosquitto;

#endif
