// The schedule: at each time of a box one cell, whatever became of its intent. A slot that passed while the broker was
// down or behind is left out, never made up for.
//
// Groups of boxes that have the same times lie in a heap by their next one, so a slot costs the logarithm of the number
// of groups, then work for the boxes due alone. They leave in random order over all that are due, so that neither their
// place nor their batch says which were posted together.
#include "boxes.h"

#include <sodium.h>
#include <stdlib.h>

#include "internal.h"

enum {
	BOXES_PER_SLICE = 256,
	BATCHES_UNDER_WAY_MAX = 128,
	RETRY_MS = 20, // when so many are
};

static void *grown(void *items, uint32_t count, uint32_t *room, size_t item_bytes)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 16;
	items = realloc(items, *room * item_bytes);
	if (!items)
		abort();
	return items;
}

// ---- the heap of groups

static void heap_up(struct boxes *boxes, uint32_t at)
{
	struct box_group *group = boxes->groups[at];
	for (; at > 0 && boxes->groups[(at - 1) / 2]->slot_ms > group->slot_ms; at = (at - 1) / 2)
		boxes->groups[at] = boxes->groups[(at - 1) / 2];
	boxes->groups[at] = group;
}

static void heap_down(struct boxes *boxes)
{
	struct box_group *group = boxes->groups[0];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child + 1 < boxes->group_count && boxes->groups[child + 1]->slot_ms < boxes->groups[child]->slot_ms)
			child++;
		if (child >= boxes->group_count || boxes->groups[child]->slot_ms >= group->slot_ms)
			break;
		boxes->groups[at] = boxes->groups[child];
		at = child;
	}
	boxes->groups[at] = group;
}

static void group_free(struct box_group *group)
{
	free(group->members);
	free(group);
}

// The group that a box of this release and band belongs to, with its first time later than `after_ms`; NULL: its
// schedule is over.
static struct box_group *group_of(struct boxes *boxes, const struct push *push, uint64_t after_ms)
{
	uint8_t band = push->expiry_band < 8 ? push->expiry_band : 7;
	if (boxes->latest_ms != push->released_at_ms) {
		memset(boxes->latest, 0, sizeof boxes->latest);
		boxes->latest_ms = push->released_at_ms;
	}
	if (boxes->latest[band])
		return boxes->latest[band];
	uint64_t slot_ms = box_slot_after(push->released_at_ms, push->expiry_band, after_ms);
	if (!slot_ms)
		return NULL;
	struct box_group *group = calloc(1, sizeof *group);
	if (!group)
		abort();
	*group = (struct box_group){
	    .released_at_ms = push->released_at_ms, .slot_ms = slot_ms, .expiry_band = push->expiry_band};
	boxes->groups = grown(boxes->groups, boxes->group_count, &boxes->group_room, sizeof *boxes->groups);
	boxes->groups[boxes->group_count++] = group;
	heap_up(boxes, boxes->group_count - 1);
	return boxes->latest[band] = group;
}

static void latest_forget(struct boxes *boxes, const struct box_group *group)
{
	for (size_t band = 0; band < 8; band++)
		if (boxes->latest[band] == group)
			boxes->latest[band] = NULL;
}

// ---- boxes

static uint8_t guardian_index(const struct service *service, const uint8_t key[KEY_BYTES])
{
	size_t i = 0;
	while (i < service->config.guardian_count && memcmp(service->config.guardians[i], key, KEY_BYTES) != 0)
		i++;
	return (uint8_t)i;
}

static void box_add(struct service *service, const struct push *push, uint64_t after_ms)
{
	struct boxes *boxes = &service->boxes;
	struct box_group *group = group_of(boxes, push, after_ms);
	if (!group) {
		store_push_delete(service->store, &push->intent);
		return;
	}
	uint32_t number = boxes->free ? boxes->free - 1 : boxes->count;
	if (boxes->free)
		boxes->free = boxes->items[number].next;
	else
		boxes->items = grown(boxes->items, boxes->count++, &boxes->room, sizeof *boxes->items);
	struct pushed_box *box = &boxes->items[number];
	*box = (struct pushed_box){
	    .intent = push->intent,
	    .released_at_ms = push->released_at_ms,
	    .guardian = guardian_index(service, push->guardian),
	};
	memcpy(box->box_id, push->box_id, BOX_ID_BYTES);
	memcpy(box->reply_key, push->reply_key, KEY_BYTES);
	group->members = grown(group->members, group->count, &group->room, sizeof *group->members);
	group->members[group->count++] = number;
	boxes->running++;
}

static void box_end(struct service *service, uint32_t number)
{
	struct boxes *boxes = &service->boxes;
	struct pushed_box *box = &boxes->items[number];
	store_push_delete(service->store, &box->intent);
	service->wrote = true;
	sodium_memzero(box, sizeof *box);
	box->next = boxes->free;
	boxes->free = number + 1;
	boxes->running--;
}

enum err box_check(struct service *service, const Oyez__Post *post)
{
	if (post->box_id.len == 0 && post->guardian_id.len == 0)
		return ERR_OK;
	if (post->box_id.len != BOX_ID_BYTES || post->guardian_id.len != KEY_BYTES) {
		snprintf(service->detail.text, sizeof service->detail.text, "post.box_id, post.guardian_id: both or none");
		return ERR_BAD_VALUE;
	}
	bool known = guardian_index(service, post->guardian_id.data) < service->config.guardian_count;
	return known ? ERR_OK : ERR_GUARDIAN_UNKNOWN;
}

void box_keep(struct service *service, const struct intent *intent, const Oyez__Post *post)
{
	struct push push = {.intent = intent->id};
	if (post->box_id.len == 0)
		return;
	memcpy(push.box_id, post->box_id.data, BOX_ID_BYTES);
	memcpy(push.guardian, post->guardian_id.data, KEY_BYTES);
	memcpy(push.reply_key, intent->reply_key, KEY_BYTES);
	store_push_put(service->store, &push);
}

void box_release(struct service *service, const struct intent *intent)
{
	struct push push;
	if (!store_push_find(service->store, &intent->id, &push))
		return;
	push.released_at_ms = intent->released_at_ms;
	push.expiry_band = intent->facets.expires;
	store_push_put(service->store, &push);
	box_add(service, &push, push.released_at_ms - 1); // the first one leaves with the release
}

void box_drop(struct service *service, const struct intent *intent)
{
	store_push_delete(service->store, &intent->id);
}

// ---- slots

static void due_add(struct boxes *boxes, const struct box_group *group, bool last)
{
	for (uint32_t i = 0; i < group->count; i++) {
		boxes->due = grown(boxes->due, boxes->due_count, &boxes->due_room, sizeof *boxes->due);
		boxes->due[boxes->due_count++] = (struct box_due){group->members[i], last};
	}
}

static void shuffle(struct box_due *due, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t other = randombytes_uniform(i);
		struct box_due swap = due[i - 1];
		due[i - 1] = due[other];
		due[other] = swap;
	}
}

static void collect_due(struct service *service)
{
	struct boxes *boxes = &service->boxes;
	boxes->due_count = boxes->due_at = 0;
	while (boxes->group_count > 0 && boxes->groups[0]->slot_ms <= service->now_ms) {
		struct box_group *group = boxes->groups[0];
		uint64_t next_ms = box_slot_after(group->released_at_ms, group->expiry_band, service->now_ms);
		due_add(boxes, group, next_ms == 0);
		if (next_ms) {
			group->slot_ms = next_ms;
		} else {
			latest_forget(boxes, group);
			boxes->groups[0] = boxes->groups[--boxes->group_count];
			group_free(group);
		}
		if (boxes->group_count > 0)
			heap_down(boxes);
	}
	shuffle(boxes->due, boxes->due_count);
}

static void batch_ready(struct boxes *boxes, uint8_t guardian)
{
	struct push_batch *batch = boxes->open[guardian];
	if (!batch)
		return;
	boxes->open[guardian] = NULL;
	if (!boxes->ready)
		boxes->ready_end = &boxes->ready;
	*boxes->ready_end = batch;
	boxes->ready_end = &batch->next;
}

static void fill_cell(struct service *service, struct pushed_box *box)
{
	struct boxes *boxes = &service->boxes;
	if (box->guardian >= service->config.guardian_count)
		return; // it is not configured any more
	if (!box->begun && box_begin(&box->sender, box->reply_key) != ERR_OK)
		return; // the codec has checked the key
	box->begun = true;
	struct push_batch **batch = &boxes->open[box->guardian];
	if (!*batch)
		*batch = push_batch_new(service->config.guardians[box->guardian], &service->batches_under_way);
	struct push_cell *cell = &(*batch)->cells[(*batch)->count++];
	memcpy(cell->box_id, box->box_id, BOX_ID_BYTES);
	cell->sender = box->sender;
	cell->message_bytes = box_fill(service, box, cell->message);
	box->sender.sequence++;
	service->numbers.box_cells++;
	if ((*batch)->count == PUSH_CELLS_MAX)
		batch_ready(boxes, box->guardian);
}

void boxes_run(struct service *service)
{
	struct boxes *boxes = &service->boxes;
	if (boxes->due_at == boxes->due_count)
		collect_due(service);
	for (int i = 0; i < BOXES_PER_SLICE && boxes->due_at < boxes->due_count; i++) {
		if (atomic_load(&service->batches_under_way) >= BATCHES_UNDER_WAY_MAX)
			return;
		struct box_due due = boxes->due[boxes->due_at++];
		fill_cell(service, &boxes->items[due.box]);
		if (due.last)
			box_end(service, due.box);
	}
	if (boxes->due_at == boxes->due_count)
		for (uint8_t guardian = 0; guardian < GUARDIANS_MAX; guardian++)
			batch_ready(boxes, guardian);
}

uint64_t boxes_next_ms(const struct service *service)
{
	const struct boxes *boxes = &service->boxes;
	if (boxes->due_at < boxes->due_count)
		return atomic_load(&service->batches_under_way) >= BATCHES_UNDER_WAY_MAX ? service->now_ms + RETRY_MS
		                                                                         : service->now_ms;
	return boxes->group_count > 0 ? boxes->groups[0]->slot_ms : UINT64_MAX;
}

struct push_batch *service_push_next(struct service *service)
{
	struct push_batch *batch = service->boxes.ready;
	if (service->in_batch || !batch)
		return NULL;
	service->boxes.ready = batch->next;
	batch->next = NULL;
	return batch;
}

// ---- what it costs

// Bytes of one cell on its way: its share of a full batch's frame.
enum { BATCH_OVERHEAD_BYTES = 4 + 160, CELL_WIRE_BYTES = BOX_CELL_BYTES + BOX_ID_BYTES + 8 + BATCH_OVERHEAD_BYTES / 7 };

uint64_t boxes_bytes_per_intent_day(const struct service *service)
{
	const struct boxes *boxes = &service->boxes;
	uint64_t cells = 0, count = 0;
	for (uint32_t i = 0; i < boxes->group_count; i++) {
		const struct box_group *group = boxes->groups[i];
		uint64_t over = box_over_ms(0, group->expiry_band), age = service->now_ms - group->released_at_ms;
		// The day around now: half of what was and half of what comes, so that neither the young nor the old count double.
		uint64_t from = age > DAY_MS / 2 ? age - DAY_MS / 2 : 0;
		uint64_t until = age + DAY_MS / 2 < over ? age + DAY_MS / 2 : over;
		cells += from < until ? box_slots_between(from, until) * group->count * DAY_MS / (until - from) : 0;
		count += group->count;
	}
	return count ? cells * CELL_WIRE_BYTES / count : 0;
}

// ---- loading

struct loading {
	struct push *rows;
	uint32_t count, room;
};

static bool load_row(void *context, const struct push *push)
{
	struct loading *loading = context;
	if (push->released_at_ms == 0)
		return true;
	loading->rows = grown(loading->rows, loading->count, &loading->room, sizeof *loading->rows);
	loading->rows[loading->count++] = *push;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct push *left = a, *right = b;
	return (left->released_at_ms > right->released_at_ms) - (left->released_at_ms < right->released_at_ms);
}

void boxes_load(struct service *service)
{
	struct loading loading = {0};
	store_push_each(service->store, load_row, &loading);
	if (loading.count)
		qsort(loading.rows, loading.count, sizeof *loading.rows, by_time);
	for (uint32_t i = 0; i < loading.count; i++)
		box_add(service, &loading.rows[i], service->now_ms);
	free(loading.rows);
}

void boxes_unload(struct service *service)
{
	struct boxes *boxes = &service->boxes;
	struct push_batch *batch;
	for (uint32_t i = 0; i < boxes->group_count; i++)
		group_free(boxes->groups[i]);
	for (uint8_t guardian = 0; guardian < GUARDIANS_MAX; guardian++)
		batch_ready(boxes, guardian);
	while ((batch = boxes->ready)) {
		boxes->ready = batch->next;
		push_batch_free(batch);
	}
	if (boxes->count)
		sodium_memzero(boxes->items, boxes->count * sizeof *boxes->items);
	free(boxes->items);
	free(boxes->groups);
	free(boxes->due);
	*boxes = (struct boxes){0};
}
