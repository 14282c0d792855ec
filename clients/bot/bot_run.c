// oyez bot run: a vendor's program between the feed and the market. One loop over four things: the feed and the inbox
// (both long-polled), the program's two pipes, messages on their way to the broker, and the clock.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients/bot/bot.h"
#include "clients/bot/bot_deeds.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

enum {
	POLL_MS = 25 * 1000, // of the long polls
	LOOK_MS = 500,       // the connection wants to be looked at now and then without an event
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 30 * 1000,
	STOP_GRACE_MS = 2000,
	CONFIRM_MS = 100, // places are written at most this often
	SENDS_MAX = 16,   // messages on their way; beyond that the program's answers wait in its pipe
};

// ---- streams

static void note_position(struct bot *bot, enum stream stream, const struct oyez_events *events)
{
	if (events->position[0])
		snprintf(bot->streams[stream].position, sizeof(bot->streams[stream].position), "%s", events->position);
}

static const struct id *stream_id(const struct bot *bot, enum stream stream)
{
	return stream == STREAM_FEED ? &bot->subscription : NULL;
}

static void retry_later(struct bot_stream *stream)
{
	stream->retry_ms = stream->retry_ms ? 2 * stream->retry_ms : RETRY_MIN_MS;
	if (stream->retry_ms > RETRY_MAX_MS)
		stream->retry_ms = RETRY_MAX_MS;
	stream->start_at_ms = bot_now_ms() + stream->retry_ms;
}

static void stream_failed(struct bot *bot, enum stream stream, const struct oyez_error *error)
{
	struct bot_stream *state = &bot->streams[stream];

	if (error->code == ERR_CURSOR_EXPIRED && stream == STREAM_FEED && strlen(error->detail) >= 2 * CURSOR_BYTES) {
		// The detail names the earliest place there is; what lay before is beyond anybody's reach.
		const char *at = error->detail + strlen(error->detail) - 2 * CURSOR_BYTES;

		bot_complain(bot->cli, NULL, "%s", err_message(error->code, bot->cli->french));
		snprintf(state->position, sizeof(state->position), "%s", at);
		retry_later(state);
		return;
	}
	if (error->code == ERR_NOT_FOUND || error->code == ERR_BROKER_CHANGED || error->code == ERR_CURSOR_BAD) {
		bot->exit_code = cli_fail(bot->cli, error);
		bot->stopping = true;
		return;
	}
	if (state->last_error != error->code)
		bot_complain(bot->cli, error->detail, "%s (%s)", err_message(error->code, bot->cli->french),
		             cli_word(bot->cli, "trying again", "nouvel essai"));
	state->last_error = error->code;
	retry_later(state);
}

static void stream_start(struct bot *bot, enum stream stream)
{
	struct bot_stream *state = &bot->streams[stream];
	size_t room = QUEUE_MAX - (bot->queue.count[stream] < QUEUE_MAX ? bot->queue.count[stream] : QUEUE_MAX);
	struct oyez_error error = {0};
	enum err err;

	if (state->under_way || room == 0 || bot_now_ms() < state->start_at_ms)
		return;
	if (stream == STREAM_FEED)
		err =
		    oyez_vendor_fetch_start(bot->vendor, &bot->subscription, state->position, (uint32_t)room, POLL_MS, &error);
	else
		err = oyez_vendor_inbox_start(bot->vendor, state->position, (uint32_t)room, POLL_MS, &error);
	if (err == ERR_OK)
		state->under_way = true;
	else
		stream_failed(bot, stream, &error);
}

static void stream_done(struct bot *bot, enum stream stream, struct oyez_done *done)
{
	struct bot_stream *state = &bot->streams[stream];

	state->under_way = false;
	if (done->result != ERR_OK) {
		stream_failed(bot, stream, &done->error);
		return;
	}
	state->retry_ms = 0;
	state->last_error = ERR_OK;
	note_position(bot, stream, &done->events);
	for (size_t i = 0; i < done->events.count; i++)
		deed_event(bot, stream, &done->events.items[i]);
	oyez_events_free(&done->events);
}

// Places move when events were answered, and only after what was answered is in the home (send_start came before).
static void confirm(struct bot *bot, bool now)
{
	struct oyez_error error = {0};

	for (enum stream stream = STREAM_FEED; stream < STREAM_COUNT; stream++) {
		struct bot_stream *state = &bot->streams[stream];
		bool moved = queue_advance(&bot->queue, stream, state->confirmed);

		// Nothing under way: whatever was looked at and did not concern us is done with too.
		if (bot->queue.count[stream] == 0 && state->position[0] && strcmp(state->confirmed, state->position) != 0) {
			snprintf(state->confirmed, sizeof(state->confirmed), "%s", state->position);
			moved = true;
		}
		state->dirty |= moved;
		if (!state->dirty || (!now && bot_now_ms() < bot->confirm_at_ms))
			continue;
		if (oyez_vendor_confirm(bot->vendor, OYEZ_READER_BOT, stream_id(bot, stream), state->confirmed, &error))
			bot_complain(bot->cli, error.detail, "%s", err_message(error.code, bot->cli->french));
		else
			state->dirty = false;
		bot->confirm_due = true;
	}
	if (bot->confirm_due)
		bot->confirm_at_ms = bot_now_ms() + CONFIRM_MS;
	bot->confirm_due = false;
}

// ---- the program

static void program_line(void *context, const char *line, size_t bytes, bool too_long)
{
	deed_answer(context, line, bytes, too_long);
}

static void program_start(struct bot *bot)
{
	if (bot->child.pid > 0 || bot_now_ms() < bot->child.start_at_ms)
		return;
	if (child_start(&bot->child)) {
		bot_did(bot->cli, "start", json_pack("{s:i}", "pid", (int)bot->child.pid));
		return;
	}
	bot_complain(bot->cli, strerror(errno), "/bin/sh");
	bot->child.start_at_ms = bot_now_ms() + RETRY_MAX_MS;
}

static void program_died(struct bot *bot)
{
	char words[128];

	child_bury(&bot->child, program_line, bot, words);
	queue_rewind(&bot->queue);
	bot_complain(bot->cli, NULL,
	             cli_word(bot->cli, "the program ended (%s); started again in %.1f s",
	                      "le programme s'est terminé (%s) ; relancé dans %.1f s"),
	             words, (double)(bot->child.start_at_ms - bot_now_ms()) / 1000.0);
}

static void late(const struct release_id *release, void *context)
{
	struct bot *bot = context;
	char hex[2 * RELEASE_ID_BYTES + 1];

	hex_encode(release->bytes, RELEASE_ID_BYTES, hex);
	bot_complain(bot->cli, hex, cli_word(bot->cli, "no answer in %.1f s", "pas de réponse en %.1f s"),
	             (double)bot->queue.answer_timeout_ms / 1000.0);
}

// ---- the loop

static int timeout_ms(const struct bot *bot)
{
	uint64_t now = bot_now_ms(), until = now + LOOK_MS, deadline = queue_deadline_ms(&bot->queue);

	if (deadline < until)
		until = deadline;
	if (bot->child.pid == 0 && bot->child.start_at_ms < until)
		until = bot->child.start_at_ms;
	for (int stream = 0; stream < STREAM_COUNT; stream++) {
		const struct bot_stream *state = &bot->streams[stream];

		if (!state->under_way && state->start_at_ms > now && state->start_at_ms < until)
			until = state->start_at_ms;
		if (state->dirty && bot->confirm_at_ms < until)
			until = bot->confirm_at_ms;
	}
	return until > now ? (int)(until - now) : 0;
}

static void wait_for_something(struct bot *bot)
{
	enum { CONNECTION, SIGNALS, PROGRAM_OUT, PROGRAM_IN, COUNT };
	bool alive = bot->child.pid > 0;
	struct pollfd fds[COUNT] = {
	    [CONNECTION] = {.fd = oyez_vendor_fd(bot->vendor), .events = POLLIN},
	    [SIGNALS] = {.fd = bot->signal_fd, .events = POLLIN},
	    [PROGRAM_OUT] = {.fd = alive && bot->sends < SENDS_MAX ? bot->child.out_fd : -1, .events = POLLIN},
	    [PROGRAM_IN] = {.fd = alive && bot->child.out_count > 0 ? bot->child.in_fd : -1, .events = POLLOUT},
	};
	bool died = false;

	if (poll(fds, COUNT, timeout_ms(bot)) < 0)
		return;
	if (fds[SIGNALS].revents) {
		struct signalfd_siginfo info;

		while (read(bot->signal_fd, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo == SIGCHLD)
				died = child_ended(&bot->child);
			else
				bot->stopping = true;
		}
	}
	if (fds[PROGRAM_IN].revents)
		died |= !child_write(&bot->child);
	if (fds[PROGRAM_OUT].revents)
		died |= !child_read(&bot->child, program_line, bot);
	if (died && bot->child.pid > 0)
		program_died(bot);
}

static void take_what_is_done(struct bot *bot)
{
	struct oyez_done done;

	for (oyez_vendor_wait(bot->vendor, 0, &done); done.kind != OYEZ_DONE_NOTHING;
	     oyez_vendor_wait(bot->vendor, 0, &done)) {
		if (done.kind == OYEZ_DONE_FETCH)
			stream_done(bot, STREAM_FEED, &done);
		else if (done.kind == OYEZ_DONE_INBOX)
			stream_done(bot, STREAM_INBOX, &done);
		else
			deed_sent(bot, &done);
	}
}

static void hand_over(struct bot *bot)
{
	queue_hand(&bot->queue, &bot->child);
	if (bot->child.pid > 0 && bot->child.out_count > 0 && !child_write(&bot->child))
		program_died(bot);
	queue_note_written(&bot->queue, &bot->child, bot_now_ms());
}

static void loop(struct bot *bot)
{
	while (!bot->stopping) {
		program_start(bot);
		for (enum stream stream = STREAM_FEED; stream < STREAM_COUNT; stream++)
			stream_start(bot, stream);
		hand_over(bot);
		wait_for_something(bot);
		take_what_is_done(bot);
		queue_expire(&bot->queue, bot_now_ms(), late, bot);
		deed_send(bot);
		confirm(bot, false);
	}
}

// The program may finish what it has; what it says in time still leaves.
static void wind_up(struct bot *bot)
{
	uint64_t until_ms;

	child_stop(&bot->child, STOP_GRACE_MS, program_line, bot);
	deed_send(bot);
	until_ms = bot_now_ms() + STOP_GRACE_MS;
	while (bot->sends > 0 && bot_now_ms() < until_ms) {
		struct oyez_done done;

		oyez_vendor_wait(bot->vendor, 100, &done);
		if (done.kind == OYEZ_DONE_FETCH || done.kind == OYEZ_DONE_INBOX)
			oyez_events_free(&done.events); // not confirmed: they come again
		else if (done.kind != OYEZ_DONE_NOTHING)
			deed_sent(bot, &done);
	}
	confirm(bot, true);
}

// ---- beginning

static int ready(struct bot *bot, const Oyez__Filter *filter)
{
	struct oyez_error error = {0};
	Oyez__VendorStatus status;
	struct id id = oyez_vendor_identity(bot->vendor);
	enum err err = oyez_vendor_status(bot->vendor, &status, &error);

	if (err == ERR_VENDOR_UNKNOWN || (err == ERR_OK && status == OYEZ__VENDOR_STATUS__VENDOR_UNKNOWN))
		err = oyez_vendor_register(bot->vendor, &status, &error);
	if (err == ERR_OK && !oyez_vendor_find_subscription(bot->vendor, filter, true, &bot->subscription))
		err = oyez_vendor_subscribe(bot->vendor, filter, true, &bot->subscription, &error);
	if (err != ERR_OK)
		return cli_fail(bot->cli, &error);
	for (enum stream stream = STREAM_FEED; stream < STREAM_COUNT; stream++) {
		struct bot_stream *state = &bot->streams[stream];

		oyez_vendor_cursor(bot->vendor, OYEZ_READER_BOT, stream_id(bot, stream), state->position);
		snprintf(state->confirmed, sizeof(state->confirmed), "%s", state->position);
	}
	bot_did(bot->cli, "ready",
	        json_pack("{s:o, s:o}", "vendor", json_hex(id.bytes, ID_BYTES), "subscription",
	                  json_hex(bot->subscription.bytes, ID_BYTES)));
	return EXIT_DONE;
}

// Signals are read in the loop. Before the connection exists, so that its threads inherit the mask.
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int run(struct bot *bot, const Oyez__Filter *filter, uint64_t answer_timeout_ms)
{
	int code = EXIT_DONE;

	bot->signal_fd = take_signals();
	bot->vendor = vendor_open(bot->cli, &code);
	if (!bot->vendor)
		return code;
	queue_init(&bot->queue, answer_timeout_ms);
	code = ready(bot, filter);
	if (code == EXIT_DONE) {
		deed_open_agreements(bot);
		loop(bot);
		wind_up(bot);
		bot_did(bot->cli, "stop", json_object());
		code = bot->exit_code;
	}
	deeds_fini(bot);
	queue_fini(&bot->queue);
	oyez_vendor_close(bot->vendor);
	return code;
}

enum { OPTION_EXEC = 0x100, OPTION_COUNTERSIGN, OPTION_ERASE, OPTION_TIMEOUT };

static int read_option(struct bot *bot, int option, struct filter_flags *flags, uint64_t *answer_timeout_ms)
{
	struct cli *cli = bot->cli;

	switch (option) {
	case OPTION_EXEC:
		bot->child.command = optarg;
		return EXIT_DONE;
	case OPTION_COUNTERSIGN:
		bot->ask_to_countersign = strcmp(optarg, "ask") == 0;
		if (!bot->ask_to_countersign && strcmp(optarg, "auto") != 0)
			return cli_usage(cli, cli->command, "--countersign auto|ask");
		return EXIT_DONE;
	case OPTION_ERASE:
		bot->erase_at_once = strcmp(optarg, "auto") == 0;
		if (!bot->erase_at_once && strcmp(optarg, "ask") != 0)
			return cli_usage(cli, cli->command, "--erase auto|ask");
		return EXIT_DONE;
	case OPTION_TIMEOUT:
		if (duration_parse(optarg, answer_timeout_ms) || *answer_timeout_ms == 0)
			return cli_usage(cli, cli->command, "--answer-timeout 60s");
		return EXIT_DONE;
	default:
		return filter_flag(cli, flags, option, optarg);
	}
}

int bot_run_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {FILTER_OPTIONS,
	                                        {"exec", required_argument, NULL, OPTION_EXEC},
	                                        {"countersign", required_argument, NULL, OPTION_COUNTERSIGN},
	                                        {"erase", required_argument, NULL, OPTION_ERASE},
	                                        {"answer-timeout", required_argument, NULL, OPTION_TIMEOUT},
	                                        {NULL, 0, NULL, 0}};
	struct bot bot = {.cli = cli};
	struct filter_flags flags = {0};
	uint64_t answer_timeout_ms = 60 * 1000;
	Oyez__Filter filter;
	int option, code;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		code = option == CLI_BAD_OPTION ? EXIT_USAGE : read_option(&bot, option, &flags, &answer_timeout_ms);
		if (code != EXIT_DONE)
			return code;
	}
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	if (!bot.child.command)
		return cli_usage(cli, cli->command, "%s", cli_word(cli, "--exec is needed", "--exec est nécessaire"));
	code = filter_of_flags(cli, &flags, &filter);
	return code == EXIT_DONE ? run(&bot, &filter, answer_timeout_ms) : code;
}
