// Brokers of others, from Debian's packages, with subscribers that speak their protocols; and nng alone.
#define _GNU_SOURCE
#include "peers.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "wire.h"

enum { START_MS_MAX = 10000, HEAD_BYTES_MAX = 64 };

void delivery_take(struct delivery *delivery, size_t subscriber, uint64_t number)
{
	if (delivery->spoil && number == 7 && subscriber == delivery->subscribers - 1) {
		delivery->spoil = false;
		return;
	}
	if (number != delivery->got[subscriber] + 1)
		give_up("WRONG: subscriber %zu got message %llu after %llu", subscriber, (unsigned long long)number,
		        (unsigned long long)delivery->got[subscriber]);
	delivery->got[subscriber] = number;
	delivery->delivered++;
}

// ---- a broker over plain sockets: the last connection publishes

struct broker {
	struct delivery *delivery;
	struct net *net;
	pid_t pid;
	size_t greeted; // connections that may begin
	uint64_t published;
	size_t publisher;
	uint8_t *batch;
};

static void wait_until_greeted(struct broker *broker, size_t count)
{
	while (broker->greeted < count)
		if (!net_poll(broker->net, START_MS_MAX))
			give_up("the peer does not greet");
}

// Until something listens there.
static void wait_for_port(int port)
{
	char path[128];
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	char wanted[32], line[512];
	snprintf(path, sizeof path, "/proc/net/tcp");
	snprintf(wanted, sizeof wanted, "0100007F:%04X 00000000:0000 0A", port);
	for (int waited = 0; waited < START_MS_MAX; waited += 20) {
		bool found = false;
		FILE *file = fopen(path, "r");
		while (file && !found && fgets(line, sizeof line, file))
			found = strstr(line, wanted) != NULL;
		if (file)
			fclose(file);
		if (found)
			return;
		nanosleep(&pause, NULL);
	}
	give_up("the peer does not listen");
}

static struct broker *broker_new(struct delivery *delivery, net_take_fn *take, int port, const char *const *arguments)
{
	struct broker *broker = calloc(1, sizeof *broker);
	char url[64];
	broker->delivery = delivery;
	broker->pid = child_start(arguments, NULL);
	broker->net = net_new(take, broker);
	wait_for_port(port);
	snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
	for (size_t i = 0; i <= delivery->subscribers; i++)
		broker->publisher = net_connect(broker->net, url);
	return broker;
}

// `count` messages, each behind the same head.
static void broker_publish(struct broker *broker, const char *head, size_t head_bytes, const char *tail, uint32_t count)
{
	size_t tail_bytes = strlen(tail), each = head_bytes + PEER_MESSAGE_BYTES + tail_bytes;
	if (!broker->batch && !(broker->batch = calloc(4096, HEAD_BYTES_MAX + PEER_MESSAGE_BYTES)))
		give_up("no memory");
	uint8_t *at = broker->batch;
	for (uint32_t i = 0; i < count; i++) {
		broker->published++;
		memcpy(at, head, head_bytes);
		memcpy(at + head_bytes, &broker->published, sizeof broker->published);
		memcpy(at + head_bytes + PEER_MESSAGE_BYTES, tail, tail_bytes);
		at += each;
	}
	net_send(broker->net, broker->publisher, broker->batch, (size_t)(at - broker->batch));
}

static bool broker_poll(void *peer, int timeout_ms)
{
	return net_poll(((struct broker *)peer)->net, timeout_ms);
}

static void broker_close(void *peer)
{
	struct broker *broker = peer;
	net_free(broker->net);
	child_end(broker->pid, SIGTERM);
	free(broker->batch);
	free(broker);
}

// ---- NATS core: lines, and the messages behind them

static size_t nats_message(struct broker *broker, size_t connection, const char *line, size_t line_bytes, size_t left)
{
	size_t bytes = 0;
	uint64_t number;
	if (sscanf(line, "MSG feed 1 %zu", &bytes) != 1 || bytes != PEER_MESSAGE_BYTES)
		give_up("an unexpected line from NATS: %.40s", line);
	if (left < bytes + 2)
		return 0;
	memcpy(&number, line + line_bytes, sizeof number);
	delivery_take(broker->delivery, connection, number);
	return line_bytes + bytes + 2;
}

static size_t nats_take(void *context, size_t connection, const uint8_t *bytes, size_t count)
{
	static const char message[] = "MSG feed 1 400\r\n"; // what nearly all lines are
	struct broker *broker = context;
	size_t at = 0;
	while (at < count) {
		const char *line = (const char *)bytes + at;
		const char *end = memmem(line, count - at, "\r\n", 2);
		if (!end)
			break;
		size_t line_bytes = (size_t)(end - line) + 2, used = line_bytes;
		if (line_bytes == sizeof message - 1 && memcmp(line, message, line_bytes) == 0) {
			uint64_t number;
			if (count - at < line_bytes + PEER_MESSAGE_BYTES + 2)
				break;
			memcpy(&number, line + line_bytes, sizeof number);
			delivery_take(broker->delivery, connection, number);
			used = line_bytes + PEER_MESSAGE_BYTES + 2;
		} else if (strncmp(line, "PING", 4) == 0) {
			net_send(broker->net, connection, "PONG\r\n", 6);
		} else if (strncmp(line, "PONG", 4) == 0) {
			broker->greeted++;
		} else if (strncmp(line, "INFO", 4) != 0 && strncmp(line, "+OK", 3) != 0) {
			used = nats_message(broker, connection, line, line_bytes, count - at - line_bytes);
			if (used == 0)
				break;
		}
		at += used;
	}
	return at;
}

static void *nats_open(struct delivery *delivery)
{
	static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n", ping[] = "PING\r\n";
	int port = net_free_port();
	char program[256], port_text[16];
	child_program("nats-server", program);
	snprintf(port_text, sizeof port_text, "%d", port);
	const char *arguments[] = {program, "-a", "127.0.0.1", "-p", port_text, NULL};
	struct broker *broker = broker_new(delivery, nats_take, port, arguments);
	for (size_t i = 0; i <= delivery->subscribers; i++) {
		net_send(broker->net, i, hello, sizeof hello - 1);
		if (i < delivery->subscribers)
			net_send(broker->net, i, "SUB feed 1\r\n", 12);
		net_send(broker->net, i, ping, sizeof ping - 1);
	}
	wait_until_greeted(broker, delivery->subscribers + 1);
	return broker;
}

static void nats_publish(void *peer, uint32_t count)
{
	static const char head[] = "PUB feed 400\r\n";
	broker_publish(peer, head, sizeof head - 1, "\r\n", count);
}

const struct peer peer_nats = {
    "NATS core", "nats-server", 1024, 1, nats_open, nats_publish, broker_poll, broker_close,
};

// ---- Mosquitto: MQTT 3.1.1, QoS 0 (numbers in brackets: sections of that specification)

static size_t mqtt_message(struct broker *broker, size_t connection, const uint8_t *at, size_t count)
{
	uint64_t number;
	switch (at[0] >> 4) {
	case 2: // CONNACK [3.2]
	case 9: // SUBACK [3.9]
		if (at[count - 1] != 0)
			give_up("Mosquitto refuses: %d", at[count - 1]);
		broker->greeted++;
		break;
	case 3: // PUBLISH [3.3]: the payload is what is behind the topic
		if (count < PEER_MESSAGE_BYTES)
			give_up("a short message from Mosquitto");
		memcpy(&number, at + count - PEER_MESSAGE_BYTES, sizeof number);
		delivery_take(broker->delivery, connection, number);
		break;
	default:
		give_up("an unexpected packet from Mosquitto");
	}
	return count;
}

static size_t mqtt_take(void *context, size_t connection, const uint8_t *bytes, size_t count)
{
	size_t at = 0;
	while (count - at >= 2) {
		size_t length = 0, head = 1; // remaining length [2.2.3]
		for (int shift = 0; head < 5; shift += 7, head++) {
			if (at + head >= count)
				return at;
			length |= (size_t)(bytes[at + head] & 0x7f) << shift;
			if (bytes[at + head] < 0x80)
				break;
		}
		head++;
		if (count - at < head + length)
			break;
		at += mqtt_message(context, connection, bytes + at, head + length);
	}
	return at;
}

static void mosquitto_greet(struct broker *broker, size_t connection)
{
	// CONNECT [3.1]: a clean session, no keep alive, a name of eight letters. SUBSCRIBE [3.8]: "feed" at QoS 0.
	uint8_t connect[] = {0x10, 20, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t subscribe[] = {0x82, 9, 0, 1, 0, 4, 'f', 'e', 'e', 'd', 0};
	char name[16];
	snprintf(name, sizeof name, "c%07zu", connection % 10000000);
	memcpy(connect + 14, name, 8);
	net_send(broker->net, connection, connect, sizeof connect);
	if (connection < broker->delivery->subscribers)
		net_send(broker->net, connection, subscribe, sizeof subscribe);
}

static void *mosquitto_open(struct delivery *delivery)
{
	int port = net_free_port();
	char program[256], path[128];
	child_program("mosquitto", program);
	snprintf(path, sizeof path, "%s/mosquitto.conf", folder_new());
	FILE *file = fopen(path, "w");
	if (!file)
		give_up("cannot write %s", path);
	fprintf(file, "listener %d 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n", port);
	if (getuid() == 0)
		fputs("user root\n", file);
	fclose(file);
	const char *arguments[] = {program, "-c", path, NULL};
	struct broker *broker = broker_new(delivery, mqtt_take, port, arguments);
	for (size_t i = 0; i <= delivery->subscribers; i++)
		mosquitto_greet(broker, i);
	wait_until_greeted(broker, 2 * delivery->subscribers + 1);
	return broker;
}

static void mosquitto_publish(void *peer, uint32_t count)
{
	enum { LENGTH = 6 + PEER_MESSAGE_BYTES };
	static const char head[] = {0x30, (char)(LENGTH % 128 | 128), LENGTH / 128, 0, 4, 'f', 'e', 'e', 'd'};
	broker_publish(peer, head, sizeof head, "", count);
}

const struct peer peer_mosquitto = {
    "Mosquitto QoS 0", "mosquitto", 128, 0.1, mosquitto_open, mosquitto_publish, broker_poll, broker_close,
};

// ---- nng alone: a raw REP in a process of its own that keeps requests and answers them with what is new. A request is
// the number of the last message processed; one of 12 bytes publishes so many more.

enum { NNG_PARKED_MAX = 16384 };

static void nng_must(int rv, const char *what)
{
	if (rv != 0)
		give_up("%s: %s", what, nng_strerror(rv));
}

static void nng_answer(nng_socket socket, nng_msg *request, uint64_t last, uint32_t batch)
{
	static const uint8_t filler[PEER_MESSAGE_BYTES];
	uint64_t after;
	memcpy(&after, nng_msg_body(request), sizeof after);
	uint64_t count = last - after < batch ? last - after : batch;
	nng_msg_clear(request);
	nng_must(nng_msg_realloc(request, count * PEER_MESSAGE_BYTES), "a reply's memory");
	uint8_t *at = nng_msg_body(request);
	for (uint64_t number = after + 1; number <= after + count; number++, at += PEER_MESSAGE_BYTES) {
		memcpy(at, filler, PEER_MESSAGE_BYTES);
		memcpy(at, &number, sizeof number);
	}
	nng_must(nng_sendmsg(socket, request, 0), "sending a reply");
}

static _Noreturn void nng_serve(const char *url, uint32_t batch)
{
	static nng_msg *parked[NNG_PARKED_MAX];
	size_t parked_count = 0;
	uint64_t last = 0, after;
	nng_socket socket;
	nng_must(nng_rep0_open_raw(&socket), "a raw REP");
	nng_must(nng_listen(socket, url, NULL, 0), "listening");
	for (;;) {
		nng_msg *request;
		nng_must(nng_recvmsg(socket, &request, 0), "receiving");
		memcpy(&after, nng_msg_body(request), sizeof after);
		if (nng_msg_len(request) == 12) {
			uint32_t more;
			memcpy(&more, (uint8_t *)nng_msg_body(request) + 8, sizeof more);
			last += more;
			for (size_t i = 0; i < parked_count; i++)
				nng_answer(socket, parked[i], last, batch);
			parked_count = 0;
			nng_msg_clear(request);
			nng_must(nng_sendmsg(socket, request, 0), "acknowledging");
		} else if (after < last) {
			nng_answer(socket, request, last, batch);
		} else if (parked_count < NNG_PARKED_MAX) {
			parked[parked_count++] = request;
		} else {
			give_up("too many requests for nng");
		}
	}
}

struct nng_peer {
	struct delivery *delivery;
	pid_t pid;
	struct wire *wire;
	uint32_t waiting; // to be published once the one before is acknowledged
	bool publishing;
};

static void nng_publish(void *context, uint32_t count)
{
	struct nng_peer *peer = context;
	uint8_t body[12] = {0};
	if (peer->publishing) {
		peer->waiting += count;
		return;
	}
	memcpy(body + 8, &count, sizeof count);
	peer->publishing = true;
	wire_send(peer->wire, peer->delivery->subscribers, body, sizeof body);
}

static void nng_take(void *context, size_t connection, const uint8_t *body, size_t count)
{
	struct nng_peer *peer = context;
	if (connection == peer->delivery->subscribers) {
		uint32_t next = peer->waiting;
		peer->publishing = false;
		peer->waiting = 0;
		if (next)
			nng_publish(peer, next);
		return;
	}
	for (size_t at = 0; at + PEER_MESSAGE_BYTES <= count; at += PEER_MESSAGE_BYTES) {
		uint64_t number;
		memcpy(&number, body + at, sizeof number);
		delivery_take(peer->delivery, connection, number);
	}
	wire_send(peer->wire, connection, &peer->delivery->got[connection], sizeof(uint64_t));
}

static void *nng_start(struct delivery *delivery, uint32_t batch)
{
	struct nng_peer *peer = calloc(1, sizeof *peer);
	int port = net_free_port();
	char url[64];
	snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
	peer->delivery = delivery;
	peer->pid = child_fork();
	if (peer->pid == 0)
		nng_serve(url, batch);
	wait_for_port(port);
	peer->wire = wire_new(url);
	wire_connect(peer->wire, delivery->subscribers + 1);
	wire_on_reply(peer->wire, nng_take, peer);
	for (size_t i = 0; i < delivery->subscribers; i++)
		wire_send(peer->wire, i, &delivery->got[i], sizeof(uint64_t));
	return peer;
}

static void *nng_open_64(struct delivery *delivery)
{
	return nng_start(delivery, 64);
}

static void *nng_open_256(struct delivery *delivery)
{
	return nng_start(delivery, 256);
}

static bool nng_poll(void *context, int timeout_ms)
{
	return wire_poll(((struct nng_peer *)context)->wire, timeout_ms);
}

static void nng_end(void *context)
{
	struct nng_peer *peer = context;
	wire_free(peer->wire);
	child_end(peer->pid, SIGKILL);
	free(peer);
}

const struct peer peer_nng_64 = {
    "nng raw, replies of 64", NULL, 1024, 1, nng_open_64, nng_publish, nng_poll, nng_end,
};
const struct peer peer_nng_256 = {
    "nng raw, replies of 256", NULL, 1024, 1, nng_open_256, nng_publish, nng_poll, nng_end,
};
