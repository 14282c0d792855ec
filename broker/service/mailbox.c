// The customer's mailbox: what vendors and the broker left for an intent, read by its wallet. Never erased by reading.
#include "internal.h"
#include "proto/cell.h"

// A reply fits one cell; the rest of the reply around the items takes less than this.
enum { REPLY_OVERHEAD_BYTES = 48, ITEM_OVERHEAD_BYTES = 8 };

uint64_t mailbox_add(struct service *service, struct intent *intent, const Oyez__MailboxItem *item)
{
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &item->base);
	uint64_t seq = store_mailbox_append(service->store, intent, service->now_ms, bytes.data, bytes.len);
	parking_wake(service, &intent->id);
	service->wrote = true;
	return seq;
}

static void collect(struct service *service, const struct intent *intent, uint64_t after, uint32_t max,
                    Oyez__Mailbox *mailbox)
{
	size_t room = CELL_REPLY_MESSAGE_BYTES_MAX - REPLY_OVERHEAD_BYTES;
	uint64_t at_ms;
	struct bytes bytes;
	mailbox->next = after;
	mailbox->items = arena_alloc(&service->arena, max * sizeof *mailbox->items);
	while (store_mailbox_next(service->store, intent, mailbox->next, &service->arena, &after, &at_ms, &bytes)) {
		Oyez__MailboxItem *item = wire_unpack(&service->arena, &oyez__mailbox_item__descriptor, bytes.at, bytes.count);
		if (item) {
			item->seq = after;
			item->at_ms = at_ms;
			size_t size = protobuf_c_message_get_packed_size(&item->base) + ITEM_OVERHEAD_BYTES;
			if (mailbox->n_items == max || (size > room && mailbox->n_items > 0)) {
				mailbox->more = true;
				return;
			}
			room -= size < room ? size : room;
			mailbox->items[mailbox->n_items++] = item;
		}
		mailbox->next = after;
	}
}

static uint32_t item_max(uint32_t wanted)
{
	return wanted && wanted < MAILBOX_ITEMS_MAX ? wanted : MAILBOX_ITEMS_MAX;
}

// False if there is nothing and `final` does not ask for an answer all the same.
static bool answer(struct service *service, const struct intent *intent, uint64_t origin, uint64_t after, uint32_t max,
                   bool final)
{
	Oyez__Mailbox mailbox = OYEZ__MAILBOX__INIT;
	collect(service, intent, after, item_max(max), &mailbox);
	if (mailbox.n_items == 0 && !final)
		return false;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_MAILBOX;
	reply.mailbox = &mailbox;
	reply_customer(service, origin, &reply);
	return true;
}

enum err handle_read_mailbox(struct service *service, const struct command *command, const Oyez__ReadMailbox *read)
{
	struct intent intent;
	if (!intent_load(service, &command->sender, &intent))
		return ERR_NOT_FOUND;
	if (!intent_readable(&intent))
		return ERR_GONE;
	if (answer(service, &intent, command->origin, read->after, read->max, read->wait_ms == 0))
		return ERR_OK;
	uint32_t wait_ms = read->wait_ms < WAIT_MS_MAX ? read->wait_ms : WAIT_MS_MAX;
	struct parked request = {
	    .kind = PARKED_MAILBOX,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + wait_ms,
	    .after = read->after,
	    .max = read->max,
	};
	return parking_add(service, &request);
}

bool mailbox_resume(struct service *service, struct parked *parked, bool final)
{
	struct intent intent;
	if (!store_intent_find(service->store, &parked->sender, &intent) || !intent_readable(&intent)) {
		reply_error(service, parked->origin, REPLY_CUSTOMER, ERR_GONE, NULL);
		return true;
	}
	return answer(service, &intent, parked->origin, parked->after, parked->max, final);
}
