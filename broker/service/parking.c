// The parking lot: who waits for what. Not here: what the answer is (fetch.c, mailbox.c, inbox.c).
#include "parking.h"

#include <stdlib.h>

#include "internal.h"

struct waiter {
	struct waiter *next, **link; // in the topic's bucket
	struct id topic;
	struct parked *parked;
};

static size_t bucket_of(const uint8_t *bytes)
{
	return ((size_t)bytes[0] << 8 | bytes[1]) % PARKING_BUCKETS;
}

static struct parked **origin_bucket(struct parking *parking, uint64_t origin)
{
	return &parking->origins[(origin ^ origin >> 17) % PARKING_BUCKETS];
}

static void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);
	if (!memory)
		abort();
	return memory;
}

void parking_init(struct parking *parking)
{
	*parking = (struct parking){.first_deadline_ms = UINT64_MAX, .generation = 1};
	parking->topics = zeroed(PARKING_BUCKETS, sizeof *parking->topics);
	parking->origins = zeroed(PARKING_BUCKETS, sizeof *parking->origins);
}

static void parked_free(struct parked *parked)
{
	free(parked->waiters);
	free(parked->pairs);
	free(parked);
}

void parking_fini(struct parking *parking)
{
	for (struct parked *parked = parking->all, *next; parked; parked = next) {
		next = parked->next;
		parked_free(parked);
	}
	free(parking->topics);
	free(parking->origins);
	*parking = (struct parking){0};
}

static void listen(struct parking *parking, struct parked *parked, const struct id *topic)
{
	struct waiter **bucket = &parking->topics[bucket_of(topic->bytes)];
	struct waiter *waiter = &parked->waiters[parked->waiter_count++];
	*waiter = (struct waiter){.next = *bucket, .link = bucket, .topic = *topic, .parked = parked};
	if (*bucket)
		(*bucket)->link = &waiter->next;
	*bucket = waiter;
}

enum err parking_add(struct service *service, const struct parked *request)
{
	struct parking *parking = &service->parking;
	if (parking->count >= service->config.parked_max)
		return ERR_BUSY;
	struct parked *parked = zeroed(1, sizeof *parked);
	*parked = *request;
	parked->pairs = zeroed(request->pair_count, sizeof *parked->pairs);
	if (request->pair_count)
		memcpy(parked->pairs, request->pairs, request->pair_count * sizeof *parked->pairs);
	parked->waiters = zeroed(request->pair_count + 1, sizeof *parked->waiters);
	if (request->kind == PARKED_FETCH)
		for (size_t i = 0; i < request->pair_count; i++)
			listen(parking, parked, &request->pairs[i].subscription);
	else
		listen(parking, parked, &request->sender);
	parked->next = parking->all;
	if (parking->all)
		parking->all->previous = parked;
	parking->all = parked;
	struct parked **bucket = origin_bucket(parking, parked->origin);
	parked->next_of_origin = *bucket;
	*bucket = parked;
	parking->count++;
	parking->generation++;
	parking_set_deadline(service, parked, request->deadline_ms);
	return ERR_OK;
}

void parking_set_deadline(struct service *service, struct parked *parked, uint64_t deadline_ms)
{
	parked->deadline_ms = deadline_ms;
	if (deadline_ms < service->parking.first_deadline_ms)
		service->parking.first_deadline_ms = deadline_ms;
}

static void forget_woken(struct parking *parking, struct parked *parked)
{
	for (struct parked **at = &parking->woken; *at; at = &(*at)->next_woken)
		if (*at == parked) {
			*at = parked->next_woken;
			return;
		}
}

static void leave(struct parking *parking, struct parked *parked)
{
	for (size_t i = 0; i < parked->waiter_count; i++) {
		struct waiter *waiter = &parked->waiters[i];
		*waiter->link = waiter->next;
		if (waiter->next)
			waiter->next->link = waiter->link;
	}
	struct parked **at = origin_bucket(parking, parked->origin);
	while (*at != parked)
		at = &(*at)->next_of_origin;
	*at = parked->next_of_origin;
	if (parked->previous)
		parked->previous->next = parked->next;
	else
		parking->all = parked->next;
	if (parked->next)
		parked->next->previous = parked->previous;
	if (parked->woken)
		forget_woken(parking, parked);
	if (parked->scan)
		parked->scan->waiting = NULL;
	parking->count--;
	parked_free(parked);
}

void parking_leave(struct service *service, struct parked *parked)
{
	leave(&service->parking, parked);
}

// `final`: answer even if there is nothing to say.
static void answer(struct service *service, struct parked *parked, bool final)
{
	bool answered = false;
	switch (parked->kind) {
	case PARKED_FETCH:
		answered = fetch_resume(service, parked, final);
		break;
	case PARKED_MAILBOX:
		answered = mailbox_resume(service, parked, final);
		break;
	case PARKED_INBOX:
		answered = inbox_resume(service, parked, final);
		break;
	case PARKED_BOXES:
		answered = boxes_resume(service, parked, final);
		break;
	case PARKED_DEAL:
		answered = deal_box_resume(service, parked, final);
		break;
	case PARKED_CHECK:
		answered = url_check_resume(service, parked, final);
		break;
	case PARKED_COUNT:
		answered = would_match_resume(service, parked, final);
		break;
	}
	if (answered)
		leave(&service->parking, parked);
}

void parking_wake(struct service *service, const struct id *topic)
{
	struct parking *parking = &service->parking;
	for (struct waiter *waiter = parking->topics[bucket_of(topic->bytes)]; waiter; waiter = waiter->next) {
		if (waiter->parked->woken || !id_equal(&waiter->topic, topic))
			continue;
		waiter->parked->woken = true;
		waiter->parked->next_woken = parking->woken;
		parking->woken = waiter->parked;
	}
}

void parking_flush(struct service *service, const struct id *topic)
{
	parking_wake(service, topic);
	parking_answer_woken(service);
}

void parking_answer_woken(struct service *service)
{
	struct parking *parking = &service->parking;
	parking->generation++;
	while (parking->woken) {
		struct parked *parked = parking->woken;
		parking->woken = parked->next_woken;
		parked->woken = false;
		answer(service, parked, false);
	}
}

void parking_answer_due(struct service *service)
{
	struct parking *parking = &service->parking;
	if (parking->first_deadline_ms > service->now_ms)
		return;
	parking->first_deadline_ms = UINT64_MAX;
	for (struct parked *parked = parking->all, *next; parked; parked = next) {
		next = parked->next;
		if (parked->deadline_ms <= service->now_ms)
			answer(service, parked, true);
		else if (parked->deadline_ms < parking->first_deadline_ms)
			parking->first_deadline_ms = parked->deadline_ms;
	}
}

void parking_answer_all(struct service *service)
{
	while (service->parking.all)
		answer(service, service->parking.all, true);
}

static enum reply_form form_of(enum parked_kind kind)
{
	switch (kind) {
	case PARKED_MAILBOX:
	case PARKED_DEAL:
		return REPLY_CUSTOMER;
	case PARKED_BOXES:
	case PARKED_CHECK:
		return REPLY_GUARDIAN;
	case PARKED_FETCH:
	case PARKED_INBOX:
	case PARKED_COUNT:
		break;
	}
	return REPLY_VENDOR;
}

void parking_fail(struct service *service, enum err err)
{
	while (service->parking.all) {
		struct parked *parked = service->parking.all;
		reply_error(service, parked->origin, form_of(parked->kind), err, NULL);
		leave(&service->parking, parked);
	}
	service->parking.first_deadline_ms = UINT64_MAX;
}

void parking_cancel(struct service *service, uint64_t origin)
{
	struct parked **bucket = origin_bucket(&service->parking, origin);
	for (struct parked *parked = *bucket, *next; parked; parked = next) {
		next = parked->next_of_origin;
		if (parked->origin == origin)
			leave(&service->parking, parked);
	}
}
