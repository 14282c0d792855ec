// Events on their way through the program. An event is waiting -> handed -> done; a stream's cursor moves over the done
// ones at its front only, so what was handed out and not answered comes again after a crash of either side.
//
//   waiting --given to the program--> handed --answered, or time is up--> done --at the front--> cursor moves
//      ^--------- the program died -----'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/bot/bot.h"

enum {
	ARRIVE_MS = 2000,             // what needs no answer is done when the program lived this long with it
	CHILD_BYTES_MAX = 256 * 1024, // queued in front of a program that does not read
};

void queue_init(struct queue *queue, uint64_t answer_timeout_ms)
{
	memset(queue, 0, sizeof(*queue));
	queue->end = &queue->first;
	queue->answer_timeout_ms = answer_timeout_ms;
	queue->openings = calloc(OPENINGS_MAX, sizeof(*queue->openings));
	if (!queue->openings)
		abort();
}

static void entry_free(struct entry *entry)
{
	free(entry->line);
	free(entry);
}

void queue_fini(struct queue *queue)
{
	while (queue->first) {
		struct entry *next = queue->first->next;

		entry_free(queue->first);
		queue->first = next;
	}
	free(queue->openings);
	queue->openings = NULL;
}

// ---- releases that may be answered

static struct opening *opening_find(struct queue *queue, const struct release_id *release)
{
	for (size_t i = 0; i < queue->opening_count; i++) {
		if (release_id_equal(&queue->openings[i].release, release))
			return &queue->openings[i];
	}
	return NULL;
}

static void opening_set(struct queue *queue, const struct release_id *release, uint64_t until_ms)
{
	struct opening *opening = opening_find(queue, release);

	if (!opening) {
		opening = &queue->openings[queue->opening_next];
		queue->opening_next = (queue->opening_next + 1) % OPENINGS_MAX;
		if (queue->opening_count < OPENINGS_MAX)
			queue->opening_count++;
		opening->release = *release;
		opening->until_ms = 0;
	}
	// Once answered in time, a release stays open: a better offer may follow.
	if (opening->until_ms < until_ms)
		opening->until_ms = until_ms;
}

void queue_close_release(struct queue *queue, const struct release_id *release, uint64_t now_ms)
{
	struct opening *opening = opening_find(queue, release);

	if (opening)
		opening->until_ms = 0;
	for (struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->answerable && entry->has_release && release_id_equal(&entry->release, release)) {
			entry->answerable = false;
			if (entry->deadline_ms > now_ms + ARRIVE_MS)
				entry->deadline_ms = now_ms + ARRIVE_MS;
		}
	}
}

// ---- entries

static bool expects_answer(enum oyez_event_kind kind)
{
	return kind == OYEZ_EVENT_RELEASE || kind == OYEZ_EVENT_DETAILS || kind == OYEZ_EVENT_ANSWER;
}

void queue_add(struct queue *queue, enum stream stream, const struct oyez_event *event)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	json_t *object = oyez_event_json(event);

	if (!entry)
		abort();
	entry->stream = stream;
	snprintf(entry->cursor, sizeof(entry->cursor), "%s", event->cursor);
	entry->release = event->release_id;
	entry->has_release = event->has_release_id;
	entry->answerable = expects_answer(event->kind);
	entry->line = json_dumps(object, JSON_COMPACT);
	if (!entry->line)
		abort();
	entry->bytes = strlen(entry->line);
	json_decref(object);
	*queue->end = entry;
	queue->end = &entry->next;
	queue->count[stream]++;
}

void queue_hand(struct queue *queue, struct child *child)
{
	for (struct entry *entry = queue->first; entry && child->pid > 0; entry = entry->next) {
		if (entry->state != ENTRY_WAITING)
			continue;
		if (child->out_count > CHILD_BYTES_MAX)
			return;
		child_queue(child, entry->line, entry->bytes);
		entry->end_offset = child->queued_bytes;
		entry->state = ENTRY_HANDED;
		entry->deadline_ms = 0;
		// An answer may come as soon as the line went out; the time is set when it did.
		if (entry->has_release && entry->answerable)
			opening_set(queue, &entry->release, UINT64_MAX - 1);
	}
}

void queue_note_written(struct queue *queue, const struct child *child, uint64_t now_ms)
{
	for (struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->state == ENTRY_HANDED && entry->deadline_ms == 0 && entry->end_offset <= child->written_bytes)
			entry->deadline_ms = now_ms + (entry->answerable ? queue->answer_timeout_ms : ARRIVE_MS);
	}
}

void queue_rewind(struct queue *queue)
{
	for (struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->state == ENTRY_HANDED)
			entry->state = ENTRY_WAITING;
		entry->deadline_ms = 0;
	}
}

bool queue_answer(struct queue *queue, const struct release_id *release, uint64_t now_ms)
{
	struct opening *opening = opening_find(queue, release);
	const struct entry *last = NULL;

	if (!opening || opening->until_ms <= now_ms)
		return false;
	opening->until_ms = UINT64_MAX;
	for (struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->state == ENTRY_HANDED && entry->has_release && release_id_equal(&entry->release, release)) {
			entry->state = ENTRY_DONE;
			last = entry;
		}
	}
	// It reads in order: what only had to arrive before this has arrived.
	for (struct entry *entry = queue->first; last && entry != last; entry = entry->next) {
		if (entry->state == ENTRY_HANDED && !entry->answerable)
			entry->state = ENTRY_DONE;
	}
	return true;
}

void queue_expire(struct queue *queue, uint64_t now_ms, void (*late)(const struct release_id *release, void *context),
                  void *context)
{
	for (struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->state != ENTRY_HANDED || entry->deadline_ms == 0 || now_ms < entry->deadline_ms)
			continue;
		entry->state = ENTRY_DONE;
		if (!entry->answerable)
			continue;
		struct opening *opening = opening_find(queue, &entry->release);

		// A release answered before stays open; this event is merely over.
		if (opening && opening->until_ms != UINT64_MAX)
			opening->until_ms = 0;
		late(&entry->release, context);
	}
}

bool queue_advance(struct queue *queue, enum stream stream, char cursor[40])
{
	bool moved = false;
	struct entry **link = &queue->first;

	while (*link) {
		struct entry *entry = *link;

		if (entry->stream != stream) {
			link = &entry->next;
			continue;
		}
		if (entry->state != ENTRY_DONE)
			break;
		snprintf(cursor, 40, "%s", entry->cursor);
		moved = true;
		*link = entry->next;
		if (!entry->next)
			queue->end = link;
		queue->count[stream]--;
		entry_free(entry);
	}
	return moved;
}

uint64_t queue_deadline_ms(const struct queue *queue)
{
	uint64_t deadline_ms = UINT64_MAX;

	for (const struct entry *entry = queue->first; entry; entry = entry->next) {
		if (entry->state == ENTRY_HANDED && entry->deadline_ms > 0 && entry->deadline_ms < deadline_ms)
			deadline_ms = entry->deadline_ms;
	}
	return deadline_ms;
}
