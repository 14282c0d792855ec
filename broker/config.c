// Where values come from: defaults, the file, the environment, flags. What they mean stands in config_values.c,
// the YAML in config_file.c.
#include "config.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *preset, *help;
} keys[CONFIG_KEY_COUNT] = {
#define X(key, preset, help) {#key, preset, help},
    CONFIG_KEYS(X)
#undef X
};

// Flags that are not settings.
enum { FLAG_CONFIG = 1000, FLAG_CHECK, FLAG_PRINT, FLAG_PRINT_KEY, FLAG_VERSION, FLAG_HELP, FLAG_ACTIONS_END };
static const struct option action_flags[] = {
    {"config", required_argument, NULL, FLAG_CONFIG}, {"check-config", no_argument, NULL, FLAG_CHECK},
    {"print-config", no_argument, NULL, FLAG_PRINT},  {"print-key", no_argument, NULL, FLAG_PRINT_KEY},
    {"version", no_argument, NULL, FLAG_VERSION},
    {"help", no_argument, NULL, FLAG_HELP},
};
enum { ACTION_FLAG_COUNT = sizeof(action_flags) / sizeof(action_flags[0]) };

const char *config_key_name(enum config_key key)
{
	return keys[key].name;
}

bool config_key_is_list(enum config_key key)
{
	return key == CONFIG_listen || key == CONFIG_homes || key == CONFIG_guardians;
}

enum config_key config_find_key(const char *name)
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++)
		if (strcmp(keys[key].name, name) == 0)
			return key;
	return CONFIG_KEY_COUNT;
}

void config_complain(struct config_problem *problem, const char *where, const char *hint, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
	snprintf(problem->where, sizeof(problem->where), "%s", where ? where : "");
	snprintf(problem->hint, sizeof(problem->hint), "%s", hint ? hint : "");
}

void config_set(struct config *config, enum config_key key, const char *text, const char *source)
{
	struct setting *setting = &config->settings[key];
	// Copied first: the new text may be made from the old one.
	char *text_copy = strdup(text), *source_copy = strdup(source);
	free(setting->text);
	free(setting->source);
	setting->text = text_copy;
	setting->source = source_copy;
}

// The number of letters to change, add or leave out to get from one word to the other; words over 31 letters are far.
static size_t distance(const char *from, const char *to)
{
	size_t from_length = strlen(from), to_length = strlen(to);
	size_t row[32];
	if (from_length > 31 || to_length > 31)
		return 31;
	for (size_t j = 0; j <= to_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= from_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= to_length; j++) {
			size_t best = diagonal + (from[i - 1] != to[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[to_length];
}

const char *config_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t least = strlen(word) <= 4 ? 2 : 4; // must be nearer than this
	for (size_t i = 0; i < count; i++) {
		size_t far = distance(word, candidates[i]);
		if (far < least) {
			least = far;
			nearest = candidates[i];
		}
	}
	return nearest;
}

const char *config_nearest_key(const char *word)
{
	const char *names[CONFIG_KEY_COUNT];
	for (int key = 0; key < CONFIG_KEY_COUNT; key++)
		names[key] = keys[key].name;
	return config_nearest(word, names, CONFIG_KEY_COUNT);
}

// "vendors_per_intent" to "vendors-per-intent" or "OYEZ_VENDORS_PER_INTENT".
static void flag_name(enum config_key key, char out[CONFIG_NAME_BYTES])
{
	snprintf(out, CONFIG_NAME_BYTES, "%s", keys[key].name);
	for (char *at = out; *at; at++)
		if (*at == '_')
			*at = '-';
}

static void environment_name(enum config_key key, char out[CONFIG_NAME_BYTES])
{
	snprintf(out, CONFIG_NAME_BYTES, "OYEZ_%s", keys[key].name);
	for (char *at = out; *at; at++)
		*at = (char)toupper((unsigned char)*at);
}

static void unknown_flag(const char *word, struct config_problem *problem)
{
	char names[CONFIG_KEY_COUNT][CONFIG_NAME_BYTES];
	const char *candidates[CONFIG_KEY_COUNT + ACTION_FLAG_COUNT];
	size_t count = 0;
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		flag_name(key, names[key]);
		candidates[count++] = names[key];
	}
	for (int i = 0; i < ACTION_FLAG_COUNT; i++)
		candidates[count++] = action_flags[i].name;

	char bare[CONFIG_NAME_BYTES];
	snprintf(bare, sizeof(bare), "%s", word + strspn(word, "-"));
	bare[strcspn(bare, "=")] = 0;
	const char *nearest = config_nearest(bare, candidates, count);
	char hint[128];
	if (nearest)
		snprintf(hint, sizeof(hint), "did you mean --%s? See: oyezd --help", nearest);
	else
		snprintf(hint, sizeof(hint), "see: oyezd --help");
	config_complain(problem, word, hint, "there is no such flag");
}

static void set_from_flag(struct config *config, enum config_key key, const char *text)
{
	char name[CONFIG_NAME_BYTES], source[CONFIG_NAME_BYTES + 2];
	flag_name(key, name);
	snprintf(source, sizeof(source), "--%s", name);
	struct setting *before = &config->settings[key];
	if (config_key_is_list(key) && before->source && strcmp(before->source, source) == 0) {
		char *joined = NULL; // repeated, it adds to the ones before it
		if (asprintf(&joined, "%s %s", before->text, text) < 0)
			abort();
		config_set(config, key, joined, source);
		free(joined);
		return;
	}
	config_set(config, key, text, source);
}

// Two passes over the flags: the first finds --config and the action, the second, after file and environment, sets.
static bool read_flags(int argc, char **argv, struct config *config, bool setting, const char **file,
                       enum config_action *action, struct config_problem *problem)
{
	char names[CONFIG_KEY_COUNT][CONFIG_NAME_BYTES];
	struct option options[CONFIG_KEY_COUNT + ACTION_FLAG_COUNT + 1] = {0};
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		flag_name(key, names[key]);
		options[key] = (struct option){names[key], required_argument, NULL, key};
	}
	memcpy(options + CONFIG_KEY_COUNT, action_flags, sizeof(action_flags));

	opterr = 0;
	optind = 0; // glibc: start over
	int flag;
	while ((flag = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (flag == '?') {
			unknown_flag(argv[optind - 1], problem);
			return false;
		}
		if (flag == ':') {
			config_complain(problem, argv[optind - 1], "see: oyezd --help", "this flag needs a value");
			return false;
		}
		if (flag == FLAG_CONFIG)
			*file = optarg;
		else if (flag > FLAG_CONFIG)
			*action = CONFIG_CHECK + (flag - FLAG_CHECK);
		else if (setting)
			set_from_flag(config, flag, optarg);
	}
	if (optind < argc) {
		config_complain(problem, argv[optind], "values follow their flag, as in --data DIR; see: oyezd --help",
		                "this word belongs to no flag");
		return false;
	}
	return true;
}

static void read_environment(struct config *config)
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		char name[CONFIG_NAME_BYTES];
		environment_name(key, name);
		const char *text = getenv(name);
		if (text && *text)
			config_set(config, key, text, name);
	}
}

// The folder systemd made for us, else the usual place for root or for a person.
static void set_default_data(struct config *config)
{
	char path[4096];
	const char *state = getenv("STATE_DIRECTORY"), *share = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (state && *state)
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(state, ":"), state);
	else if (geteuid() == 0)
		snprintf(path, sizeof(path), "/var/lib/oyezd");
	else if (share && *share)
		snprintf(path, sizeof(path), "%s/oyezd", share);
	else
		snprintf(path, sizeof(path), "%s/.local/share/oyezd", home ? home : ".");
	config_set(config, CONFIG_data, path, "default");
}

enum config_action config_load(int argc, char **argv, struct config *config, struct config_problem *problem)
{
	*config = (struct config){0};
	*problem = (struct config_problem){0};
	const char *file = getenv("OYEZ_CONFIG");
	enum config_action action = CONFIG_RUN;

	if (!read_flags(argc, argv, config, false, &file, &action, problem))
		return CONFIG_WRONG;
	config->checking = action == CONFIG_CHECK || action == CONFIG_PRINT || action == CONFIG_PRINT_KEY;
	if (action == CONFIG_VERSION || action == CONFIG_HELP)
		return action;
	for (int key = 0; key < CONFIG_KEY_COUNT; key++)
		if (keys[key].preset)
			config_set(config, key, keys[key].preset, "default");
	set_default_data(config);
	if (file && *file && !config_read_file(config, file, problem))
		return CONFIG_WRONG;
	read_environment(config);
	if (!read_flags(argc, argv, config, true, &file, &action, problem))
		return CONFIG_WRONG;
	return config_understand(config, problem) ? action : CONFIG_WRONG;
}

static void print_words(const char *name, const struct setting *setting, FILE *out)
{
	size_t gap = strspn(setting->text, " ");
	const char *word = setting->text + gap;
	fprintf(out, "%s:%s  # %s\n", name, *word ? "" : " []", setting->source);
	for (; *word; word += strspn(word, " ")) {
		int length = (int)strcspn(word, " ");
		fprintf(out, "  - \"%.*s\"\n", length, word); // unquoted, its # might begin a comment
		word += length;
	}
}

void config_print(const struct config *config, FILE *out)
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		const struct setting *setting = &config->settings[key];
		if (key == CONFIG_listen) {
			fprintf(out, "listen:  # %s\n", setting->source);
			for (size_t i = 0; i < config->listen_count; i++)
				fprintf(out, "  - %s\n", config->listen[i]);
		} else if (config_key_is_list(key)) {
			print_words(keys[key].name, setting, out);
		} else {
			fprintf(out, "%s: %s  # %s\n", keys[key].name, *setting->text ? setting->text : "\"\"", setting->source);
		}
	}
}

void config_help(FILE *out)
{
	fputs("usage: oyezd [--config FILE] [FLAGS]\n"
	      "The broker of Oyez. Defaults < file < OYEZ_* environment < flags.\n\n"
	      "  --config FILE          YAML, with the names below (underscores for dashes)\n"
	      "  --check-config         say whether the configuration is right, and end (exit code 0 or 2)\n"
	      "  --print-config         show every value and where it came from, and end\n"
	      "  --print-key            make this broker's identity if it has none, show its public key, and end\n"
	      "  --version, --help\n\n",
	      out);
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		char name[CONFIG_NAME_BYTES];
		flag_name(key, name);
		fprintf(out, "  --%-20s %s", name, keys[key].help);
		if (keys[key].preset && *keys[key].preset)
			fprintf(out, " [%s]", keys[key].preset);
		fputc('\n', out);
	}
}

void config_fini(struct config *config)
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		free(config->settings[key].text);
		free(config->settings[key].source);
	}
	for (size_t i = 0; i < config->listen_count; i++)
		free(config->listen[i]);
	for (size_t i = 0; i < config->home_count; i++)
		free(config->homes[i].url);
	for (size_t i = 0; i < config->guardian_count; i++)
		free(config->guardians[i].url);
	free(config->data);
	*config = (struct config){0};
}
