// oyez-crowd: fills a demonstration with simulated callers. They are ordinary customers to the broker; the broker must
// say that it is a demonstration, and then every client shows that. It is no tool to make a real market look busier.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "clients/bot/crowd.h"
#include "proto/limits.h"
#include "proto/values.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };
enum {
	FLAG_BROKER = 1,
	FLAG_GUARDIAN,
	FLAG_HOME,
	FLAG_WALLETS,
	FLAG_RATE,
	FLAG_SEED,
	FLAG_DURATION,
	FLAG_CATEGORY,
	FLAG_REGION,
	FLAG_ACCEPT,
	FLAG_WITHDRAW,
	FLAG_PATIENCE,
	FLAG_EXPIRES,
	FLAG_COARSEST,
	FLAG_FLAT,
	FLAG_JSON,
	FLAG_HELP,
};
static const struct option FLAGS[] = {
    {"broker", 1, NULL, FLAG_BROKER},     {"guardian", 1, NULL, FLAG_GUARDIAN}, {"home", 1, NULL, FLAG_HOME},
    {"wallets", 1, NULL, FLAG_WALLETS},   {"rate", 1, NULL, FLAG_RATE},         {"seed", 1, NULL, FLAG_SEED},
    {"duration", 1, NULL, FLAG_DURATION}, {"category", 1, NULL, FLAG_CATEGORY}, {"region", 1, NULL, FLAG_REGION},
    {"accept", 1, NULL, FLAG_ACCEPT},     {"withdraw", 1, NULL, FLAG_WITHDRAW}, {"patience", 1, NULL, FLAG_PATIENCE},
    {"expires", 1, NULL, FLAG_EXPIRES},   {"coarsest", 1, NULL, FLAG_COARSEST}, {"flat", 0, NULL, FLAG_FLAT},
    {"json", 0, NULL, FLAG_JSON},         {"help", 0, NULL, FLAG_HELP},         {NULL, 0, NULL, 0}};

static volatile sig_atomic_t stopped;
static bool french;

static const char *word(const char *english, const char *in_french)
{
	return french ? in_french : english;
}

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void help(FILE *out)
{
	fputs(word("usage: oyez-crowd --broker URL[#KEY] [options]\n"
	           "Simulated callers for a broker that announces a demonstration (oyezd --demo on).\n"
	           "  --guardian URL     go through a second broker\n"
	           "  --home DIR         where the wallets are kept (default: a scratch folder, removed by you)\n"
	           "  --wallets N        how many people (50)\n"
	           "  --rate N           posts a minute, on the day's average (10)\n"
	           "  --flat             no day and night\n"
	           "  --duration TIME    10m, 2h; 0: until stopped (0)\n"
	           "  --seed N           the same seed wants the same things (1)\n"
	           "  --category ID      wanted; repeat it, the first is wanted most (default: all)\n"
	           "  --region CODE      where; repeat it (default: France by population)\n"
	           "  --accept SHARE     at a look at an intent with offers: take the cheapest (0.05)\n"
	           "  --withdraw SHARE   at a look at an open intent: withdraw it (0.01)\n"
	           "  --patience TIME, --expires TIME, --coarsest STEP   as of: oyez want\n"
	           "  --json             one line a minute as JSON\n",
	           "usage : oyez-crowd --broker URL[#CLÉ] [options]\n"
	           "Des appelants simulés pour un courtier qui annonce une démonstration (oyezd --demo on).\n"
	           "  --guardian URL     passer par un second courtier\n"
	           "  --home DOSSIER     où sont les portefeuilles (sinon un dossier provisoire, à supprimer par vous)\n"
	           "  --wallets N        combien de personnes (50)\n"
	           "  --rate N           appels par minute, en moyenne sur la journée (10)\n"
	           "  --flat             sans jour ni nuit\n"
	           "  --duration DURÉE   10m, 2h ; 0 : jusqu'à l'arrêt (0)\n"
	           "  --seed N           la même graine veut les mêmes choses (1)\n"
	           "  --category ID      voulue ; à répéter, la première est la plus voulue (sinon : toutes)\n"
	           "  --region CODE      où ; à répéter (sinon : la France selon sa population)\n"
	           "  --accept PART      en regardant une intention qui a des offres : prendre la moins chère (0.05)\n"
	           "  --withdraw PART    en regardant une intention ouverte : la retirer (0.01)\n"
	           "  --patience DURÉE, --expires DURÉE, --coarsest PAS   comme pour : oyez want\n"
	           "  --json             une ligne JSON par minute\n"),
	      out);
}

// ---- flags

struct flags {
	struct crowd_options options;
	const char *categories[CROWD_ADDRESS_MAX], *regions[CROWD_ADDRESS_MAX];
	size_t category_count, region_count;
};

static bool number(const char *text, double least, double most, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return *text && !*end && *out >= least && *out <= most;
}

static bool duration(const char *text, uint64_t *out)
{
	if (strcmp(text, "0") == 0) {
		*out = 0;
		return true;
	}
	return duration_parse(text, out) == ERR_OK;
}

static bool add_name(const char **names, size_t *count, const char *name)
{
	if (*count == CROWD_ADDRESS_MAX)
		return false;
	names[(*count)++] = name;
	return true;
}

static bool take(struct flags *flags, int flag, const char *value)
{
	struct crowd_options *options = &flags->options;
	double count;
	switch (flag) {
	case FLAG_BROKER:
		options->broker = value;
		return true;
	case FLAG_GUARDIAN:
		options->guardian = value;
		return true;
	case FLAG_HOME:
		options->home = value;
		return true;
	case FLAG_WALLETS:
		if (!number(value, 1, CROWD_WALLETS_MAX, &count))
			return false;
		options->wallets = (size_t)count;
		return true;
	case FLAG_RATE:
		return number(value, 0.001, 6000, &options->posts_per_minute);
	case FLAG_SEED:
		if (!number(value, 0, 1e15, &count))
			return false;
		options->seed = (uint64_t)count;
		return true;
	case FLAG_DURATION:
		return duration(value, &options->duration_ms);
	case FLAG_CATEGORY:
		return add_name(flags->categories, &flags->category_count, value);
	case FLAG_REGION:
		return add_name(flags->regions, &flags->region_count, value);
	case FLAG_ACCEPT:
		return number(value, 0, 1, &options->accept);
	case FLAG_WITHDRAW:
		return number(value, 0, 1, &options->withdraw);
	case FLAG_PATIENCE:
		return duration(value, &options->patience_ms);
	case FLAG_EXPIRES:
		return duration(value, &options->expires_ms);
	case FLAG_COARSEST:
		options->has_coarsest = number(value, 0, 15, &count);
		options->coarsest = (uint32_t)count;
		return options->has_coarsest;
	case FLAG_FLAT:
		options->flat = true;
		return true;
	case FLAG_JSON:
		options->json = true;
		return true;
	default:
		return false;
	}
}

static int fail(const struct oyez_error *error)
{
	fprintf(stderr, "oyez-crowd: %s\n", err_message(error->code, french));
	if (*error->detail)
		fprintf(stderr, "  %s\n", error->detail);
	fprintf(stderr, "  %s\n", err_hint(error->code, french));
	return error->code == ERR_USAGE ? EXIT_USAGE : error->code == ERR_UNREACHABLE ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

// ---- the run

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double liveliness(const struct crowd_options *options)
{
	time_t now = (time_t)(clock_now_ms() / SECOND_MS);
	struct tm local;
	if (options->flat || !localtime_r(&now, &local))
		return 1;
	return people_liveliness(local.tm_hour);
}

static void tell(const struct crowd *crowd, bool json)
{
	const struct crowd_numbers *numbers = crowd_numbers(crowd);
	if (json)
		printf("{\"posts\":%llu,\"refused\":%llu,\"accepted\":%llu,\"withdrawn\":%llu,\"problems\":%llu}\n",
		       (unsigned long long)numbers->posts, (unsigned long long)numbers->refused,
		       (unsigned long long)numbers->accepted, (unsigned long long)numbers->withdrawn,
		       (unsigned long long)numbers->problems);
	else
		printf(word("%llu posts, %llu refused, %llu accepted, %llu withdrawn\n",
		            "%llu appels, %llu refusés, %llu acceptés, %llu retirés\n"),
		       (unsigned long long)numbers->posts, (unsigned long long)numbers->refused,
		       (unsigned long long)numbers->accepted, (unsigned long long)numbers->withdrawn);
	fflush(stdout);
}

static void pause_s(double seconds)
{
	struct timespec pause = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&pause, NULL);
}

// Posts come at random, independently of each other; in between somebody looks at the offers.
static void run(struct crowd *crowd, const struct crowd_options *options, struct dice *dice)
{
	double start = now_s(), told = start, mean_s = 60 / options->posts_per_minute;
	double next_post = start + dice_exponential(dice, mean_s / liveliness(options)), next_look = start;
	struct oyez_error error, last = {0};
	while (!stopped && (!options->duration_ms || now_s() - start < (double)options->duration_ms / 1000)) {
		if (now_s() >= next_post) {
			next_post += dice_exponential(dice, mean_s / liveliness(options));
			if (crowd_post(crowd, &error) && error.code != last.code) {
				fail(&error);
				last = error;
			}
		} else if (now_s() >= next_look) {
			next_look = now_s() + 0.5;
			crowd_look(crowd);
		} else {
			double next = next_post < next_look ? next_post : next_look, pause = next - now_s();
			pause_s(pause < 0 ? 0 : pause < 0.2 ? pause : 0.2);
		}
		if (now_s() - told >= 60) {
			told = now_s();
			tell(crowd, options->json);
		}
	}
}

static int work(struct flags *flags)
{
	struct crowd_options *options = &flags->options;
	struct people people;
	struct crowd *crowd = NULL;
	struct oyez_error error = {0};
	char scratch[] = "/tmp/oyez-crowd.XXXXXX";
	struct dice dice = {(options->seed + 1) * UINT64_C(0x9e3779b97f4a7c15)};
	const char *unknown =
	    people_init(&people, flags->categories, flags->category_count, flags->regions, flags->region_count, &dice);
	if (unknown) {
		error.code = ERR_UNKNOWN_REGION;
		snprintf(error.detail, sizeof error.detail, "%.100s", unknown);
		return fail(&error);
	}
	if (!options->home && !(options->home = mkdtemp(scratch))) {
		error.code = ERR_IO;
		return fail(&error);
	}
	int code = EXIT_DONE;
	if (crowd_new(options, &people, &dice, &crowd, &error) || crowd_check_demo(crowd, &error)) {
		code = fail(&error);
	} else {
		run(crowd, options, &dice);
		tell(crowd, options->json);
	}
	crowd_free(crowd);
	return code;
}

int main(int argc, char **argv)
{
	static struct flags flags = {
	    .options = {.wallets = 50, .posts_per_minute = 10, .accept = 0.05, .withdraw = 0.01, .seed = 1}};
	const char *language = getenv("LC_ALL") && *getenv("LC_ALL") ? getenv("LC_ALL")
	                       : getenv("LC_MESSAGES")               ? getenv("LC_MESSAGES")
	                                                             : getenv("LANG");
	int flag;
	french = language && strncmp(language, "fr", 2) == 0;
	flags.options.broker = getenv("OYEZ_BROKER");
	flags.options.guardian = getenv("OYEZ_GUARDIAN");
	while ((flag = getopt_long(argc, argv, "", FLAGS, NULL)) != -1) {
		if (flag == FLAG_HELP) {
			help(stdout);
			return EXIT_DONE;
		}
		if (flag == '?' || !take(&flags, flag, optarg)) {
			if (flag != '?')
				fprintf(stderr,
				        word("oyez-crowd: \"%s\" will not do here\n", "oyez-crowd : « %s » ne convient pas ici\n"),
				        optarg);
			help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		help(stderr);
		return EXIT_USAGE;
	}
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return work(&flags);
}
