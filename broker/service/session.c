// The table of read sessions: hash chains for finding, a list by last use for making room.
#include "session.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/cursor.h"

struct entry {
	struct session session;
	struct entry *chain;           // of its bucket
	struct entry *older, *younger; // by last use
};

struct sessions {
	pthread_mutex_t mutex;
	uint8_t secret[crypto_auth_KEYBYTES];
	struct entry **buckets;
	struct entry *oldest, *youngest;
	size_t bucket_count, count, max;
};

struct sessions *sessions_new(size_t max)
{
	struct sessions *sessions = calloc(1, sizeof *sessions);
	if (!sessions)
		return NULL;
	sessions->max = max;
	sessions->bucket_count = 1;
	while (sessions->bucket_count < max)
		sessions->bucket_count *= 2;
	sessions->buckets = calloc(sessions->bucket_count, sizeof *sessions->buckets);
	if (!sessions->buckets) {
		free(sessions);
		return NULL;
	}
	pthread_mutex_init(&sessions->mutex, NULL);
	crypto_auth_keygen(sessions->secret);
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	for (struct entry *entry = sessions->oldest, *next; entry; entry = next) {
		next = entry->younger;
		sodium_memzero(entry, sizeof *entry);
		free(entry);
	}
	pthread_mutex_destroy(&sessions->mutex);
	free(sessions->buckets);
	sodium_memzero(sessions, sizeof *sessions);
	free(sessions);
}

void challenge_make(const struct sessions *sessions, uint64_t now_ms, uint8_t challenge[CHALLENGE_BYTES])
{
	struct writer writer;
	writer_init(&writer, challenge, 8);
	writer_u64(&writer, now_ms);
	crypto_auth(challenge + 8, challenge, 8, sessions->secret);
}

bool challenge_check(const struct sessions *sessions, uint64_t now_ms, const uint8_t *challenge, size_t count)
{
	struct reader reader;
	if (count != CHALLENGE_BYTES || crypto_auth_verify(challenge + 8, challenge, 8, sessions->secret) != 0)
		return false;
	reader_init(&reader, challenge, 8);
	uint64_t issued_ms = reader_u64(&reader);
	return issued_ms <= now_ms && now_ms - issued_ms <= CHALLENGE_AGE_MS_MAX;
}

static struct entry **bucket_of(const struct sessions *sessions, const uint8_t *id)
{
	size_t hash; // ids are random
	memcpy(&hash, id, sizeof hash);
	return &sessions->buckets[hash & (sessions->bucket_count - 1)];
}

static void unlink_use(struct sessions *sessions, struct entry *entry)
{
	*(entry->older ? &entry->older->younger : &sessions->oldest) = entry->younger;
	*(entry->younger ? &entry->younger->older : &sessions->youngest) = entry->older;
}

static void link_youngest(struct sessions *sessions, struct entry *entry)
{
	entry->older = sessions->youngest;
	entry->younger = NULL;
	*(entry->older ? &entry->older->younger : &sessions->oldest) = entry;
	sessions->youngest = entry;
}

static void unchain(struct sessions *sessions, struct entry *entry)
{
	struct entry **at = bucket_of(sessions, entry->session.id);
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
}

// A place for one more: new memory, or that of the session unused for longest.
static struct entry *make_room(struct sessions *sessions)
{
	struct entry *entry = sessions->count < sessions->max ? calloc(1, sizeof *entry) : NULL;
	if (entry) {
		sessions->count++;
		return entry;
	}
	entry = sessions->oldest;
	if (!entry)
		abort(); // not even one
	unlink_use(sessions, entry);
	unchain(sessions, entry);
	return entry;
}

void sessions_open(struct sessions *sessions, const uint8_t vendor_key[KEY_BYTES], const uint8_t key[SESSION_KEY_BYTES],
                   uint64_t now_ms, struct session *out)
{
	randombytes_buf(out->id, sizeof out->id);
	memcpy(out->vendor_key, vendor_key, KEY_BYTES);
	memcpy(out->key, key, SESSION_KEY_BYTES);
	out->valid_until_ms = now_ms + SESSION_MS;
	pthread_mutex_lock(&sessions->mutex);
	struct entry *entry = make_room(sessions);
	entry->session = *out;
	struct entry **bucket = bucket_of(sessions, out->id);
	entry->chain = *bucket;
	*bucket = entry;
	link_youngest(sessions, entry);
	pthread_mutex_unlock(&sessions->mutex);
}

bool sessions_find(struct sessions *sessions, const uint8_t *id, size_t id_bytes, uint64_t now_ms, struct session *out)
{
	bool found = false;
	if (id_bytes != SESSION_ID_BYTES)
		return false;
	pthread_mutex_lock(&sessions->mutex);
	for (struct entry *entry = *bucket_of(sessions, id); entry && !found; entry = entry->chain) {
		if (memcmp(entry->session.id, id, SESSION_ID_BYTES) != 0)
			continue;
		if (entry->session.valid_until_ms <= now_ms)
			break;
		*out = entry->session;
		unlink_use(sessions, entry);
		link_youngest(sessions, entry);
		found = true;
	}
	pthread_mutex_unlock(&sessions->mutex);
	return found;
}
