// Bounded reading and writing, big-endian. Not a format: who writes decides what the bytes mean.
#include "cursor.h"

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

static uint64_t reader_number(struct reader *reader, size_t count)
{
	const uint8_t *bytes = reader_view(reader, count);
	uint64_t value = 0;
	for (size_t i = 0; bytes && i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t reader_u8(struct reader *reader)
{
	return (uint8_t)reader_number(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
	return (uint16_t)reader_number(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
	return (uint32_t)reader_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
	return reader_number(reader, 8);
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

static void writer_number(struct writer *writer, uint64_t value, size_t count)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> 8 * (count - 1 - i));
	writer_bytes(writer, bytes, count);
}

void writer_u8(struct writer *writer, uint8_t value)
{
	writer_number(writer, value, 1);
}

void writer_u16(struct writer *writer, uint16_t value)
{
	writer_number(writer, value, 2);
}

void writer_u32(struct writer *writer, uint32_t value)
{
	writer_number(writer, value, 4);
}

void writer_u64(struct writer *writer, uint64_t value)
{
	writer_number(writer, value, 8);
}

size_t writer_count(const struct writer *writer)
{
	return (size_t)(writer->at - writer->start);
}
