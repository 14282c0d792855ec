// Log lines. JSON is written by hand here and nowhere else, because base needs nothing but libc: one flat object of
// strings and whole numbers, every string escaped byte by byte, invalid UTF-8 replaced.
#include "log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_BYTES = 2048 };

struct line {
	char bytes[LINE_BYTES];
	size_t count, limit; // the limit leaves room for the end of the object
	bool full;
};

static _Atomic int level_min = LOG_INFO;

void log_set_level(enum log_level level)
{
	level_min = (int)level;
}

static void line_add(struct line *line, const char *bytes, size_t count)
{
	if (line->full || count > line->limit - line->count) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->count, bytes, count);
	line->count += count;
}

// Bytes of the UTF-8 sequence at `at`, 0 if it is none (too short, overlong, a surrogate, beyond U+10FFFF).
static size_t utf8_count(const unsigned char *at)
{
	size_t count = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : 4;
	if (at[0] >= 0x80 && (at[0] < 0xc2 || at[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return count;
}

static void line_add_string(struct line *line, const char *text)
{
	line_add(line, "\"", 1);
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t count = utf8_count(at);
		if (count == 0) {
			line_add(line, "\\ufffd", 6);
			at++;
		} else if (*at < 0x20 || *at == 0x7f || *at == '"' || *at == '\\') {
			char escaped[8];
			line_add(line, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", *at++));
		} else {
			line_add(line, (const char *)at, count);
			at += count;
		}
	}
	line_add(line, "\"", 1);
}

// Adds the whole member or nothing.
static void line_add_member(struct line *line, const char *name, const char *text, int64_t number)
{
	size_t before = line->count;
	line_add(line, before > 1 ? "," : "", before > 1);
	line_add_string(line, name);
	line_add(line, ":", 1);
	if (text) {
		line_add_string(line, text);
	} else {
		char digits[24];
		line_add(line, digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)number));
	}
	if (line->full)
		line->count = before;
}

static void format_time(char out[32])
{
	uint64_t now_ms = clock_now_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	char whole[24] = "";
	if (gmtime_r(&seconds, &utc))
		strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, 32, "%s.%03uZ", whole, (unsigned)(now_ms % 1000));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	static const char cut[] = ",\"cut\":1";
	if ((int)level < level_min)
		return;
	char at[32];
	format_time(at);
	struct line line = {.limit = LINE_BYTES - sizeof(cut) - sizeof("}\n")};
	line_add(&line, "{", 1);
	line_add_member(&line, "at", at, 0);
	line_add_member(&line, "level", names[level], 0);
	line_add_member(&line, "event", event, 0);
	for (; fields->name; fields++)
		line_add_member(&line, fields->name, fields->text, fields->number);
	bool was_cut = line.full;
	line.full = false;
	line.limit = LINE_BYTES;
	if (was_cut)
		line_add(&line, cut, sizeof(cut) - 1);
	line_add(&line, "}\n", 2);
	// One write, so that lines of several threads and processes do not mix; a log that cannot be written is lost.
	ssize_t written = write(STDERR_FILENO, line.bytes, line.count);
	(void)written;
}
