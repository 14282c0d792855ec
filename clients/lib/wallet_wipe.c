// Takes a wallet away: overwritten, then removed. On disks that write elsewhere than they are told (flash, copy on
// write) old blocks may stay for a while; who fears that encrypts the disk or the wallet.
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/lib/oyez.h"
#include "clients/lib/wallet.h"
#include "clients/lib/wallet_file.h"

enum { CHUNK_BYTES = 4096 };

static bool overwrite(int fd)
{
	uint8_t chunk[CHUNK_BYTES];
	struct stat state;
	if (fstat(fd, &state) != 0 || !S_ISREG(state.st_mode))
		return false;
	for (off_t at = 0; at < state.st_size; at += CHUNK_BYTES) {
		size_t bytes = state.st_size - at < CHUNK_BYTES ? (size_t)(state.st_size - at) : CHUNK_BYTES;
		randombytes_buf(chunk, bytes);
		if (pwrite(fd, chunk, bytes, at) != (ssize_t)bytes)
			return false;
	}
	return fsync(fd) == 0 && ftruncate(fd, 0) == 0 && fsync(fd) == 0;
}

// A file that is not there is no failure.
static enum err wipe_file(const char *path, struct oyez_error *error)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	bool done = fd >= 0 && overwrite(fd);
	if (fd >= 0)
		close(fd);
	if (!done || unlink(path) != 0)
		return oyez_error_set(error, ERR_IO, "%.180s: %s", path, strerror(errno));
	return ERR_OK;
}

enum err oyez_wallet_wipe(const char *home, struct oyez_error *error)
{
	static const char *const names[] = {"wallet", "wallet.new", "wallet.lock"};
	char path[4096], lock[4096];
	struct stat state;
	snprintf(path, sizeof(path), "%s/wallet", home);
	snprintf(lock, sizeof(lock), "%s/wallet.lock", home);
	if (lstat(path, &state) != 0 && errno == ENOENT)
		return oyez_error_set(error, ERR_WALLET_MISSING, "%.200s", path);
	// Another program in the middle of a change ends it first; afterwards it finds no wallet.
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	enum err err = ERR_OK;
	for (size_t i = 0; !err && i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", home, names[i]);
		err = wipe_file(path, error);
	}
	if (fd >= 0)
		close(fd);
	int directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0) {
		fsync(directory);
		close(directory);
	}
	return err;
}
