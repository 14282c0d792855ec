// Batches of box cells while nothing here keeps boxes: no broker is known to push any.
#include "internal.h"

enum err handle_push(struct service *service, const struct command *command, const Oyez__PushBatch *batch)
{
	(void)service, (void)command, (void)batch;
	return ERR_HOME_UNKNOWN;
}

bool account_known(struct service *service, const struct id *account)
{
	(void)service, (void)account;
	return false;
}
