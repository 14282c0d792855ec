// The broker's public notices: numbered, each naming the one before, signed. Everybody reads all of them, so that the
// broker does not learn whom one touches.
#include <stdio.h>

#include "internal.h"
#include "proto/cell.h"

enum { REPLY_OVERHEAD_BYTES = 32, ITEM_OVERHEAD_BYTES = 8 };

static Oyez__Signed *notice_at(struct service *service, uint64_t number)
{
	struct bytes bytes;
	if (!store_notice_get(service->store, number, &service->arena, &bytes))
		return NULL;
	return wire_unpack(&service->arena, &oyez__signed__descriptor, bytes.at, bytes.count);
}

// ---- the operator's side

static enum err check_notice(struct service *service, const Oyez__AdminNotice *message)
{
	if (message->from_ms && message->to_ms && message->from_ms > message->to_ms) {
		snprintf(service->detail.text, sizeof service->detail.text, "from_ms, to_ms");
		return ERR_BAD_VALUE;
	}
	// Whom it concerns is a vendor's deals or named ones; a notice of both would leave open which.
	if (message->n_deals && (message->vendor_id.len || message->from_ms || message->to_ms)) {
		snprintf(service->detail.text, sizeof service->detail.text, "deals, or a vendor and times");
		return ERR_BAD_VALUE;
	}
	return ERR_OK;
}

static enum err make_notice(struct service *service, const Oyez__AdminNotice *message, Oyez__Signed **out)
{
	Oyez__Notice notice = OYEZ__NOTICE__INIT;
	struct id previous;
	uint64_t last = store_notice_last(service->store);
	if (last) {
		const Oyez__Signed *before = notice_at(service, last);
		if (!before)
			return ERR_INTERNAL;
		previous = signed_id_of(TAG_RECORD_ID, before);
		notice.previous = wire_id(&previous);
	}
	notice.number = last + 1;
	notice.broker_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	notice.at_ms = service->now_ms;
	notice.text = message->text;
	notice.vendor_id = message->vendor_id;
	notice.from_ms = message->from_ms;
	notice.to_ms = message->to_ms;
	notice.fields = message->fields;
	notice.n_fields = message->n_fields;
	notice.deals = message->deals;
	notice.n_deals = message->n_deals;
	*out = sign_message(service, TAG_NOTICE, &notice.base);
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &(*out)->base);
	if (bytes.len > NOTICE_BYTES_MAX)
		return ERR_TOO_LARGE;
	store_notice_append(service->store, notice.number, bytes.data, bytes.len);
	service->wrote = true;
	return ERR_OK;
}

enum err handle_admin_notice(struct service *service, const struct command *command, const Oyez__AdminNotice *message)
{
	Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
	enum err err = check_notice(service, message);
	if (!err)
		err = make_notice(service, message, &reply.notice);
	if (err)
		return err;
	reply.body_case = OYEZ__ADMIN_REPLY__BODY_NOTICE;
	reply_admin(service, command->origin, &reply);
	return ERR_OK;
}

// ---- everybody's side

enum err handle_get_notices(struct service *service, const struct command *command, const Oyez__GetNotices *message)
{
	size_t room = CELL_REPLY_MESSAGE_BYTES_MAX - REPLY_OVERHEAD_BYTES;
	Oyez__Notices notices = OYEZ__NOTICES__INIT;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	Oyez__Signed *notice;
	notices.items = arena_alloc(&service->arena, NOTICES_MAX * sizeof *notices.items);
	for (uint64_t number = message->after + 1; (notice = notice_at(service, number)); number++) {
		size_t size = protobuf_c_message_get_packed_size(&notice->base) + ITEM_OVERHEAD_BYTES;
		if (notices.n_items == NOTICES_MAX || size > room) {
			notices.more = true;
			break;
		}
		room -= size;
		notices.items[notices.n_items++] = notice;
	}
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_NOTICES;
	reply.notices = &notices;
	reply_customer(service, command->origin, &reply);
	return ERR_OK;
}
