// What the operator asks for. Never anything about a single intent.
#include "internal.h"

enum { LIST_PAGE = 64 };

enum err handle_admin_status(struct service *service, const struct command *command, const Oyez__AdminStatus *message)
{
	struct service_numbers numbers;
	Oyez__StatusReport report = OYEZ__STATUS_REPORT__INIT;
	Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
	(void)message;
	service_numbers(service, &numbers);
	report.broker_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	report.version = (char *)service->config.version;
	report.up_ms = service->now_ms - service->start_ms;
	report.region = (char *)service->config.region;
	report.crowd = service->config.crowd;
	report.tick_ms = service->config.tick_ms;
	report.intents_waiting = numbers.intents_waiting;
	report.intents_released = numbers.intents_released;
	report.vendors = numbers.vendors;
	report.subscriptions = numbers.subscriptions;
	report.deals_open = numbers.deals_open;
	report.feed_length = numbers.feed_length;
	report.parked = numbers.parked;
	report.store_bytes = store_bytes_used(service->store);
	report.boxes_pushed = numbers.boxes_pushed;
	report.brokers_in_conflict = service->brokers_in_conflict;
	report.box_bytes_per_intent_day = boxes_bytes_per_intent_day(service);
	report.clock_held = numbers.clock_held;
	report.accounts = numbers.accounts;
	report.vouchers_given = numbers.vouchers_given;
	report.boxes_kept = numbers.boxes_kept;
	reply.body_case = OYEZ__ADMIN_REPLY__BODY_STATUS;
	reply.status = &report;
	reply_admin(service, command->origin, &reply);
	return ERR_OK;
}

static Oyez__VendorState *state_of(struct service *service, const struct id *id)
{
	struct vendor vendor;
	if (!store_vendor_find(service->store, id, &service->arena, &vendor))
		return NULL;
	Oyez__VendorState *state = arena_alloc(&service->arena, sizeof *state);
	oyez__vendor_state__init(state);
	state->vendor_id = wire_id(id);
	state->status = (Oyez__VendorStatus)vendor.status;
	state->listing = vouched_listing(service, &vendor);
	state->standing = standing_signed(service, id);
	return state;
}

enum err handle_admin_vendors(struct service *service, const struct command *command, const Oyez__AdminVendors *message)
{
	Oyez__VendorList list = OYEZ__VENDOR_LIST__INIT;
	Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
	uint32_t at = message->offset;
	list.items = arena_alloc(&service->arena, LIST_PAGE * sizeof *list.items);
	for (; at < service->vendor_count && list.n_items < LIST_PAGE; at++) {
		Oyez__VendorState *state = state_of(service, &service->vendors[at].id);
		if (state)
			list.items[list.n_items++] = state;
	}
	list.more = at < service->vendor_count;
	reply.body_case = OYEZ__ADMIN_REPLY__BODY_VENDORS;
	reply.vendors = &list;
	reply_admin(service, command->origin, &reply);
	return ERR_OK;
}

static enum err set_status(struct service *service, const struct command *command, ProtobufCBinaryData vendor_id,
                           Oyez__VendorStatus status, const char *reason)
{
	struct id id = id_of_wire(vendor_id);
	struct vendor vendor;
	if (!store_vendor_find(service->store, &id, &service->arena, &vendor))
		return ERR_VENDOR_UNKNOWN;
	bool shut_out = status == OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED && vendor.status != (uint8_t)status;
	vendor.status = (uint8_t)status;
	vendor.suspend_reason = (struct bytes){.at = (const uint8_t *)reason, .count = strlen(reason)};
	store_vendor_put(service->store, &vendor);
	service->wrote = true;
	if (shut_out)
		suspension_tell(service, &id, reason);
	// Requests of a suspended vendor that wait here are answered with that.
	parking_wake(service, &id);
	for (uint32_t i = 0; i < service->listener_count; i++)
		if (service->listeners[i].used && id_equal(&service->listeners[i].vendor, &id))
			parking_wake(service, &service->listeners[i].id);
	reply_ack(service, command, &id);
	return ERR_OK;
}

enum err handle_admin_approve(struct service *service, const struct command *command, const Oyez__AdminApprove *message)
{
	return set_status(service, command, message->vendor_id, OYEZ__VENDOR_STATUS__VENDOR_APPROVED, "");
}

enum err handle_admin_suspend(struct service *service, const struct command *command, const Oyez__AdminSuspend *message)
{
	return set_status(service, command, message->vendor_id, OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED, message->reason);
}

enum err handle_admin_compact(struct service *service, const struct command *command, const Oyez__AdminCompact *message)
{
	(void)message;
	if (service->compact)
		return ERR_BUSY;
	service->compact = true;
	service->compact_origin = command->origin;
	return ERR_OK;
}

enum err handle_admin_confirm_clock(struct service *service, const struct command *command,
                                    const Oyez__AdminConfirmClock *message)
{
	(void)message;
	service_confirm_clock(service);
	reply_ack(service, command, &(struct id){0});
	return ERR_OK;
}
