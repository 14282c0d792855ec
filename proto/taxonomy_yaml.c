// Reads our YAML: nested mappings whose keys, joined by dots, are the ids.
//
//   home:
//     en: Home
//     fr: Maison
//     below:
//       kitchen: {en: Kitchen, fr: Cuisine, also: [cooking, cuisiner], sensitive: false}
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "taxonomy_draft.h"

struct yaml_reader {
	struct taxonomy_draft *draft;
	yaml_document_t *document;
};

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static const char *scalar(const yaml_node_t *node, size_t *bytes)
{
	*bytes = node->data.scalar.length;
	return (const char *)node->data.scalar.value;
}

static bool scalar_is(const yaml_node_t *node, const char *word)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(word) &&
	       memcmp(node->data.scalar.value, word, strlen(word)) == 0;
}

// What a node's mapping says; NULL where it does not.
struct yaml_fields {
	yaml_node_t *en, *fr, *also, *sensitive, *below;
};

static enum err read_fields(struct yaml_reader *reader, yaml_node_t *mapping, struct yaml_fields *fields)
{
	const struct {
		const char *name;
		yaml_node_t **field;
		yaml_node_type_t type;
	} known[] = {
	    {"en", &fields->en, YAML_SCALAR_NODE},        {"fr", &fields->fr, YAML_SCALAR_NODE},
	    {"also", &fields->also, YAML_SEQUENCE_NODE},  {"sensitive", &fields->sensitive, YAML_SCALAR_NODE},
	    {"below", &fields->below, YAML_MAPPING_NODE},
	};
	*fields = (struct yaml_fields){0};
	if (mapping->type != YAML_MAPPING_NODE)
		return draft_fail(reader->draft, ERR_BAD_VALUE, line_of(mapping), "a category is a mapping with en, fr, ...");
	yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		size_t i = 0;
		while (i < sizeof known / sizeof *known && !scalar_is(key, known[i].name))
			i++;
		if (i == sizeof known / sizeof *known)
			return draft_fail(reader->draft, ERR_BAD_VALUE, line_of(key),
			                  "only en, fr, also, sensitive and below can stand here");
		if (value->type != known[i].type || *known[i].field)
			return draft_fail(reader->draft, ERR_BAD_VALUE, line_of(value), "%s is of the wrong kind or stands twice",
			                  known[i].name);
		*known[i].field = value;
	}
	if (!fields->en)
		return draft_fail(reader->draft, ERR_MISSING_FIELD, line_of(mapping), "the English name (en) is missing");
	return ERR_OK;
}

static enum err read_also(struct yaml_reader *reader, const yaml_node_t *also, struct taxonomy_node *node)
{
	yaml_node_item_t *item = also->data.sequence.items.start, *top = also->data.sequence.items.top;
	size_t count = (size_t)(top - item);
	if (count > TAXONOMY_ALSO_MAX)
		return draft_fail(reader->draft, ERR_TOO_LARGE, line_of(also), "more than %d other words", TAXONOMY_ALSO_MAX);
	const char **list = calloc(count + 1, sizeof *list);
	if (!list)
		return ERR_NO_MEMORY;
	enum err err = draft_keep_list(reader->draft, list);
	for (size_t i = 0; i < count && !err; i++) {
		yaml_node_t *word = yaml_document_get_node(reader->document, item[i]);
		size_t bytes = 0;
		const char *text = word->type == YAML_SCALAR_NODE ? scalar(word, &bytes) : "";
		err = draft_check_name(reader->draft, line_of(word), text, bytes);
		if (!err && !(list[i] = string_pool_add(&reader->draft->strings, text, bytes)))
			err = ERR_NO_MEMORY;
	}
	if (!err)
		node->also = list;
	return err;
}

static enum err read_details(struct yaml_reader *reader, const struct yaml_fields *fields, struct draft_node *node)
{
	struct taxonomy_draft *draft = reader->draft;
	if (fields->fr) {
		size_t bytes;
		const char *name = scalar(fields->fr, &bytes);
		enum err err = draft_check_name(draft, line_of(fields->fr), name, bytes);
		if (err)
			return err;
		node->node.name_fr = string_pool_add(&draft->strings, name, bytes);
		if (!node->node.name_fr)
			return ERR_NO_MEMORY;
	}
	if (fields->sensitive) {
		if (!scalar_is(fields->sensitive, "true") && !scalar_is(fields->sensitive, "false"))
			return draft_fail(draft, ERR_BAD_VALUE, line_of(fields->sensitive), "sensitive is true or false");
		if (scalar_is(fields->sensitive, "true"))
			node->flags |= TREE_SENSITIVE;
	}
	return fields->also ? read_also(reader, fields->also, &node->node) : ERR_OK;
}

// Aliases may make a document deeper or larger than its file: depth and count of nodes bound the walk.
static enum err read_below(struct yaml_reader *reader, yaml_node_t *mapping, uint32_t parent, unsigned depth)
{
	struct taxonomy_draft *draft = reader->draft;
	if (depth > TAXONOMY_DEPTH_MAX)
		return draft_fail(draft, ERR_BAD_VALUE, line_of(mapping), "deeper than %d levels", TAXONOMY_DEPTH_MAX);
	yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		struct yaml_fields fields;
		enum err err = key->type == YAML_SCALAR_NODE
		                   ? read_fields(reader, value, &fields)
		                   : draft_fail(draft, ERR_BAD_VALUE, line_of(key), "an id is a word");
		if (err)
			return err;
		size_t key_bytes, name_bytes;
		const char *key_text = scalar(key, &key_bytes), *name = scalar(fields.en, &name_bytes);
		const char *above = parent == TREE_NONE ? "" : draft->nodes[parent].node.id;
		char id[CATEGORY_BYTES_MAX + 2]; // one more than allowed, so that too long ids are seen as such
		if (key_bytes > CATEGORY_BYTES_MAX || memchr(key_text, '\0', key_bytes))
			return draft_fail(draft, ERR_TOO_LARGE, line_of(key), "the id is longer than %d bytes", CATEGORY_BYTES_MAX);
		snprintf(id, sizeof id, "%s%s%.*s", above, *above ? "." : "", (int)key_bytes, key_text);
		struct draft_node *node;
		err = draft_add(draft, line_of(key), id, key_bytes ? strlen(id) : 0, name, name_bytes, &node);
		if (err)
			return err;
		node->parent = parent;
		uint32_t number = (uint32_t)(draft->count - 1);
		err = read_details(reader, &fields, node);
		if (!err && fields.below)
			err = read_below(reader, fields.below, number, depth + 1);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err taxonomy_read_yaml(struct taxonomy_draft *draft, const char *bytes, size_t count)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (!yaml_parser_initialize(&parser))
		return ERR_NO_MEMORY;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, count);
	enum err err;
	if (!yaml_parser_load(&parser, &document)) {
		err = parser.error == YAML_MEMORY_ERROR ? ERR_NO_MEMORY
		      : parser.error == YAML_READER_ERROR
		          ? draft_fail(draft, ERR_BAD_UTF8, parser.problem_mark.line + 1, "this is not UTF-8 text")
		          : draft_fail(draft, ERR_BAD_VALUE, parser.problem_mark.line + 1, "this is not YAML: %s",
		                       parser.problem ? parser.problem : "unknown");
	} else {
		yaml_node_t *root = yaml_document_get_root_node(&document);
		struct yaml_reader reader = {.draft = draft, .document = &document};
		if (!root || root->type != YAML_MAPPING_NODE)
			err = draft_fail(draft, ERR_BAD_VALUE, root ? line_of(root) : 1,
			                 "this is neither a mapping of categories nor lines `id - A > B`");
		else
			err = read_below(&reader, root, TREE_NONE, 1);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return err;
}
