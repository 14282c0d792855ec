// What a post brings along, beside what is wanted: a token with the intent key it is bound to, or a stamp; with two
// brokers the box where its replies are pushed. A token serves once: it leaves the wallet's store with the post.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/stamp.h"
#include "proto/token.h"

const char *privacy_word(const Oyez__Wallet__Intent *intent)
{
	return intent->guardian_key.len ? "separated" : "reduced";
}

void post_right_wipe(struct post_right *right)
{
	sodium_memzero(right, sizeof(*right));
}

// ---- before: an account where one is needed, tokens where none is left

// What the home asks of posts, by its configuration seen last. Unknown before the first meeting.
static Oyez__Posting posting_known(struct oyez_customer *customer, uint32_t *stamp_bits)
{
	char url[512];
	uint8_t key[KEY_BYTES];
	bool known;
	Oyez__Posting posting = OYEZ__POSTING__POSTING_UNKNOWN;
	*stamp_bits = 0;
	connection_default_known(customer, url, key, &known);
	const Oyez__Wallet__Broker *broker = known ? wallet_broker_by_key(customer->wallet, key) : NULL;
	Oyez__Signed *signed_config = NULL;
	Oyez__Config *config = NULL;
	if (broker && broker->config.len &&
	    codec_decode_signed(NULL, broker->config.data, broker->config.len, &signed_config, NULL) == ERR_OK &&
	    codec_decode_config(NULL, signed_config->record.data, signed_config->record.len, &config, NULL) == ERR_OK) {
		posting = config->posting;
		*stamp_bits = config->stamp_bits;
	}
	if (config)
		oyez__config__free_unpacked(config, NULL);
	if (signed_config)
		oyez__signed__free_unpacked(signed_config, NULL);
	return posting;
}

// Out of tokens just before a post: they are asked for all the same, and the result says what that costs.
static enum err tokens_now(struct oyez_customer *customer, struct connection *home, struct post_right *right,
                           struct oyez_error *error)
{
	tokens_drop(customer, home);
	if (tokens_usable(customer, home->key, transport_now_ms(home->transport)))
		return ERR_OK;
	enum err err = account_open(customer, guardian_of(home), NULL, error);
	if (!err)
		err = tokens_top_up(customer, home, error);
	// A batch begun in another epoch may have failed; the next one is of this.
	if (err == ERR_VOUCHER_BAD)
		err = tokens_top_up(customer, home, error);
	right->tokens_fresh = !err;
	return err;
}

// The guardian, as far as the wallet knows it without talking to it.
static bool guardian_from_wallet(struct oyez_customer *customer, struct post_right *right)
{
	char url[512];
	url_without_key(customer->guardian, url);
	const Oyez__Wallet__Broker *broker = wallet_broker_by_url(customer->wallet, url);
	if (!broker)
		return false;
	memcpy(right->guardian_key, broker->key.data, KEY_BYTES);
	memcpy(right->guardian_url, url, sizeof(url));
	return true;
}

// The home broker is out of reach. A post may be stored all the same, if all it needs is here.
static enum err prepare_offline(struct oyez_customer *customer, uint64_t now_ms, struct post_right *right,
                                const struct oyez_error *problem, struct oyez_error *error)
{
	char url[512];
	uint8_t key[KEY_BYTES];
	bool known;
	uint32_t bits;
	connection_default_known(customer, url, key, &known);
	bool ready = !right->two_brokers || (known && guardian_from_wallet(customer, right));
	if (posting_known(customer, &bits) == OYEZ__POSTING__POSTING_TOKEN && !tokens_usable(customer, key, now_ms))
		ready = false;
	if (ready)
		return ERR_OK;
	if (error)
		*error = *problem;
	return problem->code;
}

enum err post_right_prepare(struct oyez_customer *customer, uint64_t now_ms, struct post_right *right,
                            struct oyez_error *error)
{
	memset(right, 0, sizeof(*right));
	right->two_brokers = customer->guardian != NULL;
	struct connection *home;
	struct oyez_error problem = {0};
	const Oyez__Config *config;
	enum err err = connection_default(customer, &home, &problem);
	if (err)
		return prepare_offline(customer, now_ms, right, &problem, error);
	if (right->two_brokers) {
		memcpy(right->guardian_key, home->guardian->key, KEY_BYTES);
		url_without_key(home->guardian->url, right->guardian_url);
		err = account_open(customer, home->guardian, NULL, error);
	}
	if (!err)
		err = transport_config(home->transport, &config, error);
	if (!err && config->posting == OYEZ__POSTING__POSTING_TOKEN)
		err = tokens_now(customer, home, right, error);
	return err;
}

// ---- into the post

static Oyez__Wallet__Token *token_choose(struct oyez_customer *customer, const uint8_t home_key[KEY_BYTES],
                                         uint64_t now_ms)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	Oyez__Wallet__Token *best = NULL;
	for (size_t i = 0; i < file->n_tokens; i++) {
		Oyez__Wallet__Token *token = file->tokens[i];
		bool over = token->spent || token->secret.len != crypto_sign_SEEDBYTES || token->token.len != TOKEN_BYTES ||
		            now_ms >= token->redeem_until_ms;
		if (!over && token->tried_at_ms) { // a refused post that is still shown under this key's id
			struct sign_pair pair;
			sign_pair_from_seed(&pair, token->secret.data);
			struct id id = intent_id_of(pair.public_key);
			sodium_memzero(&pair, sizeof(pair));
			over = now_ms >= token->tried_at_ms + CORRECTION_MS || wallet_intent(customer->wallet, &id) != NULL;
		}
		if (over || token->home_key.len != KEY_BYTES || memcmp(token->home_key.data, home_key, KEY_BYTES) != 0)
			continue;
		// One that came back from a refused post first, then those whose time is over first.
		if (!best || (token->tried_at_ms && !best->tried_at_ms) ||
		    (!best->tried_at_ms && token->redeem_until_ms < best->redeem_until_ms))
			best = token;
	}
	return best;
}

// The last day on which a cell may come: the band counts from the tick, which is not known yet, so the latest there can
// be; whole days, and one to spare.
static uint64_t keep_until(uint64_t expires_at_ms, uint64_t now_ms)
{
	static const struct {
		uint64_t from_days, to_days;
	} bands[] = {{0, 1}, {1, 3}, {3, 7}, {7, 30}, {30, 90}};
	uint64_t life_ms = expires_at_ms > now_ms ? expires_at_ms - now_ms : 0, beyond_days = 1;
	for (size_t i = 0; i < sizeof(bands) / sizeof(*bands); i++) {
		if (life_ms > bands[i].from_days * DAY_MS)
			beyond_days = bands[i].to_days - bands[i].from_days;
	}
	uint64_t last_ms = expires_at_ms + (beyond_days + 1) * DAY_MS;
	if (last_ms > now_ms + BOX_KEEP_MS_MAX - 2 * DAY_MS)
		last_ms = now_ms + BOX_KEEP_MS_MAX - 2 * DAY_MS;
	return (last_ms / DAY_MS + 1) * DAY_MS;
}

enum err post_right_keys(struct oyez_customer *customer, struct post_right *right, struct intent_keys *keys,
                         Oyez__Post *post, uint64_t now_ms, struct oyez_error *error)
{
	uint32_t bits;
	Oyez__Posting posting = posting_known(customer, &bits);
	const Oyez__Wallet__Token *token = posting == OYEZ__POSTING__POSTING_TOKEN && keys->broker_known
	                                       ? token_choose(customer, keys->broker_key, now_ms)
	                                       : NULL;
	if (posting == OYEZ__POSTING__POSTING_TOKEN && !token)
		return oyez_error_set(error, ERR_TOKEN_MISSING, NULL);
	if (token) {
		sign_pair_from_seed(&keys->pair, token->secret.data);
		memcpy(right->token, token->token.data, token->token.len);
		right->token_bytes = token->token.len;
		right->with_token = true;
		post->token = (ProtobufCBinaryData){.data = right->token, .len = right->token_bytes};
	} else {
		sign_pair_new(&keys->pair);
	}
	if (posting == OYEZ__POSTING__POSTING_STAMP && keys->broker_known) {
		enum err err = stamp_work(customer, keys->pair.public_key, keys->broker_key, now_ms, bits, right->stamp, error);
		if (err)
			return err;
		post->stamp = (ProtobufCBinaryData){.data = right->stamp, .len = STAMP_BYTES};
	}
	keys->two_brokers = right->two_brokers;
	if (right->two_brokers) {
		randombytes_buf(right->box_id, BOX_ID_BYTES);
		right->keep_until_ms = keep_until(post->expires_at_ms, now_ms);
		memcpy(keys->guardian_key, right->guardian_key, KEY_BYTES);
		post->box_id = (ProtobufCBinaryData){.data = right->box_id, .len = BOX_ID_BYTES};
		post->guardian_id = (ProtobufCBinaryData){.data = right->guardian_key, .len = KEY_BYTES};
	}
	return ERR_OK;
}

enum err post_right_take(struct oyez_customer *customer, const struct post_right *right, Oyez__Wallet__Intent *intent,
                         struct oyez_error *error)
{
	if (right->two_brokers) {
		field_set(&intent->guardian_key, right->guardian_key, KEY_BYTES);
		field_set_text(&intent->guardian_url, right->guardian_url);
		field_set(&intent->box_id, right->box_id, BOX_ID_BYTES);
		intent->box_keep_until_ms = right->keep_until_ms;
	}
	if (!right->with_token)
		return ERR_OK;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_tokens; i++) {
		const ProtobufCBinaryData *token = &file->tokens[i]->token;
		if (token->len == right->token_bytes && memcmp(token->data, right->token, token->len) == 0) {
			wallet_remove_token(customer->wallet, i);
			return ERR_OK;
		}
	}
	return oyez_error_set(error, ERR_BUSY, "another program took this token");
}

// ---- and back

// Codes after which the token, or its key, is worth nothing. Any other refusal came before it was spent.
static bool token_is_lost(enum err code)
{
	switch (code) {
	case ERR_TOKEN_BAD:
	case ERR_TOKEN_EXPIRED:
	case ERR_TOKEN_SPENT:
	case ERR_CONFLICT:
	case ERR_GONE:
		return true;
	default:
		return false;
	}
}

// It goes back for the corrected post only, and for a short time: the home has seen this key beside this content, so a
// later post under it would be linked to the refused one.
void post_right_give_back(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, enum err code,
                          uint64_t now_ms)
{
	Oyez__Post *post = intent_post(intent);
	if (post && post->token.len && !token_is_lost(code) && intent->seed.len && intent->broker_key.len == KEY_BYTES) {
		Oyez__Wallet__Token *token = wallet_add_token(customer->wallet);
		field_set(&token->token, post->token.data, post->token.len);
		field_set(&token->secret, intent->seed.data, intent->seed.len);
		field_set(&token->home_key, intent->broker_key.data, KEY_BYTES);
		token->redeem_until_ms = token_redeem_until_ms(token_epoch_of(now_ms)); // tokens_drop knows its key
		token->tried_at_ms = now_ms;
	}
	if (post)
		oyez__post__free_unpacked(post, NULL);
}
