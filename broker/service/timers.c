// Timers that are due: intents expire, deals lapse or conclude, ended things are forgotten.
// A timer that came too late for what it was set for does nothing: the lifecycles decide by the clock, not by it.
#include "internal.h"

enum {
	TIMERS_PER_SLICE = 256,
	CELLS_PER_TIMER = 8, // cells whose deletion costs about as much as another timer
};

static void intent_expire(struct service *service, const struct id *id)
{
	struct intent intent;
	if (store_intent_find(service->store, id, &intent) && intent_live(&intent))
		intent_end(service, &intent, INTENT_EXPIRE);
}

static void intent_forget(struct service *service, const struct id *id)
{
	struct intent intent;
	if (!store_intent_find(service->store, id, &intent) || intent_live(&intent))
		return;
	if (intent.deals_open > 0) {
		store_timer_add(service->store, service->now_ms + DAY_MS, TIMER_INTENT_FORGET, id);
		return;
	}
	deals_outlive(service, &intent);
	store_intent_delete(service->store, &intent);
}

void timers_run(struct service *service)
{
	uint64_t at_ms;
	enum timer_kind kind;
	struct id id;
	for (int i = 0; i < TIMERS_PER_SLICE; i++) {
		if (!store_timer_first(service->store, &at_ms, &kind, &id) || at_ms > service->now_ms)
			return;
		store_timer_remove(service->store, at_ms, kind, &id);
		service->wrote = true;
		switch (kind) {
		case TIMER_INTENT_EXPIRE:
			intent_expire(service, &id);
			break;
		case TIMER_DEAL:
			deal_timeout(service, &id);
			break;
		case TIMER_INTENT_FORGET:
			intent_forget(service, &id);
			break;
		case TIMER_SUBSCRIPTION_FORGET:
			store_subscription_delete(service->store, &id);
			break;
		case TIMER_DEAL_FORGET:
			deal_forget(service, &id);
			break;
		case TIMER_ERASURE:
			erasure_overdue(service, &id);
			break;
		case TIMER_BOX_FORGET: // boxes end at midnight all together, some with many cells
			i += (int)(box_forget(service, &id, at_ms) / CELLS_PER_TIMER);
			break;
		case TIMER_INVITE_FORGET:
			store_invite_delete(service->store, &id);
			break;
		case TIMER_ACCOUNT_FORGET:
			account_forget(service, &id);
			break;
		}
	}
}
