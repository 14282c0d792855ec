// Is this UTF-8? Needed in front of everything that prints, stores or compares texts.
#ifndef OYEZ_PROTO_UTF8_H
#define OYEZ_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Well-formed by Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool utf8_valid(const uint8_t *bytes, size_t count);

#endif
