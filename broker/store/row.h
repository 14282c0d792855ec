// Rows as bytes: one function per kind of row lists its fields in order, and serves for writing and reading both.
// Big-endian, without padding, after one version byte. README.md has an example of each in hex.
//
//   static void thing_fields(struct row *row, void *value)
//   {
//   	struct thing *thing = value;
//   	row_u32(row, &thing->size);
//   }
#ifndef OYEZ_STORE_ROW_H
#define OYEZ_STORE_ROW_H

#include "broker/base/cursor.h"
#include "store.h"

struct row {
	bool reading;
	struct reader reader;
	struct writer writer;
};
typedef void row_fields(struct row *row, void *value);

void row_u8(struct row *row, uint8_t *value);
void row_u16(struct row *row, uint16_t *value);
void row_u32(struct row *row, uint32_t *value);
void row_u64(struct row *row, uint64_t *value);
void row_i64(struct row *row, int64_t *value);
void row_raw(struct row *row, void *bytes, size_t count);
void row_id(struct row *row, struct id *id);
// A u32 count and the bytes. Read, they are a view of the row.
void row_bytes(struct row *row, struct bytes *bytes);

// Into `buffer`. The fields must fit: who gives the buffer knows how large they are.
struct bytes row_write(void *buffer, size_t room, uint8_t version, row_fields *fields, void *value);
// False unless the version is this one and the fields end where the bytes do.
bool row_read(struct bytes bytes, uint8_t version, row_fields *fields, void *value);

#endif
