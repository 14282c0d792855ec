// Boxes that this broker keeps as a guardian: opened, closed, forgotten. What lies in them: guardian_cells.c.
// Not here: the boxes that this broker fills as a home.
#include <stdio.h>

#include "internal.h"

static void box_row(const struct service *service, const struct box_note *box, struct box *row)
{
	*row = (struct box){
	    .number = box->number,
	    .id = box->id,
	    .account = service->guardian.accounts[box->account].row.number,
	    .keep_until_day = box->keep_until_day,
	    .next = box->next,
	    .last_print = box->last_print,
	};
	memcpy(row->home, box_home(service, box), KEY_BYTES);
}

void box_store(struct service *service, const struct box_note *box)
{
	struct box row;
	box_row(service, box, &row);
	store_box_put(service->store, &row);
	service->wrote = true;
}

static enum err check_box(struct service *service, const struct command *command, const Oyez__OpenBox *message,
                          const struct account_note *account)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (!guardian_has_home(service, message->home_id.data))
		return ERR_HOME_UNKNOWN;
	uint64_t until_ms = message->keep_until_ms;
	if (until_ms % DAY_MS != 0 || until_ms <= service->now_ms || until_ms - service->now_ms > BOX_KEEP_MS_MAX) {
		snprintf(service->detail.text, sizeof service->detail.text, "keep_until_ms");
		return ERR_BAD_VALUE;
	}
	return account->box_count < BOXES_PER_ACCOUNT_MAX ? ERR_OK : ERR_BOX_LIMIT;
}

// Opened before: the same again, or another one's?
static enum err check_same(const struct service *service, const struct box_note *box,
                           const struct account_note *account, const Oyez__OpenBox *message)
{
	bool same = &service->guardian.accounts[box->account] == account &&
	            memcmp(box_home(service, box), message->home_id.data, KEY_BYTES) == 0 &&
	            box->keep_until_day * DAY_MS == message->keep_until_ms;
	return same ? ERR_OK : ERR_CONFLICT;
}

static enum err box_create(struct service *service, struct account_note *account, const Oyez__OpenBox *message)
{
	struct box row = {
	    .id = id_of_wire(message->box_id),
	    .account = account->row.number,
	    .keep_until_day = (uint32_t)(message->keep_until_ms / DAY_MS),
	    .next = 1,
	};
	memcpy(row.home, message->home_id.data, KEY_BYTES);
	struct box_note *box = box_note_add(service, &row, (uint32_t)(account - service->guardian.accounts));
	if (!box)
		return ERR_UNAVAILABLE; // far more homes in the course of time than there can be at once
	store_box_create(service->store, &row);
	box->number = row.number;
	store_timer_add(service->store, message->keep_until_ms, TIMER_BOX_FORGET, &row.id);
	account_touch(service, account);
	service->wrote = true;
	return ERR_OK;
}

enum err handle_open_box(struct service *service, const struct command *command, const Oyez__OpenBox *message)
{
	struct account_note *account = account_find(service, &command->sender);
	struct id id = id_of_wire(message->box_id);
	if (!account)
		return ERR_ACCOUNT_UNKNOWN;
	struct box_note *box = box_find(service, &id);
	enum err err = box ? check_same(service, box, account, message) : check_box(service, command, message, account);
	if (!err && !box)
		err = box_create(service, account, message);
	if (!err)
		reply_ack(service, command, &id);
	return err;
}

static void box_delete(struct service *service, struct box_note *box)
{
	while (box->count > 0)
		store_cell_delete(service->store, box_cell_pop(service, box));
	store_box_delete(service->store, box->number);
	service->wrote = true;
	box_note_remove(service, box);
}

enum err handle_close_box(struct service *service, const struct command *command, const Oyez__CloseBox *message)
{
	struct account_note *account = account_find(service, &command->sender);
	struct id id = id_of_wire(message->box_id);
	if (!account)
		return ERR_ACCOUNT_UNKNOWN;
	struct box_note *box = box_find(service, &id);
	if (!box || &service->guardian.accounts[box->account] != account)
		return ERR_BOX_UNKNOWN;
	store_timer_remove(service->store, box->keep_until_day * DAY_MS, TIMER_BOX_FORGET, &id);
	box_delete(service, box);
	reply_ack(service, command, &id);
	return ERR_OK;
}

uint32_t box_forget(struct service *service, const struct id *id, uint64_t at_ms)
{
	struct box_note *box = box_find(service, id);
	if (!box || box->keep_until_day * DAY_MS != at_ms)
		return 0;
	uint32_t cells = box->count;
	box_delete(service, box);
	return cells;
}
