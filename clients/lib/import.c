// Reads a file, finds out which of the formats it is, and puts draft and reports together.
#include "clients/lib/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/import_draft.h"
#include "proto/limits.h"

static enum err read_document(struct import_doc *doc, const char *bytes, size_t count, struct oyez_error *error)
{
	size_t at = 0;
	if (count >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < count && strchr(" \t\r\n", bytes[at]) && bytes[at])
		at++;
	if (at == count)
		return import_fail(error, ERR_NOT_UNDERSTOOD, "there is nothing in it");
	if (bytes[at] == '{' || bytes[at] == '[')
		return doc_read_json(doc, bytes + at, count - at, error);
	// UTF-16, which XML may be in, begins with a mark.
	if (bytes[at] == '<' || (unsigned char)bytes[at] >= 0xfe)
		return doc_read_xml(doc, bytes, count, error);
	return import_fail(error, ERR_NOT_UNDERSTOOD, "this is neither JSON nor XML");
}

static json_t *result_json(struct import_draft *draft)
{
	struct import_doc *doc = draft->doc;
	json_t *identity = json_array(), *unknown = json_array();
	for (struct import_node *node = doc->root; node; node = node_walk(doc->root, node)) {
		if (!node->text || (node->claim != CLAIM_IDENTITY && node->claim != CLAIM_NONE))
			continue;
		const char *path = doc_path(doc, node);
		if (node->claim == CLAIM_IDENTITY)
			json_array_append_new(identity, json_pack("{s:s, s:s}", "path", path, "kind", node->kind));
		else
			json_array_append_new(unknown, json_string(path));
	}
	return json_pack("{s:o, s:o, s:o}", "intent_draft", draft_json(draft), "identity_found", identity, "not_understood",
	                 unknown);
}

enum err import_bytes(const char *bytes, size_t count, uint32_t today, json_t **result, struct oyez_error *error)
{
	struct import_doc doc = {0};
	struct import_draft draft;
	*result = NULL;
	if (count > IMPORT_BYTES_MAX)
		return import_fail(error, ERR_TOO_LARGE, "files of at most %d bytes can be imported", IMPORT_BYTES_MAX);
	arena_init(&doc.arena);
	enum err err = read_document(&doc, bytes, count, error);
	if (!err) {
		draft_init(&draft, &doc, today);
		if (doc.xml ? !import_ubl(&draft) : !import_beckn(&draft) && !import_schema(&draft))
			err = import_fail(error, ERR_NOT_UNDERSTOOD, "%s of an unknown kind", doc.xml ? "XML" : "JSON");
	}
	if (!err) {
		identity_sweep(&draft);
		draft_check_text(&draft);
		*result = result_json(&draft);
		if (!*result)
			err = import_fail(error, ERR_NO_MEMORY, "no memory");
	}
	arena_fini(&doc.arena);
	return err;
}

enum err import_file(const char *path, json_t **result, struct oyez_error *error)
{
	*result = NULL;
	FILE *file = fopen(path, "rbe");
	if (!file)
		return import_fail(error, ERR_IO, "%s: %s", path, strerror(errno));
	// One byte more than allowed, so that too much is seen as such.
	char *bytes = malloc(IMPORT_BYTES_MAX + 1);
	size_t count = bytes ? fread(bytes, 1, IMPORT_BYTES_MAX + 1, file) : 0;
	enum err err = !bytes         ? import_fail(error, ERR_NO_MEMORY, "no memory")
	               : ferror(file) ? import_fail(error, ERR_IO, "%s cannot be read", path)
	                              : import_bytes(bytes, count, (uint32_t)(clock_now_ms() / DAY_MS), result, error);
	fclose(file);
	free(bytes);
	return err;
}
