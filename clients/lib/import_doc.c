// The tree that both formats are read into: adding, looking up, naming paths.
#include "clients/lib/import_doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/lib/import.h"
#include "clients/lib/import_text.h"

enum err import_fail(struct oyez_error *error, enum err err, const char *format, ...)
{
	if (error) {
		va_list arguments;
		va_start(arguments, format);
		error->code = err;
		vsnprintf(error->detail, sizeof error->detail, format, arguments);
		va_end(arguments);
	}
	return err;
}

// Names come from the file: one that is not a plain word is not repeated in paths.
static bool name_is_plain(const char *name)
{
	size_t bytes = strlen(name);
	const char *word = name[0] == '@' ? name + 1 : name;
	if (bytes == 0 || bytes > 64 || text_contact_kind(word))
		return false;
	for (; *word; word++)
		if (!((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') || (*word >= '0' && *word <= '9') ||
		      strchr("_-:.[]", *word)))
			return false;
	return true;
}

// XPath counts elements of one name, and only where there are several. Mostly the one before is the twin.
static void count_twins(struct import_node *parent, struct import_node *node)
{
	struct import_node *twin = parent->last;
	if (twin && strcmp(twin->name, node->name) != 0) {
		twin = NULL;
		for (struct import_node *at = parent->first; at; at = at->next)
			if (strcmp(at->name, node->name) == 0)
				twin = at;
	}
	if (twin) {
		twin->indexed = node->indexed = true;
		node->index = twin->index + 1;
	}
}

struct import_node *doc_add(struct import_doc *doc, struct import_node *parent, const char *name, const char *key)
{
	if (doc->count++ == IMPORT_NODES_MAX)
		return NULL;
	struct import_node *node = arena_alloc(&doc->arena, sizeof *node);
	node->name = name_is_plain(name) ? arena_copy(&doc->arena, name, strlen(name) + 1) : "?";
	node->key = key ? arena_copy(&doc->arena, key, strlen(key) + 1) : "";
	node->parent = parent;
	if (!parent) {
		doc->root = node;
		return node;
	}
	if (doc->xml)
		count_twins(parent, node);
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

void doc_set_text(struct import_doc *doc, struct import_node *node, const char *text, size_t bytes)
{
	while (bytes > 0 && is_blank(*text))
		text++, bytes--;
	while (bytes > 0 && is_blank(text[bytes - 1]))
		bytes--;
	if (bytes == 0)
		return;
	char *copy = arena_alloc(&doc->arena, bytes + 1);
	memcpy(copy, text, bytes);
	node->text = copy;
}

const char *doc_path(struct import_doc *doc, const struct import_node *node)
{
	const struct import_node *line[IMPORT_DEPTH_MAX + 2];
	size_t count = 0, bytes = 2;
	for (; node && count < IMPORT_DEPTH_MAX + 2; node = node->parent) {
		line[count++] = node;
		bytes += strlen(node->name) + 16;
	}
	char *out = arena_alloc(&doc->arena, bytes), *at = out;
	if (!doc->xml)
		*at++ = '$';
	while (count-- > 0) {
		const struct import_node *step = line[count];
		if (doc->xml)
			at += sprintf(at, "/%s", step->name);
		else if (step->parent && strcmp(step->name, "[]") != 0)
			at += sprintf(at, ".%s", step->name);
		if (step->indexed)
			at += sprintf(at, "[%zu]", step->index + doc->xml); // XPath counts from 1
	}
	return out;
}

struct import_node *node_child(struct import_node *node, const char *key)
{
	struct import_node *child = node ? node->first : NULL;
	while (child && strcmp(child->key, key) != 0)
		child = child->next;
	return child;
}

struct import_node *node_again(struct import_node *node)
{
	struct import_node *next = node ? node->next : NULL;
	while (next && strcmp(next->key, node->key) != 0)
		next = next->next;
	return next;
}

struct import_node *node_at(struct import_node *node, const char *path)
{
	char key[64];
	size_t bytes = strcspn(path, "/");
	if (bytes >= sizeof key)
		return NULL;
	memcpy(key, path, bytes);
	key[bytes] = '\0';
	for (struct import_node *child = node_child(node, key); child; child = node_again(child)) {
		struct import_node *found = path[bytes] ? node_at(child, path + bytes + 1) : child;
		if (found)
			return found;
	}
	return NULL;
}

struct import_node *node_value(struct import_node *node)
{
	if (!node || node->text)
		return node;
	struct import_node *value = node_child(node, "@value");
	return value && value->text ? value : NULL;
}

struct import_node *node_walk(struct import_node *top, struct import_node *node)
{
	if (node->first)
		return node->first;
	while (node != top && !node->next)
		node = node->parent;
	return node == top ? NULL : node->next;
}

struct import_node *node_search(struct import_node *top, struct import_node *from, const char *key)
{
	struct import_node *node = from ? node_walk(top, from) : top;
	while (node && strcmp(node->key, key) != 0)
		node = node_walk(top, node);
	return node;
}

bool node_text_is(struct import_node *node, const char *text)
{
	return node && node->text && strcmp(node->text, text) == 0;
}
