// oyez bot test: a trace, as written by `oyez vendor watch --trace`, played to a program. No broker, no home; what the
// program answers is checked and counted. The exit code is 1 when a line was not an answer, or the program ended early.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/bot/bot.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/vendor_answer.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

enum {
	TRACE_BYTES_MAX = 64 * 1024 * 1024,
	WINDOW = 32, // events given out and not answered
	STOP_GRACE_MS = 2000,
};

struct replayed {
	const char *line;
	size_t bytes;
	struct release_id release;
	bool answerable, given, closed;
	uint64_t deadline_ms;
};

struct replay {
	struct cli *cli;
	struct child child;
	struct replayed *events;
	size_t count, next, open;
	uint64_t answer_timeout_ms;
	unsigned kinds[ANSWER_COUNTERSIGN + 1], invalid, unanswered;
	bool ended_early;
	char end_words[128];
};

// ---- the trace

static bool answerable_type(const char *type)
{
	return type && (strcmp(type, "release") == 0 || strcmp(type, "details") == 0 || strcmp(type, "answer") == 0);
}

// One line of the trace. False if it is none.
static bool add_event(struct replay *replay, const char *line, size_t bytes)
{
	json_t *object = json_loadb(line, bytes, 0, NULL);
	const char *release = json_string_value(json_object_get(object, "release"));
	struct replayed *event;
	bool good = json_is_string(json_object_get(object, "type"));

	replay->events = realloc(replay->events, (replay->count + 1) * sizeof(*event));
	if (!replay->events)
		abort();
	event = &replay->events[replay->count];
	memset(event, 0, sizeof(*event));
	event->line = line;
	event->bytes = bytes;
	if (release)
		good = good && hex_decode(release, event->release.bytes, RELEASE_ID_BYTES);
	event->answerable = release && answerable_type(json_string_value(json_object_get(object, "type")));
	json_decref(object);
	replay->count += good;
	return good;
}

// The lines point into `text`.
static int read_trace(struct replay *replay, const char *path, char *text)
{
	size_t number = 0;

	for (char *line = text, *end; *line; line = end) {
		char detail[256];
		size_t bytes = strcspn(line, "\n");

		number++;
		end = line + bytes + (line[bytes] == '\n');
		if (bytes > 0 && !add_event(replay, line, bytes)) {
			snprintf(detail, sizeof(detail), "%.180s: line %zu is no event of a trace", path, number);
			return cli_fail_code(replay->cli, ERR_BAD_VALUE, detail);
		}
	}
	return EXIT_DONE;
}

// ---- answers

static struct replayed *event_of(struct replay *replay, const struct release_id *release)
{
	for (size_t i = 0; i < replay->next; i++) {
		if (replay->events[i].answerable && release_id_equal(&replay->events[i].release, release))
			return &replay->events[i];
	}
	return NULL;
}

static void close_event(struct replay *replay, struct replayed *event)
{
	if (event->closed || !event->answerable)
		return;
	event->closed = true;
	replay->open--;
}

static void say_answer(struct replay *replay, const struct answer *answer)
{
	static const char *const did[] = {"offer", "details", "ask", "pass", "countersign"};
	static const char *const shown[] = {"price", "currency", "delivery_days", "note", "text", "reason"};
	json_t *told = json_pack("{s:o}", "release", json_hex(answer->release.bytes, RELEASE_ID_BYTES));

	if (replay->cli->json) {
		cli_object(replay->cli, json_incref(answer->json));
		json_decref(told);
		return;
	}
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		json_t *value = json_object_get(answer->json, shown[i]);

		if (value)
			json_object_set(told, shown[i], value);
	}
	bot_did(replay->cli, did[answer->kind], told);
}

static void invalid(struct replay *replay, const char *line, const char *why)
{
	replay->invalid++;
	bot_complain(replay->cli, line, "%s: %s", cli_word(replay->cli, "not an answer", "pas une réponse"), why);
}

static void take_line(void *context, const char *line, size_t bytes, bool too_long)
{
	struct replay *replay = context;
	struct answer answer;
	struct oyez_error error = {0};
	char why[400];

	if (too_long) {
		snprintf(why, sizeof(why), cli_word(replay->cli, "longer than %d bytes", "plus de %d octets"), LINE_BYTES_MAX);
		invalid(replay, line, why);
		return;
	}
	if (line[strspn(line, " \t")] == '\0')
		return;
	if (answer_parse(line, bytes, &answer, &error)) {
		snprintf(why, sizeof(why), "%s: %s", err_message(error.code, replay->cli->french), error.detail);
		invalid(replay, line, why);
		return;
	}
	struct replayed *event = event_of(replay, &answer.release);
	if (!event && answer.kind != ANSWER_COUNTERSIGN) {
		invalid(replay, line, cli_word(replay->cli, "no such release was given out", "aucune demande de ce numéro"));
	} else {
		if (answer.unknown)
			bot_complain(replay->cli, line, cli_word(replay->cli, "unknown field \"%s\"", "champ inconnu « %s »"),
			             answer.unknown);
		replay->kinds[answer.kind]++;
		for (size_t i = 0; i < replay->next; i++) {
			if (release_id_equal(&replay->events[i].release, &answer.release))
				close_event(replay, &replay->events[i]);
		}
		say_answer(replay, &answer);
	}
	answer_fini(&answer);
}

// ---- the play

static void give(struct replay *replay)
{
	while (replay->next < replay->count && replay->open < WINDOW) {
		struct replayed *event = &replay->events[replay->next++];

		child_queue(&replay->child, event->line, event->bytes);
		event->given = true;
		event->deadline_ms = bot_now_ms() + replay->answer_timeout_ms;
		replay->open += event->answerable;
	}
}

static void expire(struct replay *replay)
{
	for (size_t i = 0; i < replay->next; i++) {
		struct replayed *event = &replay->events[i];
		char hex[2 * RELEASE_ID_BYTES + 1];

		if (!event->answerable || event->closed || bot_now_ms() < event->deadline_ms)
			continue;
		hex_encode(event->release.bytes, RELEASE_ID_BYTES, hex);
		bot_complain(replay->cli, hex, "%s", cli_word(replay->cli, "no answer in time", "pas de réponse à temps"));
		close_event(replay, event);
		replay->unanswered++;
	}
}

static void play(struct replay *replay)
{
	struct child *child = &replay->child;
	bool alive = true;

	while (alive && (replay->next < replay->count || replay->open > 0 || child->out_count > 0)) {
		give(replay);
		struct pollfd fds[] = {{.fd = child->out_fd, .events = POLLIN},
		                       {.fd = child->out_count > 0 ? child->in_fd : -1, .events = POLLOUT}};

		if (poll(fds, 2, 50) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			alive = child_read(child, take_line, replay);
		if (alive && fds[1].revents)
			alive = child_write(child);
		expire(replay);
	}
	if (!alive) {
		child_bury(child, take_line, replay, replay->end_words);
		replay->ended_early = replay->next < replay->count || replay->open > 0;
		replay->unanswered += (unsigned)replay->open;
	}
	child_stop(child, STOP_GRACE_MS, take_line, replay);
}

static int sum_up(struct replay *replay)
{
	const unsigned *kinds = replay->kinds;
	struct cli *cli = replay->cli;

	if (replay->ended_early)
		bot_complain(cli, NULL,
		             cli_word(cli, "the program ended early (%s)", "le programme s'est terminé trop tôt (%s)"),
		             replay->end_words);
	if (cli->json)
		cli_object(cli, json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "type", "summary", "events",
		                          (json_int_t)replay->next, "offers", (int)kinds[ANSWER_OFFER], "details",
		                          (int)kinds[ANSWER_DETAILS], "asks", (int)kinds[ANSWER_ASK], "passes",
		                          (int)kinds[ANSWER_PASS], "unanswered", (int)replay->unanswered, "invalid",
		                          (int)replay->invalid, "ended_early", (int)replay->ended_early));
	else
		cli_say(
		    cli,
		    "\n%zu events: %u offers, %u details requests, %u questions, %u passes, %u unanswered, %u invalid lines",
		    "\n%zu événements : %u offres, %u demandes de détails, %u questions, %u passes, %u sans réponse, "
		    "%u lignes invalides",
		    replay->next, kinds[ANSWER_OFFER], kinds[ANSWER_DETAILS], kinds[ANSWER_ASK], kinds[ANSWER_PASS],
		    replay->unanswered, replay->invalid);
	return replay->invalid || replay->ended_early ? EXIT_REFUSED : EXIT_DONE;
}

static int test(struct replay *replay, const char *path)
{
	struct oyez_error error = {0};
	char *text;
	size_t bytes;
	int code;

	if (cli_read_file(path, TRACE_BYTES_MAX, &text, &bytes, &error))
		return cli_fail(replay->cli, &error);
	code = read_trace(replay, path, text);
	signal(SIGPIPE, SIG_IGN);
	if (code == EXIT_DONE && !child_start(&replay->child))
		code = cli_fail_code(replay->cli, ERR_IO, strerror(errno));
	if (code == EXIT_DONE) {
		play(replay);
		code = sum_up(replay);
	}
	free(replay->events);
	free(text);
	return code;
}

int bot_test_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"replay", required_argument, NULL, 'r'},
	                                        {"exec", required_argument, NULL, 'e'},
	                                        {"answer-timeout", required_argument, NULL, 't'},
	                                        {NULL, 0, NULL, 0}};
	struct replay replay = {.cli = cli, .answer_timeout_ms = 10 * 1000};
	const char *path = NULL;
	int option;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		if (option == 'r')
			path = optarg;
		else if (option == 'e')
			replay.child.command = optarg;
		else if (duration_parse(optarg, &replay.answer_timeout_ms) || replay.answer_timeout_ms == 0)
			return cli_usage(cli, cli->command, "--answer-timeout 10s");
	}
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	if (!path || !replay.child.command)
		return cli_usage(cli, cli->command, "%s",
		                 cli_word(cli, "--replay and --exec are needed", "--replay et --exec sont nécessaires"));
	return test(&replay, path);
}
