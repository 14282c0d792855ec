// A bounded reader and writer over bytes, big-endian, with a sticky error: check once at the end.
#ifndef OYEZ_BASE_CURSOR_H
#define OYEZ_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *at, *end;
	bool failed; // read past the end once: everything read since is zero
};
void reader_init(struct reader *reader, const void *bytes, size_t count);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
void reader_bytes(struct reader *reader, void *out, size_t count);
// Points into the buffer; NULL when failed.
const uint8_t *reader_view(struct reader *reader, size_t count);
size_t reader_left(const struct reader *reader);

struct writer {
	uint8_t *start, *at, *end;
	bool failed; // did not fit
};
void writer_init(struct writer *writer, void *buffer, size_t count);
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_bytes(struct writer *writer, const void *bytes, size_t count);
size_t writer_count(const struct writer *writer);

#endif
