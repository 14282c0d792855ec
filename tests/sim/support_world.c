// The world itself: its beginning, its randomness, its end, and what is said when something is wrong.
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// ---- randomness: xorshift128+

uint64_t random_u64(struct world *world)
{
	uint64_t a = world->random[0], b = world->random[1];
	world->random[0] = b;
	a ^= a << 23;
	world->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return world->random[1] + b;
}

uint32_t random_below(struct world *world, uint32_t n)
{
	return (uint32_t)((random_u64(world) >> 32) * n >> 32);
}

bool random_chance(struct world *world, uint32_t percent)
{
	return random_below(world, 100) < percent;
}

struct id random_id(struct world *world)
{
	struct id id;
	for (size_t i = 0; i < sizeof id.bytes; i += 8) {
		uint64_t part = random_u64(world);
		memcpy(id.bytes + i, &part, 8);
	}
	return id;
}

static void seed_random(struct world *world)
{
	uint64_t z = world->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < 2; i++) {
		z += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t x = z;
		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		world->random[i] = x ^ (x >> 31);
	}
}

// ---- saying what happened

void world_log(struct world *world, const char *format, ...)
{
	char *line = world->log[world->logged++ % STEPS_LOGGED];
	va_list args;
	va_start(args, format);
	int used = snprintf(line, sizeof world->log[0], "step %d: ", world->step);
	vsnprintf(line + used, sizeof world->log[0] - (size_t)used, format, args);
	va_end(args);
	if (world->verbose)
		printf("%s\n", line);
}

void world_fail(struct world *world, const char *format, ...)
{
	va_list args;
	int first = world->logged > STEPS_LOGGED ? world->logged - STEPS_LOGGED : 0;
	printf("what happened before:\n");
	for (int i = first; i < world->logged; i++)
		printf("  %s\n", world->log[i % STEPS_LOGGED]);
	printf("FAILED at step %d of seed %llu: ", world->step, (unsigned long long)world->seed);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\nreplay: OYEZ_SIM_SEED=%llu OYEZ_SIM_STEPS=%d test_sim\n", (unsigned long long)world->seed, world->steps);
	fflush(stdout);
	exit(1);
}

// ---- life

static void *table(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);
	if (!memory)
		abort();
	return memory;
}

static void vendors_prepare(struct world *world)
{
	static struct sign_pair pairs[VENDORS];
	static bool made;
	for (int i = 0; i < VENDORS && !made; i++) {
		uint8_t seed[32] = {'v', (uint8_t)i};
		sign_pair_from_seed(&pairs[i], seed);
	}
	made = true;
	for (int i = 0; i < VENDORS; i++) {
		memcpy(world->vendors[i].key, pairs[i].public_key, KEY_BYTES);
		world->vendors[i].id = vendor_id_of(pairs[i].public_key);
		world->vendors[i].changed_batch = -1;
	}
}

static void world_init(struct world *world)
{
	static const uint64_t RETENTIONS[] = {2 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS};
	static const uint32_t CROWDS[] = {1, 1, 2, 3}, TAILS[] = {1, 5, 40, 0};
	seed_random(world);
	arena_init(&world->arena);
	arena_init(&world->scratch);
	world->intents = table(INTENTS_MAX, sizeof *world->intents);
	world->offers = table(OFFERS_MAX, sizeof *world->offers);
	world->questions = table(QUESTIONS_MAX, sizeof *world->questions);
	world->deals = table(DEALS_MAX_SIM, sizeof *world->deals);
	world->vendors = table(VENDORS, sizeof *world->vendors);
	world->subscriptions = table(SUBSCRIPTIONS_MAX, sizeof *world->subscriptions);
	world->records = table(RECORDS_MAX, sizeof *world->records);
	world->feed = table(FEED_MAX, sizeof *world->feed);
	world->feed_first = 1;
	world->now_ms = UINT64_C(1800000000000) + random_below(world, 100000);
	world->config = (struct service_config){
	    .hold = random_chance(world, 40) ? HOLD_ALL : HOLD_OFF,
	    .crowd = CROWDS[random_below(world, 4)],
	    .tick_ms = 1000,
	    .retention_ms = RETENTIONS[random_below(world, 3)],
	    .vendors_per_intent_max = VENDORS_PER_INTENT,
	    .offers_per_intent_max = OFFERS_PER_INTENT,
	    .parked_max = PARKED_MAX_SIM,
	    .tail_records = TAILS[random_below(world, 4)],
	    .vendors_open = true,
	    .region = "FR",
	    .taxonomy = taxonomy_builtin(),
	    .version = "sim",
	};
	vendors_prepare(world);
	world->store = store_open_memory();
	broker_start(world);
}

static void world_fini(struct world *world)
{
	service_free(world->service);
	for (int i = 0; i < world->scan_count; i++)
		scan_free(world->scans[i]);
	store_close(world->store);
	arena_fini(&world->arena);
	arena_fini(&world->scratch);
	free(world->intents);
	free(world->offers);
	free(world->questions);
	free(world->deals);
	free(world->vendors);
	free(world->subscriptions);
	free(world->records);
	free(world->feed);
}

void world_run(uint64_t seed, int steps, bool verbose, struct totals *totals)
{
	struct world world = {.seed = seed, .steps = steps, .verbose = verbose, .totals = totals};
	world_init(&world);
	for (world.step = 0; world.step < steps; world.step++)
		network_step(&world);
	check_end(&world);
	world_fini(&world);
	totals->seeds++;
	totals->steps += (uint64_t)steps;
}
