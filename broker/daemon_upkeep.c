// Once a minute: gateway keys that are due, the daily compaction. At SIGHUP: what can change without a restart.
// The work runs on the state thread between batches, where no transaction is open.
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "daemon_internal.h"

enum { UPKEEP_REAL_MS_MIN = 50 };

static void refresh_identity(struct broker *broker)
{
	enum err err =
	    identity_refresh(&broker->identity, broker->store, broker->active, broker->taxonomy_hash, clock_now_ms());
	if (err == ERR_OK)
		identity_publish(&broker->identity, broker->verifier);
	else
		log_event(LOG_ERROR, "keys_not_renewed", LOG_TEXT("code", err_name(err)), LOG_TEXT("hint", err_hint(err, 0)));
}

static void compact(struct broker *broker)
{
	uint64_t before = store_bytes_used(broker->store);
	enum err err = store_compact(broker->store);
	if (err == ERR_OK)
		log_event(LOG_INFO, "compacted", LOG_NUMBER("bytes_before", before),
		          LOG_NUMBER("bytes_after", store_bytes_used(broker->store)));
	else
		log_event(LOG_ERROR, "compaction_failed", LOG_TEXT("code", err_name(err)), LOG_TEXT("hint", err_hint(err, 0)));
}

// On the state thread.
static void run_upkeep(void *context, struct service *service)
{
	(void)service;
	struct broker *broker = context;
	uint64_t now_ms = clock_now_ms();
	if (now_ms >= identity_rotate_at_ms(&broker->identity))
		refresh_identity(broker);
	if (now_ms >= broker->compact_at_ms) {
		broker->compact_at_ms = now_ms + DAY_MS;
		compact(broker);
	}
}

static void on_upkeep(uv_timer_t *timer)
{
	struct broker *broker = timer->data;
	sequencer_post(broker->sequencer, run_upkeep, broker);
}

void upkeep_start(struct broker *broker)
{
	uint64_t period_ms = clock_real_ms(MINUTE_MS);
	if (period_ms < UPKEEP_REAL_MS_MIN)
		period_ms = UPKEEP_REAL_MS_MIN;
	uv_timer_start(&broker->upkeep, on_upkeep, period_ms, period_ms);
}

// ---- reload

struct reload {
	struct broker *broker;
	const struct config *config;
};

// On the state thread.
static void run_reload(void *context, struct service *service)
{
	struct reload *reload = context;
	struct service_config service_config;
	broker_service_config(reload->broker, reload->config, &service_config);
	service_reconfigure(service, &service_config);
	reload->broker->active = reload->config;
	refresh_identity(reload->broker);
	free(reload);
}

static bool changes_at_once(enum config_key key)
{
	switch (key) {
	case CONFIG_crowd:
	case CONFIG_tick:
	case CONFIG_retention:
	case CONFIG_vendors:
	case CONFIG_vendors_per_intent:
	case CONFIG_offers_per_intent:
	case CONFIG_accounts:
	case CONFIG_account_stamp_bits:
	case CONFIG_accounts_max:
	case CONFIG_vouchers_per_day:
	case CONFIG_log:
	case CONFIG_demo:
	case CONFIG_hold:
		return true;
	default:
		return false;
	}
}

void upkeep_reload(struct broker *broker)
{
	struct generation *next = calloc(1, sizeof(*next));
	struct config_problem problem;
	if (!next)
		return;
	if (config_load(broker->argc, broker->argv, &next->config, &problem) != CONFIG_RUN ||
	    !config_check_files(&next->config, &problem)) {
		log_event(LOG_ERROR, "reload_refused", LOG_TEXT("where", problem.where), LOG_TEXT("problem", problem.text),
		          LOG_TEXT("hint", problem.hint));
		config_fini(&next->config);
		free(next);
		return;
	}
	const struct config *before = &broker->latest->config;
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		const char *text = next->config.settings[key].text;
		if (strcmp(before->settings[key].text, text) == 0)
			continue;
		if (changes_at_once(key))
			log_event(LOG_INFO, "changed", LOG_TEXT("setting", config_key_name(key)), LOG_TEXT("value", text));
		else
			log_event(LOG_WARN, "needs_restart", LOG_TEXT("setting", config_key_name(key)), LOG_TEXT("value", text));
	}
	next->older = broker->latest;
	broker->latest = next;
	log_set_level(next->config.log_level);
	struct reload *reload = malloc(sizeof(*reload));
	if (!reload)
		abort();
	*reload = (struct reload){broker, &next->config};
	if (!sequencer_post(broker->sequencer, run_reload, reload))
		free(reload);
	log_event(LOG_INFO, "reloaded");
}
