// The state thread and its inbox: one total order of commands, group commit, effects after the commit.
#ifndef OYEZ_SEQUENCER_LOCAL_H
#define OYEZ_SEQUENCER_LOCAL_H

#include "broker/service/service.h"

struct sequencer;

// Called on the state thread after the commit, for each reply. The bytes are valid during the call only.
typedef void sequencer_reply_fn(void *context, const struct effect *effect);

// Starts the state thread; it owns `service` (and its store) until sequencer_stop returns.
enum err sequencer_start(struct service *service, sequencer_reply_fn *reply, void *context, struct sequencer **out);
// From any thread. The command and what it points to must live until its reply came. ERR_BUSY when the inbox is
// full, ERR_STOPPING while draining.
enum err sequencer_submit(struct sequencer *sequencer, struct command *command);
// The requester of `origin` went away.
void sequencer_cancel(struct sequencer *sequencer, uint64_t origin);
// Runs `call` on the state thread between batches and waits for it (metrics, reconfigure, compaction).
void sequencer_call(struct sequencer *sequencer, void (*call)(void *context, struct service *service), void *context);
// Takes nothing new, answers parked requests, commits what is there, stops the thread.
void sequencer_stop(struct sequencer *sequencer);

#endif
