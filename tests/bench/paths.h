// Dotted paths ("c.3.0") as a tree of numbers.
#ifndef OYEZ_TESTS_BENCH_PATHS_H
#define OYEZ_TESTS_BENCH_PATHS_H

#include <stddef.h>

#include "proto/tree.h"

struct paths {
	char **names; // by node; unsorted until paths_number
	size_t count, room;
	struct tree tree; // after paths_number
};

void paths_add(struct paths *paths, const char *name);
// Sorts the names, drops repeated ones and makes the tree.
void paths_number(struct paths *paths);
// TREE_NONE if the path is not one of them.
uint32_t paths_find(const struct paths *paths, const char *name);
// Does one of them lie below the path?
bool paths_above(const struct paths *paths, const char *name);
void paths_fini(struct paths *paths);

#endif
