// The wallet's file: round trips, wrong passphrases, damage, what a failed write leaves, unknown records, backups.
#define _GNU_SOURCE // memmem
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/lib/wallet.h"
#include "clients/lib/wallet_file.h"

static char home[64], path[128];

static int set_up(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/oyez-wallet-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(home))
		return -1;
	snprintf(path, sizeof(path), "%s/wallet", home);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = {"wallet", "wallet.new", "wallet.lock", "backup", "backup.new"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char file[160];
		snprintf(file, sizeof(file), "%s/%s", home, names[i]);
		unlink(file);
	}
	return rmdir(home);
}

static struct wallet *open_or_fail(const char *passphrase)
{
	struct wallet *wallet;
	struct oyez_error error = {0};
	assert_int_equal(wallet_open(home, passphrase, &wallet, &error), ERR_OK);
	return wallet;
}

static struct id add_intent(struct wallet *wallet, const char *details)
{
	struct id id;
	randombytes_buf(id.bytes, sizeof(id.bytes));
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	Oyez__Wallet__Intent *intent = wallet_add_intent(wallet);
	field_set_id(&intent->id, &id);
	field_set_text(&intent->details, details);
	assert_int_equal(wallet_commit(wallet, NULL), ERR_OK);
	return id;
}

static void read_bytes(const char *file, uint8_t **bytes, size_t *count)
{
	assert_int_equal(file_read(file, WALLET_FILE_BYTES_MAX, bytes, count, NULL), ERR_OK);
}

static void test_round_trip(void **state)
{
	(void)state;
	struct stat stat_now;
	assert_int_equal(wallet_create(home, "secret words", NULL), ERR_OK);
	assert_int_equal(wallet_create(home, "other", NULL), ERR_WALLET_EXISTS);
	assert_int_equal(stat(path, &stat_now), 0);
	assert_int_equal(stat_now.st_mode & 0777, 0600);
	assert_true(wallet_is_locked(home));

	struct wallet *wallet = open_or_fail("secret words");
	char large[200001];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	struct id small_id = add_intent(wallet, "sentinel"), large_id = add_intent(wallet, large);
	wallet_close(wallet);

	wallet = open_or_fail("secret words");
	assert_string_equal(wallet_intent(wallet, &small_id)->details, "sentinel");
	assert_string_equal(wallet_intent(wallet, &large_id)->details, large);
	wallet_close(wallet);
	uint8_t *bytes;
	size_t count;
	read_bytes(path, &bytes, &count);
	assert_null(memmem(bytes, count, "sentinel", 8));
	free(bytes);
}

static void test_passphrases(void **state)
{
	(void)state;
	struct wallet *wallet;
	assert_int_equal(wallet_open(home, "", &wallet, NULL), ERR_WALLET_MISSING);
	assert_int_equal(wallet_create(home, "right", NULL), ERR_OK);
	assert_int_equal(wallet_open(home, "wrong", &wallet, NULL), ERR_WALLET_LOCKED);
	assert_int_equal(wallet_open(home, "", &wallet, NULL), ERR_WALLET_LOCKED);
	assert_null(wallet);
}

static void test_every_cut_and_bit(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	assert_false(wallet_is_locked(home));
	struct wallet *wallet = open_or_fail("");
	add_intent(wallet, "x");
	wallet_close(wallet);
	uint8_t *bytes;
	size_t count;
	read_bytes(path, &bytes, &count);
	struct wallet_key key = {0};
	uint8_t *body;
	size_t body_bytes;
	for (size_t cut = 0; cut < count; cut++)
		assert_int_equal(wallet_decrypt(&key, "", bytes, cut, &body, &body_bytes), ERR_WALLET_DAMAGED);
	for (size_t bit = 0; bit < count * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		struct wallet_key fresh = {0};
		assert_int_not_equal(wallet_decrypt(&fresh, "", bytes, count, &body, &body_bytes), ERR_OK);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	assert_int_equal(wallet_decrypt(&key, "", bytes, count, &body, &body_bytes), ERR_OK);
	free(body);
	free(bytes);
}

// A file may ask for any amount of work; only sane amounts are done.
static void test_hostile_parameters(void **state)
{
	(void)state;
	uint8_t file[200] = "OYEZWLT";
	uint8_t *body;
	size_t body_bytes;
	struct wallet_key key = {0};
	file[11] = 1; // version
	file[15] = 1; // Argon2id
	file[23] = 2; // opslimit
	file[26] = 1; // memlimit 1 TiB
	assert_int_equal(wallet_decrypt(&key, "x", file, sizeof(file), &body, &body_bytes), ERR_WALLET_DAMAGED);
	file[26] = 0;
	file[28] = 4; // memlimit 64 MiB
	file[16] = 1; // opslimit huge
	assert_int_equal(wallet_decrypt(&key, "x", file, sizeof(file), &body, &body_bytes), ERR_WALLET_DAMAGED);
	file[11] = 9;
	assert_int_equal(wallet_decrypt(&key, "x", file, sizeof(file), &body, &body_bytes), ERR_BAD_VERSION);
}

static void test_abort_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	struct wallet *wallet = open_or_fail("");
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	wallet_add_intent(wallet);
	wallet_abort(wallet);
	assert_int_equal(wallet_records(wallet)->n_intents, 0);
	wallet_close(wallet);
}

// The disk is full in the middle of a write: the change fails, the old wallet stays, and later changes work.
static void test_failed_write(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	struct wallet *wallet = open_or_fail("");
	struct id kept = add_intent(wallet, "kept");
	struct rlimit before, tight;
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	tight = before;
	tight.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &tight);
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	field_set_text(&wallet_add_intent(wallet)->details, "lost");
	struct oyez_error error = {0};
	enum err err = wallet_commit(wallet, &error);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(err, ERR_IO);
	assert_int_equal(wallet_records(wallet)->n_intents, 1);
	assert_string_equal(wallet_intent(wallet, &kept)->details, "kept");
	add_intent(wallet, "after");
	wallet_close(wallet);
	wallet = open_or_fail("");
	assert_int_equal(wallet_records(wallet)->n_intents, 2);
	wallet_close(wallet);
}

// Killed at any moment: the file opens, with the old content or the new.
static void test_killed_while_writing(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	size_t least = 0;
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();
		if (child == 0) {
			struct wallet *wallet;
			if (wallet_open(home, "", &wallet, NULL))
				_exit(1);
			for (;;) {
				if (wallet_begin(wallet, NULL))
					_exit(2);
				wallet_add_intent(wallet);
				if (wallet_commit(wallet, NULL))
					_exit(3);
			}
		}
		usleep(randombytes_uniform(6000));
		kill(child, SIGKILL);
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		struct wallet *wallet = open_or_fail("");
		assert_true(wallet_records(wallet)->n_intents >= least);
		least = wallet_records(wallet)->n_intents;
		wallet_close(wallet);
	}
}

static void test_two_programs(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	struct wallet *first = open_or_fail(""), *second = open_or_fail("");
	struct id a = add_intent(first, "a"), b = add_intent(second, "b");
	assert_int_equal(wallet_load(first, NULL), ERR_OK);
	assert_non_null(wallet_intent(first, &a));
	assert_non_null(wallet_intent(first, &b));
	wallet_close(first);
	wallet_close(second);
}

// What a later version wrote is kept by this one: an unknown record of the file, an unknown field of an intent.
static void test_unknown_is_kept(void **state)
{
	(void)state;
	static const uint8_t future[] = {
	    0x08, 0x01,                                                   // version
	    0xfa, 0x01, 0x06, 'f',  'u',  't',  'u',  'r', 'e',           // field 31
	    0x1a, 0x09, 0x08, 0x01, 0xfa, 0x01, 0x04, 'm', 'o', 'r', 'e', // an intent with a field 31
	};
	struct wallet_key key;
	uint8_t *file;
	size_t count;
	assert_int_equal(wallet_key_new(&key, ""), ERR_OK);
	assert_int_equal(wallet_encrypt(&key, future, sizeof(future), &file, &count), ERR_OK);
	assert_int_equal(file_replace(path, file, count, true, NULL), ERR_OK);
	free(file);
	struct wallet *wallet = open_or_fail("");
	add_intent(wallet, "x");
	wallet_close(wallet);
	read_bytes(path, &file, &count);
	uint8_t *body;
	size_t body_bytes;
	assert_int_equal(wallet_decrypt(&key, "", file, count, &body, &body_bytes), ERR_OK);
	assert_non_null(memmem(body, body_bytes, "future", 6));
	assert_non_null(memmem(body, body_bytes, "more", 4));
	free(body);
	free(file);
}

static void test_backup(void **state)
{
	(void)state;
	char backup[128], other[128], target[160];
	snprintf(backup, sizeof(backup), "%s/backup", home);
	snprintf(other, sizeof(other), "%s-other", home);
	assert_int_equal(wallet_create(home, "words", NULL), ERR_OK);
	struct wallet *wallet = open_or_fail("words");
	struct id id = add_intent(wallet, "x");
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	Oyez__Wallet__File *file = wallet_records(wallet);
	Oyez__Wallet__Token unused = OYEZ__WALLET__TOKEN__INIT, spent = OYEZ__WALLET__TOKEN__INIT;
	Oyez__Wallet__Token *tokens[] = {&unused, &spent};
	unused.token = (ProtobufCBinaryData){.data = (uint8_t *)"unused", .len = 6};
	spent.token = (ProtobufCBinaryData){.data = (uint8_t *)"spent", .len = 5};
	spent.spent = true;
	file->tokens = tokens;
	file->n_tokens = 2;
	assert_int_equal(wallet_backup(wallet, backup, NULL), ERR_OK);
	assert_int_equal(wallet_backup(wallet, backup, NULL), ERR_IO);
	file->tokens = NULL;
	file->n_tokens = 0;
	wallet_abort(wallet);
	wallet_close(wallet);

	assert_int_equal(wallet_restore(home, "words", backup, NULL), ERR_WALLET_EXISTS);
	assert_int_equal(wallet_restore(other, "other words", backup, NULL), ERR_WALLET_LOCKED);
	assert_int_equal(wallet_restore(other, "words", backup, NULL), ERR_OK);
	assert_int_equal(wallet_open(other, "words", &wallet, NULL), ERR_OK);
	assert_non_null(wallet_intent(wallet, &id));
	assert_int_equal(wallet_records(wallet)->n_tokens, 1);
	assert_int_equal(wallet_records(wallet)->tokens[0]->token.len, 5);
	wallet_close(wallet);
	snprintf(target, sizeof(target), "%s/wallet", other);
	unlink(target);
	rmdir(other);
}

static void test_ids_as_typed(void **state)
{
	(void)state;
	assert_int_equal(wallet_create(home, "", NULL), ERR_OK);
	struct wallet *wallet = open_or_fail("");
	struct id ids[2], found;
	memset(ids, 0xab, sizeof(ids));
	ids[1].bytes[10] = 0;
	assert_int_equal(wallet_begin(wallet, NULL), ERR_OK);
	for (int i = 0; i < 2; i++)
		field_set_id(&wallet_add_intent(wallet)->id, &ids[i]);
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "ababab", &found, NULL), ERR_AMBIGUOUS);
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "ababababababababababAB", &found, NULL), ERR_OK);
	assert_true(id_equal(&found, &ids[0]));
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "abababababababababab00", &found, NULL), ERR_OK);
	assert_true(id_equal(&found, &ids[1]));
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "ababa", &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "", &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "nothex!", &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(wallet_resolve(wallet, WALLET_DEAL, "ababab", &found, NULL), ERR_NOT_FOUND);
	wallet_remove_intent(wallet, &ids[0]);
	assert_int_equal(wallet_resolve(wallet, WALLET_INTENT, "ababab", &found, NULL), ERR_OK);
	wallet_abort(wallet);
	wallet_close(wallet);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_round_trip),
	    TEST(test_passphrases),
	    TEST(test_every_cut_and_bit),
	    TEST(test_hostile_parameters),
	    TEST(test_abort_changes_nothing),
	    TEST(test_failed_write),
	    TEST(test_killed_while_writing),
	    TEST(test_two_programs),
	    TEST(test_unknown_is_kept),
	    TEST(test_backup),
	    TEST(test_ids_as_typed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
