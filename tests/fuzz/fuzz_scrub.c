// Any bytes may be given to the scrub. Finds must be in order, apart from each other and inside the text; on UTF-8 they
// must not cut a character; a masked text must come out whole and hold no find twice.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/scrub.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES_MAX = 8192 };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > TEXT_BYTES_MAX)
		size = TEXT_BYTES_MAX;
	struct scrub_finds finds;
	expect(scrub_text((const char *)data, size, &finds) == ERR_OK);
	bool clean = utf8_valid(data, size) && !memchr(data, 0, size);
	size_t end = 0;
	for (size_t i = 0; i < finds.count; i++) {
		const struct scrub_find *find = &finds.items[i];
		expect(find->bytes > 0 && find->at >= end && find->at + find->bytes <= size && find->kind && find->rule);
		end = find->at + find->bytes;
		if (clean) {
			expect((data[find->at] & 0xc0) != 0x80);
			expect(end == size || (data[end] & 0xc0) != 0x80);
		}
	}
	if (clean) {
		char *text = malloc(size + 1);
		expect(text != NULL);
		memcpy(text, data, size);
		text[size] = 0;
		char *masked = scrub_mask(text, &finds, size % 2);
		expect(masked && utf8_valid((const uint8_t *)masked, strlen(masked)));
		free(masked);
		free(text);
	}
	scrub_finds_free(&finds);
	return 0;
}
