// A file to import as one plain tree, whether it came as JSON or XML, with a note on each value of what became of it.
// Internal to the importer.
#ifndef OYEZ_CLIENT_IMPORT_DOC_H
#define OYEZ_CLIENT_IMPORT_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "broker/base/arena.h"
#include "clients/lib/error.h"

enum import_claim {
	CLAIM_NONE,
	CLAIM_USED,     // it is in the draft, or told what the file is
	CLAIM_IDENTITY, // it tells who somebody is
	CLAIM_FORM,     // the format's own, such as @type: nothing to report
};

// An object, element or value. A JSON array is as many siblings of one name, as in XML; an attribute is a child
// "@name".
struct import_node {
	const char *name; // for paths; "?" if it could itself tell something
	const char *key;  // for lookups: the name without its vocabulary's prefix; "" if it belongs to none we know
	const char *text; // the value without surrounding blanks; NULL: none
	size_t index;     // among siblings of the same name, from 0
	bool indexed;     // it stands in a JSON array, or has siblings of its name in XML
	bool number;      // a JSON number
	enum import_claim claim;
	const char *kind; // of identity
	struct import_node *parent, *first, *last, *next;
};

struct import_doc {
	struct arena arena; // everything in the tree
	struct import_node *root;
	size_t count;
	bool xml;
};

// Both fill an initialised doc (arena_init, the rest zero). ERR_NOT_UNDERSTOOD, ERR_TOO_LARGE.
enum err doc_read_json(struct import_doc *doc, const char *bytes, size_t count, struct oyez_error *error);
enum err doc_read_xml(struct import_doc *doc, const char *bytes, size_t count, struct oyez_error *error);
// Adds a node below `parent` (NULL: the root); NULL if there are too many. `name` and `key` are copied, key may be
// NULL.
struct import_node *doc_add(struct import_doc *doc, struct import_node *parent, const char *name, const char *key);
// Sets the text, trimmed; blank texts count as none.
void doc_set_text(struct import_doc *doc, struct import_node *node, const char *text, size_t bytes);
// "$.seller.address.postalCode", "/RequestForQuotation/RequestForQuotationLine[2]/LineItem/ID". Lives in the arena.
const char *doc_path(struct import_doc *doc, const struct import_node *node);
enum err import_fail(struct oyez_error *error, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// All of these take NULL for "not there" and give NULL.
// The first child with this key, and the next sibling with the same key.
struct import_node *node_child(struct import_node *node, const char *key);
struct import_node *node_again(struct import_node *node);
// Down a path of keys, "price/currency"; of repeated ones the first for which the rest exists.
struct import_node *node_at(struct import_node *node, const char *path);
// The node holding the value: itself, or JSON-LD's {"@value": ...}.
struct import_node *node_value(struct import_node *node);
// The first node with this key at or below `top`, and the next one after `from`.
struct import_node *node_search(struct import_node *top, struct import_node *from, const char *key);
// The node after `node` in the order of the file, within `top`.
struct import_node *node_walk(struct import_node *top, struct import_node *node);
bool node_text_is(struct import_node *node, const char *text);

#endif
