// A small table under a lock. What is in it is public: the same for every wallet, which is its purpose.
#include "homes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

struct entry {
	struct home home; // its pointers are our own
	char url[URL_BYTES_MAX + 1];
	uint8_t *config;
};

struct homes {
	pthread_mutex_t mutex;
	struct entry entries[HOMES_MAX];
	size_t count;
};

struct homes *homes_new(void)
{
	struct homes *homes = calloc(1, sizeof *homes);
	if (homes)
		pthread_mutex_init(&homes->mutex, NULL);
	return homes;
}

void homes_free(struct homes *homes)
{
	if (!homes)
		return;
	for (size_t i = 0; i < homes->count; i++)
		free(homes->entries[i].config);
	pthread_mutex_destroy(&homes->mutex);
	free(homes);
}

static struct entry *find(struct homes *homes, const uint8_t key[KEY_BYTES])
{
	for (size_t i = 0; i < homes->count; i++)
		if (memcmp(homes->entries[i].home.key, key, KEY_BYTES) == 0)
			return &homes->entries[i];
	return NULL;
}

void homes_put(struct homes *homes, const struct home *home)
{
	uint8_t *config = malloc(home->config_bytes ? home->config_bytes : 1);
	if (!config)
		abort();
	if (home->config_bytes)
		memcpy(config, home->config, home->config_bytes);
	pthread_mutex_lock(&homes->mutex);
	struct entry *entry = find(homes, home->key);
	if (!entry && homes->count < HOMES_MAX)
		entry = &homes->entries[homes->count++];
	if (entry) {
		free(entry->config);
		entry->home = *home;
		strncpy(entry->url, home->url, URL_BYTES_MAX);
		entry->home.url = entry->url;
		entry->home.config = entry->config = config;
	} else {
		free(config);
	}
	pthread_mutex_unlock(&homes->mutex);
}

static Oyez__Home *describe(const struct entry *entry, struct arena *arena)
{
	Oyez__Home *home = arena_alloc(arena, sizeof *home);
	oyez__home__init(home);
	home->home_id = wire_bytes(arena_copy(arena, entry->home.key, KEY_BYTES), KEY_BYTES);
	home->url = arena_copy(arena, entry->url, strlen(entry->url) + 1);
	return home;
}

static enum err answer_one(struct homes *homes, ProtobufCBinaryData home_id, struct arena *arena, Oyez__Homes *message)
{
	const struct entry *entry = find(homes, home_id.data);
	if (!entry)
		return ERR_HOME_UNKNOWN;
	if (entry->home.err)
		return entry->home.err;
	Oyez__Home *home = describe(entry, arena);
	home->config = wire_unpack(arena, &oyez__signed__descriptor, entry->config, entry->home.config_bytes);
	message->items[message->n_items++] = home;
	return home->config ? ERR_OK : ERR_HOME_UNREACHABLE;
}

enum err homes_answer(struct homes *homes, ProtobufCBinaryData home_id, struct arena *arena, Oyez__GuardianReply *reply)
{
	Oyez__Homes *message = arena_alloc(arena, sizeof *message);
	oyez__homes__init(message);
	message->items = arena_alloc(arena, HOMES_MAX * sizeof *message->items);
	enum err err = ERR_OK;
	pthread_mutex_lock(&homes->mutex);
	if (home_id.len == KEY_BYTES)
		err = answer_one(homes, home_id, arena, message);
	for (size_t i = 0; home_id.len == 0 && i < homes->count; i++)
		message->items[message->n_items++] = describe(&homes->entries[i], arena);
	pthread_mutex_unlock(&homes->mutex);
	if (err)
		return err;
	reply->body_case = OYEZ__GUARDIAN_REPLY__BODY_HOMES;
	reply->homes = message;
	return ERR_OK;
}
