// A vendor's inbox: an ordered log of what customers and the broker say to it, kept until retention.
#include "internal.h"

enum {
	INBOX_ITEMS_MAX = 256,
	REPLY_ROOM_BYTES = REPLY_BYTES_MAX - 4096,
	ITEM_OVERHEAD_BYTES = 8,
};

void inbox_add(struct service *service, const struct id *vendor, const Oyez__InboxItem *item)
{
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &item->base);
	store_inbox_append(service->store, vendor, service->now_ms, bytes.data, bytes.len);
	parking_wake(service, vendor);
	service->wrote = true;
}

static void collect(struct service *service, const struct id *vendor, uint64_t after, uint32_t max, Oyez__Inbox *inbox)
{
	size_t room = REPLY_ROOM_BYTES;
	uint64_t at_ms;
	struct bytes bytes;
	inbox->next = after;
	inbox->items = arena_alloc(&service->arena, max * sizeof *inbox->items);
	while (store_inbox_next(service->store, vendor, inbox->next, &service->arena, &after, &at_ms, &bytes)) {
		Oyez__InboxItem *item = wire_unpack(&service->arena, &oyez__inbox_item__descriptor, bytes.at, bytes.count);
		if (item) {
			item->seq = after;
			item->at_ms = at_ms;
			size_t size = protobuf_c_message_get_packed_size(&item->base) + ITEM_OVERHEAD_BYTES;
			if (inbox->n_items == max || size > room) {
				inbox->more = true;
				return;
			}
			room -= size;
			inbox->items[inbox->n_items++] = item;
		}
		inbox->next = after;
	}
}

static bool answer(struct service *service, const struct id *vendor, uint64_t origin, uint64_t after, uint32_t max,
                   bool final)
{
	Oyez__Inbox inbox = OYEZ__INBOX__INIT;
	collect(service, vendor, after, max && max < INBOX_ITEMS_MAX ? max : INBOX_ITEMS_MAX, &inbox);
	if (inbox.n_items == 0 && !final)
		return false;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_INBOX;
	reply.inbox = &inbox;
	reply_vendor(service, origin, &reply);
	struct vendor_note *note = vendor_note_of(service, vendor);
	if (inbox.next > note->inbox_sent_seq)
		note->inbox_sent_seq = inbox.next;
	return true;
}

enum err handle_read_inbox(struct service *service, const struct command *command, const Oyez__ReadInbox *read)
{
	uint64_t after = read->after;
	if (after == 0 && !read->from_start)
		after = vendor_note_of(service, &command->sender)->inbox_sent_seq;
	if (answer(service, &command->sender, command->origin, after, read->max, read->wait_ms == 0))
		return ERR_OK;
	uint32_t wait_ms = read->wait_ms < WAIT_MS_MAX ? read->wait_ms : WAIT_MS_MAX;
	struct parked request = {
	    .kind = PARKED_INBOX,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + wait_ms,
	    .after = after,
	    .max = read->max,
	};
	return parking_add(service, &request);
}

bool inbox_resume(struct service *service, struct parked *parked, bool final)
{
	struct vendor vendor;
	if (!store_vendor_find(service->store, &parked->sender, &service->arena, &vendor) ||
	    vendor.status != OYEZ__VENDOR_STATUS__VENDOR_APPROVED) {
		reply_error(service, parked->origin, REPLY_VENDOR, ERR_VENDOR_SUSPENDED, NULL);
		return true;
	}
	return answer(service, &parked->sender, parked->origin, parked->after, parked->max, final);
}
