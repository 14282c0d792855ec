#include "paths.h"

#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { DEPTH_MAX = 200 };

void paths_add(struct paths *paths, const char *name)
{
	if (paths->count == paths->room) {
		paths->room = paths->room ? paths->room * 2 : 1024;
		paths->names = realloc(paths->names, paths->room * sizeof *paths->names);
	}
	char *copy = strdup(name);
	if (!paths->names || !copy)
		give_up("no memory");
	paths->names[paths->count++] = copy;
}

// The dot before all other characters, so that a path's children follow it before its siblings do.
static int compare(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	int left = *a == '.' ? 1 : (unsigned char)*a + (*a != 0), right = *b == '.' ? 1 : (unsigned char)*b + (*b != 0);
	return left - right;
}

static int compare_names(const void *a, const void *b)
{
	return compare(*(char *const *)a, *(char *const *)b);
}

static bool is_below(const char *name, const char *above)
{
	size_t length = strlen(above);
	return strncmp(name, above, length) == 0 && name[length] == '.';
}

static void drop_repeated(struct paths *paths)
{
	size_t kept = 0;
	for (size_t i = 0; i < paths->count; i++) {
		if (kept > 0 && strcmp(paths->names[kept - 1], paths->names[i]) == 0)
			free(paths->names[i]);
		else
			paths->names[kept++] = paths->names[i];
	}
	paths->count = kept;
}

void paths_number(struct paths *paths)
{
	if (paths->count == 0)
		give_up("trees.json: a tree without nodes");
	qsort(paths->names, paths->count, sizeof *paths->names, compare_names);
	drop_repeated(paths);
	uint32_t *parent = malloc(paths->count * sizeof *parent), *last = malloc(paths->count * sizeof *last);
	uint8_t *depth = malloc(paths->count), *flags = calloc(paths->count, 1);
	if (!parent || !last || !depth || !flags)
		give_up("no memory");
	for (uint32_t node = 0; node < paths->count; node++) {
		uint32_t up = node ? node - 1 : TREE_NONE;
		while (up != TREE_NONE && !is_below(paths->names[node], paths->names[up]))
			up = parent[up];
		parent[node] = up;
		depth[node] = up == TREE_NONE ? 1 : depth[up] + 1;
		if (depth[node] > DEPTH_MAX)
			give_up("trees.json: \"%s\" is too deep", paths->names[node]);
		for (last[node] = node; up != TREE_NONE; up = parent[up])
			last[up] = node;
	}
	paths->tree = (struct tree){(uint32_t)paths->count, parent, last, depth, flags};
}

// The first name not below this one in order.
static size_t place_of(const struct paths *paths, const char *name)
{
	size_t first = 0, count = paths->count;
	while (count > 0) {
		size_t half = count / 2;
		bool below = compare(paths->names[first + half], name) < 0;
		first = below ? first + half + 1 : first;
		count = below ? count - half - 1 : half;
	}
	return first;
}

uint32_t paths_find(const struct paths *paths, const char *name)
{
	size_t place = place_of(paths, name);
	return place < paths->count && strcmp(paths->names[place], name) == 0 ? (uint32_t)place : TREE_NONE;
}

bool paths_above(const struct paths *paths, const char *name)
{
	size_t place = place_of(paths, name);
	return place < paths->count && is_below(paths->names[place], name);
}

void paths_fini(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->names[i]);
	free(paths->names);
	free((void *)paths->tree.parent);
	free((void *)paths->tree.last);
	free((void *)paths->tree.depth);
	free((void *)paths->tree.flags);
	*paths = (struct paths){0};
}
