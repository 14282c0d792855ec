// Log lines: JSON on stderr, one object a line. Only fixed event names and numbers or words the broker itself chose
// go in: never texts, facets or ids of intents (invariant 9).
#ifndef OYEZ_BASE_LOG_H
#define OYEZ_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *name; // NULL ends the list
	const char *text; // or
	int64_t number;   // when text is NULL
};
void log_set_level(enum log_level level);
// log_event(LOG_INFO, "ready", LOG_TEXT("listen", url), LOG_NUMBER("tick_ms", 5000));
#define log_event(level, event, ...)                                                                               \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) {0}})
#define LOG_TEXT(name_, text_) {.name = (name_), .text = (text_)}
#define LOG_NUMBER(name_, number_) {.name = (name_), .number = (int64_t)(number_)}
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#endif
