// Long polls: requests that found nothing and wait for news, a deadline, or their sender going away.
// A request listens to topics (ids of subscriptions, of an intent, of a vendor); whoever has news wakes the topic.
#ifndef OYEZ_SERVICE_PARKING_H
#define OYEZ_SERVICE_PARKING_H

#include "command.h"

enum { PARKING_BUCKETS = 4096 };
enum parked_kind { PARKED_FETCH, PARKED_MAILBOX, PARKED_INBOX, PARKED_COUNT, PARKED_BOXES, PARKED_DEAL, PARKED_CHECK };

struct fetch_pair {
	struct id subscription;
	uint64_t after; // looked at up to here
};

struct parked {
	enum parked_kind kind;
	uint64_t origin;
	struct id sender;
	uint64_t deadline_ms;
	uint64_t wait_until_ms; // fetch: until when it may stay without an answer if there is nothing
	struct scan *scan;      // fetch, count: runs somewhere; until it is back, only the deadline ends the waiting
	uint64_t after; // mailbox, inbox, deal
	uint32_t max;
	struct fetch_pair *pairs; // fetch
	size_t pair_count;
	// Of parking.c:
	struct parked *next, *previous;
	struct parked *next_of_origin;
	struct parked *next_woken;
	struct waiter *waiters;
	size_t waiter_count;
	bool woken;
};

struct parking {
	struct parked *all; // in no order
	struct parked *woken;
	struct waiter **topics; // PARKING_BUCKETS each
	struct parked **origins;
	size_t count;
	uint64_t generation;        // changes whenever a topic that was woken may have to be woken again
	uint64_t first_deadline_ms; // not later than the earliest deadline
};

struct service;

void parking_init(struct parking *parking);
// Forgets all, answers none.
void parking_fini(struct parking *parking);
// Takes a copy of `request`, its pairs included. ERR_BUSY when as many as allowed wait already.
// It is the first of `all` then.
enum err parking_add(struct service *service, const struct parked *request);
void parking_set_deadline(struct service *service, struct parked *parked, uint64_t deadline_ms);
// It was answered.
void parking_leave(struct service *service, struct parked *parked);
void parking_wake(struct service *service, const struct id *topic);
// Answers those who listen to the topic at once, where there is something to say.
void parking_flush(struct service *service, const struct id *topic);
void parking_answer_woken(struct service *service);
void parking_answer_due(struct service *service);
void parking_answer_all(struct service *service);
// The commit failed: what they wait for may not have happened. All are answered with the error.
void parking_fail(struct service *service, enum err err);
void parking_cancel(struct service *service, uint64_t origin);

#endif
