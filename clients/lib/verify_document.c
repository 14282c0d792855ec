// `oyez verify`: finds the records in a document, has each checked, and compares the readable entries with what was
// signed.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/verify_internal.h"
#include "clients/lib/view.h"

enum { NESTING_MAX = 16 };

// ---- the whole document

static void content_hash(json_t *document, char hex[2 * HASH_BYTES + 1])
{
	uint8_t hash[HASH_BYTES];
	json_t *rest = json_copy(document);
	json_object_del(rest, "content_hash");
	char *text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);
	crypto_hash_sha256(hash, (const uint8_t *)(text ? text : ""), text ? strlen(text) : 0);
	hex_encode(hash, sizeof(hash), hex);
	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
	json_decref(rest);
}

void document_seal(json_t *document)
{
	char hex[2 * HASH_BYTES + 1];
	content_hash(document, hex);
	json_object_set_new(document, "content_hash", json_string(hex));
}

// ---- finding records

static bool is_record(const json_t *value)
{
	return json_is_string(json_object_get(value, "type")) &&
	       (json_is_string(json_object_get(value, "signed")) || json_is_string(json_object_get(value, "signature")));
}

static void collect(struct document *document, const json_t *value, bool is_one, unsigned depth)
{
	const char *key;
	json_t *inside;
	size_t i;
	if (is_one || is_record(value)) {
		if (document->count == document->room) {
			document->room = document->room ? 2 * document->room : 64;
			document->proofs = realloc(document->proofs, document->room * sizeof(*document->proofs));
			if (!document->proofs)
				abort();
		}
		proof_open(&document->proofs[document->count++], value);
		return;
	}
	if (depth >= NESTING_MAX)
		return;
	json_object_foreach((json_t *)value, key, inside)
	{
		bool list = strcmp(key, "records") == 0 && json_is_array(inside);
		json_t *record;
		if (list) // all of these are records, readable or not
			json_array_foreach(inside, i, record) collect(document, record, true, depth + 1);
		else
			collect(document, inside, false, depth + 1);
	}
	json_array_foreach((json_t *)value, i, inside) collect(document, inside, false, depth + 1);
}

// ---- the readable part

static bool words_equal(const json_t *list, char *const *words, size_t count)
{
	if (json_array_size(list) != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(list, i));
		if (!word || strcmp(word, words[i]) != 0)
			return false;
	}
	return true;
}

static bool text_is(const json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value && strcmp(value, text) == 0;
}

static bool hex_is(const json_t *object, const char *name, const ProtobufCBinaryData *bytes)
{
	json_t *hex = json_binary(bytes);
	bool same = text_is(object, name, json_string_value(hex));
	json_decref(hex);
	return same;
}

static const struct proof *of_deal(const struct document *document, const char *type, const char *deal)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct proof *proof = &document->proofs[i];
		if (!proof->err && strcmp(proof->type, type) == 0 && text_is(proof->json, "deal", deal))
			return proof;
	}
	return NULL;
}

static enum err erasure_check(const struct document *document, const json_t *entry, const char *deal)
{
	const json_t *erasure = json_object_get(entry, "erasure");
	const struct proof *receipt = of_deal(document, "erasure_receipt", deal);
	bool erased = text_is(erasure, "status", "erased"), refused = text_is(erasure, "status", "refused");
	if (!receipt)
		return erased || refused ? ERR_NOT_FOUND : ERR_OK;
	const Oyez__ErasureReceipt *signed_receipt = (const Oyez__ErasureReceipt *)receipt->inside;
	bool says_erased = signed_receipt->result == OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	if (says_erased != erased || says_erased == refused)
		return ERR_CONFLICT;
	return erased || text_is(erasure, "ground", signed_receipt->ground) ? ERR_OK : ERR_CONFLICT;
}

// A card given: what the entry says stands in the agreement, the listing, the receipt. When it was given, and to which
// alias, nobody has signed where a third person could read it.
static enum err entry_check(const struct document *document, const json_t *entry)
{
	const char *deal = json_string_value(json_object_get(entry, "deal"));
	const struct proof *proof = deal ? of_deal(document, "agreement", deal) : NULL;
	const struct proof *listed = deal ? of_deal(document, "listing", deal) : NULL;
	if (!proof)
		return ERR_NOT_FOUND;
	const Oyez__Agreement *agreement = (const Oyez__Agreement *)proof->inside;
	bool same = hex_is(entry, "vendor", &agreement->vendor_id) && text_is(entry, "terms_iri", agreement->terms_iri) &&
	            json_integer_value(json_object_get(entry, "terms_version")) == (json_int_t)agreement->terms_version &&
	            words_equal(json_object_get(entry, "fields"), agreement->fields, agreement->n_fields) &&
	            words_equal(json_object_get(entry, "purposes"), agreement->purposes, agreement->n_purposes) &&
	            words_equal(json_object_get(entry, "recipients"), agreement->recipients, agreement->n_recipients);
	if (same && listed) {
		const Oyez__Listing *listing = (const Oyez__Listing *)listed->inside;
		same = text_is(entry, "vendor_name", listing->name) && text_is(entry, "vendor_url", listing->url);
	}
	return same ? erasure_check(document, entry, deal) : ERR_CONFLICT;
}

// ---- the lines

static void line_end(json_t *lines, json_t *line, enum err err, bool *all)
{
	json_object_set_new(line, "ok", json_boolean(!err));
	json_object_set_new(line, "why", err ? json_string(err_name(err)) : json_null());
	json_array_append_new(lines, line);
	*all = *all && !err;
}

static void proof_line(const struct document *document, const struct proof *proof, json_t *lines, bool *all)
{
	json_t *line = json_pack("{s:o}", "record", json_text(proof->type));
	const char *deal = json_string_value(json_object_get(proof->json, "deal"));
	if (deal)
		json_object_set_new(line, "deal", json_text(deal));
	if (proof->tag)
		json_object_set_new(line, "tag", json_string(proof->tag));
	if (proof->message)
		json_object_set_new(line, "signed_by", json_binary(&proof->message->key));
	if (proof->inside && strcmp(proof->type, "notice") == 0)
		json_object_set_new(line, "number", json_integer((json_int_t)((const Oyez__Notice *)proof->inside)->number));
	line_end(lines, line, proof_judge(document, proof), all);
}

static void document_lines(struct document *document, json_t *value, json_t *lines, bool *all)
{
	for (size_t i = 0; i < document->count; i++)
		document->proofs[i].err = proof_judge(document, &document->proofs[i]); // what others rest on holds itself
	for (size_t i = 0; i < document->count; i++)
		proof_line(document, &document->proofs[i], lines, all);
	const json_t *entries = json_object_get(value, "entries");
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)entries, i, entry)
	{
		if (!text_is(entry, "what", "card"))
			continue;
		json_t *line = json_pack("{s:s}", "record", "entry");
		json_object_set(line, "deal", json_object_get(entry, "deal"));
		line_end(lines, line, entry_check(document, entry), all);
	}
	if (json_object_get(value, "oyez") || json_object_get(value, "content_hash")) {
		char hex[2 * HASH_BYTES + 1];
		content_hash(value, hex);
		line_end(lines, json_pack("{s:s}", "record", "document"),
		         text_is(value, "content_hash", hex) ? ERR_OK : ERR_CONFLICT, all);
	}
}

enum err oyez_verify(const char *text, size_t bytes, const char *broker_key, json_t **out, bool *all,
                     struct oyez_error *error)
{
	struct document document = {.has_key = broker_key != NULL};
	json_error_t problem;
	*out = NULL;
	*all = true;
	if (broker_key && !hex_decode(broker_key, document.key, KEY_BYTES))
		return oyez_error_set(error, ERR_USAGE, "a broker's key has 64 hex digits");
	// One value, or several behind each other: one by one they prove nothing about each other but together they do.
	json_t *values = json_array();
	size_t at = 0;
	enum err err = ERR_OK;
	while (!err && at < bytes && strspn(text + at, " \t\r\n") < bytes - at) {
		json_t *value = json_loadb(text + at, bytes - at, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &problem);
		if (value)
			at += (size_t)problem.position;
		else
			err = oyez_error_set(error, ERR_BAD_MESSAGE, "line %d: not JSON", problem.line);
		if (value)
			json_array_append_new(values, value);
	}
	if (!err)
		collect(&document, values, false, 0);
	if (!err && document.count == 0)
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "there is no signed record in it");
	if (!err) {
		json_t *only = json_array_size(values) == 1 ? json_array_get(values, 0) : NULL;
		*out = json_array();
		document_lines(&document, only, *out, all);
	}
	for (size_t i = 0; i < document.count; i++)
		proof_close(&document.proofs[i]);
	free(document.proofs);
	json_decref(values);
	return err;
}
