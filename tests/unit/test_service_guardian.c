// The guardian's side of a broker: accounts, invitations, vouchers, boxes, cells, and every refusal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sign.h"
#include "proto/stamp.h"
#include "support_service.h"

static struct support_service support;

static int open_service(void **state)
{
	(void)state;
	support_service_open(&support);
	return 0;
}

static int close_service(void **state)
{
	(void)state;
	support_service_close(&support);
	return 0;
}

// ---- what accounts say

static uint32_t epoch_now(void)
{
	return (uint32_t)(support.now_ms / TOKEN_EPOCH_MS);
}

static ProtobufCBinaryData stamp_of(unsigned account)
{
	uint8_t key[KEY_BYTES], broker[KEY_BYTES], *stamp = arena_alloc(&support.arena, STAMP_BYTES);
	memset(broker, 'B', KEY_BYTES);
	support_account_key(account, key);
	assert_true(stamp_make(key, broker, epoch_now(), support.config.account_stamp_bits, NULL, NULL, stamp));
	return wire_bytes(stamp, STAMP_BYTES);
}

static const Oyez__GuardianReply *open_account(unsigned account, const char *invite, ProtobufCBinaryData stamp)
{
	Oyez__OpenAccount *message = arena_alloc(&support.arena, sizeof *message);
	oyez__open_account__init(message);
	message->invite = TEXT(invite);
	message->stamp = stamp;
	return support_account(&support, account, COMMAND_OPEN_ACCOUNT, &message->base);
}

static void join(unsigned account)
{
	assert_account_error(open_account(account, "", stamp_of(account)), ERR_OK);
}

static const Oyez__AccountState *show(unsigned account)
{
	Oyez__ShowAccount message = OYEZ__SHOW_ACCOUNT__INIT;
	const Oyez__GuardianReply *reply = support_account(&support, account, COMMAND_SHOW_ACCOUNT, &message.base);
	assert_account_error(reply, ERR_OK);
	return reply->account;
}

static const Oyez__InviteList *invite(uint32_t count, uint64_t valid_ms)
{
	Oyez__AdminInvite message = OYEZ__ADMIN_INVITE__INIT;
	message.count = count;
	message.valid_ms = valid_ms;
	const Oyez__AdminReply *reply = support_admin(&support, COMMAND_ADMIN_INVITE, &message.base);
	assert_int_equal(reply->body_case, OYEZ__ADMIN_REPLY__BODY_INVITES);
	return reply->invites;
}

static ProtobufCBinaryData home(unsigned number)
{
	uint8_t *key = arena_alloc(&support.arena, KEY_BYTES);
	support_home_key(number, key);
	return wire_bytes(key, KEY_BYTES);
}

static const Oyez__GuardianReply *ask(unsigned account, ProtobufCBinaryData id, ProtobufCBinaryData home_id,
                                      uint32_t epoch)
{
	Oyez__AskVoucher *message = arena_alloc(&support.arena, sizeof *message);
	oyez__ask_voucher__init(message);
	message->voucher_id = id;
	message->home_id = home_id;
	message->epoch = epoch;
	return support_account(&support, account, COMMAND_ASK_VOUCHER, &message->base);
}

static ProtobufCBinaryData voucher_id(void)
{
	return support_fresh(&support, VOUCHER_ID_BYTES);
}

static uint64_t day_in(unsigned days)
{
	return (support.now_ms / DAY_MS + days) * DAY_MS;
}

static const Oyez__GuardianReply *open_box_until(unsigned account, ProtobufCBinaryData box, unsigned at_home,
                                                 uint64_t until_ms)
{
	Oyez__OpenBox *message = arena_alloc(&support.arena, sizeof *message);
	oyez__open_box__init(message);
	message->box_id = box;
	message->home_id = home(at_home);
	message->keep_until_ms = until_ms;
	return support_account(&support, account, COMMAND_OPEN_BOX, &message->base);
}

static ProtobufCBinaryData box_of(unsigned account, unsigned at_home)
{
	ProtobufCBinaryData box = support_fresh(&support, BOX_ID_BYTES);
	assert_account_error(open_box_until(account, box, at_home, day_in(9)), ERR_OK);
	return box;
}

static const Oyez__GuardianReply *close_box(unsigned account, ProtobufCBinaryData box)
{
	Oyez__CloseBox *message = arena_alloc(&support.arena, sizeof *message);
	oyez__close_box__init(message);
	message->box_id = box;
	return support_account(&support, account, COMMAND_CLOSE_BOX, &message->base);
}

// ---- cells: the same content always has the same bytes

static void push_to(unsigned from_home, ProtobufCBinaryData box, uint64_t content)
{
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	Oyez__BoxCell cell = OYEZ__BOX_CELL__INIT, *cells[] = {&cell};
	static uint8_t bytes[BOX_CELL_BYTES];
	for (size_t i = 0; i < BOX_CELL_BYTES; i++)
		bytes[i] = (uint8_t)(content >> (i % 8 * 8));
	cell.box_id = box;
	cell.cell = wire_bytes(bytes, BOX_CELL_BYTES);
	batch.cells = cells;
	batch.n_cells = 1;
	assert_vendor_error(support_push(&support, from_home, &batch), ERR_OK);
}

static uint64_t content_of(const Oyez__BoxCell *cell)
{
	uint64_t content;
	memcpy(&content, cell->cell.data, sizeof content);
	for (size_t i = 0; i < BOX_CELL_BYTES; i++)
		assert_int_equal(cell->cell.data[i], (uint8_t)(content >> (i % 8 * 8)));
	return content;
}

static const Oyez__GuardianReply *read_seen(unsigned account, ProtobufCBinaryData box, uint64_t number,
                                            uint32_t wait_ms)
{
	Oyez__ReadBoxes *message = arena_alloc(&support.arena, sizeof *message);
	oyez__read_boxes__init(message);
	Oyez__BoxSeen *seen = arena_alloc(&support.arena, sizeof *seen), **list = arena_alloc(&support.arena, sizeof *list);
	oyez__box_seen__init(seen);
	seen->box_id = box;
	seen->number = number;
	*list = seen;
	message->seen = list;
	message->n_seen = box.len > 0;
	message->wait_ms = wait_ms;
	return support_account(&support, account, COMMAND_READ_BOXES, &message->base);
}

static const Oyez__BoxCells *read_boxes(unsigned account)
{
	const Oyez__GuardianReply *reply = read_seen(account, (ProtobufCBinaryData){0}, 0, 0);
	assert_account_error(reply, ERR_OK);
	return reply->cells;
}

static const Oyez__BoxCells *read_after(unsigned account, const Oyez__BoxCell *cell)
{
	const Oyez__GuardianReply *reply = read_seen(account, cell->box_id, cell->number, 0);
	assert_account_error(reply, ERR_OK);
	return reply->cells;
}

static bool same_box(const Oyez__BoxCell *cell, ProtobufCBinaryData box)
{
	return memcmp(cell->box_id.data, box.data, BOX_ID_BYTES) == 0;
}

static struct service_numbers numbers(void)
{
	struct service_numbers numbers;
	service_numbers(support.service, &numbers);
	return numbers;
}

// ---- accounts

static void test_account_by_stamp(void **state)
{
	(void)state;
	ProtobufCBinaryData none = {0}, stamp = stamp_of(1);
	assert_account_error(open_account(1, "", none), ERR_STAMP_BAD);
	assert_account_error(open_account(2, "", stamp), ERR_STAMP_BAD); // another key's
	const Oyez__GuardianReply *reply = open_account(1, "", stamp);
	assert_account_error(reply, ERR_OK);
	assert_int_equal(reply->account->opened_at_ms, day_in(0));
	assert_int_equal(reply->account->vouchers_left, 2);
	assert_int_equal(reply->account->vouchers_per_day, 2);
	// Again, however late and whatever it brings: as it is.
	support_service_wait(&support, HOUR_MS);
	reply = support_send(&support, &support.last);
	assert_account_error(reply, ERR_OK);
	assert_account_error(open_account(1, "", none), ERR_OK);
	assert_int_equal(numbers().accounts, 1);
	support_service_restart(&support);
	assert_int_equal(show(1)->boxes_open, 0);
	assert_int_equal(numbers().accounts, 1);
}

static void test_account_stale(void **state)
{
	(void)state;
	open_account(1, "", (ProtobufCBinaryData){0});
	support.last.made_at_ms -= RECORD_AGE_MS_MAX + 1;
	assert_account_error(support_send(&support, &support.last), ERR_STALE);
}

static void test_stamps_where_refused(void **state)
{
	(void)state;
	support.config.accounts_by_stamp = false;
	service_reconfigure(support.service, &support.config);
	assert_account_error(open_account(1, "", stamp_of(1)), ERR_INVITE_BAD);
}

static void test_account_limit(void **state)
{
	(void)state;
	support.config.accounts_max = 1;
	service_reconfigure(support.service, &support.config);
	join(1);
	const Oyez__InviteList *codes = invite(1, 0);
	assert_account_error(open_account(2, codes->codes[0], (ProtobufCBinaryData){0}), ERR_ACCOUNT_LIMIT);
	join(1); // is there
}

static void test_unknown_account(void **state)
{
	(void)state;
	Oyez__ShowAccount message = OYEZ__SHOW_ACCOUNT__INIT;
	ProtobufCBinaryData box = support_fresh(&support, BOX_ID_BYTES);
	assert_account_error(support_account(&support, 7, COMMAND_SHOW_ACCOUNT, &message.base), ERR_ACCOUNT_UNKNOWN);
	assert_account_error(ask(7, voucher_id(), home(1), epoch_now()), ERR_ACCOUNT_UNKNOWN);
	assert_account_error(open_box_until(7, box, 1, day_in(9)), ERR_ACCOUNT_UNKNOWN);
	assert_account_error(close_box(7, box), ERR_ACCOUNT_UNKNOWN);
	assert_account_error(read_seen(7, box, 0, 0), ERR_ACCOUNT_UNKNOWN);
}

static void test_invites(void **state)
{
	(void)state;
	ProtobufCBinaryData none = {0};
	const Oyez__InviteList *codes = invite(3, DAY_MS);
	assert_int_equal(codes->n_codes, 3);
	assert_int_equal(codes->valid_until_ms, support.now_ms + DAY_MS);
	assert_int_equal(strlen(codes->codes[0]), 19);
	assert_string_not_equal(codes->codes[0], codes->codes[1]);
	// People write them their own way.
	char code[20], *at = code;
	for (const char *from = codes->codes[0]; *from; from++)
		if (*from != '-')
			*at++ = *from == '0' ? 'O' : *from == '1' ? 'l' : *from >= 'a' && *from <= 'z' ? (char)(*from - 32) : *from;
	*at = 0;
	assert_account_error(open_account(1, "0000-0000-0000-0000", none), ERR_INVITE_BAD);
	assert_account_error(open_account(1, "hello", none), ERR_INVITE_BAD);
	assert_account_error(open_account(1, "hello-hello-hello-hello-hello", none), ERR_INVITE_BAD);
	assert_account_error(open_account(1, code, none), ERR_OK);
	assert_account_error(open_account(2, codes->codes[0], none), ERR_INVITE_BAD); // used
	// A code given and wrong is not made good by a stamp.
	assert_account_error(open_account(2, codes->codes[0], stamp_of(2)), ERR_INVITE_BAD);
	support_service_restart(&support);
	assert_account_error(open_account(2, codes->codes[1], none), ERR_OK);
	support_service_wait(&support, DAY_MS);
	assert_account_error(open_account(3, codes->codes[2], none), ERR_INVITE_BAD); // too old
	assert_int_equal(invite(0, 0)->n_codes, 1);
}

static void test_account_list(void **state)
{
	(void)state;
	Oyez__AdminAccounts message = OYEZ__ADMIN_ACCOUNTS__INIT;
	for (unsigned account = 1; account <= 70; account++)
		join(account);
	assert_account_error(ask(2, voucher_id(), home(1), epoch_now()), ERR_OK);
	box_of(2, 1);
	const Oyez__AccountList *list = support_admin(&support, COMMAND_ADMIN_ACCOUNTS, &message.base)->accounts;
	assert_int_equal(list->n_items, 64);
	assert_true(list->more);
	assert_int_equal(list->items[1]->vouchers_today, 1);
	assert_int_equal(list->items[1]->boxes_open, 1);
	assert_false(list->items[1]->by_invite);
	message.offset = 64;
	list = support_admin(&support, COMMAND_ADMIN_ACCOUNTS, &message.base)->accounts;
	assert_int_equal(list->n_items, 6);
	assert_false(list->more);
	Oyez__AdminStatus ask_status = OYEZ__ADMIN_STATUS__INIT;
	const Oyez__StatusReport *status = support_admin(&support, COMMAND_ADMIN_STATUS, &ask_status.base)->status;
	assert_int_equal(status->accounts, 70);
	assert_int_equal(status->vouchers_given, 1);
	assert_int_equal(status->boxes_kept, 1);
}

// The clock goes on by itself only in small steps; here a restart makes the jump.
static void jump(uint64_t ms)
{
	support.now_ms += ms;
	support_service_restart(&support);
	for (int i = 0; i < 4; i++)
		support_batch(&support);
}

static void test_idle_accounts(void **state)
{
	(void)state;
	join(1);
	join(2);
	jump(200 * DAY_MS);
	show(2); // in use
	ProtobufCBinaryData none = {0};
	jump(200 * DAY_MS);
	assert_int_equal(numbers().accounts, 1);
	Oyez__ShowAccount message = OYEZ__SHOW_ACCOUNT__INIT;
	assert_account_error(support_account(&support, 1, COMMAND_SHOW_ACCOUNT, &message.base), ERR_ACCOUNT_UNKNOWN);
	show(2);
	assert_account_error(open_account(1, "", none), ERR_STAMP_BAD);
	join(1); // may come back, as a new one, with its place taken again
	assert_int_equal(show(1)->opened_at_ms, day_in(0));
	jump(500 * DAY_MS);
	assert_int_equal(numbers().accounts, 0);
}

// ---- vouchers

static void test_vouchers(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData id = voucher_id();
	const Oyez__GuardianReply *reply = ask(1, id, home(1), epoch_now());
	assert_account_error(reply, ERR_OK);
	Oyez__Voucher *voucher =
	    wire_unpack(&support.arena, &oyez__voucher__descriptor, reply->voucher->record.data, reply->voucher->record.len);
	assert_int_equal(voucher->count, VOUCHER_TOKENS);
	assert_int_equal(voucher->epoch, epoch_now());
	assert_memory_equal(voucher->voucher_id.data, id.data, VOUCHER_ID_BYTES);
	assert_memory_equal(voucher->home_id.data, home(1).data, KEY_BYTES);
	assert_int_equal(voucher->guardian_id.data[0], 'B');
	assert_int_equal(show(1)->vouchers_left, 1);

	// The same again: the same bytes, counted once; even a late one, and after a restart.
	const Oyez__GuardianReply *again = ask(1, id, home(1), epoch_now());
	assert_int_equal(again->voucher->record.len, reply->voucher->record.len);
	assert_memory_equal(again->voucher->record.data, reply->voucher->record.data, reply->voucher->record.len);
	assert_memory_equal(again->voucher->signature.data, reply->voucher->signature.data, SIGNATURE_BYTES);
	support_service_restart(&support);
	support.last.made_at_ms -= HOUR_MS;
	assert_account_error(support_send(&support, &support.last), ERR_OK);
	assert_int_equal(show(1)->vouchers_left, 1);
	assert_int_equal(numbers().vouchers_given, 0); // of this process

	// The id for anything else.
	assert_account_error(ask(1, id, home(2), epoch_now()), ERR_CONFLICT);
	assert_account_error(ask(1, id, home(1), epoch_now() + 1), ERR_CONFLICT);
	join(2);
	assert_account_error(ask(2, id, home(1), epoch_now()), ERR_CONFLICT);
}

static void test_voucher_refusals(void **state)
{
	(void)state;
	join(1);
	assert_account_error(ask(1, voucher_id(), home(3), epoch_now()), ERR_HOME_UNKNOWN);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now() + 2), ERR_BAD_VALUE);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now() - 2), ERR_BAD_VALUE);
	assert_account_error(ask(1, voucher_id(), home(1), UINT32_MAX), ERR_BAD_VALUE);
	assert_int_equal(show(1)->vouchers_left, 2);
	ask(1, voucher_id(), home(3), epoch_now());
	support.last.made_at_ms -= HOUR_MS;
	assert_account_error(support_send(&support, &support.last), ERR_STALE);
	// For this very broker, and around the border of an epoch.
	uint8_t own[KEY_BYTES];
	memset(own, 'B', KEY_BYTES);
	assert_account_error(ask(1, voucher_id(), wire_bytes(own, KEY_BYTES), epoch_now() + 1), ERR_OK);
	assert_account_error(ask(1, voucher_id(), home(2), epoch_now() - 1), ERR_OK);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now()), ERR_VOUCHER_LIMIT);
	assert_int_equal(show(1)->vouchers_left, 0);
}

static void test_vouchers_by_day(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData id = voucher_id();
	assert_account_error(ask(1, id, home(1), epoch_now()), ERR_OK);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now()), ERR_OK);
	support_service_restart(&support);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now()), ERR_VOUCHER_LIMIT);
	struct voucher found;
	uint32_t day = (uint32_t)(support.now_ms / DAY_MS);
	store_begin(support.store);
	assert_true(store_voucher_find(support.store, day, id.data, &found));
	store_abort(support.store);
	support_service_wait(&support, DAY_MS + 2 * MINUTE_MS);
	assert_int_equal(show(1)->vouchers_left, 2);
	// Nothing tells any more whose it was.
	store_begin(support.store);
	assert_false(store_voucher_find(support.store, day, id.data, &found));
	store_abort(support.store);
}

// ---- boxes

static void test_boxes(void **state)
{
	(void)state;
	join(1);
	join(2);
	ProtobufCBinaryData box = support_fresh(&support, BOX_ID_BYTES);
	assert_account_error(open_box_until(1, box, 3, day_in(9)), ERR_HOME_UNKNOWN);
	assert_account_error(open_box_until(1, box, 1, day_in(9) + 1), ERR_BAD_VALUE);
	assert_account_error(open_box_until(1, box, 1, day_in(0)), ERR_BAD_VALUE);
	assert_account_error(open_box_until(1, box, 1, day_in(122)), ERR_BAD_VALUE);
	const Oyez__GuardianReply *reply = open_box_until(1, box, 1, day_in(9));
	assert_account_error(reply, ERR_OK);
	assert_memory_equal(reply->ack->id.data, box.data, BOX_ID_BYTES);
	// Again, and late; something else under the same id.
	support.last.made_at_ms -= HOUR_MS;
	assert_account_error(support_send(&support, &support.last), ERR_OK);
	assert_account_error(open_box_until(1, box, 2, day_in(9)), ERR_CONFLICT);
	assert_account_error(open_box_until(1, box, 1, day_in(8)), ERR_CONFLICT);
	assert_account_error(open_box_until(2, box, 1, day_in(9)), ERR_CONFLICT);
	assert_int_equal(show(1)->boxes_open, 1);
	open_box_until(1, support_fresh(&support, BOX_ID_BYTES), 3, day_in(9));
	support.last.made_at_ms -= HOUR_MS;
	assert_account_error(support_send(&support, &support.last), ERR_STALE);

	assert_account_error(close_box(2, box), ERR_BOX_UNKNOWN); // not theirs
	support_service_restart(&support);
	assert_int_equal(show(1)->boxes_open, 1);
	assert_account_error(close_box(1, box), ERR_OK);
	assert_account_error(close_box(1, box), ERR_BOX_UNKNOWN);
	assert_int_equal(show(1)->boxes_open, 0);
	assert_int_equal(numbers().boxes_kept, 0);
}

static void test_box_limit(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData first = box_of(1, 1);
	for (int i = 1; i < BOXES_PER_ACCOUNT_MAX; i++)
		box_of(1, 1);
	ProtobufCBinaryData box = support_fresh(&support, BOX_ID_BYTES);
	assert_account_error(open_box_until(1, box, 1, day_in(9)), ERR_BOX_LIMIT);
	assert_account_error(open_box_until(1, first, 1, day_in(9)), ERR_OK);
	assert_account_error(close_box(1, first), ERR_OK);
	assert_account_error(open_box_until(1, box, 1, day_in(9)), ERR_OK);
}

static void test_box_forgotten(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData short_box = support_fresh(&support, BOX_ID_BYTES), closed = short_box;
	assert_account_error(open_box_until(1, short_box, 1, day_in(2)), ERR_OK);
	assert_account_error(close_box(1, short_box), ERR_OK);
	assert_account_error(open_box_until(1, closed, 1, day_in(3)), ERR_OK); // the older end concerns it no more
	ProtobufCBinaryData box = support_fresh(&support, BOX_ID_BYTES);
	assert_account_error(open_box_until(1, box, 1, day_in(2)), ERR_OK);
	push_to(1, box, 1);
	push_to(1, closed, 2);
	support_service_wait(&support, day_in(2) - support.now_ms);
	assert_int_equal(numbers().boxes_kept, 1);
	assert_int_equal(numbers().cells_kept, 1);
	push_to(1, box, 3); // says nothing, keeps nothing
	const Oyez__BoxCells *cells = read_boxes(1);
	assert_int_equal(cells->n_items, 1);
	assert_true(same_box(cells->items[0], closed));
	support_service_wait(&support, DAY_MS);
	assert_int_equal(numbers().boxes_kept, 0);
	assert_int_equal(numbers().cells_kept, 0);
	support_service_restart(&support);
	assert_int_equal(numbers().boxes_kept, 0);
}

// ---- cells

static void test_push_and_read(void **state)
{
	(void)state;
	join(1);
	join(2);
	ProtobufCBinaryData box = box_of(1, 1), other = box_of(2, 1);
	push_to(1, box, 11);
	push_to(1, box, 11); // not heard to be there: sent again
	push_to(2, box, 12); // another home's
	push_to(1, support_fresh(&support, BOX_ID_BYTES), 13);
	push_to(1, box, 14);
	push_to(1, box, 15);
	push_to(1, other, 16);
	const Oyez__BoxCells *cells = read_boxes(1);
	assert_int_equal(cells->n_items, 2);
	assert_true(cells->more);
	assert_int_equal(content_of(cells->items[0]), 11);
	assert_int_equal(content_of(cells->items[1]), 14);
	assert_int_equal(cells->items[0]->number, 1);
	assert_int_equal(cells->items[1]->number, 2);
	assert_int_equal(read_boxes(1)->n_items, 2); // nothing is seen yet
	assert_int_equal(numbers().cells_kept, 4);

	// Others cannot remove them.
	read_after(2, cells->items[1]);
	assert_int_equal(numbers().cells_kept, 4);
	cells = read_after(1, cells->items[1]);
	assert_int_equal(cells->n_items, 1);
	assert_false(cells->more);
	assert_int_equal(content_of(cells->items[0]), 15);
	assert_int_equal(cells->items[0]->number, 3);

	// Numbers go on in a box that is empty, and so they do after a restart; so does the memory of the latest cell.
	cells = read_after(1, cells->items[0]);
	assert_int_equal(cells->n_items, 0);
	support_service_restart(&support);
	push_to(1, box, 15);
	assert_int_equal(numbers().cells_kept, 1); // the other box's
	push_to(1, box, 17);
	support_service_restart(&support);
	push_to(1, box, 17);
	push_to(1, box, 18);
	cells = read_boxes(1);
	assert_int_equal(cells->n_items, 2);
	assert_int_equal(cells->items[0]->number, 4);
	assert_int_equal(content_of(cells->items[1]), 18);
	// More than there is.
	cells = read_seen(1, box, UINT64_C(1) << 62, 0)->cells;
	assert_int_equal(cells->n_items, 0);
	push_to(1, box, 19);
	assert_int_equal(read_boxes(1)->items[0]->number, 6);
	// What is closed is gone.
	assert_account_error(close_box(1, box), ERR_OK);
	assert_int_equal(numbers().cells_kept, 1);
	assert_int_equal(read_boxes(1)->n_items, 0);
}

static void test_push_refused(void **state)
{
	(void)state;
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	assert_vendor_error(support_push(&support, 3, &batch), ERR_HOME_UNKNOWN);
	assert_vendor_error(support_push(&support, 2, &batch), ERR_OK);
}

static void test_read_stale(void **state)
{
	(void)state;
	join(1);
	read_boxes(1);
	support.last.made_at_ms -= RECORD_AGE_MS_MAX + 1;
	assert_account_error(support_send(&support, &support.last), ERR_STALE);
}

static void test_full_box(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData box = box_of(1, 1);
	for (uint64_t content = 1; content <= BOX_CELLS_MAX + 10; content++)
		push_to(1, box, content);
	assert_int_equal(numbers().cells_kept, BOX_CELLS_MAX);
	assert_int_equal(numbers().cells_missed, 10);
	support_service_restart(&support);
	assert_int_equal(numbers().cells_kept, BOX_CELLS_MAX);
	const Oyez__BoxCells *cells = read_boxes(1);
	assert_int_equal(cells->items[0]->number, 11);
	assert_int_equal(content_of(cells->items[0]), 11);
	// All of them, in order.
	uint64_t next = 11;
	while (cells->n_items > 0) {
		for (size_t i = 0; i < cells->n_items; i++, next++) {
			assert_int_equal(cells->items[i]->number, next);
			assert_int_equal(content_of(cells->items[i]), next);
		}
		cells = read_after(1, cells->items[cells->n_items - 1]);
	}
	assert_int_equal(next, BOX_CELLS_MAX + 11);
	assert_int_equal(numbers().cells_kept, 0);
}

// A box with much in it does not keep the others waiting.
static void test_fair(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData boxes[5];
	for (int i = 0; i < 5; i++)
		boxes[i] = box_of(1, 1);
	for (uint64_t content = 1; content <= 50; content++)
		push_to(1, boxes[2], content);
	for (int i = 0; i < 5; i++)
		push_to(1, boxes[i], 100 + (uint64_t)i);
	int served[5] = {0};
	for (int read = 0; read < 3; read++) {
		const Oyez__BoxCells *cells = read_boxes(1);
		assert_int_equal(cells->n_items, 2);
		for (size_t i = 0; i < 2; i++)
			for (int box = 0; box < 5; box++)
				served[box] += same_box(cells->items[i], boxes[box]);
	}
	for (int i = 0; i < 5; i++)
		assert_true(served[i] >= 1);
	// With only one that has something, both places are its own.
	for (int i = 0; i < 5; i++)
		if (i != 2)
			assert_account_error(close_box(1, boxes[i]), ERR_OK);
	assert_int_equal(read_boxes(1)->n_items, 2);
}

static void test_waiting(void **state)
{
	(void)state;
	join(1);
	join(2);
	ProtobufCBinaryData box = box_of(1, 1), other = box_of(2, 1), none = {0};
	assert_null(read_seen(1, none, 0, 20000));
	uint64_t origin = support.last_origin;
	push_to(1, other, 1);
	assert_null(support_parked_reply(&support, origin));
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	Oyez__BoxCell cell = OYEZ__BOX_CELL__INIT, *cells[] = {&cell};
	uint8_t bytes[BOX_CELL_BYTES] = {5};
	cell.box_id = box;
	cell.cell = wire_bytes(bytes, BOX_CELL_BYTES);
	batch.cells = cells;
	batch.n_cells = 1;
	uint8_t key[KEY_BYTES];
	support_home_key(1, key);
	struct command command = {.kind = COMMAND_PUSH, .made_at_ms = support.now_ms, .payload = &batch.base};
	memcpy(command.sender_key, key, KEY_BYTES);
	command.now_ms = support.now_ms;
	service_begin(support.service, support.now_ms);
	service_apply(support.service, &command);
	assert_int_equal(service_commit(support.service), ERR_OK);
	const Oyez__GuardianReply *reply = support_parked_reply(&support, origin);
	assert_account_error(reply, ERR_OK);
	assert_int_equal(reply->cells->n_items, 1);

	// Nothing comes: an empty answer at the end of the wait.
	assert_null(read_seen(1, box, 1, 20000));
	origin = support.last_origin;
	support.now_ms += 20000;
	support_batch(&support);
	reply = support_parked_reply(&support, origin);
	assert_account_error(reply, ERR_OK);
	assert_int_equal(reply->cells->n_items, 0);
}

// A commit that fails: nothing of it happened, who waits is told, and memory is as the store.
static void test_failed_commit(void **state)
{
	(void)state;
	join(1);
	ProtobufCBinaryData box = box_of(1, 1), none = {0};
	push_to(1, box, 1);
	const Oyez__BoxCells *cells = read_boxes(1);
	join(2);
	assert_null(read_seen(2, none, 0, 20000));
	uint64_t waiting = support.last_origin;
	store_fail_commits(support.store, ERR_STORAGE_FULL);
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	Oyez__BoxCell cell = OYEZ__BOX_CELL__INIT, *list[] = {&cell};
	uint8_t bytes[BOX_CELL_BYTES] = {9};
	cell.box_id = box;
	cell.cell = wire_bytes(bytes, BOX_CELL_BYTES);
	batch.cells = list;
	batch.n_cells = 1;
	struct command command = {.kind = COMMAND_PUSH, .made_at_ms = support.now_ms, .payload = &batch.base};
	memcpy(command.sender_key, support.homes[0], KEY_BYTES);
	command.now_ms = support.now_ms;
	service_begin(support.service, support.now_ms);
	service_apply(support.service, &command);
	assert_int_equal(service_commit(support.service), ERR_STORAGE_FULL);
	assert_account_error(support_parked_reply(&support, waiting), ERR_STORAGE_FULL);
	assert_account_error(read_seen(1, box, cells->items[0]->number, 0), ERR_STORAGE_FULL);
	assert_account_error(ask(1, voucher_id(), home(1), epoch_now()), ERR_STORAGE_FULL);
	assert_account_error(open_box_until(1, support_fresh(&support, BOX_ID_BYTES), 1, day_in(9)), ERR_STORAGE_FULL);
	assert_account_error(close_box(1, box), ERR_STORAGE_FULL);
	assert_account_error(open_account(3, "", stamp_of(3)), ERR_STORAGE_FULL);
	store_fail_commits(support.store, ERR_OK);
	assert_int_equal(numbers().accounts, 2);
	assert_int_equal(show(1)->vouchers_left, 2);
	assert_int_equal(show(1)->boxes_open, 1);
	cells = read_boxes(1);
	assert_int_equal(cells->n_items, 1);
	assert_int_equal(content_of(cells->items[0]), 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_service, close_service)
	const struct CMUnitTest tests[] = {
	    TEST(test_account_by_stamp), TEST(test_account_stale),    TEST(test_stamps_where_refused),
	    TEST(test_account_limit),    TEST(test_unknown_account),  TEST(test_invites),
	    TEST(test_account_list),     TEST(test_idle_accounts),    TEST(test_vouchers),
	    TEST(test_voucher_refusals), TEST(test_vouchers_by_day),  TEST(test_boxes),
	    TEST(test_box_limit),        TEST(test_box_forgotten),    TEST(test_push_and_read),
	    TEST(test_push_refused),     TEST(test_read_stale),       TEST(test_full_box),
	    TEST(test_fair),             TEST(test_waiting),          TEST(test_failed_commit),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
