// The sample bots' files, compiled in by embed.py.
#ifndef OYEZ_BOT_SAMPLE_H
#define OYEZ_BOT_SAMPLE_H

#include <stddef.h>

struct bot_sample {
	const char *name; // NULL ends the list
	const unsigned char *bytes;
	size_t count;
};
extern const struct bot_sample bot_samples[];

#endif
