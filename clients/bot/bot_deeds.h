// What the runner does for its program: turning answers into messages, messages' fates into words, agreements into
// countersignatures. Internal to clients/bot/.
#ifndef OYEZ_BOT_DEEDS_H
#define OYEZ_BOT_DEEDS_H

#include "clients/bot/bot.h"

struct bot_stream {
	char position[40];  // fetched up to here
	char confirmed[40]; // done with up to here
	bool under_way, dirty;
	uint64_t start_at_ms, retry_ms;
	enum err last_error;
};

// A message under way, to tell of its fate.
struct deed {
	struct deed *next;
	enum oyez_done_kind kind;
	struct id id;
	json_t *told;
	const char *did;
};

struct bot {
	struct cli *cli;
	struct oyez_vendor *vendor;
	struct id subscription;
	bool ask_to_countersign;
	bool erase_at_once; // --erase auto
	struct child child;
	struct queue queue;
	struct bot_stream streams[STREAM_COUNT];
	int signal_fd;
	bool stopping, confirm_due, unsent;
	uint64_t confirm_at_ms, send_at_ms;
	struct deed *deeds;
	size_t sends;
	int exit_code;
};

// An event from the broker: told, queued for the program, agreements countersigned.
void deed_event(struct bot *bot, enum stream stream, const struct oyez_event *event);
// A line from the program.
void deed_answer(struct bot *bot, const char *line, size_t bytes, bool too_long);
// Agreements left from an earlier run.
void deed_open_agreements(struct bot *bot);
// Writes the home and sends what was queued; also tries again what could not leave earlier.
void deed_send(struct bot *bot);
// A message was answered by the broker.
void deed_sent(struct bot *bot, const struct oyez_done *done);
void deeds_fini(struct bot *bot);

#endif
