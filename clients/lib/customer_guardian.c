// Two brokers: the guardian that a wallet talks to, and the home brokers behind it. Which home a new intent goes to,
// and that a home is never talked to but through its guardian. Accounts: customer_account.c; boxes: customer_box.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"
#include "clients/lib/customer.h"

struct connection *guardian_of(struct connection *home)
{
	return home->guardian ? home->guardian : home;
}

// ---- the guardian

// The address and, if known, the key, without talking to it.
static void guardian_known(struct oyez_customer *customer, char url[512], uint8_t key[KEY_BYTES], bool *known)
{
	struct broker_url parsed;
	*known = false;
	url_without_key(customer->guardian, url);
	if (broker_url_parse(customer->guardian, &parsed, NULL) == ERR_OK && parsed.has_key) {
		memcpy(key, parsed.key, KEY_BYTES);
		*known = true;
		return;
	}
	const Oyez__Wallet__Broker *broker = wallet_broker_by_url(customer->wallet, url);
	if (broker) {
		memcpy(key, broker->key.data, KEY_BYTES);
		*known = true;
	}
}

enum err guardian_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error)
{
	char url[512];
	uint8_t key[KEY_BYTES];
	bool known;
	*out = NULL;
	if (!customer->guardian)
		return oyez_error_set(error, ERR_USAGE, "no guardian was given");
	guardian_known(customer, url, key, &known);
	enum err err = connection_at(customer, customer->guardian, known ? key : NULL, out, error);
	if (!err)
		err = account_ensure(customer, *out, error);
	return err;
}

enum err guardian_for(struct oyez_customer *customer, const struct intent_keys *keys, struct connection **out,
                      struct oyez_error *error)
{
	*out = NULL;
	for (struct connection *at = customer->connections; at; at = at->next) {
		if (at->met && !at->guardian && memcmp(at->key, keys->guardian_key, KEY_BYTES) == 0)
			*out = at;
	}
	// Named by the person, it may stand under a new address.
	char url[512] = "";
	if (!*out && customer->guardian) {
		struct connection *named;
		struct oyez_error unused;
		url_without_key(customer->guardian, url);
		if (strcmp(url, keys->guardian_url) != 0 && guardian_default(customer, &named, &unused) == ERR_OK &&
		    memcmp(named->key, keys->guardian_key, KEY_BYTES) == 0)
			*out = named;
	}
	if (!*out) {
		const Oyez__Wallet__Broker *moved = wallet_broker_by_key(customer->wallet, keys->guardian_key);
		snprintf(url, sizeof(url), "%s", moved && *moved->url ? moved->url : keys->guardian_url);
		enum err err = connection_at(customer, url, keys->guardian_key, out, error);
		if (err)
			return err;
		if (memcmp((*out)->key, keys->guardian_key, KEY_BYTES) != 0) {
			*out = NULL;
			return oyez_error_set(error, ERR_BROKER_CHANGED, "%.200s", url);
		}
	}
	return account_ensure(customer, *out, error);
}

// ---- homes behind it

enum err connection_through(struct oyez_customer *customer, struct connection *guardian,
                            const uint8_t home_key[KEY_BYTES], struct connection **out, struct oyez_error *error)
{
	*out = NULL;
	if (memcmp(guardian->key, home_key, KEY_BYTES) == 0)
		return oyez_error_set(error, ERR_USAGE, "guardian and home broker are one and the same");
	struct connection *found = NULL;
	for (struct connection *at = customer->connections; at && !found; at = at->next) {
		if (at->guardian == guardian && memcmp(at->key, home_key, KEY_BYTES) == 0)
			found = at;
	}
	if (!found) {
		struct transport *transport;
		enum err err = transport_open_through(guardian->transport, home_key, &transport);
		if (err)
			return oyez_error_set(error, err, NULL);
		found = wallet_alloc(sizeof(*found));
		found->guardian = guardian;
		found->transport = transport;
		found->url = strdup("");
		memcpy(found->key, home_key, KEY_BYTES);
		found->next = customer->connections;
		customer->connections = found;
	}
	enum err err = connection_meet(customer, found, error);
	if (!err)
		*out = found;
	return err;
}

// The home whose address the person gave; without one, the only one there is.
static enum err choose_home(const Oyez__Homes *homes, const char *url, uint8_t key[KEY_BYTES], struct oyez_error *error)
{
	const Oyez__Home *chosen = NULL;
	for (size_t i = 0; i < homes->n_items; i++) {
		if (url ? strcmp(homes->items[i]->url, url) == 0 : homes->n_items == 1)
			chosen = homes->items[i];
	}
	if (!chosen && url)
		return oyez_error_set(error, ERR_HOME_UNKNOWN, "%.200s", url);
	if (!chosen)
		return oyez_error_set(error, ERR_HOME_UNKNOWN, "the guardian relays to %zu: name one with --broker URL",
		                      homes->n_items);
	memcpy(key, chosen->home_id.data, KEY_BYTES);
	return ERR_OK;
}

static enum err ask_homes(struct connection *guardian, const char *url, uint8_t key[KEY_BYTES],
                          struct oyez_error *error)
{
	Oyez__GetHome get = OYEZ__GET_HOME__INIT;
	Oyez__AccountRecord record = OYEZ__ACCOUNT_RECORD__INIT;
	record.body_case = OYEZ__ACCOUNT_RECORD__BODY_GET_HOME;
	record.get_home = &get;
	Oyez__GuardianReply *reply = NULL;
	enum err err = transport_account(guardian->transport, &record, 0, &reply, error);
	if (!err && reply->body_case != OYEZ__GUARDIAN_REPLY__BODY_HOMES)
		err = oyez_error_set(error, ERR_BAD_MESSAGE, "homes expected");
	if (!err)
		err = choose_home(reply->homes, url, key, error);
	if (reply)
		oyez__guardian_reply__free_unpacked(reply, NULL);
	return err;
}

void home_default_known(struct oyez_customer *customer, char url[512], uint8_t key[KEY_BYTES], bool *known)
{
	struct broker_url parsed;
	char guardian_url[512];
	uint8_t guardian[KEY_BYTES];
	bool guardian_is_known;
	*known = false;
	url[0] = 0;
	if (customer->broker) {
		url_without_key(customer->broker, url);
		const Oyez__Wallet__Broker *broker = wallet_broker_by_url(customer->wallet, url);
		*known = broker != NULL;
		if (broker)
			memcpy(key, broker->key.data, KEY_BYTES);
		if (broker_url_parse(customer->broker, &parsed, NULL) == ERR_OK && parsed.has_key) {
			memcpy(key, parsed.key, KEY_BYTES);
			*known = true;
		}
		return;
	}
	guardian_known(customer, guardian_url, guardian, &guardian_is_known);
	const Oyez__Wallet__Account *account = guardian_is_known ? wallet_account(customer->wallet, guardian) : NULL;
	if (!account || account->home_key.len != KEY_BYTES)
		return;
	memcpy(key, account->home_key.data, KEY_BYTES);
	*known = true;
	const Oyez__Wallet__Broker *broker = wallet_broker_by_key(customer->wallet, key);
	if (broker)
		snprintf(url, 512, "%s", broker->url);
}

enum err home_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error)
{
	char url[512];
	uint8_t key[KEY_BYTES];
	bool known;
	struct connection *guardian;
	*out = NULL;
	enum err err = guardian_default(customer, &guardian, error);
	if (err)
		return err;
	home_default_known(customer, url, key, &known);
	if (!known)
		err = ask_homes(guardian, customer->broker ? url : NULL, key, error);
	if (!err)
		err = connection_through(customer, guardian, key, out, error);
	if (!err && *url && !*(*out)->url) {
		free((*out)->url);
		(*out)->url = strdup(url);
	}
	if (!err)
		err = account_note_home(customer, guardian, key, error);
	return err;
}
