// Reads taxonomies of lines: `17 - Animals > Cats > Cat Food` (Google), `gid://... : Animals > Cats` (Shopify).
// A node's place is its path; the parent is the node whose path is all but the last part, on whatever line.
#include <stdlib.h>
#include <string.h>

#include "suggest.h"
#include "taxonomy_draft.h"

// One line taken apart; nothing is copied.
struct line_parts {
	const char *id, *path;
	size_t id_bytes, path_bytes;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void trim(const char **text, size_t *bytes)
{
	while (*bytes > 0 && is_blank(**text))
		(*text)++, (*bytes)--;
	while (*bytes > 0 && is_blank((*text)[*bytes - 1]))
		(*bytes)--;
}

// False if the (trimmed) line has another form.
static bool line_split(const char *line, size_t bytes, struct line_parts *out)
{
	size_t at = 0;
	while (at < bytes && !is_blank(line[at]))
		at++;
	*out = (struct line_parts){.id = line, .id_bytes = at};
	while (at < bytes && is_blank(line[at]))
		at++;
	if (at == out->id_bytes || at + 1 >= bytes || (line[at] != '-' && line[at] != ':') || !is_blank(line[at + 1]))
		return false;
	out->path = line + at + 1;
	out->path_bytes = bytes - at - 1;
	trim(&out->path, &out->path_bytes);
	// "- - x" is a YAML list.
	return !(out->id_bytes == 1 && *out->id == '-') && out->path_bytes > 0;
}

// The next line without its end and surrounding blanks; false at the end.
static bool line_next(const char **at, const char *end, const char **line, size_t *bytes)
{
	if (*at >= end)
		return false;
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));
	*line = *at;
	*bytes = (size_t)((stop ? stop : end) - *at);
	*at = stop ? stop + 1 : end;
	trim(line, bytes);
	return true;
}

bool taxonomy_is_lines(const char *bytes, size_t count)
{
	const char *at = bytes, *line;
	size_t line_bytes;
	struct line_parts parts;
	while (line_next(&at, bytes + count, &line, &line_bytes))
		if (line_bytes > 0 && *line != '#')
			return line_split(line, line_bytes, &parts);
	return false;
}

// Puts the path into its one form, "A > B > C", and finds where its last part begins.
static enum err path_normalise(struct taxonomy_draft *draft, size_t line, const struct line_parts *parts, char *out,
                               size_t *out_bytes, size_t *last_start)
{
	const char *at = parts->path, *end = parts->path + parts->path_bytes;
	unsigned depth = 0;
	*out_bytes = 0;
	while (true) {
		const char *stop = memchr(at, '>', (size_t)(end - at));
		const char *part = at;
		size_t part_bytes = (size_t)((stop ? stop : end) - at);
		trim(&part, &part_bytes);
		enum err err = draft_check_name(draft, line, part, part_bytes);
		if (err)
			return err;
		if (++depth > TAXONOMY_DEPTH_MAX)
			return draft_fail(draft, ERR_BAD_VALUE, line, "deeper than %d levels", TAXONOMY_DEPTH_MAX);
		if (depth > 1) {
			memcpy(out + *out_bytes, " > ", 3);
			*out_bytes += 3;
		}
		*last_start = *out_bytes;
		memcpy(out + *out_bytes, part, part_bytes);
		*out_bytes += part_bytes;
		if (!stop)
			return ERR_OK;
		at = stop + 1;
	}
}

// Lines have no flags; a name that holds one of these words makes the node sensitive (and what is below it).
static bool is_sensitive_name(const char *name)
{
	static const char *const words[] = {
	    "health",    "healthcare", "medical", "medicine",    "medicines", "medication", "pharmacy",
	    "erotic",    "erotica",    "mature",  "sexual",      "sex",       "religious",  "religion",
	    "political", "politics",   "sante",   "medicaments", "religieux", "politique",  "sexualite",
	};
	struct folded folded;
	if (!text_fold(&folded, name, strlen(name)))
		return false;
	for (size_t i = 0; i < folded.word_count; i++)
		for (size_t j = 0; j < sizeof words / sizeof *words; j++)
			if (strlen(words[j]) == folded.words[i].bytes &&
			    memcmp(words[j], folded.text + folded.words[i].start, folded.words[i].bytes) == 0)
				return true;
	return false;
}

// A node's path and where its parent's path ends (0 for top nodes).
struct line_path {
	const char *path;
	size_t parent_bytes;
	uint32_t node;
};
struct line_paths {
	struct line_path *items;
	size_t count, room;
};

static enum err paths_add(struct taxonomy_draft *draft, struct line_paths *paths, const char *path, size_t bytes,
                          size_t parent_bytes)
{
	if (paths->count == paths->room) {
		size_t room = paths->room ? 2 * paths->room : 512;
		struct line_path *items = realloc(paths->items, room * sizeof *items);
		if (!items)
			return ERR_NO_MEMORY;
		paths->items = items;
		paths->room = room;
	}
	const char *copy = string_pool_add(&draft->strings, path, bytes);
	if (!copy)
		return ERR_NO_MEMORY;
	paths->items[paths->count++] = (struct line_path){copy, parent_bytes, (uint32_t)(draft->count - 1)};
	return ERR_OK;
}

static enum err read_line(struct taxonomy_draft *draft, struct line_paths *paths, size_t number, const char *line,
                          size_t bytes)
{
	struct line_parts parts;
	if (!line_split(line, bytes, &parts))
		return draft_fail(draft, ERR_BAD_VALUE, number, "this is not `id - A > B` nor `id : A > B`");
	char path[TAXONOMY_DEPTH_MAX * (NAME_BYTES_MAX + 3)];
	size_t path_bytes = 0, last_start = 0;
	enum err err = path_normalise(draft, number, &parts, path, &path_bytes, &last_start);
	if (err)
		return err;
	struct draft_node *node;
	err = draft_add(draft, number, parts.id, parts.id_bytes, path + last_start, path_bytes - last_start, &node);
	if (err)
		return err;
	if (is_sensitive_name(node->node.name))
		node->flags |= TREE_SENSITIVE;
	return paths_add(draft, paths, path, path_bytes, last_start ? last_start - 3 : 0);
}

static int compare_paths(const void *a, const void *b)
{
	const struct line_path *left = a, *right = b;
	int order = strcmp(left->path, right->path);
	return order ? order : left->node < right->node ? -1 : left->node > right->node;
}

static const struct line_path *paths_find(const struct line_paths *paths, const char *path, size_t bytes)
{
	size_t low = 0, high = paths->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *there = paths->items[middle].path;
		int order = strncmp(there, path, bytes);
		if (order == 0 && there[bytes] == '\0')
			return &paths->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static enum err find_parents(struct taxonomy_draft *draft, struct line_paths *paths)
{
	if (paths->count > 0)
		qsort(paths->items, paths->count, sizeof *paths->items, compare_paths);
	for (size_t i = 1; i < paths->count; i++) {
		const struct line_path *before = &paths->items[i - 1], *path = &paths->items[i];
		if (strcmp(before->path, path->path) == 0)
			return draft_fail(draft, ERR_BAD_VALUE, draft->nodes[path->node].line, "\"%s\" stands on line %zu already",
			                  path->path, draft->nodes[before->node].line);
	}
	for (size_t i = 0; i < paths->count; i++) {
		const struct line_path *path = &paths->items[i];
		if (path->parent_bytes == 0)
			continue;
		const struct line_path *parent = paths_find(paths, path->path, path->parent_bytes);
		if (!parent)
			return draft_fail(draft, ERR_MISSING_FIELD, draft->nodes[path->node].line,
			                  "the parent \"%.*s\" does not exist", (int)path->parent_bytes, path->path);
		draft->nodes[path->node].parent = parent->node;
	}
	return ERR_OK;
}

enum err taxonomy_read_lines(struct taxonomy_draft *draft, const char *bytes, size_t count)
{
	struct line_paths paths = {0};
	const char *at = bytes, *line;
	size_t line_bytes, number = 0;
	enum err err = ERR_OK;
	while (!err && line_next(&at, bytes + count, &line, &line_bytes)) {
		number++;
		if (line_bytes > 0 && *line != '#')
			err = read_line(draft, &paths, number, line, line_bytes);
	}
	if (!err)
		err = find_parents(draft, &paths);
	free(paths.items);
	return err;
}
