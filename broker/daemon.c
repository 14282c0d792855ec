// Start, serve, drain. Order matters both ways: the store's lock comes first, so that two brokers never share a folder;
// "ready" comes last; at the end replies go out before sockets close and the store closes after everything.
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef OYEZ_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "broker/base/clock.h"
#include "daemon_internal.h"

enum {
	FILES_BESIDES_CONNECTIONS = 256,
	PARKED_MAX = 16384,
};

static void tell_systemd(const char *state)
{
#ifdef OYEZ_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

static bool fail(const char *what, const char *where, const char *hint)
{
	log_event(LOG_ERROR, "start_failed", LOG_TEXT("problem", what), LOG_TEXT("where", where), LOG_TEXT("hint", hint));
	return false;
}

void broker_service_config(const struct broker *broker, const struct config *config, struct service_config *out)
{
	*out = (struct service_config){
	    .hold = config->hold ? HOLD_BOXES : HOLD_OFF,
	    .crowd = config->crowd,
	    .posting = config->posting,
	    .tick_ms = config->tick_ms,
	    .retention_ms = config->retention_ms,
	    .vendors_per_intent_max = config->vendors_per_intent_max,
	    .offers_per_intent_max = config->offers_per_intent_max,
	    .parked_max = PARKED_MAX,
	    .accounts_max = config->accounts_max,
	    .accounts_by_stamp = config->accounts_by_stamp,
	    .account_stamp_bits = config->account_stamp_bits,
	    .vouchers_per_day = config->vouchers_per_day,
	    .vendors_open = config->vendors_open,
	    .url_checks = config->vendor_urls != VENDOR_URLS_OFF,
	    .region = config->region,
	    .taxonomy = broker->taxonomy ? broker->taxonomy : taxonomy_builtin(),
	    .version = broker->version,
	    .homes = broker->homes,
	    .home_count = broker->home_count,
	    .guardians = broker->guardians,
	    .guardian_count = broker->guardian_count,
	};
}

static void name_brokers(struct broker *broker, const struct config *config)
{
	broker->home_count = config->home_count;
	broker->guardian_count = config->guardian_count;
	for (size_t i = 0; i < config->home_count; i++)
		memcpy(broker->homes[i], config->homes[i].key, KEY_BYTES);
	for (size_t i = 0; i < config->guardian_count; i++)
		memcpy(broker->guardians[i], config->guardians[i].key, KEY_BYTES);
}

// ---- start

static bool make_folder(const char *path)
{
	char part[4096];
	snprintf(part, sizeof(part), "%s", path);
	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(part, 0700); // what is there already is fine; what fails shows at the last one
		*at = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	char what[160];
	snprintf(what, sizeof(what), "the data folder cannot be made: %s", strerror(errno));
	return fail(what, path, "choose another --data, or make the folder and give this user the right to write there");
}

static bool open_store(struct broker *broker, const char *path)
{
	if (!make_folder(path))
		return false;
	enum err err = store_open(path, 0, &broker->store);
	if (err == ERR_UNAVAILABLE)
		return fail("another oyezd uses this data folder", path, "stop the other one, or choose another --data");
	if (err != ERR_OK)
		return fail("the data folder cannot be opened", path, err_hint(err, 0));
	return true;
}

static bool open_state(struct broker *broker, const struct config *config)
{
	char reason[200] = "";
	if (config->taxonomy && taxonomy_load(config->taxonomy, &broker->taxonomy, reason, sizeof(reason)) != ERR_OK)
		return fail("the taxonomy cannot be read", config->taxonomy, reason);
	taxonomy_hash(broker->taxonomy ? broker->taxonomy : taxonomy_builtin(), broker->taxonomy_hash);
	uint64_t now_ms = clock_now_ms();
	enum err err = identity_load(&broker->identity, broker->store, config, broker->taxonomy_hash, now_ms);
	if (err != ERR_OK)
		return fail("the broker's keys cannot be read or stored", config->data, err_hint(err, 0));
	broker->verifier = verifier_new(broker->identity.pair.public_key);
	identity_publish(&broker->identity, broker->verifier);

	name_brokers(broker, config);
	struct service_config service_config;
	broker_service_config(broker, config, &service_config);
	struct service_signer signer = identity_signer(&broker->identity);
	err = service_new(&service_config, &signer, broker->store, now_ms, &broker->service);
	if (err != ERR_OK)
		return fail("the stored state cannot be loaded", config->data, err_hint(err, 0));
	broker->active = config;
	broker->compact_at_ms = now_ms + DAY_MS;
	return true;
}

static const char *not_ready(void *context)
{
	const struct broker *broker = context;
	return broker->draining ? "draining" : broker->serving ? NULL : "starting";
}

static void write_metrics(void *context, char **out, size_t *out_bytes)
{
	struct broker *broker = context;
	struct service_numbers numbers = {0};
	if (broker->sequencer)
		sequencer_numbers(broker->sequencer, &numbers);
	if (broker->links)
		links_numbers(broker->links, &broker->metrics.links);
	metrics_text(&broker->metrics, &numbers, broker->version, out, out_bytes);
}

static bool open_admin(struct broker *broker, const struct config *config)
{
	if (!config->admin)
		return true;
	char host[256];
	uint16_t port;
	config_address(config->admin, host, &port);
	struct admin_http_source source = {broker, not_ready, write_metrics};
	if (admin_http_open(&broker->loop, host, port, &source, &broker->admin) != ERR_OK)
		return fail("the address for health and metrics cannot be listened on", config->admin,
		            "another program may listen there: choose another --admin HOST:PORT, or off");
	return true;
}

static bool open_edge(struct broker *broker, const struct config *config)
{
	struct edge_options options = {
	    .loop = &broker->loop,
	    .verifier = broker->verifier,
	    .metrics = &broker->metrics,
	    .links = broker->links,
	    .urls = config->listen,
	    .url_count = config->listen_count,
	    .tls = {config->tls_certificate, config->tls_key},
	    .connections_max = config->connections_max,
	};
	const char *failed = "";
	char reason[200] = "no memory left";
	if (edge_open(&options, &broker->edge, &failed, reason) != ERR_OK)
		return fail("an address cannot be listened on", failed, reason);
	return true;
}

static void allow_files(uint32_t connections)
{
	struct rlimit limit;
	rlim_t wanted = connections + FILES_BESIDES_CONNECTIONS;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_event(LOG_WARN, "few_files", LOG_NUMBER("allowed", limit.rlim_cur), LOG_NUMBER("wanted", wanted),
		          LOG_TEXT("hint", "raise the limit of open files (ulimit -n), or lower --connections"));
}

// On the state thread.
static void on_check(void *context, struct url_check *check)
{
	well_known_add(context, check);
}

static void on_checked(void *context, struct url_check *check)
{
	sequencer_url_checked(context, check);
}

static void well_known_serve(struct broker *broker, const struct config *config)
{
	if (config->vendor_urls == VENDOR_URLS_OFF)
		return;
	broker->well_known = well_known_start(config->vendor_urls == VENDOR_URLS_TRIAL, on_checked, broker->sequencer);
	if (broker->well_known)
		sequencer_checks_to(broker->sequencer, on_check, broker->well_known);
}

// ---- stop

static void on_drained(void *context)
{
	struct broker *broker = context;
	if (broker->pushes)
		pushes_close(broker->pushes);
	if (broker->links)
		links_close(broker->links);
	if (broker->edge)
		edge_close(broker->edge);
	if (broker->admin)
		admin_http_close(broker->admin);
	for (size_t i = 0; i < sizeof(broker->signals) / sizeof(broker->signals[0]); i++)
		uv_close((uv_handle_t *)&broker->signals[i], NULL);
	uv_close((uv_handle_t *)&broker->upkeep, NULL);
}

static void drain(struct broker *broker)
{
	if (broker->draining) {
		log_event(LOG_WARN, "stopped_at_once", LOG_TEXT("hint", "told twice; what was acknowledged is on disk"));
		_exit(1);
	}
	broker->draining = true;
	log_event(LOG_INFO, "draining");
	tell_systemd("STOPPING=1");
	uv_timer_stop(&broker->upkeep);
	edge_stop_listening(broker->edge);
	sequencer_stop(broker->sequencer);
	if (broker->well_known)
		well_known_stop(broker->well_known);
	edge_drain(broker->edge, on_drained, broker);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct broker *broker = handle->data;
	if (number == SIGHUP)
		upkeep_reload(broker);
	else
		drain(broker);
}

// ---- the whole

static void open_loop(struct broker *broker)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	if (uv_loop_init(&broker->loop) != 0)
		abort();
	broker->loop_ready = true;
	uv_timer_init(&broker->loop, &broker->upkeep);
	broker->upkeep.data = broker;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uv_signal_init(&broker->loop, &broker->signals[i]);
		broker->signals[i].data = broker;
		uv_signal_start(&broker->signals[i], on_signal, numbers[i]);
	}
}

static bool start(struct broker *broker, const struct config *config)
{
	allow_files(config->connections_max);
	broker->metrics.started_at_ms = clock_now_ms();
	if (!open_store(broker, config->data) || !open_state(broker, config))
		return false;
	open_loop(broker);
	if (!links_start(broker, config) || !open_edge(broker, config) || !open_admin(broker, config))
		return false;
	if (sequencer_start(broker->service, edge_reply, broker->edge, &broker->sequencer) != ERR_OK)
		return fail("no thread for the state", "", "free some memory");
	links_serve(broker);
	well_known_serve(broker, config);
	edge_serve(broker->edge, broker->sequencer);
	upkeep_start(broker);
	return true;
}

static void say_ready(struct broker *broker, const struct config *config)
{
	char key[2 * KEY_BYTES + 1], admin[300] = "off", listen[CONFIG_LISTEN_MAX * 301] = "";
	hex_encode(broker->identity.pair.public_key, KEY_BYTES, key);
	for (size_t i = 0; i < edge_url_count(broker->edge); i++) {
		size_t used = strlen(listen);
		snprintf(listen + used, sizeof(listen) - used, "%s%s", i ? " " : "", edge_url(broker->edge, i));
	}
	if (broker->admin) {
		const char *colon = strrchr(config->admin, ':');
		snprintf(admin, sizeof(admin), "%.*s:%u", (int)(colon - config->admin), config->admin,
		         admin_http_port(broker->admin));
	}
	if (config->web)
		log_event(LOG_INFO, "web_not_served", LOG_TEXT("address", config->web));
	broker->serving = true;
	log_event(LOG_INFO, "ready", LOG_TEXT("listen", listen), LOG_TEXT("admin", admin), LOG_TEXT("key", key),
	          LOG_TEXT("region", config->region), LOG_NUMBER("crowd", config->crowd),
	          LOG_NUMBER("tick_ms", config->tick_ms), LOG_TEXT("data", config->data),
	          LOG_TEXT("version", broker->version));
	tell_systemd("READY=1");
}

// Everything but the loop's handles, which are closed by now.
static void release(struct broker *broker)
{
	if (broker->well_known)
		well_known_free(broker->well_known);
	if (broker->pushes)
		pushes_free(broker->pushes);
	if (broker->links)
		links_free(broker->links);
	if (broker->edge)
		edge_free(broker->edge);
	if (broker->admin)
		admin_http_free(broker->admin);
	if (broker->sequencer)
		sequencer_free(broker->sequencer);
	if (broker->service)
		service_free(broker->service);
	if (broker->verifier)
		verifier_free(broker->verifier);
	if (broker->store)
		store_close(broker->store);
	identity_wipe(&broker->identity);
	if (broker->taxonomy)
		taxonomy_free(broker->taxonomy);
	while (broker->latest) {
		struct generation *older = broker->latest->older;
		config_fini(&broker->latest->config);
		free(broker->latest);
		broker->latest = older;
	}
}

int daemon_print_key(const struct config *config)
{
	struct broker broker = {0};
	char key[2 * KEY_BYTES + 1];
	if (!open_store(&broker, config->data))
		return 1;
	taxonomy_hash(taxonomy_builtin(), broker.taxonomy_hash);
	enum err err =
	    identity_load(&broker.identity, broker.store, config, broker.taxonomy_hash, clock_now_ms());
	if (err == ERR_OK) {
		hex_encode(broker.identity.pair.public_key, KEY_BYTES, key);
		puts(key);
	} else {
		fail("the broker's keys cannot be read or stored", config->data, err_hint(err, 0));
	}
	store_close(broker.store);
	identity_wipe(&broker.identity);
	return err ? 1 : 0;
}

int daemon_run(struct config *config, int argc, char **argv, const char *version)
{
	static struct broker broker; // large, and one a process
	broker = (struct broker){.argc = argc, .argv = argv, .version = version};
	broker.latest = calloc(1, sizeof(*broker.latest));
	if (!broker.latest)
		return 1;
	broker.latest->config = *config;
	config = &broker.latest->config;
	signal(SIGPIPE, SIG_IGN);
	umask(077);

	bool started = start(&broker, config);
	if (started)
		say_ready(&broker, config);
	else if (broker.loop_ready)
		on_drained(&broker);
	if (broker.loop_ready) {
		uv_run(&broker.loop, UV_RUN_DEFAULT);
		uv_loop_close(&broker.loop);
	}
	release(&broker);
	if (started)
		log_event(LOG_INFO, "stopped");
	return started ? 0 : 1;
}
