// Reads XML into the importer's tree. expat parses; a document type (and with it every entity of the file's own) ends
// the reading, so nothing can be expanded or fetched.
#include <expat.h>
#include <string.h>

#include "clients/lib/import.h"
#include "clients/lib/import_doc.h"

#define UBL_NAMESPACE "urn:oasis:names:specification:ubl:schema:xsd:"
enum { NAMESPACE_END = '\n' }; // cannot stand in a namespace

struct xml_reader {
	struct import_doc *doc;
	XML_Parser parser;
	struct import_node *at;
	char *text; // of the element being read; texts around child elements are joined
	size_t text_bytes, text_room;
	unsigned depth;
	enum err err;
	struct oyez_error *error;
};

static void xml_stop(struct xml_reader *reader, enum err err, const char *why)
{
	if (reader->err)
		return;
	reader->err =
	    import_fail(reader->error, err, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(reader->parser), why);
	XML_StopParser(reader->parser, XML_FALSE);
}

// Elements of UBL, or of no namespace at all, are known by their local name; others belong to extensions.
static const char *element_key(const char *name, const char **local)
{
	const char *end = strchr(name, NAMESPACE_END);
	*local = end ? end + 1 : name;
	return !end || strncmp(name, UBL_NAMESPACE, strlen(UBL_NAMESPACE)) == 0 ? *local : NULL;
}

static void flush_text(struct xml_reader *reader)
{
	if (reader->at && !reader->at->text)
		doc_set_text(reader->doc, reader->at, reader->text, reader->text_bytes);
	reader->text_bytes = 0;
}

static void add_attributes(struct xml_reader *reader, struct import_node *node, const XML_Char **attributes)
{
	for (; *attributes; attributes += 2) {
		char name[64];
		const char *local = strchr(attributes[0], NAMESPACE_END);
		local = local ? local + 1 : attributes[0];
		name[0] = '@';
		name[1] = '\0';
		if (strlen(local) < sizeof name - 1)
			strcpy(name + 1, local);
		struct import_node *attribute = doc_add(reader->doc, node, name, name);
		if (!attribute) {
			xml_stop(reader, ERR_TOO_LARGE, "too many values");
			return;
		}
		doc_set_text(reader->doc, attribute, attributes[1], strlen(attributes[1]));
	}
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct xml_reader *reader = context;
	if (reader->err)
		return;
	if (++reader->depth > IMPORT_DEPTH_MAX) {
		xml_stop(reader, ERR_NOT_UNDERSTOOD, "nested too deeply");
		return;
	}
	flush_text(reader);
	const char *local, *key = element_key(name, &local);
	struct import_node *node = doc_add(reader->doc, reader->at, local, key);
	if (!node) {
		xml_stop(reader, ERR_TOO_LARGE, "too many values");
		return;
	}
	add_attributes(reader, node, attributes);
	reader->at = node;
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
	struct xml_reader *reader = context;
	(void)name;
	if (reader->err)
		return;
	flush_text(reader);
	reader->depth--;
	reader->at = reader->at->parent;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int count)
{
	struct xml_reader *reader = context;
	// The buffer is as large as the file: without entities, texts cannot be longer than what they are written in...
	// but for other encodings, which UTF-8 may double or triple.
	if (reader->err)
		return;
	if (reader->text_bytes + (size_t)count > reader->text_room) {
		xml_stop(reader, ERR_TOO_LARGE, "a text is too long");
		return;
	}
	memcpy(reader->text + reader->text_bytes, text, (size_t)count);
	reader->text_bytes += (size_t)count;
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	xml_stop(context, ERR_NOT_UNDERSTOOD, "document types (<!DOCTYPE) are not accepted");
}

enum err doc_read_xml(struct import_doc *doc, const char *bytes, size_t count, struct oyez_error *error)
{
	struct xml_reader reader = {.doc = doc, .error = error, .text_room = 3 * count};
	doc->xml = true;
	reader.parser = XML_ParserCreateNS(NULL, NAMESPACE_END);
	if (!reader.parser)
		return import_fail(error, ERR_NO_MEMORY, "no memory");
	reader.text = arena_alloc(&doc->arena, reader.text_room + 1);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	if (XML_Parse(reader.parser, bytes, (int)count, XML_TRUE) != XML_STATUS_OK && !reader.err)
		xml_stop(&reader, ERR_NOT_UNDERSTOOD, "this is not XML");
	XML_ParserFree(reader.parser);
	if (!reader.err && !doc->root)
		return import_fail(error, ERR_NOT_UNDERSTOOD, "there is nothing in it");
	return reader.err;
}
