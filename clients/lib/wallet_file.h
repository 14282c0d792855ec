// The wallet's file: encryption of one body of bytes under a passphrase, and writing that survives a power cut.
// Knows nothing of what the body means.
//
//   magic "OYEZWLT" 0  version (4)  kdf (4)  opslimit (8)  memlimit (8)  salt (16)  check (16)      64 bytes,
//   secretstream header (24)                                                                         big-endian
//   chunks: 64 KiB of plaintext, each 17 bytes longer; the last one (perhaps empty) carries TAG_FINAL.
//   The 64 bytes are the first chunk's additional data.
//
// kdf 1: key = Argon2id13(passphrase, salt). kdf 0 (empty passphrase): key = SHA-256(salt), so the encryption hides
// nothing and the file's mode 0600 is the protection. `check` tells a wrong passphrase from a damaged file.
#ifndef OYEZ_CLIENT_WALLET_FILE_H
#define OYEZ_CLIENT_WALLET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/lib/transport.h"

enum { WALLET_SALT_BYTES = 16, WALLET_KEY_BYTES = 32, WALLET_FILE_BYTES_MAX = 64 * 1024 * 1024 };

// How a key came about, and the key.
struct wallet_key {
	uint32_t kdf;
	uint64_t opslimit, memlimit;
	uint8_t salt[WALLET_SALT_BYTES];
	uint8_t key[WALLET_KEY_BYTES];
	bool derived;
};

// A fresh salt, and the key for this passphrase. ERR_NO_MEMORY.
enum err wallet_key_new(struct wallet_key *key, const char *passphrase);
void wallet_key_wipe(struct wallet_key *key);

// *out is malloc'd.
enum err wallet_encrypt(const struct wallet_key *key, const uint8_t *body, size_t body_bytes, uint8_t **out,
                        size_t *out_bytes);
// Derives `key` anew only when the file's parameters differ from those it holds. *body is malloc'd: wipe and free it.
// ERR_WALLET_LOCKED, ERR_WALLET_DAMAGED, ERR_NO_MEMORY.
enum err wallet_decrypt(struct wallet_key *key, const char *passphrase, const uint8_t *file, size_t file_bytes,
                        uint8_t **body, size_t *body_bytes);
// Does the file ask for a passphrase at all?
enum err wallet_needs_passphrase(const uint8_t *file, size_t file_bytes, bool *needed);

// Reads a whole file; *bytes is malloc'd. ERR_NOT_FOUND when there is none, ERR_IO, ERR_TOO_LARGE.
enum err file_read(const char *path, size_t bytes_max, uint8_t **bytes, size_t *count, struct oyez_error *error);
// Old content or new, never a mixture: temporary file in the same directory, fsync, rename, fsync of the directory.
// Mode 0600. With `exclusive` an existing file stays as it is: ERR_WALLET_EXISTS.
enum err file_replace(const char *path, const uint8_t *bytes, size_t count, bool exclusive, struct oyez_error *error);

enum err oyez_error_set(struct oyez_error *error, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
