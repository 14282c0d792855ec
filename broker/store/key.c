// Keys of all tables. Numbers are big-endian, so that the order of the bytes is the order of the numbers.
#include <endian.h>
#include <string.h>

#include "store_internal.h"

static struct key key_of_writer(struct key *key, const struct writer *writer)
{
	key->count = writer_count(writer);
	return *key;
}

struct key key_id(const struct id *id)
{
	struct key key = {.count = ID_BYTES};
	memcpy(key.bytes, id->bytes, ID_BYTES);
	return key;
}

struct key key_number(uint64_t number)
{
	struct key key;
	key.count = sizeof number;
	number = htobe64(number);
	memcpy(key.bytes, &number, sizeof number);
	return key;
}

struct key key_slot(uint32_t slot)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u32(&writer, slot);
	return key_of_writer(&key, &writer);
}

struct key key_item(uint32_t slot, uint64_t seq)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u32(&writer, slot);
	writer_u64(&writer, seq);
	return key_of_writer(&key, &writer);
}

struct key key_id_number(const struct id *id, uint64_t number)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_bytes(&writer, id->bytes, ID_BYTES);
	writer_u64(&writer, number);
	return key_of_writer(&key, &writer);
}

struct key key_pair(const struct id *id, const struct id *other)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_bytes(&writer, id->bytes, ID_BYTES);
	writer_bytes(&writer, other->bytes, ID_BYTES);
	return key_of_writer(&key, &writer);
}

struct key key_link(uint64_t intent_number, uint8_t kind, const struct id *id)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u64(&writer, intent_number);
	writer_u8(&writer, kind);
	writer_bytes(&writer, id->bytes, ID_BYTES);
	return key_of_writer(&key, &writer);
}

struct key key_voucher(uint32_t day, const uint8_t *id, size_t id_bytes)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u32(&writer, day);
	writer_bytes(&writer, id, id_bytes);
	return key_of_writer(&key, &writer);
}

struct key key_cell(const struct cell_place *place)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u64(&writer, place->arrival);
	writer_u64(&writer, place->box);
	writer_u64(&writer, place->number);
	writer_bytes(&writer, place->head, CELL_HEAD_BYTES);
	return key_of_writer(&key, &writer);
}

struct key key_timer(uint64_t at_ms, uint8_t kind, const struct id *id)
{
	struct key key;
	struct writer writer;
	writer_init(&writer, key.bytes, sizeof(key.bytes));
	writer_u64(&writer, at_ms);
	writer_u8(&writer, kind);
	writer_bytes(&writer, id->bytes, ID_BYTES);
	return key_of_writer(&key, &writer);
}

bool bytes_start_with(struct bytes bytes, const void *prefix, size_t count)
{
	return bytes.count >= count && memcmp(bytes.at, prefix, count) == 0;
}
