// After a deal: messages between its two parties, a rating, and the box that the customer reads. Customers sign with
// the deal's agreement key, since the intent and its key may be gone.
#include "internal.h"
#include "proto/cell.h"

enum { REPLY_OVERHEAD_BYTES = 48, ITEM_OVERHEAD_BYTES = 8 };

// ---- who speaks about which deal

enum err deal_of_customer(struct service *service, const struct command *command, struct deal *deal)
{
	if (!store_deal_find(service->store, &command->sender, deal))
		return ERR_NOT_FOUND;
	return memcmp(deal->agreement_key, command->sender_key, KEY_BYTES) == 0 ? ERR_OK : ERR_NOT_YOURS;
}

enum err deal_of_vendor(struct service *service, const struct command *command, ProtobufCBinaryData id,
                        struct deal *deal)
{
	struct id deal_id = id_of_wire(id);
	if (!store_deal_find(service->store, &deal_id, deal))
		return ERR_NOT_FOUND;
	return id_equal(&deal->vendor, &command->sender) ? ERR_OK : ERR_NOT_YOURS;
}

Oyez__InboxItem deal_inbox_item(struct service *service, const struct deal *deal)
{
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	struct intent intent;
	item.deal_id = wire_id(&deal->id);
	if (store_intent_find(service->store, &deal->intent, &intent))
		item.release_id =
		    wire_bytes(arena_copy(&service->arena, intent.release_id.bytes, RELEASE_ID_BYTES), RELEASE_ID_BYTES);
	return item;
}

uint64_t deal_box_add(struct service *service, struct deal_after *after, const Oyez__DealItem *item)
{
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &item->base);
	uint64_t seq = store_deal_box_append(service->store, after, service->now_ms, bytes.data, bytes.len);
	parking_wake(service, &after->deal);
	service->wrote = true;
	return seq;
}

void deal_forget(struct service *service, const struct id *id)
{
	struct deal_after after;
	// An erasure asked for in the last days is waited for.
	if (store_after_find(service->store, id, &after) && !after.erase_result && after.erase_by_ms > service->now_ms)
		store_timer_add(service->store, after.erase_by_ms + DAY_MS, TIMER_DEAL_FORGET, id);
	else
		store_deal_delete(service->store, id);
}

// ---- messages

struct recent {
	struct arena *arena;
	uint64_t before_ms;
	bool by_vendor;
	size_t count;          // of this party, kept
	struct deal_word *old; // of either party
	size_t old_count, room;
};

static bool look_at_word(void *context, const struct deal_word *word)
{
	struct recent *recent = context;
	if (word->at_ms >= recent->before_ms) {
		recent->count += (word->box_seq > 0) == recent->by_vendor;
		return true;
	}
	if (recent->old_count == recent->room)
		return false; // the rest next time
	recent->old[recent->old_count++] = *word;
	return true;
}

// So many in the time things are kept, each way. Older ones make room.
static enum err message_room(struct service *service, const struct id *deal, bool by_vendor)
{
	struct recent recent = {.by_vendor = by_vendor, .room = 2 * MESSAGES_PER_DEAL_MAX};
	if (service->now_ms > service->config.retention_ms)
		recent.before_ms = service->now_ms - service->config.retention_ms;
	recent.old = arena_alloc(&service->arena, recent.room * sizeof *recent.old);
	store_word_each(service->store, deal, look_at_word, &recent);
	if (recent.count >= MESSAGES_PER_DEAL_MAX)
		return ERR_BUSY;
	for (size_t i = 0; i < recent.old_count; i++) {
		if (recent.old[i].box_seq)
			store_deal_box_remove(service->store, deal, recent.old[i].box_seq);
		store_word_delete(service->store, deal, &recent.old[i].hash);
	}
	return ERR_OK;
}

// Both have signed: before that there is nothing to write about.
static enum err message_check(struct service *service, const struct command *command, const struct deal *deal,
                              bool by_vendor)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (deal->state == DEAL_LAPSED)
		return ERR_LAPSED;
	if (deal->state == DEAL_ACCEPTED)
		return ERR_NOT_COUNTERSIGNED;
	return message_room(service, &deal->id, by_vendor);
}

static void message_note(struct service *service, const struct command *command, const struct deal *deal,
                         uint64_t box_seq)
{
	struct deal_word word = {.hash = command->record_hash, .at_ms = service->now_ms, .box_seq = box_seq};
	store_word_put(service->store, &deal->id, &word);
	service->wrote = true;
}

static enum err message_to_vendor(struct service *service, const struct command *command, const struct deal *deal,
                                  const Oyez__DealMessage *message)
{
	struct vendor vendor;
	enum err err = message_check(service, command, deal, false);
	if (err)
		return err;
	if (!store_vendor_find(service->store, &deal->vendor, &service->arena, &vendor))
		return ERR_VENDOR_UNKNOWN;
	if (vendor.status == OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED)
		return ERR_VENDOR_SUSPENDED;
	Oyez__InboxItem item = deal_inbox_item(service, deal);
	item.body_case = OYEZ__INBOX_ITEM__BODY_MESSAGE;
	item.message = message->sealed;
	inbox_add(service, &deal->vendor, &item);
	message_note(service, command, deal, 0);
	return ERR_OK;
}

enum err handle_deal_message(struct service *service, const struct command *command, const Oyez__DealMessage *message)
{
	struct deal deal;
	struct deal_word known;
	enum err err = deal_of_customer(service, command, &deal);
	if (!err && !store_word_find(service->store, &deal.id, &command->record_hash, &known))
		err = message_to_vendor(service, command, &deal, message);
	if (err)
		return err;
	reply_ack(service, command, &command->record_hash);
	return ERR_OK;
}

static enum err message_to_customer(struct service *service, const struct command *command, const struct deal *deal,
                                    const Oyez__SendMessage *message)
{
	struct deal_after after;
	Oyez__DealItem item;
	enum err err = message_check(service, command, deal, true);
	if (err)
		return err;
	store_after_find(service->store, &deal->id, &after);
	oyez__deal_item__init(&item);
	item.body_case = OYEZ__DEAL_ITEM__BODY_MESSAGE;
	item.message = message->sealed;
	message_note(service, command, deal, deal_box_add(service, &after, &item));
	store_after_put(service->store, &after);
	return ERR_OK;
}

enum err handle_send_message(struct service *service, const struct command *command, const Oyez__SendMessage *message)
{
	struct deal deal;
	struct deal_word known;
	enum err err = deal_of_vendor(service, command, message->deal_id, &deal);
	if (!err && !store_word_find(service->store, &deal.id, &command->record_hash, &known))
		err = message_to_customer(service, command, &deal, message);
	if (err)
		return err;
	reply_ack(service, command, &command->record_hash);
	return ERR_OK;
}

// ---- ratings

static enum err rate_new(struct service *service, const struct command *command, const struct deal *deal,
                         struct deal_after *after, const Oyez__Rate *rate)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (deal->state != DEAL_CONCLUDED)
		return ERR_NOT_CONCLUDED;
	if (after->stars)
		return ERR_ALREADY_RATED;
	after->rate_hash = command->record_hash;
	after->stars = (uint8_t)rate->stars;
	store_after_put(service->store, after);
	standing_rate(service, &deal->vendor, rate->stars);
	return ERR_OK;
}

enum err handle_rate(struct service *service, const struct command *command, const Oyez__Rate *rate)
{
	struct deal deal;
	struct deal_after after;
	enum err err = deal_of_customer(service, command, &deal);
	if (err)
		return err;
	store_after_find(service->store, &deal.id, &after);
	if (!after.stars || !id_equal(&after.rate_hash, &command->record_hash))
		err = rate_new(service, command, &deal, &after, rate);
	if (err)
		return err;
	reply_ack(service, command, &deal.id);
	return ERR_OK;
}

// ---- the box

static void collect(struct service *service, const struct id *deal, uint64_t after, Oyez__DealBox *box)
{
	size_t room = CELL_REPLY_MESSAGE_BYTES_MAX - REPLY_OVERHEAD_BYTES;
	uint64_t at_ms;
	struct bytes bytes;
	box->next = after;
	box->items = arena_alloc(&service->arena, MAILBOX_ITEMS_MAX * sizeof *box->items);
	while (store_deal_box_next(service->store, deal, box->next, &service->arena, &after, &at_ms, &bytes)) {
		Oyez__DealItem *item = wire_unpack(&service->arena, &oyez__deal_item__descriptor, bytes.at, bytes.count);
		if (item) {
			item->seq = after;
			item->at_ms = at_ms;
			size_t size = protobuf_c_message_get_packed_size(&item->base) + ITEM_OVERHEAD_BYTES;
			if (box->n_items == MAILBOX_ITEMS_MAX || (size > room && box->n_items > 0)) {
				box->more = true;
				return;
			}
			room -= size < room ? size : room;
			box->items[box->n_items++] = item;
		}
		box->next = after;
	}
}

// False if there is nothing and `final` does not ask for an answer all the same.
static bool answer(struct service *service, const struct deal *deal, uint64_t origin, uint64_t after, bool final)
{
	Oyez__DealBox box = OYEZ__DEAL_BOX__INIT;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	struct vendor vendor;
	collect(service, &deal->id, after, &box);
	if (box.n_items == 0 && !final)
		return false;
	box.vendor_suspended = store_vendor_find(service->store, &deal->vendor, &service->arena, &vendor) &&
	                       vendor.status == OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED;
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_DEAL_BOX;
	reply.deal_box = &box;
	reply_customer(service, origin, &reply);
	return true;
}

enum err handle_read_deal(struct service *service, const struct command *command, const Oyez__ReadDeal *read)
{
	struct deal deal;
	enum err err = deal_of_customer(service, command, &deal);
	if (err)
		return err;
	if (answer(service, &deal, command->origin, read->after, read->wait_ms == 0))
		return ERR_OK;
	uint32_t wait_ms = read->wait_ms < WAIT_MS_MAX ? read->wait_ms : WAIT_MS_MAX;
	struct parked request = {
	    .kind = PARKED_DEAL,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + wait_ms,
	    .after = read->after,
	};
	return parking_add(service, &request);
}

bool deal_box_resume(struct service *service, struct parked *parked, bool final)
{
	struct deal deal;
	if (!store_deal_find(service->store, &parked->sender, &deal)) {
		reply_error(service, parked->origin, REPLY_CUSTOMER, ERR_NOT_FOUND, NULL);
		return true;
	}
	return answer(service, &deal, parked->origin, parked->after, final);
}
