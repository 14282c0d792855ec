// Vouchers: the guardian's word, for a home broker, that some account of its own may have tokens. So many a day each.
// Which account got which is kept until the day (UTC) is over: so long, asking again with the same id counts once.
#include <stdio.h>

#include "internal.h"

enum { TRIM_MAX = 4096 };

static uint32_t today(const struct service *service)
{
	return (uint32_t)(service->now_ms / DAY_MS);
}

uint32_t vouchers_today(const struct service *service, const struct account_note *account)
{
	return account->row.voucher_day == today(service) ? account->row.voucher_count : 0;
}

static void reply_voucher(struct service *service, const struct command *command, const Oyez__AskVoucher *asked)
{
	Oyez__Voucher voucher = OYEZ__VOUCHER__INIT;
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	voucher.guardian_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	voucher.voucher_id = asked->voucher_id;
	voucher.home_id = asked->home_id;
	voucher.epoch = asked->epoch;
	voucher.count = VOUCHER_TOKENS;
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_VOUCHER;
	reply.voucher = sign_message(service, TAG_VOUCHER, &voucher.base);
	reply_guardian(service, command->origin, &reply);
}

static enum err check_voucher(struct service *service, const struct command *command, const Oyez__AskVoucher *asked,
                              const struct account_note *account)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	// Also for itself: a broker whose customers have accounts with it.
	if (!guardian_has_home(service, asked->home_id.data) &&
	    memcmp(asked->home_id.data, service->signer.broker_key, KEY_BYTES) != 0)
		return ERR_HOME_UNKNOWN;
	// Vouchers cannot be put by for later. One either way: the home's clock may stand on the other side of the border.
	uint64_t epoch = service->now_ms / TOKEN_EPOCH_MS;
	if (asked->epoch + UINT64_C(1) < epoch || asked->epoch > epoch + 1) {
		snprintf(service->detail.text, sizeof service->detail.text, "epoch");
		return ERR_BAD_VALUE;
	}
	return vouchers_today(service, account) < service->config.vouchers_per_day ? ERR_OK : ERR_VOUCHER_LIMIT;
}

enum err handle_ask_voucher(struct service *service, const struct command *command, const Oyez__AskVoucher *message)
{
	struct account_note *account = account_find(service, &command->sender);
	struct voucher voucher;
	if (!account)
		return ERR_ACCOUNT_UNKNOWN;
	if (store_voucher_find(service->store, today(service), message->voucher_id.data, &voucher)) {
		if (voucher.account != account->row.number || voucher.epoch != message->epoch ||
		    memcmp(voucher.home, message->home_id.data, KEY_BYTES) != 0)
			return ERR_CONFLICT;
		reply_voucher(service, command, message);
		return ERR_OK;
	}
	enum err err = check_voucher(service, command, message, account);
	if (err)
		return err;
	voucher.account = account->row.number;
	voucher.epoch = message->epoch;
	memcpy(voucher.home, message->home_id.data, KEY_BYTES);
	store_voucher_put(service->store, &voucher);
	account->row.voucher_count = vouchers_today(service, account) + 1;
	account->row.voucher_day = today(service);
	account->row.used_month = today(service) / 30;
	store_account_put(service->store, &account->row);
	service->wrote = true;
	service->numbers.vouchers_given++;
	reply_voucher(service, command, message);
	return ERR_OK;
}

void vouchers_trim(struct service *service)
{
	if (store_voucher_trim(service->store, today(service), TRIM_MAX) > 0)
		service->wrote = true;
}
