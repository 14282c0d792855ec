// How functions of liboyez say what went wrong: they return the code, and fill this when given.
#ifndef OYEZ_CLIENT_ERROR_H
#define OYEZ_CLIENT_ERROR_H

#include "proto/err.h"

// An error with its detail for people and --json.
struct oyez_error {
	enum err code;
	char detail[256];
};

#endif
