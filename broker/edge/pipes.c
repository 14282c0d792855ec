// A hash table of connections and the rules of who may have how much in flight.
#include "pipes.h"

#include <stdlib.h>

#include "proto/limits.h"

enum {
	BUCKETS = 4096,
	// A client that reads its answers never has this many of them unsent; one that does not is cut off.
	BUSY_UNSENT_MAX = 512,
};

struct pipes {
	struct pipe *buckets[BUCKETS];
	size_t count;
};

struct pipes *pipes_new(void)
{
	struct pipes *pipes = calloc(1, sizeof(*pipes));
	if (!pipes)
		abort();
	return pipes;
}

void pipes_free(struct pipes *pipes)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (pipes->buckets[i])
			pipes_remove(pipes, pipes->buckets[i]);
	free(pipes);
}

struct pipe *pipes_add(struct pipes *pipes, uint32_t id, bool from_ipc, uint64_t now_ms)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		abort();
	*pipe = (struct pipe){.id = id, .from_ipc = from_ipc, .active_at_ms = now_ms, .next = pipes->buckets[id % BUCKETS]};
	pipes->buckets[id % BUCKETS] = pipe;
	pipes->count++;
	return pipe;
}

struct pipe *pipes_find(struct pipes *pipes, uint32_t id)
{
	struct pipe *pipe = pipes->buckets[id % BUCKETS];
	while (pipe && pipe->id != id)
		pipe = pipe->next;
	return pipe;
}

void pipes_remove(struct pipes *pipes, struct pipe *pipe)
{
	struct pipe **link = &pipes->buckets[pipe->id % BUCKETS];
	while (*link != pipe)
		link = &(*link)->next;
	*link = pipe->next;
	pipes->count--;
	free(pipe);
}

size_t pipes_count(const struct pipes *pipes)
{
	return pipes->count;
}

struct pipe *pipes_idlest(struct pipes *pipes, uint64_t now_ms, uint64_t idle_ms)
{
	struct pipe *idlest = NULL;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct pipe *pipe = pipes->buckets[i]; pipe; pipe = pipe->next) {
			if (pipe->closed || pipe->exchanges || now_ms - pipe->active_at_ms < idle_ms)
				continue;
			if (!idlest || pipe->active_at_ms < idlest->active_at_ms)
				idlest = pipe;
		}
	}
	return idlest;
}

enum pipe_verdict pipe_admit(const struct pipe *pipe, bool crowded)
{
	if (pipe->outstanding < REQUESTS_PER_PIPE_MAX)
		return PIPE_TAKE;
	return pipe->busy < (crowded ? REQUESTS_PER_PIPE_MAX : BUSY_UNSENT_MAX) ? PIPE_BUSY : PIPE_CLOSE;
}
