// Many stream connections in one thread, for the benchmarks' side of the wire: bytes out, bytes in. What they mean is
// said by who opens it (wire.h for SP, peers*.c for others). Gives up on any error: a benchmark has no half results.
#ifndef OYEZ_TESTS_BENCH_NET_H
#define OYEZ_TESTS_BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;

// Bytes that came and were not taken yet. Returns how many it takes; the rest comes again with more behind it.
typedef size_t net_take_fn(void *context, size_t connection, const uint8_t *bytes, size_t count);

struct net *net_new(net_take_fn *take, void *context);
void net_free(struct net *net);
// "tcp://127.0.0.1:PORT" or "ipc:///PATH". Connections are numbered from 0.
size_t net_connect(struct net *net, const char *url);
size_t net_count(const struct net *net);
// Never blocks: what the socket does not take now is kept.
void net_send(struct net *net, size_t connection, const void *bytes, size_t count);
// Bytes kept because the other side does not read.
size_t net_unsent(const struct net *net, size_t connection);
// Waits up to timeout_ms (-1: for ever) and handles what is there. False if there was nothing.
bool net_poll(struct net *net, int timeout_ms);
// A free TCP port of 127.0.0.1, for those who cannot choose one themselves.
int net_free_port(void);

#endif
