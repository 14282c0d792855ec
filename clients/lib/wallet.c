// Opening, locking, writing, backing up. What the records mean is not known here.
#include "clients/lib/wallet.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/lib/wallet_file.h"

enum { FILE_VERSION = 1 };

struct wallet {
	char *path, *lock_path;
	char *passphrase;
	struct wallet_key key;
	Oyez__Wallet__File *file;
	struct stat seen; // of the file the records came from; st_ino 0: none
	int lock_fd;      // -1 unless between begin and commit
};

// ---- memory that is wiped

void *wallet_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);
	if (!memory)
		abort();
	return memory;
}

static void *allocator_alloc(void *unused, size_t bytes)
{
	(void)unused;
	return wallet_alloc(bytes);
}

static void allocator_free(void *unused, void *memory)
{
	(void)unused;
	if (memory)
		sodium_memzero(memory, malloc_usable_size(memory));
	free(memory);
}

ProtobufCAllocator wallet_allocator = {.alloc = allocator_alloc, .free = allocator_free};

static void free_secret(void *bytes, size_t count)
{
	if (bytes)
		sodium_memzero(bytes, count);
	free(bytes);
}

// ---- paths

static enum err make_directories(const char *home, struct oyez_error *error)
{
	char *path = strdup(home);
	if (!path)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	enum err err = ERR_OK;
	for (char *at = path + 1; !err && *at; at++) {
		if (*at != '/')
			continue;
		*at = 0;
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			err = oyez_error_set(error, ERR_IO, "%.180s: %s", path, strerror(errno));
		*at = '/';
	}
	if (!err && mkdir(path, 0700) != 0 && errno != EEXIST)
		err = oyez_error_set(error, ERR_IO, "%.180s: %s", path, strerror(errno));
	free(path);
	return err;
}

static char *path_in(const char *home, const char *name)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s", home, name) < 0)
		abort();
	return path;
}

// ---- writing

static enum err write_file(const char *path, const struct wallet_key *key, const Oyez__Wallet__File *file,
                           bool exclusive, struct oyez_error *error)
{
	size_t body_bytes = oyez__wallet__file__get_packed_size(file);
	uint8_t *body = wallet_alloc(body_bytes), *bytes = NULL;
	size_t count = 0;
	oyez__wallet__file__pack(file, body);
	enum err err = wallet_encrypt(key, body, body_bytes, &bytes, &count);
	free_secret(body, body_bytes);
	if (err)
		return oyez_error_set(error, err, NULL);
	if (count > WALLET_FILE_BYTES_MAX)
		err = oyez_error_set(error, ERR_TOO_LARGE, "the wallet: at most %d bytes", WALLET_FILE_BYTES_MAX);
	else
		err = file_replace(path, bytes, count, exclusive, error);
	free(bytes);
	return err;
}

enum err wallet_create(const char *home, const char *passphrase, struct oyez_error *error)
{
	enum err err = make_directories(home, error);
	if (err)
		return err;
	struct wallet_key key;
	err = wallet_key_new(&key, passphrase);
	if (err)
		return oyez_error_set(error, err, NULL);
	Oyez__Wallet__File file = OYEZ__WALLET__FILE__INIT;
	file.version = FILE_VERSION;
	char *path = path_in(home, "wallet");
	err = write_file(path, &key, &file, true, error);
	free(path);
	wallet_key_wipe(&key);
	return err;
}

// ---- reading

static void drop_records(struct wallet *wallet)
{
	if (wallet->file)
		oyez__wallet__file__free_unpacked(wallet->file, &wallet_allocator);
	wallet->file = NULL;
	memset(&wallet->seen, 0, sizeof(wallet->seen));
}

static enum err decode(struct wallet_key *key, const char *passphrase, const uint8_t *bytes, size_t count,
                       Oyez__Wallet__File **file)
{
	uint8_t *body;
	size_t body_bytes;
	enum err err = wallet_decrypt(key, passphrase, bytes, count, &body, &body_bytes);
	if (err)
		return err;
	*file = oyez__wallet__file__unpack(&wallet_allocator, body_bytes, body);
	free_secret(body, count);
	return *file ? ERR_OK : ERR_WALLET_DAMAGED;
}

static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_ino && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool wallet_changed(const struct wallet *wallet)
{
	struct stat now;
	return stat(wallet->path, &now) == 0 && !unchanged(&wallet->seen, &now);
}

enum err wallet_load(struct wallet *wallet, struct oyez_error *error)
{
	struct stat now;
	if (stat(wallet->path, &now) != 0)
		return oyez_error_set(error, errno == ENOENT ? ERR_WALLET_MISSING : ERR_IO, "%.200s", wallet->path);
	if (wallet->file && unchanged(&wallet->seen, &now))
		return ERR_OK;
	uint8_t *bytes;
	size_t count;
	enum err err = file_read(wallet->path, WALLET_FILE_BYTES_MAX, &bytes, &count, error);
	if (err)
		return err;
	Oyez__Wallet__File *file = NULL;
	err = decode(&wallet->key, wallet->passphrase, bytes, count, &file);
	free(bytes);
	if (err)
		return oyez_error_set(error, err, "%.200s", wallet->path);
	drop_records(wallet);
	wallet->file = file;
	wallet->seen = now;
	return ERR_OK;
}

enum err wallet_open(const char *home, const char *passphrase, struct wallet **out, struct oyez_error *error)
{
	struct wallet *wallet = wallet_alloc(sizeof(*wallet));
	wallet->path = path_in(home, "wallet");
	wallet->lock_path = path_in(home, "wallet.lock");
	wallet->passphrase = strdup(passphrase);
	wallet->lock_fd = -1;
	enum err err = wallet_load(wallet, error);
	if (err) {
		wallet_close(wallet);
		*out = NULL;
		return err;
	}
	*out = wallet;
	return ERR_OK;
}

void wallet_close(struct wallet *wallet)
{
	if (!wallet)
		return;
	drop_records(wallet);
	if (wallet->lock_fd >= 0)
		close(wallet->lock_fd);
	if (wallet->passphrase)
		free_secret(wallet->passphrase, strlen(wallet->passphrase));
	wallet_key_wipe(&wallet->key);
	free(wallet->path);
	free(wallet->lock_path);
	free(wallet);
}

bool wallet_is_locked(const char *home)
{
	char *path = path_in(home, "wallet");
	uint8_t *bytes = NULL;
	size_t count = 0;
	bool needed = false;
	if (file_read(path, WALLET_FILE_BYTES_MAX, &bytes, &count, NULL) == ERR_OK)
		wallet_needs_passphrase(bytes, count, &needed);
	free(bytes);
	free(path);
	return needed;
}

Oyez__Wallet__File *wallet_records(struct wallet *wallet)
{
	return wallet->file;
}

// ---- changing

enum err wallet_begin(struct wallet *wallet, struct oyez_error *error)
{
	int fd = open(wallet->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return oyez_error_set(error, ERR_IO, "%.180s: %s", wallet->lock_path, strerror(errno));
	int locked;
	do
		locked = flock(fd, LOCK_EX);
	while (locked != 0 && errno == EINTR);
	enum err err =
	    locked == 0 ? ERR_OK : oyez_error_set(error, ERR_IO, "%.180s: %s", wallet->lock_path, strerror(errno));
	if (!err)
		err = wallet_load(wallet, error);
	if (err) {
		close(fd);
		return err;
	}
	wallet->lock_fd = fd;
	return ERR_OK;
}

static void unlock(struct wallet *wallet)
{
	close(wallet->lock_fd);
	wallet->lock_fd = -1;
}

enum err wallet_commit(struct wallet *wallet, struct oyez_error *error)
{
	enum err err = write_file(wallet->path, &wallet->key, wallet->file, false, error);
	// On failure the records in memory are ahead of the file: drop them, the next load takes what is on disk.
	if (err || stat(wallet->path, &wallet->seen) != 0)
		drop_records(wallet);
	unlock(wallet);
	if (!wallet->file && !err)
		err = wallet_load(wallet, error);
	else if (err)
		wallet_load(wallet, NULL);
	return err;
}

void wallet_abort(struct wallet *wallet)
{
	drop_records(wallet);
	unlock(wallet);
	wallet_load(wallet, NULL);
}

// ---- backup

enum err wallet_backup(struct wallet *wallet, const char *path, struct oyez_error *error)
{
	enum err err = wallet_load(wallet, error);
	if (err)
		return err;
	Oyez__Wallet__File copy = *wallet->file;
	Oyez__Wallet__Token **spent = wallet_alloc((copy.n_tokens + 1) * sizeof(*spent));
	size_t count = 0;
	for (size_t i = 0; i < copy.n_tokens; i++) {
		if (copy.tokens[i]->spent)
			spent[count++] = copy.tokens[i];
	}
	copy.tokens = spent;
	copy.n_tokens = count;
	copy.batches = NULL;
	copy.n_batches = 0;
	err = write_file(path, &wallet->key, &copy, true, error);
	free(spent);
	if (err == ERR_WALLET_EXISTS)
		err = oyez_error_set(error, ERR_IO, "%.180s: there is already such a file", path);
	return err;
}

enum err wallet_restore(const char *home, const char *passphrase, const char *path, struct oyez_error *error)
{
	uint8_t *bytes;
	size_t count;
	enum err err = file_read(path, WALLET_FILE_BYTES_MAX, &bytes, &count, error);
	if (err)
		return err == ERR_NOT_FOUND ? oyez_error_set(error, ERR_IO, "%.180s: there is no such file", path) : err;
	struct wallet_key key = {0};
	Oyez__Wallet__File *file = NULL;
	err = decode(&key, passphrase, bytes, count, &file);
	wallet_key_wipe(&key);
	if (file)
		oyez__wallet__file__free_unpacked(file, &wallet_allocator);
	if (err)
		oyez_error_set(error, err, "%.200s", path);
	else
		err = make_directories(home, error);
	if (!err) {
		char *target = path_in(home, "wallet");
		err = file_replace(target, bytes, count, true, error);
		free(target);
	}
	free(bytes);
	return err;
}
