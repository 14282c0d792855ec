// Small helpers between generated messages and our own types: byte fields, ids, messages that live in an arena.
#ifndef OYEZ_SERVICE_WIRE_H
#define OYEZ_SERVICE_WIRE_H

#include <assert.h>

#include "broker/base/arena.h"
#include "proto/codec.h"
#include "proto/id.h"

static inline ProtobufCBinaryData wire_bytes(const void *at, size_t count)
{
	return (ProtobufCBinaryData){.len = count, .data = (uint8_t *)at};
}

static inline ProtobufCBinaryData wire_id(const struct id *id)
{
	return wire_bytes(id->bytes, ID_BYTES);
}

// The codec has checked the length.
static inline struct id id_of_wire(ProtobufCBinaryData bytes)
{
	struct id id;
	assert(bytes.len == ID_BYTES);
	memcpy(id.bytes, bytes.data, ID_BYTES);
	return id;
}

static inline struct release_id release_id_of_wire(ProtobufCBinaryData bytes)
{
	struct release_id id;
	assert(bytes.len == RELEASE_ID_BYTES);
	memcpy(id.bytes, bytes.data, RELEASE_ID_BYTES);
	return id;
}

static inline void *wire_arena_alloc(void *arena, size_t bytes)
{
	return arena_alloc(arena, bytes);
}

static inline void wire_arena_free(void *arena, void *memory)
{
	(void)arena, (void)memory;
}

// Messages unpacked with it go with the arena; none of them is freed singly.
static inline ProtobufCAllocator wire_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){wire_arena_alloc, wire_arena_free, arena};
}

// The serialised message, in the arena.
static inline ProtobufCBinaryData wire_pack(struct arena *arena, const ProtobufCMessage *message)
{
	size_t count = protobuf_c_message_get_packed_size(message);
	uint8_t *at = arena_take(arena, count);
	protobuf_c_message_pack(message, at);
	return wire_bytes(at, count);
}

// What we packed ourselves and kept in the store: NULL only if the row is damaged.
static inline void *wire_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const void *at,
                                size_t count)
{
	ProtobufCAllocator allocator = wire_allocator(arena);
	return protobuf_c_message_unpack(descriptor, &allocator, count, at);
}

#endif
