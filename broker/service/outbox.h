// Replies of the running batch: held until the commit, let out one by one after it.
#ifndef OYEZ_SERVICE_OUTBOX_H
#define OYEZ_SERVICE_OUTBOX_H

#include "service.h"

struct outbox {
	struct effect *effects;
	size_t count, room, taken;
};

void outbox_clear(struct outbox *outbox);
void outbox_fini(struct outbox *outbox);

// Each packs the message into the batch's arena. Origin 0 gets nothing.
void reply_customer(struct service *service, uint64_t origin, const Oyez__CustomerReply *reply);
void reply_vendor(struct service *service, uint64_t origin, const Oyez__Reply *reply);
void reply_admin(struct service *service, uint64_t origin, const Oyez__AdminReply *reply);
void reply_guardian(struct service *service, uint64_t origin, const Oyez__GuardianReply *reply);
// `bytes` in the arena.
void reply_relay(struct service *service, uint64_t origin, const uint8_t bytes[RELAY_BYTES]);
// Already packed, and perhaps owned by others too: takes one share over.
void reply_shared(struct service *service, uint64_t origin, struct shared_bytes *reply);
// `detail` may be NULL.
void reply_error(struct service *service, uint64_t origin, enum reply_form form, enum err err, const char *detail);
void reply_ack(struct service *service, const struct command *command, const struct id *id);
// The commit failed: every reply becomes this error.
void outbox_fail(struct service *service, enum err err);

#endif
