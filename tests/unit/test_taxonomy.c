// Our own categories, taxonomies read from files in both formats with everything that may be wrong in them,
// suggestions, and guesses from foreign paths.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/taxonomy.h"

static void test_builtin(void **state)
{
	(void)state;
	static const char *const guaranteed[] = {"home.kitchen.coffee-machine", "electronics.phones.smartphone",
	                                         "mobility.bicycles.city-bike", "services.home.plumbing", "health"};
	const struct taxonomy *taxonomy = taxonomy_builtin();
	const struct tree *tree = taxonomy_tree(taxonomy);
	assert_ptr_equal(taxonomy, taxonomy_builtin());
	assert_in_range(tree->count, 350, 600);
	for (size_t i = 0; i < sizeof guaranteed / sizeof *guaranteed; i++)
		assert_int_not_equal(taxonomy_find(taxonomy, guaranteed[i]), TREE_NONE);
	for (uint32_t node = 0; node < tree->count; node++) {
		const char *id = taxonomy_id(taxonomy, node);
		assert_int_equal(taxonomy_find(taxonomy, id), node);
		assert_true(tree->depth[node] <= 3);
		assert_true(taxonomy_name(taxonomy, node, 0)[0] && taxonomy_name(taxonomy, node, 1)[0]);
		uint32_t parent = tree->parent[node];
		if (parent != TREE_NONE) {
			size_t above = strlen(taxonomy_id(taxonomy, parent));
			assert_memory_equal(id, taxonomy_id(taxonomy, parent), above);
			assert_int_equal(id[above], '.');
			assert_true(parent < node && tree->last[parent] >= tree->last[node]);
			assert_true(!(tree->flags[parent] & TREE_SENSITIVE) || (tree->flags[node] & TREE_SENSITIVE));
		}
	}
	assert_int_equal(taxonomy_find(taxonomy, "home.kitchen.teleporter"), TREE_NONE);
	assert_int_equal(taxonomy_find(taxonomy, ""), TREE_NONE);
	assert_null(taxonomy_id(taxonomy, TREE_NONE));
	assert_string_equal(taxonomy_name(taxonomy, taxonomy_find(taxonomy, "home.kitchen.coffee-machine"), 1),
	                    "Machine à café");
}

static int is_sensitive(const char *id)
{
	const struct taxonomy *taxonomy = taxonomy_builtin();
	uint32_t node = taxonomy_find(taxonomy, id);
	assert_int_not_equal(node, TREE_NONE);
	return taxonomy_tree(taxonomy)->flags[node] & TREE_SENSITIVE;
}

static void test_sensitive(void **state)
{
	(void)state;
	assert_true(is_sensitive("health"));
	assert_true(is_sensitive("health.pharmacy.medicine"));
	assert_true(is_sensitive("personal.intimacy"));
	assert_true(is_sensitive("culture.religion.religious-item"));
	assert_true(is_sensitive("culture.politics.membership"));
	assert_false(is_sensitive("culture"));
	assert_false(is_sensitive("personal.hair"));
	assert_false(is_sensitive("home.kitchen"));
}

static void assert_suggests_first(const struct taxonomy *taxonomy, const char *text, const char *wanted)
{
	const char *out[3] = {"nothing"};
	taxonomy_suggest(taxonomy, text, out);
	assert_string_equal(out[0], wanted);
}

static void test_suggestions(void **state)
{
	(void)state;
	const struct taxonomy *taxonomy = taxonomy_builtin();
	assert_suggests_first(taxonomy, "cofee machine", "home.kitchen.coffee-machine");
	assert_suggests_first(taxonomy, "home.kitchen.cofee-machine", "home.kitchen.coffee-machine");
	assert_suggests_first(taxonomy, "kitchen.coffee-machine", "home.kitchen.coffee-machine");
	assert_suggests_first(taxonomy, "MACHINE A CAFE", "home.kitchen.coffee-machine");
	assert_suggests_first(taxonomy, "smartphon", "electronics.phones.smartphone");
	assert_suggests_first(taxonomy, "plombier", "services.home.plumbing");
	assert_suggests_first(taxonomy, "vélo de ville", "mobility.bicycles.city-bike");
	assert_suggests_first(taxonomy, "helth", "health");
	assert_suggests_first(taxonomy, "réfrigirateur", "home.kitchen.refrigerator");
	const char *out[3];
	assert_int_equal(taxonomy_suggest(taxonomy, "home.kitchen.cofee-machine", out), 3);
	assert_int_equal(taxonomy_suggest(taxonomy, "", out), 0);
	assert_int_equal(taxonomy_suggest(taxonomy, "\xff", out), 0);
	char long_text[5000];
	memset(long_text, 'a', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	taxonomy_suggest(taxonomy, long_text, out);
}

static void assert_guess(const char *path, const char *wanted)
{
	uint32_t node = taxonomy_guess(taxonomy_builtin(), path);
	const char *id = node == TREE_NONE ? "nothing" : taxonomy_id(taxonomy_builtin(), node);
	if (strcmp(id, wanted) != 0)
		fail_msg("%s: guessed %s, not %s", path, id, wanted);
}

static void test_guesses(void **state)
{
	(void)state;
	assert_guess("Home & Garden > Kitchen & Dining > Kitchen Appliances > Coffee Makers & Espresso Machines",
	             "home.kitchen.coffee-machine");
	assert_guess("Electronics > Communications > Telephony > Mobile Phones", "electronics.phones.smartphone");
	assert_guess("Apparel & Accessories > Clothing > Dresses", "fashion.women.dress");
	assert_guess("Animals & Pet Supplies > Pet Supplies > Cat Supplies > Cat Food", "animals.supplies.pet-food");
	assert_guess("Sporting Goods > Outdoor Recreation > Cycling > Bicycles", "mobility.bicycles");
	assert_guess("Electronics > Quantum Whatsits", "electronics");
	assert_guess("Furniture > Chairs", "home.furniture.chair");
	assert_guess("plombier", "services.home.plumbing");
	assert_guess("ev-charging", "mobility.charging");
	assert_guess("xyzzy", "nothing");
	assert_guess("", "nothing");
	assert_guess(" > > ", "nothing");
	assert_guess("\xff > \xfe", "nothing");
}

// Writes `text` to a file and loads it.
static enum err load_text(const char *text, size_t bytes, struct taxonomy **out, char error[200])
{
	char path[] = "/tmp/oyez-taxonomy-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, bytes), bytes);
	close(fd);
	*out = NULL;
	enum err err = taxonomy_load(path, out, error, 200);
	unlink(path);
	return err;
}

static void assert_bad(const char *text, enum err wanted, const char *words)
{
	struct taxonomy *taxonomy;
	char error[200] = "";
	assert_int_equal(load_text(text, strlen(text), &taxonomy, error), wanted);
	assert_null(taxonomy);
	if (!strstr(error, words))
		fail_msg("\"%s\" does not say \"%s\"", error, words);
}

static void test_lines(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf# a comment\r\n"
	                           "\n"
	                           "17 - Animals > Cats\r\n" // before its parent
	                           "3 - Animals\n"
	                           "18 - Animals>Cats  >  Cat Food\n"
	                           "gid://x/aa-1        : Health & Beauty\n"
	                           "gid://x/aa-1-1 : Health & Beauty > Soap - solid";
	struct taxonomy *taxonomy;
	char error[200];
	assert_int_equal(load_text(text, sizeof text - 1, &taxonomy, error), ERR_OK);
	const struct tree *tree = taxonomy_tree(taxonomy);
	assert_int_equal(tree->count, 5);
	uint32_t food = taxonomy_find(taxonomy, "18"), cats = taxonomy_find(taxonomy, "17");
	assert_int_equal(tree->parent[food], cats);
	assert_int_equal(tree->parent[cats], taxonomy_find(taxonomy, "3"));
	assert_int_equal(tree->depth[food], 3);
	assert_string_equal(taxonomy_name(taxonomy, food, 1), "Cat Food");
	assert_false(tree->flags[food]);
	uint32_t soap = taxonomy_find(taxonomy, "gid://x/aa-1-1");
	assert_string_equal(taxonomy_name(taxonomy, soap, 0), "Soap - solid");
	assert_true(tree->flags[soap] & TREE_SENSITIVE);
	taxonomy_free(taxonomy);
}

static void test_bad_lines(void **state)
{
	(void)state;
	assert_bad("1 - A\n2 - A > B > C\n", ERR_MISSING_FIELD, "line 2: the parent \"A > B\" does not exist");
	assert_bad("1 - A\n2 - B\n1 - C\n", ERR_BAD_VALUE, "line 3: the id 1 stands on line 1 already");
	assert_bad("1 - A\n# x\n2 - A\n", ERR_BAD_VALUE, "line 3: \"A\" stands on line 1 already");
	assert_bad("1 - A\nnonsense\n", ERR_BAD_VALUE, "line 2: ");
	assert_bad("1 - A\n2 - A > \n", ERR_MISSING_FIELD, "line 2: the name is missing");
	assert_bad("1 - A\n2 - A > \xff\n", ERR_BAD_UTF8, "line 2: ");
	assert_bad("1 - A\n\xc3\xa9 - B\n", ERR_BAD_VALUE, "line 2: ids are printable ASCII");
	assert_bad("1 - A\n12345678901234567890123456789012345678901234567890123456789012345 - B\n", ERR_TOO_LARGE,
	           "line 2: the id is longer than 64 bytes");
	assert_bad("1 - a>b>c>d>e>f>g>h>i>j>k>l>m>n>o>p>q\n", ERR_BAD_VALUE, "line 1: deeper than 16 levels");
	assert_bad("# only\n# comments\n", ERR_BAD_VALUE, "");
	assert_bad("", ERR_BAD_VALUE, "");
	char long_name[300] = "1 - A\n2 - ";
	memset(long_name + strlen(long_name), 'n', 200);
	assert_bad(long_name, ERR_TOO_LARGE, "line 2: a name is longer than 100 bytes");
	char error[200];
	struct taxonomy *taxonomy;
	assert_int_equal(taxonomy_load("/nonexistent/file", &taxonomy, error, sizeof error), ERR_IO);
	assert_int_equal(taxonomy_load("/nonexistent/file", &taxonomy, NULL, 0), ERR_IO);
	assert_int_equal(taxonomy_load("/", &taxonomy, error, sizeof error), ERR_IO);
	static const char nul[] = "1 - A\0B\n";
	assert_int_equal(load_text(nul, sizeof nul - 1, &taxonomy, error), ERR_BAD_UTF8);
}

static void test_too_many(void **state)
{
	(void)state;
	size_t room = 100001 * 40, used = 0;
	char *text = malloc(room);
	for (unsigned i = 0; i <= 100000; i++)
		used += (size_t)snprintf(text + used, room - used, "%u - Category %u\n", i, i);
	struct taxonomy *taxonomy;
	char error[200];
	assert_int_equal(load_text(text, used, &taxonomy, error), ERR_TOO_LARGE);
	assert_non_null(strstr(error, "line 100001"));
	text[used - strlen("100000 - Category 100000\n")] = '\0';
	assert_int_equal(load_text(text, strlen(text), &taxonomy, error), ERR_OK);
	assert_int_equal(taxonomy_tree(taxonomy)->count, 100000);
	taxonomy_free(taxonomy);
	free(text);
}

static void test_yaml(void **state)
{
	(void)state;
	static const char text[] = "home:\n  en: Home\n  below:\n    x: {en: X, fr: Ixe, also: [ex, why]}\n"
	                           "secret: {en: S, sensitive: true, below: {y: {en: Y}}}\n";
	struct taxonomy *taxonomy;
	char error[200];
	assert_int_equal(load_text(text, sizeof text - 1, &taxonomy, error), ERR_OK);
	const struct tree *tree = taxonomy_tree(taxonomy);
	assert_int_equal(tree->count, 4);
	assert_string_equal(taxonomy_name(taxonomy, taxonomy_find(taxonomy, "home.x"), 1), "Ixe");
	assert_string_equal(taxonomy_name(taxonomy, taxonomy_find(taxonomy, "home"), 1), "Home");
	assert_true(tree->flags[taxonomy_find(taxonomy, "secret.y")] & TREE_SENSITIVE);
	assert_suggests_first(taxonomy, "why", "home.x");
	taxonomy_free(taxonomy);
}

static void test_bad_yaml(void **state)
{
	(void)state;
	assert_bad("a: {fr: B}\n", ERR_MISSING_FIELD, "line 1: the English name");
	assert_bad("a: {en: B}\na: {en: C}\n", ERR_BAD_VALUE, "line 2: the id a stands on line 1");
	assert_bad("a: {en: B, colour: red}\n", ERR_BAD_VALUE, "line 1: only en");
	assert_bad("a:\n  en: B\n  below: [c]\n", ERR_BAD_VALUE, "line 3: below");
	assert_bad("a: {en: [B]}\n", ERR_BAD_VALUE, "line 1: en");
	assert_bad("a: {en: B, sensitive: maybe}\n", ERR_BAD_VALUE, "sensitive is true or false");
	assert_bad("a: [\n", ERR_BAD_VALUE, "not YAML");
	assert_bad("- a\n- b\n", ERR_BAD_VALUE, "line 1: this is neither");
	assert_bad("just words\n", ERR_BAD_VALUE, "");
	assert_bad("{}\n", ERR_MISSING_FIELD, "no categories");
	assert_bad("\"a b\": {en: B}\n", ERR_BAD_VALUE, "printable ASCII");
	assert_bad("a: {en: \"\"}\n", ERR_MISSING_FIELD, "name is missing");
	assert_bad("\"a\\0b\": {en: B}\n", ERR_TOO_LARGE, "");
	assert_bad("a: {en: \xff}\n", ERR_BAD_UTF8, "");
	// An alias that holds itself would have no end.
	assert_bad("a: &x\n  en: A\n  below: {b: *x}\n", ERR_BAD_VALUE, "deeper than");
}

static void test_hash(void **state)
{
	(void)state;
	static const char *const texts[] = {"1 - A\n2 - A > B\n", "1 - A\n2 - A > C\n", "1 - A\n2 - B\n",
	                                    "1 - A\n3 - A > B\n", "1 - A\n2 - A > Sex\n"};
	uint8_t hashes[5][32];
	for (size_t i = 0; i < 5; i++) {
		struct taxonomy *taxonomy;
		char error[200];
		assert_int_equal(load_text(texts[i], strlen(texts[i]), &taxonomy, error), ERR_OK);
		taxonomy_hash(taxonomy, hashes[i]);
		taxonomy_free(taxonomy);
	}
	assert_memory_equal(hashes[0], hashes[1], 32); // names do not count
	for (size_t i = 2; i < 5; i++)
		assert_memory_not_equal(hashes[0], hashes[i], 32);
}

// Real input: Google's product taxonomy, where the machine has it.
static void test_google(void **state)
{
	(void)state;
	const char *shared = getenv("OYEZ_SHARED_DIR"), *source = getenv("OYEZ_SOURCE_DIR");
	char path[1024], error[200];
	if (shared)
		snprintf(path, sizeof path, "%s/taxonomies/google-product-taxonomy-en.txt", shared);
	else
		snprintf(path, sizeof path, "%s/../shared/taxonomies/google-product-taxonomy-en.txt", source ? source : ".");
	if (access(path, R_OK) != 0) {
		print_message("skipped: %s is not here\n", path);
		skip();
	}
	struct taxonomy *taxonomy;
	assert_int_equal(taxonomy_load(path, &taxonomy, error, sizeof error), ERR_OK);
	const struct tree *tree = taxonomy_tree(taxonomy);
	assert_int_equal(tree->count, 5595);
	uint32_t food = taxonomy_find(taxonomy, "17");
	assert_string_equal(taxonomy_name(taxonomy, food, 0), "Cat Food");
	assert_int_equal(tree->parent[food], taxonomy_find(taxonomy, "14"));
	assert_int_equal(tree->depth[food], 4);
	const char *out[3];
	assert_int_equal(taxonomy_suggest(taxonomy, "cofee makers", out), 3);
	taxonomy_free(taxonomy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_builtin),  cmocka_unit_test(test_sensitive), cmocka_unit_test(test_suggestions),
	    cmocka_unit_test(test_guesses),  cmocka_unit_test(test_lines),     cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_too_many), cmocka_unit_test(test_yaml),      cmocka_unit_test(test_bad_yaml),
	    cmocka_unit_test(test_hash),     cmocka_unit_test(test_google),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
