// What a box's next cell says: first what was never sent, oldest first, then the whole stream over and over. The stream
// is item 0, the Status, and the items of the mailbox by number.
#include <sodium.h>

#include "internal.h"

enum {
	PART_OVERHEAD_BYTES = 36, // a BoxPart around its bytes, at most
	PART_BYTES_MIN = 32,      // less room than that is left empty
	PARTS_MAX = 64,
	VERSION_MS = 100,
};

// A cell being filled.
struct filling {
	Oyez__BoxPlain plain;
	Oyez__BoxPart parts[PARTS_MAX], *list[PARTS_MAX];
	size_t room;
};

struct item {
	uint64_t number;
	uint32_t version;
	ProtobufCBinaryData bytes;
};

static bool full(const struct filling *filling)
{
	return filling->plain.n_parts == PARTS_MAX || filling->room < PART_OVERHEAD_BYTES + PART_BYTES_MIN;
}

// As much of the item as fits; how far it is sent then.
static uint32_t put(struct filling *filling, const struct item *item, uint32_t offset)
{
	if (full(filling) || offset >= item->bytes.len)
		return offset;
	size_t left = item->bytes.len - offset, room = filling->room - PART_OVERHEAD_BYTES;
	size_t count = left < room ? left : room;
	Oyez__BoxPart *part = &filling->parts[filling->plain.n_parts];
	oyez__box_part__init(part);
	part->item = item->number;
	part->version = item->version;
	part->offset = offset;
	part->total = (uint32_t)item->bytes.len;
	part->bytes = wire_bytes(item->bytes.data + offset, count);
	filling->list[filling->plain.n_parts++] = part;
	filling->room -= count + PART_OVERHEAD_BYTES;
	return offset + (uint32_t)count;
}

static bool next_item(struct service *service, const struct intent *intent, uint64_t after, struct item *item)
{
	uint64_t at_ms;
	struct bytes bytes;
	while (intent->mailbox_slot &&
	       store_mailbox_next(service->store, intent, after, &service->arena, &after, &at_ms, &bytes)) {
		Oyez__MailboxItem *message =
		    wire_unpack(&service->arena, &oyez__mailbox_item__descriptor, bytes.at, bytes.count);
		if (!message)
			continue;
		message->seq = after;
		message->at_ms = at_ms;
		*item = (struct item){.number = after, .bytes = wire_pack(&service->arena, &message->base)};
		return true;
	}
	return false;
}

static struct item status_item(struct service *service, const struct intent *intent, struct pushed_box *box)
{
	struct box_stream *stream = &box->stream;
	struct item item = {.bytes = status_bytes(service, intent)};
	uint8_t digest[crypto_generichash_BYTES_MIN];
	uint64_t hash;
	crypto_generichash(digest, sizeof digest, item.bytes.data, item.bytes.len, NULL, 0);
	memcpy(&hash, digest, sizeof hash);
	if (hash != stream->status_hash || stream->version == 0) {
		// From the time, so that it goes on growing after a restart.
		uint32_t version = (uint32_t)((service->now_ms - box->released_at_ms) / VERSION_MS) + 1;
		stream->version = version > stream->version ? version : stream->version + 1;
		stream->status_hash = hash;
		stream->status_offset = 0;
	}
	item.version = stream->version;
	return item;
}

static void put_new(struct service *service, const struct intent *intent, struct box_stream *stream,
                    const struct item *status, struct filling *filling)
{
	struct item item;
	stream->status_offset = put(filling, status, stream->status_offset);
	while (!full(filling) && next_item(service, intent, stream->item_offset ? stream->item - 1 : stream->item, &item)) {
		if (item.number != stream->item) // also when the one being sent is gone
			stream->item_offset = 0;
		stream->item = item.number;
		stream->item_offset = put(filling, &item, stream->item_offset);
		if (stream->item_offset < item.bytes.len)
			return;
		stream->item_offset = 0;
	}
}

static bool all_sent(const struct box_stream *stream, const struct item *status)
{
	return stream->status_offset >= status->bytes.len && stream->item_offset == 0;
}

// Once around at most.
static void put_again(struct service *service, const struct intent *intent, struct box_stream *stream,
                      const struct item *status, struct filling *filling)
{
	uint64_t first_item = stream->cycle_item;
	uint32_t first_offset = stream->cycle_offset;
	bool around = false;
	while (!full(filling)) {
		struct item item = *status;
		if (stream->cycle_item > 0 && !next_item(service, intent, stream->cycle_item - 1, &item)) {
			stream->cycle_item = 0;
			stream->cycle_offset = 0;
			around = true;
			item = *status;
		}
		if (item.number != stream->cycle_item)
			stream->cycle_offset = 0;
		stream->cycle_item = item.number;
		if (around && (item.number > first_item || (item.number == first_item && stream->cycle_offset >= first_offset)))
			return;
		stream->cycle_offset = put(filling, &item, stream->cycle_offset);
		if (stream->cycle_offset < item.bytes.len)
			return;
		stream->cycle_item++;
		stream->cycle_offset = 0;
	}
}

size_t box_fill(struct service *service, struct pushed_box *box, uint8_t message[BOX_MESSAGE_BYTES_MAX])
{
	struct intent intent;
	struct filling *filling = arena_alloc(&service->arena, sizeof *filling);
	oyez__box_plain__init(&filling->plain);
	filling->plain.parts = filling->list;
	filling->room = BOX_MESSAGE_BYTES_MAX;
	if (store_intent_find(service->store, &box->intent, &intent)) {
		struct item status = status_item(service, &intent, box);
		put_new(service, &intent, &box->stream, &status, filling);
		if (all_sent(&box->stream, &status))
			put_again(service, &intent, &box->stream, &status, filling);
	}
	return protobuf_c_message_pack(&filling->plain.base, message);
}
