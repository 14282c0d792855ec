// The vendor's home file on disk: sealed like a wallet (wallet_file.h), changed under a lock. What is in it stands in
// vendor_home.proto, and how its members are found and changed in vendor_home_state.c.
#include "clients/lib/vendor_home.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/lib/wallet_file.h"

struct sealed_file {
	char *path, *lock_path;
	char *passphrase;
	struct wallet_key key;
	int lock_fd;
	struct stat seen; // of the version in memory
};

static void file_free(struct sealed_file *file)
{
	if (file == NULL)
		return;
	if (file->lock_fd >= 0)
		close(file->lock_fd);
	if (file->passphrase != NULL)
		sodium_memzero(file->passphrase, strlen(file->passphrase));
	free(file->passphrase);
	free(file->path);
	free(file->lock_path);
	wallet_key_wipe(&file->key);
	free(file);
}

static struct sealed_file *file_new(const char *folder, const char *passphrase)
{
	struct sealed_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->lock_fd = -1;
	file->passphrase = strdup(passphrase != NULL ? passphrase : "");
	if (asprintf(&file->path, "%s/vendor", folder) < 0)
		file->path = NULL;
	if (asprintf(&file->lock_path, "%s/vendor.lock", folder) < 0)
		file->lock_path = NULL;
	if (file->path == NULL || file->lock_path == NULL || file->passphrase == NULL) {
		file_free(file);
		return NULL;
	}
	return file;
}

// The lock stands on a file of its own: the home itself is replaced at every change.
static enum err file_lock(struct sealed_file *file, struct oyez_error *error)
{
	if (file->lock_fd < 0)
		file->lock_fd = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->lock_fd < 0)
		return oyez_error_set(error, ERR_IO, "%.180s: %s", file->lock_path, strerror(errno));
	while (flock(file->lock_fd, LOCK_EX) != 0) {
		if (errno != EINTR)
			return oyez_error_set(error, ERR_IO, "%.180s: %s", file->lock_path, strerror(errno));
	}
	return ERR_OK;
}

static void file_unlock(struct sealed_file *file)
{
	if (file->lock_fd >= 0)
		flock(file->lock_fd, LOCK_UN);
}

static bool same_version(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum err state_write(struct sealed_file *file, const Oyez__VendorHome *state, bool exclusive,
                            struct oyez_error *error)
{
	size_t count = oyez__vendor_home__get_packed_size(state), sealed_bytes;
	uint8_t *body = malloc(count + 1), *sealed = NULL;
	enum err err;

	if (body == NULL)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	oyez__vendor_home__pack(state, body);
	err = wallet_encrypt(&file->key, body, count, &sealed, &sealed_bytes);
	sodium_memzero(body, count);
	free(body);
	if (err != ERR_OK)
		return oyez_error_set(error, err, NULL);
	err = file_replace(file->path, sealed, sealed_bytes, exclusive, error);
	free(sealed);
	return err;
}

static enum err state_decode(const uint8_t *body, size_t body_bytes, Oyez__VendorHome **out, struct oyez_error *error)
{
	Oyez__VendorHome *state = oyez__vendor_home__unpack(NULL, body_bytes, body);

	if (state == NULL || state->seed.len != 32 || state->listing.len == 0) {
		if (state != NULL)
			oyez__vendor_home__free_unpacked(state, NULL);
		return oyez_error_set(error, ERR_WALLET_DAMAGED, "the vendor's home");
	}
	if (state->version > VENDOR_HOME_VERSION) {
		oyez__vendor_home__free_unpacked(state, NULL);
		return oyez_error_set(error, ERR_BAD_VERSION, "the vendor's home was written by a later version");
	}
	*out = state;
	return ERR_OK;
}

static enum err state_read(struct vendor_home *home, struct oyez_error *error)
{
	struct sealed_file *file = home->file;
	uint8_t *sealed, *body = NULL;
	size_t sealed_bytes, body_bytes = 0;
	Oyez__VendorHome *state = NULL;
	struct stat now;
	enum err err;

	// Taken before reading: a change in between is then read once more rather than missed.
	if (stat(file->path, &now) != 0)
		return oyez_error_set(error, errno == ENOENT ? ERR_VENDOR_MISSING : ERR_IO, "%.200s", file->path);
	err = file_read(file->path, WALLET_FILE_BYTES_MAX, &sealed, &sealed_bytes, error);
	if (err != ERR_OK)
		return err;
	err = wallet_decrypt(&file->key, file->passphrase, sealed, sealed_bytes, &body, &body_bytes);
	free(sealed);
	if (err != ERR_OK)
		return oyez_error_set(error, err, "%.200s", file->path);
	err = state_decode(body, body_bytes, &state, error);
	sodium_memzero(body, body_bytes);
	free(body);
	if (err != ERR_OK)
		return err;
	if (home->state != NULL)
		oyez__vendor_home__free_unpacked(home->state, NULL);
	home->state = state;
	file->seen = now;
	return ERR_OK;
}

static enum err read_if_changed(struct vendor_home *home, struct oyez_error *error)
{
	struct stat now;

	if (home->state != NULL && stat(home->file->path, &now) == 0 && same_version(&now, &home->file->seen))
		return ERR_OK;
	return state_read(home, error);
}

// ---- the header's functions

static enum err make_folder(const char *folder, struct oyez_error *error)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
		return oyez_error_set(error, ERR_TOO_LARGE, "--home");
	for (char *at = path + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char kept = *at;

		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return oyez_error_set(error, ERR_IO, "%.180s: %s", path, strerror(errno));
		if (kept == '\0')
			return ERR_OK;
		*at = kept;
	}
}

enum err vendor_home_create(const char *folder, const char *passphrase, const Oyez__VendorHome *state,
                            struct oyez_error *error)
{
	struct sealed_file *file;
	enum err err = make_folder(folder, error);

	if (err != ERR_OK)
		return err;
	file = file_new(folder, passphrase);
	if (file == NULL)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	err = wallet_key_new(&file->key, file->passphrase);
	if (err != ERR_OK)
		oyez_error_set(error, err, NULL);
	else
		err = state_write(file, state, true, error);
	if (err == ERR_WALLET_EXISTS)
		err = oyez_error_set(error, ERR_VENDOR_EXISTS, "%.200s", file->path);
	file_free(file);
	return err;
}

enum err vendor_home_open(const char *folder, const char *passphrase, struct vendor_home **out,
                          struct oyez_error *error)
{
	struct vendor_home *home = calloc(1, sizeof(*home));
	enum err err;

	*out = NULL;
	if (home != NULL)
		home->file = file_new(folder, passphrase);
	if (home == NULL || home->file == NULL) {
		free(home);
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	}
	err = state_read(home, error);
	if (err != ERR_OK) {
		vendor_home_close(home);
		return err;
	}
	*out = home;
	return ERR_OK;
}

void vendor_home_close(struct vendor_home *home)
{
	if (home == NULL)
		return;
	if (home->state != NULL) {
		sodium_memzero(home->state->seed.data, home->state->seed.len);
		oyez__vendor_home__free_unpacked(home->state, NULL);
	}
	file_free(home->file);
	free(home);
}

enum err vendor_home_begin(struct vendor_home *home, struct oyez_error *error)
{
	enum err err;

	// Already begun: what is queued waits in it for the commit.
	if (home->locked)
		return ERR_OK;
	err = file_lock(home->file, error);
	if (err != ERR_OK)
		return err;
	err = read_if_changed(home, error);
	if (err != ERR_OK)
		file_unlock(home->file);
	else
		home->locked = true;
	return err;
}

enum err vendor_home_commit(struct vendor_home *home, struct oyez_error *error)
{
	enum err err = state_write(home->file, home->state, false, error);

	if (err != ERR_OK) {
		vendor_home_abandon(home);
		return err;
	}
	if (stat(home->file->path, &home->file->seen) != 0)
		memset(&home->file->seen, 0, sizeof(home->file->seen));
	home->locked = false;
	file_unlock(home->file);
	return ERR_OK;
}

static void overwrite(int fd)
{
	static const uint8_t zeros[4096];
	struct stat now;

	if (fstat(fd, &now) != 0)
		return;
	for (off_t at = 0; at < now.st_size;) {
		size_t count = now.st_size - at < (off_t)sizeof(zeros) ? (size_t)(now.st_size - at) : sizeof(zeros);
		ssize_t written = pwrite(fd, zeros, count, at);

		if (written <= 0)
			return;
		at += written;
	}
	(void)fdatasync(fd);
}

enum err vendor_home_commit_wiping(struct vendor_home *home, struct oyez_error *error)
{
	int before = open(home->file->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err err = vendor_home_commit(home, error);

	if (before >= 0 && err == ERR_OK)
		overwrite(before);
	if (before >= 0)
		close(before);
	return err;
}

void vendor_home_abandon(struct vendor_home *home)
{
	struct oyez_error ignored;

	// Memory may hold half a change: read again, or keep it until the next begin does.
	memset(&home->file->seen, 0, sizeof(home->file->seen));
	if (home->locked)
		(void)state_read(home, &ignored);
	home->locked = false;
	file_unlock(home->file);
}

enum err vendor_home_refresh(struct vendor_home *home, struct oyez_error *error)
{
	return home->locked ? ERR_OK : read_if_changed(home, error);
}
