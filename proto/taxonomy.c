// Looking things up in a taxonomy. How one is read: taxonomy_load.c; nearest names: taxonomy_suggest.c.
#include "taxonomy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "taxonomy_draft.h"

void taxonomy_free(struct taxonomy *taxonomy)
{
	if (!taxonomy)
		return;
	for (size_t i = 0; i < taxonomy->also_list_count; i++)
		free(taxonomy->also_lists[i]);
	free(taxonomy->also_lists);
	free(taxonomy->parent);
	free(taxonomy->last);
	free(taxonomy->depth);
	free(taxonomy->flags);
	free(taxonomy->nodes);
	free(taxonomy->places);
	string_pool_free(&taxonomy->strings);
	free(taxonomy);
}

const struct tree *taxonomy_tree(const struct taxonomy *taxonomy)
{
	return &taxonomy->tree;
}

// FNV-1a. Who may fill the table is the operator, so nobody chooses ids that crowd together.
static uint32_t hash_of(const char *id)
{
	uint32_t hash = 2166136261u;
	for (; *id; id++)
		hash = (hash ^ (uint8_t)*id) * 16777619u;
	return hash ^ hash >> 15;
}

static uint32_t place_of(const struct taxonomy *taxonomy, const char *id)
{
	uint32_t mask = taxonomy->place_count - 1, at = hash_of(id) & mask;
	while (taxonomy->places[at] != 0 && strcmp(taxonomy->nodes[taxonomy->places[at] - 1].id, id) != 0)
		at = (at + 1) & mask;
	return at;
}

uint32_t taxonomy_find(const struct taxonomy *taxonomy, const char *id)
{
	uint32_t found = taxonomy->places[place_of(taxonomy, id)];
	return found == 0 ? TREE_NONE : found - 1;
}

void taxonomy_place(struct taxonomy *taxonomy)
{
	for (uint32_t node = 0; node < taxonomy->tree.count; node++)
		taxonomy->places[place_of(taxonomy, taxonomy->nodes[node].id)] = node + 1;
}

const char *taxonomy_id(const struct taxonomy *taxonomy, uint32_t node)
{
	return node < taxonomy->tree.count ? taxonomy->nodes[node].id : NULL;
}

const char *taxonomy_name(const struct taxonomy *taxonomy, uint32_t node, int french)
{
	if (node >= taxonomy->tree.count)
		return NULL;
	const struct taxonomy_node *it = &taxonomy->nodes[node];
	return french && it->name_fr ? it->name_fr : it->name;
}

// Per node: length of the id (1 byte), id, parent (4, big-endian, all ones for top nodes), flags (1).
void taxonomy_hash(const struct taxonomy *taxonomy, uint8_t out[32])
{
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	for (uint32_t node = 0; node < taxonomy->tree.count; node++) {
		const char *id = taxonomy->nodes[node].id;
		uint8_t id_bytes = (uint8_t)strlen(id);
		uint32_t parent = taxonomy->parent[node];
		uint8_t tail[5] = {(uint8_t)(parent >> 24), (uint8_t)(parent >> 16), (uint8_t)(parent >> 8), (uint8_t)parent,
		                   taxonomy->flags[node]};
		crypto_hash_sha256_update(&state, &id_bytes, 1);
		crypto_hash_sha256_update(&state, (const uint8_t *)id, id_bytes);
		crypto_hash_sha256_update(&state, tail, sizeof tail);
	}
	crypto_hash_sha256_final(&state, out);
}
