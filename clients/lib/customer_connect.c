// Which broker, and is it the one known from before? Identities are pinned in the wallet at the first meeting.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"
#include "clients/lib/customer.h"

// Not tried again within one command; an agent comes back.
enum { DOWN_MS = 5000 };

bool error_is_passing(enum err code)
{
	switch (code) {
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_BUSY:
	case ERR_STOPPING:
	case ERR_UNAVAILABLE:
	case ERR_STORAGE_FULL:
	case ERR_HOME_UNREACHABLE:
	case ERR_HOME_UNKNOWN:
	case ERR_ACCOUNT_UNKNOWN:
	case ERR_BOX_LIMIT:
	case ERR_VOUCHER_LIMIT:
	case ERR_INTERNAL:
	case ERR_CELL_STALE:
	case ERR_CELL_SEALED:
	case ERR_CELL_REPLAYED:
	case ERR_BROKER_CHANGED:
	case ERR_CONFIG_CONFLICT:
	case ERR_WRONG_BROKER:
	case ERR_BAD_FRAME:
	case ERR_BAD_SIGNATURE:
	case ERR_SEALED:
	case ERR_NO_MEMORY:
	case ERR_IO:
		return true;
	default:
		return false;
	}
}

void url_without_key(const char *text, char url[512])
{
	snprintf(url, 512, "%.*s", (int)strcspn(text, "#"), text);
}

static struct connection *connection_new(struct oyez_customer *customer, const char *url, const uint8_t *pinned,
                                         struct oyez_error *error)
{
	struct transport *transport;
	if (transport_open(url, pinned, &transport, error))
		return NULL;
	struct connection *connection = wallet_alloc(sizeof(*connection));
	char plain[512];
	url_without_key(url, plain);
	connection->url = strdup(plain);
	connection->transport = transport;
	connection->next = customer->connections;
	customer->connections = connection;
	return connection;
}

static void connection_free(struct connection *connection)
{
	transport_close(connection->transport);
	free(connection->url);
	free(connection);
}

void connections_close(struct oyez_customer *customer)
{
	while (customer->connections) {
		struct connection *connection = customer->connections;
		customer->connections = connection->next;
		connection_free(connection);
	}
}

// Writes what was learnt about a broker: new identity, moved address, newer configuration.
static enum err remember(struct oyez_customer *customer, const struct connection *connection, struct oyez_error *error)
{
	const uint8_t *record = NULL;
	size_t count = 0;
	transport_config_record(connection->transport, &record, &count);
	const Oyez__Wallet__Broker *known = wallet_broker_by_key(customer->wallet, connection->key);
	if (known && known->config.len && config_compare(known->config.data, known->config.len, record, count))
		return oyez_error_set(error, ERR_CONFIG_CONFLICT, "%.200s", connection->url);
	bool moved = known && !connection->guardian && strcmp(known->url, connection->url) != 0;
	if (known && !moved && known->config.len == count && memcmp(known->config.data, record, count) == 0)
		return ERR_OK;

	enum err err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	// Another identity at this address was accepted by the person's own #KEY: the old one loses the address. What a
	// guardian says of addresses takes none away.
	Oyez__Wallet__Broker *other = wallet_broker_by_url(customer->wallet, connection->url);
	bool taken = other && memcmp(other->key.data, connection->key, KEY_BYTES) != 0;
	if (taken && !connection->guardian)
		field_set_text(&other->url, "");
	Oyez__Wallet__Broker *broker = wallet_broker_by_key(customer->wallet, connection->key);
	if (!broker) {
		broker = wallet_add_broker(customer->wallet);
		field_set(&broker->key, connection->key, KEY_BYTES);
	}
	if (!connection->guardian || !taken)
		field_set_text(&broker->url, connection->url);
	field_set(&broker->config, record, count);
	return wallet_commit(customer->wallet, error);
}

enum err connection_meet(struct oyez_customer *customer, struct connection *connection, struct oyez_error *error)
{
	if (connection->met)
		return ERR_OK;
	if (connection->down_until_ms && (!customer->patient || monotonic_ms() < connection->down_until_ms)) {
		if (error)
			*error = connection->down;
		return connection->down.code;
	}
	const Oyez__Config *config;
	struct oyez_error problem = {0};
	enum err err = transport_config(connection->transport, &config, &problem);
	if (!err) {
		memcpy(connection->key, config->broker_id.data, KEY_BYTES);
		const char *listed = connection->guardian ? transport_home_url(connection->transport) : "";
		if (*listed && !*connection->url) {
			free(connection->url);
			connection->url = strdup(listed);
		}
		err = remember(customer, connection, &problem);
	}
	if (err) {
		connection->down = problem;
		connection->down_until_ms = monotonic_ms() + DOWN_MS;
		if (error)
			*error = problem;
		return err;
	}
	connection->met = true;
	connection->down_until_ms = 0;
	return ERR_OK;
}

void connection_default_known(struct oyez_customer *customer, char url[512], uint8_t key[KEY_BYTES], bool *known)
{
	const char *given = customer->broker ? customer->broker : OYEZ_BROKER_DEFAULT;
	struct broker_url parsed;
	*known = false;
	if (customer->guardian) {
		home_default_known(customer, url, key, known);
		return;
	}
	url_without_key(given, url);
	if (broker_url_parse(given, &parsed, NULL) == ERR_OK && parsed.has_key) {
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

enum err connection_at(struct oyez_customer *customer, const char *url, const uint8_t *pinned, struct connection **out,
                       struct oyez_error *error)
{
	char plain[512];
	url_without_key(url, plain);
	struct connection *found = NULL;
	for (struct connection *at = customer->connections; at && !found; at = at->next) {
		if (!at->guardian && strcmp(at->url, plain) == 0)
			found = at;
	}
	if (!found)
		found = connection_new(customer, url, pinned, error);
	if (!found)
		return error ? error->code : ERR_UNREACHABLE;
	enum err err = connection_meet(customer, found, error);
	*out = err ? NULL : found;
	return err;
}

enum err connection_default(struct oyez_customer *customer, struct connection **out, struct oyez_error *error)
{
	char url[512];
	uint8_t key[KEY_BYTES];
	bool known;
	struct oyez_error unused;
	if (customer->guardian)
		return home_default(customer, out, error ? error : &unused);
	connection_default_known(customer, url, key, &known);
	return connection_at(customer, customer->broker ? customer->broker : url, known ? key : NULL, out,
	                     error ? error : &unused);
}

enum err connection_for(struct oyez_customer *customer, const struct intent_keys *keys, struct connection **out,
                        struct oyez_error *error)
{
	struct oyez_error unused;
	if (!error)
		error = &unused;
	*out = NULL;
	if (keys->two_brokers) {
		struct connection *guardian;
		enum err met = guardian_for(customer, keys, &guardian, error);
		return met ? met : connection_through(customer, guardian, keys->broker_key, out, error);
	}
	if (!keys->broker_known)
		return connection_at(customer, keys->broker_url, NULL, out, error);
	for (struct connection *at = customer->connections; at; at = at->next) {
		if (at->met && !at->guardian && memcmp(at->key, keys->broker_key, KEY_BYTES) == 0) {
			*out = at;
			return ERR_OK;
		}
	}
	// A broker named by the person may be the intent's under a new address.
	struct connection *named = NULL;
	char url[512] = "";
	if (customer->broker)
		url_without_key(customer->broker, url);
	if (customer->broker && !customer->guardian && strcmp(url, keys->broker_url) != 0 &&
	    connection_default(customer, &named, error) == ERR_OK && memcmp(named->key, keys->broker_key, KEY_BYTES) == 0) {
		*out = named;
		return ERR_OK;
	}
	const Oyez__Wallet__Broker *moved = wallet_broker_by_key(customer->wallet, keys->broker_key);
	const char *address = moved && *moved->url ? moved->url : keys->broker_url;
	char copy[512];
	snprintf(copy, sizeof(copy), "%s", address);
	enum err err = connection_at(customer, copy, keys->broker_key, out, error);
	if (!err && memcmp((*out)->key, keys->broker_key, KEY_BYTES) != 0) {
		*out = NULL;
		return oyez_error_set(error, ERR_BROKER_CHANGED, "%.200s", copy);
	}
	return err;
}
