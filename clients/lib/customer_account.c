// This wallet's account at a guardian: its key, opening it by an invitation or by proof of work, what it may still do.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/stamp.h"
#include "proto/token.h"

// ---- the key

// A new key, on disk before anything is signed with it. Another program may have been faster.
static enum err account_new(struct oyez_customer *customer, const struct connection *guardian, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	if (wallet_account(customer->wallet, guardian->key)) {
		wallet_abort(customer->wallet);
		return ERR_OK;
	}
	struct sign_pair pair;
	sign_pair_new(&pair);
	Oyez__Wallet__Account *account = wallet_add_account(customer->wallet);
	field_set(&account->guardian_key, guardian->key, KEY_BYTES);
	field_set_text(&account->guardian_url, guardian->url);
	field_set(&account->seed, pair.secret_key, crypto_sign_SEEDBYTES);
	sodium_memzero(&pair, sizeof(pair));
	return wallet_commit(customer->wallet, error);
}

enum err account_ensure(struct oyez_customer *customer, struct connection *guardian, struct oyez_error *error)
{
	enum err err = ERR_OK;
	if (!wallet_account(customer->wallet, guardian->key))
		err = account_new(customer, guardian, error);
	const Oyez__Wallet__Account *account = err ? NULL : wallet_account(customer->wallet, guardian->key);
	if (err)
		return err;
	if (!account || account->seed.len != crypto_sign_SEEDBYTES)
		return oyez_error_set(error, ERR_WALLET_DAMAGED, "account");
	struct sign_pair pair;
	sign_pair_from_seed(&pair, account->seed.data);
	transport_set_account(guardian->transport, &pair);
	sodium_memzero(&pair, sizeof(pair));
	return ERR_OK;
}

enum err account_note_home(struct oyez_customer *customer, const struct connection *guardian,
                           const uint8_t home_key[KEY_BYTES], struct oyez_error *error)
{
	const Oyez__Wallet__Account *known = wallet_account(customer->wallet, guardian->key);
	if (known && known->home_key.len == KEY_BYTES && memcmp(known->home_key.data, home_key, KEY_BYTES) == 0)
		return ERR_OK;
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	if (account)
		field_set(&account->home_key, home_key, KEY_BYTES);
	return wallet_commit(customer->wallet, error);
}

// ---- proof of work

static bool stop_when_woken(void *context)
{
	const struct oyez_customer *customer = context;
	return customer->woken;
}

enum err stamp_work(struct oyez_customer *customer, const uint8_t key[KEY_BYTES], const uint8_t broker_key[KEY_BYTES],
                    uint64_t now_ms, uint32_t bits, uint8_t stamp[STAMP_BYTES], struct oyez_error *error)
{
	bool changed = customer->changed;
	customer_event(customer, "working", &(struct id){0}, json_pack("{s:s, s:i}", "what", "stamp", "bits", (int)bits));
	customer->changed = changed; // nothing came: we only said what we do
	if (!stamp_make(key, broker_key, token_epoch_of(now_ms), bits, stop_when_woken, customer, stamp))
		return oyez_error_set(error, ERR_TIMEOUT, "the proof of work was stopped");
	return ERR_OK;
}

// ---- opening

static enum err ask_open(struct oyez_customer *customer, struct connection *guardian, const char *invite,
                         const uint8_t *stamp, uint64_t *opened_at_ms, struct oyez_error *error)
{
	(void)customer;
	Oyez__OpenAccount open = OYEZ__OPEN_ACCOUNT__INIT;
	if (invite)
		open.invite = (char *)invite;
	if (stamp)
		open.stamp = (ProtobufCBinaryData){.data = (uint8_t *)stamp, .len = STAMP_BYTES};
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_OPEN;
	record.open = &open;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian->transport, &record, 0, &reply, error);
	if (!err && reply->body_case != OYEZ__GUARDIAN_REPLY__BODY_ACCOUNT)
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "account expected");
	if (!err)
		*opened_at_ms = reply->account->opened_at_ms;
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

static enum err store_opened(struct oyez_customer *customer, const struct connection *guardian, uint64_t opened_at_ms,
                             struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	if (account)
		account->opened_at_ms = opened_at_ms ? opened_at_ms : transport_now_ms(guardian->transport);
	return wallet_commit(customer->wallet, error);
}

enum err account_open(struct oyez_customer *customer, struct connection *guardian, const char *invite,
                      struct oyez_error *error)
{
	const Oyez__Config *config;
	enum err err = account_ensure(customer, guardian, error);
	if (!err)
		err = transport_config(guardian->transport, &config, error);
	if (err)
		return err;
	const Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	if (account->opened_at_ms && !invite)
		return ERR_OK;
	uint8_t stamp[STAMP_BYTES];
	struct sign_pair pair;
	bool by_stamp = !invite && config->accounts_by_stamp;
	if (!invite && !by_stamp)
		return oyez_error_set(error, ERR_ACCOUNT_UNKNOWN, "this guardian opens accounts by invitation only");
	if (by_stamp) {
		sign_pair_from_seed(&pair, account->seed.data);
		err = stamp_work(customer, pair.public_key, guardian->key, transport_now_ms(guardian->transport),
		                 config->account_stamp_bits, stamp, error);
		sodium_memzero(&pair, sizeof(pair));
	}
	uint64_t opened_at_ms = 0;
	if (!err)
		err = ask_open(customer, guardian, invite, by_stamp ? stamp : NULL, &opened_at_ms, error);
	if (!err)
		err = store_opened(customer, guardian, opened_at_ms, error);
	return err;
}

// ---- the person's view of it

// The guardian and, where one can be told, the home broker behind it; in direct mode both are the broker.
static enum err both(struct oyez_customer *customer, struct connection **guardian, struct connection **home,
                     struct oyez_error *error)
{
	*home = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	if (customer->guardian) {
		err = guardian_default(customer, guardian, error);
		// Without a home named there may be several: an account can be opened all the same.
		struct oyez_error problem = {0};
		enum err home_err = err ? ERR_OK : home_default(customer, home, &problem);
		if (home_err && (home_err != ERR_HOME_UNKNOWN || customer->broker)) {
			*error = problem;
			err = home_err;
		}
		return err;
	}
	err = connection_default(customer, home, error);
	*guardian = *home;
	return err ? err : account_ensure(customer, *guardian, error);
}

static void add_home(json_t *array, const Oyez__Home *home)
{
	json_array_append_new(array, json_pack("{s:o, s:o}", "broker", json_hex(home->home_id.data, home->home_id.len),
	                                       "url", json_text(home->url)));
}

static json_t *homes_json(struct connection *guardian)
{
	json_t *array = json_array();
	Oyez__GetHome get = OYEZ__GET_HOME__INIT;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_GET_HOME;
	record.get_home = &get;
	Oyez__GuardianReply *reply = NULL;
	if (transport_account(guardian->transport, &record, 0, &reply, NULL) == ERR_OK &&
	    reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_HOMES) {
		for (size_t i = 0; i < reply->homes->n_items; i++)
			add_home(array, reply->homes->items[i]);
	}
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return array;
}

static json_t *account_json(struct oyez_customer *customer, struct connection *guardian, struct connection *home)
{
	const Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	json_t *object = json_object();
	json_object_set_new(object, "guardian", json_text(guardian->url));
	json_object_set_new(object, "guardian_key", json_hex(guardian->key, KEY_BYTES));
	json_object_set_new(object, "mode", json_string(customer->guardian ? "two_brokers" : "direct"));
	json_object_set_new(object, "open", json_boolean(account && account->opened_at_ms));
	json_object_set_new(object, "opened_at", json_time(account ? account->opened_at_ms : 0));
	if (home) {
		size_t usable = tokens_usable(customer, home->key, transport_now_ms(home->transport));
		json_object_set_new(object, "broker", json_text(home->url));
		json_object_set_new(object, "tokens", json_integer((json_int_t)usable));
	}
	return object;
}

static enum err add_state(struct connection *guardian, json_t *object, struct oyez_error *error)
{
	Oyez__ShowAccount show = OYEZ__SHOW_ACCOUNT__INIT;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_SHOW;
	record.show = &show;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian->transport, &record, 0, &reply, error);
	if (!err && reply->body_case == OYEZ__GUARDIAN_REPLY__BODY_ACCOUNT) {
		const Oyez__AccountState *state = reply->account;
		json_object_set_new(object, "open", json_true());
		json_object_set_new(object, "opened_at", json_time(state->opened_at_ms));
		json_object_set_new(object, "vouchers_left", json_integer(state->vouchers_left));
		json_object_set_new(object, "vouchers_per_day", json_integer(state->vouchers_per_day));
		json_object_set_new(object, "boxes_open", json_integer(state->boxes_open));
	}
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

static bool home_asks_for_tokens(struct connection *home)
{
	const Oyez__Config *config;
	return transport_config(home->transport, &config, NULL) == ERR_OK &&
	       config->posting == OYEZ__POSTING__POSTING_TOKEN;
}

enum err oyez_account_open(struct oyez_customer *customer, const char *invite, json_t **out, struct oyez_error *error)
{
	struct connection *guardian, *home;
	struct oyez_error unused;
	*out = NULL;
	if (!error)
		error = &unused;
	enum err err = both(customer, &guardian, &home, error);
	if (!err)
		err = account_open(customer, guardian, invite, error);
	// A store of tokens ahead of the first post: then no post follows right on its tokens.
	if (!err && home && home_asks_for_tokens(home) &&
	    tokens_usable(customer, home->key, transport_now_ms(home->transport)) < TOKENS_FEW)
		err = tokens_top_up(customer, home, error);
	if (!err)
		*out = account_json(customer, guardian, home);
	return err;
}

enum err oyez_account_show(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	struct connection *guardian, *home;
	struct oyez_error problem = {0}, unused;
	*out = NULL;
	if (!error)
		error = &unused;
	enum err err = both(customer, &guardian, &home, error);
	if (err)
		return err;
	*out = account_json(customer, guardian, home);
	if (customer->guardian)
		json_object_set_new(*out, "homes", homes_json(guardian));
	err = add_state(guardian, *out, &problem);
	if (err == ERR_ACCOUNT_UNKNOWN) { // shown as not open: that is the answer
		json_object_set_new(*out, "open", json_false());
		return ERR_OK;
	}
	if (err) {
		json_decref(*out);
		*out = NULL;
		*error = problem;
	}
	return err;
}

enum err oyez_account_top_up(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	struct connection *guardian, *home;
	struct oyez_error unused;
	*out = NULL;
	if (!error)
		error = &unused;
	enum err err = both(customer, &guardian, &home, error);
	if (!err && !home)
		err = oyez_error_set(error, ERR_HOME_UNKNOWN, "name a home broker with --broker URL");
	if (err)
		return err;
	bool needed = home_asks_for_tokens(home);
	size_t before = tokens_usable(customer, home->key, transport_now_ms(home->transport));
	if (needed)
		err = account_open(customer, guardian, NULL, error);
	if (!err && needed)
		err = tokens_top_up(customer, home, error);
	if (err)
		return err;
	*out = account_json(customer, guardian, home);
	size_t now = tokens_usable(customer, home->key, transport_now_ms(home->transport));
	json_object_set_new(*out, "added", json_integer((json_int_t)(now > before ? now - before : 0)));
	json_object_set_new(*out, "needed", json_boolean(needed));
	return ERR_OK;
}
