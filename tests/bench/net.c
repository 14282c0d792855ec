#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

enum { EVENTS_MAX = 256, READ_BYTES = 256 * 1024, REST_BYTES = 64 * 1024, READS_PER_TURN = 8 };

struct bytes_kept {
	uint8_t *at;
	size_t count, room;
};

struct connection {
	int socket;
	bool wants_out;
	struct bytes_kept in, out;
};

struct net {
	int epoll;
	net_take_fn *take;
	void *context;
	struct connection *connections;
	size_t count, room;
	uint8_t *scratch;
};

struct net *net_new(net_take_fn *take, void *context)
{
	struct net *net = calloc(1, sizeof *net);
	struct rlimit limit;
	if (!net || !(net->scratch = malloc(READ_BYTES)))
		give_up("no memory");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	net->epoll = epoll_create1(EPOLL_CLOEXEC);
	net->take = take;
	net->context = context;
	return net;
}

void net_free(struct net *net)
{
	if (!net)
		return;
	for (size_t i = 0; i < net->count; i++) {
		close(net->connections[i].socket);
		free(net->connections[i].in.at);
		free(net->connections[i].out.at);
	}
	close(net->epoll);
	free(net->connections);
	free(net->scratch);
	free(net);
}

size_t net_count(const struct net *net)
{
	return net->count;
}

static void make_room(struct bytes_kept *kept, size_t count)
{
	if (kept->count + count <= kept->room)
		return;
	kept->room = (kept->count + count) * 2;
	kept->at = realloc(kept->at, kept->room);
	if (!kept->at)
		give_up("no memory");
}

static void keep(struct bytes_kept *kept, const uint8_t *bytes, size_t count)
{
	make_room(kept, count);
	memcpy(kept->at + kept->count, bytes, count);
	kept->count += count;
}

static void keep_drop(struct bytes_kept *kept, size_t count)
{
	kept->count -= count;
	memmove(kept->at, kept->at + count, kept->count);
}

static int socket_to(const char *url)
{
	struct sockaddr_in inet = {.sin_family = AF_INET};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	int port, one = 1, fd;
	if (sscanf(url, "tcp://127.0.0.1:%d", &port) == 1) {
		inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		inet.sin_port = htons((uint16_t)port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (connect(fd, (struct sockaddr *)&inet, sizeof inet) != 0)
			give_up("cannot connect to %s: %s", url, strerror(errno));
	} else if (strncmp(url, "ipc://", 6) == 0 && strlen(url + 6) < sizeof local.sun_path) {
		strcpy(local.sun_path, url + 6);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&local, sizeof local) != 0)
			give_up("cannot connect to %s: %s", url, strerror(errno));
	} else {
		give_up("\"%s\" is no address for a benchmark", url);
	}
	return fd;
}

size_t net_connect(struct net *net, const char *url)
{
	size_t number = net->count++;
	if (net->count > net->room) {
		net->room = net->room ? 2 * net->room : 64;
		net->connections = realloc(net->connections, net->room * sizeof *net->connections);
		if (!net->connections)
			give_up("no memory");
	}
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
	net->connections[number] = (struct connection){.socket = socket_to(url)};
	if (epoll_ctl(net->epoll, EPOLL_CTL_ADD, net->connections[number].socket, &event) != 0)
		give_up("epoll: %s", strerror(errno));
	return number;
}

static size_t send_now(const struct connection *connection, const uint8_t *bytes, size_t count)
{
	size_t sent = 0;
	while (sent < count) {
		ssize_t now = send(connection->socket, bytes + sent, count - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (now < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (now < 0)
			give_up("sending: %s", strerror(errno));
		sent += (size_t)now;
	}
	return sent;
}

static void watch_out(struct net *net, size_t number, bool wanted)
{
	struct connection *connection = &net->connections[number];
	struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u64 = number};
	if (connection->wants_out == wanted)
		return;
	connection->wants_out = wanted;
	epoll_ctl(net->epoll, EPOLL_CTL_MOD, connection->socket, &event);
}

void net_send(struct net *net, size_t number, const void *bytes, size_t count)
{
	struct connection *connection = &net->connections[number];
	size_t sent = connection->out.count ? 0 : send_now(connection, bytes, count);
	if (sent < count) {
		keep(&connection->out, (const uint8_t *)bytes + sent, count - sent);
		watch_out(net, number, true);
	}
}

size_t net_unsent(const struct net *net, size_t number)
{
	return net->connections[number].out.count;
}

// `take` may connect more and so move the connections: they are looked up anew after each call.
static void hand_over(struct net *net, size_t number, size_t count)
{
	struct bytes_kept *in = &net->connections[number].in;
	if (in->count == 0) {
		size_t taken = net->take(net->context, number, net->scratch, count);
		if (taken < count)
			keep(&net->connections[number].in, net->scratch + taken, count - taken);
		return;
	}
	in->count += count;
	size_t taken = net->take(net->context, number, in->at, in->count);
	keep_drop(&net->connections[number].in, taken);
}

// Where the next bytes go: behind those that wait for the rest of their message.
static uint8_t *place_for(struct net *net, size_t number, size_t *room)
{
	struct bytes_kept *in = &net->connections[number].in;
	*room = READ_BYTES;
	if (in->count == 0)
		return net->scratch;
	make_room(in, REST_BYTES);
	*room = in->room - in->count;
	return in->at + in->count;
}

static void receive(struct net *net, size_t number)
{
	for (int i = 0; i < READS_PER_TURN; i++) {
		size_t room;
		uint8_t *place = place_for(net, number, &room);
		ssize_t now = recv(net->connections[number].socket, place, room, MSG_DONTWAIT);
		if (now < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (now <= 0)
			give_up("connection %zu was closed by the other side", number);
		hand_over(net, number, (size_t)now);
		if ((size_t)now < room)
			return;
	}
}

bool net_poll(struct net *net, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(net->epoll, events, EVENTS_MAX, timeout_ms);
	for (int i = 0; i < count; i++) {
		size_t number = events[i].data.u64;
		struct connection *connection = &net->connections[number];
		if (events[i].events & EPOLLOUT) {
			keep_drop(&connection->out, send_now(connection, connection->out.at, connection->out.count));
			watch_out(net, number, connection->out.count > 0);
		}
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(net, number);
	}
	return count > 0;
}

int net_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t count = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &count) != 0)
		give_up("no port to be had");
	close(fd);
	return ntohs(address.sin_port);
}
