// The vendor's home: what was committed is there again, what was not is not; two handles see each other's changes;
// pruning drops what is over and nothing that hangs on something.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/lib/oyez_vendor.h"
#include "clients/lib/vendor_home.h"

static char folder[64], file[80];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/oyez-home-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/vendor", folder);
	return sodium_init() < 0;
}

static int teardown(void **state)
{
	char path[96];

	(void)state;
	unlink(file);
	snprintf(path, sizeof(path), "%s.lock", file);
	unlink(path);
	return rmdir(folder);
}

static enum err init(const char *passphrase, struct oyez_error *error)
{
	const char *terms[] = {"SD-BASE"};
	const struct oyez_vendor_options options = {
	    .home = folder, .broker = "tcp://127.0.0.1:1", .passphrase = passphrase};
	const struct oyez_vendor_profile profile = {
	    .name = "Kiln", .url = "https://kiln.example", .country = "FR", .terms = terms, .term_count = 1};

	return oyez_vendor_init(&options, &profile, error);
}

static struct vendor_home *open_home(const char *passphrase)
{
	struct vendor_home *home;
	struct oyez_error error;

	assert_int_equal(vendor_home_open(folder, passphrase, &home, &error), ERR_OK);
	return home;
}

static struct id id_number(unsigned number)
{
	struct id id = {{0}};

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

static Oyez__HomeRelease *add_release(struct vendor_home *home, unsigned number, uint64_t at_ms, uint32_t gone)
{
	Oyez__HomeRelease *release = home_add_release(home->state);
	struct id id = id_number(number);

	home_set_bytes(&release->id, id.bytes, RELEASE_ID_BYTES);
	release->at_ms = at_ms;
	release->gone = gone;
	return release;
}

static void init_makes_a_file_of_ones_own(void **state)
{
	struct oyez_error error = {0};
	struct stat stat_of_file;

	(void)state;
	assert_int_equal(init("", &error), ERR_OK);
	assert_int_equal(stat(file, &stat_of_file), 0);
	assert_int_equal(stat_of_file.st_mode & 0777, 0600);
	assert_int_equal(init("", &error), ERR_VENDOR_EXISTS);
	struct vendor_home *home = open_home("");
	assert_string_equal(home->state->name, "Kiln");
	assert_int_equal(home->state->seed.len, 32);
	vendor_home_close(home);
}

static void bad_profiles_are_refused(void **state)
{
	const char *terms[] = {"NOPE"};
	const struct oyez_vendor_options options = {.home = folder, .broker = "tcp://127.0.0.1:1"};
	struct oyez_vendor_profile profile = {.name = "K", .url = "https://k", .country = "FRA"};
	struct oyez_error error;

	(void)state;
	assert_int_equal(oyez_vendor_init(&options, &profile, &error), ERR_UNKNOWN_REGION);
	profile.country = "FR";
	profile.terms = terms;
	profile.term_count = 1;
	assert_int_equal(oyez_vendor_init(&options, &profile, &error), ERR_UNKNOWN_TERMS);
	profile.term_count = 0;
	profile.name = "";
	assert_int_not_equal(oyez_vendor_init(&options, &profile, &error), ERR_OK);
	assert_int_not_equal(access(file, F_OK), 0);
}

static void a_passphrase_is_asked_for(void **state)
{
	struct vendor_home *home;
	struct oyez_error error;

	(void)state;
	assert_int_equal(init("open sesame", &error), ERR_OK);
	assert_int_equal(vendor_home_open(folder, "", &home, &error), ERR_WALLET_LOCKED);
	assert_int_equal(vendor_home_open(folder, "open barley", &home, &error), ERR_WALLET_LOCKED);
	home = open_home("open sesame");
	vendor_home_close(home);
}

static void damage_is_told(void **state)
{
	struct vendor_home *home;
	struct oyez_error error;
	FILE *stream;

	(void)state;
	assert_int_equal(vendor_home_open(folder, "", &home, &error), ERR_VENDOR_MISSING);
	assert_int_equal(init("", &error), ERR_OK);
	stream = fopen(file, "r+");
	fseek(stream, -3, SEEK_END);
	fputc('?', stream);
	fclose(stream);
	assert_int_equal(vendor_home_open(folder, "", &home, &error), ERR_WALLET_DAMAGED);
	assert_int_equal(truncate(file, 40), 0);
	assert_int_equal(vendor_home_open(folder, "", &home, &error), ERR_WALLET_DAMAGED);
}

static void changes_last_and_abandoned_ones_do_not(void **state)
{
	struct oyez_error error;
	struct id id = id_number(7);

	(void)state;
	assert_int_equal(init("", &error), ERR_OK);
	struct vendor_home *home = open_home("");
	assert_int_equal(vendor_home_begin(home, &error), ERR_OK);
	Oyez__HomeOffer *offer = home_add_offer(home->state);
	home_set_bytes(&offer->id, id.bytes, ID_BYTES);
	home_set_text(&offer->currency, "EUR");
	home_set_text(&offer->currency, "CHF");
	assert_int_equal(vendor_home_commit(home, &error), ERR_OK);
	assert_int_equal(vendor_home_begin(home, &error), ERR_OK);
	home_set_text(&home_offer(home->state, &id)->currency, "USD");
	vendor_home_abandon(home);
	assert_string_equal(home_offer(home->state, &id)->currency, "CHF");
	vendor_home_close(home);
	home = open_home("");
	assert_string_equal(home_offer(home->state, &id)->currency, "CHF");
	vendor_home_close(home);
}

static void two_handles_see_each_other(void **state)
{
	struct oyez_error error;

	(void)state;
	assert_int_equal(init("", &error), ERR_OK);
	struct vendor_home *one = open_home(""), *two = open_home("");
	for (uint64_t round = 1; round <= 20; round++) {
		struct vendor_home *writer = round % 2 ? one : two;

		assert_int_equal(vendor_home_begin(writer, &error), ERR_OK);
		assert_true(writer->state->inbox_cursor == round - 1);
		writer->state->inbox_cursor = round;
		assert_int_equal(vendor_home_commit(writer, &error), ERR_OK);
	}
	assert_int_equal(vendor_home_refresh(one, &error), ERR_OK);
	assert_true(one->state->inbox_cursor == 20);
	vendor_home_close(one);
	vendor_home_close(two);
}

static void pruning_keeps_what_is_used(void **state)
{
	const uint64_t now = 1000 * DAY_MS;
	struct oyez_error error;

	(void)state;
	assert_int_equal(init("", &error), ERR_OK);
	struct vendor_home *home = open_home("");
	add_release(home, 1, now - 2 * DAY_MS, 1);   // gone for long
	add_release(home, 2, now - 2 * DAY_MS, 0);   // stands
	add_release(home, 3, now - 2 * DAY_MS, 1);   // gone, but an offer hangs on it
	add_release(home, 4, now - 200 * DAY_MS, 0); // no band is that long
	Oyez__HomeOffer *offer = home_add_offer(home->state);
	struct id used = id_number(3), lost = id_number(9);
	home_set_bytes(&offer->id, used.bytes, ID_BYTES);
	home_set_bytes(&offer->release_id, used.bytes, RELEASE_ID_BYTES);
	offer->valid_until_ms = now;
	Oyez__HomeOffer *refused = home_add_offer(home->state);
	home_set_bytes(&refused->id, lost.bytes, ID_BYTES);
	refused->end = OYEZ__HOME_OFFER_END__HOME_OFFER_REFUSED;
	refused->made_at_ms = now - 2 * DAY_MS;
	refused->valid_until_ms = now + DAY_MS;
	vendor_home_prune(home->state, now);
	assert_int_equal(home->state->n_releases, 2);
	assert_int_equal(home->state->n_offers, 1);
	assert_non_null(home_offer(home->state, &used));
	// The bound counts, the oldest go first.
	for (unsigned i = 0; i < HOME_RELEASES_MAX + 10; i++)
		add_release(home, 100 + i, now, 0);
	vendor_home_prune(home->state, now);
	assert_true(home->state->n_releases <= HOME_RELEASES_MAX + 1);
	struct release_id newest;
	memcpy(newest.bytes, id_number(100 + HOME_RELEASES_MAX + 9).bytes, RELEASE_ID_BYTES);
	assert_non_null(home_release(home->state, &newest));
	vendor_home_close(home);
}

static void members_are_found_and_removed(void **state)
{
	Oyez__VendorHome *home = calloc(1, sizeof(*home));
	struct id a = id_number(1), b = id_number(2);

	(void)state;
	oyez__vendor_home__init(home);
	Oyez__HomePending *pending = home_add_pending(home);
	pending->kind = OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER;
	home_set_bytes(&pending->object_id, a.bytes, ID_BYTES);
	assert_ptr_equal(home_pending(home, OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER, &a), pending);
	assert_null(home_pending(home, OYEZ__HOME_PENDING_KIND__HOME_PENDING_QUESTION, &a));
	assert_null(home_pending(home, OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER, &b));
	assert_ptr_equal(home_pending(home, OYEZ__HOME_PENDING_KIND__HOME_PENDING_OFFER, NULL), pending);
	home_remove_pending(home, pending);
	assert_int_equal(home->n_pending, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct id id = id_number(10 + i);

		home_set_bytes(&home_add_subscription(home)->id, id.bytes, ID_BYTES);
	}
	struct id middle = id_number(11);
	home_remove_subscription(home, home_subscription(home, &middle));
	assert_null(home_subscription(home, &middle));
	assert_int_equal(home->n_subscriptions, 2);
	struct hpke_pair pair, again;
	hpke_pair_new(&pair);
	Oyez__HomeQuestion *question = home_add_question(home);
	assert_false(home_get_pair(&question->answer_key, &again));
	home_set_pair(&question->answer_key, &pair);
	assert_true(home_get_pair(&question->answer_key, &again));
	assert_memory_equal(&pair, &again, sizeof(pair));
	oyez__vendor_home__free_unpacked(home, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(init_makes_a_file_of_ones_own, setup, teardown),
	    cmocka_unit_test_setup_teardown(bad_profiles_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_passphrase_is_asked_for, setup, teardown),
	    cmocka_unit_test_setup_teardown(damage_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(changes_last_and_abandoned_ones_do_not, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_handles_see_each_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(pruning_keeps_what_is_used, setup, teardown),
	    cmocka_unit_test(members_are_found_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
