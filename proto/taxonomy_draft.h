// A taxonomy while it is read: nodes in any order, then put into pre-order. The two readers (taxonomy_yaml.c,
// taxonomy_lines.c) add nodes; taxonomy_draft.c checks the whole and makes the immutable form. Internal to proto/.
#ifndef OYEZ_PROTO_TAXONOMY_DRAFT_H
#define OYEZ_PROTO_TAXONOMY_DRAFT_H

#include <stdarg.h>
#include <stdbool.h>

#include "limits.h"
#include "taxonomy.h"

enum { TAXONOMY_ALSO_MAX = 64 };

// All strings of a taxonomy, in blocks that never move.
struct string_pool {
	struct string_block *blocks;
};
// A copy with a zero at its end, NULL without memory.
char *string_pool_add(struct string_pool *pool, const char *text, size_t bytes);
void string_pool_free(struct string_pool *pool);

struct taxonomy_node {
	const char *id, *name;
	const char *name_fr;     // NULL: as the English one
	const char *const *also; // other words for it, NULL at the end; NULL: none
};

// Immutable: pre-order arrays.
struct taxonomy {
	struct tree tree;
	uint32_t *parent, *last;
	uint8_t *depth, *flags;
	struct taxonomy_node *nodes;
	uint32_t *places;     // by the hash of the id: node number + 1, 0 is free
	uint32_t place_count; // a power of two
	struct string_pool strings;
	void **also_lists; // what `also` points to, to be freed
	size_t also_list_count;
};

// Fills `places`, which are free, from the nodes.
void taxonomy_place(struct taxonomy *taxonomy);

struct draft_node {
	struct taxonomy_node node;
	uint32_t parent; // place in the draft, TREE_NONE for top nodes
	size_t line;     // counted from 1
	uint8_t flags;
};

struct taxonomy_draft {
	struct draft_node *nodes;
	size_t count, room;
	struct string_pool strings;
	void **also_lists;
	size_t also_list_count, also_list_room;
	char *error; // may be NULL
	size_t error_bytes;
};

// Writes "line N: ..." into the draft's error text and returns `err`.
enum err draft_fail(struct taxonomy_draft *draft, enum err err, size_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Checks id and name and adds a node; *out points to it until the next is added.
enum err draft_add(struct taxonomy_draft *draft, size_t line, const char *id, size_t id_bytes, const char *name,
                   size_t name_bytes, struct draft_node **out);
enum err draft_check_name(struct taxonomy_draft *draft, size_t line, const char *name, size_t bytes);
// Hands a list that a node's `also` points to over to the draft.
enum err draft_keep_list(struct taxonomy_draft *draft, const char **list);
// Puts the nodes in order; takes strings and lists over. The draft stays to be freed.
enum err draft_finish(struct taxonomy_draft *draft, struct taxonomy **out);
void draft_free(struct taxonomy_draft *draft);

enum err taxonomy_read_yaml(struct taxonomy_draft *draft, const char *bytes, size_t count);
// Does the first line that says something have the form `id - A > B` or `id : A > B`?
bool taxonomy_is_lines(const char *bytes, size_t count);
enum err taxonomy_read_lines(struct taxonomy_draft *draft, const char *bytes, size_t count);

#endif
