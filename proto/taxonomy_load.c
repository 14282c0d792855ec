// Where taxonomies come from: the built-in text, or a file in one of two formats.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "taxonomy_draft.h"

// proto/data/taxonomy.yaml as it was at build time.
extern const size_t taxonomy_yaml_bytes;
extern const unsigned char taxonomy_yaml[];

static enum err taxonomy_parse(const char *bytes, size_t count, struct taxonomy **out, char *error, size_t error_bytes)
{
	struct taxonomy_draft draft = {.error = error, .error_bytes = error_bytes};
	if (count >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3, count -= 3;
	enum err err = taxonomy_is_lines(bytes, count) ? taxonomy_read_lines(&draft, bytes, count)
	                                               : taxonomy_read_yaml(&draft, bytes, count);
	if (!err)
		err = draft_finish(&draft, out);
	draft_free(&draft);
	return err;
}

// *out is malloc'd.
static enum err file_read(const char *path, char **out, size_t *count, struct taxonomy_draft *messages)
{
	FILE *file = fopen(path, "rbe");
	if (!file)
		return draft_fail(messages, ERR_IO, 0, "%s: %m", path);
	enum err err = ERR_OK;
	size_t room = 64 * 1024, used = 0;
	char *bytes = NULL;
	while (true) {
		char *larger = realloc(bytes, room);
		if (!larger) {
			err = ERR_NO_MEMORY;
			break;
		}
		bytes = larger;
		used += fread(bytes + used, 1, room - used, file);
		if (used < room)
			break;
		room *= 2;
		if (room > 2 * (size_t)TAXONOMY_FILE_BYTES_MAX)
			break;
	}
	if (!err && ferror(file))
		err = draft_fail(messages, ERR_IO, 0, "%s cannot be read", path);
	else if (!err && used > TAXONOMY_FILE_BYTES_MAX)
		err = draft_fail(messages, ERR_TOO_LARGE, 0, "%s is larger than %d MiB", path,
		                 TAXONOMY_FILE_BYTES_MAX / 1024 / 1024);
	fclose(file);
	if (err) {
		free(bytes);
		return err;
	}
	*out = bytes;
	*count = used;
	return ERR_OK;
}

enum err taxonomy_load(const char *path, struct taxonomy **out, char *error, size_t error_bytes)
{
	struct taxonomy_draft messages = {.error = error, .error_bytes = error_bytes};
	char *bytes = NULL;
	size_t count = 0;
	if (error && error_bytes)
		error[0] = '\0';
	*out = NULL;
	enum err err = file_read(path, &bytes, &count, &messages);
	if (err)
		return err;
	err = taxonomy_parse(bytes, count, out, error, error_bytes);
	free(bytes);
	return err;
}

static struct taxonomy *builtin;

static void builtin_make(void)
{
	char error[200] = "";
	enum err err = taxonomy_parse((const char *)taxonomy_yaml, taxonomy_yaml_bytes, &builtin, error, sizeof error);
	if (err) {
		// The build's own data: nothing can go on without it, and the unit test says so first.
		fprintf(stderr, "built-in taxonomy: %s: %s\n", err_name(err), error);
		abort();
	}
}

const struct taxonomy *taxonomy_builtin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, builtin_make);
	return builtin;
}
