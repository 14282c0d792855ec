// A wallet's cell on its way to its home broker: who may relay, and how fast. The cell leaves after the commit as an
// effect of the form REPLY_RELAY; the edge hands it to the link of that home, and answers the wallet.
#include <stdlib.h>

#include "internal.h"

enum {
	RELAY_BURST = 60,
	RELAY_PER_MINUTE = 60,
	ACCOUNTS_PER_GENERATION = 1 << 20, // more in one minute: busy
};

// Token buckets of accounts that relayed lately. An account that neither generation knows has a full bucket: a
// generation lasts as long as a bucket takes to fill.
struct bucket {
	uint64_t at_ms; // when `milli` was worked out
	uint32_t milli; // thousandths of a cell
};

struct generation {
	struct id_map numbers;
	struct bucket *buckets;
	uint32_t count, room;
};

struct relay_limits {
	struct generation young, old;
	uint64_t young_since_ms;
};

static void generation_free(struct generation *generation)
{
	id_map_clear(&generation->numbers);
	free(generation->buckets);
	*generation = (struct generation){0};
}

void relay_limits_free(struct relay_limits *limits)
{
	if (!limits)
		return;
	generation_free(&limits->young);
	generation_free(&limits->old);
	free(limits);
}

static void turn(struct relay_limits *limits, uint64_t now_ms)
{
	if (now_ms < limits->young_since_ms + MINUTE_MS)
		return;
	generation_free(&limits->old);
	limits->old = limits->young;
	limits->young = (struct generation){0};
	if (now_ms >= limits->young_since_ms + 2 * MINUTE_MS)
		generation_free(&limits->old);
	limits->young_since_ms = now_ms;
}

static struct bucket *find(const struct generation *generation, const struct id *account)
{
	uint32_t number;
	return id_map_find(&generation->numbers, account, &number) ? &generation->buckets[number] : NULL;
}

// The account's bucket among the young ones, as full as it was; NULL when there are too many accounts.
static struct bucket *bucket_of(struct relay_limits *limits, const struct id *account, uint64_t now_ms)
{
	struct generation *young = &limits->young;
	struct bucket *bucket = find(young, account);
	if (bucket)
		return bucket;
	if (young->count == ACCOUNTS_PER_GENERATION)
		return NULL;
	if (young->count == young->room) {
		young->room = young->room ? 2 * young->room : 64;
		young->buckets = realloc(young->buckets, young->room * sizeof *young->buckets);
		if (!young->buckets)
			abort();
	}
	const struct bucket *before = find(&limits->old, account);
	bucket = &young->buckets[young->count];
	*bucket = before ? *before : (struct bucket){now_ms, RELAY_BURST * 1000};
	id_map_put(&young->numbers, account, young->count++);
	return bucket;
}

enum err relay_spend(struct service *service, const struct id *account)
{
	if (!service->relay_limits && !(service->relay_limits = calloc(1, sizeof *service->relay_limits)))
		return ERR_NO_MEMORY;
	uint64_t now_ms = service->now_ms;
	turn(service->relay_limits, now_ms);
	struct bucket *bucket = bucket_of(service->relay_limits, account, now_ms);
	if (!bucket)
		return ERR_BUSY;
	uint64_t milli = bucket->milli + (now_ms - bucket->at_ms) * RELAY_PER_MINUTE / 60; // a cell a second is 1 a ms
	bucket->milli = (uint32_t)(milli < RELAY_BURST * 1000 ? milli : RELAY_BURST * 1000);
	bucket->at_ms = now_ms;
	if (bucket->milli < 1000)
		return ERR_BUSY;
	bucket->milli -= 1000;
	return ERR_OK;
}

static bool home_known(const struct service *service, ProtobufCBinaryData home_id)
{
	for (size_t i = 0; i < service->config.home_count; i++)
		if (memcmp(service->config.homes[i], home_id.data, KEY_BYTES) == 0)
			return true;
	return false;
}

enum err handle_relay(struct service *service, const struct command *command, const Oyez__RelayCell *message)
{
	if (!account_known(service, &command->sender))
		return ERR_ACCOUNT_UNKNOWN;
	if (!home_known(service, message->home_id))
		return ERR_HOME_UNKNOWN;
	enum err err = relay_spend(service, &command->sender);
	if (err)
		return err;
	uint8_t *bytes = arena_alloc(&service->arena, RELAY_BYTES);
	memcpy(bytes, message->home_id.data, KEY_BYTES);
	memcpy(bytes + KEY_BYTES, command->sender.bytes, ID_BYTES);
	memcpy(bytes + KEY_BYTES + ID_BYTES, message->cell.data, CELL_BYTES);
	reply_relay(service, command->origin, bytes);
	service->numbers.relayed++;
	return ERR_OK;
}
