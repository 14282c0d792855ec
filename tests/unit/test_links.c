// Links to other brokers, against a broker of a few lines that says what a test wants. Connections that break and come
// back are tried with real brokers (tests/integration/test_relay.py, test_two_brokers.py): a fake on nng's own REP often
// keeps a connection that it closed.
#define _GNU_SOURCE
#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <sodium.h>

#include "broker/peer/link.h"
#include "broker/peer/links.h"
#include "broker/service/wire.h"
#include "proto/cell.h"
#include "proto/frame.h"
#include "proto/sign.h"

enum { PATIENCE_MS = 15000 };

// ---- the other broker

struct fake {
	char url[80];
	nng_socket socket;
	uv_thread_t thread;
	struct sign_pair identity;
	struct hpke_pair gateway;
	atomic_uint number, crowd; // of the configuration it shows
	atomic_bool impostor;      // signs with another key
	atomic_bool mute;          // says nothing to cells
	atomic_int refuses;        // cells with this error
	atomic_uint configs, cells, pushes;
};

static nng_msg *message_of(uint8_t *frame, size_t count)
{
	nng_msg *message;
	assert_int_equal(nng_msg_alloc(&message, 0), 0);
	assert_int_equal(nng_msg_append(message, frame, count), 0);
	free(frame);
	return message;
}

static nng_msg *config_reply(struct fake *fake)
{
	uint8_t id[GATEWAY_KEY_ID_BYTES], *bytes, *frame;
	size_t count;
	Oyez__GatewayKey key = OYEZ__GATEWAY_KEY__INIT, *keys[] = {&key};
	Oyez__Config config = OYEZ__CONFIG__INIT;
	Oyez__Signed record = OYEZ__SIGNED__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	struct sign_pair other, *pair = &fake->identity;
	sign_pair_new(&other);
	if (fake->impostor)
		pair = &other;
	gateway_key_id_of(fake->gateway.public_key, id);
	key.id = wire_bytes(id, sizeof id);
	key.key = wire_bytes(fake->gateway.public_key, KEY_BYTES);
	key.accepted_until_ms = 1;
	config.number = fake->number;
	config.crowd = fake->crowd;
	config.broker_id = wire_bytes(pair->public_key, KEY_BYTES);
	config.made_at_ms = 1;
	config.tick_ms = 1;
	config.region = (char *)"FR";
	config.gateway_keys = keys;
	config.n_gateway_keys = 1;
	assert_int_equal(codec_encode(&config.base, &bytes, &count), ERR_OK);
	uint8_t signature[SIGNATURE_BYTES];
	sign_bytes(pair, TAG_CONFIG, bytes, count, signature);
	record.record = wire_bytes(bytes, count);
	record.key = wire_bytes(pair->public_key, KEY_BYTES);
	record.signature = wire_bytes(signature, sizeof signature);
	reply.body_case = OYEZ__REPLY__BODY_CONFIG;
	reply.config = &record;
	reply.now_ms = 1;
	assert_int_equal(codec_encode_frame(&reply.base, FRAME_REPLY, &frame, &count), ERR_OK);
	free(bytes);
	fake->configs++;
	return message_of(frame, count);
}

static nng_msg *cell_reply(struct fake *fake, const uint8_t *cell)
{
	uint8_t *frame;
	size_t count = CELL_BYTES;
	fake->cells++;
	if (fake->refuses) {
		Oyez__Error error = OYEZ__ERROR__INIT;
		error.code = (uint32_t)fake->refuses;
		error.name = (char *)err_name((enum err)fake->refuses);
		assert_int_equal(codec_encode_frame(&error.base, FRAME_ERROR, &frame, &count), ERR_OK);
		return message_of(frame, count);
	}
	frame = malloc(CELL_BYTES);
	memcpy(frame, cell, CELL_BYTES);
	frame_header(frame, FRAME_CELL_REPLY);
	return message_of(frame, count);
}

static nng_msg *push_reply(struct fake *fake)
{
	uint8_t *frame;
	size_t count;
	Oyez__Ack ack = OYEZ__ACK__INIT;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_ACK;
	reply.ack = &ack;
	assert_int_equal(codec_encode_frame(&reply.base, FRAME_REPLY, &frame, &count), ERR_OK);
	fake->pushes++;
	return message_of(frame, count);
}

static void run_fake(void *argument)
{
	struct fake *fake = argument;
	nng_msg *message;
	while (nng_recvmsg(fake->socket, &message, 0) == 0) {
		const uint8_t *frame = nng_msg_body(message);
		nng_msg *reply = NULL;
		if (frame[3] == FRAME_CELL && !fake->mute)
			reply = cell_reply(fake, frame);
		else if (frame[3] == FRAME_REQUEST)
			reply = frame[4] == 0x2a ? push_reply(fake) : config_reply(fake); // field 5
		nng_msg_free(message);
		if (reply && nng_sendmsg(fake->socket, reply, 0) != 0)
			nng_msg_free(reply);
	}
}

static void fake_start(struct fake *fake)
{
	assert_int_equal(nng_rep0_open(&fake->socket), 0);
	assert_int_equal(nng_listen(fake->socket, fake->url, NULL, 0), 0);
	assert_int_equal(uv_thread_create(&fake->thread, run_fake, fake), 0);
}

// Closing the socket can hang in nng 1.5.2 when the other side sends at that moment.
static void *close_fake(void *argument)
{
	nng_close(((struct fake *)argument)->socket);
	return NULL;
}

static void fake_stop(struct fake *fake)
{
	pthread_t thread;
	struct timespec until;
	assert_int_equal(pthread_create(&thread, NULL, close_fake, fake), 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	if (pthread_timedjoin_np(thread, NULL, &until) == 0)
		uv_thread_join(&fake->thread);
	else
		pthread_detach(thread); // nng's own fault, left to the end of the process
}

// ---- the scene

struct scene {
	struct fake fake;
	uv_loop_t loop;
	uv_timer_t patience;
	struct homes *homes;
	struct links *links;
	struct link_seen seen;
	unsigned seen_count;
	enum err err;
	unsigned done;
	uint8_t cell[CELL_BYTES];
};

static void on_seen(void *context, const uint8_t key[KEY_BYTES], const struct link_seen *seen)
{
	struct scene *scene = context;
	assert_memory_equal(key, scene->fake.identity.public_key, KEY_BYTES);
	scene->seen = *seen;
	scene->seen_count++;
}

static void open_links(struct scene *scene)
{
	struct link_target targets[2] = {
	    {.url = scene->fake.url, .is_home = true, .seen = scene->seen},
	    {.url = scene->fake.url, .is_guardian = true},
	};
	memcpy(targets[0].key, scene->fake.identity.public_key, KEY_BYTES);
	memcpy(targets[1].key, scene->fake.identity.public_key, KEY_BYTES);
	struct links_options options = {
	    .loop = &scene->loop,
	    .homes = scene->homes,
	    .targets = targets,
	    .target_count = 2,
	    .refresh_ms = 50,
	    .seen = on_seen,
	    .context = scene,
	};
	const char *failed;
	assert_int_equal(links_open(&options, &scene->links, &failed), ERR_OK);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static int set_up(void **state)
{
	static unsigned count;
	struct scene *scene = calloc(1, sizeof *scene);
	snprintf(scene->fake.url, sizeof scene->fake.url, "ipc:///tmp/oyez-links-%d-%u", (int)getpid(), count++);
	sign_pair_new(&scene->fake.identity);
	hpke_pair_new(&scene->fake.gateway);
	scene->fake.number = 3;
	uv_loop_init(&scene->loop);
	uv_timer_init(&scene->loop, &scene->patience);
	uv_timer_start(&scene->patience, on_tick, 5, 5);
	scene->homes = homes_new();
	fake_start(&scene->fake);
	open_links(scene);
	*state = scene;
	return 0;
}

static void close_links(struct scene *scene)
{
	links_close(scene->links);
	uv_unref((uv_handle_t *)&scene->patience);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	uv_ref((uv_handle_t *)&scene->patience);
	links_free(scene->links);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	uint64_t before = uv_hrtime();
	close_links(scene);
	assert_true(uv_hrtime() - before < UINT64_C(5000000000));
	fake_stop(&scene->fake);
	uv_close((uv_handle_t *)&scene->patience, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	homes_free(scene->homes);
	free(scene);
	return 0;
}

#define UNTIL(condition)                                                                                               \
	do {                                                                                                               \
		uint64_t until = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);                                                \
		while (!(condition) && uv_hrtime() < until)                                                                    \
			uv_run(&scene->loop, UV_RUN_ONCE);                                                                         \
		assert_true(condition);                                                                                        \
	} while (0)

static enum err shown(struct scene *scene, uint32_t *crowd)
{
	struct arena arena;
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	ProtobufCBinaryData key = wire_bytes(scene->fake.identity.public_key, KEY_BYTES);
	arena_init(&arena);
	enum err err = homes_answer(scene->homes, key, &arena, &reply);
	if (!err) {
		Oyez__Config *config;
		const Oyez__Signed *record = reply.homes->items[0]->config;
		assert_int_equal(sign_open(record, TAG_CONFIG), ERR_OK);
		assert_int_equal(codec_decode_config(NULL, record->record.data, record->record.len, &config, NULL), ERR_OK);
		*crowd = config->crowd;
		oyez__config__free_unpacked(config, NULL);
	}
	arena_fini(&arena);
	return err;
}

static void on_relayed(void *context, uint64_t number, enum err err, const uint8_t *cell)
{
	struct scene *scene = context;
	assert_int_equal(number, 77);
	scene->err = err;
	scene->done++;
	if (!err)
		memcpy(scene->cell, cell, CELL_BYTES);
}

static enum err relay(struct scene *scene, uint8_t account, uint8_t filling)
{
	uint8_t cell[CELL_BYTES];
	struct id id = {{account}};
	memset(cell, filling, sizeof cell);
	frame_header(cell, FRAME_CELL);
	return links_relay(scene->links, scene->fake.identity.public_key, &id, cell, on_relayed, scene, 77);
}

static size_t connected(struct scene *scene)
{
	struct links_numbers numbers;
	links_numbers(scene->links, &numbers);
	assert_int_equal(numbers.brokers, 1); // home and guardian at once: one link
	return numbers.connected;
}

// ----

static void test_a_cell_goes_and_comes(void **state)
{
	struct scene *scene = *state;
	uint32_t crowd;
	assert_int_equal(shown(scene, &crowd), ERR_HOME_UNREACHABLE);
	assert_int_equal(relay(scene, 1, 9), ERR_HOME_UNREACHABLE); // nobody knows yet who answers there
	UNTIL(connected(scene) == 1);
	assert_int_equal(shown(scene, &crowd), ERR_OK);
	assert_int_equal(scene->seen.number, 3);
	assert_int_equal(relay(scene, 1, 9), ERR_OK);
	UNTIL(scene->done == 1);
	assert_int_equal(scene->err, ERR_OK);
	assert_int_equal(scene->cell[3], FRAME_CELL_REPLY);
	assert_int_equal(scene->cell[CELL_BYTES - 1], 9);
	scene->fake.refuses = ERR_CELL_REPLAYED;
	assert_int_equal(relay(scene, 1, 9), ERR_OK);
	UNTIL(scene->done == 2);
	assert_int_equal(scene->err, ERR_CELL_REPLAYED);
	uint8_t other[KEY_BYTES] = {1};
	assert_int_equal(links_relay(scene->links, other, &(struct id){{1}}, scene->cell, on_relayed, scene, 77),
	                 ERR_HOME_UNKNOWN);
}

static void test_one_account_does_not_hold_it_up(void **state)
{
	struct scene *scene = *state;
	UNTIL(connected(scene) == 1);
	for (int i = 0; i < LINK_OWNER_MAX; i++)
		assert_int_equal(relay(scene, 1, (uint8_t)i), ERR_OK);
	assert_int_equal(relay(scene, 1, 99), ERR_BUSY);
	assert_int_equal(relay(scene, 2, 99), ERR_OK);
	UNTIL(scene->done == LINK_OWNER_MAX + 1);
	assert_int_equal(relay(scene, 1, 100), ERR_OK);
	UNTIL(scene->done == LINK_OWNER_MAX + 2);
}

static void test_two_contents_under_one_number(void **state)
{
	struct scene *scene = *state;
	uint32_t crowd;
	UNTIL(connected(scene) == 1);
	scene->fake.crowd = 7;
	UNTIL(scene->seen.conflict);
	assert_int_equal(shown(scene, &crowd), ERR_CONFIG_CONFLICT);
	assert_int_equal(relay(scene, 1, 1), ERR_CONFIG_CONFLICT);
	scene->fake.crowd = 0; // showing the first one again does not undo it
	unsigned configs = scene->fake.configs;
	UNTIL(scene->fake.configs > configs + 2);
	assert_int_equal(relay(scene, 1, 1), ERR_CONFIG_CONFLICT);

	// Nor does a restart of ours.
	close_links(scene);
	open_links(scene);
	UNTIL(connected(scene) == 1);
	assert_int_equal(shown(scene, &crowd), ERR_CONFIG_CONFLICT);

	scene->fake.crowd = 7;
	scene->fake.number = 4;
	UNTIL(!scene->seen.conflict);
	assert_int_equal(shown(scene, &crowd), ERR_OK);
	assert_int_equal(crowd, 7);
	scene->fake.number = 2; // an older one is not taken
	UNTIL(shown(scene, &crowd) == ERR_HOME_UNREACHABLE);
	assert_int_equal(scene->seen.number, 4);
}

static void test_another_broker_answers_there(void **state)
{
	struct scene *scene = *state;
	uint32_t crowd;
	UNTIL(connected(scene) == 1);
	scene->fake.impostor = true;
	UNTIL(shown(scene, &crowd) == ERR_BROKER_CHANGED);
	assert_int_equal(relay(scene, 1, 1), ERR_HOME_UNREACHABLE);
	scene->fake.impostor = false;
	UNTIL(shown(scene, &crowd) == ERR_OK);
}

static void push_one(struct scene *scene, const uint8_t key[KEY_BYTES])
{
	uint8_t *frame = malloc(100);
	memset(frame, 0, 100);
	frame_header(frame, FRAME_REQUEST);
	frame[4] = 0x2a;
	links_push(scene->links, key, frame, 100);
}

static void test_pushes(void **state)
{
	struct scene *scene = *state;
	struct links_numbers numbers;
	uint8_t other[KEY_BYTES] = {1};
	UNTIL(connected(scene) == 1);
	for (int i = 0; i < 50; i++)
		push_one(scene, scene->fake.identity.public_key);
	UNTIL(scene->fake.pushes == 50);
	push_one(scene, other);
	UNTIL((links_numbers(scene->links, &numbers), numbers.pushed == 50));
	assert_int_equal(numbers.push_dropped, 1);
	// More than the queue holds are dropped, with an end in sight for each.
	for (int i = 0; i < 400; i++)
		push_one(scene, scene->fake.identity.public_key);
	UNTIL((links_numbers(scene->links, &numbers), numbers.pushed + numbers.push_dropped == 451));
	assert_in_range(numbers.push_dropped, 1 + 400 - LINK_QUEUE_MAX - LINK_IN_FLIGHT_MAX, 1 + 400 - LINK_QUEUE_MAX);
}

static void test_closing_answers_what_waits(void **state)
{
	struct scene *scene = *state;
	UNTIL(connected(scene) == 1);
	scene->fake.mute = true;
	for (uint8_t i = 0; i < 40; i++)
		assert_int_equal(relay(scene, i, i), ERR_OK);
	for (int i = 0; i < 10; i++)
		uv_run(&scene->loop, UV_RUN_ONCE);
	close_links(scene);
	assert_int_equal(scene->done, 40);
	assert_int_equal(scene->err, ERR_STOPPING);
	open_links(scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_cell_goes_and_comes),
	    TEST(test_one_account_does_not_hold_it_up),
	    TEST(test_two_contents_under_one_number),
	    TEST(test_another_broker_answers_there),
	    TEST(test_pushes),
	    TEST(test_closing_answers_what_waits),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
