// Encryption and durable writing of the wallet's file; its layout stands in wallet_file.h.
#include "clients/lib/wallet_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/cursor.h"

#define MAGIC "OYEZWLT"
enum {
	VERSION = 1,
	KDF_NONE = 0,
	KDF_ARGON2ID13 = 1,
	CHECK_BYTES = 16,
	PREFIX_BYTES = 64,
	STREAM_HEADER_BYTES = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	TAG_BYTES = crypto_secretstream_xchacha20poly1305_ABYTES,
	CHUNK_BYTES = 64 * 1024,
};
// A file from elsewhere must not make this machine work or swap for minutes.
#define OPSLIMIT_MAX UINT64_C(16)
#define MEMLIMIT_MAX (UINT64_C(1) << 30)
// A tenth of a second on a small machine: every command derives once.
#define OPSLIMIT_NEW crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMLIMIT_NEW crypto_pwhash_MEMLIMIT_INTERACTIVE

enum err oyez_error_set(struct oyez_error *error, enum err code, const char *format, ...)
{
	if (!error)
		return code;
	error->code = code;
	error->detail[0] = 0;
	if (format) {
		va_list args;
		va_start(args, format);
		vsnprintf(error->detail, sizeof(error->detail), format, args);
		va_end(args);
	}
	return code;
}

// ---- keys

static enum err derive(struct wallet_key *key, const char *passphrase)
{
	key->derived = false;
	if (key->kdf == KDF_NONE)
		crypto_hash_sha256(key->key, key->salt, sizeof(key->salt));
	else if (crypto_pwhash(key->key, sizeof(key->key), passphrase, strlen(passphrase), key->salt, key->opslimit,
	                       (size_t)key->memlimit, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return ERR_NO_MEMORY;
	key->derived = true;
	return ERR_OK;
}

enum err wallet_key_new(struct wallet_key *key, const char *passphrase)
{
	memset(key, 0, sizeof(*key));
	randombytes_buf(key->salt, sizeof(key->salt));
	if (*passphrase) {
		key->kdf = KDF_ARGON2ID13;
		key->opslimit = OPSLIMIT_NEW;
		key->memlimit = MEMLIMIT_NEW;
	}
	return derive(key, passphrase);
}

void wallet_key_wipe(struct wallet_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

static void key_check(const struct wallet_key *key, uint8_t check[CHECK_BYTES])
{
	static const uint8_t label[] = "oyez wallet check";
	crypto_generichash(check, CHECK_BYTES, label, sizeof(label), key->key, sizeof(key->key));
}

// ---- the 64 bytes

static void prefix_write(const struct wallet_key *key, uint8_t prefix[PREFIX_BYTES])
{
	struct writer writer;
	uint8_t check[CHECK_BYTES];
	key_check(key, check);
	writer_init(&writer, prefix, PREFIX_BYTES);
	writer_bytes(&writer, MAGIC, sizeof(MAGIC));
	writer_u32(&writer, VERSION);
	writer_u32(&writer, key->kdf);
	writer_u64(&writer, key->opslimit);
	writer_u64(&writer, key->memlimit);
	writer_bytes(&writer, key->salt, sizeof(key->salt));
	writer_bytes(&writer, check, sizeof(check));
}

static enum err prefix_read(const uint8_t *file, size_t file_bytes, struct wallet_key *key, uint8_t check[CHECK_BYTES])
{
	struct reader reader;
	char magic[sizeof(MAGIC)];
	memset(key, 0, sizeof(*key));
	reader_init(&reader, file, file_bytes);
	reader_bytes(&reader, magic, sizeof(magic));
	uint32_t version = reader_u32(&reader);
	key->kdf = reader_u32(&reader);
	key->opslimit = reader_u64(&reader);
	key->memlimit = reader_u64(&reader);
	reader_bytes(&reader, key->salt, sizeof(key->salt));
	reader_bytes(&reader, check, CHECK_BYTES);
	if (reader.failed || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
		return ERR_WALLET_DAMAGED;
	if (version != VERSION)
		return ERR_BAD_VERSION;
	if (key->kdf == KDF_NONE)
		return ERR_OK;
	bool sane = key->kdf == KDF_ARGON2ID13 && key->opslimit >= crypto_pwhash_OPSLIMIT_MIN &&
	            key->opslimit <= OPSLIMIT_MAX && key->memlimit >= crypto_pwhash_MEMLIMIT_MIN &&
	            key->memlimit <= MEMLIMIT_MAX;
	return sane ? ERR_OK : ERR_WALLET_DAMAGED;
}

enum err wallet_needs_passphrase(const uint8_t *file, size_t file_bytes, bool *needed)
{
	struct wallet_key key;
	uint8_t check[CHECK_BYTES];
	enum err err = prefix_read(file, file_bytes, &key, check);
	*needed = !err && key.kdf != KDF_NONE;
	return err;
}

// ---- the body

enum err wallet_encrypt(const struct wallet_key *key, const uint8_t *body, size_t body_bytes, uint8_t **out,
                        size_t *out_bytes)
{
	size_t chunks = body_bytes / CHUNK_BYTES + 1;
	size_t total = PREFIX_BYTES + STREAM_HEADER_BYTES + body_bytes + chunks * TAG_BYTES;
	uint8_t *file = malloc(total);
	if (!file)
		return ERR_NO_MEMORY;
	prefix_write(key, file);
	crypto_secretstream_xchacha20poly1305_state state;
	crypto_secretstream_xchacha20poly1305_init_push(&state, file + PREFIX_BYTES, key->key);
	uint8_t *at = file + PREFIX_BYTES + STREAM_HEADER_BYTES;
	for (size_t i = 0; i < chunks; i++) {
		bool last = i + 1 == chunks;
		size_t count = last ? body_bytes % CHUNK_BYTES : CHUNK_BYTES;
		crypto_secretstream_xchacha20poly1305_push(&state, at, NULL, body + i * CHUNK_BYTES, count,
		                                           i == 0 ? file : NULL, i == 0 ? PREFIX_BYTES : 0,
		                                           last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
		at += count + TAG_BYTES;
	}
	sodium_memzero(&state, sizeof(state));
	*out = file;
	*out_bytes = total;
	return ERR_OK;
}

static enum err open_chunks(const struct wallet_key *key, const uint8_t *file, size_t file_bytes, uint8_t *body,
                            size_t *body_bytes)
{
	const uint8_t *at = file + PREFIX_BYTES + STREAM_HEADER_BYTES, *end = file + file_bytes;
	crypto_secretstream_xchacha20poly1305_state state;
	if (crypto_secretstream_xchacha20poly1305_init_pull(&state, file + PREFIX_BYTES, key->key) != 0)
		return ERR_WALLET_DAMAGED;
	enum err err = ERR_WALLET_DAMAGED;
	unsigned char tag = 0;
	bool first = true;
	*body_bytes = 0;
	while (at < end && tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
		size_t count = (size_t)(end - at);
		if (count > CHUNK_BYTES + TAG_BYTES)
			count = CHUNK_BYTES + TAG_BYTES;
		unsigned long long opened = 0;
		if (crypto_secretstream_xchacha20poly1305_pull(&state, body + *body_bytes, &opened, &tag, at, count,
		                                               first ? file : NULL, first ? PREFIX_BYTES : 0) != 0)
			goto out;
		*body_bytes += (size_t)opened;
		at += count;
		first = false;
	}
	if (at == end && tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
		err = ERR_OK;
out:
	sodium_memzero(&state, sizeof(state));
	return err;
}

enum err wallet_decrypt(struct wallet_key *key, const char *passphrase, const uint8_t *file, size_t file_bytes,
                        uint8_t **body, size_t *body_bytes)
{
	struct wallet_key found;
	uint8_t check[CHECK_BYTES], expected[CHECK_BYTES];
	enum err err = prefix_read(file, file_bytes, &found, check);
	if (err)
		return err;
	if (file_bytes < PREFIX_BYTES + STREAM_HEADER_BYTES + TAG_BYTES)
		return ERR_WALLET_DAMAGED;
	bool known = key->derived && key->kdf == found.kdf && key->opslimit == found.opslimit &&
	             key->memlimit == found.memlimit && memcmp(key->salt, found.salt, sizeof(key->salt)) == 0;
	if (!known) {
		if (found.kdf != KDF_NONE && !*passphrase)
			return ERR_WALLET_LOCKED;
		err = derive(&found, passphrase);
		if (err)
			return err;
		*key = found;
		wallet_key_wipe(&found);
	}
	key_check(key, expected);
	if (sodium_memcmp(check, expected, sizeof(check)) != 0) {
		key->derived = false;
		return ERR_WALLET_LOCKED;
	}
	*body = malloc(file_bytes);
	if (!*body)
		return ERR_NO_MEMORY;
	err = open_chunks(key, file, file_bytes, *body, body_bytes);
	if (err) {
		sodium_memzero(*body, file_bytes);
		free(*body);
		*body = NULL;
	}
	return err;
}

// ---- files

enum err file_read(const char *path, size_t bytes_max, uint8_t **bytes, size_t *count, struct oyez_error *error)
{
	*bytes = NULL;
	*count = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return oyez_error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.180s: %s", path, strerror(errno));
	struct stat stat;
	enum err err = ERR_OK;
	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		err = oyez_error_set(error, ERR_IO, "%.180s: not a plain file", path);
	else if ((uint64_t)stat.st_size > bytes_max)
		err = oyez_error_set(error, ERR_TOO_LARGE, "%.180s: at most %zu bytes", path, bytes_max);
	size_t size = err ? 0 : (size_t)stat.st_size;
	uint8_t *buffer = err ? NULL : malloc(size + 1);
	while (buffer && *count < size) {
		ssize_t got = read(fd, buffer + *count, size - *count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err = oyez_error_set(error, ERR_IO, "%.180s: %s", path, got ? strerror(errno) : "shorter than it was");
			break;
		}
		*count += (size_t)got;
	}
	close(fd);
	if (!err && !buffer)
		err = oyez_error_set(error, ERR_NO_MEMORY, NULL);
	if (err) {
		free(buffer);
		return err;
	}
	*bytes = buffer;
	return ERR_OK;
}

static bool write_all(int fd, const uint8_t *bytes, size_t count)
{
	while (count) {
		ssize_t wrote = write(fd, bytes, count);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		bytes += wrote;
		count -= (size_t)wrote;
	}
	return true;
}

static bool sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	free(copy);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced;
}

enum err file_replace(const char *path, const uint8_t *bytes, size_t count, bool exclusive, struct oyez_error *error)
{
	char *temporary = NULL;
	// One fixed name: what a crash leaves behind is overwritten by the next change.
	if (asprintf(&temporary, "%s.new", path) < 0)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	enum err err = ERR_OK;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written = fd >= 0 && write_all(fd, bytes, count) && fsync(fd) == 0;
	int cause = errno;
	if (fd >= 0 && close(fd) != 0 && written) {
		written = false;
		cause = errno;
	}
	if (written && (exclusive ? link(temporary, path) : rename(temporary, path)) != 0) {
		written = false;
		cause = errno;
	}
	if (!written)
		err = exclusive && cause == EEXIST ? oyez_error_set(error, ERR_WALLET_EXISTS, "%.200s", path)
		                                   : oyez_error_set(error, ERR_IO, "%.180s: %s", path, strerror(cause));
	if (fd >= 0 && (!written || exclusive))
		unlink(temporary);
	if (written && !sync_directory(path))
		err = oyez_error_set(error, ERR_IO, "%.180s: the directory cannot be synced", path);
	free(temporary);
	return err;
}
