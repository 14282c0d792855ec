// The set of waiting intents: what is kept of each, and that every one is found however others come and go.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/service/waiting.h"

enum { INTENTS = 3000, ROUNDS = 40000 };

// Ids of which many begin alike, so that some stand where others belong.
static struct intent intent_of(uint32_t number)
{
	struct intent intent = {.crowd_wish = number, .needed_by_day = number + 1, .coarsest_step = 3, .crowd_waived = 1};
	intent.facets.category = number;
	intent.posted_at_ms = number + 2;
	intent.expires_at_ms = number + 3;
	intent.patience_ms = number + 4;
	intent.ready_at_ms = number + 5;
	intent.release_id.bytes[0] = (uint8_t)(number % 7);
	memcpy(intent.release_id.bytes + 1, &number, sizeof number);
	return intent;
}

static void check(const struct waiting_set *set, const bool *there)
{
	uint32_t count = 0, seen = 0;
	for (uint32_t number = 0; number < INTENTS; number++)
		count += there[number];
	assert_int_equal(set->count, count);
	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t number = set->items[i].intent.crowd_wish;
		struct intent intent = intent_of(number);
		assert_true(number < INTENTS && there[number]);
		assert_memory_equal(&set->items[i].release, &intent.release_id, sizeof intent.release_id);
		assert_memory_equal(&set->items[i].intent.facets, &intent.facets, sizeof intent.facets);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void everyone_is_found(void **state)
{
	static bool there[INTENTS];
	struct waiting_set set = {0};
	uint64_t random = 7;
	(void)state;
	waiting_remove(&set, &(struct release_id){{1}});
	for (uint32_t round = 0; round < ROUNDS; round++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t number = (uint32_t)(random >> 33) % INTENTS;
		struct intent intent = intent_of(number);
		// First more come than leave, then more leave than come; some leave who are not there.
		bool comes = (random >> 60) < (round < ROUNDS / 2 ? 12 : 4);
		if (comes && !there[number]) {
			waiting_add(&set, &intent);
			there[number] = true;
		} else if (!comes) {
			waiting_remove(&set, &intent.release_id);
			there[number] = false;
		}
		if (round % 1000 == 0)
			check(&set, there);
	}
	for (uint32_t number = 0; number < INTENTS; number++) {
		struct intent intent = intent_of(number);
		waiting_remove(&set, &intent.release_id);
		there[number] = false;
	}
	check(&set, there);
	waiting_add(&set, &(struct intent){.crowd_wish = 5});
	waiting_clear(&set);
	assert_int_equal(set.count, 0);
	waiting_add(&set, &(struct intent){.crowd_wish = 5});
	assert_int_equal(set.items[0].intent.crowd_wish, 5);
	waiting_clear(&set);
}

static void what_is_kept(void **state)
{
	struct waiting_set set = {0};
	struct intent intent = intent_of(100);
	(void)state;
	waiting_add(&set, &intent);
	const struct waiting_intent *kept = &set.items[0].intent;
	assert_int_equal(kept->crowd_wish, 100);
	assert_int_equal(kept->needed_by_day, 101);
	assert_int_equal(kept->posted_at_ms, 102);
	assert_int_equal(kept->expires_at_ms, 103);
	assert_int_equal(kept->patience_ms, 104);
	assert_int_equal(kept->ready_at_ms, 105);
	assert_int_equal(kept->coarsest_step, 3);
	assert_int_equal(kept->crowd_waived, 1);
	waiting_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everyone_is_found),
	    cmocka_unit_test(what_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
