// Keys and the configuration record in the store's named values:
//   "identity"      32 bytes: the Ed25519 seed
//   "gateway_keys"  newest first, each: made_at_ms (8) ‖ accepted_until_ms (8) ‖ secret key (32) ‖ public key (32)
//   "token_keys"    newest first, each: epoch (4) ‖ secret scalar (32). Keys of epochs past redemption are gone.
//   "config"        Signed Config as sent out, to keep its number and see whether its content changed
// Example of a gateway key's first bytes: 0000018f2a3b4c00 0000018f345f9c00 ...
#include "identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/cursor.h"
#include "broker/base/log.h"
#include "proto/agreement.h"
#include "proto/terms.h"

enum {
	GATEWAY_ROW_BYTES = 8 + 8 + KEY_BYTES + KEY_BYTES,
	TOKEN_ROW_BYTES = 4 + VOPRF_SCALAR_BYTES,
	SEED_BYTES = 32,
};

static void load_pair(struct identity *identity, struct store *store, struct arena *arena)
{
	struct bytes bytes;
	uint8_t seed[SEED_BYTES];
	if (store_meta_get(store, "identity", arena, &bytes) && bytes.count == SEED_BYTES) {
		memcpy(seed, bytes.at, SEED_BYTES);
	} else {
		randombytes_buf(seed, sizeof(seed));
		store_meta_put(store, "identity", seed, sizeof(seed));
	}
	sign_pair_from_seed(&identity->pair, seed);
	sodium_memzero(seed, sizeof(seed));
}

static void load_keys(struct identity *identity, struct store *store, struct arena *arena)
{
	struct bytes bytes;
	identity->key_count = 0;
	if (!store_meta_get(store, "gateway_keys", arena, &bytes))
		return;
	struct reader reader;
	reader_init(&reader, bytes.at, bytes.count);
	while (reader_left(&reader) >= GATEWAY_ROW_BYTES && identity->key_count < IDENTITY_GATEWAY_KEYS_MAX) {
		struct gateway_key *key = &identity->keys[identity->key_count++];
		uint64_t made_at_ms = reader_u64(&reader);
		if (identity->key_count == 1)
			identity->key_made_at_ms = made_at_ms;
		key->accepted_until_ms = reader_u64(&reader);
		reader_bytes(&reader, key->pair.secret_key, KEY_BYTES);
		reader_bytes(&reader, key->pair.public_key, KEY_BYTES);
		gateway_key_id_of(key->pair.public_key, key->id);
	}
}

static void save_keys(const struct identity *identity, struct store *store)
{
	uint8_t rows[IDENTITY_GATEWAY_KEYS_MAX * GATEWAY_ROW_BYTES];
	struct writer writer;
	writer_init(&writer, rows, sizeof(rows));
	for (size_t i = 0; i < identity->key_count; i++) {
		writer_u64(&writer, i == 0 ? identity->key_made_at_ms : 0); // only the newest one's is asked for
		writer_u64(&writer, identity->keys[i].accepted_until_ms);
		writer_bytes(&writer, identity->keys[i].pair.secret_key, KEY_BYTES);
		writer_bytes(&writer, identity->keys[i].pair.public_key, KEY_BYTES);
	}
	store_meta_put(store, "gateway_keys", rows, writer_count(&writer));
	sodium_memzero(rows, sizeof(rows));
}

// Drops keys past their time and puts a new one in front when it is due.
static void rotate_keys(struct identity *identity, struct store *store, uint64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < identity->key_count; i++)
		if (identity->keys[i].accepted_until_ms > now_ms)
			identity->keys[kept++] = identity->keys[i];
	sodium_memzero(identity->keys + kept, sizeof(identity->keys[0]) * (IDENTITY_GATEWAY_KEYS_MAX - kept));
	bool changed = kept != identity->key_count;
	identity->key_count = kept;
	if (kept == 0 || now_ms >= identity->key_made_at_ms + GATEWAY_KEY_ROTATE_MS) {
		if (kept == IDENTITY_GATEWAY_KEYS_MAX)
			kept--;
		memmove(identity->keys + 1, identity->keys, kept * sizeof(identity->keys[0]));
		struct gateway_key *key = &identity->keys[0];
		hpke_pair_new(&key->pair);
		gateway_key_id_of(key->pair.public_key, key->id);
		key->accepted_until_ms = now_ms + GATEWAY_KEY_ACCEPT_MS;
		identity->key_made_at_ms = now_ms;
		identity->key_count = kept + 1;
		changed = true;
	}
	if (changed)
		save_keys(identity, store);
}

static void load_token_keys(struct identity *identity, struct store *store, struct arena *arena)
{
	struct bytes bytes;
	struct reader reader;
	identity->token_key_count = 0;
	if (!store_meta_get(store, "token_keys", arena, &bytes))
		return;
	reader_init(&reader, bytes.at, bytes.count);
	while (reader_left(&reader) >= TOKEN_ROW_BYTES && identity->token_key_count < TOKEN_KEYS_MAX) {
		struct token_key *key = &identity->token_keys[identity->token_key_count];
		uint8_t secret[VOPRF_SCALAR_BYTES];
		key->epoch = reader_u32(&reader);
		key->redeem_until_ms = token_redeem_until_ms(key->epoch);
		reader_bytes(&reader, secret, sizeof(secret));
		if (voprf_key_from_secret(&key->pair, secret) == ERR_OK)
			identity->token_key_count++;
		sodium_memzero(secret, sizeof(secret));
	}
}

static void save_token_keys(const struct identity *identity, struct store *store)
{
	uint8_t rows[TOKEN_KEYS_MAX * TOKEN_ROW_BYTES];
	struct writer writer;
	writer_init(&writer, rows, sizeof(rows));
	for (size_t i = 0; i < identity->token_key_count; i++) {
		writer_u32(&writer, identity->token_keys[i].epoch);
		writer_bytes(&writer, identity->token_keys[i].pair.secret, VOPRF_SCALAR_BYTES);
	}
	store_meta_put(store, "token_keys", rows, writer_count(&writer));
	sodium_memzero(rows, sizeof(rows));
}

// One key for each epoch, made when it begins; only the present one's and the previous one's are kept.
static void rotate_token_keys(struct identity *identity, struct store *store, uint64_t now_ms)
{
	struct token_key *keys = identity->token_keys;
	uint32_t epoch = token_epoch_of(now_ms);
	if (identity->token_key_count > 0 && keys[0].epoch >= epoch)
		return;
	bool keep = identity->token_key_count > 0 && keys[0].redeem_until_ms > now_ms;
	if (keep)
		keys[1] = keys[0];
	else
		sodium_memzero(&keys[1], sizeof(keys[1]));
	voprf_key_new(&keys[0].pair);
	keys[0].epoch = epoch;
	keys[0].redeem_until_ms = token_redeem_until_ms(epoch);
	identity->token_key_count = keep ? 2 : 1;
	save_token_keys(identity, store);
}

static void fill_rights(struct identity *identity, const struct config *config)
{
	struct rights *rights = &identity->rights;
	*rights = (struct rights){.key_count = identity->token_key_count, .stamp_bits = config->stamp_bits};
	memcpy(rights->keys, identity->token_keys, sizeof(rights->keys));
	for (size_t i = 0; i < config->guardian_count && i < GUARDIANS_MAX; i++, rights->guardian_count++)
		memcpy(rights->guardians[i], config->guardians[i].key, KEY_BYTES);
}

// Everything the record says but its number and time. Points into identity, config and static memory.
struct draft {
	Oyez__Config message;
	Oyez__GatewayKey keys[IDENTITY_GATEWAY_KEYS_MAX];
	Oyez__GatewayKey *key_list[IDENTITY_GATEWAY_KEYS_MAX];
	char *terms[TERMS_MAX];
	uint8_t taxonomy_hash[32];
	Oyez__TokenKey token_keys[TOKEN_KEYS_MAX];
	Oyez__TokenKey *token_key_list[TOKEN_KEYS_MAX];
	ProtobufCBinaryData guardians[GUARDIANS_MAX];
};

static void make_draft(struct draft *draft, struct identity *identity, const struct config *config,
                       const uint8_t taxonomy_hash[32])
{
	oyez__config__init(&draft->message);
	memcpy(draft->taxonomy_hash, taxonomy_hash, sizeof(draft->taxonomy_hash));
	for (size_t i = 0; i < identity->key_count; i++) {
		oyez__gateway_key__init(&draft->keys[i]);
		draft->keys[i].id = (ProtobufCBinaryData){GATEWAY_KEY_ID_BYTES, identity->keys[i].id};
		draft->keys[i].key = (ProtobufCBinaryData){KEY_BYTES, identity->keys[i].pair.public_key};
		draft->keys[i].accepted_until_ms = identity->keys[i].accepted_until_ms;
		draft->key_list[i] = &draft->keys[i];
	}
	size_t terms = terms_count() < TERMS_MAX ? terms_count() : TERMS_MAX;
	for (size_t i = 0; i < terms; i++)
		draft->terms[i] = (char *)(uintptr_t)terms_at(i)->id;

	Oyez__Config *message = &draft->message;
	message->broker_id = (ProtobufCBinaryData){KEY_BYTES, identity->pair.public_key};
	message->gateway_keys = draft->key_list;
	message->n_gateway_keys = identity->key_count;
	message->region = (char *)(uintptr_t)config->region;
	message->crowd = config->crowd;
	message->tick_ms = config->tick_ms;
	message->vendors_open = config->vendors_open;
	message->vendors_per_intent_max = config->vendors_per_intent_max;
	message->offers_per_intent_max = config->offers_per_intent_max;
	message->terms = draft->terms;
	message->n_terms = terms;
	message->taxonomy_hash = (ProtobufCBinaryData){sizeof(draft->taxonomy_hash), draft->taxonomy_hash};
	message->retention_ms = config->retention_ms;
	message->demo = config->demo;
	message->hold = config->hold;
	message->accounts_by_stamp = config->accounts_by_stamp;
	message->account_stamp_bits = config->accounts_by_stamp ? config->account_stamp_bits : 0;
	message->vouchers_per_day = config->vouchers_per_day;
	message->guardians = draft->guardians;
	message->n_guardians = config->guardian_count;
	for (size_t i = 0; i < config->guardian_count; i++)
		draft->guardians[i] = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)(uintptr_t)config->guardians[i].key};
	message->posting = config->posting;
	message->stamp_bits = config->posting == OYEZ__POSTING__POSTING_STAMP ? config->stamp_bits : 0;
	for (size_t i = 0; i < identity->token_key_count; i++) {
		oyez__token_key__init(&draft->token_keys[i]);
		draft->token_keys[i].epoch = identity->token_keys[i].epoch;
		draft->token_keys[i].key = (ProtobufCBinaryData){ELEMENT_BYTES, identity->token_keys[i].pair.public_key};
		draft->token_keys[i].redeem_until_ms = identity->token_keys[i].redeem_until_ms;
		draft->token_key_list[i] = &draft->token_keys[i];
	}
	message->token_keys = draft->token_key_list;
	message->n_token_keys = identity->token_key_count;
}

// Is the stored record's content that of the draft? *number and *made_at_ms get what it has.
static bool same_content(struct draft *draft, const struct identity *identity, const struct bytes *stored,
                         uint64_t *number)
{
	Oyez__Signed *record = NULL;
	Oyez__Config *before = NULL;
	*number = 0;
	bool same = false;
	if (codec_decode_signed(NULL, stored->at, stored->count, &record, NULL) == ERR_OK &&
	    codec_decode_config(NULL, record->record.data, record->record.len, &before, NULL) == ERR_OK) {
		*number = before->number;
		draft->message.number = before->number;
		draft->message.made_at_ms = before->made_at_ms;
		uint8_t *bytes = NULL;
		size_t count = 0;
		same = codec_encode(&draft->message.base, &bytes, &count) == ERR_OK && count == record->record.len &&
		       memcmp(bytes, record->record.data, count) == 0 && sign_open(record, TAG_CONFIG) == ERR_OK &&
		       memcmp(record->key.data, identity->pair.public_key, KEY_BYTES) == 0;
		free(bytes);
	}
	oyez__config__free_unpacked(before, NULL);
	oyez__signed__free_unpacked(record, NULL);
	return same;
}

static enum err make_record(struct identity *identity, struct store *store, struct arena *arena,
                            const struct config *config, const uint8_t taxonomy_hash[32], uint64_t now_ms)
{
	struct draft draft = {0};
	make_draft(&draft, identity, config, taxonomy_hash);
	struct bytes stored;
	uint64_t number = 0;
	if (store_meta_get(store, "config", arena, &stored) && same_content(&draft, identity, &stored, &number)) {
		identity->record = malloc(stored.count);
		if (!identity->record)
			return ERR_NO_MEMORY;
		memcpy(identity->record, stored.at, stored.count);
		identity->record_bytes = stored.count;
		identity->number = number;
		return ERR_OK;
	}
	identity->number = draft.message.number = number + 1;
	draft.message.made_at_ms = now_ms;
	struct codec_detail detail = {""};
	uint8_t *bytes = NULL;
	size_t count = 0;
	enum err err = codec_check(&draft.message.base, &detail);
	if (err == ERR_OK)
		err = codec_encode(&draft.message.base, &bytes, &count);
	if (err == ERR_OK)
		err = sign_wrap(&identity->pair, TAG_CONFIG, bytes, count, &identity->record, &identity->record_bytes);
	free(bytes);
	if (err != ERR_OK) {
		log_event(LOG_ERROR, "config_record", LOG_TEXT("code", err_name(err)), LOG_TEXT("detail", detail.text));
		return err;
	}
	store_meta_put(store, "config", identity->record, identity->record_bytes);
	return ERR_OK;
}

// Works on a copy: what was not committed is not published either.
static enum err in_transaction(struct identity *identity, struct store *store, const struct config *config,
                               const uint8_t taxonomy_hash[32], uint64_t now_ms, bool load)
{
	struct arena arena;
	arena_init(&arena);
	struct identity next = *identity;
	next.record = NULL;
	store_begin(store);
	if (load) {
		load_pair(&next, store, &arena);
		load_keys(&next, store, &arena);
		load_token_keys(&next, store, &arena);
	}
	rotate_keys(&next, store, now_ms);
	rotate_token_keys(&next, store, now_ms);
	fill_rights(&next, config);
	enum err err = make_record(&next, store, &arena, config, taxonomy_hash, now_ms);
	if (err == ERR_OK)
		err = store_commit(store);
	else
		store_abort(store);
	arena_fini(&arena);
	if (err == ERR_OK) {
		free(identity->record);
		*identity = next;
	} else {
		free(next.record);
	}
	sodium_memzero(&next, sizeof(next));
	return err;
}

enum err identity_load(struct identity *identity, struct store *store, const struct config *config,
                       const uint8_t taxonomy_hash[32], uint64_t now_ms)
{
	*identity = (struct identity){0};
	return in_transaction(identity, store, config, taxonomy_hash, now_ms, true);
}

enum err identity_refresh(struct identity *identity, struct store *store, const struct config *config,
                          const uint8_t taxonomy_hash[32], uint64_t now_ms)
{
	return in_transaction(identity, store, config, taxonomy_hash, now_ms, false);
}

uint64_t identity_rotate_at_ms(const struct identity *identity)
{
	uint64_t gateway_ms = identity->key_made_at_ms + GATEWAY_KEY_ROTATE_MS;
	uint64_t token_ms = (identity->token_keys[0].epoch + UINT64_C(1)) * TOKEN_EPOCH_MS;
	return gateway_ms < token_ms ? gateway_ms : token_ms;
}

void identity_publish(const struct identity *identity, struct verifier *verifier)
{
	verifier_set_keys(verifier, identity->keys, identity->key_count);
	verifier_set_rights(verifier, &identity->rights);
	verifier_set_config(verifier, identity->record, identity->record_bytes);
}

static void sign_for_service(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                             uint8_t signature[SIGNATURE_BYTES])
{
	const struct identity *identity = context;
	sign_bytes(&identity->pair, tag, record, record_bytes, signature);
}

static enum err check_for_service(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                                  const uint8_t hash[HASH_BYTES], const uint8_t *signature)
{
	(void)context;
	return countersign_check(vendor_key, deal, hash, signature);
}

struct service_signer identity_signer(struct identity *identity)
{
	struct service_signer signer = {
	    .context = identity, .sign = sign_for_service, .countersign_check = check_for_service};
	memcpy(signer.broker_key, identity->pair.public_key, KEY_BYTES);
	return signer;
}

void identity_wipe(struct identity *identity)
{
	free(identity->record);
	sodium_memzero(identity, sizeof(*identity));
}
