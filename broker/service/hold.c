// Where holds are drawn, kept and ended. How long one lasts stands in core/hold.c; which intents have one in
// hold_begin.
//
// The times are drawn by SipHash from a key of the intent's own: random bytes of its post's command that are never
// published (its release id is, so the release id must not tell the hold). What waits stands in the store's `held`
// table and survives the process:
//
//   HELD_GONE      intent    reason (1) | release_seq (8) | Release without its keys
//   HELD_ANSWER    question  vendor (32) | intent (32) | InboxItem
//   HELD_DECLINED  offer     vendor (32) | intent (32) | InboxItem
//
// While an end is on its way the broker neither delivers the release nor takes offers for it; but it acknowledges them
// as it does for excluded vendors, else a vendor that offers again and again would learn the moment.
#include "hold.h"

#include <sodium.h>

#include "broker/base/cursor.h"
#include "broker/core/hold.h"
#include "broker/core/release.h"

enum { HELD_PER_TICK = 4096 };
enum draw { DRAW_RELEASE = 1, DRAW_GONE, DRAW_ITEM };

_Static_assert(HOLD_KEY_BYTES == crypto_shorthash_KEYBYTES, "holds are drawn with SipHash");

static uint64_t draw_ms(const struct intent *intent, enum draw draw, const struct id *what, uint64_t mean_ms)
{
	uint8_t input[1 + ID_BYTES], output[crypto_shorthash_BYTES];
	uint64_t random;
	_Static_assert(sizeof output == sizeof random, "one draw is 64 bits");
	input[0] = (uint8_t)draw;
	memcpy(input + 1, what->bytes, ID_BYTES);
	crypto_shorthash(output, input, sizeof input, intent->hold_key);
	memcpy(&random, output, sizeof random);
	return hold_exponential_ms(random, mean_ms);
}

// ---- the beginning

static bool names_box(const Oyez__Post *post)
{
	return post->box_id.len > 0;
}

void hold_begin(struct service *service, const struct command *command, const Oyez__Post *post, struct intent *intent)
{
	intent->held = service->config.hold == HOLD_ALL || (service->config.hold == HOLD_BOXES && names_box(post));
	if (!intent->held)
		return;
	memcpy(intent->hold_key, command->random + RELEASE_ID_BYTES, HOLD_KEY_BYTES);
	intent->ready_at_ms = service->now_ms + draw_ms(intent, DRAW_RELEASE, &intent->id, HOLD_RELEASE_MEAN_MS);
}

// ---- the end

void hold_gone(struct service *service, struct intent *intent, Oyez__GoneReason reason, uint64_t mean_ms)
{
	if (intent->gone_at_ms)
		return; // what is on its way tells enough
	intent->gone_at_ms = service->now_ms + draw_ms(intent, DRAW_GONE, &intent->id, mean_ms);
	const ProtobufCMessage *release = &release_message(service, intent, false)->base;
	size_t count = 9 + protobuf_c_message_get_packed_size(release);
	uint8_t *bytes = arena_alloc(&service->arena, count);
	struct writer writer;
	writer_init(&writer, bytes, count);
	writer_u8(&writer, (uint8_t)reason);
	writer_u64(&writer, intent->release_seq);
	protobuf_c_message_pack(release, bytes + 9);
	store_held_put(service->store, intent->gone_at_ms, HELD_GONE, &intent->id, bytes, count);
	if (intent->release_seq >= store_feed_first(service->store))
		feed_purge(service, intent->release_seq, reason);
	intent->release_seq = 0;
	service->wrote = true;
}

static bool gone_read(struct service *service, struct bytes bytes, Oyez__GoneReason *reason,
                      struct match_header *header, Oyez__Release **release)
{
	struct reader reader;
	reader_init(&reader, bytes.at, bytes.count);
	*reason = (Oyez__GoneReason)reader_u8(&reader);
	uint64_t release_seq = reader_u64(&reader);
	if (reader.failed)
		return false;
	*release = wire_unpack(&service->arena, &oyez__release__descriptor, bytes.at + 9, bytes.count - 9);
	if (!*release)
		return false;
	*header = (struct match_header){
	    .facets = facets_of_release(service->config.taxonomy, *release),
	    .released_at_ms = (*release)->released_at_ms,
	    .release_seq = release_seq,
	    .crowd = (*release)->crowd,
	    .kind = FEED_RELEASE,
	};
	return true;
}

bool hold_shown(struct service *service, const struct intent *intent, struct match_header *header)
{
	struct bytes bytes;
	Oyez__GoneReason reason;
	Oyez__Release *release;
	return intent->gone_at_ms &&
	       store_held_find(service->store, intent->gone_at_ms, HELD_GONE, &intent->id, &service->arena, &bytes) &&
	       gone_read(service, bytes, &reason, header, &release);
}

static void gone_leave(struct service *service, const struct id *id, struct bytes bytes)
{
	struct intent intent;
	struct match_header header;
	Oyez__GoneReason reason;
	Oyez__Release *release;
	if (!gone_read(service, bytes, &reason, &header, &release))
		return;
	if (store_intent_find(service->store, id, &intent)) {
		tell_losers(service, &intent, reason);
		intent.gone_at_ms = 0;
		store_intent_put(service->store, &intent);
	}
	if (header.release_seq)
		feed_tombstone_append(service, &header, release, reason);
}

// ---- answers and declines

void hold_item(struct service *service, const struct intent *intent, enum held_kind kind, const struct id *what,
               const struct id *vendor, const Oyez__InboxItem *item)
{
	if (!intent->held) {
		inbox_add(service, vendor, item);
		return;
	}
	size_t count = 2 * ID_BYTES + protobuf_c_message_get_packed_size(&item->base);
	uint8_t *bytes = arena_alloc(&service->arena, count);
	memcpy(bytes, vendor->bytes, ID_BYTES);
	memcpy(bytes + ID_BYTES, intent->id.bytes, ID_BYTES);
	protobuf_c_message_pack(&item->base, bytes + 2 * ID_BYTES);
	uint64_t at_ms = service->now_ms + draw_ms(intent, DRAW_ITEM, what, HOLD_ANSWER_MEAN_MS);
	store_held_put(service->store, at_ms, kind, what, bytes, count);
	service->wrote = true;
}

static void item_leave(struct service *service, struct bytes bytes)
{
	struct id vendor, intent_id;
	struct intent intent;
	if (bytes.count < 2 * ID_BYTES)
		return;
	memcpy(vendor.bytes, bytes.at, ID_BYTES);
	memcpy(intent_id.bytes, bytes.at + ID_BYTES, ID_BYTES);
	// What was withdrawn meanwhile is not said any more.
	if (!store_intent_find(service->store, &intent_id, &intent) || !intent_live(&intent))
		return;
	const Oyez__InboxItem *item = wire_unpack(&service->arena, &oyez__inbox_item__descriptor, bytes.at + 2 * ID_BYTES,
	                                          bytes.count - 2 * ID_BYTES);
	if (item)
		inbox_add(service, &vendor, item);
}

void hold_run(struct service *service)
{
	uint64_t at_ms;
	enum held_kind kind;
	struct id id;
	struct bytes bytes;
	for (int i = 0; i < HELD_PER_TICK; i++) {
		if (!store_held_first(service->store, &at_ms, &kind, &id, &service->arena, &bytes) || at_ms > service->now_ms)
			return;
		store_held_remove(service->store, at_ms, kind, &id);
		service->wrote = true;
		if (kind == HELD_GONE)
			gone_leave(service, &id, bytes);
		else
			item_leave(service, bytes);
	}
}
