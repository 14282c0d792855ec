#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { HELLO_BYTES = 8, ROUTE_BYTES = 4, ASK_MS_MAX = 60 * 1000 };

struct wire {
	struct net *net;
	char url[256];
	size_t prefix_bytes; // ipc has a byte 1 before the length
	bool *greeted;
	uint32_t *asked; // route of the request under way, 0 for none
	size_t room, greeted_count;
	uint32_t next;
	wire_reply_fn *reply;
	void *context;
	// wire_ask:
	uint8_t *answer;
	size_t answer_bytes, answer_room;
	bool answered;
};

static uint64_t read_number(const uint8_t *at, size_t count)
{
	uint64_t value = 0;
	while (count--)
		value = value << 8 | *at++;
	return value;
}

static void write_number(uint8_t *at, uint64_t value, size_t count)
{
	while (count--) {
		at[count] = (uint8_t)value;
		value >>= 8;
	}
}

static size_t take(void *context, size_t connection, const uint8_t *bytes, size_t count)
{
	struct wire *wire = context;
	size_t at = 0;
	if (!wire->greeted[connection]) {
		if (count < HELLO_BYTES)
			return 0;
		if (memcmp(bytes, "\0SP\0\0\x31\0\0", HELLO_BYTES) != 0)
			give_up("the other side of %s is no REP", wire->url);
		wire->greeted[connection] = true;
		wire->greeted_count++;
		at = HELLO_BYTES;
	}
	while (count - at >= wire->prefix_bytes) {
		uint64_t length = read_number(bytes + at + wire->prefix_bytes - 8, 8);
		if (length < ROUTE_BYTES || length > (64 << 20))
			give_up("a message of %llu bytes came", (unsigned long long)length);
		if (count - at < wire->prefix_bytes + length)
			break;
		const uint8_t *message = bytes + at + wire->prefix_bytes;
		if (read_number(message, ROUTE_BYTES) != wire->asked[connection])
			give_up("a reply to no request of connection %zu", connection);
		wire->asked[connection] = 0;
		wire->reply(wire->context, connection, message + ROUTE_BYTES, length - ROUTE_BYTES);
		at += wire->prefix_bytes + length;
	}
	return at;
}

struct wire *wire_new(const char *url)
{
	struct wire *wire = calloc(1, sizeof *wire);
	if (!wire || strlen(url) >= sizeof wire->url)
		give_up("no memory");
	strcpy(wire->url, url);
	wire->prefix_bytes = strncmp(url, "ipc://", 6) == 0 ? 9 : 8;
	wire->net = net_new(take, wire);
	return wire;
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	net_free(wire->net);
	free(wire->greeted);
	free(wire->asked);
	free(wire->answer);
	free(wire);
}

size_t wire_connect(struct wire *wire, size_t count)
{
	size_t first = net_count(wire->net);
	if (first + count > wire->room) {
		wire->room = first + count;
		wire->greeted = realloc(wire->greeted, wire->room * sizeof *wire->greeted);
		wire->asked = realloc(wire->asked, wire->room * sizeof *wire->asked);
		if (!wire->greeted || !wire->asked)
			give_up("no memory");
	}
	for (size_t i = 0; i < count; i++) {
		size_t connection = first + i;
		wire->greeted[connection] = false;
		wire->asked[connection] = 0;
		net_connect(wire->net, wire->url);
		net_send(wire->net, connection, "\0SP\0\0\x30\0\0", HELLO_BYTES);
		while (i % 64 == 63 && wire->greeted_count < connection + 1) // not more than a listener's backlog at once
			if (!net_poll(wire->net, ASK_MS_MAX))
				give_up("no greeting from %s", wire->url);
	}
	while (wire->greeted_count < first + count)
		if (!net_poll(wire->net, ASK_MS_MAX))
			give_up("no greeting from %s", wire->url);
	return first;
}

void wire_on_reply(struct wire *wire, wire_reply_fn *reply, void *context)
{
	wire->reply = reply;
	wire->context = context;
}

void wire_send(struct wire *wire, size_t connection, const void *body, size_t count)
{
	uint8_t head[9 + ROUTE_BYTES] = {1};
	if (wire->asked[connection])
		give_up("connection %zu has a request under way", connection);
	wire->asked[connection] = 0x80000000u | ++wire->next;
	write_number(head + wire->prefix_bytes - 8, ROUTE_BYTES + count, 8);
	write_number(head + wire->prefix_bytes, wire->asked[connection], ROUTE_BYTES);
	uint8_t small[1024], *whole = small;
	size_t head_bytes = wire->prefix_bytes + ROUTE_BYTES;
	if (head_bytes + count > sizeof small && !(whole = malloc(head_bytes + count)))
		give_up("no memory");
	memcpy(whole, head, head_bytes);
	memcpy(whole + head_bytes, body, count);
	net_send(wire->net, connection, whole, head_bytes + count);
	if (whole != small)
		free(whole);
}

bool wire_poll(struct wire *wire, int timeout_ms)
{
	return net_poll(wire->net, timeout_ms);
}

static void keep_answer(void *context, size_t connection, const uint8_t *body, size_t count)
{
	struct wire *wire = context;
	(void)connection;
	if (count > wire->answer_room) {
		wire->answer_room = count;
		wire->answer = realloc(wire->answer, count);
		if (!wire->answer)
			give_up("no memory");
	}
	memcpy(wire->answer, body, count);
	wire->answer_bytes = count;
	wire->answered = true;
}

const uint8_t *wire_ask(struct wire *wire, size_t connection, const void *body, size_t count, size_t *reply_bytes)
{
	wire_reply_fn *reply = wire->reply;
	void *context = wire->context;
	wire_on_reply(wire, keep_answer, wire);
	wire->answered = false;
	wire_send(wire, connection, body, count);
	while (!wire->answered)
		if (!net_poll(wire->net, ASK_MS_MAX))
			give_up("no reply from %s", wire->url);
	wire_on_reply(wire, reply, context);
	*reply_bytes = wire->answer_bytes;
	return wire->answer;
}
