#define _GNU_SOURCE
#include "injector.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/edge/nng.h"
#include "broker/identity.h"
#include "child.h"
#include "ticker.h"

struct inject {
	struct sequencer *sequencer;
	int control;
	struct ticker ticker;
};

static void *read_control(void *context)
{
	struct inject *inject = context;
	while (read(inject->control, &inject->ticker.count, sizeof inject->ticker.count) == sizeof inject->ticker.count)
		sequencer_call(inject->sequencer, ticker_tick, &inject->ticker);
	_exit(0); // the harness is done with it
}

static _Noreturn void serve(const char *folder, int control, uint32_t connections)
{
	static struct identity identity;
	static struct metrics metrics;
	static struct inject inject;
	uv_loop_t loop;
	char listen[] = "--listen=tcp://127.0.0.1:0", data[300], most[64], *url = listen + strlen("--listen=");
	char *arguments[] = {(char *)(uintptr_t) "bench", data, listen, most, (char *)(uintptr_t) "--crowd=1", NULL};
	struct config config;
	struct config_problem problem;
	struct rlimit files = {connections + 300, connections + 300};
	uint8_t hash[32];
	const char *failed = "";
	char reason[200] = "";
	snprintf(data, sizeof data, "--data=%s", folder);
	snprintf(most, sizeof most, "--connections=%u", connections);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	log_set_level(LOG_ERROR);
	if (config_load(5, arguments, &config, &problem) != CONFIG_RUN)
		give_up("the injector's configuration: %s", problem.text);
	struct store *store;
	if (store_open(folder, 0, &store) != ERR_OK)
		give_up("no store in %s", folder);
	taxonomy_hash(taxonomy_builtin(), hash);
	if (identity_load(&identity, store, &config, hash, clock_now_ms()) != ERR_OK)
		give_up("no identity");
	struct verifier *verifier = verifier_new(identity.pair.public_key);
	identity_publish(&identity, verifier);
	struct service_config service_config = {
	    .crowd = 1,
	    .tick_ms = HOUR_MS,
	    .retention_ms = 30 * DAY_MS,
	    .vendors_per_intent_max = 50,
	    .offers_per_intent_max = 50,
	    .parked_max = connections + 300,
	    .vendors_open = true,
	    .region = "FR",
	    .taxonomy = taxonomy_builtin(),
	    .version = "bench",
	};
	struct service_signer signer = identity_signer(&identity);
	struct service *service;
	struct edge *edge;
	if (service_new(&service_config, &signer, store, clock_now_ms(), &service) != ERR_OK || uv_loop_init(&loop) != 0)
		give_up("no service");
	struct edge_options options = {
	    .loop = &loop,
	    .verifier = verifier,
	    .metrics = &metrics,
	    .urls = &url,
	    .url_count = 1,
	    .connections_max = connections,
	};
	if (edge_open(&options, &edge, &failed, reason) != ERR_OK)
		give_up("%s: %s", failed, reason);
	if (sequencer_start(service, edge_reply, edge, &inject.sequencer) != ERR_OK)
		give_up("no sequencer");
	edge_serve(edge, inject.sequencer);
	ticker_init(&inject.ticker, identity.pair.public_key);
	inject.control = control;
	char ready[64];
	snprintf(ready, sizeof ready, "%s", edge_url(edge, 0));
	pthread_t thread;
	if (write(control, ready, sizeof ready) != sizeof ready ||
	    pthread_create(&thread, NULL, read_control, &inject) != 0)
		give_up("no control");
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(1);
}

void injector_start(struct injector *injector, const char *folder, uint32_t connections)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		give_up("no socket pair");
	injector->pid = child_fork();
	if (injector->pid == 0) {
		close(pair[0]);
		serve(folder, pair[1], connections + 16);
	}
	close(pair[1]);
	injector->control = pair[0];
	if (read(pair[0], injector->url, sizeof injector->url) != sizeof injector->url)
		give_up("the injector does not start");
}

void injector_publish(struct injector *injector, uint32_t count)
{
	if (write(injector->control, &count, sizeof count) != sizeof count)
		give_up("the injector is gone");
}

void injector_stop(struct injector *injector)
{
	close(injector->control);
	child_end(injector->pid, SIGKILL);
}
