// oyez-bench fanout: releases to subscribers that all match, against other brokers in turn. The rate counts deliveries.
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "child.h"
#include "figures.h"
#include "peers.h"

enum { PEERS_MAX = 8, ROUNDS_MAX = 99, QUIET_MS_MAX = 30000, WINDOWS = 3 };

static double run(const struct peer *peer, size_t subscribers, uint64_t messages, bool spoil)
{
	struct delivery delivery = {
	    .subscribers = subscribers,
	    .got = calloc(subscribers, sizeof *delivery.got),
	    .spoil = spoil,
	};
	if (!delivery.got)
		give_up("no memory");
	void *opened = peer->open(&delivery);
	uint64_t published = 0;
	double start = seconds_now();
	while (delivery.delivered < messages * subscribers) {
		uint64_t ahead = published - delivery.delivered / subscribers;
		if (published < messages && ahead <= (WINDOWS - 1) * peer->window) {
			uint64_t count = messages - published < peer->window ? messages - published : peer->window;
			peer->publish(opened, (uint32_t)count);
			published += count;
		}
		if (!peer->poll(opened, QUIET_MS_MAX))
			give_up("WRONG: %s delivered %llu of %llu", peer->name, (unsigned long long)delivery.delivered,
			        (unsigned long long)(published * subscribers));
	}
	double seconds = seconds_now() - start;
	for (size_t i = 0; i < subscribers; i++)
		if (delivery.got[i] != messages)
			give_up("WRONG: %s gave subscriber %zu %llu of %llu", peer->name, i, (unsigned long long)delivery.got[i],
			        (unsigned long long)messages);
	peer->close(opened);
	free(delivery.got);
	return (double)(messages * subscribers) / seconds;
}

static size_t peers_here(const struct peer *out[PEERS_MAX])
{
	static const struct peer *const all[] = {&peer_nats, &peer_nng_64, &peer_nng_256, &peer_mosquitto};
	char path[256];
	size_t count = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!all[i]->program || child_program(all[i]->program, path))
			out[count++] = all[i];
		else
			fprintf(stderr, "fanout: %s is not installed and left out\n", all[i]->program);
	return count;
}

static void measure(size_t subscribers, uint64_t deliveries, size_t rounds, bool json, bool spoil)
{
	const struct peer *peers[PEERS_MAX];
	size_t peer_count = peers_here(peers);
	double ours[ROUNDS_MAX * PEERS_MAX], theirs[PEERS_MAX][ROUNDS_MAX];
	size_t ours_count = 0;
	uint64_t messages = deliveries / subscribers + 8;
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < peer_count; i++) {
			ours[ours_count++] = run(&peer_oyez, subscribers, messages, spoil);
			theirs[i][round] = run(peers[i], subscribers, (uint64_t)((double)messages * peers[i]->share) + 8, false);
		}
	}
	if (peer_count == 0)
		ours[ours_count++] = run(&peer_oyez, subscribers, messages, spoil);
	double median = figure_median(ours, ours_count);
	for (size_t i = 0; i < peer_count || i == 0; i++) {
		struct figure figure = {
		    .bench = "fanout",
		    .what = "deliveries",
		    .size = (double)subscribers,
		    .size_of = "subscribers",
		    .unit = "/s",
		    .ours = median,
		};
		if (peer_count) {
			figure.peer_name = peers[i]->name;
			figure.peer = figure_median(theirs[i], rounds);
			figure.kind = peers[i] == &peer_nats ? RATIO_AT_LEAST : GOAL_NONE;
			figure.goal = 2;
		}
		figure_print(&figure, json);
	}
}

int bench_fanout(int argc, char **argv)
{
	double subscribers = 0, deliveries = 3e6, rounds = 3;
	bool json = false, spoil = false;
	const struct option_of options[] = {
	    {"subscribers", &subscribers, NULL},
	    {"deliveries", &deliveries, NULL},
	    {"rounds", &rounds, NULL},
	    {"json", NULL, &json},
	    {"spoil", NULL, &spoil},
	};
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || deliveries < 1)
		return 2;
	static const size_t usual[] = {10, 100, 1000};
	for (size_t i = 0; i < 3; i++) {
		size_t count = subscribers > 0 ? (size_t)subscribers : usual[i];
		measure(count, (uint64_t)deliveries, (size_t)rounds, json, spoil);
		if (subscribers > 0)
			break;
	}
	return 0;
}
