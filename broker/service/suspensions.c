// When the operator shuts out a vendor, customers who have an open deal or offer of it are told. Looks through all
// offers there are: a thing of milliseconds for thousands, and of an operator's rare command.
#include <stdlib.h>

#include "internal.h"

struct search {
	struct service *service;
	const struct id *vendor;
	struct offer *found;
	size_t count, room;
};

static bool look_at_offer(void *context, const struct offer *offer)
{
	struct search *search = context;
	if (!id_equal(&offer->vendor, search->vendor) || offer->dropped ||
	    !(offer->state == OFFER_ACCEPTED || offer_open(search->service, offer)))
		return true;
	if (search->count == search->room) {
		size_t room = search->room ? search->room * 2 : 64;
		struct offer *found = arena_alloc(&search->service->arena, room * sizeof *found);
		if (search->count)
			memcpy(found, search->found, search->count * sizeof *found);
		search->found = found;
		search->room = room;
	}
	search->found[search->count++] = *offer;
	return true;
}

static bool deal_open_on(struct service *service, const struct offer *offer)
{
	struct deal_list deals = deals_of(service, &offer->intent);
	for (size_t i = 0; i < deals.count; i++) {
		const struct deal *deal = &deals.items[i];
		if (id_equal(&deal->offer, &offer->id) && deal->state != DEAL_LAPSED && deal->state != DEAL_CONCLUDED)
			return true;
	}
	return false;
}

static bool concerns_open(struct service *service, const struct offer *offer, struct intent *intent)
{
	return store_intent_find(service->store, &offer->intent, intent) && intent_readable(intent) &&
	       (offer->state != OFFER_ACCEPTED || deal_open_on(service, offer));
}

static int by_intent(const void *a, const void *b)
{
	return memcmp(((const struct offer *)a)->intent.bytes, ((const struct offer *)b)->intent.bytes, ID_BYTES);
}

void suspension_tell(struct service *service, const struct id *vendor, const char *reason)
{
	struct search search = {.service = service, .vendor = vendor};
	Oyez__VendorSuspended suspended = OYEZ__VENDOR_SUSPENDED__INIT;
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	suspended.vendor_id = wire_id(vendor);
	suspended.reason = (char *)reason;
	item.body_case = OYEZ__MAILBOX_ITEM__BODY_SUSPENDED;
	item.suspended = &suspended;
	store_offer_scan(service->store, look_at_offer, &search);
	if (search.count)
		qsort(search.found, search.count, sizeof *search.found, by_intent);
	const struct id *told = NULL;
	for (size_t i = 0; i < search.count; i++) {
		const struct offer *offer = &search.found[i];
		struct intent intent;
		if ((told && id_equal(told, &offer->intent)) || !concerns_open(service, offer, &intent))
			continue;
		mailbox_add(service, &intent, &item);
		store_intent_put(service->store, &intent);
		told = &offer->intent;
	}
}
