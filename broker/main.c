// oyezd: the broker. Reads the configuration and does what the flags ask for; daemon.c serves.
#include <nng/nng.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "broker/base/clock.h"
#include "daemon.h"

enum { EXIT_WRONG_CONFIG = 2 };

// Plain words for a person at a terminal or who asked to check, a log line for machines.
static int tell_problem(const struct config *config, const struct config_problem *problem)
{
	if (config->checking || isatty(STDERR_FILENO))
		fprintf(stderr, "oyezd: %s%s%s\n%s%s%s", problem->where, *problem->where ? ": " : "", problem->text,
		        *problem->hint ? "  hint: " : "", problem->hint, *problem->hint ? "\n" : "");
	else
		log_event(LOG_ERROR, "config_wrong", LOG_TEXT("where", problem->where), LOG_TEXT("problem", problem->text),
		          LOG_TEXT("hint", problem->hint));
	return EXIT_WRONG_CONFIG;
}

// A clock that runs faster is for tests: nobody from outside may meet it.
static bool check_clock(const struct config *config, struct config_problem *problem)
{
	const char *rate = getenv("OYEZ_TEST_CLOCK_RATE");
	if (!clock_init()) {
		config_complain(problem, "OYEZ_TEST_CLOCK_RATE", "write a number from 1 to 1000000, or unset it",
		                "\"%.40s\" is not a clock rate", rate ? rate : "");
		return false;
	}
	if (clock_rate() == 1)
		return true;
	if (!config->local_only) {
		config_complain(problem, "OYEZ_TEST_CLOCK_RATE", "unset it, or listen on loopback and ipc only",
		                "a faster clock is for tests, and this broker listens to the outside");
		return false;
	}
	return true;
}

static void use_all_processors(void)
{
	char count[16];
	snprintf(count, sizeof(count), "%u", uv_available_parallelism());
	if (uv_available_parallelism() > 4) // libuv's own number of workers
		setenv("UV_THREADPOOL_SIZE", count, 0);
}

int main(int argc, char **argv)
{
	struct config config;
	struct config_problem problem;
	enum config_action action = config_load(argc, argv, &config, &problem);
	int code = 0;
	if (action == CONFIG_HELP) {
		config_help(stdout);
	} else if (action == CONFIG_VERSION) {
		printf("oyezd %s (nng %s, libuv %s, libsodium %s)\n", OYEZ_VERSION, nng_version(), uv_version_string(),
		       sodium_version_string());
	} else if (action == CONFIG_WRONG || !config_check_files(&config, &problem) || !check_clock(&config, &problem)) {
		code = tell_problem(&config, &problem);
	} else if (action == CONFIG_CHECK) {
		puts("the configuration is right");
	} else if (action == CONFIG_PRINT) {
		config_print(&config, stdout);
	} else if (action == CONFIG_PRINT_KEY) {
		code = sodium_init() < 0 ? 1 : daemon_print_key(&config);
	} else {
		log_set_level(config.log_level);
		if (clock_rate() != 1)
			log_event(LOG_WARN, "test_clock", LOG_NUMBER("rate", clock_rate()));
		if (sodium_init() < 0)
			return 1;
		use_all_processors();
		return daemon_run(&config, argc, argv, OYEZ_VERSION);
	}
	config_fini(&config);
	return code;
}
