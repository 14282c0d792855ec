// Paths above the listed ones are only made nodes when they are used: when the files name one, they are read once more.
#define _GNU_SOURCE
#include "workload.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { EURO = 978, PATH_BYTES_MAX = 4096, NO_TERMS = TERMS_MAX - 1 };

// What is being read, for messages; and what the next attempt needs.
struct source {
	struct workload *workload;
	char path[PATH_BYTES_MAX];
	size_t line;
	struct paths *more_categories, *more_regions;
};

_Noreturn static void bad(const struct source *source, const char *what, const char *detail)
{
	give_up("%s:%zu: %s%s%s", source->path, source->line, what, *detail ? ": " : "", detail);
}

static void *grown(void *items, size_t count, size_t *room, size_t item_bytes)
{
	if (count < *room)
		return items;
	*room = *room ? *room + *room / 2 : 1024;
	items = realloc(items, *room * item_bytes);
	if (!items)
		give_up("no memory");
	return items;
}

// ---- fields

// NULL when it is absent or null.
static json_t *field(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

static uint32_t node_of(const struct source *source, const struct paths *paths, struct paths *more, json_t *value)
{
	const char *name = json_string_value(value);
	if (!name)
		bad(source, "a path must be a string", "");
	uint32_t node = paths_find(paths, name);
	if (node != TREE_NONE)
		return node;
	if (!paths_above(paths, name))
		bad(source, "not a node of trees.json", name);
	paths_add(more, name);
	return 0;
}

// Appends the list's nodes; returns how many.
static uint16_t add_nodes(const struct source *source, const struct paths *paths, struct paths *more, json_t *list,
                          bool may_be_nowhere)
{
	struct workload *workload = source->workload;
	size_t i, count = 0;
	json_t *item;
	if (list && !json_is_array(list))
		bad(source, "paths must be a list", "");
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);
		if (may_be_nowhere && name && paths_find(paths, name) == TREE_NONE && !paths_above(paths, name))
			continue;
		workload->nodes = grown(workload->nodes, workload->node_count, &workload->node_room, sizeof *workload->nodes);
		workload->nodes[workload->node_count++] = node_of(source, paths, more, item);
		if (++count > UINT16_MAX)
			bad(source, "too many paths", "");
	}
	return (uint16_t)count;
}

static int64_t amount_e4(const struct source *source, json_t *value)
{
	if (!json_is_number(value))
		bad(source, "a budget is two numbers", "");
	if (json_is_integer(value))
		return json_integer_value(value) * 10000;
	double amount = json_real_value(value) * 10000;
	return (int64_t)(amount < 0 ? amount - 0.5 : amount + 0.5);
}

static bool budget_of(const struct source *source, json_t *value, int64_t *min_e4, int64_t *max_e4)
{
	if (!value)
		return false;
	if (json_array_size(value) != 2)
		bad(source, "a budget is two numbers", "");
	*min_e4 = amount_e4(source, json_array_get(value, 0));
	*max_e4 = amount_e4(source, json_array_get(value, 1));
	return true;
}

static unsigned terms_of(const struct source *source, json_t *value)
{
	struct workload *workload = source->workload;
	const char *name = json_string_value(value);
	if (!name || strlen(name) >= sizeof *workload->terms)
		bad(source, "terms must be a short string", name ? name : "");
	for (unsigned i = 0; i < workload->terms_count; i++)
		if (strcmp(workload->terms[i], name) == 0)
			return i;
	if (workload->terms_count == NO_TERMS)
		bad(source, "more different terms than a roster holds", name);
	memcpy(workload->terms[workload->terms_count], name, strlen(name) + 1);
	return (unsigned)workload->terms_count++;
}

// An empty set accepts none: the bit of terms that no release shows.
static uint16_t terms_mask_of(const struct source *source, json_t *list)
{
	size_t i;
	json_t *item;
	uint16_t mask = 0;
	if (!list)
		return 0;
	if (!json_is_array(list))
		bad(source, "a subscription's terms must be a list", "");
	json_array_foreach(list, i, item) mask |= (uint16_t)(1u << terms_of(source, item));
	return mask ? mask : 1u << NO_TERMS;
}

static uint8_t condition_of(const struct source *source, json_t *value)
{
	const char *word = value ? json_string_value(value) : "";
	if (word && !*word)
		return 0;
	if (word && strcmp(word, "new") == 0)
		return CONDITION_NEW;
	if (word && strcmp(word, "used") == 0)
		return CONDITION_USED;
	if (word && strcmp(word, "any") == 0)
		return CONDITION_ANY;
	bad(source, "a condition is \"new\", \"used\" or \"any\"", word ? word : "");
}

static int64_t id_of(const struct source *source, json_t *object)
{
	json_t *value = json_object_get(object, "id");
	if (!json_is_integer(value))
		bad(source, "no id", "");
	return json_integer_value(value);
}

// ---- lines

static void add_subscription(const struct source *source, json_t *object)
{
	struct workload *workload = source->workload;
	const char *mode = json_string_value(field(object, "mode"));
	struct filter filter = {.exact = true};
	if (mode && strcmp(mode, "maybe") == 0)
		filter.exact = false;
	else if (mode && strcmp(mode, "exact") != 0)
		bad(source, "a mode is \"exact\" or \"maybe\"", mode);
	filter.category_count =
	    add_nodes(source, &workload->categories, source->more_categories, field(object, "categories"), false);
	filter.not_category_count =
	    add_nodes(source, &workload->categories, source->more_categories, field(object, "not_categories"), true);
	filter.region_count = add_nodes(source, &workload->regions, source->more_regions, field(object, "regions"), false);
	filter.has_budget = budget_of(source, field(object, "budget"), &filter.budget_min_e4, &filter.budget_max_e4);
	filter.currency = filter.has_budget ? EURO : 0;
	filter.terms_mask = terms_mask_of(source, field(object, "terms"));
	filter.condition = condition_of(source, field(object, "condition"));
	size_t room = workload->filter_room;
	workload->filters = grown(workload->filters, workload->filter_count, &room, sizeof filter);
	workload->filter_ids =
	    grown(workload->filter_ids, workload->filter_count, &workload->filter_room, sizeof *workload->filter_ids);
	workload->filter_ids[workload->filter_count] = id_of(source, object);
	workload->filters[workload->filter_count++] = filter;
}

static void add_release(const struct source *source, json_t *object)
{
	struct workload *workload = source->workload;
	struct match_header header = {.crowd = 1, .kind = FEED_RELEASE};
	struct facets *facets = &header.facets;
	json_t *category = field(object, "category"), *region = field(object, "region"), *terms = field(object, "terms");
	facets->category = facets->region = TREE_NONE;
	if (category)
		facets->category = node_of(source, &workload->categories, source->more_categories, category);
	if (region)
		facets->region = node_of(source, &workload->regions, source->more_regions, region);
	if (budget_of(source, field(object, "budget"), &facets->budget_min_e4, &facets->budget_max_e4))
		facets->currency = EURO;
	if (terms)
		facets->terms = (uint16_t)(terms_of(source, terms) + 1);
	facets->condition = condition_of(source, field(object, "condition"));
	size_t room = workload->header_room;
	workload->headers = grown(workload->headers, workload->header_count, &room, sizeof header);
	workload->header_ids =
	    grown(workload->header_ids, workload->header_count, &workload->header_room, sizeof *workload->header_ids);
	workload->header_ids[workload->header_count] = id_of(source, object);
	workload->headers[workload->header_count++] = header;
}

// ---- files

static void name_source(struct source *source, const char *dir, const char *name)
{
	if (snprintf(source->path, sizeof source->path, "%s/%s", dir, name) >= (int)sizeof source->path)
		give_up("the folder's name is too long");
	source->line = 0;
}

static void read_lines(struct source *source, const char *dir, const char *name,
                       void (*add)(const struct source *source, json_t *object))
{
	name_source(source, dir, name);
	FILE *file = fopen(source->path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	if (!file)
		give_up("cannot open %s", source->path);
	while ((length = getline(&line, &room, file)) > 0) {
		json_error_t error;
		source->line++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		json_t *object = json_loadb(line, (size_t)length, 0, &error);
		if (!object)
			bad(source, "not JSON", error.text);
		if (!json_is_object(object))
			bad(source, "not an object", "");
		add(source, object);
		json_decref(object);
	}
	free(line);
	fclose(file);
}

static void read_tree(const struct source *source, json_t *trees, const char *name, struct paths *paths,
                      const struct paths *more)
{
	size_t i;
	json_t *item, *list = json_object_get(trees, name);
	if (!json_is_array(list))
		bad(source, "no list of paths", name);
	json_array_foreach(list, i, item)
	{
		const char *path = json_string_value(item);
		if (!path || !*path)
			bad(source, "a path must be a string", name);
		paths_add(paths, path);
	}
	for (i = 0; i < more->count; i++)
		paths_add(paths, more->names[i]);
	paths_number(paths);
}

static void read_all(struct source *source, const char *dir, const struct paths *categories,
                     const struct paths *regions)
{
	struct workload *workload = source->workload;
	json_error_t error;
	name_source(source, dir, "trees.json");
	json_t *trees = json_load_file(source->path, 0, &error);
	source->line = error.line > 0 ? (size_t)error.line : 1;
	if (!trees)
		bad(source, "cannot read it", error.text);
	read_tree(source, trees, "categories", &workload->categories, categories);
	read_tree(source, trees, "regions", &workload->regions, regions);
	json_decref(trees);
	read_lines(source, dir, "subscriptions.jsonl", add_subscription);
	read_lines(source, dir, "releases.jsonl", add_release);
}

// Only now do the lists stay where they are.
static void link_filters(struct workload *workload)
{
	const uint32_t *nodes = workload->nodes;
	for (size_t i = 0; i < workload->filter_count; i++) {
		struct filter *filter = &workload->filters[i];
		filter->categories = nodes;
		filter->not_categories = filter->categories + filter->category_count;
		filter->regions = filter->not_categories + filter->not_category_count;
		nodes = filter->regions + filter->region_count;
	}
	workload->trees = (struct trees){&workload->categories.tree, &workload->regions.tree};
}

void workload_load(struct workload *workload, const char *dir)
{
	struct paths categories = {0}, regions = {0}, more_categories = {0}, more_regions = {0};
	struct source source = {.workload = workload, .more_categories = &more_categories, .more_regions = &more_regions};
	*workload = (struct workload){0};
	read_all(&source, dir, &categories, &regions);
	if (more_categories.count > 0 || more_regions.count > 0) {
		categories = more_categories;
		regions = more_regions;
		more_categories = more_regions = (struct paths){0};
		workload_fini(workload);
		read_all(&source, dir, &categories, &regions);
	}
	paths_fini(&categories);
	paths_fini(&regions);
	if (workload->filter_count == 0 || workload->header_count == 0)
		give_up("%s: no subscriptions or no releases", dir);
	if (workload->filter_count >= UINT32_MAX)
		give_up("%s: too many subscriptions", dir);
	link_filters(workload);
}

void workload_fini(struct workload *workload)
{
	paths_fini(&workload->categories);
	paths_fini(&workload->regions);
	free(workload->filters);
	free(workload->filter_ids);
	free(workload->headers);
	free(workload->header_ids);
	free(workload->nodes);
	*workload = (struct workload){0};
}
