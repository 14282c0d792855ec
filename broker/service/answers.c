// What offers and questions have in common: who may answer a release, how many may, how a message is delivered.
#include "hold.h"
#include "internal.h"

// ---- lists

struct gather {
	struct arena *arena;
	void *items;
	size_t count, room, item_bytes;
};

static void gather_add(struct gather *gather, const void *item)
{
	if (gather->count == gather->room) {
		size_t room = gather->room ? gather->room * 2 : 16;
		uint8_t *items = arena_alloc(gather->arena, room * gather->item_bytes);
		if (gather->count)
			memcpy(items, gather->items, gather->count * gather->item_bytes);
		gather->items = items;
		gather->room = room;
	}
	memcpy((uint8_t *)gather->items + gather->count++ * gather->item_bytes, item, gather->item_bytes);
}

static bool gather_offer(void *context, const struct offer *offer)
{
	gather_add(context, offer);
	return true;
}

struct offer_list offers_of(struct service *service, const struct id *intent)
{
	struct gather gather = {.arena = &service->arena, .item_bytes = sizeof(struct offer)};
	store_offer_each(service->store, intent, gather_offer, &gather);
	return (struct offer_list){.items = gather.items, .count = gather.count};
}

static bool gather_question(void *context, const struct question *question)
{
	gather_add(context, question);
	return true;
}

struct question_list questions_of(struct service *service, const struct id *intent)
{
	struct gather gather = {.arena = &service->arena, .item_bytes = sizeof(struct question)};
	store_question_each(service->store, intent, gather_question, &gather);
	return (struct question_list){.items = gather.items, .count = gather.count};
}

static bool gather_deal(void *context, const struct deal *deal)
{
	gather_add(context, deal);
	return true;
}

struct deal_list deals_of(struct service *service, const struct id *intent)
{
	struct gather gather = {.arena = &service->arena, .item_bytes = sizeof(struct deal)};
	store_deal_each(service->store, intent, gather_deal, &gather);
	return (struct deal_list){.items = gather.items, .count = gather.count};
}

// ---- places

static bool declined(const struct offer_list *offers, const struct id *vendor)
{
	for (size_t i = 0; i < offers->count; i++)
		if (offers->items[i].state == OFFER_DECLINED && id_equal(&offers->items[i].vendor, vendor))
			return true;
	return false;
}

struct places {
	const struct id **vendors;
	size_t count;
};

static void take_place(struct places *places, const struct id *vendor)
{
	for (size_t i = 0; i < places->count; i++)
		if (id_equal(places->vendors[i], vendor))
			return;
	places->vendors[places->count++] = vendor;
}

// A vendor holds a place by an offer that stands, or by having asked and not having been declined. Excluded vendors
// take none; but each sees the rules as if its own messages counted.
static enum err check_place(struct service *service, const struct intent *intent)
{
	const struct id *self = &service->vendor.id;
	struct offer_list offers = offers_of(service, &intent->id);
	struct question_list questions = questions_of(service, &intent->id);
	struct places places = {
	    .vendors = arena_alloc(&service->arena, (offers.count + questions.count) * sizeof *places.vendors)};
	for (size_t i = 0; i < offers.count; i++) {
		const struct offer *offer = &offers.items[i];
		bool stands = offer_open(service, offer) || offer->state == OFFER_ACCEPTED;
		if (stands && (!offer->dropped || id_equal(&offer->vendor, self)))
			take_place(&places, &offer->vendor);
	}
	for (size_t i = 0; i < questions.count; i++) {
		const struct question *question = &questions.items[i];
		if ((!question->dropped || id_equal(&question->vendor, self)) && !declined(&offers, &question->vendor))
			take_place(&places, &question->vendor);
	}
	for (size_t i = 0; i < places.count; i++)
		if (id_equal(places.vendors[i], self))
			return ERR_OK;
	return places.count >= service->config.vendors_per_intent_max ? ERR_VENDOR_LIMIT : ERR_OK;
}

static enum err check_rules(const struct service *service, const struct facets *facets)
{
	uint32_t failed;
	if (rules_match(facets, &service->vendor.facts, &failed))
		return ERR_OK;
	return failed & FACET_VENDOR_TERMS ? ERR_TERMS_REFUSED : ERR_RULES_REFUSED;
}

enum err answer_check(struct service *service, const struct release_id *release, struct intent *intent, bool *excluded)
{
	if (!intent_load_released(service, release, intent))
		return ERR_NOT_FOUND;
	if (intent->state == INTENT_WAITING)
		return ERR_NOT_RELEASED;
	struct match_header shown = {.facets = intent->facets};
	bool over = intent->state != INTENT_RELEASED || intent_taken(intent);
	if (over && !hold_shown(service, intent, &shown))
		return ERR_GONE;
	enum err err = check_rules(service, &shown.facets);
	if (!err)
		err = check_place(service, intent);
	if (!err)
		*excluded = over || vendor_excluded(service, intent, &service->vendor.id);
	return err;
}

void answer_deliver(struct service *service, struct intent *intent, bool offer, Oyez__VendorMessage *message,
                    uint64_t *mailbox_seq)
{
	Oyez__MailboxItem item = OYEZ__MAILBOX_ITEM__INIT;
	message->release_id = wire_bytes(intent->release_id.bytes, RELEASE_ID_BYTES);
	message->listing = vouched_listing(service, &service->vendor);
	message->standing = standing_signed(service, &service->vendor.id);
	if (offer) {
		item.body_case = OYEZ__MAILBOX_ITEM__BODY_OFFER;
		item.offer = message;
	} else {
		item.body_case = OYEZ__MAILBOX_ITEM__BODY_QUESTION;
		item.question = message;
	}
	*mailbox_seq = mailbox_add(service, intent, &item);
	store_intent_put(service->store, intent);
}
