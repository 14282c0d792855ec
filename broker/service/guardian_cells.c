// Cells on their way through a guardian: pushed by a home broker, kept in the order they came, read by the wallet.
//
// A box keeps its latest BOX_CELLS_MAX; what its wallet has seen goes at once. Nobody is told which boxes exist: a push
// is acknowledged whatever became of its cells.
#include "internal.h"

// ---- from home brokers

static void drop_oldest(struct service *service, struct box_note *box)
{
	store_cell_delete(service->store, box_cell_pop(service, box));
}

static void keep_cell(struct service *service, struct box_note *box, const uint8_t *cell)
{
	uint64_t print = cell_print(cell);
	if (print == box->last_print)
		return; // the home did not hear the acknowledgement
	if (box->count == BOX_CELLS_MAX) {
		drop_oldest(service, box);
		service->numbers.cells_missed++;
	}
	box_cell_push(service, box, store_cell_append(service->store, box->number, box->next, cell));
	box->last_print = print;
	service->wrote = true;
	service->numbers.cells_taken++;
	parking_wake(service, &service->guardian.accounts[box->account].row.id);
}

enum err handle_push(struct service *service, const struct command *command, const Oyez__PushBatch *message)
{
	if (!guardian_has_home(service, command->sender_key))
		return ERR_HOME_UNKNOWN;
	for (size_t i = 0; i < message->n_cells; i++) {
		const Oyez__BoxCell *cell = message->cells[i];
		struct id id = id_of_wire(cell->box_id);
		struct box_note *box = box_find(service, &id);
		if (box && memcmp(box_home(service, box), command->sender_key, KEY_BYTES) == 0)
			keep_cell(service, box, cell->cell.data);
	}
	reply_ack(service, command, &(struct id){0});
	return ERR_OK;
}

// ---- to wallets

static void remove_seen(struct service *service, const struct account_note *account, const Oyez__BoxSeen *seen)
{
	struct id id = id_of_wire(seen->box_id);
	struct box_note *box = box_find(service, &id);
	if (!box || &service->guardian.accounts[box->account] != account || box->count == 0)
		return;
	bool removed = false;
	for (; box->count > 0 && box_cell_first(box) <= seen->number; removed = true)
		drop_oldest(service, box);
	if (!removed)
		return;
	service->wrote = true;
	if (box->count == 0)
		box_store(service, box); // no cell is left to tell which number comes next
}

static Oyez__BoxCell *cell_message(struct service *service, const struct box_note *box, uint16_t i)
{
	uint8_t *bytes = store_cell_get(service->store, box_cell_at(box, i), &service->arena);
	if (!bytes)
		return NULL;
	Oyez__BoxCell *cell = arena_alloc(&service->arena, sizeof *cell);
	oyez__box_cell__init(cell);
	cell->box_id = wire_bytes(arena_copy(&service->arena, box->id.bytes, ID_BYTES), ID_BYTES);
	cell->number = box_cell_first(box) + i;
	cell->cell = wire_bytes(bytes, BOX_CELL_BYTES);
	return cell;
}

// The oldest cell of each box in turn, then the second oldest ones; the next read begins with the box after the last.
static void collect(struct service *service, struct account_note *account, Oyez__BoxCells *cells)
{
	const struct guardian *guardian = &service->guardian;
	uint32_t last = account->first_box;
	uint64_t waiting = 0;
	for (uint32_t i = 0, at = account->first_box; i < account->box_count; i++, at = guardian->boxes[at].following)
		waiting += guardian->boxes[at].count;
	for (uint16_t round = 0; round < BOX_READ_CELLS_MAX && cells->n_items < BOX_READ_CELLS_MAX; round++) {
		for (uint32_t i = 0, at = account->first_box; i < account->box_count && cells->n_items < BOX_READ_CELLS_MAX;
		     i++, at = guardian->boxes[at].following) {
			const struct box_note *box = &guardian->boxes[at];
			Oyez__BoxCell *cell = box->count > round ? cell_message(service, box, round) : NULL;
			if (!cell)
				continue;
			cells->items[cells->n_items++] = cell;
			last = at;
		}
	}
	cells->more = waiting > cells->n_items;
	if (cells->n_items > 0)
		account->first_box = guardian->boxes[last].following;
}

static bool answer(struct service *service, struct account_note *account, uint64_t origin, bool final)
{
	Oyez__BoxCells cells = OYEZ__BOX_CELLS__INIT;
	Oyez__BoxCell *items[BOX_READ_CELLS_MAX];
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	cells.items = items;
	if (account->box_count > 0)
		collect(service, account, &cells);
	if (cells.n_items == 0 && !final)
		return false;
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_CELLS;
	reply.cells = &cells;
	reply_guardian(service, origin, &reply);
	return true;
}

enum err handle_read_boxes(struct service *service, const struct command *command, const Oyez__ReadBoxes *read)
{
	struct account_note *account = account_find(service, &command->sender);
	enum err err = check_fresh(service, command);
	if (!account || err)
		return account ? err : ERR_ACCOUNT_UNKNOWN;
	for (size_t i = 0; i < read->n_seen; i++)
		remove_seen(service, account, read->seen[i]);
	account_touch(service, account);
	if (answer(service, account, command->origin, read->wait_ms == 0))
		return ERR_OK;
	struct parked request = {
	    .kind = PARKED_BOXES,
	    .origin = command->origin,
	    .sender = command->sender,
	    .deadline_ms = service->now_ms + (read->wait_ms < WAIT_MS_MAX ? read->wait_ms : WAIT_MS_MAX),
	};
	return parking_add(service, &request);
}

bool boxes_resume(struct service *service, struct parked *parked, bool final)
{
	struct account_note *account = account_find(service, &parked->sender);
	if (account)
		return answer(service, account, parked->origin, final);
	reply_error(service, parked->origin, REPLY_GUARDIAN, ERR_ACCOUNT_UNKNOWN, NULL);
	return true;
}
