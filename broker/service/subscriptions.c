// Subscriptions: made, listed, removed. They never change: another filter is another subscription.
#include "internal.h"

#include <stdlib.h>

enum { LIST_PAGE = 64 };

static void reply_subscribed(struct service *service, const struct command *command, const struct subscription *row)
{
	uint8_t cursor[CURSOR_BYTES];
	Oyez__Ack ack = OYEZ__ACK__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	cursor_encode(service, row->start_seq, cursor);
	ack.id = wire_id(&row->id);
	ack.cursor = wire_bytes(cursor, sizeof cursor);
	reply.body_case = OYEZ__REPLY__BODY_ACK;
	reply.ack = &ack;
	reply_vendor(service, command->origin, &reply);
}

enum err handle_subscribe(struct service *service, const struct command *command, const Oyez__Subscribe *message)
{
	const struct id *id = &command->record_hash;
	struct subscription row;
	struct filter filter;
	if (store_subscription_find(service->store, id, &service->arena, &row)) {
		reply_subscribed(service, command, &row);
		return ERR_OK;
	}
	enum err err = check_fresh(service, command);
	if (!err)
		err = filter_of_words(service->config.taxonomy, message->filter, &service->arena, &filter, &service->detail);
	if (err)
		return err;
	if (vendor_note_of(service, &command->sender)->subscription_count >= SUBSCRIPTIONS_PER_VENDOR_MAX)
		return ERR_SUBSCRIPTION_LIMIT;
	ProtobufCBinaryData words = wire_pack(&service->arena, &message->filter->base);
	uint64_t last = store_feed_last(service->store);
	row = (struct subscription){
	    .id = *id,
	    .vendor = command->sender,
	    .record_hash = command->record_hash,
	    .made_at_ms = service->now_ms,
	    .start_seq = last,
	    .confirmed_seq = last,
	    .filter = {.at = words.data, .count = words.len},
	};
	store_subscription_put(service->store, &row);
	listener_add(service, &row);
	service->wrote = true;
	reply_subscribed(service, command, &row);
	return ERR_OK;
}

enum err handle_unsubscribe(struct service *service, const struct command *command, const Oyez__Unsubscribe *message)
{
	struct id id = id_of_wire(message->subscription_id);
	struct subscription row;
	if (!store_subscription_find(service->store, &id, &service->arena, &row))
		return ERR_NOT_FOUND;
	if (!id_equal(&row.vendor, &command->sender))
		return ERR_NOT_YOURS;
	if (row.start_seq != SUBSCRIPTION_REMOVED) {
		enum err err = check_fresh(service, command);
		if (err)
			return err;
		row.start_seq = SUBSCRIPTION_REMOVED;
		row.filter = (struct bytes){0};
		store_subscription_put(service->store, &row);
		store_timer_add(service->store, service->now_ms + SUBSCRIPTION_FORGET_MS, TIMER_SUBSCRIPTION_FORGET, &id);
		listener_remove(service, listener_find(service, &id));
		parking_wake(service, &id);
		service->wrote = true;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

static int compare_listeners(const void *a, const void *b)
{
	const struct listener *left = *(struct listener *const *)a, *right = *(struct listener *const *)b;
	if (left->made_at_ms != right->made_at_ms)
		return left->made_at_ms < right->made_at_ms ? -1 : 1;
	return memcmp(left->id.bytes, right->id.bytes, ID_BYTES);
}

// A vendor's own, oldest first, in the arena.
static struct listener **listeners_of(struct service *service, const struct id *vendor, size_t *count)
{
	struct listener **own = arena_alloc(&service->arena, SUBSCRIPTIONS_PER_VENDOR_MAX * sizeof *own);
	*count = 0;
	for (uint32_t i = 0; i < service->listener_count && *count < SUBSCRIPTIONS_PER_VENDOR_MAX; i++)
		if (service->listeners[i].used && id_equal(&service->listeners[i].vendor, vendor))
			own[(*count)++] = &service->listeners[i];
	qsort(own, *count, sizeof *own, compare_listeners);
	return own;
}

static Oyez__Subscription *words_of(struct service *service, const struct listener *listener)
{
	struct subscription row;
	if (!store_subscription_find(service->store, &listener->id, &service->arena, &row))
		return NULL;
	Oyez__Subscription *words = arena_alloc(&service->arena, sizeof *words);
	oyez__subscription__init(words);
	words->id = wire_bytes(arena_copy(&service->arena, row.id.bytes, ID_BYTES), ID_BYTES);
	words->filter = wire_unpack(&service->arena, &oyez__filter__descriptor, row.filter.at, row.filter.count);
	words->made_at_ms = row.made_at_ms;
	return words->filter ? words : NULL;
}

enum err handle_list_subscriptions(struct service *service, const struct command *command,
                                   const Oyez__ListSubscriptions *message)
{
	size_t count;
	struct listener **own = listeners_of(service, &command->sender, &count);
	Oyez__Subscriptions list = OYEZ__SUBSCRIPTIONS__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	size_t at = message->offset;
	list.items = arena_alloc(&service->arena, LIST_PAGE * sizeof *list.items);
	for (; at < count && list.n_items < LIST_PAGE; at++) {
		Oyez__Subscription *words = words_of(service, own[at]);
		if (words)
			list.items[list.n_items++] = words;
	}
	list.more = at < count;
	reply.body_case = OYEZ__REPLY__BODY_SUBSCRIPTIONS;
	reply.subscriptions = &list;
	reply_vendor(service, command->origin, &reply);
	return ERR_OK;
}
