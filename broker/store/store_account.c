// A guardian's accounts, invitation codes and the vouchers of the day. Accounts are appended under numbers, since their
// ids are hashes; the service keeps which id has which number.
#include <string.h>

#include "store_internal.h"

_Static_assert(sizeof(struct account) == 64, "account_fields lists every field of struct account");

static void account_fields(struct row *row, void *value)
{
	struct account *account = value;
	row_id(row, &account->id);
	row_u32(row, &account->opened_day);
	row_u32(row, &account->used_month);
	row_u32(row, &account->voucher_day);
	row_u32(row, &account->voucher_count);
	row_u8(row, &account->by_invite);
}

void store_account_create(struct store *store, struct account *account)
{
	account->number = store_number_last(store, KV_ACCOUNT) + 1;
	store_account_put(store, account);
}

void store_account_put(struct store *store, const struct account *account)
{
	struct account copy = *account;
	store_numbered_put(store, KV_ACCOUNT, account->number, account_fields, &copy);
}

void store_account_delete(struct store *store, uint64_t number)
{
	struct key key = key_number(number);
	kv_del(store->kv, KV_ACCOUNT, key_bytes(&key));
}

void store_account_each(struct store *store, bool (*each)(void *context, const struct account *account), void *context)
{
	struct kv_cursor cursor;
	struct account account = {0};
	for (bool on = kv_seek(store->kv, KV_ACCOUNT, kv_start, &cursor);
	     on && store_numbered_read(store, KV_ACCOUNT, &cursor, account_fields, &account, &account.number);
	     on = kv_next(&cursor))
		if (!each(context, &account))
			break;
	kv_stop(&cursor);
}

// ---- invitation codes

static void invite_fields(struct row *row, void *value)
{
	row_u64(row, value);
}

void store_invite_put(struct store *store, const struct id *code_hash, uint64_t valid_until_ms)
{
	store_row_put(store, KV_INVITE, code_hash, invite_fields, &valid_until_ms, ROW_BYTES_MAX);
}

bool store_invite_find(struct store *store, const struct id *code_hash, uint64_t *valid_until_ms)
{
	return store_row_find(store, KV_INVITE, code_hash, invite_fields, valid_until_ms);
}

void store_invite_delete(struct store *store, const struct id *code_hash)
{
	struct key key = key_id(code_hash);
	kv_del(store->kv, KV_INVITE, key_bytes(&key));
}

// ---- vouchers of the day

static void voucher_fields(struct row *row, void *value)
{
	struct voucher *voucher = value;
	row_u64(row, &voucher->account);
	row_raw(row, voucher->home, KEY_BYTES);
	row_u32(row, &voucher->epoch);
}

bool store_voucher_find(struct store *store, uint32_t day, const uint8_t id[VOUCHER_ID_BYTES], struct voucher *out)
{
	struct key key = key_voucher(day, id, VOUCHER_ID_BYTES);
	struct bytes row;
	*out = (struct voucher){.day = day};
	memcpy(out->id, id, VOUCHER_ID_BYTES);
	if (!kv_get(store->kv, KV_VOUCHER, key_bytes(&key), &row))
		return false;
	if (row_read(row, ROW_VERSION, voucher_fields, out))
		return true;
	store_damaged(store, KV_VOUCHER);
	return false;
}

void store_voucher_put(struct store *store, const struct voucher *voucher)
{
	struct voucher copy = *voucher;
	struct key key = key_voucher(voucher->day, voucher->id, VOUCHER_ID_BYTES);
	uint8_t buffer[ROW_BYTES_MAX];
	kv_put(store->kv, KV_VOUCHER, key_bytes(&key),
	       row_write(buffer, sizeof(buffer), ROW_VERSION, voucher_fields, &copy));
}

size_t store_voucher_trim(struct store *store, uint32_t before_day, size_t max)
{
	size_t count = 0;
	struct kv_cursor cursor;
	for (bool on = kv_seek(store->kv, KV_VOUCHER, kv_start, &cursor); on && count < max; on = kv_next(&cursor)) {
		struct reader reader;
		reader_init(&reader, cursor.key.at, cursor.key.count);
		if (reader_u32(&reader) >= before_day)
			break;
		kv_del(store->kv, KV_VOUCHER, (struct bytes){cursor.at, cursor.at_count});
		count++;
	}
	kv_stop(&cursor);
	return count;
}
