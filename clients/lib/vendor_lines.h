// Lines out of a stream of bytes, with a bound: what a bot's program writes is not to be trusted with our memory.
#ifndef OYEZ_CLIENT_VENDOR_LINES_H
#define OYEZ_CLIENT_VENDOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_BYTES_MAX = 64 * 1024 }; // without the newline

struct lines {
	char *buffer; // LINE_BYTES_MAX + 1, allocated at first use
	size_t count;
	bool skipping; // the rest of a line that was too long
};

// One whole line, without its newline (and without a carriage return before it), ended by a zero byte.
// `too_long`: the line was longer than the bound; `line` holds its beginning.
typedef void lines_each(void *context, const char *line, size_t bytes, bool too_long);

void lines_feed(struct lines *lines, const char *bytes, size_t count, lines_each *each, void *context);
// The stream ended: an unfinished last line counts as a line.
void lines_end(struct lines *lines, lines_each *each, void *context);
void lines_fini(struct lines *lines); // and starts anew

#endif
