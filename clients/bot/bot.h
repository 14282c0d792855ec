// The exec runner's parts: the program (bot_child.c), events waiting for its answers (bot_queue.c), what is told to
// people (bot_say.c), the loop (bot_run.c). See clients/README.md for the contract between runner and program.
#ifndef OYEZ_BOT_H
#define OYEZ_BOT_H

#include <sys/types.h>

#include "clients/cli/vendor_cli.h"
#include "clients/lib/vendor_lines.h"

uint64_t bot_now_ms(void); // monotonic

// ---- bot_child.c: a long-lived program on two pipes

struct child {
	const char *command; // for /bin/sh -c
	pid_t pid;           // 0: not running
	int in_fd, out_fd;   // its stdin and stdout, ours non-blocking
	struct lines lines;
	char *out; // not written yet
	size_t out_count, out_room;
	uint64_t queued_bytes, written_bytes; // of this life
	uint64_t started_at_ms, start_at_ms;
	unsigned deaths; // in a row, each soon after its start
};

// False (errno set) if it could not be started.
bool child_start(struct child *child);
void child_queue(struct child *child, const char *line, size_t bytes); // adds the newline
// Writes what the pipe takes. False: it no longer reads.
bool child_write(struct child *child);
// Reads what is there and gives the whole lines. False: it closed its output.
bool child_read(struct child *child, lines_each *each, void *context);
// Has it ended? (To be asked after SIGCHLD.)
bool child_ended(struct child *child);
// Ends it if need be (its whole process group), reads the rest of its lines, sets when to start it again.
// `words` (128) says how it ended.
void child_bury(struct child *child, lines_each *each, void *context, char words[128]);
// Closes its stdin and gives it `grace_ms` to finish by itself.
void child_stop(struct child *child, uint64_t grace_ms, lines_each *each, void *context);

// ---- bot_queue.c: events given to the program and not yet done with

enum { QUEUE_MAX = 64 }; // of one stream: no more is fetched meanwhile

enum stream { STREAM_FEED, STREAM_INBOX, STREAM_COUNT };
struct entry {
	struct entry *next;
	enum stream stream;
	char cursor[40];
	struct release_id release;
	bool has_release;
	bool answerable; // an answer is expected; else it only has to arrive
	enum { ENTRY_WAITING, ENTRY_HANDED, ENTRY_DONE } state;
	uint64_t end_offset;  // in the child's stdin
	uint64_t deadline_ms; // 0: not written completely yet
	char *line;
	size_t bytes;
};
// Releases the program may answer now.
struct opening {
	struct release_id release;
	uint64_t until_ms; // UINT64_MAX once it was answered in time
};
enum { OPENINGS_MAX = 4096 };
struct queue {
	struct entry *first, **end;
	size_t count[STREAM_COUNT];
	struct opening *openings; // a ring: the oldest are forgotten first
	size_t opening_next, opening_count;
	uint64_t answer_timeout_ms;
};

void queue_init(struct queue *queue, uint64_t answer_timeout_ms);
void queue_fini(struct queue *queue);
void queue_add(struct queue *queue, enum stream stream, const struct oyez_event *event);
// Gives the program what it has not got, as far as there is room.
void queue_hand(struct queue *queue, struct child *child);
// Notes what has been written; call after child_write.
void queue_note_written(struct queue *queue, const struct child *child, uint64_t now_ms);
// The program died: what it had and did not answer is given again.
void queue_rewind(struct queue *queue);
// May this release be answered now? Then its events are done, and all that only had to arrive before them.
bool queue_answer(struct queue *queue, const struct release_id *release, uint64_t now_ms);
void queue_close_release(struct queue *queue, const struct release_id *release, uint64_t now_ms);
// What was not answered in time is done with; calls `late` for each release that should have been answered.
void queue_expire(struct queue *queue, uint64_t now_ms, void (*late)(const struct release_id *release, void *context),
                  void *context);
// The cursor up to which a stream is done with, removing those entries; false if it did not move.
bool queue_advance(struct queue *queue, enum stream stream, char cursor[40]);
uint64_t queue_deadline_ms(const struct queue *queue); // UINT64_MAX if none

// ---- bot_say.c

// What the runner does, on stdout: {"did":"offer",...} or a line in words. `object` is taken over.
void bot_did(struct cli *cli, const char *did, json_t *object);
// What went wrong, on stderr, at most some per second: `line` (may be NULL) is the program's line, shortened.
void bot_complain(struct cli *cli, const char *line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
