// How far vendors say they have processed the feed, on its way to the disk. A confirmation is worth no commit of its
// own: thousands of fetches a second would each wait for the disk. Memory knows it at once, the row within a second; a
// process that ends in between has forgotten it, and a vendor that then fetches without a cursor gets what it had
// confirmed last once more.
#include "internal.h"

#include <stdlib.h>

enum { WRITTEN_WITHIN_MS = 1000, ROWS_PER_BATCH = 512 };

void confirmed_note(struct service *service, struct listener *listener, uint64_t seq)
{
	struct confirmed *confirmed = &service->confirmed;
	if (seq <= listener->confirmed_seq)
		return;
	listener->confirmed_seq = seq;
	if (listener->unwritten)
		return;
	listener->unwritten = true;
	if (confirmed->count == confirmed->room) {
		confirmed->room = confirmed->room ? 2 * confirmed->room : 64;
		confirmed->numbers = realloc(confirmed->numbers, confirmed->room * sizeof *confirmed->numbers);
		if (!confirmed->numbers)
			abort();
	}
	if (confirmed->count == 0)
		confirmed->due_ms = service->now_ms + WRITTEN_WITHIN_MS;
	confirmed->numbers[confirmed->count++] = (uint32_t)(listener - service->listeners);
}

uint64_t confirmed_next_ms(const struct service *service)
{
	return service->confirmed.count ? service->confirmed.due_ms : UINT64_MAX;
}

static void write_one(struct service *service, struct listener *listener)
{
	struct subscription row;
	if (!listener->used || !listener->unwritten)
		return; // removed meanwhile, its place perhaps taken by another
	listener->unwritten = false;
	if (!store_subscription_find(service->store, &listener->id, &service->arena, &row))
		return;
	row.confirmed_seq = listener->confirmed_seq;
	store_subscription_put(service->store, &row);
	service->wrote = true;
}

static void write_some(struct service *service, size_t most)
{
	struct confirmed *confirmed = &service->confirmed;
	for (; confirmed->count > 0 && most > 0; most--)
		write_one(service, &service->listeners[confirmed->numbers[--confirmed->count]]);
}

void confirmed_write_due(struct service *service)
{
	if (service->now_ms >= confirmed_next_ms(service))
		write_some(service, ROWS_PER_BATCH);
}

void confirmed_write_all(struct service *service)
{
	write_some(service, SIZE_MAX);
}

void confirmed_forget(struct service *service)
{
	free(service->confirmed.numbers);
	service->confirmed = (struct confirmed){0};
}
