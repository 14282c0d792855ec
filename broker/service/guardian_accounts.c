// Accounts: opened with an invitation or a stamp, shown, forgotten; and the operator's side of it.
#include "internal.h"
#include "proto/stamp.h"

enum {
	LIST_PAGE = 64,
	CODE_DIGITS = 16, // of 5 bits
	CODE_GROUP = 4,
	CODE_BYTES = CODE_DIGITS + CODE_DIGITS / CODE_GROUP, // with a dash between groups, and a zero
	INVITE_DAYS_DEFAULT = 30,
	// Without use for so long, and without boxes, an account is forgotten.
	IDLE_MONTHS = 13, // of 30 days: a year at least
};

// ---- invitation codes: 80 random bits in Crockford's digits, read without regard to case, dashes and look-alikes

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void code_make(const uint8_t random[32], uint32_t number, char code[CODE_BYTES])
{
	uint8_t input[32 + 4];
	memcpy(input, random, 32);
	memcpy(input + 32, &number, 4);
	struct id bits = id_of("oyez invite bits", input, sizeof input);
	for (int i = 0, at = 0; i < CODE_DIGITS; i++) {
		if (i > 0 && i % CODE_GROUP == 0)
			code[at++] = '-';
		code[at++] = digits[bits.bytes[i] & 31];
		code[at] = 0;
	}
}

// What the store knows of a code. False: it cannot be one.
static bool code_hash(const char *text, struct id *hash)
{
	char plain[CODE_DIGITS];
	int count = 0;
	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
		if (c == '-')
			continue;
		c = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
		if (count == CODE_DIGITS || !strchr(digits, c))
			return false;
		plain[count++] = c;
	}
	*hash = id_of("oyez invite code", plain, sizeof plain);
	return count == CODE_DIGITS;
}

static enum err invite_take(struct service *service, const char *text)
{
	struct id hash;
	uint64_t valid_until_ms;
	if (!code_hash(text, &hash) || !store_invite_find(service->store, &hash, &valid_until_ms) ||
	    valid_until_ms <= due_now_ms(service))
		return ERR_INVITE_BAD;
	store_invite_delete(service->store, &hash);
	store_timer_remove(service->store, valid_until_ms, TIMER_INVITE_FORGET, &hash);
	return ERR_OK;
}

// ---- opening and showing

static void reply_account(struct service *service, const struct command *command, const struct account_note *account)
{
	Oyez__AccountState state = OYEZ__ACCOUNT_STATE__INIT;
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	uint32_t per_day = service->config.vouchers_per_day, given = vouchers_today(service, account);
	state.opened_at_ms = account->row.opened_day * DAY_MS;
	state.vouchers_per_day = per_day;
	state.vouchers_left = given < per_day ? per_day - given : 0;
	state.boxes_open = account->box_count;
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_ACCOUNT;
	reply.account = &state;
	reply_guardian(service, command->origin, &reply);
}

static enum err check_right(struct service *service, const struct command *command, const Oyez__OpenAccount *message)
{
	if (message->invite[0])
		return invite_take(service, message->invite);
	if (!service->config.accounts_by_stamp)
		return ERR_INVITE_BAD;
	return stamp_check(command->sender_key, service->signer.broker_key, (uint32_t)(service->now_ms / TOKEN_EPOCH_MS),
	                   service->config.account_stamp_bits, message->stamp.data, message->stamp.len);
}

static uint64_t idle_end_ms(const struct account *row)
{
	return (uint64_t)(row->used_month + IDLE_MONTHS) * 30 * DAY_MS;
}

enum err handle_open_account(struct service *service, const struct command *command, const Oyez__OpenAccount *message)
{
	struct account_note *account = account_find(service, &command->sender);
	if (account) {
		reply_account(service, command, account);
		return ERR_OK;
	}
	enum err err = check_fresh(service, command);
	if (!err && service->guardian.account_numbers.count >= service->config.accounts_max)
		err = ERR_ACCOUNT_LIMIT;
	if (!err)
		err = check_right(service, command, message);
	if (err)
		return err;
	struct account row = {
	    .id = command->sender,
	    .opened_day = (uint32_t)(service->now_ms / DAY_MS),
	    .used_month = (uint32_t)(service->now_ms / DAY_MS / 30),
	    .by_invite = message->invite[0] != 0,
	};
	store_account_create(service->store, &row);
	store_timer_add(service->store, idle_end_ms(&row), TIMER_ACCOUNT_FORGET, &row.id);
	service->wrote = true;
	reply_account(service, command, account_note_add(service, &row));
	return ERR_OK;
}

enum err handle_show_account(struct service *service, const struct command *command, const Oyez__ShowAccount *message)
{
	(void)message;
	struct account_note *account = account_find(service, &command->sender);
	if (!account)
		return ERR_ACCOUNT_UNKNOWN;
	account_touch(service, account);
	reply_account(service, command, account);
	return ERR_OK;
}

bool account_known(struct service *service, const struct id *account)
{
	return account_find(service, account) != NULL;
}

void account_forget(struct service *service, const struct id *id)
{
	struct account_note *account = account_find(service, id);
	if (!account)
		return;
	uint64_t end_ms = idle_end_ms(&account->row);
	if (account->box_count > 0 || end_ms > service->now_ms) {
		uint64_t again_ms = end_ms > service->now_ms ? end_ms : service->now_ms + 30 * DAY_MS;
		store_timer_add(service->store, again_ms, TIMER_ACCOUNT_FORGET, id);
		return;
	}
	store_account_delete(service->store, account->row.number);
	account_note_remove(service, account);
	parking_wake(service, id);
}

// ---- the operator

enum err handle_admin_invite(struct service *service, const struct command *command, const Oyez__AdminInvite *message)
{
	Oyez__InviteList list = OYEZ__INVITE_LIST__INIT;
	Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
	uint32_t count = message->count ? message->count : 1;
	uint64_t valid_ms = message->valid_ms ? message->valid_ms : INVITE_DAYS_DEFAULT * DAY_MS;
	list.valid_until_ms = service->now_ms + valid_ms;
	list.codes = arena_alloc(&service->arena, count * sizeof *list.codes);
	for (uint32_t i = 0; i < count; i++) {
		struct id hash;
		char *code = list.codes[list.n_codes++] = arena_alloc(&service->arena, CODE_BYTES);
		code_make(command->random, i, code);
		code_hash(code, &hash);
		store_invite_put(service->store, &hash, list.valid_until_ms);
		store_timer_add(service->store, list.valid_until_ms, TIMER_INVITE_FORGET, &hash);
	}
	service->wrote = true;
	reply.body_case = OYEZ__ADMIN_REPLY__BODY_INVITES;
	reply.invites = &list;
	reply_admin(service, command->origin, &reply);
	return ERR_OK;
}

static Oyez__AccountItem *item_of(struct service *service, const struct account_note *account)
{
	Oyez__AccountItem *item = arena_alloc(&service->arena, sizeof *item);
	oyez__account_item__init(item);
	item->account_id = wire_id(&account->row.id);
	item->opened_at_ms = account->row.opened_day * DAY_MS;
	item->by_invite = account->row.by_invite;
	item->vouchers_today = vouchers_today(service, account);
	item->boxes_open = account->box_count;
	return item;
}

enum err handle_admin_accounts(struct service *service, const struct command *command,
                               const Oyez__AdminAccounts *message)
{
	const struct guardian *guardian = &service->guardian;
	Oyez__AccountList list = OYEZ__ACCOUNT_LIST__INIT;
	Oyez__AdminReply reply = OYEZ__ADMIN_REPLY__INIT;
	uint32_t skip = message->offset;
	list.items = arena_alloc(&service->arena, LIST_PAGE * sizeof *list.items);
	for (uint32_t at = 0; at < guardian->account_count && !list.more; at++) {
		if (!guardian->accounts[at].used)
			continue;
		if (skip > 0)
			skip--;
		else if (list.n_items == LIST_PAGE)
			list.more = true;
		else
			list.items[list.n_items++] = item_of(service, &guardian->accounts[at]);
	}
	reply.body_case = OYEZ__ADMIN_REPLY__BODY_ACCOUNTS;
	reply.accounts = &list;
	reply_admin(service, command->origin, &reply);
	return ERR_OK;
}
