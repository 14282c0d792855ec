// Vendors: registration, what the broker vouches for, and a vendor's view of itself.
#include "internal.h"

Oyez__Signed *sign_message(struct service *service, const char *tag, const ProtobufCMessage *message)
{
	Oyez__Signed *signed_message = arena_alloc(&service->arena, sizeof *signed_message);
	uint8_t *signature = arena_alloc(&service->arena, SIGNATURE_BYTES);
	oyez__signed__init(signed_message);
	signed_message->record = wire_pack(&service->arena, message);
	signed_message->key = wire_bytes(service->signer.broker_key, KEY_BYTES);
	service->signer.sign(service->signer.context, tag, signed_message->record.data, signed_message->record.len,
	                     signature);
	signed_message->signature = wire_bytes(signature, SIGNATURE_BYTES);
	return signed_message;
}

Oyez__VouchedListing *vouched_listing(struct service *service, const struct vendor *vendor)
{
	Oyez__Signed *listing =
	    wire_unpack(&service->arena, &oyez__signed__descriptor, vendor->listing.at, vendor->listing.count);
	if (!listing)
		return NULL;
	Oyez__VouchedListing *vouched = arena_alloc(&service->arena, sizeof *vouched);
	uint8_t *signature = arena_alloc(&service->arena, SIGNATURE_BYTES);
	oyez__vouched_listing__init(vouched);
	service->signer.sign(service->signer.context, TAG_VOUCH, listing->record.data, listing->record.len, signature);
	vouched->listing = listing;
	vouched->broker_signature = wire_bytes(signature, SIGNATURE_BYTES);
	return vouched;
}

static void reply_vendor_state(struct service *service, uint64_t origin, const struct vendor *vendor)
{
	Oyez__VendorState state = OYEZ__VENDOR_STATE__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	state.vendor_id = wire_id(&vendor->id);
	state.status = (Oyez__VendorStatus)vendor->status;
	state.listing = vouched_listing(service, vendor);
	state.standing = standing_signed(service, &vendor->id);
	reply.body_case = OYEZ__REPLY__BODY_VENDOR;
	reply.vendor = &state;
	reply_vendor(service, origin, &reply);
}

// The newer listing wins; an older one changes nothing, and another one of the same time is a conflict.
static enum err check_listing_age(const struct vendor *known, const Oyez__Listing *listing, bool same_bytes,
                                  bool *newer)
{
	*newer = listing->made_at_ms > known->listing_made_at_ms;
	return listing->made_at_ms == known->listing_made_at_ms && !same_bytes ? ERR_CONFLICT : ERR_OK;
}

// An address that changed is not confirmed until it was looked at.
static bool same_url(struct service *service, const struct vendor *known, const Oyez__Listing *listing)
{
	ProtobufCAllocator allocator = wire_allocator(&service->arena);
	Oyez__Listing *before;
	const Oyez__Signed *wrapped =
	    wire_unpack(&service->arena, &oyez__signed__descriptor, known->listing.at, known->listing.count);
	return wrapped &&
	       codec_decode_listing(&allocator, wrapped->record.data, wrapped->record.len, &before, NULL) == ERR_OK &&
	       strcmp(before->url, listing->url) == 0;
}

static void store_listing(struct service *service, const struct command *command, struct vendor *vendor, bool known,
                          uint64_t made_at_ms, ProtobufCBinaryData bytes)
{
	vendor->id = command->sender;
	memcpy(vendor->key, command->sender_key, KEY_BYTES);
	vendor->listing = (struct bytes){.at = bytes.data, .count = bytes.len};
	vendor->listing_made_at_ms = made_at_ms;
	if (!known) {
		vendor->registered_at_ms = service->now_ms;
		vendor->inbox_next = 1;
		vendor->status = OYEZ__VENDOR_STATUS__VENDOR_PENDING;
	}
	if (service->config.vendors_open && vendor->status == OYEZ__VENDOR_STATUS__VENDOR_PENDING)
		vendor->status = OYEZ__VENDOR_STATUS__VENDOR_APPROVED;
	store_vendor_put(service->store, vendor);
	vendor_note_of(service, &vendor->id);
	service->wrote = true;
}

enum err handle_register(struct service *service, const struct command *command, const Oyez__Signed *message)
{
	ProtobufCAllocator allocator = wire_allocator(&service->arena);
	Oyez__Listing *listing;
	enum err err = codec_decode_listing(&allocator, message->record.data, message->record.len, &listing, NULL);
	if (err)
		return err;
	if (listing->vendor_key.len != KEY_BYTES || memcmp(listing->vendor_key.data, command->sender_key, KEY_BYTES) != 0)
		return ERR_NOT_YOURS;
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &message->base);
	struct vendor vendor = {0};
	struct vendor_facts facts;
	bool newer = true;
	bool known = store_vendor_find(service->store, &command->sender, &service->arena, &vendor);
	if (known) {
		bool same = vendor.listing.count == bytes.len && memcmp(vendor.listing.at, bytes.data, bytes.len) == 0;
		err = check_listing_age(&vendor, listing, same, &newer);
	}
	if (!err && newer)
		err = check_fresh(service, command);
	if (!err && newer)
		err = vendor_facts_of_listing(listing, &facts, &service->detail);
	if (err)
		return err;
	if (newer) {
		if (known && !same_url(service, &vendor, listing))
			standing_checked(service, &vendor.id, OYEZ__URL_CHECK__URL_UNCHECKED, 0);
		facts.rating_band = vendor.facts.rating_band;
		vendor.facts = facts;
		store_listing(service, command, &vendor, known, listing->made_at_ms, bytes);
	}
	url_check_vendor(service, &vendor);
	reply_vendor_state(service, command->origin, &vendor);
	return ERR_OK;
}

enum err handle_show_vendor(struct service *service, const struct command *command, const Oyez__ShowVendor *message)
{
	(void)message;
	reply_vendor_state(service, command->origin, &service->vendor);
	return ERR_OK;
}
