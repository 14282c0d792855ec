// Box cells on their way from the state thread to the guardians' links: sealed and signed in uv's pool.
#ifndef OYEZ_PEER_PUSHES_H
#define OYEZ_PEER_PUSHES_H

#include "broker/service/push.h"
#include "links.h"

struct pushes;

// `links` must outlive it; copies the identity.
struct pushes *pushes_new(uv_loop_t *loop, struct links *links, const struct sign_pair *identity);
// From the state thread. Takes the batch over.
void pushes_add(struct pushes *pushes, struct push_batch *batch);
// Lets go of what is not being sealed; run the loop until it is empty, then pushes_free.
void pushes_close(struct pushes *pushes);
void pushes_free(struct pushes *pushes);

#endif
