// Categories: a tree of ids with names in English and French. Ours is compiled in; others are imported.
#ifndef OYEZ_PROTO_TAXONOMY_H
#define OYEZ_PROTO_TAXONOMY_H

#include <stddef.h>

#include "err.h"
#include "tree.h"

struct taxonomy; // immutable once made

// What is beyond is refused. Ids have at most CATEGORY_BYTES_MAX, names NAME_BYTES_MAX bytes.
enum { TAXONOMY_NODES_MAX = 100000, TAXONOMY_DEPTH_MAX = 16, TAXONOMY_FILE_BYTES_MAX = 32 * 1024 * 1024 };

// Our own tree of about 400 nodes, shared and static: do not free.
const struct taxonomy *taxonomy_builtin(void);
// Reads our YAML (proto/data/taxonomy.yaml shows it), or lines `id - A > B > C` (Google) or `id : A > B > C` (Shopify):
// ids as given, parents by path wherever they stand, `#` begins a comment. Lines carry no flags: what is named after
// health, sexuality, religion or politics is taken as sensitive, with all below it. `error` (may be NULL, `error_bytes`
// long) says the line and what is wrong. *out is freed with taxonomy_free.
// ERR_IO, ERR_TOO_LARGE, ERR_BAD_UTF8, ERR_BAD_VALUE, ERR_MISSING_FIELD (no such parent, no name), ERR_NO_MEMORY.
enum err taxonomy_load(const char *path, struct taxonomy **out, char *error, size_t error_bytes);
void taxonomy_free(struct taxonomy *taxonomy);

const struct tree *taxonomy_tree(const struct taxonomy *taxonomy);
// TREE_NONE if there is no such id.
uint32_t taxonomy_find(const struct taxonomy *taxonomy, const char *id);
// NULL for numbers that are no node. A name that has no French is given in English.
const char *taxonomy_id(const struct taxonomy *taxonomy, uint32_t node);
const char *taxonomy_name(const struct taxonomy *taxonomy, uint32_t node, int french);
// SHA-256 over ids, parents and flags in order: two brokers with equal hashes number nodes alike.
void taxonomy_hash(const struct taxonomy *taxonomy, uint8_t out[32]);
// Up to three nearest ids for a mistyped id or a word in either language; how many were found. Owned by
// the taxonomy.
size_t taxonomy_suggest(const struct taxonomy *taxonomy, const char *text, const char *out[3]);
// The node whose names match a foreign path such as "Home & Garden > Kitchen > Coffee Makers" best, or TREE_NONE.
// The last part counts most; where it fits nothing, the one before it is tried.
uint32_t taxonomy_guess(const struct taxonomy *taxonomy, const char *path);

#endif
