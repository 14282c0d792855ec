// Does a broker say that it is a demonstration? Then some callers are simulated, and whoever looks at crowds is told
// so.
#include "clients/lib/customer.h"

static bool says_demo(const Oyez__Wallet__Broker *broker)
{
	Oyez__Signed *record = broker ? oyez__signed__unpack(NULL, broker->config.len, broker->config.data) : NULL;
	Oyez__Config *config = record ? oyez__config__unpack(NULL, record->record.len, record->record.data) : NULL;
	bool demo = config && config->demo;
	if (config)
		oyez__config__free_unpacked(config, NULL);
	if (record)
		oyez__signed__free_unpacked(record, NULL);
	return demo;
}

void json_add_demo(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent, json_t *object)
{
	if (intent->broker_key.len == KEY_BYTES &&
	    says_demo(wallet_broker_by_key(customer->wallet, intent->broker_key.data)))
		json_object_set_new(object, "demo", json_true());
}

enum err oyez_demo(struct oyez_customer *customer, bool *demo, struct oyez_error *error)
{
	struct connection *connection;
	*demo = false;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = connection_default(customer, &connection, error);
	if (!err)
		*demo = says_demo(wallet_broker_by_key(customer->wallet, connection->key));
	return err;
}
