// The connections the edge knows, what each has in flight, and who must give way. Plain data for the edge loop: no
// sockets, so it is tested by itself.
#ifndef OYEZ_EDGE_PIPES_H
#define OYEZ_EDGE_PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange; // one request on its way; edge/nng.c

struct pipe {
	uint32_t id; // nng's
	bool from_ipc;
	bool closed;          // gone, or told to go; kept until its last exchange ended
	uint32_t outstanding; // requests being checked, parked, or answered and unsent
	uint32_t busy;        // busy answers not sent yet
	uint64_t requests;    // whole requests received
	uint64_t active_at_ms; // of the loop's clock: when it last sent or took something
	struct exchange *exchanges;
	struct pipe *next; // of its bucket
};

struct pipes;

struct pipes *pipes_new(void);
void pipes_free(struct pipes *pipes);
struct pipe *pipes_add(struct pipes *pipes, uint32_t id, bool from_ipc, uint64_t now_ms);
// NULL if there is none.
struct pipe *pipes_find(struct pipes *pipes, uint32_t id);
void pipes_remove(struct pipes *pipes, struct pipe *pipe);
size_t pipes_count(const struct pipes *pipes);
// The connection without anything in flight that is idle longest, if for `idle_ms` at least; NULL if there is none.
struct pipe *pipes_idlest(struct pipes *pipes, uint64_t now_ms, uint64_t idle_ms);

// What becomes of one more request of a pipe.
enum pipe_verdict { PIPE_TAKE, PIPE_BUSY, PIPE_CLOSE };
// `crowded`: the edge as a whole is short of room, so nobody keeps unread busy answers.
enum pipe_verdict pipe_admit(const struct pipe *pipe, bool crowded);

#endif
