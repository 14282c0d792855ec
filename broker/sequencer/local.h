// The state thread and its inbox: one total order of commands, group commit, effects after the commit.
#ifndef OYEZ_SEQUENCER_LOCAL_H
#define OYEZ_SEQUENCER_LOCAL_H

#include "broker/service/service.h"

struct sequencer;

// Called on the state thread after the commit, for each reply. The bytes are valid during the call only.
// An effect without bytes (NULL, 0) ends a cancelled request: no reply will come for that origin any more.
typedef void sequencer_reply_fn(void *context, const struct effect *effect);
// Runs on the state thread between batches: no transaction is open. It may make a batch of its own, whose replies are
// then let out.
typedef void sequencer_call_fn(void *context, struct service *service);

// Starts the state thread; it owns `service` (and its store) until sequencer_stop returns. ERR_NO_MEMORY.
enum err sequencer_start(struct service *service, sequencer_reply_fn *reply, void *context, struct sequencer **out);
// Box cells, on the state thread after the commit; the callee takes the batch over. Without it, or before it is set, they
// are dropped. Call it right after sequencer_start.
typedef void sequencer_push_fn(void *context, struct push_batch *batch);
void sequencer_push_to(struct sequencer *sequencer, sequencer_push_fn *push, void *context);
// Vendors' addresses to look at, on the state thread after the commit; the callee takes the check over and gives it back
// (sequencer_url_checked, from any thread) or frees it. Without it, or before it is set, nothing is found out.
typedef void sequencer_check_fn(void *context, struct url_check *check);
void sequencer_checks_to(struct sequencer *sequencer, sequencer_check_fn *check, void *context);
void sequencer_url_checked(struct sequencer *sequencer, struct url_check *check);
// From any thread. The command and what it points to must live until its reply came. ERR_BUSY when the inbox is
// full, ERR_STOPPING while draining.
enum err sequencer_submit(struct sequencer *sequencer, struct command *command);
// The requester of `origin` went away. Its memory is free to go with the next effect for that origin.
void sequencer_cancel(struct sequencer *sequencer, uint64_t origin);
// Runs `call` on the state thread and waits for it (reconfigure). Not for the edge loop while it must not stall.
void sequencer_call(struct sequencer *sequencer, sequencer_call_fn *call, void *context);
// The same without waiting (key rotation, compaction). Returns false while draining: the call will not run.
bool sequencer_post(struct sequencer *sequencer, sequencer_call_fn *call, void *context);
// The service's numbers as of the last batch: never waits for the disk.
void sequencer_numbers(struct sequencer *sequencer, struct service_numbers *out);
// Takes nothing new, applies what is in the inbox, answers parked requests, commits, stops the thread. After it returns
// no effect comes any more; sequencer_free frees, when nobody is left who could call.
void sequencer_stop(struct sequencer *sequencer);
void sequencer_free(struct sequencer *sequencer);

#endif
