// The roster: its one agreement, its hash, and that published texts stay as they are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sign.h"
#include "proto/terms.h"
#include "proto/utf8.h"

static void test_lookup(void **state)
{
	(void)state;
	assert_true(terms_count() >= 1);
	assert_null(terms_at(terms_count()));
	assert_int_equal(terms_find("SD-BASE"), 0);
	assert_int_equal(terms_find("sd-base"), -1);
	assert_int_equal(terms_find(""), -1);
	for (size_t i = 0; i < terms_count(); i++)
		assert_int_equal(terms_find(terms_at(i)->id), (int)i);
}

static void test_every_entry_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < terms_count(); i++) {
		const struct terms *terms = terms_at(i);
		const char *texts[] = {terms->summary_en, terms->summary_fr, terms->text_en, terms->text_fr};
		assert_true(strlen(terms->id) > 0 && strlen(terms->id) <= TERMS_BYTES_MAX);
		assert_true(strlen(terms->iri) <= URL_BYTES_MAX);
		assert_memory_equal(terms->iri, "https://", 8);
		assert_true(terms->version >= 1);
		for (int j = 0; j < 4; j++) {
			assert_true(strlen(texts[j]) > 20);
			assert_true(utf8_valid((const uint8_t *)texts[j], strlen(texts[j])));
		}
		// The text says which agreement and version it is.
		assert_non_null(strstr(terms->text_en, terms->id));
		assert_non_null(strstr(terms->text_fr, terms->id));
	}
}

// People signed this text. If this test fails, a published text was changed: make a new agreement instead.
static void test_published_text_is_unchanged(void **state)
{
	(void)state;
	const struct terms *terms = terms_at((size_t)terms_find("SD-BASE"));
	uint8_t hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];
	assert_string_equal(terms->iri, "https://w3id.org/dpv/standards/ieee/7012#SD-BASE");
	assert_int_equal(terms->version, 1);
	assert_int_equal(terms->retention_days, 30);
	terms_hash(terms, hash);
	hex_encode(hash, sizeof(hash), hex);
	assert_string_equal(hex, "5c62d8965fabd2887e9d654c1b147e4646871659a1228102c0f27f9ff1a88bc0");
}

// The hash by the layout of PROTOCOL.md §8, and what it covers.
static void test_hash(void **state)
{
	(void)state;
	struct terms terms = {.id = "T", .iri = "https://example.org/", .version = 2, .text_en = "ab", .text_fr = "c"};
	static const char input[] = "oyez/1 terms\0\0\0\0\1T\0\0\0\2\0\0\0\2"
	                            "ab\0\0\0\1c";
	uint8_t expected[HASH_BYTES], hash[HASH_BYTES], other[HASH_BYTES];
	crypto_hash_sha256(expected, (const uint8_t *)input, sizeof(input) - 1);
	terms_hash(&terms, hash);
	assert_memory_equal(hash, expected, HASH_BYTES);
	terms.text_en = "a";
	terms.text_fr = "bc"; // the same letters, cut elsewhere
	terms_hash(&terms, other);
	assert_memory_not_equal(hash, other, HASH_BYTES);
	terms = (struct terms){.id = "T", .iri = "", .version = 3, .text_en = "ab", .text_fr = "c"};
	terms_hash(&terms, other);
	assert_memory_not_equal(hash, other, HASH_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookup),
	    cmocka_unit_test(test_every_entry_is_whole),
	    cmocka_unit_test(test_published_text_is_unchanged),
	    cmocka_unit_test(test_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
