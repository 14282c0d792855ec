// Stores for tests: a directory that goes away, both back ends behind one door, bytes to compare by number.
#ifndef OYEZ_TESTS_SUPPORT_STORE_H
#define OYEZ_TESTS_SUPPORT_STORE_H

#include "broker/store/store.h"

// A new empty directory under TMPDIR or /tmp; fails the test if there is none to be had.
void support_directory_new(char path[128]);
// Removes it with its files (no directories within).
void support_directory_remove(const char *path);

// A store on disk or in memory that can be cut off and opened again.
struct support_store {
	bool in_memory;
	char directory[128];
	struct store *store;
};
void support_store_open(struct support_store *support, bool in_memory);
// As after a power cut between transactions, or within one: what was not committed is gone.
void support_store_reopen(struct support_store *support);
void support_store_close(struct support_store *support);

// The same number always gives the same bytes (or the same id).
void support_bytes(uint64_t number, uint8_t *out, size_t count);
struct id support_id(uint64_t number);
// An intent with every field set to something of its own.
struct intent support_intent(uint64_t number);

#endif
