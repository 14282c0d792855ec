// The frame of everything a person decides: a record is made and persisted in one change of the wallet, then sent.
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"

enum err action_begin(struct oyez_customer *customer, const struct id *intent, struct action *action,
                      struct oyez_error *error)
{
	memset(action, 0, sizeof(*action));
	enum err err = intent_keys_load(customer, intent, &action->keys, error);
	if (!err && !action->keys.alive)
		err = oyez_error_set(error, ERR_GONE, "intent");
	// Without the broker the record is made all the same, and waits.
	struct connection *connection = NULL;
	struct oyez_error offline = {0};
	if (!err)
		connection_for(customer, &action->keys, &connection, &offline);
	action->now_ms = connection ? transport_now_ms(connection->transport) : clock_now_ms();
	if (!err)
		err = wallet_begin(customer->wallet, error);
	if (err)
		intent_keys_wipe(&action->keys);
	return err;
}

void action_cancel(struct oyez_customer *customer, struct action *action)
{
	wallet_abort(customer->wallet);
	intent_keys_wipe(&action->keys);
}

enum err action_commit(struct oyez_customer *customer, struct action *action, struct oyez_error *error)
{
	intent_keys_wipe(&action->keys);
	enum err err = wallet_commit(customer->wallet, error);
	if (err)
		return err;
	struct oyez_error refused = {0};
	err = pending_flush(customer, &action->pending, &refused, error);
	action->pending_still = err != ERR_OK;
	if (!err && refused.code) {
		err = refused.code;
		if (error)
			*error = refused;
	}
	return err;
}
