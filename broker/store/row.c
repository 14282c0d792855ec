// Fields of rows, to bytes and back. Not a schema: a changed layout is a new version byte and code that knows both.
#include "row.h"

#include <assert.h>

void row_u8(struct row *row, uint8_t *value)
{
	if (row->reading)
		*value = reader_u8(&row->reader);
	else
		writer_u8(&row->writer, *value);
}

void row_u16(struct row *row, uint16_t *value)
{
	if (row->reading)
		*value = reader_u16(&row->reader);
	else
		writer_u16(&row->writer, *value);
}

void row_u32(struct row *row, uint32_t *value)
{
	if (row->reading)
		*value = reader_u32(&row->reader);
	else
		writer_u32(&row->writer, *value);
}

void row_u64(struct row *row, uint64_t *value)
{
	if (row->reading)
		*value = reader_u64(&row->reader);
	else
		writer_u64(&row->writer, *value);
}

void row_i64(struct row *row, int64_t *value)
{
	uint64_t bits = (uint64_t)*value;
	row_u64(row, &bits);
	*value = (int64_t)bits;
}

void row_raw(struct row *row, void *bytes, size_t count)
{
	if (row->reading)
		reader_bytes(&row->reader, bytes, count);
	else
		writer_bytes(&row->writer, bytes, count);
}

void row_id(struct row *row, struct id *id)
{
	row_raw(row, id->bytes, ID_BYTES);
}

void row_bytes(struct row *row, struct bytes *bytes)
{
	uint32_t count = row->reading ? 0 : (uint32_t)bytes->count;
	row_u32(row, &count);
	if (row->reading) {
		bytes->at = reader_view(&row->reader, count);
		bytes->count = bytes->at ? count : 0;
	} else {
		writer_bytes(&row->writer, bytes->at, count);
	}
}

struct bytes row_write(void *buffer, size_t room, uint8_t version, row_fields *fields, void *value)
{
	struct row row = {.reading = false};
	writer_init(&row.writer, buffer, room);
	writer_u8(&row.writer, version);
	fields(&row, value);
	assert(!row.writer.failed);
	return (struct bytes){buffer, writer_count(&row.writer)};
}

bool row_read(struct bytes bytes, uint8_t version, row_fields *fields, void *value)
{
	struct row row = {.reading = true};
	reader_init(&row.reader, bytes.at, bytes.count);
	if (reader_u8(&row.reader) != version)
		return false;
	fields(&row, value);
	return !row.reader.failed && reader_left(&row.reader) == 0;
}
