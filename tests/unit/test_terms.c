// The roster: its agreements, their hashes, and that published texts stay as they are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/filter.h"
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

// People signed these texts. If this test fails, a published text was changed: make a new agreement instead.
static const struct {
	const char *id;
	uint32_t retention_days;
	const char *hash;
} published[] = {
    {"SD-BASE", 30, "5c62d8965fabd2887e9d654c1b147e4646871659a1228102c0f27f9ff1a88bc0"},
    {"SD-BASE-DP", 30, "01a9ac76841dfc7773d01330e269fec492df262992082fb0815b6eb6b278afaa"},
    {"SD-BASE-A", 90, "39d8e5555a87da23e98c84b35cd9810bb988a5e5c2b8f955def6fc4b6559f4fc"},
    {"SD-BASE-AT", 180, "ffd7398bb27f8c7c386bf2a1ac92a3849c5e86812cc8f94d0109e9d26a68675f"},
    {"PDC-INTENT", 180, "41fbe154751f94759e4b4c3a19c2629537ac1d595b6a2d4eb9bfc17c96d83a7e"},
    {"PDC-AI", 365, "df776ca823a8ff882cd092aa12b8584c41bbfa2681abb87ac0269a7848a41f86"},
    {"PDC-GOOD", 365, "fe7add1966bbaef308cc7e90b0c8eef4332b4bfca423440a4462357a22a1987f"},
};
enum { PUBLISHED = sizeof(published) / sizeof(published[0]) };

static void test_published_texts_are_unchanged(void **state)
{
	(void)state;
	assert_int_equal(terms_count(), PUBLISHED);
	for (int i = 0; i < PUBLISHED; i++) {
		const struct terms *terms = terms_at((size_t)i);
		uint8_t hash[HASH_BYTES];
		char hex[2 * HASH_BYTES + 1], iri[100];
		assert_string_equal(terms->id, published[i].id); // its number in filters and stored records
		snprintf(iri, sizeof(iri), "https://w3id.org/dpv/standards/ieee/7012#%s", terms->id);
		assert_string_equal(terms->iri, iri);
		assert_int_equal(terms_find_iri(iri), i);
		assert_int_equal(terms->version, 1);
		assert_int_equal(terms->retention_days, published[i].retention_days);
		terms_hash(terms, hash);
		hex_encode(hash, sizeof(hash), hex);
		assert_string_equal(hex, published[i].hash);
	}
}

static void append_words(char *row, size_t room, const char *const *words)
{
	for (; *words; words++) {
		size_t used = strlen(row);
		snprintf(row + used, room - used, "`%s`%s", *words, words[1] ? ", " : " | ");
	}
}

// PROTOCOL.md §8.8 has a row of each of both tables.
static void test_protocol_rows(void **state)
{
	(void)state;
	const char *source = getenv("OYEZ_SOURCE_DIR");
	if (!source)
		skip();
	char path[600], row[600];
	static char page[400 * 1024];
	snprintf(path, sizeof(path), "%s/proto/PROTOCOL.md", source);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = 0;
	fclose(file);
	for (int i = 0; i < PUBLISHED; i++) {
		const struct terms *terms = terms_at((size_t)i);
		snprintf(row, sizeof(row), "| %s | %s | %u | %u days | `%s` |", terms->id, terms->iri, terms->version,
		         terms->retention_days, published[i].hash);
		assert_non_null(strstr(page, row));
		snprintf(row, sizeof(row), "\n| %s | ", terms->id);
		append_words(row, sizeof(row), terms->purposes);
		append_words(row, sizeof(row), terms->recipients);
		row[strlen(row) - 1] = 0;
		assert_non_null(strstr(page, row));
	}
}

static bool has_word(const char *const *words, const char *word)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; terms_at(i); i++) {
		const struct terms *terms = terms_at(i);
		assert_int_equal(terms_words(terms->purposes), i == 0 ? 2 : terms_words(terms->purposes));
		assert_true(has_word(terms->purposes, "service_delivery") && has_word(terms->purposes, "guarantee"));
		assert_true(has_word(terms->recipients, "vendor"));
	}
	assert_true(has_word(terms_at(1)->purposes, "data_portability"));
	assert_false(has_word(terms_at(2)->purposes, "own_tracking"));
	assert_int_equal(terms_words(terms_at(6)->recipients), 3);
}

static void test_suggestions(void **state)
{
	(void)state;
	static const char *const typed[][2] = {{"sd-base", "SD-BASE"},       {"SDBASE", "SD-BASE"},
	                                       {"SD-BASE-PD", "SD-BASE-DP"}, {"PDC_GOOD", "PDC-GOOD"},
	                                       {"pdc-inten", "PDC-INTENT"},  {"PDC-IA", "PDC-AI"}};
	const char *found[3];
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		assert_int_equal(terms_suggest(typed[i][0], found), 3);
		assert_string_equal(found[0], typed[i][1]);
	}
	char longest[4000];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(terms_suggest(longest, found), 3);
	assert_int_equal(terms_suggest("", found), 3);
}

// Terms are numbers and bits in the core: what one side asks, the other must agree to, for each of them.
static void test_both_sides_of_a_match(void **state)
{
	(void)state;
	for (size_t asked = 0; terms_at(asked); asked++) {
		for (size_t agreed = 0; terms_at(agreed); agreed++) {
			struct facets facets = {.terms = (uint16_t)(asked + 1)};
			struct vendor_facts vendor = {.terms_mask = (uint16_t)(1u << agreed)};
			uint32_t failed = 0;
			assert_int_equal(rules_match(&facets, &vendor, &failed), asked == agreed);
			assert_int_equal(failed, asked == agreed ? 0 : FACET_VENDOR_TERMS);
			vendor.terms_mask = (uint16_t)(0xffffu ^ vendor.terms_mask);
			assert_int_equal(rules_match(&facets, &vendor, &failed), asked != agreed);
		}
	}
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
	    cmocka_unit_test(test_published_texts_are_unchanged),
	    cmocka_unit_test(test_protocol_rows),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_suggestions),
	    cmocka_unit_test(test_both_sides_of_a_match),
	    cmocka_unit_test(test_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
