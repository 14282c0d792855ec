// What a guardian keeps in memory beside the store: who has which account, which boxes are whose, which cells lie in
// them. Derived, as the rest of derived.c: loaded from the store at the start and after a failed commit.
// What is asked of it stands in guardian_accounts.c, guardian_vouchers.c, guardian_boxes.c and guardian_cells.c.
#ifndef OYEZ_SERVICE_GUARDIAN_H
#define OYEZ_SERVICE_GUARDIAN_H

#include "broker/store/store.h"
#include "id_map.h"

struct service;

// Accounts and boxes name each other by index; NONE_NOTED is none.
#define NONE_NOTED UINT32_MAX

struct account_note {
	struct account row;  // as in the store
	uint32_t first_box;  // its boxes are a ring; any of them
	uint32_t box_count;
	bool used;
};

struct box_note {
	struct id id;
	uint64_t number;                  // of the row
	uint64_t next;                    // number of the next cell
	uint64_t last_print;              // fingerprint of the latest cell
	uint64_t *arrivals;               // of the cells kept, a ring; their numbers are next - count to next - 1
	uint32_t account;                 // index
	uint32_t following, preceding;    // in the account's ring; `following` also chains the unused ones
	uint32_t keep_until_day;
	uint16_t room, first, count;      // of the ring of cells; room is a power of two
	uint8_t home;                     // index into guardian.homes
	bool used;
};

enum { BOX_HOMES_MAX = 255 };

struct guardian {
	struct account_note *accounts;
	struct box_note *boxes;
	uint32_t account_count, account_room, account_free; // free ones are looked for from account_free on
	uint32_t box_count, box_room, box_free;             // box_free: a chain
	struct id_map account_numbers, box_numbers;         // the latter by box_key: wallets choose box ids
	uint8_t box_key[16];
	uint8_t homes[BOX_HOMES_MAX][KEY_BYTES]; // of the boxes there are, also when no longer relayed to
	uint32_t home_count;
	uint64_t cell_count;
};

// False: rows contradict each other.
bool guardian_load(struct service *service);
void guardian_unload(struct service *service);

// NULL if there is none.
struct account_note *account_find(struct service *service, const struct id *id);
struct account_note *account_note_add(struct service *service, const struct account *row);
void account_note_remove(struct service *service, struct account_note *account);

struct box_note *box_find(struct service *service, const struct id *id);
// NULL: too many different homes.
struct box_note *box_note_add(struct service *service, const struct box *row, uint32_t account);
void box_note_remove(struct service *service, struct box_note *box);
const uint8_t *box_home(const struct service *service, const struct box_note *box);

void box_cell_push(struct service *service, struct box_note *box, uint64_t arrival);
// The oldest cell leaves; its arrival.
uint64_t box_cell_pop(struct service *service, struct box_note *box);
static inline uint64_t box_cell_at(const struct box_note *box, uint16_t i)
{
	return box->arrivals[(box->first + i) & (box->room - 1)];
}
static inline uint64_t box_cell_first(const struct box_note *box)
{
	return box->next - box->count;
}
// Tells a repeated cell from a new one.
uint64_t cell_print(const uint8_t head[CELL_HEAD_BYTES]);

// Is this one of the home brokers that this guardian works for?
bool guardian_has_home(const struct service *service, const uint8_t key[KEY_BYTES]);
// Notes that the account is in use, in the store once a month at most.
void account_touch(struct service *service, struct account_note *account);

#endif
