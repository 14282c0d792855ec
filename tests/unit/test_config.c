// The broker's configuration: where values come from, and what is said about wrong ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/config.h"
#include "proto/limits.h"

enum { WORDS_MAX = 20 };

static struct config config;
static struct config_problem problem;

// load("--tick", "2s", NULL)
static enum config_action load(const char *first, ...)
{
	const char *words[WORDS_MAX] = {"oyezd"};
	int count = 1;
	va_list arguments;
	va_start(arguments, first);
	for (const char *word = first; word; word = va_arg(arguments, const char *))
		words[count++] = word;
	va_end(arguments);
	char *copies[WORDS_MAX] = {NULL};
	for (int i = 0; i < count; i++)
		copies[i] = strdup(words[i]);
	char *argv[WORDS_MAX];
	memcpy(argv, copies, sizeof(argv)); // getopt reorders
	enum config_action action = config_load(count, argv, &config, &problem);
	for (int i = 0; i < count; i++)
		free(copies[i]);
	return action;
}

static char path[] = "/tmp/oyez-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static enum config_action load_file(const char *text)
{
	write_file(text);
	return load("--config", path, NULL);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(path, "/tmp/oyez-config-XXXXXX");
	int fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	unsetenv("OYEZ_TICK");
	unsetenv("OYEZ_CONFIG");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	config_fini(&config);
	return 0;
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(load("--data", "/tmp", NULL), CONFIG_RUN);
	assert_int_equal(config.listen_count, 2);
	assert_string_equal(config.listen[0], "tcp://127.0.0.1:7710");
	assert_string_equal(config.listen[1], "ipc:///tmp/oyezd.ipc");
	assert_string_equal(config.admin, "127.0.0.1:7790");
	assert_string_equal(config.web, "127.0.0.1:7780");
	assert_string_equal(config.region, "FR");
	assert_int_equal(config.crowd, 5);
	assert_true(config.hold);
	assert_int_equal(config.tick_ms, 5000);
	assert_int_equal(config.retention_ms, 30 * DAY_MS);
	assert_int_equal(config.vendors_per_intent_max, 50);
	assert_int_equal(config.offers_per_intent_max, 50);
	assert_true(config.vendors_open);
	assert_true(config.local_only);
	assert_true(config.accounts_by_stamp);
	assert_int_equal(config.account_stamp_bits, 20);
	assert_int_equal(config.accounts_max, 100000);
	assert_int_equal(config.vouchers_per_day, 2);
	assert_null(config.taxonomy);
}

static void test_precedence(void **state)
{
	(void)state;
	write_file("# a comment\ntick: 1s\ncrowd: 3\n\nretention: 7d\n");
	setenv("OYEZ_TICK", "2s", 1);
	assert_int_equal(load("--config", path, "--retention", "9d", NULL), CONFIG_RUN);
	char where[64];
	snprintf(where, sizeof(where), "%s:3", path);
	assert_string_equal(config.settings[CONFIG_crowd].source, where);
	assert_int_equal(config.crowd, 3);
	assert_string_equal(config.settings[CONFIG_tick].source, "OYEZ_TICK");
	assert_int_equal(config.tick_ms, 2000);
	assert_string_equal(config.settings[CONFIG_retention].source, "--retention");
	assert_int_equal(config.retention_ms, 9 * DAY_MS);
	assert_string_equal(config.settings[CONFIG_region].source, "default");
}

static void test_listeners(void **state)
{
	(void)state;
	write_file("listen:\n  - tcp://127.0.0.1:1\n  - \"tcp://[::1]:2\"\ndata: /tmp\n");
	assert_int_equal(load("--config", path, NULL), CONFIG_RUN);
	assert_int_equal(config.listen_count, 3);
	assert_string_equal(config.listen[1], "tcp://[::1]:2");
	assert_true(config.local_only);
	config_fini(&config);

	// Flags replace the file's list, and add to each other. The data folder's socket is there once.
	assert_int_equal(load("--config", path, "--listen", "tcp://0.0.0.0:5", "--listen", "ipc:///tmp/oyezd.ipc", NULL),
	                 CONFIG_RUN);
	assert_int_equal(config.listen_count, 2);
	assert_false(config.local_only);
	assert_false(config.vendors_open);
	config_fini(&config);
	assert_int_equal(load("--listen", "tcp://0.0.0.0:5", "--vendors", "open", NULL), CONFIG_RUN);
	assert_true(config.vendors_open);
}

static void assert_wrong(enum config_action action, const char *where, const char *text, const char *hint)
{
	assert_int_equal(action, CONFIG_WRONG);
	if (!strstr(problem.where, where) || !strstr(problem.text, text) || !strstr(problem.hint, hint))
		fail_msg("said: \"%s\" \"%s\" \"%s\"", problem.where, problem.text, problem.hint);
	config_fini(&config);
}

static void test_wrong_files(void **state)
{
	(void)state;
	assert_wrong(load_file("tick: 1s\n\n# crowd\ncrwod: 3\nregion: FR\n"), ":4", "\"crwod\"", "did you mean crowd?");
	assert_wrong(load_file("tick: 1s\ntick: 2s\n"), ":2", "second time", "one of the two");
	assert_wrong(load_file("tick: 1s\n  crowd: [\n"), ":2", "", "indentation");
	assert_wrong(load_file("listen: tcp://127.0.0.1:1\n"), ":1", "listen is a list", "- tcp://");
	assert_wrong(load_file("region:\n  name: FR\n"), ":2", "nested", "name: value");
	assert_wrong(load_file("crowd: [1, 2]\n"), ":1", "list", "only listen");
	assert_wrong(load_file("just words\n"), ":1", "not a setting", "name: value");
	assert_wrong(load_file("tick: 1s\ncrowd: 0\n"), ":2", "crowd: \"0\"", "from 1 to 1000");
	assert_wrong(load_file("tick: soon\n"), ":1", "tick: \"soon\"", "duration");
	assert_wrong(load("--config", "/nonexistent/oyezd.yaml", NULL), "/nonexistent", "cannot be read", "rights");
	assert_int_equal(load_file(""), CONFIG_RUN); // nothing decided is fine
	config_fini(&config);
	assert_int_equal(load_file("# only a comment\n"), CONFIG_RUN);
}

static void test_wrong_values(void **state)
{
	(void)state;
	assert_wrong(load("--crowds", "3", NULL), "--crowds", "no such flag", "--crowd");
	assert_wrong(load("--crowd", NULL), "--crowd", "needs a value", "--help");
	assert_wrong(load("data", NULL), "data", "belongs to no flag", "--data DIR");
	assert_wrong(load("--listen", "udp://127.0.0.1:1", NULL), "--listen", "listen", "tls+tcp://");
	assert_wrong(load("--listen", "tcp://127.0.0.1", NULL), "--listen", "listen", "HOST:PORT");
	assert_wrong(load("--listen", "tcp://127.0.0.1:99999", NULL), "--listen", "listen", "HOST:PORT");
	assert_wrong(load("--listen", "tls+tcp://127.0.0.1:1", NULL), "--listen", "listen", "tls_certificate");
	assert_wrong(load("--admin", "here", NULL), "--admin", "admin", "HOST:PORT");
	assert_wrong(load("--region", "FRX", NULL), "--region", "region", "ISO 3166");
	assert_wrong(load("--hold", "maybe", NULL), "--hold", "hold", "on or off");
	assert_wrong(load("--vendors", "all", NULL), "--vendors", "vendors", "open or approved");
	assert_wrong(load("--tick", "2h", NULL), "--tick", "tick", "from 10ms");
	assert_wrong(load("--crowd", "-1", NULL), "--crowd", "crowd", "whole number");
	assert_wrong(load("--log", "loud", NULL), "--log", "log", "debug");
	setenv("OYEZ_TICK", "never", 1);
	assert_wrong(load(NULL, NULL), "OYEZ_TICK", "tick", "duration");
}

static void test_long_data_path(void **state)
{
	(void)state;
	char deep[200] = "/tmp/";
	memset(deep + 5, 'a', 150);
	assert_wrong(load("--data", deep, NULL), "--data", "data", "too long");
}

static void test_actions(void **state)
{
	(void)state;
	assert_int_equal(load("--version", NULL), CONFIG_VERSION);
	config_fini(&config);
	assert_int_equal(load("--help", NULL), CONFIG_HELP);
	config_fini(&config);
	assert_int_equal(load("--check-config", NULL), CONFIG_CHECK);
	config_fini(&config);
	assert_int_equal(load("--print-config", "--tick", "3s", NULL), CONFIG_PRINT);

	char *text = NULL;
	size_t count;
	FILE *out = open_memstream(&text, &count);
	config_print(&config, out);
	fclose(out);
	assert_non_null(strstr(text, "tick: 3s  # --tick\n"));
	assert_non_null(strstr(text, "vendors: open  # default\n"));
	assert_non_null(strstr(text, "listen:  # default\n  - tcp://127.0.0.1:7710\n  - ipc://"));
	free(text);
}

static void test_files_it_names(void **state)
{
	(void)state;
	assert_int_equal(load("--taxonomy", "/nonexistent", NULL), CONFIG_RUN);
	assert_false(config_check_files(&config, &problem));
	assert_string_equal(problem.where, "--taxonomy");
	config_fini(&config);
	assert_int_equal(load("--tls-certificate", "/nonexistent", NULL), CONFIG_RUN);
	assert_false(config_check_files(&config, &problem));
	assert_string_equal(problem.where, "--tls-certificate");
}

static void test_addresses(void **state)
{
	(void)state;
	char host[256];
	uint16_t port;
	assert_true(config_address("127.0.0.1:80", host, &port));
	assert_string_equal(host, "127.0.0.1");
	assert_int_equal(port, 80);
	assert_true(config_address("[::1]:0", host, &port));
	assert_string_equal(host, "::1");
	assert_false(config_address("::1:80", host, &port));
	assert_false(config_address(":80", host, &port));
	assert_false(config_address("host:", host, &port));
	assert_false(config_address("host:80x", host, &port));
	assert_false(config_address("host:65536", host, &port));
}

#define BROKER_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define OTHER_KEY "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

static void test_other_brokers(void **state)
{
	(void)state;
	write_file("homes:\n  - \"tcp://127.0.0.1:1#" BROKER_KEY "\"\n  - tls+tcp://b.example:2#" OTHER_KEY "\ndata: /tmp\n");
	assert_int_equal(load("--config", path, "--guardians", "ipc:///tmp/g.ipc#" OTHER_KEY, NULL), CONFIG_RUN);
	assert_int_equal(config.home_count, 2);
	assert_string_equal(config.homes[0].url, "tcp://127.0.0.1:1");
	assert_int_equal(config.homes[0].key[0], 0xd7);
	assert_string_equal(config.homes[1].url, "tls+tcp://b.example:2");
	assert_int_equal(config.guardian_count, 1);
	assert_string_equal(config.guardians[0].url, "ipc:///tmp/g.ipc");
	config_fini(&config);
	assert_wrong(load("--homes", "tcp://127.0.0.1:1", NULL), "--homes", "homes", "URL#KEY");
	assert_wrong(load("--homes", "udp://127.0.0.1:1#" BROKER_KEY, NULL), "--homes", "homes", "tcp://");
	assert_wrong(load("--homes", "tcp://127.0.0.1#" BROKER_KEY, NULL), "--homes", "homes", "HOST:PORT");
	assert_wrong(load("--homes", "tcp://a:1#" BROKER_KEY " tcp://b:1#" BROKER_KEY, NULL), "--homes", "homes", "twice");
	assert_wrong(load_file("homes: tcp://127.0.0.1:1\n"), ":1", "homes is a list", "#KEY");
}

static void test_accounts(void **state)
{
	(void)state;
	write_file("accounts: stamp\naccount_stamp_bits: 12\naccounts_max: 0\n");
	setenv("OYEZ_VOUCHERS_PER_DAY", "5", 1);
	assert_int_equal(load("--config", path, "--listen", "tcp://0.0.0.0:5", NULL), CONFIG_RUN);
	unsetenv("OYEZ_VOUCHERS_PER_DAY");
	assert_true(config.accounts_by_stamp);
	assert_int_equal(config.account_stamp_bits, 12);
	assert_int_equal(config.accounts_max, 0);
	assert_int_equal(config.vouchers_per_day, 5);
	config_fini(&config);

	// Anybody can make stamps: a broker that others reach asks for codes unless told otherwise.
	assert_int_equal(load("--listen", "tcp://0.0.0.0:5", NULL), CONFIG_RUN);
	assert_false(config.accounts_by_stamp);
	assert_string_equal(config.settings[CONFIG_accounts].text, "invite");
	config_fini(&config);
	assert_wrong(load("--accounts", "open", NULL), "--accounts", "accounts", "stamp or invite");
	config_fini(&config);
	assert_wrong(load("--account-stamp-bits", "41", NULL), "--account-stamp-bits", "account_stamp_bits", "1 to 40");
	config_fini(&config);
	assert_wrong(load("--vouchers-per-day", "1001", NULL), "--vouchers-per-day", "vouchers_per_day", "0 to 1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_precedence, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_listeners, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_brokers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_accounts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_wrong_files, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_wrong_values, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_long_data_path, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_files_it_names, set_up, tear_down),
	    cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
