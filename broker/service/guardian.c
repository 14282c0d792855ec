// A guardian's memory of its accounts, boxes and cells. Nothing here writes to the store but account_touch.
#include "guardian.h"

#include <sodium.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "internal.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "fingerprints");

enum { ROOM_MIN = 64, RING_MIN = 4 };

static void *grown(void *items, uint32_t count, uint32_t *room, size_t item_bytes)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : ROOM_MIN;
	items = realloc(items, *room * item_bytes);
	if (!items)
		abort();
	return items;
}

// ---- accounts

struct account_note *account_find(struct service *service, const struct id *id)
{
	uint32_t at;
	struct guardian *guardian = &service->guardian;
	return id_map_find(&guardian->account_numbers, id, &at) ? &guardian->accounts[at] : NULL;
}

struct account_note *account_note_add(struct service *service, const struct account *row)
{
	struct guardian *guardian = &service->guardian;
	uint32_t at = guardian->account_free;
	while (at < guardian->account_count && guardian->accounts[at].used)
		at++;
	guardian->account_free = at + 1;
	if (at == guardian->account_count) {
		guardian->accounts = grown(guardian->accounts, guardian->account_count, &guardian->account_room,
		                           sizeof *guardian->accounts);
		guardian->account_count++;
	}
	guardian->accounts[at] = (struct account_note){.row = *row, .first_box = NONE_NOTED, .used = true};
	id_map_put(&guardian->account_numbers, &row->id, at);
	return &guardian->accounts[at];
}

void account_note_remove(struct service *service, struct account_note *account)
{
	struct guardian *guardian = &service->guardian;
	uint32_t at = (uint32_t)(account - guardian->accounts);
	assert(account->box_count == 0);
	id_map_remove(&guardian->account_numbers, &account->row.id);
	account->used = false;
	if (at < guardian->account_free)
		guardian->account_free = at;
}

void account_touch(struct service *service, struct account_note *account)
{
	uint32_t month = (uint32_t)(service->now_ms / DAY_MS / 30);
	if (account->row.used_month == month)
		return;
	account->row.used_month = month;
	store_account_put(service->store, &account->row);
	service->wrote = true;
}

// ---- boxes

// Wallets choose box ids: hashed with a key of our own they cannot be made to crowd together in the map.
static struct id key_of(const struct guardian *guardian, const struct id *box)
{
	struct id key = *box;
	crypto_shorthash(key.bytes, box->bytes, ID_BYTES, guardian->box_key);
	return key;
}

struct box_note *box_find(struct service *service, const struct id *id)
{
	uint32_t at;
	struct guardian *guardian = &service->guardian;
	struct id key = key_of(guardian, id);
	return id_map_find(&guardian->box_numbers, &key, &at) ? &guardian->boxes[at] : NULL;
}

static bool home_index(struct guardian *guardian, const uint8_t key[KEY_BYTES], uint8_t *at)
{
	for (uint32_t i = 0; i < guardian->home_count; i++)
		if (memcmp(guardian->homes[i], key, KEY_BYTES) == 0) {
			*at = (uint8_t)i;
			return true;
		}
	if (guardian->home_count == BOX_HOMES_MAX)
		return false;
	*at = (uint8_t)guardian->home_count++;
	memcpy(guardian->homes[*at], key, KEY_BYTES);
	return true;
}

const uint8_t *box_home(const struct service *service, const struct box_note *box)
{
	return service->guardian.homes[box->home];
}

static uint32_t free_box(struct guardian *guardian)
{
	uint32_t at = guardian->box_free;
	if (at != NONE_NOTED) {
		guardian->box_free = guardian->boxes[at].following;
		return at;
	}
	guardian->boxes = grown(guardian->boxes, guardian->box_count, &guardian->box_room, sizeof *guardian->boxes);
	return guardian->box_count++;
}

static void join_ring(struct guardian *guardian, struct account_note *account, uint32_t at)
{
	struct box_note *box = &guardian->boxes[at];
	if (account->box_count++ == 0) {
		account->first_box = box->following = box->preceding = at;
		return;
	}
	struct box_note *first = &guardian->boxes[account->first_box];
	box->following = account->first_box;
	box->preceding = first->preceding;
	guardian->boxes[box->preceding].following = at;
	first->preceding = at;
}

struct box_note *box_note_add(struct service *service, const struct box *row, uint32_t account)
{
	struct guardian *guardian = &service->guardian;
	uint8_t home;
	if (!home_index(guardian, row->home, &home))
		return NULL;
	uint32_t at = free_box(guardian);
	struct box_note *box = &guardian->boxes[at];
	*box = (struct box_note){
	    .id = row->id,
	    .number = row->number,
	    .next = row->next,
	    .last_print = row->last_print,
	    .account = account,
	    .keep_until_day = row->keep_until_day,
	    .home = home,
	    .used = true,
	};
	join_ring(guardian, &guardian->accounts[account], at);
	struct id key = key_of(guardian, &row->id);
	id_map_put(&guardian->box_numbers, &key, at);
	return box;
}

void box_note_remove(struct service *service, struct box_note *box)
{
	struct guardian *guardian = &service->guardian;
	struct account_note *account = &guardian->accounts[box->account];
	uint32_t at = (uint32_t)(box - guardian->boxes);
	guardian->boxes[box->preceding].following = box->following;
	guardian->boxes[box->following].preceding = box->preceding;
	account->first_box = --account->box_count ? box->following : NONE_NOTED;
	struct id key = key_of(guardian, &box->id);
	id_map_remove(&guardian->box_numbers, &key);
	guardian->cell_count -= box->count;
	free(box->arrivals);
	*box = (struct box_note){.following = guardian->box_free};
	guardian->box_free = at;
}

// ---- cells

uint64_t cell_print(const uint8_t head[CELL_HEAD_BYTES])
{
	static const uint8_t key[crypto_shorthash_KEYBYTES]; // stored, so it must not change; nothing is gained by a clash
	uint8_t bytes[crypto_shorthash_BYTES];
	uint64_t print;
	crypto_shorthash(bytes, head, CELL_HEAD_BYTES, key);
	memcpy(&print, bytes, sizeof print);
	return print ? print : 1; // 0: no cell yet
}

static void grow_ring(struct box_note *box)
{
	uint16_t room = box->room ? (uint16_t)(box->room * 2) : RING_MIN;
	uint64_t *arrivals = calloc(room, sizeof *arrivals);
	if (!arrivals)
		abort();
	for (uint16_t i = 0; i < box->count; i++)
		arrivals[i] = box_cell_at(box, i);
	free(box->arrivals);
	box->arrivals = arrivals;
	box->room = room;
	box->first = 0;
}

void box_cell_push(struct service *service, struct box_note *box, uint64_t arrival)
{
	if (box->count == box->room)
		grow_ring(box);
	box->arrivals[(box->first + box->count++) & (box->room - 1)] = arrival;
	box->next++;
	service->guardian.cell_count++;
}

uint64_t box_cell_pop(struct service *service, struct box_note *box)
{
	uint64_t arrival = box_cell_at(box, 0);
	assert(box->count > 0);
	box->first = (uint16_t)((box->first + 1) & (box->room - 1));
	box->count--;
	service->guardian.cell_count--;
	if (box->count == 0) { // most boxes are empty most of the time
		free(box->arrivals);
		box->arrivals = NULL;
		box->room = box->first = 0;
	}
	return arrival;
}

bool guardian_has_home(const struct service *service, const uint8_t key[KEY_BYTES])
{
	for (size_t i = 0; i < service->config.home_count; i++)
		if (memcmp(service->config.homes[i], key, KEY_BYTES) == 0)
			return true;
	return false;
}

// ---- loading

// Rows refer to each other by number; these lead to the index.
struct number_index {
	uint64_t number;
	uint32_t at;
};
struct loading {
	struct service *service;
	struct number_index *accounts, *boxes; // ascending
	uint32_t account_count, account_room, box_count, box_room;
	bool sound;
};

static uint32_t index_find(const struct number_index *items, uint32_t count, uint64_t number)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (items[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && items[low].number == number ? items[low].at : NONE_NOTED;
}

static bool load_account(void *context, const struct account *row)
{
	struct loading *loading = context;
	struct account_note *account = account_note_add(loading->service, row);
	loading->accounts =
	    grown(loading->accounts, loading->account_count, &loading->account_room, sizeof *loading->accounts);
	loading->accounts[loading->account_count++] =
	    (struct number_index){row->number, (uint32_t)(account - loading->service->guardian.accounts)};
	return true;
}

static bool load_box(void *context, const struct box *row)
{
	struct loading *loading = context;
	uint32_t account = index_find(loading->accounts, loading->account_count, row->account);
	struct box_note *box = account == NONE_NOTED ? NULL : box_note_add(loading->service, row, account);
	if (!box)
		return loading->sound = false;
	loading->boxes = grown(loading->boxes, loading->box_count, &loading->box_room, sizeof *loading->boxes);
	loading->boxes[loading->box_count++] =
	    (struct number_index){row->number, (uint32_t)(box - loading->service->guardian.boxes)};
	return true;
}

static bool load_cell(void *context, const struct cell_place *place)
{
	struct loading *loading = context;
	uint32_t at = index_find(loading->boxes, loading->box_count, place->box);
	if (at == NONE_NOTED)
		return loading->sound = false;
	struct box_note *box = &loading->service->guardian.boxes[at];
	if (box->count == 0 && place->number >= box->next)
		box->next = place->number;
	if (place->number != box->next || box->count == BOX_CELLS_MAX)
		return loading->sound = false;
	box_cell_push(loading->service, box, place->arrival);
	box->last_print = cell_print(place->head);
	return true;
}

bool guardian_load(struct service *service)
{
	struct loading loading = {.service = service, .sound = true};
	struct guardian *guardian = &service->guardian;
	*guardian = (struct guardian){.box_free = NONE_NOTED};
	randombytes_buf(guardian->box_key, sizeof guardian->box_key);
	store_account_each(service->store, load_account, &loading);
	store_box_each(service->store, load_box, &loading);
	if (loading.sound)
		store_cell_each(service->store, load_cell, &loading);
	free(loading.accounts);
	free(loading.boxes);
	if (!loading.sound)
		log_event(LOG_ERROR, "guardian_rows_damaged");
	return loading.sound;
}

void guardian_unload(struct service *service)
{
	struct guardian *guardian = &service->guardian;
	for (uint32_t i = 0; i < guardian->box_count; i++)
		free(guardian->boxes[i].arrivals);
	free(guardian->accounts);
	free(guardian->boxes);
	id_map_clear(&guardian->account_numbers);
	id_map_clear(&guardian->box_numbers);
	*guardian = (struct guardian){.box_free = NONE_NOTED};
}
