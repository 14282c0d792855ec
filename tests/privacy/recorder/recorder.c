// Preloaded into one party's process, writes down every byte that party handles: what comes and goes on sockets, what is
// written to files, who connects, what is opened or sealed by the ciphers and what is signed or checked. The test then
// searches it for each secret. Nothing of it is part of the product.
//
// Sees calls to shared libraries only, so the party must link libsodium and libc dynamically, as oyezd and oyez do.
//
// OYEZ_RECORD names the file (".PID" is added). Entries: kind (1) ‖ channel (4) ‖ length (4) ‖ bytes, little-endian:
//   'r','s' received and sent on socket `channel` (a number of its own for every connection)
//   'a' an address that connected, as text         'w' written to a file
//   'p' opened by a cipher, 'e' given to a cipher   'g' signed or its signature checked
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 65536 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int record_fd = -1;
static uint32_t channels[FILES_MAX], channel_count;

static void raw_write(const void *bytes, size_t count)
{
	for (const uint8_t *at = bytes; count > 0;) {
		long done = syscall(SYS_write, record_fd, at, count);
		if (done <= 0)
			abort();
		at += done;
		count -= (size_t)done;
	}
}

static void note(char kind, uint32_t channel, const void *bytes, size_t count)
{
	if (record_fd < 0 || count == 0)
		return;
	uint8_t head[9] = {(uint8_t)kind};
	uint32_t length = (uint32_t)count;
	memcpy(head + 1, &channel, 4);
	memcpy(head + 5, &length, 4);
	pthread_mutex_lock(&mutex);
	raw_write(head, sizeof head);
	raw_write(bytes, count);
	pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("OYEZ_RECORD");
	char path[4096];
	if (!name)
		return;
	snprintf(path, sizeof path, "%s.%d", name, (int)getpid());
	record_fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (record_fd < 0)
		abort();
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		abort();
	return found;
}

// ---- connections

static void name_channel(int fd)
{
	if (fd < 0 || fd >= FILES_MAX)
		return;
	pthread_mutex_lock(&mutex);
	channels[fd] = ++channel_count;
	pthread_mutex_unlock(&mutex);
}

// 0 for what is no socket, or was none when it was opened.
static uint32_t channel_of(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? channels[fd] : 0;
}

static void note_parts(char kind, int fd, const struct iovec *parts, size_t count, size_t bytes)
{
	for (size_t i = 0; i < count && bytes > 0; i++) {
		size_t here = parts[i].iov_len < bytes ? parts[i].iov_len : bytes;
		note(kind, channel_of(fd), parts[i].iov_base, here);
		bytes -= here;
	}
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	struct sockaddr_storage from = {0};
	socklen_t from_length = sizeof from;
	char text[INET6_ADDRSTRLEN] = "";
	int taken = REAL(accept4)(fd, (struct sockaddr *)&from, &from_length, flags);
	if (taken < 0)
		return taken;
	name_channel(taken);
	if (from.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&from)->sin_addr, text, sizeof text);
	else if (from.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&from)->sin6_addr, text, sizeof text);
	note('a', channel_of(taken), text, strlen(text));
	if (address && length) {
		memcpy(address, &from, *length < from_length ? *length : from_length);
		*length = from_length;
	}
	return taken;
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
	return accept4(fd, address, length, 0);
}

// A party that runs on this machine like all others can be given an address of its own: OYEZ_RECORD_FROM.
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	const char *from = getenv("OYEZ_RECORD_FROM");
	if (from && address->sa_family == AF_INET) {
		struct sockaddr_in own = {.sin_family = AF_INET};
		if (inet_pton(AF_INET, from, &own.sin_addr) == 1)
			(void)!bind(fd, (struct sockaddr *)&own, sizeof own);
	}
	if (address->sa_family == AF_INET || address->sa_family == AF_INET6)
		name_channel(fd);
	return REAL(connect)(fd, address, length);
}

#define TOOK(kind, fd, buffer, result)                                                                                 \
	do {                                                                                                               \
		if ((result) > 0 && channel_of(fd))                                                                            \
			note(kind, channel_of(fd), buffer, (size_t)(result));                                                      \
	} while (0)

ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
	ssize_t got = REAL(recv)(fd, buffer, count, flags);
	TOOK('r', fd, buffer, got);
	return got;
}

ssize_t read(int fd, void *buffer, size_t count)
{
	ssize_t got = REAL(read)(fd, buffer, count);
	TOOK('r', fd, buffer, got);
	return got;
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
	ssize_t got = REAL(readv)(fd, parts, count);
	if (got > 0 && channel_of(fd))
		note_parts('r', fd, parts, (size_t)count, (size_t)got);
	return got;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got = REAL(recvmsg)(fd, message, flags);
	if (got > 0 && channel_of(fd))
		note_parts('r', fd, message->msg_iov, message->msg_iovlen, (size_t)got);
	return got;
}

ssize_t send(int fd, const void *buffer, size_t count, int flags)
{
	ssize_t sent = REAL(send)(fd, buffer, count, flags);
	TOOK('s', fd, buffer, sent);
	return sent;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = REAL(sendmsg)(fd, message, flags);
	if (sent > 0 && channel_of(fd))
		note_parts('s', fd, message->msg_iov, message->msg_iovlen, (size_t)sent);
	return sent;
}

// ---- files

static void wrote(int fd, const void *buffer, ssize_t count)
{
	if (count > 0)
		note(channel_of(fd) ? 's' : 'w', channel_of(fd), buffer, (size_t)count);
}

ssize_t write(int fd, const void *buffer, size_t count)
{
	ssize_t done = REAL(write)(fd, buffer, count);
	wrote(fd, buffer, done);
	return done;
}

ssize_t pwrite(int fd, const void *buffer, size_t count, off_t at)
{
	ssize_t done = REAL(pwrite)(fd, buffer, count, at);
	wrote(fd, buffer, done);
	return done;
}

ssize_t pwrite64(int fd, const void *buffer, size_t count, off_t at)
{
	ssize_t done = REAL(pwrite)(fd, buffer, count, at);
	wrote(fd, buffer, done);
	return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ssize_t done = REAL(writev)(fd, parts, count);
	if (done > 0)
		note_parts(channel_of(fd) ? 's' : 'w', fd, parts, (size_t)count, (size_t)done);
	return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	ssize_t done = REAL(pwritev)(fd, parts, count, at);
	if (done > 0)
		note_parts('w', fd, parts, (size_t)count, (size_t)done);
	return done;
}

int close(int fd)
{
	if (fd == record_fd && record_fd >= 0)
		return 0; // those who close everything before they begin
	if (fd >= 0 && fd < FILES_MAX)
		channels[fd] = 0;
	return REAL(close)(fd);
}

// ---- ciphers and signatures (libsodium's signatures, without its header: only what is recorded matters)

#define CIPHER(name)                                                                                                   \
	int name##_encrypt(unsigned char *c, unsigned long long *c_bytes, const unsigned char *m,                          \
	                   unsigned long long m_bytes, const unsigned char *ad, unsigned long long ad_bytes,               \
	                   const unsigned char *nsec, const unsigned char *nonce, const unsigned char *key);               \
	int name##_encrypt(unsigned char *c, unsigned long long *c_bytes, const unsigned char *m,                          \
	                   unsigned long long m_bytes, const unsigned char *ad, unsigned long long ad_bytes,               \
	                   const unsigned char *nsec, const unsigned char *nonce, const unsigned char *key)                \
	{                                                                                                                  \
		note('e', 0, m, m_bytes);                                                                                      \
		note('e', 0, ad, ad ? ad_bytes : 0);                                                                           \
		return REAL(name##_encrypt)(c, c_bytes, m, m_bytes, ad, ad_bytes, nsec, nonce, key);                           \
	}                                                                                                                  \
	int name##_decrypt(unsigned char *m, unsigned long long *m_bytes, unsigned char *nsec, const unsigned char *c,     \
	                   unsigned long long c_bytes, const unsigned char *ad, unsigned long long ad_bytes,               \
	                   const unsigned char *nonce, const unsigned char *key);                                          \
	int name##_decrypt(unsigned char *m, unsigned long long *m_bytes, unsigned char *nsec, const unsigned char *c,     \
	                   unsigned long long c_bytes, const unsigned char *ad, unsigned long long ad_bytes,               \
	                   const unsigned char *nonce, const unsigned char *key)                                           \
	{                                                                                                                  \
		int bad = REAL(name##_decrypt)(m, m_bytes, nsec, c, c_bytes, ad, ad_bytes, nonce, key);                        \
		if (!bad)                                                                                                      \
			note('p', 0, m, c_bytes - 16);                                                                             \
		return bad;                                                                                                    \
	}

CIPHER(crypto_aead_chacha20poly1305_ietf)
CIPHER(crypto_aead_xchacha20poly1305_ietf)

int crypto_sign_detached(unsigned char *signature, unsigned long long *signature_bytes, const unsigned char *m,
                         unsigned long long m_bytes, const unsigned char *key);
int crypto_sign_detached(unsigned char *signature, unsigned long long *signature_bytes, const unsigned char *m,
                         unsigned long long m_bytes, const unsigned char *key)
{
	note('g', 0, m, m_bytes);
	return REAL(crypto_sign_detached)(signature, signature_bytes, m, m_bytes, key);
}

int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *m, unsigned long long m_bytes,
                                const unsigned char *key);
int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *m, unsigned long long m_bytes,
                                const unsigned char *key)
{
	note('g', 0, m, m_bytes);
	note('g', 0, key, 32);
	return REAL(crypto_sign_verify_detached)(signature, m, m_bytes, key);
}
