// Replies, held until the commit. Not here: when a request is answered (the handlers, parking.c).
#include "outbox.h"

#include <stdlib.h>

#include "internal.h"

static ProtobufCBinaryData pack_error(struct service *service, enum reply_form form, enum err err, const char *detail)
{
	struct arena *arena = &service->arena;
	Oyez__Error error = OYEZ__ERROR__INIT;
	error.code = (uint32_t)err;
	error.name = (char *)err_name(err);
	error.detail = (char *)(detail ? detail : "");
	if (form == REPLY_CUSTOMER) {
		Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
		reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ERROR;
		reply.error = &error;
		return wire_pack(arena, &reply.base);
	}
	if (form == REPLY_ADMIN) {
		Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
		reply.body_case = OYEZ__ADMIN_REPLY__BODY_ERROR;
		reply.error = &error;
		return wire_pack(arena, &reply.base);
	}
	if (form == REPLY_GUARDIAN) {
		Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
		reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ERROR;
		reply.error = &error;
		reply.now_ms = service->now_ms;
		return wire_pack(arena, &reply.base);
	}
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_ERROR;
	reply.error = &error;
	return wire_pack(arena, &reply.base);
}

static void put(struct service *service, uint64_t origin, enum reply_form form, ProtobufCBinaryData bytes)
{
	struct outbox *outbox = &service->outbox;
	if (outbox->count == outbox->room) {
		outbox->room = outbox->room ? outbox->room * 2 : 64;
		outbox->effects = realloc(outbox->effects, outbox->room * sizeof *outbox->effects);
		if (!outbox->effects)
			abort();
	}
	outbox->effects[outbox->count++] =
	    (struct effect){.origin = origin, .form = form, .bytes = bytes.data, .count = bytes.len};
}

static void drop_shared(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->count; i++) {
		shared_bytes_drop(outbox->effects[i].shared);
		outbox->effects[i].shared = NULL;
	}
}

void outbox_clear(struct outbox *outbox)
{
	drop_shared(outbox);
	outbox->count = outbox->taken = 0;
}

void outbox_fini(struct outbox *outbox)
{
	drop_shared(outbox);
	free(outbox->effects);
	*outbox = (struct outbox){0};
}

void reply_customer(struct service *service, uint64_t origin, const Oyez__CustomerReply *reply)
{
	if (origin)
		put(service, origin, REPLY_CUSTOMER, wire_pack(&service->arena, &reply->base));
}

void reply_vendor(struct service *service, uint64_t origin, const Oyez__Reply *reply)
{
	if (origin)
		put(service, origin, REPLY_VENDOR, wire_pack(&service->arena, &reply->base));
}

void reply_admin(struct service *service, uint64_t origin, const Oyez__AdminReply *reply)
{
	if (origin)
		put(service, origin, REPLY_ADMIN, wire_pack(&service->arena, &reply->base));
}

void reply_guardian(struct service *service, uint64_t origin, const Oyez__GuardianReply *reply)
{
	Oyez__GuardianReply stamped = *reply;
	stamped.now_ms = service->now_ms;
	if (origin)
		put(service, origin, REPLY_GUARDIAN, wire_pack(&service->arena, &stamped.base));
}

void reply_relay(struct service *service, uint64_t origin, const uint8_t bytes[RELAY_BYTES])
{
	if (origin)
		put(service, origin, REPLY_RELAY, wire_bytes(bytes, RELAY_BYTES));
}

void reply_error(struct service *service, uint64_t origin, enum reply_form form, enum err err, const char *detail)
{
	if (origin)
		put(service, origin, form, pack_error(service, form, err, detail));
}

void reply_ack(struct service *service, const struct command *command, const struct id *id)
{
	Oyez__Ack ack = OYEZ__ACK__INIT;
	ack.id = wire_id(id);
	switch (command_reply_form(command->kind)) {
	case REPLY_CUSTOMER: {
		Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
		reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_ACK;
		reply.ack = &ack;
		reply_customer(service, command->origin, &reply);
		break;
	}
	case REPLY_RELAY:
		break;
	case REPLY_VENDOR: {
		Oyez__Reply reply = OYEZ__REPLY__INIT;
		reply.body_case = OYEZ__REPLY__BODY_ACK;
		reply.ack = &ack;
		reply_vendor(service, command->origin, &reply);
		break;
	}
	case REPLY_ADMIN: {
		Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
		reply.body_case = OYEZ__ADMIN_REPLY__BODY_ACK;
		reply.ack = &ack;
		reply_admin(service, command->origin, &reply);
		break;
	}
	case REPLY_GUARDIAN: {
		Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
		reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ACK;
		reply.ack = &ack;
		reply_guardian(service, command->origin, &reply);
		break;
	}
	}
}

void reply_shared(struct service *service, uint64_t origin, struct shared_bytes *reply)
{
	if (!origin) {
		shared_bytes_drop(reply);
		return;
	}
	put(service, origin, REPLY_VENDOR, wire_bytes(reply->bytes, reply->count));
	service->outbox.effects[service->outbox.count - 1].shared = reply;
}

void outbox_fail(struct service *service, enum err err)
{
	struct outbox *outbox = &service->outbox;
	drop_shared(outbox);
	for (size_t i = 0; i < outbox->count; i++) {
		if (outbox->effects[i].form == REPLY_RELAY) // what the wallet waits for
			outbox->effects[i].form = REPLY_GUARDIAN;
		ProtobufCBinaryData bytes = pack_error(service, outbox->effects[i].form, err, NULL);
		outbox->effects[i].bytes = bytes.data;
		outbox->effects[i].count = bytes.len;
	}
}

bool service_effect_next(struct service *service, struct effect *effect)
{
	struct outbox *outbox = &service->outbox;
	if (service->in_batch || outbox->taken == outbox->count)
		return false;
	*effect = outbox->effects[outbox->taken++];
	return true;
}
