// The other brokers of the configuration: what the store remembers of them, and the links to them.
//
// Named values in the store: "broker " ‖ key (64 digits) = number (8) ‖ hash (32) ‖ conflict (1) of the configuration
// record that was seen last. Example: 000000000000001c 8f0e...a1 00
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/cursor.h"
#include "daemon_internal.h"

enum { SEEN_BYTES = 8 + HASH_BYTES + 1, NAME_BYTES = 7 + 2 * KEY_BYTES + 1, REFRESH_REAL_MS_MIN = 200 };

static void name_of(const uint8_t key[KEY_BYTES], char name[NAME_BYTES])
{
	memcpy(name, "broker ", 7);
	hex_encode(key, KEY_BYTES, name + 7);
}

// Before the state thread has the store.
static void load_seen(struct broker *broker, struct link_target *targets, size_t count)
{
	struct arena arena;
	arena_init(&arena);
	store_begin(broker->store);
	for (size_t i = 0; i < count; i++) {
		char name[NAME_BYTES];
		struct bytes bytes;
		struct reader reader;
		name_of(targets[i].key, name);
		if (!store_meta_get(broker->store, name, &arena, &bytes) || bytes.count != SEEN_BYTES)
			continue;
		reader_init(&reader, bytes.at, bytes.count);
		targets[i].seen.number = reader_u64(&reader);
		reader_bytes(&reader, targets[i].seen.hash, HASH_BYTES);
		targets[i].seen.conflict = reader_u8(&reader) != 0;
	}
	store_abort(broker->store);
	arena_fini(&arena);
}

struct remembered {
	struct broker *broker;
	uint8_t key[KEY_BYTES];
	struct link_seen seen;
	uint32_t conflicts; // of all
};

// On the state thread, between batches.
static void remember(void *context, struct service *service)
{
	struct remembered *remembered = context;
	struct store *store = remembered->broker->store;
	char name[NAME_BYTES];
	uint8_t row[SEEN_BYTES];
	struct writer writer;
	service_note_conflicts(service, remembered->conflicts);
	name_of(remembered->key, name);
	writer_init(&writer, row, sizeof(row));
	writer_u64(&writer, remembered->seen.number);
	writer_bytes(&writer, remembered->seen.hash, HASH_BYTES);
	writer_u8(&writer, remembered->seen.conflict);
	store_begin(store);
	store_meta_put(store, name, row, writer_count(&writer));
	if (store_commit(store) != ERR_OK)
		log_event(LOG_WARN, "configuration_not_remembered", LOG_TEXT("broker", name + 7));
	free(remembered);
}

// On the state thread.
static void on_push(void *context, struct push_batch *batch)
{
	pushes_add(context, batch);
}

void links_serve(struct broker *broker)
{
	if (broker->pushes)
		sequencer_push_to(broker->sequencer, on_push, broker->pushes);
}

static void on_seen(void *context, const uint8_t key[KEY_BYTES], const struct link_seen *seen)
{
	struct broker *broker = context;
	struct remembered *remembered = malloc(sizeof(*remembered));
	if (!remembered)
		abort();
	struct links_numbers numbers;
	links_numbers(broker->links, &numbers);
	*remembered = (struct remembered){.broker = broker, .seen = *seen, .conflicts = (uint32_t)numbers.conflicts};
	memcpy(remembered->key, key, KEY_BYTES);
	if (!broker->sequencer || !sequencer_post(broker->sequencer, remember, remembered))
		free(remembered);
}

static void add(struct link_target *targets, size_t *count, const struct config_broker *broker, bool is_home)
{
	struct link_target *target = &targets[(*count)++];
	*target = (struct link_target){.url = broker->url, .is_home = is_home, .is_guardian = !is_home};
	memcpy(target->key, broker->key, KEY_BYTES);
}

bool links_start(struct broker *broker, const struct config *config)
{
	struct link_target targets[LINKS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < config->home_count; i++)
		add(targets, &count, &config->homes[i], true);
	for (size_t i = 0; i < config->guardian_count; i++)
		add(targets, &count, &config->guardians[i], false);
	if (count == 0)
		return true;
	load_seen(broker, targets, count);
	uint32_t conflicts = 0;
	for (size_t i = 0; i < count; i++)
		conflicts += targets[i].seen.conflict;
	service_note_conflicts(broker->service, conflicts);
	uint64_t refresh_ms = clock_real_ms(MINUTE_MS);
	struct links_options options = {
	    .loop = &broker->loop,
	    .homes = verifier_homes(broker->verifier),
	    .targets = targets,
	    .target_count = count,
	    .refresh_ms = refresh_ms > REFRESH_REAL_MS_MIN ? refresh_ms : REFRESH_REAL_MS_MIN,
	    .seen = on_seen,
	    .context = broker,
	};
	const char *failed = "";
	enum err err = links_open(&options, &broker->links, &failed);
	if (err == ERR_OK) {
		broker->pushes = pushes_new(&broker->loop, broker->links, &broker->identity.pair);
		return true;
	}
	log_event(LOG_ERROR, "start_failed", LOG_TEXT("problem", "the address of another broker cannot be dialled"),
	          LOG_TEXT("where", failed), LOG_TEXT("hint", "write tcp://HOST:PORT#KEY"));
	return false;
}
