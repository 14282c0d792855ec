// Holds: what vendors see of a held intent (its release, its end, answers and declines) leaves at the first tick after
// a random time, so that it does not tell when its person was there. The broker itself acts at once.
#ifndef OYEZ_SERVICE_HOLD_H
#define OYEZ_SERVICE_HOLD_H

#include "internal.h"

// Decides for a new intent whether it is held, and draws its release's hold.
void hold_begin(struct service *service, const struct command *command, const Oyez__Post *post, struct intent *intent);
// The end of a released intent (`mean_ms` of its hold), once per release: purges the release at once, and tells
// vendors at the hold's end. Sets gone_at_ms and release_seq; the caller stores the row.
void hold_gone(struct service *service, struct intent *intent, Oyez__GoneReason reason, uint64_t mean_ms);
// An answer or a decline for the vendor's inbox. It is dropped if the intent has ended by then.
void hold_item(struct service *service, const struct intent *intent, enum held_kind kind, const struct id *what,
               const struct id *vendor, const Oyez__InboxItem *item);
// As long as its end is on its way, vendors shall find a release as it was. False when it is not, or has no hold.
bool hold_shown(struct service *service, const struct intent *intent, struct match_header *header);
// At a tick: lets out what is due.
void hold_run(struct service *service);

#endif
