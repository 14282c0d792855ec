// What the operator decides: defaults < YAML file < OYEZ_* environment < flags, each value with where it came from.
// Reads configuration and checks it; opens no store and no socket.
#ifndef OYEZ_BROKER_CONFIG_H
#define OYEZ_BROKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/base/log.h"
#include "proto/codec.h"
#include "proto/limits.h"

// X(key, default, help). The key is the YAML key; OYEZ_KEY and --key-with-dashes are the other two forms.
// A default of NULL is worked out from the other values.
#define CONFIG_KEYS(X)                                                                                                 \
	X(data, NULL, "DIR: where everything is kept")                                                                     \
	X(listen, "tcp://127.0.0.1:7710 ipc://", "URL: tcp://, tls+tcp:// or ipc:// (the data folder's); repeat it")       \
	X(web, "127.0.0.1:7780", "HOST:PORT of the wallet page, or off")                                                   \
	X(admin, "127.0.0.1:7790", "HOST:PORT of /healthz, /readyz and /metrics, or off")                                  \
	X(region, "FR", "CODE: ISO 3166 region this broker serves")                                                        \
	X(crowd, "5", "K: releases that must be alike before they leave")                                                  \
	X(tick, "5s", "DURATION between releases")                                                                         \
	X(hold, "on", "on|off: hold what vendors see back at random (intents with two brokers)")                           \
	X(taxonomy, "builtin", "FILE of categories, or builtin")                                                           \
	X(vendors, NULL, "open|approved: may vendors serve at once, or after the operator's approval")                     \
	X(vendor_urls, NULL, "check|trial|off: look whether vendors' sites name their keys; trial takes http and loopback")  \
	X(homes, "", "URL#KEY of a home broker to relay to, as a guardian; repeat it")                                      \
	X(guardians, "", "URL#KEY of a guardian whose vouchers are taken and boxes filled, as a home; repeat it")           \
	X(posting, NULL, "open|stamp|token: what a post must bring")                                                       \
	X(stamp_bits, "20", "N: zero bits of a stamp, where posting asks for one")                                         \
	X(accounts, NULL, "invite|stamp: how wallets open accounts here, as with a guardian")                              \
	X(account_stamp_bits, "20", "N: zero bits of a stamp for an account")                                              \
	X(accounts_max, "100000", "N: accounts taken")                                                                     \
	X(vouchers_per_day, "2", "N: vouchers an account gets a day; each is good for 16 tokens")                          \
	X(vendors_per_intent, "50", "N: vendors that may answer one intent")                                               \
	X(offers_per_intent, "50", "N: offers that may stand for one intent")                                              \
	X(retention, "30d", "DURATION the feed is kept")                                                                   \
	X(connections, "2000", "N: connections taken at once")                                                             \
	X(tls_certificate, "", "FILE (PEM) for tls+tcp:// listeners")                                                      \
	X(tls_key, "", "FILE (PEM) for tls+tcp:// listeners")                                                              \
	X(log, "info", "debug|info|warn|error")                                                                            \
	X(demo, "off", "on|off: tell clients that this is a demonstration")

enum config_key {
#define X(key, ...) CONFIG_##key,
	CONFIG_KEYS(X)
#undef X
	    CONFIG_KEY_COUNT
};

enum { CONFIG_LISTEN_MAX = 16 };

// Another broker, written URL#KEY.
struct config_broker {
	char *url;
	uint8_t key[KEY_BYTES];
};

struct setting {
	char *text;   // as written; list items separated by spaces
	char *source; // "default", "FILE:12", "OYEZ_TICK", "--tick"
};

struct config {
	struct setting settings[CONFIG_KEY_COUNT];
	// The same, understood:
	char *data;                      // absolute where the folder exists
	char *listen[CONFIG_LISTEN_MAX]; // nng addresses; the data folder's ipc socket is always among them
	size_t listen_count;
	const char *web, *admin; // NULL when off
	const char *region;
	const char *taxonomy; // NULL: the one built in
	const char *tls_certificate, *tls_key;
	uint32_t crowd, vendors_per_intent_max, offers_per_intent_max, connections_max;
	uint64_t tick_ms, retention_ms;
	struct config_broker homes[HOMES_MAX], guardians[GUARDIANS_MAX];
	size_t home_count, guardian_count;
	enum _Oyez__Posting posting;
	uint32_t stamp_bits;
	uint32_t accounts_max, account_stamp_bits, vouchers_per_day;
	enum vendor_urls { VENDOR_URLS_CHECK, VENDOR_URLS_TRIAL, VENDOR_URLS_OFF } vendor_urls;
	bool hold, vendors_open, accounts_by_stamp, demo;
	bool checking;   // --check-config or --print-config: problems are told in plain words
	bool local_only; // every listener is on loopback or ipc
	enum log_level log_level;
};

struct config_problem {
	char where[256]; // "FILE:12", "--tick", "OYEZ_TICK"; empty if nowhere in particular
	char text[384];
	char hint[256];
};

enum config_action {
	CONFIG_RUN,
	CONFIG_CHECK,
	CONFIG_PRINT,
	CONFIG_PRINT_KEY,
	CONFIG_VERSION,
	CONFIG_HELP,
	CONFIG_WRONG
};

// Reads everything. On CONFIG_WRONG `problem` says what and where. In every case config_fini frees.
enum config_action config_load(int argc, char **argv, struct config *config, struct config_problem *problem);
// What needs a look at other files: taxonomy, certificates. Never the store.
bool config_check_files(const struct config *config, struct config_problem *problem);
// As YAML, each value with its source as a comment.
void config_print(const struct config *config, FILE *out);
void config_help(FILE *out);
void config_fini(struct config *config);

const char *config_key_name(enum config_key key);
// Its value is a list of words.
bool config_key_is_list(enum config_key key);
// Splits "HOST:PORT" ("[::1]:7790"); false if it is none. `host` has room for 256.
bool config_address(const char *text, char *host, uint16_t *port);

// ---- between config*.c only
enum { CONFIG_NAME_BYTES = 64 };
void config_set(struct config *config, enum config_key key, const char *text, const char *source);
// The key by its YAML name, CONFIG_KEY_COUNT if there is none.
enum config_key config_find_key(const char *name);
// The candidate nearest to a mistyped word, NULL if none is near.
const char *config_nearest(const char *word, const char *const *candidates, size_t count);
const char *config_nearest_key(const char *word);
bool config_read_file(struct config *config, const char *path, struct config_problem *problem);
// Texts to values.
bool config_understand(struct config *config, struct config_problem *problem);
void config_complain(struct config_problem *problem, const char *where, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
