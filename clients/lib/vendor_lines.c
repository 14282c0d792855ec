// Lines out of a stream of bytes; the bound is told in vendor_lines.h.
#include "clients/lib/vendor_lines.h"

#include <stdlib.h>
#include <string.h>

static void emit(struct lines *lines, lines_each *each, void *context)
{
	if (lines->count > 0 && lines->buffer[lines->count - 1] == '\r')
		lines->count--;
	lines->buffer[lines->count] = '\0';
	each(context, lines->buffer, lines->count, false);
	lines->count = 0;
}

// Bytes of one line, without its newline.
static void take(struct lines *lines, const char *bytes, size_t count, lines_each *each, void *context)
{
	if (lines->skipping)
		return;
	if (lines->count + count <= LINE_BYTES_MAX) {
		memcpy(lines->buffer + lines->count, bytes, count);
		lines->count += count;
		return;
	}
	lines->buffer[lines->count] = '\0';
	each(context, lines->buffer, lines->count, true);
	lines->count = 0;
	lines->skipping = true;
}

void lines_feed(struct lines *lines, const char *bytes, size_t count, lines_each *each, void *context)
{
	if (!lines->buffer && !(lines->buffer = malloc(LINE_BYTES_MAX + 1)))
		abort();
	while (count > 0) {
		const char *newline = memchr(bytes, '\n', count);
		size_t part = newline ? (size_t)(newline - bytes) : count;

		take(lines, bytes, part, each, context);
		if (!newline)
			return;
		if (!lines->skipping)
			emit(lines, each, context);
		lines->skipping = false;
		bytes += part + 1;
		count -= part + 1;
	}
}

void lines_end(struct lines *lines, lines_each *each, void *context)
{
	if (lines->count > 0 && !lines->skipping)
		emit(lines, each, context);
	lines->count = 0;
	lines->skipping = false;
}

void lines_fini(struct lines *lines)
{
	free(lines->buffer);
	memset(lines, 0, sizeof(*lines));
}
