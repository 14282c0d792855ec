// The tick: what was held leaves; who is released is decided in core/release_tick.c; here those who are get published,
// in ascending release id.
#include "broker/core/release.h"
#include "hold.h"
#include "internal.h"

uint64_t tick_after(const struct service *service, uint64_t now_ms)
{
	uint64_t tick_ms = service->config.tick_ms ? service->config.tick_ms : 1;
	return (now_ms / tick_ms + 1) * tick_ms;
}

static void publish(struct service *service, const struct waiting *waiting)
{
	struct id id;
	struct intent intent;
	if (!store_intent_find_released(service->store, &waiting->release, &id) ||
	    !store_intent_find(service->store, &id, &intent) ||
	    intent_apply(&intent, INTENT_RELEASE, service->now_ms) != ERR_OK)
		return;
	intent.facets = waiting->class_facets;
	intent.crowd = waiting->crowd;
	feed_release(service, &intent);
	store_intent_put(service->store, &intent);
	box_release(service, &intent);
	service->numbers.intents_released++;
}

void tick_run(struct service *service)
{
	hold_run(service);
	struct waiting_set *set = &service->waiting;
	uint32_t count = set->count;
	if (count == 0)
		return;
	struct waiting *waiting = arena_alloc(&service->arena, count * sizeof *waiting);
	for (uint32_t i = 0; i < count; i++)
		waiting[i] = (struct waiting){.release = set->items[i].release, .intent = &set->items[i].intent};
	void *scratch = arena_alloc(&service->arena, release_scratch_bytes(count));
	if (release_tick(waiting, count, service->config.crowd, service->now_ms, &service->trees, scratch) == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (waiting[i].crowd > 0)
			publish(service, &waiting[i]);
	for (uint32_t i = 0; i < count; i++)
		if (waiting[i].crowd > 0)
			waiting_remove(set, &waiting[i].release);
}
