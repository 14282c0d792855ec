// The byte cursor: what was written is read back, and no read or write leaves its bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/cursor.h"

static void numbers_are_big_endian(void **state)
{
	(void)state;
	uint8_t buffer[20];
	struct writer writer;
	writer_init(&writer, buffer, sizeof(buffer));
	writer_u8(&writer, 0x01);
	writer_u16(&writer, 0x0203);
	writer_u32(&writer, 0x04050607);
	writer_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
	writer_bytes(&writer, "\x10\x11\x12\x13\x14", 5);
	assert_false(writer.failed);
	assert_int_equal(writer_count(&writer), 20);
	for (size_t i = 0; i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], i + 1);

	struct reader reader;
	reader_init(&reader, buffer, sizeof(buffer));
	assert_int_equal(reader_u8(&reader), 0x01);
	assert_int_equal(reader_u16(&reader), 0x0203);
	assert_int_equal(reader_u32(&reader), 0x04050607);
	assert_int_equal(reader_u64(&reader), UINT64_C(0x08090a0b0c0d0e0f));
	uint8_t out[2];
	reader_bytes(&reader, out, 2);
	assert_memory_equal(out, "\x10\x11", 2);
	assert_ptr_equal(reader_view(&reader, 2), buffer + 17);
	assert_int_equal(reader_left(&reader), 1);
	assert_false(reader.failed);
}

static void reading_too_far_sticks(void **state)
{
	(void)state;
	const uint8_t bytes[3] = {1, 2, 3};
	struct reader reader;
	reader_init(&reader, bytes, sizeof(bytes));
	assert_int_equal(reader_u32(&reader), 0);
	assert_true(reader.failed);
	assert_int_equal(reader_u8(&reader), 0); // a byte is there, but the first error sticks
	assert_null(reader_view(&reader, 0));
	assert_int_equal(reader_left(&reader), 0);
	uint8_t out[4] = {9, 9, 9, 9};
	reader_bytes(&reader, out, 4);
	assert_memory_equal(out, "\0\0\0\0", 4);
	reader_init(&reader, NULL, 0);
	assert_int_equal(reader_u8(&reader), 0);
	assert_true(reader.failed);
	reader_init(&reader, bytes, sizeof(bytes));
	assert_null(reader_view(&reader, SIZE_MAX));
}

static void writing_too_far_sticks(void **state)
{
	(void)state;
	uint8_t buffer[4] = {0, 0, 0, 0xee};
	struct writer writer;
	writer_init(&writer, buffer, 3);
	writer_u16(&writer, 0x0102);
	writer_u16(&writer, 0x0304);
	assert_true(writer.failed);
	writer_u8(&writer, 5); // would fit, but the first error sticks
	assert_int_equal(writer_count(&writer), 2);
	assert_memory_equal(buffer, "\x01\x02\x00\xee", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(reading_too_far_sticks),
	    cmocka_unit_test(writing_too_far_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
