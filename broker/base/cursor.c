// Bounded reading and writing, big-endian. Not a format: who writes decides what the bytes mean.
#include "cursor.h"

#include <endian.h>
#include <string.h>

void reader_init(struct reader *reader, const void *bytes, size_t count)
{
	reader->at = bytes;
	reader->end = count > 0 ? reader->at + count : reader->at;
	reader->failed = false;
}

const uint8_t *reader_view(struct reader *reader, size_t count)
{
	if (reader->failed || count > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return NULL;
	}
	const uint8_t *view = reader->at;
	if (count > 0)
		reader->at += count;
	return view;
}

// Zeros when they are not there.
static void reader_number(struct reader *reader, void *out, size_t count)
{
	const uint8_t *bytes = reader_view(reader, count);
	if (bytes)
		memcpy(out, bytes, count);
}

uint8_t reader_u8(struct reader *reader)
{
	uint8_t value = 0;
	reader_number(reader, &value, sizeof value);
	return value;
}

uint16_t reader_u16(struct reader *reader)
{
	uint16_t value = 0;
	reader_number(reader, &value, sizeof value);
	return be16toh(value);
}

uint32_t reader_u32(struct reader *reader)
{
	uint32_t value = 0;
	reader_number(reader, &value, sizeof value);
	return be32toh(value);
}

uint64_t reader_u64(struct reader *reader)
{
	uint64_t value = 0;
	reader_number(reader, &value, sizeof value);
	return be64toh(value);
}

void reader_bytes(struct reader *reader, void *out, size_t count)
{
	if (count == 0)
		return;
	const uint8_t *bytes = reader_view(reader, count);
	if (bytes)
		memcpy(out, bytes, count);
	else
		memset(out, 0, count);
}

size_t reader_left(const struct reader *reader)
{
	return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

void writer_init(struct writer *writer, void *buffer, size_t count)
{
	writer->start = writer->at = buffer;
	writer->end = count > 0 ? writer->start + count : writer->start;
	writer->failed = false;
}

void writer_bytes(struct writer *writer, const void *bytes, size_t count)
{
	if (writer->failed || count > (size_t)(writer->end - writer->at)) {
		writer->failed = true;
		return;
	}
	if (count > 0) {
		memcpy(writer->at, bytes, count);
		writer->at += count;
	}
}

void writer_u8(struct writer *writer, uint8_t value)
{
	writer_bytes(writer, &value, sizeof value);
}

void writer_u16(struct writer *writer, uint16_t value)
{
	value = htobe16(value);
	writer_bytes(writer, &value, sizeof value);
}

void writer_u32(struct writer *writer, uint32_t value)
{
	value = htobe32(value);
	writer_bytes(writer, &value, sizeof value);
}

void writer_u64(struct writer *writer, uint64_t value)
{
	value = htobe64(value);
	writer_bytes(writer, &value, sizeof value);
}

size_t writer_count(const struct writer *writer)
{
	return (size_t)(writer->at - writer->start);
}
