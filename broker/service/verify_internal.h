// Which command a decoded message is. Internal to verify.c.
#ifndef OYEZ_SERVICE_VERIFY_INTERNAL_H
#define OYEZ_SERVICE_VERIFY_INTERNAL_H

#include "command.h"

// Each sets kind and payload; false for a body this build does not know.
bool command_of_customer(const Oyez__CustomerRecord *record, struct command *command);
bool command_of_vendor(const Oyez__VendorRecord *record, struct command *command);
bool command_of_read(const Oyez__VendorReadBody *body, struct command *command);
bool command_of_admin(const Oyez__AdminRequest *request, struct command *command);

#endif
