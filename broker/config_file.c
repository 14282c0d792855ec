// The YAML file. libcyaml loads it; before that libyaml walks it once, for the line of every key: libcyaml names the
// line of the key before the unknown one.
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config.h"

// As libcyaml fills it: text for every key but the lists.
struct words {
	char **items;
	unsigned count;
};
struct document {
#define X(key, ...) char *key;
	CONFIG_KEYS(X)
#undef X
	struct words lists[3]; // of list_keys
};

static const enum config_key list_keys[] = {CONFIG_listen, CONFIG_homes, CONFIG_guardians};
static const cyaml_schema_value_t list_item = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 255)};

// Lists stand in the fields twice: the macro's row is passed over for the list's.
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_SEQUENCE_COUNT("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, lists[0].items,
                               lists[0].count, &list_item, 0, CONFIG_LISTEN_MAX - 1),
    CYAML_FIELD_SEQUENCE_COUNT("homes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, lists[1].items,
                               lists[1].count, &list_item, 0, HOMES_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("guardians", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, lists[2].items,
                               lists[2].count, &list_item, 0, GUARDIANS_MAX),
#define X(key, ...)                                                                                                    \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, key, 0, 4095),
    CONFIG_KEYS(X)
#undef X
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, fields)};

static const size_t members[CONFIG_KEY_COUNT] = {
#define X(key, ...) offsetof(struct document, key),
    CONFIG_KEYS(X)
#undef X
};

static void complain_at(struct config_problem *problem, const char *path, size_t line, const char *hint,
                        const char *text)
{
	char where[256];
	snprintf(where, sizeof(where), "%.230s:%zu", path, line);
	config_complain(problem, where, hint, "%s", text);
}

// What the walk is looking at.
struct walk {
	int depth;     // of mappings and sequences
	bool want_key; // the next scalar at depth 1 is a key
	enum config_key key;
};

static bool walk_key(const yaml_event_t *event, const char *path, size_t lines[CONFIG_KEY_COUNT], struct walk *walk,
                     struct config_problem *problem)
{
	const char *name = (const char *)event->data.scalar.value;
	size_t line = event->start_mark.line + 1;
	walk->key = config_find_key(name);
	walk->want_key = false;
	if (walk->key == CONFIG_KEY_COUNT) {
		const char *nearest = config_nearest_key(name);
		char text[160], hint[128];
		snprintf(text, sizeof(text), "there is no setting \"%.64s\"", name);
		snprintf(hint, sizeof(hint), nearest ? "did you mean %s?" : "oyezd --print-config lists them all", nearest);
		complain_at(problem, path, line, hint, text);
		return false;
	}
	if (lines[walk->key]) {
		complain_at(problem, path, line, "keep one of the two lines", "this setting stands here a second time");
		return false;
	}
	lines[walk->key] = line;
	return true;
}

static void complain_list(struct config_problem *problem, const char *path, size_t line, enum config_key key)
{
	const char *name = config_key_name(key);
	char text[64], hint[128];
	snprintf(text, sizeof(text), "%s is a list", name);
	snprintf(hint, sizeof(hint), "write `%s:` and below it lines like `  - %s`", name,
	         key == CONFIG_listen ? "tcp://127.0.0.1:7710" : "tcp://HOST:PORT#KEY");
	complain_at(problem, path, line, hint, text);
}

static bool walk_event(const yaml_event_t *event, const char *path, size_t lines[CONFIG_KEY_COUNT], struct walk *walk,
                       struct config_problem *problem)
{
	size_t line = event->start_mark.line + 1;
	switch (event->type) {
	case YAML_MAPPING_START_EVENT:
		walk->want_key = walk->depth == 0;
		if (walk->depth++ == 0)
			return true;
		complain_at(problem, path, line, "settings are lines `name: value`", "nothing is nested here");
		return false;
	case YAML_SEQUENCE_START_EVENT:
		if (walk->depth == 1 && walk->key < CONFIG_KEY_COUNT && config_key_is_list(walk->key)) {
			walk->depth++;
			return true;
		}
		complain_at(problem, path, line, "settings are lines `name: value`; only listen, homes and guardians are lists",
		            "a list cannot stand here");
		return false;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		walk->depth--;
		walk->want_key = true;
		return true;
	case YAML_SCALAR_EVENT:
		if (walk->depth == 0) {
			complain_at(problem, path, line, "settings are lines `name: value`", "this is not a setting");
			return false;
		}
		if (walk->depth == 1 && walk->want_key)
			return walk_key(event, path, lines, walk, problem);
		if (walk->depth == 1 && config_key_is_list(walk->key)) {
			complain_list(problem, path, line, walk->key);
			return false;
		}
		walk->want_key = walk->depth == 1;
		return true;
	case YAML_ALIAS_EVENT:
		complain_at(problem, path, line, "write the value out", "aliases are not used here");
		return false;
	default:
		return true;
	}
}

static bool find_lines(FILE *file, const char *path, size_t lines[CONFIG_KEY_COUNT], bool *empty,
                       struct config_problem *problem)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_file(&parser, file);
	struct walk walk = {.key = CONFIG_KEY_COUNT};
	bool right = true, ended = false;
	while (right && !ended) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			complain_at(problem, path, parser.problem_mark.line + 1, "check the indentation, quotes and colons",
			            parser.problem ? parser.problem : "this is not YAML");
			right = false;
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		*empty = *empty && event.type != YAML_MAPPING_START_EVENT;
		right = walk_event(&event, path, lines, &walk, problem);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return right;
}

static void set_list(struct config *config, enum config_key key, const struct document *document, const char *source)
{
	const struct words *words = document->lists;
	while (list_keys[words - document->lists] != key)
		words++;
	char *joined = strdup("");
	for (unsigned i = 0; i < words->count; i++) {
		char *longer = NULL;
		if (asprintf(&longer, "%s%s%s", joined, i ? " " : "", words->items[i]) < 0)
			abort();
		free(joined);
		joined = longer;
	}
	config_set(config, key, joined, source);
	free(joined);
}

static void set_all(struct config *config, const struct document *document, const char *path,
                    const size_t lines[CONFIG_KEY_COUNT])
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		if (!lines[key])
			continue;
		char source[300];
		snprintf(source, sizeof(source), "%.256s:%zu", path, lines[key]);
		char *const *text = (char *const *)((const char *)document + members[key]);
		if (config_key_is_list(key))
			set_list(config, key, document, source);
		else
			config_set(config, key, *text ? *text : "", source);
	}
}

bool config_read_file(struct config *config, const char *path, struct config_problem *problem)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		config_complain(problem, path, "check the path and its rights", "the configuration file cannot be read: %s",
		                strerror(errno));
		return false;
	}
	size_t lines[CONFIG_KEY_COUNT] = {0};
	bool empty = true;
	bool right = find_lines(file, path, lines, &empty, problem);
	fclose(file);
	if (!right || empty)
		return right;

	const cyaml_config_t options = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
	struct document *document = NULL;
	cyaml_err_t err = cyaml_load_file(path, &options, &schema, (cyaml_data_t **)&document, NULL);
	if (err != CYAML_OK) {
		config_complain(problem, path, "see deploy/oyezd.yaml for an example", "%s", cyaml_strerror(err));
		return false;
	}
	set_all(config, document, path, lines);
	cyaml_free(&options, &schema, document, 0);
	return true;
}
