// Opening and closing the customer's side, events, and an intent's keys. What it does stands in the other customer_*.c.
#include "clients/lib/customer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/url.h"
#include "clients/lib/view.h"

enum err oyez_wallet_create(const char *home, const char *passphrase, struct oyez_error *error)
{
	return wallet_create(home, passphrase, error);
}

bool oyez_wallet_is_locked(const char *home)
{
	return wallet_is_locked(home);
}

enum err oyez_wallet_backup(const char *home, const char *passphrase, const char *file, struct oyez_error *error)
{
	struct wallet *wallet;
	enum err err = wallet_open(home, passphrase, &wallet, error);
	if (err)
		return err;
	err = wallet_backup(wallet, file, error);
	wallet_close(wallet);
	return err;
}

enum err oyez_wallet_restore(const char *home, const char *passphrase, const char *file, struct oyez_error *error)
{
	return wallet_restore(home, passphrase, file, error);
}

enum err oyez_customer_open(const char *home, const char *passphrase, const char *broker, struct oyez_customer **out,
                            struct oyez_error *error)
{
	*out = NULL;
	struct broker_url url;
	const char *why = NULL;
	if (broker && broker_url_parse(broker, &url, &why))
		return oyez_error_set(error, ERR_USAGE, "%.120s: %s", broker, why);
	struct wallet *wallet;
	enum err err = wallet_open(home, passphrase, &wallet, error);
	if (err)
		return err;
	struct oyez_customer *customer = wallet_alloc(sizeof(*customer));
	customer->wallet = wallet;
	if (broker)
		customer->broker = strdup(broker);
	*out = customer;
	return ERR_OK;
}

enum err oyez_customer_set_guardian(struct oyez_customer *customer, const char *guardian, struct oyez_error *error)
{
	struct broker_url url, broker = {0};
	const char *why = NULL;
	if (broker_url_parse(guardian, &url, &why))
		return oyez_error_set(error, ERR_USAGE, "%.120s: %s", guardian, why);
	if (customer->broker && broker_url_parse(customer->broker, &broker, NULL) == ERR_OK &&
	    (strcmp(url.address, broker.address) == 0 ||
	     (url.has_key && broker.has_key && memcmp(url.key, broker.key, KEY_BYTES) == 0)))
		return oyez_error_set(error, ERR_USAGE, "guardian and home broker are one and the same");
	free(customer->guardian);
	customer->guardian = strdup(guardian);
	return ERR_OK;
}

void oyez_customer_plain_email(struct oyez_customer *customer, bool plain)
{
	customer->plain_email = plain;
}

void oyez_customer_close(struct oyez_customer *customer)
{
	if (!customer)
		return;
	connections_close(customer);
	wallet_close(customer->wallet);
	free(customer->broker);
	free(customer->guardian);
	free(customer);
}

void oyez_customer_on_event(struct oyez_customer *customer, oyez_handler handler, void *context)
{
	customer->handler = handler;
	customer->handler_context = context;
}

void oyez_customer_wake(struct oyez_customer *customer)
{
	customer->woken = true;
	for (struct connection *at = customer->connections; at; at = at->next)
		transport_wake(at->transport);
}

void customer_event(struct oyez_customer *customer, const char *type, const struct id *intent, json_t *event)
{
	customer->changed = true;
	json_t *object = json_pack("{s:s, s:o}", "type", type, "intent", json_hex(intent->bytes, ID_BYTES));
	if (event) {
		json_object_update(object, event);
		json_decref(event);
	}
	if (customer->handler)
		customer->handler(customer->handler_context, object);
	json_decref(object);
}

void customer_problem(struct oyez_customer *customer, const struct id *intent, enum err code, const char *what)
{
	customer_event(customer, "problem", intent, json_pack("{s:s, s:s}", "code", err_name(code), "what", what));
}

enum err intent_keys_load(struct oyez_customer *customer, const struct id *id, struct intent_keys *keys,
                          struct oyez_error *error)
{
	memset(keys, 0, sizeof(*keys));
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, id);
	if (!intent)
		return oyez_error_set(error, ERR_NOT_FOUND, "intent");
	keys->id = *id;
	snprintf(keys->broker_url, sizeof(keys->broker_url), "%s", intent->broker_url);
	keys->broker_known = intent->broker_key.len == KEY_BYTES;
	if (keys->broker_known)
		memcpy(keys->broker_key, intent->broker_key.data, KEY_BYTES);
	keys->two_brokers = intent->guardian_key.len == KEY_BYTES;
	if (keys->two_brokers)
		memcpy(keys->guardian_key, intent->guardian_key.data, KEY_BYTES);
	snprintf(keys->guardian_url, sizeof(keys->guardian_url), "%s", intent->guardian_url);
	keys->alive = intent->seed.len == crypto_sign_SEEDBYTES && intent->reply_secret.len == KEY_BYTES &&
	              intent->reply_key.len == KEY_BYTES;
	if (keys->alive) {
		sign_pair_from_seed(&keys->pair, intent->seed.data);
		memcpy(keys->reply.public_key, intent->reply_key.data, KEY_BYTES);
		memcpy(keys->reply.secret_key, intent->reply_secret.data, KEY_BYTES);
	}
	if (intent->terms_hash.len == HASH_BYTES)
		memcpy(keys->terms_hash, intent->terms_hash.data, HASH_BYTES);
	Oyez__Release *release = NULL;
	keys->released = keys->alive && intent->release.len &&
	                 verify_release(keys, intent->release.data, intent->release.len, &release) == ERR_OK;
	if (keys->released) {
		memcpy(keys->release.bytes, release->release_id.data, RELEASE_ID_BYTES);
		oyez__release__free_unpacked(release, NULL);
	}
	return ERR_OK;
}

void intent_keys_wipe(struct intent_keys *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}

Oyez__Post *intent_post(const Oyez__Wallet__Intent *intent)
{
	Oyez__Post *post = NULL;
	codec_decode_post(NULL, intent->post.data, intent->post.len, &post, NULL);
	return post;
}

const struct terms *intent_terms(const Oyez__Wallet__Intent *intent)
{
	Oyez__Post *post = intent_post(intent);
	int index = post ? terms_find(post->facets->terms) : -1;
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return index < 0 ? NULL : terms_at((size_t)index);
}

bool intent_is_open(const Oyez__Wallet__Intent *intent)
{
	return intent->status == OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING ||
	       intent->status == OYEZ__WALLET__INTENT_STATUS__INTENT_RELEASED;
}

uint64_t customer_now_ms(struct oyez_customer *customer)
{
	for (struct connection *at = customer->connections; at; at = at->next) {
		if (at->met)
			return transport_now_ms(at->transport);
	}
	return clock_now_ms();
}
