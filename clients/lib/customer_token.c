// Tokens: asking for a batch of 16, keeping them, dropping what is past its time. Everything sent is on disk before:
// the voucher's id, the keys, the blinded elements. So a retry sends the same bytes and costs nothing twice.
//
//   batch:  made -> vouched for (guardian) -> evaluated, proof checked (home broker) -> tokens
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"
#include "clients/lib/customer.h"
#include "proto/token.h"

#define TOP_UP_DELAY_MS_MAX (6 * HOUR_MS)

static bool key_is(const ProtobufCBinaryData *field, const uint8_t key[KEY_BYTES])
{
	return field->len == KEY_BYTES && memcmp(field->data, key, KEY_BYTES) == 0;
}

// ---- those there are

static bool token_is_usable(const Oyez__Wallet__Token *token, uint64_t now_ms)
{
	bool for_correction = !token->tried_at_ms || now_ms < token->tried_at_ms + CORRECTION_MS;
	return !token->spent && token->secret.len == crypto_sign_SEEDBYTES && token->token.len == TOKEN_BYTES &&
	       now_ms < token->redeem_until_ms && for_correction;
}

size_t tokens_usable(struct oyez_customer *customer, const uint8_t home_key[KEY_BYTES], uint64_t now_ms)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	size_t count = 0;
	for (size_t i = 0; i < file->n_tokens; i++)
		count += key_is(&file->tokens[i]->home_key, home_key) && token_is_usable(file->tokens[i], now_ms);
	return count;
}

// A broker restored from a backup revokes its older keys: tokens of those are worth nothing.
static bool key_is_current(const Oyez__Wallet__Token *token, const Oyez__Config *config)
{
	if (token->token.len != TOKEN_BYTES)
		return false;
	for (size_t i = 0; i < config->n_token_keys; i++) {
		uint8_t id[32];
		crypto_hash_sha256(id, config->token_keys[i]->key.data, config->token_keys[i]->key.len);
		if (memcmp(token->token.data + TOKEN_INPUT_BYTES - sizeof(id), id, sizeof(id)) == 0)
			return true;
	}
	return false;
}

// An agent lives for weeks: the configuration it began with knows nothing of a later epoch's key.
static enum err config_of_today(struct connection *home, const Oyez__Config **config, struct oyez_error *error)
{
	enum err err = transport_config(home->transport, config, error);
	bool old = !err && (*config)->n_token_keys &&
	           (*config)->token_keys[0]->epoch != token_epoch_of(transport_now_ms(home->transport));
	if (old && home->transport->config_at_ms + HOUR_MS < transport_now_ms(home->transport))
		err = transport_refresh(home->transport, error);
	return err ? err : transport_config(home->transport, config, error);
}

static bool token_is_over(const Oyez__Wallet__Token *token, const struct connection *home, const Oyez__Config *config,
                          uint64_t now_ms)
{
	if (!key_is(&token->home_key, home->key))
		return false;
	// A token younger than the configuration may be of a key this does not show yet.
	bool judged = config->n_token_keys && token->issued_at_ms <= home->transport->config_at_ms;
	return !token_is_usable(token, now_ms) || (judged && !key_is_current(token, config));
}

void tokens_drop(struct oyez_customer *customer, struct connection *home)
{
	const Oyez__Config *config;
	if (config_of_today(home, &config, NULL))
		return;
	uint64_t now_ms = transport_now_ms(home->transport);
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	bool any = false;
	for (size_t i = 0; i < file->n_tokens; i++)
		any = any || token_is_over(file->tokens[i], home, config, now_ms);
	if (!any || wallet_begin(customer->wallet, NULL))
		return;
	file = wallet_records(customer->wallet);
	for (size_t i = file->n_tokens; i-- > 0;) {
		if (token_is_over(file->tokens[i], home, config, now_ms))
			wallet_remove_token(customer->wallet, i);
	}
	wallet_commit(customer->wallet, NULL);
}

// ---- a batch

static Oyez__Wallet__Batch *batch_find(struct oyez_customer *customer, const struct connection *home, size_t *index)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_batches; i++) {
		if (key_is(&file->batches[i]->home_key, home->key)) {
			if (index)
				*index = i;
			return file->batches[i];
		}
	}
	return NULL;
}

static enum err batch_fill(Oyez__Wallet__Batch *batch, const struct connection *home, const Oyez__TokenKey *key)
{
	uint8_t voucher_id[VOUCHER_ID_BYTES];
	randombytes_buf(voucher_id, sizeof(voucher_id));
	field_set(&batch->voucher_id, voucher_id, sizeof(voucher_id));
	field_set(&batch->home_key, home->key, KEY_BYTES);
	field_set(&batch->token_key, key->key.data, key->key.len);
	batch->epoch = key->epoch;
	batch->redeem_until_ms = key->redeem_until_ms;
	enum err err = ERR_OK;
	for (size_t i = 0; !err && i < VOUCHER_TOKENS; i++) {
		struct sign_pair pair;
		struct token_request request;
		sign_pair_new(&pair);
		err = token_request_new(home->key, key->key.data, pair.public_key, &request);
		Oyez__Wallet__BatchToken *token = wallet_add_batch_token(batch);
		field_set(&token->secret, pair.secret_key, crypto_sign_SEEDBYTES);
		field_set(&token->input, request.input, sizeof(request.input));
		field_set(&token->blind, request.blind, sizeof(request.blind));
		field_set(&token->blinded, request.blinded, sizeof(request.blinded));
		sodium_memzero(&pair, sizeof(pair));
		sodium_memzero(&request, sizeof(request));
	}
	return err;
}

// The batch begun, if it is still of the present epoch's key; else a new one. On disk when it comes back.
static enum err batch_begin(struct oyez_customer *customer, struct connection *home, struct oyez_error *error)
{
	const Oyez__Config *config;
	enum err err = config_of_today(home, &config, error);
	if (err)
		return err;
	if (config->n_token_keys == 0)
		return oyez_error_set(error, ERR_UNAVAILABLE, "this broker shows no token key");
	const Oyez__TokenKey *key = config->token_keys[0];
	const Oyez__Wallet__Batch *begun = batch_find(customer, home, NULL);
	bool same_key = begun && begun->epoch == key->epoch && key_is(&begun->token_key, key->key.data);
	// A voucher once given stays good, also when another guardian is asked by now.
	if (same_key && (begun->voucher.len || key_is(&begun->guardian_key, guardian_of(home)->key)))
		return ERR_OK;
	err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	size_t index;
	while (batch_find(customer, home, &index))
		wallet_remove_batch(customer->wallet, index);
	Oyez__Wallet__Batch *batch = wallet_add_batch(customer->wallet);
	field_set(&batch->guardian_key, guardian_of(home)->key, KEY_BYTES);
	err = batch_fill(batch, home, key);
	if (err) {
		wallet_abort(customer->wallet);
		return oyez_error_set(error, err, "token key");
	}
	return wallet_commit(customer->wallet, error);
}

static void batch_drop(struct oyez_customer *customer, struct connection *home)
{
	size_t index;
	if (wallet_begin(customer->wallet, NULL))
		return;
	if (batch_find(customer, home, &index))
		wallet_remove_batch(customer->wallet, index);
	wallet_commit(customer->wallet, NULL);
}

// ---- the guardian's part

static bool field_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static enum err voucher_check(const Oyez__Signed *signed_voucher, const Oyez__Wallet__Batch *batch,
                              const struct connection *guardian)
{
	enum err err = sign_open(signed_voucher, TAG_VOUCHER);
	Oyez__Voucher *voucher = NULL;
	if (!err && !key_is(&signed_voucher->key, guardian->key))
		err = ERR_BAD_SIGNATURE;
	if (!err)
		err = codec_decode_voucher(NULL, signed_voucher->record.data, signed_voucher->record.len, &voucher, NULL);
	if (err)
		return err;
	bool fits = key_is(&voucher->guardian_id, guardian->key) && field_equal(&voucher->voucher_id, &batch->voucher_id) &&
	            field_equal(&voucher->home_id, &batch->home_key) && voucher->epoch == batch->epoch &&
	            voucher->count >= batch->n_tokens;
	oyez__voucher__free_unpacked(voucher, NULL);
	return fits ? ERR_OK : ERR_VOUCHER_BAD;
}

static enum err store_voucher(struct oyez_customer *customer, struct connection *home,
                              const Oyez__Signed *signed_voucher, struct oyez_error *error)
{
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	Oyez__Wallet__Batch *batch = batch_find(customer, home, NULL);
	err = batch ? voucher_check(signed_voucher, batch, guardian_of(home)) : ERR_CONFLICT;
	if (err) {
		wallet_abort(customer->wallet);
		return oyez_error_set(error, err, "voucher");
	}
	size_t count = oyez__signed__get_packed_size(signed_voucher);
	uint8_t *bytes = wallet_alloc(count);
	oyez__signed__pack(signed_voucher, bytes);
	field_set(&batch->voucher, bytes, count);
	free(bytes);
	return wallet_commit(customer->wallet, error);
}

static enum err get_voucher(struct oyez_customer *customer, struct connection *home, struct oyez_error *error)
{
	const Oyez__Wallet__Batch *batch = batch_find(customer, home, NULL);
	if (!batch || batch->voucher.len)
		return ERR_OK;
	Oyez__AskVoucher ask = OYEZ__ASK_VOUCHER__INIT;
	ask.voucher_id = batch->voucher_id;
	ask.home_id = batch->home_key;
	ask.epoch = batch->epoch;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_VOUCHER;
	record.voucher = &ask;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian_of(home)->transport, &record, 0, &reply, error);
	if (!err && reply->body_case != OYEZ__GUARDIAN_REPLY__BODY_VOUCHER)
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "voucher expected");
	if (!err)
		err = store_voucher(customer, home, reply->voucher, error);
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

// ---- the home broker's part

static enum err finish(const Oyez__Wallet__Batch *batch, const Oyez__TokensIssued *issued,
                       uint8_t tokens[VOUCHER_TOKENS][TOKEN_BYTES])
{
	struct token_request requests[VOUCHER_TOKENS];
	uint8_t evaluated[VOUCHER_TOKENS][ELEMENT_BYTES];
	if (batch->n_tokens == 0 || batch->n_tokens > VOUCHER_TOKENS || issued->n_evaluated != batch->n_tokens ||
	    issued->epoch != batch->epoch)
		return ERR_BAD_MESSAGE;
	for (size_t i = 0; i < batch->n_tokens; i++) {
		const Oyez__Wallet__BatchToken *token = batch->tokens[i];
		if (token->input.len != TOKEN_INPUT_BYTES || token->blind.len != VOPRF_SCALAR_BYTES ||
		    token->blinded.len != ELEMENT_BYTES)
			return ERR_WALLET_DAMAGED;
		memcpy(requests[i].input, token->input.data, TOKEN_INPUT_BYTES);
		memcpy(requests[i].blind, token->blind.data, VOPRF_SCALAR_BYTES);
		memcpy(requests[i].blinded, token->blinded.data, ELEMENT_BYTES);
		memcpy(evaluated[i], issued->evaluated[i].data, ELEMENT_BYTES);
	}
	enum err err = tokens_finish(batch->token_key.data, batch->n_tokens, requests,
	                             (const uint8_t(*)[ELEMENT_BYTES])evaluated, issued->proof.data, tokens);
	sodium_memzero(requests, sizeof(requests));
	return err;
}

// The batch becomes tokens in one change of the wallet.
static enum err store_tokens(struct oyez_customer *customer, struct connection *home, const Oyez__TokensIssued *issued,
                             struct oyez_error *error)
{
	uint8_t tokens[VOUCHER_TOKENS][TOKEN_BYTES];
	size_t index;
	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	const Oyez__Wallet__Batch *batch = batch_find(customer, home, &index);
	err = batch ? finish(batch, issued, tokens) : ERR_OK;
	if (!batch || err) { // without a batch another program was faster
		wallet_abort(customer->wallet);
		return err ? oyez_error_set(error, err, "the broker's proof over its tokens") : ERR_OK;
	}
	for (size_t i = 0; i < batch->n_tokens; i++) {
		Oyez__Wallet__Token *token = wallet_add_token(customer->wallet);
		field_set(&token->token, tokens[i], TOKEN_BYTES);
		field_set(&token->secret, batch->tokens[i]->secret.data, batch->tokens[i]->secret.len);
		field_set(&token->home_key, home->key, KEY_BYTES);
		field_set(&token->guardian_key, batch->guardian_key.data, batch->guardian_key.len);
		token->redeem_until_ms = batch->redeem_until_ms;
		token->issued_at_ms = transport_now_ms(home->transport);
	}
	wallet_remove_batch(customer->wallet, index);
	Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian_of(home)->key);
	if (account)
		account->top_up_at_ms = 0;
	sodium_memzero(tokens, sizeof(tokens));
	return wallet_commit(customer->wallet, error);
}

static enum err issue(struct oyez_customer *customer, struct connection *home, struct oyez_error *error)
{
	const Oyez__Wallet__Batch *batch = batch_find(customer, home, NULL);
	if (!batch)
		return ERR_OK;
	Oyez__Signed *voucher = NULL;
	enum err err = codec_decode_signed(NULL, batch->voucher.data, batch->voucher.len, &voucher, NULL);
	if (err)
		return oyez_error_set(error, err, "voucher");
	ProtobufCBinaryData blinded[VOUCHER_TOKENS];
	Oyez__IssueTokens ask = OYEZ__ISSUE_TOKENS__INIT;
	ask.broker_id = (ProtobufCBinaryData){.data = home->key, .len = KEY_BYTES};
	ask.voucher = voucher;
	ask.blinded = blinded;
	for (size_t i = 0; i < batch->n_tokens && i < VOUCHER_TOKENS; i++)
		blinded[ask.n_blinded++] = batch->tokens[i]->blinded;
	Oyez__CustomerReply *reply = NULL;
	err = transport_issue(home->transport, &ask, &reply, error);
	oyez__signed__free_unpacked(voucher, NULL);
	if (!err && reply->body_case != OYEZ__CUSTOMER_REPLY__BODY_TOKENS)
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "tokens expected");
	if (!err)
		err = store_tokens(customer, home, reply->tokens, error);
	if (reply)
		oyez__customer_reply__free_unpacked(reply, NULL);
	return err;
}

enum err tokens_top_up(struct oyez_customer *customer, struct connection *home, struct oyez_error *error)
{
	struct oyez_error unused;
	if (!error)
		error = &unused;
	enum err err = account_ensure(customer, guardian_of(home), error);
	if (!err)
		err = batch_begin(customer, home, error);
	if (!err)
		err = get_voucher(customer, home, error);
	if (!err)
		err = issue(customer, home, error);
	// These will not be taken with any retry: the next time is a new voucher.
	if (err == ERR_VOUCHER_BAD || err == ERR_VOUCHER_SPENT || err == ERR_CONFLICT)
		batch_drop(customer, home);
	return err;
}

// ---- when

// Chooses the moment of the next asking.
static void plan(struct oyez_customer *customer, struct connection *guardian, uint64_t now_ms)
{
	if (wallet_begin(customer->wallet, NULL))
		return;
	Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	if (account && account->top_up_at_ms <= now_ms)
		account->top_up_at_ms = now_ms + randombytes_uniform((uint32_t)TOP_UP_DELAY_MS_MAX) + 1;
	wallet_commit(customer->wallet, NULL);
}

static void consider_home(struct oyez_customer *customer, struct connection *home)
{
	const Oyez__Config *config;
	struct oyez_error problem = {0};
	if (transport_config(home->transport, &config, NULL) || config->posting != OYEZ__POSTING__POSTING_TOKEN)
		return;
	struct connection *guardian = guardian_of(home);
	uint64_t now_ms = transport_now_ms(home->transport);
	tokens_drop(customer, home);
	const Oyez__Wallet__Account *account = wallet_account(customer->wallet, guardian->key);
	if (!account || !account->opened_at_ms || tokens_usable(customer, home->key, now_ms) >= TOKENS_FEW)
		return;
	if (!account->top_up_at_ms) {
		plan(customer, guardian, now_ms);
	} else if (now_ms >= account->top_up_at_ms && !customer->woken) {
		enum err err = tokens_top_up(customer, home, &problem);
		if (err)
			plan(customer, guardian, now_ms);
		if (err && !error_is_passing(err))
			customer_problem(customer, &(struct id){0}, err, "tokens");
	}
}

void tokens_consider(struct oyez_customer *customer)
{
	// Only brokers met in this run: nobody is asked for the sake of tokens alone.
	for (struct connection *at = customer->connections; at; at = at->next) {
		if (at->met)
			consider_home(customer, at);
	}
}
