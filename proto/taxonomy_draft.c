// From nodes as they were read to the immutable tree in pre-order.
#include "taxonomy_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

enum { STRING_BLOCK_BYTES = 64 * 1024 };

struct string_block {
	struct string_block *next;
	size_t used;
	char bytes[STRING_BLOCK_BYTES];
};

char *string_pool_add(struct string_pool *pool, const char *text, size_t bytes)
{
	struct string_block *block = pool->blocks;
	if (bytes + 1 > STRING_BLOCK_BYTES)
		return NULL;
	if (!block || block->used + bytes + 1 > STRING_BLOCK_BYTES) {
		block = malloc(sizeof *block);
		if (!block)
			return NULL;
		block->next = pool->blocks;
		block->used = 0;
		pool->blocks = block;
	}
	char *copy = block->bytes + block->used;
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	block->used += bytes + 1;
	return copy;
}

void string_pool_free(struct string_pool *pool)
{
	while (pool->blocks) {
		struct string_block *next = pool->blocks->next;
		free(pool->blocks);
		pool->blocks = next;
	}
}

enum err draft_fail(struct taxonomy_draft *draft, enum err err, size_t line, const char *format, ...)
{
	if (!draft->error || draft->error_bytes == 0)
		return err;
	int used = line ? snprintf(draft->error, draft->error_bytes, "line %zu: ", line) : 0;
	if (used < 0 || (size_t)used >= draft->error_bytes)
		return err;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(draft->error + used, draft->error_bytes - (size_t)used, format, arguments);
	va_end(arguments);
	return err;
}

enum err draft_check_name(struct taxonomy_draft *draft, size_t line, const char *name, size_t bytes)
{
	if (bytes == 0)
		return draft_fail(draft, ERR_MISSING_FIELD, line, "the name is missing");
	enum err err = text_check(name, bytes, NAME_BYTES_MAX);
	if (err == ERR_TOO_LARGE)
		return draft_fail(draft, err, line, "a name is longer than %d bytes", NAME_BYTES_MAX);
	if (err)
		return draft_fail(draft, err, line, "a name is not clean UTF-8");
	return ERR_OK;
}

static enum err check_id(struct taxonomy_draft *draft, size_t line, const char *id, size_t bytes)
{
	if (bytes == 0)
		return draft_fail(draft, ERR_MISSING_FIELD, line, "the id is missing");
	if (bytes > CATEGORY_BYTES_MAX)
		return draft_fail(draft, ERR_TOO_LARGE, line, "the id is longer than %d bytes", CATEGORY_BYTES_MAX);
	for (size_t i = 0; i < bytes; i++)
		if (id[i] <= ' ' || id[i] > '~')
			return draft_fail(draft, ERR_BAD_VALUE, line, "ids are printable ASCII without spaces");
	return ERR_OK;
}

enum err draft_add(struct taxonomy_draft *draft, size_t line, const char *id, size_t id_bytes, const char *name,
                   size_t name_bytes, struct draft_node **out)
{
	enum err err = check_id(draft, line, id, id_bytes);
	if (!err)
		err = draft_check_name(draft, line, name, name_bytes);
	if (err)
		return err;
	if (draft->count == TAXONOMY_NODES_MAX)
		return draft_fail(draft, ERR_TOO_LARGE, line, "more than %d categories", TAXONOMY_NODES_MAX);
	if (draft->count == draft->room) {
		size_t room = draft->room ? 2 * draft->room : 512;
		struct draft_node *nodes = realloc(draft->nodes, room * sizeof *nodes);
		if (!nodes)
			return ERR_NO_MEMORY;
		draft->nodes = nodes;
		draft->room = room;
	}
	struct draft_node *node = &draft->nodes[draft->count];
	*node = (struct draft_node){.parent = TREE_NONE, .line = line};
	node->node.id = string_pool_add(&draft->strings, id, id_bytes);
	node->node.name = string_pool_add(&draft->strings, name, name_bytes);
	if (!node->node.id || !node->node.name)
		return ERR_NO_MEMORY;
	draft->count++;
	*out = node;
	return ERR_OK;
}

enum err draft_keep_list(struct taxonomy_draft *draft, const char **list)
{
	if (draft->also_list_count == draft->also_list_room) {
		size_t room = draft->also_list_room ? 2 * draft->also_list_room : 256;
		void **lists = realloc(draft->also_lists, room * sizeof *lists);
		if (!lists) {
			free(list);
			return ERR_NO_MEMORY;
		}
		draft->also_lists = lists;
		draft->also_list_room = room;
	}
	draft->also_lists[draft->also_list_count++] = list;
	return ERR_OK;
}

void draft_free(struct taxonomy_draft *draft)
{
	for (size_t i = 0; i < draft->also_list_count; i++)
		free(draft->also_lists[i]);
	free(draft->also_lists);
	free(draft->nodes);
	string_pool_free(&draft->strings);
}

static bool taxonomy_allocate(struct taxonomy *taxonomy, size_t count)
{
	taxonomy->parent = calloc(count, sizeof *taxonomy->parent);
	taxonomy->last = calloc(count, sizeof *taxonomy->last);
	taxonomy->depth = calloc(count, sizeof *taxonomy->depth);
	taxonomy->flags = calloc(count, sizeof *taxonomy->flags);
	taxonomy->nodes = calloc(count, sizeof *taxonomy->nodes);
	for (taxonomy->place_count = 1; taxonomy->place_count <= 2 * count;)
		taxonomy->place_count *= 2;
	taxonomy->places = calloc(taxonomy->place_count, sizeof *taxonomy->places);
	taxonomy->tree = (struct tree){
	    .parent = taxonomy->parent, .last = taxonomy->last, .depth = taxonomy->depth, .flags = taxonomy->flags};
	return taxonomy->parent && taxonomy->last && taxonomy->depth && taxonomy->flags && taxonomy->nodes &&
	       taxonomy->places;
}

// The children of each node in the order they were read, as linked lists.
struct children {
	uint32_t *first, *next;
};

static void place(struct taxonomy_draft *draft, const struct children *children, struct taxonomy *taxonomy,
                  uint32_t from, uint32_t parent, unsigned depth)
{
	uint32_t number = taxonomy->tree.count++;
	const struct draft_node *node = &draft->nodes[from];
	taxonomy->nodes[number] = node->node;
	taxonomy->parent[number] = parent;
	taxonomy->depth[number] = (uint8_t)depth;
	taxonomy->flags[number] = node->flags | (parent == TREE_NONE ? 0 : taxonomy->flags[parent]);
	for (uint32_t child = children->first[from]; child != TREE_NONE; child = children->next[child])
		place(draft, children, taxonomy, child, number, depth + 1);
	taxonomy->last[number] = taxonomy->tree.count - 1;
}

static enum err check_depths(struct taxonomy_draft *draft)
{
	for (size_t i = 0; i < draft->count; i++) {
		unsigned depth = 1;
		for (uint32_t at = draft->nodes[i].parent; at != TREE_NONE; at = draft->nodes[at].parent)
			if (++depth > TAXONOMY_DEPTH_MAX)
				return draft_fail(draft, ERR_BAD_VALUE, draft->nodes[i].line, "deeper than %d levels",
				                  TAXONOMY_DEPTH_MAX);
	}
	return ERR_OK;
}

static enum err place_all(struct taxonomy_draft *draft, struct taxonomy *taxonomy)
{
	struct children children = {.first = malloc(draft->count * sizeof(uint32_t)),
	                            .next = malloc(draft->count * sizeof(uint32_t))};
	enum err err = ERR_NO_MEMORY;
	if (!children.first || !children.next)
		goto out;
	uint32_t top = TREE_NONE;
	memset(children.first, 0xff, draft->count * sizeof(uint32_t));
	for (size_t i = draft->count; i-- > 0;) {
		uint32_t parent = draft->nodes[i].parent;
		uint32_t *first = parent == TREE_NONE ? &top : &children.first[parent];
		children.next[i] = *first;
		*first = (uint32_t)i;
	}
	for (; top != TREE_NONE; top = children.next[top])
		place(draft, &children, taxonomy, top, TREE_NONE, 1);
	err = ERR_OK;
out:
	free(children.first);
	free(children.next);
	return err;
}

static int compare_draft_ids(const void *a, const void *b)
{
	const struct draft_node *const *left = a, *const *right = b;
	int order = strcmp((*left)->node.id, (*right)->node.id);
	return order ? order : (*left)->line < (*right)->line ? -1 : (*left)->line > (*right)->line;
}

static enum err check_ids_differ(struct taxonomy_draft *draft)
{
	const struct draft_node **sorted = malloc(draft->count * sizeof *sorted);
	if (!sorted)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < draft->count; i++)
		sorted[i] = &draft->nodes[i];
	qsort(sorted, draft->count, sizeof *sorted, compare_draft_ids);
	enum err err = ERR_OK;
	for (size_t i = 1; i < draft->count && !err; i++)
		if (strcmp(sorted[i - 1]->node.id, sorted[i]->node.id) == 0)
			err = draft_fail(draft, ERR_BAD_VALUE, sorted[i]->line, "the id %s stands on line %zu already",
			                 sorted[i]->node.id, sorted[i - 1]->line);
	free(sorted);
	return err;
}

enum err draft_finish(struct taxonomy_draft *draft, struct taxonomy **out)
{
	if (draft->count == 0)
		return draft_fail(draft, ERR_MISSING_FIELD, 0, "there are no categories in it");
	enum err err = check_depths(draft);
	if (!err)
		err = check_ids_differ(draft);
	if (err)
		return err;
	struct taxonomy *taxonomy = calloc(1, sizeof *taxonomy);
	if (!taxonomy)
		return ERR_NO_MEMORY;
	if (!taxonomy_allocate(taxonomy, draft->count) || place_all(draft, taxonomy)) {
		taxonomy_free(taxonomy);
		return ERR_NO_MEMORY;
	}
	taxonomy_place(taxonomy);
	taxonomy->strings = draft->strings;
	taxonomy->also_lists = draft->also_lists;
	taxonomy->also_list_count = draft->also_list_count;
	draft->strings = (struct string_pool){0};
	draft->also_lists = NULL;
	draft->also_list_count = draft->also_list_room = 0;
	*out = taxonomy;
	return ERR_OK;
}
