// From texts to values: what each setting may be, with a message that names it and where it was written.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "proto/key_check.h"
#include "proto/limits.h"
#include "proto/region.h"
#include "proto/sign.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

static bool wrong(const struct config *config, enum config_key key, struct config_problem *problem, const char *hint)
{
	const struct setting *setting = &config->settings[key];
	config_complain(problem, setting->source, hint, "%s: \"%.200s\" cannot be used", config_key_name(key),
	                setting->text);
	return false;
}

static bool read_number(const struct config *config, enum config_key key, uint32_t least, uint32_t most, uint32_t *out,
                        struct config_problem *problem)
{
	const char *text = config->settings[key].text;
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value < least || value > most) {
		char hint[96];
		snprintf(hint, sizeof(hint), "write a whole number from %u to %u", least, most);
		return wrong(config, key, problem, hint);
	}
	*out = (uint32_t)value;
	return true;
}

static bool read_duration(const struct config *config, enum config_key key, uint64_t least, uint64_t most,
                          uint64_t *out, struct config_problem *problem)
{
	if (duration_parse(config->settings[key].text, out) != ERR_OK || *out < least || *out > most) {
		char hint[128], low[24], high[24];
		duration_format(least, low);
		duration_format(most, high);
		snprintf(hint, sizeof(hint), "write a duration such as 200ms, 5s, 10m, 30d; from %s to %s", low, high);
		return wrong(config, key, problem, hint);
	}
	return true;
}

// One of two words; yes is the first.
static bool read_choice(const struct config *config, enum config_key key, const char *yes, const char *no, bool *out,
                        struct config_problem *problem)
{
	const char *text = config->settings[key].text;
	if (strcmp(text, yes) != 0 && strcmp(text, no) != 0) {
		char hint[96];
		snprintf(hint, sizeof(hint), "write %s or %s", yes, no);
		return wrong(config, key, problem, hint);
	}
	*out = strcmp(text, yes) == 0;
	return true;
}

bool config_address(const char *text, char *host, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || colon - text > 255 || colon[1] < '0' || colon[1] > '9')
		return false;
	char *end;
	unsigned long number = strtoul(colon + 1, &end, 10);
	if (*end || number > 65535)
		return false;
	bool bracketed = text[0] == '[' && colon[-1] == ']';
	if (!bracketed && memchr(text, ':', (size_t)(colon - text)))
		return false; // an IPv6 address wants brackets
	snprintf(host, 256, "%.*s", (int)(colon - text) - 2 * bracketed, text + bracketed);
	*port = (uint16_t)number;
	return *host != 0;
}

static bool is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static bool read_address(const struct config *config, enum config_key key, const char **out,
                         struct config_problem *problem)
{
	char host[256];
	uint16_t port;
	const char *text = config->settings[key].text;
	*out = NULL;
	if (strcmp(text, "off") == 0)
		return true;
	if (!config_address(text, host, &port))
		return wrong(config, key, problem, "write HOST:PORT such as 127.0.0.1:7790, or off");
	*out = text;
	return true;
}

static bool add_listener(struct config *config, const char *url, struct config_problem *problem)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (strcmp(config->listen[i], url) == 0 && strncmp(url, "ipc://", 6) == 0)
			return true; // the data folder's socket, written out
	if (config->listen_count == CONFIG_LISTEN_MAX)
		return wrong(config, CONFIG_listen, problem, "at most 15 addresses");
	config->listen[config->listen_count++] = strdup(url);
	return true;
}

static bool read_listener(struct config *config, const char *url, struct config_problem *problem)
{
	char host[256];
	uint16_t port;
	bool tls = strncmp(url, "tls+tcp://", 10) == 0;
	if (strcmp(url, "ipc://") == 0)
		return true; // the data folder's socket, which is always there
	if (strncmp(url, "ipc://", 6) == 0) {
		struct sockaddr_un limit;
		if (strlen(url + 6) >= sizeof(limit.sun_path))
			return wrong(config, CONFIG_listen, problem, "an ipc path has at most 107 bytes");
		return add_listener(config, url, problem);
	}
	if (!tls && strncmp(url, "tcp://", 6) != 0)
		return wrong(config, CONFIG_listen, problem, "addresses begin with tcp://, tls+tcp:// or ipc://");
	if (!config_address(url + (tls ? 10 : 6), host, &port))
		return wrong(config, CONFIG_listen, problem, "write tcp://HOST:PORT, such as tcp://127.0.0.1:7710");
	if (tls && (!*config->settings[CONFIG_tls_certificate].text || !*config->settings[CONFIG_tls_key].text))
		return wrong(config, CONFIG_listen, problem, "tls+tcp:// needs tls_certificate and tls_key");
	if (!is_loopback(host))
		config->local_only = false;
	return add_listener(config, url, problem);
}

static bool read_listeners(struct config *config, struct config_problem *problem)
{
	config->local_only = true;
	char *words = strdup(config->settings[CONFIG_listen].text), *rest = NULL;
	bool right = true;
	for (char *url = strtok_r(words, " ,\n\t", &rest); url && right; url = strtok_r(NULL, " ,\n\t", &rest))
		right = read_listener(config, url, problem);
	free(words);
	if (!right)
		return false;

	// The operator's commands come over this one, whatever else is listened on.
	char *own = NULL;
	if (asprintf(&own, "ipc://%s/oyezd.ipc", config->data) < 0)
		abort();
	struct sockaddr_un limit;
	if (strlen(own) - 6 >= sizeof(limit.sun_path)) {
		free(own);
		return wrong(config, CONFIG_data, problem,
		             "its path is too long for a socket inside it (107 bytes with oyezd.ipc)");
	}
	bool added = add_listener(config, own, problem);
	free(own);
	return added;
}

// "URL#KEY", as brokers say it when they start.
static bool read_broker(struct config *config, enum config_key key, const char *word, struct config_broker *out,
                        struct config_problem *problem)
{
	const char *mark = strchr(word, '#');
	char host[256];
	uint16_t port;
	if (!mark || !hex_decode(mark + 1, out->key, KEY_BYTES) || !sign_key_valid(out->key))
		return wrong(config, key, problem, "write URL#KEY; KEY is the 64 digits that the other broker logs as \"key\"");
	bool tls = strncmp(word, "tls+tcp://", 10) == 0;
	if (mark - word > URL_BYTES_MAX || (!tls && strncmp(word, "tcp://", 6) != 0 && strncmp(word, "ipc://", 6) != 0))
		return wrong(config, key, problem, "addresses begin with tcp://, tls+tcp:// or ipc://");
	out->url = strndup(word, (size_t)(mark - word));
	if (!out->url)
		abort();
	if (strncmp(word, "ipc://", 6) == 0 || config_address(out->url + (tls ? 10 : 6), host, &port))
		return true;
	free(out->url);
	out->url = NULL;
	return wrong(config, key, problem, "write tcp://HOST:PORT#KEY, such as tcp://broker.example:7710#1f0c...");
}

static bool read_brokers(struct config *config, enum config_key key, struct config_broker *brokers, size_t most,
                         size_t *count, struct config_problem *problem)
{
	char *words = strdup(config->settings[key].text), *rest = NULL;
	bool right = true;
	for (char *word = strtok_r(words, " ,\n\t", &rest); word && right; word = strtok_r(NULL, " ,\n\t", &rest)) {
		right = *count < most ? read_broker(config, key, word, &brokers[*count], problem)
		                      : wrong(config, key, problem, "at most 8 homes and 16 guardians");
		for (size_t i = 0; right && i < *count; i++)
			if (memcmp(brokers[i].key, brokers[*count].key, KEY_BYTES) == 0)
				right = wrong(config, key, problem, "one broker stands here twice");
		*count += *count < most && brokers[*count].url; // config_fini frees it, right or not
	}
	free(words);
	return right;
}

static bool read_data(struct config *config, struct config_problem *problem)
{
	const char *text = config->settings[CONFIG_data].text;
	if (!*text)
		return wrong(config, CONFIG_data, problem, "name a folder");
	config->data = realpath(text, NULL);
	if (config->data)
		return true;
	if (text[0] == '/') {
		config->data = strdup(text);
		return true;
	}
	char here[PATH_MAX];
	if (!getcwd(here, sizeof(here)) || asprintf(&config->data, "%s/%s", here, text) < 0)
		abort();
	return true;
}

static bool read_region(struct config *config, struct config_problem *problem)
{
	config->region = config->settings[CONFIG_region].text;
	if (region_find(config->region) != TREE_NONE)
		return true;
	const char *near[3];
	char hint[192] = "write an ISO 3166 code such as FR or FR-BRE";
	size_t count = region_suggest(config->region, near);
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(hint);
		snprintf(hint + used, sizeof(hint) - used, "%s%s", i ? ", " : "; near it: ", near[i]);
	}
	return wrong(config, CONFIG_region, problem, hint);
}

static bool read_log_level(struct config *config, struct config_problem *problem)
{
	static const char *const words[] = {"debug", "info", "warn", "error"};
	for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
		if (strcmp(config->settings[CONFIG_log].text, words[level]) == 0) {
			config->log_level = level;
			return true;
		}
	}
	return wrong(config, CONFIG_log, problem, "write debug, info, warn or error");
}

static bool read_posting(struct config *config, struct config_problem *problem)
{
	static const char *const words[] = {"open", "stamp", "token"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(config->settings[CONFIG_posting].text, words[i]) == 0) {
			config->posting = OYEZ__POSTING__POSTING_OPEN + i;
			return true;
		}
	}
	return wrong(config, CONFIG_posting, problem, "write open, stamp or token");
}

static bool read_vendor_urls(struct config *config, struct config_problem *problem)
{
	static const char *const words[] = {"check", "trial", "off"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(config->settings[CONFIG_vendor_urls].text, words[i]) == 0) {
			config->vendor_urls = VENDOR_URLS_CHECK + i;
			return true;
		}
	}
	return wrong(config, CONFIG_vendor_urls, problem, "write check, trial or off");
}

bool config_understand(struct config *config, struct config_problem *problem)
{
	if (!read_data(config, problem) || !read_listeners(config, problem))
		return false;
	if (!config->settings[CONFIG_vendors].text)
		config_set(config, CONFIG_vendors, config->local_only ? "open" : "approved", "default");
	if (!config->settings[CONFIG_posting].text)
		config_set(config, CONFIG_posting, config->local_only ? "open" : "token", "default");
	// A broker that only this machine reaches is for trying things out: it calls nobody.
	if (!config->settings[CONFIG_vendor_urls].text)
		config_set(config, CONFIG_vendor_urls, config->local_only ? "off" : "check", "default");
	if (!config->settings[CONFIG_accounts].text)
		config_set(config, CONFIG_accounts, config->local_only ? "stamp" : "invite", "default");
	config->taxonomy =
	    strcmp(config->settings[CONFIG_taxonomy].text, "builtin") == 0 ? NULL : config->settings[CONFIG_taxonomy].text;
	config->tls_certificate = config->settings[CONFIG_tls_certificate].text;
	config->tls_key = config->settings[CONFIG_tls_key].text;
	return read_address(config, CONFIG_web, &config->web, problem) &&
	       read_address(config, CONFIG_admin, &config->admin, problem) && read_region(config, problem) &&
	       read_number(config, CONFIG_crowd, 1, CROWD_WISH_MAX, &config->crowd, problem) &&
	       read_duration(config, CONFIG_tick, 10, HOUR_MS, &config->tick_ms, problem) &&
	       read_choice(config, CONFIG_hold, "on", "off", &config->hold, problem) &&
	       read_choice(config, CONFIG_vendors, "open", "approved", &config->vendors_open, problem) &&
	       read_brokers(config, CONFIG_homes, config->homes, HOMES_MAX, &config->home_count, problem) &&
	       read_brokers(config, CONFIG_guardians, config->guardians, GUARDIANS_MAX, &config->guardian_count, problem) &&
	       read_posting(config, problem) && read_vendor_urls(config, problem) &&
	       read_number(config, CONFIG_stamp_bits, 1, STAMP_BITS_MAX, &config->stamp_bits, problem) &&
	       read_choice(config, CONFIG_accounts, "stamp", "invite", &config->accounts_by_stamp, problem) &&
	       read_number(config, CONFIG_account_stamp_bits, 1, STAMP_BITS_MAX, &config->account_stamp_bits, problem) &&
	       read_number(config, CONFIG_accounts_max, 0, 10000000, &config->accounts_max, problem) &&
	       read_number(config, CONFIG_vouchers_per_day, 0, VOUCHERS_PER_DAY_MAX, &config->vouchers_per_day, problem) &&
	       read_number(config, CONFIG_vendors_per_intent, 1, 10000, &config->vendors_per_intent_max, problem) &&
	       read_number(config, CONFIG_offers_per_intent, 1, 10000, &config->offers_per_intent_max, problem) &&
	       read_duration(config, CONFIG_retention, HOUR_MS, 365 * DAY_MS, &config->retention_ms, problem) &&
	       read_number(config, CONFIG_connections, 1, 100000, &config->connections_max, problem) &&
	       read_log_level(config, problem) && read_choice(config, CONFIG_demo, "on", "off", &config->demo, problem);
}

static bool check_readable(const struct config *config, enum config_key key, struct config_problem *problem)
{
	const char *path = config->settings[key].text;
	return !*path || access(path, R_OK) == 0 ||
	       wrong(config, key, problem, "this file cannot be read: check the path and its rights");
}

bool config_check_files(const struct config *config, struct config_problem *problem)
{
	if (!check_readable(config, CONFIG_tls_certificate, problem) || !check_readable(config, CONFIG_tls_key, problem))
		return false;
	if (config->taxonomy) {
		struct taxonomy *taxonomy;
		char reason[200] = "";
		if (taxonomy_load(config->taxonomy, &taxonomy, reason, sizeof(reason)) != ERR_OK)
			return wrong(config, CONFIG_taxonomy, problem, *reason ? reason : "this file cannot be read");
		taxonomy_free(taxonomy);
	}
	return true;
}
